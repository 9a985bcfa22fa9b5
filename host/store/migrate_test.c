// migrate_test.c — steps run once and in order; a changed, newer or broken step is refused.
#include "store/internal.h"
#include "store/migrate.h"
#include "store/test.h"

static const struct store_migration two[] = {
    { "fruit", 1, "CREATE TABLE apple(id INTEGER PRIMARY KEY)" },
    { "fruit", 2, "INSERT INTO apple VALUES(1); INSERT INTO apple VALUES(2)" },
};
static const struct store_migration changed[] = { { "fruit", 1, "CREATE TABLE apple(id INTEGER PRIMARY KEY, name TEXT)" }, { "fruit", 2, "INSERT INTO apple VALUES(1)" } };
static const struct store_migration broken[] = {
    { "fruit", 1, "CREATE TABLE apple(id INTEGER PRIMARY KEY)" },
    { "fruit", 2, "INSERT INTO apple VALUES(1); INSERT INTO pear VALUES(1)" },
};
static struct fr_err err;

static enum fr_status open_with(const struct store_migration *steps, int count, bool read_only)
{
    store_forget_registered();
    if (steps) store_register(steps, count);
    struct store_options options = { .folder = test_path("data"), .read_only = read_only };
    struct store *s = NULL;
    enum fr_status st = store_open(&options, &s, &err);
    store_close(s);
    return st;
}

static enum fr_status count_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM apple", &row, e));
    FR_TRY(sql_step(row, &found, e));
    *(int64_t *)arg = sql_int(row, 0);
    return FR_OK;
}

static int64_t apples(void)
{
    int64_t n = -1;
    struct store *s = test_open(NULL);
    CHECK(store_now(s, count_job, &n, &err) == FR_OK);
    test_close(s, NULL);
    return n;
}

static void test_steps_run_once(void)
{
    test_folder_new();
    CHECK(open_with(two, 1, false) == FR_OK);
    CHECK_INT(apples(), 0);
    CHECK(open_with(two, 2, true) == FR_E_CONFLICT);       // a tool that may not write cannot bring it up to date
    CHECK_TEXT(err.code, "store_older");
    CHECK(open_with(two, 2, false) == FR_OK);
    CHECK(open_with(two, 2, false) == FR_OK);
    CHECK_INT(apples(), 2);
    CHECK(open_with(two, 2, true) == FR_OK);
}

static void test_a_changed_step_is_refused(void)
{
    test_folder_new();
    CHECK(open_with(two, 2, false) == FR_OK);
    CHECK(open_with(changed, 2, false) == FR_E_CORRUPT);
    CHECK_TEXT(err.code, "migration_changed");
    CHECK(open_with(two, 2, false) == FR_OK);
}

static void test_a_newer_database_is_refused(void)
{
    test_folder_new();
    CHECK(open_with(two, 2, false) == FR_OK);
    CHECK(open_with(two, 1, false) == FR_E_CONFLICT);
    CHECK_TEXT(err.code, "store_newer");
    CHECK(strstr(err.text, "fruit is at step 2, the program knows 1") != NULL);
    CHECK(open_with(NULL, 0, false) == FR_E_CONFLICT);
}

static void test_a_broken_step_leaves_no_trace(void)
{
    test_folder_new();
    CHECK(open_with(broken, 2, false) != FR_OK);
    CHECK(strstr(err.text, "step 2 of fruit") != NULL);
    CHECK(open_with(two, 2, false) == FR_OK);
    CHECK_INT(apples(), 2);                                // not 3: half a step is no step
}

int main(void)
{
    TEST(test_steps_run_once);
    TEST(test_a_changed_step_is_refused);
    TEST(test_a_newer_database_is_refused);
    TEST(test_a_broken_step_leaves_no_trace);
    test_folder_drop();
    return TEST_END();
}
