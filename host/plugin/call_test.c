// call_test.c — a call in a real worker: refused early, answered, judged, blamed, and what it costs.
#include "plugin/world.h"

static void test_a_call_goes_through_and_back(void)
{
    begin();
    open_demo();
    struct answered a = call("demo", "echo", "[1,\"two\"]");
    CHECK_INT(a.status, FR_OK);
    CHECK(strstr(a.json, "\"player\":{\"id\":\"7\",\"lang\":\"en\",\"name\":\"A\\\"nn\"}") || strstr(a.json, "\"name\":\"A\\\"nn\""));
    CHECK(strstr(a.json, "\"request_id\":\"r-1\"") && strstr(a.json, "\"source\":\"http\"") && strstr(a.json, "[1,\"two\"]") && !strstr(a.json, "\"key\""));
    a = call("demo", "clock", "");                             // an ask of its own, and the worker waits for it
    CHECK_TEXT(a.json, "1234");
    CHECK_INT(plugins_find(plugins, "demo")->calls, 2);
    CHECK_INT(ups, 1);
    end();
}

static void test_refusals_before_lua_runs(void)
{
    begin();
    open_demo();
    char big[CALL_ARGS_BYTES_MAX + 2];
    refused("demo", "nothing", "{}", "7", FR_E_NOT_FOUND, "function_unknown", "demo has no function \"nothing\"");
    refused("demo", "boom", "{}", "", FR_E_AUTH, "player_required", "demo.boom needs a signed-in player");
    refused("demo", "boom", "{\"x\":1}", "7", FR_E_INVALID, "bad_arguments", "args: expected no arguments, got object with members");
    refused("demo", "strict", "{\"n\":0}", "7", FR_E_INVALID, "bad_arguments", "args.n: expected an integer of at least 1, got 0");
    refused("demo", "strict", "", "7", FR_E_INVALID, "bad_arguments", "args.n: expected an integer of at least 1, got nothing");
    refused("demo", "strict", "{\"n\":", "7", FR_E_INVALID, "bad_arguments", NULL);
    refused("demo", "echo", " {\"n\":", "7", FR_E_INVALID, "bad_arguments", "args: line 1, column 7: expected a value, got the end of the text");   // its schema takes anything
    refused("demo", "echo", "{\"n\":1,\"n\":2}", "7", FR_E_INVALID, "bad_arguments", "args: line 1, column 8: duplicate key \"n\"");
    memset(big, ' ', sizeof big);
    big[sizeof big - 1] = 0;
    refused("demo", "echo", big, "7", FR_E_LIMIT, "limit", "arguments of 65537 bytes, and 65536 are the most");
    struct plugin_caller deep = caller("7");
    struct answered to;
    struct fr_err err = { 0 };
    deep.depth = 5;
    CHECK_INT(start("demo", "echo", "{}", &deep, &to, &err), FR_E_LIMIT);
    CHECK_TEXT(err.code, "call_depth");
    CHECK_INT(plugins_find(plugins, "demo")->calls, 0);
    end();
}

static void test_refusals_and_mistakes_of_the_plugin(void)
{
    begin();
    open_demo();
    struct plugin *p = plugins_find(plugins, "demo");
    struct answered a = call("demo", "no", "{\"code\":\"sold_out\",\"detail\":\"come back\"}");
    CHECK_INT(a.status, FR_E_CONFLICT);
    CHECK_TEXT(a.code, "sold_out");
    CHECK_TEXT(a.text, "come back");
    a = call("demo", "no", "{\"code\":\"Not a code!\",\"detail\":\"x\"}");
    CHECK_TEXT(a.code, "plugin_refused");
    CHECK_INT(p->refused, 2);

    a = call("demo", "boom", "");
    CHECK_INT(a.status, FR_E_INTERNAL);
    CHECK_TEXT(a.code, "plugin_error");
    CHECK(strstr(a.text, "main.lua:5: ") == a.text && strstr(a.text, "nil value"));
    CHECK(strstr(log_of(p), "main.lua:5: ") && strstr(log_of(p), "\"frame\":") && strstr(log_of(p), "\"call\":\"boom\"") && strstr(log_of(p), "\"request_id\":\"r-1\""));

    a = call("demo", "spin", "");
    CHECK_INT(a.status, FR_E_TIMEOUT);
    CHECK_TEXT(a.code, "cpu_limit");
    a = call("demo", "eat", "");
    CHECK_TEXT(a.code, "memory_limit");
    CHECK_INT(a.status, FR_E_LIMIT);
    CHECK(blocks_lift(&p->meter->blocks, "7"));                // twice over a limit: blocked
    a = call("demo", "big", "");                               // an honest worker sees this itself
    CHECK_TEXT(a.code, "plugin_error");
    CHECK_INT(p->raised, 4);
    a = call("demo", "strict", "{\"n\":3}");                    // and the worker goes on
    CHECK_TEXT(a.json, "3");
    end();
}

