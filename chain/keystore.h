// keystore.h — a secp256k1 key under a passphrase as JSON: Web3 Secret Storage, version 3, as geth, ethers and others write it. Pure.
//
// Source: "Web3 Secret Storage Definition" (ethereum.org); scrypt RFC 7914, PBKDF2 RFC 8018 with HMAC-SHA256, AES-128-CTR, Keccak-256 as MAC.
// A keystore comes from anywhere: keystore_read looks at all of it and refuses what would take too much memory or time before any work is
// done. keystore_open and keystore_make take up to seconds: off the loop. Key material on the way is wiped before they return.
// A passphrase is bytes; ethers brings text into Unicode's NFKC first, so what is not ASCII has to come here in that form.
#pragma once
#include "base/buf.h"
#include "chain/address.h"
#include "chain/signature.h"

#define KEYSTORE_BYTES_MAX (8 * 1024)            // those of geth and ethers have 500 to 900
#define KEYSTORE_SALT_BYTES_MAX 64
#define KEYSTORE_N_DEFAULT (1u << 18)            // scrypt: 0.8 s and 256 MiB with r 8, as geth's standard
#define KEYSTORE_R_DEFAULT 8
#define KEYSTORE_P_DEFAULT 1
#define KEYSTORE_BLOCKS_MAX (1u << 22)           // n * r: scrypt's memory in 128 bytes, so 512 MiB: twice the default
#define KEYSTORE_WORK_MAX (1u << 23)             // n * r * p: scrypt's time, four times the default
#define KEYSTORE_ROUNDS_MAX 4000000              // of PBKDF2: 2 s; geth's old files have 262144
#define PASSPHRASE_BYTES_MAX 1024

enum keystore_kdf { KEYSTORE_SCRYPT, KEYSTORE_PBKDF2 };
struct keystore {                        // what stands in the file; none of it is secret
    enum keystore_kdf kdf;
    uint32_t n, r, p;                    // of scrypt
    uint32_t rounds;                     // of PBKDF2
    uint8_t salt[KEYSTORE_SALT_BYTES_MAX]; size_t salt_len;
    uint8_t iv[16], ciphertext[SECRET_KEY_BYTES], mac[32];
    bool has_address; struct address address;      // the file's claim; keystore_open proves it
};
// FR_E_INVALID "keystore_malformed": not version 3, not JSON, a member is missing or has no such value; FR_E_LIMIT "keystore_costs": over a bound above.
FR_MUST_USE enum fr_status keystore_read(const char *json, size_t len, struct keystore *ret, struct fr_err *err);
// The key, which is the caller's to wipe, and its address. FR_E_AUTH "passphrase_wrong" (or the file was changed: they look the same);
// FR_E_CORRUPT "keystore_foreign": it opens, but holds no key or another one than its address says. FR_E_NOMEM. `secret` is zeroed on failure.
FR_MUST_USE enum fr_status keystore_open(const struct keystore *k, const void *passphrase, size_t len, uint8_t secret[SECRET_KEY_BYTES],
                                         struct address *ret, struct fr_err *err);
// Appends the file's text for this key, with fresh salt, IV and id. cost NULL: the defaults; only n, r and p of it are used.
// FR_E_INVALID: no key, an empty passphrase, or a cost that keystore_read would refuse.
FR_MUST_USE enum fr_status keystore_make(const uint8_t secret[SECRET_KEY_BYTES], const void *passphrase, size_t len, const struct keystore *cost,
                                         struct fr_buf *out, struct fr_err *err);
