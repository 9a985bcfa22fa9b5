// withdrawal.h — coins that leave: asked by a player, held at once, paid on chain once or returned, and never both.
//
//     asked -> waiting -> batched -> paid
//       |         |          |-> waiting again (taken back, or its nonce was lost) | review (reverted: an operator decides)
//       '---------'----------'-> returned
//
// asked: a cooldown runs (a receiver that is new for this player), or operators have to approve; the player may take it back. waiting: to be put into a batch.
// batched: a payment "payout:<batch>" of the transaction manager is under way. review: it reverted.
//
// The truth is PayoutModule.payment(mark) at a final block, by quorum. mark = keccak256(domain, chain id, module, the withdrawal's UUID): what the contract
// remembers is the same payment whatever batch it came in and however old our data is, and it pays a mark once. So paying again is always safe: it is skipped.
// Every id is asked about before it goes into a batch, and one that the chain shows as paid is booked as paid, whatever our rows say (a restored copy, a crash).
//
// Never paid and returned both. A withdrawal is returned only when, in one store job,
//   1. every payment that ever carried it has ended: nothing of ours that was signed for it can be mined any more, because each end is proven by a final block in
//      which its nonce is used (paid, reverted, cancelled, lost), or no nonce was ever given (cancelled);
//   2. payment(mark) is empty at a block that is final and not before the latest of those proofs: none of them paid it;
//   3. the row still is what it was when the chain was asked, or has changed in ways that 1 sees: the job reads it again.
// What is left is a transaction signed by data that was lost (an older copy was restored) and that no block has: nobody knows of it. The transaction manager halts
// when such a nonce appears, which halts money-out here (part->halted), and nothing is returned while money-out is halted, but by an operator's `return`. When it is mined after all,
// its Paid event is of a withdrawal that was returned: money-out halts with payout_returned, and the loss is shown, not hidden.
//
// All Paid events up to the final block are read. One whose mark this data does not know halts money-out (payout_unknown) until an operator adopts it: chain:lost takes
// the loss, chain:world gets what left, so that the sums stay 0 and the books show it.
//
// Loop thread, but for what takes a struct store_txn. One question is under way at a time; nothing here blocks. Bounds: limits.h.
#pragma once
#include "base/hash.h"
#include "treasury/part.h"

#define WITHDRAWAL_PAYMENTS "payout:"                  // what its payments' names begin with
#define WITHDRAWAL_COOLDOWN_MS (24LL * 60 * 60 * 1000)
#define WITHDRAWAL_PLAYER_BYTES 24
enum withdrawal_state { WITHDRAWAL_ASKED = 1, WITHDRAWAL_WAITING, WITHDRAWAL_BATCHED, WITHDRAWAL_REVIEW, WITHDRAWAL_PAID, WITHDRAWAL_RETURNED };      // stored: never renumber
const char *withdrawal_state_name(enum withdrawal_state s);       // "asked"; stable

struct withdrawal_rules {                  // of one asset; ledger units
    char asset[16];                        // one of the part's tokens
    struct address module;                 // its PayoutModule
    uint64_t from_block;                   // where that was deployed: no Paid event is older
    int64_t least, most;                   // of one withdrawal: 1 <= least <= most
    int64_t player_day, all_day;           // of one player, and of all, asked for in one UTC day and not returned
    int64_t two_from;                      // from here on two operators approve; 0: never
    int64_t batch_most;                    // of one batch together: what signer and contract take; 0: no bound
};
struct withdrawal_options {
    const struct withdrawal_rules *rules; int rule_count;         // up to TREASURY_TOKENS_MAX; copied
    int64_t cooldown_ms;                   // 0 only under --dev
    int batch_count;                       // a batch is made when so many wait, 1..PAYOUT_BATCH_MAX ...
    int64_t batch_age_ms;                  // ... or one has waited so long
    int64_t look_ms;                       // between looks at what is final
    // Addresses that are ours beside tokens, modules and vault (deposit addresses): nobody withdraws there. In a store job. May be NULL.
    enum fr_status (*is_ours)(struct store_txn *txn, void *arg, const struct address *a, bool *ret, struct fr_err *err);
    void *arg;
};
struct withdrawals;
void withdrawal_register(void);
// FR_E_INVALID: rules that make no sense, or name no token of the part.
FR_MUST_USE enum fr_status withdrawal_new(const struct treasury_part *part, const struct withdrawal_options *o, struct withdrawals **ret, struct fr_err *err);
void withdrawal_free(struct withdrawals *w);           // after endpoints_free, before store_close; takes NULL
void withdrawal_tick(struct withdrawals *w);
// For txq's on_end: payments whose name begins with WITHDRAWAL_PAYMENTS.
FR_MUST_USE enum fr_status withdrawal_on_end(struct store_txn *txn, void *withdrawals, const struct txq_payment_row *row, struct fr_err *err);
void withdrawal_look(struct withdrawals *w);           // something was changed and is durable: do not wait for the next look
void withdrawal_facts(const struct withdrawals *w, struct fr_buf *out);        // a JSON object
void withdrawal_metrics(const struct withdrawals *w, struct fr_buf *out);      // Prometheus text
// FR_E_BUSY "money_out_halted": no withdrawal is taken now.
FR_MUST_USE enum fr_status withdrawal_open(const struct withdrawals *w, struct fr_err *err);
const struct withdrawal_rules *withdrawal_rules_of(const struct withdrawals *w, const char *asset);      // NULL: it cannot be withdrawn
const struct withdrawal_rules *withdrawal_rules_at(const struct withdrawals *w, int no);                 // NULL: past the last
int64_t withdrawal_cooldown_ms(const struct withdrawals *w);

