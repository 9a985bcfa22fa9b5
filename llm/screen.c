// screen.c — copies events and answers member by member; texts go through a filter on the way, calls of tools when the choice is over.
#include "llm/screen.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/mem.h"
#include "llm/screen_inside.h"

#define TEXTS 3                            // of a choice: its text, its thoughts, and why it refuses
struct llm_screen {
    struct llm_filter_rules *rules;
    enum llm_kind kind;
    struct llm_filter filters[LLM_CHOICES_MAX][TEXTS]; bool begun[LLM_CHOICES_MAX][TEXTS];
    struct fr_buf text[LLM_CHOICES_MAX];
    struct screen_calls calls[LLM_CHOICES_MAX];
    char id[80]; int64_t created;
    bool refused;
};

struct llm_screen *llm_screen_new(struct llm_filter_rules *rules, const struct llm_request *r)
{
    struct llm_screen *s = fr_alloc(sizeof *s);
    if (!s) return NULL;
    s->rules = llm_filter_rules_keep(rules);
    s->kind = r->kind;
    for (int i = 0; i < LLM_CHOICES_MAX; i++) fr_buf_init(&s->text[i], LLM_ANSWER_BYTES_MAX);
    return s;
}

void llm_screen_free(struct llm_screen *s)
{
    if (!s) return;
    for (int i = 0; i < LLM_CHOICES_MAX; i++) {
        fr_buf_free(&s->text[i]);
        screen_calls_free(&s->calls[i]);
        for (int t = 0; t < TEXTS; t++) if (s->begun[i][t]) llm_filter_free(&s->filters[i][t]);
    }
    llm_filter_rules_drop(s->rules);
    fr_free(s);
}

bool llm_screen_refused(const struct llm_screen *s) { return s->refused; }

static struct llm_filter *filter_of(struct llm_screen *s, int choice, int which)
{
    if (!s->begun[choice][which]) llm_filter_begin(&s->filters[choice][which], s->rules);
    s->begun[choice][which] = true;
    return &s->filters[choice][which];
}

static int which_text(const char *key) { return strcmp(key, "content") == 0 || strcmp(key, "text") == 0 ? 0 : strcmp(key, "reasoning_content") == 0 ? 1 : strcmp(key, "refusal") == 0 ? 2 : -1; }

static void comma_key(struct fr_buf *out, int *n, const char *key)
{
    if ((*n)++) fr_buf_add_char(out, ',');
    fr_buf_add_json_text(out, key);
    fr_buf_add_char(out, ':');
}

// One text through its filter. `last`: nothing follows.
static void screen_text(struct llm_screen *s, int choice, int which, const char *text, bool last, struct fr_buf *piece)
{
    struct llm_filter *f = filter_of(s, choice, which);
    bool good = llm_filter_add(f, text, strlen(text), piece);
    if (good && last) good = llm_filter_end(f, piece);
    if (!good) s->refused = true;
    if (which == 0) fr_buf_add_bytes(&s->text[choice], piece->data, piece->len);
}

// The members of a message, a delta, or (completions) the choice itself that are texts; those that are not here but are held back come with the last.
static void copy_texts(struct llm_screen *s, int choice, const struct fr_json *from, bool last, struct fr_buf *out, int *n, struct fr_buf *out_text, int64_t *told)
{
    static const char *const chat[TEXTS] = { "content", "reasoning_content", "refusal" };
    for (int which = 0; which < TEXTS; which++) {
        const char *key = s->kind == LLM_TEXT && which == 0 ? "text" : chat[which];
        const struct fr_json *v = fr_json_get(from, key);
        const char *text = fr_json_text(v);
        FR_AUTO_BUF(piece);
        fr_buf_init(&piece, LLM_ANSWER_BYTES_MAX);
        if (!text && !(last && s->begun[choice][which])) {
            if (v) comma_key(out, n, key), fr_json_print(v, out);
            continue;
        }
        screen_text(s, choice, which, text ? text : "", last, &piece);
        *told += (int64_t)piece.len;
        if (!text && piece.len == 0) continue;
        comma_key(out, n, key);
        fr_buf_add_json_bytes(out, piece.data ? piece.data : "", piece.len);
        if (choice == 0 && which == 0) fr_buf_add_bytes(out_text, piece.data, piece.len);
    }
}

