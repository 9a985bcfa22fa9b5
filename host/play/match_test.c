// match_test.c — matches from end to end: stakes, turns, void turns, repeated moves, draws, surrender, timers, bots, replay.
#include <signal.h>
#include "base/map.h"
#include "play/internal.h"
#include "play/testing.h"

static void test_a_staked_match_pays_the_winner_once(void)
{
    staked_match(5000, 1000, 1000);
    struct testing_money m = money();
    CHECK_INT(m.held[1], 1000);
    CHECK_INT(m.held[2], 1000);
    input("1", 1, "add", "{\"n\":5}");
    CHECK_INT(W.status, FR_OK);
    input("2", 1, "roll", "{}");
    input("2", 2, "win", "{}");
    WAIT(W.ends == 2);
    m = money();
    CHECK_INT(m.free[1], 4000);
    CHECK_INT(m.free[2], 4000 + 1900);
    CHECK_INT(m.held[1] + m.held[2], 0);
    CHECK(saw(2, "\"payout\":\"1900\",\"net\":\"900\""));
    input("1", 2, "add", "{\"n\":1}");
    CHECK_TEXT(W.code, "match_ended");
    check_replay(20, 3);
    world_end();
}

static void test_who_cannot_pay_is_told_and_nothing_moves(void)
{
    world_begin();
    give("1", 500, 10000);
    find("1", "duel", 1000, false);
    CHECK_TEXT(W.code, "funds");
    give("2", 5000, 0);
    find("2", "duel", 1000, false);
    CHECK_TEXT(W.code, "consent_required");
    find("2", "duel", 77, false);
    CHECK_TEXT(W.code, "stake_not_offered");
    find("2", "nope", 0, false);
    CHECK_TEXT(W.code, "mode_unknown");
    find("2", "duel", 1000, true);
    CHECK_TEXT(W.code, "bot_needs_no_stake");
    struct testing_money m = money();
    CHECK_INT(m.free[1], 500);
    CHECK_INT(m.free[2], 5000);
    world_end();
}

static void test_refusals_and_raised_errors_leave_state_and_stream_alone(void)
{
    world_begin();
    begin_match(0);
    input("1", 1, "add", "{\"n\":-1}");
    CHECK_TEXT(W.code, "negative");
    input("1", 2, "boom", "{}");
    CHECK_TEXT(W.code, "plugin_error");
    CHECK(!saw(1, "\"sum\":[999") && !saw(1, "\"sum\":[777"));
    input("1", 3, "roll", "{}");
    CHECK_INT(W.status, FR_OK);
    input("1", 4, "add", "{\"n\":\"x\"}");
    CHECK_TEXT(W.code, "bad_arguments");
    input("1", 4, "nothere", "{}");
    CHECK_TEXT(W.code, "input_unknown");
    input("2", 1, "win", "{}");
    WAIT(W.ends == 2);
    check_replay(5, 2);
    world_end();
}

static void test_a_repeated_move_is_made_once(void)
{
    world_begin();
    begin_match(0);
    input("1", 1, "add", "{\"n\":5}");
    input("1", 1, "add", "{\"n\":5}");
    CHECK_INT(W.status, FR_OK);
    input("1", 3, "add", "{\"n\":5}");
    CHECK_TEXT(W.code, "n_gap");
    input("1", 2, "add", "{\"n\":-5}");
    CHECK_TEXT(W.code, "negative");
    input("1", 2, "add", "{\"n\":-5}");
    CHECK_TEXT(W.code, "negative");
    input("1", 1, "add", "{\"n\":5}");
    CHECK_TEXT(W.code, "n_passed");
    CHECK(saw(1, "\"sum\":[5,0]") && !saw(1, "\"sum\":[10,0]"));
    world_end();
}