// ---- in store jobs
struct withdrawal_row {
    char id[37], player[WITHDRAWAL_PLAYER_BYTES], asset[16];
    int64_t units;
    struct address to, module;             // module: of the mark; it is paid by this one or not at all
    enum withdrawal_state state;
    int64_t asked_ms, ready_ms, ended_ms;  // ready_ms: end of the cooldown
    int needs, approvals;                  // of operators
    char wish[16];                         // to be returned: "player", "operator"; "": no
    char batch[37];                        // its last; "": none yet
    uint8_t mark[32], hash[32];            // hash: of the transaction that paid it; zero: not known
    uint64_t block;                        // in which it was paid
    int64_t hold;
    char note[120];                        // of review: what happened
};
struct withdrawal_ask {
    const char *player, *asset, *to;       // to: as typed; mixed case needs the right checksum
    int64_t units;
    int64_t known_ms;                      // since when this player is known to have this address (a wallet that was linked); 0: not known
};
// Holds the coins and makes the row. FR_E_NOT_FOUND "asset_unknown"; FR_E_INVALID "address_invalid", "address_ours", "withdrawal_small", "withdrawal_large"; FR_E_LIMIT
// "withdrawal_day" (this player's), "withdrawal_day_all", "withdrawals_open"; FR_E_BUSY "withdrawals_paused", "money_out_halted"; FR_E_FUNDS.
FR_MUST_USE enum fr_status withdrawal_ask(struct store_txn *txn, const struct withdrawals *w, const struct withdrawal_ask *ask, int64_t now_ms, struct withdrawal_row *ret, struct fr_err *err);
FR_MUST_USE enum fr_status withdrawal_get(struct store_txn *txn, const char *id, struct withdrawal_row *ret, struct fr_err *err);      // FR_E_NOT_FOUND "withdrawal_unknown"
// Newest first, those before the one named `before` ("": from the top). player NULL: all; state 0: all.
FR_MUST_USE enum fr_status withdrawal_list(struct store_txn *txn, const char *player, enum withdrawal_state state, const char *before, int limit,
                                           void (*each)(void *arg, const struct withdrawal_row *row), void *arg, struct fr_err *err);
void withdrawal_print(const struct withdrawal_row *r, bool operator, struct fr_buf *out);       // a JSON object; what operators wrote is for them alone
// A wish: it is returned when the chain says that it was not paid. While asked only: FR_E_CONFLICT "withdrawal_under_way", "withdrawal_ended". Another player's: "withdrawal_unknown".
FR_MUST_USE enum fr_status withdrawal_cancel(struct store_txn *txn, const char *player, const char *id, struct withdrawal_row *ret, struct fr_err *err);
// The player gave this address up: the next withdrawal to it has the whole cooldown.
FR_MUST_USE enum fr_status withdrawal_forget_address(struct store_txn *txn, const char *player, const struct address *a, int64_t now_ms, struct fr_err *err);

// ---- what an operator does; the next look acts on it. operator: a name, 1..OPERATOR_NAME_BYTES_MAX letters, digits, . _ -; FR_E_INVALID "operator_name"
// FR_E_CONFLICT "approved_already" (by this operator), "approval_not_needed", "withdrawal_under_way", "withdrawal_ended".
FR_MUST_USE enum fr_status withdrawal_approve(struct store_txn *txn, const char *id, const char *operator, int64_t now_ms, struct withdrawal_row *ret, struct fr_err *err);
// Back to the player: asked, waiting or in review at once; a batch that is under way is taken back as a whole first (the others wait again). May be told "paid" later: then it was.
FR_MUST_USE enum fr_status withdrawal_return(struct store_txn *txn, const char *id, const char *operator, struct withdrawal_row *ret, struct fr_err *err);
// One in review is tried again. FR_E_CONFLICT "withdrawal_not_in_review".
FR_MUST_USE enum fr_status withdrawal_again(struct store_txn *txn, const char *id, const char *operator, struct withdrawal_row *ret, struct fr_err *err);
FR_MUST_USE enum fr_status withdrawal_pause(struct store_txn *txn, bool pause, const char *operator, struct fr_err *err);
// Books every payment that this data does not know as lost, in one commit. *count: how many there were.
FR_MUST_USE enum fr_status withdrawal_adopt(struct store_txn *txn, const char *operator, int64_t now_ms, int *count, struct fr_err *err);
FR_MUST_USE enum fr_status withdrawal_unknown_print(struct store_txn *txn, struct fr_buf *out, struct fr_err *err);       // a JSON array, the last 100
FR_MUST_USE enum fr_status withdrawal_is_paused(struct store_txn *txn, bool *ret, char by[OPERATOR_NAME_BYTES_MAX + 1], struct fr_err *err);
// For reconciliation. Units that batches still hold and that a final block may already have paid; and whether a transaction paid a withdrawal that is known here, or that was adopted.
FR_MUST_USE enum fr_status withdrawal_in_flight(struct store_txn *txn, const char *asset, int64_t *units, struct fr_err *err);
FR_MUST_USE enum fr_status withdrawal_explains(struct store_txn *txn, const uint8_t tx[32], bool *yes, struct fr_err *err);
// For the audit: "payout:<id>" of one that has not ended.
bool withdrawal_owner_alive(struct store_txn *txn, const char *owner);
