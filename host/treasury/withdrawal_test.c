// withdrawal_test.c — coins that leave, over a real store, a real ledger, the real transaction manager and a chain in memory: paid on chain is settled in the ledger, to the unit, whatever
// crashes, reverts, is reorganised or restored. SEEDS=N walks so many random ways (20), CRASHES=N crashes so often at each boundary (20).
#include "treasury/withdrawal.h"
#include <uv.h>
#include "base/clock.h"
#include "store/test.h"
#include "treasury/payout_model.h"

#define PALM(n) ((n) * 1000000000LL)
static uv_loop_t loop;
static struct fr_err why;
static struct store *s;
static struct endpoints *e;
static struct txq *q;
static struct withdrawals *w;
static struct withdrawal_rules rules;
static struct withdrawal_options options;
static const struct treasury_token tokens[] = { { "PALM", { { 0x70 } }, 9, 9 } };
static const char *const players[] = { "1", "2", "3" };
static char halt_code[2][40];
static int wallets_told;

// ---- the program around it

static void on_halt(void *arg, const char *part, const char *code, const char *text)
{
    (void)arg;
    char *at = halt_code[strcmp(part, "withdrawal") != 0];
    snprintf(at, sizeof halt_code[0], "%s", code ? code : "");
    CHECK(!code || text[0]);
}
static bool is_halted(void *arg)
{
    struct txq_facts f;
    (void)arg;
    if (q) txq_facts(q, &f);
    return halt_code[0][0] || halt_code[1][0] || (q && f.halted);
}
static void on_wake(void *arg) { (void)arg; txq_wake(q); }
static void on_wallet(void *arg, const char *player, const char *asset) { (void)arg; wallets_told++; CHECK(player[0] && strcmp(asset, "PALM") == 0); }
static enum fr_status is_ours(struct store_txn *txn, void *arg, const struct address *a, bool *ret, struct fr_err *err)
{
    (void)txn, (void)arg, (void)err;
    *ret = a->bytes[0] == 0xdd;            // deposit addresses
    return FR_OK;
}
static enum fr_status on_end(struct store_txn *txn, void *arg, const struct txq_payment_row *row, struct fr_err *err)
{
    (void)arg;
    return withdrawal_on_end(txn, w, row, err);
}

static void start(void)
{
    static const struct endpoint_config at[] = { { .name = "n0", .url = "http://n0/" } };
    struct endpoints_config ec = { .chain_id = MODEL_CHAIN, .at = at, .count = 1, .transport = { .post = model_take, .now_ms = model_now } };
    struct txq_config tc = { .queue = TREASURY_QUEUE, .chain_id = MODEL_CHAIN, .fee_percentile = 50, .final = { .quorum = 1, .blocks = MODEL_FINAL }, .store = s, .signer = &model_signer, .now_ms = model_now, .on_end = on_end,
                             .rules = { .fees = { .max_fee_cap = u256_of(100000000000), .tip_cap = u256_of(5000000000), .tip_least = u256_of(1) }, .day_most = { { 0, 1 } }, .look_ms = 100, .resend_ms = 3000, .raise_ms = 200000, .retry_ms = 100 } };
    struct treasury_part part = { .store = s, .final = tc.final, .chain_id = MODEL_CHAIN, .vault = model_vault, .tokens = tokens, .token_count = 1, .now_ms = model_now, .wake = on_wake, .halt = on_halt, .halted = is_halted, .wallet = on_wallet };
    memset(halt_code, 0, sizeof halt_code);
    CHECK(secret_key_address(model_secret, &tc.address, &why) == FR_OK && endpoints_new(&ec, &e, &why) == FR_OK);
    tc.endpoints = part.endpoints = e;
    CHECK(txq_new(&tc, &q, &why) == FR_OK);
    if (withdrawal_new(&part, &options, &w, &why) != FR_OK) CHECK_TEXT(why.text, "");
}
static void stop(void)                     // as a crash does: whatever is under way comes back to nobody
{
    endpoints_free(e);
    txq_free(q);
    withdrawal_free(w);
    e = NULL;
    q = NULL;
    w = NULL;
}
static void step(void)
{
    if (model.clock_ms >= model.next_block_ms && !model.no_blocks) model_mine(), model.next_block_ms = model.clock_ms + 200;
    model_answer_all();
    model_sign_all();
    if (e) endpoints_tick(e), txq_tick(q), withdrawal_tick(w);
    for (int i = 0; i < 3; i++) uv_run(&loop, UV_RUN_NOWAIT);
    test_store_step(s, &loop);
    model.clock_ms += 10;
}
static void run(int ms) { for (int64_t until = model.clock_ms + ms; model.clock_ms < until; ) step(); }

