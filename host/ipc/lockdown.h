// lockdown.h — the steps that turn a fresh child into a locked one, in the only order that works; each fails closed. One for every child:
// what a child may still do is its list of system calls.
//
// Order: close_range, unshare where allowed, setgroups/setresgid/setresuid (only as root), PDEATHSIG and getppid check,
// DUMPABLE 0, NO_NEW_PRIVS, Landlock with no rights, rlimits, one malloc, seccomp KILL_PROCESS allow-list.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define LOCKDOWN_CALLS_MAX 24
enum lockdown_only { LOCKDOWN_ANY, LOCKDOWN_FD, LOCKDOWN_NO_EXEC };      // whatever the arguments; with this descriptor first; without PROT_EXEC (mmap)
struct lockdown_call { long number; enum lockdown_only only; int fd; };
struct lockdown {
    int fd_first, fd_last;               // these stay open; everything else is closed
    int parent;                          // pid of the host, checked after PDEATHSIG
    int64_t memory_bytes;                // RLIMIT_AS, beside what is mapped already
    int64_t file_bytes;                  // RLIMIT_FSIZE; 0: no file is written
    bool offered_to_oom;                 // when memory runs out on this machine, it goes first
    const struct lockdown_call *calls; size_t call_count;
};
// FR_E_INTERNAL "sandbox_unavailable" names the step and the kernel feature that is missing.
FR_MUST_USE enum fr_status lockdown_process(const struct lockdown *l, struct fr_err *err);
