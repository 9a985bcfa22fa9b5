// budget_test.c — nobody uses one token or unit more than he may: under 256 calls at once, with usage that lies, with payers who run dry. And what a restart remembers.
#include "llm/budget.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define DAY_MS 86400000LL
#define MIDDAY (20000 * DAY_MS + DAY_MS / 2 + 1)

static uv_loop_t loop;
static struct llm_settings *settings;
static struct llm_budgets *budgets;
static uint64_t seed;
static struct fr_err err;

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % below;
}

// ---- a meter in memory: the payer's balance, what lies in slabs, what was settled. It answers a turn of the loop later.
#define SLABS 100000
static struct { int64_t units, spent; bool open; } slabs[SLABS];
static int slab_count, slabs_open, asked;
static int64_t balance, earned, told, largest;      // told: settled, of all slabs
static bool bad;
struct answer { uv_timer_t timer; llm_slab_fn *done; void *arg; int64_t slab, units; };

static void free_timer(uv_handle_t *h) { fr_free(h->data); }

static void on_answer(uv_timer_t *timer)
{
    struct answer *a = timer->data;
    struct fr_err e;
    if (a->units) a->done(a->arg, FR_OK, a->slab, a->units, NULL);
    else a->done(a->arg, FR_FAIL_CODE(&e, FR_E_FUNDS, "llm_funds", "there is too little"), 0, 0, &e);
    uv_close((uv_handle_t *)timer, free_timer);
}

static enum fr_status meter_reserve(void *arg, const char *payer, const char *tenant, int64_t least, int64_t wish, llm_slab_fn *done, void *done_arg, struct fr_err *e)
{
    struct answer *a = fr_must_alloc(sizeof *a);
    (void)arg, (void)payer, (void)tenant, (void)e;
    bad = bad || least <= 0 || wish < least;
    asked++;
    *a = (struct answer){ .done = done, .arg = done_arg };
    if (balance >= least && slab_count < SLABS - 1) {
        a->units = balance < wish ? balance : wish;
        a->slab = ++slab_count;
        slabs[a->slab].units = a->units;
        slabs[a->slab].spent = 0;
        slabs[a->slab].open = true;
        if (a->units > largest) largest = a->units;
        slabs_open++;
        balance -= a->units;
    }
    uv_timer_init(&loop, &a->timer);
    a->timer.data = a;
    uv_timer_start(&a->timer, on_answer, 0, 0);
    return FR_OK;
}

static void meter_settle(void *arg, int64_t slab, int64_t spent, bool end)
{
    (void)arg;
    bad = bad || slab < 1 || slab > slab_count || !slabs[slab].open || spent < slabs[slab].spent || spent > slabs[slab].units;
    told += spent - slabs[slab].spent;
    slabs[slab].spent = spent;
    if (!end) return;
    slabs[slab].open = false;
    slabs_open--;
    earned += spent;
    balance += slabs[slab].units - spent;
}
static const struct llm_meter meter = { .reserve = meter_reserve, .settle = meter_settle };

static void budgets_begin(struct store *store, const struct llm_meter *m)
{
    struct llm_budgets_options o = { .loop = &loop, .store = store, .settings = settings, .meter = m };
    slab_count = slabs_open = asked = 0;
    earned = told = largest = 0;
    bad = false;
    CHECK(llm_budgets_open(&o, &budgets, &err) == FR_OK);
}

static void on_stopped(void *arg) { *(bool *)arg = true; }
static void budgets_end(void)
{
    bool stopped = false;
    llm_budgets_stop(budgets, on_stopped, &stopped);
    while (!stopped) uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_NOWAIT);
    llm_budgets_free(budgets);
}

static const struct llm_from alice = { "plugin:a", "player:1", "1" };
static void never(void *arg, enum fr_status st, struct llm_share *share, int64_t retry, const struct fr_err *e) { (void)arg, (void)st, (void)share, (void)retry, (void)e; CHECK(false); }
static const struct llm_price free_of_charge;

static struct llm_share *take(const struct llm_from *from, int64_t prompt, int64_t answer, int64_t *retry)
{
    struct llm_share *s;
    int64_t none;
    return llm_budget_take(budgets, from, &free_of_charge, prompt, answer, never, NULL, &s, retry ? retry : &none, &err) == FR_OK ? s : NULL;
}

