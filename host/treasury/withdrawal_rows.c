// withdrawal_rows.c — the tables of withdrawals: what players ask, what operators do. Every change of a row says what it expects the row to be.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/id.h"
#include "chain/keccak.h"
#include "store/migrate.h"
#include "treasury/withdrawal_inside.h"

#define DAY_MS 86400000LL
#define DOMAIN "frond.withdrawal.v1"

static const struct store_migration steps[] = {
    { "withdrawal", 1,
      "CREATE TABLE withdrawal(id TEXT PRIMARY KEY, mark BLOB NOT NULL UNIQUE, module BLOB NOT NULL, player TEXT NOT NULL, asset TEXT NOT NULL, units INTEGER NOT NULL CHECK (units > 0), receiver BLOB NOT NULL,"
      " hold INTEGER NOT NULL, state INTEGER NOT NULL, asked_ms INTEGER NOT NULL, day INTEGER NOT NULL, ready_ms INTEGER NOT NULL, ended_ms INTEGER NOT NULL DEFAULT 0, needs INTEGER NOT NULL,"
      " approvals INTEGER NOT NULL DEFAULT 0, wish TEXT NOT NULL DEFAULT '', sighted INTEGER NOT NULL DEFAULT 0, batch TEXT NOT NULL DEFAULT '', hash BLOB, block INTEGER NOT NULL DEFAULT 0,"
      " note TEXT NOT NULL DEFAULT '') STRICT;"
      "CREATE INDEX withdrawal_player ON withdrawal(player, id);"
      "CREATE INDEX withdrawal_open ON withdrawal(state, id) WHERE state < 5;"
      "CREATE INDEX withdrawal_day ON withdrawal(day, asset) WHERE state <> 6;"
      "CREATE INDEX withdrawal_batch_of ON withdrawal(batch) WHERE batch <> '';"
      "CREATE TABLE withdrawal_batch(id TEXT PRIMARY KEY, asset TEXT NOT NULL, payment INTEGER NOT NULL, count INTEGER NOT NULL, units INTEGER NOT NULL, made_ms INTEGER NOT NULL,"
      " ended INTEGER NOT NULL DEFAULT 0, hash BLOB, block INTEGER NOT NULL DEFAULT 0, final_block INTEGER NOT NULL DEFAULT 0) STRICT;"
      "CREATE INDEX withdrawal_batch_open ON withdrawal_batch(ended) WHERE ended = 0;"
      "CREATE TABLE withdrawal_member(withdrawal TEXT NOT NULL REFERENCES withdrawal(id), batch TEXT NOT NULL REFERENCES withdrawal_batch(id), PRIMARY KEY(withdrawal, batch)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE withdrawal_approval(withdrawal TEXT NOT NULL REFERENCES withdrawal(id), operator TEXT NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(withdrawal, operator)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE withdrawal_forgotten(player TEXT NOT NULL, receiver BLOB NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(player, receiver)) STRICT, WITHOUT ROWID;"
      "CREATE TABLE withdrawal_unknown(mark BLOB NOT NULL, hash BLOB NOT NULL, code TEXT NOT NULL, asset TEXT NOT NULL, receiver BLOB NOT NULL, amount BLOB NOT NULL, units INTEGER NOT NULL, block INTEGER NOT NULL,"
      " seen_ms INTEGER NOT NULL, adopted_ms INTEGER NOT NULL DEFAULT 0, operator TEXT NOT NULL DEFAULT '', PRIMARY KEY(mark, hash)) STRICT;"
      "CREATE INDEX withdrawal_unknown_open ON withdrawal_unknown(seen_ms) WHERE adopted_ms = 0;"
      "CREATE TABLE withdrawal_module(address BLOB PRIMARY KEY, scanned INTEGER NOT NULL) STRICT;"
      "CREATE TABLE withdrawal_head(one INTEGER PRIMARY KEY CHECK (one = 1), paused INTEGER NOT NULL, paused_by TEXT NOT NULL, block INTEGER NOT NULL) STRICT;"
      "INSERT INTO withdrawal_head VALUES(1, 0, '', 0)" },
};

void withdrawal_register(void) { store_register(steps, (int)(sizeof steps / sizeof steps[0])); }

const char *withdrawal_state_name(enum withdrawal_state s)
{
    static const char *const names[] = { "", "asked", "waiting", "batched", "review", "paid", "returned" };
    return names[s];
}

