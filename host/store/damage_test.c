// damage_test.c — a data folder that is not as it should be: refused with a code and a sentence, and not a byte of it changed; damage that
// is found while running; copies made while others write.
#include <fcntl.h>
#include <sys/wait.h>
#include "base/hash.h"
#include "base/hex.h"
#include "store/copy.h"
#include "store/internal.h"
#include "store/migrate.h"
#include "store/test.h"

static const struct store_migration steps[] = {
    { "d", 1, "CREATE TABLE d(n INTEGER PRIMARY KEY, text TEXT NOT NULL); CREATE INDEX d_text ON d(text)" },
    { "d", 2, "CREATE TABLE e(n INTEGER PRIMARY KEY REFERENCES d(n))" },
};
static struct fr_err err;

static enum fr_status fill_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    const int *count = arg;
    FR_TRY(sql_begin(txn, "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM i WHERE n < ?1) INSERT INTO d(text) SELECT 'row ' || n || hex(randomblob(200)) FROM i", &row, e));
    sql_bind_int(row, 1, *count);
    return sql_do(row, NULL, e);
}

static enum fr_status count_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT count(text) FROM d NOT INDEXED", &row, e));
    FR_TRY(sql_step(row, &found, e));
    *(int64_t *)arg = sql_int(row, 0);
    return FR_OK;
}

static void folder_make(int rows)
{
    struct store *s = test_open(NULL);
    CHECK(store_now(s, fill_job, &rows, &err) == FR_OK);
    test_close(s, NULL);
}

static void write_at(const char *path, const void *bytes, size_t len, long at)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && pwrite(fd, bytes, len, at) == (ssize_t)len);
    close(fd);
}

static void sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

// What lies in the folder: names, lengths and bytes; the lock is only a label.
static void fingerprint(char out[SHA256_HEX_BYTES])
{
    struct fr_sha256 sum;
    uint8_t hash[SHA256_BYTES];
    static const char *const names[] = { STORE_FILE, STORE_FILE "-wal", STORE_FILE "-shm", STORE_FILE "-journal" };
    fr_sha256_init(&sum);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[700], bytes[4096];
        snprintf(path, sizeof path, "%s/%s", test_path("data"), names[i]);
        int fd = open(path, O_RDONLY);
        if (fd < 0) continue;
        fr_sha256_add(&sum, names[i], strlen(names[i]));
        for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;) fr_sha256_add(&sum, bytes, (size_t)n);
        close(fd);
    }
    fr_sha256_end(&sum, hash);
    fr_hex(hash, sizeof hash, out);
}

static enum fr_status check_refuses(struct store_txn *txn, struct fr_err *e)
{
    int64_t rows;
    FR_TRY(count_job(txn, &rows, e));
    return rows == 400 ? FR_FAIL_CODE(e, FR_E_CORRUPT, "ledger_wrong", "row 7 was changed") : FR_OK;
}

// ---- the ways to be wrong. Each starts from a sound folder with 400 rows that is closed.

static const char *db_path(void) { return test_path("data/" STORE_FILE); }
static const char *wal_path(void) { return test_path("data/" STORE_FILE "-wal"); }
static const char junk[4096] = "these are not the bytes you are looking for";
static void hurt_header(void) { write_at(db_path(), junk, 100, 0); }
static void hurt_first_page(void) { write_at(db_path(), junk, 2000, 100); }
static void hurt_page(void) { write_at(db_path(), junk, sizeof junk, 8 * 4096); }
static void hurt_cut(void) { CHECK(truncate(db_path(), 4096 * 10) == 0); }
static void hurt_cut_short(void) { CHECK(truncate(db_path(), 50) == 0); }
static void hurt_text(void) { unlink(db_path()); write_at(db_path(), "# a shopping list\n", 18, 0); }
static void hurt_table(void) { sql(db_path(), "DROP TABLE e"); }
static void hurt_index(void) { sql(db_path(), "DROP INDEX d_text"); }
static void hurt_migration(void) { sql(db_path(), "DROP TABLE migration"); }
static void hurt_newer(void) { sql(db_path(), "INSERT INTO migration VALUES('d', 3, 'x', 1)"); }
static void hurt_newer_module(void) { sql(db_path(), "INSERT INTO migration VALUES('z', 1, 'x', 1)"); }
static void hurt_changed(void) { sql(db_path(), "UPDATE migration SET sha256='x' WHERE number=2"); }
static void hurt_foreign(void) { unlink(db_path()); sql(db_path(), "CREATE TABLE theirs(a)"); }
static void hurt_owner(void) { if (geteuid() == 0) CHECK(chown(db_path(), 65534, 65534) == 0); }
static void hurt_folder(void) { unlink(db_path()); mkdir(db_path(), 0700); }
static void hurt_link(void) { unlink(db_path()); CHECK(symlink("/dev/null", db_path()) == 0); }

