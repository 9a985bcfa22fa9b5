// matchlog_test.c — the tail and the chunks: wherever a record stands, a log is whole, in order, and no row is kept for ever.
#include "play/internal.h"
#include "play/testing.h"

struct count { int64_t tail, chunks, chunked; };

static enum fr_status count_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct count *c = arg;
    bool found;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT (SELECT count(*) FROM match_tail), (SELECT count(*) FROM match_chunk), (SELECT coalesce(sum(records),0) FROM match_chunk)", &row, err));
    FR_TRY(sql_step(row, &found, err));
    *c = (struct count){ sql_int(row, 0), sql_int(row, 1), sql_int(row, 2) };
    return FR_OK;
}

static struct count counted(void)
{
    struct fr_err err;
    struct count c;
    must(store_now(T.store, count_job, &c, &err), &err);
    return c;
}

static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err) { return play_list(txn, "", "", 10, arg, err); }
static enum fr_status list_of_job(struct store_txn *txn, void *arg, struct fr_err *err) { return play_list_of(txn, "1", "", 10, arg, err); }
static enum fr_status show_job(struct store_txn *txn, void *arg, struct fr_err *err) { return play_show(txn, W.match, NULL, arg, err); }

// All three say the same of the match as it is now.
static void check_told(int64_t records)
{
    struct fr_err err;
    FR_AUTO_BUF(list); FR_AUTO_BUF(own); FR_AUTO_BUF(shown); FR_AUTO_BUF(want);
    fr_buf_init(&list, 1 << 20);
    fr_buf_init(&own, 1 << 20);
    fr_buf_init(&shown, 1 << 20);
    fr_buf_init(&want, 200);
    must(store_now(T.store, list_job, &list, &err), &err);
    must(store_now(T.store, list_of_job, &own, &err), &err);
    must(store_now(T.store, show_job, &shown, &err), &err);
    fr_buf_addf(&want, "\"records\":%lld,\"hash\":\"", (long long)records);
    const char *at = strstr(shown.data, want.data);
    CHECK(at != NULL);
    if (!at) return;
    char hash[80];
    snprintf(hash, sizeof hash, "%.*s\"", 8 + 64, strstr(at, "\"hash\":\""));
    CHECK(strstr(list.data, hash) && strstr(list.data, want.data) && strstr(own.data, hash));
}

static void adds(int64_t from, int64_t to)
{
    for (int64_t n = from; n <= to; n++) {
        input("1", n, "add", "{\"n\":1}");
        CHECK_INT(W.status, FR_OK);
    }
}

static void test_records_are_put_together_and_their_rows_deleted(void)
{
    staked_match(5000, 1000, 1000);
    adds(1, 63);
    CHECK_INT(counted().chunks, 0);
    check_told(63);
    adds(64, 150);
    CHECK_INT(counted().chunks, 2);
    CHECK_INT(counted().chunked, 128);
    check_told(150);
    check_replay(1, 0);
    WAIT(counted().tail == 22);
    check_told(150);
    check_replay(1, 0);
    host_down();
    host_up();
    CHECK_INT(counted().tail, 0);
    CHECK_INT(counted().chunked, 150);
    check_told(150);
    WAIT((input("1", 150, "add", "{\"n\":1}"), strcmp(W.code, "match_resuming") != 0));
    CHECK_INT(W.status, FR_OK);
    adds(151, 155);
    check_told(155);
    input("1", 156, "win", "{}");
    CHECK_INT(counted().chunked, 156);
    check_told(156);
    check_replay(1, 0);
    CHECK_INT(money().free[1], 4000 + 1900);
    world_end();
}

// Its rows would keep all later ones from being deleted.
static void test_a_match_that_is_still_is_put_together_when_others_go_on(void)
{
    world_begin();
    begin_match(0);
    adds(1, 3);
    W.plays->tail_at += MATCH_TAIL_RECORDS / 2 - 1;
    log_trim(W.plays);
    for (int i = 0; i < 20; i++) WAIT(true);
    CHECK_INT(counted().chunks, 0);
    W.plays->tail_at += 1;
    log_trim(W.plays);
    WAIT(counted().chunks == 1);
    log_trim(W.plays);
    WAIT(counted().tail == 0);
    check_told(3);
    adds(4, 5);
    check_told(5);
    input("1", 6, "win", "{}");
    check_replay(1, 0);
    world_end();
}

static const uint8_t payload[SHA256_BYTES] = { 7 };
static char hashes[8][SHA256_HEX_BYTES];

static struct matchlog_row row_of(int64_t at, int64_t prev_at, int64_t n)
{
    memset(hashes[n], 'a' + (char)n, SHA256_HEX_BYTES - 1);
    return (struct matchlog_row){ .at = at, .prev_at = prev_at, .n = n, .record = "{\"kind\":\"x\"}", .hash = hashes[n], .payload_sha = payload };
}

