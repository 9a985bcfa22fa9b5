// torture.c — something small fails at the Nth time it is used: an allocation of ours or of SQLite's, a write or flush, a frame to or from a
// worker. Whatever was going on ends in an answer; afterwards the same work, asked for again, is done exactly once; nothing leaks.
//
// Each case is a process of its own with a data folder of its own: up, prepare, [fault on] work [fault off], repair, look at the money, down.
// A host may also end itself with a clear line when it has no memory for a small object (fr_must_alloc); then the next process
// must find a right ledger in that folder and repair it. Anything else that ends a case early is a failure.
// CASES=0 (each N) SEED=7 JOBS=8 (cases of one kind at once) torture_test [scenario [fault [n]]]
#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "api/api.h"
#include "base/id.h"
#include "base/log.h"
#include "play/play.h"
#include "plugin/testing.h"
#include "store/test_disk.h"

enum fault { FAULT_NONE, FAULT_MEMORY, FAULT_MEMORY_SHORTAGE, FAULT_SQLITE_MEMORY, FAULT_DISK, FAULT_DISK_FULL, FAULT_FRAME_CUT, FAULT_FRAME_LOST, FAULT_COUNT };
static const char *const fault_names[] = { "none", "memory", "shortage", "sqlite-memory", "disk", "disk-full", "frame-cut", "frame-lost" };
#define SHORTAGE 12                       // allocations in a row
#define CASE_S 100
#define PATIENCE_MS 12000                 // longer than any deadline of the host's own

struct shared { int64_t places; bool worked; int errors; };
static struct shared *shared;             // what a case tells the process that started it
#define JOBS_MAX 64

// ---- faults

static int64_t sqlite_allocations, sqlite_fail_at, frames, frame_fail_at;
static enum fault frame_fault;
static pthread_mutex_t sqlite_mutex = PTHREAD_MUTEX_INITIALIZER;

static bool sqlite_may_allocate(void)
{
    pthread_mutex_lock(&sqlite_mutex);
    int64_t number = ++sqlite_allocations;
    bool may = sqlite_fail_at == 0 || number != sqlite_fail_at;
    pthread_mutex_unlock(&sqlite_mutex);
    return may;
}
static void *lite_malloc(int bytes) { return sqlite_may_allocate() ? malloc((size_t)bytes) : NULL; }
static void *lite_realloc(void *p, int bytes) { return sqlite_may_allocate() ? realloc(p, (size_t)bytes) : NULL; }
static void lite_free(void *p) { free(p); }
static int lite_size(void *p) { return p ? (int)malloc_usable_size(p) : 0; }
static int lite_round(int bytes) { return (bytes + 7) & ~7; }
static int lite_init(void *arg) { (void)arg; return SQLITE_OK; }
static void lite_shutdown(void *arg) { (void)arg; }
static sqlite3_mem_methods lite_methods = { lite_malloc, lite_free, lite_realloc, lite_size, lite_round, lite_init, lite_shutdown, NULL };

// The linker puts these before send and recv: only the sandbox uses them.
ssize_t __real_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __real_recv(int fd, void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags);

static bool frame_fails(void) { return ++frames == frame_fail_at; }

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
    if (!frame_fails()) return __real_send(fd, bytes, len, flags);
    if (frame_fault == FAULT_FRAME_CUT) return __real_send(fd, bytes, 1, flags);
    errno = ENOBUFS;
    return -1;
}

ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags)
{
    if (!frame_fails()) return __real_recv(fd, bytes, len, flags);
    if (frame_fault == FAULT_FRAME_CUT) return __real_recv(fd, bytes, 1, flags);
    errno = ECONNRESET;
    return -1;
}

static int64_t mem_before;

static void fault_on(enum fault fault, int64_t nth)
{
    mem_before = fr_mem_count();
    pthread_mutex_lock(&sqlite_mutex);
    sqlite_allocations = 0;
    sqlite_fail_at = fault == FAULT_SQLITE_MEMORY ? nth : 0;
    pthread_mutex_unlock(&sqlite_mutex);
    pthread_mutex_lock(&disk.mutex);
    disk.operations = 0;
    disk.fail_at = fault == FAULT_DISK || fault == FAULT_DISK_FULL ? nth : 0;
    disk.fail_on = fault == FAULT_DISK_FULL;
    disk.fail_code = fault == FAULT_DISK_FULL ? SQLITE_FULL : 0;
    pthread_mutex_unlock(&disk.mutex);
    frames = 0;
    frame_fault = fault;
    frame_fail_at = fault == FAULT_FRAME_CUT || fault == FAULT_FRAME_LOST ? nth : 0;
    if (fault == FAULT_MEMORY) fr_mem_fail_some(nth, 1);
    if (fault == FAULT_MEMORY_SHORTAGE) fr_mem_fail_some(nth, SHORTAGE);
}

