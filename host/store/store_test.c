// store_test.c — what store.h promises: order, groups, failures that stay alone, a full disk, damaged and locked folders.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include "base/clock.h"
#include "base/mem.h"
#include "store/internal.h"
#include "store/migrate.h"
#include "store/test.h"

static const struct store_migration steps[] = {
    { "test", 1, "CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT UNIQUE, body BLOB) STRICT" },
};

static uv_loop_t loop;
static struct fr_err err;

// ---- jobs

struct put { const char *name; size_t bytes; enum fr_status answer; int *order; int at; enum fr_status status; struct fr_err err; int calls; };

static enum fr_status item_insert(struct store_txn *txn, const char *name, size_t bytes, struct fr_err *e)
{
    static const char body[70000];
    assert(bytes <= sizeof body);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO item(name, body) VALUES(?1, ?2)", &row, e));
    sql_bind_text(row, 1, name);
    sql_bind_bytes(row, 2, body, bytes);
    return sql_do(row, NULL, e);
}

static enum fr_status put_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct put *p = arg;
    FR_TRY(item_insert(txn, p->name, p->bytes, e));
    return p->answer == FR_OK ? FR_OK : FR_FAIL(e, p->answer, "%s refuses", p->name);
}

static void put_done(void *arg, enum fr_status status, const struct fr_err *e)
{
    struct put *p = arg;
    p->calls++;
    p->status = status;
    if (e) p->err = *e;
    if (p->order) p->at = (*p->order)++;
}

static enum fr_status count_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM item", &row, e));
    FR_TRY(sql_step(row, &found, e));
    *(int64_t *)arg = sql_int(row, 0);
    return FR_OK;
}

static int64_t items(struct store *s)
{
    int64_t n = -1;
    CHECK(store_now(s, count_job, &n, &err) == FR_OK);
    return n;
}

static enum fr_status exec_job(struct store_txn *txn, void *arg, struct fr_err *e) { return conn_exec(txn, arg, e); }

static void test_jobs_end_in_order_on_the_loop_in_one_group(void)
{
    test_folder_new();
    struct store *s = test_open(&loop);
    struct put puts[40];
    static char names[40][16];
    int order = 0;
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        puts[i] = (struct put){ .name = names[i], .order = &order };
        CHECK(store_run(s, put_job, &puts[i], put_done, &err) == FR_OK);
    }
    CHECK_INT(order, 0);                           // never from inside store_run
    uv_run(&loop, UV_RUN_DEFAULT);                 // and the loop ends by itself when nothing is open
    for (int i = 0; i < 40; i++) CHECK(puts[i].calls == 1 && puts[i].at == i && puts[i].status == FR_OK);
    CHECK_INT(items(s), 40);
    struct store_stats stats = store_stats(s);
    CHECK_INT(stats.groups, 1);
    CHECK_INT(stats.jobs, 40);
    CHECK_INT(stats.group_max, 40);
    test_close(s, &loop);
}

static struct store *open_patient(int patience_ms)
{
    struct store *s = NULL;
    CHECK(store_open(&(struct store_options){ .folder = test_path("data"), .loop = &loop, .patience_ms = patience_ms }, &s, &err) == FR_OK);
    return s;
}

