#include "chain/signer_remote.h"
#include <assert.h>
#include <stddef.h>
#include <string.h>
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "chain/keccak.h"

// ---- the request

static void put_quantity(struct fr_buf *out, const char *name, struct u256 value)
{
    char text[U256_HEX_BYTES];
    fr_buf_addf(out, ",\"%s\":\"%s\"", name, u256_quantity(value, text));
}

static void put_data(struct fr_buf *out, const uint8_t *data, size_t len)
{
    fr_buf_add(out, ",\"data\":\"0x");
    char *at = fr_buf_reserve(out, 2 * len + 1);
    if (at) {
        fr_hex(data, len, at);
        fr_buf_commit(out, 2 * len);
    }
    fr_buf_add(out, "\"");
}

enum fr_status remote_ask_put(const struct sign_ask *ask, uint64_t id, struct fr_buf *out, struct fr_err *err)
{
    const struct tx *t = &ask->tx;
    char from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES];
    if (ask->kind != SIGN_A_TX || t->creates) return FR_FAIL_CODE(err, FR_E_INVALID, "signer_kind", "a remote signer is asked for transactions to somebody only");
    if (t->data_len > SIGN_DATA_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "calldata of %zu bytes; at most %d are signed", t->data_len, SIGN_DATA_BYTES_MAX);
    fr_buf_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"eth_signTransaction\",\"params\":[{\"from\":\"%s\",\"to\":\"%s\"", (unsigned long long)id,
                address_text(&ask->from, from), address_text(&t->to, to));
    put_quantity(out, "chainId", u256_of(t->chain_id));
    put_quantity(out, "nonce", u256_of(t->nonce));
    put_quantity(out, "gas", u256_of(t->gas_limit));
    if (t->kind == TX_LEGACY) {
        put_quantity(out, "gasPrice", t->max_fee);
    } else {
        put_quantity(out, "maxFeePerGas", t->max_fee);
        put_quantity(out, "maxPriorityFeePerGas", t->max_tip);
    }
    put_quantity(out, "value", t->value);
    put_data(out, t->data, t->data_len);
    fr_buf_add(out, "}]}");
    return fr_buf_check(out, "a request to the remote signer", err);
}

// ---- the answer

static enum fr_status no_answer(struct fr_err *err, const char *why)
{
    return FR_FAIL_CODE(err, FR_E_INTERNAL, "signer_answer", "the remote signer's answer %.200s", why);
}

static const char *what_differs(const struct sign_ask *ask, const struct tx *got, const struct address *from)
{
    const struct tx *t = &ask->tx;
    if (got->kind != t->kind) return "is of another kind of transaction";
    if (got->chain_id != t->chain_id) return "is for another chain";
    if (got->nonce != t->nonce) return "has another nonce";
    if (got->gas_limit != t->gas_limit) return "has another gas limit";
    if (u256_compare(got->max_fee, t->max_fee) != 0 || u256_compare(got->max_tip, t->max_tip) != 0) return "has other fees";
    if (got->creates || !address_equal(&got->to, &t->to)) return "goes to somebody else";
    if (u256_compare(got->value, t->value) != 0) return "has another value";
    if (got->data_len != t->data_len || (t->data_len && memcmp(got->data, t->data, t->data_len) != 0)) return "has other data";
    if (!address_equal(from, &ask->from)) return "is signed by another key";
    return NULL;
}

static enum fr_status refused(const struct fr_json *error, struct fr_err *err)
{
    const char *message = NULL;
    FR_IGNORE(fr_json_opt_text(error, "message", REMOTE_ANSWER_BYTES_MAX, NULL, &message, NULL));      // without one it is refused all the same
    return FR_FAIL_CODE(err, FR_E_DENIED, "signer_refused", "the remote signer refused: %.200s", message ? message : "it does not say why");
}

static enum fr_status result_of(const char *body, size_t len, uint64_t id, struct fr_json **doc, const char **ret, struct fr_err *err)
{
    int64_t got_id = 0;
    if (len > REMOTE_ANSWER_BYTES_MAX) return no_answer(err, "is too long");
    if (fr_json_parse(body, len, doc, NULL) != FR_OK) return no_answer(err, "is no JSON");
    if (fr_json_need_int(*doc, "id", 0, INT64_MAX, &got_id, NULL) != FR_OK || (uint64_t)got_id != id) return no_answer(err, "is to another request");
    const struct fr_json *error = fr_json_get(*doc, "error");
    if (error && fr_json_kind(error) != JSON_NULL) return refused(error, err);
    if (fr_json_need_text(*doc, "result", 4, 2 * TX_BYTES_MAX + 2, ret, NULL) != FR_OK || strncmp(*ret, "0x", 2) != 0) return no_answer(err, "has no raw transaction");
    return FR_OK;
}

