// version.c — versions of a plugin and their workers: started, up, down, drained, let go.
#include "plugin/internal.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugin/use.h"

const char *version_state_name(enum version_state s)
{
    static const char *const names[] = { "tried", "current", "draining", "over" };
    return names[s];
}

static struct slot *slot_of_version(const struct plugin_version *v)
{
    return slot_of(v->plugin);
}

static bool is_current(const struct plugin_version *v)
{
    return v->plugin->current == v;
}

// ---- made and let go

void version_free(struct plugin_version *v)
{
    if (!v) return;
    for (int i = 0; v->workers && i < v->worker_count; i++) fr_free(v->workers[i].open);
    fr_free(v->workers);
    fr_json_free(v->definition);
    package_free(v->package);
    fr_free(v);
}

enum fr_status version_new(struct slot *s, struct package *fresh, struct plugin_version **ret, struct fr_err *err)
{
    struct plugin_version *v = fr_alloc(sizeof *v);
    if (!v) return FR_FAIL(err, FR_E_NOMEM, "no memory for a plugin");
    v->plugin = &s->plugin;
    v->state = VERSION_TRIED;
    v->worker_count = fresh->manifest->workers;
    v->workers = fr_alloc((size_t)v->worker_count * sizeof *v->workers);
    bool whole = v->workers != NULL;
    for (int i = 0; whole && i < v->worker_count; i++) {
        v->workers[i] = (struct plugin_worker){ .version = v, .no = i + 1, .open = fr_alloc(CALL_BUCKETS * sizeof(struct open_call *)) };
        whole = v->workers[i].open != NULL;
    }
    enum fr_status st = whole ? plugin_terms(fresh->manifest, v->terms, err) : FR_FAIL(err, FR_E_NOMEM, "no memory for a plugin");
    if (st != FR_OK) {
        version_free(v);
        return st;
    }
    v->package = fresh;
    v->next = s->versions;
    s->versions = v;
    *ret = v;
    return FR_OK;
}

static void version_drop(struct plugin_version *v)
{
    struct plugin_version **at = &slot_of_version(v)->versions;
    while (*at != v) at = &(*at)->next;
    *at = v->next;
    version_free(v);
}

struct plugin_version *plugin_version_next(const struct plugin *p, const struct plugin_version *after)
{
    return after ? after->next : ((const struct slot *)p)->versions;
}

void plugin_version_ref(struct plugin_version *v)
{
    v->refs++;
}

void plugin_version_unref(struct plugin_version *v)
{
    if (!v) return;
    assert(v->refs > 0);
    if (--v->refs == 0 && v->state == VERSION_OVER) tidy_soon(v->plugin->all);
}

int plugin_version_matches(const struct plugin_version *v)
{
    int matches = 0;
    for (int i = 0; i < v->worker_count; i++) matches += v->workers[i].matches;
    return matches;
}

static int version_calls(const struct plugin_version *v)
{
    int calls = 0;
    for (int i = 0; i < v->worker_count; i++) calls += v->workers[i].calls;
    return calls;
}

int plugin_workers_up(const struct plugin_version *v)
{
    int up = 0;
    for (int i = 0; i < v->worker_count; i++) up += v->workers[i].up;
    return up;
}

bool version_runs(const struct plugin_version *v)
{
    for (int i = 0; i < v->worker_count; i++) if (v->workers[i].sandbox) return true;
    return false;
}

// ---- matches on workers

static bool worker_has_room(const struct plugin_worker *w)
{
    return w->matches < MATCHES_PER_WORKER_MAX - 1;
}

bool plugin_has_room(const struct plugin_version *v)
{
    for (int i = 0; i < v->worker_count; i++)
        if (worker_has_room(&v->workers[i])) return true;
    return false;
}

struct plugin_worker *plugin_pin(struct plugin_version *v)
{
    struct plugin_worker *best = &v->workers[0];
    for (int i = 1; i < v->worker_count; i++) {
        struct plugin_worker *w = &v->workers[i];
        bool room = worker_has_room(w), best_room = worker_has_room(best);
        if (room != best_room ? room : w->up != best->up ? w->up : w->matches < best->matches) best = w;
    }
    best->matches++;
    plugin_version_ref(v);
    return best;
}

void plugin_unpin(struct plugin_worker *w)
{
    assert(w->matches > 0);
    w->matches--;
    if (w->version->state == VERSION_DRAINING) tidy_soon(w->version->plugin->all);
    plugin_version_unref(w->version);
}

uint32_t plugin_slot_take(struct plugin_worker *w)
{
    for (uint32_t i = 0; i < MATCHES_PER_WORKER_MAX / 64; i++) {
        uint64_t free = ~w->slots[i];
        if (i == 0) free &= ~UINT64_C(1);                 // 0 is no match's
        if (free == 0) continue;
        w->slots[i] |= free & -free;
        return i * 64 + (uint32_t)__builtin_ctzll(free);
    }
    return 0;
}

