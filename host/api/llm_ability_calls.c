// llm_ability_calls.c — the model's abilities for plugins: json, task, assess, translate.
#include <stdio.h>
#include <string.h>
#include "api/llm_ask.h"
#include "api/llm_docs.h"
#include "base/mem.h"
#include "base/schema.h"
#include "llm/assess.h"
#include "llm/schema_json.h"
#include "llm/search.h"
#include "llm/task.h"
#include "llm/translate.h"

// ---- tasks

static enum fr_status find_task(const struct api_op *op, const char *name, struct llm_task **ret, struct fr_err *err)
{
    const struct fr_json *own = fr_json_get(op->version->package->manifest->tasks, name);
    return own ? llm_task_read(own, name, ret, err) : llm_task_builtin(name, ret, err);
}

static enum fr_status start_task(struct api_model *m, const char *name, struct fr_err *err)
{
    FR_AUTO(llm_task) task = NULL;
    FR_AUTO(fr_json) none = NULL;
    const struct fr_json *vars = fr_json_get(m->op->args, "vars");
    FR_TRY(find_task(m->op, name, &task, err));
    FR_TRY(fr_json_parse("{}", 2, &none, err));
    bool empty_list = vars && fr_json_kind(vars) == JSON_ARRAY && fr_json_size(vars) == 0;       // what an empty table of Lua may be
    return llm_task_start(&m->by, task, vars && !empty_list ? vars : none, api_model_on_value, m, err);
}

static void go_task(struct api_model *m)
{
    struct fr_err err;
    enum fr_status st = start_task(m, api_text(m->op, "name"), &err);
    if (st != FR_OK) api_model_end(m, st, &err);
}

// ---- json

static enum fr_status start_json(struct api_model *m, struct fr_err *err)
{
    const struct fr_json *schema = fr_json_get(m->op->args, "schema");
    FR_AUTO_BUF(system); FR_AUTO_BUF(messages);
    fr_buf_init(&system, LLM_BODY_BYTES_MAX);
    fr_buf_init(&messages, LLM_BODY_BYTES_MAX);
    if (api_text(m->op, "task")) {
        if (schema || fr_json_get(m->op->args, "messages")) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "llm.json takes a task and vars, or messages and a schema");
        return start_task(m, api_text(m->op, "task"), err);
    }
    if (!schema) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "llm.json needs a schema, or a task");
    if (schema_check(schema, "schema", err) != FR_OK) { snprintf(err->code, sizeof err->code, "bad_arguments"); return err->status; }
    FR_TRY(api_messages(m->op, &system, &messages, err));
    struct llm_json_ask ask = { .system = system.len ? system.data : NULL, .messages = &messages, .schema = schema, .name = "answer", .max_tokens = LLM_ANSWER_TOKENS_DEFAULT,
                                .temperature = api_number(m->op, "temperature", 0.7), .done = api_model_on_value, .arg = m };
    return llm_json_start(&m->by, &ask, err);
}

static void go_json(struct api_model *m)
{
    struct fr_err err;
    enum fr_status st = start_json(m, &err);
    if (st != FR_OK) api_model_end(m, st, &err);
}

// ---- translate

static void go_translate(struct api_model *m)
{
    struct fr_err err;
    const struct api_op *op = m->op;
    struct llm_translate_ask ask = { .text = api_text(op, "text"), .to = api_text(op, "to"), .from = api_text(op, "from"), .glossary = fr_json_get(op->args, "glossary"),
                                     .notes = fr_json_is_true(fr_json_get(op->args, "notes")), .done = api_model_on_value, .arg = m };
    enum fr_status st = llm_translate_start(&m->by, &ask, &err);
    if (st != FR_OK) api_model_end(m, st, &err);
}

// ---- assess

static enum fr_status take_texts(const struct api_op *op, const char *name, int most, const char **out, int *count, struct fr_err *err)
{
    const struct fr_json *list = fr_json_get(op->args, name);
    *count = 0;
    if (!list) return FR_OK;
    if (fr_json_kind(list) != JSON_ARRAY || fr_json_size(list) > most) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "llm.assess: %s is a list of at most %d texts", name, most);
    for (const struct fr_json *t = fr_json_child(list); t; t = fr_json_next(t)) {
        if (!fr_json_text(t)) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "llm.assess: %s is a list of texts", name);
        out[(*count)++] = fr_json_text(t);
    }
    return FR_OK;
}

static enum fr_status start_assess(struct api_model *m, const struct fr_json *hits, struct fr_err *err)
{
    const struct api_op *op = m->op;
    const char *axes[LLM_AXES_MAX], *choices[26];
    struct llm_source sources[LLM_SOURCES_MAX];
    struct llm_assess_ask ask = { .question = api_text(op, "question"), .choices = choices, .axes = axes, .sources = sources, .samples = (int)api_int(op, "samples", 5), .drafts = (int)api_int(op, "drafts", 0),
                                  .threshold = api_number(op, "threshold", 0.5), .done = api_model_on_value, .arg = m };
    FR_TRY(take_texts(op, "axes", LLM_AXES_MAX, axes, &ask.axis_count, err));
    FR_TRY(take_texts(op, "choices", 26, choices, &ask.choice_count, err));
    for (const struct fr_json *h = fr_json_child(hits); h && ask.source_count < LLM_SOURCES_MAX; h = fr_json_next(h))
        sources[ask.source_count++] = (struct llm_source){ fr_json_text(fr_json_get(h, "id")), fr_json_text(fr_json_get(h, "text")) };
    return llm_assess_start(&m->by, &ask, err);
}

static void assess_on_hits(struct api_model *m, enum fr_status st, const char *json, size_t len, const struct fr_err *why)
{
    FR_AUTO(fr_json) hits = NULL;
    struct fr_err err;
    if (st != FR_OK) { api_model_end(m, st, why); return; }
    st = fr_json_parse(json, len, &hits, &err);
    if (st == FR_OK) st = start_assess(m, hits, &err);
    if (st != FR_OK) api_model_end(m, st, &err);
}

static void go_assess(struct api_model *m)
{
    struct fr_err err;
    int sources = (int)api_int(m->op, "sources", 0);
    if (sources > 0) { api_docs_search(m, api_text(m->op, "question"), sources, assess_on_hits); return; }
    enum fr_status st = start_assess(m, NULL, &err);
    if (st != FR_OK) api_model_end(m, st, &err);
}

static enum fr_status own_json(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_json, err); }
static enum fr_status own_task(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_task, err); }
static enum fr_status own_assess(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_assess, err); }
static enum fr_status own_translate(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_translate, err); }

const struct api_handler api_llm_ability_handlers[] = { { 30, API_OWN, own_json, NULL }, { 31, API_OWN, own_task, NULL }, { 36, API_OWN, own_assess, NULL }, { 37, API_OWN, own_translate, NULL } };
const int api_llm_ability_handler_count = sizeof api_llm_ability_handlers / sizeof api_llm_ability_handlers[0];
