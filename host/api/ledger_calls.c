// ledger_calls.c — what a plugin may do with coins: take what a player approved, pay from its own accounts, hold and settle.
//
// Keys are prefixed with the plugin's id, so plugins cannot collide; a hold can be ended only by the plugin that opened it. An approval
// is spent in the same job as the coins move, and only when the key is new: a retry spends nothing. What a hold took and did not spend goes
// back to the approval however it ends: settled for less, released, or expired.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "api/internal.h"
#include "base/units.h"
#include "ledger/ledger.h"
#include "player/consent.h"
#include "player/identity.h"

static const struct manifest *op_manifest(const struct api_op *op)
{
    return op->version->package->manifest;
}

enum fr_status api_ledger_key(const struct api_op *op, const char *suffix, char out[API_LEDGER_KEY_BYTES], struct fr_err *err)
{
    int len = snprintf(out, API_LEDGER_KEY_BYTES, "p:%s:%s%s", op_manifest(op)->id, api_text(op, "key"), suffix);
    if (len >= API_LEDGER_KEY_BYTES) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "key is too long: with the plugin's id it may have %d bytes", KEY_BYTES_MAX);
    return FR_OK;
}

enum fr_status api_asset_granted(const struct api_op *op, const char *asset, struct fr_err *err)
{
    const struct manifest *m = op_manifest(op);
    for (int i = 0; i < m->ledger_asset_count; i++)
        if (strcmp(m->ledger_assets[i], asset) == 0) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_DENIED, "not_granted", "%s has no grant for the asset %s", m->id, asset);
}

static enum fr_status job_balance(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    int64_t free_units, held_units;
    FR_TRY(api_asset_granted(op, api_text(op, "asset"), err));
    FR_TRY(ledger_balance(txn, OWNER_PLAYER, api_text(op, "player"), api_text(op, "asset"), &free_units, &held_units, err));
    fr_buf_addf(&op->out, "{\"free\":%lld,\"held\":%lld}", (long long)free_units, (long long)held_units);
    return FR_OK;
}

// The legs that share `units` by the manifest's split (NULL: all to the plugin), appended to legs.
static enum fr_status split_legs(struct store_txn *txn, const struct api_op *op, const char *split, const char *asset, int64_t units,
                                 struct ledger_leg *legs, int *count, struct fr_err *err)
{
    const struct manifest *m = op_manifest(op);
    struct ledger_part parts[SPLIT_PART_COUNT] = { [SPLIT_PLUGIN] = { .bps = 10000 } };
    const struct manifest_split *named = NULL;
    for (int i = 0; i < m->split_count && split; i++)
        if (strcmp(m->splits[i].name, split) == 0) named = &m->splits[i];
    if (split && !named) return FR_FAIL_CODE(err, FR_E_INVALID, "split_unknown", "plugin.json has no split \"%s\"", split);
    for (int i = 0; i < SPLIT_PART_COUNT && named; i++) parts[i].bps = named->bps[i];
    FR_TRY(ledger_split(units, parts, SPLIT_PART_COUNT, err));
    parts[SPLIT_PLUGIN].units += parts[SPLIT_AUTHOR].units;              // one account until partners have their own
    const struct { enum ledger_owner_kind kind; const char *owner; int64_t units; } to[] = {
        { OWNER_PLUGIN, m->id, parts[SPLIT_PLUGIN].units }, { OWNER_TREASURY, "", parts[SPLIT_TREASURY].units }, { OWNER_BURN, m->id, parts[SPLIT_BURN].units },
    };
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        struct ledger_account account;
        if (to[i].units == 0) continue;
        FR_TRY(ledger_account(txn, to[i].kind, to[i].owner, asset, &account, err));
        legs[(*count)++] = (struct ledger_leg){ account.id, to[i].units };
    }
    return FR_OK;
}

// Spends the approval, unless the key is known: then the ledger finds the first result.
static enum fr_status spend_once(struct store_txn *txn, struct api_op *op, const char *key, const char *player, const char *asset, int64_t units, struct fr_err *err)
{
    bool known;
    FR_TRY(ledger_key_known(txn, key, &known, err));
    if (known) return FR_OK;
    enum fr_status st = consent_spend(txn, player, op_manifest(op)->id, asset, op->version->terms, units, op->now_ms, err);
    if (st == FR_E_DENIED && strcmp(player, op->caller.player) == 0) {      // the sheet is shown to who calls: nobody approves there what others pay
        snprintf(op->need_asset, sizeof op->need_asset, "%s", asset);
        op->need_units = units;
    }
    return st;
}

