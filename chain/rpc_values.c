// rpc_values.c — quantities, data and objects out of answers, and their canonical text.
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "chain/rpc.h"

static enum fr_status need_hex(const struct fr_json *o, const char *key, size_t bytes_least, size_t bytes_most, const char **digits, size_t *bytes, struct fr_err *err)
{
    const char *text;
    FR_TRY(fr_json_need_text(o, key, 2 + 2 * bytes_least, 2 + 2 * bytes_most, &text, err));
    size_t len = strlen(text);
    if (text[0] != '0' || text[1] != 'x' || len % 2 || strspn(text + 2, "0123456789abcdefABCDEF") != len - 2)
        return FR_FAIL(err, FR_E_INVALID, "%s: not 0x and an even number of hex digits", key[0] ? key : "the value");
    *digits = text + 2;
    *bytes = len / 2 - 1;
    return FR_OK;
}

enum fr_status rpc_need_quantity(const struct fr_json *o, const char *key, struct u256 *ret, struct fr_err *err)
{
    const char *text;
    FR_TRY(fr_json_need_text(o, key, 3, U256_HEX_BYTES - 1, &text, err));
    if (u256_parse_quantity(text, ret, err) == FR_OK) return FR_OK;
    return key[0] ? fr_err_note(err, "%s", key) : err->status;
}

enum fr_status rpc_need_u64(const struct fr_json *o, const char *key, uint64_t *ret, struct fr_err *err)
{
    struct u256 value;
    FR_TRY(rpc_need_quantity(o, key, &value, err));
    if (!u256_fits_u64(value, ret)) return FR_FAIL(err, FR_E_INVALID, "%s: past 64 bits", key[0] ? key : "the value");
    return FR_OK;
}

static enum fr_status need_bytes(const struct fr_json *o, const char *key, size_t len, uint8_t *out, struct fr_err *err)
{
    const char *digits;
    size_t bytes;
    FR_TRY(need_hex(o, key, len, len, &digits, &bytes, err));
    return fr_unhex(digits, 2 * len, out, len) ? FR_OK : FR_FAIL(err, FR_E_INVALID, "%s: not hex", key);
}

enum fr_status rpc_need_word(const struct fr_json *o, const char *key, uint8_t out[32], struct fr_err *err)
{
    return need_bytes(o, key, 32, out, err);
}

enum fr_status rpc_need_address(const struct fr_json *o, const char *key, struct address *ret, struct fr_err *err)
{
    return need_bytes(o, key, ADDRESS_BYTES, ret->bytes, err);
}

enum fr_status rpc_need_data(const struct fr_json *o, const char *key, size_t bytes_max, struct fr_buf *out, struct fr_err *err)
{
    const char *digits;
    size_t bytes;
    FR_TRY(need_hex(o, key, 0, bytes_max, &digits, &bytes, err));
    char *room = fr_buf_reserve(out, bytes);
    if (!room) return fr_buf_check(out, "data", err);
    if (!fr_unhex(digits, 2 * bytes, (uint8_t *)room, bytes)) return FR_FAIL(err, FR_E_INVALID, "%s: not hex", key);
    fr_buf_commit(out, bytes);
    return FR_OK;
}

// ---- logs ----------------------------------------------------------------------------------------------------------

static bool is_null(const struct fr_json *v)
{
    return !v || fr_json_kind(v) == JSON_NULL;
}

