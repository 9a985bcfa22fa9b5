// serve.c — the worker's frame: what each kind asks for, and the loop around it.
#include "worker/serve.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <lauxlib.h>
#include "base/mem.h"
#include "worker/fault.h"
#include "worker/load.h"
#include "worker/match.h"
#include "worker/task.h"
#include "worker/turn.h"
#include "worker/worker.h"

#define READ_BYTES (64 * 1024)
#define FLUSH_AFTER_US 1000
#define FAULT_BYTES_KEPT 1024
#define OUT_BYTES_KEPT (64 * 1024)

static struct worker serving;

static int64_t clock_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void worker_init(struct worker *w, struct worker_page *page, int64_t heap_bytes, int fd)
{
    memset(w, 0, sizeof *w);
    w->fd = fd;
    w->page = page;
    w->heap = (struct heap){ .cap = (size_t)heap_bytes, .page = page };
    fr_buf_init(&w->out, OUT_BYTES_MAX);
    fr_buf_init(&w->ask, FRAME_BYTES_MAX);
    fr_buf_init(&w->fault, FRAME_BYTES_MAX / 4);
    fr_buf_init(&w->effects, FRAME_BYTES_MAX / 2);
    fr_buf_init(&w->views, FRAME_BYTES_MAX);
    fr_buf_init(&w->state, MATCH_STATE_BYTES_MAX);
    fr_buf_reserve(&w->fault, FAULT_BYTES_KEPT);             // so that a lack of memory can be reported
    fr_buf_reserve(&w->out, OUT_BYTES_KEPT);
}

void worker_free(struct worker *w)
{
    for (uint32_t slot = 0; slot < MATCHES_PER_WORKER_MAX; slot++) match_close(w, slot);
    task_forget_all(w);
    vm_close(&w->vm);
    source_free(&w->sources);
    struct fr_buf *buffers[] = { &w->out, &w->ask, &w->fault, &w->effects, &w->views, &w->state };
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) fr_buf_free(buffers[i]);
}

void worker_cut(struct worker *w, size_t len)
{
    w->out.len = len;
    w->out.failed = w->out.no_memory = false;
    if (w->out.data) w->out.data[len] = 0;
}

void worker_reply(struct worker *w, enum frame_kind kind, uint32_t id, uint32_t ref, enum frame_status status, const struct fr_buf *payload)
{
    struct frame f = { .kind = (uint8_t)kind, .id = id, .ref = ref, .status = (uint8_t)status, .payload = payload->data, .len = (uint32_t)payload->len };
    frame_put(&w->out, &f);
}

static enum frame_status fault_of_memory(struct worker *w)
{
    fr_buf_clear(&w->fault);
    fault_write_text(&w->fault, "memory_limit", "the turn needed more memory than the plugin may use");
    return FRAME_TRIPPED_MEMORY;
}

enum frame_status worker_fault(struct worker *w, enum turn_trip trip, int status, lua_State *L, lua_State *stack)
{
    fr_buf_clear(&w->fault);
    if (trip == TRIP_MEMORY || status == LUA_ERRMEM) return fault_of_memory(w);
    if (trip == TRIP_CPU) {
        char detail[80];
        snprintf(detail, sizeof detail, "the turn ran for more than %d ms of CPU", TURN_SOFT_MS);
        fault_write(&w->fault, &w->sources, L, -1, stack, "cpu_limit", detail);
        return w->fault.failed ? fault_of_memory(w) : FRAME_TRIPPED_CPU;
    }
    fault_write(&w->fault, &w->sources, L, -1, stack, "plugin_error", NULL);
    return w->fault.failed ? fault_of_memory(w) : FRAME_RAISED;
}

bool worker_handle(struct worker *w, const struct frame *f)
{
    bool ok = true;
    switch (f->kind) {
    case FRAME_LOAD:        ok = load_plugin(w, f); break;
    case FRAME_CALL:        ok = task_call(w, f); break;
    case FRAME_ANSWER:      task_answer(w, f); break;
    case FRAME_CANCEL:      task_cancel(w, f->id); break;
    case FRAME_MATCH_OPEN:  ok = match_open(w, f); break;
    case FRAME_MATCH_TURN:  ok = match_turn(w, f); break;
    case FRAME_MATCH_BOT:   ok = match_bot(w, f); break;
    case FRAME_MATCH_SNAPSHOT: ok = match_snapshot(w, f); break;
    case FRAME_MATCH_RESTORE: ok = match_restore(w, f); break;
    case FRAME_MATCH_CLOSE: match_close(w, f->ref); break;
    default:                return false;
    }
    w->page->heap_bytes = w->heap.used;
    return ok;
}

void worker_flush(struct worker *w)
{
    size_t at = 0;
    if (w->fd < 0) return;
    if (w->out.failed) _exit(WORKER_EXIT_MEMORY);            // an answer was lost, and nobody would ever get it
    while (at < w->out.len) {
        ssize_t n = write(w->fd, w->out.data + at, w->out.len - at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) _exit(WORKER_EXIT_DONE);                 // the host is gone
        at += (size_t)n;
    }
    fr_buf_clear(&w->out);
}

// Answers leave when the input is used up, or a millisecond after the first of them.
static void flush_when_due(struct worker *w)
{
    if (w->out.len == 0) return;
    if (w->out.len >= OUT_FLUSH_BYTES) {
        worker_flush(w);
        return;
    }
    int64_t now_us = clock_us();
    if (w->pending_since_us == 0) w->pending_since_us = now_us;
    else if (now_us - w->pending_since_us >= FLUSH_AFTER_US) {
        worker_flush(w);
        w->pending_since_us = 0;
    }
}

// Handles every whole frame in `in` and keeps the rest. False when the bytes can be no frames.
static bool serve_input(struct worker *w, struct fr_buf *in)
{
    size_t at = 0;
    struct frame f;
    struct fr_err err;
    int more;
    while ((more = frame_next(in->data + at, in->len - at, false, &f, &err)) == 1) {
        if (!worker_handle(w, &f)) return false;
        at += FRAME_HEADER_BYTES + f.len;
        flush_when_due(w);
    }
    fr_buf_consume(in, at);
    worker_flush(w);
    w->pending_since_us = 0;
    return more == 0;
}

void worker_prepare(struct worker_page *page, int64_t heap_bytes)
{
    turn_prepare(page);
    worker_init(&serving, page, heap_bytes, -1);
}

int worker_serve(int fd)
{
    struct fr_buf in;
    fr_buf_init(&in, FRAME_BYTES_MAX + FRAME_HEADER_BYTES + READ_BYTES);
    serving.fd = fd;
    for (;;) {
        char *room = fr_buf_reserve(&in, READ_BYTES);
        if (!room) return WORKER_EXIT_MEMORY;
        ssize_t n = read(fd, room, READ_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return WORKER_EXIT_DONE;
        fr_buf_commit(&in, (size_t)n);
        if (!serve_input(&serving, &in)) return WORKER_EXIT_FRAMES;
    }
}
