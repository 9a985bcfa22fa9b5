// request.c — a request as a whole: which members there are, the normal form, and what has to be known of it. request_chat.c looks at messages and tools.
//
// The normal form is printed member by member and parsed again: what was not looked at is not in it.
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "llm/languages.h"
#include "llm/request_inside.h"

#define NUMBERED_MAX 9007199254740991LL    // 2^53 - 1: past it a double may stand for a neighbour
#define PREFIX_BYTES_LEAST 64              // a shorter one is no work to read again
#define DIMENSIONS_MAX 8192
#define BIASES_MAX 300

// ---- refusing -----------------------------------------------------------------------------------------------------

static size_t spell(const struct at *at, char *out, size_t cap)
{
    size_t len = at && at->up ? spell(at->up, out, cap) : 0;
    if (!at || len >= cap) return len;
    int n = at->key ? snprintf(out + len, cap - len, "%s%s", len ? "." : "", at->key) : snprintf(out + len, cap - len, "[%d]", at->index);
    return len + (size_t)n;
}

enum fr_status llm_request_refuse(const struct looking *l, const struct at *at, const char *key, const char *file, int line, const char *fmt, ...)
{
    char path[200] = "", text[FR_ERR_TEXT_BYTES];
    struct at under = { at, key, 0 };
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    spell(key[0] ? &under : at, path, sizeof path);
    return fr_err_set(l->err, FR_E_INVALID, "llm_request", file, line, "%s%s%s", path, path[0] ? ": " : "", text);
}

enum fr_status llm_request_refused(const struct looking *l, const struct at *at)
{
    char path[200] = "", text[FR_ERR_TEXT_BYTES];
    if (l->err->status == FR_E_NOMEM) return FR_E_NOMEM;
    spell(at, path, sizeof path);
    snprintf(text, sizeof text, "%s", l->err->text);
    bool itself = strncmp(text, "expected ", 9) == 0 || strncmp(text, "unknown key ", 12) == 0;
    return fr_err_set(l->err, FR_E_INVALID, "llm_request", l->err->file, l->err->line, "%s%s%s", path, !path[0] ? "" : itself ? ": " : ".", text);
}

// ---- members with numbers -----------------------------------------------------------------------------------------

static bool is_null(const struct fr_json *v) { return !v || fr_json_kind(v) == JSON_NULL; }

static enum fr_status look_at_number(const struct looking *l, const char *key, double least, double most)
{
    const struct fr_json *v = fr_json_get(l->json, key);
    if (is_null(v)) return FR_OK;
    double n = fr_json_number(v);
    if (fr_json_kind(v) == JSON_NUMBER && n >= least && n <= most) return FR_OK;       // a number that is none is neither
    return REFUSE(l, NULL, key, "expected a number from %g to %g", least, most);
}

static enum fr_status look_at_sampling(struct looking *l)
{
    int64_t seed;
    FR_TRY(look_at_number(l, "temperature", 0, 2));
    FR_TRY(look_at_number(l, "top_p", 0, 1));
    FR_TRY(look_at_number(l, "presence_penalty", -2, 2));
    FR_TRY(look_at_number(l, "frequency_penalty", -2, 2));
    LOOK(l, NULL, fr_json_opt_int(l->json, "seed", -NUMBERED_MAX, NUMBERED_MAX, 0, &seed, l->err));
    return FR_OK;
}

static enum fr_status look_at_length(struct looking *l)
{
    const char *key = is_null(fr_json_get(l->json, "max_completion_tokens")) ? "max_tokens" : "max_completion_tokens";
    int64_t most, n;
    if (key[4] == 'c' && !is_null(fr_json_get(l->json, "max_tokens"))) return REFUSE(l, NULL, "max_tokens", "there is max_completion_tokens already");
    LOOK(l, NULL, fr_json_opt_int(l->json, key, 1, LLM_ANSWER_TOKENS_MAX, LLM_ANSWER_TOKENS_DEFAULT, &most, l->err));
    LOOK(l, NULL, fr_json_opt_int(l->json, "n", 1, LLM_CHOICES_MAX, 1, &n, l->err));
    l->r->n = (int)n;
    l->r->answer_tokens_max = n * most;
    return FR_OK;
}

