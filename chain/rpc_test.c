// rpc_test.c — every malformed shape refused, every client's words understood, values to the digit.
#include "chain/rpc.h"
#include "base/check.h"
#include "base/mem.h"
#include "chain/test_hex.h"

#define H32(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define HASH_A "0x" H32("aa")
#define HASH_B "0x" H32("bb")
#define TOPIC "0x" H32("cc")
#define ADDRESS "0x1111111111111111111111111111111111111111"

static struct fr_err why;

static struct rpc_answers *answers(const char *text, int count)       // to ids from 7; NULL: refused
{
    struct rpc_answers *a = NULL;
    enum fr_status st = rpc_read(text, strlen(text), count, 7, &a, &why);
    CHECK((st == FR_OK) == (a != NULL));
    return a;
}

static void test_requests(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, RPC_REQUEST_BYTES_MAX);
    struct rpc_call calls[2] = { { "eth_chainId", NULL }, { "eth_getBlockByNumber", "[\"0x0\",false]" } };
    rpc_write(&out, calls, 1, 7);
    CHECK_TEXT(out.data, "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"eth_chainId\",\"params\":[]}");
    fr_buf_clear(&out);
    rpc_write(&out, calls, 2, 9);
    CHECK_TEXT(out.data, "[{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"eth_chainId\",\"params\":[]},{\"jsonrpc\":\"2.0\",\"id\":10,\"method\":\"eth_getBlockByNumber\",\"params\":[\"0x0\",false]}]");
}

static void test_answers_are_matched_by_id(void)
{
    struct rpc_answers *a = answers("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"0x1\"}", 1);
    CHECK(a && a->count == 1 && !a->at[0].fault && strcmp(fr_json_text(a->at[0].result), "0x1") == 0);
    rpc_answers_free(a);
    a = answers("{\"id\":7,\"result\":null,\"jsonrpc\":\"2.0\",\"usage\":3}", 1);
    CHECK(a && a->at[0].result && fr_json_kind(a->at[0].result) == JSON_NULL);
    rpc_answers_free(a);
    a = answers("[{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":\"c\"},{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"a\"},{\"jsonrpc\":\"2.0\",\"id\":8,\"error\":{\"code\":-32000,\"message\":\"nonce too low: next 5\"}}]", 3);
    CHECK(a && strcmp(fr_json_text(a->at[0].result), "a") == 0 && a->at[1].fault == RPC_NONCE_TOO_LOW && a->at[1].code == -32000 && !a->at[1].result && strcmp(fr_json_text(a->at[2].result), "c") == 0);
    CHECK_TEXT(a ? a->at[1].text : "", "nonce too low: next 5");
    rpc_answers_free(a);
    a = answers("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"batches are not supported\"}}", 3);
    CHECK(a && a->refused_whole && a->count == 3 && a->at[0].fault == RPC_PARAMS && a->at[2].fault == RPC_PARAMS);
    rpc_answers_free(a);
    a = answers("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":3,\"message\":\"a\\u0007\\u00fc b\",\"data\":\"0x08\"}}", 1);
    CHECK(a && !a->refused_whole && a->at[0].fault == RPC_REVERTED && strcmp(a->at[0].text, "a b") == 0 && strcmp(a->at[0].data, "0x08") == 0);
    rpc_answers_free(a);
}

