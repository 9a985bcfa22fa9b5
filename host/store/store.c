// store.c — the writer thread with its group commit, the reader threads, and the way between them and the loop.
//
// A job goes: outbox (loop thread) -> ready (under the mutex) -> a group, on the writer thread -> finished (under the mutex)
// -> done, on the loop thread. Jobs started in one turn of the loop are handed over together, at its end: handing over the
// first alone would make it a group of one, and the others would wait for its disk flush.
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "base/clock.h"
#include "base/mem.h"
#include "store/internal.h"

#define READERS 2
#define READS_MAX STORE_QUEUE_MAX
#define FREE_JOBS_MAX 512                 // kept for reuse
#define CHECKPOINT_PAGES 16000            // 62 MiB of log: moved into the file between two groups, which takes some 20 ms
#define CHECKPOINT_AGAIN_PAGES 1000       // a reader was in the way: try again this much later
#define CHECKPOINT_IDLE_PAGES 500         // as soon as nobody has wanted anything for this long:
#define CHECKPOINT_IDLE_MS 50
#define COMMITS_KEPT 1024                 // commit times, for the percentiles

struct job {
    struct job *next;
    store_job_fn *fn;
    void *arg;
    store_done_fn *done;
    enum fr_status status;
    int read_ms;                          // a reader's bound; 0: it writes
    struct fr_err err;
};
struct job_list { struct job *first, *last; int count; };

struct store {
    // the loop thread's own
    uv_loop_t *loop;
    uv_async_t wake;                      // "something is finished"
    uv_prepare_t before_poll;             // both hand over what this turn of the loop started
    uv_check_t after_poll;
    int handles;                          // the store is freed when the last is closed
    struct job_list outbox, spare;
    bool outbox_hurries;                  // one of it is in a hurry
    int patience_ms;
    int writes_open, reads_open;          // accepted, done not yet called
    bool long_read_open, delivering, closing;

    // between the threads
    pthread_mutex_t mutex;
    pthread_cond_t writer_wake, reader_wake;
    struct job_list ready, reads, finished;
    bool hurry;                           // one of `ready` is in a hurry
    int64_t patient_until_us;             // else the first of them waits until then
    bool stop;
    struct store_stats stats;
    int64_t commit_us[COMMITS_KEPT];
    int64_t commits;

    // whoever holds write_mutex uses the writer's connection: the writer thread, or store_now
    pthread_mutex_t write_mutex;
    struct store_txn *writer;
    int checkpoint_at_pages;
    bool log_moved;                       // since the last commit
    bool read_only;
    _Atomic bool damaged;                 // once set nothing is written any more, the log is left as it is

    pthread_t writer_thread, reader_threads[READERS];
    struct store_txn *readers[READERS];
    int reader_count;                     // for reader_main to know which one it is
    bool threads;
    int lock_fd;
    char path[4096];
};

// ---- lists of jobs

static void list_add(struct job_list *list, struct job *job)
{
    job->next = NULL;
    if (list->last) list->last->next = job;
    else list->first = job;
    list->last = job;
    list->count++;
}

static struct job *list_take(struct job_list *list)
{
    struct job *job = list->first;
    if (!job) return NULL;
    list->first = job->next;
    if (!list->first) list->last = NULL;
    list->count--;
    return job;
}

static void list_move(struct job_list *to, struct job_list *from)
{
    if (!from->first) return;
    if (to->last) to->last->next = from->first;
    else to->first = from->first;
    to->last = from->last;
    to->count += from->count;
    *from = (struct job_list){ 0 };
}

// ---- the writer thread

static void group_fail(struct job_list *group, const struct fr_err *err)
{
    for (struct job *job = group->first; job; job = job->next) {
        job->err = *err;
        job->status = job->err.status = err->status == FR_E_CORRUPT ? FR_E_CORRUPT : FR_E_IO;
    }
}

static enum fr_status refuse_damaged(struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_CORRUPT, "store_damaged", "the database is damaged, so nothing is written any more: stop the host, then `frond doctor` and `frond restore`");
}

// A change to a file whose pages cannot be trusted could make two accounts share one.
static bool notice_damage(struct store *s, const struct store_txn *c)
{
    if (c->damaged) s->damaged = true;
    return c->damaged;
}

