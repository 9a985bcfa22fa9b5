// spares.c — the sandbox as a whole: its handles, and the children that stand ready so that a crash costs a LOAD and no start.
//
// A spare does not know its plugin yet, but its heap is settled: RLIMIT_AS can only be lowered afterwards. So spares come in classes, one
// per heap size, and a class has as many as its workers were started lately: a plugin whose worker dies again and again, or a host where
// plugins come and go, finds more of them than a quiet one. Of the default size there are always some.
#include <assert.h>
#include <math.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "sandbox/internal.h"

#define REFILL_MS 10            // one at a time, and not while a plugin is being started
#define REFILL_FAILED_MS 5000
#define REVIEW_MS 30000         // how often a quiet pool looks whether it has too many
#define SPARE_HALF_MS 60000     // a start counts half after so long
#define STARTS_PER_SPARE 2.0    // of late

// ---- how many of which

static double class_starts(const struct spare_class *k, int64_t now_ms)
{
    return k->starts * exp2(-(double)(now_ms - k->at_ms) / SPARE_HALF_MS);
}

static void class_started(struct sandbox *sb, int64_t heap_bytes, int64_t now_ms)
{
    struct spare_class *k = NULL, *least = sb->classes;
    for (int i = 0; i < sb->class_count && !k; i++) if (sb->classes[i].heap_bytes == heap_bytes) k = &sb->classes[i];
    if (!k && sb->class_count < SPARE_CLASSES) {
        k = &sb->classes[sb->class_count++];
        *k = (struct spare_class){ .heap_bytes = heap_bytes, .at_ms = now_ms };
    }
    for (int i = 1; i < sb->class_count; i++) if (class_starts(&sb->classes[i], now_ms) < class_starts(least, now_ms)) least = &sb->classes[i];
    if (!k) {                                   // the one that is least used is forgotten
        k = least;
        *k = (struct spare_class){ .heap_bytes = heap_bytes, .at_ms = now_ms };
    }
    k->starts = class_starts(k, now_ms) + 1;
    k->at_ms = now_ms;
}

int spares_wanted(const struct sandbox *sb, int64_t heap_bytes, int64_t now_ms)
{
    int most = sb->spares > WORKER_SPARES_MAX ? sb->spares : WORKER_SPARES_MAX;
    if (sb->spares == 0) return 0;
    int wanted = heap_bytes == WORKER_HEAP_BYTES_DEFAULT ? sb->spares : 0;
    for (int i = 0; i < sb->class_count; i++)
        if (sb->classes[i].heap_bytes == heap_bytes) wanted += (int)(class_starts(&sb->classes[i], now_ms) / STARTS_PER_SPARE);
    return wanted < most ? wanted : most;
}

static bool is_spare(const struct child *c)
{
    return !c->owner && c->state != CHILD_DYING;
}

static int spares_count(const struct sandbox *sb, int64_t heap_bytes)      // 0: of every size
{
    int n = 0;
    for (const struct child *c = sb->children; c; c = c->next) n += is_spare(c) && (heap_bytes == 0 || c->heap_bytes == heap_bytes);
    return n;
}

static bool spares_booting(const struct sandbox *sb)
{
    for (const struct child *c = sb->children; c; c = c->next)
        if (is_spare(c) && c->state == CHILD_BOOTING) return true;
    return false;
}

// The heap size that lacks one, or 0. The default size first; all together stay under the bound.
static int64_t spares_lack(const struct sandbox *sb, int64_t now_ms)
{
    int most = sb->spares > WORKER_SPARES_MAX ? sb->spares : WORKER_SPARES_MAX;
    if (spares_count(sb, 0) >= most) return 0;
    if (spares_count(sb, WORKER_HEAP_BYTES_DEFAULT) < spares_wanted(sb, WORKER_HEAP_BYTES_DEFAULT, now_ms)) return WORKER_HEAP_BYTES_DEFAULT;
    for (int i = 0; i < sb->class_count; i++)
        if (spares_count(sb, sb->classes[i].heap_bytes) < spares_wanted(sb, sb->classes[i].heap_bytes, now_ms)) return sb->classes[i].heap_bytes;
    return 0;
}

static struct child *spares_surplus(struct sandbox *sb, int64_t now_ms)
{
    for (struct child *c = sb->children; c; c = c->next)
        if (is_spare(c) && c->state == CHILD_READY && spares_count(sb, c->heap_bytes) > spares_wanted(sb, c->heap_bytes, now_ms)) return c;
    return NULL;
}

// ---- making and ending them

