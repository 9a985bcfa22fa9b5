// consent.h — what a player allowed a plugin to spend: plugin, asset, maximum, expiry, payees. Runs inside a store job.
//
// Kinds: "once" (the maximum in all, until expires_ms) and "daily" (the maximum each UTC day). `terms` is the hash of the payees the
// player saw (the manifest's mode or splits, canonical JSON): when a new version's terms differ the approval is void, and spending is
// refused as if there were none. There is at most one live approval of (player, plugin, asset).
// consent_spend reserves; consent_return gives back what was reserved for a stake that came home (void match, draw, hold released or expired):
// what leaves the player under one approval, less what came home, never exceeds its maximum (on one day, if daily).
#pragma once
#include "base/hash.h"
#include "player/identity.h"

struct consent {
    int64_t id; char player[PLAYER_ID_BYTES]; char plugin[40]; char asset[16]; char kind[8];
    int64_t max_units, spent_units, created_ms, expires_ms, revoked_ms; char terms[SHA256_HEX_BYTES];
    char intent[40];               // the intent it answers: the same one again finds the first approval; "" when the shell offered it by itself
};
struct consent_intent {            // a plugin asks; the player answers on the shell's sheet
    char id[40]; char player[PLAYER_ID_BYTES]; char plugin[40]; char asset[16]; char kind[8]; char reason[201];
    int64_t max_units, created_ms, expires_ms; char terms[SHA256_HEX_BYTES];
};
// Makes the approval; id, spent, created and revoked of `ask` are ignored. Revokes the earlier one of (player, plugin, asset).
// FR_E_INVALID for an unknown kind, amount or terms; FR_E_LIMIT past CONSENT_MS_MAX; FR_E_CONFLICT "consent_expired" when it would
// already be over, and "consent_revoked" when this intent's approval was revoked or replaced.
FR_MUST_USE enum fr_status consent_give(struct store_txn *txn, const struct consent *ask, int64_t now_ms, struct consent *ret, struct fr_err *err);
FR_MUST_USE enum fr_status consent_revoke(struct store_txn *txn, const char *player, int64_t id, int64_t now_ms, struct fr_err *err);   // FR_E_NOT_FOUND "consent_unknown"
// Those not revoked, newest first; expired ones until they are replaced. spent_units of a daily one is what its last day saw.
FR_MUST_USE enum fr_status consent_list(struct store_txn *txn, const char *player, struct consent *out, int cap, int *count, struct fr_err *err);
// What may still be spent now; 0 when nothing was approved (that is no error).
FR_MUST_USE enum fr_status consent_left(struct store_txn *txn, const char *player, const char *plugin, const char *asset, const char *terms, int64_t now_ms,
                                        int64_t *left_units, int64_t *expires_ms, struct fr_err *err);
// FR_E_DENIED code "consent_required" when less than units is left, for whatever reason: the text says which.
FR_MUST_USE enum fr_status consent_spend(struct store_txn *txn, const char *player, const char *plugin, const char *asset, const char *terms, int64_t units, int64_t now_ms,
                                         struct fr_err *err);
// spent_ms: when it was spent. Does nothing when the approval it was spent from is gone or over, or its day is, and never gives back more
// than was spent: another approval, or another day, is not made larger by what it never paid.
FR_MUST_USE enum fr_status consent_return(struct store_txn *txn, const char *player, const char *plugin, const char *asset, int64_t units, int64_t spent_ms, int64_t now_ms,
                                          struct fr_err *err);
// `key` is the plugin's (the same key with the same content finds the first intent, with other content FR_E_CONFLICT "key_reused"),
// or NULL: then an intent of the same content that is still open is found again. id and created of `ask` are ignored, expires_ms 0 means
// INTENT_MS from now. Past INTENTS_PER_PLAYER_MAX the oldest of the plugin that has most goes, so a flood costs only the one who floods.
FR_MUST_USE enum fr_status consent_intent_make(struct store_txn *txn, const struct consent_intent *ask, const char *key, int64_t now_ms, struct consent_intent *ret, struct fr_err *err);
// FR_E_NOT_FOUND "intent_unknown" (also another player's), FR_E_CONFLICT "intent_expired".
FR_MUST_USE enum fr_status consent_intent_get(struct store_txn *txn, const char *player, const char *id, int64_t now_ms, struct consent_intent *ret, struct fr_err *err);
