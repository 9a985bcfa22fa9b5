// plugins.c — the plugins of a running host: seen, switched, changed.
#include <string.h>
#include "base/clock.h"
#include "console/internal.h"
#include "plugin/use.h"

// ---- seen

static void print_error(struct fr_buf *out, const struct plugin *p)
{
    fr_buf_add_json_text(out, p->state == PLUGIN_FAILED || p->state == PLUGIN_QUARANTINED ? p->error.text : NULL);
    fr_buf_add(out, ",\"rejected\":");
    if (p->rejected.status == FR_OK) { fr_buf_add(out, "null"); return; }
    fr_buf_add(out, "{\"version\":");
    fr_buf_add_json_text(out, p->rejected_version);
    fr_buf_addf(out, ",\"code\":\"%s\",\"text\":", p->rejected.code);
    fr_buf_add_json_text(out, p->rejected.text);
    fr_buf_add(out, ",\"frame\":");
    fr_buf_add_json_text(out, p->rejected_frame);
    fr_buf_add(out, "}");
}

static void print_version(struct fr_buf *out, const struct plugin_version *v)
{
    int calls = 0;
    for (int i = 0; i < v->worker_count; i++) calls += v->workers[i].calls;
    fr_buf_addf(out, "{\"version\":\"%s\",\"sha256\":\"%s\",\"state\":\"%s\",\"workers\":%d,\"up\":%d,\"matches\":%d,\"calls\":%d", v->package->manifest->version, v->package->sha256,
                version_state_name(v->state), v->worker_count, plugin_workers_up(v), plugin_version_matches(v), calls);
    if (v->state == VERSION_DRAINING) fr_buf_addf(out, ",\"drain_ends_in_s\":%lld", (long long)((v->drain_due_ms - fr_mono_ms()) / 1000));
    fr_buf_add(out, "}");
}

static void print_plugin(struct fr_buf *out, const struct plugin *p)
{
    const struct manifest *m = p->package->manifest;
    struct sandbox_stats s = { 0 };
    int matches = 0, draining = 0, written = 0;
    for (struct plugin_version *v = plugin_version_next(p, NULL); v; v = plugin_version_next(p, v)) {
        matches += plugin_version_matches(v);
        if (v->state == VERSION_DRAINING) draining += plugin_version_matches(v);
        for (int i = 0; i < v->worker_count; i++) {
            if (!v->workers[i].sandbox) continue;
            struct sandbox_stats one = sandbox_worker_stats(v->workers[i].sandbox);
            s.cpu_ms += one.cpu_ms;
            s.restarts += one.restarts;
            if (one.heap_peak_bytes > s.heap_peak_bytes) s.heap_peak_bytes = one.heap_peak_bytes;
        }
    }
    fr_buf_addf(out, "{\"id\":\"%s\",\"version\":\"%s\",\"kind\":\"%s\",\"state\":\"%s\",\"workers\":%d,\"up\":%d,\"matches\":%d,\"draining\":%d,\"calls\":%lld,\"cpu_ms\":%lld,\"heap_peak_bytes\":%lld,\"restarts\":%lld,\"blocked\":%d,\"versions\":[",
                m->id, m->version, m->kind, plugin_state_name(p->state), p->current->worker_count, plugin_workers_up(p->current), matches, draining,
                (long long)p->calls, (long long)s.cpu_ms, (long long)s.heap_peak_bytes, (long long)s.restarts, blocks_blocked(&p->meter->blocks, fr_mono_ms()));
    for (struct plugin_version *v = plugin_version_next(p, NULL); v; v = plugin_version_next(p, v)) {
        if (v->state == VERSION_OVER && v != p->current) continue;         // only its memory waits for the last who looks at it
        if (written++) fr_buf_add(out, ",");
        print_version(out, v);
    }
    fr_buf_add(out, "],\"error\":");
    print_error(out, p);
    fr_buf_add(out, "}");
}

void live_plugin_list(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    int written = 0;
    fr_buf_add(&op->out, "[");
    for (struct plugin *p = plugins_next(o->plugins, NULL); p; p = plugins_next(o->plugins, p)) {
        if (written++) fr_buf_add(&op->out, ",");
        print_plugin(&op->out, p);
    }
    fr_buf_add(&op->out, "]");
    console_answer(op, FR_OK, NULL);
}

