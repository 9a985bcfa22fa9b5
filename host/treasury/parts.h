// parts.h — the kinds of parts that treasury puts together, as data: a row makes one known everywhere. parts.c has the rows.
#pragma once
#include "base/buf.h"
#include "treasury/settings.h"

struct treasury_kind {
    const char *name;                      // "burn": of its facts, and what treasury_part_of finds
    const char *prefix;                    // of its payments' names: "burn:"; NULL: it has none
    void (*add_tables)(void);              // migrations, before store_open; NULL: none
    enum fr_status (*make)(const struct treasury_part *part, const struct treasury_settings *s, void **ret, struct fr_err *err);      // *ret NULL: this configuration has no use for it
    void (*tick)(void *x);                 // every TREASURY_TICK_MS, on the loop
    // On the store thread, in the commit that ends a payment with its prefix; never after free. NULL: nothing is booked.
    enum fr_status (*on_end)(struct store_txn *txn, void *x, const struct txq_payment_row *row, struct fr_err *err);
    void (*free)(void *x);                 // endpoints are gone; jobs of its own in the store may still come back
    void (*facts)(void *x, struct fr_buf *out);            // one JSON value; NULL: nothing to say
    void (*metrics)(void *x, struct fr_buf *out);          // Prometheus text; NULL: none
};
#define TREASURY_KINDS_MAX 8
extern const struct treasury_kind treasury_kinds[];        // ended by one without a name
