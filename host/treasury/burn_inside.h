// burn_inside.h — what the files of burn share; nobody else includes it.
#pragma once
#include "treasury/burn.h"

// ---- burn_proof.c: what stands on chain, as bytes. Pure.
#define BURN_LEAF_BYTES 96                 // BurnModule.accrualBytes(number, amount, keccak(reason))
struct burn_word { bool burned; struct u256 amount; uint8_t root[32]; uint64_t block, time_s; };      // BurnModule.batch(id)
struct burn_event { uint8_t id[32], root[32], tx[32]; struct u256 amount; uint64_t block, log_index; };
void burn_leaf_bytes(int64_t number, struct u256 amount, const uint8_t reason[32], uint8_t out[BURN_LEAF_BYTES]);
void burn_batch_id(uint64_t chain_id, const struct address *module, struct u256 amount, const uint8_t root[32], uint8_t out[32]);
FR_MUST_USE enum fr_status burn_calldata(const uint8_t id[32], struct u256 amount, const uint8_t root[32], struct fr_buf *out, struct fr_err *err);
// A node's answer to batch(id), as hex.
FR_MUST_USE enum fr_status burn_word_read(const struct rpc_answer *a, struct burn_word *ret, struct fr_err *err);
// false: another event, or not of this module.
bool burn_event_read(const struct rpc_logs *logs, const struct rpc_log *log, const struct address *module, struct burn_event *ret);

// ---- burn_store.c: rows
struct burn_batch {
    int64_t n;
    char asset[16];
    enum burn_state state;
    uint8_t id[32], root[32];
    struct u256 amount;                    // in units of the chain
    int64_t units, lost_units;             // of the ledger: from its accruals; from chain:lost
    int scale;                             // amount = units * 10^scale
    int accruals, tries;
    uint64_t chain_id;
    struct address module;
    int64_t payment;                       // 0: it was adopted
    enum txq_end end;                      // of the last payment
    bool wants_return, adopted;
    uint8_t tx[32]; uint64_t block;        // where it was burned, or the last payment ended; zero: not known
    int64_t time_s;                        // the chain's, of the burn
    uint64_t read_block;                   // the final block at which the chain's word was read
    int64_t made_ms, ended_ms;
    char why[160];
};
struct burn_accrual { int64_t entry, account, units, at_ms, batch; char asset[16], plugin[48]; const char *reason, *match; uint8_t reason_hash[32]; };   // texts: until the statement steps
#define BURN_ACCRUAL_COLUMNS "entry, account, units, at_ms, batch, asset, plugin, reason, match"
void burn_accrual_read(struct store_row *row, struct burn_accrual *ret);
FR_MUST_USE enum fr_status burn_batch_get(struct store_txn *txn, int64_t n, struct burn_batch *ret, struct fr_err *err);         // FR_E_NOT_FOUND "burn_unknown"
FR_MUST_USE enum fr_status burn_batch_by_id(struct store_txn *txn, const uint8_t id[32], bool returned_too, struct burn_batch *ret, bool *found, struct fr_err *err);
FR_MUST_USE enum fr_status burn_batch_add(struct store_txn *txn, struct burn_batch *b, struct fr_err *err);                      // gives it its number
FR_MUST_USE enum fr_status burn_batch_save(struct store_txn *txn, const struct burn_batch *b, struct fr_err *err);               // what may change
struct burn_flags { int64_t entry; bool paused, run; };
FR_MUST_USE enum fr_status burn_flags_get(struct store_txn *txn, struct burn_flags *ret, struct fr_err *err);
FR_MUST_USE enum fr_status burn_flags_set(struct store_txn *txn, const struct burn_flags *f, struct fr_err *err);
// "b7" or "0x..": its number and true; "123": the accrual's and false.
FR_MUST_USE enum fr_status burn_id_parse(struct store_txn *txn, const char *id, bool *is_batch, int64_t *ret, struct fr_err *err);
// The pending units of an asset, and how old the oldest accrual is (0: none).
FR_MUST_USE enum fr_status burn_pending(struct store_txn *txn, const char *asset, int64_t *free_units, int64_t *held_units, int64_t *oldest_ms, struct fr_err *err);
const char *burn_state_name(enum burn_state state);
const char *burn_plugin_name(const char *plugin);          // "" is "unattributed"

// ---- burn_plan.c, burn_end.c: the jobs
struct burn_rules {                        // what a job needs to know of the outside; it may outlive who asked
    char asset[16];
    int scale;
    uint64_t chain_id;
    struct address module;
    int64_t threshold_units, age_ms, hard_age_ms;
    bool may_plan;                         // not halted, scan done, the module is not paused
    bool gas_over;
    int64_t day_limit_units;               // a batch over it could never be burned
};
enum burn_wait { BURN_WAIT_NOTHING, BURN_WAIT_CHAIN, BURN_WAIT_HALTED, BURN_WAIT_MODULE_PAUSED, BURN_WAIT_PAUSED, BURN_WAIT_THRESHOLD, BURN_WAIT_GAS, BURN_WAIT_OPEN, BURN_WAIT_DAY_LIMIT, BURN_WAIT_TXQ, BURN_WAITS };
struct burn_planned { int64_t n; enum burn_wait wait; };
FR_MUST_USE enum fr_status burn_plan(struct store_txn *txn, const struct burn_rules *r, int64_t now_ms, struct burn_planned *ret, struct fr_err *err);
// What the chain says of a batch, at a final block. *moved: something was booked or put.
FR_MUST_USE enum fr_status burn_decide(struct store_txn *txn, int64_t n, const struct burn_word *word, uint64_t at_block, int64_t now_ms, bool *moved, struct fr_err *err);
FR_MUST_USE enum fr_status burn_put(struct store_txn *txn, struct burn_batch *b, int64_t now_ms, struct fr_err *err);            // its next payment
FR_MUST_USE enum fr_status burn_holds_open(struct store_txn *txn, const struct burn_batch *b, int64_t now_ms, struct fr_err *err);
FR_MUST_USE enum fr_status burn_settle(struct store_txn *txn, const struct burn_batch *b, int64_t now_ms, struct fr_err *err);   // holds to chain:burned, totals
FR_MUST_USE enum fr_status burn_root(struct store_txn *txn, const struct burn_batch *b, struct merkle **ret, struct fr_err *err);     // of a batch's accruals
FR_MUST_USE enum fr_status burn_accrual_leaf(const struct burn_accrual *a, int scale, uint8_t bytes[BURN_LEAF_BYTES], struct merkle_hash *leaf, struct fr_err *err);

// ---- the scan
FR_MUST_USE enum fr_status burn_scan_get(struct store_txn *txn, uint64_t chain_id, const struct address *module, uint64_t *block, bool *found, struct fr_err *err);
FR_MUST_USE enum fr_status burn_scan_save(struct store_txn *txn, const struct burn_rules *r, const struct burn_event *at, int count, uint64_t block, struct fr_err *err);
struct burn_seen { struct burn_event event; char asset[16]; int scale; uint64_t chain_id; struct address module; int64_t batch; };      // batch 0: unknown here
FR_MUST_USE enum fr_status burn_seen_get(struct store_txn *txn, const uint8_t id[32], struct burn_seen *ret, bool *found, struct fr_err *err);
FR_MUST_USE enum fr_status burn_seen_mark(struct store_txn *txn, const uint8_t id[32], int64_t batch, struct fr_err *err);
void burn_seen_read(struct store_row *row, struct burn_seen *ret);
#define BURN_SEEN_COLUMNS "id, root, tx, amount, block, log_index, asset, scale, chain_id, module, batch"
