// siwe_test.c — the message as ERC-4361 writes it, and every way to prove something else.
#include "chain/siwe.h"
#include "base/check.h"

static uint8_t secret[32] = { [31] = 7 };
static const int64_t issued_ms = 1767225600000;                      // 2026-01-01T00:00:00Z

static struct siwe ask(void)
{
    struct siwe s = { .domain = "frond.example:8443", .statement = "Link this wallet to your player.", .uri = "https://frond.example:8443/wallet/", .chain_id = 31337,
                      .nonce = "32891756", .issued_ms = issued_ms, .expires_ms = issued_ms + 600000, .resource = "urn:frond:player:17" };
    CHECK(secret_key_address(secret, &s.address, NULL) == FR_OK);
    return s;
}

static void sign(const struct siwe *s, uint8_t out[SIGNATURE_BYTES])
{
    FR_AUTO_BUF(message);
    struct signature sig;
    uint8_t hash[32];
    fr_buf_init(&message, SIWE_BYTES_MAX);
    CHECK(siwe_print(s, &message, NULL) == FR_OK);
    personal_message_hash(message.data, message.len, hash);
    CHECK(signature_make(secret, hash, &sig, NULL) == FR_OK);
    signature_print(&sig, out);
}

static void test_the_message_of_erc_4361(void)
{
    FR_AUTO_BUF(out);
    struct siwe s = ask();
    fr_buf_init(&out, SIWE_BYTES_MAX);
    CHECK(siwe_print(&s, &out, NULL) == FR_OK);
    CHECK_TEXT(out.data, "frond.example:8443 wants you to sign in with your Ethereum account:\n0xd41c057fd1c78805AAC12B0A94a405c0461A6FBb\n\nLink this wallet to your player.\n\n"
                         "URI: https://frond.example:8443/wallet/\nVersion: 1\nChain ID: 31337\nNonce: 32891756\nIssued At: 2026-01-01T00:00:00Z\n"
                         "Expiration Time: 2026-01-01T00:10:00Z\nResources:\n- urn:frond:player:17");
    s.statement = NULL;
    s.resource = NULL;
    fr_buf_clear(&out);
    CHECK(siwe_print(&s, &out, NULL) == FR_OK);
    CHECK(strstr(out.data, "A6FBb\n\n\nURI: ") && !strstr(out.data, "Resources"));
}

static void test_a_field_cannot_bring_lines_of_its_own(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, SIWE_BYTES_MAX);
    for (int i = 0; i < 10; i++) {
        struct siwe s = ask();
        if (i == 0) s.domain = "a b";
        if (i == 1) s.domain = "evil.example\nURI: x";
        if (i == 2) s.statement = "one\ntwo";
        if (i == 3) s.statement = "";
        if (i == 4) s.uri = "/wallet/";
        if (i == 5) s.nonce = "1234567";
        if (i == 6) s.nonce = "12345678\n";
        if (i == 7) s.expires_ms = s.issued_ms + SIWE_LIFE_MS_MAX + 1;
        if (i == 8) s.resource = "urn:a\n- urn:b";
        if (i == 9) s.address = (struct address){ { 0 } };
        CHECK_INT(siwe_print(&s, &out, NULL), FR_E_INVALID);
        CHECK(out.len == 0);
    }
}

static void test_only_this_wallet_only_this_message_only_now(void)
{
    struct siwe s = ask(), other;
    struct fr_err err;
    uint8_t sig[SIGNATURE_BYTES];
    sign(&s, sig);
    CHECK(siwe_check(&s, sig, issued_ms + 1000, &err) == FR_OK);
    CHECK_INT(siwe_check(&s, sig, s.expires_ms, &err), FR_E_DENIED);
    CHECK_TEXT(err.code, "siwe_expired");
    CHECK_INT(siwe_check(&s, sig, issued_ms - 60001, &err), FR_E_DENIED);
    CHECK_TEXT(err.code, "siwe_not_yet");
    for (int i = 0; i < 5; i++) {
        other = s;
        if (i == 0) other.nonce = "32891757";
        if (i == 1) other.domain = "frond.example:8444";
        if (i == 2) other.chain_id = 1;
        if (i == 3) other.resource = "urn:frond:player:18";
        if (i == 4) other.address.bytes[0] ^= 1;
        CHECK(siwe_check(&other, sig, issued_ms + 1000, &err) != FR_OK);
        CHECK(strcmp(err.code, "siwe_wrong_wallet") == 0 || strcmp(err.code, "signature_invalid") == 0);
    }
    sig[64] = 29;
    CHECK_INT(siwe_check(&s, sig, issued_ms + 1000, &err), FR_E_INVALID);
}

int main(void)
{
    TEST(test_the_message_of_erc_4361);
    TEST(test_a_field_cannot_bring_lines_of_its_own);
    TEST(test_only_this_wallet_only_this_message_only_now);
    return TEST_END();
}
