// test.h — a ledger with three players and a source of coins, for the tests of this folder.
#pragma once
#include "ledger/internal.h"
#include "store/test.h"

static struct fr_err err;
static int64_t world, ann, bob, cleo;              // accounts in TEST
#define NOW 1000000

static inline enum fr_status test_fund_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg;
    static const char *const names[] = { "ann", "bob", "cleo" };
    int64_t *const ids[] = { &ann, &bob, &cleo }, id = 0;
    struct ledger_account a;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "TEST", &a, e));
    world = a.id;
    for (int i = 0; i < 3; i++) {
        FR_TRY(ledger_account(txn, OWNER_PLAYER, names[i], "TEST", &a, e));
        *ids[i] = a.id;
        struct ledger_leg legs[] = { { world, -1000 }, { a.id, 1000 } };
        char key[40];
        snprintf(key, sizeof key, "fund:%s", names[i]);
        struct ledger_transfer t = { .key = key, .reason = "mint", .note = "", .legs = legs, .leg_count = 2 };
        FR_TRY(ledger_post(txn, &t, NOW, &id, e));
    }
    return FR_OK;
}

// A store with ann, bob and cleo, 1000 units of TEST each.
static inline struct store *test_ledger(uv_loop_t *loop)
{
    test_folder_new();
    struct store *s = test_open(loop);
    CHECK(store_now(s, test_fund_job, NULL, &err) == FR_OK);
    return s;
}

// Runs one test as one job, then the audit, which must find nothing.
static inline void test_with_ledger(store_job_fn *job)
{
    struct store *s = test_ledger(NULL);
    CHECK(store_now(s, job, NULL, &err) == FR_OK);
    test_close(s, NULL);
}

static inline enum fr_status test_move(struct store_txn *txn, const char *key, int64_t from, int64_t to, int64_t units, int64_t *id)
{
    struct ledger_leg legs[] = { { from, -units }, { to, units } };
    struct ledger_transfer t = { .key = key, .reason = "gift", .note = "a note", .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, NOW, id, &err);
}

static inline int64_t free_of(struct store_txn *txn, int64_t account)
{
    struct ledger_account a = { 0 };
    CHECK(ledger_account_get(txn, account, &a, &err) == FR_OK);
    return a.free_units;
}

static inline int64_t held_of(struct store_txn *txn, int64_t account)
{
    struct ledger_account a = { 0 };
    CHECK(ledger_account_get(txn, account, &a, &err) == FR_OK);
    return a.held_units;
}

static inline void check_audit(struct store_txn *txn)
{
    struct ledger_audit a = { 0 };
    int64_t worst = -1;
    CHECK(ledger_audit_run(txn, NULL, &a, &err) == FR_OK);
    CHECK(a.chain_ok && a.balances_ok && a.holds_ok && a.sums_ok);
    CHECK_TEXT(a.first_fault, "");
    CHECK(ledger_sums(txn, &worst, &err) == FR_OK && worst == 0);
}
