// deposit_store.c — the tables of deposits: each change says what it expects of the place where reading stands, so that an answer that came too late changes nothing.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/units.h"
#include "chain/abi.h"
#include "chain/keccak.h"
#include "store/migrate.h"
#include "treasury/deposit_inside.h"

static const struct store_migration steps[] = {
    { "deposit", 1,
      "CREATE TABLE deposit_secret(one INTEGER PRIMARY KEY CHECK (one = 1), secret BLOB NOT NULL CHECK (length(secret) = 32)) STRICT;"
      "INSERT INTO deposit_secret VALUES(1, randomblob(32));"
      // since: the watch reads it from this block on. checked: what was before is read too, or nothing ever lay there.
      "CREATE TABLE deposit_address(number INTEGER PRIMARY KEY AUTOINCREMENT, chain_id INTEGER NOT NULL, factory BLOB NOT NULL, player TEXT NOT NULL, salt BLOB NOT NULL, address BLOB NOT NULL, since INTEGER NOT NULL,"
      " checked INTEGER NOT NULL DEFAULT 0, made_ms INTEGER NOT NULL, UNIQUE(chain_id, factory, player), UNIQUE(chain_id, address)) STRICT;"
      "CREATE INDEX deposit_address_new ON deposit_address(number) WHERE checked = 0;"
      "CREATE INDEX deposit_address_player ON deposit_address(player);"
      // Everything before from_block was read; of from_block to to_block the vault's outflows, once after >= 0, and the addresses up to number `after`. looked: the block of all balances in deposit_box.
      "CREATE TABLE deposit_cursor(chain_id INTEGER PRIMARY KEY, from_block INTEGER NOT NULL, to_block INTEGER NOT NULL, after INTEGER NOT NULL, looked INTEGER NOT NULL DEFAULT -1) STRICT;"
      "CREATE TABLE deposit_log(chain_id INTEGER NOT NULL, tx BLOB NOT NULL, log_index INTEGER NOT NULL, block INTEGER NOT NULL, address INTEGER NOT NULL REFERENCES deposit_address(number), asset TEXT NOT NULL,"
      " sender BLOB NOT NULL, amount BLOB NOT NULL, units INTEGER NOT NULL, state INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(chain_id, tx, log_index)) STRICT, WITHOUT ROWID;"
      "CREATE INDEX deposit_log_address ON deposit_log(address, block, log_index);"
      "CREATE INDEX deposit_log_kept ON deposit_log(state) WHERE state >= 2;"
      "CREATE TABLE deposit_dust(player TEXT NOT NULL, asset TEXT NOT NULL, amount BLOB NOT NULL, PRIMARY KEY(player, asset)) STRICT, WITHOUT ROWID;"
      // What may lie at an address: what came since it was last seen empty, or what a balance said. sweep: the one that it is in, until a balance of that block or a later one was seen.
      "CREATE TABLE deposit_box(number INTEGER NOT NULL REFERENCES deposit_address(number), asset TEXT NOT NULL, lying BLOB NOT NULL, oldest_ms INTEGER NOT NULL, sweep INTEGER NOT NULL DEFAULT 0, tries INTEGER NOT NULL DEFAULT 0,"
      " refused_ms INTEGER NOT NULL DEFAULT 0, why TEXT NOT NULL DEFAULT '', PRIMARY KEY(number, asset)) STRICT, WITHOUT ROWID;"
      "CREATE INDEX deposit_box_sweep ON deposit_box(sweep) WHERE sweep > 0;"
      "CREATE INDEX deposit_box_refused ON deposit_box(refused_ms) WHERE refused_ms > 0;"
      "CREATE TABLE deposit_back(id INTEGER PRIMARY KEY AUTOINCREMENT, number INTEGER NOT NULL REFERENCES deposit_address(number), from_block INTEGER NOT NULL, to_block INTEGER NOT NULL, next_ms INTEGER NOT NULL) STRICT;"
      "CREATE TABLE deposit_sweep(id INTEGER PRIMARY KEY AUTOINCREMENT, chain_id INTEGER NOT NULL, asset TEXT NOT NULL, count INTEGER NOT NULL, made_ms INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0, block INTEGER NOT NULL DEFAULT 0,"
      " ended_ms INTEGER NOT NULL DEFAULT 0) STRICT;"
      "CREATE INDEX deposit_sweep_open ON deposit_sweep(asset) WHERE ended = 0;"
      // explained: by a payment of ours, or by an operator who looked.
      "CREATE TABLE vault_out(chain_id INTEGER NOT NULL, tx BLOB NOT NULL, log_index INTEGER NOT NULL, block INTEGER NOT NULL, asset TEXT NOT NULL, receiver BLOB NOT NULL, amount BLOB NOT NULL, explained INTEGER NOT NULL DEFAULT 0,"
      " at_ms INTEGER NOT NULL, PRIMARY KEY(chain_id, tx, log_index)) STRICT, WITHOUT ROWID;"
      "CREATE INDEX vault_out_open ON vault_out(block) WHERE explained = 0" },
};

void deposit_register(void) { store_register(steps, (int)(sizeof steps / sizeof steps[0])); }

// keccak256("Transfer(address,address,uint256)")
const uint8_t deposit_transfer_topic[32] = { 0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0, 0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4, 0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef };

// ---- values

void deposit_bind_amount(struct store_row *row, int at, struct deposit_blob *place, struct u256 value)
{
    u256_to_bytes(value, place->bytes);
    sql_bind_bytes(row, at, place->bytes, sizeof place->bytes);
}

enum fr_status deposit_amount(struct store_row *row, int col, struct u256 *ret, struct fr_err *err)
{
    uint8_t bytes[U256_BYTES];
    FR_TRY(sql_fixed(row, col, bytes, sizeof bytes, err));
    *ret = u256_from_bytes(bytes);
    return FR_OK;
}

