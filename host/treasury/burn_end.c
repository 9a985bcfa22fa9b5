// burn_end.c — how a batch ends: what its payment's end says, what the chain says, what an operator says; and the batches that the chain knows and this data does not.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "treasury/burn_inside.h"

static void owner_of(int64_t n, char out[32]) { snprintf(out, 32, "burn:%" PRId64, n); }

// ---- the payment

enum fr_status burn_on_end(struct store_txn *txn, void *x, const struct txq_payment_row *row, struct fr_err *err)
{
    struct burn_batch b;
    char *rest = NULL;
    (void)x;
    int64_t n = strtoll(row->name + 5, &rest, 10);
    int try = *rest == ':' ? atoi(rest + 1) : 1;
    FR_TRY(burn_batch_get(txn, n, &b, err));
    if (b.state == BURN_BURNED && row->end == TXQ_PAID && b.block == 0) {         // the chain was quicker
        memcpy(b.tx, row->hash, 32);
        b.block = row->block;
        return burn_batch_save(txn, &b, err);
    }
    if (b.state != BURN_SENT || try != b.tries) return FR_OK;
    b.state = BURN_ENDED;
    b.end = row->end;
    b.block = row->block;
    memcpy(b.tx, row->hash, 32);
    return burn_batch_save(txn, &b, err);
}

// ---- booked

static enum fr_status totals_add(struct store_txn *txn, const struct burn_batch *b, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT plugin, sum(units) FROM burn_accrual WHERE batch = ?1 AND batch <> 0 GROUP BY plugin", &row, err));
    sql_bind_int(row, 1, b->n);
    for (;;) {
        struct store_row *add = NULL;
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        FR_TRY(sql_begin(txn, "INSERT INTO burn_total(asset, plugin, units) VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET units = units + ?3", &add, err));
        sql_bind_text(add, 1, b->asset);
        sql_bind_text(add, 2, sql_text(row, 0));
        sql_bind_int(add, 3, sql_int(row, 1));
        FR_TRY(sql_do(add, NULL, err));
    }
}

enum fr_status burn_settle(struct store_txn *txn, const struct burn_batch *b, int64_t now_ms, struct fr_err *err)
{
    struct ledger_account burned;
    char owner[32], key[48], note[67] = "0x";
    int64_t id;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "burned", b->asset, &burned, err));
    owner_of(b->n, owner);
    snprintf(key, sizeof key, "%s:burned", owner);
    fr_hex(b->id, 32, note + 2);
    struct ledger_leg leg = { burned.id, b->units };
    FR_TRY(ledger_holds_settle(txn, owner, &leg, 1, key, "burned", note, now_ms, &id, err));
    return totals_add(txn, b, err);
}

static enum fr_status release(struct store_txn *txn, struct burn_batch *b, const char *why, int64_t now_ms, struct fr_err *err)
{
    char owner[32], key[48];
    struct store_row *row = NULL;
    int64_t id;
    owner_of(b->n, owner);
    snprintf(key, sizeof key, "%s:returned", owner);
    FR_TRY(ledger_holds_release(txn, owner, key, "burn_returned", now_ms, &id, err));
    FR_TRY(sql_begin(txn, "UPDATE burn_accrual SET batch = 0 WHERE batch = ?1 AND batch <> 0", &row, err));
    sql_bind_int(row, 1, b->n);
    FR_TRY(sql_do(row, NULL, err));
    b->state = BURN_RETURNED;
    b->ended_ms = now_ms;
    snprintf(b->why, sizeof b->why, "%s", why);
    return burn_batch_save(txn, b, err);
}

// A payment that waits for what happened already would wait for ever.
static enum fr_status forget_payment(struct store_txn *txn, const struct burn_batch *b, struct fr_err *err)
{
    enum fr_status st = b->payment ? txq_cancel(txn, b->payment, TXQ_CANCEL, err) : FR_OK;
    return st == FR_E_CONFLICT || st == FR_E_NOT_FOUND ? FR_OK : st;
}