static void test_a_turn_over_its_limits_is_void_and_three_forfeit(void)
{
    staked_match(5000, 1000, 1000);
    input("2", 1, "add", "{\"n\":7}");
    input("1", 1, "loop", "{}");
    CHECK_TEXT(W.code, "cpu_limit");
    input("2", 2, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    CHECK(saw(2, "\"sum\":[0,8]") && !saw(2, "\"sum\":[666"));
    input("1", 2, "hog", "{}");
    CHECK_TEXT(W.code, "memory_limit");
    input("1", 3, "loop", "{}");
    WAIT(W.ends == 2);
    CHECK(saw(1, "\"reason\":\"forfeit\""));
    struct testing_money m = money();
    CHECK_INT(m.free[2], 4000 + 1900);
    check_replay(3, 1);
    world_end();
}

static void test_resume_sends_what_was_missed_or_a_fresh_start(void)
{
    world_begin();
    fr_buf_init(&resumed, 1 << 22);
    begin_match(0);
    for (int i = 1; i <= 5; i++) input("1", i, "add", "{\"n\":1}");
    W.answered = false;
    play_resume(W.plays, "2", W.match, 4, on_resumed, on_answer, NULL);
    CHECK(W.answered && W.status == FR_OK && strstr(W.result, "\"complete\":true"));
    CHECK(strstr(resumed.data, "\"seq\":5") && strstr(resumed.data, "\"seq\":6") && !strstr(resumed.data, "\"seq\":4"));
    fr_buf_clear(&resumed);
    play_resume(W.plays, "2", W.match, 0, on_resumed, on_answer, NULL);
    CHECK(strstr(W.result, "\"complete\":false") && strstr(resumed.data, "match.start") && strstr(resumed.data, "\"sum\":[5,0]"));
    play_resume(W.plays, "3", W.match, 0, on_resumed, on_answer, NULL);
    CHECK_TEXT(W.code, "match_unknown");
    fr_buf_free(&resumed);
    world_end();
}

static void test_a_draw_and_a_malformed_end_give_stakes_back(void)
{
    staked_match(5000, 2000, 1000);
    input("1", 1, "draw", "{}");
    WAIT(W.ends == 2);
    CHECK_INT(money().free[1], 5000);
    begin_match(1000);
    input("1", 1, "badend", "{}");
    CHECK_TEXT(W.code, "plugin_error");                 // the worker refuses it already; the match goes on
    W.answered = false;
    play_leave(W.plays, "1", W.match, on_answer, NULL);
    WAIT(W.ends == 4);
    CHECK_INT(money().free[2], 5000 + 900);             // a game without a leave handler: the host lets the other one win
    world_end();
}

static void test_timers_and_asks_arrive_as_records(void)
{
    world_begin();
    begin_match(0);
    input("2", 1, "later", "{}");
    WAIT(saw(1, "\"timers\":2"));
    input("1", 1, "ask", "{}");
    WAIT(saw(1, "\"answer\":\"q:not_found\""));
    input("1", 2, "win", "{}");
    WAIT(W.ends == 2);
    check_replay(5, 2);
    world_end();
}

static void test_idle_ticks_are_counted_not_logged_and_replay_the_same(void)
{
    world_begin();
    find("1", "ticker", 0, false);
    CHECK_INT(W.status, FR_OK);
    WAIT(saw(1, "\"tens\":3"));
    input("1", 1, "add", "{\"n\":1}");
    FR_AUTO_BUF(out);
    struct fr_err err;
    fr_buf_init(&out, 1 << 20);
    must(store_now(T.store, export_job, &out, &err), &err);
    CHECK(strstr(out.data, "\\\"idle\\\":9") != NULL);
    check_replay(5, 2);
    world_end();
}

static void test_ticks_do_not_pile_up_before_a_slow_disk(void)
{
    world_begin();
    find("1", "ticker", 0, false);
    WAIT(W.patches >= 2);
    struct fr_err err;
    atomic_store(&store_blocked, true);
    must(store_run(T.store, blocking_job, NULL, NULL, &err), &err);
    int64_t end_ms = fr_mono_ms() + 2000;                      // every tenth tick of 20 ms is seen, so there would be ten records
    WAIT(fr_mono_ms() > end_ms);
    CHECK(store_stats(T.store).queued <= 3 + MATCH_TICKS_BEHIND_MAX);      // the blocking one, a turn that ran already, a snapshot
    int before = W.patches;
    store_drain();
    WAIT(W.patches >= before + MATCH_TICKS_BEHIND_MAX + 2);    // and it goes on
    CHECK(!saw(1, "match.end"));
    check_replay(2, 1);
    world_end();
}

static void test_ticks_do_not_pile_up_before_a_slow_worker(void)
{
    world_begin();
    find("1", "ticker", 0, false);
    WAIT(W.patches >= 2);
    struct match *m = fr_map_get_text(W.plays->matches, W.match);
    int pid = sandbox_worker_stats(pit_worker()->sandbox).pid;
    int64_t tick_no = m->tick_no, end_ms = fr_mono_ms() + 300;
    kill(pid, SIGSTOP);
    while (fr_mono_ms() < end_ms) { uv_run(&T.loop, UV_RUN_NOWAIT); usleep(500); }
    CHECK(m->tick_no >= tick_no + 10);                         // time goes on, and the game will be told
    CHECK_INT(m->queued, 1);
    kill(pid, SIGCONT);
    int before = W.patches;
    WAIT(W.patches >= before + 2);
    check_replay(2, 1);
    world_end();
}

static void test_the_bot_plays_for_the_lonely(void)
{
    world_begin();
    find("1", "duel", 0, true);
    CHECK_INT(W.status, FR_OK);
    WAIT(W.ends == 1);
    CHECK(saw(1, "\"rolls\":[") && saw(1, "\"place\":2"));
    check_replay(5, 0);
    world_end();
}

static void test_a_long_match_replays_too(void)
{
    world_begin();
    begin_match(0);
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CALL_ARGS_BYTES_MAX);
    fr_buf_add(&args, "{\"text\":\"");
    for (int i = 0; i < 50000; i++) fr_buf_add_char(&args, 'x');
    fr_buf_add(&args, "\"}");
    for (int n = 1; n <= 25; n++) input("1", n, "pad", args.data);      // over a mebibyte of log: longer than any JSON from outside may be
    CHECK_INT(W.status, FR_OK);
    CHECK(saw(2, "\"sum\":[1250000,0]"));
    check_replay(2, 1);
    world_end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_a_staked_match_pays_the_winner_once);
    TEST(test_who_cannot_pay_is_told_and_nothing_moves);
    TEST(test_refusals_and_raised_errors_leave_state_and_stream_alone);
    TEST(test_a_repeated_move_is_made_once);
    TEST(test_a_turn_over_its_limits_is_void_and_three_forfeit);
    TEST(test_resume_sends_what_was_missed_or_a_fresh_start);
    TEST(test_a_draw_and_a_malformed_end_give_stakes_back);
    TEST(test_timers_and_asks_arrive_as_records);
    TEST(test_idle_ticks_are_counted_not_logged_and_replay_the_same);
    TEST(test_ticks_do_not_pile_up_before_a_slow_disk);
    TEST(test_ticks_do_not_pile_up_before_a_slow_worker);
    TEST(test_the_bot_plays_for_the_lonely);
    TEST(test_a_long_match_replays_too);
    return TEST_END();
}
