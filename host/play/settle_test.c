// settle_test.c — places to coins: nothing is lost, draws and void matches give everything back.
#include "play/settle.h"
#include "base/check.h"
#include "ledger/ledger.h"

static struct fr_json *parse(const char *text)
{
    struct fr_json *json = NULL;
    struct fr_err err;
    FR_IGNORE(fr_json_parse(text, strlen(text), &json, &err));      // a test text that does not parse fails the CHECKs that follow
    return json;
}

static const int rake[SPLIT_PART_COUNT] = { [SPLIT_PLUGIN] = 200, [SPLIT_TREASURY] = 100, [SPLIT_BURN] = 200 };

static int64_t total(const struct match_result *r, int seats)
{
    int64_t sum = 0;
    for (int i = 0; i < seats; i++) sum += r->payout[i];
    for (int i = 0; i < SPLIT_PART_COUNT; i++) sum += r->rake[i];
    return sum;
}

static void test_the_winner_takes_the_pot_less_the_rake(void)
{
    struct match_result r;
    struct fr_err err;
    FR_AUTO(fr_json) e = parse("{\"e\":\"finish\",\"places\":[[2],[1]],\"reason\":\"score\"}");
    CHECK(settle_read(e, 2, &r, &err) == FR_OK);
    CHECK(settle_amounts(&r, 2, 1000, rake, NULL, &err) == FR_OK);
    CHECK_INT(r.payout[0], 0);
    CHECK_INT(r.payout[1], 1900);
    CHECK_INT(r.rake[SPLIT_PLUGIN], 40);
    CHECK_INT(r.rake[SPLIT_TREASURY], 20);
    CHECK_INT(r.rake[SPLIT_BURN], 40);
    CHECK(!r.undone);
    CHECK_TEXT(r.reason, "score");
}

static void test_a_draw_gives_stakes_back_without_rake(void)
{
    struct match_result r;
    struct fr_err err;
    FR_AUTO(fr_json) e = parse("{\"e\":\"finish\",\"places\":[[1,2]]}");
    CHECK(settle_read(e, 2, &r, &err) == FR_OK && r.undone && !r.is_void);
    CHECK(settle_amounts(&r, 2, 77, rake, NULL, &err) == FR_OK);
    CHECK_INT(r.payout[0], 77);
    CHECK_INT(r.payout[1], 77);
    CHECK_INT(total(&r, 2), r.pot);
}

static void test_every_split_sums_to_the_pot(void)
{
    struct fr_err err;
    for (int seats = 2; seats <= 9; seats++) {
        for (int64_t stake = 1; stake < 2000; stake += 7) {
            struct match_result r;
            settle_forfeit(&r, seats, 1, "forfeit");
            CHECK(settle_amounts(&r, seats, stake, rake, NULL, &err) == FR_OK);
            CHECK_INT(total(&r, seats), stake * seats);
            CHECK_INT(r.payout[0], 0);
            CHECK(r.payout[1] - r.payout[seats - 1] <= 1);
        }
    }
}

static void test_shares_in_basis_points(void)
{
    struct match_result r;
    struct fr_err err;
    FR_AUTO(fr_json) e = parse("{\"e\":\"finish\",\"shares_bps\":[5000,3000,2000]}");
    CHECK(settle_read(e, 3, &r, &err) == FR_OK);
    CHECK(settle_amounts(&r, 3, 101, rake, fr_json_get(e, "shares_bps"), &err) == FR_OK);
    CHECK_INT(total(&r, 3), 303);
    CHECK(r.payout[0] > r.payout[1] && r.payout[1] > r.payout[2]);
}

static void test_malformed_ends_are_refused(void)
{
    static const struct { const char *json, *says; } cases[] = {
        { "{\"e\":\"finish\"}", "needs places or shares_bps" },
        { "{\"e\":\"finish\",\"places\":[[1]]}", "names 1 of 2 seats" },
        { "{\"e\":\"finish\",\"places\":[[1],[1]]}", "names seat 1 twice" },
        { "{\"e\":\"finish\",\"places\":[[1],[3]]}", "no seat from 1 to 2" },
        { "{\"e\":\"finish\",\"places\":[[1.5],[2]]}", "no seat from 1 to 2" },
        { "{\"e\":\"finish\",\"places\":[1,2]}", "must be a list of seats" },
        { "{\"e\":\"finish\",\"places\":[[],[1,2]]}", "must be a list of seats" },
        { "{\"e\":\"finish\",\"shares_bps\":[5000,4000]}", "sums to 9000" },
        { "{\"e\":\"finish\",\"shares_bps\":[10000]}", "one entry for each of 2 seats" },
        { "{\"e\":\"finish\",\"shares_bps\":[-1,10001]}", "must be 0 to 10000" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct match_result r;
        struct fr_err err = { 0 };
        FR_AUTO(fr_json) e = parse(cases[i].json);
        CHECK(settle_read(e, 2, &r, &err) == FR_E_INVALID);
        CHECK_TEXT(err.code, "finish_malformed");
        CHECK(strstr(err.text, cases[i].says) != NULL);
    }
}

static void test_a_pot_past_the_bound_is_refused(void)
{
    struct match_result r;
    struct fr_err err;
    settle_forfeit(&r, 64, 1, "x");
    CHECK(settle_amounts(&r, 64, UNITS_MAX, rake, NULL, &err) == FR_E_LIMIT);
    CHECK(settle_amounts(&r, 2, UNITS_MAX, rake, NULL, &err) == FR_E_LIMIT);
}

static void test_results_print_as_places(void)
{
    struct match_result r;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4096);
    settle_forfeit(&r, 3, 2, "surrender");
    settle_print(&r, 3, &out);
    CHECK_TEXT(out.data, "{\"reason\":\"surrender\",\"void\":false,\"places\":[[1,3],[2]],\"payout\":[\"0\",\"0\",\"0\"],"
                         "\"rake\":{\"plugin\":\"0\",\"treasury\":\"0\",\"burn\":\"0\",\"author\":\"0\"}}");
}

int main(void)
{
    TEST(test_the_winner_takes_the_pot_less_the_rake);
    TEST(test_a_draw_gives_stakes_back_without_rake);
    TEST(test_every_split_sums_to_the_pot);
    TEST(test_shares_in_basis_points);
    TEST(test_malformed_ends_are_refused);
    TEST(test_a_pot_past_the_bound_is_refused);
    TEST(test_results_print_as_places);
    return TEST_END();
}
