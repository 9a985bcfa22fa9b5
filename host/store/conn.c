// conn.c — one SQLite connection: opened, checked, its transactions, its errors in our words.
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "store/internal.h"

#define CHECK_ALL_BYTES_MAX (64LL * 1024 * 1024)   // a full check of a larger file would hold up the start for seconds
#define READER_LOOK_STEPS 1000                     // how often a long query looks at its deadline, in virtual machine steps

enum fr_status conn_fail(struct store_txn *c, int rc, const char *doing, struct fr_err *err)
{
    const char *why = c && c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);
    if (c && ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)) c->damaged = true;
    int os = c && c->db && (rc & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(c->db) : 0;
    if (os == ENOSPC || os == EDQUOT) rc = SQLITE_FULL;    // making the log's index longer: SQLite has no word for it
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT: return FR_FAIL(err, FR_E_CONFLICT, "%s: %s", doing, why);
    case SQLITE_FULL:       return FR_FAIL_CODE(err, FR_E_IO, "disk_full", "%s: the disk is full", doing);
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_IOERR:      return FR_FAIL(err, FR_E_IO, "%s: %s", doing, why);
    case SQLITE_NOMEM:      return FR_FAIL(err, FR_E_NOMEM, "%s: out of memory", doing);
    case SQLITE_INTERRUPT:  return FR_FAIL(err, FR_E_TIMEOUT, "%s: the read took too long", doing);
    case SQLITE_BUSY:       return FR_FAIL(err, FR_E_BUSY, "%s: another program has locked the database", doing);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:    return FR_FAIL_CODE(err, FR_E_CORRUPT, "store_damaged", "%s: %s", doing, why);
    case SQLITE_TOOBIG:     return FR_FAIL(err, FR_E_LIMIT, "%s: %s", doing, why);
    default:                return FR_FAIL(err, FR_E_INTERNAL, "%s: %s (%d)", doing, why, rc);
    }
}

enum fr_status conn_damaged(const char *path, const char *how, struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_CORRUPT, "store_damaged", "%.150s is damaged (%.120s); nothing was changed: `frond doctor` says more, `frond restore` puts back a backup", path, how);
}

// ---- open and close

// Statistics cost a lock in every allocation; connections never share a thread, so they need no locks of their own.
static void sqlite_configure(void)
{
    static bool done;
    if (done) return;
    done = true;
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
}

static int on_reader_steps(void *arg)
{
    struct store_txn *c = arg;
    return c->deadline_us != 0 && fr_mono_us() > c->deadline_us;
}

static int on_commit_pages(void *arg, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    ((struct store_txn *)arg)->wal_pages = pages;
    return SQLITE_OK;
}

// Prepared while there is memory: without it a transaction could not be left.
static const char ROLLBACK[] = "ROLLBACK";

