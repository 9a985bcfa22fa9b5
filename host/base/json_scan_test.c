// What is JSON here, and what is said about everything else.
#include "base/json.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

static const char *const accepted[] = {
    "null", "true", "false", "0", "-0", "7", "-12", "1.5", "0.25", "1e3", "1E+3", "1e-3", "-0.0e-0", "123456789012345678901234567890",
    "\"\"", "\"a\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\u0041\\u00e9\\u20AC\"", "\"\\uD83D\\ude00\"", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"",
    "\"\x7f\"", "\"\xEF\xBF\xBF\"", "[]", "{}", "[1]", "[1,2]", " [ 1 , 2 ] ", "\t\r\n{ \"a\" : [ ] }\n", "{\"\":0}", "{\"a\":{\"a\":1},\"b\":{\"a\":2}}",
    "[{\"a\":1},{\"a\":1}]", "{\"a\":1,\"A\":2,\"aa\":3}", "1e308", "1e-999", "[null,true,false]", "{\"a\":\"\\u0061\"}",
    "{\"\xC3\xA9\":1,\"e\xCC\x81\":2}",              // composed and decomposed: different bytes, different keys
};

struct refusal { const char *text, *want; };
static const struct refusal refused[] = {
    { "", "line 1, column 1: expected a value, got the end of the text" },
    { "  \n ", "line 2, column 2: expected a value, got the end of the text" },
    { "\xEF\xBB\xBF{}", "line 1, column 1: expected a value, got byte 0xef" },
    { "{", "line 1, column 2: expected a key in quotes, got the end of the text" },
    { "[", "line 1, column 2: expected a value, got the end of the text" },
    { "[1", "line 1, column 3: expected ',' or ']', got the end of the text" },
    { "[1 2]", "line 1, column 4: expected ',' or ']', got '2'" },
    { "[1,]", "line 1, column 4: expected a value, got ']'" },
    { "[,1]", "line 1, column 2: expected a value, got ','" },
    { "[1}", "line 1, column 3: expected ',' or ']', got '}'" },
    { "{\"a\":1,}", "line 1, column 8: expected a key in quotes, got '}'" },
    { "{\"a\"}", "line 1, column 5: expected ':', got '}'" },
    { "{\"a\":}", "line 1, column 6: expected a value, got '}'" },
    { "{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}', got '\"'" },
    { "{a:1}", "line 1, column 2: expected a key in quotes, got 'a'" },
    { "{'a':1}", "line 1, column 2: expected a key in quotes, got '''" },
    { "{1:1}", "line 1, column 2: expected a key in quotes, got '1'" },
    { "{\"a\":1]", "line 1, column 7: expected ',' or '}', got ']'" },
    { "{}{}", "line 1, column 3: expected the end of the text, got '{'" },
    { "1 2", "line 1, column 3: expected the end of the text, got '2'" },
    { "{} // no", "line 1, column 4: expected the end of the text, got '/'" },
    { "/* no */ 1", "line 1, column 1: expected a value, got '/'" },
    { "nul", "line 1, column 1: expected a value, got 'n'" },
    { "nulll", "line 1, column 5: expected the end of the text, got 'l'" },
    { "True", "line 1, column 1: expected a value, got 'T'" },
    { "NaN", "line 1, column 1: expected a value, got 'N'" },
    { "-Infinity", "line 1, column 2: expected a digit, got 'I'" },
    { "undefined", "line 1, column 1: expected a value, got 'u'" },
    { "01", "line 1, column 1: a number may not begin with 0" },
    { "-012", "line 1, column 1: a number may not begin with 0" },
    { "+1", "line 1, column 1: expected a value, got '+'" },
    { "-", "line 1, column 2: expected a digit, got the end of the text" },
    { ".5", "line 1, column 1: expected a value, got '.'" },
    { "1.", "line 1, column 3: expected a digit after the point, got the end of the text" },
    { "1.e3", "line 1, column 3: expected a digit after the point, got 'e'" },
    { "1e", "line 1, column 3: expected a digit in the exponent, got the end of the text" },
    { "[1e+]", "line 1, column 5: expected a digit in the exponent, got ']'" },
    { "0x10", "line 1, column 2: expected the end of the text, got 'x'" },
    { "1_000", "line 1, column 2: expected the end of the text, got '_'" },
    { "[1, 1e999]", "line 1, column 5: 1e999 is too large for a number" },
    { "-1e999", "line 1, column 1: -1e999 is too large for a number" },
    { "\"abc", "line 1, column 1: this string has no end" },
    { "[\"abc]", "line 1, column 2: this string has no end" },
    { "\"a\\\"", "line 1, column 1: this string has no end" },
    { "\"a\\", "line 1, column 4: expected an escape, got the end of the text" },
    { "\"a\nb\"", "line 1, column 3: control character 0x0a in a string (write \\u000a)" },
    { "\"\t\"", "line 1, column 2: control character 0x09 in a string (write \\u0009)" },
    { "\"\\x41\"", "line 1, column 2: '\\x' is not an escape" },
    { "\"\\'\"", "line 1, column 2: '\\'' is not an escape" },
    { "\"\\\n\"", "line 1, column 2: a lone backslash in a string (write \\\\)" },
    { "\"\\u12\"", "line 1, column 2: \\u needs four hex digits" },
    { "\"\\u12g4\"", "line 1, column 2: \\u needs four hex digits" },
    { "\"a\\u0000\"", "line 1, column 3: \\u0000 is not allowed in a string" },
    { "{\"a\\u0000\":1}", "line 1, column 4: \\u0000 is not allowed in a string" },
    { "\"\\ud800\"", "line 1, column 2: \\ud800 is half of a surrogate pair" },
    { "\"\\uDC00\"", "line 1, column 2: \\udc00 is half of a surrogate pair" },
    { "\"\\ud800\\u0041\"", "line 1, column 2: \\ud800 is half of a surrogate pair" },
    { "\"\\ud800\\ud800\"", "line 1, column 2: \\ud800 is half of a surrogate pair" },
    { "\"\\udc00\\udc00\"", "line 1, column 2: \\udc00 is half of a surrogate pair" },
    { "\"\\ud800\\n\"", "line 1, column 2: \\ud800 is half of a surrogate pair" },
    { "\"\xFF\"", "line 1, column 2: byte 0xff is not UTF-8" },
    { "\"\xC0\xAF\"", "line 1, column 2: byte 0xc0 is not UTF-8" },                  // overlong
    { "\"\xED\xA0\x80\"", "line 1, column 2: byte 0xed is not UTF-8" },              // a surrogate
    { "\"\xF4\x90\x80\x80\"", "line 1, column 2: byte 0xf4 is not UTF-8" },          // past U+10FFFF
    { "\"\xE2\x82\"", "line 1, column 2: byte 0xe2 is not UTF-8" },                  // cut short
    { "\xC3\xA9", "line 1, column 1: expected a value, got byte 0xc3" },
    { "[1,\n  \"\xC3\xA9\" x]", "line 2, column 7: expected ',' or ']', got 'x'" },  // columns count characters
    { "{\"a\":1,\"a\":2}", "line 1, column 8: duplicate key \"a\"" },
    { "{\"a\":1,\"b\":2,\"\\u0061\":3}", "line 1, column 14: duplicate key \"a\"" },
    { "{\"\\n\":1,\"\\u000A\":3}", "line 1, column 9: duplicate key \"?\"" },
    { "{\"\xF0\x9F\x98\x80\":1,\"\\ud83d\\ude00\":3}", "line 1, column 8: duplicate key \"\xF0\x9F\x98\x80\"" },
    { "[{\"x\":{\"\":1,\"y\":2,\"\":3}}]", "line 1, column 19: duplicate key \"\"" },
    { "{\"b\":{\"a\":1},\"c\":2,\"b\":3}", "line 1, column 20: duplicate key \"b\"" },
};

