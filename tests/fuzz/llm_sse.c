// llm_sse: a backend's answers. A stream is the same however it is cut; its events are told as JSON and add up to the answer at the end; an answer that is taken, whole or streamed, is told in the one
// form, which is taken again.
#include "base/clock.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "llm/answer.h"
#include "llm/sse.h"

static const char *const requests[] = {
    [LLM_CHAT] = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":4,\"n\":2}", [LLM_TEXT] = "{\"prompt\":\"x\",\"max_tokens\":4}", [LLM_EMBED] = "{\"input\":[\"a\",\"b\",\"c\"]}",
};

struct reading { struct llm_answer *a; struct fr_buf events, text, told; bool done; enum fr_status st; struct fr_err err; };

static void refused(enum fr_status st, const struct fr_err *err)
{
    HOLDS(st == FR_E_IO || st == FR_E_LIMIT);
    HOLDS(err->text[0] && fr_utf8_valid(err->text, strlen(err->text)));
    HOLDS(strcmp(err->code, st == FR_E_LIMIT ? "llm_too_large" : "llm_nonsense") == 0 || strcmp(err->code, "llm_backend") == 0);
}

static bool on_event(void *arg, const char *data, size_t len)
{
    struct reading *r = arg;
    const char *text;
    size_t text_len, before = r->told.len;
    struct fr_err why;
    HOLDS(data[len] == 0);
    fr_buf_addf(&r->events, "%zu:", len);
    fr_buf_add_bytes(&r->events, data, len);
    if (strcmp(data, "[DONE]") == 0) {
        r->done = true;
        return false;
    }
    r->st = llm_answer_event(r->a, data, len, &r->told, &text, &text_len, &r->err);
    if (r->st != FR_OK) return false;
    fr_buf_add_bytes(&r->text, text, text_len);
    if (r->told.len > before) HOLDS(fr_json_check(r->told.data + before, r->told.len - before, &why) == FR_OK);
    return true;
}

// The form that we tell is one that we take.
static void is_taken_again(const struct llm_request *request, const struct llm_answer *a)
{
    FR_AUTO_BUF(first); FR_AUTO_BUF(second);
    FR_AUTO(llm_answer) again = NULL;
    struct fr_err err;
    fr_buf_init(&first, 8 << 20);
    fr_buf_init(&second, 8 << 20);
    llm_answer_print(a, &first);
    HOLDS(!first.failed && fr_json_check(first.data, first.len, &err) == FR_OK);
    HOLDS(llm_answer_prompt_tokens(a) >= 0 && llm_answer_prompt_tokens(a) <= request->prompt_tokens && llm_answer_tokens(a) >= 0 && llm_answer_tokens(a) <= request->answer_tokens_max);
    HOLDS(llm_answer_new(request, "m", request->inputs, &again, &err) == FR_OK);
    HOLDS(llm_answer_whole(again, first.data, first.len, &err) == FR_OK);
    again->seen_tokens = a->seen_tokens;
    llm_answer_print(again, &second);
    HOLDS(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
}

static void read_stream(const struct llm_request *request, const uint8_t *bytes, size_t len, uint32_t seed, struct reading *r)
{
    struct llm_sse s;
    struct fr_err err;
    *r = (struct reading){ 0 };
    fr_buf_init(&r->events, 8 << 20);
    fr_buf_init(&r->text, 8 << 20);
    fr_buf_init(&r->told, 32 << 20);
    HOLDS(llm_answer_new(request, "m", request->inputs, &r->a, &err) == FR_OK);
    llm_sse_init(&s, 2000);
    for (size_t at = 0; at < len && r->st == FR_OK && !r->done; ) {
        size_t step = seed ? 1 + fuzz_draw(&seed) % 9 : len;
        if (step > len - at) step = len - at;
        char *piece = malloc(step);
        memcpy(piece, bytes + at, step);
        if (llm_sse_feed(&s, piece, step, on_event, r, &err) != FR_OK && r->st == FR_OK) {
            r->err = err;
            r->st = err.status;
        }
        free(piece);
        at += step;
    }
    llm_sse_free(&s);
}

static void reading_free(struct reading *r)
{
    llm_answer_free(r->a);
    fr_buf_free(&r->events);
    fr_buf_free(&r->text);
    fr_buf_free(&r->told);
}

static bool same(const struct fr_buf *a, const struct fr_buf *b) { return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0); }

static void stream(const struct llm_request *request, const uint8_t *bytes, size_t len, uint32_t seed)
{
    struct reading one, other;
    struct fr_err err;
    read_stream(request, bytes, len, 0, &one);
    read_stream(request, bytes, len, seed | 1, &other);
    HOLDS(one.st == other.st && one.done == other.done && same(&one.events, &other.events) && same(&one.told, &other.told) && same(&one.text, &other.text));
    if (one.st != FR_OK) refused(one.st, &one.err);
    else {
        HOLDS(same(&one.text, &one.a->choices[0].text));
        HOLDS(one.a->seen_tokens <= request->answer_tokens_max + 16 * request->n);
        enum fr_status st = llm_answer_end(one.a, one.done, &err);
        if (st == FR_OK) is_taken_again(request, one.a);
        else refused(st, &err);
    }
    reading_free(&one);
    reading_free(&other);
}

static void whole(const struct llm_request *request, const uint8_t *bytes, size_t len)
{
    FR_AUTO(llm_answer) a = NULL;
    struct fr_err err;
    char *text = malloc(len ? len : 1), shown[64];
    if (len) memcpy(text, bytes, len);
    HOLDS(llm_answer_new(request, "m", request->inputs, &a, &err) == FR_OK);
    enum fr_status st = llm_answer_whole(a, text, len, &err);
    llm_answer_error_text(text, len, shown, sizeof shown);
    HOLDS(fr_utf8_valid(shown, strlen(shown)));
    free(text);
    if (st == FR_OK) is_taken_again(request, a);
    else refused(st, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // kind and form, a seed for cutting, bytes
{
    struct fuzz_in in = { data, size };
    uint8_t how = fuzz_byte(&in);
    enum llm_kind kind = (enum llm_kind)(how % 3);
    uint32_t seed = fuzz_byte(&in);
    struct llm_request request;
    struct fr_err err;
    fr_clock_set_for_test(1700000000000);
    HOLDS(llm_request_parse(kind, requests[kind], strlen(requests[kind]), &request, &err) == FR_OK);
    if (kind == LLM_EMBED || how & 128) whole(&request, in.at, in.left);
    else stream(&request, in.at, in.left, seed);
    llm_request_clear(&request);
    return 0;
}
