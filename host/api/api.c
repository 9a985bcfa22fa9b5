// api.c — dispatch: look up, grant, budget, arguments, then the family's handler; one way out (api_finish).
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "api/internal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"

struct api_budget { double tokens; int64_t at_ms; };      // a token bucket per plugin: cost units, refilled each millisecond

static const struct api_call *api_find(int no)
{
    return no >= 1 && no <= API_COUNT && api_calls[no - 1].no == no ? &api_calls[no - 1] : NULL;
}

static const struct api_handler *api_handler_find(int no)
{
    const struct { const struct api_handler *list; int count; } families[] = {
        { api_small_handlers, api_small_handler_count }, { api_store_handlers, api_store_handler_count },
        { api_ledger_handlers, api_ledger_handler_count }, { api_consent_handlers, api_consent_handler_count },
        { api_burn_handlers, api_burn_handler_count }, { api_llm_handlers, api_llm_handler_count }, { api_llm_ability_handlers, api_llm_ability_handler_count },
        { api_llm_search_handlers, api_llm_search_handler_count },
    };
    for (size_t f = 0; f < sizeof families / sizeof families[0]; f++)
        for (int i = 0; i < families[f].count; i++)
            if (families[f].list[i].no == no) return &families[f].list[i];
    return NULL;
}

struct api *api_new(const struct api_options *o)
{
    struct api *a = fr_must_alloc(sizeof *a);
    a->o = *o;
    a->budgets = fr_map_new(PLUGINS_MAX * 2);
    a->model_keys = fr_map_new(LLM_CALLS_MAX);
    for (int i = 0; i < API_COUNT; i++) assert(api_calls[i].no == i + 1);
    return a;
}

void api_free(struct api *a)
{
    if (!a) return;
    size_t at = 0, key_len;
    const void *key;
    void *budget;
    while (fr_map_walk(a->budgets, &at, &key, &key_len, &budget)) fr_free(budget);
    fr_map_free(a->budgets);
    fr_map_free(a->model_keys);
    fr_free(a);
}

static bool api_afford(struct api *a, struct plugin *p, int cost)
{
    const char *id = p->package->manifest->id;
    struct api_budget *b = fr_map_get_text(a->budgets, id);
    int64_t now_ms = fr_mono_ms();
    if (!b) {
        b = fr_must_alloc(sizeof *b);
        *b = (struct api_budget){ API_CALLS_PER_SECOND_MAX, now_ms };
        if (!fr_map_put_text(a->budgets, id, b)) { fr_free(b); return false; }
    }
    b->tokens += (double)(now_ms - b->at_ms) * API_CALLS_PER_SECOND_MAX / 1000.0;
    if (b->tokens > API_CALLS_PER_SECOND_MAX) b->tokens = API_CALLS_PER_SECOND_MAX;
    b->at_ms = now_ms;
    if (b->tokens < cost) return false;
    b->tokens -= cost;
    return true;
}

void api_touch(struct api_op *op, const char *player, const char *asset)
{
    for (int i = 0; i < op->touched_count; i++)
        if (strcmp(op->touched[i].player, player) == 0 && strcmp(op->touched[i].asset, asset) == 0) return;
    assert(op->touched_count < LINKED_MAX);                  // each step touches one
    struct api_touched *t = &op->touched[op->touched_count++];
    snprintf(t->player, sizeof t->player, "%s", player);
    snprintf(t->asset, sizeof t->asset, "%s", asset);
}

static const char NO_MEMORY[] = "{\"code\":\"nomem\",\"detail\":\"the host has no memory for this now\"}";

static void api_answer_refusal(struct api_op *op, const struct fr_err *err)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 4096);
    fr_buf_add(&text, "{\"code\":");
    fr_buf_add_json_text(&text, err->code);
    fr_buf_add(&text, ",\"detail\":");
    fr_buf_add_json_text(&text, err->status == FR_E_INTERNAL || err->status == FR_E_CORRUPT || err->status == FR_E_IO ? "the host failed" : err->text);
    fr_buf_add(&text, "}");
    if (text.failed) sandbox_answer(op->worker, op->generation, op->call_id, op->ask_no, FRAME_REFUSED, NO_MEMORY, sizeof NO_MEMORY - 1);
    else sandbox_answer(op->worker, op->generation, op->call_id, op->ask_no, FRAME_REFUSED, text.data, text.len);
}