// Coins past 256 bits do not exist: a token that says so lies, and the most there is will do.
static struct u256 sum_of(struct u256 a, struct u256 b)
{
    struct u256 most = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };
    FR_IGNORE(u256_add(a, b, &most) ? FR_OK : FR_E_LIMIT);       // most stays where it does not fit
    return most;
}

// ---- addresses

static enum fr_status salt_of(struct store_txn *txn, const char *subject, uint8_t salt[32], struct fr_err *err)
{
    static const char domain[] = "frond deposit 1";              // with its NUL: no subject can run into it
    FR_SQL_ROW(row);
    bool found = false;
    uint8_t secret[32];
    struct keccak k;
    FR_TRY(sql_begin(txn, "SELECT secret FROM deposit_secret WHERE one = 1", &row, err));
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL(err, FR_E_CORRUPT, "the secret of deposit addresses is gone");
    FR_TRY(sql_fixed(row, 0, secret, sizeof secret, err));
    keccak_init(&k);
    keccak_add(&k, domain, sizeof domain);
    keccak_add(&k, secret, sizeof secret);
    keccak_add(&k, subject, strlen(subject));
    keccak_end(&k, salt);
    return FR_OK;
}

enum fr_status deposit_address_read(struct store_row *row, struct deposit_address *ret, struct fr_err *err)
{
    ret->number = sql_int(row, 0);
    snprintf(ret->player, sizeof ret->player, "%s", sql_text(row, 1));
    FR_TRY(sql_fixed(row, 2, ret->salt, 32, err));
    FR_TRY(sql_fixed(row, 3, ret->at.bytes, ADDRESS_BYTES, err));
    ret->made_ms = sql_int(row, 4);
    return FR_OK;
}

static enum fr_status address_of_player(struct store_txn *txn, const struct deposit *d, const char *player, struct deposit_address *ret, bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " DEPOSIT_ADDRESS_COLUMNS " FROM deposit_address WHERE chain_id = ?1 AND factory = ?2 AND player = ?3", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_bytes(row, 2, d->o.factory.bytes, ADDRESS_BYTES);
    sql_bind_text(row, 3, player);
    FR_TRY(sql_step(row, found, err));
    return *found ? deposit_address_read(row, ret, err) : FR_OK;
}

static enum fr_status owner_of(struct store_txn *txn, uint64_t chain_id, const struct address *at, int64_t *number, char player[DEPOSIT_PLAYER_BYTES], bool *found, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT number, player FROM deposit_address WHERE chain_id = ?1 AND address = ?2", &row, err));
    sql_bind_int(row, 1, (int64_t)chain_id);
    sql_bind_bytes(row, 2, at->bytes, ADDRESS_BYTES);
    FR_TRY(sql_step(row, found, err));
    if (!*found) return FR_OK;
    *number = sql_int(row, 0);
    snprintf(player, DEPOSIT_PLAYER_BYTES, "%s", sql_text(row, 1));
    return FR_OK;
}

// The first block that the watch has not begun to read: what an address sees from its issue on.
static enum fr_status cursor_get(struct store_txn *txn, const struct deposit *d, uint64_t *from, uint64_t *to, int64_t *after, int64_t *looked, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_SQL_ROW(insert);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT from_block, to_block, after, looked FROM deposit_cursor WHERE chain_id = ?1", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    FR_TRY(sql_step(row, &found, err));
    *from = *to = d->o.from_block;
    *after = *looked = -1;
    if (found) {
        *from = (uint64_t)sql_int(row, 0);
        *to = (uint64_t)sql_int(row, 1);
        *after = sql_int(row, 2);
        *looked = sql_int(row, 3);
        return FR_OK;
    }
    FR_TRY(sql_begin(txn, "INSERT INTO deposit_cursor(chain_id, from_block, to_block, after) VALUES(?1, ?2, ?2, -1)", &insert, err));
    sql_bind_int(insert, 1, (int64_t)d->part->chain_id);
    sql_bind_int(insert, 2, (int64_t)d->o.from_block);
    return sql_do(FR_TAKE(insert), NULL, err);
}

static enum fr_status cursor_set(struct store_txn *txn, const struct deposit *d, uint64_t from, uint64_t to, int64_t after, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE deposit_cursor SET from_block = ?2, to_block = ?3, after = ?4 WHERE chain_id = ?1", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_int(row, 2, (int64_t)from);
    sql_bind_int(row, 3, (int64_t)to);
    sql_bind_int(row, 4, after);
    return sql_do(row, NULL, err);
}

