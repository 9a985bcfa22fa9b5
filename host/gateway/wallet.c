// wallet.c — what a player has, what happened to it, and the event that tells so.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/units.h"
#include "gateway/internal.h"

#define ASSETS_MAX 64
#define JOURNAL_PAGE_MAX 100
#define COALESCE_MS 15                     // a settlement touches a balance several times in one breath

// ---- GET /v1/wallet

static enum fr_status wallet_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct ledger_asset assets[ASSETS_MAX];
    int count, written = 0;
    FR_TRY(ledger_asset_list(txn, assets, ASSETS_MAX, &count, err));
    fr_buf_add(&r->out, "{\"assets\":[");
    for (int i = 0; i < count; i++) {
        int64_t free_units, held_units;
        FR_TRY(ledger_balance(txn, OWNER_PLAYER, r->who.player, assets[i].id, &free_units, &held_units, err));
        if (free_units == 0 && held_units == 0 && strcmp(assets[i].id, "PALM") != 0) continue;
        fr_buf_addf(&r->out, "%s{\"asset\":\"%s\",\"name\":", written++ ? "," : "", assets[i].id);
        fr_buf_add_json_text(&r->out, assets[i].name);
        fr_buf_addf(&r->out, ",\"decimals\":%d,\"free\":\"%lld\",\"held\":\"%lld\"}", assets[i].decimals, (long long)free_units, (long long)held_units);
    }
    fr_buf_add(&r->out, "]}");
    return FR_OK;
}

void gw_wallet(struct gw_req *r)
{
    gw_read(r, wallet_job);
}

// ---- GET /v1/wallet/journal: the player's accounts (one per asset), merged, newest first

struct journal_row { int64_t id, free_units, held_units; struct journal_row *next; char *json; };
struct journal { int64_t cursor; int limit; int64_t account; struct journal_row *rows; int count; bool no_memory; };

static int64_t leg_units(const struct fr_json *leg, const char *key)
{
    int64_t units;
    struct fr_err err;
    const char *text = fr_json_text(fr_json_get(leg, key));
    return text && fr_units_parse(text, &units, &err) == FR_OK ? units : 0;
}

static void journal_each(void *arg, const struct ledger_entry *e)
{
    struct journal *j = arg;
    FR_AUTO(fr_json) legs = NULL;
    FR_AUTO_BUF(json);
    struct fr_err err;
    char at[25], account[24], units[2][UNITS_TEXT_BYTES];
    fr_buf_init(&json, 8 * 1024);
    if (j->no_memory || fr_json_parse(e->legs, strlen(e->legs), &legs, &err) != FR_OK) {     // it is our own text: nothing else can be wrong with it
        j->no_memory = true;
        return;
    }
    int64_t free_units = 0, held_units = 0;
    snprintf(account, sizeof account, "%lld", (long long)j->account);
    for (const struct fr_json *leg = fr_json_child(legs); leg; leg = fr_json_next(leg)) {
        const char *owner = fr_json_text(fr_json_get(leg, "account"));
        if (!owner || strcmp(owner, account) != 0) continue;
        free_units += leg_units(leg, "free");
        held_units += leg_units(leg, "held");
    }
    fr_buf_addf(&json, "{\"id\":\"%lld\",\"at\":\"%s\",\"kind\":\"%s\",\"reason\":", (long long)e->id, fr_time_text(e->at_ms, at), e->kind);
    fr_buf_add_json_text(&json, e->reason);
    fr_buf_addf(&json, ",\"asset\":\"%s\",\"amount\":\"%s\",\"held\":\"%s\",\"note\":", e->asset, fr_units_text(free_units, units[0]), fr_units_text(held_units, units[1]));
    fr_buf_add_json_text(&json, e->note ? e->note : "");
    fr_buf_add(&json, "}");
    struct journal_row *row = json.failed ? NULL : fr_alloc(sizeof *row), **to = &j->rows;
    char *text = row ? fr_strndup(json.data, json.len) : NULL;
    if (!text) {                                           // a page with a hole would be taken for the whole story
        fr_free(row);
        j->no_memory = true;
        return;
    }
    *row = (struct journal_row){ .id = e->id, .json = text };
    while (*to && (*to)->id > row->id) to = &(*to)->next;
    row->next = *to;
    *to = row;
    j->count++;
}

static void journal_drop(struct journal *j)
{
    for (struct journal_row *row = j->rows, *next; row; row = next) {
        next = row->next;
        fr_free(row->json);
        fr_free(row);
    }
}

static void journal_print(const struct journal *j, struct fr_buf *out)
{
    int written = 0;
    int64_t last = 0;
    fr_buf_add(out, "{\"entries\":[");
    for (const struct journal_row *row = j->rows; row && written < j->limit; row = row->next) {
        fr_buf_addf(out, "%s%s", written++ ? "," : "", row->json);
        last = row->id;
    }
    fr_buf_add(out, "],\"cursor\":");
    if (j->count > j->limit) fr_buf_addf(out, "\"%lld\"}", (long long)last);
    else fr_buf_add(out, "null}");
}

