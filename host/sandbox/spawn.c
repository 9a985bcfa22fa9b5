// spawn.c — one process with its channel and its page. Made by child_new, ended by child_condemn, freed after its last close callback.
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/log.h"
#include "base/mem.h"
#include "sandbox/internal.h"

#define PAGE_BYTES 4096          // of the shared page; what the worker maps fits in
#define CHILD_LAST_READS 64      // more than a socket buffer holds

void sandbox_handle_closed(struct sandbox *sb)
{
    assert(sb->open_handles > 0);
    if (--sb->open_handles > 0) return;
    assert(sb->stopping && !sb->children && !sb->workers);
    void (*done)(void *) = sb->stop_done;
    void *arg = sb->stop_arg;
    fr_free(sb->worker_path);
    fr_free(sb);
    if (done) done(arg);
}

static void child_free(struct child *c)
{
    if (c->fd >= 0) close(c->fd);
    if (c->page) munmap((void *)c->page, PAGE_BYTES);
    fr_buf_free(&c->in);
    fr_buf_free(&c->out);
    fr_free(c);
}

static void child_on_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;
    struct sandbox *sb = c->sb;
    if (--c->open_handles > 0) return;
    if (c->dirty) {
        struct child **at = &sb->dirty;
        while (*at != c) at = &(*at)->next_dirty;
        *at = c->next_dirty;
    }
    child_free(c);
    sandbox_handle_closed(sb);
}

static void child_close(struct child *c)
{
    struct child **at = &c->sb->children;
    while (*at != c) at = &(*at)->next;
    *at = c->next;
    uv_close((uv_handle_t *)&c->process, child_on_closed);
    uv_close((uv_handle_t *)&c->poll, child_on_closed);
}

static const char *signal_name(int sig)
{
    const char *name = sigabbrev_np(sig);
    return name ? name : "?";
}

// What the exit status tells, unless we killed it: then we know why.
static void child_autopsy(const struct child *c, int64_t exit_status, int sig, struct sandbox_death *ret)
{
    const char *code = "crashed";
    if (c->verdict) {
        code = c->verdict;
        snprintf(ret->text, sizeof ret->text, "%s", c->verdict_text);
    } else if (sig == SIGSYS) {
        code = "forbidden_call";
        snprintf(ret->text, sizeof ret->text, "made a system call that the sandbox forbids");
    } else if (sig == SIGXCPU || (sig == 0 && exit_status == WORKER_EXIT_CPU)) {
        code = "cpu_limit";
        snprintf(ret->text, sizeof ret->text, "a turn used %d ms of CPU and could not be interrupted", TURN_HARD_MS);
    } else if (sig == 0 && exit_status == WORKER_EXIT_MEMORY) {
        code = "memory_limit";
        snprintf(ret->text, sizeof ret->text, "memory ran out");
    } else if (sig == SIGKILL) {
        code = "killed";
        snprintf(ret->text, sizeof ret->text, "killed from outside");
    } else if (sig != 0) {
        snprintf(ret->text, sizeof ret->text, "died of signal SIG%s", signal_name(sig));
    } else {
        snprintf(ret->text, sizeof ret->text, "ended itself with exit code %d", (int)exit_status);
    }
    ret->code = code;
}

static void child_on_exit(uv_process_t *process, int64_t exit_status, int sig)
{
    struct child *c = process->data;
    struct sandbox *sb = c->sb;
    struct sandbox_death death = { 0 };
    c->exited = true;
    for (int i = 0; i < CHILD_LAST_READS && c->state != CHILD_DYING; i++) child_on_poll(&c->poll, 0, UV_READABLE);   // what it finished before it died counts
    child_autopsy(c, exit_status, sig, &death);
    bool was_spare = !c->owner && c->state != CHILD_DYING, failed = c->state == CHILD_BOOTING;
    c->state = CHILD_DYING;
    uv_poll_stop(&c->poll);
    if (c->owner) worker_on_child_gone(c->owner, c, &death);
    else if (strcmp(death.code, "killed") != 0) fr_log(LOG_WARN, "worker.spare_died", "code", death.code, "detail", death.text, NULL);   // nobody owns it who could be told
    child_close(c);
    if (was_spare) spares_changed(sb, failed);
}

void child_condemn(struct child *c, const char *verdict, const char *fmt, ...)
{
    if (c->state == CHILD_DYING) return;
    bool spare = !c->owner, failed = c->state == CHILD_BOOTING;
    c->state = CHILD_DYING;
    c->verdict = verdict;
    va_list args;
    va_start(args, fmt);
    vsnprintf(c->verdict_text, sizeof c->verdict_text, fmt, args);
    va_end(args);
    uv_poll_stop(&c->poll);
    if (!c->exited) uv_process_kill(&c->process, SIGKILL);       // its number may belong to somebody else by then
    if (spare) spares_changed(c->sb, failed);
}

// Most likely it is dying, and its exit status will say of what: it gets the time to do so.
void child_on_eof(struct child *c)
{
    if (c->state == CHILD_DYING) return;
    bool spare = !c->owner, failed = c->state == CHILD_BOOTING;
    c->state = CHILD_DYING;
    c->closed_ms = (int64_t)uv_now(c->sb->loop);
    uv_poll_stop(&c->poll);
    watch_wake(c->sb);
    if (spare) spares_changed(c->sb, failed);
}

