// store_calls.c — a plugin's documents. The plugin's id comes from the host, never from the arguments.
#include <stdio.h>
#include <string.h>
#include "api/internal.h"
#include "base/mem.h"
#include "player/identity.h"
#include "store/kv.h"

static const char *op_plugin(const struct api_op *op)
{
    return op->version->package->manifest->id;
}

static enum fr_status job_get(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    FR_AUTO_MEM char *value = NULL;
    int64_t version;
    FR_TRY(kv_get(txn, op_plugin(op), api_text(op, "scope"), api_text(op, "key"), op->now_ms, &value, &version, err));
    fr_buf_addf(&op->out, "[%s,%lld]", value, (long long)version);
    return FR_OK;
}

// `item` is the op's own arguments or one entry of a batch.
static enum fr_status put_one(struct store_txn *txn, const struct api_op *op, const struct fr_json *item, bool deletes, int64_t *version, struct fr_err *err)
{
    static const char *const keys[] = { "op", "scope", "key", "value", "if_version", "ttl_s", NULL };
    const char *scope, *key;
    int64_t if_version, ttl_s;
    FR_TRY(fr_json_only_keys(item, keys, "", err));
    FR_TRY(fr_json_need_text(item, "scope", 1, 24, &scope, err));
    if (strcmp(scope, "plugin") != 0 && !player_id_valid(scope)) return FR_FAIL(err, FR_E_INVALID, "scope must be \"plugin\" or a player id, not \"%s\"", scope);
    FR_TRY(fr_json_need_text(item, "key", 1, KV_KEY_BYTES_MAX, &key, err));
    FR_TRY(fr_json_opt_int(item, "if_version", 0, INT64_MAX, -1, &if_version, err));
    FR_TRY(fr_json_opt_int(item, "ttl_s", 1, 366LL * 86400, 0, &ttl_s, err));
    FR_AUTO_BUF(value);
    fr_buf_init(&value, KV_VALUE_BYTES_MAX);
    const struct fr_json *v = fr_json_get(item, "value");
    if (!deletes && !v) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "a put needs a value");
    if (!deletes) {
        fr_json_print(v, &value);
        FR_TRY(fr_buf_check(&value, "a stored value", err));
    }
    struct kv_put put = { .scope = scope, .key = key, .value = deletes ? NULL : value.data, .if_version = if_version, .expires_ms = ttl_s ? op->now_ms + ttl_s * 1000 : 0 };
    return kv_put(txn, op_plugin(op), &put, op->version->package->manifest->store_bytes, op->now_ms, version, err);
}

static enum fr_status job_put(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    int64_t version;
    FR_TRY(put_one(txn, op, op->args, false, &version, err));
    fr_buf_add_i64(&op->out, version);
    return FR_OK;
}

static enum fr_status job_delete(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    FR_AUTO_MEM char *value = NULL;
    int64_t version;
    enum fr_status st = kv_get(txn, op_plugin(op), api_text(op, "scope"), api_text(op, "key"), op->now_ms, &value, &version, err);
    if (st != FR_OK && st != FR_E_NOT_FOUND) return st;
    fr_buf_add(&op->out, st == FR_OK ? "true" : "false");
    return st == FR_OK ? put_one(txn, op, op->args, true, &version, err) : FR_OK;
}

struct listing { struct fr_buf *out; int count, limit; char last[KV_KEY_BYTES_MAX + 1]; };

static void list_each(void *arg, const struct kv_item *item)
{
    struct listing *l = arg;
    fr_buf_add(l->out, l->count++ ? ",{\"key\":" : "{\"key\":");
    fr_buf_add_json_text(l->out, item->key);
    fr_buf_addf(l->out, ",\"value\":%s,\"version\":%lld}", item->value, (long long)item->version);
    snprintf(l->last, sizeof l->last, "%s", item->key);
}

static enum fr_status job_list(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    const char *prefix = api_text(op, "prefix"), *cursor = api_text(op, "cursor");
    struct listing l = { .out = &op->out, .limit = (int)api_int(op, "limit", KV_LIST_MAX) };
    fr_buf_add(&op->out, "[[");
    FR_TRY(kv_list(txn, op_plugin(op), api_text(op, "scope"), prefix ? prefix : "", cursor ? cursor : "", l.limit, op->now_ms, list_each, &l, err));
    fr_buf_add(&op->out, "]");
    if (l.count == l.limit) {                          // there may be more: the cursor is the last key seen
        fr_buf_add(&op->out, ",");
        fr_buf_add_json_text(&op->out, l.last);
    }
    fr_buf_add(&op->out, "]");
    return FR_OK;
}

static enum fr_status job_batch(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    const struct fr_json *ops;
    FR_TRY(fr_json_need_array(op->args, "ops", 1, KV_BATCH_MAX, &ops, err));
    fr_buf_add(&op->out, "[");
    int n = 0;
    for (const struct fr_json *item = fr_json_child(ops); item; item = fr_json_next(item)) {
        if (fr_json_kind(item) != JSON_OBJECT) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "ops[%d] must be a table", n + 1);
        const char *kind = fr_json_text(fr_json_get(item, "op"));
        bool deletes = kind && strcmp(kind, "delete") == 0;
        if (!kind || (!deletes && strcmp(kind, "put") != 0)) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "ops[%d].op must be \"put\" or \"delete\"", n + 1);
        int64_t version;
        enum fr_status st = put_one(txn, op, item, deletes, &version, err);
        if (st == FR_E_INVALID && strcmp(err->code, fr_status_code(st)) == 0) snprintf(err->code, sizeof err->code, "bad_arguments");
        if (st != FR_OK) return fr_err_note(err, "ops[%d]", n + 1);
        fr_buf_addf(&op->out, "%s%lld", n++ ? "," : "", (long long)version);
    }
    fr_buf_add(&op->out, "]");
    return FR_OK;
}

const struct api_handler api_store_handlers[] = {
    { 11, API_READ, NULL, job_get }, { 12, API_WRITE, NULL, job_put }, { 13, API_WRITE, NULL, job_delete },
    { 14, API_READ, NULL, job_list }, { 15, API_WRITE, NULL, job_batch },
};
const int api_store_handler_count = sizeof api_store_handlers / sizeof api_store_handlers[0];
