// llm.c — who asks, and how he is told. What is asked for is a flight (flight.c); identical calls under way share one.
#include "llm/llm_inside.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define TICK_MS 50                                      // how late a deadline may be noticed
#define SLOW_TICKS 10

// ---- the end

static void on_rest_stopped(void *arg);
static void handle_closed(uv_handle_t *handle)
{
    struct llm *l = handle->data;
    if (--l->handles > 0) return;
    l->stopped(l->stopped_arg);
}

static void on_budgets_stopped(void *arg)
{
    struct llm *l = arg;
    llm_recorder_stop(l->recorder, on_rest_stopped, l);
}

static void on_rest_stopped(void *arg)
{
    struct llm *l = arg;
    uv_close((uv_handle_t *)&l->soon, handle_closed);
    uv_close((uv_handle_t *)&l->tick, handle_closed);
}

// Calls first, then pods, then what both settled.
void llm_maybe_stopped(struct llm *l)
{
    if (!l->stopping || !l->pool_stopped || l->calls > 0 || l->flight_count > 0 || l->rest_stopping) return;
    l->rest_stopping = true;
    llm_budgets_stop(l->budgets, on_budgets_stopped, l);
}

static void call_free(struct llm_call *c)
{
    struct llm_flight *f = c->flight;
    struct llm_call **link = &f->calls;
    while (*link != c) link = &(*link)->beside;
    *link = c->beside;
    *c->link = c->next;
    if (c->next) c->next->link = c->link;
    c->llm->calls--;
    flight_unref(f);
    fr_free(c);
}

// Who came when events had been told already, or whose answer was known, gets all of it as one event.
static void tell_at_once(struct llm_call *c)
{
    const struct llm_flight *f = c->flight;
    FR_AUTO_BUF(event);
    fr_buf_init(&event, 2 * LLM_ANSWER_BYTES_MAX);
    if (!llm_screen_as_event(f->json.data, f->json.len, &event)) return;
    c->streamed = true;
    c->on_delta(c->arg, c, &(struct llm_delta){ f->text.data ? f->text.data : "", f->text.len, event.data, event.len });
}

static void call_tell(struct llm_call *c)
{
    const struct llm_flight *f = c->flight;
    int64_t now_ms = fr_mono_ms(), sent_ms = f->sent_ms ? f->sent_ms : now_ms;
    bool good = c->status == FR_OK, same = !c->own;
    if (good && c->on_delta && !c->streamed) tell_at_once(c);
    struct llm_end end = { .json = good ? f->json.data : NULL, .json_len = good ? f->json.len : 0, .text = good && f->text.data ? f->text.data : "", .text_len = good ? f->text.len : 0, .finish = good ? f->finish : "",
                           .model = f->model, .pod = f->pod, .prompt_tokens = same ? f->prompt_tokens : 0, .answer_tokens = same ? f->answer_tokens : 0, .cost_units = same && c->first ? f->cost_units : 0,
                           .cached = c->cached, .streamed = c->streamed, .retry_after_ms = same ? f->retry_after_ms : 0,
                           .queued_ms = sent_ms > c->started_ms ? sent_ms - c->started_ms : 0, .first_ms = f->first_ms, .total_ms = now_ms - c->started_ms };
    snprintf(end.record, sizeof end.record, "%s", good ? f->record : "");
    c->llm->failed += !good;
    c->done(c->arg, c->status, &end, good ? NULL : &c->err);
    call_free(c);
}

static void on_soon(uv_timer_t *timer)
{
    struct llm *l = timer->data;
    l->soon_set = false;
    struct llm_call *list = l->ending;
    l->ending = NULL;
    l->ending_last = &l->ending;
    while (list) {
        struct llm_call *c = list;
        list = c->ending_next;
        call_tell(c);
    }
    if (l->calls == 0 && l->flight_count == 0) uv_timer_stop(&l->tick);
    llm_maybe_stopped(l);
}

void llm_wake(struct llm *l)
{
    if (l->soon_set || l->rest_stopping) return;
    l->soon_set = true;
    uv_timer_start(&l->soon, on_soon, 0, 0);
}

