// burn_test.c — burns over a real store, real endpoints and transactions, and a chain in memory: each accrual ends once, whatever crashes, reverts, is reorganised, or is restored.
#include "treasury/burn_world.h"

static struct fr_json *one(const char *id, const char **state)
{
    struct fr_json *v = show(id);
    *state = v ? fr_json_text(fr_json_get(v, "state")) : "none";
    return v;
}
static bool is(const char *id, const char *want)
{
    const char *state;
    FR_AUTO(fr_json) v = one(id, &state);
    return strcmp(state, want) == 0;
}
static bool becomes(const char *id, const char *want, int ms)
{
    for (; ms > 0 && !is(id, want); ms -= 100) run(100);
    if (is(id, want)) return true;
    const char *state;
    FR_AUTO(fr_json) v = one(id, &state);
    FR_AUTO_BUF(f);
    fr_buf_init(&f, 8192);
    burn_facts(burn, &f);
    printf("  %s is %s, not %s: %s\n", id, state, want, f.data);
    return false;
}

static void test_an_accrual_goes_all_the_way_with_a_proof(void)
{
    char id[24];
    begin();
    snprintf(id, sizeof id, "%lld", (long long)credit("duel", 700));
    credit("hello", 200);
    run(3000);
    CHECK(is(id, "pending"));              // 900 of 1000
    credit("duel", 300);
    CHECK(becomes(id, "burned", 20000));
    FR_AUTO(fr_json) v = show(id);
    const struct fr_json *b = fr_json_get(v, "burn");
    CHECK_TEXT(fr_json_text(fr_json_get(b, "units")), "1200");
    CHECK_TEXT(fr_json_text(fr_json_get(v, "reason")), "duel match 0192f0aa-0000-7000-8000-000000000001");
    CHECK(fr_json_size(fr_json_get(v, "proof")) > 0 && fr_json_text(fr_json_get(b, "tx")) && atoll(fr_json_text(fr_json_get(b, "block"))) > 10);
    // the proof, as anybody would check it: leaf bytes, siblings, the root that lies on chain
    uint8_t bytes[96], root[32];
    struct merkle_proof proof = { 0 };
    CHECK(fr_unhex(fr_json_text(fr_json_get(fr_json_get(v, "leaf"), "bytes")) + 2, 192, bytes, 96));
    for (const struct fr_json *step = fr_json_child(fr_json_get(v, "proof")); step; step = fr_json_next(step)) CHECK(fr_unhex(fr_json_text(step) + 2, 64, proof.step[proof.count++].bytes, 32));
    CHECK(fr_unhex(fr_json_text(fr_json_get(b, "id")) + 2, 64, root, 32));
    const struct world_tx *t = burned_at(root, w.height);
    CHECK(t != NULL);
    struct merkle_hash leaf = merkle_leaf(bytes, 96), on_chain;
    if (t) memcpy(on_chain.bytes, t->root, 32);
    CHECK(t && merkle_check(&on_chain, &leaf, &proof) && bytes[63] == (700 & 255) && bytes[62] == 700 >> 8);
    CHECK_INT(burned_batches(), 1);
    check_quiet();
    end();
}

static bool facts_say(const char *what)        // the disk takes real time, the clock here does not: wait for what is to be known
{
    bool said = false;
    for (int i = 0; i < 400 && !said; i++) {
        FR_AUTO_BUF(f);
        fr_buf_init(&f, 8192);
        burn_facts(burn, &f);
        said = f.data && strstr(f.data, what);
        if (!said) run(50);
    }
    return said;
}

