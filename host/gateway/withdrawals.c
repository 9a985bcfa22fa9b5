// withdrawals.c — asking for coins to leave, looking how they fare, taking them back while that is possible. What is allowed is treasury/withdrawal.h's.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/mem.h"
#include "base/units.h"
#include "gateway/internal.h"
#include "treasury/withdrawal.h"

#define WITHDRAWALS_PAGE_MAX 50

struct asking { struct withdrawals *withdrawals; char asset[ASSET_ID_BYTES], to[64]; int64_t units; char id[FR_ID_BYTES], before[FR_ID_BYTES]; struct gw_key key; enum fr_status open; struct fr_err halted; };

static void asking_free(void *own)
{
    struct asking *a = own;
    fr_free(a->key.answer);
    fr_free(a);
}

static struct asking *asking_new(struct gw_req *r)
{
    struct asking *a = fr_must_alloc(sizeof *a);
    r->own = a;
    r->own_free = asking_free;
    a->withdrawals = treasury_part_of(r->g->o.treasury, "withdrawal");
    return a;
}

static bool chain_is_on(struct gw_req *r)
{
    if (treasury_part_of(r->g->o.treasury, "withdrawal")) return true;
    GW_FAIL(r, FR_E_BUSY, "chain_off", "this host is not joined to a chain: nothing can be withdrawn");
    return false;
}

// ---- GET: the list, and what is allowed

struct listing { struct fr_buf *out; int count, limit; char last[FR_ID_BYTES]; bool more; };

static void list_each(void *arg, const struct withdrawal_row *row)
{
    struct listing *l = arg;
    if (l->count == l->limit) {
        l->more = true;
        return;
    }
    if (l->count++) fr_buf_add(l->out, ",");
    withdrawal_print(row, false, l->out);
    gw_copy(l->last, sizeof l->last, row->id);
}

static enum fr_status rules_print(struct store_txn *txn, const struct withdrawals *w, struct fr_buf *out, struct fr_err *err)
{
    bool paused = false;
    char by[OPERATOR_NAME_BYTES_MAX + 1];
    FR_TRY(withdrawal_is_paused(txn, &paused, by, err));
    fr_buf_addf(out, "\"cooldown_s\":%lld,\"paused\":%s,\"rules\":[", (long long)(withdrawal_cooldown_ms(w) / 1000), paused ? "true" : "false");
    for (int i = 0; withdrawal_rules_at(w, i); i++) {
        const struct withdrawal_rules *u = withdrawal_rules_at(w, i);
        struct ledger_asset asset;
        FR_TRY(ledger_asset_get(txn, u->asset, &asset, err));
        fr_buf_addf(out, "%s{\"asset\":\"%s\",\"decimals\":%d,\"least\":\"%lld\",\"most\":\"%lld\",\"player_day\":\"%lld\",\"two_from\":\"%lld\"}", i ? "," : "", u->asset, asset.decimals, (long long)u->least, (long long)u->most,
                    (long long)u->player_day, (long long)u->two_from);
    }
    fr_buf_add(out, "]");
    return FR_OK;
}

static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    const struct asking *a = r->own;
    struct listing l = { .out = &r->out, .limit = (int)a->units };
    fr_buf_add(&r->out, "{\"withdrawals\":[");
    FR_TRY(withdrawal_list(txn, r->who.player, 0, a->before, l.limit + 1, list_each, &l, err));
    fr_buf_add(&r->out, "],\"cursor\":");
    if (l.more) fr_buf_addf(&r->out, "\"%s\",", l.last);
    else fr_buf_add(&r->out, "null,");
    FR_TRY(rules_print(txn, a->withdrawals, &r->out, err));
    fr_buf_add(&r->out, "}");
    return FR_OK;
}

void gw_withdrawals(struct gw_req *r)
{
    struct asking *a = asking_new(r);
    char limit[16] = "20";
    struct fr_err err;
    if (!chain_is_on(r)) return;
    net_query_value(r->http, "limit", limit, sizeof limit);
    if (fr_units_parse(limit, &a->units, &err) != FR_OK || a->units < 1 || a->units > WITHDRAWALS_PAGE_MAX) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "limit must be a number from 1 to %d", WITHDRAWALS_PAGE_MAX);
        return;
    }
    if (net_query_value(r->http, "cursor", a->before, sizeof a->before) && !fr_id_valid(a->before)) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "cursor must be what an earlier page gave");
        return;
    }
    gw_read(r, list_job);
}

