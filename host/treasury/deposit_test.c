// deposit_test.c — deposits over a real store and a chain in memory: what is credited equals what is final, to the unit, whatever nodes say and wherever it stops.
#include "store/test_disk.h"
#include "treasury/model.h"

static uv_loop_t loop;
static struct fr_err why;
static struct store *s;
static struct endpoints *e;
static struct deposit *d;
static struct deposit_options options;
static int quorum = 1, wallets, wakes;
static int64_t now(void *arg) { (void)arg; return model_ms; }
static void on_wallet(void *arg, const char *player, const char *asset) { (void)arg, (void)player, (void)asset; wallets++; }
static void on_wake(void *arg) { (void)arg; wakes++; }
static struct treasury_part part;

// ---- running it

static void start(void)
{
    e = model_endpoints();
    part = (struct treasury_part){ .store = s, .endpoints = e, .final = { .quorum = quorum, .blocks = 3 }, .chain_id = 7, .vault = model_vault, .tokens = model_tokens, .token_count = MODEL_TOKENS, .now_ms = now, .wake = on_wake, .wallet = on_wallet };
    CHECK(deposit_new(&part, &options, &d, &why) == FR_OK);
}

static void stop(void)
{
    endpoints_free(e);
    deposit_free(d);
    e = NULL;
    d = NULL;
}

static void begin(int nodes)
{
    test_folder_new();
    disk_begin();
    s = test_open(&loop);
    model_reset(nodes);
    quorum = nodes / 2 + 1;
    wallets = wakes = 0;
    options = (struct deposit_options){ .factory = model_factory, .from_block = 5, .look_ms = 200, .sweep_age_ms = 1LL << 40 };
    start();
}

static void end(void)
{
    if (e) stop();
    model_answer_all();                    // endpoints are gone and have to bear it
    test_close(s, &loop);
    test_folder_drop();
}

static void turn(void)
{
    model_ms += 10;
    model_answer_all();
    if (e) endpoints_tick(e);
    if (d) deposit_tick(d);
    while (d && d->jobs) uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_NOWAIT);
}
static void run(int ms) { for (; ms > 0; ms -= 10) turn(); }
static void mine(int blocks) { model.height += (uint64_t)blocks; }
static bool settled(void)                  // all that is final is read, and nothing is left to do
{
    for (int i = 0; i < 30000; i++) {
        turn();
        if (d->step == STEP_IDLE && d->facts.read_block == model_final() && d->facts.backlog == 0 && !d->facts.last_error[0] && d->plan.work == WORK_NOTHING && d->plan.may_look && d->plan.final == model_final()) return true;
    }
    printf("  not settled: %s (read %llu of %llu, step %d, work %d, backlog %lld)\n", d->facts.last_error, (unsigned long long)d->facts.read_block, (unsigned long long)model_final(), d->step, d->plan.work, (long long)d->facts.backlog);
    return false;
}

// ---- jobs of the test

struct look { const char *player, *asset, *text; struct deposit_address at; int64_t free_units, held_units, worst, count; struct u256 dust; struct fr_buf out; struct txq_payment_row row; enum fr_status st; };
static enum fr_status issue_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct look *l = arg;
    char subject[40];
    snprintf(subject, sizeof subject, "telegram:%s%s", l->player, l->text ? l->text : "");
    return deposit_issue(txn, d, l->player, subject, model_ms, &l->at, err);
}
static struct deposit_address issue(const char *player)
{
    struct look l = { .player = player };
    for (int i = 0; i < 12000 && !d->facts.ready; i++) turn();      // longer than a failure is waited for
    CHECK(store_now(s, issue_job, &l, &why) == FR_OK);
    return l.at;
}
static enum fr_status balance_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct look *l = arg;
    FR_TRY(ledger_balance(txn, OWNER_PLAYER, l->player, l->asset, &l->free_units, &l->held_units, err));
    FR_TRY(ledger_sums(txn, &l->worst, err));
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT amount FROM deposit_dust WHERE player = ?1 AND asset = ?2", &row, err));
    sql_bind_text(row, 1, l->player);
    sql_bind_text(row, 2, l->asset);
    FR_TRY(sql_step(row, &found, err));
    return found ? deposit_amount(row, 0, &l->dust, err) : FR_OK;
}
static struct look balance(const char *player, const char *asset)
{
    struct look l = { .player = player, .asset = asset, .worst = -1 };
    CHECK(store_now(s, balance_job, &l, &why) == FR_OK);
    CHECK(l.worst == 0);
    return l;
}
static enum fr_status count_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct look *l = arg;
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, l->text, &row, err));
    FR_TRY(sql_step(row, &found, err));
    l->count = sql_int(row, 0);
    return FR_OK;
}
#define COUNT(sql) ({ struct look l_ = { .text = sql }; CHECK(store_now(s, count_job, &l_, &why) == FR_OK); l_.count; })
static enum fr_status show_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return deposit_print_one(txn, l->player, &l->out, err); }
static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return deposit_print_list(txn, 0, 10, &l->out, err); }
static enum fr_status of_player_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return deposit_print_player(txn, d, l->player, l->asset, 10, &l->out, err); }

