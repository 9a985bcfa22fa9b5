// deposit.c — the loop of deposits: final block, what is next (a job), ask the nodes, book it (a job), and again until nothing is next. One thing at a time.
//
// Functions stand in the order they run: final, verify, plan, check | logs | balances | sweep, book. What fails ends the round; the next begins with the final block.
#include "treasury/deposit_inside.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "chain/abi.h"
#include "chain/keccak.h"
#include "treasury/ask.h"

#define LOOK_MS 4000
#define FAILURE_MS_MIN 500                 // after a failure, doubled ...
#define FAILURE_MS_MAX 30000               // ... up to this
#define FAILURES_TOLD 5                    // one after the other, before it is logged
#define WIDEN_MS 60000                     // after nodes wanted less, before more is asked for again
#define PENDING_MS 3000
#define WANTED_MS (10 * 60 * 1000)
#define SWEEP_AGE_MS (24LL * 60 * 60 * 1000)

static int64_t now_of(const struct deposit *d) { return d->part->now_ms(d->part->arg); }

// What an ERC-1167 proxy of the factory's first contract is deployed from.
static void init_code_hash(const struct address *factory, uint8_t out[32])
{
    static const uint8_t head[] = { 0x3d, 0x60, 0x2d, 0x80, 0x60, 0x0a, 0x3d, 0x39, 0x81, 0xf3, 0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73 };
    static const uint8_t tail[] = { 0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3 };
    struct address implementation = address_of_create(factory, 1);
    struct keccak k;
    keccak_init(&k);
    keccak_add(&k, head, sizeof head);
    keccak_add(&k, implementation.bytes, ADDRESS_BYTES);
    keccak_add(&k, tail, sizeof tail);
    keccak_end(&k, out);
}

static enum fr_status sums_read(const struct fr_json *section, const char *key, const struct treasury_token *tokens, int token_count, int64_t ret[TREASURY_TOKENS_MAX], struct fr_err *err)
{
    const struct fr_json *sums = fr_json_get(section, key);
    char where[64];
    if (!sums) return FR_OK;
    if (fr_json_kind(sums) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "deposits.%s: expected an object of sums by asset", key);
    for (const struct fr_json *one = fr_json_child(sums); one; one = fr_json_next(one)) {
        int no = 0;
        while (no < token_count && strcmp(tokens[no].asset, fr_json_key(one)) != 0) no++;
        snprintf(where, sizeof where, "deposits.%s.%.20s", key, fr_json_key(one));
        if (no == token_count) return FR_FAIL(err, FR_E_INVALID, "%s: no token of that asset is configured", where);
        const char *text = fr_json_text(one);
        if (!text) return FR_FAIL(err, FR_E_INVALID, "%s: expected a decimal string", where);
        if (fr_units_parse_decimal(text, tokens[no].ledger_decimals, &ret[no], err) != FR_OK) return fr_err_note(err, "%s", where);
        if (ret[no] < 0 || ret[no] > UNITS_MAX) return FR_FAIL(err, FR_E_INVALID, "%s: 0, or more, up to what the ledger holds", where);
    }
    return FR_OK;
}

enum fr_status deposit_options_read(const struct fr_json *section, const struct treasury_token *tokens, int token_count, struct deposit_options *ret, struct fr_err *err)
{
    static const char *const keys[] = { "from_block", "sweep_hours", "sweep", "sweep_least", NULL };
    struct deposit_options o = *ret;
    int64_t start = 0, hours = 24;
    if (!section) return FR_OK;
    if (fr_json_kind(section) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "deposits: expected an object");
    FR_TRY(fr_json_only_keys(section, keys, "deposits", err));
    if (fr_json_opt_units(section, "from_block", 0, INT64_MAX / 2, 0, &start, err) != FR_OK || fr_json_opt_int(section, "sweep_hours", 1, 24 * 366, 24, &hours, err) != FR_OK) return fr_err_note(err, "deposits");
    FR_TRY(sums_read(section, "sweep", tokens, token_count, o.sweep_units, err));
    FR_TRY(sums_read(section, "sweep_least", tokens, token_count, o.sweep_least_units, err));
    o.from_block = (uint64_t)start;
    o.sweep_age_ms = hours * 3600000;
    *ret = o;
    return FR_OK;
}

