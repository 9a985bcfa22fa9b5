// pool_part.c — one request under way: its parts, where each is tried again, and how they become one answer.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/mem.h"
#include "llm/pool_inside.h"

#define OURS_MS 20                         // our own shortage: tried again so soon

static void part_wait(struct part *part, int64_t until)
{
    part->step = PART_WAITING;
    part->wait_until = until;
    part->sent->pool->waiting++;
    pool_arm(part->sent->pool);
}

// ---- an exchange is over ------------------------------------------------------------------------------------------

static void note_pod(struct fr_err *err, const struct pod *pod)
{
    char text[FR_ERR_TEXT_BYTES];
    snprintf(text, sizeof text, "%s", err->text);
    snprintf(err->text, sizeof err->text, "%s: %s", pod->name, text);
}

void sent_fail(struct llm_sent *s, const struct fr_err *err)
{
    if (s->ended) return;
    s->ended = true;
    s->err = *err;
    for (int i = 0; i < s->part_count; i++) {
        struct part *part = &s->parts[i];
        if (part->step == PART_RUNNING) llm_exchange_cancel(part->x);
        else if (part->step == PART_WAITING) {
            part->step = PART_DONE;
            s->pool->waiting--;
        }
    }
}

// Its pod has no room, or is not well: elsewhere; or there again when it said when, if it was only full.
static void part_again(struct part *part, const struct llm_exchange_end *end, const struct fr_err *err)
{
    struct llm_sent *s = part->sent;
    s->retry_after_ms = end->retry_after_ms;
    if (end->fate == LLM_FATE_FAILED) part->failed_at[part->tries - 1] = part->pod;
    if (s->streamed || part->tries >= LLM_TRIES_MAX || route_open_at(s->pool, s, part) >= s->deadline_at) {
        sent_fail(s, err);
        return;
    }
    s->pool->retried++;
    part_wait(part, 0);
}

static void part_fine(struct part *part, const struct llm_exchange_end *end)
{
    struct llm_sent *s = part->sent;
    struct fr_err err;
    part->step = PART_DONE;
    s->parts_done++;
    if (s->first_ms == 0) s->first_ms = fr_mono_ms() - s->started_at - (end->ms - end->first_ms);
    if (s->part_count == 1) {
        s->answer = end->answer;
        s->ended = true;
        return;
    }
    enum fr_status st = llm_answer_join(s->answer, end->answer, part->first, &err);
    llm_answer_free(end->answer);
    if (st != FR_OK) sent_fail(s, &err);
    else s->ended = s->ended || s->parts_done == s->part_count;
}

static void judge_pod(struct pod *pod, const struct part *part, const struct llm_exchange_end *end, const struct fr_err *err)
{
    const struct llm_request *r = part->sent->request;
    int64_t tokens = end->answer ? llm_answer_tokens(end->answer) : 0;
    if (r->kind == LLM_EMBED) tokens = 16 * (part->count ? part->count : 1);
    switch (end->fate) {
    case LLM_FATE_FINE: pod_answered(pod, end->ms, tokens + r->prompt_tokens / 8); break;
    case LLM_FATE_FULL: pod_is_full(pod, end->retry_after_ms); break;
    case LLM_FATE_FAILED: pod_failed(pod, err->text, end->silent); break;
    case LLM_FATE_LATE: pod_failed(pod, err->text, true); break;
    default: break;                        // says nothing of the pod
    }
}

static void on_exchange(void *arg, enum fr_status st, const struct llm_exchange_end *end, const struct fr_err *err)
{
    struct part *part = arg;
    struct llm_sent *s = part->sent;
    struct llm_pool *p = s->pool;
    struct pod *pod = part->pod;
    struct fr_err why = { 0 };
    assert(part->step == PART_RUNNING);
    part->x = NULL;
    part->step = PART_DONE;
    s->running--;
    pod->running--;
    s->streamed = s->streamed || end->streamed;
    judge_pod(pod, part, end, err);
    if (st != FR_OK) {
        why = *err;
        note_pod(&why, pod);
    }
    if (s->ended) llm_answer_free(end->answer);
    else if (end->fate == LLM_FATE_FINE) part_fine(part, end);
    else if (end->fate == LLM_FATE_FULL || end->fate == LLM_FATE_FAILED) part_again(part, end, &why);
    else if (end->fate == LLM_FATE_OURS && !s->streamed && part->tries < LLM_TRIES_MAX) part_wait(part, fr_mono_ms() + OURS_MS);
    else sent_fail(s, &why);
    pod_release(pod);
    sent_settle(s);
    pool_room(p);
    pool_maybe_stopped(p);
}

static void on_delta(void *arg, const struct llm_delta *d)
{
    struct part *part = arg;
    struct llm_sent *s = part->sent;
    if (s->ended) return;
    if (s->first_ms == 0) s->first_ms = fr_mono_ms() - s->started_at;
    s->streamed = true;
    s->on_delta(s->arg, d);
}

// ---- begun --------------------------------------------------------------------------------------------------------

