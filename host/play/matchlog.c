// matchlog.c — the match tables and their SQL. A row's state only grows; records are only appended.
#include "play/matchlog.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "ipc/call.h"
#include "ledger/ledger.h"
#include "play/play.h"
#include "play/snapshot.h"
#include "player/consent.h"
#include "store/migrate.h"

#define COPY_TEXT(to, row, col) snprintf((to), sizeof(to), "%s", sql_text((row), (col)) ? sql_text((row), (col)) : "")

static const struct store_migration match_steps[] = {
    { "play", 1,
      "CREATE TABLE match(id TEXT PRIMARY KEY, game TEXT NOT NULL, version TEXT NOT NULL, package_sha TEXT NOT NULL, engine TEXT NOT NULL,"
      " mode TEXT NOT NULL, asset TEXT NOT NULL, terms TEXT NOT NULL, rake TEXT NOT NULL, stake INTEGER NOT NULL, seats INTEGER NOT NULL,"
      " tick_hz INTEGER NOT NULL, turn_ms INTEGER NOT NULL, state INTEGER NOT NULL, setup TEXT NOT NULL, fairness TEXT NOT NULL,"
      " records INTEGER NOT NULL DEFAULT 0, hash0 TEXT NOT NULL DEFAULT '', hash TEXT NOT NULL DEFAULT '', result TEXT,"
      " created_ms INTEGER NOT NULL, open_ms INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER) WITHOUT ROWID;"
      "CREATE INDEX match_unfinished ON match(state) WHERE state < 2;"
      "CREATE TABLE match_seat(match TEXT NOT NULL, seat INTEGER NOT NULL, player TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY(match, seat)) WITHOUT ROWID;"
      "CREATE INDEX match_of_player ON match_seat(player, match);"
      "CREATE TABLE match_record(match TEXT NOT NULL, n INTEGER NOT NULL, record TEXT NOT NULL, outcome INTEGER NOT NULL, hash TEXT NOT NULL,"
      " PRIMARY KEY(match, n)) WITHOUT ROWID;" },
    // Snapshots; the payloads' hashes, so that the chain can be followed without running the game; logs that were pruned.
    { "play", 2,
      "ALTER TABLE match_record ADD COLUMN payload BLOB;"
      "ALTER TABLE match ADD COLUMN payload0 BLOB;"
      "ALTER TABLE match ADD COLUMN pruned_ms INTEGER;"
      "CREATE INDEX match_unpruned ON match(ended_ms) WHERE state = 2 AND pruned_ms IS NULL;"
      "CREATE TABLE match_snapshot(match TEXT NOT NULL, n INTEGER NOT NULL, hash TEXT NOT NULL, state_sha TEXT NOT NULL, head TEXT NOT NULL, state BLOB NOT NULL,"
      " sha TEXT NOT NULL, ran TEXT, told TEXT, sha_host TEXT NOT NULL, PRIMARY KEY(match, n));" },
    // The next start makes chunks of what is put into the tail here.
    { "play", 3,
      "CREATE TABLE match_tail(at INTEGER PRIMARY KEY, match TEXT NOT NULL, n INTEGER NOT NULL, record TEXT NOT NULL, outcome INTEGER NOT NULL, hash TEXT NOT NULL, payload BLOB);"
      "CREATE TABLE match_chunk(match TEXT NOT NULL, n INTEGER NOT NULL, records INTEGER NOT NULL, hash TEXT NOT NULL, lines TEXT NOT NULL, PRIMARY KEY(match, n));"
      "INSERT INTO match_tail(match,n,record,outcome,hash,payload) SELECT match,n,record,outcome,hash,payload FROM match_record ORDER BY match,n;"
      "DROP TABLE match_record;" },
};

void play_register(void)
{
    store_register(match_steps, sizeof match_steps / sizeof match_steps[0]);
}

