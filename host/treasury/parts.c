// parts.c — a part is plugged in here: its functions turned into those of a kind, and its row. What it is configured with has its place in settings.h and its
// reader in settings_parts.c.
#include "treasury/parts.h"

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

const struct treasury_kind treasury_kinds[] = {
    { TREASURY_ROW(burn), .prefix = "burn:", .add_tables = burn_register, .on_end = burn_on_end },
    { .name = NULL },
};
