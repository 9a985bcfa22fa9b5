// test.h — a store with this folder's tables for the whole program, and each test in a transaction of its own that is undone.
#pragma once
#include "base/hash.h"
#include "player/identity.h"
#include "store/test.h"

static struct store *test_store;
struct test_run { void (*body)(struct store_txn *txn); };

static inline enum fr_status test_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct test_run *run = arg;
    run->body(txn);
    return FR_FAIL(err, FR_E_CONFLICT, "undone on purpose");
}

static inline void test_in_txn(void (*body)(struct store_txn *txn))
{
    struct test_run run = { body };
    struct fr_err err = { 0 };
    if (store_now(test_store, test_job, &run, &err) != FR_E_CONFLICT) CHECK_TEXT(err.text, "undone on purpose");
}

// Declares a test whose body has `txn`.
#define TXN_TEST(name) \
    static void name##_body(struct store_txn *txn); \
    static void name(void) { test_in_txn(name##_body); } \
    static void name##_body(struct store_txn *txn)

static inline void test_begin(void)
{
    test_folder_new();
    player_register();
    test_store = test_open(NULL);
}

static inline int test_end(int failed)
{
    test_close(test_store, NULL);
    test_folder_drop();
    return failed;
}

// A player of bot 1; returns its id in one of a few buffers.
static inline const char *test_player(struct store_txn *txn, int64_t telegram_id)
{
    static struct player players[8];
    static int at;
    struct player *p = &players[at++ % 8];
    bool is_new;
    struct fr_err err = { 0 };
    if (player_enter(txn, "test", telegram_id, "Ann", "en", 1000, p, &is_new, &err) != FR_OK) CHECK_TEXT(err.text, "");
    return p->id;
}

#define OK(call) do { struct fr_err ok_err = { 0 }, *err = &ok_err; if ((call) != FR_OK) CHECK_TEXT(ok_err.text, ""); else CHECK(true); } while (0)
#define FAILS(call, want_status, want_code) do { struct fr_err fails_err = { 0 }, *err = &fails_err; \
    CHECK_INT((call), (want_status)); CHECK_TEXT(fails_err.code, (want_code)); CHECK(fails_err.text[0] != 0); } while (0)
