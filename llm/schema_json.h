// schema_json.h — a value that fits a schema, or a refusal: asked for, found in what came, checked, asked for again with the error. At most LLM_REPAIRS_MAX times.
//
// The schema (base/schema.h) goes along twice: as response_format for backends that can hold to it, and in words for those that cannot (a backend that refuses the
// format is asked without). Whatever came is checked here. Beside the schema a caller may have a check of its own, whose error is told to the model in the same way.
// Refusals, beside llm.h's: llm_invalid (io: no answer fitted; the text says what was wrong with the last).
#pragma once
#include "base/json.h"
#include "llm/ability.h"

struct llm_json_ask {
    const char *system;                    // or NULL. What the schema wants is added to it: many chat templates take one system message, and only as the first
    const struct fr_buf *messages;         // the others: elements of an array
    const struct fr_json *schema;          // checked; its text is copied
    const char *name;                      // of the value, for the backend: [a-zA-Z0-9_-]
    int max_tokens; double temperature;    // of by->max_tokens 0
    // May be NULL. On refusal err->text is what the model is told. Called from done's place, never after it.
    enum fr_status (*check)(void *arg, const struct fr_json *value, struct fr_err *err);
    llm_value_fn *done;
    void *arg;                             // of both
};
FR_MUST_USE enum fr_status llm_json_start(const struct llm_by *by, const struct llm_json_ask *ask, struct fr_err *err);

// The first JSON value in what a model said: the whole of it, else the first object or array that is one, past chatter and code fences. False: there is none.
bool llm_json_first(const char *text, struct fr_json **ret);
// The schema as backends take it: {"type":"json_schema","json_schema":{..}}, with additionalProperties spelled out and "units" as a pattern.
void llm_json_format(const struct fr_json *schema, const char *name, struct fr_buf *out);
