// check.h — the unit tests' three words. A test file has its own main:
//
//     static void test_retry_finds_the_same_hold(void) { CHECK(...); }
//     int main(void) { TEST(test_retry_finds_the_same_hold); return TEST_END(); }
//
// Each TEST prints "ok NAME" or the failed expressions and "not ok NAME"; TEST_END prints "N passed, N failed" and
// gives the exit code. A test without a single CHECK counts as failed: it proves nothing.
#pragma once
#include <stdio.h>
#include <string.h>
static _Atomic int check_passed_, check_failed_, check_count_, check_bad_;      // a test may check on threads of its own
#define CHECK(x) do { check_count_++; if (!(x)) { check_bad_++; printf("  %s:%d: %s\n", __FILE__, __LINE__, #x); } } while (0)
#define CHECK_TEXT(got, want) do { const char *g_ = (got), *w_ = (want); check_count_++; \
    if (!g_ || strcmp(g_, w_) != 0) { check_bad_++; printf("  %s:%d: got \"%s\", want \"%s\"\n", __FILE__, __LINE__, g_ ? g_ : "(null)", w_); } } while (0)
#define CHECK_INT(got, want) do { long long g_ = (long long)(got), w_ = (long long)(want); check_count_++; \
    if (g_ != w_) { check_bad_++; printf("  %s:%d: %s is %lld, want %lld\n", __FILE__, __LINE__, #got, g_, w_); } } while (0)
#define TEST(fn) do { check_count_ = check_bad_ = 0; fn(); \
    if (check_bad_ == 0 && check_count_ > 0) { check_passed_++; printf("ok %s\n", #fn); } \
    else { check_failed_++; printf("not ok %s%s\n", #fn, check_count_ ? "" : " (no checks)"); } fflush(stdout); } while (0)
#define TEST_END() (printf("%d passed, %d failed\n", check_passed_, check_failed_), fflush(stdout), check_failed_ != 0)
