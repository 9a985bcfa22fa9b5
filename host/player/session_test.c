// session_test.c — tokens that nobody else can make, sessions that end when they should, and the loop's memory of them.
#include "player/session.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "player/test.h"

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LIFE 1000000

struct opened { char token[SESSION_TOKEN_BYTES]; struct session session; struct session_ended ended; };

static struct opened open_one(struct store_txn *txn, const char *player, const char *scope, const char *launch, int64_t now_ms)
{
    struct opened o = { 0 };
    struct session_ask ask = { .player = player, .scope = scope, .launch_hash = launch, .bot = "test", .device = "Android", .now_ms = now_ms, .life_ms = LIFE };
    OK(session_open(txn, &ask, o.token, &o.session, &o.ended, err));
    return o;
}

static struct opened open_game(struct store_txn *txn, const char *player, int64_t parent, int64_t now_ms)
{
    struct opened o = { 0 };
    struct session_ask ask = { .player = player, .scope = "game:duel", .parent = parent, .now_ms = now_ms, .life_ms = LIFE };
    OK(session_open(txn, &ask, o.token, &o.session, &o.ended, err));
    return o;
}

// Ends one session with what it opened.
static int end_one(struct store_txn *txn, const struct opened *o, int64_t now_ms)
{
    struct session_ended ended = { .count = -1 };
    OK(session_end(txn, o->session.player, o->session.id, 0, now_ms, &ended, err));
    return ended.count;
}

TXN_TEST(test_a_token_finds_its_session)
{
    const char *ann = test_player(txn, 42);
    struct opened o = open_one(txn, ann, "game:duel", NULL, 5000);
    struct session found;
    CHECK_INT(strlen(o.token), SESSION_TOKEN_BYTES - 1);
    CHECK_INT(o.ended.count, 0);
    OK(session_find(txn, o.token, 5001, &found, err));
    CHECK_INT(found.id, o.session.id);
    CHECK_TEXT(found.player, ann);
    CHECK_TEXT(found.name, "Ann");
    CHECK_TEXT(found.lang, "en");
    CHECK_TEXT(found.scope, "game:duel");
    CHECK_INT(found.expires_ms, 5000 + LIFE);
}

// Whoever reads the data folder cannot sign in with what stands there.
TXN_TEST(test_the_store_holds_only_the_hash)
{
    struct opened o = open_one(txn, test_player(txn, 42), "shell", NULL, 5000);
    FR_SQL_ROW(row);
    bool found = false;
    uint8_t want[SHA256_BYTES];
    size_t len = 0;
    OK(sql_begin(txn, "SELECT token_hash FROM session", &row, err));
    OK(sql_step(row, &found, err));
    CHECK(found);
    const void *got = sql_bytes(row, 0, &len);
    fr_sha256(o.token, strlen(o.token), want);
    CHECK(len == SHA256_BYTES && memcmp(got, want, len) == 0);
}

TXN_TEST(test_tokens_that_are_refused)
{
    struct opened o = open_one(txn, test_player(txn, 42), "shell", NULL, 5000);
    struct session s;
    char other[SESSION_TOKEN_BYTES];
    memcpy(other, o.token, sizeof other);
    other[0] = other[0] == 'A' ? 'B' : 'A';
    FAILS(session_find(txn, other, 5000, &s, err), FR_E_AUTH, "session_unknown");
    FAILS(session_find(txn, "", 5000, &s, err), FR_E_AUTH, "session_unknown");
    FAILS(session_find(txn, "short", 5000, &s, err), FR_E_AUTH, "session_unknown");
    FAILS(session_find(txn, "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", 5000, &s, err), FR_E_AUTH, "session_unknown");
    OK(session_find(txn, o.token, 5000 + LIFE - 1, &s, err));
    FAILS(session_find(txn, o.token, 5000 + LIFE, &s, err), FR_E_AUTH, "session_expired");
    CHECK_INT(end_one(txn, &o, 6000), 1);
    CHECK_INT(end_one(txn, &o, 7000), 0);
    FAILS(session_find(txn, o.token, 5001, &s, err), FR_E_AUTH, "session_revoked");
}

