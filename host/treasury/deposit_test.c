// deposit_test.c — deposits over a real store and a chain in memory: settings, addresses, and what is credited: what is final, to the unit.
#include "treasury/deposit_world.h"

static enum fr_status read_options(const char *text, struct deposit_options *ret)
{
    FR_AUTO(fr_json) section = NULL;
    CHECK(fr_json_parse(text, strlen(text), &section, &why) == FR_OK);
    return deposit_options_read(section, model_tokens, MODEL_TOKENS, ret, &why);
}

static void test_options_are_read_strictly(void)
{
    struct deposit_options o = { .factory = model_factory };
    CHECK(deposit_options_read(NULL, model_tokens, MODEL_TOKENS, &o, &why) == FR_OK && o.from_block == 0);
    CHECK(read_options("{\"from_block\":\"19000000\",\"sweep_hours\":2,\"sweep\":{\"PALM\":\"1000\",\"GHUB\":\"0.5\"},\"sweep_least\":{\"NFNT\":\"0.000000001\"}}", &o) == FR_OK);
    CHECK(o.from_block == 19000000 && o.sweep_age_ms == 7200000 && o.sweep_units[0] == 1000000000000LL && o.sweep_units[1] == 0 && o.sweep_units[2] == 500000000 && o.sweep_least_units[1] == 1 && address_equal(&o.factory, &model_factory));
    static const struct { const char *text, *says; } bad[] = {
        { "[]", "expected an object" }, { "{\"sweeep\":{}}", "sweep" }, { "{\"sweep\":{\"TEST\":\"1\"}}", "deposits.sweep.TEST: no token" }, { "{\"sweep\":{\"PALM\":1}}", "deposits.sweep.PALM: expected a decimal string" }, { "{\"sweep\":7}", "by asset" },
        { "{\"sweep\":{\"PALM\":\"-1\"}}", "deposits.sweep.PALM" }, { "{\"sweep_least\":{\"PALM\":\"0.0000000001\"}}", "deposits.sweep_least.PALM" }, { "{\"sweep\":{\"PALM\":\"9000000000\"}}", "up to what the ledger holds" },
        { "{\"from_block\":7}", "from_block" }, { "{\"from_block\":\"-1\"}", "from_block" }, { "{\"sweep_hours\":0}", "sweep_hours" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct deposit_options before = o;
        CHECK(read_options(bad[i].text, &o) == FR_E_INVALID && strstr(why.text, bad[i].says));
        CHECK(memcmp(&before, &o, sizeof o) == 0);
        if (!strstr(why.text, bad[i].says)) printf("  %s: %s\n", bad[i].text, why.text);
    }
}

static void test_numbers_that_make_no_sense_are_refused(void)
{
    begin(1);
    struct deposit_options o = options;
    struct treasury_part p = part;
    struct treasury_token tokens[MODEL_TOKENS];
    struct deposit *made = (struct deposit *)1;
    o.factory = model_zero;
    CHECK(deposit_new(&p, &o, &made, &why) == FR_OK && made == NULL);          // no factory, no deposits
    o = options;
    p.vault = model_zero;
    CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    p = part;
    p.token_count = 0;
    CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    p = part;
    p.final = (struct final_rules){ .quorum = 1 };
    CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    p = part;
    p.tokens = tokens;
    for (int i = 0; i < 4; i++) {
        memcpy(tokens, model_tokens, sizeof tokens);
        if (i == 0) tokens[1].at = tokens[0].at;
        if (i == 1) tokens[1].chain_decimals = 8;
        if (i == 2) tokens[1].chain_decimals = 37;
        if (i == 3) snprintf(tokens[1].asset, sizeof tokens[1].asset, "PALM");
        CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    }
    o.sweep_units[0] = UNITS_MAX + 1;
    p = part;
    CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    end();
}

static void test_a_deposit_is_credited_when_it_is_final_and_once(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK_INT(a.number, 1);
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(12500000000ULL));
    run(2000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    mine(2);
    run(2000);
    CHECK_INT(balance("17", "PALM").free_units, 0);            // two blocks behind the newest: not final yet
    mine(1);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 12500000000LL);
    CHECK_INT(wallets, 1);
    mine(5);
    CHECK(settled());
    stop();
    start();
    mine(1);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 12500000000LL);
    CHECK_INT(wallets, 1);
    CHECK(exact("17", &a.at));
    end();
}