static enum fr_status fund_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        struct ledger_account from, to;
        int64_t id;
        char key[40];
        FR_TRY(ledger_account(txn, OWNER_CHAIN, "world", "PALM", &from, err));
        FR_TRY(ledger_account(txn, OWNER_PLAYER, players[i], "PALM", &to, err));
        struct ledger_leg legs[] = { { from.id, -PALM(100000) }, { to.id, PALM(100000) } };
        snprintf(key, sizeof key, "deposit:%d", i);
        struct ledger_transfer t = { .key = key, .reason = "deposit", .note = "", .legs = legs, .leg_count = 2 };
        FR_TRY(ledger_post(txn, &t, 1, &id, err));
    }
    return FR_OK;
}
static void begin(unsigned seed)
{
    test_folder_new();
    s = test_open(&loop);
    model_begin(seed);
    CHECK(store_now(s, fund_job, NULL, &why) == FR_OK);
    rules = (struct withdrawal_rules){ .asset = "PALM", .module = model_module, .from_block = 1, .least = PALM(1), .most = PALM(1000), .player_day = PALM(5000), .all_day = PALM(20000), .two_from = PALM(500), .batch_most = PALM(1500) };
    options = (struct withdrawal_options){ .rules = &rules, .rule_count = 1, .cooldown_ms = 0, .batch_count = 3, .batch_age_ms = 200, .look_ms = 50, .is_ours = is_ours };
    wallets_told = 0;
    start();
}
static void end(void)
{
    if (e) stop();
    model_answer_all();
    model_sign_all();
    test_close(s, &loop);
    test_folder_drop();
}

// ---- what people do

#define ANN "0x00000000000000000000000000000000000000A1"
struct job { const char *player, *to, *operator; char id[37]; int64_t units, known_ms; struct withdrawal_row row; int n; struct ledger_audit audit; int64_t free_units, held_units, world, lost; bool pause; struct address a; };
static enum fr_status ask_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct job *j = arg;
    struct withdrawal_ask ask = { j->player, "PALM", j->to, j->units, j->known_ms };
    return withdrawal_ask(txn, w, &ask, model.clock_ms, &j->row, err);
}
static enum fr_status get_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return withdrawal_get(txn, j->id, &j->row, err); }
static enum fr_status cancel_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return withdrawal_cancel(txn, j->player, j->id, &j->row, err); }
static enum fr_status approve_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return withdrawal_approve(txn, j->id, j->operator, model.clock_ms, &j->row, err); }
static enum fr_status return_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return withdrawal_return(txn, j->id, j->operator, &j->row, err); }
static enum fr_status again_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return withdrawal_again(txn, j->id, j->operator, &j->row, err); }
static enum fr_status adopt_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return withdrawal_adopt(txn, j->operator, model.clock_ms, &j->n, err); }
static enum fr_status pause_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return withdrawal_pause(txn, j->pause, j->operator, err); }
static enum fr_status forget_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return withdrawal_forget_address(txn, j->player, &j->a, model.clock_ms, err); }
static enum fr_status audit_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct job *j = arg;
    int64_t held;
    FR_TRY(ledger_audit_run(txn, withdrawal_owner_alive, &j->audit, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "world", "PALM", &j->world, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "lost", "PALM", &j->lost, &held, err));
    return ledger_balance(txn, OWNER_PLAYER, j->player ? j->player : "1", "PALM", &j->free_units, &j->held_units, err);
}
static enum fr_status do_job(store_job_fn *job, struct job *j)
{
    why.code[0] = why.text[0] = 0;
    return store_now(s, job, j, &why);
}
static struct job asked(const char *player, int64_t units)
{
    struct job j = { .player = player, .to = ANN, .units = units };
    if (do_job(ask_job, &j) != FR_OK) CHECK_TEXT(why.text, "");
    snprintf(j.id, sizeof j.id, "%s", j.row.id);
    return j;
}
static enum withdrawal_state state_of(struct job *j)
{
    CHECK(do_job(get_job, j) == FR_OK);
    return j->row.state;
}
static bool becomes(struct job *j, enum withdrawal_state want, int ms)
{
    for (; ms > 0 && state_of(j) != want; ms -= 50) run(50);
    if (state_of(j) != want) {
        FR_AUTO_BUF(facts);
        fr_buf_init(&facts, 4096);
        if (w) withdrawal_facts(w, &facts);
        printf("  it is %s, not %s: %s; %s\n", withdrawal_state_name(j->row.state), withdrawal_state_name(want), j->row.note, facts.data ? facts.data : "");
    }
    return j->row.state == want;
}
#define REFUSED(job, j, want) do { CHECK(do_job((job), (j)) != FR_OK); CHECK_TEXT(why.code, (want)); } while (0)

static int64_t paid_on_chain(void)
{
    int64_t sum = 0;
    for (int i = 0; i < model.paid_count; i++) sum += (int64_t)model.paid[i].amount;
    return sum;
}
static int times_paid(const struct withdrawal_row *r)
{
    int n = 0;
    for (int i = 0; i < model.paid_count; i++) n += memcmp(model.paid[i].mark, r->mark, 32) == 0;
    return n;
}
static void books_agree(void)              // everything has ended
{
    struct job j = { 0 };
    CHECK(do_job(audit_job, &j) == FR_OK);
    CHECK(j.audit.chain_ok && j.audit.balances_ok && j.audit.holds_ok && j.audit.sums_ok && j.audit.holds_orphaned == 0);
    CHECK_INT(j.world + 3 * PALM(100000), paid_on_chain());
}

