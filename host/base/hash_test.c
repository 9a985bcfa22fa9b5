#include "base/hash.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/auto.h"

static const char *sha256_hex(const void *bytes, size_t len)
{
    static char text[SHA256_HEX_BYTES];
    uint8_t out[SHA256_BYTES];
    fr_sha256(bytes, len, out);
    return fr_hex(out, sizeof out, text);
}

static const char *sha1_hex(const void *bytes, size_t len)
{
    static char text[41];
    uint8_t out[20];
    fr_sha1(bytes, len, out);
    return fr_hex(out, sizeof out, text);
}

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void test_sha256_of_fips_180(void)
{
    FR_AUTO_MEM char *million = fr_must_alloc(1000000);
    memset(million, 'a', 1000000);
    CHECK_TEXT(sha256_hex("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_TEXT(sha256_hex("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK_TEXT(sha256_hex(two_blocks, 56), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK_TEXT(sha256_hex(million, 1000000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_sha1_of_fips_180(void)
{
    FR_AUTO_MEM char *million = fr_must_alloc(1000000);
    memset(million, 'a', 1000000);
    CHECK_TEXT(sha1_hex("", 0), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK_TEXT(sha1_hex("abc", 3), "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK_TEXT(sha1_hex(two_blocks, 56), "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    CHECK_TEXT(sha1_hex(million, 1000000), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

// Digests of 0, 1, 2 ... 299 bytes, digested together: every padding case. The expected values come from another implementation.
static void test_every_length_around_the_blocks(void)
{
    uint8_t bytes[300], one[SHA256_BYTES], all[SHA256_BYTES];
    char text[SHA256_HEX_BYTES];
    struct fr_sha256 of_256, of_1;
    fr_sha256_init(&of_256);
    fr_sha256_init(&of_1);
    for (size_t len = 0; len < sizeof bytes; len++) {
        fr_sha256(bytes, len, one);
        fr_sha256_add(&of_256, one, SHA256_BYTES);
        fr_sha1(bytes, len, one);
        fr_sha256_add(&of_1, one, 20);
        bytes[len] = (uint8_t)len;
    }
    fr_sha256_end(&of_256, all);
    CHECK_TEXT(fr_hex(all, sizeof all, text), "df90175783c44235cf6aefd935a2c2747f42399416d16789ece339f1fd26d835");
    fr_sha256_end(&of_1, all);
    CHECK_TEXT(fr_hex(all, sizeof all, text), "b3b0918c06856119a009bebe37107fada5f9be1d72c2cc063d8244b0c07040c1");
}

static void test_pieces_give_the_same_as_the_whole(void)
{
    uint8_t bytes[500], whole[SHA256_BYTES], pieces[SHA256_BYTES];
    fr_random_bytes(bytes, sizeof bytes);
    fr_sha256(bytes, sizeof bytes, whole);
    for (size_t step = 1; step < 200; step++) {
        struct fr_sha256 s;
        fr_sha256_init(&s);
        for (size_t at = 0; at < sizeof bytes; at += step)
            fr_sha256_add(&s, bytes + at, step < sizeof bytes - at ? step : sizeof bytes - at);
        fr_sha256_end(&s, pieces);
        CHECK(memcmp(whole, pieces, sizeof whole) == 0);
    }
}

struct hmac_case { int key_byte; size_t key_len; const char *key, *msg, *want; };

static void test_hmac_of_rfc_4231(void)
{
    static const struct hmac_case cases[] = {
        { 0x0b, 20, NULL, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { 0, 4, "Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { 0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
        { 0xaa, 131, NULL, "This is a test using a larger than block-size key and a larger than block-size data. The key "
          "needs to be hashed before being used by the HMAC algorithm.",
          "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[131], text[SHA256_HEX_BYTES];
        uint8_t out[SHA256_BYTES];
        memset(key, cases[i].key_byte, sizeof key);
        if (cases[i].key) memcpy(key, cases[i].key, cases[i].key_len);
        fr_hmac_sha256(key, cases[i].key_len, cases[i].msg, strlen(cases[i].msg), out);
        CHECK_TEXT(fr_hex(out, sizeof out, text), cases[i].want);
    }
}

static void test_hmac_of_rfc_4231_with_binary_messages(void)
{
    char key[25], msg[50], text[SHA256_HEX_BYTES];
    uint8_t out[SHA256_BYTES];
    memset(key, 0xaa, 20);
    memset(msg, 0xdd, 50);
    fr_hmac_sha256(key, 20, msg, 50, out);
    CHECK_TEXT(fr_hex(out, sizeof out, text), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    for (int i = 0; i < 25; i++) key[i] = (char)(i + 1);
    memset(msg, 0xcd, 50);
    fr_hmac_sha256(key, 25, msg, 50, out);
    CHECK_TEXT(fr_hex(out, sizeof out, text), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
}

// With a zero key this is what CPython 3.11 gives for hash(b"...") under PYTHONHASHSEED=0.
static void test_siphash_against_another_implementation(void)
{
    const uint64_t key[2] = { 0, 0 };
    CHECK(fr_siphash13(key, "a", 1) == 0x407448d2b89b1813);
    CHECK(fr_siphash13(key, "abcdefg", 7) == 0x6db12aae9070f506);
    CHECK(fr_siphash13(key, "abcdefgh", 8) == 0x3f7b849c0b8e35ea);
    CHECK(fr_siphash13(key, "frond frond frond", 17) == 0x2e4a2c91ba18754f);
}

static void test_equal_looks_at_every_byte(void)
{
    uint8_t a[64] = { 0 }, b[64] = { 0 };
    CHECK(fr_equal_const_time(a, b, 64) && fr_equal_const_time(a, b, 0));
    for (int i = 0; i < 64; i++)
        for (int bit = 0; bit < 8; bit++) {
            b[i] ^= (uint8_t)(1 << bit);
            CHECK(!fr_equal_const_time(a, b, 64));
            b[i] ^= (uint8_t)(1 << bit);
        }
}

static void test_random_bytes_fill_everything(void)
{
    uint8_t seen[600] = { 0 }, more[600];
    for (int i = 0; i < 20; i++) {
        fr_random_bytes(more, sizeof more);
        for (size_t k = 0; k < sizeof seen; k++) seen[k] |= more[k];
    }
    int zero = 0;
    for (size_t k = 0; k < sizeof seen; k++) zero += seen[k] == 0;
    CHECK_INT(zero, 0);
}

static void test_both_ways_of_sha256_agree(void)
{
    uint8_t text[700], one[SHA256_BYTES], other[SHA256_BYTES];
    fr_random_bytes(text, sizeof text);
    for (size_t len = 0; len <= sizeof text; len++) {
        fr_sha256(text, len, one);
        fr_sha256_plainly(true);
        fr_sha256(text, len, other);
        fr_sha256_plainly(false);
        CHECK(memcmp(one, other, sizeof one) == 0);
    }
}

int main(void)
{
    TEST(test_both_ways_of_sha256_agree);
    TEST(test_sha256_of_fips_180);
    TEST(test_sha1_of_fips_180);
    TEST(test_every_length_around_the_blocks);
    TEST(test_pieces_give_the_same_as_the_whole);
    TEST(test_hmac_of_rfc_4231);
    TEST(test_hmac_of_rfc_4231_with_binary_messages);
    TEST(test_siphash_against_another_implementation);
    TEST(test_equal_looks_at_every_byte);
    TEST(test_random_bytes_fill_everything);
    return TEST_END();
}
