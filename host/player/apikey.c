// apikey.c — the table api_key and its SQL. The key itself is nowhere but with its holder.
#include "player/apikey.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "ledger/ledger.h"
#include "player/rows.h"
#include "store/migrate.h"

#define SECRET_BYTES 32
#define DAY_MS (24LL * 60 * 60 * 1000)

static const struct store_migration tables[] = {
    { "apikey", 1,
      "CREATE TABLE api_key (id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB NOT NULL UNIQUE, player INTEGER REFERENCES player(id), name TEXT NOT NULL, mark TEXT NOT NULL, scopes INTEGER NOT NULL,"
      " tokens_minute INTEGER NOT NULL, tokens_day INTEGER NOT NULL, requests_minute INTEGER NOT NULL, coins_day INTEGER NOT NULL, created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL DEFAULT 0,"
      " revoked_ms INTEGER NOT NULL DEFAULT 0, spent_day INTEGER NOT NULL DEFAULT 0, spent_units INTEGER NOT NULL DEFAULT 0);"
      "CREATE INDEX api_key_player ON api_key (player);" },
};
void api_key_tables(void) { store_register(tables, (int)(sizeof tables / sizeof tables[0])); }

static _Atomic uint64_t revocations;
uint64_t api_key_revocations(void) { return atomic_load(&revocations); }

static const struct { const char *name; enum api_scope scope; } scopes[] = { { "models", API_MODELS }, { "chat", API_CHAT }, { "embed", API_EMBED } };
#define SCOPE_COUNT (sizeof scopes / sizeof scopes[0])

bool api_scopes_parse(const char *text, unsigned *ret)
{
    unsigned made = 0;
    while (*text) {
        size_t len = strcspn(text, ","), i = 0;
        while (i < SCOPE_COUNT && !(strlen(scopes[i].name) == len && memcmp(scopes[i].name, text, len) == 0)) i++;
        if (i == SCOPE_COUNT) return false;
        made |= scopes[i].scope;
        text += len + (text[len] == ',');
    }
    *ret = made;
    return made != 0;
}

// ---- the text of a key

bool api_key_looks_like(const char *text)
{
    uint8_t bytes[SECRET_BYTES];
    size_t prefix = sizeof API_KEY_PREFIX - 1;
    return strlen(text) == API_KEY_TEXT_BYTES - 1 && memcmp(text, API_KEY_PREFIX, prefix) == 0 && fr_unbase64url(text + prefix, API_KEY_TEXT_BYTES - 1 - prefix, bytes, sizeof bytes) == SECRET_BYTES;
}

void api_key_hash(const char *text, uint8_t out[SHA256_BYTES])
{
    fr_sha256(text, strlen(text), out);
}

static void text_new(char out[API_KEY_TEXT_BYTES])
{
    uint8_t secret[SECRET_BYTES];
    char body[FR_BASE64URL_BYTES(SECRET_BYTES)];
    fr_random_bytes(secret, sizeof secret);
    snprintf(out, API_KEY_TEXT_BYTES, API_KEY_PREFIX "%s", fr_base64url(secret, sizeof secret, body));
}

// ---- making one

static enum fr_status name_check(const char *name, struct fr_err *err)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f) return FR_FAIL_CODE(err, FR_E_INVALID, "key_name", "a key's name has no control characters");
    if (len == 0 || len > API_KEY_NAME_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_INVALID, "key_name", "a key's name has 1 to %d bytes", API_KEY_NAME_BYTES_MAX);
    return FR_OK;
}

static enum fr_status room_check(struct store_txn *txn, int64_t player, int most, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM api_key WHERE player IS ?1 AND revoked_ms = 0", &row, err));
    if (player) sql_bind_int(row, 1, player);
    else sql_bind_null(row, 1);
    FR_TRY(sql_step(row, &found, err));
    if (sql_int(row, 0) >= most) return FR_FAIL_CODE(err, FR_E_LIMIT, "keys", "there are %d keys already: revoke one", most);
    return FR_OK;
}

static enum fr_status holder_check(struct store_txn *txn, const struct api_key_rules *rules, const char *player, struct fr_err *err)
{
    struct player who;
    int64_t free_units = 0, held_units = 0;
    FR_TRY(player_get(txn, player, &who, err));
    if (who.blocked) return FR_FAIL_CODE(err, FR_E_DENIED, "player_blocked", "this player is blocked here");
    if (rules->least_units == 0) return FR_OK;
    FR_TRY(ledger_balance(txn, OWNER_PLAYER, player, rules->asset, &free_units, &held_units, err));
    if (free_units + held_units >= rules->least_units) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_FUNDS, "key_balance", "a key is for players who hold %lld units of %s; there are %lld", (long long)rules->least_units, rules->asset, (long long)(free_units + held_units));
}

