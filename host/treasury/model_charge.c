// model_charge.c — rows of slabs, their holds, and how each ends. What is said of a slab is written in the order in which it was said; what the store refuses is said again.
#include "treasury/model_charge.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "store/migrate.h"

#define AGAIN_MS 1000
#define BPS 10000
#define WHO_BYTES 48
enum { SLAB_OPEN = 1, SLAB_ENDED };        // stored: never renumber

static const struct store_migration steps[] = {
    { "model_charge", 1,
      "CREATE TABLE llm_slab(n INTEGER PRIMARY KEY AUTOINCREMENT, hold INTEGER NOT NULL, payer TEXT NOT NULL, tenant TEXT NOT NULL, asset TEXT NOT NULL, units INTEGER NOT NULL CHECK (units > 0), spent INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0 AND spent <= units),"
      " burn_bps INTEGER NOT NULL, state INTEGER NOT NULL, made_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL DEFAULT 0) STRICT;"
      "CREATE INDEX llm_slab_open ON llm_slab(n) WHERE state = 1" },
};

void model_charge_register(void) { store_register(steps, (int)(sizeof steps / sizeof steps[0])); }

struct op {                                // a slab that is asked for, or something said of one
    struct model_charge *m; struct op *next;
    char payer[WHO_BYTES], tenant[WHO_BYTES], asset[16], terms[SHA256_HEX_BYTES]; int burn_bps;
    int64_t least, wish, now_ms, slab, units, spent; bool end, told;
    llm_slab_fn *done; void *arg;
};
struct model_charge {
    struct model_charge_options o;
    char asset[16]; int burn_bps;
    struct llm_meter meter;
    struct op *again; uv_timer_t timer; bool stopped;      // what the store refused
    int64_t slabs, ended, reserved_units, earned_units, refused;
};

// ---- rows

struct slab { int64_t n, hold, units, spent, made_ms; int burn_bps, state; char payer[WHO_BYTES], tenant[WHO_BYTES], asset[16]; };

static enum fr_status slab_get(struct store_txn *txn, int64_t n, struct slab *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT hold, units, spent, made_ms, burn_bps, state, payer, tenant, asset FROM llm_slab WHERE n = ?1", &row, err));
    sql_bind_int(row, 1, n);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL(err, FR_E_NOT_FOUND, "there is no slab %lld", (long long)n);
    *ret = (struct slab){ .n = n, .hold = sql_int(row, 0), .units = sql_int(row, 1), .spent = sql_int(row, 2), .made_ms = sql_int(row, 3), .burn_bps = (int)sql_int(row, 4), .state = (int)sql_int(row, 5) };
    snprintf(ret->payer, sizeof ret->payer, "%s", sql_text(row, 6));
    snprintf(ret->tenant, sizeof ret->tenant, "%s", sql_text(row, 7));
    snprintf(ret->asset, sizeof ret->asset, "%s", sql_text(row, 8));
    return FR_OK;
}

static const char *player_of(const char *payer) { return strncmp(payer, "player:", 7) == 0 ? payer + 7 : NULL; }
static const char *plugin_of(const char *who) { return strncmp(who, "plugin:", 7) == 0 ? who + 7 : NULL; }

// ---- making one

static enum fr_status slab_insert(struct store_txn *txn, struct op *op, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO llm_slab(hold, payer, tenant, asset, units, burn_bps, state, made_ms) VALUES(0, ?1, ?2, ?3, ?4, ?5, 1, ?6)", &row, err));
    sql_bind_text(row, 1, op->payer);
    sql_bind_text(row, 2, op->tenant);
    sql_bind_text(row, 3, op->asset);
    sql_bind_int(row, 4, op->units);
    sql_bind_int(row, 5, op->burn_bps);
    sql_bind_int(row, 6, op->now_ms);
    FR_TRY(sql_do(row, NULL, err));
    op->slab = sql_last_id(txn);
    return FR_OK;
}

