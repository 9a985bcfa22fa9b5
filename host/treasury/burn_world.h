// burn_world.h — for burn's tests: a chain in memory with PALM and the burn module on it, a node, a signer, a store, and coins that are given up. Around the real endpoints and txq.
//
// Blocks come by a clock of the test's own; a block is final FINAL_DEPTH behind the newest. What was sent is mined when its nonce is next. A reorg takes the newest blocks away and
// puts what was in them back into the pool, or forgets it. Any answer may be lost; objects may be dropped at any boundary and made anew from the store.
#pragma once
#include "store/test_disk.h"
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <uv.h>
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "chain/abi.h"
#include "chain/keccak.h"
#include "store/store.h"
#include "store/test.h"
#include "treasury/burn_inside.h"

#define BLOCK_MS 100
#define FINAL_DEPTH 3
#define TXS 4096
#define FIRST_BURNED (22500000 * PALM_UNITS)
static const struct address module_at = { { 0xb0, 1 } }, token_at = { { 0xa0, 2 } }, vault_at = { { 0xc0, 3 } };
static struct address module_used = { { 0xb0, 1 } };          // what burn is told
static uv_loop_t loop;
static struct fr_err why;
static struct store *s;
static struct endpoints *e;
static struct txq *q;
static struct burn *burn;

// ---- the chain

struct world_tx { uint8_t hash[32]; uint64_t nonce, block, fork; bool burns, success, held; uint8_t id[32], root[32]; struct u256 amount, fee; };
static struct {
    struct world_tx txs[TXS]; int count;
    uint64_t height, fork;                 // fork: of each block from here on, so that hashes differ after a reorg
    uint64_t fork_of[100000];
    bool paused, still, out_of_order;      // still: no blocks
    int64_t day_limit, gas_price;
    int answers_lost, reverts_next;        // per thousand; so many burns fail for no reason
    unsigned noise;
    int64_t clock_ms, next_block_ms;
    int asked_batch, asked_logs, sent;     // how often
    int logs_most;                         // blocks in one question for logs; 0: any
    bool refute;                           // batch(id) says nothing was burned
} w;

static unsigned below(unsigned n)
{
    w.noise = w.noise * 1103515245u + 12345;
    return (w.noise >> 8) % n;
}
static uint64_t nonce_at(uint64_t block)
{
    uint64_t n = 0;
    for (int i = 0; i < w.count; i++) n += w.txs[i].block && w.txs[i].block <= block;
    return n;
}
static const struct world_tx *burned_at(const uint8_t id[32], uint64_t block)
{
    for (int i = 0; i < w.count; i++)
        if (w.txs[i].burns && w.txs[i].success && w.txs[i].block && w.txs[i].block <= block && memcmp(w.txs[i].id, id, 32) == 0) return &w.txs[i];
    return NULL;
}
static int64_t burned_sum(uint64_t block)
{
    int64_t sum = 0;
    for (int i = 0; i < w.count; i++)
        if (w.txs[i].burns && w.txs[i].success && w.txs[i].block && w.txs[i].block <= block) sum += (int64_t)w.txs[i].amount.limb[0];
    return sum;
}
static int burned_batches(void)
{
    int n = 0;
    for (int i = 0; i < w.count; i++) n += w.txs[i].burns && w.txs[i].success && w.txs[i].block;
    return n;
}
static bool would_burn(const struct world_tx *t)
{
    return !w.paused && !burned_at(t->id, w.height) && (int64_t)t->amount.limb[0] <= w.day_limit;
}
static void mine(void)
{
    w.height++;
    w.fork_of[w.height] = w.fork;
    for (int i = 0; i < w.count; i++) {
        struct world_tx *t = &w.txs[i];
        if (t->block || t->held || t->nonce != nonce_at(w.height)) continue;
        bool reverts = t->burns && w.reverts_next > 0 && w.reverts_next--;
        t->success = !t->burns || (!reverts && would_burn(t));
        t->block = w.height;
        t->fork = w.fork;
        i = -1;
    }
}
static void reorg(int depth, bool forget)
{
    uint64_t from = w.height > (uint64_t)depth ? w.height - (uint64_t)depth : 0;
    w.fork++;
    for (int i = 0; i < w.count; i++)
        if (w.txs[i].block > from) w.txs[i].block = 0, w.txs[i].held = forget;
    for (uint64_t h = from + 1; h <= w.height; h++) w.fork_of[h] = w.fork;
}

