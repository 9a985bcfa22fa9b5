// api_test.c — each family through a real worker, and the same calls from one that lies about their arguments.
#include "api/api.h"
#include "api/internal.h"
#include "base/log.h"
#include "treasury/burn.h"
#include "plugin/testing.h"

static const char shop_json[] =
    "{\"id\":\"shop\",\"name\":\"Shop\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"limits\":{\"store_mib\":1},"
    "\"grants\":{\"store\":{\"why\":\"t\"},\"burn\":{\"why\":\"t\"},\"ledger\":{\"why\":\"t\",\"assets\":[\"PALM\"]},\"call\":{\"why\":\"t\",\"plugins\":[\"bare\"]}},"
    "\"splits\":{\"shop\":{\"plugin\":9000,\"treasury\":500,\"burn\":500}},"
    "\"calls\":{\"run\":{\"args\":{\"type\":\"object\",\"properties\":{\"f\":{\"type\":\"string\"},\"g\":{\"type\":\"string\"},\"args\":{\"type\":\"array\"}},\"required\":[\"f\",\"g\"]}}}}";
static const char bare_json[] =
    "{\"id\":\"bare\",\"name\":\"Bare\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\","
    "\"calls\":{\"run\":{\"args\":{\"type\":\"object\",\"properties\":{\"f\":{\"type\":\"string\"},\"g\":{\"type\":\"string\"},\"args\":{\"type\":\"array\"}},\"required\":[\"f\",\"g\"]}}}}";
static const char run_lua[] =
    "local frond = require 'frond'\n"
    "return frond.plugin { calls = { run = function(ctx, a)\n"
    "  local family = a.f == 'frond' and frond or frond[a.f]\n"
    "  local v, more, detail = family[a.g](table.unpack(a.args or {}))\n"
    "  if v == nil and more then return nil, more, detail end\n"
    "  return { v = v, more = more }\n"
    "end } }\n";

static struct api *api;
static int wallets;
static bool answered;
static enum fr_status status;
static char result[2000], code[40], need_asset[16];
static int64_t need_units;

static void on_wallet(void *arg, const char *player, const char *asset) { (void)arg; (void)player; (void)asset; wallets++; }
static void on_ask(void *arg, struct plugin_worker *w, const struct sandbox_ask *ask) { (void)arg; api_on_ask(api, w, ask); }

// also: the id of one more plugin with the grants of the shop, or NULL
static void begin_with(const char *also)
{
    test_folder_new();
    if (also) {
        char json[2000];
        snprintf(json, sizeof json, "{\"id\":\"%s%s", also, strstr(shop_json, "shop") + strlen("shop"));
        testing_put(also, "plugin.json", json);
        testing_put(also, "main.lua", run_lua);
    }
    testing_put("shop", "plugin.json", shop_json);
    testing_put("shop", "main.lua", run_lua);
    testing_put("bare", "plugin.json", bare_json);
    testing_put("bare", "main.lua", run_lua);
    testing_up(&(struct plugins_options){ .on_ask = on_ask });
    api = api_new(&(struct api_options){ .loop = &T.loop, .store = T.store, .plugins = T.plugins, .wallet = on_wallet });
    testing_players();
    WAIT(testing_plugin("shop")->state == PLUGIN_UP && testing_plugin("bare")->state == PLUGIN_UP);
    WAIT(!also || testing_plugin(also)->state == PLUGIN_UP);
    wallets = 0;
}

static void begin(void) { begin_with(NULL); }

static void end(void)
{
    testing_down();
    api_free(api);
    test_folder_drop();
}

static void on_answer(void *arg, const struct plugin_answer *a)
{
    (void)arg;
    answered = true;
    status = a->status;
    snprintf(result, sizeof result, "%.*s", a->status == FR_OK ? (int)a->len : (int)strlen(a->err.text), a->status == FR_OK ? a->json : a->err.text);
    snprintf(code, sizeof code, "%s", a->status == FR_OK ? "" : a->err.code);
    need_units = a->call ? a->call->need_units : 0;
    snprintf(need_asset, sizeof need_asset, "%s", a->call ? a->call->need_asset : "");
}

