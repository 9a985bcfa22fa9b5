// sql.c — statements inside a job: prepared once per connection, found again by the address of their literal.
#include <assert.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "store/internal.h"

// ---- the cache

static size_t literal_slot(const char *sql)
{
    return (size_t)(((uintptr_t)sql * 0x9E3779B97F4A7C15ULL) >> 32) & (STORE_LITERALS_MAX - 1);
}

static struct store_row **row_find(struct store_txn *txn, const char *sql)
{
    size_t at = literal_slot(sql);
    for (int tries = 0; tries < STORE_LITERALS_MAX; tries++, at = (at + 1) & (STORE_LITERALS_MAX - 1)) {
        if (!txn->rows[at].sql) txn->rows[at].sql = sql;
        if (txn->rows[at].sql == sql) return &txn->rows[at].row;
    }
    assert(!"more SQL literals than STORE_LITERALS_MAX");
    return NULL;
}

static enum fr_status row_prepare(struct store_txn *txn, const char *sql, struct store_row **ret, struct fr_err *err)
{
    struct store_row *row = fr_alloc(sizeof *row);
    if (!row) return conn_fail(NULL, SQLITE_NOMEM, sql, err);
    int rc = sqlite3_prepare_v3(txn->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &row->stmt, NULL);
    if (rc != SQLITE_OK) {
        fr_free(row);
        return conn_fail(txn, rc, sql, err);
    }
    assert(row->stmt);                             // an empty literal is our slip
    row->txn = txn;
    *ret = row;
    return FR_OK;
}

static void row_activate(struct store_row *row)
{
    row->active = true;
    row->bind_rc = SQLITE_OK;
    row->prev_active = NULL;
    row->next_active = row->txn->active;
    if (row->next_active) row->next_active->prev_active = row;
    row->txn->active = row;
}

enum fr_status sql_begin(struct store_txn *txn, const char *sql, struct store_row **ret, struct fr_err *err)
{
    if (txn->deadline_us != 0 && fr_mono_us() > txn->deadline_us)
        return conn_fail(txn, SQLITE_INTERRUPT, "read", err);    // many short statements are a long read, too
    struct store_row **slot = row_find(txn, sql);
    while (*slot && (*slot)->active) slot = &(*slot)->twin;
    if (!*slot) FR_TRY(row_prepare(txn, sql, slot, err));
    assert(strcmp(sqlite3_sql((*slot)->stmt), sql) == 0);        // a reused buffer instead of a literal
    row_activate(*slot);
    *ret = *slot;
    return FR_OK;
}

void sql_end(struct store_row *row)
{
    if (!row || !row->active) return;
    sqlite3_reset(row->stmt);                                    // its error was reported by sql_step
    sqlite3_clear_bindings(row->stmt);                           // texts were borrowed until now
    if (row->prev_active) row->prev_active->next_active = row->next_active;
    else row->txn->active = row->next_active;
    if (row->next_active) row->next_active->prev_active = row->prev_active;
    row->active = false;
}

void sql_end_all(struct store_txn *c)
{
    while (c->active) sql_end(c->active);
}

void sql_forget_all(struct store_txn *c)
{
    sql_end_all(c);
    for (int i = 0; i < STORE_LITERALS_MAX; i++) {
        for (struct store_row *row = c->rows[i].row, *twin; row; row = twin) {
            twin = row->twin;
            sqlite3_finalize(row->stmt);
            fr_free(row);
        }
        c->rows[i].row = NULL;
    }
}

// ---- bind, step, read

static void bind_note(struct store_row *row, int rc)
{
    assert(row->active && rc != SQLITE_RANGE && rc != SQLITE_MISUSE);
    if (row->bind_rc == SQLITE_OK) row->bind_rc = rc;
}

void sql_bind_int(struct store_row *row, int at, int64_t value) { bind_note(row, sqlite3_bind_int64(row->stmt, at, value)); }
void sql_bind_real(struct store_row *row, int at, double value) { bind_note(row, sqlite3_bind_double(row->stmt, at, value)); }
void sql_bind_null(struct store_row *row, int at) { bind_note(row, sqlite3_bind_null(row->stmt, at)); }

void sql_bind_text(struct store_row *row, int at, const char *text)
{
    bind_note(row, sqlite3_bind_text(row->stmt, at, text, -1, SQLITE_STATIC));
}

