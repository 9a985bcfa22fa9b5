// transfer_test.c — accounts and transfers: funds, keys, assets, ranges, and the journal they leave.
#include "ledger/test.h"

static enum fr_status moves_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t id = 0, again = 0;
    CHECK(test_move(txn, "t:1", ann, bob, 300, &id) == FR_OK);
    CHECK(free_of(txn, ann) == 700 && free_of(txn, bob) == 1300 && id > 0);
    CHECK(test_move(txn, "t:1", ann, bob, 300, &again) == FR_OK);          // the same again moves nothing
    CHECK(again == id && free_of(txn, ann) == 700 && free_of(txn, bob) == 1300);
    CHECK(test_move(txn, "t:2", ann, bob, 700, &id) == FR_OK);             // to the last unit
    CHECK(test_move(txn, "t:1", ann, bob, 300, &again) == FR_OK);          // a retry is no question of funds
    CHECK(test_move(txn, "t:2", ann, bob, 700, &again) == FR_OK && again == id);
    CHECK_INT(free_of(txn, ann), 0);
    check_audit(txn);
    return FR_OK;
}
static void test_a_retry_moves_nothing(void) { test_with_ledger(moves_job); }

static enum fr_status reused_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t id = 0, kept = -7;
    CHECK(test_move(txn, "t:1", ann, bob, 300, &id) == FR_OK);
    CHECK(test_move(txn, "t:1", ann, bob, 301, &kept) == FR_E_CONFLICT && strcmp(err.code, "key_reused") == 0);
    CHECK(test_move(txn, "t:1", ann, cleo, 300, &kept) == FR_E_CONFLICT);
    CHECK(test_move(txn, "t:1", bob, ann, 300, &kept) == FR_E_CONFLICT);
    CHECK(test_move(txn, "t:1", ann, bob, 5000, &kept) == FR_E_CONFLICT);  // and not "too little": the key speaks first
    struct ledger_leg legs[] = { { ann, -300 }, { bob, 300 } };
    struct ledger_transfer t = { .key = "t:1", .reason = "stake", .note = "a note", .legs = legs, .leg_count = 2 };
    CHECK(ledger_post(txn, &t, NOW, &kept, &err) == FR_E_CONFLICT);        // another reason is another thing
    CHECK_INT(kept, -7);
    t.reason = "gift";
    t.note = NULL;
    CHECK(ledger_post(txn, &t, NOW + 99, &kept, &err) == FR_OK);           // another note or time is not
    CHECK_INT(kept, id);
    CHECK(free_of(txn, ann) == 700 && free_of(txn, bob) == 1300);
    check_audit(txn);
    return FR_OK;
}
static void test_a_key_names_one_thing(void) { test_with_ledger(reused_job); }

static enum fr_status funds_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t id = -7;
    CHECK(test_move(txn, "t:1", ann, bob, 1001, &id) == FR_E_FUNDS);
    CHECK_TEXT(err.text, "player ann has 10 TEST, 0.01 too little");
    CHECK_INT(id, -7);
    CHECK(test_move(txn, "t:2", world, ann, 5000, &id) == FR_OK);          // only the outside world goes below zero
    CHECK_INT(free_of(txn, world), -8000);
    CHECK(test_move(txn, "t:1", ann, bob, 1001, &id) == FR_OK);            // a refused key is still free
    struct ledger_account a;
    for (int kind = OWNER_PLAYER; kind <= OWNER_CHAIN; kind++) {
        CHECK(ledger_account(txn, (enum ledger_owner_kind)kind, "new", "TEST", &a, &err) == FR_OK);
        CHECK(a.overdraft == (kind == OWNER_CHAIN));
        char key[20];
        snprintf(key, sizeof key, "o:%d", kind);
        CHECK(test_move(txn, key, a.id, ann, 1, &id) == (kind == OWNER_CHAIN ? FR_OK : FR_E_FUNDS));
    }
    check_audit(txn);
    return FR_OK;
}
static void test_only_the_outside_world_goes_below_zero(void) { test_with_ledger(funds_job); }

static enum fr_status post_legs(struct store_txn *txn, const char *key, const struct ledger_leg *legs, int count, int64_t *id)
{
    struct ledger_transfer t = { .key = key, .reason = "many", .legs = legs, .leg_count = count };
    return ledger_post(txn, &t, NOW, id, &err);
}

