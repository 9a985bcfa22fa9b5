// keyed.c — one table. A second answer under a key is never written over the first.
#include "llm/keyed.h"
#include <string.h>
#include "base/limits.h"
#include "store/migrate.h"

static const struct store_migration steps[] = {
    { "llm_keyed", 1,
      "CREATE TABLE llm_keyed (tenant TEXT NOT NULL, key TEXT NOT NULL, request BLOB NOT NULL, answer TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (tenant, key)) STRICT, WITHOUT ROWID;"
      "CREATE INDEX llm_keyed_at ON llm_keyed (tenant, at);" },
};

void llm_keyed_tables(void)
{
    store_register(steps, sizeof steps / sizeof steps[0]);
}

enum fr_status llm_keyed_find(struct store_txn *txn, const char *tenant, const char *key, const uint8_t request[SHA256_BYTES], int64_t now_ms, bool *found, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    uint8_t was[SHA256_BYTES];
    FR_TRY(sql_begin(txn, "SELECT request, answer FROM llm_keyed WHERE tenant = ?1 AND key = ?2 AND at > ?3", &row, err));
    sql_bind_text(row, 1, tenant);
    sql_bind_text(row, 2, key);
    sql_bind_int(row, 3, now_ms - LLM_KEYED_MS);
    FR_TRY(sql_step(row, found, err));
    if (!*found) return FR_OK;
    FR_TRY(sql_fixed(row, 0, was, sizeof was, err));
    if (memcmp(was, request, sizeof was) != 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "key_reused", "the key \"%.60s\" already names another request to the model", key);
    fr_buf_add(out, sql_text(row, 1));
    return fr_buf_check(out, "the answer", err);
}

static enum fr_status keyed_trim(struct store_txn *txn, const char *tenant, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(old);
    FR_SQL_ROW(many);
    FR_TRY(sql_begin(txn, "DELETE FROM llm_keyed WHERE tenant = ?1 AND at <= ?2", &old, err));
    sql_bind_text(old, 1, tenant);
    sql_bind_int(old, 2, now_ms - LLM_KEYED_MS);
    FR_TRY(sql_do(old, NULL, err));
    FR_TRY(sql_begin(txn, "DELETE FROM llm_keyed WHERE tenant = ?1 AND key IN (SELECT key FROM llm_keyed WHERE tenant = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)", &many, err));
    sql_bind_text(many, 1, tenant);
    sql_bind_int(many, 2, LLM_KEYED_MAX);
    return sql_do(many, NULL, err);
}

enum fr_status llm_keyed_put(struct store_txn *txn, const char *tenant, const char *key, const uint8_t request[SHA256_BYTES], const char *answer, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(keyed_trim(txn, tenant, now_ms, err));
    FR_TRY(sql_begin(txn, "INSERT INTO llm_keyed (tenant, key, request, answer, at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING", &row, err));
    sql_bind_text(row, 1, tenant);
    sql_bind_text(row, 2, key);
    sql_bind_bytes(row, 3, request, SHA256_BYTES);
    sql_bind_text(row, 4, answer);
    sql_bind_int(row, 5, now_ms);
    return sql_do(row, NULL, err);
}
