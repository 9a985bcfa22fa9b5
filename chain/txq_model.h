// txq_model.h — for tests: a chain, its nodes, a store and a driver in memory, with every fault by chance, around chain/txq_machine.
//
// One canonical chain; nodes that lag behind it and each have a pool; one of three may lie about anything but the proofs, which a quorum gives. Whatever was
// ever sent may be mined whenever its nonce is next, whatever a pool said since. Reorgs never reach final blocks. A crash forgets the machine and all
// that was under way, before or after any action took effect.
#pragma once
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/check.h"
#include "chain/txq_machine.h"

#define GWEI 1000000000ULL
#define FINAL_DEPTH 6
#define NODES 3
#define BLOCKS_MAX 20000
#define BLOCK_TXS 4
#define TXS_MAX 20000
#define PAYMENTS 200

struct model_tx { uint8_t hash[32]; uint64_t nonce, gas; int64_t payment; bool pays, foreign, stored, sent; struct fees fees; uint32_t pools; };
struct model_block { uint32_t id; int txs[BLOCK_TXS], count; };
struct model_payment { struct txq_payment facts; bool reverts_now, reverts_mined; enum txq_end end; bool ended; int stored_nonces; };
struct model_pending { struct txq_action action; int due; struct txq_change change; };

struct model {
    // the chain
    struct model_block blocks[BLOCKS_MAX];
    int height, final_height;              // blocks 1..height
    uint32_t block_ids;
    struct model_tx txs[TXS_MAX];
    int tx_count;
    uint64_t base, least;                  // least: what nodes want, whatever blocks take
    bool lying, mining, censor_low, still;             // still: no blocks at all
    int lag[NODES];
    // the store
    struct txq_head head;
    struct model_payment payments[PAYMENTS + 1];       // by id
    int payment_count;
    struct { uint64_t nonce; int64_t payment; int tx; struct txq_attempt attempt; } attempts[TXS_MAX];
    int attempt_count;
    uint64_t ended_below;
    // the driver
    struct txq_machine machine;
    struct txq_actions out;
    struct model_pending pending[256];
    int pending_count;
    int64_t now;
    uint64_t random;
    // faults, per thousand
    int p_crash, p_save_fails, p_send_lost, p_sign_fails, p_look_fails, p_old_mined, p_drop, p_reorg, p_node_silent;
    int boundary, crash_at, crash_at_2;    // counted; 0: never
    bool forgive;
    int crashes, loads, told[TXQ_NEWS_ENDED + 1];
    enum txq_wait waits_seen[TXQ_WAITS];
    bool deterministic;
};

static struct model w;                     // the world

static uint64_t model_random(void)
{
    w.random ^= w.random << 13;
    w.random ^= w.random >> 7;
    w.random ^= w.random << 17;
    return w.random;
}
static int below(int n) { return (int)(model_random() % (uint64_t)n); }
static bool chance(int permille) { return permille > 0 && below(1000) < permille; }

static const struct txq_rules model_rules = {
    .fees = { .max_fee_cap = { { 200 * GWEI } }, .tip_cap = { { 20 * GWEI } }, .tip_least = { { 1000000 } } },
    .day_most = { { 0, 1 } }, .look_ms = 1000, .resend_ms = 5000, .raise_ms = 8000, .retry_ms = 500,
};

// ---- the chain

static uint64_t count_at(int height)
{
    uint64_t n = 0;
    for (int h = 1; h <= height; h++) n += (uint64_t)w.blocks[h].count;
    return n;
}
static int where_mined(int tx, int height)             // block, 0: nowhere
{
    for (int h = height; h >= 1; h--)
        for (int i = 0; i < w.blocks[h].count; i++)
            if (w.blocks[h].txs[i] == tx) return h;
    return 0;
}
static int tx_of(const uint8_t hash[32])
{
    for (int i = w.tx_count - 1; i >= 0; i--)
        if (memcmp(w.txs[i].hash, hash, 32) == 0) return i;
    return -1;
}
static bool tx_success(int tx) { return !w.txs[tx].pays || !w.payments[w.txs[tx].payment].reverts_mined; }

static void chain_check(void)              // no payment is paid twice on any chain that ever was the longest
{
    static int paid[PAYMENTS + 1];
    memset(paid, 0, sizeof paid);
    for (int h = 1; h <= w.height; h++)
        for (int i = 0; i < w.blocks[h].count; i++) {
            int tx = w.blocks[h].txs[i];
            if (w.txs[tx].pays && !w.txs[tx].foreign && tx_success(tx)) CHECK(++paid[w.txs[tx].payment] == 1);
        }
}

