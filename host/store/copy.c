// copy.c — SQLite's backup interface, page by page out of a snapshot that is held open: no other writer makes it start again.
#include "store/copy.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/auto.h"
#include "store/internal.h"

#define STEP_PAGES 256                    // 1 MiB, then a short rest: the writer's flush is not to wait behind ours
#define STEP_REST_US 500
#define FLUSH_STEPS 8                     // one large flush at the end would hold up everybody's commit

static enum fr_status copy_fail(sqlite3 *to, int rc, const char *path, struct fr_err *err)
{
    if ((rc & 0xff) == SQLITE_FULL) return FR_FAIL_CODE(err, FR_E_IO, "disk_full", "the disk is full: %.200s could not be written", path);
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB) return FR_FAIL_CODE(err, FR_E_CORRUPT, "store_damaged", "the database is damaged and cannot be copied: %s", sqlite3_errmsg(to));
    if ((rc & 0xff) == SQLITE_NOMEM) return FR_FAIL(err, FR_E_NOMEM, "no memory for a copy of the database");
    return FR_FAIL(err, FR_E_IO, "cannot write %.200s: %s", path, sqlite3_errmsg(to));
}

static enum fr_status flush(int fd, const char *path, struct fr_err *err)
{
    if (fdatasync(fd) == 0) return FR_OK;
    if (errno == ENOSPC || errno == EDQUOT) return FR_FAIL_CODE(err, FR_E_IO, "disk_full", "the disk is full: %.200s could not be written", path);
    return FR_FAIL(err, FR_E_IO, "cannot flush %.200s: %s", path, strerror(errno));
}

static enum fr_status copy_pages(sqlite3_backup *b, sqlite3 *to, int fd, const char *path, struct store_copy_watch *watch, struct fr_err *err)
{
    for (int step = 1;; step++) {
        if (watch->stop) return FR_FAIL_CODE(err, FR_E_TIMEOUT, "stopped", "the copy was stopped");
        int rc = sqlite3_backup_step(b, STEP_PAGES);
        watch->pages = sqlite3_backup_pagecount(b);
        watch->pages_done = watch->pages - sqlite3_backup_remaining(b);
        if (rc == SQLITE_DONE) return FR_OK;
        if (rc != SQLITE_OK) return copy_fail(to, rc, path, err);
        if (step % FLUSH_STEPS == 0) FR_TRY(flush(fd, path, err));
        nanosleep(&(struct timespec){ .tv_nsec = STEP_REST_US * 1000L }, NULL);
    }
}

static enum fr_status copy_run(struct store_txn *txn, sqlite3 *to, int fd, const char *path, struct store_copy_watch *watch, struct fr_err *err)
{
    int rc = sqlite3_exec(to, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL);
    if (rc != SQLITE_OK) return copy_fail(to, rc, path, err);
    sqlite3_backup *b = sqlite3_backup_init(to, "main", txn->db, "main");
    if (!b) return copy_fail(to, sqlite3_errcode(to), path, err);
    enum fr_status st = copy_pages(b, to, fd, path, watch, err);
    rc = sqlite3_backup_finish(b);
    if (st == FR_OK && rc != SQLITE_OK) st = copy_fail(to, rc, path, err);
    return st;
}

enum fr_status store_copy(struct store_txn *txn, const char *path, struct store_copy_watch *watch, struct fr_err *err)
{
    assert(conn_in_transaction(txn));
    FR_AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.300s is there already", path);
    if (fd < 0) return FR_FAIL_CODE(err, FR_E_IO, errno == ENOSPC ? "disk_full" : "io", "cannot make %.300s: %s", path, strerror(errno));
    sqlite3 *to = NULL;
    int rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    enum fr_status st = rc == SQLITE_OK ? copy_run(txn, to, fd, path, watch, err) : copy_fail(to, rc, path, err);
    if (st == FR_E_CORRUPT) txn->damaged = true;
    if (sqlite3_close(to) != SQLITE_OK && st == FR_OK) st = FR_FAIL(err, FR_E_IO, "cannot close %.300s", path);
    return st == FR_OK ? flush(fd, path, err) : st;
}

// ---- health

static enum fr_status pragma_int(struct store_txn *txn, const char *sql_literal, int64_t *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, sql_literal, &row, err));
    FR_TRY(sql_step(row, &found, err));
    if (found) *ret = sql_int(row, 0);
    return FR_OK;
}

static void fault_set(struct store_health *h, const char *text)
{
    snprintf(h->fault, sizeof h->fault, "%s", text ? text : "a row that cannot be read");
    for (char *p = h->fault; *p; p++) if (*p == '\n') *p = ' ';
}

static enum fr_status health_integrity(struct store_txn *txn, struct store_health *h, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "PRAGMA integrity_check(1)", &row, err));
    FR_TRY(sql_step(row, &found, err));
    if (found && sql_text(row, 0) && strcmp(sql_text(row, 0), "ok") != 0) fault_set(h, sql_text(row, 0));
    return FR_OK;
}

static enum fr_status health_references(struct store_txn *txn, struct store_health *h, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    char text[160];
    FR_TRY(sql_begin(txn, "PRAGMA foreign_key_check", &row, err));
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_OK;
    snprintf(text, sizeof text, "row %lld of table %s refers to a row of %s that is not there", (long long)sql_int(row, 1), sql_text(row, 0), sql_text(row, 2));
    fault_set(h, text);
    return FR_OK;
}

static enum fr_status health_steps(struct store_txn *txn, bool thorough, struct store_health *h, struct fr_err *err)
{
    FR_TRY(pragma_int(txn, "PRAGMA page_count", &h->pages, err));
    FR_TRY(pragma_int(txn, "PRAGMA page_size", &h->page_bytes, err));
    FR_TRY(pragma_int(txn, "PRAGMA freelist_count", &h->free_pages, err));
    if (!thorough) return FR_OK;
    FR_TRY(health_integrity(txn, h, err));
    return h->fault[0] ? FR_OK : health_references(txn, h, err);
}

enum fr_status store_health(struct store_txn *txn, bool thorough, struct store_health *ret, struct fr_err *err)
{
    struct store_health h = { 0 };
    enum fr_status st = health_steps(txn, thorough, &h, err);
    if (st == FR_E_CORRUPT) fault_set(&h, err->text);
    else if (st != FR_OK) return st;
    *ret = h;
    return FR_OK;
}

const char *store_engine_version(void) { return sqlite3_libversion(); }
