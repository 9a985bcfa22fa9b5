// identity.c — the player table, and the migrations of this folder's tables.
#include "player/identity.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/utf8.h"
#include "player/rows.h"
#include "store/migrate.h"

static const struct store_migration steps[] = {
    { "player", 1,
      "CREATE TABLE player (id INTEGER PRIMARY KEY AUTOINCREMENT, bot_id INTEGER NOT NULL, telegram_id INTEGER NOT NULL,"
      " name TEXT NOT NULL, lang TEXT NOT NULL, created_ms INTEGER NOT NULL, blocked INTEGER NOT NULL DEFAULT 0, UNIQUE (bot_id, telegram_id));"
      "CREATE TABLE session (id INTEGER PRIMARY KEY AUTOINCREMENT, token_hash BLOB NOT NULL UNIQUE, player INTEGER NOT NULL REFERENCES player(id),"
      " scope TEXT NOT NULL, launch_hash TEXT, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL DEFAULT 0);"
      "CREATE INDEX session_player ON session (player);"
      "CREATE INDEX session_launch ON session (launch_hash) WHERE launch_hash IS NOT NULL;"
      "CREATE INDEX session_expires ON session (expires_ms);"
      "CREATE INDEX session_revoked ON session (revoked_ms) WHERE revoked_ms > 0;" },
    { "player", 2,
      "CREATE TABLE consent (id INTEGER PRIMARY KEY AUTOINCREMENT, player INTEGER NOT NULL REFERENCES player(id), plugin TEXT NOT NULL, asset TEXT NOT NULL,"
      " kind TEXT NOT NULL CHECK (kind IN ('once', 'daily')), max_units INTEGER NOT NULL CHECK (max_units > 0),"
      " spent_units INTEGER NOT NULL DEFAULT 0 CHECK (spent_units BETWEEN 0 AND max_units), day INTEGER NOT NULL, terms TEXT NOT NULL, intent TEXT UNIQUE,"
      " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, revoked_ms INTEGER NOT NULL DEFAULT 0);"
      "CREATE UNIQUE INDEX consent_live ON consent (player, plugin, asset) WHERE revoked_ms = 0;"
      "CREATE TABLE consent_intent (id TEXT PRIMARY KEY, player INTEGER NOT NULL REFERENCES player(id), plugin TEXT NOT NULL, asset TEXT NOT NULL,"
      " kind TEXT NOT NULL, reason TEXT NOT NULL, max_units INTEGER NOT NULL, terms TEXT NOT NULL, key TEXT, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL,"
      " UNIQUE (player, plugin, key));"
      "CREATE INDEX consent_intent_player ON consent_intent (player, created_ms);" },
    // A player is a Telegram user, whichever of the host's bots they came by; bot_id 0 says so. A host that changed its bot before knows
    // some of them twice: the newest goes on, the others stay for the ledger. Games' sessions from before have no parent to end with.
    { "player", 3,
      "ALTER TABLE player ADD COLUMN bot TEXT NOT NULL DEFAULT '';"
      "UPDATE player SET bot_id = 0 WHERE id IN (SELECT max(id) FROM player GROUP BY telegram_id);"
      "ALTER TABLE session ADD COLUMN parent INTEGER NOT NULL DEFAULT 0;"
      "ALTER TABLE session ADD COLUMN bot TEXT NOT NULL DEFAULT '';"
      "ALTER TABLE session ADD COLUMN device TEXT NOT NULL DEFAULT '';"
      "ALTER TABLE session ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0;"
      "UPDATE session SET seen_ms = created_ms;"
      "UPDATE session SET revoked_ms = created_ms WHERE scope <> 'shell' AND revoked_ms = 0;" },
    { "player", 4,
      "CREATE TABLE wallet_code (player INTEGER PRIMARY KEY REFERENCES player(id), hash BLOB NOT NULL UNIQUE, expires_ms INTEGER NOT NULL);"
      "CREATE TABLE wallet_nonce (nonce TEXT PRIMARY KEY, player INTEGER NOT NULL REFERENCES player(id), session INTEGER NOT NULL, address BLOB NOT NULL, issued_ms INTEGER NOT NULL,"
      " expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
      "CREATE INDEX wallet_nonce_player ON wallet_nonce (player, issued_ms);"
      "CREATE TABLE wallet_link (id INTEGER PRIMARY KEY, player INTEGER NOT NULL REFERENCES player(id), address BLOB NOT NULL, linked_ms INTEGER NOT NULL, unlinked_ms INTEGER NOT NULL DEFAULT 0);"
      "CREATE UNIQUE INDEX wallet_link_live ON wallet_link (address) WHERE unlinked_ms = 0;"
      "CREATE INDEX wallet_link_player ON wallet_link (player, linked_ms);" },
};

void player_register(void)
{
    store_register(steps, (int)(sizeof steps / sizeof steps[0]));
    api_key_tables();
}

// ---- ids