TXN_TEST(test_the_same_launch_opens_anew_and_ends_the_earlier)
{
    const char *ann = test_player(txn, 42);
    struct session s;
    struct opened first = open_one(txn, ann, "shell", HASH_A, 5000), other = open_one(txn, ann, "shell", HASH_B, 5000), game = open_one(txn, ann, "game:duel", NULL, 5000);
    struct opened second = open_one(txn, ann, "shell", HASH_A, 6000);
    CHECK_INT(second.ended.count, 1);
    CHECK_INT(second.ended.ids[0], first.session.id);
    CHECK(strcmp(first.token, second.token) != 0);
    FAILS(session_find(txn, first.token, 6000, &s, err), FR_E_AUTH, "session_revoked");
    OK(session_find(txn, second.token, 6000, &s, err));
    OK(session_find(txn, other.token, 6000, &s, err));
    OK(session_find(txn, game.token, 6000, &s, err));
}

TXN_TEST(test_one_over_the_cap_ends_the_oldest)
{
    const char *ann = test_player(txn, 42), *bob = test_player(txn, 43);
    struct opened bobs = open_one(txn, bob, "shell", NULL, 4000), first = { 0 };
    struct session s;
    struct session_info list[SESSIONS_PER_PLAYER_MAX + 2];
    int count = 0;
    for (int i = 0; i < SESSIONS_PER_PLAYER_MAX; i++) {
        struct opened o = open_one(txn, ann, "shell", NULL, 5000);
        if (i == 0) first = o;
        CHECK_INT(o.ended.count, 0);
    }
    struct opened more = open_one(txn, ann, "shell", NULL, 6000);
    CHECK_INT(more.ended.count, 1);
    CHECK_INT(more.ended.ids[0], first.session.id);
    OK(session_find(txn, bobs.token, 6000, &s, err));
    OK(session_list(txn, ann, 6000, list, SESSIONS_PER_PLAYER_MAX + 2, &count, err));
    CHECK_INT(count, SESSIONS_PER_PLAYER_MAX);
    CHECK_INT(list[0].session.id, more.session.id);
}

TXN_TEST(test_many_games_never_sign_the_shell_out)
{
    const char *ann = test_player(txn, 42);
    struct opened shell = open_one(txn, ann, "shell", HASH_A, 5000);
    struct session s;
    for (int i = 0; i < 3 * SESSIONS_PER_PLAYER_MAX; i++) {
        char scope[SESSION_SCOPE_BYTES];
        snprintf(scope, sizeof scope, "game:g%d", i);
        open_one(txn, ann, scope, NULL, 5000);
    }
    OK(session_find(txn, shell.token, 5000, &s, err));
}

TXN_TEST(test_a_game_ends_with_the_shell_that_opened_it)
{
    const char *ann = test_player(txn, 42);
    struct session s;
    struct opened shell = open_one(txn, ann, "shell", HASH_A, 5000), other = open_one(txn, ann, "shell", HASH_B, 5000);
    struct opened game = open_game(txn, ann, shell.session.id, 6000), kept = open_game(txn, ann, other.session.id, 6000);
    CHECK_INT(game.session.expires_ms, 5000 + LIFE);     // not the shell's end outlived, either
    CHECK_INT(end_one(txn, &shell, 7000), 2);
    FAILS(session_find(txn, game.token, 7000, &s, err), FR_E_AUTH, "session_revoked");
    OK(session_find(txn, kept.token, 7000, &s, err));

    struct opened again = open_one(txn, ann, "shell", HASH_B, 8000);         // the launch used again: replaced, with what it opened
    CHECK_INT(again.ended.count, 2);
    FAILS(session_find(txn, kept.token, 8000, &s, err), FR_E_AUTH, "session_revoked");
}

TXN_TEST(test_a_shell_that_ended_opens_no_game)
{
    const char *ann = test_player(txn, 42), *bob = test_player(txn, 43);
    struct opened o, shell = open_one(txn, ann, "shell", NULL, 5000), bobs = open_one(txn, bob, "shell", NULL, 5000);
    struct session_ask ask = { .player = ann, .scope = "game:duel", .parent = bobs.session.id, .now_ms = 6000, .life_ms = LIFE };
    FAILS(session_open(txn, &ask, o.token, &o.session, &o.ended, err), FR_E_AUTH, "session_revoked");
    ask.parent = shell.session.id;
    ask.now_ms = 5000 + LIFE;
    FAILS(session_open(txn, &ask, o.token, &o.session, &o.ended, err), FR_E_AUTH, "session_expired");
    ask.now_ms = 6000;
    end_one(txn, &shell, 6000);
    FAILS(session_open(txn, &ask, o.token, &o.session, &o.ended, err), FR_E_AUTH, "session_revoked");
}

