// parts.c — a part is plugged in here: its functions turned into those of a kind, and its row. What it is configured with has its place in settings.h and its
// reader in settings_parts.c.
#include "treasury/parts.h"
#include <stdio.h>
#include "treasury/reconcile.h"

// X: what its functions begin with; facts: the function that prints them.
#define TREASURY_PART_OF(X, facts)                                        \
    static void X##_tick_it(void *x) { X##_tick(x); }                     \
    static void X##_free_it(void *x) { X##_free(x); }                     \
    static void X##_facts_it(void *x, struct fr_buf *out) { facts(x, out); } \
    static void X##_metrics_it(void *x, struct fr_buf *out) { X##_metrics(x, out); }
#define TREASURY_ROW(X) .name = #X, .make = X##_make, .tick = X##_tick_it, .free = X##_free_it, .facts = X##_facts_it, .metrics = X##_metrics_it

TREASURY_PART_OF(burn, burn_facts)
static enum fr_status burn_make(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *err)
{
    struct burn *made = NULL;
    struct burn_options o = s->burn;
    if (address_is_zero(&s->contracts.burn_module)) return FR_OK;
    o.asset = TREASURY_BURNS;
    o.module = s->contracts.burn_module;
    o.later_from = s->later_burn_from;
    FR_TRY(burn_new(part, &o, &made, err));
    *ret = made;
    return FR_OK;
}

TREASURY_PART_OF(deposit, deposit_print_facts)
static enum fr_status deposit_make(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *err)
{
    struct deposit *made = NULL;
    struct deposit_options o = s->deposit;
    o.factory = s->contracts.deposit_factory;
    FR_TRY(deposit_new(part, &o, &made, err));         // none without a factory
    *ret = made;
    return FR_OK;
}

TREASURY_PART_OF(withdrawal, withdrawal_facts)
// Beside what withdrawals know by themselves: coins that are sent to these contracts do not come back, and deposit addresses would bring them in again.
static enum fr_status is_ours(struct store_txn *txn, void *arg, const struct address *a, bool *ret, struct fr_err *err)
{
    const struct treasury_settings *s = arg;
    const struct treasury_contracts *c = &s->contracts;
    *ret = address_equal(a, &c->burn_module) || address_equal(a, &c->deposit_factory) || address_equal(a, &s->key);
    for (int i = 0; i < c->token_count && !*ret; i++) *ret = address_equal(a, &c->payout[i]);
    return *ret ? FR_OK : deposit_is_ours(txn, s->chain_id, a, ret, err);
}

static enum fr_status withdrawal_make(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *err)
{
    struct withdrawals *made = NULL;
    struct withdrawal_rules rules[TREASURY_TOKENS_MAX];
    struct withdrawal_options o = s->withdrawal;
    o.rules = rules;
    o.is_ours = is_ours;
    o.arg = (void *)s;                     // stays as long as the part
    for (int i = 0; i < s->contracts.token_count; i++) {
        if (address_is_zero(&s->contracts.payout[i])) continue;
        struct withdrawal_rules *r = &rules[o.rule_count++];
        *r = s->withdrawal_rules[i];
        snprintf(r->asset, sizeof r->asset, "%s", s->contracts.tokens[i].asset);
        r->module = s->contracts.payout[i];
    }
    if (o.rule_count == 0) return FR_OK;
    FR_TRY(withdrawal_new(part, &o, &made, err));
    *ret = made;
    return FR_OK;
}

TREASURY_PART_OF(reconcile, reconcile_print)
static enum fr_status in_flight(struct store_txn *txn, void *arg, const char *asset, int64_t *units, struct fr_err *err)
{
    (void)arg;
    int64_t burns, payouts;
    FR_TRY(burn_in_flight(txn, asset, &burns, err));
    FR_TRY(withdrawal_in_flight(txn, asset, &payouts, err));
    *units = burns + payouts;
    return FR_OK;
}

static enum fr_status explains(struct store_txn *txn, void *arg, const uint8_t tx[32], uint64_t log_index, bool *yes, struct fr_err *err)
{
    (void)arg, (void)log_index;
    FR_TRY(burn_explains(txn, tx, yes, err));
    return *yes ? FR_OK : withdrawal_explains(txn, tx, yes, err);
}

static enum fr_status reconcile_make(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *err)
{
    struct reconcile *made = NULL;
    struct reconcile_options o = { .look_ms = s->reconcile_look_ms, .in_flight = in_flight, .explains = explains };
    if (address_is_zero(&s->contracts.deposit_factory)) return FR_OK;      // it reckons at the block up to which deposits are credited
    FR_TRY(reconcile_new(part, &o, &made, err));
    *ret = made;
    return FR_OK;
}

const struct treasury_kind treasury_kinds[] = {
    { TREASURY_ROW(burn), .prefix = "burn:", .add_tables = burn_register, .on_end = burn_on_end },
    { TREASURY_ROW(deposit), .prefix = "sweep:", .add_tables = deposit_register, .on_end = deposit_on_end },
    { TREASURY_ROW(withdrawal), .prefix = WITHDRAWAL_PAYMENTS, .add_tables = withdrawal_register, .on_end = withdrawal_on_end },
    { TREASURY_ROW(reconcile) },
    { .name = NULL },
};
