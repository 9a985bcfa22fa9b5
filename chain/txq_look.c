// txq_look.c — what a look and a proof ask of nodes, and what their answers mean. Counts are asked before receipts: a block between the two shows receipts too many, never too few.
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "chain/txq_inside.h"

#define HISTORY_BLOCKS 20
enum { AT_BLOCK, AT_COUNT, AT_PENDING, AT_BALANCE, AT_PRICE, AT_RECEIPTS };      // a look's calls, in their order

void txq_questions_init(struct txq_questions *q)
{
    q->count = 0;
    fr_buf_init(&q->text, RPC_PARAMS_BYTES_MAX);
}

void txq_questions_free(struct txq_questions *q) { fr_buf_free(&q->text); }

void txq_ask_for(struct txq_questions *q, const char *method, const char *params_format, ...)
{
    va_list args;
    if (q->count == TXQ_CALLS_MAX) {
        q->text.failed = true;
        return;
    }
    q->params_at[q->count] = q->text.len;
    q->at[q->count++].method = method;
    va_start(args, params_format);
    fr_buf_vaddf(&q->text, params_format, args);
    va_end(args);
    fr_buf_add_char(&q->text, 0);
}

enum fr_status txq_questions_end(struct txq_questions *q, struct fr_err *err)
{
    FR_TRY(fr_buf_check(&q->text, "questions to a node", err));
    for (int i = 0; i < q->count; i++) q->at[i].params = q->text.data + q->params_at[i];
    return FR_OK;
}

void txq_ask_receipts(struct txq_questions *q, uint8_t hashes[][32], int hash_count)
{
    char hex[65];
    for (int i = 0; i < hash_count; i++) txq_ask_for(q, "eth_getTransactionReceipt", "[\"0x%s\"]", fr_hex(hashes[i], 32, hex));
}

void txq_ask_sight(struct txq_questions *q, const struct address *address, bool history, int percentile, uint8_t hashes[][32], int hash_count)
{
    char text[ADDRESS_TEXT_BYTES];
    address_text(address, text);
    txq_ask_for(q, "eth_getBlockByNumber", "[\"latest\",false]");
    txq_ask_for(q, "eth_getTransactionCount", "[\"%s\",\"latest\"]", text);
    txq_ask_for(q, "eth_getTransactionCount", "[\"%s\",\"pending\"]", text);
    txq_ask_for(q, "eth_getBalance", "[\"%s\",\"latest\"]", text);
    if (history) txq_ask_for(q, "eth_feeHistory", "[\"0x%x\",\"latest\",[%d]]", HISTORY_BLOCKS, percentile);
    else txq_ask_for(q, "eth_gasPrice", "[]");
    txq_ask_receipts(q, hashes, hash_count);
}

static enum fr_status no_fault(const struct rpc_answers *a, struct fr_err *err)
{
    for (int i = 0; i < a->count; i++)
        if (a->at[i].fault) return FR_FAIL(err, FR_E_BUSY, "%s: %s", rpc_fault_name(a->at[i].fault), a->at[i].text);
    return FR_OK;
}

// The next block's base fee is the last of the list; tips of blocks without transactions say nothing.
static enum fr_status read_history(const struct fr_json *h, struct fees_seen *ret, struct fr_err *err)
{
    const struct fr_json *bases = NULL, *rewards = NULL;
    struct u256 tips[HISTORY_BLOCKS];
    int tip_count = 0, at = 0;
    char key[32];
    FR_TRY(fr_json_need_array(h, "baseFeePerGas", 1, HISTORY_BLOCKS + 1, &bases, err));
    snprintf(key, sizeof key, "baseFeePerGas[%d]", fr_json_size(bases) - 1);
    FR_TRY(rpc_need_quantity(h, key, &ret->base, err));
    rewards = fr_json_get(h, "reward");
    if (rewards && fr_json_kind(rewards) == JSON_ARRAY && fr_json_size(rewards) <= HISTORY_BLOCKS) {
        const struct fr_json *used = fr_json_child(fr_json_get(h, "gasUsedRatio"));
        for (const struct fr_json *r = fr_json_child(rewards); r; r = fr_json_next(r), at++) {
            bool empty = used && fr_json_number(used) == 0;
            if (!empty && fr_json_size(r) > 0) FR_TRY(rpc_need_quantity(r, "[0]", &tips[tip_count++], err));
            if (used) used = fr_json_next(used);
        }
    }
    ret->tip = fees_median(tips, tip_count);
    ret->known = true;
    return FR_OK;
}

