// world.h — the world of this folder's tests: a store, a sandbox with the real worker, plugins that are written by the tests.
#pragma once
#include "plugin/runtime.h"
#include "plugin/use.h"
#include <fcntl.h>
#include <stdlib.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "plugin/internal.h"
#include "store/test.h"

#define WAIT_MS 30000              // only so that a broken test ends

static uv_loop_t loop;
static struct store *store;
static struct sandbox *sandbox;
static struct plugins *plugins;
static int ups, downs;
static char last_death[40];
static bool hold_asks, watch_files;            // an ask waits until release_ask; --dev
static struct { struct plugin_worker *worker; uint32_t generation, call_id, ask_no; } held_ask;

// ---- the world around

static inline const char *worker_path(void)
{
    static char path[600];
    const char *given = getenv("FROND_WORKER");
    if (given) return given;
    ssize_t n = readlink("/proc/self/exe", path, 400);
    if (n < 0) abort();
    path[n] = 0;
    for (int i = 0; i < 3; i++) *strrchr(path, '/') = 0;       // OUT/test/plugin/runtime_test
    return strcat(path, "/frond-worker");
}

static inline void put(const char *folder, const char *id, const char *file, const char *text)
{
    char path[800];
    snprintf(path, sizeof path, "%s/%s", test_path(folder), id);
    mkdir(test_path(folder), 0700);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/%s", test_path(folder), id, file);
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) { perror(path); abort(); }
}

// A tool with the calls named in `calls` (JSON members).
static inline void put_plugin(const char *folder, const char *id, const char *calls, const char *lua)
{
    char manifest[4096];
    snprintf(manifest, sizeof manifest, "{\"id\":\"%s\",\"name\":\"T\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"calls\":{%s}}", id, calls);
    put(folder, id, "plugin.json", manifest);
    put(folder, id, "main.lua", lua);
}

static inline void on_ask(void *arg, struct plugin_worker *w, const struct sandbox_ask *ask)
{
    struct plugin *p = w->version->plugin;
    struct plugin_call *call = plugin_call_find(w, sandbox_generation(w->sandbox), ask->call_id);
    (void)arg;
    CHECK(call && call == ask->call_arg && call->plugin == p);
    CHECK(plugin_call_find(w, sandbox_generation(w->sandbox) + 1, ask->call_id) == NULL);
    CHECK(plugin_call_find(w, sandbox_generation(w->sandbox), ask->call_id + 512) == NULL);
    if (ask->ask_no && hold_asks) {
        held_ask.worker = w;
        held_ask.generation = sandbox_generation(w->sandbox);
        held_ask.call_id = ask->call_id;
        held_ask.ask_no = ask->ask_no;
        return;
    }
    if (ask->ask_no) sandbox_answer(w->sandbox, sandbox_generation(w->sandbox), ask->call_id, ask->ask_no, FRAME_OK, "1234", 4);
}

static inline void on_up(void *arg, struct plugin_worker *w) { (void)arg; (void)w; ups++; }

static inline void on_down(void *arg, struct plugin_worker *w, const struct sandbox_death *death)
{
    (void)arg; (void)w;
    downs++;
    snprintf(last_death, sizeof last_death, "%s", death->code);
}

static inline enum fr_status open_plugins(const char *folder, bool trust_new, struct fr_err *err)
{
    const char *folders[] = { test_path(folder) };
    struct plugins_options o = { .loop = &loop, .store = store, .sandbox = sandbox, .folders = folders, .folder_count = 1, .trust_new = trust_new, .watch = watch_files,
                                 .on_ask = on_ask, .on_up = on_up, .on_down = on_down };
    ups = downs = 0;
    return plugins_open(&o, &plugins, err);
}

static inline void begin(void)
{
    struct fr_err err = { 0 };
    test_folder_new();
    if (uv_loop_init(&loop) != 0) abort();
    store = test_open(&loop);
    if (sandbox_new(&loop, worker_path(), 1, &sandbox, &err) != FR_OK) { printf("  %s\n", err.text); abort(); }
}

static inline void on_stopped(void *arg) { *(bool *)arg = true; }

static inline void end(void)
{
    bool stopped = false;
    plugins_close(plugins);
    plugins = NULL;
    sandbox_stop(sandbox, on_stopped, &stopped);
    while (!stopped) uv_run(&loop, UV_RUN_ONCE);
    test_close(store, &loop);
    CHECK(uv_loop_close(&loop) == 0);
    test_folder_drop();
}

static inline void tests_begin(void)
{
    fr_log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
    plugins_register();
}