void plugin_slot_give(struct plugin_worker *w, uint32_t slot)
{
    if (slot == 0) return;
    assert(slot < MATCHES_PER_WORKER_MAX && (w->slots[slot / 64] >> slot % 64 & 1));
    w->slots[slot / 64] &= ~(UINT64_C(1) << slot % 64);
}

// ---- what the sandbox says

static void on_ask(void *arg, struct sandbox_worker *sandbox, const struct sandbox_ask *ask)
{
    struct plugin_worker *w = arg;
    assert(w->sandbox == sandbox);
    const struct plugins_options *o = &w->version->plugin->all->o;
    o->on_ask(o->arg, w, ask);
}

static void on_stream(void *arg, struct sandbox_worker *sandbox, void *call_arg, const char *text, size_t len)
{
    (void)arg, (void)sandbox;
    plugin_call_stream(call_arg, text, len);       // false: nobody listens, which is no mistake of the plugin's
}

// Its code is wrong, or it crashed too often.
static void version_failed(struct plugin_version *v, enum plugin_state state, const struct fr_err *why, const char *frame)
{
    struct slot *s = slot_of_version(v);
    struct fr_err kept = *why;
    if (frame) plugin_log_add(&s->plugin, "error", frame, NULL);
    if (v->state == VERSION_TRIED && !is_current(v)) {
        change_on_failed(s, v, &kept, frame);
        return;
    }
    if (is_current(v)) {
        plugin_fail(s, state, &kept);
        if (s->change) change_on_failed(s, v, &kept, frame);       // it had just been installed
        else if (state == PLUGIN_FAILED) change_fall_back(s);
        return;
    }
    plugin_log_add(&s->plugin, "error", kept.text, NULL);
    version_retire(v, "version_failed");
    change_on_failed(s, v, &kept, frame);      // it was about to serve again
}

static void on_up(void *arg, struct sandbox_worker *sandbox, const char *definition_json)
{
    struct plugin_worker *w = arg;
    struct plugin_version *v = w->version;
    struct slot *s = slot_of_version(v);
    const struct plugins_options *o = &s->plugin.all->o;
    struct fr_err err;
    char no[12];
    FR_AUTO(fr_json) definition = NULL;
    w->sandbox = sandbox;
    enum fr_status st = fr_json_parse(definition_json, strlen(definition_json), &definition, &err);
    if (st == FR_OK) st = definition_check(v->package->manifest, definition, &err);
    if (st != FR_OK) {
        version_failed(v, PLUGIN_FAILED, &err, NULL);
        return;
    }
    w->up = true;
    if (!v->definition) v->definition = FR_TAKE(definition);
    snprintf(no, sizeof no, "%d", w->no);
    fr_log(LOG_INFO, "plugin.up", "plugin", slot_id(s), "version", v->package->manifest->version, "#worker", no, "state", version_state_name(v->state), NULL);
    if (is_current(v)) {
        s->plugin.definition = v->definition;
        plugin_set_state(s, PLUGIN_UP);
    }
    if (v->state != VERSION_TRIED && o->on_up) o->on_up(o->arg, w);
    if (plugin_workers_up(v) == v->worker_count) change_on_up(s, v);
}

static void on_load_failed(void *arg, struct sandbox_worker *sandbox, const char *error_json)
{
    struct plugin_worker *w = arg;
    struct fr_err err;
    FR_AUTO(fr_json) said = NULL;
    w->sandbox = sandbox;
    if (fr_json_parse(error_json, strlen(error_json), &said, NULL) != FR_OK) said = NULL;
    const char *file = said ? fr_json_text(fr_json_get(said, "file")) : NULL, *detail = said ? fr_json_text(fr_json_get(said, "detail")) : NULL;
    const char *frame = said ? fr_json_text(fr_json_get(said, "frame")) : NULL;
    double line = said ? fr_json_number(fr_json_get(said, "line")) : 0;
    if (file) FR_FAIL_CODE(&err, FR_E_INVALID, "plugin_error", "%.60s:%.0f: %.300s", file, line, detail ? detail : "it does not load");
    else FR_FAIL_CODE(&err, FR_E_INVALID, "plugin_error", "%.300s", detail ? detail : "it does not load");
    version_failed(w->version, PLUGIN_FAILED, &err, frame);
}