// ---- its node

struct pending { struct pending *next; char *body; size_t len; transport_done_fn *done; void *arg; };
static struct pending *pending;
static int64_t world_now(void *arg) { (void)arg; return w.clock_ms; }
static enum fr_status world_post(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)arg, (void)timeout_ms, (void)answer_max, (void)err, (void)url;
    struct pending *p = calloc(1, sizeof *p), **at = &pending;
    *p = (struct pending){ .body = strndup(body, len), .len = len, .done = done, .arg = done_arg };
    while (*at) at = &(*at)->next;
    *at = p;
    return FR_OK;
}

static void block_hash(uint64_t n, char out[65]) { snprintf(out, 65, "%016llx%048llx", (unsigned long long)(n <= w.height ? w.fork_of[n] : 0) + 1, (unsigned long long)n); }

static void send_raw(const char *hex, struct fr_buf *out)
{
    static uint8_t raw[TX_BYTES_MAX];
    size_t len = strlen(hex) / 2 - 1;
    uint8_t hash[32], selector[4];
    char text[65];
    struct tx t;
    struct signature sig;
    struct address from;
    w.sent++;
    CHECK(fr_unhex(hex + 2, 2 * len, raw, len) && tx_read(raw, len, &t, &sig, &from, &why) == FR_OK && t.chain_id == 7);
    keccak256(raw, len, hash);
    struct world_tx *have = NULL;
    for (int i = 0; i < w.count; i++)
        if (memcmp(w.txs[i].hash, hash, 32) == 0) have = &w.txs[i];
    if (have && !have->held) {
        fr_buf_add(out, "\"error\":{\"code\":-32000,\"message\":\"already known\"}}");
        return;
    }
    if (!have && t.nonce < nonce_at(w.height)) {
        fr_buf_add(out, "\"error\":{\"code\":-32000,\"message\":\"nonce too low\"}}");
        return;
    }
    for (int i = 0; i < w.count; i++)
        if (!w.txs[i].block && w.txs[i].nonce == t.nonce && w.txs + i != have) w.txs[i].held = true;        // replaced
    assert(w.count < TXS);
    if (!have) have = &w.txs[w.count++], *have = (struct world_tx){ .nonce = t.nonce };
    have->held = false;
    memcpy(have->hash, hash, 32);
    abi_selector("burn(bytes32,uint256,bytes32)", selector);
    if (t.data_len == 100 && memcmp(t.data, selector, 4) == 0 && address_equal(&t.to, &module_at)) {
        have->burns = true;
        memcpy(have->id, t.data + 4, 32);
        have->amount = u256_from_bytes(t.data + 36);
        memcpy(have->root, t.data + 68, 32);
    }
    fr_buf_addf(out, "\"result\":\"0x%s\"}", fr_hex(hash, 32, text));
}

static void receipt(const char *hex, struct fr_buf *out)
{
    uint8_t hash[32];
    char block[65];
    CHECK(fr_unhex(hex + 2, 64, hash, 32));
    for (int i = 0; i < w.count; i++) {
        struct world_tx *t = &w.txs[i];
        if (!t->block || memcmp(t->hash, hash, 32) != 0) continue;
        block_hash(t->block, block);
        fr_buf_addf(out, "\"result\":{\"transactionHash\":\"%s\",\"blockHash\":\"0x%s\",\"blockNumber\":\"0x%llx\",\"transactionIndex\":\"0x0\",\"gasUsed\":\"0x5208\",\"effectiveGasPrice\":\"0x1\",\"status\":\"0x%d\",\"from\":\"0x%040d\",\"to\":\"0x%040d\",\"logs\":[]}}", hex,
                    block, (unsigned long long)t->block, t->success, 0, 0);
        return;
    }
    fr_buf_add(out, "\"result\":null}");
}