static void op_transfer(struct api_op *op, int64_t id)
{
    fr_buf_addf(&op->out, "{\"transfer\":\"%lld\"}", (long long)id);
}

static enum fr_status do_charge(struct store_txn *txn, struct api_op *op, int64_t *id, struct fr_err *err)
{
    const char *player = api_text(op, "player"), *asset = api_text(op, "asset");
    int64_t units = api_int(op, "amount", 0);
    char key[API_LEDGER_KEY_BYTES];
    struct ledger_account from;
    struct ledger_leg legs[SPLIT_PART_COUNT + 1];
    int count = 1;
    FR_TRY(api_asset_granted(op, asset, err));
    FR_TRY(api_ledger_key(op, "", key, err));
    FR_TRY(spend_once(txn, op, key, player, asset, units, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, player, asset, &from, err));
    legs[0] = (struct ledger_leg){ from.id, -units };
    FR_TRY(split_legs(txn, op, api_text(op, "split"), asset, units, legs, &count, err));
    struct ledger_transfer t = { .key = key, .reason = "charge", .note = op_manifest(op)->id, .legs = legs, .leg_count = count };
    FR_TRY(ledger_post(txn, &t, op->now_ms, id, err));
    api_touch(op, player, asset);
    return FR_OK;
}

static enum fr_status do_pay(struct store_txn *txn, struct api_op *op, int64_t *id, struct fr_err *err)
{
    const char *player = api_text(op, "player"), *asset = api_text(op, "asset"), *pool = api_text(op, "pool"), *reason = api_text(op, "reason");
    int64_t units = api_int(op, "amount", 0);
    struct ledger_account from, to;
    char key[API_LEDGER_KEY_BYTES], owner[sizeof from.owner];
    struct player who;
    FR_TRY(api_asset_granted(op, asset, err));
    FR_TRY(player_get(txn, player, &who, err));              // numbers are given out in order: whoever gets this one later would find the coins
    FR_TRY(api_ledger_key(op, "", key, err));
    if (reason && strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(reason)) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "reason must be snake_case");
    if (pool && (size_t)snprintf(owner, sizeof owner, "%s:%s", op_manifest(op)->id, pool) >= sizeof owner)      // cut short it would be another pool's
        return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "pool is too long: with the plugin's id it may have %zu bytes", sizeof owner - 2);
    FR_TRY(ledger_account(txn, pool ? OWNER_POOL : OWNER_PLUGIN, pool ? owner : op_manifest(op)->id, asset, &from, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, player, asset, &to, err));
    struct ledger_leg legs[2] = { { from.id, -units }, { to.id, units } };
    struct ledger_transfer t = { .key = key, .reason = reason ? reason : "pay", .note = op_manifest(op)->id, .legs = legs, .leg_count = 2 };
    FR_TRY(ledger_post(txn, &t, op->now_ms, id, err));
    api_touch(op, player, asset);
    return FR_OK;
}

static enum fr_status do_hold(struct store_txn *txn, struct api_op *op, int64_t *id, struct fr_err *err)
{
    const char *player = api_text(op, "player"), *asset = api_text(op, "asset");
    struct ledger_account account;
    struct ledger_hold made, ask = { .units = api_int(op, "amount", 0), .expires_ms = op->now_ms + api_int(op, "ttl_ms", 0) };
    FR_TRY(api_asset_granted(op, asset, err));
    FR_TRY(api_ledger_key(op, "", ask.key, err));
    FR_TRY(spend_once(txn, op, ask.key, player, asset, ask.units, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, player, asset, &account, err));
    ask.account = account.id;
    FR_TRY(ledger_hold_open(txn, &ask, "hold", op->now_ms, &made, err));
    *id = made.id;
    api_touch(op, player, asset);
    return FR_OK;
}

// The plugin that opened a hold stands in its key, "p:PLUGIN:KEY"; "" when none did.
static void hold_plugin(const struct ledger_hold *hold, char out[PLUGIN_ID_BYTES_MAX + 1])
{
    const char *id = strncmp(hold->key, "p:", 2) == 0 ? hold->key + 2 : "";
    snprintf(out, PLUGIN_ID_BYTES_MAX + 1, "%.*s", (int)strcspn(id, ":"), id);
}

// The hold of this id, if this plugin opened it.
enum fr_status api_own_hold(struct store_txn *txn, const struct api_op *op, const char *text, struct ledger_hold *hold, struct ledger_account *account, struct fr_err *err)
{
    int64_t id;
    char plugin[PLUGIN_ID_BYTES_MAX + 1] = "";
    if (fr_units_parse(text, &id, err) != FR_OK) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "hold is no hold id");
    enum fr_status st = ledger_hold_get(txn, id, hold, err);
    if (st != FR_OK && st != FR_E_NOT_FOUND) return st;
    if (st == FR_OK) hold_plugin(hold, plugin);
    if (strcmp(plugin, op_manifest(op)->id) != 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "hold_unknown", "%s has no hold %lld", op_manifest(op)->id, (long long)id);
    return ledger_account_get(txn, hold->account, account, err);
}

