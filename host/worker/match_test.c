// match_test.c — a match is its bytes: refusals, raises, replays and trips, and what a game may call on `m`.
#include "worker/testing.h"
#include "worker/match.h"

static const char key_text[] = "0123456789abcdef0123456789abcdef";      // 32 bytes
#define SETUP "{\"id\":\"m1\",\"mode\":\"classic\",\"asset\":\"PALM\",\"stake\":\"10000000000\",\"now_ms\":1000," \
              "\"players\":[{\"id\":\"7\",\"name\":\"Ann\"},{\"bot\":true,\"name\":\"Bot\"}],\"options\":[{\"deck\":\"red\"},{}]}"

static struct { char text[40][4096]; int count; } part;

static void split(void)                    // the sections of the last frame
{
    struct frame_cursor c;
    const char *bytes;
    size_t len;
    struct frame f = test_frame;
    f.payload = test_last.data;
    part.count = 0;
    frame_sections(&f, &c);
    while (part.count < 40 && frame_take(&c, &bytes, &len)) {
        if (len > 4095) len = 4095;
        memcpy(part.text[part.count], bytes, len);
        part.text[part.count++][len] = 0;
    }
}

static void game(const char *lua)          // loads a plugin that returns frond.game{ <lua> }
{
    static char text[16384];
    snprintf(text, sizeof text, "local frond = require 'frond'\nreturn frond.game{\n%s\n}\n", lua);
    test_load(text);
    if (test_frame.status != FRAME_OK) printf("  %s\n", test_last.data);
}

static bool open_match(uint32_t slot) { bool ok = test_send(FRAME_MATCH_OPEN, 100 + slot, slot, SETUP, key_text, NULL); split(); return ok; }
static bool turn(uint32_t slot, const char *record) { bool ok = test_send(FRAME_MATCH_TURN, 200 + slot, slot, record, NULL); split(); return ok; }
static bool input(uint32_t slot, int seat, const char *name, const char *args)
{
    char record[2000];
    snprintf(record, sizeof record, "{\"n\":1,\"kind\":\"input\",\"seat\":%d,\"name\":\"%s\",\"args\":%s,\"now_ms\":2000}", seat, name, args);
    return turn(slot, record);
}

#define COUNTER "new = function(m, o) return { n = 0, log = {} } end,\n" \
    "input = { add = function(m, s, seat, a) s.n = s.n + a.by; s.log[#s.log + 1] = m:int(1, 100); if a.by < 0 then return nil, 'negative', 'by ' .. a.by end; if a.by > 99 then error('too much') end end,\n" \
    "  put = function(m, s, seat, a) s[a.k] = a.v end },\n" \
    "view = function(m, s, seat) return { n = s.n, seat = seat, rolls = frond.array(s.log) } end,"

static void test_a_match_opens_and_turns(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game(COUNTER);
    CHECK(open_match(3));
    CHECK_INT(test_frame.kind, FRAME_TURN);
    CHECK_INT(test_frame.ref, 3);
    CHECK_INT(test_frame.status, FRAME_OK);
    CHECK_INT(part.count, 5);
    CHECK_TEXT(part.text[0], "{\"ok\":true}");
    CHECK_TEXT(part.text[1], "[]");
    CHECK_INT(strlen(part.text[2]), 64);
    CHECK_TEXT(part.text[3], "{\"n\":0,\"rolls\":[],\"seat\":1}");
    char opened[65];
    memcpy(opened, part.text[2], 65);
    CHECK(input(3, 1, "add", "{\"by\":5}"));
    CHECK_INT(test_frame.status, FRAME_OK);
    CHECK(strcmp(opened, part.text[2]) != 0);
    CHECK(strstr(part.text[4], "\"n\":5"));
    test_stop();
}

