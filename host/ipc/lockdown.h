// lockdown.h — the steps that turn a fresh child into a locked one, in the only order that works; each fails closed. One for every child:
// what a child may still do is its list of system calls, and of the files what is named.
//
// Order: close_range, unshare where allowed, setgroups/setresgid/setresuid (only as root), PDEATHSIG and getppid check,
// DUMPABLE 0, NO_NEW_PRIVS, Landlock with no rights but the named ones, rlimits, one malloc, seccomp allow-list.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/err.h"

#define LOCKDOWN_CALLS_MAX 96
enum lockdown_only { LOCKDOWN_ANY, LOCKDOWN_FD, LOCKDOWN_NO_EXEC };      // whatever the arguments; with this descriptor first; without PROT_EXEC (mmap)
struct lockdown_call { long number; enum lockdown_only only; int fd; };

// Allowed when all its tests hold: argument `arg`, as far as `mask` goes, is `value`. A mask of 0 ends the list. A call may stand here several times.
#define LOCKDOWN_RULES_MAX 32
#define LOCKDOWN_TESTS_MAX 4
struct lockdown_test { int arg; uint64_t mask, value; };
struct lockdown_rule { long number; struct lockdown_test tests[LOCKDOWN_TESTS_MAX]; };

// What Landlock leaves of a file or folder that stands open (O_PATH will do). Nothing beneath a folder but what is said.
enum lockdown_right { LOCKDOWN_READ, LOCKDOWN_RUN, LOCKDOWN_MAKE_SOCKET };
struct lockdown_path { int fd; enum lockdown_right right; };

struct lockdown {
    int fd_first, fd_last;               // these stay open; everything else is closed
    int parent;                          // pid of the host, checked after PDEATHSIG
    int64_t memory_bytes;                // RLIMIT_AS, beside what is mapped already
    int64_t data_bytes;                  // RLIMIT_DATA: memory it may write to; 0: as much as there are addresses
    int64_t file_bytes;                  // RLIMIT_FSIZE; 0: no file is written
    bool offered_to_oom;                 // when memory runs out on this machine, it goes first
    const struct lockdown_call *calls; size_t call_count;
    const struct lockdown_rule *rules; size_t rule_count;
    const struct lockdown_path *paths; size_t path_count;
    int open_files;                      // RLIMIT_NOFILE; what is open already stays
    int threads;                         // RLIMIT_NPROC, where the child has a user or a user namespace of its own; 0: it starts none
    bool refuses;                        // what is not in the lists is answered EPERM. Else it ends the process, which is for programs of our own
};
// As whom the child will run: a user nobody has when this is root, else whoever this is. Files it is to read or folders it is to write must be his.
uid_t lockdown_user(void);
// FR_E_INTERNAL "sandbox_unavailable" names the step and the kernel feature that is missing.
FR_MUST_USE enum fr_status lockdown_process(const struct lockdown *l, struct fr_err *err);