static enum fr_status job_reserve(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct op *op = arg;
    const struct model_approval *approval = &op->m->o.approval;
    const char *player = player_of(op->payer), *plugin = plugin_of(op->payer), *owner = player ? player : plugin;
    enum ledger_owner_kind kind = player ? OWNER_PLAYER : OWNER_PLUGIN;
    int64_t free_units, held_units;
    struct ledger_account account;
    struct ledger_hold made, ask = { 0 };
    struct store_row *row = NULL;
    FR_TRY(ledger_balance(txn, kind, owner, op->asset, &free_units, &held_units, err));
    if (free_units < op->least) return FR_FAIL_CODE(err, FR_E_FUNDS, "llm_funds", "%s has too little %s for this call", op->payer, op->asset);
    op->units = free_units < op->wish ? free_units : op->wish;
    if (player) FR_TRY(approval->spend(txn, approval->arg, player, op->tenant, op->asset, op->terms, op->least, op->units, op->now_ms, &op->units, err));
    assert(op->units >= op->least);
    FR_TRY(slab_insert(txn, op, err));
    FR_TRY(ledger_account(txn, kind, owner, op->asset, &account, err));
    ask.account = account.id;
    ask.units = op->units;
    snprintf(ask.owner, sizeof ask.owner, "llm:%lld", (long long)op->slab);
    snprintf(ask.key, sizeof ask.key, "llm:%lld", (long long)op->slab);
    FR_TRY(ledger_hold_open(txn, &ask, "llm", op->now_ms, &made, err));
    FR_TRY(sql_begin(txn, "UPDATE llm_slab SET hold = ?2 WHERE n = ?1", &row, err));
    sql_bind_int(row, 1, op->slab);
    sql_bind_int(row, 2, made.id);
    return sql_do(row, NULL, err);
}

static void tell_wallet(struct model_charge *m, const char *payer, const char *asset)
{
    if (player_of(payer) && m->o.wallet) m->o.wallet(m->o.arg, player_of(payer), asset);
}

static void on_reserved(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct op *op = arg;
    struct model_charge *m = op->m;
    struct fr_err mine;
    if (st == FR_E_DENIED && strcmp(err->code, "consent_required") != 0) st = FR_FAIL_CODE(&mine, FR_E_FUNDS, "llm_funds", "%s", err->text), err = &mine;
    if (st == FR_OK) m->slabs++, m->reserved_units += op->units, tell_wallet(m, op->payer, op->asset);
    else m->refused++;
    op->done(op->arg, st, st == FR_OK ? op->slab : 0, st == FR_OK ? op->units : 0, st == FR_OK ? NULL : err);
    fr_free(op);
}

static enum fr_status reserve(void *arg, const char *payer, const char *tenant, int64_t least, int64_t wish, llm_slab_fn *done, void *done_arg, struct fr_err *err)
{
    struct model_charge *m = arg;
    if (!player_of(payer) && !plugin_of(payer)) return FR_FAIL_CODE(err, FR_E_FUNDS, "llm_funds", "nobody pays for \"%.60s\"", payer);
    struct op *op = fr_alloc(sizeof *op);
    if (!op) return FR_FAIL(err, FR_E_NOMEM, "no memory for a slab");
    *op = (struct op){ .m = m, .burn_bps = m->burn_bps, .least = least, .wish = wish, .now_ms = fr_now_ms(), .done = done, .arg = done_arg };
    snprintf(op->payer, sizeof op->payer, "%s", payer);
    snprintf(op->tenant, sizeof op->tenant, "%s", tenant);
    snprintf(op->asset, sizeof op->asset, "%s", m->asset);
    enum fr_status st = player_of(payer) && m->o.approval.terms ? m->o.approval.terms(m->o.approval.arg, tenant, op->terms, err) : FR_OK;
    if (st == FR_OK) st = store_run(m->o.store, job_reserve, op, on_reserved, err);
    if (st != FR_OK) fr_free(op);
    return st;
}

// ---- ending one

