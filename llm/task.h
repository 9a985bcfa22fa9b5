// task.h — a named task: a model that was not trained for something does it by a prompt, some examples and a schema; an eval set says how well.
//
// {"name":"reason","about":"..","system":"..","prompt":"Explain this in {{=language}}.\n{{text}}","vars":<schema of an object>,
//  "schema":<schema of the answer; without: a text>,"examples":[{"vars":{..},"answer":..}],"max_tokens":400,"temperature":0,
//  "eval":{"score":"exact|contains|numeric|choice","field":"answer","items":[{"vars":{..},"want":".."}]}}
//
// {{name}} puts a variable in as a fenced block (fence.h), {{=name}} as one cleaned line of at most 200 bytes inside a sentence. Keys that nobody knows are refused with
// the path. The version of a task is the hash of its content: change a word and it is another one. Built-in ones lie in prompts/; a plugin's in its plugin.json ("tasks").
#pragma once
#include "base/json.h"
#include "llm/ability.h"

#define LLM_TASK_VERSION_BYTES 13
struct llm_task {
    char name[LLM_NAME_BYTES], version[LLM_TASK_VERSION_BYTES];
    const char *about, *system, *prompt;
    const struct fr_json *vars, *schema, *examples, *eval;       // NULL where there is none
    int max_tokens; double temperature;
    struct fr_json *json;                  // owns the others
};
FR_MUST_USE enum fr_status llm_task_check(const struct fr_json *json, const char *where, struct fr_err *err);
// A copy of the JSON, checked. name: in place of its own, or NULL.
FR_MUST_USE enum fr_status llm_task_read(const struct fr_json *json, const char *name, struct llm_task **ret, struct fr_err *err);
FR_MUST_USE enum fr_status llm_task_builtin(const char *name, struct llm_task **ret, struct fr_err *err);      // not_found "task_unknown", with the nearest name
void llm_task_free(struct llm_task *t);
FR_AUTO_DEFINE(llm_task)
void llm_tasks_list(struct fr_buf *out);   // the built-in ones: [{"name":..,"version":..,"about":..}]
// system and messages (elements) as they go out. bad_arguments: the variables do not fit.
FR_MUST_USE enum fr_status llm_task_render(const struct llm_task *t, const struct fr_json *vars, struct fr_buf *system, struct fr_buf *messages, struct fr_err *err);
FR_MUST_USE enum fr_status llm_task_start(const struct llm_by *by, const struct llm_task *t, const struct fr_json *vars, llm_value_fn *done, void *arg, struct fr_err *err);
// For an item of the eval set: the text of the answer that is scored (of `field`, or of the whole), from what llm_task_start brought.
bool llm_task_scored(const struct llm_task *t, const char *json, size_t len, struct fr_buf *out);
