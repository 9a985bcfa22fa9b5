// lockdown.c — what a loop of read, Lua and write needs; everything else is forbidden.
#include "worker/lockdown.h"
#include <sys/syscall.h>
#include "ipc/lockdown.h"

#define LOCKDOWN_SLACK_BYTES (32LL * 1024 * 1024)        // frames in and out, JSON on its way

static const struct lockdown_call calls[] = {
    { SYS_read, LOCKDOWN_ANY, 0 },
    { SYS_write, LOCKDOWN_ANY, 0 },
    { SYS_clock_gettime, LOCKDOWN_ANY, 0 },
    { SYS_setitimer, LOCKDOWN_ANY, 0 },
    { SYS_rt_sigreturn, LOCKDOWN_ANY, 0 },
    { SYS_rt_sigaction, LOCKDOWN_ANY, 0 },
    { SYS_brk, LOCKDOWN_ANY, 0 },
    { SYS_munmap, LOCKDOWN_ANY, 0 },
    { SYS_mremap, LOCKDOWN_ANY, 0 },
    { SYS_madvise, LOCKDOWN_ANY, 0 },
    { SYS_exit_group, LOCKDOWN_ANY, 0 },
    { SYS_mmap, LOCKDOWN_NO_EXEC, 0 },   // memory yes, code no; there is no mprotect to turn one into the other
};

enum fr_status lockdown_enter(int keep_fd, int64_t heap_bytes, int parent, struct fr_err *err)
{
    struct lockdown l = {
        .fd_first = keep_fd, .fd_last = keep_fd, .parent = parent, .offered_to_oom = true,
        .memory_bytes = heap_bytes + heap_bytes / 2 + LOCKDOWN_SLACK_BYTES,      // a half more: malloc has holes
        .calls = calls, .call_count = sizeof calls / sizeof *calls,
    };
    return lockdown_process(&l, err);
}
