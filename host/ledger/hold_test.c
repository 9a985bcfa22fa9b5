// hold_test.c — every hold ends exactly once, and what it set aside goes where it was told or back.
#include "ledger/test.h"

static enum fr_status hold_of(struct store_txn *txn, const char *key, int64_t account, int64_t units, const char *owner, int64_t expires_ms, struct ledger_hold *ret)
{
    struct ledger_hold ask = { .account = account, .units = units, .expires_ms = expires_ms };
    snprintf(ask.key, sizeof ask.key, "%s", key);
    snprintf(ask.owner, sizeof ask.owner, "%s", owner);
    return ledger_hold_open(txn, &ask, "stake", NOW, ret, &err);
}

static enum fr_status life_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    struct ledger_hold h, again, got;
    int64_t id = 0, id2 = 0;
    CHECK(hold_of(txn, "h:1", ann, 600, "", NOW + 1000, &h) == FR_OK);
    CHECK(free_of(txn, ann) == 400 && held_of(txn, ann) == 600);
    CHECK(hold_of(txn, "h:1", ann, 600, "", NOW + 2000, &again) == FR_OK);      // a later now reckons a later end
    CHECK(again.id == h.id && again.expires_ms == NOW + 1000 && free_of(txn, ann) == 400);
    CHECK(hold_of(txn, "h:1", ann, 601, "", NOW + 1000, &again) == FR_E_CONFLICT && strcmp(err.code, "key_reused") == 0);
    CHECK(hold_of(txn, "h:1", ann, 600, "match:1", 0, &again) == FR_E_CONFLICT);
    CHECK(hold_of(txn, "h:2", ann, 401, "", NOW + 1000, &again) == FR_E_FUNDS);
    CHECK(test_move(txn, "t:1", ann, bob, 401, &id) == FR_E_FUNDS);             // what is held cannot be spent
    CHECK(ledger_hold_get(txn, h.id, &got, &err) == FR_OK && got.state == HOLD_OPEN && got.units == 600);
    CHECK(ledger_hold_get(txn, 999, &got, &err) == FR_E_NOT_FOUND);

    struct ledger_leg legs[] = { { bob, 500 }, { cleo, 50 } };
    struct ledger_leg over[] = { { bob, 500 }, { cleo, 101 } };
    struct ledger_leg minus[] = { { bob, 500 }, { cleo, -1 } };
    CHECK(ledger_hold_settle(txn, h.id, over, 2, "s:0", "win", "", NOW, &id, &err) == FR_E_INVALID);
    CHECK(ledger_hold_settle(txn, h.id, minus, 2, "s:0", "win", "", NOW, &id, &err) == FR_E_INVALID);
    CHECK(ledger_hold_settle(txn, h.id, legs, 0, "s:0", "win", "", NOW, &id, &err) == FR_E_INVALID);
    CHECK(ledger_hold_settle(txn, 999, legs, 2, "s:0", "win", "", NOW, &id, &err) == FR_E_NOT_FOUND);
    CHECK(ledger_hold_settle(txn, h.id, legs, 2, "s:1", "win", NULL, NOW, &id, &err) == FR_OK);
    CHECK(free_of(txn, ann) == 450 && held_of(txn, ann) == 0 && free_of(txn, bob) == 1500 && free_of(txn, cleo) == 1050);
    CHECK(ledger_hold_settle(txn, h.id, legs, 2, "s:1", "win", "", NOW + 5, &id2, &err) == FR_OK && id2 == id);
    CHECK(ledger_hold_settle(txn, h.id, legs, 1, "s:1", "win", "", NOW, &id2, &err) == FR_E_CONFLICT && strcmp(err.code, "key_reused") == 0);
    CHECK(ledger_hold_settle(txn, h.id, legs, 2, "s:2", "win", "", NOW, &id2, &err) == FR_E_CONFLICT && strcmp(err.code, "hold_ended") == 0);
    CHECK(ledger_hold_release(txn, h.id, "r:1", "void", NOW, &id2, &err) == FR_E_CONFLICT && strcmp(err.code, "hold_ended") == 0);
    CHECK(hold_of(txn, "h:1", ann, 600, "", NOW + 1000, &again) == FR_OK && again.state == HOLD_SETTLED);    // a late retry opens nothing
    CHECK(free_of(txn, ann) == 450 && free_of(txn, bob) == 1500);

    CHECK(hold_of(txn, "h:3", ann, 450, "match:1", 0, &h) == FR_OK);
    CHECK(ledger_hold_release(txn, h.id, "r:1", "void", NOW, &id, &err) == FR_OK);
    CHECK(ledger_hold_release(txn, h.id, "r:1", "void", NOW, &id2, &err) == FR_OK && id == id2);
    CHECK(free_of(txn, ann) == 450 && held_of(txn, ann) == 0);
    struct ledger_leg back[] = { { ann, 100 } };
    CHECK(hold_of(txn, "h:4", ann, 100, "match:1", 0, &h) == FR_OK);
    CHECK(ledger_hold_settle(txn, h.id, back, 1, "s:4", "draw", "", NOW, &id, &err) == FR_OK);               // back to the holder
    CHECK(free_of(txn, ann) == 450 && held_of(txn, ann) == 0);
    check_audit(txn);
    return FR_OK;
}
static void test_the_life_of_a_hold(void) { test_with_ledger(life_job); }

