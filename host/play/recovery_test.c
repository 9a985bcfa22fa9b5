// recovery_test.c — matches whose worker, host, code or disk goes away under them.
#include <signal.h>
#include "play/testing.h"

static void test_a_killed_worker_resumes_every_match(void)
{
    staked_match(5000, 1000, 1000);
    for (int round = 1; round <= 5; round++) {
        input("1", round, "roll", "{}");
        CHECK_INT(W.status, FR_OK);
        kill(sandbox_worker_stats(pit_worker()->sandbox).pid, SIGKILL);
        input("2", round, "add", "{\"n\":1}");
        CHECK_INT(W.status, FR_OK);
    }
    CHECK(saw(1, "\"sum\":[0,5]"));
    input("1", 6, "win", "{}");
    WAIT(W.ends == 2);
    CHECK_INT(money().free[1], 4000 + 1900);
    check_replay(5, 0);
    world_end();
}

static void test_a_restarted_host_resumes_with_the_same_events(void)
{
    staked_match(5000, 1000, 1000);
    input("1", 1, "roll", "{}");
    input("2", 1, "add", "{\"n\":3}");
    char before[FR_ID_BYTES];
    snprintf(before, sizeof before, "%s", W.match);
    host_down();
    FR_AUTO_BUF(old);
    fr_buf_init(&old, 1 << 22);
    fr_buf_add_bytes(&old, W.events[1].data, W.events[1].len);
    fr_buf_clear(&W.events[1]);
    host_begin();
    input("1", 1, "roll", "{}");                        // its log holds this move, but has not been read yet
    CHECK_TEXT(W.code, "match_resuming");
    W.answered = false;
    snprintf(W.match, sizeof W.match, "%s", before);
    fr_buf_init(&resumed, 1 << 22);
    WAIT((play_resume(W.plays, "1", W.match, 1, on_resumed, on_answer, NULL), W.status == FR_OK && W.answered));
    for (char *line = strtok(resumed.data, "\n"); line; line = strtok(NULL, "\n")) CHECK(strstr(old.data, line) != NULL);    // byte for byte
    fr_buf_free(&resumed);
    input("1", 1, "roll", "{}");                        // sent again after the cut: the same answer, not a second roll
    CHECK_INT(W.status, FR_OK);
    input("2", 2, "win", "{}");
    WAIT(W.ends == 2);
    CHECK(saw(1, "match.end") && saw(2, "\"sum\":[0,3]"));
    CHECK_INT(money().free[2], 4000 + 1900);
    check_replay(5, 2);
    world_end();
}

static enum fr_status forget_code_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct store_row *row = NULL;
    (void)arg;
    FR_TRY(sql_begin(txn, "DELETE FROM plugin_package", &row, err));
    return sql_do(row, NULL, err);
}

static void test_a_match_whose_code_is_gone_gives_stakes_back(void)
{
    struct fr_err err;
    staked_match(5000, 1000, 1000);
    must(store_now(T.store, forget_code_job, NULL, &err), &err);
    host_down();
    testing_put("pit", "main.lua", "return nope(");      // and what lies there now is something else
    host_begin();
    WAIT(money().held[1] == 0);
    CHECK_INT(money().free[1], 5000);
    CHECK_INT(money().free[2], 5000);
    world_end();
}

static void test_a_quarantined_game_gives_stakes_back(void)
{
    world_begin();
    W.wait_ms = 50;
    host_down();
    host_up();
    give("1", 5000, 1000);
    give("2", 5000, 1000);
    begin_match(1000);
    sandbox_worker_stop(pit_worker()->sandbox);          // gone for good, as in quarantine
    pit_worker()->sandbox = NULL;
    plays_worker_down(W.plays, pit_worker());
    WAIT(W.ends == 2);
    CHECK(saw(1, "\"reason\":\"game_unavailable\""));
    CHECK_INT(money().free[1], 5000);
    world_end();
}

static void test_switching_a_game_off_gives_stakes_back(void)
{
    staked_match(5000, 1000, 1000);
    plays_plugin_disabled(W.plays, pit());
    WAIT(W.ends == 2);
    CHECK_INT(money().free[1], 5000);
    CHECK_INT(money().free[2], 5000);
    world_end();
}

static void on_switched(void *arg, enum fr_status status, const struct fr_err *err) { (void)err; *(bool *)arg = status == FR_OK; }

