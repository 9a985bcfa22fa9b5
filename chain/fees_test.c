// fees_test.c — bids under their caps, and raises that geth's rule takes.
#include "chain/fees.h"
#include <stdlib.h>
#include "base/check.h"

#define GWEI 1000000000ULL
static struct u256 gwei(uint64_t n) { return u256_of(n * GWEI); }
static bool is(struct u256 a, uint64_t b) { return u256_compare(a, u256_of(b)) == 0; }
static struct fees_rules rules(uint64_t cap, uint64_t tip_cap) { return (struct fees_rules){ .max_fee_cap = gwei(cap), .tip_cap = gwei(tip_cap), .tip_least = u256_of(1000) }; }
static struct fees_seen seen(uint64_t base, uint64_t tip) { return (struct fees_seen){ .known = true, .base = u256_of(base), .tip = u256_of(tip) }; }

static void test_a_first_bid_is_twice_the_base_fee_and_the_tip(void)
{
    struct fees_rules r = rules(100, 5);
    struct fees_seen s = seen(10 * GWEI, GWEI);
    struct fees f;
    CHECK(fees_first(&r, &s, &f) && is(f.max_fee, 21 * GWEI) && is(f.tip, GWEI));
    s = seen(10 * GWEI, 0);
    CHECK(fees_first(&r, &s, &f) && is(f.tip, 1000));            // the least
    s = seen(10 * GWEI, 50 * GWEI);
    CHECK(fees_first(&r, &s, &f) && is(f.tip, 5 * GWEI));        // the cap
    s = seen(90 * GWEI, 5 * GWEI);
    CHECK(fees_first(&r, &s, &f) && is(f.max_fee, 100 * GWEI));  // cut at the cap, but it can be mined
    s = seen(100 * GWEI, GWEI);
    f = (struct fees){ .max_fee = u256_of(7) };
    CHECK(!fees_first(&r, &s, &f) && is(f.max_fee, 7));
    s.known = false;
    CHECK(!fees_first(&r, &s, &f));
}

static void test_a_legacy_bid_is_one_price(void)
{
    struct fees_rules r = rules(100, 5);
    struct fees_seen s = { .known = true, .legacy = true, .gas_price = gwei(3) };
    struct fees f, g;
    CHECK(fees_first(&r, &s, &f) && is(f.max_fee, 3 * GWEI) && u256_is_zero(f.tip));
    CHECK(fees_raise(&r, &s, true, &f, 100, &g) && is(g.max_fee, 3300000000ULL) && u256_is_zero(g.tip));
    s.gas_price = gwei(101);
    CHECK(!fees_first(&r, &s, &f));
}

static void test_a_raise_is_at_least_a_tenth_rounded_up_in_both(void)
{
    struct fees_rules r = rules(1000000, 1000000);
    struct fees_seen s = seen(1, 1);
    srand(5);
    for (int i = 0; i < 2000; i++) {
        struct fees old = { .max_fee = u256_of((uint64_t)rand() >> rand() % 31), .tip = u256_of((uint64_t)rand() >> rand() % 31) }, f;
        if (u256_compare(old.tip, old.max_fee) > 0) old.tip = old.max_fee;
        CHECK(fees_raise(&r, &s, false, &old, 100, &f));
        // geth: threshold = old * 110 / 100 (rounded down), and strictly more than old
        uint64_t a = old.max_fee.limb[0], b = f.max_fee.limb[0], c = old.tip.limb[0], d = f.tip.limb[0];
        CHECK(b > a && b * 10 >= a * 11 && d > c && d * 10 >= c * 11 && d <= b);
        CHECK(b <= (a * 11 + 9) / 10 + 1 + 2 * 1000 + 2 || a < 2000);
    }
    struct fees none = { .max_fee = u256_of(0), .tip = u256_of(0) }, f;
    CHECK(fees_raise(&r, &s, false, &none, 100, &f) && !u256_is_zero(f.tip));
}

static void test_a_raise_follows_the_market_and_stops_at_the_caps(void)
{
    struct fees_rules r = rules(100, 10);
    struct fees_seen s = seen(40 * GWEI, 2 * GWEI);
    struct fees old = { .max_fee = gwei(10), .tip = gwei(1) }, f;
    CHECK(fees_raise(&r, &s, false, &old, 100, &f) && is(f.max_fee, 82 * GWEI) && is(f.tip, 2 * GWEI));
    old = (struct fees){ .max_fee = gwei(95), .tip = gwei(1) };
    CHECK(!fees_raise(&r, &s, false, &old, 100, &f));
    CHECK(fees_raise(&r, &s, false, &old, 150, &f) && is(f.max_fee, 104500000000ULL));
    old = (struct fees){ .max_fee = gwei(50), .tip = gwei(10) };
    CHECK(!fees_raise(&r, &s, false, &old, 100, &f));
    old = (struct fees){ .max_fee = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } }, .tip = gwei(1) };
    CHECK(!fees_raise(&r, &s, false, &old, 100, &f));
    s = seen(100 * GWEI, GWEI);
    old = (struct fees){ .max_fee = gwei(10), .tip = gwei(1) };
    CHECK(!fees_raise(&r, &s, false, &old, 100, &f));            // a block would not take it at 11 either
    CHECK(fees_raise(&r, &s, false, &old, 150, &f) && is(f.max_fee, 150 * GWEI));
    s.known = false;
    CHECK(fees_raise(&r, &s, false, &old, 100, &f) && is(f.max_fee, 11 * GWEI));
}

static void test_the_median_of_tips(void)
{
    struct u256 tips[] = { u256_of(9), u256_of(1), u256_of(5) };
    CHECK(is(fees_median(tips, 3), 5));
    CHECK(is(fees_median(tips, 0), 0));
}

int main(void)
{
    TEST(test_a_first_bid_is_twice_the_base_fee_and_the_tip);
    TEST(test_a_legacy_bid_is_one_price);
    TEST(test_a_raise_is_at_least_a_tenth_rounded_up_in_both);
    TEST(test_a_raise_follows_the_market_and_stops_at_the_caps);
    TEST(test_the_median_of_tips);
    return TEST_END();
}
