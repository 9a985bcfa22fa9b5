// rpc.c — requests, the envelope of answers, and what errors mean.
#include "chain/rpc.h"
#include <assert.h>
#include <ctype.h>
#include <string.h>
#include "base/mem.h"

void rpc_write(struct fr_buf *out, const struct rpc_call *calls, int count, uint64_t first_id)
{
    assert(count >= 1 && count <= RPC_BATCH_MAX);
    if (count > 1) fr_buf_add_char(out, '[');
    for (int i = 0; i < count; i++) {
        fr_buf_addf(out, "%s{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":", i ? "," : "", (unsigned long long)(first_id + (uint64_t)i));
        fr_buf_add_json_text(out, calls[i].method);
        fr_buf_add(out, ",\"params\":");
        fr_buf_add(out, calls[i].params ? calls[i].params : "[]");
        fr_buf_add_char(out, '}');
    }
    if (count > 1) fr_buf_add_char(out, ']');
}

// ---- errors --------------------------------------------------------------------------------------------------------

static const char *const fault_names[RPC_FAULTS] = {
    [RPC_FINE] = "fine", [RPC_ALREADY_KNOWN] = "already_known", [RPC_NONCE_TOO_LOW] = "nonce_too_low", [RPC_NONCE_TOO_HIGH] = "nonce_too_high",
    [RPC_REPLACEMENT_UNDERPRICED] = "replacement_underpriced", [RPC_UNDERPRICED] = "underpriced", [RPC_FEE_UNDER_BASE] = "fee_under_base",
    [RPC_TIP_OVER_FEE] = "tip_over_fee", [RPC_FEE_OVER_CAP] = "fee_over_cap", [RPC_FUNDS] = "funds", [RPC_INTRINSIC_GAS] = "intrinsic_gas",
    [RPC_GAS_LIMIT] = "gas_limit", [RPC_POOL_FULL] = "pool_full", [RPC_TX_INVALID] = "tx_invalid", [RPC_REVERTED] = "reverted", [RPC_LOGS_RANGE] = "logs_range",
    [RPC_BLOCK_UNKNOWN] = "block_unknown", [RPC_STATE_GONE] = "state_gone", [RPC_METHOD] = "method", [RPC_RATE] = "rate", [RPC_TIMEOUT] = "timeout",
    [RPC_INTERNAL] = "internal", [RPC_PARAMS] = "params", [RPC_OTHER] = "other",
};

const char *rpc_fault_name(enum rpc_fault f)
{
    return (unsigned)f < RPC_FAULTS ? fault_names[f] : "other";
}

bool rpc_fault_is_the_endpoints(enum rpc_fault f)
{
    return f == RPC_METHOD || f == RPC_RATE || f == RPC_TIMEOUT || f == RPC_INTERNAL || f == RPC_STATE_GONE;
}

// In this order: the first that stands in the text. Texts in lower case, letters and digits with single spaces between: "AlreadyKnown" is "alreadyknown",
// "max fee per gas (1)" is "max fee per gas 1".
static const struct { const char *text; enum rpc_fault fault; } texts[] = {
    // geth, reth, Erigon, anvil, Nethermind, Besu, OpenEthereum and what descends from it (SKALE)
    { "execution reverted", RPC_REVERTED }, { "vm exception while processing transaction revert", RPC_REVERTED }, { "transaction reverted", RPC_REVERTED }, { "vm execution error", RPC_REVERTED },
    { "already known", RPC_ALREADY_KNOWN }, { "alreadyknown", RPC_ALREADY_KNOWN }, { "already imported", RPC_ALREADY_KNOWN }, { "known transaction", RPC_ALREADY_KNOWN },
    { "same hash was already", RPC_ALREADY_KNOWN }, { "transaction already exists", RPC_ALREADY_KNOWN }, { "transaction already finalized", RPC_ALREADY_KNOWN }, { "already in the pool", RPC_ALREADY_KNOWN }, { "already in mempool", RPC_ALREADY_KNOWN },
    { "replacement transaction underpriced", RPC_REPLACEMENT_UNDERPRICED }, { "replacementnotallowed", RPC_REPLACEMENT_UNDERPRICED }, { "replacement not allowed", RPC_REPLACEMENT_UNDERPRICED },
    { "another transaction with same nonce in the queue", RPC_REPLACEMENT_UNDERPRICED }, { "same nonce already in queue", RPC_REPLACEMENT_UNDERPRICED },
    { "same nonce but higher gas price", RPC_REPLACEMENT_UNDERPRICED }, { "could not replace existing tx", RPC_REPLACEMENT_UNDERPRICED }, { "gas price too low to replace", RPC_REPLACEMENT_UNDERPRICED },
    { "future transaction tries to replace pending", RPC_REPLACEMENT_UNDERPRICED }, { "ownnoncealreadyused", RPC_REPLACEMENT_UNDERPRICED }, { "another tx which has the same nonce", RPC_REPLACEMENT_UNDERPRICED },
    { "nonce too low", RPC_NONCE_TOO_LOW }, { "nonce is too low", RPC_NONCE_TOO_LOW }, { "oldnonce", RPC_NONCE_TOO_LOW }, { "nonce below", RPC_NONCE_TOO_LOW },
    { "nonce already used", RPC_NONCE_TOO_LOW }, { "invalid transaction nonce", RPC_NONCE_TOO_LOW },
    { "nonce too high", RPC_NONCE_TOO_HIGH }, { "nonce is too high", RPC_NONCE_TOO_HIGH }, { "noncegap", RPC_NONCE_TOO_HIGH }, { "nonce gap", RPC_NONCE_TOO_HIGH }, { "nonceinfuture", RPC_NONCE_TOO_HIGH },
    { "nonce too distant", RPC_NONCE_TOO_HIGH }, { "nonce too far", RPC_NONCE_TOO_HIGH },
    { "max priority fee per gas higher than max fee", RPC_TIP_OVER_FEE }, { "priority fee exceeds", RPC_TIP_OVER_FEE }, { "max priority fee per gas exceeds", RPC_TIP_OVER_FEE },
    { "tip above fee cap", RPC_TIP_OVER_FEE }, { "tip higher than fee cap", RPC_TIP_OVER_FEE },
    { "less than block base fee", RPC_FEE_UNDER_BASE }, { "less than the current base fee", RPC_FEE_UNDER_BASE }, { "below the base fee", RPC_FEE_UNDER_BASE }, { "below current base fee", RPC_FEE_UNDER_BASE }, { "maxfeepergas too low", RPC_FEE_UNDER_BASE },
    { "miner premium is negative", RPC_FEE_UNDER_BASE },
    { "exceeds the configured cap", RPC_FEE_OVER_CAP }, { "fee cap exceeded", RPC_FEE_OVER_CAP }, { "transaction fee cap exceeded", RPC_FEE_OVER_CAP },
    { "insufficient funds", RPC_FUNDS }, { "insufficientfunds", RPC_FUNDS }, { "insufficient balance", RPC_FUNDS }, { "upfront cost exceeds", RPC_FUNDS }, { "account balance is too low", RPC_FUNDS },
    { "balance too low", RPC_FUNDS }, { "doesn t have enough funds", RPC_FUNDS }, { "not enough funds", RPC_FUNDS },
    { "intrinsic gas too high", RPC_GAS_LIMIT }, { "intrinsic gas", RPC_INTRINSIC_GAS }, { "gas floor", RPC_INTRINSIC_GAS }, { "insufficient gas for floor data", RPC_INTRINSIC_GAS }, { "gas limit is too low", RPC_INTRINSIC_GAS },
    { "transaction gas is too low", RPC_INTRINSIC_GAS }, { "gas limit too low", RPC_INTRINSIC_GAS },
    { "exceeds block gas limit", RPC_GAS_LIMIT }, { "exceeds the block gas limit", RPC_GAS_LIMIT }, { "block gas limit exceeded", RPC_GAS_LIMIT }, { "gas limit exceeded", RPC_GAS_LIMIT }, { "gas limit reached", RPC_GAS_LIMIT }, { "gas is beyond limit", RPC_GAS_LIMIT }, { "gaslimitexceeded", RPC_GAS_LIMIT },
    { "gas limit too high", RPC_GAS_LIMIT }, { "gas limit is too high", RPC_GAS_LIMIT }, { "exceeds maximum gas limit", RPC_GAS_LIMIT }, { "gas required exceeds allowance", RPC_GAS_LIMIT },
    { "gas limit exceeds", RPC_GAS_LIMIT }, { "transaction cost exceeds current gas limit", RPC_GAS_LIMIT }, { "out of gas", RPC_GAS_LIMIT }, { "cap 30000000 less than", RPC_GAS_LIMIT },
    { "txpool is full", RPC_POOL_FULL }, { "pool is full", RPC_POOL_FULL }, { "queue is full", RPC_POOL_FULL }, { "queue full", RPC_POOL_FULL }, { "pool full", RPC_POOL_FULL }, { "too many transactions in the queue", RPC_POOL_FULL }, { "feetoolowtocompete", RPC_POOL_FULL },
    { "pool overflow", RPC_POOL_FULL }, { "account limit exceeded", RPC_POOL_FULL }, { "in flight transaction limit", RPC_POOL_FULL },
    { "underpriced", RPC_UNDERPRICED }, { "gas price is too low", RPC_UNDERPRICED }, { "gas price too low", RPC_UNDERPRICED }, { "gas price below", RPC_UNDERPRICED }, { "feetoolow", RPC_UNDERPRICED },
    { "fee too low", RPC_UNDERPRICED }, { "below configured minimum", RPC_UNDERPRICED }, { "gas price lower than", RPC_UNDERPRICED }, { "gas tip cap", RPC_UNDERPRICED }, { "minimum needed", RPC_UNDERPRICED },
    { "transaction type not supported", RPC_TX_INVALID }, { "invalid sender", RPC_TX_INVALID }, { "failed to recover sender", RPC_TX_INVALID }, { "failedtoresolvesender", RPC_TX_INVALID }, { "negative value", RPC_TX_INVALID }, { "gas uint64 overflow", RPC_TX_INVALID },
    { "transaction is too big", RPC_TX_INVALID }, { "unknown transaction type", RPC_TX_INVALID }, { "unsupported transaction type", RPC_TX_INVALID }, { "invalid chain id", RPC_TX_INVALID }, { "wrong chain id", RPC_TX_INVALID }, { "wrong chainid", RPC_TX_INVALID },
    { "invalidtxchainid", RPC_TX_INVALID }, { "incompatible eip155", RPC_TX_INVALID }, { "only replay protected", RPC_TX_INVALID }, { "oversized data", RPC_TX_INVALID }, { "max initcode size", RPC_TX_INVALID },
    { "invalid transaction v", RPC_TX_INVALID }, { "invalid signature", RPC_TX_INVALID }, { "invalid rlp", RPC_TX_INVALID }, { "rlp ", RPC_TX_INVALID }, { "typed transaction too short", RPC_TX_INVALID },
    { "failed to decode signed transaction", RPC_TX_INVALID }, { "failed to decode transaction", RPC_TX_INVALID }, { "sender not an eoa", RPC_TX_INVALID }, { "txtypenotsupported", RPC_TX_INVALID },
    // providers first: their limits stand under codes that mean something else elsewhere
    { "block range", RPC_LOGS_RANGE }, { "range is too", RPC_LOGS_RANGE }, { "query returned more than", RPC_LOGS_RANGE }, { "query exceeds max", RPC_LOGS_RANGE }, { "log response size exceeded", RPC_LOGS_RANGE },
    { "too many results", RPC_LOGS_RANGE }, { "too many blocks", RPC_LOGS_RANGE }, { "limit the query to", RPC_LOGS_RANGE }, { "max results", RPC_LOGS_RANGE }, { "response size should not", RPC_LOGS_RANGE },
    { "rate limit", RPC_RATE }, { "too many requests", RPC_RATE }, { "request limit", RPC_RATE }, { "requests per second", RPC_RATE }, { "compute units", RPC_RATE }, { "daily request count", RPC_RATE },
    { "capacity exceeded", RPC_RATE }, { "limit exceeded", RPC_RATE }, { "quota", RPC_RATE },
    { "missing trie node", RPC_STATE_GONE }, { "state not available", RPC_STATE_GONE }, { "historical state", RPC_STATE_GONE }, { "state is not available", RPC_STATE_GONE }, { "state already discarded", RPC_STATE_GONE },
    { "pruned", RPC_STATE_GONE }, { "archive", RPC_STATE_GONE }, { "world state unavailable", RPC_STATE_GONE }, { "history not available", RPC_STATE_GONE },
    { "header not found", RPC_BLOCK_UNKNOWN }, { "unknown block", RPC_BLOCK_UNKNOWN }, { "block not found", RPC_BLOCK_UNKNOWN }, { "finalized block not found", RPC_BLOCK_UNKNOWN },
    { "safe block not found", RPC_BLOCK_UNKNOWN }, { "blockoutofrange", RPC_BLOCK_UNKNOWN }, { "beyond head", RPC_BLOCK_UNKNOWN }, { "could not find block", RPC_BLOCK_UNKNOWN }, { "cannot query unfinalized", RPC_BLOCK_UNKNOWN },
    { "method not found", RPC_METHOD }, { "method not supported", RPC_METHOD }, { "unsupported method", RPC_METHOD }, { "does not exist is not available", RPC_METHOD }, { "method is not available", RPC_METHOD },
    { "method not available", RPC_METHOD }, { "not whitelisted", RPC_METHOD }, { "method not enabled", RPC_METHOD }, { "not implemented", RPC_METHOD }, { "method handler crashed", RPC_INTERNAL },
    { "timed out", RPC_TIMEOUT }, { "timeout", RPC_TIMEOUT }, { "execution aborted", RPC_TIMEOUT }, { "deadline exceeded", RPC_TIMEOUT },
    { "internal error", RPC_INTERNAL }, { "internal server error", RPC_INTERNAL }, { "temporarily unavailable", RPC_INTERNAL }, { "node is syncing", RPC_INTERNAL }, { "service unavailable", RPC_INTERNAL }, { "bad gateway", RPC_INTERNAL },
    { "invalid argument", RPC_PARAMS }, { "invalid params", RPC_PARAMS }, { "missing value for required argument", RPC_PARAMS },
    { "revert", RPC_REVERTED },
};

static void plain_text(const char *text, char *out, size_t cap)
{
    size_t n = 0;
    for (; *text && n + 1 < cap; text++) {
        if (isalnum((unsigned char)*text)) out[n++] = (char)tolower((unsigned char)*text);
        else if (n > 0 && out[n - 1] != ' ') out[n++] = ' ';
    }
    out[n] = 0;
}

// Where a word begins: "unknown transaction type" is no "known transaction", which would count as success.
static bool has_words(const char *plain, const char *words)
{
    for (const char *at = strstr(plain, words); at; at = strstr(at + 1, words)) if (at == plain || at[-1] == ' ') return true;
    return false;
}

enum rpc_fault rpc_fault_of(int64_t code, const char *text)
{
    char plain[2 * RPC_TEXT_BYTES_MAX];
    plain_text(text, plain, sizeof plain);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) if (has_words(plain, texts[i].text)) return texts[i].fault;
    switch (code) {
    case 3: return RPC_REVERTED;
    case 429: case -32005: case -32007: case -32029: return RPC_RATE;      // EIP-1474, and what providers made of it
    case -32601: case -32004: return RPC_METHOD;
    case -32600: case -32602: case -32700: return RPC_PARAMS;
    case -32603: case -32002: return RPC_INTERNAL;
    case -32001: return RPC_BLOCK_UNKNOWN;
    default: return RPC_OTHER;
    }
}

