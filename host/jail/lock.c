// lock.c — what is left to a helper that listens on one unix socket, reads its files and thinks with threads. Everything else is answered EPERM.
//
// An allow-list, seen from llama-server's own calls and cousins without consequence. Where a call does more than that with other arguments, they are looked
// at: a signal, owner or limit may only be one's own, a socket only a unix stream, a thread no process, memory no code.
#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "ipc/lockdown.h"
#include "jail/jail.h"

#define JAIL_NICE 10                       // as the workers: the host and the players' sockets come first
#define ALL (~0ULL)
#define INT 0xffffffffULL                  // the kernel looks at no more of an int
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define CLONE_A_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define CLONE_NEW_SPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define CLONE_NEVER (CLONE_NEW_SPACES | CLONE_VFORK | CLONE_PTRACE | CLONE_UNTRACED | CLONE_PIDFD | CLONE_IO)

static const struct lockdown_call calls[] = {
    { SYS_futex, LOCKDOWN_ANY, 0 }, { SYS_read, LOCKDOWN_ANY, 0 }, { SYS_write, LOCKDOWN_ANY, 0 }, { SYS_readv, LOCKDOWN_ANY, 0 }, { SYS_writev, LOCKDOWN_ANY, 0 },
    { SYS_recvfrom, LOCKDOWN_ANY, 0 }, { SYS_ppoll, LOCKDOWN_ANY, 0 }, { SYS_pselect6, LOCKDOWN_ANY, 0 }, { SYS_clock_gettime, LOCKDOWN_ANY, 0 },
    { SYS_clock_getres, LOCKDOWN_ANY, 0 }, { SYS_clock_nanosleep, LOCKDOWN_ANY, 0 }, { SYS_nanosleep, LOCKDOWN_ANY, 0 }, { SYS_gettimeofday, LOCKDOWN_ANY, 0 },
    { SYS_sched_yield, LOCKDOWN_ANY, 0 }, { SYS_sched_getaffinity, LOCKDOWN_ANY, 0 }, { SYS_getcpu, LOCKDOWN_ANY, 0 },
    // memory
    { SYS_brk, LOCKDOWN_ANY, 0 }, { SYS_mmap, LOCKDOWN_NO_EXEC, 0 }, { SYS_mprotect, LOCKDOWN_NO_EXEC, 0 }, { SYS_munmap, LOCKDOWN_ANY, 0 }, { SYS_mremap, LOCKDOWN_ANY, 0 }, { SYS_madvise, LOCKDOWN_ANY, 0 },
    // files: which, is Landlock's
    { SYS_openat, LOCKDOWN_ANY, 0 }, { SYS_close, LOCKDOWN_ANY, 0 }, { SYS_lseek, LOCKDOWN_ANY, 0 }, { SYS_pread64, LOCKDOWN_ANY, 0 }, { SYS_fstat, LOCKDOWN_ANY, 0 }, { SYS_newfstatat, LOCKDOWN_ANY, 0 },
    { SYS_statx, LOCKDOWN_ANY, 0 }, { SYS_faccessat, LOCKDOWN_ANY, 0 }, { SYS_readlinkat, LOCKDOWN_ANY, 0 }, { SYS_fadvise64, LOCKDOWN_ANY, 0 }, { SYS_getcwd, LOCKDOWN_ANY, 0 },
    // its socket
    { SYS_bind, LOCKDOWN_ANY, 0 }, { SYS_listen, LOCKDOWN_ANY, 0 }, { SYS_accept, LOCKDOWN_ANY, 0 }, { SYS_accept4, LOCKDOWN_ANY, 0 }, { SYS_shutdown, LOCKDOWN_ANY, 0 },
    { SYS_getsockname, LOCKDOWN_ANY, 0 }, { SYS_getpeername, LOCKDOWN_ANY, 0 }, { SYS_getsockopt, LOCKDOWN_ANY, 0 },
    // itself
    { SYS_rt_sigaction, LOCKDOWN_ANY, 0 }, { SYS_rt_sigprocmask, LOCKDOWN_ANY, 0 }, { SYS_rt_sigreturn, LOCKDOWN_ANY, 0 }, { SYS_sigaltstack, LOCKDOWN_ANY, 0 }, { SYS_restart_syscall, LOCKDOWN_ANY, 0 },
    { SYS_set_robust_list, LOCKDOWN_ANY, 0 }, { 334 /* rseq */, LOCKDOWN_ANY, 0 }, { SYS_set_tid_address, LOCKDOWN_ANY, 0 }, { SYS_getpid, LOCKDOWN_ANY, 0 }, { SYS_gettid, LOCKDOWN_ANY, 0 }, { SYS_getppid, LOCKDOWN_ANY, 0 },
    { SYS_getuid, LOCKDOWN_ANY, 0 }, { SYS_geteuid, LOCKDOWN_ANY, 0 }, { SYS_getgid, LOCKDOWN_ANY, 0 }, { SYS_getegid, LOCKDOWN_ANY, 0 }, { SYS_uname, LOCKDOWN_ANY, 0 }, { SYS_sysinfo, LOCKDOWN_ANY, 0 },
    { SYS_getrandom, LOCKDOWN_ANY, 0 }, { SYS_exit, LOCKDOWN_ANY, 0 }, { SYS_exit_group, LOCKDOWN_ANY, 0 },
#if defined(__x86_64__)
    { SYS_arch_prctl, LOCKDOWN_ANY, 0 }, { SYS_poll, LOCKDOWN_ANY, 0 }, { SYS_select, LOCKDOWN_ANY, 0 }, { SYS_readlink, LOCKDOWN_ANY, 0 }, { SYS_access, LOCKDOWN_ANY, 0 }, { SYS_time, LOCKDOWN_ANY, 0 },
#endif
};

