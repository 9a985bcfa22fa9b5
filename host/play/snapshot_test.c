// snapshot_test.c — matches that go on from a snapshot: after killed workers, restarted hosts, damaged rows; and that nobody can tell.
#include <signal.h>
#include "play/testing.h"

#define N MATCH_SNAPSHOT_RECORDS

struct query { const char *sql; int64_t value; };

static enum fr_status query_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct query *q = arg;
    bool found;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT count(*), coalesce(max(n),0), count(ran) FROM match_snapshot WHERE match=?1", &row, err));
    sql_bind_text(row, 1, W.match);
    FR_TRY(sql_step(row, &found, err));
    q->value = sql_int(row, strcmp(q->sql, "count") == 0 ? 0 : strcmp(q->sql, "max") == 0 ? 1 : 2);
    return FR_OK;
}

static int64_t snapshots(const char *what)
{
    struct fr_err err;
    struct query q = { .sql = what };
    must(store_now(T.store, query_job, &q, &err), &err);
    return q.value;
}

// Player 1 draws a number, sets a timer, asks and is refused; player 2 adds. Ten records or so.
static int64_t n1, n2;
static void some_moves(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        input("1", ++n1, "roll", "{}");
        CHECK_INT(W.status, FR_OK);
        input("2", ++n2, "add", "{\"n\":1}");
        input("1", ++n1, "add", "{\"n\":-1}");
        CHECK_TEXT(W.code, "negative");
    }
}

static void begin(void)
{
    n1 = n2 = 0;
    staked_match(5000, 1000, 1000);
}

static void restart(void)
{
    host_down();
    host_up();
    WAIT((input("1", n1, "add", "{\"n\":-1}"), strcmp(W.code, "match_resuming") != 0));      // a move that was answered: until it is known again
    CHECK_TEXT(W.code, "negative");
}

static void end_and_replay(void)
{
    input("2", ++n2, "win", "{}");
    CHECK_INT(W.status, FR_OK);
    CHECK_INT(money().free[2], 4000 + 1900);
    WAIT(snapshots("ran") == 0);                        // nobody goes on from them any more
    check_replay(3, 4);
    CHECK_INT(replayed.starts, 1 + snapshots("count"));
    CHECK(replayed.snapshots > 0);
    world_end();
}

static void test_snapshots_are_kept_at_fixed_points_and_every_replay_agrees(void)
{
    begin();
    some_moves(15);                                     // 45 records
    WAIT(snapshots("max") == 40);
    CHECK_INT(snapshots("count"), 5);
    CHECK_INT(snapshots("ran"), 2);                     // to go on from: the newest and the one before
    end_and_replay();
}

static void test_a_long_match_has_snapshots_further_apart(void)
{
    begin();
    some_moves(132);                                    // 396 records
    WAIT(snapshots("max") == 3 * MATCH_SNAPSHOT_RECORDS_LONG);
    CHECK_INT(snapshots("count"), MATCH_SNAPSHOT_RECORDS_LONG / N + 2);
    CHECK_INT(snapshots("ran"), 2);                     // to go on from: still the newest and the one before
    check_replay(1, 0);
    end_and_replay();
}