static enum fr_status read_log(const struct fr_json *v, struct rpc_log *log, struct fr_buf *data, struct fr_err *err)
{
    const struct fr_json *topics;
    bool removed;
    FR_TRY(fr_json_opt_bool(v, "removed", false, &removed, err));
    if (removed) return FR_FAIL(err, FR_E_INVALID, "a log of a block that is no longer part of the chain");
    FR_TRY(rpc_need_address(v, "address", &log->address, err));
    FR_TRY(fr_json_need_array(v, "topics", 0, 4, &topics, err));
    for (const struct fr_json *t = fr_json_child(topics); t; t = fr_json_next(t)) FR_TRY(rpc_need_word(t, "", log->topics[log->topic_count++], err));
    log->data_at = data->len;
    FR_TRY(rpc_need_data(v, "data", RPC_DATA_BYTES_MAX, data, err));
    log->data_len = data->len - log->data_at;
    FR_TRY(rpc_need_u64(v, "blockNumber", &log->block_number, err));
    FR_TRY(rpc_need_u64(v, "transactionIndex", &log->tx_index, err));
    FR_TRY(rpc_need_u64(v, "logIndex", &log->log_index, err));
    FR_TRY(rpc_need_word(v, "blockHash", log->block_hash, err));
    return rpc_need_word(v, "transactionHash", log->tx_hash, err);
}

// One chain: logs go up, and what stands in one block has one hash, what has one place in it one transaction.
static bool log_follows(const struct rpc_log *a, const struct rpc_log *b)
{
    if (b->block_number != a->block_number) return b->block_number > a->block_number;
    if (b->log_index <= a->log_index || b->tx_index < a->tx_index || memcmp(a->block_hash, b->block_hash, 32) != 0) return false;
    return (a->tx_index == b->tx_index) == (memcmp(a->tx_hash, b->tx_hash, 32) == 0);
}

static enum fr_status read_logs(const struct fr_json *v, struct rpc_logs *logs, struct fr_err *err)
{
    for (const struct fr_json *one = fr_json_child(v); one; one = fr_json_next(one)) {
        struct rpc_log *log = &logs->at[logs->count];
        if (read_log(one, log, &logs->data, err) != FR_OK) return fr_err_note(err, "log %d", logs->count);
        if (logs->count > 0 && !log_follows(log - 1, log)) return FR_FAIL(err, FR_E_INVALID, "log %d does not follow the one before it", logs->count);
        logs->count++;
    }
    return FR_OK;
}

enum fr_status rpc_read_logs(const struct fr_json *v, struct rpc_logs *ret, struct fr_err *err)
{
    struct rpc_logs logs = { 0 };
    if (fr_json_kind(v) != JSON_ARRAY) return FR_FAIL(err, FR_E_INVALID, "logs: expected an array, got %s", fr_json_kind_name(fr_json_kind(v)));
    int size = fr_json_size(v);
    if (size > RPC_LOGS_MAX) return FR_FAIL(err, FR_E_LIMIT, "%d logs in one answer, %d are the most", size, RPC_LOGS_MAX);
    fr_buf_init(&logs.data, RPC_ANSWER_BYTES_MAX);
    logs.at = fr_alloc((size_t)size * sizeof logs.at[0]);
    if (!logs.at) return FR_FAIL(err, FR_E_NOMEM, "no memory for %d logs", size);
    enum fr_status st = read_logs(v, &logs, err);
    if (st == FR_OK) *ret = logs;
    else rpc_logs_free(&logs);
    return st;
}

void rpc_logs_free(struct rpc_logs *logs)
{
    fr_free(logs->at);
    fr_buf_free(&logs->data);
    *logs = (struct rpc_logs){ 0 };
}

// ---- receipts and blocks -------------------------------------------------------------------------------------------

static enum fr_status opt_address(const struct fr_json *v, const char *key, bool *has, struct address *ret, struct fr_err *err)
{
    *has = !is_null(fr_json_get(v, key));
    return *has ? rpc_need_address(v, key, ret, err) : FR_OK;
}

