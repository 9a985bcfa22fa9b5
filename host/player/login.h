// login.h — Telegram Login for web pages outside Telegram: the fields that Telegram hands a page, proven by a bot's token. Pure.
//
// Source: core.telegram.org/widgets/login, "Checking authorization": secret = SHA256(bot token); hash = hex HMAC_SHA256(secret, check string); check string = all fields but
// `hash`, sorted by name, "k=v" joined by \n. It is another secret than launch data's, so neither passes for the other. Every bot with a token is tried, in
// constant time. Names outside [a-z0-9_] and control characters in values are refused: with them, two different sets of fields could have one check string.
#pragma once
#include "base/json.h"
#include "player/bots.h"

struct login { int64_t user_id, auth_date_s; char hash[65]; const struct bot *bot; };
// o: {id, first_name, .., auth_date, hash}: texts, or whole numbers. FR_E_AUTH "login_malformed", "login_bad_hash", "login_stale", "login_future".
FR_MUST_USE enum fr_status login_verify(const struct fr_json *o, const struct bots *bots, int64_t now_ms, struct login *ret, struct fr_err *err);