// Calls family.function from Lua inside `plugin`, for player 1.
static void run(const char *plugin, const char *family, const char *function, const char *args)
{
    FR_AUTO_BUF(text);
    struct fr_err err;
    struct plugin_caller caller = { .player = "1", .name = "Ann", .source = "http", .request_id = "r" };
    fr_buf_init(&text, 100000);
    fr_buf_addf(&text, "{\"f\":\"%s\",\"g\":\"%s\",\"args\":%s}", family, function, args);
    answered = false;
    must(plugin_call_start(testing_plugin(plugin), "run", text.data, text.len, &caller, on_answer, NULL, &err), &err);
    WAIT(answered);
}

static void give(int64_t coins, int64_t approve)
{
    testing_give(&(struct testing_gift){ "1", "shop", testing_plugin("shop")->terms, coins, approve });
}

static void test_small_calls(void)
{
    begin();
    run("bare", "random", "int", "[3,5]");
    CHECK(strstr(result, "\"v\":3") || strstr(result, "\"v\":4") || strstr(result, "\"v\":5"));
    run("bare", "random", "int", "[5,3]");
    CHECK_TEXT(code, "bad_arguments");
    run("bare", "random", "bytes", "[4]");
    CHECK(strlen(result) == strlen("{\"v\":\"00000000\"}"));
    run("bare", "random", "id", "[]");
    CHECK(strstr(result, "-7") != NULL);
    run("bare", "time", "day", "[]");
    CHECK(strstr(result, "{\"v\":\"20") != NULL);
    run("bare", "time", "now_ms", "[]");
    CHECK_INT(status, FR_OK);
    run("bare", "log", "warn", "[\"hello\",{\"a\":1}]");
    FR_AUTO_BUF(logs);
    fr_buf_init(&logs, 100000);
    plugin_log_print(testing_plugin("bare"), 10, &logs);
    CHECK(strstr(logs.data, "hello") && strstr(logs.data, "warn"));
    end();
}

static void test_grants_are_needed(void)
{
    begin();
    run("bare", "store", "get", "[\"plugin\",\"k\"]");
    CHECK_TEXT(code, "not_granted");
    run("bare", "ledger", "balance", "[\"1\",\"PALM\"]");
    CHECK_TEXT(code, "not_granted");
    run("bare", "frond", "call", "[\"shop\",\"run\",{}]");
    CHECK_TEXT(code, "not_granted");
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"TEST\",\"amount\":5,\"key\":\"a\"}]");
    CHECK_TEXT(code, "not_granted");
    end();
}

static void test_documents(void)
{
    begin();
    run("shop", "store", "get", "[\"plugin\",\"k\"]");
    CHECK_TEXT(code, "not_found");
    run("shop", "store", "put", "[\"plugin\",\"k\",{\"n\":7}]");
    CHECK_TEXT(result, "{\"v\":1}");
    run("shop", "store", "get", "[\"plugin\",\"k\"]");
    CHECK(strstr(result, "\"v\":{\"n\":7}") && strstr(result, "\"more\":1"));
    run("shop", "store", "put", "[\"plugin\",\"k\",8,{\"if_version\":5}]");
    CHECK_TEXT(code, "version");
    run("shop", "store", "put", "[\"1\",\"own\",\"x\",{\"if_version\":0}]");
    CHECK_INT(status, FR_OK);
    run("shop", "store", "batch", "[[{\"op\":\"put\",\"scope\":\"plugin\",\"key\":\"a\",\"value\":1},{\"op\":\"put\",\"scope\":\"plugin\",\"key\":\"k\",\"value\":2,\"if_version\":9}]]");
    CHECK_TEXT(code, "version");
    run("shop", "store", "get", "[\"plugin\",\"a\"]");
    CHECK_TEXT(code, "not_found");                     // all or none
    run("shop", "store", "list", "[\"plugin\",{\"limit\":1}]");
    CHECK(strstr(result, "\"key\":\"k\"") && strstr(result, "\"more\":\"k\""));
    // What a batch takes is what the single calls take: a typing error in it must not go unseen.
    run("shop", "store", "batch", "[[{\"op\":\"put\",\"scope\":\"plugin\",\"key\":\"k\",\"value\":3,\"if_versoin\":9}]]");
    CHECK_TEXT(code, "bad_arguments");
    CHECK(strstr(result, "if_version") && !strstr(result, ": :"));
    run("shop", "store", "batch", "[[{\"op\":\"put\",\"scope\":\"pluginn\",\"key\":\"k\",\"value\":3}]]");
    CHECK_TEXT(code, "bad_arguments");
    run("shop", "store", "batch", "[[{\"op\":\"put\",\"scope\":\"plugin\",\"value\":3}]]");
    CHECK_TEXT(code, "bad_arguments");
    run("shop", "store", "batch", "[[7]]");
    CHECK_TEXT(code, "bad_arguments");
    run("shop", "store", "get", "[\"plugin\",\"k\"]");
    CHECK(strstr(result, "\"n\":7") != NULL);
    run("shop", "store", "delete", "[\"plugin\",\"k\"]");
    CHECK_TEXT(result, "{\"v\":true}");
    run("shop", "store", "delete", "[\"plugin\",\"k\"]");
    CHECK_TEXT(result, "{\"v\":false}");
    end();
}

