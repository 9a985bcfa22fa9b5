// identity.h — who a player is: one row per Telegram user, whichever of the host's bots they came by. Runs inside a store job.
//
// A player id is a number as decimal text ("17"); journals hold only it, so that people can be erased. The name is what
// the launch data last said; it is shown to other players and treated as hostile text everywhere.
#pragma once
#include <stdbool.h>
#include "player/bots.h"
#include "store/store.h"

#define PLAYER_ID_BYTES 24
#define PLAYER_NAME_BYTES 65
struct player { char id[PLAYER_ID_BYTES]; int64_t telegram_id; char name[PLAYER_NAME_BYTES]; char lang[16]; int64_t created_ms; bool blocked;
                char bot[BOT_NAME_BYTES]; };     // by which they came last

void player_register(void);                        // migrations of identity, session, consent; before store_open
// Finds the player or makes one; updates name, language and bot. *is_new tells the caller to give test coins under --dev.
FR_MUST_USE enum fr_status player_enter(struct store_txn *txn, const char *bot, int64_t telegram_id, const char *name, const char *lang, int64_t now_ms,
                                        struct player *ret, bool *is_new, struct fr_err *err);
FR_MUST_USE enum fr_status player_get(struct store_txn *txn, const char *id, struct player *ret, struct fr_err *err);   // FR_E_NOT_FOUND "player_unknown"
FR_MUST_USE enum fr_status player_find(struct store_txn *txn, int64_t telegram_id, struct player *ret, bool *found, struct fr_err *err);      // changes nothing
FR_MUST_USE enum fr_status player_list(struct store_txn *txn, const char *after, int limit, struct player *out, int *count, struct fr_err *err);
bool player_id_valid(const char *text);            // "1".."9223372036854775807", no leading zeros
