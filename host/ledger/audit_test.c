// audit_test.c — the audit finds what was tampered with, and finds nothing after 20,000 random operations and after kill -9.
#include <signal.h>
#include <sys/wait.h>
#include "ledger/test.h"

// ---- tampering, by hand in the database

static enum fr_status sql_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, arg, &row, e));
    return sql_do(row, NULL, e);
}

static enum fr_status story_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg;
    int64_t id = 0;
    struct ledger_hold ask = { .account = ann, .units = 100, .owner = "match:1", .key = "h:1" }, open = { .account = bob, .units = 50, .owner = "match:2", .key = "h:2" };
    CHECK(test_move(txn, "t:1", ann, bob, 10, &id) == FR_OK);
    FR_TRY(ledger_hold_open(txn, &ask, "stake", NOW, &ask, e));
    FR_TRY(ledger_hold_open(txn, &open, "stake", NOW, &open, e));
    FR_TRY(ledger_hold_settle(txn, ask.id, (struct ledger_leg[]){ { bob, 100 } }, 1, "s:1", "win", "", NOW, &id, e));
    CHECK(test_move(txn, "t:2", bob, cleo, 20, &id) == FR_OK);
    check_audit(txn);
    return FR_OK;
}

static bool match_2_is_over(struct store_txn *txn, const char *owner)
{
    (void)txn;
    return strcmp(owner, "match:2") != 0;
}

static enum fr_status audit_job(struct store_txn *txn, void *arg, struct fr_err *e) { return ledger_audit_run(txn, match_2_is_over, arg, e); }

static struct ledger_audit audit_after(const char *sql)
{
    struct ledger_audit a = { 0 };
    struct store *s = test_ledger(NULL);
    CHECK(store_now(s, story_job, NULL, &err) == FR_OK);
    if (sql && store_now(s, sql_job, (void *)sql, &err) != FR_OK) printf("  %s: %s\n", sql, err.text);
    CHECK(store_now(s, audit_job, &a, &err) == FR_OK);
    test_close(s, NULL);
    return a;
}

static void test_an_honest_ledger_has_no_fault(void)
{
    struct ledger_audit a = audit_after(NULL);
    CHECK(a.chain_ok && a.balances_ok && a.holds_ok && a.sums_ok && a.sum_units == 0);
    CHECK_TEXT(a.first_fault, "");
    CHECK(a.entries == 8 && a.accounts == 4 && a.holds_open == 1 && a.holds_orphaned == 1);
    CHECK_INT(strlen(a.head), 64);
}

enum flag { CHAIN, BALANCES, HOLDS, SUMS };

