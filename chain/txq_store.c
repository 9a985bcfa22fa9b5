// txq_store.c — the tables of the transaction manager. Each change says what it expects of the rows, so that a machine that was wrong could change nothing.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "chain/keccak.h"
#include "chain/txq_inside.h"
#include "store/migrate.h"

static const struct store_migration steps[] = {
    { "txq", 1,
      "CREATE TABLE txq_head(queue INTEGER PRIMARY KEY, address BLOB NOT NULL, chain_id INTEGER NOT NULL, next_nonce INTEGER NOT NULL, final_nonce INTEGER NOT NULL, final_block INTEGER NOT NULL,"
      " spend_day INTEGER NOT NULL, spend BLOB NOT NULL, known INTEGER NOT NULL, paused INTEGER NOT NULL, halted INTEGER NOT NULL, why TEXT NOT NULL, CHECK (final_nonce <= next_nonce)) STRICT;"
      "CREATE TABLE txq_payment(id INTEGER PRIMARY KEY AUTOINCREMENT, queue INTEGER NOT NULL, name TEXT NOT NULL UNIQUE, receiver BLOB NOT NULL, value BLOB NOT NULL, data BLOB NOT NULL, gas INTEGER NOT NULL,"
      " cancel INTEGER NOT NULL DEFAULT 0, nonce INTEGER, ended INTEGER NOT NULL DEFAULT 0, made_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL DEFAULT 0, hash BLOB, block INTEGER NOT NULL DEFAULT 0,"
      " UNIQUE(queue, nonce)) STRICT;"
      "CREATE INDEX txq_payment_open ON txq_payment(queue, id) WHERE ended = 0;"
      "CREATE TABLE txq_nonce(queue INTEGER NOT NULL, nonce INTEGER NOT NULL, payment INTEGER REFERENCES txq_payment(id), ended INTEGER NOT NULL DEFAULT 0, hash BLOB, block INTEGER NOT NULL DEFAULT 0,"
      " PRIMARY KEY(queue, nonce)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE txq_attempt(id INTEGER PRIMARY KEY, queue INTEGER NOT NULL, nonce INTEGER NOT NULL, hash BLOB NOT NULL UNIQUE, pays INTEGER NOT NULL, legacy INTEGER NOT NULL, max_fee BLOB NOT NULL, tip BLOB NOT NULL,"
      " gas INTEGER NOT NULL, value BLOB NOT NULL, raw BLOB NOT NULL, saved_ms INTEGER NOT NULL, FOREIGN KEY(queue, nonce) REFERENCES txq_nonce(queue, nonce)) STRICT;"
      "CREATE INDEX txq_attempt_nonce ON txq_attempt(queue, nonce, id)" },
};

void txq_register(void) { store_register(steps, (int)(sizeof steps / sizeof steps[0])); }

// ---- values

struct word { uint8_t bytes[U256_BYTES]; };                  // lives until the statement has run
static const struct word *word_of(struct word *w, struct u256 value)
{
    u256_to_bytes(value, w->bytes);
    return w;
}
static void bind_word(struct store_row *row, int at, const struct word *w) { sql_bind_bytes(row, at, w->bytes, sizeof w->bytes); }

static enum fr_status read_word(struct store_row *row, int col, struct u256 *ret, struct fr_err *err)
{
    uint8_t bytes[U256_BYTES];
    FR_TRY(sql_fixed(row, col, bytes, sizeof bytes, err));
    *ret = u256_from_bytes(bytes);
    return FR_OK;
}

static enum fr_status expect(int64_t changed, const char *what, struct fr_err *err)
{
    return changed == 1 ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "txq_state", "%s: %lld rows were as expected", what, (long long)changed);
}

// ---- payments