static void test_a_refusal_puts_everything_back(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game(COUNTER);
    open_match(0);
    open_match(1);
    input(0, 1, "add", "{\"by\":1}");
    input(0, 2, "add", "{\"by\":-4}");                            // draws, then refuses
    CHECK_INT(test_frame.status, FRAME_REFUSED);
    CHECK_INT(part.count, 1);
    CHECK_TEXT(part.text[0], "{\"ok\":false,\"code\":\"negative\",\"detail\":\"by -4\"}");
    input(0, 2, "add", "{\"by\":100}");                           // changes, draws, then raises
    CHECK_INT(test_frame.status, FRAME_RAISED);
    CHECK_INT(part.count, 1);
    CHECK(strstr(part.text[0], "\"detail\":\"too much\",\"file\":\"main.lua\",\"line\":4"));
    input(0, 1, "put", "{\"k\":\"f\",\"v\":[null]}");
    CHECK_INT(test_frame.status, FRAME_OK);
    input(0, 1, "fly", "{}");
    CHECK_TEXT(part.text[0], "{\"ok\":false,\"code\":\"unknown_input\"}");
    input(0, 1, "add", "{\"by\":2}");
    char tried[65];
    memcpy(tried, part.text[2], 65);
    input(1, 1, "add", "{\"by\":1}");                             // the other match sees only what was kept
    input(1, 1, "put", "{\"k\":\"f\",\"v\":[null]}");
    input(1, 1, "add", "{\"by\":2}");
    CHECK_TEXT(part.text[2], tried);
    test_stop();
}

// A game that leans on everything that could differ: pairs, holes, #, sort, floats, text of numbers, shuffles, refused turns in between.
static const char moody[] =
    "new = function(m, o) local s = { bag = {}, list = {}, f = 1.5, seen = frond.array{} } for i = 1, 20 do s.bag['k' .. m:int(1, 1000)] = i end return s end,\n"
    "input = { go = function(m, s, seat, a)\n"
    "  for k, v in pairs(s.bag) do s.seen[#s.seen + 1] = k .. '=' .. v if #s.seen > 60 then s.seen = frond.array{} end end\n"
    "  s.bag['x' .. m:int(1, 50)] = a.n  s.bag[m:int(1, 9)] = a.n  s.list[m:int(1, 12)] = a.n  s.len = #s.list\n"
    "  table.sort(s.seen, function(x, y) return #x < #y end)\n"
    "  s.f = s.f * 1.1 + math.abs(math.sin(s.f)) ^ 0.7 + math.exp(-s.f / 100) + math.log(s.f + 1)  s.text = ('%.14g %s'):format(s.f, s.f)\n"
    "  if m:chance(3000) then s.luck = (s.luck or 0) + 1 end if a.n % 4 == 3 then return nil, 'bad_luck' end\n"
    "  if next(s.list) then m:emit('all', 'len', { len = s.len, seen = #s.seen }) end\n"
    "end },\n"
    "view = function(m, s, seat) return { seen = s.seen, f = s.f, len = s.len } end,";

// What any build of this engine must come to, gcc or clang, sanitized or not. A change that alters it is a new ENGINE_ID.
#define MOODY_HASH "eab66a9a382f92369cc3d4bcd6ed3776d1c453545554674c337522419dbeb002"

static void play_moody(uint32_t slot, int turns, bool skip_refused, char *hashes)      // hashes of turns that were kept, 65 bytes each
{
    static bool refused[200];
    for (int i = 0; i < turns; i++) {
        char args[40];
        if (skip_refused && refused[i]) continue;
        snprintf(args, sizeof args, "{\"n\":%d}", i);
        input(slot, 1, "go", args);
        refused[i] = test_frame.status == FRAME_REFUSED;
        CHECK(test_frame.status == FRAME_OK || refused[i]);
        if (test_frame.status == FRAME_RAISED) return (void)printf("  %s\n", part.text[0]);
        memcpy(hashes + 65 * i, refused[i] ? "" : part.text[2], refused[i] ? 1 : 65);
    }
}

static void test_a_replay_has_the_same_hashes_alone_beside_others_and_without_refused_turns(void)
{
    static char live[200 * 65], again[200 * 65];
    int refusals = 0, kept = 0;
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game(moody);
    open_match(0);
    play_moody(0, 120, false, live);
    for (int i = 0; i < 120; i++) {
        if (live[65 * i]) kept++;
        else refusals++;
    }
    CHECK(refusals > 10 && kept > 40);
    CHECK_TEXT(live + 65 * 118, MOODY_HASH);
    test_stop();
    for (int round = 0; round < 2; round++) {
        memset(again, 0, sizeof again);
        test_start(WORKER_HEAP_BYTES_DEFAULT);
        game(moody);
        for (uint32_t slot = 1; slot < 5; slot++) {               // neighbours with other histories
            open_match(slot);
            for (uint32_t i = 0; i < 10 * slot; i++) input(slot, 1, "go", "{\"n\":1}");
        }
        open_match(9);
        play_moody(9, 120, round == 1, again);
        CHECK(memcmp(live, again, sizeof live) == 0);
        test_stop();
    }
}

