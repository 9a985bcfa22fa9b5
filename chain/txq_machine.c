// txq_machine.c — events first, then what is decided after each of them, the most certain first.
#include "chain/txq_machine.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS (24LL * 60 * 60 * 1000)
#define NOOP_GAS 21000
#define CANCEL_CAPS_PERCENT 150            // what frees a nonce may bid over the caps: it is small, and a bid at the cap could not be replaced otherwise
#define PATIENCE 4                         // a bid that is good enough is raised after so many times raise_ms
#define GAS_ROOM_PERCENT 125               // over an estimate: state changes between the two

static const char *const wait_names[TXQ_WAITS] = { "nothing", "load", "halted", "paused", "sight", "start", "suspect", "room", "fee_cap", "day_cap", "funds", "reverts", "attempts", "signer" };
const char *txq_wait_name(enum txq_wait w) { return wait_names[w]; }

// ---- small things

// A clock that jumped back must not make anybody wait longer than `most`.
static bool reached(int64_t at_ms, int64_t now_ms, int64_t most_ms) { return now_ms >= at_ms || at_ms - now_ms > most_ms; }

static const struct u256 everything = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
static struct u256 plus(struct u256 a, struct u256 b)
{
    struct u256 sum = everything;
    return u256_add(a, b, &sum) ? sum : everything;
}
static struct u256 minus(struct u256 a, struct u256 b)
{
    struct u256 rest = { { 0 } };
    return u256_sub(a, b, &rest) ? rest : u256_of(0);
}
static struct u256 times(struct u256 a, uint64_t n)
{
    struct u256 product = everything;
    return u256_mul(a, u256_of(n), &product) ? product : everything;
}

static struct txq_action *act(struct txq_actions *out, enum txq_do what)
{
    assert(out->count < TXQ_ACTIONS_MAX);
    struct txq_action *a = &out->at[out->count++];
    memset(a, 0, sizeof *a);
    a->what = what;
    return a;
}
static struct txq_action *tell(struct txq_actions *out, enum txq_news news)
{
    if (out->count >= TXQ_ACTIONS_MAX - TXQ_SENDS_MAX - 8) return NULL;        // work goes before talk
    struct txq_action *a = act(out, TXQ_DO_TELL);
    a->news = news;
    return a;
}

static struct txq_payment *payment_of(struct txq_machine *m, int64_t id)
{
    for (int i = 0; id && i < m->payment_count; i++)
        if (m->payments[i].id == id) return &m->payments[i];
    return NULL;
}
static struct txq_slot *slot_of(struct txq_machine *m, uint64_t nonce)
{
    for (int i = 0; i < m->slot_count; i++)
        if (m->slots[i].nonce == nonce) return &m->slots[i];
    return NULL;
}
static struct txq_attempt *newest(struct txq_slot *s) { return &s->at[s->count - 1]; }
static const struct txq_attempt *mined_of(const struct txq_slot *s)
{
    for (int i = 0; i < s->count; i++)
        if (s->at[i].mined) return &s->at[i];
    return NULL;
}
static bool halted(const struct txq_machine *m) { return m->head.halted || m->want_halt; }

static struct u256 worst_of(uint64_t gas, struct u256 max_fee, struct u256 value) { return plus(times(max_fee, gas), value); }
static struct u256 reserved(const struct txq_slot *s)          // the dearest of its attempts: one of them may be mined
{
    struct u256 most = u256_of(0);
    for (int i = 0; i < s->count; i++) {
        struct u256 worst = worst_of(s->at[i].gas, s->at[i].fees.max_fee, s->at[i].value);
        if (u256_compare(worst, most) > 0) most = worst;
    }
    return most;
}

static int64_t day_of(int64_t ms) { return ms / DAY_MS; }
// A later day starts anew. An earlier one is a clock that was set right: what was spent stays spent.
static struct txq_head head_today(const struct txq_machine *m, int64_t now_ms)
{
    struct txq_head head = m->head;
    if (day_of(now_ms) > head.spend_day) head.spend = u256_of(0);
    head.spend_day = day_of(now_ms);
    return head;
}
static bool day_allows(const struct txq_machine *m, struct u256 more, int64_t now_ms)
{
    return u256_compare(plus(head_today(m, now_ms).spend, more), m->rules.day_most) <= 0;
}
static bool funds_allow(const struct txq_machine *m, struct u256 more)
{
    struct u256 needed = more;
    for (int i = 0; i < m->slot_count; i++)
        if (!mined_of(&m->slots[i])) needed = plus(needed, reserved(&m->slots[i]));
    return u256_compare(needed, m->balance) <= 0;
}

