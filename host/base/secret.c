// secret.c — pages of their own, because locks and advice hold for whole pages.
#include "base/secret.h"
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <sodium.h>

#define PAGE_BYTES 4096
#define HEAD_BYTES 64                    // the struct in front of its bytes

struct fr_secret { size_t len, mapped; };
_Static_assert(sizeof(struct fr_secret) <= HEAD_BYTES, "the head stands in front of the bytes");

void fr_wipe(void *bytes, size_t len)
{
    if (len) sodium_memzero(bytes, len);
}

enum fr_status fr_secret_new(size_t len, struct fr_secret **ret, struct fr_err *err)
{
    size_t mapped = (len + HEAD_BYTES + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    assert(len > 0 && len < (1u << 20));
    void *page = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return FR_FAIL(err, FR_E_NOMEM, "no memory for a secret: %s", strerror(errno));
    // The system call itself: AddressSanitizer replaces mlock by nothing, and a test would prove nothing.
    if (syscall(SYS_mlock, page, mapped) < 0 || madvise(page, mapped, MADV_DONTDUMP) < 0 || madvise(page, mapped, MADV_WIPEONFORK) < 0) {
        int why = errno;
        munmap(page, mapped);
        return FR_FAIL_CODE(err, FR_E_NOMEM, "memory_not_lockable", "cannot lock %zu bytes of memory: %s (RLIMIT_MEMLOCK)", mapped, strerror(why));
    }
    struct fr_secret *s = page;
    s->len = len;
    s->mapped = mapped;
    *ret = s;
    return FR_OK;
}

void fr_secret_free(struct fr_secret *s)
{
    if (!s) return;
    size_t mapped = s->mapped;
    fr_wipe(s, mapped);
    munmap(s, mapped);
}

uint8_t *fr_secret_bytes(struct fr_secret *s)
{
    return (uint8_t *)s + HEAD_BYTES;
}

size_t fr_secret_len(const struct fr_secret *s)
{
    return s->len;
}

void fr_scrypt_prepare(void)
{
    int begun = sodium_init();
    assert(begun >= 0);                  // it says no only on a machine without random bytes
}

enum fr_status fr_scrypt(const void *password, size_t password_len, const void *salt, size_t salt_len, uint64_t n, uint32_t r, uint32_t p,
                         void *out, size_t out_len, struct fr_err *err)
{
    fr_scrypt_prepare();
    if (n < 2 || (n & (n - 1)) != 0 || r == 0 || p == 0 || (uint64_t)r * p >= 1u << 30) return FR_FAIL(err, FR_E_INVALID, "scrypt has no cost n %llu, r %u, p %u", (unsigned long long)n, r, p);
    if (crypto_pwhash_scryptsalsa208sha256_ll(password, password_len, salt, salt_len, n, r, p, out, out_len) == 0) return FR_OK;
    return FR_FAIL(err, FR_E_NOMEM, "no memory for scrypt: it wants %llu MiB", (unsigned long long)(128 * n * r >> 20));
}