static const struct address stranger = { { 0x57 } };
static struct u256 big(uint64_t n, int zeros)
{
    struct u256 v = u256_of(n);
    for (int i = 0; i < zeros; i++) CHECK(u256_mul(v, u256_of(10), &v));
    return v;
}

// What is final on the chain for this address: the sum that must stand in ledger and dust.
static struct u256 arrived(const struct address *token, const struct address *at)
{
    struct u256 sum = u256_of(0);
    for (int i = 0; i < model.count; i++)
        if (!model.at[i].odd && model.at[i].block <= model_final() && model.at[i].block >= options.from_block && address_equal(&model.at[i].to, at) && address_equal(&model.at[i].token, token)) CHECK(u256_add(sum, model.at[i].amount, &sum));
    return sum;
}
static bool exact(const char *player, const struct address *at)
{
    bool same = true;
    for (int t = 0; t < MODEL_TOKENS; t++) {
        struct look l = balance(player, model_tokens[t].asset);
        struct u256 have = u256_of(0);
        CHECK(u256_from_units(l.free_units + l.held_units, model_tokens[t].ledger_decimals, model_tokens[t].chain_decimals, &have, &why) == FR_OK);
        CHECK(u256_add(have, l.dust, &have));
        bool equal = u256_compare(have, arrived(&model_tokens[t].at, at)) == 0;
        char texts[2][U256_TEXT_BYTES];
        if (!equal) printf("  player %s has %s of %s, %s arrived\n", player, u256_text(have, texts[0]), model_tokens[t].asset, u256_text(arrived(&model_tokens[t].at, at), texts[1]));
        same = same && equal;
    }
    return same;
}

// ---- sweeps as the transaction manager would do them

static enum fr_status next_sweep_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct look *l = arg;
    FR_SQL_ROW(row);
    bool found = false;
    size_t len = 0;
    FR_TRY(sql_begin(txn, "SELECT id, name, data FROM txq_payment WHERE ended = 0 ORDER BY id LIMIT 1", &row, err));
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_OK;
    l->row.id = sql_int(row, 0);
    snprintf(l->row.name, sizeof l->row.name, "%s", sql_text(row, 1));
    const void *data = sql_bytes(row, 2, &len);
    fr_buf_add_bytes(&l->out, data, len);
    return FR_OK;
}
static enum fr_status end_sweep_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct look *l = arg;
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE txq_payment SET ended = ?2 WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, l->row.id);
    sql_bind_int(row, 2, l->row.end);
    FR_TRY(sql_do(row, NULL, err));
    return deposit_on_end(txn, d, &l->row, err);
}
// Carries out the oldest sweep and ends it; how many addresses it had, 0: there is none.
static int carry_out(enum txq_end how)
{
    struct look l = { 0 };
    uint8_t hash[32];
    fr_buf_init(&l.out, TXQ_DATA_BYTES_MAX);
    CHECK(store_now(s, next_sweep_job, &l, &why) == FR_OK);
    if (!l.row.id) return 0;
    struct abi_in in = { (const uint8_t *)l.out.data + 4, l.out.len - 4 };
    struct address token;
    const uint8_t *salts;
    size_t count = 0;
    CHECK(abi_get_address(&in, 0, &token, &why) == FR_OK && abi_get_words(&in, 1, &salts, &count, &why) == FR_OK && count > 0 && count <= DEPOSIT_SWEEP_MAX);
    model_init_code_hash(hash);
    mine(1);
    for (size_t i = 0; how == TXQ_PAID && i < count; i++) {
        struct address at = address_of_create2(&model_factory, salts + 32 * i, hash);
        model_sweep(&token, &at);
    }
    l.row.end = how;
    l.row.ended_ms = model_ms;
    l.row.block = model.height;
    mine(4);
    CHECK(store_now(s, end_sweep_job, &l, &why) == FR_OK);
    fr_buf_free(&l.out);
    return (int)count;
}

// ---- tests

static enum fr_status read_options(const char *text, struct deposit_options *ret)
{
    FR_AUTO(fr_json) section = NULL;
    CHECK(fr_json_parse(text, strlen(text), &section, &why) == FR_OK);
    return deposit_options_read(section, model_tokens, MODEL_TOKENS, ret, &why);
}

