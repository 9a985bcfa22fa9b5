// bots.h — the Telegram bots whose launch data this host takes, and Telegram's key. Plain values: they copy freely. Pure but for the environment.
//
// A bot with a token is proven by its token (HMAC); a bot of which only the id is known (a partner's) by Telegram's own signature
// (Ed25519), which needs no secret. From the config file, whose keys these are:
//     "bot_token": "1234567:AA.."                        one bot, named "main"; FROND_BOT_TOKEN in the environment takes its place
//     "bots": [{"name":"quiz","token":"7654321:AA.."},    a name is lower-case letters, digits, single hyphens
//              {"name":"duel","token_env":"DUEL_TOKEN"},  the token stands in that environment variable
//              {"name":"partner","id":"7342037359"}]      no secret
//         and "username":"DuelBot" beside any of them, as `frond telegram connect` shows it: then links to share open that bot (t.me/DuelBot)
//     "telegram": {"environment":"test"}                  Telegram's test servers, which have their own key, bots and people
//     "telegram": {"public_key":"<64 hex digits>"}        another key than Telegram's: --dev only
// Secrets never stand in an error text.
#pragma once
#include <stdbool.h>
#include "base/ed25519.h"
#include "base/json.h"
#include "base/limits.h"

#define BOT_NAME_BYTES 33
#define BOT_TOKEN_BYTES 128
#define BOT_USERNAME_BYTES 33
struct bot { char name[BOT_NAME_BYTES]; int64_t id; char token[BOT_TOKEN_BYTES], username[BOT_USERNAME_BYTES]; };      // token "": by Telegram's signature; username "": not told
struct bots {
    struct bot list[BOTS_MAX]; int count;
    uint8_t telegram_key[ED25519_KEY_BYTES];
    bool test_servers;                     // people there are others: their data is never mixed with production's
    bool own_key;                          // --dev only
};

void bots_init(struct bots *b);            // none; Telegram's production key
// "bot_token", "bot_name", "bots" (twice the same, or over BOTS_MAX). token NULL: only the id.
FR_MUST_USE enum fr_status bots_add(struct bots *b, const char *name, const char *token, int64_t id, struct fr_err *err);
// config: the whole file, or NULL when there is none. Codes: config, bots, bot_name, bot_token, bot_token_missing.
FR_MUST_USE enum fr_status bots_read(const struct fr_json *config, struct bots *ret, struct fr_err *err);
const struct bot *bots_find(const struct bots *b, const char *name);       // NULL: there is none
const struct bot *bots_with_token(const struct bots *b);                   // the first, or NULL

// "1234567:AA...": digits, ':', 30..50 of [A-Za-z0-9_-]. FR_E_INVALID "bot_token" otherwise. *bot_id is the number in front.
FR_MUST_USE enum fr_status bot_token_check(const char *token, int64_t *bot_id, struct fr_err *err);