// A log as a killed host leaves it, of another database of the same program.
static void wal_of_another(const char *to)
{
    char from[700];
    snprintf(from, sizeof from, "%s", test_path("other.db"));
    sqlite3 *db = NULL;
    CHECK(sqlite3_open(from, &db) == SQLITE_OK);
    CHECK(sqlite3_exec(db, "PRAGMA journal_mode=WAL; CREATE TABLE a(b); CREATE TABLE c(d); INSERT INTO a VALUES(hex(randomblob(9000))); INSERT INTO c VALUES(1)", NULL, NULL, NULL) == SQLITE_OK);
    char wal[720], bytes[65536];
    snprintf(wal, sizeof wal, "%s-wal", from);
    int fd = open(wal, O_RDONLY);
    ssize_t len = read(fd, bytes, sizeof bytes);
    close(fd);
    CHECK(len > 4096);
    write_at(to, bytes, (size_t)len, 0);
    sqlite3_close(db);
}
static void hurt_wal(void) { wal_of_another(wal_path()); }
static void hurt_only_wal(void) { wal_of_another(wal_path()); unlink(db_path()); }
static void hurt_empty_with_wal(void) { wal_of_another(wal_path()); CHECK(truncate(db_path(), 0) == 0); }
static void hurt_nothing(void) { }

