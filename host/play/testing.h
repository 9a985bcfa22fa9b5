// testing.h — the world of play's tests: the real store, the real sandbox, the real worker, two players, and a game in which
// each thing that can go wrong can be asked for. Only the sockets are missing.
#pragma once
#include <stdatomic.h>
#include "base/id.h"
#include "base/log.h"
#include "play/play.h"
#include "base/hex.h"
#include "play/replay.h"
#include "play/snapshot.h"
#include "plugin/testing.h"

// A game in which each thing that can go wrong can be asked for.
static const char pit_json[] =
    "{\"id\":\"pit\",\"name\":\"Pit\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"game\",\"description\":\"test\",\"author\":\"t\","
    "\"grants\":{\"ledger\":{\"why\":\"stakes\",\"assets\":[\"PALM\"]},\"store\":{\"why\":\"asks\"}},"
    "\"modes\":{\"duel\":{\"name\":\"Duel\",\"seats\":2,\"bot\":true,\"turn_ms\":20000,\"asset\":\"PALM\",\"stakes\":[\"0\",\"1000\"],\"rake\":{\"plugin\":200,\"treasury\":100,\"burn\":200}},"
    "\"open\":{\"seats\":2,\"spectators\":true,\"spectator_delay_ms\":0},\"late\":{\"seats\":2,\"spectators\":true,\"spectator_delay_ms\":600000},"
    "\"ticker\":{\"name\":\"Ticker\",\"seats\":1,\"bot\":false,\"turn_ms\":20000,\"asset\":\"PALM\",\"stakes\":[\"0\"],\"rake\":{},\"tick_hz\":50}},"
    "\"relays\":{\"aim\":{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"integer\"}},\"required\":[\"x\"]},\"say\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}}},\"wave\":null},"
    "\"inputs\":{\"add\":{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},\"required\":[\"n\"]},\"roll\":{\"type\":\"object\"},\"loop\":{\"type\":\"object\"},"
    "\"hog\":{\"type\":\"object\"},\"boom\":{\"type\":\"object\"},\"win\":{\"type\":\"object\"},\"draw\":{\"type\":\"object\"},\"badend\":{\"type\":\"object\"},\"later\":{\"type\":\"object\"},\"slow\":{\"type\":\"object\"},\"tell\":{\"type\":\"object\"},\"pad\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}}},\"ask\":{\"type\":\"object\"}}}";
static const char pit_lua[] =
    "local frond = require 'frond'\n"
    "return frond.game {\n"
    "  new = function(m) return { sum = { 0, 0 }, rolls = frond.array {}, ticks = 0, timers = 0 } end,\n"
    "  input = {\n"
    "    add = function(m, s, seat, a) if a.n < 0 then s.sum[seat] = 999 m:int(1, 6) return nil, 'negative' end s.sum[seat] = s.sum[seat] + a.n end,\n"
    "    roll = function(m, s, seat) s.rolls[#s.rolls + 1] = m:int(1, 1000000) m:emit('all', 'rolled', { seat = seat }) end,\n"
    "    loop = function(m, s, seat) s.sum[seat] = 666 while true do end end,\n"
    "    hog = function(m, s, seat) local t = {} while true do t[#t + 1] = ('x'):rep(200000) .. #t end end,\n"
    "    boom = function(m, s, seat) s.sum[seat] = 777 error('boom') end,\n"
    "    win = function(m, s, seat) m:finish { places = { { seat }, { 3 - seat } }, reason = 'score' } end,\n"
    "    draw = function(m, s, seat) m:finish { places = { { 1, 2 } } } end,\n"
    "    badend = function(m, s, seat) m:finish { places = { { seat } } } end,\n"
    "    later = function(m, s, seat) m:timer('t', 30, { by = seat }) end,\n"
    "    slow = function(m, s, seat) m:timer('slow', 500, { by = seat }) end,\n"
    "    tell = function(m, s, seat) m:emit('spectators', 'whisper', { seat = seat }) end,\n"
    "    pad = function(m, s, seat, a) s.sum[seat] = s.sum[seat] + #a.text end,\n"
    "    ask = function(m, s, seat) m:ask('q', 'store.get', { scope = 'plugin', key = 'nothing' }) end,\n"
    "  },\n"
    "  timer = function(m, s, name, data) s.timers = s.timers + data.by end,\n"
    "  drop = function(m, s, seat) s.drops = (s.drops or 0) + 1 end,\n"
    "  tick = function(m, s) s.ticks = s.ticks + 1 end,\n"
    "  answer = function(m, s, tag, value, code) s.answer = tag .. ':' .. tostring(code) end,\n"
    "  view = function(m, s, seat) return { sum = s.sum, rolls = s.rolls, timers = s.timers, tens = s.ticks // 10, answer = s.answer, drops = s.drops, you = seat, secret = seat > 0 and seat or nil } end,\n"
    "  bot = function(m, s, seat) if #s.rolls < 2 then return 'roll', {} end return 'win', {} end,\n"
    "}\n";

