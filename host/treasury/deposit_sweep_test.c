// deposit_sweep_test.c — from players' addresses to the vault: when, who else may, and what becomes of sweeps that fail.
#include "treasury/deposit_world.h"

static void test_sweeps_by_sum_and_by_age(void)
{
    begin(1);
    options.sweep_units[0] = 1000;
    options.sweep_least_units[0] = 10;
    options.sweep_age_ms = 3600000;
    stop();
    start();
    struct deposit_address a = issue("17"), b = issue("18"), c = issue("19");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(499));
    model_transfer(&model_tokens[0].at, &stranger, &c.at, u256_of(9));       // not worth its gas
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 0);
    model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(1));
    mine(4);
    CHECK(settled());
    CHECK_INT(wakes, 1);
    CHECK_INT(carry_out(TXQ_PAID), 2);
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(1000));   // before anybody has looked whether it is empty
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 0);
    CHECK(u256_compare(model_balance(&model_tokens[0].at, &model_vault, model.height), u256_of(2000)) == 0);
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_box"), 1);
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(20));
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 0);
    model_ms += 3600000;
    mine(1);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK(exact("17", &a.at) && exact("18", &b.at) && exact("19", &c.at));
    end();
}

static void test_strangers_may_sweep_first(void)
{
    begin(1);
    options.sweep_units[0] = 1;
    stop();
    start();
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_sweep(&model_tokens[0].at, &a.at);                   // in the same block
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 500);
    CHECK_INT(carry_out(TXQ_PAID), 0);                         // seen empty, so nothing was sent
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_box"), 0);
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    mine(4);
    CHECK(settled());
    model_sweep(&model_tokens[0].at, &a.at);                   // while ours is under way
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_box"), 0);
    CHECK(u256_compare(model_balance(&model_tokens[0].at, &model_vault, model.height), u256_of(1000)) == 0);
    end();
}

static void test_a_token_that_refuses_is_left_out(void)
{
    begin(1);
    options.sweep_units[0] = 1;
    stop();
    start();
    struct deposit_address a[5];
    for (int i = 0; i < 5; i++) {
        char player[8];
        snprintf(player, sizeof player, "%d", i + 1);
        a[i] = issue(player);
        model_transfer(&model_tokens[0].at, &stranger, &a[i].at, u256_of(500));
    }
    model.refuses = a[3].at;
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 4);
    CHECK(settled());
    CHECK_INT(d->facts.refused, 1);
    CHECK_INT(carry_out(TXQ_PAID), 0);
    struct look l = { .player = "4" };
    fr_buf_init(&l.out, 1 << 20);
    CHECK(store_now(s, show_job, &l, &why) == FR_OK && strstr(l.out.data, "\"refused\":\"execution reverted"));
    fr_buf_free(&l.out);
    model_ms += DEPOSIT_REFUSED_MS + 1;    // a day later it has thought better of it
    model.refuses = model_zero;
    mine(1);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK_INT(d->facts.refused, 0);
    model.refuses_silently = true;         // a revert that does not say whose fault it is: halves find it
    model.refuses = a[2].at;
    for (int i = 0; i < 5; i++) model_transfer(&model_tokens[0].at, &stranger, &a[i].at, u256_of(500));
    mine(4);
    CHECK(settled());
    int swept = 0;
    for (int n; (n = carry_out(TXQ_PAID)); ) swept += n, settled();
    CHECK_INT(swept, 4);
    CHECK_INT(d->facts.refused, 1);
    end();
}

static void test_a_sweep_that_reverts_in_a_block_is_tried_with_care(void)
{
    begin(1);
    options.sweep_units[0] = 1;
    stop();
    start();
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    mine(4);
    for (int i = 0; i < DEPOSIT_TRIES_MAX; i++) {
        CHECK(settled());
        CHECK_INT(carry_out(TXQ_REVERTED), 1);
    }
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 0);                         // then it is left out, and told of
    CHECK_INT(d->facts.refused, 1);
    model_ms += DEPOSIT_REFUSED_MS + 1;
    mine(1);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_LOST), 1);                         // nobody knows: what lies there says whether it is to be done again
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_box"), 0);
    end();
}

int main(void)
{
    world_make();
    TEST(test_sweeps_by_sum_and_by_age);
    TEST(test_strangers_may_sweep_first);
    TEST(test_a_token_that_refuses_is_left_out);
    TEST(test_a_sweep_that_reverts_in_a_block_is_tried_with_care);
    uv_loop_close(&loop);
    return TEST_END();
}
