// metrics.c — the door of the host's figures: only an operator sees them. And the count of what was refused.
#include <stdio.h>
#include <string.h>
#include "base/map.h"
#include "base/mem.h"
#include "gateway/internal.h"

#define PLUGINS_REFUSALS_MAX 48            // codes that plugins made up; the rest is counted as one

void gw_metrics_open(struct gateway *g)
{
    fr_sha256(g->o.operator_token, strlen(g->o.operator_token), g->operator_sha);
    g->o.operator_token = NULL;
    g->refusal_count = 1;
    gw_copy(g->refusals[0].code, sizeof g->refusals[0].code, "other");
}

// Hashes are compared, so that neither the time nor the length of a wrong token says anything about the right one.
static bool is_operator(const struct gateway *g, const struct net_request *req)
{
    char token[256];
    uint8_t sha[SHA256_BYTES];
    if (!gw_authorization(req, "bearer", token, sizeof token)) return false;
    fr_sha256(token, strlen(token), sha);
    return fr_equal_const_time(sha, g->operator_sha, sizeof sha);
}

struct scrape { struct gateway *g; struct net_request *req; };

static void scrape_done(void *arg, const char *text, size_t len)
{
    struct scrape *s = arg;
    struct gateway *g = s->g;
    if (text) net_respond(s->req, 200, "text/plain; version=0.0.4; charset=utf-8", "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n", text, len);
    else GW_FAIL_RAW(g, s->req, 503, FR_E_LIMIT, "too_large", "the figures are over their bound");
    fr_free(s);
    gw_unref(g);
}

void gw_metrics(struct gateway *g, struct net_request *req)
{
    if (!is_operator(g, req)) {
        GW_FAIL_RAW(g, req, 401, FR_E_AUTH, "operator_required", "this needs Authorization: Bearer and the operator's token, which stands in the data folder");
        return;
    }
    struct scrape *s = fr_must_alloc(sizeof *s);
    *s = (struct scrape){ g, req };
    gw_ref(g);
    g->o.metrics(g->o.arg, scrape_done, s);
}

void gw_count_refusal(struct gateway *g, const struct fr_err *err)
{
    const char *code = err->code[0] ? err->code : fr_status_code(err->status);
    for (int i = 0; i < g->refusal_count; i++)
        if (strcmp(g->refusals[i].code, code) == 0) { g->refusals[i].count++; return; }
    bool plugins = err->status == FR_E_CONFLICT;       // such a code may be a plugin's own
    if (g->refusal_count == GATEWAY_REFUSALS_MAX || (plugins && g->plugins_refusals == PLUGINS_REFUSALS_MAX)) {
        g->refusals[0].count++;
        return;
    }
    struct gateway_refusal *r = &g->refusals[g->refusal_count++];
    gw_copy(r->code, sizeof r->code, code);
    r->count = 1;
    g->plugins_refusals += plugins;
}

struct gateway_stats gateway_stats(const struct gateway *g)
{
    return (struct gateway_stats){ .net = net_server_stats(g->server), .players = (int)fr_map_size(g->players), .sessions = (int)session_cache_size(g->sessions),
                                   .refusals = g->refusals, .refusal_count = g->refusal_count };
}
