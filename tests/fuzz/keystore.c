// keystore: the files and answers that come from elsewhere to keys: keystores, a signer's policy, a remote signer's answers.
#include "base/hex.h"
#include "chain/keccak.h"
#include "chain/keystore.h"
#include "chain/signer_remote.h"
#include "signer/policy.h"
#include "fuzz.h"

static void keystore(const char *text, size_t len)
{
    struct keystore k;
    struct fr_err err = { 0 };
    enum fr_status st = keystore_read(text, len, &k, &err);
    HOLDS(st == FR_OK || (st == FR_E_INVALID && strcmp(err.code, "keystore_malformed") == 0) || (st == FR_E_LIMIT && strcmp(err.code, "keystore_costs") == 0));
    if (st != FR_OK) return;
    HOLDS(k.salt_len >= 1 && k.salt_len <= KEYSTORE_SALT_BYTES_MAX);
    if (k.kdf == KEYSTORE_PBKDF2) HOLDS(k.rounds >= 1 && k.rounds <= KEYSTORE_ROUNDS_MAX);
    else HOLDS(k.n >= 2 && (k.n & (k.n - 1)) == 0 && k.r >= 1 && k.p >= 1 && (uint64_t)k.n * k.r <= KEYSTORE_BLOCKS_MAX && (double)k.n * k.r * k.p <= KEYSTORE_WORK_MAX);
    if (k.kdf != KEYSTORE_SCRYPT || (uint64_t)k.n * k.r * k.p > 4096) return;
    uint8_t secret[SECRET_KEY_BYTES];
    struct address a;
    st = keystore_open(&k, "a", 1, secret, &a, &err);
    HOLDS(st == FR_OK || st == FR_E_AUTH || st == FR_E_CORRUPT);
    for (size_t i = 0; st != FR_OK && i < sizeof secret; i++) HOLDS(secret[i] == 0);
}

static void policy(const char *text, size_t len)
{
    static struct policy p;
    struct fr_err err = { 0 };
    enum fr_status st = policy_read(text, len, &p, &err);
    HOLDS(st == FR_OK || (st == FR_E_INVALID && strcmp(err.code, "policy") == 0));
    HOLDS(p.token_count <= POLICY_TOKENS_MAX && p.burn_count <= POLICY_BURNS_MAX && p.sweep_count <= POLICY_SWEEPS_MAX && p.domain_count <= SIGNER_LIST_MAX);
    HOLDS(st == FR_OK || (p.token_count == 0 && p.chain_id == 0 && p.gas_limit == 0));           // a refused policy allows nothing
}

// What is believed is the transaction that was asked for, whatever stands around it.
static void answer(const char *text, size_t len)
{
    static uint8_t raw[TX_BYTES_MAX];
    static const uint8_t secret[SECRET_KEY_BYTES] = { [31] = 1 }, data[] = { 1, 2 };
    struct sign_ask ask = { .kind = SIGN_A_TX, .tx = { .kind = TX_FEE_MARKET, .chain_id = 1, .nonce = 3, .gas_limit = 4, .max_fee = u256_of(5), .max_tip = u256_of(1), .data = data, .data_len = sizeof data } };
    struct sign_answer a;
    struct signature sig;
    struct tx back;
    struct address who;
    struct fr_err err = { 0 };
    uint8_t hash[32];
    HOLDS(secret_key_address(secret, &ask.from, NULL) == FR_OK);
    enum fr_status st = remote_answer_read(&ask, 1, text, len, raw, &a, &err);
    HOLDS(st == FR_OK || st == FR_E_DENIED || st == FR_E_INTERNAL);
    if (st != FR_OK) return;
    HOLDS(tx_signing_hash(&ask.tx, hash, NULL) == FR_OK && signature_signer(&a.sig, hash, &who, NULL) == FR_OK && address_equal(&who, &ask.from));
    HOLDS(tx_read(a.raw, a.raw_len, &back, &sig, &who, NULL) == FR_OK && back.nonce == 3 && back.data_len == sizeof data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)    // which (1 byte), then a text
{
    struct fuzz_in in = { bytes, size };
    uint8_t which = fuzz_byte(&in) % 3;
    char *text = malloc(in.left ? in.left : 1);
    if (in.left) memcpy(text, in.at, in.left);
    if (which == 0) keystore(text, in.left);
    else if (which == 1) policy(text, in.left);
    else answer(text, in.left);
    free(text);
    return 0;
}
