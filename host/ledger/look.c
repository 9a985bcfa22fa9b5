// look.c — the end of the journal: what a backup is labelled with, and what must be right before a host writes behind it.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "ledger/internal.h"

static void hash_show(struct store_row *row, int col, char out[SHA256_HEX_BYTES])
{
    size_t len = 0;
    const void *bytes = sql_bytes(row, col, &len);
    out[0] = '\0';
    if (len == SHA256_BYTES) fr_hex(bytes, SHA256_BYTES, out);
}

enum fr_status ledger_head(struct store_txn *txn, struct ledger_head *ret, struct fr_err *err)
{
    struct ledger_head head = { 0 };
    bool found = false;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id, at_ms, hash FROM journal ORDER BY id DESC LIMIT 1", &row, err));
    FR_TRY(sql_step(row, &found, err));
    if (found) {
        head.entries = sql_int(row, 0);
        head.at_ms = sql_int(row, 1);
        hash_show(row, 2, head.hash);
    }
    *ret = head;
    return FR_OK;
}

enum fr_status ledger_entry_hash(struct store_txn *txn, int64_t entry, char hash[SHA256_HEX_BYTES], struct fr_err *err)
{
    bool found = false;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT hash FROM journal WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, entry);
    FR_TRY(sql_step(row, &found, err));
    hash[0] = '\0';
    if (found) hash_show(row, 0, hash);
    return FR_OK;
}

static enum fr_status wrong(struct fr_err *err, const char *what, int64_t entry)
{
    return FR_FAIL_CODE(err, FR_E_CORRUPT, "ledger_wrong", "the ledger is damaged (journal row %" PRId64 " %s); nothing was changed: `frond ledger audit` and `frond doctor` say more, `frond restore` puts back a backup", entry, what);
}

// Starts with the row before the first that is checked: its hash is taken as it is.
static enum fr_status look_chain(struct store_txn *txn, int64_t newest, struct fr_err *err)
{
    int64_t from = newest > LEDGER_LOOK_ROWS ? newest - LEDGER_LOOK_ROWS : 0, expect = from + 1;
    uint8_t before[SHA256_BYTES] = { 0 }, hash[SHA256_BYTES];
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " JOURNAL_COLUMNS " FROM journal WHERE id >= ?1 ORDER BY id", &row, err));
    sql_bind_int(row, 1, from);
    for (bool first = from > 0;; first = false) {
        bool found = false;
        struct journal_row r;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return expect == newest + 1 ? FR_OK : wrong(err, "is missing", expect);
        journal_row_read(row, &r);
        if (r.hash_len != SHA256_BYTES) return wrong(err, "has no hash", r.id);
        if (!first) {
            if (r.id != expect) return wrong(err, "is missing", expect);
            journal_row_hash(before, &r, hash);
            if (memcmp(hash, r.hash, SHA256_BYTES) != 0) return wrong(err, "was changed: its hash does not fit", r.id);
            expect++;
        }
        memcpy(before, r.hash, SHA256_BYTES);
    }
}

enum fr_status ledger_look(struct store_txn *txn, struct fr_err *err)
{
    struct ledger_head head;
    int64_t worst_units = 0;
    FR_TRY(ledger_head(txn, &head, err));
    FR_TRY(look_chain(txn, head.entries, err));
    FR_TRY(ledger_sums(txn, &worst_units, err));
    if (worst_units == 0) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_CORRUPT, "ledger_wrong", "the ledger is damaged (the accounts of an asset sum to %" PRId64 " units, not 0); nothing was changed: `frond ledger audit` and `frond doctor` say more, `frond restore` puts back a backup", worst_units);
}

enum fr_status ledger_clock(struct store_txn *txn, int64_t *back_ms, int64_t *entry, struct fr_err *err)
{
    int64_t before_ms = INT64_MIN, worst_ms = 0, at = 0;
    struct ledger_head head;
    FR_TRY(ledger_head(txn, &head, err));
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id, at_ms FROM journal WHERE id > ?1 ORDER BY id", &row, err));
    sql_bind_int(row, 1, head.entries - LEDGER_LOOK_ROWS);
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        int64_t now_ms = sql_int(row, 1);
        if (before_ms != INT64_MIN && before_ms - now_ms > worst_ms) {
            worst_ms = before_ms - now_ms;
            at = sql_int(row, 0);
        }
        before_ms = now_ms;
    }
    *back_ms = worst_ms;
    *entry = at;
    return FR_OK;
}