static void test_nothing_is_planned_before_time_or_against_the_rules(void)
{
    begin();
    credit("duel", 10);
    run(5000);
    CHECK_INT(books().pending, 10);
    w.clock_ms += 60000;                   // by age
    CHECK(settle(20000) && burned_batches() == 1);
    CHECK(order("pause", "") == FR_OK);
    credit("duel", 5000);
    run(5000);
    CHECK(books().pending == 5000 && books().open == 0);
    crash();                               // a pause is saved
    run(5000);
    CHECK_INT(books().pending, 5000);
    w.paused = true;                       // the module itself
    CHECK(facts_say("\"module_paused\":true"));
    CHECK(order("resume", "") == FR_OK);
    run(5000);
    CHECK_INT(books().pending, 5000);
    w.paused = false;
    w.clock_ms += 12000;
    CHECK(settle(20000));
    other_halt = true;
    credit("duel", 6000);
    run(5000);
    CHECK_INT(books().pending, 6000);
    other_halt = false;
    rules.gas_price_cap = u256_of(2000000000);
    w.gas_price = 3000000000;
    crash();
    run(5000);
    CHECK_INT(books().pending, 6000);
    w.clock_ms += 600000;                  // the hard age
    CHECK(settle(20000));
    credit("duel", 7000);
    run(5000);
    CHECK_INT(books().pending, 7000);
    CHECK(order("run", "") == FR_OK);      // an operator may pay what it costs
    for (int i = 0; i < 400 && books().pending; i++) run(50);
    CHECK_INT(books().pending, 0);
    rules.gas_price_cap = u256_of(0);
    CHECK(settle(20000));
    CHECK(order("run", "") == FR_E_CONFLICT);
    CHECK_TEXT(why.code, "burn_nothing");
    check_quiet();
    end();
}

static void test_the_day_limit_cuts_batches_and_one_accrual_over_it_waits(void)
{
    begin();
    w.day_limit = 1000;
    run(2000);
    credit("duel", 600);
    int64_t over = credit("duel", 1001);
    credit("duel", 600);
    CHECK(order("run", "") == FR_OK);
    for (int i = 0; i < 800 && books().burned_units < 1200; i++) run(50);
    struct books b = books();
    CHECK_INT(b.pending, 1001);
    CHECK_INT(burned_batches(), 2);
    CHECK_INT(b.burned_units, 1200);
    CHECK(facts_say("\"waits_for\":\"day_limit\""));
    w.day_limit = 1001;
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)over);
    CHECK(becomes(id, "burned", 40000));
    check_quiet();
    end();
}

static void test_a_thousand_accruals_are_one_batch_and_each_has_its_proof(void)
{
    int64_t first = 0;
    begin();
    run(2000);
    CHECK(order("pause", "") == FR_OK);
    for (int i = 0; i < 1000; i++) {
        char plugin[16];
        snprintf(plugin, sizeof plugin, "p%d", i % 150);
        int64_t id = credit(plugin, 1 + i);
        if (!first) first = id;
    }
    CHECK(order("resume", "") == FR_OK && settle(60000));
    CHECK_INT(burned_batches(), 1);
    CHECK_INT(books().accruals, 1000);
    check_quiet();
    for (int i = 0; i < 1000; i += 111) {
        char id[24];
        snprintf(id, sizeof id, "%lld", (long long)first + i);
        FR_AUTO(fr_json) v = show(id);
        CHECK_INT(fr_json_size(fr_json_get(v, "proof")) >= 9, 1);
    }
    end();
}

static void test_a_revert_waits_for_an_operator(void)
{
    char id[24];
    begin();
    w.reverts_next = 2;
    snprintf(id, sizeof id, "%lld", (long long)credit("duel", 1000));
    CHECK(becomes(id, "reverted", 20000));
    int sent = w.sent;
    run(20000);
    CHECK(is(id, "reverted") && w.sent == sent);               // no blind retry
    crash();
    run(2000);
    CHECK(order("run", "b1") == FR_OK);    // the same id, under a new payment: reverts again
    run(3000);
    CHECK(becomes(id, "reverted", 20000) && w.count == 2 && memcmp(w.txs[0].id, w.txs[1].id, 32) == 0);
    CHECK(order("return", "b1") == FR_OK);
    CHECK(becomes("b1", "returned", 20000));
    CHECK(order("return", "b1") == FR_E_CONFLICT && order("run", "b9") == FR_E_NOT_FOUND && order("run", id) == FR_E_INVALID);
    CHECK(becomes(id, "burned", 20000));   // it was free, and due: a new batch took it
    CHECK_INT(burned_batches(), 1);
    check_quiet();
    end();
}

static void test_a_batch_on_its_way_can_be_returned_unless_it_is_burned(void)
{
    char id[24];
    begin();
    run(2000);
    w.still = true;
    snprintf(id, sizeof id, "%lld", (long long)credit("duel", 1000));
    CHECK(becomes(id, "sent", 20000));
    CHECK(order("pause", "") == FR_OK && order("return", "b1") == FR_OK);
    run(500);
    w.still = false;
    run(15000);
    // whichever of the two transactions came first: the books say what the chain says
    CHECK(is("b1", "returned") ? burned_batches() == 0 && is(id, "pending") : burned_batches() == 1 && is(id, "burned"));
    CHECK(order("resume", "") == FR_OK && settle(30000));
    CHECK_INT(burned_batches(), 1);
    check_quiet();
    end();
}

