// lock.c — the data folder: made when missing, held by one process at a time.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include "base/auto.h"
#include "store/internal.h"

#define LOCK_LEFT_OVER_MS 10000
#define LOCK_POLL_MS 20

static enum fr_status folder_make(const char *folder, struct fr_err *err)
{
    if (mkdir(folder, 0700) == 0) return FR_OK;
    if (errno == EEXIST) {
        struct stat st;
        if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode)) return FR_OK;
        return FR_FAIL(err, FR_E_IO, "%s is not a folder: name another data folder", folder);
    }
    if (errno == ENOENT)
        return FR_FAIL(err, FR_E_IO, "cannot make the data folder %s: the folder above it is missing", folder);
    return FR_FAIL(err, FR_E_IO, "cannot make the data folder %s: %s", folder, strerror(errno));
}

static long lock_holder(int fd)
{
    char text[32] = "";
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    return len > 0 ? strtol(text, NULL, 10) : 0;
}

static enum fr_status lock_held(const char *folder, int fd, struct fr_err *err)
{
    long pid = lock_holder(fd);
    if (pid > 0)
        return FR_FAIL_CODE(err, FR_E_BUSY, "data_locked", "process %ld is using the data folder %s: stop it or name another folder", pid, folder);
    return FR_FAIL_CODE(err, FR_E_BUSY, "data_locked", "another process is using the data folder %s: stop it or name another folder", folder);
}

// Kinds of file systems, by the numbers of statfs(2). Locks and memory that two machines believe they share, a database cannot survive.
const char *store_network_disk(long kind)
{
    static const struct { long kind; const char *name; } known[] = { { 0x6969, "NFS" }, { 0xff534d42, "CIFS" }, { 0xfe534d42, "SMB" }, { 0x517b, "SMB" },
                                                                       { 0x00c36400, "Ceph" }, { 0x5346414f, "AFS" }, { 0x73757245, "Coda" }, { 0x564c, "NCP" } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) if ((long)(unsigned)kind == known[i].kind) return known[i].name;
    return NULL;
}

static enum fr_status disk_check(int fd, const char *folder, struct fr_err *err)
{
    struct statfs fs;
    const char *name = fstatfs(fd, &fs) == 0 ? store_network_disk((long)fs.f_type) : NULL;
    return name ? FR_FAIL_CODE(err, FR_E_DENIED, "data_network", "the data folder %.200s lies on a network disk (%s), where a database does not survive: use a disk of this machine", folder, name) : FR_OK;
}

// Has whoever took the lock ended, or is it a body that waits for its parent?
static bool lock_is_left_over(int fd)
{
    char path[40], text[512] = "";
    long pid = lock_holder(fd);
    if (pid <= 0) return false;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FR_AUTO_FD int stat_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (stat_fd < 0) return errno == ENOENT;
    ssize_t len = read(stat_fd, text, sizeof text - 1);
    const char *state = len > 0 ? strrchr(text, ')') : NULL;
    return state && (strncmp(state, ") Z", 3) == 0 || strncmp(state, ") X", 3) == 0);
}

// A host that is killed between a worker's fork and its exec leaves a child that still has its descriptors, for as long as a busy machine
// takes to run it: a restart that follows at once waits for that.
static int lock_take(int fd)               // 0, or what errno says
{
    for (int ms = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; ms += LOCK_POLL_MS) {
        int why = errno;
        if (why != EWOULDBLOCK || ms >= LOCK_LEFT_OVER_MS || !lock_is_left_over(fd)) return why;
        struct timespec pause = { .tv_nsec = LOCK_POLL_MS * 1000000L };
        nanosleep(&pause, NULL);
    }
    return 0;
}

// Close-on-exec, because a worker that inherited the descriptor would keep the lock after we are gone.
enum fr_status lock_folder(const char *folder, bool make, int *ret, struct fr_err *err)
{
    if (make) FR_TRY(folder_make(folder, err));
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/lock", folder) >= sizeof path)
        return FR_FAIL(err, FR_E_INVALID, "the data folder's name is over %zu bytes long", sizeof path);
    FR_AUTO_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 && errno == ENOENT) return FR_FAIL(err, FR_E_IO, "the data folder %s does not exist", folder);
    if (fd < 0 && errno == EROFS) return FR_FAIL_CODE(err, FR_E_IO, "store_read_only", "the data folder %.200s lies on a read-only file system", folder);
    if (fd < 0 && errno == ENOSPC) return FR_FAIL_CODE(err, FR_E_IO, "disk_full", "cannot write in the data folder %.200s: the disk is full", folder);
    if (fd < 0) return FR_FAIL(err, FR_E_IO, "cannot write in the data folder %s: %s", folder, strerror(errno));
    FR_TRY(disk_check(fd, folder, err));
    int why = lock_take(fd);
    if (why == EWOULDBLOCK) return lock_held(folder, fd, err);
    if (why != 0) return FR_FAIL(err, FR_E_IO, "cannot lock the data folder %s: %s", folder, strerror(why));
    char pid[32];
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len) {
        // A full disk must not keep the operator's tools from reading: the lock itself holds, only its label is missing.
    }
    *ret = fd;
    fd = -1;
    return FR_OK;
}
