// devchain_test.c — what the development chain keeps and says without a node: its files, its names, what is missing. The rest is tests/flow/chain.test.mjs.
#include "treasury/devchain.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/test.h"
#include "treasury/devchain_inside.h"

static struct fr_err err;
static struct treasury_settings settings;

static struct dc_deployment sample(void)
{
    struct dc_deployment m = { .complete = true, .genesis_s = 1795000000 };
    memset(m.genesis, 7, 32);
    memset(m.forwarder_hash, 8, 32);
    for (int i = 0; i < DC_ACCOUNTS; i++) m.accounts[i].bytes[0] = (uint8_t)(i + 1);
    m.key.bytes[0] = 99;
    for (int i = 0; dc_contract_name(i); i++) m.contracts[i].bytes[5] = (uint8_t)(i + 1);
    return m;
}

static int contract_no(const char *name)
{
    for (int i = 0; dc_contract_name(i); i++)
        if (strcmp(dc_contract_name(i), name) == 0) return i;
    return -1;
}

static void test_a_deployment_comes_back_as_it_was(void)
{
    struct dc_deployment m = sample(), back;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 64 * 1024);
    memset(&m.contracts[contract_no("payout_palm")], 0, sizeof m.contracts[0]);      // not compiled then
    dc_deployment_print(&m, true, &text);
    CHECK(dc_deployment_parse(text.data, text.len, &back, &err) == FR_OK);
    CHECK(memcmp(&m, &back, sizeof m) == 0);
    CHECK(strstr(text.data, "\"later_burn\":{\"units\":\"2500000000000000\",\"from\":\"reserve\",\"label\":\"source unstated\"}"));
    static const char *const bad[] = { "", "{}", "[]", "{\"genesis_s\":\"1\",\"genesis\":\"0x12\"}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(dc_deployment_parse(bad[i], strlen(bad[i]), &back, &err) != FR_OK);
    for (size_t cut = 0; cut + 2 < text.len; cut += 97) CHECK(dc_deployment_parse(text.data, cut, &back, &err) != FR_OK);
}

static void test_a_payout_is_allowed_where_its_contract_stands(void)
{
    struct dc_deployment m = sample();
    FR_AUTO_BUF(with); FR_AUTO_BUF(without);
    fr_buf_init(&with, 64 * 1024);
    fr_buf_init(&without, 64 * 1024);
    dc_policy_print(&m, &with);
    static const char *const payouts[] = { "payout_palm", "payout_nfnt", "payout_ghub" };
    for (int i = 0; i < 3; i++) memset(&m.contracts[contract_no(payouts[i])], 0, sizeof m.contracts[0]);
    dc_policy_print(&m, &without);
    FR_AUTO(fr_json) a = NULL;
    FR_AUTO(fr_json) b = NULL;
    CHECK(fr_json_parse(with.data, with.len, &a, &err) == FR_OK && fr_json_parse(without.data, without.len, &b, &err) == FR_OK);
    CHECK_INT(fr_json_size(fr_json_get(a, "payout")), 3);
    CHECK(fr_json_get(b, "payout") == NULL && fr_json_size(fr_json_get(b, "burn")) == 1);
}