bool player_id_valid(const char *text)
{
    size_t len = strlen(text);
    if (len == 0 || len > 19 || *text == '0' || strspn(text, "0123456789") != len) return false;
    return len < 19 || strcmp(text, "9223372036854775807") <= 0;
}

enum fr_status player_number(const char *id, int64_t *ret, struct fr_err *err)
{
    if (!player_id_valid(id)) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "player_unknown", "there is no player with this id");
    *ret = strtoll(id, NULL, 10);
    return FR_OK;
}

void player_id_print(int64_t number, char out[PLAYER_ID_BYTES])
{
    snprintf(out, PLAYER_ID_BYTES, "%lld", (long long)number);
}

void player_text_copy(char *out, size_t cap, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len >= cap) len = fr_utf8_cut(text, cap - 1);
    if (len) memcpy(out, text, len);
    out[len] = 0;
}

// ---- rows

#define PLAYER_COLUMNS "SELECT id, telegram_id, name, lang, created_ms, blocked, bot FROM player "
static void player_read(struct store_row *row, struct player *ret)
{
    *ret = (struct player){ .telegram_id = sql_int(row, 1), .created_ms = sql_int(row, 4), .blocked = sql_int(row, 5) != 0 };
    player_id_print(sql_int(row, 0), ret->id);
    player_text_copy(ret->name, sizeof ret->name, sql_text(row, 2));
    player_text_copy(ret->lang, sizeof ret->lang, sql_text(row, 3));
    player_text_copy(ret->bot, sizeof ret->bot, sql_text(row, 6));
}

enum fr_status player_find(struct store_txn *txn, int64_t telegram_id, struct player *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, PLAYER_COLUMNS "WHERE bot_id = 0 AND telegram_id = ?1", &row, err));
    sql_bind_int(row, 1, telegram_id);
    FR_TRY(sql_step(row, found, err));
    if (*found) player_read(row, ret);
    return FR_OK;
}

static enum fr_status player_insert(struct store_txn *txn, const struct player *p, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO player (bot_id, telegram_id, name, lang, created_ms, bot) VALUES (0, ?2, ?3, ?4, ?5, ?1)", &row, err));
    sql_bind_text(row, 1, p->bot);
    sql_bind_int(row, 2, p->telegram_id);
    sql_bind_text(row, 3, p->name);
    sql_bind_text(row, 4, p->lang);
    sql_bind_int(row, 5, p->created_ms);
    return sql_do(FR_TAKE(row), NULL, err);
}

static enum fr_status player_rename(struct store_txn *txn, const struct player *p, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE player SET name = ?2, lang = ?3, bot = ?4 WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, strtoll(p->id, NULL, 10));
    sql_bind_text(row, 2, p->name);
    sql_bind_text(row, 3, p->lang);
    sql_bind_text(row, 4, p->bot);
    return sql_do(FR_TAKE(row), NULL, err);
}

enum fr_status player_enter(struct store_txn *txn, const char *bot, int64_t telegram_id, const char *name, const char *lang, int64_t now_ms,
                            struct player *ret, bool *is_new, struct fr_err *err)
{
    struct player now = { .telegram_id = telegram_id, .created_ms = now_ms }, before = { 0 };
    bool found = false;
    assert(telegram_id > 0);
    player_text_copy(now.name, sizeof now.name, name);
    player_text_copy(now.lang, sizeof now.lang, lang);
    player_text_copy(now.bot, sizeof now.bot, bot);
    FR_TRY(player_find(txn, telegram_id, &before, &found, err));
    if (!found) {
        FR_TRY(player_insert(txn, &now, err));
        player_id_print(sql_last_id(txn), now.id);
    } else {
        bool same = strcmp(before.name, now.name) == 0 && strcmp(before.lang, now.lang) == 0 && strcmp(before.bot, now.bot) == 0;
        memcpy(now.id, before.id, sizeof now.id);
        now.created_ms = before.created_ms;
        now.blocked = before.blocked;
        if (!same) FR_TRY(player_rename(txn, &now, err));       // signing in again writes nothing when nothing changed
    }
    *ret = now;
    *is_new = !found;
    return FR_OK;
}

enum fr_status player_get(struct store_txn *txn, const char *id, struct player *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t number = 0;
    bool found = false;
    FR_TRY(player_number(id, &number, err));
    FR_TRY(sql_begin(txn, PLAYER_COLUMNS "WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, number);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "player_unknown", "there is no player %s", id);
    player_read(row, ret);
    return FR_OK;
}

enum fr_status player_list(struct store_txn *txn, const char *after, int limit, struct player *out, int *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t number = 0;
    if (after && *after) FR_TRY(player_number(after, &number, err));
    FR_TRY(sql_begin(txn, PLAYER_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2", &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_int(row, 2, limit);
    int n = 0;
    for (bool found = true; n < limit; n++) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        player_read(row, &out[n]);
    }
    *count = n;
    return FR_OK;
}
