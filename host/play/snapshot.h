// snapshot.h — a match at one point of its log, so that it can go on from there instead of from the beginning.
//
// Every MATCH_SNAPSHOT_RECORDS records the worker hands out the match as bytes and itself goes on from them in a new Lua state; a feed
// asks for the same at the same points (feed.c). So the chain that follows a snapshot is the chain that a replay from the start comes to.
// Three parts: what the worker needs; what ran (timers, asks, clock), taken before the next turn; what was told (each seat's numbers,
// view and last events), taken when the record went out. The last two are kept for the newest snapshots only: a replay needs the first.
#pragma once
#include "play/feed.h"
#include "play/matchlog.h"

struct match;
struct snapshot {
    struct feed_snapshot at;                   // at.head and at.state are owned
    char *ran, *told;                          // JSON; NULL: good for replays only
};
void snapshot_free(struct snapshot *s);
FR_AUTO_DEFINE(snapshot)

// ---- snapshot.c: taking one, and going on from it (loop thread)
bool snapshot_due(const struct match *m);                          // the next turn must wait for it
void snapshot_take(struct match *m);
void snapshot_complete(struct match *m);                           // after a record went out: the snapshot that waited for it is stored
void snapshot_refuse(struct match *m, const char *why);              // the match will go on from the start of its log
void snapshot_restore(struct match *m);                            // the worker has it: timers, asks, and after a restart the seats

// ---- snaplog.c: in store jobs
FR_MUST_USE enum fr_status snaplog_put(struct store_txn *txn, const char *match, const struct snapshot *s, struct fr_err *err);
// The newest that is whole and belongs to this log; *ret NULL when there is none. A damaged one is passed over and said in the log.
FR_MUST_USE enum fr_status snaplog_latest(struct store_txn *txn, const struct matchlog *l, struct snapshot **ret, struct fr_err *err);
FR_MUST_USE enum fr_status snaplog_export(struct store_txn *txn, const char *match, struct fr_buf *out, struct fr_err *err);      // JSON array for play_export
FR_MUST_USE enum fr_status snaplog_ended(struct store_txn *txn, const char *match, struct fr_err *err);      // nobody goes on from them: replays only