static void test_the_same_log_told_twice_is_credited_once(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    for (int i = 0; i < 5; i++) model_transfer(&model_tokens[i % 3].at, &stranger, &a.at, u256_of(1700000000));       // with dust
    mine(4);
    CHECK(settled());
    CHECK(exact("17", &a.at));
    stop();
    struct look back = { .text = "UPDATE deposit_cursor SET from_block = 5, to_block = 5, after = -1, looked = -1" };
    CHECK(store_now(s, count_job, &back, &why) == FR_OK);
    start();
    mine(1);
    CHECK(settled());
    CHECK_INT(d->facts.asked_twice, 5);
    CHECK_INT(d->facts.credited, 0);
    CHECK(exact("17", &a.at));
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log"), 5);
    end();
}

static void test_addresses_are_one_person_s_for_ever(void)
{
    struct look l = { .player = "17" };
    begin(1);
    CHECK(store_now(s, issue_job, &l, &why) == FR_E_BUSY);     // the factory was not seen
    CHECK_TEXT(why.code, "deposit_not_ready");
    struct deposit_address a = issue("17"), b = issue("18"), again = issue("17");
    CHECK(address_equal(&a.at, &again.at) && again.number == a.number && !address_equal(&a.at, &b.at));
    uint8_t hash[32];
    model_init_code_hash(hash);
    struct address other = address_of_create2(&model_factory, a.salt, hash);
    CHECK(address_equal(&other, &a.at));
    l = (struct look){ .player = "1", .text = "8" };           // "telegram:18" is player 18's
    CHECK(store_now(s, issue_job, &l, &why) == FR_E_CONFLICT);
    CHECK_TEXT(why.code, "address_taken");
    l = (struct look){ .player = "19", .text = "0123456789012345678901234567890123456789012345678901234567890123456789" };
    stop();
    start();
    again = issue("17");
    CHECK(address_equal(&a.at, &again.at));
    end();
}

static void test_another_factory_or_vault_gives_no_address(void)
{
    begin(1);
    stop();
    part.vault.bytes[19] ^= 1;
    e = model_endpoints();
    part.endpoints = e;
    CHECK(deposit_new(&part, &options, &d, &why) == FR_OK);
    run(5000);
    struct look l = { .player = "17" };
    CHECK(!d->facts.ready && strstr(d->facts.last_error, "another vault"));
    CHECK(store_now(s, issue_job, &l, &why) == FR_E_BUSY);
    end();
}

static void test_dust_becomes_a_unit_and_is_never_lost(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[1].at, &stranger, &a.at, big(15, 17));                // 1.5 NFNT
    model_transfer(&model_tokens[1].at, &stranger, &a.at, u256_of(600000000));         // 0.6 units
    mine(4);
    CHECK(settled());
    struct look l = balance("17", "NFNT");
    CHECK(l.free_units == 1500000000 && l.dust.limb[0] == 600000000);
    model_transfer(&model_tokens[1].at, &stranger, &a.at, u256_of(600000001));         // fills one
    mine(4);
    CHECK(settled());
    l = balance("17", "NFNT");
    CHECK(l.free_units == 1500000001 && l.dust.limb[0] == 200000001);
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log WHERE state = 1"), 1);
    CHECK(exact("17", &a.at));
    end();
}

