// asset.c — what can be counted here.
#include <stdio.h>
#include "ledger/internal.h"

static void asset_read(struct store_row *row, struct ledger_asset *ret)
{
    snprintf(ret->id, sizeof ret->id, "%s", sql_text(row, 0));
    snprintf(ret->name, sizeof ret->name, "%s", sql_text(row, 1));
    ret->decimals = (int)sql_int(row, 2);
    ret->backed = sql_int(row, 3) != 0;
}

enum fr_status ledger_asset_get(struct store_txn *txn, const char *asset, struct ledger_asset *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id, name, decimals, backed FROM asset WHERE id = ?1", &row, err));
    sql_bind_text(row, 1, asset);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "asset_unknown", "there is no asset %s", asset);
    asset_read(row, ret);
    return FR_OK;
}

enum fr_status asset_check(struct store_txn *txn, const char *asset, struct fr_err *err)
{
    struct ledger_asset ignored;
    return ledger_asset_get(txn, asset, &ignored, err);
}

enum fr_status ledger_asset_list(struct store_txn *txn, struct ledger_asset *out, int cap, int *count, struct fr_err *err)
{
    int n = 0;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id, name, decimals, backed FROM asset ORDER BY id LIMIT ?1", &row, err));
    sql_bind_int(row, 1, cap);
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        asset_read(row, &out[n++]);
    }
    *count = n;
    return FR_OK;
}

enum fr_status ledger_liabilities(struct store_txn *txn, const char *asset, int64_t *units, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(asset_check(txn, asset, err));
    FR_TRY(sql_begin(txn, "SELECT coalesce(-sum(free + held), 0) FROM account WHERE kind = ?1 AND asset = ?2", &row, err));
    sql_bind_int(row, 1, OWNER_CHAIN);
    sql_bind_text(row, 2, asset);
    FR_TRY(sql_step(row, &found, err));
    *units = sql_int(row, 0);
    return FR_OK;
}
