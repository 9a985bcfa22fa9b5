// openai_api.c — see openai_api.h.
#include "llm/openai_api.h"
#include <string.h>
#include "base/json.h"
#include "base/limits.h"

// Ours, the HTTP status, then OpenAI's type, code (NULL: ours) and the parameter at fault.
static const struct shape { const char *code; int http_status; const char *type, *theirs, *param; } shapes[] = {
    { "key_unknown",          401, "invalid_request_error", "invalid_api_key", NULL },
    { "key_missing",          401, "invalid_request_error", "invalid_api_key", NULL },
    { "key_revoked",          401, "invalid_request_error", "invalid_api_key", NULL },
    { "session_unknown",      401, "invalid_request_error", "invalid_api_key", NULL },
    { "session_expired",      401, "invalid_request_error", "invalid_api_key", NULL },
    { "session_revoked",      401, "invalid_request_error", "invalid_api_key", NULL },
    { "model_unknown",        404, "invalid_request_error", "model_not_found", "model" },
    { "llm_request",          400, "invalid_request_error", NULL, NULL },
    { "llm_prompt_too_large", 400, "invalid_request_error", "context_length_exceeded", "messages" },
    { "too_large",            413, "invalid_request_error", "request_too_large", NULL },
    { "body_too_large",       413, "invalid_request_error", "request_too_large", NULL },
    { "llm_refused",          400, "invalid_request_error", "content_filter", NULL },
    { "llm_rate",             429, "rate_limit_error",      "rate_limit_exceeded", NULL },
    { "rate_limited",         429, "rate_limit_error",      "rate_limit_exceeded", NULL },
    { "llm_queue_full",       429, "rate_limit_error",      "rate_limit_exceeded", NULL },
    { "llm_budget",           429, "insufficient_quota",    "insufficient_quota", NULL },
    { "llm_funds",            429, "insufficient_quota",    "insufficient_quota", NULL },
    { "llm_down",             503, "server_error",          NULL, NULL },
    { "llm_nonsense",         502, "server_error",          NULL, NULL },
    { "llm_backend",          502, "server_error",          NULL, NULL },
    { "llm_too_large",        502, "server_error",          NULL, NULL },
    { "llm_deadline",         504, "timeout",               NULL, NULL },
};

static const struct shape *shape_of(const struct fr_err *err)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (strcmp(shapes[i].code, err->code) == 0) return &shapes[i];
    return NULL;
}

int openai_error_status(const struct fr_err *err)
{
    const struct shape *s = shape_of(err);
    if (s) return s->http_status;
    return err->status == FR_E_LIMIT ? 429 : fr_status_http(err->status);
}

static const char *type_of(int http_status)
{
    switch (http_status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 429: return "rate_limit_error";
    case 504: return "timeout";
    default:  return http_status < 500 ? "invalid_request_error" : "server_error";
    }
}

// "messages[0].content: expected ..": the member that the sentence begins with, or 0.
static size_t member_len(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]");
    return text[len] == ':' && text[len + 1] == ' ' && len < 100 ? len : 0;
}

void openai_error_print(const struct fr_err *err, const char *text, struct fr_buf *out)
{
    const struct shape *s = shape_of(err);
    int http_status = openai_error_status(err);
    size_t member = http_status == 400 && text == err->text ? member_len(text) : 0;
    fr_buf_add(out, "{\"error\":{\"message\":");
    fr_buf_add_json_text(out, text);
    fr_buf_addf(out, ",\"type\":\"%s\",\"param\":", s ? s->type : type_of(http_status));
    if (member) fr_buf_add_json_bytes(out, text, member);
    else fr_buf_add_json_text(out, s ? s->param : NULL);
    fr_buf_add(out, ",\"code\":");
    fr_buf_add_json_text(out, s && s->theirs ? s->theirs : err->code);
    fr_buf_add(out, "}}");
}

const char *llm_public_text(const struct fr_err *err)
{
    if (strcmp(err->code, "llm_down") == 0) return "no server with this model is up just now: try again later";      // the core's sentence says where it looked
    switch (err->status) {
    case FR_E_IO:
        if (strcmp(err->code, "llm_nonsense") == 0) return "the model's server answered nonsense: try again";
        return strncmp(err->code, "llm_", 4) == 0 ? "the model's server failed at this: try again" : "the host cannot do this just now: try again";
    case FR_E_NOMEM:    return "the host is out of memory just now";
    case FR_E_CORRUPT:  return "the host found damaged data; the operator has been told";
    case FR_E_INTERNAL: return "the host failed at this; the operator's log has the reason";
    default:            return err->text;
    }
}

void openai_stream_asked(const char *body, size_t len, bool *stream, bool *usage)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err none;
    *stream = *usage = false;
    if (fr_json_parse(body, len, &json, &none) != FR_OK) return;
    *stream = fr_json_is_true(fr_json_get(json, "stream"));
    *usage = fr_json_is_true(fr_json_get(fr_json_get(json, "stream_options"), "include_usage"));
}