static enum fr_status number_of(struct store_txn *txn, const char *sql, int64_t arg, int64_t *ret, struct fr_err *err);
enum fr_status deposit_issue(struct store_txn *txn, const struct deposit *d, const char *player, const char *subject, int64_t now_ms, struct deposit_address *ret, struct fr_err *err)
{
    struct deposit_address made = { .made_ms = now_ms };
    struct store_row *row = NULL;
    bool found = false, taken = false;
    int64_t other, after, looked, all = 0;
    char of[DEPOSIT_PLAYER_BYTES];
    uint64_t from, to;
    size_t len = strlen(subject);
    if (len < 1 || len > DEPOSIT_SUBJECT_BYTES_MAX || strlen(player) < 1 || strlen(player) >= DEPOSIT_PLAYER_BYTES) return FR_FAIL(err, FR_E_INVALID, "whose an address is: 1 to %d bytes", DEPOSIT_SUBJECT_BYTES_MAX);
    if (!__atomic_load_n(&d->ready, __ATOMIC_ACQUIRE)) return FR_FAIL_CODE(err, FR_E_BUSY, "deposit_not_ready", "deposits are not ready yet: the chain has not confirmed them");
    FR_TRY(address_of_player(txn, d, player, ret, &found, err));
    if (found) return FR_OK;
    FR_TRY(number_of(txn, "SELECT coalesce(max(number), 0) FROM deposit_address WHERE ?1 = ?1", 0, &all, err));
    if (all >= DEPOSIT_ADDRESSES_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "deposit_full", "%d deposit addresses are issued, more are not watched", DEPOSIT_ADDRESSES_MAX);
    snprintf(made.player, sizeof made.player, "%s", player);
    FR_TRY(salt_of(txn, subject, made.salt, err));
    made.at = address_of_create2(&d->o.factory, made.salt, d->init_code_hash);
    FR_TRY(owner_of(txn, d->part->chain_id, &made.at, &other, of, &taken, err));
    if (taken) return FR_FAIL_CODE(err, FR_E_CONFLICT, "address_taken", "this address is another player's: the same person is here twice");
    FR_TRY(cursor_get(txn, d, &from, &to, &after, &looked, err));
    FR_TRY(sql_begin(txn, "INSERT INTO deposit_address(chain_id, factory, player, salt, address, since, made_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_bytes(row, 2, d->o.factory.bytes, ADDRESS_BYTES);
    sql_bind_text(row, 3, player);
    sql_bind_bytes(row, 4, made.salt, 32);
    sql_bind_bytes(row, 5, made.at.bytes, ADDRESS_BYTES);
    sql_bind_int(row, 6, (int64_t)from);
    sql_bind_int(row, 7, now_ms);
    FR_TRY(sql_do(row, NULL, err));
    made.number = sql_last_id(txn);
    *ret = made;
    return FR_OK;
}

// ---- what is next

static enum fr_status number_of(struct store_txn *txn, const char *sql, int64_t arg, int64_t *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, sql, &row, err));
    sql_bind_int(row, 1, arg);
    FR_TRY(sql_step(row, &found, err));
    *ret = found ? sql_int(row, 0) : 0;
    return FR_OK;
}

static enum fr_status members_read(struct store_row *row, struct deposit_plan *p, int most, struct fr_err *err)
{
    for (p->count = 0; p->count < most; ) {
        struct deposit_member *m = &p->at[p->count];
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        *m = (struct deposit_member){ .number = sql_int(row, 0) };
        FR_TRY(sql_fixed(row, 1, m->at.bytes, ADDRESS_BYTES, err));
        FR_TRY(sql_fixed(row, 2, m->salt, 32, err));
        snprintf(m->asset, sizeof m->asset, "%s", sql_text(row, 3) ? sql_text(row, 3) : "");
        if (!sql_is_null(row, 4)) FR_TRY(deposit_amount(row, 4, &m->lying, err));
        p->count++;
    }
    return FR_OK;
}

