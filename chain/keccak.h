// keccak.h — Keccak-256 as Ethereum uses it: the padding of the Keccak submission (0x01), not that of SHA-3 (FIPS 202, 0x06). Pure.
//
// Source: the Keccak reference 3.0, rate 1088, capacity 512; Ethereum yellow paper, appendix A. The permutation is nettle's.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define KECCAK_BYTES 32
#define KECCAK_RATE_BYTES 136
struct keccak { uint64_t lane[25]; size_t fill; };      // plain data: a copy goes on from where it was copied

void keccak_init(struct keccak *k);
void keccak_add(struct keccak *k, const void *bytes, size_t len);
void keccak_end(struct keccak *k, uint8_t out[KECCAK_BYTES]);       // k must be initialised again before it is used again
void keccak256(const void *bytes, size_t len, uint8_t out[KECCAK_BYTES]);
// Of a NUL-terminated text: event topics, EIP-712 type strings.
void keccak256_text(const char *text, uint8_t out[KECCAK_BYTES]);
