// keystore_test.c — the published vectors of Web3 Secret Storage, what is written is read, and what a hostile file may not cost.
#include "chain/keystore.h"
#include <stdio.h>
#include <stdlib.h>
#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "chain/test_hex.h"

// The definition's two test vectors: passphrase "testpassword".
static const char vector_pbkdf2[] =
    "{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"6087dab2f9fdbbfaddc31a909735c1e6\"},"
    "\"ciphertext\":\"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46\",\"kdf\":\"pbkdf2\","
    "\"kdfparams\":{\"c\":262144,\"dklen\":32,\"prf\":\"hmac-sha256\",\"salt\":\"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd\"},"
    "\"mac\":\"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2\"},\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";
static const char vector_scrypt[] =
    "{\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{\"iv\":\"83dbcc02d8ccb40e466191a123791e0e\"},"
    "\"ciphertext\":\"d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c\",\"kdf\":\"scrypt\","
    "\"kdfparams\":{\"dklen\":32,\"n\":262144,\"r\":1,\"p\":8,\"salt\":\"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19\"},"
    "\"mac\":\"2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097\"},\"id\":\"3198bc9c-6672-5ab3-d995-4942343ae5b6\",\"version\":3}";
static const char vector_key[] = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
static const struct keystore cheap = { .n = 1024, .r = 8, .p = 1 };

static void opens(const char *json)
{
    struct keystore k;
    struct address a;
    uint8_t secret[32];
    struct fr_err err = { 0 };
    CHECK(keystore_read(json, strlen(json), &k, &err) == FR_OK);
    CHECK(keystore_open(&k, "testpassword", 12, secret, &a, &err) == FR_OK);
    CHECK_TEXT(test_hex(secret, sizeof secret), vector_key);
    CHECK_TEXT(test_hex(a.bytes, sizeof a.bytes), "008aeeda4d805471df9b2a5b0f38a0c3bcba786b");
}

static void test_the_published_vectors(void)
{
    opens(vector_pbkdf2);
    opens(vector_scrypt);
}

static void test_a_wrong_passphrase_is_an_error_and_leaves_nothing(void)
{
    struct keystore k;
    struct address a = { { 9 } };
    uint8_t secret[32];
    struct fr_err err;
    CHECK(keystore_read(vector_pbkdf2, strlen(vector_pbkdf2), &k, &err) == FR_OK);
    memset(secret, 1, sizeof secret);
    CHECK_INT(keystore_open(&k, "testpassworD", 12, secret, &a, &err), FR_E_AUTH);
    CHECK_TEXT(err.code, "passphrase_wrong");
    CHECK(secret[0] == 0 && secret[31] == 0 && a.bytes[0] == 9);
    CHECK_INT(keystore_open(&k, "", 0, secret, &a, &err), FR_E_AUTH);
    k.ciphertext[5] ^= 1;
    CHECK_INT(keystore_open(&k, "testpassword", 12, secret, &a, &err), FR_E_AUTH);
    k.ciphertext[5] ^= 1;
    k.has_address = true;                                // an address that is not the key's
    CHECK_INT(keystore_open(&k, "testpassword", 12, secret, &a, &err), FR_E_CORRUPT);
    CHECK_TEXT(err.code, "keystore_foreign");
}

static void test_what_is_written_is_read(void)
{
    for (int i = 1; i <= 20; i++) {
        FR_AUTO_BUF(out);
        struct keystore k;
        struct address a, want;
        uint8_t secret[32], back[32];
        for (int b = 0; b < 32; b++) secret[b] = (uint8_t)(i * 7 + b * 31);
        if (i == 1) memset(secret, 0, 31);               // leading zeros stay
        fr_buf_init(&out, KEYSTORE_BYTES_MAX);
        CHECK(keystore_make(secret, "päss ☃", strlen("päss ☃"), &cheap, &out, NULL) == FR_OK);
        CHECK(keystore_read(out.data, out.len, &k, NULL) == FR_OK);
        CHECK(k.kdf == KEYSTORE_SCRYPT && k.n == 1024 && k.r == 8 && k.p == 1 && k.salt_len == 32 && k.has_address);
        CHECK(secret_key_address(secret, &want, NULL) == FR_OK && address_equal(&want, &k.address));
        CHECK(keystore_open(&k, "päss ☃", strlen("päss ☃"), back, &a, NULL) == FR_OK);
        CHECK(memcmp(secret, back, 32) == 0 && address_equal(&a, &want));
        CHECK(strstr(out.data, test_hex(secret, 32)) == NULL);
    }
}

