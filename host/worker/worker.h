// worker.h — the worker as a whole: one plugin, its call state, its matches, and the bytes between it and the host.
//
// One thread, one of these per process (unit tests make several, one after the other). Frames go in through worker_handle and answers
// gather in `out`; worker_serve reads and writes around it. Everything of a plugin's runs inside a turn (turn.h).
#pragma once
#include "ipc/frame.h"
#include "worker/source.h"
#include "worker/state.h"
#include "worker/turn.h"

#define CALL_BUCKETS 512
#define FIBERS_IDLE_MAX 64
#define OUT_BYTES_MAX (4 * 1024 * 1024)
#define OUT_FLUSH_BYTES (256 * 1024)
#define CODE_BYTES_MAX 64              // of a refusal
#define MATCH_HEAP_BYTES_MIN (1024 * 1024)

struct call;
struct fiber;
struct match;

// What the host answered to the host call that is being resumed.
struct answer { uint32_t ask_no; enum frame_status status; const char *json; size_t len; };

struct worker {
    int fd;                                // -1 in tests: nothing is written then
    struct worker_page *page;
    struct heap heap;
    struct sources sources;
    struct vm vm;                          // the call state
    bool loaded, has_game;
    struct fr_buf out;                     // answers on their way
    struct fr_buf ask;                     // scratch: arguments of one host call
    struct fr_buf fault;                   // scratch: one error as JSON
    struct fr_buf effects, views, state;   // scratch: what a match's turn made so far
    struct call *calls[CALL_BUCKETS];
    int call_count;
    struct fiber *idle, *current;          // current: whose turn it is, NULL in matches and while loading
    int idle_count;
    struct answer answer;
    const struct frame *frame;             // the CALL being started
    struct match *matches[MATCHES_PER_WORKER_MAX];
    int64_t pending_since_us;              // of the first answer in out
};

void worker_init(struct worker *w, struct worker_page *page, int64_t heap_bytes, int fd);
void worker_free(struct worker *w);
// Does what the frame asks; answers are appended to out. False when the host broke the contract (bad sections).
bool worker_handle(struct worker *w, const struct frame *f);
void worker_flush(struct worker *w);       // writes out; ends the process when the host is gone
static inline struct worker *worker_of(lua_State *L) { return vm_of(L)->worker; }

// An answer without sections; the payload is copied.
void worker_reply(struct worker *w, enum frame_kind kind, uint32_t id, uint32_t ref, enum frame_status status, const struct fr_buf *payload);
// Takes back what was appended since `len`, also when it overflowed.
void worker_cut(struct worker *w, size_t len);
// The status and error JSON (in w->fault) of a turn that failed: tripped, or raised with the message on top of L.
enum frame_status worker_fault(struct worker *w, enum turn_trip trip, int status, lua_State *L, lua_State *stack);
