// spectate_test.c — who only watches: sees what seat 0 may see, late, and never a hand; bounded; through kills and restarts.
#include <signal.h>
#include "play/testing.h"

static struct fr_buf seen[3];
static void on_seen(void *who, const char *json, size_t len)
{
    struct fr_buf *out = who;
    fr_buf_add_bytes(out, json, len);
    fr_buf_add(out, "\n");
}
static bool sees(int who, const char *text) { return seen[who].data && strstr(seen[who].data, text) != NULL; }

static void watch(int who)
{
    W.answered = false;
    play_watch(W.plays, W.match, NULL, &seen[who], on_seen, on_answer, NULL);
    CHECK(W.answered);
}

static void begin(const char *mode)
{
    world_begin();
    for (int i = 0; i < 3; i++) fr_buf_init(&seen[i], 1 << 22);
    int starts = W.starts;
    find("1", mode, 0, false);
    find("2", mode, 0, false);
    WAIT(W.starts == starts + 2);
}

static void end(void)
{
    world_end();
    for (int i = 0; i < 3; i++) fr_buf_free(&seen[i]);
}

static void test_who_watches_sees_the_table_and_no_hand(void)
{
    begin("open");
    watch(0);
    CHECK_INT(W.status, FR_OK);
    WAIT(sees(0, "\"ev\":\"watch.start\"") && sees(0, "\"you\":0"));
    input("1", 1, "add", "{\"n\":5}");
    WAIT(sees(0, "\"ev\":\"watch.patch\"") && sees(0, "\"sum\":[5,0]"));
    watch(1);                                           // who comes later starts from what is shown now
    CHECK(sees(1, "\"sum\":[5,0]") && !sees(1, "watch.patch"));
    input("2", 1, "tell", "{}");
    WAIT(sees(0, "\"ev\":\"watch.event\"") && sees(0, "\"name\":\"whisper\""));
    CHECK(!saw(1, "whisper") && !saw(2, "whisper"));
    CHECK(!sees(0, "secret") && saw(1, "\"secret\":1") && saw(2, "\"secret\":2"));
    CHECK_INT(play_unwatch(W.plays, W.match, &seen[1]), 1);
    CHECK_INT(play_unwatch(W.plays, W.match, &seen[1]), 0);
    input("1", 2, "win", "{}");
    WAIT(sees(0, "\"ev\":\"watch.end\""));
    CHECK(sees(0, "\"places\":[[1],[2]]") && !sees(1, "watch.end") && !sees(0, "payout"));
    watch(2);
    CHECK_TEXT(W.code, "match_ended");
    check_replay(2, 2);                                 // what was shown is part of the chain
    end();
}

static void test_what_is_shown_is_late_until_the_match_is_over(void)
{
    begin("late");
    watch(0);
    for (int i = 1; i <= 3; i++) input("1", i, "add", "{\"n\":1}");
    CHECK(seen[0].len == 0);                            // ten minutes late
    input("1", 4, "win", "{}");
    WAIT(sees(0, "watch.end"));
    CHECK(sees(0, "\"sum\":[3,0]"));
    end();
}

static void test_more_than_may_wait_leaves_out_the_oldest(void)
{
    begin("late");
    watch(0);
    for (int i = 1; i <= SPECTATOR_EVENTS_MAX + 20; i++) input("1", i, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    input("1", SPECTATOR_EVENTS_MAX + 21, "win", "{}");
    WAIT(sees(0, "watch.end"));
    CHECK(!sees(0, "\"sum\":[1,0]") && sees(0, "\"sum\":[276,0]"));
    end();
}

static void test_only_so_many_watch_and_only_where_it_is_allowed(void)
{
    static char many[MATCH_SPECTATORS_MAX + 1];
    begin("duel");
    watch(0);
    CHECK_TEXT(W.code, "no_spectators");
    end();
    begin("late");
    W.answered = false;
    for (int i = 0; i <= MATCH_SPECTATORS_MAX; i++) play_watch(W.plays, W.match, NULL, &many[i], on_seen, on_answer, NULL);
    CHECK_TEXT(W.code, "too_many_spectators");
    play_watch(W.plays, W.match, NULL, &many[0], on_seen, on_answer, NULL);       // again: the same place
    CHECK_INT(W.status, FR_OK);
    for (int i = 0; i <= MATCH_SPECTATORS_MAX; i++) play_unwatch(W.plays, NULL, &many[i]);
    play_watch(W.plays, W.match, "other", &seen[0], on_seen, on_answer, NULL);
    CHECK_TEXT(W.code, "match_unknown");
    watch(0);
    CHECK_INT(W.status, FR_OK);
    play_unwatch(W.plays, NULL, &seen[0]);
    end();
}

static void test_watching_survives_a_killed_worker_and_starts_again_after_a_restart(void)
{
    begin("open");
    watch(0);
    for (int i = 1; i <= 10; i++) input("1", i, "add", "{\"n\":1}");       // past a snapshot
    WAIT(sees(0, "\"sum\":[10,0]"));
    kill(sandbox_worker_stats(pit_worker()->sandbox).pid, SIGKILL);
    input("1", 11, "add", "{\"n\":1}");
    WAIT(sees(0, "\"sum\":[11,0]"));
    host_down();
    host_up();
    fr_buf_clear(&seen[0]);
    watch(0);
    WAIT(sees(0, "\"ev\":\"watch.start\"") && sees(0, "\"sum\":[11,0]"));
    input("1", 12, "win", "{}");
    WAIT(sees(0, "watch.end"));
    check_replay(1, 1);
    end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_who_watches_sees_the_table_and_no_hand);
    TEST(test_what_is_shown_is_late_until_the_match_is_over);
    TEST(test_more_than_may_wait_leaves_out_the_oldest);
    TEST(test_only_so_many_watch_and_only_where_it_is_allowed);
    TEST(test_watching_survives_a_killed_worker_and_starts_again_after_a_restart);
    return TEST_END();
}
