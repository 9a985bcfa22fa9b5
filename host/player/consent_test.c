// consent_test.c — what a plugin may take is what the player saw and agreed to, and nothing that raced, expired or changed since.
#include "player/consent.h"
#include "base/limits.h"
#include "player/test.h"

#define TERMS "1111111111111111111111111111111111111111111111111111111111111111"
#define WORSE "2222222222222222222222222222222222222222222222222222222222222222"
#define DAY (24LL * 60 * 60 * 1000)
#define NOW (20000 * DAY)

static struct consent asked(const char *player, const char *kind, int64_t max)
{
    struct consent c = { .max_units = max, .expires_ms = NOW + 5 * DAY };
    snprintf(c.player, sizeof c.player, "%s", player);
    snprintf(c.plugin, sizeof c.plugin, "duel");
    snprintf(c.asset, sizeof c.asset, "PALM");
    snprintf(c.kind, sizeof c.kind, "%s", kind);
    snprintf(c.terms, sizeof c.terms, TERMS);
    return c;
}

static struct consent give(struct store_txn *txn, const struct consent *ask)
{
    struct consent c = { 0 };
    OK(consent_give(txn, ask, NOW, &c, err));
    return c;
}

static int64_t left_at(struct store_txn *txn, const char *player, const char *terms, int64_t now_ms)
{
    int64_t left = -1, expires = -1;
    OK(consent_left(txn, player, "duel", "PALM", terms, now_ms, &left, &expires, err));
    CHECK((left == 0) || expires > now_ms);
    return left;
}

static enum fr_status spend(struct store_txn *txn, const char *player, int64_t units, int64_t now_ms, struct fr_err *err)
{
    return consent_spend(txn, player, "duel", "PALM", TERMS, units, now_ms, err);
}

#define REFUSED(call) FAILS(call, FR_E_DENIED, "consent_required")

TXN_TEST(test_nothing_is_approved_by_itself)
{
    const char *ann = test_player(txn, 1);
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 0);
    REFUSED(spend(txn, ann, 1, NOW, err));
    OK(consent_return(txn, ann, "duel", "PALM", 5, NOW, NOW, err));
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 0);
}

TXN_TEST(test_once_is_a_maximum_in_all)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "once", 100), got = give(txn, &ask);
    CHECK(got.id > 0 && got.created_ms == NOW && got.spent_units == 0);
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 100);
    OK(spend(txn, ann, 60, NOW, err));
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 40);
    REFUSED(spend(txn, ann, 41, NOW, err));
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 40);          // a refusal reserves nothing
    OK(spend(txn, ann, 40, NOW + DAY, err));
    REFUSED(spend(txn, ann, 1, NOW + 2 * DAY, err));       // days change nothing
}

TXN_TEST(test_daily_starts_anew_each_utc_day)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "daily", 100);
    give(txn, &ask);
    OK(spend(txn, ann, 100, NOW, err));
    REFUSED(spend(txn, ann, 1, NOW + DAY - 1, err));
    CHECK_INT(left_at(txn, ann, TERMS, NOW + DAY), 100);
    OK(spend(txn, ann, 100, NOW + DAY, err));
    REFUSED(spend(txn, ann, 1, NOW + DAY, err));
}

// A clock that is set back over midnight, or two that were read in another order than they came: the day has begun and stays begun.
TXN_TEST(test_a_day_that_has_begun_does_not_begin_twice)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "daily", 100);
    give(txn, &ask);
    OK(spend(txn, ann, 100, NOW + DAY - 1, err));
    OK(spend(txn, ann, 100, NOW + DAY, err));
    REFUSED(spend(txn, ann, 1, NOW + DAY - 1, err));
    CHECK_INT(left_at(txn, ann, TERMS, NOW + DAY - 1), 0);
    OK(consent_return(txn, ann, "duel", "PALM", 30, NOW + DAY - 1, NOW + DAY - 1, err));      // of the day before
    CHECK_INT(left_at(txn, ann, TERMS, NOW + DAY), 0);
    REFUSED(spend(txn, ann, 1, NOW + DAY, err));
    OK(spend(txn, ann, 100, NOW + 2 * DAY, err));
}