static void game_body(const char *body)                           // a game whose input `go` has this body
{
    static char text[8192];
    snprintf(text, sizeof text, "new = function(m, o) return { list = {3, 1, 2} } end,\ninput = { go = function(m, s, seat, a)\n%s\nend },\nview = function(m, s, seat) return { v = s.v } end,", body);
    game(text);
}

static void check_go(const char *body, enum frame_status status, int section, const char *want)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game_body(body);
    CHECK(open_match(0));
    CHECK_INT(test_frame.status, FRAME_OK);
    CHECK(input(0, 2, "go", "{\"x\":5}"));
    CHECK_INT(test_frame.status, status);
    CHECK(part.count > section);
    if (part.count > section && !strstr(part.text[section], want)) CHECK_TEXT(part.text[section], want);
    CHECK(part.count > section && strstr(part.text[section], want));
    test_stop();
}

static void test_effects_are_written_in_order(void)
{
    check_go("m:timer('t', 500, {a = 1}) m:timer('u', 0) m:cancel('t') m:emit(1, 'e', {b = true}) m:emit('all', 'f') m:emit('spectators', 'g', 7)\n"
             "m:ask('bal', 'ledger.balance', {player = '7', asset = 'PALM'}, {timeout_ms = 900}) m:finish{ places = {{2}, {1}}, reason = 'won', stats = {n = 1} }",
             FRAME_OK, 1,
             "[{\"e\":\"timer\",\"name\":\"t\",\"ms\":500,\"data\":{\"a\":1}},{\"e\":\"timer\",\"name\":\"u\",\"ms\":0},{\"e\":\"cancel\",\"name\":\"t\"},"
             "{\"e\":\"emit\",\"to\":1,\"name\":\"e\",\"data\":{\"b\":true}},{\"e\":\"emit\",\"to\":\"all\",\"name\":\"f\"},{\"e\":\"emit\",\"to\":\"spectators\",\"name\":\"g\",\"data\":7},"
             "{\"e\":\"ask\",\"tag\":\"bal\",\"fn\":\"ledger.balance\",\"args\":{\"player\":\"7\",\"asset\":\"PALM\"},\"timeout_ms\":900},"
             "{\"e\":\"finish\",\"places\":[[2],[1]],\"reason\":\"won\",\"stats\":{\"n\":1}}]");
    check_go("m:finish{ shares_bps = {2500, 7500} }", FRAME_OK, 1, "[{\"e\":\"finish\",\"shares_bps\":[2500,7500]}]");
    check_go("m:void('broken')", FRAME_OK, 1, "[{\"e\":\"void\",\"reason\":\"broken\"}]");
    check_go("pcall(m.emit, m, 'all', 'x', {f = print, g = function() end}) m:emit('all', 'y')", FRAME_OK, 1, "[{\"e\":\"emit\",\"to\":\"all\",\"name\":\"y\"}]");
}