static void test_a_charge_needs_approval_and_is_made_once(void)
{
    begin();
    const char *charge = "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1001,\"split\":\"shop\",\"key\":\"buy1\"}]";
    give(5000, 0);
    run("shop", "ledger", "charge", charge);
    CHECK_TEXT(code, "consent_required");
    CHECK_INT(need_units, 1001);
    CHECK_TEXT(need_asset, "PALM");
    give(0, 1500);
    run("shop", "ledger", "charge", charge);
    CHECK_INT(status, FR_OK);
    CHECK(wallets > 0);
    char first[200];
    snprintf(first, sizeof first, "%.190s", result);
    run("shop", "ledger", "charge", charge);
    CHECK_TEXT(result, first);
    CHECK_INT(testing_money(NULL).free[1], 3999);
    run("shop", "consent", "get", "[\"1\",\"PALM\"]");
    CHECK(strstr(result, "\"left\":499") != NULL);     // the retry spent nothing
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":7,\"key\":\"buy1\"}]");
    CHECK_TEXT(code, "key_reused");
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":500,\"key\":\"buy2\"}]");
    CHECK_TEXT(code, "consent_required");
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1,\"split\":\"nope\",\"key\":\"buy3\"}]");
    CHECK_TEXT(code, "split_unknown");
    CHECK_INT(testing_money(NULL).free[1], 3999);
    end();
}

// One allocation fails, each in turn: whatever was refused did not happen.
static void test_what_memory_refuses_has_not_moved(void)
{
    begin();
    give(500000, 400000);
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1,\"key\":\"first\"}]");
    int refused = 0;
    for (int n = 1; n <= 25; n++) {
        char text[300];
        struct fr_err err;
        struct plugin_caller caller = { .player = "1", .name = "Ann", .source = "http", .request_id = "r" };
        int len = snprintf(text, sizeof text, "{\"f\":\"ledger\",\"g\":\"charge\",\"args\":[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":7,\"split\":\"shop\",\"key\":\"n%d\"}]}", n);
        int64_t before = testing_money(NULL).free[1];
        answered = false;
        fr_mem_fail_some(n, 1);
        if (plugin_call_start(testing_plugin("shop"), "run", text, (size_t)len, &caller, on_answer, NULL, &err) == FR_OK) WAIT(answered);
        else status = err.status;
        fr_mem_fail_at(0);
        if (status == FR_E_CONFLICT) {             // the plugin handed on a refusal of ours
            refused++;
            CHECK_INT(testing_money(NULL).free[1], before);
        }
        WAIT(testing_plugin("shop")->state == PLUGIN_UP);
    }
    CHECK(refused > 0);
    end();
}

struct burned { int64_t shop, other, revenue; };
static enum fr_status burned_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct burned *b = arg;
    int64_t held;
    FR_TRY(ledger_balance(txn, OWNER_BURN, "shop", "PALM", &b->shop, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_BURN, "", "PALM", &b->other, &held, err));
    return ledger_balance(txn, OWNER_PLUGIN, "shop", "PALM", &b->revenue, &held, err);
}
static struct burned burned(void)
{
    struct burned b = { 0 };
    struct fr_err err;
    must(store_now(T.store, burned_job, &b, &err), &err);
    return b;
}