void matchlog_print_setup(const struct match_row *m, const char *const *options, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"id\":\"%s\",\"mode\":", m->id);
    fr_buf_add_json_text(out, m->mode);
    fr_buf_add(out, ",\"asset\":");
    fr_buf_add_json_text(out, m->asset);
    fr_buf_addf(out, ",\"stake\":\"%lld\",\"turn_ms\":%d,\"now_ms\":%lld,\"players\":[", (long long)m->stake_units, m->turn_ms, (long long)m->open_ms);
    for (int i = 0; i < m->seats; i++) {
        fr_buf_add(out, i ? ",{" : "{");
        if (m->seat[i].player[0]) fr_buf_addf(out, "\"id\":\"%s\",\"name\":", m->seat[i].player);
        else fr_buf_add(out, "\"bot\":true,\"name\":");
        fr_buf_add_json_text(out, m->seat[i].name);
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "],\"options\":[");
    for (int i = 0; i < m->seats; i++) {
        if (i) fr_buf_add(out, ",");
        fr_buf_add(out, options[i] ? options[i] : "{}");
    }
    fr_buf_add(out, "]");
    if (m->package_sha[0]) fr_buf_addf(out, ",\"package\":\"%s\"", m->package_sha);      // so that the chain holds the code too
    fr_buf_add(out, m->spectated ? ",\"spectators\":true}" : "}");
}

bool setup_is_spectated(const char *setup)
{
    static const char end[] = ",\"spectators\":true}";              // we wrote it: the key is the last one
    size_t len = strlen(setup);
    return len >= sizeof end - 1 && strcmp(setup + len - (sizeof end - 1), end) == 0;
}

static void match_owner(const char *id, char out[64])
{
    snprintf(out, 64, "match:%s", id);
}

static enum fr_status match_insert(struct store_txn *txn, const struct match_row *m, const char *setup, struct fr_err *err)
{
    FR_AUTO_BUF(fairness);
    fr_buf_init(&fairness, 64 * 1024);
    fairness_print(&m->fairness, true, &fairness);
    FR_TRY(fr_buf_check(&fairness, "fairness", err));
    char rake[64];
    snprintf(rake, sizeof rake, "%d,%d,%d,%d", m->rake_bps[0], m->rake_bps[1], m->rake_bps[2], m->rake_bps[3]);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO match(id,game,version,package_sha,engine,mode,asset,terms,rake,stake,seats,tick_hz,turn_ms,state,setup,fairness,created_ms,open_ms)"
                          " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)", &row, err));
    sql_bind_text(row, 1, m->id);
    sql_bind_text(row, 2, m->game);
    sql_bind_text(row, 3, m->version);
    sql_bind_text(row, 4, m->package_sha);
    sql_bind_text(row, 5, m->engine);
    sql_bind_text(row, 6, m->mode);
    sql_bind_text(row, 7, m->asset);
    sql_bind_text(row, 8, m->terms);
    sql_bind_text(row, 9, rake);
    sql_bind_int(row, 10, m->stake_units);
    sql_bind_int(row, 11, m->seats);
    sql_bind_int(row, 12, m->tick_hz);
    sql_bind_int(row, 13, m->turn_ms);
    sql_bind_int(row, 14, m->state);
    sql_bind_text(row, 15, setup);
    sql_bind_bytes(row, 16, fairness.data, fairness.len);
    sql_bind_int(row, 17, m->created_ms);
    sql_bind_int(row, 18, m->open_ms);
    return sql_do(row, NULL, err);
}

static enum fr_status match_insert_seat(struct store_txn *txn, const struct match_row *m, int seat, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO match_seat(match,seat,player,name) VALUES(?1,?2,?3,?4)", &row, err));
    sql_bind_text(row, 1, m->id);
    sql_bind_int(row, 2, seat);
    sql_bind_text(row, 3, m->seat[seat - 1].player);
    sql_bind_text(row, 4, m->seat[seat - 1].name);
    return sql_do(row, NULL, err);
}

static enum fr_status match_stake(struct store_txn *txn, const struct match_row *m, int seat, int64_t now_ms, struct fr_err *err)
{
    const char *player = m->seat[seat - 1].player;
    FR_TRY(consent_spend(txn, player, m->game, m->asset, m->terms, m->stake_units, now_ms, err));
    struct ledger_account account;
    FR_TRY(ledger_account(txn, OWNER_PLAYER, player, m->asset, &account, err));
    struct ledger_hold ask = { .account = account.id, .units = m->stake_units }, made;
    match_owner(m->id, ask.owner);
    snprintf(ask.key, sizeof ask.key, "match:%s:stake:%d", m->id, seat);
    return ledger_hold_open(txn, &ask, "stake", now_ms, &made, err);
}