static void add_word(struct fr_buf *out, struct u256 v)
{
    uint8_t bytes[32];
    char hex[65];
    u256_to_bytes(v, bytes);
    fr_buf_add(out, fr_hex(bytes, 32, hex));
}

static bool is_call(const char *data, const char *signature)
{
    uint8_t selector[4];
    char hex[9];
    abi_selector(signature, selector);
    return strncmp(data + 2, fr_hex(selector, 4, hex), 8) == 0;
}

static void answer_eth_call(const struct fr_json *params, struct fr_buf *out)
{
    const struct fr_json *call = fr_json_child(params);
    const char *data = fr_json_text(fr_json_get(call, "data")), *tag = fr_json_text(fr_json_next(call));
    uint64_t at = tag[0] == '0' ? strtoull(tag + 2, NULL, 16) : w.height;
    uint8_t bytes[100];
    char hex[65];
    if (!data || strlen(data) < 10) {
        fr_buf_add(out, "\"result\":\"0x\"}");
        return;
    }
    if (is_call(data, "burn(bytes32,uint256,bytes32)")) {
        struct world_tx t = { .burns = true };
        CHECK(strlen(data) == 202 && fr_unhex(data + 2, 200, bytes, 100));
        memcpy(t.id, bytes + 4, 32);
        t.amount = u256_from_bytes(bytes + 36);
        if (would_burn(&t)) fr_buf_add(out, "\"result\":\"0x\"}");
        else fr_buf_add(out, "\"error\":{\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x12345678\"}}");
        return;
    }
    struct address to;
    CHECK(address_parse(fr_json_text(fr_json_get(call, "to")), &to, &why) == FR_OK);
    fr_buf_add(out, "\"result\":\"0x");
    if (!address_equal(&to, &module_at) && !address_equal(&to, &token_at)) {}          // nothing lies there
    else if (is_call(data, "batch(bytes32)")) {
        w.asked_batch++;
        CHECK(fr_unhex(data + 10, 64, bytes, 32));
        const struct world_tx *t = w.refute ? NULL : burned_at(bytes, at);
        add_word(out, t ? t->amount : u256_of(0));
        add_word(out, u256_of(t ? t->block : 0));
        add_word(out, u256_of(t ? 1700000000 + t->block : 0));
        fr_buf_add(out, t ? fr_hex(t->root, 32, hex) : "0000000000000000000000000000000000000000000000000000000000000000");
    } else if (is_call(data, "paused()")) add_word(out, u256_of(w.paused));
    else if (is_call(data, "dayLimit()")) add_word(out, u256_of((uint64_t)w.day_limit));
    else if (is_call(data, "totalSupply()")) add_word(out, u256_of((uint64_t)(SUPPLY_BEFORE_UNITS - burned_sum(at))));
    else if (is_call(data, "totalBurned()")) add_word(out, u256_of((uint64_t)(burned_sum(at) + (address_equal(&to, &token_at) ? FIRST_BURNED : 0))));
    fr_buf_add(out, "\"}");
}

static void answer_logs(const struct fr_json *params, struct fr_buf *out)
{
    const struct fr_json *f = fr_json_child(params);
    uint64_t from = strtoull(fr_json_text(fr_json_get(f, "fromBlock")) + 2, NULL, 16), to = strtoull(fr_json_text(fr_json_get(f, "toBlock")) + 2, NULL, 16);
    uint8_t topic[32];
    char hex[4][65], module[ADDRESS_TEXT_BYTES];
    int n = 0;
    w.asked_logs++;
    if (w.logs_most && to - from + 1 > (uint64_t)w.logs_most) {
        fr_buf_add(out, "\"error\":{\"code\":-32005,\"message\":\"query exceeds max block range\"}}");
        return;
    }
    abi_event_topic("BatchBurned(bytes32,bytes32,uint256,uint256)", topic);
    fr_buf_add(out, "\"result\":[");
    for (uint64_t h = from; h <= to && h <= w.height; h++) {
        int index = 0;
        for (int i = 0; i < w.count; i++) {
            const struct world_tx *t = &w.txs[i];
            if (!t->burns || !t->success || t->block != h) continue;
            block_hash(h, hex[0]);
            fr_buf_addf(out, "%s{\"address\":\"%s\",\"topics\":[\"0x%s\",\"0x%s\",\"0x%s\"],\"data\":\"0x", n++ ? "," : "", address_text(&module_at, module), fr_hex(topic, 32, hex[1]), fr_hex(t->id, 32, hex[2]), fr_hex(t->root, 32, hex[3]));
            add_word(out, t->amount);
            add_word(out, u256_of(19000));
            fr_buf_addf(out, "\",\"blockNumber\":\"0x%llx\",\"blockHash\":\"0x%s\",\"transactionHash\":\"0x%s\",\"transactionIndex\":\"0x%x\",\"logIndex\":\"0x%x\",\"removed\":false}", (unsigned long long)h, hex[0], fr_hex(t->hash, 32, hex[1]), index, index);
            index++;
        }
    }
    fr_buf_add(out, "]}");
}

