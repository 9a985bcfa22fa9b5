// txq_machine.h — the transaction manager's decisions (chain/txq.h), as a machine: an event goes in, actions come out. Pure: no clock, no memory, no I/O.
//
// Whoever drives it carries the actions out and reports each one's end as an event; a crash is to forget the machine and load a new one from what was saved.
// What it knows comes in three kinds, and each allows its own:
//   saved    (txq_load..., TXQ_SAVED)   which nonces were given, to what, and every transaction that was signed for them. The truth about ourselves
//   sights   (TXQ_LOOKED)               what one node says of the newest block. It may be late or a lie, so it decides only what is harmless: when to send
//                                       again, what to bid (under caps), when to wait
//   proofs   (TXQ_PROVED)               what a quorum says of a final block. It alone ends a payment, or halts
// So that nothing is paid twice: a payment is signed for one nonce only, and whatever is signed is saved before it is sent. Of one nonce the chain takes one
// transaction; all that were signed for it are looked for until one of them is in a final block.
// One saving or signing is under way at a time. When saving fails, what is true is what the store holds: the machine asks to be loaded anew.
#pragma once
#include "base/limits.h"
#include "chain/fees.h"
#include "chain/rpc.h"

enum txq_end { TXQ_NOT_ENDED, TXQ_PAID, TXQ_REVERTED, TXQ_CANCELLED, TXQ_LOST };      // stored: never renumber
enum txq_cancel { TXQ_KEEP, TXQ_CANCEL, TXQ_AGAIN };          // TXQ_AGAIN: free the nonce, then pay with another. Stored

struct txq_rules {
    bool legacy_only;
    struct fees_rules fees;
    struct u256 day_most;                  // wei that may be signed away in one UTC day: gas at its worst, and value
    int64_t look_ms, resend_ms, raise_ms;  // between looks; between sends of what is not mined; before a replacement
    int64_t retry_ms;                      // after a look, a signing or a saving that failed
};

struct txq_head {                          // one row: what belongs to the key and not to a payment
    bool known;                            // false: nothing was ever saved
    bool paused, halted;
    uint64_t next_nonce, final_nonce, final_block;         // the next to be given; all below final_nonce are in final blocks up to final_block
    int64_t spend_day;                     // days since 1970
    struct u256 spend;                     // wei, of that day
    char why[160];                         // of halted
};
struct txq_payment {
    int64_t id;
    uint64_t gas;                          // 0: to be estimated
    struct u256 value;
    enum txq_cancel cancel;
    bool has_nonce;
    uint64_t nonce;
    // not saved
    int64_t check_at_ms, check_wait_ms;    // it would have reverted: when to look again
    uint64_t gas_guess;                    // the last estimate
};
struct txq_attempt {
    uint8_t hash[32];
    bool pays, legacy;                     // pays false: nothing, to ourselves
    struct fees fees;
    uint64_t gas;
    struct u256 value;
    int64_t saved_ms;
    // not saved
    int64_t sent_ms;                       // 0: not since it was loaded
    bool sending, again;
    enum rpc_fault refused;                // what the last send was told
    bool mined, success;                   // at the last look
    uint64_t block;
    uint8_t block_hash[32];
};
struct txq_slot {                          // a nonce that was given and is in no final block yet
    uint64_t nonce;
    int64_t payment;                       // 0: a gap's filler
    int count;
    struct txq_attempt at[TXQ_ATTEMPTS_MAX];       // in the order they were signed
    int64_t mined_ms;                      // when a look last saw one of them in a block
    bool proven, foreign;                  // a quorum saw at[proven_at] in a final block; or that it was none of ours
    int proven_at;
    bool proven_success;
    uint64_t proven_block;
    struct u256 proven_cost;
};

enum txq_wait { TXQ_WAIT_NOTHING, TXQ_WAIT_LOAD, TXQ_WAIT_HALTED, TXQ_WAIT_PAUSED, TXQ_WAIT_SIGHT, TXQ_WAIT_START, TXQ_WAIT_SUSPECT, TXQ_WAIT_ROOM, TXQ_WAIT_FEE_CAP, TXQ_WAIT_DAY_CAP,
                TXQ_WAIT_FUNDS, TXQ_WAIT_REVERTS, TXQ_WAIT_ATTEMPTS, TXQ_WAIT_SIGNER, TXQ_WAITS };
const char *txq_wait_name(enum txq_wait w);        // "fee_cap"; stable

