// session.c — sessions in the store, and the loop's memory of the live ones. The token itself is nowhere but with its owner.
#include "player/session.h"
#include <assert.h>
#include <string.h>
#include "base/hex.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "player/rows.h"

#define TOKEN_BYTES 32
#define REVOKED_KEPT_MS (60 * 60 * 1000)       // so that a page left open is told why, not merely "unknown"

static bool token_hash(const char *token, uint8_t out[SHA256_BYTES])
{
    uint8_t bytes[TOKEN_BYTES];
    if (strlen(token) != SESSION_TOKEN_BYTES - 1 || fr_unbase64url(token, SESSION_TOKEN_BYTES - 1, bytes, sizeof bytes) != TOKEN_BYTES) return false;
    fr_sha256(token, SESSION_TOKEN_BYTES - 1, out);
    return true;
}

// ---- ending sessions

static enum fr_status session_revoke(struct store_txn *txn, int64_t id, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE session SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms = 0", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, now_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

// Those to end, noted behind what stands in `ended` already. A game's session goes with the shell session that opened it.
static enum fr_status note_live(struct store_txn *txn, int64_t player, int64_t id, int64_t except, int64_t now_ms, struct session_ended *ended, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int cap = (int)(sizeof ended->ids / sizeof ended->ids[0]);
    bool found = true;
    FR_TRY(sql_begin(txn, "SELECT id FROM session WHERE player = ?1 AND revoked_ms = 0 AND expires_ms > ?2 AND (?3 = 0 OR id = ?3 OR parent = ?3)"
                          " AND (?4 = 0 OR (id <> ?4 AND parent <> ?4)) ORDER BY id", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_int(row, 2, now_ms);
    sql_bind_int(row, 3, id);
    sql_bind_int(row, 4, except);
    while (ended->count < cap) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        ended->ids[ended->count++] = sql_int(row, 0);
    }
    return FR_OK;
}

static enum fr_status end_noting(struct store_txn *txn, int64_t player, int64_t id, int64_t except, int64_t now_ms, struct session_ended *ended, struct fr_err *err)
{
    int before = ended->count;
    FR_TRY(note_live(txn, player, id, except, now_ms, ended, err));
    for (int i = before; i < ended->count; i++) FR_TRY(session_revoke(txn, ended->ids[i], now_ms, err));
    return FR_OK;
}

enum fr_status session_end(struct store_txn *txn, const char *player, int64_t id, int64_t except, int64_t now_ms, struct session_ended *ended, struct fr_err *err)
{
    struct session_ended made = { .count = 0 };
    int64_t number = 0;
    FR_TRY(player_number(player, &number, err));
    FR_TRY(end_noting(txn, number, id, except, now_ms, &made, err));
    *ended = made;
    return FR_OK;
}

// The live session that was opened from this launch, or 0.
static enum fr_status find_by_launch(struct store_txn *txn, const char *launch_hash, int64_t *id, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT id FROM session WHERE launch_hash = ?1 AND revoked_ms = 0 LIMIT 1", &row, err));
    sql_bind_text(row, 1, launch_hash);
    FR_TRY(sql_step(row, &found, err));
    *id = found ? sql_int(row, 0) : 0;
    return FR_OK;
}

// The session that must go so that one more of `scope` fits under the cap, or 0: the oldest of the same scope, then the oldest
// of any game, and a shell session last, since a page full of games must not sign its own player out.
static enum fr_status find_over_cap(struct store_txn *txn, int64_t player, const char *scope, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT id FROM session WHERE player = ?1 AND revoked_ms = 0 AND expires_ms > ?3"
                          " AND (SELECT count(*) FROM session WHERE player = ?1 AND revoked_ms = 0 AND expires_ms > ?3) >= ?4"
                          " ORDER BY scope = ?2 DESC, scope = 'shell', id LIMIT 1", &row, err));
    sql_bind_int(row, 1, player);
    sql_bind_text(row, 2, scope);
    sql_bind_int(row, 3, now_ms);
    sql_bind_int(row, 4, SESSIONS_PER_PLAYER_MAX);
    FR_TRY(sql_step(row, &found, err));
    *id = found ? sql_int(row, 0) : 0;
    return FR_OK;
}

