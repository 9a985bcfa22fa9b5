// answer.c — an answer that comes whole, and the pieces that whole and streamed answers are made of. answer_event.c reads streams, answer_print.c tells.
#include "llm/answer_inside.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

#define WIDTH_MAX 65536                    // of an embedding
#define CLAIM_MAX 9007199254740991.0       // 2^53 - 1: more is no count

const char *const llm_logprob_lists[LOGPROB_LISTS + 1] = { "content", "tokens", "token_logprobs", "top_logprobs", "text_offset", NULL };

// ---- made and freed -----------------------------------------------------------------------------------------------

size_t llm_answer_bytes_max(enum llm_kind kind) { return kind == LLM_EMBED ? LLM_EMBED_BYTES_MAX : LLM_ANSWER_BYTES_MAX; }

enum fr_status llm_answer_new(const struct llm_request *r, const char *model, int inputs, struct llm_answer **ret, struct fr_err *err)
{
    FR_AUTO(llm_answer) a = fr_alloc(sizeof *a);
    if (!a) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
    *a = (struct llm_answer){ .kind = r->kind, .created_s = fr_now_ms() / 1000, .prompt_claim = -1, .answer_claim = -1, .prompt_most = r->prompt_tokens, .answer_most = r->answer_tokens_max };
    snprintf(a->model, sizeof a->model, "%s", model);
    a->n = r->kind == LLM_EMBED ? inputs : r->n;
    if (r->kind == LLM_EMBED) a->embeddings = fr_alloc((size_t)a->n * sizeof *a->embeddings);
    else a->choices = fr_alloc((size_t)a->n * sizeof *a->choices);
    if (!a->embeddings && !a->choices) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
    for (int i = 0; i < a->n; i++) {
        if (a->embeddings) {
            fr_buf_init(&a->embeddings[i], LLM_EMBED_BYTES_MAX);
            continue;
        }
        struct llm_choice *c = &a->choices[i];
        fr_buf_init(&c->text, LLM_ANSWER_BYTES_MAX);
        fr_buf_init(&c->refusal, LLM_ANSWER_BYTES_MAX);
        fr_buf_init(&c->thoughts, LLM_ANSWER_BYTES_MAX);
        for (int k = 0; k < LOGPROB_LISTS; k++) fr_buf_init(&c->logprobs[k], LLM_ANSWER_BYTES_MAX);
    }
    *ret = FR_TAKE(a);
    return FR_OK;
}

static void choice_clear(struct llm_choice *c)
{
    fr_buf_free(&c->text);
    fr_buf_free(&c->refusal);
    fr_buf_free(&c->thoughts);
    for (int k = 0; k < LOGPROB_LISTS; k++) fr_buf_free(&c->logprobs[k]);
    for (int k = 0; k < c->call_count; k++) fr_buf_free(&c->calls[k].arguments);
    fr_free(c->calls);
}

void llm_answer_free(struct llm_answer *a)
{
    if (!a) return;
    for (int i = 0; a->choices && i < a->n; i++) choice_clear(&a->choices[i]);
    for (int i = 0; a->embeddings && i < a->n; i++) fr_buf_free(&a->embeddings[i]);
    fr_free(a->choices);
    fr_free(a->embeddings);
    fr_free(a);
}

// ---- pieces -------------------------------------------------------------------------------------------------------

static enum fr_status too_large(const struct llm_answer *a, struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_too_large", "an answer over %zu bytes", llm_answer_bytes_max(a->kind));
}

enum fr_status llm_answer_add(struct llm_answer *a, struct fr_buf *to, const char *text, struct fr_err *err)
{
    size_t len = strlen(text);
    a->bytes += len;
    if (a->bytes > llm_answer_bytes_max(a->kind)) return too_large(a, err);
    fr_buf_add_bytes(to, text, len);
    if (to->no_memory) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
    return to->failed ? too_large(a, err) : FR_OK;
}

enum fr_status llm_answer_text(const struct fr_json *o, const char *key, const char **ret, struct fr_err *err)
{
    const struct fr_json *v = fr_json_get(o, key);
    *ret = "";
    if (!v || fr_json_kind(v) == JSON_NULL) return FR_OK;
    if (fr_json_kind(v) != JSON_STRING) return NONSENSE(err, "its \"%s\" is no text but %s", key, fr_json_kind_name(fr_json_kind(v)));
    *ret = fr_json_text(v);
    return FR_OK;
}

// A word of a few letters: what else would it be.
static bool is_word(const char *text, size_t most)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return len > 0 && len <= most && text[len] == 0;
}

