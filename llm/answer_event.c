// answer_event.c — a stream's events, put together to the answer that would have come whole.
#include "llm/answer_inside.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"

#define TOKENS_OVER 16                     // per choice: events beyond the tokens asked for, for those who count otherwise

// What one choice of one event says.
struct piece { struct llm_choice *c; const char *text, *refusal, *thoughts; const struct fr_json *calls, *logprobs; bool ends; };

static enum fr_status read_piece(struct llm_answer *a, const struct fr_json *choice, int position, struct piece *p, struct fr_err *err)
{
    char before[sizeof p->c->finish];
    FR_TRY(llm_answer_choice(a, choice, position, &p->c, err));
    snprintf(before, sizeof before, "%s", p->c->finish);
    FR_TRY(llm_answer_finish(p->c, choice, err));
    p->ends = strcmp(before, p->c->finish) != 0;
    p->logprobs = fr_json_get(choice, "logprobs");
    p->refusal = p->thoughts = "";
    p->c->there = true;
    if (a->kind == LLM_TEXT) return llm_answer_text(choice, "text", &p->text, err);
    const struct fr_json *delta = fr_json_get(choice, "delta");
    if (!delta || fr_json_kind(delta) != JSON_OBJECT) return NONSENSE(err, "an event without a delta");
    p->calls = fr_json_get(delta, "tool_calls");
    FR_TRY(llm_answer_text(delta, "content", &p->text, err));
    FR_TRY(llm_answer_text(delta, "refusal", &p->refusal, err));
    return llm_answer_text(delta, "reasoning_content", &p->thoughts, err);
}

static enum fr_status take_piece(struct llm_answer *a, const struct piece *p, const struct fr_json *choice, struct fr_err *err)
{
    struct llm_choice *c = p->c;
    bool says = p->text[0] || p->refusal[0] || p->thoughts[0] || (p->calls && fr_json_size(p->calls) > 0);
    FR_TRY(llm_answer_add(a, &c->text, p->text, err));
    FR_TRY(llm_answer_add(a, &c->refusal, p->refusal, err));
    FR_TRY(llm_answer_add(a, &c->thoughts, p->thoughts, err));
    FR_TRY(llm_answer_calls(a, c, p->calls, true, err));
    FR_TRY(llm_answer_logprobs(a, c, choice, err));
    a->seen_tokens += says;
    if (a->seen_tokens > a->answer_most + TOKENS_OVER * a->n) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_too_large", "more than the %lld tokens that were asked for", (long long)a->answer_most);
    return FR_OK;
}

// ---- the event in our form ----------------------------------------------------------------------------------------

static void print_text(const char *key, const char *text, struct fr_buf *out)
{
    if (!text[0]) return;
    fr_buf_addf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", key);
    fr_buf_add_json_text(out, text);
}

static void print_call(const struct fr_json *piece, int no, struct fr_buf *out)
{
    const struct fr_json *index = fr_json_get(piece, "index"), *function = fr_json_get(piece, "function");
    const char *id = fr_json_text(fr_json_get(piece, "id")), *name = fr_json_text(fr_json_get(function, "name")), *arguments = fr_json_text(fr_json_get(function, "arguments"));
    fr_buf_addf(out, "%s{\"index\":%d", no ? "," : "", index ? (int)fr_json_number(index) : no);
    if (id && id[0]) print_text("id", id, out);
    if (name && name[0]) fr_buf_add(out, ",\"type\":\"function\"");
    fr_buf_add(out, ",\"function\":{");
    if (name) print_text("name", name, out);
    fr_buf_addf(out, "%s\"arguments\":", out->data[out->len - 1] == '{' ? "" : ",");
    fr_buf_add_json_text(out, arguments ? arguments : "");
    fr_buf_add(out, "}}");
}

