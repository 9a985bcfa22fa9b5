// task.c — a task read, rendered, run.
#include "llm/task.h"
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/schema.h"
#include "llm/fence.h"
#include "llm/prompts.h"
#include "llm/schema_json.h"

#define PROMPT_BYTES_MAX 16384
#define EXAMPLES_MAX 16
#define EVAL_ITEMS_MAX 10000
#define WORD_BYTES_MAX 200
#define KEYS(...) (const char *const[]){ __VA_ARGS__, NULL }

// ---- templates

// The next {{..}} at or after *at: *from and *len of what stands inside, *at behind it. False: none, or (with *broken) one that never ends.
static bool next_hole(const char **at, const char **from, size_t *len, bool *broken)
{
    const char *open = strstr(*at, "{{"), *close = open ? strstr(open + 2, "}}") : NULL;
    *broken = open && !close;
    if (!close) return false;
    *from = open + 2;
    *len = (size_t)(close - open - 2);
    *at = close + 2;
    return true;
}

static bool hole_name(const char *from, size_t len, char out[64], bool *word)
{
    *word = len && *from == '=';
    if (*word) { from++; len--; }
    if (len == 0 || len > 32) return false;
    snprintf(out, 64, "%.*s", (int)len, from);
    return strspn(out, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static enum fr_status check_template(const char *text, const struct fr_json *vars, const char *where, struct fr_err *err)
{
    const char *from;
    size_t len;
    bool broken, word;
    char name[64];
    while (next_hole(&text, &from, &len, &broken)) {
        if (!hole_name(from, len, name, &word)) return FR_FAIL(err, FR_E_INVALID, "%s.prompt: {{%.*s}} is no name: small letters, digits and _", where, len > 40 ? 40 : (int)len, from);
        if (!fr_json_get(fr_json_get(vars, "properties"), name)) return FR_FAIL(err, FR_E_INVALID, "%s.prompt: {{%s}} is not among the properties of vars", where, name);
    }
    return broken ? FR_FAIL(err, FR_E_INVALID, "%s.prompt: a {{ without its }}", where) : FR_OK;
}

static void add_value(const struct fr_json *v, struct fr_buf *text)
{
    if (!v) return;
    if (fr_json_text(v)) fr_buf_add(text, fr_json_text(v));
    else fr_json_print(v, text);
}

static void fill(const char *prompt, const struct fr_json *vars, struct fr_buf *out)
{
    const char *at = prompt, *from;
    size_t len;
    bool broken, word;
    char name[64];
    for (const char *begin = at; next_hole(&at, &from, &len, &broken); begin = at) {
        FR_AUTO_BUF(value);
        fr_buf_init(&value, LLM_BODY_BYTES_MAX);
        fr_buf_add_bytes(out, begin, (size_t)(from - 2 - begin));
        hole_name(from, len, name, &word);
        add_value(fr_json_get(vars, name), &value);
        if (word) llm_fence_word(value.len ? value.data : "", WORD_BYTES_MAX, out);
        else llm_fence_add(name, value.len ? value.data : "", value.len, out);
    }
    const char *end = prompt;
    while (next_hole(&end, &from, &len, &broken)) { }
    fr_buf_add(out, end);
}

// ---- reading

static enum fr_status check_eval(const struct fr_json *eval, const struct fr_json *vars, const char *where, struct fr_err *err)
{
    const char *score, *field;
    const struct fr_json *items;
    char path[200];
    int no = 0;
    snprintf(path, sizeof path, "%.150s.eval", where);
    FR_TRY(fr_json_only_keys(eval, KEYS("score", "field", "items", "source"), path, err));
    FR_TRY(fr_json_need_text(eval, "score", 1, 16, &score, err));
    if (strcmp(score, "exact") != 0 && strcmp(score, "contains") != 0 && strcmp(score, "numeric") != 0 && strcmp(score, "choice") != 0)
        return FR_FAIL(err, FR_E_INVALID, "%s.score: expected exact, contains, numeric or choice, got \"%s\"", path, score);
    FR_TRY(fr_json_opt_text(eval, "field", 64, "", &field, err));
    FR_TRY(fr_json_need_array(eval, "items", 0, EVAL_ITEMS_MAX, &items, err));
    for (const struct fr_json *i = fr_json_child(items); i; i = fr_json_next(i), no++) {
        char at[240];
        snprintf(at, sizeof at, "%s.items[%d]", path, no);
        FR_TRY(fr_json_only_keys(i, KEYS("vars", "want", "id"), at, err));
        if (!fr_json_text(fr_json_get(i, "want"))) return FR_FAIL(err, FR_E_INVALID, "%s.want: expected a text", at);
        FR_TRY(schema_fit(vars, fr_json_get(i, "vars"), at, err));
    }
    return FR_OK;
}

static enum fr_status check_examples(const struct fr_json *list, const struct fr_json *vars, const struct fr_json *schema, const char *where, struct fr_err *err)
{
    int no = 0;
    if (fr_json_kind(list) != JSON_ARRAY || fr_json_size(list) > EXAMPLES_MAX) return FR_FAIL(err, FR_E_INVALID, "%s.examples: a list of at most %d", where, EXAMPLES_MAX);
    for (const struct fr_json *e = fr_json_child(list); e; e = fr_json_next(e), no++) {
        char at[240];
        snprintf(at, sizeof at, "%.150s.examples[%d]", where, no);
        FR_TRY(fr_json_only_keys(e, KEYS("vars", "answer"), at, err));
        FR_TRY(schema_fit(vars, fr_json_get(e, "vars"), at, err));
        if (schema) FR_TRY(schema_fit(schema, fr_json_get(e, "answer"), at, err));
        else if (!fr_json_text(fr_json_get(e, "answer"))) return FR_FAIL(err, FR_E_INVALID, "%s.answer: expected a text", at);
    }
    return FR_OK;
}

enum fr_status llm_task_check(const struct fr_json *json, const char *where, struct fr_err *err)
{
    const char *text, *prompt;
    char path[200];
    int64_t tokens;
    const struct fr_json *vars = fr_json_get(json, "vars"), *schema = fr_json_get(json, "schema"), *t = fr_json_get(json, "temperature");
    if (fr_json_kind(json) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "%s: a task is an object", where);
    FR_TRY(fr_json_only_keys(json, KEYS("name", "about", "system", "prompt", "vars", "schema", "examples", "max_tokens", "temperature", "eval"), where, err));
    if (fr_json_opt_text(json, "name", LLM_NAME_BYTES - 1, "", &text, err) != FR_OK || fr_json_opt_text(json, "about", 500, "", &text, err) != FR_OK
        || fr_json_opt_text(json, "system", PROMPT_BYTES_MAX, "", &text, err) != FR_OK || fr_json_need_text(json, "prompt", 1, PROMPT_BYTES_MAX, &prompt, err) != FR_OK
        || fr_json_opt_int(json, "max_tokens", 1, LLM_ANSWER_TOKENS_MAX, 256, &tokens, err) != FR_OK) return fr_err_note(err, "%s", where);
    if (t && (fr_json_kind(t) != JSON_NUMBER || fr_json_number(t) < 0 || fr_json_number(t) > 2)) return FR_FAIL(err, FR_E_INVALID, "%s.temperature: expected a number from 0 to 2", where);
    snprintf(path, sizeof path, "%.150s.vars", where);
    if (vars) FR_TRY(schema_check(vars, path, err));
    snprintf(path, sizeof path, "%.150s.schema", where);
    if (schema) FR_TRY(schema_check(schema, path, err));
    FR_TRY(check_template(prompt, vars, where, err));
    if (fr_json_get(json, "examples")) FR_TRY(check_examples(fr_json_get(json, "examples"), vars, schema, where, err));
    return fr_json_get(json, "eval") ? check_eval(fr_json_get(json, "eval"), vars, where, err) : FR_OK;
}

static enum fr_status task_fill(struct llm_task *t, const char *name, struct fr_err *err)
{
    uint8_t sum[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    const char *own;
    int64_t tokens;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    fr_json_print_canonical(t->json, &text);
    FR_TRY(fr_buf_check(&text, "the task", err));
    fr_sha256(text.data, text.len, sum);
    fr_hex(sum, sizeof sum, hex);
    snprintf(t->version, sizeof t->version, "%.12s", hex);
    FR_TRY(fr_json_opt_text(t->json, "name", LLM_NAME_BYTES - 1, "", &own, err));
    snprintf(t->name, sizeof t->name, "%s", name ? name : own);
    FR_TRY(fr_json_opt_text(t->json, "about", 500, "", &t->about, err));
    FR_TRY(fr_json_opt_text(t->json, "system", PROMPT_BYTES_MAX, "", &t->system, err));
    FR_TRY(fr_json_need_text(t->json, "prompt", 1, PROMPT_BYTES_MAX, &t->prompt, err));
    FR_TRY(fr_json_opt_int(t->json, "max_tokens", 1, LLM_ANSWER_TOKENS_MAX, 256, &tokens, err));
    t->max_tokens = (int)tokens;
    t->temperature = fr_json_get(t->json, "temperature") ? fr_json_number(fr_json_get(t->json, "temperature")) : 0.7;
    t->vars = fr_json_get(t->json, "vars");
    t->schema = fr_json_get(t->json, "schema");
    t->examples = fr_json_get(t->json, "examples");
    t->eval = fr_json_get(t->json, "eval");
    return FR_OK;
}

enum fr_status llm_task_read(const struct fr_json *json, const char *name, struct llm_task **ret, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    FR_TRY(llm_task_check(json, name ? name : "task", err));
    FR_AUTO(llm_task) t = fr_alloc(sizeof *t);
    if (!t) return FR_FAIL(err, FR_E_NOMEM, "no memory for a task");
    fr_json_print(json, &text);
    FR_TRY(fr_buf_check(&text, "the task", err));
    FR_TRY(fr_json_parse(text.data, text.len, &t->json, err));
    FR_TRY(task_fill(t, name, err));
    *ret = FR_TAKE(t);
    return FR_OK;
}

void llm_task_free(struct llm_task *t)
{
    if (!t) return;
    fr_json_free(t->json);
    fr_free(t);
}

enum fr_status llm_task_builtin(const char *name, struct llm_task **ret, struct fr_err *err)
{
    const char *names[32] = { 0 };
    for (int i = 0; i < llm_prompt_count && i < 32; i++) {
        FR_AUTO(fr_json) json = NULL;
        names[i] = llm_prompts[i].name;
        if (strcmp(llm_prompts[i].name, name) != 0) continue;
        FR_TRY(fr_json_parse(llm_prompts[i].text, (size_t)(llm_prompts[i].end - llm_prompts[i].text), &json, err));
        return llm_task_read(json, name, ret, err);
    }
    const char *near = fr_nearest(name, names, llm_prompt_count);
    return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "task_unknown", "there is no task \"%.60s\"%s%s%s", name, near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "");
}

void llm_tasks_list(struct fr_buf *out)
{
    fr_buf_add_char(out, '[');
    for (int i = 0; i < llm_prompt_count; i++) {
        FR_AUTO(llm_task) t = NULL;
        struct fr_err err;
        if (llm_task_builtin(llm_prompts[i].name, &t, &err) != FR_OK) continue;
        fr_buf_addf(out, "%s{\"name\":\"%s\",\"version\":\"%s\",\"about\":", i ? "," : "", t->name, t->version);
        fr_buf_add_json_text(out, t->about);
        fr_buf_add_char(out, '}');
    }
    fr_buf_add_char(out, ']');
}

// ---- running

static void render_turn(const struct llm_task *t, const struct fr_json *vars, struct fr_buf *messages)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, LLM_BODY_BYTES_MAX);
    fill(t->prompt, vars, &text);
    if (text.failed) messages->failed = true;
    else llm_message_add(messages, "user", text.len ? text.data : "");
}

