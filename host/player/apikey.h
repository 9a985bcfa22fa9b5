// apikey.h — keys with which programs use the host's models. Runs inside a store job.
//
// A key is "frond-" and 32 random bytes as base64url, shown once, when it is made; the store holds its SHA-256 and its last four characters. It belongs to a player, who pays for what it does, or to
// the operator, who pays nothing. Its limits are asked for when it is made and never grow; coins_day is the player's approval to be charged: no more than that leaves in a day (UTC), whatever the key's
// holder asks for. A key that was revoked never works again.
#pragma once
#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"
#include "player/identity.h"

#define API_KEY_PREFIX "frond-"
#define API_KEY_TEXT_BYTES (6 + 43 + 1)
enum api_scope { API_MODELS = 1, API_CHAT = 2, API_EMBED = 4 };      // the list of models; answers; embeddings
#define API_SCOPES_ALL (API_MODELS | API_CHAT | API_EMBED)
struct api_limits { int64_t tokens_minute, tokens_day, requests_minute, coins_day; };    // 0: the host's own limit; of coins: none may be spent
struct api_key {
    int64_t id; char player[PLAYER_ID_BYTES];          // player "": the operator's
    char name[API_KEY_NAME_BYTES_MAX + 1], mark[5];    // mark: the last four characters
    unsigned scopes;                                   // enum api_scope, ored
    struct api_limits limits;
    int64_t created_ms, seen_ms, revoked_ms;           // seen_ms: to the minute; 0: never
    int64_t spent_units;                               // of coins_day, today
};
// Who may have a key: players who hold so much of an asset. least 0: everybody.
struct api_key_rules { char asset[16]; int64_t least_units; int per_player; };      // per_player 0: API_KEYS_PER_PLAYER_MAX
struct api_key_ask { const char *player; const char *name; unsigned scopes; struct api_limits limits; };      // player NULL: the operator's

// FR_E_FUNDS "key_balance", FR_E_LIMIT "keys" (too many), FR_E_INVALID "key_name"; "player_unknown", "player_blocked".
FR_MUST_USE enum fr_status api_key_new(struct store_txn *txn, const struct api_key_rules *rules, const struct api_key_ask *ask, int64_t now_ms, char text[API_KEY_TEXT_BYTES], struct api_key *ret, struct fr_err *err);
bool api_key_looks_like(const char *text);                    // has the form of one
void api_key_hash(const char *text, uint8_t out[SHA256_BYTES]);
// FR_E_AUTH "key_unknown", "key_revoked"; FR_E_DENIED "player_blocked".
FR_MUST_USE enum fr_status api_key_find(struct store_txn *txn, const uint8_t hash[SHA256_BYTES], int64_t now_ms, struct api_key *ret, struct fr_err *err);
// Those not revoked, newest first. player NULL: everybody's; "": the operator's. before 0: from the newest.
FR_MUST_USE enum fr_status api_key_list(struct store_txn *txn, const char *player, int64_t before, int64_t now_ms, struct api_key *out, int cap, int *count, struct fr_err *err);
// player NULL: whosever it is. FR_E_NOT_FOUND "key_not_found": also when it was revoked before.
FR_MUST_USE enum fr_status api_key_revoke(struct store_txn *txn, const char *player, int64_t id, int64_t now_ms, struct fr_err *err);
FR_MUST_USE enum fr_status api_key_seen(struct store_txn *txn, int64_t id, int64_t now_ms, struct fr_err *err);
// Takes between least and wish units of what this key may spend today: *got. FR_E_FUNDS "llm_funds" when less is left, or it is revoked. What was taken and not used is given back, on the same day.
FR_MUST_USE enum fr_status api_key_spend(struct store_txn *txn, int64_t id, int64_t least, int64_t wish, int64_t now_ms, int64_t *got, struct fr_err *err);
FR_MUST_USE enum fr_status api_key_unspend(struct store_txn *txn, int64_t id, int64_t units, int64_t taken_ms, struct fr_err *err);
// Grows with each revocation in this process, once it is decided: whoever remembers keys forgets them then. Any thread.
uint64_t api_key_revocations(void);

// {"id","name","mark","scopes","limits","created_at","last_used_at","spent_today"}: without the braces' end, so that more can follow.
void api_key_print(const struct api_key *k, struct fr_buf *out);
bool api_scopes_parse(const char *text, unsigned *ret);       // "models,chat,embed"; false: unknown, or none
