// answer_inside.h — what the answer files share; nobody else includes it.
#pragma once
#include "llm/answer.h"

#define NONSENSE(err, ...) FR_FAIL_CODE(err, FR_E_IO, "llm_nonsense", __VA_ARGS__)
extern const char *const llm_logprob_lists[LOGPROB_LISTS + 1];
// Adds a text to one of the answer's buffers and counts its bytes. FR_E_LIMIT, FR_E_NOMEM.
FR_MUST_USE enum fr_status llm_answer_add(struct llm_answer *a, struct fr_buf *to, const char *text, struct fr_err *err);
// A member that is a text, or absent or null ("").
FR_MUST_USE enum fr_status llm_answer_text(const struct fr_json *o, const char *key, const char **ret, struct fr_err *err);
FR_MUST_USE enum fr_status llm_answer_finish(struct llm_choice *c, const struct fr_json *choice, struct fr_err *err);
FR_MUST_USE enum fr_status llm_answer_logprobs(struct llm_answer *a, struct llm_choice *c, const struct fr_json *choice, struct fr_err *err);
FR_MUST_USE enum fr_status llm_answer_calls(struct llm_answer *a, struct llm_choice *c, const struct fr_json *list, bool pieces, struct fr_err *err);
FR_MUST_USE enum fr_status llm_answer_choice(const struct llm_answer *a, const struct fr_json *choice, int position, struct llm_choice **ret, struct fr_err *err);
void llm_answer_head(struct llm_answer *a, const struct fr_json *json);          // id, created, usage
FR_MUST_USE enum fr_status llm_answer_no_error(const struct fr_json *json, const char *text, size_t len, struct fr_err *err);
void llm_answer_print_usage(const struct llm_answer *a, struct fr_buf *out);
void llm_answer_print_head(const struct llm_answer *a, const char *object, struct fr_buf *out);