enum fr_status deposit_new(const struct treasury_part *part, const struct deposit_options *o, struct deposit **ret, struct fr_err *err)
{
    if (part->token_count < 1 || part->token_count > TREASURY_TOKENS_MAX) return FR_FAIL(err, FR_E_INVALID, "%d tokens", part->token_count);
    if (address_is_zero(&o->factory)) {
        *ret = NULL;
        return FR_OK;
    }
    if (address_is_zero(&part->vault)) return FR_FAIL(err, FR_E_INVALID, "deposits need a vault");
    if (o->from_block > INT64_MAX / 2 || part->chain_id > INT64_MAX || o->look_ms < 0 || o->sweep_age_ms < 0) return FR_FAIL(err, FR_E_INVALID, "a block or a time of deposits makes no sense");
    FR_TRY(final_rules_check(&part->final, err));
    for (int i = 0; i < part->token_count; i++) {
        const struct treasury_token *t = &part->tokens[i];
        struct u256 most;
        if (address_is_zero(&t->at) || t->ledger_decimals < 1 || t->ledger_decimals > 9 || t->chain_decimals < t->ledger_decimals || t->chain_decimals > CHAIN_DECIMALS_MAX)
            return FR_FAIL(err, FR_E_INVALID, "token %s: its address or its decimals make no sense", t->asset);
        if (o->sweep_units[i] < 0 || o->sweep_least_units[i] < 0 || o->sweep_units[i] > UNITS_MAX || o->sweep_least_units[i] > UNITS_MAX) return FR_FAIL(err, FR_E_INVALID, "token %s: its sums for sweeps make no sense", t->asset);
        FR_TRY(u256_from_units(UNITS_MAX, t->ledger_decimals, t->chain_decimals, &most, err));
        for (int k = 0; k < i; k++)
            if (address_equal(&part->tokens[k].at, &t->at) || strcmp(part->tokens[k].asset, t->asset) == 0) return FR_FAIL(err, FR_E_INVALID, "token %s stands there twice", t->asset);
    }
    struct deposit *d = fr_must_alloc(sizeof *d);
    d->part = part;
    d->o = *o;
    if (!d->o.look_ms) d->o.look_ms = LOOK_MS;
    if (!d->o.sweep_age_ms) d->o.sweep_age_ms = SWEEP_AGE_MS;
    init_code_hash(&o->factory, d->init_code_hash);
    *ret = d;
    return FR_OK;
}

static void release(struct deposit *d)
{
    if (!d->freed || d->jobs) return;
    rpc_logs_free(&d->logs);
    fr_free(d);
}

void deposit_free(struct deposit *d)
{
    if (!d) return;
    d->freed = true;
    release(d);
}

// ---- ends of a round

static void rest(struct deposit *d, int64_t ms)
{
    rpc_logs_free(&d->logs);
    d->step = STEP_IDLE;
    d->next_ms = now_of(d) + ms;
}

static void fail(struct deposit *d, const char *what, const char *text)
{
    int shift = d->failures_in_row < 6 ? d->failures_in_row : 6;
    int64_t ms = (int64_t)FAILURE_MS_MIN << shift;
    d->failures_in_row++;
    d->facts.failures++;
    char told[sizeof d->facts.last_error];
    snprintf(told, sizeof told, "%s: %s", what, text);
    if (d->failures_in_row >= FAILURES_TOLD && strcmp(told, d->told) != 0) {           // at a start, and for moments, nodes are always missing
        fr_log(LOG_WARN, "deposit.failed", "text", told, NULL);
        snprintf(d->told, sizeof d->told, "%s", told);
    }
    snprintf(d->facts.last_error, sizeof d->facts.last_error, "%s", told);
    rest(d, ms < FAILURE_MS_MAX ? ms : FAILURE_MS_MAX);
}

// The store has it: d stays until it is back.
static void run(struct deposit *d, store_job_fn *job, store_done_fn *done)
{
    struct fr_err err;
    d->plan.now_ms = now_of(d);
    if (store_run(d->part->store, job, d, done, &err) == FR_OK) d->jobs++;
    else fail(d, "the store", err.text);
}

static bool came_back(struct deposit *d, enum fr_status st, const struct fr_err *err)
{
    d->jobs--;
    if (d->freed) {
        release(d);
        return false;
    }
    if (st != FR_OK) fail(d, "booking", err->text);
    return st == FR_OK;
}

// ---- the final block, and whether the factory is what we think

static void plan(struct deposit *d);
static void on_verified(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct deposit *d = arg;
    uint8_t treasury[32] = { 0 }, code[32] = { 0 }, vault[32] = { 0 };
    struct fr_err odd;
    (void)who;
    memcpy(vault + 12, d->part->vault.bytes, ADDRESS_BYTES);
    if (st == FR_OK && (a->at[0].fault || a->at[1].fault)) st = FR_FAIL(&odd, FR_E_BUSY, "%s", a->at[a->at[0].fault ? 0 : 1].text), err = &odd;
    if (st != FR_OK) {
        fail(d, "asking the factory", err->text);
        return;
    }
    bool same = rpc_need_word(a->at[0].result, "", treasury, &odd) == FR_OK && rpc_need_word(a->at[1].result, "", code, &odd) == FR_OK && memcmp(treasury, vault, 32) == 0 && memcmp(code, d->init_code_hash, 32) == 0;
    if (!same) {
        d->failures_in_row = 6;            // nothing that gets better by itself
        fail(d, "the factory", "it pays another vault, or makes other contracts: no address is given out and nothing is read");
        return;
    }
    __atomic_store_n(&d->ready, true, __ATOMIC_RELEASE);
    d->facts.ready = true;
    plan(d);
}

