// idempotency.c — the same Idempotency-Key finds the first answer. While the first request still runs the second is told so. That a request
// begins is on disk before it runs; when the host is cut off before the answer is, a later one is told that nobody knows, and
// does not run. What failed and was told so may be tried again with its key.
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/map.h"
#include "base/mem.h"
#include "gateway/internal.h"
#include "store/migrate.h"

#define STARTED (-1)                    // the status of a key whose request began and has no answer yet
#define ANSWERS_DROPPED_AT_ONCE 32      // moments whose answers go for one new one: large ones are few

static const struct store_migration migrations[] = {
    { "gateway", 1, "CREATE TABLE idempotency (player TEXT NOT NULL, route TEXT NOT NULL, key TEXT NOT NULL, body_sha TEXT NOT NULL, status INTEGER NOT NULL, answer TEXT,"
                    " created_ms INTEGER NOT NULL, PRIMARY KEY (player, route, key)) WITHOUT ROWID;"
                    "CREATE INDEX idempotency_created ON idempotency (created_ms);" },
    // Counting a player's keys and finding the oldest must not read their answers: 5,000 large ones held the writer for half a second.
    { "gateway", 2, "CREATE INDEX idempotency_player ON idempotency (player, created_ms);" },
    // What a player's answers take: the sum must not read them either.
    { "gateway", 3, "ALTER TABLE idempotency ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
                    "UPDATE idempotency SET bytes = length(answer) WHERE answer IS NOT NULL;"
                    "DROP INDEX idempotency_player;"
                    "CREATE INDEX idempotency_player ON idempotency (player, created_ms, bytes);" },
};

void gateway_register(void)
{
    store_register(migrations, (int)(sizeof migrations / sizeof migrations[0]));
}

enum fr_status gw_key_header(const struct net_request *req, char key[KEY_BYTES_MAX + 1], struct fr_err *err)
{
    struct net_text h = net_header(req, "idempotency-key");
    if (h.len > KEY_BYTES_MAX) return FR_FAIL(err, FR_E_INVALID, "an Idempotency-Key may have %d bytes", KEY_BYTES_MAX);
    for (size_t i = 0; i < h.len; i++)
        if (h.at[i] < 0x21 || h.at[i] > 0x7e) return FR_FAIL(err, FR_E_INVALID, "an Idempotency-Key is made of visible ASCII characters");
    memcpy(key, h.len ? h.at : "", h.len);
    key[h.len] = 0;
    return FR_OK;
}

void gw_key_set(struct gw_key *k, const char *player, const char *route, const char *key, const void *body, size_t len)
{
    uint8_t sha[SHA256_BYTES];
    snprintf(k->player, sizeof k->player, "%s", player);
    snprintf(k->route, sizeof k->route, "%s", route);
    snprintf(k->key, sizeof k->key, "%s", key);
    fr_sha256(body, len, sha);
    fr_hex(sha, sizeof sha, k->body_sha);
}

static size_t claim_name(const struct gw_key *k, char *out, size_t cap)
{
    return (size_t)snprintf(out, cap, "%s\n%s\n%s", k->player, k->route, k->key);
}

enum fr_status gw_key_claim(struct gateway *g, struct gw_key *k, struct fr_err *err)
{
    char name[sizeof k->player + sizeof k->route + sizeof k->key + 3];
    size_t len = claim_name(k, name, sizeof name);
    if (fr_map_get(g->keys, name, len)) return FR_FAIL_CODE(err, FR_E_CONFLICT, "in_progress", "the first request with this key has not been answered yet");
    if (!fr_map_put(g->keys, name, len, g)) return FR_FAIL(err, FR_E_BUSY, "too many requests with keys are running");
    k->claimed = true;
    return FR_OK;
}

void gw_key_release(struct gateway *g, struct gw_key *k)
{
    char name[sizeof k->player + sizeof k->route + sizeof k->key + 3];
    if (k->claimed) fr_map_remove(g->keys, name, claim_name(k, name, sizeof name));
    k->claimed = false;
}

enum fr_status gw_key_find(struct store_txn *txn, struct gw_key *k, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT body_sha, status, answer FROM idempotency WHERE player = ?1 AND route = ?2 AND key = ?3 AND created_ms > ?4", &row, err));
    sql_bind_text(row, 1, k->player);
    sql_bind_text(row, 2, k->route);
    sql_bind_text(row, 3, k->key);
    sql_bind_int(row, 4, now_ms - IDEMPOTENCY_MS);
    FR_TRY(sql_step(row, &k->found, err));
    if (!k->found) return FR_OK;
    if (strcmp(sql_text(row, 0), k->body_sha) != 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "key_reused", "this key was used for another body");
    if (sql_int(row, 1) == STARTED)
        return FR_FAIL_CODE(err, FR_E_CONFLICT, "outcome_unknown", "the first request with this key was cut off; whether it was done is not known: look, then use another key");
    const char *answer = sql_text(row, 2);
    if (!answer) return FR_FAIL_CODE(err, FR_E_CONFLICT, "answer_not_kept", "this was done; its answer is not kept: it was over %d bytes, or later ones took its place", IDEMPOTENCY_ANSWER_BYTES_MAX);
    k->status = sql_int(row, 1);
    k->answer = fr_strndup(answer, strlen(answer));
    return k->answer ? FR_OK : FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
}

