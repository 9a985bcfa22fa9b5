// ed25519.c — one call into libsodium. It wants to be told to begin, and says no only on a machine without random bytes.
#include "base/ed25519.h"
#include <sodium.h>

_Static_assert(ED25519_KEY_BYTES == crypto_sign_PUBLICKEYBYTES && ED25519_SIGNATURE_BYTES == crypto_sign_BYTES, "libsodium's sizes are those of the RFC");

bool fr_ed25519_verify(const uint8_t signature[ED25519_SIGNATURE_BYTES], const void *message, size_t len, const uint8_t key[ED25519_KEY_BYTES])
{
    return sodium_init() >= 0 && crypto_sign_verify_detached(signature, message, len, key) == 0;
}