static void test_burns_are_the_plugins_own(void)
{
    char id[24] = "", hold[24] = "", ask[200];
    begin_with("other");
    give(5000, 3000);
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1000,\"split\":\"shop\",\"key\":\"c\"}]");
    CHECK(burned().shop == 50 && burned().other == 0 && burned().revenue == 900);          // a split's share is burned in the plugin's name
    const char *accrue = "[{\"asset\":\"PALM\",\"amount\":100,\"reason\":\"season one\",\"key\":\"b\"}]";
    run("shop", "burn", "accrue", accrue);
    CHECK(sscanf(result, "{\"v\":{\"id\":\"%23[0-9]", id) == 1);
    run("shop", "burn", "accrue", accrue);
    CHECK(burned().shop == 150 && burned().revenue == 800);                                  // once
    snprintf(ask, sizeof ask, "[\"%s\"]", id);
    run("shop", "burn", "get", ask);
    CHECK(strstr(result, "\"state\":\"pending\"") && strstr(result, "\"amount\":\"100\"") && strstr(result, "shop burn season one"));
    run("other", "burn", "get", ask);
    CHECK_TEXT(code, "burn_unknown");
    run("shop", "burn", "get", "[\"b1\"]");
    CHECK_TEXT(code, "burn_unknown");
    run("bare", "burn", "get", ask);
    CHECK_TEXT(code, "not_granted");
    run("shop", "burn", "accrue", "[{\"asset\":\"PALM\",\"amount\":801,\"reason\":\"too much\",\"key\":\"b2\"}]");
    CHECK_TEXT(code, "funds");
    run("shop", "burn", "accrue", "[{\"asset\":\"TEST\",\"amount\":1,\"reason\":\"r\",\"key\":\"b3\"}]");
    CHECK_TEXT(code, "not_granted");
    run("shop", "burn", "accrue", "[{\"asset\":\"PALM\",\"amount\":100,\"reason\":\"another\",\"from\":\"treasury\",\"key\":\"b4\"}]");
    CHECK(status != FR_OK && burned().shop == 150);
    // of a hold: what is not burned goes back, and so does its part of the approval
    run("shop", "ledger", "hold", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1000,\"ttl_ms\":60000,\"key\":\"h\"}]");
    CHECK(sscanf(result, "{\"v\":{\"hold\":\"%23[0-9]", hold) == 1);
    snprintf(ask, sizeof ask, "[{\"asset\":\"PALM\",\"amount\":400,\"from\":\"%s\",\"reason\":\"of a hold\",\"key\":\"b5\"}]", hold);
    run("other", "burn", "accrue", ask);
    CHECK_TEXT(code, "hold_unknown");
    run("shop", "burn", "accrue", ask);
    CHECK(status == FR_OK && burned().shop == 550 && testing_money(NULL).free[1] == 3600 && testing_money(NULL).held[1] == 0);
    run("shop", "consent", "get", "[\"1\",\"PALM\"]");
    CHECK(strstr(result, "\"left\":1600") != NULL);
    run("shop", "burn", "supply", "[\"PALM\"]");
    CHECK(strstr(result, "\"circulating\":\"77500000000000000\"") && strstr(result, "\"pending\":\"550\""));
    end();
}

static void test_holds_belong_to_their_plugin_and_give_approval_back(void)
{
    begin();
    give(5000, 1000);
    run("shop", "ledger", "hold", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1000,\"ttl_ms\":60000,\"key\":\"h\"}]");
    CHECK_INT(status, FR_OK);
    char hold[24] = "";
    CHECK(sscanf(result, "{\"v\":{\"hold\":\"%23[0-9]", hold) == 1);
    CHECK_INT(testing_money(NULL).held[1], 1000);
    char args[200];
    snprintf(args, sizeof args, "[{\"hold\":\"%s\",\"amount\":300,\"key\":\"s\"}]", hold);
    run("shop", "ledger", "settle", args);
    CHECK_INT(status, FR_OK);
    struct testing_money m = testing_money(NULL);
    CHECK_INT(m.free[1], 4700);
    CHECK_INT(m.held[1], 0);
    run("shop", "consent", "get", "[\"1\",\"PALM\"]");
    CHECK(strstr(result, "\"left\":700") != NULL);
    snprintf(args, sizeof args, "[{\"hold\":\"%s\",\"key\":\"r\"}]", hold);
    run("shop", "ledger", "release", args);
    CHECK_TEXT(code, "hold_ended");
    run("shop", "ledger", "release", "[{\"hold\":\"999\",\"key\":\"r\"}]");
    CHECK_TEXT(code, "hold_unknown");
    end();
}