static void test_what_cannot_be_made(void)
{
    FR_AUTO_BUF(out);
    uint8_t secret[32] = { 1 }, zero[32] = { 0 };
    struct keystore cost = cheap;
    struct fr_err err;
    fr_buf_init(&out, KEYSTORE_BYTES_MAX);
    CHECK_INT(keystore_make(secret, "", 0, &cheap, &out, &err), FR_E_INVALID);
    CHECK_TEXT(err.code, "passphrase_empty");
    CHECK_INT(keystore_make(zero, "a", 1, &cheap, &out, &err), FR_E_INVALID);
    CHECK_TEXT(err.code, "key_invalid");
    cost.n = 1000;
    CHECK_INT(keystore_make(secret, "a", 1, &cost, &out, &err), FR_E_INVALID);
    cost.n = 1u << 23;
    CHECK_INT(keystore_make(secret, "a", 1, &cost, &out, &err), FR_E_LIMIT);
    CHECK_INT(out.len, 0);
}

// The vector with one piece of its text exchanged.
static enum fr_status read_with(const char *vector, const char *from, const char *to, struct keystore *k, struct fr_err *err)
{
    char text[4096];
    const char *at = strstr(vector, from);
    CHECK(at != NULL);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - vector), vector, to, at + strlen(from));
    return keystore_read(text, strlen(text), k, err);
}