static void test_a_reorg_and_lost_answers_change_nothing(void)
{
    begin();
    w.answers_lost = 100;
    for (int i = 0; i < 20; i++) {
        credit("duel", 1000 + i);
        run(300);
        if (i % 3 == 0) reorg(1 + i % (FINAL_DEPTH - 1), i % 2);
    }
    w.answers_lost = 0;
    CHECK(settle(120000));
    CHECK_INT(books().accruals, 20);
    check_quiet();
    end();
}

static void test_a_module_that_denies_what_was_paid_halts(void)
{
    begin();
    w.refute = true;
    credit("duel", 1000);
    for (int i = 0; i < 200 && !halt_code[0]; i++) run(100);
    CHECK_TEXT(halt_code, "burn_refuted");
    CHECK(is("b1", "refuted") && books().held_units == 1000);
    credit("duel", 5000);
    run(5000);
    CHECK_INT(books().pending, 5000);      // halted
    crash();
    run(3000);
    CHECK_TEXT(halt_code, "burn_refuted");
    w.refute = false;
    CHECK(order("run", "b1") == FR_OK && becomes("b1", "burned", 10000));
    run(1000);
    CHECK_TEXT(halt_code, "");
    CHECK(settle(30000));
    check_quiet();
    end();
}

static void test_a_stolen_key_burns_something_else_under_our_id(void)
{
    char id[80] = "0x";
    begin();
    run(2000);
    w.still = true;
    credit("duel", 1000);
    for (int i = 0; i < 100 && w.count == 0; i++) run(100);
    CHECK_INT(w.count, 1);
    struct world_tx theirs = w.txs[0];     // the same nonce and id, another root: it comes first
    memset(theirs.hash, 7, 32);
    memset(theirs.root, 9, 32);
    theirs.amount = u256_of(10);
    w.txs[0].held = true;
    w.txs[w.count++] = theirs;
    fr_hex(theirs.id, 32, id + 2);
    w.still = false;
    for (int i = 0; i < 200 && !halt_code[0]; i++) run(100);
    CHECK_TEXT(halt_code, "burn_refuted");
    CHECK(order("adopt", id) == FR_OK);
    struct books b = books();
    CHECK(b.burned_units == 10 && b.lost_units == -10 && b.pending == 1000);       // no accrual is so small
    CHECK(order("adopt", id) == FR_E_CONFLICT);
    check_books();
    end();
}

static void test_a_lost_payment_is_sent_again_under_the_same_id(void)
{
    begin();
    run(2000);
    w.still = true;
    credit("duel", 1000);
    for (int i = 0; i < 100 && w.count == 0; i++) run(100);
    CHECK_INT(w.count, 1);
    w.txs[0].held = true;
    w.txs[w.count++] = (struct world_tx){ .nonce = 0, .hash = { 9 } };         // somebody else's, with our key's nonce
    w.still = false;
    run(3000);
    CHECK(is("b1", "sent"));               // the queue halted
    txq_order(q, TXQ_FORGIVE);
    CHECK(becomes("b1", "burned", 30000));
    FR_AUTO(fr_json) v = show("b1");
    CHECK(fr_json_number(fr_json_get(v, "payments")) == 2 && w.count == 3 && memcmp(w.txs[0].id, w.txs[2].id, 32) == 0);
    w.txs[0].held = false;                 // the first one turns up after all: its nonce is used
    run(3000);
    CHECK_INT(burned_batches(), 1);
    CHECK(settle(20000));
    check_quiet();
    end();
}

static void test_a_full_disk_loses_and_doubles_nothing(void)
{
    disk_install(1);                       // for all that follow: it is slow, so this one is the last
    begin();
    for (int i = 0; i < 12; i++) {
        credit("duel", 1000 + i);
        run(100 * (i % 5));
        disk_full(true);
        run(400);
        disk_full(false);
        run(300);
    }
    CHECK(settle(60000));
    CHECK_INT(books().accruals, 12);
    check_quiet();
    end();
}

// ---- restored data

