// look_test.c — the look at the end of the journal finds what was changed, cut out or made from nothing.
#include "ledger/test.h"

static enum fr_status sql_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, arg, &row, e));
    return sql_do(row, NULL, e);
}

static enum fr_status many_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)e;
    for (int i = 0; i < *(int *)arg; i++) {
        char key[40];
        int64_t id;
        snprintf(key, sizeof key, "m:%d", i);
        FR_TRY(test_move(txn, key, i % 2 ? bob : ann, i % 2 ? ann : bob, 1, &id));
    }
    return FR_OK;
}

static enum fr_status look_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct ledger_head *head = arg;
    FR_TRY(ledger_head(txn, head, e));
    return ledger_look(txn, e);
}

static enum fr_status clock_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    int64_t *found = arg;
    return ledger_clock(txn, &found[0], &found[1], e);
}

static enum fr_status hash_job(struct store_txn *txn, void *arg, struct fr_err *e) { return ledger_entry_hash(txn, 5, arg, e); }

static void test_each_damage_is_found(void)
{
    static char *const tampering[] = {
        "UPDATE journal SET note='other' WHERE id=7", "UPDATE journal SET legs=replace(legs, '1', '2') WHERE id=9", "DELETE FROM journal WHERE id=6", "UPDATE journal SET hash=x'00' WHERE id=8",
        "UPDATE journal SET at_ms=at_ms+1 WHERE id=(SELECT max(id) FROM journal)", "UPDATE account SET free=free+1 WHERE id=2",
    };
    struct ledger_head head;
    int many = 10;
    for (size_t i = 0; i < sizeof tampering / sizeof tampering[0]; i++) {
        struct store *s = test_ledger(NULL);
        CHECK(store_now(s, many_job, &many, &err) == FR_OK);
        CHECK(store_now(s, look_job, &head, &err) == FR_OK);
        CHECK(head.entries == 13 && head.at_ms == NOW && strlen(head.hash) == 64);
        CHECK(store_now(s, sql_job, tampering[i], &err) == FR_OK);
        enum fr_status st = store_now(s, look_job, &head, &err);
        if (st != FR_E_CORRUPT) printf("  not found: %s\n", tampering[i]);
        CHECK(st == FR_E_CORRUPT);
        CHECK_TEXT(err.code, "ledger_wrong");
        test_close(s, NULL);
    }
}

static void test_a_long_journal_is_looked_at_from_its_end(void)
{
    struct ledger_head head;
    int many = LEDGER_LOOK_ROWS + 50;
    int64_t clock[2];
    char hash[SHA256_HEX_BYTES];
    struct store *s = test_ledger(NULL);
    CHECK(store_now(s, many_job, &many, &err) == FR_OK);
    CHECK(store_now(s, look_job, &head, &err) == FR_OK);
    CHECK_INT(head.entries, many + 3);
    CHECK(store_now(s, hash_job, hash, &err) == FR_OK && strlen(hash) == 64);
    CHECK(store_now(s, sql_job, (char *)"UPDATE journal SET note='old' WHERE id=20", &err) == FR_OK);      // further back: the audit's part
    CHECK(store_now(s, look_job, &head, &err) == FR_OK);
    CHECK(store_now(s, clock_job, clock, &err) == FR_OK && clock[0] == 0);
    CHECK(store_now(s, sql_job, (char *)"UPDATE journal SET at_ms=at_ms-5000 WHERE id=20020", &err) == FR_OK);
    CHECK(store_now(s, clock_job, clock, &err) == FR_OK);
    CHECK(clock[0] == 5000 && clock[1] == 20020);
    CHECK(store_now(s, look_job, &head, &err) == FR_E_CORRUPT);
    CHECK(strstr(err.text, "row 20020 was changed") != NULL);
    test_close(s, NULL);
}

static void test_an_empty_journal_is_sound(void)
{
    struct ledger_head head;
    test_folder_new();
    struct store *s = test_open(NULL);
    CHECK(store_now(s, look_job, &head, &err) == FR_OK);
    CHECK(head.entries == 0 && head.hash[0] == 0);
    test_close(s, NULL);
}

int main(void)
{
    ledger_register();
    TEST(test_each_damage_is_found);
    TEST(test_a_long_journal_is_looked_at_from_its_end);
    TEST(test_an_empty_journal_is_sound);
    test_folder_drop();
    return TEST_END();
}
