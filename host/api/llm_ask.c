// llm_ask.c — before a call of the model and after it: payer, key, answer.
#include "api/llm_ask.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "llm/fence.h"
#include "llm/languages.h"

#define MESSAGE_BYTES_MAX CALL_ARGS_BYTES_MAX

static const char *plugin_of(const struct api_model *m) { return m->op->version->package->manifest->id; }

// ---- the end

static void model_free(struct api_model *m)
{
    fr_buf_free(&m->body);
    fr_free(m->work);
    fr_free(m);
}

static void model_answer(struct api_model *m, enum fr_status st, const struct fr_err *err)
{
    struct api_op *op = m->op;
    if (m->open_key[0]) fr_map_remove_text(op->api->model_keys, m->open_key);
    model_free(m);
    api_finish(op, st, err);
}

static enum fr_status job_keep(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_model *m = arg;
    return llm_keyed_put(txn, m->by.from.tenant, api_text(m->op, "key"), m->request, m->op->out.data, m->now_ms, err);
}

static void on_kept(void *arg, enum fr_status st, const struct fr_err *err)
{
    model_answer(arg, st, err);
}

void api_model_end(struct api_model *m, enum fr_status st, const struct fr_err *err)
{
    struct fr_err none;
    if (st != FR_OK && strcmp(err->code, "consent_required") == 0 && strncmp(m->by.from.payer, "player:", 7) == 0) {
        snprintf(m->op->need_asset, sizeof m->op->need_asset, "%s", llm_asset(m->op->api->o.llm));
        m->op->need_units = LLM_CONSENT_UNITS;
    }
    if (st != FR_OK || !m->open_key[0] || m->op->out.failed) { model_answer(m, st, err); return; }
    m->now_ms = fr_now_ms();
    st = store_run(m->op->api->o.store, job_keep, m, on_kept, &none);
    if (st != FR_OK) model_answer(m, st, &none);
}

void api_model_on_value(void *arg, enum fr_status st, const struct llm_value *v, const struct fr_err *err)
{
    struct api_model *m = arg;
    if (st == FR_OK) {
        bool both = !m->op->asked && (m->op->call->flags & API_MULTI);
        if (both) fr_buf_add_char(&m->op->out, '[');
        fr_buf_add_bytes(&m->op->out, v->json, v->len);
        if (both) {
            fr_buf_add_char(&m->op->out, ',');
            llm_spent_print(v->spent, &m->op->out);
            fr_buf_add_char(&m->op->out, ']');
        }
    }
    api_model_end(m, st, err);
}

// ---- the beginning

static enum fr_status job_find(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_model *m = arg;
    return llm_keyed_find(txn, m->by.from.tenant, api_text(m->op, "key"), m->request, m->now_ms, &m->found, &m->op->out, err);
}

static void on_looked(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct api_model *m = arg;
    if (st != FR_OK || m->found) model_answer(m, st, err);
    else m->go(m);
}

static bool is_for_vectors(int no) { return no >= 32 && no <= 35; }       // embed, index, search: the host's model for those goes with the grant

static enum fr_status take_model(struct api_model *m, struct fr_err *err)
{
    const struct manifest *of = m->op->version->package->manifest;
    const char *model = api_text(m->op, "model");
    if (model) snprintf(m->by.model, sizeof m->by.model, "%s", model);
    if (of->llm_model_count == 0 || (!model && is_for_vectors(m->op->call->no))) return FR_OK;
    if (!model) snprintf(m->by.model, sizeof m->by.model, "%s", of->llm_models[0]);      // the first it was granted is its own default
    for (int i = 0; i < of->llm_model_count; i++) if (strcmp(of->llm_models[i], m->by.model) == 0) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_DENIED, "not_granted", "%s has no grant for the model %s", of->id, m->by.model);
}

static enum fr_status take_language(struct api_model *m, struct fr_err *err)
{
    const char *lang = api_text(m->op, "lang");
    if (!lang) return FR_OK;
    if (!llm_language_is_tag(lang)) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "lang: \"%.40s\" is no language tag (\"ko\", \"pt-BR\")", lang);
    snprintf(m->by.languages, sizeof m->by.languages, "%s", lang);
    return FR_OK;
}

static enum fr_status take_payer(struct api_model *m, struct fr_err *err)
{
    const char *payer = api_text(m->op, "payer");
    snprintf(m->by.from.tenant, sizeof m->by.from.tenant, "plugin:%s", plugin_of(m));
    snprintf(m->by.from.payer, sizeof m->by.from.payer, "plugin:%s", plugin_of(m));
    snprintf(m->by.from.player, sizeof m->by.from.player, "%s", m->op->caller.player);
    if (!payer || strcmp(payer, "plugin") == 0) return FR_OK;
    if (strcmp(payer, "player") != 0) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "payer is \"plugin\" or \"player\", not \"%.20s\"", payer);
    if (!m->op->caller.player[0]) return FR_FAIL_CODE(err, FR_E_AUTH, "player_required", "payer=\"player\" needs a signed-in player");
    snprintf(m->by.from.payer, sizeof m->by.from.payer, "player:%s", m->op->caller.player);
    return FR_OK;
}

