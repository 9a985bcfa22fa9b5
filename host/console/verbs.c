// verbs.c — what an operator can ask, as data. The CLI runs the same table on a data folder when no host holds it.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/id.h"
#include "base/units.h"
#include "console/internal.h"
#include "ledger/ledger.h"
#include "treasury/burn.h"
#include "treasury/model_charge.h"
#include "treasury/withdrawal.h"

#define LIST_MAX 200
#define OWNER_ACCOUNTS_MAX 256

// "player:17", "plugin:duel", "pool:duel:season", "treasury", "burn:duel", "burn" (all of them: *owner NULL), "chain:dev"
static enum fr_status owner_parse(struct store_txn *txn, const char *text, enum ledger_owner_kind *kind, const char **owner, struct fr_err *err)
{
    char name[16];
    const char *colon = strchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), text);
    *owner = colon ? colon + 1 : "";
    bool known = len < sizeof name && ledger_owner_kind_parse(name, kind), alone = known && (*kind == OWNER_TREASURY || (*kind == OWNER_BURN && !colon));
    if (!known || (alone ? colon != NULL : (*owner)[0] == '\0'))
        return FR_FAIL_CODE(err, FR_E_INVALID, "owner_unknown", "owner must be player:ID, plugin:ID, pool:NAME, chain:NAME, treasury, burn or burn:PLUGIN, not \"%.40s\"", text);
    struct player who;
    if (*kind == OWNER_BURN && !colon) *owner = NULL;
    return *kind == OWNER_PLAYER ? player_get(txn, *owner, &who, err) : FR_OK;
}

// An asset that was typed wrong looks like an empty account.
static enum fr_status asset_arg(struct store_txn *txn, const struct console_op *op, const char **ret, struct fr_err *err)
{
    struct ledger_asset a;
    FR_TRY(fr_json_opt_text(op->args, "asset", 15, "", ret, err));
    return (*ret)[0] ? ledger_asset_get(txn, *ret, &a, err) : FR_OK;
}

enum fr_status console_limit(const struct console_op *op, int most, int usual, int *ret, struct fr_err *err)
{
    int64_t limit;
    if (fr_json_opt_units(op->args, "limit", 1, most, usual, &limit, err) != FR_OK) return FR_FAIL(err, FR_E_INVALID, "limit: expected a whole number from 1 to %d", most);
    *ret = (int)limit;
    return FR_OK;
}

static enum fr_status job_balance(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *text, *asset, *owner;
    enum ledger_owner_kind kind;
    FR_TRY(fr_json_need_text(op->args, "owner", 1, 64, &text, err));
    FR_TRY(asset_arg(txn, op, &asset, err));
    FR_TRY(owner_parse(txn, text, &kind, &owner, err));
    struct ledger_account list[OWNER_ACCOUNTS_MAX];
    int count, written = 0;
    FR_TRY(ledger_accounts(txn, kind, owner, list, OWNER_ACCOUNTS_MAX, &count, err));
    fr_buf_add(&op->out, "[");
    for (int i = 0; i < count; i++) {
        struct ledger_asset a;
        char free_text[UNITS_TEXT_BYTES], held_text[UNITS_TEXT_BYTES];
        if (asset[0] && strcmp(asset, list[i].asset) != 0) continue;
        FR_TRY(ledger_asset_get(txn, list[i].asset, &a, err));
        fr_buf_addf(&op->out, "%s{\"account\":\"%lld\",\"owner\":\"%s:%s\",\"asset\":\"%s\",\"free\":\"%s\",\"held\":\"%s\"}", written++ ? "," : "", (long long)list[i].id,
                    ledger_owner_name(kind), list[i].owner, a.id, fr_units_format(list[i].free_units, a.decimals, free_text), fr_units_format(list[i].held_units, a.decimals, held_text));
    }
    fr_buf_add(&op->out, "]");
    return FR_OK;
}