void call_end(struct llm_call *c, enum fr_status st, const struct fr_err *err)
{
    struct llm *l = c->llm;
    assert(!c->over);
    c->over = true;
    c->status = st;
    if (st != FR_OK) c->err = *err;
    *l->ending_last = c;
    l->ending_last = &c->ending_next;
    llm_wake(l);
}

// This one alone; the others on its flight go on.
static void call_leave(struct llm_call *c, enum fr_status st, const struct fr_err *err)
{
    struct llm_flight *f = c->flight;
    c->own = true;
    call_end(c, st, err);
    if (--f->wanted == 0) flight_unwanted(f);
    else flight_pause(f);
}

static void on_tick(uv_timer_t *timer)
{
    struct llm *l = timer->data;
    int64_t now_ms = fr_mono_ms();
    struct fr_err err;
    for (struct llm_call *c = l->first; c; c = c->next)
        if (!c->over && now_ms >= c->ends_ms) call_leave(c, FR_FAIL_CODE(&err, FR_E_TIMEOUT, "llm_deadline", "no answer from %s in %lld ms", c->flight->model, (long long)(c->ends_ms - c->started_ms)), &err);
    if (++l->ticks % SLOW_TICKS == 0) flight_tick(l, now_ms);
    if (l->calls == 0 && l->flight_count == 0) uv_timer_stop(&l->tick);
    llm_maybe_stopped(l);
}

// ---- the beginning

static enum fr_status need_read(const char *text, unsigned *ret, struct fr_err *err)
{
    char name[LLM_NAME_BYTES];
    *ret = 0;
    while (text && *text) {
        size_t len = strcspn(text, ",");
        snprintf(name, sizeof name, "%.*s", (int)len, text);
        unsigned can = llm_can_named(name);
        if (!can) return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "\"%s\" is nothing that a model can", name);
        *ret |= can;
        text += len + (text[len] == ',');
    }
    return FR_OK;
}

static void look_for_words(void *arg, const char *text)
{
    struct llm_flight *f = arg;
    f->refused = f->refused || llm_filter_refuses(f->llm->rules, text);
}

static enum fr_status flight_read(struct llm_flight *f, const struct llm_ask *ask, struct fr_err *err)
{
    struct llm *l = f->llm;
    uint8_t payer[SHA256_BYTES];
    FR_TRY(need_read(ask->need, &f->need, err));
    FR_TRY(llm_request_parse(ask->kind, ask->body, ask->body_len, &f->request, err));
    const struct llm_model_settings *m = llm_pool_model(l->pool, ask->kind, f->request.model, f->request.languages);
    if (!m && f->request.model[0]) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "model_unknown", "there is no model \"%s\"", f->request.model);
    if (!m) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "model_unknown", "there is no model for this");
    llm_request_texts(&f->request, look_for_words, f);
    if (f->refused) return FR_FAIL_CODE(err, FR_E_DENIED, "llm_refused", "the prompt holds what this host does not pass on");
    snprintf(f->model, sizeof f->model, "%s", m->name);
    f->price = m->price;
    f->from = ask->from;
    f->priority = ask->priority < 0 ? 0 : ask->priority > 2 ? 2 : ask->priority;
    f->keep = ask->keep || llm_recorder_wants(l->recorder);
    f->keep_whole = ask->keep;
    f->has_key = f->request.repeatable && !ask->fresh;
    if (!f->has_key) return FR_OK;
    llm_cache_key(&f->from, f->model, f->request.sha, f->key);
    fr_sha256(f->from.payer, strlen(f->from.payer), payer);          // who pays for it may differ: then it is not the same flight
    for (int i = 0; i < SHA256_BYTES; i++) f->flight_key[i] = f->key[i] ^ payer[i];
    f->flight_key[0] ^= (uint8_t)f->need;
    return FR_OK;
}

