// burn.h — coins that were given up inside are burned on chain: accruals, batches, receipts with proofs. Each ends once: burned, or returned.
//
// An accrual is a row of the journal that credits an account "burn:<plugin>": a rake's share, a split's, burn.accrue. Its number is the row's. Accruals are found by
// a cursor over the journal, in the commit that moves the cursor, so none is missed and none found twice; each belongs to at most one batch.
// A batch is made in ONE job: its row, its accruals, a hold on each burn account (owner "burn:<n>"), the Merkle root, the payment "burn:<n>". Its id on chain is
// keccak(chain id, module, amount, root): content alone. The module burns an id once. So sending a batch again is always safe, and old data that plans what newer data
// already burned comes to the same id, which burns nothing twice.
//
// The end. Two orders were possible: settle the holds when the payment is TXQ_PAID, or when BurnModule.batch(id), read at a final block by quorum, says amount and root.
// We take the second: a payment that was paid is a transaction that did not revert, and only that; what burned is what the module says, and it says so too where our payment is
// lost, refused, forgotten (old data) or was never ours. All ends therefore meet in one question:
//     batch(id) is (amount, root)  ->  holds settled to chain:burned: BURN_BURNED
//     batch(id) is empty           ->  by how the payment ended: PAID: BURN_REFUTED, which halts (the contract is not what we think); REVERTED: BURN_REVERTED, an operator says
//                                      run (a new payment, the same id) or return; CANCELLED: holds released, accruals free; LOST: the same id again, under a new payment
//     something else               ->  BURN_REFUTED
// Between the payment's end and that answer coins are held, never gone; a crash there asks again. The question is asked at a block not before the payment's own.
//
// Old data. BatchBurned logs are read from a saved cursor up to final blocks, by quorum. An id that this data does not know, or has returned, means that the chain knows more than the
// data: money-out halts ("burn_unknown_batch") until an operator adopts it (burn_adopt). No batch is planned before the scan has reached what was final at the start. What a lost
// copy signed and no block has yet is known to nobody: it is found when it is mined.
//
// Loop thread, but for the functions that take a struct store_txn, which run inside jobs and need no struct burn. Bounds: limits.h, BURN_.
#pragma once
#include "chain/merkle.h"
#include "treasury/part.h"

struct burn;
struct burn_options {
    const char *asset;                     // what is burned: one of part->tokens
    struct address module;                 // BurnModule
    uint64_t from_block;                   // where the module was deployed, or before it: logs are read from here
    int64_t threshold_units;               // a batch is made when so much is pending ...
    int64_t age_ms, hard_age_ms;           // ... or the oldest is so old. hard_age_ms: then whatever gas costs
    struct u256 gas_price_cap;             // wei: above it batches wait, until hard_age_ms. 0: no cap
    int look_ms;                           // between looks at the chain; 0: 2000
    const char *later_from;                // supply: the allocation that the later burn is said to have come from; NULL: none is. It has no source, and is labelled so
};
void burn_register(void);                  // its migrations; before store_open, after txq_register and ledger_register
// FR_E_INVALID: a number that makes no sense; an asset without a token.
FR_MUST_USE enum fr_status burn_new(const struct treasury_part *part, const struct burn_options *o, struct burn **ret, struct fr_err *err);
// After endpoints_free, before store_close. Takes NULL. What the store still has ends by itself.
void burn_free(struct burn *b);
void burn_tick(struct burn *b);            // every 50-100 ms
void burn_wake(struct burn *b);            // something was credited, or ordered: look soon. Takes NULL
// In the commit that ends a payment whose name begins with "burn:". x is not looked at: what it decides stands in rows.
FR_MUST_USE enum fr_status burn_on_end(struct store_txn *txn, void *x, const struct txq_payment_row *row, struct fr_err *err);
void burn_facts(const struct burn *b, struct fr_buf *out);       // a JSON object
void burn_metrics(const struct burn *b, struct fr_buf *out);     // Prometheus text: frond_burn_...
// Recomputes leaf and root of an accrual ("123") or the root of a batch ("b7"), asks the chain for batch(id) at a final block, by quorum, and compares.
// done once, unless b is freed: JSON {"good","leaf","root","chain":{..},..}, or a refusal. Never from inside.
typedef void burn_verify_fn(void *arg, enum fr_status st, const char *json, size_t len, const struct fr_err *err);
void burn_verify(struct burn *b, const char *id, burn_verify_fn *done, void *arg);
const struct burn_options *burn_options_of(const struct burn *b);