static void test_mistakes_with_m_raise(void)
{
    check_go("m:finish{ places = {{1}} }", FRAME_RAISED, 0, "m:finish: seat 2 stands in no place");
    check_go("m:finish{ places = {{1}, {1, 2}} }", FRAME_RAISED, 0, "seat 1 stands in places twice");
    check_go("m:finish{ places = {{1}, {3}} }", FRAME_RAISED, 0, "places hold seats from 1 to 2");
    check_go("m:finish{ places = {{1, 2}}, shares_bps = {1, 2} }", FRAME_RAISED, 0, "either places or shares_bps");
    check_go("m:finish{ shares_bps = {2500, 7400} }", FRAME_RAISED, 0, "must add up to 10000, not 9900");
    check_go("m:finish{ place = {{1, 2}} }", FRAME_RAISED, 0, "m:finish knows no 'place'");
    check_go("m:finish{ places = {{1, 2}} } m:void('x')", FRAME_RAISED, 0, "already been ended");
    check_go("m.emit('all', 'x')", FRAME_RAISED, 0, "call it with a colon: m:emit(...)");
    check_go("m:emit(3, 'x')", FRAME_RAISED, 0, "expected a seat from 1 to 2");
    check_go("m:int(3, 1)", FRAME_RAISED, 0, "lo is above hi");
    check_go("m:int(1.5, 3)", FRAME_RAISED, 0, "bad argument 'lo' to m:int: expected an integer, got number");
    check_go("m:ask('t', 'store.put', {})", FRAME_RAISED, 0, "'store.put' cannot be asked from a match");
    check_go("m:ask('t', 'store.git', {})", FRAME_RAISED, 0, "there is no host call 'store.git'");
    check_go("m:ask('t', 'store.get', {scope = 'plugin'})", FRAME_RAISED, 0, "bad argument 'key' to store.get");
    check_go("for i = 1, 257 do m:cancel('t') end", FRAME_RAISED, 0, "more than 256 effects");
    check_go("m.now_ms = 1", FRAME_RAISED, 0, "m is read-only: now_ms belongs into the state");
    check_go("m.options[1].deck = 'x'", FRAME_RAISED, 0, "m.options is read-only");
    check_go("frond.store.get('plugin', 'k')", FRAME_RAISED, 0, "a match never waits: store.get cannot be called in it; m:ask(tag, name, args)");
    check_go("frond.time.now_ms()", FRAME_RAISED, 0, "a match never waits: time.now_ms cannot be called in it");
    check_go("s.v = function() end", FRAME_RAISED, 0, "state.v: a function cannot be kept in a match's state");
    check_go("s.v = {a = {0/0}}", FRAME_RAISED, 0, "state.v.a[1]: nan");
    check_go("s.v = setmetatable({}, {__index = s})", FRAME_RAISED, 0, "state.v: a table with a metatable cannot be kept");
    check_go("return nil, ('x'):rep(65)", FRAME_RAISED, 0, "a refusal's code is a word of at most 64 bytes");
    check_go("m:timer('a\\0b', 5)", FRAME_RAISED, 0, "it holds a NUL byte");
    check_go("s.v = s", FRAME_RAISED, 0, "nested too deep (or a cycle)");
    check_go("s.v = {[1.5] = 1}", FRAME_RAISED, 0, "state.v: a float cannot be a key");
    check_go("s.v = {[5] = 1}", FRAME_RAISED, 0, "the view of seat 1 cannot be sent: view.v: integer keys that are not 1..n");
    check_go("s.big = ('x'):rep(300000)", FRAME_RAISED, 0, "more than a state may hold");
    check_go("counter = 1", FRAME_RAISED, 0, "write 'local counter', or keep data in the match's state");
    check_go("return nil, 'no'", FRAME_REFUSED, 0, "{\"ok\":false,\"code\":\"no\"}");
}