static void test_tampering_is_found(void)
{
    static const struct { const char *sql; enum flag flag; const char *says; } cases[] = {
        { "UPDATE journal SET note = 'other' WHERE key = 't:1'", CHAIN, "journal row 4 (t:1) was changed" },
        { "UPDATE journal SET at_ms = at_ms + 1 WHERE key = 't:1'", CHAIN, "was changed" },
        { "UPDATE journal SET content = zeroblob(16) WHERE key = 't:1'", CHAIN, "was changed" },
        { "UPDATE journal SET reason = 'other' WHERE key = 't:1'", CHAIN, "was changed" },
        { "UPDATE journal SET subject = '4' WHERE key = 's:1'", CHAIN, "was changed" },
        { "UPDATE journal SET hash = zeroblob(32) WHERE key = 't:1'", CHAIN, "was changed" },
        { "UPDATE journal SET hash = zeroblob(3) WHERE key = 't:2'", CHAIN, "was changed" },
        { "UPDATE journal SET legs = replace(legs, '10', '11') WHERE key = 't:1'", BALANCES, "was changed" },
        { "UPDATE journal SET legs = 'what' WHERE key = 't:1'", BALANCES, "was changed" },
        { "UPDATE account SET free = free + 1 WHERE owner = 'ann'", BALANCES, "account 2 (player ann TEST) has 891 free" },
        { "UPDATE account SET free = free + 1 WHERE owner = 'ann'", SUMS, "" },
        { "UPDATE account SET held = held + 1 WHERE owner = 'ann'", BALANCES, "1 held" },
        { "UPDATE account SET last_entry = 1 WHERE owner = 'ann'", CHAIN, "as its last" },
        { "UPDATE account SET free = free - 5, held = held + 5 WHERE owner = 'cleo'", BALANCES, "5 held" },
        { "DELETE FROM journal WHERE key = 't:1'", CHAIN, "journal row 4 is missing" },
        { "DELETE FROM journal WHERE key = 't:2'", CHAIN, "" },
        { "DELETE FROM journal WHERE key = 't:2'", BALANCES, "" },
        { "INSERT INTO hold SELECT id + 100, account, units, expires_ms, state, owner, key || 'x' FROM hold WHERE key = 'h:2'", HOLDS, "is not in the journal" },
        { "DELETE FROM hold WHERE key = 'h:2'", HOLDS, "is missing" },
        { "UPDATE hold SET units = units + 1 WHERE key = 'h:2'", HOLDS, "is not what the journal opened" },
        { "UPDATE hold SET owner = 'match:9' WHERE key = 'h:2'", HOLDS, "is not what the journal opened" },
        { "UPDATE hold SET state = 0 WHERE key = 'h:1'", HOLDS, "in another state" },
        { "UPDATE hold SET state = 1 WHERE key = 'h:2'", HOLDS, "in another state" },
        { "INSERT INTO journal SELECT id + 1, at_ms, kind, key || 'x', reason, asset, subject, legs, note, content, hash FROM journal WHERE key = 't:2'", CHAIN, "was changed" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ledger_audit a = audit_after(cases[i].sql);
        bool ok[] = { [CHAIN] = a.chain_ok, [BALANCES] = a.balances_ok, [HOLDS] = a.holds_ok, [SUMS] = a.sums_ok };
        bool found = !ok[cases[i].flag] && a.first_fault[0] && strstr(a.first_fault, cases[i].says);
        if (!found) printf("  %s: \"%s\"\n", cases[i].sql, a.first_fault);
        CHECK(found);
    }
}

// A forger who can reckon: the last row gets other legs and a hash that fits.
static enum fr_status forge_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    FR_SQL_ROW(write);
    struct journal_row last;
    uint8_t before[SHA256_BYTES], hash[SHA256_BYTES];
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT " JOURNAL_COLUMNS ", (SELECT hash FROM journal b WHERE b.id = a.id - 1) FROM journal a ORDER BY id DESC LIMIT 1", &row, e));
    FR_TRY(sql_step(row, &found, e));
    size_t len = 0;
    const void *bytes = sql_bytes(row, 11, &len);
    CHECK(found && len == SHA256_BYTES);
    memcpy(before, bytes, sizeof before);
    journal_row_read(row, &last);
    last.legs = arg;
    journal_row_hash(before, &last, hash);
    FR_TRY(sql_begin(txn, "UPDATE journal SET legs = ?1, hash = ?2 WHERE id = ?3", &write, e));
    sql_bind_text(write, 1, arg);
    sql_bind_bytes(write, 2, hash, sizeof hash);
    sql_bind_int(write, 3, last.id);
    return sql_do(write, NULL, e);
}

static struct ledger_audit audit_forged(const char *legs)
{
    struct ledger_audit a = { 0 };
    struct store *s = test_ledger(NULL);
    CHECK(store_now(s, story_job, NULL, &err) == FR_OK);
    CHECK(store_now(s, forge_job, (void *)legs, &err) == FR_OK);
    CHECK(store_now(s, audit_job, &a, &err) == FR_OK);
    test_close(s, NULL);
    return a;
}

static void test_a_forged_row_with_a_fitting_hash_is_found(void)
{
    // bob is account 3, whose row before the last is 7; cleo is account 4, whose is 3.
    struct ledger_audit a = audit_forged("3:-20:0:7,4:20:0:3");
    CHECK_TEXT(a.first_fault, "");
    a = audit_forged("3:-20:0:5,4:20:0:3");
    CHECK(!a.chain_ok && strstr(a.first_fault, "was the row before it") != NULL);
    a = audit_forged("3:-20:0:7,4:21:0:3");
    CHECK(!a.sums_ok && !a.balances_ok && strstr(a.first_fault, "do not sum to 0") != NULL);
    a = audit_forged("3:-30:0:7,4:30:0:3");
    CHECK(a.chain_ok && a.sums_ok && !a.balances_ok);
    a = audit_forged("3:-20:0:7,99:20:0:3");
    CHECK(!a.balances_ok && strstr(a.first_fault, "which is not there") != NULL);
}

static enum fr_status doubled_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    // A hold that was settled twice, with money to match: only the holds' own history tells.
    (void)arg;
    struct ledger_hold open = { .account = bob, .units = 50, .owner = "match:3", .key = "h:3" };
    int64_t id = 0;
    FR_TRY(ledger_hold_open(txn, &open, "stake", NOW, &open, e));
    FR_TRY(ledger_hold_settle(txn, open.id, (struct ledger_leg[]){ { ann, 50 } }, 1, "s:3", "win", "", NOW, &id, e));
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE hold SET state = 0 WHERE id = ?1", &row, e));
    sql_bind_int(row, 1, open.id);
    FR_TRY(sql_do(row, NULL, e));
    FR_SQL_ROW(held);
    FR_TRY(sql_begin(txn, "UPDATE account SET held = held + 50 WHERE id = ?1", &held, e));
    sql_bind_int(held, 1, bob);
    FR_TRY(sql_do(held, NULL, e));
    return ledger_hold_settle(txn, open.id, (struct ledger_leg[]){ { ann, 50 } }, 1, "s:4", "win", "", NOW, &id, e);
}

