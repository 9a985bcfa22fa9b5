// model.h — a chain in memory behind struct chain_transport, for the tests of this folder: tokens, forwarders, blocks that are undone, nodes that lie, lag, refuse and talk rubbish.
//
// A transfer is a log; a balance at a block is the sum of the transfers up to it. Nothing else is kept, so a reorg is to cut off the newest transfers.
#pragma once
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "chain/abi.h"
#include "chain/keccak.h"
#include "store/test.h"
#include "treasury/deposit_inside.h"

enum { MODEL_TRANSFERS = 20000, MODEL_NODES = 3 };
struct model_transfer { uint64_t block; struct address token, from, to; struct u256 amount; uint8_t tx[32]; int index, odd; };      // odd: 1 four topics, 2 short data, 3 dirty sender
static struct {
    uint64_t height, final_behind, final, fork;   // fork: how often the newest blocks were undone
    struct model_transfer at[MODEL_TRANSFERS]; int count;
    uint64_t serial;
    int nodes;
    struct model_node { bool hides_logs, adds_logs, other_logs, other_tokens, hangs, hides_balances; int behind, garbage_permille, logs_most; uint64_t range_most; bool same_final; } node[MODEL_NODES];
    struct address refuses; bool refuses_silently;     // whose sweep reverts
    int64_t posts, log_asks;
} model;
static const struct address model_factory = { { 0xfa, 0xc7 } }, model_vault = { { 0x7a, 0x01, 0x75 } }, model_zero;
static const struct treasury_token model_tokens[] = {
    { "PALM", { { 0x11, 1 } }, 9, 9 }, { "NFNT", { { 0x22, 2 } }, 9, 18 }, { "GHUB", { { 0x33, 3 } }, 9, 18 },
};
enum { MODEL_TOKENS = 3 };
static int64_t model_ms = 1800000000000LL;
static uint64_t model_noise = 88172645463325252ULL;
static inline uint64_t model_random(uint64_t below)
{
    model_noise ^= model_noise << 13;
    model_noise ^= model_noise >> 7;
    model_noise ^= model_noise << 17;
    return model_noise % below;
}
static inline uint64_t model_final(void)   // never less than it was: what was final stays
{
    if (model.height > model.final_behind + model.final) model.final = model.height - model.final_behind;
    return model.final;
}

static inline void model_reset(int nodes)
{
    memset(&model, 0, sizeof model);
    model.height = 20;
    model.final_behind = 3;
    model.nodes = nodes;
}

static inline struct model_transfer *model_transfer(const struct address *token, const struct address *from, const struct address *to, struct u256 amount)
{
    struct model_transfer *t = &model.at[model.count++];
    assert(model.count <= MODEL_TRANSFERS);
    *t = (struct model_transfer){ .block = model.height, .token = *token, .from = *from, .to = *to, .amount = amount };
    model.serial++;
    keccak256(&model.serial, sizeof model.serial, t->tx);
    for (int i = 0; i + 1 < model.count; i++) t->index += model.at[i].block == model.height;
    return t;
}

static inline struct u256 model_balance(const struct address *token, const struct address *of, uint64_t block)
{
    struct u256 sum = u256_of(0);
    for (int i = 0; i < model.count; i++) {
        const struct model_transfer *t = &model.at[i];
        if (t->block > block || t->odd || !address_equal(&t->token, token)) continue;
        if (address_equal(&t->to, of)) u256_add(sum, t->amount, &sum);
        if (address_equal(&t->from, of)) u256_sub(sum, t->amount, &sum);
    }
    return sum;
}

static inline bool model_deployed(const struct address *of, uint64_t block)
{
    for (int i = 0; i < model.count; i++)
        if (model.at[i].block <= block && address_equal(&model.at[i].from, of)) return true;
    return false;
}

// Newer blocks are undone; of their transfers some come again, in later blocks.
static inline void model_reorg(int depth)
{
    static struct model_transfer undone[256];
    int count = 0, kept = 0;
    uint64_t stays = model.height - (uint64_t)depth;
    if (stays < model_final()) stays = model_final();
    for (int i = 0; i < model.count; i++) {
        if (model.at[i].block <= stays) model.at[kept++] = model.at[i];
        else if (count < 256) undone[count++] = model.at[i];
    }
    model.count = kept;
    model.fork++;
    model.height = stays + 1;
    for (int i = 0; i < count; i++) {
        if (address_equal(&undone[i].to, &model_vault)) continue;      // a sweep may come again by itself or not: not here
        if (model_random(4) == 0) continue;                            // never again
        struct model_transfer *t = model_transfer(&undone[i].token, &undone[i].from, &undone[i].to, undone[i].amount);
        memcpy(t->tx, undone[i].tx, 32);                               // the same transaction elsewhere
        t->odd = undone[i].odd;
    }
}

