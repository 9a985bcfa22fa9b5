// payout_model.h — a node in memory with a token, a PayoutModule and one payer's key, behind struct chain_transport: blocks, finality by depth, reorgs, transactions that fall out, that
// revert, that are somebody else's. For the tests of withdrawals.
#pragma once
#include <stdlib.h>
#include <string.h>
#include "base/check.h"
#include "base/hex.h"
#include "base/json.h"
#include "chain/abi.h"
#include "chain/endpoints.h"
#include "chain/keccak.h"
#include "chain/signer.h"
#include "chain/tx.h"

#define MODEL_CHAIN 7
#define MODEL_FINAL 3
enum { MODEL_TXS = 4096, MODEL_PAID = 8192 };
struct model_tx { uint8_t hash[32]; uint64_t nonce, block; bool ours, reverted; uint8_t *data; size_t len; bool pays; };      // block 0: in the pool
struct model_paid { uint8_t mark[32], hash[32]; struct address to; uint64_t amount, block; };
static struct {
    struct model_tx txs[MODEL_TXS]; int tx_count;
    struct model_paid paid[MODEL_PAID]; int paid_count;
    uint64_t height, fork, day_left;       // fork: makes the hashes of blocks differ after a reorg
    bool paused, fails_when_mined, wrong_token, no_blocks, silent;
    int raws_seen, garbage_permille;
    unsigned noise;
    int64_t clock_ms, next_block_ms;
} model;
static const struct address model_token = { { 0x70 } }, model_module = { { 0x60 } }, model_vault = { { 0x50 } };
static struct fr_err model_err;

static inline unsigned model_random(unsigned below)
{
    model.noise = model.noise * 1103515245u + 12345;
    return (model.noise >> 8) % below;
}

static inline const struct model_paid *model_payment(const uint8_t mark[32], uint64_t at)
{
    for (int i = 0; i < model.paid_count; i++) if (model.paid[i].block <= at && memcmp(model.paid[i].mark, mark, 32) == 0) return &model.paid[i];
    return NULL;
}

// PayoutModule.pay: true when it goes through; with `tx` it is done.
static inline bool model_pay(const uint8_t *data, size_t len, const struct model_tx *tx)
{
    uint8_t selector[4];
    const uint8_t *ids, *to, *amounts;
    size_t count, more, most;
    uint64_t sum = 0;
    abi_selector("pay(bytes32[],address[],uint256[])", selector);
    struct abi_in in = { data + 4, len - 4 };
    if (model.paused || (tx && model.fails_when_mined) || len < 4 || memcmp(data, selector, 4) != 0) return false;
    if (abi_get_words(&in, 0, &ids, &count, &model_err) != FR_OK || abi_get_words(&in, 1, &to, &more, &model_err) != FR_OK || abi_get_words(&in, 2, &amounts, &most, &model_err) != FR_OK || count != more || count != most) return false;
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < count; i++) {
            struct model_paid p = { .block = model.height };
            const struct model_paid *old = model_payment(ids + 32 * i, model.height);
            u256_fits_u64(u256_from_bytes(amounts + 32 * i), &p.amount);
            memcpy(p.mark, ids + 32 * i, 32);
            memcpy(p.to.bytes, to + 32 * i + 12, 20);
            if (old && (old->amount != p.amount || !address_equal(&old->to, &p.to))) return false;
            if (old) continue;
            if (turn == 0) {
                sum += p.amount;
                continue;
            }
            memcpy(p.hash, tx->hash, 32);
            if (model.paid_count == MODEL_PAID) abort();
            model.paid[model.paid_count++] = p;
        }
        if (sum > model.day_left) return false;
        if (!tx) return true;
        if (turn == 1) model.day_left -= sum;
    }
    return true;
}

static inline uint64_t model_count_at(uint64_t block)
{
    uint64_t n = 0;
    for (int i = 0; i < model.tx_count; i++) n += model.txs[i].block && model.txs[i].block <= block;
    return n;
}

static inline void model_mine(void)
{
    model.height++;
    for (int i = 0; i < model.tx_count; i++)
        if (!model.txs[i].block && model.txs[i].nonce == model_count_at(model.height)) {
            model.txs[i].block = model.height;
            model.txs[i].reverted = model.txs[i].pays && !model_pay(model.txs[i].data, model.txs[i].len, &model.txs[i]);
            i = -1;
        }
}

// The newest blocks are undone, others come; what was in them is in the pool again, or gone.
static inline void model_reorg(unsigned depth, bool drops)
{
    uint64_t stays = model.height - depth;
    model.fork++;
    for (int i = 0; i < model.tx_count; i++)
        if (model.txs[i].block > stays) {
            model.txs[i].block = 0;
            model.txs[i].reverted = false;
            if (drops) {
                free(model.txs[i].data);
                model.txs[i--] = model.txs[--model.tx_count];
            }
        }
    int kept = 0;
    for (int i = 0; i < model.paid_count; i++) if (model.paid[i].block <= stays) model.paid[kept++] = model.paid[i];
    model.paid_count = kept;
    model.height = stays;
    for (unsigned i = 0; i <= depth; i++) model_mine();
}

