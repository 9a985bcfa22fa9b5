// pending.c — what wants a turn in a match, in the order it came, and who waits for the answer.
#include <stdarg.h>
#include "base/mem.h"
#include "play/internal.h"

void match_error_waiter(struct waiter *w, enum fr_status status, const char *code, const char *text)
{
    if (!w->done) return;
    struct fr_err err = { 0 };
    FR_IGNORE(FR_FAIL_CODE(&err, status, code, "%s", text));      // it is handed on
    w->done(w->arg, status, NULL, &err);
    w->done = NULL;
}

struct pending *pending_new(int seat, const char *fmt, ...)
{
    FR_AUTO_BUF(body);
    fr_buf_init(&body, RECORD_BYTES_MAX);
    va_list args;
    va_start(args, fmt);
    fr_buf_vaddf(&body, fmt, args);
    va_end(args);
    struct pending *p = body.failed ? NULL : fr_alloc(sizeof *p);
    if (!p) return NULL;
    p->seat = p->doer = seat;
    p->body = fr_strndup(body.data ? body.data : "", body.len);
    if (p->body) return p;
    fr_free(p);
    return NULL;
}

void pending_free(struct pending *p)
{
    if (!p) return;
    fr_free(p->body);
    fr_free(p);
}

struct pending *pending_pop(struct match *m)
{
    struct pending *p = m->queue;
    if (!p) return NULL;
    m->queue = p->next;
    if (!m->queue) m->queue_end = &m->queue;
    m->queued--;
    m->ticks_queued -= p->tick;
    return p;
}

void pending_push_back(struct match *m, struct pending *p)
{
    p->next = NULL;
    *m->queue_end = p;
    m->queue_end = &p->next;
    m->queued++;
    m->ticks_queued += p->tick;
}

void pending_push_front(struct match *m, struct pending *p)
{
    p->next = m->queue;
    if (!m->queue) m->queue_end = &p->next;
    m->queue = p;
    m->queued++;
    m->ticks_queued += p->tick;
}

// Moves that wait behind a lost one: their numbers are free again, and the client sends them anew in order.
void pending_drop_moves(struct match *m)
{
    for (int left = m->queued; left > 0; left--) {
        struct pending *p = pending_pop(m);
        if (p->client_n > 0) {
            match_error_waiter(&p->waiter, FR_E_IO, "io", "an earlier move could not be stored");
            pending_free(p);
        } else {
            pending_push_back(m, p);
        }
    }
    if (m->running && m->running->client_n > 0) m->running->stale = true;
}

// Timers and ticks are made again from the log.
void pending_drop_clock(struct match *m)
{
    struct pending *keep = NULL, **end = &keep;
    for (struct pending *p; (p = pending_pop(m));) {
        if (p->tick || p->timer[0]) { pending_free(p); continue; }
        p->next = NULL;
        *end = p;
        end = &p->next;
    }
    for (struct pending *p = keep; p; p = p->next) m->queued++;
    m->queue = keep;
    m->queue_end = keep ? end : &m->queue;
}

// One that runs on a move that was lost is no longer this number's.
static bool pending_is_move(const struct pending *p, int seat, int64_t n)
{
    return p && p->client_n == n && p->seat == seat && !p->stale;
}

struct pending *pending_find_move(struct match *m, int seat, int64_t n)
{
    for (struct append *a = m->appends; a; a = a->next)
        if (pending_is_move(a->pending, seat, n)) return a->pending;
    if (pending_is_move(m->running, seat, n)) return m->running;
    for (struct pending *p = m->queue; p; p = p->next)
        if (pending_is_move(p, seat, n)) return p;
    return NULL;
}

void pending_refuse_all(struct match *m, const char *code, const char *text)
{
    for (struct pending *p; (p = pending_pop(m)); pending_free(p))
        match_error_waiter(&p->waiter, FR_E_CONFLICT, code, text);
}
