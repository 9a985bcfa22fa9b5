// burn_show.c — accruals, batches, receipts and the supply as JSON. Runs inside jobs, reads only.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "treasury/burn_inside.h"

#define SUPPLY_ACCOUNTS_MAX 600             // burn accounts: of each plugin that ever burned, in each asset

static void add_hex(struct fr_buf *out, const char *key, const void *bytes, size_t len)
{
    static const uint8_t zero[32];
    char hex[2 * 96 + 1];
    if (len == 32 && memcmp(bytes, zero, 32) == 0) fr_buf_addf(out, ",\"%s\":null", key);
    else fr_buf_addf(out, ",\"%s\":\"0x%s\"", key, fr_hex(bytes, len, hex));
}

static void add_time(struct fr_buf *out, const char *key, int64_t ms)
{
    char at[25];
    if (ms == 0) fr_buf_addf(out, ",\"%s\":null", key);
    else fr_buf_addf(out, ",\"%s\":\"%s\"", key, fr_time_text(ms, at));
}

// ---- where a batch stands, in a word

static enum fr_status state_of(struct store_txn *txn, const struct burn_batch *b, const char **ret, struct fr_err *err)
{
    bool found = false;
    *ret = burn_state_name(b->state);
    if (b->state != BURN_SENT) return FR_OK;
    struct txq_payment_row payment;
    char name[48];
    snprintf(name, sizeof name, b->tries > 1 ? "burn:%" PRId64 ":%d" : "burn:%" PRId64, b->n, b->tries);
    FR_TRY(txq_find(txn, name, &payment, &found, err));
    if (!found || !payment.has_nonce) *ret = "batched";         // nothing was signed for it yet
    return FR_OK;
}

static enum fr_status batch_print(struct store_txn *txn, const struct burn_batch *b, struct fr_buf *out, struct fr_err *err)
{
    static const char *const ends[] = { "", "paid", "reverted", "cancelled", "lost" };
    const char *state;
    char module[ADDRESS_TEXT_BYTES], amount[U256_TEXT_BYTES];
    FR_TRY(state_of(txn, b, &state, err));
    fr_buf_addf(out, "{\"batch\":\"b%" PRId64 "\",\"state\":\"%s\",\"asset\":\"%s\",\"units\":\"%" PRId64 "\",\"amount\":\"%s\",\"accruals\":%d", b->n, state, b->asset, b->units + b->lost_units, u256_text(b->amount, amount), b->accruals);
    if (b->lost_units) fr_buf_addf(out, ",\"lost\":\"%" PRId64 "\"", b->lost_units);
    add_hex(out, "id", b->id, 32);
    add_hex(out, "root", b->root, 32);
    add_hex(out, "tx", b->tx, 32);
    if (b->block) fr_buf_addf(out, ",\"block\":\"%" PRIu64 "\"", b->block);
    else fr_buf_add(out, ",\"block\":null");
    add_time(out, "burned_at", b->time_s * 1000);
    fr_buf_addf(out, ",\"read_block\":\"%" PRIu64 "\",\"chain_id\":\"%" PRIu64 "\",\"module\":\"%s\",\"payments\":%d,\"payment_end\":\"%s\",\"adopted\":%s", b->read_block, b->chain_id, address_text(&b->module, module), b->tries,
                ends[b->end <= TXQ_LOST ? b->end : 0], b->adopted ? "true" : "false");
    add_time(out, "made_at", b->made_ms);
    add_time(out, "ended_at", b->ended_ms);
    fr_buf_add(out, ",\"why\":");
    fr_buf_add_json_text(out, b->why);
    fr_buf_add(out, "}");
    return FR_OK;
}

// ---- accruals

struct spoken { int64_t batch; const char *state; bool adopted; };      // of the batch that was looked at last: neighbours share it