static enum fr_status insert(struct store_txn *txn, int64_t player, const uint8_t hash[SHA256_BYTES], const struct api_key *k, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO api_key (hash, player, name, mark, scopes, tokens_minute, tokens_day, requests_minute, coins_day, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)", &row, err));
    sql_bind_bytes(row, 1, hash, SHA256_BYTES);
    if (player) sql_bind_int(row, 2, player);
    else sql_bind_null(row, 2);
    sql_bind_text(row, 3, k->name);
    sql_bind_text(row, 4, k->mark);
    sql_bind_int(row, 5, k->scopes);
    sql_bind_int(row, 6, k->limits.tokens_minute);
    sql_bind_int(row, 7, k->limits.tokens_day);
    sql_bind_int(row, 8, k->limits.requests_minute);
    sql_bind_int(row, 9, k->limits.coins_day);
    sql_bind_int(row, 10, k->created_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status api_key_new(struct store_txn *txn, const struct api_key_rules *rules, const struct api_key_ask *ask, int64_t now_ms, char text[API_KEY_TEXT_BYTES], struct api_key *ret, struct fr_err *err)
{
    struct api_key made = { .scopes = ask->scopes, .limits = ask->limits, .created_ms = now_ms };
    char secret[API_KEY_TEXT_BYTES];
    uint8_t hash[SHA256_BYTES];
    int64_t player = 0;
    FR_TRY(name_check(ask->name, err));
    if (ask->player) {
        FR_TRY(player_number(ask->player, &player, err));
        FR_TRY(holder_check(txn, rules, ask->player, err));
        player_text_copy(made.player, sizeof made.player, ask->player);
    }
    int per_player = rules->per_player ? rules->per_player : API_KEYS_PER_PLAYER_MAX;
    FR_TRY(room_check(txn, player, ask->player ? per_player : API_KEYS_OPERATOR_MAX, err));
    text_new(secret);
    api_key_hash(secret, hash);
    player_text_copy(made.name, sizeof made.name, ask->name);
    memcpy(made.mark, secret + API_KEY_TEXT_BYTES - 5, 5);
    FR_TRY(insert(txn, player, hash, &made, err));
    made.id = sql_last_id(txn);
    memcpy(text, secret, sizeof secret);
    *ret = made;
    return FR_OK;
}

// ---- finding

#define KEY_COLUMNS "SELECT k.id, k.player, k.name, k.mark, k.scopes, k.tokens_minute, k.tokens_day, k.requests_minute, k.coins_day, k.created_ms, k.seen_ms, k.revoked_ms," \
                    " CASE WHEN k.spent_day = ?1 THEN k.spent_units ELSE 0 END, coalesce(p.blocked, 0) FROM api_key k LEFT JOIN player p ON p.id = k.player "
static void key_read(struct store_row *row, struct api_key *ret)
{
    *ret = (struct api_key){ .id = sql_int(row, 0), .scopes = (unsigned)sql_int(row, 4), .limits = { sql_int(row, 5), sql_int(row, 6), sql_int(row, 7), sql_int(row, 8) },
                             .created_ms = sql_int(row, 9), .seen_ms = sql_int(row, 10), .revoked_ms = sql_int(row, 11), .spent_units = sql_int(row, 12) };
    if (!sql_is_null(row, 1)) player_id_print(sql_int(row, 1), ret->player);
    player_text_copy(ret->name, sizeof ret->name, sql_text(row, 2));
    player_text_copy(ret->mark, sizeof ret->mark, sql_text(row, 3));
}

enum fr_status api_key_find(struct store_txn *txn, const uint8_t hash[SHA256_BYTES], int64_t now_ms, struct api_key *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, KEY_COLUMNS "WHERE k.hash = ?2", &row, err));
    sql_bind_int(row, 1, now_ms / DAY_MS);
    sql_bind_bytes(row, 2, hash, SHA256_BYTES);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_AUTH, "key_unknown", "Incorrect API key provided: this host does not know it");
    if (sql_int(row, 11) != 0) return FR_FAIL_CODE(err, FR_E_AUTH, "key_revoked", "Incorrect API key provided: it was revoked");
    if (sql_int(row, 13) != 0) return FR_FAIL_CODE(err, FR_E_DENIED, "player_blocked", "the player of this key is blocked here");
    key_read(row, ret);
    return FR_OK;
}