static void test_who_breaks_a_plugin_alone_is_blocked_first(void)
{
    begin();
    open_demo();
    struct plugin *p = plugins_find(plugins, "demo");
    struct fr_err err;
    struct plugin_caller who = caller("7");
    struct answered to;
    for (int i = 1; i <= 5; i++) {
        struct answered a = call("demo", "stuck", "");
        CHECK_TEXT(a.code, "cpu_limit");
        wait_state("demo", PLUGIN_UP);                          // never quarantined
        if (i % 2 == 1) continue;                               // an operator's pardon is a whole one
        CHECK(start("demo", "echo", "{}", &who, &to, &err) == FR_E_LIMIT);
        CHECK_TEXT(err.code, "player_blocked");
        CHECK(err.retry_s > 0 && err.retry_s <= BLOCK_MS_MIN / 1000);
        CHECK(blocks_lift(&p->meter->blocks, "7"));
    }
    calling = "8";                                              // the neighbour never noticed but for the restarts
    struct answered a = call("demo", "strict", "{\"n\":3}");
    CHECK_TEXT(a.json, "3");
    calling = "7";
    CHECK_INT(p->meter->now.used.crashes, 5);
    CHECK_INT(p->meter->now.lost, 5);
    CHECK_INT(p->meter->now.blocked, 2);
    end();
}

// Past its budget calls are refused with the time until they are not; the budget is the manifest's when that is less.
static void test_the_cpu_budget_refuses_and_says_how_long(void)
{
    begin();
    open_demo();
    struct plugin *p = plugins_find(plugins, "demo");
    struct fr_err err;
    struct plugin_caller who = caller("7");
    struct answered to;
    CHECK_INT(p->meter->percent, PLUGIN_CPU_PERCENT_DEFAULT);
    p->meter->now.used.cpu_us += 2 * PLUGIN_CPU_WINDOW_MS * 1000;
    CHECK(start("demo", "echo", "{}", &who, &to, &err) == FR_E_LIMIT);
    CHECK_TEXT(err.code, "cpu_budget");
    CHECK(err.retry_s >= 1 && err.retry_s <= PLUGIN_CPU_WINDOW_MS / 1000 + 1);
    CHECK_INT(p->meter->now.over_budget, 1);
    p->meter->left_us = 1000000;                                // time went by
    struct answered a = call("demo", "strict", "{\"n\":3}");
    CHECK_TEXT(a.json, "3");
    struct manifest m = { .id = "demo", .cpu_percent = 5 }, greedy = { .id = "demo", .cpu_percent = 90 };
    struct plugin_budget own = { "demo", 70 };
    struct plugins_options o = { .cpu_percent = 0 };
    CHECK(plugin_cpu_percent(&o, &m) == 5 && plugin_cpu_percent(&o, &greedy) == PLUGIN_CPU_PERCENT_DEFAULT);
    o = (struct plugins_options){ .cpu_percent = 40, .budgets = &own, .budget_count = 1 };
    CHECK(plugin_cpu_percent(&o, &m) == 70);
    end();
}

int main(void)
{
    tests_begin();
    TEST(test_a_call_goes_through_and_back);
    TEST(test_refusals_before_lua_runs);
    TEST(test_refusals_and_mistakes_of_the_plugin);
    TEST(test_who_breaks_a_plugin_alone_is_blocked_first);
    TEST(test_the_cpu_budget_refuses_and_says_how_long);
    return TEST_END();
}