static void answer_call(const struct fr_json *c, struct fr_buf *out)
{
    const char *method = fr_json_text(fr_json_get(c, "method"));
    const struct fr_json *params = fr_json_get(c, "params"), *second = fr_json_child(params) ? fr_json_next(fr_json_child(params)) : NULL;
    const char *first = fr_json_child(params) ? fr_json_text(fr_json_child(params)) : NULL, *tag = second ? fr_json_text(second) : NULL;
    char hex[65], parent[65];
    fr_buf_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":%d,", (int)fr_json_number(fr_json_get(c, "id")));
    if (strcmp(method, "eth_chainId") == 0) fr_buf_add(out, "\"result\":\"0x7\"}");
    else if (strcmp(method, "eth_blockNumber") == 0) fr_buf_addf(out, "\"result\":\"0x%llx\"}", (unsigned long long)w.height);
    else if (strcmp(method, "eth_getBlockByNumber") == 0) {
        uint64_t n = strcmp(first, "0x0") == 0 ? 0 : w.height;
        block_hash(n, hex);
        block_hash(n ? n - 1 : 0, parent);
        fr_buf_addf(out, "\"result\":{\"number\":\"0x%llx\",\"timestamp\":\"0x1\",\"hash\":\"0x%s\",\"parentHash\":\"0x%s\",\"baseFeePerGas\":\"0x3b9aca00\"}}", (unsigned long long)n, hex, parent);
    } else if (strcmp(method, "eth_getTransactionCount") == 0) {
        uint64_t at = strcmp(tag, "latest") == 0 || strcmp(tag, "pending") == 0 ? w.height : strtoull(tag + 2, NULL, 16), n = nonce_at(at);
        for (int i = 0; strcmp(tag, "pending") == 0 && i < w.count; i++)
            if (!w.txs[i].block && !w.txs[i].held && w.txs[i].nonce == n) n++, i = -1;
        fr_buf_addf(out, "\"result\":\"0x%llx\"}", (unsigned long long)n);
    } else if (strcmp(method, "eth_getBalance") == 0) fr_buf_add(out, "\"result\":\"0xffffffffffffffffffff\"}");
    else if (strcmp(method, "eth_gasPrice") == 0) fr_buf_addf(out, "\"result\":\"0x%llx\"}", (unsigned long long)w.gas_price);
    else if (strcmp(method, "eth_feeHistory") == 0) fr_buf_add(out, "\"result\":{\"oldestBlock\":\"0x1\",\"baseFeePerGas\":[\"0x1\",\"0x3b9aca00\"],\"gasUsedRatio\":[0.5],\"reward\":[[\"0x3b9aca00\"]]}}");
    else if (strcmp(method, "eth_call") == 0) answer_eth_call(params, out);
    else if (strcmp(method, "eth_getLogs") == 0) answer_logs(params, out);
    else if (strcmp(method, "eth_sendRawTransaction") == 0) send_raw(first, out);
    else if (strcmp(method, "eth_getTransactionReceipt") == 0) receipt(first, out);
    else fr_buf_add(out, "\"error\":{\"code\":-32601,\"message\":\"the method does not exist\"}}");
}