static void test_options_are_read_strictly(void)
{
    struct deposit_options o = { .factory = model_factory };
    CHECK(deposit_options_read(NULL, model_tokens, MODEL_TOKENS, &o, &why) == FR_OK && o.from_block == 0);
    CHECK(read_options("{\"from_block\":\"19000000\",\"sweep_hours\":2,\"sweep\":{\"PALM\":\"1000\",\"GHUB\":\"0.5\"},\"sweep_least\":{\"NFNT\":\"0.000000001\"}}", &o) == FR_OK);
    CHECK(o.from_block == 19000000 && o.sweep_age_ms == 7200000 && o.sweep_units[0] == 1000000000000LL && o.sweep_units[1] == 0 && o.sweep_units[2] == 500000000 && o.sweep_least_units[1] == 1 && address_equal(&o.factory, &model_factory));
    static const struct { const char *text, *says; } bad[] = {
        { "[]", "expected an object" }, { "{\"sweeep\":{}}", "sweep" }, { "{\"sweep\":{\"TEST\":\"1\"}}", "deposits.sweep.TEST: no token" }, { "{\"sweep\":{\"PALM\":1}}", "deposits.sweep.PALM: expected a decimal string" }, { "{\"sweep\":7}", "by asset" },
        { "{\"sweep\":{\"PALM\":\"-1\"}}", "deposits.sweep.PALM" }, { "{\"sweep_least\":{\"PALM\":\"0.0000000001\"}}", "deposits.sweep_least.PALM" }, { "{\"sweep\":{\"PALM\":\"9000000000\"}}", "up to what the ledger holds" },
        { "{\"from_block\":7}", "from_block" }, { "{\"from_block\":\"-1\"}", "from_block" }, { "{\"sweep_hours\":0}", "sweep_hours" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct deposit_options before = o;
        CHECK(read_options(bad[i].text, &o) == FR_E_INVALID && strstr(why.text, bad[i].says));
        CHECK(memcmp(&before, &o, sizeof o) == 0);
        if (!strstr(why.text, bad[i].says)) printf("  %s: %s\n", bad[i].text, why.text);
    }
}

static void test_numbers_that_make_no_sense_are_refused(void)
{
    begin(1);
    struct deposit_options o = options;
    struct treasury_part p = part;
    struct treasury_token tokens[MODEL_TOKENS];
    struct deposit *made = (struct deposit *)1;
    o.factory = model_zero;
    CHECK(deposit_new(&p, &o, &made, &why) == FR_OK && made == NULL);          // no factory, no deposits
    o = options;
    p.vault = model_zero;
    CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    p = part;
    p.token_count = 0;
    CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    p = part;
    p.final = (struct final_rules){ .quorum = 1 };
    CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    p = part;
    p.tokens = tokens;
    for (int i = 0; i < 4; i++) {
        memcpy(tokens, model_tokens, sizeof tokens);
        if (i == 0) tokens[1].at = tokens[0].at;
        if (i == 1) tokens[1].chain_decimals = 8;
        if (i == 2) tokens[1].chain_decimals = 37;
        if (i == 3) snprintf(tokens[1].asset, sizeof tokens[1].asset, "PALM");
        CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    }
    o.sweep_units[0] = UNITS_MAX + 1;
    p = part;
    CHECK(deposit_new(&p, &o, &made, &why) == FR_E_INVALID);
    end();
}

static void test_a_deposit_is_credited_when_it_is_final_and_once(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK_INT(a.number, 1);
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(12500000000ULL));
    run(2000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    mine(2);
    run(2000);
    CHECK_INT(balance("17", "PALM").free_units, 0);            // two blocks behind the newest: not final yet
    mine(1);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 12500000000LL);
    CHECK_INT(wallets, 1);
    mine(5);
    CHECK(settled());
    stop();
    start();
    mine(1);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 12500000000LL);
    CHECK_INT(wallets, 1);
    CHECK(exact("17", &a.at));
    end();
}

static void test_the_same_log_told_twice_is_credited_once(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    for (int i = 0; i < 5; i++) model_transfer(&model_tokens[i % 3].at, &stranger, &a.at, u256_of(1700000000));       // with dust
    mine(4);
    CHECK(settled());
    CHECK(exact("17", &a.at));
    stop();
    struct look back = { .text = "UPDATE deposit_cursor SET from_block = 5, to_block = 5, after = -1, looked = -1" };
    CHECK(store_now(s, count_job, &back, &why) == FR_OK);
    start();
    mine(1);
    CHECK(settled());
    CHECK_INT(d->facts.asked_twice, 5);
    CHECK_INT(d->facts.credited, 0);
    CHECK(exact("17", &a.at));
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log"), 5);
    end();
}

