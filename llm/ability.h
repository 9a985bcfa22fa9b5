// ability.h — what every ability stands on: for whom it asks, through which door, and what that cost together.
//
// An ability (json, task, assess, translate, ..) is one question of a plugin that may take several calls of the model. It is started like a call: FR_OK means that its
// `done` will come, once, never from inside the start. Everything it is given is copied. Its deadline is for all its calls together. Loop thread only.
#pragma once
#include "base/limits.h"
#include "llm/llm.h"

// How a call is started: llm_start with its core. Tests put canned answers here.
struct llm_door { void *arg; enum fr_status (*start)(void *arg, const struct llm_ask *ask, struct llm_call **ret, struct fr_err *err); };
struct llm_door llm_door(struct llm *l);
void llm_grant(struct llm *l, const char *tenant, int64_t tokens_day);      // the operator's limits, and at most so many tokens a day; 0: only the operator's
const char *llm_asset(const struct llm *l);                               // what models cost
void llm_abilities_register(void);         // migrations of keyed.h and search.h; before store_open, after llm_register

struct llm_by {
    struct llm_door door;
    struct llm_from from;
    char model[LLM_NAME_BYTES];            // "": the default one
    char languages[LLM_LANGUAGES_MAX * LLM_TAG_BYTES];       // that it is in, tags, comma-separated; "": nobody said. Only what is named counts: what a text looks like is no reason to ask another pod
    int priority, deadline_ms;             // deadline_ms 0: LLM_DEADLINE_MS
    int64_t seed;                          // negative: none
    int max_tokens;                        // of each answer; 0: what the ability thinks right
    bool keep;                             // record each call whole
};
struct llm_spent { int calls; int64_t prompt_tokens, answer_tokens, cost_units; char model[LLM_NAME_BYTES], record[40]; bool cached; };      // cached: all of them
struct llm_value { const char *json; size_t len; const struct llm_spent *spent; };             // json NULL when it failed; valid during done
typedef void llm_value_fn(void *arg, enum fr_status st, const struct llm_value *v, const struct fr_err *err);

int64_t llm_by_due_ms(const struct llm_by *by);                    // monotonic: when all of it has to be over
void llm_spent_add(struct llm_spent *s, const struct llm_end *end);
void llm_spent_print(const struct llm_spent *s, struct fr_buf *out);      // {"calls":..,"model":..,"usage":{..},"cost":..,"record":..}

// ---- one chat. Messages are built as the elements of a JSON array.
void llm_message_add(struct fr_buf *messages, const char *role, const char *text);
void llm_languages_add(const char *tags, struct fr_buf *body);         // `,"languages":[..]` of a request; nothing for ""
struct llm_turn {
    const struct fr_buf *messages;
    const char *response_format;           // JSON, or NULL
    int max_tokens;                        // where by->max_tokens is 0
    double temperature;
    int64_t seed_step;                     // added to by->seed: the samples of one question differ
};
FR_MUST_USE enum fr_status llm_chat_start(const struct llm_by *by, int64_t due_ms, const struct llm_turn *t, llm_done_fn *done, void *arg, struct fr_err *err);