static enum fr_status make_room(struct store_txn *txn, int64_t player, const struct session_ask *ask, struct session_ended *ended, struct fr_err *err)
{
    int64_t id = 0;
    if (ask->launch_hash) FR_TRY(find_by_launch(txn, ask->launch_hash, &id, err));
    if (id) FR_TRY(end_noting(txn, player, id, 0, ask->now_ms, ended, err));
    for (int i = 0; i < SESSIONS_PER_PLAYER_MAX; i++) {
        FR_TRY(find_over_cap(txn, player, ask->scope, ask->now_ms, &id, err));
        if (!id) return FR_OK;
        FR_TRY(end_noting(txn, player, id, 0, ask->now_ms, ended, err));
    }
    return FR_OK;
}

// ---- opening

static enum fr_status insert(struct store_txn *txn, int64_t player, const uint8_t hash[SHA256_BYTES], const struct session *s, const struct session_ask *ask, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO session (token_hash, player, scope, launch_hash, created_ms, expires_ms, parent, bot, device, seen_ms)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?5)", &row, err));
    sql_bind_bytes(row, 1, hash, SHA256_BYTES);
    sql_bind_int(row, 2, player);
    sql_bind_text(row, 3, s->scope);
    sql_bind_text(row, 4, ask->launch_hash);
    sql_bind_int(row, 5, s->created_ms);
    sql_bind_int(row, 6, s->expires_ms);
    sql_bind_int(row, 7, ask->parent);
    sql_bind_text(row, 8, ask->bot ? ask->bot : "");
    sql_bind_text(row, 9, ask->device ? ask->device : "");
    return sql_do(FR_TAKE(row), NULL, err);
}

// Asked inside the job that opens: a shell session may have ended since its token was read.
static enum fr_status parent_bound(struct store_txn *txn, int64_t player, const struct session_ask *ask, int64_t *expires_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT expires_ms FROM session WHERE id = ?1 AND player = ?2 AND revoked_ms = 0", &row, err));
    sql_bind_int(row, 1, ask->parent);
    sql_bind_int(row, 2, player);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_AUTH, "session_revoked", "this session was ended or replaced by a newer one");
    if (sql_int(row, 0) <= ask->now_ms) return FR_FAIL_CODE(err, FR_E_AUTH, "session_expired", "this session has expired: sign in again");
    if (sql_int(row, 0) < *expires_ms) *expires_ms = sql_int(row, 0);
    return FR_OK;
}

enum fr_status session_open(struct store_txn *txn, const struct session_ask *ask, char token[SESSION_TOKEN_BYTES], struct session *ret,
                            struct session_ended *ended, struct fr_err *err)
{
    struct session_ended gone = { .count = 0 };
    struct player who;
    uint8_t secret[TOKEN_BYTES], hash[SHA256_BYTES];
    char text[FR_BASE64URL_BYTES(TOKEN_BYTES)];
    _Static_assert(sizeof text == SESSION_TOKEN_BYTES, "the token's text is its own size");
    assert(ask->life_ms > 0 && (strcmp(ask->scope, "shell") == 0 || strcmp(ask->scope, "wallet") == 0 || strncmp(ask->scope, "game:", 5) == 0) && strlen(ask->scope) < SESSION_SCOPE_BYTES);