static enum fr_status burned(struct store_txn *txn, struct burn_batch *b, const struct burn_word *word, uint64_t at_block, int64_t now_ms, struct fr_err *err)
{
    struct burn_seen seen;
    bool found = false;
    FR_TRY(burn_settle(txn, b, now_ms, err));
    FR_TRY(burn_seen_get(txn, b->id, &seen, &found, err));
    if (found) memcpy(b->tx, seen.event.tx, 32);               // whose ever it was
    else if (b->end != TXQ_PAID) memset(b->tx, 0, 32);
    if (b->state == BURN_SENT) FR_TRY(forget_payment(txn, b, err));
    b->state = BURN_BURNED;
    b->block = word->block;
    b->time_s = (int64_t)word->time_s;
    b->read_block = at_block;
    b->ended_ms = now_ms;
    b->why[0] = 0;
    return burn_batch_save(txn, b, err);
}

static enum fr_status stays(struct store_txn *txn, struct burn_batch *b, enum burn_state state, uint64_t at_block, const char *why, struct fr_err *err)
{
    b->state = state;
    b->read_block = at_block;
    snprintf(b->why, sizeof b->why, "%s", why);
    return burn_batch_save(txn, b, err);
}

static enum fr_status not_burned(struct store_txn *txn, struct burn_batch *b, uint64_t at_block, int64_t now_ms, struct fr_err *err)
{
    if (b->wants_return) return release(txn, b, "by an operator", now_ms, err);
    switch (b->end) {
    case TXQ_PAID: return stays(txn, b, BURN_REFUTED, at_block, "its transaction is final and did not revert, and the module knows of no such batch", err);
    case TXQ_REVERTED: return stays(txn, b, BURN_REVERTED, at_block, "its transaction reverted: run sends another, return gives its accruals back", err);
    case TXQ_CANCELLED: return release(txn, b, "its payment was taken back", now_ms, err);
    case TXQ_LOST: return burn_put(txn, b, now_ms, err);       // the same id: whichever comes first burns, the other reverts
    case TXQ_NOT_ENDED: break;
    }
    return FR_OK;
}

enum fr_status burn_decide(struct store_txn *txn, int64_t n, const struct burn_word *word, uint64_t at_block, int64_t now_ms, bool *moved, struct fr_err *err)
{
    struct burn_batch b;
    *moved = false;
    FR_TRY(burn_batch_get(txn, n, &b, err));
    if (b.state != BURN_SENT && b.state != BURN_ENDED) return FR_OK;      // it was decided meanwhile
    if (word->burned) {
        *moved = true;
        if (u256_compare(word->amount, b.amount) == 0 && memcmp(word->root, b.root, 32) == 0) return burned(txn, &b, word, at_block, now_ms, err);
        return stays(txn, &b, BURN_REFUTED, at_block, "the module burned another amount, or other reasons, under its id", err);
    }
    if (b.state == BURN_SENT || at_block < b.block) return FR_OK;          // too early to say no
    *moved = true;
    return not_burned(txn, &b, at_block, now_ms, err);
}

// ---- orders

static enum fr_status ordered(struct store_txn *txn, const char *id, struct burn_batch *ret, struct fr_err *err)
{
    bool is_batch;
    int64_t n;
    FR_TRY(burn_id_parse(txn, id, &is_batch, &n, err));
    if (!is_batch) return FR_FAIL(err, FR_E_INVALID, "%s is an accrual; b and a number is a batch", id);
    FR_TRY(burn_batch_get(txn, n, ret, err));
    if (ret->state == BURN_BURNED || ret->state == BURN_RETURNED) return FR_FAIL_CODE(err, FR_E_CONFLICT, "burn_ended", "batch b%" PRId64 " is %s", n, burn_state_name(ret->state));
    return FR_OK;
}

static enum fr_status run_all(struct store_txn *txn, struct fr_err *err)
{
    struct burn_flags f;
    bool more = true, any = false;
    FR_SQL_ROW(row);
    FR_TRY(burn_collect(txn, &more, err));
    FR_TRY(sql_begin(txn, "SELECT 1 FROM burn_accrual WHERE batch = 0 LIMIT 1", &row, err));
    FR_TRY(sql_step(row, &any, err));
    if (!any && !more) return FR_FAIL_CODE(err, FR_E_CONFLICT, "burn_nothing", "nothing is pending");
    FR_TRY(burn_flags_get(txn, &f, err));
    f.run = true;
    return burn_flags_set(txn, &f, err);
}

enum fr_status burn_run(struct store_txn *txn, const char *id, int64_t now_ms, struct fr_err *err)
{
    struct burn_batch b;
    if (!id[0]) return run_all(txn, err);
    FR_TRY(ordered(txn, id, &b, err));
    b.wants_return = false;
    if (b.state == BURN_REVERTED) return burn_put(txn, &b, now_ms, err);
    if (b.state == BURN_REFUTED) b.state = BURN_ENDED;
    return burn_batch_save(txn, &b, err);
}