static void test_a_game_switched_off_beneath_its_match_gives_stakes_back(void)
{
    struct fr_err err;
    bool off = false;
    staked_match(5000, 1000, 1000);
    must(plugins_enable(T.plugins, "pit", false, on_switched, &off, &err), &err);       // nobody told the matches before
    WAIT(off && W.ends == 2);
    CHECK(saw(1, "\"reason\":\"game_switched_off\""));
    CHECK_INT(money().free[1], 5000);
    input("1", 1, "add", "{\"n\":1}");
    CHECK_TEXT(W.code, "match_ended");
    world_end();
}

static void test_a_game_that_starts_switched_off_gives_stakes_back(void)
{
    struct fr_err err;
    bool off = false;
    staked_match(5000, 1000, 1000);
    must(plugins_enable(T.plugins, "pit", false, on_switched, &off, &err), &err);
    host_down();                                        // written, but the matches never heard of it
    host_begin();
    CHECK_INT(pit()->state, PLUGIN_DISABLED);
    WAIT(money().held[1] == 0);
    CHECK_INT(money().free[2], 5000);
    WAIT(W.ends == 2);
    fr_buf_init(&resumed, 1 << 22);                     // it was never played here, so only the store knows how it ended
    W.answered = false;
    play_resume(W.plays, "1", W.match, 3, on_resumed, on_answer, NULL);
    WAIT(W.answered);
    CHECK_INT(W.status, FR_OK);
    CHECK(resumed.data && strstr(resumed.data, "\"reason\":\"game_switched_off\"") && strstr(resumed.data, "\"seq\":4") && !strstr(resumed.data, "match.start"));
    fr_buf_free(&resumed);
    input("1", 1, "add", "{\"n\":1}");
    CHECK_TEXT(W.code, "match_ended");
    world_end();
}

// ---- versions

// The same game, but what is added counts a hundred times.
static void put_new_rules(void)
{
    char lua[sizeof pit_lua + 100];
    const char *at = strstr(pit_lua, "s.sum[seat] + a.n end");
    snprintf(lua, sizeof lua, "%.*ss.sum[seat] + 100 * a.n end%s", (int)(at - pit_lua), pit_lua, at + strlen("s.sum[seat] + a.n end"));
    testing_put("pit", "main.lua", lua);
}

static void take_new_rules(void)
{
    struct fr_err err;
    struct plugin *p;
    put_new_rules();
    must(plugins_add_folder(T.plugins, test_path("games/pit"), &p, &err), &err);
    WAIT(pit()->state == PLUGIN_UP);
}

