// check.c — the proof before serving: one child per forbidden thing, each under the full lockdown, all at once.
// seccomp ends a process at its first forbidden call, so one child can prove one thing only.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/clock.h"
#include "sandbox/internal.h"

#define CHECK_MS 5000            // for all probes together; they take about 10 ms
#define PROBE_ALIVE 42           // see worker/main.c
static const char *const check_names[] = { "socket", "open", "fork", "execve", "ptrace" };
#define CHECKS ((int)(sizeof check_names / sizeof *check_names))

struct probe { const char *name; pid_t pid; int said_fd, status; };

static enum fr_status probe_start(struct probe *p, const char *worker_path, struct fr_err *err)
{
    int said[2];
    char parent[24];
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    char *args[] = { "frond-worker", "--probe", (char *)p->name, parent, NULL }, *no_environment[] = { NULL };
    if (pipe2(said, O_CLOEXEC | O_NONBLOCK) < 0) return FR_FAIL(err, FR_E_IO, "pipe: %s", strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int fd = 0; fd < WORKER_CHANNEL_FD; fd++) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, said[1], WORKER_CHANNEL_FD);
    int r = posix_spawn(&p->pid, worker_path, &actions, NULL, args, no_environment);
    posix_spawn_file_actions_destroy(&actions);
    close(said[1]);
    p->said_fd = said[0];
    if (r == 0) return FR_OK;
    p->pid = 0;
    return FR_FAIL_CODE(err, FR_E_INTERNAL, "sandbox_unavailable", "%s cannot be started: %s", worker_path, strerror(r));
}

static bool probe_wait(struct probe *p, int64_t until_ms)
{
    while (waitpid(p->pid, &p->status, WNOHANG) == 0) {
        if (fr_mono_ms() > until_ms) return false;
        nanosleep(&(struct timespec){ .tv_nsec = 300000 }, NULL);
    }
    p->pid = 0;
    return true;
}

static enum fr_status probe_judge(struct probe *p, int64_t until_ms, struct fr_err *err)
{
    char said[200] = { 0 };
    if (!probe_wait(p, until_ms))
        return FR_FAIL_CODE(err, FR_E_INTERNAL, "sandbox_unavailable", "the probe for %s did not end", p->name);
    if (WIFSIGNALED(p->status) && WTERMSIG(p->status) == SIGSYS) return FR_OK;
    if (WIFEXITED(p->status) && WEXITSTATUS(p->status) == WORKER_EXIT_LOCKDOWN) {
        ssize_t n = read(p->said_fd, said, sizeof said - 1);
        return FR_FAIL_CODE(err, FR_E_INTERNAL, "sandbox_unavailable", "this kernel cannot run strangers' code safely: %s", n > 0 ? said : "no reason given");
    }
    if (WIFEXITED(p->status) && WEXITSTATUS(p->status) == PROBE_ALIVE)
        return FR_FAIL_CODE(err, FR_E_INTERNAL, "sandbox_unavailable", "%s works inside the sandbox: seccomp does not hold on this kernel", p->name);
    return FR_FAIL_CODE(err, FR_E_INTERNAL, "sandbox_unavailable", "the probe for %s ended with wait status 0x%x, not SIGSYS", p->name, p->status);
}

static void probe_end(struct probe *p)
{
    if (p->said_fd >= 0) close(p->said_fd);
    if (p->pid <= 0) return;
    kill(p->pid, SIGKILL);
    while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR) continue;
}

enum fr_status sandbox_check(const char *worker_path, struct fr_buf *report, struct fr_err *err)
{
    struct probe probes[CHECKS];
    enum fr_status status = FR_OK;
    for (int i = 0; i < CHECKS; i++) probes[i] = (struct probe){ .name = check_names[i], .said_fd = -1 };
    for (int i = 0; i < CHECKS && status == FR_OK; i++) status = probe_start(&probes[i], worker_path, err);
    int64_t until_ms = fr_mono_ms() + CHECK_MS;
    for (int i = 0; i < CHECKS && status == FR_OK; i++) {
        status = probe_judge(&probes[i], until_ms, err);
        if (report) fr_buf_addf(report, "%s: %s\n", probes[i].name, status == FR_OK ? "ended by the kernel" : "FAILED");
    }
    for (int i = 0; i < CHECKS; i++) probe_end(&probes[i]);
    return status;
}