// What an approval sheet needs, kept with the call that ran into it.
static void api_note_need(struct api_op *op)
{
    struct plugin_call *call = op->worker && op->need_units > 0 ? plugin_call_find(op->from, op->generation, op->call_id) : NULL;
    if (!call) return;
    snprintf(call->need_asset, sizeof call->need_asset, "%s", op->need_asset);
    call->need_units = op->need_units;
}

void api_finish(struct api_op *op, enum fr_status status, const struct fr_err *err)
{
    struct fr_err large;
    if (status == FR_OK && op->out.failed) {
        status = FR_FAIL_CODE(&large, FR_E_LIMIT, "too_large", "the answer is over %zu bytes", op->out.max);
        err = &large;
    }
    if (status == FR_E_INTERNAL || status == FR_E_CORRUPT) fr_log_err(LOG_ERROR, "api.failed", err, "plugin", op->version->package->manifest->id, "call", op->call->name, NULL);
    if (status != FR_OK) api_note_need(op);
    for (int i = 0; status == FR_OK && i < op->touched_count; i++) op->api->o.wallet(op->api->o.arg, op->touched[i].player, op->touched[i].asset);
    const char *answer = op->out.data && op->out.len ? op->out.data : "null";
    if (op->asked) op->asked(op->asked_arg, status == FR_OK, status == FR_OK ? answer : err->code);
    else if (op->ask_no && status == FR_OK) sandbox_answer(op->worker, op->generation, op->call_id, op->ask_no, FRAME_OK, answer, strlen(answer));
    else if (op->ask_no) api_answer_refusal(op, err);
    fr_json_free(op->args);
    fr_buf_free(&op->out);
    plugin_version_unref(op->version);
    fr_free(op);
}

// An answer that cannot be given undoes what was done: coins that moved must not be called refused.
static enum fr_status api_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    FR_TRY(op->handler->job(txn, op, err));
    if (op->out.failed && !op->out.no_memory) return FR_FAIL_CODE(err, FR_E_LIMIT, "too_large", "the answer is over %zu bytes", op->out.max);
    return fr_buf_check(&op->out, "the answer", err);
}

static void api_on_job(void *arg, enum fr_status status, const struct fr_err *err)
{
    api_finish(arg, status, err);
}

static enum fr_status api_check(struct api_op *op, const char *args, size_t len, struct fr_err *err)
{
    const struct manifest *m = op->version->package->manifest;
    if (!manifest_granted(m, op->call->grant))
        return FR_FAIL_CODE(err, FR_E_DENIED, "not_granted", "%s.%s needs the grant \"%s\" in plugin.json", op->call->family, op->call->name, op->call->grant);
    if (!api_afford(op->api, op->plugin, op->call->cost)) return FR_FAIL_CODE(err, FR_E_LIMIT, "rate", "%s makes too many host calls", m->id);
    FR_TRY(fr_json_parse(args, len, &op->args, err));
    return api_check_args(op->call, op->args, err);
}

static void api_run(struct api_op *op, const char *args, size_t len)
{
    struct fr_err err;
    op->now_ms = fr_now_ms();
    fr_buf_init(&op->out, CALL_RESULT_BYTES_MAX);
    enum fr_status st = api_check(op, args, len, &err);
    const struct api_handler *h = op->handler = api_handler_find(op->call->no);
    if (st != FR_OK) { api_finish(op, st, &err); return; }
    if (op->call->no == 1) { api_call_plugin(op); return; }
    assert(h);                                                             // the table and the handlers are both ours
    if (h->how == API_OWN) {
        st = h->now(op, &err);
        if (st != FR_OK) api_finish(op, st, &err);
        return;
    }
    if (h->how == API_NOW) { api_finish(op, h->now(op, &err), &err); return; }
    st = h->how == API_READ ? store_read(op->api->o.store, api_job, op, api_on_job, &err) : store_run(op->api->o.store, api_job, op, api_on_job, &err);
    if (st != FR_OK) api_finish(op, st, &err);
}