// What the request was, for its key: all arguments but the key, in one canonical text.
static enum fr_status take_key(struct api_model *m, struct fr_err *err)
{
    const char *key = api_text(m->op, "key");
    bool has_key = false;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 2 * JSON_TEXT_BYTES_MAX);
    for (const struct api_arg *a = m->op->call->args; a < m->op->call->args + API_ARGS_MAX && a->type != API_END; a++) has_key = has_key || a->type == API_KEY;
    if (!has_key) return FR_OK;
    if (!key && !m->op->asked) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "llm.%s needs a key: the same key finds the first answer, which is paid once", m->op->call->name);
    if (!key) return FR_OK;                // a match asks once, and its log keeps the answer
    fr_buf_addf(&text, "%s\n", m->op->call->name);
    fr_json_print_canonical(m->op->args, &text);
    FR_TRY(fr_buf_check(&text, "the arguments", err));
    fr_sha256(text.data, text.len, m->request);
    snprintf(m->open_key, sizeof m->open_key, "%s\n%s", plugin_of(m), key);
    if (fr_map_get_text(m->op->api->model_keys, m->open_key)) {
        m->open_key[0] = 0;                // another's
        return FR_FAIL_CODE(err, FR_E_BUSY, "key_busy", "the model is at work on the key \"%.60s\"", key);
    }
    if (!fr_map_put_text(m->op->api->model_keys, m->open_key, m)) {
        m->open_key[0] = 0;
        return FR_FAIL(err, FR_E_BUSY, "too many calls of the model at once");
    }
    return FR_OK;
}

void api_model_limit(const struct api_op *op)
{
    const struct manifest *of = op->version->package->manifest;
    char tenant[LLM_WHO_BYTES];
    snprintf(tenant, sizeof tenant, "plugin:%s", of->id);
    llm_grant(op->api->o.llm, tenant, of->llm_tokens_day);
}

static enum fr_status check_number(const struct api_op *op, const char *name, double most, struct fr_err *err)
{
    const struct fr_json *v = fr_json_get(op->args, name);
    if (!v || fr_json_kind(v) == JSON_NULL || (fr_json_kind(v) == JSON_NUMBER && fr_json_number(v) >= 0 && fr_json_number(v) <= most)) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "llm.%s: %s is a number from 0 to %g", op->call->name, name, most);
}

static enum fr_status model_prepare(struct api_model *m, struct fr_err *err)
{
    const struct api_op *op = m->op;
    if (!op->api->o.llm) return FR_FAIL_CODE(err, FR_E_BUSY, "llm_down", "this host serves no models");
    m->by.door = llm_door(op->api->o.llm);
    m->by.deadline_ms = (int)api_int(op, "deadline_ms", LLM_DEADLINE_MS);
    if (op->asked && op->asked_ms < m->by.deadline_ms) m->by.deadline_ms = op->asked_ms;       // nobody would hear it
    FR_TRY(check_number(op, "temperature", 2, err));
    FR_TRY(check_number(op, "threshold", 1, err));
    m->by.seed = api_int(op, "seed", -1);
    m->by.max_tokens = (int)api_int(op, "max_tokens", 0);
    m->by.keep = op->asked != NULL;        // a dispute about a match reads what its model said
    m->by.priority = 1;
    api_model_limit(op);
    FR_TRY(take_model(m, err));
    FR_TRY(take_language(m, err));
    FR_TRY(take_payer(m, err));
    return take_key(m, err);
}

enum fr_status api_model_start(struct api_op *op, void (*go)(struct api_model *m), struct fr_err *err)
{
    struct api_model *m = fr_alloc(sizeof *m);
    if (!m) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call of the model");
    m->op = op;
    m->go = go;
    m->now_ms = op->now_ms;
    fr_buf_init(&m->body, LLM_BODY_BYTES_MAX);
    enum fr_status st = model_prepare(m, err);
    if (st == FR_OK && m->open_key[0]) st = store_read(op->api->o.store, job_find, m, on_looked, err);
    if (st != FR_OK) {
        if (m->open_key[0]) fr_map_remove_text(op->api->model_keys, m->open_key);
        model_free(m);
        return st;
    }
    if (op->worker) sandbox_patience(op->worker, op->generation, op->call_id, m->by.deadline_ms + CALL_DEADLINE_MS);
    if (!m->open_key[0]) go(m);
    return FR_OK;
}

double api_number(const struct api_op *op, const char *name, double def)
{
    const struct fr_json *v = fr_json_get(op->args, name);
    return v && fr_json_kind(v) == JSON_NUMBER ? fr_json_number(v) : def;
}

// ---- messages

static enum fr_status message_wrong(int no, const char *what, struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "messages[%d]: %s", no + 1, what);
}

