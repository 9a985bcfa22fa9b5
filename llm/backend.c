// backend.c — an exchange's functions in the order they run: printed, sent, bytes, events, over.
#include "llm/backend.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "llm/sse.h"

#define AFTER_DONE_BYTES_MAX 4096          // of a stream, behind its end: for the sake of its connection

struct llm_exchange {
    struct net_call *call;
    struct llm_answer *answer;
    struct llm_sse sse;
    struct fr_buf raw, json;               // an error's body, or an answer that came whole where a stream was asked for; an event in our form
    char *key;                             // taken out of what the pod says
    void (*on_delta)(void *arg, const struct llm_delta *d);
    llm_exchange_done_fn *done;
    void *arg;
    int64_t started_ms, first_ms;
    size_t after;
    int http_status;
    enum { SHAPE_UNKNOWN, SHAPE_EVENTS, SHAPE_WHOLE, SHAPE_ERROR } shape;
    bool stream, streamed, silent, said_done, told, forgotten, cancelled;
    enum llm_fate fate;                    // with err: why we ended it ourselves
    struct fr_err err;
};

static void exchange_free(struct llm_exchange *x)
{
    llm_answer_free(x->answer);
    llm_sse_free(&x->sse);
    fr_buf_free(&x->raw);
    fr_buf_free(&x->json);
    if (x->key) explicit_bzero(x->key, strlen(x->key));
    fr_free(x->key);
    fr_free(x);
}

// ---- telling ------------------------------------------------------------------------------------------------------

// Wherever the pod repeats its key, or a part of it.
static void redact(char *text, const char *key)
{
    size_t len = strlen(key);
    for (char *t = text; len >= 8 && *t; t++) {
        size_t same = 0;
        while (same < len && t[same] == key[same]) same++;
        if (same >= 8) memset(t, '*', same);
    }
}

static void tell(struct llm_exchange *x, enum llm_fate fate, int64_t retry_after_ms)
{
    struct llm_exchange_end end = { .fate = fate, .streamed = x->streamed, .silent = x->silent, .http_status = x->http_status, .retry_after_ms = retry_after_ms, .ms = fr_mono_ms() - x->started_ms };
    assert(!x->told);
    x->told = true;
    end.first_ms = x->first_ms ? x->first_ms - x->started_ms : end.ms;
    if (fate == LLM_FATE_FINE) end.answer = FR_TAKE(x->answer);
    else redact(x->err.text, x->key);
    if (!x->forgotten) x->done(x->arg, fate == LLM_FATE_FINE ? FR_OK : x->err.status, &end, fate == LLM_FATE_FINE ? NULL : &x->err);
    else llm_answer_free(end.answer);
}

// Ended by us, for the reason in x->err; told when the call has ended too.
static void give_up(struct llm_exchange *x, enum llm_fate fate)
{
    x->fate = fate;
    net_call_cancel(x->call);
}

static enum llm_fate fate_of(const struct fr_err *err)
{
    if (err->status == FR_E_NOMEM) return LLM_FATE_OURS;
    return strcmp(err->code, "llm_too_large") == 0 ? LLM_FATE_LARGE : LLM_FATE_FAILED;
}

// ---- events -------------------------------------------------------------------------------------------------------

static bool on_event(void *arg, const char *data, size_t len)
{
    struct llm_exchange *x = arg;
    const char *text;
    size_t text_len;
    if (x->said_done) return false;
    if (strcmp(data, "[DONE]") == 0) {
        x->said_done = true;
        return false;
    }
    fr_buf_clear(&x->json);
    if (llm_answer_event(x->answer, data, len, x->on_delta ? &x->json : NULL, &text, &text_len, &x->err) != FR_OK) {
        give_up(x, fate_of(&x->err));
        return false;
    }
    if (!x->first_ms && x->answer->seen_tokens) x->first_ms = fr_mono_ms();
    if (!x->on_delta || x->forgotten || x->json.len == 0) return true;
    struct llm_delta d = { .text = text, .text_len = text_len, .json = x->json.data, .json_len = x->json.len };
    x->streamed = true;
    x->on_delta(x->arg, &d);
    return !x->cancelled;
}

static void feed_events(struct llm_exchange *x, const char *bytes, size_t len)
{
    if (llm_sse_feed(&x->sse, bytes, len, on_event, x, &x->err) != FR_OK) {
        give_up(x, fate_of(&x->err));
        return;
    }
    if (!x->said_done || x->cancelled || x->fate != LLM_FATE_FINE) return;
    if (llm_answer_end(x->answer, true, &x->err) == FR_OK) tell(x, LLM_FATE_FINE, 0);
    else give_up(x, LLM_FATE_FAILED);
}

// ---- bytes --------------------------------------------------------------------------------------------------------

