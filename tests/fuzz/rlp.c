// rlp: bytes as RLP, and as a raw transaction. There is one spelling of each: what reads is written again byte for byte.
#include "base/hex.h"
#include "chain/tx.h"
#include "fuzz.h"

#define DEPTH_MAX 64
static void copy(const struct rlp_item *item, struct rlp_out *out, int depth, bool *deep)
{
    struct fr_err err = { 0 };
    struct rlp_in in;
    if (!item->is_list) {
        rlp_put_bytes(out, item->bytes, item->len);
        return;
    }
    if (depth == DEPTH_MAX) {
        *deep = true;
        return;
    }
    size_t list = rlp_list_begin(out);
    rlp_enter(item, &in);
    while (!rlp_at_end(&in)) {
        struct rlp_item next;
        const uint8_t *before = in.at;
        if (rlp_next(&in, &next, &err) != FR_OK) {      // only what is entered is looked at
            HOLDS(strcmp(err.code, "rlp_malformed") == 0);
            *deep = true;
            break;
        }
        HOLDS(in.at > before && in.at <= in.end && next.bytes >= before && next.bytes + next.len <= in.end);
        copy(&next, out, depth + 1, deep);
    }
    rlp_list_end(out, list);
}

static void items(const uint8_t *bytes, size_t len)
{
    static uint8_t written[TX_BYTES_MAX];
    struct rlp_item item;
    struct rlp_out out;
    struct fr_err err = { 0 };
    bool part = false;
    if (rlp_read(bytes, len, &item, &err) != FR_OK) {
        HOLDS(strcmp(err.code, "rlp_malformed") == 0);
        return;
    }
    rlp_out_init(&out, written, sizeof written);
    copy(&item, &out, 0, &part);
    if (!part && !out.failed) HOLDS(out.len == len && memcmp(written, bytes, len) == 0);
}

static void numbers(const uint8_t *bytes, size_t len)
{
    uint8_t written[64];
    struct rlp_in in = { bytes, bytes + len };
    struct rlp_out out;
    struct u256 big;
    uint64_t small;
    if (rlp_next_u256(&in, &big, NULL) != FR_OK) return;
    rlp_out_init(&out, written, sizeof written);
    rlp_put_u256(&out, big);
    HOLDS(!out.failed && out.len == (size_t)(in.at - bytes) && memcmp(written, bytes, out.len) == 0);
    struct rlp_in again = { bytes, bytes + len };
    bool fits = rlp_next_u64(&again, &small, NULL) == FR_OK;
    HOLDS(fits == (big.limb[1] == 0 && big.limb[2] == 0 && big.limb[3] == 0) && (!fits || small == big.limb[0]));
}

static void transaction(const uint8_t *bytes, size_t len)
{
    static uint8_t raw[TX_BYTES_MAX];
    uint8_t hash[32], signing[32];
    size_t raw_len;
    struct tx t;
    struct signature sig;
    struct address from, who;
    struct fr_err err = { 0 };
    if (tx_read(bytes, len, &t, &sig, &from, &err) != FR_OK) {
        HOLDS(err.status == FR_E_LIMIT || strcmp(err.code, "rlp_malformed") == 0 || strcmp(err.code, "tx_malformed") == 0 || strcmp(err.code, "signature_invalid") == 0);
        return;
    }
    HOLDS(t.data_len == 0 || (t.data >= bytes && t.data + t.data_len <= bytes + len));
    HOLDS(tx_raw(&t, &sig, raw, sizeof raw, &raw_len, hash, NULL) == FR_OK && raw_len == len && memcmp(raw, bytes, len) == 0);
    HOLDS(tx_signing_hash(&t, signing, NULL) == FR_OK && signature_signer(&sig, signing, &who, NULL) == FR_OK && address_equal(&who, &from));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)    // which (1 byte), then what is read
{
    struct fuzz_in in = { bytes, size };
    uint8_t which = fuzz_byte(&in) % 3;
    uint8_t *exact = malloc(in.left ? in.left : 1);    // of its size: reading past it is seen
    if (in.left) memcpy(exact, in.at, in.left);
    if (which == 0) items(exact, in.left);
    else if (which == 1) numbers(exact, in.left);
    else transaction(exact, in.left);
    free(exact);
    return 0;
}