enum fr_status matchlog_form(struct store_txn *txn, const struct match_row *m, const char *setup, int64_t now_ms, int *failed_seat, struct fr_err *err)
{
    *failed_seat = 0;
    FR_TRY(match_insert(txn, m, setup, err));
    for (int seat = 1; seat <= m->seats; seat++) {
        FR_TRY(match_insert_seat(txn, m, seat, err));
        if (m->stake_units == 0 || m->seat[seat - 1].player[0] == '\0') continue;
        enum fr_status st = match_stake(txn, m, seat, now_ms, err);
        if (st == FR_E_DENIED || st == FR_E_FUNDS) *failed_seat = seat;
        FR_TRY(st);
    }
    return FR_OK;
}

enum fr_status matchlog_run(struct store_txn *txn, const struct match_row *m, const char *setup, struct fr_err *err)
{
    FR_AUTO_BUF(fairness);
    fr_buf_init(&fairness, 64 * 1024);
    fairness_print(&m->fairness, true, &fairness);
    FR_TRY(fr_buf_check(&fairness, "fairness", err));
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE match SET state=1, setup=?2, fairness=?3, open_ms=?4 WHERE id=?1 AND state=0", &row, err));
    sql_bind_text(row, 1, m->id);
    sql_bind_text(row, 2, setup);
    sql_bind_bytes(row, 3, fairness.data, fairness.len);
    sql_bind_int(row, 4, m->open_ms);
    int64_t changed;
    FR_TRY(sql_do(row, &changed, err));
    return changed == 1 ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "match_ended", "match %s is not waiting for seeds", m->id);
}

enum fr_status matchlog_opened(struct store_txn *txn, const char *match, const char *hash, const uint8_t payload_sha[SHA256_BYTES], struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE match SET hash0=?2, payload0=?3, hash=CASE WHEN records=0 THEN ?2 ELSE hash END WHERE id=?1 AND hash0=''", &row, err));
    sql_bind_text(row, 1, match);
    sql_bind_text(row, 2, hash);
    sql_bind_bytes(row, 3, payload_sha, SHA256_BYTES);
    return sql_do(row, NULL, err);
}

static enum fr_status append_follows(struct store_txn *txn, const char *match, const struct matchlog_row *r, struct fr_err *err)
{
    if (r->n > 1 && r->prev_at == 0) return FR_OK;
    FR_SQL_ROW(row);
    bool found;
    if (r->n == 1) FR_TRY(sql_begin(txn, "SELECT 1 FROM match WHERE id=?1 AND state=1", &row, err));
    else FR_TRY(sql_begin(txn, "SELECT 1 FROM match_tail WHERE at=?2 AND match=?1 AND n=?3", &row, err));
    sql_bind_text(row, 1, match);
    if (r->n > 1) {
        sql_bind_int(row, 2, r->prev_at);
        sql_bind_int(row, 3, r->n - 1);
    }
    FR_TRY(sql_step(row, &found, err));
    return found ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "match_log_gap", "match %s: record %lld does not follow", match, (long long)r->n);
}

enum fr_status matchlog_append(struct store_txn *txn, const char *match, const struct matchlog_row *r, struct fr_err *err)
{
    FR_TRY(append_follows(txn, match, r, err));
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT INTO match_tail(at,match,n,record,outcome,hash,payload) VALUES(?1,?2,?3,?4,?5,?6,?7)", &row, err));
    sql_bind_int(row, 1, r->at);
    sql_bind_text(row, 2, match);
    sql_bind_int(row, 3, r->n);
    sql_bind_text(row, 4, r->record);
    sql_bind_int(row, 5, r->outcome);
    sql_bind_text(row, 6, r->hash);
    sql_bind_bytes(row, 7, r->payload_sha, SHA256_BYTES);
    return sql_do(row, NULL, err);
}

// ---- chunks: a line for each record, `outcome hash payload record`, whose last field is JSON without line breaks

static void chunk_add(struct matchlog_chunk *c, const struct matchlog_record *r)
{
    char hex[SHA256_HEX_BYTES];
    fr_buf_addf(&c->lines, "%s%d %s %s ", c->records > 0 ? "\n" : "", r->outcome, r->hash, fr_hex(r->payload_sha, SHA256_BYTES, hex));
    fr_buf_add(&c->lines, r->record);
    memcpy(c->hash, r->hash, sizeof c->hash);
    c->records++;
}

