// serve.h — the worker after its lockdown: a blocking loop that reads frames, runs Lua, and writes answers.
//
// Answers are gathered and leave in one write when no more input is waiting, or a millisecond after the first of them.
// Returns only when the host closed the channel (exit code 0) or the bytes from it cannot be frames (1).
// main.c sends the READY frame before worker_serve. Ending from a signal handler: _exit with a code of enum worker_exit (ipc/call.h).
#pragma once
#include <stdint.h>
#include "ipc/call.h"

// Before the lockdown: makes what needs the system (allocator arena, signal handlers' memory), so that serving needs only
// read, write, brk, mmap, munmap, mremap, madvise, clock_gettime, setitimer, rt_sigaction, rt_sigreturn, exit_group.
void worker_prepare(struct worker_page *page, int64_t heap_bytes);
int worker_serve(int fd);