static void test_addresses_are_one_person_s_for_ever(void)
{
    struct look l = { .player = "17" };
    begin(1);
    CHECK(store_now(s, issue_job, &l, &why) == FR_E_BUSY);     // the factory was not seen
    CHECK_TEXT(why.code, "deposit_not_ready");
    struct deposit_address a = issue("17"), b = issue("18"), again = issue("17");
    CHECK(address_equal(&a.at, &again.at) && again.number == a.number && !address_equal(&a.at, &b.at));
    uint8_t hash[32];
    model_init_code_hash(hash);
    struct address other = address_of_create2(&model_factory, a.salt, hash);
    CHECK(address_equal(&other, &a.at));
    l = (struct look){ .player = "1", .text = "8" };           // "telegram:18" is player 18's
    CHECK(store_now(s, issue_job, &l, &why) == FR_E_CONFLICT);
    CHECK_TEXT(why.code, "address_taken");
    l = (struct look){ .player = "19", .text = "0123456789012345678901234567890123456789012345678901234567890123456789" };
    stop();
    start();
    again = issue("17");
    CHECK(address_equal(&a.at, &again.at));
    end();
}

static void test_another_factory_or_vault_gives_no_address(void)
{
    begin(1);
    stop();
    part.vault.bytes[19] ^= 1;
    e = model_endpoints();
    part.endpoints = e;
    CHECK(deposit_new(&part, &options, &d, &why) == FR_OK);
    run(5000);
    struct look l = { .player = "17" };
    CHECK(!d->facts.ready && strstr(d->facts.last_error, "another vault"));
    CHECK(store_now(s, issue_job, &l, &why) == FR_E_BUSY);
    end();
}

static void test_dust_becomes_a_unit_and_is_never_lost(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[1].at, &stranger, &a.at, big(15, 17));                // 1.5 NFNT
    model_transfer(&model_tokens[1].at, &stranger, &a.at, u256_of(600000000));         // 0.6 units
    mine(4);
    CHECK(settled());
    struct look l = balance("17", "NFNT");
    CHECK(l.free_units == 1500000000 && l.dust.limb[0] == 600000000);
    model_transfer(&model_tokens[1].at, &stranger, &a.at, u256_of(600000001));         // fills one
    mine(4);
    CHECK(settled());
    l = balance("17", "NFNT");
    CHECK(l.free_units == 1500000001 && l.dust.limb[0] == 200000001);
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log WHERE state = 1"), 1);
    CHECK(exact("17", &a.at));
    end();
}

static void test_what_the_ledger_cannot_hold_is_kept(void)
{
    begin(1);
    struct deposit_address a = issue("17"), b = issue("18");
    struct u256 most = { { ~0ULL, ~0ULL, ~0ULL, ~0ULL } };
    model_transfer(&model_tokens[0].at, &stranger, &a.at, most);
    mine(1);                                                                           // sums past 256 bits are the token's own lie
    model_transfer(&model_tokens[1].at, &stranger, &a.at, big(1, 28));                 // 10^19 units: over int64
    model_transfer(&model_tokens[2].at, &stranger, &a.at, big(1, 27));                 // 10^18: just fits
    model_transfer(&model_tokens[2].at, &stranger, &a.at, u256_of(1000000000));        // one more does not
    model_transfer(&model_tokens[2].at, &stranger, &b.at, u256_of(1000000000));        // nor for anybody else: so much is inside
    model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(5));
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK_INT(balance("17", "NFNT").free_units, 0);
    CHECK_INT(balance("17", "GHUB").free_units, UNITS_MAX);
    CHECK_INT(balance("18", "PALM").free_units, 5);
    CHECK_INT(d->facts.held, 4);
    struct look l = { .player = "17" };
    fr_buf_init(&l.out, 1 << 20);
    CHECK(store_now(s, show_job, &l, &why) == FR_OK && strstr(l.out.data, "\"state\":\"held\"") && strstr(l.out.data, "\"amount\":\"1000000000000000000\""));
    fr_buf_clear(&l.out);
    CHECK(store_now(s, list_job, &l, &why) == FR_OK && strstr(l.out.data, "\"deposits\":4,\"kept\":3"));
    fr_buf_free(&l.out);
    end();
}

static void test_odd_logs_are_shown_and_credit_nothing(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    for (int odd = 1; odd <= 3; odd++) model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100))->odd = odd;
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(0));
    struct address unpinned = { { 0x99 } };
    model_transfer(&unpinned, &stranger, &a.at, u256_of(1000));
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(7));
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 7);
    CHECK_INT(d->facts.odd, 3);
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log"), 4);   // nothing of nothing, and nothing of strangers' tokens
    end();
}

static void test_a_reorg_before_finality_credits_what_stays(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    for (int i = 0; i < 40; i++) {
        for (uint64_t n = model_random(3); n; n--) model_transfer(&model_tokens[model_random(3)].at, &stranger, &a.at, u256_of(1 + model_random(5000000000)));
        mine(1);
        run(100 + (int)model_random(300));
        if (i % 3 == 0) model_reorg((int)model_random(3) + 1);
    }
    mine(4);
    CHECK(settled());
    CHECK(model.fork > 0 && exact("17", &a.at));
    end();
}

static void test_one_liar_of_three_changes_nothing(void)
{
    begin(3);
    struct deposit_address a = issue("17");
    model.node[2].adds_logs = true;
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 100);
    model.node[2] = (struct model_node){ .hides_logs = true, .hides_balances = true };
    for (int i = 0; i < 6; i++) model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 700);
    CHECK(exact("17", &a.at));
    end();
}