enum fr_status matchlog_chunk_make(const struct matchlog_record *records, int64_t n, int count, struct matchlog_chunk *ret, struct fr_err *err)
{
    *ret = (struct matchlog_chunk){ .n = n };
    fr_buf_init(&ret->lines, MATCH_CHUNK_BYTES_MAX);
    for (int i = 0; i < count; i++) chunk_add(ret, &records[i]);
    enum fr_status st = fr_buf_check(&ret->lines, "a chunk of a match's log", err);
    if (st != FR_OK) fr_buf_free(&ret->lines);
    return st;
}

enum fr_status matchlog_chunk_put(struct store_txn *txn, const char *match, const struct matchlog_chunk *c, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "INSERT OR REPLACE INTO match_chunk(match,n,records,hash,lines) VALUES(?1,?2,?3,?4,?5)", &row, err));
    sql_bind_text(row, 1, match);
    sql_bind_int(row, 2, c->n);
    sql_bind_int(row, 3, c->records);
    sql_bind_text(row, 4, c->hash);
    sql_bind_text(row, 5, c->lines.data);
    return sql_do(row, NULL, err);
}

enum fr_status matchlog_trim(struct store_txn *txn, int64_t before_at, int most, bool *left, struct fr_err *err)
{
    FR_SQL_ROW(row);
    int64_t gone;
    FR_TRY(sql_begin(txn, "DELETE FROM match_tail WHERE at < min(?1, (SELECT min(at) FROM match_tail) + ?2)", &row, err));
    sql_bind_int(row, 1, before_at);
    sql_bind_int(row, 2, most);
    FR_TRY(sql_do(row, &gone, err));
    *left = gone > 0;
    return FR_OK;
}

// A row of the tail, as matchlog_read and matchlog_settle select it from column `col` on: record, hash, outcome, payload.
static bool tail_read(struct store_row *row, int col, struct matchlog_record *ret)
{
    const char *record = sql_text(row, col);
    size_t len;
    *ret = (struct matchlog_record){ .record = fr_strndup(record, strlen(record)), .outcome = (int)sql_int(row, col + 2) };
    snprintf(ret->hash, sizeof ret->hash, "%s", sql_text(row, col + 1));
    const void *sha = sql_bytes(row, col + 3, &len);
    if (sha && len == SHA256_BYTES) memcpy(ret->payload_sha, sha, SHA256_BYTES);
    return ret->record != NULL;
}

static enum fr_status settle_flush(struct store_txn *txn, const char *match, struct matchlog_chunk *c, struct fr_err *err)
{
    if (c->records == 0) return FR_OK;
    FR_TRY(fr_buf_check(&c->lines, "a chunk of a match's log", err));
    FR_TRY(matchlog_chunk_put(txn, match, c, err));
    fr_buf_clear(&c->lines);
    c->records = 0;
    return FR_OK;
}

static enum fr_status settle_rows(struct store_txn *txn, struct matchlog_chunk *c, struct fr_err *err)
{
    char match[FR_ID_BYTES] = "";
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT match,n,record,hash,outcome,payload FROM match_tail t"
                          " WHERE n > coalesce((SELECT c.n+c.records-1 FROM match_chunk c WHERE c.match=t.match ORDER BY c.n DESC LIMIT 1),0) ORDER BY match,n", &row, err));
    for (;;) {
        bool found;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return settle_flush(txn, match, c, err);
        bool same = strcmp(match, sql_text(row, 0)) == 0 && sql_int(row, 1) == c->n + c->records;
        if (!same || c->records == MATCH_CHUNK_RECORDS) FR_TRY(settle_flush(txn, match, c, err));
        COPY_TEXT(match, row, 0);
        if (c->records == 0) c->n = sql_int(row, 1);
        struct matchlog_record r;
        if (tail_read(row, 2, &r)) chunk_add(c, &r);
        else return FR_FAIL(err, FR_E_NOMEM, "no memory for a record of match %s", match);
        fr_free(r.record);
    }
}

