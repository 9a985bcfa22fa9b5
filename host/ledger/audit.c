// audit.c — replays the journal from nothing, and compares what it makes with what the tables say.
//
// It reads accounts and holds first, in order of their numbers, then the journal once. The first fault is kept as a sentence;
// the audit goes on, so that the four flags tell how far the damage reaches.
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "ledger/internal.h"

struct replayed_account { int64_t id, free_units, held_units, last_entry; char asset[16]; };        // what the journal makes of it
struct replayed_hold { struct ledger_hold stored; bool opened, ended; enum ledger_hold_state state; };

struct audit {
    struct ledger_audit *ret;
    struct replayed_account *accounts; int64_t account_count, account_cap;
    struct replayed_hold *holds; int64_t hold_count, hold_cap;
    int64_t last_id;
    uint8_t head[SHA256_BYTES];
};

static void fault(struct ledger_audit *ret, bool *flag, const char *fmt, ...) FR_PRINTF(3, 4);
static void fault(struct ledger_audit *ret, bool *flag, const char *fmt, ...)
{
    *flag = false;
    if (ret->first_fault[0]) return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(ret->first_fault, sizeof ret->first_fault, fmt, args);
    va_end(args);
}

// ---- what the tables say

static bool grow(void **items, int64_t count, int64_t *cap, size_t item_bytes)
{
    if (count < *cap) return true;
    int64_t more = *cap ? *cap * 2 : 256;
    void *grown = fr_realloc(*items, (size_t)more * item_bytes);
    if (!grown) return false;
    *items = grown;
    *cap = more;
    return true;
}

static enum fr_status accounts_read(struct store_txn *txn, struct audit *a, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id, asset FROM account ORDER BY id", &row, err));
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        if (!grow((void **)&a->accounts, a->account_count, &a->account_cap, sizeof *a->accounts)) return FR_FAIL(err, FR_E_NOMEM, "no memory for the audit's accounts");
        struct replayed_account *made = &a->accounts[a->account_count++];
        *made = (struct replayed_account){ .id = sql_int(row, 0) };
        snprintf(made->asset, sizeof made->asset, "%s", sql_text(row, 1));
    }
}

static enum fr_status holds_read_all(struct store_txn *txn, struct audit *a, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " HOLD_COLUMNS " FROM hold ORDER BY id", &row, err));
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        if (!grow((void **)&a->holds, a->hold_count, &a->hold_cap, sizeof *a->holds)) return FR_FAIL(err, FR_E_NOMEM, "no memory for the audit's holds");
        struct replayed_hold *h = &a->holds[a->hold_count++];
        *h = (struct replayed_hold){ 0 };
        hold_read(row, &h->stored);
    }
}

static struct replayed_account *account_at(struct audit *a, int64_t id)
{
    if (id >= 1 && id <= a->account_count && a->accounts[id - 1].id == id) return &a->accounts[id - 1];    // numbers rarely have gaps
    int64_t low = 0, high = a->account_count - 1;
    while (low <= high) {
        int64_t mid = (low + high) / 2;
        if (a->accounts[mid].id == id) return &a->accounts[mid];
        if (a->accounts[mid].id < id) low = mid + 1;
        else high = mid - 1;
    }
    return NULL;
}

static struct replayed_hold *hold_at(struct audit *a, int64_t id)
{
    int64_t low = 0, high = a->hold_count - 1;
    while (low <= high) {
        int64_t mid = (low + high) / 2;
        if (a->holds[mid].stored.id == id) return &a->holds[mid];
        if (a->holds[mid].stored.id < id) low = mid + 1;
        else high = mid - 1;
    }
    return NULL;
}

// ---- one journal row

static void row_check_chain(struct audit *a, const struct journal_row *row)
{
    struct ledger_audit *ret = a->ret;
    if (row->id != a->last_id + 1)
        fault(ret, &ret->chain_ok, "journal row %" PRId64 " is missing", a->last_id + 1);
    uint8_t hash[SHA256_BYTES];
    journal_row_hash(a->head, row, hash);
    if (row->hash_len != SHA256_BYTES || memcmp(row->hash, hash, SHA256_BYTES) != 0)
        fault(ret, &ret->chain_ok, "journal row %" PRId64 " (%s) was changed: its hash does not fit", row->id, row->key);
    // Goes on with the stored hash, so that one changed row is one fault and not one in every row after it.
    if (row->hash_len == SHA256_BYTES) memcpy(a->head, row->hash, SHA256_BYTES);
    a->last_id = row->id;
}

