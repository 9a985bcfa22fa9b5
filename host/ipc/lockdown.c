// lockdown.c — the steps in their order. Each asks the kernel for less than before, so none can be undone by what follows.
#include "ipc/lockdown.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCKDOWN_OWN_BYTES_UNKNOWN (64LL * 1024 * 1024)  // without /proc: more than the program ever maps
#define LOCKDOWN_STACK_BYTES (8LL * 1024 * 1024)
// Users nobody has: Debian hands out none between 60000 and 64999 by itself, and systemd's dynamic users begin at 61184.
#define LOCKDOWN_UID_FIRST 61000
#define LOCKDOWN_UIDS 184

#define STEP_FAIL(err, step, hint) FR_FAIL_CODE((err), FR_E_INTERNAL, "sandbox_unavailable", "%s: %s%s", (step), strerror(errno), (hint))

// Read before the descriptors go: RLIMIT_AS counts what is mapped already, our own program included.
static int64_t lockdown_mapped_bytes(void)
{
    char text[64] = { 0 };
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return LOCKDOWN_OWN_BYTES_UNKNOWN;
    return strtoll(text, NULL, 10) * sysconf(_SC_PAGESIZE);
}

// When the machine runs out of memory, the child goes before the host. Where /proc is missing or read-only nothing is lost.
static void lockdown_offer_to_oom(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t wrote = write(fd, "1000", 4);
    (void)wrote;
    close(fd);
}

static enum fr_status lockdown_close_fds(const struct lockdown *l, struct fr_err *err)
{
    if (l->fd_first > 0 && syscall(SYS_close_range, 0U, (unsigned)l->fd_first - 1, 0U) < 0)
        return STEP_FAIL(err, "close_range", " (Linux 5.9 or newer is needed)");
    if (syscall(SYS_close_range, (unsigned)l->fd_last + 1, UINT_MAX, 0U) < 0)
        return STEP_FAIL(err, "close_range", " (Linux 5.9 or newer is needed)");
    return FR_OK;
}

// A second fence only: containers and hardened kernels forbid it, and the system call filter below does not rest on it.
// True when a user namespace came with it.
static bool lockdown_unshare(void)
{
    int spaces = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS;
    return unshare(spaces) < 0 && geteuid() != 0 && unshare(CLONE_NEWUSER | spaces) == 0;
}

uid_t lockdown_user(void)
{
    return geteuid() == 0 ? LOCKDOWN_UID_FIRST + (uid_t)getpid() % LOCKDOWN_UIDS : geteuid();
}

static enum fr_status lockdown_drop_user(struct fr_err *err)
{
    if (geteuid() == 0) {
        uid_t id = lockdown_user();
        if (setgroups(0, NULL) < 0) return STEP_FAIL(err, "setgroups", "");
        if (setresgid(id, id, id) < 0) return STEP_FAIL(err, "setresgid", "");
        if (setresuid(id, id, id) < 0) return STEP_FAIL(err, "setresuid", "");
        if (setuid(0) == 0) return FR_FAIL_CODE(err, FR_E_INTERNAL, "sandbox_unavailable", "setresuid: root could be taken back");
    }
    // Also those that a user namespace has just given us.
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { { 0 } };
    if (syscall(SYS_capset, &head, none) < 0) return STEP_FAIL(err, "capset", "");
    return FR_OK;
}

// After setresuid, which clears PDEATHSIG without a word; and the parent may have died before it was set.
static enum fr_status lockdown_bind_to_parent(int parent, struct fr_err *err)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return STEP_FAIL(err, "prctl(PDEATHSIG)", "");
    if (getppid() != parent)
        return FR_FAIL_CODE(err, FR_E_INTERNAL, "sandbox_unavailable", "getppid: the host (%d) is gone, the parent is %d", parent, (int)getppid());
    return FR_OK;
}

static enum fr_status lockdown_seal_process(struct fr_err *err)
{
    if (prctl(PR_SET_DUMPABLE, 0) < 0) return STEP_FAIL(err, "prctl(DUMPABLE)", "");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return STEP_FAIL(err, "prctl(NO_NEW_PRIVS)", "");
    return FR_OK;
}

// ---- Landlock: every right the running kernel knows is handled, and none is granted but on the named files.
// Its own words, because the build machine's headers may be older than the kernel that runs.
struct landlock_rules { uint64_t fs, net, scoped; };
static const struct { int fs_bits, net_bits, scope_bits; size_t bytes; } landlock_abi[] = {
    [1] = { 13, 0, 0, 8 },    // Linux 5.13
    [2] = { 14, 0, 0, 8 },    // 5.19: moving and linking between folders
    [3] = { 15, 0, 0, 8 },    // 6.2: truncate (Debian 12's 6.1 has ABI 2)
    [4] = { 15, 2, 0, 16 },   // 6.7: TCP bind and connect
    [5] = { 16, 2, 0, 16 },   // 6.10: ioctl on devices
    [6] = { 16, 2, 2, 24 },   // 6.12: abstract unix sockets, signals
    [7] = { 16, 2, 2, 24 },   // 6.15: audit flags only
};
#define LANDLOCK_ABI_KNOWN ((int)(sizeof landlock_abi / sizeof *landlock_abi) - 1)
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
static const uint64_t landlock_right[] = { [LOCKDOWN_READ] = 1 << 2, [LOCKDOWN_RUN] = 1 << 0 | 1 << 2 /* the kernel reads it */, [LOCKDOWN_MAKE_SOCKET] = 1 << 9 };

