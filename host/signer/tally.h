// tally.h — what was signed away today, kept in a small file: never more than the day's limit leaves the signer, whatever happens to either.
//
// A turn takes from the tally in memory for each ask, then tally_save makes that durable, then the turn's signatures may leave. A crash in
// between has counted what nobody got; the same ask again is not counted again. An ask is known by its digest: key, chain, nonce, receiver, value and data, but
// not its fees, because of the transactions of one nonce only one can ever be mined. Signed again with a higher fee, only the rise is counted. The
// last SIGNER_REPEATS are known.
//
// A day is a UTC day by the signer's own clock. When the clock goes back the later day's count goes on; so a jump forward and back leaves that day's
// counts standing until it comes (or until the operator takes the file away).
//
// The file is two images with a hash each; a save writes the older one. Torn writes leave the other. A file that is neither empty nor has a
// whole image is refused. It is this machine's own (byte order). flock keeps a second signer off it.
#pragma once
#include "base/auto.h"
#include "signer/policy.h"

#define TALLY_SLOT_BYTES (40 * 1024)
#define TALLY_FILE_BYTES (2 * TALLY_SLOT_BYTES)
struct tally;
// Locks fd and reads it; an empty file is filled with zeros and becomes one of nothing spent. The descriptor stays the caller's. Before the lockdown.
// FR_E_BUSY "tally_busy": another signer has it; FR_E_CORRUPT "tally_corrupt"; FR_E_INVALID "tally_file": no regular file; FR_E_IO; FR_E_NOMEM.
FR_MUST_USE enum fr_status tally_open(int fd, struct tally **ret, struct fr_err *err);
void tally_free(struct tally *t);
FR_AUTO_DEFINE(tally)
// All of the ask's spends, or none. FR_E_DENIED "sign_day". FR_E_LIMIT "tally_full".
FR_MUST_USE enum fr_status tally_take(struct tally *t, const struct spends *s, const uint8_t digest[32], int64_t now_ms, struct fr_err *err);
// FR_OK at once when nothing was taken since the last save. FR_E_IO "tally_unwritten": nothing that was taken since may leave; what was taken stays taken.
FR_MUST_USE enum fr_status tally_save(struct tally *t, struct fr_err *err);
struct u256 tally_spent(const struct tally *t, enum spend_of of, const struct address *at);      // in the day that is counted
int64_t tally_day(const struct tally *t);