static void test_every_malformed_shape_is_refused(void)
{
    static const struct { int count; const char *text; } bad[] = {
        { 1, "" }, { 1, "null" }, { 1, "7" }, { 1, "\"x\"" }, { 1, "[]" }, { 1, "{}" }, { 2, "[]" }, { 2, "null" }, { 2, "{}" }, { 1, "<html>" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}x" },
        { 1, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}]" }, { 1, "{\"id\":7,\"result\":1}" }, { 1, "{\"jsonrpc\":\"1.0\",\"id\":7,\"result\":1}" }, { 1, "{\"jsonrpc\":2.0,\"id\":7,\"result\":1}" },
        { 1, "{\"jsonrpc\":\"2.0\",\"result\":1}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":1}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":6,\"result\":1}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":\"7\",\"result\":1}" },
        { 1, "{\"jsonrpc\":\"2.0\",\"id\":7.5,\"result\":1}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":1}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":[7],\"result\":1}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7}" },
        { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1,\"error\":{\"code\":1,\"message\":\"\"}}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":null,\"error\":null}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":null}" },
        { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":\"x\"}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":[]}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"message\":\"x\"}}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1}}" },
        { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":\"1\",\"message\":\"x\"}}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1.5,\"message\":\"x\"}}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1e300,\"message\":\"x\"}}" },
        { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1,\"message\":{}}}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"id\":7,\"result\":1}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1,\"result\":2}" },
        { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"a\":1,\"a\":2}}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\xff\"}" }, { 1, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\\u0000\"}" },
        { 2, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}]" }, { 2, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1},{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}]" },
        { 2, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1},{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":1}]" }, { 2, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1},{\"jsonrpc\":\"2.0\",\"id\":8,\"result\":1},{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":1}]" },
        { 2, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1},null]" }, { 2, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1},[]]" }, { 2, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}" },
        { 2, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1,\"message\":\"x\"}}" }, { 2, "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":1}" },
        { 2, "[{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1},{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":1,\"message\":\"x\"}}]" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rpc_answers *a = answers(bad[i].text, bad[i].count);
        if (a) printf("  %s\n", bad[i].text);
        CHECK(!a);
        CHECK_TEXT(why.code, "rpc_malformed");
        rpc_answers_free(a);
    }
}

static void test_an_answer_one_byte_too_long(void)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, RPC_ANSWER_BYTES_MAX + 10);
    fr_buf_add(&text, "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":\"\"");
    while (text.len < RPC_ANSWER_BYTES_MAX - 1) fr_buf_add_char(&text, ' ');
    fr_buf_add_char(&text, '}');
    struct rpc_answers *a = answers(text.data, 1);
    CHECK(a != NULL);
    rpc_answers_free(a);
    fr_buf_add_char(&text, ' ');
    CHECK(!answers(text.data, 1));
    CHECK_INT(why.status, FR_E_LIMIT);
}