// ---- the envelope --------------------------------------------------------------------------------------------------

#define MALFORMED(err, ...) FR_FAIL_CODE((err), FR_E_INVALID, "rpc_malformed", __VA_ARGS__)
#define CODE_MOST (1LL << 40)

static void clean_text(const char *text, char out[RPC_TEXT_BYTES_MAX + 1])
{
    size_t n = 0;
    for (; *text && n < RPC_TEXT_BYTES_MAX; text++) {
        bool plain = (unsigned char)*text > 0x20 && (unsigned char)*text < 0x7f;
        if (plain) out[n++] = *text;
        else if (n > 0 && out[n - 1] != ' ') out[n++] = ' ';
    }
    out[n] = 0;
}

static bool read_error(const struct fr_json *e, struct rpc_answer *ret)
{
    const char *text;
    struct fr_err none;
    if (fr_json_kind(e) != JSON_OBJECT) return false;
    if (fr_json_need_int(e, "code", -CODE_MOST, CODE_MOST, &ret->code, &none) != FR_OK) return false;
    if (fr_json_need_text(e, "message", 0, JSON_TEXT_BYTES_MAX, &text, &none) != FR_OK) return false;
    clean_text(text, ret->text);
    ret->fault = rpc_fault_of(ret->code, ret->text);
    ret->data = fr_json_text(fr_json_get(e, "data"));
    return true;
}