void api_on_ask(void *api, struct plugin_worker *w, const struct sandbox_ask *ask)
{
    struct plugin *p = w->version->plugin;
    const struct api_call *call = api_find(ask->api);
    if (!call || (ask->ask_no == 0) != ((call->flags & API_NO_WAIT) != 0) || (call->flags & API_LOCAL)) {
        fr_log(LOG_WARN, "api.unknown_call", "plugin", p->package->manifest->id, NULL);       // only a worker that was taken over does this
        if (ask->ask_no) sandbox_answer(w->sandbox, sandbox_generation(w->sandbox), ask->call_id, ask->ask_no, FRAME_REFUSED, "{\"code\":\"unknown_call\"}", 23);
        return;
    }
    struct api_op *op = fr_alloc(sizeof *op);
    if (!op) {
        if (ask->ask_no) sandbox_answer(w->sandbox, sandbox_generation(w->sandbox), ask->call_id, ask->ask_no, FRAME_REFUSED, NO_MEMORY, sizeof NO_MEMORY - 1);
        return;
    }
    *op = (struct api_op){ .api = api, .plugin = p, .version = w->version, .call = call, .from = w, .worker = w->sandbox, .generation = sandbox_generation(w->sandbox), .call_id = ask->call_id, .ask_no = ask->ask_no };
    plugin_version_ref(op->version);
    struct plugin_call *running = plugin_call_find(w, op->generation, ask->call_id);
    if (running) op->caller = running->caller;
    api_run(op, ask->args, ask->args_len);
}

// ---- m:ask: whichever comes first, the answer or the timeout, is told, on a turn of the loop of its own; the other one frees.

struct api_asking {
    uv_timer_t timer;
    bool told, answered, closed, ok;
    char *answer;
    void (*done)(void *arg, bool ok, const char *json_or_code); void *arg;
};

static void asking_free_if_over(struct api_asking *q)
{
    if (!q->answered || !q->closed) return;
    fr_free(q->answer);
    fr_free(q);
}

static void asking_on_closed(uv_handle_t *handle)
{
    struct api_asking *q = handle->data;
    q->closed = true;
    asking_free_if_over(q);
}

static void asking_on_timer(uv_timer_t *timer)
{
    struct api_asking *q = timer->data;
    q->told = true;
    q->done(q->arg, q->answered && q->ok, q->answered ? q->answer : "timeout");
    uv_close((uv_handle_t *)timer, asking_on_closed);
}

static void asking_on_answer(void *arg, bool ok, const char *json_or_code)
{
    struct api_asking *q = arg;
    q->answered = true;
    q->ok = ok;
    if (q->told) { asking_free_if_over(q); return; }
    q->answer = fr_must_strdup(json_or_code);
    uv_timer_start(&q->timer, asking_on_timer, 0, 0);
}

void api_ask(struct api *a, struct plugin_version *v, const char *fn, const char *args_json, int timeout_ms,
             void (*done)(void *done_arg, bool ok, const char *json_or_code), void *done_arg)
{
    const struct api_call *call = NULL;
    for (int i = 0; i < API_COUNT; i++) {
        char name[80];
        snprintf(name, sizeof name, "%s.%s", api_calls[i].family, api_calls[i].name);
        if ((api_calls[i].flags & API_ASKABLE) && strcmp(name, fn) == 0) call = &api_calls[i];
    }
    struct api_asking *q = fr_must_alloc(sizeof *q);
    *q = (struct api_asking){ .done = done, .arg = done_arg };
    uv_timer_init(a->o.loop, &q->timer);
    q->timer.data = q;
    uv_timer_start(&q->timer, asking_on_timer, (uint64_t)timeout_ms, 0);
    if (!call) { asking_on_answer(q, false, "not_askable"); return; }
    struct api_op *op = fr_must_alloc(sizeof *op);
    *op = (struct api_op){ .api = a, .plugin = v->plugin, .version = v, .call = call, .asked = asking_on_answer, .asked_arg = q, .asked_ms = timeout_ms };
    plugin_version_ref(v);
    api_run(op, args_json, strlen(args_json));
}