// ---- loading

void txq_machine_begin(struct txq_machine *m, const struct txq_rules *rules, const struct txq_head *head)
{
    struct txq_figures figures = m->figures;               // they count on
    memset(m, 0, sizeof *m);
    m->rules = *rules;
    m->head = *head;
    m->figures = figures;
}

bool txq_machine_load_payment(struct txq_machine *m, const struct txq_payment *p)
{
    struct txq_payment *old = payment_of(m, p->id);
    if (old) {
        old->cancel = p->cancel;           // the rest never changes
        return true;
    }
    if (m->payment_count == TXQ_PAYMENTS_MAX || (m->payment_count && m->payments[m->payment_count - 1].id >= p->id)) return false;
    m->payments[m->payment_count++] = *p;
    return true;
}

static struct txq_slot *slot_add(struct txq_machine *m, uint64_t nonce, int64_t payment)
{
    int at = m->slot_count;
    if (m->slot_count == TXQ_OPEN_MAX + 2) return NULL;
    while (at > 0 && m->slots[at - 1].nonce > nonce) at--;
    memmove(&m->slots[at + 1], &m->slots[at], (size_t)(m->slot_count - at) * sizeof m->slots[0]);
    m->slot_count++;
    memset(&m->slots[at], 0, sizeof m->slots[at]);
    m->slots[at].nonce = nonce;
    m->slots[at].payment = payment;
    return &m->slots[at];
}

bool txq_machine_load_attempt(struct txq_machine *m, uint64_t nonce, int64_t payment, const struct txq_attempt *a)
{
    struct txq_slot *s = slot_of(m, nonce);
    struct txq_payment *p = payment_of(m, payment);
    if (nonce >= m->head.next_nonce || nonce < m->head.final_nonce) return false;
    if (payment && (!p || !p->has_nonce || p->nonce != nonce)) return false;
    if (a->pays && !payment) return false;
    if (s && s->payment != payment) return false;
    if (!s) s = slot_add(m, nonce, payment);
    if (!s || s->count == TXQ_ATTEMPTS_MAX) return false;
    s->at[s->count++] = *a;
    return true;
}

// Whole nonces only: a nonce some of whose transactions were not asked for cannot be judged.
int txq_machine_hashes(const struct txq_machine *m, uint64_t below, uint8_t out[TXQ_HASHES_MAX][32])
{
    int count = 0;
    for (int i = 0; i < m->slot_count && m->slots[i].nonce < below; i++) {
        const struct txq_slot *s = &m->slots[i];
        if (count + s->count > TXQ_HASHES_MAX) break;
        for (int k = 0; k < s->count; k++) memcpy(out[count++], s->at[k].hash, 32);
    }
    return count;
}

// ---- saving: one at a time

static void save(struct txq_machine *m, const struct txq_change *c, struct txq_actions *out)
{
    assert(m->step != TXQ_SAVING && m->step != TXQ_UNLOADED);
    assert(c->head.next_nonce >= m->head.next_nonce && c->head.final_nonce >= m->head.final_nonce);
    m->step = TXQ_SAVING;
    m->saving = *c;
    act(out, TXQ_DO_SAVE)->change = *c;
}

static void payment_remove(struct txq_machine *m, struct txq_payment *p)
{
    size_t at = (size_t)(p - m->payments);
    memmove(p, p + 1, ((size_t)m->payment_count - at - 1) * sizeof *p);
    m->payment_count--;
}

static void saved_attempt(struct txq_machine *m, const struct txq_change *c, struct txq_actions *out)
{
    struct txq_slot *s = slot_of(m, c->nonce);
    struct txq_payment *p = payment_of(m, c->payment);
    struct txq_action *t;
    if (!s) {
        s = slot_add(m, c->nonce, c->payment);
        assert(s);
        if (p) {
            assert(!p->has_nonce);
            p->has_nonce = true;
            p->nonce = c->nonce;
        } else {
            m->figures.fillers++;
            if ((t = tell(out, TXQ_NEWS_FILLER))) t->nonce = c->nonce;
        }
    } else {
        if (newest(s)->pays && !c->attempt.pays) m->figures.cancels++;
        else m->figures.replaced++;
        if ((t = tell(out, TXQ_NEWS_REPLACED))) {
            t->nonce = c->nonce;
            t->payment = c->payment;
            t->pays = c->attempt.pays;
            t->fees = c->attempt.fees;
        }
    }
    assert(s->payment == c->payment && s->count < TXQ_ATTEMPTS_MAX);
    s->at[s->count++] = c->attempt;
    m->figures.signed_count++;
}

