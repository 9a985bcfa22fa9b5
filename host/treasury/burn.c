// burn.c — when what is done: a turn in the store (collect, plan, see what is open), and beside it one question at a time to the chain (which block is final, which batches were
// burned, what became of one, what the module allows). All that decides stands in rows; what is lost in a crash is asked again.
#include "treasury/burn.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "chain/abi.h"
#include "treasury/burn_inside.h"

#define TURN_MS 500
#define LOOK_MS 2000
#define SIGHTS_PER_LOOK 5                  // what changes seldom is looked at so much more seldom
#define RETRY_MS 1000
#define ASKS_MAX 16
#define PLUGINS_SHOWN 64
#define VERIFIES_MAX 16

struct open_batch { int64_t n; uint8_t id[32]; struct address module; uint64_t from_block; };      // to be asked about, at a block not before
struct shown { char plugin[48]; int64_t pending_units, batch_units; };

// One run of the store's lane, and what it found.
struct turn {
    struct burn *burn;                     // NULL: nobody waits
    struct burn_rules rules;
    enum burn_wait outer_wait;             // why rules.may_plan is false
    int64_t now_ms;
    bool more, paused, scanned, run;
    struct burn_planned planned;
    char plan_error[200];
    struct open_batch ask[ASKS_MAX]; int ask_count;
    uint64_t scan_block;
    int64_t unknown, states[BURN_REFUTED + 1];
    int64_t free_units, held_units, oldest_ms, burned_units, lost_units;
    struct shown shown[PLUGINS_SHOWN]; int shown_count;
};
// A store job of the chain's lane.
struct found {
    struct burn *burn;
    struct burn_rules rules;
    int64_t now_ms, n;
    uint64_t block;
    struct burn_word word;
    bool moved;
    struct burn_event *events; int event_count;
    enum burn_state before, after;
};
struct verify;

struct burn {
    struct treasury_part part;
    struct burn_options o;
    char asset[16], later_from[80];
    struct address token;
    int scale;
    struct turn known;                     // the last turn's
    bool loaded, dirty;
    struct turn *turn;                     // under way
    int64_t turn_at_ms;
    // the chain
    enum { CHAIN_IDLE, CHAIN_FINAL, CHAIN_SCAN, CHAIN_ASK, CHAIN_SIGHT, CHAIN_SUPPLY, CHAIN_STORE } step;
    struct found *found;                   // under way in the store
    struct final_look look;
    bool started;                          // a final block was seen: start_block
    uint64_t start_block, final_block, scan_from, scan_to, scan_range;
    bool caught_up, supply_wanted;
    int64_t final_at_ms, sight_at_ms, scan_at_ms, ask_at_ms;
    int ask_next;
    struct open_batch asked;
    uint64_t asked_block;                  // at which the question under way is about
    bool sighted, module_paused, gas_over;
    int64_t day_limit_units;
    struct burn_chain_supply supply;
    char halt_code[40], last_error[200];
    int64_t planned_count, burned_count, reverted_count, returned_count, resent_count;
    struct verify *verifies; int verify_count;
};

static void note(struct burn *b, const char *what, const struct fr_err *err) { snprintf(b->last_error, sizeof b->last_error, "%s: %s", what, err->text); }
static int look_ms_of(const struct burn *b) { return b->o.look_ms ? b->o.look_ms : LOOK_MS; }
static int64_t now_of(const struct burn *b) { return b->part.now_ms(b->part.arg); }

// ---- made

static const struct treasury_token *token_of(const struct treasury_part *part, const char *asset)
{
    for (int i = 0; i < part->token_count; i++)
        if (strcmp(part->tokens[i].asset, asset) == 0) return &part->tokens[i];
    return NULL;
}

enum fr_status burn_new(const struct treasury_part *part, const struct burn_options *o, struct burn **ret, struct fr_err *err)
{
    const struct treasury_token *token = token_of(part, o->asset);
    FR_TRY(final_rules_check(&part->final, err));
    if (!token) return FR_FAIL(err, FR_E_INVALID, "burn: %s is no token on this chain", o->asset);
    if (token->chain_decimals < token->ledger_decimals) return FR_FAIL(err, FR_E_INVALID, "burn: %s has fewer decimals on chain than here", o->asset);
    if (address_is_zero(&o->module)) return FR_FAIL(err, FR_E_INVALID, "burn: the module's address is zero");
    if (o->threshold_units < 1 || o->threshold_units > UNITS_MAX || o->age_ms < 1 || o->hard_age_ms < o->age_ms || o->look_ms < 0) return FR_FAIL(err, FR_E_INVALID, "burn: a threshold or an age makes no sense");
    if (o->from_block > INT64_MAX) return FR_FAIL(err, FR_E_INVALID, "burn: from_block is past all blocks");
    struct burn *b = fr_alloc(sizeof *b);
    if (!b) return FR_FAIL(err, FR_E_NOMEM, "no memory for burns");
    b->part = *part;
    b->o = *o;
    snprintf(b->asset, sizeof b->asset, "%s", o->asset);
    snprintf(b->later_from, sizeof b->later_from, "%s", o->later_from ? o->later_from : "");
    b->o.asset = b->asset;
    b->o.later_from = b->later_from;
    b->token = token->at;
    b->scale = token->chain_decimals - token->ledger_decimals;
    b->scan_range = BURN_SCAN_BLOCKS_MAX;
    b->dirty = true;
    *ret = b;
    return FR_OK;
}