static void test_a_hostile_file_costs_nothing(void)
{
    static const struct { const char *from, *to; enum fr_status want; } changes[] = {
        { "\"n\":262144", "\"n\":4194304", FR_E_LIMIT },             // one step past each: 2^22 * 1 * 8 is twice the time
        { "\"n\":262144", "\"n\":1048576", FR_OK },
        { "\"n\":262144", "\"n\":2147483648", FR_E_LIMIT },
        { "\"n\":262144", "\"n\":4294967296", FR_E_INVALID },
        { "\"n\":262144", "\"n\":262143", FR_E_INVALID },
        { "\"n\":262144", "\"n\":1", FR_E_INVALID },
        { "\"n\":262144", "\"n\":0", FR_E_INVALID },
        { "\"n\":262144", "\"n\":-2", FR_E_INVALID },
        { "\"n\":262144", "\"n\":\"262144\"", FR_E_INVALID },
        { "\"r\":1,\"p\":8", "\"r\":16,\"p\":1", FR_OK },
        { "\"r\":1,\"p\":8", "\"r\":17,\"p\":1", FR_E_LIMIT },
        { "\"r\":1,\"p\":8", "\"r\":16,\"p\":3", FR_E_LIMIT },
        { "\"r\":1,\"p\":8", "\"r\":1,\"p\":32", FR_OK },
        { "\"r\":1,\"p\":8", "\"r\":1,\"p\":33", FR_E_LIMIT },
        { "\"r\":1,\"p\":8", "\"r\":16777216,\"p\":16777216", FR_E_LIMIT },
        { "\"r\":1,\"p\":8", "\"r\":0,\"p\":8", FR_E_INVALID },
        { "\"r\":1,\"p\":8", "\"r\":1,\"p\":0", FR_E_INVALID },
        { "\"dklen\":32", "\"dklen\":31", FR_E_INVALID },
        { "\"dklen\":32", "\"dklen\":33", FR_E_INVALID },
        { "\"dklen\":32", "\"dklen\":2000000000", FR_E_INVALID },
        { "\"version\":3", "\"version\":4", FR_E_INVALID },
        { "\"version\":3", "\"Version\":3", FR_E_INVALID },
        { "aes-128-ctr", "aes-128-cbc", FR_E_INVALID },
        { "\"kdf\":\"scrypt\"", "\"kdf\":\"argon2\"", FR_E_INVALID },
        { "\"mac\":\"21", "\"mac\":\"2", FR_E_INVALID },
        { "\"mac\":\"21", "\"mac\":\"2x", FR_E_INVALID },
        { "\"ciphertext\":\"d1", "\"ciphertext\":\"d1d1", FR_E_INVALID },
        { "\"iv\":\"83", "\"iv\":\"", FR_E_INVALID },
        { "\"salt\":\"ab0", "\"salt\":\"", FR_E_INVALID },
        { "\"version\":3", "\"address\":\"008aeeda4d805471df9b2a5b0f38a0c3bcba786b\",\"version\":3", FR_OK },
        { "\"version\":3", "\"address\":\"0x008aeeda4d805471df9b2a5b0f38a0c3bcba786b\",\"version\":3", FR_OK },
        { "\"version\":3", "\"address\":\"8aeeda4d805471df9b2a5b0f38a0c3bcba786b\",\"version\":3", FR_E_INVALID },
        { "{\"crypto\"", "{\"Crypto\"", FR_OK },
        { "{\"crypto\"", "{\"kryptos\"", FR_E_INVALID },
        { "{\"crypto\"", "[{\"crypto\"", FR_E_INVALID },
    };
    struct keystore k;
    struct fr_err err;
    int64_t from_ms = fr_mono_ms();
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        enum fr_status got = read_with(vector_scrypt, changes[i].from, changes[i].to, &k, &err);
        if (got != changes[i].want) printf("  %s -> %s: %s\n", changes[i].from, changes[i].to, got ? err.text : "read");
        CHECK_INT(got, changes[i].want);
        if (got == FR_E_LIMIT) CHECK_TEXT(err.code, "keystore_costs");
        if (got == FR_E_INVALID) CHECK_TEXT(err.code, "keystore_malformed");
    }
    CHECK_INT(read_with(vector_pbkdf2, "\"c\":262144", "\"c\":4000000", &k, &err), FR_OK);
    CHECK_INT(read_with(vector_pbkdf2, "\"c\":262144", "\"c\":4000001", &k, &err), FR_E_LIMIT);
    CHECK_INT(read_with(vector_pbkdf2, "\"c\":262144", "\"c\":0", &k, &err), FR_E_INVALID);
    CHECK_INT(read_with(vector_pbkdf2, "hmac-sha256", "hmac-sha512", &k, &err), FR_E_INVALID);
    CHECK(fr_mono_ms() - from_ms < 2000);                // nothing was derived
    char *large = calloc(1, KEYSTORE_BYTES_MAX + 2);
    memset(large, ' ', KEYSTORE_BYTES_MAX + 1);
    memcpy(large, vector_scrypt, strlen(vector_scrypt));
    CHECK_INT(keystore_read(large, KEYSTORE_BYTES_MAX, &k, &err), FR_OK);
    CHECK_INT(keystore_read(large, KEYSTORE_BYTES_MAX + 1, &k, &err), FR_E_LIMIT);
    free(large);
}

static void test_memory_that_runs_out(void)
{
    static const uint8_t secret[32] = { 5 };
    int refused = 0;
    for (int nth = 1; nth < 30; nth++) {
        FR_AUTO_BUF(out);
        struct keystore k;
        fr_buf_init(&out, KEYSTORE_BYTES_MAX);
        fr_mem_fail_some(nth, 1);
        enum fr_status read = keystore_read(vector_scrypt, strlen(vector_scrypt), &k, NULL);
        fr_mem_fail_some(nth, 1);
        enum fr_status made = keystore_make(secret, "a", 1, &(struct keystore){ .n = 2, .r = 1, .p = 1 }, &out, NULL);
        fr_mem_fail_some(0, 0);
        CHECK(read == FR_OK || read == FR_E_NOMEM);
        CHECK(made == FR_OK || made == FR_E_NOMEM);
        refused += (read != FR_OK) + (made != FR_OK);
    }
    CHECK(refused > 1);
}

int main(void)
{
    TEST(test_the_published_vectors);
    TEST(test_a_wrong_passphrase_is_an_error_and_leaves_nothing);
    TEST(test_what_is_written_is_read);
    TEST(test_what_cannot_be_made);
    TEST(test_a_hostile_file_costs_nothing);
    TEST(test_memory_that_runs_out);
    return TEST_END();
}
