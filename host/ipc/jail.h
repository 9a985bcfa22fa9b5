// jail.h — how the host starts a helper (llama-server) inside frond-jail, and what its end means. Data only.
//
//   frond-jail --parent PID --memory BYTES --threads N --folder FOLDER [--read FILE].. [--env NAME].. -- PROGRAM [ARG]..
//
//   --parent    the host, with which the helper dies
//   --memory    what it may have to write to, stacks included (RLIMIT_DATA). Addresses (RLIMIT_AS) are these, its files' and JAIL_ADDRESS_BYTES
//   --threads   at most so many (of the user nobody has, or of the user namespace; where there is neither, nothing counts them)
//   --folder    becomes the working folder, where the helper may create unix sockets and nothing else: name the socket without a folder. As root it is given
//               to the helper's user
//   --read      a file the helper may read: it finds the first as JAIL_READ_PATH with 3, the next with 4, ..: no folder above them needs to be open to it
//   --env       a variable that is passed on, if it is set; there are no others
//   PROGRAM     static: it may be run, and nothing else. From then on no program is started and no code loaded
#pragma once
#define JAIL_READ_PATH "/proc/self/fd/%d"
#define JAIL_READ_FD 3
#define JAIL_READS_MAX 8
#define JAIL_ENV_MAX 16
#define JAIL_ARGS_MAX 64
#define JAIL_OPEN_FILES 256                // of the helper: its connections
#define JAIL_THREADS_MAX 4096
#define JAIL_ADDRESS_BYTES (4LL * 1024 * 1024 * 1024)      // glibc sets 64 MiB of addresses aside for each thread's arena, and uses few of them

// How the jail ends when the helper was not started; a helper's own exit codes are others. One sentence is on stderr.
enum jail_exit {
    JAIL_EXIT_USAGE = 120,
    JAIL_EXIT_FILES,                       // a file or folder cannot be opened, or not by the helper's user
    JAIL_EXIT_LOCKDOWN,                    // a step of the lockdown failed: what the kernel lacks is named
    JAIL_EXIT_START,                       // the program cannot be started
};
// What a probe (`frond-jail --probe`, played by the helper in tests) ends with.
enum jail_probe { JAIL_PROBE_WORKED = 130, JAIL_PROBE_REFUSED, JAIL_PROBE_UNKNOWN };
