// files.c — whole files, and where the program lies.
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/auto.h"
#include "cli/internal.h"

enum fr_status file_read_all(const char *path, size_t max, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0) return FR_FAIL_CODE(err, errno == ENOENT ? FR_E_NOT_FOUND : FR_E_IO, "file", "cannot read %.300s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) return FR_FAIL_CODE(err, FR_E_INVALID, "file", "%.300s is not a file", path);
    if (st.st_size > (off_t)max) return FR_FAIL_CODE(err, FR_E_LIMIT, "file", "%.300s has over %zu bytes", path, max);
    for (;;) {
        char *room = fr_buf_reserve(out, 65536);
        if (!room) return fr_buf_check(out, path, err);
        ssize_t n = read(fd, room, 65536);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot read %.300s: %s", path, strerror(errno));
        if (n == 0) return FR_OK;
        fr_buf_commit(out, (size_t)n);
    }
}

enum fr_status file_write_new(const char *path, const char *bytes, size_t len, struct fr_err *err)
{
    FR_AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 && errno == EEXIST) return FR_FAIL_CODE(err, FR_E_CONFLICT, "exists", "%.300s is there already", path);
    if (fd < 0) return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot write %.300s: %s", path, strerror(errno));
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int why = errno;
            unlink(path);
            return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot write %.300s: %s", path, strerror(why));
        }
        bytes += n;
        len -= (size_t)n;
    }
    return FR_OK;
}

enum fr_status folder_temporary(char out[CLI_PATH_BYTES], struct fr_err *err)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(out, CLI_PATH_BYTES, "%.900s/frond-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    if (mkdtemp(out)) return FR_OK;
    out[0] = '\0';
    return FR_FAIL_CODE(err, FR_E_IO, "file", "cannot make a folder in %.300s: %s", tmp && tmp[0] ? tmp : "/tmp", strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st; (void)kind; (void)ftw;
    return remove(path);
}

void folder_remove(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);       // a link is removed, not followed
}

bool path_program_folder(char out[CLI_PATH_BYTES])
{
    ssize_t len = readlink("/proc/self/exe", out, CLI_PATH_BYTES - 1);
    if (len <= 0 || len == CLI_PATH_BYTES - 1) return false;
    out[len] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash) return false;
    *slash = '\0';
    return true;
}

const char *cli_program_folder(char *out, size_t cap)
{
    char folder[CLI_PATH_BYTES];
    if (!path_program_folder(folder) || (size_t)snprintf(out, cap, "%s", folder) >= cap) snprintf(out, cap, ".");
    return out;
}

const char *cli_worker_path(char *out, size_t cap)
{
    char folder[CLI_PATH_BYTES];
    if (!path_program_folder(folder) || (size_t)snprintf(out, cap, "%s/frond-worker", folder) >= cap) snprintf(out, cap, "frond-worker");
    return out;
}
