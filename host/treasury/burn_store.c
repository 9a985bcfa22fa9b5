// burn_store.c — the tables of burn: accruals found in the journal, batches, what the chain was seen to burn, how far it was read.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "base/units.h"
#include "chain/keccak.h"
#include "store/migrate.h"
#include "treasury/burn_inside.h"

static const struct store_migration steps[] = {
    { "burn", 1,
      "CREATE TABLE burn_accrual(entry INTEGER NOT NULL, account INTEGER NOT NULL, units INTEGER NOT NULL CHECK (units > 0), at_ms INTEGER NOT NULL, batch INTEGER NOT NULL DEFAULT 0, asset TEXT NOT NULL,"
      " plugin TEXT NOT NULL, reason TEXT NOT NULL, match TEXT NOT NULL, PRIMARY KEY(entry, account)) STRICT, WITHOUT ROWID;"
      "CREATE INDEX burn_accrual_pending ON burn_accrual(asset, entry) WHERE batch = 0;"
      "CREATE INDEX burn_accrual_batch ON burn_accrual(batch, entry) WHERE batch <> 0;"
      "CREATE INDEX burn_accrual_match ON burn_accrual(match, entry) WHERE match <> '';"
      "CREATE INDEX burn_accrual_plugin ON burn_accrual(plugin, entry);"
      "CREATE TABLE burn_batch(n INTEGER PRIMARY KEY AUTOINCREMENT, asset TEXT NOT NULL, state INTEGER NOT NULL, id BLOB NOT NULL, root BLOB NOT NULL, amount BLOB NOT NULL, units INTEGER NOT NULL, lost INTEGER NOT NULL DEFAULT 0,"
      " scale INTEGER NOT NULL, accruals INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, chain_id INTEGER NOT NULL, module BLOB NOT NULL, payment INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0,"
      " wants_return INTEGER NOT NULL DEFAULT 0, adopted INTEGER NOT NULL DEFAULT 0, tx BLOB NOT NULL, block INTEGER NOT NULL DEFAULT 0, time_s INTEGER NOT NULL DEFAULT 0, read_block INTEGER NOT NULL DEFAULT 0,"
      " made_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '') STRICT;"
      "CREATE UNIQUE INDEX burn_batch_id ON burn_batch(id) WHERE state <> 5;"                       // returned ones may come again
      "CREATE INDEX burn_batch_open ON burn_batch(state, n) WHERE state IN (1, 2, 3, 6);"
      "CREATE TABLE burn_seen(id BLOB PRIMARY KEY, root BLOB NOT NULL, tx BLOB NOT NULL, amount BLOB NOT NULL, block INTEGER NOT NULL, log_index INTEGER NOT NULL, asset TEXT NOT NULL, scale INTEGER NOT NULL,"
      " chain_id INTEGER NOT NULL, module BLOB NOT NULL, batch INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
      "CREATE INDEX burn_seen_unknown ON burn_seen(block) WHERE batch = 0;"
      "CREATE TABLE burn_scan(chain_id INTEGER NOT NULL, module BLOB NOT NULL, block INTEGER NOT NULL, PRIMARY KEY(chain_id, module)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE burn_total(asset TEXT NOT NULL, plugin TEXT NOT NULL, units INTEGER NOT NULL, PRIMARY KEY(asset, plugin)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE burn_flags(one INTEGER PRIMARY KEY CHECK (one = 1), entry INTEGER NOT NULL, paused INTEGER NOT NULL, run INTEGER NOT NULL) STRICT;"
      "INSERT INTO burn_flags VALUES(1, 0, 0, 0)" },
};

void burn_register(void) { store_register(steps, (int)(sizeof steps / sizeof steps[0])); }

