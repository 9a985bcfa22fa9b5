// fake_worker.h — a program that speaks like a worker and lies like one that was taken over. For tests only.
//
// A test program names itself as the worker ("/proc/self/exe") and calls fake_worker when it is started as one. What it does
// to us is chosen by the plugin's name in LOAD's options, or, before READY, by its heap size (see enum fake_boot).
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/limits.h"
#include "ipc/call.h"
#include "ipc/frame.h"

enum fake_boot { FAKE_BOOT_MUTE = 2 * 1024 * 1024, FAKE_BOOT_RUDE, FAKE_BOOT_OLD, FAKE_BOOT_UNSAFE, FAKE_BOOT_DEAD };

static volatile struct worker_page *fake_page;
static volatile unsigned fake_sink;

static inline void fake_write(const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = write(WORKER_CHANNEL_FD, at, len);
        if (n <= 0) _exit(0);
        at += n;
        len -= (size_t)n;
    }
}

static inline void fake_say(enum frame_kind kind, enum frame_status status, uint32_t id, uint32_t ref, const char *payload)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4 * FRAME_BYTES_MAX);
    frame_put(&out, &(struct frame){ .kind = (uint8_t)kind, .status = (uint8_t)status, .id = id, .ref = ref, .call = kind == FRAME_ASK, .len = (uint32_t)strlen(payload), .payload = payload });
    fake_write(out.data, out.len);
}

static inline void fake_ask_api(uint32_t id, uint16_t api)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1024);
    frame_put(&out, &(struct frame){ .kind = FRAME_ASK, .id = id, .ref = 1, .call = api, .len = 2, .payload = "{}" });
    fake_write(out.data, out.len);
}

static inline void fake_spin_ms(int ms)       // CPU time, not wall time
{
    struct timespec t;
    int64_t from = -1, now = 0;
    do {
        for (int i = 0; i < 10000; i++) fake_sink = fake_sink + 1;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        now = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
        if (from < 0) from = now;
    } while (now - from < ms);
}