// Of one answer: what it answers (-1: null, which a node says when it could not read the id), and with what.
static enum fr_status read_one(const struct fr_json *v, int count, uint64_t first_id, int *no, struct rpc_answer *ret, struct fr_err *err)
{
    const char *version = fr_json_text(fr_json_get(v, "jsonrpc"));
    const struct fr_json *id = fr_json_get(v, "id"), *result = fr_json_get(v, "result"), *error = fr_json_get(v, "error");
    struct fr_err none;
    int64_t number;
    *ret = (struct rpc_answer){ 0 };
    if (fr_json_kind(v) != JSON_OBJECT) return MALFORMED(err, "an answer is no object");
    if (!version || strcmp(version, "2.0") != 0) return MALFORMED(err, "an answer is not of JSON-RPC 2.0");
    if (!result == !error) return MALFORMED(err, "an answer has %s", result ? "a result and an error" : "no result and no error");
    if (error && !read_error(error, ret)) return MALFORMED(err, "an error without code and message");
    ret->result = result;
    if (!id) return MALFORMED(err, "an answer has no id");
    if (fr_json_kind(id) == JSON_NULL && error) {
        *no = -1;
        return FR_OK;
    }
    if (fr_json_need_int(v, "id", (int64_t)first_id, (int64_t)first_id + count - 1, &number, &none) != FR_OK) return MALFORMED(err, "an answer to a question that was not asked");
    *no = (int)(number - (int64_t)first_id);
    return FR_OK;
}