enum fr_status api_key_list(struct store_txn *txn, const char *player, int64_t before, int64_t now_ms, struct api_key *out, int cap, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t number = 0;
    if (player && player[0]) FR_TRY(player_number(player, &number, err));
    FR_TRY(sql_begin(txn, KEY_COLUMNS "WHERE k.revoked_ms = 0 AND (?2 = -1 OR k.player IS nullif(?2, 0)) AND (?3 = 0 OR k.id < ?3) ORDER BY k.id DESC LIMIT ?4", &row, err));
    sql_bind_int(row, 1, now_ms / DAY_MS);
    sql_bind_int(row, 2, player ? number : -1);
    sql_bind_int(row, 3, before);
    sql_bind_int(row, 4, cap);
    int n = 0;
    for (bool found = true; n < cap; n++) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        key_read(row, &out[n]);
    }
    *count = n;
    return FR_OK;
}

// ---- changing

enum fr_status api_key_revoke(struct store_txn *txn, const char *player, int64_t id, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t number = 0, changed = 0;
    if (player) FR_TRY(player_number(player, &number, err));
    FR_TRY(sql_begin(txn, "UPDATE api_key SET revoked_ms = ?3 WHERE id = ?1 AND revoked_ms = 0 AND (?2 = 0 OR player = ?2)", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, number);
    sql_bind_int(row, 3, now_ms);
    FR_TRY(sql_do(FR_TAKE(row), &changed, err));
    if (changed == 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "key_not_found", "there is no such key");
    atomic_fetch_add(&revocations, 1);
    return FR_OK;
}

enum fr_status api_key_seen(struct store_txn *txn, int64_t id, int64_t now_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE api_key SET seen_ms = ?2 WHERE id = ?1 AND seen_ms < ?2", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, now_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status api_key_spend(struct store_txn *txn, int64_t id, int64_t least, int64_t wish, int64_t now_ms, int64_t *got, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT coins_day - CASE WHEN spent_day = ?2 THEN spent_units ELSE 0 END FROM api_key WHERE id = ?1 AND revoked_ms = 0", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, now_ms / DAY_MS);
    FR_TRY(sql_step(row, &found, err));
    int64_t left = found ? sql_int(row, 0) : 0;
    if (!found || left < least || left <= 0) return FR_FAIL_CODE(err, FR_E_FUNDS, "llm_funds", "this key may spend %lld more units today, and this costs %lld", (long long)(left > 0 ? left : 0), (long long)least);
    int64_t take = wish < left ? wish : left;
    FR_SQL_ROW(change);
    FR_TRY(sql_begin(txn, "UPDATE api_key SET spent_units = CASE WHEN spent_day = ?2 THEN spent_units ELSE 0 END + ?3, spent_day = ?2 WHERE id = ?1", &change, err));
    sql_bind_int(change, 1, id);
    sql_bind_int(change, 2, now_ms / DAY_MS);
    sql_bind_int(change, 3, take);
    FR_TRY(sql_do(FR_TAKE(change), NULL, err));
    *got = take;
    return FR_OK;
}

enum fr_status api_key_unspend(struct store_txn *txn, int64_t id, int64_t units, int64_t taken_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE api_key SET spent_units = max(0, spent_units - ?3) WHERE id = ?1 AND spent_day = ?2", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, taken_ms / DAY_MS);
    sql_bind_int(row, 3, units);
    return sql_do(FR_TAKE(row), NULL, err);
}

// ---- showing

static void put_limit(struct fr_buf *out, const char *name, int64_t limit)
{
    if (limit) fr_buf_addf(out, ",\"%s\":%lld", name, (long long)limit);
    else fr_buf_addf(out, ",\"%s\":null", name);
}

void api_key_print(const struct api_key *k, struct fr_buf *out)
{
    char at[25];
    int n = 0;
    fr_buf_addf(out, "{\"id\":\"%lld\",\"name\":", (long long)k->id);
    fr_buf_add_json_text(out, k->name);
    fr_buf_addf(out, ",\"mark\":\"%s\",\"scopes\":[", k->mark);
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (k->scopes & scopes[i].scope) fr_buf_addf(out, "%s\"%s\"", n++ ? "," : "", scopes[i].name);
    fr_buf_addf(out, "],\"limits\":{\"coins_day\":\"%lld\"", (long long)k->limits.coins_day);
    put_limit(out, "tokens_minute", k->limits.tokens_minute);
    put_limit(out, "tokens_day", k->limits.tokens_day);
    put_limit(out, "requests_minute", k->limits.requests_minute);
    fr_buf_addf(out, "},\"spent_today\":\"%lld\",\"created_at\":\"%s\",\"last_used_at\":", (long long)k->spent_units, fr_time_text(k->created_ms, at));
    if (k->seen_ms) fr_buf_addf(out, "\"%s\"", fr_time_text(k->seen_ms, at));
    else fr_buf_add(out, "null");
}