TXN_TEST(test_ending_all_others_spares_this_one_and_its_games)
{
    const char *ann = test_player(txn, 42), *bob = test_player(txn, 43);
    struct session s;
    struct session_ended ended;
    struct opened here = open_one(txn, ann, "shell", NULL, 5000), there = open_one(txn, ann, "shell", NULL, 5000), bobs = open_one(txn, bob, "shell", NULL, 5000);
    struct opened mine = open_game(txn, ann, here.session.id, 5000), theirs = open_game(txn, ann, there.session.id, 5000);
    OK(session_end(txn, ann, 0, here.session.id, 6000, &ended, err));
    CHECK_INT(ended.count, 2);
    OK(session_find(txn, here.token, 6000, &s, err));
    OK(session_find(txn, mine.token, 6000, &s, err));
    OK(session_find(txn, bobs.token, 6000, &s, err));
    FAILS(session_find(txn, there.token, 6000, &s, err), FR_E_AUTH, "session_revoked");
    FAILS(session_find(txn, theirs.token, 6000, &s, err), FR_E_AUTH, "session_revoked");
    OK(session_end(txn, ann, bobs.session.id, 0, 6000, &ended, err));        // another's: not found, not ended
    CHECK_INT(ended.count, 0);
    OK(session_find(txn, bobs.token, 6000, &s, err));
    OK(session_end(txn, ann, 0, 0, 6000, &ended, err));
    CHECK_INT(ended.count, 2);
}

TXN_TEST(test_the_list_says_what_a_person_needs)
{
    const char *ann = test_player(txn, 42);
    struct session_info list[4];
    int count = 0;
    struct opened shell = open_one(txn, ann, "shell", NULL, 5000), ended = open_one(txn, ann, "shell", NULL, 5000), game = open_game(txn, ann, shell.session.id, 6000);
    end_one(txn, &ended, 6000);
    OK(session_seen(txn, shell.session.id, 9000, err));
    OK(session_seen(txn, shell.session.id, 8000, err));      // never goes back
    OK(session_list(txn, ann, 7000, list, 4, &count, err));
    CHECK_INT(count, 2);
    CHECK_INT(list[0].session.id, game.session.id);
    CHECK_INT(list[0].parent, shell.session.id);
    CHECK_TEXT(list[0].bot, "");
    CHECK_TEXT(list[1].bot, "test");
    CHECK_TEXT(list[1].device, "Android");
    CHECK_INT(list[1].session.seen_ms, 9000);
    CHECK_INT(list[1].parent, 0);
    OK(session_list(txn, ann, 5000 + LIFE, list, 4, &count, err));
    CHECK_INT(count, 0);
}

TXN_TEST(test_blocked_players_have_no_sessions)
{
    const char *ann = test_player(txn, 42);
    struct opened o = open_one(txn, ann, "shell", NULL, 5000);
    struct store_row *row = NULL;
    OK(sql_begin(txn, "UPDATE player SET blocked = 1", &row, err));
    OK(sql_do(row, NULL, err));
    FAILS(session_find(txn, o.token, 5000, &o.session, err), FR_E_DENIED, "player_blocked");
    struct session_ask ask = { .player = ann, .scope = "shell", .now_ms = 5000, .life_ms = LIFE };
    FAILS(session_open(txn, &ask, o.token, &o.session, &o.ended, err), FR_E_DENIED, "player_blocked");
    ask.player = "999";
    FAILS(session_open(txn, &ask, o.token, &o.session, &o.ended, err), FR_E_NOT_FOUND, "player_unknown");
}

