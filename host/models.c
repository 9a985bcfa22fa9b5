// models.c — makes the parts of models and takes them apart; and says whether a player approved what a model costs.
#include "models.h"
#include "models_engine.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "net/client.h"
#include "player/apikey.h"
#include "player/consent.h"

#define CONNECTIONS 512                    // to all model servers together: whoever waits, waits in the core's queue and not behind a socket

struct models {
    struct models_options o;
    struct llm_settings *settings;
    struct net_client *client; struct model_charge *charge; struct llm *llm; struct models_engine *engine;       // engine NULL: not wanted
    struct models_engine *leaving;         // the one that is not wanted any more, until it has ended: the next one needs its folder
    void (*stopped)(void *arg); void *stopped_arg;
};

// ---- approvals: a plugin's is the one that ledger.charge asks for, a key's what its player let it spend in a day

// "key:7"
static bool is_key(const char *tenant, int64_t *id)
{
    if (strncmp(tenant, "key:", 4) != 0) return false;
    *id = strtoll(tenant + 4, NULL, 10);
    return true;
}

static enum fr_status terms_of(void *arg, const char *tenant, char terms[SHA256_HEX_BYTES], struct fr_err *err)
{
    struct models *m = arg;
    if (strncmp(tenant, "plugin:", 7) != 0) return FR_OK;
    struct plugin *p = plugins_find(m->o.plugins(m->o.arg), tenant + 7);
    if (!p) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin %.40s", tenant + 7);
    snprintf(terms, SHA256_HEX_BYTES, "%s", p->current->terms);
    return FR_OK;
}

static enum fr_status spend(struct store_txn *txn, void *arg, const char *player, const char *tenant, const char *asset, const char *terms, int64_t least, int64_t wish, int64_t now_ms, int64_t *got, struct fr_err *err)
{
    int64_t left, expires_ms, key;
    (void)arg;
    if (is_key(tenant, &key)) return api_key_spend(txn, key, least, wish, now_ms, got, err);
    if (strncmp(tenant, "plugin:", 7) != 0) return FR_FAIL_CODE(err, FR_E_FUNDS, "llm_funds", "player %s approved nothing for %.40s", player, tenant);
    FR_TRY(consent_left(txn, player, tenant + 7, asset, terms, now_ms, &left, &expires_ms, err));
    *got = left < least ? least : left < wish ? left : wish;         // with too little left consent_spend says why
    return consent_spend(txn, player, tenant + 7, asset, terms, *got, now_ms, err);
}

static enum fr_status give_back(struct store_txn *txn, void *arg, const char *player, const char *tenant, const char *asset, int64_t units, int64_t spent_ms, int64_t now_ms, struct fr_err *err)
{
    int64_t key;
    (void)arg;
    if (is_key(tenant, &key)) return api_key_unspend(txn, key, units, spent_ms, err);
    return strncmp(tenant, "plugin:", 7) == 0 ? consent_return(txn, player, tenant + 7, asset, units, spent_ms, now_ms, err) : FR_OK;
}

// ---- making

static void settings_free(struct llm_settings *s)
{
    if (s) fr_wipe(s, sizeof *s);                                    // keys are in it
    fr_free(s);
}

static struct llm_settings *settings_copy(const struct llm_settings *s)
{
    struct llm_settings *copy = fr_must_alloc(sizeof *copy);
    *copy = *s;
    return copy;
}

// ---- the engine, as the settings want it

static void on_engine_stopped(void *arg);
static enum fr_status engine_follow(struct models *m, struct fr_err *err);
static void on_engine_left(void *arg)
{
    struct models *m = arg;
    struct fr_err err;
    models_engine_free(m->leaving);
    m->leaving = NULL;
    if (m->stopped) on_engine_stopped(m);
    else if (engine_follow(m, &err) != FR_OK) fr_log(LOG_ERROR, "engine", "state", "down", "code", err.code, "text", err.text, NULL);
}

static enum fr_status engine_follow(struct models *m, struct fr_err *err)
{
    bool wanted = m->settings->engine && !m->o.no_engine;
    struct models_engine_options engine = { .loop = m->o.loop, .client = m->client, .llm = m->llm, .programs = m->o.programs, .data = m->o.data };
    if (wanted && !m->engine && !m->leaving) return models_engine_open(&engine, &m->engine, err);
    if (wanted || !m->engine || m->leaving) return FR_OK;
    m->leaving = m->engine;
    m->engine = NULL;
    llm_engine(m->llm, NULL, NULL);
    models_engine_stop(m->leaving, on_engine_left, m);
    return FR_OK;
}

enum fr_status models_open(const struct models_options *o, struct models **ret, struct fr_err *err)
{
    struct models *m = fr_must_alloc(sizeof *m);
    m->o = *o;
    m->settings = settings_copy(o->settings);
    struct net_client_options client = { .loop = o->loop, .connections = { CONNECTIONS }, .connections_per_host = { LLM_POD_CALLS_MAX }, .calls = { LLM_CALLS_MAX } };
    struct model_charge_options charge = { .loop = o->loop, .store = o->store, .asset = m->settings->asset, .burn_bps = m->settings->burn_bps, .approval = { m, terms_of, spend, give_back }, .arg = o->arg, .wallet = o->wallet };
    FR_TRY(net_client_start(&client, &m->client, err));              // a host that does not come up ends at once: nothing to take apart
    FR_TRY(model_charge_open(&charge, &m->charge, err));
    struct llm_options core = { .loop = o->loop, .client = m->client, .store = o->store, .settings = m->settings, .meter = model_charge_meter(m->charge) };
    FR_TRY(llm_open(&core, &m->llm, err));
    FR_TRY(engine_follow(m, err));
    *ret = m;
    return FR_OK;
}

struct llm *models_llm(const struct models *m) { return m->llm; }

enum fr_status models_configure(struct models *m, const struct llm_settings *settings, struct fr_err *err)
{
    struct llm_settings *next = settings_copy(settings);
    enum fr_status st = llm_configure(m->llm, next, err);
    if (st != FR_OK) { settings_free(next); return st; }
    model_charge_configure(m->charge, next->asset, next->burn_bps);
    settings_free(m->settings);
    m->settings = next;
    return engine_follow(m, err);
}

// ---- the end

static void on_client_stopped(void *arg)
{
    struct models *m = arg;
    m->client = NULL;
    m->stopped(m->stopped_arg);
}

static void on_core_stopped(void *arg)
{
    struct models *m = arg;
    model_charge_stop(m->charge);
    net_client_stop(m->client, on_client_stopped, m);
}

static void on_engine_stopped(void *arg)
{
    struct models *m = arg;
    llm_stop(m->llm, on_core_stopped, m);
}

void models_stop(struct models *m, void (*done)(void *arg), void *arg)
{
    if (!m) { done(arg); return; }
    m->stopped = done;
    m->stopped_arg = arg;
    if (!m->leaving) models_engine_stop(m->engine, on_engine_stopped, m);
}

void models_free(struct models *m)
{
    if (!m) return;
    models_engine_free(m->engine);
    llm_free(m->llm);
    model_charge_free(m->charge);
    settings_free(m->settings);
    fr_free(m);
}

void models_metrics(const struct models *m, struct fr_buf *out)
{
    models_engine_metrics(m->engine, out);
    llm_metrics(m->llm, out);
    model_charge_metrics(m->charge, out);
}

void models_print_engine(const struct models *m, struct fr_buf *out) { models_engine_print(m->engine, out); }