static void test_what_the_ledger_cannot_hold_is_kept(void)
{
    begin(1);
    struct deposit_address a = issue("17"), b = issue("18");
    struct u256 most = { { ~0ULL, ~0ULL, ~0ULL, ~0ULL } };
    model_transfer(&model_tokens[0].at, &stranger, &a.at, most);
    mine(1);                                                                           // sums past 256 bits are the token's own lie
    model_transfer(&model_tokens[1].at, &stranger, &a.at, big(1, 28));                 // 10^19 units: over int64
    model_transfer(&model_tokens[2].at, &stranger, &a.at, big(1, 27));                 // 10^18: just fits
    model_transfer(&model_tokens[2].at, &stranger, &a.at, u256_of(1000000000));        // one more does not
    model_transfer(&model_tokens[2].at, &stranger, &b.at, u256_of(1000000000));        // nor for anybody else: so much is inside
    model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(5));
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK_INT(balance("17", "NFNT").free_units, 0);
    CHECK_INT(balance("17", "GHUB").free_units, UNITS_MAX);
    CHECK_INT(balance("18", "PALM").free_units, 5);
    CHECK_INT(d->facts.held, 4);
    struct look l = { .player = "17" };
    fr_buf_init(&l.out, 1 << 20);
    CHECK(store_now(s, show_job, &l, &why) == FR_OK && strstr(l.out.data, "\"state\":\"held\"") && strstr(l.out.data, "\"amount\":\"1000000000000000000\""));
    fr_buf_clear(&l.out);
    CHECK(store_now(s, list_job, &l, &why) == FR_OK && strstr(l.out.data, "\"deposits\":4,\"kept\":3"));
    fr_buf_free(&l.out);
    end();
}

static void test_odd_logs_are_shown_and_credit_nothing(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    for (int odd = 1; odd <= 3; odd++) model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100))->odd = odd;
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(0));
    struct address unpinned = { { 0x99 } };
    model_transfer(&unpinned, &stranger, &a.at, u256_of(1000));
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(7));
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 7);
    CHECK_INT(d->facts.odd, 3);
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log"), 4);   // nothing of nothing, and nothing of strangers' tokens
    end();
}

static void test_a_reorg_before_finality_credits_what_stays(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    for (int i = 0; i < 40; i++) {
        for (uint64_t n = model_random(3); n; n--) model_transfer(&model_tokens[model_random(3)].at, &stranger, &a.at, u256_of(1 + model_random(5000000000)));
        mine(1);
        run(100 + (int)model_random(300));
        if (i % 3 == 0) model_reorg((int)model_random(3) + 1);
    }
    mine(4);
    CHECK(settled());
    CHECK(model.fork > 0 && exact("17", &a.at));
    end();
}

static void test_a_flood_at_one_address_holds_up_nobody_else(void)
{
    begin(1);
    struct deposit_address a = issue("17"), b = issue("18"), c = issue("19");
    CHECK(settled());
    model.node[0].logs_most = 20;
    for (int i = 0; i < 50; i++) model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(1));      // in one block
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(5));
    model_transfer(&model_tokens[0].at, &stranger, &c.at, u256_of(6));
    mine(5);
    for (int i = 0; i < 60000 && (d->facts.read_block < model_final() || d->facts.backlog == 0); i++) turn();
    CHECK_INT(balance("17", "PALM").free_units, 5);
    CHECK_INT(balance("19", "PALM").free_units, 6);
    CHECK_INT(balance("18", "PALM").free_units, 0);
    CHECK_INT(d->facts.backlog, 1);
    model.node[0].logs_most = 0;
    run(2 * DEPOSIT_RETRY_MS);
    CHECK(settled());
    CHECK_INT(balance("18", "PALM").free_units, 50);           // late, and not lost
    end();
}

static void test_many_logs_and_many_addresses_go_in_bounded_steps(void)
{
    static struct deposit_address many[DEPOSIT_GROUP_MAX + 20];
    char player[24];
    begin(1);
    for (int i = 0; i < DEPOSIT_GROUP_MAX + 20; i++) {
        snprintf(player, sizeof player, "%d", i + 1);
        many[i] = issue(player);
    }
    for (int i = 0; i < 3 * DEPOSIT_TAKE_MAX + 7; i++) model_transfer(&model_tokens[0].at, &stranger, &many[i % 600 % (DEPOSIT_GROUP_MAX + 20)].at, u256_of(1));
    mine(4);
    int64_t asks = model.log_asks;
    CHECK(settled());
    CHECK(model.log_asks - asks <= 6);                         // outflows and two groups, a range at a time
    int64_t all = 0;
    for (int i = 0; i < DEPOSIT_GROUP_MAX + 20; i++) {
        snprintf(player, sizeof player, "%d", i + 1);
        all += balance(player, "PALM").free_units;
    }
    CHECK_INT(all, 3 * DEPOSIT_TAKE_MAX + 7);
    end();
}

