// internal.h — what the files of this folder share; nobody else includes it.
//
//   spawn.c   a child: one process with its channel and page, from uv_spawn to the last close callback
//   frames.c  bytes from and to a child; what a frame may mean
//   invoke.c  the table of open invokes, and everything that is sent to a worker
//   worker.c  supervision: load, death, blame, back-off, stop
//   watch.c   deadlines: CPU, stalls, half frames, calls past their time
//   spares.c  children that are locked down already and wait for a plugin
//   check.c   the probes before serving
#pragma once
#include <time.h>
#include "base/buf.h"
#include "base/limits.h"
#include "sandbox/sandbox.h"

#define CHILD_READ_BYTES (256 * 1024)       // of one read, and what one child may say in one loop turn
#define CHILD_KEEP_BYTES (64 * 1024)        // larger buffers are given back when they are empty
#define WATCH_BUSY_MS 20                    // how late a deadline may be seen
#define WATCH_IDLE_MS 1000
#define CHILD_LINGER_MS 500                 // from the end of its channel to its own
#define CHILD_BOOT_MS 5000                  // exec to READY: 1 ms when the machine is free
#define WORKER_LOAD_MS 2000
#define WORKER_STEADY_MS 10000              // up for so long: the back-off starts over
#define WORKER_KILLED_MS 500                // up for so long and then killed from outside: no wait at all
#define SLOTS CALLS_PER_WORKER_MAX
#define LOAD_ID 1                           // ids of invokes are never that small
_Static_assert((SLOTS & (SLOTS - 1)) == 0 && SLOTS > LOAD_ID, "a slot's number is the low bits of an id");

struct child {
    struct sandbox *sb;
    struct sandbox_worker *owner;           // NULL: a spare, or nobody's any more
    struct child *next;
    enum { CHILD_BOOTING, CHILD_READY, CHILD_DYING } state;
    uv_process_t process;
    uv_poll_t poll;
    int fd, open_handles;
    volatile struct worker_page *page;
    clockid_t cpu_clock;
    int64_t heap_bytes;
    struct fr_buf in, out;                  // in: the beginning of a frame; out: frames of this loop turn
    bool dirty, poll_for_write, exited;
    struct child *next_dirty;
    int64_t born_ms, partial_since_ms;      // 0: no half frame
    int64_t closed_ms;                      // it closed the channel, and we wait for its exit status
    int64_t frames_second, frames_count;    // rate
    int64_t bytes_in, bytes_out;
    // what the watch knows; see watch.c
    bool progressed;
    int grants;                             // turns that our answers may have caused since its last sign of progress
    int64_t progress_ms, progress_cpu_us, turn_cpu_us, last_cpu_us;
    uint32_t seen_turns, seen_running;
    // why we killed it; NULL: it was not us
    const char *verdict;
    char verdict_text[160];
};

struct invoke {
    uint32_t id;                            // 0: free
    uint32_t turn;                          // the high bits of the slot's last id
    uint32_t forgotten_id;                  // timed out here, perhaps still on its way there
    enum frame_kind kind;
    int asks_open;                          // host calls it waits for; 0: the worker owes us the next frame
    int64_t deadline_ms, last_ms;           // 0: none; how far patience may move it
    uint64_t order;
    sandbox_done_fn *done;
    void *arg;
    int next_free;
};

struct sandbox_worker {
    struct sandbox *sb;
    struct sandbox_worker *next;
    enum { WORKER_WAITING, WORKER_LOADING, WORKER_UP, WORKER_FAILED, WORKER_STOPPED } phase;
    struct child *child;                    // NULL while waiting
    char *name, *version;
    struct fr_buf load;                     // the LOAD frame, ready to send
    int64_t heap_bytes;
    struct sandbox_account *account;        // NULL: nobody counts, or it was stopped
    void *arg;
    void (*on_up)(void *, struct sandbox_worker *, const char *);
    void (*on_down)(void *, struct sandbox_worker *, const struct sandbox_death *);
    void (*on_load_failed)(void *, struct sandbox_worker *, const char *);
    void (*on_ask)(void *, struct sandbox_worker *, const struct sandbox_ask *);
    void (*on_stream)(void *, struct sandbox_worker *, void *call_arg, const char *text, size_t len);
    uint32_t generation;
    uv_timer_t restart;
    int64_t backoff_ms, load_since_ms, up_since_ms;
    int64_t crashes_ms[16];                 // a ring: when it crashed
    unsigned crash_next;
    struct invoke slots[SLOTS];
    int free_first, free_last;              // first in, first out: an id's slot rests as long as it can
    int open, owes;                         // owes: open invokes whose next frame must come from the worker
    uint64_t order;
    int64_t next_deadline_ms;               // no invoke's deadline is earlier
    int64_t calls, asks, restarts, bytes_in, bytes_out, cpu_us;    // of children that are gone, and of this one where it says so
};

