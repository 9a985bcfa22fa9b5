#include "base/utf8.h"
#include "base/check.h"

// The rule, written the slow way: decode by the lead byte, then refuse by value.
static bool valid_by_value(const uint8_t *b, size_t len)
{
    size_t wants = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : b[0] >> 3 == 30 ? 4 : 0;
    if (wants == 0 || wants != len) return false;
    uint32_t c = wants == 1 ? b[0] : b[0] & (0x7Fu >> wants);
    for (size_t i = 1; i < len; i++) {
        if (b[i] >> 6 != 2) return false;
        c = c << 6 | (b[i] & 0x3F);
    }
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    return c >= least[wants] && c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
}

static void test_every_two_and_three_byte_text_is_judged_right(void)
{
    int wrong = 0;
    for (uint32_t v = 0; v < 1u << 24; v++) {
        uint8_t b[3] = { (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
        wrong += (fr_utf8_char((char *)b, 3) == 3) != valid_by_value(b, 3);
        if (v < 1u << 16) wrong += (fr_utf8_char((char *)b + 1, 2) == 2) != valid_by_value(b + 1, 2);
    }
    CHECK_INT(wrong, 0);
}

static void test_four_byte_edges(void)
{
    int wrong = 0;
    for (int lead = 0xE0; lead < 0x100; lead++)
        for (int second = 0; second < 0x100; second++)
            for (int third = 0x7E; third < 0xC3; third += 2) {
                uint8_t b[4] = { (uint8_t)lead, (uint8_t)second, (uint8_t)third, 0x80 };
                wrong += (fr_utf8_char((char *)b, 4) == 4) != valid_by_value(b, 4);
            }
    CHECK_INT(wrong, 0);
}

static void test_every_code_point_is_written_and_read_back(void)
{
    int wrong = 0;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        if (c == 0xD800) c = 0xE000;
        char out[4];
        size_t len = fr_utf8_put(c, out);
        wrong += fr_utf8_char(out, len) != len;
    }
    CHECK_INT(wrong, 0);
}

static void test_cut_never_leaves_half_a_character(void)
{
    const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
    for (size_t len = 0; len <= strlen(text); len++) {
        size_t cut = fr_utf8_cut(text, len);
        CHECK(cut <= len && len - cut <= 3 && fr_utf8_valid(text, cut));
    }
    CHECK_INT(fr_utf8_cut(text, strlen(text)), strlen(text));
    CHECK(!fr_utf8_valid(text, 2));
}

int main(void)
{
    TEST(test_every_two_and_three_byte_text_is_judged_right);
    TEST(test_four_byte_edges);
    TEST(test_every_code_point_is_written_and_read_back);
    TEST(test_cut_never_leaves_half_a_character);
    return TEST_END();
}