void withdrawal_mark(uint64_t chain_id, const struct address *module, const char *id, uint8_t mark[32])
{
    struct keccak k;
    uint8_t chain[8];
    for (int i = 0; i < 8; i++) chain[i] = (uint8_t)(chain_id >> (56 - 8 * i));
    keccak_init(&k);
    keccak_add(&k, DOMAIN, sizeof DOMAIN - 1);
    keccak_add(&k, chain, sizeof chain);
    keccak_add(&k, module->bytes, sizeof module->bytes);
    keccak_add(&k, id, strlen(id));
    keccak_end(&k, mark);
}

// ---- reading

static void copy_bytes(struct store_row *row, int col, void *out, size_t len)        // what is not there stays zero
{
    size_t have = 0;
    const void *bytes = sql_bytes(row, col, &have);
    if (bytes && have == len) memcpy(out, bytes, len);
}

void withdrawal_read(struct store_row *row, struct withdrawal_row *r)
{
    *r = (struct withdrawal_row){ .units = sql_int(row, 3), .state = (enum withdrawal_state)sql_int(row, 5), .asked_ms = sql_int(row, 6), .ready_ms = sql_int(row, 7), .ended_ms = sql_int(row, 8), .needs = (int)sql_int(row, 9),
                                  .approvals = (int)sql_int(row, 10), .block = (uint64_t)sql_int(row, 15), .hold = sql_int(row, 16) };
    snprintf(r->id, sizeof r->id, "%s", sql_text(row, 0));
    snprintf(r->player, sizeof r->player, "%s", sql_text(row, 1));
    snprintf(r->asset, sizeof r->asset, "%s", sql_text(row, 2));
    snprintf(r->wish, sizeof r->wish, "%s", sql_text(row, 11));
    snprintf(r->batch, sizeof r->batch, "%s", sql_text(row, 12));
    snprintf(r->note, sizeof r->note, "%s", sql_text(row, 17));
    copy_bytes(row, 4, r->to.bytes, sizeof r->to.bytes);
    copy_bytes(row, 13, r->mark, sizeof r->mark);
    copy_bytes(row, 14, r->hash, sizeof r->hash);
    copy_bytes(row, 18, r->module.bytes, sizeof r->module.bytes);
}

enum fr_status withdrawal_find(struct store_txn *txn, const char *id, struct withdrawal_row *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " WITHDRAWAL_COLUMNS " FROM withdrawal WHERE id = ?1", &row, err));
    sql_bind_text(row, 1, id);
    FR_TRY(sql_step(row, found, err));
    if (*found) withdrawal_read(row, ret);
    return FR_OK;
}

enum fr_status withdrawal_find_mark(struct store_txn *txn, const uint8_t mark[32], struct withdrawal_row *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " WITHDRAWAL_COLUMNS " FROM withdrawal WHERE mark = ?1", &row, err));
    sql_bind_bytes(row, 1, mark, 32);
    FR_TRY(sql_step(row, found, err));
    if (*found) withdrawal_read(row, ret);
    return FR_OK;
}

enum fr_status withdrawal_get(struct store_txn *txn, const char *id, struct withdrawal_row *ret, struct fr_err *err)
{
    bool found = false;
    FR_TRY(withdrawal_find(txn, id, ret, &found, err));
    return found ? FR_OK : FR_FAIL_CODE(err, FR_E_NOT_FOUND, "withdrawal_unknown", "there is no such withdrawal");
}

enum fr_status withdrawal_list(struct store_txn *txn, const char *player, enum withdrawal_state state, const char *before, int limit,
                               void (*each)(void *arg, const struct withdrawal_row *row), void *arg, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct withdrawal_row r;
    bool found = true;
    if (player) FR_TRY(sql_begin(txn, "SELECT " WITHDRAWAL_COLUMNS " FROM withdrawal WHERE player = ?1 AND (?2 = 0 OR state = ?2) AND (?3 = '' OR id < ?3) ORDER BY id DESC LIMIT ?4", &row, err));
    else FR_TRY(sql_begin(txn, "SELECT " WITHDRAWAL_COLUMNS " FROM withdrawal WHERE ?1 IS NULL AND (?2 = 0 OR state = ?2) AND (?3 = '' OR id < ?3) ORDER BY id DESC LIMIT ?4", &row, err));
    sql_bind_text(row, 1, player);
    sql_bind_int(row, 2, state);
    sql_bind_text(row, 3, before);
    sql_bind_int(row, 4, limit);
    for (;;) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        withdrawal_read(row, &r);
        each(arg, &r);
    }
}

