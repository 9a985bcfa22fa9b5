#include "base/hex.h"
#include "base/check.h"
#include "base/hash.h"

static void test_hex(void)
{
    char text[9];
    uint8_t back[4];
    CHECK_TEXT(fr_hex("\x00\x7f\xa5\xff", 4, text), "007fa5ff");
    CHECK(fr_unhex("007FA5ff", 8, back, 4) && memcmp(back, "\x00\x7f\xa5\xff", 4) == 0);
    CHECK(fr_unhex("", 0, back, 0));
    CHECK(!fr_unhex("007fa5f", 7, back, 4) && !fr_unhex("007fa5ff", 8, back, 3));
    CHECK(!fr_unhex("007fa5fg", 8, back, 4) && !fr_unhex("0x7fa5ff", 8, back, 4) && !fr_unhex("007fa5f ", 8, back, 4));
}

static void test_base64_of_rfc_4648(void)
{
    static const char *const want[][2] = { { "", "" }, { "Zg", "Zg==" }, { "Zm8", "Zm8=" }, { "Zm9v", "Zm9v" },
        { "Zm9vYg", "Zm9vYg==" }, { "Zm9vYmE", "Zm9vYmE=" }, { "Zm9vYmFy", "Zm9vYmFy" } };
    for (size_t len = 0; len <= 6; len++) {
        char url[FR_BASE64URL_BYTES(6)], std[9];
        uint8_t back[6];
        CHECK_TEXT(fr_base64url("foobar", len, url), want[len][0]);
        CHECK_TEXT(fr_base64("foobar", len, std), want[len][1]);
        CHECK_INT(fr_unbase64url(url, strlen(url), back, sizeof back), len);
        CHECK(memcmp(back, "foobar", len) == 0);
    }
    char url[5], std[5];
    CHECK_TEXT(fr_base64url("\xfb\xff\xfe", 3, url), "-__-");
    CHECK_TEXT(fr_base64("\xfb\xff\xfe", 3, std), "+//+");
}

static void test_base64url_has_one_spelling(void)
{
    uint8_t out[8];
    const char *bad[] = { "Z", "A", "AAAAA", "Zg==", "Zg=", "Zh", "Zm9", "Zm+v", "Zm/v", "Zm 9", "Zm9vZ", "Zm9\n" };   // Zh, Zm9: spare bits are set
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK_INT(fr_unbase64url(bad[i], strlen(bad[i]), out, sizeof out), -1);
    CHECK_INT(fr_unbase64url("Zm9vYmFy", 8, out, 5), -1);
    CHECK_INT(fr_unbase64url("Zm9vYmFy", 8, out, 6), 6);
}

static void test_any_bytes_come_back(void)
{
    uint8_t bytes[100], back[100];
    char text[FR_BASE64URL_BYTES(100)], hex[201];
    fr_random_bytes(bytes, sizeof bytes);
    for (size_t len = 0; len <= 100; len++) {
        fr_base64url(bytes, len, text);
        CHECK(strlen(text) < FR_BASE64URL_BYTES(len));
        CHECK(fr_unbase64url(text, strlen(text), back, len) == (long)len && memcmp(bytes, back, len) == 0);
        fr_hex(bytes, len, hex);
        CHECK(fr_unhex(hex, 2 * len, back, len) && memcmp(bytes, back, len) == 0);
    }
}

int main(void)
{
    TEST(test_hex);
    TEST(test_base64_of_rfc_4648);
    TEST(test_base64url_has_one_spelling);
    TEST(test_any_bytes_come_back);
    return TEST_END();
}