// ---- inside jobs
enum burn_state { BURN_SENT = 1, BURN_ENDED, BURN_REVERTED, BURN_BURNED, BURN_RETURNED, BURN_REFUTED };       // stored: never renumber
// Moves the cursor over at most BURN_COLLECT_ROWS rows of the journal. Also without a chain: pending burns are shown then too.
FR_MUST_USE enum fr_status burn_collect(struct store_txn *txn, bool *more, struct fr_err *err);
// Orders. pause: no batch is made until resume. run: with "" all that is pending goes into a batch, whatever it costs; with "b7" a reverted (or refuted) one is sent (or asked for) again.
// return: a batch that is not burned gives its accruals back, when the chain agrees. FR_E_NOT_FOUND "burn_unknown"; FR_E_CONFLICT "burn_ended".
FR_MUST_USE enum fr_status burn_pause(struct store_txn *txn, bool paused, struct fr_err *err);
FR_MUST_USE enum fr_status burn_run(struct store_txn *txn, const char *id, int64_t now_ms, struct fr_err *err);
FR_MUST_USE enum fr_status burn_return(struct store_txn *txn, const char *id, struct fr_err *err);
// Books a batch that the chain burned and this data does not know ("0x.." its id): the pending accruals whose sum and root are the batch's become it; where there are none such, the
// oldest pending ones up to the amount, and what is missing comes from chain:lost, which may go below zero and shows. FR_E_NOT_FOUND "burn_unknown". Once: then it is known.
FR_MUST_USE enum fr_status burn_adopt(struct store_txn *txn, const char *id, int64_t now_ms, struct fr_buf *out, struct fr_err *err);

// For the ledger's audit: is "burn:<n>" a batch that has not ended?
bool burn_owner_alive(struct store_txn *txn, const char *owner);

// ---- reading, as JSON. Who reads: the operator (player NULL) sees all; a player sees ids, amounts and proofs of all, and the reasons of the matches he played.
struct burn_reader {
    bool operator;
    enum fr_status (*played)(struct store_txn *txn, void *arg, const char *match, bool *yes, struct fr_err *err);      // NULL: none
    void *arg;
};
struct burn_filter { const char *plugin, *match; bool mine; int64_t before; int limit; };        // NULL, "": any. before: accruals of lower numbers; 0: from the newest
// {"burns":[..],"cursor":".."|null}: accruals, newest first.
FR_MUST_USE enum fr_status burn_list(struct store_txn *txn, const struct burn_filter *f, const struct burn_reader *r, struct fr_buf *out, struct fr_err *err);
// {"paused","batches":[..],"unknown":[..],"pending":[..]}: batches, newest first, below number `before`; those of the chain that are not known here.
FR_MUST_USE enum fr_status burn_batches(struct store_txn *txn, int64_t before, int limit, struct fr_buf *out, struct fr_err *err);
// An accrual "123" with leaf, proof and batch, or a batch "b7" (also by its id on chain, "0x.."). FR_E_NOT_FOUND "burn_unknown".
FR_MUST_USE enum fr_status burn_show(struct store_txn *txn, const char *id, const struct burn_reader *r, struct fr_buf *out, struct fr_err *err);

// ---- the supply. What was published of PALM, in base units of 9 decimals; what Frond burned is the ledger's.
#define PALM_UNITS 1000000000LL
#define SUPPLY_CAP_UNITS (100000000 * PALM_UNITS)
#define SUPPLY_LAUNCH_UNITS (20000000 * PALM_UNITS)              // burned at the launch
#define SUPPLY_LATER_UNITS (2500000 * PALM_UNITS)                // burned later, from whose allocation was not published
#define SUPPLY_LIQUIDITY_UNITS (75000000 * PALM_UNITS)
#define SUPPLY_RESERVE_UNITS (5000000 * PALM_UNITS)
#define SUPPLY_BEFORE_UNITS (77500000 * PALM_UNITS)              // circulating before Frond burned anything
// What the chain says, in base units of the ledger; of one final block, by quorum. known false: nothing was read (yet).
struct burn_chain_supply { bool known; uint64_t block; int64_t read_ms; int64_t total_units, burned_units, module_units; };      // totalSupply, totalBurned, the module's totalBurned
struct burn_chain_supply burn_chain_supply(const struct burn *b);        // b NULL: nothing known
FR_MUST_USE enum fr_status burn_supply(struct store_txn *txn, const char *asset, const char *later_from, const struct burn_chain_supply *chain, struct fr_buf *out, struct fr_err *err);
_Static_assert(SUPPLY_CAP_UNITS - SUPPLY_LAUNCH_UNITS - SUPPLY_LATER_UNITS == SUPPLY_BEFORE_UNITS, "what circulates is what was not burned");
_Static_assert(SUPPLY_LIQUIDITY_UNITS + SUPPLY_RESERVE_UNITS + SUPPLY_LAUNCH_UNITS == SUPPLY_CAP_UNITS, "75, 5 and 20 percent");
