// schema_json.c — ask, find, check; then again with the error, or done. One object per question; functions in the order they run.
#include "llm/schema_json.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/mem.h"
#include "base/schema.h"
#include "base/utf8.h"

#define STARTS_MAX 64                      // places where a value might begin, tried in one answer
#define SHOWN_BYTES_MAX 4000               // of a wrong answer, shown to the model again

struct json_run {
    struct llm_by by;
    struct llm_json_ask ask;
    int64_t due_ms;
    struct fr_buf messages, format;
    struct fr_json *schema;
    char name[LLM_NAME_BYTES];
    bool plain;                            // the backend takes no response_format
    int repairs;
    struct llm_spent spent;
};

// ---- finding

// The length of the bracketed text at `at`, strings respected; 0 when it never closes.
static size_t balanced(const char *at)
{
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; at[i]; i++) {
        if (quoted) {
            if (at[i] == '\\' && at[i + 1]) i++;
            else if (at[i] == '"') quoted = false;
        } else if (at[i] == '"') quoted = true;
        else if (at[i] == '{' || at[i] == '[') depth++;
        else if ((at[i] == '}' || at[i] == ']') && --depth == 0) return i + 1;
    }
    return 0;
}

bool llm_json_first(const char *text, struct fr_json **ret)
{
    struct fr_err err;
    if (fr_json_parse(text, strlen(text), ret, &err) == FR_OK) return true;
    int tries = 0;
    for (const char *at = strpbrk(text, "{["); at && tries < STARTS_MAX; at = strpbrk(at + 1, "{["), tries++) {
        size_t len = balanced(at);
        if (len && fr_json_parse(at, len, ret, &err) == FR_OK) return true;
    }
    return false;
}

// ---- the schema for a backend

static void print_schema(const struct fr_json *s, struct fr_buf *out);
static void print_member(const char *key, const struct fr_json *v, bool *first, struct fr_buf *out)
{
    fr_buf_addf(out, "%s", *first ? "" : ",");
    *first = false;
    if (strcmp(key, "format") == 0) { fr_buf_add(out, "\"pattern\":\"^[0-9]{1,19}$\""); return; }
    fr_buf_add_json_text(out, key);
    fr_buf_add_char(out, ':');
    if (strcmp(key, "items") == 0) { print_schema(v, out); return; }
    if (strcmp(key, "properties") != 0) { fr_json_print(v, out); return; }
    bool none = true;
    fr_buf_add_char(out, '{');
    for (const struct fr_json *p = fr_json_child(v); p; p = fr_json_next(p)) {
        if (!none) fr_buf_add_char(out, ',');
        none = false;
        fr_buf_add_json_text(out, fr_json_key(p));
        fr_buf_add_char(out, ':');
        print_schema(p, out);
    }
    fr_buf_add_char(out, '}');
}

static void print_schema(const struct fr_json *s, struct fr_buf *out)
{
    bool first = true;
    fr_buf_add_char(out, '{');
    for (const struct fr_json *m = fr_json_child(s); m; m = fr_json_next(m)) print_member(fr_json_key(m), m, &first, out);
    if (fr_json_get(s, "properties") && !fr_json_get(s, "additionalProperties")) fr_buf_addf(out, "%s\"additionalProperties\":false", first ? "" : ",");
    fr_buf_add_char(out, '}');
}

void llm_json_format(const struct fr_json *schema, const char *name, struct fr_buf *out)
{
    fr_buf_add(out, "{\"type\":\"json_schema\",\"json_schema\":{\"name\":");
    fr_buf_add_json_text(out, name);
    fr_buf_add(out, ",\"strict\":true,\"schema\":");
    print_schema(schema, out);
    fr_buf_add(out, "}}");
}

// ---- asking

static void json_free(struct json_run *r)
{
    fr_buf_free(&r->messages);
    fr_buf_free(&r->format);
    fr_json_free(r->schema);
    fr_free(r);
}

static void json_finish(struct json_run *r, enum fr_status st, const struct fr_buf *value, const struct fr_err *err)
{
    struct llm_value v = { .json = value ? value->data : NULL, .len = value ? value->len : 0, .spent = &r->spent };
    r->ask.done(r->ask.arg, st, &v, err);
    json_free(r);
}

static void json_on_answer(void *arg, enum fr_status st, const struct llm_end *end, const struct fr_err *err);
static enum fr_status json_send(struct json_run *r, struct fr_err *err)
{
    struct llm_turn t = { .messages = &r->messages, .response_format = r->plain ? NULL : r->format.data, .max_tokens = r->ask.max_tokens, .temperature = r->ask.temperature, .seed_step = r->repairs };
    enum fr_status st = llm_chat_start(&r->by, r->due_ms, &t, json_on_answer, r, err);
    if (st == FR_OK || r->plain || strcmp(err->code, "llm_request") != 0) return st;
    r->plain = true;
    t.response_format = NULL;
    return llm_chat_start(&r->by, r->due_ms, &t, json_on_answer, r, err);
}

