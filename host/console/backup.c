// backup.c — making a backup, looking through one, and finding the newest.
#include "console/backup.h"
#include "console/console.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/version.h"
#include "console/backup_inside.h"
#include "console/internal.h"
#include "play/play.h"

#define UNFINISHED "unfinished"            // in a folder that is being made: it may be removed
#define NOTE "newest-backup"               // in the data folder
#define DEV_MARK "dev"                     // as `serve --dev` leaves it

// ---- the folder under its other name

static bool note_any(void *arg, const char *name, bool plain)
{
    (void)name; (void)plain;
    *(bool *)arg = true;
    return true;
}

static bool folder_empty(const char *path)
{
    bool any = false;
    return backup_each_file(path, note_any, &any) && !any;
}

// What an earlier try left, of which nobody can have heard. Anything else stays.
static bool part_is_ours(const char *part)
{
    char mark[BACKUP_PATH_BYTES];
    struct backup b;
    struct fr_err ignored;
    if (folder_empty(part)) return true;
    if (backup_path(mark, part, UNFINISHED, &ignored) == FR_OK && access(mark, F_OK) == 0) return true;
    return backup_read(part, &b, &ignored) == FR_OK;
}

// *lock: whoever makes this folder holds it; a process that was killed does not.
static enum fr_status part_make(const char *part, int *lock, struct fr_err *err)
{
    char mark[BACKUP_PATH_BYTES];
    FR_TRY(backup_path(mark, part, UNFINISHED, err));
    if (mkdir(part, 0700) != 0 && errno != EEXIST)
        return FR_FAIL_CODE(err, FR_E_IO, errno == ENOSPC ? "disk_full" : "io", "cannot make %.250s: %s", part, strerror(errno));
    FR_AUTO_FD int fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.250s is in the way: %s", part, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) return FR_FAIL_CODE(err, FR_E_BUSY, "backup_busy", "another backup to this place is being made");
    if (!part_is_ours(part)) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.250s is in the way and is nothing that a backup left: move it", part);
    backup_remove(part);
    if (mkdir(part, 0700) != 0) return FR_FAIL_CODE(err, FR_E_IO, errno == ENOSPC ? "disk_full" : "io", "cannot make %.250s: %s", part, strerror(errno));
    close(fd);
    fd = open(part, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) return FR_FAIL_CODE(err, FR_E_BUSY, "backup_busy", "another backup to this place is being made");
    FR_TRY(backup_write_file(mark, "a backup that is being made: `frond backup` removes this folder when it finds it\n", 81, err));
    *lock = fd;
    fd = -1;
    return FR_OK;
}

static enum fr_status part_finish(const char *part, const char *to, bool replace, struct fr_err *err)
{
    char mark[BACKUP_PATH_BYTES];
    FR_TRY(backup_path(mark, part, UNFINISHED, err));
    unlink(mark);
    FR_TRY(backup_sync_folder(part, err));
    int rc = renameat2(AT_FDCWD, part, AT_FDCWD, to, RENAME_NOREPLACE);
    if (rc != 0 && errno == EINVAL) rc = rename(part, to);                // a file system without the flag: a folder still replaces only an empty one
    if (rc != 0 && replace && (errno == EEXIST || errno == ENOTEMPTY)) {
        rc = renameat2(AT_FDCWD, part, AT_FDCWD, to, RENAME_EXCHANGE);
        if (rc == 0) backup_remove(part);                                 // now the old one
    }
    if (rc != 0 && (errno == EEXIST || errno == ENOTEMPTY)) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.250s is there already", to);
    if (rc != 0) return FR_FAIL(err, FR_E_IO, "cannot rename %.150s to %.150s: %s", part, to, strerror(errno));
    return backup_sync_above(to, err);
}

// ---- what goes in

struct making { struct backup *b; const char *data, *part; struct store_copy_watch *watch; struct fr_err *err; enum fr_status st; char to[BACKUP_PATH_BYTES]; };

static bool is_live(const char *name)
{
    static const char *const names[] = { STORE_FILE, "lock", "frond.sock", NOTE, NOTE ".part" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) if (strcmp(name, names[i]) == 0) return true;
    return !backup_name_ok(name);
}