static void saved_end(struct txq_machine *m, const struct txq_change *c, struct txq_actions *out)
{
    struct txq_slot *s = slot_of(m, c->nonce);
    struct txq_payment *p = payment_of(m, c->payment);
    assert(s == m->slots);
    m->slot_count--;
    memmove(m->slots, m->slots + 1, (size_t)m->slot_count * sizeof m->slots[0]);
    m->figures.ended[c->end]++;
    struct txq_action *t = tell(out, TXQ_NEWS_ENDED);
    if (t) {
        t->payment = c->payment;
        t->nonce = c->nonce;
        t->end = c->end;
        memcpy(t->hash, c->hash, 32);
    }
    if (!p) return;
    if (c->end != TXQ_NOT_ENDED) {
        payment_remove(m, p);
        return;
    }
    p->has_nonce = false;                  // final state shows its nonce used by our own transaction that paid nothing
    p->nonce = 0;
    p->cancel = TXQ_KEEP;
}

static void on_saved(struct txq_machine *m, const struct txq_event *e, struct txq_actions *out)
{
    assert(m->step == TXQ_SAVING);
    if (!e->ok) {
        m->step = TXQ_UNLOADED;
        act(out, TXQ_DO_LOAD);
        return;
    }
    m->step = TXQ_IDLE;
    struct txq_change *c = &m->saving;
    bool was_halted = m->head.halted;
    m->head = c->head;
    if (c->kind == TXQ_SAVE_ATTEMPT) saved_attempt(m, c, out);
    else if (c->kind == TXQ_SAVE_END) saved_end(m, c, out);
    else if (c->kind == TXQ_SAVE_DROP) {
        payment_remove(m, payment_of(m, c->payment));
        m->figures.ended[c->end]++;
        struct txq_action *t = tell(out, TXQ_NEWS_ENDED);
        if (t) {
            t->payment = c->payment;
            t->end = c->end;
        }
    } else if (m->head.halted && !was_halted) {
        m->want_halt = false;
        tell(out, TXQ_NEWS_HALTED);
    }
}

// ---- what was seen

static const struct txq_seen *seen_of(const struct txq_seen *at, int count, const uint8_t hash[32])
{
    for (int i = 0; i < count; i++)
        if (memcmp(at[i].hash, hash, 32) == 0) return &at[i];
    return NULL;
}

static bool covered(const struct txq_slot *s, const struct txq_seen *at, int count)
{
    for (int i = 0; i < s->count; i++)
        if (!seen_of(at, count, s->at[i].hash)) return false;
    return true;
}

static bool sight_has_any(const struct txq_slot *s, const struct txq_sight *sight)
{
    for (int i = 0; i < s->count; i++)
        if (seen_of(sight->at, sight->seen, s->at[i].hash)->found) return true;
    return false;
}

static void slot_seen(struct txq_machine *m, struct txq_slot *s, const struct txq_sight *sight, int64_t now_ms, struct txq_actions *out)
{
    const struct txq_attempt *before = mined_of(s);
    struct txq_attempt was = before ? *before : (struct txq_attempt){ 0 };
    struct txq_action *t = NULL;
    bool any = sight_has_any(s, sight);
    if (any) s->mined_ms = now_ms;
    else if (was.mined && sight->block < was.block && !reached(s->mined_ms + m->rules.resend_ms, now_ms, m->rules.resend_ms)) return;      // a node that is behind, not a reorg
    for (int i = 0; i < s->count; i++) {
        const struct txq_seen *seen = seen_of(sight->at, sight->seen, s->at[i].hash);
        s->at[i].mined = seen->found;
        s->at[i].success = seen->success;
        s->at[i].block = seen->block;
        memcpy(s->at[i].block_hash, seen->block_hash, 32);
    }
    const struct txq_attempt *now = mined_of(s);
    if (was.mined && !now) {               // back to sent: what was mined, and what would replace it, go out again
        m->figures.reorgs++;
        for (int i = 0; i < s->count; i++) s->at[i].again = memcmp(s->at[i].hash, was.hash, 32) == 0;
        newest(s)->again = true;
        t = tell(out, TXQ_NEWS_REORG);
    } else if (was.mined && memcmp(was.block_hash, now->block_hash, 32) != 0) {
        m->figures.moved++;
        t = tell(out, TXQ_NEWS_MOVED);
    }
    if (t) {
        t->nonce = s->nonce;
        t->payment = s->payment;
    }
    if (!now && s->nonce < sight->count) m->suspect = true;     // used, and by none of ours: until a proof says so we only wait
}

