// reconcile_test.c — what is owed against what is there: a shortfall is found at the block it happens, halts and recovers; old data that was restored is noticed; nothing is credited twice.
#include "treasury/model.h"
#include "store/test.h"
#include "treasury/reconcile.h"

static uv_loop_t loop;
static struct fr_err why;
static struct store *s;
static struct endpoints *e;
static struct deposit *d;
static struct reconcile *r;
static struct treasury_part part;
static int quorum = 1;
static char halted[2][400];                // shortfall, outflows
static int halts, unlooked;
static int64_t flying;
static uint8_t known_tx[32];

static int64_t now(void *arg) { (void)arg; return model_ms; }
static void on_halt(void *arg, const char *name, const char *code, const char *text)
{
    (void)arg;
    int no = strcmp(name, "outflows") == 0;
    snprintf(halted[no], sizeof halted[0], "%s%s%s", code ? code : "", code ? ": " : "", code ? text : "");
    halts += code != NULL && strcmp(code, "not_looked") != 0;
    unlooked += code != NULL && strcmp(code, "not_looked") == 0;
}
static enum fr_status in_flight(struct store_txn *txn, void *arg, const char *asset, int64_t *units, struct fr_err *err)
{
    (void)txn, (void)arg, (void)err;
    *units = strcmp(asset, "PALM") == 0 ? flying : 0;
    return FR_OK;
}
static enum fr_status explains(struct store_txn *txn, void *arg, const uint8_t tx[32], uint64_t log_index, bool *yes, struct fr_err *err)
{
    (void)txn, (void)arg, (void)err, (void)log_index;
    *yes = memcmp(tx, known_tx, 32) == 0;
    return FR_OK;
}

static void start(void)
{
    struct deposit_options o = { .factory = model_factory, .from_block = 5, .look_ms = 100, .sweep_age_ms = 1LL << 40 };
    struct reconcile_options ro = { .look_ms = 100, .in_flight = in_flight, .explains = explains };
    e = model_endpoints();
    part = (struct treasury_part){ .store = s, .endpoints = e, .final = { .quorum = quorum, .blocks = 3 }, .chain_id = 7, .vault = model_vault, .tokens = model_tokens, .token_count = MODEL_TOKENS, .now_ms = now, .halt = on_halt };
    CHECK(deposit_new(&part, &o, &d, &why) == FR_OK && reconcile_new(&part, &ro, &r, &why) == FR_OK);
}
static void stop(void)
{
    endpoints_free(e);
    deposit_free(d);
    reconcile_free(r);
    e = NULL;
    d = NULL;
    r = NULL;
}
static void begin(int nodes)
{
    test_folder_new();
    s = test_open(&loop);
    model_reset(nodes);
    quorum = nodes / 2 + 1;
    memset(halted, 0, sizeof halted);
    memset(known_tx, 0, sizeof known_tx);
    halts = 0;
    flying = 0;
    start();
}
static void end(void)
{
    stop();
    model_answer_all();
    test_close(s, &loop);
    test_folder_drop();
}
static void turn(void)
{
    model_ms += 10;
    model_answer_all();
    endpoints_tick(e);
    deposit_tick(d);
    reconcile_tick(r);
    for (int i = 0; i < 4 && d->jobs; i++) uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_NOWAIT);
}
static bool waited;                        // a new look at the same block was asked for
static bool looked(void)                   // at the newest final block
{
    struct reconcile_facts f = { 0 };
    reconcile_facts(r, &f);
    int64_t looks_before = f.known && f.block == model_final() && !waited ? f.looks - 1 : f.looks;
    waited = false;
    for (int i = 0; i < 6000; i++) {
        turn();
        reconcile_facts(r, &f);
        if (f.known && f.block == model_final() && f.looks > looks_before) return true;
        uv_sleep(1);
    }
    printf("  not looked: block %llu of %llu, %s / %s\n", (unsigned long long)f.block, (unsigned long long)model_final(), f.last_error, d->facts.last_error);
    return false;
}
static struct reconcile_facts facts(void) { struct reconcile_facts f; reconcile_facts(r, &f); return f; }