// The log is moved into the file by us, after the group's callers were told: see conn_checkpoint.
static enum fr_status conn_set_up(struct store_txn *c, enum conn_kind kind, struct fr_err *err)
{
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, 5000);
    if (kind == CONN_LOOK) conn_keep_log(c);
    if (kind == CONN_LOOK) FR_TRY(conn_exec(c, "PRAGMA locking_mode=EXCLUSIVE", err));      // the log's index is kept in memory, not in a file beside it
    if (kind == CONN_WRITER || kind == CONN_READER) FR_TRY(conn_exec(c, "PRAGMA journal_mode=WAL", err));
    FR_TRY(conn_exec(c, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF", err));
    struct store_row *rollback = NULL;
    FR_TRY(sql_begin(c, ROLLBACK, &rollback, err));
    sql_end(rollback);
    if (c->reader) {
        FR_TRY(conn_exec(c, "PRAGMA query_only=ON; PRAGMA cache_size=-8192", err));
        sqlite3_progress_handler(c->db, READER_LOOK_STEPS, on_reader_steps, c);
        return FR_OK;
    }
    FR_TRY(conn_exec(c, "PRAGMA cache_size=-65536", err));
    sqlite3_wal_hook(c->db, on_commit_pages, c);
    return FR_OK;
}

// "file:" wants everything but plain characters written as %XX.
static bool copy_uri(const char *path, char *out, size_t cap)
{
    size_t at = (size_t)snprintf(out, cap, "file:");
    for (const unsigned char *p = (const unsigned char *)path; *p; p++) {
        bool plain = isalnum(*p) || strchr("/._-", *p);
        if (at + 24 > cap) return false;
        at += (size_t)snprintf(out + at, cap - at, plain ? "%c" : "%%%02X", *p);
    }
    snprintf(out + at, cap - at, "?immutable=1");
    return true;
}

static int conn_open_file(const char *path, enum conn_kind kind, sqlite3 **db)
{
    static const int how[] = { [CONN_WRITER] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, [CONN_READER] = SQLITE_OPEN_READWRITE,
                               [CONN_LOOK] = SQLITE_OPEN_READWRITE, [CONN_COPY] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI };
    char uri[3 * 4096];
    if (kind == CONN_COPY && !copy_uri(path, uri, sizeof uri)) return SQLITE_CANTOPEN;
    return sqlite3_open_v2(kind == CONN_COPY ? uri : path, db, how[kind] | SQLITE_OPEN_NOMUTEX, NULL);
}

enum fr_status conn_open(const char *path, enum conn_kind kind, struct store_txn **ret, struct fr_err *err)
{
    sqlite_configure();
    struct store_txn *c = fr_must_alloc(sizeof *c);
    c->reader = kind != CONN_WRITER;
    int rc = conn_open_file(path, kind, &c->db);
    enum fr_status st = rc == SQLITE_OK ? conn_set_up(c, kind, err) : conn_fail(c, rc, "open the database", err);
    if (st != FR_OK) {
        conn_close(c);
        return st == FR_E_CORRUPT ? conn_damaged(path, "its first page cannot be read", err) : st;
    }
    *ret = c;
    return FR_OK;
}

void conn_keep_log(struct store_txn *c)
{
    sqlite3_db_config(c->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

void conn_close(struct store_txn *c)
{
    if (!c) return;
    sql_forget_all(c);
    scratch_free(c);
    int rc = sqlite3_close(c->db);
    assert(rc == SQLITE_OK);                       // anything else is a statement that we lost
    fr_free(c);
}

// ---- is the file what we wrote?

// SQLite takes a log beside an empty database for a leftover, and deletes it: it may hold everything.
static enum fr_status check_empty(const char *path, struct fr_err *err)
{
    char log[4200];
    struct stat st;
    snprintf(log, sizeof log, "%s-wal", path);
    return stat(log, &st) == 0 && st.st_size > 0 ? conn_damaged(path, "it is missing or empty, but its log is there", err) : FR_OK;
}

// SQLite would take a file shorter than its header for an empty database and write over it.
enum fr_status conn_check_file(const char *path, struct fr_err *err)
{
    FR_AUTO_FD int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return check_empty(path, err);
    if (fd < 0 && errno == EROFS) return FR_FAIL_CODE(err, FR_E_IO, "store_read_only", "%.200s cannot be written: it lies on a read-only file system", path);
    if (fd < 0) return FR_FAIL_CODE(err, FR_E_IO, "store_unreadable", "cannot open %.200s: %s; run this as the user the host runs as", path, strerror(errno));
    struct stat st;
    char head[100];
    if (fstat(fd, &st) != 0) return FR_FAIL(err, FR_E_IO, "cannot read %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode)) return FR_FAIL(err, FR_E_IO, "%s is not a file", path);
    if (st.st_size == 0) return check_empty(path, err);      // as a start that was killed leaves it
    if (geteuid() != st.st_uid)
        return FR_FAIL_CODE(err, FR_E_DENIED, "store_owner", "%.200s belongs to user %ld and this is user %ld: run it as that user, or give the folder and all in it to this one", path, (long)st.st_uid, (long)geteuid());
    ssize_t len = pread(fd, head, sizeof head, 0);
    if (len != (ssize_t)sizeof head) return conn_damaged(path, "it is shorter than a database's header", err);
    if (memcmp(head, "SQLite format 3", 16) != 0) return conn_damaged(path, "it is not a database", err);
    return FR_OK;
}

static enum fr_status conn_pragma_int(struct store_txn *c, const char *sql, int64_t *ret, struct fr_err *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, sql, -1, &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) *ret = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return rc == SQLITE_ROW ? FR_OK : conn_fail(c, rc, sql, err);
}

static enum fr_status conn_check_pages(struct store_txn *c, const char *path, struct fr_err *err)
{
    char how[120] = "";
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(c->db, "PRAGMA quick_check(1)", -1, &stmt, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) snprintf(how, sizeof how, "%s", (const char *)sqlite3_column_text(stmt, 0));
    else snprintf(how, sizeof how, "%s", sqlite3_errmsg(c->db));
    sqlite3_finalize(stmt);
    if (strcmp(how, "ok") == 0) return FR_OK;
    for (char *p = how; *p; p++) if (*p == '\n') *p = ' ';
    return conn_damaged(path, how, err);
}

// The mark as it stands in the file itself, whatever a log says. Closing the file here ends SQLite's lock on it (POSIX): we are about to refuse.
static bool file_says_ours(const char *path)
{
    unsigned char b[4];
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && pread(fd, b, sizeof b, 68) == (ssize_t)sizeof b && ((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]) == STORE_APPLICATION_ID;
}

enum fr_status conn_check(struct store_txn *c, const char *path, struct fr_err *err)
{
    int64_t id = 0, tables = 0;
    enum fr_status read = conn_pragma_int(c, "PRAGMA application_id", &id, err);
    if (read == FR_OK) read = conn_pragma_int(c, "SELECT count(*) FROM sqlite_schema", &tables, err);     // reads the schema: its first use
    if (read == FR_E_CORRUPT) return conn_damaged(path, "its schema cannot be read", err);
    FR_TRY(read);
    if (id != STORE_APPLICATION_ID && tables > 0 && file_says_ours(path)) return conn_damaged(path, "the log beside it belongs to another database", err);
    if (id != STORE_APPLICATION_ID && tables > 0)
        return FR_FAIL_CODE(err, FR_E_CORRUPT, "store_foreign", "%s is a database of another program: name another data folder", path);
    struct stat st;
    if (stat(path, &st) == 0 && st.st_size < CHECK_ALL_BYTES_MAX) return conn_check_pages(c, path, err);
    return FR_OK;
}

// ---- transactions

enum fr_status conn_exec(struct store_txn *c, const char *sql, struct fr_err *err)
{
    int rc = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? FR_OK : conn_fail(c, rc, "run the database", err);
}

static enum fr_status conn_do(struct store_txn *c, const char *sql_literal, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(c, sql_literal, &row, err));
    return sql_do(row, NULL, err);
}

enum fr_status conn_begin(struct store_txn *c, struct fr_err *err)
{
    assert(!conn_in_transaction(c));
    if (!c->reader) return conn_do(c, "BEGIN IMMEDIATE", err);
    scratch_clear(c);                              // another snapshot: what was remembered may be old
    return conn_do(c, "BEGIN", err);
}

enum fr_status conn_commit(struct store_txn *c, struct fr_err *err)
{
    enum fr_status st = conn_do(c, "COMMIT", err);
    if (st != FR_OK) conn_rollback(c);
    return st;
}

void conn_rollback(struct store_txn *c)
{
    sql_end_all(c);
    scratch_clear(c);
    c->depth = 0;
    c->deadline_us = 0;                            // a read that took too long must still be left
    if (!conn_in_transaction(c)) return;
    struct fr_err ignored;
    FR_IGNORE(conn_do(c, ROLLBACK, &ignored));     // it reports the error that made it necessary and rolls back all the same
    if (!conn_in_transaction(c)) return;
    // SQLite prepares a statement again when the schema was read since, and that wants memory. Twice none: the clear end.
    if (conn_do(c, ROLLBACK, &ignored) != FR_OK && ignored.status == FR_E_NOMEM && conn_in_transaction(c)) fr_mem_out(0);
    assert(!conn_in_transaction(c));
}

bool conn_in_transaction(struct store_txn *c)
{
    return sqlite3_get_autocommit(c->db) == 0;
}

// An error such as a full disk may have ended the whole transaction inside SQLite; then there is no savepoint to go back to.
static void conn_job_undo(struct store_txn *c)
{
    scratch_clear(c);
    c->depth = 0;
    if (!conn_in_transaction(c)) return;
    struct fr_err ignored;
    if (conn_do(c, "ROLLBACK TO job", &ignored) != FR_OK || conn_do(c, "RELEASE job", &ignored) != FR_OK) conn_rollback(c);
}

enum fr_status conn_job(struct store_txn *c, store_job_fn *job, void *arg, struct fr_err *err)
{
    assert(c->depth == 0 && !c->active);
    FR_TRY(conn_do(c, "SAVEPOINT job", err));
    enum fr_status st = job(c, arg, err);
    sql_end_all(c);                                // an early return may have left one open
    assert(st != FR_OK || c->depth == 0);          // a savepoint the job forgot
    if (st == FR_OK && !conn_in_transaction(c))
        st = FR_FAIL(err, FR_E_IO, "the transaction ended inside the job");
    if (st == FR_OK) st = conn_do(c, "RELEASE job", err);
    if (st != FR_OK) conn_job_undo(c);
    return st;
}

void conn_checkpoint(struct store_txn *c)
{
    // A failure loses nothing: the log keeps everything, and a later group tries again.
    sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}
