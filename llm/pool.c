// pool.c — what the pool's owner calls, and the one timer. pool_pod.c knows a pod, pool_route.c chooses one, pool_part.c carries a request through, pool_facts.c tells.
#include "llm/pool.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/secret.h"
#include "llm/pool_inside.h"

// ---- the timer ----------------------------------------------------------------------------------------------------

static int64_t sooner(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t next_due(const struct llm_pool *p, int64_t now)
{
    int64_t due = p->soon ? now : INT64_MAX;
    for (const struct pod *pod = p->pods; pod; pod = pod->next) {
        if (!pod->gone && !pod->probe) due = sooner(due, pod->check_at);
        if (pod->open_at) due = sooner(due, pod->open_at);
    }
    if (p->waiting == 0) return due;
    for (const struct llm_sent *s = p->first; s; s = s->next)
        for (int i = 0; i < s->part_count; i++) {
            if (s->parts[i].step != PART_WAITING) continue;
            due = sooner(due, s->deadline_at);
            if (s->parts[i].wait_until > now) due = sooner(due, s->parts[i].wait_until);
        }
    return due;
}

static void on_timer(uv_timer_t *timer)
{
    struct llm_pool *p = timer->data;
    int64_t now = fr_mono_ms();
    p->soon = false;
    for (struct pod *pod = p->pods; pod; pod = pod->next) {
        if (pod->open_at && pod->open_at <= now) pod->open_at = 0;
        if (!pod->gone && !pod->probe && pod->check_at <= now) pod_probe(pod);
    }
    for (struct llm_sent *s = p->first, *next; s; s = next) {
        next = s->next;
        sent_settle(s);
    }
    pool_room(p);
    pool_arm(p);
    pool_maybe_stopped(p);
}

void pool_arm(struct llm_pool *p)
{
    int64_t now = fr_mono_ms(), due = p->stopping && !p->soon ? INT64_MAX : next_due(p, now);
    if (p->closing) return;
    if (due == INT64_MAX) uv_timer_stop(&p->timer);
    else {
        uv_update_time(p->o.loop);
        uv_timer_start(&p->timer, on_timer, due > now ? (uint64_t)(due - now) : 0, 0);
    }
}

void pool_room(struct llm_pool *p)
{
    struct fr_err ignored;                 // what cannot be started waits on
    for (struct llm_sent *s = p->waiting ? p->first : NULL, *next; s; s = next) {
        next = s->next;
        sent_advance(s, &ignored);
        sent_settle(s);
    }
    if (!p->stopping && p->o.on_room) p->o.on_room(p->o.arg);
}

// ---- made, changed, ended -----------------------------------------------------------------------------------------

void llm_pool_new(const struct llm_pool_options *o, struct llm_pool **ret)
{
    struct llm_pool *p = fr_must_alloc(sizeof *p);
    p->o = *o;
    p->draw = o->seed;
    while (!p->draw) fr_random_bytes(&p->draw, sizeof p->draw);
    p->settings = fr_must_alloc(sizeof *p->settings);
    uv_timer_init(o->loop, &p->timer);
    p->timer.data = p;
    llm_pool_configure(p, o->settings);
    *ret = p;
}

void llm_pool_configure(struct llm_pool *p, const struct llm_settings *settings)
{
    *p->settings = *settings;
    pods_configure(p);
    p->soon = true;
    pool_arm(p);
}

void llm_pool_engine(struct llm_pool *p, const char *unix_path, const char *key)
{
    snprintf(p->engine_path, sizeof p->engine_path, "%s", unix_path ? unix_path : "");
    snprintf(p->engine_key, sizeof p->engine_key, "%s", unix_path && key ? key : "");
    for (struct pod *pod = p->pods; pod; pod = pod->next) if (pod->is_engine && !pod->gone) pod_engine(p, pod);
    p->soon = true;
    pool_arm(p);
}

static void on_closed(uv_handle_t *handle)
{
    struct llm_pool *p = handle->data;
    if (p->stopped) p->stopped(p->stopped_arg);
}

void pool_maybe_stopped(struct llm_pool *p)
{
    if (!p->stopping || p->closing || p->first) return;
    for (const struct pod *pod = p->pods; pod; pod = pod->next) if (pod->running || pod->probe) return;
    p->closing = true;
    uv_close((uv_handle_t *)&p->timer, on_closed);
}

void llm_pool_stop(struct llm_pool *p, void (*done)(void *arg), void *arg)
{
    struct fr_err err;
    p->stopping = true;
    p->stopped = done;
    p->stopped_arg = arg;
    FR_FAIL_CODE(&err, FR_E_BUSY, "client_stopped", "this host is stopping");
    for (struct llm_sent *s = p->first; s; s = s->next) sent_fail(s, &err);
    for (struct pod *pod = p->pods; pod; pod = pod->next) if (pod->probe) net_call_cancel(pod->probe);
    p->soon = true;
    pool_arm(p);
}

void llm_pool_free(struct llm_pool *p)
{
    if (!p) return;
    assert(p->closing && !p->first);
    for (struct pod *pod = p->pods, *next; pod; pod = next) {
        next = pod->next;
        pod->gone = true;
        pod_release(pod);
    }
    assert(!p->pods);
    fr_wipe(p->engine_key, sizeof p->engine_key);
    fr_wipe(p->settings, sizeof *p->settings);                   // keys are in it
    fr_free(p->settings);
    fr_free(p);
}

// ---- a model ------------------------------------------------------------------------------------------------------

static bool backend_is_open(const struct llm_pool *p, const char *name, int64_t now)
{
    for (const struct pod *pod = p->pods; pod; pod = pod->next) if (!pod->gone && strcmp(pod->backend->s.name, name) == 0 && pod_is_open(pod, now)) return true;
    return false;
}

const struct llm_model_settings *llm_pool_model(const struct llm_pool *p, enum llm_kind kind, const char *name, const char *languages)
{
    const struct llm_model_settings *best = NULL;
    bool best_open = false;
    int64_t now = fr_mono_ms();
    if (!name[0]) name = kind == LLM_EMBED ? p->settings->default_embed : llm_settings_model_for(p->settings, languages);       // vectors of different models are not to be compared
    for (int b = 0; b < p->settings->backend_count; b++)
        for (int i = 0; i < p->settings->backends[b].model_count; i++) {
            const struct llm_model_settings *m = &p->settings->backends[b].models[i];
            if (strcmp(m->name, name) != 0) continue;
            bool open = backend_is_open(p, p->settings->backends[b].name, now);
            bool better = best && route_standing(m, languages) < route_standing(best, languages);
            if (best && (open == best_open ? !better : best_open)) continue;
            best = m;
            best_open = open;
        }
    return best;
}

// ---- a request ----------------------------------------------------------------------------------------------------

enum fr_status llm_pool_room(const struct llm_pool *p, const struct llm_pool_ask *ask, struct fr_err *err)
{
    if (p->stopping) return FR_FAIL_CODE(err, FR_E_BUSY, "client_stopped", "this host is stopping");
    return route_room(p, ask, err);
}

static bool make_parts(struct llm_sent *s)
{
    int inputs = s->request->kind == LLM_EMBED ? s->request->inputs : 1, count = s->request->kind == LLM_EMBED ? (inputs + LLM_SHARD_INPUTS - 1) / LLM_SHARD_INPUTS : 1;
    assert(count >= 1 && count <= PARTS_MAX);
    s->parts = fr_alloc((size_t)count * sizeof *s->parts);
    if (!s->parts) return false;
    s->part_count = count;
    for (int i = 0; i < count; i++) {      // as even as it goes
        int first = inputs * i / count;
        s->parts[i] = (struct part){ .sent = s, .first = first, .count = inputs * (i + 1) / count - first };
    }
    s->pool->waiting += count;
    if (count > 1) s->pool->shards += count;
    return true;
}

static enum fr_status take_back(struct llm_sent *s, enum fr_status st)
{
    struct llm_pool *p = s->pool;
    for (int i = 0; i < s->part_count; i++) p->waiting -= s->parts[i].step == PART_WAITING;
    llm_answer_free(s->answer);
    fr_free(s->parts);
    fr_free(s);
    return st;
}

enum fr_status llm_pool_send(struct llm_pool *p, const struct llm_pool_ask *ask, struct llm_sent **ret, struct fr_err *err)
{
    struct fr_err why = { 0 };
    FR_TRY(llm_pool_room(p, ask, err));
    struct llm_sent *s = fr_alloc(sizeof *s);
    if (!s) return FR_FAIL(err, FR_E_NOMEM, "no memory for a request to a model");
    *s = (struct llm_sent){ .pool = p, .request = ask->request, .need = ask->need | ask->request->need, .started_at = fr_mono_ms(), .on_delta = ask->request->kind == LLM_EMBED ? NULL : ask->on_delta, .done = ask->done, .arg = ask->arg };
    s->deadline_at = s->started_at + (ask->deadline_ms > 0 && ask->deadline_ms < LLM_DEADLINE_MS_MAX ? ask->deadline_ms : ask->deadline_ms > 0 ? LLM_DEADLINE_MS_MAX : LLM_DEADLINE_MS);
    snprintf(s->model, sizeof s->model, "%s", ask->model);
    if (!make_parts(s)) return take_back(s, FR_FAIL(err, FR_E_NOMEM, "no memory for a request to a model"));
    if (s->part_count > 1) {
        enum fr_status st = llm_answer_new(s->request, s->model, s->request->inputs, &s->answer, err);
        if (st != FR_OK) return take_back(s, st);
    }
    if (!sent_advance(s, &why)) {
        if (s->err.status != FR_OK) why = s->err;
        if (why.status == FR_OK || (why.status == FR_E_BUSY && strcmp(why.code, "client_busy") == 0)) FR_FAIL_CODE(&why, FR_E_BUSY, "llm_busy", "too many calls are under way");
        if (err) *err = why;
        return take_back(s, why.status);
    }
    s->prev = p->last;
    *(p->last ? &p->last->next : &p->first) = s;
    p->last = s;
    p->sent++;
    if (p->waiting) pool_arm(p);
    if (ret) *ret = s;
    return FR_OK;
}

void llm_pool_cancel(struct llm_sent *s)
{
    struct fr_err err;
    if (s->ended) return;
    s->cancelled = true;
    FR_FAIL_CODE(&err, FR_E_CONFLICT, "llm_cancelled", "cancelled");
    sent_fail(s, &err);
    if (s->running) return;                // told when what is under way has ended
    s->pool->soon = true;
    pool_arm(s->pool);
}

void llm_pool_pause(struct llm_sent *s, bool paused)
{
    s->paused = paused;
    for (int i = 0; i < s->part_count; i++) if (s->parts[i].step == PART_RUNNING) llm_exchange_pause(s->parts[i].x, paused);
}

bool llm_pool_ready(const struct llm_pool *p)
{
    for (const struct pod *pod = p->pods; pod; pod = pod->next) {
        if (pod->gone || (pod->state != POD_UP && pod->state != POD_TRIAL)) continue;
        for (int i = 0; i < pod->backend->s.model_count; i++) if (pod->backend->s.models[i].can & LLM_CAN_CHAT) return true;
    }
    return false;
}