static void on_looked(struct txq_machine *m, const struct txq_event *e, struct txq_actions *out)
{
    const struct txq_sight *sight = e->sight;
    m->looking = false;
    m->look_at_ms = e->now_ms + (e->ok ? m->rules.look_ms : m->rules.retry_ms);
    if (!e->ok) return;
    m->sighted = true;
    m->sight_block = sight->block;
    m->count = sight->count;
    m->count_pending = sight->count_pending;
    m->balance = sight->balance;
    m->fees = sight->fees;
    m->suspect = m->head.known && (sight->count > m->head.next_nonce || sight->count_pending > m->head.next_nonce);
    for (int i = 0; i < m->slot_count; i++)
        if (covered(&m->slots[i], sight->at, sight->seen)) slot_seen(m, &m->slots[i], sight, e->now_ms, out);
    if (!m->head.known || m->head.halted || sight->count > m->head.final_nonce) m->want_proof = true;
}

static void halt(struct txq_machine *m, const char *what, uint64_t a, uint64_t b)
{
    if (halted(m)) return;
    m->want_halt = true;
    snprintf(m->halt_why, sizeof m->halt_why, what, (unsigned long long)a, (unsigned long long)b);
}

static void slot_proved(struct txq_machine *m, struct txq_slot *s, const struct txq_proof *proof)
{
    bool later = false;
    if (s->proven || !covered(s, proof->at, proof->seen)) return;      // signed since it was asked: the next proof
    for (int i = 0; i < s->count; i++) {
        const struct txq_seen *seen = seen_of(proof->at, proof->seen, s->at[i].hash);
        if (!seen->found) continue;
        if (seen->block > proof->block) {
            later = true;
            continue;
        }
        s->proven = true;
        s->foreign = false;
        s->proven_at = i;
        s->proven_success = seen->success;
        s->proven_block = seen->block;
        s->proven_cost = seen->cost;
        return;
    }
    if (later) return;                     // the chain moved between two questions
    s->foreign = true;
    halt(m, "nonce %llu is used by a transaction that is not ours, in a final block up to %llu: somebody else has the key", s->nonce, proof->block);
}

static void on_proved(struct txq_machine *m, const struct txq_event *e)
{
    const struct txq_proof *proof = e->proof;
    m->proving = false;
    if (!e->ok || proof->block < m->head.final_block || (m->proved && proof->block < m->proof_block)) return;       // nodes that are behind: what is known stays
    if (!m->head.known) {
        if (!m->want_start && m->sighted && proof->count == m->count && m->count == m->count_pending) {        // nobody's transactions are under way
            m->want_start = true;
            m->proof_count = proof->count;
            m->proof_block = proof->block;
        }
        return;
    }
    if (proof->count < m->head.final_nonce) {
        halt(m, "final state went back from nonce %llu to %llu: this is another chain, or its finality failed", m->head.final_nonce, proof->count);
        return;
    }
    m->proved = true;
    m->proof_count = proof->count;
    m->proof_block = proof->block;
    for (int i = 0; i < m->slot_count && m->slots[i].nonce < proof->count; i++) slot_proved(m, &m->slots[i], proof);
    if (proof->count > m->head.next_nonce) halt(m, "final state has used nonces up to %llu, and only those below %llu were given: somebody else has the key, or an old copy of the data was restored", proof->count - 1, m->head.next_nonce);
}

// ---- signing

static void sign(struct txq_machine *m, int64_t payment, uint64_t nonce, bool pays, bool legacy, struct fees fees, uint64_t gas, struct txq_actions *out)
{
    struct txq_action *a = act(out, TXQ_DO_SIGN);
    *a = (struct txq_action){ .what = TXQ_DO_SIGN, .payment = payment, .nonce = nonce, .pays = pays, .legacy = legacy, .fees = fees, .gas = gas };
    m->step = TXQ_SIGNING;
    m->under_way = *a;
}

static uint64_t gas_of(const struct txq_payment *p) { return p->gas ? p->gas : p->gas_guess; }

// What a new payment has to wait for; *fees is what it would bid.
static enum txq_wait new_waits(const struct txq_machine *m, const struct txq_payment *p, struct fees *fees, int64_t now_ms)
{
    if (!fees_first(&m->rules.fees, &m->fees, fees)) return TXQ_WAIT_FEE_CAP;
    struct u256 worst = worst_of(gas_of(p), fees->max_fee, p->value);
    if (!day_allows(m, worst, now_ms)) return TXQ_WAIT_DAY_CAP;
    return funds_allow(m, worst) ? TXQ_WAIT_NOTHING : TXQ_WAIT_FUNDS;
}