// ---- a hold that nobody ends: the clock does, and the approval has back what it took

struct later { int64_t now_ms, spend, left; int swept; const char *kind; int64_t approve; struct api_swept whose; };

static enum fr_status later_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct later *l = arg;
    int64_t expires_ms;
    const char *terms = testing_plugin("shop")->terms;
    struct consent made, ask = { .player = "1", .plugin = "shop", .asset = "PALM", .max_units = l->approve, .expires_ms = l->now_ms + 3 * 86400000LL };
    snprintf(ask.kind, sizeof ask.kind, "%s", l->kind ? l->kind : "");
    snprintf(ask.terms, sizeof ask.terms, "%s", terms);
    if (l->approve) FR_TRY(consent_give(txn, &ask, l->now_ms, &made, err));
    if (l->spend) FR_TRY(consent_spend(txn, "1", "shop", "PALM", terms, l->spend, l->now_ms, err));
    FR_TRY(api_holds_sweep(txn, l->now_ms, &l->whose, err));
    l->swept = l->whose.count;
    return consent_left(txn, "1", "shop", "PALM", terms, l->now_ms, &l->left, &expires_ms, err);
}

// What is left of the approval in `ms` from now, when the clock has ended what is over by then.
static struct later later(struct later l, int64_t ms)
{
    struct fr_err err;
    l.now_ms = fr_now_ms() + ms;
    must(store_now(T.store, later_job, &l, &err), &err);
    return l;
}

#define HOLD(amount, key) run("shop", "ledger", "hold", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":" #amount ",\"ttl_ms\":60000,\"key\":\"" key "\"}]")

static void test_a_hold_that_expires_gives_the_approval_back_once(void)
{
    begin();
    give(5000, 1000);
    HOLD(700, "h1");
    HOLD(200, "h2");
    struct later l = later((struct later){ 0 }, 0);
    CHECK_INT(l.swept, 0);
    CHECK_INT(l.left, 100);
    testing_down();                                    // a restart between the hold and its end: what it took stands in the store
    api_free(api);
    testing_up(&(struct plugins_options){ .on_ask = on_ask });
    api = api_new(&(struct api_options){ .loop = &T.loop, .store = T.store, .plugins = T.plugins, .wallet = on_wallet });
    WAIT(testing_plugin("shop")->state == PLUGIN_UP && testing_plugin("bare")->state == PLUGIN_UP);
    l = later((struct later){ 0 }, 61000);
    CHECK_INT(l.swept, 2);
    CHECK_TEXT(l.whose.of[1].player, "1");
    CHECK_TEXT(l.whose.of[1].asset, "PALM");
    CHECK_INT(l.left, 1000);
    CHECK_INT(testing_money(NULL).free[1], 5000);
    l = later((struct later){ .spend = 400 }, 61000);
    CHECK_INT(l.swept, 0);
    CHECK_INT(l.left, 600);                            // nothing comes back a second time
    HOLD(700, "h1");                                   // nor does a retry spend again
    l = later((struct later){ 0 }, 61000);
    CHECK_INT(l.left, 600);
    end();
}