static void test_patient_jobs_go_with_the_next_one_that_hurries_or_when_their_patience_ends(void)
{
    test_folder_new();
    struct store *s = open_patient(60000);
    int order = 0;
    struct put a = { .name = "a", .order = &order }, b = { .name = "b", .order = &order }, c = { .name = "c", .order = &order }, d = { .name = "d", .order = &order };
    CHECK(store_run_patient(s, put_job, &a, put_done, &err) == FR_OK);
    for (int i = 0; i < 20; i++) { uv_run(&loop, UV_RUN_NOWAIT); usleep(500); }
    CHECK(store_run_patient(s, put_job, &b, put_done, &err) == FR_OK);
    for (int i = 0; i < 20; i++) { uv_run(&loop, UV_RUN_NOWAIT); usleep(500); }
    CHECK_INT(a.calls + b.calls, 0);
    CHECK(store_run(s, put_job, &c, put_done, &err) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(a.at == 0 && b.at == 1 && c.at == 2 && c.calls == 1);
    CHECK_INT(store_stats(s).groups, 1);
    CHECK(store_run_patient(s, put_job, &d, put_done, &err) == FR_OK);      // closing waits for nobody's patience
    test_close(s, &loop);
    CHECK_INT(d.calls, 1);
    s = open_patient(50);
    struct put e = { .name = "e" };
    int64_t begun_ms = fr_mono_ms();
    CHECK(store_run_patient(s, put_job, &e, put_done, &err) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(e.calls == 1 && e.status == FR_OK && fr_mono_ms() - begun_ms >= 49);
    test_close(s, &loop);
}

static void test_a_failing_job_is_rolled_back_alone(void)
{
    test_folder_new();
    struct store *s = test_open(&loop);
    struct put a = { .name = "a" }, b = { .name = "b", .answer = FR_E_FUNDS }, c = { .name = "c" }, again = { .name = "a" };
    CHECK(store_run(s, put_job, &a, put_done, &err) == FR_OK);
    CHECK(store_run(s, put_job, &b, put_done, &err) == FR_OK);
    CHECK(store_run(s, put_job, &again, put_done, &err) == FR_OK);
    CHECK(store_run(s, put_job, &c, put_done, &err) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(a.status == FR_OK && c.status == FR_OK);
    CHECK(b.status == FR_E_FUNDS && b.err.status == FR_E_FUNDS);
    CHECK_TEXT(b.err.text, "b refuses");
    CHECK_INT(again.status, FR_E_CONFLICT);        // a unique name: what the world can break is a status
    CHECK_INT(items(s), 2);
    CHECK_INT(store_stats(s).failed, 2);
    test_close(s, &loop);
}

static enum fr_status needy_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    fr_mem_fail_at(1);
    enum fr_status st = sql_begin(txn, "SELECT 'never asked before'", &row, e);
    fr_mem_fail_at(0);
    *(bool *)arg = st == FR_E_NOMEM;
    return st;
}

static void test_a_statement_without_memory_is_refused(void)
{
    test_folder_new();
    struct store *s = test_open(NULL);
    bool told = false;
    CHECK_INT(store_now(s, needy_job, &told, &err), FR_E_NOMEM);
    CHECK(told);
    CHECK_INT(items(s), 0);
    test_close(s, NULL);
}

static void test_past_the_queue_is_busy(void)
{
    test_folder_new();
    struct store *s = test_open(&loop);
    int64_t n = 0;
    struct put extra = { .name = "extra" };
    for (int i = 0; i < STORE_QUEUE_MAX; i++)
        if (store_run(s, count_job, &n, NULL, &err) != FR_OK) CHECK(!"refused too early");
    CHECK(store_run(s, put_job, &extra, put_done, &err) == FR_E_BUSY);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(extra.calls, 0);
    CHECK_INT(items(s), 0);
    CHECK_INT(store_stats(s).group_max, STORE_GROUP_MAX);
    CHECK(store_run(s, put_job, &extra, put_done, &err) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(extra.calls, 1);
    test_close(s, &loop);
}

static void test_close_runs_what_is_queued(void)
{
    test_folder_new();
    struct store *s = test_open(&loop);
    struct put a = { .name = "a" }, b = { .name = "b" };
    CHECK(store_run(s, put_job, &a, put_done, &err) == FR_OK);
    CHECK(store_run(s, put_job, &b, put_done, &err) == FR_OK);
    test_close(s, &loop);
    CHECK(a.calls == 1 && a.status == FR_OK && b.calls == 1 && b.status == FR_OK);
    s = test_open(NULL);
    CHECK_INT(items(s), 2);
    test_close(s, NULL);
    store_close(NULL);
}

// ---- inside a job

static enum fr_status leave_open_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct store_row *row = NULL;
    bool found = false;
    FR_TRY(item_insert(txn, "left", 0, e));
    FR_TRY(sql_begin(txn, "SELECT name FROM item", &row, e));
    FR_TRY(sql_step(row, &found, e));
    return arg ? FR_FAIL(e, FR_E_INVALID, "an early return") : FR_OK;      // without sql_end either way
}

static enum fr_status twins_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct store_row *rows[3];
    int *pairs = arg;
    for (int i = 0; i < 3; i++) FR_TRY(sql_begin(txn, "SELECT name FROM item WHERE name <= ?1 ORDER BY name", &rows[i], e));
    for (int i = 0; i < 3; i++) sql_bind_text(rows[i], 1, "z");
    for (int i = 0; i < 3; i++) {
        bool found = false;
        FR_TRY(sql_step(rows[i], &found, e));
        *pairs += found && strcmp(sql_text(rows[i], 0), "left") == 0;
        sql_end(rows[i]);
        sql_end(rows[i]);                          // twice is once
    }
    return FR_OK;
}

static void test_a_job_cannot_leave_statements_open(void)
{
    test_folder_new();
    struct store *s = test_open(NULL);
    int failing = 1, same = 0;
    CHECK(store_now(s, leave_open_job, &failing, &err) == FR_E_INVALID);
    CHECK_INT(items(s), 0);
    CHECK(store_now(s, leave_open_job, NULL, &err) == FR_OK);
    CHECK_INT(items(s), 1);
    CHECK(store_now(s, twins_job, &same, &err) == FR_OK);      // one literal, running three times at once
    CHECK_INT(same, 3);
    test_close(s, NULL);
}

static enum fr_status savepoint_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg;
    static const char me;
    int *note = store_scratch(txn, &me, sizeof *note);
    CHECK_INT(*note, 0);
    *note = 7;
    FR_TRY(item_insert(txn, "kept", 0, e));
    FR_TRY(sql_savepoint(txn, e));
    FR_TRY(item_insert(txn, "outer", 0, e));
    FR_TRY(sql_savepoint(txn, e));
    FR_TRY(item_insert(txn, "inner", 0, e));
    FR_TRY(sql_rollback(txn, e));
    CHECK_INT(*note, 0);                           // zeroed with what it may rest on
    FR_TRY(sql_release(txn, e));
    FR_TRY(sql_savepoint(txn, e));
    FR_TRY(item_insert(txn, "gone", 0, e));
    FR_TRY(sql_rollback(txn, e));
    *note = 9;
    return FR_OK;
}