// Without a history: the base fee rises by an eighth at most, and what the price has over it is the tip.
static enum fr_status read_price(const struct fr_json *block, struct fees_seen *ret, struct fr_err *err)
{
    struct u256 base = { { 0 } }, eighth = { { 0 } };
    FR_TRY(rpc_need_quantity(block, "baseFeePerGas", &base, err));
    if (!u256_mul_div(base, u256_of(9), u256_of(8), true, &eighth)) return FR_FAIL(err, FR_E_INVALID, "a base fee past 256 bits");
    ret->base = eighth;
    if (!u256_sub(ret->gas_price, base, &ret->tip)) ret->tip = u256_of(0);
    return FR_OK;
}

static enum fr_status read_receipt(const struct fr_json *v, const uint8_t hash[32], struct txq_seen *ret, struct fr_err *err)
{
    struct rpc_receipt r = { 0 };
    struct u256 cost = { { 0 } };
    memset(ret, 0, sizeof *ret);
    memcpy(ret->hash, hash, 32);
    FR_TRY(rpc_read_receipt(v, &r, &ret->found, err));
    if (!ret->found) return FR_OK;
    enum fr_status st = FR_OK;
    if (memcmp(r.tx_hash, hash, 32) != 0) st = FR_FAIL(err, FR_E_INVALID, "a receipt of another transaction");
    else if (!u256_mul(r.gas_price, u256_of(r.gas_used), &cost)) st = FR_FAIL(err, FR_E_INVALID, "a receipt with a price past 256 bits");
    ret->success = r.success;
    ret->block = r.block_number;
    memcpy(ret->block_hash, r.block_hash, 32);
    ret->cost = cost;
    rpc_receipt_free(&r);
    return st;
}

enum fr_status txq_read_receipts(const struct rpc_answers *a, int first, uint8_t hashes[][32], int hash_count, struct txq_seen *ret, struct fr_err *err)
{
    FR_TRY(no_fault(a, err));
    if (a->count != first + hash_count) return FR_FAIL(err, FR_E_INVALID, "%d answers to %d questions", a->count, first + hash_count);
    for (int i = 0; i < hash_count; i++) FR_TRY(read_receipt(a->at[first + i].result, hashes[i], &ret[i], err));
    return FR_OK;
}

enum fr_status txq_read_sight(const struct rpc_answers *a, bool history, bool legacy_only, uint8_t hashes[][32], int hash_count, struct txq_sight *ret, bool *base_fee, struct fr_err *err)
{
    struct rpc_block block;
    bool found = false;
    memset(ret, 0, sizeof *ret);
    FR_TRY(txq_read_receipts(a, AT_RECEIPTS, hashes, hash_count, ret->at, err));
    ret->seen = hash_count;
    FR_TRY(rpc_read_block(a->at[AT_BLOCK].result, &block, &found, err));
    if (!found) return FR_FAIL(err, FR_E_INVALID, "a node without a newest block");
    ret->block = block.number;
    FR_TRY(rpc_need_u64(a->at[AT_COUNT].result, "", &ret->count, err));
    FR_TRY(rpc_need_u64(a->at[AT_PENDING].result, "", &ret->count_pending, err));
    FR_TRY(rpc_need_quantity(a->at[AT_BALANCE].result, "", &ret->balance, err));
    if (ret->count > INT64_MAX || ret->count_pending > INT64_MAX || ret->block > INT64_MAX) return FR_FAIL(err, FR_E_INVALID, "a number past 63 bits");
    *base_fee = fr_json_get(a->at[AT_BLOCK].result, "baseFeePerGas") != NULL;
    if (history) return read_history(a->at[AT_PRICE].result, &ret->fees, err);
    FR_TRY(rpc_need_quantity(a->at[AT_PRICE].result, "", &ret->fees.gas_price, err));
    ret->fees.known = true;
    ret->fees.legacy = !*base_fee || legacy_only;
    return ret->fees.legacy ? FR_OK : read_price(a->at[AT_BLOCK].result, &ret->fees, err);
}
