#include "plugin/meter.h"
#include "base/check.h"
#include "base/mem.h"

#define SECOND 1000000LL
#define T0 (1000 * SECOND)

static void test_the_budget_is_a_window_and_a_rate(void)
{
    struct meter *m = fr_must_alloc(sizeof *m);
    meter_init(m, 20, T0);
    m->now.used.cpu_us = 1999000;                          // 10 s at 20% are there at once
    CHECK_INT(meter_wait_us(m, T0), 0);
    m->now.used.cpu_us = 2000000;
    CHECK(meter_wait_us(m, T0) > 0);
    CHECK_INT(meter_wait_us(m, T0 + 10), 0);               // it fills all the time
    m->now.used.cpu_us += 100000;                          // 100 ms past it cost half a second
    int64_t wait_us = meter_wait_us(m, T0 + 10);
    CHECK(wait_us > 490000 && wait_us <= 500010);
    CHECK(meter_wait_us(m, T0 + 10 + wait_us - 100) > 0);
    CHECK_INT(meter_wait_us(m, T0 + 10 + wait_us + 10), 0);
    m->now.used.cpu_us += 3600LL * SECOND;                 // whatever it burned: the debt is bounded by one window
    CHECK(meter_wait_us(m, T0 + 2 * SECOND) <= 10 * SECOND + 1);
    CHECK_INT(meter_wait_us(m, T0 + 3600 * SECOND), 0);
    m->now.used.cpu_us += 2000001;                         // and so is what can be saved
    CHECK(meter_wait_us(m, T0 + 3600 * SECOND) > 0);
    meter_free(m);
    fr_free(m);
}

// A hundred matches ask as fast as they may, each turn costs 1 ms: as many run as 20% pay for, and all equally often.
static void test_turns_wait_in_order_and_equally(void)
{
    enum { MATCHES = 100 };
    struct meter *m = fr_must_alloc(sizeof *m);
    int64_t place[MATCHES] = { 0 }, again[MATCHES] = { 0 };
    int ran[MATCHES] = { 0 }, all = 0, least, most;
    meter_init(m, 20, T0);
    m->left_us = 0;
    for (int64_t now_us = T0; now_us < T0 + 20 * SECOND; now_us += 1000)
        for (int i = 0; i < MATCHES; i++) {
            if (again[i] > now_us) continue;
            int64_t wait_us = meter_turn_wait_us(m, &place[i], now_us);
            again[i] = now_us + wait_us;
            if (wait_us > 0) continue;
            ran[i]++;
            all++;
            m->now.turns++;
            m->now.used.cpu_us += 1000;
        }
    least = most = ran[0];
    for (int i = 1; i < MATCHES; i++) { if (ran[i] < least) least = ran[i]; if (ran[i] > most) most = ran[i]; }
    printf("# %d turns, %d to %d each\n", all, least, most);
    CHECK(all > 3200 && all < 4600);                       // 20 s at 20% and 1 ms each: 4000
    CHECK(least >= most - 2 - most / 10);
    CHECK(m->now.delayed > 0);
    meter_free(m);
    fr_free(m);
}

static void test_within_the_budget_no_turn_waits(void)
{
    struct meter *m = fr_must_alloc(sizeof *m);
    int64_t place = 0;
    meter_init(m, 20, T0);
    for (int i = 0; i < 1000; i++) CHECK_INT(meter_turn_wait_us(m, &place, T0 + i), 0);
    CHECK_INT(m->now.delayed, 0);
    fr_free(m);
}

static void test_the_last_minute_forgets(void)
{
    struct meter *m = fr_must_alloc(sizeof *m);
    struct meter_counts minute;
    meter_init(m, 20, T0);
    m->now.calls = 5;
    fr_hist_add(&m->now.latency, 1000);
    meter_minute(m, T0 + SECOND, &minute);
    CHECK(minute.calls == 5 && minute.latency.count == 1);
    meter_minute(m, T0 + 59 * SECOND, &minute);
    CHECK_INT(minute.calls, 5);
    m->now.calls = 7;
    meter_minute(m, T0 + 71 * SECOND, &minute);
    CHECK_INT(minute.calls, 2);
    CHECK_INT(minute.latency.count, 0);
    meter_minute(m, T0 + 7200 * SECOND, &minute);
    CHECK_INT(minute.calls, 0);
    CHECK_INT(m->now.calls, 7);
    fr_free(m);
}

int main(void)
{
    TEST(test_the_budget_is_a_window_and_a_rate);
    TEST(test_turns_wait_in_order_and_equally);
    TEST(test_within_the_budget_no_turn_waits);
    TEST(test_the_last_minute_forgets);
    return TEST_END();
}
