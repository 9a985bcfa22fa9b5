// task_test.c — loading and calls: what a plugin gets back, what it may not do, and how it is told.
#include "worker/testing.h"
#include "base/mem.h"
#include "ipc/frame.h"

// Loads a plugin whose only call `f` has this body; args and ctx are in scope.
static void load_body(const char *body)
{
    static char text[8192];
    snprintf(text, sizeof text, "local frond = require 'frond'\nreturn frond.plugin{ calls = { f = function(ctx, args)\n%s\nend } }\n", body);
    test_load(text);
}

static void check_body(const char *body, const char *args, enum frame_status status, const char *want)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body(body);
    CHECK_INT(test_frame.status, FRAME_OK);
    CHECK(test_call(2, "f", args));
    CHECK_INT(test_frame.kind, FRAME_RESULT);
    CHECK_INT(test_frame.status, status);
    CHECK_TEXT(test_last.data, want);
    CHECK(!test_next());
    test_stop();
}

static void check_contains(const char *body, const char *args, enum frame_status status, const char *want)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body(body);
    CHECK_INT(test_frame.status, FRAME_OK);
    CHECK(test_call(2, "f", args));
    CHECK_INT(test_frame.status, status);
    if (!strstr(test_last.data, want)) CHECK_TEXT(test_last.data, want);
    CHECK(strstr(test_last.data, want));
    test_stop();
}

static void test_a_call_gets_its_arguments_and_gives_its_result(void)
{
    check_body("return args.a + 1", "{\"a\":41}", FRAME_OK, "42");
    check_body("return ctx.player.name .. ctx.source", "{}", FRAME_OK, "\"Annhttp\"");
    check_body("return", "{}", FRAME_OK, "null");
    check_body("return nil, 'sold_out', 'come back'", "{}", FRAME_REFUSED, "{\"code\":\"sold_out\",\"detail\":\"come back\"}");
    check_body("return {}", "{}", FRAME_OK, "{}");
    check_body("return frond.array{}", "{}", FRAME_OK, "[]");
    check_body("return args.l", "{\"l\":[]}", FRAME_OK, "[]");
    check_body("return {1, frond.null, 2.0}", "{}", FRAME_OK, "[1,null,2.0]");
    check_body("return {args.min, args.max, args.big}", "{\"min\":-9223372036854775808,\"max\":9223372036854775807,\"big\":9223372036854775808}", FRAME_OK,
               "[-9223372036854775808,9223372036854775807,9.223372036854776e+18]");
}

static void test_the_definition_is_described(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    test_load("local frond = require 'frond'\nlocal f = function() end\nreturn frond.plugin{ calls = {b=f, a=f}, hooks={h=f}, game = frond.game{ new=f, view=f, input={play=f}, bot=f } }");
    CHECK_TEXT(test_last.data, "{\"calls\":[\"a\",\"b\"],\"game\":{\"answer\":false,\"back\":false,\"bot\":true,\"drop\":false,\"input\":[\"play\"],\"join\":false,"
                               "\"leave\":false,\"tick\":false,\"timer\":false},\"hooks\":[\"h\"],\"jobs\":[],\"on\":[]}");
    test_stop();
}

static void test_host_calls_wait_and_resume(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("local v, version = frond.store.get('plugin', args.k)\nreturn {v = v, version = version}");
    CHECK(test_call(5, "f", "{\"k\":\"a\\\"b\"}"));
    CHECK_INT(test_frame.kind, FRAME_ASK);
    CHECK_INT(test_frame.call, 11);
    CHECK_INT(test_frame.id, 5);
    CHECK_INT(test_frame.ref, 1);
    CHECK_TEXT(test_last.data, "{\"scope\":\"plugin\",\"key\":\"a\\\"b\"}");
    CHECK(!test_next());
    CHECK(!test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 9, "[1,2]"));          // another ask's answer
    CHECK(!test_send_raw(FRAME_ANSWER, FRAME_OK, 6, 1, "[1,2]"));          // another call's
    CHECK(test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 1, "[{\"x\":1},9007199254740993]"));
    CHECK_INT(test_frame.kind, FRAME_RESULT);
    CHECK(strstr(test_last.data, "9007199254740993") && strstr(test_last.data, "{\"x\":1}"));
    CHECK(!test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 1, "[1,2]"));          // too late
    CHECK_INT(test_worker.call_count, 0);
    test_stop();
}