static enum fr_status plan_check(struct store_txn *txn, struct deposit *d, struct deposit_plan *p, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int most = RPC_BATCH_MAX / d->part->token_count;
    if (p->backlog + most > DEPOSIT_BACK_MAX) return FR_OK;
    FR_TRY(sql_begin(txn, "SELECT number, address, salt, NULL, NULL FROM deposit_address WHERE checked = 0 AND chain_id = ?1 ORDER BY number LIMIT ?2", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_int(row, 2, most);
    FR_TRY(members_read(row, p, most, err));
    if (p->count) p->work = WORK_CHECK;
    return FR_OK;
}

static enum fr_status plan_group(struct store_txn *txn, struct deposit *d, struct deposit_plan *p, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT number, address, salt, NULL, NULL FROM deposit_address WHERE number > ?2 AND chain_id = ?1 ORDER BY number LIMIT ?3", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_int(row, 2, p->after);
    sql_bind_int(row, 3, p->group);
    return members_read(row, p, p->group, err);
}

// Where reading stands, and whose logs are next. With no address left the place moves on, and with blocks left it begins anew.
static enum fr_status plan_main(struct store_txn *txn, struct deposit *d, struct deposit_plan *p, int64_t *looked, struct fr_err *err)
{
    FR_TRY(cursor_get(txn, d, &p->from, &p->to, &p->after, looked, err));
    while (p->from <= p->final) {
        uint64_t most = p->from + p->range - 1;
        if (p->after < 0) p->to = most;
        if (p->to > most) p->to = most;
        if (p->to > p->final) p->to = p->final;
        if (p->after < 0) {
            p->work = WORK_OUT;
            return FR_OK;
        }
        FR_TRY(plan_group(txn, d, p, err));
        if (p->count) {
            p->work = WORK_MAIN;
            return FR_OK;
        }
        p->from = p->to + 1;
        p->to = p->from;
        p->after = -1;
        FR_TRY(cursor_set(txn, d, p->from, p->to, p->after, err));
    }
    return FR_OK;
}

static enum fr_status plan_back(struct store_txn *txn, struct deposit *d, struct deposit_plan *p, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_SQL_ROW(of);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT b.id, b.number, b.from_block, b.to_block FROM deposit_back b JOIN deposit_address a ON a.number = b.number WHERE b.next_ms <= ?1 AND a.chain_id = ?2 ORDER BY b.id LIMIT 1", &row, err));
    sql_bind_int(row, 1, p->now_ms);
    sql_bind_int(row, 2, (int64_t)d->part->chain_id);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_OK;
    p->back = sql_int(row, 0);
    int64_t number = sql_int(row, 1);
    p->from = (uint64_t)sql_int(row, 2);
    p->to = (uint64_t)sql_int(row, 3);
    if (p->to - p->from >= p->range) p->to = p->from + p->range - 1;
    FR_TRY(sql_begin(txn, "SELECT number, address, salt, NULL, NULL FROM deposit_address WHERE number = ?1", &of, err));
    sql_bind_int(of, 1, number);
    FR_TRY(members_read(of, p, 1, err));
    p->work = WORK_BACK;
    return FR_OK;
}

static enum fr_status plan_balances(struct store_txn *txn, struct deposit *d, struct deposit_plan *p, int64_t looked, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct store_row *done = NULL;
    if (p->from == 0 || looked >= (int64_t)p->read_block) return FR_OK;
    if (d->box_block != p->read_block) d->box_number = 0, d->box_asset[0] = 0, d->box_block = p->read_block;
    FR_TRY(sql_begin(txn, "SELECT b.number, a.address, a.salt, b.asset, b.lying FROM deposit_box b JOIN deposit_address a ON a.number = b.number WHERE (b.number, b.asset) > (?1, ?2) AND a.chain_id = ?3 ORDER BY b.number, b.asset LIMIT ?4", &row, err));
    sql_bind_int(row, 1, d->box_number);
    sql_bind_text(row, 2, d->box_asset);
    sql_bind_int(row, 3, (int64_t)d->part->chain_id);
    sql_bind_int(row, 4, RPC_BATCH_MAX);
    FR_TRY(members_read(row, p, RPC_BATCH_MAX, err));
    if (p->count) {
        p->work = WORK_BALANCES;
        return FR_OK;
    }
    FR_TRY(sql_begin(txn, "UPDATE deposit_cursor SET looked = ?2 WHERE chain_id = ?1", &done, err));
    sql_bind_int(done, 1, (int64_t)d->part->chain_id);
    sql_bind_int(done, 2, (int64_t)p->read_block);
    return sql_do(done, NULL, err);
}

// Enough of one asset, or for long enough: the oldest first.
static enum fr_status plan_sweep(struct store_txn *txn, struct deposit *d, struct deposit_plan *p, int no, struct fr_err *err)
{
    const struct treasury_token *t = &d->part->tokens[no];
    FR_SQL_ROW(open);
    FR_SQL_ROW(row);
    bool found = false;
    struct u256 least = { { 0 } }, enough = { { 0 } }, all = { { 0 } };
    struct deposit_blob place;
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM deposit_sweep WHERE ended = 0 AND asset = ?1", &open, err));
    sql_bind_text(open, 1, t->asset);
    FR_TRY(sql_step(open, &found, err));
    if (sql_int(open, 0) >= DEPOSIT_SWEEPS_OPEN_MAX) return FR_OK;
    FR_TRY(u256_from_units(d->o.sweep_least_units[no], t->ledger_decimals, t->chain_decimals, &least, err));
    FR_TRY(u256_from_units(d->o.sweep_units[no], t->ledger_decimals, t->chain_decimals, &enough, err));
    FR_TRY(sql_begin(txn, "SELECT b.number, a.address, a.salt, b.asset, b.lying, b.oldest_ms FROM deposit_box b JOIN deposit_address a ON a.number = b.number WHERE b.asset = ?1 AND b.sweep = 0 AND b.lying >= ?2 AND b.refused_ms <= ?3"
                     " AND a.chain_id = ?4 AND a.factory = ?5 ORDER BY b.oldest_ms, b.number LIMIT ?6", &row, err));
    sql_bind_text(row, 1, t->asset);
    deposit_bind_amount(row, 2, &place, u256_is_zero(least) ? u256_of(1) : least);
    sql_bind_int(row, 3, p->now_ms - DEPOSIT_REFUSED_MS);
    sql_bind_int(row, 4, (int64_t)d->part->chain_id);
    sql_bind_bytes(row, 5, d->o.factory.bytes, ADDRESS_BYTES);
    sql_bind_int(row, 6, DEPOSIT_SWEEP_MAX);
    FR_TRY(members_read(row, p, DEPOSIT_SWEEP_MAX, err));
    if (p->count == 0) return FR_OK;
    FR_SQL_ROW(oldest);
    FR_TRY(sql_begin(txn, "SELECT oldest_ms FROM deposit_box WHERE number = ?1 AND asset = ?2", &oldest, err));
    sql_bind_int(oldest, 1, p->at[0].number);
    sql_bind_text(oldest, 2, t->asset);
    FR_TRY(sql_step(oldest, &found, err));
    for (int i = 0; i < p->count; i++) all = sum_of(all, p->at[i].lying);
    bool rich = d->o.sweep_units[no] > 0 && u256_compare(all, enough) >= 0;
    if (!rich && sql_int(oldest, 0) > p->now_ms - d->o.sweep_age_ms && p->count < DEPOSIT_SWEEP_MAX) return FR_OK;
    p->token = t;
    p->work = WORK_SWEEP;
    return FR_OK;
}

enum fr_status deposit_plan_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct deposit *d = arg;
    struct deposit_plan *p = &d->plan;
    int64_t looked = -1;
    p->work = WORK_NOTHING;
    p->count = 0;
    p->back = 0;
    FR_TRY(number_of(txn, "SELECT coalesce(max(number), 0) FROM deposit_address WHERE ?1 = ?1", 0, &p->addresses, err));
    FR_TRY(number_of(txn, "SELECT count(*) FROM deposit_log WHERE state >= 2 AND state = ?1", DEPOSIT_HELD, &p->held, err));
    FR_TRY(number_of(txn, "SELECT count(*) FROM deposit_log WHERE state >= 2 AND state = ?1", DEPOSIT_ODD, &p->odd, err));
    FR_TRY(number_of(txn, "SELECT count(*) FROM deposit_box WHERE refused_ms > 0 AND refused_ms > ?1", p->now_ms - DEPOSIT_REFUSED_MS, &p->refused, err));
    FR_TRY(number_of(txn, "SELECT count(*) FROM deposit_back WHERE ?1 = ?1", 0, &p->backlog, err));
    FR_TRY(number_of(txn, "SELECT count(*) FROM deposit_sweep WHERE ended = 0 AND ?1 = ?1", 0, &p->sweeps_open, err));
    if (p->may_check) FR_TRY(plan_check(txn, d, p, err));
    if (p->work) return FR_OK;
    FR_TRY(plan_main(txn, d, p, &looked, err));
    p->read_block = p->from ? p->from - 1 : 0;
    if (p->work) return FR_OK;
    uint64_t from = p->from;
    FR_TRY(plan_back(txn, d, p, err));
    if (p->work) return FR_OK;
    p->from = from;
    if (!p->may_look) return FR_OK;
    FR_TRY(plan_balances(txn, d, p, looked, err));
    for (int i = 0; i < d->part->token_count && !p->work; i++) FR_TRY(plan_sweep(txn, d, p, i, err));
    return FR_OK;
}

// ---- what was found

static const struct treasury_token *token_at(const struct deposit *d, const struct address *at)
{
    for (int i = 0; i < d->part->token_count; i++)
        if (address_equal(&d->part->tokens[i].at, at)) return &d->part->tokens[i];
    return NULL;
}

static bool topic_address(const uint8_t topic[32], struct address *ret)
{
    static const uint8_t zero[12];
    memcpy(ret->bytes, topic + 12, ADDRESS_BYTES);
    return memcmp(topic, zero, 12) == 0;
}

static enum fr_status log_insert(struct store_txn *txn, const struct deposit *d, const struct rpc_log *l, int64_t number, const char *asset, const struct address *sender, struct u256 amount, int64_t units, enum deposit_state state, bool *fresh,
                                 struct fr_err *err)
{
    struct store_row *row = NULL;
    struct deposit_blob place;
    int64_t changed = 0;
    FR_TRY(sql_begin(txn, "INSERT INTO deposit_log(chain_id, tx, log_index, block, address, asset, sender, amount, units, state, at_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_bytes(row, 2, l->tx_hash, 32);
    sql_bind_int(row, 3, (int64_t)l->log_index);
    sql_bind_int(row, 4, (int64_t)l->block_number);
    sql_bind_int(row, 5, number);
    sql_bind_text(row, 6, asset);
    sql_bind_bytes(row, 7, sender->bytes, ADDRESS_BYTES);
    deposit_bind_amount(row, 8, &place, amount);
    sql_bind_int(row, 9, units);
    sql_bind_int(row, 10, state);
    sql_bind_int(row, 11, d->plan.now_ms);
    FR_TRY(sql_do(row, &changed, err));
    *fresh = changed == 1;
    return FR_OK;
}

static enum fr_status log_end(struct store_txn *txn, const struct deposit *d, const struct rpc_log *l, int64_t units, enum deposit_state state, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE deposit_log SET units = ?4, state = ?5 WHERE chain_id = ?1 AND tx = ?2 AND log_index = ?3", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_bytes(row, 2, l->tx_hash, 32);
    sql_bind_int(row, 3, (int64_t)l->log_index);
    sql_bind_int(row, 4, units);
    sql_bind_int(row, 5, state);
    return sql_do(row, NULL, err);
}

static enum fr_status box_add(struct store_txn *txn, const struct deposit *d, int64_t number, const char *asset, struct u256 amount, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct store_row *put = NULL;
    struct u256 lying = { { 0 } };
    struct deposit_blob place;
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT lying FROM deposit_box WHERE number = ?1 AND asset = ?2", &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_text(row, 2, asset);
    FR_TRY(sql_step(row, &found, err));
    if (found) FR_TRY(deposit_amount(row, 0, &lying, err));
    FR_TRY(sql_begin(txn, "INSERT INTO deposit_box(number, asset, lying, oldest_ms) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(number, asset) DO UPDATE SET lying = ?3", &put, err));
    sql_bind_int(put, 1, number);
    sql_bind_text(put, 2, asset);
    deposit_bind_amount(put, 3, &place, sum_of(lying, amount));
    sql_bind_int(put, 4, d->plan.now_ms);
    return sql_do(put, NULL, err);
}

static enum fr_status dust_get(struct store_txn *txn, const char *player, const char *asset, struct u256 *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    *ret = u256_of(0);
    FR_TRY(sql_begin(txn, "SELECT amount FROM deposit_dust WHERE player = ?1 AND asset = ?2", &row, err));
    sql_bind_text(row, 1, player);
    sql_bind_text(row, 2, asset);
    FR_TRY(sql_step(row, &found, err));
    return found ? deposit_amount(row, 0, ret, err) : FR_OK;
}

static enum fr_status dust_set(struct store_txn *txn, const char *player, const char *asset, struct u256 dust, struct fr_err *err)
{
    struct store_row *row = NULL;
    struct deposit_blob place;
    FR_TRY(sql_begin(txn, "INSERT INTO deposit_dust(player, asset, amount) VALUES(?1, ?2, ?3) ON CONFLICT(player, asset) DO UPDATE SET amount = ?3", &row, err));
    sql_bind_text(row, 1, player);
    sql_bind_text(row, 2, asset);
    deposit_bind_amount(row, 3, &place, dust);
    return sql_do(row, NULL, err);
}

// FR_E_LIMIT: the ledger cannot hold it, and nothing moved.
static enum fr_status credit(struct store_txn *txn, const struct deposit *d, const struct rpc_log *l, const char *player, const char *asset, int64_t units, struct fr_err *err)
{
    struct ledger_account world, to;
    char key[KEY_BYTES_MAX + 1], hash[65], note[128];
    int64_t id;
    if (units > UNITS_MAX) return FR_FAIL(err, FR_E_LIMIT, "more than the ledger holds");
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "world", asset, &world, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, player, asset, &to, err));
    fr_hex(l->tx_hash, 32, hash);
    snprintf(key, sizeof key, "deposit:%llu:%s:%llu", (unsigned long long)d->part->chain_id, hash, (unsigned long long)l->log_index);
    snprintf(note, sizeof note, "tx 0x%s", hash);
    struct ledger_leg legs[] = { { world.id, -units }, { to.id, units } };
    struct ledger_transfer t = { .key = key, .reason = "deposit", .note = note, .legs = legs, .leg_count = 2 };
    FR_TRY(sql_savepoint(txn, err));
    enum fr_status st = ledger_post(txn, &t, d->plan.now_ms, &id, err);
    if (st == FR_OK) return sql_release(txn, err);
    struct fr_err undo;
    FR_TRY(sql_rollback(txn, &undo));
    return st;
}

static enum fr_status take_deposit(struct store_txn *txn, struct deposit *d, const struct rpc_log *l, const struct treasury_token *t, struct fr_err *err)
{
    struct deposit_take *take = &d->take;
    struct address to, sender;
    char player[DEPOSIT_PLAYER_BYTES] = "";
    struct u256 amount = { { 0 } }, dust = { { 0 } }, rest = { { 0 } }, sum = { { 0 } };
    int64_t number = 0, units = 0;
    bool fresh = false, known = false, clean = topic_address(l->topics[2], &to) && topic_address(l->topics[1], &sender) && l->topic_count == 3 && l->data_len == U256_BYTES;
    struct fr_err why;
    FR_TRY(owner_of(txn, d->part->chain_id, &to, &number, player, &known, err));
    if (!known) return FR_FAIL(err, FR_E_INTERNAL, "a transfer to an address that nobody asked for");       // checked before: see logs_fit
    if (clean) amount = u256_from_bytes((const uint8_t *)take->logs->data.data + l->data_at);
    if (clean && u256_is_zero(amount)) return FR_OK;             // anybody can make those, in any number
    FR_TRY(log_insert(txn, d, l, number, t->asset, &sender, amount, 0, clean ? DEPOSIT_HELD : DEPOSIT_ODD, &fresh, err));
    take->again += !fresh;
    take->odd += fresh && !clean;
    if (!fresh || !clean) return FR_OK;
    FR_TRY(box_add(txn, d, number, t->asset, amount, err));
    FR_TRY(dust_get(txn, player, t->asset, &dust, err));
    if (!u256_add(amount, dust, &sum) || u256_to_units_dust(sum, t->chain_decimals, t->ledger_decimals, &units, &rest, &why) != FR_OK) {
        take->held++;
        return FR_OK;
    }
    enum fr_status st = units ? credit(txn, d, l, player, t->asset, units, err) : FR_OK;
    take->held += st == FR_E_LIMIT;
    if (st == FR_E_LIMIT) return FR_OK;
    FR_TRY(st);
    if (u256_compare(rest, dust) != 0) FR_TRY(dust_set(txn, player, t->asset, rest, err));
    FR_TRY(log_end(txn, d, l, units, units ? DEPOSIT_CREDITED : DEPOSIT_DUSTY, err));
    take->dusty += !units;
    if (!units) return FR_OK;
    snprintf(take->credited[take->credited_count].player, sizeof take->credited[0].player, "%s", player);
    snprintf(take->credited[take->credited_count++].asset, sizeof take->credited[0].asset, "%s", t->asset);
    return FR_OK;
}

static enum fr_status out_insert(struct store_txn *txn, const struct deposit *d, const uint8_t tx[32], uint64_t index, uint64_t block, const char *asset, const struct address *to, struct u256 amount, struct fr_err *err)
{
    struct store_row *row = NULL;
    struct deposit_blob place;
    FR_TRY(sql_begin(txn, "INSERT INTO vault_out(chain_id, tx, log_index, block, asset, receiver, amount, at_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_bytes(row, 2, tx, 32);
    sql_bind_int(row, 3, (int64_t)index);
    sql_bind_int(row, 4, (int64_t)block);
    sql_bind_text(row, 5, asset);
    sql_bind_bytes(row, 6, to->bytes, ADDRESS_BYTES);
    deposit_bind_amount(row, 7, &place, amount);
    sql_bind_int(row, 8, d->plan.now_ms);
    return sql_do(row, NULL, err);
}

static enum fr_status take_out(struct store_txn *txn, struct deposit *d, const struct rpc_log *l, const struct treasury_token *t, struct fr_err *err)
{
    struct address to = { { 0 } };
    struct u256 amount = { { 0 } };
    if (l->topic_count == 3) topic_address(l->topics[2], &to);
    if (l->data_len == U256_BYTES) amount = u256_from_bytes((const uint8_t *)d->take.logs->data.data + l->data_at);
    if (l->data_len == U256_BYTES && u256_is_zero(amount)) return FR_OK;       // transferFrom of nothing is anybody's to call
    return out_insert(txn, d, l->tx_hash, l->log_index, l->block_number, t->asset, &to, amount, err);
}

static enum fr_status back_move(struct store_txn *txn, const struct deposit_plan *p, struct fr_err *err)
{
    struct store_row *row = NULL, *gone = NULL;
    FR_TRY(sql_begin(txn, "UPDATE deposit_back SET from_block = ?2 WHERE id = ?1", &row, err));
    sql_bind_int(row, 1, p->back);
    sql_bind_int(row, 2, (int64_t)p->to + 1);
    FR_TRY(sql_do(row, NULL, err));
    FR_TRY(sql_begin(txn, "DELETE FROM deposit_back WHERE id = ?1 AND from_block > to_block", &gone, err));
    sql_bind_int(gone, 1, p->back);
    return sql_do(gone, NULL, err);
}

enum fr_status deposit_take_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct deposit *d = arg;
    struct deposit_take *take = &d->take;
    const struct deposit_plan *p = &d->plan;
    uint64_t from, to;
    int64_t after, looked;
    take->credited_count = take->again = take->held = take->dusty = take->odd = 0;
    FR_TRY(cursor_get(txn, d, &from, &to, &after, &looked, err));
    if (p->work != WORK_BACK && (from != p->from || after != p->after)) return FR_FAIL(err, FR_E_CONFLICT, "reading stands at block %llu, not at %llu", (unsigned long long)from, (unsigned long long)p->from);
    for (int i = take->first; i < take->first + take->count; i++) {
        const struct rpc_log *l = &take->logs->at[i];
        const struct treasury_token *t = token_at(d, &l->address);
        assert(t);                         // see logs_fit
        FR_TRY(p->work == WORK_OUT ? take_out(txn, d, l, t, err) : take_deposit(txn, d, l, t, err));
    }
    if (!take->last) return FR_OK;
    if (p->work == WORK_BACK) return back_move(txn, p, err);
    return cursor_set(txn, d, p->from, p->to, p->work == WORK_OUT ? 0 : p->at[p->count - 1].number, err);
}

static enum fr_status back_insert(struct store_txn *txn, int64_t number, uint64_t from, uint64_t to, int64_t next_ms, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO deposit_back(number, from_block, to_block, next_ms) VALUES(?1, ?2, ?3, ?4)", &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_int(row, 2, (int64_t)from);
    sql_bind_int(row, 3, (int64_t)to);
    sql_bind_int(row, 4, next_ms);
    return sql_do(row, NULL, err);
}

// One address has more logs in one block than a node gives: it is read apart, so that it holds up nobody. A past that cannot be read waits.
enum fr_status deposit_skip_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    static const uint8_t nothing[32];
    static const struct address nobody;
    struct deposit *d = arg;
    const struct deposit_plan *p = &d->plan;
    struct store_row *row = NULL;
    uint64_t from, to;
    int64_t after, looked;
    if (p->work == WORK_BACK) {
        FR_TRY(sql_begin(txn, "UPDATE deposit_back SET next_ms = ?2 WHERE id = ?1", &row, err));
        sql_bind_int(row, 1, p->back);
        sql_bind_int(row, 2, p->now_ms + DEPOSIT_RETRY_MS);
        return sql_do(row, NULL, err);
    }
    FR_TRY(cursor_get(txn, d, &from, &to, &after, &looked, err));
    if (from != p->from || after != p->after) return FR_FAIL(err, FR_E_CONFLICT, "reading stands elsewhere");
    if (p->work == WORK_OUT) {             // counts as an outflow that nobody explains
        FR_TRY(out_insert(txn, d, nothing, p->from, p->from, "", &nobody, u256_of(0), err));
        return cursor_set(txn, d, p->from, p->to, 0, err);
    }
    if (p->backlog >= DEPOSIT_BACK_MAX) return FR_FAIL(err, FR_E_LIMIT, "%d pasts of addresses are still to be read", DEPOSIT_BACK_MAX);
    FR_TRY(back_insert(txn, p->at[0].number, p->from, p->to, p->now_ms + DEPOSIT_RETRY_MS, err));
    return cursor_set(txn, d, p->from, p->to, p->at[0].number, err);
}

// Nothing ever lay there, or its past is to be read.
enum fr_status deposit_checked_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct deposit *d = arg;
    for (int i = 0; i < d->plan.count; i++) {
        FR_SQL_ROW(row);
        struct store_row *done = NULL;
        bool found = false;
        FR_TRY(sql_begin(txn, "SELECT since FROM deposit_address WHERE number = ?1 AND checked = 0", &row, err));
        sql_bind_int(row, 1, d->plan.at[i].number);
        FR_TRY(sql_step(row, &found, err));
        uint64_t since = found ? (uint64_t)sql_int(row, 0) : 0;
        if (!found) continue;
        if (!d->said.clean[i] && since > d->o.from_block) FR_TRY(back_insert(txn, d->plan.at[i].number, d->o.from_block, since - 1, 0, err));
        FR_TRY(sql_begin(txn, "UPDATE deposit_address SET checked = 1 WHERE number = ?1", &done, err));
        sql_bind_int(done, 1, d->plan.at[i].number);
        FR_TRY(sql_do(done, NULL, err));
    }
    return FR_OK;
}