static void test_a_match_ends_on_the_version_it_began_with(void)
{
    staked_match(5000, 1000, 1000);
    struct plugin_version *before = pit()->current;
    W.answered = false;
    play_find(W.plays, &(struct play_find){ .player = "1", .name = "1", .game = "pit", .mode = "duel" }, on_answer, NULL);      // waits in the queue of the old one
    WAIT(W.answered);
    char old[FR_ID_BYTES];
    snprintf(old, sizeof old, "%s", W.match);
    take_new_rules();
    CHECK(pit()->current != before);
    CHECK_INT(before->state, VERSION_DRAINING);
    CHECK_INT(plugin_version_matches(before), 1);
    input("1", 1, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    CHECK(saw(1, "\"sum\":[1,0]"));                      // by the old rules

    find("2", "duel", 0, false);                         // the ticket of before waits for the new one now
    WAIT(W.starts == 4 && strcmp(W.match, old) != 0);
    CHECK_INT(plugin_version_matches(pit()->current), 1);
    char fresh[FR_ID_BYTES];
    snprintf(fresh, sizeof fresh, "%s", W.match);
    input("1", 1, "add", "{\"n\":1}");
    CHECK(saw(1, "\"sum\":[100,0]") || saw(1, "\"sum\":[0,100]"));
    snprintf(W.match, sizeof W.match, "%s", old);
    kill(sandbox_worker_stats(before->workers[0].sandbox).pid, SIGKILL);        // and it is resumed on it
    input("2", 1, "add", "{\"n\":2}");
    CHECK_INT(W.status, FR_OK);
    CHECK(saw(1, "\"sum\":[1,2]"));
    input("1", 2, "win", "{}");
    WAIT(W.ends == 2);
    CHECK_INT(money().free[1], 4000 + 1900);
    check_replay(3, 2);
    WAIT(plugin_version_next(pit(), NULL)->state == VERSION_CURRENT && (before = plugin_version_next(pit(), pit()->current), !before || before->state == VERSION_OVER));   // its workers are gone
    snprintf(W.match, sizeof W.match, "%s", fresh);
    input("2", 1, "win", "{}");
    WAIT(W.ends == 4);
    check_replay(2, 0);
    world_end();
}

static void test_after_a_restart_a_match_ends_on_the_version_it_began_with(void)
{
    staked_match(5000, 1000, 1000);
    input("1", 1, "add", "{\"n\":1}");
    host_down();
    put_new_rules();
    host_up();
    CHECK(plugin_version_next(pit(), pit()->current) || plugin_version_next(pit(), NULL) != pit()->current);
    WAIT((input("1", 2, "add", "{\"n\":2}"), W.status == FR_OK));
    CHECK(saw(1, "\"sum\":[3,0]"));
    input("1", 3, "win", "{}");
    WAIT(W.ends == 2);
    CHECK_INT(money().free[1], 4000 + 1900);
    check_replay(3, 2);
    world_end();
}

static void test_a_broken_package_at_the_start_leaves_the_old_one_serving(void)
{
    staked_match(5000, 1000, 1000);
    input("1", 1, "add", "{\"n\":1}");
    host_down();
    testing_put("pit", "main.lua", "return nope(");
    host_begin();
    WAIT(pit()->state == PLUGIN_UP);
    CHECK(pit()->rejected.status != FR_OK && strstr(pit()->rejected.text, "main.lua:1: "));
    WAIT((input("1", 2, "add", "{\"n\":2}"), W.status == FR_OK));
    CHECK(saw(1, "\"sum\":[3,0]"));
    input("1", 3, "win", "{}");
    WAIT(W.ends == 2);
    host_down();
    testing_put("pit", "plugin.json", "{\"id\":\"pit\",");
    host_begin();                                        // and a manifest that cannot be read
    WAIT(pit() && pit()->state == PLUGIN_UP);
    CHECK(strstr(pit()->rejected.text, "plugin.json: line 1"));
    world_end();
}

static void test_a_match_whose_folder_is_gone_ends_on_the_code_in_the_store(void)
{
    staked_match(5000, 1000, 1000);
    input("1", 1, "add", "{\"n\":1}");
    host_down();
    CHECK(rename(test_path("games/pit"), test_path("moved")) == 0);
    host_begin();
    CHECK_INT(pit()->state, PLUGIN_FAILED);
    CHECK_TEXT(pit()->error.code, "plugin_gone");
    WAIT((input("1", 2, "win", "{}"), W.status == FR_OK));
    WAIT(W.ends == 2);
    CHECK_INT(money().free[1], 4000 + 1900);
    find("1", "duel", 0, false);
    CHECK_TEXT(W.code, "plugin_failed");
    world_end();
}

static void test_a_version_that_drains_too_long_gives_stakes_back(void)
{
    world_begin();
    W.drain_ms = 100;
    host_down();
    host_up();
    give("1", 5000, 1000);
    give("2", 5000, 1000);
    begin_match(1000);
    take_new_rules();
    WAIT(W.ends == 2);
    CHECK(saw(1, "\"reason\":\"version_retired\""));
    CHECK_INT(money().free[1], 5000);
    world_end();
}

static void test_moves_behind_a_lost_one_are_not_made(void)
{
    struct told told[3] = { 0 };
    world_begin();
    begin_match(0);
    store_fill(0);
    for (int n = 1; n <= 3; n++) {
        char args[40];
        snprintf(args, sizeof args, "{\"n\":%d}", n == 1 ? 1 : n == 2 ? 10 : 100);
        play_input(W.plays, "1", W.match, n, "add", args, on_told, &told[n - 1]);
    }
    WAIT(told[0].answered && told[1].answered && told[2].answered);
    for (int i = 0; i < 3; i++) CHECK(told[i].status != FR_OK);
    store_drain();
    input("1", 1, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    input("1", 2, "add", "{\"n\":10}");
    CHECK_INT(W.status, FR_OK);
    input("1", 3, "add", "{\"n\":100}");
    CHECK_INT(W.status, FR_OK);
    CHECK(saw(2, "\"sum\":[111,0]") && !saw(2, "\"sum\":[10,0]") && !saw(2, "\"sum\":[110,0]"));
    check_replay(2, 0);
    world_end();
}

// The first record is with the store when the second is refused: it is made all the same, and it is not forgotten.

static void test_a_record_that_is_stored_counts_when_the_next_one_is_lost(void)
{
    struct told told[2] = { 0 };
    world_begin();
    begin_match(0);
    store_fill(1);
    play_input(W.plays, "1", W.match, 1, "add", "{\"n\":1}", on_told, &told[0]);
    play_input(W.plays, "1", W.match, 2, "add", "{\"n\":10}", on_told, &told[1]);
    WAIT(told[1].answered);
    CHECK(told[1].status != FR_OK && !told[0].answered);
    store_drain();
    WAIT(told[0].answered);
    CHECK_INT(told[0].status, FR_OK);
    input("1", 2, "add", "{\"n\":10}");
    CHECK_INT(W.status, FR_OK);
    CHECK(saw(2, "\"sum\":[11,0]"));
    check_replay(2, 0);
    world_end();
}

static void test_a_surrender_is_answered_when_it_is_stored(void)
{
    struct told told = { 0 };
    staked_match(5000, 1000, 1000);
    store_fill(0);
    play_leave(W.plays, "1", W.match, on_told, &told);
    WAIT(told.answered);
    CHECK(told.status != FR_OK);
    store_drain();
    input("1", 1, "add", "{\"n\":1}");                   // it did not happen, so the player still plays
    CHECK_INT(W.status, FR_OK);
    told.answered = false;
    play_leave(W.plays, "1", W.match, on_told, &told);
    WAIT(told.answered);
    CHECK_INT(told.status, FR_OK);
    CHECK_INT(W.ends, 2);
    CHECK_INT(money().free[2], 4000 + 1900);
    world_end();
}

static void test_an_answer_that_could_not_be_stored_comes_again(void)
{
    world_begin();
    begin_match(0);
    hold_ask = true;
    input("1", 1, "ask", "{}");
    CHECK_INT(W.status, FR_OK);
    store_fill(0);
    asked_done(asked_arg, false, "not_found");
    for (int i = 0; i < 200; i++) { uv_run(&T.loop, UV_RUN_NOWAIT); usleep(500); }      // its turn runs, and its record is refused
    store_drain();
    WAIT(saw(1, "\"answer\":\"q:not_found\""));
    world_end();
}

static void on_replay_cut_short(void *arg, enum fr_status status, const struct replay_result *r, const struct fr_err *err)
{
    (void)r;
    (*(int *)arg)++;
    CHECK_INT(status, FR_E_INTERNAL);
    CHECK_TEXT(err->code, "worker_stopped");
}

static void on_replay_turn(void *arg, int64_t n, const struct turn *t) { (void)n; (void)t; (*(int *)arg)++; }

static void test_a_host_that_closes_ends_a_replay_once(void)
{
    struct fr_err err;
    int ends = 0;
    staked_match(5000, 1000, 1000);
    for (int n = 1; n <= 20; n++) input("1", n, "add", "{\"n\":1}");
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 8 << 20);
    must(store_now(T.store, export_job, &text, &err), &err);
    int turns = 0;
    replay_run(T.sandbox, text.data, text.len, &(struct replay_options){ .times = 1000, .beside = 2, .turn = on_replay_turn, .turn_arg = &turns }, on_replay_cut_short, &ends);
    WAIT(turns > 50);
    CHECK_INT(ends, 0);
    world_end();
    CHECK_INT(ends, 1);
}

static void on_nothing(void *arg, const struct sandbox_result *r) { (void)r; (*(int *)arg)--; }

static void test_a_crowded_worker_is_asked_again(void)
{
    struct fr_err err;
    uint32_t id;
    int open = 0;
    struct told told = { 0 };
    struct sandbox_section section = { "{\"kind\":\"tick\",\"tick_no\":1,\"now_ms\":1}", 38 };
    world_begin();
    begin_match(0);
    while (sandbox_invoke(pit_worker()->sandbox, FRAME_MATCH_TURN, 4000000, &section, 1, 0, on_nothing, &open, &id, &err) == FR_OK) open++;
    CHECK_INT(err.status, FR_E_BUSY);
    play_input(W.plays, "1", W.match, 1, "add", "{\"n\":1}", on_told, &told);
    WAIT(told.answered && open == 0);
    CHECK_INT(told.status, FR_OK);
    plays_worker_down(W.plays, pit_worker());                   // and the same for playing the log
    while (sandbox_invoke(pit_worker()->sandbox, FRAME_MATCH_TURN, 4000000, &section, 1, 0, on_nothing, &open, &id, &err) == FR_OK) open++;
    plays_worker_up(W.plays, pit_worker());
    told.answered = false;
    play_input(W.plays, "1", W.match, 2, "add", "{\"n\":1}", on_told, &told);
    WAIT(told.answered && open == 0);
    CHECK_INT(told.status, FR_OK);
    world_end();
}

// A worker numbers the matches it holds and knows so many numbers; over the host's life there are more matches than that.
static bool match_runs(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4096);
    play_running(W.plays, &out);
    return strstr(out.data, "\"running\"") != NULL;
}