static void on_down(void *arg, struct sandbox_worker *sandbox, const struct sandbox_death *death)
{
    struct plugin_worker *w = arg;
    struct plugin_version *v = w->version;
    struct slot *s = slot_of_version(v);
    const struct plugins_options *o = &s->plugin.all->o;
    struct fr_err err;
    char text[260];
    assert(w->sandbox == sandbox);
    w->up = false;
    snprintf(text, sizeof text, "its worker ended: %s: %s", death->code, death->text);
    plugin_log_add(&s->plugin, "error", text, NULL);
    fr_log(LOG_WARN, "plugin.down", "plugin", slot_id(s), "version", v->package->manifest->version, "code", death->code, "text", death->text, NULL);
    bool own_fault = strcmp(death->code, "killed") != 0;             // whoever killed it, it was not the plugin
    if (v->state == VERSION_TRIED && own_fault) {
        version_failed(v, PLUGIN_FAILED, (FR_FAIL_CODE(&err, FR_E_INVALID, death->code, "its worker ended while it loaded: %s", death->text), &err), NULL);
        return;
    }
    int deaths = own_fault ? plugin_died(&s->plugin, v) : 0;         // of this version, without those that one player alone is to blame for
    bool hopeless = deaths >= WORKER_CRASHES_PER_MINUTE_MAX;
    if (!hopeless && is_current(v) && plugin_workers_up(v) == 0) plugin_set_state(s, PLUGIN_DOWN);
    if (hopeless)
        FR_FAIL_CODE(&err, FR_E_INTERNAL, "plugin_quarantined", "its worker ended %d times within a minute by its own fault, last: %s: %s; enabling it again gives it another try",
                     deaths, death->code, death->text);
    if (hopeless && is_current(v)) {
        plugin_set_state(s, PLUGIN_QUARANTINED);                     // before anyone is told: nobody shall be told to try again
        s->plugin.error = err;
    }
    if (v->state != VERSION_TRIED && o->on_down) o->on_down(o->arg, w, death);
    if (hopeless && v->state != VERSION_OVER) version_failed(v, PLUGIN_QUARANTINED, &err, NULL);
}

// ---- start and stop

static enum fr_status worker_start(struct plugin_worker *w, const char *options, struct fr_err *err)
{
    const struct package *p = w->version->package;
    struct plugins *ps = w->version->plugin->all;
    struct sandbox_spec spec = { .name = p->manifest->id, .version = p->manifest->version, .options_json = options, .files = p->files,
                                 .file_count = p->file_count, .heap_bytes = p->manifest->heap_bytes, .account = &w->version->plugin->meter->now.used, .arg = w,
                                 .on_up = on_up, .on_down = on_down, .on_load_failed = on_load_failed, .on_ask = on_ask, .on_stream = on_stream };
    assert(!w->sandbox);
    FR_TRY(sandbox_worker_start(ps->o.sandbox, &spec, &w->sandbox, err));
    ps->workers++;
    return FR_OK;
}

enum fr_status version_start(struct plugin_version *v, struct fr_err *err)
{
    struct plugins *ps = v->plugin->all;
    FR_AUTO_BUF(options);
    fr_buf_init(&options, 1024);
    package_options(v->package, &options);
    FR_TRY(fr_buf_check(&options, "the worker's options", err));
    if (ps->workers + v->worker_count > WORKERS_MAX)
        return FR_FAIL_CODE(err, FR_E_LIMIT, "too_many_workers", "%d workers of plugins run here, and %d are the most", ps->workers, WORKERS_MAX);
    v->over_why = NULL;
    enum fr_status st = FR_OK;
    for (int i = 0; i < v->worker_count && st == FR_OK; i++) st = worker_start(&v->workers[i], options.data, err);
    if (st != FR_OK) version_stop(v);
    return st;
}

void version_stop(struct plugin_version *v)
{
    for (int i = 0; i < v->worker_count; i++) {
        struct plugin_worker *w = &v->workers[i];
        if (!w->sandbox) continue;
        w->up = false;
        v->plugin->all->workers--;
        sandbox_worker_stop(w->sandbox);       // answers every open call before it returns
        w->sandbox = NULL;
    }
}

void version_stop_and_tell(struct plugin_version *v, bool only_up, const char *text)
{
    const struct plugins_options *o = &v->plugin->all->o;
    struct sandbox_death stopped = { .code = "stopped" };
    bool ran[WORKERS_PER_PLUGIN_MAX];
    snprintf(stopped.text, sizeof stopped.text, "%s", text);
    for (int i = 0; i < v->worker_count; i++) ran[i] = only_up ? v->workers[i].up : v->workers[i].sandbox != NULL;
    version_stop(v);
    for (int i = 0; i < v->worker_count; i++)
        if (ran[i] && o->on_down) o->on_down(o->arg, &v->workers[i], &stopped);
}