static void verify(struct deposit *d)
{
    struct ask ask;
    struct fr_err err;
    char factory[ADDRESS_TEXT_BYTES];
    uint8_t treasury[ABI_SELECTOR_BYTES], code[ABI_SELECTOR_BYTES];
    char hex[2][2 * ABI_SELECTOR_BYTES + 1];
    abi_selector("treasury()", treasury);
    abi_selector("initCodeHash()", code);
    ask_init(&ask);
    address_text(&d->o.factory, factory);
    ask_add(&ask, "eth_call", "[{\"to\":\"%s\",\"data\":\"0x%s\"},\"0x%llx\"]", factory, fr_hex(treasury, sizeof treasury, hex[0]), (unsigned long long)d->facts.final_block);
    ask_add(&ask, "eth_call", "[{\"to\":\"%s\",\"data\":\"0x%s\"},\"0x%llx\"]", factory, fr_hex(code, sizeof code, hex[1]), (unsigned long long)d->facts.final_block);
    d->step = STEP_VERIFY;
    if (ask_go(&ask, d->part->endpoints, RPC_WORD, d->part->final.quorum, on_verified, d, &err) != FR_OK) fail(d, "asking the factory", err.text);
    ask_free(&ask);
}

static void on_final(void *arg, enum fr_status st, uint64_t block, const struct fr_err *err)
{
    struct deposit *d = arg;
    if (st != FR_OK) {
        fail(d, "the final block", err->text);
        return;
    }
    if (block < d->facts.final_block && d->facts.final_block - block > ENDPOINT_LAG_BLOCKS_MAX) {
        fail(d, "the final block", "it is far before one that was final");
        return;
    }
    if (block > d->facts.final_block) d->facts.final_block = block;
    if (!d->ready) verify(d);
    else plan(d);
}

static void begin(struct deposit *d)
{
    struct fr_err err;
    d->step = STEP_FINAL;
    d->facts.rounds++;
    d->look = (struct final_look){ .endpoints = d->part->endpoints, .rules = d->part->final, .done = on_final, .arg = d };
    if (final_look_start(&d->look, &err) != FR_OK) fail(d, "the final block", err.text);
}

// ---- what is next

static uint64_t range_most(const struct deposit *d)
{
    struct endpoint_facts facts[ENDPOINTS_MAX];
    uint64_t most = DEPOSIT_BLOCKS_MAX;
    int count = endpoints_facts(d->part->endpoints, facts);
    for (int i = 0; i < count; i++)
        if (facts[i].state == ENDPOINT_GOOD && facts[i].probed && facts[i].logs_range > 0 && facts[i].logs_range < most) most = facts[i].logs_range;
    return most;
}

static void ask_check(struct deposit *d), ask_logs(struct deposit *d), ask_balances(struct deposit *d), try_sweep(struct deposit *d);
static void on_plan(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct deposit *d = arg;
    const struct deposit_plan *p = &d->plan;
    if (!came_back(d, st, err)) return;
    d->facts.read_block = p->read_block;
    d->facts.addresses = p->addresses;
    d->facts.held = p->held;
    d->facts.odd = p->odd;
    d->facts.refused = p->refused;
    d->facts.backlog = p->backlog;
    d->facts.sweeps_open = p->sweeps_open;
    d->step = STEP_ASK;
    if (p->read_block > d->facts.final_block + ENDPOINT_LAG_BLOCKS_MAX) {
        d->failures_in_row = 6;
        fail(d, "the final block", "more blocks were read than this chain has: another chain, or one that was made anew");
        return;
    }
    switch (p->work) {
    case WORK_NOTHING:
        d->failures_in_row = 0;
        d->facts.last_error[0] = d->told[0] = 0;
        if (p->may_look) d->looked_ms = now_of(d) + d->o.look_ms;
        rest(d, d->o.look_ms);
        break;
    case WORK_CHECK: ask_check(d); break;
    case WORK_OUT: case WORK_MAIN: case WORK_BACK: ask_logs(d); break;
    case WORK_BALANCES: ask_balances(d); break;
    case WORK_SWEEP: try_sweep(d); break;
    }
}

static void plan(struct deposit *d)
{
    int64_t now = now_of(d);
    uint64_t most = range_most(d);
    if (d->range < 1 || d->range > most) d->range = most;
    if (d->group < 1) d->group = DEPOSIT_GROUP_MAX;
    d->step = STEP_PLAN;
    d->plan.final = d->facts.final_block;
    d->plan.range = d->range;
    d->plan.group = d->group;
    d->plan.may_check = now >= d->check_ms;
    d->plan.may_look = now >= d->looked_ms;
    run(d, deposit_plan_job, on_plan);
}