static void put_member(struct fr_buf *out, const struct fr_json *answer, const char *name, const char *otherwise)
{
    const struct fr_json *v = fr_json_get(answer, name);
    fr_buf_addf(out, "\"%s\":", name);
    if (v) fr_json_print(v, out);
    else fr_buf_add(out, otherwise);
    fr_buf_add(out, ",");
}

void openai_usage_event(enum llm_kind kind, const struct llm_end *end, struct fr_buf *out)
{
    FR_AUTO(fr_json) answer = NULL;
    struct fr_err none;
    if (end->json && fr_json_parse(end->json, end->json_len, &answer, &none) != FR_OK) answer = NULL;
    fr_buf_add(out, "{");
    put_member(out, answer, "id", "\"\"");
    fr_buf_addf(out, "\"object\":\"%s\",", kind == LLM_CHAT ? "chat.completion.chunk" : "text_completion");
    put_member(out, answer, "created", "0");
    put_member(out, answer, "model", "\"\"");
    fr_buf_addf(out, "\"choices\":[],\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld}}", (long long)end->prompt_tokens, (long long)end->answer_tokens,
                (long long)(end->prompt_tokens + end->answer_tokens));
}

// A message as a delta: the same members, and each call of a tool has its place.
static void put_delta(struct fr_buf *out, const struct fr_json *message)
{
    int n = 0;
    fr_buf_add(out, ",\"delta\":{");
    for (const struct fr_json *m = fr_json_child(message); m; m = fr_json_next(m)) {
        if (n++) fr_buf_add(out, ",");
        fr_buf_add_json_text(out, fr_json_key(m));
        fr_buf_add(out, ":");
        if (strcmp(fr_json_key(m), "tool_calls") != 0 || fr_json_kind(m) != JSON_ARRAY) {
            fr_json_print(m, out);
            continue;
        }
        int index = 0;
        fr_buf_add(out, "[");
        for (const struct fr_json *c = fr_json_child(m); c; c = fr_json_next(c), index++) {
            fr_buf_addf(out, "%s{\"index\":%d", index ? "," : "", index);
            for (const struct fr_json *v = fr_json_child(c); v; v = fr_json_next(v)) {
                if (!fr_json_key(v) || strcmp(fr_json_key(v), "index") == 0) continue;
                fr_buf_add(out, ",");
                fr_buf_add_json_text(out, fr_json_key(v));
                fr_buf_add(out, ":");
                fr_json_print(v, out);
            }
            fr_buf_add(out, "}");
        }
        fr_buf_add(out, "]");
    }
    fr_buf_add(out, "}");
}

void openai_answer_event(enum llm_kind kind, const struct llm_end *end, struct fr_buf *out)
{
    FR_AUTO(fr_json) answer = NULL;
    struct fr_err none;
    int index = 0;
    if (end->json && fr_json_parse_long(end->json, end->json_len, CLIENT_ANSWER_BYTES_MAX, &answer, &none) != FR_OK) answer = NULL;
    fr_buf_add(out, "{");
    put_member(out, answer, "id", "\"\"");
    fr_buf_addf(out, "\"object\":\"%s\",", kind == LLM_CHAT ? "chat.completion.chunk" : "text_completion");
    put_member(out, answer, "created", "0");
    put_member(out, answer, "model", "\"\"");
    fr_buf_add(out, "\"choices\":[");
    for (const struct fr_json *c = fr_json_child(fr_json_get(answer, "choices")); c; c = fr_json_next(c), index++) {
        const struct fr_json *finish = fr_json_get(c, "finish_reason"), *logprobs = fr_json_get(c, "logprobs"), *text = fr_json_get(c, "text");
        fr_buf_addf(out, "%s{\"index\":%d", index ? "," : "", index);
        if (kind == LLM_CHAT) put_delta(out, fr_json_get(c, "message"));
        else fr_buf_add(out, ",\"text\":"), fr_buf_add_json_text(out, fr_json_text(text) ? fr_json_text(text) : "");
        fr_buf_add(out, ",\"logprobs\":");
        if (logprobs) fr_json_print(logprobs, out);
        else fr_buf_add(out, "null");
        fr_buf_add(out, ",\"finish_reason\":");
        fr_buf_add_json_text(out, finish ? fr_json_text(finish) : NULL);
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "]}");
}

bool openai_event_is_usage(const char *json, size_t len)
{
    FR_AUTO(fr_json) event = NULL;
    struct fr_err none;
    if (!memmem(json, len, "\"usage\"", 7) || fr_json_parse(json, len, &event, &none) != FR_OK) return false;
    const struct fr_json *usage = fr_json_get(event, "usage"), *choices = fr_json_get(event, "choices");
    return usage && fr_json_kind(usage) == JSON_OBJECT && (!choices || fr_json_size(choices) == 0);
}

enum fr_status openai_model_print(const char *models, size_t len, const char *name, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(fr_json) list = NULL;
    FR_TRY(fr_json_parse(models, len, &list, err));
    for (const struct fr_json *m = fr_json_child(list); m; m = fr_json_next(m)) {
        const char *id = fr_json_text(fr_json_get(m, "id"));
        if (!id || strcmp(id, name) != 0) continue;
        fr_json_print(m, out);
        return FR_OK;
    }
    return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "model_unknown", "there is no model \"%.80s\" here", name);
}
