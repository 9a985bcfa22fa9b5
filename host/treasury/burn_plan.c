// burn_plan.c — whether a batch is made, of which accruals, and everything that belongs to it in one job.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "treasury/burn_inside.h"

struct taken { int64_t entry, account, units; struct merkle_hash leaf; };
struct taking { struct taken *at; int count; int64_t accounts[BURN_BATCH_ACCOUNTS_MAX]; int account_count; int64_t units; bool over_limit; };

// ---- may it be made?

static enum fr_status is_halted(struct store_txn *txn, bool *yes, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT 1 FROM burn_seen WHERE batch = 0 UNION ALL SELECT 1 FROM burn_batch WHERE state = 6", &row, err));
    return sql_step(row, yes, err);
}

static enum fr_status open_count(struct store_txn *txn, int64_t *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM burn_batch WHERE state IN (1, 2)", &row, err));
    FR_TRY(sql_step(row, &found, err));
    *count = sql_int(row, 0);
    return FR_OK;
}

static enum fr_status plan_wait(struct store_txn *txn, const struct burn_rules *r, const struct burn_flags *f, int64_t now_ms, enum burn_wait *ret, struct fr_err *err)
{
    int64_t free_units, held_units, oldest_ms, open;
    bool halted = false;
    FR_TRY(burn_pending(txn, r->asset, &free_units, &held_units, &oldest_ms, err));
    FR_TRY(open_count(txn, &open, err));
    FR_TRY(is_halted(txn, &halted, err));
    bool due = f->run || free_units >= r->threshold_units || now_ms - oldest_ms >= r->age_ms;
    bool patient = !f->run && now_ms - oldest_ms < r->hard_age_ms;
    *ret = halted ? BURN_WAIT_HALTED : f->paused ? BURN_WAIT_PAUSED : !due ? BURN_WAIT_THRESHOLD : r->gas_over && patient ? BURN_WAIT_GAS :
           open >= BURN_OPEN_MAX ? BURN_WAIT_OPEN : BURN_WAIT_NOTHING;
    if (oldest_ms == 0) *ret = BURN_WAIT_THRESHOLD;
    return FR_OK;
}

// ---- which accruals: the oldest, up to a batch's bounds and the module's limit per day

static bool take_account(struct taking *t, int64_t account)
{
    int i = 0;
    while (i < t->account_count && t->accounts[i] != account) i++;
    if (i < t->account_count) return true;
    if (t->account_count == BURN_BATCH_ACCOUNTS_MAX) return false;
    t->accounts[t->account_count++] = account;
    return true;
}

static enum fr_status take(struct store_txn *txn, const struct burn_rules *r, struct taking *t, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE asset = ?1 AND batch = 0 ORDER BY entry LIMIT ?2", &row, err));
    sql_bind_text(row, 1, r->asset);
    sql_bind_int(row, 2, 2 * BURN_BATCH_ACCRUALS_MAX);
    while (t->count < BURN_BATCH_ACCRUALS_MAX) {
        struct burn_accrual a;
        uint8_t bytes[BURN_LEAF_BYTES];
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        burn_accrual_read(row, &a);
        if (a.units > r->day_limit_units) {                    // it alone is over: an operator raises the limit
            t->over_limit = true;
            continue;
        }
        if (a.units > r->day_limit_units - t->units) return FR_OK;
        if (!take_account(t, a.account)) continue;
        struct taken *at = &t->at[t->count++];
        *at = (struct taken){ .entry = a.entry, .account = a.account, .units = a.units };
        FR_TRY(burn_accrual_leaf(&a, r->scale, bytes, &at->leaf, err));
        t->units += a.units;
    }
    return FR_OK;
}

static enum fr_status taken_root(const struct taking *t, uint8_t root[32], struct fr_err *err)
{
    FR_AUTO(merkle) m = NULL;
    struct merkle_hash leaves[BURN_BATCH_ACCRUALS_MAX];
    for (int i = 0; i < t->count; i++) leaves[i] = t->at[i].leaf;
    FR_TRY(merkle_new(leaves, (size_t)t->count, &m, err));
    struct merkle_hash hash = merkle_root(m);
    memcpy(root, hash.bytes, 32);
    return FR_OK;
}

// An id that was used for something burned is no use: one accrual less is another id.
static enum fr_status taken_name(struct store_txn *txn, const struct burn_rules *r, struct taking *t, struct burn_batch *b, struct fr_err *err)
{
    for (; t->count > 0; t->units -= t->at[--t->count].units) {
        struct burn_batch other;
        struct burn_seen seen;
        bool used = false, burned = false;
        FR_TRY(taken_root(t, b->root, err));
        FR_TRY(u256_from_units(t->units, 0, r->scale, &b->amount, err));
        burn_batch_id(r->chain_id, &r->module, b->amount, b->root, b->id);
        FR_TRY(burn_batch_by_id(txn, b->id, false, &other, &used, err));
        FR_TRY(burn_seen_get(txn, b->id, &seen, &burned, err));
        if (!used && !burned) break;
    }
    b->accruals = t->count;
    b->units = t->units;
    return FR_OK;
}