enum fr_status remote_answer_read(const struct sign_ask *ask, uint64_t id, const char *body, size_t len, uint8_t *raw, struct sign_answer *ret, struct fr_err *err)
{
    FR_AUTO(fr_json) doc = NULL;
    struct sign_answer answer = { .raw = raw };
    struct address from;
    struct tx got;
    const char *text = NULL, *differs;
    FR_TRY(result_of(body, len, id, &doc, &text, err));
    size_t digits = strlen(text + 2);
    if (digits % 2 != 0 || !fr_unhex(text + 2, digits, raw, digits / 2)) return no_answer(err, "is not in hex");
    answer.raw_len = digits / 2;
    if (tx_read(raw, answer.raw_len, &got, &answer.sig, &from, NULL) != FR_OK) return no_answer(err, "is no signed transaction");
    if ((differs = what_differs(ask, &got, &from)) != NULL) return no_answer(err, differs);
    keccak256(raw, answer.raw_len, answer.hash);
    *ret = answer;
    return FR_OK;
}

// ---- the port

struct remote_ask { struct signer_remote *s; uint64_t id; struct sign_ask ask; uint8_t *data; sign_done_fn *done; void *arg; };
struct signer_remote { struct chain_signer port; struct remote_transport *transport; uint64_t next_id; int open; uint8_t raw[TX_BYTES_MAX]; };

static void remote_ask_free(struct remote_ask *a)
{
    if (a) fr_free(a->data);
    fr_free(a);
}
FR_AUTO_DEFINE(remote_ask)

static void on_answer(void *arg, enum fr_status status, const char *body, size_t len, const struct fr_err *err)
{
    struct remote_ask *a = arg;
    struct sign_answer answer;
    struct fr_err wrong;
    a->s->open--;
    if (status == FR_OK) {
        status = remote_answer_read(&a->ask, a->id, body, len, a->s->raw, &answer, &wrong);
        err = &wrong;
    }
    a->done(a->arg, status, status == FR_OK ? &answer : NULL, status == FR_OK ? NULL : err);
    remote_ask_free(a);
}

static enum fr_status remote_sign(struct chain_signer *port, const struct sign_ask *ask, sign_done_fn *done, void *arg, struct fr_err *err)
{
    struct signer_remote *s = (struct signer_remote *)((char *)port - offsetof(struct signer_remote, port));
    FR_AUTO_BUF(text);
    fr_buf_init(&text, REMOTE_ASK_BYTES_MAX);
    FR_AUTO(remote_ask) a = fr_alloc(sizeof *a);
    if (s->open >= REMOTE_OPEN_MAX) return FR_FAIL_CODE(err, FR_E_BUSY, "signer_busy", "%d asks wait for the remote signer", s->open);
    FR_TRY(remote_ask_put(ask, s->next_id, &text, err));
    if (a) a->data = fr_alloc(ask->tx.data_len);
    if (!a || !a->data) return FR_FAIL(err, FR_E_NOMEM, "no memory to sign a transaction");
    *a = (struct remote_ask){ .s = s, .id = s->next_id++, .ask = *ask, .data = a->data, .done = done, .arg = arg };
    if (ask->tx.data_len) memcpy(a->data, ask->tx.data, ask->tx.data_len);
    a->ask.tx.data = a->data;
    FR_TRY(s->transport->post(s->transport, text.data, text.len, on_answer, a, err));
    s->open++;
    a = NULL;                            // the answer's now
    return FR_OK;
}

struct signer_remote *signer_remote_new(struct remote_transport *transport)
{
    struct signer_remote *s = fr_must_alloc(sizeof *s);
    s->port.sign = remote_sign;
    s->transport = transport;
    s->next_id = 1;
    return s;
}

void signer_remote_free(struct signer_remote *s)
{
    assert(!s || s->open == 0);
    fr_free(s);
}

struct chain_signer *signer_remote_port(struct signer_remote *s)
{
    return &s->port;
}