static void on_booked(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct deposit *d = arg;
    if (came_back(d, st, err)) plan(d);
}

// ---- new addresses: did anything ever lie there?

static void on_nonces(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct deposit *d = arg;
    (void)who;
    if (st != FR_OK) {
        d->check_ms = now_of(d) + DEPOSIT_RETRY_MS;
        fail(d, "looking at new addresses", err->text);
        return;
    }
    for (int i = 0; i < d->plan.count; i++) {
        struct fr_err odd;
        uint64_t nonce = 1;
        if (a->at[i].fault || rpc_need_u64(a->at[i].result, "", &nonce, &odd) != FR_OK || nonce != 0) d->said.clean[i] = false;      // a contract begins with 1
    }
    d->step = STEP_BOOK;
    run(d, deposit_checked_job, on_booked);
}

static void on_lying(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    static const uint8_t zero[32];
    struct deposit *d = arg;
    struct ask ask;
    struct fr_err why;
    char text[ADDRESS_TEXT_BYTES];
    (void)who;
    if (st != FR_OK) {
        d->check_ms = now_of(d) + DEPOSIT_RETRY_MS;
        fail(d, "looking at new addresses", err->text);
        return;
    }
    ask_init(&ask);
    for (int i = 0, tokens = d->part->token_count; i < d->plan.count; i++) {
        d->said.clean[i] = true;
        for (int t = 0; t < tokens; t++) {
            uint8_t word[32];
            const struct rpc_answer *one = &a->at[i * tokens + t];
            if (one->fault || rpc_need_word(one->result, "", word, &why) != FR_OK || memcmp(word, zero, 32) != 0) d->said.clean[i] = false;
        }
        ask_add(&ask, "eth_getTransactionCount", "[\"%s\",\"0x%llx\"]", address_text(&d->plan.at[i].at, text), (unsigned long long)d->plan.final);
    }
    if (ask_go(&ask, d->part->endpoints, RPC_QUANTITY, d->part->final.quorum, on_nonces, d, &why) != FR_OK) fail(d, "looking at new addresses", why.text);
    ask_free(&ask);
}

static void ask_check(struct deposit *d)
{
    struct ask ask;
    struct fr_err err;
    ask_init(&ask);
    for (int i = 0; i < d->plan.count; i++)
        for (int t = 0; t < d->part->token_count; t++) ask_add_balance(&ask, &d->part->tokens[t].at, &d->plan.at[i].at, d->plan.final);
    if (ask_go(&ask, d->part->endpoints, RPC_WORD, d->part->final.quorum, on_lying, d, &err) != FR_OK) fail(d, "looking at new addresses", err.text);
    ask_free(&ask);
}

// ---- logs

static void on_taken(void *arg, enum fr_status st, const struct fr_err *err);
static void take(struct deposit *d, int first)
{
    int left = d->logs.count - first;
    d->take.plan = &d->plan;
    d->take.logs = &d->logs;
    d->take.first = first;
    d->take.count = left < DEPOSIT_TAKE_MAX ? left : DEPOSIT_TAKE_MAX;
    d->take.last = d->take.count == left;
    d->step = STEP_BOOK;
    run(d, deposit_take_job, on_taken);
}

static void on_taken(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct deposit *d = arg;
    const struct deposit_take *t = &d->take;
    if (!came_back(d, st, err)) return;
    d->facts.credited += t->credited_count;
    d->facts.dusty += t->dusty;
    d->facts.asked_twice += t->again;
    if (t->held || t->odd) fr_log(LOG_ERROR, "deposit.kept", "text", "a deposit could not be credited and is kept: `frond deposit list` shows whose", NULL);
    for (int i = 0; i < t->credited_count; i++)
        if (d->part->wallet) d->part->wallet(d->part->arg, t->credited[i].player, t->credited[i].asset);
    if (!t->last) {
        take(d, t->first + t->count);
        return;
    }
    rpc_logs_free(&d->logs);
    uint64_t most = range_most(d);
    d->narrow_failures = d->failures_in_row = 0;
    if (now_of(d) >= d->widen_ms) {
        d->range = d->range > most / 2 ? most : d->range * 2;
        d->group = d->group > DEPOSIT_GROUP_MAX / 2 ? DEPOSIT_GROUP_MAX : d->group * 2;
    }
    plan(d);
}

