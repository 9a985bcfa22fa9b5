// abi.h — the contract ABI: arguments of calls and constructors written, return values, logs and revert reasons read. Pure.
//
// Source: Solidity's "Contract ABI Specification". Writing goes argument by argument in the order of the signature; the number of head words is
// said first, because what has a variable length stands behind them. Reading is strict: unused high bytes of an address, a bool or a
// uint64 must be zero, padding too, and offsets must stay inside.
#pragma once
#include "base/buf.h"
#include "chain/address.h"
#include "chain/u256.h"

#define ABI_WORD_BYTES 32
#define ABI_SELECTOR_BYTES 4
struct abi_out { struct fr_buf *to; size_t start, head_at, head_end; };

// "burn(bytes32,uint256,bytes32)": no spaces, full type names (uint256, not uint).
void abi_selector(const char *signature, uint8_t out[ABI_SELECTOR_BYTES]);
void abi_event_topic(const char *signature, uint8_t out[32]);
// Arguments with `words` head words in all (one for each argument, static tuples one for each member). signature NULL: a constructor's, or a tuple.
void abi_begin(struct abi_out *out, struct fr_buf *to, const char *signature, int words);
void abi_put_u256(struct abi_out *out, struct u256 value);
void abi_put_u64(struct abi_out *out, uint64_t value);
void abi_put_bool(struct abi_out *out, bool value);
void abi_put_address(struct abi_out *out, const struct address *a);
void abi_put_word(struct abi_out *out, const uint8_t word[ABI_WORD_BYTES]);              // bytes32
void abi_put_bytes(struct abi_out *out, const void *bytes, size_t len);                  // bytes and string
void abi_put_words(struct abi_out *out, const uint8_t (*words)[ABI_WORD_BYTES], size_t count);      // uint256[], bytes32[], address[] (left-padded words)
// Every head word was put, and the buffer held it all. FR_E_LIMIT, FR_E_NOMEM.
FR_MUST_USE enum fr_status abi_end(const struct abi_out *out, struct fr_err *err);

// Reading: `no` is the head word's number, from 0. FR_E_INVALID "abi_malformed".
struct abi_in { const uint8_t *bytes; size_t len; };
FR_MUST_USE enum fr_status abi_get_u256(const struct abi_in *in, int no, struct u256 *ret, struct fr_err *err);
FR_MUST_USE enum fr_status abi_get_u64(const struct abi_in *in, int no, uint64_t *ret, struct fr_err *err);
FR_MUST_USE enum fr_status abi_get_bool(const struct abi_in *in, int no, bool *ret, struct fr_err *err);
FR_MUST_USE enum fr_status abi_get_address(const struct abi_in *in, int no, struct address *ret, struct fr_err *err);
FR_MUST_USE enum fr_status abi_get_word(const struct abi_in *in, int no, uint8_t out[ABI_WORD_BYTES], struct fr_err *err);
FR_MUST_USE enum fr_status abi_get_bytes(const struct abi_in *in, int no, const uint8_t **bytes, size_t *len, struct fr_err *err);     // points into in
FR_MUST_USE enum fr_status abi_get_words(const struct abi_in *in, int no, const uint8_t **words, size_t *count, struct fr_err *err);   // count * 32 bytes
// What a reverted call says, for people: the text of Error(string), the meaning of Panic(uint256), or the selector and size of a custom error.
void abi_revert_text(const void *data, size_t len, char *out, size_t cap);