static void copy_file(const char *from, const char *to)
{
    char block[65536];
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
    CHECK((in != NULL) == (out != NULL));
    for (size_t n; in && (n = fread(block, 1, sizeof block, in)) > 0; ) CHECK(fwrite(block, 1, n, out) == n);
    if (in) fclose(in), fclose(out);
    else unlink(to);
}
static void shut(void)
{
    stop();
    drain();
    test_close(s, &loop);
}
static void keep(void)                     // a copy of the data, as a backup would have it
{
    shut();
    copy_file(test_path("data/frond.db"), test_path("kept.db"));
    s = test_open(&loop);
    start();
}
static void restore(void)
{
    shut();
    unlink(test_path("data/frond.db-wal"));
    unlink(test_path("data/frond.db-shm"));
    copy_file(test_path("kept.db"), test_path("data/frond.db"));
    s = test_open(&loop);
    start();
}

static void test_old_data_finds_its_burns_on_chain_and_burns_none_twice(void)
{
    begin();
    run(2000);
    for (int i = 0; i < 5; i++) credit("duel", 150);
    run(1000);
    keep();                                // 750 are pending
    credit("duel", 600);                   // the newer data plans them all: 1350
    CHECK(settle(30000));
    CHECK_INT(burned_sum(w.height), 1350);
    w.logs_most = 7;                       // the node takes few blocks at once: the scan is in pieces
    rules.threshold_units = 1;             // and the old data would plan what it has at once
    restore();
    for (int i = 0; i < 300 && !halt_code[0]; i++) run(100);
    CHECK_INT(books().pending, 750);
    CHECK_TEXT(halt_code, "burn_unknown_batch");
    credit("hello", 5000);
    run(3000);
    CHECK_INT(books().open, 0);            // nothing is planned meanwhile
    FR_AUTO(fr_json) list = batches();
    const struct fr_json *unknown = fr_json_child(fr_json_get(list, "unknown"));
    CHECK_TEXT(fr_json_text(fr_json_get(unknown, "amount")), "1350");
    CHECK(order("adopt", "0x00") == FR_E_NOT_FOUND);
    CHECK(order("adopt", fr_json_text(fr_json_get(unknown, "id"))) == FR_OK);
    run(2000);
    CHECK_TEXT(halt_code, "");
    CHECK(is("b1", "burned"));
    struct books b = books();
    CHECK_INT(b.burned_units, 1350);
    CHECK_INT(b.lost_units, -600);         // the 750 were there, the 600 are gone with the newer data, and hello's 5000 were too many
    CHECK(order("adopt", fr_json_text(fr_json_get(unknown, "id"))) == FR_E_CONFLICT);
    txq_order(q, TXQ_FORGIVE);             // nonces that the newer data used
    CHECK(settle(40000));
    CHECK_INT(burned_sum(w.height), 1350 + 5000);
    check_quiet();
    end();
    rules.threshold_units = 1000;
}

static void test_old_data_with_the_same_accruals_takes_the_batch_as_its_own(void)
{
    begin();
    run(2000);
    CHECK(order("pause", "") == FR_OK);
    int64_t first = credit("duel", 400);
    credit("hello", 700);
    run(1000);
    keep();
    CHECK(order("resume", "") == FR_OK && settle(30000));
    restore();
    for (int i = 0; i < 300 && !halt_code[0]; i++) run(100);
    FR_AUTO(fr_json) list = batches();
    CHECK(order("adopt", fr_json_text(fr_json_get(fr_json_child(fr_json_get(list, "unknown")), "id"))) == FR_OK);
    struct books b = books();
    CHECK(b.burned_units == 1100 && b.lost_units == 0 && b.pending == 0);
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)first);
    FR_AUTO(fr_json) v = show(id);
    CHECK(is(id, "burned") && fr_json_size(fr_json_get(v, "proof")) == 1);         // its proof is as good as before
    CHECK(order("resume", "") == FR_OK);
    run(5000);
    CHECK_INT(burned_batches(), 1);
    check_quiet();
    end();
}

static void test_old_data_that_had_sent_a_batch_comes_to_the_same_id(void)
{
    begin();
    run(2000);
    w.still = true;
    credit("duel", 1000);
    for (int i = 0; i < 100 && books().open == 0; i++) run(50);
    keep();                                // the batch is planned, perhaps signed
    w.still = false;
    CHECK(settle(30000));
    restore();
    run(20000);
    txq_order(q, TXQ_FORGIVE);             // an operator knows that this is old data
    CHECK(settle(60000));
    CHECK_TEXT(halt_code, "");
    CHECK_INT(burned_batches(), 1);
    CHECK_INT(books().burned_units, 1000);
    check_quiet();
    end();
}