static int64_t fault_off(enum fault fault)
{
    fr_mem_fail_at(0);
    pthread_mutex_lock(&sqlite_mutex);
    sqlite_fail_at = 0;
    int64_t places = sqlite_allocations;
    pthread_mutex_unlock(&sqlite_mutex);
    pthread_mutex_lock(&disk.mutex);
    disk.fail_at = 0;
    if (fault == FAULT_DISK || fault == FAULT_DISK_FULL) places = disk.operations;
    pthread_mutex_unlock(&disk.mutex);
    frame_fail_at = 0;
    if (fault == FAULT_FRAME_CUT || fault == FAULT_FRAME_LOST) places = frames;
    if (fault == FAULT_MEMORY || fault == FAULT_MEMORY_SHORTAGE) places = fr_mem_count() - mem_before;
    return places;
}

// ---- what all scenarios share

static struct fr_err err;
static struct { bool answered; enum fr_status status; char code[40], text[400]; } A;
#define TURN_LOOP_UNTIL(condition, ms) do { for (int64_t end_ = fr_mono_ms() + (ms); !(condition) && fr_mono_ms() < end_; uv_run(&T.loop, UV_RUN_NOWAIT)) usleep(200); } while (0)

static void ask_begin(void) { A.answered = false; A.code[0] = A.text[0] = 0; }

static void answered(enum fr_status status, const struct fr_err *e, const char *text, size_t len)
{
    CHECK(!A.answered);                            // exactly once
    A.answered = true;
    A.status = status;
    snprintf(A.code, sizeof A.code, "%s", status == FR_OK ? "" : e->code);
    snprintf(A.text, sizeof A.text, "%.*s", (int)(status == FR_OK ? len : strlen(e->text)), status == FR_OK ? text : e->text);
}

static void await_answer(const char *what)
{
    TURN_LOOP_UNTIL(A.answered, PATIENCE_MS);
    if (!A.answered) printf("  %s was never answered\n", what);
    CHECK(A.answered);
    if (A.answered && A.status != FR_OK) {
        CHECK(A.code[0]);
        shared->errors++;
    }
}

static void await_idle_store(void) { TURN_LOOP_UNTIL(store_stats(T.store).queued == 0, PATIENCE_MS); }

// ---- ledger: store jobs alone

static const struct ledger_step { const char *what, *key, *other; int64_t units; } ledger_steps[] = {
    { "post", "a", NULL, 100 }, { "hold", "b", NULL, 50 }, { "settle", "c", "b", 30 }, { "hold", "d", NULL, 20 }, { "release", "e", "d", 0 },
    { "linked", "f", "g", 7 }, { "kv", "h", NULL, 0 }, { "post", "a", NULL, 100 }, { "post", "i", NULL, 1 },
};
#define LEDGER_STEPS ((int)(sizeof ledger_steps / sizeof ledger_steps[0]))
static int64_t world, ann, ben;

static enum fr_status ledger_people_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct ledger_account a;
    int64_t id;
    (void)arg;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "TEST", &a, e));
    world = a.id;
    FR_TRY(ledger_account(txn, OWNER_PLAYER, "ann", "TEST", &a, e));
    ann = a.id;
    FR_TRY(ledger_account(txn, OWNER_PLAYER, "ben", "TEST", &a, e));
    ben = a.id;
    return ledger_post(txn, &(struct ledger_transfer){ .key = "fund", .reason = "mint", .note = "", .legs = (struct ledger_leg[]){ { world, -1000 }, { ann, 1000 } }, .leg_count = 2 }, 1, &id, e);
}

static enum fr_status post(struct store_txn *txn, const char *key, int64_t units, struct fr_err *e)
{
    int64_t id;
    return ledger_post(txn, &(struct ledger_transfer){ .key = key, .reason = "gift", .note = "n", .legs = (struct ledger_leg[]){ { ann, -units }, { ben, units } }, .leg_count = 2 }, 1, &id, e);
}

static int64_t hold_ids[128];                  // by the key's letter

