// flight.c — one request on its way: budget, queue, pool, and what comes back. Functions stand in the order they run.
#include "llm/llm_inside.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

// ---- budget

static enum fr_status enqueue(struct llm_flight *f, struct fr_err *err)
{
    enum fr_status st = llm_queue_put(f->llm->queue, &f->queued, f->from.tenant, f->priority, f->estimated_prompt, f->estimated_answer, fr_mono_ms(), err);
    if (st == FR_OK) f->step = FLIGHT_QUEUED;
    return st;
}

static void on_share(void *arg, enum fr_status st, struct llm_share *share, int64_t retry_after_ms, const struct fr_err *failed)
{
    struct llm_flight *f = arg;
    struct fr_err err;
    assert(f->step == FLIGHT_ASKED);
    f->share = share;
    f->retry_after_ms = retry_after_ms;
    if (st != FR_OK) { flight_end(f, st, failed); return; }
    st = enqueue(f, &err);
    if (st != FR_OK) flight_end(f, st, &err);
    else flight_pump(f->llm);
}

enum fr_status flight_start(struct llm_flight *f, int64_t *retry_after_ms, struct fr_err *err)
{
    struct llm *l = f->llm;
    struct llm_pool_ask ask = { .request = &f->request, .model = f->model, .need = f->need };
    enum fr_status st = llm_pool_room(l->pool, &ask, err);
    bool new = fr_mono_ms() - l->configured_ms < LLM_DOWN_MS;             // pods that nobody has looked at yet may be well
    if (st != FR_OK && strcmp(err->code, "llm_busy") != 0 && !(new && strcmp(err->code, "llm_down") == 0)) return st;
    f->estimated_prompt = f->request.prompt_tokens;
    f->estimated_answer = f->request.answer_tokens_max;
    f->step = FLIGHT_ASKED;
    FR_TRY(llm_budget_take(l->budgets, &f->from, &f->price, f->estimated_prompt, f->estimated_answer, on_share, f, &f->share, retry_after_ms, err));
    if (!f->share) return FR_OK;
    st = enqueue(f, err);
    if (st == FR_OK) return FR_OK;
    llm_budget_give(l->budgets, f->share, -1, -1);
    f->share = NULL;
    return st;
}

// ---- queue

static void on_delta(void *arg, const struct llm_delta *d);
static void on_result(void *arg, enum fr_status st, const struct llm_result *r, const struct fr_err *err);

static bool take(void *arg, struct llm_queued *x)
{
    struct llm *l = arg;
    struct llm_flight *f = (struct llm_flight *)((char *)x - offsetof(struct llm_flight, queued));
    int64_t now_ms = fr_mono_ms();
    struct fr_err err;
    struct llm_pool_ask ask = { .request = &f->request, .model = f->model, .need = f->need, .deadline_ms = f->ends_ms > now_ms ? (int)(f->ends_ms - now_ms) : 1, .on_delta = f->stream ? on_delta : NULL, .done = on_result, .arg = f };
    if (llm_pool_room(l->pool, &ask, &err) != FR_OK) {
        if (strcmp(err.code, "llm_down") != 0) f->down_ms = 0;
        else if (!f->down_ms) f->down_ms = now_ms;
        return false;
    }
    f->down_ms = 0;
    if (llm_pool_send(l->pool, &ask, &f->sent, &err) != FR_OK) return false;
    f->step = FLIGHT_SENT;
    f->sent_ms = now_ms;
    return true;
}

void flight_pump(struct llm *l)
{
    l->pump_again = true;
    if (l->pumping || l->stopping) return;
    l->pumping = true;
    while (l->pump_again) {
        l->pump_again = false;
        while (llm_queue_take(l->queue, take, l)) {}
    }
    l->pumping = false;
}

// ---- on its way

static void keep_event(struct llm_flight *f, const char *json, size_t len)
{
    if (!f->keep || f->events.failed) return;
    fr_buf_addf(&f->events, "%s[%lld,", f->event_count++ ? "," : "[", (long long)(fr_mono_ms() - f->sent_ms));
    fr_buf_add_bytes(&f->events, json, len);
    fr_buf_add_char(&f->events, ']');
}