// Jobs of a group see one another's changes, so when the whole is lost even a job that had refused is told of the disk:
// what it refused may rest on something that did not happen.
static enum fr_status group_run(struct store *s, struct job_list *group, struct fr_err *err)
{
    if (s->damaged) return refuse_damaged(err);
    FR_TRY(conn_begin(s->writer, err));
    for (struct job *job = group->first; job; job = job->next) {
        job->status = conn_job(s->writer, job->fn, job->arg, &job->err);
        if (notice_damage(s, s->writer)) {
            conn_rollback(s->writer);
            return refuse_damaged(err);
        }
        if (conn_in_transaction(s->writer)) continue;
        *err = job->err;
        conn_rollback(s->writer);
        return FR_E_IO;
    }
    enum fr_status st = conn_commit(s->writer, err);
    return notice_damage(s, s->writer) ? refuse_damaged(err) : st;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void group_count(struct store *s, const struct job_list *group, int64_t took_us)
{
    s->stats.groups++;
    s->stats.jobs += group->count;
    if (group->count > s->stats.group_max) s->stats.group_max = group->count;
    for (struct job *job = group->first; job; job = job->next) s->stats.failed += job->status != FR_OK;
    s->commit_us[s->commits++ % COMMITS_KEPT] = took_us;
}

static void writer_checkpoint(struct store *s)
{
    pthread_mutex_lock(&s->write_mutex);
    if (!s->damaged) conn_checkpoint(s->writer);
    s->checkpoint_at_pages = s->writer->wal_pages + CHECKPOINT_AGAIN_PAGES;    // the next commit starts the log anew, or could not
    s->log_moved = true;
    pthread_mutex_unlock(&s->write_mutex);
}

// After a commit: did the log start anew, and must it be moved now?
static bool log_is_full(struct store *s)
{
    s->log_moved = false;
    if (s->writer->wal_pages < CHECKPOINT_PAGES) s->checkpoint_at_pages = CHECKPOINT_PAGES;
    return s->writer->wal_pages >= s->checkpoint_at_pages;
}

static void writer_group(struct store *s, struct job_list *group)
{
    struct fr_err err;
    pthread_mutex_lock(&s->write_mutex);
    int64_t start_us = fr_mono_us();
    if (group_run(s, group, &err) != FR_OK) group_fail(group, &err);
    int64_t took_us = fr_mono_us() - start_us;

    pthread_mutex_lock(&s->mutex);
    group_count(s, group, took_us);
    list_move(&s->finished, group);
    pthread_mutex_unlock(&s->mutex);
    uv_async_send(&s->wake);
    bool full = log_is_full(s);
    pthread_mutex_unlock(&s->write_mutex);
    if (full) writer_checkpoint(s);       // after its callers were told
}

static bool group_is_due(const struct store *s)
{
    return s->stop || s->hurry || s->ready.count >= STORE_GROUP_MAX || (s->ready.first && fr_mono_us() >= s->patient_until_us);
}

// False when nothing came.
static bool writer_sleep(struct store *s, int64_t us)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += us % 1000000 * 1000;
    until.tv_sec += us / 1000000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return pthread_cond_timedwait(&s->writer_wake, &s->mutex, &until) != ETIMEDOUT;
}

// With s->mutex held. Returns when a group is to be written or the store stops; quiet moments are used to keep the log short.
static void writer_wait(struct store *s)
{
    while (!group_is_due(s)) {
        if (s->ready.first) {
            int64_t us = s->patient_until_us - fr_mono_us();
            if (us > 0) writer_sleep(s, us);
            continue;
        }
        if (s->log_moved || s->writer->wal_pages < CHECKPOINT_IDLE_PAGES) {
            pthread_cond_wait(&s->writer_wake, &s->mutex);
            continue;
        }
        if (writer_sleep(s, CHECKPOINT_IDLE_MS * 1000)) continue;
        pthread_mutex_unlock(&s->mutex);
        writer_checkpoint(s);
        pthread_mutex_lock(&s->mutex);
    }
}

