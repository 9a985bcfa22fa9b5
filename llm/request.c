// request.c — a model request: read, and printed again for a backend.
#include "llm/request.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"

enum fr_status llm_request_parse(enum llm_kind kind, const char *body, size_t len, struct llm_request *ret, struct fr_err *err)
{
    struct llm_request r = { .kind = kind, .n = 1, .inputs = 1 };
    FR_AUTO(fr_json) json = NULL;
    FR_AUTO_BUF text;
    const char *model;
    int64_t tokens;
    if (len > LLM_BODY_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_prompt_too_large", "a request has at most %d bytes", LLM_BODY_BYTES_MAX);
    if (fr_json_parse(body, len, &json, err) != FR_OK || fr_json_kind(json) != JSON_OBJECT) return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "expected a JSON object");
    if (fr_json_opt_text(json, "model", LLM_NAME_BYTES - 1, "", &model, err) != FR_OK || fr_json_opt_bool(json, "stream", false, &r.stream, err) != FR_OK ||
        fr_json_opt_int(json, "max_tokens", 1, LLM_ANSWER_TOKENS_MAX, LLM_ANSWER_TOKENS_DEFAULT, &tokens, err) != FR_OK) return fr_err_note(err, "request");
    snprintf(r.model, sizeof r.model, "%s", model);
    r.answer_tokens_max = kind == LLM_EMBED ? 0 : tokens;
    r.prompt_tokens = (int64_t)len / 3 + 16;
    fr_buf_init(&text, 2 * LLM_BODY_BYTES_MAX);
    fr_json_print_canonical(json, &text);
    fr_sha256(text.data, text.len, r.sha);
    r.repeatable = fr_json_get(json, "seed") || (fr_json_kind(fr_json_get(json, "temperature")) == JSON_NUMBER && fr_json_number(fr_json_get(json, "temperature")) == 0);
    r.json = FR_TAKE(json);
    *ret = r;
    return FR_OK;
}

void llm_request_clear(struct llm_request *r)
{
    fr_json_free(r->json);
    *r = (struct llm_request){ 0 };
}

void llm_request_print(const struct llm_request *r, const char *model_as, bool stream, int first, int count, struct fr_buf *out)
{
    (void)first, (void)count;
    fr_buf_add(out, "{\"model\":");
    fr_buf_add_json_text(out, model_as);
    fr_buf_addf(out, ",\"stream\":%s", stream ? "true,\"stream_options\":{\"include_usage\":true}" : "false");
    if (r->kind != LLM_EMBED && !fr_json_get(r->json, "max_tokens")) fr_buf_addf(out, ",\"max_tokens\":%lld", (long long)r->answer_tokens_max);
    for (const struct fr_json *v = fr_json_child(r->json); v; v = fr_json_next(v)) {
        const char *key = fr_json_key(v);
        if (strcmp(key, "model") == 0 || strcmp(key, "stream") == 0 || strcmp(key, "stream_options") == 0 || strcmp(key, "user") == 0) continue;
        fr_buf_add_char(out, ',');
        fr_buf_add_json_text(out, key);
        fr_buf_add_char(out, ':');
        fr_json_print(v, out);
    }
    fr_buf_add_char(out, '}');
}

void llm_request_texts(const struct llm_request *r, void (*each)(void *arg, const char *text), void *arg)
{
    const char *prompt = fr_json_text(fr_json_get(r->json, "prompt"));
    if (prompt) each(arg, prompt);
    for (const struct fr_json *m = fr_json_child(fr_json_get(r->json, "messages")); m; m = fr_json_next(m)) {
        const char *text = fr_json_text(fr_json_get(m, "content"));
        if (text) each(arg, text);
    }
}