static void test_a_node_without_the_module_plans_nothing_and_nonsense_is_refused(void)
{
    module_used.bytes[5] = 1;              // nothing lies there: reads are empty
    begin();
    credit("duel", 5000);
    CHECK(facts_say("is its address right?") && facts_say("\"waits_for\":\"chain\""));
    CHECK_INT(books().pending, 5000);
    end();
    module_used.bytes[5] = 0;
    struct treasury_part part = { .tokens = tokens, .token_count = 1, .final = { .quorum = 1, .blocks = 1 } };
    struct burn *none = NULL;
    struct burn_options o = rules;
    o.asset = "GOLD";
    CHECK(burn_new(&part, &o, &none, &why) == FR_E_INVALID);
    o = rules;
    o.module = (struct address){ { 0 } };
    CHECK(burn_new(&part, &o, &none, &why) == FR_E_INVALID);
    o = rules;
    o.threshold_units = 0;
    CHECK(burn_new(&part, &o, &none, &why) == FR_E_INVALID);
    o = rules;
    o.hard_age_ms = 1;
    CHECK(burn_new(&part, &o, &none, &why) == FR_E_INVALID);
}

// ---- who sees what, and the supply

static enum fr_status played(struct store_txn *txn, void *arg, const char *match, bool *yes, struct fr_err *err)
{
    (void)txn, (void)err;
    *yes = strcmp(match, arg) == 0;
    return FR_OK;
}

static void test_a_player_sees_reasons_of_his_own_matches_only(void)
{
    char mine[] = "0192f0aa-0000-7000-8000-000000000000";
    begin();
    credit("duel", 10);
    snprintf(mine + 24, 13, "%012d", credits_made);
    credit("duel", 20);
    credit("hello", 30);
    run(2000);
    struct burn_reader r = { .played = played, .arg = mine };
    struct burn_filter f = { .limit = 2 };
    struct look l = { .reader = &r, .filter = &f };
    FR_AUTO(fr_json) page = parsed(&l, list_job);
    CHECK(fr_json_size(fr_json_get(page, "burns")) == 2 && fr_json_text(fr_json_get(page, "cursor")));
    CHECK(!fr_json_get(fr_json_child(fr_json_get(page, "burns")), "reason"));
    f.before = atoll(fr_json_text(fr_json_get(page, "cursor")));
    FR_AUTO(fr_json) next = parsed(&l, list_job);
    const struct fr_json *own = fr_json_child(fr_json_get(next, "burns"));
    CHECK(fr_json_size(fr_json_get(next, "burns")) == 1 && fr_json_kind(fr_json_get(next, "cursor")) == JSON_NULL);
    CHECK_TEXT(fr_json_text(fr_json_get(own, "match")), mine);
    f = (struct burn_filter){ .limit = 10, .mine = true };
    FR_AUTO(fr_json) only = parsed(&l, list_job);
    CHECK_INT(fr_json_size(fr_json_get(only, "burns")), 1);
    f = (struct burn_filter){ .limit = 10, .plugin = "hello" };
    FR_AUTO(fr_json) hello = parsed(&l, list_job);
    CHECK_INT(fr_json_size(fr_json_get(hello, "burns")), 1);
    f = (struct burn_filter){ .limit = 10, .match = mine };
    FR_AUTO(fr_json) match = parsed(&l, list_job);
    CHECK_INT(fr_json_size(fr_json_get(match, "burns")), 1);
    CHECK(show("99999") == NULL && show("b9") == NULL && show("x") == NULL && show("0x12") == NULL && show("-1") == NULL);
    end();
}

static const char *text(const struct fr_json *v, const char *key)
{
    const char *found = fr_json_text(fr_json_get(v, key));
    return found ? found : "(none)";
}