// What a question is about, for counting: the first call's method, and of eth_call its function.
static const char *kind_of(const char *body)
{
    static const char *const methods[] = { "eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_getLogs", "eth_gasPrice", "eth_blockNumber" };
    uint8_t selector[4];
    char hex[9];
    abi_selector("batch(bytes32)", selector);
    if (strstr(body, fr_hex(selector, 4, hex))) return "batch(id)";
    abi_selector("burn(bytes32,uint256,bytes32)", selector);
    if (strstr(body, fr_hex(selector, 4, hex)) && strstr(body, "eth_call")) return "preflight";
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strstr(body, methods[i])) return methods[i];
    return NULL;
}

static void answer(struct pending *p)
{
    FR_AUTO(fr_json) c = NULL;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4 << 20);
    CHECK(fr_json_parse(p->body, p->len, &c, &why) == FR_OK);
    if (fr_json_kind(c) == JSON_ARRAY) {
        const char *comma = "[";
        for (const struct fr_json *one = fr_json_child(c); one; one = fr_json_next(one), comma = ",") {
            fr_buf_add(&out, comma);
            answer_call(one, &out);
        }
        fr_buf_add(&out, "]");
    } else answer_call(c, &out);
    if ((int)below(1000) < w.answers_lost) fr_buf_clear(&out), fr_buf_add(&out, "<html>");         // it was done all the same
    p->done(p->arg, FR_OK, 200, out.data ? out.data : "", out.len, 0, NULL);
}

// ---- a signer

struct signing { struct signing *next; struct tx t; sign_done_fn *done; void *arg; };
static struct signing *signings;
static const uint8_t secret[32] = { 1, 2, 3 };
static enum fr_status sign(struct chain_signer *port, const struct sign_ask *ask, sign_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)port, (void)err;
    struct signing *n = calloc(1, sizeof *n);
    *n = (struct signing){ signings, ask->tx, done, done_arg };
    signings = n;
    return FR_OK;
}
static struct chain_signer signer = { .sign = sign };
static void sign_all(void)
{
    for (struct signing *n; (n = signings); free(n)) {
        static uint8_t raw[TX_BYTES_MAX];
        uint8_t hash[32];
        size_t len = 0;
        struct signature sig = { 0 };
        signings = n->next;
        CHECK(tx_signing_hash(&n->t, hash, &why) == FR_OK);
        CHECK(signature_make(secret, hash, &sig, &why) == FR_OK);
        CHECK(tx_raw(&n->t, &sig, raw, sizeof raw, &len, hash, &why) == FR_OK);
        n->done(n->arg, FR_OK, &(struct sign_answer){ .sig = sig, .raw = raw, .raw_len = len }, NULL);
    }
}

// ---- what is tested

static struct treasury_token tokens[] = { { .asset = "PALM", .ledger_decimals = 9, .chain_decimals = 9 } };
static struct burn_options rules = { .asset = "PALM", .threshold_units = 1000, .age_ms = 60000, .hard_age_ms = 600000, .look_ms = 100 };
static char halt_code[40];
static bool other_halt;
static void on_wake(void *arg) { (void)arg; if (q) txq_wake(q); }
static void on_halt(void *arg, const char *part, const char *code, const char *text)
{
    (void)arg;
    CHECK(strcmp(part, "burn") == 0 && (code == NULL) == (text == NULL));
    snprintf(halt_code, sizeof halt_code, "%s", code ? code : "");
}
static bool on_halted(void *arg) { (void)arg; return halt_code[0] || other_halt; }

