// copy.h — a copy of the whole database as of one commit, made while others go on writing.
//
// It is a reading job: run it with store_aside, after whatever else that snapshot must tell. The copy is a database of its own, complete
// without a log beside it. Takes as long as the disk takes; whoever watches may look at the progress and stop it from another thread.
#pragma once
#include "store/store.h"

struct store_copy_watch { _Atomic int64_t pages_done, pages; _Atomic bool stop; };
// Writes `to`, which must not be there (0600), and flushes it; what a failure leaves there is the caller's to remove.
// FR_E_CONFLICT "exists"; FR_E_TIMEOUT "stopped"; FR_E_IO "disk_full", "io".
FR_MUST_USE enum fr_status store_copy(struct store_txn *txn, const char *to, struct store_copy_watch *watch, struct fr_err *err);

// Everything SQLite can say about its own file. FR_OK also when something is wrong: then `fault` is its first sentence.
struct store_health { int64_t pages, page_bytes, free_pages; char fault[200]; };
FR_MUST_USE enum fr_status store_health(struct store_txn *txn, bool thorough, struct store_health *ret, struct fr_err *err);
// SQLite's own version, for the label of a copy.
const char *store_engine_version(void);
