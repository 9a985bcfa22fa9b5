// main.c — frond-worker: maps its page, locks itself down, says READY, serves. Started by host/sandbox, never by people.
//
//   frond-worker HEAP_BYTES PARENT_PID      descriptor 3: the channel, 4: the page
//   frond-worker --probe NAME PARENT_PID    after the full lockdown tries one forbidden thing; still alive: exit 42
//   frond-worker --version
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/limits.h"
#include "ipc/call.h"
#include "ipc/frame.h"
#include "worker/lockdown.h"
#include "worker/serve.h"

#define PROBE_ALIVE 42
#define WORKER_NICE 10      // the host and the players' sockets come first

// ---- probes: each asks the kernel directly, so that no library can refuse in its place
static void probe_socket(void) { syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }
static void probe_open(void) { syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY, 0); }
static void probe_fork(void) { if (syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L) == 0) _exit(0); }
static void probe_ptrace(void) { syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL); }
static void probe_io_uring(void) { char params[120] = { 0 }; syscall(425 /* io_uring_setup */, 1, params); }
static void probe_kill(void) { syscall(SYS_kill, 1, 0); }
static void probe_mmap_exec(void) { syscall(SYS_mmap, NULL, 4096L, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L); }
static void probe_mprotect(void) { syscall(SYS_mprotect, (long)&probe_mprotect & -4096L, 4096L, PROT_READ | PROT_WRITE | PROT_EXEC); }
static void probe_nothing(void) { }
// What can still be asked inside: that memory ends where it should, and that the channel is the only descriptor.
static void probe_limits(void)
{
    char byte = 0;
    for (int fd = 0; fd < 64; fd++)
        if (fd != WORKER_CHANNEL_FD && (read(fd, &byte, 1) >= 0 || errno != EBADF)) _exit(EXIT_FAILURE);
    if (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED) _exit(EXIT_FAILURE);
    if (mmap(NULL, 4UL * WORKER_HEAP_BYTES_DEFAULT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) _exit(EXIT_FAILURE);
}
static void probe_execve(void)
{
    char *const none[] = { NULL };
    syscall(SYS_execve, "/proc/self/exe", none, none);
}
static const struct { const char *name; void (*run)(void); } probes[] = {
    { "socket", probe_socket }, { "open", probe_open }, { "fork", probe_fork }, { "execve", probe_execve }, { "ptrace", probe_ptrace },
    { "nothing", probe_nothing }, { "limits", probe_limits },
    { "io_uring", probe_io_uring }, { "kill", probe_kill }, { "mmap_exec", probe_mmap_exec }, { "mprotect", probe_mprotect },
};

static void send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;      // the host is gone; the next read says so too
        bytes += n;
        len -= (size_t)n;
    }
}

static void send_ready(enum frame_status status, const char *payload)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4096);
    frame_put(&out, &(struct frame){ .kind = FRAME_READY, .status = (uint8_t)status, .len = (uint32_t)strlen(payload), .payload = payload });
    if (!out.failed) send_all(WORKER_CHANNEL_FD, out.data, out.len);
}

static int refuse_to_run(const struct fr_err *err)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 2048);
    fr_buf_add(&text, "{\"code\":\"sandbox_unavailable\",\"detail\":");
    fr_buf_add_json_text(&text, err->text);
    fr_buf_add(&text, "}");
    send_ready(FRAME_RAISED, text.failed ? "{}" : text.data);
    return WORKER_EXIT_LOCKDOWN;
}

static int run_probe(const char *name, int parent)
{
    struct fr_err err;
    for (size_t i = 0; i < sizeof probes / sizeof *probes; i++) {
        if (strcmp(probes[i].name, name) != 0) continue;
        if (lockdown_enter(WORKER_CHANNEL_FD, WORKER_HEAP_BYTES_DEFAULT, parent, &err) != FR_OK) {
            send_all(WORKER_CHANNEL_FD, err.text, strlen(err.text));
            return WORKER_EXIT_LOCKDOWN;
        }
        probes[i].run();
        return PROBE_ALIVE;
    }
    return EXIT_FAILURE;
}

static struct worker_page *map_page(void)
{
    void *page = mmap(NULL, sizeof(struct worker_page), PROT_READ | PROT_WRITE, MAP_SHARED, WORKER_PAGE_FD, 0);
    close(WORKER_PAGE_FD);
    return page == MAP_FAILED ? NULL : page;
}

static int64_t number(const char *text, int64_t least, int64_t most)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    return errno || *end || end == text || n < least || n > most ? -1 : n;
}

static int usage(void)
{
    fputs("frond-worker runs plugins for frond; it is not started by hand\n", stderr);
    return 64;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return puts(ENGINE_ID) < 0;
    bool probing = argc == 4 && strcmp(argv[1], "--probe") == 0;
    if (argc != 3 && !probing) return usage();
    int64_t parent = number(argv[argc - 1], 1, INT32_MAX), heap = probing ? 0 : number(argv[1], 1024 * 1024, WORKER_HEAP_BYTES_MAX);
    if (parent < 0 || heap < 0) return usage();
    errno = 0;
    if (nice(WORKER_NICE) == -1 && errno) return WORKER_EXIT_LOCKDOWN;
    if (probing) return run_probe(argv[2], (int)parent);

    struct worker_page *page = map_page();
    struct fr_err err;
    if (!page) return WORKER_EXIT_LOCKDOWN;
    worker_prepare(page, heap);
    if (lockdown_enter(WORKER_CHANNEL_FD, heap, (int)parent, &err) != FR_OK) return refuse_to_run(&err);
    send_ready(FRAME_OK, "{\"engine\":\"" ENGINE_ID "\"}");
    return worker_serve(WORKER_CHANNEL_FD);
}