static enum fr_status accrual_print(struct store_txn *txn, const struct burn_accrual *a, const struct burn_reader *r, struct spoken *last, struct fr_buf *out, struct fr_err *err)
{
    bool mine = r->operator;
    if (a->batch != last->batch) {
        struct burn_batch b;
        FR_TRY(burn_batch_get(txn, a->batch, &b, err));
        FR_TRY(state_of(txn, &b, &last->state, err));
        last->batch = a->batch;
    }
    if (!mine && a->match[0] && r->played) FR_TRY(r->played(txn, r->arg, a->match, &mine, err));
    fr_buf_addf(out, "{\"id\":\"%" PRId64 "\",\"plugin\":", a->entry);
    fr_buf_add_json_text(out, burn_plugin_name(a->plugin));
    fr_buf_addf(out, ",\"asset\":\"%s\",\"amount\":\"%" PRId64 "\",\"state\":\"%s\"", a->asset, a->units, a->batch ? last->state : "pending");
    add_time(out, "at", a->at_ms);
    if (a->batch) fr_buf_addf(out, ",\"batch\":\"b%" PRId64 "\"", a->batch);
    else fr_buf_add(out, ",\"batch\":null");
    add_hex(out, "reason_hash", a->reason_hash, 32);
    if (mine) {
        fr_buf_add(out, ",\"reason\":");
        fr_buf_add_json_text(out, a->reason);
        if (a->match[0]) fr_buf_addf(out, ",\"match\":\"%s\"", a->match);
    }
    fr_buf_add(out, "}");
    return FR_OK;
}

static enum fr_status is_wanted(struct store_txn *txn, const struct burn_filter *f, const struct burn_reader *r, const struct burn_accrual *a, bool *yes, struct fr_err *err)
{
    *yes = !f->plugin || !f->plugin[0] || strcmp(f->plugin, burn_plugin_name(a->plugin)) == 0;
    if (!*yes || !f->mine || r->operator) return FR_OK;
    *yes = false;
    return a->match[0] && r->played ? r->played(txn, r->arg, a->match, yes, err) : FR_OK;
}

static enum fr_status list_begin(struct store_txn *txn, const struct burn_filter *f, struct store_row **row, struct fr_err *err)
{
    const char *by = f->match && f->match[0] ? f->match : f->plugin && f->plugin[0] ? f->plugin : NULL;
    if (f->match && f->match[0]) FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE entry < ?1 AND match = ?2 AND match <> '' ORDER BY entry DESC LIMIT ?3", row, err));
    else if (by) FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE entry < ?1 AND plugin = ?2 ORDER BY entry DESC LIMIT ?3", row, err));
    else FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE entry < ?1 AND ?2 IS NULL ORDER BY entry DESC LIMIT ?3", row, err));
    sql_bind_int(*row, 1, f->before > 0 ? f->before : INT64_MAX);
    sql_bind_text(*row, 2, by && strcmp(by, "unattributed") == 0 ? "" : by);
    sql_bind_int(*row, 3, BURN_LIST_ROWS_MAX);
    return FR_OK;
}

enum fr_status burn_list(struct store_txn *txn, const struct burn_filter *f, const struct burn_reader *r, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct spoken last = { 0 };
    int64_t cursor = 0;
    int written = 0, seen = 0;
    FR_TRY(list_begin(txn, f, &row, err));
    fr_buf_add(out, "{\"burns\":[");
    for (;; seen++) {
        struct burn_accrual a;
        bool found = false, wanted = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        burn_accrual_read(row, &a);
        FR_TRY(is_wanted(txn, f, r, &a, &wanted, err));
        if (wanted && written == f->limit) break;
        if (wanted && written++) fr_buf_add(out, ",");
        if (wanted) FR_TRY(accrual_print(txn, &a, r, &last, out, err));
        cursor = a.entry;
    }
    bool more = written == f->limit || seen == BURN_LIST_ROWS_MAX;
    if (more && cursor) fr_buf_addf(out, "],\"cursor\":\"%" PRId64 "\"}", cursor);
    else fr_buf_add(out, "],\"cursor\":null}");
    return FR_OK;
}

// ---- batches

static enum fr_status unknown_print(struct store_txn *txn, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_TRY(sql_begin(txn, "SELECT " BURN_SEEN_COLUMNS " FROM burn_seen WHERE batch = 0 ORDER BY block, log_index LIMIT ?1", &row, err));
    sql_bind_int(row, 1, BURN_LIST_MAX);
    for (int n = 0;; n++) {
        struct burn_seen s;
        char amount[U256_TEXT_BYTES], id[65];
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return FR_OK;
        burn_seen_read(row, &s);
        fr_buf_addf(out, "%s{\"id\":\"0x%s\",\"asset\":\"%s\",\"amount\":\"%s\",\"block\":\"%" PRIu64 "\"", n ? "," : "", fr_hex(s.event.id, 32, id), s.asset, u256_text(s.event.amount, amount), s.event.block);
        add_hex(out, "root", s.event.root, 32);
        add_hex(out, "tx", s.event.tx, 32);
        fr_buf_add(out, "}");
    }
}