static enum fr_status lock_with(const struct jail *j, const struct lockdown_path *paths, size_t path_count, struct fr_err *err)
{
    const struct lockdown_rule rules[] = {
        { SYS_clone, { { 0, CLONE_A_THREAD | CLONE_NEVER, CLONE_A_THREAD } } },
        { SYS_socket, { { 0, INT, AF_UNIX }, { 1, 0xf, SOCK_STREAM } } },
        { SYS_sendto, { { 4, ALL, 0 } } },                       // to whom it is connected, never to an address
        { SYS_setsockopt, { { 1, INT, SOL_SOCKET }, { 2, INT, SO_REUSEADDR } } },
        { SYS_setsockopt, { { 1, INT, SOL_SOCKET }, { 2, INT, SO_REUSEPORT } } },
        { SYS_setsockopt, { { 1, INT, SOL_SOCKET }, { 2, INT, SO_RCVTIMEO } } },
        { SYS_setsockopt, { { 1, INT, SOL_SOCKET }, { 2, INT, SO_SNDTIMEO } } },
        { SYS_ioctl, { { 1, INT, TCGETS } } },                   // is this a terminal?
        { SYS_ioctl, { { 1, INT, FIONREAD } } },
        { SYS_ioctl, { { 1, INT, FIONBIO } } },
        { SYS_fcntl, { { 1, INT, F_GETFD } } },                  // F_SETOWN and F_SETSIG would send signals
        { SYS_fcntl, { { 1, INT, F_SETFD } } },
        { SYS_fcntl, { { 1, INT, F_GETFL } } },
        { SYS_fcntl, { { 1, INT, F_SETFL } } },
        { SYS_fcntl, { { 1, INT, F_DUPFD_CLOEXEC } } },
        { SYS_prctl, { { 0, INT, PR_SET_NAME } } },              // of its threads
        { SYS_prctl, { { 0, INT, PR_SET_VMA } } },
        { SYS_prlimit64, { { 0, INT, 0 }, { 2, ALL, 0 } } },     // to know one's own limits
        { SYS_tgkill, { { 0, INT, (uint64_t)getpid() } } },      // abort()
        { SYS_execveat, { { 0, INT, (uint64_t)j->program_fd }, { 1, ALL, (uintptr_t)j->empty_name }, { 2, ALL, (uintptr_t)j->start_args }, { 4, INT, AT_EMPTY_PATH } } },
    };
    struct lockdown l = {
        .fd_first = 0, .fd_last = j->folder_fd > j->program_fd ? j->folder_fd : j->program_fd, .parent = j->parent, .offered_to_oom = true,
        .memory_bytes = j->memory_bytes + j->mapped_bytes + JAIL_ADDRESS_BYTES, .data_bytes = j->memory_bytes, .open_files = JAIL_OPEN_FILES, .threads = j->threads, .refuses = true,
        .calls = calls, .call_count = sizeof calls / sizeof *calls, .rules = rules, .rule_count = sizeof rules / sizeof *rules,
        .paths = paths, .path_count = path_count,
    };
    return lockdown_process(&l, err);
}

enum fr_status jail_lock(const struct jail *j, struct fr_err *err)
{
    struct lockdown_path paths[2 + JAIL_READS_MAX] = { { j->program_fd, LOCKDOWN_RUN }, { j->folder_fd, LOCKDOWN_MAKE_SOCKET } };
    for (int i = 0; i < j->read_count; i++) paths[2 + i] = (struct lockdown_path){ JAIL_READ_FD + i, LOCKDOWN_READ };
    errno = 0;
    if (nice(JAIL_NICE) == -1 && errno) return FR_FAIL(err, FR_E_INTERNAL, "nice: %s", strerror(errno));
    setsid();                              // no terminal of ours; ^C is for the host. A process that leads its group already is no worse off
    return lock_with(j, paths, 2 + (size_t)j->read_count, err);
}

enum fr_status jail_start(const struct jail *j, struct fr_err *err)
{
    char *env[JAIL_ENV_MAX + 1] = { NULL };
    int count = 0;
    for (int i = 0; i < j->name_count; i++) {
        size_t len = strlen(j->names[i]);
        for (char **at = environ; *at; at++)
            if (strncmp(*at, j->names[i], len) == 0 && (*at)[len] == '=') {
                env[count++] = *at;
                break;
            }
    }
    syscall(SYS_execveat, j->program_fd, j->empty_name, j->start_args, env, AT_EMPTY_PATH);
    return FR_FAIL(err, FR_E_IO, "%.250s cannot be started: %s%s", j->program, strerror(errno), errno == EACCES ? " (it has to be static, and anybody's to run)" : "");
}
