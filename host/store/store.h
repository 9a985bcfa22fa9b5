// store.h — SQLite behind one writer thread with group commit, and reader threads beside it. The only user of sqlite3.h.
//
// Writing: store_run(store, job, arg, done) queues `job` for the store thread. Jobs run in order; each is a savepoint
// inside the group's transaction (WAL, synchronous=FULL). A job that returns an error is rolled back alone. When the group
// is durable, `done` is called on the loop thread, in order: then, and only then, may anyone be told. If the commit itself
// fails (disk full), every job of the group is reported FR_E_IO and none of them happened.
// Reading: store_read runs a job on a reader thread in a read transaction of at most STORE_READ_MS_MAX (then FR_E_TIMEOUT).
// Domain functions take `struct store_txn *` and never see sqlite3. Statements are prepared once per connection and cached
// by the address of their SQL text, so pass string literals.
// The folder is locked with flock (FR_E_BUSY, code "data_locked", names the holder's pid).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/err.h"
#include "base/json.h"

struct store;
struct store_txn;          // a connection inside a transaction; valid only during the job
struct store_row;          // a running statement

struct store_options {
    const char *folder;                     // made when missing (0700)
    uv_loop_t *loop;                        // where `done` is called; NULL: only store_now may be used (CLI, tests)
    bool read_only;                         // for offline tools on a folder that no host holds: leaves no trace in the file and its log
    int patience_ms;                        // 0: STORE_PATIENCE_MS
    bool older_too;                         // with read_only: also a file that lacks the newest migrations
    enum fr_status (*check)(struct store_txn *txn, struct fr_err *err);    // what else must be right before anything is written; may be NULL
};
// Looks first and writes nothing when it refuses: FR_E_CORRUPT "store_damaged" (not a database, cut, a bad page, a missing table),
// "store_foreign", what `check` says; "store_newer", "store_older", "migration_changed"; FR_E_BUSY "data_locked"; "store_owner",
// "store_unreadable", "store_read_only", "data_network", FR_E_IO for a missing or unwritable folder. Then applies migrations (migrate.h).
FR_MUST_USE enum fr_status store_open(const struct store_options *options, struct store **ret, struct fr_err *err);
// Runs what is queued, commits, calls each done, stops the threads, closes, unlocks. Blocks; call at the end of main. Takes NULL.
// With a loop: run it once more afterwards, so that libuv lets go of the store's handles; only then is the memory freed.
void store_close(struct store *s);

typedef enum fr_status store_job_fn(struct store_txn *txn, void *arg, struct fr_err *err);      // store or reader thread
typedef void store_done_fn(void *arg, enum fr_status status, const struct fr_err *err);         // loop thread
// FR_E_BUSY when STORE_QUEUE_MAX jobs wait (done is then not called). done may be NULL. `arg` stays the caller's until done.
FR_MUST_USE enum fr_status store_run(struct store *s, store_job_fn *job, void *arg, store_done_fn *done, struct fr_err *err);
// The same for what nobody waits for, such as a game's tick: it is committed together with the next job that is in a hurry, and else with all
// the patient ones of STORE_PATIENCE_MS. Order stays: a job in a hurry takes along whatever came before it.
FR_MUST_USE enum fr_status store_run_patient(struct store *s, store_job_fn *job, void *arg, store_done_fn *done, struct fr_err *err);
FR_MUST_USE enum fr_status store_read(struct store *s, store_job_fn *job, void *arg, store_done_fn *done, struct fr_err *err);
// For an audit of years: up to STORE_LONG_READ_MS_MAX, one at a time (FR_E_BUSY).
FR_MUST_USE enum fr_status store_read_long(struct store *s, store_job_fn *job, void *arg, store_done_fn *done, struct fr_err *err);
// Runs one job now, in its own transaction, on the calling thread, waiting for the writer: for start-up, CLI and tests only.
FR_MUST_USE enum fr_status store_now(struct store *s, store_job_fn *job, void *arg, struct fr_err *err);
// Runs one reading job now, on the calling thread, with a connection and a snapshot of its own and without a bound in time: a backup. Not on
// the loop. The log cannot be emptied meanwhile.
FR_MUST_USE enum fr_status store_aside(struct store *s, store_job_fn *job, void *arg, struct fr_err *err);
struct store_stats {
    int64_t jobs, groups, failed, queued, group_max, commit_us_p50, commit_us_p99, file_bytes, log_bytes;
    bool damaged;                           // SQLite found bytes it did not write: every change is refused from then on, "store_damaged"
};
struct store_stats store_stats(struct store *s);
// A file that nobody writes and that has no log beside it, such as a backup's: store_now only, and nothing is written or locked.
// *older: it lacks the newest migrations.
FR_MUST_USE enum fr_status store_open_copy(const char *path, struct store **ret, bool *older, struct fr_err *err);
#define STORE_FILE "frond.db"                            // in the data folder, with -wal and -shm beside it while it is open
const char *store_network_disk(long statfs_kind);       // its name, NULL when it is none