TXN_TEST(test_what_came_home_may_be_spent_again)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "once", 100);
    give(txn, &ask);
    OK(spend(txn, ann, 100, NOW, err));
    OK(consent_return(txn, ann, "duel", "PALM", 30, NOW, NOW, err));
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 30);
    OK(consent_return(txn, ann, "duel", "PALM", 500, NOW, NOW, err));
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 100);         // never more than was approved
}

// A stake set aside yesterday comes home today: today's allowance is full, not more than full.
TXN_TEST(test_a_late_return_does_not_swell_a_day)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "daily", 100);
    give(txn, &ask);
    OK(spend(txn, ann, 100, NOW, err));
    OK(consent_return(txn, ann, "duel", "PALM", 100, NOW, NOW + DAY, err));
    CHECK_INT(left_at(txn, ann, TERMS, NOW + DAY), 100);
    OK(spend(txn, ann, 100, NOW + DAY, err));
    REFUSED(spend(txn, ann, 1, NOW + DAY, err));
}

// The same when today's own spending stands there already.
TXN_TEST(test_a_late_return_does_not_undo_todays_spending)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "daily", 100);
    give(txn, &ask);
    OK(spend(txn, ann, 100, NOW, err));
    OK(spend(txn, ann, 100, NOW + DAY, err));
    OK(consent_return(txn, ann, "duel", "PALM", 100, NOW, NOW + DAY, err));
    REFUSED(spend(txn, ann, 1, NOW + DAY, err));
}

// A stake of an approval that was taken back comes home: the new approval never paid it.
TXN_TEST(test_a_return_does_not_swell_a_newer_approval)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "once", 100), newer, got;
    give(txn, &ask);
    OK(spend(txn, ann, 100, NOW, err));
    newer = asked(ann, "once", 100);
    OK(consent_give(txn, &newer, NOW + 5, &got, err));
    OK(spend(txn, ann, 100, NOW + 6, err));
    OK(consent_return(txn, ann, "duel", "PALM", 100, NOW, NOW + 7, err));
    REFUSED(spend(txn, ann, 1, NOW + 8, err));
    OK(consent_return(txn, ann, "duel", "PALM", 100, NOW + 6, NOW + 9, err));
    OK(spend(txn, ann, 100, NOW + 9, err));
}

TXN_TEST(test_expiry)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "once", 100);
    give(txn, &ask);
    CHECK_INT(left_at(txn, ann, TERMS, NOW + 5 * DAY - 1), 100);
    CHECK_INT(left_at(txn, ann, TERMS, NOW + 5 * DAY), 0);
    REFUSED(spend(txn, ann, 1, NOW + 5 * DAY, err));
}

TXN_TEST(test_worse_terms_void_the_approval)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "once", 100);
    give(txn, &ask);
    CHECK_INT(left_at(txn, ann, WORSE, NOW), 0);
    REFUSED(consent_spend(txn, ann, "duel", "PALM", WORSE, 1, NOW, err));
    OK(spend(txn, ann, 1, NOW, err));
}

TXN_TEST(test_an_approval_is_for_one_player_plugin_and_asset)
{
    const char *ann = test_player(txn, 1), *bob = test_player(txn, 2);
    struct consent ask = asked(ann, "once", 100);
    give(txn, &ask);
    REFUSED(spend(txn, bob, 1, NOW, err));
    REFUSED(consent_spend(txn, ann, "other", "PALM", TERMS, 1, NOW, err));
    REFUSED(consent_spend(txn, ann, "duel", "TEST", TERMS, 1, NOW, err));
}

TXN_TEST(test_a_new_approval_replaces_the_earlier)
{
    const char *ann = test_player(txn, 1);
    struct consent ask = asked(ann, "once", 100), list[4];
    int count = 0;
    give(txn, &ask);
    OK(spend(txn, ann, 100, NOW, err));
    ask.max_units = 30;
    struct consent second = give(txn, &ask);
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 30);
    OK(consent_list(txn, ann, list, 4, &count, err));
    CHECK_INT(count, 1);
    CHECK_INT(list[0].id, second.id);
}

