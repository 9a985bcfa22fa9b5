// devchain.c — the node and its life: found, started, loaded, looked at, saved, ended. What has to stand on it is devchain_script.c's.
#include "treasury/devchain.h"
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "treasury/devchain_inside.h"
#include "treasury/over_net.h"

#define FILES_AGAIN_MS 1000                // between looks for what is not built yet
#define LOOK_MS 250                        // between looks at head and pool
#define ASK_MS 5000
#define SAVE_MS 30000
#define FAILURES_MAX 3                     // answers in a row that did not come: it hangs
#define AGAIN_MS_MIN 200
#define AGAIN_MS_MAX 10000
#define STEADY_MS 10000                    // after so long the next pause is short again
#define LISTENING "Listening on 127.0.0.1:"

static const char *const state_names[] = { "starting", "deploying", "ready", "down" };
const char *devchain_state_name(enum devchain_state s) { return state_names[s]; }

// One line for each change, not for each try.
void dc_say(struct devchain *d, enum devchain_state state, const char *fmt, ...)
{
    char text[sizeof d->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (state == d->state && strcmp(text, d->text) == 0) return;
    d->state = state;
    snprintf(d->text, sizeof d->text, "%s", text);
    fr_log(state == DEVCHAIN_DOWN ? LOG_WARN : LOG_INFO, "devchain", "state", state_names[state], "text", text, NULL);
}

// ---- work that blocks: the disk, scrypt

struct dc_work *dc_work_new(struct devchain *d)
{
    struct dc_work *w = fr_must_alloc(sizeof *w);
    w->d = d;
    w->work.data = w;
    return w;
}

void dc_work_free(struct dc_work *w)
{
    fr_buf_free(&w->bytes);
    fr_free(w);
}

static void work_run(uv_work_t *work)
{
    struct dc_work *w = work->data;
    w->run(w);
}

static void close_done(struct devchain *d);
static void work_done(uv_work_t *work, int status)
{
    struct dc_work *w = work->data;
    struct devchain *d = w->d;
    (void)status;                          // nobody cancels
    d->working = false;
    if (d->stopping) {
        dc_work_free(w);
        close_done(d);
    } else w->after(d, w);
}

void dc_work_start(struct devchain *d, struct dc_work *w)
{
    d->working = true;
    uv_queue_work(d->o.loop, &w->work, work_run, work_done);
}

// ---- questions

struct dc_question { struct devchain *d; uint32_t generation; int count; dc_answer_fn *done; };

static void answer_missed(struct devchain *d, const char *why)
{
    if (d->phase != DC_RUN && d->phase != DC_ENDED) fr_log(LOG_DEBUG, "devchain.no_answer", "why", why, NULL);
    if (++d->failures < FAILURES_MAX || !d->alive) return;
    dc_say(d, DEVCHAIN_DOWN, "anvil does not answer, and is started again");
    uv_process_kill(&d->process, SIGKILL);
}

static void question_done(void *arg, enum fr_status st, const struct net_answer *a, const struct fr_err *err)
{
    struct dc_question q = *(struct dc_question *)arg;
    struct devchain *d = q.d;
    FR_AUTO(rpc_answers) answers = NULL;
    struct fr_err odd;
    fr_free(arg);
    if (d->stopping || q.generation != d->generation) return;
    d->asking = false;
    if (st == FR_OK) st = rpc_read(a->body, a->body_len, q.count, 1, &answers, &odd), err = &odd;
    if (st != FR_OK) {
        answer_missed(d, err->text);
        return;
    }
    d->failures = 0;
    int step = d->step;
    bool made = d->step_made;
    q.done(d, answers);
    if (d->phase == DC_SCRIPT && !d->asking && (d->step != step || d->step_made != made)) dc_script_step(d);      // no need to wait for the next tick
}

static enum fr_status post(struct devchain *d, const void *body, size_t len, int ms, size_t most, net_call_done_fn *done, void *arg, struct fr_err *err)
{
    static const struct net_pair type = { "Content-Type", "application/json" };
    char url[48];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", d->port);
    struct net_ask ask = { .method = "POST", .url = url, .headers = &type, .header_count = 1, .body = body, .body_len = len, .retry_safe = true, .connect_ms = ASK_MS, .idle_ms = ms, .total_ms = ms,
                           .answer_bytes_max = (int64_t)most, .done = done, .arg = arg };
    return net_call_start(d->o.client, &ask, NULL, err);
}

static void ask_bytes(struct devchain *d, const struct fr_buf *body, int ms, size_t most, int count, net_call_done_fn *raw, dc_answer_fn *done)
{
    struct fr_err err;
    struct dc_question *q = fr_must_alloc(sizeof *q);
    *q = (struct dc_question){ d, d->generation, count, done };
    d->asking = true;
    enum fr_status st = fr_buf_check(body, "a question", &err);
    if (st == FR_OK) st = post(d, body->data, body->len, ms, most, raw, q, &err);
    if (st == FR_OK) return;
    d->asking = false;
    fr_free(q);
    answer_missed(d, err.text);
}

void dc_ask(struct devchain *d, const struct rpc_call *calls, int count, dc_answer_fn *done)
{
    FR_AUTO_BUF(body);
    fr_buf_init(&body, RPC_REQUEST_BYTES_MAX);
    rpc_write(&body, calls, count, 1);
    ask_bytes(d, &body, ASK_MS, RPC_ANSWER_BYTES_MAX, count, question_done, done);
}

// ---- buttons

static void pressed_end(struct devchain *d, enum fr_status st, const struct fr_err *err)
{
    devchain_done_fn *done = d->pressed;
    d->pressed = NULL;
    if (done) done(d->pressed_arg, st, err);
}

static void pressed_answer(struct devchain *d, const struct rpc_answers *a)
{
    struct fr_err err;
    enum fr_status st = FR_OK;
    if (a->at[0].fault) st = FR_FAIL_CODE(&err, FR_E_CONFLICT, "chain_refused", "anvil says: %.150s", a->at[0].text);
    d->unsaved = true;                     // a reorg may leave the number as it is
    d->look_ms = 0;
    d->busy_at = d->head + 1;
    pressed_end(d, st, &err);
}

static void pressed_run(struct devchain *d)
{
    char params[40];
    if (d->button == DEVCHAIN_KILL) {
        uv_process_kill(&d->process, SIGKILL);
        pressed_end(d, FR_OK, NULL);
        return;
    }
    snprintf(params, sizeof params, "[%d,[]]", DEVCHAIN_REORG_BLOCKS);
    struct rpc_call call = d->button == DEVCHAIN_MINE ? (struct rpc_call){ "evm_mine", NULL } : (struct rpc_call){ "anvil_reorg", params };
    dc_ask(d, &call, 1, pressed_answer);
}

enum fr_status devchain_press(struct devchain *d, enum devchain_button button, devchain_done_fn *done, void *arg, struct fr_err *err)
{
    if (d->pressed) return FR_FAIL_CODE(err, FR_E_CONFLICT, "in_progress", "a button was pressed, and what it does is not done");
    if (!d->alive || (d->phase != DC_RUN && button != DEVCHAIN_KILL)) return FR_FAIL_CODE(err, FR_E_BUSY, "chain_not_ready", "the development chain is not there now%s%.200s", d->text[0] ? ": " : "", d->text);
    if (button == DEVCHAIN_REORG && d->head < DEVCHAIN_REORG_BLOCKS + 1) return FR_FAIL_CODE(err, FR_E_CONFLICT, "chain_refused", "there are too few blocks");
    d->button = button;
    d->pressed = done;
    d->pressed_arg = arg;
    return FR_OK;
}

// ---- running: saved after each block, a block when somebody waits for one

static void save_run(struct dc_work *w)
{
    char path[TREASURY_PATH_BYTES];
    w->st = dc_path(w->d, "state", path, &w->err);
    if (w->st == FR_OK) w->st = dc_write(path, w->bytes.data, w->bytes.len, &w->err);
}

static void save_after(struct devchain *d, struct dc_work *w)
{
    d->save_ms = fr_mono_ms() - w->began_ms;
    if (w->st == FR_OK) {
        d->saved = w->block;
        if (d->phase == DC_RUN && d->told) dc_say(d, DEVCHAIN_READY, "%s", "");
    } else {
        d->unsaved = true;                 // and until it is no block is mined
        d->look_ms = d->now_ms + 4 * LOOK_MS;
        dc_say(d, DEVCHAIN_DOWN, "no block is mined, because this one cannot be saved: %.200s", w->err.text);
    }
    dc_work_free(w);
}

// {"jsonrpc":"2.0","id":1,"result":"0x.."}: too long for a tree, and all that matters is hex.
static bool state_of(const char *body, size_t len, const char **hex, size_t *hex_len)
{
    static const char key[] = "\"result\":\"0x";
    const char *at = memmem(body, len < 128 ? len : 128, key, sizeof key - 1);
    if (!at) return false;
    *hex = at + sizeof key - 1 - 2;
    *hex_len = 2;
    for (const char *end = body + len; *hex + *hex_len < end; (*hex_len)++) {
        char c = (*hex)[*hex_len];
        if (c == '"') return *hex_len > 2;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return false;
}

static void save_answer(void *arg, enum fr_status st, const struct net_answer *a, const struct fr_err *err)
{
    struct dc_question q = *(struct dc_question *)arg;
    struct devchain *d = q.d;
    const char *hex = "";
    size_t len = 0;
    fr_free(arg);
    if (d->stopping || q.generation != d->generation) return;
    d->asking = false;
    if (st != FR_OK || !state_of(a->body, a->body_len, &hex, &len)) {
        if (st == FR_E_LIMIT) dc_say(d, DEVCHAIN_DOWN, "the chain has grown too long to be kept: no block is mined any more; begin anew with another data folder");
        else answer_missed(d, st != FR_OK ? err->text : "no state");
        d->look_ms = d->now_ms + 4 * LOOK_MS;
        return;
    }
    d->failures = 0;
    d->unsaved = false;
    struct dc_work *w = dc_work_new(d);
    fr_buf_init(&w->bytes, len);
    fr_buf_add_bytes(&w->bytes, hex, len);
    w->run = save_run;
    w->after = save_after;
    w->began_ms = fr_mono_ms() - a->ms;
    w->block = d->head;
    dc_work_start(d, w);
}

static void save_ask(struct devchain *d)
{
    FR_AUTO_BUF(body);
    fr_buf_init(&body, 200);
    rpc_write(&body, &(struct rpc_call){ "anvil_dumpState", NULL }, 1, 1);
    ask_bytes(d, &body, SAVE_MS, DC_STATE_HEX_MAX, 1, save_answer, NULL);
}

static void mine_answer(struct devchain *d, const struct rpc_answers *a)
{
    if (a->at[0].fault) return;            // the next look says what there is
    d->head++;
    d->unsaved = true;
}

static void look_answer(struct devchain *d, const struct rpc_answers *a)
{
    uint64_t head, pending;
    struct fr_err err;
    if (a->at[0].fault || a->at[1].fault || rpc_need_u64(a->at[0].result, "", &head, &err) != FR_OK || rpc_need_u64(a->at[1].result, "pending", &pending, &err) != FR_OK) return;
    if (head != d->head) {                 // somebody else mined
        d->head = d->busy_at = head;
        d->unsaved = true;
        return;
    }
    int64_t pause = !d->told ? 0 : 3 * d->save_ms > DEVCHAIN_BLOCK_MS ? 3 * d->save_ms : DEVCHAIN_BLOCK_MS;       // nobody waits for what is not there yet
    if ((pending == 0 && !d->wanted && d->head >= d->busy_at + DEVCHAIN_FINAL_BLOCKS) || d->now_ms < d->mined_ms + pause) return;
    if (pending) d->busy_at = d->head + 1;
    d->mined_ms = d->now_ms;
    dc_ask(d, &(struct rpc_call){ "evm_mine", NULL }, 1, mine_answer);
}

void devchain_want(struct devchain *d, bool blocks) { d->wanted = blocks; }

static void run_tick(struct devchain *d)
{
    static const struct rpc_call look[] = { { "eth_blockNumber", NULL }, { "txpool_status", NULL } };
    if (d->pressed) {
        pressed_run(d);
        return;
    }
    if (d->now_ms < d->look_ms) return;
    if (d->unsaved) {
        save_ask(d);
        return;
    }
    if (!d->told && d->saved >= d->busy_at + DEVCHAIN_FINAL_BLOCKS) {      // all that was deployed is final, and on disk
        struct treasury_settings *made = fr_must_alloc(sizeof *made);
        struct fr_err err;
        d->told = true;
        enum fr_status st = dc_policy_write(d, &err);
        if (st == FR_OK) st = dc_deployment_write(d, &err);
        if (st == FR_OK) st = dc_settings(d, made, &err);
        if (st == FR_OK) {
            d->made.complete = true;
            dc_say(d, DEVCHAIN_READY, "%s", "");
            d->o.on_made(d->o.arg, made);
        } else dc_say(d, DEVCHAIN_DOWN, "%s", err.text);
        fr_free(made);
    }
    d->look_ms = d->told ? d->now_ms + LOOK_MS : 0;
    dc_ask(d, look, 2, look_answer);
}

// ---- from the process to the chain

static void genesis_answer(struct devchain *d, const struct rpc_answers *a)
{
    static const uint8_t none[32];
    struct rpc_block genesis;
    bool found = false;
    struct fr_err err;
    uint64_t head;
    if (a->at[0].fault || a->at[1].fault || a->at[2].fault || rpc_read_block(a->at[0].result, &genesis, &found, &err) != FR_OK || !found || rpc_need_u64(a->at[1].result, "", &head, &err) != FR_OK) return;
    if (memcmp(d->made.genesis, none, 32) != 0 && memcmp(d->made.genesis, genesis.hash, 32) != 0) {
        d->phase = DC_STUCK;
        dc_say(d, DEVCHAIN_DOWN, "%.200s/state holds another chain than deployment.json says: put the right one back, or begin anew with another data folder", d->folder);
        return;
    }
    memcpy(d->made.genesis, genesis.hash, 32);
    d->head = d->busy_at = d->saved = head;        // a block of somebody else's may be among the last
    d->phase = DC_SCRIPT;
    d->step = 0;
    d->step_made = false;
    d->unsaved = false;
}

// With --timestamp anvil's clock begins there: it is put right before anything is mined.
static void genesis_ask(struct devchain *d)
{
    char now[32];
    snprintf(now, sizeof now, "[%lld]", (long long)(fr_now_ms() / 1000));
    const struct rpc_call calls[] = { { "eth_getBlockByNumber", "[\"0x0\",false]" }, { "eth_blockNumber", NULL }, { "evm_setTime", now } };
    dc_ask(d, calls, 3, genesis_answer);
}

static void load_answer(struct devchain *d, const struct rpc_answers *a)
{
    if (a->at[0].fault == RPC_FINE && fr_json_is_true(a->at[0].result)) {
        d->phase = DC_GENESIS;
        return;
    }
    d->phase = DC_STUCK;
    dc_say(d, DEVCHAIN_DOWN, "anvil does not take %.200s/state: put back one that is whole, or begin anew with another data folder", d->folder);
}

static void load_after(struct devchain *d, struct dc_work *w)
{
    FR_AUTO_BUF(body);
    fr_buf_init(&body, CLIENT_BODY_BYTES_MAX);
    if (w->st == FR_OK && w->bytes.len > 0 && d->alive) {
        fr_buf_add(&body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"anvil_loadState\",\"params\":[\"");
        fr_buf_add_bytes(&body, w->bytes.data, w->bytes.len);
        fr_buf_add(&body, "\"]}");
        ask_bytes(d, &body, SAVE_MS, RPC_ANSWER_BYTES_MAX, 1, question_done, load_answer);
    } else if (w->st == FR_OK && !d->made.complete) d->phase = DC_GENESIS;      // a new chain
    else if (w->st == FR_OK && d->alive) {
        d->phase = DC_STUCK;
        dc_say(d, DEVCHAIN_DOWN, "%.200s/state is gone, and the ledger remembers what happened on that chain: put it back, or begin anew with another data folder", d->folder);
    } else if (w->st != FR_OK) {
        d->phase = DC_STUCK;
        dc_say(d, DEVCHAIN_DOWN, "%s", w->err.text);
    }
    dc_work_free(w);
}

// What was deployed before deployment.json was written is not known of: another chain begins.
static void load_run(struct dc_work *w)
{
    char path[TREASURY_PATH_BYTES];
    bool found;
    fr_buf_init(&w->bytes, DC_STATE_HEX_MAX);
    w->st = dc_path(w->d, "state", path, &w->err);
    if (w->st == FR_OK && w->d->made.complete) w->st = dc_read(path, DC_STATE_HEX_MAX, &w->bytes, &found, &w->err);
    while (w->bytes.len && w->bytes.data[w->bytes.len - 1] == '\n') w->bytes.len--;
}

// ---- the process

static void close_done(struct devchain *d)
{
    if (!d->stopping || d->handles || d->working || !d->stopped) return;
    void (*done)(void *arg) = d->stopped;
    d->stopped = NULL;
    done(d->stopped_arg);
}

static void on_closed(uv_handle_t *handle)
{
    struct devchain *d = handle->data;
    d->handles--;
    close_done(d);
}

static void on_exit_of_node(uv_process_t *process, int64_t code, int sig)
{
    struct devchain *d = process->data;
    struct fr_err err;
    d->alive = d->asking = false;
    d->generation++;
    d->port = 0;
    uv_close((uv_handle_t *)&d->process, on_closed);
    uv_close((uv_handle_t *)&d->out, on_closed);
    if (d->stopping) return;
    d->pause_ms = d->now_ms - d->since_ms > STEADY_MS || d->pause_ms == 0 ? AGAIN_MS_MIN : d->pause_ms * 2 > AGAIN_MS_MAX ? AGAIN_MS_MAX : d->pause_ms * 2;
    d->again_ms = d->now_ms + d->pause_ms;
    d->since_ms = d->now_ms;
    if (d->phase != DC_STUCK) {
        d->phase = DC_ENDED;
        dc_say(d, DEVCHAIN_DOWN, sig ? "anvil was ended by signal %d, and is started again" : "anvil ended (exit code %d), and is started again", sig ? sig : (int)code);
    }
    FR_IGNORE(FR_FAIL_CODE(&err, FR_E_BUSY, "chain_not_ready", "the node ended before it answered"));      // it fills err
    if (d->pressed) pressed_end(d, FR_E_BUSY, &err);
}

static void on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    static char room[16 * 1024];           // one loop, one pipe; it is read at once
    (void)handle;
    (void)wanted;
    *buf = uv_buf_init(room, sizeof room);
}

// It says which port the system gave it, and later a line for each call: read, so that it never waits for us, and forgotten.
static void on_output(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct devchain *d = stream->data;
    if (n < 0) {
        uv_read_stop(stream);
        return;
    }
    for (ssize_t i = 0; i < n && d->phase == DC_LISTEN; i++) {
        char c = buf->base[i];
        if (c != '\n') {
            if (d->said_len < sizeof d->said - 1) d->said[d->said_len++] = c;
            continue;
        }
        d->said[d->said_len] = 0;
        d->said_len = 0;
        int port = strncmp(d->said, LISTENING, strlen(LISTENING)) == 0 ? atoi(d->said + strlen(LISTENING)) : 0;
        if (port < 1 || port > 65535) continue;
        d->port = port;
        d->phase = DC_LOAD;
    }
}

static void spawn(struct devchain *d)
{
    char parent[16], home[TREASURY_PATH_BYTES + 16], work[TREASURY_PATH_BYTES + 16], id[16], genesis[24];
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    snprintf(work, sizeof work, "%s/anvil", d->folder);
    snprintf(home, sizeof home, "HOME=%s", work);
    snprintf(id, sizeof id, "%d", DEVCHAIN_ID);
    if (!d->made.complete && d->made.genesis_s == 0) d->made.genesis_s = fr_now_ms() / 1000;
    snprintf(genesis, sizeof genesis, "%lld", (long long)d->made.genesis_s);
    char *args[] = { "frond", DEVCHAIN_VERB, parent, work, d->anvil, "--host", "127.0.0.1", "--port", "0", "--chain-id", id, "--timestamp", genesis, "--no-mining", "--order", "fifo", "--prune-history", "64", "--no-request-size-limit", "--no-cors",
                     "--color", "never", NULL };
    char *env[] = { home, "PATH=/usr/bin:/bin", NULL };
    uv_pipe_init(d->o.loop, &d->out, 0);
    d->process.data = d->out.data = d;
    uv_stdio_container_t stdio[] = { { .flags = UV_IGNORE }, { .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&d->out }, { .flags = UV_IGNORE } };
    uv_process_options_t o = { .exit_cb = on_exit_of_node, .file = d->self, .args = args, .env = env, .cwd = "/", .stdio_count = 3, .stdio = stdio };
    int r = uv_spawn(d->o.loop, &d->process, &o);
    d->handles = 2;
    d->starts++;
    d->said_len = 0;
    d->failures = 0;
    d->since_ms = d->now_ms;
    if (r == 0) {
        d->alive = true;
        d->phase = DC_LISTEN;
        uv_read_start((uv_stream_t *)&d->out, on_room, on_output);
        return;
    }
    uv_close((uv_handle_t *)&d->process, on_closed);
    uv_close((uv_handle_t *)&d->out, on_closed);
    d->phase = DC_ENDED;
    d->pause_ms = AGAIN_MS_MAX;
    d->again_ms = d->now_ms + d->pause_ms;
    dc_say(d, DEVCHAIN_DOWN, "anvil cannot be started: %s", uv_strerror(r));
}

// ---- what has to be there first

static void key_run(struct dc_work *w)
{
    w->st = dc_key_make(w->d->folder, (struct address *)(void *)w->bytes.data, &w->err);
}

static void key_after(struct devchain *d, struct dc_work *w)
{
    struct address key;
    if (w->st == FR_OK) {
        memcpy(&key, w->bytes.data, sizeof key);
        if (d->made.complete && !address_equal(&key, &d->made.key)) w->st = FR_FAIL(&w->err, FR_E_CORRUPT, "%.200s/key.json is of another key than deployment.json says", d->folder);
    }
    if (w->st == FR_OK) {
        d->made.key = key;
        d->phase = DC_SPAWN;
    } else {
        d->phase = DC_STUCK;
        dc_say(d, DEVCHAIN_DOWN, "%s", w->err.text);
    }
    dc_work_free(w);
}

static void look_for_files(struct devchain *d)
{
    struct fr_err err;
    bool found;
    if (d->now_ms < d->look_ms) return;
    d->look_ms = d->now_ms + FILES_AGAIN_MS;
    if (dc_find_tools(d, &err) != FR_OK) {
        dc_say(d, DEVCHAIN_STARTING, "waiting for the contracts: %s", err.text);
        return;
    }
    if (dc_deployment_read(d, &found, &err) != FR_OK) {
        d->phase = DC_STUCK;
        dc_say(d, DEVCHAIN_DOWN, "%s", err.text);
        return;
    }
    dc_say(d, DEVCHAIN_STARTING, "starting the node");
    struct dc_work *w = dc_work_new(d);
    fr_buf_init(&w->bytes, sizeof(struct address));
    if (fr_buf_reserve(&w->bytes, sizeof(struct address))) fr_buf_commit(&w->bytes, sizeof(struct address));
    w->run = key_run;
    w->after = key_after;
    d->phase = DC_KEY;
    dc_work_start(d, w);
}

void devchain_tick(struct devchain *d, int64_t now_ms)
{
    d->now_ms = now_ms;
    if (d->stopping) return;
    if (d->pressed && d->button == DEVCHAIN_KILL && d->alive) {      // whatever it is asked now
        pressed_run(d);
        return;
    }
    if (d->asking || d->working) return;
    switch (d->phase) {
    case DC_FILES: look_for_files(d); break;
    case DC_SPAWN: spawn(d); break;
    case DC_LOAD: {
        struct dc_work *w = dc_work_new(d);
        w->run = load_run;
        w->after = load_after;
        dc_work_start(d, w);
        break;
    }
    case DC_GENESIS: genesis_ask(d); break;
    case DC_SCRIPT: dc_script_step(d); break;
    case DC_RUN: run_tick(d); break;
    case DC_ENDED: if (now_ms >= d->again_ms && d->handles == 0) d->phase = DC_SPAWN; break;
    case DC_KEY: case DC_LISTEN: case DC_STUCK: break;
    }
}

// ---- for others

static enum fr_status through(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_bytes_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    struct devchain *d = arg;
    char here[48];
    (void)url;
    if (d->phase != DC_RUN || !d->told || d->stopping) return FR_FAIL_CODE(err, FR_E_BUSY, "chain_not_ready", "the development chain is not there now");
    snprintf(here, sizeof here, "http://127.0.0.1:%d/", d->port);
    return over_net_send(d->o.client, here, body, len, timeout_ms, answer_bytes_max, done, done_arg, err);
}

static int64_t through_now(void *arg)
{
    (void)arg;
    return fr_mono_ms();
}

struct chain_transport devchain_transport(struct devchain *d) { return (struct chain_transport){ .arg = d, .post = through, .now_ms = through_now }; }

void devchain_facts(const struct devchain *d, struct devchain_facts *ret)
{
    *ret = (struct devchain_facts){ .state = d->state, .pid = d->alive ? d->process.pid : 0, .block = d->head, .saved = d->saved, .starts = d->starts, .save_ms = d->save_ms };
    snprintf(ret->text, sizeof ret->text, "%s", d->text);
    if (d->phase >= DC_SCRIPT && d->port) snprintf(ret->rpc, sizeof ret->rpc, "http://127.0.0.1:%d", d->port);
}

void devchain_new(const struct devchain_options *o, struct devchain **ret)
{
    struct devchain *d = fr_must_alloc(sizeof *d);
    d->o = *o;
    d->now_ms = fr_mono_ms();
    snprintf(d->folder, sizeof d->folder, "%s/chain", o->data);
    ssize_t len = readlink("/proc/self/exe", d->self, sizeof d->self - 1);
    if (len < 0) len = 0;
    d->self[len] = 0;
    d->text[0] = '-';                      // so that the first word is said
    dc_say(d, DEVCHAIN_STARTING, "looking for anvil and the contracts");
    *ret = d;
}

void devchain_stop(struct devchain *d, void (*done)(void *arg), void *arg)
{
    if (!d) {
        done(arg);
        return;
    }
    assert(!d->stopping);
    d->stopping = true;
    d->stopped = done;
    d->stopped_arg = arg;
    if (d->pressed) {
        struct fr_err err;
        pressed_end(d, FR_FAIL_CODE(&err, FR_E_BUSY, "chain_not_ready", "the host is stopping"), &err);
    }
    if (d->alive) uv_process_kill(&d->process, SIGKILL);       // what is saved is what counts
    close_done(d);
}

void devchain_free(struct devchain *d) { fr_free(d); }
