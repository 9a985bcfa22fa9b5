// relay_test.c — what pages say to each other: checked, heard by the other seat only, and no part of the match.
#include "play/testing.h"

static const char *relay(const char *player, const char *name, const char *data)      // the refusal's code; "" when it went out
{
    static char code[40];
    struct fr_err err = { 0 };
    FR_AUTO(fr_json) json = NULL;
    if (data) must(fr_json_parse(data, strlen(data), &json, &err), &err);
    bool sent = play_relay(W.plays, player, W.match, name, json, &err) == FR_OK;
    snprintf(code, sizeof code, "%s", sent ? "" : err.code);
    return code;
}

static void test_the_other_seat_hears_it_and_nobody_keeps_it(void)
{
    world_begin();
    begin_match(0);
    input("1", 1, "add", "{\"n\":1}");
    CHECK_TEXT(relay("1", "aim", "{\"x\":3}"), "");
    CHECK(saw(2, "{\"ev\":\"match.relay\",\"match\":\"") && saw(2, ",\"seat\":1,\"name\":\"aim\",\"data\":{\"x\":3}}"));
    CHECK(!saw(1, "match.relay"));
    CHECK_TEXT(relay("2", "wave", NULL), "");
    CHECK(saw(1, ",\"seat\":2,\"name\":\"wave\",\"data\":null}"));
    CHECK(!saw(3, "match.relay"));
    input("2", 1, "add", "{\"n\":1}");
    CHECK(saw(2, "\"seq\":3") && !saw(2, "\"seq\":4"));        // the start and two patches: a relay has no number
    check_replay(2, 1);
    world_end();
}

static void test_what_may_not_be_relayed(void)
{
    world_begin();
    begin_match(0);
    CHECK_TEXT(relay("1", "aim", "{\"x\":\"3\"}"), "bad_arguments");
    CHECK_TEXT(relay("1", "aim", "{\"x\":3,\"y\":4}"), "bad_arguments");
    CHECK_TEXT(relay("1", "aim", NULL), "bad_arguments");
    CHECK_TEXT(relay("1", "add", "{\"n\":1}"), "relay_unknown");      // a move is no relay
    CHECK_TEXT(relay("3", "aim", "{\"x\":3}"), "match_unknown");
    input("1", 1, "aim", "{\"x\":3}");
    CHECK(W.status != FR_OK);                                         // and a relay is no move
    CHECK(!saw(1, "match.relay") && !saw(2, "match.relay"));
    input("1", 1, "win", "{}");
    WAIT(W.ends == 2);
    CHECK(strcmp(relay("1", "aim", "{\"x\":3}"), "") != 0);
    world_end();
}

static void test_a_relay_has_a_bound(void)
{
    char data[MATCH_RELAY_BYTES_MAX + 32];
    world_begin();
    begin_match(0);
    for (int over = 0; over < 2; over++) {
        int pad = MATCH_RELAY_BYTES_MAX - (int)strlen("{\"text\":\"\"}") + over;
        snprintf(data, sizeof data, "{\"text\":\"%0*d\"}", pad, 0);
        CHECK_INT((int)strlen(data), MATCH_RELAY_BYTES_MAX + over);
        CHECK_TEXT(relay("1", "say", data), over ? "too_large" : "");
    }
    world_end();
}

int main(void)
{
    play_tests_begin();
    TEST(test_the_other_seat_hears_it_and_nobody_keeps_it);
    TEST(test_what_may_not_be_relayed);
    TEST(test_a_relay_has_a_bound);
    return TEST_END();
}
