// ed25519_test.c — RFC 8032 section 7.1, every changed bit, and what a lax library would let through.
#include "base/ed25519.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/hex.h"

struct vector { const char *key, *message, *signature; };
static const struct vector vectors[] = {
    { "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
    { "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
    { "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

static void read_vector(const struct vector *v, uint8_t key[32], uint8_t message[8], uint8_t signature[64])
{
    CHECK(fr_unhex(v->key, 64, key, 32) && fr_unhex(v->message, strlen(v->message), message, strlen(v->message) / 2) && fr_unhex(v->signature, 128, signature, 64));
}

static void test_the_vectors_of_the_rfc(void)
{
    uint8_t key[32], message[8], signature[64];
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        read_vector(&vectors[i], key, message, signature);
        CHECK(fr_ed25519_verify(signature, message, strlen(vectors[i].message) / 2, key));
    }
}

static void test_any_changed_bit_is_refused(void)
{
    uint8_t key[32], message[8], signature[64];
    read_vector(&vectors[2], key, message, signature);
    for (int bit = 0; bit < 64 * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!fr_ed25519_verify(signature, message, 2, key));
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (int bit = 0; bit < 16; bit++) {
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(!fr_ed25519_verify(signature, message, 2, key));
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(!fr_ed25519_verify(signature, message, 1, key));
    CHECK(fr_ed25519_verify(signature, message, 2, key));
}

// S and S + L are the same number to a verifier that does not look: then one launch would have two names.
static void test_a_second_spelling_of_a_signature_is_refused(void)
{
    static const uint8_t order[32] = { 0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10 };
    uint8_t key[32], message[8], signature[64];
    read_vector(&vectors[1], key, message, signature);
    for (int i = 0, carry = 0; i < 32; i++) {
        carry += signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK(!fr_ed25519_verify(signature, message, 1, key));
}

static void test_a_key_of_small_order_is_refused(void)
{
    uint8_t key[32] = { 1 }, signature[64] = { 1 };      // the neutral element "signs" everything with R = 1, S = 0
    CHECK(!fr_ed25519_verify(signature, "anything", 8, key));
}

int main(void)
{
    TEST(test_the_vectors_of_the_rfc);
    TEST(test_any_changed_bit_is_refused);
    TEST(test_a_second_spelling_of_a_signature_is_refused);
    TEST(test_a_key_of_small_order_is_refused);
    return TEST_END();
}
