// initdata.h — Telegram Mini App launch data: parse and prove. Pure: no store, no clock of its own.
//
// Sources: core.telegram.org/bots/webapps, "Validating data received via the Mini App" and "... for Third-Party Use".
// With the bot's token: secret = HMAC_SHA256(key "WebAppData", message bot token); hash = hex HMAC_SHA256(secret, check string); check string = all
// fields but `hash`, percent-decoded ('+' and %20 are spaces), sorted by key, "k=v" joined by \n. Unknown fields (`signature` among them) stay in it.
// With the bot's id alone: signature = base64url Ed25519 by Telegram's key over "<bot id>:WebAppData\n" and the check string without `signature`.
// Every token is tried, in constant time and whatever an earlier one said; then every id. The JSON inside is not re-serialised before the check.
// Field names outside [A-Za-z0-9_.-] and control characters in values are refused: with them, two different sets of fields could have the
// same check string. Bounds are inclusive: exactly max_age_s old or future_s ahead is accepted. Names are cut at whole characters.
#pragma once
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "player/bots.h"

struct initdata {
    int64_t auth_date_s;
    int64_t user_id; char first_name[65], last_name[65], username[40], language[16];
    char start_param[513]; char query_id[65];   // "" when absent or longer (Telegram: at most 512)
    char hash[65];                         // lower-case hex: names this launch, for revocation when it is used again. Proven: `hash`, or SHA-256 of what was signed
    const struct bot *bot; bool by_signature;
};
struct initdata_rules { const struct bots *bots; int64_t now_ms; int64_t max_age_s; int64_t future_s; };
// Refusals, all FR_E_AUTH with codes of their own: launch_malformed, launch_too_long, launch_duplicate_key, launch_no_hash, launch_bad_hash,
// launch_no_signature, launch_bad_signature (when only bots without a token are taken),
// launch_no_date, launch_stale, launch_future, launch_no_user, launch_bad_user.
FR_MUST_USE enum fr_status initdata_verify(const char *text, size_t len, const struct initdata_rules *rules, struct initdata *ret, struct fr_err *err);
// For --dev and tests: makes signed launch data. user_json is the JSON of the user field. Each launch has a query_id and so a hash of its
// own; `signature` (Ed25519, for third parties) is noise of the right form.
FR_MUST_USE enum fr_status initdata_mint(const char *bot_token, const char *user_json, int64_t auth_date_s, const char *start_param, struct fr_buf *out, struct fr_err *err);
