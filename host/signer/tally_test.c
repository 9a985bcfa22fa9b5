// tally_test.c — limits to the unit, days, repricings, files that were cut or changed, a disk that refuses, a second signer.
#include "signer/tally.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include "base/check.h"
#include "signer/testing.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
static const struct address token = { { 7 } };

static enum fr_status take_fee(struct tally *t, int no, uint64_t fee, uint64_t amount, int64_t now_ms, struct fr_err *err)
{
    struct spends s = { .count = 2, .has_gas = true, .list = { { SPEND_GAS, { { 0 } }, u256_of(fee), u256_of(1000) }, { SPEND_TOKEN, token, u256_of(amount), u256_of(100) } } };
    uint8_t digest[32] = { 1, (uint8_t)no, (uint8_t)(no >> 8) };
    return tally_take(t, &s, digest, now_ms, err);
}
static enum fr_status take(struct tally *t, int no, uint64_t amount, struct fr_err *err) { return take_fee(t, no, 1, amount, TEST_NOW_MS, err); }

static uint64_t spent(const struct tally *t, enum spend_of of)
{
    static const struct address nobody;
    uint64_t v = 0;
    CHECK(u256_fits_u64(tally_spent(t, of, of == SPEND_TOKEN ? &token : &nobody), &v));
    return v;
}

static void test_a_days_limit_to_the_unit(void)
{
    FR_AUTO(tally) t = NULL;
    struct fr_err err;
    FR_AUTO_FD int fd = test_file();
    CHECK(tally_open(fd, &t, &err) == FR_OK);
    CHECK(take(t, 1, 60, &err) == FR_OK);
    CHECK_INT(take(t, 2, 41, &err), FR_E_DENIED);
    CHECK_TEXT(err.code, "sign_day");
    CHECK_INT(spent(t, SPEND_GAS), 1);                           // all of an ask or none
    CHECK(take(t, 3, 40, &err) == FR_OK);
    CHECK_INT(take(t, 4, 1, &err), FR_E_DENIED);
    CHECK(take(t, 5, 0, &err) == FR_OK);
    CHECK_INT(take_fee(t, 6, 998, 0, TEST_NOW_MS, &err), FR_E_DENIED);
    CHECK(take_fee(t, 7, 997, 0, TEST_NOW_MS, &err) == FR_OK);
    CHECK(spent(t, SPEND_TOKEN) == 100 && spent(t, SPEND_GAS) == 1000);
}

// Whatever is counted has a name to be refused by.
static void test_each_kind_has_a_day(void)
{
    for (enum spend_of of = SPEND_ETHER; of <= SPEND_PAYOUT; of++) {
        FR_AUTO(tally) t = NULL;
        struct fr_err err;
        FR_AUTO_FD int fd = test_file();
        CHECK(tally_open(fd, &t, &err) == FR_OK);
        struct spends s = { .count = 1, .list = { { of, token, u256_of(60), u256_of(100) } } };
        uint8_t digest[32] = { (uint8_t)of };
        CHECK(tally_take(t, &s, digest, TEST_NOW_MS, &err) == FR_OK);
        digest[1] = 1;
        CHECK_INT(tally_take(t, &s, digest, TEST_NOW_MS, &err), FR_E_DENIED);
        CHECK(strcmp(err.code, "sign_day") == 0 && strstr(err.text, "60 "));
        CHECK(u256_compare(tally_spent(t, of, &token), u256_of(60)) == 0);
    }
}

static void test_a_new_day_begins_anew_and_the_past_does_not_come_back(void)
{
    FR_AUTO(tally) t = NULL;
    struct fr_err err;
    FR_AUTO_FD int fd = test_file();
    CHECK(tally_open(fd, &t, &err) == FR_OK);
    int64_t midnight = TEST_NOW_MS / DAY_MS * DAY_MS + DAY_MS;
    CHECK(take_fee(t, 1, 1, 100, midnight - 1, &err) == FR_OK);
    CHECK_INT(take_fee(t, 2, 1, 1, midnight - 1, &err), FR_E_DENIED);
    CHECK(take_fee(t, 3, 1, 100, midnight, &err) == FR_OK);
    CHECK_INT(take_fee(t, 4, 1, 1, midnight, &err), FR_E_DENIED);
    CHECK_INT(take_fee(t, 5, 1, 1, midnight - 1, &err), FR_E_DENIED);         // the clock went back: yesterday's room is gone
    CHECK_INT(tally_day(t), midnight / DAY_MS);
    CHECK_INT(spent(t, SPEND_TOKEN), 100);
}