static void start(void)
{
    static const struct endpoint_config at[] = { { .name = "n0", .url = "http://n0/" } };
    struct endpoints_config ec = { .chain_id = 7, .at = at, .count = 1, .transport = { .post = world_post, .now_ms = world_now } };
    struct txq_config tc = { .queue = TREASURY_QUEUE, .chain_id = 7, .fee_percentile = 50, .final = { .quorum = 1, .blocks = FINAL_DEPTH }, .store = s, .signer = &signer, .now_ms = world_now, .on_end = burn_on_end,
                             .rules = { .fees = { .max_fee_cap = u256_of(100000000000), .tip_cap = u256_of(5000000000), .tip_least = u256_of(1) }, .day_most = { { 0, 1 } }, .look_ms = 50, .resend_ms = 2000, .raise_ms = 200000, .retry_ms = 50 } };
    tokens[0].at = token_at;
    rules.module = module_used;
    CHECK(secret_key_address(secret, &tc.address, &why) == FR_OK);
    CHECK(endpoints_new(&ec, &e, &why) == FR_OK);
    tc.endpoints = e;
    CHECK(txq_new(&tc, &q, &why) == FR_OK);
    struct treasury_part part = { .store = s, .endpoints = e, .final = { .quorum = 1, .blocks = FINAL_DEPTH }, .chain_id = 7, .vault = vault_at, .tokens = tokens, .token_count = 1,
                                  .now_ms = world_now, .wake = on_wake, .halt = on_halt, .halted = on_halted };
    halt_code[0] = 0;
    CHECK(burn_new(&part, &rules, &burn, &why) == FR_OK);
}
static void stop(void)
{
    endpoints_free(e);
    txq_free(q);
    burn_free(burn);
    e = NULL;
    q = NULL;
    burn = NULL;
}
static void crash(void) { stop(), start(); }

static void world_new(void)
{
    memset(&w, 0, sizeof w);
    w.height = 10;
    w.noise = 1;
    w.day_limit = 1000000000000LL;
    w.gas_price = 1000000000;
    w.clock_ms = w.next_block_ms = 1800000000000LL;
    other_halt = false;
}
static void begin(void)
{
    test_folder_new();
    if (disk.real) disk_begin();
    s = test_open(&loop);
    world_new();
    start();
}
static void disk_full(bool full)
{
    pthread_mutex_lock(&disk.mutex);
    disk.fail_code = SQLITE_FULL;
    disk.fail_on = full;
    disk.fail_at = full ? disk.operations + 1 : 0;
    pthread_mutex_unlock(&disk.mutex);
}
static void drain(void)
{
    for (struct pending *p; (p = pending); free(p->body), free(p)) {
        pending = p->next;
        answer(p);
    }
    sign_all();
}
static void end(void)
{
    stop();
    drain();
    test_close(s, &loop);
    test_folder_drop();
}

// Crashes by kind: before an answer is heard, after it, when a commit is on disk and nobody was told, after it was told.
#define KINDS_MAX 40
static struct { char name[48]; int crashes; } kinds[KINDS_MAX]; static int kind_count;
static int crash_permille, crash_most;
static bool crash_here(const char *what, const char *kind)
{
    char name[48];
    int i = 0;
    if (!kind || crash_permille == 0) return false;
    snprintf(name, sizeof name, "%s %s", what, kind);
    while (i < kind_count && strcmp(kinds[i].name, name) != 0) i++;
    if (i == kind_count && kind_count < KINDS_MAX) snprintf(kinds[kind_count++].name, sizeof kinds[0].name, "%s", name);
    if (kinds[i].crashes >= crash_most || (int)below(1000) >= crash_permille) return false;
    kinds[i].crashes++;
    crash();
    return true;
}

static void run(int ms)
{
    static int64_t groups;
    for (int64_t until = w.clock_ms + ms; w.clock_ms < until; w.clock_ms += 10) {
        if (w.clock_ms >= w.next_block_ms && !w.still) mine(), w.next_block_ms = w.clock_ms + BLOCK_MS;
        for (struct pending *p; (p = pending); free(p->body), free(p)) {
            const char *kind = kind_of(p->body);
            pending = p->next;
            crash_here("before", kind);    // the answer then comes to endpoints that are gone, and has taken effect
            answer(p);
            crash_here("after", kind);
        }
        if (signings) crash_here("before", "signed");
        sign_all();
        endpoints_tick(e);
        txq_tick(q);
        burn_tick(burn);
        int64_t now_groups = store_stats(s).groups;
        if (now_groups != groups && crash_permille) crash_here("untold", "commit");
        for (int i = 0; i < 3; i++) uv_run(&loop, UV_RUN_NOWAIT);
        if (now_groups != groups && crash_permille) crash_here("told", "commit");
        groups = now_groups;
        test_store_step(s, &loop);
    }
}

// ---- coins that are given up

