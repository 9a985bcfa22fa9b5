// open.c — what the helper is given: read from the arguments, opened while we still may.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "base/hash.h"
#include "ipc/lockdown.h"
#include "jail/jail.h"

static enum fr_status take_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *ret, struct fr_err *err)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || *end || end == text || n < least || n > most) return FR_FAIL(err, FR_E_INVALID, "%s is a number from %lld to %lld", name, (long long)least, (long long)most);
    *ret = n;
    return FR_OK;
}

static enum fr_status take_option(struct jail *j, const char *name, const char *value, struct fr_err *err)
{
    int64_t n = 0;
    if (strcmp(name, "--parent") == 0) {
        FR_TRY(take_number(name, value, 1, INT_MAX, &n, err));
        j->parent = (int)n;
    } else if (strcmp(name, "--memory") == 0) {
        FR_TRY(take_number(name, value, 1 << 20, INT64_MAX / 2, &j->memory_bytes, err));
    } else if (strcmp(name, "--threads") == 0) {
        FR_TRY(take_number(name, value, 1, JAIL_THREADS_MAX, &n, err));
        j->threads = (int)n;
    } else if (strcmp(name, "--folder") == 0) {
        j->folder = value;
    } else if (strcmp(name, "--read") == 0 && j->read_count < JAIL_READS_MAX) {
        j->reads[j->read_count++] = value;
    } else if (strcmp(name, "--env") == 0 && j->name_count < JAIL_ENV_MAX) {
        j->names[j->name_count++] = value;
    } else {
        return FR_FAIL(err, FR_E_INVALID, "%.40s: unknown, or too often", name);
    }
    return FR_OK;
}

enum fr_status jail_read_args(int argc, char **argv, struct jail *ret, struct fr_err *err)
{
    struct jail j = { .folder_fd = -1, .program_fd = -1 };
    int at = 1;
    for (; at < argc && strcmp(argv[at], "--") != 0; at += 2) {
        if (at + 1 >= argc) return FR_FAIL(err, FR_E_INVALID, "%.40s: its value is missing", argv[at]);
        FR_TRY(take_option(&j, argv[at], argv[at + 1], err));
    }
    if (at + 1 >= argc || !j.parent || !j.memory_bytes || !j.threads || !j.folder)
        return FR_FAIL(err, FR_E_INVALID, "locks a helper of frond in; it is not started by hand (host/ipc/jail.h)");
    j.args = argv + at + 1;
    j.arg_count = argc - at - 1;
    j.program = j.args[0];
    if (j.arg_count > JAIL_ARGS_MAX) return FR_FAIL(err, FR_E_INVALID, "over %d arguments for the helper", JAIL_ARGS_MAX);
    *ret = j;
    return FR_OK;
}

static enum fr_status open_one(const char *path, int flags, int *ret, struct fr_err *err)
{
    int fd = open(path, flags);
    if (fd < 0) return FR_FAIL(err, FR_E_IO, "%.300s: %s", path, strerror(errno));
    *ret = fd;
    return FR_OK;
}

// 0 to 2 are something, so that nothing else becomes standard output; the rest is closed, so that what we open has the numbers that were promised.
static enum fr_status stdio_only(struct fr_err *err)
{
    int fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd < JAIL_READ_FD) fd = open("/dev/null", O_RDWR);
    if (fd < 0) return FR_FAIL(err, FR_E_IO, "/dev/null: %s", strerror(errno));
    if (syscall(SYS_close_range, (unsigned)JAIL_READ_FD, UINT_MAX, 0U) < 0) return FR_FAIL(err, FR_E_IO, "close_range: %s (Linux 5.9 or newer is needed)", strerror(errno));
    return FR_OK;
}

static enum fr_status open_reads(struct jail *j, struct fr_err *err)
{
    for (int i = 0; i < j->read_count; i++) {
        struct stat st;
        int fd;
        FR_TRY(open_one(j->reads[i], O_RDONLY | O_NONBLOCK, &fd, err));
        if (fd != JAIL_READ_FD + i || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return FR_FAIL(err, FR_E_IO, "%.300s: this is no file", j->reads[i]);
        j->mapped_bytes += st.st_size;
    }
    return FR_OK;
}

// The folder becomes the helper's own where we are root: nobody else but root gets in, and no folder above it needs to be open to him.
static enum fr_status open_folder(struct jail *j, struct fr_err *err)
{
    uid_t user = lockdown_user();
    FR_TRY(open_one(j->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, &j->folder_fd, err));
    if (geteuid() == 0 && fchown(j->folder_fd, user, user) < 0) return FR_FAIL(err, FR_E_IO, "%.300s: cannot be given to user %u: %s", j->folder, (unsigned)user, strerror(errno));
    if (fchmod(j->folder_fd, 0700) < 0) return FR_FAIL(err, FR_E_IO, "%.300s: %s", j->folder, strerror(errno));
    if (fchdir(j->folder_fd) < 0) return FR_FAIL(err, FR_E_IO, "%.300s: %s", j->folder, strerror(errno));
    return FR_OK;
}

// A page at a place of 47 bits, of which 35 are random: more than the kernel's own choice varies.
static void *page_somewhere(void)
{
    uint64_t at;
    fr_random_bytes(&at, sizeof at);
    return mmap((void *)(uintptr_t)(at & 0x3ffffffff000), 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
_Static_assert((JAIL_ARGS_MAX + 1) * sizeof(char *) <= 4096, "the arguments fit their page");

enum fr_status jail_open(struct jail *j, struct fr_err *err)
{
    signal(SIGXFSZ, SIG_IGN);              // stdio may be a file, and none may grow
    umask(077);
    FR_TRY(stdio_only(err));
    FR_TRY(open_reads(j, err));
    FR_TRY(open_one(j->program, O_PATH | O_CLOEXEC, &j->program_fd, err));
    FR_TRY(open_folder(j, err));
    j->empty_name = page_somewhere();
    j->start_args = page_somewhere();
    if (j->empty_name == MAP_FAILED || j->start_args == MAP_FAILED) return FR_FAIL(err, FR_E_NOMEM, "no memory");
    memcpy(j->start_args, j->args, (size_t)j->arg_count * sizeof *j->args);
    return FR_OK;
}

enum fr_status jail_look(const struct jail *j, struct fr_err *err)
{
    for (int i = 0; i < j->read_count; i++) {
        char path[40];
        snprintf(path, sizeof path, JAIL_READ_PATH, JAIL_READ_FD + i);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return FR_FAIL(err, FR_E_DENIED, "%.250s: user %u, as whom the helper runs, may not read it (%s)", j->reads[i], (unsigned)getuid(), strerror(errno));
        close(fd);
    }
    return FR_OK;
}
