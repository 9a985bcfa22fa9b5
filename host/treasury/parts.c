// parts.c — a part is plugged in by two lines here: its functions, turned into those of a kind, and its row. What it is configured with has its place in
// settings.h and its reader in settings.c.
#include "treasury/parts.h"

// X_new(part, options, &x, err) and the rest, as part.h's README names them.
#define TREASURY_PART_OF(X, options)                                                                                                                         \
    static enum fr_status X##_make(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *err)                      \
    {                                                                                                                                                        \
        struct X *x = NULL;                                                                                                                                  \
        FR_TRY(X##_new(part, (options), &x, err));                                                                                                           \
        *ret = x;                                                                                                                                            \
        return FR_OK;                                                                                                                                        \
    }                                                                                                                                                        \
    static void X##_tick_of(void *x) { X##_tick(x); }                                                                                                        \
    static void X##_free_of(void *x) { X##_free(x); }                                                                                                        \
    static void X##_facts_of(void *x, struct fr_buf *out) { X##_facts(x, out); }                                                                             \
    static void X##_metrics_of(void *x, struct fr_buf *out) { X##_metrics(x, out); }
#define TREASURY_ROW(X, prefix) { #X, prefix, X##_register, X##_make, X##_tick_of, X##_on_end, X##_free_of, X##_facts_of, X##_metrics_of }

const struct treasury_kind treasury_kinds[] = {
    { .name = NULL },
};