static enum fr_status add_leg(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner, const char *asset, int64_t units, struct ledger_leg *legs, int *count, struct fr_err *err)
{
    struct ledger_account account;
    if (units == 0) return FR_OK;
    FR_TRY(ledger_account(txn, kind, owner, asset, &account, err));
    legs[(*count)++] = (struct ledger_leg){ account.id, units };
    return FR_OK;
}

static enum fr_status slab_end(struct store_txn *txn, const struct model_approval *approval, const struct slab *s, int64_t now_ms, struct fr_err *err)
{
    struct ledger_part parts[2] = { { .bps = s->burn_bps }, { .bps = BPS - s->burn_bps } };
    struct ledger_leg legs[2];
    struct store_row *row = NULL;
    const char *plugin = plugin_of(s->tenant), *player = player_of(s->payer);
    char key[40];
    int count = 0;
    int64_t id;
    snprintf(key, sizeof key, "llm:%lld:end", (long long)s->n);
    FR_TRY(ledger_split(s->spent, parts, 2, err));
    FR_TRY(add_leg(txn, OWNER_BURN, plugin ? plugin : "llm", s->asset, parts[0].units, legs, &count, err));
    FR_TRY(add_leg(txn, OWNER_TREASURY, "", s->asset, parts[1].units, legs, &count, err));
    if (count) FR_TRY(ledger_hold_settle(txn, s->hold, legs, count, key, "llm", s->tenant, now_ms, &id, err));
    else FR_TRY(ledger_hold_release(txn, s->hold, key, "llm", now_ms, &id, err));
    if (player && s->units > s->spent) FR_TRY(approval->give_back(txn, approval->arg, player, s->tenant, s->asset, s->units - s->spent, s->made_ms, now_ms, err));
    FR_TRY(sql_begin(txn, "UPDATE llm_slab SET state = 2, spent = ?2, ended_ms = ?3 WHERE n = ?1", &row, err));
    sql_bind_int(row, 1, s->n);
    sql_bind_int(row, 2, s->spent);
    sql_bind_int(row, 3, now_ms);
    return sql_do(row, NULL, err);
}

// Said twice, or late, it changes nothing: what was used only grows, and an end is one.
static enum fr_status job_settle(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct op *op = arg;
    struct slab s;
    struct store_row *row = NULL;
    FR_TRY(slab_get(txn, op->slab, &s, err));
    if (s.state != SLAB_OPEN) return FR_OK;
    if (op->spent > s.spent) s.spent = op->spent > s.units ? s.units : op->spent;
    snprintf(op->payer, sizeof op->payer, "%s", s.payer);
    snprintf(op->asset, sizeof op->asset, "%s", s.asset);
    op->told = true;
    if (op->end) return slab_end(txn, &op->m->o.approval, &s, op->now_ms, err);
    FR_TRY(sql_begin(txn, "UPDATE llm_slab SET spent = ?2 WHERE n = ?1", &row, err));
    sql_bind_int(row, 1, s.n);
    sql_bind_int(row, 2, s.spent);
    return sql_do(row, NULL, err);
}

static void say_again(struct op *op);
static void on_settled(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct op *op = arg;
    struct model_charge *m = op->m;
    (void)err;
    if (st != FR_OK) { say_again(op); return; }
    if (op->end && op->told) m->ended++, m->earned_units += op->spent, tell_wallet(m, op->payer, op->asset);
    fr_free(op);
}

static void say(struct op *op)
{
    struct fr_err err;
    if (store_run(op->m->o.store, job_settle, op, on_settled, &err) != FR_OK) say_again(op);
}

static void on_again(uv_timer_t *timer)
{
    struct model_charge *m = timer->data;
    struct op *list = m->again;
    m->again = NULL;
    while (list) {
        struct op *op = list;
        list = op->next;
        say(op);
    }
}

// A full disk: until it has room, or until the next start ends the slab with what was written.
static void say_again(struct op *op)
{
    struct model_charge *m = op->m;
    if (m->stopped) { fr_free(op); return; }
    op->next = m->again;
    m->again = op;
    if (!uv_is_active((uv_handle_t *)&m->timer)) uv_timer_start(&m->timer, on_again, AGAIN_MS, 0);
}

