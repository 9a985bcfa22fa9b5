// test_disk.h — a disk for tests that can be unplugged, or whose Nth write fails. Never part of the program: only tests include it.
//
// It is an SQLite VFS in front of the real one and remembers, for each database file and log, what a flush has made durable and which
// writes came since. `disk_crash` then writes a folder as the machine might find it after a power cut: what was flushed, and of the
// rest any sectors in any order, with zeros or rubbish in the gaps. Nothing is really flushed: thousands of lives fit in a minute.
// An operation is a write, a truncation, a flush or a deletion; they are numbered from disk_begin. Any thread; one disk per program.
#pragma once
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define DISK_SECTOR_BYTES 512               // what a disk writes whole: less than a page, so pages are torn
#define DISK_FILES_MAX 16

struct disk_piece { size_t at, len; uint8_t *bytes; };              // bytes NULL: the file is cut to `at`
struct disk_image { uint8_t *bytes; size_t len, cap; };
struct disk_record { char path[700]; struct disk_image durable; struct disk_piece *pending; int pending_count, pending_cap; bool deleted; };
struct disk_file { sqlite3_file base; struct disk_record *record; sqlite3_file *real; };

struct disk {
    pthread_mutex_t mutex;
    sqlite3_vfs vfs, *real;
    struct disk_record *records[DISK_FILES_MAX];
    int record_count;
    uint64_t random;
    int64_t operations, syncs, cut_at;      // cut_at 0: never
    bool off;                               // the power is gone: everything fails and leaves no trace
    int64_t fail_at;                        // this operation fails; 0: none
    bool fail_on;                           // and all later ones
    int fail_code;                          // SQLITE_FULL, or 0: SQLITE_IOERR_...
    // two faults that the harness must catch
    bool weaken;                            // turns synchronous=FULL into NORMAL
    bool lies;                              // a flush is answered but not done
};
static struct disk disk = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static inline uint64_t disk_random(void)                            // xorshift64*
{
    disk.random ^= disk.random >> 12;
    disk.random ^= disk.random << 25;
    disk.random ^= disk.random >> 27;
    return disk.random * 0x2545f4914f6cdd1dULL;
}

static inline void *disk_need(void *p) { if (!p) abort(); return p; }

// ---- images

static inline void image_resize(struct disk_image *image, size_t len, bool rubbish)
{
    if (len > image->cap) {               // a log grows page by page: copying all of it each time took most of a test
        image->cap = len > 2 * image->cap ? len : 2 * image->cap;
        image->bytes = disk_need(realloc(image->bytes, image->cap));
    }
    if (len > image->len) {
        for (size_t i = image->len; i < len; i++) image->bytes[i] = rubbish ? (uint8_t)disk_random() : 0;
    }
    image->len = len;
}

static inline void image_apply(struct disk_image *image, const struct disk_piece *piece, bool rubbish)
{
    if (!piece->bytes) { image_resize(image, piece->at, rubbish); return; }
    if (piece->at > image->len) image_resize(image, piece->at, rubbish);
    if (piece->at + piece->len > image->len) image_resize(image, piece->at + piece->len, false);
    memcpy(image->bytes + piece->at, piece->bytes, piece->len);
}

static inline void image_read(struct disk_image *image, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    if (fstat(fd, &st) != 0) abort();
    image_resize(image, (size_t)st.st_size, false);
    if (st.st_size && pread(fd, image->bytes, image->len, 0) != (ssize_t)image->len) abort();
    close(fd);
}

static inline void image_write(const struct disk_image *image, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) abort();
    for (size_t done = 0; done < image->len;) {
        ssize_t n = write(fd, image->bytes + done, image->len - done);
        if (n <= 0) abort();
        done += (size_t)n;
    }
    close(fd);
}

// ---- records

static inline void record_forget_pending(struct disk_record *r)
{
    for (int i = 0; i < r->pending_count; i++) free(r->pending[i].bytes);
    r->pending_count = 0;
}