enum fr_status job_plugin_versions(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *id;
    FR_TRY(fr_json_need_text(op->args, "plugin", 1, PLUGIN_ID_BYTES_MAX, &id, err));
    return plugins_history(txn, id, &op->out, err);
}

// ---- switched

static struct plugin *plugin_arg(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    const char *id;
    struct fr_err err;
    enum fr_status st = fr_json_need_text(op->args, "plugin", 1, PLUGIN_ID_BYTES_MAX, &id, &err);
    struct plugin *p = st == FR_OK ? plugins_find(o->plugins, id) : NULL;
    if (p) return p;
    if (st == FR_OK) st = FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%s\"", id);
    console_answer(op, st, &err);
    return NULL;
}

static void switched(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct console_op *op = arg;
    if (status == FR_OK) fr_buf_add(&op->out, "{}");
    console_answer(op, status, err);
}

static void switch_plugin(struct console_op *op, bool on)
{
    struct console_options *o = console_options_of(op->console);
    struct plugin *p = plugin_arg(op);
    struct fr_err err;
    if (!p) return;
    if (!on) plays_plugin_disabled(o->plays, p);
    enum fr_status st = plugins_enable(o->plugins, p->package->manifest->id, on, switched, op, &err);
    if (st != FR_OK) console_answer(op, st, &err);
}

void live_plugin_enable(struct console_op *op) { switch_plugin(op, true); }
void live_plugin_disable(struct console_op *op) { switch_plugin(op, false); }

void live_plugin_logs(struct console_op *op)
{
    int limit;
    struct fr_err err;
    enum fr_status st = console_limit(op, PLUGIN_LOG_LINES_MAX, 50, &limit, &err);
    if (st != FR_OK) { console_answer(op, st, &err); return; }
    struct plugin *p = plugin_arg(op);
    if (!p) return;
    plugin_log_print(p, limit, &op->out);
    console_answer(op, FR_OK, NULL);
}

// ---- changed

// With what serves now; of an installed one the folder named it, so all are looked at.
static void changed(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct console_op *op = arg;
    struct console_options *o = console_options_of(op->console);
    const char *id = fr_json_text(fr_json_get(op->args, "plugin")), *folder = fr_json_text(fr_json_get(op->args, "folder"));
    struct plugin *p = status == FR_OK && id ? plugins_find(o->plugins, id) : NULL;
    for (struct plugin *at = NULL; status == FR_OK && !id && (at = plugins_next(o->plugins, at)); )
        if (folder && strcmp(at->package->folder, folder) == 0) p = at;
    if (status == FR_OK && p) print_plugin(&op->out, p);
    else if (status == FR_OK) fr_buf_add(&op->out, "{}");
    console_answer(op, status, err);
}

void live_plugin_install(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    const char *folder;
    struct fr_err err;
    enum fr_status st = fr_json_need_text(op->args, "folder", 1, 511, &folder, &err);
    if (st == FR_OK && folder[0] != '/') st = FR_FAIL(&err, FR_E_INVALID, "folder: expected a whole path, got \"%.200s\"", folder);
    if (st == FR_OK) st = plugins_update(o->plugins, NULL, folder, changed, op, &err);
    if (st != FR_OK) console_answer(op, st, &err);
}

void live_plugin_update(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    struct plugin *p = plugin_arg(op);
    struct fr_err err;
    if (!p) return;
    enum fr_status st = plugins_update(o->plugins, p->package->manifest->id, NULL, changed, op, &err);
    if (st != FR_OK) console_answer(op, st, &err);
}

void live_plugin_rollback(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    const char *version;
    struct fr_err err;
    enum fr_status st = fr_json_opt_text(op->args, "version", 64, "", &version, &err);
    if (st != FR_OK) { console_answer(op, st, &err); return; }
    struct plugin *p = plugin_arg(op);
    if (!p) return;
    st = plugins_rollback(o->plugins, p->package->manifest->id, *version ? version : NULL, changed, op, &err);
    if (st != FR_OK) console_answer(op, st, &err);
}