static void leg_replay(struct audit *a, const struct journal_row *row, const struct stored_leg *leg)
{
    struct ledger_audit *ret = a->ret;
    struct replayed_account *account = account_at(a, leg->change.account);
    if (!account) {
        fault(ret, &ret->balances_ok, "journal row %" PRId64 " names account %" PRId64 ", which is not there", row->id, leg->change.account);
        return;
    }
    if (strcmp(account->asset, row->asset) != 0)
        fault(ret, &ret->balances_ok, "journal row %" PRId64 " moves %s, account %" PRId64 " counts %s", row->id, row->asset, account->id, account->asset);
    if (leg->previous != account->last_entry)
        fault(ret, &ret->chain_ok, "journal row %" PRId64 " says %" PRId64 " was the row before it in account %" PRId64 ", it was %" PRId64,
              row->id, leg->previous, account->id, account->last_entry);
    if (__builtin_add_overflow(account->free_units, leg->change.free_units, &account->free_units) ||
        __builtin_add_overflow(account->held_units, leg->change.held_units, &account->held_units))
        fault(ret, &ret->balances_ok, "account %" PRId64 " leaves the range of amounts in journal row %" PRId64, account->id, row->id);
    account->last_entry = row->id;
}

static void legs_replay(struct audit *a, const struct journal_row *row)
{
    const char *legs = row->legs;
    struct stored_leg leg;
    bool bad = false;
    __int128 sum = 0;
    while (leg_next(&legs, &leg, &bad)) {
        sum += (__int128)leg.change.free_units + leg.change.held_units;
        leg_replay(a, row, &leg);
    }
    if (bad) fault(a->ret, &a->ret->balances_ok, "the legs of journal row %" PRId64 " cannot be read", row->id);
    if (sum != 0) fault(a->ret, &a->ret->sums_ok, "the legs of journal row %" PRId64 " do not sum to 0", row->id);
}

static void hold_replay_open(struct audit *a, const struct journal_row *row)
{
    struct ledger_audit *ret = a->ret;
    struct replayed_hold *h = hold_at(a, row->id);
    if (!h) {
        fault(ret, &ret->holds_ok, "hold %" PRId64 " (%s) is missing", row->id, row->key);
        return;
    }
    char subject[sizeof h->stored.owner + 24];
    snprintf(subject, sizeof subject, "%" PRId64 " %s", h->stored.expires_ms, h->stored.owner);
    const char *legs = row->legs;
    struct stored_leg leg = { 0 };
    bool bad = false;
    if (!leg_next(&legs, &leg, &bad) || leg.change.account != h->stored.account || leg.change.held_units != h->stored.units ||
        strcmp(subject, row->subject) != 0 || strcmp(h->stored.key, row->key) != 0)
        fault(ret, &ret->holds_ok, "hold %" PRId64 " (%s) is not what the journal opened", row->id, row->key);
    h->opened = true;
}

static void hold_replay_end(struct audit *a, const struct journal_row *row, enum ledger_hold_state state)
{
    struct ledger_audit *ret = a->ret;
    for (const char *at = row->subject; *at;) {
        char *end = NULL;
        int64_t id = strtoll(at, &end, 10);
        struct replayed_hold *h = end == at ? NULL : hold_at(a, id);
        if (!h || !h->opened) fault(ret, &ret->holds_ok, "journal row %" PRId64 " ends a hold that was never opened", row->id);
        else if (h->ended) fault(ret, &ret->holds_ok, "journal row %" PRId64 " ends hold %" PRId64 " a second time", row->id, id);
        else {
            h->ended = true;
            h->state = state;
        }
        if (end == at) return;
        at = *end == ',' ? end + 1 : end;
    }
}

static enum fr_status journal_replay(struct store_txn *txn, struct audit *a, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " JOURNAL_COLUMNS " FROM journal ORDER BY id", &row, err));
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        struct journal_row r;
        journal_row_read(row, &r);
        row_check_chain(a, &r);
        legs_replay(a, &r);
        if (strcmp(r.kind, "hold") == 0) hold_replay_open(a, &r);
        else if (strcmp(r.kind, "settle") == 0) hold_replay_end(a, &r, HOLD_SETTLED);
        else if (strcmp(r.kind, "release") == 0) hold_replay_end(a, &r, HOLD_RELEASED);
        a->ret->entries++;
    }
}

// ---- compare