static inline void record_add(struct disk_record *r, size_t at, const void *bytes, size_t len)
{
    if (r->pending_count == r->pending_cap) {
        r->pending_cap = r->pending_cap ? 2 * r->pending_cap : 64;
        r->pending = disk_need(realloc(r->pending, (size_t)r->pending_cap * sizeof *r->pending));
    }
    struct disk_piece *piece = &r->pending[r->pending_count++];
    *piece = (struct disk_piece){ .at = at, .len = len };
    if (bytes) memcpy(piece->bytes = disk_need(malloc(len + 1)), bytes, len);
}

static inline void record_flush(struct disk_record *r)
{
    for (int i = 0; i < r->pending_count; i++) image_apply(&r->durable, &r->pending[i], false);
    record_forget_pending(r);
}

static inline struct disk_record *record_find(const char *path)
{
    for (int i = 0; i < disk.record_count; i++) if (strcmp(disk.records[i]->path, path) == 0) return disk.records[i];
    return NULL;
}

// What stands in a file when it is first opened is durable: it was there before this life began.
static inline struct disk_record *record_open(const char *path)
{
    struct disk_record *r = record_find(path);
    if (!r) {
        if (disk.record_count == DISK_FILES_MAX) abort();
        r = disk.records[disk.record_count++] = disk_need(calloc(1, sizeof *r));
        snprintf(r->path, sizeof r->path, "%s", path);
        image_read(&r->durable, path);
    } else if (r->deleted) {
        r->deleted = false;
        r->durable.len = 0;
    }
    return r;
}

// ---- operations

// With the mutex held. 0: go on. Otherwise the code to answer; *torn: the power fails during this very operation.
static inline int disk_step(int code, bool *torn)
{
    *torn = false;
    if (disk.off) return code;
    int64_t number = ++disk.operations;
    if (number == disk.cut_at) {
        disk.off = *torn = true;
        return code;
    }
    if (disk.fail_at == 0 || number < disk.fail_at || (number > disk.fail_at && !disk.fail_on)) return 0;
    return disk.fail_code ? disk.fail_code : code;
}

static inline struct disk_file *disk_file(sqlite3_file *f) { return (struct disk_file *)f; }

static inline int disk_write(sqlite3_file *f, const void *bytes, int len, sqlite3_int64 at)
{
    struct disk_file *file = disk_file(f);
    bool torn;
    pthread_mutex_lock(&disk.mutex);
    int rc = disk_step(SQLITE_IOERR_WRITE, &torn);
    if (rc == 0 || torn) record_add(file->record, (size_t)at, bytes, (size_t)len);
    pthread_mutex_unlock(&disk.mutex);
    return rc ? rc : file->real->pMethods->xWrite(file->real, bytes, len, at);
}

static inline int disk_truncate(sqlite3_file *f, sqlite3_int64 len)
{
    struct disk_file *file = disk_file(f);
    bool torn;
    pthread_mutex_lock(&disk.mutex);
    int rc = disk_step(SQLITE_IOERR_TRUNCATE, &torn);
    if (rc == 0 || torn) record_add(file->record, (size_t)len, NULL, 0);
    pthread_mutex_unlock(&disk.mutex);
    return rc ? rc : file->real->pMethods->xTruncate(file->real, len);
}

static inline int disk_sync(sqlite3_file *f, int flags)
{
    bool torn;
    (void)flags;
    pthread_mutex_lock(&disk.mutex);
    int rc = disk_step(SQLITE_IOERR_FSYNC, &torn);
    if (rc == 0) disk.syncs++;
    if (rc == 0 && !disk.lies) record_flush(disk_file(f)->record);
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static inline int disk_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    bool torn;
    (void)vfs;
    pthread_mutex_lock(&disk.mutex);
    int rc = disk_step(SQLITE_IOERR_DELETE, &torn);
    struct disk_record *r = record_find(path);
    if (r && (rc == 0 || torn)) r->deleted = true;          // without a flush of the folder it may come back: see disk_crash
    if (r && rc == 0 && sync_folder) {
        record_forget_pending(r);
        r->durable.len = 0;
    }
    pthread_mutex_unlock(&disk.mutex);
    return rc ? rc : disk.real->xDelete(disk.real, path, 0);
}