TXN_TEST(test_revoking)
{
    const char *ann = test_player(txn, 1), *bob = test_player(txn, 2);
    struct consent ask = asked(ann, "once", 100), list[4], got = give(txn, &ask);
    int count = 1;
    FAILS(consent_revoke(txn, bob, got.id, NOW, err), FR_E_NOT_FOUND, "consent_unknown");
    FAILS(consent_revoke(txn, ann, 999, NOW, err), FR_E_NOT_FOUND, "consent_unknown");
    OK(spend(txn, ann, 1, NOW, err));
    OK(consent_revoke(txn, ann, got.id, NOW, err));
    OK(consent_revoke(txn, ann, got.id, NOW, err));
    REFUSED(spend(txn, ann, 1, NOW, err));
    OK(consent_return(txn, ann, "duel", "PALM", 1, NOW, NOW, err));
    REFUSED(spend(txn, ann, 1, NOW, err));
    OK(consent_list(txn, ann, list, 4, &count, err));
    CHECK_INT(count, 0);
}

TXN_TEST(test_what_cannot_be_approved)
{
    const char *ann = test_player(txn, 1);
    struct consent bad, got;
    bad = asked(ann, "ever", 100);                                       FAILS(consent_give(txn, &bad, NOW, &got, err), FR_E_INVALID, "invalid");
    bad = asked(ann, "once", 0);                                         FAILS(consent_give(txn, &bad, NOW, &got, err), FR_E_INVALID, "invalid");
    bad = asked(ann, "once", UNITS_MAX + 1);                             FAILS(consent_give(txn, &bad, NOW, &got, err), FR_E_INVALID, "invalid");
    bad = asked(ann, "once", 1); bad.terms[5] = 0;                       FAILS(consent_give(txn, &bad, NOW, &got, err), FR_E_INVALID, "invalid");
    bad = asked(ann, "once", 1); bad.expires_ms = NOW;                   FAILS(consent_give(txn, &bad, NOW, &got, err), FR_E_CONFLICT, "consent_expired");
    bad = asked(ann, "once", 1); bad.expires_ms = NOW + CONSENT_MS_MAX;  OK(consent_give(txn, &bad, NOW, &got, err));
    bad.expires_ms++;                                                    FAILS(consent_give(txn, &bad, NOW, &got, err), FR_E_LIMIT, "limit");
    bad = asked("no", "once", 1);                                        FAILS(consent_give(txn, &bad, NOW, &got, err), FR_E_NOT_FOUND, "player_unknown");
}

// The same press sent twice is one approval; after it was taken back, the old press does not bring it back.
TXN_TEST(test_one_intent_gives_one_approval)
{
    const char *ann = test_player(txn, 1), *bob = test_player(txn, 2);
    struct consent ask = asked(ann, "once", 100), again;
    snprintf(ask.intent, sizeof ask.intent, "intent-1");
    struct consent first = give(txn, &ask);
    OK(spend(txn, ann, 70, NOW, err));
    OK(consent_give(txn, &ask, NOW, &again, err));
    CHECK_INT(again.id, first.id);
    CHECK_INT(left_at(txn, ann, TERMS, NOW), 30);
    OK(consent_revoke(txn, ann, first.id, NOW, err));
    FAILS(consent_give(txn, &ask, NOW, &again, err), FR_E_CONFLICT, "consent_revoked");
    snprintf(ask.player, sizeof ask.player, "%s", bob);
    FAILS(consent_give(txn, &ask, NOW, &again, err), FR_E_NOT_FOUND, "intent_unknown");
}

// ---- two spends in flight at once

struct racer { char player[PLAYER_ID_BYTES]; enum fr_status status; int order; };
static int racers_done;

static enum fr_status race_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct racer *r = arg;
    return spend(txn, r->player, 60, NOW, err);
}

