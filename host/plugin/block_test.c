#include "plugin/block.h"
#include <stdio.h>
#include "base/check.h"

#define T0 1000000LL

static void test_the_second_strike_blocks_and_it_doubles(void)
{
    struct blocks b = { .count = 0 };
    CHECK(!blocks_strike(&b, "7", T0));
    CHECK_INT(blocks_left_ms(&b, "7", T0), 0);
    CHECK(blocks_strike(&b, "7", T0 + 1000));
    CHECK_INT(blocks_left_ms(&b, "7", T0 + 1000), BLOCK_MS_MIN);
    CHECK_INT(blocks_left_ms(&b, "8", T0 + 1000), 0);
    CHECK_INT(blocks_blocked(&b, T0 + 1000), 1);
    CHECK_INT(blocks_left_ms(&b, "7", T0 + 1000 + BLOCK_MS_MIN), 0);      // it ends
    int64_t now_ms = T0 + 2000 + BLOCK_MS_MIN, want_ms = 2 * BLOCK_MS_MIN;
    for (int i = 0; i < 12; i++) {
        CHECK(blocks_strike(&b, "7", now_ms));                            // one is enough now
        if (want_ms > BLOCK_MS_MAX) want_ms = BLOCK_MS_MAX;
        CHECK_INT(blocks_left_ms(&b, "7", now_ms), want_ms);
        now_ms += want_ms + 1;
        want_ms *= 2;
    }
    CHECK(!blocks_strike(&b, "7", now_ms + BLOCK_MS_MAX));                // quiet for so long: afresh
    blocks_free(&b);
}

static void test_two_strikes_far_apart_are_none(void)
{
    struct blocks b = { .count = 0 };
    CHECK(!blocks_strike(&b, "7", T0));
    CHECK(!blocks_strike(&b, "7", T0 + BLOCK_WINDOW_MS));
    CHECK(blocks_strike(&b, "7", T0 + 2 * BLOCK_WINDOW_MS - 1));          // within the window of the second
    blocks_free(&b);
}

static void test_nobody_is_blocked_for_a_plugin_that_breaks_for_all(void)
{
    struct blocks b = { .count = 0 };
    CHECK(!blocks_strike(&b, "1", T0) && !blocks_strike(&b, "2", T0) && !blocks_strike(&b, "3", T0));
    CHECK(!blocks_strike(&b, "1", T0 + 1) && !blocks_strike(&b, "2", T0 + 1) && !blocks_strike(&b, "3", T0 + 1));
    CHECK_INT(blocks_blocked(&b, T0 + 1), 0);
    CHECK(!blocks_strike(&b, "", T0 + 2) && b.count == 3);
    blocks_free(&b);
}

static int s_other;

static int died_of(struct blocks *b, const char *player, int64_t now_ms)
{
    blocks_blame(b, player);
    return blocks_died(b, b, now_ms);
}

static void test_one_players_deaths_do_not_count_two_players_do(void)
{
    struct blocks b = { .count = 0 };
    for (int i = 0; i < 20; i++) CHECK_INT(died_of(&b, "7", T0 + i), 0);
    CHECK_INT(died_of(&b, "", T0 + 100), 1);                              // nobody is to blame: the plugin is
    CHECK(died_of(&b, "8", T0 + 200) >= WORKER_CRASHES_PER_MINUTE_MAX);
    CHECK_INT(died_of(&b, "7", T0 + 200 + 60000), 0);                     // a minute later all is forgotten
    CHECK_INT(blocks_died(&b, &b, T0 + 60300), 1);                            // the blame was for one death only
    CHECK_INT(blocks_died(&b, &s_other, T0 + 60400), 1);                  // another version has a count of its own
    blocks_free(&b);
}

static void test_the_table_is_bounded_and_keeps_who_is_blocked(void)
{
    struct blocks b = { .count = 0 };
    char player[24];
    blocks_strike(&b, "evil", T0);
    CHECK(blocks_strike(&b, "evil", T0 + 1));
    for (int i = 0; i < BLOCKS_PER_PLUGIN_MAX + 50; i++) {
        snprintf(player, sizeof player, "%d", i);
        blocks_strike(&b, player, T0 + 2 + i);
    }
    CHECK_INT(b.count, BLOCKS_PER_PLUGIN_MAX);
    CHECK(blocks_left_ms(&b, "evil", T0 + 1000) > 0);
    CHECK(blocks_lift(&b, "evil") && !blocks_lift(&b, "evil"));
    CHECK_INT(blocks_left_ms(&b, "evil", T0 + 1000), 0);
    CHECK(!blocks_strike(&b, "evil", T0 + 30LL * BLOCK_MS_MAX));            // and nothing of it is left
    blocks_free(&b);
}

int main(void)
{
    TEST(test_the_second_strike_blocks_and_it_doubles);
    TEST(test_two_strikes_far_apart_are_none);
    TEST(test_nobody_is_blocked_for_a_plugin_that_breaks_for_all);
    TEST(test_one_players_deaths_do_not_count_two_players_do);
    TEST(test_the_table_is_bounded_and_keeps_who_is_blocked);
    return TEST_END();
}