// SQLite shows each PRAGMA to the file first; its argument is text of its own that may be changed: 1 is NORMAL.
static inline int disk_control(sqlite3_file *f, int op, void *arg)
{
    char **pragma = arg;
    if (op == SQLITE_FCNTL_PRAGMA && disk.weaken && pragma[2] && sqlite3_stricmp(pragma[1], "synchronous") == 0) memcpy(pragma[2], "1", 2);
    return disk_file(f)->real->pMethods->xFileControl(disk_file(f)->real, op, arg);
}

// ---- what is only handed on

#define DISK_REAL(f) disk_file(f)->real->pMethods
#define DISK_ON(f) disk_file(f)->real
static inline int disk_close(sqlite3_file *f) { return DISK_REAL(f)->xClose(DISK_ON(f)); }
static inline int disk_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at) { return DISK_REAL(f)->xRead(DISK_ON(f), to, len, at); }
static inline int disk_size(sqlite3_file *f, sqlite3_int64 *len) { return DISK_REAL(f)->xFileSize(DISK_ON(f), len); }
static inline int disk_lock(sqlite3_file *f, int kind) { return DISK_REAL(f)->xLock(DISK_ON(f), kind); }
static inline int disk_unlock(sqlite3_file *f, int kind) { return DISK_REAL(f)->xUnlock(DISK_ON(f), kind); }
static inline int disk_reserved(sqlite3_file *f, int *out) { return DISK_REAL(f)->xCheckReservedLock(DISK_ON(f), out); }
static inline int disk_sector(sqlite3_file *f) { return DISK_REAL(f)->xSectorSize(DISK_ON(f)); }
static inline int disk_traits(sqlite3_file *f) { return DISK_REAL(f)->xDeviceCharacteristics(DISK_ON(f)); }
static inline int disk_shm_map(sqlite3_file *f, int page, int len, int extend, void volatile **out) { return DISK_REAL(f)->xShmMap(DISK_ON(f), page, len, extend, out); }
static inline int disk_shm_lock(sqlite3_file *f, int at, int n, int flags) { return DISK_REAL(f)->xShmLock(DISK_ON(f), at, n, flags); }
static inline void disk_shm_barrier(sqlite3_file *f) { DISK_REAL(f)->xShmBarrier(DISK_ON(f)); }
static inline int disk_shm_unmap(sqlite3_file *f, int remove_it) { return DISK_REAL(f)->xShmUnmap(DISK_ON(f), remove_it); }

static const sqlite3_io_methods disk_methods = {          // version 2: no memory maps, every byte passes by here
    2, disk_close, disk_read, disk_write, disk_truncate, disk_sync, disk_size, disk_lock, disk_unlock, disk_reserved, disk_control,
    disk_sector, disk_traits, disk_shm_map, disk_shm_lock, disk_shm_barrier, disk_shm_unmap, NULL, NULL,
};

static inline int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
    struct disk_file *file = disk_file(f);
    (void)vfs;
    f->pMethods = NULL;
    bool ours = name && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
    if (!ours) return disk.real->xOpen(disk.real, name, f, flags, out_flags);         // temporary: forgotten at a cut anyway
    file->real = (sqlite3_file *)(file + 1);
    pthread_mutex_lock(&disk.mutex);
    file->record = record_open(name);
    pthread_mutex_unlock(&disk.mutex);
    int rc = disk.real->xOpen(disk.real, name, file->real, flags, out_flags);
    if (rc == SQLITE_OK) f->pMethods = &disk_methods;
    return rc;
}

// ---- what tests call

