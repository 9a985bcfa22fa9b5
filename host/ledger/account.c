// account.c — the account table: who owns how much of what. Balances are written only for journal_write.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "ledger/internal.h"

static const char *const kinds[] = {
    [OWNER_PLAYER] = "player", [OWNER_PLUGIN] = "plugin", [OWNER_POOL] = "pool",
    [OWNER_TREASURY] = "treasury", [OWNER_BURN] = "burn", [OWNER_CHAIN] = "chain",
};
#define KINDS ((int)(sizeof kinds / sizeof kinds[0]))

const char *ledger_owner_name(enum ledger_owner_kind kind)
{
    return (int)kind >= 0 && (int)kind < KINDS ? kinds[kind] : "unknown";
}

bool ledger_owner_kind_parse(const char *name, enum ledger_owner_kind *ret)
{
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(kinds[i], name) != 0) continue;
        *ret = (enum ledger_owner_kind)i;
        return true;
    }
    return false;
}

// ---- read

void account_read(struct store_row *row, struct account *ret)
{
    struct ledger_account *a = &ret->facts;
    a->id = sql_int(row, 0);
    a->kind = (enum ledger_owner_kind)sql_int(row, 1);
    snprintf(a->owner, sizeof a->owner, "%s", sql_text(row, 2));
    snprintf(a->asset, sizeof a->asset, "%s", sql_text(row, 3));
    a->overdraft = sql_int(row, 4) != 0;
    a->free_units = sql_int(row, 5);
    a->held_units = sql_int(row, 6);
    ret->last_entry = sql_int(row, 7);
}

static enum fr_status account_find(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner, const char *asset,
                                   struct account *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE kind = ?1 AND owner = ?2 AND asset = ?3", &row, err));
    sql_bind_int(row, 1, kind);
    sql_bind_text(row, 2, owner);
    sql_bind_text(row, 3, asset);
    FR_TRY(sql_step(row, found, err));
    if (*found) account_read(row, ret);
    return FR_OK;
}

enum fr_status account_load(struct store_txn *txn, int64_t id, struct account *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, id);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "account_unknown", "there is no account %lld", (long long)id);
    account_read(row, ret);
    return FR_OK;
}

enum fr_status ledger_account_get(struct store_txn *txn, int64_t id, struct ledger_account *ret, struct fr_err *err)
{
    struct account a;
    FR_TRY(account_load(txn, id, &a, err));
    *ret = a.facts;
    return FR_OK;
}

enum fr_status ledger_balance(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner, const char *asset,
                              int64_t *free_units, int64_t *held_units, struct fr_err *err)
{
    struct account a = { 0 };
    bool found = false;
    FR_TRY(account_find(txn, kind, owner, asset, &a, &found, err));
    *free_units = a.facts.free_units;
    *held_units = a.facts.held_units;
    return FR_OK;
}

enum fr_status ledger_accounts(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner,
                               struct ledger_account *out, int cap, int *count, struct fr_err *err)
{
    int n = 0;
    FR_SQL_ROW(row);
    if (owner) FR_TRY(sql_begin(txn, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE kind = ?1 AND owner = ?2 ORDER BY owner, asset LIMIT ?3", &row, err));
    else FR_TRY(sql_begin(txn, "SELECT " ACCOUNT_COLUMNS " FROM account WHERE kind = ?1 AND ?2 IS NULL ORDER BY owner, asset LIMIT ?3", &row, err));
    sql_bind_int(row, 1, kind);
    sql_bind_text(row, 2, owner);
    sql_bind_int(row, 3, cap);
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        struct account a;
        account_read(row, &a);
        out[n++] = a.facts;
    }
    *count = n;
    return FR_OK;
}

// ---- make

static enum fr_status account_make(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner, const char *asset,
                                   struct account *ret, struct fr_err *err)
{
    FR_TRY(asset_check(txn, asset, err));
    struct account made = { .facts = { .kind = kind, .overdraft = kind == OWNER_CHAIN } };
    snprintf(made.facts.owner, sizeof made.facts.owner, "%s", owner);
    snprintf(made.facts.asset, sizeof made.facts.asset, "%s", asset);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO account(kind, owner, asset, overdraft) VALUES(?1, ?2, ?3, ?4)", &row, err));
    sql_bind_int(row, 1, kind);
    sql_bind_text(row, 2, owner);
    sql_bind_text(row, 3, asset);
    sql_bind_int(row, 4, made.facts.overdraft);
    FR_TRY(sql_do(row, NULL, err));
    made.facts.id = sql_last_id(txn);
    *ret = made;
    return FR_OK;
}

enum fr_status ledger_account(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner, const char *asset,
                              struct ledger_account *ret, struct fr_err *err)
{
    assert((int)kind >= 0 && (int)kind < KINDS);
    if (strlen(owner) >= sizeof ret->owner) return FR_FAIL(err, FR_E_LIMIT, "an owner's name is under %zu bytes long", sizeof ret->owner);
    struct account a;
    bool found = false;
    FR_TRY(account_find(txn, kind, owner, asset, &a, &found, err));
    if (!found) FR_TRY(account_make(txn, kind, owner, asset, &a, err));
    *ret = a.facts;
    return FR_OK;
}

enum fr_status account_save(struct store_txn *txn, const struct account *a, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE account SET free = ?2, held = ?3, last_entry = ?4 WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, a->facts.id);
    sql_bind_int(row, 2, a->facts.free_units);
    sql_bind_int(row, 3, a->facts.held_units);
    sql_bind_int(row, 4, a->last_entry);
    int64_t changed = 0;
    FR_TRY(sql_do(row, &changed, err));
    assert(changed == 1);                          // it was read a moment ago, in this transaction
    return FR_OK;
}

enum fr_status ledger_kind_sum(struct store_txn *txn, enum ledger_owner_kind kind, const char *asset, int64_t *free_units, int64_t *held_units, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT coalesce(sum(free), 0), coalesce(sum(held), 0) FROM account WHERE kind = ?1 AND asset = ?2", &row, err));
    sql_bind_int(row, 1, kind);
    sql_bind_text(row, 2, asset);
    FR_TRY(sql_step(row, &found, err));
    *free_units = sql_int(row, 0);
    *held_units = sql_int(row, 1);
    return FR_OK;
}
