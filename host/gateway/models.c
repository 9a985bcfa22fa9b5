// models.c — the host's models for other programs: OpenAI's wire and the PaLM API's. What an answer is, is llm/'s; here stand keys, streams, and clients that leave.
//
// A stream begins with its first event, so that a refusal still has its status. From then on a failure is an event with an "error". A client that leaves ends its call.
#include "gateway/models.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "llm/request.h"

size_t gw_body_most(void *arg, struct net_text method, struct net_text target)
{
    static const char *const routes[] = { "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1beta2/models/", "/v1beta3/models/" };
    (void)arg;
    if (!net_text_is(method, "POST")) return HTTP_BODY_BYTES_MAX;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (target.len >= strlen(routes[i]) && memcmp(target.at, routes[i], strlen(routes[i])) == 0) return LLM_BODY_BYTES_MAX;
    return HTTP_BODY_BYTES_MAX;
}

// ---- the end

void gw_model_free(struct gw_model *m)
{
    assert(!m->r && !m->call);
    *m->link = m->next;
    if (m->next) m->next->link = m->link;
    if (m->events) m->g->models_kept--;
    net_events_free(m->events);
    palm_request_clear(&m->palm);
    struct gateway *g = m->g;
    fr_free(m);
    gw_unref(g);
}

void gw_model_leave(struct gw_model *m, bool broken)
{
    if (!m->r) return;
    if (m->sse) net_sse_end(m->sse, broken);
    m->sse = NULL;
    gw_let_go(m->r);
    m->r = NULL;
}

static void model_refuse(struct gw_model *m, const struct fr_err *err)
{
    FR_AUTO_BUF(out);
    bool filtered = m->wire == WIRE_PALM && m->palm.kind == LLM_CHAT && strcmp(err->code, "llm_refused") == 0;
    fr_buf_init(&out, GW_ANSWER_BYTES_MAX);
    if (filtered) {
        palm_refused_print(&m->palm, llm_public_text(err), &out);
        gw_answer(m->r, 200, out.data, out.len);
    } else {
        gw_refuse(m->r, err, NULL);
    }
    m->r = NULL;
}

static void model_answer(struct gw_model *m, const struct llm_end *end)
{
    FR_AUTO_BUF(out);
    struct fr_err err;
    fr_buf_init(&out, 2 * CLIENT_ANSWER_BYTES_MAX);
    if (m->wire == WIRE_OPENAI) {
        gw_answer(m->r, 200, end->json, end->json_len);
        m->r = NULL;
        return;
    }
    enum fr_status st = palm_answer_print(&m->palm, end->json, end->json_len, &out, &err);
    if (st == FR_OK) st = fr_buf_check(&out, "the answer", &err);
    if (st != FR_OK) {
        gw_refuse(m->r, &err, NULL);
    } else {
        gw_answer(m->r, 200, out.data, out.len);
    }
    m->r = NULL;
}

static void put_buf(struct gw_model *m, struct fr_buf *b)
{
    if (!b->failed) gw_model_put(m, b->data, b->len);
}

static void stream_end(struct gw_model *m, enum fr_status st, const struct llm_end *end, const struct fr_err *err)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 2 * LLM_ANSWER_BYTES_MAX);
    if (st != FR_OK) {
        openai_error_print(err, llm_public_text(err), &b);
        put_buf(m, &b);
    } else {
        if (!m->begun) {                   // an answer that was there at once: one event has all of it
            openai_answer_event(m->kind, end, &b);
            put_buf(m, &b);
            fr_buf_clear(&b);
        }
        if (m->usage) {
            openai_usage_event(m->kind, end, &b);
            put_buf(m, &b);
        }
        gw_model_put(m, "[DONE]", 6);
    }
    gw_model_leave(m, false);
}

