// pool_pod.c — a pod: whether it is well, how much it bears, and how long it is left alone. Nothing here chooses.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "llm/pool_inside.h"

#define WINDOW_FIRST 4.0                   // where nobody said how many at once
#define SLOWER_MAX 4                       // times its best pace: it gets no more at once. Never less for that: its best may have come out of a cache
#define LOADING_MS 250                     // an engine that loads its model is looked at again soon

static int64_t jitter(int64_t ms)
{
    uint32_t random;
    fr_random_bytes(&random, sizeof random);
    return ms - ms / 4 + random % (uint32_t)(ms / 2 + 1);
}

static double window_most(const struct pod *pod) { return pod->at.concurrency ? pod->at.concurrency : LLM_POD_CALLS_MAX; }

bool pod_is_open(const struct pod *pod, int64_t now) { return (pod->state == POD_UP || pod->state == POD_TRIAL) && now >= pod->open_at; }

bool pod_has_room(const struct pod *pod, int64_t now)
{
    return pod_is_open(pod, now) && pod->running < (pod->state == POD_TRIAL ? 1 : (int)pod->window);
}

const struct llm_model_settings *pod_model(const struct pod *pod, const char *model)
{
    for (int i = 0; i < pod->backend->s.model_count; i++) if (strcmp(pod->backend->s.models[i].name, model) == 0) return &pod->backend->s.models[i];
    return NULL;
}

// ---- what its calls teach -----------------------------------------------------------------------------------------

static void learn_pace(struct pod *pod, int64_t ms, int64_t tokens)
{
    int64_t pace = ms * 1000 / (16 + tokens) + 1;
    pod->pace_us += pod->pace_us ? (pace - pod->pace_us) / 8 : pace;
    if (!pod->best_pace_us || pace < pod->best_pace_us) pod->best_pace_us = pace;
    else pod->best_pace_us += (pace - pod->best_pace_us) / 128;  // what it was long ago counts less and less
}

void pod_answered(struct pod *pod, int64_t ms, int64_t tokens)
{
    bool used_up = pod->running + 1 >= (int)pod->window;
    pod->answered++;
    pod->failures = pod->openings = pod->fulls = 0;
    pod->state = POD_UP;
    pod->answered_at = fr_mono_ms();
    pod->why[0] = 0;
    learn_pace(pod, ms, tokens);
    if (used_up && pod->pace_us <= SLOWER_MAX * pod->best_pace_us) pod->window += 1 / pod->window;
    if (pod->window > window_most(pod)) pod->window = window_most(pod);
}

// Once for all calls that were under way at that time: they tell the same.
static void halve(struct pod *pod, int64_t now)
{
    if (now - pod->halved_at < 100) return;
    pod->halved_at = now;
    pod->window = pod->window / 2 < 1 ? 1 : pod->window / 2;
}

static void leave_alone(struct pod *pod, int64_t now)
{
    int64_t wait = (int64_t)LLM_DOWN_MS_MIN << (pod->openings < 7 ? pod->openings : 7);
    if (wait > LLM_DOWN_MS_MAX) wait = LLM_DOWN_MS_MAX;
    pod->openings++;
    pod->state = POD_DOWN;
    pod->check_at = now + jitter(wait);
    pool_arm(pod->pool);
}

void pod_failed(struct pod *pod, const char *why, bool slow)
{
    int64_t now = fr_mono_ms();
    pod->failed++;
    pod->late += slow;
    pod->failures++;
    snprintf(pod->why, sizeof pod->why, "%s", why);
    if (slow) halve(pod, now);
    if (pod->state == POD_DOWN) return;    // others that were under way
    if (pod->state != POD_UP || pod->failures >= LLM_FAILURES_MAX) leave_alone(pod, now);
}

