// tx.c — one function writes the fields, for signing and for sending; they differ in what stands behind them.
#include "chain/tx.h"
#include <assert.h>
#include <string.h>
#include "base/auto.h"
#include "base/mem.h"
#include "chain/keccak.h"

#define TYPE_FEE_MARKET 0x02
#define LEGACY_V_BASE 35                 // EIP-155: v = 35 + 2 * chain id + y parity

static void put_short(struct rlp_out *out, const uint8_t bytes[32])
{
    rlp_put_u256(out, u256_from_bytes(bytes));       // r and s are numbers: no leading zeros
}

static bool can_be_bound_to(uint64_t chain_id) { return chain_id > 0 && chain_id < (UINT64_MAX - LEGACY_V_BASE) / 2; }      // EIP-155's v has room for it

// sig NULL: the form that is signed.
static enum fr_status tx_write(const struct tx *t, const struct signature *sig, struct rlp_out *out, struct fr_err *err)
{
    static const uint8_t type = TYPE_FEE_MARKET;
    bool legacy = t->kind == TX_LEGACY;
    assert(!legacy || u256_is_zero(t->max_tip));
    if (!can_be_bound_to(t->chain_id)) return FR_FAIL(err, FR_E_INVALID, "a transaction needs a chain id it can be bound to");
    if (!legacy) {
        if (out->cap == 0) return FR_FAIL(err, FR_E_LIMIT, "no room for a transaction");
        out->bytes[out->len++] = type;
    }
    size_t list = rlp_list_begin(out);
    if (!legacy) rlp_put_u64(out, t->chain_id);
    rlp_put_u64(out, t->nonce);
    if (!legacy) rlp_put_u256(out, t->max_tip);
    rlp_put_u256(out, t->max_fee);
    rlp_put_u64(out, t->gas_limit);
    rlp_put_bytes(out, t->to.bytes, t->creates ? 0 : ADDRESS_BYTES);
    rlp_put_u256(out, t->value);
    rlp_put_bytes(out, t->data, t->data_len);
    if (!legacy) rlp_list_end(out, rlp_list_begin(out));       // the access list
    if (sig) {
        rlp_put_u64(out, legacy ? LEGACY_V_BASE + 2 * t->chain_id + (uint64_t)sig->y_parity : (uint64_t)sig->y_parity);
        put_short(out, sig->r);
        put_short(out, sig->s);
    } else if (legacy) {
        rlp_put_u64(out, t->chain_id);
        rlp_put_u64(out, 0);
        rlp_put_u64(out, 0);
    }
    rlp_list_end(out, list);
    return out->failed ? FR_FAIL(err, FR_E_LIMIT, "a transaction over %zu bytes", out->cap) : FR_OK;
}

enum fr_status tx_signing_hash(const struct tx *t, uint8_t out[32], struct fr_err *err)
{
    FR_AUTO_MEM uint8_t *bytes = fr_alloc(TX_BYTES_MAX - 128);       // a signature's room less: what can be signed can be sent
    struct rlp_out rlp;
    if (!bytes) return FR_FAIL(err, FR_E_NOMEM, "no memory for a transaction");
    rlp_out_init(&rlp, bytes, TX_BYTES_MAX - 128);
    FR_TRY(tx_write(t, NULL, &rlp, err));
    keccak256(bytes, rlp.len, out);
    return FR_OK;
}

enum fr_status tx_raw(const struct tx *t, const struct signature *sig, uint8_t *out, size_t cap, size_t *len, uint8_t hash[32], struct fr_err *err)
{
    struct rlp_out rlp;
    rlp_out_init(&rlp, out, cap);
    FR_TRY(tx_write(t, sig, &rlp, err));
    keccak256(out, rlp.len, hash);
    *len = rlp.len;
    return FR_OK;
}

// ---- reading

static enum fr_status next_scalar(struct rlp_in *in, uint8_t out[32], struct fr_err *err)
{
    struct u256 value = { { 0 } };
    FR_TRY(rlp_next_u256(in, &value, err));
    u256_to_bytes(value, out);
    return FR_OK;
}

