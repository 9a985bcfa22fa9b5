// request.h — a model request: strangers' JSON, looked at once, and what has to be known of it. Pure.
//
// What is taken: the members of OpenAI's /v1/chat/completions, /v1/completions and /v1/embeddings that make sense for one call (messages with text, image and audio parts, tools,
// tool_choice, response_format, temperature, top_p, n, stop, max_tokens or max_completion_tokens, seed, logprobs, top_logprobs, logit_bias, presence_penalty,
// frequency_penalty, user, stream, stream_options; prompt, suffix, echo; input, dimensions, encoding_format). Others are refused with the nearest known one, types and ranges are checked, and nothing
// unchecked reaches a backend. "user" is dropped: who asks is not the backend's business. Pictures and sound come as data: URLs, are sniffed (PNG, JPEG, GIF, WebP; WAV, MP3, FLAC, OGG) and bounded;
// other URLs are refused ("llm_request"): nothing is fetched for strangers.
//
// One member is ours: "languages", the BCP-47 tags of one to LLM_LANGUAGES_MAX languages that the call is in. It decides which pod, and goes to no backend.
//
// A member that is null counts as left out. Of "prompt" and "input" texts are taken, no token numbers: whose tokens they are depends on the model.
#pragma once
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "llm/llm.h"
#include "llm/settings.h"

struct llm_request {
    enum llm_kind kind;
    struct fr_json *json;                  // checked; "model", "languages", "stream", "stream_options" and "user" are not in it
    char model[LLM_NAME_BYTES];            // "": not said
    bool stream, stream_usage;             // what the asker's body said
    char languages[LLM_LANGUAGES_MAX * LLM_TAG_BYTES];       // that it names, in their normal form (languages.h), comma-separated; "": none
    unsigned need;                         // enum llm_can
    int n;                                 // choices
    int64_t prompt_tokens;                 // our estimate, from above: bytes / 2 for non-ASCII text, / 3 for ASCII, digits one each, a picture 1,024; with messages' overhead
    int64_t answer_tokens_max;             // of all choices together: n * max_tokens; of embeddings 0. Without max_tokens LLM_ANSWER_TOKENS_DEFAULT is put in
    int inputs;                            // of embeddings; 1 otherwise
    uint64_t prefix, talk;                 // of the first LLM_PREFIX_BYTES of the prompt's first message, and of its first two messages: calls with the same one go
                                           // to the same pod, which has it in its cache (one task's instructions; one talk, each turn of it). 0: too short, or none
    uint8_t sha[SHA256_BYTES];             // over everything that decides the answer (canonical JSON, kind, languages; the model is mixed in by who resolves it)
    bool repeatable;                       // temperature 0 or a seed, and n 1: the same call has the same answer
};
FR_MUST_USE enum fr_status llm_request_parse(enum llm_kind kind, const char *body, size_t len, struct llm_request *ret, struct fr_err *err);      // "llm_request", "llm_prompt_too_large"
void llm_request_clear(struct llm_request *r);         // takes what parse filled, or zeros
// The body for a backend. `first`, `count`: which inputs of an embedding request (a shard); 0, 0: all.
void llm_request_print(const struct llm_request *r, const char *model_as, bool stream, int first, int count, struct fr_buf *out);
int64_t llm_tokens_estimate(const char *text);         // as above, of one text
// All text of the prompt in order, for filters and language detection: each call of `each` one piece.
void llm_request_texts(const struct llm_request *r, void (*each)(void *arg, const char *text), void *arg);
