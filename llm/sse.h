// sse.h — reading text/event-stream (WHATWG HTML, 9.2.6), in whatever pieces it comes. Bounded, pure.
//
// Lines end with LF, CR or CRLF; a byte order mark in front is skipped; "data" lines of one event are joined with LF; lines that begin with a colon and unknown fields are ignored; an event without
// data is none; what has no empty line behind it when the stream ends is none either. "id" and "retry" are read over: nobody here resumes a stream.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"

struct llm_sse {
    struct fr_buf line, data;              // the line and the event so far
    bool has_data, after_cr, skip_line, begun;
    int marks;                             // bytes of the mark in front that were seen
    size_t event_bytes_max;
};
void llm_sse_init(struct llm_sse *s, size_t event_bytes_max);
void llm_sse_free(struct llm_sse *s);
// Each event's data, NUL-terminated and valid during the call. false: enough, the rest of the bytes is not looked at.
typedef bool llm_sse_fn(void *arg, const char *data, size_t len);
// FR_E_LIMIT "llm_too_large": an event, or a line, over its bound. FR_E_NOMEM.
FR_MUST_USE enum fr_status llm_sse_feed(struct llm_sse *s, const char *bytes, size_t len, llm_sse_fn *each, void *arg, struct fr_err *err);
