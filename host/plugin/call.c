// call.c — one call of a plugin's function, in the order it happens: refuse what the manifest does not allow, hand it to the
// worker, judge what comes back. Every byte of an answer was written by the plugin.
#include "plugin/internal.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "base/schema.h"
#include "plugin/use.h"

#define CALL_DEPTH_MAX 4
#define TARGET_PREFIX "call:"
#define CONTEXT_BYTES_USUAL 400
#define DETAIL_BYTES_MAX 300           // of a plugin's own words in an answer

// ---- refusing

static enum fr_status check_state(const struct plugin *p, struct fr_err *err)
{
    const char *id = p->package->manifest->id;
    switch (p->state) {
    case PLUGIN_UP: return FR_OK;
    case PLUGIN_DISABLED: return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_disabled", "%s is switched off", id);
    case PLUGIN_FAILED: return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_failed", "%s did not load: %s", id, p->error.text);
    case PLUGIN_QUARANTINED: return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_failed", "%s is in quarantine: %s", id, p->error.text);
    case PLUGIN_STARTING: case PLUGIN_DOWN: break;
    }
    return FR_FAIL_CODE(err, FR_E_BUSY, "plugin_starting", "%s is starting: try again", id);
}

static bool begins_object(const char *json, size_t len)
{
    size_t at = 0;
    while (at < len && (json[at] == ' ' || json[at] == '\n' || json[at] == '\t' || json[at] == '\r')) at++;
    return at < len && json[at] == '{';
}

// Most calls are small, and a tree is half of what checking them costs: none is built where nobody would look at it.
static enum fr_status check_args(const struct manifest_call *call, const char *args, size_t args_len, struct fr_err *err)
{
    FR_AUTO(fr_json) value = NULL;
    bool blind = call->any_object && begins_object(args, args_len);
    enum fr_status st = blind ? fr_json_check(args, args_len, err) : fr_json_parse(args, args_len, &value, err);
    if (st != FR_OK) {
        if (err && st == FR_E_INVALID) snprintf(err->code, sizeof err->code, "bad_arguments");
        return fr_err_note(err, "args");
    }
    return blind ? FR_OK : schema_fit(call->args, value, "args", err);
}

static enum fr_status check_call(struct plugin *p, const char *function, const char *args, size_t args_len, const struct plugin_caller *caller, struct fr_err *err)
{
    FR_TRY(check_state(p, err));
    const struct manifest_call *call = manifest_call(p->package->manifest, function);
    if (!call) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "function_unknown", "%s has no function \"%.64s\"", p->package->manifest->id, function);
    if (call->player && !*caller->player) return FR_FAIL_CODE(err, FR_E_AUTH, "player_required", "%s.%s needs a signed-in player", p->package->manifest->id, function);
    if (caller->depth > CALL_DEPTH_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "call_depth", "plugins may call each other %d deep", CALL_DEPTH_MAX);
    if (args_len > CALL_ARGS_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "arguments of %zu bytes, and %d are the most", args_len, CALL_ARGS_BYTES_MAX);
    return check_args(call, args, args_len, err);
}

// ---- the table of open calls

struct plugin_call *plugin_call_find(struct plugin_worker *w, uint32_t generation, uint32_t call_id)
{
    if (!w->sandbox || sandbox_generation(w->sandbox) != generation) return NULL;
    struct open_call *c = w->open[call_id % CALL_BUCKETS];
    while (c && c->id != call_id) c = c->next;
    return c ? &c->call : NULL;
}

static void call_link(struct plugin_worker *w, struct open_call *c)
{
    w->calls++;
    struct open_call **bucket = &w->open[c->id % CALL_BUCKETS];
    c->next = *bucket;
    *bucket = c;
}

static void call_unlink(struct plugin_worker *w, struct open_call *c)
{
    w->calls--;
    if (w->calls == 0 && w->version->state == VERSION_DRAINING) tidy_soon(w->version->plugin->all);
    struct open_call **at = &w->open[c->id % CALL_BUCKETS];
    while (*at != c) at = &(*at)->next;
    *at = c->next;
}

// ---- what it says before its answer

bool plugin_call_stream(struct plugin_call *c, const char *text, size_t len)
{
    if (!c->caller.stream || c->stream_cut) return false;
    if (len == 0 || !fr_utf8_valid(text, len)) return true;
    if (len > STREAM_CALL_BYTES_MAX - c->streamed) {
        c->stream_cut = true;
        return false;
    }
    c->streamed += len;
    c->caller.stream(c->arg, text, len);
    return true;
}

// ---- judging