static void test_a_worker_is_given_more_matches_than_it_can_hold_at_once(void)
{
    world_begin();
    begin_match(0);
    for (int i = 0; i < MATCHES_PER_WORKER_MAX + 50 && match_runs(); i++) {
        plays_worker_down(W.plays, pit_worker());               // begun anew in the same worker
        for (int64_t end_ms = fr_mono_ms() + 3000; !match_runs() && fr_mono_ms() < end_ms;) uv_run(&T.loop, UV_RUN_ONCE);
    }
    CHECK(match_runs());
    CHECK_INT(sandbox_worker_stats(pit_worker()->sandbox).restarts, 0);
    input("1", 1, "add", "{\"n\":1}");
    CHECK_INT(W.status, FR_OK);
    world_end();
}

static void test_a_full_worker_gets_no_more_matches(void)
{
    world_begin();
    pit_worker()->matches += MATCHES_PER_WORKER_MAX - 2;
    begin_match(0);                                             // the last one it has room for
    find("3", "duel", 0, false);
    CHECK_TEXT(W.code, "too_many_matches");
    pit_worker()->matches -= MATCHES_PER_WORKER_MAX - 2;
    find("3", "duel", 0, false);
    CHECK_INT(W.status, FR_OK);
    W.answered = false;
    play_find(W.plays, &(struct play_find){ .player = "2", .name = "2", .game = "pit", .mode = "duel" }, on_answer, NULL);
    pit_worker()->matches += MATCHES_PER_WORKER_MAX - 2;        // full by the time the two meet
    WAIT(W.answered);
    CHECK(saw(3, "\"code\":\"too_many_matches\"") && saw(2, "\"code\":\"too_many_matches\""));
    pit_worker()->matches -= MATCHES_PER_WORKER_MAX - 2;
    CHECK_INT(W.starts, 2);
    world_end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_a_killed_worker_resumes_every_match);
    TEST(test_a_restarted_host_resumes_with_the_same_events);
    TEST(test_a_match_whose_code_is_gone_gives_stakes_back);
    TEST(test_a_quarantined_game_gives_stakes_back);
    TEST(test_switching_a_game_off_gives_stakes_back);
    TEST(test_a_game_switched_off_beneath_its_match_gives_stakes_back);
    TEST(test_a_game_that_starts_switched_off_gives_stakes_back);
    TEST(test_a_match_ends_on_the_version_it_began_with);
    TEST(test_after_a_restart_a_match_ends_on_the_version_it_began_with);
    TEST(test_a_broken_package_at_the_start_leaves_the_old_one_serving);
    TEST(test_a_match_whose_folder_is_gone_ends_on_the_code_in_the_store);
    TEST(test_a_version_that_drains_too_long_gives_stakes_back);
    TEST(test_moves_behind_a_lost_one_are_not_made);
    TEST(test_a_record_that_is_stored_counts_when_the_next_one_is_lost);
    TEST(test_a_surrender_is_answered_when_it_is_stored);
    TEST(test_an_answer_that_could_not_be_stored_comes_again);
    TEST(test_a_host_that_closes_ends_a_replay_once);
    TEST(test_a_crowded_worker_is_asked_again);
    TEST(test_a_worker_is_given_more_matches_than_it_can_hold_at_once);
    TEST(test_a_full_worker_gets_no_more_matches);
    return TEST_END();
}