// Fewer blocks, then fewer addresses. What cannot be made less is read apart from the others: it holds up nobody.
static void narrow(struct deposit *d, const char *text)
{
    const struct deposit_plan *p = &d->plan;
    uint64_t blocks = p->to - p->from + 1;
    d->widen_ms = now_of(d) + WIDEN_MS;
    if (blocks > 1) d->range = blocks / 2;
    else if (p->count > 1) d->group = p->count / 2;
    else if (++d->narrow_failures >= DEPOSIT_FAILURES_NARROW || p->work == WORK_BACK) {
        d->narrow_failures = 0;
        fr_log(LOG_ERROR, "deposit.unread", "text", "a block's logs cannot be read and are tried again apart from the others", "why", text, NULL);
        d->step = STEP_BOOK;
        run(d, deposit_skip_job, on_booked);
        return;
    }
    fail(d, "reading logs", text);
}

static bool asked_for(const struct deposit *d, const uint8_t topic[32])
{
    static const uint8_t zero[12];
    if (memcmp(topic, zero, 12) != 0) return false;
    for (int i = 0; i < d->plan.count; i++)
        if (memcmp(topic + 12, d->plan.at[i].at.bytes, ADDRESS_BYTES) == 0) return true;
    return false;
}

// Does it answer the question? What does not is refused as a whole: nothing that such a node says of these blocks counts.
static bool logs_fit(const struct deposit *d, const struct rpc_logs *logs, char *why, size_t cap)
{
    const struct deposit_plan *p = &d->plan;
    for (int i = 0; i < logs->count; i++) {
        const struct rpc_log *l = &logs->at[i];
        bool pinned = false, fits;
        for (int t = 0; t < d->part->token_count; t++) pinned = pinned || address_equal(&d->part->tokens[t].at, &l->address);
        fits = pinned && l->block_number >= p->from && l->block_number <= p->to && l->log_index <= INT64_MAX && l->topic_count >= 2 && memcmp(l->topics[0], deposit_transfer_topic, 32) == 0;
        if (p->work == WORK_OUT) fits = fits && memcmp(l->topics[1] + 12, d->part->vault.bytes, ADDRESS_BYTES) == 0;
        else fits = fits && l->topic_count >= 3 && asked_for(d, l->topics[2]);
        if (fits) continue;
        snprintf(why, cap, "log %llu of block %llu is not what was asked for", (unsigned long long)l->log_index, (unsigned long long)l->block_number);
        return false;
    }
    return true;
}

// With one node its answer shows that it has the last block at all: a node that is behind says "none".
static enum fr_status has_block(const struct rpc_answer *a, uint64_t number, struct fr_err *err)
{
    struct rpc_block block;
    bool found = false;
    if (a->fault) return FR_FAIL(err, FR_E_BUSY, "%s: %s", rpc_fault_name(a->fault), a->text);
    FR_TRY(rpc_read_block(a->result, &block, &found, err));
    return found && block.number == number ? FR_OK : FR_FAIL(err, FR_E_BUSY, "a node that does not have block %llu", (unsigned long long)number);
}

static void on_logs(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct deposit *d = arg;
    struct fr_err odd;
    char why[120];
    (void)who;
    if (st != FR_OK) {
        narrow(d, err->text);
        return;
    }
    const struct rpc_answer *logs = &a->at[a->count - 1];
    if (a->count == 2 && (has_block(&a->at[0], d->plan.to, &odd) != FR_OK)) fail(d, "reading logs", odd.text);
    else if (logs->fault) narrow(d, logs->text[0] ? logs->text : rpc_fault_name(logs->fault));
    else if (rpc_read_logs(logs->result, &d->logs, &odd) != FR_OK) narrow(d, odd.text);
    else if (!logs_fit(d, &d->logs, why, sizeof why)) fail(d, "reading logs", why);
    else take(d, 0);
}

static void add_topic(struct fr_buf *out, const struct address *a)
{
    char hex[2 * ADDRESS_BYTES + 1];
    fr_buf_addf(out, "\"0x%024d%s\"", 0, fr_hex(a->bytes, ADDRESS_BYTES, hex));
}

// The filter: pinned tokens, Transfer, and either the vault as sender or so many receivers.
static void add_filter(const struct deposit *d, struct fr_buf *out, uint64_t from, const char *to, const struct address *sender, const struct address *receivers, size_t stride, int count)
{
    char text[ADDRESS_TEXT_BYTES], hex[65];
    fr_buf_addf(out, "[{\"fromBlock\":\"0x%llx\",\"toBlock\":\"%s\",\"address\":[", (unsigned long long)from, to);
    for (int t = 0; t < d->part->token_count; t++) fr_buf_addf(out, "%s\"%s\"", t ? "," : "", address_text(&d->part->tokens[t].at, text));
    fr_buf_addf(out, "],\"topics\":[\"0x%s\",", fr_hex(deposit_transfer_topic, 32, hex));
    if (sender) add_topic(out, sender);
    else {
        fr_buf_add(out, "null,[");
        for (int i = 0; i < count; i++) {
            if (i) fr_buf_add(out, ",");
            add_topic(out, (const struct address *)((const char *)receivers + (size_t)i * stride));
        }
        fr_buf_add(out, "]");
    }
    fr_buf_add(out, "]}]");
}