static void test_each_is_refused_and_nothing_is_changed(void)
{
    static const struct { const char *name, *code, *says; void (*hurt)(void); } cases[] = {
        { "damaged header", "store_damaged", "not a database", hurt_header },
        { "damaged first page", "store_damaged", "", hurt_first_page },
        { "a page of garbage", "store_damaged", "", hurt_page },
        { "truncated", "store_damaged", "", hurt_cut },
        { "shorter than a header", "store_damaged", "shorter", hurt_cut_short },
        { "not a database", "store_damaged", "shorter", hurt_text },
        { "missing table", "store_damaged", "its table e is missing", hurt_table },
        { "missing index", "store_damaged", "its index d_text is missing", hurt_index },
        { "missing migrations", "store_damaged", "its table migration is missing", hurt_migration },
        { "newer schema", "store_newer", "start the newer program", hurt_newer },
        { "a module of a newer program", "store_newer", "start the newer program", hurt_newer_module },
        { "changed old step", "migration_changed", "", hurt_changed },
        { "another program's database", "store_foreign", "name another data folder", hurt_foreign },
        { "wrong owner", "store_owner", "belongs to user 65534", hurt_owner },
        { "a folder in its place", "store_unreadable", "", hurt_folder },
        { "a device in its place", "io", "is not a file", hurt_link },
        { "log of another database", NULL, "", hurt_wal },
        { "log without database", "store_damaged", "its log is there", hurt_only_wal },
        { "log beside an empty file", "store_damaged", "its log is there", hurt_empty_with_wal },
        { "what the caller checks", "ledger_wrong", "row 7", hurt_nothing },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char before[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
        struct store *s = NULL;
        if (cases[i].hurt == hurt_owner && geteuid() != 0) continue;       // only root can give a file away
        test_folder_new();
        folder_make(400);
        cases[i].hurt();
        for (int read_only = 0; read_only < 2; read_only++) {
            struct store_options o = { .folder = test_path("data"), .read_only = read_only, .check = check_refuses };
            fingerprint(before);
            enum fr_status st = store_open(&o, &s, &err);
            fingerprint(after);
            bool right = st != FR_OK && (!cases[i].code || strcmp(err.code, cases[i].code) == 0) && strstr(err.text, cases[i].says) && strcmp(before, after) == 0;
            if (!right) printf("  %s: %s (%s)%s\n", cases[i].name, st == FR_OK ? "opened" : err.text, st == FR_OK ? "" : err.code, strcmp(before, after) ? ", and something was changed" : "");
            CHECK(right);
            if (st == FR_OK) store_close(s);
        }
    }
}

static void test_a_sound_folder_opens_and_looking_leaves_no_trace(void)
{
    char before[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
    struct store *s = NULL;
    int64_t rows = 0;
    test_folder_new();
    folder_make(100);
    pid_t child = fork();                          // a host that was killed leaves its log
    if (child == 0) {
        int more = 50;
        s = test_open(NULL);
        _exit(store_now(s, fill_job, &more, &err) == FR_OK ? 0 : 1);
    }
    int how = 0;
    CHECK(waitpid(child, &how, 0) == child && how == 0);
    CHECK(access(wal_path(), F_OK) == 0);
    fingerprint(before);
    CHECK(store_open(&(struct store_options){ .folder = test_path("data"), .read_only = true, .check = check_refuses }, &s, &err) == FR_OK);
    CHECK(store_now(s, count_job, &rows, &err) == FR_OK);
    CHECK_INT(rows, 150);
    store_close(s);
    fingerprint(after);
    CHECK_TEXT(before, after);
    s = test_open(NULL);
    CHECK(store_now(s, count_job, &rows, &err) == FR_OK);
    CHECK_INT(rows, 150);
    test_close(s, NULL);
    CHECK(store_network_disk(0x6969) && store_network_disk((long)0xff534d42) && store_network_disk((long)(int)0xfe534d42) && !store_network_disk(0xef53) && !store_network_disk(0x01021994));
}

// ---- damage while running

struct told { store_job_fn *fn; void *arg; enum fr_status status; char code[40]; int count; };

static enum fr_status told_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct told *t = arg;
    return t->fn(txn, t->arg, e);
}

static void on_told(void *arg, enum fr_status status, const struct fr_err *e)
{
    struct told *t = arg;
    t->status = status;
    if (e) snprintf(t->code, sizeof t->code, "%s", e->code);
    t->count++;
}

static struct told ask(struct store *s, uv_loop_t *loop, bool write, store_job_fn *fn, void *arg)
{
    struct told t = { .fn = fn, .arg = arg };
    CHECK((write ? store_run(s, told_job, &t, on_told, &err) : store_read(s, told_job, &t, on_told, &err)) == FR_OK);
    uv_run(loop, UV_RUN_DEFAULT);
    CHECK_INT(t.count, 1);
    return t;
}

// Touches only the file's first pages, which stay sound.
static enum fr_status elsewhere_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    FR_SQL_ROW(row);
    (void)arg;
    FR_TRY(sql_begin(txn, "UPDATE migration SET at_ms = at_ms + 1", &row, e));
    return sql_do(row, NULL, e);
}

static void test_after_damage_nothing_is_written(void)
{
    uv_loop_t loop;
    char before[SHA256_HEX_BYTES], after[SHA256_HEX_BYTES];
    int more = 5;
    int64_t rows;
    struct told t;
    test_folder_new();
    folder_make(400);
    uv_loop_init(&loop);
    struct store *s = test_open(&loop);
    CHECK(ask(s, &loop, true, fill_job, &more).status == FR_OK);
    CHECK(!store_stats(s).damaged);
    struct stat st;
    CHECK(stat(db_path(), &st) == 0);
    for (long at = 4096 * 5; at < st.st_size; at += 4096) write_at(db_path(), junk, 64, at);
    t = ask(s, &loop, false, count_job, &rows);
    CHECK_INT(t.status, FR_E_CORRUPT);
    CHECK_TEXT(t.code, "store_damaged");
    CHECK(store_stats(s).damaged);
    char shm[700], aside[700];                     // the log's index is no data
    snprintf(shm, sizeof shm, "%s", test_path("data/" STORE_FILE "-shm"));
    snprintf(aside, sizeof aside, "%s", test_path("shm"));
    CHECK(rename(shm, aside) == 0);
    fingerprint(before);
    CHECK(rename(aside, shm) == 0);
    t = ask(s, &loop, true, elsewhere_job, NULL);
    CHECK_INT(t.status, FR_E_CORRUPT);
    CHECK_TEXT(t.code, "store_damaged");
    CHECK(store_now(s, elsewhere_job, NULL, &err) == FR_E_CORRUPT);
    test_close(s, &loop);
    CHECK(access(wal_path(), F_OK) == 0);          // not moved into the damaged file
    unlink(test_path("data/" STORE_FILE "-shm"));
    fingerprint(after);
    CHECK_TEXT(before, after);
    uv_loop_close(&loop);
}