static void test_replayable_code_has_one_order_and_no_addresses(void)
{
    check_go("local out = {} for k, v in pairs{ b = 1, a = 2, [3] = 3, [-1] = 4, [2] = 5, B = 6, [''] = 7 } do out[#out + 1] = k .. '=' .. v end s.v = table.concat(out, ' ')", FRAME_OK, 3,
             "\"v\":\"-1=4 2=5 3=3 =7 B=6 a=2 b=1\"");
    check_go("local out = {} local t = {10, 20, 30, x = 1} for k in pairs(t) do t[2] = nil out[#out + 1] = tostring(k) end s.v = table.concat(out, ' ')", FRAME_OK, 3, "\"v\":\"1 3 x\"");
    check_go("s.v = { m.options[1], m.players, next(m.players), next(m.options[2]) == nil }", FRAME_OK, 3,
             "\"v\":[{\"deck\":\"red\"},[{\"id\":\"7\",\"name\":\"Ann\"},{\"bot\":true,\"name\":\"Bot\"}],true,true]");
    check_go("local nan = 0/0 s.v = { tostring(nan), tostring(-nan), ('%g %g'):format(nan, -nan), nan .. '' }", FRAME_OK, 3, "\"v\":[\"nan\",\"nan\",\"nan nan\",\"nan\"]");
    check_go("s.v = { next({}) == nil, next({1}) }", FRAME_OK, 3, "\"v\":[true,true]");
    check_go("s.v = next({1}, 1)", FRAME_RAISED, 0, "only tells whether t is empty");
    check_go("for k in pairs{ [true] = 1 } do end", FRAME_RAISED, 0, "pairs met a boolean key");
    check_go("s.v = tostring({})", FRAME_RAISED, 0, "a table has no text in a match");
    check_go("s.v = ('%s'):format(print or function() end)", FRAME_RAISED, 0, "a function has no text in a match");
    check_go("s.v = math.random(6)", FRAME_RAISED, 0, "use m:int(lo, hi)");
    check_go("s.v = { math.floor(math.log(1000, 10)), 2 ^ 10, 2 ^ 0.5 == math.sqrt(2), 9 ^ -0.5, (-8) ^ 3 }", FRAME_OK, 3, "\"v\":[3,1024.0,true,0.3333333333333333,-512.0]");
    check_go("local out = {} for i, p in ipairs(m.players) do out[i] = p.name end s.v = { out, #m.players, m.players[2].bot, m.options[1].deck, m.stake, m.mode, m.id, m.now_ms }", FRAME_OK, 3,
             "\"v\":[[\"Ann\",\"Bot\"],2,true,\"red\",10000000000,\"classic\",\"m1\",2000]");
    check_go("local n = 0 for seat, p in pairs(m.players) do n = n + seat end s.v = n", FRAME_OK, 3, "\"v\":3");
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game_body("log.info('x', {b = 1, a = 2})");
    open_match(0);
    input(0, 1, "go", "{}");
    CHECK_INT(test_frame.kind, FRAME_ASK);
    CHECK_INT(test_frame.id, 200);
    CHECK_TEXT(test_last.data, "{\"text\":\"x\",\"fields\":{\"a\":2,\"b\":1}}");
    CHECK(test_next());
    CHECK_INT(test_frame.kind, FRAME_TURN);
    test_stop();
}

static void test_other_records_reach_their_handlers(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game("new = function(m, o) return { got = o[1].deck } end, view = function(m, s) return { got = s.got } end,\n"
         "timer = function(m, s, name, data) s.got = name .. data.a end, tick = function(m, s) s.got = 'tick' .. m.tick_no end,\n"
         "join = function(m, s, seat) s.got = 'join' .. seat end, leave = function(m, s, seat, why) s.got = 'leave' .. seat .. why end,\n"
         "answer = function(m, s, tag, value, code) s.got = tag .. tostring(value and value.free) .. tostring(code) end,");
    open_match(0);
    CHECK_TEXT(part.text[3], "{\"got\":\"red\"}");
    turn(0, "{\"n\":1,\"kind\":\"timer\",\"name\":\"t\",\"data\":{\"a\":5},\"now_ms\":1}");
    CHECK_TEXT(part.text[3], "{\"got\":\"t5\"}");
    turn(0, "{\"n\":1,\"kind\":\"tick\",\"tick_no\":12,\"now_ms\":1}");
    CHECK_TEXT(part.text[3], "{\"got\":\"tick12\"}");
    turn(0, "{\"n\":1,\"kind\":\"join\",\"seat\":2,\"now_ms\":1}");
    CHECK_TEXT(part.text[3], "{\"got\":\"join2\"}");
    turn(0, "{\"n\":1,\"kind\":\"drop\",\"seat\":2,\"now_ms\":1}");           // no handler: nothing happens
    CHECK_TEXT(part.text[0], "{\"ok\":true}");
    CHECK_TEXT(part.text[3], "{\"got\":\"join2\"}");
    turn(0, "{\"n\":1,\"kind\":\"leave\",\"seat\":1,\"why\":\"bye\",\"now_ms\":1}");
    CHECK_TEXT(part.text[3], "{\"got\":\"leave1bye\"}");
    turn(0, "{\"n\":1,\"kind\":\"answer\",\"tag\":\"b\",\"value\":{\"free\":3},\"now_ms\":1}");
    CHECK_TEXT(part.text[3], "{\"got\":\"b3nil\"}");
    turn(0, "{\"n\":1,\"kind\":\"answer\",\"tag\":\"b\",\"code\":\"timeout\",\"now_ms\":1}");
    CHECK_TEXT(part.text[3], "{\"got\":\"bniltimeout\"}");
    turn(0, "{\"n\":1,\"kind\":\"magic\",\"now_ms\":1}");
    CHECK_INT(test_frame.status, FRAME_RAISED);
    turn(7, "{\"n\":1,\"kind\":\"tick\",\"now_ms\":1}");
    CHECK(strstr(part.text[0], "match_unknown"));
    test_stop();
}

