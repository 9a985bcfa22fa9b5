// llm_calls.c — the model, asked plainly: chat, complete, embed, what is left of the budget.
#include <stdio.h>
#include <string.h>
#include "api/llm_ask.h"
#include "base/mem.h"
#include "llm/budget.h"

#define EMBED_TEXT_BYTES_MAX 8192

// ---- what goes out

static void body_common(struct api_model *m, int max_tokens, double temperature)
{
    const struct api_op *op = m->op;
    fr_buf_addf(&m->body, ",\"max_tokens\":%d,\"temperature\":%.3g", m->by.max_tokens > 0 ? m->by.max_tokens : max_tokens, api_number(op, "temperature", temperature));
    if (m->by.seed >= 0) fr_buf_addf(&m->body, ",\"seed\":%lld", (long long)m->by.seed);
    if (m->by.model[0]) { fr_buf_add(&m->body, ",\"model\":"); fr_buf_add_json_text(&m->body, m->by.model); }
    llm_languages_add(m->by.languages, &m->body);
    if (fr_json_get(op->args, "stop")) { fr_buf_add(&m->body, ",\"stop\":"); fr_json_print(fr_json_get(op->args, "stop"), &m->body); }
    if (fr_json_get(op->args, "tools")) { fr_buf_add(&m->body, ",\"tools\":"); fr_json_print(fr_json_get(op->args, "tools"), &m->body); }
}

static enum fr_status chat_body(struct api_model *m, struct fr_err *err)
{
    FR_AUTO_BUF(system); FR_AUTO_BUF(messages);
    fr_buf_init(&system, LLM_BODY_BYTES_MAX);
    fr_buf_init(&messages, LLM_BODY_BYTES_MAX);
    FR_TRY(api_messages(m->op, &system, &messages, err));
    fr_buf_add(&m->body, "{\"messages\":[");
    if (system.len) {
        fr_buf_add(&m->body, "{\"role\":\"system\",\"content\":");
        fr_buf_add_json_text(&m->body, system.data);
        fr_buf_add(&m->body, messages.len ? "}," : "}");
    }
    if (messages.len) fr_buf_add_bytes(&m->body, messages.data, messages.len);
    fr_buf_add_char(&m->body, ']');
    body_common(m, LLM_ANSWER_TOKENS_DEFAULT, 0.7);
    if (m->stream) fr_buf_add(&m->body, ",\"stream\":true");
    fr_buf_add_char(&m->body, '}');
    return fr_buf_check(&m->body, "the prompt", err);
}

static enum fr_status text_body(struct api_model *m, struct fr_err *err)
{
    fr_buf_add(&m->body, "{\"prompt\":");
    fr_buf_add_json_text(&m->body, api_text(m->op, "prompt"));
    body_common(m, LLM_ANSWER_TOKENS_DEFAULT, 0.7);
    fr_buf_add_char(&m->body, '}');
    return fr_buf_check(&m->body, "the prompt", err);
}

static enum fr_status embed_body(struct api_model *m, struct fr_err *err)
{
    const struct fr_json *texts = fr_json_get(m->op->args, "texts");
    int count = fr_json_kind(texts) == JSON_ARRAY ? fr_json_size(texts) : 0;
    if (count < 1 || count > LLM_EMBED_TEXTS_MAX) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "llm.embed: texts is a list of 1 to %d texts", LLM_EMBED_TEXTS_MAX);
    for (const struct fr_json *t = fr_json_child(texts); t; t = fr_json_next(t))
        if (!fr_json_text(t) || !*fr_json_text(t) || strlen(fr_json_text(t)) > EMBED_TEXT_BYTES_MAX)
            return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "llm.embed: each text has 1 to %d bytes", EMBED_TEXT_BYTES_MAX);
    fr_buf_add(&m->body, "{\"input\":");
    fr_json_print(texts, &m->body);
    if (m->by.model[0]) { fr_buf_add(&m->body, ",\"model\":"); fr_buf_add_json_text(&m->body, m->by.model); }
    fr_buf_add_char(&m->body, '}');
    return fr_buf_check(&m->body, "the texts", err);
}

// ---- what comes back

static void on_delta(void *arg, struct llm_call *call, const struct llm_delta *d)
{
    struct api_model *m = arg;
    const struct api_op *op = m->op;
    struct plugin_call *to = op->worker ? plugin_call_find(op->from, op->generation, op->call_id) : NULL;      // each time: it may have ended
    (void)call;
    if (to && d->text_len) FR_IGNORE(plugin_call_stream(to, d->text, d->text_len) ? FR_OK : FR_E_LIMIT);      // nobody listens: the answer comes all the same
    if (op->worker && !to) llm_cancel(call);       // who asked is gone: no token more
}

static enum fr_status print_embeddings(const struct llm_end *end, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(fr_json) answer = NULL;
    FR_TRY(fr_json_parse(end->json, end->json_len, &answer, err));
    fr_buf_add_char(out, '[');
    for (const struct fr_json *d = fr_json_child(fr_json_get(answer, "data")); d; d = fr_json_next(d)) {
        if (fr_json_kind(fr_json_get(d, "embedding")) != JSON_ARRAY) return FR_FAIL_CODE(err, FR_E_IO, "llm_nonsense", "an embedding is no list of numbers");
        if (d != fr_json_child(fr_json_get(answer, "data"))) fr_buf_add_char(out, ',');
        fr_json_print(fr_json_get(d, "embedding"), out);
    }
    fr_buf_add_char(out, ']');
    return FR_OK;
}