struct move { const char *player, *asset, *to; int64_t units, count; struct deposit_address at; struct fr_buf out; };
static enum fr_status issue_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct move *m = arg;
    return deposit_issue(txn, d, m->player, m->player, model_ms, &m->at, err);
}
static struct deposit_address issue(const char *player)
{
    struct move m = { .player = player };
    for (int i = 0; i < 3000 && !d->facts.ready; i++) turn();
    CHECK(store_now(s, issue_job, &m, &why) == FR_OK);
    return m.at;
}
// A withdrawal or a burn that is over: off the ledger.
static enum fr_status move_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct move *m = arg;
    struct ledger_account from, to;
    static int64_t n;
    char key[40];
    int64_t id;
    FR_TRY(ledger_account(txn, OWNER_PLAYER, m->player, m->asset, &from, err));
    FR_TRY(ledger_account(txn, OWNER_CHAIN, m->to, m->asset, &to, err));
    struct ledger_leg legs[] = { { from.id, -m->units }, { to.id, m->units } };
    snprintf(key, sizeof key, "test:%lld", (long long)++n);
    struct ledger_transfer t = { .key = key, .reason = "out", .note = "", .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, model_ms, &id, err);
}
static void pay_out(const char *player, int64_t units)
{
    struct move m = { .player = player, .asset = "PALM", .to = "world", .units = units };
    CHECK(store_now(s, move_job, &m, &why) == FR_OK);
}
static enum fr_status balance_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct move *m = arg;
    FR_TRY(ledger_balance(txn, OWNER_PLAYER, m->player, m->asset, &m->units, &m->count, err));
    return ledger_sums(txn, &m->count, err);
}
static int64_t balance(const char *player)
{
    struct move m = { .player = player, .asset = "PALM" };
    CHECK(store_now(s, balance_job, &m, &why) == FR_OK && m.count == 0);
    return m.units;
}
static enum fr_status accept_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct move *m = arg;
    FR_TRY(reconcile_print_outflows(txn, 10, &m->out, err));
    return reconcile_accept(txn, &m->count, err);
}
static const struct address stranger = { { 0x57 } };

static void mine(int blocks) { model.height += (uint64_t)blocks; }

static void test_all_is_there_wherever_it_lies(void)
{
    begin(1);
    unlooked = 0;
    turn();
    CHECK(unlooked == 1 && strncmp(halted[0], "not_looked", 10) == 0);         // who has not compared does not pay
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_transfer(&model_tokens[1].at, &stranger, &a.at, u256_of(1500000000));        // a unit and dust
    mine(4);
    CHECK(looked());
    struct reconcile_facts f = facts();
    CHECK(!f.is_short && f.count == 3 && f.at[0].liabilities_units == 500 && f.at[0].forwarders.limb[0] == 500 && u256_is_zero(f.at[0].vault) && u256_is_zero(f.at[0].by));
    CHECK(f.at[1].liabilities_units == 1 && f.at[1].dust.limb[0] == 500000000 && u256_is_zero(f.at[1].by));
    model_sweep(&model_tokens[0].at, &a.at);
    mine(4);
    CHECK(looked());
    f = facts();
    CHECK(!f.is_short && f.at[0].vault.limb[0] == 500 && u256_is_zero(f.at[0].forwarders));
    model_transfer(&model_tokens[0].at, &stranger, &model_vault, u256_of(77));          // the operator's own: more than is owed
    mine(4);
    CHECK(looked());
    f = facts();
    CHECK(!f.is_short && f.at[0].by.limb[0] == 77 && halts == 0);
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1 << 16);
    reconcile_print(r, &out);
    CHECK(strstr(out.data, "{\"asset\":\"PALM\",\"liabilities\":\"0.0000005\",\"dust\":\"0\",\"kept\":\"0\",\"vault\":\"0.000000577\",\"forwarders\":\"0\",\"in_flight\":\"0\",\"difference\":\"0.000000077\",\"short\":false}"));
    CHECK(strstr(out.data, "\"halted\":null"));
    fr_buf_clear(&out);
    reconcile_metrics(r, &out);
    CHECK(strstr(out.data, "frond_reconcile_have{asset=\"PALM\"} 577\n") && strstr(out.data, "frond_reconcile_short{asset=\"PALM\"} 0\n"));
    end();
}