static bool add_small(void *arg, const char *name, bool plain)
{
    struct making *m = arg;
    char from[BACKUP_PATH_BYTES], to[BACKUP_PATH_BYTES];
    if (!plain || is_live(name)) return true;
    if (m->b->file_count == BACKUP_FILES_MAX) {
        m->st = FR_FAIL_CODE(m->err, FR_E_LIMIT, "backup_file", "the data folder has over %d files: what is %.60s doing there?", BACKUP_FILES_MAX, name);
        return false;
    }
    struct backup_file *f = &m->b->files[m->b->file_count];
    snprintf(f->name, sizeof f->name, "%s", name);
    m->b->dev |= strcmp(name, DEV_MARK) == 0;
    m->st = backup_path(from, m->data, name, m->err);
    if (m->st == FR_OK) m->st = backup_path(to, m->part, name, m->err);
    if (m->st == FR_OK) m->st = backup_copy_file(from, to, BACKUP_SMALL_BYTES_MAX, f, m->err);
    m->b->file_count++;
    return m->st == FR_OK;
}

static enum fr_status copy_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct making *m = arg;
    FR_TRY(ledger_head(txn, &m->b->head, err));
    return store_copy(txn, m->to, m->watch, err);
}

static enum fr_status fill(struct store *s, struct making *m, struct fr_err *err)
{
    char path[BACKUP_PATH_BYTES];
    FR_TRY(backup_path(m->to, m->part, STORE_FILE, err));
    m->b->file_count = 1;                                                 // the database stands first
    snprintf(m->b->files[0].name, sizeof m->b->files[0].name, STORE_FILE);
    m->err = err;
    if (!backup_each_file(m->data, add_small, m)) return m->st != FR_OK ? m->st : FR_FAIL(err, FR_E_IO, "cannot read the folder %.250s", m->data);
    FR_TRY(store_aside(s, copy_job, m, err));
    FR_TRY(backup_hash_file(m->to, &m->b->files[0], err));
    FR_AUTO_BUF(text);
    fr_buf_init(&text, BACKUP_MANIFEST_BYTES_MAX);
    backup_print(m->b, NULL, &text);
    fr_buf_add(&text, "}\n");
    FR_TRY(fr_buf_check(&text, "the manifest", err));
    FR_TRY(backup_path(path, m->part, BACKUP_MANIFEST, err));
    return backup_write_file(path, text.data, text.len, err);
}

static enum fr_status may_make(const char *to, bool replace, struct fr_err *err)
{
    struct stat st;
    struct backup old;
    if (lstat(to, &st) != 0) return FR_OK;
    if (!replace) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.250s is there already: name another place, or replace that backup with --force", to);
    if (folder_empty(to)) return FR_OK;
    enum fr_status read = backup_read(to, &old, err);
    return read == FR_OK || strcmp(err->code, "not_a_backup") != 0 ? FR_OK
           : FR_FAIL_CODE(err, FR_E_CONFLICT, "not_a_backup", "%.250s is there and is no backup, so --force does not replace it", to);
}

// Beside the data a backup goes where the data goes.
static enum fr_status not_inside(const char *data, const char *to, struct fr_err *err)
{
    char above[BACKUP_PATH_BYTES];
    struct stat of_data, st;
    snprintf(above, sizeof above, "%s", to);
    if (stat(data, &of_data) != 0) return FR_OK;
    for (char *slash; (slash = strrchr(above, '/')) && slash != above;) {
        *slash = '\0';
        if (stat(above, &st) == 0 && st.st_dev == of_data.st_dev && st.st_ino == of_data.st_ino)
            return FR_FAIL_CODE(err, FR_E_INVALID, "backup_path", "%.250s lies in the data folder, and what loses the one loses the other: name a place outside", to);
    }
    return FR_OK;
}

enum fr_status backup_make(struct store *s, const char *data, const char *to, bool replace, struct store_copy_watch *watch, struct backup *ret, struct fr_err *err)
{
    char part[BACKUP_PATH_BYTES];
    struct backup b = { .created_ms = fr_now_ms(), .frond = FROND_VERSION };
    FR_AUTO_FD int lock = -1;
    snprintf(b.engine, sizeof b.engine, "sqlite %s", store_engine_version());
    if ((size_t)snprintf(part, sizeof part, "%s" BACKUP_PART, to) >= sizeof part - 80) return FR_FAIL_CODE(err, FR_E_INVALID, "backup_path", "the backup's name is too long");
    FR_TRY(not_inside(data, to, err));
    FR_TRY(may_make(to, replace, err));
    FR_TRY(part_make(part, &lock, err));
    struct making m = { .b = &b, .data = data, .part = part, .watch = watch };
    enum fr_status st = fill(s, &m, err);
    if (st == FR_OK) st = part_finish(part, to, replace, err);
    if (st != FR_OK) { backup_remove(part); return st; }
    backup_note(data, to, b.created_ms);
    *ret = b;
    return FR_OK;
}

