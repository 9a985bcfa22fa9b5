// tx.h — Ethereum transactions as bytes: EIP-1559 (type 2) and legacy with EIP-155's chain id. Pure.
//
// What is signed, what is sent, and what was stored and is read again. Access lists are written empty and refused when read: nothing of ours has one.
#pragma once
#include "chain/address.h"
#include "chain/rlp.h"
#include "chain/signature.h"

#define TX_BYTES_MAX (64 * 1024)         // of one raw transaction: a batch of burns has 300 bytes, a contract's code 20 KiB
enum tx_kind { TX_LEGACY, TX_FEE_MARKET };
struct tx {
    enum tx_kind kind;
    uint64_t chain_id, nonce, gas_limit;
    struct u256 max_fee, max_tip;        // wei per gas; a legacy transaction's gas price is max_fee, and max_tip is 0
    bool creates;                        // no receiver: `data` is a contract's init code
    struct address to;
    struct u256 value;                   // wei
    const uint8_t *data; size_t data_len;      // the caller's
};
// The hash that is to be signed. FR_E_LIMIT: over TX_BYTES_MAX.
FR_MUST_USE enum fr_status tx_signing_hash(const struct tx *t, uint8_t out[32], struct fr_err *err);
// Raw bytes for eth_sendRawTransaction, and the transaction's hash. `cap` TX_BYTES_MAX always fits what tx_signing_hash took.
FR_MUST_USE enum fr_status tx_raw(const struct tx *t, const struct signature *sig, uint8_t *out, size_t cap, size_t *len, uint8_t hash[32], struct fr_err *err);
// Back from raw bytes: ret->data points into them; *from is who signed. FR_E_INVALID "rlp_malformed", "tx_malformed" or "signature_invalid"; FR_E_LIMIT.
FR_MUST_USE enum fr_status tx_read(const uint8_t *raw, size_t len, struct tx *ret, struct signature *sig, struct address *from, struct fr_err *err);