TXN_TEST(test_the_sweep_takes_what_is_over)
{
    const char *ann = test_player(txn, 42);
    struct session s;
    int swept = 0;
    struct opened expired = open_one(txn, ann, "shell", NULL, 5000), revoked = open_one(txn, ann, "shell", NULL, 5000000), live = open_one(txn, ann, "shell", NULL, 50000000);
    CHECK_INT(end_one(txn, &revoked, 5000001), 1);
    OK(session_sweep(txn, 5000 + LIFE, 1, &swept, err));
    CHECK_INT(swept, 1);
    FAILS(session_find(txn, expired.token, 5000, &s, err), FR_E_AUTH, "session_unknown");
    OK(session_sweep(txn, 5000 + LIFE, 100, &swept, err));
    CHECK_INT(swept, 0);
    OK(session_sweep(txn, 50000000, 100, &swept, err));
    CHECK_INT(swept, 1);
    OK(session_find(txn, live.token, 50000001, &s, err));
}

// ---- the cache

static const char *token_no(int n)
{
    static char texts[8][SESSION_TOKEN_BYTES];
    static int at;
    uint8_t bytes[32] = { (uint8_t)n };
    return fr_base64url(bytes, sizeof bytes, texts[at++ % 8]);
}

static void cache_put(struct session_cache *c, int n, int64_t expires_ms)
{
    struct session s = { .id = n, .expires_ms = expires_ms };
    session_cache_put(c, token_no(n), &s);
}

static bool cached(struct session_cache *c, int n, int64_t now_ms)
{
    struct session s = { 0 };
    bool found = session_cache_get(c, token_no(n), now_ms, &s);
    if (found) CHECK_INT(s.id, n);
    return found;
}

static void test_the_cache_forgets_the_least_recently_used(void)
{
    struct session_cache *c = session_cache_new(3);
    for (int n = 1; n <= 3; n++) cache_put(c, n, 1000);
    CHECK(cached(c, 1, 0));                              // now 2 is the oldest
    cache_put(c, 4, 1000);
    CHECK(cached(c, 1, 0) && !cached(c, 2, 0) && cached(c, 3, 0) && cached(c, 4, 0));
    cache_put(c, 3, 2000);                               // again: no room is lost
    CHECK(cached(c, 1, 0) && cached(c, 3, 1500) && cached(c, 4, 0));
    session_cache_free(c);
}

static void test_the_cache_drops_by_id_and_by_clock(void)
{
    struct session_cache *c = session_cache_new(3);
    for (int n = 1; n <= 3; n++) cache_put(c, n, 1000 * n);
    session_cache_drop(c, 2);
    session_cache_drop(c, 2);
    session_cache_drop(c, 77);
    CHECK(cached(c, 1, 999) && !cached(c, 1, 1000) && !cached(c, 1, 0) && !cached(c, 2, 0) && cached(c, 3, 0));
    CHECK(!session_cache_get(c, "nonsense", 0, &(struct session){ 0 }));
    session_cache_put(c, "nonsense", &(struct session){ .id = 9, .expires_ms = 1000 });
    CHECK(!session_cache_get(c, "nonsense", 0, &(struct session){ 0 }));
    session_cache_free(c);
    session_cache_free(NULL);
}

static void test_the_cache_without_memory_only_forgets(void)
{
    struct session_cache *c = session_cache_new(3);
    for (int nth = 1; nth <= 5; nth++) {
        fr_mem_fail_at(nth);
        cache_put(c, nth, 1000);
        fr_mem_fail_at(0);
        cached(c, nth, 0);
    }
    cache_put(c, 7, 1000);
    CHECK(cached(c, 7, 0));
    session_cache_free(c);
}

int main(void)
{
    test_begin();
    TEST(test_a_token_finds_its_session);
    TEST(test_the_store_holds_only_the_hash);
    TEST(test_tokens_that_are_refused);
    TEST(test_the_same_launch_opens_anew_and_ends_the_earlier);
    TEST(test_one_over_the_cap_ends_the_oldest);
    TEST(test_many_games_never_sign_the_shell_out);
    TEST(test_a_game_ends_with_the_shell_that_opened_it);
    TEST(test_a_shell_that_ended_opens_no_game);
    TEST(test_ending_all_others_spares_this_one_and_its_games);
    TEST(test_the_list_says_what_a_person_needs);
    TEST(test_blocked_players_have_no_sessions);
    TEST(test_the_sweep_takes_what_is_over);
    TEST(test_the_cache_forgets_the_least_recently_used);
    TEST(test_the_cache_drops_by_id_and_by_clock);
    TEST(test_the_cache_without_memory_only_forgets);
    return test_end(TEST_END());
}
