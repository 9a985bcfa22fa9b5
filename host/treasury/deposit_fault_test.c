// deposit_fault_test.c — what is credited equals what is final whatever nodes say and wherever it stops: liars, garbage, full disks, kills at each step, random walks. SEEDS=n, SEED=from.
#include "treasury/deposit_world.h"

static void test_one_liar_of_three_changes_nothing(void)
{
    begin(3);
    struct deposit_address a = issue("17");
    model.node[2].adds_logs = true;
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 100);
    model.node[2] = (struct model_node){ .hides_logs = true, .hides_balances = true };
    for (int i = 0; i < 6; i++) model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 700);
    CHECK(exact("17", &a.at));
    end();
}

static void test_two_nodes_that_disagree_credit_nothing(void)
{
    begin(2);
    struct deposit_address a = issue("17");
    CHECK(settled());
    model.node[1].adds_logs = true;
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(4);
    run(20000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK(strstr(d->facts.last_error, "reading logs") && d->facts.failures > 0);
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log"), 0);
    model.node[1].adds_logs = false;
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 100);
    CHECK(exact("17", &a.at));
    end();
}

static void test_a_node_that_is_behind_does_not_hide_a_deposit(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK(settled());
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(6);
    model.node[0].behind = 8;              // it says which block is final, and answers logs out of older ones
    model.node[0].same_final = true;
    run(10000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK(strstr(d->facts.last_error, "does not have block"));
    model.node[0].behind = 0;
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 100);
    end();
}

static void test_an_answer_to_another_question_is_refused_as_a_whole(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK(settled());
    model.node[0].other_logs = true;
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(4);
    run(5000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK(strstr(d->facts.last_error, "is not what was asked for"));
    model.node[0].other_logs = false;
    model.node[0].other_tokens = true;     // coins of a token that anybody can make
    run(5000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK(strstr(d->facts.last_error, "is not what was asked for"));
    model.node[0].other_tokens = false;
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 100);
    end();
}

static void test_garbage_half_the_time_and_ranges_that_are_too_large(void)
{
    begin(1);
    struct deposit_address a = issue("17"), b = issue("18");
    CHECK(settled());
    model.node[0].garbage_permille = 400;
    model.node[0].range_most = 3;
    for (int i = 0; i < 60; i++) {
        model_transfer(&model_tokens[i % 3].at, &stranger, i % 2 ? &a.at : &b.at, u256_of(1 + model_random(3000000000)));
        mine(1);
    }
    run(60000);
    model.node[0].garbage_permille = 0;
    mine(4);
    CHECK(settled());
    CHECK(exact("17", &a.at) && exact("18", &b.at));
    CHECK(model.log_asks > 20);
    end();
}

static void test_a_full_disk_credits_nothing_and_then_all(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK(settled());
    for (int i = 0; i < 10; i++) {
        model_transfer(&model_tokens[i % 3].at, &stranger, &a.at, u256_of(1700000000));
        mine(4);
        pthread_mutex_lock(&disk.mutex);
        disk.fail_code = SQLITE_FULL;
        disk.fail_on = true;
        disk.fail_at = disk.operations + 1 + model_random(12);
        pthread_mutex_unlock(&disk.mutex);
        for (int n = 0; n < 3000 && !strstr(d->facts.last_error, "booking"); n++) turn();
        CHECK(strstr(d->facts.last_error, "booking"));
        pthread_mutex_lock(&disk.mutex);
        disk.fail_at = 0;
        disk.fail_on = false;
        pthread_mutex_unlock(&disk.mutex);
        CHECK(settled());
        CHECK(exact("17", &a.at));
    }
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log"), 10);
    end();
}

static void test_a_chain_that_was_made_anew_credits_nothing_and_says_so(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    mine(40);
    CHECK(settled());
    model_reset(1);
    stop();
    start();
    run(20000);
    CHECK(strstr(d->facts.last_error, "made anew"));
    CHECK_INT(balance("17", "PALM").free_units, 500);
    end();
}

// Stopped at each step, twenty times each, whatever was on its way comes back to nobody.
static void test_stopped_at_every_step_credits_once(void)
{
    static const int steps[] = { STEP_FINAL, STEP_VERIFY, STEP_PLAN, STEP_ASK, STEP_BOOK };
    begin(1);
    options.sweep_units[0] = 2000000000;
    struct deposit_address a = issue("17"), b = issue("18");
    int stopped[5] = { 0 };
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < 100 && stopped[k] < 20; i++) {      // with nothing left to do some steps do not come
            model_transfer(&model_tokens[model_random(3)].at, &stranger, model_random(2) ? &a.at : &b.at, u256_of(1 + model_random(3000000000)));
            mine((int)model_random(3) + 1);
            int skip = steps[k] == STEP_VERIFY ? 0 : (int)model_random(6), last = -1;
#define AT_STEP ((int)d->step == steps[k] && last != steps[k] && skip-- <= 0)
            for (int n = 0; n < 400; n++) {
                model_ms += 10;
                model_answer_all();
                if (AT_STEP) break;
                last = (int)d->step;
                endpoints_tick(e);
                deposit_tick(d);
                if (AT_STEP) break;
                last = (int)d->step;
                if (d->jobs) uv_run(&loop, UV_RUN_ONCE);
                if (AT_STEP) break;
                last = (int)d->step;
            }
            stopped[k] += (int)d->step == steps[k];
            stop();
            start();
            if (model_random(4) == 0) carry_out(TXQ_PAID);
        }
    for (int k = 0; k < 5; k++) CHECK_INT(stopped[k], 20);
    mine(4);
    CHECK(settled());
    CHECK(exact("17", &a.at) && exact("18", &b.at));
    end();
}