// Silence that is borne: of a stream a fixed time, of an answer that comes whole as long as it may take.
static int idle_ms(const struct llm_sent *s, const struct pod *pod, int64_t left)
{
    int64_t ms = pod->backend->s.timeout_ms ? pod->backend->s.timeout_ms : LLM_IDLE_MS + (s->on_delta ? 0 : s->request->answer_tokens_max * LLM_TOKEN_MS);
    return (int)(ms < left ? ms : left);
}

static enum fr_status part_start(struct part *part, struct pod *pod, struct fr_err *err)
{
    struct llm_sent *s = part->sent;
    int64_t left = s->deadline_at - fr_mono_ms();
    if (left < 1) left = 1;
    struct llm_exchange_ask ask = { .client = s->pool->o.client, .url = pod->at.url, .unix_path = pod->at.unix_path, .key = pod->backend->s.key, .ca_file = pod->backend->s.ca_file, .request = s->request, .model = s->model,
                                    .as = pod_model(pod, s->model)->as, .first = part->first, .count = s->part_count > 1 ? part->count : 0, .idle_ms = idle_ms(s, pod, left), .total_ms = (int)left,
                                    .on_delta = s->on_delta ? on_delta : NULL, .done = on_exchange, .arg = part };
    FR_TRY(llm_exchange_start(&ask, &part->x, err));
    if (s->paused) llm_exchange_pause(part->x, true);
    part->tries++;
    part->pod = pod;
    part->step = PART_RUNNING;
    s->tries++;
    s->running++;
    pod->running++;
    pod->asked++;
    s->pool->waiting--;
    snprintf(s->pod, sizeof s->pod, "%s", pod->name);
    route_remember(pod, s->request);
    return FR_OK;
}

bool sent_advance(struct llm_sent *s, struct fr_err *err)
{
    int64_t now = fr_mono_ms();
    bool any = false;
    if (s->ended) return false;
    if (now >= s->deadline_at) {
        struct fr_err late;
        FR_FAIL_CODE(&late, FR_E_TIMEOUT, "llm_deadline", "no pod had room in time");
        sent_fail(s, &late);
        return false;
    }
    for (int i = 0; i < s->part_count && !s->ended; i++) {
        struct part *part = &s->parts[i];
        struct pod *pod = part->step == PART_WAITING && now >= part->wait_until ? route(s->pool, s, part) : NULL;
        if (!pod) {
            struct fr_err gone;            // whom it waited for went down meanwhile
            FR_FAIL_CODE(&gone, FR_E_BUSY, "llm_down", "no other pod of %.63s is up", s->model);
            if (part->step == PART_WAITING && part->tries > 0 && route_open_at(s->pool, s, part) >= s->deadline_at) sent_fail(s, &gone);
            continue;
        }
        if (part_start(part, pod, err) == FR_OK) any = true;
        else if (err->status == FR_E_BUSY || err->status == FR_E_NOMEM) part->wait_until = now + OURS_MS;
        else sent_fail(s, err);
    }
    return any;
}

// ---- over ---------------------------------------------------------------------------------------------------------

static void sent_free(struct llm_sent *s)
{
    llm_answer_free(s->answer);
    fr_free(s->parts);
    fr_free(s);
}

static void tell(struct llm_sent *s)
{
    struct llm_result r = { .json = NULL, .text = "", .finish = "", .model = s->model, .pod = s->pod, .prompt_tokens = -1, .answer_tokens = -1, .streamed = s->streamed, .retry_after_ms = s->retry_after_ms, .first_ms = s->first_ms, .tries = s->tries };
    struct llm_answer *a = s->answer;
    FR_AUTO_BUF(json);
    fr_buf_init(&json, 3 * llm_answer_bytes_max(s->request->kind));
    bool fine = s->err.status == FR_OK;
    if (fine) {
        llm_answer_print(a, &json);
        if (json.failed) fine = FR_FAIL(&s->err, json.no_memory ? FR_E_NOMEM : FR_E_LIMIT, "an answer that cannot be printed") == FR_OK;
    }
    if (a) {
        r.seen_tokens = a->seen_tokens;
        r.prompt_tokens = a->prompt_claim;
        r.answer_tokens = a->answer_claim;
    }
    if (fine) {
        r.json = json.data;
        r.json_len = json.len;
        if (a->choices && a->choices[0].text.data) r.text = a->choices[0].text.data;
        if (a->choices) r.text_len = a->choices[0].text.len, r.finish = a->choices[0].finish;
        s->pool->answered++;
    } else if (s->cancelled) s->pool->cancelled++;
    else s->pool->failed++;
    s->done(s->arg, fine ? FR_OK : s->err.status, &r, fine ? NULL : &s->err);
}

void sent_settle(struct llm_sent *s)
{
    struct llm_pool *p = s->pool;
    if (!s->ended || s->running) return;
    *(s->prev ? &s->prev->next : &p->first) = s->next;
    *(s->next ? &s->next->prev : &p->last) = s->prev;
    tell(s);
    sent_free(s);
}