static enum fr_status bounds_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    struct ledger_hold h;
    CHECK(hold_of(txn, "b:1", ann, 1, "", NOW + HOLD_MS_MAX + 1, &h) == FR_E_LIMIT);
    CHECK(hold_of(txn, "b:1", ann, 1, "", NOW + HOLD_MS_MAX, &h) == FR_OK);
    CHECK(hold_of(txn, "b:2", ann, 1, "", NOW, &h) == FR_E_INVALID);
    CHECK(hold_of(txn, "b:3", ann, 1, "", 0, &h) == FR_E_INVALID);
    CHECK(hold_of(txn, "b:4", ann, 0, "match:1", 0, &h) == FR_E_INVALID);
    CHECK(hold_of(txn, "b:5", ann, -5, "match:1", 0, &h) == FR_E_INVALID);
    CHECK(hold_of(txn, "b:6", 999, 5, "match:1", 0, &h) == FR_E_NOT_FOUND);
    for (int i = 0; i < HOLDS_PER_OWNER_MAX; i++) {
        char key[20];
        snprintf(key, sizeof key, "m:%d", i);
        CHECK(hold_of(txn, key, i % 2 ? ann : bob, 1, "match:1", 0, &h) == FR_OK);
    }
    CHECK(hold_of(txn, "m:more", ann, 1, "match:1", 0, &h) == FR_E_LIMIT);
    CHECK(hold_of(txn, "m:more", ann, 1, "match:2", 0, &h) == FR_OK);
    int64_t id = 0;
    CHECK(ledger_holds_settle(txn, "match:1", (struct ledger_leg[]){ { cleo, HOLDS_PER_OWNER_MAX } }, 1, "m:s", "win", "", NOW, &id, &err) == FR_OK);
    CHECK_INT(free_of(txn, cleo), 1000 + HOLDS_PER_OWNER_MAX);
    check_audit(txn);
    return FR_OK;
}
static void test_bounds_of_holds(void) { test_with_ledger(bounds_job); }

static enum fr_status pot_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    struct ledger_hold a, b, c;
    int64_t id = 0, id2 = 0;
    CHECK(hold_of(txn, "p:a", ann, 100, "match:7", 0, &a) == FR_OK);
    CHECK(hold_of(txn, "p:b", bob, 100, "match:7", 0, &b) == FR_OK);
    CHECK(hold_of(txn, "p:c", cleo, 70, "match:8", 0, &c) == FR_OK);
    struct ledger_leg less[] = { { ann, 199 } }, all[] = { { ann, 190 }, { cleo, 10 } };
    CHECK(ledger_holds_settle(txn, "match:7", less, 1, "p:s", "win", "", NOW, &id, &err) == FR_E_INVALID);
    CHECK(ledger_holds_settle(txn, "match:7", all, 2, "p:s", "win", "", NOW, &id, &err) == FR_OK);
    CHECK(free_of(txn, ann) == 1090 && held_of(txn, ann) == 0 && free_of(txn, bob) == 900 && held_of(txn, bob) == 0 && free_of(txn, cleo) == 940);
    CHECK(ledger_holds_settle(txn, "match:7", all, 2, "p:s", "win", "", NOW, &id2, &err) == FR_OK && id == id2);
    CHECK(ledger_holds_settle(txn, "match:7", all, 2, "p:s2", "win", "", NOW, &id2, &err) == FR_E_CONFLICT && strcmp(err.code, "hold_ended") == 0);
    CHECK(ledger_holds_release(txn, "match:7", "p:r", "void", NOW, &id2, &err) == FR_E_CONFLICT);
    CHECK(ledger_holds_settle(txn, "", all, 2, "p:none", "win", "", NOW, &id2, &err) == FR_E_CONFLICT);        // "" owns nothing
    CHECK(ledger_hold_get(txn, a.id, &a, &err) == FR_OK && a.state == HOLD_SETTLED);
    CHECK_INT(held_of(txn, cleo), 70);
    CHECK(ledger_holds_release(txn, "match:8", "p:r", "void", NOW, &id, &err) == FR_OK);
    CHECK(ledger_holds_release(txn, "match:8", "p:r", "void", NOW, &id2, &err) == FR_OK && id == id2);
    CHECK(free_of(txn, cleo) == 1010 && held_of(txn, cleo) == 0);
    struct ledger_hold list[4];
    int count = -1;
    CHECK(ledger_holds_open(txn, list, 4, &count, &err) == FR_OK && count == 0);
    check_audit(txn);
    return FR_OK;
}
static void test_a_pot_is_given_away_whole_and_once(void) { test_with_ledger(pot_job); }

