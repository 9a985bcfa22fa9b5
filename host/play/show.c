// show.c — matches as JSON, from the store: for players, operators and replays. Runs inside a store job.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "play/matchlog.h"
#include "play/play.h"
#include "play/snapshot.h"
#include "plugin/runtime.h"

#define SHOW_LINKS_MAX 4000               // records whose hashes a player's browser gets: half a mebibyte
// Of match m, should it run and have nothing that stands singly.
#define CHUNKED_RECORDS "(SELECT c.n+c.records-1 FROM match_chunk c WHERE c.match=m.id ORDER BY c.n DESC LIMIT 1)"
#define CHUNKED_HASH "(SELECT c.hash FROM match_chunk c WHERE c.match=m.id ORDER BY c.n DESC LIMIT 1)"

static const char *row_state_name(enum match_row_state state)
{
    static const char *const names[] = { "seeding", "running", "ended" };
    return state <= ROW_ENDED ? names[state] : "unknown";
}

// What ended rows keep beside struct match_row.
struct show_extra { char *result; int64_t ended_ms; };

static enum fr_status show_read_extra(struct store_txn *txn, const char *match, struct show_extra *ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found;
    FR_TRY(sql_begin(txn, "SELECT result, ended_ms FROM match WHERE id=?1", &row, err));
    sql_bind_text(row, 1, match);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "match_unknown", "there is no match %s", match);
    const char *result = sql_text(row, 0);
    ret->result = result ? fr_strndup(result, strlen(result)) : NULL;
    ret->ended_ms = sql_int(row, 1);
    return FR_OK;
}

// The seat's own lines of the result: what match.end says too.
static void show_own(int64_t stake_units, int seat, const char *result, struct fr_buf *out)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    if (!result || fr_json_parse(result, strlen(result), &json, &err) != FR_OK) return;
    const struct fr_json *payout = fr_json_child(fr_json_get(json, "payout"));
    for (int i = 1; i < seat && payout; i++) payout = fr_json_next(payout);
    long long units = payout && fr_json_text(payout) ? atoll(fr_json_text(payout)) : 0;
    int place = 0, at = 0;
    for (const struct fr_json *group = fr_json_child(fr_json_get(json, "places")); group; group = fr_json_next(group)) {
        at++;
        for (const struct fr_json *s = fr_json_child(group); s; s = fr_json_next(s))
            if ((int)fr_json_number(s) == seat) place = at;
    }
    fr_buf_addf(out, ",\"seat\":%d,\"place\":%d,\"payout\":\"%lld\",\"net\":\"%lld\",\"reason\":", seat, place, units, units - (long long)stake_units);
    fr_json_print(fr_json_get(json, "reason"), out);
    fr_buf_add(out, ",\"places\":");
    fr_json_print(fr_json_get(json, "places"), out);
}

static void show_players(const struct match_row *m, struct fr_buf *out)
{
    fr_buf_add(out, "[");
    for (int i = 0; i < m->seats; i++) {
        fr_buf_addf(out, "%s{\"seat\":%d,\"bot\":%s,\"id\":\"%s\",\"name\":", i ? "," : "", i + 1, m->seat[i].player[0] ? "false" : "true", m->seat[i].player);
        fr_buf_add_json_text(out, m->seat[i].name);
        fr_buf_add(out, "}");
    }
    fr_buf_add(out, "]");
}