static void test_a_shortfall_halts_and_recovers(void)
{
    begin(3);
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_sweep(&model_tokens[0].at, &a.at);
    mine(4);
    CHECK(looked());
    CHECK_TEXT(halted[0], "");
    model_transfer(&model_tokens[0].at, &model_vault, &stranger, u256_of(200));         // gone
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(200));                // and a deposit of as much in the same block hides nothing
    mine(4);
    CHECK(looked());
    CHECK_TEXT(halted[0], "shortfall: PALM: 0.0000007 owed, 0.0000005 on chain");
    CHECK(strncmp(halted[1], "outflow_unknown: 1 ", 19) == 0);
    CHECK_INT(halts, 2);
    mine(4);
    CHECK(looked());
    CHECK_INT(halts, 2);                   // said once
    CHECK(facts().is_short && strstr(facts().why, "owed"));
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1 << 16);
    reconcile_print(r, &out);
    CHECK(strstr(out.data, "\"difference\":\"-0.0000002\",\"short\":true") && strstr(out.data, "\"halted\":\"shortfall\""));
    model_transfer(&model_tokens[0].at, &stranger, &model_vault, u256_of(200));         // put back
    mine(4);
    CHECK(looked());
    CHECK_TEXT(halted[0], "");
    CHECK(strncmp(halted[1], "outflow_unknown", 15) == 0);     // still: who took it?
    struct move m = { 0 };
    fr_buf_init(&m.out, 1 << 16);
    CHECK(store_now(s, accept_job, &m, &why) == FR_OK && m.count == 1 && strstr(m.out.data, "\"chain_amount\":\"200\""));
    fr_buf_free(&m.out);
    reconcile_again(r);
    waited = true;
    CHECK(looked());
    CHECK_TEXT(halted[1], "");
    end();
}

static void test_what_is_in_flight_is_no_shortfall(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_sweep(&model_tokens[0].at, &a.at);
    mine(4);
    CHECK(looked());
    flying = 100;                          // a payout that was put: held, and paid on chain before the ledger knows
    memcpy(known_tx, model_transfer(&model_tokens[0].at, &model_vault, &stranger, u256_of(100))->tx, 32);
    mine(4);
    CHECK(looked());
    CHECK(halts == 0 && !facts().is_short && facts().at[0].by.limb[0] == 100);
    pay_out("17", 100);                    // and now it knows
    flying = 0;
    mine(1);
    CHECK(looked());
    CHECK(halts == 0 && u256_is_zero(facts().at[0].by));
    flying = 100;                          // the slack: so much may be missing unseen, and one unit more may not
    memcpy(known_tx, model_transfer(&model_tokens[0].at, &model_vault, &stranger, u256_of(101))->tx, 32);
    mine(4);
    CHECK(looked());
    CHECK(strncmp(halted[0], "shortfall", 9) == 0);
    end();
}

static void test_one_node_that_lies_about_balances_halts_nothing(void)
{
    begin(3);
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model.node[1].hides_balances = true;
    mine(4);
    CHECK(looked());
    CHECK(halts == 0 && facts().at[0].forwarders.limb[0] == 500);
    model.node[1].hides_balances = false;
    model_sweep(&model_tokens[0].at, &a.at);
    mine(4);
    CHECK(looked());
    for (int liar = 0; liar < 3; liar++) { // and of the vault, whichever it is
        memset(model.node, 0, sizeof model.node);
        model.node[liar].hides_balances = true;
        mine(4);
        CHECK(looked());
        CHECK(halts == 0 && facts().at[0].vault.limb[0] == 500);
    }
    end();
    begin(2);                              // two that disagree: nothing is known, and that is said
    a = issue("17");
    CHECK(looked());
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_transfer(&model_tokens[0].at, &stranger, &model_vault, u256_of(500));
    model.node[1].hides_balances = true;
    mine(4);
    uint64_t before = facts().block;
    for (int i = 0; i < 500; i++) turn();
    CHECK(facts().block == before && halts == 0 && strstr(d->facts.last_error, "balances"));
    end();
}

static void test_nobody_can_make_outflows_of_nothing(void)
{
    begin(1);
    model_transfer(&model_tokens[0].at, &model_vault, &stranger, u256_of(0));           // transferFrom of nothing is anybody's
    mine(4);
    CHECK(looked());
    CHECK(halts == 0 && facts().unexplained == 0);
    end();
}

