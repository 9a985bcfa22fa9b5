// parts.c — a part is plugged in here: its functions turned into those of a kind, and its row. What it is configured with has its place in settings.h and its
// reader in settings_parts.c.
#include "treasury/parts.h"
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

TREASURY_PART_OF(reconcile, reconcile_print)
static enum fr_status in_flight(struct store_txn *txn, void *arg, const char *asset, int64_t *units, struct fr_err *err)
{
    (void)arg;
    return burn_in_flight(txn, asset, units, err);
}

static enum fr_status explains(struct store_txn *txn, void *arg, const uint8_t tx[32], uint64_t log_index, bool *yes, struct fr_err *err)
{
    (void)arg, (void)log_index;
    return burn_explains(txn, tx, yes, err);
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
    { TREASURY_ROW(reconcile) },
    { .name = NULL },
};
