// signer_remote_test.c — Web3Signer's request and answer, and every answer that is not the transaction that was asked for.
#include "chain/signer_remote.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/hex.h"
#include "base/mem.h"

static uint8_t secret[SECRET_KEY_BYTES] = { 7, 7 };
static const uint8_t data[] = { 0xa9, 5, 9, 0xcb, 1, 2, 3 };
static struct address from;

static struct sign_ask asked(enum tx_kind kind)
{
    struct sign_ask a = { .kind = SIGN_A_TX, .from = from };
    a.tx = (struct tx){ .kind = kind, .chain_id = 31337, .nonce = 9, .gas_limit = 21000, .max_fee = u256_of(100), .max_tip = u256_of(kind == TX_LEGACY ? 0 : 10), .value = u256_of(5), .data = data, .data_len = sizeof data };
    memset(a.tx.to.bytes, 0x22, ADDRESS_BYTES);
    return a;
}

// What a signer with this key would answer to t.
static void answer_to(const struct tx *t, const uint8_t key[SECRET_KEY_BYTES], uint64_t id, char *out, size_t cap)
{
    static uint8_t raw[TX_BYTES_MAX];
    static char hex[2 * TX_BYTES_MAX + 1];
    struct signature sig;
    uint8_t hash[32];
    size_t len = 0;
    CHECK(tx_signing_hash(t, hash, NULL) == FR_OK && signature_make(key, hash, &sig, NULL) == FR_OK && tx_raw(t, &sig, raw, sizeof raw, &len, hash, NULL) == FR_OK);
    snprintf(out, cap, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"result\":\"0x%s\"}", (unsigned long long)id, fr_hex(raw, len, hex));
}

static void test_the_request_as_web3signer_reads_it(void)
{
    FR_AUTO_BUF(out);
    struct sign_ask a = asked(TX_FEE_MARKET);
    fr_buf_init(&out, REMOTE_ASK_BYTES_MAX);
    CHECK(remote_ask_put(&a, 3, &out, NULL) == FR_OK);
    char want[1024], who[ADDRESS_TEXT_BYTES];
    snprintf(want, sizeof want, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"eth_signTransaction\",\"params\":[{\"from\":\"%s\",\"to\":\"0x2222222222222222222222222222222222222222\",\"chainId\":\"0x7a69\","
             "\"nonce\":\"0x9\",\"gas\":\"0x5208\",\"maxFeePerGas\":\"0x64\",\"maxPriorityFeePerGas\":\"0xa\",\"value\":\"0x5\",\"data\":\"0xa90509cb010203\"}]}", address_text(&from, who));
    CHECK_TEXT(out.data, want);
    fr_buf_clear(&out);
    a = asked(TX_LEGACY);
    CHECK(remote_ask_put(&a, 4, &out, NULL) == FR_OK && strstr(out.data, "\"gasPrice\":\"0x64\"") && !strstr(out.data, "maxFee"));
    a.tx.creates = true;
    CHECK_INT(remote_ask_put(&a, 5, &out, NULL), FR_E_INVALID);
    a.kind = SIGN_A_PERMIT;
    CHECK_INT(remote_ask_put(&a, 5, &out, NULL), FR_E_INVALID);
    static uint8_t much[SIGN_DATA_BYTES_MAX + 1];
    for (size_t len = SIGN_DATA_BYTES_MAX; len <= SIGN_DATA_BYTES_MAX + 1; len++) {
        fr_buf_clear(&out);
        a = asked(TX_FEE_MARKET);
        a.tx.data = much;
        a.tx.data_len = len;
        CHECK_INT(remote_ask_put(&a, 5, &out, NULL), len == SIGN_DATA_BYTES_MAX ? FR_OK : FR_E_LIMIT);
    }
}

static char body[REMOTE_ANSWER_BYTES_MAX + 2];
static uint8_t raw[TX_BYTES_MAX];