enum fr_status matchlog_settle(struct store_txn *txn, struct fr_err *err)
{
    struct matchlog_chunk c = { 0 };
    fr_buf_init(&c.lines, MATCH_CHUNK_BYTES_MAX);
    enum fr_status st = settle_rows(txn, &c, err);
    fr_buf_free(&c.lines);
    FR_TRY(st);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "DELETE FROM match_tail", &row, err));
    return sql_do(row, NULL, err);
}

static enum fr_status leg_add(struct store_txn *txn, enum ledger_owner_kind kind, const char *owner, const struct match_row *m, int64_t units,
                              struct ledger_leg *legs, int *count, struct fr_err *err)
{
    if (units == 0) return FR_OK;
    struct ledger_account account;
    FR_TRY(ledger_account(txn, kind, owner, m->asset, &account, err));
    legs[(*count)++] = (struct ledger_leg){ account.id, units };
    return FR_OK;
}

static enum fr_status match_pay(struct store_txn *txn, const struct match_row *m, const struct match_result *r, const char *owner, const char *key, int64_t now_ms, struct fr_err *err)
{
    struct ledger_leg legs[TRANSFER_LEGS_MAX];
    int count = 0;
    int64_t id;
    for (int i = 0; i < m->seats; i++)
        FR_TRY(leg_add(txn, OWNER_PLAYER, m->seat[i].player, m, r->payout[i], legs, &count, err));
    FR_TRY(leg_add(txn, OWNER_PLUGIN, m->game, m, r->rake[SPLIT_PLUGIN] + r->rake[SPLIT_AUTHOR], legs, &count, err));
    FR_TRY(leg_add(txn, OWNER_TREASURY, "", m, r->rake[SPLIT_TREASURY], legs, &count, err));
    FR_TRY(leg_add(txn, OWNER_BURN, m->game, m, r->rake[SPLIT_BURN], legs, &count, err));
    return ledger_holds_settle(txn, owner, legs, count, key, "match", m->id, now_ms, &id, err);
}

static enum fr_status match_return(struct store_txn *txn, const struct match_row *m, const char *owner, const char *key, int64_t now_ms, struct fr_err *err)
{
    int64_t id;
    FR_TRY(ledger_holds_release(txn, owner, key, "match_undone", now_ms, &id, err));
    for (int i = 0; i < m->seats; i++)
        if (m->seat[i].player[0]) FR_TRY(consent_return(txn, m->seat[i].player, m->game, m->asset, m->stake_units, m->created_ms, now_ms, err));     // matchlog_form spent it then
    return FR_OK;
}

enum fr_status matchlog_end(struct store_txn *txn, const struct match_row *m, const struct match_result *r, int64_t records, const char *hash, int64_t now_ms, struct fr_err *err)
{
    FR_AUTO_BUF(result);
    fr_buf_init(&result, 32 * 1024);
    settle_print(r, m->seats, &result);
    FR_TRY(fr_buf_check(&result, "result", err));
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "UPDATE match SET state=2, result=?2, ended_ms=?3, records=?4, hash=?5 WHERE id=?1 AND state<2", &row, err));
    sql_bind_text(row, 1, m->id);
    sql_bind_bytes(row, 2, result.data, result.len);
    sql_bind_int(row, 3, now_ms);
    sql_bind_int(row, 4, records);
    sql_bind_text(row, 5, hash);
    int64_t changed;
    FR_TRY(sql_do(row, &changed, err));
    if (changed == 0) return FR_OK;                       // ended before: paid before
    FR_TRY(snaplog_ended(txn, m->id, err));
    if (m->stake_units == 0) return FR_OK;
    char owner[64], key[80];
    match_owner(m->id, owner);
    snprintf(key, sizeof key, "%s:end", owner);
    return r->undone ? match_return(txn, m, owner, key, now_ms, err) : match_pay(txn, m, r, owner, key, now_ms, err);
}

// ---- reading back

enum fr_status matchlog_unfinished(struct store_txn *txn, char (*ids)[FR_ID_BYTES], int cap, int *count, struct fr_err *err)
{
    *count = 0;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id FROM match WHERE state < 2 ORDER BY id LIMIT ?1", &row, err));
    sql_bind_int(row, 1, cap);
    for (;;) {
        bool found;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        snprintf(ids[(*count)++], FR_ID_BYTES, "%s", sql_text(row, 0));
    }
}