static void test_a_refusal_of_the_world_is_nil_code_detail(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("local v, code, detail = frond.store.get('plugin', 'k')\nreturn {v == nil, code, detail}");
    test_call(5, "f", "{}");
    CHECK(test_send_raw(FRAME_ANSWER, FRAME_REFUSED, 5, 1, "{\"code\":\"not_found\",\"detail\":\"no k\"}"));
    CHECK_TEXT(test_last.data, "[true,\"not_found\",\"no k\"]");
    test_stop();
}

static void test_many_calls_wait_at_once_and_any_may_be_cancelled(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("local v = frond.store.get('plugin', 'k')\nreturn args.i * 1000 + v");
    char args[40];
    for (int i = 1; i <= 300; i++) {
        snprintf(args, sizeof args, "{\"i\":%d}", i);
        CHECK(test_call((uint32_t)(1000 + i), "f", args));
    }
    CHECK_INT(test_worker.call_count, 300);
    CHECK(!test_send_raw(FRAME_CANCEL, FRAME_OK, 1007, 0, ""));
    CHECK(!test_send_raw(FRAME_CANCEL, FRAME_OK, 99, 0, ""));
    for (int i = 300; i >= 1; i--) {
        bool answered = test_send_raw(FRAME_ANSWER, FRAME_OK, (uint32_t)(1000 + i), 1, "[7,1]");
        CHECK(answered == (i != 7));
        if (!answered) continue;
        snprintf(args, sizeof args, "%d", i * 1000 + 7);
        CHECK_TEXT(test_last.data, args);
    }
    CHECK_INT(test_worker.call_count, 0);
    CHECK(test_worker.idle_count <= FIBERS_IDLE_MAX);
    test_stop();
}

static void test_host_calls_work_inside_coroutines_and_pcall(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("local sum = 0\n"
              "local each = coroutine.wrap(function() for i = 1, 2 do coroutine.yield((frond.store.get('plugin', 'k' .. i))) end end)\n"
              "local ok = pcall(function() sum = sum + each() end)\n"
              "local co = coroutine.create(function() return coroutine.wrap(function() return frond.store.get('plugin', 'z') end)() end)\n"
              "local fine, z = coroutine.resume(co)\n"
              "for v in each do sum = sum + v end\n"
              "return {ok, fine, z, sum}");
    CHECK(test_call(5, "f", "{}"));
    CHECK(strstr(test_last.data, "k1"));
    CHECK(test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 1, "[10,1]"));
    CHECK(strstr(test_last.data, "\"z\""));
    CHECK(test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 2, "[\"zed\",1]"));
    CHECK(strstr(test_last.data, "k2"));
    CHECK(test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 3, "[32,1]"));
    CHECK_TEXT(test_last.data, "[true,true,\"zed\",42]");
    test_stop();
}

static void test_all_runs_side_by_side(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("local r = frond.all{\n"
              "  function() return frond.store.get('plugin', 'a') end,\n"
              "  function() return 'at once' end,\n"
              "  function() return nil, 'no_luck' end,\n"
              "  function() error('broken') end,\n"
              "  function() local inner = frond.all{ function() return (frond.store.get('plugin', 'b')) end }; return inner[1].value + 1 end }\n"
              "return { r[1].value, r[2].value, r[3].ok, r[3].code, r[4].code, r[5].value, #r }");
    CHECK(test_call(5, "f", "{}"));
    CHECK_INT(test_frame.kind, FRAME_ASK);
    CHECK_INT(test_frame.ref, 1);
    CHECK(test_next());
    CHECK_INT(test_frame.ref, 2);
    CHECK(!test_next());
    CHECK(!test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 2, "[41,1]"));         // the second one first
    CHECK(test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 1, "[\"A\",1]"));
    CHECK_TEXT(test_last.data, "[\"A\",\"at once\",false,\"no_luck\",\"plugin_error\",42,5]");
    CHECK_INT(test_worker.call_count, 0);
    CHECK(test_call(6, "f", "{}"));
    CHECK(test_next());
    CHECK(!test_send_raw(FRAME_CANCEL, FRAME_OK, 6, 0, ""));               // all its fibers go
    CHECK(!test_send_raw(FRAME_ANSWER, FRAME_OK, 6, 1, "[1,1]"));
    test_stop();
    check_contains("local l = {} for i = 1, 65 do l[i] = function() end end return frond.all(l)", "{}", FRAME_RAISED, "at most 63 functions at once");
    check_contains("return frond.all{ function() coroutine.yield(1) end }", "{}", FRAME_RAISED, "a function given to frond.all cannot yield");
}