static void chain_mine(void)
{
    if (w.still || w.height >= BLOCKS_MAX - 2) return;
    struct model_block *b = &w.blocks[++w.height];
    uint64_t nonce = count_at(w.height - 1);
    *b = (struct model_block){ .id = ++w.block_ids };
    int room = w.mining ? below(BLOCK_TXS + 1) : 0;
    while (b->count < room) {
        int best = -1;
        bool any = chance(w.p_old_mined);
        for (int i = 0; i < w.tx_count; i++) {
            const struct model_tx *t = &w.txs[i];
            if (!t->sent || t->nonce != nonce || t->fees.max_fee.limb[0] < w.base) continue;
            if (!any && !t->pools) continue;
            if (best < 0 || (any ? chance(500) : u256_compare(t->fees.tip, w.txs[best].fees.tip) > 0)) best = i;
        }
        if (best < 0) break;
        b->txs[b->count++] = best;
        for (int i = 0; i < w.tx_count; i++)
            if (w.txs[i].nonce <= nonce) w.txs[i].pools = 0;
        nonce++;
    }
    if (w.height - FINAL_DEPTH > w.final_height) w.final_height = w.height - FINAL_DEPTH;
    chain_check();
}

static void chain_reorg(int depth, bool pools_back)
{
    while (depth-- > 0 && w.height > w.final_height && w.height > 1) {
        const struct model_block *b = &w.blocks[w.height--];
        for (int i = 0; i < b->count; i++)
            if (pools_back) w.txs[b->txs[i]].pools = 7;
    }
}

static void chain_foreign(uint64_t fee)    // somebody else has the key
{
    struct model_tx *t = &w.txs[w.tx_count];
    *t = (struct model_tx){ .foreign = true, .sent = true, .nonce = count_at(w.height), .pools = 7, .fees = { u256_of(fee), u256_of(fee / 2) } };
    memset(t->hash, 0xee, 32);
    memcpy(t->hash, &w.tx_count, sizeof w.tx_count);
    w.tx_count++;
}

// ---- the store

static void store_apply(const struct txq_change *c)
{
    w.head = c->head;
    struct model_payment *p = c->payment ? &w.payments[c->payment] : NULL;
    if (c->kind == TXQ_SAVE_ATTEMPT) {
        int tx = tx_of(c->attempt.hash);
        CHECK(tx >= 0 && w.txs[tx].nonce == c->nonce && w.txs[tx].pays == c->attempt.pays && !w.txs[tx].sent && c->nonce >= w.ended_below && c->nonce < w.head.next_nonce);
        w.txs[tx].stored = true;
        for (int i = 0; i < w.attempt_count; i++)
            if (w.attempts[i].nonce == c->nonce) CHECK(w.attempts[i].payment == c->payment);       // one payment for a nonce ...
        if (p) {
            CHECK(!p->ended && (!p->facts.has_nonce || p->facts.nonce == c->nonce));               // ... and one nonce for a payment
            if (!p->facts.has_nonce) p->stored_nonces++;
            p->facts.has_nonce = true;
            p->facts.nonce = c->nonce;
        }
        w.attempts[w.attempt_count].nonce = c->nonce;
        w.attempts[w.attempt_count].payment = c->payment;
        w.attempts[w.attempt_count].tx = tx;
        w.attempts[w.attempt_count++].attempt = c->attempt;
    } else if (c->kind == TXQ_SAVE_END) {
        CHECK(c->nonce == w.ended_below || w.forgive);
        w.ended_below = c->nonce + 1;
        int tx = tx_of(c->hash), block = tx >= 0 ? where_mined(tx, w.final_height) : 0;
        if (c->end != TXQ_LOST && (c->payment || tx >= 0)) CHECK(tx >= 0 && block > 0);            // only what is final ends anything
        if (p) {
            CHECK(!p->ended && p->facts.has_nonce && p->facts.nonce == c->nonce);
            if (c->end == TXQ_NOT_ENDED) {
                CHECK(!w.txs[tx].pays);
                p->facts.has_nonce = false;
                p->facts.cancel = TXQ_KEEP;
            } else {
                p->ended = true;
                p->end = c->end;
                if (c->end == TXQ_PAID) CHECK(w.txs[tx].pays && w.txs[tx].payment == c->payment && tx_success(tx));
                if (c->end == TXQ_REVERTED) CHECK(w.txs[tx].pays && !tx_success(tx));
                if (c->end == TXQ_CANCELLED) CHECK(!w.txs[tx].pays);
            }
        }
    } else if (c->kind == TXQ_SAVE_DROP) {
        CHECK(p && !p->facts.has_nonce && !p->ended);
        CHECK(c->end == TXQ_CANCELLED ? p->facts.cancel == TXQ_CANCEL : c->end == TXQ_LOST && w.forgive);
        p->ended = true;
        p->end = c->end;
    } else if (w.head.known && w.ended_below < w.head.final_nonce) w.ended_below = w.head.final_nonce;
}

