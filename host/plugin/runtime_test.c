// runtime_test.c — plugins in real workers: opened, crashed, switched off and on, and remembered by the store.
#include "plugin/world.h"

static const char *const shapes[][3] = {
    { "return frond.plugin { calls = { a = f } }", "\"a\":{},\"b\":{}", "plugin.json declares the call \"b\", and main.lua does not define it" },
    { "return frond.plugin { calls = { a = f, b = f } }", "\"a\":{}", "main.lua defines the call \"b\", and plugin.json does not declare it under calls: nobody could call it" },
    { "return frond.game { new = f, view = f }", "", "main.lua defines a game, and plugin.json has no modes to play it in" },
    { "return 7", "", NULL },
    { "x = = 1", "", NULL },
};

static void test_definitions_that_do_not_match(void)
{
    begin();
    struct fr_err err = { 0 };
    for (int i = 0; i < 5; i++) {
        char id[8], lua[300];
        snprintf(id, sizeof id, "p%d", i);
        snprintf(lua, sizeof lua, "local frond = require 'frond'\nlocal function f() end\n%s\n", shapes[i][0]);
        put_plugin("p", id, shapes[i][1], lua);
    }
    CHECK(open_plugins("p", true, &err) == FR_OK);
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        struct plugin *p = wait_state(id, PLUGIN_FAILED);
        if (shapes[i][2]) CHECK_TEXT(p->error.text, shapes[i][2]);
        CHECK(!p->current->workers[0].sandbox && *p->error.text);
        refused(id, "a", "{}", "7", FR_E_BUSY, "plugin_failed", NULL);
    }
    CHECK(strstr(plugins_find(plugins, "p4")->error.text, "main.lua:3: ") != NULL);
    CHECK_INT(ups, 0);
    end();
}

static const char game_head[] = "\"id\":\"g\",\"name\":\"G\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"game\"";
static void test_games_that_do_not_match(void)
{
    static const char *const cases[][3] = {
        { "\"modes\":{\"m\":{\"seats\":2}}", "return frond.plugin { calls = {} }",
          "plugin.json has modes, and main.lua defines no game: return frond.game{...}, or frond.plugin{game = frond.game{...}}" },
        { "\"modes\":{\"m\":{\"seats\":2}},\"inputs\":{\"play\":{}}", "return frond.game { new = f, view = f, input = {} }",
          "plugin.json declares the input \"play\", and the game in main.lua does not define it" },
        { "\"modes\":{\"m\":{\"seats\":2}}", "return frond.game { new = f, view = f, input = { play = f } }",
          "the game in main.lua defines the input \"play\", and plugin.json does not declare it under inputs: nobody could send it" },
        { "\"modes\":{\"m\":{\"seats\":2,\"bot\":true}}", "return frond.game { new = f, view = f, input = {} }", "modes.m.bot is true, and the game in main.lua defines no bot" },
        { "\"modes\":{\"m\":{\"seats\":2,\"tick_hz\":5}}", "return frond.game { new = f, view = f, input = {} }", "modes.m.tick_hz is 5, and the game in main.lua defines no tick" },
        { "\"modes\":{\"m\":{\"seats\":2,\"bot\":true,\"tick_hz\":5}},\"inputs\":{\"play\":{}}", "return frond.game { new = f, view = f, bot = f, tick = f, input = { play = f } }", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1000];
        struct fr_err err = { 0 };
        begin();
        snprintf(text, sizeof text, "{%s,%s}", game_head, cases[i][0]);
        put("p", "g", "plugin.json", text);
        snprintf(text, sizeof text, "local frond = require 'frond'\nlocal function f() end\n%s\n", cases[i][1]);
        put("p", "g", "main.lua", text);
        CHECK(open_plugins("p", true, &err) == FR_OK);
        struct plugin *p = wait_state("g", *cases[i][2] ? PLUGIN_FAILED : PLUGIN_UP);
        if (p) CHECK_TEXT(p->error.text, cases[i][2]);
        end();
    }
}

