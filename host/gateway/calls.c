// calls.c — one call of a plugin's function. Functions stand in the order they run; call_finish is the only way out.
#include <stdio.h>
#include <string.h>
#include "base/auto.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/internal.h"

static enum fr_status forget_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    return gw_key_forget(txn, arg, err);
}

static void forget_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    if (status != FR_OK) fr_log_err(LOG_WARN, "idempotency.not_forgotten", err, NULL);      // the key will be told outcome_unknown: too careful, not wrong
    fr_free(arg);
}

// The request was refused, and its refusal is not to be kept: the next one with this key runs. Its job is queued behind this one.
static void call_forget(struct gw_call *c)
{
    struct fr_err err;
    struct gw_key *copy = fr_alloc(sizeof *copy);
    c->keyed->begun = false;
    if (!copy) return;
    *copy = c->keyed->key;
    if (store_run(c->g->o.store, forget_job, copy, forget_done, &err) != FR_OK) forget_done(copy, err.status, &err);
}

static void call_finish(struct gw_call *c, enum fr_status status, const struct fr_err *err, const char *json, size_t len)
{
    struct gateway *g = c->g;
    if (c->keyed && c->keyed->begun && status != FR_OK) call_forget(c);
    struct gw_call_keyed *keyed = FR_TAKE(c->keyed);
    struct gw_need *need = FR_TAKE(c->need);
    FR_AUTO_BUF(more);
    fr_buf_init(&more, 16 * 1024);
    if (need) gw_need_print(need, &more);
    if (keyed) gw_key_release(g, &keyed->key);
    c->done(c, status, err, json, len, more.len && !more.failed ? more.data : NULL);        // c may be gone now
    gw_need_free(need);
    if (keyed) {
        fr_free(keyed->key.answer);
        fr_free(keyed->answer);
        fr_free(keyed);
    }
    gw_unref(g);
}

// ---- the answer is known

static void call_on_kept(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct gw_call *c = arg;
    struct gw_call_keyed *k = c->keyed;
    k->begun = false;                                  // done, whether or not its answer could be kept: never again with this key
    if (status != FR_OK) fr_log_err(LOG_ERROR, "idempotency.lost", err, "request_id", c->caller.request_id, NULL);      // it was done: say so all the same
    call_finish(c, k->status, &k->err, k->answer, k->answer ? strlen(k->answer) : 0);
}

static enum fr_status keep_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_call_keyed *k = ((struct gw_call *)arg)->keyed;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 4096);
    if (k->status == FR_OK) return gw_key_keep(txn, &k->key, FR_OK, k->answer, strlen(k->answer), fr_now_ms(), err);
    fr_buf_add(&text, "{\"code\":");
    fr_buf_add_json_text(&text, k->err.code);
    fr_buf_add(&text, ",\"detail\":");
    fr_buf_add_json_text(&text, k->err.text);
    fr_buf_add(&text, "}");
    return gw_key_keep(txn, &k->key, k->status, text.data, text.len, fr_now_ms(), err);
}

static void call_on_need(void *arg)
{
    struct gw_call *c = arg;
    call_finish(c, c->need->err.status, &c->need->err, NULL, 0);
}

// The plugin ran into a missing approval and said so: the sheet shows what the host knows about it, not what the plugin says.
static void call_ask_approval(struct gw_call *c, const struct plugin_call *call)
{
    struct gw_need *n = c->need = fr_must_alloc(sizeof *n);
    FR_IGNORE(FR_FAIL_CODE(&n->err, FR_E_DENIED, "consent_required", "%s needs your approval", c->plugin));      // told by call_on_need
    n->g = c->g;
    n->units = call->need_units;
    n->done = call_on_need;
    n->arg = c;
    gw_copy(n->player, sizeof n->player, c->caller.player);
    gw_copy(n->asset, sizeof n->asset, call->need_asset);
    gw_copy(n->intent, sizeof n->intent, call->need_intent);
    snprintf(n->reason, sizeof n->reason, "%s wants to use your coins", call->plugin->package->manifest->name);
    gw_need_start(n, call->plugin, NULL);
}

// Refusals of ours that a plugin hands on and that say nothing about the work itself: the same key may ask again.
static bool passes(const char *code)
{
    static const char *const codes[] = { "rate", "busy", "timeout", "unknown", "io", "disk_full", "nomem" };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) if (strcmp(code, codes[i]) == 0) return true;
    return false;
}

static void call_on_stream(void *arg, const char *text, size_t len)
{
    struct gw_call *c = arg;
    c->stream(c, text, len);
}

static void call_on_answer(void *arg, const struct plugin_answer *a)
{
    struct gw_call *c = arg;
    c->stream_cut = a->call && a->call->stream_cut;
    struct gw_call_keyed *k = c->keyed;
    struct fr_err err;
    if (a->status != FR_OK && a->call && a->call->need_units > 0 && strcmp(a->err.code, "consent_required") == 0) {
        call_ask_approval(c, a->call);
        return;
    }
    if (!k || (a->status != FR_OK && (a->status != FR_E_CONFLICT || passes(a->err.code)))) {
        call_finish(c, a->status, &a->err, a->json, a->len);
        return;
    }
    k->status = a->status;
    k->err = a->err;
    if (a->status == FR_OK) k->answer = fr_strndup(a->json ? a->json : "null", a->json ? a->len : 4);
    if (a->status == FR_OK) k->begun = false;
    if (a->status == FR_OK && !k->answer) call_finish(c, FR_FAIL(&err, FR_E_UNKNOWN, "this was done, but there is no memory for the answer"), &err, NULL, 0);
    else if (store_run(c->g->o.store, keep_job, c, call_on_kept, &err) != FR_OK) call_on_kept(c, err.status, &err);
}

