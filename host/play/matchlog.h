// matchlog.h — the match tables and the jobs on them. Everything here runs inside a store job (any thread): arguments are
// copies, nothing points into a live match.
//
// The records of all matches go to the end of one table, match_tail, in the order they come: a commit then writes some pages at that
// end, and not one or two for each match (a thousand matches at 20 Hz: 5 MB a second, not 160). From time to time a match's records are
// put together in one row of match_chunk; its rows in the tail are dead then, and dead rows are deleted from the front. What a match's log
// holds is its chunks, and behind them what the tail has beyond the last one. After matchlog_settle the tail is empty.
#pragma once
#include "base/id.h"
#include "play/fairness.h"
#include "play/settle.h"
#include "player/identity.h"
#include "store/store.h"

enum match_row_state { ROW_SEEDING, ROW_RUNNING, ROW_ENDED };      // stored; append only
struct match_seat_row { char player[PLAYER_ID_BYTES]; char name[PLAYER_NAME_BYTES]; };      // player "" for a bot
struct match_row {
    char id[FR_ID_BYTES], game[PLUGIN_ID_BYTES_MAX + 1], version[33], package_sha[65], engine[40], mode[33], asset[ASSET_ID_BYTES], terms[65];
    int64_t stake_units, created_ms, open_ms;
    int seats, tick_hz, turn_ms, rake_bps[SPLIT_PART_COUNT];
    enum match_row_state state;
    bool spectated;                                        // as its setup says
    struct fairness fairness;
    struct match_seat_row seat[SEATS_MAX];
};
void matchlog_print_setup(const struct match_row *m, const char *const *options, struct fr_buf *out);
bool setup_is_spectated(const char *setup);

// Makes the match and sets its stakes aside: approval and hold for each seat, all or none. *failed_seat is the seat whose player
// could not pay (0 when the failure is nobody's). Codes: consent_required, funds.
FR_MUST_USE enum fr_status matchlog_form(struct store_txn *txn, const struct match_row *m, const char *setup, int64_t now_ms, int *failed_seat, struct fr_err *err);
// The revealed seeds and the clock's start are known: the match runs from here on.
FR_MUST_USE enum fr_status matchlog_run(struct store_txn *txn, const struct match_row *m, const char *setup, struct fr_err *err);
// A record on its way into the tail.
struct matchlog_row {
    int64_t at;                                            // where, from 1: the caller counts, over all matches; never used twice
    int64_t prev_at;                                       // where record n-1 was put; 0 when it is known to be durable
    int64_t n;
    const char *record, *hash;                             // hash: the chain's, after it, hex
    const uint8_t *payload_sha;
    int outcome;
};
// FR_E_CONFLICT when record n-1 is not there: an earlier job failed and this one must fail too.
FR_MUST_USE enum fr_status matchlog_append(struct store_txn *txn, const char *match, const struct matchlog_row *r, struct fr_err *err);
struct matchlog_record;
struct matchlog_chunk { int64_t n; int records; char hash[SHA256_HEX_BYTES]; struct fr_buf lines; };      // n: of the first; hash: after the last
// Puts `count` records together, the first of them record n. FR_E_NOMEM.
FR_MUST_USE enum fr_status matchlog_chunk_make(const struct matchlog_record *records, int64_t n, int count, struct matchlog_chunk *ret, struct fr_err *err);
// In place of one that begins at the same record and has fewer.
FR_MUST_USE enum fr_status matchlog_chunk_put(struct store_txn *txn, const char *match, const struct matchlog_chunk *c, struct fr_err *err);
// Deletes dead rows: at most `most` of those that stand before before_at. *left: are there more.
FR_MUST_USE enum fr_status matchlog_trim(struct store_txn *txn, int64_t before_at, int most, bool *left, struct fr_err *err);
// All of the tail into chunks: at start, when nobody appends.
FR_MUST_USE enum fr_status matchlog_settle(struct store_txn *txn, struct fr_err *err);
FR_MUST_USE enum fr_status matchlog_opened(struct store_txn *txn, const char *match, const char *hash, const uint8_t payload_sha[SHA256_BYTES], struct fr_err *err);     // the chain after the opening
// Pays out and ends, after that many records, whose last left this hash. Idempotent by the match's id.
FR_MUST_USE enum fr_status matchlog_end(struct store_txn *txn, const struct match_row *m, const struct match_result *r, int64_t records, const char *hash, int64_t now_ms, struct fr_err *err);
// A step of pruning: up to some hundred records of the oldest match that ended before before_ms. *chunks: how many; -1: there is no such match.
FR_MUST_USE enum fr_status matchlog_prune(struct store_txn *txn, int64_t before_ms, int64_t now_ms, int64_t *chunks, char match[FR_ID_BYTES], struct fr_err *err);

// ---- reading back
struct matchlog_record { char *record; char hash[SHA256_HEX_BYTES]; uint8_t payload_sha[SHA256_BYTES]; int outcome; int64_t at; };      // at: in the tail; 0: it has been read back
struct matchlog {
    struct match_row row;
    int64_t pruned_ms;
    char *setup;
    char hash0[SHA256_HEX_BYTES]; uint8_t payload0[SHA256_BYTES];
    char hash[SHA256_HEX_BYTES];                           // after the last record; "" before the opening
    struct matchlog_record *records; int64_t count, cap;
    int64_t recorded;                                      // as many as there were; count is 0 when they were pruned
};

FR_MUST_USE enum fr_status matchlog_unfinished(struct store_txn *txn, char (*ids)[FR_ID_BYTES], int cap, int *count, struct fr_err *err);
FR_MUST_USE enum fr_status matchlog_read(struct store_txn *txn, const char *match, struct matchlog **ret, struct fr_err *err);
void matchlog_free(struct matchlog *l);
FR_AUTO_DEFINE(matchlog)