static enum fr_status pending_print(struct store_txn *txn, struct fr_buf *out, struct fr_err *err)
{
    struct ledger_account list[256];
    int count, written = 0;
    FR_TRY(ledger_accounts(txn, OWNER_BURN, NULL, list, 256, &count, err));
    for (int i = 0; i < count; i++) {
        if (list[i].free_units == 0 && list[i].held_units == 0) continue;
        fr_buf_addf(out, "%s{\"plugin\":", written++ ? "," : "");
        fr_buf_add_json_text(out, burn_plugin_name(list[i].owner));
        fr_buf_addf(out, ",\"asset\":\"%s\",\"pending\":\"%" PRId64 "\",\"in_batches\":\"%" PRId64 "\"}", list[i].asset, list[i].free_units, list[i].held_units);
    }
    return FR_OK;
}

enum fr_status burn_batches(struct store_txn *txn, int64_t before, int limit, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct burn_flags f;
    FR_TRY(burn_flags_get(txn, &f, err));
    fr_buf_addf(out, "{\"paused\":%s,\"pending\":[", f.paused ? "true" : "false");
    FR_TRY(pending_print(txn, out, err));
    fr_buf_add(out, "],\"unknown\":[");
    FR_TRY(unknown_print(txn, out, err));
    fr_buf_add(out, "],\"batches\":[");
    FR_TRY(sql_begin(txn, "SELECT n FROM burn_batch WHERE n < ?1 ORDER BY n DESC LIMIT ?2", &row, err));
    sql_bind_int(row, 1, before > 0 ? before : INT64_MAX);
    sql_bind_int(row, 2, limit);
    for (int n = 0;; n++) {
        struct burn_batch b;
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        if (n) fr_buf_add(out, ",");
        FR_TRY(burn_batch_get(txn, sql_int(row, 0), &b, err));
        FR_TRY(batch_print(txn, &b, out, err));
    }
    fr_buf_add(out, "]}");
    return FR_OK;
}

// ---- one, with its proof

// The leaves of a batch do not change, so its tree is grown when somebody asks: 2 ms.
enum fr_status burn_root(struct store_txn *txn, const struct burn_batch *b, struct merkle **ret, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_AUTO_MEM struct merkle_hash *leaves = fr_alloc(sizeof *leaves * BURN_BATCH_ACCRUALS_MAX);
    size_t count = 0;
    if (!leaves) return FR_FAIL(err, FR_E_NOMEM, "no memory for a tree");
    FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE batch = ?1 AND batch <> 0 ORDER BY entry LIMIT ?2", &row, err));
    sql_bind_int(row, 1, b->n);
    sql_bind_int(row, 2, BURN_BATCH_ACCRUALS_MAX);
    for (;;) {
        struct burn_accrual a;
        uint8_t bytes[BURN_LEAF_BYTES];
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) return merkle_new(leaves, count, ret, err);
        burn_accrual_read(row, &a);
        FR_TRY(burn_accrual_leaf(&a, b->scale, bytes, &leaves[count++], err));
    }
}

// An adopted batch may hold accruals that are not what was burned: then there is nothing to prove.
static enum fr_status proof_print(struct store_txn *txn, const struct burn_batch *b, const struct merkle_hash *leaf, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO(merkle) m = NULL;
    struct merkle_proof proof = { 0 };
    char hex[65];
    FR_TRY(burn_root(txn, b, &m, err));
    struct merkle_hash root = merkle_root(m);
    bool proves = memcmp(root.bytes, b->root, 32) == 0 && merkle_prove(m, leaf, &proof);
    if (!proves) fr_buf_add(out, ",\"proof\":null");
    for (int i = 0; i < proof.count && proves; i++) fr_buf_addf(out, "%s\"0x%s\"", i ? "," : ",\"proof\":[", fr_hex(proof.step[i].bytes, 32, hex));
    if (proves) fr_buf_add(out, proof.count ? "]" : ",\"proof\":[]");
    return FR_OK;
}

