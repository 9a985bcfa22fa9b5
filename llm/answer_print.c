// answer_print.c — an answer as OpenAI's clients read it.
#include "llm/answer_inside.h"
#include <string.h>

static int64_t cut(int64_t claim, int64_t least, int64_t most)
{
    return claim < least ? least : claim > most ? most : claim;
}

int64_t llm_answer_prompt_tokens(const struct llm_answer *a)
{
    return a->prompt_claim < 0 ? a->prompt_most : cut(a->prompt_claim, 0, a->prompt_most);
}

int64_t llm_answer_tokens(const struct llm_answer *a)
{
    int64_t seen = cut(a->seen_tokens, 0, a->answer_most);
    return cut(a->answer_claim, seen, a->answer_most);
}

void llm_answer_print_usage(const struct llm_answer *a, struct fr_buf *out)
{
    int64_t prompt = llm_answer_prompt_tokens(a), answer = llm_answer_tokens(a);
    fr_buf_addf(out, ",\"usage\":{\"prompt_tokens\":%lld", (long long)prompt);
    if (a->kind != LLM_EMBED) fr_buf_addf(out, ",\"completion_tokens\":%lld", (long long)answer);
    fr_buf_addf(out, ",\"total_tokens\":%lld}", (long long)(prompt + answer));
}

void llm_answer_print_head(const struct llm_answer *a, const char *object, struct fr_buf *out)
{
    fr_buf_add(out, "{\"id\":");
    fr_buf_add_json_text(out, a->id[0] ? a->id : "frond");
    fr_buf_addf(out, ",\"object\":\"%s\",\"created\":%lld,\"model\":", object, (long long)a->created_s);
    fr_buf_add_json_text(out, a->model);
}

static void print_text(const char *key, const struct fr_buf *text, struct fr_buf *out)
{
    fr_buf_addf(out, ",\"%s\":", key);
    fr_buf_add_json_bytes(out, text->data ? text->data : "", text->len);
}

static void print_calls(const struct llm_choice *c, struct fr_buf *out)
{
    if (c->call_count == 0) return;
    fr_buf_add(out, ",\"tool_calls\":[");
    for (int i = 0; i < c->call_count; i++) {
        fr_buf_addf(out, "%s{\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":\"%s\"", i ? "," : "", c->calls[i].id, c->calls[i].name);
        print_text("arguments", &c->calls[i].arguments, out);
        fr_buf_add(out, "}}");
    }
    fr_buf_add(out, "]");
}

static void print_logprobs(const struct llm_choice *c, struct fr_buf *out)
{
    bool any = false;
    fr_buf_add(out, ",\"logprobs\":");
    for (int k = 0; k < LOGPROB_LISTS; k++) {
        if (c->logprobs[k].len == 0) continue;
        fr_buf_addf(out, "%c\"%s\":[", any ? ',' : '{', llm_logprob_lists[k]);
        fr_buf_add_bytes(out, c->logprobs[k].data, c->logprobs[k].len);
        fr_buf_add_char(out, ']');
        any = true;
    }
    fr_buf_add(out, any ? "}" : "null");
}

static void print_choice(const struct llm_answer *a, int no, struct fr_buf *out)
{
    const struct llm_choice *c = &a->choices[no];
    fr_buf_addf(out, "%s{\"index\":%d", no ? "," : "", no);
    if (a->kind == LLM_TEXT) print_text("text", &c->text, out);
    else {
        fr_buf_add(out, ",\"message\":{\"role\":\"assistant\"");
        if (c->call_count && c->text.len == 0) fr_buf_add(out, ",\"content\":null");
        else print_text("content", &c->text, out);
        if (c->refusal.len) print_text("refusal", &c->refusal, out);
        else fr_buf_add(out, ",\"refusal\":null");
        if (c->thoughts.len) print_text("reasoning_content", &c->thoughts, out);
        print_calls(c, out);
        fr_buf_add_char(out, '}');
    }
    print_logprobs(c, out);
    fr_buf_add(out, ",\"finish_reason\":");
    fr_buf_add_json_text(out, c->finish[0] ? c->finish : "stop");
    fr_buf_add_char(out, '}');
}

void llm_answer_print(const struct llm_answer *a, struct fr_buf *out)
{
    if (a->kind == LLM_EMBED) {
        fr_buf_add(out, "{\"object\":\"list\",\"data\":[");
        for (int i = 0; i < a->n; i++) {
            fr_buf_addf(out, "%s{\"object\":\"embedding\",\"index\":%d,\"embedding\":", i ? "," : "", i);
            fr_buf_add_bytes(out, a->embeddings[i].data, a->embeddings[i].len);
            fr_buf_add_char(out, '}');
        }
        fr_buf_add(out, "],\"model\":");
        fr_buf_add_json_text(out, a->model);
    } else {
        llm_answer_print_head(a, a->kind == LLM_CHAT ? "chat.completion" : "text_completion", out);
        fr_buf_add(out, ",\"choices\":[");
        for (int i = 0; i < a->n; i++) print_choice(a, i, out);
        fr_buf_add_char(out, ']');
    }
    llm_answer_print_usage(a, out);
    fr_buf_add_char(out, '}');
}