// Turns the loop until `ready` says so; false when it never did.
static inline void on_tick(uv_timer_t *timer) { (void)timer; }
static inline bool run_until(bool (*ready)(void *arg), void *arg)
{
    uv_timer_t tick;                                           // so that a loop without news wakes up to look at the clock
    int64_t until = fr_mono_ms() + WAIT_MS;
    uv_timer_init(&loop, &tick);
    uv_timer_start(&tick, on_tick, 20, 20);
    bool is_ready = ready(arg);
    while (!is_ready && fr_mono_ms() < until) {
        uv_run(&loop, UV_RUN_ONCE);
        is_ready = ready(arg);
    }
    uv_close((uv_handle_t *)&tick, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    return is_ready;
}

struct wanted { const char *id; enum plugin_state state; };
static inline bool has_state(void *arg)
{
    struct wanted *w = arg;
    struct plugin *p = plugins_find(plugins, w->id);
    return p && p->state == w->state;
}

static inline struct plugin *wait_state(const char *id, enum plugin_state state)
{
    struct wanted w = { id, state };
    struct plugin *p = plugins_find(plugins, id);
    bool reached = run_until(has_state, &w);
    CHECK(reached);
    if (!reached && p) printf("  %s is %s: %s\n", id, plugin_state_name(p->state), p->error.text);
    return plugins_find(plugins, id);
}

// ---- calls

struct answered { int count; enum fr_status status; char json[2000], code[40], text[FR_ERR_TEXT_BYTES]; };
static inline void on_answer(void *arg, const struct plugin_answer *a)
{
    struct answered *to = arg;
    to->count++;
    to->status = a->status;
    CHECK(a->call && a->call->arg == arg);
    snprintf(to->json, sizeof to->json, "%.*s", (int)a->len, a->json ? a->json : "");
    snprintf(to->code, sizeof to->code, "%s", a->status ? a->err.code : "");
    snprintf(to->text, sizeof to->text, "%s", a->status ? a->err.text : "");
    CHECK(a->status == FR_OK || strcmp(a->detail, a->err.text) == 0);
}

static inline bool is_answered(void *arg) { return ((struct answered *)arg)->count > 0; }

static inline struct plugin_caller caller(const char *player)
{
    struct plugin_caller c = { .source = "http", .request_id = "r-1", .lang = "en" };
    snprintf(c.player, sizeof c.player, "%s", player);
    snprintf(c.name, sizeof c.name, "A\"nn");
    return c;
}

static inline enum fr_status start(const char *id, const char *function, const char *args, const struct plugin_caller *who, struct answered *to, struct fr_err *err)
{
    struct plugin *p = plugins_find(plugins, id);
    *to = (struct answered){ 0 };
    return plugin_call_start(p, function, args, strlen(args), who, on_answer, to, err);
}

static const char *calling = "7";              // who calls

static inline struct answered call(const char *id, const char *function, const char *args)
{
    static struct answered to;
    struct plugin_caller who = caller(calling);
    struct fr_err err = { 0 };
    if (start(id, function, args, &who, &to, &err) != FR_OK) {
        CHECK_TEXT(err.text, "");
        return to;
    }
    CHECK_INT(to.count, 0);                                    // never from inside
    CHECK(run_until(is_answered, &to));
    CHECK_INT(to.count, 1);
    return to;
}

static inline void refused(const char *id, const char *function, const char *args, const char *player, enum fr_status status, const char *code, const char *text)
{
    struct answered to;
    struct plugin_caller who = caller(player);
    struct fr_err err = { 0 };
    CHECK_INT(start(id, function, args, &who, &to, &err), status);
    CHECK_TEXT(err.code, code);
    if (text) CHECK_TEXT(err.text, text);
    CHECK_INT(to.count, 0);
}

static inline const char *log_of(struct plugin *p)
{
    static struct fr_buf text;
    fr_buf_free(&text);
    fr_buf_init(&text, 4 << 20);
    plugin_log_print(p, 1000, &text);
    return text.data;
}

static const char demo_calls[] =
    "\"echo\":{\"args\":{},\"player\":false},\"no\":{\"args\":{\"type\":\"object\",\"properties\":{\"code\":{},\"detail\":{}}}},\"boom\":{},\"spin\":{},"
    "\"eat\":{},\"clock\":{},\"strict\":{\"args\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1}},\"required\":[\"n\"]}},\"stuck\":{},\"big\":{}";
static const char demo_lua[] =
    "local frond = require 'frond'\n"
    "return frond.plugin { calls = {\n"
    "  echo = function(ctx, args) return { ctx = { player = ctx.player, source = ctx.source, request_id = ctx.request_id, key = ctx.key }, args = args } end,\n"
    "  no = function(ctx, args) return nil, args.code, args.detail end,\n"
    "  boom = function() local x = nil; return x.y end,\n"
    "  spin = function() while true do end end,\n"
    "  eat = function() return #('x'):rep(64 * 1024 * 1024) end,\n"
    "  clock = function() frond.log.info('at the clock'); return frond.time.now_ms() end,\n"
    "  strict = function(ctx, args) return args.n end,\n"
    "  stuck = function() return (('a'):rep(40)):find(('a?'):rep(40) .. ('a'):rep(40)) end,\n"
    "  big = function() return ('x'):rep(300 * 1024) end,\n"
    "} }\n";

static inline void open_demo(void)
{
    struct fr_err err = { 0 };
    put_plugin("p", "demo", demo_calls, demo_lua);
    CHECK(open_plugins("p", true, &err) == FR_OK);
    CHECK_TEXT(err.text, "");
    wait_state("demo", PLUGIN_UP);
}

// ---- off and on, and a host that starts again

struct switched { int count; enum fr_status status; char code[40], text[FR_ERR_TEXT_BYTES]; };
static inline void on_switched(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct switched *s = arg;
    s->count++;
    s->status = status;
    snprintf(s->code, sizeof s->code, "%s", status ? err->code : "");
    snprintf(s->text, sizeof s->text, "%s", status ? err->text : "");
}
static inline bool is_switched(void *arg) { return ((struct switched *)arg)->count > 0; }

static inline struct switched enable(const char *id, bool on)
{
    static struct switched s;
    struct fr_err err = { 0 };
    s = (struct switched){ 0 };
    CHECK(plugins_enable(plugins, id, on, on_switched, &s, &err) == FR_OK);
    CHECK_INT(s.count, 0);
    CHECK(run_until(is_switched, &s));
    return s;
}

static inline void reopen(void)
{
    struct fr_err err = { 0 };
    plugins_close(plugins);
    plugins = NULL;
    CHECK(open_plugins("p", true, &err) == FR_OK);
}