enum fr_status llm_answer_finish(struct llm_choice *c, const struct fr_json *choice, struct fr_err *err)
{
    const char *finish;
    FR_TRY(llm_answer_text(choice, "finish_reason", &finish, err));
    if (!finish[0]) return FR_OK;
    if (!is_word(finish, sizeof c->finish - 1)) return NONSENSE(err, "its \"finish_reason\" is none");
    snprintf(c->finish, sizeof c->finish, "%s", finish);
    return FR_OK;
}

static enum fr_status add_list(struct llm_answer *a, struct fr_buf *to, const struct fr_json *list, struct fr_err *err)
{
    if (fr_json_kind(list) == JSON_NULL) return FR_OK;
    if (fr_json_kind(list) != JSON_ARRAY) return NONSENSE(err, "its \"logprobs\" have no lists");
    for (const struct fr_json *one = fr_json_child(list); one; one = fr_json_next(one)) {
        size_t before = to->len;
        if (to->len) fr_buf_add_char(to, ',');
        fr_json_print(one, to);
        a->bytes += to->len - before;
        if (to->no_memory) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
        if (to->failed || a->bytes > LLM_ANSWER_BYTES_MAX) return too_large(a, err);
    }
    return FR_OK;
}

enum fr_status llm_answer_logprobs(struct llm_answer *a, struct llm_choice *c, const struct fr_json *choice, struct fr_err *err)
{
    const struct fr_json *l = fr_json_get(choice, "logprobs");
    if (!l || fr_json_kind(l) == JSON_NULL) return FR_OK;
    if (fr_json_kind(l) != JSON_OBJECT) return NONSENSE(err, "its \"logprobs\" are no object");
    for (int k = 0; k < LOGPROB_LISTS; k++) {
        const struct fr_json *list = fr_json_get(l, llm_logprob_lists[k]);
        if (list) FR_TRY(add_list(a, &c->logprobs[k], list, err));
    }
    return FR_OK;
}

// Of a stream a call's first piece has its id and name, the others more of its arguments, by index.
static enum fr_status add_call(struct llm_answer *a, struct llm_choice *c, const struct fr_json *piece, int no, struct fr_err *err)
{
    const struct fr_json *function = fr_json_get(piece, "function");
    const char *id, *name, *arguments;
    if (fr_json_kind(piece) != JSON_OBJECT || !function || fr_json_kind(function) != JSON_OBJECT) return NONSENSE(err, "a call of a tool that is none");
    FR_TRY(llm_answer_text(piece, "id", &id, err));
    FR_TRY(llm_answer_text(function, "name", &name, err));
    FR_TRY(llm_answer_text(function, "arguments", &arguments, err));
    if (no < 0 || no > c->call_count || no >= LLM_TOOL_CALLS_MAX) return NONSENSE(err, "calls of tools out of order, or over %d", LLM_TOOL_CALLS_MAX);
    if (!c->calls) c->calls = fr_alloc(LLM_TOOL_CALLS_MAX * sizeof *c->calls);
    if (!c->calls) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
    struct llm_tool_call *call = &c->calls[no];
    if (no == c->call_count) {
        if (!is_word(name, sizeof call->name - 1)) return NONSENSE(err, "a call of a tool without a name");
        if (id[0] && !is_word(id, sizeof call->id - 1)) return NONSENSE(err, "a call of a tool whose id is none");
        fr_buf_init(&call->arguments, LLM_ANSWER_BYTES_MAX);
        snprintf(call->name, sizeof call->name, "%s", name);
        if (id[0]) snprintf(call->id, sizeof call->id, "%s", id);
        else snprintf(call->id, sizeof call->id, "call_%d", no);           // some servers give none, and clients need one
        c->call_count++;
    }
    return llm_answer_add(a, &call->arguments, arguments, err);
}

enum fr_status llm_answer_calls(struct llm_answer *a, struct llm_choice *c, const struct fr_json *list, bool pieces, struct fr_err *err)
{
    int no = 0;
    if (!list || fr_json_kind(list) == JSON_NULL) return FR_OK;
    if (fr_json_kind(list) != JSON_ARRAY) return NONSENSE(err, "its \"tool_calls\" are no list");
    for (const struct fr_json *piece = fr_json_child(list); piece; piece = fr_json_next(piece), no++) {
        const struct fr_json *index = fr_json_get(piece, "index");
        double at = pieces && index ? fr_json_number(index) : no;
        if ((pieces && index && fr_json_kind(index) != JSON_NUMBER) || !(at >= 0 && at < LLM_TOOL_CALLS_MAX)) return NONSENSE(err, "a call of a tool at no known place");
        if (!pieces && no < c->call_count) return NONSENSE(err, "calls of tools twice");
        FR_TRY(add_call(a, c, piece, (int)at, err));
    }
    return FR_OK;
}

