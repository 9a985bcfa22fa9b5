// engine.c — the engine's life. Functions stand in the order they run: look, start, ask for health, end, again.
#include "llm/engine.h"
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "ipc/jail.h"
#include "llm/engine_inside.h"

#define LAST_WORDS_MS 1000                 // after its end its output ends too, unless somebody else has it
#define TOLD_MS (30 * 1000)                // between lines about how far its making is
#define CACHE_MIB 64                       // of prompts, which llama-server keeps beside the slots

static const struct llm_engine_times usual_times = {
    .look = 1000, .watch = 1000, .watch_early = 250, .health = 5000, .answer = 5000, .unheard = 60 * 1000, .load = 10 * 60 * 1000, .again_min = 1000, .again_max = 60 * 1000, .steady = 60 * 1000,
};
static const char *const state_names[] = { "absent", "starting", "loading", "up", "down" };
const char *llm_engine_state_name(enum llm_engine_state s) { return state_names[s]; }

static void on_timer(uv_timer_t *timer);
static void wait_for(struct llm_engine *e, int ms) { uv_timer_start(&e->timer, on_timer, (uint64_t)ms, 0); }

// One line for each change, not for each try; while it is being made, one in a while.
static void engine_say(struct llm_engine *e, enum llm_engine_state state, const char *code, const char *fmt, ...) FR_PRINTF(4, 5);
static void engine_say(struct llm_engine *e, enum llm_engine_state state, const char *code, const char *fmt, ...)
{
    char text[sizeof e->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    bool new_state = state != e->state, news = new_state || strcmp(text, e->text) != 0;
    e->code = code;
    if (!news) return;
    e->state = state;
    snprintf(e->text, sizeof e->text, "%s", text);
    int64_t now = fr_mono_ms();
    if (new_state) e->since_ms = now;
    if (!new_state && state == ENGINE_ABSENT && now - e->told_ms < TOLD_MS) return;
    e->told_ms = now;
    fr_log(state == ENGINE_DOWN ? LOG_WARN : LOG_INFO, "engine", "state", state_names[state], "code", code, "text", text, NULL);
    if (new_state && e->o.on_change) e->o.on_change(e->o.arg);
}

// ---- the way out

static void engine_try_done(struct llm_engine *e)
{
    if (!e->stopping || e->open_handles > 0 || e->phase == PHASE_LOOK || e->call) return;
    if (e->folder_fd >= 0) close(e->folder_fd);
    e->folder_fd = -1;
    void (*done)(void *) = e->stopped;
    e->stopped = NULL;
    if (done) done(e->stopped_arg);
}

static void on_closed(uv_handle_t *handle)
{
    struct llm_engine *e = handle->data;
    if (handle == (uv_handle_t *)&e->process) e->process_open = false;
    if (handle == (uv_handle_t *)&e->output) e->output_open = false;
    e->open_handles--;
    engine_try_done(e);
}

static void close_output(struct llm_engine *e)
{
    if (e->output_open && !uv_is_closing((uv_handle_t *)&e->output)) uv_close((uv_handle_t *)&e->output, on_closed);
}

// ---- its end, and why

static void engine_end(struct llm_engine *e, const char *code, const char *fmt, ...) FR_PRINTF(3, 4);
static void engine_end(struct llm_engine *e, const char *code, const char *fmt, ...)
{
    va_list args;
    if (e->verdict || !e->alive) return;
    e->verdict = code;
    va_start(args, fmt);
    vsnprintf(e->verdict_text, sizeof e->verdict_text, fmt, args);
    va_end(args);
    uv_process_kill(&e->process, SIGKILL);     // there is nothing in it to be saved
}

static void engine_again(struct llm_engine *e)
{
    bool steady = e->up_ms && e->ended_ms - e->up_ms >= e->times.steady;
    e->pause_ms = steady || e->pause_ms == 0 ? e->times.again_min : e->pause_ms * 2 > e->times.again_max ? e->times.again_max : e->pause_ms * 2;
    e->phase = PHASE_WAIT;
    wait_for(e, (int)e->pause_ms);
}

// Both its end and its last words are known.
static void engine_ended(struct llm_engine *e)
{
    char words[160];
    engine_last_line(e, words, sizeof words);
    e->rss_bytes = 0;
    if (e->stopping) return;
    if (e->verdict) engine_say(e, ENGINE_DOWN, e->verdict, "%s", e->verdict_text);
    else if (!e->exit_signal && e->exit_code >= JAIL_EXIT_USAGE && e->exit_code <= JAIL_EXIT_START) engine_say(e, ENGINE_DOWN, "engine_jail", "%s", words[0] ? words : "the jail could not be closed");
    else if (e->exit_signal) engine_say(e, ENGINE_DOWN, "engine_died", "it was ended by signal %d%s%s", e->exit_signal, words[0] ? "; it said last: " : "", words);
    else engine_say(e, ENGINE_DOWN, "engine_died", "it ended itself with exit code %d%s%s", (int)e->exit_code, words[0] ? "; it said last: " : "", words);
    engine_again(e);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    static char room[16 * 1024];           // one loop; it is read at once
    (void)handle;
    (void)wanted;
    *buf = uv_buf_init(room, sizeof room);
}

static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct llm_engine *e = stream->data;
    if (n < 0) {
        close_output(e);
        if (!e->alive && e->phase == PHASE_END) engine_ended(e);
        return;
    }
    engine_said_add(e, buf->base, (size_t)n);
    int64_t second = fr_mono_ms() / 1000;
    if (second != e->said_second) e->said_in_second = 0;
    e->said_second = second;
    e->said_in_second += n;
    if (e->said_in_second < ENGINE_SAID_PER_SECOND || !e->alive) return;
    e->reading = false;
    uv_read_stop(stream);                  // on_timer goes on
}

