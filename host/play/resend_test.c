// resend_test.c — a move that is sent again, whatever became of the first copy meanwhile: one move, one answer to each who asked, and the same.
#include <signal.h>
#include "play/testing.h"

static void move(int64_t n, const char *name, const char *args, struct told *told)
{
    play_input(W.plays, "1", W.match, n, name, args, on_told, told);
}

// The store takes nothing, and the records of so many turns wait before it.
static void wait_for_records(int count) { WAIT(store_stats(T.store).queued >= 1 + count); }

static void quiet_store(void)
{
    WAIT(store_stats(T.store).queued == 0);
    store_block();
}

// The first one's line is gone, so nobody reads what it is told.
static void check_same(const struct told *first, const struct told *again, const char *code)
{
    CHECK_INT(first->times, 1);
    CHECK_TEXT(first->code, "superseded");
    CHECK_INT(again->times, 1);
    CHECK_TEXT(again->code, code);
}

static void test_a_move_sent_again_while_its_record_is_written_hears_the_answer(void)
{
    struct told told[4] = { 0 };
    world_begin();
    begin_match(0);
    quiet_store();
    move(1, "add", "{\"n\":5}", &told[0]);
    wait_for_records(1);
    move(2, "add", "{\"n\":-5}", &told[2]);
    wait_for_records(2);
    move(1, "add", "{\"n\":5}", &told[1]);
    move(2, "add", "{\"n\":-5}", &told[3]);
    CHECK(!told[1].answered && !told[3].answered);       // nothing leaves before the record is durable
    store_drain();
    WAIT(told[1].answered && told[3].answered);
    check_same(&told[0], &told[1], "");
    check_same(&told[2], &told[3], "negative");
    CHECK(strstr(told[1].result, "\"seq\":2"));
    CHECK(saw(1, "\"sum\":[5,0]") && !saw(1, "\"sum\":[10,0]"));
    check_replay(1, 0);
    world_end();
}

static void test_so_does_one_whose_turn_becomes_void(void)
{
    struct told told[2] = { 0 };
    world_begin();
    begin_match(0);
    quiet_store();
    move(1, "loop", "{}", &told[0]);
    wait_for_records(1);
    move(1, "loop", "{}", &told[1]);
    store_drain();
    WAIT(told[1].answered);
    check_same(&told[0], &told[1], "cpu_limit");
    input("1", 1, "loop", "{}");
    CHECK_TEXT(W.code, "cpu_limit");
    check_replay(1, 0);
    world_end();
}

static void test_so_does_one_that_ends_the_match(void)
{
    struct told told[4] = { 0 };
    staked_match(5000, 1000, 1000);
    quiet_store();
    move(1, "win", "{}", &told[0]);
    wait_for_records(1);
    move(1, "win", "{}", &told[1]);
    play_input(W.plays, "2", W.match, 1, "add", "{\"n\":1}", on_told, &told[2]);
    for (int i = 0; i < 200; i++) { uv_run(&T.loop, UV_RUN_NOWAIT); usleep(500); }
    CHECK(!told[1].answered && !told[2].answered);       // that it is over is part of what is not durable yet
    store_drain();
    WAIT(told[1].answered && told[2].answered);
    check_same(&told[0], &told[1], "");
    CHECK_TEXT(told[2].code, "match_ended");
    play_input(W.plays, "2", W.match, 1, "add", "{\"n\":1}", on_told, &told[3]);
    WAIT(told[3].answered);
    CHECK_TEXT(told[3].code, "match_ended");
    CHECK_INT(W.ends, 2);
    CHECK_INT(money().free[1], 4000 + 1900);
    world_end();
}

static void on_watched(void *who, const char *json, size_t len) { (void)json; (void)len; (void)who; }

static void test_nobody_hears_of_an_end_before_it_is_durable(void)
{
    struct told told[4] = { 0 };
    struct fr_err err;
    FR_AUTO_BUF(mine);
    fr_buf_init(&mine, 4096);
    world_begin();
    find("1", "open", 0, false);
    find("2", "open", 0, false);
    WAIT(W.starts == 2);
    quiet_store();
    move(1, "win", "{}", &told[0]);
    wait_for_records(1);
    play_leave(W.plays, "2", W.match, on_told, &told[1]);
    play_watch(W.plays, W.match, NULL, &mine, on_watched, on_told, &told[2]);
    CHECK(play_relay(W.plays, "2", W.match, "wave", NULL, &err) == FR_OK);
    play_matches_of(W.plays, "2", &mine);
    CHECK(strstr(mine.data, W.match) != NULL);
    for (int i = 0; i < 200; i++) { uv_run(&T.loop, UV_RUN_NOWAIT); usleep(500); }
    CHECK(!told[0].answered);
    CHECK_TEXT(told[1].code, "match_resuming");
    CHECK_INT(told[2].status, FR_OK);
    store_drain();
    WAIT(told[0].answered);
    CHECK_INT(W.ends, 2);
    play_leave(W.plays, "2", W.match, on_told, &told[3]);
    WAIT(told[3].answered);
    CHECK_TEXT(told[3].code, "match_ended");
    CHECK(play_is_of(W.plays, "2", W.match, "pit") && !play_is_of(W.plays, "2", W.match, "pot") && !play_is_of(W.plays, "3", W.match, "pit"));      // who comes back may still ask for it
    world_end();
}

