// jail.h — what the files of frond-jail share. In the order they are used: what was asked for, the files of it, the lockdown, the start.
#pragma once
#include <stdint.h>
#include "base/err.h"
#include "ipc/jail.h"

struct jail {
    int parent, threads;
    int64_t memory_bytes, mapped_bytes;    // mapped: of its files, which it may map
    const char *folder, *program, *reads[JAIL_READS_MAX], *names[JAIL_ENV_MAX];
    int read_count, name_count, arg_count;
    char **args;                           // of the program, its own name first
    int folder_fd, program_fd;             // JAIL_READ_FD and so on are the reads'
    // The one start that the filter lets through is known by these two addresses, which nobody can guess and the start itself unmaps.
    char *empty_name, **start_args;
};
// FR_E_INVALID: a sentence for whoever typed it.
FR_MUST_USE enum fr_status jail_read_args(int argc, char **argv, struct jail *ret, struct fr_err *err);
// Opens everything while we may, and goes into the folder. FR_E_IO names what cannot be opened.
FR_MUST_USE enum fr_status jail_open(struct jail *j, struct fr_err *err);
// After it only the helper's calls work, and jail_start.
FR_MUST_USE enum fr_status jail_lock(const struct jail *j, struct fr_err *err);
// Behind the lockdown: are the files there for the helper's user too? FR_E_DENIED
FR_MUST_USE enum fr_status jail_look(const struct jail *j, struct fr_err *err);
FR_MUST_USE enum fr_status jail_start(const struct jail *j, struct fr_err *err);      // returns only when it failed
// Tries one thing, as a helper would. argument: a path, a pid, as the probe needs it.
int jail_probe(const char *name, const char *argument);
