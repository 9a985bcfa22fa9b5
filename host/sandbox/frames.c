// frames.c — bytes to frames, and what a frame may mean. Everything here was written by the other side of a fence:
// a frame counts only when we asked for it, of the right worker, in the right kind; anything else ends the child.
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include "base/json.h"
#include "sandbox/internal.h"

// ---- out: all frames of one loop turn in one write
void child_mark_dirty(struct child *c)
{
    if (c->dirty) return;
    c->dirty = true;
    c->next_dirty = c->sb->dirty;
    c->sb->dirty = c;
}

static void child_poll_for(struct child *c, bool write)
{
    if (c->poll_for_write == write) return;
    c->poll_for_write = write;
    uv_poll_start(&c->poll, UV_READABLE | (write ? UV_WRITABLE : 0), child_on_poll);
}

void child_flush(struct child *c)
{
    if (c->state == CHILD_DYING || c->out.len == 0) return;
    ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return;      // it is gone: reading will say so
    if (n > 0) {
        c->bytes_out += n;
        if (c->owner && c->owner->account) c->owner->account->bytes_out += n;
        fr_buf_consume(&c->out, (size_t)n);
    }
    if (c->out.len == 0 && c->out.cap > CHILD_KEEP_BYTES) fr_buf_free(&c->out);
    child_poll_for(c, c->out.len > 0);
}

void sandbox_on_flush(uv_prepare_t *prepare)
{
    struct sandbox *sb = prepare->data;
    while (sb->dirty) {
        struct child *c = sb->dirty;
        sb->dirty = c->next_dirty;
        c->dirty = false;
        child_flush(c);
    }
}

// ---- what a frame may mean
static void child_on_ready(struct child *c, const struct frame *f)
{
    FR_AUTO(fr_json) said = NULL;
    struct fr_err err;
    const char *text = NULL;
    if (c->state != CHILD_BOOTING) {
        child_condemn(c, "protocol", "said READY twice");
    } else if (fr_json_parse(f->payload, f->len, &said, &err) != FR_OK) {
        child_condemn(c, "protocol", "its READY is no JSON: %.100s", err.text);
    } else if (f->status != FRAME_OK) {
        FR_IGNORE(fr_json_opt_text(said, "detail", FR_ERR_TEXT_BYTES, "no reason given", &text, NULL));   // a wrong type leaves NULL
        child_condemn(c, "crashed", "the sandbox could not be closed: %.110s", text ? text : "?");
    } else if (fr_json_opt_text(said, "engine", 64, "", &text, &err) != FR_OK || strcmp(text, ENGINE_ID) != 0) {
        child_condemn(c, "crashed", "frond-worker is of another build than this host (%s)", ENGINE_ID);
    } else {
        c->state = CHILD_READY;
        if (c->owner) worker_on_ready(c->owner);
        else spares_changed(c->sb, false);
    }
}

static void child_on_answer(struct child *c, const struct frame *f)
{
    struct sandbox_worker *w = c->owner;
    struct invoke *v = invoke_find(w, f->id);
    if (!v && invoke_was_forgotten(w, f->id)) {                  // it crossed our CANCEL
        w->slots[f->id % SLOTS].forgotten_id = 0;
        return;
    }
    if (!v) {
        child_condemn(c, "protocol", "answered call %u, which is not open", f->id);
    } else if ((v->kind == FRAME_CALL) != (f->kind == FRAME_RESULT)) {
        child_condemn(c, "protocol", "answered call %u with a frame of kind %d", f->id, f->kind);
    } else {
        c->progressed = true;
        if (c->grants > 0) c->grants--;
        invoke_answered(w, v, f);
    }
}

static void child_on_ask(struct child *c, const struct frame *f)
{
    struct sandbox_worker *w = c->owner;
    struct invoke *v = invoke_find(w, f->id);
    if (!v && (invoke_was_forgotten(w, f->id) || w->phase == WORKER_LOADING)) return;      // while loading: only a log line, for nobody's call
    if (!v) {
        child_condemn(c, "protocol", "asked for call %u, which is not open", f->id);
    } else if (f->ref != 0 && v->kind != FRAME_CALL) {
        child_condemn(c, "protocol", "asked and would wait inside a match");
    } else if (f->ref != 0 && v->asks_open >= ASKS_PER_CALL_MAX) {
        child_condemn(c, "protocol", "call %u has more than %d host calls open", f->id, ASKS_PER_CALL_MAX);
    } else {
        struct sandbox_ask ask = { .call_id = f->id, .ask_no = f->ref, .api = f->call, .args = f->payload, .args_len = f->len, .call_arg = v->arg };
        w->asks++;
        if (w->account) w->account->asks++;
        if (f->ref != 0) {                 // a call that goes on to wait has come somewhere; a log line may be a loop
            c->progressed = true;
            if (c->grants > 0) c->grants--;
            invoke_waits(w, v);
        }
        w->on_ask(w->arg, w, &ask);
    }
}