// ---- copies

struct copying { struct store_copy_watch watch; char to[700]; int64_t rows; };

static enum fr_status copy_job(struct store_txn *txn, void *arg, struct fr_err *e)
{
    struct copying *c = arg;
    FR_TRY(count_job(txn, &c->rows, e));
    return store_copy(txn, c->to, &c->watch, e);
}

static struct store *writer_store;
static _Atomic bool writing;

static void *writer(void *arg)
{
    int few = 3;
    struct fr_err e;
    while (writing) CHECK(store_now(writer_store, fill_job, &few, &e) == FR_OK);
    return arg;
}

static void test_a_copy_is_one_commit_whatever_is_written_meanwhile(void)
{
    uv_loop_t loop;
    int64_t rows = 0;
    int last = 0;
    test_folder_new();
    folder_make(30000);                            // some 13 MiB: many steps
    uv_loop_init(&loop);
    writer_store = test_open(&loop);
    writing = true;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, writer, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        struct copying c = { 0 };
        struct store *copy = NULL;
        bool older = true;
        snprintf(c.to, sizeof c.to, "%s", test_path("copy.db"));
        unlink(c.to);
        CHECK(store_aside(writer_store, copy_job, &c, &err) == FR_OK);
        CHECK(c.watch.pages > 1000);
        CHECK_INT(c.watch.pages_done, c.watch.pages);
        CHECK(store_open_copy(c.to, &copy, &older, &err) == FR_OK && !older);
        CHECK(store_now(copy, count_job, &rows, &err) == FR_OK);
        CHECK_INT(rows, c.rows);
        CHECK(rows % 3 == 0 && rows >= last);
        last = (int)rows;
        store_close(copy);
        struct stat st;
        CHECK(stat(c.to, &st) == 0 && (st.st_mode & 0777) == 0600);
        CHECK(store_aside(writer_store, copy_job, &c, &err) == FR_E_CONFLICT);     // never over another file
        CHECK_TEXT(err.code, "exists");
    }
    writing = false;
    pthread_join(thread, NULL);
    test_close(writer_store, &loop);
    uv_loop_close(&loop);
}

static enum fr_status health_job(struct store_txn *txn, void *arg, struct fr_err *e) { return store_health(txn, true, arg, e); }

static void test_a_copy_can_be_stopped_and_health_finds_what_is_wrong(void)
{
    struct store_health h;
    test_folder_new();
    folder_make(3000);
    struct store *s = test_open(NULL);
    struct copying c = { .watch.stop = true };
    snprintf(c.to, sizeof c.to, "%s", test_path("copy.db"));
    CHECK(store_aside(s, copy_job, &c, &err) == FR_E_TIMEOUT);
    CHECK_TEXT(err.code, "stopped");
    CHECK(store_now(s, health_job, &h, &err) == FR_OK);
    CHECK_TEXT(h.fault, "");
    CHECK(h.pages > 100 && h.page_bytes == 4096);
    test_close(s, NULL);
    sql(db_path(), "PRAGMA foreign_keys=OFF; INSERT INTO e VALUES(999999)");
    s = test_open(NULL);
    CHECK(store_now(s, health_job, &h, &err) == FR_OK);
    CHECK(strstr(h.fault, "of table e refers to a row of d") != NULL);
    test_close(s, NULL);
}

int main(void)
{
    store_register(steps, 2);
    TEST(test_each_is_refused_and_nothing_is_changed);
    TEST(test_a_sound_folder_opens_and_looking_leaves_no_trace);
    TEST(test_after_damage_nothing_is_written);
    TEST(test_a_copy_is_one_commit_whatever_is_written_meanwhile);
    TEST(test_a_copy_can_be_stopped_and_health_finds_what_is_wrong);
    test_folder_drop();
    return TEST_END();
}