static void race_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct racer *r = arg;
    (void)err;
    r->status = status;
    r->order = racers_done++;
}

static enum fr_status race_setup(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct racer *r = arg;
    struct consent ask, got;
    snprintf(r->player, sizeof r->player, "%s", test_player(txn, 77));
    ask = asked(r->player, "once", 100);
    return consent_give(txn, &ask, NOW, &got, err);
}

// Both jobs are queued before either ran: the first in the queue gets the coins, the second is refused.
static void test_two_spends_racing_take_one_turn_each(void)
{
    struct racer first = { 0 }, second = { 0 };
    uv_loop_t loop;
    struct fr_err err = { 0 };
    store_close(test_store);
    CHECK(uv_loop_init(&loop) == 0);
    test_store = test_open(&loop);
    CHECK(store_now(test_store, race_setup, &first, &err) == FR_OK);
    second = first;
    CHECK(store_run(test_store, race_job, &first, race_done, &err) == FR_OK);
    CHECK(store_run(test_store, race_job, &second, race_done, &err) == FR_OK);
    while (racers_done < 2) uv_run(&loop, UV_RUN_ONCE);
    CHECK_INT(first.status, FR_OK);
    CHECK_INT(second.status, FR_E_DENIED);
    CHECK(first.order < second.order);
    test_close(test_store, &loop);
    CHECK(uv_loop_close(&loop) == 0);
    test_store = test_open(NULL);
}

// ---- intents

static struct consent_intent intent(const char *player, const char *plugin, int64_t max)
{
    struct consent_intent i = { .max_units = max };
    snprintf(i.player, sizeof i.player, "%s", player);
    snprintf(i.plugin, sizeof i.plugin, "%s", plugin);
    snprintf(i.asset, sizeof i.asset, "PALM");
    snprintf(i.kind, sizeof i.kind, "once");
    snprintf(i.reason, sizeof i.reason, "a new deck");
    snprintf(i.terms, sizeof i.terms, TERMS);
    return i;
}

TXN_TEST(test_an_intent_is_made_and_found_by_its_player)
{
    const char *ann = test_player(txn, 1), *bob = test_player(txn, 2);
    struct consent_intent ask = intent(ann, "duel", 50), made, got;
    OK(consent_intent_make(txn, &ask, "k1", NOW, &made, err));
    CHECK_INT(strlen(made.id), 36);
    CHECK_INT(made.expires_ms, NOW + INTENT_MS);
    OK(consent_intent_get(txn, ann, made.id, NOW + INTENT_MS - 1, &got, err));
    CHECK_INT(got.max_units, 50);
    CHECK_TEXT(got.reason, "a new deck");
    CHECK_TEXT(got.plugin, "duel");
    CHECK_TEXT(got.terms, TERMS);
    FAILS(consent_intent_get(txn, ann, made.id, NOW + INTENT_MS, &got, err), FR_E_CONFLICT, "intent_expired");
    FAILS(consent_intent_get(txn, bob, made.id, NOW, &got, err), FR_E_NOT_FOUND, "intent_unknown");
    FAILS(consent_intent_get(txn, ann, "nothing", NOW, &got, err), FR_E_NOT_FOUND, "intent_unknown");
    ask.max_units = 0;
    FAILS(consent_intent_make(txn, &ask, "k2", NOW, &made, err), FR_E_INVALID, "invalid");
    ask = intent("999", "duel", 50);
    FAILS(consent_intent_make(txn, &ask, "k2", NOW, &made, err), FR_E_NOT_FOUND, "player_unknown");
}

