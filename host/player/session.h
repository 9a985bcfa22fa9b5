// session.h — opaque bearer tokens, hashed at rest, scoped. Runs inside a store job; `session_cache` answers on the loop.
//
// A token is 32 random bytes as base64url; the store holds its SHA-256. Scope "shell" may approve, withdraw and link wallets;
// "game:<plugin>" may only call and play that plugin; "wallet" is of a browser outside Telegram and may only link wallets, deposit and withdraw. A game's session belongs to the shell session that opened it and ends with it.
// Reusing launch data that is still fresh opens a new session and revokes the earlier one opened from it (its sockets get `session.replaced`).
#pragma once
#include "base/hash.h"
#include "base/limits.h"
#include "player/bots.h"
#include "player/device.h"
#include "player/identity.h"

#define SESSION_TOKEN_BYTES 44
#define SESSION_SCOPE_BYTES 48
struct session {
    int64_t id; char player[PLAYER_ID_BYTES]; char name[PLAYER_NAME_BYTES]; char lang[16];
    char scope[SESSION_SCOPE_BYTES]; int64_t created_ms, expires_ms;
    int64_t seen_ms;                       // about when it was last used: kept in steps of SESSION_SEEN_MS
};
// Sessions that one step ended, so that the gateway can close their sockets. A player has no more.
struct session_ended { int64_t ids[SESSIONS_PER_PLAYER_MAX + 1]; int count; };

struct session_ask {
    const char *player, *scope;
    const char *launch_hash;               // NULL for sessions not opened from launch data
    const char *bot, *device;              // shown to the player, in a list of sessions; NULL: unknown
    int64_t parent;                        // a game's: the shell session that opens it, 0: none. It must be alive, and is not outlived.
    int64_t now_ms, life_ms;
};
// "player_unknown", "player_blocked", "session_revoked", "session_expired" (the parent's).
FR_MUST_USE enum fr_status session_open(struct store_txn *txn, const struct session_ask *ask, char token[SESSION_TOKEN_BYTES], struct session *ret,
                                        struct session_ended *ended, struct fr_err *err);
// FR_E_AUTH: "session_unknown", "session_expired", "session_revoked".
FR_MUST_USE enum fr_status session_find(struct store_txn *txn, const char *token, int64_t now_ms, struct session *ret, struct fr_err *err);
// Ends `id` (0: all) of this player with what it opened; all but `except` (0: none) with what that opened. ended->count 0: there was no such session.
FR_MUST_USE enum fr_status session_end(struct store_txn *txn, const char *player, int64_t id, int64_t except, int64_t now_ms, struct session_ended *ended, struct fr_err *err);

struct session_info { struct session session; int64_t parent; char bot[BOT_NAME_BYTES], device[DEVICE_BYTES]; };
// Those alive, newest first.
FR_MUST_USE enum fr_status session_list(struct store_txn *txn, const char *player, int64_t now_ms, struct session_info *out, int cap, int *count, struct fr_err *err);
FR_MUST_USE enum fr_status session_seen(struct store_txn *txn, int64_t id, int64_t now_ms, struct fr_err *err);
FR_MUST_USE enum fr_status session_sweep(struct store_txn *txn, int64_t now_ms, int limit, int *swept, struct fr_err *err);   // deletes expired rows

// The loop's memory of live sessions, so that a request does not wait for the disk. Bounded; least recently used go first.
struct session_cache;
struct session_cache *session_cache_new(size_t max);
void session_cache_free(struct session_cache *c);
bool session_cache_get(struct session_cache *c, const char *token, int64_t now_ms, struct session *ret);
void session_cache_put(struct session_cache *c, const char *token, const struct session *s);
size_t session_cache_size(const struct session_cache *c);
void session_cache_drop(struct session_cache *c, int64_t session_id);