static inline int model_sweep(const struct address *token, const struct address *forwarder)
{
    struct u256 lying = model_balance(token, forwarder, model.height);
    if (u256_is_zero(lying)) return 0;
    model_transfer(token, forwarder, &model_vault, lying);
    return 1;
}

// ---- a node's answers

static inline const struct model_node *model_node_of(const char *url) { return &model.node[url[8] - '0']; }
static inline uint64_t model_height_of(const struct model_node *n) { return model.height - (uint64_t)n->behind; }

static inline void model_block_hash(uint64_t number, char out[67])
{
    uint64_t seed[2] = { number, number + model.final_behind > model.height ? model.fork : 0 };
    uint8_t hash[32];
    char hex[65];
    keccak256(seed, sizeof seed, hash);
    snprintf(out, 67, "0x%s", fr_hex(hash, 32, hex));
}

static inline uint64_t model_number(const char *text, const struct model_node *n)
{
    if (strcmp(text, "latest") == 0) return model_height_of(n);
    if (strcmp(text, "finalized") == 0) return model_final();
    return strtoull(text + 2, NULL, 16);
}

static inline void model_word(struct u256 v, struct fr_buf *out)
{
    uint8_t bytes[32];
    char hex[65];
    u256_to_bytes(v, bytes);
    fr_buf_addf(out, "\"result\":\"0x%s\"}", fr_hex(bytes, 32, hex));
}

static inline struct address model_address(const char *hex)
{
    struct address a = { { 0 } };
    bool fine = fr_unhex(hex, 40, a.bytes, ADDRESS_BYTES);
    assert(fine);
    return a;
}

static inline bool model_topic_fits(const struct fr_json *want, const struct address *have)
{
    if (!want || fr_json_kind(want) == JSON_NULL) return true;
    if (fr_json_kind(want) == JSON_STRING) {
        struct address a = model_address(fr_json_text(want) + 26);
        return address_equal(&a, have);
    }
    for (const struct fr_json *one = fr_json_child(want); one; one = fr_json_next(one)) {
        struct address a = model_address(fr_json_text(one) + 26);
        if (address_equal(&a, have)) return true;
    }
    return false;
}

static inline void model_log(const struct model_transfer *t, const struct model_node *n, struct fr_buf *out, int *written)
{
    char hash[67], tx[65], token[41], from[41], to[41], amount[65], topic[65];
    uint8_t word[32];
    u256_to_bytes(t->amount, word);
    model_block_hash(t->block, hash);
    fr_hex(t->from.bytes, 20, from);
    struct address of = t->token;
    of.bytes[0] ^= n->other_tokens;
    fr_buf_addf(out, "%s{\"address\":\"0x%s\",\"topics\":[\"0x%s\",\"0x%024d%s\",\"0x%024d%s\"%s],\"data\":\"0x%.*s\",\"blockNumber\":\"0x%llx\",\"transactionIndex\":\"0x%x\",\"logIndex\":\"0x%x\",\"blockHash\":\"%s\",\"transactionHash\":\"0x%s\"}",
                (*written)++ ? "," : "", fr_hex(of.bytes, 20, token), fr_hex(deposit_transfer_topic, 32, topic), t->odd == 3 ? 7 : 0, from, 0, fr_hex(t->to.bytes, 20, to), t->odd == 1 ? ",\"0x0000000000000000000000000000000000000000000000000000000000000009\"" : "",
                t->odd == 2 ? 62 : 64, fr_hex(word, 32, amount), (unsigned long long)t->block + (n->other_logs ? 1000 : 0), t->index, t->index, hash, fr_hex(t->tx, 32, tx));
}

