// llm_tool.c — many calls over the pool, for pools.test.mjs: llm-tool CALLS AT_ONCE whole|stream|embed URL...
//
// Each call asks something that only its own answer has in it. Answers are taken in any order and told in the order of the calls, as a batch tells them. Prints "done N" now and then, so that who
// runs it knows when to kill something, and one line of JSON at the end.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/hist.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "llm/pool.h"

struct call { struct llm_request request; int64_t at; int done, tries; bool fine, right, cut; };
static struct call *calls;
static int count, at_once, next_no, running, ended, told, wrong, twice, failed, cut, out_of_order, tries;
static const char *mode;
static struct llm_settings settings;
static struct llm_pool *pool;
static struct net_client *client;
static uv_loop_t loop;
static struct fr_hist took;
static char last_error[300];
static bool again_soon, stopped;
static uv_timer_t timer;

static bool is_mode(const char *which) { return strcmp(mode, which) == 0; }

static bool is_right(int no, const struct llm_result *r)
{
    char want[64];
    FR_AUTO(fr_json) json = NULL;
    snprintf(want, sizeof want, "echo: question %d", no);
    if (fr_json_parse_long(r->json, r->json_len, LLM_EMBED_BYTES_MAX, &json, NULL) != FR_OK) return false;
    if (is_mode("embed")) return fr_json_size(fr_json_get(json, "data")) == 40;
    return r->text_len == strlen(want) && memcmp(r->text, want, r->text_len) == 0;
}

// In order: a call is told when all before it are.
static void tell(void)
{
    while (told < count && calls[told].done) {
        out_of_order += calls[told].done != 1;
        told++;
    }
}

static void go_on(void);
static void on_delta(void *arg, const struct llm_delta *d) { (void)arg; (void)d; }

static void on_done(void *arg, enum fr_status st, const struct llm_result *r, const struct fr_err *err)
{
    struct call *c = arg;
    int no = (int)(c - calls);
    twice += c->done++ > 0;
    running--;
    ended++;
    tries += r->tries;
    c->fine = st == FR_OK;
    if (st != FR_OK) {
        if (r->streamed) cut++;
        else failed++;
        snprintf(last_error, sizeof last_error, "%s: %.200s", err->code, err->text);
    } else if (!is_right(no, r)) wrong++;
    fr_hist_add(&took, (fr_mono_ms() - c->at) * 1000);
    llm_request_clear(&c->request);
    tell();
    if (ended % 50 == 0) {
        printf("done %d\n", ended);
        fflush(stdout);
    }
}

static void make(int no, struct llm_request *r)
{
    FR_AUTO_BUF(b);
    struct fr_err err;
    fr_buf_init(&b, 1 << 20);
    if (is_mode("embed")) {
        for (int i = 0; i < 40; i++) fr_buf_addf(&b, "%s\"text %d of %d\"", i ? "," : "{\"input\":[", i, no);
        fr_buf_add(&b, "]}");
    } else fr_buf_addf(&b, "{\"messages\":[{\"role\":\"user\",\"content\":\"question %d\"}],\"max_tokens\":64}", no);
    if (llm_request_parse(is_mode("embed") ? LLM_EMBED : LLM_CHAT, b.data, b.len, r, &err) != FR_OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(2);
    }
}

static void on_stopped(void *arg) { (void)arg; stopped = true; }

static void on_timer(uv_timer_t *t) { (void)t; again_soon = false; go_on(); }

static void go_on(void)
{
    struct fr_err err = { 0 };
    while (next_no < count && running < at_once) {
        struct call *c = &calls[next_no];
        make(next_no, &c->request);
        struct llm_pool_ask ask = { .request = &c->request, .model = "m", .deadline_ms = 120000, .on_delta = is_mode("stream") ? on_delta : NULL, .done = on_done, .arg = c };
        c->at = fr_mono_ms();
        if (llm_pool_send(pool, &ask, NULL, &err) != FR_OK) {
            llm_request_clear(&c->request);
            if (strcmp(err.code, "llm_busy") != 0) snprintf(last_error, sizeof last_error, "%s: %.200s", err.code, err.text);
            if (!again_soon) uv_timer_start(&timer, on_timer, 50, 0);      // on_room comes sooner, as a rule
            again_soon = true;
            return;
        }
        next_no++;
        running++;
    }
}

static void on_room(void *arg) { (void)arg; go_on(); }

static void report(int64_t ms)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1 << 20);
    fr_buf_addf(&b, "{\"calls\":%d,\"told\":%d,\"wrong\":%d,\"twice\":%d,\"failed\":%d,\"cut\":%d,\"out_of_order\":%d,\"tries\":%d,\"ms\":%lld,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"last_error\":", count, told, wrong, twice, failed, cut, out_of_order, tries, (long long)ms,
                 (double)fr_hist_quantile(&took, 0.5) / 1000, (double)fr_hist_quantile(&took, 0.99) / 1000);
    fr_buf_add_json_text(&b, last_error);
    fr_buf_add(&b, ",\"pool\":");
    llm_pool_facts(pool, &b);
    printf("%s}\n", b.data);
}

int main(int argc, char **argv)
{
    if (argc < 5) return fprintf(stderr, "usage: llm-tool CALLS AT_ONCE whole|stream|embed URL...\n"), 2;
    count = atoi(argv[1]);
    at_once = atoi(argv[2]);
    mode = argv[3];
    calls = fr_must_alloc((size_t)count * sizeof *calls);
    struct llm_backend_settings *b = &settings.backends[0];
    settings.backend_count = b->model_count = 1;
    snprintf(b->name, sizeof b->name, "b");
    b->models[0] = (struct llm_model_settings){ .name = "m", .can = LLM_CAN_CHAT | LLM_CAN_EMBED, .context_tokens = 8192 };
    for (; b->pod_count < argc - 4; b->pod_count++) snprintf(b->pods[b->pod_count].url, sizeof b->pods[0].url, "%s", argv[4 + b->pod_count]);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &timer);
    struct net_client_options net = { .loop = &loop, .connections = { 256, 1 }, .connections_per_host = { 128, 1 } };
    if (net_client_start(&net, &client, NULL) != FR_OK) return 2;
    struct llm_pool_options o = { .loop = &loop, .client = client, .settings = &settings, .on_room = on_room };
    llm_pool_new(&o, &pool);
    while (!llm_pool_ready(pool)) uv_run(&loop, UV_RUN_ONCE);
    int64_t began = fr_mono_ms();
    go_on();
    while (ended < count) uv_run(&loop, UV_RUN_ONCE);
    report(fr_mono_ms() - began);
    llm_pool_stop(pool, on_stopped, NULL);
    while (!stopped) uv_run(&loop, UV_RUN_ONCE);
    llm_pool_free(pool);
    uv_close((uv_handle_t *)&timer, NULL);
    net_client_stop(client, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    fr_free(calls);
    return uv_loop_close(&loop) != 0;
}