static void on_checked(struct txq_machine *m, const struct txq_event *e, struct txq_actions *out)
{
    assert(m->step == TXQ_CHECKING);
    struct txq_payment *p = payment_of(m, m->under_way.payment);
    struct fees fees;
    m->step = TXQ_IDLE;
    if (!e->ok) {
        m->sign_at_ms = e->now_ms + m->rules.retry_ms;
        return;
    }
    if (e->reverts) {                      // nothing was spent, and no nonce is taken: others go on, it is looked at again
        m->figures.checks_reverted++;
        p->check_wait_ms = p->check_wait_ms ? 2 * p->check_wait_ms : TXQ_CHECK_MS_MIN;
        if (p->check_wait_ms > TXQ_CHECK_MS_MAX) p->check_wait_ms = TXQ_CHECK_MS_MAX;
        p->check_at_ms = e->now_ms + p->check_wait_ms;
        return;
    }
    p->check_wait_ms = 0;
    if (!p->gas) {
        p->gas_guess = e->gas > TXQ_GAS_MAX ? TXQ_GAS_MAX : e->gas * GAS_ROOM_PERCENT / 100;
        if (p->gas_guess > TXQ_GAS_MAX) p->gas_guess = TXQ_GAS_MAX;
    }
    if (halted(m) || m->suspect || m->want_pause || m->head.paused || p->cancel == TXQ_CANCEL || m->slot_count >= TXQ_OPEN_MAX) return;
    if (new_waits(m, p, &fees, e->now_ms) != TXQ_WAIT_NOTHING) return;
    sign(m, p->id, m->head.next_nonce, true, m->fees.legacy || m->rules.legacy_only, fees, gas_of(p), out);
}

static void on_signed(struct txq_machine *m, const struct txq_event *e, struct txq_actions *out)
{
    assert(m->step == TXQ_SIGNING);
    const struct txq_action *a = &m->under_way;
    struct txq_slot *s = slot_of(m, a->nonce);
    struct txq_payment *p = payment_of(m, a->payment);
    m->step = TXQ_IDLE;
    if (!e->ok) {
        m->figures.sign_failed++;
        m->sign_at_ms = e->now_ms + m->rules.retry_ms;
        return;
    }
    if (halted(m) || (s && s->proven)) return;     // it was never sent: forgotten
    if (!s && m->suspect) return;
    if (!s && p && p->cancel == TXQ_CANCEL) return;
    struct txq_change c = { .kind = TXQ_SAVE_ATTEMPT, .head = head_today(m, e->now_ms), .payment = a->payment, .nonce = a->nonce };
    c.attempt = (struct txq_attempt){ .pays = a->pays, .legacy = a->legacy, .fees = a->fees, .gas = a->gas, .value = a->pays ? p->value : u256_of(0), .saved_ms = e->now_ms };
    memcpy(c.attempt.hash, e->hash, 32);
    struct u256 worst = worst_of(a->gas, a->fees.max_fee, c.attempt.value), before = s ? reserved(s) : u256_of(0);
    c.head.spend = plus(c.head.spend, minus(worst, before));
    if (a->nonce == c.head.next_nonce) c.head.next_nonce++;
    assert(a->nonce < c.head.next_nonce);
    save(m, &c, out);
}

// ---- sending

static struct txq_attempt *attempt_of(struct txq_machine *m, const uint8_t hash[32], struct txq_slot **slot)
{
    for (int i = 0; i < m->slot_count; i++)
        for (int k = 0; k < m->slots[i].count; k++)
            if (memcmp(m->slots[i].at[k].hash, hash, 32) == 0) {
                *slot = &m->slots[i];
                return &m->slots[i].at[k];
            }
    return NULL;
}

