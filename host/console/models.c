// models.c — what operators see of models: pools, budgets, usage, what was kept; and the order to read the settings again.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "console/internal.h"
#include "llm/record.h"

#define LIST_MAX 200
#define DAYS_MAX 400

static struct llm *llm_of(const struct console_op *op) { return console_options_of(op->console)->llm; }

static void no_models(struct console_op *op)
{
    struct fr_err err;
    console_answer(op, FR_FAIL_CODE(&err, FR_E_CONFLICT, "models_off", "this host has no models"), &err);
}

void live_llm_pools(struct console_op *op)
{
    if (!llm_of(op)) { no_models(op); return; }
    llm_facts(llm_of(op), &op->out);
    console_answer(op, FR_OK, NULL);
}

void live_llm_budget(struct console_op *op)
{
    if (!llm_of(op)) { no_models(op); return; }
    llm_budget_facts(llm_of(op), &op->out);
    console_answer(op, FR_OK, NULL);
}

void live_llm_reload(struct console_op *op)
{
    const struct console_options *o = console_options_of(op->console);
    struct fr_err err;
    if (!o->reload_models) { no_models(op); return; }
    enum fr_status st = o->reload_models(o->arg, &err);
    if (st == FR_OK) fr_buf_add(&op->out, "{\"reloaded\":true}");
    console_answer(op, st, &err);
}

// ---- the operator asks: free of charge, and out of nobody's budget

static void asked(void *arg, enum fr_status st, const struct llm_end *e, const struct fr_err *err)
{
    struct console_op *op = arg;
    if (st == FR_OK) {
        fr_buf_add(&op->out, "{\"text\":");
        fr_buf_add_json_bytes(&op->out, e->text, e->text_len);
        fr_buf_addf(&op->out, ",\"finish\":\"%s\",\"model\":\"%s\",\"pod\":\"%s\",\"prompt_tokens\":%lld,\"answer_tokens\":%lld,\"cached\":%s,\"queued_ms\":%lld,\"first_ms\":%lld,\"total_ms\":%lld,\"record\":\"%s\"}", e->finish, e->model, e->pod,
                    (long long)e->prompt_tokens, (long long)e->answer_tokens, e->cached ? "true" : "false", (long long)e->queued_ms, (long long)e->first_ms, (long long)e->total_ms, e->record);
    }
    console_answer(op, st, err);
}

static enum fr_status ask(struct console_op *op, struct fr_err *err)
{
    const char *prompt, *model, *lang;
    int64_t tokens;
    FR_AUTO_BUF(body);
    FR_TRY(fr_json_need_text(op->args, "prompt", 1, 100000, &prompt, err));
    FR_TRY(fr_json_opt_text(op->args, "model", LLM_NAME_BYTES - 1, "", &model, err));
    FR_TRY(fr_json_opt_text(op->args, "lang", LLM_TAG_BYTES - 1, "", &lang, err));
    FR_TRY(fr_json_opt_units(op->args, "tokens", 1, LLM_ANSWER_TOKENS_MAX, LLM_ANSWER_TOKENS_DEFAULT, &tokens, err));
    fr_buf_init(&body, CONSOLE_LINE_BYTES_MAX);
    fr_buf_addf(&body, "{\"max_tokens\":%lld,\"messages\":[{\"role\":\"user\",\"content\":", (long long)tokens);
    fr_buf_add_json_text(&body, prompt);
    fr_buf_add(&body, "}]");
    if (model[0]) fr_buf_add(&body, ",\"model\":"), fr_buf_add_json_text(&body, model);
    if (lang[0]) fr_buf_add(&body, ",\"languages\":["), fr_buf_add_json_text(&body, lang), fr_buf_add_char(&body, ']');
    fr_buf_add(&body, "}");
    FR_TRY(fr_buf_check(&body, "the question", err));
    struct llm_ask a = { .kind = LLM_CHAT, .from = { "operator", "operator", "" }, .body = body.data, .body_len = body.len, .keep = fr_json_get(op->args, "keep") != NULL, .done = asked, .arg = op };
    return llm_start(llm_of(op), &a, NULL, err);
}

void live_llm_ask(struct console_op *op)
{
    struct fr_err err;
    if (!llm_of(op)) { no_models(op); return; }
    enum fr_status st = ask(op, &err);
    if (st != FR_OK) console_answer(op, st, &err);
}

enum fr_status job_llm_usage(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *payer;
    int64_t days;
    FR_TRY(fr_json_opt_text(op->args, "payer", 47, "", &payer, err));
    FR_TRY(fr_json_opt_units(op->args, "days", 1, DAYS_MAX, 7, &days, err));
    return llm_usage_list(txn, fr_now_ms() - (days - 1) * 86400000, payer, &op->out, err);
}

// ---- records

struct listing { struct fr_buf *out; int count; };

static void add_text(struct fr_buf *out, const char *key, const char *text)
{
    fr_buf_addf(out, ",\"%s\":", key);
    fr_buf_add_json_text(out, text);
}