// What a player's browser needs to follow the chain: hashes only, so that nobody reads another seat's moves.
static void show_proof(const struct matchlog *l, struct fr_buf *out)
{
    char hex[SHA256_HEX_BYTES];
    uint8_t sha[SHA256_BYTES];
    if (l->row.state != ROW_ENDED || l->hash0[0] == '\0' || l->pruned_ms || l->count > SHOW_LINKS_MAX) { fr_buf_add(out, ",\"proof\":null"); return; }
    fr_sha256(l->setup, strlen(l->setup), sha);
    fr_buf_addf(out, ",\"proof\":{\"setup_sha\":\"%s\"", fr_hex(sha, sizeof sha, hex));
    fr_buf_addf(out, ",\"payload0\":\"%s\",\"hash0\":\"%s\",\"links\":[", fr_hex(l->payload0, SHA256_BYTES, hex), l->hash0);
    for (int64_t i = 0; i < l->count; i++) {
        const struct matchlog_record *r = &l->records[i];
        fr_sha256(r->record, strlen(r->record), sha);
        fr_buf_addf(out, "%s[\"%s\",%d,", i ? "," : "", fr_hex(sha, sizeof sha, hex), r->outcome);
        fr_buf_addf(out, "\"%s\"]", fr_hex(r->payload_sha, SHA256_BYTES, hex));
    }
    fr_buf_add(out, "]}");
}

enum fr_status play_show(struct store_txn *txn, const char *match, const char *player, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(matchlog) l = NULL;
    FR_TRY(matchlog_read(txn, match, &l, err));
    const struct match_row *m = &l->row;
    int seat = 0;
    for (int i = 0; i < m->seats && player; i++)
        if (strcmp(m->seat[i].player, player) == 0) seat = i + 1;
    if (player && seat == 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "match_unknown", "you play no match %.40s", match);
    struct show_extra extra;
    FR_TRY(show_read_extra(txn, match, &extra, err));
    char at[25];
    fr_buf_addf(out, "{\"id\":\"%s\",\"game\":\"%s\",\"version\":\"%s\",\"mode\":\"%s\",\"state\":\"%s\",\"asset\":\"%s\",\"stake\":\"%lld\",\"engine\":\"%s\",\"records\":%lld,\"hash\":\"%s\",\"created_at\":\"%s\",\"players\":",
                m->id, m->game, m->version, m->mode, row_state_name(m->state), m->asset, (long long)m->stake_units, m->engine, (long long)l->recorded, l->hash, fr_time_text(m->created_ms, at));
    show_players(m, out);
    fr_buf_add(out, ",\"fairness\":");
    fairness_print(&m->fairness, m->state == ROW_ENDED, out);        // the seed is a secret while cards are still to come
    if (extra.ended_ms) fr_buf_addf(out, ",\"ended_at\":\"%s\"", fr_time_text(extra.ended_ms, at));
    fr_buf_addf(out, ",\"result\":%s", extra.result ? extra.result : "null");
    fr_buf_addf(out, ",\"rake\":[%d,%d,%d,%d]", m->rake_bps[0], m->rake_bps[1], m->rake_bps[2], m->rake_bps[3]);
    show_proof(l, out);
    if (l->pruned_ms) fr_buf_addf(out, ",\"pruned_at\":\"%s\"", fr_time_text(l->pruned_ms > 1 ? l->pruned_ms : fr_now_ms(), at));
    if (seat) show_own(m->stake_units, seat, extra.result, out);
    if (!player) {
        fr_buf_add(out, ",\"log\":[");
        for (int64_t i = 0; i < l->count; i++) fr_buf_addf(out, "%s%s", i ? "," : "", l->records[i].record);
        fr_buf_add(out, "]");
    }
    fr_buf_add(out, "}");
    fr_free(extra.result);
    return fr_buf_check(out, "a match", err);
}