enum fr_status llm_task_render(const struct llm_task *t, const struct fr_json *vars, struct fr_buf *system, struct fr_buf *messages, struct fr_err *err)
{
    FR_TRY(schema_fit(t->vars, vars, "vars", err));
    fr_buf_addf(system, "%s%s%s", t->system, *t->system ? "\n\n" : "", llm_fence_rule);
    for (const struct fr_json *e = fr_json_child(t->examples); e; e = fr_json_next(e)) {
        FR_AUTO_BUF(answer);
        fr_buf_init(&answer, LLM_BODY_BYTES_MAX);
        render_turn(t, fr_json_get(e, "vars"), messages);
        add_value(fr_json_get(e, "answer"), &answer);
        llm_message_add(messages, "assistant", answer.len ? answer.data : "");
    }
    render_turn(t, vars, messages);
    FR_TRY(fr_buf_check(system, "the prompt", err));
    return fr_buf_check(messages, "the prompt", err);
}

// A task without a schema: the answer's text is the value.
struct text_run { llm_value_fn *done; void *arg; struct llm_spent spent; };

static void text_on_answer(void *arg, enum fr_status st, const struct llm_end *end, const struct fr_err *err)
{
    struct text_run *r = arg;
    struct fr_err mine;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2 * LLM_ANSWER_BYTES_MAX);
    llm_spent_add(&r->spent, end);
    if (st == FR_OK) {
        fr_buf_add_json_bytes(&out, end->text, strlen(end->text));
        st = fr_buf_check(&out, "the answer", &mine);
        err = &mine;
    }
    struct llm_value v = { .json = st == FR_OK ? out.data : NULL, .len = st == FR_OK ? out.len : 0, .spent = &r->spent };
    r->done(r->arg, st, &v, st == FR_OK ? NULL : err);
    fr_free(r);
}