// Somebody else has the key, and uses its next nonce.
static inline void model_foreign(void)
{
    uint64_t nonce = model_count_at(model.height);
    struct model_tx *t = NULL;
    for (int i = 0; i < model.tx_count && !t; i++) if (!model.txs[i].block && model.txs[i].nonce == nonce) t = &model.txs[i];
    if (t) free(t->data);
    else t = &model.txs[model.tx_count++];             // what a drop left there is another's
    *t = (struct model_tx){ .nonce = nonce };
    t->hash[0] = 0xf0;
    memcpy(t->hash + 1, &nonce, 8);
}

static inline void model_send(const char *hex, struct fr_buf *out)
{
    static uint8_t raw[TX_BYTES_MAX];
    size_t len = strlen(hex) / 2 - 1;
    uint8_t hash[32];
    char text[65];
    struct tx t;
    struct signature sig;
    struct address from;
    model.raws_seen++;
    CHECK(fr_unhex(hex + 2, 2 * len, raw, len) && tx_read(raw, len, &t, &sig, &from, &model_err) == FR_OK && t.chain_id == MODEL_CHAIN);
    keccak256(raw, len, hash);
    struct model_tx *have = NULL;
    for (int i = 0; i < model.tx_count; i++)
        if (model.txs[i].nonce == t.nonce && (!model.txs[i].block || memcmp(model.txs[i].hash, hash, 32) == 0)) have = &model.txs[i];
    bool same = have && memcmp(have->hash, hash, 32) == 0;
    if (t.nonce < model_count_at(model.height) || same) {
        fr_buf_addf(out, "\"error\":{\"code\":-32000,\"message\":\"%s\"}}", same ? "already known" : "nonce too low");
        return;
    }
    if (have) free(have->data);
    else have = &model.txs[model.tx_count++];
    if (model.tx_count == MODEL_TXS) abort();
    *have = (struct model_tx){ .nonce = t.nonce, .ours = true, .pays = address_equal(&t.to, &model_module), .data = malloc(t.data_len ? t.data_len : 1), .len = t.data_len };
    memcpy(have->data, t.data, t.data_len);
    memcpy(have->hash, hash, 32);
    fr_buf_addf(out, "\"result\":\"0x%s\"}", fr_hex(hash, 32, text));
}

static inline void model_receipt(const char *hex, struct fr_buf *out)
{
    uint8_t hash[32];
    CHECK(fr_unhex(hex + 2, 64, hash, 32));
    for (int i = 0; i < model.tx_count; i++)
        if (model.txs[i].block && memcmp(model.txs[i].hash, hash, 32) == 0) {
            fr_buf_addf(out, "\"result\":{\"transactionHash\":\"%s\",\"blockHash\":\"0x%064llx\",\"blockNumber\":\"0x%llx\",\"transactionIndex\":\"0x0\",\"gasUsed\":\"0x5208\",\"effectiveGasPrice\":\"0x1\",\"status\":\"0x%d\",\"from\":\"0x%040d\",\"to\":\"0x%040d\",\"logs\":[]}}", hex,
                        (unsigned long long)(model.txs[i].block << 16 | model.fork), (unsigned long long)model.txs[i].block, !model.txs[i].reverted, 0, 0);
            return;
        }
    fr_buf_add(out, "\"result\":null}");
}

static inline uint64_t model_number(const struct fr_json *v)
{
    const char *text = v ? fr_json_text(v) : NULL;
    return text && text[0] == '0' ? strtoull(text + 2, NULL, 16) : model.height;
}

static inline void model_call(const struct fr_json *params, struct fr_buf *out)
{
    const struct fr_json *call = fr_json_child(params);
    const char *hex = fr_json_text(fr_json_get(call, "data"));
    if (!hex) hex = fr_json_text(fr_json_get(call, "input"));
    size_t len = hex ? strlen(hex) / 2 - 1 : 0;
    uint8_t *data = malloc(len + 1), selector[3][4];
    char text[65];
    const uint8_t none[32] = { 0 };
    uint64_t at = model_number(fr_json_next(call));
    CHECK(len == 0 || fr_unhex(hex + 2, 2 * len, data, len));
    abi_selector("token()", selector[0]);
    abi_selector("treasury()", selector[1]);
    abi_selector("payment(bytes32)", selector[2]);
    if (len == 4 && memcmp(data, selector[0], 4) == 0) fr_buf_addf(out, "\"result\":\"0x%024d%s\"}", 0, fr_hex(model.wrong_token ? model_vault.bytes : model_token.bytes, 20, text));
    else if (len == 4 && memcmp(data, selector[1], 4) == 0) fr_buf_addf(out, "\"result\":\"0x%024d%s\"}", 0, fr_hex(model_vault.bytes, 20, text));
    else if (len == 36 && memcmp(data, selector[2], 4) == 0) {
        const struct model_paid *p = model_payment(data + 4, at);
        fr_buf_addf(out, "\"result\":\"0x%024d%s%064llx%064llx\"}", 0, fr_hex(p ? p->to.bytes : none, 20, text), p ? (unsigned long long)p->amount : 0ULL, p ? (unsigned long long)p->block : 0ULL);
    } else if (len > 4 && !model_pay(data, len, NULL)) fr_buf_add(out, "\"error\":{\"code\":3,\"message\":\"execution reverted\",\"data\":\"0x\"}}");
    else fr_buf_add(out, "\"result\":\"0x\"}");
    free(data);
}