static enum fr_status json_judge(struct json_run *r, const char *text, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(fr_json) value = NULL;
    if (!llm_json_first(text, &value)) return FR_FAIL_CODE(err, FR_E_IO, "llm_invalid", "there is no JSON value in the answer");
    FR_TRY(schema_fit(r->schema, value, "answer", err));
    if (r->ask.check) FR_TRY(r->ask.check(r->ask.arg, value, err));
    fr_json_print(value, out);
    return fr_buf_check(out, "the answer", err);
}

static enum fr_status json_repair(struct json_run *r, const char *text, const struct fr_err *why, struct fr_err *err)
{
    FR_AUTO_BUF(said);
    fr_buf_init(&said, SHOWN_BYTES_MAX + 100);
    size_t len = strlen(text);
    fr_buf_add_bytes(&said, text, len > SHOWN_BYTES_MAX ? fr_utf8_cut(text, SHOWN_BYTES_MAX) : len);
    r->repairs++;
    llm_message_add(&r->messages, "assistant", said.len ? said.data : "...");
    fr_buf_clear(&said);
    fr_buf_addf(&said, "That does not fit: %s\nAnswer again with the corrected JSON value and nothing else.", why->text);
    llm_message_add(&r->messages, "user", said.data);
    return json_send(r, err);
}

static void json_on_answer(void *arg, enum fr_status st, const struct llm_end *end, const struct fr_err *err)
{
    struct json_run *r = arg;
    struct fr_err why, again;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, LLM_ANSWER_BYTES_MAX);
    llm_spent_add(&r->spent, end);
    if (st != FR_OK && !r->plain && strcmp(err->code, "llm_request") == 0) {           // no pod of this model holds to schemas
        r->plain = true;
        st = json_send(r, &again);
        if (st != FR_OK) json_finish(r, st, NULL, &again);
        return;
    }
    if (st != FR_OK) { json_finish(r, st, NULL, err); return; }
    st = json_judge(r, end->text, &out, &why);
    if (st == FR_OK) { json_finish(r, FR_OK, &out, NULL); return; }
    if (st == FR_E_NOMEM) { json_finish(r, st, NULL, &why); return; }
    if (r->repairs < LLM_REPAIRS_MAX) {
        st = json_repair(r, end->text, &why, &again);
        if (st != FR_OK) json_finish(r, st, NULL, &again);
        return;
    }
    st = FR_FAIL_CODE(&again, FR_E_IO, "llm_invalid", "no answer fitted after %d repairs: %.300s", r->repairs, why.text);
    json_finish(r, st, NULL, &again);
}

static enum fr_status json_prepare(struct json_run *r, const struct llm_json_ask *ask, struct fr_err *err)
{
    FR_AUTO_BUF(text); FR_AUTO_BUF(rule);
    fr_buf_init(&text, LLM_BODY_BYTES_MAX);
    fr_buf_init(&rule, LLM_BODY_BYTES_MAX);
    fr_json_print(ask->schema, &text);
    FR_TRY(fr_buf_check(&text, "the schema", err));
    FR_TRY(fr_json_parse(text.data, text.len, &r->schema, err));
    llm_json_format(ask->schema, r->name, &r->format);
    if (ask->system) fr_buf_addf(&rule, "%s\n\n", ask->system);
    fr_buf_addf(&rule, "Answer with one JSON value and nothing else. It has to fit this JSON Schema: %s", text.data);
    FR_TRY(fr_buf_check(&rule, "the schema", err));
    llm_message_add(&r->messages, "system", rule.data);
    fr_buf_add_char(&r->messages, ',');
    fr_buf_add_bytes(&r->messages, ask->messages->data, ask->messages->len);
    FR_TRY(fr_buf_check(&r->format, "the schema", err));
    return fr_buf_check(&r->messages, "the prompt", err);
}

enum fr_status llm_json_start(const struct llm_by *by, const struct llm_json_ask *ask, struct fr_err *err)
{
    FR_TRY(fr_buf_check(ask->messages, "the prompt", err));
    struct json_run *r = fr_alloc(sizeof *r);
    if (!r) return FR_FAIL(err, FR_E_NOMEM, "no memory for a question");
    r->by = *by;
    r->ask = *ask;
    r->ask.system = NULL;
    r->ask.messages = NULL;                // the caller's, and over now
    r->ask.schema = NULL;
    snprintf(r->name, sizeof r->name, "%s", ask->name ? ask->name : "answer");
    r->ask.name = r->name;
    r->due_ms = llm_by_due_ms(by);
    fr_buf_init(&r->messages, LLM_BODY_BYTES_MAX);
    fr_buf_init(&r->format, LLM_BODY_BYTES_MAX);
    enum fr_status st = json_prepare(r, ask, err);
    if (st == FR_OK) st = json_send(r, err);
    if (st != FR_OK) json_free(r);
    return st;
}
