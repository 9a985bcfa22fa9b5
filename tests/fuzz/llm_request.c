// llm_request: strangers' requests to models. What is taken has a normal form that is taken again, as the same; what is known of it keeps its bounds; nothing unchecked reaches a backend.
#include "base/limits.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "llm/request.h"

static int64_t text_tokens;
static void on_text(void *arg, const char *text)
{
    (void)arg;
    HOLDS(text != NULL);
    text_tokens += llm_tokens_estimate(text);
}

static void known(const struct llm_request *r)
{
    static const unsigned own[] = { [LLM_CHAT] = LLM_CAN_CHAT, [LLM_TEXT] = LLM_CAN_TEXT, [LLM_EMBED] = LLM_CAN_EMBED };
    HOLDS(r->json && fr_json_kind(r->json) == JSON_OBJECT && strlen(r->model) < LLM_NAME_BYTES && (r->need & own[r->kind]) == own[r->kind]);
    HOLDS(r->n >= 1 && r->n <= LLM_CHOICES_MAX && r->inputs >= 1 && r->inputs <= LLM_INPUTS_MAX && r->prompt_tokens > 0);
    HOLDS(r->kind == LLM_EMBED ? r->answer_tokens_max == 0 : r->answer_tokens_max >= r->n && r->answer_tokens_max <= (int64_t)r->n * LLM_ANSWER_TOKENS_MAX);
    HOLDS((!r->stream_usage || r->stream) && (r->kind != LLM_EMBED || !r->stream));
    static const char *const gone[] = { "model", "stream", "stream_options", "user" };
    for (int i = 0; i < 4; i++) HOLDS(!fr_json_get(r->json, gone[i]));
    for (const struct fr_json *m = fr_json_child(r->json); m; m = fr_json_next(m)) HOLDS(fr_json_kind(m) != JSON_NULL);
    text_tokens = 0;
    llm_request_texts(r, on_text, NULL);
    HOLDS(text_tokens <= r->prompt_tokens);
}

static void is_taken_again(const struct llm_request *r, bool stream, int first, int count)
{
    FR_AUTO_BUF(out);
    struct llm_request again;
    struct fr_err err;
    fr_buf_init(&out, 4 * LLM_BODY_BYTES_MAX);
    llm_request_print(r, "vendor/m", stream, first, count, &out);
    if (out.len > LLM_BODY_BYTES_MAX) return;
    HOLDS(llm_request_parse(r->kind, out.data, out.len, &again, &err) == FR_OK);
    known(&again);
    HOLDS(strcmp(again.model, "vendor/m") == 0 && again.stream == stream && again.need == r->need && again.n == r->n && again.answer_tokens_max == r->answer_tokens_max && again.repeatable == r->repeatable);
    if (count) HOLDS(again.inputs == count);
    else HOLDS(memcmp(again.sha, r->sha, sizeof r->sha) == 0 && again.prompt_tokens == r->prompt_tokens && again.inputs == r->inputs && again.prefix == r->prefix && again.talk == r->talk);
    llm_request_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // kind, request
{
    struct fuzz_in in = { data, size };
    enum llm_kind kind = (enum llm_kind)(fuzz_byte(&in) % 3);
    struct llm_request r;
    struct fr_err err;
    char *text = malloc(in.left ? in.left : 1);                  // no NUL behind it
    if (in.left) memcpy(text, in.at, in.left);
    enum fr_status st = llm_request_parse(kind, text, in.left, &r, &err);
    free(text);                                                  // it keeps nothing of it
    if (st != FR_OK) {
        HOLDS(st == FR_E_INVALID ? strcmp(err.code, "llm_request") == 0 : st == FR_E_LIMIT && strcmp(err.code, "llm_prompt_too_large") == 0);
        HOLDS(err.text[0] && fr_utf8_valid(err.text, strlen(err.text)) && !r.json);
        return 0;
    }
    known(&r);
    is_taken_again(&r, false, 0, 0);
    if (kind != LLM_EMBED) is_taken_again(&r, true, 0, 0);
    for (int first = 0; kind == LLM_EMBED && first < r.inputs && r.inputs > 1; first += 3) is_taken_again(&r, false, first, r.inputs - first < 3 ? r.inputs - first : 3);
    llm_request_clear(&r);
    return 0;
}