static enum fr_status look_at_stop(struct looking *l)
{
    struct at list_at = { NULL, "stop", 0 };
    const struct fr_json *stop = fr_json_get(l->json, "stop"), *list;
    const char *text;
    if (is_null(stop)) return FR_OK;
    if (fr_json_kind(stop) == JSON_STRING) {
        LOOK(l, NULL, fr_json_need_text(l->json, "stop", 1, 256, &text, l->err));
        return FR_OK;
    }
    LOOK(l, NULL, fr_json_need_array(l->json, "stop", 1, LLM_STOPS_MAX, &list, l->err));
    for (const struct fr_json *s = fr_json_child(list); s; s = fr_json_next(s)) LOOK(l, &list_at, fr_json_need_text(s, "", 1, 256, &text, l->err));
    return FR_OK;
}

static enum fr_status look_at_bias(struct looking *l)
{
    struct at at = { NULL, "logit_bias", 0 };
    const struct fr_json *bias;
    if (is_null(fr_json_get(l->json, "logit_bias"))) return FR_OK;
    LOOK(l, NULL, fr_json_need_object(l->json, "logit_bias", &bias, l->err));
    if (fr_json_size(bias) > BIASES_MAX) return REFUSE(l, &at, "", "over %d tokens", BIASES_MAX);
    for (const struct fr_json *b = fr_json_child(bias); b; b = fr_json_next(b)) {
        size_t digits = strspn(fr_json_key(b), "0123456789");
        if (digits == 0 || digits > 9 || fr_json_key(b)[digits]) return REFUSE(l, &at, "", "expected numbers of tokens for keys");
        if (fr_json_kind(b) != JSON_NUMBER || !(fr_json_number(b) >= -100 && fr_json_number(b) <= 100)) return REFUSE(l, &at, "", "expected numbers from -100 to 100");
    }
    return FR_OK;
}

// ---- each kind ----------------------------------------------------------------------------------------------------

static const char *const chat_keys[] = { "messages", "temperature", "top_p", "n", "stop", "max_tokens", "max_completion_tokens", "seed", "logprobs", "top_logprobs", "logit_bias", "presence_penalty", "frequency_penalty",
                                         "tools", "tool_choice", "parallel_tool_calls", "response_format", "model", "languages", "stream", "stream_options", "user", NULL };
static const char *const text_keys[] = { "prompt", "suffix", "echo", "temperature", "top_p", "n", "stop", "max_tokens", "seed", "logprobs", "logit_bias", "presence_penalty", "frequency_penalty",
                                         "model", "languages", "stream", "stream_options", "user", NULL };
static const char *const embed_keys[] = { "input", "dimensions", "encoding_format", "model", "languages", "user", NULL };
static const char *const dropped[] = { "model", "languages", "stream", "stream_options", "user", NULL };

static enum fr_status look_at_chat(struct looking *l)
{
    int64_t top;
    bool logprobs, parallel;
    l->r->need |= LLM_CAN_CHAT;
    FR_TRY(llm_request_messages(l));
    FR_TRY(llm_request_tools(l));
    LOOK(l, NULL, fr_json_opt_bool(l->json, "logprobs", false, &logprobs, l->err));
    LOOK(l, NULL, fr_json_opt_bool(l->json, "parallel_tool_calls", false, &parallel, l->err));
    LOOK(l, NULL, fr_json_opt_int(l->json, "top_logprobs", 0, 20, 0, &top, l->err));
    if (top && !logprobs) return REFUSE(l, NULL, "top_logprobs", "only with \"logprobs\": true");
    if (logprobs) l->r->need |= LLM_CAN_LOGPROBS;
    return FR_OK;
}

static enum fr_status look_at_text(struct looking *l)
{
    const struct fr_json *prompt = fr_json_get(l->json, "prompt"), *logprobs = fr_json_get(l->json, "logprobs");
    const char *text, *suffix;
    int64_t n;
    bool echo;
    l->r->need |= LLM_CAN_TEXT;
    if (prompt && fr_json_kind(prompt) == JSON_ARRAY) LOOK(l, NULL, fr_json_need_array(l->json, "prompt", 1, 1, &prompt, l->err));      // one call, one prompt
    LOOK(l, NULL, fr_json_need_text(l->json, prompt && fr_json_kind(prompt) == JSON_ARRAY ? "prompt[0]" : "prompt", 1, LLM_BODY_BYTES_MAX, &text, l->err));
    LOOK(l, NULL, fr_json_opt_text(l->json, "suffix", LLM_BODY_BYTES_MAX, "", &suffix, l->err));
    LOOK(l, NULL, fr_json_opt_bool(l->json, "echo", false, &echo, l->err));
    LOOK(l, NULL, fr_json_opt_int(l->json, "logprobs", 0, 5, 0, &n, l->err));
    if (!is_null(logprobs)) l->r->need |= LLM_CAN_LOGPROBS;
    l->tokens += llm_tokens_estimate(text) + llm_tokens_estimate(suffix) + 1;
    return FR_OK;
}