void child_end_lingering(struct child *c, int64_t now_ms)
{
    if (!c->closed_ms || c->exited || c->verdict || now_ms - c->closed_ms < CHILD_LINGER_MS) return;
    c->verdict = "protocol";
    snprintf(c->verdict_text, sizeof c->verdict_text, "closed its channel and lived on");
    uv_process_kill(&c->process, SIGKILL);
}

void child_drop(struct child *c)
{
    if (c->owner) c->owner->child = NULL;
    c->owner = NULL;
    if (c->state == CHILD_DYING && !c->closed_ms) return;
    c->state = CHILD_DYING;
    c->verdict = "killed";
    uv_poll_stop(&c->poll);
    if (!c->exited) uv_process_kill(&c->process, SIGKILL);
}

int64_t child_cpu_us(const struct child *c)
{
    struct timespec t;
    if (clock_gettime(c->cpu_clock, &t) < 0) return c->progress_cpu_us;      // it has just ended
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// The page is sealed: a worker that shrank it would turn our next look at it into SIGBUS.
static enum fr_status page_new(int *ret_fd, volatile struct worker_page **ret, struct fr_err *err)
{
    FR_AUTO_FD int fd = memfd_create("frond-worker-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return FR_FAIL(err, FR_E_IO, "memfd_create: %s", strerror(errno));
    if (ftruncate(fd, PAGE_BYTES) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return FR_FAIL(err, FR_E_IO, "the worker's page: %s", strerror(errno));
    void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) return FR_FAIL(err, FR_E_NOMEM, "the worker's page: %s", strerror(errno));
    *ret = page;
    *ret_fd = fd;
    fd = -1;
    return FR_OK;
}

static int child_exec(struct child *c, int channel_fd, int page_fd)
{
    char heap[24], parent[24];
    snprintf(heap, sizeof heap, "%lld", (long long)c->heap_bytes);
    snprintf(parent, sizeof parent, "%d", (int)getpid());
    char *args[] = { "frond-worker", heap, parent, NULL }, *no_environment[] = { NULL };
    uv_stdio_container_t stdio[WORKER_PAGE_FD + 1] = { 0 };       // 0 to 2: /dev/null
    stdio[WORKER_CHANNEL_FD] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = channel_fd };
    stdio[WORKER_PAGE_FD] = (uv_stdio_container_t){ .flags = UV_INHERIT_FD, .data.fd = page_fd };
    uv_process_options_t options = {
        .exit_cb = child_on_exit, .file = c->sb->worker_path, .args = args, .env = no_environment,
        .cwd = "/", .stdio_count = WORKER_PAGE_FD + 1, .stdio = stdio,
    };
    return uv_spawn(c->sb->loop, &c->process, &options);
}

// Page, channel and the poll on our end of it. What was made before a failure is the caller's to free.
static enum fr_status child_open(struct child *c, int *channel_fd, int *page_fd, struct fr_err *err)
{
    int pair[2];
    FR_TRY(page_new(page_fd, &c->page, err));
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return FR_FAIL(err, FR_E_IO, "socketpair: %s", strerror(errno));
    c->fd = pair[0];
    *channel_fd = pair[1];
    int r = uv_poll_init(c->sb->loop, &c->poll, c->fd);      // makes our end non-blocking; the worker's end blocks
    return r < 0 ? FR_FAIL(err, FR_E_IO, "watch a worker's channel: %s", uv_strerror(r)) : FR_OK;
}

enum fr_status child_new(struct sandbox *sb, int64_t heap_bytes, struct child **ret, struct fr_err *err)
{
    FR_AUTO_FD int channel_fd = -1;
    FR_AUTO_FD int page_fd = -1;
    struct child *c = fr_alloc(sizeof *c);
    if (!c) return FR_FAIL(err, FR_E_NOMEM, "no memory for a worker");
    *c = (struct child){ .sb = sb, .fd = -1, .heap_bytes = heap_bytes, .born_ms = (int64_t)uv_now(sb->loop) };
    fr_buf_init(&c->in, FRAME_BYTES_MAX + FRAME_HEADER_BYTES + CHILD_READ_BYTES);
    fr_buf_init(&c->out, WORKER_OUTBOX_BYTES_MAX);
    enum fr_status status = child_open(c, &channel_fd, &page_fd, err);
    if (status != FR_OK) {
        child_free(c);
        return status;
    }
    c->process.data = c->poll.data = c;
    c->open_handles = 2;
    sb->open_handles++;
    c->next = sb->children;
    sb->children = c;
    int r = child_exec(c, channel_fd, page_fd);
    if (r < 0 || clock_getcpuclockid(c->process.pid, &c->cpu_clock) != 0) {
        c->state = CHILD_DYING;
        if (r == 0) uv_process_kill(&c->process, SIGKILL);       // closed by its exit callback
        else child_close(c);
        return FR_FAIL(err, FR_E_IO, "start %s: %s", sb->worker_path, r < 0 ? uv_strerror(r) : "it ended at once");
    }
    uv_poll_start(&c->poll, UV_READABLE, child_on_poll);
    c->progressed = true;
    watch_wake(sb);
    *ret = c;
    return FR_OK;
}
