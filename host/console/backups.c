// backups.c — a host's backups: one at a time, on a thread of their own, asked for by the operator or by the clock.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "console/backup.h"

#define LOOK_MS 20000                      // how often it is asked whether one is due
#define AGAIN_MS (10 * 60 * 1000LL)        // after one that failed

struct backups {
    struct backups_options o;
    char data[BACKUP_PATH_BYTES], folder[BACKUP_PATH_BYTES];
    uv_timer_t timer;
    uv_async_t ended;
    int handles;
    enum { BACKUPS_IDLE, BACKUPS_RUNNING, BACKUPS_DONE, BACKUPS_FAILED } state;
    int64_t due_ms, newest_ms;             // newest_ms 0: none is known

    // one backup; the thread's while it runs
    pthread_t thread;
    char to[BACKUP_PATH_BYTES];
    bool replace, by_clock;
    struct store_copy_watch watch;
    struct backup made;
    int64_t started_mono_ms, took_ms;
    enum fr_status status;
    struct fr_err err;
};

static void *backups_main(void *arg)
{
    struct backups *b = arg;
    b->status = backup_make(b->o.store, b->data, b->to, b->replace, &b->watch, &b->made, &b->err);
    if (b->status == FR_OK && b->by_clock) backup_prune(b->folder, b->o.keep);
    uv_async_send(&b->ended);
    return NULL;
}

static void backups_finish(struct backups *b)
{
    char ms[24];
    pthread_join(b->thread, NULL);
    b->took_ms = fr_mono_ms() - b->started_mono_ms;
    b->state = b->status == FR_OK ? BACKUPS_DONE : BACKUPS_FAILED;
    if (b->status == FR_OK) b->newest_ms = b->made.created_ms;
    if (b->by_clock) b->due_ms = fr_now_ms() + (b->status == FR_OK || b->o.every_ms < AGAIN_MS ? b->o.every_ms : AGAIN_MS);
    snprintf(ms, sizeof ms, "%lld", (long long)b->took_ms);
    if (b->status == FR_OK) fr_log(LOG_INFO, "backup.done", "path", b->to, "#ms", ms, NULL);
    else fr_log_err(LOG_ERROR, "backup.failed", &b->err, "path", b->to, NULL);
}

static void on_ended(uv_async_t *handle)
{
    struct backups *b = handle->data;
    if (b->state == BACKUPS_RUNNING) backups_finish(b);
}

static enum fr_status begin(struct backups *b, const char *to, bool replace, bool by_clock, struct fr_err *err)
{
    if (b->state == BACKUPS_RUNNING) return FR_FAIL_CODE(err, FR_E_BUSY, "backup_busy", "a backup to %.200s is being made", b->to);
    if (strlen(to) >= sizeof b->to - 8) return FR_FAIL_CODE(err, FR_E_INVALID, "backup_path", "the backup's name is too long");
    snprintf(b->to, sizeof b->to, "%s", to);
    b->replace = replace;
    b->by_clock = by_clock;
    b->watch.pages = b->watch.pages_done = 0;
    b->watch.stop = false;
    b->started_mono_ms = fr_mono_ms();
    int rc = pthread_create(&b->thread, NULL, backups_main, b);
    if (rc != 0) return FR_FAIL(err, FR_E_BUSY, "no thread for a backup: %s", strerror(rc));
    b->state = BACKUPS_RUNNING;
    return FR_OK;
}

enum fr_status backups_start(struct backups *b, const char *to, bool replace, struct fr_err *err) { return begin(b, to, replace, false, err); }

// ---- the clock