static void model_load(void)
{
    w.pending_count = 0;
    w.loads++;
    txq_machine_begin(&w.machine, &model_rules, &w.head);
    for (int id = 1; id <= w.payment_count; id++)
        if (!w.payments[id].ended) CHECK(txq_machine_load_payment(&w.machine, &w.payments[id].facts));
    for (int i = 0; i < w.attempt_count; i++)
        if (w.attempts[i].nonce >= w.ended_below) CHECK(txq_machine_load_attempt(&w.machine, w.attempts[i].nonce, w.attempts[i].payment, &w.attempts[i].attempt));
}

static int64_t model_put(uint64_t gas)
{
    int64_t id = ++w.payment_count;
    assert(id <= PAYMENTS);
    w.payments[id] = (struct model_payment){ .facts = { .id = id, .gas = gas } };
    if (w.machine.step != TXQ_UNLOADED) CHECK(txq_machine_load_payment(&w.machine, &w.payments[id].facts));
    return id;
}
static void model_cancel(int64_t id, enum txq_cancel how)
{
    if (w.payments[id].ended) return;
    w.payments[id].facts.cancel = how;
    if (w.machine.step != TXQ_UNLOADED) CHECK(txq_machine_load_payment(&w.machine, &w.payments[id].facts));
}

// ---- the driver

static bool crash_here(void)               // a boundary between two effects
{
    w.boundary++;
    if (w.boundary != w.crash_at && w.boundary != w.crash_at_2 && !chance(w.p_crash)) return false;
    w.crashes++;
    return true;
}

static void seen_fill(struct txq_seen *s, const uint8_t hash[32], int height)
{
    int tx = tx_of(hash), block = where_mined(tx, height);
    memset(s, 0, sizeof *s);
    memcpy(s->hash, hash, 32);
    if (!block) return;
    s->found = true;
    s->success = tx_success(tx);
    s->block = (uint64_t)block;
    memcpy(s->block_hash, &w.blocks[block].id, sizeof w.blocks[block].id);
    s->cost = u256_of(w.txs[tx].gas * (w.base < w.txs[tx].fees.max_fee.limb[0] ? w.base : w.txs[tx].fees.max_fee.limb[0]));
}

static void fill_sight(struct txq_sight *s, uint8_t hashes[][32], int count)
{
    int node = w.deterministic ? 0 : below(NODES), height = w.height - w.lag[node];
    if (height < 0) height = 0;
    memset(s, 0, sizeof *s);
    s->block = (uint64_t)height;
    s->count = s->count_pending = count_at(height);
    for (int moved = 1; moved; ) {
        moved = 0;
        for (int i = 0; i < w.tx_count; i++)
            if ((w.txs[i].pools >> node & 1) && w.txs[i].nonce == s->count_pending) s->count_pending++, moved = 1;
    }
    s->balance = (struct u256){ { 0, 1 } };
    s->fees = (struct fees_seen){ .known = true, .base = u256_of(w.base), .tip = u256_of(GWEI) };
    for (int i = 0; i < count; i++) seen_fill(&s->at[i], hashes[i], height);
    s->seen = count;
    if (!w.lying || node != 0) return;
    s->count = chance(500) ? (uint64_t)below(30) : s->count;       // it makes things up
    s->count_pending = (uint64_t)below(40);
    s->fees.base = u256_of((uint64_t)below(1000) * GWEI / 3);
    s->fees.tip = u256_of((uint64_t)below(100) * GWEI);
    s->balance = u256_of((uint64_t)below(1000));
    s->fees.legacy = chance(50);
    s->fees.gas_price = s->fees.base;
    for (int i = 0; i < count; i++) s->at[i].found = chance(500), s->at[i].success = chance(500), s->at[i].block = (uint64_t)below(w.height + 9);
}