// What a hold took and did not spend may be spent again.
enum fr_status api_return_approval(struct store_txn *txn, const struct ledger_hold *hold, const struct ledger_account *account, int64_t units, int64_t now_ms, struct fr_err *err)
{
    char plugin[PLUGIN_ID_BYTES_MAX + 1];
    int64_t spent_ms;
    hold_plugin(hold, plugin);
    FR_TRY(ledger_entry_ms(txn, hold->id, &spent_ms, err));
    return consent_return(txn, account->owner, plugin, account->asset, units, spent_ms, now_ms, err);
}

static enum fr_status do_settle(struct store_txn *txn, struct api_op *op, int64_t *id, struct fr_err *err)
{
    struct ledger_hold hold;
    struct ledger_account account;
    struct ledger_leg legs[SPLIT_PART_COUNT];
    char key[API_LEDGER_KEY_BYTES];
    int count = 0;
    bool known;
    int64_t units = api_int(op, "amount", 0);
    FR_TRY(api_own_hold(txn, op, api_text(op, "hold"), &hold, &account, err));
    FR_TRY(api_ledger_key(op, "", key, err));
    FR_TRY(ledger_key_known(txn, key, &known, err));
    if (units > hold.units) return FR_FAIL_CODE(err, FR_E_INVALID, "over_hold", "the hold is %lld, not %lld", (long long)hold.units, (long long)units);
    FR_TRY(split_legs(txn, op, api_text(op, "split"), account.asset, units, legs, &count, err));
    FR_TRY(ledger_hold_settle(txn, hold.id, legs, count, key, "settle", op_manifest(op)->id, op->now_ms, id, err));
    if (!known && units < hold.units) FR_TRY(api_return_approval(txn, &hold, &account, hold.units - units, op->now_ms, err));
    api_touch(op, account.owner, account.asset);
    return FR_OK;
}

static enum fr_status do_release(struct store_txn *txn, struct api_op *op, int64_t *id, struct fr_err *err)
{
    struct ledger_hold hold;
    struct ledger_account account;
    char key[API_LEDGER_KEY_BYTES];
    bool known;
    FR_TRY(api_own_hold(txn, op, api_text(op, "hold"), &hold, &account, err));
    FR_TRY(api_ledger_key(op, "", key, err));
    FR_TRY(ledger_key_known(txn, key, &known, err));
    FR_TRY(ledger_hold_release(txn, hold.id, key, "release", op->now_ms, id, err));
    if (!known) FR_TRY(api_return_approval(txn, &hold, &account, hold.units, op->now_ms, err));
    api_touch(op, account.owner, account.asset);
    return FR_OK;
}

static enum fr_status hold_expired(struct store_txn *txn, void *arg, const struct ledger_hold *hold, int64_t now_ms, struct fr_err *err)
{
    struct api_swept *swept = arg;
    struct api_touched *t = &swept->of[swept->count++];
    char plugin[PLUGIN_ID_BYTES_MAX + 1];
    struct ledger_account account;
    FR_TRY(ledger_account_get(txn, hold->account, &account, err));
    snprintf(t->player, sizeof t->player, "%s", account.kind == OWNER_PLAYER ? account.owner : "");
    snprintf(t->asset, sizeof t->asset, "%s", account.asset);
    hold_plugin(hold, plugin);
    return plugin[0] ? api_return_approval(txn, hold, &account, hold->units, now_ms, err) : FR_OK;      // what no plugin opened took from no approval
}

enum fr_status api_holds_sweep(struct store_txn *txn, int64_t now_ms, struct api_swept *ret, struct fr_err *err)
{
    int swept;
    ret->count = 0;
    return ledger_holds_sweep(txn, now_ms, API_SWEPT_MAX, hold_expired, ret, &swept, err);
}

typedef enum fr_status do_fn(struct store_txn *txn, struct api_op *op, int64_t *id, struct fr_err *err);
static const struct { const char *name; int no; do_fn *run; } ledger_steps[] = {
    { "charge", 17, do_charge }, { "pay", 18, do_pay }, { "hold", 19, do_hold }, { "settle", 20, do_settle }, { "release", 21, do_release },
};
#define LEDGER_STEPS ((int)(sizeof ledger_steps / sizeof ledger_steps[0]))