static void test_what_expires_comes_back_only_where_it_was_taken(void)
{
    begin();
    give(5000, 1000);
    HOLD(1000, "h1");
    struct later l = later((struct later){ .kind = "once", .approve = 1000, .spend = 300 }, 30000);      // another approval took its place
    CHECK_INT(l.left, 700);
    l = later((struct later){ 0 }, 61000);
    CHECK_INT(l.swept, 1);
    CHECK_INT(l.left, 700);

    l = later((struct later){ .kind = "daily", .approve = 1000 }, 0);
    HOLD(900, "h2");
    CHECK_INT(status, FR_OK);
    l = later((struct later){ .spend = 400 }, 86400000);                                                 // a day later
    CHECK_INT(l.swept, 1);
    CHECK_INT(l.left, 600);
    end();
}

static void test_linked_steps_are_all_or_none(void)
{
    begin();
    give(5000, 2000);
    run("shop", "ledger", "linked", "[{\"ops\":[[\"charge\",{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":100}],[\"pay\",{\"player\":\"2\",\"asset\":\"PALM\",\"amount\":60}]],\"key\":\"l1\"}]");
    CHECK_INT(status, FR_OK);
    struct testing_money m = testing_money(NULL);
    CHECK_INT(m.free[1], 4900);
    CHECK_INT(m.free[2], 60);
    run("shop", "ledger", "linked", "[{\"ops\":[[\"charge\",{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":100}],[\"pay\",{\"player\":\"2\",\"asset\":\"PALM\",\"amount\":100000}]],\"key\":\"l2\"}]");
    CHECK_TEXT(code, "funds");
    m = testing_money(NULL);
    CHECK_INT(m.free[1], 4900);
    run("shop", "consent", "get", "[\"1\",\"PALM\"]");
    CHECK(strstr(result, "\"left\":1900") != NULL);
    run("shop", "ledger", "linked", "[{\"ops\":[[\"mint\",{}]],\"key\":\"l3\"}]");
    CHECK_TEXT(code, "bad_arguments");
    end();
}

#define STEP(player, n) "[\"charge\",{\"player\":\"" player "\",\"asset\":\"PALM\",\"amount\":" n "}]"
static void test_a_key_names_all_of_its_linked_steps(void)
{
    begin();
    give(5000, 2000);
    run("shop", "ledger", "linked", "[{\"ops\":[" STEP("1", "100") "," STEP("1", "200") "],\"key\":\"l1\"}]");
    CHECK_INT(status, FR_OK);
    char first[200];
    snprintf(first, sizeof first, "%.190s", result);
    static const char *const others[] = { STEP("1", "100") "," STEP("1", "200") "," STEP("1", "300"), STEP("1", "100"), STEP("1", "200") "," STEP("1", "100") };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char args[600];
        snprintf(args, sizeof args, "[{\"ops\":[%s],\"key\":\"l1\"}]", others[i]);
        run("shop", "ledger", "linked", args);
        CHECK_TEXT(code, "key_reused");
        CHECK_INT(testing_money(NULL).free[1], 4700);
    }
    run("shop", "ledger", "linked", "[{\"ops\":[" STEP("1", "100") "," STEP("1", "200") "],\"key\":\"l1\"}]");
    CHECK_TEXT(result, first);
    CHECK_INT(testing_money(NULL).free[1], 4700);
    end();
}

static void test_pools_of_long_names_are_not_one(void)
{
    static const char *const id = "a-shop-with-a-very-long-name";
    begin_with(id);
    for (char last = 'a'; last <= 'b'; last++) {
        char args[300];
        snprintf(args, sizeof args, "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1,\"pool\":\"season-of-the-year-2026-%c\",\"key\":\"p\"}]", last);
        run(id, "ledger", "pay", args);
        CHECK_TEXT(code, "bad_arguments");             // cut short, both would have been one account
    }
    run(id, "ledger", "pay", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1,\"pool\":\"season-1\",\"key\":\"p\"}]");
    CHECK_TEXT(code, "funds");
    end();
}

static void test_coins_go_to_players_that_exist(void)
{
    begin();
    give(5000, 2000);
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1000,\"key\":\"c\"}]");
    run("shop", "ledger", "pay", "[{\"player\":\"77\",\"asset\":\"PALM\",\"amount\":10,\"key\":\"p\"}]");
    CHECK_TEXT(code, "player_unknown");                // or whoever becomes 77 one day would have them
    run("shop", "ledger", "pay", "[{\"player\":\"2\",\"asset\":\"PALM\",\"amount\":10,\"key\":\"p\"}]");
    CHECK_INT(status, FR_OK);
    CHECK_INT(testing_money(NULL).free[2], 10);
    end();
}