const struct burn_options *burn_options_of(const struct burn *b) { return &b->o; }
struct burn_chain_supply burn_chain_supply(const struct burn *b) { return b ? b->supply : (struct burn_chain_supply){ 0 }; }
void burn_wake(struct burn *b)
{
    if (!b) return;
    b->dirty = true;
    b->part.wake(b->part.arg);             // an order may have taken a payment back
}

static struct burn_rules rules_of(const struct burn *b)
{
    struct burn_rules r = { .scale = b->scale, .chain_id = b->part.chain_id, .module = b->o.module, .threshold_units = b->o.threshold_units, .age_ms = b->o.age_ms,
                                .hard_age_ms = b->o.hard_age_ms, .gas_over = b->gas_over, .day_limit_units = b->day_limit_units };
    snprintf(r.asset, sizeof r.asset, "%s", b->asset);
    return r;
}

// ---- the store's lane

static enum fr_status turn_open(struct store_txn *txn, struct turn *t, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT n, id, module, block FROM burn_batch b WHERE state IN (1, 2) AND (state = 2 OR EXISTS (SELECT 1 FROM burn_seen s WHERE s.id = b.id)) ORDER BY n LIMIT ?1", &row, err));
    sql_bind_int(row, 1, ASKS_MAX);
    for (;;) {
        bool found = false;
        size_t id_len, module_len;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        const void *id = sql_bytes(row, 1, &id_len), *module = sql_bytes(row, 2, &module_len);
        struct open_batch *at = &t->ask[t->ask_count];
        if (!id || id_len != 32 || !module || module_len != sizeof at->module.bytes) return FR_FAIL(err, FR_E_CORRUPT, "batch b%" PRId64 " cannot be read", sql_int(row, 0));
        *at = (struct open_batch){ .n = sql_int(row, 0), .from_block = (uint64_t)sql_int(row, 3) };
        memcpy(at->id, id, 32);
        memcpy(at->module.bytes, module, sizeof at->module.bytes);
        t->ask_count++;
    }
}

static enum fr_status turn_states(struct store_txn *txn, struct turn *t, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_SQL_ROW(seen);
    bool found = true;
    FR_TRY(sql_begin(txn, "SELECT state, count(*) FROM burn_batch WHERE state IN (1, 2, 3, 6) GROUP BY state", &row, err));
    for (;;) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        t->states[sql_int(row, 0)] = sql_int(row, 1);
    }
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM burn_seen WHERE batch = 0", &seen, err));
    FR_TRY(sql_step(seen, &found, err));
    t->unknown = sql_int(seen, 0);
    return FR_OK;
}

static enum fr_status turn_money(struct store_txn *txn, struct turn *t, struct fr_err *err)
{
    struct ledger_account list[PLUGINS_SHOWN];
    int count;
    int64_t held;
    FR_TRY(burn_pending(txn, t->rules.asset, &t->free_units, &t->held_units, &t->oldest_ms, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "burned", t->rules.asset, &t->burned_units, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "lost", t->rules.asset, &t->lost_units, &held, err));
    FR_TRY(ledger_accounts(txn, OWNER_BURN, NULL, list, PLUGINS_SHOWN, &count, err));
    for (int i = 0; i < count; i++) {
        if (strcmp(list[i].asset, t->rules.asset) != 0) continue;
        struct shown *s = &t->shown[t->shown_count++];
        *s = (struct shown){ .pending_units = list[i].free_units, .batch_units = list[i].held_units };
        snprintf(s->plugin, sizeof s->plugin, "%s", burn_plugin_name(list[i].owner));
    }
    return FR_OK;
}

// What cannot be planned now (no room among the payments, say) must not keep accruals from being found.
static enum fr_status turn_plan(struct store_txn *txn, struct turn *t, struct fr_err *err)
{
    struct fr_err refused;
    t->planned.wait = t->outer_wait;
    if (!t->rules.may_plan) return FR_OK;
    FR_TRY(sql_savepoint(txn, err));
    if (burn_plan(txn, &t->rules, t->now_ms, &t->planned, &refused) == FR_OK) return sql_release(txn, err);
    snprintf(t->plan_error, sizeof t->plan_error, "%s", refused.text);
    t->planned = (struct burn_planned){ .wait = BURN_WAIT_TXQ };
    return sql_rollback(txn, err);
}