void pod_is_full(struct pod *pod, int64_t retry_after_ms)
{
    int64_t now = fr_mono_ms(), wait = retry_after_ms > 0 ? retry_after_ms : (int64_t)LLM_DOWN_MS_MIN << (pod->fulls < 7 ? pod->fulls : 7);
    pod->fulls++;
    if (wait > LLM_RETRY_AFTER_MS_MAX) wait = LLM_RETRY_AFTER_MS_MAX;
    pod->full++;
    halve(pod, now);
    if (pod->state == POD_TRIAL) pod->state = POD_UP;            // it is well
    if (now + wait > pod->open_at) pod->open_at = now + wait;
    pool_arm(pod->pool);
}

// ---- looking at it ------------------------------------------------------------------------------------------------

static void came_up(struct pod *pod)
{
    bool was_down = pod->state == POD_DOWN, news = pod->state == POD_DOWN || pod->state == POD_NEW;
    if (news) pod->state = was_down ? POD_TRIAL : POD_UP;
    if (pod->state == POD_UP) pod->failures = 0;
    pod->check_at = fr_mono_ms() + jitter(LLM_HEALTH_MS);
    if (news) pool_room(pod->pool);
}

static void on_probe(void *arg, enum fr_status st, const struct net_answer *answer, const struct fr_err *err)
{
    struct pod *pod = arg;
    struct llm_pool *p = pod->pool;
    int status = answer ? answer->http_status : 0;
    char why[120];
    pod->probe = NULL;
    if (pod->gone || p->stopping) {
        pod_release(pod);
        pool_maybe_stopped(p);
        return;
    }
    if (pod->is_engine && !pod->at.unix_path[0]) return;         // it went meanwhile
    bool fine = st == FR_OK && status >= 200 && status < 500 && status != 401 && status != 403 && !(pod->is_engine && status != 200);
    if (fine) came_up(pod);
    else if (pod->is_engine && status == 503) pod->check_at = fr_mono_ms() + LOADING_MS;
    else {
        if (st != FR_OK) snprintf(why, sizeof why, "%s", err->text);
        else snprintf(why, sizeof why, status == 401 || status == 403 ? "it does not take our key (%d)" : "asked how it is, it answered %d", status);
        pod_failed(pod, why, false);
        if (pod->state == POD_DOWN && pod->check_at <= fr_mono_ms()) leave_alone(pod, fr_mono_ms());
        else if (pod->state != POD_DOWN) pod->check_at = fr_mono_ms() + jitter(LLM_DOWN_MS_MIN);
        pool_room(p);                      // whoever waits for it learns that it went
    }
    pool_arm(p);
}

void pod_probe(struct pod *pod)
{
    char url[LLM_URL_BYTES + 16], bearer[LLM_SECRET_BYTES + 8];
    struct net_pair headers[] = { { "Authorization", bearer } };
    struct fr_err err;
    int64_t now = fr_mono_ms();
    if (pod->probe || pod->gone || pod->pool->stopping) return;
    if (pod->state == POD_UP && pod->answered_at + LLM_HEALTH_MS / 2 > now) {      // its calls say more
        pod->check_at = now + jitter(LLM_HEALTH_MS);
        return;
    }
    if (pod->is_engine) snprintf(url, sizeof url, "http://localhost/health");
    else snprintf(url, sizeof url, "%s/models", pod->at.url);
    snprintf(bearer, sizeof bearer, "Bearer %s", pod->backend->s.key);
    struct net_ask ask = { .url = url, .unix_path = pod->at.unix_path[0] ? pod->at.unix_path : NULL, .headers = headers, .header_count = pod->backend->s.key[0] ? 1 : 0, .ca_file = pod->backend->s.ca_file,
                           .connect_ms = LLM_PROBE_MS, .idle_ms = LLM_PROBE_MS, .total_ms = LLM_PROBE_MS, .answer_bytes_max = JSON_TEXT_BYTES_MAX, .done = on_probe, .arg = pod };
    pod->probed++;
    if (net_call_start(pod->pool->o.client, &ask, &pod->probe, &err) != FR_OK) pod->check_at = now + jitter(LLM_DOWN_MS_MIN);      // our own shortage
    explicit_bzero(bearer, sizeof bearer);
}