static void test_accepted_texts(void)
{
    for (size_t i = 0; i < sizeof accepted / sizeof *accepted; i++) {
        FR_AUTO(fr_json) root = NULL;
        struct fr_err err = { .text = "" };
        CHECK(fr_json_check(accepted[i], strlen(accepted[i]), &err) == FR_OK);
        CHECK(fr_json_parse(accepted[i], strlen(accepted[i]), &root, &err) == FR_OK && root);
        CHECK_TEXT(err.text, "");
    }
}

static void test_refused_texts_and_what_is_said(void)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct fr_json *root = NULL;
        struct fr_err err = { .text = "" };
        CHECK(fr_json_parse(refused[i].text, strlen(refused[i].text), &root, &err) == FR_E_INVALID && !root);
        CHECK_TEXT(err.text, refused[i].want);
    }
}

// The text may stand in a larger buffer: not one byte past its length is looked at (the sanitizer watches).
static void test_every_prefix_is_judged_within_its_bounds(void)
{
    static const char text[] = "{\"a\\u00e9\\ud83d\\ude00\":[true,false,null,-12.5e+3,\"x\\n\xE2\x82\xAC\"],\"b\":{}}";
    for (size_t len = 0; len <= strlen(text); len++) {
        FR_AUTO_MEM char *exact = fr_must_alloc(len);
        memcpy(exact, text, len);
        CHECK((fr_json_check(exact, len, NULL) == FR_OK) == (len == strlen(text)));
    }
    CHECK(fr_json_check(NULL, 0, NULL) == FR_E_INVALID);
    CHECK(fr_json_check("1\0", 2, NULL) == FR_E_INVALID && fr_json_check("\"a\0\"", 4, NULL) == FR_E_INVALID);
}