// Coroutines may be closed by others while frond.all waits in them. What the group needs must not go with them.
static void test_all_outlives_a_coroutine_that_was_closed(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    CHECK(test_load("local frond, held = require 'frond'\n"
                    "local function all() return frond.all{ function() return frond.store.get('plugin', 'a') end } end\n"
                    "return frond.plugin { calls = {\n"
                    "  own = function() held = coroutine.running() return all() end,\n"
                    "  inner = function() held = coroutine.create(all) return { coroutine.resume(held) } end,\n"
                    "  close = function()\n"
                    "    local ok = coroutine.close(held) held = nil\n"
                    "    for i = 1, 100000 do local garbage = { i } end\n"
                    "    return ok\n"
                    "  end } }"));
    for (int i = 0; i < 2; i++) {
        CHECK(test_call((uint32_t)(10 + i), i ? "inner" : "own", "{}"));
        CHECK_INT(test_frame.kind, FRAME_ASK);
        CHECK(test_call(20, "close", "{}"));
        CHECK_INT(test_frame.kind, FRAME_RESULT);
        CHECK(test_send_raw(FRAME_ANSWER, FRAME_OK, (uint32_t)(10 + i), 1, "[1,1]"));      // an error, but an answer
        CHECK_INT(test_frame.kind, FRAME_RESULT);
        CHECK_INT(test_frame.id, 10 + i);
        CHECK_INT(test_worker.call_count, 0);
    }
    test_stop();
}

static void test_a_call_cannot_be_finished_by_another(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    CHECK(test_load("local frond, held = require 'frond'\n"
                    "return frond.plugin { calls = {\n"
                    "  a = function() held = coroutine.running() return frond.all{ function() return frond.store.get('plugin', 'a') end } end,\n"
                    "  b = function() return { coroutine.resume(held) } end } }"));
    CHECK(test_call(10, "a", "{}"));
    CHECK_INT(test_frame.kind, FRAME_ASK);
    CHECK(test_call(11, "b", "{}"));
    CHECK_INT(test_frame.id, 11);
    CHECK(strstr(test_last.data, "cannot be resumed by others"));
    CHECK(!test_next());
    CHECK(test_send_raw(FRAME_ANSWER, FRAME_OK, 10, 1, "[1,1]"));
    CHECK_INT(test_frame.id, 10);
    CHECK_INT(test_worker.call_count, 0);
    test_stop();
}

// A call is over with its answer: the host ends a worker that speaks for one that is not open.
static void test_what_is_closed_after_an_error_speaks_before_the_answer(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("local x <close> = setmetatable({}, { __close = function() frond.log.info('closed') end })\nerror('boom')");
    CHECK(test_call(5, "f", "{}"));
    CHECK_INT(test_frame.kind, FRAME_ASK);
    CHECK(test_next());
    CHECK_INT(test_frame.kind, FRAME_RESULT);
    CHECK_INT(test_frame.status, FRAME_RAISED);
    CHECK(strstr(test_last.data, "boom") && strstr(test_last.data, "\"line\":4"));
    CHECK(!test_next());
    test_stop();
}

