#include "base/hist.h"
#include "base/check.h"

static void test_a_quantile_is_at_most_an_eighth_too_high(void)
{
    for (int64_t us = 1; us < 1LL << 35; us += us / 7 + 1) {
        struct fr_hist h = { .count = 0 };
        fr_hist_add(&h, us);
        fr_hist_add(&h, 1LL << 35);                    // so that the maximum does not help
        int64_t got = fr_hist_quantile(&h, 0.5);
        if (got < us || got > us + us / 8) { CHECK_INT(got, us); return; }
    }
    CHECK(1);
}

static void test_quantiles_of_a_thousand(void)
{
    struct fr_hist h = { .count = 0 };
    CHECK_INT(fr_hist_quantile(&h, 0.99), 0);
    for (int i = 1; i <= 1000; i++) fr_hist_add(&h, i);
    CHECK(fr_hist_quantile(&h, 0.5) >= 500 && fr_hist_quantile(&h, 0.5) <= 562);
    CHECK(fr_hist_quantile(&h, 0.99) >= 990 && fr_hist_quantile(&h, 0.99) <= 1000);
    CHECK_INT(fr_hist_quantile(&h, 1), 1000);
    CHECK_INT(h.sum_us, 500500);
    CHECK_INT(fr_hist_below(&h, 9), 511);              // 1..511
    CHECK_INT(fr_hist_below(&h, 36), 1000);
}

static void test_odd_values_have_a_bucket(void)
{
    struct fr_hist h = { .count = 0 };
    fr_hist_add(&h, -5);
    fr_hist_add(&h, 0);
    fr_hist_add(&h, INT64_MAX / 2);
    CHECK_INT(h.count, 3);
    CHECK_INT(fr_hist_quantile(&h, 0), 0);
    CHECK_INT(fr_hist_quantile(&h, 1), (1LL << 36) - 1);
    CHECK_INT(fr_hist_below(&h, 36), 3);
}

static void test_between_two_moments(void)
{
    struct fr_hist before = { .count = 0 }, now, between;
    fr_hist_add(&before, 1000000);
    now = before;
    fr_hist_add(&now, 100);
    fr_hist_add(&now, 100);
    fr_hist_between(&now, &before, &between);
    CHECK_INT(between.count, 2);
    CHECK_INT(between.sum_us, 200);
    CHECK(fr_hist_quantile(&between, 1) >= 100 && fr_hist_quantile(&between, 1) <= 112);
}

int main(void)
{
    TEST(test_a_quantile_is_at_most_an_eighth_too_high);
    TEST(test_quantiles_of_a_thousand);
    TEST(test_odd_values_have_a_bucket);
    TEST(test_between_two_moments);
    return TEST_END();
}
