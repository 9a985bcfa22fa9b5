// identity_test.c — one row per Telegram user of a bot, found again whatever they call themselves.
#include "player/test.h"

TXN_TEST(test_entering_twice_finds_the_same_player)
{
    struct player a, b;
    bool first = false, second = true;
    OK(player_enter(txn, "one", 42, "Ann", "en", 1000, &a, &first, err));
    OK(player_enter(txn, "one", 42, "Ann", "en", 2000, &b, &second, err));
    CHECK(first && !second);
    CHECK_TEXT(a.id, b.id);
    CHECK(player_id_valid(a.id));
    CHECK_INT(b.created_ms, 1000);
    CHECK_INT(b.telegram_id, 42);
    CHECK(!b.blocked);
}

TXN_TEST(test_a_new_name_is_kept_and_cut_at_a_character)
{
    struct player p;
    bool is_new;
    char name[200] = "";
    for (int i = 0; i < 40; i++) strcat(name, "\xe2\x82\xac");
    OK(player_enter(txn, "one", 42, "Ann", "en", 1000, &p, &is_new, err));
    OK(player_enter(txn, "one", 42, name, "de-DE-and-a-very-long-tail", 1000, &p, &is_new, err));
    CHECK_INT(strlen(p.name), 63);
    CHECK_TEXT(p.lang, "de-DE-and-a-ver");
    struct player again;
    OK(player_get(txn, p.id, &again, err));
    CHECK_TEXT(again.name, p.name);
    CHECK_TEXT(again.lang, p.lang);
    OK(player_enter(txn, "one", 42, NULL, NULL, 1000, &p, &is_new, err));
    CHECK_TEXT(p.name, "");
}

TXN_TEST(test_the_same_user_by_another_bot_is_the_same_player)
{
    struct player a, b;
    bool is_new;
    OK(player_enter(txn, "one", 42, "Ann", "en", 1000, &a, &is_new, err));
    CHECK_TEXT(a.bot, "one");
    OK(player_enter(txn, "two", 42, "Ann", "en", 1000, &b, &is_new, err));
    CHECK(!is_new && strcmp(a.id, b.id) == 0);
    CHECK_TEXT(b.bot, "two");
    OK(player_get(txn, a.id, &b, err));
    CHECK_TEXT(b.bot, "two");
}

TXN_TEST(test_players_that_are_not_there)
{
    struct player p;
    FAILS(player_get(txn, "999", &p, err), FR_E_NOT_FOUND, "player_unknown");
    FAILS(player_get(txn, "1 OR 1=1", &p, err), FR_E_NOT_FOUND, "player_unknown");
    FAILS(player_get(txn, "", &p, err), FR_E_NOT_FOUND, "player_unknown");
}

TXN_TEST(test_listing_goes_on_where_it_stopped)
{
    struct player out[2];
    int count = 0, seen = 0;
    char after[PLAYER_ID_BYTES] = "";
    for (int i = 1; i <= 5; i++) test_player(txn, i);
    for (int page = 0; page < 4; page++) {
        OK(player_list(txn, after, 2, out, &count, err));
        for (int i = 0; i < count; i++) CHECK_INT(out[i].telegram_id, ++seen);
        if (count) snprintf(after, sizeof after, "%s", out[count - 1].id);
        CHECK_INT(count, page < 2 ? 2 : page == 2 ? 1 : 0);
    }
    CHECK_INT(seen, 5);
    FAILS(player_list(txn, "x", 2, out, &count, err), FR_E_NOT_FOUND, "player_unknown");
}

static void test_ids(void)
{
    CHECK(player_id_valid("1") && player_id_valid("9223372036854775807"));
    static const char *const no[] = { "", "0", "01", "-1", "+1", " 1", "1 ", "1.0", "a", "9223372036854775808", "10000000000000000000" };
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) CHECK(!player_id_valid(no[i]));
}

int main(void)
{
    test_begin();
    TEST(test_entering_twice_finds_the_same_player);
    TEST(test_a_new_name_is_kept_and_cut_at_a_character);
    TEST(test_the_same_user_by_another_bot_is_the_same_player);
    TEST(test_players_that_are_not_there);
    TEST(test_listing_goes_on_where_it_stopped);
    TEST(test_ids);
    return test_end(TEST_END());
}
