// call_calls.c — frond.call: one plugin's function used by another. The player goes along, the depth is bounded.
#include <stdio.h>
#include <string.h>
#include "api/internal.h"

#define CALL_DEPTH_MAX 4

static void call_on_answer(void *arg, const struct plugin_answer *a)
{
    struct api_op *op = arg;
    if (a->status == FR_OK) fr_buf_add_bytes(&op->out, a->json, a->len);
    api_finish(op, a->status, &a->err);
}

static enum fr_status call_check(const struct api_op *op, struct plugin **target, struct fr_err *err)
{
    const struct manifest *m = op->version->package->manifest;
    const char *id = api_text(op, "plugin");
    bool granted = false;
    for (int i = 0; i < m->call_plugin_count; i++) granted = granted || strcmp(m->call_plugins[i], id) == 0;
    if (!granted) return FR_FAIL_CODE(err, FR_E_DENIED, "not_granted", "%s has no grant to call %s", m->id, id);
    if (op->caller.depth >= CALL_DEPTH_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "call_depth", "plugins may call each other %d deep", CALL_DEPTH_MAX);
    *target = plugins_find(op->api->o.plugins, id);
    if (!*target) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin %s", id);
    return FR_OK;
}

void api_call_plugin(struct api_op *op)
{
    struct fr_err err;
    struct plugin *target;
    enum fr_status st = call_check(op, &target, &err);
    struct plugin_caller caller = op->caller;
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CALL_ARGS_BYTES_MAX);
    if (st == FR_OK) {
        caller.depth++;
        caller.stream = NULL;              // the page called the other one
        snprintf(caller.source, sizeof caller.source, "plugin:%s", op->version->package->manifest->id);
        snprintf(caller.key, sizeof caller.key, "%s", api_text(op, "key") ? api_text(op, "key") : "");
        if (fr_json_get(op->args, "args")) fr_json_print(fr_json_get(op->args, "args"), &args);
        else fr_buf_add(&args, "{}");
        st = fr_buf_check(&args, "the arguments", &err);
    }
    if (st == FR_OK) st = plugin_call_start(target, api_text(op, "fn"), args.data, args.len, &caller, call_on_answer, op, &err);
    if (st != FR_OK) api_finish(op, st, &err);
}
