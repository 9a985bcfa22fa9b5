#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"

static void test_adds_follow_each_other(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1000);
    CHECK(b.data == NULL);
    fr_buf_add(&b, "a");
    fr_buf_add_char(&b, 'b');
    fr_buf_add_bytes(&b, "cd", 2);
    fr_buf_add_bytes(&b, NULL, 0);
    fr_buf_addf(&b, "%d-%s", 12, "x");
    fr_buf_add_i64(&b, -90);
    CHECK_TEXT(b.data, "abcd12-x-90");
    CHECK_INT(b.len, 11);
}

static void test_integers_reach_both_ends(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1000);
    fr_buf_add_i64(&b, INT64_MIN);
    fr_buf_add_char(&b, ' ');
    fr_buf_add_i64(&b, INT64_MAX);
    fr_buf_add_char(&b, ' ');
    fr_buf_add_i64(&b, 0);
    CHECK_TEXT(b.data, "-9223372036854775808 9223372036854775807 0");
}

static void test_past_the_bound_nothing_changes(void)
{
    FR_AUTO_BUF(b);
    struct fr_err err;
    fr_buf_init(&b, 5);
    fr_buf_add(&b, "12345");
    CHECK(fr_buf_check(&b, "reply", &err) == FR_OK);
    fr_buf_add_char(&b, '6');
    fr_buf_add(&b, "");
    CHECK(b.failed && b.len == 5);
    CHECK_TEXT(b.data, "12345");
    CHECK(fr_buf_check(&b, "reply", &err) == FR_E_LIMIT);
    CHECK_TEXT(err.text, "reply is over 5 bytes");
    fr_buf_clear(&b);
    fr_buf_addf(&b, "%s", "123456");
    CHECK(b.failed && b.len == 0);
    fr_buf_clear(&b);
    fr_buf_add(&b, "ok");
    CHECK_TEXT(b.data, "ok");
}

static void test_a_failed_buffer_takes_nothing_more(void)       // a text with a hole in it would be worse than a short one
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 5);
    fr_buf_add(&b, "123");
    fr_buf_add(&b, "4567");
    fr_buf_add(&b, "x");
    fr_buf_addf(&b, "%d", 1);
    CHECK(b.failed && fr_buf_reserve(&b, 1) == NULL);
    CHECK_TEXT(b.data, "123");
}

static void test_a_zeroed_buffer_takes_nothing(void)
{
    FR_AUTO_BUF(b);
    fr_buf_add_char(&b, 'x');
    CHECK(b.failed && b.data == NULL);
    fr_buf_free(NULL);
}

static void test_reserve_commit_and_consume(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 300);
    for (int round = 0; round < 100; round++) {
        char *room = fr_buf_reserve(&b, 200);
        CHECK(room != NULL);
        if (!room) return;
        memset(room, 'a' + round % 26, 200);
        fr_buf_commit(&b, 150);
        CHECK(b.len == 150 && b.data[150] == 0 && b.data[0] == 'a' + round % 26);
        fr_buf_consume(&b, 150);
        CHECK_INT(b.len, 0);
    }
    fr_buf_add(&b, "hello");
    fr_buf_consume(&b, 2);
    CHECK_TEXT(b.data, "llo");
    CHECK(fr_buf_reserve(&b, 298) == NULL && b.failed);
}

static void test_json_text_is_escaped(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1000);
    fr_buf_add_json_text(&b, "q\" b\\ /\b\f\n\r\t\x01\x1f\x7f \xC3\xA9\xF0\x9F\x98\x80");
    CHECK_TEXT(b.data, "\"q\\\" b\\\\ /\\u0008\\u000c\\n\\r\\t\\u0001\\u001f\x7f \xC3\xA9\xF0\x9F\x98\x80\"");
    fr_buf_clear(&b);
    fr_buf_add_json_text(&b, NULL);
    fr_buf_add_json_text(&b, "");
    fr_buf_add_json_bytes(&b, "a\0b", 3);
    CHECK_TEXT(b.data, "null\"\"\"a\\u0000b\"");
}

static void test_bytes_that_are_not_utf8_are_replaced(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1000);
    fr_buf_add_json_bytes(&b, "a\xFFz\xE2\x82|\xED\xA0\x80\xC3", 10);
    CHECK_TEXT(b.data, "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void test_each_failing_allocation_is_reported(void)
{
    int failures = 0;
    for (int64_t nth = 1; ; nth++) {
        FR_AUTO_BUF(b);
        struct fr_err err;
        fr_buf_init(&b, 100000);
        fr_mem_fail_at(nth);
        for (int i = 0; i < 500; i++) fr_buf_addf(&b, "%d,", i);
        fr_mem_fail_at(0);
        if (!b.failed) break;
        CHECK(fr_buf_check(&b, "list", &err) == FR_E_NOMEM);
        CHECK_TEXT(err.text, "no memory for list");
        CHECK(b.len == 0 || b.data[b.len] == 0);
        failures++;
    }
    CHECK(failures >= 4);
}

// Texts are looked at eight bytes at a time: what must be escaped is found wherever it stands.
static void test_json_text_is_escaped_at_every_place(void)
{
    static const struct { const char *in, *out; } odd[] = { { "\"", "\\\"" }, { "\\", "\\\\" }, { "\x1f", "\\u001f" }, { "\n", "\\n" }, { "\x80", "\xEF\xBF\xBD" }, { "\xC3\xA9", "\xC3\xA9" },
                                                            { " ", " " }, { "!", "!" }, { "#", "#" }, { "[", "[" }, { "]", "]" }, { "\x7f", "\x7f" } };
    for (size_t o = 0; o < sizeof odd / sizeof odd[0]; o++)
        for (int before = 0; before < 20; before++)
            for (int after = 0; after < 20; after++) {
                char in[64], want[80];
                struct fr_buf b;
                snprintf(in, sizeof in, "%.*s%s%.*s", before, "abcdefghijklmnopqrst", odd[o].in, after, "ABCDEFGHIJKLMNOPQRST");
                snprintf(want, sizeof want, "\"%.*s%s%.*s\"", before, "abcdefghijklmnopqrst", odd[o].out, after, "ABCDEFGHIJKLMNOPQRST");
                fr_buf_init(&b, 200);
                fr_buf_add_json_text(&b, in);
                CHECK_TEXT(b.data, want);
                fr_buf_free(&b);
            }
}

int main(void)
{
    TEST(test_json_text_is_escaped_at_every_place);
    TEST(test_adds_follow_each_other);
    TEST(test_integers_reach_both_ends);
    TEST(test_past_the_bound_nothing_changes);
    TEST(test_a_failed_buffer_takes_nothing_more);
    TEST(test_a_zeroed_buffer_takes_nothing);
    TEST(test_reserve_commit_and_consume);
    TEST(test_json_text_is_escaped);
    TEST(test_bytes_that_are_not_utf8_are_replaced);
    TEST(test_each_failing_allocation_is_reported);
    return TEST_END();
}