static void test_what_each_client_says(void)
{
    static const struct { int64_t code; const char *text; enum rpc_fault fault; } said[] = {
        // geth and what shares its words (Erigon, reth, op-geth)
        { -32000, "already known", RPC_ALREADY_KNOWN }, { -32000, "nonce too low: address 0xabc, tx: 0 state: 1", RPC_NONCE_TOO_LOW }, { -32000, "nonce too high", RPC_NONCE_TOO_HIGH },
        { -32000, "replacement transaction underpriced", RPC_REPLACEMENT_UNDERPRICED }, { -32000, "transaction underpriced: gas tip cap 0, minimum needed 1", RPC_UNDERPRICED },
        { -32000, "insufficient funds for gas * price + value: balance 0, tx cost 21000", RPC_FUNDS }, { -32000, "intrinsic gas too low: gas 1, minimum needed 21000", RPC_INTRINSIC_GAS },
        { -32000, "exceeds block gas limit", RPC_GAS_LIMIT }, { -32000, "max fee per gas less than block base fee: address 0xabc, maxFeePerGas: 1, baseFee: 7", RPC_FEE_UNDER_BASE },
        { -32000, "max priority fee per gas higher than max fee per gas: address 0xabc", RPC_TIP_OVER_FEE }, { -32000, "tx fee (2.10 ether) exceeds the configured cap (1.00 ether)", RPC_FEE_OVER_CAP },
        { -32000, "txpool is full", RPC_POOL_FULL }, { -32000, "invalid sender", RPC_TX_INVALID }, { -32000, "invalid chain id for signer: have 1 want 2", RPC_TX_INVALID },
        { -32000, "future transaction tries to replace pending", RPC_REPLACEMENT_UNDERPRICED }, { -32000, "only replay-protected (EIP-155) transactions allowed over RPC", RPC_TX_INVALID },
        { 3, "execution reverted: ERC20: transfer amount exceeds balance", RPC_REVERTED }, { -32000, "execution reverted", RPC_REVERTED }, { -32000, "header not found", RPC_BLOCK_UNKNOWN }, { -32000, "unknown block", RPC_BLOCK_UNKNOWN },
        { -39001, "Unknown block", RPC_BLOCK_UNKNOWN }, { -32000, "finalized block not found", RPC_BLOCK_UNKNOWN }, { -32000, "missing trie node abc (path ) state 0xabc is not available", RPC_STATE_GONE },
        { -32602, "block range extends beyond current head block", RPC_LOGS_RANGE }, { -32601, "the method debug_x does not exist/is not available", RPC_METHOD }, { -32602, "missing value for required argument 0", RPC_PARAMS },
        { -32602, "invalid argument 0: hex string without 0x prefix", RPC_PARAMS }, { -32002, "request timed out", RPC_TIMEOUT }, { -32000, "gas required exceeds allowance (21000)", RPC_GAS_LIMIT },
        // anvil
        { -32003, "transaction already imported", RPC_ALREADY_KNOWN }, { -32003, "nonce too low", RPC_NONCE_TOO_LOW }, { -32003, "max fee per gas less than block base fee", RPC_FEE_UNDER_BASE },
        { -32003, "Insufficient funds for gas * price + value", RPC_FUNDS }, { -32003, "intrinsic gas too low", RPC_INTRINSIC_GAS }, { -32003, "intrinsic gas too high -- CallGasCostMoreThanGasLimit", RPC_GAS_LIMIT }, { -32602, "Failed to decode transaction", RPC_TX_INVALID },
        { -32003, "replacement transaction underpriced", RPC_REPLACEMENT_UNDERPRICED }, { -32601, "Method not found", RPC_METHOD }, { -32001, "block not found", RPC_BLOCK_UNKNOWN },
        // Nethermind
        { -32010, "AlreadyKnown", RPC_ALREADY_KNOWN }, { -32010, "OldNonce, Current nonce: 5, nonce of rejected tx: 3", RPC_NONCE_TOO_LOW }, { -32010, "OwnNonceAlreadyUsed", RPC_REPLACEMENT_UNDERPRICED }, { -32010, "NonceGap, Future nonce", RPC_NONCE_TOO_HIGH },
        { -32010, "ReplacementNotAllowed", RPC_REPLACEMENT_UNDERPRICED }, { -32010, "FeeTooLow, MaxFeePerGas too low", RPC_FEE_UNDER_BASE }, { -32010, "FeeTooLowToCompete", RPC_POOL_FULL }, { -32010, "FeeTooLow", RPC_UNDERPRICED },
        { -32010, "InsufficientFunds, Account balance: 0", RPC_FUNDS }, { -32010, "GasLimitExceeded", RPC_GAS_LIMIT },
        // Besu
        { -32000, "Known transaction", RPC_ALREADY_KNOWN }, { -32001, "Nonce too low", RPC_NONCE_TOO_LOW }, { -32004, "Upfront cost exceeds account balance", RPC_FUNDS }, { -32003, "Intrinsic gas exceeds gas limit", RPC_INTRINSIC_GAS },
        { -32009, "Gas price below configured minimum gas price", RPC_UNDERPRICED }, { -32000, "Replacement transaction underpriced", RPC_REPLACEMENT_UNDERPRICED }, { -32000, "World state unavailable", RPC_STATE_GONE },
        { -32000, "Transaction fee cap exceeded", RPC_FEE_OVER_CAP },
        // OpenEthereum and SKALE
        { -32010, "Transaction with the same hash was already imported.", RPC_ALREADY_KNOWN }, { -32010, "Transaction nonce is too low. Try incrementing the nonce.", RPC_NONCE_TOO_LOW },
        { -32010, "Transaction gas price is too low. There is another transaction with same nonce in the queue. Try increasing the gas price or incrementing the nonce.", RPC_REPLACEMENT_UNDERPRICED },
        { -32010, "Transaction gas price is too low. It does not satisfy your node's minimal gas price", RPC_UNDERPRICED }, { -32004, "Same nonce already in queue.", RPC_REPLACEMENT_UNDERPRICED },
        { -32004, "Pending transaction with same nonce but higher gas price exists.", RPC_REPLACEMENT_UNDERPRICED }, { -32004, "Account balance is too low (balance < value + gas * gas price). Account balance: 0", RPC_FUNDS },
        { -32004, "Transaction gas price lower than current eth_gasPrice.", RPC_UNDERPRICED },
        // providers
        { -32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2].", RPC_LOGS_RANGE }, { -32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range", RPC_LOGS_RANGE },
        { -32005, "daily request count exceeded, request rate limited", RPC_RATE }, { 429, "Your app has exceeded its compute units per second capacity", RPC_RATE }, { -32005, "limit exceeded", RPC_RATE }, { -32007, "100/second request limit reached", RPC_RATE },
        { -32614, "eth_getLogs is limited to a 10,000 range: block range is too wide", RPC_LOGS_RANGE },
        // what must not be taken for something else, least of all for success
        { -32000, "unknown transaction type", RPC_TX_INVALID }, { -32000, "unknown transaction", RPC_OTHER }, { -32000, "execution reverted: already known", RPC_REVERTED }, { -32000, "gas limit exceeded", RPC_GAS_LIMIT },
        { -32003, "Gas price below current base fee", RPC_FEE_UNDER_BASE }, { -32015, "VM execution error.", RPC_REVERTED }, { -32000, "node is syncing", RPC_INTERNAL },
        // codes alone, and nothing known
        { -32601, "", RPC_METHOD }, { -32602, "?", RPC_PARAMS }, { -32603, "", RPC_INTERNAL }, { 3, "", RPC_REVERTED }, { -32000, "a new sentence", RPC_OTHER }, { 0, "", RPC_OTHER },
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        enum rpc_fault got = rpc_fault_of(said[i].code, said[i].text);
        if (got != said[i].fault) printf("  %s: %s\n", said[i].text, rpc_fault_name(got));
        CHECK_INT(got, said[i].fault);
    }
    for (int f = 0; f < RPC_FAULTS; f++) CHECK(rpc_fault_name(f) && rpc_fault_name(f)[0]);
    CHECK_TEXT(rpc_fault_name(RPC_FAULTS), "other");
}