static void *writer_main(void *arg)
{
    struct store *s = arg;
    pthread_mutex_lock(&s->mutex);
    for (;;) {
        writer_wait(s);
        if (!s->ready.first) break;
        struct job_list group = { 0 };
        while (group.count < STORE_GROUP_MAX && s->ready.first) list_add(&group, list_take(&s->ready));
        s->hurry = s->ready.first != NULL;        // whoever did not fit has waited
        pthread_mutex_unlock(&s->mutex);
        writer_group(s, &group);
        pthread_mutex_lock(&s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

// ---- the reader threads

static enum fr_status read_run(struct store_txn *c, const struct job *job, struct fr_err *err)
{
    FR_TRY(conn_begin(c, err));
    c->deadline_us = job->read_ms ? fr_mono_us() + job->read_ms * 1000LL : 0;
    enum fr_status st = conn_job(c, job->fn, job->arg, err);
    c->deadline_us = 0;
    conn_rollback(c);                     // nothing was written
    return st;
}

static void *reader_main(void *arg)
{
    struct store *s = arg;
    pthread_mutex_lock(&s->mutex);
    struct store_txn *c = s->readers[s->reader_count++];
    for (;;) {
        while (!s->reads.first && !s->stop) pthread_cond_wait(&s->reader_wake, &s->mutex);
        struct job *job = list_take(&s->reads);
        if (!job) break;
        pthread_mutex_unlock(&s->mutex);
        job->status = read_run(c, job, &job->err);
        notice_damage(s, c);
        pthread_mutex_lock(&s->mutex);
        list_add(&s->finished, job);
        uv_async_send(&s->wake);
    }
    pthread_mutex_unlock(&s->mutex);
    return NULL;
}

// ---- the loop thread: start a job

static struct job *job_new(struct store *s, store_job_fn *fn, void *arg, store_done_fn *done)
{
    struct job *job = list_take(&s->spare);
    if (!job) job = fr_alloc(sizeof *job);
    if (!job) return NULL;
    job->fn = fn;
    job->arg = arg;
    job->done = done;
    job->status = FR_OK;
    job->err.status = FR_OK;
    job->err.code[0] = job->err.text[0] = 0;
    return job;
}

static void job_free(struct store *s, struct job *job)
{
    if (s->spare.count < FREE_JOBS_MAX) list_add(&s->spare, job);
    else fr_free(job);
}

static void hand_over(struct store *s)
{
    if (!s->outbox.first) return;
    pthread_mutex_lock(&s->mutex);
    bool first = !s->ready.first;
    if (first) s->patient_until_us = fr_mono_us() + s->patience_ms * 1000LL;
    list_move(&s->ready, &s->outbox);
    s->hurry = s->hurry || s->outbox_hurries;
    if (first || s->hurry || s->ready.count >= STORE_GROUP_MAX) pthread_cond_signal(&s->writer_wake);      // else it looks when the first one's patience ends
    pthread_mutex_unlock(&s->mutex);
    s->outbox_hurries = false;
}

static void on_before_poll(uv_prepare_t *handle) { hand_over(handle->data); }
static void on_after_poll(uv_check_t *handle) { hand_over(handle->data); }

// While jobs are open the loop must not end; without any, the store alone must not keep it running.
static void keep_loop(struct store *s)
{
    if (s->writes_open + s->reads_open > 0) uv_ref((uv_handle_t *)&s->wake);
    else uv_unref((uv_handle_t *)&s->wake);
}

enum fr_status store_run_patient(struct store *s, store_job_fn *fn, void *arg, store_done_fn *done, struct fr_err *err)
{
    assert(s->threads && !s->read_only);
    if (s->closing) return FR_FAIL(err, FR_E_BUSY, "the store is closing");
    if (s->writes_open >= STORE_QUEUE_MAX) return FR_FAIL(err, FR_E_BUSY, "%d changes wait for the disk already", s->writes_open);
    struct job *job = job_new(s, fn, arg, done);
    if (!job) return FR_FAIL(err, FR_E_NOMEM, "no memory for a store job");
    job->read_ms = 0;
    s->writes_open++;
    keep_loop(s);
    list_add(&s->outbox, job);
    if (s->outbox.count >= STORE_GROUP_MAX) hand_over(s);
    return FR_OK;
}

enum fr_status store_run(struct store *s, store_job_fn *fn, void *arg, store_done_fn *done, struct fr_err *err)
{
    bool hurried = s->outbox_hurries;
    s->outbox_hurries = true;                  // before the call: it may hand over
    enum fr_status st = store_run_patient(s, fn, arg, done, err);
    if (st != FR_OK) s->outbox_hurries = hurried;
    return st;
}

static enum fr_status read_start(struct store *s, int ms, store_job_fn *fn, void *arg, store_done_fn *done, struct fr_err *err)
{
    assert(s->threads);
    if (s->closing) return FR_FAIL(err, FR_E_BUSY, "the store is closing");
    if (s->reads_open >= READS_MAX) return FR_FAIL(err, FR_E_BUSY, "%d reads wait already", s->reads_open);
    struct job *job = job_new(s, fn, arg, done);
    if (!job) return FR_FAIL(err, FR_E_NOMEM, "no memory for a store job");
    job->read_ms = ms;
    s->reads_open++;
    keep_loop(s);
    pthread_mutex_lock(&s->mutex);
    list_add(&s->reads, job);
    pthread_cond_signal(&s->reader_wake);
    pthread_mutex_unlock(&s->mutex);
    return FR_OK;
}

enum fr_status store_read(struct store *s, store_job_fn *fn, void *arg, store_done_fn *done, struct fr_err *err)
{
    return read_start(s, STORE_READ_MS_MAX, fn, arg, done, err);
}

// One at a time, so that a reader thread is left for everyone else.
enum fr_status store_read_long(struct store *s, store_job_fn *fn, void *arg, store_done_fn *done, struct fr_err *err)
{
    if (s->long_read_open) return FR_FAIL(err, FR_E_BUSY, "another long read is running");
    FR_TRY(read_start(s, STORE_LONG_READ_MS_MAX, fn, arg, done, err));
    s->long_read_open = true;
    return FR_OK;
}

// ---- the loop thread: tell

static void deliver(struct store *s)
{
    struct job_list finished = { 0 };
    pthread_mutex_lock(&s->mutex);
    list_move(&finished, &s->finished);
    pthread_mutex_unlock(&s->mutex);
    s->delivering = true;
    for (struct job *job; (job = list_take(&finished));) {
        if (job->read_ms == STORE_LONG_READ_MS_MAX) s->long_read_open = false;
        if (job->read_ms > 0) s->reads_open--;
        else s->writes_open--;
        if (job->done) job->done(job->arg, job->status, job->status == FR_OK ? NULL : &job->err);
        job_free(s, job);
    }
    s->delivering = false;
    keep_loop(s);
}

static void on_wake(uv_async_t *handle) { deliver(handle->data); }

static enum fr_status now_run(struct store *s, store_job_fn *fn, void *arg, struct fr_err *err)
{
    if (s->damaged && !s->read_only) return refuse_damaged(err);
    FR_TRY(conn_begin(s->writer, err));
    enum fr_status st = conn_job(s->writer, fn, arg, err);
    if (st == FR_OK && !s->read_only) return conn_commit(s->writer, err);
    conn_rollback(s->writer);
    return st;
}

enum fr_status store_now(struct store *s, store_job_fn *fn, void *arg, struct fr_err *err)
{
    pthread_mutex_lock(&s->write_mutex);
    enum fr_status st = now_run(s, fn, arg, err);
    notice_damage(s, s->writer);
    pthread_mutex_unlock(&s->write_mutex);
    return st;
}

enum fr_status store_aside(struct store *s, store_job_fn *fn, void *arg, struct fr_err *err)
{
    struct job job = { .fn = fn, .arg = arg };
    struct store_txn *c;
    if (!s->threads) return store_now(s, fn, arg, err);     // nobody else uses the only connection
    FR_TRY(conn_open(s->path, CONN_READER, &c, err));
    enum fr_status st = read_run(c, &job, err);
    if (notice_damage(s, c)) conn_keep_log(c);
    conn_close(c);
    return st;
}

struct store_stats store_stats(struct store *s)
{
    int64_t sorted[COMMITS_KEPT];
    pthread_mutex_lock(&s->mutex);
    struct store_stats stats = s->stats;
    int kept = s->commits < COMMITS_KEPT ? (int)s->commits : COMMITS_KEPT;
    memcpy(sorted, s->commit_us, (size_t)kept * sizeof sorted[0]);
    pthread_mutex_unlock(&s->mutex);

    stats.queued = s->writes_open;
    if (kept > 0) {
        qsort(sorted, (size_t)kept, sizeof sorted[0], by_value);
        stats.commit_us_p50 = sorted[kept / 2];
        stats.commit_us_p99 = sorted[kept * 99 / 100];
    }
    struct stat st;
    if (stat(s->path, &st) == 0) stats.file_bytes = st.st_size;
    char log[sizeof s->path + 8];
    snprintf(log, sizeof log, "%s-wal", s->path);
    if (stat(log, &st) == 0) stats.log_bytes = st.st_size;
    stats.damaged = s->damaged;
    return stats;
}

// ---- open

static enum fr_status threads_start(struct store *s, struct fr_err *err)
{
    for (int i = 0; i < READERS; i++) FR_TRY(conn_open(s->path, CONN_READER, &s->readers[i], err));
    int rc = uv_async_init(s->loop, &s->wake, on_wake);
    if (rc != 0) return FR_FAIL(err, FR_E_IO, "the store cannot join the loop: %s", uv_strerror(rc));
    uv_prepare_init(s->loop, &s->before_poll);
    uv_check_init(s->loop, &s->after_poll);
    s->wake.data = s->before_poll.data = s->after_poll.data = s;
    s->handles = 3;
    uv_prepare_start(&s->before_poll, on_before_poll);
    uv_check_start(&s->after_poll, on_after_poll);
    uv_unref((uv_handle_t *)&s->wake);
    uv_unref((uv_handle_t *)&s->before_poll);
    uv_unref((uv_handle_t *)&s->after_poll);

    // Without threads at start-up there is no program to speak of.
    int failed = pthread_create(&s->writer_thread, NULL, writer_main, s);
    for (int i = 0; i < READERS && !failed; i++) failed = pthread_create(&s->reader_threads[i], NULL, reader_main, s);
    if (failed) {
        fprintf(stderr, "frond: the store cannot start its threads: %s\n", strerror(failed));
        abort();
    }
    s->threads = true;
    return FR_OK;
}

// Everything that can be known without writing, on a connection that leaves no trace.
static enum fr_status look_first(struct store *s, const struct store_options *options, struct store_txn *c, struct fr_err *err)
{
    int pending = 0;
    FR_TRY(conn_check(c, s->path, err));
    FR_TRY(migrate_look(c, s->path, &pending, err));
    if (pending && options->read_only && !options->older_too) return FR_FAIL_CODE(err, FR_E_CONFLICT, "store_older", "the database is older than this program: start the program once");
    if (!options->check || pending) return FR_OK;             // an older shape may lack what the check reads
    FR_TRY(conn_begin(c, err));
    enum fr_status st = options->check(c, err);
    conn_rollback(c);
    return st;
}

static bool left_behind(const struct store *s, const char *ending)
{
    char path[sizeof s->path + 16];
    struct stat st;
    snprintf(path, sizeof path, "%s%s", s->path, ending);
    return stat(path, &st) == 0 && st.st_size > 0;
}

// Without a log the file is all there is, and SQLite need not even make an empty one.
static enum fr_status store_look(struct store *s, const struct store_options *options, struct fr_err *err)
{
    struct store_txn *c;
    bool log = left_behind(s, "-wal") || left_behind(s, "-journal");
    FR_TRY(conn_open(s->path, log ? CONN_LOOK : CONN_COPY, &c, err));
    enum fr_status st = look_first(s, options, c, err);
    if (st == FR_OK && options->read_only) s->writer = c;     // it goes on looking
    else conn_close(c);
    return st;
}

static enum fr_status store_open_file(struct store *s, const struct store_options *options, struct fr_err *err)
{
    assert(!options->read_only || !options->loop);
    FR_TRY(lock_folder(options->folder, !options->read_only, &s->lock_fd, err));
    if ((size_t)snprintf(s->path, sizeof s->path, "%s/" STORE_FILE, options->folder) >= sizeof s->path)
        return FR_FAIL(err, FR_E_INVALID, "the data folder's name is over %zu bytes long", sizeof s->path);
    FR_TRY(conn_check_file(s->path, err));
    struct stat st;
    bool there = stat(s->path, &st) == 0 && st.st_size > 0;
    if (options->read_only && !there) return FR_FAIL(err, FR_E_IO, "there is no database in %s: start the program once", options->folder);
    if (there) FR_TRY(store_look(s, options, err));
    if (options->read_only) return FR_OK;
    FR_TRY(conn_open(s->path, CONN_WRITER, &s->writer, err));
    FR_TRY(migrate_all(s->writer, err));
    return options->loop ? threads_start(s, err) : FR_OK;
}

static struct store *store_new(void)
{
    struct store *s = fr_must_alloc(sizeof *s);
    s->lock_fd = -1;
    s->checkpoint_at_pages = CHECKPOINT_PAGES;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_mutex_init(&s->write_mutex, NULL);
    pthread_cond_init(&s->writer_wake, NULL);
    pthread_cond_init(&s->reader_wake, NULL);
    return s;
}

enum fr_status store_open(const struct store_options *options, struct store **ret, struct fr_err *err)
{
    assert(options->folder);
    struct store *s = store_new();
    s->loop = options->loop;
    s->patience_ms = options->patience_ms ? options->patience_ms : STORE_PATIENCE_MS;
    s->read_only = options->read_only;
    enum fr_status st = store_open_file(s, options, err);
    if (st != FR_OK) {
        store_close(s);
        return st;
    }
    *ret = s;
    return FR_OK;
}

static enum fr_status copy_look(struct store *s, bool *older, struct fr_err *err)
{
    int pending = 0;
    FR_TRY(conn_open(s->path, CONN_COPY, &s->writer, err));
    FR_TRY(conn_check(s->writer, s->path, err));
    FR_TRY(migrate_look(s->writer, s->path, &pending, err));
    *older = pending > 0;
    return FR_OK;
}

enum fr_status store_open_copy(const char *path, struct store **ret, bool *older, struct fr_err *err)
{
    struct store *s = store_new();
    s->read_only = true;
    snprintf(s->path, sizeof s->path, "%s", path);
    enum fr_status st = copy_look(s, older, err);
    if (st != FR_OK) {
        store_close(s);
        return st;
    }
    *ret = s;
    return FR_OK;
}

// ---- close

static void store_free(struct store *s)
{
    for (struct job *job; (job = list_take(&s->spare));) fr_free(job);
    pthread_mutex_destroy(&s->mutex);
    pthread_mutex_destroy(&s->write_mutex);
    pthread_cond_destroy(&s->writer_wake);
    pthread_cond_destroy(&s->reader_wake);
    fr_free(s);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct store *s = handle->data;
    if (--s->handles == 0) store_free(s);
}

static void threads_stop(struct store *s)
{
    hand_over(s);
    pthread_mutex_lock(&s->mutex);
    s->stop = true;
    pthread_cond_broadcast(&s->writer_wake);
    pthread_cond_broadcast(&s->reader_wake);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->writer_thread, NULL);
    for (int i = 0; i < READERS; i++) pthread_join(s->reader_threads[i], NULL);
    deliver(s);
}

void store_close(struct store *s)
{
    if (!s) return;
    assert(!s->delivering && !s->closing);
    s->closing = true;
    if (s->threads) threads_stop(s);
    for (int i = 0; i < READERS && s->damaged; i++) if (s->readers[i]) conn_keep_log(s->readers[i]);
    if (s->damaged && s->writer) conn_keep_log(s->writer);
    for (int i = 0; i < READERS; i++) conn_close(s->readers[i]);
    conn_close(s->writer);                // the last connection moves the log into the file
    if (s->lock_fd >= 0) close(s->lock_fd);
    if (s->handles == 0) {
        store_free(s);
        return;
    }
    uv_close((uv_handle_t *)&s->wake, on_handle_closed);
    uv_close((uv_handle_t *)&s->before_poll, on_handle_closed);
    uv_close((uv_handle_t *)&s->after_poll, on_handle_closed);
}