void withdrawal_print(const struct withdrawal_row *r, bool operator, struct fr_buf *out)
{
    static const uint8_t none[32];
    char to[ADDRESS_TEXT_BYTES], at[25], hex[65];
    fr_buf_addf(out, "{\"id\":\"%s\",\"asset\":\"%s\",\"amount\":\"%lld\",\"to\":\"%s\",\"state\":\"%s\",\"asked_at\":\"%s\"", r->id, r->asset, (long long)r->units, address_text(&r->to, to), withdrawal_state_name(r->state),
                fr_time_text(r->asked_ms, at));
    fr_buf_addf(out, ",\"ready_at\":\"%s\",\"approvals\":{\"needed\":%d,\"given\":%d},\"returning\":%s", fr_time_text(r->ready_ms, at), r->needs, r->approvals, r->wish[0] && r->state < WITHDRAWAL_PAID ? "true" : "false");
    if (r->ended_ms) fr_buf_addf(out, ",\"ended_at\":\"%s\"", fr_time_text(r->ended_ms, at));
    if (memcmp(r->hash, none, sizeof none) != 0) fr_buf_addf(out, ",\"tx\":\"0x%s\"", fr_hex(r->hash, 32, hex));
    if (r->block) fr_buf_addf(out, ",\"block\":\"%llu\"", (unsigned long long)r->block);
    fr_buf_addf(out, ",\"mark\":\"0x%s\"", fr_hex(r->mark, 32, hex));
    if (operator) {
        fr_buf_addf(out, ",\"player\":\"%s\",\"batch\":\"%s\",\"note\":", r->player, r->batch);
        fr_buf_add_json_text(out, r->note);
    }
    fr_buf_add(out, "}");
}

bool withdrawal_owner_alive(struct store_txn *txn, const char *owner)
{
    struct withdrawal_row r;
    struct fr_err err;
    bool found = false;
    if (strncmp(owner, WITHDRAWAL_PAYMENTS, sizeof WITHDRAWAL_PAYMENTS - 1) != 0) return false;
    return withdrawal_find(txn, owner + sizeof WITHDRAWAL_PAYMENTS - 1, &r, &found, &err) == FR_OK && found && r.state < WITHDRAWAL_PAID;
}

// ---- changing

static enum fr_status one_row(struct store_row *row, const char *id, struct fr_err *err)
{
    int64_t changed = 0;
    FR_TRY(sql_do(row, &changed, err));
    return changed == 1 ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "withdrawal_state", "withdrawal %s is not as it was", id);
}

enum fr_status withdrawal_move(struct store_txn *txn, const struct withdrawal_row *from, enum withdrawal_state to, const char *note, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE withdrawal SET state = ?3, note = ?4 WHERE id = ?1 AND state = ?2 AND batch = ?5", &row, err));
    sql_bind_text(row, 1, from->id);
    sql_bind_int(row, 2, from->state);
    sql_bind_int(row, 3, to);
    sql_bind_text(row, 4, note);
    sql_bind_text(row, 5, from->batch);
    return one_row(row, from->id, err);
}

static enum fr_status set_wish(struct store_txn *txn, const char *id, const char *wish, const char *note, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE withdrawal SET wish = ?2, note = ?3 WHERE id = ?1 AND state < 5", &row, err));
    sql_bind_text(row, 1, id);
    sql_bind_text(row, 2, wish);
    sql_bind_text(row, 3, note);
    return one_row(row, id, err);
}

// ---- asking

static enum fr_status fail_ours(struct fr_err *err, const char *what)
{
    return FR_FAIL_CODE(err, FR_E_INVALID, "address_ours", "this address is %s: coins that are sent there do not come back", what);
}

static enum fr_status receiver_read(struct store_txn *txn, const struct withdrawals *w, const char *text, struct address *ret, struct fr_err *err)
{
    bool ours = false;
    struct fr_err why;
    if (address_parse(text, ret, &why) != FR_OK) return FR_FAIL_CODE(err, FR_E_INVALID, "address_invalid", "to: %s", why.text);
    if (address_is_zero(ret)) return FR_FAIL_CODE(err, FR_E_INVALID, "address_invalid", "to: the zero address is nobody's");
    if (address_equal(ret, &w->part.vault)) return fail_ours(err, "this host's own");
    for (int i = 0; i < w->part.token_count; i++) if (address_equal(ret, &w->part.tokens[i].at)) return fail_ours(err, "a token's contract");
    for (int i = 0; i < w->asset_count; i++) if (address_equal(ret, &w->assets[i].rules.module)) return fail_ours(err, "this host's own contract");
    if (w->o.is_ours) FR_TRY(w->o.is_ours(txn, w->o.arg, ret, &ours, err));
    return ours ? fail_ours(err, "a deposit address of this host") : FR_OK;
}