static void on_sent(struct txq_machine *m, const struct txq_event *e, struct txq_actions *out)
{
    struct txq_slot *s = NULL;
    struct txq_attempt *a = attempt_of(m, e->hash, &s);
    assert(m->sends > 0);
    m->sends--;
    if (!a) return;                        // its nonce ended meanwhile
    bool fine = e->ok || e->fault == RPC_ALREADY_KNOWN;
    a->sending = false;
    a->sent_ms = e->now_ms;
    if (!e->ok && e->fault == RPC_FINE) a->sent_ms -= m->rules.resend_ms - m->rules.retry_ms;      // no answer: another endpoint, soon
    if (e->fault == RPC_NONCE_TOO_LOW) {   // one of ours was mined, perhaps: receipts tell
        if (!m->looking && reached(m->look_at_ms - m->rules.look_ms + m->rules.retry_ms, e->now_ms, m->rules.look_ms)) m->look_at_ms = e->now_ms;
        fine = true;
    }
    enum rpc_fault before = a->refused;
    a->refused = fine ? RPC_FINE : e->fault;
    if (a->refused == RPC_FINE) return;
    m->figures.refused++;
    if (before == a->refused) return;
    struct txq_action *t = tell(out, TXQ_NEWS_REFUSED);
    if (!t) return;
    t->nonce = s->nonce;
    t->payment = s->payment;
    t->fault = a->refused;
}

static void send_due(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    if (halted(m)) return;
    for (int i = 0; i < m->slot_count && m->sends < TXQ_SENDS_MAX; i++) {
        struct txq_slot *s = &m->slots[i];
        if (s->proven || mined_of(s)) continue;
        for (int k = 0; k < s->count && m->sends < TXQ_SENDS_MAX; k++) {
            struct txq_attempt *a = &s->at[k];
            bool due = a->again || (a == newest(s) && (a->sent_ms == 0 || reached(a->sent_ms + m->rules.resend_ms, now_ms, m->rules.resend_ms)));
            if (a->sending || !due) continue;
            a->sending = true;
            a->again = false;
            m->sends++;
            m->figures.sends++;
            struct txq_action *t = act(out, TXQ_DO_SEND);
            t->nonce = s->nonce;
            t->payment = s->payment;
            memcpy(t->hash, a->hash, 32);
        }
    }
}

// ---- deciding: the first that has something to do, does it

static bool do_orders(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    struct txq_change c = { .kind = TXQ_SAVE_HEAD, .head = head_today(m, now_ms) };
    if (m->want_halt) {
        c.head.halted = true;
        memcpy(c.head.why, m->halt_why, sizeof c.head.why);
    } else if (m->want_start) {
        c.head.known = true;
        c.head.next_nonce = c.head.final_nonce = m->proof_count;
        c.head.final_block = m->proof_block;
        m->want_start = false;
    } else if (m->want_pause || m->want_resume) {
        c.head.paused = m->want_pause;
        m->want_pause = m->want_resume = false;
    } else return false;
    save(m, &c, out);
    return true;
}

static bool do_end(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    struct txq_slot *s = m->slots;
    bool lost = m->want_forgive && m->slot_count && s->foreign;
    if (!m->slot_count || (!s->proven && !lost)) return false;
    const struct txq_payment *p = payment_of(m, s->payment);
    struct txq_change c = { .kind = TXQ_SAVE_END, .head = head_today(m, now_ms), .payment = s->payment, .nonce = s->nonce };
    c.head.final_nonce = s->nonce + 1;
    if (m->proof_block > c.head.final_block) c.head.final_block = m->proof_block;
    if (s->proven) {
        const struct txq_attempt *a = &s->at[s->proven_at];
        memcpy(c.hash, a->hash, 32);
        c.block = s->proven_block;
        if (a->pays) c.end = s->proven_success ? TXQ_PAID : TXQ_REVERTED;
        else c.end = p && p->cancel == TXQ_CANCEL ? TXQ_CANCELLED : TXQ_NOT_ENDED;
        struct u256 cost = plus(s->proven_cost, a->pays && s->proven_success ? a->value : u256_of(0));
        if (day_of(newest(s)->saved_ms) == c.head.spend_day && day_of(s->at[0].saved_ms) == c.head.spend_day)        // what it might have cost, less what it did
            c.head.spend = minus(c.head.spend, minus(reserved(s), cost));
    } else c.end = p ? TXQ_LOST : TXQ_NOT_ENDED;
    save(m, &c, out);
    return true;
}

// Nonces were used that were never given, as far as this data knows. If it is an old copy, newer data gave them, perhaps to what waits here.
static bool uses_unknown_nonces(const struct txq_machine *m)
{
    return m->proof_count > m->head.next_nonce || (m->sighted && (m->count > m->head.next_nonce || m->count_pending > m->head.next_nonce));
}

static bool lose_queued(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    for (int i = 0; i < m->payment_count; i++) {
        if (m->payments[i].has_nonce) continue;
        struct txq_change c = { .kind = TXQ_SAVE_DROP, .head = head_today(m, now_ms), .payment = m->payments[i].id, .end = TXQ_LOST };
        save(m, &c, out);
        return true;
    }
    return false;
}