struct credit { const char *plugin, *reason, *note; int64_t units, id; char key[64]; };
static enum fr_status credit_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct credit *c = arg;
    struct ledger_account from, to;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "PALM", &from, err));
    FR_TRY(ledger_account(txn, OWNER_BURN, c->plugin, "PALM", &to, err));
    struct ledger_leg legs[] = { { from.id, -c->units }, { to.id, c->units } };
    struct ledger_transfer t = { .key = c->key, .reason = c->reason, .note = c->note, .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, w.clock_ms, &c->id, err);
}
static int credits_made;
static int64_t credit(const char *plugin, int64_t units)
{
    char note[40];
    struct credit c = { .plugin = plugin, .reason = "match", .note = note, .units = units };
    snprintf(note, sizeof note, "0192f0aa-0000-7000-8000-%012d", ++credits_made);
    snprintf(c.key, sizeof c.key, "credit:%d", credits_made);
    CHECK(store_now(s, credit_job, &c, &why) == FR_OK);
    return c.id;
}

struct look { const char *id, *asset; struct fr_buf out; bool yes; int64_t units[8]; int64_t count[8]; struct burn_chain_supply chain; const struct burn_reader *reader; const struct burn_filter *filter; };
static const struct burn_reader all = { .operator = true };
static struct fr_json *parsed(struct look *l, store_job_fn *job)
{
    struct fr_json *v = NULL;
    fr_buf_init(&l->out, 1 << 20);
    enum fr_status st = store_now(s, job, l, &why);
    if (st == FR_OK) CHECK(fr_json_parse(l->out.data, l->out.len, &v, &why) == FR_OK);
    fr_buf_free(&l->out);
    return v;
}
static enum fr_status show_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return burn_show(txn, l->id, l->reader ? l->reader : &all, &l->out, err); }
static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return burn_list(txn, l->filter, l->reader ? l->reader : &all, &l->out, err); }
static enum fr_status batches_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return burn_batches(txn, 0, 100, &l->out, err); }
static enum fr_status supply_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return burn_supply(txn, l->asset, "marketing", &l->chain, &l->out, err); }
static struct fr_json *show(const char *id) { struct look l = { .id = id }; return parsed(&l, show_job); }
static struct fr_json *batches(void) { struct look l = { 0 }; return parsed(&l, batches_job); }

struct order { const char *what, *id; struct fr_buf out; };
static enum fr_status order_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct order *o = arg;
    if (strcmp(o->what, "run") == 0) return burn_run(txn, o->id, w.clock_ms, err);
    if (strcmp(o->what, "return") == 0) return burn_return(txn, o->id, err);
    if (strcmp(o->what, "adopt") == 0) return burn_adopt(txn, o->id, w.clock_ms, &o->out, err);
    return burn_pause(txn, strcmp(o->what, "pause") == 0, err);
}
static enum fr_status order(const char *what, const char *id)
{
    struct order o = { .what = what, .id = id };
    fr_buf_init(&o.out, 4096);
    enum fr_status st = store_now(s, order_job, &o, &why);
    fr_buf_free(&o.out);
    if (burn) burn_wake(burn);
    if (q) txq_wake(q);
    return st;
}

// ---- what must hold