static enum fr_status scratch_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    static const char me;
    int *note = store_scratch(txn, &me, sizeof *note), before = *note;
    *note = 5;
    if (arg) return FR_FAIL(e, FR_E_INVALID, "rolled back");
    CHECK_INT(before, 0);
    return FR_OK;
}

static void test_savepoints_and_scratch_follow_rollbacks(void)
{
    test_folder_new();
    struct store *s = test_open(NULL);
    int fail = 1;
    CHECK(store_now(s, savepoint_job, NULL, &err) == FR_OK);
    CHECK_INT(items(s), 2);
    CHECK(store_now(s, scratch_job, &fail, &err) == FR_E_INVALID);
    CHECK(store_now(s, scratch_job, NULL, &err) == FR_OK);
    test_close(s, NULL);
}

static enum fr_status settings_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg;
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT synchronous, journal_mode, foreign_keys FROM pragma_synchronous, pragma_journal_mode, pragma_foreign_keys", &row, e));
    FR_TRY(sql_step(row, &found, e));
    CHECK_INT(sql_int(row, 0), 2);                 // FULL: no test can pull the plug, so at least the switch is looked at
    CHECK_TEXT(sql_text(row, 1), "wal");
    CHECK_INT(sql_int(row, 2), 1);
    return FR_OK;
}

static void test_commits_are_flushed(void)
{
    test_folder_new();
    struct store *s = test_open(NULL);
    CHECK(store_now(s, settings_job, NULL, &err) == FR_OK);
    test_close(s, NULL);
}

// ---- readers

static enum fr_status endless_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    (void)arg;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", &row, e));
    bool found = false;
    return sql_step(row, &found, e);
}

static enum fr_status endless_short_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    int64_t n = 0;
    for (;;) FR_TRY(count_job(txn, arg ? arg : &n, e));
}