static enum fr_status turn_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct turn *t = arg;
    struct burn_flags f;
    FR_TRY(burn_collect(txn, &t->more, err));
    FR_TRY(turn_plan(txn, t, err));
    FR_TRY(burn_flags_get(txn, &f, err));
    t->paused = f.paused;
    t->run = f.run;
    FR_TRY(turn_open(txn, t, err));
    FR_TRY(turn_states(txn, t, err));
    FR_TRY(turn_money(txn, t, err));
    return burn_scan_get(txn, t->rules.chain_id, &t->rules.module, &t->scan_block, &t->scanned, err);
}

static void halt_tell(struct burn *b)
{
    const struct turn *t = &b->known;
    const char *code = t->unknown ? "burn_unknown_batch" : t->states[BURN_REFUTED] ? "burn_refuted" : NULL;
    char text[200] = "";
    if (strcmp(b->halt_code, code ? code : "") == 0) return;
    snprintf(b->halt_code, sizeof b->halt_code, "%s", code ? code : "");
    if (t->unknown) snprintf(text, sizeof text, "%" PRId64 " batches were burned on chain that this data does not know: is it an old copy? `frond burn list` shows them, `frond burn adopt ID` books one", t->unknown);
    else if (code) snprintf(text, sizeof text, "what the burn module says of %" PRId64 " batches is not what was sent: `frond burn list`", t->states[BURN_REFUTED]);
    if (code) fr_log(LOG_ERROR, "burn.halted", "code", code, "text", text, NULL);
    b->part.halt(b->part.arg, "burn", code, code ? text : NULL);
}

static void turn_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct turn *t = arg;
    struct burn *b = t->burn;
    if (b && st == FR_OK) {
        b->known = *t;
        b->loaded = true;
        b->dirty = b->dirty || t->more || t->planned.n;
        if (t->plan_error[0]) snprintf(b->last_error, sizeof b->last_error, "planning: %s", t->plan_error);
        if (t->planned.n) {
            char name[24];
            b->planned_count++;
            snprintf(name, sizeof name, "b%" PRId64, t->planned.n);
            fr_log(LOG_INFO, "burn.planned", "batch", name, NULL);
            b->part.wake(b->part.arg);
        }
        halt_tell(b);
    } else if (b) note(b, "the store", err);
    if (b) b->turn = NULL;
    fr_free(t);
}

static enum burn_wait outer_wait(const struct burn *b)
{
    if (!b->caught_up || !b->sighted) return BURN_WAIT_CHAIN;
    if (b->part.halted(b->part.arg)) return BURN_WAIT_HALTED;
    return b->module_paused ? BURN_WAIT_MODULE_PAUSED : BURN_WAIT_NOTHING;
}

static void turn_start(struct burn *b, int64_t now_ms)
{
    struct fr_err err;
    struct turn *t = fr_alloc(sizeof *t);
    b->turn_at_ms = now_ms + TURN_MS;
    if (!t) return;
    t->burn = b;
    t->now_ms = now_ms;
    t->rules = rules_of(b);
    t->outer_wait = outer_wait(b);
    t->rules.may_plan = t->outer_wait == BURN_WAIT_NOTHING;
    b->dirty = false;
    if (store_run(b->part.store, turn_job, t, turn_done, &err) == FR_OK) {
        b->turn = t;
        return;
    }
    note(b, "the store", &err);
    fr_free(t);
}

// ---- the chain's lane: which block is final

static void on_final(void *arg, enum fr_status st, uint64_t block, const struct fr_err *err)
{
    struct burn *b = arg;
    b->step = CHAIN_IDLE;
    b->final_at_ms = now_of(b) + (st == FR_OK ? look_ms_of(b) : RETRY_MS);
    if (st != FR_OK) {
        note(b, "which block is final", err);
        return;
    }
    if (!b->started) b->start_block = block;
    b->started = true;
    if (block > b->final_block) b->final_block = block;        // what was final stays so
    if (b->loaded && (b->known.scanned ? b->known.scan_block + 1 : b->o.from_block) > b->start_block) b->caught_up = true;
}

static bool final_start(struct burn *b)
{
    struct fr_err err;
    b->look = (struct final_look){ .endpoints = b->part.endpoints, .rules = b->part.final, .done = on_final, .arg = b };
    b->step = CHAIN_FINAL;
    if (final_look_start(&b->look, &err) == FR_OK) return true;
    on_final(b, FR_E_BUSY, 0, &err);
    return false;
}

static bool ask(struct burn *b, int step, const struct rpc_call *calls, int count, enum rpc_kind kind, int quorum, endpoints_done_fn *done)
{
    struct fr_err err;
    struct endpoints_ask e = { .calls = calls, .count = count, .kind = kind, .quorum = quorum, .done = done, .arg = b };
    if (endpoints_ask(b->part.endpoints, &e, &err) != FR_OK) {
        note(b, "the nodes", &err);
        return false;
    }
    b->step = (__typeof__(b->step))step;
    return true;
}