// ---- the tests

static void test_one_goes_all_the_way(void)
{
    begin(1);
    struct job j = asked("1", PALM(7)), b = { .player = "1" };
    CHECK_INT(j.row.state, WITHDRAWAL_WAITING);
    CHECK(do_job(audit_job, &b) == FR_OK && b.held_units == PALM(7) && b.free_units == PALM(100000) - PALM(7));
    CHECK(becomes(&j, WITHDRAWAL_BATCHED, 5000));
    CHECK(becomes(&j, WITHDRAWAL_PAID, 20000));
    CHECK(j.row.block > 0 && j.row.hash[0] | j.row.hash[1] && j.row.ended_ms > 0 && times_paid(&j.row) == 1);
    CHECK(do_job(audit_job, &b) == FR_OK && b.held_units == 0 && b.free_units == PALM(100000) - PALM(7));
    CHECK_INT(paid_on_chain(), PALM(7));
    run(300);
    CHECK(wallets_told == 1);
    CHECK(!withdrawal_owner_alive(NULL, "match:1"));
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 65536);
    withdrawal_metrics(w, &text);
    CHECK(strstr(text.data, "frond_withdrawals{state=\"waiting\"} 0\n"));
    books_agree();
    end();
}

static void test_what_is_refused(void)
{
    begin(2);
    struct job j = { .player = "1", .to = ANN, .units = PALM(1) - 1 };
    REFUSED(ask_job, &j, "withdrawal_small");
    j.units = PALM(1000) + 1;
    REFUSED(ask_job, &j, "withdrawal_large");
    static const struct { const char *to, *code; } bad[] = {
        { "0x00000000000000000000000000000000000000a1", "" },                                   // all lower
        { "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", "" },                                   // checksum
        { "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96046", "address_invalid" },                    // and a wrong one
        { "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA9604", "address_invalid" }, { "vitalik.eth", "address_invalid" }, { "", "address_invalid" },
        { "0x0000000000000000000000000000000000000000", "address_invalid" },
        { "0x7000000000000000000000000000000000000000", "address_ours" }, { "0x6000000000000000000000000000000000000000", "address_ours" }, { "0x5000000000000000000000000000000000000000", "address_ours" },
        { "0xdd00000000000000000000000000000000000001", "address_ours" },
    };
    j.units = PALM(2);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        j.to = bad[i].to;
        enum fr_status st = do_job(ask_job, &j);
        CHECK_TEXT(st == FR_OK ? "" : why.code, bad[i].code);
    }
    j.to = ANN;
    j.player = "99";
    REFUSED(ask_job, &j, "funds");
    struct withdrawal_ask other = { "1", "TEST", ANN, 5, 0 };
    CHECK(withdrawal_ask(NULL, w, &other, 1, &j.row, &why) == FR_E_NOT_FOUND);
    CHECK_TEXT(why.code, "asset_unknown");
    CHECK(withdrawal_rules_of(w, "TEST") == NULL && withdrawal_rules_of(w, "PALM")->least == PALM(1));
    end();
}

static void test_days_and_counts_are_bounded(void)
{
    begin(3);
    struct job j;
    stop();
    rules.two_from = 0;
    rules.player_day = PALM(2000);
    rules.all_day = PALM(3000);
    options.batch_age_ms = 1000000, options.batch_count = 64;
    start();
    for (int i = 0; i < 2; i++) j = asked("1", PALM(1000));
    j = (struct job){ .player = "1", .to = ANN, .units = PALM(1) };
    REFUSED(ask_job, &j, "withdrawal_day");
    j = asked("2", PALM(1000));
    j.player = "3";
    REFUSED(ask_job, &j, "withdrawal_day_all");
    int64_t day = 86400000;
    model.clock_ms += day;
    for (int i = 0; i < WITHDRAWALS_PER_PLAYER_MAX - 1; i++) asked("2", PALM(1));
    j.player = "2", j.units = PALM(1);
    REFUSED(ask_job, &j, "withdrawals_open");
    end();
}

