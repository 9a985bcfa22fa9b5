// prune_test.c — old logs go, a small job at a time; what is kept still tells who won, and nothing that runs is touched.
#include "play/matchlog.h"
#include "play/testing.h"

static struct fr_buf told;
static enum fr_status show_job(struct store_txn *txn, void *arg, struct fr_err *err) { (void)arg; return play_show(txn, W.match, "1", &told, err); }

static void show(void)
{
    struct fr_err err;
    fr_buf_free(&told);
    fr_buf_init(&told, FRAME_BYTES_MAX);
    must(store_now(T.store, show_job, NULL, &err), &err);
}

static enum fr_status fill_job(struct store_txn *txn, void *arg, struct fr_err *err)      // a long log, as a match of an hour has it
{
    (void)arg;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "WITH RECURSIVE c(n) AS (SELECT 100 UNION ALL SELECT n+1 FROM c WHERE n<119) INSERT INTO match_chunk(match,n,records,hash,lines) SELECT ?1,n,1,'','' FROM c", &row, err));
    sql_bind_text(row, 1, W.match);
    return sql_do(row, NULL, err);
}

static int64_t steps, at_most;
static enum fr_status steps_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    char match[FR_ID_BYTES];
    (void)arg;
    for (int64_t chunks = 0; chunks >= 0 && steps < 50; steps += chunks >= 0) {
        FR_TRY(matchlog_prune(txn, fr_now_ms() + 1000, 77, &chunks, match, err));
        if (chunks > at_most) at_most = chunks;
    }
    return FR_OK;
}

static void finished_match(void)
{
    staked_match(5000, 1000, 1000);
    for (int i = 1; i <= 20; i++) input("1", i, "add", "{\"n\":1}");
    input("1", 21, "win", "{}");
    WAIT(W.ends == 2);
}

static void test_an_old_log_goes_and_its_hash_seats_and_result_stay(void)
{
    struct fr_err err;
    char hash[80];
    finished_match();
    show();
    snprintf(hash, sizeof hash, "%.*s", 73, strstr(told.data, "\"hash\":\""));
    CHECK(strstr(told.data, "\"proof\":{") && !strstr(told.data, "pruned_at"));
    host_down();
    W.keep_ms = 1;
    host_up();
    for (int i = 0; i < 200 && (!told.data || !strstr(told.data, "pruned_at")); i++) { WAIT(true); show(); for (int k = 0; k < 50; k++) { uv_run(&T.loop, UV_RUN_NOWAIT); usleep(500); } }
    CHECK(strstr(told.data, "\"pruned_at\":\"") && strstr(told.data, "\"proof\":null"));
    CHECK(strstr(told.data, hash) && strstr(told.data, "\"payout\":[\"1900\",\"0\"]") && strstr(told.data, "\"name\":\"1\"") && strstr(told.data, "\"records\":21"));
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 1 << 20);
    CHECK(store_now(T.store, export_job, &text, &err) == FR_E_NOT_FOUND);
    CHECK_TEXT(err.code, "log_pruned");
    input("1", 22, "add", "{\"n\":1}");
    CHECK_TEXT(W.code, "match_ended");
    CHECK_INT(money().free[1], 4000 + 1900);
    world_end();
}

static void test_a_long_log_goes_in_small_steps_and_nothing_that_runs_is_touched(void)
{
    struct fr_err err;
    finished_match();
    must(store_now(T.store, fill_job, NULL, &err), &err);
    char first[FR_ID_BYTES];
    snprintf(first, sizeof first, "%s", W.match);
    begin_match(0);                                     // one that runs
    must(store_now(T.store, steps_job, NULL, &err), &err);
    CHECK_INT(steps, 3);
    CHECK_INT(at_most, 8);
    input("1", 1, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    input("2", 1, "win", "{}");
    CHECK_INT(W.status, FR_OK);
    check_replay(1, 0);
    world_end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_an_old_log_goes_and_its_hash_seats_and_result_stay);
    TEST(test_a_long_log_goes_in_small_steps_and_nothing_that_runs_is_touched);
    fr_buf_free(&told);
    return TEST_END();
}