static void on_exit_of_engine(uv_process_t *process, int64_t exit_code, int exit_signal)
{
    struct llm_engine *e = process->data;
    e->alive = false;
    e->phase = PHASE_END;
    e->generation++;
    e->exit_code = exit_code;
    e->exit_signal = exit_signal;
    e->ended_ms = fr_mono_ms();
    if (e->call) net_call_cancel(e->call);
    uv_close((uv_handle_t *)&e->process, on_closed);
    if (e->stopping) close_output(e);
    else if (!e->output_open || uv_is_closing((uv_handle_t *)&e->output)) engine_ended(e);
    else {
        if (!e->reading) uv_read_start((uv_stream_t *)&e->output, on_room, on_output);
        wait_for(e, LAST_WORDS_MS);
    }
}

// ---- its start

static const char *number_text(char out[24], int64_t n)
{
    snprintf(out, 24, "%lld", (long long)n);
    return out;
}

static int engine_exec(struct llm_engine *e, int output_fd)
{
    const struct llm_engine_options *o = &e->o;
    char parent[24], memory[24], threads[24], context[24], slots[24], own_threads[24], cache[24], key[64], model[32];
    snprintf(key, sizeof key, "LLAMA_API_KEY=%s", e->key);
    snprintf(model, sizeof model, JAIL_READ_PATH, JAIL_READ_FD);
    const char *args[] = {
        "frond-jail", "--parent", number_text(parent, getpid()), "--threads", number_text(threads, ENGINE_THREADS_OF_SERVER + 2 * o->threads),
        // A half more, and the stacks: what is seen too late to be ended by us is refused by the kernel.
        "--memory", number_text(memory, o->memory_bytes + o->memory_bytes / 2 + ENGINE_THREADS_OF_SERVER * 8LL * 1024 * 1024),
        "--folder", o->folder, "--read", o->model, "--env", "LLAMA_API_KEY", "--env", "OMP_WAIT_POLICY", "--env", "MALLOC_ARENA_MAX", "--",
        o->server, "-m", model, "--alias", o->alias, "--host", ENGINE_SOCKET, "--offline", "--no-ui", "--metrics", "--slots", "--embeddings", "--pooling", "mean",
        "-c", number_text(context, o->context_tokens), "-np", number_text(slots, o->slots), "-t", number_text(own_threads, o->threads), "-tb", own_threads,
        "--cache-ram", number_text(cache, CACHE_MIB), "--log-colors", "off", NULL,
    };
    // Threads that wait for work must not spin: on two busy cores that is ten times slower. Few arenas, because each keeps what it once had.
    char *env[] = { key, "OMP_WAIT_POLICY=passive", "MALLOC_ARENA_MAX=4", NULL };
    uv_stdio_container_t stdio[] = { { .flags = UV_IGNORE }, { .flags = UV_INHERIT_FD, .data.fd = output_fd }, { .flags = UV_INHERIT_FD, .data.fd = output_fd } };
    uv_process_options_t options = { .exit_cb = on_exit_of_engine, .file = o->jail, .args = (char **)args, .env = env, .cwd = "/", .stdio_count = 3, .stdio = stdio };
    int r = uv_spawn(o->loop, &e->process, &options);
    fr_wipe(key, sizeof key);
    return r;
}

