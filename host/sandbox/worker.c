// worker.c — supervision: a worker is one plugin; its children come and go.
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "base/mem.h"
#include "sandbox/internal.h"

#define CRASHES_KEPT ((int)(sizeof((struct sandbox_worker *)0)->crashes_ms / sizeof(int64_t)))

// ---- generations: unique in this process, so that an answer which comes after its worker was stopped and freed finds nobody.
// Whoever answers late holds a pointer that may be dangling; it is compared here, never followed.
#define GENERATIONS 4096
static struct sandbox_worker *generation_of[GENERATIONS];
static uint32_t generation_last;

static void generation_begin(struct sandbox_worker *w)
{
    do generation_last++; while (generation_last == 0 || generation_of[generation_last % GENERATIONS]);      // far fewer workers live than there are places
    w->generation = generation_last;
    generation_of[w->generation % GENERATIONS] = w;
}

static void generation_end(struct sandbox_worker *w)
{
    if (w->generation && generation_of[w->generation % GENERATIONS] == w) generation_of[w->generation % GENERATIONS] = NULL;
}

bool generation_is(const struct sandbox_worker *w, uint32_t generation)
{
    const struct sandbox_worker *living = generation_of[generation % GENERATIONS];
    return living && living == w && living->generation == generation;
}

static void worker_free(struct sandbox_worker *w)
{
    generation_end(w);
    fr_buf_free(&w->load);
    fr_free(w->name);
    fr_free(w->version);
    fr_free(w);
}

static void worker_on_closed(uv_handle_t *handle)
{
    struct sandbox_worker *w = handle->data;
    struct sandbox *sb = w->sb;
    worker_free(w);
    sandbox_handle_closed(sb);
}

// ---- life: start, ready, loaded, up
static void worker_send_load(struct sandbox_worker *w)
{
    w->load_since_ms = (int64_t)uv_now(w->sb->loop);
    w->child->progressed = true;
    if (!child_send(w->child, w->load.data, w->load.len)) child_condemn(w->child, "crashed", "no memory to load it");
    watch_wake(w->sb);
}

static enum fr_status worker_begin(struct sandbox_worker *w, struct fr_err *err)
{
    struct child *c = spare_take(w->sb, w->heap_bytes);
    if (!c) FR_TRY(child_new(w->sb, w->heap_bytes, &c, err));
    c->owner = w;
    w->child = c;
    if (w->account) w->account->starts++;
    w->phase = WORKER_LOADING;
    generation_end(w);
    generation_begin(w);
    w->load_since_ms = (int64_t)uv_now(w->sb->loop);
    if (c->state == CHILD_READY) worker_send_load(w);
    return FR_OK;
}

void worker_on_ready(struct sandbox_worker *w)
{
    assert(w->phase == WORKER_LOADING);
    worker_send_load(w);
}

void worker_on_loaded(struct sandbox_worker *w, const struct frame *f)
{
    if (w->phase != WORKER_LOADING) {
        child_condemn(w->child, "protocol", "said LOADED twice");
        return;
    }
    char *text = fr_strndup(f->payload, f->len);
    if (!text) {
        child_condemn(w->child, "crashed", "no memory for its definition");
        return;
    }
    w->child->progressed = true;
    if (f->status == FRAME_OK) {
        w->phase = WORKER_UP;
        w->up_since_ms = (int64_t)uv_now(w->sb->loop);
        w->on_up(w->arg, w, text);
    } else {
        w->phase = WORKER_FAILED;       // its code is wrong: starting it again changes nothing
        child_drop(w->child);
        w->on_load_failed(w->arg, w, text);
    }
    fr_free(text);
}

static void worker_on_restart(uv_timer_t *timer)
{
    struct sandbox_worker *w = timer->data;
    struct fr_err err;
    assert(w->phase == WORKER_WAITING);
    w->restarts++;
    if (worker_begin(w, &err) == FR_OK) return;
    fr_log_err(LOG_ERROR, "worker.start_failed", &err, "plugin", w->name, NULL);      // nobody called us who could be told
    uv_timer_start(&w->restart, worker_on_restart, WORKER_RESTART_MS_MAX, 0);
}

// ---- death: blame one, answer all, tell the owner, try again
static int64_t worker_count_crash(struct sandbox_worker *w, bool counts, int64_t now_ms)
{
    int64_t recent = 0;
    if (counts) w->crashes_ms[w->crash_next++ % CRASHES_KEPT] = now_ms;
    for (int i = 0; i < CRASHES_KEPT; i++) recent += w->crashes_ms[i] != 0 && now_ms - w->crashes_ms[i] < 60000;
    return recent;
}