static enum fr_status job_step(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    int64_t id = 0;
    for (int i = 0; i < LEDGER_STEPS; i++)
        if (ledger_steps[i].no == op->call->no) FR_TRY(ledger_steps[i].run(txn, op, &id, err));
    if (op->call->no == 19) fr_buf_addf(&op->out, "{\"hold\":\"%lld\"}", (long long)id);
    else op_transfer(op, id);
    return FR_OK;
}

static enum fr_status linked_known(struct store_txn *txn, const struct api_op *op, int n, bool *known, struct fr_err *err)
{
    char suffix[8], key[API_LEDGER_KEY_BYTES];
    snprintf(suffix, sizeof suffix, "/%d", n);
    FR_TRY(api_ledger_key(op, suffix, key, err));
    return ledger_key_known(txn, key, known, err);
}

// One step of `linked`: the same checks and code as the single call, under a key derived from the common one.
static enum fr_status linked_step(struct store_txn *txn, struct api_op *op, const struct fr_json *item, int n, int64_t *id, struct fr_err *err)
{
    const struct fr_json *args = fr_json_next(fr_json_child(item));
    const char *name = fr_json_text(fr_json_child(item));
    int step = -1;
    for (int i = 0; i < LEDGER_STEPS && name; i++)
        if (strcmp(ledger_steps[i].name, name) == 0) step = i;
    if (step < 0 || fr_json_kind(args) != JSON_OBJECT || fr_json_size(item) != 2) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "each step is {\"charge\" | \"pay\" | \"hold\" | \"settle\" | \"release\", {..}}");
    FR_AUTO_BUF(text);
    fr_buf_init(&text, CALL_ARGS_BYTES_MAX);
    fr_json_print(args, &text);
    if (text.failed || fr_json_get(args, "key")) return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "a linked step has no key of its own");
    text.len--;                                           // the closing brace
    fr_buf_addf(&text, "%s\"key\":", fr_json_size(args) ? "," : "");
    char key[KEY_BYTES_MAX + 8];
    snprintf(key, sizeof key, "%s/%d", api_text(op, "key"), n);
    fr_buf_add_json_text(&text, key);
    fr_buf_add(&text, "}");
    FR_TRY(fr_buf_check(&text, "a linked step", err));
    struct fr_json *parsed = NULL;
    FR_TRY(fr_json_parse(text.data, text.len, &parsed, err));
    struct api_op *sub = op;
    struct fr_json *outer = op->args;
    const struct api_call *outer_call = op->call;
    sub->args = parsed;
    sub->call = &api_calls[ledger_steps[step].no - 1];
    enum fr_status st = api_check_args(sub->call, parsed, err);
    if (st == FR_OK) st = ledger_steps[step].run(txn, sub, id, err);
    op->args = outer;
    op->call = outer_call;
    fr_json_free(parsed);
    return st;
}

static enum fr_status job_linked(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    const struct fr_json *ops;
    FR_TRY(fr_json_need_array(op->args, "ops", 1, LINKED_MAX, &ops, err));
    fr_buf_add(&op->out, "{\"transfers\":[");
    int n = 0;
    bool known, done_before;
    FR_TRY(linked_known(txn, op, 1, &done_before, err));
    FR_TRY(linked_known(txn, op, fr_json_size(ops) + 1, &known, err));
    bool other = known;                                  // the key names all steps: one more or less is something else, though what is left is the same
    for (const struct fr_json *item = fr_json_child(ops); item; item = fr_json_next(item)) {
        int64_t id;
        n++;
        FR_TRY(linked_known(txn, op, n, &known, err));
        if (other || known != done_before) return FR_FAIL_CODE(err, FR_E_CONFLICT, "key_reused", "key %s already names other steps", api_text(op, "key"));
        if (linked_step(txn, op, item, n, &id, err) != FR_OK) return fr_err_note(err, "step %d", n);
        fr_buf_addf(&op->out, "%s\"%lld\"", n > 1 ? "," : "", (long long)id);
    }
    fr_buf_add(&op->out, "]}");
    return FR_OK;
}

const struct api_handler api_ledger_handlers[] = {
    { 16, API_READ, NULL, job_balance },
    { 17, API_WRITE, NULL, job_step }, { 18, API_WRITE, NULL, job_step }, { 19, API_WRITE, NULL, job_step },
    { 20, API_WRITE, NULL, job_step }, { 21, API_WRITE, NULL, job_step }, { 22, API_WRITE, NULL, job_linked },
};
const int api_ledger_handler_count = sizeof api_ledger_handlers / sizeof api_ledger_handlers[0];