static enum fr_status text_start(const struct llm_by *by, const struct llm_task *t, const struct fr_buf *system, const struct fr_buf *messages, llm_value_fn *done, void *arg, struct fr_err *err)
{
    FR_AUTO_BUF(all);
    fr_buf_init(&all, LLM_BODY_BYTES_MAX);
    llm_message_add(&all, "system", system->data);
    fr_buf_add_char(&all, ',');
    fr_buf_add_bytes(&all, messages->data, messages->len);
    struct text_run *r = fr_alloc(sizeof *r);
    if (!r) return FR_FAIL(err, FR_E_NOMEM, "no memory for a task");
    *r = (struct text_run){ .done = done, .arg = arg };
    struct llm_turn turn = { .messages = &all, .max_tokens = t->max_tokens, .temperature = t->temperature };
    enum fr_status st = llm_chat_start(by, llm_by_due_ms(by), &turn, text_on_answer, r, err);
    if (st != FR_OK) fr_free(r);
    return st;
}

enum fr_status llm_task_start(const struct llm_by *by, const struct llm_task *t, const struct fr_json *vars, llm_value_fn *done, void *arg, struct fr_err *err)
{
    FR_AUTO_BUF(system); FR_AUTO_BUF(messages);
    fr_buf_init(&system, LLM_BODY_BYTES_MAX);
    fr_buf_init(&messages, LLM_BODY_BYTES_MAX);
    FR_TRY(llm_task_render(t, vars, &system, &messages, err));
    if (!t->schema) return text_start(by, t, &system, &messages, done, arg, err);
    struct llm_json_ask ask = { .system = system.data, .messages = &messages, .schema = t->schema, .name = t->name[0] ? t->name : "answer", .max_tokens = t->max_tokens, .temperature = t->temperature, .done = done, .arg = arg };
    return llm_json_start(by, &ask, err);
}

bool llm_task_scored(const struct llm_task *t, const char *json, size_t len, struct fr_buf *out)
{
    FR_AUTO(fr_json) v = NULL;
    struct fr_err err;
    const char *field = fr_json_text(fr_json_get(t->eval, "field"));
    if (fr_json_parse(json, len, &v, &err) != FR_OK) return false;
    const struct fr_json *scored = field && *field ? fr_json_get(v, field) : v;
    if (!scored) return false;
    add_value(scored, out);
    return !out->failed;
}