static enum fr_status next_receiver(struct rlp_in *in, struct tx *t, struct fr_err *err)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    FR_TRY(rlp_next_bytes(in, &bytes, &len, err));
    if (len != 0 && len != ADDRESS_BYTES) return FR_FAIL_CODE(err, FR_E_INVALID, "tx_malformed", "a receiver of %zu bytes", len);
    t->creates = len == 0;
    if (len) memcpy(t->to.bytes, bytes, ADDRESS_BYTES);
    return FR_OK;
}

static enum fr_status next_access_list(struct rlp_in *in, struct fr_err *err)
{
    struct rlp_item list;
    FR_TRY(rlp_next(in, &list, err));
    return list.is_list && list.len == 0 ? FR_OK : FR_FAIL_CODE(err, FR_E_INVALID, "tx_malformed", "it has an access list");
}

static enum fr_status tx_read_fields(const uint8_t *raw, size_t len, struct tx *t, struct signature *sig, struct fr_err *err)
{
    bool legacy = len > 0 && raw[0] >= 0xc0;
    struct rlp_item list;
    struct rlp_in in;
    uint64_t v = 0;
    if (!legacy && (len == 0 || raw[0] != TYPE_FEE_MARKET)) return FR_FAIL_CODE(err, FR_E_INVALID, "tx_malformed", "neither a legacy transaction nor one of type 2");
    t->kind = legacy ? TX_LEGACY : TX_FEE_MARKET;
    FR_TRY(rlp_read(raw + !legacy, len - !legacy, &list, err));
    if (!list.is_list) return FR_FAIL_CODE(err, FR_E_INVALID, "tx_malformed", "its fields are not a list");
    rlp_enter(&list, &in);
    if (!legacy) FR_TRY(rlp_next_u64(&in, &t->chain_id, err));
    FR_TRY(rlp_next_u64(&in, &t->nonce, err));
    if (!legacy) FR_TRY(rlp_next_u256(&in, &t->max_tip, err));
    FR_TRY(rlp_next_u256(&in, &t->max_fee, err));
    FR_TRY(rlp_next_u64(&in, &t->gas_limit, err));
    FR_TRY(next_receiver(&in, t, err));
    FR_TRY(rlp_next_u256(&in, &t->value, err));
    FR_TRY(rlp_next_bytes(&in, &t->data, &t->data_len, err));
    if (!legacy) FR_TRY(next_access_list(&in, err));
    FR_TRY(rlp_next_u64(&in, &v, err));
    FR_TRY(next_scalar(&in, sig->r, err));
    FR_TRY(next_scalar(&in, sig->s, err));
    if (!rlp_at_end(&in)) return FR_FAIL_CODE(err, FR_E_INVALID, "tx_malformed", "it has a field too many");
    if (legacy && v < LEGACY_V_BASE + 2) return FR_FAIL_CODE(err, FR_E_INVALID, "tx_malformed", "it is bound to no chain");
    if (legacy) t->chain_id = (v - LEGACY_V_BASE) / 2;
    if (!can_be_bound_to(t->chain_id)) return FR_FAIL_CODE(err, FR_E_INVALID, "tx_malformed", "it is bound to no chain");
    sig->y_parity = legacy ? (int)((v - LEGACY_V_BASE) % 2) : v > 1 ? 2 : (int)v;      // 2: signature_signer refuses it
    return FR_OK;
}

enum fr_status tx_read(const uint8_t *raw, size_t len, struct tx *ret, struct signature *sig, struct address *from, struct fr_err *err)
{
    struct tx t = { 0 };
    struct signature s = { 0 };
    struct address signer;
    uint8_t hash[32];
    if (len > TX_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "a transaction over %d bytes", TX_BYTES_MAX);
    FR_TRY(tx_read_fields(raw, len, &t, &s, err));
    FR_TRY(tx_signing_hash(&t, hash, err));
    FR_TRY(signature_signer(&s, hash, &signer, err));
    *ret = t;
    *sig = s;
    *from = signer;
    return FR_OK;
}