// ---- limits

static void test_windows_hold_to_the_token(void)
{
    int64_t retry;
    fr_clock_set_for_test(MIDDAY);
    settings->plugin = (struct llm_limit){ .tokens_minute = 1000, .tokens_day = 1500, .requests_minute = 4, .concurrent = 3 };
    budgets_begin(NULL, NULL);
    struct llm_share *a = take(&alice, 400, 200, NULL), *b = take(&alice, 100, 300, NULL);
    CHECK(a && b);
    CHECK(!take(&alice, 1, 0, &retry) && strcmp(err.code, "llm_rate") == 0 && retry == 59999 && err.retry_s == 60);
    CHECK_INT(llm_budget_give(budgets, a, 400, 100), 0);           // 100 came back: exactly so much may be taken
    CHECK(!take(&alice, 100, 1, NULL));
    struct llm_share *c = take(&alice, 50, 50, NULL);
    CHECK(c);
    llm_budget_give(budgets, c, 99999, 99999);                     // a usage that lies is worth what was set aside
    CHECK(!take(&alice, 1, 0, NULL));
    llm_budget_give(budgets, b, -1, -1);                           // nothing was done: tokens and the call come back
    a = take(&alice, 0, 1, NULL), b = take(&alice, 0, 1, NULL);
    CHECK(a && b && !take(&alice, 0, 1, NULL));                    // the fourth and the fifth of four calls a minute: b of the first four went back
    fr_clock_set_for_test(MIDDAY + 60000);
    c = take(&alice, 800, 0, NULL);
    CHECK(c && !take(&alice, 1, 0, NULL) && strcmp(err.code, "llm_rate") == 0);     // three at once
    llm_budget_give(budgets, a, 0, 1), llm_budget_give(budgets, b, 0, 1);
    CHECK(!take(&alice, 100, 0, &retry) && strcmp(err.code, "llm_budget") == 0 && retry == DAY_MS / 2 - 60001);
    CHECK(!take(&alice, 2000, 0, &retry) && retry == 0);           // never: no use in waiting
    struct llm_budget_view view;
    llm_budget_view(budgets, "plugin:a", &view);
    CHECK(view.tokens_left_day == 98 && view.units_left == -1);
    fr_clock_set_for_test(MIDDAY + DAY_MS);
    llm_budget_give(budgets, c, 800, 0);                           // of yesterday: today knows nothing of it
    llm_budget_view(budgets, "plugin:a", &view);
    CHECK(view.tokens_left_day == 1500);
    budgets_end();
    settings->plugin = (struct llm_limit){ 0 };
}

static void test_each_of_tenant_payer_and_player_counts(void)
{
    struct llm_limit own = { .requests_day = 2 }, none = { 0 };
    struct llm_from paid = { "plugin:a", "plugin:a", "1" }, other = { "plugin:b", "plugin:b", "1" }, nobody = { "plugin:a", "plugin:a", "" }, operator = { "operator", "operator", "" };
    fr_clock_set_for_test(MIDDAY);
    settings->player.requests_day = 3;
    budgets_begin(NULL, NULL);
    llm_budgets_limit(budgets, "plugin:a", &own);
    struct llm_share *s[4] = { take(&paid, 1, 1, NULL), take(&paid, 1, 1, NULL), NULL, take(&other, 1, 1, NULL) };
    CHECK(s[0] && s[1] && s[3]);
    CHECK(!take(&nobody, 1, 1, NULL) && strcmp(err.code, "llm_budget") == 0);      // the plugin's own two
    CHECK(!take(&other, 1, 1, NULL));                                              // the player's three, of whatever plugin
    llm_budgets_limit(budgets, "plugin:a", &none);
    s[2] = take(&nobody, 1, 1, NULL);
    CHECK(s[2]);
    for (int i = 0; i < 4; i++) if (s[i]) llm_budget_give(budgets, s[i], 1, 1);
    for (int i = 0; i < 100; i++) {
        struct llm_share *o = take(&operator, 1000, 1000, NULL);
        CHECK(o);
        if (o) llm_budget_give(budgets, o, 1000, 1000);
    }
    budgets_end();
    settings->player = (struct llm_limit){ 0 };
}