static enum fr_status sum_of_day(struct store_txn *txn, const char *player, const char *asset, int64_t day, int64_t *sum, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT coalesce(sum(units), 0) FROM withdrawal WHERE day = ?1 AND asset = ?2 AND state <> 6 AND (?3 IS NULL OR player = ?3)", &row, err));
    sql_bind_int(row, 1, day);
    sql_bind_text(row, 2, asset);
    sql_bind_text(row, 3, player);
    FR_TRY(sql_step(row, &found, err));
    *sum = sql_int(row, 0);
    return FR_OK;
}

static enum fr_status within_limits(struct store_txn *txn, const struct withdrawal_rules *r, const struct withdrawal_ask *ask, int64_t now_ms, struct fr_err *err)
{
    int64_t mine, all, day = now_ms / DAY_MS;
    if (ask->units < r->least) return FR_FAIL_CODE(err, FR_E_INVALID, "withdrawal_small", "the least that can be withdrawn is %lld units of %s", (long long)r->least, r->asset);
    if (ask->units > r->most) return FR_FAIL_CODE(err, FR_E_INVALID, "withdrawal_large", "at most %lld units of %s can be withdrawn at once", (long long)r->most, r->asset);
    FR_TRY(sum_of_day(txn, ask->player, r->asset, day, &mine, err));
    FR_TRY(sum_of_day(txn, NULL, r->asset, day, &all, err));
    if (ask->units > r->player_day - mine) return FR_FAIL_CODE(err, FR_E_LIMIT, "withdrawal_day", "today you may withdraw %lld units of %s more", (long long)(r->player_day > mine ? r->player_day - mine : 0), r->asset);
    if (ask->units > r->all_day - all) return FR_FAIL_CODE(err, FR_E_LIMIT, "withdrawal_day_all", "all that may leave this host in a day has been asked for: try again tomorrow");
    return FR_OK;
}

static enum fr_status within_count(struct store_txn *txn, const char *player, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT (SELECT count(*) FROM withdrawal WHERE player = ?1 AND state < 5), (SELECT count(*) FROM withdrawal WHERE state < 5)", &row, err));
    sql_bind_text(row, 1, player);
    FR_TRY(sql_step(row, &found, err));
    if (sql_int(row, 0) >= WITHDRAWALS_PER_PLAYER_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "withdrawals_open", "you have %d withdrawals that have not ended: wait for one", WITHDRAWALS_PER_PLAYER_MAX);
    if (sql_int(row, 1) >= WITHDRAWALS_OPEN_MAX) return FR_FAIL_CODE(err, FR_E_BUSY, "withdrawals_open", "too many withdrawals are waiting");
    return FR_OK;
}

// Known since it was linked, or since the first withdrawal to it that was not taken back; giving it up begins it anew.
static enum fr_status cooldown_end(struct store_txn *txn, const struct withdrawals *w, const struct withdrawal_ask *ask, const struct address *to, int64_t now_ms, int64_t *ready_ms, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    int64_t since = now_ms;
    FR_TRY(sql_begin(txn, "SELECT coalesce(min(asked_ms), 0), coalesce((SELECT at_ms FROM withdrawal_forgotten WHERE player = ?1 AND receiver = ?2), 0) FROM withdrawal WHERE player = ?1 AND receiver = ?2 AND state <> 6 AND wish = ''"
                          " AND asked_ms > coalesce((SELECT at_ms FROM withdrawal_forgotten WHERE player = ?1 AND receiver = ?2), 0)", &row, err));
    sql_bind_text(row, 1, ask->player);
    sql_bind_bytes(row, 2, to->bytes, sizeof to->bytes);
    FR_TRY(sql_step(row, &found, err));
    int64_t first = sql_int(row, 0), forgotten = sql_int(row, 1);
    if (first && first < since) since = first;
    if (ask->known_ms > forgotten && ask->known_ms < since) since = ask->known_ms;
    *ready_ms = since + w->o.cooldown_ms > now_ms ? since + w->o.cooldown_ms : now_ms;
    return FR_OK;
}

