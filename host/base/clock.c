// clock.c — the kernel's clocks, and one frozen moment for tests.
#include "base/clock.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIME_MS_LEAST (-62167219200000LL)   // 0000-01-01: what four digits can say
#define TIME_MS_MOST 253402300799999LL      // 9999-12-31

static atomic_int_fast64_t frozen_ms;

static int64_t clock_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t fr_now_ms(void)
{
    int64_t frozen = atomic_load_explicit(&frozen_ms, memory_order_relaxed);
    return frozen ? frozen : clock_us(CLOCK_REALTIME) / 1000;
}

int64_t fr_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t fr_mono_ms(void)
{
    return fr_mono_us() / 1000;
}

void fr_clock_set_for_test(int64_t now_ms)
{
    atomic_store(&frozen_ms, now_ms);
}

char *fr_time_text(int64_t ms, char out[25])
{
    if (ms < TIME_MS_LEAST) ms = TIME_MS_LEAST;
    if (ms > TIME_MS_MOST) ms = TIME_MS_MOST;
    int64_t part = ms % 1000 < 0 ? ms % 1000 + 1000 : ms % 1000;
    time_t seconds = (time_t)((ms - part) / 1000);
    struct tm t;
    gmtime_r(&seconds, &t);
    char text[96];                          // the compiler counts on the widest int; the clamp above keeps it to 24
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
             t.tm_hour, t.tm_min, t.tm_sec, (int)part);
    memcpy(out, text, 24);
    out[24] = 0;
    return out;
}
