// lockdown.h — a worker's lockdown: the steps of ipc/lockdown.h with the system calls that running Lua needs.
// Linked into frond-worker, which runs it right after it has mapped its page; the host proves it with sandbox_check.
#pragma once
#include <stdint.h>
#include "base/err.h"
// keep_fd stays open; everything else is closed. heap_bytes bounds RLIMIT_AS together with what the program itself maps.
// parent: pid of the host, checked after PDEATHSIG. FR_E_INTERNAL names the step and the kernel feature that is missing.
FR_MUST_USE enum fr_status lockdown_enter(int keep_fd, int64_t heap_bytes, int parent, struct fr_err *err);