static enum fr_status job_mint(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *player, *asset, *amount, *key;
    int64_t units, id;
    struct ledger_asset a;
    struct ledger_account from, to;
    char full[KEY_BYTES_MAX + 1];
    FR_TRY(fr_json_need_text(op->args, "player", 1, 23, &player, err));
    FR_TRY(fr_json_need_text(op->args, "asset", 1, 15, &asset, err));
    FR_TRY(fr_json_need_text(op->args, "amount", 1, 31, &amount, err));
    FR_TRY(fr_json_need_text(op->args, "key", 1, 80, &key, err));
    FR_TRY(ledger_asset_get(txn, asset, &a, err));
    if (!op->dev && a.backed) return FR_FAIL_CODE(err, FR_E_DENIED, "asset_backed", "coins of %s come from the chain: outside --dev none are made here", asset);
    struct player known;
    FR_TRY(player_get(txn, player, &known, err));
    FR_TRY(fr_units_parse_decimal(amount, a.decimals, &units, err));
    if (units <= 0 || units > UNITS_MAX) return FR_FAIL(err, FR_E_INVALID, "amount must be over 0 and at most %lld base units", UNITS_MAX);
    FR_TRY(ledger_account(txn, OWNER_CHAIN, op->dev ? "dev" : "test", asset, &from, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, player, asset, &to, err));
    struct ledger_leg legs[] = { { from.id, -units }, { to.id, units } };
    snprintf(full, sizeof full, "mint:%s", key);
    struct ledger_transfer t = { .key = full, .reason = "mint", .note = "operator", .legs = legs, .leg_count = 2 };
    FR_TRY(ledger_post(txn, &t, fr_now_ms(), &id, err));
    fr_buf_addf(&op->out, "{\"transfer\":\"%lld\",\"player\":\"%s\",\"asset\":\"%s\",\"amount\":\"%s\"}", (long long)id, player, asset, amount);
    return FR_OK;
}

// With a host running, the player's open pages are told as of any other change.
static void minted(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct console_op *op = arg;
    const struct console_options *o = console_options_of(op->console);
    const char *player = fr_json_text(fr_json_get(op->args, "player")), *asset = fr_json_text(fr_json_get(op->args, "asset"));
    if (status == FR_OK) o->wallet(o->arg, player, asset);
    console_answer(op, status, err);
}

void live_ledger_mint(struct console_op *op)
{
    struct fr_err err;
    if (store_run(console_options_of(op->console)->store, job_mint, op, minted, &err) != FR_OK) console_answer(op, err.status, &err);
}

bool console_owner_alive(struct store_txn *txn, const char *owner)
{
    return play_owner_alive(txn, owner) || burn_owner_alive(txn, owner) || withdrawal_owner_alive(txn, owner) || model_charge_owner_alive(txn, owner);
}

static enum fr_status job_audit(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct ledger_audit a;
    FR_TRY(ledger_audit_run(txn, console_owner_alive, &a, err));
    bool good = a.chain_ok && a.balances_ok && a.holds_ok && a.sums_ok && a.holds_orphaned == 0;
    fr_buf_addf(&op->out, "{\"good\":%s,\"entries\":%lld,\"accounts\":%lld,\"holds_open\":%lld,\"holds_orphaned\":%lld,\"sum\":\"%lld\",\"chain\":%s,\"balances\":%s,\"holds\":%s,\"sums\":%s,\"head\":\"%s\",\"first_fault\":",
                good ? "true" : "false", (long long)a.entries, (long long)a.accounts, (long long)a.holds_open, (long long)a.holds_orphaned, (long long)a.sum_units,
                a.chain_ok ? "true" : "false", a.balances_ok ? "true" : "false", a.holds_ok ? "true" : "false", a.sums_ok ? "true" : "false", a.head);
    if (a.first_fault[0]) fr_buf_add_json_text(&op->out, a.first_fault);
    else fr_buf_add(&op->out, "null");
    fr_buf_add(&op->out, "}");
    return FR_OK;
}

struct listing { struct fr_buf *out; int count; };

static void journal_each(void *arg, const struct ledger_entry *e)
{
    struct listing *l = arg;
    char at[25];
    fr_buf_addf(l->out, "%s{\"id\":\"%lld\",\"at\":\"%s\",\"kind\":\"%s\",\"reason\":\"%s\",\"asset\":\"%s\",\"key\":", l->count++ ? "," : "", (long long)e->id, fr_time_text(e->at_ms, at), e->kind, e->reason, e->asset);
    fr_buf_add_json_text(l->out, e->key);
    fr_buf_addf(l->out, ",\"legs\":%s,\"note\":", e->legs);
    fr_buf_add_json_text(l->out, e->note);
    fr_buf_addf(l->out, ",\"hash\":\"%s\"}", e->hash);
}