// A manifest that cannot be read is still listed, under its folder's name, and hurts nobody.
static void test_broken_packages_are_listed_with_their_error(void)
{
    begin();
    struct fr_err err = { 0 };
    put("p", "My Game", "plugin.json", "{\"id\":");
    put("p", "a-twin", "plugin.json", "{\"id\":\"demo\",\"name\":\"T\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\"}");
    put("p", "a-twin", "main.lua", "return require 'frond'.plugin {}");
    put("p", "nothing", "notes.txt", "no plugin here");
    open_demo();
    struct plugin *broken = plugins_find(plugins, "my-game"), *twin = plugins_find(plugins, "demo");
    CHECK(broken && broken->state == PLUGIN_FAILED && broken->package && broken->package->manifest);
    if (broken) CHECK(strstr(broken->error.text, "My Game: plugin.json: "));
    CHECK(twin && strstr(twin->package->folder, "a-twin"));         // by name the first, and the other one is in the log
    int count = 0;
    for (struct plugin *p = plugins_next(plugins, NULL); p; p = plugins_next(plugins, p)) count++;
    CHECK_INT(count, 2);
    CHECK(plugins_find(plugins, "nothing") == NULL);
    plugins_close(plugins);
    plugins = NULL;
    CHECK_INT(open_plugins("missing", true, &err), FR_E_NOT_FOUND);
    CHECK(strstr(err.text, "there is no such folder") != NULL);
    end();
}

// ---- crashes

static void test_three_crashes_within_a_minute_are_quarantine(void)
{
    begin();
    open_demo();
    struct plugin *p = plugins_find(plugins, "demo");
    static const char *const players[] = { "7", "8", "7" };
    for (int i = 1; i <= 3; i++) {
        calling = players[i - 1];
        struct answered a = call("demo", "stuck", "");          // a pattern that never reaches a hook: the host kills
        CHECK_INT(a.status, FR_E_INTERNAL);
        CHECK_TEXT(a.code, "cpu_limit");
        wait_state("demo", i < 3 ? PLUGIN_UP : PLUGIN_QUARANTINED);
    }
    calling = "7";
    CHECK_INT(downs, 3);
    CHECK_TEXT(last_death, "cpu_limit");
    CHECK_TEXT(p->error.code, "plugin_quarantined");
    CHECK(strstr(p->error.text, "3 times within a minute") != NULL);
    CHECK(!p->current->workers[0].sandbox);
    refused("demo", "echo", "{}", "9", FR_E_BUSY, "plugin_failed", NULL);
    CHECK(strstr(log_of(p), "its worker ended: cpu_limit") != NULL);
    end();
}

// One player breaks it again and again: the player goes, the plugin stays.
static void test_the_operators_kills_are_nobodys_fault(void)
{
    begin();
    open_demo();
    struct plugin *p = plugins_find(plugins, "demo");
    for (int i = 1; i <= 5; i++) {
        sandbox_worker_kill(p->current->workers[0].sandbox);
        wait_state("demo", PLUGIN_DOWN);
        refused("demo", "echo", "{}", "7", FR_E_BUSY, "plugin_starting", "demo is starting: try again");
        wait_state("demo", PLUGIN_UP);
    }
    CHECK_INT(ups, 6);
    CHECK_TEXT(last_death, "killed");
    CHECK_TEXT(call("demo", "strict", "{\"n\":9}").json, "9");
    end();
}

// ---- on and off

static void test_switching_off_lasts_and_on_again_starts(void)
{
    begin();
    open_demo();
    struct answered waiting;
    struct plugin_caller who = caller("7");
    struct fr_err err = { 0 };
    CHECK_INT(plugins_enable(plugins, "nobody", true, on_switched, NULL, &err), FR_E_NOT_FOUND);
    CHECK_TEXT(err.code, "plugin_unknown");
    CHECK(start("demo", "spin", "", &who, &waiting, &err) == FR_OK);
    CHECK_INT(enable("demo", false).status, FR_OK);
    CHECK_INT(waiting.count, 1);                               // an open call is answered, whatever happens to its worker
    CHECK_INT(plugins_find(plugins, "demo")->state, PLUGIN_DISABLED);
    refused("demo", "echo", "{}", "7", FR_E_BUSY, "plugin_disabled", "demo is switched off");
    reopen();
    CHECK_INT(plugins_find(plugins, "demo")->state, PLUGIN_DISABLED);
    CHECK(!plugins_find(plugins, "demo")->current->workers[0].sandbox);
    CHECK_INT(enable("demo", true).status, FR_OK);
    wait_state("demo", PLUGIN_UP);
    reopen();
    wait_state("demo", PLUGIN_UP);
    CHECK_INT(enable("demo", true).status, FR_OK);             // on already: nothing happens
    CHECK_INT(plugins_find(plugins, "demo")->state, PLUGIN_UP);
    end();
}

