#include "base/arena.h"
#include <stdint.h>
#include "base/check.h"
#include "base/mem.h"

static void test_memory_is_zeroed_aligned_and_apart(void)
{
    FR_AUTO(fr_arena) a = fr_arena_new(1 << 20);
    unsigned char *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = fr_arena_alloc(a, i);
        CHECK(pieces[i] && (uintptr_t)pieces[i] % 16 == 0);
        for (size_t k = 0; k < i; k++) {
            CHECK(pieces[i][k] == 0);
            pieces[i][k] = (unsigned char)i;
        }
    }
    int overwritten = 0;
    for (size_t i = 0; i < 200; i++)
        for (size_t k = 0; k < i; k++) overwritten += pieces[i][k] != (unsigned char)i;
    CHECK_INT(overwritten, 0);
}

static void test_the_bound_holds(void)
{
    FR_AUTO(fr_arena) a = fr_arena_new(64);
    CHECK(fr_arena_alloc(a, 65) == NULL);
    CHECK(fr_arena_alloc(a, 64) != NULL);
    CHECK(fr_arena_alloc(a, 1) == NULL);
    CHECK(fr_arena_alloc(a, SIZE_MAX) == NULL);
}

static void test_the_bound_holds_over_many_blocks(void)
{
    FR_AUTO(fr_arena) a = fr_arena_new(100000);
    size_t given = 0;
    while (fr_arena_alloc(a, 100)) given += 112;
    CHECK(given <= 100000 && given > 95000);
}

static void test_text(void)
{
    FR_AUTO(fr_arena) a = fr_arena_new(4096);
    CHECK_TEXT(fr_arena_strndup(a, "abcdef", 3), "abc");
    CHECK_TEXT(fr_arena_printf(a, "seat %d of %s", 3, "duel"), "seat 3 of duel");
    CHECK(fr_arena_strndup(a, "abc", SIZE_MAX) == NULL);
    CHECK(fr_arena_printf(a, "%5000s", "x") == NULL);
}

static bool arena_used(void)
{
    FR_AUTO(fr_arena) a = fr_arena_new(1 << 20);
    if (!a) return false;
    for (int i = 0; i < 100; i++) if (!fr_arena_printf(a, "%0*d", i * 10, i)) return false;
    return true;
}

static void test_each_failing_allocation_is_reported(void)
{
    int failures = 0;
    for (int64_t nth = 1; ; nth++) {
        fr_mem_fail_at(nth);
        bool done = arena_used();
        fr_mem_fail_at(0);
        if (done) break;
        failures++;
    }
    CHECK(failures >= 4);        // the arena itself and its blocks
}

int main(void)
{
    TEST(test_memory_is_zeroed_aligned_and_apart);
    TEST(test_the_bound_holds);
    TEST(test_the_bound_holds_over_many_blocks);
    TEST(test_text);
    TEST(test_each_failing_allocation_is_reported);
    return TEST_END();
}