// ---- a store job of the chain's lane

static void found_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct found *f = arg;
    struct burn *b = f->burn;
    if (b) {
        b->step = CHAIN_IDLE;
        b->found = NULL;
        b->dirty = true;
        if (st != FR_OK) note(b, "the store", err);
        if (st == FR_OK && f->moved) {
            char name[24];
            snprintf(name, sizeof name, "b%" PRId64, f->n);
            fr_log(f->after == BURN_BURNED || f->after == BURN_SENT ? LOG_INFO : LOG_WARN, "burn.moved", "batch", name, "state", burn_state_name(f->after), NULL);
            b->burned_count += f->after == BURN_BURNED;
            b->reverted_count += f->after == BURN_REVERTED;
            b->returned_count += f->after == BURN_RETURNED;
            b->resent_count += f->after == BURN_SENT;
            b->supply_wanted = true;
            b->part.wake(b->part.arg);                         // a payment was put, or is to be forgotten
        }
        if (st == FR_OK && f->events && f->block >= b->start_block) b->caught_up = true;
    }
    fr_free(f->events);
    fr_free(f);
}

static void found_run(struct burn *b, struct found *f, store_job_fn *job)
{
    struct fr_err err;
    f->burn = b;
    f->rules = rules_of(b);
    f->now_ms = now_of(b);
    b->step = CHAIN_STORE;
    if (store_run(b->part.store, job, f, found_done, &err) == FR_OK) {
        b->found = f;
        return;
    }
    found_done(f, err.status, &err);
}

// ---- which batches were burned

static enum fr_status scan_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct found *f = arg;
    return burn_scan_save(txn, &f->rules, f->events, f->event_count, f->block, err);
}

static void scan_failed(struct burn *b, const char *text)
{
    snprintf(b->last_error, sizeof b->last_error, "logs of blocks %" PRIu64 " to %" PRIu64 ": %.100s", b->scan_from, b->scan_to, text);
    b->scan_range = b->scan_range > 4 ? b->scan_range / 4 : 1;
    b->scan_at_ms = now_of(b) + RETRY_MS;
}

static void on_logs(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct burn *b = arg;
    struct rpc_logs logs = { 0 };
    struct fr_err odd;
    (void)who;
    b->step = CHAIN_IDLE;
    if (st != FR_OK || answers->at[0].fault) {
        scan_failed(b, st != FR_OK ? err->text : answers->at[0].text);
        return;
    }
    if (rpc_read_logs(answers->at[0].result, &logs, &odd) != FR_OK) {
        scan_failed(b, odd.text);
        return;
    }
    struct found *f = fr_alloc(sizeof *f);
    if (f) f->events = fr_alloc(sizeof *f->events * (size_t)(logs.count + 1));
    bool room = f && f->events;
    for (int i = 0; i < logs.count && room; i++) {
        struct burn_event e;
        if (!burn_event_read(&logs, &logs.at[i], &b->o.module, &e) || e.block < b->scan_from || e.block > b->scan_to) continue;
        f->events[f->event_count++] = e;
    }
    rpc_logs_free(&logs);
    if (!room) {
        if (f) fr_free(f->events);
        fr_free(f);
        scan_failed(b, "no memory");
        return;
    }
    f->block = b->scan_to;
    b->scan_range = b->scan_range < BURN_SCAN_BLOCKS_MAX / 2 ? 2 * b->scan_range : BURN_SCAN_BLOCKS_MAX;
    found_run(b, f, scan_job);
}

// As many blocks as every good node takes.
static uint64_t range_of(const struct burn *b)
{
    struct endpoint_facts facts[ENDPOINTS_MAX];
    int count = endpoints_facts(b->part.endpoints, facts);
    uint64_t range = b->scan_range;
    for (int i = 0; i < count; i++)
        if (facts[i].state == ENDPOINT_GOOD && facts[i].probed && facts[i].logs_range && facts[i].logs_range < range) range = facts[i].logs_range;
    return range;
}

static bool scan_start(struct burn *b, int64_t now_ms)
{
    uint64_t from = b->known.scanned ? b->known.scan_block + 1 : b->o.from_block, range = range_of(b);
    uint8_t topic[32];
    char params[300], hex[65], module[ADDRESS_TEXT_BYTES];
    if (!b->started || from > b->final_block || now_ms < b->scan_at_ms) return false;
    b->scan_from = from;
    b->scan_to = b->final_block - from >= range ? from + range - 1 : b->final_block;
    abi_event_topic("BatchBurned(bytes32,bytes32,uint256,uint256)", topic);
    snprintf(params, sizeof params, "[{\"address\":\"%s\",\"topics\":[\"0x%s\"],\"fromBlock\":\"0x%" PRIx64 "\",\"toBlock\":\"0x%" PRIx64 "\"}]", address_text(&b->o.module, module), fr_hex(topic, 32, hex), b->scan_from, b->scan_to);
    if (ask(b, CHAIN_SCAN, &(struct rpc_call){ "eth_getLogs", params }, 1, RPC_LOGS, b->part.final.quorum, on_logs)) return true;
    b->scan_at_ms = now_ms + RETRY_MS;
    return false;
}