static enum fr_status insert(struct store_txn *txn, const struct withdrawal_row *r, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO withdrawal(id, mark, module, player, asset, units, receiver, hold, state, asked_ms, day, ready_ms, needs) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)", &row, err));
    sql_bind_text(row, 1, r->id);
    sql_bind_bytes(row, 2, r->mark, sizeof r->mark);
    sql_bind_bytes(row, 3, r->module.bytes, sizeof r->module.bytes);
    sql_bind_text(row, 4, r->player);
    sql_bind_text(row, 5, r->asset);
    sql_bind_int(row, 6, r->units);
    sql_bind_bytes(row, 7, r->to.bytes, sizeof r->to.bytes);
    sql_bind_int(row, 8, r->hold);
    sql_bind_int(row, 9, r->state);
    sql_bind_int(row, 10, r->asked_ms);
    sql_bind_int(row, 11, r->asked_ms / DAY_MS);
    sql_bind_int(row, 12, r->ready_ms);
    sql_bind_int(row, 13, r->needs);
    return sql_do(row, NULL, err);
}

static enum fr_status hold_for(struct store_txn *txn, struct withdrawal_row *r, int64_t now_ms, struct fr_err *err)
{
    struct ledger_account from;
    struct ledger_hold hold, ask = { .units = r->units };
    FR_TRY(ledger_account(txn, OWNER_PLAYER, r->player, r->asset, &from, err));
    ask.account = from.id;
    snprintf(ask.owner, sizeof ask.owner, WITHDRAWAL_PAYMENTS "%s", r->id);
    snprintf(ask.key, sizeof ask.key, WITHDRAWAL_PAYMENTS "%s:hold", r->id);
    FR_TRY(ledger_hold_open(txn, &ask, "withdrawal", now_ms, &hold, err));
    r->hold = hold.id;
    return FR_OK;
}

enum fr_status withdrawal_ask(struct store_txn *txn, const struct withdrawals *w, const struct withdrawal_ask *ask, int64_t now_ms, struct withdrawal_row *ret, struct fr_err *err)
{
    struct withdrawal_row r = { .units = ask->units, .asked_ms = now_ms };
    int no = withdrawal_asset_no(w, ask->asset);
    int64_t unknown = 0;
    bool paused = false;
    char by[OPERATOR_NAME_BYTES_MAX + 1];
    if (no < 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "asset_unknown", "%.15s cannot be withdrawn here", ask->asset);
    const struct withdrawal_rules *rules = &w->assets[no].rules;
    FR_TRY(withdrawal_is_paused(txn, &paused, by, err));
    if (paused) return FR_FAIL_CODE(err, FR_E_BUSY, "withdrawals_paused", "withdrawals are paused by the operator");
    FR_TRY(withdrawal_unknown_count(txn, &unknown, err));
    if (unknown) return FR_FAIL_CODE(err, FR_E_BUSY, "money_out_halted", "nothing can be withdrawn now: the operator has been told why");
    FR_TRY(receiver_read(txn, w, ask->to, &r.to, err));
    FR_TRY(within_limits(txn, rules, ask, now_ms, err));
    FR_TRY(within_count(txn, ask->player, err));
    FR_TRY(cooldown_end(txn, w, ask, &r.to, now_ms, &r.ready_ms, err));
    fr_id_new(r.id);
    snprintf(r.player, sizeof r.player, "%s", ask->player);
    snprintf(r.asset, sizeof r.asset, "%s", rules->asset);
    r.module = rules->module;
    r.needs = rules->two_from && ask->units >= rules->two_from ? 2 : 0;
    r.state = r.ready_ms <= now_ms && r.needs == 0 ? WITHDRAWAL_WAITING : WITHDRAWAL_ASKED;
    withdrawal_mark(w->part.chain_id, &r.module, r.id, r.mark);
    FR_TRY(hold_for(txn, &r, now_ms, err));
    FR_TRY(insert(txn, &r, err));
    *ret = r;
    return FR_OK;
}