static void test_so_does_one_whose_worker_was_killed(void)
{
    struct told told[3] = { 0 };
    world_begin();
    begin_match(0);
    quiet_store();
    move(1, "roll", "{}", &told[0]);
    wait_for_records(1);
    kill(sandbox_worker_stats(pit_worker()->sandbox).pid, SIGKILL);
    move(1, "roll", "{}", &told[1]);
    for (int i = 0; i < 200; i++) { uv_run(&T.loop, UV_RUN_NOWAIT); usleep(500); }
    move(1, "roll", "{}", &told[2]);
    store_drain();
    WAIT(told[2].answered);
    CHECK_TEXT(told[1].code, "superseded");
    check_same(&told[0], &told[2], "");
    input("1", 2, "win", "{}");
    check_replay(1, 0);
    world_end();
}

// The record is refused while others are on their way: until that is sorted out the move is neither made nor unmade.
static void test_a_move_whose_record_was_lost_may_be_sent_again_at_once(void)
{
    struct told told[3] = { 0 };
    world_begin();
    begin_match(0);
    store_fill(1);
    move(1, "add", "{\"n\":1}", &told[0]);
    move(2, "add", "{\"n\":10}", &told[1]);
    WAIT(told[1].answered);
    CHECK_TEXT(told[1].code, "busy");
    move(2, "add", "{\"n\":10}", &told[2]);
    CHECK_TEXT(told[2].code, "match_resuming");
    store_drain();
    WAIT(told[0].answered);
    CHECK_INT(told[0].status, FR_OK);
    input("1", 2, "add", "{\"n\":10}");
    CHECK_INT(W.status, FR_OK);
    CHECK(saw(2, "\"sum\":[11,0]"));
    check_replay(1, 0);
    world_end();
}

static enum fr_status break_end_job(struct store_txn *txn, void *arg, struct fr_err *err)       // the key of its payment is taken
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE journal SET key=iif(?1, 'match:' || ?2 || ':end', 'free again') WHERE id=(SELECT min(id) FROM journal)", &row, err));
    sql_bind_int(row, 1, arg != NULL);
    sql_bind_text(row, 2, W.match);
    return sql_do(row, NULL, err);
}

static void test_an_answer_that_comes_while_the_end_is_stored_is_heard_when_the_end_is_refused(void)
{
    struct told told = { 0 };
    struct fr_err err;
    staked_match(5000, 1000, 1000);
    hold_ask = true;
    input("1", 1, "ask", "{}");
    must(store_now(T.store, break_end_job, W.match, &err), &err);
    quiet_store();
    move(2, "win", "{}", &told);
    wait_for_records(1);
    asked_done(asked_arg, false, "not_found");
    hold_ask = false;
    store_drain();
    WAIT(told.answered);
    CHECK(told.status != FR_OK);
    WAIT(saw(1, "\"answer\":\"q:not_found\""));
    must(store_now(T.store, break_end_job, NULL, &err), &err);
    input("1", 2, "win", "{}");
    CHECK_INT(W.status, FR_OK);
    check_replay(1, 0);
    world_end();
}

static struct told answers[4];
static const struct { const char *name, *args, *code; } moves[4] = { { "add", "{\"n\":5}", "" }, { "add", "{\"n\":-5}", "negative" }, { "boom", "{}", "plugin_error" }, { "loop", "{}", "cpu_limit" } };

static void test_a_restarted_host_answers_as_the_one_before(void)
{
    for (int i = 0; i < 4; i++) {
        memset(answers, 0, sizeof answers);
        world_begin();
        begin_match(0);
        move(1, moves[i].name, moves[i].args, &answers[0]);
        WAIT(answers[0].answered);
        CHECK_TEXT(answers[0].code, moves[i].code);
        host_down();
        host_up();
        WAIT((memset(&answers[1], 0, sizeof answers[1]), move(1, moves[i].name, moves[i].args, &answers[1]), strcmp(answers[1].code, "match_resuming") != 0));
        CHECK_INT(answers[1].times, 1);
        CHECK_INT(answers[1].status, answers[0].status);
        CHECK_TEXT(answers[1].code, answers[0].code);
        CHECK_TEXT(answers[1].result, answers[0].result);
        world_end();
    }
}

int main(void)
{
    play_tests_begin();
    TEST(test_a_move_sent_again_while_its_record_is_written_hears_the_answer);
    TEST(test_so_does_one_whose_turn_becomes_void);
    TEST(test_so_does_one_that_ends_the_match);
    TEST(test_so_does_one_whose_worker_was_killed);
    TEST(test_an_answer_that_comes_while_the_end_is_stored_is_heard_when_the_end_is_refused);
    TEST(test_nobody_hears_of_an_end_before_it_is_durable);
    TEST(test_a_move_whose_record_was_lost_may_be_sent_again_at_once);
    TEST(test_a_restarted_host_answers_as_the_one_before);
    return TEST_END();
}