static void test_readers_are_bounded_and_cannot_write(void)
{
    test_folder_new();
    struct store *s = test_open(&loop);
    struct put endless = { 0 }, shorts = { 0 }, writing = { .name = "x" };
    CHECK(store_read(s, endless_job, &endless, put_done, &err) == FR_OK);
    int64_t *n = NULL;
    CHECK(store_read(s, endless_short_job, n, NULL, &err) == FR_OK);
    CHECK(store_read(s, put_job, &writing, put_done, &err) == FR_OK);
    (void)shorts;
    uv_run(&loop, UV_RUN_DEFAULT);                 // ends: so the short ones ended, too
    CHECK(endless.status == FR_E_TIMEOUT && endless.calls == 1);
    CHECK(writing.status == FR_E_IO && writing.calls == 1);
    CHECK_INT(items(s), 0);
    struct put a = { .name = "a" };
    int64_t seen = -1;
    CHECK(store_run(s, put_job, &a, put_done, &err) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(store_read(s, count_job, &seen, NULL, &err) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(seen, 1);                            // what was told can be read
    test_close(s, &loop);
}

static enum fr_status slow_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    usleep((STORE_READ_MS_MAX + 50) * 1000);
    return count_job(txn, arg, e);
}

static void test_one_long_read_at_a_time(void)
{
    test_folder_new();
    struct store *s = test_open(&loop);
    int64_t n = -1, short_n = -1;
    CHECK(store_read_long(s, slow_job, &n, NULL, &err) == FR_OK);
    CHECK(store_read_long(s, count_job, &short_n, NULL, &err) == FR_E_BUSY);
    CHECK(store_read(s, slow_job, &short_n, NULL, &err) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(n == 0 && short_n == -1);                // the short one ran out of its time
    CHECK(store_read_long(s, count_job, &short_n, NULL, &err) == FR_OK);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(short_n, 0);
    test_close(s, &loop);
}

// ---- full disk

static struct put fill[600];
static char fill_names[600][16];

// Writes until the disk refuses, in groups of 10; returns how many were acknowledged.
static int fill_up(struct store *s, int first, int count, int *refused)
{
    int told = 0;
    *refused = 0;
    for (int i = first; i < first + count; i++) {
        snprintf(fill_names[i], sizeof fill_names[i], "f%d", i);
        fill[i] = (struct put){ .name = fill_names[i], .bytes = 60000 };
        CHECK(store_run(s, put_job, &fill[i], put_done, &err) == FR_OK);
        if (i % 10 == 9) uv_run(&loop, UV_RUN_DEFAULT);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = first; i < first + count; i++) {
        CHECK_INT(fill[i].calls, 1);
        if (fill[i].status == FR_OK) told++;
        else {
            (*refused)++;
            CHECK(fill[i].status == FR_E_IO && strcmp(fill[i].err.code, "disk_full") == 0);
        }
    }
    return told;
}

static void test_a_full_file_is_reported_and_loses_nothing(void)
{
    test_folder_new();
    struct store *s = test_open(&loop);
    int refused = 0;
    CHECK(store_now(s, exec_job, "PRAGMA max_page_count=400", &err) == FR_OK);
    int told = fill_up(s, 0, 100, &refused);
    CHECK(told > 0 && refused > 0);
    CHECK_INT(items(s), told);
    CHECK(store_now(s, exec_job, "PRAGMA max_page_count=1000000", &err) == FR_OK);
    told += fill_up(s, 100, 20, &refused);
    CHECK_INT(refused, 0);
    test_close(s, &loop);
    s = test_open(NULL);
    CHECK_INT(items(s), told);
    test_close(s, NULL);
}

static void test_a_full_disk_is_reported_and_loses_nothing(void)
{
    test_folder_new();
    if (mkdir(test_path("data"), 0700) != 0 || mount("tmpfs", test_path("data"), "tmpfs", 0, "size=9m") != 0) {
        CHECK(true);                               // not root: the test before stands alone
        return;
    }
    char ballast[600];
    snprintf(ballast, sizeof ballast, "%s/ballast", test_path("data"));
    int fd = open(ballast, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && posix_fallocate(fd, 0, 6 << 20) == 0);
    close(fd);

    struct store *s = test_open(&loop);
    int refused = 0, refused_later = 0;
    int told = fill_up(s, 0, 100, &refused);
    CHECK(told > 0 && refused > 0);
    CHECK_INT(items(s), told);
    CHECK(unlink(ballast) == 0);
    told += fill_up(s, 100, 10, &refused_later);
    CHECK_INT(refused_later, 0);                   // usable again, without a restart
    CHECK_INT(items(s), told);
    test_close(s, &loop);
    s = test_open(NULL);
    CHECK_INT(items(s), told);
    test_close(s, NULL);
    CHECK(umount(test_path("data")) == 0);
}

// ---- folders and files

static enum fr_status try_open(const char *folder, bool read_only)
{
    struct store_options options = { .folder = folder, .read_only = read_only };
    struct store *s = NULL;
    enum fr_status st = store_open(&options, &s, &err);
    CHECK(st == FR_OK || !s);
    store_close(s);
    return st;
}

static void write_file(const char *path, const void *bytes, size_t len, long at)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && pwrite(fd, bytes, len, at) == (ssize_t)len);
    close(fd);
}