// ---- looking through one

static enum fr_status bad(const char *path, struct fr_err *err, const char *fmt, ...) FR_PRINTF(3, 4);
static enum fr_status bad(const char *path, struct fr_err *err, const char *fmt, ...)
{
    char text[FR_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return FR_FAIL_CODE(err, FR_E_CORRUPT, "backup_damaged", "%.120s: %.200s; take another backup", path, text);
}

struct looking { struct store_health health; struct ledger_audit audit; struct ledger_head head; };

static enum fr_status look_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct looking *l = arg;
    FR_TRY(store_health(txn, true, &l->health, err));
    if (l->health.fault[0]) return FR_OK;
    FR_TRY(ledger_head(txn, &l->head, err));
    return ledger_audit_run(txn, console_owner_alive, &l->audit, err);
}

static enum fr_status look_through(struct store *s, const struct backup *b, const char *path, struct fr_err *err)
{
    struct looking l = { 0 };
    FR_TRY(store_now(s, look_job, &l, err));
    if (l.health.fault[0]) return bad(path, err, "the database is damaged: %s", l.health.fault);
    if (l.audit.first_fault[0]) return bad(path, err, "the ledger is not right: %s", l.audit.first_fault);
    if (l.audit.holds_orphaned > 0) return bad(path, err, "%lld holds belong to matches that are over", (long long)l.audit.holds_orphaned);
    if (l.head.entries != b->head.entries || strcmp(l.head.hash, b->head.hash) != 0)
        return bad(path, err, "its journal ends with entry %lld (%.12s), the manifest says %lld (%.12s)", (long long)l.head.entries, l.head.hash, (long long)b->head.entries, b->head.hash);
    return FR_OK;
}

enum fr_status backup_check_store(struct store *s, const struct backup *b, struct fr_err *err)
{
    return look_through(s, b, "the backup", err);
}

static enum fr_status check_hashes(const char *path, const struct backup *b, struct fr_err *err)
{
    for (int i = 0; i < b->file_count; i++) {
        char file[BACKUP_PATH_BYTES];
        struct backup_file found;
        FR_TRY(backup_path(file, path, b->files[i].name, err));
        if (backup_hash_file(file, &found, err) != FR_OK) { struct fr_err why = *err; return bad(path, err, "%s", why.text); }
        if (found.bytes != b->files[i].bytes || strcmp(found.sha256, b->files[i].sha256) != 0)
            return bad(path, err, "%s is not what the manifest says: %lld bytes, hash %.12s", b->files[i].name, (long long)found.bytes, found.sha256);
    }
    return FR_OK;
}

enum fr_status backup_check(const char *path, struct backup *ret, struct fr_err *err)
{
    char file[BACKUP_PATH_BYTES];
    struct store *s;
    bool older;
    FR_TRY(backup_read(path, ret, err));
    FR_TRY(check_hashes(path, ret, err));
    FR_TRY(backup_path(file, path, STORE_FILE, err));
    enum fr_status st = store_open_copy(file, &s, &older, err);
    if (st == FR_E_CORRUPT) { struct fr_err why = *err; return bad(path, err, "%s", why.text); }
    if (st != FR_OK) return st;
    if (!older) st = look_through(s, ret, path, err);                     // of an older shape: restore brings a copy up to date and looks then
    store_close(s);
    return st;
}

// ---- which there are

void backup_name(int64_t now_ms, char out[40])
{
    char at[25];
    fr_time_text(now_ms, at);                                             // 2026-11-23T20:15:00.123Z
    snprintf(out, 40, "frond-%.4s%.2s%.2sT%.2s%.2s%.2sZ", at, at + 5, at + 8, at + 11, at + 14, at + 17);
}

static bool named_by_clock(const char *name)
{
    static const char shape[] = "frond-00000000T000000Z";
    if (strlen(name) != sizeof shape - 1) return false;
    for (size_t i = 0; shape[i]; i++) if (shape[i] == '0' ? name[i] < '0' || name[i] > '9' : name[i] != shape[i]) return false;
    return true;
}