static void refill_later(struct sandbox *sb, int ms)
{
    if (!sb->stopping && sb->spares > 0) uv_timer_start(&sb->refill, sandbox_on_refill, (uint64_t)ms, 0);
}

void sandbox_on_refill(uv_timer_t *timer)
{
    struct sandbox *sb = timer->data;
    struct child *made;
    struct fr_err err;
    int64_t now_ms = (int64_t)uv_now(sb->loop), lacks = spares_lack(sb, now_ms);
    if (spares_booting(sb)) return;                                // it will say when it is ready
    if (lacks == 0) {
        struct child *surplus = spares_surplus(sb, now_ms);
        if (surplus) child_drop(surplus);
        refill_later(sb, surplus ? REFILL_MS : REVIEW_MS);
        return;
    }
    if (child_new(sb, lacks, &made, &err) == FR_OK) return;
    fr_log_err(LOG_WARN, "worker.spare_failed", &err, NULL);       // workers are started without spares too
    spares_changed(sb, true);
}

void spares_changed(struct sandbox *sb, bool failed)
{
    refill_later(sb, failed ? REFILL_FAILED_MS : REFILL_MS);
}

struct child *spare_take(struct sandbox *sb, int64_t heap_bytes)
{
    struct child *best = NULL;
    sb->starts++;
    class_started(sb, heap_bytes, (int64_t)uv_now(sb->loop));
    for (struct child *c = sb->children; c; c = c->next) {
        if (!is_spare(c) || c->heap_bytes != heap_bytes) continue;
        if (!best || c->state == CHILD_READY) best = c;
    }
    sb->from_spares += best != NULL;
    spares_changed(sb, false);
    return best;
}

struct sandbox_pool sandbox_pool(const struct sandbox *sb)
{
    int64_t now_ms = (int64_t)uv_now(sb->loop);
    struct sandbox_pool p = { .starts = sb->starts, .from_spares = sb->from_spares, .wanted = spares_wanted(sb, WORKER_HEAP_BYTES_DEFAULT, now_ms) };
    for (int i = 0; i < sb->class_count; i++)
        if (sb->classes[i].heap_bytes != WORKER_HEAP_BYTES_DEFAULT) p.wanted += spares_wanted(sb, sb->classes[i].heap_bytes, now_ms);
    if (p.wanted > WORKER_SPARES_MAX && sb->spares <= WORKER_SPARES_MAX) p.wanted = WORKER_SPARES_MAX;
    for (const struct child *c = sb->children; c; c = c->next) {
        p.ready += is_spare(c) && c->state == CHILD_READY;
        p.booting += is_spare(c) && c->state == CHILD_BOOTING;
        p.workers += c->owner != NULL;
    }
    return p;
}

enum fr_status sandbox_new(uv_loop_t *loop, const char *worker_path, int spares, struct sandbox **ret, struct fr_err *err)
{
    assert(spares >= 0);
    struct sandbox *sb = fr_alloc(sizeof *sb);
    char *path = fr_strndup(worker_path, strlen(worker_path));
    if (!sb || !path) {
        fr_free(sb);
        fr_free(path);
        return FR_FAIL(err, FR_E_NOMEM, "no memory for the sandbox");
    }
    sb->loop = loop;
    sb->worker_path = path;
    sb->spares = spares;
    sb->open_handles = 3;
    uv_prepare_init(loop, &sb->flush);
    uv_timer_init(loop, &sb->watch);
    uv_timer_init(loop, &sb->refill);
    sb->flush.data = sb->watch.data = sb->refill.data = sb;
    uv_prepare_start(&sb->flush, sandbox_on_flush);
    uv_unref((uv_handle_t *)&sb->flush);       // these three alone keep no loop alive
    uv_unref((uv_handle_t *)&sb->watch);
    uv_unref((uv_handle_t *)&sb->refill);
    spares_changed(sb, false);
    *ret = sb;
    return FR_OK;
}

static void sandbox_on_closed(uv_handle_t *handle)
{
    sandbox_handle_closed(handle->data);
}

void sandbox_stop(struct sandbox *sb, void (*done)(void *arg), void *arg)
{
    assert(!sb->stopping);
    sb->stopping = true;
    sb->stop_done = done;
    sb->stop_arg = arg;
    worker_stop_all(sb);
    for (struct child *c = sb->children; c; c = c->next) child_drop(c);
    uv_close((uv_handle_t *)&sb->flush, sandbox_on_closed);
    uv_close((uv_handle_t *)&sb->watch, sandbox_on_closed);
    uv_close((uv_handle_t *)&sb->refill, sandbox_on_closed);
}