static void test_a_hold_settled_twice_is_found(void)
{
    struct store *s = test_ledger(NULL);
    struct ledger_audit a = { 0 };
    CHECK(store_now(s, doubled_job, NULL, &err) == FR_OK);
    CHECK(store_now(s, audit_job, &a, &err) == FR_OK);
    CHECK(!a.holds_ok && strstr(a.first_fault, "a second time") != NULL);
    test_close(s, NULL);
}

// ---- 20,000 random operations

#define PLAYERS 12
static int64_t players[PLAYERS], model_free[PLAYERS], model_held[PLAYERS];
static struct { int64_t id, units; int player; } holds[400];
static int hold_count, random_op;

static int pick(int n) { return (int)(random() % n); }

static enum fr_status players_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg;
    for (int i = 0; i < PLAYERS; i++) {
        char name[20], key[20];
        int64_t id = 0;
        struct ledger_account a;
        snprintf(name, sizeof name, "r%d", i);
        snprintf(key, sizeof key, "fund:r%d", i);
        FR_TRY(ledger_account(txn, OWNER_PLAYER, name, "TEST", &a, e));
        players[i] = a.id;
        model_free[i] = 10000;
        CHECK(test_move(txn, key, world, a.id, 10000, &id) == FR_OK);
    }
    return FR_OK;
}

static void random_move(struct store_txn *txn, const char *key)
{
    int from = pick(PLAYERS), to = (from + 1 + pick(PLAYERS - 1)) % PLAYERS;
    int64_t units = 1 + pick(3000), id = 0;
    enum fr_status want = model_free[from] >= units ? FR_OK : FR_E_FUNDS;
    CHECK_INT(test_move(txn, key, players[from], players[to], units, &id), want);
    if (want != FR_OK) return;
    model_free[from] -= units;
    model_free[to] += units;
    if (pick(4) == 0) CHECK(test_move(txn, key, players[from], players[to], units, &id) == FR_OK);
}

static void random_hold(struct store_txn *txn, const char *key)
{
    int player = pick(PLAYERS);
    struct ledger_hold h = { .account = players[player], .units = 1 + pick(2000), .owner = "match:r" }, made;
    snprintf(h.key, sizeof h.key, "%s", key);
    if (hold_count == 200) return;
    enum fr_status want = model_free[player] >= h.units ? FR_OK : FR_E_FUNDS;
    CHECK_INT(ledger_hold_open(txn, &h, "stake", NOW, &made, &err), want);
    if (want != FR_OK) return;
    model_free[player] -= h.units;
    model_held[player] += h.units;
    holds[hold_count].id = made.id;
    holds[hold_count].units = h.units;
    holds[hold_count++].player = player;
}

static void random_end(struct store_txn *txn, const char *key)
{
    if (hold_count == 0) return;
    int at = pick(hold_count), to = pick(PLAYERS), from = holds[at].player;
    int64_t units = holds[at].units, given = 1 + pick((int)units), id = 0;
    if (pick(3) == 0) {
        CHECK(ledger_hold_release(txn, holds[at].id, key, "void", NOW, &id, &err) == FR_OK);
        given = 0;
    } else {
        struct ledger_leg leg = { players[to], given };
        CHECK(ledger_hold_settle(txn, holds[at].id, &leg, 1, key, "win", "", NOW, &id, &err) == FR_OK);
    }
    model_held[from] -= units;
    model_free[from] += units - given;
    model_free[to] += given;
    holds[at] = holds[--hold_count];
}

static enum fr_status random_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    for (int i = 0; i < 50; i++) {
        char key[30];
        snprintf(key, sizeof key, "op:%d", random_op++);
        switch (pick(4)) {
        case 0: random_hold(txn, key); break;
        case 1: random_end(txn, key); break;
        default: random_move(txn, key);
        }
    }
    return FR_OK;
}

static enum fr_status undone_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg;
    int64_t id = 0;
    char key[30];
    snprintf(key, sizeof key, "undone:%d", random_op);
    for (int i = 0; i < PLAYERS && test_move(txn, key, players[i], ann, 1, &id) != FR_OK; i++) continue;
    return FR_FAIL(e, FR_E_INVALID, "undone");
}

