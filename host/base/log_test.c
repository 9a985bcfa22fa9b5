#include "base/log.h"
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

static char lines[1 << 20];

// What was logged while `write_lines` ran; all of it fits the pipe.
static const char *logged(void (*write_lines)(void))
{
    int ends[2];
    if (pipe(ends) != 0) abort();
    fr_log_to(ends[1]);
    fr_clock_set_for_test(951782400123);
    write_lines();
    fr_clock_set_for_test(0);
    fr_log_to(1);
    close(ends[1]);
    size_t len = 0;
    for (ssize_t got; (got = read(ends[0], lines + len, sizeof lines - 1 - len)) > 0;) len += (size_t)got;
    lines[len] = 0;
    close(ends[0]);
    return lines;
}

static void write_fields(void) { fr_log(LOG_INFO, "worker.ready", "plugin", "du\"el\n", "#ms", "12", "none", (char *)NULL, NULL); }

static void test_a_line_holds_time_level_event_and_fields(void)
{
    CHECK_TEXT(logged(write_fields), "{\"t\":\"2000-02-29T00:00:00.123Z\",\"level\":\"info\",\"event\":\"worker.ready\","
                                     "\"plugin\":\"du\\\"el\\n\",\"ms\":12,\"none\":null}\n");
}

static void write_error(void)
{
    struct fr_err err;
    fr_err_set(&err, FR_E_FUNDS, NULL, "host/x.c", 12, "needs %d", 7);
    fr_log_err(LOG_ERROR, "call.failed", &err, "plugin", "duel", NULL);
}

static void test_an_error_is_logged_with_its_place(void)
{
    CHECK_TEXT(logged(write_error), "{\"t\":\"2000-02-29T00:00:00.123Z\",\"level\":\"error\",\"event\":\"call.failed\",\"code\":\"funds\","
                                    "\"error\":\"needs 7\",\"at\":\"host/x.c:12\",\"plugin\":\"duel\"}\n");
}

static void write_levels(void)
{
    fr_log(LOG_DEBUG, "a", NULL);
    fr_log_level_set(LOG_WARN);
    fr_log(LOG_INFO, "b", NULL);
    fr_log(LOG_WARN, "c", NULL);
    fr_log_level_set(LOG_DEBUG);
    fr_log(LOG_DEBUG, "d", NULL);
    fr_log_level_set(LOG_INFO);
}

static void test_levels_under_the_set_one_are_silent(void)
{
    const char *got = logged(write_levels);
    CHECK(!strstr(got, "\"a\"") && !strstr(got, "\"b\""));
    CHECK(strstr(got, "\"level\":\"warn\",\"event\":\"c\"") && strstr(got, "\"level\":\"debug\",\"event\":\"d\""));
}

static size_t long_len;
static char long_fill;
static void write_long(void)
{
    FR_AUTO_MEM char *text = fr_must_alloc(long_len + 1);
    memset(text, long_fill, long_len);
    fr_log(LOG_INFO, "long", "before", "1", "text", text, "after", "2", NULL);
}

static void test_a_long_line_is_cut_and_says_so(void)
{
    static const char fills[] = { 'x', '\x01', '"', '\xC3' };
    for (size_t f = 0; f < sizeof fills; f++)
        for (long_len = 2000; long_len < 20000; long_len += 331) {
            long_fill = fills[f];
            const char *got = logged(write_long);
            size_t len = strlen(got);
            FR_AUTO(fr_json) line = NULL;
            struct fr_err err = { .text = "" };
            CHECK(len < LOG_LINE_BYTES_MAX && got[len - 1] == '\n');
            CHECK(fr_json_parse(got, len, &line, &err) == FR_OK);
            if (!line) continue;
            bool cut = fr_json_is_true(fr_json_get(line, "cut"));
            CHECK(cut == (fr_json_get(line, "after") == NULL));
            CHECK(fr_json_get(line, "before") && fr_json_get(line, "text"));
        }
}

static void write_without_memory(void)
{
    fr_mem_fail_at(1);
    fr_log(LOG_ERROR, "nomem", "plugin", "duel", NULL);
    fr_mem_fail_at(0);
}

static void test_logging_needs_no_memory(void)
{
    CHECK(strstr(logged(write_without_memory), "\"event\":\"nomem\",\"plugin\":\"duel\"}\n") != NULL);
}

static void *log_some(void *arg)
{
    for (int i = 0; i < 60; i++) fr_log(LOG_INFO, "thread", "text", "abcdefghijklmnopqrstuvwxyz", NULL);
    return arg;
}

static void write_from_threads(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, log_some, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

static void test_lines_of_threads_do_not_mix(void)
{
    const char *at = logged(write_from_threads);
    int count = 0, wrong = 0;
    for (const char *end; (end = strchr(at, '\n')); at = end + 1, count++) wrong += fr_json_check(at, (size_t)(end - at), NULL) != FR_OK;
    CHECK_INT(count, 240);
    CHECK_INT(wrong, 0);
}

int main(void)
{
    TEST(test_a_line_holds_time_level_event_and_fields);
    TEST(test_an_error_is_logged_with_its_place);
    TEST(test_levels_under_the_set_one_are_silent);
    TEST(test_a_long_line_is_cut_and_says_so);
    TEST(test_logging_needs_no_memory);
    TEST(test_lines_of_threads_do_not_mix);
    return TEST_END();
}