// Like a log line it proves no progress: it may be a loop's.
static void child_on_stream(struct child *c, const struct frame *f)
{
    struct sandbox_worker *w = c->owner;
    struct invoke *v = invoke_find(w, f->id);
    if (!v && invoke_was_forgotten(w, f->id)) return;
    if (!v || v->kind != FRAME_CALL) child_condemn(c, "protocol", "streamed for call %u, which is not open", f->id);
    else if (f->len > STREAM_PIECE_BYTES_MAX) child_condemn(c, "protocol", "streamed %u bytes at once", f->len);
    else if (w->on_stream) w->on_stream(w->arg, w, v->arg, f->payload, f->len);
}

static void child_on_frame(struct child *c, const struct frame *f)
{
    if (f->kind == FRAME_READY)
        child_on_ready(c, f);
    else if (c->state == CHILD_BOOTING || !c->owner)
        child_condemn(c, "protocol", "spoke (kind %d) before it was asked anything", f->kind);
    else if (f->kind == FRAME_LOADED)
        worker_on_loaded(c->owner, f);
    else if (f->kind == FRAME_ASK)
        child_on_ask(c, f);
    else if (f->kind == FRAME_STREAM)
        child_on_stream(c, f);
    else
        child_on_answer(c, f);
}

// ---- in
// Answers to open ids cannot flood: there are never more than we asked for, and a good worker gives 350,000 in a second.
static bool child_within_rate(struct child *c, const struct frame *f)
{
    if (f->kind == FRAME_RESULT || f->kind == FRAME_TURN) return true;
    int64_t second = (int64_t)uv_now(c->sb->loop) / 1000;
    if (second != c->frames_second) {
        c->frames_second = second;
        c->frames_count = 0;
    }
    return ++c->frames_count <= FRAMES_PER_SECOND_MAX;
}

// Takes whole frames off the front and returns how many bytes that were. A callback may condemn the child: then it stops.
static size_t child_take_frames(struct child *c, const char *bytes, size_t len)
{
    size_t at = 0;
    struct frame f;
    struct fr_err err;
    while (c->state != CHILD_DYING) {
        int r = frame_next(bytes + at, len - at, true, &f, &err);
        if (r < 0) child_condemn(c, "protocol", "%.150s", err.text);
        if (r <= 0) break;
        at += FRAME_HEADER_BYTES + f.len;
        c->partial_since_ms = 0;
        if (child_within_rate(c, &f)) child_on_frame(c, &f);
        else child_condemn(c, "protocol", "more than %d host calls in a second", FRAMES_PER_SECOND_MAX);
    }
    return at;
}

static void child_keep_rest(struct child *c, const char *rest, size_t len)
{
    if (rest) fr_buf_add_bytes(&c->in, rest, len);
    if (c->in.failed) child_condemn(c, "crashed", "no memory for its frames");
    if (c->in.len == 0 && c->in.cap > CHILD_KEEP_BYTES) fr_buf_free(&c->in);
    if (c->in.len == 0 || c->partial_since_ms) return;
    c->partial_since_ms = (int64_t)uv_now(c->sb->loop);
    watch_wake(c->sb);
}

// Most reads hold whole frames only: they are looked at where they were read, and nothing is copied.
static void child_on_bytes(struct child *c, const char *bytes, size_t len)
{
    c->bytes_in += (int64_t)len;
    if (c->owner && c->owner->account) c->owner->account->bytes_in += (int64_t)len;
    if (c->in.len == 0) {
        size_t taken = child_take_frames(c, bytes, len);
        if (c->state != CHILD_DYING) child_keep_rest(c, bytes + taken, len - taken);
        return;
    }
    fr_buf_add_bytes(&c->in, bytes, len);
    if (c->in.failed) {
        child_condemn(c, "crashed", "no memory for its frames");
        return;
    }
    size_t taken = child_take_frames(c, c->in.data, c->in.len);
    if (c->state == CHILD_DYING) return;
    fr_buf_consume(&c->in, taken);
    child_keep_rest(c, NULL, 0);
}

void child_on_poll(uv_poll_t *poll, int status, int events)
{
    struct child *c = poll->data;
    (void)status;                // recv says it better
    if (events & UV_WRITABLE) child_flush(c);
    if (c->state == CHILD_DYING || (status == 0 && !(events & UV_READABLE))) return;
    ssize_t n = recv(c->fd, c->sb->scratch, sizeof c->sb->scratch, MSG_DONTWAIT);
    if (n > 0) {
        child_on_bytes(c, c->sb->scratch, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        child_on_eof(c);
    }
}
