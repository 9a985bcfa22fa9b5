// backup_file.c — files and folders of a backup: copied, hashed, flushed, removed.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/hex.h"
#include "console/backup_inside.h"

static enum fr_status io_fail(struct fr_err *err, const char *doing, const char *path)
{
    int why = errno;
    return FR_FAIL_CODE(err, FR_E_IO, why == ENOSPC || why == EDQUOT ? "disk_full" : "io", "cannot %s %.250s: %s", doing, path, strerror(why));
}

static enum fr_status write_all(int fd, const char *bytes, size_t len, const char *path, struct fr_err *err)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return io_fail(err, "write", path);
        bytes += n;
        len -= (size_t)n;
    }
    return FR_OK;
}

// Reads `from` to its end, hashes it, and writes it to `to` unless that is -1.
static enum fr_status pass(int from, const char *from_path, int to, const char *to_path, int64_t max, struct backup_file *ret, struct fr_err *err)
{
    struct fr_sha256 sum;
    uint8_t hash[SHA256_BYTES];
    char bytes[64 * 1024];
    int64_t total = 0;
    fr_sha256_init(&sum);
    for (;;) {
        ssize_t n = read(from, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return io_fail(err, "read", from_path);
        if (n == 0) break;
        total += n;
        if (max > 0 && total > max) return FR_FAIL_CODE(err, FR_E_LIMIT, "backup_file", "%.250s has over %lld bytes: it is none of a data folder's files", from_path, (long long)max);
        fr_sha256_add(&sum, bytes, (size_t)n);
        if (to >= 0) FR_TRY(write_all(to, bytes, (size_t)n, to_path, err));
    }
    fr_sha256_end(&sum, hash);
    fr_hex(hash, sizeof hash, ret->sha256);
    ret->bytes = total;
    return FR_OK;
}

static enum fr_status open_plain(const char *path, int *ret, struct fr_err *err)
{
    struct stat st;
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return io_fail(err, "read", path);
    if (fstat(fd, &st) != 0) return io_fail(err, "read", path);
    if (!S_ISREG(st.st_mode)) return FR_FAIL_CODE(err, FR_E_INVALID, "backup_file", "%.250s is not a plain file", path);
    *ret = fd;
    fd = -1;
    return FR_OK;
}

enum fr_status backup_hash_file(const char *path, struct backup_file *ret, struct fr_err *err)
{
    FR_AUTO_FD int fd = -1;
    FR_TRY(open_plain(path, &fd, err));
    return pass(fd, path, -1, NULL, 0, ret, err);
}

enum fr_status backup_copy_file(const char *from, const char *to, int64_t max, struct backup_file *ret, struct fr_err *err)
{
    FR_AUTO_FD int in = -1;
    FR_TRY(open_plain(from, &in, err));
    FR_AUTO_FD int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out < 0) return io_fail(err, "make", to);
    FR_TRY(pass(in, from, out, to, max, ret, err));
    return fsync(out) == 0 ? FR_OK : io_fail(err, "flush", to);
}

enum fr_status backup_write_file(const char *path, const char *bytes, size_t len, struct fr_err *err)
{
    FR_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return io_fail(err, "make", path);
    FR_TRY(write_all(fd, bytes, len, path, err));
    return fsync(fd) == 0 ? FR_OK : io_fail(err, "flush", path);
}

enum fr_status backup_sync_folder(const char *path, struct fr_err *err)
{
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) return io_fail(err, "flush the folder", path);
    return FR_OK;
}

enum fr_status backup_sync_above(const char *path, struct fr_err *err)
{
    char above[BACKUP_PATH_BYTES];
    snprintf(above, sizeof above, "%s", path);
    size_t len = strlen(above);
    while (len > 1 && above[len - 1] == '/') above[--len] = '\0';
    char *slash = strrchr(above, '/');
    if (!slash) return backup_sync_folder(".", err);
    slash[slash == above] = '\0';
    return backup_sync_folder(above, err);
}

bool backup_each_file(const char *folder, bool (*each)(void *arg, const char *name, bool plain), void *arg)
{
    DIR *dir = opendir(folder);
    bool all = dir != NULL;
    struct stat st;
    for (struct dirent *e; all && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        all = each(arg, e->d_name, fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode));
    }
    if (dir) closedir(dir);
    return all;
}

static bool remove_one(void *arg, const char *name, bool plain)
{
    char path[BACKUP_PATH_BYTES + 300];
    snprintf(path, sizeof path, "%s/%s", (const char *)arg, name);
    if (plain) unlink(path);
    return true;
}

void backup_remove(const char *path)
{
    backup_each_file(path, remove_one, (void *)path);
    rmdir(path);                                   // fails when somebody put more into it: then that stays
}
