// frame.h — the flat binary envelope between host and worker over a socketpair.
//
// A frame is a 16-byte little-endian header and `len` payload bytes (<= FRAME_BYTES_MAX). A payload made of several parts
// is a list of sections: u32 length, then bytes, nothing after the last. Each side treats the other's bytes as hostile:
// frame_next refuses what does not fit and says why; sections are read through a cursor that cannot leave the payload.
// Why not JSON or MessagePack: measured 54% and 12% more CPU per request (see the reference figures).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"

#define FRAME_HEADER_BYTES 16

enum frame_kind {
    // host -> worker
    FRAME_LOAD = 1,      // sections: options JSON, then (file name, Lua text) pairs                -> FRAME_LOADED
    FRAME_CALL,          // id; sections: target ("call:greet"), context JSON, arguments JSON       -> FRAME_RESULT, after any FRAME_ASKs
    FRAME_ANSWER,        // id, ref = ask number, status = enum frame_status; payload: JSON          (answers a FRAME_ASK)
    FRAME_CANCEL,        // id: forget this call; nothing more is expected for it
    FRAME_MATCH_OPEN,    // id, ref = match slot; sections: setup JSON, 32-byte stream key          -> FRAME_TURN
    FRAME_MATCH_TURN,    // id, ref = match slot; sections: record JSON                             -> FRAME_TURN
    FRAME_MATCH_BOT,     // id, ref = match slot; sections: {"seat":n,"now_ms":..}                  -> FRAME_TURN whose first section is {"ok":true,"name":..,"args":..} or {"ok":false}
    FRAME_MATCH_CLOSE,   // ref = match slot; no answer
    FRAME_MATCH_SNAPSHOT,    // id, ref = match slot; sections: setup JSON                          -> FRAME_TURN: head JSON, state, hash; the match goes on from it
    FRAME_MATCH_RESTORE, // id, ref = match slot; sections: setup JSON, 32-byte stream key, head JSON, state    -> FRAME_TURN: {"ok":true}, hash
    // worker -> host
    FRAME_READY = 64,    // once, after the lockdown; payload: {"engine":"..."}
    FRAME_LOADED,        // status; payload: the definition JSON (what the plugin defines) or an error JSON
    FRAME_RESULT,        // id, status; payload: JSON value, or error JSON
    FRAME_ASK,           // id = call, ref = ask number (0: no answer wanted), call = api number; payload: arguments JSON object
    FRAME_TURN,          // id, status; sections: see call.h
    FRAME_STREAM,        // id = call; payload: text for whoever called, before the call's answer (ctx:stream)
};

enum frame_status {
    FRAME_OK = 0,
    FRAME_REFUSED,       // the plugin (or, in an ANSWER, the world) said no: {"code":"..","detail":".."}
    FRAME_RAISED,        // the plugin's mistake: {"code":"plugin_error","detail":message,"file":..,"line":n,"frame":code frame text,"trace":..}
    FRAME_TRIPPED_CPU,   // the turn ran over TURN_SOFT_MS; its coroutine (or match state) is gone
    FRAME_TRIPPED_MEMORY,
    FRAME_STATUS_COUNT
};

struct frame {
    uint32_t len;        // payload bytes
    uint8_t kind;        // enum frame_kind
    uint8_t status;      // enum frame_status
    uint16_t call;       // api number in FRAME_ASK, else 0
    uint32_t id;         // chosen by the host, never 0; unique among what is outstanding in one worker
    uint32_t ref;
    const char *payload; // points into the caller's bytes
};

// Appends header and payload.
void frame_put(struct fr_buf *out, const struct frame *f);
// For payloads of sections: begin, add each, end patches the length.
size_t frame_begin(struct fr_buf *out, const struct frame *f);              // returns a mark; f->len and payload are ignored
void frame_section(struct fr_buf *out, const void *bytes, size_t len);
void frame_end(struct fr_buf *out, size_t mark);

// Looks at the front of `bytes`: 1 and *ret when a whole frame is there (ret->payload points into bytes; it took
// FRAME_HEADER_BYTES + ret->len), 0 when more bytes are needed, -1 and *err when this can never be a frame
// (too long, unknown kind or status for `from_worker`).
int frame_next(const char *bytes, size_t len, bool from_worker, struct frame *ret, struct fr_err *err);

// The same for other children than workers, whose kinds begin elsewhere (see sign.h): kinds first..last, at most len_max payload bytes.
int frame_next_of(const char *bytes, size_t len, int first, int last, uint32_t len_max, struct frame *ret, struct fr_err *err);

struct frame_cursor { const char *at; size_t left; bool bad; };
void frame_sections(const struct frame *f, struct frame_cursor *c);
// The next section, or false at the end or when the lengths lie (then c->bad).
bool frame_take(struct frame_cursor *c, const char **bytes, size_t *len);