static enum fr_status accrual_show(struct store_txn *txn, const struct burn_accrual *a, const struct burn_reader *r, struct fr_buf *out, struct fr_err *err)
{
    struct burn_batch b = { .scale = 0 };
    struct spoken last = { 0 };
    struct merkle_hash leaf;
    struct u256 amount;
    uint8_t bytes[BURN_LEAF_BYTES];
    char text[U256_TEXT_BYTES];
    FR_TRY(accrual_print(txn, a, r, &last, out, err));
    if (out->len && !out->failed) out->len--;                  // the closing brace
    if (a->batch == 0) {
        fr_buf_add(out, ",\"leaf\":null,\"proof\":null,\"burn\":null}");
        return FR_OK;
    }
    FR_TRY(burn_batch_get(txn, a->batch, &b, err));
    FR_TRY(burn_accrual_leaf(a, b.scale, bytes, &leaf, err));
    FR_TRY(u256_from_units(a->units, 0, b.scale, &amount, err));
    fr_buf_addf(out, ",\"leaf\":{\"accrual\":\"%" PRId64 "\",\"amount\":\"%s\"", a->entry, u256_text(amount, text));
    add_hex(out, "reason", a->reason_hash, 32);
    add_hex(out, "bytes", bytes, sizeof bytes);
    add_hex(out, "hash", leaf.bytes, 32);
    fr_buf_add(out, "}");
    FR_TRY(proof_print(txn, &b, &leaf, out, err));
    fr_buf_add(out, ",\"burn\":");
    FR_TRY(batch_print(txn, &b, out, err));
    fr_buf_add(out, "}");
    return FR_OK;
}