static void test_every_total_of_the_supply(void)
{
    begin();
    credit("duel", 5 * PALM_UNITS / 1000000);
    credit("", 1200);
    run(2000);
    CHECK(settle(60000));
    credit("hello", 7);
    run(15000);                            // the chain's figures are read again
    struct look l = { .asset = "PALM", .chain = burn_chain_supply(burn) };
    FR_AUTO(fr_json) v = parsed(&l, supply_job);
    CHECK_TEXT(text(v, "cap"), "100000000000000000");
    CHECK_TEXT(text(v, "burned_at_launch"), "20000000000000000");
    CHECK_TEXT(text(v, "burned_later"), "2500000000000000");
    CHECK_TEXT(text(fr_json_get(v, "burned_later_from"), "allocation"), "marketing");
    CHECK_TEXT(text(fr_json_get(v, "burned_later_from"), "label"), "source unstated");
    CHECK_TEXT(text(v, "liquidity"), "75000000000000000");
    CHECK_TEXT(text(v, "reserve"), "5000000000000000");
    CHECK_TEXT(text(v, "circulating_before"), "77500000000000000");
    CHECK_TEXT(text(v, "circulating"), "77499999999993800");             // less 5000 + 1200
    CHECK_TEXT(text(v, "burned"), "22500000000006200");
    const struct fr_json *f = fr_json_get(v, "frond"), *by = fr_json_child(fr_json_get(f, "by_plugin")), *c = fr_json_get(v, "chain");
    CHECK_TEXT(text(f, "burned"), "6200");
    CHECK_TEXT(text(f, "pending"), "7");
    CHECK_TEXT(text(by, "plugin"), "unattributed");
    CHECK_TEXT(text(by, "burned"), "1200");
    CHECK_TEXT(text(fr_json_next(by), "burned"), "5000");
    CHECK_TEXT(text(fr_json_next(fr_json_next(by)), "pending"), "7");
    CHECK_TEXT(text(c, "total_supply"), "77499999999993800");
    CHECK_TEXT(text(c, "total_burned"), "22500000000006200");
    CHECK_TEXT(text(c, "burned_by_frond"), "6200");
    CHECK_TEXT(text(c, "not_booked_yet"), "0");
    CHECK(fr_json_is_true(fr_json_get(c, "agrees")));
    struct look test = { .asset = "TEST" }, none = { .asset = "GOLD" };
    FR_AUTO(fr_json) t = parsed(&test, supply_job);
    CHECK(t && !fr_json_get(t, "cap"));
    CHECK(parsed(&none, supply_job) == NULL);
    end();
}

static int verified; static char verify_text[2048]; static enum fr_status verify_status;
static void on_verify(void *arg, enum fr_status st, const char *json, size_t len, const struct fr_err *err)
{
    (void)arg, (void)err;
    verified++;
    verify_status = st;
    snprintf(verify_text, sizeof verify_text, "%.*s", (int)len, json ? json : "");
}
static bool verify(const char *id)
{
    verified = 0;
    burn_verify(burn, id, on_verify, NULL);
    CHECK_INT(verified, 0);                // never from inside
    for (int i = 0; i < 100 && !verified; i++) run(50);
    CHECK_INT(verified, 1);
    return verify_status == FR_OK && strstr(verify_text, "\"good\":true") != NULL;
}
static enum fr_status tamper_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE burn_accrual SET units = units + 1 WHERE entry = ?1", &row, err));
    sql_bind_int(row, 1, *(int64_t *)arg);
    return sql_do(row, NULL, err);
}

static void test_verify_asks_the_chain_and_finds_a_changed_row(void)
{
    char id[24];
    begin();
    int64_t entry = credit("duel", 600);
    snprintf(id, sizeof id, "%lld", (long long)entry);
    run(1500);
    CHECK(!verify(id) && verify_status == FR_E_CONFLICT);
    CHECK_INT(books().pending, 600);
    credit("duel", 600);
    CHECK(settle(30000));
    CHECK(verify(id) && verify("b1"));
    CHECK(!verify("77777") && verify_status == FR_E_NOT_FOUND);
    w.refute = true;
    CHECK(!verify(id) && verify_status == FR_OK);
    w.refute = false;
    CHECK(store_now(s, tamper_job, &entry, &why) == FR_OK);
    CHECK(!verify(id) && verify_status == FR_OK && !verify("b1"));
    burn_verify(burn, id, on_verify, NULL);          // and then everything ends
    end();
}

// ---- crashes

