// invoke.c — the table of open invokes, and everything that is sent to a worker.
//
// An id is the slot's number in its low bits and a count above, so finding one is a comparison and no id comes back soon.
#include <assert.h>
#include <string.h>
#include "sandbox/internal.h"

#define TURN_OF_ID_MAX (UINT32_MAX / SLOTS)

void invokes_init(struct sandbox_worker *w)
{
    for (int i = 0; i < SLOTS; i++) w->slots[i].next_free = i + 1;
    w->slots[SLOTS - 1].next_free = -1;
    w->free_first = 0;
    w->free_last = SLOTS - 1;
}

struct invoke *invoke_find(struct sandbox_worker *w, uint32_t id)
{
    struct invoke *v = &w->slots[id % SLOTS];
    return id != 0 && v->id == id ? v : NULL;
}

bool invoke_was_forgotten(const struct sandbox_worker *w, uint32_t id)
{
    return id != 0 && w->slots[id % SLOTS].forgotten_id == id;
}

static struct invoke *invoke_take(struct sandbox_worker *w)
{
    int no = w->free_first;
    assert(no >= 0);                       // open < SLOTS was checked
    struct invoke *v = &w->slots[no];
    w->free_first = v->next_free;
    if (w->free_first < 0) w->free_last = -1;
    v->turn = v->turn == TURN_OF_ID_MAX ? 1 : v->turn + 1;
    v->id = v->turn * SLOTS + (uint32_t)no;
    v->asks_open = 0;
    v->order = ++w->order;
    w->open++;
    w->owes++;
    return v;
}

static void invoke_give_back(struct sandbox_worker *w, struct invoke *v)
{
    int no = (int)(v - w->slots);
    if (v->asks_open == 0) w->owes--;
    w->open--;
    assert(w->open >= 0 && w->owes >= 0 && w->owes <= w->open);
    v->id = 0;
    v->next_free = -1;
    if (w->free_last < 0) w->free_first = no;
    else w->slots[w->free_last].next_free = no;
    w->free_last = no;
}

// The slot is free again before `done` runs: it may invoke, stop or kill.
static void invoke_finish(struct sandbox_worker *w, struct invoke *v, const struct sandbox_result *r)
{
    sandbox_done_fn *done = v->done;
    void *arg = v->arg;
    invoke_give_back(w, v);
    done(arg, r);
}

void invoke_answered(struct sandbox_worker *w, struct invoke *v, const struct frame *f)
{
    struct sandbox_result r = { .status = FR_OK, .outcome = (enum frame_status)f->status, .frame = f };
    invoke_finish(w, v, &r);
}

void invoke_lost(struct sandbox_worker *w, struct invoke *v, enum fr_status status, const char *code, const char *text, bool blamed)
{
    struct sandbox_result r = { .status = status, .blamed = blamed };
    FR_FAIL_CODE(&r.err, status, code, "%s: %s", w->name, text);
    invoke_finish(w, v, &r);
}

void invoke_waits(struct sandbox_worker *w, struct invoke *v)
{
    if (v->asks_open++ == 0) w->owes--;
}

// ---- deadlines
void invokes_expire(struct sandbox_worker *w, int64_t now_ms)
{
    if (w->open == 0 || now_ms < w->next_deadline_ms) return;
    int64_t next_ms = INT64_MAX;
    w->next_deadline_ms = INT64_MAX;       // done() may invoke again: that lowers it
    for (int i = 0; i < SLOTS && w->phase != WORKER_STOPPED; i++) {
        struct invoke *v = &w->slots[i];
        if (v->id == 0 || v->deadline_ms == 0) continue;
        if (v->deadline_ms > now_ms) {
            if (v->deadline_ms < next_ms) next_ms = v->deadline_ms;
            continue;
        }
        v->forgotten_id = v->id;
        struct fr_buf out;
        fr_buf_init(&out, FRAME_HEADER_BYTES);
        frame_put(&out, &(struct frame){ .kind = FRAME_CANCEL, .id = v->id });
        if (w->child && !out.failed) child_send(w->child, out.data, out.len);      // a worker that never hears of it answers in vain
        fr_buf_free(&out);
        invoke_lost(w, v, FR_E_TIMEOUT, "call_timeout", "no answer in time", false);
    }
    if (next_ms < w->next_deadline_ms) w->next_deadline_ms = next_ms;
}

// ---- sending
static bool child_has_room(struct child *c, size_t len)
{
    if (c->out.len + len <= WORKER_OUTBOX_BYTES_MAX) return true;
    child_flush(c);
    return c->out.len + len <= WORKER_OUTBOX_BYTES_MAX;
}

// After a failed append the buffer is as it was: a frame cut short would make all later ones unreadable.
static bool child_sent(struct child *c, size_t mark)
{
    if (c->out.failed) {
        c->out.failed = c->out.no_memory = false;
        c->out.len = mark;
        return false;
    }
    child_mark_dirty(c);
    return true;
}

bool child_send(struct child *c, const void *bytes, size_t len)
{
    if (c->state == CHILD_DYING || !child_has_room(c, len)) return false;
    size_t mark = c->out.len;
    fr_buf_add_bytes(&c->out, bytes, len);
    return child_sent(c, mark);
}