static struct llm_flight *flight_new(struct llm *l)
{
    struct llm_flight *f = fr_alloc(sizeof *f);
    if (!f) return NULL;
    f->llm = l;
    f->refs = 1;
    f->started_ms = fr_mono_ms();
    fr_buf_init(&f->json, 4 * LLM_ANSWER_BYTES_MAX);
    fr_buf_init(&f->text, LLM_ANSWER_BYTES_MAX);
    fr_buf_init(&f->events, 2 * LLM_ANSWER_BYTES_MAX);
    f->next = l->flights;
    f->link = &l->flights;
    if (f->next) f->next->link = &f->next;
    l->flights = f;
    l->flight_count++;
    return f;
}

static void call_join(struct llm_call *c, struct llm_flight *f)
{
    c->flight = f;
    c->beside = f->calls;
    f->calls = c;
    f->refs++;
    f->wanted++;
}

// The answer is known: the flight is over before it begins.
static bool from_cache(struct llm_flight *f, struct llm_call *c)
{
    struct llm_cached hit;
    if (!f->has_key || !llm_cache_get(f->llm->cache, f->key, fr_mono_ms(), &hit)) return false;
    flight_answer(f, hit.json, hit.json_len, hit.text, strlen(hit.text), hit.finish);
    f->prompt_tokens = hit.prompt_tokens;
    f->answer_tokens = hit.answer_tokens;
    f->step = FLIGHT_OVER;
    c->cached = true;
    call_join(c, f);
    f->wanted = 0;
    f->refs--;                                                        // it has no life of its own
    f->llm->cached++;
    return true;
}

// Whoever asks for what is under way already waits with the others. Who comes after the first event gets all at the end.
static bool join_same(struct llm_flight *mine, struct llm_call *c)
{
    struct llm_flight *f = mine->has_key ? fr_map_get(c->llm->same, mine->flight_key, SHA256_BYTES) : NULL;
    if (!f || f->wanted == 0) return false;
    f->keep = f->keep || mine->keep;
    f->keep_whole = f->keep_whole || mine->keep_whole;
    call_join(c, f);
    c->cached = true;
    c->live = c->on_delta && f->stream && !f->streamed;
    c->llm->joined++;
    return true;
}

static enum fr_status call_start(struct llm_call *c, const struct llm_ask *ask, struct fr_err *err)
{
    struct llm *l = c->llm;
    struct llm_flight *f = flight_new(l);
    int64_t retry_after_ms = 0;
    if (!f) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    enum fr_status st = flight_read(f, ask, err);
    if (st == FR_OK && ask->replay) {
        f->has_key = f->keep = false;
        f->replayed = true;
        f->stream = c->on_delta != NULL;
        st = flight_replay(f, ask->replay, err);
        if (st != FR_OK) { flight_unref(f); return st; }
        call_join(c, f);
        c->live = f->stream;
        c->cached = true;
        return FR_OK;
    }
    if (st == FR_OK && from_cache(f, c)) { call_end(c, FR_OK, NULL); return FR_OK; }
    if (st == FR_OK && join_same(f, c)) { flight_unref(f); return FR_OK; }
    bool logprobs = (f->request.need & LLM_CAN_LOGPROBS) && llm_filter_rules_any(l->rules);
    f->stream = c->on_delta && ask->kind != LLM_EMBED && !logprobs;
    f->ends_ms = f->has_key ? fr_mono_ms() + LLM_DEADLINE_MS_MAX : c->ends_ms;      // who joins later may wait for longer
    if (st == FR_OK && f->stream && llm_filter_rules_any(l->rules)) {
        f->screen = llm_screen_new(l->rules, &f->request);
        if (!f->screen) st = FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    }
    if (st == FR_OK) st = flight_start(f, &retry_after_ms, err);
    if (st != FR_OK) {
        if (!err->retry_s) err->retry_s = (int)((retry_after_ms + 999) / 1000);
        flight_unref(f);
        return st;
    }
    call_join(c, f);
    c->first = true;
    c->live = f->stream;
    if (f->has_key) (void)fr_map_put(l->same, f->flight_key, SHA256_BYTES, f);      // full: nobody joins
    return FR_OK;
}