static void test_strangers_are_not_trusted(void)
{
    begin();
    struct fr_err err = { 0 };
    put_plugin("p", "demo", demo_calls, demo_lua);
    CHECK(open_plugins("p", false, &err) == FR_OK);
    CHECK_INT(plugins_find(plugins, "demo")->state, PLUGIN_DISABLED);
    CHECK_INT(enable("demo", true).status, FR_OK);
    wait_state("demo", PLUGIN_UP);
    end();
}

static void test_enabling_reads_a_mended_package_again(void)
{
    begin();
    struct fr_err err = { 0 };
    put_plugin("p", "demo", demo_calls, "x = = 1");
    CHECK(open_plugins("p", true, &err) == FR_OK);
    struct plugin *p = wait_state("demo", PLUGIN_FAILED);
    char before[65];
    snprintf(before, sizeof before, "%s", p->package->sha256);
    put("p", "demo", "plugin.json", "{");
    CHECK_INT(enable("demo", true).status, FR_E_INVALID);
    CHECK_INT(p->state, PLUGIN_FAILED);
    put_plugin("p", "demo", demo_calls, "\nx = = 2");
    struct switched broken = enable("demo", true);           // told when it is known, not when it is written
    CHECK(broken.status != FR_OK);
    CHECK(strstr(broken.text, "main.lua:2: ") != NULL);
    CHECK_INT(p->state, PLUGIN_FAILED);
    put_plugin("p", "demo", demo_calls, demo_lua);
    CHECK_INT(enable("demo", true).status, FR_OK);
    CHECK_INT(p->state, PLUGIN_UP);
    CHECK(wait_state("demo", PLUGIN_UP) == p);
    CHECK(strcmp(before, p->package->sha256) != 0);
    CHECK_TEXT(p->error.text, "");
    end();
}

static void test_closing_with_a_switch_in_flight(void)
{
    begin();
    open_demo();
    struct switched s = { 0 };
    struct fr_err err = { 0 };
    CHECK(plugins_enable(plugins, "demo", false, on_switched, &s, &err) == FR_OK);
    plugins_close(plugins);
    plugins = NULL;
    CHECK(run_until(is_switched, &s));
    CHECK_INT(s.status, FR_OK);
    end();
}

// The host stops its workers first and frees plugins last: between the two nothing starts, and pointers stay good.
static void test_stopped_plugins_stay_and_do_not_start(void)
{
    begin();
    open_demo();
    struct plugin *p = plugins_find(plugins, "demo");
    struct plugin_caller who = caller("7");
    struct answered waiting;
    struct fr_err err = { 0 };
    CHECK(start("demo", "spin", "", &who, &waiting, &err) == FR_OK);
    plugins_stop(plugins);
    CHECK_INT(waiting.count, 1);
    CHECK(plugins_find(plugins, "demo") == p && !p->current->workers[0].sandbox);
    refused("demo", "echo", "{}", "7", FR_E_BUSY, "plugin_disabled", NULL);
    CHECK_INT(enable("demo", true).status, FR_OK);
    CHECK(!p->current->workers[0].sandbox);
    CHECK_INT(plugins_add_folder(plugins, p->package->folder, &p, &err), FR_E_BUSY);
    end();
}

// ---- logs and terms

