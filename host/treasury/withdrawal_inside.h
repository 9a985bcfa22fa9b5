// withdrawal_inside.h — rows and rounds of withdrawals. For withdrawal*.c only.
#pragma once
#include "chain/abi.h"
#include "chain/u256.h"
#include "treasury/withdrawal.h"

struct withdrawal_asset { struct withdrawal_rules rules; const struct treasury_token *token; uint64_t scanned, range; bool checked; };
struct withdrawal_figures { int64_t count[WITHDRAWAL_RETURNED + 1], units_open, oldest_ms, unknown, batches_open; bool paused; };

// What the chain is asked about, and what it said.
struct withdrawal_question { char id[37]; uint8_t mark[32]; struct address module, to; struct u256 amount; bool paid, same; uint64_t block; bool for_batch; };
struct withdrawal_notice { char player[WITHDRAWAL_PLAYER_BYTES], asset[16]; };
struct withdrawal_paid { int asset; uint8_t mark[32], hash[32]; struct address to; struct u256 amount; uint64_t block, log; };      // a Paid event

// One look: asked at one final block from its first question to its last.
struct withdrawal_round {
    struct withdrawals *w;
    bool store_has_it, quorum_has_it;      // who will call back
    uint64_t block;
    struct final_look look;
    int asset;                             // being scanned or checked
    uint64_t from, to;
    struct withdrawal_paid *paid; int paid_count;
    struct withdrawal_question questions[PAYOUT_BATCH_MAX]; int question_count;
    struct withdrawal_notice notices[PAYOUT_BATCH_MAX]; int notice_count;
    bool may_pay;                          // a batch may be made: not halted when it began
    bool did, put, cancels;                // something changed; a payment was put; one is to be taken back
    struct withdrawal_figures figures;
    int64_t now_ms;
    uint64_t scanned[TREASURY_TOKENS_MAX], known_block;     // loaded
    char odd[160];                         // of a row that cannot be asked about; "": none
    char params[PAYOUT_BATCH_MAX][200];
};
struct withdrawals {
    struct treasury_part part;
    struct withdrawal_options o;
    struct withdrawal_asset assets[TREASURY_TOKENS_MAX]; int asset_count;
    struct withdrawal_round *round;
    bool closed, loaded, said_unknown, said_module;
    int64_t next_ms;
    uint64_t block;                        // the last final block that was looked at: never an earlier one after it
    struct withdrawal_figures figures;
    int64_t rounds, failures;
    char last_error[200];
};

void withdrawal_mark(uint64_t chain_id, const struct address *module, const char *id, uint8_t mark[32]);
int withdrawal_asset_no(const struct withdrawals *w, const char *asset);      // -1: none
// ---- store jobs of a round (withdrawal_jobs.c); arg is the round
store_job_fn withdrawal_load_job, withdrawal_scan_job, withdrawal_collect_job, withdrawal_verdict_job;
// ---- rows (withdrawal_rows.c)
FR_MUST_USE enum fr_status withdrawal_find(struct store_txn *txn, const char *id, struct withdrawal_row *ret, bool *found, struct fr_err *err);
FR_MUST_USE enum fr_status withdrawal_find_mark(struct store_txn *txn, const uint8_t mark[32], struct withdrawal_row *ret, bool *found, struct fr_err *err);
FR_MUST_USE enum fr_status withdrawal_move(struct store_txn *txn, const struct withdrawal_row *from, enum withdrawal_state to, const char *note, struct fr_err *err);      // FR_E_CONFLICT unless it is as `from`
FR_MUST_USE enum fr_status withdrawal_unknown_add(struct store_txn *txn, const struct withdrawals *w, const struct withdrawal_paid *p, const char *code, int64_t now_ms, struct fr_err *err);
FR_MUST_USE enum fr_status withdrawal_unknown_count(struct store_txn *txn, int64_t *count, struct fr_err *err);
void withdrawal_read(struct store_row *row, struct withdrawal_row *ret);
#define WITHDRAWAL_COLUMNS "id, player, asset, units, receiver, state, asked_ms, ready_ms, ended_ms, needs, approvals, wish, batch, mark, hash, block, hold, note, module"
