// meter.h — the port through which models cost coins. The core knows no ledger: treasury/model_charge fills this in.
//
// Coins are set aside in slabs: one durable hold for a payer and tenant, spent in memory call by call, settled each second with what was used. A crash
// loses at most what was spent since the last settlement: the operator's loss, never the payer's (an open hold that nobody settles goes back).
#pragma once
#include <stdint.h>
#include "base/err.h"

// Slab: 0 and FR_E_FUNDS "llm_funds" when the payer has too little, or has not approved it.
typedef void llm_slab_fn(void *arg, enum fr_status st, int64_t slab, int64_t units, const struct fr_err *err);
struct llm_meter {
    void *arg;
    // Sets aside between least and wish units of `payer` for what `tenant` does. done is called once, never from inside. FR_OK: accepted.
    FR_MUST_USE enum fr_status (*reserve)(void *arg, const char *payer, const char *tenant, int64_t least_units, int64_t wish_units, llm_slab_fn *done, void *done_arg, struct fr_err *err);
    // `spent_units` in all were used of the slab so far, never fewer than said before; a repetition changes nothing. `end`: no more will be, and the rest goes back.
    // `model` of the last: for the journal. Never fails here: it is tried again until it is written.
    void (*settle)(void *arg, int64_t slab, int64_t spent_units, bool end);
};