static size_t sections_bytes(const struct sandbox_section *sections, int count)
{
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
        if (sections[i].len > FRAME_BYTES_MAX) return FRAME_BYTES_MAX + 1;
        bytes += 4 + sections[i].len;
    }
    return bytes;
}

enum fr_status sandbox_invoke(struct sandbox_worker *w, enum frame_kind kind, uint32_t ref, const struct sandbox_section *sections, int count,
                              int wall_ms, sandbox_done_fn *done, void *arg, uint32_t *id, struct fr_err *err)
{
    assert(kind == FRAME_CALL || kind == FRAME_MATCH_OPEN || kind == FRAME_MATCH_TURN || kind == FRAME_MATCH_BOT ||
           kind == FRAME_MATCH_SNAPSHOT || kind == FRAME_MATCH_RESTORE);
    if (!sandbox_worker_is_up(w)) return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_starting", "%s is starting", w->name);
    if (w->open >= CALLS_PER_WORKER_MAX) return FR_FAIL(err, FR_E_BUSY, "%s has %d calls open already", w->name, w->open);
    size_t bytes = sections_bytes(sections, count);
    if (bytes > FRAME_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "a message to %s is over %d bytes", w->name, FRAME_BYTES_MAX);
    struct child *c = w->child;
    if (!child_has_room(c, FRAME_HEADER_BYTES + bytes)) return FR_FAIL(err, FR_E_BUSY, "%s does not keep up", w->name);

    if (w->owes == 0) c->progressed = true;      // until now it owed nothing: its clocks start here
    struct invoke *v = invoke_take(w);
    struct frame f = { .kind = (uint8_t)kind, .id = v->id, .ref = ref };
    size_t mark = c->out.len, begun = frame_begin(&c->out, &f);
    for (int i = 0; i < count; i++) frame_section(&c->out, sections[i].bytes, sections[i].len);
    frame_end(&c->out, begun);
    if (!child_sent(c, mark)) {
        invoke_give_back(w, v);
        return FR_FAIL(err, FR_E_NOMEM, "no memory for a call of %s", w->name);
    }
    v->kind = kind;
    v->done = done;
    v->arg = arg;
    v->deadline_ms = wall_ms > 0 ? (int64_t)uv_now(w->sb->loop) + wall_ms : 0;
    v->last_ms = v->deadline_ms + CALL_PATIENCE_MS_MAX;
    if (v->deadline_ms && (w->open == 1 || v->deadline_ms < w->next_deadline_ms)) w->next_deadline_ms = v->deadline_ms;
    else if (w->open == 1) w->next_deadline_ms = INT64_MAX;
    w->calls++;
    watch_wake(w->sb);
    if (id) *id = v->id;
    return FR_OK;
}

void sandbox_patience(struct sandbox_worker *w, uint32_t generation, uint32_t id, int wall_ms)
{
    if (!generation_is(w, generation)) return;
    struct invoke *v = invoke_find(w, id);
    int64_t due_ms = (int64_t)uv_now(w->sb->loop) + wall_ms;
    if (!v || v->deadline_ms == 0) return;
    if (due_ms > v->last_ms) due_ms = v->last_ms;
    if (due_ms > v->deadline_ms) v->deadline_ms = due_ms;      // w->next_deadline_ms may be early now: then it is looked at once in vain
}

void sandbox_post(struct sandbox_worker *w, enum frame_kind kind, uint32_t ref)
{
    if (!sandbox_worker_is_up(w)) return;        // the next program of this worker knows nothing of that match
    char bytes[FRAME_HEADER_BYTES + 1];
    struct fr_buf out = { .data = bytes, .cap = sizeof bytes, .max = FRAME_HEADER_BYTES };
    frame_put(&out, &(struct frame){ .kind = (uint8_t)kind, .ref = ref });
    assert(!out.failed && out.data == bytes);
    if (!child_send(w->child, bytes, out.len)) child_condemn(w->child, "stalled", "does not read what it is sent");
}

void sandbox_answer(struct sandbox_worker *w, uint32_t generation, uint32_t call_id, uint32_t ask_no, enum frame_status status, const char *json, size_t len)
{
    if (!generation_is(w, generation)) return;
    struct invoke *v = invoke_find(w, call_id);
    if (!v || v->asks_open == 0 || !sandbox_worker_is_up(w)) return;
    static const char too_long[] = "{\"code\":\"limit\",\"detail\":\"the answer is over one frame\"}";
    struct frame f = { .kind = FRAME_ANSWER, .status = (uint8_t)status, .id = call_id, .ref = ask_no, .payload = json, .len = (uint32_t)len };
    if (len > FRAME_BYTES_MAX) {
        f.status = FRAME_REFUSED;
        f.payload = too_long;
        f.len = sizeof too_long - 1;
    }
    struct child *c = w->child;
    bool sent = child_has_room(c, FRAME_HEADER_BYTES + f.len);
    if (sent) {
        size_t mark = c->out.len;
        frame_put(&c->out, &f);
        sent = child_sent(c, mark);
    }
    if (!sent) {                                 // its call would wait for ever
        child_condemn(c, "stalled", "does not read the answers it asked for");
        return;
    }
    if (w->owes == 0) c->progressed = true;
    if (--v->asks_open == 0) w->owes++;
    c->grants++;
}