// What a plugin may call its refusals: [a-z0-9_]{1,39}.
static bool code_valid(const char *code)
{
    size_t len = strlen(code);
    return len >= 1 && len < FR_ERR_CODE_BYTES && strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static const char *text_of(const struct fr_json *said, const char *key)
{
    const char *text = said ? fr_json_text(fr_json_get(said, key)) : NULL;
    return text ? text : "";
}

static enum fr_status judge_refused(const struct fr_json *said, struct fr_err *err)
{
    const char *code = text_of(said, "code"), *detail = text_of(said, "detail");
    int len = (int)(strlen(detail) > DETAIL_BYTES_MAX ? fr_utf8_cut(detail, DETAIL_BYTES_MAX) : strlen(detail));
    if (!code_valid(code)) code = "plugin_refused";
    return len ? FR_FAIL_CODE(err, FR_E_CONFLICT, code, "%.*s", len, detail) : FR_FAIL_CODE(err, FR_E_CONFLICT, code, "the plugin refused: %s", code);
}

static void log_raised(const struct open_call *c, const struct fr_json *said, const char *text)
{
    FR_AUTO_BUF(fields);
    fr_buf_init(&fields, 16 * 1024);
    fr_buf_add(&fields, "{\"call\":");
    fr_buf_add_json_text(&fields, c->function);
    fr_buf_add(&fields, ",\"request_id\":");
    fr_buf_add_json_text(&fields, c->call.caller.request_id);
    if (*text_of(said, "frame")) { fr_buf_add(&fields, ",\"frame\":"); fr_buf_add_json_text(&fields, text_of(said, "frame")); }
    if (*text_of(said, "trace")) { fr_buf_add(&fields, ",\"trace\":"); fr_buf_add_json_text(&fields, text_of(said, "trace")); }
    fr_buf_add_char(&fields, '}');
    plugin_log_add(c->call.plugin, "error", text, fields.failed ? NULL : fields.data);
}

static enum fr_status judge_raised(struct open_call *c, const struct fr_json *said, struct fr_err *err)
{
    const char *file = text_of(said, "file"), *detail = text_of(said, "detail");
    const struct fr_json *line = said ? fr_json_get(said, "line") : NULL;
    int len = (int)(strlen(detail) > DETAIL_BYTES_MAX ? fr_utf8_cut(detail, DETAIL_BYTES_MAX) : strlen(detail));
    enum fr_status st = *file ? FR_FAIL_CODE(err, FR_E_INTERNAL, "plugin_error", "%.60s:%.0f: %.*s", file, fr_json_number(line), len, detail)
                              : FR_FAIL_CODE(err, FR_E_INTERNAL, "plugin_error", "%.*s", len, *detail ? detail : "it failed without a word");
    log_raised(c, said, err->text);
    return st;
}

static enum fr_status judge_tripped(struct open_call *c, enum frame_status outcome, struct fr_err *err)
{
    const struct manifest *m = c->call.worker->version->package->manifest;
    enum fr_status st = outcome == FRAME_TRIPPED_CPU
        ? FR_FAIL_CODE(err, FR_E_TIMEOUT, "cpu_limit", "%s.%s computed for over %d ms without a pause", m->id, c->function, TURN_SOFT_MS)
        : FR_FAIL_CODE(err, FR_E_LIMIT, "memory_limit", "%s.%s needed more memory than the plugin's %lld MiB", m->id, c->function, (long long)(m->heap_bytes >> 20));
    log_raised(c, NULL, err->text);
    return st;
}

static enum fr_status judge_value(struct open_call *c, const struct frame *f, struct fr_err *err)
{
    if (f->len > CALL_RESULT_BYTES_MAX)
        return FR_FAIL_CODE(err, FR_E_LIMIT, "result_too_large", "%s answered %u bytes, and %d are the most", c->function, f->len, CALL_RESULT_BYTES_MAX);
    struct fr_err why;
    if (fr_json_check(f->payload, f->len, &why) != FR_OK) return FR_FAIL_CODE(err, FR_E_INTERNAL, "plugin_error", "%s answered what is not JSON", c->function);
    return FR_OK;
}

static enum fr_status judge(struct open_call *c, const struct sandbox_result *r, struct fr_err *err)
{
    FR_AUTO(fr_json) said = NULL;
    struct plugin *p = c->call.plugin;
    if (r->status != FR_OK) {
        *err = r->err;
        return r->status;
    }
    if (r->outcome == FRAME_OK) return judge_value(c, r->frame, err);
    if (fr_json_parse(r->frame->payload, r->frame->len, &said, NULL) != FR_OK) said = NULL;       // then it has no words of its own
    if (r->outcome == FRAME_REFUSED) {
        p->refused++;
        return judge_refused(said, err);
    }
    p->raised++;
    return r->outcome == FRAME_RAISED ? judge_raised(c, said, err) : judge_tripped(c, r->outcome, err);
}

static void call_on_result(void *arg, const struct sandbox_result *r)
{
    struct open_call *c = arg;
    struct plugin_answer a = { .call = &c->call };
    call_unlink(c->call.worker, c);
    plugin_call_used(c->call.plugin, c->call.caller.player, r, c->from_us);
    a.status = judge(c, r, &a.err);
    if (a.status == FR_OK) {
        a.json = r->frame->payload;
        a.len = r->frame->len;
    } else {
        a.detail = a.err.text;
    }
    c->call.done(c->call.arg, &a);
    fr_free(c);
}

// ---- starting

// The least busy worker that is up; the state said that there is one.
static struct plugin_worker *pick_worker(const struct plugin_version *v)
{
    struct plugin_worker *best = NULL;
    for (int i = 0; i < v->worker_count; i++) {
        struct plugin_worker *w = &v->workers[i];
        bool fewer = !best || w->calls < best->calls || (w->calls == best->calls && w->matches < best->matches);
        if (w->up && fewer) best = w;
    }
    return best ? best : &v->workers[0];
}

static void print_context(const struct plugin_caller *who, struct fr_buf *out)
{
    fr_buf_add(out, "{");
    if (*who->player) {
        fr_buf_add(out, "\"player\":{\"id\":");
        fr_buf_add_json_text(out, who->player);
        fr_buf_add(out, ",\"name\":");
        fr_buf_add_json_text(out, who->name);
        fr_buf_add(out, ",\"lang\":");
        fr_buf_add_json_text(out, who->lang);
        fr_buf_add(out, "},");
    }
    fr_buf_add(out, "\"source\":");
    fr_buf_add_json_text(out, who->source);
    fr_buf_add(out, ",\"request_id\":");
    fr_buf_add_json_text(out, who->request_id);
    if (*who->key) { fr_buf_add(out, ",\"key\":"); fr_buf_add_json_text(out, who->key); }
    fr_buf_add(out, ",\"deadline_ms\":");
    fr_buf_add_i64(out, fr_now_ms() + CALL_DEADLINE_MS);
    fr_buf_add(out, "}");
}

enum fr_status plugin_call_start(struct plugin *p, const char *function, const char *args, size_t args_len, const struct plugin_caller *caller,
                                 void (*done)(void *arg, const struct plugin_answer *a), void *arg, struct fr_err *err)
{
    FR_AUTO_BUF(context);
    fr_buf_init(&context, 2048);
    if (args_len == 0) { args = "{}"; args_len = 2; }
    FR_TRY(plugin_admit(p, caller->player, err));
    enum fr_status st = check_call(p, function, args, args_len, caller, err);
    if (st != FR_OK) {
        plugin_turned_away(p);
        return st;
    }
    FR_AUTO_MEM struct open_call *c = fr_alloc(sizeof *c);
    if (!c) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    struct plugin_worker *w = pick_worker(p->current);
    c->call = (struct plugin_call){ .plugin = p, .worker = w, .caller = *caller, .done = done, .arg = arg };
    size_t function_len = strlen(function);
    assert(function_len < sizeof c->function);                 // check_call found it in the manifest
    memcpy(c->function, function, function_len);
    if (!*c->call.caller.request_id) fr_id_new(c->call.caller.request_id);
    fr_buf_reserve(&context, CONTEXT_BYTES_USUAL);
    print_context(&c->call.caller, &context);
    FR_TRY(fr_buf_check(&context, "a call's context", err));

    char target[sizeof TARGET_PREFIX + sizeof c->function] = TARGET_PREFIX;
    memcpy(target + sizeof TARGET_PREFIX - 1, function, function_len);
    struct sandbox_section sections[] = { { target, sizeof TARGET_PREFIX - 1 + function_len }, { context.data, context.len }, { args, args_len } };
    c->from_us = fr_mono_us();
    FR_TRY(sandbox_invoke(w->sandbox, FRAME_CALL, 0, sections, 3, CALL_DEADLINE_MS, call_on_result, c, &c->id, err));
    p->calls++;
    call_link(w, c);
    c = NULL;                                  // the table owns it now
    return FR_OK;
}

// ---- terms

// The splits a `charge` may use, in one canonical text: sorted by name, every part named.
enum fr_status plugin_terms(const struct manifest *m, char out[65], struct fr_err *err)
{
    const struct manifest_split *sorted[sizeof m->splits / sizeof m->splits[0]];
    uint8_t hash[SHA256_BYTES];
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 4096);
    for (int i = 0; i < m->split_count; i++) {
        int at = i;
        for (; at > 0 && strcmp(sorted[at - 1]->name, m->splits[i].name) > 0; at--) sorted[at] = sorted[at - 1];
        sorted[at] = &m->splits[i];
    }
    fr_buf_add_char(&text, '{');
    for (int i = 0; i < m->split_count; i++)
        fr_buf_addf(&text, "%s\"%s\":{\"author\":%d,\"burn\":%d,\"plugin\":%d,\"treasury\":%d}", i ? "," : "", sorted[i]->name, sorted[i]->bps[SPLIT_AUTHOR],
                    sorted[i]->bps[SPLIT_BURN], sorted[i]->bps[SPLIT_PLUGIN], sorted[i]->bps[SPLIT_TREASURY]);
    fr_buf_add_char(&text, '}');
    FR_TRY(fr_buf_check(&text, "the splits", err));
    fr_sha256(text.data, text.len, hash);
    fr_hex(hash, sizeof hash, out);
    return FR_OK;
}
