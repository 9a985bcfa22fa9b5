// internal.h — what the files of this folder share; nobody else includes it.
//
// A `struct store_txn` is a connection: it exists as long as the store, and jobs see it only while its transaction is open.
// One thread uses a connection at a time.
#pragma once
#include <sqlite3.h>
#include "base/limits.h"
#include "store/store.h"

#define STORE_APPLICATION_ID 0x46524e44          // "FRND" in the file's header, so that a stranger's database is refused
#define STORE_LITERALS_MAX 1024                  // distinct SQL literals in the whole program; a power of two
#define STORE_SCRATCH_MAX 4

struct store_row {
    struct store_txn *txn;
    sqlite3_stmt *stmt;
    bool active;                                 // between sql_begin and sql_end
    int bind_rc;                                 // the first failed bind; sql_step reports it
    struct store_row *twin;                      // the same SQL, prepared again because a running statement needed it
    struct store_row *prev_active, *next_active;
};

struct scratch { const void *owner; void *bytes; size_t len; };

struct store_txn {
    sqlite3 *db;
    bool reader;
    bool damaged;                                // SQLite found bytes that it did not write
    int depth;                                   // sql_savepoint without its release or rollback
    int64_t deadline_us;                         // readers only; 0: none
    _Atomic int wal_pages;                       // in the write-ahead log after the last commit
    struct store_row *active;                    // statements to end when the job ends
    struct { const char *sql; struct store_row *row; } rows[STORE_LITERALS_MAX];
    struct scratch scratch[STORE_SCRATCH_MAX];
};

// ---- lock.c
// Makes the folder when it is missing and locks it; *fd keeps the lock until it is closed.
FR_MUST_USE enum fr_status lock_folder(const char *folder, bool make, int *fd, struct fr_err *err);

// ---- conn.c
// CONN_LOOK opens what is there and leaves no trace in the file, its log or beside them: alone with the file, whose folder is locked.
// CONN_COPY reads a file that nobody writes and that has no log, in a folder that may be read-only.
enum conn_kind { CONN_WRITER, CONN_READER, CONN_LOOK, CONN_COPY };
FR_MUST_USE enum fr_status conn_open(const char *path, enum conn_kind kind, struct store_txn **ret, struct fr_err *err);
void conn_close(struct store_txn *c);            // takes NULL
// The file's header, its page structure (all of it when small), before anything is written to it.
FR_MUST_USE enum fr_status conn_check_file(const char *path, struct fr_err *err);
FR_MUST_USE enum fr_status conn_check(struct store_txn *c, const char *path, struct fr_err *err);
void conn_keep_log(struct store_txn *c);         // closing it moves nothing into the file
// For what is found while opening, before anything was written.
enum fr_status conn_damaged(const char *path, const char *how, struct fr_err *err);
// SQLite's result codes as ours. `doing` names the step for the sentence.
enum fr_status conn_fail(struct store_txn *c, int rc, const char *doing, struct fr_err *err);
FR_MUST_USE enum fr_status conn_exec(struct store_txn *c, const char *sql, struct fr_err *err);
FR_MUST_USE enum fr_status conn_begin(struct store_txn *c, struct fr_err *err);
FR_MUST_USE enum fr_status conn_commit(struct store_txn *c, struct fr_err *err);
void conn_rollback(struct store_txn *c);
bool conn_in_transaction(struct store_txn *c);
// Runs one job inside its savepoint: afterwards no statement is open and a failed job left no trace.
enum fr_status conn_job(struct store_txn *c, store_job_fn *job, void *arg, struct fr_err *err);
// Moves what the log holds into the file, without waiting for readers.
void conn_checkpoint(struct store_txn *c);

// ---- sql.c
void sql_end_all(struct store_txn *c);
void sql_forget_all(struct store_txn *c);        // finalizes; before the connection closes
void scratch_clear(struct store_txn *c);
void scratch_free(struct store_txn *c);

// ---- migrate.c
FR_MUST_USE enum fr_status migrate_all(struct store_txn *c, struct fr_err *err);
// Without writing: "store_newer", "migration_changed", "store_damaged" when a table or index that a step made is missing. *pending: steps to run.
FR_MUST_USE enum fr_status migrate_look(struct store_txn *c, const char *path, int *pending, struct fr_err *err);
void store_forget_registered(void);              // for tests, which open stores of several ages
