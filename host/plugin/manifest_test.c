// manifest_test.c — one good manifest, and everything that can be wrong with it, one change at a time.
#include "plugin/manifest.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/hash.h"
#include "base/hex.h"

static const char good[] =
    "{\"id\":\"duel\",\"name\":\"Card Duel\",\"version\":\"1.0.0\",\"api\":\"2026-11-01\",\"kind\":\"game\",\"description\":\"d\",\"author\":\"a\","
    "\"limits\":{\"heap_mib\":64,\"store_mib\":2},"
    "\"grants\":{\"store\":{\"why\":\"decks\"},\"ledger\":{\"why\":\"stakes\",\"assets\":[\"PALM\",\"TEST\"]},\"call\":{\"why\":\"greets\",\"plugins\":[\"hello\"]},\"burn\":{\"why\":\"gives up\"},\"llm\":{\"why\":\"riddles\",\"models\":[\"small\"],\"tokens_day\":5000}},"
    "\"tasks\":{\"riddle\":{\"prompt\":\"A riddle about {{what}}\",\"vars\":{\"type\":\"object\",\"properties\":{\"what\":{}}}}},"
    "\"calls\":{\"greet\":{\"args\":{\"type\":\"object\"},\"doc\":\"Greets.\",\"player\":false},\"deck\":{}},"
    "\"splits\":{\"shop\":{\"plugin\":9000,\"treasury\":500,\"burn\":500}},"
    "\"modes\":{\"classic\":{\"name\":\"Classic\",\"seats\":2,\"bot\":true,\"turn_ms\":20000,\"asset\":\"PALM\",\"stakes\":[\"0\",\"100\",\"200\"],"
    "\"rake\":{\"plugin\":200,\"treasury\":100,\"burn\":200},\"options\":{\"type\":\"object\"},\"tick_hz\":10},\"quick\":{\"seats\":4}},"
    "\"inputs\":{\"play\":{\"type\":\"object\"},\"surrender\":null},"
    "\"page\":{\"title\":\"Duel\",\"icon\":\"img/icon.svg\"}}";

// `good` with the first `old` replaced by `new_text`.
static const char *changed(const char *old, const char *new_text)
{
    static char out[sizeof good + 4096];
    const char *at = strstr(good, old);
    if (!at) { printf("  there is no %s to change\n", old); abort(); }
    snprintf(out, sizeof out, "%.*s%s%s", (int)(at - good), good, new_text, at + strlen(old));
    return out;
}

static void text_refused(const char *text, const char *want)
{
    struct fr_err err = { 0 };
    struct manifest *m = NULL;
    enum fr_status st = manifest_parse(text, strlen(text), &m, &err);
    CHECK_TEXT(st == FR_OK ? "(accepted)" : err.text, want);
    CHECK(m == NULL);
    manifest_free(m);
}

static void refused(const char *old, const char *new_text, const char *want) { text_refused(changed(old, new_text), want); }

static void accepted(const char *old, const char *new_text)
{
    struct fr_err err = { 0 };
    FR_AUTO(manifest) m = NULL;
    const char *text = changed(old, new_text);
    enum fr_status st = manifest_parse(text, strlen(text), &m, &err);
    CHECK_TEXT(st == FR_OK ? "" : err.text, "");
}

