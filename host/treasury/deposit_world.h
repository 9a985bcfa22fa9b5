// deposit_world.h — deposits over a real store and a chain in memory, for the tests of deposits. For one program each.
#pragma once
#include "store/test_disk.h"
#include "treasury/model.h"

static uv_loop_t loop;
static struct fr_err why;
static struct store *s;
static struct endpoints *e;
static struct deposit *d;
static struct deposit_options options;
static int quorum = 1, wallets, wakes;
static inline int64_t now(void *arg) { (void)arg; return model_ms; }
static inline void on_wallet(void *arg, const char *player, const char *asset) { (void)arg, (void)player, (void)asset; wallets++; }
static inline void on_wake(void *arg) { (void)arg; wakes++; }
static struct treasury_part part;

// ---- running it

static inline void world_make(void)        // once in a program
{
    uv_loop_init(&loop);
    disk_install(1);
    ledger_register();
    txq_register();
    deposit_register();
}

static inline void start(void)
{
    e = model_endpoints();
    part = (struct treasury_part){ .store = s, .endpoints = e, .final = { .quorum = quorum, .blocks = 3 }, .chain_id = 7, .vault = model_vault, .tokens = model_tokens, .token_count = MODEL_TOKENS, .now_ms = now, .wake = on_wake, .wallet = on_wallet };
    CHECK(deposit_new(&part, &options, &d, &why) == FR_OK);
}

static inline void stop(void)
{
    endpoints_free(e);
    deposit_free(d);
    e = NULL;
    d = NULL;
}

static inline void begin(int nodes)
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

static inline void end(void)
{
    if (e) stop();
    model_answer_all();                    // endpoints are gone and have to bear it
    test_close(s, &loop);
    test_folder_drop();
}

static inline void turn(void)
{
    model_ms += 10;
    model_answer_all();
    if (e) endpoints_tick(e);
    if (d) deposit_tick(d);
    while (d && d->jobs) uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_NOWAIT);
}
static inline void run(int ms) { for (; ms > 0; ms -= 10) turn(); }
static inline void mine(int blocks) { model.height += (uint64_t)blocks; }
static inline bool settled(void)                  // all that is final is read, and nothing is left to do
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
static inline enum fr_status issue_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct look *l = arg;
    char subject[40];
    snprintf(subject, sizeof subject, "telegram:%s%s", l->player, l->text ? l->text : "");
    return deposit_issue(txn, d, l->player, subject, model_ms, &l->at, err);
}
static inline struct deposit_address issue(const char *player)
{
    struct look l = { .player = player };
    for (int i = 0; i < 12000 && !d->facts.ready; i++) turn();      // longer than a failure is waited for
    CHECK(store_now(s, issue_job, &l, &why) == FR_OK);
    return l.at;
}
static inline enum fr_status balance_job(struct store_txn *txn, void *arg, struct fr_err *err)
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
static inline struct look balance(const char *player, const char *asset)
{
    struct look l = { .player = player, .asset = asset, .worst = -1 };
    CHECK(store_now(s, balance_job, &l, &why) == FR_OK);
    CHECK(l.worst == 0);
    return l;
}
static inline enum fr_status count_job(struct store_txn *txn, void *arg, struct fr_err *err)
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
static inline enum fr_status show_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return deposit_print_one(txn, l->player, &l->out, err); }
static inline enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return deposit_print_list(txn, 0, 10, &l->out, err); }
static inline enum fr_status of_player_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct look *l = arg; return deposit_print_player(txn, d, l->player, l->asset, 10, &l->out, err); }

static const struct address stranger = { { 0x57 } };
static inline struct u256 big(uint64_t n, int zeros)
{
    struct u256 v = u256_of(n);
    for (int i = 0; i < zeros; i++) CHECK(u256_mul(v, u256_of(10), &v));
    return v;
}

// What is final on the chain for this address: the sum that must stand in ledger and dust.
static inline struct u256 arrived(const struct address *token, const struct address *at)
{
    struct u256 sum = u256_of(0);
    for (int i = 0; i < model.count; i++)
        if (!model.at[i].odd && model.at[i].block <= model_final() && model.at[i].block >= options.from_block && address_equal(&model.at[i].to, at) && address_equal(&model.at[i].token, token)) CHECK(u256_add(sum, model.at[i].amount, &sum));
    return sum;
}
static inline bool exact(const char *player, const struct address *at)
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

static inline enum fr_status next_sweep_job(struct store_txn *txn, void *arg, struct fr_err *err)
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
static inline enum fr_status end_sweep_job(struct store_txn *txn, void *arg, struct fr_err *err)
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
static inline int carry_out(enum txq_end how)
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