static struct fr_json *value(const char *text)
{
    struct fr_json *v = NULL;
    CHECK(fr_json_parse(text, strlen(text), &v, &why) == FR_OK);
    return v;
}

static void test_values(void)
{
    static const char *const quantities[] = { "\"0x0\"", "\"0x1\"", "\"0xff\"", "\"0xFF\"", "\"0xffffffffffffffff\"" };
    static const char *const no_quantities[] = { "\"\"", "\"0\"", "\"0x\"", "\"0x00\"", "\"0x01\"", "\"0X1\"", "\"1\"", "\"0x1g\"", "\"0x 1\"", "\"-0x1\"", "\"0x-1\"", "1", "null", "true", "[]", "{}", "\"0x1.0\"", "\" 0x1\"", "\"0x1 \"" };
    static const char *const words[] = { "\"" HASH_A "\"", "\"0x" H32("AA") "\"" };
    static const char *const no_words[] = { "\"0x" "\"", "\"" HASH_A "a\"", "\"" HASH_A "aa\"", "\"0x" H32("ag") "\"", "\"0X" H32("aa") "\"", "\"" H32("aa") "aa\"", "null", "7" };
    struct u256 q;
    uint64_t n;
    uint8_t word[32];
    for (size_t i = 0; i < sizeof quantities / sizeof quantities[0]; i++) {
        FR_AUTO(fr_json) v = value(quantities[i]);
        CHECK(rpc_need_quantity(v, "", &q, &why) == FR_OK && rpc_need_u64(v, "", &n, &why) == FR_OK);
    }
    CHECK(n == UINT64_MAX);
    for (size_t i = 0; i < sizeof no_quantities / sizeof no_quantities[0]; i++) {
        FR_AUTO(fr_json) v = value(no_quantities[i]);
        CHECK(rpc_need_quantity(v, "", &q, &why) == FR_E_INVALID && rpc_need_u64(v, "", &n, &why) == FR_E_INVALID);
    }
    FR_AUTO(fr_json) most = value("\"0x" H32("ff") "\"");
    FR_AUTO(fr_json) past = value("\"0x1" H32("00") "\"");
    FR_AUTO(fr_json) past64 = value("\"0x10000000000000000\"");
    CHECK(rpc_need_quantity(most, "", &q, &why) == FR_OK && rpc_need_quantity(past, "", &q, &why) == FR_E_INVALID);
    CHECK(rpc_need_u64(past64, "", &n, &why) == FR_E_INVALID && rpc_need_quantity(past64, "", &q, &why) == FR_OK);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        FR_AUTO(fr_json) v = value(words[i]);
        CHECK(rpc_need_word(v, "", word, &why) == FR_OK && word[0] == 0xaa && word[31] == 0xaa);
    }
    for (size_t i = 0; i < sizeof no_words / sizeof no_words[0]; i++) {
        FR_AUTO(fr_json) v = value(no_words[i]);
        CHECK(rpc_need_word(v, "", word, &why) == FR_E_INVALID);
    }
    FR_AUTO_BUF(data);
    fr_buf_init(&data, 100);
    FR_AUTO(fr_json) bytes = value("{\"a\":\"0x\",\"b\":\"0x0a0B\",\"c\":\"0x1\",\"d\":\"0x010203\"}");
    CHECK(rpc_need_data(bytes, "a", 2, &data, &why) == FR_OK && data.len == 0);
    CHECK(rpc_need_data(bytes, "b", 2, &data, &why) == FR_OK && data.len == 2 && data.data[1] == 0x0b);
    CHECK(rpc_need_data(bytes, "c", 2, &data, &why) == FR_E_INVALID && rpc_need_data(bytes, "d", 2, &data, &why) == FR_E_INVALID && rpc_need_data(bytes, "e", 2, &data, &why) == FR_E_INVALID);
}