// Who was cut calls nobody: an answer that ends at a refused word has no calls, wherever the word was.
static void copy_calls(struct llm_screen *s, int choice, bool whole, struct fr_buf *out, int *n, int64_t *told)
{
    FR_AUTO_BUF(list);
    fr_buf_init(&list, 4 * LLM_ANSWER_BYTES_MAX);
    if (s->calls[choice].no_memory) out->failed = true;
    if (s->calls[choice].count == 0 || s->refused) return;
    if (!screen_calls_print(&s->calls[choice], s->rules, !whole, &list)) { s->refused = true; return; }
    if (list.failed) { out->failed = true; return; }
    comma_key(out, n, "tool_calls");
    fr_buf_add_bytes(out, list.data, list.len);
    *told += 1;
}

static bool hidden(const struct llm_screen *s, int choice)
{
    bool any = s->refused || s->calls[choice].hidden > 0;
    for (int t = 0; t < TEXTS; t++) any = any || (s->begun[choice][t] && s->filters[choice][t].hidden > 0);
    return any;
}

// inside: "delta" or "message"; of completions the texts stand in the choice.
static void copy_choice(struct llm_screen *s, const struct fr_json *c, const char *inside, bool whole, struct fr_buf *out, struct fr_buf *out_text, int64_t *told)
{
    int n = 0, m = 0, index = (int)fr_json_number(fr_json_get(c, "index"));
    const char *finish = fr_json_text(fr_json_get(c, "finish_reason"));
    bool last = whole || finish;
    if (index < 0 || index >= LLM_CHOICES_MAX) return;
    fr_buf_add_char(out, '{');
    if (s->kind == LLM_TEXT) copy_texts(s, index, c, last, out, &n, out_text, told);
    for (const struct fr_json *v = fr_json_child(c); v; v = fr_json_next(v)) {
        const char *key = fr_json_key(v);
        if (strcmp(key, "finish_reason") == 0 || strcmp(key, "logprobs") == 0 || (s->kind == LLM_TEXT && which_text(key) >= 0)) continue;
        comma_key(out, &n, key);
        if (strcmp(key, inside) != 0) { fr_json_print(v, out); continue; }
        fr_buf_add_char(out, '{');
        for (const struct fr_json *d = fr_json_child(v); d; d = fr_json_next(d)) {
            if (which_text(fr_json_key(d)) >= 0) continue;
            if (strcmp(fr_json_key(d), "tool_calls") == 0) { screen_calls_take(&s->calls[index], d); continue; }
            comma_key(out, &m, fr_json_key(d));
            fr_json_print(d, out);
            *told += 1;
        }
        copy_texts(s, index, v, last, out, &m, out_text, told);
        if (last) copy_calls(s, index, whole, out, &m, told);
        fr_buf_add_char(out, '}');
    }
    const struct fr_json *logprobs = fr_json_get(c, "logprobs");
    if (logprobs) {
        comma_key(out, &n, "logprobs");
        if (hidden(s, index)) fr_buf_add(out, "null");
        else fr_json_print(logprobs, out);
    }
    comma_key(out, &n, "finish_reason");
    fr_buf_add_json_text(out, s->refused ? "content_filter" : finish);
    fr_buf_add_char(out, '}');
    *told += last || s->refused;
}

