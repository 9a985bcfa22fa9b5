// replay.h — plays a match's log again in a fresh worker and compares the hash chain, record by record. Loop thread only.
//
// Needs no store and no running host: the export holds setup, stream key inputs, records and the package's code. `beside` further copies
// run interleaved in the same worker, so that a neighbour's influence would show.
#pragma once
#include "sandbox/sandbox.h"

//
// A replay starts at the beginning, or at one of the snapshots that the export holds: the chain that follows must be the same. On its way it
// makes the snapshots again and compares them with the recorded ones.
#define REPLAY_FROM_START 0
#define REPLAY_FROM_ALL (-1)
struct turn;
struct replay_options {
    int times, beside;                         // each start is played `times`
    int64_t from;                              // record number of a snapshot, or one of the above
    void (*turn)(void *turn_arg, int64_t n, const struct turn *t); void *turn_arg;     // may be NULL: sees every turn of every run
};
struct replay_result {
    int runs, equal, starts, snapshots; char want[65], got[65];   // starts: the beginning and the snapshots that were played from; snapshots: compared on the way, over all runs
    int64_t records; int64_t first_different;                     // first_different: record number, -1 when none
};
// done exactly once. FR_E_INVALID "engine_differs" when the match was recorded by another engine id; FR_E_CORRUPT for a bad export;
// FR_E_NOT_FOUND "snapshot_unknown".
void replay_run(struct sandbox *sb, const char *export_json, size_t len, const struct replay_options *options,
                void (*done)(void *arg, enum fr_status status, const struct replay_result *r, const struct fr_err *err), void *arg);