// ---- what became of one

static enum fr_status decide_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct found *f = arg;
    struct burn_batch b;
    FR_TRY(burn_decide(txn, f->n, &f->word, f->block, f->now_ms, &f->moved, err));
    FR_TRY(burn_batch_get(txn, f->n, &b, err));
    f->after = b.state;
    return FR_OK;
}

static void batch_params(const uint8_t id[32], const struct address *module, uint64_t block, char out[300])
{
    uint8_t selector[ABI_SELECTOR_BYTES];
    char hex[9], id_hex[65], to[ADDRESS_TEXT_BYTES];
    abi_selector("batch(bytes32)", selector);
    snprintf(out, 300, "[{\"to\":\"%s\",\"data\":\"0x%s%s\"},\"0x%" PRIx64 "\"]", address_text(module, to), fr_hex(selector, 4, hex), fr_hex(id, 32, id_hex), block);
}

static void on_batch(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct burn *b = arg;
    struct fr_err odd;
    struct burn_word word;
    (void)who;
    b->step = CHAIN_IDLE;
    if (st != FR_OK) note(b, "batch(id)", err);
    else if (burn_word_read(&answers->at[0], &word, &odd) != FR_OK) note(b, "batch(id)", &odd);
    else {
        struct found *f = fr_alloc(sizeof *f);
        if (!f) return;
        f->n = b->asked.n;
        f->word = word;
        f->block = b->asked_block;
        found_run(b, f, decide_job);
        return;
    }
    b->ask_at_ms = now_of(b) + RETRY_MS;
}

static bool ask_start(struct burn *b, int64_t now_ms)
{
    char params[300];
    if (!b->started || now_ms < b->ask_at_ms) return false;
    for (int i = 0; i < b->known.ask_count; i++) {
        const struct open_batch *at = &b->known.ask[(b->ask_next + i) % b->known.ask_count];
        if (at->from_block > b->final_block) continue;
        b->asked = *at;
        b->ask_next = (b->ask_next + i + 1) % b->known.ask_count;
        b->asked_block = b->final_block;
        batch_params(at->id, &at->module, b->asked_block, params);
        if (ask(b, CHAIN_ASK, &(struct rpc_call){ "eth_call", params }, 1, RPC_ANY, b->part.final.quorum, on_batch)) return true;
        b->ask_at_ms = now_ms + RETRY_MS;
        return false;
    }
    return false;
}

// ---- what the module allows, and what gas costs: sights of one node, which decide only when

static bool word_of(const struct rpc_answer *a, struct u256 *ret)
{
    FR_AUTO_BUF(bytes);
    struct fr_err err;
    fr_buf_init(&bytes, 64);
    if (a->fault || rpc_need_data(a->result, "", 32, &bytes, &err) != FR_OK || bytes.len != 32) return false;
    *ret = u256_from_bytes((const uint8_t *)bytes.data);
    return true;
}

static int64_t units_of(struct u256 amount, int scale)
{
    int64_t units;
    struct u256 dust;
    struct fr_err err;
    return u256_to_units_dust(amount, scale, 0, &units, &dust, &err) == FR_OK ? units : UNITS_MAX;
}

static void on_sight(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct burn *b = arg;
    struct fr_err odd;
    struct u256 paused, limit, price = { { 0 } };
    (void)who;
    b->step = CHAIN_IDLE;
    b->sight_at_ms = now_of(b) + (st == FR_OK ? SIGHTS_PER_LOOK * look_ms_of(b) : RETRY_MS);
    if (st != FR_OK) {
        note(b, "the burn module", err);
        return;
    }
    if (!word_of(&answers->at[0], &paused) || !word_of(&answers->at[1], &limit)) {
        snprintf(b->last_error, sizeof b->last_error, "the burn module does not answer as one: is its address right?");
        b->sighted = false;
        return;
    }
    bool priced = !answers->at[2].fault && rpc_need_quantity(answers->at[2].result, "", &price, &odd) == FR_OK;
    b->module_paused = !u256_is_zero(paused);
    b->day_limit_units = units_of(limit, b->scale);
    b->gas_over = !u256_is_zero(b->o.gas_price_cap) && (!priced || u256_compare(price, b->o.gas_price_cap) > 0);
    b->sighted = true;
    b->supply_wanted = b->dirty = true;
}