#define LOG(block, hash, tx, txhash, no, more) "{\"address\":\"" ADDRESS "\",\"topics\":[\"" TOPIC "\"],\"data\":\"0x01\",\"blockNumber\":\"" block "\",\"blockHash\":\"" hash \
    "\",\"transactionIndex\":\"" tx "\",\"transactionHash\":\"" txhash "\",\"logIndex\":\"" no "\"" more "}"
#define RECEIPT(status, logs, more) "{\"transactionHash\":\"" HASH_A "\",\"blockHash\":\"" HASH_B "\",\"blockNumber\":\"0x5\",\"transactionIndex\":\"0x1\",\"gasUsed\":\"0x5208\",\"effectiveGasPrice\":\"0x7\",\"status\":\"" status \
    "\",\"from\":\"" ADDRESS "\",\"to\":\"" ADDRESS "\",\"contractAddress\":null,\"logs\":[" logs "]" more "}"

static bool reads(const char *text, enum rpc_kind kind, struct fr_buf *out)
{
    FR_AUTO(fr_json) v = value(text);
    fr_buf_clear(out);
    return rpc_canonical(v, kind, out, &why) == FR_OK;
}

static void test_logs_of_one_chain_only(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 100000);
    CHECK(reads("[]", RPC_LOGS, &out));
    CHECK_TEXT(out.data, "logs 0\n");
    CHECK(reads("[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x0", "") "," LOG("0x5", HASH_B, "0x0", HASH_A, "0x1", ",\"removed\":false,\"blockTimestamp\":\"0x1\"") "," LOG("0x6", HASH_A, "0x0", HASH_B, "0x0", "") "]", RPC_LOGS, &out));
    static const char *const bad[] = {
        "null", "{}", "7", "[null]", "[7]", "[{}]", "[[]]",
        "[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x0", ",\"removed\":true") "]", "[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x0", ",\"removed\":1") "]", "[" LOG("0x05", HASH_B, "0x0", HASH_A, "0x0", "") "]",
        "[" LOG("0x5", "0x", "0x0", HASH_A, "0x0", "") "]", "[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x1", "") "," LOG("0x5", HASH_B, "0x0", HASH_A, "0x1", "") "]",
        "[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x1", "") "," LOG("0x5", HASH_B, "0x0", HASH_A, "0x0", "") "]", "[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x0", "") "," LOG("0x4", HASH_A, "0x0", HASH_A, "0x1", "") "]",
        "[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x0", "") "," LOG("0x5", HASH_A, "0x0", HASH_A, "0x1", "") "]",           // a block with two hashes
        "[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x0", "") "," LOG("0x5", HASH_B, "0x0", HASH_B, "0x1", "") "]",           // a place with two transactions
        "[" LOG("0x5", HASH_B, "0x0", HASH_A, "0x0", "") "," LOG("0x5", HASH_B, "0x1", HASH_A, "0x1", "") "]",           // a transaction in two places
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (reads(bad[i], RPC_LOGS, &out)) printf("  %s\n", bad[i]);
        CHECK(!reads(bad[i], RPC_LOGS, &out));
    }
    FR_AUTO_BUF(many);
    fr_buf_init(&many, JSON_TEXT_BYTES_MAX);
    fr_buf_add(&many, "[0");
    for (int i = 0; i < RPC_LOGS_MAX; i++) fr_buf_add(&many, ",0");
    fr_buf_add(&many, "]");
    CHECK(!reads(many.data, RPC_LOGS, &out));
    CHECK_INT(why.status, FR_E_LIMIT);
}

