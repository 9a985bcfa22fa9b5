// queue_test.c — tickets: who meets whom, who is told what, who leaves in between.
#include "play/testing.h"

static void test_a_ticket_asked_for_again_is_one_ticket(void)
{
    char earlier[3][FR_ID_BYTES];
    world_begin();
    give("1", 5000, 5000);
    for (int i = 0; i < 3; i++) {
        begin_match(0);
        snprintf(earlier[i], sizeof earlier[i], "%s", W.match);
        input("1", 1, "draw", "{}");
        WAIT(W.ends == 2 * (i + 1));
    }
    for (int i = 0; i < 6; i++) {
        find_with("1", 1000, NULL);
        CHECK_INT(W.status, FR_OK);
    }
    CHECK_INT(play_leave_queue(W.plays, "1", NULL), 1);
    find_with("1", 0, earlier[0]);                       // different queues are different tickets, up to the bound
    find_with("1", 0, earlier[1]);
    find_with("1", 0, earlier[2]);
    find_with("1", 1000, NULL);
    CHECK_INT(W.status, FR_OK);
    find_with("1", 1000, earlier[0]);
    CHECK_TEXT(W.code, "too_many_tickets");
    find_with("1", 1000, NULL);                          // one of those it has
    CHECK_INT(W.status, FR_OK);
    CHECK_INT(play_leave_queue(W.plays, "1", NULL), 4);
    world_end();
}

static enum fr_status spend_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    return consent_spend(txn, "1", "pit", "PALM", arg, 1000, fr_now_ms(), err);
}

static enum fr_status third_player_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct player made;
    bool is_new;
    (void)arg;
    FR_TRY(player_enter(txn, "7", 1003, "Cid", "en", 1, &made, &is_new, err));
    CHECK_TEXT(made.id, "3");
    return FR_OK;
}

static void test_who_goes_back_to_the_queue_meets_who_came_meanwhile(void)
{
    struct fr_err err;
    struct told told[2] = { 0 };
    world_begin();
    must(store_now(T.store, third_player_job, NULL, &err), &err);
    for (int i = 1; i <= 3; i++) give(i == 1 ? "1" : i == 2 ? "2" : "3", 5000, 1000);
    find("1", "duel", 1000, false);
    must(store_now(T.store, spend_job, (void *)(uintptr_t)manifest_mode(pit()->package->manifest, "duel")->terms, &err), &err);     // so it cannot pay any more
    atomic_store(&store_blocked, true);
    must(store_run(T.store, blocking_job, NULL, NULL, &err), &err);      // the form must wait
    for (int i = 0; i < 2; i++) {
        play_find(W.plays, &(struct play_find){ .player = i ? "3" : "2", .name = "x", .game = "pit", .mode = "duel", .stake_units = 1000 }, on_told, &told[i]);
        WAIT(told[i].answered);
        CHECK_INT(told[i].status, FR_OK);
    }
    atomic_store(&store_blocked, false);
    WAIT(W.starts == 2);
    CHECK(saw(1, "\"code\":\"consent_required\"") && saw(2, "match.start") && saw(3, "match.start"));
    world_end();
}

static void test_who_leaves_while_the_stakes_are_taken_gets_them_back(void)
{
    struct fr_err err;
    struct told told = { 0 };
    world_begin();
    give("1", 5000, 1000);
    give("2", 5000, 1000);
    find("1", "duel", 1000, false);
    atomic_store(&store_blocked, true);
    must(store_run(T.store, blocking_job, NULL, NULL, &err), &err);
    play_find(W.plays, &(struct play_find){ .player = "2", .name = "x", .game = "pit", .mode = "duel", .stake_units = 1000 }, on_told, &told);
    WAIT(told.answered);
    CHECK_INT(play_leave_queue(W.plays, "1", NULL), 1);
    atomic_store(&store_blocked, false);
    WAIT(W.ends == 2);
    CHECK(W.starts == 0 && saw(2, "\"reason\":\"left_before_start\""));
    CHECK_INT(money().free[1], 5000);
    CHECK_INT(money().free[2], 5000);
    world_end();
}

static void test_who_left_while_a_ticket_was_on_its_way_is_not_matched(void)
{
    struct told told = { 0 };
    world_begin();
    play_find(W.plays, &(struct play_find){ .player = "1", .name = "x", .game = "pit", .mode = "duel" }, on_told, &told);
    play_presence(W.plays, "1", false);
    WAIT(told.answered);
    CHECK(told.status != FR_OK);
    find("2", "duel", 0, false);
    CHECK(strstr(W.result, "\"waiting\":0") != NULL);
    world_end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_a_ticket_asked_for_again_is_one_ticket);
    TEST(test_who_goes_back_to_the_queue_meets_who_came_meanwhile);
    TEST(test_who_leaves_while_the_stakes_are_taken_gets_them_back);
    TEST(test_who_left_while_a_ticket_was_on_its_way_is_not_matched);
    return TEST_END();
}
