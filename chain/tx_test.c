// tx_test.c — the example of EIP-155 byte for byte, both kinds there and back, and bytes that were tampered with.
#include "chain/tx.h"
#include "base/check.h"
#include "chain/keccak.h"
#include "chain/test_hex.h"

static uint8_t secret[32];
static uint8_t raw[TX_BYTES_MAX];
static size_t raw_len;

static struct tx eip155(void)
{
    struct tx t = { .kind = TX_LEGACY, .chain_id = 1, .nonce = 9, .gas_limit = 21000, .max_fee = u256_of(20000000000ULL), .value = u256_of(1000000000000000000ULL), .data = (const uint8_t *)"" };
    memset(t.to.bytes, 0x35, ADDRESS_BYTES);
    memset(secret, 0x46, sizeof secret);
    return t;
}

static void sign(const struct tx *t, struct signature *sig)
{
    uint8_t hash[32];
    CHECK(tx_signing_hash(t, hash, NULL) == FR_OK);
    CHECK(signature_make(secret, hash, sig, NULL) == FR_OK);
    CHECK(tx_raw(t, sig, raw, sizeof raw, &raw_len, hash, NULL) == FR_OK);
}

static void test_the_example_of_eip_155(void)
{
    struct tx t = eip155();
    struct signature sig;
    uint8_t hash[32];
    CHECK(tx_signing_hash(&t, hash, NULL) == FR_OK);
    CHECK_TEXT(test_hex(hash, 32), "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53");
    sign(&t, &sig);
    CHECK_TEXT(test_hex(raw, raw_len), "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276"
                                       "a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83");
}

static void test_both_kinds_come_back_as_they_were(void)
{
    for (int kind = TX_LEGACY; kind <= TX_FEE_MARKET; kind++) {
        for (int creates = 0; creates < 2; creates++) {
            struct tx t = eip155(), back;
            struct signature sig, sig_back;
            struct address from, want;
            uint8_t data[300] = { 1, 2, 3 };
            t.kind = kind;
            t.chain_id = 31337;
            t.max_tip = u256_of(kind == TX_LEGACY ? 0 : 1000000000);
            t.creates = creates;
            t.nonce = 0;
            t.value = u256_of(0);
            t.data = data;
            t.data_len = sizeof data;
            sign(&t, &sig);
            CHECK(secret_key_address(secret, &want, NULL) == FR_OK);
            CHECK(tx_read(raw, raw_len, &back, &sig_back, &from, NULL) == FR_OK);
            CHECK(address_equal(&from, &want));
            CHECK(back.kind == t.kind && back.chain_id == t.chain_id && back.nonce == 0 && back.gas_limit == t.gas_limit && back.creates == t.creates);
            CHECK(u256_compare(back.max_fee, t.max_fee) == 0 && u256_compare(back.max_tip, t.max_tip) == 0 && u256_is_zero(back.value));
            CHECK(creates || address_equal(&back.to, &t.to));
            CHECK(back.data_len == sizeof data && memcmp(back.data, data, sizeof data) == 0);
            CHECK(memcmp(&sig, &sig_back, sizeof sig) == 0);
        }
    }
}

static void test_no_changed_byte_keeps_the_signer(void)
{
    struct tx t = eip155(), back;
    struct signature sig;
    struct address from, want;
    t.kind = TX_FEE_MARKET;
    sign(&t, &sig);
    CHECK(secret_key_address(secret, &want, NULL) == FR_OK);
    for (size_t i = 0; i < raw_len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            raw[i] ^= (uint8_t)(1 << bit);
            bool taken = tx_read(raw, raw_len, &back, &sig, &from, NULL) == FR_OK && address_equal(&from, &want);
            CHECK(!taken);
            raw[i] ^= (uint8_t)(1 << bit);
        }
    }
    for (size_t len = 0; len < raw_len; len++) CHECK(tx_read(raw, len, &back, &sig, &from, NULL) != FR_OK);
}

static void test_the_higher_s_is_refused(void)
{
    static const char order[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    uint8_t n[32], hash[32] = { 5 };
    struct u256 high;
    struct signature sig;
    struct address from, want;
    struct fr_err err;
    memset(secret, 0x46, sizeof secret);
    test_bytes(order, n, sizeof n);
    CHECK(secret_key_address(secret, &want, NULL) == FR_OK);
    CHECK(signature_make(secret, hash, &sig, NULL) == FR_OK);
    CHECK(signature_signer(&sig, hash, &from, NULL) == FR_OK && address_equal(&from, &want));
    CHECK(u256_sub(u256_from_bytes(n), u256_from_bytes(sig.s), &high));
    u256_to_bytes(high, sig.s);
    sig.y_parity ^= 1;                                   // the twin: the same signer, were it taken
    CHECK_INT(signature_signer(&sig, hash, &from, &err), FR_E_INVALID);
    CHECK_TEXT(err.code, "signature_invalid");
    memset(sig.s, 0, sizeof sig.s);
    CHECK_INT(signature_signer(&sig, hash, &from, &err), FR_E_INVALID);
    CHECK_INT(secret_key_address(n, &from, &err), FR_E_INVALID);       // the order itself is no key
    CHECK_INT(signature_make((const uint8_t[32]){ 0 }, hash, &sig, &err), FR_E_INVALID);
}

static void test_the_hash_of_a_personal_message(void)
{
    uint8_t hash[32];
    personal_message_hash("hello world", 11, hash);
    CHECK_TEXT(test_hex(hash, 32), "d9eba16ed0ecae432b71fe008c98cc872bb4cc214d3220a36f365326cf807d68");
}

static void test_bounds(void)
{
    struct tx t = eip155();
    static uint8_t data[TX_BYTES_MAX];
    uint8_t hash[32];
    t.data = data;
    t.data_len = sizeof data;
    CHECK_INT(tx_signing_hash(&t, hash, NULL), FR_E_LIMIT);
    t.data_len = 10;
    t.chain_id = 0;
    CHECK_INT(tx_signing_hash(&t, hash, NULL), FR_E_INVALID);          // valid on every chain: never ours
}

// Signed for chain 0 by its own bytes: what cannot be written cannot be read either.
static void test_a_transaction_for_chain_zero_is_malformed(void)
{
    static const char hex[] = "02f8648003010582520894222222222222222222222222222222222222222207820102c001a043ab1fc2f36ba1a77acab2ebf6c2f111630969c9d98fc1c519c8003e61768e44a0"
                              "4d05a89d9d6683bbbb7dd8d8d945826b2d59739d41fe2d955c6e6b2581f20090";
    uint8_t bytes[(sizeof hex - 1) / 2];
    struct tx t;
    struct signature sig;
    struct address from;
    struct fr_err err;
    CHECK(fr_unhex(hex, sizeof hex - 1, bytes, sizeof bytes));
    CHECK_INT(tx_read(bytes, sizeof bytes, &t, &sig, &from, &err), FR_E_INVALID);
    CHECK_TEXT(err.code, "tx_malformed");
}

int main(void)
{
    TEST(test_the_example_of_eip_155);
    TEST(test_both_kinds_come_back_as_they_were);
    TEST(test_no_changed_byte_keeps_the_signer);
    TEST(test_the_higher_s_is_refused);
    TEST(test_the_hash_of_a_personal_message);
    TEST(test_bounds);
    TEST(test_a_transaction_for_chain_zero_is_malformed);
    return TEST_END();
}