static enum fr_status ask_check(const struct txq_ask *ask, struct fr_err *err)
{
    size_t len = strnlen(ask->name, sizeof ask->name);
    if (ask->queue < 1 || ask->queue > TXQ_QUEUES_MAX) return FR_FAIL(err, FR_E_INVALID, "queue %d", ask->queue);
    if (len == 0 || len > TXQ_NAME_BYTES_MAX) return FR_FAIL(err, FR_E_INVALID, "a payment's name has 1 to %d bytes", TXQ_NAME_BYTES_MAX);
    if (ask->data_len > TXQ_DATA_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "payment %s has %zu bytes of data, %d are the most", ask->name, ask->data_len, TXQ_DATA_BYTES_MAX);
    if (ask->gas > TXQ_GAS_MAX) return FR_FAIL(err, FR_E_LIMIT, "payment %s asks for %llu gas, %d are the most", ask->name, (unsigned long long)ask->gas, TXQ_GAS_MAX);
    if (address_is_zero(&ask->to)) return FR_FAIL(err, FR_E_INVALID, "payment %s goes to the zero address", ask->name);
    return FR_OK;
}

static enum fr_status put_find(struct store_txn *txn, const struct txq_ask *ask, int64_t *id, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    struct address to;
    struct u256 value = { { 0 } };
    size_t len = 0;
    *id = 0;
    FR_TRY(sql_begin(txn, "SELECT id, queue, receiver, value, data, gas FROM txq_payment WHERE name = ?1", &row, err));
    sql_bind_text(row, 1, ask->name);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_OK;
    FR_TRY(sql_fixed(row, 2, to.bytes, sizeof to.bytes, err));
    FR_TRY(read_word(row, 3, &value, err));
    const void *data = sql_bytes(row, 4, &len);
    if (sql_int(row, 1) != ask->queue || !address_equal(&to, &ask->to) || u256_compare(value, ask->value) != 0 || len != ask->data_len || (len && memcmp(data, ask->data, len) != 0) || (uint64_t)sql_int(row, 5) != ask->gas)
        return FR_FAIL_CODE(err, FR_E_CONFLICT, "key_reused", "%s already names another payment", ask->name);
    *id = sql_int(row, 0);
    return FR_OK;
}

enum fr_status txq_put(struct store_txn *txn, const struct txq_ask *ask, int64_t now_ms, int64_t *id, struct fr_err *err)
{
    int64_t found = 0;
    struct word value;
    bool any = false;
    FR_TRY(ask_check(ask, err));
    FR_TRY(put_find(txn, ask, &found, err));
    if (found) {
        *id = found;
        return FR_OK;
    }
    FR_SQL_ROW(count);
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM txq_payment WHERE queue = ?1 AND ended = 0", &count, err));
    sql_bind_int(count, 1, ask->queue);
    FR_TRY(sql_step(count, &any, err));
    if (sql_int(count, 0) >= TXQ_PAYMENTS_MAX) return FR_FAIL_CODE(err, FR_E_BUSY, "txq_full", "%d payments are waiting to be final", TXQ_PAYMENTS_MAX);
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO txq_payment(queue, name, receiver, value, data, gas, made_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", &row, err));
    sql_bind_int(row, 1, ask->queue);
    sql_bind_text(row, 2, ask->name);
    sql_bind_bytes(row, 3, ask->to.bytes, sizeof ask->to.bytes);
    bind_word(row, 4, word_of(&value, ask->value));
    sql_bind_bytes(row, 5, ask->data_len ? (const void *)ask->data : "", ask->data_len);
    sql_bind_int(row, 6, (int64_t)ask->gas);
    sql_bind_int(row, 7, now_ms);
    FR_TRY(sql_do(row, NULL, err));
    *id = sql_last_id(txn);
    return FR_OK;
}

#define ROW_COLUMNS "id, name, ended, cancel, nonce, hash, block, made_ms, ended_ms"
static enum fr_status row_read(struct store_row *row, struct txq_payment_row *ret, struct fr_err *err)
{
    *ret = (struct txq_payment_row){ .id = sql_int(row, 0), .end = (enum txq_end)sql_int(row, 2), .cancel = (enum txq_cancel)sql_int(row, 3), .has_nonce = !sql_is_null(row, 4), .nonce = (uint64_t)sql_int(row, 4),
                                     .block = (uint64_t)sql_int(row, 6), .made_ms = sql_int(row, 7), .ended_ms = sql_int(row, 8) };
    snprintf(ret->name, sizeof ret->name, "%s", sql_text(row, 1));
    return sql_is_null(row, 5) ? FR_OK : sql_fixed(row, 5, ret->hash, 32, err);
}

enum fr_status txq_find(struct store_txn *txn, const char *name, struct txq_payment_row *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " ROW_COLUMNS " FROM txq_payment WHERE name = ?1", &row, err));
    sql_bind_text(row, 1, name);
    FR_TRY(sql_step(row, found, err));
    return *found ? row_read(row, ret, err) : FR_OK;
}

static enum fr_status row_of(struct store_txn *txn, int64_t id, struct txq_payment_row *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT " ROW_COLUMNS " FROM txq_payment WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, id);
    FR_TRY(sql_step(row, &found, err));
    return found ? row_read(row, ret, err) : FR_FAIL(err, FR_E_NOT_FOUND, "there is no payment %lld", (long long)id);
}