static void test_a_call_streams_before_it_answers(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("ctx:stream('하나') ctx:stream('') local f = coroutine.wrap(function() ctx:stream('two') end) f()\n"
              "local v = frond.store.get('plugin', 'k') ctx:stream('three') return v");
    CHECK(test_call(5, "f", "{}"));
    CHECK(test_frame.kind == FRAME_STREAM && test_frame.id == 5);
    CHECK_TEXT(test_last.data, "하나");
    CHECK(test_next() && test_frame.kind == FRAME_STREAM);               // the empty one says nothing
    CHECK_TEXT(test_last.data, "two");
    CHECK(test_next() && test_frame.kind == FRAME_ASK && !test_next());
    CHECK(test_send_raw(FRAME_ANSWER, FRAME_OK, 5, 1, "[7,1]"));
    CHECK_TEXT(test_last.data, "three");
    CHECK(test_next() && test_frame.kind == FRAME_RESULT);
    CHECK_TEXT(test_last.data, "7");
    CHECK(!test_next());
    test_stop();
    check_contains("ctx:stream(('x'):rep(8193))", "{}", FRAME_RAISED, "ctx:stream takes at most 8192 bytes at once, got 8193");
    check_contains("ctx:stream('\xea\xb0')", "{}", FRAME_RAISED, "a character was cut");
    check_contains("ctx:stream(nil)", "{}", FRAME_RAISED, "string expected");
    check_contains("ctx.stream('a', 'b')", "{}", FRAME_RAISED, "table expected");
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("for i = 1, 16 do ctx:stream(('x'):rep(8192)) end ctx:stream('y')");
    CHECK(test_call(5, "f", "{}"));
    for (int i = 0; i < 16; i++, test_next()) CHECK(test_frame.kind == FRAME_STREAM && test_frame.len == STREAM_PIECE_BYTES_MAX);
    CHECK(test_frame.kind == FRAME_RESULT && test_frame.status == FRAME_RAISED && strstr(test_last.data, "a call may stream at most 131072 bytes"));
    test_stop();
    check_body("return ctx.stream ~= nil and getmetatable(ctx)", "{}", FRAME_OK, "false");
    check_contains("return ctx", "{}", FRAME_OK, "\"source\":\"http\"");                              // still plain data
}

static void test_wrong_arguments_raise_with_their_place(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    test_load("local frond = require 'frond'\n"
              "\n"
              "local function pay(ctx, args)\n"
              "  -- a comment\n"
              "  return frond.ledger.charge{ player = ctx.player.id, asset = 'PALM', amount = 'ten', key = 'k' }\n"
              "end\n"
              "return frond.plugin{ calls = { pay = function(ctx, args) local r = pay(ctx, args) return r end } }\n");
    CHECK(test_call(2, "pay", "{}"));
    CHECK_INT(test_frame.status, FRAME_RAISED);
    CHECK_TEXT(test_last.data,
        "{\"code\":\"plugin_error\",\"detail\":\"bad argument 'amount' to ledger.charge: expected an integer amount in base units of 1 or more, got string\","
        "\"file\":\"main.lua\",\"line\":5,\"frame\":\"  2 | \\n  3 | local function pay(ctx, args)\\n  4 |   -- a comment\\n"
        "> 5 |   return frond.ledger.charge{ player = ctx.player.id, asset = 'PALM', amount = 'ten', key = 'k' }\\n"
        "  6 | end\\n  7 | return frond.plugin{ calls = { pay = function(ctx, args) local r = pay(ctx, args) return r end } }\\n\","
        "\"trace\":\"main.lua:5 in pay\\nmain.lua:7\"}");
    test_stop();
    check_contains("return frond.store.get('plugin')", "{}", FRAME_RAISED, "bad argument 'key' to store.get: expected a text of 1 to 256 bytes, got nothing");
    check_contains("return frond.store.get('plugin', ('x'):rep(257))", "{}", FRAME_RAISED, "got one of 257 bytes");
    check_contains("return frond.store.get('plugin', 'k', 1)", "{}", FRAME_RAISED, "store.get takes 2 arguments, got 3");
    check_contains("return frond.ledger.charge{ player='7', asset='PALM', amout=1, key='k' }", "{}", FRAME_RAISED, "knows no argument 'amout' (there are: player, asset, amount, split, key)");
    check_contains("return frond.ledger.charge{ player='7', asset='PALM', amount=1.5, key='k' }", "{}", FRAME_RAISED, "got the float 1.5");
    check_contains("return frond.ledger.charge{ player='7', asset='PALM', amount=0, key='k' }", "{}", FRAME_RAISED, "got 0");
    check_contains("return frond.store.put('plugin', 'k', {a={1,2,print=function() end}})", "{}", FRAME_RAISED, "bad argument 'value.a' to store.put: a table with both list items");
    check_contains("return frond.store.put('plugin', 'k', {a={function() end}})", "{}", FRAME_RAISED, "bad argument 'value.a[1]' to store.put: a function is not plain data");
    check_contains("table.sort({3,2,1}, function() frond.store.get('plugin', 'k') end)", "{}", FRAME_RAISED, "nothing can wait inside table.sort");
    check_contains("local t = {} t.t = t return t", "{}", FRAME_RAISED, "nested too deep (or a cycle)");
    check_contains("return {a = {b = function() end}}", "{}", FRAME_RAISED, "result.a.b: a function is not plain data");
    check_contains("return '\\xff'", "{}", FRAME_RAISED, "must be UTF-8");
    check_contains("return 'a\\0b'", "{}", FRAME_RAISED, "NUL");
    check_contains("return {[7] = 1}", "{}", FRAME_RAISED, "use text keys");
    check_contains("return 0/0", "{}", FRAME_RAISED, "nan");
    check_contains("return ('x'):rep(300000)", "{}", FRAME_RAISED, "longer than 262144 bytes");
    check_contains("error({})", "{}", FRAME_RAISED, "an error object that is a table");
    check_contains("local x = nil; return x.y", "{}", FRAME_RAISED, "attempt to index a nil value (local 'x')");
    check_contains("local c = coroutine.wrap(function() error('inner') end); c()", "{}", FRAME_RAISED, "\"detail\":\"inner\",\"file\":\"main.lua\",\"line\":3");
    check_contains("coroutine.yield(1)", "{}", FRAME_RAISED, "attempt to yield from outside a coroutine");
}