static void print_piece(const struct llm_answer *a, const struct piece *p, const struct fr_json *choice, struct fr_buf *out)
{
    const struct fr_json *delta = fr_json_get(choice, "delta");
    const char *role = fr_json_text(fr_json_get(delta, "role"));
    int no = 0;
    fr_buf_addf(out, "{\"index\":%d,", (int)(p->c - a->choices));
    if (a->kind == LLM_TEXT) {
        fr_buf_add(out, "\"text\":");
        fr_buf_add_json_text(out, p->text);
    } else {
        fr_buf_add(out, "\"delta\":{");
        if (role) fr_buf_add(out, "\"role\":\"assistant\"");
        if (role && !p->text[0] && fr_json_text(fr_json_get(delta, "content"))) fr_buf_add(out, ",\"content\":\"\"");
        print_text("content", p->text, out);
        print_text("refusal", p->refusal, out);
        print_text("reasoning_content", p->thoughts, out);
        for (const struct fr_json *c = p->calls ? fr_json_child(p->calls) : NULL; c; c = fr_json_next(c), no++) {
            if (no == 0) fr_buf_addf(out, "%s\"tool_calls\":[", out->data[out->len - 1] == '{' ? "" : ",");
            print_call(c, no, out);
        }
        fr_buf_add(out, no ? "]}" : "}");
    }
    fr_buf_add(out, ",\"logprobs\":");
    if (p->logprobs) fr_json_print(p->logprobs, out);
    else fr_buf_add(out, "null");
    fr_buf_add(out, ",\"finish_reason\":");
    fr_buf_add_json_text(out, p->ends ? p->c->finish : NULL);
    fr_buf_add(out, "}");
}

enum fr_status llm_answer_event(struct llm_answer *a, const char *data, size_t len, struct fr_buf *json_out, const char **text, size_t *text_len, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err why;
    int position = 0;
    size_t begin = json_out ? json_out->len : 0, was = a->choices[0].text.len;
    *text = "";
    *text_len = 0;
    if (++a->events > LLM_EVENTS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_too_large", "a stream of over %d events", LLM_EVENTS_MAX);
    enum fr_status st = fr_json_parse(data, len, &json, &why);
    if (st == FR_E_NOMEM) return FR_FAIL(err, FR_E_NOMEM, "no memory for an event");
    if (st != FR_OK) return NONSENSE(err, "an event that is no JSON: %.120s", why.text);
    if (fr_json_kind(json) != JSON_OBJECT) return NONSENSE(err, "an event that is no object");
    FR_TRY(llm_answer_no_error(json, data, len, err));
    const struct fr_json *list = fr_json_get(json, "choices"), *usage = fr_json_get(json, "usage");
    if (!list || fr_json_kind(list) != JSON_ARRAY || fr_json_size(list) > a->n) return NONSENSE(err, "an event without choices, or with more than were asked for");
    llm_answer_head(a, json);
    if (json_out) {
        llm_answer_print_head(a, a->kind == LLM_TEXT ? "text_completion" : "chat.completion.chunk", json_out);
        fr_buf_add(json_out, ",\"choices\":[");
    }
    for (const struct fr_json *choice = fr_json_child(list); choice; choice = fr_json_next(choice), position++) {
        struct piece p = { 0 };
        FR_TRY(read_piece(a, choice, position, &p, err));
        FR_TRY(take_piece(a, &p, choice, err));
        if (!json_out) continue;
        if (position) fr_buf_add_char(json_out, ',');
        print_piece(a, &p, choice, json_out);
    }
    *text = a->choices[0].text.data ? a->choices[0].text.data + was : "";
    *text_len = a->choices[0].text.len - was;
    if (!json_out) return FR_OK;
    fr_buf_add_char(json_out, ']');
    bool has_usage = usage && fr_json_kind(usage) == JSON_OBJECT;
    if (has_usage) llm_answer_print_usage(a, json_out);
    fr_buf_add_char(json_out, '}');
    if (position == 0 && !has_usage) {     // it says nothing
        json_out->len = begin;
        if (json_out->data) json_out->data[begin] = 0;
    }
    if (json_out->no_memory) return FR_FAIL(err, FR_E_NOMEM, "no memory for an event");
    return json_out->failed ? FR_FAIL_CODE(err, FR_E_LIMIT, "llm_too_large", "an event over its bound") : FR_OK;
}

enum fr_status llm_answer_end(const struct llm_answer *a, bool said_done, struct fr_err *err)
{
    for (int i = 0; i < a->n; i++) {
        if (!a->choices[i].there) return NONSENSE(err, "a stream without choice %d of %d", i + 1, a->n);
        if (!a->choices[i].finish[0] && !said_done) return NONSENSE(err, "a stream that ends in the middle");
    }
    return FR_OK;
}
