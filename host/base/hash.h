// hash.h — SHA-256 (FIPS 180-4), HMAC-SHA256 (RFC 2104), SHA-1 (only for the WebSocket handshake, RFC 6455), random bytes,
// constant-time comparison. The random source is getrandom(2); it never fails after boot or the process ends.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 65      // with NUL
struct fr_sha256 { uint32_t h[8]; uint64_t bytes; uint8_t block[64]; };

void fr_sha256_init(struct fr_sha256 *s);
void fr_sha256_add(struct fr_sha256 *s, const void *bytes, size_t len);
void fr_sha256_end(struct fr_sha256 *s, uint8_t out[SHA256_BYTES]);
void fr_sha256(const void *bytes, size_t len, uint8_t out[SHA256_BYTES]);
void fr_sha256_plainly(bool plainly);      // for tests: as on a processor without instructions for it
void fr_hmac_sha256(const void *key, size_t key_len, const void *msg, size_t msg_len, uint8_t out[SHA256_BYTES]);
void fr_sha1(const void *bytes, size_t len, uint8_t out[20]);
uint64_t fr_siphash13(const uint64_t key[2], const void *bytes, size_t len);     // for hash tables only: 64 bits, secret key
bool fr_equal_const_time(const void *a, const void *b, size_t len);
void fr_random_bytes(void *out, size_t len);