static void call_params(const char *signature, const struct address *to, const char *block, char out[160])
{
    uint8_t selector[ABI_SELECTOR_BYTES];
    char hex[9], text[ADDRESS_TEXT_BYTES];
    abi_selector(signature, selector);
    snprintf(out, 160, "[{\"to\":\"%s\",\"data\":\"0x%s\"},\"%s\"]", address_text(to, text), fr_hex(selector, 4, hex), block);
}

static bool sight_start(struct burn *b, int64_t now_ms)
{
    char params[2][160];
    if (now_ms < b->sight_at_ms) return false;
    call_params("paused()", &b->o.module, "latest", params[0]);
    call_params("dayLimit()", &b->o.module, "latest", params[1]);
    struct rpc_call calls[] = { { "eth_call", params[0] }, { "eth_call", params[1] }, { "eth_gasPrice", NULL } };
    if (ask(b, CHAIN_SIGHT, calls, 3, RPC_ANY, 0, on_sight)) return true;
    b->sight_at_ms = now_ms + RETRY_MS;
    return false;
}

static void on_supply(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct burn *b = arg;
    struct u256 total, burned, module;
    (void)who;
    b->step = CHAIN_IDLE;
    if (st != FR_OK) {
        note(b, "the supply", err);
        return;
    }
    if (!word_of(&answers->at[0], &total) || !word_of(&answers->at[1], &burned) || !word_of(&answers->at[2], &module)) return;      // another token may have no totalBurned
    b->supply = (struct burn_chain_supply){ .known = true, .block = b->asked_block, .read_ms = now_of(b), .total_units = units_of(total, b->scale), .burned_units = units_of(burned, b->scale), .module_units = units_of(module, b->scale) };
}

static bool supply_start(struct burn *b)
{
    char params[3][160], block[24];
    if (!b->started || !b->supply_wanted) return false;
    b->supply_wanted = false;
    b->asked_block = b->final_block;
    snprintf(block, sizeof block, "0x%" PRIx64, b->final_block);
    call_params("totalSupply()", &b->token, block, params[0]);
    call_params("totalBurned()", &b->token, block, params[1]);
    call_params("totalBurned()", &b->o.module, block, params[2]);
    struct rpc_call calls[] = { { "eth_call", params[0] }, { "eth_call", params[1] }, { "eth_call", params[2] } };
    return ask(b, CHAIN_SUPPLY, calls, 3, RPC_ANY, b->part.final.quorum, on_supply);
}

void burn_tick(struct burn *b)
{
    int64_t now_ms = now_of(b);
    if (!b->turn && (b->dirty || now_ms >= b->turn_at_ms)) turn_start(b, now_ms);
    if (b->step != CHAIN_IDLE || !b->loaded) return;
    if (now_ms >= b->final_at_ms && final_start(b)) return;
    if (b->turn || b->dirty) return;                           // what is known of the rows is being read anew
    if (sight_start(b, now_ms) || scan_start(b, now_ms) || ask_start(b, now_ms)) return;         // what is seldom due comes first
    supply_start(b);
}

// ---- verified on demand

struct verify {
    struct burn *burn;                     // NULL: nobody waits
    struct verify *next;
    char id[80];
    burn_verify_fn *done; void *arg;
    bool in_store;
    struct burn_batch batch;
    bool is_batch, local;                  // local: leaf, proof and root agree
    uint8_t leaf[32];
    uint64_t block;
    struct final_look look;
};

static void verify_end(struct verify *v, enum fr_status st, const struct fr_buf *json, const struct fr_err *err)
{
    struct verify **at = &v->burn->verifies;
    while (*at != v) at = &(*at)->next;
    *at = v->next;
    v->burn->verify_count--;
    v->done(v->arg, st, json ? json->data : NULL, json ? json->len : 0, err);
    fr_free(v);
}

static enum fr_status verify_accrual(struct store_txn *txn, struct verify *v, int64_t entry, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_AUTO(merkle) m = NULL;
    struct burn_accrual a;
    struct merkle_hash leaf, root;
    struct merkle_proof proof;
    uint8_t bytes[BURN_LEAF_BYTES];
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE entry = ?1 ORDER BY account LIMIT 1", &row, err));
    sql_bind_int(row, 1, entry);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "burn_unknown", "%" PRId64 " is no burn", entry);
    burn_accrual_read(row, &a);
    if (a.batch == 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "burn_pending", "%" PRId64 " is in no batch yet", entry);
    FR_TRY(burn_batch_get(txn, a.batch, &v->batch, err));
    FR_TRY(burn_accrual_leaf(&a, v->batch.scale, bytes, &leaf, err));
    memcpy(v->leaf, leaf.bytes, 32);
    FR_TRY(burn_root(txn, &v->batch, &m, err));
    memcpy(root.bytes, v->batch.root, 32);
    v->local = merkle_prove(m, &leaf, &proof) && merkle_check(&root, &leaf, &proof);
    return FR_OK;
}