static enum fr_status job_journal(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *text, *asset, *owner;
    int64_t before, account = 0;
    int limit;
    FR_TRY(fr_json_opt_text(op->args, "owner", 64, "", &text, err));
    FR_TRY(asset_arg(txn, op, &asset, err));
    if (asset[0] && !text[0]) return FR_FAIL(err, FR_E_INVALID, "asset: name whose entries in it as well, with owner");
    if (!asset[0]) asset = "PALM";
    FR_TRY(fr_json_opt_units(op->args, "before", 0, INT64_MAX, 0, &before, err));
    FR_TRY(console_limit(op, LIST_MAX, 20, &limit, err));
    if (text[0]) {
        enum ledger_owner_kind kind;
        struct ledger_account list[OWNER_ACCOUNTS_MAX];
        int count;
        FR_TRY(owner_parse(txn, text, &kind, &owner, err));
        FR_TRY(ledger_accounts(txn, kind, owner, list, OWNER_ACCOUNTS_MAX, &count, err));
        for (int i = 0; i < count; i++) {
            if (strcmp(list[i].asset, asset) != 0) continue;
            if (account) return FR_FAIL_CODE(err, FR_E_INVALID, "owner_unknown", "there is more than one %s account in %s: say whose, burn:PLUGIN", text, asset);
            account = list[i].id;
        }
        if (account == 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "account_unknown", "%s has no account in %s", text, asset);
    }
    struct listing l = { &op->out, 0 };
    fr_buf_add(&op->out, "[");
    FR_TRY(ledger_journal(txn, account, before, limit, journal_each, &l, err));
    fr_buf_add(&op->out, "]");
    return FR_OK;
}

static enum fr_status match_id(const char *id, struct fr_err *err)
{
    return fr_id_valid(id) ? FR_OK : FR_FAIL(err, FR_E_INVALID, "\"%.60s\" is no match's id: those of `frond match list` are", id);
}

static enum fr_status match_arg(const struct console_op *op, const char **id, struct fr_err *err)
{
    FR_TRY(fr_json_need_text(op->args, "match", 1, 200, id, err));
    return match_id(*id, err);
}

static enum fr_status job_match_list(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *state, *before;
    int limit;
    FR_TRY(fr_json_opt_text(op->args, "state", 20, "", &state, err));
    FR_TRY(fr_json_opt_text(op->args, "before", 200, "", &before, err));
    if (before[0]) FR_TRY(match_id(before, err));
    FR_TRY(console_limit(op, LIST_MAX, 20, &limit, err));
    return play_list(txn, state, before, limit, &op->out, err);
}

static enum fr_status job_match_show(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *id;
    FR_TRY(match_arg(op, &id, err));
    return play_show(txn, id, NULL, &op->out, err);
}

static enum fr_status job_match_export(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *id;
    FR_TRY(match_arg(op, &id, err));
    return play_export(txn, id, &op->out, err);
}

// ---- verbs of a running host

static void live_status(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    struct store_stats s = store_stats(o->store);
    fr_buf_addf(&op->out, "{\"running\":true,\"dev\":%s,\"matches\":%d,\"store\":{\"jobs\":%lld,\"groups\":%lld,\"failed\":%lld,\"queued\":%lld,\"commit_us_p50\":%lld,\"commit_us_p99\":%lld,\"file_bytes\":%lld,\"log_bytes\":%lld,\"damaged\":%s}}",
                o->dev ? "true" : "false", play_count(o->plays), (long long)s.jobs, (long long)s.groups, (long long)s.failed, (long long)s.queued, (long long)s.commit_us_p50,
                (long long)s.commit_us_p99, (long long)s.file_bytes, (long long)s.log_bytes, s.damaged ? "true" : "false");
    console_answer(op, FR_OK, NULL);
}