enum fr_status withdrawal_cancel(struct store_txn *txn, const char *player, const char *id, struct withdrawal_row *ret, struct fr_err *err)
{
    struct withdrawal_row r;
    bool found = false;
    FR_TRY(withdrawal_find(txn, id, &r, &found, err));
    if (!found || strcmp(r.player, player) != 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "withdrawal_unknown", "there is no such withdrawal");
    if (r.state >= WITHDRAWAL_PAID) return FR_FAIL_CODE(err, FR_E_CONFLICT, "withdrawal_ended", "it was %s already", withdrawal_state_name(r.state));
    if (r.state != WITHDRAWAL_ASKED) return FR_FAIL_CODE(err, FR_E_CONFLICT, "withdrawal_under_way", "it is on its way and cannot be taken back any more");
    if (!r.wish[0]) FR_TRY(set_wish(txn, id, "player", "", err));
    return withdrawal_get(txn, id, ret, err);
}

enum fr_status withdrawal_forget_address(struct store_txn *txn, const char *player, const struct address *a, int64_t now_ms, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT OR REPLACE INTO withdrawal_forgotten(player, receiver, at_ms) VALUES(?1, ?2, ?3)", &row, err));
    sql_bind_text(row, 1, player);
    sql_bind_bytes(row, 2, a->bytes, sizeof a->bytes);
    sql_bind_int(row, 3, now_ms);
    return sql_do(row, NULL, err);
}

// ---- operators

static enum fr_status operator_check(const char *name, struct fr_err *err)
{
    size_t len = strlen(name);
    if (len >= 1 && len <= OPERATOR_NAME_BYTES_MAX && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INVALID, "operator_name", "an operator's name has 1 to %d letters, digits, dots, hyphens or underscores", OPERATOR_NAME_BYTES_MAX);
}

static enum fr_status get_open(struct store_txn *txn, const char *id, struct withdrawal_row *r, struct fr_err *err)
{
    FR_TRY(withdrawal_get(txn, id, r, err));
    return r->state < WITHDRAWAL_PAID ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "withdrawal_ended", "it was %s already", withdrawal_state_name(r->state));
}

enum fr_status withdrawal_approve(struct store_txn *txn, const char *id, const char *operator, int64_t now_ms, struct withdrawal_row *ret, struct fr_err *err)
{
    struct withdrawal_row r;
    struct store_row *row = NULL;
    int64_t changed = 0;
    FR_TRY(operator_check(operator, err));
    FR_TRY(get_open(txn, id, &r, err));
    if (r.needs == 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "approval_not_needed", "it is below the amount that operators approve");
    if (r.state != WITHDRAWAL_ASKED || r.wish[0]) return FR_FAIL_CODE(err, FR_E_CONFLICT, "withdrawal_under_way", "it does not wait for an approval");
    FR_TRY(sql_begin(txn, "INSERT OR IGNORE INTO withdrawal_approval(withdrawal, operator, at_ms) VALUES(?1, lower(?2), ?3)", &row, err));      // Ann and ann are one person
    sql_bind_text(row, 1, id);
    sql_bind_text(row, 2, operator);
    sql_bind_int(row, 3, now_ms);
    FR_TRY(sql_do(row, &changed, err));
    if (changed == 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "approved_already", "%s has approved it already: it takes two different operators", operator);
    FR_TRY(sql_begin(txn, "UPDATE withdrawal SET approvals = (SELECT count(*) FROM withdrawal_approval WHERE withdrawal = ?1) WHERE id = ?1", &row, err));
    sql_bind_text(row, 1, id);
    FR_TRY(one_row(row, id, err));
    return withdrawal_get(txn, id, ret, err);
}

static enum fr_status batch_take_back(struct store_txn *txn, const char *batch, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT payment FROM withdrawal_batch WHERE id = ?1 AND ended = 0", &row, err));
    sql_bind_text(row, 1, batch);
    FR_TRY(sql_step(row, &found, err));
    return found ? txq_cancel(txn, sql_int(row, 0), TXQ_CANCEL, err) : FR_OK;
}

enum fr_status withdrawal_return(struct store_txn *txn, const char *id, const char *operator, struct withdrawal_row *ret, struct fr_err *err)
{
    struct withdrawal_row r;
    char note[sizeof r.note];
    FR_TRY(operator_check(operator, err));
    FR_TRY(get_open(txn, id, &r, err));
    if (r.state == WITHDRAWAL_BATCHED) FR_TRY(batch_take_back(txn, r.batch, err));
    snprintf(note, sizeof note, "to be returned by %s", operator);
    FR_TRY(set_wish(txn, id, "operator", note, err));
    return withdrawal_get(txn, id, ret, err);
}