static void ask_logs(struct deposit *d)
{
    const struct deposit_plan *p = &d->plan;
    FR_AUTO_BUF(filter);
    struct fr_err err;
    char to[24], block[40];
    fr_buf_init(&filter, RPC_PARAMS_BYTES_MAX);
    snprintf(to, sizeof to, "0x%llx", (unsigned long long)p->to);
    snprintf(block, sizeof block, "[\"%s\",false]", to);
    add_filter(d, &filter, p->from, to, p->work == WORK_OUT ? &d->part->vault : NULL, &p->at[0].at, sizeof p->at[0], p->count);
    if (fr_buf_check(&filter, "a filter", &err) != FR_OK) {
        fail(d, "reading logs", err.text);
        return;
    }
    struct rpc_call calls[] = { { "eth_getBlockByNumber", block }, { "eth_getLogs", filter.data } };
    bool one = d->part->final.quorum <= 1;
    struct endpoints_ask ask = { .calls = one ? calls : calls + 1, .count = one ? 2 : 1, .kind = one ? RPC_ANY : RPC_LOGS, .quorum = d->part->final.quorum, .done = on_logs, .arg = d };
    if (endpoints_ask(d->part->endpoints, &ask, &err) != FR_OK) fail(d, "reading logs", err.text);
}

// ---- balances

static void on_balances(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct deposit *d = arg;
    struct fr_err odd;
    (void)who;
    for (int i = 0; st == FR_OK && i < d->plan.count; i++) {
        uint8_t word[32];
        if (a->at[i].fault) st = FR_FAIL(&odd, FR_E_BUSY, "%s: %s", rpc_fault_name(a->at[i].fault), a->at[i].text), err = &odd;
        else if ((st = rpc_need_word(a->at[i].result, "", word, &odd)) != FR_OK) err = &odd;
        else d->said.value[i] = u256_from_bytes(word);
    }
    if (st != FR_OK) {
        d->looked_ms = now_of(d) + d->o.look_ms;       // logs are read all the same
        fail(d, "reading balances", err->text);
        return;
    }
    const struct deposit_member *last = &d->plan.at[d->plan.count - 1];
    d->box_number = last->number;
    snprintf(d->box_asset, sizeof d->box_asset, "%s", last->asset);
    d->step = STEP_BOOK;
    run(d, deposit_balances_job, on_booked);
}

static void ask_balances(struct deposit *d)
{
    struct ask ask;
    struct fr_err err;
    ask_init(&ask);
    for (int i = 0; i < d->plan.count; i++) {
        const struct treasury_token *t = deposit_token(d, d->plan.at[i].asset);
        static const struct address nothing;           // a token that is pinned no more: nobody's code answers, and the look says so
        ask_add_balance(&ask, t ? &t->at : &nothing, &d->plan.at[i].at, d->plan.read_block);
    }
    if (ask_go(&ask, d->part->endpoints, RPC_WORD, d->part->final.quorum, on_balances, d, &err) != FR_OK) fail(d, "reading balances", err.text);
    ask_free(&ask);
}

// ---- sweeps

static void on_swept(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct deposit *d = arg;
    bool put = d->sweep_fine;
    if (!came_back(d, st, err)) return;
    if (put) {
        d->facts.sweeps++;
        if (d->part->wake) d->part->wake(d->part->arg);
    } else fr_log(LOG_ERROR, "deposit.sweep_refused", "text", "a token refuses to be swept from an address: it is left out for a day, `frond deposit show` says why", NULL);
    plan(d);
}

// SweepFailed(bytes32 salt, address token, bytes reason): whose fault it was.
static int failed_member(const struct deposit *d, const char *data)
{
    static const char signature[] = "SweepFailed(bytes32,address,bytes)";
    uint8_t selector[ABI_SELECTOR_BYTES], said[ABI_SELECTOR_BYTES + 32];
    abi_selector(signature, selector);
    if (!data || strlen(data) < 2 + 2 * sizeof said || !fr_unhex(data + 2, 2 * sizeof said, said, sizeof said) || memcmp(said, selector, sizeof selector) != 0) return -1;
    for (int i = 0; i < d->plan.count; i++)
        if (memcmp(d->plan.at[i].salt, said + ABI_SELECTOR_BYTES, 32) == 0) return i;
    return -1;
}