static void copy_root(struct llm_screen *s, const struct fr_json *root, const char *inside, bool whole, struct fr_buf *out, struct fr_buf *out_text, int64_t *told)
{
    int n = 0, k = 0;
    fr_buf_add_char(out, '{');
    for (const struct fr_json *v = fr_json_child(root); v; v = fr_json_next(v)) {
        comma_key(out, &n, fr_json_key(v));
        if (strcmp(fr_json_key(v), "choices") != 0) { fr_json_print(v, out); continue; }
        fr_buf_add_char(out, '[');
        for (const struct fr_json *c = fr_json_child(v); c; c = fr_json_next(c)) {
            if (k++) fr_buf_add_char(out, ',');
            copy_choice(s, c, inside, whole, out, out_text, told);
        }
        fr_buf_add_char(out, ']');
        *told += k == 0;                                     // an event of usage alone
    }
    fr_buf_add_char(out, '}');
}

bool llm_screen_event(struct llm_screen *s, const char *json, size_t len, struct fr_buf *out, struct fr_buf *out_text)
{
    FR_AUTO(fr_json) root = NULL;
    struct fr_err err;
    int64_t told = 0;
    if (s->refused || fr_json_parse(json, len, &root, &err) != FR_OK) return false;
    const char *id = fr_json_text(fr_json_get(root, "id"));
    if (id) snprintf(s->id, sizeof s->id, "%s", id);
    if (!s->created) s->created = (int64_t)fr_json_number(fr_json_get(root, "created"));
    copy_root(s, root, "delta", false, out, out_text, &told);
    return told > 0 && !out->failed;
}

static void head(const struct llm_screen *s, const char *object, const char *model, struct fr_buf *out)
{
    fr_buf_add(out, "{\"id\":");
    fr_buf_add_json_text(out, s->id);
    fr_buf_addf(out, ",\"object\":\"%s\",\"created\":%lld", object, (long long)s->created);
    if (model) fr_buf_add(out, ",\"model\":"), fr_buf_add_json_text(out, model);
    fr_buf_add(out, ",\"choices\":[");
}

bool llm_screen_rest(struct llm_screen *s, struct fr_buf *out, struct fr_buf *out_text)
{
    int n = 0;
    head(s, s->kind == LLM_TEXT ? "text_completion" : "chat.completion.chunk", NULL, out);
    for (int i = 0; i < LLM_CHOICES_MAX && !s->refused; i++) {
        FR_AUTO_BUF(piece);
        int m = 0;
        int64_t told = 0;
        fr_buf_init(&piece, LLM_ANSWER_BYTES_MAX);
        bool held = s->begun[i][0] && s->filters[i][0].held.len > 0;
        if (!held && s->calls[i].count == 0) continue;
        if (held) screen_text(s, i, 0, "", true, &piece);
        fr_buf_addf(out, "%s{\"index\":%d,%s", n++ ? "," : "", i, s->kind == LLM_TEXT ? "" : "\"delta\":{");
        if (held) {
            comma_key(out, &m, s->kind == LLM_TEXT ? "text" : "content");
            fr_buf_add_json_bytes(out, piece.data ? piece.data : "", piece.len);
        }
        copy_calls(s, i, false, out, &m, &told);
        fr_buf_addf(out, "%s,\"finish_reason\":%s}", s->kind == LLM_TEXT ? "" : "}", s->refused ? "\"content_filter\"" : "null");
        if (i == 0) fr_buf_add_bytes(out_text, piece.data, piece.len);
    }
    fr_buf_add(out, "]}");
    return n > 0;
}

void llm_screen_so_far(const struct llm_screen *s, const char *model, int64_t prompt_tokens, int64_t answer_tokens, struct fr_buf *out, struct fr_buf *out_text)
{
    bool chat = s->kind == LLM_CHAT;
    int n = 0;
    head(s, chat ? "chat.completion" : "text_completion", model, out);
    for (int i = 0; i < LLM_CHOICES_MAX; i++) {
        if (!s->begun[i][0] && i > 0) continue;
        fr_buf_addf(out, "%s{\"index\":%d,%s", n++ ? "," : "", i, chat ? "\"message\":{\"role\":\"assistant\",\"content\":" : "\"text\":");
        fr_buf_add_json_bytes(out, s->text[i].data ? s->text[i].data : "", s->text[i].len);
        fr_buf_addf(out, "%s,\"finish_reason\":\"content_filter\"}", chat ? "}" : "");
    }
    fr_buf_addf(out, "],\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld}}", (long long)prompt_tokens, (long long)answer_tokens, (long long)(prompt_tokens + answer_tokens));
    fr_buf_add_bytes(out_text, s->text[0].data, s->text[0].len);
}