static void test_two_nodes_that_disagree_credit_nothing(void)
{
    begin(2);
    struct deposit_address a = issue("17");
    CHECK(settled());
    model.node[1].adds_logs = true;
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(4);
    run(20000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK(strstr(d->facts.last_error, "reading logs") && d->facts.failures > 0);
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log"), 0);
    model.node[1].adds_logs = false;
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 100);
    CHECK(exact("17", &a.at));
    end();
}

static void test_a_node_that_is_behind_does_not_hide_a_deposit(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK(settled());
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(6);
    model.node[0].behind = 8;              // it says which block is final, and answers logs out of older ones
    model.node[0].same_final = true;
    run(10000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK(strstr(d->facts.last_error, "does not have block"));
    model.node[0].behind = 0;
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 100);
    end();
}

static void test_an_answer_to_another_question_is_refused_as_a_whole(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK(settled());
    model.node[0].other_logs = true;
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(100));
    mine(4);
    run(5000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK(strstr(d->facts.last_error, "is not what was asked for"));
    model.node[0].other_logs = false;
    model.node[0].other_tokens = true;     // coins of a token that anybody can make
    run(5000);
    CHECK_INT(balance("17", "PALM").free_units, 0);
    CHECK(strstr(d->facts.last_error, "is not what was asked for"));
    model.node[0].other_tokens = false;
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 100);
    end();
}

static void test_garbage_half_the_time_and_ranges_that_are_too_large(void)
{
    begin(1);
    struct deposit_address a = issue("17"), b = issue("18");
    CHECK(settled());
    model.node[0].garbage_permille = 400;
    model.node[0].range_most = 3;
    for (int i = 0; i < 60; i++) {
        model_transfer(&model_tokens[i % 3].at, &stranger, i % 2 ? &a.at : &b.at, u256_of(1 + model_random(3000000000)));
        mine(1);
    }
    run(60000);
    model.node[0].garbage_permille = 0;
    mine(4);
    CHECK(settled());
    CHECK(exact("17", &a.at) && exact("18", &b.at));
    CHECK(model.log_asks > 20);
    end();
}

static void test_a_flood_at_one_address_holds_up_nobody_else(void)
{
    begin(1);
    struct deposit_address a = issue("17"), b = issue("18"), c = issue("19");
    CHECK(settled());
    model.node[0].logs_most = 20;
    for (int i = 0; i < 50; i++) model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(1));      // in one block
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(5));
    model_transfer(&model_tokens[0].at, &stranger, &c.at, u256_of(6));
    mine(5);
    for (int i = 0; i < 60000 && (d->facts.read_block < model_final() || d->facts.backlog == 0); i++) turn();
    CHECK_INT(balance("17", "PALM").free_units, 5);
    CHECK_INT(balance("19", "PALM").free_units, 6);
    CHECK_INT(balance("18", "PALM").free_units, 0);
    CHECK_INT(d->facts.backlog, 1);
    model.node[0].logs_most = 0;
    run(2 * DEPOSIT_RETRY_MS);
    CHECK(settled());
    CHECK_INT(balance("18", "PALM").free_units, 50);           // late, and not lost
    end();
}

static void test_many_logs_and_many_addresses_go_in_bounded_steps(void)
{
    static struct deposit_address many[DEPOSIT_GROUP_MAX + 20];
    char player[24];
    begin(1);
    for (int i = 0; i < DEPOSIT_GROUP_MAX + 20; i++) {
        snprintf(player, sizeof player, "%d", i + 1);
        many[i] = issue(player);
    }
    for (int i = 0; i < 3 * DEPOSIT_TAKE_MAX + 7; i++) model_transfer(&model_tokens[0].at, &stranger, &many[i % 600 % (DEPOSIT_GROUP_MAX + 20)].at, u256_of(1));
    mine(4);
    int64_t asks = model.log_asks;
    CHECK(settled());
    CHECK(model.log_asks - asks <= 6);                         // outflows and two groups, a range at a time
    int64_t all = 0;
    for (int i = 0; i < DEPOSIT_GROUP_MAX + 20; i++) {
        snprintf(player, sizeof player, "%d", i + 1);
        all += balance(player, "PALM").free_units;
    }
    CHECK_INT(all, 3 * DEPOSIT_TAKE_MAX + 7);
    end();
}