static inline void model_logs(const struct fr_json *filter, const struct model_node *n, struct fr_buf *out)
{
    uint64_t from = model_number(fr_json_text(fr_json_get(filter, "fromBlock")), n), to = model_number(fr_json_text(fr_json_get(filter, "toBlock")), n);
    const struct fr_json *topics = fr_json_get(filter, "topics"), *sender = topics ? fr_json_next(fr_json_child(topics)) : NULL, *receiver = sender ? fr_json_next(sender) : NULL, *tokens = fr_json_get(filter, "address");
    int written = 0, fits = 0;
    model.log_asks++;
    if (n->range_most && to >= from && to - from >= n->range_most) {
        fr_buf_add(out, "\"error\":{\"code\":-32005,\"message\":\"query exceeds max block range\"}}");
        return;
    }
    size_t begun = out->len;
    fr_buf_add(out, "\"result\":[");
    for (int i = 0; i < model.count && fr_json_kind(tokens) == JSON_ARRAY; i++) {
        const struct model_transfer *t = &model.at[i];
        bool asked = false;
        for (const struct fr_json *one = fr_json_child(tokens); one; one = fr_json_next(one)) {
            struct address a = model_address(fr_json_text(one) + 2);
            asked = asked || address_equal(&a, &t->token);
        }
        if (!asked || t->block < from || t->block > to || t->block > model_height_of(n) || !model_topic_fits(sender, &t->from) || !model_topic_fits(receiver, &t->to)) continue;
        fits++;
        if (n->hides_logs && fits % 2) continue;
        model_log(t, n, out, &written);
    }
    if (n->adds_logs && receiver && fr_json_child(receiver) && to <= model_height_of(n)) {      // coins that nobody sent
        struct model_transfer t = { .block = to, .token = model_tokens[0].at, .from = { { 9 } }, .to = model_address(fr_json_text(fr_json_child(receiver)) + 26), .amount = u256_of(1000000), .tx = { 0x66, (uint8_t)to }, .index = 5000 };
        model_log(&t, n, out, &written);
    }
    fr_buf_add(out, "]}");
    if (!n->logs_most || fits <= n->logs_most) return;
    out->len = begun;
    fr_buf_add(out, "\"error\":{\"code\":-32005,\"message\":\"query returned more than 10000 results\"}}");
}

static inline void model_init_code_hash(uint8_t out[32]);
static inline void model_call(const struct fr_json *call, uint64_t block, const struct model_node *n, struct fr_buf *out)
{
    struct address to = model_address(fr_json_text(fr_json_get(call, "to")) + 2);
    const char *data = fr_json_text(fr_json_get(call, "data")) + 2;
    uint8_t selector[4], said[4];
    char hex[65];
    bool fine = fr_unhex(data, 8, said, 4);
    assert(fine);
    if (block > model_height_of(n)) {
        fr_buf_add(out, "\"error\":{\"code\":-32000,\"message\":\"header not found\"}}");
        return;
    }
    abi_selector("balanceOf(address)", selector);
    if (memcmp(said, selector, 4) == 0) {
        struct address of = model_address(data + 8 + 24);
        model_word(n->hides_balances ? u256_of(0) : model_balance(&to, &of, block), out);
        return;
    }
    abi_selector("treasury()", selector);
    if (memcmp(said, selector, 4) == 0) {
        fr_buf_addf(out, "\"result\":\"0x%024d%s\"}", 0, fr_hex(model_vault.bytes, 20, hex));
        return;
    }
    abi_selector("initCodeHash()", selector);
    if (memcmp(said, selector, 4) == 0) {
        uint8_t hash[32];
        model_init_code_hash(hash);
        fr_buf_addf(out, "\"result\":\"0x%s\"}", fr_hex(hash, 32, hex));
        return;
    }
    // sweep(token, salts): head of two words, length, salts
    struct address token = model_address(data + 8 + 24);
    unsigned long long count = strtoull(strndupa(data + 8 + 128, 64), NULL, 16);
    for (unsigned long long i = 0; i < count; i++) {
        uint8_t salt[32], hash[32];
        fine = fr_unhex(data + 8 + 192 + 64 * i, 64, salt, 32);
        assert(fine);
        model_init_code_hash(hash);
        struct address forwarder = address_of_create2(&model_factory, salt, hash);
        if (!address_equal(&forwarder, &model.refuses) || u256_is_zero(model_balance(&token, &forwarder, model.height))) continue;
        abi_selector("SweepFailed(bytes32,address,bytes)", selector);
        char salt_hex[65];
        fr_buf_addf(out, "\"error\":{\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x%s%s%064d%064d%064d\"}}", model.refuses_silently ? "00000000" : fr_hex(selector, 4, hex), fr_hex(salt, 32, salt_hex), 0, 96, 0);
        return;
    }
    fr_buf_add(out, "\"result\":\"0x\"}");
}

