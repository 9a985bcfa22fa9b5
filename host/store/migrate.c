// migrate.c — brings a database to this program's shape, one remembered step at a time.
#include "store/migrate.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "store/internal.h"

#define MODULES_MAX 64

static struct { const struct store_migration *steps; int count; } modules[MODULES_MAX];
static int module_count;

void store_register(const struct store_migration *steps, int count)
{
    assert(count > 0 && module_count < MODULES_MAX);
    for (int i = 0; i < count; i++) assert(steps[i].number == i + 1 && strcmp(steps[i].module, steps[0].module) == 0);
    for (int i = 0; i < module_count; i++) {
        if (modules[i].steps == steps) return;
        assert(strcmp(modules[i].steps[0].module, steps[0].module) != 0);
    }
    modules[module_count].steps = steps;
    modules[module_count++].count = count;
}

void store_forget_registered(void) { module_count = 0; }

static void step_hash(const struct store_migration *step, char out[SHA256_HEX_BYTES])
{
    uint8_t hash[SHA256_BYTES];
    fr_sha256(step->sql, strlen(step->sql), hash);
    fr_hex(hash, sizeof hash, out);
}

// ---- has the database steps that we do not know?

static int module_steps(const char *module)
{
    for (int i = 0; i < module_count; i++)
        if (strcmp(modules[i].steps[0].module, module) == 0) return modules[i].count;
    return 0;
}

static enum fr_status refuse_newer(struct store_txn *c, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(c, "SELECT module, max(number) FROM migration GROUP BY module", &row, err));
    for (;;) {
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        int known = module_steps(sql_text(row, 0));
        if (sql_int(row, 1) > known)
            return FR_FAIL_CODE(err, FR_E_CONFLICT, "store_newer", "the database is newer than this program: %s is at step %lld, the program knows %d; start the newer program",
                                sql_text(row, 0), (long long)sql_int(row, 1), known);
    }
}

// ---- one step

static enum fr_status step_done(struct store_txn *c, const struct store_migration *step, bool *done, struct fr_err *err)
{
    char hash[SHA256_HEX_BYTES];
    step_hash(step, hash);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(c, "SELECT sha256 FROM migration WHERE module = ?1 AND number = ?2", &row, err));
    sql_bind_text(row, 1, step->module);
    sql_bind_int(row, 2, step->number);
    FR_TRY(sql_step(row, done, err));
    if (*done && strcmp(sql_text(row, 0), hash) != 0)
        return FR_FAIL_CODE(err, FR_E_CORRUPT, "migration_changed", "step %d of %s was changed after this database ran it: put the old text back and add a new step",
                            step->number, step->module);
    return FR_OK;
}

static enum fr_status step_note(struct store_txn *c, const struct store_migration *step, struct fr_err *err)
{
    char hash[SHA256_HEX_BYTES];
    step_hash(step, hash);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(c, "INSERT INTO migration(module, number, sha256, at_ms) VALUES(?1, ?2, ?3, ?4)", &row, err));
    sql_bind_text(row, 1, step->module);
    sql_bind_int(row, 2, step->number);
    sql_bind_text(row, 3, hash);
    sql_bind_int(row, 4, fr_now_ms());
    return sql_do(row, NULL, err);
}

static enum fr_status step_run(struct store_txn *c, const struct store_migration *step, struct fr_err *err)
{
    FR_TRY(conn_begin(c, err));
    enum fr_status st = conn_exec(c, step->sql, err);
    if (st == FR_OK) st = step_note(c, step, err);
    if (st == FR_OK) st = conn_commit(c, err);
    else conn_rollback(c);
    if (st != FR_OK) return fr_err_note(err, "step %d of %s", step->number, step->module);
    return FR_OK;
}