// One that was killed from outside is started at once, unless it is killed again and again.
static void worker_back_off(struct sandbox_worker *w, bool counts, int64_t now_ms)
{
    int64_t lived_ms = w->up_since_ms ? now_ms - w->up_since_ms : 0;
    if (lived_ms > WORKER_STEADY_MS) w->backoff_ms = 0;
    if (counts) w->backoff_ms = w->backoff_ms == 0 ? WORKER_RESTART_MS_MIN : w->backoff_ms * 2;
    if (w->backoff_ms > WORKER_RESTART_MS_MAX) w->backoff_ms = WORKER_RESTART_MS_MAX;
    int64_t wait_ms = counts ? w->backoff_ms : lived_ms >= WORKER_KILLED_MS ? 0 : WORKER_RESTART_MS_MIN;
    uv_timer_start(&w->restart, worker_on_restart, (uint64_t)wait_ms, 0);
}

// Who was running? The page says, if it names one of ours; else the oldest that was not waiting for us; else the oldest.
static struct invoke *worker_pick_blamed(struct sandbox_worker *w, const struct child *c)
{
    struct invoke *named = invoke_find(w, c->page->running_id), *oldest = NULL;
    if (named) return named;
    for (int i = 0; i < SLOTS; i++) {
        struct invoke *v = &w->slots[i];
        if (v->id == 0) continue;
        bool owes = v->asks_open == 0, best_owes = oldest && oldest->asks_open == 0;
        if (!oldest || owes > best_owes || (owes == best_owes && v->order < oldest->order)) oldest = v;
    }
    return oldest;
}

static void worker_answer_all(struct sandbox_worker *w, const char *code, const char *text)
{
    for (int i = 0; i < SLOTS; i++)
        if (w->slots[i].id != 0) invoke_lost(w, &w->slots[i], FR_E_INTERNAL, code, text, false);
}

// Its own word, which it cannot stretch over its cap.
static int64_t page_heap(const struct child *c, uint64_t said)
{
    return said > (uint64_t)c->heap_bytes ? c->heap_bytes : (int64_t)said;
}

static void worker_account_last(struct sandbox_worker *w, const struct child *c, bool crashed)
{
    struct sandbox_account *a = w->account;
    if (!a) return;
    int64_t peak = page_heap(c, c->page->heap_peak_bytes);
    if (peak > a->heap_peak_bytes) a->heap_peak_bytes = peak;
    a->crashes += crashed;
}

void worker_on_child_gone(struct sandbox_worker *w, struct child *c, const struct sandbox_death *death)
{
    int64_t now_ms = (int64_t)uv_now(w->sb->loop);
    struct sandbox_death said = *death;
    bool counts = strcmp(death->code, "killed") != 0;      // whoever killed it, it was not the plugin
    struct invoke *blamed = counts ? worker_pick_blamed(w, c) : NULL;
    worker_account_last(w, c, counts);
    said.crashes_last_minute = worker_count_crash(w, counts, now_ms);
    w->bytes_in += c->bytes_in;
    w->bytes_out += c->bytes_out;
    w->cpu_us += c->last_cpu_us;
    w->child = NULL;
    c->owner = NULL;
    w->phase = WORKER_WAITING;
    if (blamed) invoke_lost(w, blamed, FR_E_INTERNAL, said.code, said.text, true);
    worker_answer_all(w, "worker_lost", "its worker ended; it starts again");
    for (int i = 0; i < SLOTS; i++) w->slots[i].forgotten_id = 0;      // the next child has never heard of them
    if (w->phase == WORKER_WAITING) w->on_down(w->arg, w, &said);
    if (w->phase == WORKER_WAITING) worker_back_off(w, counts, now_ms);
    w->up_since_ms = 0;
}

// ---- what others call
static enum fr_status worker_build_load(struct sandbox_worker *w, const struct sandbox_spec *spec, struct fr_err *err)
{
    fr_buf_init(&w->load, FRAME_HEADER_BYTES + FRAME_BYTES_MAX);
    size_t mark = frame_begin(&w->load, &(struct frame){ .kind = FRAME_LOAD, .id = LOAD_ID });
    frame_section(&w->load, spec->options_json, strlen(spec->options_json));
    for (int i = 0; i < spec->file_count; i++) {
        frame_section(&w->load, spec->files[i].name, strlen(spec->files[i].name));
        frame_section(&w->load, spec->files[i].text, spec->files[i].len);
    }
    frame_end(&w->load, mark);
    FR_TRY(fr_buf_check(&w->load, "the plugin's Lua", err));
    return FR_OK;
}