static enum fr_status ledger_step_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    const struct ledger_step *s = arg;
    struct ledger_hold ask = { .account = ann, .units = s->units, .expires_ms = 1000000 }, made;
    int64_t id, version, hold = s->other ? hold_ids[(unsigned char)s->other[0]] : 0;
    snprintf(ask.key, sizeof ask.key, "%s", s->key);
    if (strcmp(s->what, "post") == 0) return post(txn, s->key, s->units, e);
    if (strcmp(s->what, "settle") == 0) return ledger_hold_settle(txn, hold, &(struct ledger_leg){ ben, s->units }, 1, s->key, "paid", "", 1, &id, e);
    if (strcmp(s->what, "release") == 0) return ledger_hold_release(txn, hold, s->key, "free", 1, &id, e);
    if (strcmp(s->what, "kv") == 0) return kv_put(txn, "p", &(struct kv_put){ .scope = "plugin", .key = "k", .value = "{\"a\":1}", .if_version = -1 }, 1 << 20, 1, &version, e);
    if (strcmp(s->what, "linked") == 0) {
        FR_TRY(post(txn, s->key, s->units, e));
        return post(txn, s->other, s->units, e);
    }
    FR_TRY(ledger_hold_open(txn, &ask, "aside", 1, &made, e));
    hold_ids[(unsigned char)s->key[0]] = made.id;
    return FR_OK;
}

static void ledger_on_done(void *arg, enum fr_status status, const struct fr_err *e) { (void)arg; answered(status, e, "", 0); }

static void ledger_step(const struct ledger_step *s, bool read)
{
    ask_begin();
    enum fr_status st = read ? store_read(T.store, ledger_step_job, (void *)(uintptr_t)s, ledger_on_done, &err) : store_run(T.store, ledger_step_job, (void *)(uintptr_t)s, ledger_on_done, &err);
    if (st != FR_OK) answered(st, &err, "", 0);
    await_answer(s->what);
}

static void ledger_up(bool first)
{
    (void)first;
    if (uv_loop_init(&T.loop) != 0) abort();
    T.store = test_open(&T.loop);
    must(store_now(T.store, ledger_people_job, NULL, &err), &err);
}

static void ledger_work(void)
{
    for (int i = 0; i < LEDGER_STEPS; i++) ledger_step(&ledger_steps[i], false);
    int errors = shared->errors;
    ledger_step(&ledger_steps[LEDGER_STEPS - 1], true);       // a reader must not write: refused in any case
    shared->errors = errors;
}

static enum fr_status ledger_look_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct ledger_account a, b;
    struct ledger_audit audit;
    (void)arg;
    FR_TRY(ledger_account_get(txn, ann, &a, e));
    FR_TRY(ledger_account_get(txn, ben, &b, e));
    CHECK_INT(a.free_units, 1000 - 100 - 30 - 14 - 1);
    CHECK_INT(a.held_units, 0);
    CHECK_INT(b.free_units, 100 + 30 + 14 + 1);
    FR_TRY(ledger_audit_run(txn, NULL, &audit, e));
    CHECK(audit.chain_ok && audit.balances_ok && audit.holds_ok && audit.sums_ok);
    return FR_OK;
}

static void ledger_repair(void)
{
    for (int i = 0; i < LEDGER_STEPS; i++) {
        ledger_step(&ledger_steps[i], false);
        CHECK_INT(A.status, FR_OK);
    }
    must(store_now(T.store, ledger_look_job, NULL, &err), &err);
}

static void ledger_down(void)
{
    test_close(T.store, &T.loop);
    CHECK(uv_loop_close(&T.loop) == 0);
}

// ---- calls: a real worker, through the api

static struct api *api;
static struct plays *plays;
static void on_wallet(void *arg, const char *player, const char *asset) { (void)arg; (void)player; (void)asset; }
static void on_ask(void *arg, struct plugin_worker *w, const struct sandbox_ask *ask) { (void)arg; api_on_ask(api, w, ask); }

static const char shop_json[] =
    "{\"id\":\"shop\",\"name\":\"Shop\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"limits\":{\"store_mib\":1},"
    "\"grants\":{\"store\":{\"why\":\"t\"},\"ledger\":{\"why\":\"t\",\"assets\":[\"PALM\"]}},\"splits\":{\"shop\":{\"plugin\":9000,\"treasury\":500,\"burn\":500}},"
    "\"calls\":{\"run\":{\"args\":{\"type\":\"object\",\"properties\":{\"f\":{\"type\":\"string\"},\"g\":{\"type\":\"string\"},\"args\":{\"type\":\"array\"}},\"required\":[\"f\",\"g\"]}}}}";