enum fr_status llm_start(struct llm *l, const struct llm_ask *ask, struct llm_call **ret, struct fr_err *err)
{
    struct fr_err own;
    if (!err) err = &own;
    assert(ask->done && ask->from.tenant[0] && ask->from.payer[0]);
    if (l->stopping) return FR_FAIL_CODE(err, FR_E_BUSY, "client_stopped", "the host is stopping");
    if (l->calls >= LLM_CALLS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_queue_full", "%d calls to models are under way", l->calls);
    struct llm_call *c = fr_alloc(sizeof *c);
    if (!c) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    int ms = ask->deadline_ms <= 0 ? LLM_DEADLINE_MS : ask->deadline_ms > LLM_DEADLINE_MS_MAX ? LLM_DEADLINE_MS_MAX : ask->deadline_ms;
    *c = (struct llm_call){ .llm = l, .on_delta = ask->on_delta, .done = ask->done, .arg = ask->arg, .started_ms = fr_mono_ms() };
    c->ends_ms = c->started_ms + ms;
    enum fr_status st = call_start(c, ask, err);
    if (st != FR_OK) { fr_free(c); return st; }
    c->next = l->first;
    c->link = &l->first;
    if (c->next) c->next->link = &c->next;
    l->first = c;
    l->started++;
    l->calls++;
    if (!uv_is_active((uv_handle_t *)&l->tick)) uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS);
    if (ret) *ret = c;
    if (c->flight->step == FLIGHT_QUEUED) flight_pump(l);
    return FR_OK;
}

void llm_cancel(struct llm_call *c)
{
    struct fr_err err;
    if (c->over) return;
    c->llm->cancelled++;
    call_leave(c, FR_FAIL_CODE(&err, FR_E_CONFLICT, "llm_cancelled", "the call was cancelled"), &err);
}

static void pause_or_not(struct llm_call *c, bool paused)
{
    if (c->over || c->paused == paused) return;
    c->paused = paused;
    flight_pause(c->flight);
}

void llm_pause(struct llm_call *c) { pause_or_not(c, true); }
void llm_resume(struct llm_call *c) { pause_or_not(c, false); }

// ---- the core

static void on_room(void *arg) { flight_pump(arg); }

void llm_register(void)
{
    llm_budgets_tables();
    llm_record_tables();
}

enum fr_status llm_open(const struct llm_options *o, struct llm **ret, struct fr_err *err)
{
    struct llm *l = fr_must_alloc(sizeof *l);
    const struct llm_settings *s = o->settings;
    struct llm_budgets_options budgets = { .loop = o->loop, .store = o->store, .settings = s, .meter = o->meter };
    l->o = *o;
    l->ending_last = &l->ending;
    l->configured_ms = fr_mono_ms();
    enum fr_status st = llm_budgets_open(&budgets, &l->budgets, err);
    if (st != FR_OK) { fr_free(l); return st; }
    struct llm_pool_options pool = { .loop = o->loop, .client = o->client, .settings = s, .on_room = on_room, .arg = l };
    struct llm_recorder_options recorder = { .loop = o->loop, .store = o->store, .settings = s };
    l->queue = llm_queue_new(s->queue_most > 0 ? s->queue_most : LLM_QUEUE_MAX, LLM_QUEUE_TENANT_MAX);
    l->cache = llm_cache_new(s->cache_bytes, s->cache_ttl_ms);
    l->rules = llm_filter_rules_new(s);
    l->same = fr_map_new(LLM_CALLS_MAX);
    llm_pool_new(&pool, &l->pool);
    llm_recorder_new(&recorder, &l->recorder);
    uv_timer_init(o->loop, &l->soon);
    uv_timer_init(o->loop, &l->tick);
    l->soon.data = l->tick.data = l;
    l->handles = 2;
    *ret = l;
    return FR_OK;
}

enum fr_status llm_configure(struct llm *l, const struct llm_settings *s, struct fr_err *err)
{
    if (l->stopping) return FR_FAIL_CODE(err, FR_E_BUSY, "client_stopped", "the host is stopping");
    l->o.settings = s;
    l->configured_ms = fr_mono_ms();
    llm_pool_configure(l->pool, s);
    llm_budgets_configure(l->budgets, s);
    llm_recorder_configure(l->recorder, s);
    llm_cache_bounds(l->cache, s->cache_bytes, s->cache_ttl_ms);
    llm_queue_bounds(l->queue, s->queue_most > 0 ? s->queue_most : LLM_QUEUE_MAX, LLM_QUEUE_TENANT_MAX);
    llm_filter_rules_drop(l->rules);
    l->rules = llm_filter_rules_new(s);
    flight_pump(l);
    return FR_OK;
}