static enum fr_status read_receipt(const struct fr_json *v, struct rpc_receipt *r, struct fr_err *err)
{
    const struct fr_json *logs;
    uint64_t status;
    FR_TRY(rpc_need_word(v, "transactionHash", r->tx_hash, err));
    FR_TRY(rpc_need_word(v, "blockHash", r->block_hash, err));
    FR_TRY(rpc_need_u64(v, "blockNumber", &r->block_number, err));
    FR_TRY(rpc_need_u64(v, "transactionIndex", &r->tx_index, err));
    FR_TRY(rpc_need_u64(v, "gasUsed", &r->gas_used, err));
    FR_TRY(rpc_need_quantity(v, "effectiveGasPrice", &r->gas_price, err));
    FR_TRY(rpc_need_u64(v, "status", &status, err));
    if (status > 1) return FR_FAIL(err, FR_E_INVALID, "status: neither 0x0 nor 0x1");
    r->success = status == 1;
    FR_TRY(rpc_need_address(v, "from", &r->from, err));
    FR_TRY(opt_address(v, "to", &r->has_to, &r->to, err));
    FR_TRY(opt_address(v, "contractAddress", &r->has_contract, &r->contract, err));
    FR_TRY(fr_json_need_array(v, "logs", 0, RPC_LOGS_MAX, &logs, err));
    FR_TRY(rpc_read_logs(logs, &r->logs, err));
    if (!r->success && r->logs.count) return FR_FAIL(err, FR_E_INVALID, "a transaction that failed has logs");
    for (int i = 0; i < r->logs.count; i++) {
        const struct rpc_log *log = &r->logs.at[i];
        if (memcmp(log->tx_hash, r->tx_hash, 32) != 0 || memcmp(log->block_hash, r->block_hash, 32) != 0 || log->block_number != r->block_number || log->tx_index != r->tx_index)
            return FR_FAIL(err, FR_E_INVALID, "log %d is not of this receipt", i);
    }
    return FR_OK;
}

enum fr_status rpc_read_receipt(const struct fr_json *v, struct rpc_receipt *ret, bool *found, struct fr_err *err)
{
    struct rpc_receipt r = { 0 };
    if (fr_json_kind(v) == JSON_NULL) {
        *found = false;
        return FR_OK;
    }
    if (fr_json_kind(v) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "a receipt is an object, not %s", fr_json_kind_name(fr_json_kind(v)));
    enum fr_status st = read_receipt(v, &r, err);
    if (st != FR_OK) {
        rpc_receipt_free(&r);
        return st;
    }
    *ret = r;
    *found = true;
    return FR_OK;
}

void rpc_receipt_free(struct rpc_receipt *r)
{
    rpc_logs_free(&r->logs);
}

enum fr_status rpc_read_block(const struct fr_json *v, struct rpc_block *ret, bool *found, struct fr_err *err)
{
    struct rpc_block b;
    if (fr_json_kind(v) == JSON_NULL) {
        *found = false;
        return FR_OK;
    }
    if (fr_json_kind(v) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "a block is an object, not %s", fr_json_kind_name(fr_json_kind(v)));
    FR_TRY(rpc_need_u64(v, "number", &b.number, err));
    FR_TRY(rpc_need_u64(v, "timestamp", &b.timestamp, err));
    FR_TRY(rpc_need_word(v, "hash", b.hash, err));
    FR_TRY(rpc_need_word(v, "parentHash", b.parent, err));
    *ret = b;
    *found = true;
    return FR_OK;
}

// ---- canonical text ------------------------------------------------------------------------------------------------

static void add_hex(struct fr_buf *out, const char *name, const void *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    fr_buf_add(out, " ");
    fr_buf_add(out, name);
    fr_buf_add(out, "=");
    char *room = len ? fr_buf_reserve(out, 2 * len) : NULL;
    if (!room) return;                     // nothing to add, or the buffer remembers why
    for (size_t i = 0; i < len; i++) {
        room[2 * i] = digits[at[i] >> 4];
        room[2 * i + 1] = digits[at[i] & 15];
    }
    fr_buf_commit(out, 2 * len);
}

static void add_u64(struct fr_buf *out, const char *name, uint64_t value)
{
    fr_buf_addf(out, " %s=%llu", name, (unsigned long long)value);
}