static enum fr_status compare_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg; (void)e;
    for (int i = 0; i < PLAYERS; i++) {
        CHECK_INT(free_of(txn, players[i]), model_free[i]);
        CHECK_INT(held_of(txn, players[i]), model_held[i]);
    }
    check_audit(txn);
    return FR_OK;
}

static void test_20000_random_operations(void)
{
    srandom(11);
    struct store *s = test_ledger(NULL);
    struct fr_err mine;
    CHECK(store_now(s, players_job, NULL, &mine) == FR_OK);
    for (int i = 0; i < 400; i++) {
        CHECK(store_now(s, random_job, NULL, &mine) == FR_OK);
        if (i % 7 == 0) CHECK(store_now(s, undone_job, NULL, &mine) == FR_E_INVALID);
    }
    CHECK_INT(random_op, 20000);
    CHECK(store_now(s, compare_job, NULL, &mine) == FR_OK);
    test_close(s, NULL);
    s = test_open(NULL);                           // and after a restart
    CHECK(store_now(s, compare_job, NULL, &mine) == FR_OK);
    test_close(s, NULL);
}

// ---- kill -9 in the middle of transfers

#define KILL_ROUNDS 24
#define KILL_JOBS 40
struct gift { int number; int64_t id; };
static struct gift gifts[KILL_ROUNDS * KILL_JOBS];
static int kill_pipe;

static enum fr_status gift_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct gift *g = arg;
    struct ledger_leg legs[] = { { world, -7 }, { ann, 3 }, { bob, 4 } };
    char key[30];
    snprintf(key, sizeof key, "gift:%d", g->number);
    struct ledger_transfer t = { .key = key, .reason = "mint", .legs = legs, .leg_count = 3 };
    return ledger_post(txn, &t, NOW, &g->id, e);
}

static void gift_done(void *arg, enum fr_status status, const struct fr_err *e)
{
    (void)e;
    if (status == FR_OK && write(kill_pipe, arg, sizeof(struct gift)) != sizeof(struct gift)) _exit(3);
}

static void kill_child(int first)
{
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct store *s = test_open(&loop);
    for (int i = first; i < first + KILL_JOBS; i++) {
        gifts[i].number = i;
        if (store_run(s, gift_job, &gifts[i], gift_done, &err) != FR_OK) _exit(4);
        if (i % 4 == 0) uv_run(&loop, UV_RUN_NOWAIT);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    pause();
    _exit(5);
}

static int64_t told[KILL_ROUNDS * KILL_JOBS];      // the journal number each gift was acknowledged with

static enum fr_status told_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    int count = *(int *)arg;
    int64_t before = free_of(txn, ann), missing = 0;
    for (int i = 0; i < count; i++) {
        struct gift again = { .number = i };
        if (told[i] == 0) continue;
        FR_TRY(gift_job(txn, &again, e));
        if (again.id != told[i]) missing++;        // a new number: it was not there
    }
    CHECK_INT(missing, 0);
    CHECK_INT(free_of(txn, ann), before);
    check_audit(txn);
    return FR_OK;
}

static void test_kill_9_loses_no_acknowledged_transfer(void)
{
    struct store *s = test_ledger(NULL);
    test_close(s, NULL);
    srandom((unsigned)getpid());
    for (int round = 0; round < KILL_ROUNDS; round++) {
        int ends[2], wait_for = pick(KILL_JOBS + 1), count = (round + 1) * KILL_JOBS, status = 0;
        struct gift g;
        CHECK(pipe(ends) == 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(ends[0]);
            kill_pipe = ends[1];
            kill_child(round * KILL_JOBS);
        }
        close(ends[1]);
        for (int n = 0; n < wait_for && read(ends[0], &g, sizeof g) == sizeof g; n++) told[g.number] = g.id;
        kill(pid, SIGKILL);
        while (read(ends[0], &g, sizeof g) == sizeof g) told[g.number] = g.id;
        close(ends[0]);
        waitpid(pid, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        s = test_open(NULL);
        struct fr_err mine;
        if (store_now(s, told_job, &count, &mine) != FR_OK) CHECK(!"the check itself failed");
        test_close(s, NULL);
    }
}

int main(void)
{
    ledger_register();
    TEST(test_kill_9_loses_no_acknowledged_transfer);      // first: it forks
    TEST(test_an_honest_ledger_has_no_fault);
    TEST(test_tampering_is_found);
    TEST(test_a_forged_row_with_a_fitting_hash_is_found);
    TEST(test_a_hold_settled_twice_is_found);
    TEST(test_20000_random_operations);
    test_folder_drop();
    return TEST_END();
}