static void test_folders(void)
{
    test_folder_new();
    struct stat st;
    CHECK(try_open(test_path("data"), false) == FR_OK);
    CHECK(stat(test_path("data"), &st) == 0 && (st.st_mode & 0777) == 0700);
    CHECK(try_open(test_path("missing/data"), false) == FR_E_IO);
    CHECK(strstr(err.text, "the folder above it is missing") != NULL);
    write_file(test_path("file"), "x", 1, 0);
    CHECK(try_open(test_path("file"), false) == FR_E_IO);
    CHECK(try_open(test_path("nothing"), true) == FR_E_IO);
    CHECK(try_open(test_path("data"), true) == FR_OK);
}

static void test_a_locked_folder_names_its_holder(void)
{
    test_folder_new();
    struct store *s = test_open(NULL);
    char pid[40];
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    CHECK(try_open(test_path("data"), false) == FR_E_BUSY);
    CHECK_TEXT(err.code, "data_locked");
    CHECK(strstr(err.text, pid) != NULL);
    CHECK(try_open(test_path("data"), true) == FR_E_BUSY);
    test_close(s, NULL);
    CHECK(try_open(test_path("data"), false) == FR_OK);
}

// A host that locked the folder, forked, and was killed; its child has not come to its exec yet.
static void leave_a_child_with_the_lock(int ms)
{
    char pid[24];
    int fd = open(test_path("data/lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) _exit(1);
    int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)len, 0) != len) _exit(1);
    if (fork() == 0) {
        usleep((useconds_t)ms * 1000);
        _exit(0);
    }
    _exit(0);
}

static void test_what_a_killed_host_left_of_the_lock_is_waited_for(void)
{
    test_folder_new();
    CHECK(try_open(test_path("data"), false) == FR_OK);
    int status;
    pid_t host = fork();
    if (host == 0) leave_a_child_with_the_lock(300);
    while (waitid(P_PID, (id_t)host, &(siginfo_t){ 0 }, WEXITED | WNOWAIT) != 0) { }     // dead, and not buried
    int64_t begun_ms = fr_mono_ms();
    CHECK(try_open(test_path("data"), false) == FR_OK);
    CHECK(fr_mono_ms() - begun_ms >= 100);
    CHECK(waitpid(host, &status, 0) == host && status == 0);
    host = fork();
    if (host == 0) leave_a_child_with_the_lock(300);
    CHECK(waitpid(host, &status, 0) == host && status == 0);                                // buried
    CHECK(try_open(test_path("data"), false) == FR_OK);
}

static void make_database(void)
{
    struct store *s = test_open(NULL);
    for (int i = 0; i < 50; i++) {
        snprintf(fill_names[i], sizeof fill_names[i], "f%d", i);
        fill[i] = (struct put){ .name = fill_names[i], .bytes = 3000 };
        CHECK(store_now(s, put_job, &fill[i], &err) == FR_OK);
    }
    test_close(s, NULL);
}