static void test_an_address_that_was_used_before_has_its_past_read(void)
{
    begin(1);
    mine(40);
    struct deposit_address b = issue("18");                    // somebody keeps the watch going
    model_transfer(&model_tokens[2].at, &stranger, &b.at, u256_of(2000000000));
    struct look find = { .player = "17" };
    struct deposit_address early = { 0 };
    // the address that 17 will have, as data knew it that is gone: made, looked at, and rolled back
    CHECK(store_now(s, issue_job, &find, &why) == FR_OK);
    early = find.at;
    struct look gone = { .text = "DELETE FROM deposit_address WHERE player = '17'" };
    CHECK(store_now(s, count_job, &gone, &why) == FR_OK);
    model_transfer(&model_tokens[0].at, &stranger, &early.at, u256_of(11));
    mine(10);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 0);            // nobody asked for it yet
    struct deposit_address later = issue("17");
    CHECK(address_equal(&later.at, &early.at));
    mine(1);
    run(3000);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 11);
    CHECK(exact("17", &later.at));
    end();
}

static void test_sweeps_by_sum_and_by_age(void)
{
    begin(1);
    options.sweep_units[0] = 1000;
    options.sweep_least_units[0] = 10;
    options.sweep_age_ms = 3600000;
    stop();
    start();
    struct deposit_address a = issue("17"), b = issue("18"), c = issue("19");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(499));
    model_transfer(&model_tokens[0].at, &stranger, &c.at, u256_of(9));       // not worth its gas
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 0);
    model_transfer(&model_tokens[0].at, &stranger, &b.at, u256_of(1));
    mine(4);
    CHECK(settled());
    CHECK_INT(wakes, 1);
    CHECK_INT(carry_out(TXQ_PAID), 2);
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(1000));   // before anybody has looked whether it is empty
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 0);
    CHECK(u256_compare(model_balance(&model_tokens[0].at, &model_vault, model.height), u256_of(2000)) == 0);
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_box"), 1);
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(20));
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 0);
    model_ms += 3600000;
    mine(1);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK(exact("17", &a.at) && exact("18", &b.at) && exact("19", &c.at));
    end();
}

static void test_strangers_may_sweep_first(void)
{
    begin(1);
    options.sweep_units[0] = 1;
    stop();
    start();
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    model_sweep(&model_tokens[0].at, &a.at);                   // in the same block
    mine(4);
    CHECK(settled());
    CHECK_INT(balance("17", "PALM").free_units, 500);
    CHECK_INT(carry_out(TXQ_PAID), 0);                         // seen empty, so nothing was sent
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_box"), 0);
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    mine(4);
    CHECK(settled());
    model_sweep(&model_tokens[0].at, &a.at);                   // while ours is under way
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_box"), 0);
    CHECK(u256_compare(model_balance(&model_tokens[0].at, &model_vault, model.height), u256_of(1000)) == 0);
    end();
}

static void test_a_token_that_refuses_is_left_out(void)
{
    begin(1);
    options.sweep_units[0] = 1;
    stop();
    start();
    struct deposit_address a[5];
    for (int i = 0; i < 5; i++) {
        char player[8];
        snprintf(player, sizeof player, "%d", i + 1);
        a[i] = issue(player);
        model_transfer(&model_tokens[0].at, &stranger, &a[i].at, u256_of(500));
    }
    model.refuses = a[3].at;
    mine(4);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 4);
    CHECK(settled());
    CHECK_INT(d->facts.refused, 1);
    CHECK_INT(carry_out(TXQ_PAID), 0);
    struct look l = { .player = "4" };
    fr_buf_init(&l.out, 1 << 20);
    CHECK(store_now(s, show_job, &l, &why) == FR_OK && strstr(l.out.data, "\"refused\":\"execution reverted"));
    fr_buf_free(&l.out);
    model_ms += DEPOSIT_REFUSED_MS + 1;    // a day later it has thought better of it
    model.refuses = model_zero;
    mine(1);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK_INT(d->facts.refused, 0);
    model.refuses_silently = true;         // a revert that does not say whose fault it is: halves find it
    model.refuses = a[2].at;
    for (int i = 0; i < 5; i++) model_transfer(&model_tokens[0].at, &stranger, &a[i].at, u256_of(500));
    mine(4);
    CHECK(settled());
    int swept = 0;
    for (int n; (n = carry_out(TXQ_PAID)); ) swept += n, settled();
    CHECK_INT(swept, 4);
    CHECK_INT(d->facts.refused, 1);
    end();
}

static void test_a_sweep_that_reverts_in_a_block_is_tried_with_care(void)
{
    begin(1);
    options.sweep_units[0] = 1;
    stop();
    start();
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    mine(4);
    for (int i = 0; i < DEPOSIT_TRIES_MAX; i++) {
        CHECK(settled());
        CHECK_INT(carry_out(TXQ_REVERTED), 1);
    }
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 0);                         // then it is left out, and told of
    CHECK_INT(d->facts.refused, 1);
    model_ms += DEPOSIT_REFUSED_MS + 1;
    mine(1);
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_LOST), 1);                         // nobody knows: what lies there says whether it is to be done again
    CHECK(settled());
    CHECK_INT(carry_out(TXQ_PAID), 1);
    CHECK(settled());
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_box"), 0);
    end();
}