void version_retire(struct plugin_version *v, const char *why)
{
    assert(!is_current(v));
    v->state = VERSION_OVER;
    v->over_why = why;
    fr_log(LOG_INFO, "plugin.version_over", "plugin", slot_id(slot_of_version(v)), "version", v->package->manifest->version, "why", why, NULL);
    plugin_version_ref(v);                     // its matches let go of it while they are told
    version_stop_and_tell(v, false, "its version is over");
    plugin_version_unref(v);
    tidy_soon(v->plugin->all);
}

// The oldest go first when too many drain at once.
static void retire_oldest(struct slot *s)
{
    int draining = 0;
    struct plugin_version *oldest = NULL;
    for (struct plugin_version *v = s->versions; v; v = v->next)
        if (v->state == VERSION_DRAINING) { draining++; oldest = v; }
    if (draining > VERSIONS_DRAINING_MAX) version_retire(oldest, "version_retired");
}

static void version_drain(struct plugin_version *v)
{
    struct plugins *ps = v->plugin->all;
    struct fr_err err;
    v->state = VERSION_DRAINING;
    v->drain_due_ms = fr_mono_ms() + (ps->o.drain_ms ? ps->o.drain_ms : VERSION_DRAIN_MS);
    if (!version_runs(v) && plugin_version_matches(v) > 0 && version_start(v, &err) != FR_OK) {       // it had crashed, and its matches wait
        fr_log_err(LOG_ERROR, "plugin.version_lost", &err, "plugin", v->package->manifest->id, NULL);
        version_retire(v, "version_failed");
    }
    tidy_soon(ps);
}

void version_serve(struct slot *s, struct plugin_version *v)
{
    struct plugin_version *before = s->plugin.current;
    v->state = VERSION_CURRENT;
    s->plugin.current = v;
    s->plugin.package = v->package;
    s->plugin.definition = v->definition;
    s->plugin.terms = v->terms;
    s->plugin.meter->percent = plugin_cpu_percent(&s->plugin.all->o, v->package->manifest);
    if (!before || before == v) return;
    version_drain(before);
    retire_oldest(s);
}

void version_forget(struct plugin_version *v)
{
    assert(!is_current(v));
    v->state = VERSION_OVER;
    version_stop(v);
    tidy_soon(v->plugin->all);
}

// ---- tidying: on a turn of the loop of its own, because a worker may not be stopped by its own last word

static bool tidy_version(struct plugin_version *v, int64_t now_ms, int64_t *next_ms)
{
    if (v->state == VERSION_DRAINING && plugin_version_matches(v) == 0 && version_calls(v) == 0) {
        v->state = VERSION_OVER;
        fr_log(LOG_INFO, "plugin.version_over", "plugin", v->package->manifest->id, "version", v->package->manifest->version, "why", "drained", NULL);
        version_stop(v);
    }
    if (v->state == VERSION_DRAINING && now_ms >= v->drain_due_ms) version_retire(v, "version_retired");
    if (v->state == VERSION_DRAINING && v->drain_due_ms < *next_ms) *next_ms = v->drain_due_ms;
    return v->state == VERSION_OVER && v->refs == 0 && version_calls(v) == 0 && !is_current(v);
}

static void on_tidy(uv_timer_t *timer)
{
    struct plugins *ps = ((struct tidy *)timer->data)->ps;
    int64_t now_ms = fr_mono_ms(), next_ms = INT64_MAX;
    for (int i = 0; i < ps->count; i++)
        for (struct plugin_version *v = ps->slots[i]->versions, *next; v; v = next) {
            bool over = tidy_version(v, now_ms, &next_ms);
            next = v->next;
            if (over) version_drop(v);
        }
    change_expire(ps, now_ms, &next_ms);
    if (next_ms != INT64_MAX && !uv_is_active((uv_handle_t *)timer)) uv_timer_start(timer, on_tidy, (uint64_t)(next_ms > now_ms ? next_ms - now_ms : 1), 0);
}

void tidy_soon(struct plugins *ps)
{
    if (ps->tidy) uv_timer_start(&ps->tidy->timer, on_tidy, 0, 0);
}

enum fr_status tidy_open(struct plugins *ps, struct fr_err *err)
{
    ps->tidy = fr_alloc(sizeof *ps->tidy);
    if (!ps->tidy) return FR_FAIL(err, FR_E_NOMEM, "no memory for the plugins");
    ps->tidy->ps = ps;
    uv_timer_init(ps->o.loop, &ps->tidy->timer);
    ps->tidy->timer.data = ps->tidy;
    uv_unref((uv_handle_t *)&ps->tidy->timer);             // it alone keeps no loop alive
    return FR_OK;
}

static void tidy_on_closed(uv_handle_t *handle)
{
    fr_free(handle->data);
}

void tidy_close(struct plugins *ps)
{
    if (!ps->tidy) return;
    uv_close((uv_handle_t *)&ps->tidy->timer, tidy_on_closed);
    ps->tidy = NULL;
}
