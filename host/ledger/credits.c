// credits.c — what came into the accounts of one kind, in the order of the journal. A cursor over rows cannot miss one: they have no gaps and never change.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "ledger/internal.h"

struct owners { struct ledger_account *at; int count, room; };

static enum fr_status owners_read(struct store_txn *txn, enum ledger_owner_kind kind, struct owners *o, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE kind = ?1 ORDER BY id", &row, err));
    sql_bind_int(row, 1, kind);
    for (;;) {
        bool found = false;
        struct account a;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        if (o->count == o->room) {
            struct ledger_account *more = fr_realloc(o->at, sizeof *more * (size_t)(o->room = o->room ? 2 * o->room : 64));
            if (!more) return FR_FAIL(err, FR_E_NOMEM, "no memory for the accounts of %s", ledger_owner_name(kind));
            o->at = more;
        }
        account_read(row, &a);
        o->at[o->count++] = a.facts;
    }
}

static int by_id(const void *key, const void *one)
{
    int64_t id = *(const int64_t *)key, other = ((const struct ledger_account *)one)->id;
    return id < other ? -1 : id > other;
}

static enum fr_status row_credits(const struct journal_row *r, const struct owners *o, ledger_credit_fn *each, void *arg, struct fr_err *err)
{
    const char *legs = r->legs;
    struct stored_leg leg;
    bool bad = false;
    while (leg_next(&legs, &leg, &bad)) {
        if (leg.change.free_units <= 0 || leg.change.held_units != 0) continue;       // what a hold gives back was there before
        const struct ledger_account *a = o->count ? bsearch(&leg.change.account, o->at, (size_t)o->count, sizeof *o->at, by_id) : NULL;
        if (a) FR_TRY(each(arg, &(struct ledger_credit){ .entry = r->id, .at_ms = r->at_ms, .units = leg.change.free_units, .account = a, .reason = r->reason, .note = r->note }, err));
    }
    return bad ? FR_FAIL(err, FR_E_CORRUPT, "the legs of journal row %lld cannot be read; run the audit", (long long)r->id) : FR_OK;
}

static enum fr_status rows_credits(struct store_txn *txn, const struct owners *o, int limit, ledger_credit_fn *each, void *arg, int64_t *after, bool *more, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " JOURNAL_COLUMNS " FROM journal WHERE id > ?1 ORDER BY id LIMIT ?2", &row, err));
    sql_bind_int(row, 1, *after);
    sql_bind_int(row, 2, limit);
    for (int n = 0;; n++) {
        bool found = false;
        struct journal_row r;
        FR_TRY(sql_step(row, &found, err));
        *more = n == limit;
        if (!found) return FR_OK;
        journal_row_read(row, &r);
        FR_TRY(row_credits(&r, o, each, arg, err));
        *after = r.id;
    }
}

enum fr_status ledger_credits(struct store_txn *txn, enum ledger_owner_kind kind, int limit, ledger_credit_fn *each, void *arg, int64_t *after, bool *more, struct fr_err *err)
{
    struct owners o = { 0 };
    enum fr_status st = owners_read(txn, kind, &o, err);
    if (st == FR_OK) st = rows_credits(txn, &o, limit, each, arg, after, more, err);
    fr_free(o.at);
    return st;
}