static const char shop_lua[] =
    "local frond = require 'frond'\n"
    "return frond.plugin { calls = { run = function(ctx, a)\n"
    "  local v, more, detail = frond[a.f][a.g](table.unpack(a.args or {}))\n"
    "  if v == nil and more then return nil, more, detail end\n"
    "  return { v = v, more = more }\n"
    "end } }\n";

static const char *const call_steps[][3] = {                     // %s: the hold
    { "store", "put", "[\"plugin\",\"k\",{\"n\":7}]" }, { "store", "get", "[\"plugin\",\"k\"]" },
    { "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1001,\"split\":\"shop\",\"key\":\"buy1\"}]" },
    { "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1001,\"split\":\"shop\",\"key\":\"buy1\"}]" },
    { "ledger", "hold", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1000,\"ttl_ms\":60000,\"key\":\"h\"}]" },
    { "ledger", "settle", "[{\"hold\":\"%s\",\"amount\":300,\"split\":\"shop\",\"key\":\"s\"}]" },
    { "ledger", "linked", "[{\"ops\":[[\"charge\",{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":100}],[\"pay\",{\"player\":\"2\",\"asset\":\"PALM\",\"amount\":60}]],\"key\":\"l1\"}]" },
    { "store", "batch", "[[{\"op\":\"put\",\"scope\":\"plugin\",\"key\":\"a\",\"value\":1},{\"op\":\"put\",\"scope\":\"plugin\",\"key\":\"b\",\"value\":2}]]" },
    { "store", "list", "[\"plugin\",{\"limit\":10}]" }, { "consent", "get", "[\"1\",\"PALM\"]" }, { "random", "int", "[1,6]" }, { "log", "warn", "[\"hello\",{\"a\":1}]" },
};
#define CALL_STEPS ((int)(sizeof call_steps / sizeof call_steps[0]))

static void call_on_answer(void *arg, const struct plugin_answer *a) { (void)arg; answered(a->status, &a->err, a->json ? a->json : "null", a->json ? a->len : 4); }

static void call_step(int step, char hold[24])
{
    char args[400], text[600];
    struct plugin_caller caller = { .player = "1", .name = "Ann", .source = "http", .request_id = "r" };
    snprintf(args, sizeof args, call_steps[step][2], hold[0] ? hold : "999");
    int len = snprintf(text, sizeof text, "{\"f\":\"%s\",\"g\":\"%s\",\"args\":%s}", call_steps[step][0], call_steps[step][1], args);
    ask_begin();
    if (plugin_call_start(testing_plugin("shop"), "run", text, (size_t)len, &caller, call_on_answer, NULL, &err) != FR_OK && !A.answered) answered(err.status, &err, "", 0);
    await_answer(call_steps[step][1]);
    if (A.status == FR_OK) FR_IGNORE((enum fr_status)sscanf(A.text, "{\"v\":{\"hold\":\"%23[0-9]", hold));      // only a hold's answer fits
}

static void calls_up(bool first)
{
    if (first) {
        testing_put("shop", "plugin.json", shop_json);
        testing_put("shop", "main.lua", shop_lua);
    }
    testing_up(&(struct plugins_options){ .on_ask = on_ask });
    api = api_new(&(struct api_options){ .loop = &T.loop, .store = T.store, .plugins = T.plugins, .wallet = on_wallet });
    WAIT(testing_plugin("shop")->state == PLUGIN_UP);
    if (!first) return;
    testing_players();
    testing_give(&(struct testing_gift){ "1", "shop", testing_plugin("shop")->terms, 10000, 8000 });
}

static void calls_work(void)
{
    char hold[24] = "";
    for (int i = 0; i < CALL_STEPS; i++) call_step(i, hold);
}

