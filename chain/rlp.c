#include "chain/rlp.h"
#include <assert.h>
#include <string.h>

// ---- writing

void rlp_out_init(struct rlp_out *out, void *bytes, size_t cap)
{
    *out = (struct rlp_out){ .bytes = bytes, .cap = cap };
}

static void rlp_raw(struct rlp_out *out, const void *bytes, size_t len)
{
    if (out->failed || len > out->cap - out->len) { out->failed = true; return; }
    if (len) memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

// 0x80 or 0xc0 plus the length, or plus 55 and the length of the length.
static size_t rlp_head(uint8_t base, size_t len, uint8_t head[9])
{
    uint8_t length[U256_BYTES];
    if (len <= 55) {
        head[0] = (uint8_t)(base + len);
        return 1;
    }
    size_t n = u256_to_short(u256_of(len), length);
    head[0] = (uint8_t)(base + 55 + n);
    memcpy(head + 1, length, n);
    return 1 + n;
}

void rlp_put_bytes(struct rlp_out *out, const void *bytes, size_t len)
{
    const uint8_t *first = bytes;
    uint8_t head[9];
    if (len != 1 || first[0] >= 0x80) rlp_raw(out, head, rlp_head(0x80, len, head));
    rlp_raw(out, bytes, len);
}

void rlp_put_u256(struct rlp_out *out, struct u256 value)
{
    uint8_t bytes[U256_BYTES];
    size_t len = u256_to_short(value, bytes);
    rlp_put_bytes(out, bytes, len);
}

void rlp_put_u64(struct rlp_out *out, uint64_t value)
{
    rlp_put_u256(out, u256_of(value));
}

size_t rlp_list_begin(struct rlp_out *out)
{
    return out->len;
}

void rlp_list_end(struct rlp_out *out, size_t begun)
{
    uint8_t head[9];
    if (out->failed) return;
    assert(begun <= out->len);
    size_t len = out->len - begun, room = rlp_head(0xc0, len, head);
    if (room > out->cap - out->len) { out->failed = true; return; }
    memmove(out->bytes + begun + room, out->bytes + begun, len);      // its length is known only now
    memcpy(out->bytes + begun, head, room);
    out->len += room;
}

// ---- reading

#define RLP_BAD(err, what) FR_FAIL_CODE(err, FR_E_INVALID, "rlp_malformed", "RLP: %s", what)

static enum fr_status rlp_long(struct rlp_in *in, size_t bytes, size_t *ret, struct fr_err *err)
{
    size_t len = 0;
    if (bytes > 4) return RLP_BAD(err, "a length past 4 GiB");
    if ((size_t)(in->end - in->at) < bytes) return RLP_BAD(err, "it ends within a length");
    if (in->at[0] == 0) return RLP_BAD(err, "a length with leading zeros");
    for (size_t i = 0; i < bytes; i++) len = len << 8 | *in->at++;
    if (len <= 55) return RLP_BAD(err, "a length that has a shorter form");
    *ret = len;
    return FR_OK;
}

enum fr_status rlp_next(struct rlp_in *in, struct rlp_item *ret, struct fr_err *err)
{
    if (in->at == in->end) return RLP_BAD(err, "an item is missing");
    uint8_t head = *in->at;
    struct rlp_item item = { .is_list = head >= 0xc0, .bytes = in->at, .len = 1 };
    if (head >= 0x80) {
        size_t base = item.is_list ? 0xc0 : 0x80;
        in->at++;
        item.len = head - base;
        if (item.len > 55) FR_TRY(rlp_long(in, item.len - 55, &item.len, err));
        item.bytes = in->at;
    }
    if ((size_t)(in->end - in->at) < item.len) return RLP_BAD(err, "it ends within an item");
    if (head == 0x81 && item.bytes[0] < 0x80) return RLP_BAD(err, "a byte that needs no wrapper has one");
    in->at += item.len;
    *ret = item;
    return FR_OK;
}

enum fr_status rlp_read(const void *bytes, size_t len, struct rlp_item *ret, struct fr_err *err)
{
    struct rlp_in in = { bytes, (const uint8_t *)bytes + len };
    struct rlp_item item;
    FR_TRY(rlp_next(&in, &item, err));
    if (in.at != in.end) return RLP_BAD(err, "bytes behind the item");
    *ret = item;
    return FR_OK;
}

void rlp_enter(const struct rlp_item *list, struct rlp_in *ret)
{
    assert(list->is_list);
    *ret = (struct rlp_in){ list->bytes, list->bytes + list->len };
}

bool rlp_at_end(const struct rlp_in *in)
{
    return in->at == in->end;
}

enum fr_status rlp_next_bytes(struct rlp_in *in, const uint8_t **bytes, size_t *len, struct fr_err *err)
{
    struct rlp_item item;
    FR_TRY(rlp_next(in, &item, err));
    if (item.is_list) return RLP_BAD(err, "a list where a string must be");
    *bytes = item.bytes;
    *len = item.len;
    return FR_OK;
}

enum fr_status rlp_next_fixed(struct rlp_in *in, uint8_t *out, size_t len, struct fr_err *err)
{
    const uint8_t *bytes = NULL;
    size_t found = 0;
    FR_TRY(rlp_next_bytes(in, &bytes, &found, err));
    if (found != len) return RLP_BAD(err, "a string of another length than its field has");
    memcpy(out, bytes, len);
    return FR_OK;
}

enum fr_status rlp_next_u256(struct rlp_in *in, struct u256 *ret, struct fr_err *err)
{
    const uint8_t *bytes = NULL;
    size_t len = 0;
    FR_TRY(rlp_next_bytes(in, &bytes, &len, err));
    if (len > 0 && bytes[0] == 0) return RLP_BAD(err, "a number with leading zeros");
    if (!u256_from_short(bytes, len, ret)) return RLP_BAD(err, "a number past 256 bits");
    return FR_OK;
}

enum fr_status rlp_next_u64(struct rlp_in *in, uint64_t *ret, struct fr_err *err)
{
    struct u256 value;
    FR_TRY(rlp_next_u256(in, &value, err));
    if (!u256_fits_u64(value, ret)) return RLP_BAD(err, "a number past 64 bits");
    return FR_OK;
}
