// version_test.c — versions of a plugin in real workers: kept, taken, refused, gone back to; several workers.
#include "plugin/world.h"

// ---- code that is kept

struct kept { char sha256[65]; char *text; enum fr_status status; };
static enum fr_status kept_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct kept *k = arg;
    k->status = plugin_package_stored(txn, k->sha256, &k->text, err);
    return FR_OK;
}

static bool is_kept(void *arg)
{
    struct kept *k = arg;
    struct fr_err err = { 0 };
    CHECK(store_now(store, kept_job, k, &err) == FR_OK);
    return k->status == FR_OK;
}

static void check_kept(const char *sha256)
{
    struct kept k = { 0 };
    struct fr_err err = { 0 };
    FR_AUTO(package) back = NULL;
    snprintf(k.sha256, sizeof k.sha256, "%s", sha256);
    run_until(is_kept, &k);                                     // it may still be on its way to the disk
    CHECK_INT(k.status, FR_OK);
    if (k.text) CHECK(package_import(k.text, strlen(k.text), &back, &err) == FR_OK);
    CHECK(back && strcmp(back->sha256, sha256) == 0);
    fr_free(k.text);
}

static void test_the_code_of_every_version_is_kept(void)
{
    begin();
    open_demo();
    char first[65];
    snprintf(first, sizeof first, "%s", plugins_find(plugins, "demo")->package->sha256);
    put_plugin("p", "demo", "\"a\":{}", "return require 'frond'.plugin { calls = { a = function() return 1 end } }");
    reopen();
    wait_state("demo", PLUGIN_UP);
    CHECK(strcmp(first, plugins_find(plugins, "demo")->package->sha256) != 0);
    check_kept(first);
    check_kept(plugins_find(plugins, "demo")->package->sha256);
    struct kept none = { .sha256 = "00" };
    struct fr_err err = { 0 };
    CHECK(store_now(store, kept_job, &none, &err) == FR_OK);
    CHECK_INT(none.status, FR_E_NOT_FOUND);
    end();
}

static void test_a_folder_for_this_run_only(void)
{
    begin();
    open_demo();
    struct plugin *added = NULL, *again = NULL;
    struct fr_err err = { 0 };
    put_plugin("elsewhere", "guest", "\"a\":{}", "return require 'frond'.plugin { calls = { a = function() return 1 end } }");
    char folder[700];
    snprintf(folder, sizeof folder, "%s/guest", test_path("elsewhere"));
    int downs_before = downs;
    CHECK(plugins_add_folder(plugins, folder, &added, &err) == FR_OK);
    CHECK_INT(downs, downs_before);                                        // it had not run: nothing went down
    wait_state("guest", PLUGIN_UP);
    CHECK_TEXT(call("guest", "a", "").json, "1");
    check_kept(added->package->sha256);
    put_plugin("elsewhere", "guest", "\"a\":{}", "return require 'frond'.plugin { calls = { a = function() return 2 end } }");
    CHECK(plugins_add_folder(plugins, folder, &again, &err) == FR_OK);      // replaces, and keeps its place
    CHECK(again == added && again->state == PLUGIN_STARTING);
    wait_state("guest", PLUGIN_UP);
    CHECK_TEXT(call("guest", "a", "").json, "2");
    CHECK_INT(enable("guest", false).status, FR_OK);
    CHECK_INT(enable("guest", true).status, FR_OK);
    wait_state("guest", PLUGIN_UP);
    CHECK(plugins_add_folder(plugins, "/nonexistent/x", &again, &err) == FR_E_NOT_FOUND);
    reopen();
    CHECK(plugins_find(plugins, "guest") == NULL);
    end();
}

// ---- another version

static char what_lua[200];
static const char *says(const char *what)
{
    snprintf(what_lua, sizeof what_lua, "local frond = require 'frond'\nreturn frond.plugin { calls = { what = function() return '%s' end, wait = function() return frond.time.now_ms() end } }\n", what);
    return what_lua;
}

// Version `version` of the tool "tool" with so many workers.
static void put_tool(const char *version, int workers, const char *lua)
{
    char manifest[400];
    snprintf(manifest, sizeof manifest, "{\"id\":\"tool\",\"name\":\"T\",\"version\":\"%s\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"limits\":{\"workers\":%d},\"calls\":{\"what\":{},\"wait\":{}}}", version, workers);
    put("p", "tool", "plugin.json", manifest);
    put("p", "tool", "main.lua", lua);
}

static bool all_up(void *arg)
{
    struct plugin *p = plugins_find(plugins, arg);
    return p && plugin_workers_up(p->current) == p->current->worker_count;
}