static enum fr_status rows_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    struct matchlog_row one = row_of(10, 0, 1), two = row_of(20, 10, 2), gap = row_of(40, 30, 4), three = row_of(30, 0, 3);
    CHECK(matchlog_append(txn, "no such match", &one, err) == FR_E_CONFLICT);
    FR_TRY(matchlog_append(txn, W.match, &one, err));
    FR_TRY(matchlog_append(txn, W.match, &two, err));
    CHECK(matchlog_append(txn, W.match, &gap, err) == FR_E_CONFLICT);      // where the third should stand there is nothing
    CHECK_TEXT(err->code, "match_log_gap");
    gap.prev_at = 20;
    CHECK(matchlog_append(txn, W.match, &gap, err) == FR_E_CONFLICT);      // and there it is the second
    FR_TRY(matchlog_append(txn, W.match, &three, err));                    // the second is known to be durable
    struct matchlog_record records[3] = { { .record = (char *)one.record }, { .record = (char *)one.record, .outcome = 2 }, { .record = (char *)one.record } };
    for (int i = 0; i < 3; i++) memcpy(records[i].hash, hashes[i + 1], SHA256_HEX_BYTES);
    memcpy(records[1].payload_sha, payload, sizeof payload);
    struct matchlog_chunk shorter, longer;
    FR_TRY(matchlog_chunk_make(records, 1, 1, &shorter, err));
    FR_TRY(matchlog_chunk_make(records, 1, 2, &longer, err));
    FR_TRY(matchlog_chunk_put(txn, W.match, &shorter, err));
    FR_TRY(matchlog_chunk_put(txn, W.match, &longer, err));                // takes its place
    fr_buf_free(&shorter.lines);
    fr_buf_free(&longer.lines);
    FR_AUTO(matchlog) l = NULL;
    FR_TRY(matchlog_read(txn, W.match, &l, err));
    CHECK_INT(l->count, 3);
    CHECK(l->records[1].outcome == 2 && memcmp(l->records[1].payload_sha, payload, sizeof payload) == 0 && strcmp(l->records[1].hash, hashes[2]) == 0);
    CHECK_TEXT(l->hash, hashes[3]);
    bool left;
    FR_TRY(matchlog_trim(txn, 25, 11, &left, err));
    CHECK(left);
    FR_TRY(matchlog_trim(txn, 25, 11, &left, err));
    FR_TRY(matchlog_trim(txn, 25, 11, &left, err));
    CHECK(!left);
    FR_SQL_ROW(damage);
    FR_TRY(sql_begin(txn, "UPDATE match_chunk SET lines=replace(lines, ' bbb', ' ')", &damage, err));
    FR_TRY(sql_do(damage, NULL, err));
    FR_AUTO(matchlog) damaged = NULL;
    CHECK(matchlog_read(txn, W.match, &damaged, err) == FR_E_CORRUPT);
    return FR_E_INVALID;                                                   // nothing of it stays
}

static void test_a_gap_is_refused_and_a_longer_chunk_takes_the_place_of_a_shorter(void)
{
    struct fr_err err;
    world_begin();
    begin_match(0);
    CHECK(store_now(T.store, rows_job, NULL, &err) == FR_E_INVALID);
    world_end();
}

static enum fr_status old_rows_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<100)"
                          " INSERT INTO match_tail(match,n,record,outcome,hash) SELECT m.id,c.n,'{\"n\":' || c.n || '}',0,printf('%064d',c.n) FROM c JOIN (SELECT id FROM match UNION ALL SELECT 'other') m", &row, err));
    FR_TRY(sql_do(row, NULL, err));
    FR_TRY(matchlog_settle(txn, err));
    struct count c;
    FR_TRY(count_job(txn, &c, err));
    CHECK_INT(c.tail, 0);
    CHECK_INT(c.chunks, 4);
    CHECK_INT(c.chunked, 200);
    FR_AUTO(matchlog) l = NULL;
    FR_TRY(matchlog_read(txn, W.match, &l, err));
    CHECK_INT(l->count, 100);
    CHECK_TEXT(l->records[99].record, "{\"n\":100}");
    return FR_E_INVALID;
}

static void test_an_older_folders_records_become_chunks_at_the_start(void)
{
    struct fr_err err;
    world_begin();
    begin_match(0);
    CHECK(store_now(T.store, old_rows_job, NULL, &err) == FR_E_INVALID);
    world_end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_records_are_put_together_and_their_rows_deleted);
    TEST(test_a_match_that_is_still_is_put_together_when_others_go_on);
    TEST(test_a_gap_is_refused_and_a_longer_chunk_takes_the_place_of_a_shorter);
    TEST(test_an_older_folders_records_become_chunks_at_the_start);
    return TEST_END();
}