static bool name_is_plain(const char *name)
{
    size_t len = strlen(name);
    return len >= 1 && len <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

// data: a text, or texts by name.
static enum fr_status add_data(const struct fr_json *data, int no, struct fr_buf *text, struct fr_err *err)
{
    if (fr_json_text(data)) {
        if (text->len) fr_buf_add_char(text, '\n');
        llm_fence_add("text", fr_json_text(data), strlen(fr_json_text(data)), text);
        return FR_OK;
    }
    if (fr_json_kind(data) != JSON_OBJECT) return message_wrong(no, "data is a text, or texts by name", err);
    for (const struct fr_json *d = fr_json_child(data); d; d = fr_json_next(d)) {
        if (!fr_json_text(d) || !name_is_plain(fr_json_key(d))) return message_wrong(no, "data is a text, or texts by name (small letters, digits, _)", err);
        if (text->len) fr_buf_add_char(text, '\n');
        llm_fence_add(fr_json_key(d), fr_json_text(d), strlen(fr_json_text(d)), text);
    }
    return FR_OK;
}

static void add_parts(const struct fr_json *parts, struct fr_buf *out)
{
    fr_buf_add_char(out, '[');
    for (const struct fr_json *p = fr_json_child(parts); p; p = fr_json_next(p)) {
        const char *text = fr_json_text(fr_json_get(p, "text"));
        FR_AUTO_BUF(clean);
        fr_buf_init(&clean, MESSAGE_BYTES_MAX);
        if (p != fr_json_child(parts)) fr_buf_add_char(out, ',');
        if (!text) { fr_json_print(p, out); continue; }
        llm_fence_clean(text, strlen(text), &clean);
        fr_buf_add(out, "{\"type\":\"text\",\"text\":");
        fr_buf_add_json_text(out, clean.len ? clean.data : "");
        fr_buf_add_char(out, '}');
    }
    fr_buf_add_char(out, ']');
}

static enum fr_status add_message(const struct fr_json *msg, int no, struct fr_buf *system, struct fr_buf *messages, bool *fenced, struct fr_err *err)
{
    static const char *const known[] = { "role", "content", "data", "name", "tool_calls", "tool_call_id", NULL };
    const char *role = fr_json_text(fr_json_get(msg, "role"));
    const struct fr_json *content = fr_json_get(msg, "content"), *data = fr_json_get(msg, "data");
    FR_AUTO_BUF(text);
    fr_buf_init(&text, MESSAGE_BYTES_MAX);
    if (fr_json_kind(msg) != JSON_OBJECT || fr_json_only_keys(msg, known, "message", err) != FR_OK) return message_wrong(no, "has role, content and perhaps data", err);
    if (!role || (strcmp(role, "system") != 0 && strcmp(role, "user") != 0 && strcmp(role, "assistant") != 0 && strcmp(role, "tool") != 0))
        return message_wrong(no, "role is \"system\", \"user\", \"assistant\" or \"tool\"", err);
    if (content && fr_json_text(content)) llm_fence_clean(fr_json_text(content), strlen(fr_json_text(content)), &text);
    if (data) FR_TRY(add_data(data, no, &text, err));
    *fenced = *fenced || data;
    if (text.failed) return message_wrong(no, "is too long", err);
    if (strcmp(role, "system") == 0) {
        if (!text.len) return message_wrong(no, "a system message is a text", err);
        fr_buf_addf(system, "%s%s", system->len ? "\n\n" : "", text.data);
        return FR_OK;
    }
    fr_buf_addf(messages, "%s{\"role\":\"%s\"", messages->len ? "," : "", role);
    for (int i = 3; known[i]; i++) {
        if (!fr_json_get(msg, known[i])) continue;
        fr_buf_addf(messages, ",\"%s\":", known[i]);
        fr_json_print(fr_json_get(msg, known[i]), messages);
    }
    fr_buf_add(messages, ",\"content\":");
    if (content && fr_json_kind(content) == JSON_ARRAY && !data) add_parts(content, messages);
    else if (text.len || !fr_json_get(msg, "tool_calls")) fr_buf_add_json_text(messages, text.len ? text.data : "");
    else fr_buf_add(messages, "null");
    fr_buf_add_char(messages, '}');
    return FR_OK;
}

enum fr_status api_messages(const struct api_op *op, struct fr_buf *system, struct fr_buf *messages, struct fr_err *err)
{
    const struct fr_json *list = fr_json_get(op->args, "messages");
    bool fenced = false;
    int no = 0;
    if (!list || fr_json_kind(list) != JSON_ARRAY || fr_json_size(list) == 0 || fr_json_size(list) > LLM_MESSAGES_MAX)
        return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "messages is a list of 1 to %d messages", LLM_MESSAGES_MAX);
    for (const struct fr_json *msg = fr_json_child(list); msg; msg = fr_json_next(msg)) FR_TRY(add_message(msg, no++, system, messages, &fenced, err));
    if (fenced) fr_buf_addf(system, "%s%s", system->len ? "\n\n" : "", llm_fence_rule);
    FR_TRY(fr_buf_check(system, "the prompt", err));
    return fr_buf_check(messages, "the prompt", err);
}