static bool type_is(const char *type, const char *want)
{
    size_t len = strlen(want);
    return strncasecmp(type, want, len) == 0 && (type[len] == 0 || type[len] == ';' || type[len] == ' ');
}

static bool choose_shape(struct llm_exchange *x, const char *type)
{
    if (x->http_status != 200) x->shape = SHAPE_ERROR;
    else if (x->stream && type_is(type, "text/event-stream")) x->shape = SHAPE_EVENTS;
    else if (type_is(type, "application/json")) x->shape = SHAPE_WHOLE;        // also where a stream was asked for: some servers have none
    else {
        char shown[48];
        snprintf(shown, sizeof shown, "%s", type);
        for (char *c = shown; *c; c++) if (*c < 0x20 || *c == 0x7f) *c = '?';
        FR_FAIL_CODE(&x->err, FR_E_IO, "llm_nonsense", "an answer of type \"%s\"", shown);
        give_up(x, LLM_FATE_FAILED);
        return false;
    }
    return true;
}

static void on_bytes(void *arg, struct net_call *call, int http_status, const char *bytes, size_t len)
{
    struct llm_exchange *x = arg;
    char type[128] = "";
    if (x->told) {
        if ((x->after += len) > AFTER_DONE_BYTES_MAX) net_call_cancel(call);
        return;
    }
    if (x->cancelled || x->fate != LLM_FATE_FINE) return;
    x->http_status = http_status;
    if (x->shape == SHAPE_UNKNOWN) {
        if (!net_call_header(call, "content-type", type, sizeof type)) type[0] = 0;
        if (!choose_shape(x, type)) return;
    }
    if (x->shape == SHAPE_EVENTS) {
        feed_events(x, bytes, len);
        return;
    }
    if (x->shape == SHAPE_ERROR && x->raw.len + len > LLM_ERROR_BYTES_MAX) len = LLM_ERROR_BYTES_MAX - x->raw.len;      // the rest is not read
    fr_buf_add_bytes(&x->raw, bytes, len);
    if (!x->raw.failed) return;
    if (x->raw.no_memory) FR_FAIL(&x->err, FR_E_NOMEM, "no memory for an answer");
    else FR_FAIL_CODE(&x->err, FR_E_LIMIT, "llm_too_large", "an answer over %zu bytes", x->raw.max);
    give_up(x, fate_of(&x->err));
}

// ---- over ---------------------------------------------------------------------------------------------------------

static enum llm_fate judge_status(struct llm_exchange *x)
{
    char said[160] = "";
    int status = x->http_status;
    llm_answer_error_text(x->raw.data ? x->raw.data : "", x->raw.len, said, sizeof said);
    const char *colon = said[0] ? ": " : "";
    if (status == 429 || status == 503) {
        FR_FAIL_CODE(&x->err, FR_E_BUSY, "llm_backend", "it has no room now (%d)%s%s", status, colon, said);
        return LLM_FATE_FULL;
    }
    if (status == 400 || status == 413 || status == 422) {
        FR_FAIL_CODE(&x->err, FR_E_INVALID, "llm_backend", "it does not take this request (%d)%s%s", status, colon, said);
        return LLM_FATE_REFUSED;
    }
    if (status == 401 || status == 403) FR_FAIL_CODE(&x->err, FR_E_IO, "llm_backend", "it does not take our key (%d)%s%s", status, colon, said);
    else FR_FAIL_CODE(&x->err, FR_E_IO, "llm_backend", "it answered %d%s%s", status, colon, said);
    return LLM_FATE_FAILED;
}

// The HTTP answer is whole: what is it?
static enum llm_fate judge(struct llm_exchange *x)
{
    enum fr_status st;
    if (x->http_status != 200) return judge_status(x);
    if (x->shape == SHAPE_UNKNOWN) st = FR_FAIL_CODE(&x->err, FR_E_IO, "llm_nonsense", "an empty answer");
    else if (x->shape == SHAPE_WHOLE) st = llm_answer_whole(x->answer, x->raw.data ? x->raw.data : "", x->raw.len, &x->err);
    else st = llm_answer_end(x->answer, x->said_done, &x->err);
    return st == FR_OK ? LLM_FATE_FINE : fate_of(&x->err);
}

static enum llm_fate judge_failure(struct llm_exchange *x, const struct fr_err *err)
{
    if (x->cancelled || strcmp(err->code, "client_stopped") == 0) {
        FR_FAIL_CODE(&x->err, FR_E_CONFLICT, "llm_cancelled", "cancelled");
        return LLM_FATE_CANCELLED;
    }
    if (x->fate != LLM_FATE_FINE) return x->fate;                // we gave up, and x->err says why
    if (err->status == FR_E_NOMEM) {
        x->err = *err;
        return LLM_FATE_OURS;
    }
    if (strcmp(err->code, "client_timeout") == 0) {
        FR_FAIL_CODE(&x->err, FR_E_TIMEOUT, "llm_deadline", "no answer in time");
        return LLM_FATE_LATE;
    }
    if (strcmp(err->code, "client_too_large") == 0) {
        FR_FAIL_CODE(&x->err, FR_E_LIMIT, "llm_too_large", "%.200s", err->text);
        return LLM_FATE_LARGE;
    }
    x->silent = strcmp(err->code, "client_idle") == 0;
    FR_FAIL_CODE(&x->err, FR_E_IO, "llm_backend", "%.300s", err->text);
    return LLM_FATE_FAILED;
}

