// exact_math_test.c — close to libm everywhere, exact where it must be, and the same bits in every build.
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/check.h"
#include "base/hash.h"
#include "base/hex.h"
#include "worker/exact_math.h"

static uint64_t next = 88172645463325252u;
static double sample(double scale)
{
    next ^= next << 13, next ^= next >> 7, next ^= next << 17;
    return ((double)(next >> 11) * 0x1p-53 - 0.5) * 2 * scale;
}

static bool close_to(double got, double want)
{
    if (isnan(want)) return isnan(got);
    if (isinf(want) || want == 0) return got == want || fabs(got) < 1e-15;
    return fabs(got - want) <= 4e-15 * fabs(want) + 1e-300;
}

static void test_close_to_libm(void)
{
    int far = 0;
    for (int i = 0; i < 100000; i++) {
        double x = sample(100), p = fabs(sample(1000));
        if (!close_to(exact_exp(x), exp(x)) && ++far) printf("  exp(%a)\n", x);
        if (!close_to(exact_log(p), log(p)) && fabs(p - 1) > 1e-3 && ++far) printf("  log(%a)\n", p);
        if (fabs(exact_sin(x) - sin(x)) > 1e-14 && ++far) printf("  sin(%a)\n", x);
        if (fabs(exact_cos(x) - cos(x)) > 1e-14 && ++far) printf("  cos(%a)\n", x);
        if (!close_to(exact_atan2(x, p), atan2(x, p)) && ++far) printf("  atan2(%a, %a)\n", x, p);
        double b = fabs(sample(3)), want = pow(p, b);
        if (fabs(exact_pow(p, b) - want) > 1e-13 * want && ++far) printf("  pow(%a, %a)\n", p, b);
        if (far > 5) break;
    }
    CHECK_INT(far, 0);
}

static void test_exact_cases(void)
{
    CHECK(exact_pow(2, 10) == 1024 && exact_pow(10, 3) == 1000 && exact_pow(2, -1) == 0.5 && exact_pow(-2, 3) == -8 && exact_pow(9, 0.5) == 3);
    CHECK(exact_pow(2, 1023) == 0x1p1023 && isinf(exact_pow(2, 1024)) && exact_pow(0, 3) == 0 && isinf(exact_pow(0, -1)) && exact_pow(5, 0) == 1);
    CHECK(isnan(exact_pow(-8, 1.0 / 3)) && exact_pow(1, NAN) == 1 && isinf(exact_pow(2, INFINITY)) && exact_pow(0.5, INFINITY) == 0);
    CHECK(exact_pow(INFINITY, -2) == 0 && isinf(exact_pow(-INFINITY, 2001)) && exact_pow(-INFINITY, 2001) < 0);
    CHECK(exact_exp(0) == 1 && exact_exp(-1000) == 0 && isinf(exact_exp(1000)) && isnan(exact_exp(NAN)));
    CHECK(exact_log(1) == 0 && isnan(exact_log(-1)) && isinf(exact_log(0)) && exact_log(0) < 0);
    CHECK(exact_sin(0) == 0 && exact_cos(0) == 1 && isnan(exact_sin(INFINITY)) && isnan(exact_cos(1e300)));
    CHECK(exact_atan2(0, -1) == 3.141592653589793 && exact_atan2(-1, 0) == -1.5707963267948966 && exact_atan2(0, 1) == 0);
}

static void test_same_bits_in_every_build(void)
{
    struct fr_sha256 sha;
    uint8_t sum[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    next = 1;
    fr_sha256_init(&sha);
    for (int i = 0; i < 20000; i++) {
        double x = sample(50), p = fabs(sample(9));
        double all[] = { exact_exp(x), exact_log(p), exact_sin(x), exact_cos(x), exact_atan2(x, p), exact_pow(p, x / 10) };
        fr_sha256_add(&sha, all, sizeof all);
    }
    fr_sha256_end(&sha, sum);
    CHECK_TEXT(fr_hex(sum, sizeof sum, hex), "8dbb40a67f67e99c0963b6012446af61599946b172105bfe412600d28bcee62a");
}

int main(void)
{
    TEST(test_close_to_libm);
    TEST(test_exact_cases);
    TEST(test_same_bits_in_every_build);
    return TEST_END();
}