static void test_amounts_travel_as_text(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("return frond.ledger.charge{ player='7', asset='PALM', amount=1000000000000000000, key='k' }");
    test_call(5, "f", "{}");
    CHECK_TEXT(test_last.data, "{\"player\":\"7\",\"asset\":\"PALM\",\"amount\":\"1000000000000000000\",\"key\":\"k\"}");
    test_stop();
}

static void test_logs_are_sent_without_waiting(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("log.info('hi', {n = 1}) return 2");
    test_call(5, "f", "{}");
    CHECK_INT(test_frame.kind, FRAME_ASK);
    CHECK_INT(test_frame.ref, 0);
    CHECK_INT(test_frame.id, 5);
    CHECK_TEXT(test_last.data, "{\"text\":\"hi\",\"fields\":{\"n\":1}}");
    CHECK(test_next());
    CHECK_TEXT(test_last.data, "2");
    test_stop();
}

static void load_fails(const char *main_lua, const char *want)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    CHECK(test_load(main_lua));
    CHECK_INT(test_frame.kind, FRAME_LOADED);
    CHECK(test_frame.status != FRAME_OK);
    if (!strstr(test_last.data, want)) CHECK_TEXT(test_last.data, want);
    CHECK(strstr(test_last.data, want));
    test_stop();
}

static void test_loading_tells_what_is_wrong(void)
{
    load_fails("local x = \nreturn 1", "\"file\":\"main.lua\",\"line\":2,\"frame\":\"  1 | local x = \\n> 2 | return 1\\n\"");
    load_fails("return 1", "main.lua must return frond.plugin{...} or frond.game{...}, it returned number");
    load_fails("return {}", "it returned another table");
    load_fails("local f = require 'frond' local d = f.plugin{ cals = {} } return d", "frond.plugin knows no 'cals' (did you mean 'calls'?)\",\"file\":\"main.lua\",\"line\":1");
    load_fails("return require('frond').plugin{ calls = { a = 1 } }", "frond.plugin calls.a must be a function, got number");
    load_fails("return require('frond').game{ new = function() end }", "frond.game needs view to be a function, got nil");
    load_fails("return require 'nothing'", "there is no module 'nothing'");
    load_fails("local f = require 'frond'\nf.store.get('plugin', 'k')", "call it inside a handler, not while the plugin loads");
    load_fails("error('no')", "\"detail\":\"no\",\"file\":\"main.lua\",\"line\":1");
    load_fails("while true do end", "cpu_limit");
    load_fails("local t = {} while true do t[#t + 1] = ('x'):rep(1 << 26) end", "memory_limit");
    load_fails("\x1bLua", "attempt to load a binary chunk");
}