TXN_TEST(test_the_same_key_finds_the_first_intent)
{
    const char *ann = test_player(txn, 1);
    struct consent_intent ask = intent(ann, "duel", 50), other = intent(ann, "shop", 50), first, again;
    OK(consent_intent_make(txn, &ask, "k1", NOW, &first, err));
    OK(consent_intent_make(txn, &ask, "k1", NOW + 1000, &again, err));
    CHECK_TEXT(again.id, first.id);
    OK(consent_intent_make(txn, &other, "k1", NOW, &again, err));          // another plugin's keys are its own
    CHECK(strcmp(again.id, first.id) != 0);
    ask.max_units = 51;
    FAILS(consent_intent_make(txn, &ask, "k1", NOW, &again, err), FR_E_CONFLICT, "key_reused");
    OK(consent_intent_make(txn, &ask, NULL, NOW, &first, err));
    OK(consent_intent_make(txn, &ask, NULL, NOW + 1000, &again, err));     // without a key, the content is the key
    CHECK_TEXT(again.id, first.id);
    ask.max_units = 52;
    OK(consent_intent_make(txn, &ask, NULL, NOW, &again, err));
    CHECK(strcmp(again.id, first.id) != 0);
    OK(consent_intent_make(txn, &ask, NULL, NOW + 2 * INTENT_MS, &first, err));
    CHECK(strcmp(again.id, first.id) != 0);                                // that one had expired
}

// The approval was spent to the end: the same question is a new one, not the sheet that was already answered.
TXN_TEST(test_an_answered_intent_is_not_found_again)
{
    const char *ann = test_player(txn, 1);
    struct consent_intent ask = intent(ann, "duel", 50), first, again;
    struct consent answer = asked(ann, "once", 50);
    OK(consent_intent_make(txn, &ask, NULL, NOW, &first, err));
    snprintf(answer.intent, sizeof answer.intent, "%s", first.id);
    give(txn, &answer);
    OK(consent_intent_make(txn, &ask, NULL, NOW, &again, err));
    CHECK(strcmp(again.id, first.id) != 0);
}

TXN_TEST(test_a_flood_of_intents_costs_only_the_flooder)
{
    const char *ann = test_player(txn, 1);
    struct consent_intent ask = intent(ann, "quiet", 50), quiet, made, first = { 0 };
    OK(consent_intent_make(txn, &ask, "k", NOW, &quiet, err));
    for (int i = 0; i < INTENTS_PER_PLAYER_MAX + 5; i++) {
        ask = intent(ann, "loud", 100 + i);
        OK(consent_intent_make(txn, &ask, NULL, NOW + i, &made, err));
        if (i == 0) first = made;
    }
    OK(consent_intent_get(txn, ann, quiet.id, NOW, &made, err));
    FAILS(consent_intent_get(txn, ann, first.id, NOW, &made, err), FR_E_NOT_FOUND, "intent_unknown");
    FR_SQL_ROW(row);
    bool found = false;
    OK(sql_begin(txn, "SELECT count(*) FROM consent_intent", &row, err));
    OK(sql_step(row, &found, err));
    CHECK_INT(sql_int(row, 0), INTENTS_PER_PLAYER_MAX);
}

int main(void)
{
    test_begin();
    TEST(test_nothing_is_approved_by_itself);
    TEST(test_once_is_a_maximum_in_all);
    TEST(test_daily_starts_anew_each_utc_day);
    TEST(test_a_day_that_has_begun_does_not_begin_twice);
    TEST(test_what_came_home_may_be_spent_again);
    TEST(test_a_late_return_does_not_swell_a_day);
    TEST(test_a_late_return_does_not_undo_todays_spending);
    TEST(test_a_return_does_not_swell_a_newer_approval);
    TEST(test_expiry);
    TEST(test_worse_terms_void_the_approval);
    TEST(test_an_approval_is_for_one_player_plugin_and_asset);
    TEST(test_a_new_approval_replaces_the_earlier);
    TEST(test_revoking);
    TEST(test_what_cannot_be_approved);
    TEST(test_one_intent_gives_one_approval);
    TEST(test_two_spends_racing_take_one_turn_each);
    TEST(test_an_intent_is_made_and_found_by_its_player);
    TEST(test_the_same_key_finds_the_first_intent);
    TEST(test_an_answered_intent_is_not_found_again);
    TEST(test_a_flood_of_intents_costs_only_the_flooder);
    return test_end(TEST_END());
}