enum fr_status burn_return(struct store_txn *txn, const char *id, struct fr_err *err)
{
    struct burn_batch b;
    FR_TRY(ordered(txn, id, &b, err));
    b.wants_return = true;
    if (b.state == BURN_SENT) FR_TRY(forget_payment(txn, &b, err));
    else b.state = BURN_ENDED;                                 // the chain is asked once more
    return burn_batch_save(txn, &b, err);
}

// ---- adopted

struct candidate { int64_t entry, account, units; struct merkle_hash leaf; };
struct candidates { struct candidate *at; int count; };

static enum fr_status candidates_read(struct store_txn *txn, const char *asset, int scale, struct candidates *c, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE asset = ?1 AND batch = 0 ORDER BY entry LIMIT ?2", &row, err));
    sql_bind_text(row, 1, asset);
    sql_bind_int(row, 2, BURN_ADOPT_ROWS_MAX);
    for (;;) {
        struct burn_accrual a;
        uint8_t bytes[BURN_LEAF_BYTES];
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        burn_accrual_read(row, &a);
        struct candidate *at = &c->at[c->count++];
        *at = (struct candidate){ .entry = a.entry, .account = a.account, .units = a.units };
        FR_TRY(burn_accrual_leaf(&a, scale, bytes, &at->leaf, err));
    }
}

static enum fr_status run_matches(const struct candidates *c, int from, int to, const uint8_t root[32], bool *yes, struct fr_err *err)
{
    FR_AUTO(merkle) m = NULL;
    FR_AUTO_MEM struct merkle_hash *leaves = fr_alloc(sizeof *leaves * (size_t)(to - from));
    if (!leaves) return FR_FAIL(err, FR_E_NOMEM, "no memory for a tree");
    for (int i = from; i < to; i++) leaves[i - from] = c->at[i].leaf;
    FR_TRY(merkle_new(leaves, (size_t)(to - from), &m, err));
    struct merkle_hash got = merkle_root(m);
    *yes = memcmp(got.bytes, root, 32) == 0;
    return FR_OK;
}

// The run of neighbours that sums to `units` and has this root; else the oldest, as far as `units` reach. from..to.
static enum fr_status candidates_choose(const struct candidates *c, int64_t units, const uint8_t root[32], int *from, int *to, bool *exact, struct fr_err *err)
{
    int64_t sum = 0;
    int tries = 0;
    for (int i = 0, j = 0; j < c->count && tries < BURN_ADOPT_TRIES_MAX; ) {
        sum += c->at[j++].units;
        while (sum > units) sum -= c->at[i++].units;
        if (sum != units || j - i > BURN_BATCH_ACCRUALS_MAX || i == j) continue;
        tries++;
        FR_TRY(run_matches(c, i, j, root, exact, err));
        *from = i;
        *to = j;
        if (*exact) return FR_OK;
    }
    *from = *to = 0;
    for (sum = 0; *to < c->count && *to < BURN_BATCH_ACCRUALS_MAX && c->at[*to].units <= units - sum; sum += c->at[(*to)++].units) {}
    return FR_OK;
}

static enum fr_status book_lost(struct store_txn *txn, const struct burn_batch *b, int64_t now_ms, struct fr_err *err)
{
    struct ledger_account lost, burned_account;
    char key[48];
    int64_t id;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "lost", b->asset, &lost, err));
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "burned", b->asset, &burned_account, err));
    snprintf(key, sizeof key, "burn:%" PRId64 ":lost", b->n);
    struct ledger_leg legs[] = { { lost.id, -b->lost_units }, { burned_account.id, b->lost_units } };
    struct ledger_transfer t = { .key = key, .reason = "burned", .note = "a batch that this data did not know", .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, now_ms, &id, err);
}

