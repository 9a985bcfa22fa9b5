// batch.c — a window over the calls: what is next to be told, what is next to be asked.
#include "llm/batch.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/mem.h"
#include "llm/llm_inside.h"

#define AT_ONCE 16
#define AGAIN_MS 50                        // a queue that others filled

struct item {                              // one call: under way, or ended and not told yet
    struct llm_batch *batch; int no; bool there, ended;
    struct llm_call *call;
    enum fr_status st; struct fr_err err; struct llm_end end;
    char *json, *text, finish[24], model[LLM_NAME_BYTES], pod[LLM_NAME_BYTES + 8];
};
struct llm_batch {
    struct llm *llm; struct llm_batch_ask ask; struct llm_ask common;
    struct item *items; int window;        // a ring
    int next_ask, next_tell, running;
    bool cancelled, telling, over;
    uv_timer_t timer;
};

static void on_timer(uv_timer_t *timer);
static void wake(struct llm_batch *b, int ms)
{
    if (!b->over) uv_timer_start(&b->timer, on_timer, (uint64_t)ms, 0);
}

static void item_clear(struct item *i)
{
    fr_free(i->json);
    fr_free(i->text);
    *i = (struct item){ 0 };
}

static void item_ended(struct item *i, enum fr_status st, const struct llm_end *e, const struct fr_err *err)
{
    i->ended = true;
    i->call = NULL;
    i->st = st;
    if (err) i->err = *err;
    if (!e) return;
    i->end = *e;
    snprintf(i->finish, sizeof i->finish, "%s", e->finish);
    snprintf(i->model, sizeof i->model, "%s", e->model);
    snprintf(i->pod, sizeof i->pod, "%s", e->pod);
    i->json = e->json ? fr_strndup(e->json, e->json_len) : NULL;
    i->text = fr_strndup(e->text, e->text_len);
    if (i->text && (i->json || !e->json)) return;
    i->st = FR_FAIL(&i->err, FR_E_NOMEM, "no memory for an answer");
}

static void on_done(void *arg, enum fr_status st, const struct llm_end *e, const struct fr_err *err)
{
    struct item *i = arg;
    i->batch->running--;
    item_ended(i, st, e, err);
    wake(i->batch, 0);
}

// False: the queue is full, and this one is asked for later.
static bool ask_one(struct llm_batch *b)
{
    struct item *i = &b->items[b->next_ask % b->window];
    struct llm_ask ask = b->common;
    struct fr_err err;
    FR_AUTO_BUF(body);
    fr_buf_init(&body, LLM_BODY_BYTES_MAX);
    b->ask.body(b->ask.arg, b->next_ask, &body);
    ask.body = body.data ? body.data : "";
    ask.body_len = body.len;
    ask.on_delta = NULL;
    ask.done = on_done;
    ask.arg = i;
    *i = (struct item){ .batch = b, .no = b->next_ask, .there = true };
    enum fr_status st = body.failed ? FR_FAIL_CODE(&err, FR_E_LIMIT, "llm_prompt_too_large", "call %d of the batch is too large", b->next_ask) : llm_start(b->llm, &ask, &i->call, &err);
    if (st != FR_OK && strcmp(err.code, "llm_queue_full") == 0) {
        i->there = false;
        if (b->running == 0) wake(b, AGAIN_MS);
        return false;
    }
    b->next_ask++;
    if (st == FR_OK) b->running++;
    else item_ended(i, st, NULL, &err), wake(b, 0);
    return true;
}

static void ask_more(struct llm_batch *b)
{
    while (!b->cancelled && b->running < b->ask.at_once && b->next_ask < b->ask.count && b->next_ask - b->next_tell < b->window && ask_one(b)) {}
}

static void on_closed(uv_handle_t *handle)
{
    struct llm_batch *b = handle->data;
    b->ask.done(b->ask.arg);
    for (int i = 0; i < b->window; i++) item_clear(&b->items[i]);
    fr_free(b->items);
    fr_free(b);
}

static void on_timer(uv_timer_t *timer)
{
    struct llm_batch *b = timer->data;
    for (struct item *i = &b->items[b->next_tell % b->window]; i->there && i->ended && !b->cancelled; i = &b->items[b->next_tell % b->window]) {
        struct llm_end e = i->end;
        e.json = i->st == FR_OK ? i->json : NULL;
        e.text = i->text ? i->text : "";
        e.finish = i->finish, e.model = i->model, e.pod = i->pod;
        b->next_tell++;
        b->ask.each(b->ask.arg, i->no, i->st, &e, i->st == FR_OK ? NULL : &i->err);
        item_clear(i);
    }
    ask_more(b);
    if (b->running > 0 || b->over || (!b->cancelled && b->next_tell < b->ask.count)) return;
    b->over = true;
    uv_close((uv_handle_t *)&b->timer, on_closed);
}

enum fr_status llm_batch_start(struct llm *l, const struct llm_batch_ask *ask, struct llm_batch **ret, struct fr_err *err)
{
    if (ask->count < 0 || ask->at_once < 0 || ask->at_once > LLM_CALLS_MAX) return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "a batch of %d calls, %d at once", ask->count, ask->at_once);
    struct llm_batch *b = fr_alloc(sizeof *b);
    int at_once = ask->at_once ? ask->at_once : AT_ONCE, window = at_once * LLM_BATCH_AHEAD;
    if (b) b->items = fr_alloc((size_t)window * sizeof b->items[0]);
    if (!b || !b->items) { fr_free(b); return FR_FAIL(err, FR_E_NOMEM, "no memory for a batch"); }
    b->llm = l;
    b->ask = *ask;
    b->ask.at_once = at_once;
    b->common = *ask->common;
    b->window = window;
    uv_timer_init(l->o.loop, &b->timer);
    b->timer.data = b;
    wake(b, 0);
    if (ret) *ret = b;
    return FR_OK;
}

void llm_batch_cancel(struct llm_batch *b)
{
    if (b->cancelled) return;
    b->cancelled = true;
    for (int i = 0; i < b->window; i++) if (b->items[i].call) llm_cancel(b->items[i].call);
    wake(b, 0);
}
