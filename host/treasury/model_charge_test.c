// model_charge_test.c — coins for models over a real store and ledger: split, given back, never more than was used; and a host that is killed at whatever moment costs the operator at most the open slab,
// and the payer nothing. KILLS=N (40).
#include "treasury/model_charge.h"
#include <signal.h>
#include <sys/wait.h>
#include <uv.h>
#include "base/clock.h"
#include "store/migrate.h"
#include "store/test.h"

static uv_loop_t loop;
static struct store *s;
static struct model_charge *m;
static struct fr_err why;
static int wallets_told;

// ---- an approval in a row: what may still be spent

static const struct store_migration approval_steps[] = { { "test_approval", 1, "CREATE TABLE approval(units INTEGER NOT NULL) STRICT; INSERT INTO approval VALUES(100000)" } };

static enum fr_status approval_add(struct store_txn *txn, int64_t by, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE approval SET units = units + ?1", &row, err));
    sql_bind_int(row, 1, by);
    return sql_do(row, NULL, err);
}

static enum fr_status approval_left(struct store_txn *txn, int64_t *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found;
    FR_TRY(sql_begin(txn, "SELECT units FROM approval", &row, err));
    FR_TRY(sql_step(row, &found, err));
    *ret = sql_int(row, 0);
    return FR_OK;
}

static enum fr_status terms_of(void *arg, const char *tenant, char terms[SHA256_HEX_BYTES], struct fr_err *err)
{
    (void)arg;
    if (strcmp(tenant, "plugin:gone") == 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugin_unknown", "no such plugin");
    snprintf(terms, SHA256_HEX_BYTES, "terms");
    return FR_OK;
}
static enum fr_status spend(struct store_txn *txn, void *arg, const char *player, const char *tenant, const char *asset, const char *terms, int64_t least, int64_t wish, int64_t now_ms, int64_t *got, struct fr_err *err)
{
    int64_t left;
    (void)arg, (void)now_ms, (void)tenant;
    CHECK(strcmp(player, "1") == 0 && strcmp(asset, "PALM") == 0 && strcmp(terms, "terms") == 0);
    FR_TRY(approval_left(txn, &left, err));
    if (left < least) return FR_FAIL_CODE(err, FR_E_DENIED, "consent_required", "only %lld are approved", (long long)left);
    *got = left < wish ? left : wish;
    return approval_add(txn, -*got, err);
}
static enum fr_status give_back(struct store_txn *txn, void *arg, const char *player, const char *tenant, const char *asset, int64_t units, int64_t spent_ms, int64_t now_ms, struct fr_err *err)
{
    (void)arg, (void)player, (void)tenant, (void)asset;
    CHECK(units > 0 && spent_ms <= now_ms);
    return approval_add(txn, units, err);
}
static void on_wallet(void *arg, const char *player, const char *asset) { (void)arg; wallets_told++; CHECK(strcmp(player, "1") == 0 && strcmp(asset, "PALM") == 0); }

// ---- the world

static void charge_open(void)
{
    struct model_charge_options o = { .loop = &loop, .store = s, .asset = "PALM", .burn_bps = 1000, .approval = { NULL, terms_of, spend, give_back }, .wallet = on_wallet };
    if (model_charge_open(&o, &m, &why) != FR_OK) CHECK_TEXT(why.text, "");
}

static enum fr_status job_fund(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct ledger_account from, to;
    int64_t id;
    (void)arg;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "world", "PALM", &from, err));
    for (int i = 0; i < 2; i++) {
        FR_TRY(ledger_account(txn, i ? OWNER_PLUGIN : OWNER_PLAYER, i ? "quiz" : "1", "PALM", &to, err));
        struct ledger_leg legs[] = { { from.id, -1000000 }, { to.id, 1000000 } };
        struct ledger_transfer t = { .key = i ? "fund:2" : "fund:1", .reason = "mint", .note = "", .legs = legs, .leg_count = 2 };
        FR_TRY(ledger_post(txn, &t, 1, &id, err));
    }
    return FR_OK;
}

struct books { int64_t player, player_held, plugin, plugin_held, burn, burn_llm, treasury, approval, worst; int holds; bool good; };
static enum fr_status job_books(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct books *b = arg;
    struct ledger_audit audit;
    struct ledger_hold holds[8];
    int64_t held;
    FR_TRY(ledger_balance(txn, OWNER_PLAYER, "1", "PALM", &b->player, &b->player_held, err));
    FR_TRY(ledger_balance(txn, OWNER_PLUGIN, "quiz", "PALM", &b->plugin, &b->plugin_held, err));
    FR_TRY(ledger_balance(txn, OWNER_BURN, "quiz", "PALM", &b->burn, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_BURN, "llm", "PALM", &b->burn_llm, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_TREASURY, "", "PALM", &b->treasury, &held, err));
    FR_TRY(approval_left(txn, &b->approval, err));
    FR_TRY(ledger_sums(txn, &b->worst, err));
    FR_TRY(ledger_holds_open(txn, holds, 8, &b->holds, err));
    FR_TRY(ledger_audit_run(txn, model_charge_owner_alive, &audit, err));
    b->good = audit.chain_ok && audit.balances_ok && audit.holds_ok && audit.sums_ok && audit.holds_orphaned == 0;
    return FR_OK;
}
static struct books books(void)
{
    struct books b = { 0 };
    if (store_now(s, job_books, &b, &why) != FR_OK) CHECK_TEXT(why.text, "");
    CHECK(b.good && b.worst == 0);
    return b;
}