// What the sandbox was asked for tells from where a match went on.
static int64_t calls_of_resume(void)
{
    int64_t before = sandbox_worker_stats(pit_worker()->sandbox).calls;
    kill(sandbox_worker_stats(pit_worker()->sandbox).pid, SIGKILL);
    input("2", ++n2, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    return sandbox_worker_stats(pit_worker()->sandbox).calls - before;
}

static void test_a_killed_worker_goes_on_from_the_snapshot(void)
{
    begin();
    some_moves(15);
    int64_t calls = calls_of_resume();                  // restore, five records, the move; not 46
    CHECK(calls >= 2 && calls <= N + 4);
    some_moves(5);
    CHECK(saw(1, "\"sum\":[0,21]"));
    end_and_replay();
}

static void test_a_restarted_host_goes_on_from_the_snapshot_with_the_same_events(void)
{
    begin();
    input("1", ++n1, "later", "{}");                    // timers and asks before the snapshot, due after it
    WAIT(saw(2, "\"timers\":1"));
    some_moves(10);
    input("1", ++n1, "ask", "{}");
    WAIT(saw(2, "\"answer\":\"q:not_found\""));
    char match[FR_ID_BYTES];
    snprintf(match, sizeof match, "%s", W.match);
    FR_AUTO_BUF(old);
    fr_buf_init(&old, 1 << 22);
    fr_buf_add_bytes(&old, W.events[1].data, W.events[1].len);
    input("1", ++n1, "add", "{\"n\":-1}");
    fr_buf_add_bytes(&old, W.events[1].data, W.events[1].len);
    for (int round = 0; round < 3; round++) {
        restart();
        fr_buf_init(&resumed, 1 << 22);
        W.answered = false;
        WAIT((play_resume(W.plays, "1", match, 2, on_resumed, on_answer, NULL), W.status == FR_OK && W.answered));
        CHECK(strstr(W.result, "\"complete\":true") != NULL);
        int lines = 0;
        for (char *line = strtok(resumed.data, "\n"); line; line = strtok(NULL, "\n"), lines++) CHECK(strstr(old.data, line) != NULL);    // byte for byte
        CHECK(lines >= 20);
        fr_buf_free(&resumed);
    }
    CHECK(sandbox_worker_stats(pit_worker()->sandbox).calls <= N + 3);         // the last host played only what came after the snapshot
    some_moves(3);
    CHECK(saw(1, "\"sum\":[0,13]"));
    end_and_replay();
}

static void test_timers_and_asks_that_wait_in_a_snapshot_come_after_a_restart(void)
{
    begin();
    hold_ask = true;
    input("1", ++n1, "slow", "{}");                     // a timer of half a second
    input("1", ++n1, "ask", "{}");
    some_moves(3);
    WAIT(snapshots("max") == N);
    CHECK(!saw(1, "\"timers\":1"));
    hold_ask = false;                                   // the host that had asked is gone: asked again by the next
    plays_close(W.plays);
    asked_done(asked_arg, false, "too_late");
    W.plays = NULL;
    testing_down();
    host_up();
    WAIT(saw(1, "\"answer\":\"q:not_found\"") && saw(1, "\"timers\":1"));
    end_and_replay();
}

// ---- damage

static enum fr_status damage_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    FR_SQL_ROW(row);
    const char *how = arg;
    if (strcmp(how, "state") == 0)
        FR_TRY(sql_begin(txn, "UPDATE match_snapshot SET state=x'7b00000000' WHERE n=(SELECT max(n) FROM match_snapshot)", &row, err));
    else if (strcmp(how, "all states") == 0)
        FR_TRY(sql_begin(txn, "UPDATE match_snapshot SET state=x'7b00000000'", &row, err));
    else if (strcmp(how, "told") == 0)
        FR_TRY(sql_begin(txn, "UPDATE match_snapshot SET told=replace(told,'\"seq\":','\"seq\":1') WHERE n=(SELECT max(n) FROM match_snapshot)", &row, err));
    else if (strcmp(how, "ran") == 0)
        FR_TRY(sql_begin(txn, "UPDATE match_snapshot SET ran='{}' WHERE n=(SELECT max(n) FROM match_snapshot)", &row, err));
    else if (strcmp(how, "hash") == 0)
        FR_TRY(sql_begin(txn, "UPDATE match_snapshot SET hash=state_sha WHERE n=(SELECT max(n) FROM match_snapshot)", &row, err));
    else
        FR_TRY(sql_begin(txn, "UPDATE match_snapshot SET head=replace(head,'\"next\":\"','\"next\":\"9')", &row, err));
    return sql_do(row, NULL, err);
}

static void damaged(const char *how, int64_t calls_least, int64_t calls_most)
{
    struct fr_err err;
    begin();
    some_moves(10);                                     // 30 records: snapshots after 8, 16, 24
    WAIT(snapshots("max") == 24);
    host_down();
    T.store = NULL;
    host_begin();                                       // its matches are read by now: damage what the next host will read
    must(store_now(T.store, damage_job, (void *)(uintptr_t)how, &err), &err);
    restart();
    int64_t calls = sandbox_worker_stats(pit_worker()->sandbox).calls;
    if (calls < calls_least || calls > calls_most) printf("  %s: %lld calls\n", how, (long long)calls);
    CHECK(calls >= calls_least && calls <= calls_most);
    some_moves(1);
    CHECK(saw(1, "\"sum\":[0,11]"));
    input("2", ++n2, "win", "{}");
    CHECK_INT(money().free[2], 4000 + 1900);
    world_end();
}