static void test_who_cannot_compare_for_long_does_not_pay(void)
{
    begin(2);
    issue("17");
    mine(4);
    CHECK(looked());
    struct address a = issue("18").at;
    model_ms += 3600000;                   // an hour without a newer block is no fault
    for (int i = 0; i < 300; i++) turn();
    CHECK(looked() && halts == 0);
    model_transfer(&model_tokens[0].at, &stranger, &a, u256_of(500));
    model.node[1].hides_balances = true;   // two that disagree of balances
    mine(4);
    for (int i = 0; i < 600; i++) turn();
    CHECK_TEXT(halted[0], "");
    for (int i = 0; i < 1500; i++) model_ms += 1000, turn();
    CHECK(strncmp(halted[0], "reconcile_stale: what is owed was last compared at block", 56) == 0 && halts == 1);
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1 << 16);
    reconcile_print(r, &out);
    CHECK(strstr(out.data, "\"halted\":\"reconcile_stale\""));
    model.node[1].hides_balances = false;
    for (int i = 0; i < 300; i++) model_ms += 100, turn();
    CHECK(looked());
    CHECK_TEXT(halted[0], "");
    end();
}

static void copy_data(const char *to)
{
    char command[1400];
    snprintf(command, sizeof command, "cp -r '%s' '%s'", test_path("data"), test_path(to));
    CHECK(system(command) == 0);
}

// A backup, then a deposit, a sweep, a payout and a burn; then the backup again.
static void test_old_data_is_noticed_and_pays_and_credits_nothing_twice(void)
{
    begin(1);
    struct deposit_address a = issue("17"), b = { 0 };
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_sweep(&model_tokens[0].at, &a.at);
    mine(4);
    CHECK(looked());
    stop();
    test_close(s, &loop);
    copy_data("old");

    s = test_open(&loop);
    start();
    CHECK(looked());
    b = issue("18");                       // an address that the backup does not know
    model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(1000));
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(30));
    mine(4);
    CHECK(looked());
    CHECK(balance("17") == 530 && balance("18") == 1000);
    memcpy(known_tx, model_transfer(&model_tokens[0].at, &model_vault, &stranger, u256_of(200))->tx, 32);
    pay_out("17", 200);
    mine(4);
    CHECK(looked());
    CHECK_INT(halts, 0);
    stop();
    test_close(s, &loop);

    char command[1400];
    snprintf(command, sizeof command, "rm -rf '%s' && mv '%s' '%s'", test_path("data"), test_path("old"), test_path("data"));
    CHECK(system(command) == 0);
    s = test_open(&loop);
    memset(known_tx, 0, sizeof known_tx);  // the old data knows no payout
    start();
    mine(1);
    CHECK(looked());
    CHECK_INT(balance("17"), 530);         // 500 of the backup, 30 found again
    CHECK(strstr(halted[0], "shortfall: PALM: 0.00000053 owed, 0.00000033 on chain"));      // what 17 was paid is still owed
    CHECK(strncmp(halted[1], "outflow_unknown: 1 ", 19) == 0);
    struct deposit_address again = issue("18");
    CHECK(address_equal(&again.at, &b.at) && !address_equal(&again.at, &a.at));
    for (int i = 0; i < 3000 && balance("18") == 0; i++) turn();
    mine(1);
    CHECK(looked());
    CHECK(balance("18") == 1000 && balance("17") == 530);      // its past was read, once
    stop();
    start();
    mine(1);
    CHECK(looked());
    CHECK(balance("18") == 1000 && balance("17") == 530);
    CHECK(strncmp(halted[1], "outflow_unknown", 15) == 0);
    end();
}

int main(void)
{
    uv_loop_init(&loop);
    ledger_register();
    txq_register();
    deposit_register();
    TEST(test_all_is_there_wherever_it_lies);
    TEST(test_a_shortfall_halts_and_recovers);
    TEST(test_what_is_in_flight_is_no_shortfall);
    TEST(test_one_node_that_lies_about_balances_halts_nothing);
    TEST(test_nobody_can_make_outflows_of_nothing);
    TEST(test_who_cannot_compare_for_long_does_not_pay);
    TEST(test_old_data_is_noticed_and_pays_and_credits_nothing_twice);
    uv_loop_close(&loop);
    return TEST_END();
}