static int64_t number(struct store_txn *txn, const char *which)
{
    struct store_row *row = NULL;
    bool found = false;
    int64_t n = -1;
    enum fr_status st = strcmp(which, "accruals") == 0 ? sql_begin(txn, "SELECT count(*) FROM burn_accrual", &row, &why) :
                        strcmp(which, "units") == 0 ? sql_begin(txn, "SELECT coalesce(sum(units), 0) FROM burn_accrual", &row, &why) :
                        strcmp(which, "pending") == 0 ? sql_begin(txn, "SELECT coalesce(sum(units), 0) FROM burn_accrual WHERE batch = 0", &row, &why) :
                        strcmp(which, "open") == 0 ? sql_begin(txn, "SELECT count(*) FROM burn_batch WHERE state IN (1, 2, 3, 6)", &row, &why) :
                        strcmp(which, "burned") == 0 ? sql_begin(txn, "SELECT coalesce(sum(units + lost), 0) FROM burn_batch WHERE state = 4", &row, &why) :
                        strcmp(which, "in_burned") == 0 ? sql_begin(txn, "SELECT coalesce(sum(units), 0) FROM burn_accrual WHERE batch IN (SELECT n FROM burn_batch WHERE state = 4)", &row, &why) :
                        strcmp(which, "totals") == 0 ? sql_begin(txn, "SELECT coalesce(sum(units), 0) FROM burn_total", &row, &why) :
                        strcmp(which, "lost") == 0 ? sql_begin(txn, "SELECT coalesce(sum(lost), 0) FROM burn_batch WHERE state = 4", &row, &why) :
                        strcmp(which, "in_returned") == 0 ? sql_begin(txn, "SELECT count(*) FROM burn_accrual WHERE batch IN (SELECT n FROM burn_batch WHERE state = 5)", &row, &why) :
                        sql_begin(txn, "SELECT count(*) FROM burn_batch WHERE state = 4", &row, &why);
    if (st == FR_OK && sql_step(row, &found, &why) == FR_OK && found) n = sql_int(row, 0);
    sql_end(row);
    return n;
}
struct books { int64_t free_units, held_units, burned_units, lost_units, sums, accruals, units, pending, open, burned_rows, in_burned, totals, lost_rows, in_returned, batches; bool audit; };
static bool alive(struct store_txn *txn, const char *owner) { (void)txn; return strncmp(owner, "burn:", 5) == 0; }
static enum fr_status books_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct books *b = arg;
    struct ledger_audit a;
    int64_t held;
    FR_TRY(ledger_kind_sum(txn, OWNER_BURN, "PALM", &b->free_units, &b->held_units, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "burned", "PALM", &b->burned_units, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "lost", "PALM", &b->lost_units, &held, err));
    FR_TRY(ledger_sums(txn, &b->sums, err));
    FR_TRY(ledger_audit_run(txn, alive, &a, err));
    b->audit = a.chain_ok && a.balances_ok && a.holds_ok && a.sums_ok;
    b->accruals = number(txn, "accruals");
    b->units = number(txn, "units");
    b->pending = number(txn, "pending");
    b->open = number(txn, "open");
    b->burned_rows = number(txn, "burned");
    b->in_burned = number(txn, "in_burned");
    b->totals = number(txn, "totals");
    b->lost_rows = number(txn, "lost");
    b->in_returned = number(txn, "in_returned");
    b->batches = number(txn, "batches");
    return FR_OK;
}
static struct books books(void)
{
    struct books b = { 0 };
    CHECK(store_now(s, books_job, &b, &why) == FR_OK);
    return b;
}
// Whatever happens, at any time after the accruals were collected.
static void check_books(void)
{
    struct books b = books();
    CHECK_INT(b.sums, 0);
    CHECK(b.audit);
    CHECK_INT(b.burned_units, b.burned_rows);
    CHECK_INT(b.in_burned + b.lost_rows, b.burned_units);
    CHECK_INT(b.totals, b.in_burned);
    CHECK_INT(-b.lost_units, b.lost_rows);
    CHECK_INT(b.in_returned, 0);
    CHECK(b.burned_units <= burned_sum(w.height > FINAL_DEPTH ? w.height - FINAL_DEPTH : 0));
}
// Nothing is on its way: what was given up was burned, here and there, to the unit.
static void check_quiet(void)
{
    struct books b = books();
    check_books();
    CHECK_INT(b.open, 0);
    CHECK_INT(b.held_units, 0);
    CHECK_INT(b.pending, b.free_units);
    CHECK_INT(b.units, b.free_units + b.in_burned);
    CHECK_INT(burned_sum(w.height), b.burned_units);
}
static bool quiet(void)
{
    struct books b = books();
    return b.free_units == 0 && b.held_units == 0 && b.open == 0;
}
static bool settle(int ms)
{
    int crashes = crash_permille;
    crash_permille = 0;
    for (; ms > 0 && !quiet(); ms -= 200) {
        if (books().free_units) FR_IGNORE(order("run", ""));
        run(200);
    }
    run(500);
    crash_permille = crashes;
    return quiet();
}

static void world_open(void)
{
    fr_log_to(open("/dev/null", O_WRONLY));
    uv_loop_init(&loop);
    ledger_register();
    txq_register();
    burn_register();
}