static void fill_proof(struct txq_proof *p)
{
    uint8_t hashes[TXQ_HASHES_MAX][32];
    memset(p, 0, sizeof *p);
    int final = w.final_height > 0 ? w.final_height - (w.deterministic ? 0 : below(2)) : 0;
    p->block = (uint64_t)final;
    p->count = count_at(final);
    p->seen = txq_machine_hashes(&w.machine, p->count, hashes);
    for (int i = 0; i < p->seen; i++) seen_fill(&p->at[i], hashes[i], w.height);
}

static enum rpc_fault node_takes(int tx, bool *ok)
{
    int node = w.deterministic ? 0 : below(NODES);
    struct model_tx *t = &w.txs[tx];
    *ok = false;
    if (w.lying && node == 0) {
        *ok = chance(500);
        return *ok ? RPC_FINE : (enum rpc_fault)below(RPC_FAULTS);
    }
    if (where_mined(tx, w.height)) return chance(500) ? RPC_ALREADY_KNOWN : RPC_NONCE_TOO_LOW;
    if (t->nonce < count_at(w.height)) return RPC_NONCE_TOO_LOW;
    if (t->pools >> node & 1) return RPC_ALREADY_KNOWN;
    if (w.censor_low && t->fees.max_fee.limb[0] < w.base) return RPC_FEE_UNDER_BASE;
    if (t->fees.max_fee.limb[0] < w.least) return RPC_UNDERPRICED;
    for (int i = 0; i < w.tx_count; i++) {
        struct model_tx *o = &w.txs[i];
        if (i == tx || o->nonce != t->nonce || !(o->pools >> node & 1)) continue;
        if (t->fees.max_fee.limb[0] * 100 < o->fees.max_fee.limb[0] * 110 || t->fees.tip.limb[0] * 100 < o->fees.tip.limb[0] * 110) return RPC_REPLACEMENT_UNDERPRICED;
        o->pools &= ~(1u << node);
    }
    t->pools |= 1u << node;
    if (!w.deterministic && chance(700)) t->pools = 7;
    *ok = true;
    return RPC_FINE;
}

static void model_do(const struct txq_actions *acts);
static void model_event(struct txq_event e)
{
    static struct txq_actions acts;        // copied at once
    e.now_ms = w.now;
    txq_machine_step(&w.machine, &e, &acts);
    w.out = acts;
    w.waits_seen[w.machine.wait] = 1;
    model_do(&w.out);
}

static void model_do(const struct txq_actions *acts)
{
    bool load = false;
    for (int i = 0; i < acts->count; i++) {
        const struct txq_action *a = &acts->at[i];
        if (a->what == TXQ_DO_TELL) w.told[a->news]++;
        else if (a->what == TXQ_DO_LOAD) load = true;
        else {
            assert(w.pending_count < 256);
            w.pending[w.pending_count] = (struct model_pending){ .action = *a, .change = a->change, .due = w.deterministic ? 0 : below(4) };
            w.pending_count++;
        }
    }
    if (load) model_load();
}

