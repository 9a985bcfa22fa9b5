// llm.c — one call to a model, from whoever asks to the last token. Functions stand in the order they run.
#include "llm/llm_inside.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define TICK_MS 50                                      // how late a deadline may be noticed

// ---- the end

static void handle_closed(uv_handle_t *handle)
{
    struct llm *l = handle->data;
    if (--l->handles > 0 || !l->stopped) return;
    void (*done)(void *) = l->stopped;
    l->stopped = NULL;
    done(l->stopped_arg);
}

static void maybe_stopped(struct llm *l)
{
    if (!l->stopping || l->calls > 0 || l->handles < 2 || uv_is_closing((uv_handle_t *)&l->soon)) return;
    uv_close((uv_handle_t *)&l->soon, handle_closed);
    uv_close((uv_handle_t *)&l->tick, handle_closed);
}

static void call_free(struct llm_call *c)
{
    *c->link = c->next;
    if (c->next) c->next->link = c->link;
    c->llm->calls--;
    llm_request_clear(&c->request);
    fr_free(c->json);
    fr_free(c->text);
    fr_free(c);
}

static void call_tell(struct llm_call *c)
{
    struct llm *l = c->llm;
    int64_t now_ms = fr_mono_ms();
    bool good = c->status == FR_OK;
    struct llm_end end = { .json = good ? c->json : NULL, .json_len = good ? c->json_len : 0, .text = good && c->text ? c->text : "", .text_len = good ? c->text_len : 0, .finish = c->finish, .model = c->model, .pod = c->pod,
                           .prompt_tokens = c->prompt_tokens, .answer_tokens = c->answer_tokens, .streamed = c->streamed, .retry_after_ms = c->retry_after_ms,
                           .queued_ms = (c->sent_ms ? c->sent_ms : now_ms) - c->started_ms, .first_ms = c->first_ms, .total_ms = now_ms - c->started_ms };
    l->failed += !good;
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
    if (l->calls == 0) uv_timer_stop(&l->tick);
    maybe_stopped(l);
}

// The only way out.
static void call_end(struct llm_call *c, enum fr_status st, const struct fr_err *err)
{
    struct llm *l = c->llm;
    assert(c->step != CALL_ENDING && !c->sent);
    c->step = CALL_ENDING;
    c->status = st;
    if (st != FR_OK) c->err = *err;
    *l->ending_last = c;
    l->ending_last = &c->ending_next;
    if (l->soon_set) return;
    l->soon_set = true;
    uv_timer_start(&l->soon, on_soon, 0, 0);
}

static void on_result(void *arg, enum fr_status st, const struct llm_result *r, const struct fr_err *err)
{
    struct llm_call *c = arg;
    struct fr_err mine;
    c->sent = NULL;
    c->prompt_tokens = r->prompt_tokens < 0 ? c->request.prompt_tokens : r->prompt_tokens;
    c->answer_tokens = r->answer_tokens < 0 ? r->seen_tokens : r->answer_tokens;
    c->first_ms = r->first_ms;
    c->retry_after_ms = r->retry_after_ms;
    if (r->pod) snprintf(c->pod, sizeof c->pod, "%s", r->pod);
    if (r->finish) snprintf(c->finish, sizeof c->finish, "%s", r->finish);
    if (c->llm->stopping) st = FR_FAIL_CODE(&mine, FR_E_BUSY, "client_stopped", "the host is stopping"), err = &mine;
    else if (c->timed_out) st = FR_FAIL_CODE(&mine, FR_E_TIMEOUT, "llm_deadline", "no answer from %s in time", c->model), err = &mine;
    else if (c->cancelled) st = FR_FAIL_CODE(&mine, FR_E_CONFLICT, "llm_cancelled", "the call was cancelled"), err = &mine;
    else if (st == FR_OK) {
        c->json = fr_strndup(r->json, c->json_len = r->json_len);
        c->text = fr_strndup(r->text, c->text_len = r->text_len);
        if (!c->json || !c->text) st = FR_FAIL(&mine, FR_E_NOMEM, "no memory for an answer"), err = &mine;
    }
    call_end(c, st, err);
}

// ---- on its way

static void on_delta(void *arg, const struct llm_delta *d)
{
    struct llm_call *c = arg;
    if (c->cancelled || c->timed_out) return;
    c->streamed = true;
    c->on_delta(c->arg, c, d);
}

static enum fr_status call_send(struct llm_call *c, struct fr_err *err)
{
    struct llm_pool_ask ask = { .request = &c->request, .model = c->model, .need = c->need, .deadline_ms = (int)(c->ends_ms - fr_mono_ms()), .on_delta = c->on_delta ? on_delta : NULL, .done = on_result, .arg = c };
    FR_TRY(llm_pool_send(c->llm->pool, &ask, &c->sent, err));
    c->step = CALL_SENT;
    c->sent_ms = fr_mono_ms();
    return FR_OK;
}