static void test_the_key_is_made_once_and_nobody_else_reads_it(void)
{
    struct address one, again;
    struct stat st;
    test_folder_new();
    CHECK(dc_key_make(test_path("chain"), &one, &err) == FR_OK);
    CHECK(dc_key_make(test_path("chain"), &again, &err) == FR_OK && address_equal(&one, &again));
    CHECK(stat(test_path("chain/key.json"), &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(stat(test_path("chain/passphrase"), &st) == 0 && (st.st_mode & 0777) == 0600 && st.st_size == 32);
    test_folder_drop();
}

// ---- what is missing

static void on_made(void *arg, const struct treasury_settings *made) { (void)arg; (void)made; }
static bool stopped;
static void on_stopped(void *arg) { (void)arg; stopped = true; }

static void put_file(const char *name, const char *text, mode_t mode)
{
    FILE *f = fopen(test_path(name), "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(test_path(name), mode) == 0);
}

static bool says(struct devchain *d, const char *text)
{
    struct devchain_facts f;
    devchain_tick(d, d->look_ms);
    devchain_facts(d, &f);
    if (!strstr(f.text, text)) printf("  it says \"%s\"\n", f.text);
    return f.state == DEVCHAIN_STARTING && f.pid == 0 && strstr(f.text, text) != NULL;
}

static void test_what_is_missing_is_named_with_what_to_type(void)
{
    uv_loop_t loop;
    struct devchain *d;
    uv_loop_init(&loop);
    test_folder_new();
    memset(&settings, 0, sizeof settings);
    char bin[600];
    snprintf(bin, sizeof bin, "%s", test_path("bin"));
    CHECK(mkdir(bin, 0700) == 0);
    struct devchain_options o = { .loop = &loop, .data = test_folder, .programs = bin, .settings = &settings, .on_made = on_made };
    devchain_new(&o, &d);
    CHECK(says(d, "anvil is not in") && says(d, "type: make contracts"));
    CHECK(mkdir(test_path("bin/npm"), 0700) == 0 && mkdir(test_path("bin/npm/contracts"), 0700) == 0 && mkdir(test_path("bin/npm/contracts/node_modules"), 0700) == 0 && mkdir(test_path("bin/npm/contracts/node_modules/.bin"), 0700) == 0);
    put_file("bin/npm/contracts/node_modules/.bin/anvil", "#!/bin/sh\n", 0700);
    CHECK(says(d, "gen/contracts; type: make contracts"));
    CHECK(mkdir(test_path("bin/gen"), 0700) == 0 && mkdir(test_path("bin/gen/contracts"), 0700) == 0);
    CHECK(says(d, "/.built is not there; type: make contracts"));
    put_file("bin/gen/contracts/.built", "", 0600);
    CHECK(says(d, "PALM.json is not there; type: make contracts"));
    put_file("bin/gen/contracts/PALM.json", "{\"bytecode\":\"0xnone\"}", 0600);
    CHECK(says(d, "bytecode: expected hex"));
    snprintf(settings.anvil, sizeof settings.anvil, "/nowhere/anvil");
    CHECK(says(d, "there is no program /nowhere/anvil"));
    stopped = false;
    devchain_stop(d, on_stopped, NULL);
    CHECK(stopped);
    devchain_free(d);
    CHECK_INT(uv_loop_close(&loop), 0);
    test_folder_drop();
}

static void test_buttons_wait_for_a_chain(void)
{
    uv_loop_t loop;
    struct devchain *d;
    uv_loop_init(&loop);
    test_folder_new();
    memset(&settings, 0, sizeof settings);
    struct devchain_options o = { .loop = &loop, .data = test_folder, .programs = test_folder, .settings = &settings, .on_made = on_made };
    devchain_new(&o, &d);
    for (int b = DEVCHAIN_MINE; b <= DEVCHAIN_KILL; b++) CHECK(devchain_press(d, (enum devchain_button)b, NULL, NULL, &err) == FR_E_BUSY && strcmp(err.code, "chain_not_ready") == 0);
    struct chain_transport t = devchain_transport(d);
    CHECK(t.post(t.arg, "http://127.0.0.1/", "{}", 2, 1000, 1000, NULL, NULL, &err) == FR_E_BUSY);
    stopped = false;
    devchain_stop(d, on_stopped, NULL);
    devchain_free(d);
    CHECK(stopped && uv_loop_close(&loop) == 0);
    test_folder_drop();
}

int main(void)
{
    FILE *away = tmpfile();
    if (away) fr_log_to(fileno(away));
    TEST(test_a_deployment_comes_back_as_it_was);
    TEST(test_a_payout_is_allowed_where_its_contract_stands);
    TEST(test_the_key_is_made_once_and_nobody_else_reads_it);
    TEST(test_what_is_missing_is_named_with_what_to_type);
    TEST(test_buttons_wait_for_a_chain);
    if (away) fclose(away);
    return TEST_END();
}
