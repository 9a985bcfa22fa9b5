// rpc.h — JSON-RPC 2.0 as Ethereum nodes speak it: requests written, answers read. Pure: no network, no clock, nothing remembered.
//
// Every byte of an answer is hostile. Refused as a whole (FR_E_INVALID "rpc_malformed"): what is no strict JSON (duplicate keys, depth, size: base/json), no
// object or array as the request was, ids that were not asked for or come twice, answers that are missing, "jsonrpc" other than "2.0", both a result and
// an error, neither of them, an error without a whole number and a text. Members that are not named by the specification are ignored: providers add some.
// Sources: jsonrpc.org/specification; the execution API (ethereum.github.io/execution-apis) for quantities, data and objects.
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "chain/address.h"
#include "chain/u256.h"

struct rpc_call { const char *method, *params; };        // params: a JSON array as text; NULL: []

// One object, or an array when count > 1. Ids are first_id, first_id + 1, ... and stay under 2^53. The buffer remembers failure.
void rpc_write(struct fr_buf *out, const struct rpc_call *calls, int count, uint64_t first_id);

// What a node's error means, whatever its client calls it. Codes say little (-32000 stands for most), so texts decide: see rpc_fault_of.
enum rpc_fault {
    RPC_FINE,
    // a transaction that was sent
    RPC_ALREADY_KNOWN,             // it is in the pool, or in a block: sending it again did no harm
    RPC_NONCE_TOO_LOW,             // a transaction with this nonce was mined: look at the receipts of all attempts
    RPC_NONCE_TOO_HIGH,            // a gap in front of it, which this node does not take
    RPC_REPLACEMENT_UNDERPRICED,   // another one with this nonce waits, and this one does not pay 10% more
    RPC_UNDERPRICED,               // under the node's least price or tip
    RPC_FEE_UNDER_BASE,            // max fee under the block's base fee
    RPC_TIP_OVER_FEE,
    RPC_FEE_OVER_CAP,              // the node's own limit on what a transaction may cost
    RPC_FUNDS,                     // the sender cannot pay gas and value
    RPC_INTRINSIC_GAS,             // gas limit under what the bytes alone cost
    RPC_GAS_LIMIT,                 // gas limit over a block's, or over what the node allows
    RPC_POOL_FULL,
    RPC_TX_INVALID,                // type, chain id, signature, size or encoding
    // reading
    RPC_REVERTED,
    RPC_LOGS_RANGE,                // too many blocks or results: ask for fewer
    RPC_BLOCK_UNKNOWN,             // not there, or not there yet
    RPC_STATE_GONE,                // pruned: an archive node would know
    // the endpoint: another one may do better
    RPC_METHOD,                    // it does not have this method
    RPC_RATE,                      // asked too often
    RPC_TIMEOUT,
    RPC_INTERNAL,
    // the rest
    RPC_PARAMS,                    // what we sent is wrong
    RPC_OTHER,
    RPC_FAULTS
};
const char *rpc_fault_name(enum rpc_fault f);            // "nonce_too_low"; stable
enum rpc_fault rpc_fault_of(int64_t code, const char *text);
// Another endpoint might answer where this one did not.
bool rpc_fault_is_the_endpoints(enum rpc_fault f);

struct rpc_answer {
    const struct fr_json *result;          // NULL with a fault; a JSON null is a result
    enum rpc_fault fault;
    int64_t code;                          // the node's
    char text[RPC_TEXT_BYTES_MAX + 1];     // the node's, printable ASCII alone: may hold what was sent, so the caller takes secrets out
    const char *data;                      // of an error, when it is a text: revert data in hex, unchecked; NULL: none
};
struct rpc_answers {
    struct fr_json *roots[RPC_BATCH_MAX];
    int root_count;
    bool refused_whole;                    // one error for the whole batch: every answer holds it
    struct rpc_answer at[RPC_BATCH_MAX];
    int count;
};
// *ret is to be freed. FR_E_INVALID "rpc_malformed", FR_E_LIMIT, FR_E_NOMEM.
FR_MUST_USE enum fr_status rpc_read(const char *bytes, size_t len, int count, uint64_t first_id, struct rpc_answers **ret, struct fr_err *err);
// The answers of `more`, which is freed, behind those of `all`.
void rpc_answers_join(struct rpc_answers *all, struct rpc_answers *more);
void rpc_answers_free(struct rpc_answers *a);            // takes NULL
FR_AUTO_DEFINE(rpc_answers)

// ---- values: key may be a path, "" is the value itself (base/json.h). FR_E_INVALID names it.
FR_MUST_USE enum fr_status rpc_need_quantity(const struct fr_json *o, const char *key, struct u256 *ret, struct fr_err *err);
FR_MUST_USE enum fr_status rpc_need_u64(const struct fr_json *o, const char *key, uint64_t *ret, struct fr_err *err);
FR_MUST_USE enum fr_status rpc_need_word(const struct fr_json *o, const char *key, uint8_t out[32], struct fr_err *err);       // a hash, a topic
FR_MUST_USE enum fr_status rpc_need_address(const struct fr_json *o, const char *key, struct address *ret, struct fr_err *err);  // any case: no checksum is looked at
// Appends the bytes: an even number of hex digits, up to bytes_max of them.
FR_MUST_USE enum fr_status rpc_need_data(const struct fr_json *o, const char *key, size_t bytes_max, struct fr_buf *out, struct fr_err *err);

// ---- objects, and their canonical text: of two nodes that mean the same it is the same byte for byte, whatever else they add
struct rpc_log {
    struct address address;
    uint8_t topics[4][32];
    int topic_count;
    size_t data_at, data_len;              // in the owner's data
    uint64_t block_number, tx_index, log_index;
    uint8_t block_hash[32], tx_hash[32];
};
struct rpc_logs { struct rpc_log *at; int count; struct fr_buf data; };
struct rpc_receipt {
    uint8_t tx_hash[32], block_hash[32];
    uint64_t block_number, tx_index, gas_used;
    struct u256 gas_price;                 // paid
    struct address from, to, contract;
    bool has_to, has_contract, success;
    struct rpc_logs logs;
};
struct rpc_block { uint64_t number, timestamp; uint8_t hash[32], parent[32]; };
// An array of logs, none pending or removed, in ascending order of block and log index, none twice, each block with one hash. FR_E_INVALID, FR_E_LIMIT, FR_E_NOMEM. *ret is to be freed with rpc_logs_free.
FR_MUST_USE enum fr_status rpc_read_logs(const struct fr_json *v, struct rpc_logs *ret, struct fr_err *err);
void rpc_logs_free(struct rpc_logs *logs);               // takes zeroed ones
// A receipt whose logs all name its transaction and block. *found is false for null: not mined, as far as this node knows.
FR_MUST_USE enum fr_status rpc_read_receipt(const struct fr_json *v, struct rpc_receipt *ret, bool *found, struct fr_err *err);
void rpc_receipt_free(struct rpc_receipt *r);
FR_MUST_USE enum fr_status rpc_read_block(const struct fr_json *v, struct rpc_block *ret, bool *found, struct fr_err *err);

enum rpc_kind { RPC_ANY, RPC_QUANTITY, RPC_WORD, RPC_BLOCK, RPC_RECEIPT, RPC_LOGS };     // what a result is expected to be
// Checks that a result is of its kind and appends its canonical text. RPC_ANY: any JSON, keys sorted.
FR_MUST_USE enum fr_status rpc_canonical(const struct fr_json *result, enum rpc_kind kind, struct fr_buf *out, struct fr_err *err);
