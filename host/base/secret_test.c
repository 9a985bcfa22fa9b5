// secret_test.c — RFC 7914's vectors, memory that is locked and wiped.
#include "base/secret.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/check.h"
#include "base/hex.h"

static void scrypt_is(const char *password, const char *salt, uint64_t n, uint32_t r, uint32_t p, const char *want)
{
    uint8_t out[64];
    char text[129];
    CHECK(fr_scrypt(password, strlen(password), salt, strlen(salt), n, r, p, out, sizeof out, NULL) == FR_OK);
    CHECK_TEXT(fr_hex(out, sizeof out, text), want);
}

static void test_the_vectors_of_rfc_7914(void)
{
    scrypt_is("", "", 16, 1, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
    scrypt_is("password", "NaCl", 1024, 8, 16, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
    scrypt_is("pleaseletmein", "SodiumChloride", 16384, 8, 1, "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
}

static void test_costs_that_scrypt_does_not_have(void)
{
    uint8_t out[32];
    CHECK_INT(fr_scrypt("a", 1, "b", 1, 0, 8, 1, out, 32, NULL), FR_E_INVALID);
    CHECK_INT(fr_scrypt("a", 1, "b", 1, 1, 8, 1, out, 32, NULL), FR_E_INVALID);
    CHECK_INT(fr_scrypt("a", 1, "b", 1, 1023, 8, 1, out, 32, NULL), FR_E_INVALID);
    CHECK_INT(fr_scrypt("a", 1, "b", 1, 16, 0, 1, out, 32, NULL), FR_E_INVALID);
    CHECK_INT(fr_scrypt("a", 1, "b", 1, 16, 8, 0, out, 32, NULL), FR_E_INVALID);
    CHECK_INT(fr_scrypt("a", 1, "b", 1, 16, 1u << 15, 1u << 15, out, 32, NULL), FR_E_INVALID);
}

static long locked_kib(void)
{
    char line[128];
    long kib = -1;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f)) if (sscanf(line, "VmLck: %ld", &kib) == 1) break;
    if (f) fclose(f);
    return kib;
}

static void test_a_secret_is_locked_zeroed_and_not_inherited(void)
{
    FR_AUTO(fr_secret) s = NULL;
    int status = 0;
    long before = locked_kib();
    CHECK(fr_secret_new(5000, &s, NULL) == FR_OK);
    if (before >= 0) CHECK_INT(locked_kib() - before, 8);
    uint8_t *bytes = fr_secret_bytes(s);
    CHECK_INT(fr_secret_len(s), 5000);
    CHECK(bytes[0] == 0 && bytes[4999] == 0);
    memset(bytes, 0x5a, 5000);
    pid_t child = fork();
    if (child == 0) _exit(bytes[0] | bytes[4999]);           // wiped there
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(bytes[0] == 0x5a);
    fr_secret_free(NULL);
}

static void test_memory_that_cannot_be_locked_is_refused(void)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        struct fr_secret *s = NULL;
        struct rlimit none = { 0, 0 };
        if (setrlimit(RLIMIT_MEMLOCK, &none) < 0 || (geteuid() == 0 && setuid(65534) < 0)) _exit(2);
        _exit(fr_secret_new(32, &s, NULL) == FR_E_NOMEM && !s ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_a_wipe_leaves_zeros(void)
{
    uint8_t bytes[40];
    memset(bytes, 7, sizeof bytes);
    fr_wipe(bytes, 39);
    int sum = 0;
    for (int i = 0; i < 39; i++) sum += bytes[i];
    CHECK(sum == 0 && bytes[39] == 7);
    fr_wipe(NULL, 0);
}

int main(void)
{
    TEST(test_the_vectors_of_rfc_7914);
    TEST(test_costs_that_scrypt_does_not_have);
    TEST(test_a_secret_is_locked_zeroed_and_not_inherited);
    TEST(test_memory_that_cannot_be_locked_is_refused);
    TEST(test_a_wipe_leaves_zeros);
    return TEST_END();
}