static int64_t ended_units;
static enum fr_status on_ended(struct store_txn *txn, void *arg, const struct ledger_hold *hold, int64_t now_ms, struct fr_err *e)
{
    struct ledger_hold now;
    (void)e;
    CHECK(arg == &ended_units);
    CHECK(ledger_hold_get(txn, hold->id, &now, &err) == FR_OK && now.state == HOLD_RELEASED);
    CHECK(hold->state == HOLD_OPEN && hold->expires_ms <= now_ms && hold->account == ann);
    ended_units += hold->units;
    return FR_OK;
}

static enum fr_status sweep_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    ended_units = 0;
    struct ledger_hold h, list[8];
    int swept = -1, count = 0;
    CHECK(hold_of(txn, "w:1", ann, 10, "", NOW + 10, &h) == FR_OK);
    CHECK(hold_of(txn, "w:2", ann, 20, "", NOW + 20, &h) == FR_OK);
    CHECK(hold_of(txn, "w:3", ann, 40, "", NOW + 30, &h) == FR_OK);
    CHECK(hold_of(txn, "w:4", ann, 80, "match:1", NOW + 5, &h) == FR_OK);          // owned: no clock ends it
    CHECK(hold_of(txn, "w:5", ann, 160, "burn:1", 0, &h) == FR_OK);
    CHECK(ledger_holds_sweep(txn, NOW + 9, 10, on_ended, &ended_units, &swept, &err) == FR_OK && swept == 0);
    CHECK(ledger_holds_sweep(txn, NOW + 20, 1, on_ended, &ended_units, &swept, &err) == FR_OK && swept == 1);
    CHECK(ledger_holds_sweep(txn, NOW + 20, 10, NULL, NULL, &swept, &err) == FR_OK && swept == 1);
    CHECK_INT(held_of(txn, ann), 40 + 80 + 160);
    CHECK(ledger_holds_sweep(txn, NOW + HOLD_MS_MAX, 10, on_ended, &ended_units, &swept, &err) == FR_OK && swept == 1);
    CHECK_INT(ended_units, 10 + 40);                                               // each was told once, and what is owned never
    CHECK_INT(held_of(txn, ann), 80 + 160);
    CHECK(ledger_holds_open(txn, list, 8, &count, &err) == FR_OK && count == 2);
    CHECK(ledger_holds_open(txn, list, 1, &count, &err) == FR_OK && count == 1);
    check_audit(txn);
    return FR_OK;
}
static void test_the_clock_sweeps_only_what_nobody_owns(void) { test_with_ledger(sweep_job); }

// However much comes in meanwhile, what is held has room to return to.
static enum fr_status room_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    struct ledger_hold h;
    int64_t id;
    int swept = 0;
    struct ledger_account other;
    CHECK(ledger_account(txn, OWNER_CHAIN, "other", "TEST", &other, &err) == FR_OK);
    CHECK(hold_of(txn, "room:1", ann, 600, "", NOW + 10, &h) == FR_OK);
    CHECK(test_move(txn, "room:2", world, ann, UNITS_MAX / 2, &id) == FR_OK);
    CHECK(test_move(txn, "room:3", other.id, ann, UNITS_MAX / 2 - 1000 + 600, &id) == FR_E_LIMIT);
    CHECK_TEXT(err.code, "balance_limit");
    CHECK(test_move(txn, "room:4", bob, ann, 1000, &id) == FR_OK);
    CHECK(ledger_holds_sweep(txn, NOW + 10, 10, NULL, NULL, &swept, &err) == FR_OK && swept == 1);
    check_audit(txn);
    return FR_OK;
}
static void test_what_is_held_has_room_to_return(void) { test_with_ledger(room_job); }

int main(void)
{
    ledger_register();
    TEST(test_the_life_of_a_hold);
    TEST(test_bounds_of_holds);
    TEST(test_a_pot_is_given_away_whole_and_once);
    TEST(test_the_clock_sweeps_only_what_nobody_owns);
    TEST(test_what_is_held_has_room_to_return);
    test_folder_drop();
    return TEST_END();
}