enum fr_status txq_find_hash(struct store_txn *txn, const uint8_t hash[32], struct txq_payment_row *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT n.payment FROM txq_attempt a JOIN txq_nonce n ON n.queue = a.queue AND n.nonce = a.nonce WHERE a.hash = ?1 AND n.payment IS NOT NULL", &row, err));
    sql_bind_bytes(row, 1, hash, 32);
    FR_TRY(sql_step(row, found, err));
    return *found ? row_of(txn, sql_int(row, 0), ret, err) : FR_OK;
}

enum fr_status txq_cancel(struct store_txn *txn, int64_t id, enum txq_cancel how, struct fr_err *err)
{
    struct txq_payment_row have;
    FR_TRY(row_of(txn, id, &have, err));
    if (have.end != TXQ_NOT_ENDED) return FR_FAIL_CODE(err, FR_E_CONFLICT, "txq_ended", "payment %lld has ended", (long long)id);
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE txq_payment SET cancel = ?2 WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, id);
    sql_bind_int(row, 2, how);
    return sql_do(row, NULL, err);
}

// ---- loading

static enum fr_status load_head(struct store_txn *txn, int queue, const struct address *address, uint64_t chain_id, struct txq_head *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    struct address of;
    FR_TRY(sql_begin(txn, "SELECT address, chain_id, next_nonce, final_nonce, final_block, spend_day, spend, known, paused, halted, why FROM txq_head WHERE queue = ?1", &row, err));
    sql_bind_int(row, 1, queue);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_OK;
    FR_TRY(sql_fixed(row, 0, of.bytes, sizeof of.bytes, err));
    if (!address_equal(&of, address) || (uint64_t)sql_int(row, 1) != chain_id) {
        char text[ADDRESS_TEXT_BYTES];
        return FR_FAIL_CODE(err, FR_E_CONFLICT, "txq_other_key", "queue %d is %s's on chain %lld", queue, address_text(&of, text), (long long)sql_int(row, 1));
    }
    *ret = (struct txq_head){ .next_nonce = (uint64_t)sql_int(row, 2), .final_nonce = (uint64_t)sql_int(row, 3), .final_block = (uint64_t)sql_int(row, 4), .spend_day = sql_int(row, 5), .known = sql_int(row, 7), .paused = sql_int(row, 8),
                              .halted = sql_int(row, 9) };
    snprintf(ret->why, sizeof ret->why, "%s", sql_text(row, 10));
    return read_word(row, 6, &ret->spend, err);
}

static enum fr_status load_payments(struct store_txn *txn, int queue, struct txq_rows *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    ret->payments = fr_alloc(TXQ_PAYMENTS_MAX * sizeof *ret->payments);
    if (!ret->payments) return FR_FAIL(err, FR_E_NOMEM, "no memory for payments");
    FR_TRY(sql_begin(txn, "SELECT id, gas, value, cancel, nonce FROM txq_payment WHERE queue = ?1 AND ended = 0 ORDER BY id", &row, err));
    sql_bind_int(row, 1, queue);
    for (bool more = false;;) {
        FR_TRY(sql_step(row, &more, err));
        if (!more) return FR_OK;
        if (ret->payment_count == TXQ_PAYMENTS_MAX) return FR_FAIL(err, FR_E_CORRUPT, "more than %d payments are open", TXQ_PAYMENTS_MAX);
        struct txq_payment *p = &ret->payments[ret->payment_count++];
        *p = (struct txq_payment){ .id = sql_int(row, 0), .gas = (uint64_t)sql_int(row, 1), .cancel = (enum txq_cancel)sql_int(row, 3), .has_nonce = !sql_is_null(row, 4), .nonce = (uint64_t)sql_int(row, 4) };
        FR_TRY(read_word(row, 2, &p->value, err));
    }
}