static void test_a_good_manifest_is_read_whole(void)
{
    struct fr_err err = { 0 };
    FR_AUTO(manifest) m = NULL;
    CHECK(manifest_parse(good, strlen(good), &m, &err) == FR_OK);
    CHECK_TEXT(err.text, "");
    if (!m) return;
    CHECK_TEXT(m->id, "duel");
    CHECK_TEXT(m->name, "Card Duel");
    CHECK_TEXT(m->version, "1.0.0");
    CHECK_TEXT(m->kind, "game");
    CHECK_TEXT(m->description, "d");
    CHECK_TEXT(m->author, "a");
    CHECK_INT(m->heap_bytes, 64 << 20);
    CHECK_INT(m->store_bytes, 2 << 20);
    CHECK(m->grant_store && m->grant_ledger && m->grant_call && m->grant_burn && m->has_page);
    CHECK(manifest_granted(m, "store") && manifest_granted(m, "ledger") && manifest_granted(m, "call") && manifest_granted(m, NULL) && !manifest_granted(m, "http"));
    CHECK_INT(m->ledger_asset_count, 2);
    CHECK(m->grant_llm && manifest_granted(m, "llm") && m->llm_model_count == 1 && m->llm_tokens_day == 5000);
    CHECK_TEXT(m->llm_models[0], "small");
    CHECK(fr_json_get(m->tasks, "riddle") != NULL);
    CHECK_TEXT(m->ledger_assets[1], "TEST");
    CHECK_TEXT(m->call_plugins[0], "hello");
    CHECK_INT(m->call_count, 2);
    CHECK(manifest_call(m, "greet")->args && !manifest_call(m, "greet")->player);
    CHECK_TEXT(manifest_call(m, "greet")->doc, "Greets.");
    CHECK(!manifest_call(m, "deck")->args && manifest_call(m, "deck")->player);
    CHECK(manifest_call(m, "nothing") == NULL);
    CHECK_INT(m->splits[0].bps[SPLIT_PLUGIN], 9000);
    CHECK_INT(m->splits[0].bps[SPLIT_AUTHOR], 0);
    const struct manifest_mode *mode = manifest_mode(m, "classic");
    CHECK(mode && mode->bot && mode->seats == 2 && mode->turn_ms == 20000 && mode->tick_hz == 10 && mode->options);
    CHECK(mode->stake_count == 3 && mode->stakes[0] == 0 && mode->stakes[2] == 200);
    CHECK_INT(mode->rake_bps[SPLIT_BURN], 200);
    mode = manifest_mode(m, "quick");
    CHECK(mode && !mode->bot && mode->stake_count == 1 && mode->stakes[0] == 0 && mode->turn_ms == 0);
    CHECK_TEXT(mode->name, "quick");
    CHECK_TEXT(mode->asset, "PALM");
    bool known = false;
    CHECK(manifest_input(m, "play", &known) && known);
    CHECK(!manifest_input(m, "surrender", &known) && known);
    CHECK(!manifest_input(m, "cheat", &known) && !known);
    CHECK_TEXT(m->page_title, "Duel");
    CHECK_TEXT(m->page_icon, "img/icon.svg");
}

static void test_the_smallest_manifest(void)
{
    const char *text = "{\"id\":\"hello\",\"name\":\"Hello\",\"version\":\"0.1.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\"}";
    struct fr_err err = { 0 };
    FR_AUTO(manifest) m = NULL;
    CHECK(manifest_parse(text, strlen(text), &m, &err) == FR_OK);
    if (!m) return;
    CHECK_INT(m->heap_bytes, WORKER_HEAP_BYTES_DEFAULT);
    CHECK_INT(m->store_bytes, KV_QUOTA_BYTES_DEFAULT);
    CHECK(!m->grant_store && !m->grant_ledger && !m->grant_call && !m->grant_burn && !m->has_page);
    CHECK_TEXT(m->description, "");
}

