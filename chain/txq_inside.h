// txq_inside.h — what the files of the transaction manager share: the rows (txq_store.c), the questions to nodes (txq_look.c). Nobody else includes it.
#pragma once
#include "chain/txq.h"

// ---- txq_store.c: inside store jobs
struct txq_rows {                          // all that a machine is loaded from
    struct txq_head head;
    struct txq_payment *payments; int payment_count;
    struct { uint64_t nonce; int64_t payment; struct txq_attempt attempt; } attempts[(TXQ_OPEN_MAX + 2) * TXQ_ATTEMPTS_MAX]; int attempt_count;
};
// payments is to be freed with fr_free. FR_E_CONFLICT "txq_other_key": what is stored is another key's or chain's. FR_E_CORRUPT: more than fits.
FR_MUST_USE enum fr_status txq_load(struct store_txn *txn, int queue, const struct address *address, uint64_t chain_id, bool payments_only, struct txq_rows *ret, struct fr_err *err);
struct txq_save { int queue; uint64_t chain_id; struct address address; struct txq_change change; const uint8_t *raw; size_t raw_len; int64_t now_ms; };
// FR_E_CONFLICT "txq_state": the rows are not what the change expects; nothing was done. *row: of the payment that it ended; id 0: none.
FR_MUST_USE enum fr_status txq_save(struct store_txn *txn, const struct txq_save *s, struct txq_payment_row *row, struct fr_err *err);
struct txq_call { struct address to; struct u256 value; uint64_t gas; struct fr_buf data; };
FR_MUST_USE enum fr_status txq_load_call(struct store_txn *txn, int64_t payment, struct txq_call *ret, struct fr_err *err);      // data is initialised here
FR_MUST_USE enum fr_status txq_load_raw(struct store_txn *txn, const uint8_t hash[32], struct fr_buf *ret, struct fr_err *err);  // the same; FR_E_CORRUPT when it is not what was saved

// ---- txq_look.c: questions written into `text` (as JSON-RPC params), answers read
#define TXQ_CALLS_MAX (TXQ_HASHES_MAX + 8)
struct txq_questions { struct rpc_call at[TXQ_CALLS_MAX]; int count; struct fr_buf text; size_t params_at[TXQ_CALLS_MAX]; };
void txq_questions_init(struct txq_questions *q);
void txq_questions_free(struct txq_questions *q);
void txq_ask_for(struct txq_questions *q, const char *method, const char *params_format, ...) FR_PRINTF(3, 4);
FR_MUST_USE enum fr_status txq_questions_end(struct txq_questions *q, struct fr_err *err);       // nothing may be added afterwards
void txq_ask_sight(struct txq_questions *q, const struct address *address, bool history, int percentile, uint8_t hashes[][32], int hash_count);
// *base_fee: blocks have one. FR_E_INVALID: what a node cannot say. A fault of one call is the look's failure.
FR_MUST_USE enum fr_status txq_read_sight(const struct rpc_answers *a, bool history, bool legacy_only, uint8_t hashes[][32], int hash_count, struct txq_sight *ret, bool *base_fee, struct fr_err *err);
void txq_ask_receipts(struct txq_questions *q, uint8_t hashes[][32], int hash_count);
FR_MUST_USE enum fr_status txq_read_receipts(const struct rpc_answers *a, int first, uint8_t hashes[][32], int hash_count, struct txq_seen *ret, struct fr_err *err);