static void test_the_same_again_counts_only_the_fees_rise(void)
{
    FR_AUTO(tally) t = NULL;
    struct fr_err err;
    FR_AUTO_FD int fd = test_file();
    CHECK(tally_open(fd, &t, &err) == FR_OK);
    CHECK(take_fee(t, 1, 100, 100, TEST_NOW_MS, &err) == FR_OK);
    CHECK(take_fee(t, 1, 100, 100, TEST_NOW_MS, &err) == FR_OK);              // the answer was lost: asked again
    CHECK(take_fee(t, 1, 110, 100, TEST_NOW_MS, &err) == FR_OK);              // repriced
    CHECK(take_fee(t, 1, 105, 100, TEST_NOW_MS, &err) == FR_OK);
    CHECK(spent(t, SPEND_TOKEN) == 100 && spent(t, SPEND_GAS) == 110);
    CHECK_INT(take_fee(t, 1, 1001, 100, TEST_NOW_MS, &err), FR_E_DENIED);
    CHECK(take_fee(t, 1, 1000, 100, TEST_NOW_MS, &err) == FR_OK);
    for (int i = 2; i < 2 + SIGNER_REPEATS; i++) CHECK(take_fee(t, i, 0, 0, TEST_NOW_MS, &err) == FR_OK);
    CHECK_INT(take_fee(t, 1, 1, 1, TEST_NOW_MS, &err), FR_E_DENIED);          // so many later it is forgotten, and counts again
}

static void test_what_was_saved_is_there_and_what_was_not_is_not(void)
{
    struct tally *t = NULL;
    struct fr_err err;
    FR_AUTO_FD int fd = test_file();
    CHECK(tally_open(fd, &t, &err) == FR_OK);
    for (int i = 1; i <= 9; i++) {
        CHECK(take(t, i, 10, &err) == FR_OK && tally_save(t, &err) == FR_OK);
        tally_free(t);
        t = NULL;
        CHECK(tally_open(fd, &t, &err) == FR_OK);
        CHECK_INT(spent(t, SPEND_TOKEN), 10 * i);
    }
    CHECK(take(t, 10, 10, &err) == FR_OK);                       // not saved
    tally_free(t);
    CHECK(tally_open(fd, &t, &err) == FR_OK);
    CHECK_INT(spent(t, SPEND_TOKEN), 90);
    CHECK(take(t, 9, 10, &err) == FR_OK);                        // a repeat is known after a restart too
    CHECK_INT(spent(t, SPEND_TOKEN), 90);
    tally_free(t);
}

static void test_a_torn_write_leaves_the_count_before_it(void)
{
    static char whole[TALLY_FILE_BYTES], changed[TALLY_FILE_BYTES];
    struct tally *t = NULL;
    struct fr_err err;
    FR_AUTO_FD int fd = test_file();
    CHECK(tally_open(fd, &t, &err) == FR_OK && take(t, 1, 10, &err) == FR_OK && tally_save(t, &err) == FR_OK);
    CHECK(take(t, 2, 10, &err) == FR_OK && tally_save(t, &err) == FR_OK);
    tally_free(t);
    CHECK(pread(fd, whole, sizeof whole, 0) == sizeof whole);
    for (size_t at = 0; at < TALLY_FILE_BYTES; at += 97) {
        int slot = (int)(at / TALLY_SLOT_BYTES);
        memcpy(changed, whole, sizeof whole);
        memset(changed + at, 0x5a, 97 < TALLY_FILE_BYTES - at ? 97 : TALLY_FILE_BYTES - at);
        CHECK(pwrite(fd, changed, sizeof changed, 0) == sizeof changed);
        t = NULL;
        CHECK(tally_open(fd, &t, &err) == FR_OK);
        uint64_t now = spent(t, SPEND_TOKEN);                    // number 3 stands in slot 1, number 2 in slot 0
        CHECK(now == 20 || (slot == 1 && now == 10) || (at + 97 > TALLY_SLOT_BYTES && now == 10));
        tally_free(t);
    }
    memset(changed, 0x5a, sizeof changed);
    CHECK(pwrite(fd, changed, sizeof changed, 0) == sizeof changed);
    CHECK_INT(tally_open(fd, &t, &err), FR_E_CORRUPT);
    CHECK_TEXT(err.code, "tally_corrupt");
    CHECK(pwrite(fd, whole, sizeof whole, 0) == sizeof whole && ftruncate(fd, TALLY_FILE_BYTES - 1) == 0);
    CHECK_INT(tally_open(fd, &t, &err), FR_E_CORRUPT);
    CHECK(ftruncate(fd, 0) == 0);                                // taken away by its operator
    CHECK(tally_open(fd, &t, &err) == FR_OK && spent(t, SPEND_TOKEN) == 0);
    tally_free(t);
}

