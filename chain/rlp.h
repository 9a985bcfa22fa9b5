// rlp.h — Recursive Length Prefix: Ethereum's encoding of byte strings and lists (yellow paper, appendix B). Pure.
//
// Writing goes into memory of the caller's and remembers that it did not fit. Reading accepts the canonical form alone: shortest
// lengths, no byte below 0x80 in a wrapper, nothing past the end; numbers without leading zeros. What is read points into the input.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "chain/u256.h"

struct rlp_out { uint8_t *bytes; size_t len, cap; bool failed; };
void rlp_out_init(struct rlp_out *out, void *bytes, size_t cap);
void rlp_put_bytes(struct rlp_out *out, const void *bytes, size_t len);
void rlp_put_u64(struct rlp_out *out, uint64_t value);
void rlp_put_u256(struct rlp_out *out, struct u256 value);
// Items put between the two are the list's. Lists nest.
size_t rlp_list_begin(struct rlp_out *out);
void rlp_list_end(struct rlp_out *out, size_t begun);

struct rlp_item { bool is_list; const uint8_t *bytes; size_t len; };      // of a list: its items, one after the other
struct rlp_in { const uint8_t *at, *end; };
// The one item that fills all of `len` bytes. FR_E_INVALID "rlp_malformed" in all that follow.
FR_MUST_USE enum fr_status rlp_read(const void *bytes, size_t len, struct rlp_item *ret, struct fr_err *err);
void rlp_enter(const struct rlp_item *list, struct rlp_in *ret);
bool rlp_at_end(const struct rlp_in *in);
FR_MUST_USE enum fr_status rlp_next(struct rlp_in *in, struct rlp_item *ret, struct fr_err *err);
FR_MUST_USE enum fr_status rlp_next_bytes(struct rlp_in *in, const uint8_t **bytes, size_t *len, struct fr_err *err);
FR_MUST_USE enum fr_status rlp_next_fixed(struct rlp_in *in, uint8_t *out, size_t len, struct fr_err *err);      // of exactly len bytes
FR_MUST_USE enum fr_status rlp_next_u64(struct rlp_in *in, uint64_t *ret, struct fr_err *err);
FR_MUST_USE enum fr_status rlp_next_u256(struct rlp_in *in, struct u256 *ret, struct fr_err *err);
