// fees.h — what a transaction bids for its gas: a first bid out of what blocks took lately, and higher ones that replace it. Pure.
//
// All amounts are wei for one unit of gas. With EIP-1559 a bid is a max fee and a tip: the base fee of the next block twice over (it rises by at most 1/8
// a block, so six full blocks are no harm) and the tip at a percentile of what recent blocks took. Without it the bid is a gas price, kept in max_fee, and
// the tip is 0. Nothing goes over the caps: past them the answer is to wait. A bid that replaces another raises both numbers by at least 10%, rounded up
// (geth, core/txpool: under that it answers "replacement transaction underpriced").
// Sources: EIP-1559; eth_feeHistory in the execution API.
#pragma once
#include <stdbool.h>
#include "chain/u256.h"

#define FEES_RAISE_PERCENT 10
struct fees_rules {
    struct u256 max_fee_cap, tip_cap;      // never over these
    struct u256 tip_least;                 // not under this, whatever blocks took: nodes refuse very low tips
};
struct fees_seen {                         // by one node, of one moment: may be a lie, which the caps bound
    bool known, legacy;                    // legacy: blocks have no base fee
    struct u256 base;                      // of the next block
    struct u256 tip;                       // at the percentile; 0 when there is nothing to go by
    struct u256 gas_price;                 // legacy only
};
struct fees { struct u256 max_fee, tip; };

// false: above the caps now; *ret is untouched.
bool fees_first(const struct fees_rules *rules, const struct fees_seen *seen, struct fees *ret);
// What replaces `old` in the pool: what fees_first would bid, and at least old + 10% in both, each at least 1 wei more. legacy: as `old` was, whatever blocks are
// like by now. caps_percent: 100, or more for what must get through (a cancel).
bool fees_raise(const struct fees_rules *rules, const struct fees_seen *seen, bool legacy, const struct fees *old, int caps_percent, struct fees *ret);
// The tip of a fee history: the median of `tips`, one for each block that had transactions. Sorts them. 0 of none.
struct u256 fees_median(struct u256 *tips, int count);
