// txq.h — transactions from one key on one chain: accepted in a commit, signed elsewhere, sent, replaced, followed, and ended exactly once.
//
// A payment is accepted inside the caller's own store job (txq_put), under a name that makes a retry find the first one. From there on it ends once, as one
// of txq_machine.h's ends, and on_end is called inside the commit that says so: what the caller books for it (a burn settled, a withdrawal paid) happens in
// the same commit, or neither does. TXQ_PAID means: a transaction of this payment is in a final block, by quorum, and did not revert. TXQ_REVERTED: it is there
// and did; nothing is tried again, an operator looks. TXQ_CANCELLED: never paid, because its nonce was used by a transaction of ours that pays nothing, or it
// never had one. TXQ_LOST: its nonce was used by somebody else's transaction, or the data turned out to be an old copy while it waited, and an operator has said
// so: whether it was paid is for the caller to find out, on chain.
//
// Promised, whatever crashes, and whatever nodes say: a payment is never paid twice and never forgotten; nothing is sent that was not saved; a nonce is one
// payment's, and a payment has one nonce until a final block shows that one used by our own non-paying transaction. What the machine does and why is in
// txq_machine.h; this is what carries its actions out: the network through chain/endpoints, saving through store jobs, keys through chain/signer.h.
// Loop thread, but for txq_put, txq_cancel and txq_find, which run inside store jobs. Bounds: limits.h, TXQ_.
#pragma once
#include "base/limits.h"
#include "chain/address.h"
#include "chain/final.h"
#include "chain/signer.h"
#include "chain/tx.h"
#include "chain/txq_machine.h"
#include "store/store.h"

// ---- inside store jobs
#define TXQ_QUEUES_MAX 16
struct txq_ask {
    int queue;                             // 1..TXQ_QUEUES_MAX: one for each key
    char name[TXQ_NAME_BYTES_MAX + 1];     // the caller's name for this intent, 1.. bytes
    struct address to;
    struct u256 value;                     // wei
    const uint8_t *data; size_t data_len;  // up to TXQ_DATA_BYTES_MAX; the caller's
    uint64_t gas;                          // 0: estimated. Up to TXQ_GAS_MAX
};
struct txq_payment_row {
    int64_t id;
    char name[TXQ_NAME_BYTES_MAX + 1];
    enum txq_end end;
    enum txq_cancel cancel;
    bool has_nonce; uint64_t nonce;
    uint8_t hash[32]; uint64_t block;      // of the transaction that ended it; zero: none
    uint64_t final_block;                  // in on_end alone: a final block that shows the end; what is read at an earlier one may not know of it
    int64_t made_ms, ended_ms;
};
void txq_register(void);                   // its migrations; before store_open
// The same name and content finds the first payment. FR_E_CONFLICT "key_reused": the name is another payment's. FR_E_INVALID, FR_E_LIMIT; FR_E_BUSY "txq_full".
// Call txq_wake when the job is durable; a crash in between loses nothing.
FR_MUST_USE enum fr_status txq_put(struct store_txn *txn, const struct txq_ask *ask, int64_t now_ms, int64_t *id, struct fr_err *err);
// Wishes; whether it was in time is told by the end. TXQ_KEEP takes a wish back. FR_E_NOT_FOUND; FR_E_CONFLICT "txq_ended". Then txq_wake.
FR_MUST_USE enum fr_status txq_cancel(struct store_txn *txn, int64_t id, enum txq_cancel how, struct fr_err *err);
FR_MUST_USE enum fr_status txq_find(struct store_txn *txn, const char *name, struct txq_payment_row *ret, bool *found, struct fr_err *err);
// Whose transaction it is, sent or not: the payment that a hash was signed for, also one that only takes it back.
FR_MUST_USE enum fr_status txq_find_hash(struct store_txn *txn, const uint8_t hash[32], struct txq_payment_row *ret, bool *found, struct fr_err *err);

// ---- on the loop
struct txq;
struct txq_config {
    int queue;
    uint64_t chain_id;
    struct txq_rules rules;
    int fee_percentile;                    // of tips in eth_feeHistory, 1..99
    struct final_rules final;              // which blocks are final, and how many nodes must agree on what is in them
    struct store *store;
    struct endpoints *endpoints;
    struct chain_signer *signer;           // chain/signer.h; may call back after txq_free. What it refuses is asked again later
    struct address address;                // whose transactions these are: one of the signer's
    int64_t (*now_ms)(void *arg);          // unix time; NULL: base/clock.h
    // In the commit that ends a payment, on the store thread. A failure keeps it from ending; it is tried again. May be NULL.
    enum fr_status (*on_end)(struct store_txn *txn, void *arg, const struct txq_payment_row *row, struct fr_err *err);
    // To be logged; TXQ_NEWS_HALTED and TXQ_REVERTED to be shown until someone acts. text: one sentence. May be NULL.
    void (*on_news)(void *arg, const struct txq_action *news, const char *text);
    void *arg;
};
// Loads what was saved, and begins. FR_E_INVALID: a number that makes no sense.
FR_MUST_USE enum fr_status txq_new(const struct txq_config *config, struct txq **ret, struct fr_err *err);
// After endpoints_free and before store_close. Takes NULL. What the store and the signer still have is waited for; nobody is told.
void txq_free(struct txq *q);
void txq_tick(struct txq *q);              // every 50 ms or so
void txq_wake(struct txq *q);              // payments were put or cancelled
// TXQ_PAUSE: nothing new is signed and nothing replaced, what is under way is followed; TXQ_FORGIVE: see txq_machine.h. Saved soon; txq_facts shows when.
void txq_order(struct txq *q, enum txq_order order);

struct txq_facts {
    bool loaded, paused, halted, suspect;
    char why[160];                         // of halted
    enum txq_wait wait;                    // what the next payment waits for
    int payments, open;                    // not ended; of which have a nonce
    uint64_t next_nonce, final_nonce, block;
    struct u256 balance, spend_today, base_fee;
    int64_t oldest_ms;                     // since the oldest open nonce was signed for; 0: none
    struct txq_figures figures;            // since the start
    char last_error[200];                  // of the store, the signer, the nodes, or of a payment that would revert
};
void txq_facts(const struct txq *q, struct txq_facts *ret);
// Prometheus text: frond_txq_...{queue="1"}
void txq_metrics(const struct txq *q, struct fr_buf *out);