void sql_bind_bytes(struct store_row *row, int at, const void *bytes, size_t len)
{
    bind_note(row, sqlite3_bind_blob64(row->stmt, at, len ? bytes : "", len, SQLITE_STATIC));    // NULL would bind NULL
}

enum fr_status sql_step(struct store_row *row, bool *has_row, struct fr_err *err)
{
    assert(row->active);
    int rc = row->bind_rc == SQLITE_OK ? sqlite3_step(row->stmt) : row->bind_rc;
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
        *has_row = rc == SQLITE_ROW;
        return FR_OK;
    }
    char doing[120];
    snprintf(doing, sizeof doing, "%.100s", sqlite3_sql(row->stmt));
    enum fr_status st = conn_fail(row->txn, rc, doing, err);
    sql_end(row);
    return st;
}

int64_t sql_int(struct store_row *row, int col) { return sqlite3_column_int64(row->stmt, col); }
double sql_real(struct store_row *row, int col) { return sqlite3_column_double(row->stmt, col); }
const char *sql_text(struct store_row *row, int col) { return (const char *)sqlite3_column_text(row->stmt, col); }
bool sql_is_null(struct store_row *row, int col) { return sqlite3_column_type(row->stmt, col) == SQLITE_NULL; }

const void *sql_bytes(struct store_row *row, int col, size_t *len)
{
    const void *bytes = sqlite3_column_blob(row->stmt, col);     // before the length, as SQLite wants it
    *len = (size_t)sqlite3_column_bytes(row->stmt, col);
    return bytes ? bytes : "";
}

enum fr_status sql_fixed(struct store_row *row, int col, void *out, size_t len, struct fr_err *err)
{
    size_t have = 0;
    const void *bytes = sql_bytes(row, col, &have);
    if (!bytes || have != len) return FR_FAIL(err, FR_E_CORRUPT, "a stored value of %zu bytes, not %zu", have, len);
    memcpy(out, bytes, len);
    return FR_OK;
}

enum fr_status sql_do(struct store_row *row, int64_t *changed, struct fr_err *err)
{
    bool has_row = false;
    FR_TRY(sql_step(row, &has_row, err));
    if (changed) *changed = sqlite3_changes64(row->txn->db);
    sql_end(row);
    return FR_OK;
}

int64_t sql_last_id(struct store_txn *txn)
{
    return sqlite3_last_insert_rowid(txn->db);
}

// ---- savepoints of a job's own. One name is enough: SQLite means the innermost.

static enum fr_status savepoint_do(struct store_txn *txn, const char *sql_literal, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, sql_literal, &row, err));
    return sql_do(row, NULL, err);
}

enum fr_status sql_savepoint(struct store_txn *txn, struct fr_err *err)
{
    FR_TRY(savepoint_do(txn, "SAVEPOINT own", err));
    txn->depth++;
    return FR_OK;
}

enum fr_status sql_release(struct store_txn *txn, struct fr_err *err)
{
    assert(txn->depth > 0);
    FR_TRY(savepoint_do(txn, "RELEASE own", err));
    txn->depth--;
    return FR_OK;
}

enum fr_status sql_rollback(struct store_txn *txn, struct fr_err *err)
{
    assert(txn->depth > 0);
    scratch_clear(txn);
    FR_TRY(savepoint_do(txn, "ROLLBACK TO own", err));
    return sql_release(txn, err);
}

// ---- scratch

void *store_scratch(struct store_txn *txn, const void *owner, size_t len)
{
    for (int i = 0; i < STORE_SCRATCH_MAX; i++) {
        struct scratch *s = &txn->scratch[i];
        if (s->owner == owner) {
            assert(s->len == len);
            return s->bytes;
        }
        if (s->owner) continue;
        *s = (struct scratch){ .owner = owner, .bytes = fr_must_alloc(len), .len = len };
        return s->bytes;
    }
    assert(!"more owners than STORE_SCRATCH_MAX");
    return NULL;
}

void scratch_clear(struct store_txn *c)
{
    for (int i = 0; i < STORE_SCRATCH_MAX; i++)
        if (c->scratch[i].owner) memset(c->scratch[i].bytes, 0, c->scratch[i].len);
}

void scratch_free(struct store_txn *c)
{
    for (int i = 0; i < STORE_SCRATCH_MAX; i++) fr_free(c->scratch[i].bytes);
}