void flight_tell(struct llm_flight *f, const struct llm_delta *d)
{
    f->streamed = true;
    keep_event(f, d->json, d->json_len);
    for (struct llm_call *c = f->calls; c; c = c->beside) {
        if (c->over || !c->live) continue;
        c->streamed = true;
        c->on_delta(c->arg, c, d);
    }
}

static bool screens(const struct llm_flight *f) { return f->request.kind != LLM_EMBED && llm_filter_rules_any(f->llm->rules); }

static void on_delta(void *arg, const struct llm_delta *d)
{
    struct llm_flight *f = arg;
    if (f->refused || f->wanted == 0) return;
    if (!f->screen) { flight_tell(f, d); return; }
    FR_AUTO_BUF(json);
    FR_AUTO_BUF(text);
    fr_buf_init(&json, 2 * LLM_ANSWER_BYTES_MAX);
    fr_buf_init(&text, LLM_ANSWER_BYTES_MAX);
    if (llm_screen_event(f->screen, d->json, d->json_len, &json, &text)) flight_tell(f, &(struct llm_delta){ text.data ? text.data : "", text.len, json.data, json.len });
    f->refused = llm_screen_refused(f->screen);
    if (f->refused && f->sent) llm_pool_cancel(f->sent);
}

void flight_pause(struct llm_flight *f)
{
    bool paused = false;
    for (const struct llm_call *c = f->calls; c; c = c->beside) paused = paused || (c->paused && !c->over);
    if (paused == f->paused || !f->sent) return;
    f->paused = paused;
    llm_pool_pause(f->sent, paused);
}

// ---- the end

void flight_answer(struct llm_flight *f, const char *json, size_t json_len, const char *text, size_t text_len, const char *finish)
{
    fr_buf_add_bytes(&f->json, json, json_len);
    fr_buf_add_bytes(&f->text, text, text_len);
    snprintf(f->finish, sizeof f->finish, "%s", finish ? finish : "");
}

static enum fr_status take_answer(struct llm_flight *f, const struct llm_result *r, struct fr_err *err)
{
    bool refused = false;
    flight_answer(f, "", 0, "", 0, r->finish);
    if (f->refused) {
        llm_screen_so_far(f->screen, f->model, f->prompt_tokens, f->answer_tokens, &f->json, &f->text);
        snprintf(f->finish, sizeof f->finish, "content_filter");
        return fr_buf_check(&f->json, "an answer", err);
    }
    if (!screens(f)) {
        flight_answer(f, r->json, r->json_len, r->text, r->text_len, r->finish);
        return fr_buf_check(&f->json, "an answer", err);
    }
    if (f->screen && f->streamed) {
        FR_AUTO_BUF(json);
        FR_AUTO_BUF(text);
        fr_buf_init(&json, 2 * LLM_ANSWER_BYTES_MAX);
        fr_buf_init(&text, LLM_ANSWER_BYTES_MAX);
        if (llm_screen_rest(f->screen, &json, &text)) flight_tell(f, &(struct llm_delta){ text.data ? text.data : "", text.len, json.data, json.len });
    }
    FR_TRY(llm_screen_answer(f->llm->rules, r->json, r->json_len, &f->json, &f->text, &refused, err));
    if (refused) snprintf(f->finish, sizeof f->finish, "content_filter");
    return FR_OK;
}

static int64_t within(int64_t value, int64_t least, int64_t most) { return value < least ? least : value > most ? most : value; }

// What was used: a claim, held against what was seen and what was set aside. Where nothing came, nothing was; who cancels what a pod was working on pays for the prompt.
static void count_usage(struct llm_flight *f, enum fr_status st, const struct llm_result *r)
{
    bool worked = st == FR_OK || f->refused || r->streamed || r->seen_tokens > 0 || f->wanted == 0;
    int64_t seen = within(r->seen_tokens, 0, f->estimated_answer);
    f->prompt_tokens = !worked ? -1 : r->prompt_tokens < 0 ? f->estimated_prompt : within(r->prompt_tokens, 0, f->estimated_prompt);
    f->answer_tokens = !worked ? -1 : r->answer_tokens < 0 ? seen : within(r->answer_tokens, seen, f->estimated_answer);
    f->cost_units = f->share ? llm_budget_give(f->llm->budgets, f->share, f->prompt_tokens, f->answer_tokens) : 0;
    f->share = NULL;
    if (!worked) f->prompt_tokens = f->answer_tokens = 0;
    llm_queue_served(f->llm->queue, f->from.tenant, f->estimated_prompt, f->estimated_answer, f->prompt_tokens, f->answer_tokens);
}

