// reconcile.c — a job that reads what is owed, one question to the nodes, and the comparison.
#include "treasury/reconcile.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "treasury/ask.h"
#include "treasury/deposit_inside.h"

#define LOOK_MS 3000
#define STALE_MS (10 * 60 * 1000)
#define EXPLAIN_MAX 200                    // of one look


struct reconcile {
    const struct treasury_part *part;
    struct reconcile_options o;
    enum { RECONCILE_IDLE, RECONCILE_BOOKS, RECONCILE_CHAIN } step;
    int64_t next_ms, behind_ms;            // behind_ms: since when newer blocks are not looked at; 0: they are
    bool again, begun;
    bool may, current; uint64_t block;              // of the look that runs: all deposits up to this block are credited, and what lies where is of it
    struct reconcile_facts now, facts;     // being made, and made
    char told[2][300];
    bool freed; int jobs;
};

static int64_t now_of(const struct reconcile *r) { return r->part->now_ms(r->part->arg); }

enum fr_status reconcile_new(const struct treasury_part *part, const struct reconcile_options *o, struct reconcile **ret, struct fr_err *err)
{
    if (part->token_count < 1 || part->token_count > TREASURY_TOKENS_MAX || o->look_ms < 0) return FR_FAIL(err, FR_E_INVALID, "a number of reconciliation makes no sense");
    struct reconcile *r = fr_must_alloc(sizeof *r);
    r->part = part;
    r->o = *o;
    if (!r->o.look_ms) r->o.look_ms = LOOK_MS;
    *ret = r;
    return FR_OK;
}

static void release(struct reconcile *r)
{
    if (r->freed && !r->jobs) fr_free(r);
}

void reconcile_free(struct reconcile *r)
{
    if (!r) return;
    r->freed = true;
    release(r);
}

static void rest(struct reconcile *r)
{
    r->step = RECONCILE_IDLE;
    r->next_ms = now_of(r) + r->o.look_ms;
}

// Told once, and again when it is another; taken back when it is gone.
static void halt(struct reconcile *r, int no, const char *part, const char *code, const char *text)
{
    if (strcmp(r->told[no], text) == 0) return;
    snprintf(r->told[no], sizeof r->told[no], "%s", text);
    if (!text[0]) fr_log(LOG_INFO, "reconcile.fine", "text", "money-out may go on", NULL);
    else fr_log(strcmp(code, "not_looked") == 0 ? LOG_INFO : LOG_ERROR, "reconcile.halted", "code", code, "text", text, NULL);      // each start begins with that
    if (r->part->halt) r->part->halt(r->part->arg, part, text[0] ? code : NULL, text);
}

static void behind(struct reconcile *r, const char *why)
{
    if (!r->behind_ms) r->behind_ms = now_of(r);
    if (now_of(r) - r->behind_ms < STALE_MS || !r->facts.known) return;
    snprintf(r->facts.why, sizeof r->facts.why, "what is owed was last compared at block %llu, which is no longer the newest (%.150s)", (unsigned long long)r->facts.block, why);
    r->facts.is_stale = true;
    halt(r, 0, "reconcile", "reconcile_stale", r->facts.why);
}

static void fail(struct reconcile *r, const char *text)
{
    r->facts.failures++;
    if (strcmp(text, r->facts.last_error) != 0) fr_log(LOG_WARN, "reconcile.failed", "text", text, NULL);
    snprintf(r->facts.last_error, sizeof r->facts.last_error, "%s", text);
    rest(r);
    behind(r, text);
}

// ---- what is owed (a job)