// 0, or libuv's error; whatever was opened is closed by on_closed.
static int engine_spawn(struct llm_engine *e)
{
    uv_file ends[2];
    int r = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);        // ours does not block, theirs does
    if (r < 0) return r;
    r = uv_pipe_init(e->o.loop, &e->output, 0);
    assert(r == 0);                        // it asks the system for nothing
    e->process.data = e->output.data = e;
    e->output_open = true;
    e->open_handles++;
    r = uv_pipe_open(&e->output, ends[0]);
    if (r < 0) {
        close(ends[0]);
    } else {
        r = engine_exec(e, ends[1]);
        e->process_open = true;            // also when it could not be started: libuv wants it closed
        e->open_handles++;
        if (r < 0) uv_close((uv_handle_t *)&e->process, on_closed);
    }
    close(ends[1]);
    e->alive = r == 0;
    e->reading = r == 0 && uv_read_start((uv_stream_t *)&e->output, on_room, on_output) == 0;
    if (r < 0) close_output(e);
    return r;
}

static void engine_start(struct llm_engine *e)
{
    e->generation++;
    e->verdict = NULL;
    e->missed = 0;
    e->heard = false;
    e->up_ms = 0;
    e->said_len = 0;
    e->start_ms = e->ended_ms = fr_mono_ms();
    e->health_ms = e->start_ms;
    int r = engine_spawn(e);
    if (r < 0) {
        engine_say(e, ENGINE_DOWN, "engine_start", "%.200s cannot be started: %s", e->o.jail, uv_strerror(r));
        engine_again(e);
        return;
    }
    e->starts++;
    e->phase = PHASE_RUN;
    engine_say(e, ENGINE_STARTING, "engine_starting", "the engine is being started");
    wait_for(e, e->times.watch_early);
}

// ---- what has to be there first

static void engine_name_socket(struct llm_engine *e)
{
    if (e->look.folder_fd >= 0) {
        if (e->folder_fd >= 0) close(e->folder_fd);
        e->folder_fd = e->look.folder_fd;
        e->look.folder_fd = -1;
    }
    if (e->folder_fd >= 0) snprintf(e->socket, sizeof e->socket, "/proc/%d/fd/%d/" ENGINE_SOCKET, (int)getpid(), e->folder_fd);
    else if ((size_t)snprintf(e->socket, sizeof e->socket, "%s/" ENGINE_SOCKET, e->o.folder) >= sizeof e->socket) e->socket[0] = 0;      // after the first look
}

static void look_done(uv_work_t *work, int status)
{
    struct engine_look *l = work->data;
    struct llm_engine *e = l->e;
    (void)status;                          // nobody cancels
    e->phase = PHASE_WAIT;
    snprintf(e->progress, sizeof e->progress, "%s", l->progress);
    engine_name_socket(e);
    if (e->stopping) {
        engine_try_done(e);
    } else if (l->there && e->process_open + e->output_open == 0) {
        engine_start(e);
    } else if (l->failed) {
        engine_say(e, ENGINE_DOWN, "engine_folder", "%s", l->text);
        engine_again(e);
    } else {
        if (!l->there) engine_say(e, ENGINE_ABSENT, "engine_absent", "%s%s%s", l->text, e->progress[0] ? "; it is being made: " : "", e->progress);
        wait_for(e, e->times.look);
    }
}

static void engine_look(struct llm_engine *e)
{
    e->phase = PHASE_LOOK;
    e->look.work.data = &e->look;
    int r = uv_queue_work(e->o.loop, &e->look.work, engine_look_run, look_done);
    assert(r == 0);
}

// ---- its health

struct engine_question { struct llm_engine *e; uint32_t generation; };