// Calls of tools, for the loop in the worker: [{id, name, arguments}].
static void print_tool_calls(const struct llm_end *end, struct fr_buf *out)
{
    struct fr_err err;
    FR_AUTO(fr_json) answer = NULL;
    if (fr_json_parse(end->json, end->json_len, &answer, &err) != FR_OK) return;
    const struct fr_json *message = fr_json_get(fr_json_child(fr_json_get(answer, "choices")), "message"), *calls = fr_json_get(message, "tool_calls");
    if (!calls || fr_json_kind(calls) != JSON_ARRAY || fr_json_size(calls) == 0) return;
    fr_buf_add(out, ",\"tool_calls\":");
    fr_json_print(calls, out);
}

static enum fr_status print_answer(struct api_model *m, const struct llm_end *end, struct fr_err *err)
{
    struct fr_buf *out = &m->op->out;
    if (m->kind == LLM_EMBED) return print_embeddings(end, out, err);
    fr_buf_add(out, "{\"text\":");
    fr_buf_add_json_bytes(out, end->text, end->text_len);
    fr_buf_add(out, ",\"finish\":");
    fr_buf_add_json_text(out, end->finish);
    if (m->kind == LLM_CHAT && end->json) print_tool_calls(end, out);
    fr_buf_addf(out, ",\"usage\":{\"prompt_tokens\":%lld,\"answer_tokens\":%lld},\"cost\":%lld,\"cached\":%s,\"model\":", (long long)end->prompt_tokens, (long long)end->answer_tokens,
                (long long)end->cost_units, end->cached ? "true" : "false");
    fr_buf_add_json_text(out, end->model);
    if (end->record[0]) { fr_buf_add(out, ",\"record\":"); fr_buf_add_json_text(out, end->record); }
    fr_buf_add_char(out, '}');
    return FR_OK;
}

static void on_answer(void *arg, enum fr_status st, const struct llm_end *end, const struct fr_err *err)
{
    struct api_model *m = arg;
    struct fr_err mine;
    if (st == FR_OK) st = print_answer(m, end, &mine);
    else mine = *err;
    api_model_end(m, st, &mine);
}

// ---- between the two

static void model_send(struct api_model *m, enum llm_kind kind, enum fr_status (*body)(struct api_model *m, struct fr_err *err))
{
    struct fr_err err;
    m->kind = kind;
    enum fr_status st = body(m, &err);
    if (st == FR_OK) {
        struct llm_ask ask = { .kind = kind, .from = m->by.from, .body = m->body.data, .body_len = m->body.len, .priority = m->by.priority, .deadline_ms = m->by.deadline_ms, .keep = m->by.keep,
                               .on_delta = m->stream ? on_delta : NULL, .done = on_answer, .arg = m };
        st = m->by.door.start(m->by.door.arg, &ask, NULL, &err);
    }
    if (st != FR_OK) api_model_end(m, st, &err);
}

static void go_chat(struct api_model *m)
{
    m->stream = fr_json_is_true(fr_json_get(m->op->args, "stream")) && m->op->worker;
    if (m->stream) m->by.priority = 0;     // a page waits
    model_send(m, LLM_CHAT, chat_body);
}
static void go_complete(struct api_model *m) { model_send(m, LLM_TEXT, text_body); }
static void go_embed(struct api_model *m) { model_send(m, LLM_EMBED, embed_body); }
static enum fr_status own_chat(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_chat, err); }
static enum fr_status own_complete(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_complete, err); }
static enum fr_status own_embed(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_embed, err); }

static void tenant_of(const struct api_op *op, char out[LLM_WHO_BYTES]) { snprintf(out, LLM_WHO_BYTES, "plugin:%s", op->version->package->manifest->id); }

static enum fr_status now_budget(struct api_op *op, struct fr_err *err)
{
    struct llm_budget_view view;
    char tenant[LLM_WHO_BYTES];
    if (!op->api->o.llm) return FR_FAIL_CODE(err, FR_E_BUSY, "llm_down", "this host serves no models");
    tenant_of(op, tenant);
    api_model_limit(op);
    llm_left(op->api->o.llm, tenant, &view);
    fr_buf_add_char(&op->out, '{');
    if (view.tokens_left_day >= 0) fr_buf_addf(&op->out, "\"tokens_left\":%lld,", (long long)view.tokens_left_day);
    fr_buf_addf(&op->out, "\"reset_ms\":%lld}", (long long)(view.reset_ms > 0 ? view.reset_ms : 0));
    return FR_OK;
}

const struct api_handler api_llm_handlers[] = { { 39, API_NOW, now_budget, NULL }, { 28, API_OWN, own_chat, NULL }, { 29, API_OWN, own_complete, NULL }, { 32, API_OWN, own_embed, NULL } };
const int api_llm_handler_count = sizeof api_llm_handlers / sizeof api_llm_handlers[0];