// One pending action takes effect and ends, or a crash comes before or after its effect.
static void model_finish(int at)
{
    static struct txq_sight sight;
    static struct txq_proof proof;
    static uint8_t hashes[TXQ_HASHES_MAX][32];
    struct model_pending p = w.pending[at];
    w.pending[at] = w.pending[--w.pending_count];
    for (int i = at; w.deterministic && i < w.pending_count - 1; i++) {        // order stays
        struct model_pending swap = w.pending[i];
        w.pending[i] = w.pending[i + 1];
        w.pending[i + 1] = swap;
    }
    const struct txq_action *a = &p.action;
    struct txq_event e = { .ok = true };
    uint8_t hash[32] = { 0 };
    if (crash_here()) {
        model_load();
        return;
    }
    switch (a->what) {
    case TXQ_DO_LOOK: {
        int count = txq_machine_hashes(&w.machine, UINT64_MAX, hashes);
        e.kind = TXQ_LOOKED;
        e.ok = !chance(w.p_look_fails);
        if (e.ok) fill_sight(&sight, hashes, count);
        e.sight = &sight;
        break;
    }
    case TXQ_DO_PROVE:
        e.kind = TXQ_PROVED;
        e.ok = !chance(w.p_look_fails);
        if (e.ok) fill_proof(&proof);
        e.proof = &proof;
        break;
    case TXQ_DO_CHECK:
        e.kind = TXQ_CHECKED;
        e.ok = !chance(w.p_look_fails);
        e.reverts = w.payments[a->payment].reverts_now;
        e.gas = 50000;
        break;
    case TXQ_DO_SIGN: {
        e.kind = TXQ_SIGNED;
        e.ok = !chance(w.p_sign_fails);
        if (!e.ok) break;
        assert(w.tx_count < TXS_MAX);
        struct model_tx *t = &w.txs[w.tx_count];
        *t = (struct model_tx){ .nonce = a->nonce, .payment = a->payment, .pays = a->pays, .fees = a->fees, .gas = a->gas };
        memcpy(t->hash, &w.tx_count, sizeof w.tx_count);
        memset(t->hash + 8, 0x5a, 24);
        w.tx_count++;
        memcpy(hash, t->hash, 32);
        e.hash = hash;
        break;
    }
    case TXQ_DO_SAVE:
        e.kind = TXQ_SAVED;
        e.ok = !chance(w.p_save_fails);
        if (e.ok || chance(500)) store_apply(&p.change);       // a flush that failed may have kept the bytes
        break;
    case TXQ_DO_SEND: {
        int tx = tx_of(a->hash);
        e.kind = TXQ_SENT;
        e.hash = a->hash;
        CHECK(tx >= 0 && w.txs[tx].stored);                    // saved before it is sent
        w.txs[tx].sent = true;
        if (chance(w.p_send_lost)) e.ok = false;
        else {
            e.fault = node_takes(tx, &e.ok);
            if (chance(w.p_send_lost)) e.ok = false, e.fault = RPC_FINE;
        }
        break;
    }
    default: assert(0);
    }
    if (crash_here()) {
        model_load();
        return;
    }
    model_event(e);
}

static void model_run_pending(void)
{
    for (int i = 0; i < w.pending_count; ) {
        if (w.pending[i].due-- > 0) {
            i++;
            continue;
        }
        model_finish(i);
        if (w.deterministic) i = 0;
    }
}

static void model_turn(void)               // half a second
{
    w.now += 500;
    if (!w.deterministic && chance(2)) w.now += below(2) ? 7200000 : -7200000;         // the clock jumps
    if (chance(w.p_drop)) for (int i = 0; i < w.tx_count; i++) w.txs[i].pools &= (uint32_t)below(8);
    if (chance(w.p_reorg)) chain_reorg(1 + below(FINAL_DEPTH - 1), chance(500));
    if (w.deterministic ? w.now % 2000 == 0 : chance(250)) chain_mine();
    if (!w.deterministic && chance(30)) w.base = w.base * (uint64_t)(60 + below(100)) / 100 % (400 * GWEI) + GWEI / 10;
    if (!w.deterministic) w.lag[below(NODES)] = below(3);
    model_event((struct txq_event){ .kind = TXQ_TICK });
    for (int i = 0; i < 6; i++) model_run_pending();
}

static void model_begin(uint64_t seed)
{
    memset(&w, 0, sizeof w);
    w.random = seed * 0x9e3779b97f4a7c15ULL + 1;
    w.now = 1800000000000LL;
    w.base = 10 * GWEI;
    w.mining = true;
    for (int i = 0; i < 10; i++) chain_mine();
    model_load();
}

static bool model_all_ended(void)
{
    for (int i = 1; i <= w.payment_count; i++)
        if (!w.payments[i].ended) return false;
    return w.machine.slot_count == 0;
}

// Faults end, and everything must end; then what is stored is what is on chain.
static int model_drain(int turns)
{
    int n = 0;
    w.p_crash = w.p_save_fails = w.p_send_lost = w.p_sign_fails = w.p_look_fails = w.p_drop = w.p_reorg = w.p_node_silent = 0;
    w.lying = false;
    w.mining = true;
    while (n < turns && !model_all_ended()) {
        if (w.base > 60 * GWEI) w.base = 20 * GWEI;
        model_turn();
        if (w.forgive && w.head.halted) model_event((struct txq_event){ .kind = TXQ_ORDERED, .order = TXQ_FORGIVE });
        n++;
    }
    for (int i = 1; i <= w.payment_count; i++) {
        int paid = 0;
        for (int h = 1; h <= w.height; h++)
            for (int k = 0; k < w.blocks[h].count; k++) {
                int tx = w.blocks[h].txs[k];
                paid += w.txs[tx].pays && !w.txs[tx].foreign && w.txs[tx].payment == i && tx_success(tx);
            }
        CHECK(w.payments[i].ended);
        CHECK_INT(paid, w.payments[i].end == TXQ_PAID);
    }
    return n;
}