static void test_receipts(void)
{
    FR_AUTO_BUF(out); FR_AUTO_BUF(again);
    fr_buf_init(&out, 100000);
    fr_buf_init(&again, 100000);
    CHECK(reads("null", RPC_RECEIPT, &out));
    CHECK_TEXT(out.data, "null\n");
    CHECK(reads(RECEIPT("0x1", LOG("0x5", HASH_B, "0x1", HASH_A, "0x0", ""), ""), RPC_RECEIPT, &out));
    // What another client adds, and how it writes letters, changes nothing; any fact does.
    CHECK(reads(RECEIPT("0x1", LOG("0x5", "0x" H32("BB"), "0x1", HASH_A, "0x0", ",\"removed\":false"), ",\"type\":\"0x2\",\"logsBloom\":\"0x00\",\"cumulativeGasUsed\":\"0x1\""), RPC_RECEIPT, &again));
    CHECK_TEXT(again.data, out.data);
    CHECK(reads(RECEIPT("0x1", "", ""), RPC_RECEIPT, &again) && strcmp(again.data, out.data) != 0);
    CHECK(reads(RECEIPT("0x0", "", ""), RPC_RECEIPT, &again) && strstr(again.data, "success=0"));
    static const char *const bad[] = { "7", "[]", "{}", "\"0x1\"", RECEIPT("0x2", "", ""), RECEIPT("0x01", "", ""), RECEIPT("", "", ""), RECEIPT("0x0", LOG("0x5", HASH_B, "0x1", HASH_A, "0x0", ""), ""),
        RECEIPT("0x1", LOG("0x5", HASH_B, "0x1", HASH_B, "0x0", ""), ""), RECEIPT("0x1", LOG("0x5", HASH_A, "0x1", HASH_A, "0x0", ""), ""), RECEIPT("0x1", LOG("0x6", HASH_B, "0x1", HASH_A, "0x0", ""), ""),
        RECEIPT("0x1", LOG("0x5", HASH_B, "0x2", HASH_A, "0x0", ""), ""), RECEIPT("0x1", "7", ""),
        "{\"transactionHash\":\"" HASH_A "\",\"blockHash\":\"" HASH_B "\",\"blockNumber\":\"0x5\",\"transactionIndex\":\"0x1\",\"gasUsed\":\"0x5208\",\"effectiveGasPrice\":\"0x7\",\"status\":\"0x1\",\"from\":\"" ADDRESS "\"}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(!reads(bad[i], RPC_RECEIPT, &out));
}

static void test_blocks_and_plain_values(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 100000);
    CHECK(reads("{\"number\":\"0x10\",\"timestamp\":\"0x1\",\"hash\":\"" HASH_A "\",\"parentHash\":\"" HASH_B "\",\"extra\":[1]}", RPC_BLOCK, &out));
    CHECK_TEXT(out.data, "block number=16 time=1 hash=" H32("aa") " parent=" H32("bb") "\n");
    CHECK(reads("null", RPC_BLOCK, &out));
    CHECK(!reads("{\"number\":null,\"timestamp\":\"0x1\",\"hash\":\"" HASH_A "\",\"parentHash\":\"" HASH_B "\"}", RPC_BLOCK, &out) && !reads("[]", RPC_BLOCK, &out));
    CHECK(reads("\"0xff\"", RPC_QUANTITY, &out));
    CHECK_TEXT(out.data, "255\n");
    CHECK(reads("\"" HASH_A "\"", RPC_WORD, &out) && !reads("\"0x1\"", RPC_WORD, &out));
    CHECK(reads("{\"b\":1,\"a\":[true]}", RPC_ANY, &out));
    CHECK_TEXT(out.data, "{\"a\":[true],\"b\":1}\n");
    fr_buf_free(&out);
    fr_buf_init(&out, 10);
    CHECK(!reads("\"a text that is longer\"", RPC_ANY, &out));
    CHECK_INT(why.status, FR_E_LIMIT);
}

