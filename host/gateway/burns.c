// burns.c — what was given up and burned, for players: every burn by number, amount and proof; reasons only of matches that the reader played. And the supply, for anybody.
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "gateway/internal.h"
#include "play/play.h"
#include "treasury/burn.h"
#include "treasury/treasury.h"

struct burns { struct burn_filter filter; char plugin[PLUGIN_ID_BYTES_MAX + 1], match[FR_ID_BYTES]; };
struct supply { struct burn_chain_supply chain; char later_from[80], asset[16]; };

static enum fr_status played(struct store_txn *txn, void *arg, const char *match, bool *yes, struct fr_err *err)
{
    return play_seated(txn, match, ((const struct gw_req *)arg)->who.player, yes, err);
}

// A game's token sees its own plugin's only.
static enum fr_status burns_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    const struct burns *b = r->own;
    struct burn_reader reader = { .played = played, .arg = r };
    FR_TRY(gw_scope_check(&r->who, b->plugin, err));
    return burn_list(txn, &b->filter, &reader, &r->out, err);
}

static enum fr_status burn_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct burn_reader reader = { .played = played, .arg = r };
    FR_AUTO(fr_json) v = NULL;
    FR_TRY(burn_show(txn, r->part[0], &reader, &r->out, err));
    if (strcmp(r->who.scope, "shell") == 0) return FR_OK;
    FR_TRY(fr_json_parse(r->out.data, r->out.len, &v, err));
    const char *plugin = fr_json_text(fr_json_get(v, "plugin"));
    return gw_scope_check(&r->who, plugin ? plugin : "", err);
}

// One parameter of the query; false: too long.
static bool parameter(const struct gw_req *r, const char *name, char *out, size_t cap)
{
    char text[80];
    out[0] = 0;
    if (!net_query_value(r->http, name, text, sizeof text)) return true;
    return (size_t)snprintf(out, cap, "%s", text) < cap;
}

void gw_burns(struct gw_req *r)
{
    struct burns *b = fr_must_alloc(sizeof *b);
    char limit[24], cursor[24], mine[8];
    struct fr_err err;
    int64_t most = 20;
    r->own = b;
    r->own_free = fr_free;
    bool fits = parameter(r, "plugin", b->plugin, sizeof b->plugin) && parameter(r, "match", b->match, sizeof b->match) && parameter(r, "limit", limit, sizeof limit) && parameter(r, "cursor", cursor, sizeof cursor) && parameter(r, "mine", mine, sizeof mine);
    if (limit[0] && fr_units_parse(limit, &most, &err) != FR_OK) most = 0;
    if (cursor[0] && (fr_units_parse(cursor, &b->filter.before, &err) != FR_OK || b->filter.before < 1)) fits = false;
    if (!fits || most < 1 || most > BURN_LIST_MAX || (mine[0] && strcmp(mine, "1") != 0)) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "limit is a number from 1 to %d, cursor what an earlier page gave, mine 1, plugin and match ids", BURN_LIST_MAX);
        return;
    }
    b->filter.limit = (int)most;
    b->filter.plugin = b->plugin;
    b->filter.match = b->match;
    b->filter.mine = mine[0] != 0;
    gw_read(r, burns_job);
}

void gw_burn(struct gw_req *r) { gw_read(r, burn_job); }

static enum fr_status supply_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    const struct supply *s = r->own;
    return burn_supply(txn, s->asset, s->later_from, &s->chain, &r->out, err);
}

void gw_supply(struct gw_req *r)
{
    struct supply *s = fr_must_alloc(sizeof *s);
    struct burn *burn = treasury_part_of(r->g->o.treasury, "burn");
    r->own = s;
    r->own_free = fr_free;
    s->chain = burn_chain_supply(burn);
    if (burn) snprintf(s->later_from, sizeof s->later_from, "%s", burn_options_of(burn)->later_from);
    if (!parameter(r, "asset", s->asset, sizeof s->asset)) {
        GW_FAIL(r, FR_E_NOT_FOUND, "asset_unknown", "there is no such asset");
        return;
    }
    if (!s->asset[0]) snprintf(s->asset, sizeof s->asset, "PALM");
    gw_read(r, supply_job);
}
