// need.c — what a player must be asked before a plugin may use coins: the intent, and the fields that the approval sheet shows.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/internal.h"
#include "player/consent.h"

static enum fr_status intent_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_need *n = arg;
    int64_t now_ms = fr_now_ms();
    struct consent_intent made;
    if (n->intent[0]) {
        if (consent_intent_get(txn, n->player, n->intent, now_ms, &made, err) != FR_OK) return FR_OK;      // over already: asked without a date
    } else {
        struct consent_intent ask = { .kind = "once", .max_units = n->units };
        snprintf(ask.player, sizeof ask.player, "%s", n->player);
        snprintf(ask.plugin, sizeof ask.plugin, "%s", n->plugin);
        snprintf(ask.asset, sizeof ask.asset, "%s", n->asset);
        snprintf(ask.reason, sizeof ask.reason, "%s", n->reason);
        snprintf(ask.terms, sizeof ask.terms, "%s", n->terms);
        FR_TRY(consent_intent_make(txn, &ask, NULL, now_ms, &made, err));
    }
    snprintf(n->intent, sizeof n->intent, "%s", made.id);
    n->expires_ms = made.expires_ms;
    return FR_OK;
}

// Without an intent the sheet still knows plugin, asset and amount.
static void intent_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct gw_need *n = arg;
    if (status != FR_OK) fr_log_err(LOG_WARN, "consent.intent_lost", err, "plugin", n->plugin, NULL);
    n->done(n->arg);
}

void gw_need_start(struct gw_need *n, const struct plugin *p, const struct manifest_mode *mode)
{
    const struct manifest *m = p->package->manifest;
    struct fr_err err;
    snprintf(n->plugin, sizeof n->plugin, "%s", m->id);
    snprintf(n->terms, sizeof n->terms, "%s", mode ? mode->terms : p->terms);
    fr_buf_init(&n->terms_json, 8 * 1024);
    gw_terms_print(m, mode, &n->terms_json);
    if (store_run(n->g->o.store, intent_job, n, intent_done, &err) != FR_OK) intent_done(n, err.status, &err);
}

void gw_need_print(const struct gw_need *n, struct fr_buf *out)
{
    char at[25];
    fr_buf_addf(out, ",\"intent\":%s%s%s,\"plugin\":\"%s\",\"asset\":\"%s\",\"amount\":\"%lld\",\"reason\":", n->intent[0] ? "\"" : "", n->intent[0] ? n->intent : "null",
                n->intent[0] ? "\"" : "", n->plugin, n->asset, (long long)n->units);
    fr_buf_add_json_text(out, n->reason);
    if (n->expires_ms) fr_buf_addf(out, ",\"expires_at\":\"%s\"", fr_time_text(n->expires_ms, at));
    else fr_buf_add(out, ",\"expires_at\":null");
    fr_buf_addf(out, ",\"terms\":%s", n->terms_json.data && !n->terms_json.failed ? n->terms_json.data : "{}");
}

void gw_need_free(struct gw_need *n)
{
    if (!n) return;
    fr_buf_free(&n->terms_json);
    fr_free(n);
}