static void print_head(const struct llm_record_row *r, struct fr_buf *out)
{
    static const char *const kinds[] = { "chat", "text", "embed" };
    char at[25];
    fr_buf_addf(out, "{\"id\":\"%s\",\"at\":\"%s\",\"kind\":\"%s\"", r->id, fr_time_text(r->at_ms, at), (unsigned)r->kind < 3 ? kinds[r->kind] : "?");
    add_text(out, "tenant", r->tenant);
    add_text(out, "payer", r->payer);
    add_text(out, "player", r->player);
    add_text(out, "model", r->model);
    add_text(out, "pod", r->pod);
    fr_buf_addf(out, ",\"prompt_tokens\":%lld,\"answer_tokens\":%lld,\"cost\":\"%lld\",\"total_ms\":%lld,\"sha256\":\"%s\"", (long long)r->prompt_tokens, (long long)r->answer_tokens, (long long)r->cost_units, (long long)r->total_ms, r->sha_hex);
    add_text(out, "code", r->code);
}

static void list_each(void *arg, const struct llm_record_row *r)
{
    struct listing *l = arg;
    if (l->count++) fr_buf_add_char(l->out, ',');
    print_head(r, l->out);
    fr_buf_add_char(l->out, '}');
}

static void show_each(void *arg, const struct llm_record_row *r)
{
    struct fr_buf *out = arg;
    print_head(r, out);
    add_text(out, "request", r->request);
    add_text(out, "answer", r->answer);
    add_text(out, "events", r->events);
    fr_buf_add_char(out, '}');
}

enum fr_status job_llm_record(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct listing l = { &op->out, 0 };
    const char *id, *tenant, *before;
    int limit;
    FR_TRY(fr_json_opt_text(op->args, "record", 60, "", &id, err));
    FR_TRY(fr_json_opt_text(op->args, "tenant", 47, "", &tenant, err));
    FR_TRY(fr_json_opt_text(op->args, "before", 60, "", &before, err));
    FR_TRY(console_limit(op, LIST_MAX, 20, &limit, err));
    if (id[0]) return llm_record_get(txn, id, show_each, &op->out, err);
    fr_buf_add_char(&op->out, '[');
    FR_TRY(llm_record_list(txn, tenant, before, limit, list_each, &l, err));
    fr_buf_add_char(&op->out, ']');
    return FR_OK;
}

// ---- replay: the record played again from what was kept, without a model: the request's hash, and the events added up, against what was said

struct replay { struct fr_buf *out; };

static void add_piece(const struct fr_json *event, struct fr_buf *text)
{
    const struct fr_json *choice = fr_json_child(fr_json_get(event, "choices"));
    const char *piece = fr_json_text(fr_json_get(fr_json_get(choice, "delta"), "content"));
    if (!piece) piece = fr_json_text(fr_json_get(choice, "text"));
    if (piece && fr_json_number(fr_json_get(choice, "index")) == 0) fr_buf_add(text, piece);
}

static void replay_each(void *arg, const struct llm_record_row *r)
{
    struct fr_buf *out = arg;
    FR_AUTO(fr_json) answer = NULL;
    FR_AUTO(fr_json) events = NULL;
    FR_AUTO_BUF(streamed);
    struct llm_request again = { 0 };
    struct fr_err err;
    char sha[SHA256_HEX_BYTES] = "";
    int count = 0;
    fr_buf_init(&streamed, LLM_ANSWER_BYTES_MAX);
    bool request = r->request && llm_request_parse(r->kind, r->request, strlen(r->request), &again, &err) == FR_OK;
    if (request) fr_hex(again.sha, SHA256_BYTES, sha);
    if (request) llm_request_clear(&again);
    if (r->answer) FR_IGNORE(fr_json_parse_long(r->answer, strlen(r->answer), 8 * LLM_ANSWER_BYTES_MAX, &answer, &err));      // no JSON any more: then nothing of it agrees
    if (r->events) FR_IGNORE(fr_json_parse_long(r->events, strlen(r->events), 8 * LLM_ANSWER_BYTES_MAX, &events, &err));
    for (const struct fr_json *e = fr_json_child(events); e; e = fr_json_next(e), count++) add_piece(fr_json_next(fr_json_child(e)), &streamed);
    const struct fr_json *choice = fr_json_child(fr_json_get(answer, "choices"));
    const char *text = fr_json_text(fr_json_get(fr_json_get(choice, "message"), "content"));
    if (!text) text = fr_json_text(fr_json_get(choice, "text"));
    bool same_request = strcmp(sha, r->sha_hex) == 0, same_text = !r->events || (text && strcmp(text, streamed.data ? streamed.data : "") == 0);
    print_head(r, out);
    fr_buf_addf(out, ",\"good\":%s,\"request_agrees\":%s,\"events\":%d,\"events_agree\":%s", r->answer && same_request && same_text ? "true" : "false", same_request ? "true" : "false", count, same_text ? "true" : "false");
    add_text(out, "text", text);
    fr_buf_add_char(out, '}');
}

enum fr_status job_llm_replay(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *id;
    FR_TRY(fr_json_need_text(op->args, "record", 1, 60, &id, err));
    return llm_record_get(txn, id, replay_each, &op->out, err);
}