static enum fr_status legs_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t id = 0;
    struct ledger_account palm;
    CHECK(ledger_account(txn, OWNER_PLAYER, "bob", "PALM", &palm, &err) == FR_OK);
    CHECK(post_legs(txn, "l:1", (struct ledger_leg[]){ { ann, -5 }, { bob, 4 } }, 2, &id) == FR_E_INVALID);
    CHECK(post_legs(txn, "l:2", (struct ledger_leg[]){ { ann, -5 }, { bob, 5 }, { cleo, 0 } }, 3, &id) == FR_E_INVALID);
    CHECK(post_legs(txn, "l:3", (struct ledger_leg[]){ { ann, -5 } }, 1, &id) == FR_E_INVALID);
    CHECK(post_legs(txn, "l:4", (struct ledger_leg[]){ { ann, -5 }, { palm.id, 5 } }, 2, &id) == FR_E_INVALID && strcmp(err.code, "asset_mixed") == 0);
    CHECK(post_legs(txn, "l:5", (struct ledger_leg[]){ { ann, -5 }, { 999, 5 } }, 2, &id) == FR_E_NOT_FOUND && strcmp(err.code, "account_unknown") == 0);
    CHECK(post_legs(txn, "l:6", (struct ledger_leg[]){ { ann, INT64_MIN }, { bob, INT64_MAX } }, 2, &id) == FR_E_INVALID);
    CHECK(post_legs(txn, "l:7", (struct ledger_leg[]){ { world, -UNITS_MAX }, { ann, UNITS_MAX } }, 2, &id) == FR_E_LIMIT);
    CHECK(post_legs(txn, "", (struct ledger_leg[]){ { ann, -5 }, { bob, 5 } }, 2, &id) == FR_E_INVALID);
    // An account may stand in several legs; what counts is their sum.
    CHECK(post_legs(txn, "l:8", (struct ledger_leg[]){ { ann, -1500 }, { bob, 500 }, { cleo, 200 }, { ann, 800 } }, 4, &id) == FR_OK);
    CHECK(free_of(txn, ann) == 300 && free_of(txn, bob) == 1500 && free_of(txn, cleo) == 1200);

    struct ledger_leg many[TRANSFER_LEGS_MAX + 1];
    for (int i = 0; i < TRANSFER_LEGS_MAX + 1; i++) many[i] = (struct ledger_leg){ i % 2 ? bob : cleo, i % 2 ? 1 : -1 };
    CHECK(post_legs(txn, "l:9", many, TRANSFER_LEGS_MAX, &id) == FR_OK);
    many[TRANSFER_LEGS_MAX].units = many[0].units = -1;
    many[1].units = 2;
    CHECK(post_legs(txn, "l:10", many, TRANSFER_LEGS_MAX + 1, &id) == FR_E_INVALID);

    char key[KEY_BYTES_MAX + 2];
    memset(key, 'k', sizeof key);
    key[KEY_BYTES_MAX + 1] = 0;
    CHECK(test_move(txn, key, ann, bob, 1, &id) == FR_E_INVALID);
    key[KEY_BYTES_MAX] = 0;
    CHECK(test_move(txn, key, ann, bob, 1, &id) == FR_OK);
    check_audit(txn);
    return FR_OK;
}
static void test_legs_are_checked(void) { test_with_ledger(legs_job); }

static enum fr_status accounts_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    struct ledger_account a, b, list[8];
    int64_t free_units = -1, held_units = -1;
    int count = 0;
    CHECK(ledger_account(txn, OWNER_POOL, "jackpot", "PALM", &a, &err) == FR_OK);
    CHECK(ledger_account(txn, OWNER_POOL, "jackpot", "PALM", &b, &err) == FR_OK && a.id == b.id);
    CHECK(ledger_account(txn, OWNER_POOL, "jackpot", "NONE", &b, &err) == FR_E_NOT_FOUND && strcmp(err.code, "asset_unknown") == 0);
    char name[49];
    memset(name, 'n', sizeof name);
    name[48] = 0;
    CHECK(ledger_account(txn, OWNER_POOL, name, "PALM", &b, &err) == FR_E_LIMIT);
    CHECK(ledger_account_get(txn, 12345, &b, &err) == FR_E_NOT_FOUND);
    CHECK(ledger_balance(txn, OWNER_PLAYER, "ann", "TEST", &free_units, &held_units, &err) == FR_OK && free_units == 1000 && held_units == 0);
    CHECK(ledger_balance(txn, OWNER_PLAYER, "nobody", "TEST", &free_units, &held_units, &err) == FR_OK && free_units == 0);
    CHECK(ledger_accounts(txn, OWNER_PLAYER, NULL, list, 8, &count, &err) == FR_OK && count == 3);     // asking for a balance made none
    CHECK(ledger_accounts(txn, OWNER_PLAYER, NULL, list, 2, &count, &err) == FR_OK && count == 2);
    CHECK(ledger_accounts(txn, OWNER_PLAYER, "bob", list, 8, &count, &err) == FR_OK && count == 1 && list[0].id == bob);

    struct ledger_asset assets[4], palm;
    CHECK(ledger_asset_get(txn, "PALM", &palm, &err) == FR_OK && palm.decimals == 9);
    CHECK(ledger_asset_list(txn, assets, 4, &count, &err) == FR_OK && count == 2 && strcmp(assets[1].id, "TEST") == 0 && assets[1].decimals == 2);
    enum ledger_owner_kind kind;
    CHECK(ledger_owner_kind_parse("treasury", &kind) && kind == OWNER_TREASURY && !ledger_owner_kind_parse("bank", &kind));
    CHECK_TEXT(ledger_owner_name(OWNER_CHAIN), "chain");
    return FR_OK;
}
static void test_accounts_and_assets(void) { test_with_ledger(accounts_job); }

