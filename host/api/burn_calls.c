// burn_calls.c — a plugin gives up coins of its own, and asks what became of them. What is done on chain, and when, is the treasury's.
#include <stdio.h>
#include <string.h>
#include "api/internal.h"
#include "ledger/ledger.h"
#include "treasury/burn.h"

static enum fr_status from_hold(struct store_txn *txn, struct api_op *op, const char *key, const struct ledger_account *burn, int64_t *id, struct fr_err *err)
{
    struct ledger_hold hold;
    struct ledger_account account;
    int64_t units = api_int(op, "amount", 0);
    bool known;
    FR_TRY(api_own_hold(txn, op, api_text(op, "from"), &hold, &account, err));
    if (strcmp(account.asset, burn->asset) != 0) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "hold %lld is in %s", (long long)hold.id, account.asset);
    if (units > hold.units) return FR_FAIL_CODE(err, FR_E_INVALID, "over_hold", "the hold is %lld, not %lld", (long long)hold.units, (long long)units);
    FR_TRY(ledger_key_known(txn, key, &known, err));
    struct ledger_leg leg = { burn->id, units };
    FR_TRY(ledger_hold_settle(txn, hold.id, &leg, 1, key, "burn", api_text(op, "reason"), op->now_ms, id, err));
    if (!known && units < hold.units) FR_TRY(api_return_approval(txn, &hold, &account, hold.units - units, op->now_ms, err));
    api_touch(op, account.owner, account.asset);
    return FR_OK;
}

static enum fr_status from_revenue(struct store_txn *txn, const struct api_op *op, const char *key, const struct ledger_account *burn, int64_t *id, struct fr_err *err)
{
    struct ledger_account from;
    int64_t units = api_int(op, "amount", 0);
    FR_TRY(ledger_account(txn, OWNER_PLUGIN, burn->owner, burn->asset, &from, err));
    struct ledger_leg legs[] = { { from.id, -units }, { burn->id, units } };
    struct ledger_transfer t = { .key = key, .reason = "burn", .note = api_text(op, "reason"), .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, op->now_ms, id, err);
}

static enum fr_status job_accrue(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    const char *asset = api_text(op, "asset"), *from = api_text(op, "from");
    struct ledger_account burn;
    char key[API_LEDGER_KEY_BYTES];
    int64_t id;
    FR_TRY(api_asset_granted(op, asset, err));
    FR_TRY(api_ledger_key(op, "", key, err));
    FR_TRY(ledger_account(txn, OWNER_BURN, op->version->package->manifest->id, asset, &burn, err));
    if (!from || strcmp(from, "plugin") == 0) FR_TRY(from_revenue(txn, op, key, &burn, &id, err));
    else FR_TRY(from_hold(txn, op, key, &burn, &id, err));
    fr_buf_addf(&op->out, "{\"id\":\"%lld\"}", (long long)id);
    return FR_OK;
}

// A row that was written a moment ago is looked for in the journal first: who got an id may ask for it at once.
static enum fr_status job_get(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    const char *plugin = op->version->package->manifest->id, *id = api_text(op, "id");
    static const struct burn_reader mine = { .operator = true };
    FR_AUTO_BUF(text);
    FR_AUTO(fr_json) v = NULL;
    bool more = true;
    FR_TRY(burn_collect(txn, &more, err));
    fr_buf_init(&text, CALL_RESULT_BYTES_MAX);
    if (id[0] < '0' || id[0] > '9') return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "burn_unknown", "%s has no burn \"%s\"", plugin, id);
    FR_TRY(burn_show(txn, id, &mine, &text, err));
    FR_TRY(fr_buf_check(&text, "a burn", err));
    FR_TRY(fr_json_parse(text.data, text.len, &v, err));
    const char *whose = fr_json_text(fr_json_get(v, "plugin"));
    if (!whose || strcmp(whose, plugin) != 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "burn_unknown", "%s has no burn %s", plugin, id);
    fr_buf_add_bytes(&op->out, text.data, text.len);
    return FR_OK;
}

static enum fr_status job_supply(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    struct burn_chain_supply none = { 0 };
    return burn_supply(txn, api_text(op, "asset"), NULL, &none, &op->out, err);
}

const struct api_handler api_burn_handlers[] = { { 25, API_WRITE, NULL, job_accrue }, { 26, API_WRITE /* it collects */, NULL, job_get }, { 27, API_READ, NULL, job_supply } };
const int api_burn_handler_count = sizeof api_burn_handlers / sizeof api_burn_handlers[0];
