// testing.h — drives a worker without a process: frames in, frames out. For the *_test.c files beside it only.
#pragma once
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/check.h"
#include "base/limits.h"
#include "worker/turn.h"
#include "worker/worker.h"

static struct worker_page test_page;
static struct worker test_worker;
static struct fr_buf test_in, test_last;      // the last frame that came out: its payload, NUL-terminated
static struct frame test_frame;

static inline void test_start(int64_t heap_bytes)
{
    memset(&test_page, 0, sizeof test_page);
    turn_prepare(&test_page);
    worker_init(&test_worker, &test_page, heap_bytes, -1);
    fr_buf_init(&test_in, 4 * FRAME_BYTES_MAX);
    fr_buf_init(&test_last, FRAME_BYTES_MAX);
}

static inline void test_stop(void)
{
    worker_free(&test_worker);
    fr_buf_free(&test_in);
    fr_buf_free(&test_last);
}

// Sends one frame of sections (text, -1) ended by NULL, and takes the first frame of the answer if there is one.
static inline bool test_next(void)
{
    struct fr_err err;
    fr_buf_clear(&test_last);
    memset(&test_frame, 0, sizeof test_frame);
    if (frame_next(test_worker.out.data ? test_worker.out.data : "", test_worker.out.len, true, &test_frame, &err) != 1) return false;
    fr_buf_add_bytes(&test_last, test_frame.payload, test_frame.len);
    fr_buf_consume(&test_worker.out, FRAME_HEADER_BYTES + test_frame.len);
    return true;
}

static inline bool test_send_raw(enum frame_kind kind, enum frame_status status, uint32_t id, uint32_t ref, const char *payload)
{
    struct frame f = { .kind = (uint8_t)kind, .status = (uint8_t)status, .id = id, .ref = ref, .payload = payload, .len = (uint32_t)strlen(payload) };
    if (!worker_handle(&test_worker, &f)) return false;
    return test_next();
}

static inline bool test_send(enum frame_kind kind, uint32_t id, uint32_t ref, ...)
{
    struct frame head = { .kind = (uint8_t)kind, .id = id, .ref = ref }, f;
    struct fr_err err;
    va_list args;
    fr_buf_clear(&test_in);
    size_t mark = frame_begin(&test_in, &head);
    va_start(args, ref);
    for (const char *text; (text = va_arg(args, const char *));) frame_section(&test_in, text, strlen(text));
    va_end(args);
    frame_end(&test_in, mark);
    if (frame_next(test_in.data, test_in.len, false, &f, &err) != 1) return false;
    if (!worker_handle(&test_worker, &f)) return false;
    return test_next();
}

#define TEST_OPTIONS "{\"plugin\":\"t\",\"version\":\"1.0.0\",\"heap_bytes\":33554432,\"kind\":\"game\"}"
static inline bool test_load(const char *main_lua) { return test_send(FRAME_LOAD, 1, 0, TEST_OPTIONS, "main.lua", main_lua, NULL); }
static inline bool test_call(uint32_t id, const char *fn, const char *args)
{
    char target[100];
    snprintf(target, sizeof target, "call:%s", fn);
    return test_send(FRAME_CALL, id, 0, target, "{\"player\":{\"id\":\"7\",\"name\":\"Ann\"},\"source\":\"http\",\"request_id\":\"r\",\"deadline_ms\":5000}", args, NULL);
}