static void test_a_new_address_waits_and_may_be_taken_back(void)
{
    begin(4);
    stop();
    options.cooldown_ms = 3000;
    start();
    struct job j = asked("1", PALM(5));
    CHECK_INT(j.row.state, WITHDRAWAL_ASKED);
    run(1500);
    CHECK_INT(state_of(&j), WITHDRAWAL_ASKED);
    j.player = "2";
    REFUSED(cancel_job, &j, "withdrawal_unknown");         // another player's
    j.player = "1";
    CHECK(do_job(cancel_job, &j) == FR_OK && do_job(cancel_job, &j) == FR_OK);
    CHECK(becomes(&j, WITHDRAWAL_RETURNED, 3000));
    REFUSED(cancel_job, &j, "withdrawal_ended");
    CHECK_INT(paid_on_chain(), 0);
    struct job again = asked("1", PALM(5));                // what was taken back does not make an address known
    CHECK_INT(again.row.ready_ms, model.clock_ms + 3000);
    run(1000);
    struct job soon = asked("1", PALM(6));                 // known for a second
    CHECK_INT(soon.row.ready_ms, again.row.ready_ms);
    CHECK(becomes(&again, WITHDRAWAL_PAID, 20000) && becomes(&soon, WITHDRAWAL_PAID, 20000));
    struct job third = asked("1", PALM(5));
    CHECK_INT(third.row.state, WITHDRAWAL_WAITING);
    third.a = third.row.to;
    CHECK(do_job(forget_job, &third) == FR_OK);            // unlinked: anew
    run(20);
    struct job fourth = asked("1", PALM(5));
    CHECK_INT(fourth.row.state, WITHDRAWAL_ASKED);
    REFUSED(cancel_job, &third, "withdrawal_under_way");
    struct job linked = { .player = "2", .to = ANN, .units = PALM(5), .known_ms = model.clock_ms - 3000 };
    CHECK(do_job(ask_job, &linked) == FR_OK && linked.row.state == WITHDRAWAL_WAITING);
    linked = (struct job){ .player = "3", .to = ANN, .units = PALM(5), .known_ms = model.clock_ms - 1000 };
    CHECK(do_job(ask_job, &linked) == FR_OK && linked.row.state == WITHDRAWAL_ASKED && linked.row.ready_ms == model.clock_ms + 2000);
    end();
}

static void test_two_operators_and_not_one_twice(void)
{
    begin(5);
    struct job j = asked("1", PALM(500)), small = asked("1", PALM(499));
    CHECK(j.row.state == WITHDRAWAL_ASKED && j.row.needs == 2);
    small.operator = "ann";
    REFUSED(approve_job, &small, "approval_not_needed");
    j.operator = "";
    REFUSED(approve_job, &j, "operator_name");
    j.operator = "a b";
    REFUSED(approve_job, &j, "operator_name");
    j.operator = "ann";
    CHECK(do_job(approve_job, &j) == FR_OK && j.row.approvals == 1);
    REFUSED(approve_job, &j, "approved_already");
    j.operator = "ANN";
    REFUSED(approve_job, &j, "approved_already");
    run(2000);
    CHECK_INT(state_of(&j), WITHDRAWAL_ASKED);
    j.operator = "ben";
    CHECK(do_job(approve_job, &j) == FR_OK);
    CHECK(becomes(&j, WITHDRAWAL_PAID, 20000) && becomes(&small, WITHDRAWAL_PAID, 20000));
    REFUSED(approve_job, &j, "withdrawal_ended");
    struct job refused = asked("2", PALM(600));
    refused.operator = "ann";
    CHECK(do_job(return_job, &refused) == FR_OK && becomes(&refused, WITHDRAWAL_RETURNED, 5000));
    books_agree();
    end();
}

static void test_pause_and_halt_stop_what_is_new(void)
{
    begin(6);
    struct job p = { .pause = true, .operator = "ann" };
    CHECK(do_job(pause_job, &p) == FR_OK);
    struct job j = { .player = "1", .to = ANN, .units = PALM(2) };
    REFUSED(ask_job, &j, "withdrawals_paused");
    p.pause = false;
    CHECK(do_job(pause_job, &p) == FR_OK);
    j = asked("1", PALM(2));
    on_halt(NULL, "withdrawal_", "shortfall", "less lies on chain than is owed");
    CHECK(withdrawal_open(w, &why) == FR_E_BUSY);
    CHECK_TEXT(why.code, "money_out_halted");
    run(2000);
    CHECK_INT(state_of(&j), WITHDRAWAL_WAITING);
    on_halt(NULL, "withdrawal_", NULL, "");
    CHECK(withdrawal_open(w, &why) == FR_OK && becomes(&j, WITHDRAWAL_PAID, 20000));
    struct job late = asked("1", PALM(2));
    p.pause = true;
    CHECK(do_job(pause_job, &p) == FR_OK);
    run(2000);
    CHECK(state_of(&late) <= WITHDRAWAL_BATCHED);          // what was under way is followed
    p.pause = false;
    CHECK(do_job(pause_job, &p) == FR_OK && becomes(&late, WITHDRAWAL_PAID, 20000));
    end();
}

