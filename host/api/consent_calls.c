// consent_calls.c — what a player approved, and asking for more. Only the shell gives approvals; a plugin can only ask.
#include <stdio.h>
#include <string.h>
#include "api/internal.h"
#include "player/consent.h"

static enum fr_status job_get(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    int64_t left, expires_ms;
    FR_TRY(consent_left(txn, api_text(op, "player"), op->version->package->manifest->id, api_text(op, "asset"), op->version->terms, op->now_ms, &left, &expires_ms, err));
    fr_buf_addf(&op->out, "{\"left\":%lld,\"expires_ms\":%lld}", (long long)left, (long long)expires_ms);
    return FR_OK;
}

// A sheet about an asset that the plugin could not spend anyway would only puzzle. Stakes need no grant: their modes name them.
static enum fr_status asset_spendable(const struct api_op *op, const char *asset, struct fr_err *err)
{
    const struct manifest *m = op->version->package->manifest;
    for (int i = 0; i < m->mode_count; i++) if (strcmp(m->modes[i].asset, asset) == 0) return FR_OK;
    return api_asset_granted(op, asset, err);
}

static enum fr_status job_request(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    const char *kind = api_text(op, "kind");
    struct consent_intent made, ask = { .max_units = api_int(op, "max", 0), .expires_ms = op->now_ms + INTENT_MS };
    if (kind && strcmp(kind, "once") != 0 && strcmp(kind, "daily") != 0) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "kind must be \"once\" or \"daily\"");
    FR_TRY(asset_spendable(op, api_text(op, "asset"), err));
    snprintf(ask.player, sizeof ask.player, "%s", api_text(op, "player"));
    snprintf(ask.plugin, sizeof ask.plugin, "%s", op->version->package->manifest->id);
    snprintf(ask.asset, sizeof ask.asset, "%s", api_text(op, "asset"));
    snprintf(ask.kind, sizeof ask.kind, "%s", kind ? kind : "once");
    snprintf(ask.reason, sizeof ask.reason, "%s", api_text(op, "reason"));
    snprintf(ask.terms, sizeof ask.terms, "%s", op->version->terms);
    FR_TRY(consent_intent_make(txn, &ask, api_text(op, "key"), op->now_ms, &made, err));
    fr_buf_addf(&op->out, "{\"intent\":\"%s\"}", made.id);
    return FR_OK;
}

const struct api_handler api_consent_handlers[] = { { 23, API_READ, NULL, job_get }, { 24, API_WRITE, NULL, job_request } };
const int api_consent_handler_count = sizeof api_consent_handlers / sizeof api_consent_handlers[0];