static void test_the_log_keeps_the_last_lines(void)
{
    begin();
    open_demo();
    struct plugin *p = plugins_find(plugins, "demo");
    FR_AUTO_BUF(text);
    FR_AUTO(fr_json) lines = NULL;
    struct fr_err err = { 0 };
    char long_text[3000];
    for (int i = 1; i <= PLUGIN_LOG_LINES_MAX + 1; i++) {
        snprintf(long_text, sizeof long_text, "line %d \"\xc3\xa9\"", i);
        plugin_log_add(p, "info", long_text, i % 2 ? "{\"a\":1}" : NULL);
    }
    fr_buf_init(&text, 4 << 20);
    plugin_log_print(p, 1000, &text);
    CHECK(fr_json_parse(text.data, text.len, &lines, &err) == FR_OK);
    CHECK_INT(fr_json_size(lines), PLUGIN_LOG_LINES_MAX);
    CHECK(strstr(text.data, "\"line 1 ") == NULL && strstr(text.data, "\"line 2 ") && strstr(text.data, "\"line 501 "));
    fr_buf_clear(&text);
    plugin_log_print(p, 2, &text);
    CHECK(strstr(text.data, "line 499") == NULL && strstr(text.data, "line 500") && strstr(text.data, "line 501"));
    fr_buf_clear(&text);
    plugin_log_print(p, 0, &text);
    CHECK_TEXT(text.data, "[]");

    memset(long_text, '\x01', sizeof long_text - 1);                        // each becomes six bytes, and it is cut first
    long_text[sizeof long_text - 1] = 0;
    plugin_log_add(p, "warn", long_text, "{\"a\":1}");
    plugin_log_add(p, "warn", "bad fields", "{\"a\":");
    fr_buf_clear(&text);
    plugin_log_print(p, 2, &text);
    FR_AUTO(fr_json) last = NULL;
    CHECK(fr_json_parse(text.data, text.len, &last, &err) == FR_OK);
    CHECK(text.len < 16000 && strstr(text.data, "bad fields") && !strstr(text.data, "\"a\":"));
    end();
}

static void test_terms_follow_the_splits_not_their_spelling(void)
{
    static const char *const splits[] = { "{\"b\":{\"plugin\":10000},\"a\":{\"burn\":5000,\"plugin\":5000}}", "{\"a\":{\"plugin\":5000,\"author\":0,\"burn\":5000},\"b\":{\"plugin\":10000}}",
                                          "{\"a\":{\"plugin\":5001,\"burn\":4999},\"b\":{\"plugin\":10000}}" };
    char terms[3][65];
    for (int i = 0; i < 3; i++) {
        char text[900];
        struct fr_err err = { 0 };
        begin();
        snprintf(text, sizeof text, "{\"id\":\"s\",\"name\":\"S\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\","
                                    "\"grants\":{\"ledger\":{\"why\":\"w\",\"assets\":[\"PALM\"]}},\"splits\":%s}", splits[i]);
        put("p", "s", "plugin.json", text);
        put("p", "s", "main.lua", "return require 'frond'.plugin {}");
        CHECK(open_plugins("p", false, &err) == FR_OK);
        snprintf(terms[i], sizeof terms[i], "%s", plugins_find(plugins, "s")->terms);
        end();
    }
    CHECK_INT(strlen(terms[0]), 64);
    CHECK_TEXT(terms[1], terms[0]);
    CHECK(strcmp(terms[2], terms[0]) != 0);
}

int main(void)
{
    tests_begin();
    TEST(test_definitions_that_do_not_match);
    TEST(test_games_that_do_not_match);
    TEST(test_broken_packages_are_listed_with_their_error);
    TEST(test_three_crashes_within_a_minute_are_quarantine);
    TEST(test_the_operators_kills_are_nobodys_fault);
    TEST(test_switching_off_lasts_and_on_again_starts);
    TEST(test_strangers_are_not_trusted);
    TEST(test_enabling_reads_a_mended_package_again);
    TEST(test_closing_with_a_switch_in_flight);
    TEST(test_stopped_plugins_stay_and_do_not_start);
    TEST(test_the_log_keeps_the_last_lines);
    TEST(test_terms_follow_the_splits_not_their_spelling);
    return TEST_END();
}
