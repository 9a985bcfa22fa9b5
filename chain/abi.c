#include "chain/abi.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "chain/keccak.h"

void abi_selector(const char *signature, uint8_t out[ABI_SELECTOR_BYTES])
{
    uint8_t hash[KECCAK_BYTES];
    keccak256_text(signature, hash);
    memcpy(out, hash, ABI_SELECTOR_BYTES);
}

void abi_event_topic(const char *signature, uint8_t out[32])
{
    keccak256_text(signature, out);
}

// ---- writing

static void add_zeros(struct fr_buf *to, size_t count)
{
    static const uint8_t zeros[ABI_WORD_BYTES];
    for (; count > 0; count -= count < sizeof zeros ? count : sizeof zeros) fr_buf_add_bytes(to, zeros, count < sizeof zeros ? count : sizeof zeros);
}

void abi_begin(struct abi_out *out, struct fr_buf *to, const char *signature, int words)
{
    uint8_t selector[ABI_SELECTOR_BYTES];
    assert(words >= 0);
    if (signature) {
        abi_selector(signature, selector);
        fr_buf_add_bytes(to, selector, sizeof selector);
    }
    *out = (struct abi_out){ .to = to, .start = to->len, .head_at = to->len, .head_end = to->len + (size_t)words * ABI_WORD_BYTES };
    add_zeros(to, (size_t)words * ABI_WORD_BYTES);
}

void abi_put_word(struct abi_out *out, const uint8_t word[ABI_WORD_BYTES])
{
    assert(out->head_at < out->head_end);                // more arguments than abi_begin was told
    if (!out->to->failed) memcpy(out->to->data + out->head_at, word, ABI_WORD_BYTES);
    out->head_at += ABI_WORD_BYTES;
}

void abi_put_u256(struct abi_out *out, struct u256 value)
{
    uint8_t word[ABI_WORD_BYTES];
    u256_to_bytes(value, word);
    abi_put_word(out, word);
}

void abi_put_u64(struct abi_out *out, uint64_t value) { abi_put_u256(out, u256_of(value)); }
void abi_put_bool(struct abi_out *out, bool value) { abi_put_u64(out, value); }

void abi_put_address(struct abi_out *out, const struct address *a)
{
    uint8_t word[ABI_WORD_BYTES] = { 0 };
    memcpy(word + ABI_WORD_BYTES - ADDRESS_BYTES, a->bytes, ADDRESS_BYTES);
    abi_put_word(out, word);
}

static void add_count(struct abi_out *out, size_t count)           // the offset goes into the head, the length behind it
{
    uint8_t word[ABI_WORD_BYTES];
    abi_put_u64(out, out->to->len - out->start);
    u256_to_bytes(u256_of(count), word);
    fr_buf_add_bytes(out->to, word, sizeof word);
}

void abi_put_bytes(struct abi_out *out, const void *bytes, size_t len)
{
    add_count(out, len);
    fr_buf_add_bytes(out->to, bytes, len);
    add_zeros(out->to, (ABI_WORD_BYTES - len % ABI_WORD_BYTES) % ABI_WORD_BYTES);
}

void abi_put_words(struct abi_out *out, const uint8_t (*words)[ABI_WORD_BYTES], size_t count)
{
    add_count(out, count);
    for (size_t i = 0; i < count; i++) fr_buf_add_bytes(out->to, words[i], ABI_WORD_BYTES);
}

enum fr_status abi_end(const struct abi_out *out, struct fr_err *err)
{
    assert(out->head_at == out->head_end);               // fewer arguments than abi_begin was told
    return fr_buf_check(out->to, "the arguments of a contract call", err);
}

// ---- reading

#define ABI_BAD(err, ...) FR_FAIL_CODE(err, FR_E_INVALID, "abi_malformed", __VA_ARGS__)

enum fr_status abi_get_word(const struct abi_in *in, int no, uint8_t out[ABI_WORD_BYTES], struct fr_err *err)
{
    assert(no >= 0);
    if (((size_t)no + 1) * ABI_WORD_BYTES > in->len) return ABI_BAD(err, "word %d is missing: only %zu bytes came", no, in->len);
    memcpy(out, in->bytes + (size_t)no * ABI_WORD_BYTES, ABI_WORD_BYTES);
    return FR_OK;
}

enum fr_status abi_get_u256(const struct abi_in *in, int no, struct u256 *ret, struct fr_err *err)
{
    uint8_t word[ABI_WORD_BYTES];
    FR_TRY(abi_get_word(in, no, word, err));
    *ret = u256_from_bytes(word);
    return FR_OK;
}

enum fr_status abi_get_u64(const struct abi_in *in, int no, uint64_t *ret, struct fr_err *err)
{
    struct u256 value = { { 0 } };
    FR_TRY(abi_get_u256(in, no, &value, err));
    return u256_fits_u64(value, ret) ? FR_OK : ABI_BAD(err, "word %d is past 64 bits", no);
}

