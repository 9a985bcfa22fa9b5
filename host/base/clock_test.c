#include "base/clock.h"
#include <time.h>
#include "base/check.h"

static void test_tests_can_freeze_the_clock(void)
{
    fr_clock_set_for_test(1234567);
    CHECK_INT(fr_now_ms(), 1234567);
    CHECK_INT(fr_now_ms(), 1234567);
    fr_clock_set_for_test(0);
    CHECK(fr_now_ms() / 1000 - time(NULL) <= 1 && time(NULL) - fr_now_ms() / 1000 <= 1);
}

static void test_the_monotonic_clock_does_not_go_back(void)
{
    int64_t last = fr_mono_us();
    int wrong = 0;
    for (int i = 0; i < 10000; i++) {
        int64_t now = fr_mono_us();
        wrong += now < last;
        last = now;
    }
    CHECK_INT(wrong, 0);
    CHECK(fr_mono_ms() >= last / 1000);
}

static void test_time_text(void)
{
    char out[25];
    CHECK_TEXT(fr_time_text(0, out), "1970-01-01T00:00:00.000Z");
    CHECK_TEXT(fr_time_text(951782400123, out), "2000-02-29T00:00:00.123Z");
    CHECK_TEXT(fr_time_text(-1, out), "1969-12-31T23:59:59.999Z");
    CHECK_TEXT(fr_time_text(253402300799999, out), "9999-12-31T23:59:59.999Z");
    CHECK_TEXT(fr_time_text(INT64_MAX, out), "9999-12-31T23:59:59.999Z");
    CHECK_TEXT(fr_time_text(INT64_MIN, out), "0000-01-01T00:00:00.000Z");
}

int main(void)
{
    TEST(test_tests_can_freeze_the_clock);
    TEST(test_the_monotonic_clock_does_not_go_back);
    TEST(test_time_text);
    return TEST_END();
}