static void test_modules_are_found_by_both_names_once(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    CHECK(test_send(FRAME_LOAD, 1, 0, TEST_OPTIONS, "main.lua",
        "local a, b, c = require 'rules', require 't.rules', require 'lib.deck'\nreturn require('frond').plugin{ calls = { f = function() return { a == b, a.n, c.n, (select(2, pcall(require, 'lib/deck'))) } end } }",
        "rules.lua", "count = (count or 0) + 1\nreturn { n = count }", "lib/deck.lua", "count = count + 1 return { n = count }", NULL));
    CHECK_INT(test_frame.status, FRAME_OK);
    test_call(2, "f", "{}");
    CHECK(strstr(test_last.data, "[true,1,2,"));
    test_stop();
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    CHECK(test_send(FRAME_LOAD, 1, 0, TEST_OPTIONS, "main.lua", "require 'a'", "a.lua", "require 'b'", "b.lua", "require 'a'", NULL));
    CHECK(strstr(test_last.data, "modules require each other in a circle: b.lua needs a.lua, which is still loading"));
    test_stop();
}

static void test_the_sandbox_has_no_doors(void)
{
    check_body("return { io == nil, os == nil, debug == nil, package == nil, dofile == nil, loadfile == nil, print == nil, collectgarbage == nil, warn == nil, string.dump == nil }", "{}",
               FRAME_OK, "[true,true,true,true,true,true,true,true,true,true]");
    check_body("return load('\\27Lua') == nil", "{}", FRAME_OK, "true");
    check_body("return { (select(2, load('\\27Lua', 'x', 'b'))) }", "{}", FRAME_OK, "[\"attempt to load a binary chunk (mode is 't')\"]");
    check_body("return load('return 1 + ...')(41)", "{}", FRAME_OK, "42");
    check_body("return { pcall(setmetatable, {}, {__gc = function() end}) }", "{}", FRAME_OK, "[false,\"a metatable must not have __gc: finalizers run at moments that nobody chose\"]");
    check_body("return (pcall(setmetatable, {}, {__mode = 'k'}))", "{}", FRAME_OK, "false");
    check_contains("local mt, weak = {} weak = setmetatable({}, mt) mt.__mode = 'k' weak[{}] = true\n"
                   "for i = 1, 200000 do local garbage = {} end\nlocal n = 0 for _ in pairs(weak) do n = n + 1 end return n", "{}", FRAME_OK, "1");     // set afterwards: not heard
    check_body("return getmetatable('')", "{}", FRAME_OK, "false");
    check_body("return (pcall(string.format, '%p', {}))", "{}", FRAME_OK, "false");
    check_body("return tostring({})", "{}", FRAME_OK, "\"table: 0x0\"");
    check_contains("leak = 1", "{}", FRAME_RAISED, "global 'leak' cannot be written after loading: write 'local leak', or keep data in store");
    check_contains("return math.random(6)", "{}", FRAME_RAISED, "use random.int(lo, hi)");
}

// ---- trips

static const char *const loops[] = {
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(coroutine.wrap(function() while true do end end)) end",
    "local function deep(n) if n == 0 then while true do end end return (pcall(deep, n - 1)) end while true do deep(50) end",
    "local function wrapped(n) if n == 0 then while true do end end return coroutine.wrap(function() wrapped(n - 1) end)() end while true do pcall(wrapped, 20) end",
    "while true do xpcall(function() while true do end end, function() while true do end end) end",
    "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end",
    "repeat local ok = pcall(error) until false",
    "while true do local c <close> = setmetatable({}, {__close = function() while true do end end}) end",
    "for i = 1, math.maxinteger do local s = ('x'):rep(10) end",
    "while true do table.sort({3,2,1}, function(a, b) while true do end end) end",
    "while true do ('x'):gsub('x', function() while true do end end) end",
    "local co = coroutine.create(function() while true do end end) while true do coroutine.resume(co) coroutine.close(co) end",
    "local f = function() end while true do load('return 1')() end",
    "while true do frond.all{ function() while true do end end } end",
};