static char *nested(int depth, const char *open, const char *close)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 10000);
    for (int i = 0; i < depth; i++) fr_buf_add(&b, open);
    fr_buf_add(&b, "1");
    for (int i = 0; i < depth; i++) fr_buf_add(&b, close);
    return fr_must_strdup(b.data);
}

static void test_depth_is_bounded(void)
{
    struct fr_err err;
    FR_AUTO_MEM char *arrays = nested(JSON_DEPTH_MAX, "[", "]"), *objects = nested(JSON_DEPTH_MAX, "{\"a\":", "}");
    FR_AUTO_MEM char *deeper = nested(JSON_DEPTH_MAX + 1, "[", "]"), *deeper_objects = nested(JSON_DEPTH_MAX + 1, "{\"a\":", "}");
    CHECK(fr_json_check(arrays, strlen(arrays), &err) == FR_OK && fr_json_check(objects, strlen(objects), &err) == FR_OK);
    CHECK(fr_json_check(deeper_objects, strlen(deeper_objects), &err) == FR_E_LIMIT);
    CHECK(fr_json_check(deeper, strlen(deeper), &err) == FR_E_LIMIT);
    CHECK_TEXT(err.code, "too_large");
    CHECK_TEXT(err.text, "line 1, column 33: nested deeper than 32");
    FR_AUTO_BUF(wide);                                    // many siblings are not depth
    fr_buf_init(&wide, 10000);
    fr_buf_add(&wide, "[[]");
    for (int i = 0; i < 100; i++) fr_buf_add(&wide, ",[{}]");
    fr_buf_add(&wide, "]");
    CHECK(fr_json_check(wide.data, wide.len, &err) == FR_OK);
}

static void test_size_and_number_length_are_bounded(void)
{
    struct fr_err err;
    FR_AUTO_MEM char *text = fr_must_alloc(JSON_TEXT_BYTES_MAX + 2);
    memset(text, ' ', JSON_TEXT_BYTES_MAX + 1);
    text[0] = '1';
    CHECK(fr_json_check(text, JSON_TEXT_BYTES_MAX, &err) == FR_OK);
    CHECK(fr_json_check(text, JSON_TEXT_BYTES_MAX + 1, &err) == FR_E_LIMIT);
    CHECK_TEXT(err.text, "a JSON text of 1048577 bytes is over 1048576 bytes");

    FR_AUTO(fr_json) root = NULL;
    memset(text, '9', 64);
    CHECK(fr_json_parse(text, JSON_NUMBER_BYTES_MAX, &root, &err) == FR_OK);
    CHECK(fr_json_number(root) > 9.99e62);
    CHECK(fr_json_check(text, JSON_NUMBER_BYTES_MAX + 1, &err) == FR_E_LIMIT);
    CHECK_TEXT(err.text, "line 1, column 1: a number of over 63 characters");
}

// An object of n keys, some written with escapes; the last one repeats `again`, unless that is negative.
static void many_keys(struct fr_buf *b, int n, int again)
{
    fr_buf_clear(b);
    for (int i = 0; i < n; i++) fr_buf_addf(b, i % 3 ? "%c\"key%d\":{\"a\":1}" : "%c\"\\u006bey%d\":1", i ? ',' : '{', i);
    if (again >= 0) fr_buf_addf(b, ",\"k\\u0065y%d\":1", again);
    fr_buf_add(b, "}");
}

