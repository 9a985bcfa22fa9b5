// treasury_test.c — the table of parts, halts and ends, with parts made up here; and that a chain which cannot be reached hurts nobody.
#include "treasury/treasury.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/test.h"
#include "treasury/treasury_inside.h"

static uv_loop_t loop;
static struct store *store;
static struct treasury *treasury;
static struct fr_err err;
static bool stopped;

// ---- a part that notes what is done to it

struct noted { const struct treasury_part *part; int ticks, ends, frees; bool refuses; char name[TXQ_NAME_BYTES_MAX + 1]; };
static struct noted one, two;
static bool make_fails, two_unwanted;

static enum fr_status noted_make(struct noted *n, const struct treasury_part *part, void **ret, struct fr_err *e)
{
    if (make_fails) return FR_FAIL(e, FR_E_INVALID, "a rule that makes no sense");
    *n = (struct noted){ .part = part };
    *ret = n;
    return FR_OK;
}
static enum fr_status make_one(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *e) { (void)s; return noted_make(&one, part, ret, e); }
static enum fr_status make_two(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *e)
{
    (void)s;
    if (two_unwanted) return FR_OK;
    return noted_make(&two, part, ret, e);
}
static void noted_tick(void *x) { ((struct noted *)x)->ticks++; }
static void noted_free(void *x) { ((struct noted *)x)->frees++; }
static void noted_facts(void *x, struct fr_buf *out) { fr_buf_addf(out, "{\"ticked\":%s}", ((struct noted *)x)->ticks > 0 ? "true" : "false"); }
static void noted_metrics(void *x, struct fr_buf *out) { (void)x; fr_buf_add(out, "frond_noted 1\n"); }
static enum fr_status noted_end(struct store_txn *txn, void *x, const struct txq_payment_row *row, struct fr_err *e)
{
    struct noted *n = x;
    (void)txn;
    if (n->refuses) return FR_FAIL(e, FR_E_BUSY, "not now");
    n->ends++;
    snprintf(n->name, sizeof n->name, "%s", row->name);
    return FR_OK;
}
static const struct treasury_kind kinds[] = {
    { .name = "one", .prefix = "one:", .make = make_one, .tick = noted_tick, .on_end = noted_end, .free = noted_free, .facts = noted_facts, .metrics = noted_metrics },
    { .name = "two", .prefix = "two:", .make = make_two, .tick = noted_tick, .on_end = noted_end, .free = noted_free, .facts = noted_facts, .metrics = noted_metrics },
    { .name = NULL },
};

// ---- a host with a chain that nobody answers for

static struct treasury_settings settings;
static void settings_make(void)
{
    memset(&settings, 0, sizeof settings);
    settings.configured = true;
    settings.chain_id = 31337;
    settings.endpoints[0] = (struct endpoint_config){ .name = "none", .url = "http://127.0.0.1:9/SECRET" };
    settings.endpoint_count = 1;
    settings.final = (struct final_rules){ .quorum = 1, .blocks = 3 };
    settings.key.bytes[19] = 1;
    settings.vault.bytes[19] = 2;
    settings.max_fee = settings.max_tip = settings.day_most = u256_of(1000000000);
    settings.contracts.token_count = 1;
    settings.contracts.tokens[0] = (struct treasury_token){ .asset = "PALM", .at = { { 3 } }, .ledger_decimals = 9, .chain_decimals = 9 };
    settings.signer.where = SIGNER_LOCAL;
    settings.signer.keystore_count = 1;
    snprintf(settings.signer.policy, sizeof settings.signer.policy, "%s", test_path("no-policy"));
    snprintf(settings.signer.tally, sizeof settings.signer.tally, "%s", test_path("no-tally"));
    snprintf(settings.signer.passphrase, sizeof settings.signer.passphrase, "%s", test_path("no-passphrase"));
    snprintf(settings.signer.keystores[0], sizeof settings.signer.keystores[0], "%s", test_path("no-key"));
}

static void on_wallet(void *arg, const char *player, const char *asset) { (void)arg; (void)player; (void)asset; }
static void on_stopped(void *arg) { (void)arg; stopped = true; }

static enum fr_status begin(bool none)
{
    static bool registered;
    if (!registered) txq_register();
    registered = true;
    uv_loop_init(&loop);
    test_folder_new();
    settings_make();
    store = test_open(&loop);
    struct treasury_options o = { .loop = &loop, .store = store, .data = test_path("data"), .programs = test_folder, .settings = &settings, .none = none, .kinds = kinds, .wallet = on_wallet };
    return treasury_open(&o, &treasury, &err);
}

static void run_ms(int ms)
{
    for (int64_t end = fr_mono_ms() + ms; fr_mono_ms() < end; ) {
        uv_run(&loop, UV_RUN_NOWAIT);
        usleep(2000);
    }
}

static void end(void)
{
    stopped = false;
    treasury_stop(treasury, on_stopped, NULL);
    for (int i = 0; i < 2000 && !stopped; i++) run_ms(5);
    CHECK(stopped);
    test_close(store, &loop);
    treasury_free(treasury);
    CHECK_INT(uv_loop_close(&loop), 0);
    test_folder_drop();
}

static bool status_has(const char *text)
{
    FR_AUTO_BUF(out);
    FR_AUTO(fr_json) json = NULL;
    fr_buf_init(&out, 64 * 1024);
    treasury_print_status(treasury, &out);
    CHECK(fr_json_parse(out.data, out.len, &json, &err) == FR_OK);
    CHECK(strstr(out.data, "SECRET") == NULL);
    return strstr(out.data, text) != NULL;
}

// ---- promises

