// botapi.c — the envelope {"ok", "result" | "error_code", "description", "parameters"}, and what each refusal means to an operator.
#include "telegram/botapi.h"
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "net/fetch.h"

#define URL_BYTES (TELEGRAM_URL_BYTES + BOT_TOKEN_BYTES + 64)

// What a server answers may hold what we sent it. The number in front is no secret.
static void redact(char *text, const struct bot *bot)
{
    const char *secret = strchr(bot->token, ':');
    size_t len = secret ? strlen(++secret) : 0;
    for (char *at = len ? strstr(text, secret) : NULL; at; at = strstr(at + len, secret)) memset(at, '*', len);
}

static enum fr_status fetch_failed(const struct fr_err *why, struct fr_err *err)
{
    static const struct { const char *from, *to; } codes[] = { { "fetch_timeout", "telegram_timeout" }, { "fetch_tls", "telegram_tls" }, { "fetch_ca_file", "telegram_tls" }, { "fetch_too_large", "telegram_nonsense" } };
    const char *code = "telegram_unreachable";
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) if (strcmp(why->code, codes[i].from) == 0) code = codes[i].to;
    return FR_FAIL_CODE(err, why->status, code, "the Bot API: %s", why->text);
}

// A refusal, in the operator's words where we know better ones.
static enum fr_status refused(const struct botapi *b, const char *method, const struct fr_json *answer, struct fr_err *err)
{
    const char *description = fr_json_text(fr_json_get(answer, "description"));
    int64_t code, retry_s;
    struct fr_err none;
    char text[200];
    if (fr_json_need_int(answer, "error_code", 100, 999, &code, &none) != FR_OK || !description) return FR_FAIL_CODE(err, FR_E_IO, "telegram_nonsense", "%s: the answer is none of a Bot API: is telegram.api right?", method);
    snprintf(text, sizeof text, "%s", description);
    redact(text, b->bot);
    if (code == 401 || code == 404) return FR_FAIL_CODE(err, FR_E_AUTH, "telegram_token", "%s: Telegram does not know this token (%s)", method, text);
    if (code != 429) return FR_FAIL_CODE(err, code >= 500 ? FR_E_BUSY : FR_E_CONFLICT, "telegram_refused", "%s: %d %s", method, (int)code, text);
    if (fr_json_opt_int(answer, "parameters.retry_after", 0, 1 << 30, 1, &retry_s, &none) != FR_OK) retry_s = 1;
    FR_IGNORE(FR_FAIL_CODE(err, FR_E_BUSY, "telegram_rate", "%s: too many requests: try again in %lld s", method, (long long)retry_s));       // returned below
    err->retry_s = (int)retry_s;
    return FR_E_BUSY;
}

static enum fr_status call_once(const struct botapi *b, const char *method, const char *params, struct fr_json **ret, struct fr_err *err)
{
    char url[URL_BYTES];
    FR_AUTO_BUF(body);
    FR_AUTO(fr_json) answer = NULL;
    struct fr_err why;
    int http_status;
    fr_buf_init(&body, BOTAPI_ANSWER_BYTES_MAX);
    snprintf(url, sizeof url, "%s/bot%s/%s%s", b->settings->api, b->bot->token, b->settings->test_servers ? "test/" : "", method);
    struct net_fetch ask = { .url = url, .json = params ? params : "{}", .ca_file = b->settings->ca_file, .timeout_ms = FETCH_MS, .bytes_max = BOTAPI_ANSWER_BYTES_MAX };
    enum fr_status st = net_fetch(&ask, &http_status, &body, &why);
    memset(url, 0, sizeof url);
    if (st != FR_OK) return fetch_failed(&why, err);
    if (fr_json_parse(body.data ? body.data : "", body.len, &answer, &why) != FR_OK || fr_json_kind(answer) != JSON_OBJECT)
        return FR_FAIL_CODE(err, FR_E_IO, "telegram_nonsense", "%s: HTTP %d without an answer of a Bot API: is telegram.api right?", method, http_status);
    if (http_status != 200 || !fr_json_is_true(fr_json_get(answer, "ok"))) return refused(b, method, answer, err);
    *ret = FR_TAKE(answer);
    return FR_OK;
}

enum fr_status botapi_call(const struct botapi *b, const char *method, const char *params, struct fr_json **ret, struct fr_err *err)
{
    enum fr_status st = call_once(b, method, params, ret, err);
    if (st == FR_OK || strcmp(err->code, "telegram_rate") != 0 || err->retry_s > BOTAPI_WAIT_S_MAX) return st;
    struct timespec wait = { .tv_sec = err->retry_s };
    nanosleep(&wait, NULL);
    return call_once(b, method, params, ret, err);
}
