// secret.h — what key material needs: memory that stays out of swap and cores, a wipe that the compiler keeps, scrypt.
//
// Thread-safe. scrypt is libsodium's: it is linked already, its low-level call takes any n, r and p (OpenSSL's wants another memory bound
// and a provider), and its block mixing uses the processor's SSE2. RFC 7914.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/auto.h"
#include "base/err.h"

void fr_wipe(void *bytes, size_t len);                   // zeroes; not optimised away. NULL with len 0 is fine

// Zeroed memory that is locked (mlock), left out of cores and zero in a forked child. One page or more each: for keys, not for text.
// FR_E_NOMEM: no memory, or RLIMIT_MEMLOCK leaves none to lock; never unlocked memory instead. fr_secret_free wipes; it takes NULL.
struct fr_secret;                                        // its bytes begin at fr_secret_bytes
FR_MUST_USE enum fr_status fr_secret_new(size_t len, struct fr_secret **ret, struct fr_err *err);
void fr_secret_free(struct fr_secret *s);
FR_AUTO_DEFINE(fr_secret)
uint8_t *fr_secret_bytes(struct fr_secret *s);
size_t fr_secret_len(const struct fr_secret *s);

// Looks at the processor once; where getrandom is about to be forbidden it must have been called before. Ends the process where there is none.
void fr_scrypt_prepare(void);
// n: a power of two from 2; r, p: at least 1, r * p below 2^30. It uses 128 * n * r bytes and time in proportion to n * r * p (0.8 s at
// n 2^18, r 8, p 1): the caller bounds them. FR_E_NOMEM, FR_E_INVALID.
FR_MUST_USE enum fr_status fr_scrypt(const void *password, size_t password_len, const void *salt, size_t salt_len, uint64_t n, uint32_t r, uint32_t p,
                                     void *out, size_t out_len, struct fr_err *err);