    FR_TRY(player_get(txn, ask->player, &who, err));
    if (who.blocked) return FR_FAIL_CODE(err, FR_E_DENIED, "player_blocked", "this player is blocked here");
    struct session made = { .created_ms = ask->now_ms, .expires_ms = ask->now_ms + ask->life_ms, .seen_ms = ask->now_ms };
    player_text_copy(made.player, sizeof made.player, who.id);
    player_text_copy(made.name, sizeof made.name, who.name);
    player_text_copy(made.lang, sizeof made.lang, who.lang);
    player_text_copy(made.scope, sizeof made.scope, ask->scope);

    int64_t number = 0;
    FR_TRY(player_number(ask->player, &number, err));
    if (ask->parent) FR_TRY(parent_bound(txn, number, ask, &made.expires_ms, err));
    FR_TRY(make_room(txn, number, ask, &gone, err));
    fr_random_bytes(secret, sizeof secret);
    fr_base64url(secret, sizeof secret, text);
    fr_sha256(text, strlen(text), hash);
    FR_TRY(insert(txn, number, hash, &made, ask, err));
    made.id = sql_last_id(txn);

    memcpy(token, text, sizeof text);
    *ret = made;
    *ended = gone;
    return FR_OK;
}

// ---- finding

#define SESSION_COLUMNS "SELECT s.id, s.player, p.name, p.lang, s.scope, s.created_ms, s.expires_ms, s.revoked_ms, p.blocked, s.seen_ms, s.parent, s.bot, s.device FROM session s JOIN player p ON p.id = s.player "
static void session_read(struct store_row *row, struct session *ret)
{
    *ret = (struct session){ .id = sql_int(row, 0), .created_ms = sql_int(row, 5), .expires_ms = sql_int(row, 6), .seen_ms = sql_int(row, 9) };
    player_id_print(sql_int(row, 1), ret->player);
    player_text_copy(ret->name, sizeof ret->name, sql_text(row, 2));
    player_text_copy(ret->lang, sizeof ret->lang, sql_text(row, 3));
    player_text_copy(ret->scope, sizeof ret->scope, sql_text(row, 4));
}

enum fr_status session_find(struct store_txn *txn, const char *token, int64_t now_ms, struct session *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    uint8_t hash[SHA256_BYTES];
    bool found = false;
    if (token_hash(token, hash)) {
        FR_TRY(sql_begin(txn, SESSION_COLUMNS "WHERE s.token_hash = ?1", &row, err));
        sql_bind_bytes(row, 1, hash, sizeof hash);
        FR_TRY(sql_step(row, &found, err));
    }
    if (!found) return FR_FAIL_CODE(err, FR_E_AUTH, "session_unknown", "this session is not known here: sign in again");
    if (sql_int(row, 7) != 0) return FR_FAIL_CODE(err, FR_E_AUTH, "session_revoked", "this session was ended or replaced by a newer one");
    if (sql_int(row, 6) <= now_ms) return FR_FAIL_CODE(err, FR_E_AUTH, "session_expired", "this session has expired: sign in again");
    if (sql_int(row, 8) != 0) return FR_FAIL_CODE(err, FR_E_DENIED, "player_blocked", "this player is blocked here");
    session_read(row, ret);
    return FR_OK;
}