static void test_without_a_chain_nothing_runs(void)
{
    CHECK(begin(true) == FR_OK);
    run_ms(120);
    CHECK(treasury_state(treasury) == TREASURY_OFF && status_has("\"state\":\"off\"") && status_has("--no-chain"));
    CHECK(treasury_pause(treasury, true, &err) == FR_E_CONFLICT && strcmp(err.code, "chain_off") == 0);
    CHECK(treasury_press(treasury, DEVCHAIN_MINE, NULL, NULL, &err) == FR_E_CONFLICT);
    CHECK(treasury_part_of(treasury, "one") == NULL && one.part == NULL && treasury_settings_of(treasury) == NULL);
    end();
}

static void test_parts_are_made_ticked_and_freed(void)
{
    CHECK(begin(false) == FR_OK);
    CHECK(treasury_part_of(treasury, "one") == &one && treasury_part_of(treasury, "two") == &two && treasury_part_of(treasury, "three") == NULL);
    CHECK(one.part->chain_id == 31337 && one.part->token_count == 1 && strcmp(one.part->tokens[0].asset, "PALM") == 0 && one.part->vault.bytes[19] == 2 && one.part->store == store);
    run_ms(300);
    CHECK(one.ticks >= 2 && two.ticks >= 2);
    CHECK(status_has("\"one\":{\"ticked\":true}"));
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 64 * 1024);
    treasury_metrics(treasury, &out);
    CHECK(strstr(out.data, "frond_noted 1\n") && strstr(out.data, "frond_txq_loaded{queue=\"1\"} 1") && strstr(out.data, "frond_signer_up 0") && strstr(out.data, "frond_chain_node_good{node=\"none\"} 0"));
    int ticks = one.ticks;
    end();
    CHECK(one.frees == 1 && two.frees == 1 && one.ticks == ticks);
}

static void test_a_part_that_refuses_its_rules_refuses_the_start(void)
{
    make_fails = true;
    CHECK(begin(false) == FR_E_INVALID && strstr(err.text, "one: a rule that makes no sense"));
    make_fails = false;
    end();
}

static void test_any_part_halts_money_out(void)
{
    CHECK(begin(false) == FR_OK);
    run_ms(150);
    const struct treasury_part *p = one.part;
    CHECK(!p->halted(p->arg));
    p->halt(p->arg, "one", "shortfall", "3 PALM are missing");
    two.part->halt(two.part->arg, "two", "ids_unknown", "a batch that the data does not know");
    CHECK(p->halted(p->arg) && treasury_halted(treasury) && status_has("3 PALM are missing"));
    p->halt(p->arg, "one", NULL, NULL);
    CHECK(p->halted(p->arg) && !status_has("3 PALM are missing") && status_has("ids_unknown"));
    two.part->halt(two.part->arg, "two", NULL, NULL);
    two.part->halt(two.part->arg, "two", NULL, NULL);
    CHECK(!p->halted(p->arg));
    end();
}

static enum fr_status ended;
static enum fr_status end_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct txq_payment_row row = { .id = 1, .end = TXQ_PAID };
    snprintf(row.name, sizeof row.name, "%s", (const char *)arg);
    ended = treasury_on_end(txn, treasury, &row, e);
    return FR_OK;
}

static enum fr_status end_of(const char *name)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", name);
    CHECK(store_now(store, end_job, copy, &err) == FR_OK);
    return ended;
}

static void test_ends_go_to_whose_payment_it_is(void)
{
    two_unwanted = true;
    CHECK(begin(false) == FR_OK);
    CHECK(end_of("one:7") == FR_OK && one.ends == 1);
    CHECK_TEXT(one.name, "one:7");
    CHECK(end_of("oneself:7") == FR_OK && one.ends == 1);          // nobody's: logged, and over
    CHECK(end_of("two:1") == FR_E_CONFLICT);                       // somebody's who is not here: it must not be lost
    one.refuses = true;
    CHECK(end_of("one:8") == FR_E_BUSY && one.ends == 1);
    one.refuses = false;
    stopped = false;
    treasury_stop(treasury, on_stopped, NULL);
    CHECK(one.frees == 1 && end_of("one:9") == FR_E_BUSY && one.ends == 1);      // the store's thread may come after the parts went
    for (int i = 0; i < 2000 && !stopped; i++) run_ms(5);
    test_close(store, &loop);
    treasury_free(treasury);
    CHECK_INT(uv_loop_close(&loop), 0);
    test_folder_drop();
    two_unwanted = false;
}

static void test_what_is_missing_is_said(void)
{
    CHECK(begin(false) == FR_OK);
    run_ms(300);
    CHECK(status_has("\"code\":\"signer_file\"") && status_has("no-policy") && treasury_state(treasury) == TREASURY_STARTING);
    CHECK(treasury_pause(treasury, true, &err) == FR_OK);
    run_ms(400);
    CHECK(status_has("\"code\":\"paused\"") && status_has("\"paused\":true"));
    CHECK(treasury_forgive(treasury, "nobody", &err) == FR_E_NOT_FOUND && treasury_forgive(treasury, "none", &err) == FR_E_NOT_FOUND && treasury_forgive(treasury, NULL, &err) == FR_OK);
    run_ms(5500);
    CHECK(treasury_state(treasury) == TREASURY_DOWN && status_has("\"code\":\"nodes_down\""));
    end();
}

int main(void)
{
    FILE *away = tmpfile();
    if (away) fr_log_to(fileno(away));
    TEST(test_without_a_chain_nothing_runs);
    TEST(test_parts_are_made_ticked_and_freed);
    TEST(test_a_part_that_refuses_its_rules_refuses_the_start);
    TEST(test_any_part_halts_money_out);
    TEST(test_ends_go_to_whose_payment_it_is);
    TEST(test_what_is_missing_is_said);
    if (away) fclose(away);
    return TEST_END();
}