static enum fr_status look_at_embed(struct looking *l)
{
    const struct fr_json *input = fr_json_get(l->json, "input"), *list;
    struct at list_at = { NULL, "input", 0 }, one_at = { &list_at, NULL, 0 };
    const char *text, *format;
    int64_t dimensions;
    l->r->need |= LLM_CAN_EMBED;
    LOOK(l, NULL, fr_json_opt_int(l->json, "dimensions", 1, DIMENSIONS_MAX, 1, &dimensions, l->err));
    LOOK(l, NULL, fr_json_opt_text(l->json, "encoding_format", 8, "float", &format, l->err));
    if (strcmp(format, "float") != 0 && strcmp(format, "base64") != 0) return REFUSE(l, NULL, "encoding_format", "expected \"float\" or \"base64\"");
    if (!input || fr_json_kind(input) != JSON_ARRAY) {
        LOOK(l, NULL, fr_json_need_text(l->json, "input", 1, LLM_BODY_BYTES_MAX, &text, l->err));
        l->tokens += llm_tokens_estimate(text) + 2;
        return FR_OK;
    }
    LOOK(l, NULL, fr_json_need_array(l->json, "input", 1, LLM_INPUTS_MAX, &list, l->err));
    l->r->inputs = fr_json_size(list);
    for (const struct fr_json *i = fr_json_child(list); i; i = fr_json_next(i), one_at.index++) {
        LOOK(l, &one_at, fr_json_need_text(i, "", 1, LLM_BODY_BYTES_MAX, &text, l->err));
        l->tokens += llm_tokens_estimate(text) + 2;
    }
    return FR_OK;
}

static enum fr_status look_at_stream(struct looking *l)
{
    static const char *const keys[] = { "include_usage", "include_obfuscation", NULL };
    const struct fr_json *o;
    bool ignored;
    LOOK(l, NULL, fr_json_opt_bool(l->json, "stream", false, &l->r->stream, l->err));
    if (is_null(fr_json_get(l->json, "stream_options"))) return FR_OK;
    if (!l->r->stream) return REFUSE(l, NULL, "stream_options", "only with \"stream\": true");
    LOOK(l, NULL, fr_json_need_object(l->json, "stream_options", &o, l->err));
    struct at at = { NULL, "stream_options", 0 };
    LOOK(l, &at, fr_json_only_keys(o, keys, "", l->err));
    LOOK(l, &at, fr_json_opt_bool(o, "include_usage", false, &l->r->stream_usage, l->err));
    LOOK(l, &at, fr_json_opt_bool(o, "include_obfuscation", false, &ignored, l->err));
    return FR_OK;
}

static enum fr_status look_at_languages(struct looking *l)
{
    struct at list_at = { NULL, "languages", 0 }, one_at = { &list_at, NULL, 0 };
    const struct fr_json *list;
    const char *tag;
    char normal[LLM_TAG_BYTES];
    size_t len = 0;
    if (is_null(fr_json_get(l->json, "languages"))) return FR_OK;
    LOOK(l, NULL, fr_json_need_array(l->json, "languages", 1, LLM_LANGUAGES_MAX, &list, l->err));
    for (const struct fr_json *t = fr_json_child(list); t; t = fr_json_next(t), one_at.index++) {
        LOOK(l, &one_at, fr_json_need_text(t, "", 1, LLM_TAG_BYTES - 1, &tag, l->err));
        if (!llm_language_is_tag(tag)) return REFUSE(l, &one_at, "", "expected a language tag (\"ko\", \"pt-BR\")");
        llm_language_normal(tag, normal, sizeof normal);
        len += (size_t)snprintf(l->r->languages + len, sizeof l->r->languages - len, "%s%s", len ? "," : "", normal);
    }
    return FR_OK;
}