static void test_pending_is_shown_to_who_looks_and_credits_nothing(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK(settled());
    deposit_wanted(d, &a);
    model_transfer(&model_tokens[1].at, &stranger, &a.at, big(2, 18));
    run(500);
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1 << 16);
    deposit_print_pending(d, &a, "NFNT", &out);
    CHECK(strstr(out.data, "\"amount\":\"2000000000\"") && strstr(out.data, "\"blocks_left\":3"));
    fr_buf_clear(&out);
    deposit_print_pending(d, &a, "PALM", &out);
    CHECK_TEXT(out.data, "[]");
    CHECK_INT(balance("17", "NFNT").free_units, 0);
    mine(4);
    CHECK(settled());
    fr_buf_clear(&out);
    deposit_print_pending(d, &a, "NFNT", &out);
    CHECK_TEXT(out.data, "[]");
    struct look l = { .player = "17", .asset = "NFNT" };
    fr_buf_init(&l.out, 1 << 16);
    CHECK(store_now(s, of_player_job, &l, &why) == FR_OK && strstr(l.out.data, "\"amount\":\"2000000000\"") && strstr(l.out.data, "\"state\":\"credited\""));
    fr_buf_free(&l.out);
    for (int i = 0; i < DEPOSIT_WANTED_MAX + 5; i++) {         // a bound, and the oldest go
        struct deposit_address other = a;
        other.at.bytes[0] ^= (uint8_t)i, other.at.bytes[1] ^= (uint8_t)(i >> 8) ^ 1;
        model_ms++;
        deposit_wanted(d, &other);
    }
    CHECK_INT(d->wanted_count, DEPOSIT_WANTED_MAX);
    end();
}

static void test_a_full_disk_credits_nothing_and_then_all(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    CHECK(settled());
    for (int i = 0; i < 10; i++) {
        model_transfer(&model_tokens[i % 3].at, &stranger, &a.at, u256_of(1700000000));
        mine(4);
        pthread_mutex_lock(&disk.mutex);
        disk.fail_code = SQLITE_FULL;
        disk.fail_on = true;
        disk.fail_at = disk.operations + 1 + model_random(12);
        pthread_mutex_unlock(&disk.mutex);
        for (int n = 0; n < 3000 && !strstr(d->facts.last_error, "booking"); n++) turn();
        CHECK(strstr(d->facts.last_error, "booking"));
        pthread_mutex_lock(&disk.mutex);
        disk.fail_at = 0;
        disk.fail_on = false;
        pthread_mutex_unlock(&disk.mutex);
        CHECK(settled());
        CHECK(exact("17", &a.at));
    }
    CHECK_INT(COUNT("SELECT count(*) FROM deposit_log"), 10);
    end();
}

static void test_a_chain_that_was_made_anew_credits_nothing_and_says_so(void)
{
    begin(1);
    struct deposit_address a = issue("17");
    model_transfer(&model_tokens[0].at, &stranger, &a.at, u256_of(500));
    mine(40);
    CHECK(settled());
    model_reset(1);
    stop();
    start();
    run(20000);
    CHECK(strstr(d->facts.last_error, "made anew"));
    CHECK_INT(balance("17", "PALM").free_units, 500);
    end();
}

// Stopped at each step, twenty times each, whatever was on its way comes back to nobody.
static void test_stopped_at_every_step_credits_once(void)
{
    static const int steps[] = { STEP_FINAL, STEP_VERIFY, STEP_PLAN, STEP_ASK, STEP_BOOK };
    begin(1);
    options.sweep_units[0] = 2000000000;
    struct deposit_address a = issue("17"), b = issue("18");
    int stopped[5] = { 0 };
    for (int k = 0; k < 5; k++)
        for (int i = 0; i < 100 && stopped[k] < 20; i++) {      // with nothing left to do some steps do not come
            model_transfer(&model_tokens[model_random(3)].at, &stranger, model_random(2) ? &a.at : &b.at, u256_of(1 + model_random(3000000000)));
            mine((int)model_random(3) + 1);
            int skip = steps[k] == STEP_VERIFY ? 0 : (int)model_random(6), last = -1;
#define AT_STEP ((int)d->step == steps[k] && last != steps[k] && skip-- <= 0)
            for (int n = 0; n < 400; n++) {
                model_ms += 10;
                model_answer_all();
                if (AT_STEP) break;
                last = (int)d->step;
                endpoints_tick(e);
                deposit_tick(d);
                if (AT_STEP) break;
                last = (int)d->step;
                if (d->jobs) uv_run(&loop, UV_RUN_ONCE);
                if (AT_STEP) break;
                last = (int)d->step;
            }
            stopped[k] += (int)d->step == steps[k];
            stop();
            start();
            if (model_random(4) == 0) carry_out(TXQ_PAID);
        }
    for (int k = 0; k < 5; k++) CHECK_INT(stopped[k], 20);
    mine(4);
    CHECK(settled());
    CHECK(exact("17", &a.at) && exact("18", &b.at));
    end();
}