// ---- 256 at once

struct caller { struct llm_share *share; bool waiting; int64_t prompt, answer; };
static struct caller callers[256];
static int64_t taken_ok, refused_funds, refused_other, costs;

static void caller_got(void *arg, enum fr_status st, struct llm_share *share, int64_t retry, const struct fr_err *e)
{
    struct caller *c = arg;
    (void)retry;
    bad = bad || !c->waiting || (st == FR_OK) != (share != NULL);
    c->waiting = false;
    c->share = share;
    if (st == FR_OK) taken_ok++;
    else if (strcmp(e->code, "llm_funds") == 0) refused_funds++;
    else refused_other++;
}

// Usages are random, some nonsense, some nothing. At each step: no window and no balance is over.
static void storm(int steps, const struct llm_price *price, int64_t day_tokens, int64_t funds)
{
    struct llm_from from = { "plugin:a", "player:1", "" };
    int64_t counted = 0, retry;
    memset(callers, 0, sizeof callers);
    taken_ok = refused_funds = refused_other = costs = 0;
    balance = funds;
    int64_t aside = 0;
    for (int step = 0; step < steps; step++) {
        struct caller *c = &callers[draw(256)];
        if (c->share) {
            bool nothing = draw(10) == 0, lies = draw(10) == 0;
            int64_t prompt = nothing ? -1 : lies ? INT64_MAX / 4 : draw(400), answer = nothing ? -1 : lies ? INT64_MAX / 4 : draw(400);
            int64_t p = nothing ? 0 : prompt > c->prompt ? c->prompt : prompt, a = nothing ? 0 : answer > c->answer ? c->answer : answer;
            int64_t want = (p * price->prompt_units + a * price->answer_units + 999) / 1000, cost = llm_budget_give(budgets, c->share, prompt, answer);
            bad = bad || cost != want;
            costs += cost;
            bad = bad || (slab_count && 2 * (costs - told) >= largest);      // what a crash would lose now: less than half a slab, however many are open
            counted += p + a;
            aside -= c->prompt + c->answer;
            c->share = NULL;
        } else if (c->waiting) {
            if (draw(20) == 0) llm_budget_forget(budgets, c), c->waiting = false;
        } else {
            c->prompt = draw(300), c->answer = draw(300);
            c->waiting = true;
            enum fr_status st = llm_budget_take(budgets, &from, price, c->prompt, c->answer, caller_got, c, &c->share, &retry, &err);
            if (st != FR_OK || c->share) c->waiting = false;
            taken_ok += st == FR_OK && c->share;
            refused_other += st != FR_OK;
        }
        if (draw(3) == 0) uv_run(&loop, UV_RUN_NOWAIT);
        aside = 0;
        for (int i = 0; i < 256; i++) if (callers[i].share || callers[i].waiting) aside += callers[i].prompt + callers[i].answer;
        if (day_tokens) bad = bad || counted + aside > day_tokens;
        bad = bad || balance < 0;
        if (bad) { printf("  wrong at step %d\n", step); break; }
    }
    for (int i = 0; i < 256; i++) if (callers[i].waiting) llm_budget_forget(budgets, &callers[i]);
    for (int i = 0; i < 256; i++) if (callers[i].share) costs += llm_budget_give(budgets, callers[i].share, 1, 1);
}

static void test_256_at_once_with_lying_usage_never_pass_the_day(void)
{
    fr_clock_set_for_test(MIDDAY);
    for (seed = 1; seed < 6; seed++) {
        settings->plugin.tokens_day = 20000 + 1000 * (int64_t)seed;
        budgets_begin(NULL, NULL);
        storm(20000, &free_of_charge, settings->plugin.tokens_day, 0);
        CHECK(!bad && taken_ok > 50 && refused_other > 100);
        budgets_end();
    }
    settings->plugin = (struct llm_limit){ 0 };
}

