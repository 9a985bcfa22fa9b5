// split_test.c — shares sum to the amount, are never off by a whole unit, and ties go to the earlier part.
#include <stdlib.h>
#include "base/check.h"
#include "ledger/ledger.h"

static struct fr_err err;

static void test_known_splits(void)
{
    struct ledger_part a[] = { { .bps = 3334 }, { .bps = 3333 }, { .bps = 3333 } };
    CHECK(ledger_split(100, a, 3, &err) == FR_OK);
    CHECK(a[0].units == 34 && a[1].units == 33 && a[2].units == 33);
    struct ledger_part tie[] = { { .bps = 2500 }, { .bps = 2500 }, { .bps = 2500 }, { .bps = 2500 } };
    CHECK(ledger_split(2, tie, 4, &err) == FR_OK);
    CHECK(tie[0].units == 1 && tie[1].units == 1 && tie[2].units == 0 && tie[3].units == 0);
    struct ledger_part late[] = { { .bps = 100 }, { .bps = 9900 } };
    CHECK(ledger_split(50, late, 2, &err) == FR_OK);           // 0.5 and 49.5: a tie
    CHECK(late[0].units == 1 && late[1].units == 49);
    struct ledger_part one[] = { { .bps = 10000 }, { .bps = 0 } };
    CHECK(ledger_split(UNITS_MAX, one, 2, &err) == FR_OK);
    CHECK(one[0].units == UNITS_MAX && one[1].units == 0);
    CHECK(ledger_split(0, one, 2, &err) == FR_OK && one[0].units == 0);
}

static void test_bad_splits_are_refused(void)
{
    struct ledger_part a[SPLIT_PARTS_MAX + 1] = { { .bps = 5000 }, { .bps = 4999 } };
    CHECK(ledger_split(100, a, 2, &err) == FR_E_INVALID);
    a[1].bps = 5001;
    CHECK(ledger_split(100, a, 2, &err) == FR_E_INVALID);
    a[0].bps = -1;
    a[1].bps = 10001;
    CHECK(ledger_split(100, a, 2, &err) == FR_E_INVALID);
    a[0].bps = 5000;
    a[1].bps = 5000;
    CHECK(ledger_split(-1, a, 2, &err) == FR_E_INVALID);
    CHECK(ledger_split(UNITS_MAX + 1, a, 2, &err) == FR_E_INVALID);
    CHECK(ledger_split(100, a, 0, &err) == FR_E_INVALID);
    CHECK(ledger_split(100, a, SPLIT_PARTS_MAX + 1, &err) == FR_E_INVALID);
    CHECK(ledger_split(100, a, SPLIT_PARTS_MAX, &err) == FR_OK);
}

static int64_t random_amount(void)
{
    int64_t wide = (int64_t)random() << 31 ^ random();
    return wide % (random() % 2 ? UNITS_MAX + 1 : 50);
}

static void test_splits_are_exact(void)
{
    srandom(7);
    for (int round = 0; round < 20000; round++) {
        struct ledger_part parts[SPLIT_PARTS_MAX];
        int count = 1 + (int)(random() % SPLIT_PARTS_MAX), left = 10000;
        for (int i = 0; i < count; i++) {
            parts[i].bps = i == count - 1 ? left : (int)(random() % (left + 1));
            left -= parts[i].bps;
        }
        int64_t amount = random_amount(), sum = 0;
        if (ledger_split(amount, parts, count, &err) != FR_OK) CHECK(!"a good split was refused");
        bool fair = true;
        for (int i = 0; i < count; i++) {
            __int128 exact = (__int128)amount * parts[i].bps, given = (__int128)parts[i].units * 10000;
            fair = fair && given - exact < 10000 && exact - given < 10000 && parts[i].units >= 0;
            sum += parts[i].units;
            // Largest remainder: whoever was rounded up had at least the remainder of whoever was rounded down.
            for (int j = 0; j < count; j++) {
                int mine = (int)(exact % 10000), other = (int)((__int128)amount * parts[j].bps % 10000);
                bool up = given > exact, other_down = (__int128)parts[j].units * 10000 < (__int128)amount * parts[j].bps;
                if (up && other_down && (mine < other || (mine == other && i > j))) fair = false;
            }
        }
        if (!fair || sum != amount) printf("  round %d: %lld in %d parts\n", round, (long long)amount, count);
        CHECK(fair && sum == amount);
    }
}

int main(void)
{
    TEST(test_known_splits);
    TEST(test_bad_splits_are_refused);
    TEST(test_splits_are_exact);
    return TEST_END();
}
