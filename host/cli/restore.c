// restore.c — `restore`: a backup becomes a data folder, in one step or not at all; what was there before is moved aside, never removed.
//
// The copy is made as DIR.restoring-PID beside the place it is for, checked there as a store, and renamed. With data in its place the two folders
// change names in one step, and the old one is then called DIR.before-TIME. Killed at any moment, DIR is the old data or the new.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/clock.h"
#include "cli/internal.h"

struct restore {
    const char *from;
    char data[BACKUP_PATH_BYTES], stage[BACKUP_PATH_BYTES], aside[BACKUP_PATH_BYTES];
    struct backup b;
    bool there, used;                      // the place: a folder, with something in it
    int lock;                              // of the old data
    bool old_known, same_history;          // what the old data says of itself
    struct ledger_head old;
};

// ---- the place

static bool folder_used(const char *path)
{
    DIR *dir = opendir(path);
    bool used = false;
    for (struct dirent *e; dir && !used && (e = readdir(dir));) used = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (dir) closedir(dir);
    return used;
}

// Nobody may start on the old data while it is moved.
static enum fr_status old_lock(struct restore *r, struct fr_err *err)
{
    char path[BACKUP_PATH_BYTES + 8];
    snprintf(path, sizeof path, "%s/lock", r->data);
    r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (r->lock < 0) return FR_FAIL(err, FR_E_IO, "cannot lock %.250s: %s", r->data, strerror(errno));
    if (flock(r->lock, LOCK_EX | LOCK_NB) == 0) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_BUSY, "data_locked", "a host is using %.250s: stop it first", r->data);
}

static enum fr_status place_check(struct restore *r, bool force, struct fr_err *err)
{
    struct stat st;
    r->there = lstat(r->data, &st) == 0;
    if (r->there && !S_ISDIR(st.st_mode)) return FR_FAIL_CODE(err, FR_E_CONFLICT, "not_empty", "%.250s is there and is not a folder", r->data);
    r->used = r->there && folder_used(r->data);
    if (!r->used) return FR_OK;
    FR_TRY(old_lock(r, err));
    if (force) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_CONFLICT, "not_empty", "%.200s is not empty: name another folder with --data, or move what is there aside with --force", r->data);
}

static enum fr_status paths(struct restore *r, const char *data, struct fr_err *err)
{
    char name[40];
    size_t len = strlen(data);
    while (len > 1 && data[len - 1] == '/') len--;
    backup_name(fr_now_ms(), name);
    if (len == 0 || len > BACKUP_PATH_BYTES - 80) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "the data folder's name is empty or too long");
    snprintf(r->data, sizeof r->data, "%.*s", (int)len, data);
    snprintf(r->stage, sizeof r->stage, "%s.restoring-%ld", r->data, (long)getpid());
    struct stat st;
    for (int i = 1; i < 100; i++) {                // two in one second
        snprintf(r->aside, sizeof r->aside, i == 1 ? "%s.before-%s" : "%s.before-%s-%d", r->data, name + 6, i);
        if (lstat(r->aside, &st) != 0) break;
    }
    return lstat(r->aside, &st) != 0 && lstat(r->stage, &st) != 0 ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.250s or %.40s is there already", r->aside, strrchr(r->stage, '.'));
}

// ---- what is lost

static enum fr_status old_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct restore *r = arg;
    char hash[SHA256_HEX_BYTES] = "";
    FR_TRY(ledger_head(txn, &r->old, err));
    FR_TRY(ledger_entry_hash(txn, r->b.head.entries, hash, err));
    r->same_history = strcmp(hash, r->b.head.hash) == 0;
    return FR_OK;
}

// Our own lock is let go of for it: store_open takes it, and leaves no trace but that.
static enum fr_status old_look(struct restore *r, struct fr_err *err)
{
    struct store *s;
    struct fr_err ignored;
    if (!r->used) return FR_OK;
    flock(r->lock, LOCK_UN);
    if (store_open(&(struct store_options){ .folder = r->data, .read_only = true, .older_too = true }, &s, &ignored) == FR_OK) {
        r->old_known = store_now(s, old_job, r, &ignored) == FR_OK;       // damaged data may well be the reason for all this
        store_close(s);
    }
    return flock(r->lock, LOCK_EX | LOCK_NB) == 0 ? FR_OK : FR_FAIL_CODE(err, FR_E_BUSY, "data_locked", "a host was started on %.250s just now: stop it first", r->data);
}

// ---- the copy