static enum fr_status read_answers(struct rpc_answers *a, uint64_t first_id, struct fr_err *err)
{
    const struct fr_json *root = a->roots[0];
    bool there[RPC_BATCH_MAX] = { false }, batch = fr_json_kind(root) == JSON_ARRAY;
    struct rpc_answer one;
    int no = -1, size = batch ? fr_json_size(root) : 1;
    if (batch != (a->count > 1) && fr_json_kind(root) != JSON_OBJECT) return MALFORMED(err, "the answer is neither an object nor as many as were asked for");
    if (batch && size != a->count) return MALFORMED(err, "%d answers to %d questions", size, a->count);
    for (const struct fr_json *v = batch ? fr_json_child(root) : root; v; v = batch ? fr_json_next(v) : NULL) {
        FR_TRY(read_one(v, a->count, first_id, &no, &one, err));
        if (batch && no < 0) return MALFORMED(err, "an answer in a batch without an id");
        if (!batch) {
            if (a->count > 1 && (no >= 0 || !one.fault)) return MALFORMED(err, "one answer to %d questions", a->count);
            for (int i = 0; i < a->count; i++) a->at[i] = one;
            a->refused_whole = a->count > 1;
            return FR_OK;
        }
        if (there[no]) return MALFORMED(err, "a question was answered twice");
        there[no] = true;
        a->at[no] = one;
    }
    return FR_OK;                              // as many as were asked for, none twice: all are there
}

