// keccak_test.c — vectors of the Keccak team (ShortMsgKAT, LongMsgKAT lengths 0, 24) and of everyday Ethereum.
#include "chain/keccak.h"
#include "base/check.h"
#include "chain/test_hex.h"

static const char *hash_of(const char *text)
{
    uint8_t out[KECCAK_BYTES];
    keccak256_text(text, out);
    return test_hex(out, sizeof out);
}

static void test_known_hashes(void)
{
    CHECK_TEXT(hash_of(""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    CHECK_TEXT(hash_of("abc"), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    CHECK_TEXT(hash_of("Transfer(address,address,uint256)"), "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
}

static void test_it_does_not_matter_how_it_is_cut(void)
{
    uint8_t text[500], whole[KECCAK_BYTES], cut[KECCAK_BYTES];
    for (size_t i = 0; i < sizeof text; i++) text[i] = (uint8_t)(i * 7);
    for (size_t len = 130; len < 280; len += 3) {                        // around one and two blocks of 136
        keccak256(text, len, whole);
        for (size_t at = 0; at <= len; at += 17) {
            struct keccak k;
            keccak_init(&k);
            keccak_add(&k, text, at);
            keccak_add(&k, text + at, len - at);
            keccak_end(&k, cut);
            CHECK(memcmp(whole, cut, sizeof whole) == 0);
        }
    }
}

int main(void)
{
    TEST(test_known_hashes);
    TEST(test_it_does_not_matter_how_it_is_cut);
    return TEST_END();
}