static void test_damaged_files_are_refused_with_steps(void)
{
    static const char junk[4096] = "these are not the bytes you are looking for";
    static const struct { const char *name; long at; size_t len; long cut; } cases[] = {
        { "not a database", 0, 100, -1 },
        { "shorter than a header", 0, 0, 50 },
        { "a page in the middle", 8192, 4096, -1 },
        { "cut in half", 0, 0, 4096 * 20 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        test_folder_new();
        make_database();
        const char *path = test_path("data/" STORE_FILE);
        if (cases[i].len) write_file(path, junk, cases[i].len, cases[i].at);
        if (cases[i].cut >= 0) CHECK(truncate(path, cases[i].cut) == 0);
        enum fr_status st = try_open(test_path("data"), false);
        if (st != FR_E_CORRUPT) printf("  %s: %s\n", cases[i].name, err.text);
        CHECK(st == FR_E_CORRUPT);
        CHECK_TEXT(err.code, "store_damaged");
        CHECK(strstr(err.text, "puts back a backup") != NULL);
    }
    test_folder_new();
    mkdir(test_path("data"), 0700);
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(test_path("data/" STORE_FILE), &db) == SQLITE_OK && sqlite3_exec(db, "CREATE TABLE theirs(a)", NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
    CHECK(try_open(test_path("data"), false) == FR_E_CORRUPT);
    CHECK_TEXT(err.code, "store_foreign");
}

// ---- kill -9: what was acknowledged is there

static int kill_pipe;

static void kill_done(void *arg, enum fr_status status, const struct fr_err *e)
{
    (void)e;
    struct put *p = arg;
    int at = (int)(p - fill);
    if (status == FR_OK && write(kill_pipe, &at, sizeof at) != sizeof at) _exit(3);
}

static void kill_child(int first)
{
    uv_loop_t mine;
    uv_loop_init(&mine);
    struct store *s = test_open(&mine);
    for (int i = first; i < first + 30; i++) {
        snprintf(fill_names[i], sizeof fill_names[i], "f%d", i);
        fill[i] = (struct put){ .name = fill_names[i], .bytes = (size_t)(i % 7) * 4000 };
        if (store_run(s, put_job, &fill[i], kill_done, &err) != FR_OK) _exit(4);
        if (i % 3 == 0) uv_run(&mine, UV_RUN_NOWAIT);
    }
    uv_run(&mine, UV_RUN_DEFAULT);
    pause();
    _exit(5);
}

static void check_there(struct store *s, const bool *told, int count)
{
    for (int i = 0; i < count; i++) {
        struct put again = { .name = fill_names[i] };
        if (!told[i]) continue;
        snprintf(fill_names[i], sizeof fill_names[i], "f%d", i);
        CHECK(store_now(s, put_job, &again, &err) == FR_E_CONFLICT);       // its unique name is taken
    }
}

static void test_kill_9_keeps_what_was_acknowledged(void)
{
    test_folder_new();
    static bool told[600];
    memset(told, 0, sizeof told);
    for (int round = 0; round < 20; round++) {
        int ends[2], at;
        CHECK(pipe(ends) == 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(ends[0]);
            kill_pipe = ends[1];
            kill_child(round * 30);
        }
        close(ends[1]);
        int wait_for = rand() % 31;                // killed after this many answers
        for (int n = 0; n < wait_for && read(ends[0], &at, sizeof at) == sizeof at; n++) told[at] = true;
        kill(pid, SIGKILL);
        while (read(ends[0], &at, sizeof at) == sizeof at) told[at] = true;
        close(ends[0]);
        int status = 0;
        waitpid(pid, &status, 0);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        struct store *s = test_open(NULL);
        check_there(s, told, (round + 1) * 30);
        test_close(s, NULL);
    }
}

int main(void)
{
    uv_loop_init(&loop);
    store_register(steps, 1);
    TEST(test_kill_9_keeps_what_was_acknowledged);         // first: it forks
    TEST(test_jobs_end_in_order_on_the_loop_in_one_group);
    TEST(test_patient_jobs_go_with_the_next_one_that_hurries_or_when_their_patience_ends);
    TEST(test_a_failing_job_is_rolled_back_alone);
    TEST(test_a_statement_without_memory_is_refused);
    TEST(test_past_the_queue_is_busy);
    TEST(test_close_runs_what_is_queued);
    TEST(test_a_job_cannot_leave_statements_open);
    TEST(test_savepoints_and_scratch_follow_rollbacks);
    TEST(test_commits_are_flushed);
    TEST(test_readers_are_bounded_and_cannot_write);
    TEST(test_one_long_read_at_a_time);
    TEST(test_a_full_file_is_reported_and_loses_nothing);
    TEST(test_a_full_disk_is_reported_and_loses_nothing);
    TEST(test_folders);
    TEST(test_a_locked_folder_names_its_holder);
    TEST(test_what_a_killed_host_left_of_the_lock_is_waited_for);
    TEST(test_damaged_files_are_refused_with_steps);
    test_folder_drop();
    uv_loop_close(&loop);
    return TEST_END();
}
