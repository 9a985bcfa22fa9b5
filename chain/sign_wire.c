#include "chain/sign_wire.h"
#include <string.h>

static void put_u64(struct fr_buf *out, uint64_t v)
{
    uint8_t b[8];
    for (int i = 0; i < 8; i++) b[i] = (uint8_t)(v >> (56 - 8 * i));
    fr_buf_add_bytes(out, b, sizeof b);
}

static void put_u256(struct fr_buf *out, struct u256 v)
{
    uint8_t b[U256_BYTES];
    u256_to_bytes(v, b);
    fr_buf_add_bytes(out, b, sizeof b);
}

static void put_address(struct fr_buf *out, const struct address *a)
{
    fr_buf_add_bytes(out, a->bytes, ADDRESS_BYTES);
}

static enum fr_status put_tx(const struct tx *t, struct fr_buf *out, struct fr_err *err)
{
    if (t->creates) return FR_FAIL(err, FR_E_INVALID, "the signer makes no contracts");
    if (t->kind == TX_LEGACY && !u256_is_zero(t->max_tip)) return FR_FAIL(err, FR_E_INVALID, "a legacy transaction has no tip");
    if (t->data_len > SIGN_DATA_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "calldata of %zu bytes; the signer takes %d", t->data_len, SIGN_DATA_BYTES_MAX);
    fr_buf_add_char(out, t->kind == TX_FEE_MARKET);
    put_u64(out, t->chain_id);
    put_u64(out, t->nonce);
    put_u64(out, t->gas_limit);
    put_u256(out, t->max_fee);
    put_u256(out, t->max_tip);
    put_address(out, &t->to);
    put_u256(out, t->value);
    fr_buf_add_bytes(out, t->data, t->data_len);
    return FR_OK;
}

static void put_permit(const struct sign_permit *p, struct fr_buf *out)
{
    put_u64(out, p->chain_id);
    put_address(out, &p->token);
    put_address(out, &p->spender);
    put_u256(out, p->value);
    put_u256(out, p->nonce);
    put_u64(out, p->deadline_s);
}

static enum fr_status put_siwe(const struct siwe *s, struct fr_buf *out, struct fr_err *err)
{
    const char *text[5] = { s->domain, s->statement, s->uri, s->nonce, s->resource };
    size_t sum = 0;
    put_u64(out, s->chain_id);
    put_u64(out, (uint64_t)s->issued_ms);
    put_u64(out, (uint64_t)s->expires_ms);
    for (int i = 0; i < 5; i++) {
        size_t len = text[i] ? strlen(text[i]) : 0;
        if (len > SIWE_BYTES_MAX || (sum += len) > SIWE_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "a sign-in message over %d bytes", SIWE_BYTES_MAX);
        fr_buf_add_char(out, (char)(len >> 8));
        fr_buf_add_char(out, (char)len);
        if (len) fr_buf_add_bytes(out, text[i], len);
    }
    return FR_OK;
}

enum fr_status sign_wire_put(const struct sign_ask *ask, struct fr_buf *out, struct fr_err *err)
{
    put_address(out, &ask->from);
    if (ask->kind == SIGN_A_TX) FR_TRY(put_tx(&ask->tx, out, err));
    else if (ask->kind == SIGN_A_PERMIT) put_permit(&ask->permit, out);
    else FR_TRY(put_siwe(&ask->siwe, out, err));
    return fr_buf_check(out, "an ask to sign", err);
}

// ---- back: lengths are checked once, in front of each of these

struct in { const uint8_t *at; size_t left; };

static uint64_t take_u64(struct in *in)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | in->at[i];
    in->at += 8;
    in->left -= 8;
    return v;
}

static struct u256 take_u256(struct in *in)
{
    struct u256 v = u256_from_bytes(in->at);
    in->at += U256_BYTES;
    in->left -= U256_BYTES;
    return v;
}