// By its index; by its position where it says none.
enum fr_status llm_answer_choice(const struct llm_answer *a, const struct fr_json *choice, int position, struct llm_choice **ret, struct fr_err *err)
{
    const struct fr_json *index = fr_json_get(choice, "index");
    double at = index ? fr_json_number(index) : position;
    if (fr_json_kind(choice) != JSON_OBJECT || (index && fr_json_kind(index) != JSON_NUMBER) || !(at >= 0 && at < a->n) || at != floor(at)) return NONSENSE(err, "a choice that nobody asked for");
    *ret = &a->choices[(int)at];
    return FR_OK;
}

static int64_t claim(const struct fr_json *usage, const char *key)
{
    const struct fr_json *v = fr_json_get(usage, key);
    double n = v && fr_json_kind(v) == JSON_NUMBER ? fr_json_number(v) : -1;
    return n >= 0 && n <= CLAIM_MAX && n == floor(n) ? (int64_t)n : -1;
}

void llm_answer_head(struct llm_answer *a, const struct fr_json *json)
{
    const char *id = fr_json_text(fr_json_get(json, "id"));
    const struct fr_json *created = fr_json_get(json, "created"), *usage = fr_json_get(json, "usage");
    if (id && !a->id[0] && is_word(id, sizeof a->id - 1)) snprintf(a->id, sizeof a->id, "%s", id);
    double s = created ? fr_json_number(created) : 0;
    if (a->events <= 1 && s > 0 && s < 1e11) a->created_s = (int64_t)s;
    if (!usage || fr_json_kind(usage) != JSON_OBJECT) return;
    a->prompt_claim = claim(usage, "prompt_tokens");
    a->answer_claim = claim(usage, "completion_tokens");
}

// ---- errors -------------------------------------------------------------------------------------------------------

static void clean(const char *text, char *out, size_t cap)
{
    size_t len = 0;
    for (const char *c = text; *c && len + 1 < cap; c++) out[len++] = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c;
    out[fr_utf8_cut(out, len)] = 0;
}

void llm_answer_error_text(const char *body, size_t len, char *out, size_t cap)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err ignored;
    out[0] = 0;
    if (fr_json_parse(body, len, &json, &ignored) != FR_OK) return;
    const struct fr_json *error = fr_json_get(json, "error");
    const char *text = fr_json_text(error);
    if (!text && error) text = fr_json_text(fr_json_get(error, "message"));
    if (!text) text = fr_json_text(fr_json_get(json, "message"));
    if (!text) text = fr_json_text(fr_json_get(json, "detail"));
    if (text) clean(text, out, cap);
}

enum fr_status llm_answer_no_error(const struct fr_json *json, const char *text, size_t len, struct fr_err *err)
{
    const struct fr_json *error = fr_json_get(json, "error");
    char shown[200];
    if (!error || fr_json_kind(error) == JSON_NULL) return FR_OK;
    llm_answer_error_text(text, len, shown, sizeof shown);
    return FR_FAIL_CODE(err, FR_E_IO, "llm_backend", "it failed: %s", shown[0] ? shown : "it does not say how");
}

// ---- whole --------------------------------------------------------------------------------------------------------

static enum fr_status read_choice(struct llm_answer *a, const struct fr_json *choice, int position, struct fr_err *err)
{
    struct llm_choice *c;
    const char *text;
    FR_TRY(llm_answer_choice(a, choice, position, &c, err));
    if (c->there) return NONSENSE(err, "the same choice twice");
    c->there = true;
    FR_TRY(llm_answer_finish(c, choice, err));
    FR_TRY(llm_answer_logprobs(a, c, choice, err));
    if (a->kind == LLM_TEXT) {
        FR_TRY(llm_answer_text(choice, "text", &text, err));
        return llm_answer_add(a, &c->text, text, err);
    }
    const struct fr_json *message = fr_json_get(choice, "message");
    if (!message || fr_json_kind(message) != JSON_OBJECT) return NONSENSE(err, "a choice without a message");
    FR_TRY(llm_answer_text(message, "content", &text, err));
    FR_TRY(llm_answer_add(a, &c->text, text, err));
    FR_TRY(llm_answer_text(message, "refusal", &text, err));
    FR_TRY(llm_answer_add(a, &c->refusal, text, err));
    FR_TRY(llm_answer_text(message, "reasoning_content", &text, err));
    FR_TRY(llm_answer_add(a, &c->thoughts, text, err));
    return llm_answer_calls(a, c, fr_json_get(message, "tool_calls"), false, err);
}

static bool is_base64(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), padding = strspn(text + len, "=");
    return len > 0 && padding <= 2 && text[len + padding] == 0 && (len + padding) % 4 == 0;
}