enum fr_status withdrawal_again(struct store_txn *txn, const char *id, const char *operator, struct withdrawal_row *ret, struct fr_err *err)
{
    struct withdrawal_row r;
    char note[sizeof r.note];
    FR_TRY(operator_check(operator, err));
    FR_TRY(get_open(txn, id, &r, err));
    if (r.state != WITHDRAWAL_REVIEW || r.wish[0]) return FR_FAIL_CODE(err, FR_E_CONFLICT, "withdrawal_not_in_review", "it is %s, not in review", r.wish[0] ? "being returned" : withdrawal_state_name(r.state));
    snprintf(note, sizeof note, "tried again by %s", operator);
    FR_TRY(withdrawal_move(txn, &r, WITHDRAWAL_WAITING, note, err));
    return withdrawal_get(txn, id, ret, err);
}

enum fr_status withdrawal_pause(struct store_txn *txn, bool pause, const char *operator, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(operator_check(operator, err));
    FR_TRY(sql_begin(txn, "UPDATE withdrawal_head SET paused = ?1, paused_by = ?2", &row, err));
    sql_bind_int(row, 1, pause);
    sql_bind_text(row, 2, operator);
    return sql_do(row, NULL, err);
}

enum fr_status withdrawal_is_paused(struct store_txn *txn, bool *ret, char by[OPERATOR_NAME_BYTES_MAX + 1], struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT paused, paused_by FROM withdrawal_head", &row, err));
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL(err, FR_E_CORRUPT, "the head of the withdrawals is missing");
    *ret = sql_int(row, 0) != 0;
    snprintf(by, OPERATOR_NAME_BYTES_MAX + 1, "%s", sql_text(row, 1));
    return FR_OK;
}

// ---- payments that this data does not know

enum fr_status withdrawal_unknown_count(struct store_txn *txn, int64_t *count, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM withdrawal_unknown WHERE adopted_ms = 0", &row, err));
    FR_TRY(sql_step(row, &found, err));
    *count = sql_int(row, 0);
    return FR_OK;
}

// What the ledger cannot hold (dust of a token with more decimals) is not in `units`; the amount has it whole.
enum fr_status withdrawal_unknown_add(struct store_txn *txn, const struct withdrawals *w, const struct withdrawal_paid *p, const char *code, int64_t now_ms, struct fr_err *err)
{
    const struct withdrawal_asset *a = &w->assets[p->asset];
    struct store_row *row = NULL;
    struct u256 dust;
    uint8_t amount[32];
    int64_t units = 0, open = 0;
    FR_TRY(withdrawal_unknown_count(txn, &open, err));
    if (open >= PAYOUT_UNKNOWN_MAX) return FR_OK;       // the operator comes first; what follows is read when these are adopted
    if (u256_to_units_dust(p->amount, a->token->chain_decimals, a->token->ledger_decimals, &units, &dust, err) != FR_OK || units > UNITS_MAX) units = 0;
    u256_to_bytes(p->amount, amount);
    FR_TRY(sql_begin(txn, "INSERT OR IGNORE INTO withdrawal_unknown(mark, hash, code, asset, receiver, amount, units, block, seen_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", &row, err));
    sql_bind_bytes(row, 1, p->mark, 32);
    sql_bind_bytes(row, 2, p->hash, 32);
    sql_bind_text(row, 3, code);
    sql_bind_text(row, 4, a->rules.asset);
    sql_bind_bytes(row, 5, p->to.bytes, sizeof p->to.bytes);
    sql_bind_bytes(row, 6, amount, sizeof amount);
    sql_bind_int(row, 7, units);
    sql_bind_int(row, 8, (int64_t)p->block);
    sql_bind_int(row, 9, now_ms);
    return sql_do(row, NULL, err);
}

static enum fr_status book_lost(struct store_txn *txn, const char *key, const char *asset, int64_t units, int64_t now_ms, struct fr_err *err)
{
    struct ledger_account lost, world;
    int64_t id;
    if (units == 0) return FR_OK;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "lost", asset, &lost, err));
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "world", asset, &world, err));
    struct ledger_leg legs[] = { { lost.id, -units }, { world.id, units } };
    struct ledger_transfer t = { .key = key, .reason = "payout_lost", .note = "a payment on chain that this data did not know", .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, now_ms, &id, err);
}

