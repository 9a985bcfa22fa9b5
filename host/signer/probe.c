#include "signer/probe.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "base/limits.h"
#include "chain/keystore.h"
#include "ipc/sign.h"

static char byte;
static void probe_socket(void) { syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }
static void probe_open(void) { syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0); }
static void probe_fork(void) { if (syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L) == 0) _exit(0); }
static void probe_ptrace(void) { syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL); }
static void probe_io_uring(void) { char params[120] = { 0 }; syscall(425 /* io_uring_setup */, 1, params); }
static void probe_kill(void) { syscall(SYS_kill, 1, 0); }
static void probe_mmap_exec(void) { syscall(SYS_mmap, NULL, 4096L, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L); }
static void probe_mprotect(void) { syscall(SYS_mprotect, (long)&probe_mprotect & -4096L, 4096L, PROT_READ | PROT_WRITE | PROT_EXEC); }
static void probe_execve(void)
{
    char *const none[] = { NULL };
    syscall(SYS_execve, "/proc/self/exe", none, none);
}
static void probe_read_tally(void) { syscall(SYS_read, SIGNER_TALLY_FD, &byte, 1L); }                    // reading is for the channel,
static void probe_write_tally(void) { syscall(SYS_write, SIGNER_TALLY_FD, &byte, 1L); }                  // writing at the end too;
static void probe_pwrite_channel(void) { syscall(SYS_pwrite64, SIGNER_CHANNEL_FD, &byte, 1L, 0L); }      // writing at a place is for the tally
static void probe_pread(void) { syscall(SYS_pread64, SIGNER_TALLY_FD, &byte, 1L, 0L); }
static void probe_ftruncate(void) { syscall(SYS_ftruncate, SIGNER_TALLY_FD, 0L); }
static void probe_sendmsg(void) { struct msghdr m = { 0 }; syscall(SYS_sendmsg, SIGNER_CHANNEL_FD, &m, 0); }    // descriptors travel that way
static void probe_dup(void) { syscall(SYS_dup, SIGNER_CHANNEL_FD); }
static void probe_prctl(void) { syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1L, 0L, 0L, 0L); }
static void probe_rlimit(void) { syscall(SYS_prlimit64, 0, 4 /* RLIMIT_CORE */, NULL, NULL); }
static void probe_vm_read(void) { struct iovec v = { &byte, 1 }; syscall(SYS_process_vm_readv, getpid(), &v, 1L, &v, 1L, 0L); }
static void probe_memfd(void) { syscall(SYS_memfd_create, "x", 0); }
static void probe_nothing(void) { }
static void probe_limits(void)
{
    if (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) _exit(EXIT_FAILURE);
    if (mmap(NULL, 2UL * 128 * KEYSTORE_BLOCKS_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) _exit(EXIT_FAILURE);
}

static const struct { const char *name; void (*run)(void); } probes[] = {
    { "socket", probe_socket }, { "open", probe_open }, { "fork", probe_fork }, { "execve", probe_execve }, { "ptrace", probe_ptrace },
    { "io_uring", probe_io_uring }, { "kill", probe_kill }, { "mmap_exec", probe_mmap_exec }, { "mprotect", probe_mprotect },
    { "read_tally", probe_read_tally }, { "write_tally", probe_write_tally }, { "pwrite_channel", probe_pwrite_channel }, { "pread", probe_pread },
    { "ftruncate", probe_ftruncate }, { "sendmsg", probe_sendmsg }, { "dup", probe_dup }, { "prctl", probe_prctl }, { "rlimit", probe_rlimit },
    { "vm_read", probe_vm_read }, { "memfd", probe_memfd }, { "nothing", probe_nothing }, { "limits", probe_limits },
};

static int probe_find(const char *name)
{
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) if (strcmp(probes[i].name, name) == 0) return (int)i;
    return -1;
}

bool probe_known(const char *name)
{
    return probe_find(name) >= 0;
}

int probe_run(const char *name)
{
    probes[probe_find(name)].run();
    return PROBE_ALIVE;
}