static enum fr_status look(struct looking *l)
{
    const char *text;
    struct llm_request *r = l->r;
    if (fr_json_kind(l->json) != JSON_OBJECT) return REFUSE(l, NULL, "", "expected an object, got %s", fr_json_kind_name(fr_json_kind(l->json)));
    LOOK(l, NULL, fr_json_only_keys(l->json, r->kind == LLM_CHAT ? chat_keys : r->kind == LLM_TEXT ? text_keys : embed_keys, "", l->err));
    LOOK(l, NULL, fr_json_opt_text(l->json, "model", LLM_NAME_BYTES - 1, "", &text, l->err));
    snprintf(r->model, sizeof r->model, "%s", text);
    LOOK(l, NULL, fr_json_opt_text(l->json, "user", 256, "", &text, l->err));
    FR_TRY(look_at_languages(l));
    r->n = r->inputs = 1;
    if (r->kind == LLM_EMBED) return look_at_embed(l);
    FR_TRY(look_at_length(l));
    FR_TRY(look_at_sampling(l));
    FR_TRY(look_at_stop(l));
    FR_TRY(look_at_bias(l));
    FR_TRY(look_at_stream(l));
    return r->kind == LLM_CHAT ? look_at_chat(l) : look_at_text(l);
}

// ---- the normal form, and what is known of it ---------------------------------------------------------------------

static bool is_one_of(const char *key, const char *const *keys)
{
    while (*keys && strcmp(*keys, key) != 0) keys++;
    return *keys != NULL;
}

static void member(struct fr_buf *out, const char *key)
{
    fr_buf_add_char(out, out->len && out->data[out->len - 1] != '{' ? ',' : '{');
    fr_buf_add_json_text(out, key);
    fr_buf_add_char(out, ':');
}

static enum fr_status normalise(struct looking *l)
{
    struct llm_request *r = l->r;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, LLM_BODY_BYTES_MAX);
    for (const struct fr_json *m = fr_json_child(l->json); m; m = fr_json_next(m)) {
        bool one_prompt = r->kind == LLM_TEXT && strcmp(fr_json_key(m), "prompt") == 0 && fr_json_kind(m) == JSON_ARRAY;
        if (is_one_of(fr_json_key(m), dropped) || is_null(m)) continue;
        member(&out, fr_json_key(m));
        fr_json_print(one_prompt ? fr_json_child(m) : m, &out);
    }
    if (r->kind != LLM_EMBED && is_null(fr_json_get(l->json, "max_tokens")) && is_null(fr_json_get(l->json, "max_completion_tokens"))) {
        member(&out, "max_tokens");
        fr_buf_add_i64(&out, LLM_ANSWER_TOKENS_DEFAULT);
    }
    fr_buf_add_char(&out, '}');
    if (out.failed) return out.no_memory ? FR_FAIL(l->err, FR_E_NOMEM, "no memory for a request") : FR_FAIL_CODE(l->err, FR_E_LIMIT, "llm_prompt_too_large", "a request over %d bytes", LLM_BODY_BYTES_MAX);
    LOOK(l, NULL, fr_json_parse(out.data, out.len, &r->json, l->err));
    return FR_OK;
}

static void digest(struct llm_request *r)
{
    struct fr_sha256 s;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2 * LLM_BODY_BYTES_MAX);
    fr_json_print_canonical(r->json, &out);
    fr_sha256_init(&s);
    fr_sha256_add(&s, &(uint8_t){ (uint8_t)r->kind }, 1);
    fr_sha256_add(&s, out.data ? out.data : "", out.len);
    fr_sha256_add(&s, r->languages, strlen(r->languages));
    fr_sha256_end(&s, r->sha);
    if (out.failed) fr_random_bytes(r->sha, sizeof r->sha);      // without memory it is like no other request
}

// Everything of one message, or of a prompt, up to a bound.
static void gather(const struct fr_json *v, struct fr_buf *out)
{
    if (fr_json_kind(v) == JSON_STRING) fr_buf_add(out, fr_json_text(v));
    else fr_json_print(v, out);
}

static uint64_t hash_of(const struct fr_buf *b, size_t most)
{
    static const uint64_t key[2] = { 0x66726f6e64, 0x6c6c6d };   // the same in each process: it is no hash table's
    size_t len = b->len < most ? b->len : most;
    return len < PREFIX_BYTES_LEAST ? 0 : fr_siphash13(key, b->data, len);
}

static void look_at_prefix(struct llm_request *r)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2 * LLM_BODY_BYTES_MAX);
    if (r->kind == LLM_TEXT) gather(fr_json_get(r->json, "prompt"), &out);
    if (r->kind != LLM_CHAT) {
        r->prefix = hash_of(&out, LLM_PREFIX_BYTES);
        return;
    }
    const struct fr_json *tools = fr_json_get(r->json, "tools"), *first = fr_json_child(fr_json_get(r->json, "messages")), *second = fr_json_next(first);
    if (tools) gather(tools, &out);        // templates put them in front
    gather(first, &out);
    r->prefix = hash_of(&out, LLM_PREFIX_BYTES);
    if (!second) return;
    gather(second, &out);
    r->talk = hash_of(&out, out.len);
}