static void test_an_address_that_was_used_before_has_its_past_read(void)
{
    begin(1);
    mine(40);
    struct deposit_address b = issue("18");                    // somebody keeps the watch going
    model_transfer(&model_tokens[2].at, &stranger, &b.at, u256_of(2000000000));
    struct look find = { .player = "17" };
    struct deposit_address early = { 0 };
    // the address that 17 will have, as data knew it that is gone: made, looked at, and rolled back
    CHECK(store_now(s, issue_job, &find, &why) == FR_OK);
    early = find.at;
    struct look gone = { .text = "DELETE FROM deposit_address WHERE player = '17'" };
    CHECK(store_now(s, count_job, &gone, &why) == FR_OK);
    model_transfer(&model_tokens[0].at, &stranger, &early.at, u256_of(11));
    mine(10);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 0);            // nobody asked for it yet
    struct deposit_address later = issue("17");
    CHECK(address_equal(&later.at, &early.at));
    mine(1);
    run(3000);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 11);
    CHECK(exact("17", &later.at));
    end();
}

static void test_pending_is_shown_to_who_looks_and_credits_nothing(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK(settled());
    deposit_wanted(d, &a);
    model_transfer(&model_tokens[1].at, &stranger, &a.at, big(2, 18));
    run(500);
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1 << 16);
    deposit_print_pending(d, &a, "NFNT", &out);
    CHECK(strstr(out.data, "\"amount\":\"2000000000\"") && strstr(out.data, "\"blocks_left\":3"));
    fr_buf_clear(&out);
    deposit_print_pending(d, &a, "PALM", &out);
    CHECK_TEXT(out.data, "[]");
    CHECK_INT(balance("17", "NFNT").free_units, 0);
    mine(4);
    CHECK(settled());
    fr_buf_clear(&out);
    deposit_print_pending(d, &a, "NFNT", &out);
    CHECK_TEXT(out.data, "[]");
    struct look l = { .player = "17", .asset = "NFNT" };
    fr_buf_init(&l.out, 1 << 16);
    CHECK(store_now(s, of_player_job, &l, &why) == FR_OK && strstr(l.out.data, "\"amount\":\"2000000000\"") && strstr(l.out.data, "\"state\":\"credited\""));
    fr_buf_free(&l.out);
    for (int i = 0; i < DEPOSIT_WANTED_MAX + 5; i++) {         // a bound, and the oldest go
        struct deposit_address other = a;
        other.at.bytes[0] ^= (uint8_t)i, other.at.bytes[1] ^= (uint8_t)(i >> 8) ^ 1;
        model_ms++;
        deposit_wanted(d, &other);
    }
    CHECK_INT(d->wanted_count, DEPOSIT_WANTED_MAX);
    end();
}

int main(void)
{
    world_make();
    TEST(test_options_are_read_strictly);
    TEST(test_numbers_that_make_no_sense_are_refused);
    TEST(test_a_deposit_is_credited_when_it_is_final_and_once);
    TEST(test_the_same_log_told_twice_is_credited_once);
    TEST(test_addresses_are_one_person_s_for_ever);
    TEST(test_another_factory_or_vault_gives_no_address);
    TEST(test_dust_becomes_a_unit_and_is_never_lost);
    TEST(test_what_the_ledger_cannot_hold_is_kept);
    TEST(test_odd_logs_are_shown_and_credit_nothing);
    TEST(test_a_reorg_before_finality_credits_what_stays);
    TEST(test_a_flood_at_one_address_holds_up_nobody_else);
    TEST(test_many_logs_and_many_addresses_go_in_bounded_steps);
    TEST(test_an_address_that_was_used_before_has_its_past_read);
    TEST(test_pending_is_shown_to_who_looks_and_credits_nothing);
    uv_loop_close(&loop);
    return TEST_END();
}