static void test_views_and_bots_change_nothing(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game("new = function(m, o) return { n = 1 } end, input = { go = function(m, s) s.n = s.n + 1 s.r = m:int(1, 1000000) end },\n"
         "view = function(m, s, seat) s.n = s.n + 100 return { n = s.n, r = s.r } end,\n"
         "bot = function(m, s, seat) s.n = 99 if seat == 2 then return 'go', { r = m:int(1, 1000000), seat = seat } end end,");
    open_match(0);
    CHECK_TEXT(part.text[3], "{\"n\":101}");
    CHECK(test_send(FRAME_MATCH_BOT, 9, 0, "{\"seat\":2,\"now_ms\":5}", NULL));
    split();
    CHECK_INT(part.count, 1);
    CHECK(strstr(part.text[0], "{\"ok\":true,\"name\":\"go\",\"args\":{\"r\":"));
    char first[100], again[100];
    snprintf(first, sizeof first, "%.90s", part.text[0]);
    CHECK(test_send(FRAME_MATCH_BOT, 9, 0, "{\"seat\":2,\"now_ms\":5}", NULL));
    split();
    snprintf(again, sizeof again, "%.90s", part.text[0]);
    CHECK_TEXT(again, first);
    long bot_saw = strtol(strstr(first, "\"r\":") + 4, NULL, 10);
    CHECK(test_send(FRAME_MATCH_BOT, 9, 0, "{\"seat\":1,\"now_ms\":5}", NULL));
    split();
    CHECK_TEXT(part.text[0], "{\"ok\":false}");
    input(0, 1, "go", "{}");
    CHECK(strstr(part.text[3], "{\"n\":102,"));
    CHECK(strtol(strstr(part.text[3], "\"r\":") + 4, NULL, 10) != bot_saw);      // the bot did not see the match's next draw
    test_stop();
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game("new = function(m, o) return {} end, view = function(m, s, seat) m:emit('all', 'x') return {} end,");
    open_match(0);
    CHECK_INT(test_frame.status, FRAME_RAISED);
    CHECK(strstr(part.text[0], "m:emit changes the match; view only looks"));
    turn(0, "{\"n\":1,\"kind\":\"tick\",\"now_ms\":1}");
    CHECK(strstr(part.text[0], "match_unknown"));                // a match that could not open is not there
    test_stop();
}

static void test_an_ended_match_takes_no_more(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game_body("m:void('done')");
    open_match(0);
    input(0, 1, "go", "{}");
    CHECK_INT(test_frame.status, FRAME_OK);
    input(0, 1, "go", "{}");
    CHECK_INT(test_frame.status, FRAME_REFUSED);
    CHECK_TEXT(part.text[0], "{\"ok\":false,\"code\":\"match_ended\"}");
    CHECK(!test_send(FRAME_MATCH_CLOSE, 0, 0, NULL));
    CHECK(test_worker.matches[0] == NULL);
    test_stop();
}

static void test_a_tripped_match_is_closed_and_its_neighbours_go_on(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game_body("if a.loop then pcall(function() while true do end end) s.v = 'ran on' end if a.hog then local t = {} while true do t[#t + 1] = {} end end s.v = 'fine'");
    open_match(0);
    open_match(1);
    open_match(2);
    input(0, 1, "go", "{\"loop\":true}");
    CHECK_INT(test_frame.status, FRAME_TRIPPED_CPU);
    CHECK(strstr(part.text[0], "cpu_limit"));
    input(1, 1, "go", "{\"hog\":true}");
    CHECK_INT(test_frame.status, FRAME_TRIPPED_MEMORY);
    CHECK(!test_worker.matches[0] && !test_worker.matches[1]);
    input(2, 1, "go", "{}");
    CHECK(strstr(part.text[3], "fine"));
    open_match(0);
    CHECK_INT(test_frame.status, FRAME_OK);
    input(0, 1, "go", "{}");
    CHECK(strstr(part.text[3], "fine"));
    test_stop();
}