static void believed(const struct sign_ask *a)
{
    struct sign_answer answer;
    struct tx back;
    struct signature sig;
    struct address who;
    CHECK(remote_answer_read(a, 7, body, strlen(body), raw, &answer, NULL) == FR_OK);
    CHECK(tx_read(answer.raw, answer.raw_len, &back, &sig, &who, NULL) == FR_OK && address_equal(&who, &from));
}

static void not_believed(const struct sign_ask *a, const char *word)
{
    struct sign_answer answer;
    struct fr_err err = { 0 };
    CHECK_INT(remote_answer_read(a, 7, body, strlen(body), raw, &answer, &err), FR_E_INTERNAL);
    CHECK_TEXT(err.code, "signer_answer");
    if (!strstr(err.text, word)) printf("  want %s: %s\n", word, err.text);
    CHECK(strstr(err.text, word) != NULL);
}

static void test_only_the_very_transaction_is_believed(void)
{
    for (int kind = TX_LEGACY; kind <= TX_FEE_MARKET; kind++) {
        struct sign_ask a = asked(kind);
        struct tx t = a.tx;
        uint8_t other[sizeof data], key[SECRET_KEY_BYTES] = { 9 };
        answer_to(&t, secret, 7, body, sizeof body);
        believed(&a);
#define WITH(change, word) do { t = a.tx; change; answer_to(&t, secret, 7, body, sizeof body); not_believed(&a, word); } while (0)
        WITH(t.kind = !kind; t.max_tip = u256_of(0), "kind");
        WITH(t.chain_id++, "chain");
        WITH(t.nonce++, "nonce");
        WITH(t.gas_limit++, "gas limit");
        WITH(t.max_fee = u256_of(101), "fees");
        if (kind == TX_FEE_MARKET) WITH(t.max_tip = u256_of(11), "fees");
        WITH(t.to.bytes[19]++, "somebody else");
        WITH(t.creates = true, "somebody else");
        WITH(t.value = u256_of(6), "value");
        WITH(t.data_len--, "data");
        memcpy(other, data, sizeof data);
        other[6]++;
        WITH(t.data = other, "data");
        answer_to(&a.tx, key, 7, body, sizeof body);
        not_believed(&a, "another key");
        answer_to(&a.tx, secret, 8, body, sizeof body);
        not_believed(&a, "another request");
    }
}

static void test_answers_that_are_none(void)
{
    static const char *const bodies[][2] = {
        { "", "no JSON" }, { "<html>", "no JSON" }, { "{}", "another request" }, { "{\"id\":7}", "raw transaction" }, { "{\"id\":7,\"result\":null}", "raw transaction" }, { "{\"id\":7,\"result\":\"00aa\"}", "raw transaction" },
        { "{\"id\":7,\"result\":\"0xabc\"}", "hex" }, { "{\"id\":7,\"result\":\"0xzz\"}", "hex" }, { "{\"id\":7,\"result\":\"0xf86c\"}", "no signed" }, { "{\"id\":\"7\",\"result\":\"0xf86c\"}", "another request" }, { "[1]", "another request" },
    };
    struct sign_ask a = asked(TX_FEE_MARKET);
    struct sign_answer answer;
    struct fr_err err;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        snprintf(body, sizeof body, "%s", bodies[i][0]);
        not_believed(&a, bodies[i][1]);
    }
    memset(body, ' ', sizeof body - 1);
    not_believed(&a, "too long");
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32000,\"message\":\"nonce too clever\"}}");
    CHECK_INT(remote_answer_read(&a, 7, body, strlen(body), raw, &answer, &err), FR_E_DENIED);
    CHECK_TEXT(err.code, "signer_refused");
    CHECK(strstr(err.text, "nonce too clever") != NULL);
    answer_to(&a.tx, secret, 7, body, sizeof body);      // its twin with the higher s
    char *s_at = body + strlen(body) - 2 - 64;
    static const char order[] = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    uint8_t n[32], s[32];
    struct u256 high = u256_of(0);
    CHECK(fr_unhex(order, 64, n, 32) && fr_unhex(s_at, 64, s, 32) && u256_sub(u256_from_bytes(n), u256_from_bytes(s), &high));
    u256_to_bytes(high, s);
    char hex[65];
    memcpy(s_at, fr_hex(s, 32, hex), 64);
    not_believed(&a, "no signed");
}

