#include "chain/signer_files.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHERS_READ 0077                 // no right at all for group and others
#define OTHERS_WRITE 0022

static enum fr_status open_one(const char *path, int flags, mode_t forbidden, int *ret, struct fr_err *err)
{
    struct stat st;
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0) return FR_FAIL_CODE(err, errno == ENOENT ? FR_E_NOT_FOUND : FR_E_IO, "signer_file", "open %.300s: %s", path, strerror(errno));
    *ret = fd;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return FR_FAIL_CODE(err, FR_E_IO, "signer_file", "%.300s is not a file", path);
    if (st.st_mode & forbidden)
        return FR_FAIL_CODE(err, FR_E_DENIED, "file_open_to_others", "%.300s may be %s by others: chmod %s", path, forbidden == OTHERS_READ ? "read" : "written", forbidden == OTHERS_READ ? "600" : "go-w");
    return FR_OK;
}

static enum fr_status pipe_of(const void *typed, size_t len, int *ret, struct fr_err *err)
{
    int pair[2];
    assert(len <= 4096);                 // PIPE_BUF: one write, whole, without a reader
    if (pipe2(pair, O_CLOEXEC) < 0) return FR_FAIL_CODE(err, FR_E_IO, "signer_file", "pipe: %s", strerror(errno));
    *ret = pair[0];
    bool written = write(pair[1], typed, len) == (ssize_t)len;
    close(pair[1]);
    return written ? FR_OK : FR_FAIL_CODE(err, FR_E_IO, "signer_file", "pipe: %s", strerror(errno));
}

static enum fr_status open_all(const struct signer_paths *p, const void *typed, size_t len, struct signer_local_options *o, struct fr_err *err)
{
    FR_TRY(open_one(p->policy, O_RDONLY, OTHERS_WRITE, &o->policy_fd, err));
    FR_TRY(open_one(p->tally, O_RDWR | O_CREAT, OTHERS_WRITE, &o->tally_fd, err));
    for (o->key_count = 0; o->key_count < p->key_count; o->key_count++) FR_TRY(open_one(p->keystores[o->key_count], O_RDONLY, OTHERS_READ, &o->keystore_fds[o->key_count], err));
    return p->passphrase ? open_one(p->passphrase, O_RDONLY, OTHERS_READ, &o->passphrase_fd, err) : pipe_of(typed, len, &o->passphrase_fd, err);
}

static void close_one(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

void signer_files_close(struct signer_local_options *o)
{
    close_one(&o->policy_fd);
    close_one(&o->tally_fd);
    close_one(&o->passphrase_fd);
    for (int i = 0; i < SIGNER_KEYS_MAX; i++) close_one(&o->keystore_fds[i]);
}

enum fr_status signer_files_open(const struct signer_paths *paths, const void *typed, size_t typed_len, struct signer_local_options *o, struct fr_err *err)
{
    assert(paths->key_count >= 1 && paths->key_count <= SIGNER_KEYS_MAX);
    o->policy_fd = o->tally_fd = o->passphrase_fd = -1;
    for (int i = 0; i < SIGNER_KEYS_MAX; i++) o->keystore_fds[i] = -1;
    enum fr_status status = open_all(paths, typed, typed_len, o, err);
    if (status != FR_OK) signer_files_close(o);
    return status;
}
