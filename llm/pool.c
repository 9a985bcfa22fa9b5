// pool.c — the way of a request to a backend: so far the first pod of the first backend.
#include "llm/pool.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

struct llm_pool {
    struct llm_pool_options o;
    char engine[108], key[LLM_SECRET_BYTES];
    struct llm_sent *first;
    void (*stopped)(void *arg); void *stopped_arg;
};
struct llm_sent {
    struct llm_pool *pool; struct llm_sent *next;
    struct llm_pool_ask ask;
    struct net_call *call;
    char model[LLM_NAME_BYTES];
    struct fr_buf line, text, whole;
    char finish[24], id[64];
    int64_t prompt, answer, deltas, started_ms, first_ms;
    bool cancelled, failed;
    uv_timer_t soon;
};

void llm_pool_new(const struct llm_pool_options *o, struct llm_pool **ret)
{
    struct llm_pool *p = fr_must_alloc(sizeof *p);
    p->o = *o;
    *ret = p;
}

void llm_pool_configure(struct llm_pool *p, const struct llm_settings *settings) { p->o.settings = settings; }

void llm_pool_engine(struct llm_pool *p, const char *unix_path, const char *key)
{
    snprintf(p->engine, sizeof p->engine, "%s", unix_path ? unix_path : "");
    snprintf(p->key, sizeof p->key, "%s", key ? key : "");
    if (unix_path) p->o.on_room(p->o.arg);
}

static void maybe_stopped(struct llm_pool *p)
{
    if (!p->stopped || p->first) return;
    void (*done)(void *) = p->stopped;
    p->stopped = NULL;
    done(p->stopped_arg);
}

void llm_pool_stop(struct llm_pool *p, void (*done)(void *arg), void *arg)
{
    p->stopped = done;
    p->stopped_arg = arg;
    for (struct llm_sent *s = p->first; s; s = s->next) llm_pool_cancel(s);
    maybe_stopped(p);
}

void llm_pool_free(struct llm_pool *p) { fr_free(p); }

static const struct llm_model_settings *find(const struct llm_pool *p, const char *name, const struct llm_backend_settings **backend)
{
    const struct llm_settings *s = p->o.settings;
    *backend = NULL;
    for (int i = 0; i < s->backend_count; i++)
        for (int j = 0; j < s->backends[i].model_count; j++)
            if (strcmp(s->backends[i].models[j].name, name) == 0) { *backend = strcmp(s->backends[i].name, "engine") == 0 ? NULL : &s->backends[i]; return &s->backends[i].models[j]; }
    return NULL;
}

const struct llm_model_settings *llm_pool_model(const struct llm_pool *p, enum llm_kind kind, const char *name)
{
    const struct llm_backend_settings *b;
    if (!name[0]) name = kind == LLM_EMBED && p->o.settings->default_embed[0] ? p->o.settings->default_embed : p->o.settings->default_model;
    return find(p, name, &b);
}

enum fr_status llm_pool_room(const struct llm_pool *p, const struct llm_pool_ask *ask, struct fr_err *err)
{
    const struct llm_backend_settings *b;
    const struct llm_model_settings *m = find(p, ask->model, &b);
    if (!m || (!b && !p->engine[0])) return FR_FAIL_CODE(err, FR_E_BUSY, "llm_down", "no pod of %s is up", ask->model);
    return FR_OK;
}

static void sent_closed(uv_handle_t *handle)
{
    struct llm_sent *s = handle->data;
    struct llm_pool *p = s->pool;
    fr_buf_free(&s->line);
    fr_buf_free(&s->text);
    fr_buf_free(&s->whole);
    fr_free(s);
    (void)p;
}

static void finish(struct llm_sent *s, enum fr_status st, const struct llm_result *r, const struct fr_err *err)
{
    struct llm_pool *p = s->pool;
    struct llm_sent **link = &p->first;
    while (*link != s) link = &(*link)->next;
    *link = s->next;
    s->ask.done(s->ask.arg, st, r, err);
    uv_close((uv_handle_t *)&s->soon, sent_closed);
    maybe_stopped(p);
}

