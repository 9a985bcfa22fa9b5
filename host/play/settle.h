// settle.h — who gets what when a match ends. Pure; the job that moves the coins is in matchlog.c.
//
// The pot is stake * seats. A decided match: the first group of `places` (or `shares_bps` over seats) shares the pot less the rake;
// equal shares by largest remainder, earlier seat first. A draw (all seats in one group) and a void match give every stake back, no
// rake. Everything is integer and sums to the pot.
#pragma once
#include "base/json.h"
#include "plugin/manifest.h"

struct match_result {
    bool undone;                            // void or draw: stakes go home, approvals get their room back
    bool is_void;
    char reason[65];                        // the game's word ("score", "surrender", ..) or ours ("void", "forfeit")
    int places[SEATS_MAX];                  // of seat i+1: 1 is best; 0 when void
    int64_t payout[SEATS_MAX];              // base units to seat i+1
    int64_t rake[SPLIT_PART_COUNT];
    int64_t pot;
};
// `effect` is the finish or void effect. FR_E_INVALID "finish_malformed" says what is wrong (unknown seat, seat twice, seat missing).
FR_MUST_USE enum fr_status settle_read(const struct fr_json *effect, int seats, struct match_result *ret, struct fr_err *err);
void settle_void(struct match_result *r, const char *reason);
void settle_forfeit(struct match_result *r, int seats, int loser, const char *reason);        // everyone else shares first place
// Fills payout, rake and pot. `shares_bps` is the effect's list or NULL.
FR_MUST_USE enum fr_status settle_amounts(struct match_result *r, int seats, int64_t stake_units, const int rake_bps[SPLIT_PART_COUNT],
                                          const struct fr_json *shares_bps, struct fr_err *err);
void settle_print(const struct match_result *r, int seats, struct fr_buf *out);               // {"reason","void","places":[[1],[2]],"payout":["..",..],"rake":{..}}
void settle_print_places(const struct match_result *r, int seats, struct fr_buf *out);         // [[1],[2]]; [] when void
const char *settle_part_name(enum split_part part);