// ---- inside a job. One shape for all statements:
//
//     struct store_row *row = NULL;
//     FR_TRY(sql_begin(txn, "SELECT free, held FROM account WHERE id = ?1", &row, err));
//     sql_bind_int(row, 1, id);
//     bool found = false;
//     FR_TRY(sql_step(row, &found, err));          // found: a row is there to read
//     if (found) free_units = sql_int(row, 0);
//     sql_end(row);                                 // resets the statement; also done by an error in sql_step
//
// FR_SQL_ROW(row) declares a row that ends with its scope, so early returns stay honest.
FR_MUST_USE enum fr_status sql_begin(struct store_txn *txn, const char *sql_literal, struct store_row **ret, struct fr_err *err);
void sql_bind_int(struct store_row *row, int at, int64_t value);            // parameters count from 1
void sql_bind_real(struct store_row *row, int at, double value);
void sql_bind_text(struct store_row *row, int at, const char *text);        // NULL binds NULL; text must live until sql_end
void sql_bind_bytes(struct store_row *row, int at, const void *bytes, size_t len);
void sql_bind_null(struct store_row *row, int at);
FR_MUST_USE enum fr_status sql_step(struct store_row *row, bool *has_row, struct fr_err *err);   // FR_E_CONFLICT on UNIQUE/CHECK/FK
int64_t sql_int(struct store_row *row, int col);                            // columns count from 0
double sql_real(struct store_row *row, int col);
const char *sql_text(struct store_row *row, int col);                       // NULL for NULL; valid until the next step/end
const void *sql_bytes(struct store_row *row, int col, size_t *len);
FR_MUST_USE enum fr_status sql_fixed(struct store_row *row, int col, void *out, size_t len, struct fr_err *err);      // bytes of exactly that length; FR_E_CORRUPT otherwise
bool sql_is_null(struct store_row *row, int col);
void sql_end(struct store_row *row);                                        // takes NULL
static inline void sql_row_drop(struct store_row **row) { sql_end(*row); }
#define FR_SQL_ROW(name) __attribute__((cleanup(sql_row_drop))) struct store_row *name = NULL
// Steps a statement that returns no rows, and ends it. Returns rows changed in *changed (may be NULL).
FR_MUST_USE enum fr_status sql_do(struct store_row *row, int64_t *changed, struct fr_err *err);
int64_t sql_last_id(struct store_txn *txn);
// A savepoint of one's own inside a job: several steps, all or none, without failing the job.
FR_MUST_USE enum fr_status sql_savepoint(struct store_txn *txn, struct fr_err *err);
FR_MUST_USE enum fr_status sql_release(struct store_txn *txn, struct fr_err *err);
FR_MUST_USE enum fr_status sql_rollback(struct store_txn *txn, struct fr_err *err);
// `len` bytes that belong to `owner` (any address of its own) and to this connection, for facts just read or written: they
// stay from job to job and are zeroed whenever anything is rolled back or another snapshot is read, so they are never wrong.
void *store_scratch(struct store_txn *txn, const void *owner, size_t len);