static void on_tried(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct deposit *d = arg;
    (void)who;
    d->left_count = 0;
    d->sweep_fine = st == FR_OK && !a->at[0].fault;
    if (st != FR_OK || (a->at[0].fault && a->at[0].fault != RPC_REVERTED)) {
        d->looked_ms = now_of(d) + d->o.look_ms;
        fail(d, "trying a sweep", st == FR_OK ? a->at[0].text : err->text);
        return;
    }
    if (!d->sweep_fine) {
        int bad = failed_member(d, a->at[0].data);
        if (bad < 0 && d->plan.count > 1) {            // it does not say whose fault: half of them
            d->plan.count /= 2;
            try_sweep(d);
            return;
        }
        d->try_left[d->left_count++] = d->plan.at[bad < 0 ? 0 : bad].number;
        snprintf(d->left_why, sizeof d->left_why, "%s", a->at[0].text[0] ? a->at[0].text : "it reverts");
    }
    d->step = STEP_BOOK;
    run(d, deposit_sweep_job, on_swept);
}

static void try_sweep(struct deposit *d)
{
    struct ask ask;
    struct fr_err err;
    FR_AUTO_BUF(data);
    char factory[ADDRESS_TEXT_BYTES];
    fr_buf_init(&data, TXQ_DATA_BYTES_MAX);
    ask_init(&ask);
    enum fr_status st = deposit_sweep_data(d->plan.token, d->plan.at, d->plan.count, &data, &err);
    if (st == FR_OK) {
        char *hex = fr_must_alloc(2 * data.len + 1);
        ask_add(&ask, "eth_call", "[{\"to\":\"%s\",\"data\":\"0x%s\"},\"latest\"]", address_text(&d->o.factory, factory), fr_hex(data.data, data.len, hex));
        fr_free(hex);
        st = ask_go(&ask, d->part->endpoints, RPC_ANY, 0, on_tried, d, &err);
    }
    if (st != FR_OK) fail(d, "trying a sweep", err.text);
    ask_free(&ask);
}

// ---- sights: what is under way to addresses that somebody looks at

static void on_sights(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct deposit *d = arg;
    struct rpc_logs logs = { 0 };
    struct fr_err odd;
    (void)who;
    (void)err;
    d->pending_asked = false;
    if (st != FR_OK || a->at[0].fault || rpc_read_logs(a->at[0].result, &logs, &odd) != FR_OK) return;      // the old sight stays
    d->pending_count = 0;
    for (int i = 0; i < logs.count && d->pending_count < DEPOSIT_PENDING_MAX; i++) {
        const struct rpc_log *l = &logs.at[i];
        struct deposit_sight *s = &d->pending[d->pending_count];
        const struct treasury_token *t = NULL;
        for (int k = 0; k < d->part->token_count && !t; k++) t = address_equal(&d->part->tokens[k].at, &l->address) ? &d->part->tokens[k] : NULL;
        if (!t || l->topic_count != 3 || l->data_len != U256_BYTES || memcmp(l->topics[0], deposit_transfer_topic, 32) != 0) continue;
        *s = (struct deposit_sight){ .block = l->block_number, .amount = u256_from_bytes((const uint8_t *)logs.data.data + l->data_at) };
        if (u256_is_zero(s->amount)) continue;
        memcpy(s->at.bytes, l->topics[2] + 12, ADDRESS_BYTES);
        memcpy(s->sender.bytes, l->topics[1] + 12, ADDRESS_BYTES);
        memcpy(s->tx, l->tx_hash, 32);
        snprintf(s->asset, sizeof s->asset, "%s", t->asset);
        d->pending_count++;
    }
    rpc_logs_free(&logs);
}

static void look_ahead(struct deposit *d, int64_t now)
{
    FR_AUTO_BUF(filter);
    struct fr_err err;
    int kept = 0;
    fr_buf_init(&filter, RPC_PARAMS_BYTES_MAX);
    for (int i = 0; i < d->wanted_count; i++)
        if (d->wanted[i].since_ms > now - WANTED_MS) d->wanted[kept++] = d->wanted[i];
    d->wanted_count = kept;
    d->pending_ms = now + PENDING_MS;
    if (!kept) {
        d->pending_count = 0;
        return;
    }
    add_filter(d, &filter, d->facts.final_block + 1, "latest", NULL, &d->wanted[0].at, sizeof d->wanted[0], kept);
    struct rpc_call call = { "eth_getLogs", filter.data };
    struct endpoints_ask ask = { .calls = &call, .count = 1, .kind = RPC_LOGS, .done = on_sights, .arg = d };
    d->pending_asked = !filter.failed && endpoints_ask(d->part->endpoints, &ask, &err) == FR_OK;
}

void deposit_wanted(struct deposit *d, const struct deposit_address *a)
{
    int at = 0, oldest = 0;
    for (; at < d->wanted_count && !address_equal(&d->wanted[at].at, &a->at); at++)
        if (d->wanted[at].since_ms < d->wanted[oldest].since_ms) oldest = at;
    if (at == d->wanted_count) {
        d->pending_ms = 0;                 // a new one is looked for at once
        if (at == DEPOSIT_WANTED_MAX) at = oldest;
        else d->wanted_count++;
    }
    d->wanted[at] = (struct deposit_wanted){ a->at, now_of(d) };
}

