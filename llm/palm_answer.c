// palm_answer.c — answers, errors and models as the PaLM API has them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "llm/palm_inside.h"

#define NONSENSE(err, what) FR_FAIL_CODE((err), FR_E_IO, "llm_nonsense", "the model's answer has no %s", (what))

void palm_message_print(struct fr_buf *out, const char *author, const char *content, size_t len)
{
    if (out->len > 0 && out->data[out->len - 1] == '}') fr_buf_add(out, ",");
    fr_buf_add(out, "{\"author\":");
    fr_buf_add_json_text(out, author);
    fr_buf_add(out, ",\"content\":");
    fr_buf_add_json_bytes(out, content, len);
    fr_buf_add(out, "}");
}

// Up to the first stop text.
static size_t stopped_len(const struct palm_request *r, const char *text)
{
    size_t len = strlen(text);
    for (int i = 0; i < r->stop_count; i++) {
        const char *at = strstr(text, r->stops[i]);
        if (at && (size_t)(at - text) < len) len = (size_t)(at - text);
    }
    return len;
}

static void put_filter(const struct palm_request *r, const char *why, struct fr_buf *out)
{
    fr_buf_add(out, "\"filters\":[{\"reason\":\"OTHER\",\"message\":");
    fr_buf_add_json_text(out, why);
    fr_buf_add(out, "}]");
    if (r->method != PALM_GENERATE_TEXT) return;         // GenerateMessageResponse has no feedback
    fr_buf_add(out, ",\"safetyFeedback\":[");
    for (int i = 0; i < r->safety_count; i++)            // the host's filter knows no categories: what was asked for is said back, and that no lower setting would help
        fr_buf_addf(out, "%s{\"rating\":{\"category\":\"%s\",\"probability\":\"HIGH\"},\"setting\":{\"category\":\"%s\",\"threshold\":\"%s\"}}", i ? "," : "", palm_category_name(r->safety[i].category),
                    palm_category_name(r->safety[i].category), palm_threshold_name(r->safety[i].threshold));
    if (r->safety_count == 0)
        fr_buf_add(out, "{\"rating\":{\"category\":\"HARM_CATEGORY_UNSPECIFIED\",\"probability\":\"HIGH\"},"
                        "\"setting\":{\"category\":\"HARM_CATEGORY_UNSPECIFIED\",\"threshold\":\"HARM_BLOCK_THRESHOLD_UNSPECIFIED\"}}");
    fr_buf_add(out, "]");
}

static void put_messages(const struct palm_request *r, struct fr_buf *out)
{
    if (r->method != PALM_GENERATE_MESSAGE) return;
    fr_buf_add(out, "\"messages\":");
    fr_buf_add_bytes(out, r->messages.data, r->messages.len);
    fr_buf_add(out, ",");
}

void palm_refused_print(const struct palm_request *r, const char *why, struct fr_buf *out)
{
    fr_buf_add(out, "{\"candidates\":[],");
    put_messages(r, out);
    put_filter(r, why, out);
    fr_buf_add(out, "}");
}

static void put_candidate(const struct palm_request *r, const char *text, struct fr_buf *out)
{
    size_t len = stopped_len(r, text);
    if (r->method == PALM_GENERATE_MESSAGE) {
        palm_message_print(out, r->author, text, len);
        return;
    }
    if (out->data[out->len - 1] == '}') fr_buf_add(out, ",");
    fr_buf_add(out, "{\"output\":");
    fr_buf_add_json_bytes(out, text, len);
    fr_buf_add(out, "}");
}

