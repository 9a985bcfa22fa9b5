// matches.c — one finished or running match for its player, and which matches a session may see.
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/units.h"
#include "gateway/internal.h"
#include "play/play.h"

#define MATCHES_PAGE_MAX 50

// A game's token must not learn of the player's other games.
void gw_matches_of(struct gateway *g, const struct session *s, struct fr_buf *out)
{
    FR_AUTO_BUF(all);
    FR_AUTO(fr_json) list = NULL;
    struct fr_err err;
    int written = 0;
    fr_buf_init(&all, GW_ANSWER_BYTES_MAX);
    if (strcmp(s->scope, "shell") == 0) {
        play_matches_of(g->o.plays, s->player, out);
        return;
    }
    play_matches_of(g->o.plays, s->player, &all);
    fr_buf_add(out, "[");
    if (all.data && fr_json_parse(all.data, all.len, &list, &err) == FR_OK)
        for (const struct fr_json *m = fr_json_child(list); m; m = fr_json_next(m)) {
            const char *game = fr_json_text(fr_json_get(m, "game"));
            if (!game || !gw_scope_allows(s, game)) continue;
            if (written++) fr_buf_add(out, ",");
            fr_json_print(m, out);
        }
    fr_buf_add(out, "]");
}

static enum fr_status show_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    FR_AUTO(fr_json) json = NULL;
    FR_TRY(play_show(txn, r->part[0], r->who.player, &r->out, err));
    if (strcmp(r->who.scope, "shell") == 0) return FR_OK;
    FR_TRY(fr_json_parse(r->out.data, r->out.len, &json, err));
    const char *game = fr_json_text(fr_json_get(json, "game"));
    return gw_scope_check(&r->who, game ? game : "", err);
}

void gw_match_show(struct gw_req *r)
{
    if (fr_id_valid(r->part[0])) gw_read(r, show_job);
    else GW_FAIL(r, FR_E_NOT_FOUND, "match_unknown", "there is no such match");
}

// ---- GET /v1/matches: what this player has played

struct history { char before[FR_ID_BYTES]; int64_t limit; };

static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    const struct history *h = r->own;
    return play_list_of(txn, r->who.player, h->before, (int)h->limit, &r->out, err);
}

void gw_match_list(struct gw_req *r)
{
    struct history *h = fr_must_alloc(sizeof *h);
    char text[FR_ID_BYTES + 8];
    struct fr_err err;
    r->own = h;
    r->own_free = fr_free;
    *h = (struct history){ .limit = 20 };
    if (net_query_value(r->http, "limit", text, sizeof text) && (fr_units_parse(text, &h->limit, &err) != FR_OK || h->limit < 1 || h->limit > MATCHES_PAGE_MAX)) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "limit must be a number from 1 to %d", MATCHES_PAGE_MAX);
        return;
    }
    if (net_query_value(r->http, "cursor", text, sizeof text)) {
        if (!fr_id_valid(text)) {
            GW_FAIL(r, FR_E_INVALID, "invalid", "cursor must be what an earlier page gave");
            return;
        }
        snprintf(h->before, sizeof h->before, "%.*s", (int)sizeof h->before - 1, text);
    }
    gw_read(r, list_job);
}