// The sheet is shown to the player who calls: it must be about that player's coins.
static void test_a_player_is_not_asked_for_what_another_shall_pay(void)
{
    begin();
    give(5000, 0);
    run("shop", "ledger", "charge", "[{\"player\":\"2\",\"asset\":\"PALM\",\"amount\":100,\"key\":\"c\"}]");
    CHECK_TEXT(code, "consent_required");
    CHECK_INT(need_units, 0);
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":100,\"key\":\"c\"}]");
    CHECK_INT(need_units, 100);
    end();
}

static void test_an_asset_without_a_grant_is_neither_seen_nor_asked_for(void)
{
    begin();
    run("shop", "ledger", "balance", "[\"1\",\"TEST\"]");
    CHECK_TEXT(code, "not_granted");
    run("shop", "consent", "request", "[{\"player\":\"1\",\"asset\":\"TEST\",\"max\":100,\"reason\":\"a hat\",\"key\":\"i\"}]");
    CHECK_TEXT(code, "not_granted");
    run("shop", "ledger", "balance", "[\"1\",\"PALM\"]");
    CHECK_INT(status, FR_OK);
    end();
}

static void test_an_intent_is_made(void)
{
    begin();
    run("shop", "consent", "request", "[{\"player\":\"1\",\"asset\":\"PALM\",\"max\":100,\"reason\":\"a hat\",\"key\":\"i\"}]");
    CHECK(strstr(result, "\"intent\":\"") != NULL);
    run("shop", "consent", "request", "[{\"player\":\"1\",\"asset\":\"PALM\",\"max\":100,\"kind\":\"forever\",\"reason\":\"a hat\",\"key\":\"j\"}]");
    CHECK_INT(status != FR_OK, 1);
    end();
}

static void test_plugins_call_each_other_as_granted(void)
{
    begin();
    run("shop", "frond", "call", "[\"bare\",\"run\",{\"f\":\"random\",\"g\":\"int\",\"args\":[4,4]}]");
    CHECK(strstr(result, "\"v\":{\"v\":4}") != NULL);
    run("shop", "frond", "call", "[\"bare\",\"nothere\",{}]");
    CHECK_TEXT(code, "function_unknown");
    end();
}

static void test_wrong_arguments_raise_with_file_and_line(void)
{
    begin();
    give(100, 100);
    run("shop", "ledger", "charge", "[{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"many\",\"key\":\"a\"}]");
    CHECK_TEXT(code, "plugin_error");
    CHECK(strstr(result, "main.lua") && strstr(result, "amount"));
    end();
}

// ---- a worker that was taken over sends whatever it likes: the table is checked again