// ---- what a drive does
enum txq_do {
    TXQ_DO_LOOK,                           // ask one node: txq_sight
    TXQ_DO_PROVE,                          // ask a quorum: txq_proof
    TXQ_DO_CHECK,                          // would `payment` revert, and what gas does it take (if it does not say)
    TXQ_DO_SIGN,                           // a transaction for `payment` (0 or !pays: nothing to ourselves) with `nonce`, `fees`, `gas`, `legacy`
    TXQ_DO_SAVE,                           // `change`, in one commit
    TXQ_DO_SEND,                           // the stored bytes of `hash`
    TXQ_DO_LOAD,                           // forget this machine, load another; not before retry_ms
    TXQ_DO_TELL                            // `news`, for logs and the operator
};
enum txq_news { TXQ_NEWS_WAIT, TXQ_NEWS_HALTED, TXQ_NEWS_REORG, TXQ_NEWS_MOVED, TXQ_NEWS_REPLACED, TXQ_NEWS_FILLER, TXQ_NEWS_REFUSED, TXQ_NEWS_ENDED };
enum txq_change_kind { TXQ_SAVE_HEAD, TXQ_SAVE_ATTEMPT, TXQ_SAVE_END, TXQ_SAVE_DROP };
struct txq_change {
    enum txq_change_kind kind;
    struct txq_head head;                  // as it is to be afterwards
    int64_t payment;                       // 0: none
    uint64_t nonce;
    struct txq_attempt attempt;            // TXQ_SAVE_ATTEMPT: with it the nonce is the payment's
    // TXQ_SAVE_END: nonce is over. end: what became of the payment; TXQ_NOT_ENDED: it will be given another nonce.  TXQ_SAVE_DROP: a payment without a nonce ends: TXQ_CANCELLED, TXQ_LOST
    enum txq_end end;
    uint8_t hash[32];                      // which of its transactions it was; zero: none of ours
    uint64_t block;
};
struct txq_action {
    enum txq_do what;
    int64_t payment;
    uint64_t nonce, gas;
    bool pays, legacy;
    struct fees fees;
    uint8_t hash[32];
    enum txq_news news;
    enum txq_wait wait;
    enum rpc_fault fault;
    enum txq_end end;
    struct txq_change change;
};
#define TXQ_ACTIONS_MAX (TXQ_SENDS_MAX + 40)
struct txq_actions { int count; struct txq_action at[TXQ_ACTIONS_MAX]; };

// ---- what happened
struct txq_seen { uint8_t hash[32]; bool found, success; uint64_t block; uint8_t block_hash[32]; struct u256 cost; };      // cost: gas * price in wei
struct txq_sight { uint64_t block, count, count_pending; struct u256 balance; struct fees_seen fees; struct txq_seen at[TXQ_HASHES_MAX]; int seen; };
struct txq_proof { uint64_t block, count; struct txq_seen at[TXQ_HASHES_MAX]; int seen; };      // count: of the account at that block, which is final
enum txq_event_kind { TXQ_TICK, TXQ_LOOKED, TXQ_PROVED, TXQ_CHECKED, TXQ_SIGNED, TXQ_SAVED, TXQ_SENT, TXQ_ORDERED };
enum txq_order { TXQ_PAUSE, TXQ_RESUME, TXQ_FORGIVE };       // TXQ_FORGIVE: what stands behind a halt is understood; nonces that others used are theirs, payments that lost theirs are TXQ_LOST, and so are all that wait if nonces were used that were never given: newer data may have paid them
struct txq_event {
    enum txq_event_kind kind;
    int64_t now_ms;                        // unix time. May jump: it moves waits, never money
    bool ok;                               // LOOKED, PROVED, SIGNED, SAVED. CHECKED: an answer came. SENT: the node took it
    bool reverts;                          // CHECKED
    uint64_t gas;                          // CHECKED: estimated
    const uint8_t *hash;                   // SIGNED, SENT
    enum rpc_fault fault;                  // SENT: RPC_FINE with !ok: no answer
    const struct txq_sight *sight;
    const struct txq_proof *proof;
    enum txq_order order;
};

struct txq_figures { int64_t signed_count, replaced, cancels, fillers, sends, refused, reorgs, moved, ended[TXQ_LOST + 1], checks_reverted, sign_failed; };
struct txq_machine {
    struct txq_rules rules;
    struct txq_head head;
    struct txq_payment payments[TXQ_PAYMENTS_MAX]; int payment_count;      // not ended, in order of id
    struct txq_slot slots[TXQ_OPEN_MAX + 2]; int slot_count;               // in order of nonce; two more for fillers
    enum { TXQ_IDLE, TXQ_CHECKING, TXQ_SIGNING, TXQ_SAVING, TXQ_UNLOADED } step;
    struct txq_action under_way;           // while CHECKING, SIGNING
    struct txq_change saving;
    bool looking, proving, proved, want_proof, want_start, want_halt, want_pause, want_resume, want_forgive;
    char halt_why[160];
    int64_t look_at_ms, sign_at_ms;
    bool sighted, suspect;
    uint64_t sight_block, count, count_pending, proof_count, proof_block;
    struct u256 balance;
    struct fees_seen fees;
    int sends;
    enum txq_wait wait, told;
    struct txq_figures figures;
};

// Loading: begin, then payments in order of id, then attempts in order of nonce and of saving. false: more than fit, or what makes no sense (a nonce with two payments).
void txq_machine_begin(struct txq_machine *m, const struct txq_rules *rules, const struct txq_head *head);
FR_MUST_USE bool txq_machine_load_payment(struct txq_machine *m, const struct txq_payment *p);           // also a new one, later, or a changed cancel
FR_MUST_USE bool txq_machine_load_attempt(struct txq_machine *m, uint64_t nonce, int64_t payment, const struct txq_attempt *a);
// Actions are to be carried out in order; each one's end is an event, except TELL's and LOAD's.
void txq_machine_step(struct txq_machine *m, const struct txq_event *e, struct txq_actions *out);
// The transactions whose receipts are to be asked for in a look, or in a proof: those of nonces below `below`. All of a nonce's, or none.
int txq_machine_hashes(const struct txq_machine *m, uint64_t below, uint8_t out[TXQ_HASHES_MAX][32]);
