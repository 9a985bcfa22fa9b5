// signer.h — the port through which everything is signed: `chain_signer {sign}`. Who holds the key stands behind it.
//
// What is asked for are fields, never a hash. Two implementations: signer_local.h (frond-signer, a locked child on this machine) and
// signer_remote.h (Web3Signer's JSON-RPC). They live in chain, beside the port: they know transactions and a loop, and neither ledger
// nor treasury; those that pay (nonce, burn, withdrawal) stand above and see only this.
//
// Loop thread. `done` is called exactly once for each ask that was taken, never from inside sign. What an answer points to is valid during
// the call. A signature is not yet a payment: whoever asked must store the raw bytes before they are sent.
#pragma once
#include "chain/siwe.h"
#include "chain/tx.h"

#define SIGN_DATA_BYTES_MAX (8 * 1024)   // of a transaction's calldata: a sweep of 100 has 3.4 KiB
enum sign_kind { SIGN_A_TX, SIGN_A_PERMIT, SIGN_A_SIWE };
struct sign_permit {                     // ERC-2612; the token's name and version are the signer's own knowledge
    uint64_t chain_id;
    struct address token, spender;
    struct u256 value, nonce;
    uint64_t deadline_s;                 // unix time
};
struct sign_ask {
    enum sign_kind kind;
    struct address from;                 // whose key: one of the signer's addresses
    struct tx tx;                        // SIGN_A_TX; data is the caller's, copied before sign returns
    struct sign_permit permit;           // SIGN_A_PERMIT
    struct siwe siwe;                    // SIGN_A_SIWE: address is `from`
};
struct sign_answer {
    struct signature sig;                // with the lower s
    const uint8_t *raw; size_t raw_len;  // SIGN_A_TX: what eth_sendRawTransaction takes, made of the fields that were asked for
    uint8_t hash[32];                    // its hash
};
// status FR_OK: answer. Else *err: FR_E_DENIED with one of the signer's codes (host/signer/README.md), FR_E_BUSY "signer_lost" (it ended; whether
// it counted the ask is not known), FR_E_TIMEOUT, FR_E_IO.
typedef void sign_done_fn(void *arg, enum fr_status status, const struct sign_answer *answer, const struct fr_err *err);
struct chain_signer {
    // FR_E_BUSY "signer_busy": too many open, or it is not ready; FR_E_LIMIT: too long; FR_E_INVALID: no transaction. Then done is not called.
    FR_MUST_USE enum fr_status (*sign)(struct chain_signer *s, const struct sign_ask *ask, sign_done_fn *done, void *arg, struct fr_err *err);
};