// ---- before it runs

static void call_run(struct gw_call *c)
{
    struct fr_err err;
    struct plugin *p = plugins_find(c->g->o.plugins, c->plugin);
    if (!p) call_finish(c, FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%s\"", c->plugin), &err, NULL, 0);
    else if (plugin_call_start(p, c->function, c->args, c->args_len, &c->caller, call_on_answer, c, &err) != FR_OK) call_finish(c, err.status, &err, NULL, 0);
}

// The first answer again.
static void call_replay(struct gw_call *c)
{
    const struct gw_key *k = &c->keyed->key;
    enum fr_status status = (enum fr_status)k->status;
    if (status == FR_OK) {
        call_finish(c, FR_OK, NULL, k->answer, strlen(k->answer));
        return;
    }
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    const char *code = NULL, *detail = NULL;
    if (fr_json_parse(k->answer, strlen(k->answer), &json, &err) == FR_OK) code = fr_json_text(fr_json_get(json, "code")), detail = fr_json_text(fr_json_get(json, "detail"));
    FR_IGNORE(FR_FAIL_CODE(&err, status, code ? code : "refused", "%s", detail ? detail : ""));      // handed on
    call_finish(c, status, &err, NULL, 0);
}

static enum fr_status begin_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_call *c = arg;
    return gw_key_begin(txn, &c->keyed->key, fr_now_ms(), err);
}

static void call_on_begun(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct gw_call *c = arg;
    c->keyed->begun = status == FR_OK && !c->keyed->key.found;
    if (status != FR_OK) call_finish(c, status, err, NULL, 0);
    else if (c->keyed->key.found) call_replay(c);
    else call_run(c);
}

static enum fr_status call_check(struct gw_call *c, const struct session *who, const char *key, struct fr_err *err)
{
    char route[sizeof c->keyed->key.route];
    FR_TRY(gw_scope_check(who, c->plugin, err));
    if (c->args_len > CALL_ARGS_BYTES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "too_large", "a call's arguments may have %d bytes", CALL_ARGS_BYTES_MAX);
    if (!key[0]) return FR_OK;
    snprintf(route, sizeof route, "call/%s/%s", c->plugin, c->function);
    c->keyed = fr_must_alloc(sizeof *c->keyed);
    gw_key_set(&c->keyed->key, who->player, route, key, c->args, c->args_len);
    return gw_key_claim(c->g, &c->keyed->key, err);
}

void gw_call_start(struct gw_call *c, const struct session *who, const char *request_id, const char *source, const char *key)
{
    struct fr_err err;
    gw_ref(c->g);
    gw_copy(c->caller.player, sizeof c->caller.player, who->player);
    gw_copy(c->caller.name, sizeof c->caller.name, who->name);
    gw_copy(c->caller.lang, sizeof c->caller.lang, who->lang);
    gw_copy(c->caller.source, sizeof c->caller.source, source);
    gw_copy(c->caller.request_id, sizeof c->caller.request_id, request_id);
    gw_copy(c->caller.key, sizeof c->caller.key, key);
    c->caller.stream = c->stream ? call_on_stream : NULL;
    if (call_check(c, who, key, &err) != FR_OK) call_finish(c, err.status, &err, NULL, 0);
    else if (!key[0]) call_run(c);
    else if (store_run(c->g->o.store, begin_job, c, call_on_begun, &err) != FR_OK) call_finish(c, err.status, &err, NULL, 0);
}

// ---- POST /v1/call/{plugin}/{function}

static void http_done(struct gw_call *c, enum fr_status status, const struct fr_err *err, const char *json, size_t len, const char *more)
{
    struct gw_req *r = c->arg;
    if (status == FR_OK) gw_answer(r, 200, json ? json : "null", json ? len : 4);
    else gw_refuse(r, err, more);
}

void gw_call_http(struct gw_req *r)
{
    struct gw_call *c = fr_alloc(sizeof *c);
    struct net_text body = net_body(r->http);
    char key[KEY_BYTES_MAX + 1];
    struct fr_err err;
    r->own = c;
    r->own_free = fr_free;
    if (!c || gw_key_header(r->http, key, &err) != FR_OK) {
        if (!c) FR_IGNORE(FR_FAIL(&err, FR_E_NOMEM, "no memory for a call"));        // handed on
        gw_refuse(r, &err, NULL);
        return;
    }
    c->g = r->g;
    c->arg = r;
    c->done = http_done;
    gw_copy(c->plugin, sizeof c->plugin, r->part[0]);
    gw_copy(c->function, sizeof c->function, r->part[1]);
    c->args = body.len ? body.at : "{}";
    c->args_len = body.len ? body.len : 2;
    gw_call_start(c, &r->who, r->id, "http", key);
}