static enum fr_status accrual_find(struct store_txn *txn, int64_t entry, const struct burn_reader *r, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    struct burn_accrual a;
    FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE entry = ?1 ORDER BY account LIMIT 1", &row, err));
    sql_bind_int(row, 1, entry);
    FR_TRY(sql_step(row, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "burn_unknown", "%" PRId64 " is no burn, or it was made a moment ago", entry);
    burn_accrual_read(row, &a);
    return accrual_show(txn, &a, r, out, err);
}

static enum fr_status batch_show(struct store_txn *txn, int64_t n, const struct burn_reader *r, struct fr_buf *out, struct fr_err *err)
{
    FR_SQL_ROW(row);
    struct burn_batch b;
    struct spoken last = { 0 };
    FR_TRY(burn_batch_get(txn, n, &b, err));
    FR_TRY(batch_print(txn, &b, out, err));
    if (out->len && !out->failed) out->len--;
    fr_buf_add(out, ",\"burns\":[");
    FR_TRY(sql_begin(txn, "SELECT " BURN_ACCRUAL_COLUMNS " FROM burn_accrual WHERE batch = ?1 AND batch <> 0 ORDER BY entry", &row, err));
    sql_bind_int(row, 1, n);
    for (int i = 0;; i++) {
        struct burn_accrual a;
        bool found = false;
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        burn_accrual_read(row, &a);
        if (i) fr_buf_add(out, ",");
        FR_TRY(accrual_print(txn, &a, r, &last, out, err));
    }
    fr_buf_add(out, "]}");
    return FR_OK;
}

enum fr_status burn_show(struct store_txn *txn, const char *id, const struct burn_reader *r, struct fr_buf *out, struct fr_err *err)
{
    bool is_batch;
    int64_t n;
    FR_TRY(burn_id_parse(txn, id, &is_batch, &n, err));
    return is_batch ? batch_show(txn, n, r, out, err) : accrual_find(txn, n, r, out, err);
}

// ---- the supply

static enum fr_status total_get(struct store_txn *txn, const char *asset, const char *plugin, int64_t *units, struct fr_err *err)
{
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT units FROM burn_total WHERE asset = ?1 AND plugin = ?2", &row, err));
    sql_bind_text(row, 1, asset);
    sql_bind_text(row, 2, plugin);
    FR_TRY(sql_step(row, &found, err));
    *units = found ? sql_int(row, 0) : 0;
    return FR_OK;
}

static enum fr_status plugins_print(struct store_txn *txn, const char *asset, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO_MEM struct ledger_account *list = fr_alloc(sizeof *list * SUPPLY_ACCOUNTS_MAX);
    int count, written = 0;
    if (!list) return FR_FAIL(err, FR_E_NOMEM, "no memory for the burn accounts");
    FR_TRY(ledger_accounts(txn, OWNER_BURN, NULL, list, SUPPLY_ACCOUNTS_MAX, &count, err));
    for (int i = 0; i < count; i++) {
        int64_t burned_units;
        if (strcmp(list[i].asset, asset) != 0) continue;
        FR_TRY(total_get(txn, asset, list[i].owner, &burned_units, err));
        fr_buf_addf(out, "%s{\"plugin\":", written++ ? "," : "");
        fr_buf_add_json_text(out, burn_plugin_name(list[i].owner));
        fr_buf_addf(out, ",\"burned\":\"%" PRId64 "\",\"pending\":\"%" PRId64 "\",\"in_batches\":\"%" PRId64 "\"}", burned_units, list[i].free_units, list[i].held_units);
    }
    return FR_OK;
}

// What a block said, beside what we say. They differ while batches are on their way; `agrees` is about the chain alone: nothing but Frond burned since.
static void chain_print(const struct burn_chain_supply *c, int64_t burned_units, struct fr_buf *out)
{
    if (!c->known) {
        fr_buf_add(out, ",\"chain\":null");
        return;
    }
    bool agrees = c->total_units + c->burned_units == SUPPLY_CAP_UNITS && c->total_units + c->module_units == SUPPLY_BEFORE_UNITS;
    fr_buf_addf(out, ",\"chain\":{\"block\":\"%" PRIu64 "\",\"total_supply\":\"%" PRId64 "\",\"total_burned\":\"%" PRId64 "\",\"burned_by_frond\":\"%" PRId64 "\",\"agrees\":%s,\"not_booked_yet\":\"%" PRId64 "\"",
                c->block, c->total_units, c->burned_units, c->module_units, agrees ? "true" : "false", c->module_units - burned_units);
    add_time(out, "read_at", c->read_ms);
    fr_buf_add(out, "}");
}

static void published_print(const char *later_from, int64_t burned_units, struct fr_buf *out)
{
    fr_buf_addf(out, ",\"cap\":\"%lld\",\"burned_at_launch\":\"%lld\",\"burned_later\":\"%lld\",\"burned_later_from\":{\"allocation\":", SUPPLY_CAP_UNITS, SUPPLY_LAUNCH_UNITS, SUPPLY_LATER_UNITS);
    fr_buf_add_json_text(out, later_from && later_from[0] ? later_from : NULL);
    fr_buf_addf(out, ",\"label\":\"source unstated\"},\"liquidity\":\"%lld\",\"reserve\":\"%lld\",\"circulating_before\":\"%lld\",\"circulating\":\"%lld\",\"burned\":\"%lld\"", SUPPLY_LIQUIDITY_UNITS, SUPPLY_RESERVE_UNITS, SUPPLY_BEFORE_UNITS,
                SUPPLY_BEFORE_UNITS - (long long)burned_units, SUPPLY_LAUNCH_UNITS + SUPPLY_LATER_UNITS + (long long)burned_units);
}

enum fr_status burn_supply(struct store_txn *txn, const char *asset, const char *later_from, const struct burn_chain_supply *chain, struct fr_buf *out, struct fr_err *err)
{
    struct ledger_asset a;
    int64_t burned_units, held, lost_units, pending_units, batch_units;
    FR_TRY(ledger_asset_get(txn, asset, &a, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "burned", asset, &burned_units, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "lost", asset, &lost_units, &held, err));
    FR_TRY(ledger_kind_sum(txn, OWNER_BURN, asset, &pending_units, &batch_units, err));
    fr_buf_addf(out, "{\"asset\":\"%s\",\"decimals\":%d", a.id, a.decimals);
    if (strcmp(asset, "PALM") == 0) published_print(later_from, burned_units, out);
    fr_buf_addf(out, ",\"frond\":{\"burned\":\"%" PRId64 "\",\"pending\":\"%" PRId64 "\",\"in_batches\":\"%" PRId64 "\",\"unattributed_after_restore\":\"%" PRId64 "\",\"by_plugin\":[", burned_units, pending_units, batch_units, -lost_units);
    FR_TRY(plugins_print(txn, asset, out, err));
    fr_buf_add(out, "]}");
    if (strcmp(asset, "PALM") == 0) chain_print(chain, burned_units, out);
    fr_buf_add(out, "}");
    return FR_OK;
}