static void on_event(struct llm_sent *s, const char *json, size_t len)
{
    FR_AUTO(fr_json) v = NULL;
    struct fr_err err;
    if (len == 6 && memcmp(json, "[DONE]", 6) == 0) return;
    if (fr_json_parse(json, len, &v, &err) != FR_OK || fr_json_kind(v) != JSON_OBJECT) { s->failed = true; return; }
    const struct fr_json *choice = fr_json_child(fr_json_get(v, "choices")), *usage = fr_json_get(v, "usage");
    const char *text = fr_json_text(fr_json_get(fr_json_get(choice, "delta"), "content")), *end = fr_json_text(fr_json_get(choice, "finish_reason")), *id = fr_json_text(fr_json_get(v, "id"));
    if (s->ask.request->kind == LLM_TEXT) text = fr_json_text(fr_json_get(choice, "text"));
    if (end) snprintf(s->finish, sizeof s->finish, "%s", end);
    if (id) snprintf(s->id, sizeof s->id, "%s", id);
    if (usage && fr_json_kind(usage) == JSON_OBJECT) {
        s->prompt = (int64_t)fr_json_number(fr_json_get(usage, "prompt_tokens"));
        s->answer = (int64_t)fr_json_number(fr_json_get(usage, "completion_tokens"));
    }
    if (!choice) return;
    if (text) fr_buf_add(&s->text, text), s->deltas += text[0] != 0;
    if (!s->first_ms) s->first_ms = fr_mono_ms() - s->started_ms;
    struct llm_delta d = { text ? text : "", text ? strlen(text) : 0, json, len };
    s->ask.on_delta(s->ask.arg, &d);
}

static void on_bytes(void *arg, struct net_call *call, int http_status, const char *bytes, size_t len)
{
    struct llm_sent *s = arg;
    (void)call;
    fr_buf_add_bytes(&s->line, bytes, len);
    if (http_status != 200) return;
    for (char *end; s->line.len && (end = memchr(s->line.data, '\n', s->line.len)) && !s->cancelled;) {
        size_t n = (size_t)(end - s->line.data);
        if (n && s->line.data[n - 1] == '\r') n--;
        if (n > 6 && memcmp(s->line.data, "data: ", 6) == 0) on_event(s, s->line.data + 6, n - 6);
        fr_buf_consume(&s->line, (size_t)(end - s->line.data) + 1);
    }
}

static void whole_of_stream(struct llm_sent *s)
{
    bool chat = s->ask.request->kind == LLM_CHAT;
    fr_buf_add(&s->whole, "{\"id\":");
    fr_buf_add_json_text(&s->whole, s->id);
    fr_buf_addf(&s->whole, ",\"object\":\"%s\",\"created\":%lld,\"model\":", chat ? "chat.completion" : "text_completion", (long long)(fr_now_ms() / 1000));
    fr_buf_add_json_text(&s->whole, s->model);
    fr_buf_addf(&s->whole, ",\"choices\":[{\"index\":0,%s", chat ? "\"message\":{\"role\":\"assistant\",\"content\":" : "\"text\":");
    fr_buf_add_json_bytes(&s->whole, s->text.data ? s->text.data : "", s->text.len);
    fr_buf_addf(&s->whole, "%s,\"finish_reason\":", chat ? "}" : "");
    fr_buf_add_json_text(&s->whole, s->finish[0] ? s->finish : NULL);
    fr_buf_addf(&s->whole, "}],\"usage\":{\"prompt_tokens\":%lld,\"completion_tokens\":%lld,\"total_tokens\":%lld}}", (long long)s->prompt, (long long)s->answer, (long long)(s->prompt + s->answer));
}

static void on_done(void *arg, enum fr_status st, const struct net_answer *a, const struct fr_err *failed)
{
    struct llm_sent *s = arg;
    struct fr_err err;
    FR_AUTO(fr_json) v = NULL;
    struct llm_result r = { .model = s->model, .pod = "first", .finish = s->finish, .text = "", .prompt_tokens = s->prompt, .answer_tokens = s->answer, .seen_tokens = s->deltas, .streamed = s->deltas > 0, .first_ms = s->first_ms, .tries = 1 };
    s->call = NULL;
    if (s->cancelled) { finish(s, FR_FAIL_CODE(&err, FR_E_CONFLICT, "llm_cancelled", "the call was cancelled"), &r, &err); return; }
    if (st != FR_OK) { finish(s, st, &r, failed); return; }
    if (a->http_status != 200) { finish(s, FR_FAIL_CODE(&err, FR_E_IO, "llm_backend", "the backend answered %d", a->http_status), &r, &err); return; }
    if (s->ask.on_delta) {
        if (s->failed) { finish(s, FR_FAIL_CODE(&err, FR_E_IO, "llm_nonsense", "the stream holds what is no JSON"), &r, &err); return; }
        whole_of_stream(s);
        r.json = s->whole.data, r.json_len = s->whole.len, r.text = s->text.data ? s->text.data : "", r.text_len = s->text.len;
        finish(s, FR_OK, &r, NULL);
        return;
    }
    if (fr_json_parse(a->body, a->body_len, &v, &err) != FR_OK || fr_json_kind(v) != JSON_OBJECT) { finish(s, FR_FAIL_CODE(&err, FR_E_IO, "llm_nonsense", "the answer is no JSON object"), &r, &err); return; }
    const struct fr_json *choice = fr_json_child(fr_json_get(v, "choices")), *usage = fr_json_get(v, "usage");
    const char *text = s->ask.request->kind == LLM_TEXT ? fr_json_text(fr_json_get(choice, "text")) : fr_json_text(fr_json_get(fr_json_get(choice, "message"), "content"));
    const char *end = fr_json_text(fr_json_get(choice, "finish_reason"));
    snprintf(s->finish, sizeof s->finish, "%s", end ? end : "");
    if (usage) r.prompt_tokens = (int64_t)fr_json_number(fr_json_get(usage, "prompt_tokens")), r.answer_tokens = (int64_t)fr_json_number(fr_json_get(usage, "completion_tokens"));
    r.json = a->body, r.json_len = a->body_len, r.text = text ? text : "", r.text_len = text ? strlen(text) : 0;
    finish(s, FR_OK, &r, NULL);
}

