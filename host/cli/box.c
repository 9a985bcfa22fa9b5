// box.c — the loop is turned until somebody says done; a timer bounds it.
#include "cli/box.h"
#include <unistd.h>
#include "cli/internal.h"

enum fr_status box_open(struct box *b, struct fr_err *err)
{
    char path[CLI_PATH_BYTES];
    if (access(cli_worker_path(path, sizeof path), X_OK) != 0)
        return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "worker_missing", "there is no program %.300s: build it with `make`", path);
    uv_loop_init(&b->loop);
    enum fr_status st = sandbox_new(&b->loop, path, 0, &b->sandbox, err);
    if (st != FR_OK) uv_loop_close(&b->loop);
    return st;
}

static void on_late(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

enum fr_status box_wait(struct box *b, const bool *done, int64_t wall_ms, struct fr_err *err)
{
    uv_timer_t timer;
    bool late = false;
    uv_timer_init(&b->loop, &timer);
    timer.data = &late;
    if (wall_ms > 0) uv_timer_start(&timer, on_late, (uint64_t)wall_ms, 0);
    while (!*(volatile const bool *)done && !late) uv_run(&b->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&b->loop, UV_RUN_NOWAIT);             // the timer lives on this stack
    return *(volatile const bool *)done ? FR_OK : FR_FAIL_CODE(err, FR_E_TIMEOUT, "timeout", "it took over %lld ms", (long long)wall_ms);
}

static void on_stopped(void *arg)
{
    *(bool *)arg = true;
}

void box_close(struct box *b)
{
    bool stopped = false;
    sandbox_stop(b->sandbox, on_stopped, &stopped);
    while (!*(volatile bool *)&stopped) uv_run(&b->loop, UV_RUN_ONCE);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    uv_loop_close(&b->loop);
}