// Halted, and the operator knows why: nonces that others used are over.
static bool do_forgive(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    if (!m->want_forgive) return false;
    if (!m->head.halted) {
        m->want_forgive = false;
        return false;
    }
    if (!m->proved || (m->slot_count && m->slots[0].nonce < m->proof_count)) return false;     // a proof comes first
    if (uses_unknown_nonces(m) && lose_queued(m, now_ms, out)) return true;
    struct txq_change c = { .kind = TXQ_SAVE_HEAD, .head = head_today(m, now_ms) };
    c.head.halted = false;
    c.head.why[0] = 0;
    if (m->proof_count > c.head.final_nonce) c.head.final_nonce = m->proof_count;
    if (m->proof_block > c.head.final_block) c.head.final_block = m->proof_block;
    if (c.head.final_nonce > c.head.next_nonce) c.head.next_nonce = c.head.final_nonce;
    if (m->sighted && m->count > c.head.next_nonce && m->count - m->proof_count <= TXQ_OPEN_MAX) c.head.next_nonce = m->count;      // one node's word: bounded
    m->want_forgive = false;
    save(m, &c, out);
    return true;
}

static bool do_drop(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    for (int i = 0; i < m->payment_count; i++) {
        if (m->payments[i].has_nonce || m->payments[i].cancel != TXQ_CANCEL) continue;
        struct txq_change c = { .kind = TXQ_SAVE_DROP, .head = head_today(m, now_ms), .payment = m->payments[i].id, .end = TXQ_CANCELLED };
        save(m, &c, out);
        return true;
    }
    return false;
}

// A nonce that was given to nobody and that the chain waits for: after others used the key and a reorg undid it.
static bool do_filler(struct txq_machine *m, struct txq_actions *out)
{
    uint64_t nonce = m->head.final_nonce > m->count ? m->head.final_nonce : m->count;
    struct fees fees;
    while (nonce < m->head.next_nonce && slot_of(m, nonce)) nonce++;
    if (nonce >= m->head.next_nonce || m->slot_count >= TXQ_OPEN_MAX + 2) return false;
    if (!fees_first(&m->rules.fees, &m->fees, &fees)) {
        m->wait = TXQ_WAIT_FEE_CAP;
        return true;
    }
    sign(m, 0, nonce, false, m->fees.legacy || m->rules.legacy_only, fees, NOOP_GAS, out);
    return true;
}

static bool raise_slot(struct txq_machine *m, struct txq_slot *s, bool pays, int64_t now_ms, struct txq_actions *out)
{
    const struct txq_attempt *a = newest(s);
    struct fees fees;
    uint64_t gas = pays ? a->gas : NOOP_GAS;
    if (s->count >= (pays ? TXQ_ATTEMPTS_MAX - TXQ_ATTEMPTS_CANCEL : TXQ_ATTEMPTS_MAX)) {
        m->wait = TXQ_WAIT_ATTEMPTS;
        return false;
    }
    if (!fees_raise(&m->rules.fees, &m->fees, a->legacy, &a->fees, pays ? 100 : CANCEL_CAPS_PERCENT, &fees)) {
        m->wait = TXQ_WAIT_FEE_CAP;
        return false;
    }
    if (pays && !day_allows(m, minus(worst_of(gas, fees.max_fee, a->value), reserved(s)), now_ms)) {
        m->wait = TXQ_WAIT_DAY_CAP;
        return false;
    }
    sign(m, s->payment, s->nonce, pays, a->legacy, fees, gas, out);
    return true;
}

static bool do_cancel(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    for (int i = 0; i < m->slot_count; i++) {
        struct txq_slot *s = &m->slots[i];
        const struct txq_payment *p = payment_of(m, s->payment);
        if (!p || p->cancel == TXQ_KEEP || s->proven || mined_of(s) || !newest(s)->pays) continue;
        if (raise_slot(m, s, false, now_ms, out)) return true;
    }
    return false;
}

static bool is_about_price(enum rpc_fault f) { return f == RPC_UNDERPRICED || f == RPC_REPLACEMENT_UNDERPRICED || f == RPC_FEE_UNDER_BASE || f == RPC_TIP_OVER_FEE; }

