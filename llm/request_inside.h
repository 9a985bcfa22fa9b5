// request_inside.h — what the request files share; nobody else includes it.
#pragma once
#include "llm/request.h"

// While a request is looked at: what its pieces add to what has to be known of it.
struct looking {
    struct llm_request *r;
    const struct fr_json *json;            // the stranger's
    struct fr_err *err;
    int64_t tokens;                        // of the prompt
    int pictures;
};

// Where in the request something stands; spelled out only for a refusal, since a request may have ten thousand parts.
struct at { const struct at *up; const char *key; int index; };        // key NULL: element `index` of an array
// Refuses what stands at `at`, and there under `key` ("": itself).
#define REFUSE(l, at, key, ...) llm_request_refuse((l), (at), (key), __FILE__, __LINE__, __VA_ARGS__)
enum fr_status llm_request_refuse(const struct looking *l, const struct at *at, const char *key, const char *file, int line, const char *fmt, ...) FR_PRINTF(6, 7);
// What fr_json_need_* and the like said of a member of what stands at `at` becomes ours.
#define LOOK(l, at, call) do { if ((call) != FR_OK) return llm_request_refused((l), (at)); } while (0)
enum fr_status llm_request_refused(const struct looking *l, const struct at *at);

enum fr_status llm_request_messages(struct looking *l);        // "messages" (request_chat.c)
enum fr_status llm_request_tools(struct looking *l);           // "tools", "tool_choice", "response_format"
// A picture or sound as base64: what it is by its first bytes ("png", "wav", ..), or "" (request_media.c).
enum media { MEDIA_PICTURE, MEDIA_SOUND };
const char *llm_media_sniff(const char *base64, size_t len, enum media kind);