static struct plugin *tool(void) { return plugins_find(plugins, "tool"); }

static void open_tool(int workers)
{
    struct fr_err err = { 0 };
    put_tool("1.0.0", workers, says("one"));
    CHECK(open_plugins("p", true, &err) == FR_OK);
    CHECK(run_until(all_up, "tool"));
}

static struct switched update(void)
{
    static struct switched to;
    struct fr_err err = { 0 };
    to = (struct switched){ 0 };
    if (plugins_update(plugins, "tool", NULL, on_switched, &to, &err) != FR_OK) {
        to.status = err.status;
        snprintf(to.code, sizeof to.code, "%s", err.code);
        return to;
    }
    CHECK_INT(to.count, 0);                                     // never from inside
    CHECK(run_until(is_switched, &to));
    CHECK_INT(to.count, 1);
    return to;
}

static struct switched rollback(const char *version)
{
    static struct switched to;
    struct fr_err err = { 0 };
    to = (struct switched){ 0 };
    if (plugins_rollback(plugins, "tool", version, on_switched, &to, &err) != FR_OK) {
        to.status = err.status;
        snprintf(to.code, sizeof to.code, "%s", err.code);
        return to;
    }
    CHECK(run_until(is_switched, &to));
    return to;
}

static int versions_count(void)
{
    int count = 0;
    for (struct plugin_version *v = plugin_version_next(tool(), NULL); v; v = plugin_version_next(tool(), v)) count++;
    return count;
}
static bool only_one_version(void *arg) { (void)arg; return versions_count() == 1; }