static enum fr_status lockdown_landlock_allow(int rules_fd, const struct lockdown *l, struct fr_err *err)
{
    for (size_t i = 0; i < l->path_count; i++) {
        struct { uint64_t rights; int32_t fd; } __attribute__((packed)) beneath = { landlock_right[l->paths[i].right], l->paths[i].fd };
        if (syscall(SYS_landlock_add_rule, rules_fd, 1 /* what is beneath a path */, &beneath, 0U) < 0) return STEP_FAIL(err, "landlock_add_rule", "");
    }
    return FR_OK;
}

static enum fr_status lockdown_landlock(const struct lockdown *l, struct fr_err *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0UL, 1U /* what version? */);
    if (abi < 1) return STEP_FAIL(err, "Landlock", " (it must be built into the kernel and named in lsm=)");
    if (abi > LANDLOCK_ABI_KNOWN) abi = LANDLOCK_ABI_KNOWN;
    struct landlock_rules rules = {
        .fs = (1ULL << landlock_abi[abi].fs_bits) - 1,
        .net = (1ULL << landlock_abi[abi].net_bits) - 1,
        .scoped = (1ULL << landlock_abi[abi].scope_bits) - 1,
    };
    long fd = syscall(SYS_landlock_create_ruleset, &rules, landlock_abi[abi].bytes, 0U);
    if (fd < 0) return STEP_FAIL(err, "landlock_create_ruleset", "");
    if (lockdown_landlock_allow((int)fd, l, err) != FR_OK) {
        close((int)fd);
        return err->status;
    }
    long entered = syscall(SYS_landlock_restrict_self, (int)fd, 0U);
    int why = errno;
    close((int)fd);
    errno = why;
    return entered < 0 ? STEP_FAIL(err, "landlock_restrict_self", "") : FR_OK;
}

// After Landlock, whose rule set is a descriptor: with RLIMIT_NOFILE 0 it fails with EMFILE.
static enum fr_status lockdown_limits(const struct lockdown *l, int64_t memory_bytes, bool counted_alone, struct fr_err *err)
{
    const struct { const char *name; int what; rlim_t most; } limits[] = {
        { "RLIMIT_CORE", RLIMIT_CORE, 0 },
        { "RLIMIT_FSIZE", RLIMIT_FSIZE, (rlim_t)l->file_bytes },     // stdio is closed by now, or SIGXFSZ ignored: it may be a file
        { "RLIMIT_NOFILE", RLIMIT_NOFILE, (rlim_t)l->open_files },
        // Means nothing to uid 0, which we no longer are; counts all processes of a user who has others, so his own threads would be refused him.
        { "RLIMIT_NPROC", RLIMIT_NPROC, l->threads && !counted_alone ? RLIM_INFINITY : (rlim_t)l->threads },
        { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK, 0 },
        { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE, 0 },
        { "RLIMIT_STACK", RLIMIT_STACK, LOCKDOWN_STACK_BYTES },
        { "RLIMIT_DATA", RLIMIT_DATA, l->data_bytes ? (rlim_t)l->data_bytes : RLIM_INFINITY },
        { "RLIMIT_AS", RLIMIT_AS, (rlim_t)memory_bytes },
    };
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit now;
        if (getrlimit(limits[i].what, &now) < 0) return STEP_FAIL(err, limits[i].name, "");
        rlim_t most = now.rlim_max < limits[i].most ? now.rlim_max : limits[i].most;
        if (setrlimit(limits[i].what, &(struct rlimit){ most, most }) < 0) return STEP_FAIL(err, limits[i].name, "");
    }
    return FR_OK;
}

// glibc's first malloc asks getrandom, which the filter ends. The compiler removes a plain free(malloc(1)).
static void lockdown_touch_malloc(void)
{
    void *volatile p = malloc(1);
    free(p);
}

// ---- seccomp: what the child's loop needs; anything else ends the whole process.
#if defined(__x86_64__)
#define LOCKDOWN_ARCH AUDIT_ARCH_X86_64       // 32-bit calls carry another arch; x32 calls carry numbers that are not in the list
#elif defined(__aarch64__)
#define LOCKDOWN_ARCH AUDIT_ARCH_AARCH64
#else
#error "the system call filter knows x86_64 and aarch64"
#endif
#define DATA(field) ((unsigned)offsetof(struct seccomp_data, field))
#define ARG_LOW(n) (DATA(args) + 8u * (n))    // both machines are little-endian
#define ARG_HIGH(n) (ARG_LOW(n) + 4u)
#define LOCKDOWN_CLONE3 435
#define FILTER_MAX 1408                       // instructions; the kernel takes 4096
#define JUMP(test, k, yes, no) (struct sock_filter)BPF_JUMP(BPF_JMP | (test) | BPF_K, (unsigned)(k), (yes), (no))
#define RETURN(what) (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, (what))
#define LOAD(at) (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))