static void on_timer(uv_timer_t *handle)
{
    struct backups *b = handle->data;
    struct fr_err err;
    char name[40], to[BACKUP_PATH_BYTES + 48];
    if (b->state == BACKUPS_RUNNING || fr_now_ms() < b->due_ms) return;
    backup_name(fr_now_ms(), name);
    snprintf(to, sizeof to, "%s/%s", b->folder, name);
    if (mkdir(b->folder, 0700) != 0 && errno != EEXIST) {
        b->due_ms = fr_now_ms() + AGAIN_MS;
        FR_IGNORE(FR_FAIL(&err, FR_E_IO, "cannot make the folder of backups %.250s: %s", b->folder, strerror(errno)));     // logged
        fr_log_err(LOG_ERROR, "backup.failed", &err, NULL);
        return;
    }
    if (begin(b, to, false, true, &err) != FR_OK) fr_log_err(LOG_ERROR, "backup.failed", &err, "path", to, NULL);
}

static void clock_start(struct backups *b)
{
    char path[BACKUP_PATH_BYTES];
    struct backup newest;
    struct fr_err none;
    if (backup_newest(b->folder, path, &newest, NULL, &none) == FR_OK) {
        if (newest.created_ms > b->newest_ms) b->newest_ms = newest.created_ms;
        if (newest.created_ms <= fr_now_ms()) b->due_ms = newest.created_ms + b->o.every_ms;      // else the clock went back: one now
    }
    uv_timer_start(&b->timer, on_timer, 1000, LOOK_MS);
}

// ---- the whole

struct backups *backups_new(const struct backups_options *o)
{
    struct backups *b = fr_must_alloc(sizeof *b);
    char path[BACKUP_PATH_BYTES];
    b->o = *o;
    snprintf(b->data, sizeof b->data, "%s", o->data);
    if (o->folder) snprintf(b->folder, sizeof b->folder, "%s", o->folder);
    uv_timer_init(o->loop, &b->timer);
    uv_async_init(o->loop, &b->ended, on_ended);
    uv_unref((uv_handle_t *)&b->timer);
    uv_unref((uv_handle_t *)&b->ended);
    b->timer.data = b->ended.data = b;
    b->handles = 2;
    if (!backup_noted(b->data, path, &b->newest_ms)) b->newest_ms = 0;
    if (o->folder) clock_start(b);
    return b;
}

static void on_closed(uv_handle_t *handle)
{
    struct backups *b = handle->data;
    if (--b->handles == 0) fr_free(b);
}

void backups_close(struct backups *b)
{
    if (!b) return;
    b->watch.stop = true;
    if (b->state == BACKUPS_RUNNING) backups_finish(b);
    uv_close((uv_handle_t *)&b->timer, on_closed);
    uv_close((uv_handle_t *)&b->ended, on_closed);
}

int64_t backups_newest_ms(const struct backups *b) { return b->newest_ms; }

void backups_print(const struct backups *b, struct fr_buf *out)
{
    static const char *const names[] = { "idle", "running", "done", "failed" };
    char at[25];
    fr_buf_addf(out, "{\"state\":\"%s\",\"pages\":%lld,\"pages_done\":%lld,\"newest_at\":", names[b->state], (long long)b->watch.pages, (long long)b->watch.pages_done);
    fr_buf_add_json_text(out, b->newest_ms ? fr_time_text(b->newest_ms, at) : NULL);
    if (b->o.folder) {
        fr_buf_addf(out, ",\"every_ms\":%lld,\"keep\":%d,\"folder\":", (long long)b->o.every_ms, b->o.keep);
        fr_buf_add_json_bytes(out, b->folder, strlen(b->folder));
    }
    if (b->state == BACKUPS_FAILED) {
        fr_buf_addf(out, ",\"status\":%d,\"code\":\"%s\",\"detail\":", (int)b->status, b->err.code);
        fr_buf_add_json_text(out, b->err.text);
    }
    if (b->state == BACKUPS_DONE) {
        fr_buf_addf(out, ",\"ms\":%lld,\"backup\":", (long long)b->took_ms);
        backup_print(&b->made, b->to, out);
        fr_buf_add_char(out, '}');
    }
    fr_buf_add_char(out, '}');
}
