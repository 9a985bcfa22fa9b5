// burn_proof.c — what stands on chain of a burn, as bytes: leaves, ids, calldata, the module's answers and events.
#include <string.h>
#include "chain/abi.h"
#include "chain/keccak.h"
#include "treasury/burn_inside.h"

void burn_leaf_bytes(int64_t number, struct u256 amount, const uint8_t reason[32], uint8_t out[BURN_LEAF_BYTES])
{
    u256_to_bytes(u256_of((uint64_t)number), out);
    u256_to_bytes(amount, out + 32);
    memcpy(out + 64, reason, 32);
}

enum fr_status burn_accrual_leaf(const struct burn_accrual *a, int scale, uint8_t bytes[BURN_LEAF_BYTES], struct merkle_hash *leaf, struct fr_err *err)
{
    struct u256 amount;
    FR_TRY(u256_from_units(a->units, 0, scale, &amount, err));
    burn_leaf_bytes(a->entry, amount, a->reason_hash, bytes);
    *leaf = merkle_leaf(bytes, BURN_LEAF_BYTES);
    return FR_OK;
}

void burn_batch_id(uint64_t chain_id, const struct address *module, struct u256 amount, const uint8_t root[32], uint8_t out[32])
{
    uint8_t words[4 * 32] = { 0 };
    u256_to_bytes(u256_of(chain_id), words);
    memcpy(words + 32 + 12, module->bytes, sizeof module->bytes);
    u256_to_bytes(amount, words + 64);
    memcpy(words + 96, root, 32);
    keccak256(words, sizeof words, out);
}

enum fr_status burn_calldata(const uint8_t id[32], struct u256 amount, const uint8_t root[32], struct fr_buf *out, struct fr_err *err)
{
    struct abi_out abi;
    abi_begin(&abi, out, "burn(bytes32,uint256,bytes32)", 3);
    abi_put_word(&abi, id);
    abi_put_u256(&abi, amount);
    abi_put_word(&abi, root);
    return abi_end(&abi, err);
}

enum fr_status burn_word_read(const struct rpc_answer *a, struct burn_word *ret, struct fr_err *err)
{
    FR_AUTO_BUF(bytes);
    struct burn_word w = { 0 };
    fr_buf_init(&bytes, 1024);
    if (a->fault) return FR_FAIL_CODE(err, FR_E_BUSY, "rpc_refused", "batch(id): %s: %s", rpc_fault_name(a->fault), a->text);
    FR_TRY(rpc_need_data(a->result, "", 4 * 32, &bytes, err));
    struct abi_in in = { (const uint8_t *)bytes.data, bytes.len };
    FR_TRY(abi_get_u256(&in, 0, &w.amount, err));
    FR_TRY(abi_get_u64(&in, 1, &w.block, err));
    FR_TRY(abi_get_u64(&in, 2, &w.time_s, err));
    FR_TRY(abi_get_word(&in, 3, w.root, err));
    w.burned = !u256_is_zero(w.amount);
    if (w.block > INT64_MAX || w.time_s > INT64_MAX) return FR_FAIL(err, FR_E_INVALID, "batch(id): a block or a time past all counting");
    *ret = w;
    return FR_OK;
}

bool burn_event_read(const struct rpc_logs *logs, const struct rpc_log *log, const struct address *module, struct burn_event *ret)
{
    uint8_t topic[32];
    struct fr_err err;
    struct abi_in in = { (const uint8_t *)logs->data.data + log->data_at, log->data_len };
    struct burn_event e = { .block = log->block_number, .log_index = log->log_index };
    abi_event_topic("BatchBurned(bytes32,bytes32,uint256,uint256)", topic);
    if (!address_equal(&log->address, module) || log->topic_count != 3 || memcmp(log->topics[0], topic, 32) != 0 || abi_get_u256(&in, 0, &e.amount, &err) != FR_OK) return false;
    memcpy(e.id, log->topics[1], 32);
    memcpy(e.root, log->topics[2], 32);
    memcpy(e.tx, log->tx_hash, 32);
    *ret = e;
    return true;
}