static void test_hostile_arguments_are_refused_by_the_table(void)
{
    static const struct { int no; const char *args; bool fine; } cases[] = {
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"5\",\"key\":\"k\"}", true },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"-5\",\"key\":\"k\"}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"0\",\"key\":\"k\"}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"1000000000000000001\",\"key\":\"k\"}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"9223372036854775808\",\"key\":\"k\"}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1.5,\"key\":\"k\"}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":1e300,\"key\":\"k\"}", false },
        { 17, "{\"player\":\"0x1\",\"asset\":\"PALM\",\"amount\":\"5\",\"key\":\"k\"}", false },
        { 17, "{\"player\":1,\"asset\":\"PALM\",\"amount\":\"5\",\"key\":\"k\"}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"5\"}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"5\",\"key\":\"\"}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"5\",\"key\":null}", false },
        { 17, "{\"player\":\"1\",\"asset\":\"PALM\",\"amount\":\"5\",\"key\":\"k\",\"from\":\"treasury\"}", false },
        { 17, "[]", false }, { 17, "null", false }, { 17, "7", false },
        { 11, "{\"scope\":\"plugin\",\"key\":\"k\"}", true }, { 11, "{\"scope\":\"other\",\"key\":\"k\"}", false }, { 11, "{\"scope\":\"plugin\",\"key\":\"\"}", false },
        { 12, "{\"scope\":\"plugin\",\"key\":\"k\",\"value\":null}", true }, { 12, "{\"scope\":\"plugin\",\"key\":\"k\"}", false },
        { 25, "{\"asset\":\"PALM\",\"amount\":\"5\",\"reason\":\"r\",\"key\":\"k\"}", true }, { 25, "{\"asset\":\"PALM\",\"amount\":\"5\",\"reason\":\"\",\"key\":\"k\"}", false },
        { 25, "{\"asset\":\"PALM\",\"amount\":\"0\",\"reason\":\"r\",\"key\":\"k\"}", false }, { 26, "{\"id\":\"123456789012345678901\"}", false }, { 27, "{}", false },
        { 15, "{\"ops\":\"x\"}", false }, { 9, "{\"n\":1025}", false }, { 9, "{\"n\":\"1024\"}", true }, { 9, "{\"n\":true}", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        FR_AUTO(fr_json) args = NULL;
        struct fr_err err = { 0 };
        CHECK(fr_json_parse(cases[i].args, strlen(cases[i].args), &args, &err) == FR_OK);
        bool fine = api_check_args(&api_calls[cases[i].no - 1], args, &err) == FR_OK;
        if (fine != cases[i].fine) printf("  %d %s: %s\n", cases[i].no, cases[i].args, err.text);
        CHECK(fine == cases[i].fine);
        if (!fine) CHECK_TEXT(err.code, "bad_arguments");
    }
}

static bool asked_ok;
static char asked_text[200];
static int asked_times;
static void on_asked(void *arg, bool ok, const char *text)
{
    (void)arg;
    asked_times++;
    asked_ok = ok;
    snprintf(asked_text, sizeof asked_text, "%s", text);
}

static void test_a_match_may_ask_only_what_is_askable(void)
{
    begin();
    asked_times = 0;
    api_ask(api, testing_plugin("shop")->current, "store.get", "{\"scope\":\"plugin\",\"key\":\"k\"}", 1000, on_asked, NULL);
    CHECK_INT(asked_times, 0);
    WAIT(asked_times == 1);
    CHECK(!asked_ok);
    CHECK_TEXT(asked_text, "not_found");
    api_ask(api, testing_plugin("shop")->current, "ledger.charge", "{}", 1000, on_asked, NULL);
    WAIT(asked_times == 2);
    CHECK_TEXT(asked_text, "not_askable");
    api_ask(api, testing_plugin("shop")->current, "ledger.balance", "{\"player\":\"1\",\"asset\":\"PALM\"}", 1000, on_asked, NULL);
    WAIT(asked_times == 3);
    CHECK(asked_ok);
    CHECK_TEXT(asked_text, "{\"free\":0,\"held\":0}");
    end();
}

int main(void)
{
    fr_log_level_set(LOG_ERROR + 1);
    ledger_register();
    txq_register();
    burn_register();
    player_register();
    kv_register();
    plugins_register();
    TEST(test_small_calls);
    TEST(test_grants_are_needed);
    TEST(test_documents);
    TEST(test_a_charge_needs_approval_and_is_made_once);
    TEST(test_burns_are_the_plugins_own);
    TEST(test_what_memory_refuses_has_not_moved);
    TEST(test_holds_belong_to_their_plugin_and_give_approval_back);
    TEST(test_a_hold_that_expires_gives_the_approval_back_once);
    TEST(test_what_expires_comes_back_only_where_it_was_taken);
    TEST(test_linked_steps_are_all_or_none);
    TEST(test_a_key_names_all_of_its_linked_steps);
    TEST(test_pools_of_long_names_are_not_one);
    TEST(test_coins_go_to_players_that_exist);
    TEST(test_a_player_is_not_asked_for_what_another_shall_pay);
    TEST(test_an_asset_without_a_grant_is_neither_seen_nor_asked_for);
    TEST(test_an_intent_is_made);
    TEST(test_plugins_call_each_other_as_granted);
    TEST(test_wrong_arguments_raise_with_file_and_line);
    TEST(test_hostile_arguments_are_refused_by_the_table);
    TEST(test_a_match_may_ask_only_what_is_askable);
    return TEST_END();
}
