// palm_api.h — the PaLM API (v1beta2, as google-ai-generativelanguage 0.3.3 speaks it over REST): its requests as ours, our answers as its. Pure.
//
// A text prompt becomes a chat of one message (today's models are tuned for chats). generateMessage: context is the system message, examples are turns before the conversation; the author of the last message
// is who asks, the other one answers. Members are taken in lowerCamelCase and in snake_case, enumerations by name and by number, as protobuf's JSON has it; unknown members are refused.
// top_k has no place in OpenAI's language: it is checked, 1 becomes temperature 0 (the same thing), and others are left to the backend.
// Stop text is never part of what is answered, whatever the backend did. citationMetadata is never there: nothing is cited here. Token counts are the core's estimate.
#pragma once
#include "base/buf.h"
#include "base/err.h"
#include "llm/llm.h"

#define PALM_CANDIDATES_MAX 8
#define PALM_STOPS_MAX 5
#define PALM_BATCH_MAX 100                 // texts of one batchEmbedText
#define PALM_SAFETY_MAX 6                  // one setting for each category
#define PALM_TEXT_TOKENS_DEFAULT 64        // maxOutputTokens of generateText, where it is not said
#define PALM_PAGE_MAX 1000                 // of the list of models

enum palm_method { PALM_GENERATE_TEXT, PALM_GENERATE_MESSAGE, PALM_EMBED_TEXT, PALM_BATCH_EMBED_TEXT, PALM_COUNT_TEXT_TOKENS, PALM_COUNT_MESSAGE_TOKENS, PALM_METHODS };
struct palm_safety { int category, threshold; };
struct palm_request {
    enum palm_method method;
    enum llm_kind kind;
    struct fr_buf body;                    // ours
    struct fr_buf messages;                // of generateMessage: the conversation, to be given back; a JSON array
    char author[64];                       // who answers
    char model[LLM_NAME_BYTES];            // "": the default; else as in "models/NAME"
    int candidates;
    char *stops[PALM_STOPS_MAX]; int stop_count;
    struct palm_safety safety[PALM_SAFETY_MAX]; int safety_count;
};
// "generateText"; false: there is no such method.
bool palm_method_parse(const char *name, enum palm_method *ret);
// model: "NAME" of the path's "models/NAME". The names of Google's own models (text-bison-001, chat-bison-001, embedding-gecko-001) stand for the host's defaults. "llm_request", "too_large".
FR_MUST_USE enum fr_status palm_request_read(enum palm_method method, const char *model, const char *body, size_t len, struct palm_request *ret, struct fr_err *err);
void palm_request_clear(struct palm_request *r);       // takes what palm_request_read filled, also where it failed
// The core's answer, as PaLM's. "llm_nonsense".
FR_MUST_USE enum fr_status palm_answer_print(const struct palm_request *r, const char *json, size_t len, struct fr_buf *out, struct fr_err *err);
void palm_count_print(int64_t tokens, struct fr_buf *out);
// What was asked or answered was refused by the host's filter: no candidates, and why. Not an error in this language. For generate... only.
void palm_refused_print(const struct palm_request *r, const char *why, struct fr_buf *out);
// {"error":{"code","message","status"}} and its HTTP status.
int palm_error_status(const struct fr_err *err);
void palm_error_print(const struct fr_err *err, const char *text, struct fr_buf *out);
// GET models and models/NAME, from llm_models' list. page_size 0: 50. "llm_request" (page_token), "model_unknown".
FR_MUST_USE enum fr_status palm_models_print(const char *models, size_t len, int64_t page_size, const char *page_token, struct fr_buf *out, struct fr_err *err);
FR_MUST_USE enum fr_status palm_model_print(const char *models, size_t len, const char *name, struct fr_buf *out, struct fr_err *err);
