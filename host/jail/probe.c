// probe.c — one thing each, tried from inside a jail by a program that stands for a helper which was taken over: for the tests of the lockdown.
// Each asks the kernel directly, so that no library can refuse in its place. "refused" is EPERM or EACCES (or ENOSYS of clone3); any other error would
// only mean that the attempt was a clumsy one.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include "jail/jail.h"

static long probe_pid(const char *text) { return strtol(text, NULL, 10); }
static struct sockaddr_un unix_address(const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
    return to;
}

// ---- files
static long probe_read(const char *path)
{
    char byte;
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);
    return fd < 0 ? fd : syscall(SYS_read, fd, &byte, 1L);
}
static long probe_list(const char *path)
{
    char names[512];
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    return fd < 0 ? fd : syscall(SYS_getdents64, fd, names, sizeof names);
}
static long probe_write(const char *path) { return syscall(SYS_openat, AT_FDCWD, path, O_WRONLY, 0); }
static long probe_create(const char *path) { return syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT, 0600); }
static long probe_truncate(const char *path) { return syscall(SYS_truncate, path, 0L); }
static long probe_unlink(const char *path) { return syscall(SYS_unlinkat, AT_FDCWD, path, 0); }
static long probe_mkdir(const char *path) { return syscall(SYS_mkdirat, AT_FDCWD, path, 0700); }
static long probe_mkfifo(const char *path) { return syscall(SYS_mknodat, AT_FDCWD, path, 0010600, 0); }
static long probe_symlink(const char *path) { return syscall(SYS_symlinkat, "/", AT_FDCWD, path); }
static long probe_rename(const char *path) { return syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, "elsewhere", 0); }
static long probe_chmod(const char *path) { return syscall(SYS_fchmodat, AT_FDCWD, path, 0777); }
static long probe_chdir(const char *path) { return syscall(SYS_chdir, path); }
static long probe_chroot(const char *path) { return syscall(SYS_chroot, path); }
static long probe_mount(const char *path) { return syscall(SYS_mount, "none", path, "tmpfs", 0L, NULL); }

// ---- sockets
static long probe_inet(const char *unused) { (void)unused; return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }
static long probe_inet6(const char *unused) { (void)unused; return syscall(SYS_socket, AF_INET6, SOCK_STREAM, 0); }
static long probe_netlink(const char *unused) { (void)unused; return syscall(SYS_socket, AF_NETLINK, SOCK_RAW, 0); }
static long probe_datagram(const char *unused) { (void)unused; return syscall(SYS_socket, AF_UNIX, SOCK_DGRAM, 0); }
static long probe_connect(const char *path)
{
    struct sockaddr_un to = unix_address(path);
    return syscall(SYS_connect, syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0), &to, sizeof to);
}
static long probe_send_to(const char *path)
{
    struct sockaddr_un to = unix_address(path);
    return syscall(SYS_sendto, syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0), "x", 1L, 0, &to, sizeof to);
}
static long probe_send_message(const char *unused)
{
    struct msghdr m = { 0 };
    (void)unused;
    return syscall(SYS_sendmsg, 1, &m, 0);       // descriptors travel that way
}
static long probe_listen(const char *path)
{
    struct sockaddr_un at = unix_address(path);
    long fd = syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0), r = syscall(SYS_bind, fd, &at, sizeof at);
    return r < 0 ? r : syscall(SYS_listen, fd, 1);
}