static void on_result(void *arg, enum fr_status st, const struct llm_result *r, const struct fr_err *err)
{
    struct llm_flight *f = arg;
    struct llm *l = f->llm;
    struct fr_err mine;
    f->sent = NULL;
    f->first_ms = r->first_ms;
    f->retry_after_ms = r->retry_after_ms;
    if (r->pod) snprintf(f->pod, sizeof f->pod, "%s", r->pod);
    count_usage(f, st, r);
    if (f->refused) st = FR_OK;
    if (st == FR_OK && f->wanted > 0) {
        st = take_answer(f, r, &mine);
        err = &mine;
    }
    if (st == FR_OK && f->wanted > 0 && f->has_key && !f->refused)
        llm_cache_put(l->cache, f->key, fr_mono_ms(), &(struct llm_cached){ f->json.data, f->json.len, f->text.data ? f->text.data : "", f->finish, f->prompt_tokens, f->answer_tokens });
    flight_end(f, st, err);
    flight_pump(l);
}

static void take_from_same(struct llm_flight *f)
{
    if (f->has_key && fr_map_get(f->llm->same, f->flight_key, SHA256_BYTES) == f) fr_map_remove(f->llm->same, f->flight_key, SHA256_BYTES);
}

void flight_end(struct llm_flight *f, enum fr_status st, const struct fr_err *err)
{
    assert(f->step != FLIGHT_OVER && !f->sent);
    f->step = FLIGHT_OVER;
    f->status = st;
    if (st != FR_OK) f->err = *err;
    take_from_same(f);
    if (!f->replayed) llm_recorder_add(f->llm->recorder, f);
    for (struct llm_call *c = f->calls; c; c = c->beside) if (!c->over) call_end(c, st, &f->err);
    f->wanted = 0;
    flight_unref(f);
}

// Nobody waits for it: out of the queue, or off at the pod, which then tells what it did.
void flight_unwanted(struct llm_flight *f)
{
    struct llm *l = f->llm;
    struct fr_err err;
    take_from_same(f);
    if (f->step == FLIGHT_SENT) { if (f->sent && !f->refused) llm_pool_cancel(f->sent); return; }
    if (f->step == FLIGHT_OVER || f->step == FLIGHT_READ) return;      // the store answers
    if (f->step == FLIGHT_ASKED) llm_budget_forget(l->budgets, f);
    if (f->step == FLIGHT_QUEUED) {
        llm_queue_drop(l->queue, &f->queued);
        llm_budget_give(l->budgets, f->share, -1, -1);
        f->share = NULL;
    }
    flight_end(f, FR_FAIL_CODE(&err, FR_E_CONFLICT, "llm_cancelled", "the call was cancelled"), &err);
}

// One reference of each call that was not told, and one of its own until it is over.
void flight_unref(struct llm_flight *f)
{
    struct llm *l = f->llm;
    if (--f->refs > 0) return;
    *f->link = f->next;
    if (f->next) f->next->link = f->link;
    l->flight_count--;
    llm_request_clear(&f->request);
    llm_screen_free(f->screen);
    fr_buf_free(&f->json);
    fr_buf_free(&f->text);
    fr_buf_free(&f->events);
    fr_free(f);
}

// No pod of a model that is waited for: for a while that may pass.
void flight_tick(struct llm *l, int64_t now_ms)
{
    struct fr_err err;
    if (llm_queue_length(l->queue, NULL) > 0) flight_pump(l);
    for (struct llm_flight *f = l->flights, *next; f; f = next) {
        next = f->next;
        if (f->step != FLIGHT_QUEUED || !f->down_ms || now_ms - f->down_ms < LLM_DOWN_MS) continue;
        llm_queue_drop(l->queue, &f->queued);
        llm_budget_give(l->budgets, f->share, -1, -1);
        f->share = NULL;
        flight_end(f, FR_FAIL_CODE(&err, FR_E_BUSY, "llm_down", "no pod of %s is up", f->model), &err);
    }
}