static void test_a_damaged_snapshot_is_refused_and_the_one_before_is_used(void)
{
    damaged("state", 14, 18);                           // restore 16, 14 records, a snapshot
    damaged("told", 14, 18);
    damaged("ran", 14, 18);
    damaged("hash", 14, 18);
}

static void test_when_all_snapshots_are_damaged_the_log_is_played(void)
{
    damaged("all states", 31, 36);
    damaged("heads", 31, 36);
}

// A snapshot with right hashes over a wrong state: someone wrote it. The chain tells.
static enum fr_status forge_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    struct snapshot s = { 0 };
    bool found;
    size_t len;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT n,hash,state_sha,head,state,ran,told FROM match_snapshot ORDER BY n DESC LIMIT 1", &row, err));
    FR_TRY(sql_step(row, &found, err));
    s.at.n = sql_int(row, 0);
    snprintf(s.at.hash, sizeof s.at.hash, "%s", sql_text(row, 1));
    s.at.head = fr_must_strdup(sql_text(row, 3));
    const char *state = sql_bytes(row, 4, &len);
    s.at.state = fr_strndup(state, len);
    s.at.state_len = len;
    s.ran = fr_must_strdup(sql_text(row, 5));
    s.told = fr_must_strdup(sql_text(row, 6));
    snprintf(s.at.state_sha, sizeof s.at.state_sha, "%s", sql_text(row, 2));
    if (arg) {
        char *sum = memmem(s.at.state, len, "sum", 3);
        CHECK(sum != NULL);
        sum[3 + 5 + 9 + 1] ^= 4;                        // the first player's sum
        struct fr_sha256 sha;
        uint8_t rest[9] = { 0 }, digest[SHA256_BYTES];
        rest[0] = (uint8_t)atoi(strstr(s.at.head, "\"next\":\"") + 8);
        fr_sha256_init(&sha);
        fr_sha256_add(&sha, s.at.state, len);
        fr_sha256_add(&sha, rest, sizeof rest);
        fr_sha256_end(&sha, digest);
        fr_hex(digest, sizeof digest, s.at.state_sha);
    }
    sql_end(row);
    FR_TRY(snaplog_put(txn, W.match, &s, err));
    fr_free(s.at.head);
    fr_free(s.at.state);
    fr_free(s.ran);
    fr_free(s.told);
    return FR_OK;
}

static void test_a_forged_snapshot_is_found_out_by_the_chain_and_the_log_is_played(void)
{
    struct fr_err err;
    begin();
    some_moves(10);
    WAIT(snapshots("max") == 24);
    host_down();
    host_begin();
    must(store_now(T.store, forge_job, &err, &err), &err);
    restart();
    CHECK(sandbox_worker_stats(pit_worker()->sandbox).calls > 31);
    some_moves(1);
    CHECK(saw(1, "\"sum\":[0,11]") && !saw(1, "\"sum\":[4,"));
    input("2", ++n2, "win", "{}");
    CHECK_INT(money().free[2], 4000 + 1900);
    world_end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_snapshots_are_kept_at_fixed_points_and_every_replay_agrees);
    TEST(test_a_long_match_has_snapshots_further_apart);
    TEST(test_a_killed_worker_goes_on_from_the_snapshot);
    TEST(test_a_restarted_host_goes_on_from_the_snapshot_with_the_same_events);
    TEST(test_timers_and_asks_that_wait_in_a_snapshot_come_after_a_restart);
    TEST(test_a_damaged_snapshot_is_refused_and_the_one_before_is_used);
    TEST(test_when_all_snapshots_are_damaged_the_log_is_played);
    TEST(test_a_forged_snapshot_is_found_out_by_the_chain_and_the_log_is_played);
    return TEST_END();
}