static enum fr_status print_candidates(const struct palm_request *r, const struct fr_json *answer, struct fr_buf *out, struct fr_err *err)
{
    const struct fr_json *choices = fr_json_get(answer, "choices");
    bool filtered = false;
    if (!choices || fr_json_kind(choices) != JSON_ARRAY || fr_json_size(choices) == 0) return NONSENSE(err, "choices");
    fr_buf_add(out, "{\"candidates\":[");
    for (const struct fr_json *c = fr_json_child(choices); c; c = fr_json_next(c)) {
        const char *text = fr_json_text(fr_json_get(fr_json_get(c, "message"), "content")), *finish = fr_json_text(fr_json_get(c, "finish_reason"));
        if (finish && strcmp(finish, "content_filter") == 0) filtered = true;
        else put_candidate(r, text ? text : "", out);
    }
    fr_buf_add(out, "],");
    put_messages(r, out);
    if (filtered) put_filter(r, "an answer was refused by the host's filter", out);
    else out->len--, out->data[out->len] = 0;            // the comma
    fr_buf_add(out, "}");
    return FR_OK;
}

static enum fr_status put_embedding(const struct fr_json *item, struct fr_buf *out, struct fr_err *err)
{
    const struct fr_json *values = fr_json_get(item, "embedding");
    if (!values || fr_json_kind(values) != JSON_ARRAY) return NONSENSE(err, "embedding");
    fr_buf_add(out, "{\"value\":");
    fr_json_print(values, out);
    fr_buf_add(out, "}");
    return FR_OK;
}

static enum fr_status print_embeddings(const struct palm_request *r, const struct fr_json *answer, struct fr_buf *out, struct fr_err *err)
{
    const struct fr_json *data = fr_json_get(answer, "data");
    bool batch = r->method == PALM_BATCH_EMBED_TEXT;
    if (!data || fr_json_kind(data) != JSON_ARRAY || fr_json_size(data) == 0) return NONSENSE(err, "data");
    fr_buf_add(out, batch ? "{\"embeddings\":[" : "{\"embedding\":");
    for (const struct fr_json *d = fr_json_child(data); d; d = fr_json_next(d)) {
        if (d != fr_json_child(data)) fr_buf_add(out, ",");
        FR_TRY(put_embedding(d, out, err));
        if (!batch) break;
    }
    fr_buf_add(out, batch ? "]}" : "}");
    return FR_OK;
}

enum fr_status palm_answer_print(const struct palm_request *r, const char *json, size_t len, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(fr_json) answer = NULL;
    if (fr_json_parse_long(json, len, CLIENT_ANSWER_BYTES_MAX, &answer, err) != FR_OK) return NONSENSE(err, "JSON");
    return r->kind == LLM_EMBED ? print_embeddings(r, answer, out, err) : print_candidates(r, answer, out, err);
}

void palm_count_print(int64_t tokens, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"tokenCount\":%lld}", (long long)tokens);
}

// ---- errors ---------------------------------------------------------------------------------------------------------

int palm_error_status(const struct fr_err *err)
{
    if (strcmp(err->code, "too_large") == 0 || strcmp(err->code, "llm_prompt_too_large") == 0) return 400;
    if (err->status == FR_E_LIMIT || err->status == FR_E_FUNDS) return 429;
    if (strcmp(err->code, "llm_refused") == 0) return 400;
    if (err->status == FR_E_AUTH) return strcmp(err->code, "key_missing") == 0 ? 403 : 400;      // as Google's server has it: at 401 its clients would look for other credentials
    return fr_status_http(err->status);
}

static const char *status_name(int http_status)
{
    switch (http_status) {
    case 400: return "INVALID_ARGUMENT";
    case 401: return "UNAUTHENTICATED";
    case 403: return "PERMISSION_DENIED";
    case 404: return "NOT_FOUND";
    case 409: return "ABORTED";
    case 429: return "RESOURCE_EXHAUSTED";
    case 503: return "UNAVAILABLE";
    case 504: return "DEADLINE_EXCEEDED";
    default:  return http_status < 500 ? "FAILED_PRECONDITION" : "INTERNAL";
    }
}

void palm_error_print(const struct fr_err *err, const char *text, struct fr_buf *out)
{
    int http_status = palm_error_status(err);
    fr_buf_addf(out, "{\"error\":{\"code\":%d,\"message\":", http_status);
    fr_buf_add_json_text(out, text);
    fr_buf_addf(out, ",\"status\":\"%s\"}}", status_name(http_status));
}