// What lies where, at the block up to which all is credited. An empty address is closed; one whose sweep had ended by then, and that has more, is to be swept again.
enum fr_status deposit_balances_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct deposit *d = arg;
    const struct deposit_plan *p = &d->plan;
    uint64_t from, to;
    int64_t after, looked;
    FR_TRY(cursor_get(txn, d, &from, &to, &after, &looked, err));
    if (from != p->read_block + 1 || after >= 0) return FR_FAIL(err, FR_E_CONFLICT, "reading has gone on");
    for (int i = 0; i < p->count; i++) {
        struct store_row *row = NULL;
        struct deposit_blob place;
        if (u256_is_zero(d->said.value[i])) FR_TRY(sql_begin(txn, "DELETE FROM deposit_box WHERE number = ?1 AND asset = ?2 AND ?3 = ?3 AND ?4 = ?4"
                                                             " AND (sweep = 0 OR EXISTS (SELECT 1 FROM deposit_sweep s WHERE s.id = sweep AND s.ended > 0))", &row, err));
        else FR_TRY(sql_begin(txn, "UPDATE deposit_box SET lying = ?3, sweep = CASE WHEN EXISTS (SELECT 1 FROM deposit_sweep s WHERE s.id = sweep AND s.ended > 0 AND s.block <= ?4) THEN 0 ELSE sweep END WHERE number = ?1 AND asset = ?2", &row, err));
        sql_bind_int(row, 1, p->at[i].number);
        sql_bind_text(row, 2, p->at[i].asset);
        deposit_bind_amount(row, 3, &place, d->said.value[i]);
        sql_bind_int(row, 4, (int64_t)p->read_block);
        FR_TRY(sql_do(row, NULL, err));
        if (u256_is_zero(d->said.value[i])) {          // its sweep is on its way: it keeps its row, with nothing in it
            struct store_row *empty = NULL;
            FR_TRY(sql_begin(txn, "UPDATE deposit_box SET lying = ?3 WHERE number = ?1 AND asset = ?2", &empty, err));
            sql_bind_int(empty, 1, p->at[i].number);
            sql_bind_text(empty, 2, p->at[i].asset);
            deposit_bind_amount(empty, 3, &place, u256_of(0));
            FR_TRY(sql_do(empty, NULL, err));
        }
    }
    return FR_OK;
}

