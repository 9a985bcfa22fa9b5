// sse_test.c — event streams as the standard has them, in pieces of every size, and one step past their bound.
#include "llm/sse.h"
#include <stdlib.h>
#include "base/check.h"

static char got[4096];
static int most;
static bool take(void *arg, const char *data, size_t len)
{
    (void)arg;
    CHECK(strlen(data) == len || memchr(data, 0, len));
    snprintf(got + strlen(got), sizeof got - strlen(got), "[%.*s]", (int)len, data);
    return --most != 0;
}

// The same however it is cut.
static const char *events(const char *text)
{
    static char first[sizeof got];
    for (size_t step = strlen(text) + 1; step > 0; step = step > 7 ? 7 : step - 1) {
        struct llm_sse s;
        struct fr_err err;
        llm_sse_init(&s, 100);
        got[0] = 0;
        most = 1000;
        for (size_t at = 0; at < strlen(text); at += step) {
            size_t len = strlen(text) - at < step ? strlen(text) - at : step;
            char *piece = malloc(len);
            memcpy(piece, text + at, len);
            CHECK(llm_sse_feed(&s, piece, len, take, NULL, &err) == FR_OK);
            free(piece);
        }
        llm_sse_free(&s);
        if (step > strlen(text)) snprintf(first, sizeof first, "%s", got);
        CHECK_TEXT(got, first);
    }
    return first;
}

static void test_what_the_standard_says(void)
{
    CHECK_TEXT(events("data: YHOO\ndata: +2\ndata: 10\n\n"), "[YHOO\n+2\n10]");                    // the examples of the standard
    CHECK_TEXT(events(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"), "[first event][second event]");
    CHECK_TEXT(events("data\n\ndata\ndata\n\ndata:"), "[][\n]");
    CHECK_TEXT(events("data:test\n\ndata: test\n\n"), "[test][test]");
    CHECK_TEXT(events("data: a\r\n\r\ndata: b\r\rdata: c\n\r\ndata: d\r\n\n"), "[a][b][c][d]");
    CHECK_TEXT(events("data: a\r\ndata: b\r\n\r\ndata: c\rdata: d\r\r"), "[a\nb][c\nd]");
    CHECK_TEXT(events("\xef\xbb\xbf" "data: a\n\n"), "[a]");
    CHECK_TEXT(events("\xef\xbb" "data: a\n\ndata: b\n\n"), "[b]");                               // no mark: another field
    CHECK_TEXT(events("data: \xef\xbb\xbf\n\n"), "[\xef\xbb\xbf]");
    CHECK_TEXT(events("event: x\n\ndata: a\nevent: y\nretry: 10\nunknown\ndatax: no\ndat: no\n: data: no\nda:ta\n\n\n\n"), "[a]");
    CHECK_TEXT(events(""), "");
    CHECK_TEXT(events("\n\n\r\n\r"), "");
}

static void test_the_taker_may_have_enough(void)
{
    struct llm_sse s;
    struct fr_err err;
    llm_sse_init(&s, 100);
    got[0] = 0;
    most = 2;
    CHECK(llm_sse_feed(&s, "data: a\n\ndata: b\n\ndata: c\n\n", 27, take, NULL, &err) == FR_OK);
    CHECK_TEXT(got, "[a][b]");
    llm_sse_free(&s);
}

static void test_one_step_past_its_bound(void)
{
    static char text[300];
    for (int over = 0; over < 2; over++)
        for (int lines = 1; lines < 3; lines++) {
            struct llm_sse s;
            struct fr_err err;
            int len = 0;
            llm_sse_init(&s, 100);
            for (int i = 0, left = 100 + over - (lines - 1); i < lines; i++) {
                int here = i == lines - 1 ? left : left / 2;
                len += snprintf(text + len, sizeof text - (size_t)len, "data: %0*d\n", here, 1);
                left -= here;
            }
            got[0] = 0;
            most = 10;
            enum fr_status st = llm_sse_feed(&s, text, (size_t)len, take, NULL, &err);
            CHECK_INT(st, over ? FR_E_LIMIT : FR_OK);
            if (over) CHECK_TEXT(err.code, "llm_too_large");
            llm_sse_free(&s);
        }
    struct llm_sse s;
    struct fr_err err;
    enum fr_status st = FR_OK;
    llm_sse_init(&s, 100);
    for (int i = 0; i < 200 && st == FR_OK; i++) st = llm_sse_feed(&s, ":comment", 8, take, NULL, &err);
    CHECK(st == FR_OK && s.line.cap == 0);                       // costs nothing
    st = llm_sse_feed(&s, "\n", 1, take, NULL, &err);
    for (int i = 0; i < 200 && st == FR_OK; i++) st = llm_sse_feed(&s, "unknown:", 8, take, NULL, &err);
    CHECK_INT(st, FR_E_LIMIT);
    llm_sse_free(&s);
}

int main(void)
{
    TEST(test_what_the_standard_says);
    TEST(test_the_taker_may_have_enough);
    TEST(test_one_step_past_its_bound);
    return TEST_END();
}