static enum fr_status journal_fill(struct store_txn *txn, struct journal *j, const char *player, struct fr_err *err)
{
    struct ledger_account accounts[ASSETS_MAX];
    int count;
    FR_TRY(ledger_accounts(txn, OWNER_PLAYER, player, accounts, ASSETS_MAX, &count, err));
    for (int i = 0; i < count; i++) {
        j->account = accounts[i].id;
        FR_TRY(ledger_journal(txn, accounts[i].id, j->cursor, j->limit + 1, journal_each, j, err));
        if (j->no_memory) return FR_FAIL(err, FR_E_NOMEM, "no memory for a page of the journal");
    }
    return FR_OK;
}

static enum fr_status journal_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct journal j = *(const struct journal *)r->own;
    enum fr_status st = journal_fill(txn, &j, r->who.player, err);
    if (st == FR_OK) journal_print(&j, &r->out);
    journal_drop(&j);
    return st;
}

// A number in the query: absent gives `def`; false when it is none or out of range.
static bool query_int(const struct net_request *req, const char *name, int64_t least, int64_t most, int64_t def, int64_t *ret)
{
    char text[32];
    struct fr_err err;
    struct net_text query = net_query(req);
    *ret = def;
    if (!net_query_value(req, name, text, sizeof text)) return !memmem(query.at, query.len, name, strlen(name)) || query.len == 0;
    return fr_units_parse(text, ret, &err) == FR_OK && *ret >= least && *ret <= most;
}

void gw_journal(struct gw_req *r)
{
    struct journal *j = fr_must_alloc(sizeof *j);
    int64_t limit;
    r->own = j;
    r->own_free = fr_free;
    if (!query_int(r->http, "limit", 1, JOURNAL_PAGE_MAX, 20, &limit)) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "limit must be a number from 1 to %d", JOURNAL_PAGE_MAX);
        return;
    }
    if (!query_int(r->http, "cursor", 1, INT64_MAX, 0, &j->cursor)) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "cursor must be what an earlier page gave");
        return;
    }
    j->limit = (int)limit;
    gw_read(r, journal_job);
}

// ---- the wallet event: one per player and asset for all that changed within a moment

struct gw_wallet { struct gateway *g; char player[PLAYER_ID_BYTES], asset[ASSET_ID_BYTES]; int64_t free_units, held_units; };

static void wallet_key(const struct gw_wallet *w, char out[PLAYER_ID_BYTES + ASSET_ID_BYTES])
{
    snprintf(out, PLAYER_ID_BYTES + ASSET_ID_BYTES, "%s %s", w->player, w->asset);
}

void gw_wallet_changed(struct gateway *g, const char *player, const char *asset)
{
    char key[PLAYER_ID_BYTES + ASSET_ID_BYTES];
    if (g->stopping || !gw_player_listens(g, player)) return;
    struct gw_wallet *w = fr_alloc(sizeof *w);
    if (!w) return;                                        // a page that missed this reads its wallet when it is opened
    w->g = g;
    snprintf(w->player, sizeof w->player, "%s", player);
    snprintf(w->asset, sizeof w->asset, "%s", asset);
    wallet_key(w, key);
    if (fr_map_get_text(g->wallets, key) || !fr_map_put_text(g->wallets, key, w)) {
        fr_free(w);
        return;
    }
    if (!uv_is_active((uv_handle_t *)&g->wallet_timer)) uv_timer_start(&g->wallet_timer, gw_wallet_on_timer, COALESCE_MS, 0);
}

static enum fr_status balance_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_wallet *w = arg;
    return ledger_balance(txn, OWNER_PLAYER, w->player, w->asset, &w->free_units, &w->held_units, err);
}

static void balance_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct gw_wallet *w = arg;
    struct gateway *g = w->g;
    char event[160];
    int n = snprintf(event, sizeof event, "{\"ev\":\"wallet\",\"asset\":\"%s\",\"free\":\"%lld\",\"held\":\"%lld\"}", w->asset, (long long)w->free_units, (long long)w->held_units);
    if (status == FR_OK) gw_sockets_send(g, w->player, NULL, event, (size_t)n);
    else fr_log_err(LOG_WARN, "wallet.event_lost", err, NULL);
    fr_free(w);
    gw_unref(g);
}

void gw_wallet_on_timer(uv_timer_t *timer)
{
    struct gateway *g = timer->data;
    size_t at = 0, key_len;
    const void *key;
    void *value;
    while (fr_map_walk(g->wallets, &at, &key, &key_len, &value)) {
        struct gw_wallet *w = value;
        struct fr_err err;
        fr_map_remove(g->wallets, key, key_len);           // what changes from here on is a new event
        gw_ref(g);
        if (store_read(g->o.store, balance_job, w, balance_done, &err) != FR_OK) balance_done(w, err.status, &err);
    }
}