struct listing { const char *folder; struct { char name[40]; int64_t created_ms; } *at; int count, cap; };

static bool list_one(void *arg, const char *name, bool plain)
{
    struct listing *l = arg;
    char path[BACKUP_PATH_BYTES];
    struct backup b;
    struct fr_err ignored;
    if (plain || !named_by_clock(name) || backup_path(path, l->folder, name, &ignored) != FR_OK || backup_read(path, &b, &ignored) != FR_OK) return true;
    if (l->count == l->cap) {
        void *more = fr_realloc(l->at, (size_t)(l->cap + 64) * sizeof l->at[0]);
        if (!more) return true;
        l->at = more;
        l->cap += 64;
    }
    snprintf(l->at[l->count].name, sizeof l->at[0].name, "%s", name);
    l->at[l->count++].created_ms = b.created_ms;
    return true;
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(b, a);                                                  // the name is the time
}

static void list_all(const char *folder, struct listing *l)
{
    *l = (struct listing){ .folder = folder };
    backup_each_file(folder, list_one, l);
    if (l->count) qsort(l->at, (size_t)l->count, sizeof l->at[0], newest_first);
}

enum fr_status backup_newest(const char *folder, char path[BACKUP_PATH_BYTES], struct backup *ret, int *count, struct fr_err *err)
{
    struct listing l;
    list_all(folder, &l);
    if (count) *count = l.count;
    enum fr_status st = l.count ? backup_path(path, folder, l.at[0].name, err) : FR_FAIL(err, FR_E_NOT_FOUND, "there is no backup in %.250s", folder);
    fr_free(l.at);
    return st == FR_OK ? backup_read(path, ret, err) : st;
}

// What a host that was killed left of a backup by the clock: the next has another name.
static bool prune_part(void *arg, const char *name, bool plain)
{
    char path[BACKUP_PATH_BYTES], whole[40];
    struct fr_err ignored;
    size_t len = strlen(name), end = sizeof BACKUP_PART - 1;
    if (plain || len <= end || len - end >= sizeof whole || strcmp(name + len - end, BACKUP_PART) != 0) return true;
    snprintf(whole, sizeof whole, "%.*s", (int)(len - end), name);
    if (!named_by_clock(whole) || backup_path(path, arg, name, &ignored) != FR_OK) return true;
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && part_is_ours(path)) backup_remove(path);
    return true;
}

void backup_prune(const char *folder, int keep)
{
    struct listing l;
    backup_each_file(folder, prune_part, (void *)folder);
    char path[BACKUP_PATH_BYTES];
    struct fr_err ignored;
    list_all(folder, &l);
    for (int i = keep; i < l.count; i++)
        if (backup_path(path, folder, l.at[i].name, &ignored) == FR_OK) backup_remove(path);
    fr_free(l.at);
}

// ---- the note in the data folder: "MS PATH"

void backup_note(const char *data, const char *path, int64_t created_ms)
{
    char note[BACKUP_PATH_BYTES], part[BACKUP_PATH_BYTES], text[BACKUP_PATH_BYTES + 40];
    struct fr_err ignored;
    if (backup_path(note, data, NOTE, &ignored) != FR_OK || backup_path(part, data, NOTE ".part", &ignored) != FR_OK) return;
    int len = snprintf(text, sizeof text, "%lld %s\n", (long long)created_ms, path);
    unlink(part);
    if (backup_write_file(part, text, (size_t)len, &ignored) != FR_OK || rename(part, note) != 0) unlink(part);       // it is a help, no more
}

bool backup_noted(const char *data, char path[BACKUP_PATH_BYTES], int64_t *created_ms)
{
    char note[BACKUP_PATH_BYTES], text[BACKUP_PATH_BYTES + 40] = "", *at;
    struct backup b;
    struct fr_err ignored;
    if (backup_path(note, data, NOTE, &ignored) != FR_OK) return false;
    FR_AUTO_FD int fd = open(note, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) return false;
    *created_ms = strtoll(text, &at, 10);
    if (*at != ' ') return false;
    snprintf(path, BACKUP_PATH_BYTES, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
    return backup_read(path, &b, &ignored) == FR_OK && b.created_ms == *created_ms;
}
