#include "base/err.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/utf8.h"

static void test_fail_sets_status_code_text_and_place(void)
{
    struct fr_err err;
    CHECK(FR_FAIL(&err, FR_E_FUNDS, "needs %d, has %d", 7, 3) == FR_E_FUNDS);
    CHECK_INT(err.status, FR_E_FUNDS);
    CHECK_TEXT(err.code, "funds");
    CHECK_TEXT(err.text, "needs 7, has 3");
    CHECK(strstr(err.file, "err_test.c") && err.line > 0);
}

static void test_a_code_of_its_own_replaces_the_default(void)
{
    struct fr_err err;
    CHECK(FR_FAIL_CODE(&err, FR_E_DENIED, "consent_required", "ask first") == FR_E_DENIED);
    CHECK_TEXT(err.code, "consent_required");
}

static void test_no_error_object_is_allowed(void)
{
    CHECK(FR_FAIL(NULL, FR_E_IO, "disk") == FR_E_IO);
}

static void test_a_note_goes_in_front_and_keeps_the_rest(void)
{
    struct fr_err err;
    FR_IGNORE(FR_FAIL_CODE(&err, FR_E_CONFLICT, "ended", "already over"));     // the object is what we look at
    CHECK(fr_err_note(&err, "open duel %d", 7) == FR_E_CONFLICT);
    CHECK_TEXT(err.text, "open duel 7: already over");
    CHECK_TEXT(err.code, "ended");
}

static void test_the_old_text_may_be_an_argument(void)
{
    struct fr_err err;
    FR_IGNORE(FR_FAIL(&err, FR_E_IO, "disk full"));                            // the object is what we look at
    FR_IGNORE(FR_FAIL(&err, FR_E_INTERNAL, "store: %s", err.text));            // the object is what we look at
    CHECK_TEXT(err.text, "store: disk full");
}

static void test_long_text_is_cut_between_characters(void)
{
    char text[1200];
    for (int shift = 0; shift < 3; shift++) {
        memset(text, 'x', sizeof text);
        for (int i = shift; i + 3 < 1199; i += 3) memcpy(text + i, "\xE2\x82\xAC", 3);
        text[1199] = 0;
        struct fr_err err;
        FR_IGNORE(FR_FAIL(&err, FR_E_INVALID, "%s", text));                    // the object is what we look at
        CHECK(strlen(err.text) >= FR_ERR_TEXT_BYTES - 4 && fr_utf8_valid(err.text, strlen(err.text)));
        fr_err_note(&err, "%.*s", 30 + shift, text + shift);
        CHECK(strlen(err.text) >= FR_ERR_TEXT_BYTES - 4 && strlen(err.text) < FR_ERR_TEXT_BYTES);
    }
}

static void test_half_a_character_in_the_middle_is_left_out(void)
{
    struct fr_err err;
    FR_IGNORE(FR_FAIL(&err, FR_E_INVALID, "expected a name, got \"%.4s\"", "a\xE2\x82\xAC\xE2\x82\xAC"));       // the object is what we look at
    CHECK_TEXT(err.text, "expected a name, got \"a\xE2\x82\xAC\"");
    FR_IGNORE(FR_FAIL(&err, FR_E_INVALID, "expected a name, got \"%.3s\"", "a\xE2\x82\xAC"));
    CHECK_TEXT(err.text, "expected a name, got \"a\"");
    fr_err_note(&err, "in \"%.1s\"", "\xC3\xA9");
    CHECK_TEXT(err.text, "in \"\": expected a name, got \"a\"");
}

static void test_every_status_has_a_code_and_an_http_status(void)
{
    for (int s = FR_OK; s < FR_STATUS_COUNT; s++) {
        CHECK(fr_status_code(s) && fr_status_code(s)[0]);
        CHECK(s == FR_OK ? fr_status_http(s) == 200 : fr_status_http(s) >= 400 && fr_status_http(s) <= 504);
    }
    CHECK_INT(fr_status_http(FR_E_FUNDS), 402);
    CHECK_TEXT(fr_status_code(FR_E_AUTH), "unauthorized");
    CHECK_TEXT(fr_status_code((enum fr_status)999), "internal");
}

int main(void)
{
    TEST(test_fail_sets_status_code_text_and_place);
    TEST(test_a_code_of_its_own_replaces_the_default);
    TEST(test_no_error_object_is_allowed);
    TEST(test_a_note_goes_in_front_and_keeps_the_rest);
    TEST(test_the_old_text_may_be_an_argument);
    TEST(test_long_text_is_cut_between_characters);
    TEST(test_half_a_character_in_the_middle_is_left_out);
    TEST(test_every_status_has_a_code_and_an_http_status);
    return TEST_END();
}