void deposit_print_pending(const struct deposit *d, const struct deposit_address *a, const char *asset, struct fr_buf *out)
{
    char hex[65], who[ADDRESS_TEXT_BYTES], text[U256_TEXT_BYTES];
    const struct treasury_token *t = deposit_token(d, asset);
    int n = 0;
    fr_buf_add(out, "[");
    for (int i = 0; i < d->pending_count; i++) {
        const struct deposit_sight *s = &d->pending[i];
        int64_t units = 0;
        struct u256 dust;
        struct fr_err err;
        if (!address_equal(&s->at, &a->at) || strcmp(s->asset, asset) != 0 || s->block <= d->facts.read_block) continue;
        if (!t || u256_to_units_dust(s->amount, t->chain_decimals, t->ledger_decimals, &units, &dust, &err) != FR_OK) units = 0;
        fr_buf_addf(out, "%s{\"tx\":\"0x%s\",\"block\":\"%llu\",\"from\":\"%s\",\"amount\":\"%lld\",\"chain_amount\":\"%s\",\"blocks_left\":%lld}", n++ ? "," : "", fr_hex(s->tx, 32, hex), (unsigned long long)s->block, address_text(&s->sender, who),
                    (long long)units, u256_text(s->amount, text), s->block > d->facts.final_block ? (long long)(s->block - d->facts.final_block) : 0);
    }
    fr_buf_add(out, "]");
}

// ---- the rest

void deposit_tick(struct deposit *d)
{
    int64_t now = now_of(d);
    if (d->step == STEP_IDLE && now >= d->next_ms) begin(d);
    if (d->ready && !d->pending_asked && now >= d->pending_ms) look_ahead(d, now);
}

const struct treasury_token *deposit_token(const struct deposit *d, const char *asset)
{
    for (int i = 0; i < d->part->token_count; i++)
        if (strcmp(d->part->tokens[i].asset, asset) == 0) return &d->part->tokens[i];
    return NULL;
}

const struct treasury_token *deposit_tokens(const struct deposit *d, int *count)
{
    *count = d->part->token_count;
    return d->part->tokens;
}

uint64_t deposit_chain_id(const struct deposit *d) { return d->part->chain_id; }

void deposit_facts(const struct deposit *d, struct deposit_facts *ret) { *ret = d->facts; }

void deposit_print_facts(const struct deposit *d, struct fr_buf *out)
{
    const struct deposit_facts *f = &d->facts;
    fr_buf_addf(out, "{\"ready\":%s,\"final_block\":\"%llu\",\"read_block\":\"%llu\",\"addresses\":%lld,\"credited\":%lld,\"held\":%lld,\"odd\":%lld,\"refused\":%lld,\"backlog\":%lld,\"sweeps\":%lld,\"sweeps_open\":%lld,\"failures\":%lld,\"error\":",
                f->ready ? "true" : "false", (unsigned long long)f->final_block, (unsigned long long)f->read_block, (long long)f->addresses, (long long)f->credited, (long long)f->held, (long long)f->odd, (long long)f->refused,
                (long long)f->backlog, (long long)f->sweeps, (long long)f->sweeps_open, (long long)f->failures);
    if (f->last_error[0]) fr_buf_add_json_text(out, f->last_error);
    else fr_buf_add(out, "null");
    fr_buf_add(out, "}");
}

void deposit_metrics(const struct deposit *d, struct fr_buf *out)
{
    const struct deposit_facts *f = &d->facts;
    const struct { const char *name, *kind, *help; int64_t value; } lines[] = {
        { "ready", "gauge", "the factory was seen", f->ready }, { "read_block", "gauge", "all is credited up to this block", (int64_t)f->read_block }, { "final_block", "gauge", "the newest final block", (int64_t)f->final_block },
        { "addresses", "gauge", "deposit addresses that were issued", f->addresses }, { "credited_total", "counter", "deposits credited since the start", f->credited }, { "held", "gauge", "deposits that the ledger could not hold", f->held },
        { "odd", "gauge", "logs of the right kind with the wrong shape", f->odd }, { "sweep_refused", "gauge", "addresses whose tokens refuse to be swept", f->refused }, { "backlog", "gauge", "pasts of addresses still to be read", f->backlog },
        { "sweeps_total", "counter", "sweeps since the start", f->sweeps }, { "sweeps_open", "gauge", "sweeps under way", f->sweeps_open }, { "failures_total", "counter", "rounds that failed", f->failures },
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        fr_buf_addf(out, "# HELP frond_deposit_%s %s\n# TYPE frond_deposit_%s %s\nfrond_deposit_%s %lld\n", lines[i].name, lines[i].help, lines[i].name, lines[i].kind, lines[i].name, (long long)lines[i].value);
}
