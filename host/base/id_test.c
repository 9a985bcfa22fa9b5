#include "base/id.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include "base/check.h"
#include "base/clock.h"

#define IDS_EACH 5000

static int64_t id_time(const char *id)
{
    char digits[13];
    memcpy(digits, id, 8);
    memcpy(digits + 8, id + 9, 4);
    digits[12] = 0;
    return strtoll(digits, NULL, 16);
}

static void test_layout_of_rfc_9562(void)
{
    char id[FR_ID_BYTES];
    int64_t before = fr_now_ms();
    fr_id_new(id);
    CHECK(fr_id_valid(id));
    CHECK(id[14] == '7' && strchr("89ab", id[19]));
    CHECK(id_time(id) >= before && id_time(id) <= fr_now_ms());
}

static void test_ids_of_one_millisecond_stay_in_order(void)
{
    char last[FR_ID_BYTES], id[FR_ID_BYTES];
    fr_clock_set_for_test(fr_now_ms() + 1000);
    fr_id_new(last);
    int wrong = 0;
    for (int i = 0; i < 10000; i++) {          // more than the counter holds: it borrows the next milliseconds
        fr_id_new(id);
        wrong += strcmp(last, id) >= 0;
        memcpy(last, id, sizeof last);
    }
    fr_clock_set_for_test(5);                  // a clock that goes back changes nothing
    fr_id_new(id);
    fr_clock_set_for_test(0);
    CHECK_INT(wrong, 0);
    CHECK(strcmp(last, id) < 0);
}

static void test_the_time_is_the_clocks(void)
{
    char id[FR_ID_BYTES];
    fr_clock_set_for_test(0x01F000000000);     // later than any other test's
    fr_id_new(id);
    fr_clock_set_for_test(0);
    CHECK(strncmp(id, "01f00000-0000-7", 15) == 0);
}

static void *make_ids(void *arg)
{
    char (*ids)[FR_ID_BYTES] = arg;
    for (int i = 0; i < IDS_EACH; i++) fr_id_new(ids[i]);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_threads_never_share_an_id(void)
{
    static char ids[4 * IDS_EACH][FR_ID_BYTES];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, make_ids, ids + i * IDS_EACH);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    int unordered = 0, same = 0;
    for (int i = 1; i < 4 * IDS_EACH; i++) unordered += i % IDS_EACH && strcmp(ids[i - 1], ids[i]) >= 0;
    qsort(ids, 4 * IDS_EACH, FR_ID_BYTES, compare);
    for (int i = 1; i < 4 * IDS_EACH; i++) same += strncmp(ids[i - 1], ids[i], 18) == 0;     // time and counter alone differ
    CHECK_INT(unordered, 0);
    CHECK_INT(same, 0);
}

static void test_valid_knows_one_spelling(void)
{
    CHECK(fr_id_valid("01993a3e-7c00-7abc-8def-0123456789ab"));
    const char *bad[] = { "", "01993A3E-7c00-7abc-8def-0123456789ab", "01993a3e-7c00-7abc-8def-0123456789a",
        "01993a3e-7c00-7abc-8def-0123456789abc", "01993a3e77c00-7abc-8def-0123456789ab", "01993a3e-7c00-7abc-8def-0123456789ag",
        "{1993a3e-7c00-7abc-8def-0123456789a}", "01993a3e-7c00-7abc-8def" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!fr_id_valid(bad[i]));
}

int main(void)
{
    TEST(test_layout_of_rfc_9562);
    TEST(test_ids_of_one_millisecond_stay_in_order);
    TEST(test_threads_never_share_an_id);
    TEST(test_the_time_is_the_clocks);
    TEST(test_valid_knows_one_spelling);
    return TEST_END();
}