// ---- the port over a transport that is a list

struct post { char text[4096]; remote_done_fn *done; void *arg; };
struct list { struct remote_transport t; struct post posts[REMOTE_OPEN_MAX]; int count; bool down; };

static enum fr_status list_post(struct remote_transport *t, const char *json, size_t len, remote_done_fn *done, void *arg, struct fr_err *err)
{
    struct list *l = (struct list *)t;
    if (l->down) return FR_FAIL(err, FR_E_IO, "down");
    struct post *p = &l->posts[l->count++];
    snprintf(p->text, sizeof p->text, "%.*s", (int)len, json);
    p->done = done;
    p->arg = arg;
    return FR_OK;
}

struct got { int calls; enum fr_status status; uint64_t nonce; };
static void on_signed(void *arg, enum fr_status status, const struct sign_answer *answer, const struct fr_err *err)
{
    struct got *g = arg;
    struct tx t;
    struct signature sig;
    struct address who;
    g->calls++;
    g->status = status;
    CHECK((status == FR_OK) == (answer != NULL) && (status == FR_OK) == (err == NULL));
    if (answer && tx_read(answer->raw, answer->raw_len, &t, &sig, &who, NULL) == FR_OK) g->nonce = t.nonce;
}

static void test_the_port_keeps_asks_apart(void)
{
    static struct list l;
    static struct got got[REMOTE_OPEN_MAX + 1];
    struct signer_remote *s = signer_remote_new(&l.t);
    struct chain_signer *port = signer_remote_port(s);
    struct sign_ask a = asked(TX_FEE_MARKET);
    struct fr_err err;
    l.t.post = list_post;
    l.down = true;
    CHECK_INT(port->sign(port, &a, on_signed, &got[0], &err), FR_E_IO);
    l.down = false;
    for (int i = 0; i <= REMOTE_OPEN_MAX; i++) {
        a.tx.nonce = (uint64_t)i;
        CHECK_INT(port->sign(port, &a, on_signed, &got[i], &err), i < REMOTE_OPEN_MAX ? FR_OK : FR_E_BUSY);
    }
    for (int i = REMOTE_OPEN_MAX - 1; i >= 0; i--) {     // answered backwards
        a.tx.nonce = (uint64_t)i;
        unsigned long long id = strtoull(strstr(l.posts[i].text, "\"id\":") + 5, NULL, 10);
        answer_to(&a.tx, secret, id, body, sizeof body);
        if (i % 3 == 1) l.posts[i].done(l.posts[i].arg, FR_E_TIMEOUT, NULL, 0, &err);
        else l.posts[i].done(l.posts[i].arg, FR_OK, body, strlen(body), NULL);
    }
    for (int i = 0; i < REMOTE_OPEN_MAX; i++) CHECK(got[i].calls == 1 && got[i].status == (i % 3 == 1 ? FR_E_TIMEOUT : FR_OK) && (i % 3 == 1 || got[i].nonce == (uint64_t)i));
    CHECK_INT(got[REMOTE_OPEN_MAX].calls, 0);
    signer_remote_free(s);
}

int main(void)
{
    FR_IGNORE(secret_key_address(secret, &from, NULL));
    TEST(test_the_request_as_web3signer_reads_it);
    TEST(test_only_the_very_transaction_is_believed);
    TEST(test_answers_that_are_none);
    TEST(test_the_port_keeps_asks_apart);
    return TEST_END();
}