static void calls_repair(void)
{
    char hold[24] = "";
    WAIT(testing_plugin("shop")->state == PLUGIN_UP);
    for (int i = 0; i < CALL_STEPS; i++) {
        call_step(i, hold);
        if (A.status != FR_OK) printf("  afterwards %s.%s: %s: %s\n", call_steps[i][0], call_steps[i][1], A.code, A.text);
        CHECK_INT(A.status, FR_OK);
    }
    struct testing_money m = testing_money(NULL);
    CHECK_INT(m.free[1], 10000 - 1001 - 300 - 100);
    CHECK_INT(m.held[1], 0);
    CHECK_INT(m.free[2], 60);
    char left[40] = "";
    call_step(9, hold);
    snprintf(left, sizeof left, "\"left\":%d", 8000 - 1001 - 300 - 100);
    if (!strstr(A.text, left)) printf("  approval: %s, expected %s\n", A.text, left);
    CHECK(strstr(A.text, left) != NULL);
}

static void calls_down(void)
{
    testing_down();
    api_free(api);
}

// ---- match: a staked match from the queue to the settlement

static const char pit_json[] =
    "{\"id\":\"pit\",\"name\":\"Pit\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"game\",\"description\":\"t\",\"author\":\"t\","
    "\"grants\":{\"ledger\":{\"why\":\"stakes\",\"assets\":[\"PALM\"]}},"
    "\"modes\":{\"duel\":{\"name\":\"Duel\",\"seats\":2,\"bot\":false,\"turn_ms\":20000,\"asset\":\"PALM\",\"stakes\":[\"0\",\"1000\"],\"rake\":{\"plugin\":200,\"treasury\":100,\"burn\":200}}},"
    "\"inputs\":{\"roll\":{\"type\":\"object\"},\"ask\":{\"type\":\"object\"},\"win\":{\"type\":\"object\"}}}";
static const char pit_lua[] =
    "local frond = require 'frond'\n"
    "return frond.game {\n"
    "  new = function(m) return { rolls = frond.array {} } end,\n"
    "  input = {\n"
    "    roll = function(m, s, seat) s.rolls[#s.rolls + 1] = m:int(1, 1000000) m:emit('all', 'rolled', { seat = seat }) m:timer('t', 5, { by = seat }) end,\n"
    "    ask = function(m, s, seat) m:ask('q', 'ledger.balance', { player = m.players[seat].id, asset = 'PALM' }) end,\n"
    "    win = function(m, s, seat) m:finish { places = { { seat }, { 3 - seat } }, reason = 'score' } end,\n"
    "  },\n"
    "  timer = function(m, s, name, data) s.timer = data.by end,\n"
    "  answer = function(m, s, tag, value, code) s.answer = code or value.free end,\n"
    "  view = function(m, s, seat) return { rolls = s.rolls, timer = s.timer, answer = s.answer, you = seat } end,\n"
    "}\n";
static char match_id[FR_ID_BYTES];
static int starts, ends;

static void on_event(void *arg, const char *player, const char *game, const char *json, size_t len)
{
    (void)arg; (void)player; (void)game; (void)len;
    const char *id = strstr(json, "\"match\":\"");
    if (id) snprintf(match_id, sizeof match_id, "%.36s", id + 9);
    starts += strstr(json, "\"ev\":\"match.start\"") != NULL;
    ends += strstr(json, "\"ev\":\"match.end\"") != NULL;
}
static void on_match_ask(void *arg, struct plugin_version *v, const char *fn, const char *args, int timeout_ms, void (*done)(void *, bool, const char *), void *done_arg)
{
    (void)arg;
    api_ask(api, v, fn, args, timeout_ms, done, done_arg);
}
static void on_up(void *arg, struct plugin_worker *w) { (void)arg; if (plays) plays_worker_up(plays, w); }
static void on_down(void *arg, struct plugin_worker *w, const struct sandbox_death *d) { (void)arg; (void)d; if (plays) plays_worker_down(plays, w); }

static void match_up(bool first)
{
    if (first) {
        testing_put("pit", "plugin.json", pit_json);
        testing_put("pit", "main.lua", pit_lua);
    }
    testing_up(&(struct plugins_options){ .on_ask = on_ask, .on_up = on_up, .on_down = on_down });
    api = api_new(&(struct api_options){ .loop = &T.loop, .store = T.store, .plugins = T.plugins, .wallet = on_wallet });
    must(plays_open(&(struct plays_options){ .loop = &T.loop, .store = T.store, .plugins = T.plugins, .effects = { NULL, on_event, on_wallet, on_match_ask } }, &plays, &err), &err);
    WAIT(testing_plugin("pit")->state == PLUGIN_UP);
    if (!first) return;
    testing_players();
    const char *terms = manifest_mode(testing_plugin("pit")->package->manifest, "duel")->terms;
    testing_give(&(struct testing_gift){ "1", "pit", terms, 5000, 100000 });
    testing_give(&(struct testing_gift){ "2", "pit", terms, 5000, 100000 });
}

