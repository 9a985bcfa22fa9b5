// deposit_show.c — addresses, deposits and dust as JSON, for players and operators.
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "treasury/deposit_inside.h"

static const char *const states[] = { [DEPOSIT_CREDITED] = "credited", [DEPOSIT_DUSTY] = "dust", [DEPOSIT_HELD] = "held", [DEPOSIT_ODD] = "odd" };

static void print_log(struct store_row *row, struct fr_buf *out, bool whole, struct fr_err *err)
{
    struct u256 amount = { { 0 } };
    struct address sender = { { 0 } };
    uint8_t tx[32] = { 0 };
    char hex[65], text[U256_TEXT_BYTES], at[25], who[ADDRESS_TEXT_BYTES];
    if (sql_fixed(row, 0, tx, 32, err) != FR_OK || sql_fixed(row, 3, sender.bytes, ADDRESS_BYTES, err) != FR_OK || deposit_amount(row, 4, &amount, err) != FR_OK) return;
    fr_buf_addf(out, "{\"tx\":\"0x%s\",\"log_index\":\"%lld\",\"block\":\"%lld\",\"from\":\"%s\",\"amount\":\"%lld\",\"chain_amount\":\"%s\",\"state\":\"%s\",\"at\":\"%s\"", fr_hex(tx, 32, hex), (long long)sql_int(row, 1), (long long)sql_int(row, 2),
                address_text(&sender, who), (long long)sql_int(row, 5), u256_text(amount, text), states[sql_int(row, 6) & 3], fr_time_text(sql_int(row, 7), at));
    if (whole) fr_buf_addf(out, ",\"asset\":\"%s\"", sql_text(row, 8));
    fr_buf_add(out, "}");
}

#define LOG_COLUMNS "l.tx, l.log_index, l.block, l.sender, l.amount, l.units, l.state, l.at_ms, l.asset"
static enum fr_status print_logs(struct store_row *row, struct fr_buf *out, bool whole, struct fr_err *err)
{
    fr_buf_add(out, "[");
    for (int n = 0; ; n++) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        if (n) fr_buf_add(out, ",");
        print_log(row, out, whole, err);
    }
    fr_buf_add(out, "]");
    return FR_OK;
}

enum fr_status deposit_print_player(struct store_txn *txn, const struct deposit *d, const char *player, const char *asset, int limit, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " LOG_COLUMNS " FROM deposit_log l JOIN deposit_address a ON a.number = l.address WHERE a.player = ?1 AND a.chain_id = ?2 AND l.asset = ?3 ORDER BY l.block DESC, l.log_index DESC LIMIT ?4", &row, err));
    sql_bind_text(row, 1, player);
    sql_bind_int(row, 2, (int64_t)d->part->chain_id);
    sql_bind_text(row, 3, asset);
    sql_bind_int(row, 4, limit);
    return print_logs(row, out, false, err);
}

static void print_address(const struct deposit_address *a, struct fr_buf *out)
{
    char text[ADDRESS_TEXT_BYTES], hex[65], at[25];
    fr_buf_addf(out, "\"number\":\"%lld\",\"player\":\"%s\",\"address\":\"%s\",\"salt\":\"0x%s\",\"made_at\":\"%s\"", (long long)a->number, a->player, address_text(&a->at, text), fr_hex(a->salt, 32, hex), fr_time_text(a->made_ms, at));
}

enum fr_status deposit_print_list(struct store_txn *txn, int64_t after, int limit, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " DEPOSIT_ADDRESS_COLUMNS ", (SELECT count(*) FROM deposit_log l WHERE l.address = number), (SELECT count(*) FROM deposit_log l WHERE l.address = number AND l.state >= 2) FROM deposit_address WHERE number > ?1 ORDER BY number LIMIT ?2", &row, err));
    sql_bind_int(row, 1, after);
    sql_bind_int(row, 2, limit);
    fr_buf_add(out, "[");
    for (int n = 0; ; n++) {
        struct deposit_address a;
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        FR_TRY(deposit_address_read(row, &a, err));
        fr_buf_add(out, n ? ",{" : "{");
        print_address(&a, out);
        fr_buf_addf(out, ",\"deposits\":%lld,\"kept\":%lld}", (long long)sql_int(row, 5), (long long)sql_int(row, 6));
    }
    fr_buf_add(out, "]");
    return FR_OK;
}