enum fr_status sandbox_worker_start(struct sandbox *sb, const struct sandbox_spec *spec, struct sandbox_worker **ret, struct fr_err *err)
{
    assert(!sb->stopping && spec->heap_bytes > 0 && spec->heap_bytes <= WORKER_HEAP_BYTES_MAX);
    struct sandbox_worker *w = fr_alloc(sizeof *w);
    if (!w) return FR_FAIL(err, FR_E_NOMEM, "no memory for a worker");
    *w = (struct sandbox_worker){ .sb = sb, .heap_bytes = spec->heap_bytes, .account = spec->account, .arg = spec->arg, .on_up = spec->on_up, .on_down = spec->on_down,
                                  .on_load_failed = spec->on_load_failed, .on_ask = spec->on_ask, .on_stream = spec->on_stream };
    invokes_init(w);
    w->name = fr_strndup(spec->name, strlen(spec->name));
    w->version = fr_strndup(spec->version, strlen(spec->version));
    enum fr_status status = w->name && w->version ? worker_build_load(w, spec, err) : FR_FAIL(err, FR_E_NOMEM, "no memory for a worker");
    if (status == FR_OK) status = worker_begin(w, err);
    if (status != FR_OK) {
        worker_free(w);
        return status;
    }
    uv_timer_init(sb->loop, &w->restart);
    w->restart.data = w;
    sb->open_handles++;
    w->next = sb->workers;
    sb->workers = w;
    *ret = w;
    return FR_OK;
}

void sandbox_worker_stop(struct sandbox_worker *w)
{
    if (w->phase == WORKER_STOPPED) return;        // from one of the answers below
    w->phase = WORKER_STOPPED;
    generation_end(w);
    struct sandbox_worker **at = &w->sb->workers;
    while (*at != w) at = &(*at)->next;
    *at = w->next;
    if (w->child) {
        child_see_cpu(w->child, child_cpu_us(w->child));
        worker_account_last(w, w->child, false);
        child_drop(w->child);
    }
    w->account = NULL;
    worker_answer_all(w, "worker_stopped", "it was stopped");
    uv_close((uv_handle_t *)&w->restart, worker_on_closed);
}

void worker_stop_all(struct sandbox *sb)
{
    while (sb->workers) sandbox_worker_stop(sb->workers);
}

void sandbox_worker_kill(struct sandbox_worker *w)
{
    if (w->child) child_condemn(w->child, "killed", "killed by the operator");
}

uint32_t sandbox_generation(const struct sandbox_worker *w)
{
    return w->generation;
}

bool sandbox_worker_is_up(const struct sandbox_worker *w)
{
    return w->phase == WORKER_UP && w->child && w->child->state != CHILD_DYING;
}

static int64_t child_rss_bytes(const struct child *c)
{
    char path[40], text[100] = { 0 };
    snprintf(path, sizeof path, "/proc/%d/statm", c->process.pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    const char *resident = n > 0 ? strchr(text, ' ') : NULL;
    return resident ? strtoll(resident, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

struct sandbox_stats sandbox_worker_stats(const struct sandbox_worker *w)
{
    struct sandbox_stats s = { .up = sandbox_worker_is_up(w), .calls = w->calls, .asks = w->asks, .restarts = w->restarts, .open = w->open,
                               .bytes_in = w->bytes_in, .bytes_out = w->bytes_out, .cpu_ms = w->cpu_us / 1000 };
    const struct child *c = w->child;
    if (!c) return s;
    s.pid = c->process.pid;
    s.cpu_ms = (w->cpu_us + child_cpu_us(c)) / 1000;
    s.rss_bytes = child_rss_bytes(c);
    s.heap_bytes = page_heap(c, c->page->heap_bytes);
    s.heap_peak_bytes = page_heap(c, c->page->heap_peak_bytes);
    s.bytes_in += c->bytes_in;
    s.bytes_out += c->bytes_out;
    return s;
}

struct sandbox_memory sandbox_account_memory(const struct sandbox *sb, const struct sandbox_account *account)
{
    struct sandbox_memory m = { .heap_peak_bytes = account->heap_peak_bytes };
    for (const struct sandbox_worker *w = sb->workers; w; w = w->next) {
        if (w->account != account || !w->child) continue;
        int64_t peak = page_heap(w->child, w->child->page->heap_peak_bytes);
        m.workers++;
        m.heap_bytes += page_heap(w->child, w->child->page->heap_bytes);
        m.rss_bytes += child_rss_bytes(w->child);
        if (peak > m.heap_peak_bytes) m.heap_peak_bytes = peak;
    }
    return m;
}

void sandbox_account_look(struct sandbox *sb, const struct sandbox_account *account)
{
    for (struct sandbox_worker *w = sb->workers; w; w = w->next)
        if (w->account == account && w->child) child_see_cpu(w->child, child_cpu_us(w->child));
}
