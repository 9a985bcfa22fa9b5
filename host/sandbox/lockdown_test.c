// lockdown_test.c — the real worker under its real lockdown: each forbidden thing must end it, by the kernel's hand.
// The release worker is named by FROND_WORKER, or stands beside this program's folder.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "ipc/call.h"
#include "sandbox/sandbox.h"

static char worker_path[4096];

// How `frond-worker --probe NAME` ended: the signal, or minus the exit code.
static int probe(const char *name, const char *parent)
{
    char own[24];
    snprintf(own, sizeof own, "%d", (int)getpid());
    char *args[] = { "frond-worker", "--probe", (char *)name, (char *)(parent ? parent : own), NULL }, *none[] = { NULL };
    pid_t pid;
    int status;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, WORKER_CHANNEL_FD, "/dev/null", O_WRONLY, 0);
    int r = posix_spawn(&pid, worker_path, &actions, NULL, args, none);
    posix_spawn_file_actions_destroy(&actions);
    if (r != 0) return 1000;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void test_each_forbidden_thing_ends_the_worker(void)
{
    static const char *const names[] = { "socket", "open", "fork", "execve", "ptrace", "io_uring", "kill", "mmap_exec", "mprotect" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int ended = probe(names[i], NULL);
        if (ended != SIGSYS) printf("  probe %s: %d\n", names[i], ended);
        CHECK_INT(ended, SIGSYS);
    }
    CHECK_INT(probe("nonsense", NULL), -EXIT_FAILURE);       // a probe that is none must not look like a success
}

static void test_what_is_allowed_works(void)
{
    CHECK_INT(probe("nothing", NULL), -42);                  // the lockdown itself ends nobody
    CHECK_INT(probe("limits", NULL), -42);                   // no descriptor but the channel, and memory ends where it should
}

static void test_a_worker_whose_host_is_gone_does_not_start(void)
{
    CHECK_INT(probe("nothing", "1"), -WORKER_EXIT_LOCKDOWN);
}

// A host for the length of a READY: starts a worker on the given channel, says its pid, and waits to be killed.
static _Noreturn void host_for_a_moment(int channel_fd, int say_fd)
{
    char own[24], header[FRAME_HEADER_BYTES];
    snprintf(own, sizeof own, "%d", (int)getpid());
    char *args[] = { "frond-worker", "33554432", own, NULL }, *none[] = { NULL };
    pid_t pid = 0;
    int page_fd = memfd_create("page", 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, page_fd, WORKER_PAGE_FD);
    posix_spawn_file_actions_adddup2(&actions, channel_fd, WORKER_CHANNEL_FD);
    if (ftruncate(page_fd, 4096) < 0 || posix_spawn(&pid, worker_path, &actions, NULL, args, none) != 0) _exit(1);
    if (recv(channel_fd + 1, header, sizeof header, MSG_PEEK | MSG_WAITALL) != sizeof header || header[4] != FRAME_READY || header[5] != FRAME_OK) _exit(2);
    if (write(say_fd, &pid, sizeof pid) < 0) _exit(3);
    for (;;) pause();
}

// The channel stays open here, so it is not the closed channel that ends the worker.
static void test_a_worker_dies_with_its_host(void)
{
    int channel[2], fds[2], said[2], status = 0;
    pid_t worker = 0;
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, channel) == 0 && pipe(said) == 0);
    fds[0] = fcntl(channel[0], F_DUPFD, 20);                 // side by side, out of the way of 3 and 4
    fds[1] = fcntl(channel[1], F_DUPFD, 20);
    CHECK(fds[1] == fds[0] + 1);
    pid_t host = fork();
    if (host == 0) host_for_a_moment(fds[0], said[1]);
    close(said[1]);
    CHECK(read(said[0], &worker, sizeof worker) == sizeof worker && worker > 0);
    kill(host, SIGKILL);
    CHECK(waitpid(host, &status, 0) == host && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(worker <= 0 || (waitpid(worker, &status, 0) == worker && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        close(channel[i]);
    }
    close(said[0]);
}

static void test_the_self_check(void)
{
    FR_AUTO_BUF(report);
    struct fr_err err;
    fr_buf_init(&report, 4096);
    CHECK(sandbox_check(worker_path, &report, &err) == FR_OK);
    CHECK_TEXT(report.data, "socket: ended by the kernel\nopen: ended by the kernel\nfork: ended by the kernel\nexecve: ended by the kernel\nptrace: ended by the kernel\n");
    int64_t from_us = fr_mono_us();
    CHECK(sandbox_check(worker_path, NULL, &err) == FR_OK);
    printf("self-check: %.1f ms\n", (double)(fr_mono_us() - from_us) / 1000);
}

// A program that is no worker, or one whose sandbox does not hold, must not pass.
static void test_the_self_check_can_fail(void)
{
    struct fr_err err;
    CHECK(sandbox_check("/nonexistent/frond-worker", NULL, &err) == FR_E_INTERNAL);
    CHECK_TEXT(err.code, "sandbox_unavailable");
    CHECK(sandbox_check("/bin/true", NULL, &err) == FR_E_INTERNAL);
    CHECK_TEXT(err.code, "sandbox_unavailable");
    CHECK(strstr(err.text, "socket") != NULL);
    CHECK(sandbox_check("/proc/self/exe", NULL, &err) == FR_E_INTERNAL);      // us, playing a worker whose calls all work
    CHECK(strstr(err.text, "socket works inside the sandbox") != NULL);
}

static void find_worker(const char *self)
{
    const char *named = getenv("FROND_WORKER"), *slash = strrchr(self, '/');
    if (named) snprintf(worker_path, sizeof worker_path, "%s", named);
    else snprintf(worker_path, sizeof worker_path, "%.*s/../../frond-worker", slash ? (int)(slash - self) : 1, slash ? self : ".");
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--probe") == 0) return 42;
    find_worker(argv[0]);
    TEST(test_each_forbidden_thing_ends_the_worker);
    TEST(test_what_is_allowed_works);
    TEST(test_a_worker_whose_host_is_gone_does_not_start);
    TEST(test_a_worker_dies_with_its_host);
    TEST(test_the_self_check);
    TEST(test_the_self_check_can_fail);
    return TEST_END();
}