// ---- sweeps

enum fr_status deposit_sweep_data(const struct treasury_token *t, const struct deposit_member *at, int count, struct fr_buf *out, struct fr_err *err)
{
    uint8_t salts[DEPOSIT_SWEEP_MAX][ABI_WORD_BYTES];
    struct abi_out abi;
    assert(count > 0 && count <= DEPOSIT_SWEEP_MAX);
    for (int i = 0; i < count; i++) memcpy(salts[i], at[i].salt, 32);
    abi_begin(&abi, out, "sweep(address,bytes32[])", 2);
    abi_put_address(&abi, &t->at);
    abi_put_words(&abi, (const uint8_t (*)[ABI_WORD_BYTES])salts, (size_t)count);
    return abi_end(&abi, err);
}

static enum fr_status box_set(struct store_txn *txn, const char *sql, int64_t number, const char *asset, int64_t value, const char *why, int64_t *changed, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, sql, &row, err));
    sql_bind_int(row, 1, number);
    sql_bind_text(row, 2, asset);
    sql_bind_int(row, 3, value);
    sql_bind_text(row, 4, why);
    return sql_do(row, changed, err);
}

// The plan's members, tried by eth_call: those that refused stay away for a day, or the others go into a payment.
enum fr_status deposit_sweep_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct deposit *d = arg;
    const struct deposit_plan *p = &d->plan;
    struct store_row *row = NULL;
    int64_t id, payment, changed = 0;
    for (int i = 0; i < d->left_count; i++)
        FR_TRY(box_set(txn, "UPDATE deposit_box SET refused_ms = ?3, why = ?4 WHERE number = ?1 AND asset = ?2 AND sweep = 0", d->try_left[i], p->token->asset, p->now_ms, d->left_why, NULL, err));
    if (!d->sweep_fine) return FR_OK;
    FR_TRY(sql_begin(txn, "INSERT INTO deposit_sweep(chain_id, asset, count, made_ms) VALUES(?1, ?2, ?3, ?4)", &row, err));
    sql_bind_int(row, 1, (int64_t)d->part->chain_id);
    sql_bind_text(row, 2, p->token->asset);
    sql_bind_int(row, 3, p->count);
    sql_bind_int(row, 4, p->now_ms);
    FR_TRY(sql_do(row, NULL, err));
    id = sql_last_id(txn);
    for (int i = 0; i < p->count; i++) {
        FR_TRY(box_set(txn, "UPDATE deposit_box SET sweep = ?3, refused_ms = 0, why = ?4 WHERE number = ?1 AND asset = ?2 AND sweep = 0", p->at[i].number, p->token->asset, id, "", &changed, err));
        if (changed != 1) return FR_FAIL(err, FR_E_CONFLICT, "address %lld is in a sweep already", (long long)p->at[i].number);
    }
    FR_AUTO_BUF(data);
    fr_buf_init(&data, TXQ_DATA_BYTES_MAX);
    FR_TRY(deposit_sweep_data(p->token, p->at, p->count, &data, err));
    struct txq_ask ask = { .queue = TREASURY_QUEUE, .to = d->o.factory, .data = (const uint8_t *)data.data, .data_len = data.len };
    snprintf(ask.name, sizeof ask.name, "sweep:%lld", (long long)id);
    return txq_put(txn, &ask, p->now_ms, &payment, err);
}