static enum fr_status table_there(struct store_txn *c, bool *there, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(c, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'", &row, err));
    return sql_step(row, there, err);
}

#define TABLE_SQL "CREATE TABLE migration(module TEXT NOT NULL, number INTEGER NOT NULL, sha256 TEXT NOT NULL, at_ms INTEGER NOT NULL," \
                  " PRIMARY KEY(module, number)) STRICT, WITHOUT ROWID"

static enum fr_status table_make(struct store_txn *c, struct fr_err *err)
{
    char sql[300];
    snprintf(sql, sizeof sql, "PRAGMA application_id=%d; " TABLE_SQL, STORE_APPLICATION_ID);
    return conn_exec(c, sql, err);
}

// ---- is everything there that the steps of the past made? They are run again in memory, and the two are compared by name.

static enum fr_status model_make(struct store_txn *c, sqlite3 *model, int *pending, struct fr_err *err)
{
    int rc = sqlite3_exec(model, TABLE_SQL, NULL, NULL, NULL);
    for (int m = 0; m < module_count && rc == SQLITE_OK; m++) {
        for (int i = 0; i < modules[m].count && rc == SQLITE_OK; i++) {
            bool done = false;
            FR_TRY(step_done(c, &modules[m].steps[i], &done, err));
            if (done) rc = sqlite3_exec(model, modules[m].steps[i].sql, NULL, NULL, NULL);
            else (*pending)++;
        }
    }
    return rc == SQLITE_OK ? FR_OK : FR_FAIL(err, rc == SQLITE_NOMEM ? FR_E_NOMEM : FR_E_INTERNAL, "the schema cannot be made in memory: %s", sqlite3_errmsg(model));
}

static enum fr_status name_there(struct store_txn *c, const char *type, const char *name, bool *there, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(c, "SELECT 1 FROM sqlite_schema WHERE type = ?1 AND name = ?2", &row, err));
    sql_bind_text(row, 1, type);
    sql_bind_text(row, 2, name);
    return sql_step(row, there, err);
}

static enum fr_status model_compare(struct store_txn *c, sqlite3 *model, const char *path, struct fr_err *err)
{
    sqlite3_stmt *names = NULL;
    enum fr_status st = FR_OK;
    int rc = sqlite3_prepare_v2(model, "SELECT type, name FROM sqlite_schema", -1, &names, NULL);
    while (st == FR_OK && rc == SQLITE_OK && sqlite3_step(names) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(names, 0), *name = (const char *)sqlite3_column_text(names, 1);
        char how[120];
        bool there = false;
        st = name_there(c, type, name, &there, err);
        snprintf(how, sizeof how, "its %s %s is missing", type, name);
        if (st == FR_OK && !there) st = conn_damaged(path, how, err);
    }
    sqlite3_finalize(names);
    return st;
}

enum fr_status migrate_look(struct store_txn *c, const char *path, int *pending, struct fr_err *err)
{
    bool there = false, used = false;
    *pending = 0;
    FR_TRY(table_there(c, &there, err));
    if (!there) {
        FR_SQL_ROW(row);
        FR_TRY(sql_begin(c, "SELECT 1 FROM sqlite_schema", &row, err));
        FR_TRY(sql_step(row, &used, err));
        *pending = 1;
        return used ? conn_damaged(path, "its table migration is missing", err) : FR_OK;
    }
    FR_TRY(refuse_newer(c, err));
    sqlite3 *model = NULL;
    enum fr_status st = sqlite3_open(":memory:", &model) == SQLITE_OK ? model_make(c, model, pending, err) : FR_FAIL(err, FR_E_NOMEM, "no memory for the schema");
    if (st == FR_OK) st = model_compare(c, model, path, err);
    sqlite3_close(model);
    return st;
}

// Writes nothing when there is nothing to do: a host must be able to start on a full disk, to be looked at.
enum fr_status migrate_all(struct store_txn *c, struct fr_err *err)
{
    bool there = false;
    FR_TRY(table_there(c, &there, err));
    if (!there) FR_TRY(table_make(c, err));
    for (int m = 0; m < module_count; m++) {
        for (int i = 0; i < modules[m].count; i++) {
            bool done = false;
            FR_TRY(step_done(c, &modules[m].steps[i], &done, err));
            if (!done) FR_TRY(step_run(c, &modules[m].steps[i], err));
        }
    }
    return FR_OK;
}