enum fr_status llm_screen_answer(struct llm_filter_rules *rules, const char *json, size_t len, struct fr_buf *out, struct fr_buf *out_text, bool *refused, struct fr_err *err)
{
    FR_AUTO(fr_json) root = NULL;
    int64_t told = 0;
    FR_TRY(fr_json_parse_long(json, len, 4 * LLM_ANSWER_BYTES_MAX, &root, err));
    const struct fr_json *first = fr_json_child(fr_json_get(root, "choices"));
    struct llm_request of = { .kind = fr_json_get(first, "text") ? LLM_TEXT : LLM_CHAT };
    struct llm_screen *s = llm_screen_new(rules, &of);
    if (!s) return FR_FAIL(err, FR_E_NOMEM, "no memory for an answer");
    copy_root(s, root, "message", true, out, out_text, &told);
    *refused = s->refused;
    llm_screen_free(s);
    return fr_buf_check(out, "an answer", err);
}

// In a stream each call of a tool says which it is.
static void message_as_delta(const struct fr_json *message, struct fr_buf *out)
{
    int n = 0;
    fr_buf_add_char(out, '{');
    for (const struct fr_json *v = fr_json_child(message); v; v = fr_json_next(v)) {
        comma_key(out, &n, fr_json_key(v));
        if (strcmp(fr_json_key(v), "tool_calls") != 0) { fr_json_print(v, out); continue; }
        int index = 0;
        fr_buf_add_char(out, '[');
        for (const struct fr_json *call = fr_json_child(v); call; call = fr_json_next(call)) {
            int m = 1;
            fr_buf_addf(out, "%s{\"index\":%d", index ? "," : "", index);
            index++;
            for (const struct fr_json *d = fr_json_child(call); d; d = fr_json_next(d)) comma_key(out, &m, fr_json_key(d)), fr_json_print(d, out);
            fr_buf_add_char(out, '}');
        }
        fr_buf_add_char(out, ']');
    }
    fr_buf_add_char(out, '}');
}

bool llm_screen_as_event(const char *json, size_t len, struct fr_buf *out)
{
    FR_AUTO(fr_json) root = NULL;
    struct fr_err err;
    int n = 0, k = 0;
    if (fr_json_parse_long(json, len, 4 * LLM_ANSWER_BYTES_MAX, &root, &err) != FR_OK || !fr_json_get(root, "choices")) return false;
    fr_buf_add_char(out, '{');
    for (const struct fr_json *v = fr_json_child(root); v; v = fr_json_next(v)) {
        const char *key = fr_json_key(v), *text = fr_json_text(v);
        if (strcmp(key, "usage") == 0) continue;
        comma_key(out, &n, key);
        if (strcmp(key, "object") == 0 && text && strcmp(text, "chat.completion") == 0) { fr_buf_add(out, "\"chat.completion.chunk\""); continue; }
        if (strcmp(key, "choices") != 0) { fr_json_print(v, out); continue; }
        fr_buf_add_char(out, '[');
        for (const struct fr_json *c = fr_json_child(v); c; c = fr_json_next(c)) {
            int m = 0;
            fr_buf_add(out, k++ ? ",{" : "{");
            for (const struct fr_json *d = fr_json_child(c); d; d = fr_json_next(d)) {
                bool message = strcmp(fr_json_key(d), "message") == 0;
                comma_key(out, &m, message ? "delta" : fr_json_key(d));
                if (message) message_as_delta(d, out);
                else fr_json_print(d, out);
            }
            fr_buf_add_char(out, '}');
        }
        fr_buf_add_char(out, ']');
    }
    fr_buf_add_char(out, '}');
    return !out->failed;
}