static inline void disk_install(uint64_t seed)
{
    disk.random = seed * 2654435761u + 88172645463325252ULL;
    if (disk.real) return;
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "test-disk";
    disk.vfs.szOsFile += (int)sizeof(struct disk_file);
    disk.vfs.xOpen = disk_open;
    disk.vfs.xDelete = disk_delete;
    if (sqlite3_vfs_register(&disk.vfs, 1) != SQLITE_OK) abort();
}

// Another life: nothing is open. Forgets all files, so that what stands in them counts as durable; no fault is set.
static inline void disk_begin(void)
{
    for (int i = 0; i < disk.record_count; i++) {
        struct disk_record *r = disk.records[i];
        record_forget_pending(r);
        free(r->pending);
        free(r->durable.bytes);
        free(r);
    }
    disk.record_count = 0;
    disk.operations = disk.syncs = disk.cut_at = disk.fail_at = 0;
    disk.off = disk.fail_on = disk.weaken = disk.lies = false;
    disk.fail_code = 0;
}

static inline void disk_cut(void)                          // now, between two operations
{
    pthread_mutex_lock(&disk.mutex);
    disk.off = true;
    pthread_mutex_unlock(&disk.mutex);
}

// The pending writes by sector, in the order they were made.
static inline struct disk_piece *record_sectors(const struct disk_record *r, int *count)
{
    int n = 0, cap = 64;
    struct disk_piece *out = disk_need(malloc((size_t)cap * sizeof *out));
    for (int i = 0; i < r->pending_count; i++) {
        struct disk_piece left = r->pending[i];
        do {
            size_t room = DISK_SECTOR_BYTES - left.at % DISK_SECTOR_BYTES, len = left.bytes && left.len > room ? room : left.len;
            if (n == cap) out = disk_need(realloc(out, (size_t)(cap *= 2) * sizeof *out));
            out[n++] = (struct disk_piece){ left.at, len, left.bytes };
            if (!left.bytes) break;
            left = (struct disk_piece){ left.at + len, left.len - len, left.bytes + len };
        } while (left.len > 0);
    }
    *count = n;
    return out;
}

// Four kinds of loss: everything unflushed, nothing, all after a moment, or any sectors in any order.
static inline void record_crash(const struct disk_record *r, struct disk_image *out)
{
    int count = 0;
    struct disk_piece *sectors = record_sectors(r, &count);
    uint64_t kind = disk_random() % 4, keep_of_16 = 1 + disk_random() % 15;
    bool rubbish = disk_random() & 1;
    image_resize(out, r->durable.len, false);
    if (r->durable.len) memcpy(out->bytes, r->durable.bytes, r->durable.len);
    if (kind == 2 && count > 0) count = (int)(disk_random() % (uint64_t)(count + 1));
    for (int i = count - 1; kind == 3 && i > 0; i--) {
        int other = (int)(disk_random() % (uint64_t)(i + 1));
        struct disk_piece piece = sectors[i];
        sectors[i] = sectors[other];
        sectors[other] = piece;
    }
    for (int i = 0; kind != 0 && i < count; i++) if (kind != 3 || disk_random() % 16 < keep_of_16) image_apply(out, &sectors[i], rubbish);
    free(sectors);
}

// Writes what the disk holds into each folder, under the files' own names. The files' old folder may be among them.
static inline void disk_crash(const char *const *folders, int folder_count)
{
    for (int i = 0; i < disk.record_count; i++) {
        struct disk_record *r = disk.records[i];
        struct disk_image image = { 0 };
        bool there = !r->deleted || (r->durable.len > 0 && (disk_random() & 1));
        if (there) record_crash(r, &image);
        for (int at = 0; at < folder_count; at++) {
            char path[1400];
            const char *name = strrchr(r->path, '/');
            snprintf(path, sizeof path, "%s%s", folders[at], name ? name : "/");
            unlink(path);
            if (there) image_write(&image, path);
            snprintf(path + strlen(path), 8, "-shm");      // it lives in memory: a machine that starts has none
            unlink(path);
        }
        free(image.bytes);
    }
}
