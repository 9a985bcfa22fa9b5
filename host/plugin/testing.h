// testing.h — a host without sockets for the tests of play/ and api/: store, sandbox with the real worker, plugins, players, coins.
#pragma once
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/mem.h"
#include "ledger/ledger.h"
#include "player/consent.h"
#include "plugin/runtime.h"
#include "store/kv.h"
#include "store/test.h"

struct testing { uv_loop_t loop; struct store *store; struct sandbox *sandbox; struct plugins *plugins; };
static struct testing T;

// Turns the loop until the condition holds; 15 s only so that a broken test ends.
#define WAIT(condition) do { for (int64_t end_ = fr_mono_ms() + 15000; !(condition) && fr_mono_ms() < end_; uv_run(&T.loop, UV_RUN_NOWAIT)) usleep(300); CHECK(condition); } while (0)

static void must(enum fr_status st, struct fr_err *err)
{
    if (st == FR_OK) return;
    printf("  %s: %s\n", err->code, err->text);
    exit(1);
}

// The release worker stands beside the sanitized programs, above test/.
static const char *testing_worker(void)
{
    static char path[512];
    const char *env = getenv("FROND_WORKER");
    if (env) return env;
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 40);
    path[len > 0 ? len : 0] = '\0';
    for (char *slash; (slash = strrchr(path, '/')); *slash = '\0') {
        memcpy(slash, "/frond-worker", 14);
        if (access(path, X_OK) == 0) return path;
    }
    return "frond-worker";
}

// Writes games/ID/NAME below the test's folder.
static void testing_put(const char *id, const char *name, const char *text)
{
    char path[700];
    mkdir(test_path("games"), 0700);
    snprintf(path, sizeof path, "%s/%s", test_path("games"), id);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/%s/%s", test_path("games"), id, name);
    FILE *f = fopen(path, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0) abort();
}

static struct plugin *testing_plugin(const char *id) { return plugins_find(T.plugins, id); }

static void testing_up(const struct plugins_options *hooks)
{
    struct fr_err err;
    const char *folders[] = { test_path("games") };
    struct plugins_options o = *hooks;
    if (uv_loop_init(&T.loop) != 0) abort();
    T.store = test_open(&T.loop);
    must(sandbox_new(&T.loop, testing_worker(), 1, &T.sandbox, &err), &err);
    o.loop = &T.loop;
    o.store = T.store;
    o.sandbox = T.sandbox;
    o.folders = folders;
    o.folder_count = 1;
    o.trust_new = true;
    must(plugins_open(&o, &T.plugins, &err), &err);
}

static void testing_on_stopped(void *arg) { *(bool *)arg = true; }

static void testing_down(void)
{
    bool stopped = false;
    plugins_stop(T.plugins);
    sandbox_stop(T.sandbox, testing_on_stopped, &stopped);
    WAIT(stopped);
    test_close(T.store, &T.loop);
    plugins_close(T.plugins);
    uv_run(&T.loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&T.loop) == 0);
}

// ---- players "1" and "2", their coins and what they approved

static enum fr_status testing_players_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    for (int64_t who = 1; who <= 2; who++) {
        struct player made;
        bool is_new;
        FR_TRY(player_enter(txn, "test", 1000 + who, who == 1 ? "Ann" : "Ben", "en", 1, &made, &is_new, err));
        CHECK(atoi(made.id) == who);
    }
    return FR_OK;
}

static void testing_players(void)
{
    struct fr_err err;
    must(store_now(T.store, testing_players_job, NULL, &err), &err);
}

struct testing_gift { const char *player, *plugin, *terms; int64_t coins, approve; };

static enum fr_status testing_give_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct testing_gift *g = arg;
    struct ledger_account world, own;
    struct consent made, ask = { .asset = "PALM", .kind = "once", .max_units = g->approve, .expires_ms = fr_now_ms() + 3600000 };
    char key[80];
    int64_t id;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "PALM", &world, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, g->player, "PALM", &own, err));
    struct ledger_leg legs[] = { { world.id, -g->coins }, { own.id, g->coins } };
    snprintf(key, sizeof key, "test:%s", g->player);
    if (g->coins) FR_TRY(ledger_post(txn, &(struct ledger_transfer){ .key = key, .reason = "mint", .note = "", .legs = legs, .leg_count = 2 }, 1, &id, err));
    if (!g->approve) return FR_OK;
    snprintf(ask.player, sizeof ask.player, "%s", g->player);
    snprintf(ask.plugin, sizeof ask.plugin, "%s", g->plugin);
    snprintf(ask.terms, sizeof ask.terms, "%s", g->terms);
    return consent_give(txn, &ask, fr_now_ms(), &made, err);
}

static void testing_give(const struct testing_gift *g)
{
    struct fr_err err;
    must(store_now(T.store, testing_give_job, (void *)(uintptr_t)g, &err), &err);
}

struct testing_money { bool (*owner_alive)(struct store_txn *, const char *); int64_t free[3], held[3], sum; struct ledger_audit audit; };

static enum fr_status testing_money_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct testing_money *m = arg;
    for (int i = 1; i <= 2; i++) FR_TRY(ledger_balance(txn, OWNER_PLAYER, i == 1 ? "1" : "2", "PALM", &m->free[i], &m->held[i], err));
    FR_TRY(ledger_sums(txn, &m->sum, err));
    return ledger_audit_run(txn, m->owner_alive, &m->audit, err);
}

// Also checks the audit: sums, chain, balances, holds.
static struct testing_money testing_money(bool (*owner_alive)(struct store_txn *, const char *))
{
    struct testing_money m = { .owner_alive = owner_alive };
    struct fr_err err;
    must(store_now(T.store, testing_money_job, &m, &err), &err);
    CHECK_INT(m.sum, 0);
    CHECK(m.audit.chain_ok && m.audit.balances_ok && m.audit.holds_ok && m.audit.sums_ok);
    CHECK_INT(m.audit.holds_orphaned, 0);
    return m;
}