static void test_crashes_at_every_boundary(void)
{
    int kinds_done = 0;
    rules.look_ms = 40;                    // all kinds of questions come often
    begin();
    credits_made = 0;
    crash_permille = 150;
    crash_most = 20;
    for (int i = 0; i < 3000; i++) {
        if (books().accruals < 4000) credit(i % 3 ? "duel" : "hello", 300 + i);
        run(100);
        if (i % 40 == 7) reorg(2, i % 80 == 7);
        kinds_done = 0;
        for (int k = 0; k < kind_count; k++) kinds_done += kinds[k].crashes >= crash_most;
        if (i > 100 && kinds_done == kind_count) break;
    }
    crash_permille = 0;
    int crashes = 0;
    for (int k = 0; k < kind_count; k++) {
        crashes += kinds[k].crashes;
        printf("  %s: %d\n", kinds[k].name, kinds[k].crashes);
    }
    CHECK(settle(200000));
    CHECK_INT(books().accruals, credits_made);
    CHECK_INT(kinds_done, kind_count);
    check_quiet();
    printf("  %d crashes of %d kinds, %d accruals, %d batches\n", crashes, kind_count, credits_made, burned_batches());
    end();
    rules.look_ms = 100;
}

static void test_a_walk_through_everything(void)
{
    for (unsigned seed = 1; seed <= 3; seed++) {
        begin();
        credits_made = 0;
        w.noise = seed * 77777;
        w.answers_lost = 30;
        crash_permille = 2;
        crash_most = 1000;
        for (int i = 0; i < 250; i++) {
            unsigned n = below(100);
            if (n < 60) credit(n % 2 ? "duel" : "hello", 100 + below(2000));
            else if (n < 64) w.reverts_next = 1;
            else if (n < 68) reorg(1 + (int)below(FINAL_DEPTH - 1), below(2));
            else if (n < 70) w.paused = !w.paused;
            else if (n < 72) w.day_limit = 500 + below(5000);
            else if (n < 74) FR_IGNORE(order("run", ""));
            else if (n < 80) {
                char id[16];
                snprintf(id, sizeof id, "b%u", 1 + below(20));
                FR_IGNORE(order(below(2) ? "run" : "return", id));
            } else if (n < 82) FR_IGNORE(order(below(2) ? "pause" : "resume", ""));
            run(30 + (int)below(200));
            if (i % 25 == 0) check_books();
        }
        crash_permille = 0;
        w.answers_lost = 0;
        w.paused = false;
        w.reverts_next = 0;
        w.day_limit = 1000000000;
        CHECK(order("resume", "") == FR_OK);
        for (int i = 0; i < 40; i++) {                         // what reverted is sent again
            char id[16];
            snprintf(id, sizeof id, "b%d", 1 + i);
            if (is(id, "reverted")) FR_IGNORE(order("run", id));
        }
        run(12000);
        for (int i = 0; i < 80; i++) {
            char id[16];
            snprintf(id, sizeof id, "b%d", 1 + i);
            if (is(id, "reverted")) FR_IGNORE(order("run", id));
        }
        CHECK(settle(200000));
        CHECK_INT(books().accruals, credits_made);
        check_quiet();
        printf("  seed %u: %d accruals, %d batches\n", seed, credits_made, burned_batches());
        end();
    }
}

int main(void)
{
    world_open();
    TEST(test_an_accrual_goes_all_the_way_with_a_proof);
    TEST(test_nothing_is_planned_before_time_or_against_the_rules);
    TEST(test_the_day_limit_cuts_batches_and_one_accrual_over_it_waits);
    TEST(test_a_thousand_accruals_are_one_batch_and_each_has_its_proof);
    TEST(test_a_revert_waits_for_an_operator);
    TEST(test_a_batch_on_its_way_can_be_returned_unless_it_is_burned);
    TEST(test_a_reorg_and_lost_answers_change_nothing);
    TEST(test_a_module_that_denies_what_was_paid_halts);
    TEST(test_a_stolen_key_burns_something_else_under_our_id);
    TEST(test_a_lost_payment_is_sent_again_under_the_same_id);
    TEST(test_old_data_finds_its_burns_on_chain_and_burns_none_twice);
    TEST(test_old_data_with_the_same_accruals_takes_the_batch_as_its_own);
    TEST(test_old_data_that_had_sent_a_batch_comes_to_the_same_id);
    TEST(test_a_node_without_the_module_plans_nothing_and_nonsense_is_refused);
    TEST(test_a_player_sees_reasons_of_his_own_matches_only);
    TEST(test_every_total_of_the_supply);
    TEST(test_verify_asks_the_chain_and_finds_a_changed_row);
    TEST(test_crashes_at_every_boundary);
    TEST(test_a_walk_through_everything);
    TEST(test_a_full_disk_loses_and_doubles_nothing);
    uv_loop_close(&loop);
    return TEST_END();
}