static void add_logs(struct fr_buf *out, const struct rpc_logs *logs)
{
    for (int i = 0; i < logs->count; i++) {
        const struct rpc_log *l = &logs->at[i];
        fr_buf_add(out, "log");
        add_u64(out, "block", l->block_number);
        add_hex(out, "hash", l->block_hash, 32);
        add_u64(out, "tx", l->tx_index);
        add_hex(out, "txhash", l->tx_hash, 32);
        add_u64(out, "no", l->log_index);
        add_hex(out, "address", l->address.bytes, ADDRESS_BYTES);
        add_hex(out, "topics", l->topics, (size_t)l->topic_count * 32);
        if (l->data_len) add_hex(out, "data", logs->data.data + l->data_at, l->data_len);
        fr_buf_add(out, "\n");
    }
}

static void add_receipt(struct fr_buf *out, const struct rpc_receipt *r)
{
    char text[U256_TEXT_BYTES];
    fr_buf_add(out, "receipt");
    add_hex(out, "txhash", r->tx_hash, 32);
    add_hex(out, "hash", r->block_hash, 32);
    add_u64(out, "block", r->block_number);
    add_u64(out, "tx", r->tx_index);
    add_u64(out, "gas", r->gas_used);
    fr_buf_addf(out, " price=%s success=%d", u256_text(r->gas_price, text), r->success);
    add_hex(out, "from", r->from.bytes, ADDRESS_BYTES);
    if (r->has_to) add_hex(out, "to", r->to.bytes, ADDRESS_BYTES);
    if (r->has_contract) add_hex(out, "contract", r->contract.bytes, ADDRESS_BYTES);
    fr_buf_add(out, "\n");
    add_logs(out, &r->logs);
}

static enum fr_status canonical_logs(const struct fr_json *v, struct fr_buf *out, struct fr_err *err)
{
    struct rpc_logs logs;
    FR_TRY(rpc_read_logs(v, &logs, err));
    fr_buf_addf(out, "logs %d\n", logs.count);
    add_logs(out, &logs);
    rpc_logs_free(&logs);
    return FR_OK;
}

static enum fr_status canonical_receipt(const struct fr_json *v, struct fr_buf *out, struct fr_err *err)
{
    struct rpc_receipt r;
    bool found;
    FR_TRY(rpc_read_receipt(v, &r, &found, err));
    if (!found) fr_buf_add(out, "null\n");
    else {
        add_receipt(out, &r);
        rpc_receipt_free(&r);
    }
    return FR_OK;
}

static enum fr_status canonical_block(const struct fr_json *v, struct fr_buf *out, struct fr_err *err)
{
    struct rpc_block b;
    bool found;
    FR_TRY(rpc_read_block(v, &b, &found, err));
    if (!found) fr_buf_add(out, "null\n");
    else {
        fr_buf_add(out, "block");
        add_u64(out, "number", b.number);
        add_u64(out, "time", b.timestamp);
        add_hex(out, "hash", b.hash, 32);
        add_hex(out, "parent", b.parent, 32);
        fr_buf_add(out, "\n");
    }
    return FR_OK;
}

enum fr_status rpc_canonical(const struct fr_json *result, enum rpc_kind kind, struct fr_buf *out, struct fr_err *err)
{
    struct u256 value;
    uint8_t word[32];
    char text[U256_TEXT_BYTES];
    switch (kind) {
    case RPC_QUANTITY:
        FR_TRY(rpc_need_quantity(result, "", &value, err));
        fr_buf_addf(out, "%s\n", u256_text(value, text));
        break;
    case RPC_WORD:
        FR_TRY(rpc_need_word(result, "", word, err));
        add_hex(out, "word", word, 32);
        fr_buf_add(out, "\n");
        break;
    case RPC_BLOCK: FR_TRY(canonical_block(result, out, err)); break;
    case RPC_RECEIPT: FR_TRY(canonical_receipt(result, out, err)); break;
    case RPC_LOGS: FR_TRY(canonical_logs(result, out, err)); break;
    case RPC_ANY:
        fr_json_print_canonical(result, out);
        fr_buf_add(out, "\n");
        break;
    }
    return fr_buf_check(out, "canonical text", err);
}