static enum fr_status load_attempts(struct store_txn *txn, int queue, struct txq_rows *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT a.nonce, n.payment, a.hash, a.pays, a.legacy, a.max_fee, a.tip, a.gas, a.value, a.saved_ms FROM txq_nonce n JOIN txq_attempt a ON a.queue = n.queue AND a.nonce = n.nonce"
                          " WHERE n.queue = ?1 AND n.ended = 0 AND n.nonce >= ?2 ORDER BY a.nonce, a.id", &row, err));
    sql_bind_int(row, 1, queue);
    sql_bind_int(row, 2, (int64_t)ret->head.final_nonce);
    for (bool more = false;;) {
        FR_TRY(sql_step(row, &more, err));
        if (!more) return FR_OK;
        if (ret->attempt_count == (int)(sizeof ret->attempts / sizeof ret->attempts[0])) return FR_FAIL(err, FR_E_CORRUPT, "more transactions are open than fit");
        struct txq_attempt *a = &ret->attempts[ret->attempt_count].attempt;
        ret->attempts[ret->attempt_count].nonce = (uint64_t)sql_int(row, 0);
        ret->attempts[ret->attempt_count++].payment = sql_int(row, 1);
        *a = (struct txq_attempt){ .pays = sql_int(row, 3), .legacy = sql_int(row, 4), .gas = (uint64_t)sql_int(row, 7), .saved_ms = sql_int(row, 9) };
        FR_TRY(sql_fixed(row, 2, a->hash, 32, err));
        FR_TRY(read_word(row, 5, &a->fees.max_fee, err));
        FR_TRY(read_word(row, 6, &a->fees.tip, err));
        FR_TRY(read_word(row, 8, &a->value, err));
    }
}

enum fr_status txq_load(struct store_txn *txn, int queue, const struct address *address, uint64_t chain_id, bool payments_only, struct txq_rows *ret, struct fr_err *err)
{
    FR_TRY(load_payments(txn, queue, ret, err));
    if (payments_only) return FR_OK;
    FR_TRY(load_head(txn, queue, address, chain_id, &ret->head, err));
    return load_attempts(txn, queue, ret, err);
}