// The lowest that is not mined holds up all behind it.
static bool do_raise(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    struct txq_slot *s = m->slots;
    struct fees want;
    while (s < m->slots + m->slot_count && (s->proven || mined_of(s))) s++;
    if (s == m->slots + m->slot_count) return false;
    const struct txq_attempt *a = newest(s);
    bool priced_out = is_about_price(a->refused);
    int64_t wait_ms = priced_out ? m->rules.retry_ms << (s->count < 8 ? s->count : 8) : m->rules.raise_ms;      // soon, but not all attempts at once
    if (wait_ms > m->rules.raise_ms) wait_ms = m->rules.raise_ms;
    if (a->sent_ms == 0 || (a->refused != RPC_FINE && !priced_out) || !m->fees.known) return false;
    if (!priced_out && fees_first(&m->rules.fees, &m->fees, &want) && u256_compare(want.max_fee, a->fees.max_fee) <= 0 && u256_compare(want.tip, a->fees.tip) <= 0) wait_ms *= PATIENCE;
    if (!reached(a->saved_ms + wait_ms, now_ms, wait_ms)) return false;
    return raise_slot(m, s, a->pays, now_ms, out);
}

static void do_new(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    struct txq_payment *p = NULL;
    bool reverting = false;
    struct fees fees;
    for (int i = 0; i < m->payment_count && !p; i++) {
        if (m->payments[i].has_nonce) continue;
        if (reached(m->payments[i].check_at_ms, now_ms, TXQ_CHECK_MS_MAX)) p = &m->payments[i];
        else reverting = true;
    }
    if (!p) {
        if (reverting && m->wait == TXQ_WAIT_NOTHING) m->wait = TXQ_WAIT_REVERTS;
        return;
    }
    enum txq_wait wait = m->head.paused ? TXQ_WAIT_PAUSED : m->slot_count >= TXQ_OPEN_MAX ? TXQ_WAIT_ROOM : new_waits(m, p, &fees, now_ms);
    if (wait != TXQ_WAIT_NOTHING) {
        m->wait = wait;
        return;
    }
    struct txq_action *a = act(out, TXQ_DO_CHECK);
    a->payment = p->id;
    m->step = TXQ_CHECKING;
    m->under_way = *a;
}

static void decide(struct txq_machine *m, int64_t now_ms, struct txq_actions *out)
{
    if (m->step == TXQ_UNLOADED) return;
    if (!m->looking && reached(m->look_at_ms, now_ms, m->rules.look_ms)) {
        m->looking = true;
        act(out, TXQ_DO_LOOK);
    }
    if (m->want_proof && !m->proving) {
        m->proving = true;
        m->want_proof = false;
        act(out, TXQ_DO_PROVE);
    }
    send_due(m, now_ms, out);
    if (m->step != TXQ_IDLE) return;
    m->wait = TXQ_WAIT_NOTHING;
    if (do_orders(m, now_ms, out) || do_end(m, now_ms, out) || do_forgive(m, now_ms, out) || do_drop(m, now_ms, out)) return;
    m->wait = halted(m) ? TXQ_WAIT_HALTED : !m->sighted ? TXQ_WAIT_SIGHT : !m->head.known ? TXQ_WAIT_START : m->suspect ? TXQ_WAIT_SUSPECT : TXQ_WAIT_NOTHING;
    if (m->wait != TXQ_WAIT_NOTHING) return;
    if (!reached(m->sign_at_ms, now_ms, m->rules.retry_ms)) {
        m->wait = TXQ_WAIT_SIGNER;
        return;
    }
    if (do_filler(m, out) || do_cancel(m, now_ms, out)) return;
    if (!m->head.paused && do_raise(m, now_ms, out)) return;
    do_new(m, now_ms, out);
}

void txq_machine_step(struct txq_machine *m, const struct txq_event *e, struct txq_actions *out)
{
    out->count = 0;
    if (m->step == TXQ_UNLOADED) return;
    switch (e->kind) {
    case TXQ_TICK: break;
    case TXQ_LOOKED: on_looked(m, e, out); break;
    case TXQ_PROVED: on_proved(m, e); break;
    case TXQ_CHECKED: on_checked(m, e, out); break;
    case TXQ_SIGNED: on_signed(m, e, out); break;
    case TXQ_SAVED: on_saved(m, e, out); break;
    case TXQ_SENT: on_sent(m, e, out); break;
    case TXQ_ORDERED:
        if (e->order == TXQ_FORGIVE) m->want_forgive = m->head.halted;
        else m->want_pause = !(m->want_resume = e->order == TXQ_RESUME);
        break;
    }
    decide(m, e->now_ms, out);
    if (m->wait == m->told || m->step == TXQ_UNLOADED) return;
    m->told = m->wait;
    struct txq_action *t = tell(out, TXQ_NEWS_WAIT);
    if (t) t->wait = m->wait;
}
