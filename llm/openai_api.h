// openai_api.h — what OpenAI's clients expect around an answer: errors of their shape, and the events of a stream. Pure.
//
// The answers themselves are the core's: it speaks this language inside. {"error":{"message","type","param","code"}}; codes of ours have OpenAI's name where it has one,
// so that a client's own handling (model_not_found, context_length_exceeded, insufficient_quota, rate_limit_exceeded) works unchanged.
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "llm/llm.h"

// 400, 401, 403, 404, 409, 413, 429, 500, 502, 503, 504: see the table in the .c.
int openai_error_status(const struct fr_err *err);
// `text`: what outsiders may read of it.
void openai_error_print(const struct fr_err *err, const char *text, struct fr_buf *out);
// What outsiders may read of a model's error: what went wrong at a backend stays in the log.
const char *llm_public_text(const struct fr_err *err);
// What a request's body says of streams, looked at again beside the core, which takes those members out. False: no stream, or no object at all, which the core will refuse.
void openai_stream_asked(const char *body, size_t len, bool *stream, bool *usage);
// The chunk with no choices that says what a stream used. `answer`: the whole answer, which the core put together.
void openai_usage_event(enum llm_kind kind, const struct llm_end *end, struct fr_buf *out);
// A whole answer as one event of a stream, for who asked for a stream and is answered from memory.
void openai_answer_event(enum llm_kind kind, const struct llm_end *end, struct fr_buf *out);
// Whether this event only tells usage: it has no choices. Those that did not ask are not told, and those that did are told by us, once.
bool openai_event_is_usage(const char *json, size_t len);
// One model of llm_models' list by its name, as the answer of GET /v1/models/{id}. FR_E_NOT_FOUND "model_unknown".
FR_MUST_USE enum fr_status openai_model_print(const char *models, size_t len, const char *name, struct fr_buf *out, struct fr_err *err);
