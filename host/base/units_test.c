#include "base/units.h"
#include "base/check.h"
#include "base/hash.h"

static bool reads(const char *text, int64_t want)
{
    int64_t got = 42;
    return fr_units_parse(text, &got, NULL) == FR_OK && got == want;
}

static bool refuses(const char *text)
{
    struct fr_err err;
    int64_t got = 42;
    return fr_units_parse(text, &got, &err) == FR_E_INVALID && got == 42;      // and *ret is untouched
}

static void test_base_units_have_one_spelling(void)
{
    CHECK(reads("0", 0) && reads("125", 125) && reads("-7", -7));
    CHECK(reads("9223372036854775807", INT64_MAX) && reads("-9223372036854775808", INT64_MIN));
    const char *bad[] = { "", "-", "-0", "00", "01", "-01", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1,000", "abc", "--1",
                          "9223372036854775808", "-9223372036854775809", "99999999999999999999999999" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(refuses(bad[i]));
        if (!refuses(bad[i])) printf("  accepted: %s\n", bad[i]);
    }
}

static void test_the_refusal_names_the_text(void)
{
    struct fr_err err;
    int64_t got;
    CHECK(fr_units_parse("01", &got, &err) == FR_E_INVALID);
    CHECK_TEXT(err.text, "expected an amount in base units like \"125\", got \"01\"");
    CHECK(fr_units_parse_decimal("0.123", 2, &got, &err) == FR_E_INVALID);
    CHECK_TEXT(err.text, "expected an amount with at most 2 decimals like \"12.5\", got \"0.123\"");
}

static bool decimal(const char *text, int decimals, int64_t want)
{
    int64_t got = 42;
    return fr_units_parse_decimal(text, decimals, &got, NULL) == FR_OK && got == want;
}

static void test_decimals_are_scaled_and_never_rounded(void)
{
    CHECK(decimal("12.5", 9, 12500000000) && decimal("0.000000001", 9, 1) && decimal("-0.5", 1, -5));
    CHECK(decimal("100000000", 9, 100000000000000000) && decimal("7", 0, 7));
    CHECK(decimal("9223372036.854775807", 9, INT64_MAX) && decimal("-9223372036.854775808", 9, INT64_MIN));
    CHECK(!decimal("9223372036.854775808", 9, 0) && !decimal("9223372037", 9, 0));
    const char *bad[] = { "", ".5", "1.", "1.2.3", "-0.0", "-0", "01.5", "1.5 ", "1,5", "1.2345678901", "1e2", "." };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t got = 42;
        CHECK(fr_units_parse_decimal(bad[i], 9, &got, NULL) == FR_E_INVALID && got == 42);
    }
}

static void test_format(void)
{
    char out[UNITS_TEXT_BYTES];
    CHECK_TEXT(fr_units_format(12500000000, 9, out), "12.5");
    CHECK_TEXT(fr_units_format(1, 9, out), "0.000000001");
    CHECK_TEXT(fr_units_format(-1, 9, out), "-0.000000001");
    CHECK_TEXT(fr_units_format(0, 9, out), "0");
    CHECK_TEXT(fr_units_format(3000000000, 9, out), "3");
    CHECK_TEXT(fr_units_format(INT64_MIN, 9, out), "-9223372036.854775808");
    CHECK_TEXT(fr_units_text(INT64_MIN, out), "-9223372036854775808");
    CHECK_TEXT(fr_units_text(INT64_MAX, out), "9223372036854775807");
}

static void test_what_is_formatted_reads_back(void)
{
    int wrong = 0;
    for (int i = 0; i < 20000; i++) {
        int64_t units, back = 0;
        char out[UNITS_TEXT_BYTES];
        fr_random_bytes(&units, sizeof units);
        units >>= i % 64;
        int decimals = i % (UNITS_DECIMALS_MAX + 1);
        wrong += fr_units_parse_decimal(fr_units_format(units, decimals, out), decimals, &back, NULL) != FR_OK || back != units;
    }
    CHECK_INT(wrong, 0);
}

int main(void)
{
    TEST(test_base_units_have_one_spelling);
    TEST(test_the_refusal_names_the_text);
    TEST(test_decimals_are_scaled_and_never_rounded);
    TEST(test_format);
    TEST(test_what_is_formatted_reads_back);
    return TEST_END();
}