struct world {
    struct plays *plays;
    struct fr_buf events[4];                       // of players "1" to "3"
    char match[FR_ID_BYTES];
    int ends, starts, patches;
    int64_t keep_ms, abandoned_ms, wait_ms, drain_ms;
    // the last answer
    bool answered; enum fr_status status; char code[40], result[300];
};
static struct world W;

static inline void on_event(void *arg, const char *player, const char *game, const char *json, size_t len)
{
    (void)arg; (void)game;
    int who = atoi(player);
    fr_buf_add_bytes(&W.events[who], json, len);
    fr_buf_add(&W.events[who], "\n");
    const char *id = strstr(json, "\"match\":\"");
    if (id) snprintf(W.match, sizeof W.match, "%.36s", id + 9);
    W.ends += strstr(json, "\"ev\":\"match.end\"") != NULL;
    W.starts += strstr(json, "\"ev\":\"match.start\"") != NULL;
    W.patches += strstr(json, "\"ev\":\"match.patch\"") != NULL;
}
static inline void on_wallet(void *arg, const char *player, const char *asset) { (void)arg; (void)player; (void)asset; }
static bool hold_ask;
static void (*asked_done)(void *, bool, const char *);
static void *asked_arg;
static inline void on_ask_effect(void *arg, struct plugin_version *v, const char *fn, const char *args, int timeout_ms, void (*done)(void *, bool, const char *), void *done_arg)
{
    (void)arg; (void)v; (void)fn; (void)args; (void)timeout_ms;
    asked_done = done;
    asked_arg = done_arg;
    if (!hold_ask) done(done_arg, false, "not_found");
}
static inline void on_ask(void *arg, struct plugin_worker *w, const struct sandbox_ask *ask) { (void)arg; (void)w; (void)ask; }
static inline void on_up(void *arg, struct plugin_worker *w) { (void)arg; if (W.plays) plays_worker_up(W.plays, w); }
static inline void on_down(void *arg, struct plugin_worker *w, const struct sandbox_death *d) { (void)arg; (void)d; if (W.plays) plays_worker_down(W.plays, w); }

static inline struct plugin *pit(void) { return testing_plugin("pit"); }
static inline struct plugin_worker *pit_worker(void) { return &pit()->current->workers[0]; }

static inline void host_begin(void)
{
    struct fr_err err;
    testing_up(&(struct plugins_options){ .on_ask = on_ask, .on_up = on_up, .on_down = on_down, .drain_ms = W.drain_ms });
    must(plays_open(&(struct plays_options){ .loop = &T.loop, .store = T.store, .plugins = T.plugins, .effects = { NULL, on_event, on_wallet, on_ask_effect }, .wait_ms = W.wait_ms, .log_keep_ms = W.keep_ms, .abandoned_ms = W.abandoned_ms }, &W.plays, &err), &err);
}

static inline void host_up(void)
{
    host_begin();
    WAIT(pit() && pit()->state == PLUGIN_UP);
    if (pit() && pit()->state == PLUGIN_FAILED) printf("  %s\n", pit()->error.text);
}

static inline void host_down(void)
{
    plays_close(W.plays);
    W.plays = NULL;
    testing_down();
}

static inline void world_begin(void)
{
    test_folder_new();
    testing_put("pit", "plugin.json", pit_json);
    testing_put("pit", "main.lua", pit_lua);
    memset(&W, 0, sizeof W);
    for (int i = 0; i < 4; i++) fr_buf_init(&W.events[i], 1 << 22);
    host_up();
    testing_players();
}

static inline void world_end(void)
{
    host_down();
    for (int i = 0; i < 4; i++) fr_buf_free(&W.events[i]);
    test_folder_drop();
}

// ---- coins and approvals

static inline void give(const char *player, int64_t coins, int64_t approve)
{
    testing_give(&(struct testing_gift){ player, "pit", manifest_mode(pit()->package->manifest, "duel")->terms, coins, approve });
}

static inline struct testing_money money(void) { return testing_money(play_owner_alive); }

// ---- what players do

static inline void on_answer(void *arg, enum fr_status status, const char *json, const struct fr_err *err)
{
    (void)arg;
    W.answered = true;
    W.status = status;
    snprintf(W.code, sizeof W.code, "%s", status == FR_OK ? "" : err->code);
    snprintf(W.result, sizeof W.result, "%s", status == FR_OK ? json : err->text);
}