static inline void model_logs(const struct fr_json *params, struct fr_buf *out)
{
    const struct fr_json *f = fr_json_child(params);
    uint64_t from = model_number(fr_json_get(f, "fromBlock")), to = model_number(fr_json_get(f, "toBlock")), last = 0;
    uint8_t topic[32];
    char hex[4][65];
    int n = 0, in_block = 0, tx = 0;
    if (to - from >= 700) {
        fr_buf_add(out, "\"error\":{\"code\":-32005,\"message\":\"query returned more than 10000 results\"}}");
        return;
    }
    abi_event_topic("Paid(bytes32,address,uint256)", topic);
    fr_buf_add(out, "\"result\":[");
    for (int i = 0; i < model.paid_count; i++) {
        const struct model_paid *p = &model.paid[i];
        if (p->block < from || p->block > to) continue;
        in_block = p->block == last ? in_block + 1 : 0;
        tx = p->block != last ? 0 : tx + (memcmp(p->hash, model.paid[i - 1].hash, 32) != 0);
        last = p->block;
        fr_buf_addf(out, "%s{\"address\":\"0x%s\",\"topics\":[\"0x%s\",\"0x%s\",\"0x%024d%s\"],\"data\":\"0x%064llx\"", n++ ? "," : "", fr_hex(model_module.bytes, 20, hex[0]), fr_hex(topic, 32, hex[1]), fr_hex(p->mark, 32, hex[2]), 0, fr_hex(p->to.bytes, 20, hex[3]), (unsigned long long)p->amount);
        fr_buf_addf(out, ",\"blockNumber\":\"0x%llx\",\"blockHash\":\"0x%064llx\",\"transactionHash\":\"0x%s\",\"transactionIndex\":\"0x%x\",\"logIndex\":\"0x%x\",\"removed\":false}", (unsigned long long)p->block, (unsigned long long)(p->block << 16), fr_hex(p->hash, 32, hex[0]), (unsigned)tx, (unsigned)in_block);
    }
    fr_buf_add(out, "]}");
}

static inline void model_answer_one(const struct fr_json *c, struct fr_buf *out)
{
    const char *method = fr_json_text(fr_json_get(c, "method"));
    const struct fr_json *params = fr_json_get(c, "params"), *second = fr_json_child(params) ? fr_json_next(fr_json_child(params)) : NULL;
    const char *first = fr_json_child(params) ? fr_json_text(fr_json_child(params)) : NULL, *tag = second ? fr_json_text(second) : NULL;
    fr_buf_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":%d,", (int)fr_json_number(fr_json_get(c, "id")));
    if (strcmp(method, "eth_chainId") == 0) fr_buf_addf(out, "\"result\":\"0x%x\"}", MODEL_CHAIN);
    else if (strcmp(method, "eth_blockNumber") == 0) fr_buf_addf(out, "\"result\":\"0x%llx\"}", (unsigned long long)model.height);
    else if (strcmp(method, "eth_getBlockByNumber") == 0) {
        uint64_t n = strcmp(first, "0x0") == 0 ? 0 : model.height;
        fr_buf_addf(out, "\"result\":{\"number\":\"0x%llx\",\"timestamp\":\"0x1\",\"hash\":\"0x%064llx\",\"parentHash\":\"0x%064llx\",\"baseFeePerGas\":\"0x3b9aca00\"}}", (unsigned long long)n, (unsigned long long)n + 1000, (unsigned long long)n + 999);
    } else if (strcmp(method, "eth_getTransactionCount") == 0) {
        uint64_t at = strcmp(tag, "latest") == 0 || strcmp(tag, "pending") == 0 ? model.height : strtoull(tag + 2, NULL, 16), n = model_count_at(at);
        for (int i = 0; strcmp(tag, "pending") == 0 && i < model.tx_count; i++) if (!model.txs[i].block && model.txs[i].nonce == n) n++, i = -1;
        fr_buf_addf(out, "\"result\":\"0x%llx\"}", (unsigned long long)n);
    } else if (strcmp(method, "eth_getBalance") == 0) fr_buf_add(out, "\"result\":\"0xffffffffffffffffffff\"}");
    else if (strcmp(method, "eth_gasPrice") == 0) fr_buf_add(out, "\"result\":\"0x77359400\"}");
    else if (strcmp(method, "eth_feeHistory") == 0) fr_buf_add(out, "\"result\":{\"oldestBlock\":\"0x1\",\"baseFeePerGas\":[\"0x1\",\"0x3b9aca00\"],\"gasUsedRatio\":[0.5],\"reward\":[[\"0x3b9aca00\"]]}}");
    else if (strcmp(method, "eth_call") == 0) model_call(params, out);
    else if (strcmp(method, "eth_getLogs") == 0) model_logs(params, out);
    else if (strcmp(method, "eth_estimateGas") == 0) fr_buf_add(out, "\"result\":\"0x5208\"}");
    else if (strcmp(method, "eth_sendRawTransaction") == 0) model_send(first, out);
    else if (strcmp(method, "eth_getTransactionReceipt") == 0) model_receipt(first, out);
    else fr_buf_add(out, "\"error\":{\"code\":-32601,\"message\":\"the method does not exist\"}}");
}

