// botapi.h — one call of Telegram's Bot API (core.telegram.org/bots/api), waited for: for the CLI. No error text holds a token.
#pragma once
#include "base/json.h"
#include "player/bots.h"
#include "telegram/settings.h"

struct botapi { const struct bot *bot; const struct telegram_settings *settings; };
// params: a JSON object, or NULL. *ret is the whole answer, the caller's to free; what was asked for is its "result".
// "retry_after" of at most BOTAPI_WAIT_S_MAX is waited for, once.
// Codes: telegram_unreachable, telegram_timeout, telegram_tls, telegram_token (401, 404: Telegram does not know it), telegram_rate (err->retry_s),
// telegram_refused (it said no, with its own words), telegram_nonsense (no answer of a Bot API).
FR_MUST_USE enum fr_status botapi_call(const struct botapi *b, const char *method, const char *params, struct fr_json **ret, struct fr_err *err);