static void test_duplicates_are_found_among_many_keys(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, JSON_TEXT_BYTES_MAX);
    struct fr_err err;
    for (int n = 1; n < 70; n++) {                       // across the sizes where the way of searching changes
        many_keys(&b, n, -1);
        CHECK(fr_json_check(b.data, b.len, &err) == FR_OK);
        many_keys(&b, n, n / 2);
        CHECK(fr_json_check(b.data, b.len, &err) == FR_E_INVALID && strstr(err.text, "duplicate key \"key"));
    }
    many_keys(&b, 40000, -1);
    CHECK(fr_json_check(b.data, b.len, &err) == FR_OK && !b.failed);
    many_keys(&b, 40000, 12345);
    CHECK(fr_json_check(b.data, b.len, &err) == FR_E_INVALID && strstr(err.text, "duplicate key \"key12345\""));
}

// The most keys, and the most bytes of spelled-out keys, that fit a text.
static void test_the_worst_keys_fit_the_memory_set_aside(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, JSON_TEXT_BYTES_MAX);
    struct fr_err err = { .text = "" };
    for (int i = 0; b.len + 20 < b.max; i++) fr_buf_addf(&b, "%c{\"\\t\":0}", i ? ',' : '[');
    fr_buf_add(&b, "]");
    CHECK(fr_json_check(b.data, b.len, &err) == FR_OK);
    CHECK_TEXT(err.text, "");
}

static void test_a_long_duplicate_is_shown_short(void)
{
    struct fr_err err;
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 10000);
    for (int twice = 0; twice < 2; twice++) {
        fr_buf_add(&b, twice ? ",\"" : "{\"");
        for (int i = 0; i < 100; i++) fr_buf_add(&b, "\xE2\x82\xAC");
        fr_buf_add(&b, "\":1");
    }
    fr_buf_add(&b, "}");
    CHECK(fr_json_check(b.data, b.len, &err) == FR_E_INVALID);
    CHECK(strstr(err.text, "\xE2\x82\xAC...\"") && fr_utf8_valid(err.text, strlen(err.text)) && strlen(err.text) < 120);
}

// Whatever the scan accepts the tree can be built from; whatever is printed is accepted again. Random edits of valid texts.
static void test_damaged_texts_never_confuse_scan_and_tree(void)
{
    int wrong = 0, fine = 0;
    srand(11);
    for (int round = 0; round < 60000; round++) {
        char text[200];
        const char *from = accepted[(size_t)rand() % (sizeof accepted / sizeof *accepted)];
        size_t len = strlen(from);
        memcpy(text, from, len + 1);
        for (int edits = rand() % 3; edits >= 0 && len; edits--) text[(size_t)rand() % len] = "\"\\{}[],:0e-u \x80"[rand() % 15];
        FR_AUTO(fr_json) root = NULL;
        struct fr_err err;
        bool ok = fr_json_check(text, len, NULL) == FR_OK;
        wrong += ok != (fr_json_parse(text, len, &root, &err) == FR_OK);
        if (!ok) {
            wrong += err.status == FR_E_NOMEM || !fr_utf8_valid(err.text, strlen(err.text));
            continue;
        }
        fine++;
        FR_AUTO(fr_json) again = NULL;
        FR_AUTO_BUF(out);
        fr_buf_init(&out, 10000);
        fr_json_print(root, &out);
        wrong += fr_json_parse(out.data, out.len, &again, &err) != FR_OK || !fr_json_equal(root, again);
    }
    CHECK_INT(wrong, 0);
    CHECK(fine > 1000);
}

static void test_each_failing_allocation_is_reported(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, JSON_TEXT_BYTES_MAX);
    many_keys(&b, 100, -1);
    int failures = 0;
    for (int64_t nth = 1; ; nth++) {
        FR_AUTO(fr_json) root = NULL;
        struct fr_err err;
        fr_mem_fail_at(nth);
        enum fr_status st = fr_json_parse(b.data, b.len, &root, &err);
        fr_mem_fail_at(0);
        if (st == FR_OK) break;
        CHECK(st == FR_E_NOMEM && !root && strstr(err.text, "no memory"));
        failures++;
    }
    CHECK(failures >= 3);                  // twice for the keys, once for the tree
}

int main(void)
{
    TEST(test_accepted_texts);
    TEST(test_refused_texts_and_what_is_said);
    TEST(test_every_prefix_is_judged_within_its_bounds);
    TEST(test_depth_is_bounded);
    TEST(test_size_and_number_length_are_bounded);
    TEST(test_duplicates_are_found_among_many_keys);
    TEST(test_the_worst_keys_fit_the_memory_set_aside);
    TEST(test_a_long_duplicate_is_shown_short);
    TEST(test_damaged_texts_never_confuse_scan_and_tree);
    TEST(test_each_failing_allocation_is_reported);
    return TEST_END();
}
