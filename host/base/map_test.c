#include "base/map.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/mem.h"

static void *number(uintptr_t n) { return (void *)n; }

static void test_put_get_replace_remove(void)
{
    FR_AUTO(fr_map) m = fr_map_new(100);
    CHECK(fr_map_get_text(m, "duel") == NULL && fr_map_remove_text(m, "duel") == NULL);
    CHECK(fr_map_put_text(m, "duel", number(1)) && fr_map_put_text(m, "hello", number(2)));
    CHECK(fr_map_put_text(m, "duel", number(3)) && fr_map_size(m) == 2);
    CHECK(fr_map_get_text(m, "duel") == number(3) && fr_map_get_text(m, "hello") == number(2));
    CHECK(fr_map_remove_text(m, "duel") == number(3) && fr_map_get_text(m, "duel") == NULL && fr_map_size(m) == 1);
}

static void test_keys_are_bytes_and_copied(void)
{
    FR_AUTO(fr_map) m = fr_map_new(100);
    char key[3] = { 'a', 0, 'b' };
    CHECK(fr_map_put(m, key, 3, number(1)) && fr_map_put(m, key, 1, number(2)) && fr_map_put(m, "", 0, number(3)));
    CHECK(fr_map_put_u64(m, 7, number(4)));
    key[0] = 'x';
    CHECK(fr_map_get(m, "a\0b", 3) == number(1) && fr_map_get(m, "a", 1) == number(2) && fr_map_get(m, NULL, 0) == number(3));
    CHECK(fr_map_get_u64(m, 7) == number(4) && fr_map_get_u64(m, 8) == NULL && fr_map_remove_u64(m, 7) == number(4));
}

static void test_the_bound_holds(void)
{
    FR_AUTO(fr_map) m = fr_map_new(20);
    for (uint64_t i = 0; i < 20; i++) CHECK(fr_map_put_u64(m, i, number(1)));
    CHECK(!fr_map_put_u64(m, 20, number(1)) && fr_map_size(m) == 20);
    CHECK(fr_map_put_u64(m, 5, number(2)));              // replacing needs no room
    fr_map_remove_u64(m, 0);
    CHECK(fr_map_put_u64(m, 20, number(1)));
}

// Against a plain array, with removals, so that markers pile up and the table is rebuilt many times.
static void test_random_steps_match_an_array(void)
{
    enum { KEYS = 500 };
    uintptr_t model[KEYS] = { 0 };
    size_t size = 0;
    int wrong = 0;
    FR_AUTO(fr_map) m = fr_map_new(KEYS);
    srand(7);
    for (int step = 1; step <= 200000; step++) {
        uint64_t key = (uint64_t)(rand() % KEYS);
        if (rand() % 2) {
            wrong += !fr_map_put_u64(m, key, number((uintptr_t)step));
            size += model[key] == 0;
            model[key] = (uintptr_t)step;
        } else {
            wrong += fr_map_remove_u64(m, key) != number(model[key]);
            size -= model[key] != 0;
            model[key] = 0;
        }
        key = (uint64_t)(rand() % KEYS);
        wrong += fr_map_get_u64(m, key) != number(model[key]) || fr_map_size(m) != size;
    }
    CHECK_INT(wrong, 0);
}

static void test_a_walk_sees_each_entry_once_and_may_remove_it(void)
{
    FR_AUTO(fr_map) m = fr_map_new(1000);
    bool seen[1000] = { false };
    for (uint64_t i = 0; i < 1000; i++) CHECK(fr_map_put_u64(m, i, number(i + 1)));
    size_t at = 0, key_len;
    const void *key;
    void *value;
    while (fr_map_walk(m, &at, &key, &key_len, &value)) {
        uint64_t i = (uintptr_t)value - 1;
        CHECK(key_len == 8 && memcmp(key, &i, 8) == 0 && !seen[i]);
        seen[i] = true;
        if (i % 3) fr_map_remove_u64(m, i);
    }
    int missed = 0;
    for (int i = 0; i < 1000; i++) missed += !seen[i];
    CHECK_INT(missed, 0);
    CHECK_INT(fr_map_size(m), 334);
    FR_AUTO(fr_map) empty = fr_map_new(10);
    at = 0;
    CHECK(!fr_map_walk(empty, &at, NULL, NULL, NULL));
}

static void test_each_failing_allocation_is_reported(void)
{
    int failures = 0;
    for (int64_t nth = 1; ; nth++) {
        FR_AUTO(fr_map) m = fr_map_new(1000);
        uint64_t put = 0;
        fr_mem_fail_at(nth);
        while (put < 100 && fr_map_put_u64(m, put, number(put + 1))) put++;
        fr_mem_fail_at(0);
        int wrong = 0;
        for (uint64_t i = 0; i < put; i++) wrong += fr_map_get_u64(m, i) != number(i + 1);
        CHECK(wrong == 0 && fr_map_size(m) == put);      // what was there stays
        if (put == 100) break;
        failures++;
    }
    CHECK(failures >= 100);
}

int main(void)
{
    TEST(test_put_get_replace_remove);
    TEST(test_keys_are_bytes_and_copied);
    TEST(test_the_bound_holds);
    TEST(test_random_steps_match_an_array);
    TEST(test_a_walk_sees_each_entry_once_and_may_remove_it);
    TEST(test_each_failing_allocation_is_reported);
    return TEST_END();
}