static void health_missed(struct llm_engine *e)
{
    if (e->state != ENGINE_UP) return;     // on_timer looks at how long it takes
    if (++e->missed >= ENGINE_MISSED_MAX) engine_end(e, "engine_hangs", "it did not answer %d times in a row", e->missed);
}

static void health_done(void *arg, enum fr_status st, const struct net_answer *answer, const struct fr_err *err)
{
    struct engine_question q = *(struct engine_question *)arg;
    struct llm_engine *e = q.e;
    (void)err;
    fr_free(arg);
    e->call = NULL;
    if (e->stopping) {
        engine_try_done(e);
        return;
    }
    if (q.generation != e->generation || e->verdict) return;
    if (st != FR_OK || (answer->http_status != 200 && answer->http_status != 503)) {
        health_missed(e);
        return;
    }
    e->heard = true;
    if (answer->http_status == 503 && e->state == ENGINE_UP) {
        health_missed(e);
    } else if (answer->http_status == 503) {
        engine_say(e, ENGINE_LOADING, "engine_loading", "the engine reads the model");
    } else {
        e->missed = 0;
        if (!e->up_ms) e->up_ms = fr_mono_ms();
        engine_say(e, ENGINE_UP, "", "%s", "");
    }
}

static void health_ask(struct llm_engine *e)
{
    struct fr_err err;
    struct engine_question *q = fr_must_alloc(sizeof *q);
    *q = (struct engine_question){ e, e->generation };
    struct net_ask ask = { .url = "http://engine/health", .unix_path = e->socket, .connect_ms = e->times.answer, .idle_ms = e->times.answer, .total_ms = e->times.answer,
                           .answer_bytes_max = ENGINE_ANSWER_BYTES_MAX, .done = health_done, .arg = q };
    if (net_call_start(e->o.client, &ask, &e->call, &err) == FR_OK) return;
    fr_free(q);                            // our own client is full: that says nothing of the engine
    e->call = NULL;
}

static void health_plan(struct llm_engine *e, int64_t now_ms)
{
    uint32_t random;
    int pause = e->state == ENGINE_UP ? e->times.health : e->times.watch_early;
    fr_random_bytes(&random, sizeof random);
    e->health_ms = now_ms + pause * 3 / 4 + random % (uint32_t)(pause / 2 + 1);
}

// ---- the watch

static void engine_watch(struct llm_engine *e)
{
    int64_t now_ms = fr_mono_ms();
    engine_resident(e->process.pid, &e->rss_bytes);
    if (!e->reading && e->output_open && !uv_is_closing((uv_handle_t *)&e->output) && now_ms / 1000 != e->said_second) {
        e->reading = uv_read_start((uv_stream_t *)&e->output, on_room, on_output) == 0;
    }
    if (e->rss_bytes > e->o.memory_bytes)
        engine_end(e, "engine_memory", "it took %lld MiB of memory, over its %lld", (long long)(e->rss_bytes >> 20), (long long)(e->o.memory_bytes >> 20));
    else if (!e->up_ms && !e->heard && now_ms - e->start_ms > e->times.unheard)
        engine_end(e, "engine_late", "it did not answer within %d ms of its start", e->times.unheard);
    else if (!e->up_ms && now_ms - e->start_ms > e->times.load)
        engine_end(e, "engine_late", "it did not read the model within %d ms of its start", e->times.load);
    if (!e->verdict && !e->call && now_ms >= e->health_ms) {
        health_plan(e, now_ms);
        health_ask(e);
    }
    wait_for(e, e->state == ENGINE_UP ? e->times.watch : e->times.watch_early);
}

static void on_timer(uv_timer_t *timer)
{
    struct llm_engine *e = timer->data;
    assert(!e->stopping && e->phase != PHASE_LOOK);
    if (e->phase == PHASE_WAIT) engine_look(e);
    else if (e->phase == PHASE_RUN) engine_watch(e);
    else {                                 // it is gone, and somebody else holds its output open
        close_output(e);
        engine_ended(e);
    }
}

// ---- for others

static void free_paths(struct llm_engine *e)
{
    for (size_t i = 0; i < sizeof e->paths / sizeof e->paths[0]; i++) free(e->paths[i]);
}