void matchlog_free(struct matchlog *l)
{
    if (!l) return;
    for (int64_t i = 0; i < l->count && l->records; i++) fr_free(l->records[i].record);
    fr_free(l->records);
    fr_free(l->setup);
    fr_free(l);
}

static enum fr_status match_read_row(struct store_txn *txn, const char *match, struct matchlog *l, struct fr_err *err)
{
    struct match_row *m = &l->row;
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT id,game,version,package_sha,engine,mode,asset,terms,rake,stake,seats,tick_hz,turn_ms,state,setup,fairness,created_ms,open_ms,hash0,records,payload0,pruned_ms,hash"
                          " FROM match WHERE id=?1", &row, err));
    sql_bind_text(row, 1, match);
    bool found;
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "match_unknown", "there is no match %s", match);
    COPY_TEXT(m->id, row, 0);
    COPY_TEXT(m->game, row, 1);
    COPY_TEXT(m->version, row, 2);
    COPY_TEXT(m->package_sha, row, 3);
    COPY_TEXT(m->engine, row, 4);
    COPY_TEXT(m->mode, row, 5);
    COPY_TEXT(m->asset, row, 6);
    COPY_TEXT(m->terms, row, 7);
    if (sscanf(sql_text(row, 8), "%d,%d,%d,%d", &m->rake_bps[0], &m->rake_bps[1], &m->rake_bps[2], &m->rake_bps[3]) != 4)
        return FR_FAIL(err, FR_E_CORRUPT, "match %s: its rake is unreadable", match);
    m->stake_units = sql_int(row, 9);
    m->seats = (int)sql_int(row, 10);
    m->tick_hz = (int)sql_int(row, 11);
    m->turn_ms = (int)sql_int(row, 12);
    m->state = (enum match_row_state)sql_int(row, 13);
    l->setup = fr_strndup(sql_text(row, 14), strlen(sql_text(row, 14)));
    m->created_ms = sql_int(row, 16);
    m->open_ms = sql_int(row, 17);
    COPY_TEXT(l->hash0, row, 18);
    l->recorded = sql_int(row, 19);
    l->pruned_ms = m->state == ROW_ENDED && l->setup && l->setup[0] == '\0' ? (sql_int(row, 21) ? sql_int(row, 21) : 1) : 0;      // 1: some records are still to go
    COPY_TEXT(l->hash, row, 22);
    if (m->seats < 1 || m->seats > SEATS_MAX || l->recorded < 0 || l->recorded > MATCH_LOG_RECORDS_MAX) return FR_FAIL(err, FR_E_CORRUPT, "match %s: its row is damaged", match);
    if (!l->setup) return FR_FAIL(err, FR_E_NOMEM, "no memory for match %s", match);
    size_t len;
    const void *sha = sql_bytes(row, 20, &len);
    if (sha && len == SHA256_BYTES) memcpy(l->payload0, sha, SHA256_BYTES);
    m->spectated = setup_is_spectated(l->setup);
    const char *text = sql_bytes(row, 15, &len);
    FR_AUTO(fr_json) fairness = NULL;
    FR_TRY(fr_json_parse(text, len, &fairness, err));
    return fairness_read(fairness, m->seats, &m->fairness, err);
}

static enum fr_status match_read_seats(struct store_txn *txn, struct match_row *m, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT seat,player,name FROM match_seat WHERE match=?1", &row, err));
    sql_bind_text(row, 1, m->id);
    for (;;) {
        bool found;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        int seat = (int)sql_int(row, 0);
        if (seat < 1 || seat > m->seats) return FR_FAIL(err, FR_E_CORRUPT, "match %s has a seat %d of %d", m->id, seat, m->seats);
        COPY_TEXT(m->seat[seat - 1].player, row, 1);
        COPY_TEXT(m->seat[seat - 1].name, row, 2);
    }
}

static enum fr_status records_add(struct matchlog *l, struct matchlog_record *r, struct fr_err *err)
{
    if (l->count == MATCH_LOG_RECORDS_MAX) return FR_FAIL(err, FR_E_CORRUPT, "match %s: its log is too long", l->row.id);
    if (l->count == l->cap) {
        int64_t cap = l->cap ? l->cap * 2 : 64;
        struct matchlog_record *grown = fr_realloc(l->records, (size_t)cap * sizeof *grown);
        if (!grown) return FR_FAIL(err, FR_E_NOMEM, "no memory for %lld records", (long long)cap);
        l->records = grown;
        l->cap = cap;
    }
    l->records[l->count++] = *r;
    r->record = NULL;
    return FR_OK;
}