static void on_done(void *arg, enum fr_status st, const struct llm_end *end, const struct fr_err *err)
{
    struct gw_model *m = arg;
    struct fr_err mine;
    m->call = NULL;
    m->ended = true;
    if (st != FR_OK) {
        mine = *err;
        if (m->g->stopping && strcmp(mine.code, "llm_cancelled") == 0) FR_IGNORE(FR_FAIL_CODE(&mine, FR_E_BUSY, "client_stopped", "the host is stopping"));     // handed on
        if (end->retry_after_ms > 0) mine.retry_s = (int)((end->retry_after_ms + 999) / 1000);
        if (mine.status == FR_E_IO || mine.status == FR_E_INTERNAL) fr_log_err(LOG_WARN, "model.failed", &mine, "model", end->model, "pod", end->pod, NULL);
    }
    if (m->stream && (m->begun || (st == FR_OK && m->r))) stream_end(m, st, end, &mine);
    else if (!m->r) ;                      // it left, and its call was cancelled
    else if (st == FR_OK) model_answer(m, end);
    else model_refuse(m, &mine);
    if (!m->r && !gw_model_may_stay(m)) gw_model_free(m);
}

// ---- on its way

static bool stream_begin(struct gw_model *m)
{
    char headers[200];
    snprintf(headers, sizeof headers, "X-Request-Id: %s\r\nX-Content-Type-Options: nosniff\r\n%s%s%s", m->r->id, m->events ? "X-Stream-Id: " : "", m->events ? m->id : "", m->events ? "\r\n" : "");
    m->sse = net_sse_begin(m->r->http, m->g->o.loop, headers, NULL);
    if (m->sse) return true;
    gw_let_go(m->r);                       // it was answered: no memory
    m->r = NULL;
    if (m->call) llm_cancel(m->call);
    return false;
}

void gw_model_put(struct gw_model *m, const char *data, size_t len)
{
    char id[24] = "";
    m->begun = true;
    if (m->events) snprintf(id, sizeof id, "%llu", (unsigned long long)net_events_add(m->events, NULL, data, len));
    if (!m->r || (!m->sse && !stream_begin(m))) return;
    if (!net_sse_send(m->sse, id, NULL, data, len) && m->call) llm_pause(m->call);
}

static void on_delta(void *arg, struct llm_call *call, const struct llm_delta *d)
{
    (void)call;
    if (!openai_event_is_usage(d->json, d->json_len)) gw_model_put(arg, d->json, d->json_len);
}

static void on_drained(void *arg)
{
    struct gw_model *m = arg;
    if (m->call) llm_resume(m->call);
}

static void on_gone(void *arg)
{
    struct gw_model *m = arg;
    bool stays = m->begun && gw_model_may_stay(m);         // before its first event nobody knows its id
    if (m->begun || stays) gw_model_leave(m, false);
    if (!m->call) {
        if (!m->r && !stays) gw_model_free(m);
        return;
    }
    if (stays) llm_resume(m->call);        // it may have been paused for who left; the log is bounded by itself
    else llm_cancel(m->call);              // on_done answers, into nothing
}

void gw_model_watch(struct gw_model *m)
{
    net_request_watch(m->r->http, &(struct net_watch){ .gone = on_gone, .drained = on_drained, .arg = m });
}

// ---- the beginning

static struct gw_model *model_new(struct gw_req *r, enum llm_kind kind)
{
    struct gateway *g = r->g;
    struct gw_model *m = fr_alloc(sizeof *m);
    if (!m) {
        GW_FAIL(r, FR_E_NOMEM, "nomem", "no memory for a request");
        return NULL;
    }
    *m = (struct gw_model){ .g = g, .r = r, .kind = kind, .wire = gw_wire_of(r->route), .began_ms = fr_mono_ms(), .next = g->models, .link = &g->models };
    if (m->next) m->next->link = &m->next;
    g->models = m;
    gw_ref(g);
    return m;
}

static void model_fail(struct gw_model *m, const struct fr_err *err)
{
    model_refuse(m, err);
    gw_model_free(m);
}