const char *burn_state_name(enum burn_state state)
{
    static const char *const names[] = { "pending", "sent", "proving", "reverted", "burned", "returned", "refuted" };
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

const char *burn_plugin_name(const char *plugin) { return plugin[0] ? plugin : "unattributed"; }

// ---- flags

enum fr_status burn_flags_get(struct store_txn *txn, struct burn_flags *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT entry, paused, run FROM burn_flags WHERE one = 1", &row, err));
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL(err, FR_E_CORRUPT, "the row of burns is gone");
    *ret = (struct burn_flags){ sql_int(row, 0), sql_int(row, 1) != 0, sql_int(row, 2) != 0 };
    return FR_OK;
}

enum fr_status burn_flags_set(struct store_txn *txn, const struct burn_flags *f, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE burn_flags SET entry = ?1, paused = ?2, run = ?3 WHERE one = 1", &row, err));
    sql_bind_int(row, 1, f->entry);
    sql_bind_int(row, 2, f->paused);
    sql_bind_int(row, 3, f->run);
    return sql_do(row, NULL, err);
}

enum fr_status burn_pause(struct store_txn *txn, bool paused, struct fr_err *err)
{
    struct burn_flags f;
    FR_TRY(burn_flags_get(txn, &f, err));
    f.paused = paused;
    return burn_flags_set(txn, &f, err);
}

// ---- accruals

struct collecting { struct store_txn *txn; char reason[48 + 40 + NOTE_BYTES_MAX + 3]; };

// The reason is what a proof is about: whose, for what, about what. Free text in it comes from burn.accrue alone, and is public.
static enum fr_status accrual_add(void *arg, const struct ledger_credit *c, struct fr_err *err)
{
    struct collecting *at = arg;
    struct store_row *row = NULL;
    bool match = strcmp(c->reason, "match") == 0;
    snprintf(at->reason, sizeof at->reason, "%s %s %s", burn_plugin_name(c->account->owner), c->reason, c->note);
    FR_TRY(sql_begin(at->txn, "INSERT INTO burn_accrual(entry, account, units, at_ms, asset, plugin, reason, match) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", &row, err));
    sql_bind_int(row, 1, c->entry);
    sql_bind_int(row, 2, c->account->id);
    sql_bind_int(row, 3, c->units);
    sql_bind_int(row, 4, c->at_ms);
    sql_bind_text(row, 5, c->account->asset);
    sql_bind_text(row, 6, c->account->owner);
    sql_bind_text(row, 7, at->reason);
    sql_bind_text(row, 8, match ? c->note : "");
    return sql_do(row, NULL, err);
}

enum fr_status burn_collect(struct store_txn *txn, bool *more, struct fr_err *err)
{
    struct collecting at = { .txn = txn };
    struct burn_flags f;
    FR_TRY(burn_flags_get(txn, &f, err));
    int64_t before = f.entry;
    FR_TRY(ledger_credits(txn, OWNER_BURN, BURN_COLLECT_ROWS, accrual_add, &at, &f.entry, more, err));
    return f.entry == before ? FR_OK : burn_flags_set(txn, &f, err);
}

void burn_accrual_read(struct store_row *row, struct burn_accrual *ret)
{
    *ret = (struct burn_accrual){ .entry = sql_int(row, 0), .account = sql_int(row, 1), .units = sql_int(row, 2), .at_ms = sql_int(row, 3), .batch = sql_int(row, 4), .reason = sql_text(row, 7), .match = sql_text(row, 8) };
    snprintf(ret->asset, sizeof ret->asset, "%s", sql_text(row, 5));
    snprintf(ret->plugin, sizeof ret->plugin, "%s", sql_text(row, 6));
    keccak256_text(ret->reason, ret->reason_hash);
}

enum fr_status burn_pending(struct store_txn *txn, const char *asset, int64_t *free_units, int64_t *held_units, int64_t *oldest_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT at_ms FROM burn_accrual WHERE asset = ?1 AND batch = 0 ORDER BY entry LIMIT 1", &row, err));
    sql_bind_text(row, 1, asset);
    FR_TRY(sql_step(row, &found, err));
    *oldest_ms = found ? sql_int(row, 0) : 0;
    FR_TRY(ledger_kind_sum(txn, OWNER_BURN, asset, free_units, held_units, err));
    return FR_OK;
}

// ---- batches

#define BATCH_COLUMNS "n, asset, state, id, root, amount, units, lost, scale, accruals, tries, chain_id, module, payment, ended, wants_return, adopted, tx, block, time_s, read_block, made_ms, ended_ms, why"

static enum fr_status batch_read(struct store_row *row, struct burn_batch *ret, struct fr_err *err)
{
    struct burn_batch b = { .n = sql_int(row, 0), .state = (enum burn_state)sql_int(row, 2), .units = sql_int(row, 6), .lost_units = sql_int(row, 7), .scale = (int)sql_int(row, 8), .accruals = (int)sql_int(row, 9),
                            .tries = (int)sql_int(row, 10), .chain_id = (uint64_t)sql_int(row, 11), .payment = sql_int(row, 13), .end = (enum txq_end)sql_int(row, 14), .wants_return = sql_int(row, 15) != 0,
                            .adopted = sql_int(row, 16) != 0, .block = (uint64_t)sql_int(row, 18), .time_s = sql_int(row, 19), .read_block = (uint64_t)sql_int(row, 20), .made_ms = sql_int(row, 21), .ended_ms = sql_int(row, 22) };
    uint8_t amount[32];
    snprintf(b.asset, sizeof b.asset, "%s", sql_text(row, 1));
    snprintf(b.why, sizeof b.why, "%s", sql_text(row, 23));
    FR_TRY(sql_fixed(row, 3, b.id, 32, err));
    FR_TRY(sql_fixed(row, 4, b.root, 32, err));
    FR_TRY(sql_fixed(row, 5, amount, 32, err));
    FR_TRY(sql_fixed(row, 12, b.module.bytes, sizeof b.module.bytes, err));
    FR_TRY(sql_fixed(row, 17, b.tx, 32, err));
    b.amount = u256_from_bytes(amount);
    *ret = b;
    return FR_OK;
}

enum fr_status burn_batch_get(struct store_txn *txn, int64_t n, struct burn_batch *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT " BATCH_COLUMNS " FROM burn_batch WHERE n = ?1", &row, err));
    sql_bind_int(row, 1, n);
    FR_TRY(sql_step(row, &found, err));
    return found ? batch_read(row, ret, err) : FR_FAIL_CODE(err, FR_E_NOT_FOUND, "burn_unknown", "there is no batch b%" PRId64, n);
}

enum fr_status burn_batch_by_id(struct store_txn *txn, const uint8_t id[32], bool returned_too, struct burn_batch *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " BATCH_COLUMNS " FROM burn_batch WHERE id = ?1 AND (state <> 5 OR ?2) ORDER BY state = 5, n DESC LIMIT 1", &row, err));
    sql_bind_bytes(row, 1, id, 32);
    sql_bind_int(row, 2, returned_too);
    FR_TRY(sql_step(row, found, err));
    return *found ? batch_read(row, ret, err) : FR_OK;
}

enum fr_status burn_batch_add(struct store_txn *txn, struct burn_batch *b, struct fr_err *err)
{
    struct store_row *row = NULL;
    uint8_t amount[32];
    u256_to_bytes(b->amount, amount);
    FR_TRY(sql_begin(txn, "INSERT INTO burn_batch(asset, state, id, root, amount, units, scale, accruals, chain_id, module, adopted, tx, made_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, zeroblob(32), ?12)", &row, err));
    sql_bind_text(row, 1, b->asset);
    sql_bind_int(row, 2, b->state);
    sql_bind_bytes(row, 3, b->id, 32);
    sql_bind_bytes(row, 4, b->root, 32);
    sql_bind_bytes(row, 5, amount, 32);
    sql_bind_int(row, 6, b->units);
    sql_bind_int(row, 7, b->scale);
    sql_bind_int(row, 8, b->accruals);
    sql_bind_int(row, 9, (int64_t)b->chain_id);
    sql_bind_bytes(row, 10, b->module.bytes, sizeof b->module.bytes);
    sql_bind_int(row, 11, b->adopted);
    sql_bind_int(row, 12, b->made_ms);
    FR_TRY(sql_do(row, NULL, err));
    b->n = sql_last_id(txn);
    return FR_OK;
}

enum fr_status burn_batch_save(struct store_txn *txn, const struct burn_batch *b, struct fr_err *err)
{
    struct store_row *row = NULL;
    int64_t changed = 0;
    FR_TRY(sql_begin(txn, "UPDATE burn_batch SET state = ?2, lost = ?3, tries = ?4, payment = ?5, ended = ?6, wants_return = ?7, tx = ?8, block = ?9, time_s = ?10, read_block = ?11, ended_ms = ?12, why = ?13, units = ?14, accruals = ?15"
                          " WHERE n = ?1 AND (state NOT IN (4, 5) OR state = ?2)", &row, err));     // what has ended does not begin again
    sql_bind_int(row, 1, b->n);
    sql_bind_int(row, 2, b->state);
    sql_bind_int(row, 3, b->lost_units);
    sql_bind_int(row, 4, b->tries);
    sql_bind_int(row, 5, b->payment);
    sql_bind_int(row, 6, b->end);
    sql_bind_int(row, 7, b->wants_return);
    sql_bind_bytes(row, 8, b->tx, 32);
    sql_bind_int(row, 9, (int64_t)b->block);
    sql_bind_int(row, 10, b->time_s);
    sql_bind_int(row, 11, (int64_t)b->read_block);
    sql_bind_int(row, 12, b->ended_ms);
    sql_bind_text(row, 13, b->why);
    sql_bind_int(row, 14, b->units);
    sql_bind_int(row, 15, b->accruals);
    FR_TRY(sql_do(row, &changed, err));
    return changed == 1 ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "burn_ended", "batch b%" PRId64 " has ended", b->n);
}