static inline void model_answer_one(const struct fr_json *c, const struct model_node *n, struct fr_buf *out)
{
    const char *method = fr_json_text(fr_json_get(c, "method"));
    const struct fr_json *params = fr_json_get(c, "params"), *first = fr_json_child(params), *second = first ? fr_json_next(first) : NULL;
    char hash[67], parent[67];
    fr_buf_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":%d,", (int)fr_json_number(fr_json_get(c, "id")));
    if (strcmp(method, "eth_chainId") == 0) fr_buf_add(out, "\"result\":\"0x7\"}");
    else if (strcmp(method, "eth_blockNumber") == 0) fr_buf_addf(out, "\"result\":\"0x%llx\"}", (unsigned long long)(n->same_final ? model.height : model_height_of(n)));
    else if (strcmp(method, "eth_getBlockByNumber") == 0) {
        uint64_t number = model_number(fr_json_text(first), n);
        model_block_hash(number, hash);
        model_block_hash(number ? number - 1 : 0, parent);
        if (number > model_height_of(n)) fr_buf_add(out, "\"result\":null}");
        else fr_buf_addf(out, "\"result\":{\"number\":\"0x%llx\",\"timestamp\":\"0x1\",\"hash\":\"%s\",\"parentHash\":\"%s\",\"baseFeePerGas\":\"0x1\"}}", (unsigned long long)number, hash, parent);
    } else if (strcmp(method, "eth_getLogs") == 0) model_logs(first, n, out);
    else if (strcmp(method, "eth_call") == 0) model_call(first, model_number(fr_json_text(second), n), n, out);
    else if (strcmp(method, "eth_getTransactionCount") == 0) {
        struct address of = model_address(fr_json_text(first) + 2);
        fr_buf_addf(out, "\"result\":\"0x%x\"}", model_deployed(&of, model_number(fr_json_text(second), n)));
    } else fr_buf_add(out, "\"error\":{\"code\":-32601,\"message\":\"the method does not exist\"}}");
}

struct model_post { struct model_post *next; const struct model_node *node; char *body; size_t len; transport_done_fn *done; void *arg; };
static struct model_post *model_posts;
static inline int64_t model_now(void *arg) { (void)arg; return model_ms; }
static inline enum fr_status model_post(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)arg, (void)timeout_ms, (void)answer_max, (void)err;
    struct model_post *p = calloc(1, sizeof *p), **at = &model_posts;
    *p = (struct model_post){ .node = model_node_of(url), .body = strndup(body, len), .len = len, .done = done, .arg = done_arg };
    while (*at) at = &(*at)->next;
    *at = p;
    model.posts++;
    return FR_OK;
}

static inline void model_answer(struct model_post *p)
{
    static const char *const rubbish[] = { "", "<html>", "[]", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "{\"jsonrpc\":\"2.0\"", "null" };
    FR_AUTO(fr_json) c = NULL;
    FR_AUTO_BUF(out);
    struct fr_err err;
    fr_buf_init(&out, 8 << 20);
    enum fr_status st = fr_json_parse(p->body, p->len, &c, &err);
    assert(st == FR_OK);
    if (p->node->hangs) {
        FR_IGNORE(FR_FAIL(&err, FR_E_TIMEOUT, "no answer in time"));
        p->done(p->arg, FR_E_TIMEOUT, 0, NULL, 0, 0, &err);
        return;
    }
    if ((int)model_random(1000) < p->node->garbage_permille) fr_buf_add(&out, rubbish[model_random(6)]);
    else if (fr_json_kind(c) == JSON_ARRAY) {
        const char *comma = "[";
        for (const struct fr_json *one = fr_json_child(c); one; one = fr_json_next(one), comma = ",") {
            fr_buf_add(&out, comma);
            model_answer_one(one, p->node, &out);
        }
        fr_buf_add(&out, "]");
    } else model_answer_one(c, p->node, &out);
    p->done(p->arg, FR_OK, 200, out.data ? out.data : "", out.len, 0, NULL);
}

static inline void model_answer_all(void)
{
    struct model_post *now = model_posts;  // what is asked in answer to an answer waits for the next time
    model_posts = NULL;
    for (struct model_post *p; (p = now); free(p->body), free(p)) {
        now = p->next;
        model_answer(p);
    }
}

static inline struct endpoints *model_endpoints(void)
{
    static const struct endpoint_config at[] = { { .name = "n0", .url = "http://n0/" }, { .name = "n1", .url = "http://n1/" }, { .name = "n2", .url = "http://n2/" } };
    struct endpoints_config config = { .chain_id = 7, .at = at, .count = model.nodes, .transport = { .post = model_post, .now_ms = model_now } };
    struct endpoints *e = NULL;
    struct fr_err err;
    enum fr_status st = endpoints_new(&config, &e, &err);
    assert(st == FR_OK);
    return e;
}

static inline void model_init_code_hash(uint8_t out[32])
{
    struct address implementation = address_of_create(&model_factory, 1);
    uint8_t code[55] = { 0x3d, 0x60, 0x2d, 0x80, 0x60, 0x0a, 0x3d, 0x39, 0x81, 0xf3, 0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73 };
    memcpy(code + 20, implementation.bytes, 20);
    memcpy(code + 40, (const uint8_t[]){ 0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3 }, 15);
    keccak256(code, sizeof code, out);
}
