// address.h — a 20-byte account address and its text with the mixed-case checksum of EIP-55. Pure.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"

#define ADDRESS_BYTES 20
#define ADDRESS_TEXT_BYTES 43            // 0x, 40 digits, NUL
struct address { uint8_t bytes[ADDRESS_BYTES]; };

// Takes 0x and 40 hex digits: all lower, all upper, or mixed with the right checksum. FR_E_INVALID says which of it is wrong.
FR_MUST_USE enum fr_status address_parse(const char *text, struct address *ret, struct fr_err *err);
char *address_text(const struct address *a, char out[ADDRESS_TEXT_BYTES]);             // with checksum
bool address_equal(const struct address *a, const struct address *b);
bool address_is_zero(const struct address *a);
// Of the account behind an uncompressed public key without its 0x04 (64 bytes).
struct address address_of_public_key(const uint8_t key[64]);
// Where `from` puts a contract with CREATE and this nonce; and with CREATE2 (EIP-1014).
struct address address_of_create(const struct address *from, uint64_t nonce);
struct address address_of_create2(const struct address *from, const uint8_t salt[32], const uint8_t init_code_hash[32]);