enum fr_status abi_get_bool(const struct abi_in *in, int no, bool *ret, struct fr_err *err)
{
    uint64_t value = 0;
    FR_TRY(abi_get_u64(in, no, &value, err));
    if (value > 1) return ABI_BAD(err, "word %d is neither true nor false", no);
    *ret = value == 1;
    return FR_OK;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) if (bytes[i]) return false;
    return true;
}

enum fr_status abi_get_address(const struct abi_in *in, int no, struct address *ret, struct fr_err *err)
{
    uint8_t word[ABI_WORD_BYTES];
    FR_TRY(abi_get_word(in, no, word, err));
    if (!all_zero(word, ABI_WORD_BYTES - ADDRESS_BYTES)) return ABI_BAD(err, "word %d is no address", no);
    memcpy(ret->bytes, word + ABI_WORD_BYTES - ADDRESS_BYTES, ADDRESS_BYTES);
    return FR_OK;
}

// Follows the offset in head word `no` to a length, which must leave room for that many units.
static enum fr_status follow(const struct abi_in *in, int no, size_t unit, const uint8_t **at, size_t *count, struct fr_err *err)
{
    uint64_t offset = 0;
    struct u256 length;
    uint64_t units;
    FR_TRY(abi_get_u64(in, no, &offset, err));
    if (offset > in->len || in->len - offset < ABI_WORD_BYTES) return ABI_BAD(err, "word %d points outside", no);
    length = u256_from_bytes(in->bytes + offset);
    size_t room = in->len - offset - ABI_WORD_BYTES;
    if (!u256_fits_u64(length, &units) || units > room / unit) return ABI_BAD(err, "what word %d points at is longer than what came", no);
    *at = in->bytes + offset + ABI_WORD_BYTES;
    *count = units;
    return FR_OK;
}

enum fr_status abi_get_bytes(const struct abi_in *in, int no, const uint8_t **bytes, size_t *len, struct fr_err *err)
{
    const uint8_t *at = NULL;
    size_t count = 0;
    FR_TRY(follow(in, no, 1, &at, &count, err));
    size_t padding = (ABI_WORD_BYTES - count % ABI_WORD_BYTES) % ABI_WORD_BYTES, left = (size_t)(in->bytes + in->len - at) - count;
    if (left < padding || !all_zero(at + count, padding)) return ABI_BAD(err, "the bytes of word %d are not padded with zeros", no);
    *bytes = at;
    *len = count;
    return FR_OK;
}

enum fr_status abi_get_words(const struct abi_in *in, int no, const uint8_t **words, size_t *count, struct fr_err *err)
{
    return follow(in, no, ABI_WORD_BYTES, words, count, err);
}

static const char *panic_text(uint64_t code)
{
    switch (code) {
    case 0x01: return "an assertion failed";
    case 0x11: return "arithmetic overflow";
    case 0x12: return "division by zero";
    case 0x21: return "a value that its enum does not have";
    case 0x22: return "a damaged byte array in storage";
    case 0x31: return "pop from an empty array";
    case 0x32: return "an index out of bounds";
    case 0x41: return "too much memory";
    case 0x51: return "a function that was never set";
    default:   return "panic";
    }
}

void abi_revert_text(const void *data, size_t len, char *out, size_t cap)
{
    static const uint8_t error_selector[] = { 0x08, 0xc3, 0x79, 0xa0 }, panic_selector[] = { 0x4e, 0x48, 0x7b, 0x71 };
    const uint8_t *bytes = data, *text = NULL;
    size_t text_len = 0;
    uint64_t code = 0;
    char selector[2 * ABI_SELECTOR_BYTES + 1];
    if (len < ABI_SELECTOR_BYTES) {
        snprintf(out, cap, "it gave no reason");
        return;
    }
    struct abi_in in = { bytes + ABI_SELECTOR_BYTES, len - ABI_SELECTOR_BYTES };
    if (memcmp(bytes, error_selector, sizeof error_selector) == 0 && abi_get_bytes(&in, 0, &text, &text_len, NULL) == FR_OK) {
        size_t n = 0;
        for (size_t i = 0; i < text_len && n + 1 < cap; i++) out[n++] = text[i] >= 0x20 && text[i] < 0x7f ? (char)text[i] : '?';      // a contract's text is a stranger's
        if (cap) out[n] = 0;
    } else if (memcmp(bytes, panic_selector, sizeof panic_selector) == 0 && abi_get_u64(&in, 0, &code, NULL) == FR_OK) {
        snprintf(out, cap, "%s (0x%02llx)", panic_text(code), (unsigned long long)code);
    } else {
        snprintf(out, cap, "custom error 0x%s with %zu bytes", fr_hex(bytes, ABI_SELECTOR_BYTES, selector), len - ABI_SELECTOR_BYTES);
    }
}