bool burn_owner_alive(struct store_txn *txn, const char *owner)
{
    struct burn_batch b;
    struct fr_err err;
    if (strncmp(owner, "burn:", 5) != 0 || burn_batch_get(txn, strtoll(owner + 5, NULL, 10), &b, &err) != FR_OK) return false;
    return b.state != BURN_BURNED && b.state != BURN_RETURNED;
}

enum fr_status burn_id_parse(struct store_txn *txn, const char *id, bool *is_batch, int64_t *ret, struct fr_err *err)
{
    uint8_t hash[32];
    struct burn_batch b;
    bool found = false;
    *is_batch = id[0] == 'b' || strncmp(id, "0x", 2) == 0;
    if (strncmp(id, "0x", 2) == 0) {
        if (strlen(id) == 66 && fr_unhex(id + 2, 64, hash, 32)) FR_TRY(burn_batch_by_id(txn, hash, true, &b, &found, err));
        if (found) *ret = b.n;
    } else found = fr_units_parse(id + *is_batch, ret, NULL) == FR_OK && *ret > 0;
    return found ? FR_OK : FR_FAIL_CODE(err, FR_E_NOT_FOUND, "burn_unknown", "\"%.70s\" names no burn: an accrual is a number, a batch b and its number, or 0x and its id on chain", id);
}