enum fr_status play_list(struct store_txn *txn, const char *state, const char *before, int limit, struct fr_buf *out, struct fr_err *err)
{
    int wanted = !state || !state[0] ? -1 : strcmp(state, "running") == 0 ? ROW_RUNNING : strcmp(state, "ended") == 0 ? ROW_ENDED : strcmp(state, "seeding") == 0 ? ROW_SEEDING : -2;
    if (wanted == -2) return FR_FAIL(err, FR_E_INVALID, "state must be seeding, running or ended, not \"%.20s\"", state);
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "WITH single AS MATERIALIZED (SELECT match, max(n) AS n, hash FROM match_tail GROUP BY match)"
                          " SELECT m.id,m.game,m.mode,m.state,m.stake,m.asset, CASE m.state WHEN 1 THEN coalesce(s.n," CHUNKED_RECORDS ",0) ELSE m.records END,"
                          " CASE m.state WHEN 1 THEN coalesce(s.hash," CHUNKED_HASH ",m.hash) ELSE m.hash END, m.created_ms,m.result"
                          " FROM match m LEFT JOIN single s ON s.match=m.id WHERE (?1<0 OR m.state=?1) AND (?2='' OR m.id<?2) ORDER BY m.id DESC LIMIT ?3", &row, err));
    sql_bind_int(row, 1, wanted);
    sql_bind_text(row, 2, before ? before : "");
    sql_bind_int(row, 3, limit);
    fr_buf_add(out, "[");
    for (int i = 0; ; i++) {
        bool found;
        char at[25];
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        fr_buf_addf(out, "%s{\"id\":\"%s\",\"game\":\"%s\",\"mode\":\"%s\",\"state\":\"%s\",", i ? "," : "", sql_text(row, 0), sql_text(row, 1), sql_text(row, 2), row_state_name((enum match_row_state)sql_int(row, 3)));
        fr_buf_addf(out, "\"stake\":\"%lld\",\"asset\":\"%s\",\"records\":%lld,\"hash\":\"%s\",\"created_at\":\"%s\",\"result\":%s}", (long long)sql_int(row, 4), sql_text(row, 5),
                    (long long)sql_int(row, 6), sql_text(row, 7), fr_time_text(sql_int(row, 8), at), sql_text(row, 9) ? sql_text(row, 9) : "null");
    }
    fr_buf_add(out, "]");
    return fr_buf_check(out, "the list of matches", err);
}

static void list_own(struct store_row *row, struct fr_buf *out)
{
    char at[25];
    int64_t stake_units = sql_int(row, 4), ended_ms = sql_int(row, 9);
    fr_buf_addf(out, "{\"id\":\"%s\",\"game\":\"%s\",\"mode\":\"%s\",\"state\":\"%s\",\"stake\":\"%lld\",\"asset\":\"%s\",\"created_at\":\"%s\"", sql_text(row, 0), sql_text(row, 1),
                sql_text(row, 2), row_state_name((enum match_row_state)sql_int(row, 3)), (long long)stake_units, sql_text(row, 5), fr_time_text(sql_int(row, 6), at));
    if (ended_ms) fr_buf_addf(out, ",\"ended_at\":\"%s\"", fr_time_text(ended_ms, at));
    fr_buf_addf(out, ",\"hash\":\"%s\",\"players\":%s", sql_text(row, 7), sql_text(row, 11) ? sql_text(row, 11) : "[]");
    show_own(stake_units, (int)sql_int(row, 10), sql_text(row, 8), out);
    fr_buf_add(out, "}");
}

enum fr_status play_list_of(struct store_txn *txn, const char *player, const char *before, int limit, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT m.id,m.game,m.mode,m.state,m.stake,m.asset,m.created_ms,"
                          " CASE m.state WHEN 1 THEN coalesce((SELECT t.hash FROM match_tail t WHERE t.match=m.id ORDER BY t.n DESC LIMIT 1)," CHUNKED_HASH ",m.hash) ELSE m.hash END,"
                          " m.result,m.ended_ms,s.seat,"
                          " (SELECT json_group_array(json_object('seat',o.seat,'bot',json(iif(o.player='','true','false')),'name',o.name)) FROM match_seat o WHERE o.match=m.id)"
                          " FROM match_seat s JOIN match m ON m.id=s.match WHERE s.player=?1 AND (?2='' OR s.match<?2) ORDER BY s.match DESC LIMIT ?3", &row, err));
    sql_bind_text(row, 1, player);
    sql_bind_text(row, 2, before);
    sql_bind_int(row, 3, limit + 1);                 // one more tells whether there is another page
    char last[FR_ID_BYTES] = "";
    bool found = false;
    fr_buf_add(out, "{\"matches\":[");
    for (int i = 0; i <= limit; i++) {
        FR_TRY(sql_step(row, &found, err));
        if (!found || i == limit) break;
        if (i) fr_buf_add(out, ",");
        list_own(row, out);
        snprintf(last, sizeof last, "%s", sql_text(row, 0));
    }
    if (found) fr_buf_addf(out, "],\"cursor\":\"%s\"}", last);
    else fr_buf_add(out, "],\"cursor\":null}");
    return fr_buf_check(out, "the list of matches", err);
}