static void test_many_matches_fit(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game(COUNTER);
    uint32_t open = 0;
    while (open < 300 && open_match(open) && test_frame.status == FRAME_OK) open++;
    CHECK_INT(open, 300);
    for (int round = 0; round < 20; round++)
        for (uint32_t slot = 0; slot < open; slot++) {
            input(slot, 1, "add", "{\"by\":1}");
            if (test_frame.status != FRAME_OK) CHECK_TEXT(part.text[0], "");
        }
    CHECK(strstr(part.text[3], "\"n\":20"));
    CHECK(test_worker.heap.used < 24 * 1024 * 1024);
    printf("  300 matches: %zu KiB each\n", test_worker.heap.used / 300 / 1024);
    CHECK(!test_send(FRAME_MATCH_OPEN, 1, MATCHES_PER_WORKER_MAX, SETUP, key_text, NULL));      // one slot too many: not our host
    test_stop();
}

// ---- snapshots

struct shot { char head[200], hash[65], state[60000]; size_t len; };

static void snapshot(uint32_t slot, struct shot *ret)
{
    CHECK(test_send(FRAME_MATCH_SNAPSHOT, 300 + slot, slot, SETUP, NULL));
    CHECK_INT(test_frame.status, FRAME_OK);
    struct frame_cursor c;
    const char *bytes;
    size_t len;
    struct frame f = test_frame;
    f.payload = test_last.data;
    frame_sections(&f, &c);
    CHECK(frame_take(&c, &bytes, &len) && len < sizeof ret->head);
    snprintf(ret->head, sizeof ret->head, "%.*s", (int)len, bytes);
    CHECK(frame_take(&c, &bytes, &ret->len) && ret->len < sizeof ret->state);
    memcpy(ret->state, bytes, ret->len);
    CHECK(frame_take(&c, &bytes, &len) && len == 64);
    snprintf(ret->hash, sizeof ret->hash, "%.*s", (int)len, bytes);
}

static void restore(uint32_t slot, const struct shot *shot)
{
    struct frame head = { .kind = FRAME_MATCH_RESTORE, .id = 400 + slot, .ref = slot }, f;
    struct fr_err err;
    fr_buf_clear(&test_in);
    size_t mark = frame_begin(&test_in, &head);
    frame_section(&test_in, SETUP, strlen(SETUP));
    frame_section(&test_in, key_text, 32);
    frame_section(&test_in, shot->head, strlen(shot->head));
    frame_section(&test_in, shot->state, shot->len);
    frame_end(&test_in, mark);
    CHECK(frame_next(test_in.data, test_in.len, false, &f, &err) == 1);
    CHECK(worker_handle(&test_worker, &f) && test_next());
    split();
}

static void test_a_match_goes_on_from_a_snapshot_as_if_nothing_had_happened(void)
{
    static struct shot shot;
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game(moody);
    open_match(0);
    for (int i = 0; i < 30; i++) {
        char args[40];
        snprintf(args, sizeof args, "{\"n\":%d}", i);
        input(0, 1, "go", args);
        if (i % 7 != 6) continue;
        snapshot(0, &shot);
        restore(1, &shot);
        CHECK_INT(test_frame.status, FRAME_OK);
        CHECK_TEXT(part.text[1], shot.hash);
        for (int k = 0; k < 5; k++) {
            char live[65];
            input(0, 2, "go", "{\"n\":4}");
            memcpy(live, part.text[2], 65);
            input(1, 2, "go", "{\"n\":4}");
            CHECK_INT(test_frame.status, FRAME_OK);
            CHECK_TEXT(part.text[2], live);
        }
    }
    test_stop();
}