static void on_done(void *arg, enum fr_status st, const struct net_answer *answer, const struct fr_err *err)
{
    struct llm_exchange *x = arg;
    if (!x->told) {
        if (answer) x->http_status = answer->http_status;
        enum llm_fate fate = st == FR_OK && x->fate == LLM_FATE_FINE && !x->cancelled ? judge(x) : judge_failure(x, err ? err : &x->err);
        tell(x, fate, answer ? answer->retry_after_s * 1000 : 0);
    }
    exchange_free(x);
}

// ---- begun --------------------------------------------------------------------------------------------------------

static enum fr_status exchange_send(struct llm_exchange *x, const struct llm_exchange_ask *ask, const char *body, size_t len, struct fr_err *err)
{
    static const char *const paths[] = { [LLM_CHAT] = "chat/completions", [LLM_TEXT] = "completions", [LLM_EMBED] = "embeddings" };
    char url[LLM_URL_BYTES + 32], bearer[LLM_SECRET_BYTES + 8];
    struct net_pair headers[] = { { "Content-Type", "application/json" }, { "Accept", x->stream ? "text/event-stream, application/json" : "application/json" }, { "Authorization", bearer } };
    snprintf(url, sizeof url, "%s/%s", ask->url, paths[ask->request->kind]);
    snprintf(bearer, sizeof bearer, "Bearer %s", x->key);
    struct net_ask http = { .method = "POST", .url = url, .unix_path = ask->unix_path && ask->unix_path[0] ? ask->unix_path : NULL, .headers = headers, .header_count = x->key[0] ? 3 : 2, .body = body, .body_len = len, .ca_file = ask->ca_file,
                            .retry_safe = true,                  // twice costs, and changes nothing
                            .idle_ms = ask->idle_ms, .total_ms = ask->total_ms, .answer_bytes_max = x->stream ? 0 : 2 * LLM_EMBED_BYTES_MAX, .on_bytes = on_bytes, .done = on_done, .arg = x };
    if (x->stream) http.answer_bytes_max = CLIENT_STREAM_BYTES_MAX;
    enum fr_status st = net_call_start(ask->client, &http, &x->call, err);
    explicit_bzero(bearer, sizeof bearer);
    return st;
}

enum fr_status llm_exchange_start(const struct llm_exchange_ask *ask, struct llm_exchange **ret, struct fr_err *err)
{
    FR_AUTO_BUF(body);
    struct llm_exchange *x = fr_alloc(sizeof *x);
    if (!x) return FR_FAIL(err, FR_E_NOMEM, "no memory for a request to a model");
    *x = (struct llm_exchange){ .stream = ask->on_delta != NULL, .on_delta = ask->on_delta, .done = ask->done, .arg = ask->arg, .started_ms = fr_mono_ms() };
    llm_sse_init(&x->sse, LLM_EVENT_BYTES_MAX);
    fr_buf_init(&x->raw, JSON_TEXT_BYTES_MAX);
    fr_buf_init(&x->json, 4 * LLM_EVENT_BYTES_MAX);
    fr_buf_init(&body, 2 * LLM_BODY_BYTES_MAX);
    llm_request_print(ask->request, ask->as[0] ? ask->as : ask->model, x->stream, ask->first, ask->count, &body);
    x->key = fr_strndup(ask->key ? ask->key : "", ask->key ? strlen(ask->key) : 0);
    enum fr_status st = x->key ? fr_buf_check(&body, "a request to a model", err) : FR_FAIL(err, FR_E_NOMEM, "no memory for a request to a model");
    if (st == FR_OK) st = llm_answer_new(ask->request, ask->model, ask->count ? ask->count : ask->request->inputs, &x->answer, err);
    if (st == FR_OK) st = exchange_send(x, ask, body.data, body.len, err);
    if (st != FR_OK) {
        exchange_free(x);
        return st;
    }
    *ret = x;
    return FR_OK;
}

void llm_exchange_cancel(struct llm_exchange *x)
{
    x->cancelled = true;
    net_call_cancel(x->call);
}

void llm_exchange_pause(struct llm_exchange *x, bool paused)
{
    if (paused) net_call_pause(x->call);
    else net_call_resume(x->call);
}

void llm_exchange_forget(struct llm_exchange *x)
{
    x->forgotten = true;
    llm_exchange_cancel(x);
}