static void test_a_disk_that_refuses(void)
{
    FR_AUTO(tally) t = NULL;
    struct fr_err err;
    FR_AUTO_FD int fd = test_file();
    struct rlimit before, small = { 1, RLIM_INFINITY };
    CHECK(tally_open(fd, &t, &err) == FR_OK && take(t, 1, 10, &err) == FR_OK);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small.rlim_max = before.rlim_max;
    CHECK(setrlimit(RLIMIT_FSIZE, &small) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(tally_save(t, &err), FR_E_IO);
        CHECK_TEXT(err.code, "tally_unwritten");
    }
    CHECK(setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(tally_save(t, &err) == FR_OK);
    CHECK(spent(t, SPEND_TOKEN) == 10 && tally_save(t, &err) == FR_OK);
    struct tally *again = NULL;
    CHECK(tally_open(fd, &again, &err) == FR_OK && spent(again, SPEND_TOKEN) == 10);
    tally_free(again);
}

static void test_one_file_one_signer(void)
{
    char path[] = "/tmp/frond-tally-XXXXXX";
    FR_AUTO_FD int fd = mkstemp(path);
    FR_AUTO_FD int other = open(path, O_RDWR | O_CLOEXEC);
    FR_AUTO(tally) t = NULL;
    struct tally *u = NULL;
    struct fr_err err;
    unlink(path);
    CHECK(tally_open(fd, &t, &err) == FR_OK);
    CHECK_INT(tally_open(other, &u, &err), FR_E_BUSY);
    CHECK_TEXT(err.code, "tally_busy");
    int pipe_fds[2];
    CHECK(pipe(pipe_fds) == 0);
    CHECK_INT(tally_open(pipe_fds[0], &u, &err), FR_E_INVALID);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void test_so_many_assets_and_no_more(void)
{
    FR_AUTO(tally) t = NULL;
    struct fr_err err;
    FR_AUTO_FD int fd = test_file();
    CHECK(tally_open(fd, &t, &err) == FR_OK);
    for (int i = 0; i <= SIGNER_ASSETS_MAX; i++) {
        struct spends s = { .count = 1, .list = { { SPEND_TOKEN, { { (uint8_t)i, 1 } }, u256_of(1), u256_of(5) } } };
        uint8_t digest[32] = { 9, (uint8_t)i };
        CHECK_INT(tally_take(t, &s, digest, TEST_NOW_MS, &err), i < SIGNER_ASSETS_MAX ? FR_OK : FR_E_LIMIT);
    }
    CHECK_TEXT(err.code, "tally_full");
}

int main(void)
{
    TEST(test_a_days_limit_to_the_unit);
    TEST(test_each_kind_has_a_day);
    TEST(test_a_new_day_begins_anew_and_the_past_does_not_come_back);
    TEST(test_the_same_again_counts_only_the_fees_rise);
    TEST(test_what_was_saved_is_there_and_what_was_not_is_not);
    TEST(test_a_torn_write_leaves_the_count_before_it);
    TEST(test_a_disk_that_refuses);
    TEST(test_one_file_one_signer);
    TEST(test_so_many_assets_and_no_more);
    return TEST_END();
}