static void test_reverted_is_reviewed_then_tried_again_or_returned(void)
{
    begin(7);
    model.fails_when_mined = true;
    struct job a = asked("1", PALM(3)), b = asked("2", PALM(4)), c = asked("3", PALM(5));
    CHECK(becomes(&a, WITHDRAWAL_REVIEW, 20000) && becomes(&b, WITHDRAWAL_REVIEW, 5000) && becomes(&c, WITHDRAWAL_REVIEW, 5000));
    model.fails_when_mined = false;
    run(1000);
    CHECK_INT(state_of(&a), WITHDRAWAL_REVIEW);            // nobody tries again by itself
    a.operator = b.operator = "ann";
    CHECK(do_job(again_job, &a) == FR_OK && do_job(return_job, &b) == FR_OK);
    REFUSED(again_job, &b, "withdrawal_not_in_review");
    CHECK(becomes(&b, WITHDRAWAL_RETURNED, 5000) && becomes(&a, WITHDRAWAL_PAID, 20000));
    CHECK(times_paid(&a.row) == 1 && times_paid(&b.row) == 0 && state_of(&c) == WITHDRAWAL_REVIEW);
    end();
}

static void test_a_day_s_limit_of_the_contract_makes_it_wait(void)
{
    begin(8);
    model.day_left = PALM(5);
    struct job a = asked("1", PALM(6));
    CHECK(becomes(&a, WITHDRAWAL_BATCHED, 5000));
    run(3000);
    CHECK(state_of(&a) == WITHDRAWAL_BATCHED && model.tx_count == 0);          // tried, and not sent
    model.day_left = PALM(500);
    CHECK(becomes(&a, WITHDRAWAL_PAID, 60000));
    books_agree();
    end();
}

static void test_a_batch_that_is_taken_back(void)
{
    begin(9);
    model.no_blocks = true;
    struct job a = asked("1", PALM(6)), b = asked("2", PALM(7)), c = asked("3", PALM(8));
    a.operator = "ann";
    model.no_blocks = false;
    model.paused = true;                   // nothing can be signed for it
    CHECK(becomes(&a, WITHDRAWAL_BATCHED, 5000));
    CHECK(do_job(return_job, &a) == FR_OK);
    CHECK(becomes(&a, WITHDRAWAL_RETURNED, 20000));
    model.paused = false;
    CHECK(becomes(&b, WITHDRAWAL_PAID, 30000) && becomes(&c, WITHDRAWAL_PAID, 30000));
    CHECK(times_paid(&a.row) == 0);
    a = asked("1", PALM(6));               // and one that is signed and sent, but in no block
    model.no_blocks = true;
    for (int i = 0; i < 400 && state_of(&a) != WITHDRAWAL_BATCHED; i++) run(20);
    int sent = model.raws_seen;
    for (int i = 0; i < 400 && model.raws_seen == sent; i++) run(20);
    a.operator = "ann";
    CHECK(do_job(return_job, &a) == FR_OK);
    run(1500);
    CHECK_INT(state_of(&a), WITHDRAWAL_BATCHED);           // it could still be mined
    model.no_blocks = false;
    for (int i = 0; i < 400 && state_of(&a) < WITHDRAWAL_PAID; i++) run(50);
    CHECK(a.row.state == (times_paid(&a.row) ? WITHDRAWAL_PAID : WITHDRAWAL_RETURNED));
    books_agree();
    end();
}

static void test_a_nonce_that_was_lost_is_asked_on_chain(void)
{
    begin(10);
    model.no_blocks = true;
    struct job a = asked("1", PALM(6));
    for (int i = 0; i < 400 && model.raws_seen == 0; i++) run(20);
    model_foreign();
    model.no_blocks = false;
    run(2500);
    struct txq_facts f;
    txq_facts(q, &f);
    CHECK(f.halted && state_of(&a) == WITHDRAWAL_BATCHED && times_paid(&a.row) == 0);
    txq_order(q, TXQ_FORGIVE);
    CHECK(becomes(&a, WITHDRAWAL_PAID, 30000));            // by another payment, with another nonce
    CHECK_INT(times_paid(&a.row), 1);
    books_agree();
    end();
}

static void test_a_module_that_is_another_one_halts(void)
{
    begin(11);
    stop();
    model.wrong_token = true;
    start();
    struct job a = asked("1", PALM(6));
    for (int i = 0; i < 100 && !halt_code[1][0]; i++) run(50);
    CHECK_TEXT(halt_code[1], "payout_module");
    CHECK(state_of(&a) == WITHDRAWAL_WAITING && model.tx_count == 0);
    model.wrong_token = false;
    CHECK(becomes(&a, WITHDRAWAL_PAID, 30000) && !halt_code[1][0]);
    end();
}

static void test_garbage_and_reorgs(void)
{
    begin(12);
    struct job a[6];
    model.garbage_permille = 300;
    for (int i = 0; i < 6; i++) a[i] = asked(players[i % 3], PALM(10 + i));
    for (int i = 0; i < 30; i++) run(150), model_reorg(1 + model_random(MODEL_FINAL - 1), model_random(2));
    model.garbage_permille = 0;
    for (int i = 0; i < 6; i++) CHECK(becomes(&a[i], WITHDRAWAL_PAID, 60000) && times_paid(&a[i].row) == 1);
    books_agree();
    end();
}

