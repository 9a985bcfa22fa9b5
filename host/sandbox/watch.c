// watch.c — deadlines, seen from outside. One timer for all children: every 20 ms while work is outstanding, else every second.
//
// Whom we watch may be taken over, so what it says of itself can only make us stricter. Two measures of its process CPU:
//
// (A) The page. `running_id` is set and neither it nor `turns` moved while TURN_KILL_MS of CPU went by: stuck in C code that
//     no hook reaches. Plugins cannot write the page, so this finds every honest worker's stuck turn. A worker that was taken
//     over moves `turns` for ever and is never found here, hence
// (B) Progress. We count only what a worker cannot make up: the answer to an id that we issued and that is still open, or a
//     host call that one of them will wait for (a log line is no progress: a loop can write them). Between two signs of progress
//     it may use TURN_KILL_MS of CPU, and as much again for each answer we sent since then: each may have resumed a coroutine
//     which ended without a frame (a branch of frond.all). So what it can burn is bounded by the work we handed out, whatever
//     it writes. This holds for idle workers too: one that owes nothing has nothing to burn CPU on.
//
// Silence: `owes` counts the open invokes whose next frame must come from the worker: matches, and calls without an open
// host call. It is our own count. TURN_STALL_MS without progress while something is owed, and the process asleep or stopped: it will not
// come. A process that is runnable (or waits for a disk) but was given no CPU is a busy machine, not a crime: it gets STARVED_TIMES as
// long. And what it has said already is read before it is judged.
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "sandbox/internal.h"

#define STARVED_TIMES 15
#define WATCH_LATE_MS 200       // we ourselves were away: what came meanwhile is read before anybody is judged

static bool child_is_runnable(const struct child *c)
{
    char path[40], text[256];
    snprintf(path, sizeof path, "/proc/%d/stat", c->process.pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n <= 0) return false;
    text[n] = 0;
    const char *name_end = strrchr(text, ')');
    return name_end && (strncmp(name_end, ") R", 3) == 0 || strncmp(name_end, ") D", 3) == 0);
}

static bool child_overdue(const struct child *c, int64_t waited_ms, int64_t most_ms)
{
    int unread = 0;
    if (waited_ms < most_ms || (ioctl(c->fd, FIONREAD, &unread) == 0 && unread > 0)) return false;
    return waited_ms >= most_ms * STARVED_TIMES || !child_is_runnable(c);
}

static void watch_cpu(struct child *c, int64_t cpu_us)
{
    const struct sandbox_worker *w = c->owner;
    uint32_t turns = c->page->turns, running = c->page->running_id;
    if (c->progressed || turns != c->seen_turns || running != c->seen_running) c->turn_cpu_us = cpu_us;
    c->seen_turns = turns;
    c->seen_running = running;
    if (w && w->open == 0) c->grants = 0;
    if (c->progressed) c->progress_cpu_us = cpu_us;
    int64_t most_us = TURN_KILL_MS * 1000LL * (w && w->phase == WORKER_LOADING ? 2 : 1);      // all its files are compiled before its first turn
    if (running != 0 && cpu_us - c->turn_cpu_us > most_us)
        child_condemn(c, "cpu_limit", "a turn used more than %lld ms of CPU", (long long)most_us / 1000);
    else if (cpu_us - c->progress_cpu_us > most_us * (1 + c->grants))
        child_condemn(c, "cpu_limit", "used %lld ms of CPU without an answer", (long long)(cpu_us - c->progress_cpu_us) / 1000);
}

static void watch_silence(struct child *c, int64_t now_ms)
{
    const struct sandbox_worker *w = c->owner;
    if (c->progressed || !w || w->owes == 0) c->progress_ms = now_ms;
    c->progressed = false;
    if (c->state == CHILD_BOOTING) {
        if (child_overdue(c, now_ms - c->born_ms, CHILD_BOOT_MS)) child_condemn(c, "stalled", "not ready after %d ms", CHILD_BOOT_MS);
    } else if (w && w->phase == WORKER_LOADING) {
        if (child_overdue(c, now_ms - w->load_since_ms, WORKER_LOAD_MS)) child_condemn(c, "stalled", "not loaded after %d ms", WORKER_LOAD_MS);
    } else if (child_overdue(c, now_ms - c->progress_ms, TURN_STALL_MS)) {
        bool half = c->partial_since_ms != 0;
        child_condemn(c, half ? "protocol" : "stalled", "%s for %lld ms", half ? "half a frame" : "no answer", (long long)(now_ms - c->progress_ms));
    }
}

void child_see_cpu(struct child *c, int64_t cpu_us)
{
    struct sandbox_account *account = c->owner ? c->owner->account : NULL;
    if (account && cpu_us > c->last_cpu_us) account->cpu_us += cpu_us - c->last_cpu_us;
    if (cpu_us > c->last_cpu_us) c->last_cpu_us = cpu_us;
}

static void watch_child(struct child *c, int64_t now_ms)
{
    int64_t cpu_us = child_cpu_us(c);
    child_see_cpu(c, cpu_us);
    if (c->state == CHILD_DYING) child_end_lingering(c, now_ms);
    if (c->state != CHILD_DYING && c->partial_since_ms && child_overdue(c, now_ms - c->partial_since_ms, FRAME_PARTIAL_MS))
        child_condemn(c, "protocol", "half a frame for %d ms", FRAME_PARTIAL_MS);
    if (c->state != CHILD_DYING) watch_cpu(c, cpu_us);
    if (c->state != CHILD_DYING) watch_silence(c, now_ms);
}

static bool child_is_busy(const struct child *c)
{
    if (c->state == CHILD_DYING) return c->closed_ms && !c->verdict;
    return c->state == CHILD_BOOTING || c->partial_since_ms || c->progressed || (c->owner && (c->owner->open > 0 || c->owner->phase == WORKER_LOADING));
}

static void watch_plan(struct sandbox *sb, bool busy)
{
    int64_t wait_ms = busy ? WATCH_BUSY_MS : WATCH_IDLE_MS;
    sb->watch_busy = busy;
    sb->watch_due_ms = (int64_t)uv_now(sb->loop) + wait_ms;
    uv_timer_start(&sb->watch, sandbox_on_watch, (uint64_t)wait_ms, 0);
}

void watch_wake(struct sandbox *sb)
{
    if (!sb->watch_busy && !sb->stopping) watch_plan(sb, true);
}

void sandbox_on_watch(uv_timer_t *timer)
{
    struct sandbox *sb = timer->data;
    int64_t now_ms = (int64_t)uv_now(sb->loop);
    if (now_ms - sb->watch_due_ms > WATCH_LATE_MS) {
        watch_plan(sb, true);
        return;
    }
    bool busy = false;
    for (struct child *c = sb->children; c; c = c->next) {
        watch_child(c, now_ms);
        busy = child_is_busy(c) || busy;
    }
    for (struct sandbox_worker *w = sb->workers, *next; w; w = next) {
        next = w->next;
        invokes_expire(w, now_ms);
    }
    if (!sb->stopping) watch_plan(sb, busy);
}
