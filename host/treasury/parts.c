// parts.c — a part is plugged in here: its functions turned into those of a kind, and its row. What it is configured with has its place in settings.h and its
// reader in settings.c.
#include "treasury/parts.h"

// X: what its functions begin with; T: its type; facts: the function that prints them; options: an expression with s, the settings, in it.
#define TREASURY_PART_OF(X, T, facts, options)                                                                                                               \
    static enum fr_status X##_make(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *err)                      \
    {                                                                                                                                                        \
        T *made = NULL;                                                                                                                                      \
        FR_TRY(X##_new(part, (options), &made, err));                                                                                                        \
        *ret = made;                                                                                                                                         \
        return FR_OK;                                                                                                                                        \
    }                                                                                                                                                        \
    static void X##_tick_it(void *x) { X##_tick(x); }                                                                                                        \
    static void X##_free_it(void *x) { X##_free(x); }                                                                                                        \
    static void X##_facts_it(void *x, struct fr_buf *out) { facts(x, out); }                                                                                 \
    static void X##_metrics_it(void *x, struct fr_buf *out) { X##_metrics(x, out); }
#define TREASURY_ROW(X) .name = #X, .make = X##_make, .tick = X##_tick_it, .free = X##_free_it, .facts = X##_facts_it, .metrics = X##_metrics_it

// TREASURY_PART_OF(burn, struct burn, burn_facts, &s->burn)
// { TREASURY_ROW(burn), .prefix = "burn:", .add_tables = burn_register, .on_end = burn_on_end },
const struct treasury_kind treasury_kinds[] = {
    { .name = NULL },
};