static void settle(void *arg, int64_t slab, int64_t spent_units, bool end)
{
    struct model_charge *m = arg;
    struct op *op = fr_must_alloc(sizeof *op);
    *op = (struct op){ .m = m, .slab = slab, .spent = spent_units, .end = end, .now_ms = fr_now_ms() };
    say(op);
}

// ---- all of it

// Slabs of an earlier run: their core is gone, and nobody will say more of them.
static enum fr_status job_recover(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct model_charge *m = arg;
    struct ledger_asset asset;
    FR_TRY(ledger_asset_get(txn, m->asset, &asset, err));
    for (int64_t n = 0;;) {
        struct slab s;
        {
            FR_SQL_ROW(row);
            bool found = false;
            FR_TRY(sql_begin(txn, "SELECT n FROM llm_slab WHERE state = 1 AND n > ?1 ORDER BY n LIMIT 1", &row, err));
            sql_bind_int(row, 1, n);
            FR_TRY(sql_step(row, &found, err));
            if (!found) return FR_OK;
            n = sql_int(row, 0);
        }
        FR_TRY(slab_get(txn, n, &s, err));
        FR_TRY(slab_end(txn, &m->o.approval, &s, fr_now_ms(), err));
    }
}

enum fr_status model_charge_open(const struct model_charge_options *o, struct model_charge **ret, struct fr_err *err)
{
    struct model_charge *m = fr_must_alloc(sizeof *m);
    m->o = *o;
    model_charge_configure(m, o->asset, o->burn_bps);
    m->meter = (struct llm_meter){ .arg = m, .reserve = reserve, .settle = settle };
    enum fr_status st = store_now(o->store, job_recover, m, err);
    if (st != FR_OK) { fr_free(m); return st; }
    uv_timer_init(o->loop, &m->timer);
    m->timer.data = m;
    *ret = m;
    return FR_OK;
}

void model_charge_configure(struct model_charge *m, const char *asset, int burn_bps)
{
    assert(burn_bps >= 0 && burn_bps <= BPS);
    snprintf(m->asset, sizeof m->asset, "%s", asset);
    m->burn_bps = burn_bps;
}

const struct llm_meter *model_charge_meter(const struct model_charge *m) { return &m->meter; }

void model_charge_stop(struct model_charge *m)
{
    if (!m || m->stopped) return;
    on_again(&m->timer);                       // once more, and then the next start does it
    m->stopped = true;
    uv_close((uv_handle_t *)&m->timer, NULL);
}

void model_charge_free(struct model_charge *m)
{
    if (!m) return;
    for (struct op *op = m->again, *next; op; op = next) next = op->next, fr_free(op);
    fr_free(m);
}

void model_charge_facts(const struct model_charge *m, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"asset\":\"%s\",\"burn_bps\":%d,\"slabs\":%lld,\"ended\":%lld,\"refused\":%lld,\"earned\":\"%lld\"}", m->asset, m->burn_bps, (long long)m->slabs, (long long)m->ended, (long long)m->refused, (long long)m->earned_units);
}

void model_charge_metrics(const struct model_charge *m, struct fr_buf *out)
{
    fr_buf_addf(out, "# HELP frond_llm_slabs_total Slabs of coins set aside for models.\n# TYPE frond_llm_slabs_total counter\nfrond_llm_slabs_total %lld\n"
                     "# HELP frond_llm_earned_units_total Base units paid for models since the start.\n# TYPE frond_llm_earned_units_total counter\nfrond_llm_earned_units_total %lld\n", (long long)m->slabs, (long long)m->earned_units);
}

bool model_charge_owner_alive(struct store_txn *txn, const char *owner)
{
    struct slab s;
    struct fr_err err;
    return strncmp(owner, "llm:", 4) == 0 && slab_get(txn, strtoll(owner + 4, NULL, 10), &s, &err) == FR_OK && s.state == SLAB_OPEN;
}
