// fairness_test.c — commitments bind, reveals are checked, the key is what fairness.h says.
#include "play/fairness.h"
#include "base/check.h"
#include "base/hex.h"

static void commit_of(const char *seed_hex, char out[SEED_HEX_BYTES])
{
    uint8_t bytes[SEED_BYTES], digest[SHA256_BYTES];
    fr_unhex(seed_hex, 64, bytes, sizeof bytes);
    fr_sha256(bytes, sizeof bytes, digest);
    fr_hex(digest, sizeof digest, out);
}

static const char *const seed_a = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
static const char *const seed_b = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

static void test_a_reveal_must_match_its_commitment(void)
{
    struct fairness f;
    struct fr_err err;
    char commit[SEED_HEX_BYTES];
    commit_of(seed_a, commit);
    fairness_draw(&f, 2);
    CHECK(fairness_complete(&f));
    CHECK(fairness_commit(&f, 1, commit, &err) == FR_OK);
    CHECK(!fairness_complete(&f));
    CHECK(fairness_reveal(&f, 1, seed_b, &err) == FR_E_INVALID);
    CHECK_TEXT(err.code, "seed_wrong");
    CHECK(fairness_reveal(&f, 2, seed_b, &err) == FR_E_CONFLICT);
    CHECK_TEXT(err.code, "seed_not_asked");
    CHECK(fairness_reveal(&f, 1, "zz", &err) == FR_E_INVALID);
    CHECK(fairness_reveal(&f, 1, seed_a, &err) == FR_OK);
    CHECK(fairness_complete(&f));
}

static void test_the_key_is_the_documented_hmac(void)
{
    struct fairness f = { .seats = 2 };
    struct fr_err err;
    char commit[SEED_HEX_BYTES];
    for (int i = 0; i < SEED_BYTES; i++) f.host_seed[i] = (uint8_t)i;
    commit_of(seed_a, commit);
    CHECK(fairness_commit(&f, 1, commit, &err) == FR_OK && fairness_reveal(&f, 1, seed_a, &err) == FR_OK);
    uint8_t key[SHA256_BYTES], want[SHA256_BYTES], message[3 + 1 + 1 + 32 + 1];
    memcpy(message, "m-1\0\x20", 5);
    fr_unhex(seed_a, 64, message + 5, 32);
    message[37] = 0;                                   // seat 2 gave no seed
    fr_hmac_sha256(f.host_seed, sizeof f.host_seed, message, sizeof message, want);
    fairness_key(&f, "m-1", key);
    CHECK(memcmp(key, want, sizeof key) == 0);
}

static void test_a_secret_print_reads_back_and_a_public_one_hides_the_seed(void)
{
    struct fairness f, back;
    struct fr_err err;
    char commit[SEED_HEX_BYTES], hex[SEED_HEX_BYTES];
    commit_of(seed_b, commit);
    fairness_draw(&f, 3);
    CHECK(fairness_commit(&f, 2, commit, &err) == FR_OK && fairness_reveal(&f, 2, seed_b, &err) == FR_OK);
    FR_AUTO_BUF(secret); FR_AUTO_BUF(open);
    fr_buf_init(&secret, 8192);
    fr_buf_init(&open, 8192);
    fairness_print(&f, true, &secret);
    fairness_print(&f, false, &open);
    CHECK(strstr(open.data, fr_hex(f.host_seed, SEED_BYTES, hex)) == NULL);
    FR_AUTO(fr_json) json = NULL;
    CHECK(fr_json_parse(secret.data, secret.len, &json, &err) == FR_OK);
    CHECK(fairness_read(json, 3, &back, &err) == FR_OK);
    CHECK(memcmp(back.host_seed, f.host_seed, SEED_BYTES) == 0);
    CHECK_TEXT(back.seat[1].seed, seed_b);
}

static void test_a_changed_host_seed_is_noticed(void)
{
    struct fairness f, back;
    struct fr_err err;
    fairness_draw(&f, 1);
    f.host_seed[0] ^= 1;
    FR_AUTO_BUF(secret);
    fr_buf_init(&secret, 8192);
    fairness_print(&f, true, &secret);
    FR_AUTO(fr_json) json = NULL;
    CHECK(fr_json_parse(secret.data, secret.len, &json, &err) == FR_OK);
    CHECK(fairness_read(json, 1, &back, &err) == FR_E_CORRUPT);
}

int main(void)
{
    TEST(test_a_reveal_must_match_its_commitment);
    TEST(test_the_key_is_the_documented_hmac);
    TEST(test_a_secret_print_reads_back_and_a_public_one_hides_the_seed);
    TEST(test_a_changed_host_seed_is_noticed);
    return TEST_END();
}