static enum fr_status sum_amounts(struct store_row *row, struct u256 *ret, struct fr_err *err)
{
    *ret = u256_of(0);
    for (;;) {
        bool found = false;
        struct u256 one, sum;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        FR_TRY(deposit_amount(row, 0, &one, err));
        *ret = u256_add(*ret, one, &sum) ? sum : (struct u256){ { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    }
}

static enum fr_status place(struct store_txn *txn, struct reconcile *r, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT from_block, after, looked FROM deposit_cursor WHERE chain_id = ?1", &row, err));
    sql_bind_int(row, 1, (int64_t)r->part->chain_id);
    FR_TRY(sql_step(row, &found, err));
    r->may = found && sql_int(row, 1) < 0 && sql_int(row, 2) == sql_int(row, 0) - 1 && sql_int(row, 0) > 0;
    r->block = r->may ? (uint64_t)sql_int(row, 0) - 1 : 0;
    r->current = r->may && r->facts.known && r->block == r->facts.block;
    if (r->current && !r->again && !r->facts.why[0]) r->may = false;      // while it halts, the same block is compared again: what an operator books explains it, and an idle chain has no newer one
    return FR_OK;
}

static enum fr_status books_of(struct store_txn *txn, struct reconcile *r, const struct treasury_token *t, struct reconcile_asset *a, struct fr_err *err)
{
    FR_SQL_ROW(dust);
    FR_SQL_ROW(held);
    FR_SQL_ROW(lying);
    *a = (struct reconcile_asset){ .ledger_decimals = t->ledger_decimals, .chain_decimals = t->chain_decimals };
    snprintf(a->asset, sizeof a->asset, "%s", t->asset);
    FR_TRY(ledger_liabilities(txn, t->asset, &a->liabilities_units, err));
    if (r->o.in_flight) FR_TRY(r->o.in_flight(txn, r->o.arg, t->asset, &a->in_flight_units, err));
    FR_TRY(sql_begin(txn, "SELECT amount FROM deposit_dust WHERE asset = ?1", &dust, err));
    sql_bind_text(dust, 1, t->asset);
    FR_TRY(sum_amounts(dust, &a->dust, err));
    FR_TRY(sql_begin(txn, "SELECT amount FROM deposit_log WHERE state >= 2 AND state = ?1 AND asset = ?2 AND chain_id = ?3", &held, err));
    sql_bind_int(held, 1, DEPOSIT_HELD);
    sql_bind_text(held, 2, t->asset);
    sql_bind_int(held, 3, (int64_t)r->part->chain_id);
    FR_TRY(sum_amounts(held, &a->held, err));
    FR_TRY(sql_begin(txn, "SELECT b.lying FROM deposit_box b JOIN deposit_address a ON a.number = b.number WHERE b.asset = ?1 AND a.chain_id = ?2", &lying, err));
    sql_bind_text(lying, 1, t->asset);
    sql_bind_int(lying, 2, (int64_t)r->part->chain_id);
    return sum_amounts(lying, &a->forwarders, err);
}

struct outflow { uint8_t tx[32]; int64_t index; };
static enum fr_status explain_one(struct store_txn *txn, struct reconcile *r, const struct outflow *o, struct fr_err *err)
{
    struct txq_payment_row payment;
    struct store_row *row = NULL;
    bool yes = false;
    FR_TRY(txq_find_hash(txn, o->tx, &payment, &yes, err));
    if (!yes && r->o.explains) FR_TRY(r->o.explains(txn, r->o.arg, o->tx, (uint64_t)o->index, &yes, err));
    if (!yes) return FR_OK;
    FR_TRY(sql_begin(txn, "UPDATE vault_out SET explained = 1 WHERE chain_id = ?1 AND tx = ?2 AND log_index = ?3", &row, err));
    sql_bind_int(row, 1, (int64_t)r->part->chain_id);
    sql_bind_bytes(row, 2, o->tx, 32);
    sql_bind_int(row, 3, o->index);
    return sql_do(row, NULL, err);
}

static enum fr_status explain(struct store_txn *txn, struct reconcile *r, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_SQL_ROW(left);
    struct outflow list[EXPLAIN_MAX];
    int count = 0;
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT tx, log_index FROM vault_out WHERE explained = 0 AND chain_id = ?1 ORDER BY block DESC LIMIT ?2", &row, err));
    sql_bind_int(row, 1, (int64_t)r->part->chain_id);
    sql_bind_int(row, 2, EXPLAIN_MAX);
    for (; count < EXPLAIN_MAX; count++) {
        size_t len = 0;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        const void *tx = sql_bytes(row, 0, &len);
        if (!tx || len != 32) return FR_FAIL(err, FR_E_CORRUPT, "a stored hash of %zu bytes", len);
        memcpy(list[count].tx, tx, 32);
        list[count].index = sql_int(row, 1);
    }
    for (int i = 0; i < count; i++) FR_TRY(explain_one(txn, r, &list[i], err));
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM vault_out WHERE explained = 0 AND chain_id = ?1", &left, err));
    sql_bind_int(left, 1, (int64_t)r->part->chain_id);
    FR_TRY(sql_step(left, &found, err));
    r->now.unexplained = sql_int(left, 0);
    return FR_OK;
}

static enum fr_status books_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct reconcile *r = arg;
    FR_TRY(place(txn, r, err));
    if (!r->may) return FR_OK;
    r->now.count = r->part->token_count;
    for (int i = 0; i < r->now.count; i++) FR_TRY(books_of(txn, r, &r->part->tokens[i], &r->now.at[i], err));
    return explain(txn, r, err);
}

// ---- what is there, and the comparison

static char *amount_text(struct u256 v, int decimals, char out[U256_TEXT_BYTES + 2])
{
    char digits[U256_TEXT_BYTES], *at = out;
    int len = (int)strlen(u256_text(v, digits)), whole = len > decimals ? len - decimals : 0;
    if (!whole) *at++ = '0';
    memcpy(at, digits, (size_t)whole);
    at += whole;
    int last = len;
    while (last > whole && digits[last - 1] == '0') last--;
    if (last > whole) {
        *at++ = '.';
        for (int i = len; i < decimals; i++) *at++ = '0';
        memcpy(at, digits + whole, (size_t)(last - whole));
        at += last - whole;
    }
    *at = 0;
    return out;
}

static enum fr_status compare(struct reconcile_asset *a, struct fr_err *err)
{
    struct u256 flight = { { 0 } }, reach = { { 0 } };
    FR_TRY(u256_from_units(a->liabilities_units, a->ledger_decimals, a->chain_decimals, &a->owed, err));
    FR_TRY(u256_from_units(a->in_flight_units, a->ledger_decimals, a->chain_decimals, &flight, err));
    if (!u256_add(a->owed, a->dust, &a->owed) || !u256_add(a->owed, a->held, &a->owed) || !u256_add(a->vault, a->forwarders, &a->have) || !u256_add(a->have, flight, &reach))
        return FR_FAIL(err, FR_E_LIMIT, "%s: amounts past 256 bits", a->asset);
    a->is_short = u256_compare(reach, a->owed) < 0;
    bool less = u256_compare(a->have, a->owed) < 0, fits = less ? u256_sub(a->owed, a->have, &a->by) : u256_sub(a->have, a->owed, &a->by);
    assert(fits);
    return FR_OK;
}

static void tell(struct reconcile *r)
{
    char text[300] = "", owed[U256_TEXT_BYTES + 2], have[U256_TEXT_BYTES + 2];
    size_t len = 0;
    r->now.is_short = false;
    for (int i = 0; i < r->now.count; i++) {
        const struct reconcile_asset *a = &r->now.at[i];
        if (!a->is_short) continue;
        r->now.is_short = true;
        if (len < sizeof text) len += (size_t)snprintf(text + len, sizeof text - len, "%s%s: %s owed, %s on chain", len ? "; " : "", a->asset, amount_text(a->owed, a->chain_decimals, owed), amount_text(a->have, a->chain_decimals, have));
    }
    halt(r, 0, "reconcile", "shortfall", text);
    snprintf(r->now.why, sizeof r->now.why, "%s", text);
    text[0] = 0;
    if (r->now.unexplained) snprintf(text, sizeof text, "%lld transfers out of the vault are in no data here: old data was restored, or somebody else moves its coins; `frond chain reconcile` shows them", (long long)r->now.unexplained);
    halt(r, 1, "outflows", "outflow_unknown", text);
    if (text[0] && !r->now.why[0]) snprintf(r->now.why, sizeof r->now.why, "%s", text);
}

static void on_vault(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct reconcile *r = arg;
    struct fr_err odd;
    (void)who;
    for (int i = 0; st == FR_OK && i < r->now.count; i++) {
        uint8_t word[32];
        err = &odd;
        if (a->at[i].fault) st = FR_FAIL(&odd, FR_E_BUSY, "%s: %s", rpc_fault_name(a->at[i].fault), a->at[i].text);
        else st = rpc_need_word(a->at[i].result, "", word, &odd);
        if (st != FR_OK) break;
        r->now.at[i].vault = u256_from_bytes(word);
        st = compare(&r->now.at[i], &odd);
    }
    if (st != FR_OK) {
        fail(r, err->text);
        return;
    }
    r->now.known = true;
    r->now.block = r->block;
    r->now.at_ms = now_of(r);
    r->now.looks = r->facts.looks + 1;
    r->now.failures = r->facts.failures;
    r->now.last_error[0] = 0;
    r->now.is_stale = false;
    r->behind_ms = 0;
    tell(r);
    r->facts = r->now;
    r->again = false;
    rest(r);
}

static void on_books(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct reconcile *r = arg;
    struct ask ask;
    struct fr_err why;
    r->jobs--;
    if (r->freed) {
        release(r);
        return;
    }
    if (st != FR_OK || !r->may) {
        if (st != FR_OK) {
            fail(r, err->text);
            return;
        }
        rest(r);
        if (r->current) r->behind_ms = 0;
        else behind(r, "deposits and balances are not read up to a newer one");
        return;
    }
    r->step = RECONCILE_CHAIN;
    ask_init(&ask);
    for (int i = 0; i < r->now.count; i++) ask_add_balance(&ask, &r->part->tokens[i].at, &r->part->vault, r->block);
    if (ask_go(&ask, r->part->endpoints, RPC_WORD, r->part->final.quorum, on_vault, r, &why) != FR_OK) fail(r, why.text);
    ask_free(&ask);
}

void reconcile_tick(struct reconcile *r)
{
    struct fr_err err;
    if (!r->begun) {
        r->begun = true;
        snprintf(r->facts.why, sizeof r->facts.why, "what is owed was not compared with the chain yet");
        halt(r, 0, "reconcile", "not_looked", r->facts.why);
    }
    if (r->step != RECONCILE_IDLE || now_of(r) < r->next_ms) return;
    r->step = RECONCILE_BOOKS;
    if (store_run(r->part->store, books_job, r, on_books, &err) == FR_OK) r->jobs++;
    else fail(r, err.text);
}

void reconcile_again(struct reconcile *r)
{
    r->again = true;
    r->next_ms = 0;
}

// ---- for people

void reconcile_facts(const struct reconcile *r, struct reconcile_facts *ret) { *ret = r->facts; }

static void print_asset(const struct reconcile_asset *a, struct fr_buf *out)
{
    char text[8][U256_TEXT_BYTES + 2];
    struct u256 owed = u256_of(0), flight = u256_of(0);
    struct fr_err err;
    int k = a->chain_decimals;
    FR_IGNORE(u256_from_units(a->liabilities_units, a->ledger_decimals, k, &owed, &err));          // it went well in compare
    FR_IGNORE(u256_from_units(a->in_flight_units, a->ledger_decimals, k, &flight, &err));
    fr_buf_addf(out, "{\"asset\":\"%s\",\"liabilities\":\"%s\",\"dust\":\"%s\",\"kept\":\"%s\",\"vault\":\"%s\",\"forwarders\":\"%s\",\"in_flight\":\"%s\",\"difference\":\"%s%s\",\"short\":%s}", a->asset, amount_text(owed, k, text[0]),
                amount_text(a->dust, k, text[1]), amount_text(a->held, k, text[2]), amount_text(a->vault, k, text[3]), amount_text(a->forwarders, k, text[4]), amount_text(flight, k, text[5]),
                u256_compare(a->have, a->owed) < 0 ? "-" : "", amount_text(a->by, k, text[6]), a->is_short ? "true" : "false");
}

void reconcile_print(const struct reconcile *r, struct fr_buf *out)
{
    const struct reconcile_facts *f = &r->facts;
    char at[25];
    fr_buf_addf(out, "{\"known\":%s,\"block\":\"%llu\",\"at\":", f->known ? "true" : "false", (unsigned long long)f->block);
    if (f->known) fr_buf_addf(out, "\"%s\"", fr_time_text(f->at_ms, at));
    else fr_buf_add(out, "null");
    fr_buf_add(out, ",\"assets\":[");
    for (int i = 0; i < f->count; i++) {
        if (i) fr_buf_add(out, ",");
        print_asset(&f->at[i], out);
    }
    fr_buf_addf(out, "],\"unexplained\":%lld,\"halted\":", (long long)f->unexplained);
    if (f->why[0]) fr_buf_addf(out, "\"%s\",\"why\":", !f->known ? "not_looked" : f->is_stale ? "reconcile_stale" : f->is_short ? "shortfall" : "outflow_unknown"), fr_buf_add_json_text(out, f->why);
    else fr_buf_add(out, "null,\"why\":null");
    fr_buf_add(out, ",\"error\":");
    if (f->last_error[0]) fr_buf_add_json_text(out, f->last_error);
    else fr_buf_add(out, "null");
    fr_buf_add(out, "}");
}

void reconcile_metrics(const struct reconcile *r, struct fr_buf *out)
{
    const struct reconcile_facts *f = &r->facts;
    char text[U256_TEXT_BYTES];
    fr_buf_addf(out, "# HELP frond_reconcile_block what is owed was last compared at this block\n# TYPE frond_reconcile_block gauge\nfrond_reconcile_block %llu\n", (unsigned long long)f->block);
    fr_buf_addf(out, "# HELP frond_reconcile_short less is on chain than is owed\n# TYPE frond_reconcile_short gauge\n");
    for (int i = 0; i < f->count; i++) fr_buf_addf(out, "frond_reconcile_short{asset=\"%s\"} %d\n", f->at[i].asset, f->at[i].is_short);
    fr_buf_addf(out, "# HELP frond_reconcile_owed what is owed, in units of the chain\n# TYPE frond_reconcile_owed gauge\n");
    for (int i = 0; i < f->count; i++) fr_buf_addf(out, "frond_reconcile_owed{asset=\"%s\"} %s\n", f->at[i].asset, u256_text(f->at[i].owed, text));
    fr_buf_addf(out, "# HELP frond_reconcile_have what is on chain, in units of the chain\n# TYPE frond_reconcile_have gauge\n");
    for (int i = 0; i < f->count; i++) fr_buf_addf(out, "frond_reconcile_have{asset=\"%s\"} %s\n", f->at[i].asset, u256_text(f->at[i].have, text));
    fr_buf_addf(out, "# HELP frond_reconcile_unexplained transfers out of the vault that no data here explains\n# TYPE frond_reconcile_unexplained gauge\nfrond_reconcile_unexplained %lld\n", (long long)f->unexplained);
    fr_buf_addf(out, "# HELP frond_reconcile_failures_total looks that failed\n# TYPE frond_reconcile_failures_total counter\nfrond_reconcile_failures_total %lld\n", (long long)f->failures);
}

enum fr_status reconcile_accept(struct store_txn *txn, int64_t *count, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE vault_out SET explained = 2 WHERE explained = 0", &row, err));
    return sql_do(row, count, err);
}

enum fr_status reconcile_print_outflows(struct store_txn *txn, int limit, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    char hex[65], text[U256_TEXT_BYTES], who[ADDRESS_TEXT_BYTES];
    FR_TRY(sql_begin(txn, "SELECT tx, log_index, block, asset, receiver, amount FROM vault_out WHERE explained = 0 ORDER BY block DESC, log_index LIMIT ?1", &row, err));
    sql_bind_int(row, 1, limit);
    fr_buf_add(out, "[");
    for (int n = 0; ; n++) {
        struct address to = { { 0 } };
        struct u256 amount;
        size_t tx_len = 0, to_len = 0;
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        const void *tx = sql_bytes(row, 0, &tx_len), *receiver = sql_bytes(row, 4, &to_len);
        if (tx_len != 32 || to_len != ADDRESS_BYTES) return FR_FAIL(err, FR_E_CORRUPT, "a stored outflow of the wrong size");
        memcpy(to.bytes, receiver, ADDRESS_BYTES);
        FR_TRY(deposit_amount(row, 5, &amount, err));
        fr_buf_addf(out, "%s{\"tx\":\"0x%s\",\"log_index\":\"%lld\",\"block\":\"%lld\",\"asset\":\"%s\",\"to\":\"%s\",\"chain_amount\":\"%s\"}", n ? "," : "", fr_hex(tx, 32, hex), (long long)sql_int(row, 1), (long long)sql_int(row, 2), sql_text(row, 3),
                    address_text(&to, who), u256_text(amount, text));
    }
    fr_buf_add(out, "]");
    return FR_OK;
}
