// signature.h — ECDSA over secp256k1 with a recoverable key, as Ethereum signs. Pure; the one gate to libsecp256k1 besides the signer.
//
// Signing is deterministic (RFC 6979) and gives the lower s (EIP-2). Recovering refuses the higher s: it is the same signature's twin, and
// taking both would give one permission two forms.
#pragma once
#include "base/err.h"
#include "chain/address.h"
#include "chain/u256.h"

#define SIGNATURE_BYTES 65               // r, s, v with v 27 or 28: as wallets print it
#define SECRET_KEY_BYTES 32
struct signature { uint8_t r[32], s[32]; int y_parity; };      // y_parity 0 or 1

// The secret must be in 1..n-1: FR_E_INVALID "key_invalid".
FR_MUST_USE enum fr_status secret_key_address(const uint8_t secret[SECRET_KEY_BYTES], struct address *ret, struct fr_err *err);
FR_MUST_USE enum fr_status signature_make(const uint8_t secret[SECRET_KEY_BYTES], const uint8_t hash[32], struct signature *ret, struct fr_err *err);
// Who signed this hash. FR_E_INVALID "signature_invalid": no such point, r or s out of range, or the higher s.
FR_MUST_USE enum fr_status signature_signer(const struct signature *sig, const uint8_t hash[32], struct address *ret, struct fr_err *err);
// 65 bytes; v may be 0, 1, 27 or 28.
FR_MUST_USE enum fr_status signature_read(const uint8_t bytes[SIGNATURE_BYTES], struct signature *ret, struct fr_err *err);
void signature_print(const struct signature *sig, uint8_t out[SIGNATURE_BYTES]);
// EIP-191 version 0x45: what a wallet signs for a text ("\x19Ethereum Signed Message:\n", its length in bytes, the text).
void personal_message_hash(const void *text, size_t len, uint8_t out[32]);