static void test_a_new_version_serves_without_a_refused_call(void)
{
    begin();
    open_tool(3);
    int old_pids[3], refused_calls = 0, calls = 0;
    for (int i = 0; i < 3; i++) old_pids[i] = sandbox_worker_stats(tool()->current->workers[i].sandbox).pid;
    struct switched to = { 0 };
    struct fr_err err = { 0 };
    struct answered a[64] = { 0 };
    struct plugin_caller who = caller("7");
    put_tool("1.1.0", 3, says("two"));
    CHECK(plugins_update(plugins, "tool", NULL, on_switched, &to, &err) == FR_OK);
    CHECK_INT(plugins_update(plugins, "tool", NULL, on_switched, &to, &err), FR_E_BUSY);
    CHECK_TEXT(err.code, "plugin_changing");
    while (to.count == 0 || calls < 64) {                       // calls all through the change
        struct answered *one = &a[calls++ % 64];
        if (calls > 64 && one->count == 0) run_until(is_answered, one);
        *one = (struct answered){ 0 };
        if (plugin_call_start(tool(), "what", "{}", 2, &who, on_answer, one, &err) != FR_OK) { refused_calls++; one->count = 1; }
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    for (int i = 0; i < 64; i++) CHECK(run_until(is_answered, &a[i]) && a[i].status == FR_OK);
    CHECK_INT(refused_calls, 0);
    CHECK_INT(to.status, FR_OK);
    CHECK_TEXT(call("tool", "what", "").json, "\"two\"");
    CHECK_TEXT(tool()->package->manifest->version, "1.1.0");
    CHECK(run_until(only_one_version, NULL));                   // the old one drained
    for (int i = 0; i < 3; i++) CHECK(sandbox_worker_stats(tool()->current->workers[i].sandbox).pid != old_pids[i]);
    end();
}

static bool ask_is_held(void *arg) { (void)arg; return held_ask.worker != NULL; }

static void test_a_call_ends_on_the_version_it_began_with(void)
{
    begin();
    open_tool(1);
    struct answered a;
    struct plugin_caller who = caller("7");
    struct fr_err err = { 0 };
    struct plugin_version *old = tool()->current;
    hold_asks = true;
    held_ask.worker = NULL;
    CHECK(start("tool", "wait", "{}", &who, &a, &err) == FR_OK);
    CHECK(run_until(ask_is_held, NULL));
    put_tool("1.1.0", 1, says("two"));
    CHECK_INT(update().status, FR_OK);
    CHECK_TEXT(call("tool", "what", "").json, "\"two\"");
    CHECK(tool()->current != old && old->state == VERSION_DRAINING && old->workers[0].calls == 1 && held_ask.worker == &old->workers[0]);
    sandbox_answer(old->workers[0].sandbox, held_ask.generation, held_ask.call_id, held_ask.ask_no, FRAME_OK, "77", 2);
    CHECK(run_until(is_answered, &a));
    CHECK_TEXT(a.json, "77");
    CHECK(run_until(only_one_version, NULL));
    hold_asks = false;
    end();
}

static void test_what_does_not_load_is_refused_and_the_old_one_stays(void)
{
    static const char *const broken[][2] = {
        { "return frond.plugin {", "main.lua:1: " },
        { "return require 'frond'.plugin { calls = { what = function() end } }", "plugin.json declares the call \"wait\", and main.lua does not define it" },
        { "error('no')", "main.lua:1: no" },
    };
    begin();
    open_tool(2);
    struct plugin_version *old = tool()->current;
    for (int i = 0; i < 3; i++) {
        put_tool("2.0.0", 2, broken[i][0]);
        struct switched s = update();
        CHECK(s.status != FR_OK);
        CHECK(strstr(tool()->rejected.text, broken[i][1]) == tool()->rejected.text);
        CHECK_TEXT(tool()->rejected_version, "2.0.0");
        CHECK(tool()->current == old && tool()->state == PLUGIN_UP && plugin_workers_up(old) == 2);
        CHECK_TEXT(call("tool", "what", "").json, "\"one\"");
        CHECK(run_until(only_one_version, NULL));               // nothing is left of it
    }
    CHECK(tool()->rejected_frame && strstr(tool()->rejected_frame, "error('no')") && strstr(log_of(tool()), "error('no')"));
    put("p", "tool", "plugin.json", "{\n\"id\":\"tool\",\n\"nam\n}");
    CHECK(update().status != FR_OK);
    CHECK(strstr(tool()->rejected.text, "plugin.json: line 3") && strstr(tool()->rejected_frame, "> 3 | \"nam\n"));
    put("p", "tool", "plugin.json", "{\"id\":\"other\",\"name\":\"T\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\"}");
    CHECK_TEXT(update().code, "plugin_other_id");
    put_tool("2.0.0", 2, says("two"));
    plugins->workers += WORKERS_MAX - 3;                        // as if the host were full
    CHECK_TEXT(update().code, "too_many_workers");
    plugins->workers -= WORKERS_MAX - 3;
    CHECK_TEXT(call("tool", "what", "").json, "\"one\"");
    CHECK_INT(update().status, FR_OK);
    CHECK_INT(tool()->rejected.status, FR_OK);
    CHECK_TEXT(call("tool", "what", "").json, "\"two\"");
    CHECK_INT(enable("tool", false).status, FR_OK);
    CHECK_TEXT(update().code, "plugin_disabled");
    CHECK_TEXT(rollback(NULL).code, "plugin_disabled");
    struct fr_err err = { 0 };
    CHECK_INT(plugins_update(plugins, "nobody", NULL, on_switched, NULL, &err), FR_E_NOT_FOUND);
    end();
}

static bool nothing_changes(void *arg) { (void)arg; return slot_of(tool())->change == NULL; }

static void test_a_rollback_lasts_until_the_folder_holds_something_new(void)
{
    begin();
    open_tool(1);
    CHECK_TEXT(rollback(NULL).code, "version_unknown");
    put_tool("2.0.0", 1, says("two"));
    CHECK_INT(update().status, FR_OK);
    put_tool("3.0.0", 1, says("three"));
    CHECK_INT(update().status, FR_OK);
    CHECK_INT(rollback("1.0.0").status, FR_OK);
    CHECK_TEXT(call("tool", "what", "").json, "\"one\"");
    CHECK_INT(rollback(NULL).status, FR_OK);                    // what served before that
    CHECK_TEXT(call("tool", "what", "").json, "\"three\"");
    CHECK_INT(rollback("2.0.0").status, FR_OK);
    CHECK_TEXT(rollback("7.0.0").code, "version_unknown");
    CHECK_TEXT(rollback("zz").code, "version_unknown");
    reopen();                                                   // the folder still holds 3.0.0
    CHECK(run_until(all_up, "tool"));
    CHECK_TEXT(call("tool", "what", "").json, "\"two\"");
    CHECK_INT(enable("tool", false).status, FR_OK);
    CHECK_INT(enable("tool", true).status, FR_OK);
    CHECK(run_until(all_up, "tool"));
    CHECK_TEXT(call("tool", "what", "").json, "\"two\"");
    put_tool("4.0.0", 1, says("four"));
    reopen();
    CHECK(run_until(all_up, "tool"));
    CHECK_TEXT(call("tool", "what", "").json, "\"four\"");
    CHECK(run_until(nothing_changes, NULL));                    // it is written down that this one serves
    CHECK_INT(update().status, FR_OK);                          // nothing new: nothing happens
    CHECK_INT(versions_count(), 1);
    CHECK_INT(rollback(NULL).status, FR_OK);
    CHECK_TEXT(call("tool", "what", "").json, "\"two\"");
    end();
}

static void test_too_many_draining_versions_retire_the_oldest(void)
{
    struct plugin_worker *pinned[VERSIONS_DRAINING_MAX + 1];
    char version[16], what[16];
    begin();
    open_tool(1);
    for (int i = 0; i <= VERSIONS_DRAINING_MAX; i++) {
        pinned[i] = plugin_pin(tool()->current);
        snprintf(version, sizeof version, "2.%d.0", i);
        snprintf(what, sizeof what, "v%d", i);
        put_tool(version, 1, says(what));
        CHECK_INT(update().status, FR_OK);
    }
    CHECK_INT(pinned[0]->version->state, VERSION_OVER);
    CHECK_TEXT(pinned[0]->version->over_why, "version_retired");
    CHECK(pinned[0]->sandbox == NULL && pinned[1]->up);
    CHECK_INT(pinned[1]->version->state, VERSION_DRAINING);
    CHECK_INT(rollback("2.0.0").status, FR_OK);                 // one that drains goes back to serving with the workers it has
    CHECK(tool()->current == pinned[1]->version && pinned[1]->up);
    for (int i = 0; i <= VERSIONS_DRAINING_MAX; i++) plugin_unpin(pinned[i]);
    CHECK(run_until(only_one_version, NULL));
    end();
}

static void test_calls_and_matches_go_to_the_least_busy_worker(void)
{
    begin();
    open_tool(3);
    struct plugin_version *v = tool()->current;
    struct plugin_caller who = caller("7");
    struct fr_err err = { 0 };
    struct answered a[6];
    struct plugin_worker *pinned[6];
    hold_asks = true;
    for (int i = 0; i < 6; i++) CHECK(start("tool", "wait", "{}", &who, &a[i], &err) == FR_OK);
    for (int i = 0; i < 3; i++) CHECK_INT(v->workers[i].calls, 2);
    for (int i = 0; i < 6; i++) pinned[i] = plugin_pin(v);
    for (int i = 0; i < 3; i++) CHECK_INT(v->workers[i].matches, 2);
    for (int i = 0; i < 6; i++) plugin_unpin(pinned[i]);
    sandbox_worker_kill(v->workers[1].sandbox);
    CHECK(run_until(is_answered, &a[1]));
    CHECK_TEXT(a[1].code, "worker_lost");
    CHECK(a[0].count == 0 && a[2].count == 0 && tool()->state == PLUGIN_UP);
    CHECK(start("tool", "wait", "{}", &who, &a[1], &err) == FR_OK);
    CHECK_INT(v->workers[0].calls + v->workers[2].calls, 5);    // not to one that is down
    hold_asks = false;
    CHECK(run_until(all_up, "tool"));
    end();
}

static bool says_now(void *arg)
{
    return strcmp(call("tool", "what", "").json, arg) == 0;
}

static bool is_there(void *arg) { return plugins_find(plugins, arg) != NULL; }

static void test_under_watch_a_saved_file_is_the_next_calls_code(void)
{
    begin();
    watch_files = true;
    open_tool(2);
    put("p", "tool", "main.lua", says("two"));
    CHECK(run_until(says_now, "\"two\""));
    put("p", "tool", "main.lua", "nonsense");
    put("p", "tool", "main.lua", says("three"));               // before anybody looked, or after: it comes to the same
    CHECK(run_until(says_now, "\"three\""));
    put_plugin("p", "late", "\"a\":{}", "return require 'frond'.plugin { calls = { a = function() return 1 end } }");
    CHECK(run_until(is_there, "late"));
    wait_state("late", PLUGIN_UP);
    put("p", "tool", "main.lua", says("four"));                 // and a host that closes in the middle of it
    for (int i = 0; i < 30; i++) uv_run(&loop, UV_RUN_NOWAIT);
    watch_files = false;
    end();
}

int main(void)
{
    tests_begin();
    TEST(test_the_code_of_every_version_is_kept);
    TEST(test_a_folder_for_this_run_only);
    TEST(test_a_new_version_serves_without_a_refused_call);
    TEST(test_a_call_ends_on_the_version_it_began_with);
    TEST(test_what_does_not_load_is_refused_and_the_old_one_stays);
    TEST(test_a_rollback_lasts_until_the_folder_holds_something_new);
    TEST(test_too_many_draining_versions_retire_the_oldest);
    TEST(test_calls_and_matches_go_to_the_least_busy_worker);
    TEST(test_under_watch_a_saved_file_is_the_next_calls_code);
    return TEST_END();
}