// Paid: closed by the next look at balances. Else its addresses are tried again, by eth_call first; one that was in too many of those is left out.
enum fr_status deposit_on_end(struct store_txn *txn, void *deposit, const struct txq_payment_row *row, struct fr_err *err)
{
    struct store_row *end = NULL, *back = NULL;
    long long id = 0;
    int len = 0;
    int64_t changed = 0;
    (void)deposit;
    if (sscanf(row->name, "sweep:%lld%n", &id, &len) != 1 || row->name[len]) return FR_FAIL(err, FR_E_INTERNAL, "payment %s is no sweep", row->name);
    FR_TRY(sql_begin(txn, "UPDATE deposit_sweep SET ended = ?2, block = ?3, ended_ms = ?4 WHERE id = ?1 AND ended = 0", &end, err));
    sql_bind_int(end, 1, id);
    sql_bind_int(end, 2, row->end);
    sql_bind_int(end, 3, (int64_t)row->block);
    sql_bind_int(end, 4, row->ended_ms);
    FR_TRY(sql_do(end, &changed, err));
    if (changed != 1) return FR_FAIL(err, FR_E_CONFLICT, "sweep %lld has ended, or is none", id);
    if (row->end == TXQ_PAID) return FR_OK;
    FR_TRY(sql_begin(txn, "UPDATE deposit_box SET sweep = 0, tries = tries + ?2, refused_ms = CASE WHEN ?2 AND tries + 1 >= ?3 THEN ?4 ELSE refused_ms END, why = CASE WHEN ?2 AND tries + 1 >= ?3 THEN 'its sweeps fail in blocks' ELSE why END WHERE sweep = ?1", &back, err));
    sql_bind_int(back, 1, id);
    sql_bind_int(back, 2, row->end == TXQ_REVERTED);
    sql_bind_int(back, 3, DEPOSIT_TRIES_MAX);
    sql_bind_int(back, 4, row->ended_ms);
    return sql_do(back, NULL, err);
}

// ---- for withdrawals

enum fr_status deposit_is_ours(struct store_txn *txn, uint64_t chain_id, const struct address *a, bool *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT 1 FROM deposit_address WHERE chain_id = ?1 AND address = ?2", &row, err));
    sql_bind_int(row, 1, (int64_t)chain_id);
    sql_bind_bytes(row, 2, a->bytes, ADDRESS_BYTES);
    return sql_step(row, ret, err);
}