static enum fr_status verify_batch(struct store_txn *txn, struct verify *v, int64_t n, struct fr_err *err)
{
    FR_AUTO(merkle) m = NULL;
    FR_TRY(burn_batch_get(txn, n, &v->batch, err));
    if (v->batch.accruals == 0) return FR_OK;
    FR_TRY(burn_root(txn, &v->batch, &m, err));
    struct merkle_hash root = merkle_root(m);
    v->local = memcmp(root.bytes, v->batch.root, 32) == 0;
    return FR_OK;
}

static enum fr_status verify_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct verify *v = arg;
    int64_t n;
    FR_TRY(burn_id_parse(txn, v->id, &v->is_batch, &n, err));
    return v->is_batch ? verify_batch(txn, v, n, err) : verify_accrual(txn, v, n, err);
}

static void verify_on_word(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct verify *v = arg;
    struct burn_word w;
    struct fr_err odd;
    char root[65], leaf[65], id[65], amount[U256_TEXT_BYTES], chain_root[65];
    FR_AUTO_BUF(out);
    (void)who;
    if (st == FR_OK) st = burn_word_read(&answers->at[0], &w, &odd), err = &odd;
    if (st != FR_OK) {
        verify_end(v, st, NULL, err);
        return;
    }
    bool same = w.burned && u256_compare(w.amount, v->batch.amount) == 0 && memcmp(w.root, v->batch.root, 32) == 0;
    fr_buf_init(&out, 4096);
    fr_buf_addf(&out, "{\"good\":%s,\"proof\":%s,\"on_chain\":%s,\"burned\":%s,\"batch\":\"b%" PRId64 "\",\"id\":\"0x%s\",\"root\":\"0x%s\"", v->local && same ? "true" : "false", v->local ? "true" : "false", same ? "true" : "false",
                w.burned ? "true" : "false", v->batch.n, fr_hex(v->batch.id, 32, id), fr_hex(v->batch.root, 32, root));
    if (!v->is_batch) fr_buf_addf(&out, ",\"accrual\":\"%s\",\"leaf\":\"0x%s\"", v->id, fr_hex(v->leaf, 32, leaf));
    fr_buf_addf(&out, ",\"chain\":{\"read_block\":\"%" PRIu64 "\",\"amount\":\"%s\",\"root\":\"0x%s\",\"block\":\"%" PRIu64 "\"}}", v->block, u256_text(w.amount, amount), fr_hex(w.root, 32, chain_root), w.block);
    st = fr_buf_check(&out, "the answer", &odd);
    verify_end(v, st, &out, &odd);
}

static void verify_on_final(void *arg, enum fr_status st, uint64_t block, const struct fr_err *err)
{
    struct verify *v = arg;
    char params[300];
    struct fr_err busy;
    if (st == FR_OK) {
        v->block = block;
        batch_params(v->batch.id, &v->batch.module, block, params);
        struct endpoints_ask e = { .calls = &(struct rpc_call){ "eth_call", params }, .count = 1, .kind = RPC_ANY, .quorum = v->burn->part.final.quorum, .done = verify_on_word, .arg = v };
        st = endpoints_ask(v->burn->part.endpoints, &e, &busy);
        err = &busy;
    }
    if (st != FR_OK) verify_end(v, st, NULL, err);
}

static void verify_on_read(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct verify *v = arg;
    struct fr_err busy;
    if (!v->burn) {
        fr_free(v);
        return;
    }
    v->in_store = false;
    if (st == FR_OK) {
        v->look = (struct final_look){ .endpoints = v->burn->part.endpoints, .rules = v->burn->part.final, .done = verify_on_final, .arg = v };
        st = final_look_start(&v->look, &busy);
        err = &busy;
    }
    if (st != FR_OK) verify_end(v, st, NULL, err);
}

static enum fr_status verify_refuse(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)txn;
    (void)arg;
    return FR_FAIL(err, FR_E_BUSY, "%d burns are being verified already", VERIFIES_MAX);
}

void burn_verify(struct burn *b, const char *id, burn_verify_fn *done, void *arg)
{
    struct fr_err err;
    struct verify *v = fr_must_alloc(sizeof *v);
    *v = (struct verify){ .burn = b, .next = b->verifies, .done = done, .arg = arg, .in_store = true };
    snprintf(v->id, sizeof v->id, "%s", id);
    b->verifies = v;
    bool busy = ++b->verify_count > VERIFIES_MAX;
    if (store_read(b->part.store, busy ? verify_refuse : verify_job, v, verify_on_read, &err) != FR_OK) verify_end(v, err.status, NULL, &err);
}