// ---- made

static enum fr_status mark(struct store_txn *txn, const struct taking *t, int64_t n, struct fr_err *err)
{
    for (int i = 0; i < t->count; i++) {
        struct store_row *row = NULL;
        int64_t changed = 0;
        FR_TRY(sql_begin(txn, "UPDATE burn_accrual SET batch = ?3 WHERE entry = ?1 AND account = ?2 AND batch = 0", &row, err));
        sql_bind_int(row, 1, t->at[i].entry);
        sql_bind_int(row, 2, t->at[i].account);
        sql_bind_int(row, 3, n);
        FR_TRY(sql_do(row, &changed, err));
        if (changed != 1) return FR_FAIL(err, FR_E_CONFLICT, "accrual %" PRId64 " is in a batch already", t->at[i].entry);
    }
    return FR_OK;
}

enum fr_status burn_holds_open(struct store_txn *txn, const struct burn_batch *b, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT account, sum(units) FROM burn_accrual WHERE batch = ?1 AND batch <> 0 GROUP BY account ORDER BY account", &row, err));
    sql_bind_int(row, 1, b->n);
    for (;;) {
        bool found = false;
        struct ledger_hold made, ask = { .expires_ms = 0 };
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        ask.account = sql_int(row, 0);
        ask.units = sql_int(row, 1);
        snprintf(ask.owner, sizeof ask.owner, "burn:%" PRId64, b->n);
        snprintf(ask.key, sizeof ask.key, "burn:%" PRId64 ":%" PRId64, b->n, ask.account);
        FR_TRY(ledger_hold_open(txn, &ask, "burning", now_ms, &made, err));
    }
}

enum fr_status burn_put(struct store_txn *txn, struct burn_batch *b, int64_t now_ms, struct fr_err *err)
{
    FR_AUTO_BUF(data);
    struct txq_ask ask = { .queue = TREASURY_QUEUE, .to = b->module, .gas = BURN_GAS };
    fr_buf_init(&data, TXQ_DATA_BYTES_MAX);
    FR_TRY(burn_calldata(b->id, b->amount, b->root, &data, err));
    ask.data = (const uint8_t *)data.data;
    ask.data_len = data.len;
    b->tries++;
    if (b->tries == 1) snprintf(ask.name, sizeof ask.name, "burn:%" PRId64, b->n);
    else snprintf(ask.name, sizeof ask.name, "burn:%" PRId64 ":%d", b->n, b->tries);
    FR_TRY(txq_put(txn, &ask, now_ms, &b->payment, err));
    b->state = BURN_SENT;
    b->end = TXQ_NOT_ENDED;
    b->block = 0;
    b->why[0] = 0;
    memset(b->tx, 0, sizeof b->tx);
    return burn_batch_save(txn, b, err);
}

static enum fr_status make(struct store_txn *txn, const struct burn_rules *r, struct taking *t, int64_t now_ms, int64_t *n, struct fr_err *err)
{
    struct burn_batch b = { .state = BURN_SENT, .scale = r->scale, .chain_id = r->chain_id, .module = r->module, .made_ms = now_ms };
    snprintf(b.asset, sizeof b.asset, "%s", r->asset);
    FR_TRY(taken_name(txn, r, t, &b, err));
    if (t->count == 0) return FR_OK;
    FR_TRY(burn_batch_add(txn, &b, err));
    FR_TRY(mark(txn, t, b.n, err));
    FR_TRY(burn_holds_open(txn, &b, now_ms, err));
    FR_TRY(burn_put(txn, &b, now_ms, err));
    *n = b.n;
    return FR_OK;
}

enum fr_status burn_plan(struct store_txn *txn, const struct burn_rules *r, int64_t now_ms, struct burn_planned *ret, struct fr_err *err)
{
    FR_AUTO_MEM struct taken *room = NULL;
    struct burn_flags f;
    struct taking t = { 0 };
    *ret = (struct burn_planned){ 0 };
    FR_TRY(burn_flags_get(txn, &f, err));
    FR_TRY(plan_wait(txn, r, &f, now_ms, &ret->wait, err));
    if (ret->wait != BURN_WAIT_NOTHING) return FR_OK;
    t.at = room = fr_alloc(sizeof *room * BURN_BATCH_ACCRUALS_MAX);
    if (!room) return FR_FAIL(err, FR_E_NOMEM, "no memory for a batch");
    FR_TRY(take(txn, r, &t, err));
    bool all = t.count < BURN_BATCH_ACCRUALS_MAX;
    FR_TRY(make(txn, r, &t, now_ms, &ret->n, err));
    if (ret->n == 0) ret->wait = t.over_limit ? BURN_WAIT_DAY_LIMIT : BURN_WAIT_THRESHOLD;
    if (!f.run || !all) return FR_OK;
    f.run = false;
    return burn_flags_set(txn, &f, err);
}