// ---- what the chain was seen to burn

void burn_seen_read(struct store_row *row, struct burn_seen *ret)
{
    struct fr_err err;
    uint8_t amount[32] = { 0 };
    *ret = (struct burn_seen){ .event = { .block = (uint64_t)sql_int(row, 4), .log_index = (uint64_t)sql_int(row, 5) }, .scale = (int)sql_int(row, 7), .chain_id = (uint64_t)sql_int(row, 8), .batch = sql_int(row, 10) };
    snprintf(ret->asset, sizeof ret->asset, "%s", sql_text(row, 6));
    FR_IGNORE(sql_fixed(row, 0, ret->event.id, 32, &err));          // we wrote them; zero would be found nowhere
    FR_IGNORE(sql_fixed(row, 1, ret->event.root, 32, &err));
    FR_IGNORE(sql_fixed(row, 2, ret->event.tx, 32, &err));
    FR_IGNORE(sql_fixed(row, 3, amount, 32, &err));
    FR_IGNORE(sql_fixed(row, 9, ret->module.bytes, sizeof ret->module.bytes, &err));
    ret->event.amount = u256_from_bytes(amount);
}

enum fr_status burn_seen_get(struct store_txn *txn, const uint8_t id[32], struct burn_seen *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " BURN_SEEN_COLUMNS " FROM burn_seen WHERE id = ?1", &row, err));
    sql_bind_bytes(row, 1, id, 32);
    FR_TRY(sql_step(row, found, err));
    if (*found) burn_seen_read(row, ret);
    return FR_OK;
}