static void match_down(void)
{
    plays_close(plays);
    plays = NULL;
    testing_down();
    api_free(api);
}

static void play_on_answer(void *arg, enum fr_status status, const char *json, const struct fr_err *e) { (void)arg; answered(status, e, json ? json : "", json ? strlen(json) : 0); }

static void find(const char *player)
{
    ask_begin();
    play_find(plays, &(struct play_find){ .player = player, .name = player, .game = "pit", .mode = "duel", .stake_units = 1000 }, play_on_answer, NULL);
    await_answer("find");
}

static void input(const char *player, int64_t n, const char *name)
{
    ask_begin();
    play_input(plays, player, match_id, n, name, "{}", play_on_answer, NULL);
    await_answer(name);
}

static bool match_play(void)
{
    int before = starts, ended = ends;
    find("1");
    if (A.status == FR_OK) find("2");
    if (A.status == FR_OK) TURN_LOOP_UNTIL(starts >= before + 2 || ends > ended, 3000);
    if (starts < before + 2) return false;
    input("1", 1, "roll");
    input("2", 1, "ask");
    input("1", 2, "roll");
    input("2", 2, "win");
    TURN_LOOP_UNTIL(ends >= ended + 2, 3000);
    return ends >= ended + 2;
}

static void match_work(void) { match_play(); }

static bool ids_running(char id[FR_ID_BYTES])
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 100000);
    play_matches_of(plays, "1", &out);
    const char *at = out.data ? strstr(out.data, "\"id\":\"") : NULL;
    if (at) snprintf(id, FR_ID_BYTES, "%.36s", at + 6);
    return at != NULL;
}

// Whatever is left of the first match is ended by leaving it.
static void match_repair(void)
{
    TURN_LOOP_UNTIL(testing_plugin("pit")->state == PLUGIN_UP, PATIENCE_MS);
    play_leave_queue(plays, "1", NULL);
    play_leave_queue(plays, "2", NULL);
    await_idle_store();
    int left = 0;
    for (int64_t end = fr_mono_ms() + 3 * PATIENCE_MS; ids_running(match_id) && fr_mono_ms() < end;) {
        ask_begin();
        play_leave(plays, "1", match_id, play_on_answer, NULL);
        await_answer("leave");
        left++;
        TURN_LOOP_UNTIL(!ids_running(match_id), 300);
    }
    if (ids_running(match_id)) printf("  match %s does not end; leaving it: %s %s\n", match_id, A.code, A.text);
    CHECK(!ids_running(match_id));
    TURN_LOOP_UNTIL(play_count(plays) == 0, PATIENCE_MS);
    await_idle_store();
    struct testing_money m = testing_money(play_owner_alive);
    CHECK_INT(m.held[1] + m.held[2], 0);
    int64_t one = m.free[1], two = m.free[2];
    if (!((one == 5000 && two == 5000) || (one == 4000 && two == 5900) || (one == 5900 && two == 4000))) printf("  left %d times; %lld and %lld coins\n", left, (long long)one, (long long)two);
    CHECK((one == 5000 && two == 5000) || (one == 4000 && two == 5900) || (one == 5900 && two == 4000));
    bool played = match_play();
    if (!played) printf("  afterwards no match can be played: %s %s\n", A.code, A.text);
    CHECK(played);
    await_idle_store();
    m = testing_money(play_owner_alive);
    CHECK_INT(m.held[1] + m.held[2], 0);
    CHECK_INT(m.free[2], two + 900);
    CHECK_INT(m.free[1], one - 1000);
}

// ---- cases

static const struct scenario { const char *name; void (*up)(bool first), (*work)(void), (*repair)(void), (*down)(void); bool worker; } scenarios[] = {
    { "ledger", ledger_up, ledger_work, ledger_repair, ledger_down, false },
    { "calls", calls_up, calls_work, calls_repair, calls_down, true },
    { "match", match_up, match_work, match_repair, match_down, true },
};
#define SCENARIOS ((int)(sizeof scenarios / sizeof scenarios[0]))