enum fr_status session_list(struct store_txn *txn, const char *player, int64_t now_ms, struct session_info *out, int cap, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t number = 0;
    FR_TRY(player_number(player, &number, err));
    FR_TRY(sql_begin(txn, SESSION_COLUMNS "WHERE s.player = ?1 AND s.revoked_ms = 0 AND s.expires_ms > ?3 ORDER BY s.id DESC LIMIT ?2", &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_int(row, 2, cap);
    sql_bind_int(row, 3, now_ms);
    int n = 0;
    for (bool found = true; n < cap; n++) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        session_read(row, &out[n].session);
        out[n].parent = sql_int(row, 10);
        player_text_copy(out[n].bot, sizeof out[n].bot, sql_text(row, 11));
        player_text_copy(out[n].device, sizeof out[n].device, sql_text(row, 12));
    }
    *count = n;
    return FR_OK;
}

enum fr_status session_seen(struct store_txn *txn, int64_t id, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE session SET seen_ms = ?2 WHERE id = ?1 AND seen_ms < ?2", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, now_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status session_sweep(struct store_txn *txn, int64_t now_ms, int limit, int *swept, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t changed = 0;
    FR_TRY(sql_begin(txn, "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_ms <= ?1 OR (revoked_ms > 0 AND revoked_ms <= ?2) LIMIT ?3)", &row, err));
    sql_bind_int(row, 1, now_ms);
    sql_bind_int(row, 2, now_ms - REVOKED_KEPT_MS);
    sql_bind_int(row, 3, limit);
    FR_TRY(sql_do(FR_TAKE(row), &changed, err));
    *swept = (int)changed;
    return FR_OK;
}

// ---- the loop's memory: a map by token hash, a map by id, and a ring from least to most recently used

struct cached { struct cached *older, *newer; uint8_t hash[SHA256_BYTES]; struct session session; };
struct session_cache { struct fr_map *by_hash, *by_id; struct cached ring; size_t max; };     // ring.newer is the oldest, ring.older the newest

struct session_cache *session_cache_new(size_t max)
{
    assert(max > 0);
    struct session_cache *c = fr_must_alloc(sizeof *c);
    c->by_hash = fr_map_new(max);
    c->by_id = fr_map_new(max);
    c->ring.older = c->ring.newer = &c->ring;
    c->max = max;
    return c;
}

static void unlink_cached(struct cached *e)
{
    e->older->newer = e->newer;
    e->newer->older = e->older;
}

static void link_newest(struct session_cache *c, struct cached *e)
{
    e->older = c->ring.older;
    e->newer = &c->ring;
    c->ring.older->newer = e;
    c->ring.older = e;
}

static void cached_free(struct session_cache *c, struct cached *e)
{
    fr_map_remove(c->by_hash, e->hash, sizeof e->hash);
    fr_map_remove_u64(c->by_id, (uint64_t)e->session.id);
    unlink_cached(e);
    fr_free(e);
}

void session_cache_free(struct session_cache *c)
{
    if (!c) return;
    while (c->ring.newer != &c->ring) cached_free(c, c->ring.newer);
    fr_map_free(c->by_hash);
    fr_map_free(c->by_id);
    fr_free(c);
}

bool session_cache_get(struct session_cache *c, const char *token, int64_t now_ms, struct session *ret)
{
    uint8_t hash[SHA256_BYTES];
    struct cached *e = token_hash(token, hash) ? fr_map_get(c->by_hash, hash, sizeof hash) : NULL;
    if (!e) return false;
    if (e->session.expires_ms <= now_ms) {
        cached_free(c, e);
        return false;
    }
    unlink_cached(e);
    link_newest(c, e);
    *ret = e->session;
    return true;
}

void session_cache_put(struct session_cache *c, const char *token, const struct session *s)
{
    uint8_t hash[SHA256_BYTES];
    if (!token_hash(token, hash)) return;
    session_cache_drop(c, s->id);
    if (fr_map_size(c->by_hash) == c->max) cached_free(c, c->ring.newer);
    struct cached *e = fr_alloc(sizeof *e);
    if (!e) return;                              // a cache may forget; the store remembers
    memcpy(e->hash, hash, sizeof hash);
    e->session = *s;
    link_newest(c, e);
    if (!fr_map_put(c->by_hash, e->hash, sizeof e->hash, e) || !fr_map_put_u64(c->by_id, (uint64_t)s->id, e)) cached_free(c, e);
}

void session_cache_drop(struct session_cache *c, int64_t session_id)
{
    struct cached *e = fr_map_get_u64(c->by_id, (uint64_t)session_id);
    if (e) cached_free(c, e);
}

size_t session_cache_size(const struct session_cache *c)
{
    return fr_map_size(c->by_hash);
}