static enum fr_status show_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct withdrawal_row row;
    FR_TRY(withdrawal_get(txn, r->part[0], &row, err));
    if (strcmp(row.player, r->who.player) != 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "withdrawal_unknown", "there is no such withdrawal");
    withdrawal_print(&row, false, &r->out);
    return FR_OK;
}

void gw_withdrawal_show(struct gw_req *r)
{
    if (chain_is_on(r)) gw_read(r, show_job);
}

// ---- POST

static enum fr_status ask_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct asking *a = r->own;
    struct withdrawal_ask ask = { .player = r->who.player, .asset = a->asset, .to = a->to, .units = a->units };
    struct withdrawal_row row;
    struct address to;
    struct fr_err none;
    FR_TRY(gw_key_find(txn, &a->key, r->now_ms, err));
    if (a->key.found) {
        fr_buf_add(&r->out, a->key.answer);
        return FR_OK;
    }
    if (a->open != FR_OK) {                // asked again, it would have found the first answer
        *err = a->halted;
        return a->open;
    }
    if (address_parse(a->to, &to, &none) == FR_OK) FR_TRY(wallet_since(txn, r->who.player, &to, &ask.known_ms, err));
    FR_TRY(withdrawal_ask(txn, a->withdrawals, &ask, r->now_ms, &row, err));
    withdrawal_print(&row, false, &r->out);
    return gw_key_keep(txn, &a->key, FR_OK, r->out.data, r->out.len, r->now_ms, err);
}

static void asked(struct gw_req *r)
{
    const struct asking *a = r->own;
    withdrawal_look(a->withdrawals);
    gw_wallet_changed(r->g, r->who.player, a->asset);
}

static enum fr_status ask_read(struct gw_req *r, struct asking *a, struct fr_err *err)
{
    static const char *const keys[] = { "asset", "amount", "to", NULL };
    const char *asset, *to;
    char key[KEY_BYTES_MAX + 1];
    FR_TRY(gw_body(r, keys, err));
    FR_TRY(fr_json_need_text(r->body, "asset", 1, ASSET_ID_BYTES - 1, &asset, err));
    FR_TRY(fr_json_need_units(r->body, "amount", 1, UNITS_MAX, &a->units, err));
    FR_TRY(fr_json_need_text(r->body, "to", 1, sizeof a->to - 1, &to, err));
    gw_copy(a->asset, sizeof a->asset, asset);
    gw_copy(a->to, sizeof a->to, to);
    FR_TRY(gw_key_header(r->http, key, err));
    if (!key[0]) return FR_FAIL_CODE(err, FR_E_INVALID, "key_missing", "a withdrawal needs an Idempotency-Key, so that asking again is not asking twice");
    struct net_text body = net_body(r->http);
    gw_key_set(&a->key, r->who.player, "withdrawals", key, body.at, body.len);
    a->open = withdrawal_open(a->withdrawals, &a->halted);
    return FR_OK;
}

void gw_withdrawal_ask(struct gw_req *r)
{
    struct asking *a = asking_new(r);
    struct fr_err err;
    if (!chain_is_on(r)) return;
    if (ask_read(r, a, &err) != FR_OK) {
        gw_refuse(r, &err, NULL);
        return;
    }
    r->http_status = 201;
    r->after = asked;
    gw_write(r, ask_job);
}

// ---- DELETE

static enum fr_status cancel_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct asking *a = r->own;
    struct withdrawal_row row;
    FR_TRY(withdrawal_cancel(txn, r->who.player, r->part[0], &row, err));
    gw_copy(a->asset, sizeof a->asset, row.asset);
    withdrawal_print(&row, false, &r->out);
    return FR_OK;
}

void gw_withdrawal_cancel(struct gw_req *r)
{
    asking_new(r);
    if (!chain_is_on(r)) return;
    r->http_status = 202;
    r->after = asked;
    gw_write(r, cancel_job);
}