// Behind this the number stands in the accumulator again, because a call that does not match never loads anything else.
static void filter_allow(struct sock_fprog *f, const struct lockdown_call *c, uint32_t otherwise)
{
    struct sock_filter *at = f->filter + f->len;
    if (c->only == LOCKDOWN_ANY) {
        *at++ = JUMP(BPF_JEQ, c->number, 0, 1);
    } else {
        bool fd = c->only == LOCKDOWN_FD;
        *at++ = JUMP(BPF_JEQ, c->number, 0, 4);
        *at++ = LOAD(ARG_LOW(fd ? 0 : 2));
        *at++ = fd ? JUMP(BPF_JEQ, c->fd, 1, 0) : JUMP(BPF_JSET, PROT_EXEC, 0, 1);
        *at++ = RETURN(otherwise);
    }
    *at++ = RETURN(SECCOMP_RET_ALLOW);
    f->len = (unsigned short)(at - f->filter);
}

// Rules come last and load the number themselves: one whose tests do not hold is jumped over.
static void filter_allow_when(struct sock_fprog *f, const struct lockdown_rule *r)
{
    struct sock_filter *from = f->filter + f->len, *at = from;
    *at++ = LOAD(DATA(nr));
    *at++ = JUMP(BPF_JEQ, r->number, 0, 0);
    for (int i = 0; i < LOCKDOWN_TESTS_MAX && r->tests[i].mask; i++) {
        const struct lockdown_test *t = &r->tests[i];
        for (int half = 0; half < 2; half++) {
            uint32_t mask = (uint32_t)(t->mask >> 32 * half);
            if (mask == 0) continue;
            *at++ = LOAD(half ? ARG_HIGH((unsigned)t->arg) : ARG_LOW((unsigned)t->arg));
            *at++ = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask);
            *at++ = JUMP(BPF_JEQ, (uint32_t)(t->value >> 32 * half), 0, 0);
        }
    }
    *at++ = RETURN(SECCOMP_RET_ALLOW);
    for (struct sock_filter *jump = from; jump < at; jump++)
        if (jump->code == (BPF_JMP | BPF_JEQ | BPF_K)) jump->jf = (unsigned char)(at - jump - 1);
    f->len = (unsigned short)(at - f->filter);
}

static enum fr_status lockdown_seccomp(const struct lockdown *l, struct fr_err *err)
{
    struct sock_filter filter[FILTER_MAX] = {
        LOAD(DATA(arch)),
        JUMP(BPF_JEQ, LOCKDOWN_ARCH, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(DATA(nr)),
    };
    struct sock_fprog program = { .len = 4, .filter = filter };
    uint32_t action = SECCOMP_RET_KILL_PROCESS, otherwise = l->refuses ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_KILL_PROCESS;
    assert(l->call_count <= LOCKDOWN_CALLS_MAX && l->rule_count <= LOCKDOWN_RULES_MAX);
    for (size_t i = 0; i < l->call_count; i++) filter_allow(&program, &l->calls[i], otherwise);
    if (l->refuses) {                      // clone3 hides its flags in memory: told that there is none, the C library asks for clone
        filter[program.len++] = JUMP(BPF_JEQ, LOCKDOWN_CLONE3, 0, 1);
        filter[program.len++] = RETURN(SECCOMP_RET_ERRNO | ENOSYS);
    }
    for (size_t i = 0; i < l->rule_count; i++) filter_allow_when(&program, &l->rules[i]);
    filter[program.len++] = RETURN(otherwise);
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0U, &action) < 0) return STEP_FAIL(err, "seccomp KILL_PROCESS", " (CONFIG_SECCOMP_FILTER, Linux 4.14 or newer)");
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0U, &program) < 0) return STEP_FAIL(err, "seccomp", " (CONFIG_SECCOMP_FILTER is needed)");
    return FR_OK;
}
_Static_assert(4 + 5 * LOCKDOWN_CALLS_MAX + 2 + (3 + 6 * LOCKDOWN_TESTS_MAX) * LOCKDOWN_RULES_MAX + 1 <= FILTER_MAX, "the longest lists fit their filter");

enum fr_status lockdown_process(const struct lockdown *l, struct fr_err *err)
{
    int64_t memory_bytes = lockdown_mapped_bytes() + l->memory_bytes;
    if (l->offered_to_oom) lockdown_offer_to_oom();
    FR_TRY(lockdown_close_fds(l, err));
    bool counted_alone = geteuid() == 0;        // with a user nobody has
    if (lockdown_unshare()) counted_alone = true;
    FR_TRY(lockdown_drop_user(err));
    FR_TRY(lockdown_bind_to_parent(l->parent, err));
    FR_TRY(lockdown_seal_process(err));
    FR_TRY(lockdown_landlock(l, err));
    FR_TRY(lockdown_limits(l, memory_bytes, counted_alone, err));
    lockdown_touch_malloc();
    return lockdown_seccomp(l, err);
}