static inline void fake_sleep_ms(int ms)
{
    nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

static inline void fake_die(int sig)
{
    signal(sig, SIG_DFL);
    raise(sig);
}

// One frame from the host that wants an answer. Returns false when the plan is none of the known ones.
static inline bool fake_act(const char *plan, const struct frame *f)
{
    char raw[64] = { 0 };
    enum frame_kind answer = f->kind == FRAME_CALL || f->kind == FRAME_ANSWER ? FRAME_RESULT : FRAME_TURN;
#define PLAN(name) (strcmp(plan, name) == 0)
    if (PLAN("echo")) fake_say(answer, FRAME_OK, f->id, f->ref, "\"echo\"");
    else if (PLAN("forged_result")) fake_say(FRAME_RESULT, FRAME_OK, f->id + CALLS_PER_WORKER_MAX, 0, "1");
    else if (PLAN("id_zero")) fake_say(FRAME_RESULT, FRAME_OK, 0, 0, "1");
    else if (PLAN("forged_ask")) fake_say(FRAME_ASK, FRAME_OK, f->id + 1, 1, "{}");
    else if (PLAN("wrong_kind")) fake_say(f->kind == FRAME_CALL ? FRAME_TURN : FRAME_RESULT, FRAME_OK, f->id, f->ref, "{}");
    else if (PLAN("ask_in_match")) fake_say(FRAME_ASK, FRAME_OK, f->id, 1, "{}");
    else if (PLAN("forged_stream")) fake_say(FRAME_STREAM, FRAME_OK, f->id + 1, 0, "for somebody else");
    else if (PLAN("stream_in_match")) fake_say(FRAME_STREAM, FRAME_OK, f->id, 0, "psst");
    else if (PLAN("stream_huge")) { static char piece[STREAM_PIECE_BYTES_MAX + 2]; memset(piece, 'x', sizeof piece - 1); fake_say(FRAME_STREAM, FRAME_OK, f->id, 0, piece); }
    else if (PLAN("spin_streams")) for (;; fake_page->turns++) { fake_spin_ms(10); fake_say(FRAME_STREAM, FRAME_OK, f->id, 0, "x"); }
    else if (PLAN("streams")) { static char piece[STREAM_PIECE_BYTES_MAX + 1]; memset(piece, 'x', sizeof piece - 1); fake_say(FRAME_STREAM, FRAME_OK, f->id, 0, "a"); fake_say(FRAME_STREAM, FRAME_OK, f->id, 0, piece); fake_say(answer, FRAME_OK, f->id, 0, "1"); }
    else if (PLAN("twice")) { fake_say(answer, FRAME_OK, f->id, 0, "1"); fake_say(answer, FRAME_OK, f->id, 0, "1"); }
    else if (PLAN("ready_twice")) fake_say(FRAME_READY, FRAME_OK, 0, 0, "{\"engine\":\"" ENGINE_ID "\"}");
    else if (PLAN("loaded_twice")) fake_say(FRAME_LOADED, FRAME_OK, 1, 0, "{}");
    else if (PLAN("plays_host")) fake_say(FRAME_CALL, FRAME_OK, f->id, 0, "{}");
    else if (PLAN("bad_status")) fake_say(answer, (enum frame_status)77, f->id, 0, "{}");
    else if (PLAN("half_header")) fake_write("\x04\0\0\0\x42", 5);
    else if (PLAN("half_payload")) { raw[0] = 32; raw[4] = FRAME_RESULT; memcpy(raw + 8, &f->id, 4); fake_write(raw, 20); }
    else if (PLAN("huge")) { memset(raw, 0xff, 4); raw[4] = FRAME_RESULT; fake_write(raw, FRAME_HEADER_BYTES); }
    else if (PLAN("close")) { close(WORKER_CHANNEL_FD); fake_sleep_ms(60000); }
    else if (PLAN("exit")) _exit(0);
    else if (PLAN("cpu_exit")) _exit(WORKER_EXIT_CPU);
    else if (PLAN("memory_exit")) _exit(WORKER_EXIT_MEMORY);
    else if (PLAN("segv")) fake_die(SIGSEGV);
    else if (PLAN("sigsys")) fake_die(SIGSYS);
    else if (PLAN("silent")) (void)0;
    else if (PLAN("stopped")) raise(SIGSTOP);
    else if (PLAN("spin")) fake_spin_ms(60000);
    else if (PLAN("spin_on_page")) for (fake_page->running_id = f->id;;) fake_spin_ms(1);
    else if (PLAN("spin_turns")) for (fake_page->running_id = f->id;; fake_page->turns++) fake_spin_ms(1);
    else if (PLAN("spin_logs")) for (;; fake_page->turns++) { fake_spin_ms(10); fake_say(FRAME_ASK, FRAME_OK, f->id, 0, "{}"); }
    else if (PLAN("answers_then_spins")) { fake_say(answer, FRAME_OK, f->id, 0, "1"); fake_spin_ms(60000); }
    else if (PLAN("flood")) { for (int i = 0; i < 12000; i++) fake_say(FRAME_ASK, FRAME_OK, f->id, 0, "{}"); fake_say(answer, FRAME_OK, f->id, 0, "1"); }
    else if (PLAN("flood_forever")) {
        static char burst[4096 * FRAME_HEADER_BYTES];
        for (size_t i = 0; i < sizeof burst; i += FRAME_HEADER_BYTES) { burst[i + 4] = FRAME_ASK; memcpy(burst + i + 8, &f->id, 4); }
        for (;;) fake_write(burst, sizeof burst);
    }
    else if (PLAN("many_asks")) for (uint32_t i = 1; i <= ASKS_PER_CALL_MAX + 1; i++) fake_say(FRAME_ASK, FRAME_OK, f->id, i, "{}");
    else if (PLAN("asks")) { if (f->kind == FRAME_CALL) fake_say(FRAME_ASK, FRAME_OK, f->id, 7, "{\"a\":1}"); else fake_say(FRAME_RESULT, FRAME_OK, f->id, 0, "\"asked\""); }
    else if (PLAN("late")) { fake_sleep_ms(400); fake_say(answer, FRAME_OK, f->id, 0, "\"late\""); }
    else if (PLAN("blames_second")) { static int n; if (++n == 2) { fake_page->running_id = f->id; fake_die(SIGSEGV); } }
    else if (PLAN("blames_nobody")) { static int n; if (++n == 2) { fake_page->running_id = 0xdeadbeef; fake_die(SIGSEGV); } }
    // ---- every field of a frame, one by one
    else if (PLAN("bad_kind")) fake_say((enum frame_kind)99, FRAME_OK, f->id, 0, "1");
    else if (PLAN("kind_zero")) fake_say((enum frame_kind)0, FRAME_OK, f->id, 0, "1");
    else if (PLAN("status_of_ready")) fake_say(FRAME_READY, FRAME_TRIPPED_CPU, f->id, 0, "{}");
    else if (PLAN("api_unknown")) { if (f->kind == FRAME_CALL) fake_ask_api(f->id, 65535); else fake_say(FRAME_RESULT, FRAME_OK, f->id, 0, "1"); }
    else if (PLAN("ref_highest")) { if (f->kind == FRAME_CALL) fake_say(FRAME_ASK, FRAME_OK, f->id, UINT32_MAX, "{}"); else fake_say(FRAME_RESULT, FRAME_OK, f->id, UINT32_MAX, "1"); }
    else if (PLAN("same_ask_twice")) { if (f->kind == FRAME_CALL) { fake_say(FRAME_ASK, FRAME_OK, f->id, 5, "{}"); fake_say(FRAME_ASK, FRAME_OK, f->id, 5, "{}"); } else fake_say(FRAME_RESULT, FRAME_OK, f->id, 0, "1"); }
    else if (PLAN("asks_after_answer")) { fake_say(answer, FRAME_OK, f->id, 0, "1"); fake_say(FRAME_ASK, FRAME_OK, f->id, 1, "{}"); }
    else if (PLAN("cancelled_id")) fake_say(FRAME_RESULT, FRAME_OK, UINT32_MAX, 0, "1");
    else if (PLAN("garbage")) fake_say(answer, FRAME_OK, f->id, 0, "\xff\xfe{]not JSON\x01");
    else if (PLAN("deep_json")) { static char deep[200001]; memset(deep, '[', sizeof deep - 1); fake_say(answer, FRAME_RAISED, f->id, 0, deep); }
    else if (PLAN("nul_bytes")) { raw[0] = 8; raw[4] = (char)answer; memcpy(raw + 8, &f->id, 4); fake_write(raw, FRAME_HEADER_BYTES + 8); }
    else if (PLAN("length_lies")) { memset(raw, 0, sizeof raw); raw[0] = 8; raw[4] = (char)answer; memcpy(raw + 8, &f->id, 4); fake_write(raw, FRAME_HEADER_BYTES + 40); }
    // ---- time
    else if (PLAN("drip")) { raw[0] = 32; raw[4] = (char)answer; memcpy(raw + 8, &f->id, 4); for (int i = 0; i < 48; i++) { fake_write(raw + i, 1); fake_sleep_ms(100); } }
    else if (PLAN("drip_logs")) for (;;) { fake_say(FRAME_ASK, FRAME_OK, f->id, 0, "{}"); fake_sleep_ms(50); }
    else if (PLAN("ask_forever")) fake_say(FRAME_ASK, FRAME_OK, f->id, f->ref + 1, "{}");
    // ---- the page, the channel
    else if (PLAN("page_lies")) { memset((void *)(uintptr_t)fake_page, 0xff, sizeof *fake_page); fake_say(answer, FRAME_OK, f->id, 0, "1"); }
    else if (PLAN("shut_write")) { shutdown(WORKER_CHANNEL_FD, SHUT_WR); fake_sleep_ms(60000); }
    else if (PLAN("trips")) fake_say(answer, FRAME_TRIPPED_CPU, f->id, 0, "{}");
    else return false;
    return true;
#undef PLAN
}

static inline void fake_on_frame(char *plan, size_t plan_size, const struct frame *f)
{
    struct frame_cursor c;
    const char *options, *from, *to;
    size_t len;
    if (f->kind == FRAME_LOAD) {
        frame_sections(f, &c);
        if (!frame_take(&c, &options, &len)) _exit(9);
        from = memmem(options, len, "\"plugin\":\"", 10);
        to = from ? memchr(from + 10, '"', len - (size_t)(from + 10 - options)) : NULL;
        if (!to || (size_t)(to - from - 10) >= plan_size) _exit(9);
        memcpy(plan, from + 10, (size_t)(to - from - 10));
        plan[to - from - 10] = 0;
        if (strcmp(plan, "load_raises") == 0) fake_say(FRAME_LOADED, FRAME_RAISED, f->id, 0, "{\"code\":\"plugin_error\",\"detail\":\"main.lua:1: oops\"}");
        else if (strcmp(plan, "load_spins") == 0) fake_spin_ms(60000);
        else if (strcmp(plan, "load_silent") != 0) fake_say(FRAME_LOADED, FRAME_OK, f->id, 0, "{\"calls\":[]}");
    } else if (f->kind == FRAME_CALL || f->kind == FRAME_ANSWER || f->kind == FRAME_MATCH_OPEN || f->kind == FRAME_MATCH_TURN || f->kind == FRAME_MATCH_BOT) {
        if (!fake_act(plan, f)) _exit(9);
    }
}

static inline bool fake_boot(long heap)
{
    if (heap == FAKE_BOOT_DEAD) _exit(5);
    if (heap == FAKE_BOOT_MUTE) return true;
    if (heap == FAKE_BOOT_OLD) fake_say(FRAME_READY, FRAME_OK, 0, 0, "{\"engine\":\"frond-0/lua-5.1\"}");
    else if (heap == FAKE_BOOT_UNSAFE) fake_say(FRAME_READY, FRAME_RAISED, 0, 0, "{\"code\":\"sandbox_unavailable\",\"detail\":\"Landlock: Operation not supported\"}");
    else if (heap == FAKE_BOOT_RUDE) fake_say(FRAME_LOADED, FRAME_OK, 1, 0, "{}");
    else fake_say(FRAME_READY, FRAME_OK, 0, 0, "{\"engine\":\"" ENGINE_ID "\"}");
    return true;
}

// main() of a test calls this first: it does not return when the program was started as a worker.
static inline void fake_worker(int argc, char **argv)
{
    if (argc != 3 || strcmp(argv[0], "frond-worker") != 0) return;
    FR_AUTO_BUF(in);
    char plan[64] = { 0 };
    struct frame f;
    fr_buf_init(&in, 8 * FRAME_BYTES_MAX);
    fake_page = mmap(NULL, sizeof *fake_page, PROT_READ | PROT_WRITE, MAP_SHARED, WORKER_PAGE_FD, 0);
    fake_boot(atol(argv[1]));
    for (;;) {
        char *room = fr_buf_reserve(&in, 65536);
        ssize_t n = room ? read(WORKER_CHANNEL_FD, room, 65536) : -1;
        if (n <= 0) _exit(0);
        fr_buf_commit(&in, (size_t)n);
        while (frame_next(in.data, in.len, false, &f, NULL) == 1) {
            fake_on_frame(plan, sizeof plan, &f);
            fr_buf_consume(&in, FRAME_HEADER_BYTES + f.len);
        }
    }
}