// ---- processes
static long probe_clone_flags(unsigned long flags)
{
    long pid = syscall(SYS_clone, flags, 0L, 0L, 0L, 0L);
    if (pid == 0) syscall(SYS_exit_group, 0);
    return pid;
}
static long probe_fork(const char *unused) { (void)unused; return probe_clone_flags(SIGCHLD); }
static long probe_new_user(const char *unused) { (void)unused; return probe_clone_flags(SIGCHLD | CLONE_NEWUSER); }
static long probe_clone3(const char *unused)
{
    uint64_t args[11] = { [4] = SIGCHLD };
    (void)unused;
    long pid = syscall(435, args, sizeof args);
    if (pid == 0) syscall(SYS_exit_group, 0);
    return pid;
}
#ifdef SYS_vfork
static long probe_vfork(const char *unused)
{
    (void)unused;
    pid_t pid = vfork();
    if (pid == 0) _exit(0);
    return pid;
}
#else
static long probe_vfork(const char *unused) { return probe_fork(unused); }
#endif
static long probe_exec(const char *path)
{
    char *const none[] = { (char *)path, NULL };
    return syscall(SYS_execve, path, none, none + 1);
}
static long probe_exec_at(const char *path)
{
    char *const none[] = { (char *)path, NULL };
    long fd = syscall(SYS_openat, AT_FDCWD, path, O_PATH, 0);
    return syscall(SYS_execveat, fd < 0 ? AT_FDCWD : fd, fd < 0 ? path : "", none, none + 1, fd < 0 ? 0 : AT_EMPTY_PATH);
}
static long probe_kill(const char *pid) { return syscall(SYS_kill, probe_pid(pid), SIGTERM); }
static long probe_thread_kill(const char *pid) { return syscall(SYS_tgkill, probe_pid(pid), probe_pid(pid), SIGTERM); }
static long probe_own_kill(const char *unused) { (void)unused; return syscall(SYS_tgkill, getpid(), gettid(), 0); }
static long probe_owner(const char *pid) { return syscall(SYS_fcntl, 0, F_SETOWN, probe_pid(pid)); }
static long probe_pidfd(const char *pid) { return syscall(SYS_pidfd_open, probe_pid(pid), 0); }
static long probe_ptrace(const char *pid) { return syscall(SYS_ptrace, PTRACE_ATTACH, probe_pid(pid), NULL, NULL); }
static long probe_vm_read(const char *pid)
{
    char byte;
    struct iovec here = { &byte, 1 }, there = { (void *)&probe_pid, 1 };
    return syscall(SYS_process_vm_readv, probe_pid(pid), &here, 1L, &there, 1L, 0L);
}
static long probe_vm_write(const char *pid)
{
    char byte = 0;
    struct iovec here = { &byte, 1 }, there = { &byte, 1 };
    return syscall(SYS_process_vm_writev, probe_pid(pid), &here, 1L, &there, 1L, 0L);
}
static long probe_limit_of(const char *pid)
{
    struct rlimit l = { 1, 1 };
    return syscall(SYS_prlimit64, probe_pid(pid), RLIMIT_NOFILE, &l, NULL);
}
static long probe_limit(const char *unused)
{
    struct rlimit l = { 1, 1 };
    (void)unused;
    return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &l, NULL);
}
static long probe_priority(const char *pid) { return syscall(SYS_setpriority, 0, probe_pid(pid), 19); }
static long probe_affinity(const char *pid)
{
    unsigned long one = 1;
    return syscall(SYS_sched_setaffinity, probe_pid(pid), sizeof one, &one);
}
static long probe_set_user(const char *unused) { (void)unused; return syscall(SYS_setresuid, 0, 0, 0); }
static long probe_outlive(const char *unused) { (void)unused; return syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, 0L, 0L, 0L, 0L); }
static long probe_dumpable(const char *unused) { (void)unused; return syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1L, 0L, 0L, 0L); }
static long probe_unshare(const char *unused) { (void)unused; return syscall(SYS_unshare, CLONE_NEWUSER); }

// ---- the kernel's larger doors
static long probe_io_uring(const char *unused) { char params[120] = { 0 }; (void)unused; return syscall(425, 1, params); }
static long probe_bpf(const char *unused) { char attr[120] = { 0 }; (void)unused; return syscall(SYS_bpf, 0, attr, sizeof attr); }
static long probe_keyctl(const char *unused) { (void)unused; return syscall(SYS_keyctl, 0, -3, 1); }
static long probe_perf(const char *unused) { char attr[120] = { 0 }; (void)unused; return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0L); }
static long probe_userfault(const char *unused) { (void)unused; return syscall(SYS_userfaultfd, 0); }
static long probe_memfd(const char *unused) { (void)unused; return syscall(SYS_memfd_create, "x", 0); }
static long probe_seccomp(const char *unused) { (void)unused; return syscall(SYS_seccomp, 0, 0, NULL); }