// ---- linked transfers are one job, or one savepoint

static enum fr_status linked_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg;
    int64_t id = 0;
    CHECK(test_move(txn, "k:1", ann, bob, 10, &id) == FR_OK);
    FR_TRY(sql_savepoint(txn, e));
    CHECK(test_move(txn, "k:2", ann, bob, 20, &id) == FR_OK);
    CHECK(test_move(txn, "k:3", ann, bob, 99999, &id) == FR_E_FUNDS);
    FR_TRY(sql_rollback(txn, e));
    CHECK_INT(free_of(txn, ann), 990);
    CHECK(test_move(txn, "k:4", ann, bob, 30, &id) == FR_OK);              // chained to k:1, not to what was undone
    check_audit(txn);
    return FR_OK;
}
static void test_linked_transfers_are_all_or_none(void) { test_with_ledger(linked_job); }

static enum fr_status half_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t id = 0;
    CHECK(test_move(txn, "h:1", ann, bob, 10, &id) == FR_OK);
    return test_move(txn, "h:2", ann, bob, 99999, &id);
}

static enum fr_status after_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t id = 0;
    CHECK_INT(free_of(txn, ann), 1000);
    CHECK(test_move(txn, "h:1", ann, bob, 25, &id) == FR_OK);              // the key went with the job
    CHECK_INT(free_of(txn, ann), 975);
    check_audit(txn);
    return FR_OK;
}

static void test_a_failed_job_moves_nothing(void)
{
    struct store *s = test_ledger(NULL);
    struct fr_err mine;
    CHECK(store_now(s, half_job, NULL, &mine) == FR_E_FUNDS);
    CHECK(store_now(s, after_job, NULL, &mine) == FR_OK);
    test_close(s, NULL);
}

static enum fr_status one_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)e;
    int64_t id = 0;
    return test_move(txn, arg, ann, bob, 10, &id);
}

static enum fr_status audit_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    CHECK_INT(free_of(txn, ann), 980);
    check_audit(txn);
    return FR_OK;
}

static int oks;
static void one_done(void *arg, enum fr_status status, const struct fr_err *e)
{
    (void)arg; (void)e;
    oks += status == FR_OK;
}

static void test_a_failed_job_leaves_the_chain_of_its_group_whole(void)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct store *s = test_ledger(&loop);
    struct fr_err mine;
    oks = 0;
    CHECK(store_run(s, one_job, "g:1", one_done, &mine) == FR_OK);
    CHECK(store_run(s, half_job, NULL, one_done, &mine) == FR_OK);     // posts, then fails
    CHECK(store_run(s, one_job, "g:2", one_done, &mine) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(oks, 2);
    CHECK_INT(store_stats(s).groups, 1);
    CHECK(store_now(s, audit_job, NULL, &mine) == FR_OK);
    test_close(s, &loop);
    CHECK(uv_loop_close(&loop) == 0);
}

// ---- the journal

static char seen[2000];
static void see(void *arg, const struct ledger_entry *e)
{
    (void)arg;
    snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s ", e->key);
}
static void see_legs(void *arg, const struct ledger_entry *e)
{
    snprintf(arg, 400, "%s %s %s %s %s", e->kind, e->reason, e->asset, e->note, e->legs);
    CHECK_INT(strlen(e->hash), 64);
    CHECK_INT(e->at_ms, NOW);
}

static const char *journal(struct store_txn *txn, int64_t account, int64_t before, int limit)
{
    seen[0] = 0;
    CHECK(ledger_journal(txn, account, before, limit, see, NULL, &err) == FR_OK);
    return seen;
}