// Everything at once, in any order.
static void walk(uint64_t seed)
{
    enum { PLAYERS = 12 };
    struct deposit_address at[PLAYERS] = { 0 };
    int nodes = seed % 3 == 0 ? 3 : 1, issued = 0, stops = 0;
    model_noise = 88172645463325252ULL + seed * 7919;
    begin(nodes);
    options.sweep_units[0] = 5000000000;
    options.sweep_units[1] = 5000000000;
    stop();
    start();
    for (int i = 0; i < 150; i++) {
        char player[24];
        switch (model_random(13)) {
        case 0:
            if (issued == PLAYERS) break;
            for (int k = 0; k < 3; k++) model.node[k].hangs = false, model.node[k].garbage_permille = 0;
            snprintf(player, sizeof player, "%d", issued + 1);
            at[issued++] = issue(player);
            break;
        case 1: model_reorg((int)model_random(3) + 1); break;
        case 2: case 3: case 4: case 5:
            if (issued) model_transfer(&model_tokens[model_random(3)].at, &stranger, &at[model_random((uint64_t)issued)].at, u256_of(1 + model_random(4000000000)));
            break;
        case 6: mine(1); break;
        case 7: mine((int)model_random(5)); break;
        case 8: stop(), start(), stops++; break;
        case 9: model.node[model_random((uint64_t)nodes)].garbage_permille = model_random(2) ? 300 : 0; break;
        case 10: model.node[nodes - 1].hangs = model_random(2); break;
        case 11:
            if (nodes == 3) model.node[2].adds_logs = model_random(2), model.node[2].hides_logs = model_random(2);
            else model.node[0].range_most = model_random(4), model.node[0].logs_most = model_random(2) ? 0 : 4;
            break;
        case 12:
            if (issued && model_random(3) == 0) model_sweep(&model_tokens[0].at, &at[model_random((uint64_t)issued)].at);
            else if (model_random(2)) carry_out((enum txq_end)(1 + model_random(4)));
            break;
        }
        run((int)model_random(400));
    }
    memset(model.node, 0, sizeof model.node);
    mine(4);
    run(2 * DEPOSIT_RETRY_MS);
    CHECK(settled());
    bool same = true;
    for (int i = 0; i < issued; i++) {
        char player[24];
        snprintf(player, sizeof player, "%d", i + 1);
        same = same && exact(player, &at[i].at);
    }
    CHECK(same);
    if (!same) printf("  seed %llu\n", (unsigned long long)seed);
    end();
}
static void test_random_walks(void)
{
    int seeds = getenv("SEEDS") ? atoi(getenv("SEEDS")) : 12;
    for (int i = getenv("SEED") ? atoi(getenv("SEED")) : 0; i < seeds; i++) walk((uint64_t)i);
}

int main(void)
{
    world_make();
    TEST(test_one_liar_of_three_changes_nothing);
    TEST(test_two_nodes_that_disagree_credit_nothing);
    TEST(test_a_node_that_is_behind_does_not_hide_a_deposit);
    TEST(test_an_answer_to_another_question_is_refused_as_a_whole);
    TEST(test_garbage_half_the_time_and_ranges_that_are_too_large);
    TEST(test_a_full_disk_credits_nothing_and_then_all);
    TEST(test_a_chain_that_was_made_anew_credits_nothing_and_says_so);
    TEST(test_stopped_at_every_step_credits_once);
    TEST(test_random_walks);
    uv_loop_close(&loop);
    return TEST_END();
}