// Everything at once, in any order.
static void walk(uint64_t seed)
{
    enum { PLAYERS = 12 };
    struct deposit_address at[PLAYERS] = { 0 };
    int nodes = seed % 3 == 0 ? 3 : 1, issued = 0, stops = 0;
    model_noise = 88172645463325252ULL + seed * 7919;
    begin(nodes);
    options.sweep_units[0] = 5000000000;
    options.sweep_units[1] = 5000000000;
    stop();
    start();
    for (int i = 0; i < 150; i++) {
        char player[24];
        switch (model_random(13)) {
        case 0:
            if (issued == PLAYERS) break;
            for (int k = 0; k < 3; k++) model.node[k].hangs = false, model.node[k].garbage_permille = 0;
            snprintf(player, sizeof player, "%d", issued + 1);
            at[issued++] = issue(player);
            break;
        case 1: model_reorg((int)model_random(3) + 1); break;
        case 2: case 3: case 4: case 5:
            if (issued) model_transfer(&model_tokens[model_random(3)].at, &stranger, &at[model_random((uint64_t)issued)].at, u256_of(1 + model_random(4000000000)));
            break;
        case 6: mine(1); break;
        case 7: mine((int)model_random(5)); break;
        case 8: stop(), start(), stops++; break;
        case 9: model.node[model_random((uint64_t)nodes)].garbage_permille = model_random(2) ? 300 : 0; break;
        case 10: model.node[nodes - 1].hangs = model_random(2); break;
        case 11:
            if (nodes == 3) model.node[2].adds_logs = model_random(2), model.node[2].hides_logs = model_random(2);
            else model.node[0].range_most = model_random(4), model.node[0].logs_most = model_random(2) ? 0 : 4;
            break;
        case 12:
            if (issued && model_random(3) == 0) model_sweep(&model_tokens[0].at, &at[model_random((uint64_t)issued)].at);
            else if (model_random(2)) carry_out((enum txq_end)(1 + model_random(4)));
            break;
        }
        run((int)model_random(400));
    }
    memset(model.node, 0, sizeof model.node);
    mine(4);
    run(2 * DEPOSIT_RETRY_MS);
    CHECK(settled());
    bool same = true;
    for (int i = 0; i < issued; i++) {
        char player[24];
        snprintf(player, sizeof player, "%d", i + 1);
        same = same && exact(player, &at[i].at);
    }
    CHECK(same);
    if (!same) printf("  seed %llu\n", (unsigned long long)seed);
    end();
}
static void test_random_walks(void)
{
    int seeds = getenv("SEEDS") ? atoi(getenv("SEEDS")) : 12;
    for (int i = getenv("SEED") ? atoi(getenv("SEED")) : 0; i < seeds; i++) walk((uint64_t)i);
}

int main(void)
{
    uv_loop_init(&loop);
    disk_install(1);
    ledger_register();
    txq_register();
    deposit_register();
    TEST(test_options_are_read_strictly);
    TEST(test_numbers_that_make_no_sense_are_refused);
    TEST(test_a_deposit_is_credited_when_it_is_final_and_once);
    TEST(test_the_same_log_told_twice_is_credited_once);
    TEST(test_addresses_are_one_person_s_for_ever);
    TEST(test_another_factory_or_vault_gives_no_address);
    TEST(test_dust_becomes_a_unit_and_is_never_lost);
    TEST(test_what_the_ledger_cannot_hold_is_kept);
    TEST(test_odd_logs_are_shown_and_credit_nothing);
    TEST(test_a_reorg_before_finality_credits_what_stays);
    TEST(test_one_liar_of_three_changes_nothing);
    TEST(test_two_nodes_that_disagree_credit_nothing);
    TEST(test_a_node_that_is_behind_does_not_hide_a_deposit);
    TEST(test_an_answer_to_another_question_is_refused_as_a_whole);
    TEST(test_garbage_half_the_time_and_ranges_that_are_too_large);
    TEST(test_a_flood_at_one_address_holds_up_nobody_else);
    TEST(test_many_logs_and_many_addresses_go_in_bounded_steps);
    TEST(test_an_address_that_was_used_before_has_its_past_read);
    TEST(test_sweeps_by_sum_and_by_age);
    TEST(test_strangers_may_sweep_first);
    TEST(test_a_token_that_refuses_is_left_out);
    TEST(test_a_sweep_that_reverts_in_a_block_is_tried_with_care);
    TEST(test_pending_is_shown_to_who_looks_and_credits_nothing);
    TEST(test_a_full_disk_credits_nothing_and_then_all);
    TEST(test_a_chain_that_was_made_anew_credits_nothing_and_says_so);
    TEST(test_stopped_at_every_step_credits_once);
    TEST(test_random_walks);
    uv_loop_close(&loop);
    return TEST_END();
}
