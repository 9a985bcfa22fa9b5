// feed.h — plays a log into a worker: the opening, then each record, one turn at a time. Shared by resumption and replay.
//
// Void records are skipped, end records only chained. A record may carry `"idle":k,"tick":t,"tick_ms":b`: k ticks
// from number t on, at b, b + period, .. ran before it and had no effect; they are run again and chained nowhere. Hashes are compared with what was stored, record by record.
#pragma once
#include "play/turn.h"
#include "sandbox/sandbox.h"

//
// After every MATCH_SNAPSHOT_RECORDS records (MATCH_SNAPSHOT_RECORDS_LONG once there are so many), before anything that follows, the worker is asked for a snapshot: it goes on from its own bytes
// in a new Lua state, as it did when the match was live.
struct feed;
struct feed_snapshot {               // what a worker needs to go on after record n
    int64_t n;
    char hash[SHA256_HEX_BYTES];     // the chain after record n
    char state_sha[SHA256_HEX_BYTES];
    char *head, *state; size_t state_len;
};
int64_t feed_snapshot_step(int64_t n);   // from the snapshot before record n to the next one
bool feed_snapshot_due(int64_t n);   // is one taken after record n?
// The worker's part (all but n and hash); the texts are allocated.
FR_MUST_USE enum fr_status feed_read_snapshot(const struct frame *f, struct feed_snapshot *ret, struct fr_err *err);
struct feed_log {                    // all of it must stay alive and unchanged until done
    const char *setup;
    uint8_t key[SHA256_BYTES];
    int seats, tick_hz; bool spectated;
    int64_t records;
    const struct feed_snapshot *from;                     // NULL: from the start
    void *arg;
    const char *(*record)(void *arg, int64_t n);          // n from 1
    const char *(*hash)(void *arg, int64_t n);            // stored hash (64 hex) after record n, n from 0; NULL: do not compare
};
struct feed_result {
    int64_t fed;                     // the last record that was played
    int64_t first_different;         // -1: all hashes as stored
    int64_t renewed;                 // the last record after which the Lua state was made anew
    bool blamed;                     // the worker died or tripped on one of these turns
    struct turn_hash hash;
    uint8_t payload0[SHA256_BYTES];  // of the opening turn
};
// FR_E_CONFLICT "snapshot_refused" when `from` is not what its hash says. `turn` (may be NULL) sees each played record's turn (n 0: the opening); the turn is freed afterwards. Started in a worker
// that is up; slot must be unused there. done is called exactly once, never from inside.
struct feed_hooks {
    void *arg;
    void (*turn)(void *arg, int64_t n, const char *record, struct turn *t);
    bool (*restored)(void *arg);                                        // the worker has the snapshot: before the first turn; false ends the feed; may be NULL
    void (*snapshot)(void *arg, const struct feed_snapshot *s);         // one on the way; may be NULL
    void (*done)(void *arg, enum fr_status status, const struct feed_result *r, const struct fr_err *err);
};
FR_MUST_USE enum fr_status feed_start(struct sandbox_worker *w, uint32_t slot, const struct feed_log *log, const struct feed_hooks *hooks, struct feed **ret, struct fr_err *err);
void feed_forget(struct feed *f);    // no further callbacks; frees f when the turn in flight is answered

// A tick's record and clock: the same for live turns, resumption and replay.
int64_t feed_tick_ms(int64_t base_ms, int tick_hz, int64_t ticks);
void feed_tick_record(struct fr_buf *out, int64_t tick_no, int64_t now_ms);
