// reconcile.h — is there as much on chain as is owed inside? Asked at each final block up to which all deposits are credited; where not, money-out stops.
//
// For each backed asset, in units of the chain, at one block R:
//
//     owed     = what the ledger says all have together, + dust + deposits that are kept for the operator
//     have     = the vault's balance + what lies at deposit addresses, both at R, by quorum
//     in flight = what burns and payouts have put into the transaction manager and the ledger still holds
//
// A shortfall is have + in flight < owed. The ledger is read when exactly the deposits up to R are in it, so a deposit that is on chain and not yet credited can
// hide nothing. A burn or payout may be in a block up to R and still be held in the ledger: hence the third term, which is also the slack: coins that go missing
// show once they are more than what is in flight, and otherwise when that has ended. What has ended after R is off the ledger and still in have: a surplus for a moment.
// More than is owed is the operator's own, or a gift: shown, no error.
//
// Amounts alone cannot tell that old data was restored and somebody's coins came meanwhile. So each transfer out of the vault, in final blocks, has to be explained: by a
// transaction that this data signed, or by a part that knows it otherwise. What stays unexplained (data that was restored, an owner of the vault who moved coins,
// a stolen approval) halts money-out until an operator has looked and accepts it.
//
// While money-out is halted by it the same block is compared again, look after look: what operators book or adopt meanwhile ends the halt, also on a chain that makes no blocks.
//
// Until the first look after a start, and when none has come about for ten minutes although there were newer blocks, money-out is halted too: who cannot compare
// does not pay.
//
// Loop thread, but for reconcile_accept. It books nothing.
#pragma once
#include "base/buf.h"
#include "treasury/deposit.h"

struct reconcile;
struct reconcile_options {
    int64_t look_ms;                       // between looks at most; 0: 3000
    // Store thread. Units of an asset that burns and payouts have under way: put and not ended, still held. NULL: there are none.
    enum fr_status (*in_flight)(struct store_txn *txn, void *arg, const char *asset, int64_t *units, struct fr_err *err);
    // Store thread. Was this transfer out of the vault made by something that we know, and that is none of the transaction manager's? NULL: there is nothing of the kind.
    enum fr_status (*explains)(struct store_txn *txn, void *arg, const uint8_t tx[32], uint64_t log_index, bool *yes, struct fr_err *err);
    void *arg;
};
// No tables of its own: deposit_register.
FR_MUST_USE enum fr_status reconcile_new(const struct treasury_part *part, const struct reconcile_options *o, struct reconcile **ret, struct fr_err *err);
void reconcile_free(struct reconcile *r);  // after endpoints_free, before store_close; takes NULL
void reconcile_tick(struct reconcile *r);
void reconcile_again(struct reconcile *r); // at the next tick, also of the block that was looked at last

struct reconcile_asset { char asset[16]; int ledger_decimals, chain_decimals; int64_t liabilities_units, in_flight_units; struct u256 dust, held, vault, forwarders, owed, have; bool is_short; struct u256 by; };    // by: how much too little, or too much
struct reconcile_facts {
    bool known, is_short, is_stale;        // a block was looked at
    uint64_t block; int64_t at_ms;
    struct reconcile_asset at[TREASURY_TOKENS_MAX]; int count;
    int64_t unexplained;                   // transfers out of the vault
    int64_t looks, failures;
    char why[300];                         // money-out is halted by this; "": it is not
    char last_error[200];
};
void reconcile_facts(const struct reconcile *r, struct reconcile_facts *ret);
void reconcile_print(const struct reconcile *r, struct fr_buf *out);      // a JSON object, for status and `frond chain reconcile`
void reconcile_metrics(const struct reconcile *r, struct fr_buf *out);    // frond_reconcile_...

// Inside store jobs: an operator has looked at what nobody explains; how many. And a JSON array of the newest of them.
FR_MUST_USE enum fr_status reconcile_accept(struct store_txn *txn, int64_t *count, struct fr_err *err);
FR_MUST_USE enum fr_status reconcile_print_outflows(struct store_txn *txn, int limit, struct fr_buf *out, struct fr_err *err);