#define SPARE_CLASSES 4                     // heap sizes that are remembered
struct spare_class { int64_t heap_bytes; double starts; int64_t at_ms; };      // starts: of late, each counting half after SPARE_HALF_MS

struct sandbox {
    uv_loop_t *loop;
    char *worker_path;
    int spares;                             // 0: none, ever
    struct spare_class classes[SPARE_CLASSES]; int class_count;
    int64_t starts, from_spares;
    struct child *children;
    struct sandbox_worker *workers;
    struct child *dirty;
    uv_prepare_t flush;
    uv_timer_t watch, refill;
    bool watch_busy, stopping;
    int64_t watch_due_ms;
    int open_handles;                       // of sandbox, workers and children: freed when it reaches 0
    void (*stop_done)(void *);
    void *stop_arg;
    char scratch[CHILD_READ_BYTES];
};

// spawn.c
FR_MUST_USE enum fr_status child_new(struct sandbox *sb, int64_t heap_bytes, struct child **ret, struct fr_err *err);
// Ends the child for a reason; whoever owns it hears of it when the process is gone. Safe to call twice.
void child_condemn(struct child *c, const char *verdict, const char *fmt, ...) FR_PRINTF(3, 4);
void child_on_eof(struct child *c);
void child_end_lingering(struct child *c, int64_t now_ms);
void child_drop(struct child *c);                           // the same, but nobody hears of it
int64_t child_cpu_us(const struct child *c);
void sandbox_handle_closed(struct sandbox *sb);

// frames.c
void child_on_poll(uv_poll_t *poll, int status, int events);
void child_mark_dirty(struct child *c);
void child_flush(struct child *c);
void sandbox_on_flush(uv_prepare_t *prepare);

// invoke.c
void invokes_init(struct sandbox_worker *w);
struct invoke *invoke_find(struct sandbox_worker *w, uint32_t id);
bool invoke_was_forgotten(const struct sandbox_worker *w, uint32_t id);
void invoke_waits(struct sandbox_worker *w, struct invoke *v);         // it made a host call
void invoke_answered(struct sandbox_worker *w, struct invoke *v, const struct frame *f);
void invoke_lost(struct sandbox_worker *w, struct invoke *v, enum fr_status status, const char *code, const char *text, bool blamed);
void invokes_expire(struct sandbox_worker *w, int64_t now_ms);
bool child_send(struct child *c, const void *bytes, size_t len);       // false: it does not read, or no memory

// worker.c
bool generation_is(const struct sandbox_worker *w, uint32_t generation);      // w may be dangling
void worker_on_ready(struct sandbox_worker *w);
void worker_on_loaded(struct sandbox_worker *w, const struct frame *f);
void worker_on_child_gone(struct sandbox_worker *w, struct child *c, const struct sandbox_death *death);
void worker_stop_all(struct sandbox *sb);

// watch.c
void sandbox_on_watch(uv_timer_t *timer);
void watch_wake(struct sandbox *sb);                         // work is outstanding from now on

// spares.c
void sandbox_on_refill(uv_timer_t *timer);
void spares_changed(struct sandbox *sb, bool failed);
struct child *spare_take(struct sandbox *sb, int64_t heap_bytes);      // NULL: none fits
int spares_wanted(const struct sandbox *sb, int64_t heap_bytes, int64_t now_ms);

// watch.c
void child_see_cpu(struct child *c, int64_t cpu_us);         // last_cpu_us, and what it grew by into the account