static bool is_repeatable(const struct llm_request *r)
{
    const struct fr_json *t = fr_json_get(r->json, "temperature");
    if (r->kind == LLM_EMBED) return true;
    return r->n == 1 && ((t && fr_json_number(t) == 0) || fr_json_get(r->json, "seed"));
}

int64_t llm_tokens_estimate(const char *text)
{
    int64_t ascii = 0, digits = 0, other = 0;
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c >= 0x80) other++;
        else if (*c >= '0' && *c <= '9') digits++;
        else ascii++;
    }
    return (ascii + 2) / 3 + digits + (other + 1) / 2;
}

enum fr_status llm_request_parse(enum llm_kind kind, const char *body, size_t len, struct llm_request *ret, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err own;
    struct llm_request made = { .kind = kind };
    struct looking l = { .r = &made, .err = err ? err : &own };
    *ret = (struct llm_request){ 0 };
    if (len > LLM_BODY_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_prompt_too_large", "a request of %zu bytes, %d are the most", len, LLM_BODY_BYTES_MAX);
    LOOK(&l, NULL, fr_json_parse(body, len, &json, l.err));
    l.json = json;
    FR_TRY(look(&l));
    FR_TRY(normalise(&l));
    made.prompt_tokens = l.tokens;
    digest(&made);
    look_at_prefix(&made);
    made.repeatable = is_repeatable(&made);
    *ret = made;
    return FR_OK;
}

void llm_request_clear(struct llm_request *r)
{
    fr_json_free(r->json);
    *r = (struct llm_request){ 0 };
}

// ---- for a backend, and for filters -------------------------------------------------------------------------------

static void print_inputs(const struct fr_json *input, int first, int count, struct fr_buf *out)
{
    int no = 0;
    if (fr_json_kind(input) != JSON_ARRAY || count == 0) {
        fr_json_print(input, out);
        return;
    }
    for (const struct fr_json *i = fr_json_child(input); i; i = fr_json_next(i), no++) {
        if (no < first || no >= first + count) continue;
        fr_buf_add_char(out, no == first ? '[' : ',');
        fr_json_print(i, out);
    }
    fr_buf_add_char(out, ']');
}

void llm_request_print(const struct llm_request *r, const char *model_as, bool stream, int first, int count, struct fr_buf *out)
{
    fr_buf_add(out, "{\"model\":");
    fr_buf_add_json_text(out, model_as);
    for (const struct fr_json *m = fr_json_child(r->json); m; m = fr_json_next(m)) {
        fr_buf_add_char(out, ',');
        fr_buf_add_json_text(out, fr_json_key(m));
        fr_buf_add_char(out, ':');
        if (r->kind == LLM_EMBED && strcmp(fr_json_key(m), "input") == 0) print_inputs(m, first, count, out);
        else fr_json_print(m, out);
    }
    if (stream) fr_buf_add(out, ",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    fr_buf_add_char(out, '}');
}

static void texts_of(const struct fr_json *v, void (*each)(void *arg, const char *text), void *arg)
{
    if (!v) return;
    if (fr_json_kind(v) == JSON_STRING) {
        each(arg, fr_json_text(v));
        return;
    }
    for (const struct fr_json *part = fr_json_child(v); part; part = fr_json_next(part)) {
        const char *text = fr_json_kind(part) == JSON_STRING ? fr_json_text(part) : fr_json_text(fr_json_get(part, "text"));
        if (text) each(arg, text);
    }
}

void llm_request_texts(const struct llm_request *r, void (*each)(void *arg, const char *text), void *arg)
{
    if (r->kind == LLM_EMBED) texts_of(fr_json_get(r->json, "input"), each, arg);
    else if (r->kind == LLM_TEXT) {
        texts_of(fr_json_get(r->json, "prompt"), each, arg);
        texts_of(fr_json_get(r->json, "suffix"), each, arg);
    } else for (const struct fr_json *m = fr_json_child(fr_json_get(r->json, "messages")); m; m = fr_json_next(m)) {
        texts_of(fr_json_get(m, "content"), each, arg);
        for (const struct fr_json *c = fr_json_child(fr_json_get(m, "tool_calls")); c; c = fr_json_next(c)) texts_of(fr_json_get(fr_json_get(c, "function"), "arguments"), each, arg);
    }
}