static void test_memory_runs_out_anywhere(void)
{
    const char *text = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":[" LOG("0x5", HASH_B, "0x1", HASH_A, "0x0", "") "]}";
    bool whole = false;
    for (int nth = 1; nth < 30 && !whole; nth++) {
        FR_AUTO(rpc_answers) a = NULL;
        FR_AUTO_BUF(out);
        fr_buf_init(&out, 100000);
        fr_mem_fail_some(nth, 1);
        enum fr_status st = rpc_read(text, strlen(text), 1, 7, &a, &why);
        if (st == FR_OK) st = rpc_canonical(a->at[0].result, RPC_LOGS, &out, &why);
        fr_mem_fail_at(0);
        CHECK(st == FR_OK || st == FR_E_NOMEM);
        whole = st == FR_OK;
    }
    CHECK(whole);
}

int main(void)
{
    TEST(test_requests);
    TEST(test_answers_are_matched_by_id);
    TEST(test_every_malformed_shape_is_refused);
    TEST(test_an_answer_one_byte_too_long);
    TEST(test_what_each_client_says);
    TEST(test_values);
    TEST(test_logs_of_one_chain_only);
    TEST(test_receipts);
    TEST(test_blocks_and_plain_values);
    TEST(test_memory_runs_out_anywhere);
    return TEST_END();
}