static void test_what_a_game_hides_beside_its_state_is_gone_after_a_snapshot_live_and_restored(void)
{
    static struct shot shot;
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    test_load("local frond = require 'frond'\nlocal hidden = 0\nreturn frond.game{ new = function() return { n = 0 } end,\n"
              "input = { go = function(m, s) hidden = hidden + 1 s.n = s.n + hidden end }, view = function(m, s) return s.n end }\n");
    open_match(0);
    input(0, 1, "go", "{}");
    input(0, 1, "go", "{}");
    CHECK_TEXT(part.text[3], "3");
    snapshot(0, &shot);
    restore(1, &shot);
    input(0, 1, "go", "{}");
    CHECK_TEXT(part.text[3], "4");
    input(1, 1, "go", "{}");
    CHECK_TEXT(part.text[3], "4");
    test_stop();
}

static void test_a_damaged_snapshot_is_refused_or_has_another_hash(void)
{
    static struct shot good, bad;
    int refused = 0;
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game(moody);
    open_match(0);
    for (int i = 0; i < 5; i++) input(0, 1, "go", "{\"n\":1}");
    snapshot(0, &good);
    for (size_t at = 0; at < good.len; at++) {
        bad = good;
        if (at % 3 == 0) bad.len = at;                            // cut
        else bad.state[at] = (char)(bad.state[at] ^ (at % 3 == 1 ? 1 : 0x80));
        restore(1, &bad);
        refused += test_frame.status != FRAME_OK;
        CHECK(test_frame.status == FRAME_RAISED || (test_frame.status == FRAME_OK && strcmp(part.text[1], good.hash) != 0));
    }
    CHECK(refused > (int)good.len / 3);
    static const char *const heads[] = { "", "{}", "{\"next\":\"x\",\"tick_no\":0,\"ended\":false}", "{\"next\":7,\"tick_no\":0}", "{\"next\":\"1\",\"tick_no\":-1}" };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        bad = good;
        snprintf(bad.head, sizeof bad.head, "%s", heads[i]);
        restore(1, &bad);
        CHECK_INT(test_frame.status, FRAME_RAISED);
    }
    input(0, 1, "go", "{\"n\":1}");                               // the neighbour never noticed
    CHECK_INT(test_frame.status, FRAME_OK);
    test_stop();
}

static void test_who_watches_sees_the_view_of_seat_0(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    game("new = function() return { hand = { 'a', 'b' } } end, input = {}, view = function(m, s, seat) return seat == 0 and 'public' or s.hand[seat] end,");
    CHECK(test_send(FRAME_MATCH_OPEN, 100, 0, "{\"id\":\"m1\",\"mode\":\"c\",\"asset\":\"PALM\",\"stake\":\"0\",\"now_ms\":1,\"players\":[{\"id\":\"7\",\"name\":\"Ann\"},{\"id\":\"8\",\"name\":\"Ben\"}],\"options\":[{},{}],\"spectators\":true}", key_text, NULL));
    split();
    CHECK_INT(part.count, 6);
    CHECK_TEXT(part.text[3], "\"a\"");
    CHECK_TEXT(part.text[4], "\"b\"");
    CHECK_TEXT(part.text[5], "\"public\"");
    test_stop();
}

int main(void)
{
    turn_expect_slow(5);
    TEST(test_a_match_opens_and_turns);
    TEST(test_a_refusal_puts_everything_back);
    TEST(test_a_replay_has_the_same_hashes_alone_beside_others_and_without_refused_turns);
    TEST(test_effects_are_written_in_order);
    TEST(test_mistakes_with_m_raise);
    TEST(test_replayable_code_has_one_order_and_no_addresses);
    TEST(test_other_records_reach_their_handlers);
    TEST(test_views_and_bots_change_nothing);
    TEST(test_an_ended_match_takes_no_more);
    TEST(test_a_tripped_match_is_closed_and_its_neighbours_go_on);
    TEST(test_many_matches_fit);
    TEST(test_a_match_goes_on_from_a_snapshot_as_if_nothing_had_happened);
    TEST(test_what_a_game_hides_beside_its_state_is_gone_after_a_snapshot_live_and_restored);
    TEST(test_a_damaged_snapshot_is_refused_or_has_another_hash);
    TEST(test_who_watches_sees_the_view_of_seat_0);
    return TEST_END();
}
