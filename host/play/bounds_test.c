// bounds_test.c — what one player can do to a match that others play: nothing that costs them their coins.
#include <signal.h>
#include "play/testing.h"

static void pad(const char *player, int64_t n, int bytes)
{
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CALL_ARGS_BYTES_MAX);
    fr_buf_add(&args, "{\"text\":\"");
    for (int i = 0; i < bytes; i++) fr_buf_add_char(&args, 'x');
    fr_buf_add(&args, "\"}");
    input(player, n, "pad", args.data);
}

static void test_who_floods_the_log_is_refused_and_the_other_one_plays_on(void)
{
    int64_t n = 0;
    staked_match(5000, 1000, 1000);
    while (W.status == FR_OK && n < 60) pad("1", ++n, 60000);
    CHECK_TEXT(W.code, "too_many_moves");
    CHECK(n > 20 && n < 30);
    host_down();                                        // the count is part of what a restarted host knows
    host_up();
    WAIT((input("1", n, "win", "{}"), strcmp(W.code, "match_resuming") != 0));
    CHECK_TEXT(W.code, "too_many_moves");
    for (int i = 1; i <= 10; i++) input("2", i, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    input("2", 11, "win", "{}");
    WAIT(W.ends == 2);
    CHECK_INT(money().free[2], 4000 + 1900);
    check_replay(1, 0);
    world_end();
}

static void test_coming_and_going_fills_no_log(void)
{
    world_begin();
    begin_match(0);
    for (int64_t n = 1; strcmp(W.code, "too_many_moves") != 0 && n < 60; n++) pad("1", n, 60000);
    for (int i = 0; i < 50; i++) play_presence(W.plays, "1", i % 2);
    input("2", 1, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    CHECK(!saw(2, "\"drops\":1"));
    world_end();
}

static void on_counted(void *arg, enum fr_status status, const char *json, const struct fr_err *err) { (void)status; (void)json; (void)err; ++*(int *)arg; }

static void test_an_answer_finds_room_when_the_queue_is_full(void)
{
    int answered = 0, sent = 0;
    world_begin();
    begin_match(0);
    hold_ask = true;
    input("1", 1, "ask", "{}");
    CHECK_INT(W.status, FR_OK);
    hold_ask = false;
    atomic_store(&store_blocked, true);
    struct fr_err err;
    must(store_run(T.store, blocking_job, NULL, NULL, &err), &err);
    for (int i = 0; i < 40; i++, sent++) {                // those that run ahead of the disk
        play_input(W.plays, "1", W.match, 2 + i, "add", "{\"n\":1}", on_counted, &answered);
        for (int k = 0; k < 20; k++) { uv_run(&T.loop, UV_RUN_NOWAIT); usleep(100); }
    }
    for (int i = 0; i < 2 * MATCH_INPUT_QUEUE_MAX; i++, sent++) play_input(W.plays, "2", W.match, 1 + i, "add", "{\"n\":1}", on_counted, &answered);
    CHECK(answered > 0);                                // some were told that the match is busy
    asked_done(asked_arg, false, "not_found");
    store_drain();
    WAIT(saw(1, "\"answer\":\"q:not_found\"") && answered == sent);
    world_end();
}

static void test_who_fills_the_queue_leaves_room_for_the_others(void)
{
    int flood = 0;
    struct told told = { 0 };
    staked_match(5000, 1000, 1000);
    kill(sandbox_worker_stats(pit_worker()->sandbox).pid, SIGKILL);      // everything waits
    WAIT(!pit_worker()->up);
    for (int n = 1; n <= 2 * MATCH_INPUT_QUEUE_MAX; n++) play_input(W.plays, "1", W.match, n, "add", "{\"n\":1}", on_counted, &flood);
    CHECK(flood >= MATCH_INPUT_QUEUE_MAX);              // told that the match is busy
    for (int i = 0; i < 2 * MATCH_INPUT_QUEUE_MAX; i++) play_presence(W.plays, "1", i % 2);
    play_input(W.plays, "2", W.match, 1, "win", "{}", on_told, &told);
    WAIT(told.answered);
    CHECK_INT(told.status, FR_OK);
    WAIT(W.ends == 2 && flood == 2 * MATCH_INPUT_QUEUE_MAX);
    CHECK_INT(money().free[2], 4000 + 1900);
    world_end();
}

static void play_with_leave(const char *body)
{
    char lua[sizeof pit_lua + 200];
    const char *at = strstr(pit_lua, "  view = ");
    world_begin();
    host_down();
    snprintf(lua, sizeof lua, "%.*s  leave = function(m, s, seat) %s end,\n%s", (int)(at - pit_lua), pit_lua, body, at);
    testing_put("pit", "main.lua", lua);
    host_up();
    give("1", 5000, 1000);
    give("2", 5000, 1000);
    begin_match(1000);
}

static void test_who_may_not_leave_plays_on(void)
{
    struct told told = { 0 };
    play_with_leave("return nil, 'stay'");
    play_leave(W.plays, "1", W.match, on_told, &told);
    input("1", 1, "add", "{\"n\":1}");                   // not while it is asked
    CHECK_TEXT(W.code, "left");
    WAIT(told.answered);
    CHECK_TEXT(told.code, "stay");
    input("1", 1, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    host_down();
    host_up();
    WAIT((input("1", 2, "win", "{}"), strcmp(W.code, "match_resuming") != 0));
    CHECK_INT(W.status, FR_OK);
    CHECK_INT(money().free[1], 4000 + 1900);
    world_end();
}

static void test_a_game_that_breaks_when_somebody_leaves_holds_no_coins(void)
{
    static const char *const broken[] = { "error('boom')", "while true do end" };
    for (int i = 0; i < 2; i++) {
        struct told told = { 0 };
        play_with_leave(broken[i]);
        play_leave(W.plays, "1", W.match, on_told, &told);
        WAIT(told.answered && W.ends == 2);
        CHECK_INT(told.status, FR_OK);
        CHECK_INT(told.times, 1);
        CHECK(saw(2, "\"reason\":\"surrender\""));
        CHECK_INT(money().held[1], 0);
        CHECK_INT(money().free[2], 4000 + 1900);
        check_replay(1, 0);
        world_end();
    }
}

static void test_a_game_that_ticks_for_nobody_ends(void)
{
    world_begin();
    host_down();
    W.abandoned_ms = 1;
    host_up();
    find("1", "ticker", 0, false);
    WAIT(saw(1, "\"tens\":1"));
    for (int i = 0; i < 3000 && W.ends == 0; i++) { uv_run(&T.loop, UV_RUN_NOWAIT); usleep(500); }      // longer than a sweep: somebody is there
    CHECK_INT(W.ends, 0);
    play_presence(W.plays, "1", false);
    WAIT(W.ends == 1);
    CHECK(saw(1, "\"reason\":\"abandoned\""));
    world_end();
}

static void test_a_rematch_that_is_wanted_is_told_to_the_other_player(void)
{
    world_begin();
    begin_match(0);
    input("1", 1, "draw", "{}");
    WAIT(W.ends == 2);
    char match[FR_ID_BYTES];
    snprintf(match, sizeof match, "%s", W.match);
    find_with("1", 0, match);
    CHECK_INT(W.status, FR_OK);
    CHECK(saw(2, "\"ev\":\"match.rematch\"") && !saw(1, "match.rematch"));
    fr_buf_clear(&W.events[1]);
    find_with("2", 0, match);                           // the answer to it: they meet, and nobody is asked again
    WAIT(W.starts == 4);
    CHECK(!saw(1, "match.rematch"));
    world_end();
}

static void test_an_end_that_cannot_be_stored_is_told_to_the_operator(void)
{
    FR_AUTO_BUF(lines);
    struct told told = { 0 };
    staked_match(5000, 1000, 1000);
    store_fill(0);
    play_leave(W.plays, "1", W.match, on_told, &told);
    WAIT(told.answered);
    fr_buf_init(&lines, 1 << 20);
    plugin_log_print(pit(), 50, &lines);
    CHECK(lines.data && strstr(lines.data, "its end cannot be stored") != NULL);
    store_drain();
    world_end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_who_floods_the_log_is_refused_and_the_other_one_plays_on);
    TEST(test_coming_and_going_fills_no_log);
    TEST(test_an_answer_finds_room_when_the_queue_is_full);
    TEST(test_who_fills_the_queue_leaves_room_for_the_others);
    TEST(test_who_may_not_leave_plays_on);
    TEST(test_a_game_that_breaks_when_somebody_leaves_holds_no_coins);
    TEST(test_a_game_that_ticks_for_nobody_ends);
    TEST(test_a_rematch_that_is_wanted_is_told_to_the_other_player);
    TEST(test_an_end_that_cannot_be_stored_is_told_to_the_operator);
    return TEST_END();
}
