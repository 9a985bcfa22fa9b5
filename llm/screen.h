// screen.h — filters at work on answers: whole ones, and streams event by event. Also the event that an answer is when it comes at once. Pure.
//
// What comes in has the pool's shapes. Texts of choices ("content", "reasoning_content", "refusal", "text") go through the filters, and the calls of tools: names, ids, and the arguments as JSON (llm_filter_json). In a stream those are held back until their
// choice ends, and told as one event; where a refused word ends the answer none are told. Where something was hidden, logprobs, which spell
// it out, become null; a stream with logprobs is therefore told at its end, as one event (llm_screen_waits).
#pragma once
#include "llm/filter.h"
#include "llm/request.h"

struct llm_screen;
struct llm_screen *llm_screen_new(struct llm_filter_rules *rules, const struct llm_request *r);      // NULL without memory, too
void llm_screen_free(struct llm_screen *s);
// *text: what it adds to the first choice, in out_text. False: there is nothing to tell of it. After llm_screen_refused it is the last one.
bool llm_screen_event(struct llm_screen *s, const char *json, size_t len, struct fr_buf *out, struct fr_buf *out_text);
bool llm_screen_refused(const struct llm_screen *s);
bool llm_screen_rest(struct llm_screen *s, struct fr_buf *out, struct fr_buf *out_text);             // a stream is over: what was still held back, as an event; false: nothing
void llm_screen_so_far(const struct llm_screen *s, const char *model, int64_t prompt_tokens, int64_t answer_tokens, struct fr_buf *out, struct fr_buf *out_text);      // of a stream that ended at a refused word: the answer
// A whole answer. *refused: it was cut at a refused word, and its finish is "content_filter".
FR_MUST_USE enum fr_status llm_screen_answer(struct llm_filter_rules *rules, const char *json, size_t len, struct fr_buf *out, struct fr_buf *out_text, bool *refused, struct fr_err *err);
// An answer as the one event of a stream. For embeddings and what is no answer: false.
bool llm_screen_as_event(const char *json, size_t len, struct fr_buf *out);