static enum fr_status key_may(const struct gw_req *r, enum api_scope scope, struct fr_err *err)
{
    if (!r->key || r->key->scopes & scope) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_DENIED, "key_scope", "this key is not for that: its scopes were chosen when it was made");
}

static enum fr_status models_are_on(const struct gateway *g, struct fr_err *err)
{
    return g->o.llm && !g->stopping ? FR_OK : FR_FAIL_CODE(err, FR_E_BUSY, "llm_down", "this host has no models just now");
}

// The key's own limits, told to the core each time: it forgets those that nobody uses.
static void from_fill(const struct gw_req *r, struct llm_from *from)
{
    *from = (struct llm_from){ .tenant = "shell", .payer = "operator" };
    if (r->key) snprintf(from->tenant, sizeof from->tenant, "key:%lld", (long long)r->key->id);
    if (r->who.player[0]) snprintf(from->payer, sizeof from->payer, "player:%s", r->who.player);
    snprintf(from->player, sizeof from->player, "%s", r->who.player);
}

static void model_start(struct gw_model *m, const char *body, size_t len)
{
    struct gw_req *r = m->r;
    struct fr_err err;
    struct llm_ask ask = { .kind = m->kind, .body = body, .body_len = len, .priority = r->key ? 1 : 0, .on_delta = m->stream ? on_delta : NULL, .done = on_done, .arg = m };
    from_fill(r, &ask.from);
    enum fr_status st = key_may(r, m->kind == LLM_EMBED ? API_EMBED : API_CHAT, &err);
    if (st == FR_OK) st = models_are_on(m->g, &err);
    if (st == FR_OK) st = llm_start(m->g->o.llm, &ask, &m->call, &err);
    if (st != FR_OK) {
        model_fail(m, &err);
        return;
    }
    if (m->stream && !r->key) gw_model_keep(m, r->who.player);
    gw_model_watch(m);
}

static void openai_start(struct gw_req *r, enum llm_kind kind)
{
    struct net_text body = net_body(r->http);
    struct gw_model *m = model_new(r, kind);
    if (!m) return;
    if (kind != LLM_EMBED) openai_stream_asked(body.at, body.len, &m->stream, &m->usage);
    model_start(m, body.at, body.len);
}
void gw_chat(struct gw_req *r) { openai_start(r, LLM_CHAT); }
void gw_completion(struct gw_req *r) { openai_start(r, LLM_TEXT); }
void gw_embedding(struct gw_req *r) { openai_start(r, LLM_EMBED); }

// ---- models

static enum fr_status list_models(const struct gw_req *r, struct fr_buf *list, struct fr_err *err)
{
    FR_TRY(key_may(r, API_MODELS, err));
    FR_TRY(models_are_on(r->g, err));
    fr_buf_init(list, GW_ANSWER_BYTES_MAX);
    llm_models(r->g->o.llm, list);
    return fr_buf_check(list, "the list of models", err);
}

typedef enum fr_status print_fn(const struct gw_req *r, const char *name, const struct fr_buf *list, struct fr_buf *out, struct fr_err *err);

static void answer_models(struct gw_req *r, const char *name, print_fn *print)
{
    struct fr_err err;
    FR_AUTO_BUF(list);
    FR_AUTO_BUF(out);
    fr_buf_init(&out, GW_ANSWER_BYTES_MAX);
    enum fr_status st = list_models(r, &list, &err);
    if (st == FR_OK) st = print(r, name, &list, &out, &err);
    if (st == FR_OK) st = fr_buf_check(&out, "the answer", &err);
    if (st == FR_OK) gw_answer(r, 200, out.data, out.len);
    else gw_refuse(r, &err, NULL);
}

static enum fr_status print_list(const struct gw_req *r, const char *name, const struct fr_buf *list, struct fr_buf *out, struct fr_err *err)
{
    (void)r, (void)name, (void)err;
    fr_buf_addf(out, "{\"object\":\"list\",\"data\":%s}", list->data);
    return FR_OK;
}

