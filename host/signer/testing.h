// testing.h — for the tests of this folder: a policy, asks of every kind, a signer without a process.
#pragma once
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "chain/abi.h"
#include "signer/sign.h"

#define TEST_NOW_MS 1900000000000LL      // some noon
#define TOKEN "0x1111111111111111111111111111111111111111"
#define BURN "0x2222222222222222222222222222222222222222"
#define FACTORY "0x3333333333333333333333333333333333333333"
#define PAYEE "0x4444444444444444444444444444444444444444"
#define OTHER "0x5555555555555555555555555555555555555555"
#define OPEN_TOKEN "0x6666666666666666666666666666666666666666"
#define PAYOUT "0x7777777777777777777777777777777777777777"

static const char test_policy[] =
    "{\"chain_id\":\"31337\",\"gas\":{\"limit\":\"300000\",\"max_fee\":\"100\",\"max_tip\":\"10\",\"day\":\"200000000\"},"
    "\"ether\":{\"to\":[\"" PAYEE "\"],\"each\":\"50\",\"day\":\"120\"},"
    "\"tokens\":[{\"address\":\"" TOKEN "\",\"to\":[\"" PAYEE "\"],\"spenders\":[\"" BURN "\"],\"each\":\"1000\",\"day\":\"2500\",\"permit\":{\"name\":\"Palm\",\"version\":\"1\"}},"
    "{\"address\":\"" OPEN_TOKEN "\",\"to\":\"any\",\"each\":\"7\",\"day\":\"14\"}],"
    "\"burn\":[{\"address\":\"" BURN "\",\"each\":\"500\",\"day\":\"900\"}],"
    "\"payout\":[{\"address\":\"" PAYOUT "\",\"token\":\"" TOKEN "\",\"each\":\"600\",\"day\":\"1000\"}],"
    "\"sweep\":[{\"address\":\"" FACTORY "\",\"tokens\":[\"" TOKEN "\"]}],\"siwe\":[\"frond.example\"]}";

static inline struct address test_address(const char *text)
{
    struct address a;
    enum fr_status status = address_parse(text, &a, NULL);
    assert(status == FR_OK);
    return a;
}

static struct fr_buf test_data;          // the last call's calldata

static inline struct sign_ask test_ask(const struct address *from, const char *to)
{
    struct sign_ask a = { .kind = SIGN_A_TX, .from = *from };
    a.tx = (struct tx){ .kind = TX_FEE_MARKET, .chain_id = 31337, .nonce = 1, .gas_limit = 100000, .max_fee = u256_of(100), .max_tip = u256_of(10), .to = test_address(to), .data = (const uint8_t *)"" };
    return a;
}

static inline struct abi_out test_begin(const char *signature, int words)
{
    struct abi_out out;
    fr_buf_free(&test_data);
    fr_buf_init(&test_data, 65536);
    abi_begin(&out, &test_data, signature, words);
    return out;
}

static inline void test_end(struct abi_out *out, struct sign_ask *a)
{
    enum fr_status status = abi_end(out, NULL);
    assert(status == FR_OK);
    a->tx.data = (const uint8_t *)test_data.data;
    a->tx.data_len = test_data.len;
}

// "transfer(address,uint256)" and "approve(address,uint256)".
static inline struct sign_ask test_pay(const struct address *from, const char *signature, const char *token, const char *who, uint64_t amount)
{
    struct sign_ask a = test_ask(from, token);
    struct abi_out out = test_begin(signature, 2);
    struct address to = test_address(who);
    abi_put_address(&out, &to);
    abi_put_u256(&out, u256_of(amount));
    test_end(&out, &a);
    return a;
}

static inline struct sign_ask test_burn(const struct address *from, uint64_t amount)
{
    static const uint8_t id[32] = { 1 }, root[32] = { 2 };
    struct sign_ask a = test_ask(from, BURN);
    struct abi_out out = test_begin("burn(bytes32,uint256,bytes32)", 3);
    abi_put_word(&out, id);
    abi_put_u256(&out, u256_of(amount));
    abi_put_word(&out, root);
    test_end(&out, &a);
    return a;
}

static inline struct sign_ask test_sweep(const struct address *from, const char *token, size_t count)
{
    static const uint8_t salts[200][ABI_WORD_BYTES];
    struct sign_ask a = test_ask(from, FACTORY);
    struct abi_out out = test_begin("sweep(address,bytes32[])", 2);
    struct address at = test_address(token);
    abi_put_address(&out, &at);
    abi_put_words(&out, salts, count);
    test_end(&out, &a);
    return a;
}

// `count` payments to 0x...01, 0x...02, ..., each of `amount`.
static inline struct sign_ask test_payout(const struct address *from, size_t count, uint64_t amount)
{
    static uint8_t ids[200][ABI_WORD_BYTES], to[200][ABI_WORD_BYTES], amounts[200][ABI_WORD_BYTES];
    struct sign_ask a = test_ask(from, PAYOUT);
    struct abi_out out = test_begin("pay(bytes32[],address[],uint256[])", 3);
    assert(count <= 200);
    for (size_t i = 0; i < count; i++) {
        ids[i][0] = to[i][31] = (uint8_t)(i + 1);
        u256_to_bytes(u256_of(amount), amounts[i]);
    }
    abi_put_words(&out, ids, count);
    abi_put_words(&out, to, count);
    abi_put_words(&out, amounts, count);
    test_end(&out, &a);
    return a;
}

static inline struct sign_ask test_permit(const struct address *from, const char *token, const char *spender, uint64_t amount)
{
    struct sign_ask a = { .kind = SIGN_A_PERMIT, .from = *from };
    a.permit = (struct sign_permit){ .chain_id = 31337, .token = test_address(token), .spender = test_address(spender), .value = u256_of(amount), .deadline_s = TEST_NOW_MS / 1000 + 600 };
    return a;
}

static inline struct sign_ask test_siwe(const struct address *from)
{
    struct sign_ask a = { .kind = SIGN_A_SIWE, .from = *from };
    a.siwe = (struct siwe){ .domain = "frond.example", .address = *from, .uri = "https://frond.example/wallet/", .chain_id = 31337, .nonce = "abcdefgh", .issued_ms = TEST_NOW_MS, .expires_ms = TEST_NOW_MS + 60000 };
    return a;
}

// An empty file that has no name any more.
static inline int test_file(void)
{
    char path[] = "/tmp/frond-tally-XXXXXX";
    int fd = mkstemp(path);
    assert(fd >= 0);
    unlink(path);
    return fd;
}

static inline void test_signer(struct signer *s, int tally_fd, int keys)
{
    memset(s, 0, sizeof *s);
    struct fr_err err;
    enum fr_status status = policy_read(test_policy, sizeof test_policy - 1, &s->policy, &err);
    if (status == FR_OK) status = tally_open(tally_fd, &s->tally, &err);
    if (status == FR_OK) status = fr_secret_new(SIGNER_KEYS_MAX * SECRET_KEY_BYTES, &s->secrets, &err);
    if (status != FR_OK) printf("  %s\n", err.text);
    assert(status == FR_OK);
    for (s->key_count = 0; s->key_count < keys; s->key_count++) {
        uint8_t *secret = fr_secret_bytes(s->secrets) + s->key_count * SECRET_KEY_BYTES;
        memset(secret, 0x40 + s->key_count, SECRET_KEY_BYTES);
        status = secret_key_address(secret, &s->addresses[s->key_count], NULL);
        assert(status == FR_OK);
    }
}

static inline void test_signer_end(struct signer *s)
{
    tally_free(s->tally);
    fr_secret_free(s->secrets);
    fr_buf_free(&test_data);
}