static enum fr_status whole_paths(struct llm_engine *e, struct fr_err *err)
{
    const char **names[] = { &e->o.jail, &e->o.server, &e->o.model, &e->o.folder };
    _Static_assert(sizeof names / sizeof names[0] == sizeof e->paths / sizeof e->paths[0], "each has its place");
    char *here = getcwd(NULL, 0);
    if (!here) return FR_FAIL_CODE(err, FR_E_IO, "engine_options", "where are we? %s", strerror(errno));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool whole = (*names[i])[0] == '/';
        if (asprintf(&e->paths[i], "%s%s%s", whole ? "" : here, whole ? "" : "/", *names[i]) < 0) abort();
        *names[i] = e->paths[i];
    }
    free(here);
    return FR_OK;
}

enum fr_status llm_engine_new(const struct llm_engine_options *o, struct llm_engine **ret, struct fr_err *err)
{
    uint8_t random[(ENGINE_KEY_BYTES - 1) / 2];
    struct llm_engine_options full = *o;
    if (!full.context_tokens) full.context_tokens = 8192;
    if (!full.slots) full.slots = 4;
    if (!full.threads) full.threads = 1;
    if (!full.memory_bytes) full.memory_bytes = ENGINE_MEMORY_BYTES_DEFAULT;
    if (!full.alias) full.alias = "local";
    if (full.slots < 1 || full.slots > ENGINE_SLOTS_MAX || full.threads < 1 || full.threads > ENGINE_THREADS_OF_SERVER || full.context_tokens < full.slots || full.context_tokens > ENGINE_CONTEXT_TOKENS_MAX || full.memory_bytes < 1 << 20)
        return FR_FAIL_CODE(err, FR_E_INVALID, "engine_options", "an engine has 1 to %d slots, 1 to %d threads, a context of at most %d tokens, and memory", ENGINE_SLOTS_MAX, ENGINE_THREADS_OF_SERVER, ENGINE_CONTEXT_TOKENS_MAX);
    struct llm_engine *e = fr_must_alloc(sizeof *e);
    e->o = full;
    enum fr_status st = whole_paths(e, err);
    if (st != FR_OK) { fr_free(e); return st; }
    e->times = o->times ? *o->times : usual_times;
    e->folder_fd = e->look.folder_fd = -1;
    e->look.e = e;
    e->code = "engine_absent";
    e->since_ms = fr_mono_ms();
    snprintf(e->text, sizeof e->text, "the engine is looked for");
    engine_name_socket(e);
    fr_random_bytes(random, sizeof random);
    fr_hex(random, sizeof random, e->key);
    uv_timer_init(o->loop, &e->timer);
    e->timer.data = e;
    e->open_handles = 1;
    wait_for(e, 0);
    *ret = e;
    return FR_OK;
}

void llm_engine_facts(const struct llm_engine *e, struct llm_engine_facts *ret)
{
    *ret = (struct llm_engine_facts){ .state = e->state, .code = e->code, .pid = e->alive ? e->process.pid : 0, .starts = e->starts, .rss_bytes = e->rss_bytes, .since_ms = e->since_ms, .said_bytes = e->said_bytes, .pause_ms = e->pause_ms };
    snprintf(ret->text, sizeof ret->text, "%s", e->text);
    snprintf(ret->progress, sizeof ret->progress, "%s", e->progress);
    snprintf(ret->socket, sizeof ret->socket, "%s", e->socket);
}

const char *llm_engine_key(const struct llm_engine *e) { return e->key; }

void llm_engine_stop(struct llm_engine *e, void (*done)(void *arg), void *arg)
{
    if (!e) {
        done(arg);
        return;
    }
    assert(!e->stopping);
    e->stopping = true;
    e->stopped = done;
    e->stopped_arg = arg;
    uv_close((uv_handle_t *)&e->timer, on_closed);         // done comes from a close callback at the earliest
    if (e->call) net_call_cancel(e->call);
    if (e->alive) uv_process_kill(&e->process, SIGKILL);
    else close_output(e);
}

void llm_engine_free(struct llm_engine *e)
{
    if (!e) return;
    assert(e->stopping && !e->stopped);
    fr_wipe(e->key, sizeof e->key);
    free_paths(e);
    fr_free(e);
}