static enum fr_status print_boxes(struct store_txn *txn, int64_t number, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    char text[U256_TEXT_BYTES];
    FR_TRY(sql_begin(txn, "SELECT asset, lying, sweep, refused_ms, why FROM deposit_box WHERE number = ?1", &row, err));
    sql_bind_int(row, 1, number);
    fr_buf_add(out, ",\"lying\":[");
    for (int n = 0; ; n++) {
        bool found = false;
        struct u256 lying;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        FR_TRY(deposit_amount(row, 1, &lying, err));
        fr_buf_addf(out, "%s{\"asset\":\"%s\",\"chain_amount\":\"%s\",\"sweep\":\"%lld\",\"refused\":", n ? "," : "", sql_text(row, 0), u256_text(lying, text), (long long)sql_int(row, 2));
        if (sql_int(row, 3)) fr_buf_add_json_text(out, sql_text(row, 4));
        else fr_buf_add(out, "null");
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "]");
    return FR_OK;
}

static enum fr_status print_dust(struct store_txn *txn, const char *player, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    char text[U256_TEXT_BYTES];
    FR_TRY(sql_begin(txn, "SELECT asset, amount FROM deposit_dust WHERE player = ?1", &row, err));
    sql_bind_text(row, 1, player);
    fr_buf_add(out, ",\"dust\":[");
    for (int n = 0; ; n++) {
        bool found = false;
        struct u256 dust;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        FR_TRY(deposit_amount(row, 1, &dust, err));
        fr_buf_addf(out, "%s{\"asset\":\"%s\",\"chain_amount\":\"%s\"}", n ? "," : "", sql_text(row, 0), u256_text(dust, text));
    }
    fr_buf_add(out, "]");
    return FR_OK;
}

enum fr_status deposit_print_one(struct store_txn *txn, const char *address_or_player, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_SQL_ROW(logs);
    struct address at;
    struct deposit_address a;
    bool found = false, by_address = strncmp(address_or_player, "0x", 2) == 0;
    if (by_address) FR_TRY(address_parse(address_or_player, &at, err));
    if (by_address) FR_TRY(sql_begin(txn, "SELECT " DEPOSIT_ADDRESS_COLUMNS " FROM deposit_address WHERE address = ?1 ORDER BY number DESC LIMIT 1", &row, err));
    else FR_TRY(sql_begin(txn, "SELECT " DEPOSIT_ADDRESS_COLUMNS " FROM deposit_address WHERE player = ?1 ORDER BY number DESC LIMIT 1", &row, err));
    if (by_address) sql_bind_bytes(row, 1, at.bytes, ADDRESS_BYTES);
    else sql_bind_text(row, 1, address_or_player);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "deposit_unknown", "%.60s has no deposit address, or is none", address_or_player);
    FR_TRY(deposit_address_read(row, &a, err));
    fr_buf_add(out, "{");
    print_address(&a, out);
    FR_TRY(print_boxes(txn, a.number, out, err));
    FR_TRY(print_dust(txn, a.player, out, err));
    fr_buf_add(out, ",\"deposits\":");
    FR_TRY(sql_begin(txn, "SELECT " LOG_COLUMNS " FROM deposit_log l WHERE l.address = ?1 ORDER BY l.block DESC, l.log_index DESC LIMIT 100", &logs, err));
    sql_bind_int(logs, 1, a.number);
    FR_TRY(print_logs(logs, out, true, err));
    fr_buf_add(out, "}");
    return FR_OK;
}