static enum fr_status print_one(const struct gw_req *r, const char *name, const struct fr_buf *list, struct fr_buf *out, struct fr_err *err)
{
    (void)r;
    return openai_model_print(list->data, list->len, name, out, err);
}

static enum fr_status print_palm_list(const struct gw_req *r, const char *name, const struct fr_buf *list, struct fr_buf *out, struct fr_err *err)
{
    char size[12] = "0", token[24] = "";
    (void)name;
    if (!net_query_value(r->http, "pageSize", size, sizeof size)) net_query_value(r->http, "page_size", size, sizeof size);
    if (!net_query_value(r->http, "pageToken", token, sizeof token)) net_query_value(r->http, "page_token", token, sizeof token);
    if (strspn(size, "0123456789") != strlen(size)) return FR_FAIL_CODE(err, FR_E_INVALID, "llm_request", "pageSize: expected a number");
    return palm_models_print(list->data, list->len, strtoll(size, NULL, 10), token, out, err);
}

static enum fr_status print_palm_one(const struct gw_req *r, const char *name, const struct fr_buf *list, struct fr_buf *out, struct fr_err *err)
{
    (void)r;
    return palm_model_print(list->data, list->len, name, out, err);
}

void gw_models(struct gw_req *r) { answer_models(r, NULL, print_list); }
void gw_model(struct gw_req *r) { answer_models(r, r->part[0], print_one); }
void gw_model_of_owner(struct gw_req *r)
{
    char name[2 * GW_PART_BYTES];
    snprintf(name, sizeof name, "%s/%s", r->part[0], r->part[1]);
    answer_models(r, name, print_one);
}
void gw_palm_models(struct gw_req *r) { answer_models(r, NULL, print_palm_list); }
void gw_palm_model(struct gw_req *r) { answer_models(r, r->part[0], print_palm_one); }

// ---- the PaLM API

static enum fr_status count_tokens(const struct gw_model *m, struct fr_buf *out, struct fr_err *err)
{
    struct llm_request request = { 0 };
    FR_AUTO_BUF(list);
    FR_AUTO_BUF(one);
    fr_buf_init(&list, GW_ANSWER_BYTES_MAX);
    fr_buf_init(&one, GW_ANSWER_BYTES_MAX);
    FR_TRY(key_may(m->r, API_CHAT, err));
    FR_TRY(models_are_on(m->g, err));
    llm_models(m->g->o.llm, &list);
    if (m->palm.model[0]) FR_TRY(palm_model_print(list.data, list.len, m->palm.model, &one, err));
    FR_TRY(llm_request_parse(LLM_CHAT, m->palm.body.data, m->palm.body.len, &request, err));
    palm_count_print(request.prompt_tokens, out);
    llm_request_clear(&request);
    return FR_OK;
}

static void palm_count(struct gw_model *m)
{
    struct fr_err err;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 100);
    if (count_tokens(m, &out, &err) != FR_OK) {
        model_fail(m, &err);
        return;
    }
    gw_answer(m->r, 200, out.data, out.len);
    m->r = NULL;
    gw_model_free(m);
}

void gw_palm(struct gw_req *r)
{
    struct net_text body = net_body(r->http);
    enum palm_method method;
    struct fr_err err;
    if (!palm_method_parse(r->part[1], &method)) {
        GW_FAIL(r, FR_E_NOT_FOUND, "route_unknown", "there is no method \"%.40s\" here", r->part[1]);
        return;
    }
    struct gw_model *m = model_new(r, LLM_CHAT);
    if (!m) return;
    if (palm_request_read(method, r->part[0], body.at, body.len, &m->palm, &err) != FR_OK) {
        model_fail(m, &err);
        return;
    }
    m->kind = m->palm.kind;
    if (method == PALM_COUNT_TEXT_TOKENS || method == PALM_COUNT_MESSAGE_TOKENS) palm_count(m);
    else model_start(m, m->palm.body.data, m->palm.body.len);
}
