// verify.h — an exported match checked step by step: commitments, seeds, the random stream, the hash chain, the game's code, a replay from
// the start and from every snapshot, and who was paid what. Loop thread only; needs no store and no running host.
//
// It proves that the export agrees with itself and with the engine. That it is the match that was played, its final hash proves: players
// were told it with match.end; compare it with `want_hash`. A log that was rewritten consistently has another one.
#pragma once
#include "sandbox/sandbox.h"

#define VERIFY_STEPS_MAX 16
struct verify_step { char what[40]; bool ok; char text[FR_ERR_TEXT_BYTES]; };      // text: plain words, for whoever asks
struct verify_report { int count; struct verify_step step[VERIFY_STEPS_MAX]; bool ok; char hash[65]; };      // in order; the first that is not ok is the last
// done exactly once. A failed step is no error: FR_OK and report.ok false. want_hash may be NULL.
void verify_run(struct sandbox *sb, const char *export_json, size_t len, const char *want_hash,
                void (*done)(void *arg, enum fr_status status, const struct verify_report *r, const struct fr_err *err), void *arg);
