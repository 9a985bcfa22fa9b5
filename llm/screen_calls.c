// screen_calls.c — calls of tools, gathered and filtered: their arguments as JSON, their names and ids as words that stay words.
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/mem.h"
#include "llm/screen_inside.h"

static void take_one(struct screen_calls *c, const struct fr_json *piece, int no)
{
    const struct fr_json *index = fr_json_get(piece, "index"), *function = fr_json_get(piece, "function");
    const char *id = fr_json_text(fr_json_get(piece, "id")), *name = fr_json_text(fr_json_get(function, "name")), *arguments = fr_json_text(fr_json_get(function, "arguments"));
    int at = index ? (int)fr_json_number(index) : no;
    if (at < 0 || at > c->count || at >= LLM_TOOL_CALLS_MAX) return;         // the pool has looked at that
    if (!c->calls) c->calls = fr_alloc(LLM_TOOL_CALLS_MAX * sizeof *c->calls);
    if (!c->calls) { c->no_memory = true; return; }
    struct llm_tool_call *call = &c->calls[at];
    if (at == c->count) {
        c->count++;
        *call = (struct llm_tool_call){ .id = "" };
        fr_buf_init(&call->arguments, LLM_ANSWER_BYTES_MAX);
        if (id && *id) snprintf(call->id, sizeof call->id, "%s", id);
        else snprintf(call->id, sizeof call->id, "call_%d", at);
        snprintf(call->name, sizeof call->name, "%s", name ? name : "");
    }
    if (arguments) fr_buf_add(&call->arguments, arguments);
}

void screen_calls_take(struct screen_calls *c, const struct fr_json *list)
{
    int no = 0;
    for (const struct fr_json *piece = fr_json_child(list); piece; piece = fr_json_next(piece)) take_one(c, piece, no++);
}

// A word in place of one that holds something: what stands there must stay a name. False: it is refused.
static bool screen_word(struct screen_calls *c, struct llm_filter_rules *rules, char *word, size_t cap, const char *instead)
{
    struct llm_filter f;
    FR_AUTO_BUF(said);
    fr_buf_init(&said, 4 * cap);
    llm_filter_begin(&f, rules);
    bool good = llm_filter_add(&f, word, strlen(word), &said) && llm_filter_end(&f, &said);
    if (good && f.hidden) {
        snprintf(word, cap, "%s", instead);
        c->hidden++;
    }
    llm_filter_free(&f);
    return good;
}

static bool print_call(struct screen_calls *c, struct llm_filter_rules *rules, int no, bool index, struct fr_buf *out)
{
    struct llm_tool_call *call = &c->calls[no];
    char id[24];
    FR_AUTO_BUF(arguments);
    fr_buf_init(&arguments, 2 * LLM_ANSWER_BYTES_MAX);
    snprintf(id, sizeof id, "call_%d", no);
    if (!screen_word(c, rules, call->id, sizeof call->id, id) || !screen_word(c, rules, call->name, sizeof call->name, "hidden")) return false;
    if (!llm_filter_json(rules, call->arguments.data ? call->arguments.data : "", call->arguments.len, &arguments, &c->hidden)) return false;
    fr_buf_add(out, no ? ",{" : "{");
    if (index) fr_buf_addf(out, "\"index\":%d,", no);
    fr_buf_add(out, "\"id\":");
    fr_buf_add_json_text(out, call->id);
    fr_buf_add(out, ",\"type\":\"function\",\"function\":{\"name\":");
    fr_buf_add_json_text(out, call->name);
    fr_buf_add(out, ",\"arguments\":");
    fr_buf_add_json_bytes(out, arguments.data ? arguments.data : "", arguments.len);
    fr_buf_add(out, "}}");
    if (arguments.failed || call->arguments.failed) out->failed = true;
    return true;
}

bool screen_calls_print(struct screen_calls *c, struct llm_filter_rules *rules, bool index, struct fr_buf *out)
{
    bool good = true;
    FR_AUTO_BUF(list);
    fr_buf_init(&list, 4 * LLM_ANSWER_BYTES_MAX);
    fr_buf_add_char(&list, '[');
    for (int i = 0; i < c->count && good; i++) good = print_call(c, rules, i, index, &list);
    fr_buf_add_char(&list, ']');
    if (good) fr_buf_add_bytes(out, list.data, list.len);
    if (list.failed || c->no_memory) out->failed = true;
    screen_calls_free(c);
    return good;
}

void screen_calls_free(struct screen_calls *c)
{
    for (int i = 0; i < c->count; i++) fr_buf_free(&c->calls[i].arguments);
    fr_free(c->calls);
    *c = (struct screen_calls){ .hidden = c->hidden };
}