void burn_free(struct burn *b)
{
    if (!b) return;
    if (b->turn) b->turn->burn = NULL;
    if (b->found) b->found->burn = NULL;
    for (struct verify *v = b->verifies, *next; v; v = next) {
        next = v->next;
        v->burn = NULL;
        if (!v->in_store) fr_free(v);
    }
    fr_free(b);
}

// ---- what is known

static const char *wait_name(enum burn_wait wait)
{
    static const char *const names[] = { "nothing", "chain", "halted", "module_paused", "paused", "threshold", "gas", "open_batches", "day_limit", "payments" };
    return wait < BURN_WAITS ? names[wait] : "nothing";
}

void burn_facts(const struct burn *b, struct fr_buf *out)
{
    const struct turn *t = &b->known;
    char module[ADDRESS_TEXT_BYTES];
    fr_buf_addf(out, "{\"asset\":\"%s\",\"module\":\"%s\",\"loaded\":%s,\"caught_up\":%s,\"paused\":%s,\"run_ordered\":%s,\"module_paused\":%s,\"gas_over_cap\":%s,\"waits_for\":\"%s\",\"pending\":\"%" PRId64 "\",\"in_batches\":\"%" PRId64 "\",\"burned\":\"%" PRId64 "\",\"lost\":\"%" PRId64 "\",\"oldest_ms\":%" PRId64,
                b->asset, address_text(&b->o.module, module), b->loaded ? "true" : "false", b->caught_up ? "true" : "false", t->paused ? "true" : "false", t->run ? "true" : "false", b->module_paused ? "true" : "false", b->gas_over ? "true" : "false",
                wait_name(t->planned.wait), t->free_units, t->held_units, t->burned_units, -t->lost_units, t->oldest_ms ? now_of(b) - t->oldest_ms : 0);
    fr_buf_addf(out, ",\"batches\":{\"sent\":%" PRId64 ",\"proving\":%" PRId64 ",\"reverted\":%" PRId64 ",\"refuted\":%" PRId64 ",\"unknown\":%" PRId64 "},\"final_block\":\"%" PRIu64 "\",\"scanned_block\":\"%" PRIu64 "\",\"halted\":",
                t->states[BURN_SENT], t->states[BURN_ENDED], t->states[BURN_REVERTED], t->states[BURN_REFUTED], t->unknown, b->final_block, t->scan_block);
    fr_buf_add_json_text(out, b->halt_code[0] ? b->halt_code : NULL);
    fr_buf_add(out, ",\"last_error\":");
    fr_buf_add_json_text(out, b->last_error);
    fr_buf_add(out, "}");
}

void burn_metrics(const struct burn *b, struct fr_buf *out)
{
    const struct turn *t = &b->known;
    fr_buf_add(out, "# TYPE frond_burn_pending_units gauge\n");
    for (int i = 0; i < t->shown_count; i++) fr_buf_addf(out, "frond_burn_pending_units{asset=\"%s\",plugin=\"%s\"} %" PRId64 "\n", b->asset, t->shown[i].plugin, t->shown[i].pending_units);
    fr_buf_add(out, "# TYPE frond_burn_batch_units gauge\n");
    for (int i = 0; i < t->shown_count; i++) fr_buf_addf(out, "frond_burn_batch_units{asset=\"%s\",plugin=\"%s\"} %" PRId64 "\n", b->asset, t->shown[i].plugin, t->shown[i].batch_units);
    fr_buf_addf(out, "# TYPE frond_burn_burned_units gauge\nfrond_burn_burned_units{asset=\"%s\"} %" PRId64 "\n", b->asset, t->burned_units);
    fr_buf_addf(out, "# TYPE frond_burn_oldest_seconds gauge\nfrond_burn_oldest_seconds{asset=\"%s\"} %" PRId64 "\n", b->asset, t->oldest_ms ? (now_of(b) - t->oldest_ms) / 1000 : 0);
    fr_buf_add(out, "# TYPE frond_burn_batches gauge\n");
    for (int i = BURN_SENT; i <= BURN_REFUTED; i++)
        if (i != BURN_BURNED && i != BURN_RETURNED) fr_buf_addf(out, "frond_burn_batches{state=\"%s\"} %" PRId64 "\n", burn_state_name((enum burn_state)i), t->states[i]);
    fr_buf_addf(out, "frond_burn_batches{state=\"unknown\"} %" PRId64 "\n", t->unknown);
    fr_buf_addf(out, "# TYPE frond_burn_batches_total counter\nfrond_burn_batches_total{what=\"planned\"} %" PRId64 "\nfrond_burn_batches_total{what=\"burned\"} %" PRId64 "\nfrond_burn_batches_total{what=\"reverted\"} %" PRId64
                "\nfrond_burn_batches_total{what=\"returned\"} %" PRId64 "\nfrond_burn_batches_total{what=\"sent_again\"} %" PRId64 "\n", b->planned_count, b->burned_count, b->reverted_count, b->returned_count, b->resent_count);
}
