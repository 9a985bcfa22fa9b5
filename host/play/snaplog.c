// snaplog.c — the snapshots' table. What is read back is checked against the hashes that were written with it.
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "play/snapshot.h"

static void hash_part(struct fr_sha256 *s, const void *bytes, size_t len)
{
    uint8_t prefix[4] = { (uint8_t)len, (uint8_t)(len >> 8), (uint8_t)(len >> 16), (uint8_t)(len >> 24) };
    fr_sha256_add(s, prefix, sizeof prefix);
    fr_sha256_add(s, bytes, len);
}

static void hash_text(struct fr_sha256 *s, const char *text) { hash_part(s, text, strlen(text)); }

static void worker_sha(const char *match, const struct feed_snapshot *at, char out[SHA256_HEX_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    char n[24];
    struct fr_sha256 s;
    fr_sha256_init(&s);
    snprintf(n, sizeof n, "%lld", (long long)at->n);
    hash_text(&s, "frond.snapshot.1");
    hash_text(&s, match);
    hash_text(&s, n);
    hash_text(&s, at->hash);
    hash_text(&s, at->state_sha);
    hash_text(&s, at->head);
    hash_part(&s, at->state, at->state_len);
    fr_sha256_end(&s, digest);
    fr_hex(digest, sizeof digest, out);
}

static void host_sha(const char *worker, const char *ran, const char *told, char out[SHA256_HEX_BYTES])
{
    uint8_t digest[SHA256_BYTES];
    struct fr_sha256 s;
    fr_sha256_init(&s);
    hash_text(&s, worker);
    hash_text(&s, ran);
    hash_text(&s, told);
    fr_sha256_end(&s, digest);
    fr_hex(digest, sizeof digest, out);
}

enum fr_status snaplog_put(struct store_txn *txn, const char *match, const struct snapshot *s, struct fr_err *err)
{
    char sha[SHA256_HEX_BYTES], sha_host[SHA256_HEX_BYTES];
    worker_sha(match, &s->at, sha);
    host_sha(sha, s->ran, s->told, sha_host);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT OR REPLACE INTO match_snapshot(match,n,hash,state_sha,head,state,sha,ran,told,sha_host) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)", &row, err));
    sql_bind_text(row, 1, match);
    sql_bind_int(row, 2, s->at.n);
    sql_bind_text(row, 3, s->at.hash);
    sql_bind_text(row, 4, s->at.state_sha);
    sql_bind_text(row, 5, s->at.head);
    sql_bind_bytes(row, 6, s->at.state, s->at.state_len);
    sql_bind_text(row, 7, sha);
    sql_bind_text(row, 8, s->ran);
    sql_bind_text(row, 9, s->told);
    sql_bind_text(row, 10, sha_host);
    FR_TRY(sql_do(row, NULL, err));
    FR_SQL_ROW(old);                                   // the newest and the one before it, should the newest be damaged
    FR_TRY(sql_begin(txn, "UPDATE match_snapshot SET ran=NULL, told=NULL WHERE match=?1 AND n<=?2 AND ran IS NOT NULL", &old, err));
    sql_bind_text(old, 1, match);
    sql_bind_int(old, 2, s->at.n - 2 * feed_snapshot_step(s->at.n));
    return sql_do(old, NULL, err);
}

enum fr_status snaplog_ended(struct store_txn *txn, const char *match, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE match_snapshot SET ran=NULL, told=NULL WHERE match=?1 AND ran IS NOT NULL", &row, err));
    sql_bind_text(row, 1, match);
    return sql_do(row, NULL, err);
}

static void snapshot_refused(const char *match, int64_t n, const char *why)
{
    char at[24];
    snprintf(at, sizeof at, "%lld", (long long)n);
    fr_log(LOG_ERROR, "match.snapshot_refused", "match", match, "#record", at, "why", why, NULL);
}

static char *copy_text(struct store_row *row, int col)
{
    const char *text = sql_text(row, col);
    return fr_strndup(text ? text : "", text ? strlen(text) : 0);
}

// The row as it stands, or NULL with the reason.
static struct snapshot *read_row(const struct matchlog *l, struct store_row *row, const char **why)
{
    char sha[SHA256_HEX_BYTES];
    size_t len;
    *why = "no_memory";
    FR_AUTO(snapshot) s = fr_alloc(sizeof *s);
    if (!s) return NULL;
    s->at.n = sql_int(row, 0);
    snprintf(s->at.hash, sizeof s->at.hash, "%s", sql_text(row, 1) ? sql_text(row, 1) : "");
    snprintf(s->at.state_sha, sizeof s->at.state_sha, "%s", sql_text(row, 2) ? sql_text(row, 2) : "");
    s->at.head = copy_text(row, 3);
    const char *state = sql_bytes(row, 4, &len);
    s->at.state = fr_strndup(state ? state : "", state ? len : 0);
    s->at.state_len = state ? len : 0;
    s->ran = copy_text(row, 6);
    s->told = copy_text(row, 7);
    if (!s->at.head || !s->at.state || !s->ran || !s->told) return NULL;
    *why = "damaged";
    worker_sha(l->row.id, &s->at, sha);
    if (!sql_text(row, 5) || strcmp(sha, sql_text(row, 5)) != 0) return NULL;
    char sha_host[SHA256_HEX_BYTES];
    host_sha(sha, s->ran, s->told, sha_host);
    if (!sql_text(row, 8) || strcmp(sha_host, sql_text(row, 8)) != 0) return NULL;
    *why = "of_another_log";
    if (s->at.n < 1 || s->at.n > l->count || strcmp(l->records[s->at.n - 1].hash, s->at.hash) != 0) return NULL;
    return FR_TAKE(s);
}

enum fr_status snaplog_latest(struct store_txn *txn, const struct matchlog *l, struct snapshot **ret, struct fr_err *err)
{
    *ret = NULL;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT n,hash,state_sha,head,state,sha,ran,told,sha_host FROM match_snapshot WHERE match=?1 AND ran IS NOT NULL ORDER BY n DESC LIMIT 4", &row, err));
    sql_bind_text(row, 1, l->row.id);
    for (;;) {
        bool found;
        const char *why;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        *ret = read_row(l, row, &why);
        if (*ret) return FR_OK;
        snapshot_refused(l->row.id, sql_int(row, 0), why);
    }
}

enum fr_status snaplog_export(struct store_txn *txn, const char *match, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT n,hash,state_sha,head,state FROM match_snapshot WHERE match=?1 ORDER BY n", &row, err));
    sql_bind_text(row, 1, match);
    fr_buf_add(out, "[");
    for (int i = 0; ; i++) {
        bool found;
        size_t len;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        fr_buf_addf(out, "%s{\"n\":%lld,\"hash\":\"%s\",\"state_sha\":\"%s\",\"head\":", i ? "," : "", (long long)sql_int(row, 0), sql_text(row, 1), sql_text(row, 2));
        fr_buf_add_json_text(out, sql_text(row, 3));
        const char *state = sql_bytes(row, 4, &len);
        FR_AUTO_MEM char *hex = fr_alloc(len * 2 + 1);
        if (!hex) return FR_FAIL(err, FR_E_NOMEM, "no memory for a snapshot");
        fr_hex(state, len, hex);
        fr_buf_addf(out, ",\"state\":\"");
        fr_buf_add_bytes(out, hex, len * 2);
        fr_buf_add(out, "\"}");
    }
    fr_buf_add(out, "]");
    return FR_OK;
}