static void begin(void)
{
    test_folder_new();
    uv_loop_init(&loop);
    s = test_open(&loop);
    wallets_told = 0;
    if (store_now(s, job_fund, NULL, &why) != FR_OK) CHECK_TEXT(why.text, "");
    charge_open();
}
static void close_all(void)
{
    model_charge_stop(m);
    test_close(s, &loop);
    model_charge_free(m);
}
static void end(void)
{
    close_all();
    CHECK_INT(uv_loop_close(&loop), 0);
    test_folder_drop();
}

static struct got { int done; enum fr_status st; int64_t slab, units; char code[40]; } got;
static void on_slab(void *arg, enum fr_status st, int64_t slab, int64_t units, const struct fr_err *err)
{
    struct got *g = arg;
    *g = (struct got){ g->done + 1, st, slab, units, "" };
    snprintf(g->code, sizeof g->code, "%s", err ? err->code : "");
}
static const struct llm_meter *meter(void) { return model_charge_meter(m); }
static void reserve(const char *payer, const char *tenant, int64_t least, int64_t wish)
{
    got = (struct got){ 0 };
    enum fr_status st = meter()->reserve(meter()->arg, payer, tenant, least, wish, on_slab, &got, &why);
    CHECK(got.done == 0);                                          // never from inside
    if (st != FR_OK) { got.st = st; snprintf(got.code, sizeof got.code, "%s", why.code); return; }
    while (!got.done) uv_run(&loop, UV_RUN_ONCE);
}
static enum fr_status job_nothing(struct store_txn *txn, void *arg, struct fr_err *err) { (void)txn, (void)arg, (void)err; return FR_OK; }
static void on_nothing(void *arg, enum fr_status st, const struct fr_err *err) { (void)st, (void)err; *(bool *)arg = true; }
static void settle(int64_t slab, int64_t spent, bool over)
{
    bool durable = false;
    meter()->settle(meter()->arg, slab, spent, over);
    CHECK(store_run(s, job_nothing, &durable, on_nothing, &why) == FR_OK);         // jobs end in their order
    while (!durable) uv_run(&loop, UV_RUN_ONCE);
}

static void test_a_slab_is_split_and_its_rest_comes_back(void)
{
    begin();
    reserve("player:1", "plugin:quiz", 10, 1000);
    CHECK(got.st == FR_OK && got.units == 1000);
    struct books b = books();
    CHECK(b.player == 999000 && b.player_held == 1000 && b.approval == 99000 && b.holds == 1);
    settle(got.slab, 300, false);
    CHECK(books().player_held == 1000);                            // said, not booked
    settle(got.slab, 333, true);
    b = books();
    CHECK(b.player == 999667 && b.player_held == 0 && b.approval == 99667 && b.holds == 0);
    CHECK(b.burn == 33 && b.treasury == 300 && b.burn_llm == 0);
    settle(got.slab, 999, true);                                   // again: nothing
    settle(got.slab, 999, false);
    CHECK(books().player == 999667);
    CHECK_INT(wallets_told, 2);
    reserve("plugin:quiz", "plugin:quiz", 1, 100);                 // its own account, and no approval
    settle(got.slab, 0, true);
    CHECK(books().plugin == 1000000);
    reserve("player:1", "key:5", 1, 100);
    settle(got.slab, 1000000, true);                               // more than the slab is the slab
    b = books();
    CHECK(b.player == 999567 && b.burn_llm == 10 && b.treasury == 390);
    end();
}

static void test_who_has_too_little_gets_what_there_is_or_a_refusal(void)
{
    begin();
    reserve("player:1", "plugin:quiz", 10, 5000000);
    CHECK(got.st == FR_OK && got.units == 100000);                 // the approval ends before the balance
    int64_t first = got.slab;
    reserve("player:1", "plugin:quiz", 1, 10);
    CHECK(got.st == FR_E_DENIED && strcmp(got.code, "consent_required") == 0);
    settle(first, 0, true);
    reserve("player:1", "plugin:quiz", 1000001, 5000000);
    CHECK(got.st == FR_E_FUNDS && strcmp(got.code, "llm_funds") == 0);
    reserve("player:99", "plugin:quiz", 1, 10);
    CHECK(got.st == FR_E_FUNDS);
    reserve("nobody", "plugin:quiz", 1, 10);
    CHECK(got.st == FR_E_FUNDS);
    reserve("player:1", "plugin:gone", 1, 10);
    CHECK(got.st == FR_E_NOT_FOUND);
    struct books b = books();
    CHECK(b.player == 1000000 && b.approval == 100000 && b.holds == 0);
    end();
}