// ---- coming and going ---------------------------------------------------------------------------------------------

static void kept_drop(struct kept *k)
{
    if (--k->refs > 0) return;
    explicit_bzero(k->s.key, sizeof k->s.key);
    fr_free(k);
}

void pod_release(struct pod *pod)
{
    if (!pod->gone || pod->running || pod->probe) return;
    struct pod **at = &pod->pool->pods;
    while (*at != pod) at = &(*at)->next;
    *at = pod->next;
    kept_drop(pod->backend);
    fr_free(pod);
}

static bool same_address(const struct pod *pod, const struct llm_backend_settings *b, const struct llm_pod_settings *at)
{
    return strcmp(pod->backend->s.name, b->name) == 0 && strcmp(pod->at.url, at->url) == 0
           && (pod->is_engine || (strcmp(pod->at.unix_path, at->unix_path) == 0 && strcmp(pod->backend->s.key, b->key) == 0));
}

// One that stays keeps what was learned.
static void pod_configure(struct llm_pool *p, struct kept *k, int no)
{
    const struct llm_pod_settings *at = &k->s.pods[no];
    struct pod *pod = p->pods;
    bool is_engine = strcmp(k->s.name, "engine") == 0;
    while (pod && (!pod->gone || !same_address(pod, &k->s, at))) pod = pod->next;
    if (!pod) {
        pod = fr_must_alloc(sizeof *pod);
        *pod = (struct pod){ .next = p->pods, .pool = p, .state = POD_NEW, .is_engine = is_engine, .window = at->concurrency ? at->concurrency : WINDOW_FIRST, .at = *at };
        if (is_engine) pod->state = POD_DOWN;
        p->pods = pod;
    } else {
        bool said = pod->at.concurrency != at->concurrency && at->concurrency;
        pod->at.concurrency = at->concurrency;
        if (said || pod->window > window_most(pod)) pod->window = window_most(pod);
        kept_drop(pod->backend);
    }
    pod->gone = false;
    pod->backend = k;
    k->refs++;
    snprintf(pod->name, sizeof pod->name, "%s/%d", k->s.name, no);
    if (!is_engine) return;
    snprintf(k->s.key, sizeof k->s.key, "%s", p->engine_key);    // settings know nothing of it
    pod_engine(p, pod);
}

void pods_configure(struct llm_pool *p)
{
    for (struct pod *pod = p->pods; pod; pod = pod->next) pod->gone = true;
    for (int b = 0; b < p->settings->backend_count; b++) {
        struct kept *k = fr_must_alloc(sizeof *k);
        *k = (struct kept){ .refs = 1, .s = p->settings->backends[b] };
        for (int i = 0; i < k->s.pod_count; i++) pod_configure(p, k, i);
        kept_drop(k);
    }
    for (struct pod *pod = p->pods, *next; pod; pod = next) {
        next = pod->next;
        if (pod->gone && pod->probe) net_call_cancel(pod->probe);
        pod_release(pod);
    }
}

void pod_engine(struct llm_pool *p, struct pod *pod)
{
    if (strcmp(pod->at.unix_path, p->engine_path) == 0 && strcmp(pod->backend->s.key, p->engine_key) == 0 && pod->state != POD_DOWN) return;
    snprintf(pod->at.unix_path, sizeof pod->at.unix_path, "%s", p->engine_path);
    snprintf(pod->backend->s.key, sizeof pod->backend->s.key, "%s", p->engine_key);
    pod->failures = pod->openings = 0;
    pod->state = p->engine_path[0] ? POD_NEW : POD_DOWN;
    pod->check_at = p->engine_path[0] ? 0 : INT64_MAX;
    snprintf(pod->why, sizeof pod->why, "%s", p->engine_path[0] ? "" : "it is not there yet");
}