static enum fr_status read_vector(struct llm_answer *a, const struct fr_json *v, struct fr_buf *out, struct fr_err *err)
{
    size_t width = 0;
    char number[40];
    if (v && fr_json_kind(v) == JSON_STRING && is_base64(fr_json_text(v))) {
        width = strlen(fr_json_text(v));
        fr_buf_add_json_text(out, fr_json_text(v));
    } else if (v && fr_json_kind(v) == JSON_ARRAY) {
        for (const struct fr_json *x = fr_json_child(v); x && width <= WIDTH_MAX; x = fr_json_next(x), width++) {
            if (fr_json_kind(x) != JSON_NUMBER) return NONSENSE(err, "an embedding of something else than numbers");
            int len = snprintf(number, sizeof number, "%c%.9g", width ? ',' : '[', fr_json_number(x));      // as much as a float holds
            fr_buf_add_bytes(out, number, (size_t)len);
        }
        fr_buf_add_char(out, ']');
    }
    if (width == 0 || width > WIDTH_MAX * 6) return NONSENSE(err, "an embedding that is none");
    if (a->width && a->width != width) return NONSENSE(err, "embeddings of different widths");
    a->width = width;
    a->bytes += out->len;
    if (out->no_memory) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
    return out->failed || a->bytes > LLM_EMBED_BYTES_MAX ? too_large(a, err) : FR_OK;
}

static enum fr_status read_embedding(struct llm_answer *a, const struct fr_json *one, int position, struct fr_err *err)
{
    const struct fr_json *index = fr_json_get(one, "index");
    double at = index ? fr_json_number(index) : position;
    if (fr_json_kind(one) != JSON_OBJECT || (index && fr_json_kind(index) != JSON_NUMBER) || !(at >= 0 && at < a->n) || at != floor(at)) return NONSENSE(err, "an embedding that nobody asked for");
    if (a->embeddings[(int)at].len) return NONSENSE(err, "the same embedding twice");
    return read_vector(a, fr_json_get(one, "embedding"), &a->embeddings[(int)at], err);
}

// Where a text came whole its tokens are guessed, from below: no tokenizer makes fewer.
static void count_whole(struct llm_answer *a)
{
    size_t bytes = 0;
    for (int i = 0; a->choices && i < a->n; i++) {
        bytes += a->choices[i].text.len + a->choices[i].thoughts.len;
        for (int k = 0; k < a->choices[i].call_count; k++) bytes += a->choices[i].calls[k].arguments.len;
    }
    a->seen_tokens = (int64_t)(bytes + 15) / 16;
    if (a->seen_tokens > a->answer_most) a->seen_tokens = a->answer_most;
}

enum fr_status llm_answer_whole(struct llm_answer *a, const char *body, size_t len, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err why;
    int position = 0;
    enum fr_status st = fr_json_parse(body, len, &json, &why);
    if (st == FR_E_NOMEM) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
    if (st != FR_OK) return NONSENSE(err, "no JSON: %.120s", why.text);
    FR_TRY(llm_answer_no_error(json, body, len, err));
    const struct fr_json *list = fr_json_get(json, a->kind == LLM_EMBED ? "data" : "choices");
    if (!list || fr_json_kind(list) != JSON_ARRAY) return NONSENSE(err, "an answer without %s", a->kind == LLM_EMBED ? "data" : "choices");
    if (fr_json_size(list) != a->n) return NONSENSE(err, "%d %s instead of %d", fr_json_size(list), a->kind == LLM_EMBED ? "embeddings" : "choices", a->n);
    llm_answer_head(a, json);
    for (const struct fr_json *one = fr_json_child(list); one; one = fr_json_next(one), position++) {
        if (a->kind == LLM_EMBED) FR_TRY(read_embedding(a, one, position, err));
        else FR_TRY(read_choice(a, one, position, err));
    }
    count_whole(a);
    return FR_OK;
}

enum fr_status llm_answer_join(struct llm_answer *a, struct llm_answer *part, int first, struct fr_err *err)
{
    if (a->width && part->width != a->width) return NONSENSE(err, "embeddings of different widths");
    a->width = part->width;
    a->bytes += part->bytes;
    if (a->bytes > LLM_EMBED_BYTES_MAX) return too_large(a, err);
    for (int i = 0; i < part->n; i++) {
        fr_buf_free(&a->embeddings[first + i]);
        a->embeddings[first + i] = part->embeddings[i];
        fr_buf_init(&part->embeddings[i], LLM_EMBED_BYTES_MAX);
    }
    if (part->prompt_claim >= 0) a->prompt_claim = (a->prompt_claim < 0 ? 0 : a->prompt_claim) + (part->prompt_claim < a->prompt_most ? part->prompt_claim : a->prompt_most);
    return FR_OK;
}