// ---- an older copy of the data

static void copy_data(const char *from, const char *to)
{
    char command[1400];
    snprintf(command, sizeof command, "rm -rf '%s' && cp -r '%s' '%s'", test_path(to), test_path(from), test_path(to));
    CHECK(system(command) == 0);
}

static void test_an_older_copy_pays_nothing_twice_and_says_what_it_does_not_know(void)
{
    begin(13);
    struct job before = asked("1", PALM(11));
    CHECK(becomes(&before, WITHDRAWAL_PAID, 20000));
    struct job p = { .pause = true, .operator = "ann" };
    CHECK(do_job(pause_job, &p) == FR_OK);
    run(300);
    p.pause = false;
    CHECK(do_job(pause_job, &p) == FR_OK);
    stop();
    options.batch_age_ms = 1000000, options.batch_count = 64;
    start();
    struct job both = asked("2", PALM(12));                // waits in the copy, is paid by the newer data
    run(300);
    stop();
    store_close(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    copy_data("data", "old");
    s = test_open(&loop);
    options.batch_age_ms = 100;
    start();
    struct job newer = asked("3", PALM(13));               // the copy never hears of it
    CHECK(becomes(&both, WITHDRAWAL_PAID, 20000) && becomes(&newer, WITHDRAWAL_PAID, 20000));
    int64_t paid = paid_on_chain();
    stop();
    store_close(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    copy_data("old", "data");
    s = test_open(&loop);
    start();
    for (int i = 0; i < 200 && !halt_code[0][0]; i++) run(50);
    CHECK_TEXT(halt_code[0], "payout_unknown");
    CHECK(becomes(&both, WITHDRAWAL_PAID, 5000));          // booked, without anything being signed
    CHECK_INT(paid_on_chain(), paid);
    struct job j = { .player = "1", .to = ANN, .units = PALM(2), .operator = "ann" };
    REFUSED(ask_job, &j, "money_out_halted");
    CHECK(do_job(adopt_job, &j) == FR_OK && j.n == 1);
    for (int i = 0; i < 200 && halt_code[0][0]; i++) run(50);
    CHECK_TEXT(halt_code[0], "");
    CHECK(do_job(adopt_job, &j) == FR_OK && j.n == 0);
    CHECK(do_job(audit_job, &j) == FR_OK && j.audit.sums_ok && j.lost == -PALM(13));
    CHECK_INT(j.world + 3 * PALM(100000), paid);
    txq_order(q, TXQ_FORGIVE);                             // the key was used by the newer data; the operator knows
    run(2000);
    struct job next = asked("1", PALM(2));
    CHECK(becomes(&next, WITHDRAWAL_PAID, 30000));
    CHECK_INT(paid_on_chain(), paid + PALM(2));
    for (int i = 0; i < model.paid_count; i++) for (int k = 0; k < i; k++) CHECK(memcmp(model.paid[i].mark, model.paid[k].mark, 32) != 0);
    end();
}

// The copy has it asked, its player takes it back, but a newer copy's payment is in the chain: it is paid, and not returned.
static void test_taken_back_in_an_older_copy_but_paid_on_chain(void)
{
    begin(14);
    stop();
    options.cooldown_ms = 2000;
    start();
    struct job a = asked("1", PALM(9));
    stop();
    store_close(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    copy_data("data", "old");
    s = test_open(&loop);
    start();
    CHECK(becomes(&a, WITHDRAWAL_PAID, 20000));
    stop();
    store_close(s);
    uv_run(&loop, UV_RUN_DEFAULT);
    copy_data("old", "data");
    s = test_open(&loop);
    start();
    CHECK(state_of(&a) == WITHDRAWAL_ASKED);
    CHECK(do_job(cancel_job, &a) == FR_OK);
    CHECK(becomes(&a, WITHDRAWAL_PAID, 10000));
    books_agree();
    end();
}

// Returned, and paid after all by a transaction that nobody knew of: it halts and is shown.
static void test_paid_after_it_was_returned_is_told(void)
{
    begin(15);
    struct job a = asked("1", PALM(9));
    a.operator = "ann";
    CHECK(do_job(return_job, &a) == FR_OK);
    CHECK(becomes(&a, WITHDRAWAL_RETURNED, 10000));
    struct model_paid p = { .to = a.row.to, .amount = (uint64_t)PALM(9), .block = model.height };
    memcpy(p.mark, a.row.mark, 32);
    model.paid[model.paid_count++] = p;
    for (int i = 0; i < 200 && !halt_code[0][0]; i++) run(50);
    CHECK_TEXT(halt_code[0], "payout_unknown");
    CHECK(do_job(adopt_job, &a) == FR_OK && a.n == 1);
    CHECK(do_job(audit_job, &a) == FR_OK && a.lost == -PALM(9) && a.audit.sums_ok && a.held_units == 0 && a.free_units == PALM(100000));
    end();
}

// ---- crashes: each boundary, some times

static bool boundary(int at, struct job *j, int raws)
{
    switch (at) {
    case 0: return true;                                                          // asked, and durable
    case 1: return state_of(j) == WITHDRAWAL_BATCHED;
    case 2: return model_signings != NULL;                                        // being signed
    case 3: return model.raws_seen > raws;                                        // sent
    case 4: return times_paid(&j->row) == 1;                                      // mined
    case 5: return times_paid(&j->row) == 1 && model_payment(j->row.mark, model.height - MODEL_FINAL);      // final
    case 6: return model_posts && times_paid(&j->row) == 1 && strstr(model_posts->body, "eth_call") && model_payment(j->row.mark, model.height - MODEL_FINAL);      // being asked about
    default: return state_of(j) == WITHDRAWAL_PAID;
    }
}

static void test_a_crash_at_every_boundary_pays_once(void)
{
    const char *text = getenv("CRASHES");
    int times = text ? atoi(text) : 20, crashes = 0, missed = 0;
    begin(16);
    stop();
    rules.player_day = rules.all_day = PALM(90000);
    options.batch_age_ms = 20;
    start();
    for (int at = 0; at < 8; at++)
        for (int i = 0; i < times; i++) {
            struct job j = asked(players[i % 3], PALM(1) + i);
            int raws = model.raws_seen, turns = 0;
            while (!boundary(at, &j, raws) && turns++ < 3000) {
                if (at == 6 || at == 2) {              // between the question and its answer
                    endpoints_tick(e), txq_tick(q), withdrawal_tick(w);
                    if (boundary(at, &j, raws)) break;
                }
                step();
            }
            missed += turns >= 3000;
            crashes++;
            for (unsigned more = model_random(3); more > 0; more--) step();
            stop();
            if (model_random(4) == 0) model_reorg(1 + model_random(MODEL_FINAL - 1), model_random(2));
            start();
            CHECK(becomes(&j, WITHDRAWAL_PAID, 60000) && times_paid(&j.row) == 1);
        }
    printf("  %d crashes at 8 boundaries, %d payments\n", crashes, model.paid_count);
    CHECK(crashes == 8 * times && missed == 0 && model.paid_count == crashes);
    books_agree();
    end();
}

// ---- random ways

static void try_as(store_job_fn *job, struct job *j, const char *operator)       // it may be refused: the way is random
{
    j->operator = operator;
    FR_IGNORE(do_job(job, j));
}

static void say_stuck(unsigned seed)
{
    FR_AUTO_BUF(facts);
    struct txq_facts f;
    fr_buf_init(&facts, 4096);
    withdrawal_facts(w, &facts);
    txq_facts(q, &f);
    printf("  seed %u is stuck: %s\n  transactions: waits for %s, %d payments, %d open, next %llu, final %llu, block %llu, halted %d %s, %s\n", seed, facts.data, txq_wait_name(f.wait), f.payments, f.open,
           (unsigned long long)f.next_nonce, (unsigned long long)f.final_nonce, (unsigned long long)f.block, f.halted, f.why, f.last_error);
}

static void walk(unsigned seed, int *asks, int *kinds)
{
    static struct job all[64];
    static const char *const operators[] = { "ann", "ben", "cleo" };
    int count = 0;
    begin(seed);
    stop();
    options.cooldown_ms = model_random(2) ? 1000 : 0;
    options.batch_count = 1 + (int)model_random(5);
    rules.player_day = rules.all_day = PALM(90000);
    start();
    for (int turn = 0; turn < 150; turn++) {
        struct job *j = count ? &all[model_random((unsigned)count)] : NULL;
        switch (model_random(16)) {
        case 0: case 1: case 2: case 3:
            if (count == 40) break;
            all[count] = (struct job){ .player = players[model_random(3)], .to = model_random(2) ? ANN : "0x00000000000000000000000000000000000000b2", .units = PALM(1) + (int64_t)model_random(900) * PALM(1) + (int64_t)model_random(1000) };
            if (do_job(ask_job, &all[count]) == FR_OK) memcpy(all[count].id, all[count].row.id, sizeof all[0].id), count++, ++*asks;
            break;
        case 4: if (j) FR_IGNORE(do_job(cancel_job, j)); break;
        case 5: case 6: if (j) try_as(approve_job, j, operators[model_random(3)]); break;
        case 7: if (j) try_as(return_job, j, "ann"); break;
        case 8: if (j) try_as(again_job, j, "ann"); break;
        case 9: model_reorg(1 + model_random(MODEL_FINAL - 1), model_random(2)); break;
        case 10: model.fails_when_mined = model_random(4) == 0; break;
        case 11: model.paused = model_random(4) == 0; break;
        case 12: model.garbage_permille = model_random(3) ? 0 : 200; break;
        case 13: { struct job p = { .pause = model_random(4) == 0, .operator = "ann" }; FR_IGNORE(do_job(pause_job, &p)); break; }
        case 14: stop(); start(); break;
        default: if (model_random(6) == 0 && model.tx_count > 2) model_foreign(); break;
        }
        run(10 * (int)(1 + model_random(30)));
        if (model_random(20) == 0) txq_order(q, TXQ_FORGIVE);
    }
    model.fails_when_mined = model.paused = false;
    model.garbage_permille = 0;
    struct job p = { .pause = false, .operator = "ann" };
    CHECK(do_job(pause_job, &p) == FR_OK);
    for (int turn = 0, open = 1; turn < 400 && open; turn++) {
        open = 0;
        txq_order(q, TXQ_FORGIVE);
        for (int i = 0; i < count; i++) {
            struct job *j = &all[i];
            open += state_of(j) < WITHDRAWAL_PAID;
            if (j->row.state == WITHDRAWAL_REVIEW) try_as(i % 2 ? again_job : return_job, j, "ann");
            if (j->row.state == WITHDRAWAL_ASKED && j->row.approvals < j->row.needs) for (int k = 0; k < 2; k++) try_as(approve_job, j, operators[k]);
        }
        if (open) run(200);
        if (turn == 399) say_stuck(seed);
    }
    for (int i = 0; i < count; i++) {
        enum withdrawal_state st = state_of(&all[i]);
        kinds[st]++;
        CHECK(st == WITHDRAWAL_PAID ? times_paid(&all[i].row) == 1 : st == WITHDRAWAL_RETURNED && times_paid(&all[i].row) == 0);
    }
    CHECK_TEXT(halt_code[0], "");
    books_agree();
    end();
}

static void test_random_ways_end_to_the_unit(void)
{
    const char *text = getenv("SEEDS"), *from = getenv("SEED");
    int seeds = text ? atoi(text) : 20, asks = 0, kinds[WITHDRAWAL_RETURNED + 1] = { 0 };
    for (int i = 0; i < seeds; i++) walk(1000 + (unsigned)i + (unsigned)(from ? atoi(from) : 0), &asks, kinds);
    printf("  %d ways, %d withdrawals: %d paid, %d returned\n", seeds, asks, kinds[WITHDRAWAL_PAID], kinds[WITHDRAWAL_RETURNED]);
    CHECK(kinds[WITHDRAWAL_PAID] > 0 && kinds[WITHDRAWAL_RETURNED] > 0 && kinds[WITHDRAWAL_PAID] + kinds[WITHDRAWAL_RETURNED] == asks);
}

static void test_rules_that_make_no_sense(void)
{
    begin(17);
    struct treasury_part part = { .store = s, .final = { .blocks = 3 }, .chain_id = MODEL_CHAIN, .tokens = tokens, .token_count = 1, .vault = model_vault, .endpoints = e };
    struct withdrawals *none = NULL;
    struct withdrawal_rules two[2] = { rules, rules };
    for (int i = 0; i < 9; i++) {
        struct withdrawal_rules r = rules;
        struct withdrawal_options o = options;
        o.rules = &r;
        if (i == 0) snprintf(r.asset, sizeof r.asset, "NONE");
        if (i == 1) r.module = (struct address){ { 0 } };
        if (i == 2) r.least = 0;
        if (i == 3) r.most = r.least - 1;
        if (i == 4) r.batch_most = r.most - 1;
        if (i == 5) o.batch_count = PAYOUT_BATCH_MAX + 1;
        if (i == 6) o.rule_count = 0;
        if (i == 7) o.look_ms = 0;
        if (i == 8) o.rules = two, o.rule_count = 2;
        CHECK(withdrawal_new(&part, &o, &none, &why) == FR_E_INVALID && !none);
    }
    end();
}

int main(void)
{
    uv_loop_init(&loop);
    ledger_register();
    txq_register();
    withdrawal_register();
    TEST(test_one_goes_all_the_way);
    TEST(test_what_is_refused);
    TEST(test_days_and_counts_are_bounded);
    TEST(test_a_new_address_waits_and_may_be_taken_back);
    TEST(test_two_operators_and_not_one_twice);
    TEST(test_pause_and_halt_stop_what_is_new);
    TEST(test_reverted_is_reviewed_then_tried_again_or_returned);
    TEST(test_a_day_s_limit_of_the_contract_makes_it_wait);
    TEST(test_a_batch_that_is_taken_back);
    TEST(test_a_nonce_that_was_lost_is_asked_on_chain);
    TEST(test_a_module_that_is_another_one_halts);
    TEST(test_garbage_and_reorgs);
    TEST(test_an_older_copy_pays_nothing_twice_and_says_what_it_does_not_know);
    TEST(test_taken_back_in_an_older_copy_but_paid_on_chain);
    TEST(test_paid_after_it_was_returned_is_told);
    TEST(test_rules_that_make_no_sense);
    TEST(test_a_crash_at_every_boundary_pays_once);
    TEST(test_random_ways_end_to_the_unit);
    model_begin(0);
    uv_loop_close(&loop);
    return TEST_END();
}