// ---- models ---------------------------------------------------------------------------------------------------------

static bool can(const struct fr_json *m, const char *what)
{
    const struct fr_json *list = fr_json_get(m, "can");
    if (!list) list = fr_json_get(m, "capabilities");
    for (const struct fr_json *c = fr_json_child(list); c; c = fr_json_next(c))
        if (fr_json_text(c) && strcmp(fr_json_text(c), what) == 0) return true;
    return false;
}

static void put_model(const struct fr_json *m, struct fr_buf *out)
{
    const char *id = fr_json_text(fr_json_get(m, "id"));
    const struct fr_json *context = fr_json_get(m, "context");
    if (!context) context = fr_json_get(m, "context_length");
    double tokens = fr_json_number(context);
    bool chats = can(m, "chat"), embeds = can(m, "embed");
    char name[LLM_NAME_BYTES + 8];
    snprintf(name, sizeof name, "models/%s", id);
    fr_buf_add(out, "{\"name\":");
    fr_buf_add_json_text(out, name);
    fr_buf_add(out, ",\"baseModelId\":");
    fr_buf_add_json_text(out, id);
    fr_buf_add(out, ",\"version\":\"001\",\"displayName\":");
    fr_buf_add_json_text(out, id);
    if (tokens > 0 && tokens < 2147483647) fr_buf_addf(out, ",\"inputTokenLimit\":%d,\"outputTokenLimit\":%d", (int)tokens, tokens < LLM_ANSWER_TOKENS_MAX ? (int)tokens : LLM_ANSWER_TOKENS_MAX);
    fr_buf_add(out, ",\"supportedGenerationMethods\":[");
    if (chats) fr_buf_add(out, "\"generateText\",\"generateMessage\",\"countTextTokens\",\"countMessageTokens\"");
    if (embeds) fr_buf_addf(out, "%s\"embedText\",\"batchEmbedText\"", chats ? "," : "");
    fr_buf_add(out, "]}");
}

static enum fr_status page_start(const char *token, int count, int *start, struct fr_err *err)
{
    char *end;
    long n = token && token[0] ? strtol(token, &end, 10) : 0;
    if (token && token[0] && (*end || n < 0 || n > count || token[0] < '0' || token[0] > '9')) return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "pageToken: it is not what an earlier page gave");
    *start = (int)n;
    return FR_OK;
}

enum fr_status palm_models_print(const char *models, size_t len, int64_t page_size, const char *page_token, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(fr_json) list = NULL;
    int start = 0, at = 0;
    FR_TRY(fr_json_parse(models, len, &list, err));
    FR_TRY(page_start(page_token, fr_json_size(list), &start, err));
    int64_t stop = start + (page_size > 0 ? page_size < PALM_PAGE_MAX ? page_size : PALM_PAGE_MAX : 50);
    fr_buf_add(out, "{\"models\":[");
    for (const struct fr_json *m = fr_json_child(list); m && at < stop; m = fr_json_next(m), at++) {
        if (at < start || !fr_json_text(fr_json_get(m, "id"))) continue;
        if (at > start) fr_buf_add(out, ",");
        put_model(m, out);
    }
    fr_buf_add(out, "]");
    if (at < fr_json_size(list)) fr_buf_addf(out, ",\"nextPageToken\":\"%d\"", at);
    fr_buf_add(out, "}");
    return FR_OK;
}

enum fr_status palm_model_print(const char *models, size_t len, const char *name, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(fr_json) list = NULL;
    FR_TRY(fr_json_parse(models, len, &list, err));
    for (const struct fr_json *m = fr_json_child(list); m; m = fr_json_next(m)) {
        const char *id = fr_json_text(fr_json_get(m, "id"));
        if (!id || strcmp(id, name) != 0) continue;
        put_model(m, out);
        return FR_OK;
    }
    return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "model_unknown", "there is no model \"models/%.80s\" here", name);
}