enum fr_status play_export(struct store_txn *txn, const char *match, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(matchlog) l = NULL;
    FR_TRY(matchlog_read(txn, match, &l, err));
    if (l->pruned_ms)
        return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "log_pruned", "the log of match %s was removed when its time was over; what is kept: its hash, seats and result (match show)", match);
    struct show_extra extra;
    FR_TRY(show_read_extra(txn, match, &extra, err));
    char *package = NULL;
    FR_TRY(plugin_package_stored(txn, l->row.package_sha, &package, err));
    const struct match_row *m = &l->row;
    fr_buf_addf(out, "{\"match\":\"%s\",\"game\":\"%s\",\"version\":\"%s\",\"package_sha\":\"%s\",\"engine\":\"%s\",\"mode\":\"%s\",\"asset\":\"%s\",\"stake\":\"%lld\",\"rake\":[%d,%d,%d,%d],", m->id, m->game, m->version,
                m->package_sha, m->engine, m->mode, m->asset, (long long)m->stake_units, m->rake_bps[0], m->rake_bps[1], m->rake_bps[2], m->rake_bps[3]);
    fr_buf_addf(out, "\"seats\":%d,\"tick_hz\":%d,\"players\":", m->seats, m->tick_hz);
    show_players(m, out);
    fr_buf_addf(out, ",\"hash\":\"%s\",\"result\":%s,\"setup\":", l->hash, extra.result ? extra.result : "null");
    fr_free(extra.result);
    fr_buf_add_json_text(out, l->setup);             // as text: its bytes are hashed
    fr_buf_add(out, ",\"fairness\":");
    fairness_print(&l->row.fairness, true, out);
    char hex[SHA256_HEX_BYTES];
    fr_buf_addf(out, ",\"hash0\":\"%s\",\"payload0\":\"%s\",\"records\":[", l->hash0, fr_hex(l->payload0, SHA256_BYTES, hex));
    for (int64_t i = 0; i < l->count; i++) {
        fr_buf_add(out, i ? ",{\"record\":" : "{\"record\":");
        fr_buf_add_json_text(out, l->records[i].record);
        fr_buf_addf(out, ",\"outcome\":%d,\"payload\":\"%s\",\"hash\":\"%s\"}", l->records[i].outcome, fr_hex(l->records[i].payload_sha, SHA256_BYTES, hex), l->records[i].hash);
    }
    fr_buf_add(out, "],\"snapshots\":");
    FR_TRY(snaplog_export(txn, match, out, err));
    fr_buf_addf(out, ",\"package\":%s}", package);
    fr_free(package);
    return fr_buf_check(out, "a match's export", err);
}

enum fr_status play_seated(struct store_txn *txn, const char *match, const char *player, bool *yes, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT 1 FROM match_seat WHERE player=?1 AND match=?2", &row, err));
    sql_bind_text(row, 1, player);
    sql_bind_text(row, 2, match);
    return sql_step(row, yes, err);
}

bool play_owner_alive(struct store_txn *txn, const char *owner)
{
    if (strncmp(owner, "match:", 6) != 0) return false;
    FR_SQL_ROW(row);
    struct fr_err err;
    bool found = false;
    if (sql_begin(txn, "SELECT 1 FROM match WHERE id=?1 AND state<2", &row, &err) != FR_OK) return false;
    sql_bind_text(row, 1, owner + 6);
    return sql_step(row, &found, &err) == FR_OK && found;
}