enum fr_status burn_seen_mark(struct store_txn *txn, const uint8_t id[32], int64_t batch, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE burn_seen SET batch = ?2 WHERE id = ?1", &row, err));
    sql_bind_bytes(row, 1, id, 32);
    sql_bind_int(row, 2, batch);
    return sql_do(row, NULL, err);
}

enum fr_status burn_scan_get(struct store_txn *txn, uint64_t chain_id, const struct address *module, uint64_t *block, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT block FROM burn_scan WHERE chain_id = ?1 AND module = ?2", &row, err));
    sql_bind_int(row, 1, (int64_t)chain_id);
    sql_bind_bytes(row, 2, module->bytes, sizeof module->bytes);
    FR_TRY(sql_step(row, found, err));
    if (*found) *block = (uint64_t)sql_int(row, 0);
    return FR_OK;
}

static enum fr_status seen_add(struct store_txn *txn, const struct burn_rules *r, const struct burn_event *e, struct fr_err *err)
{
    struct burn_batch b;
    bool known = false;
    uint8_t amount[32];
    struct store_row *row = NULL;
    u256_to_bytes(e->amount, amount);
    FR_TRY(burn_batch_by_id(txn, e->id, false, &b, &known, err));
    FR_TRY(sql_begin(txn, "INSERT INTO burn_seen(" BURN_SEEN_COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT(id) DO NOTHING", &row, err));
    sql_bind_bytes(row, 1, e->id, 32);
    sql_bind_bytes(row, 2, e->root, 32);
    sql_bind_bytes(row, 3, e->tx, 32);
    sql_bind_bytes(row, 4, amount, 32);
    sql_bind_int(row, 5, (int64_t)e->block);
    sql_bind_int(row, 6, (int64_t)e->log_index);
    sql_bind_text(row, 7, r->asset);
    sql_bind_int(row, 8, r->scale);
    sql_bind_int(row, 9, (int64_t)r->chain_id);
    sql_bind_bytes(row, 10, r->module.bytes, sizeof r->module.bytes);
    sql_bind_int(row, 11, known ? b.n : 0);
    return sql_do(row, NULL, err);
}

enum fr_status burn_scan_save(struct store_txn *txn, const struct burn_rules *r, const struct burn_event *at, int count, uint64_t block, struct fr_err *err)
{
    struct store_row *row = NULL;
    for (int i = 0; i < count; i++) FR_TRY(seen_add(txn, r, &at[i], err));
    FR_TRY(sql_begin(txn, "INSERT INTO burn_scan(chain_id, module, block) VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET block = max(block, ?3)", &row, err));
    sql_bind_int(row, 1, (int64_t)r->chain_id);
    sql_bind_bytes(row, 2, r->module.bytes, sizeof r->module.bytes);
    sql_bind_int(row, 3, (int64_t)block);
    return sql_do(row, NULL, err);
}

// ---- for reconciliation

enum fr_status burn_in_flight(struct store_txn *txn, const char *asset, int64_t *units, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool any;
    FR_TRY(sql_begin(txn, "SELECT coalesce(sum(units), 0) FROM burn_batch WHERE state IN (1, 2, 3, 6) AND asset = ?1", &row, err));
    sql_bind_text(row, 1, asset);
    FR_TRY(sql_step(row, &any, err));
    *units = sql_int(row, 0);
    return FR_OK;
}

enum fr_status burn_explains(struct store_txn *txn, const uint8_t tx[32], bool *yes, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT 1 FROM burn_seen WHERE tx = ?1 AND batch <> 0", &row, err));
    sql_bind_bytes(row, 1, tx, 32);
    return sql_step(row, yes, err);
}
