// bench_call.c — calls through host/sandbox without HTTP: what a gateway would do for each call, CALLS times, IN_FLIGHT at once.
//
//   bench_call WORKER FOLDER CALLS      prints one line of JSON: CPU of host and worker per call, in microseconds
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sandbox/sandbox.h"

#define IN_FLIGHT 64

static const char body[] = "{\"id\":\"u12345\",\"name\":\"Ann\",\"level\":7,\"coins\":1250,\"stake\":50,\"cards\":[3,9,12]}";

static struct {
    uv_loop_t loop;
    struct sandbox *sb;
    struct sandbox_worker *w;
    int64_t sent, done, wanted, host_us, wall_us;
    int64_t worker_ms;
} bench;

static int64_t host_cpu_us(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_call: %s: %s\n", what, why);
    exit(1);
}

static void bench_end(void)
{
    int64_t worker_ms = sandbox_worker_stats(bench.w).cpu_ms - bench.worker_ms, host_us = host_cpu_us() - bench.host_us, wall_us = fr_mono_us() - bench.wall_us;
    printf("{\"calls\":%lld,\"host_us\":%.3f,\"worker_us\":%.3f,\"per_second\":%.0f}\n", (long long)bench.done, (double)host_us / (double)bench.done,
           (double)worker_ms * 1000 / (double)bench.done, (double)bench.done * 1e6 / (double)wall_us);
    sandbox_stop(bench.sb, NULL, NULL);
}

static void bench_call(void);

static void bench_on_done(void *arg, const struct sandbox_result *r)
{
    (void)arg;
    if (r->status != FR_OK) die("a call", r->err.text);
    if (r->outcome != FRAME_OK) die("a call", "it was not answered well");
    bench.done++;
    if (bench.done == bench.wanted) bench_end();
    else if (bench.sent < bench.wanted) bench_call();
}

static void bench_call(void)
{
    static const char context[] = "{\"player\":{\"id\":\"7\",\"name\":\"Ann\",\"lang\":\"en\"},\"source\":\"http\",\"request_id\":\"0190a6e4-7a3b-7c11-8e57-1f0d4b1c9a55\",\"deadline_ms\":5000}";
    struct fr_err err;
    struct sandbox_section parts[] = { { "call:round", 10 }, { context, sizeof context - 1 }, { body, sizeof body - 1 } };
    if (fr_json_check(body, sizeof body - 1, &err) != FR_OK) die("the body", err.text);
    if (sandbox_invoke(bench.w, FRAME_CALL, 0, parts, 3, CALL_DEADLINE_MS, bench_on_done, NULL, NULL, &err) != FR_OK) die("invoke", err.text);
    bench.sent++;
}

static void bench_on_up(void *arg, struct sandbox_worker *w, const char *definition)
{
    (void)arg, (void)definition;
    bench.worker_ms = sandbox_worker_stats(w).cpu_ms;
    bench.host_us = host_cpu_us();
    bench.wall_us = fr_mono_us();
    for (int i = 0; i < IN_FLIGHT; i++) bench_call();
}

static void bench_on_down(void *arg, struct sandbox_worker *w, const struct sandbox_death *death)
{
    (void)arg, (void)w;
    die("the worker", death->text);
}

static void bench_on_load_failed(void *arg, struct sandbox_worker *w, const char *error)
{
    (void)arg, (void)w;
    die("load", error);
}

static void bench_on_ask(void *arg, struct sandbox_worker *w, const struct sandbox_ask *ask)
{
    (void)arg, (void)w, (void)ask;
}

static struct sandbox_file file_read(const char *folder, const char *name)
{
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "rb");
    if (!f) die(path, "cannot be read");
    char *text = fr_must_alloc(65536);
    size_t len = fread(text, 1, 65536, f);
    fclose(f);
    return (struct sandbox_file){ name, text, len };
}

int main(int argc, char **argv)
{
    struct fr_err err;
    if (argc != 4) die("usage", "bench_call WORKER FOLDER CALLS");
    bench.wanted = atoll(argv[3]);
    struct sandbox_file files[] = { file_read(argv[2], "main.lua"), file_read(argv[2], "round.lua") };
    struct sandbox_spec spec = { .name = "benchcall", .version = "1.0.0", .options_json = "{\"plugin\":\"benchcall\",\"version\":\"1.0.0\",\"heap_bytes\":33554432,\"kind\":\"tool\"}",
                                 .files = files, .file_count = 2, .heap_bytes = WORKER_HEAP_BYTES_DEFAULT,
                                 .on_up = bench_on_up, .on_down = bench_on_down, .on_load_failed = bench_on_load_failed, .on_ask = bench_on_ask };
    uv_loop_init(&bench.loop);
    if (sandbox_new(&bench.loop, argv[1], 0, &bench.sb, &err) != FR_OK || sandbox_worker_start(bench.sb, &spec, &bench.w, &err) != FR_OK) die("start", err.text);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    for (int i = 0; i < 2; i++) fr_free((void *)files[i].text);
    return 0;
}