// The terms are what a player agrees to, and nothing else.
static void test_terms_follow_asset_seats_and_rake_only(void)
{
    const char *canonical = "{\"asset\":\"PALM\",\"rake\":{\"author\":0,\"burn\":200,\"plugin\":200,\"treasury\":100},\"seats\":2}";
    uint8_t hash[SHA256_BYTES];
    char want[SHA256_HEX_BYTES];
    fr_sha256(canonical, strlen(canonical), hash);
    fr_hex(hash, sizeof hash, want);
    static const struct { const char *old, *new_text; bool same; } cases[] = {
        { "\"turn_ms\":20000", "\"turn_ms\":5000", true }, { "\"Classic\"", "\"Old\"", true }, { "\"200\"]", "\"300\"]", true },
        { "\"seats\":2", "\"seats\":3", false }, { "\"burn\":200", "\"burn\":201", false }, { "\"asset\":\"PALM\"", "\"asset\":\"TEST\"", false },
        { "\"plugin\":200,\"treasury\":100", "\"author\":200,\"treasury\":100", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = changed(cases[i].old, cases[i].new_text);
        struct fr_err err = { 0 };
        FR_AUTO(manifest) m = NULL;
        CHECK(manifest_parse(text, strlen(text), &m, &err) == FR_OK);
        if (m) CHECK((strcmp(manifest_mode(m, "classic")->terms, want) == 0) == cases[i].same);
    }
}

#define P "plugin.json: "
static void test_what_is_not_a_manifest(void)
{
    text_refused("[]", P "expected an object, got array");
    text_refused("{}", P "id: expected a string, got nothing");
    struct fr_err err = { 0 };
    struct manifest *m = NULL;
    CHECK_INT(manifest_parse("{\"id\":", 6, &m, &err), FR_E_INVALID);
    CHECK(strncmp(err.text, P, strlen(P)) == 0);
    static char big[PLUGIN_MANIFEST_BYTES_MAX + 1];
    memset(big, ' ', sizeof big);
    CHECK_INT(manifest_parse(big, sizeof big, &m, &err), FR_E_LIMIT);
    CHECK_TEXT(err.text, "plugin.json: 65537 bytes, and 65536 are the most");
}

static void test_head_refusals(void)
{
    refused("\"author\"", "\"autor\"", P "unknown key \"autor\", did you mean \"author\"?");
    refused("\"id\":\"duel\"", "\"id\":\"Duel\"", P "id: expected lower-case letters, digits and single hyphens, beginning with a letter, got \"Duel\"");
    refused("\"id\":\"duel\"", "\"id\":\"a--b\"", P "id: expected lower-case letters, digits and single hyphens, beginning with a letter, got \"a--b\"");
    refused("\"id\":\"duel\"", "\"id\":\"a-\"", P "id: expected lower-case letters, digits and single hyphens, beginning with a letter, got \"a-\"");
    refused("\"id\":\"duel\"", "\"id\":\"frond\"", P "id: \"frond\" is taken by the host itself");
    refused("\"id\":\"duel\"", "\"id\":\"abcdefghijabcdefghijabcdefghijabc\"", P "id: expected a string of 1 to 32 bytes, got 33");
    refused("\"name\":\"Card Duel\"", "\"name\":\"\"", P "name: expected a string of 1 to 64 bytes, got 0");
    refused("\"1.0.0\"", "\"1.0\"", P "version: expected a semantic version such as \"1.0.0\" or \"1.1.0-beta.2\", got \"1.0\"");
    refused("\"2026-11-01\"", "\"2027-01-01\"", P "api: this host speaks 2026-11-01 and the plugin wants 2027-01-01: update the host");
    refused("\"2026-11-01\"", "\"2026-01-01\"", P "api: there is no version 2026-01-01; this host speaks 2026-11-01");
    refused("\"2026-11-01\"", "\"2026/11/01\"", P "api: expected a date such as \"2026-11-01\", got \"2026/11/01\"");
    refused("\"2026-11-01\"", "1", P "api: expected a string, got number");
    refused("\"kind\":\"game\"", "\"kind\":\"toy\"", P "kind: expected game, bot, tool, fund or studio, got \"toy\"");
    refused("\"heap_mib\":64", "\"heap_mib\":257", P "limits.heap_mib: expected an integer from 4 to 256, got 257");
    refused("\"heap_mib\":64", "\"heap_mib\":3", P "limits.heap_mib: expected an integer from 4 to 256, got 3");
    refused("\"store_mib\":2", "\"cpu_percent\":101", P "limits.cpu_percent: expected an integer from 1 to 100, got 101");
    refused("\"store_mib\":2", "\"store_mib\":0", P "limits.store_mib: expected an integer from 1 to 1024, got 0");
    refused("\"heap_mib\":64", "\"heap\":64", P "limits: unknown key \"heap\"; known are: heap_mib, store_mib, workers, cpu_percent");
}

static void test_grant_refusals(void)
{
    refused("{\"why\":\"decks\"}", "{}", P "grants.store.why: expected a string, got nothing");
    refused("{\"why\":\"decks\"}", "{\"why\":\"\"}", P "grants.store.why: expected a string of 1 to 200 bytes, got 0");
    refused("{\"why\":\"decks\"}", "true", P "grants.store: expected an object, got boolean");
    refused("\"store\":{", "\"stor\":{", P "grants: unknown key \"stor\", did you mean \"store\"?");
    refused("[\"PALM\",\"TEST\"]", "[]", P "grants.ledger.assets: expected an array of 1 to 8 elements, got 0");
    refused("[\"PALM\",\"TEST\"]", "[\"palm\"]", P "grants.ledger.assets[0]: an asset is capital letters and digits, such as \"PALM\"; got \"palm\"");
    refused("[\"PALM\",\"TEST\"]", "[\"PALM\",\"PALM\"]", P "grants.ledger.assets[1]: \"PALM\" stands there twice");
    refused("[\"hello\"]", "[\"hello\",\"hello\"]", P "grants.call.plugins[1]: \"hello\" stands there twice");
    refused("[\"hello\"]", "[\"duel\"]", P "grants.call.plugins[0]: \"duel\" is this plugin itself: call its functions in Lua");
    refused("[\"small\"]", "[]", P "grants.llm.models: expected an array of 1 to 8 elements, got 0");
    refused("5000", "0", P "grants.llm.tokens_day: expected an integer from 1 to 1000000000000, got 0");
    refused("{{what}}", "{{who}}", P "tasks.riddle.prompt: {{who}} is not among the properties of vars");
    refused("\"riddle\":{\"prompt\"", "\"Riddle\":{\"prompt\"", P "tasks: a name is lower-case letters, digits and _, begins with a letter and has at most 32 bytes; got \"Riddle\"");
    refused("[\"hello\"]", "[\"He\"]", P "grants.call.plugins[0]: expected a plugin's id, got \"He\"");
}

static void test_call_and_input_refusals(void)
{
    refused("\"greet\":", "\"Greet\":", P "calls: a name is lower-case letters, digits and _, begins with a letter and has at most 64 bytes; got \"Greet\"");
    refused("\"greet\":", "\"a.b\":", P "calls: a name is lower-case letters, digits and _, begins with a letter and has at most 64 bytes; got \"a.b\"");
    refused("{\"args\":{\"type\":\"object\"}", "{\"args\":{\"type\":\"objekt\"}",
            P "calls.greet.args.type: expected one of object, array, string, integer, number, boolean, null, or a list of them, got \"objekt\"");
    refused("\"player\":false", "\"player\":1", P "calls.greet.player: expected true or false, got number");
    refused("\"doc\":", "\"docs\":", P "calls.greet: unknown key \"docs\", did you mean \"doc\"?");
    refused("\"deck\":{}", "\"deck\":[]", P "calls.deck: expected an object, got array");
    refused("\"deck\":{}", "\"greet\":{}", P "line 1, column 552: duplicate key \"greet\"");
    refused("\"play\":{\"type\":\"object\"}", "\"play\":{\"type\":\"object\",\"propertys\":{}}",
            P "inputs.play: unknown key \"propertys\", did you mean \"properties\"?");
    refused("\"play\":{", "\"Play\":{", P "inputs: a name is lower-case letters, digits and _, begins with a letter and has at most 64 bytes; got \"Play\"");
}

static void test_money_refusals(void)
{
    refused("\"plugin\":9000", "\"plugin\":9001", P "splits.shop: the parts must sum to 10000 basis points, and they sum to 10001");
    refused("\"plugin\":9000", "\"plugin\":-1", P "splits.shop.plugin: expected an integer from 0 to 10000, got -1");
    refused("\"plugin\":9000", "\"plugins\":9000", P "splits.shop: unknown key \"plugins\", did you mean \"plugin\"?");
    refused("\"ledger\":{\"why\":\"stakes\",\"assets\":[\"PALM\",\"TEST\"]},", "",
            P "splits: sharing coins needs the grant \"ledger\", which grants does not ask for");
    refused("\"rake\":{\"plugin\":200", "\"rake\":{\"plugin\":9800", P "modes.classic.rake: the parts sum to 10100 basis points, and the whole pot is 10000");
    accepted("\"rake\":{\"plugin\":200", "\"rake\":{\"plugin\":9700");
    refused("[\"0\",\"100\",\"200\"]", "[\"0\",\"200\",\"100\"]", P "modes.classic.stakes[2]: stakes go up, and 100 comes after 200");
    refused("[\"0\",\"100\",\"200\"]", "[\"0\",\"100\",\"100\"]", P "modes.classic.stakes[2]: \"100\" stands there twice");
    refused("[\"0\",\"100\",\"200\"]", "[\"0\",100]", P "modes.classic.stakes[1]: expected a decimal string, got number");
    refused("[\"0\",\"100\",\"200\"]", "[\"0\",\"1.5\"]", P "modes.classic.stakes[1]: expected a decimal string, got \"1.5\"");
    refused("[\"0\",\"100\",\"200\"]", "[]", P "modes.classic.stakes: expected an array of 1 to 12 elements, got 0");
    refused("[\"0\",\"100\",\"200\"]", "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\"]",
            P "modes.classic.stakes: expected an array of 1 to 12 elements, got 13");
    refused("\"asset\":\"PALM\"", "\"asset\":\"GOLD\"", P "modes.classic.asset: \"GOLD\" is not among grants.ledger.assets");
    refused("\"asset\":\"PALM\"", "\"asset\":\"palm\"", P "modes.classic.asset: an asset is capital letters and digits, such as \"PALM\"; got \"palm\"");
    refused("[\"0\",\"100\",\"200\"]", "[\"100\"]", P "modes.classic.bot: a bot has no coins and plays only at stake \"0\", which is not among the stakes");
}

static void test_mode_refusals(void)
{
    refused("\"classic\":{", "\"Classic\":{", P "modes: a name is lower-case letters, digits and _, begins with a letter and has at most 32 bytes; got \"Classic\"");
    refused("\"seats\":2", "\"seats\":0", P "modes.classic.seats: expected an integer from 1 to 64, got 0");
    refused("\"seats\":2", "\"seats\":65", P "modes.classic.seats: expected an integer from 1 to 64, got 65");
    refused("\"seats\":2", "\"seat\":2", P "modes.classic: unknown key \"seat\", did you mean \"seats\"?");
    refused("\"seats\":2,", "", P "modes.classic.seats: expected an integer from 1 to 64, got nothing");
    refused("\"seats\":2", "\"seats\":1", P "modes.classic.bot: a bot takes an empty seat, and this mode has one seat");
    refused("\"seats\":2,\"bot\":true", "\"seats\":1", P "modes.classic.stakes: one seat plays against nobody, so there is no pot to win");
    refused("\"turn_ms\":20000", "\"turn_ms\":999", P "modes.classic.turn_ms: expected 0 (no turn clock) or 1000 to 86400000, got 999");
    refused("\"turn_ms\":20000", "\"turn_ms\":86400001", P "modes.classic.turn_ms: expected an integer from 0 to 86400000, got 86400001");
    refused("\"tick_hz\":10", "\"tick_hz\":61", P "modes.classic.tick_hz: expected an integer from 0 to 60, got 61");
    refused("{\"seats\":4}", "{\"seats\":4,\"stakes\":[\"5\"]}", P "modes.quick.turn_ms: a staked match needs a clock (turn_ms or tick_hz), or its loser would never move");
    refused("\"kind\":\"game\"", "\"kind\":\"tool\"", P "modes: only a plugin of kind \"game\" has modes, and this one is a \"tool\"");
    refused("\"options\":{\"type\":\"object\"}", "\"options\":{\"minimum\":1}", P "modes.classic.options: minimum needs \"type\" to be number or integer");
    text_refused("{\"id\":\"a\",\"name\":\"A\",\"version\":\"0.1.0\",\"api\":\"2026-11-01\",\"kind\":\"game\"}",
                 P "modes: a game needs at least one mode; a plugin without matches has kind \"tool\"");
    text_refused("{\"id\":\"a\",\"name\":\"A\",\"version\":\"0.1.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"inputs\":{\"play\":{}}}",
                 P "inputs: only a plugin of kind \"game\" has inputs, and this one is a \"tool\"");
    text_refused("{\"id\":\"a\",\"name\":\"A\",\"version\":\"0.1.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"relays\":{\"aim\":{}}}",
                 P "relays: only a plugin of kind \"game\" has relays, and this one is a \"tool\"");
    text_refused("{\"id\":\"a\",\"name\":\"A\",\"version\":\"0.1.0\",\"api\":\"2026-11-01\",\"kind\":\"game\",\"modes\":{\"m\":{\"seats\":2,\"turn_ms\":1000,\"stakes\":[\"1\"]}}}",
                 P "modes.m.stakes: stakes over 0 need the grant \"ledger\", which grants does not ask for");
}

static void test_page_refusals(void)
{
    refused("\"icon\":", "\"image\":", P "page: unknown key \"image\"; known are: title, icon");
    refused("img/icon.svg", "../icon.svg", P "page.icon: expected a file below web/, such as \"icon.svg\", got \"../icon.svg\"");
    refused("img/icon.svg", "/icon.svg", P "page.icon: expected a file below web/, such as \"icon.svg\", got \"/icon.svg\"");
    refused("img/icon.svg", "img/.icon", P "page.icon: expected a file below web/, such as \"icon.svg\", got \"img/.icon\"");
    refused("img/icon.svg", "a?b", P "page.icon: expected a file below web/, such as \"icon.svg\", got \"a?b\"");
    refused("img/icon.svg", "img/", P "page.icon: expected a file below web/, such as \"icon.svg\", got \"img/\"");
}

static void test_translation_refusals(void)
{
    static const char page[] = "\"page\":";
    FR_AUTO(manifest) m = NULL;
    struct fr_err err = { 0 };
    static const char two[] = "{\"id\":\"a\",\"name\":\"A\",\"version\":\"0.1.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"translations\":{\"ko\":{\"name\":\"\xea\xb0\x80\"},\"fil\":{}}}";
    CHECK_INT(manifest_parse(two, sizeof two - 1, &m, &err), FR_OK);
    CHECK_TEXT(fr_json_text(fr_json_get(fr_json_get(m->translations, "ko"), "name")), "\xea\xb0\x80");
    refused(page, "\"translations\":[],\"page\":", P "translations: expected an object, got array");
    refused(page, "\"translations\":{\"Korean\":{}},\"page\":", P "translations: expected a language such as \"ko\", got \"Korean\"");
    refused(page, "\"translations\":{\"ko-KR\":{}},\"page\":", P "translations: expected a language such as \"ko\", got \"ko-KR\"");
    refused(page, "\"translations\":{\"ko\":\"x\"},\"page\":", P "translations.ko: expected an object, got string");
    refused(page, "\"translations\":{\"ko\":{\"title\":\"x\"}},\"page\":", P "translations.ko: unknown key \"title\"; known are: name, description");
    refused(page, "\"translations\":{\"ko\":{\"name\":\"\"}},\"page\":", P "translations.ko.name: a name has at least 1 byte");
    refused(page, "\"translations\":{\"ko\":{\"name\":7}},\"page\":", P "translations.ko.name: expected a string, got number");
    for (int count = MANIFEST_LANGUAGES_MAX; count <= MANIFEST_LANGUAGES_MAX + 1; count++) {
        FR_AUTO_BUF(text);
        FR_AUTO(manifest) many = NULL;
        fr_buf_init(&text, 4096);
        fr_buf_add(&text, "{\"id\":\"a\",\"name\":\"A\",\"version\":\"0.1.0\",\"api\":\"2026-11-01\",\"kind\":\"tool\",\"translations\":{");
        for (int n = 0; n < count; n++) fr_buf_addf(&text, "%s\"a%c\":{}", n ? "," : "", 'a' + n);
        fr_buf_add(&text, "}}");
        bool over = count > MANIFEST_LANGUAGES_MAX;
        CHECK_INT(manifest_parse(text.data, text.len, &many, &err), over ? FR_E_LIMIT : FR_OK);
        if (over) CHECK_TEXT(err.text, P "translations: 17 entries, and 16 are the most");
    }
}

// PLUGIN_MODES_MAX, PLUGIN_FUNCTIONS_MAX and 8 splits, and one more of each.
static void test_counts_one_step_past_their_bounds(void)
{
    static const struct { const char *key, *head, *entry; int most; const char *want; } cases[] = {
        { "modes", "\"game\"", "{\"seats\":2}", PLUGIN_MODES_MAX, P "modes: 17 entries, and 16 are the most" },
        { "calls", "\"tool\"", "{}", PLUGIN_FUNCTIONS_MAX, P "calls: 65 entries, and 64 are the most" },
        { "inputs", "\"game\",\"modes\":{\"m\":{\"seats\":2}}", "{}", PLUGIN_FUNCTIONS_MAX, P "inputs: 65 entries, and 64 are the most" },
        { "relays", "\"game\",\"modes\":{\"m\":{\"seats\":2}}", "{}", PLUGIN_FUNCTIONS_MAX, P "relays: 65 entries, and 64 are the most" },
        { "splits", "\"tool\",\"grants\":{\"ledger\":{\"why\":\"w\",\"assets\":[\"PALM\"]}}", "{\"plugin\":10000}", 8, P "splits: 9 entries, and 8 are the most" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int extra = 0; extra < 2; extra++) {
            FR_AUTO_BUF(text);
            FR_AUTO(manifest) m = NULL;
            struct fr_err err = { 0 };
            fr_buf_init(&text, 64 * 1024);
            fr_buf_addf(&text, "{\"id\":\"a\",\"name\":\"A\",\"version\":\"0.1.0\",\"api\":\"2026-11-01\",\"kind\":%s,\"%s\":{", cases[i].head, cases[i].key);
            for (int n = 0; n < cases[i].most + extra; n++) fr_buf_addf(&text, "%s\"n%d\":%s", n ? "," : "", n, cases[i].entry);
            fr_buf_add(&text, "}}");
            enum fr_status st = manifest_parse(text.data, text.len, &m, &err);
            CHECK_TEXT(st == FR_OK ? "" : err.text, extra ? cases[i].want : "");
            CHECK_INT(st, extra ? FR_E_LIMIT : FR_OK);
        }
}

static void test_versions(void)
{
    static const char *const yes[] = { "0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7", "1.0.0-x-y-z.--", "1.0.0-0a" };
    static const char *const no[] = { "", "1", "1.2", "1.2.", "1.2.3.4", "01.2.3", "1.2.03", "1.2.3-", "1.2.3-a..b", "1.2.3-01", "v1.2.3", "1.2.3 ", "1.2.3+b",
                                      "1.2.3-\xc3\xa9", "1.2.3-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) { CHECK(manifest_version_valid(yes[i])); }
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) { CHECK(!manifest_version_valid(no[i])); }
    CHECK(manifest_id_valid("palm-bot") && manifest_id_valid("a") && manifest_id_valid("a1-2b"));
    CHECK(!manifest_id_valid("") && !manifest_id_valid("1a") && !manifest_id_valid("-a") && !manifest_id_valid("a_b") && !manifest_id_valid("a/b"));
}

int main(void)
{
    TEST(test_a_good_manifest_is_read_whole);
    TEST(test_the_smallest_manifest);
    TEST(test_terms_follow_asset_seats_and_rake_only);
    TEST(test_what_is_not_a_manifest);
    TEST(test_head_refusals);
    TEST(test_grant_refusals);
    TEST(test_call_and_input_refusals);
    TEST(test_money_refusals);
    TEST(test_mode_refusals);
    TEST(test_page_refusals);
    TEST(test_translation_refusals);
    TEST(test_counts_one_step_past_their_bounds);
    TEST(test_versions);
    return TEST_END();
}
