// u256_test.c — the edges of 256 bits, and amounts that must not be rounded.
#include "chain/u256.h"
#include "base/check.h"

#define MAX_TEXT "115792089237316195423570985008687907853269984665640564039457584007913129639935"

static struct u256 of(const char *text)
{
    struct u256 a = { { 0 } };
    CHECK(u256_parse(text, &a, NULL) == FR_OK);
    return a;
}
static const char *text_of(struct u256 a)
{
    static char out[U256_TEXT_BYTES];
    return u256_text(a, out);
}

static void test_text_goes_there_and_back(void)
{
    static const char *const texts[] = { "0", "1", "9", "10", "18446744073709551615", "18446744073709551616", "100000000000000000", MAX_TEXT };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) CHECK_TEXT(text_of(of(texts[i])), texts[i]);
    struct u256 untouched = u256_of(7);
    static const char *const wrong[] = { "", "-1", "+1", " 1", "01", "1.0", "0x1", "1e3", "115792089237316195423570985008687907853269984665640564039457584007913129639936",
                                         "999999999999999999999999999999999999999999999999999999999999999999999999999999", MAX_TEXT "0" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_INT(u256_parse(wrong[i], &untouched, NULL), FR_E_INVALID);
    CHECK_TEXT(text_of(untouched), "7");
}

static void test_quantities_of_json_rpc(void)
{
    char out[U256_HEX_BYTES];
    struct u256 a = u256_of(7);
    CHECK(u256_parse_quantity("0x0", &a, NULL) == FR_OK && u256_is_zero(a));
    CHECK(u256_parse_quantity("0xDe0b6b3a7640000", &a, NULL) == FR_OK);
    CHECK_TEXT(text_of(a), "1000000000000000000");
    CHECK_TEXT(u256_quantity(a, out), "0xde0b6b3a7640000");
    CHECK_TEXT(u256_quantity(u256_of(0), out), "0x0");
    CHECK_TEXT(u256_quantity(of(MAX_TEXT), out), "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
    static const char *const wrong[] = { "", "0x", "0x00", "0x01", "1", "0xg", "-0x1", "0x10000000000000000000000000000000000000000000000000000000000000000" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK_INT(u256_parse_quantity(wrong[i], &a, NULL), FR_E_INVALID);
}

static void test_nothing_wraps(void)
{
    struct u256 max = of(MAX_TEXT), one = u256_of(1), r = u256_of(7), rest;
    CHECK(!u256_add(max, one, &r));
    CHECK(!u256_sub(u256_of(0), one, &r));
    CHECK(!u256_mul(max, u256_of(2), &r));
    CHECK(!u256_div(one, u256_of(0), &r, NULL));
    CHECK(!u256_mul_div(max, u256_of(2), one, false, &r));
    CHECK(!u256_mul_div(max, max, u256_of(0), false, &r));
    CHECK_TEXT(text_of(r), "7");
    CHECK(u256_sub(max, one, &r) && u256_add(r, one, &r) && u256_compare(r, max) == 0);
    CHECK(u256_div(max, u256_of(10), &r, &rest));
    CHECK_TEXT(text_of(r), "11579208923731619542357098500868790785326998466564056403945758400791312963993");
    CHECK_TEXT(text_of(rest), "5");
    CHECK_INT(u256_compare(one, max), -1);
    CHECK_INT(u256_compare(max, one), 1);
}

static void test_a_product_may_have_512_bits_on_its_way(void)
{
    struct u256 max = of(MAX_TEXT), r;
    CHECK(u256_mul_div(max, max, max, false, &r) && u256_compare(r, max) == 0);
    CHECK(u256_mul_div(max, u256_of(3), u256_of(4), false, &r));
    CHECK_TEXT(text_of(r), "86844066927987146567678238756515930889952488499230423029593188005934847229951");
    CHECK(u256_mul_div(u256_of(10), u256_of(1), u256_of(3), false, &r) && r.limb[0] == 3);
    CHECK(u256_mul_div(u256_of(10), u256_of(1), u256_of(3), true, &r) && r.limb[0] == 4);
    CHECK(u256_mul_div(u256_of(9), u256_of(1), u256_of(3), true, &r) && r.limb[0] == 3);
}

static void test_bytes_are_big_endian(void)
{
    uint8_t bytes[U256_BYTES], brief[U256_BYTES];
    struct u256 r;
    u256_to_bytes(u256_of(0x0102), bytes);
    CHECK(bytes[31] == 2 && bytes[30] == 1 && bytes[29] == 0);
    CHECK(u256_compare(u256_from_bytes(bytes), u256_of(0x0102)) == 0);
    CHECK_INT(u256_to_short(u256_of(0x0102), brief), 2);
    CHECK(brief[0] == 1 && brief[1] == 2);
    CHECK_INT(u256_to_short(u256_of(0), brief), 0);
    CHECK(!u256_from_short(bytes, 33, &r));
    CHECK(u256_from_short(bytes, 0, &r) && u256_is_zero(r));
}

static void test_decimals_are_exact_or_refused(void)
{
    struct u256 a, dust;
    int64_t units = 7;
    struct fr_err err;
    CHECK(u256_from_units(1500000000, 9, 18, &a, &err) == FR_OK);
    CHECK_TEXT(text_of(a), "1500000000000000000");
    CHECK(u256_to_units(a, 18, 9, &units, &err) == FR_OK && units == 1500000000);
    CHECK_INT(u256_to_units(of("1500000000000000001"), 18, 9, &units, &err), FR_E_INVALID);
    CHECK_TEXT(err.code, "inexact_amount");
    CHECK(units == 1500000000);
    CHECK(u256_to_units_dust(of("1500000000000000001"), 18, 9, &units, &dust, &err) == FR_OK && units == 1500000000);
    CHECK_TEXT(text_of(dust), "1");
    CHECK_INT(u256_from_units(15, 9, 8, &a, &err), FR_E_INVALID);        // the chain knows fewer decimals
    CHECK(u256_from_units(150, 9, 8, &a, &err) == FR_OK && a.limb[0] == 15);
    CHECK(u256_to_units(u256_of(15), 8, 9, &units, &err) == FR_OK && units == 150);
    CHECK_INT(u256_from_units(-1, 9, 9, &a, &err), FR_E_INVALID);
    CHECK(u256_to_units(u256_of(INT64_MAX), 9, 9, &units, &err) == FR_OK && units == INT64_MAX);
    CHECK_INT(u256_to_units(u256_of((uint64_t)INT64_MAX + 1), 9, 9, &units, &err), FR_E_LIMIT);
    CHECK_INT(u256_to_units(of(MAX_TEXT), 9, 9, &units, &err), FR_E_LIMIT);
}

int main(void)
{
    TEST(test_text_goes_there_and_back);
    TEST(test_quantities_of_json_rpc);
    TEST(test_nothing_wraps);
    TEST(test_a_product_may_have_512_bits_on_its_way);
    TEST(test_bytes_are_big_endian);
    TEST(test_decimals_are_exact_or_refused);
    return TEST_END();
}