static enum fr_status journal_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    int64_t id = 0, b3 = 0, b2 = 0;
    CHECK(test_move(txn, "b:1", bob, ann, 1, &id) == FR_OK);
    CHECK(test_move(txn, "b:2", bob, cleo, 2, &b2) == FR_OK);
    CHECK(test_move(txn, "b:3", ann, cleo, 3, &b3) == FR_OK);
    CHECK(test_move(txn, "b:4", cleo, bob, 4, &id) == FR_OK);
    CHECK_TEXT(journal(txn, 0, 0, 3), "b:4 b:3 b:2 ");
    CHECK_TEXT(journal(txn, 0, b3, 2), "b:2 b:1 ");
    CHECK_TEXT(journal(txn, bob, 0, 10), "b:4 b:2 b:1 fund:bob ");
    CHECK_TEXT(journal(txn, bob, id, 2), "b:2 b:1 ");
    CHECK_TEXT(journal(txn, bob, b3, 2), "b:2 b:1 ");                       // a number that is not bob's works all the same
    CHECK_TEXT(journal(txn, bob, b2, 1), "b:1 ");
    CHECK_TEXT(journal(txn, cleo, 0, 2), "b:4 b:3 ");
    struct ledger_account fresh;
    CHECK(ledger_account(txn, OWNER_PLAYER, "dan", "TEST", &fresh, &err) == FR_OK);
    CHECK_TEXT(journal(txn, fresh.id, 0, 10), "");
    char text[400] = "", want[400];
    CHECK(ledger_journal(txn, cleo, 0, 1, see_legs, text, &err) == FR_OK);
    snprintf(want, sizeof want, "transfer gift TEST a note [{\"account\":\"%lld\",\"free\":\"-4\",\"held\":\"0\"},{\"account\":\"%lld\",\"free\":\"4\",\"held\":\"0\"}]",
             (long long)cleo, (long long)bob);
    CHECK_TEXT(text, want);
    return FR_OK;
}
static void test_the_journal_by_account(void) { test_with_ledger(journal_job); }

struct credits { char text[400]; int64_t sum; };
static enum fr_status see_credit(void *arg, const struct ledger_credit *c, struct fr_err *e)
{
    struct credits *at = arg;
    (void)e;
    size_t len = strlen(at->text);
    snprintf(at->text + len, sizeof at->text - len, "%s:%lld:%s:%s ", c->account->owner, (long long)c->units, c->reason, c->note);
    at->sum += c->units;
    return FR_OK;
}
static enum fr_status credits_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    struct credits found = { 0 };
    struct ledger_account duel, shop;
    struct ledger_hold h, ask = { .units = 4, .owner = "burn:1", .key = "burn:1:x" };
    int64_t id = 0, after = 0, free_units = 0, held_units = 0;
    bool more = false;
    CHECK(ledger_account(txn, OWNER_BURN, "duel", "TEST", &duel, &err) == FR_OK && ledger_account(txn, OWNER_BURN, "", "TEST", &shop, &err) == FR_OK);
    CHECK(test_move(txn, "c:1", ann, duel.id, 5, &id) == FR_OK && test_move(txn, "c:2", ann, bob, 9, &id) == FR_OK && test_move(txn, "c:3", bob, shop.id, 7, &id) == FR_OK);
    ask.account = duel.id;
    CHECK(ledger_hold_open(txn, &ask, "burning", NOW, &h, &err) == FR_OK);
    CHECK(ledger_hold_release(txn, h.id, "burn:1:back", "burn_returned", NOW, &id, &err) == FR_OK);       // comes back: nothing new
    CHECK(ledger_credits(txn, OWNER_BURN, 4, see_credit, &found, &after, &more, &err) == FR_OK && more);
    CHECK_TEXT(found.text, "duel:5:gift:a note ");                           // three rows made ann, bob and cleo rich
    CHECK_INT(after, 4);
    while (more) CHECK(ledger_credits(txn, OWNER_BURN, 2, see_credit, &found, &after, &more, &err) == FR_OK);
    CHECK_TEXT(found.text, "duel:5:gift:a note :7:gift:a note ");
    CHECK(ledger_credits(txn, OWNER_BURN, 100, see_credit, &found, &after, &more, &err) == FR_OK && !more && found.sum == 12);
    CHECK(ledger_kind_sum(txn, OWNER_BURN, "TEST", &free_units, &held_units, &err) == FR_OK && free_units == 12 && held_units == 0);
    return FR_OK;
}
static void test_what_came_into_burn_accounts_is_seen_once(void) { test_with_ledger(credits_job); }

int main(void)
{
    ledger_register();
    TEST(test_a_retry_moves_nothing);
    TEST(test_a_key_names_one_thing);
    TEST(test_only_the_outside_world_goes_below_zero);
    TEST(test_legs_are_checked);
    TEST(test_accounts_and_assets);
    TEST(test_linked_transfers_are_all_or_none);
    TEST(test_a_failed_job_moves_nothing);
    TEST(test_a_failed_job_leaves_the_chain_of_its_group_whole);
    TEST(test_the_journal_by_account);
    TEST(test_what_came_into_burn_accounts_is_seen_once);
    test_folder_drop();
    return TEST_END();
}