static enum fr_status accounts_compare(struct store_txn *txn, struct audit *a, struct fr_err *err)
{
    struct ledger_audit *ret = a->ret;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " ACCOUNT_COLUMNS " FROM account ORDER BY id", &row, err));
    for (int64_t i = 0; i < a->account_count; i++) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        assert(found);                             // the same snapshot as at the start
        struct account stored;
        account_read(row, &stored);
        const struct ledger_account *f = &stored.facts;
        const struct replayed_account *made = &a->accounts[i];
        ret->accounts++;
        if (f->free_units != made->free_units || f->held_units != made->held_units)
            fault(ret, &ret->balances_ok, "account %" PRId64 " (%s %s %s) has %" PRId64 " free and %" PRId64 " held, the journal makes %" PRId64 " and %" PRId64,
                  f->id, ledger_owner_name(f->kind), f->owner, f->asset, f->free_units, f->held_units, made->free_units, made->held_units);
        if (stored.last_entry != made->last_entry)
            fault(ret, &ret->chain_ok, "account %" PRId64 " names journal row %" PRId64 " as its last, it is %" PRId64, f->id, stored.last_entry, made->last_entry);
        if (f->free_units < 0 && !f->overdraft) fault(ret, &ret->balances_ok, "account %" PRId64 " is below zero", f->id);
    }
    return FR_OK;
}

static void holds_compare(struct store_txn *txn, struct audit *a, bool (*owner_alive)(struct store_txn *txn, const char *owner))
{
    struct ledger_audit *ret = a->ret;
    for (int64_t i = 0; i < a->hold_count; i++) {
        const struct replayed_hold *h = &a->holds[i];
        if (!h->opened) fault(ret, &ret->holds_ok, "hold %" PRId64 " is not in the journal", h->stored.id);
        else if (h->stored.state != (h->ended ? h->state : HOLD_OPEN))
            fault(ret, &ret->holds_ok, "hold %" PRId64 " is in another state than the journal left it in", h->stored.id);
        if (h->stored.state != HOLD_OPEN) continue;
        ret->holds_open++;
        if (h->stored.owner[0] && owner_alive && !owner_alive(txn, h->stored.owner)) ret->holds_orphaned++;
        struct replayed_account *account = account_at(a, h->stored.account);
        if (account) account->held_units -= h->stored.units;       // compared already: from here on, what no hold explains
    }
    for (int64_t i = 0; i < a->account_count; i++)
        if (a->accounts[i].held_units != 0)
            fault(ret, &ret->holds_ok, "account %" PRId64 " holds %" PRId64 " units more than its open holds", a->accounts[i].id, a->accounts[i].held_units);
}

// ---- sums

static enum fr_status sums_read(struct store_txn *txn, int64_t *worst_units, int64_t *first_units, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT sum(free) + sum(held) FROM account GROUP BY asset ORDER BY asset", &row, err));
    *worst_units = *first_units = 0;
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        int64_t sum = sql_int(row, 0);
        if (sum == 0) continue;
        if (*first_units == 0) *first_units = sum;
        if (__builtin_add_overflow(*worst_units, sum < 0 ? -sum : sum, worst_units)) *worst_units = INT64_MAX;
    }
}

enum fr_status ledger_sums(struct store_txn *txn, int64_t *worst_units, struct fr_err *err)
{
    int64_t first_units = 0;
    return sums_read(txn, worst_units, &first_units, err);
}

// ---- the whole

static enum fr_status audit_steps(struct store_txn *txn, struct audit *a, bool (*owner_alive)(struct store_txn *txn, const char *owner), struct fr_err *err)
{
    struct ledger_audit *ret = a->ret;
    FR_TRY(accounts_read(txn, a, err));
    FR_TRY(holds_read_all(txn, a, err));
    FR_TRY(journal_replay(txn, a, err));
    FR_TRY(accounts_compare(txn, a, err));
    holds_compare(txn, a, owner_alive);
    int64_t worst_units = 0;
    FR_TRY(sums_read(txn, &worst_units, &ret->sum_units, err));
    if (worst_units != 0) fault(ret, &ret->sums_ok, "the accounts of an asset sum to %" PRId64 " units, not 0", ret->sum_units);
    fr_hex(a->head, SHA256_BYTES, ret->head);
    return FR_OK;
}

enum fr_status ledger_audit_run(struct store_txn *txn, bool (*owner_alive)(struct store_txn *txn, const char *owner), struct ledger_audit *ret, struct fr_err *err)
{
    struct ledger_audit found = { .chain_ok = true, .balances_ok = true, .holds_ok = true, .sums_ok = true };
    struct audit a = { .ret = &found };
    enum fr_status st = audit_steps(txn, &a, owner_alive, err);
    fr_free(a.accounts);
    fr_free(a.holds);
    if (st != FR_OK) return st;
    *ret = found;
    return FR_OK;
}