static enum fr_status adopt_book(struct store_txn *txn, struct burn_batch *b, const struct candidates *c, int from, int to, int64_t now_ms, struct fr_err *err)
{
    for (int i = from; i < to; i++) {
        struct store_row *row = NULL;
        FR_TRY(sql_begin(txn, "UPDATE burn_accrual SET batch = ?3 WHERE entry = ?1 AND account = ?2 AND batch = 0", &row, err));
        sql_bind_int(row, 1, c->at[i].entry);
        sql_bind_int(row, 2, c->at[i].account);
        sql_bind_int(row, 3, b->n);
        FR_TRY(sql_do(row, NULL, err));
    }
    if (to > from) FR_TRY(burn_holds_open(txn, b, now_ms, err));
    if (to > from) FR_TRY(burn_settle(txn, b, now_ms, err));
    if (b->lost_units > 0) FR_TRY(book_lost(txn, b, now_ms, err));
    b->state = BURN_BURNED;
    b->ended_ms = now_ms;
    return burn_batch_save(txn, b, err);
}

static enum fr_status adopt_seen(struct store_txn *txn, const struct burn_seen *s, struct candidates *c, int64_t now_ms, struct burn_batch *b, bool *exact, struct fr_err *err)
{
    int from = 0, to = 0;
    int64_t units, sum = 0;
    struct u256 dust;
    FR_TRY(u256_to_units_dust(s->event.amount, s->scale, 0, &units, &dust, err));       // what the ledger cannot count was burned too, and is nobody's
    FR_TRY(candidates_read(txn, s->asset, s->scale, c, err));
    FR_TRY(candidates_choose(c, units, s->event.root, &from, &to, exact, err));
    for (int i = from; i < to; i++) sum += c->at[i].units;
    *b = (struct burn_batch){ .state = BURN_ENDED, .amount = s->event.amount, .units = sum, .scale = s->scale, .accruals = to - from, .chain_id = s->chain_id, .module = s->module, .adopted = true, .made_ms = now_ms };
    snprintf(b->asset, sizeof b->asset, "%s", s->asset);
    memcpy(b->id, s->event.id, 32);
    memcpy(b->root, s->event.root, 32);
    FR_TRY(burn_batch_add(txn, b, err));
    memcpy(b->tx, s->event.tx, 32);
    b->block = b->read_block = s->event.block;
    b->lost_units = units - sum;
    snprintf(b->why, sizeof b->why, *exact ? "adopted: its accruals are the ones that were burned" : "adopted: what was burned is not known; the oldest that were pending stand for it");
    FR_TRY(adopt_book(txn, b, c, from, to, now_ms, err));
    return burn_seen_mark(txn, s->event.id, b->n, err);
}

// One that this data has as another: its own accruals come back first.
static enum fr_status refuted_return(struct store_txn *txn, struct burn_seen *s, int64_t now_ms, struct fr_err *err)
{
    struct burn_batch b;
    if (s->batch == 0) return FR_OK;
    FR_TRY(burn_batch_get(txn, s->batch, &b, err));
    bool mismatch = u256_compare(s->event.amount, b.amount) != 0 || memcmp(s->event.root, b.root, 32) != 0;
    if (b.state != BURN_REFUTED || !mismatch) return FR_FAIL_CODE(err, FR_E_CONFLICT, "burn_known", "that batch is b%" PRId64 ", and %s", b.n, burn_state_name(b.state));
    return release(txn, &b, "the module burned something else under its id", now_ms, err);
}

enum fr_status burn_adopt(struct store_txn *txn, const char *id, int64_t now_ms, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO_MEM struct candidate *room = NULL;
    struct candidates c = { 0 };
    struct burn_seen s;
    struct burn_batch b;
    uint8_t hash[32];
    bool found = false, exact = false, more = true;
    if (strlen(id) == 66 && strncmp(id, "0x", 2) == 0 && fr_unhex(id + 2, 64, hash, 32)) FR_TRY(burn_seen_get(txn, hash, &s, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "burn_unknown", "the chain was not seen to burn a batch %.70s", id);
    FR_TRY(refuted_return(txn, &s, now_ms, err));
    while (more) FR_TRY(burn_collect(txn, &more, err));
    c.at = room = fr_alloc(sizeof *room * BURN_ADOPT_ROWS_MAX);
    if (!room) return FR_FAIL(err, FR_E_NOMEM, "no memory for %d accruals", BURN_ADOPT_ROWS_MAX);
    FR_TRY(adopt_seen(txn, &s, &c, now_ms, &b, &exact, err));
    fr_buf_addf(out, "{\"batch\":\"b%" PRId64 "\",\"exact\":%s,\"accruals\":%d,\"units\":\"%" PRId64 "\",\"lost\":\"%" PRId64 "\"}", b.n, exact ? "true" : "false", b.accruals, b.units, b.lost_units);
    return FR_OK;
}