void llm_engine(struct llm *l, const char *unix_path, const char *key) { llm_pool_engine(l->pool, unix_path, key); }
void llm_limit(struct llm *l, const char *who, const struct llm_limit *limit) { llm_budgets_limit(l->budgets, who, limit); }
void llm_left(const struct llm *l, const char *who, struct llm_budget_view *ret) { llm_budget_view(l->budgets, who, ret); }

static void on_pool_stopped(void *arg)
{
    struct llm *l = arg;
    l->pool_stopped = true;
    llm_maybe_stopped(l);
}

void llm_stop(struct llm *l, void (*done)(void *arg), void *arg)
{
    struct fr_err err;
    if (!l) { done(arg); return; }
    assert(!l->stopping);
    l->stopping = true;
    l->stopped = done;
    l->stopped_arg = arg;
    for (struct llm_call *c = l->first; c; c = c->next)
        if (!c->over) call_leave(c, FR_FAIL_CODE(&err, FR_E_BUSY, "client_stopped", "the host is stopping"), &err);
    llm_wake(l);
    llm_pool_stop(l->pool, on_pool_stopped, l);
}

void llm_free(struct llm *l)
{
    if (!l) return;
    llm_pool_free(l->pool);
    llm_queue_free(l->queue);
    llm_budgets_free(l->budgets);
    llm_cache_free(l->cache);
    llm_recorder_free(l->recorder);
    llm_filter_rules_drop(l->rules);
    fr_map_free(l->same);
    fr_free(l);
}

// ---- what it knows

void llm_models(const struct llm *l, struct fr_buf *out) { llm_pool_models(l->pool, out); }
bool llm_is_ready(const struct llm *l) { return llm_pool_ready(l->pool); }
void llm_budget_facts(const struct llm *l, struct fr_buf *out) { llm_budgets_facts(l->budgets, out); }

void llm_facts(const struct llm *l, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"ready\":%s,\"calls\":%d,\"started\":%lld,\"failed\":%lld,\"cancelled\":%lld,\"joined\":%lld,\"cached\":%lld,\"pools\":", llm_is_ready(l) ? "true" : "false", l->calls, (long long)l->started,
                (long long)l->failed, (long long)l->cancelled, (long long)l->joined, (long long)l->cached);
    llm_pool_facts(l->pool, out);
    fr_buf_add(out, ",\"queue\":");
    llm_queue_facts(l->queue, out);
    fr_buf_add(out, ",\"cache\":");
    llm_cache_facts(l->cache, out);
    fr_buf_add(out, ",\"records\":");
    llm_recorder_facts(l->recorder, out);
    fr_buf_add(out, "}");
}

static void metric(struct fr_buf *out, const char *name, const char *type, const char *help, int64_t value)
{
    fr_buf_addf(out, "# HELP frond_llm_%s %s\n# TYPE frond_llm_%s %s\nfrond_llm_%s %lld\n", name, help, name, type, name, (long long)value);
}

void llm_metrics(const struct llm *l, struct fr_buf *out)
{
    metric(out, "calls_total", "counter", "Calls to models that were accepted.", l->started);
    metric(out, "calls_failed_total", "counter", "Those that ended without an answer.", l->failed);
    metric(out, "calls_cancelled_total", "counter", "Those that were cancelled.", l->cancelled);
    metric(out, "calls_cached_total", "counter", "Answers that were known already.", l->cached);
    metric(out, "calls_joined_total", "counter", "Calls that waited with an identical one.", l->joined);
    metric(out, "calls_running", "gauge", "Calls under way, waiting ones included.", l->calls);
    metric(out, "queue", "gauge", "Calls that wait for a pod.", llm_queue_length(l->queue, NULL));
    llm_pool_metrics(l->pool, out);
}