static void on_tick(uv_timer_t *timer)
{
    struct llm *l = timer->data;
    int64_t now_ms = fr_mono_ms();
    for (struct llm_call *c = l->first; c; c = c->next) {
        if (c->step != CALL_SENT || now_ms < c->ends_ms || c->timed_out) continue;
        c->timed_out = true;
        llm_pool_cancel(c->sent);
    }
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

static enum fr_status call_prepare(struct llm *l, const struct llm_ask *ask, struct llm_call *c, struct fr_err *err)
{
    FR_TRY(need_read(ask->need, &c->need, err));
    FR_TRY(llm_request_parse(ask->kind, ask->body, ask->body_len, &c->request, err));
    const struct llm_model_settings *m = llm_pool_model(l->pool, ask->kind, c->request.model);
    if (!m) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "model_unknown", "there is no model \"%s\"", c->request.model);
    snprintf(c->model, sizeof c->model, "%s", m->name);
    c->from = ask->from;
    c->on_delta = ask->on_delta;
    c->done = ask->done;
    c->arg = ask->arg;
    c->started_ms = fr_mono_ms();
    int ms = ask->deadline_ms <= 0 ? LLM_DEADLINE_MS : ask->deadline_ms;
    c->ends_ms = c->started_ms + (ms > LLM_DEADLINE_MS_MAX ? LLM_DEADLINE_MS_MAX : ms);
    return FR_OK;
}

enum fr_status llm_start(struct llm *l, const struct llm_ask *ask, struct llm_call **ret, struct fr_err *err)
{
    assert(ask->done);
    if (l->stopping) return FR_FAIL_CODE(err, FR_E_BUSY, "client_stopped", "the host is stopping");
    if (l->calls >= LLM_CALLS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_queue_full", "%d calls to models are under way", l->calls);
    struct llm_call *c = fr_alloc(sizeof *c);
    if (!c) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    c->llm = l;
    enum fr_status st = call_prepare(l, ask, c, err);
    if (st == FR_OK) st = call_send(c, err);
    if (st != FR_OK) {
        llm_request_clear(&c->request);
        fr_free(c);
        return st;
    }
    c->next = l->first;
    c->link = &l->first;
    if (c->next) c->next->link = &c->next;
    l->first = c;
    if (l->calls++ == 0) uv_timer_start(&l->tick, on_tick, TICK_MS, TICK_MS);
    l->started++;
    if (ret) *ret = c;
    return FR_OK;
}

void llm_cancel(struct llm_call *c)
{
    if (c->step == CALL_ENDING || c->cancelled) return;
    c->cancelled = true;
    llm_pool_cancel(c->sent);
}

void llm_pause(struct llm_call *c) { if (c->sent) llm_pool_pause(c->sent, true); }
void llm_resume(struct llm_call *c) { if (c->sent) llm_pool_pause(c->sent, false); }

// ---- the core

static void on_room(void *arg) { (void)arg; }

void llm_register(void) { }

enum fr_status llm_open(const struct llm_options *o, struct llm **ret, struct fr_err *err)
{
    struct llm *l = fr_must_alloc(sizeof *l);
    (void)err;
    l->o = *o;
    l->ending_last = &l->ending;
    struct llm_pool_options pool = { .loop = o->loop, .client = o->client, .settings = o->settings, .on_room = on_room, .arg = l };
    llm_pool_new(&pool, &l->pool);
    uv_timer_init(o->loop, &l->soon);
    uv_timer_init(o->loop, &l->tick);
    l->soon.data = l->tick.data = l;
    l->handles = 2;
    *ret = l;
    return FR_OK;
}

enum fr_status llm_configure(struct llm *l, const struct llm_settings *settings, struct fr_err *err)
{
    (void)err;
    l->o.settings = settings;
    llm_pool_configure(l->pool, settings);
    return FR_OK;
}

static void on_pool_stopped(void *arg) { maybe_stopped(arg); }

void llm_stop(struct llm *l, void (*done)(void *arg), void *arg)
{
    if (!l) { done(arg); return; }
    assert(!l->stopping);
    l->stopping = true;
    l->stopped = done;
    l->stopped_arg = arg;
    llm_pool_stop(l->pool, on_pool_stopped, l);
}

void llm_free(struct llm *l)
{
    if (!l) return;
    llm_pool_free(l->pool);
    fr_free(l);
}

void llm_models(const struct llm *l, struct fr_buf *out) { llm_pool_models(l->pool, out); }
bool llm_is_ready(const struct llm *l) { return llm_pool_ready(l->pool); }

void llm_facts(const struct llm *l, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"ready\":%s,\"calls\":%d,\"pools\":", llm_is_ready(l) ? "true" : "false", l->calls);
    llm_pool_facts(l->pool, out);
    fr_buf_add(out, "}");
}

void llm_metrics(const struct llm *l, struct fr_buf *out)
{
    fr_buf_addf(out, "frond_llm_calls_total %lld\nfrond_llm_calls_failed_total %lld\nfrond_llm_calls %d\n", (long long)l->started, (long long)l->failed, l->calls);
    llm_pool_metrics(l->pool, out);
}