const struct console_verb console_verbs[] = {
    { "top", false, false, NULL, live_top, false },
    { "plugin.unblock", false, true, NULL, live_plugin_unblock, false },
    { "status", false, false, NULL, live_status, false },
    { "plugin.list", false, false, NULL, live_plugin_list, false },
    { "plugin.enable", false, true, NULL, live_plugin_enable, false },
    { "plugin.disable", false, true, NULL, live_plugin_disable, false },
    { "plugin.logs", false, false, NULL, live_plugin_logs, false },
    { "plugin.versions", true, false, job_plugin_versions, NULL, false },
    { "plugin.install", false, true, NULL, live_plugin_install, false },
    { "plugin.update", false, true, NULL, live_plugin_update, false },
    { "plugin.rollback", false, true, NULL, live_plugin_rollback, false },
    { "ledger.balance", true, false, job_balance, NULL, false },
    { "ledger.mint", true, true, job_mint, live_ledger_mint, false },
    { "ledger.audit", true, false, job_audit, NULL, true },
    { "ledger.journal", true, false, job_journal, NULL, false },
    { "session.list", true, false, job_session_list, NULL, false },
    { "session.revoke", true, true, job_session_revoke, live_session_revoke, false },
    { "llm.key.list", true, false, job_llm_key_list, NULL, false },
    { "llm.key.new", true, true, job_llm_key_new, NULL, false },
    { "llm.key.revoke", true, true, job_llm_key_revoke, NULL, false },
    { "deposit.list", true, false, job_deposit_list, NULL, false },
    { "deposit.show", true, false, job_deposit_show, NULL, false },
    { "chain.reconcile", false, true, NULL, live_chain_reconcile, false },
    { "match.list", true, false, job_match_list, NULL, false },
    { "match.show", true, false, job_match_show, NULL, false },
    { "match.export", true, false, job_match_export, NULL, false },
    { "withdrawal.list", true, false, job_withdrawal_list, NULL, false },
    { "withdrawal.unknown", true, false, job_withdrawal_unknown, NULL, false },
    { "withdrawal.show", true, false, job_withdrawal_show, NULL, false },
    { "withdrawal.approve", true, true, job_withdrawal_approve, NULL, false },
    { "withdrawal.refuse", true, true, job_withdrawal_refuse, NULL, false },
    { "withdrawal.return", true, true, job_withdrawal_return, NULL, false },
    { "withdrawal.again", true, true, job_withdrawal_again, NULL, false },
    { "withdrawal.pause", true, true, job_withdrawal_pause, NULL, false },
    { "withdrawal.resume", true, true, job_withdrawal_resume, NULL, false },
    { "withdrawal.adopt", true, true, job_withdrawal_adopt, NULL, false },
    { "backup.start", false, true, NULL, live_backup_start, false },
    { "backup.status", false, false, NULL, live_backup_status, false },
    { "chain.status", false, false, NULL, live_chain_status, false },
    { "chain.pause", false, true, NULL, live_chain_pause, false },
    { "chain.resume", false, true, NULL, live_chain_resume, false },
    { "chain.forgive", false, true, NULL, live_chain_forgive, false },
    { "store.facts", true, false, job_store_facts, NULL, true },
    { "store.integrity", true, false, job_store_integrity, NULL, true },
    { "ledger.entry", true, false, job_ledger_entry, NULL, false },
    { "burn.list", true, false, job_burn_list, live_burn_list, false },
    { "burn.show", true, false, job_burn_show, NULL, false },
    { "burn.run", false, true, job_burn_run, live_burn_order, false },
    { "burn.pause", true, true, job_burn_pause, live_burn_order, false },
    { "burn.resume", true, true, job_burn_resume, live_burn_order, false },
    { "burn.return", false, true, job_burn_return, live_burn_order, false },
    { "burn.adopt", false, true, job_burn_adopt, live_burn_order, false },
    { "burn.verify", false, false, NULL, live_burn_verify, false },
    { "llm.task", false, true, NULL, live_llm_task, true },
    { "burn.supply", true, false, job_burn_supply, live_burn_supply, false },
    { "llm.pools", false, false, NULL, live_llm_pools, false },
    { "llm.budget", false, false, NULL, live_llm_budget, false },
    { "llm.reload", false, true, NULL, live_llm_reload, false },
    { "llm.usage", true, false, job_llm_usage, NULL, false },
    { "llm.record", true, false, job_llm_record, NULL, false },
    { "llm.replay", true, false, job_llm_replay, NULL, false },
};
const int console_verb_count = sizeof console_verbs / sizeof console_verbs[0];

const struct console_verb *console_verb_find(const char *name)
{
    for (int i = 0; i < console_verb_count; i++)
        if (strcmp(console_verbs[i].name, name) == 0) return &console_verbs[i];
    return NULL;
}