// Every second case starts the host again before it repairs: what is right in memory must be right on the disk.
static _Noreturn void case_first(const struct scenario *s, enum fault fault, int64_t nth)
{
    s->up(true);
    fault_on(fault, nth);
    s->work();
    shared->places = fault_off(fault);
    shared->worked = true;
    if (nth % 2) {
        s->down();
        s->up(false);
    }
    s->repair();
    s->down();
    exit(check_bad_ ? 1 : 0);
}

static _Noreturn void case_next(const struct scenario *s)
{
    s->up(false);
    s->repair();
    s->down();
    exit(check_bad_ ? 1 : 0);
}

static const char *case_log(void) { return test_path("case.log"); }

static int case_start(const struct scenario *s, enum fault fault, int64_t nth, bool first)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) abort();
    if (pid == 0) {
        int fd = open(case_log(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) abort();
        setvbuf(stdout, NULL, _IOLBF, 0);
        alarm(CASE_S);
        if (first) case_first(s, fault, nth);
        case_next(s);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

// Where the host ended itself: the function that called fr_must_alloc, for the tally.
static bool log_find(const char *text, char *line, size_t cap)
{
    FILE *f = fopen(case_log(), "r");
    bool found = false;
    while (f && !found && fgets(line, (int)cap, f)) found = strstr(line, text) != NULL;
    if (f) fclose(f);
    return found;
}

static void log_show(void)
{
    char line[600];
    FILE *f = fopen(case_log(), "r");
    for (int i = 0; f && i < 40 && fgets(line, sizeof line, f); i++) printf("    %s", line);
    if (f) fclose(f);
}

struct tally { int cases, errors, ended, bad; };

static void case_run(const struct scenario *s, enum fault fault, int64_t nth, struct tally *t)
{
    char line[600];
    test_folder_new();
    *shared = (struct shared){ 0 };
    int status = case_start(s, fault, nth, true);
    t->cases++;
    t->errors += shared->errors > 0;
    if (status != 0) {
        if (log_find("frond: out of memory", line, sizeof line) && !shared->worked) {
            t->ended++;
            if (getenv("SITES") && log_find(" in fr_must_", line, sizeof line)) {
                FILE *f = fopen(case_log(), "r");
                bool next = false;
                while (f && fgets(line, sizeof line, f)) {
                    if (next && !strstr(line, " in fr_must_")) { printf("# site %s", strstr(line, " in ") ? strstr(line, " in ") : line); break; }
                    if (strstr(line, " in fr_must_")) next = true;
                }
                if (f) fclose(f);
            }
            status = case_start(s, fault, nth, false);
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        t->bad++;
        printf("  %s, %s, number %lld: %s %d\n", s->name, fault_names[fault], (long long)nth, WIFSIGNALED(status) ? "signal" : "exit", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        log_show();
    }
}

static int cases_wanted = 4, jobs = 1;

// Cases wait more than they work: with JOBS several of a kind go on at once, each job in a folder of its own.
static void cases_run(const struct scenario *s, enum fault fault, int64_t first, int64_t places, int64_t step, struct tally *t)
{
    struct tally *tallies = mmap(NULL, sizeof *tallies * JOBS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tallies == MAP_FAILED) abort();
    fflush(stdout);
    for (int job = 0; job < jobs; job++) {
        pid_t pid = fork();
        if (pid < 0) abort();
        if (pid > 0) continue;
        test_folder[0] = 0;                       // the parent's
        shared += job;
        for (int64_t nth = first + job * step; nth <= places; nth += step * jobs) case_run(s, fault, nth, &tallies[job]);
        test_folder_drop();
        fflush(stdout);
        _exit(0);
    }
    for (int left = jobs, status = 0; left > 0;) {
        if (wait(&status) < 0) continue;
        left--;
        if (status != 0) t->bad++;                // the job itself broke
    }
    for (int job = 0; job < jobs; job++) {
        t->cases += tallies[job].cases;
        t->errors += tallies[job].errors;
        t->ended += tallies[job].ended;
        t->bad += tallies[job].bad;
    }
    munmap(tallies, sizeof *tallies * JOBS_MAX);
}

static bool torture(const struct scenario *s, enum fault fault)
{
    struct tally t = { 0 };
    test_folder_new();
    *shared = (struct shared){ 0 };
    int status = case_start(s, fault, INT32_MAX - 1, true);                   // never reached: how many places are there?
    int64_t places = shared->places, step = cases_wanted > 0 && places > cases_wanted ? places / cases_wanted : 1;
    if (status != 0 || places == 0) {
        printf("  without a fault: status %d, %lld places\n", status, (long long)places);
        log_show();
        t.bad++;
    }
    cases_run(s, fault, 1 + (step > 1 ? (int64_t)(disk_random() % (uint64_t)step) : 0), places, step, &t);
    printf("# %lld places, %d tried: %d with an error, %d ended the host with a clear line\n", (long long)places, t.cases, t.errors, t.ended);
    printf("%sok torture_%s_%s\n", t.bad ? "not " : "", s->name, fault_names[fault]);
    fflush(stdout);
    test_folder_drop();
    return t.bad == 0;
}

static bool fault_is_wanted(const struct scenario *s, enum fault fault, const char *name)
{
    return (!name || strcmp(name, fault_names[fault]) == 0) && (s->worker || fault < FAULT_FRAME_CUT);
}

// Without JOBS the kinds of fault of a scenario go on at once, each in a process with memory and a disk of its own, and are told in their order.
static void torture_each(const struct scenario *s, const char *name)
{
    struct { FILE *said; pid_t pid; } kinds[FAULT_COUNT] = { 0 };
    fflush(stdout);
    for (enum fault fault = FAULT_MEMORY; fault < FAULT_COUNT; fault++) {
        if (!fault_is_wanted(s, fault, name)) continue;
        kinds[fault].said = disk_need(tmpfile());
        kinds[fault].pid = fork();
        if (kinds[fault].pid < 0) abort();
        if (kinds[fault].pid > 0) {
            if (jobs > 1) waitid(P_PID, (id_t)kinds[fault].pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);      // its cases go on at once
            continue;
        }
        if (dup2(fileno(kinds[fault].said), 1) < 0) abort();
        shared += fault * JOBS_MAX;
        disk.random += (uint64_t)fault << 32;             // other places for each kind
        bool good = torture(s, fault);
        fflush(stdout);
        _exit(good ? 0 : 1);
    }
    for (enum fault fault = FAULT_MEMORY; fault < FAULT_COUNT; fault++) {
        char line[600];
        int status = 0;
        bool told = false;
        if (!kinds[fault].said) continue;
        while (waitpid(kinds[fault].pid, &status, 0) < 0 && errno == EINTR) {}
        rewind(kinds[fault].said);
        while (fgets(line, sizeof line, kinds[fault].said)) {
            told = told || strncmp(line, status ? "not ok " : "ok ", status ? 7 : 3) == 0;
            fputs(line, stdout);
        }
        fclose(kinds[fault].said);
        if (!told) printf("not ok torture_%s_%s (status %d)\n", s->name, fault_names[fault], status);
        fflush(stdout);
        *(told && status == 0 ? &check_passed_ : &check_failed_) += 1;
    }
}

int main(int argc, char **argv)
{
    const char *cases = getenv("CASES"), *seed = getenv("SEED");
    uint64_t number = seed ? strtoull(seed, NULL, 10) : (uint64_t)fr_now_ms() % 1000000000;
    if (cases) cases_wanted = (int)strtol(cases, NULL, 10);
    printf("# seed %llu\n", (unsigned long long)number);
    if (getenv("JOBS")) jobs = (int)strtol(getenv("JOBS"), NULL, 10);
    if (jobs < 1 || jobs > JOBS_MAX) jobs = 1;
    shared = mmap(NULL, sizeof *shared * FAULT_COUNT * JOBS_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || sqlite3_config(SQLITE_CONFIG_MALLOC, &lite_methods) != SQLITE_OK) abort();
    disk_install(number);
    fr_log_level_set(getenv("TEST_LOG") ? LOG_DEBUG : LOG_ERROR + 1);
    ledger_register();
    player_register();
    kv_register();
    plugins_register();
    play_register();
    for (int i = 0; i < SCENARIOS; i++) {
        if (argc > 1 && strcmp(argv[1], scenarios[i].name) != 0) continue;
        if (argc < 4) {
            torture_each(&scenarios[i], argc > 2 ? argv[2] : NULL);
            continue;
        }
        for (enum fault fault = FAULT_MEMORY; fault < FAULT_COUNT; fault++) {
            if (!fault_is_wanted(&scenarios[i], fault, argv[2])) continue;
            struct tally t = { 0 };
            case_run(&scenarios[i], fault, strtoll(argv[3], NULL, 10), &t);
            printf("%d bad, %d ended, %d with errors\n", t.bad, t.ended, t.errors);
        }
    }
    return TEST_END();
}