enum fr_status txq_load_call(struct store_txn *txn, int64_t payment, struct txq_call *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    size_t len = 0;
    fr_buf_init(&ret->data, TXQ_DATA_BYTES_MAX);
    FR_TRY(sql_begin(txn, "SELECT receiver, value, data, gas FROM txq_payment WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, payment);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL(err, FR_E_NOT_FOUND, "there is no payment %lld", (long long)payment);
    FR_TRY(sql_fixed(row, 0, ret->to.bytes, sizeof ret->to.bytes, err));
    FR_TRY(read_word(row, 1, &ret->value, err));
    const void *data = sql_bytes(row, 2, &len);
    if (len) fr_buf_add_bytes(&ret->data, data, len);
    ret->gas = (uint64_t)sql_int(row, 3);
    return fr_buf_check(&ret->data, "a payment's data", err);
}

enum fr_status txq_load_raw(struct store_txn *txn, const uint8_t hash[32], struct fr_buf *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    size_t len = 0;
    uint8_t is[32];
    fr_buf_init(ret, TX_BYTES_MAX);
    FR_TRY(sql_begin(txn, "SELECT raw FROM txq_attempt WHERE hash = ?1", &row, err));
    sql_bind_bytes(row, 1, hash, 32);
    FR_TRY(sql_step(row, &found, err));
    const void *raw = found ? sql_bytes(row, 0, &len) : NULL;
    keccak256(raw ? raw : "", len, is);
    if (!raw || memcmp(is, hash, 32) != 0) return FR_FAIL(err, FR_E_CORRUPT, "a stored transaction is not what was saved");
    fr_buf_add_bytes(ret, raw, len);
    return fr_buf_check(ret, "a transaction", err);
}

// ---- saving

static enum fr_status save_head(struct store_txn *txn, const struct txq_save *s, struct fr_err *err)
{
    const struct txq_head *h = &s->change.head;
    struct word spend;
    struct store_row *row = NULL;
    int64_t changed = 0;
    // Nonces only go up, whatever is asked.
    FR_TRY(sql_begin(txn, "INSERT INTO txq_head(queue, address, chain_id, next_nonce, final_nonce, final_block, spend_day, spend, known, paused, halted, why) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
                          " ON CONFLICT(queue) DO UPDATE SET next_nonce = ?4, final_nonce = ?5, final_block = ?6, spend_day = ?7, spend = ?8, known = ?9, paused = ?10, halted = ?11, why = ?12"
                          " WHERE address = ?2 AND chain_id = ?3 AND next_nonce <= ?4 AND final_nonce <= ?5", &row, err));
    sql_bind_int(row, 1, s->queue);
    sql_bind_bytes(row, 2, s->address.bytes, sizeof s->address.bytes);
    sql_bind_int(row, 3, (int64_t)s->chain_id);
    sql_bind_int(row, 4, (int64_t)h->next_nonce);
    sql_bind_int(row, 5, (int64_t)h->final_nonce);
    sql_bind_int(row, 6, (int64_t)h->final_block);
    sql_bind_int(row, 7, h->spend_day);
    bind_word(row, 8, word_of(&spend, h->spend));
    sql_bind_int(row, 9, h->known);
    sql_bind_int(row, 10, h->paused);
    sql_bind_int(row, 11, h->halted);
    sql_bind_text(row, 12, h->why);
    FR_TRY(sql_do(row, &changed, err));
    return expect(changed, "the queue's head", err);
}

static enum fr_status save_nonce(struct store_txn *txn, const struct txq_save *s, struct fr_err *err)
{
    const struct txq_change *c = &s->change;
    int64_t changed = 0;
    bool found = false;
    FR_SQL_ROW(have);
    FR_TRY(sql_begin(txn, "SELECT payment, ended FROM txq_nonce WHERE queue = ?1 AND nonce = ?2", &have, err));
    sql_bind_int(have, 1, s->queue);
    sql_bind_int(have, 2, (int64_t)c->nonce);
    FR_TRY(sql_step(have, &found, err));
    if (found) return expect(sql_int(have, 0) == c->payment && !sql_int(have, 1), "a nonce that was given", err);
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO txq_nonce(queue, nonce, payment) VALUES(?1, ?2, nullif(?3, 0))", &row, err));
    sql_bind_int(row, 1, s->queue);
    sql_bind_int(row, 2, (int64_t)c->nonce);
    sql_bind_int(row, 3, c->payment);
    FR_TRY(sql_do(row, NULL, err));
    if (!c->payment) return FR_OK;
    FR_TRY(sql_begin(txn, "UPDATE txq_payment SET nonce = ?3 WHERE id = ?1 AND queue = ?2 AND nonce IS NULL AND ended = 0", &row, err));
    sql_bind_int(row, 1, c->payment);
    sql_bind_int(row, 2, s->queue);
    sql_bind_int(row, 3, (int64_t)c->nonce);
    FR_TRY(sql_do(row, &changed, err));
    return expect(changed, "a payment without a nonce", err);
}

static enum fr_status save_attempt(struct store_txn *txn, const struct txq_save *s, struct fr_err *err)
{
    const struct txq_attempt *a = &s->change.attempt;
    struct word max_fee, tip, value;
    struct store_row *row = NULL;
    FR_TRY(save_nonce(txn, s, err));
    FR_TRY(sql_begin(txn, "INSERT INTO txq_attempt(queue, nonce, hash, pays, legacy, max_fee, tip, gas, value, raw, saved_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", &row, err));
    sql_bind_int(row, 1, s->queue);
    sql_bind_int(row, 2, (int64_t)s->change.nonce);
    sql_bind_bytes(row, 3, a->hash, 32);
    sql_bind_int(row, 4, a->pays);
    sql_bind_int(row, 5, a->legacy);
    bind_word(row, 6, word_of(&max_fee, a->fees.max_fee));
    bind_word(row, 7, word_of(&tip, a->fees.tip));
    sql_bind_int(row, 8, (int64_t)a->gas);
    bind_word(row, 9, word_of(&value, a->value));
    sql_bind_bytes(row, 10, s->raw, s->raw_len);
    sql_bind_int(row, 11, a->saved_ms);
    return sql_do(row, NULL, err);
}

static enum fr_status end_payment(struct store_txn *txn, const struct txq_save *s, struct fr_err *err)
{
    const struct txq_change *c = &s->change;
    struct store_row *row = NULL;
    int64_t changed = 0;
    bool had_nonce = c->kind == TXQ_SAVE_END;
    if (c->end == TXQ_NOT_ENDED) FR_TRY(sql_begin(txn, "UPDATE txq_payment SET nonce = NULL, cancel = 0 WHERE id = ?1 AND queue = ?2 AND ended = 0 AND nonce IS ?3", &row, err));
    else FR_TRY(sql_begin(txn, "UPDATE txq_payment SET ended = ?4, ended_ms = ?5, hash = ?6, block = ?7 WHERE id = ?1 AND queue = ?2 AND ended = 0 AND nonce IS ?3", &row, err));
    sql_bind_int(row, 1, c->payment);
    sql_bind_int(row, 2, s->queue);
    if (had_nonce) sql_bind_int(row, 3, (int64_t)c->nonce);
    else sql_bind_null(row, 3);
    if (c->end != TXQ_NOT_ENDED) {
        sql_bind_int(row, 4, c->end);
        sql_bind_int(row, 5, s->now_ms);
        sql_bind_bytes(row, 6, c->hash, 32);
        sql_bind_int(row, 7, (int64_t)c->block);
    }
    FR_TRY(sql_do(row, &changed, err));
    return expect(changed, "a payment that has not ended", err);
}

static enum fr_status end_nonce(struct store_txn *txn, const struct txq_save *s, struct fr_err *err)
{
    const struct txq_change *c = &s->change;
    struct store_row *row = NULL;
    int64_t changed = 0;
    FR_TRY(sql_begin(txn, "UPDATE txq_nonce SET ended = 1, hash = ?3, block = ?4 WHERE queue = ?1 AND nonce = ?2 AND ended = 0 AND payment IS nullif(?5, 0)", &row, err));
    sql_bind_int(row, 1, s->queue);
    sql_bind_int(row, 2, (int64_t)c->nonce);
    sql_bind_bytes(row, 3, c->hash, 32);
    sql_bind_int(row, 4, (int64_t)c->block);
    sql_bind_int(row, 5, c->payment);
    FR_TRY(sql_do(row, &changed, err));
    return expect(changed, "a nonce that has not ended", err);
}

enum fr_status txq_save(struct store_txn *txn, const struct txq_save *s, struct txq_payment_row *row, struct fr_err *err)
{
    const struct txq_change *c = &s->change;
    row->id = 0;
    FR_TRY(save_head(txn, s, err));
    if (c->kind == TXQ_SAVE_HEAD) return FR_OK;
    if (c->kind == TXQ_SAVE_ATTEMPT) return save_attempt(txn, s, err);
    if (c->kind == TXQ_SAVE_END) FR_TRY(end_nonce(txn, s, err));
    if (!c->payment) return FR_OK;
    FR_TRY(end_payment(txn, s, err));
    if (c->end == TXQ_NOT_ENDED) return FR_OK;
    FR_TRY(row_of(txn, c->payment, row, err));
    row->final_block = c->head.final_block > c->block ? c->head.final_block : c->block;
    return FR_OK;
}