static inline void find(const char *player, const char *mode, int64_t stake, bool bot)
{
    W.answered = false;
    play_find(W.plays, &(struct play_find){ .player = player, .name = player, .game = "pit", .mode = mode, .stake_units = stake, .bot = bot }, on_answer, NULL);
    WAIT(W.answered);
}

static inline void begin_match(int64_t stake)
{
    int starts = W.starts;
    find("1", "duel", stake, false);
    CHECK_INT(W.status, FR_OK);
    find("2", "duel", stake, false);
    CHECK_INT(W.status, FR_OK);
    WAIT(W.starts == starts + 2);
}

static inline void input(const char *player, int64_t n, const char *name, const char *args)
{
    W.answered = false;
    play_input(W.plays, player, W.match, n, name, args, on_answer, NULL);
    WAIT(W.answered);
}

static inline bool saw(int who, const char *text) { return W.events[who].data && strstr(W.events[who].data, text) != NULL; }

static inline enum fr_status export_job(struct store_txn *txn, void *arg, struct fr_err *err) { return play_export(txn, W.match, arg, err); }

static bool replay_over;
static struct replay_result replayed;
static inline void on_replayed(void *arg, enum fr_status status, const struct replay_result *r, const struct fr_err *err)
{
    (void)arg;
    replay_over = true;
    replayed = *r;
    if (status != FR_OK) printf("  replay: %s: %s\n", err->code, err->text);
    CHECK_INT(status, FR_OK);
}

static inline void check_replay(int times, int beside)      // from the start and from each snapshot
{
    struct fr_err err;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 8 << 20);
    must(store_now(T.store, export_job, &text, &err), &err);
    replay_over = false;
    replay_run(T.sandbox, text.data, text.len, &(struct replay_options){ .times = times, .beside = beside, .from = REPLAY_FROM_ALL }, on_replayed, NULL);
    WAIT(replay_over);
    CHECK_INT(replayed.runs, times * replayed.starts);
    CHECK_INT(replayed.equal, times * replayed.starts);
    CHECK_INT(replayed.first_different, -1);
}

// A store that takes nothing more until it is released.
static atomic_bool store_blocked;
static inline enum fr_status blocking_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)txn; (void)arg; (void)err;
    while (atomic_load(&store_blocked)) usleep(500);
    return FR_OK;
}
static inline enum fr_status nothing_job(struct store_txn *txn, void *arg, struct fr_err *err) { (void)txn; (void)arg; (void)err; return FR_OK; }

// Room is left for so many jobs.
static inline void store_fill(int room)
{
    struct fr_err err;
    WAIT(store_stats(T.store).queued == 0);
    atomic_store(&store_blocked, true);
    must(store_run(T.store, blocking_job, NULL, NULL, &err), &err);
    for (int i = 1; i < STORE_QUEUE_MAX - room; i++) must(store_run(T.store, nothing_job, NULL, NULL, &err), &err);
}

static inline void store_block(void)
{
    struct fr_err err;
    atomic_store(&store_blocked, true);
    must(store_run(T.store, blocking_job, NULL, NULL, &err), &err);
}

static inline void store_drain(void)
{
    atomic_store(&store_blocked, false);
    WAIT(store_stats(T.store).queued == 0);
}

struct told { bool answered; enum fr_status status; int times; char code[40], result[300]; };
static inline void on_told(void *arg, enum fr_status status, const char *json, const struct fr_err *err)
{
    struct told *t = arg;
    t->answered = true;
    t->status = status;
    t->times++;
    snprintf(t->code, sizeof t->code, "%s", status == FR_OK ? "" : err->code);
    snprintf(t->result, sizeof t->result, "%s", status == FR_OK ? json : err->text);
}

static struct fr_buf resumed;
static inline void on_resumed(void *arg, const char *json, size_t len)
{
    (void)arg;
    fr_buf_add_bytes(&resumed, json, len);
    fr_buf_add(&resumed, "\n");
}

static inline void find_with(const char *player, int64_t stake, const char *with)
{
    W.answered = false;
    play_find(W.plays, &(struct play_find){ .player = player, .name = player, .game = "pit", .mode = "duel", .stake_units = stake, .with = with }, on_answer, NULL);
    WAIT(W.answered);
}

// Two players with coins and approvals in a match for `stake`.
static inline void staked_match(int64_t coins, int64_t approve, int64_t stake)
{
    world_begin();
    give("1", coins, approve);
    give("2", coins, approve);
    begin_match(stake);
}

static inline void play_tests_begin(void)
{
    fr_log_level_set(getenv("TEST_LOG") ? LOG_DEBUG : LOG_ERROR + 1);
    ledger_register();
    player_register();
    kv_register();
    plugins_register();
    play_register();
}