static enum fr_status adopt_one(struct store_txn *txn, const char *operator, int64_t now_ms, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct store_row *update = NULL;
    uint8_t mark[32] = { 0 }, hash[32] = { 0 };
    char key[160], asset[16], hex[2][65];
    FR_TRY(sql_begin(txn, "SELECT mark, hash, asset, units FROM withdrawal_unknown WHERE adopted_ms = 0 LIMIT 1", &row, err));
    FR_TRY(sql_step(row, found, err));
    if (!*found) return FR_OK;
    copy_bytes(row, 0, mark, sizeof mark);
    copy_bytes(row, 1, hash, sizeof hash);
    snprintf(asset, sizeof asset, "%s", sql_text(row, 2));
    int64_t units = sql_int(row, 3);
    sql_end(FR_TAKE(row));
    snprintf(key, sizeof key, "payout-lost:%.56s:%.56s", fr_hex(mark, 32, hex[0]), fr_hex(hash, 32, hex[1]));
    FR_TRY(book_lost(txn, key, asset, units, now_ms, err));
    FR_TRY(sql_begin(txn, "UPDATE withdrawal_unknown SET adopted_ms = ?3, operator = ?4 WHERE mark = ?1 AND hash = ?2 AND adopted_ms = 0", &update, err));
    sql_bind_bytes(update, 1, mark, sizeof mark);
    sql_bind_bytes(update, 2, hash, sizeof hash);
    sql_bind_int(update, 3, now_ms);
    sql_bind_text(update, 4, operator);
    return one_row(update, hex[0], err);
}

enum fr_status withdrawal_adopt(struct store_txn *txn, const char *operator, int64_t now_ms, int *count, struct fr_err *err)
{
    bool found = true;
    int n = 0;
    FR_TRY(operator_check(operator, err));
    for (; n <= PAYOUT_UNKNOWN_MAX; n++) {
        FR_TRY(adopt_one(txn, operator, now_ms, &found, err));
        if (!found) break;
    }
    *count = n;
    return FR_OK;
}

enum fr_status withdrawal_unknown_print(struct store_txn *txn, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = true;
    FR_TRY(sql_begin(txn, "SELECT mark, hash, code, asset, receiver, units, block, seen_ms, adopted_ms, operator, amount FROM withdrawal_unknown ORDER BY adopted_ms > 0, seen_ms DESC LIMIT 100", &row, err));
    fr_buf_add(out, "[");
    for (int n = 0;; n++) {
        uint8_t mark[32] = { 0 }, hash[32] = { 0 }, amount[32] = { 0 };
        struct address to = { { 0 } };
        char hex[65], text[U256_TEXT_BYTES], at[25];
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        copy_bytes(row, 0, mark, 32);
        copy_bytes(row, 1, hash, 32);
        copy_bytes(row, 4, to.bytes, sizeof to.bytes);
        copy_bytes(row, 10, amount, 32);
        fr_buf_addf(out, "%s{\"mark\":\"0x%s\",\"code\":\"%s\",\"asset\":\"%s\",\"amount\":\"%lld\"", n ? "," : "", fr_hex(mark, 32, hex), sql_text(row, 2), sql_text(row, 3), (long long)sql_int(row, 5));
        fr_buf_addf(out, ",\"to\":\"%s\",\"chain_amount\":\"%s\",\"tx\":\"0x%s\",\"block\":\"%lld\"", address_text(&to, text), u256_text(u256_from_bytes(amount), (char[U256_TEXT_BYTES]){ 0 }), fr_hex(hash, 32, hex), (long long)sql_int(row, 6));
        fr_buf_addf(out, ",\"seen_at\":\"%s\",\"adopted\":%s,\"operator\":", fr_time_text(sql_int(row, 7), at), sql_int(row, 8) ? "true" : "false");
        fr_buf_add_json_text(out, sql_text(row, 9));
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "]");
    return FR_OK;
}

// ---- for reconciliation

enum fr_status withdrawal_in_flight(struct store_txn *txn, const char *asset, int64_t *units, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool any;
    FR_TRY(sql_begin(txn, "SELECT coalesce(sum(units), 0) FROM withdrawal WHERE state IN (3, 4) AND asset = ?1", &row, err));
    sql_bind_text(row, 1, asset);
    FR_TRY(sql_step(row, &any, err));
    *units = sql_int(row, 0);
    return FR_OK;
}

enum fr_status withdrawal_explains(struct store_txn *txn, const uint8_t tx[32], bool *yes, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT 1 FROM withdrawal WHERE hash = ?1 UNION ALL SELECT 1 FROM withdrawal_unknown WHERE hash = ?1 AND adopted_ms > 0", &row, err));
    sql_bind_bytes(row, 1, tx, 32);
    return sql_step(row, yes, err);
}