// ---- memory and threads
static long probe_mapped(size_t bytes, int prot) { return syscall(SYS_mmap, NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0L) == -1 ? -1 : 0; }
static long probe_memory(const char *bytes) { return probe_mapped((size_t)probe_pid(bytes), PROT_READ | PROT_WRITE); }
static long probe_code(const char *unused) { (void)unused; return probe_mapped(4096, PROT_READ | PROT_EXEC); }
static long probe_make_code(const char *unused)
{
    (void)unused;
    return syscall(SYS_mprotect, (long)&probe_make_code & -4096L, 4096L, PROT_READ | PROT_WRITE | PROT_EXEC);
}
static void *thread_run(void *arg) { return arg; }
static void *thread_stay(void *arg)
{
    while (true) syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){ 1, 0 }, NULL);
    return arg;
}
static long probe_thread(const char *unused)
{
    pthread_t t;
    void *got = NULL;
    (void)unused;
    errno = pthread_create(&t, NULL, thread_run, (void *)unused);
    if (errno) return -1;
    pthread_join(t, &got);
    return got == (void *)unused ? 0 : -1;
}
static long probe_threads(const char *count)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 64 * 1024);
    for (long i = 0; i < probe_pid(count); i++) {
        pthread_t t;
        errno = pthread_create(&t, &small, thread_stay, NULL);
        if (errno) return -1;
    }
    return 0;
}

// ---- what can be seen: printed, to be judged outside
static long probe_show(const char *unused)
{
    char folder[4096] = "";
    (void)unused;
    printf("user %u %u\n", (unsigned)geteuid(), (unsigned)getegid());
    if (syscall(SYS_getcwd, folder, sizeof folder) > 0) printf("folder %s\n", folder);
    for (char **at = environ; *at; at++) printf("env %s\n", *at);
    for (int fd = 0; fd < 1024; fd++) if (fcntl(fd, F_GETFD) >= 0) printf("fd %d\n", fd);
    for (int what = 0; what < RLIM_NLIMITS; what++) {
        struct rlimit l;
        if (getrlimit((__rlimit_resource_t)what, &l) == 0) printf("limit %d %lld\n", what, (long long)l.rlim_max);
    }
    return 0;
}
static _Noreturn long probe_stay(const char *unused)
{
    (void)unused;
    puts("here");
    fflush(stdout);
    while (true) syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &(struct timespec){ 1, 0 }, NULL);
}
static _Noreturn long probe_dump(const char *unused) { (void)unused; abort(); }

static const struct { const char *name; long (*run)(const char *argument); } probes[] = {
    { "read", probe_read }, { "list", probe_list }, { "write", probe_write }, { "create", probe_create }, { "truncate", probe_truncate }, { "unlink", probe_unlink }, { "mkdir", probe_mkdir },
    { "mkfifo", probe_mkfifo }, { "symlink", probe_symlink }, { "rename", probe_rename }, { "chmod", probe_chmod }, { "chdir", probe_chdir }, { "chroot", probe_chroot }, { "mount", probe_mount },
    { "inet", probe_inet }, { "inet6", probe_inet6 }, { "netlink", probe_netlink }, { "datagram", probe_datagram }, { "connect", probe_connect }, { "send_to", probe_send_to },
    { "send_message", probe_send_message }, { "listen", probe_listen },
    { "fork", probe_fork }, { "new_user", probe_new_user }, { "clone3", probe_clone3 }, { "vfork", probe_vfork }, { "exec", probe_exec }, { "exec_at", probe_exec_at },
    { "kill", probe_kill }, { "thread_kill", probe_thread_kill }, { "own_kill", probe_own_kill }, { "owner", probe_owner }, { "pidfd", probe_pidfd }, { "ptrace", probe_ptrace },
    { "vm_read", probe_vm_read }, { "vm_write", probe_vm_write }, { "limit_of", probe_limit_of }, { "limit", probe_limit }, { "priority", probe_priority }, { "affinity", probe_affinity },
    { "set_user", probe_set_user }, { "outlive", probe_outlive }, { "dumpable", probe_dumpable }, { "unshare", probe_unshare },
    { "io_uring", probe_io_uring }, { "bpf", probe_bpf }, { "keyctl", probe_keyctl }, { "perf", probe_perf }, { "userfault", probe_userfault }, { "memfd", probe_memfd }, { "seccomp", probe_seccomp },
    { "memory", probe_memory }, { "code", probe_code }, { "make_code", probe_make_code }, { "thread", probe_thread }, { "threads", probe_threads },
    { "show", probe_show }, { "stay", probe_stay }, { "dump", probe_dump },
};

int jail_probe(const char *name, const char *argument)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
        if (strcmp(probes[i].name, name) != 0) continue;
        errno = 0;
        long r = probes[i].run(argument);
        if (r >= 0) return puts("worked") < 0 ? JAIL_PROBE_UNKNOWN : (fflush(stdout), JAIL_PROBE_WORKED);
        printf("%s\n", strerrorname_np(errno));
        fflush(stdout);
        return JAIL_PROBE_REFUSED;
    }
    return JAIL_PROBE_UNKNOWN;
}