static void test_256_at_once_spend_a_balance_to_the_unit_and_no_further(void)
{
    fr_clock_set_for_test(MIDDAY);
    for (uint64_t s = 1; s < 9; s++) {
        struct llm_price price = { 1000 * (int64_t)s, 3000 };
        int64_t funds = 50000 + 777 * (int64_t)s;
        seed = s;
        budgets_begin(NULL, &meter);
        storm(20000, &price, 0, funds);
        budgets_end();
        CHECK(!bad && refused_funds > 0 && taken_ok > 50);
        CHECK_INT(slabs_open, 0);
        CHECK_INT(earned, costs);
        CHECK_INT(balance + earned, funds);
        CHECK(earned <= funds && earned > funds / 2);
        if (s == 1) printf("# %lld units: %lld calls, %d slabs, earned %lld, %lld left\n", (long long)funds, (long long)taken_ok, slab_count, (long long)earned, (long long)balance);
    }
}

static void test_calls_do_not_wait_while_a_slab_has_room(void)
{
    struct llm_price price = { 1000, 1000 };
    int64_t retry;
    int waited = 0;
    fr_clock_set_for_test(MIDDAY);
    budgets_begin(NULL, &meter);
    balance = 1000000000;
    memset(callers, 0, sizeof callers);
    for (int i = 0; i < 2000; i++) {
        struct caller *c = &callers[0];
        c->waiting = true;
        CHECK(llm_budget_take(budgets, &alice, &price, 10, 10, caller_got, c, &c->share, &retry, &err) == FR_OK);
        if (!c->share) waited++;
        while (!c->share) uv_run(&loop, UV_RUN_ONCE);
        llm_budget_give(budgets, c->share, 10, 10);
        c->share = NULL;
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    printf("# 2000 calls one after the other: %d waited for a slab, %d slabs were asked for\n", waited, asked);
    CHECK_INT(waited, 1);
    CHECK(asked < 60);
    budgets_end();
    CHECK_INT(earned, 40000);
}

static void test_who_is_free_asks_no_meter(void)
{
    struct llm_price price = { 1000, 1000 };
    struct llm_from operator = { "operator", "operator", "" };
    struct llm_share *s;
    int64_t retry;
    budgets_begin(NULL, &meter);
    balance = 0;
    CHECK(llm_budget_take(budgets, &operator, &price, 10, 10, never, NULL, &s, &retry, &err) == FR_OK && s);
    CHECK_INT(llm_budget_give(budgets, s, 10, 10), 0);
    CHECK(llm_budget_take(budgets, &alice, &free_of_charge, 10, 10, never, NULL, &s, &retry, &err) == FR_OK && s);
    CHECK_INT(llm_budget_give(budgets, s, 10, 10), 0);
    CHECK_INT(asked, 0);
    budgets_end();
}

// ---- a restart

static void test_a_restart_remembers_the_day(void)
{
    char folder[] = "/tmp/frond-budget-XXXXXX", command[100];
    struct store *store;
    struct llm_budget_view view;
    CHECK(mkdtemp(folder) != NULL);
    struct store_options so = { .folder = folder, .loop = &loop };
    fr_clock_set_for_test(MIDDAY);
    settings->plugin.tokens_day = 1000;
    for (int run = 0; run < 3; run++) {
        CHECK(store_open(&so, &store, &err) == FR_OK);
        if (run == 2) fr_clock_set_for_test(MIDDAY + DAY_MS);
        budgets_begin(store, NULL);
        llm_budget_view(budgets, "plugin:a", &view);
        CHECK_INT(view.tokens_left_day, run == 1 ? 700 : 1000);
        if (run == 0) {
            struct llm_share *s = take(&alice, 200, 200, NULL);
            llm_budget_give(budgets, s, 200, 100);
        }
        if (run == 1) CHECK(!take(&alice, 701, 0, NULL));
        budgets_end();
        store_close(store);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    settings->plugin = (struct llm_limit){ 0 };
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0);
}

int main(void)
{
    uv_loop_init(&loop);
    settings = fr_must_alloc(sizeof *settings);
    llm_budgets_tables();
    TEST(test_windows_hold_to_the_token);
    TEST(test_each_of_tenant_payer_and_player_counts);
    TEST(test_256_at_once_with_lying_usage_never_pass_the_day);
    TEST(test_256_at_once_spend_a_balance_to_the_unit_and_no_further);
    TEST(test_calls_do_not_wait_while_a_slab_has_room);
    TEST(test_who_is_free_asks_no_meter);
    TEST(test_a_restart_remembers_the_day);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop) == 0);
    fr_free(settings);
    return TEST_END();
}