enum fr_status rpc_read(const char *bytes, size_t len, int count, uint64_t first_id, struct rpc_answers **ret, struct fr_err *err)
{
    assert(count >= 1 && count <= RPC_BATCH_MAX);
    struct fr_err why;
    FR_AUTO(rpc_answers) a = fr_alloc(sizeof *a);
    if (!a) return FR_FAIL(err, FR_E_NOMEM, "no memory for a node's answers");
    a->count = count;
    enum fr_status st = fr_json_parse_long(bytes, len, RPC_ANSWER_BYTES_MAX, &a->roots[0], &why);
    if (st == FR_E_NOMEM) return FR_FAIL(err, st, "no memory for a node's answers");
    if (st != FR_OK) return FR_FAIL_CODE(err, st == FR_E_LIMIT ? FR_E_LIMIT : FR_E_INVALID, "rpc_malformed", "not JSON as it should be: %s", why.text);
    a->root_count = 1;
    FR_TRY(read_answers(a, first_id, err));
    *ret = FR_TAKE(a);
    return FR_OK;
}

void rpc_answers_join(struct rpc_answers *all, struct rpc_answers *more)
{
    assert(all->count + more->count <= RPC_BATCH_MAX && all->root_count + more->root_count <= RPC_BATCH_MAX);
    memcpy(all->at + all->count, more->at, (size_t)more->count * sizeof more->at[0]);
    memcpy(all->roots + all->root_count, more->roots, (size_t)more->root_count * sizeof more->roots[0]);
    all->count += more->count;
    all->root_count += more->root_count;
    fr_free(more);
}

void rpc_answers_free(struct rpc_answers *a)
{
    if (!a) return;
    for (int i = 0; i < RPC_BATCH_MAX; i++) fr_json_free(a->roots[i]);
    fr_free(a);
}