static void test_the_next_start_ends_what_was_open(void)
{
    begin();
    reserve("player:1", "plugin:quiz", 10, 1000);
    settle(got.slab, 250, false);
    reserve("plugin:quiz", "plugin:quiz", 10, 500);                // of this one nothing was said
    close_all();
    s = test_open(&loop);
    charge_open();
    struct books b = books();
    CHECK(b.player == 999750 && b.approval == 99750 && b.plugin == 1000000 && b.holds == 0 && b.burn == 25 && b.treasury == 225);
    end();
}

// ---- kill -9

enum { SAID_SLAB = 1, SAID_BEFORE, SAID_USED, SAID_SETTLED, SAID_ENDED };
struct said { int what; int64_t units; };
static void report(int fd, int what, int64_t units)
{
    struct said x = { what, units };
    if (write(fd, &x, sizeof x) != (ssize_t)sizeof x) _exit(1);
}

// A host in small: slabs one after the other, used in steps, said now and then.
static void child(int fd, unsigned seed)
{
    uv_loop_init(&loop);
    s = test_open(&loop);
    charge_open();
    for (;;) {
        int64_t used = 0;
        reserve("player:1", "plugin:quiz", 10, 200);
        if (got.st != FR_OK) _exit(2);
        report(fd, SAID_SLAB, got.units);
        int64_t slab = got.slab, units = got.units;
        while (used + 10 <= units) {
            int64_t cost = 1 + rand_r(&seed) % 10;
            report(fd, SAID_BEFORE, cost);
            used += cost;
            report(fd, SAID_USED, cost);
            if (rand_r(&seed) % 4) continue;
            if (rand_r(&seed) % 2) settle(slab, used, false), report(fd, SAID_SETTLED, used);
            else meter()->settle(meter()->arg, slab, used, false);         // under way when it is killed
            if (rand_r(&seed) % 4 == 0) break;
        }
        meter()->settle(meter()->arg, slab, used, true);
        if (rand_r(&seed) % 2) settle(slab, used, true);
        report(fd, SAID_ENDED, used);
    }
}

static void test_a_kill_at_any_moment_costs_the_operator_a_slab_at_most_and_the_payer_nothing(void)
{
    const char *text = getenv("KILLS");
    int kills = text ? atoi(text) : 40;
    int64_t worst_loss = 0, worst_slab = 0, all_used = 0;
    begin();
    close_all();
    struct books before = { .player = 1000000, .approval = 100000 };
    unsigned seed = 11;
    for (int i = 0; i < kills; i++) {
        int fds[2], stop_at = 1 + rand_r(&seed) % 60, seen = 0;
        int64_t used = 0, maybe = 0, open_units = 0, open_settled = 0;
        struct said x;
        CHECK(pipe(fds) == 0);
        pid_t pid = fork();
        if (pid == 0) { close(fds[0]); child(fds[1], seed + (unsigned)i); }
        close(fds[1]);
        bool killed = false;
        while (read(fds[0], &x, sizeof x) == (ssize_t)sizeof x) {  // what it said before it was gone
            if (x.what == SAID_SLAB) open_units = x.units, open_settled = 0;       // the one before has ended: its end came before this one's beginning
            if (x.what == SAID_BEFORE) maybe += x.units;
            if (x.what == SAID_USED) used += x.units;
            if (x.what == SAID_SETTLED) open_settled = x.units;
            if (++seen >= stop_at && !killed) kill(pid, SIGKILL), killed = true;
        }
        close(fds[0]);
        CHECK(waitpid(pid, NULL, 0) == pid && killed);
        s = test_open(&loop);
        charge_open();
        struct books b = books();
        int64_t paid = before.player - b.player, loss = used - paid;
        CHECK(b.holds == 0 && b.player_held == 0);
        CHECK(paid >= 0 && paid <= maybe);                                            // nothing that was not used
        CHECK_INT(before.approval - b.approval, paid);
        CHECK_INT((b.burn - before.burn) + (b.treasury - before.treasury), paid);
        CHECK(loss <= open_units - open_settled);                                    // what the open slab held and nobody had written
        if (loss > worst_loss) worst_loss = loss, worst_slab = open_units;
        all_used += used;
        before = b;
        close_all();
    }
    printf("# %d kills: %lld units used, at worst %lld of a slab of %lld were lost to the operator\n", kills, (long long)all_used, (long long)worst_loss, (long long)worst_slab);
    CHECK(all_used > 100);
    test_folder_drop();
}

int main(void)
{
    ledger_register();
    model_charge_register();
    store_register(approval_steps, 1);
    TEST(test_a_slab_is_split_and_its_rest_comes_back);
    TEST(test_who_has_too_little_gets_what_there_is_or_a_refusal);
    TEST(test_the_next_start_ends_what_was_open);
    TEST(test_a_kill_at_any_moment_costs_the_operator_a_slab_at_most_and_the_payer_nothing);
    return TEST_END();
}
