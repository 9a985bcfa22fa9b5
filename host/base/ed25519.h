// ed25519.h — verifying Ed25519 signatures (RFC 8032) with libsodium, strictly: a signature has one spelling, keys of small order
// are refused. This host signs nothing with it. Thread-safe.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_KEY_BYTES 32
#define ED25519_SIGNATURE_BYTES 64
bool fr_ed25519_verify(const uint8_t signature[ED25519_SIGNATURE_BYTES], const void *message, size_t len, const uint8_t key[ED25519_KEY_BYTES]);