// ---- the transport

struct model_post { struct model_post *next; char *body; size_t len; transport_done_fn *done; void *arg; };
static struct model_post *model_posts;
static inline int64_t model_now(void *arg) { (void)arg; return model.clock_ms; }
static inline enum fr_status model_take(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)arg, (void)url, (void)timeout_ms, (void)answer_max, (void)err;
    struct model_post *p = calloc(1, sizeof *p), **at = &model_posts;
    *p = (struct model_post){ .body = strndup(body, len), .len = len, .done = done, .arg = done_arg };
    while (*at) at = &(*at)->next;
    *at = p;
    return FR_OK;
}

static inline void model_answer(struct model_post *p)
{
    static const char *const rubbish[] = { "", "<html>", "[]", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "{\"jsonrpc\":\"2.0\"", "null" };
    FR_AUTO(fr_json) c = NULL;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1 << 22);
    CHECK(fr_json_parse(p->body, p->len, &c, &model_err) == FR_OK);
    if ((int)model_random(1000) < model.garbage_permille) fr_buf_add(&out, rubbish[model_random(6)]);
    else if (fr_json_kind(c) == JSON_ARRAY) {
        const char *comma = "[";
        for (const struct fr_json *one = fr_json_child(c); one; one = fr_json_next(one), comma = ",") {
            fr_buf_add(&out, comma);
            model_answer_one(one, &out);
        }
        fr_buf_add(&out, "]");
    } else model_answer_one(c, &out);
    p->done(p->arg, FR_OK, 200, out.data ? out.data : "", out.len, 0, NULL);
}

static inline void model_answer_all(void)
{
    for (struct model_post *p; (p = model_posts); free(p->body), free(p)) {
        model_posts = p->next;
        model_answer(p);
    }
}

// ---- a signer that answers on the next turn

struct model_signing { struct model_signing *next; struct tx t; sign_done_fn *done; void *arg; };
static struct model_signing *model_signings;
static uint8_t model_secret[32] = { 1, 2, 3 };
static inline enum fr_status model_sign(struct chain_signer *port, const struct sign_ask *ask, sign_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)port, (void)err;
    struct model_signing *n = calloc(1, sizeof *n);
    *n = (struct model_signing){ model_signings, ask->tx, done, done_arg };
    model_signings = n;
    return FR_OK;
}
static struct chain_signer model_signer = { .sign = model_sign };

static inline void model_sign_all(void)
{
    for (struct model_signing *n; (n = model_signings); free(n)) {
        static uint8_t raw[TX_BYTES_MAX];
        uint8_t hash[32];
        size_t len = 0;
        struct signature sig = { { 0 }, { 0 }, 0 };
        model_signings = n->next;
        CHECK(tx_signing_hash(&n->t, hash, &model_err) == FR_OK && signature_make(model_secret, hash, &sig, &model_err) == FR_OK && tx_raw(&n->t, &sig, raw, sizeof raw, &len, hash, &model_err) == FR_OK);
        n->done(n->arg, FR_OK, &(struct sign_answer){ .sig = sig, .raw = raw, .raw_len = len }, NULL);
    }
}

static inline void model_begin(unsigned seed)
{
    for (int i = 0; i < model.tx_count; i++) free(model.txs[i].data);
    memset(&model, 0, sizeof model);
    model.height = 10;
    model.day_left = UINT64_MAX / 2;
    model.noise = seed;
    model.clock_ms = model.next_block_ms = 1800000000000LL;
}
