// kv.c — the document table and its quota. What has expired is absent at once and removed when room is needed.
#include "store/kv.h"
#include <assert.h>
#include <string.h>
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/migrate.h"

#define SWEEP_ROWS_MAX 500

static const struct store_migration steps[] = {
    { "kv", 1,
      "CREATE TABLE kv(plugin TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
      " version INTEGER NOT NULL, expires_ms INTEGER NOT NULL, PRIMARY KEY(plugin, scope, key)) STRICT, WITHOUT ROWID;"
      "CREATE INDEX kv_expiry ON kv(plugin, expires_ms) WHERE expires_ms > 0;"
      "CREATE TABLE kv_used(plugin TEXT PRIMARY KEY, bytes INTEGER NOT NULL CHECK (bytes >= 0)) STRICT, WITHOUT ROWID" },
};

void kv_register(void) { store_register(steps, 1); }

static int64_t item_bytes(size_t key_len, size_t value_len) { return (int64_t)(key_len + value_len); }

static bool expired(int64_t expires_ms, int64_t now_ms) { return expires_ms != 0 && expires_ms <= now_ms; }

// ---- read

enum fr_status kv_get(struct store_txn *txn, const char *plugin, const char *scope, const char *key, int64_t now_ms,
                      char **value, int64_t *version, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT value, version, expires_ms FROM kv WHERE plugin = ?1 AND scope = ?2 AND key = ?3", &row, err));
    sql_bind_text(row, 1, plugin);
    sql_bind_text(row, 2, scope);
    sql_bind_text(row, 3, key);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    if (!found || expired(sql_int(row, 2), now_ms)) return FR_FAIL(err, FR_E_NOT_FOUND, "there is no document %s", key);
    size_t len = 0;
    const char *text = sql_bytes(row, 0, &len);
    char *copy = fr_strndup(text, len);
    if (!copy) return FR_FAIL(err, FR_E_NOMEM, "no memory for document %s", key);
    *value = copy;
    *version = sql_int(row, 1);
    return FR_OK;
}

enum fr_status kv_used(struct store_txn *txn, const char *plugin, int64_t *bytes, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT bytes FROM kv_used WHERE plugin = ?1", &row, err));
    sql_bind_text(row, 1, plugin);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    *bytes = found ? sql_int(row, 0) : 0;
    return FR_OK;
}

// The callback may read, but must not write to the documents it is being shown.
enum fr_status kv_list(struct store_txn *txn, const char *plugin, const char *scope, const char *prefix, const char *cursor, int limit,
                       int64_t now_ms, void (*each)(void *arg, const struct kv_item *item), void *arg, struct fr_err *err)
{
    if (limit < 1 || limit > KV_LIST_MAX) return FR_FAIL(err, FR_E_LIMIT, "limit: expected 1 to %d, got %d", KV_LIST_MAX, limit);
    size_t prefix_len = prefix ? strlen(prefix) : 0;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT key, value, version FROM kv WHERE plugin = ?1 AND scope = ?2 AND key >= ?3 AND key > ?4"
                     " AND (expires_ms = 0 OR expires_ms > ?5) ORDER BY key", &row, err));
    sql_bind_text(row, 1, plugin);
    sql_bind_text(row, 2, scope);
    sql_bind_text(row, 3, prefix ? prefix : "");
    sql_bind_text(row, 4, cursor ? cursor : "");
    sql_bind_int(row, 5, now_ms);
    for (int given = 0; given < limit; given++) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found || strncmp(sql_text(row, 0), prefix ? prefix : "", prefix_len) != 0) break;
        struct kv_item item = { .key = sql_text(row, 0), .value = sql_text(row, 1), .version = sql_int(row, 2) };
        each(arg, &item);
    }
    return FR_OK;
}

// ---- write

struct found { bool row, live; int64_t version, bytes; };    // row: something stands there; live: it has not expired

static enum fr_status kv_find(struct store_txn *txn, const char *plugin, const struct kv_put *put, int64_t now_ms, struct found *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT version, expires_ms, length(CAST(key AS BLOB)) + length(CAST(value AS BLOB)) FROM kv"
                     " WHERE plugin = ?1 AND scope = ?2 AND key = ?3", &row, err));
    sql_bind_text(row, 1, plugin);
    sql_bind_text(row, 2, put->scope);
    sql_bind_text(row, 3, put->key);
    bool found = false;
    FR_TRY(sql_step(row, &found, err));
    *ret = (struct found){ 0 };
    if (!found) return FR_OK;
    ret->row = true;
    ret->live = !expired(sql_int(row, 1), now_ms);
    ret->version = ret->live ? sql_int(row, 0) : 0;
    ret->bytes = sql_int(row, 2);
    return FR_OK;
}

static enum fr_status kv_add_used(struct store_txn *txn, const char *plugin, int64_t bytes, struct fr_err *err)
{
    if (bytes == 0) return FR_OK;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO kv_used(plugin, bytes) VALUES(?1, max(?2, 0)) ON CONFLICT(plugin) DO UPDATE SET bytes = bytes + ?2", &row, err));
    sql_bind_text(row, 1, plugin);
    sql_bind_int(row, 2, bytes);
    return sql_do(row, NULL, err);
}