// One line of a chunk; *at is moved behind it.
static bool chunk_line(const char **at, struct matchlog_record *ret)
{
    *ret = (struct matchlog_record){ 0 };
    char *end;
    long outcome = strtol(*at, &end, 10);
    if (end == *at || *end != ' ' || strlen(end) < 2 * SHA256_HEX_BYTES + 1) return false;
    const char *hash = end + 1, *payload = hash + SHA256_HEX_BYTES, *record = payload + SHA256_HEX_BYTES;      // each with the space behind it
    if (payload[-1] != ' ' || record[-1] != ' ' || !fr_unhex(payload, SHA256_HEX_BYTES - 1, ret->payload_sha, SHA256_BYTES)) return false;
    size_t len = strcspn(record, "\n");
    ret->outcome = (int)outcome;
    memcpy(ret->hash, hash, SHA256_HEX_BYTES - 1);
    ret->record = fr_strndup(record, len);
    *at = record + len + (record[len] == '\n');
    return true;
}

static enum fr_status match_read_chunks(struct store_txn *txn, struct matchlog *l, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT n,records,lines FROM match_chunk WHERE match=?1 ORDER BY n", &row, err));
    sql_bind_text(row, 1, l->row.id);
    for (;;) {
        bool found;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        if (sql_int(row, 0) != l->count + 1) return FR_FAIL(err, FR_E_CORRUPT, "match %s: record %lld is missing", l->row.id, (long long)l->count + 1);
        const char *at = sql_text(row, 2);
        for (int64_t i = sql_int(row, 1); i > 0; i--) {
            struct matchlog_record r;
            if (!chunk_line(&at, &r)) return FR_FAIL(err, FR_E_CORRUPT, "match %s: record %lld is unreadable", l->row.id, (long long)l->count + 1);
            enum fr_status st = r.record ? records_add(l, &r, err) : FR_FAIL(err, FR_E_NOMEM, "no memory for record %lld", (long long)l->count + 1);
            fr_free(r.record);
            FR_TRY(st);
        }
    }
}

static enum fr_status match_read_tail(struct store_txn *txn, struct matchlog *l, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT n,record,hash,outcome,payload FROM match_tail WHERE match=?1 AND n>?2 ORDER BY n", &row, err));
    sql_bind_text(row, 1, l->row.id);
    sql_bind_int(row, 2, l->count);
    for (;;) {
        bool found;
        struct matchlog_record r;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        if (sql_int(row, 0) != l->count + 1) return FR_FAIL(err, FR_E_CORRUPT, "match %s: record %lld is missing", l->row.id, (long long)l->count + 1);
        enum fr_status st = tail_read(row, 1, &r) ? records_add(l, &r, err) : FR_FAIL(err, FR_E_NOMEM, "no memory for record %lld", (long long)l->count + 1);
        fr_free(r.record);
        FR_TRY(st);
    }
}

static enum fr_status match_read_records(struct store_txn *txn, struct matchlog *l, struct fr_err *err)
{
    FR_TRY(match_read_chunks(txn, l, err));
    if (l->row.state != ROW_ENDED) {
        FR_TRY(match_read_tail(txn, l, err));
        l->recorded = l->count;
        if (l->count > 0) memcpy(l->hash, l->records[l->count - 1].hash, sizeof l->hash);
    }
    return l->count == l->recorded ? FR_OK : FR_FAIL(err, FR_E_CORRUPT, "match %s: record %lld is missing", l->row.id, (long long)l->count + 1);
}

enum fr_status matchlog_read(struct store_txn *txn, const char *match, struct matchlog **ret, struct fr_err *err)
{
    FR_AUTO(matchlog) l = fr_alloc(sizeof *l);
    if (!l) return FR_FAIL(err, FR_E_NOMEM, "no memory for match %s", match);
    FR_TRY(match_read_row(txn, match, l, err));
    FR_TRY(match_read_seats(txn, &l->row, err));
    if (!l->pruned_ms) FR_TRY(match_read_records(txn, l, err));
    *ret = FR_TAKE(l);
    return FR_OK;
}