static void test_loops_end_softly_and_the_worker_goes_on(void)
{
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) {
        char body[1000];
        snprintf(body, sizeof body, "if args.go then return 'fine' end\n%s\nlog.info('ran on')", loops[i]);
        test_start(WORKER_HEAP_BYTES_DEFAULT);
        load_body(body);
        CHECK_INT(test_frame.status, FRAME_OK);
        CHECK(test_call(2, "f", "{}"));
        CHECK_INT(test_frame.kind, FRAME_RESULT);                          // no log line: nothing ran on
        if (test_frame.status != FRAME_TRIPPED_CPU) printf("  %s: %s\n", loops[i], test_last.data);
        CHECK_INT(test_frame.status, FRAME_TRIPPED_CPU);
        CHECK(strstr(test_last.data, "\"code\":\"cpu_limit\",\"detail\":\"the turn ran for more than 100 ms of CPU\",\"file\":\"main.lua\",\"line\":"));
        CHECK(!test_next());
        CHECK(test_call(3, "f", "{\"go\":true}"));
        CHECK_TEXT(test_last.data, "\"fine\"");
        CHECK_INT(test_worker.call_count, 0);
        test_stop();
    }
}

static const char *const hogs[] = {
    "local t = {} while true do t[#t + 1] = {} end",
    "local s = 'x' while true do s = s .. s end",
    "return ('x'):rep(1 << 30)",
    "local t = {} while true do pcall(function() while true do t[#t + 1] = ('y'):rep(100) .. #t end end) end",
    "local t = {} while true do t[#t + 1] = coroutine.create(function() end) end",
    "local t = {} xpcall(function() while true do t[#t + 1] = {} end end, function() while true do t[#t + 1] = {} end end) log.info('ran on')",
    "local t = {} local co = coroutine.wrap(function() while true do t[#t + 1] = {1} end end) pcall(co) log.info('ran on')",
};

static void test_memory_trips_and_is_given_back(void)
{
    for (size_t i = 0; i < sizeof hogs / sizeof *hogs; i++) {
        char body[1000];
        snprintf(body, sizeof body, "if args.go then return 'fine' end\n%s", hogs[i]);
        test_start(4 * 1024 * 1024);
        load_body(body);
        size_t before = test_worker.heap.used;
        CHECK(test_call(2, "f", "{}"));
        CHECK_INT(test_frame.kind, FRAME_RESULT);
        if (test_frame.status != FRAME_TRIPPED_MEMORY) printf("  %s: %s\n", hogs[i], test_last.data);
        CHECK_INT(test_frame.status, FRAME_TRIPPED_MEMORY);
        CHECK(!test_next());
        CHECK(test_worker.heap.used < before + 100000);
        CHECK(test_page.heap_peak_bytes <= 4 * 1024 * 1024);
        CHECK(test_call(3, "f", "{\"go\":true}"));
        CHECK_TEXT(test_last.data, "\"fine\"");
        test_stop();
    }
}

static void test_recursion_raises(void)
{
    check_contains("local function r() return 1 + r() end return r()", "{}", FRAME_RAISED, "stack overflow");
    check_contains("local function r() return pcall(r) end return r()", "{}", FRAME_OK, "");
    check_contains("local s = ('('):rep(1000) .. '1' .. (')'):rep(1000) return { load('return ' .. s) == nil }", "{}", FRAME_OK, "[true]");
    check_contains("local co = coroutine.wrap(function() return 1 end) for i = 1, 300 do local c = co co = coroutine.wrap(function() return c() end) end return co()", "{}", FRAME_RAISED, "");
}

static void test_the_page_names_who_runs(void)
{
    test_start(WORKER_HEAP_BYTES_DEFAULT);
    load_body("return 1");
    uint32_t before = test_page.turns;
    test_call(77, "f", "{}");
    CHECK_INT(test_page.turns, before + 1);
    CHECK_INT(test_page.running_id, 0);
    CHECK(test_page.heap_bytes > 10000 && test_page.heap_peak_bytes >= test_page.heap_bytes);
    test_stop();
}