// The oldest answers of a player go until this many bytes are free; their keys stay, so nothing is done twice.
static enum fr_status answers_make_room(struct store_txn *txn, const char *player, int64_t bytes, struct fr_err *err)
{
    for (int turn = 0; bytes > 0 && turn < ANSWERS_DROPPED_AT_ONCE; turn++) {
        bool found;
        FR_SQL_ROW(oldest);
        FR_TRY(sql_begin(txn, "SELECT created_ms, sum(bytes) FROM idempotency WHERE player = ?1 AND created_ms = (SELECT min(created_ms) FROM idempotency WHERE player = ?1 AND bytes > 0) GROUP BY created_ms", &oldest, err));
        sql_bind_text(oldest, 1, player);
        FR_TRY(sql_step(oldest, &found, err));
        if (!found) return FR_OK;
        int64_t created_ms = sql_int(oldest, 0);
        bytes -= sql_int(oldest, 1);
        sql_end(FR_TAKE(oldest));
        FR_SQL_ROW(drop);
        FR_TRY(sql_begin(txn, "UPDATE idempotency SET answer = NULL, bytes = 0 WHERE player = ?1 AND created_ms = ?2", &drop, err));
        sql_bind_text(drop, 1, player);
        sql_bind_int(drop, 2, created_ms);
        FR_TRY(sql_do(FR_TAKE(drop), NULL, err));
    }
    return FR_OK;
}

static enum fr_status keep_within_bound(struct store_txn *txn, const char *player, size_t len, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found;
    FR_TRY(sql_begin(txn, "SELECT count(*), coalesce(sum(bytes), 0) FROM (SELECT bytes FROM idempotency WHERE player = ?1 LIMIT ?2)", &row, err));
    sql_bind_text(row, 1, player);
    sql_bind_int(row, 2, IDEMPOTENCY_KEYS_MAX);
    FR_TRY(sql_step(row, &found, err));
    int64_t keys = sql_int(row, 0), over = sql_int(row, 1) + (int64_t)len - IDEMPOTENCY_BYTES_MAX;
    sql_end(FR_TAKE(row));
    if (over > 0) FR_TRY(answers_make_room(txn, player, over, err));
    if (keys < IDEMPOTENCY_KEYS_MAX) return FR_OK;
    FR_SQL_ROW(oldest);
    FR_TRY(sql_begin(txn, "DELETE FROM idempotency WHERE player = ?1 AND created_ms = (SELECT min(created_ms) FROM idempotency WHERE player = ?1)", &oldest, err));
    sql_bind_text(oldest, 1, player);
    return sql_do(FR_TAKE(oldest), NULL, err);
}

enum fr_status gw_key_begin(struct store_txn *txn, struct gw_key *k, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(gw_key_find(txn, k, now_ms, err));
    if (k->found) return FR_OK;
    FR_TRY(keep_within_bound(txn, k->player, 0, err));
    FR_TRY(sql_begin(txn, "INSERT OR REPLACE INTO idempotency (player, route, key, body_sha, status, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)", &row, err));      // past its day it may still be there
    sql_bind_text(row, 1, k->player);
    sql_bind_text(row, 2, k->route);
    sql_bind_text(row, 3, k->key);
    sql_bind_text(row, 4, k->body_sha);
    sql_bind_int(row, 5, STARTED);
    sql_bind_int(row, 6, now_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status gw_key_forget(struct store_txn *txn, const struct gw_key *k, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "DELETE FROM idempotency WHERE player = ?1 AND route = ?2 AND key = ?3 AND status = ?4", &row, err));
    sql_bind_text(row, 1, k->player);
    sql_bind_text(row, 2, k->route);
    sql_bind_text(row, 3, k->key);
    sql_bind_int(row, 4, STARTED);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status gw_key_keep(struct store_txn *txn, const struct gw_key *k, enum fr_status status, const char *answer, size_t len, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    if (len > IDEMPOTENCY_ANSWER_BYTES_MAX) answer = NULL;
    FR_TRY(keep_within_bound(txn, k->player, answer ? len : 0, err));
    FR_TRY(sql_begin(txn, "INSERT OR REPLACE INTO idempotency (player, route, key, body_sha, status, answer, created_ms, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", &row, err));
    sql_bind_text(row, 1, k->player);
    sql_bind_text(row, 2, k->route);
    sql_bind_text(row, 3, k->key);
    sql_bind_text(row, 4, k->body_sha);
    sql_bind_int(row, 5, status);
    sql_bind_text(row, 6, answer);
    sql_bind_int(row, 7, now_ms);
    sql_bind_int(row, 8, answer ? (int64_t)len : 0);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status gateway_sweep(struct store_txn *txn, int64_t now_ms, int limit, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "DELETE FROM idempotency WHERE (player, route, key) IN (SELECT player, route, key FROM idempotency WHERE created_ms <= ?1 LIMIT ?2)", &row, err));
    sql_bind_int(row, 1, now_ms - IDEMPOTENCY_MS);
    sql_bind_int(row, 2, limit);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status gateway_keys(struct store_txn *txn, int64_t now_ms, int64_t *rows, int64_t *overdue, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found;
    FR_TRY(sql_begin(txn, "SELECT count(*), count(*) FILTER (WHERE created_ms <= ?1) FROM idempotency INDEXED BY idempotency_created", &row, err));
    sql_bind_int(row, 1, now_ms - IDEMPOTENCY_MS);
    FR_TRY(sql_step(row, &found, err));
    *rows = sql_int(row, 0);
    *overdue = sql_int(row, 1);
    return FR_OK;
}