enum fr_status llm_pool_send(struct llm_pool *p, const struct llm_pool_ask *ask, struct llm_sent **ret, struct fr_err *err)
{
    static const char *const paths[] = { "/chat/completions", "/completions", "/embeddings" };
    const struct llm_backend_settings *b;
    char url[LLM_URL_BYTES + 32], bearer[LLM_SECRET_BYTES + 16];
    FR_AUTO_BUF body;
    FR_TRY(llm_pool_room(p, ask, err));
    const struct llm_model_settings *m = find(p, ask->model, &b);
    struct llm_sent *s = fr_must_alloc(sizeof *s);
    s->pool = p;
    s->ask = *ask;
    s->prompt = s->answer = -1;
    s->started_ms = fr_mono_ms();
    snprintf(s->model, sizeof s->model, "%s", m->name);
    fr_buf_init(&s->line, LLM_EVENT_BYTES_MAX), fr_buf_init(&s->text, LLM_ANSWER_BYTES_MAX), fr_buf_init(&s->whole, 2 * LLM_ANSWER_BYTES_MAX), fr_buf_init(&body, 2 * LLM_BODY_BYTES_MAX);
    llm_request_print(ask->request, m->as[0] ? m->as : m->name, ask->on_delta != NULL, 0, 0, &body);
    snprintf(url, sizeof url, "%s%s", b ? b->pods[0].url : "http://engine/v1", paths[ask->request->kind]);
    snprintf(bearer, sizeof bearer, "Bearer %s", b ? b->key : p->key);
    struct net_pair headers[] = { { "Content-Type", "application/json" }, { "Authorization", bearer } };
    struct net_ask http = { .method = "POST", .url = url, .unix_path = b ? NULL : p->engine, .headers = headers, .header_count = bearer[7] ? 2 : 1, .body = body.data, .body_len = body.len,
                            .idle_ms = LLM_IDLE_MS, .total_ms = ask->deadline_ms, .on_bytes = ask->on_delta ? on_bytes : NULL, .done = on_done, .arg = s };
    uv_timer_init(p->o.loop, &s->soon);
    s->soon.data = s;
    enum fr_status st = net_call_start(p->o.client, &http, &s->call, err);
    if (st != FR_OK) { uv_close((uv_handle_t *)&s->soon, sent_closed); return st; }
    s->next = p->first;
    p->first = s;
    if (ret) *ret = s;
    return FR_OK;
}

void llm_pool_cancel(struct llm_sent *s)
{
    s->cancelled = true;
    if (s->call) net_call_cancel(s->call);
}

void llm_pool_pause(struct llm_sent *s, bool paused)
{
    if (!s->call) return;
    if (paused) net_call_pause(s->call);
    else net_call_resume(s->call);
}

void llm_pool_models(const struct llm_pool *p, struct fr_buf *out)
{
    const struct llm_settings *s = p->o.settings;
    int n = 0;
    fr_buf_add(out, "[");
    for (int i = 0; i < s->backend_count; i++)
        for (int j = 0; j < s->backends[i].model_count; j++) {
            fr_buf_add(out, n++ ? ",{\"id\":" : "{\"id\":");
            fr_buf_add_json_text(out, s->backends[i].models[j].name);
            fr_buf_add(out, ",\"object\":\"model\",\"created\":0,\"owned_by\":");
            fr_buf_add_json_text(out, s->backends[i].name);
            fr_buf_add(out, "}");
        }
    fr_buf_add(out, "]");
}

void llm_pool_facts(const struct llm_pool *p, struct fr_buf *out) { fr_buf_addf(out, "{\"ready\":%s}", llm_pool_ready(p) ? "true" : "false"); }
void llm_pool_metrics(const struct llm_pool *p, struct fr_buf *out) { (void)p, (void)out; }
bool llm_pool_ready(const struct llm_pool *p) { return p->o.settings->backend_count > 0 || p->engine[0]; }