static struct address take_address(struct in *in)
{
    struct address a;
    memcpy(a.bytes, in->at, ADDRESS_BYTES);
    in->at += ADDRESS_BYTES;
    in->left -= ADDRESS_BYTES;
    return a;
}

static enum fr_status malformed(struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_INVALID, "sign_malformed", "the bytes are no ask to sign");
}

static enum fr_status get_tx(struct in in, struct sign_ask *ask, struct fr_err *err)
{
    if (in.left < SIGN_TX_HEAD_BYTES || in.left > SIGN_TX_HEAD_BYTES + SIGN_DATA_BYTES_MAX) return malformed(err);
    ask->from = take_address(&in);
    uint8_t kind = *in.at;
    if (kind > 1) return malformed(err);
    in.at++;
    in.left--;
    ask->tx.kind = kind ? TX_FEE_MARKET : TX_LEGACY;
    ask->tx.chain_id = take_u64(&in);
    ask->tx.nonce = take_u64(&in);
    ask->tx.gas_limit = take_u64(&in);
    ask->tx.max_fee = take_u256(&in);
    ask->tx.max_tip = take_u256(&in);
    ask->tx.to = take_address(&in);
    ask->tx.value = take_u256(&in);
    ask->tx.data = in.at;
    ask->tx.data_len = in.left;
    return kind == 0 && !u256_is_zero(ask->tx.max_tip) ? malformed(err) : FR_OK;
}

static enum fr_status get_permit(struct in in, struct sign_ask *ask, struct fr_err *err)
{
    if (in.left != SIGN_PERMIT_BYTES) return malformed(err);
    ask->from = take_address(&in);
    ask->permit.chain_id = take_u64(&in);
    ask->permit.token = take_address(&in);
    ask->permit.spender = take_address(&in);
    ask->permit.value = take_u256(&in);
    ask->permit.nonce = take_u256(&in);
    ask->permit.deadline_s = take_u64(&in);
    return FR_OK;
}

// A NUL inside a text would make it end sooner here than for whoever wrote it.
static bool take_text(struct in *in, char **at, const char **ret)
{
    if (in->left < 2) return false;
    size_t len = (size_t)in->at[0] << 8 | in->at[1];
    in->at += 2;
    in->left -= 2;
    if (len > in->left || memchr(in->at, 0, len)) return false;
    memcpy(*at, in->at, len);
    (*at)[len] = '\0';
    *ret = *at;
    *at += len + 1;
    in->at += len;
    in->left -= len;
    return true;
}

static enum fr_status get_siwe(struct in in, struct sign_texts *texts, struct sign_ask *ask, struct fr_err *err)
{
    struct siwe *s = &ask->siwe;
    const char **to[5] = { &s->domain, &s->statement, &s->uri, &s->nonce, &s->resource };
    const size_t head = ADDRESS_BYTES + 24;
    char *at = texts->bytes;
    if (in.left < head + 10 || in.left > head + 10 + SIWE_BYTES_MAX) return malformed(err);
    ask->from = s->address = take_address(&in);
    s->chain_id = take_u64(&in);
    s->issued_ms = (int64_t)take_u64(&in);
    s->expires_ms = (int64_t)take_u64(&in);
    for (int i = 0; i < 5; i++) if (!take_text(&in, &at, to[i])) return malformed(err);
    if (in.left) return malformed(err);
    if (!*s->statement) s->statement = NULL;
    if (!*s->resource) s->resource = NULL;
    return FR_OK;
}

enum fr_status sign_wire_get(enum sign_kind kind, const void *bytes, size_t len, struct sign_texts *texts, struct sign_ask *ret, struct fr_err *err)
{
    struct sign_ask ask = { .kind = kind };
    struct in in = { bytes, len };
    if (kind == SIGN_A_TX) FR_TRY(get_tx(in, &ask, err));
    else if (kind == SIGN_A_PERMIT) FR_TRY(get_permit(in, &ask, err));
    else FR_TRY(get_siwe(in, texts, &ask, err));
    *ret = ask;
    return FR_OK;
}
