// sandbox.h — strangers' Lua in a locked-down child per plugin version: mechanism only. Loop thread only.
//
// A `sandbox` keeps warm spares and starts workers; a `sandbox_worker` is one supervised plugin program: it is started from a
// spare, loaded, restarted with back-off when it dies, and killed when it breaks a rule (CPU, stall, half or forged frames,
// floods). The host treats every byte from it as hostile: results count only for ids issued here and still open.
// Promises: each invoke's `done` is called exactly once, never from inside sandbox_invoke; when a worker dies every open
// invoke is answered first (the one that was running with its own code, the others with "worker_lost"), then on_down.
// What a plugin may do is decided elsewhere: host calls from Lua arrive at `on_ask`.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/err.h"
#include "ipc/call.h"
#include "ipc/frame.h"

struct sandbox;
struct sandbox_worker;

// One probe child per forbidden thing (socket, open, fork, execve, ptrace): each must be ended by the kernel. Blocks some
// milliseconds; call before serving. FR_E_INTERNAL code "sandbox_unavailable" names the call that worked or the kernel feature that
// is missing (seccomp, Landlock). There is no switch that turns the sandbox off. `report`, if not NULL, gets one line per probe.
FR_MUST_USE enum fr_status sandbox_check(const char *worker_path, struct fr_buf *report, struct fr_err *err);

FR_MUST_USE enum fr_status sandbox_new(uv_loop_t *loop, const char *worker_path, int spares, struct sandbox **ret, struct fr_err *err);
void sandbox_stop(struct sandbox *sb, void (*done)(void *arg), void *arg);     // kills all children, then done; frees sb

// How the spares are doing. `wanted` follows how often workers were started lately, heap size by heap size.
struct sandbox_pool { int ready, booting, wanted, workers; int64_t starts, from_spares; };
struct sandbox_pool sandbox_pool(const struct sandbox *sb);

struct sandbox_file { const char *name; const char *text; size_t len; };
struct sandbox_ask {                       // a host call made by Lua
    uint32_t call_id, ask_no;              // ask_no 0: no answer wanted
    uint16_t api;                          // number in api/table.h; not yet checked
    const char *args; size_t args_len;     // JSON object bytes, not yet checked; valid during on_ask
    void *call_arg;                        // the arg of the invoke this call belongs to
};
struct sandbox_death { const char *code; char text[200]; int64_t crashes_last_minute; };   // "cpu_limit", "memory_limit", "protocol", "crashed", "killed", "stalled"
// What several workers have used together; they add to it, nobody takes away. CPU is seen when deadlines are: at most 20 ms late.
struct sandbox_account { int64_t cpu_us, bytes_in, bytes_out, asks, starts, crashes, heap_peak_bytes; };    // in: from the worker
void sandbox_account_look(struct sandbox *sb, const struct sandbox_account *account);      // sees the CPU of its workers now; walks all workers, so not for every call
struct sandbox_memory { int workers; int64_t heap_bytes, heap_peak_bytes, rss_bytes; };                       // now; the heap is the worker's own word, at most its cap
struct sandbox_memory sandbox_account_memory(const struct sandbox *sb, const struct sandbox_account *account);

struct sandbox_spec {
    const char *name, *version;            // for logs; copied
    const char *options_json;              // FRAME_LOAD's first section; copied
    const struct sandbox_file *files; int file_count;     // copied
    int64_t heap_bytes;                    // WORKER_HEAP_BYTES_DEFAULT .. _MAX
    struct sandbox_account *account;       // or NULL; lives until sandbox_worker_stop
    void *arg;
    void (*on_up)(void *arg, struct sandbox_worker *w, const char *definition_json);         // loaded; also after each restart
    void (*on_down)(void *arg, struct sandbox_worker *w, const struct sandbox_death *death);
    void (*on_load_failed)(void *arg, struct sandbox_worker *w, const char *error_json);     // its code is wrong: no restart
    void (*on_ask)(void *arg, struct sandbox_worker *w, const struct sandbox_ask *ask);
    void (*on_stream)(void *arg, struct sandbox_worker *w, void *call_arg, const char *text, size_t len);     // an open call says something before it answers; not checked but for its length; may be NULL
};
FR_MUST_USE enum fr_status sandbox_worker_start(struct sandbox *sb, const struct sandbox_spec *spec, struct sandbox_worker **ret, struct fr_err *err);
// Answers open invokes with "worker_stopped", ends the child, frees w after the loop let go of it. No callbacks afterwards except those answers;
// from one of them it may be called again, which does nothing (whoever plays one log stops when its last answer is in, also when the host is closing).
void sandbox_worker_stop(struct sandbox_worker *w);

struct sandbox_section { const void *bytes; size_t len; };
struct sandbox_result {
    enum fr_status status;                 // FR_OK: the worker answered (look at outcome); else err: worker_lost, cpu_limit, call_timeout, ...
    enum frame_status outcome;             // for FRAME_OK, _REFUSED, _RAISED, _TRIPPED_*
    const struct frame *frame;             // the answer, valid during done; NULL when status is not FR_OK
    bool blamed;                           // this invoke was running when the worker died
    struct fr_err err;
};
typedef void sandbox_done_fn(void *arg, const struct sandbox_result *r);
// Sends a frame of `kind` (CALL, MATCH_OPEN, MATCH_TURN, MATCH_BOT). wall_ms bounds the whole (0: no bound but the stall rule): past it `done` gets
// FR_E_TIMEOUT code "call_timeout" and the worker is told to forget it. FR_E_BUSY while the worker is down ("plugin_starting") or
// has CALLS_PER_WORKER_MAX open.
FR_MUST_USE enum fr_status sandbox_invoke(struct sandbox_worker *w, enum frame_kind kind, uint32_t ref, const struct sandbox_section *sections, int count,
                                          int wall_ms, sandbox_done_fn *done, void *arg, uint32_t *id, struct fr_err *err);
// An open invoke that waits for something slow gets at least wall_ms from now, and in all not more than CALL_PATIENCE_MS_MAX beyond what it had. Of an ended one: nothing.
void sandbox_patience(struct sandbox_worker *w, uint32_t generation, uint32_t id, int wall_ms);
void sandbox_post(struct sandbox_worker *w, enum frame_kind kind, uint32_t ref);               // MATCH_CLOSE
// The answer to an ask; dropped silently when that call or worker is gone. `generation` is that of the worker when it asked: it guards against
// a worker that was restarted, or stopped and freed (w is compared with the living ones before it is followed).
void sandbox_answer(struct sandbox_worker *w, uint32_t generation, uint32_t call_id, uint32_t ask_no, enum frame_status status, const char *json, size_t len);
uint32_t sandbox_generation(const struct sandbox_worker *w);                                    // grows with each restart; never the same for two workers
bool sandbox_worker_is_up(const struct sandbox_worker *w);
void sandbox_worker_kill(struct sandbox_worker *w);                                             // the development page's button: SIGKILL, then supervision restarts it
struct sandbox_stats { int pid; bool up; int64_t cpu_ms, rss_bytes, heap_bytes, heap_peak_bytes, calls, asks, restarts, open, bytes_in, bytes_out; };
struct sandbox_stats sandbox_worker_stats(const struct sandbox_worker *w);
