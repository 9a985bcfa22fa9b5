#include "base/mem.h"
#include <pthread.h>
#include "base/auto.h"
#include "base/check.h"

static void test_memory_is_zeroed_and_zero_bytes_are_a_pointer(void)
{
    FR_AUTO_MEM unsigned char *p = fr_alloc(4096);
    FR_AUTO_MEM char *none = fr_alloc(0);
    int dirty = 0;
    for (int i = 0; i < 4096; i++) dirty += p[i] != 0;
    CHECK_INT(dirty, 0);
    CHECK(none != NULL);
}

static void test_the_nth_and_all_later_allocations_fail(void)
{
    FR_AUTO_MEM char *a = NULL, *b = NULL, *c = NULL;
    fr_mem_fail_at(2);
    a = fr_alloc(1);
    b = fr_alloc(1);
    c = fr_strndup("x", 1);
    char *grown = fr_realloc(a, 100);
    fr_mem_fail_at(0);
    CHECK(a && !b && !c && !grown);            // and `a` still stands
    b = fr_alloc(1);
    CHECK(b != NULL);
}

static void test_some_allocations_fail_and_later_ones_do_not(void)
{
    fr_mem_fail_some(2, 2);
    void *got[4];
    for (int i = 0; i < 4; i++) got[i] = fr_alloc(8);
    fr_mem_fail_at(0);
    CHECK(got[0] && !got[1] && !got[2] && got[3]);
    for (int i = 0; i < 4; i++) fr_free(got[i]);
}

static void test_a_copy_ends_where_it_was_told(void)
{
    FR_AUTO_MEM char *copy = fr_strndup("abcdef", 3);
    FR_AUTO_MEM char *whole = fr_must_strdup("abc");
    CHECK_TEXT(copy, "abc");
    CHECK_TEXT(whole, "abc");
}

static void *allocate_many(void *arg)
{
    for (int i = 0; i < 10000; i++) fr_free(fr_alloc(8));
    return arg;
}

static void test_threads_lose_no_count(void)
{
    int64_t before = fr_mem_count();
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, allocate_many, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    CHECK_INT(fr_mem_count() - before, 40000);
}

int main(void)
{
    TEST(test_memory_is_zeroed_and_zero_bytes_are_a_pointer);
    TEST(test_the_nth_and_all_later_allocations_fail);
    TEST(test_some_allocations_fail_and_later_ones_do_not);
    TEST(test_a_copy_ends_where_it_was_told);
    TEST(test_threads_lose_no_count);
    return TEST_END();
}
