// small_calls.c — log, time, random: done at once, on the loop.
#include <stdio.h>
#include <time.h>
#include "api/internal.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/id.h"

static enum fr_status now_log(struct api_op *op, struct fr_err *err)
{
    (void)err;
    FR_AUTO_BUF(fields);
    fr_buf_init(&fields, LOG_LINE_BYTES_MAX);
    const struct fr_json *v = fr_json_get(op->args, "fields");
    if (v) fr_json_print(v, &fields);
    plugin_log_add(op->plugin, op->call->name, api_text(op, "text"), v && !fields.failed ? fields.data : NULL);
    return FR_OK;
}

static enum fr_status now_time(struct api_op *op, struct fr_err *err)
{
    (void)err;
    fr_buf_add_i64(&op->out, op->now_ms);
    return FR_OK;
}

static enum fr_status now_day(struct api_op *op, struct fr_err *err)
{
    (void)err;
    char text[25];
    fr_time_text(op->now_ms, text);
    fr_buf_addf(&op->out, "\"%.10s\"", text);
    return FR_OK;
}

// Uniform by rejection: draws past the largest multiple of the range are thrown away.
static enum fr_status now_int(struct api_op *op, struct fr_err *err)
{
    int64_t lo = api_int(op, "lo", 0), hi = api_int(op, "hi", 0);
    if (lo > hi) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "random.int: lo %lld is over hi %lld", (long long)lo, (long long)hi);
    uint64_t range = (uint64_t)hi - (uint64_t)lo, draw;
    if (range == UINT64_MAX) {
        fr_random_bytes(&draw, sizeof draw);
    } else {
        uint64_t count = range + 1, limit = UINT64_MAX - UINT64_MAX % count;
        do fr_random_bytes(&draw, sizeof draw);
        while (draw >= limit);
        draw %= count;
    }
    fr_buf_add_i64(&op->out, (int64_t)((uint64_t)lo + draw));
    return FR_OK;
}

static enum fr_status now_bytes(struct api_op *op, struct fr_err *err)
{
    (void)err;
    uint8_t bytes[1024];
    char hex[2 * sizeof bytes + 1];
    size_t n = (size_t)api_int(op, "n", 1);
    fr_random_bytes(bytes, n);
    fr_buf_addf(&op->out, "\"%s\"", fr_hex(bytes, n, hex));
    return FR_OK;
}

static enum fr_status now_id(struct api_op *op, struct fr_err *err)
{
    (void)err;
    char id[FR_ID_BYTES];
    fr_buf_addf(&op->out, "\"%s\"", fr_id_new(id));
    return FR_OK;
}

const struct api_handler api_small_handlers[] = {
    { 2, API_NOW, now_log, NULL }, { 3, API_NOW, now_log, NULL }, { 4, API_NOW, now_log, NULL }, { 5, API_NOW, now_log, NULL },
    { 6, API_NOW, now_time, NULL }, { 7, API_NOW, now_day, NULL },
    { 8, API_NOW, now_int, NULL }, { 9, API_NOW, now_bytes, NULL }, { 10, API_NOW, now_id, NULL },
};
const int api_small_handler_count = sizeof api_small_handlers / sizeof api_small_handlers[0];