static enum fr_status stage_fill(struct restore *r, struct fr_err *err)
{
    if (mkdir(r->stage, 0700) != 0) return FR_FAIL_CODE(err, FR_E_IO, errno == ENOSPC ? "disk_full" : "io", "cannot make %.250s: %s", r->stage, strerror(errno));
    for (int i = 0; i < r->b.file_count; i++) {
        const struct backup_file *f = &r->b.files[i];
        char from[2 * BACKUP_PATH_BYTES], to[2 * BACKUP_PATH_BYTES];
        struct backup_file got;
        snprintf(from, sizeof from, "%s/%s", r->from, f->name);
        snprintf(to, sizeof to, "%s/%s", r->stage, f->name);
        if (access(from, F_OK) != 0) return FR_FAIL_CODE(err, FR_E_CORRUPT, "backup_damaged", "%.150s/%s is missing; take another backup", r->from, f->name);
        FR_TRY(backup_copy_file(from, to, strcmp(f->name, STORE_FILE) == 0 ? 0 : BACKUP_SMALL_BYTES_MAX, &got, err));
        if (got.bytes != f->bytes || strcmp(got.sha256, f->sha256) != 0)
            return FR_FAIL_CODE(err, FR_E_CORRUPT, "backup_damaged", "%.150s/%s is not what the manifest says: %lld bytes, hash %.12s; take another backup", r->from, f->name, (long long)got.bytes, got.sha256);
    }
    return FR_OK;
}

// As a host would open it, older ones brought up to date, and then everything is read.
static enum fr_status stage_prove(struct restore *r, struct fr_err *err)
{
    struct store *s;
    char file[2 * BACKUP_PATH_BYTES];
    enum fr_status st = store_open(&(struct store_options){ .folder = r->stage, .check = ledger_look }, &s, err);
    if (st != FR_OK) return st == FR_E_CORRUPT ? fr_err_note(err, "the backup") : st;
    st = backup_check_store(s, &r->b, err);
    store_close(s);
    if (st != FR_OK) return st;
    snprintf(file, sizeof file, "%s/lock", r->stage);
    unlink(file);
    snprintf(file, sizeof file, "%s/" STORE_FILE, r->stage);
    FR_AUTO_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) return FR_FAIL(err, FR_E_IO, "cannot flush %.250s: %s", file, strerror(errno));
    return backup_sync_folder(r->stage, err);
}

static enum fr_status change_places(struct restore *r, struct fr_err *err)
{
    if (!r->used) {
        if (rename(r->stage, r->data) != 0) return FR_FAIL_CODE(err, FR_E_IO, errno == ENOTEMPTY || errno == EEXIST ? "not_empty" : "io", "cannot rename %.150s to %.150s: %s", r->stage, r->data, strerror(errno));
        return backup_sync_above(r->data, err);
    }
    if (renameat2(AT_FDCWD, r->stage, AT_FDCWD, r->data, RENAME_EXCHANGE) != 0)
        return FR_FAIL(err, FR_E_IO, "cannot put %.150s in the place of %.150s: %s", r->stage, r->data, strerror(errno));
    if (rename(r->stage, r->aside) != 0) snprintf(r->aside, sizeof r->aside, "%s", r->stage);      // the old data stays under that name
    return backup_sync_above(r->data, err);
}

// ---- the answer

static void say_lost(struct restore *r, struct fr_buf *out)
{
    char at[25];
    fr_buf_add(out, ",\"lost\":");
    if (!r->used) { fr_buf_add(out, "null"); return; }
    if (!r->old_known) { fr_buf_add(out, "{\"known\":false}"); return; }
    fr_buf_addf(out, "{\"known\":true,\"same_history\":%s,\"entries\":\"%lld\",\"until\":", r->same_history ? "true" : "false",
                (long long)(r->same_history ? r->old.entries - r->b.head.entries : r->old.entries));
    fr_buf_add_json_text(out, r->old.entries ? fr_time_text(r->old.at_ms, at) : NULL);
    fr_buf_add_char(out, '}');
}

static void say(struct restore *r, struct fr_buf *out)
{
    backup_print(&r->b, r->from, out);
    fr_buf_add(out, ",\"data\":");
    fr_buf_add_json_bytes(out, r->data, strlen(r->data));
    fr_buf_add(out, ",\"moved\":");
    if (r->used) fr_buf_add_json_bytes(out, r->aside, strlen(r->aside));
    else fr_buf_add(out, "null");
    say_lost(r, out);
    fr_buf_add_char(out, '}');
}

static enum fr_status restore_steps(struct restore *r, bool force, struct fr_err *err)
{
    FR_TRY(backup_read(r->from, &r->b, err));
    FR_TRY(place_check(r, force, err));
    FR_TRY(old_look(r, err));
    enum fr_status st = stage_fill(r, err);
    if (st == FR_OK) st = stage_prove(r, err);
    if (st == FR_OK) st = change_places(r, err);
    if (st != FR_OK) backup_remove(r->stage);      // after the change it has another name, or the change failed
    return st;
}

enum fr_status run_restore(struct cli *c, struct fr_err *err)
{
    struct restore r = { .from = cli_arg(c, "backup"), .lock = -1 };
    host_register_modules();
    if (cli_option(c, "check")) {
        FR_TRY(backup_check(r.from, &r.b, err));
        backup_print(&r.b, r.from, &c->out);
        fr_buf_add(&c->out, ",\"data\":null}");
        return FR_OK;
    }
    FR_TRY(paths(&r, c->data, err));
    enum fr_status st = restore_steps(&r, cli_option(c, "force") != NULL, err);
    if (r.lock >= 0) close(r.lock);
    if (st != FR_OK) return st;
    char whole[PATH_MAX];
    if (realpath(r.from, whole)) backup_note(r.data, whole, r.b.created_ms);
    say(&r, &c->out);
    return FR_OK;
}