static bool said(const char *text) { return memmem(test_last.data, test_last.len, text, strlen(text)); }

// Loads, calls, asks, opens a match and turns it. True when every answer came and said that all went well.
static bool run_everything(void)
{
    static const char setup[] = "{\"id\":\"m\",\"mode\":\"c\",\"asset\":\"PALM\",\"stake\":\"5\",\"now_ms\":1,\"players\":[{\"id\":\"7\",\"name\":\"A\"}],\"options\":[{}]}";
    int answers = 0, fine = 0;
    test_load("local frond = require 'frond'\nreturn frond.plugin{ calls = { f = function(ctx, a) local r = frond.all{ function() return frond.store.get('plugin', a.k) end } return r end },\n"
              "game = frond.game{ new = function(m) return { n = 0 } end, view = function(m, s) return s end, input = { go = function(m, s) s.n = m:int(1, 6) m:emit('all', 'x') end } } }");
    for (int step = 0; step < 5; step++) {
        if (step == 1) test_call(2, "f", "{\"k\":\"key\"}");
        if (step == 2) test_send_raw(FRAME_ANSWER, FRAME_OK, 2, 1, "[{\"a\":[1,2,3]},7]");
        if (step == 3) test_send(FRAME_MATCH_OPEN, 3, 0, setup, "0123456789abcdef0123456789abcdef", NULL);
        if (step == 4) test_send(FRAME_MATCH_TURN, 4, 0, "{\"n\":1,\"kind\":\"input\",\"seat\":1,\"name\":\"go\",\"args\":{},\"now_ms\":2}", NULL);
        if (test_frame.kind == 0) break;
        answers++;
        if (test_frame.status == FRAME_OK) fine++;
        else if (test_frame.status == FRAME_RAISED) CHECK(said("memory") || said("nothing is loaded") || said("match_unknown"));
        if (step == 0 && fine == 0) break;
    }
    return answers == 5 && fine == 5;
}

static void test_any_allocation_may_fail(void)
{
    int64_t nth = 1;
    for (bool all = false; !all; nth += 1 + nth / 40) {
        test_start(WORKER_HEAP_BYTES_DEFAULT);
        CHECK(fr_buf_reserve(&test_in, 100000) && fr_buf_reserve(&test_last, 100000));     // the test's own memory is there
        fr_mem_fail_at(nth);
        all = run_everything();
        fr_mem_fail_at(0);
        test_stop();
        CHECK(nth < 100000);
        if (nth >= 100000) return;
    }
    CHECK(nth > 100);
    printf("  %lld allocations\n", (long long)nth);
}

int main(void)
{
    turn_expect_slow(20);
    TEST(test_a_call_gets_its_arguments_and_gives_its_result);
    TEST(test_the_definition_is_described);
    TEST(test_host_calls_wait_and_resume);
    TEST(test_a_refusal_of_the_world_is_nil_code_detail);
    TEST(test_many_calls_wait_at_once_and_any_may_be_cancelled);
    TEST(test_host_calls_work_inside_coroutines_and_pcall);
    TEST(test_all_runs_side_by_side);
    TEST(test_all_outlives_a_coroutine_that_was_closed);
    TEST(test_a_call_cannot_be_finished_by_another);
    TEST(test_what_is_closed_after_an_error_speaks_before_the_answer);
    TEST(test_a_call_streams_before_it_answers);
    TEST(test_wrong_arguments_raise_with_their_place);
    TEST(test_amounts_travel_as_text);
    TEST(test_logs_are_sent_without_waiting);
    TEST(test_loading_tells_what_is_wrong);
    TEST(test_modules_are_found_by_both_names_once);
    TEST(test_the_sandbox_has_no_doors);
    turn_expect_slow(1);
    TEST(test_loops_end_softly_and_the_worker_goes_on);
    turn_expect_slow(20);
    TEST(test_memory_trips_and_is_given_back);
    TEST(test_recursion_raises);
    TEST(test_the_page_names_who_runs);
    TEST(test_any_allocation_may_fail);
    return TEST_END();
}