static enum fr_status kv_sweep_plugin(struct store_txn *txn, const char *plugin, const char *but_scope, const char *but_key, int64_t now_ms, struct fr_err *err)
{
    int64_t freed = 0;
    for (int rows = 0; rows < SWEEP_ROWS_MAX; rows++) {
        FR_SQL_ROW(row);
        FR_TRY(sql_begin(txn, "DELETE FROM kv WHERE (plugin, scope, key) IN (SELECT plugin, scope, key FROM kv WHERE plugin = ?1 AND expires_ms > 0"
                         " AND expires_ms <= ?2 AND NOT (scope = ?3 AND key = ?4) ORDER BY expires_ms LIMIT 1)"
                         " RETURNING length(CAST(key AS BLOB)) + length(CAST(value AS BLOB))", &row, err));
        sql_bind_text(row, 1, plugin);
        sql_bind_int(row, 2, now_ms);
        sql_bind_text(row, 3, but_scope);
        sql_bind_text(row, 4, but_key);
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        freed += sql_int(row, 0);
        FR_TRY(sql_step(row, &found, err));
    }
    return kv_add_used(txn, plugin, -freed, err);
}

static enum fr_status kv_check_quota(struct store_txn *txn, const char *plugin, const struct kv_put *put, int64_t more_bytes,
                                     int64_t quota_bytes, int64_t now_ms, struct fr_err *err)
{
    int64_t used = 0;
    FR_TRY(kv_used(txn, plugin, &used, err));
    if (more_bytes <= 0 || used + more_bytes <= quota_bytes) return FR_OK;
    FR_TRY(kv_sweep_plugin(txn, plugin, put->scope, put->key, now_ms, err));
    FR_TRY(kv_used(txn, plugin, &used, err));
    if (used + more_bytes <= quota_bytes) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_LIMIT, "quota", "%lld of %lld bytes are used, %s needs %lld more", (long long)used, (long long)quota_bytes,
                        put->key, (long long)more_bytes);
}

static enum fr_status kv_delete(struct store_txn *txn, const char *plugin, const struct kv_put *put, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "DELETE FROM kv WHERE plugin = ?1 AND scope = ?2 AND key = ?3", &row, err));
    sql_bind_text(row, 1, plugin);
    sql_bind_text(row, 2, put->scope);
    sql_bind_text(row, 3, put->key);
    return sql_do(row, NULL, err);
}

static enum fr_status kv_write(struct store_txn *txn, const char *plugin, const struct kv_put *put, int64_t version, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO kv(plugin, scope, key, value, version, expires_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
                     " ON CONFLICT DO UPDATE SET value = ?4, version = ?5, expires_ms = ?6", &row, err));
    sql_bind_text(row, 1, plugin);
    sql_bind_text(row, 2, put->scope);
    sql_bind_text(row, 3, put->key);
    sql_bind_text(row, 4, put->value);
    sql_bind_int(row, 5, version);
    sql_bind_int(row, 6, put->expires_ms);
    return sql_do(row, NULL, err);
}

static enum fr_status kv_check_put(const struct kv_put *put, struct fr_err *err)
{
    size_t key_len = strlen(put->key);
    if (key_len < 1 || key_len > KV_KEY_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "a key has 1 to %d bytes, this one %zu", KV_KEY_BYTES_MAX, key_len);
    if (!put->value) return FR_OK;
    size_t len = strlen(put->value);
    if (len > KV_VALUE_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "%s: a document has at most %d bytes, this one %zu", put->key, KV_VALUE_BYTES_MAX, len);
    if (fr_json_check(put->value, len, err) != FR_OK) return fr_err_note(err, "document %s", put->key);
    return FR_OK;
}

enum fr_status kv_put(struct store_txn *txn, const char *plugin, const struct kv_put *put, int64_t quota_bytes, int64_t now_ms,
                      int64_t *version, struct fr_err *err)
{
    FR_TRY(kv_check_put(put, err));
    struct found old;
    FR_TRY(kv_find(txn, plugin, put, now_ms, &old, err));
    if (put->if_version >= 0 && put->if_version != old.version)
        return FR_FAIL_CODE(err, FR_E_CONFLICT, "version", "%s is at version %lld, not %lld", put->key, (long long)old.version, (long long)put->if_version);

    if (!put->value) {
        if (old.row) FR_TRY(kv_delete(txn, plugin, put, err));
        FR_TRY(kv_add_used(txn, plugin, -old.bytes, err));
        *version = 0;
        return FR_OK;
    }
    int64_t more_bytes = item_bytes(strlen(put->key), strlen(put->value)) - old.bytes;
    FR_TRY(kv_check_quota(txn, plugin, put, more_bytes, quota_bytes, now_ms, err));
    FR_TRY(kv_write(txn, plugin, put, old.version + 1, err));
    FR_TRY(kv_add_used(txn, plugin, more_bytes, err));
    *version = old.version + 1;
    return FR_OK;
}
