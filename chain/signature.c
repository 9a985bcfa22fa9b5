#include "chain/signature.h"
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include "base/hash.h"
#include "chain/keccak.h"

static secp256k1_context *context;
static pthread_once_t context_once = PTHREAD_ONCE_INIT;

static void context_make(void)
{
    uint8_t seed[32];
    context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
    fr_random_bytes(seed, sizeof seed);
    bool blinded = context && secp256k1_context_randomize(context, seed);      // against what leaks through time and power
    assert(blinded);
}

static const secp256k1_context *context_get(void)
{
    pthread_once(&context_once, context_make);
    return context;
}

static struct address public_key_address(const secp256k1_pubkey *key)
{
    uint8_t bytes[65];
    size_t len = sizeof bytes;
    secp256k1_ec_pubkey_serialize(context_get(), bytes, &len, key, SECP256K1_EC_UNCOMPRESSED);
    assert(len == 65);
    return address_of_public_key(bytes + 1);
}

enum fr_status secret_key_address(const uint8_t secret[SECRET_KEY_BYTES], struct address *ret, struct fr_err *err)
{
    secp256k1_pubkey key;
    if (!secp256k1_ec_pubkey_create(context_get(), &key, secret)) return FR_FAIL_CODE(err, FR_E_INVALID, "key_invalid", "the key is not one of secp256k1");
    *ret = public_key_address(&key);
    return FR_OK;
}

enum fr_status signature_make(const uint8_t secret[SECRET_KEY_BYTES], const uint8_t hash[32], struct signature *ret, struct fr_err *err)
{
    secp256k1_ecdsa_recoverable_signature made;
    uint8_t compact[64];
    int parity;
    if (!secp256k1_ecdsa_sign_recoverable(context_get(), &made, hash, secret, NULL, NULL))
        return FR_FAIL_CODE(err, FR_E_INVALID, "key_invalid", "the key is not one of secp256k1");
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context_get(), compact, &parity, &made);
    assert(parity == 0 || parity == 1);      // 2 and 3 mean r past the order: one in 2^127
    memcpy(ret->r, compact, 32);
    memcpy(ret->s, compact + 32, 32);
    ret->y_parity = parity;
    return FR_OK;
}

enum fr_status signature_signer(const struct signature *sig, const uint8_t hash[32], struct address *ret, struct fr_err *err)
{
    secp256k1_ecdsa_recoverable_signature parsed;
    secp256k1_ecdsa_signature plain;
    secp256k1_pubkey key;
    uint8_t compact[64];
    memcpy(compact, sig->r, 32);
    memcpy(compact + 32, sig->s, 32);
    if ((sig->y_parity != 0 && sig->y_parity != 1) || !secp256k1_ecdsa_recoverable_signature_parse_compact(context_get(), &parsed, compact, sig->y_parity))
        return FR_FAIL_CODE(err, FR_E_INVALID, "signature_invalid", "it is not a signature of secp256k1");
    secp256k1_ecdsa_recoverable_signature_convert(context_get(), &plain, &parsed);
    if (secp256k1_ecdsa_signature_normalize(context_get(), NULL, &plain))
        return FR_FAIL_CODE(err, FR_E_INVALID, "signature_invalid", "the signature has the higher s (EIP-2)");
    if (!secp256k1_ecdsa_recover(context_get(), &key, &parsed, hash)) return FR_FAIL_CODE(err, FR_E_INVALID, "signature_invalid", "no key gives this signature");
    *ret = public_key_address(&key);
    return FR_OK;
}

enum fr_status signature_read(const uint8_t bytes[SIGNATURE_BYTES], struct signature *ret, struct fr_err *err)
{
    int v = bytes[64];
    if (v >= 27) v -= 27;
    if (v > 1) return FR_FAIL_CODE(err, FR_E_INVALID, "signature_invalid", "its last byte is %d, not 0, 1, 27 or 28", bytes[64]);
    memcpy(ret->r, bytes, 32);
    memcpy(ret->s, bytes + 32, 32);
    ret->y_parity = v;
    return FR_OK;
}

void signature_print(const struct signature *sig, uint8_t out[SIGNATURE_BYTES])
{
    memcpy(out, sig->r, 32);
    memcpy(out + 32, sig->s, 32);
    out[64] = (uint8_t)(27 + sig->y_parity);
}

void personal_message_hash(const void *text, size_t len, uint8_t out[32])
{
    char prefix[64];
    struct keccak k;
    int n = snprintf(prefix, sizeof prefix, "\x19" "Ethereum Signed Message:\n%zu", len);
    keccak_init(&k);
    keccak_add(&k, prefix, (size_t)n);
    keccak_add(&k, text, len);
    keccak_end(&k, out);
}
