// answer.h — what a backend said, looked at once, whole or event by event, and told in one form. Pure.
//
// Taken from its bytes is only what has a known shape: choices by index, texts, refusals, thoughts, calls of tools, logprobs, how each ended, embeddings, and usage as a claim. Unknown members are
// left out, the model is called as it was asked for. A stream's events add up to the same answer that would have come whole. Too few choices or embeddings, one twice, one too many, text for a choice
// that nobody asked for: nonsense. More text than was asked for, or than LLM_ANSWER_BYTES_MAX: llm_too_large.
//
// Codes: llm_nonsense (io), llm_too_large (limit), llm_backend (io: an error inside of an answer), nomem.
#pragma once
#include "llm/request.h"

struct llm_tool_call { char id[64], name[LLM_NAME_BYTES]; struct fr_buf arguments; };
enum { LOGPROB_LISTS = 5 };
struct llm_choice {
    struct fr_buf text, refusal, thoughts;
    struct fr_buf logprobs[LOGPROB_LISTS];             // elements of each list, comma-separated: content, and those of completions
    struct llm_tool_call *calls; int call_count;       // room for LLM_TOOL_CALLS_MAX, made with the first
    char finish[24];
    bool there;
};
struct llm_answer {
    enum llm_kind kind;
    char model[LLM_NAME_BYTES];            // as it was asked for
    char id[64];
    int64_t created_s;
    int n;                                 // choices, or embeddings
    struct llm_choice *choices;            // n; NULL for embeddings
    struct fr_buf *embeddings;             // n, as JSON; NULL otherwise
    size_t width;                          // of each embedding: numbers, or bytes of base64
    int64_t prompt_claim, answer_claim;    // what it says that was used; -1: nothing, or nothing that is a count
    int64_t prompt_most, answer_most;      // what it may have been: claims past it are cut in what we tell
    int64_t seen_tokens, events;
    size_t bytes;
};
FR_MUST_USE enum fr_status llm_answer_new(const struct llm_request *r, const char *model, int inputs, struct llm_answer **ret, struct fr_err *err);     // inputs: of an embedding request, how many of them
void llm_answer_free(struct llm_answer *a);            // takes NULL
FR_AUTO_DEFINE(llm_answer)
FR_MUST_USE enum fr_status llm_answer_whole(struct llm_answer *a, const char *body, size_t len, struct fr_err *err);
// One event of a stream. *text: what it added to the first choice, valid until the next; `json` gets the event in our form (NULL: not wanted). Nothing is added to json where the event says nothing.
FR_MUST_USE enum fr_status llm_answer_event(struct llm_answer *a, const char *data, size_t len, struct fr_buf *json, const char **text, size_t *text_len, struct fr_err *err);
// The stream is over: is it an answer? said_done: [DONE] came.
FR_MUST_USE enum fr_status llm_answer_end(const struct llm_answer *a, bool said_done, struct fr_err *err);
// The embeddings of a part, which begin at `first`, become those of the whole. `part` has none afterwards.
FR_MUST_USE enum fr_status llm_answer_join(struct llm_answer *a, struct llm_answer *part, int first, struct fr_err *err);
void llm_answer_print(const struct llm_answer *a, struct fr_buf *out);
size_t llm_answer_bytes_max(enum llm_kind kind);
// What was used, as far as we tell: a claim between what was seen and what was asked for; our own count without one.
int64_t llm_answer_prompt_tokens(const struct llm_answer *a);
int64_t llm_answer_tokens(const struct llm_answer *a);
// An error that a backend wrote, of whatever shape: its text, cleaned, at most cap - 1 bytes. "" when there is none.
void llm_answer_error_text(const char *body, size_t len, char *out, size_t cap);
