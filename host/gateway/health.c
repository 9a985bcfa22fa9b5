// health.c — is the process alive, is the host ready. Load balancers ask often: the first is a copy of bytes made once a second.
#include <stdio.h>
#include <string.h>
#include "gateway/internal.h"

#define HEALTH_HEADERS "Cache-Control: no-store\r\n"

void gw_healthz(struct gateway *g, struct net_request *req)
{
    uint64_t now_ms = uv_now(g->o.loop);
    if (g->health.len == 0 || now_ms - g->health.made_ms >= 1000) {
        g->health.len = (size_t)snprintf(g->health.body, sizeof g->health.body, "{\"ok\":true,\"version\":\"%s\",\"uptime_ms\":%lld,\"models\":\"%s\"}", g->o.version,
                                         (long long)((int64_t)now_ms - g->started_ms), !g->o.llm ? "none" : llm_is_ready(g->o.llm) ? "up" : "down");
        g->health.made_ms = now_ms;
    }
    net_respond(req, 200, "application/json", HEALTH_HEADERS, g->health.body, g->health.len);
}

// A plugin whose code is wrong or that is switched off does not make the host unready: only its author can mend that.
void gw_readyz(struct gateway *g, struct net_request *req)
{
    FR_AUTO_BUF(missing); FR_AUTO_BUF(out);
    int count = 0;
    fr_buf_init(&missing, GW_ANSWER_BYTES_MAX);
    fr_buf_init(&out, GW_ANSWER_BYTES_MAX);
    if (g->stopping) fr_buf_addf(&missing, "%s\"stopping\"", count++ ? "," : "");
    struct store_stats store = store_stats(g->o.store);
    if (store.damaged) fr_buf_addf(&missing, "%s\"store_damaged\"", count++ ? "," : "");
    if (store.queued >= STORE_QUEUE_MAX) fr_buf_addf(&missing, "%s\"store\"", count++ ? "," : "");
    for (struct plugin *p = plugins_next(g->o.plugins, NULL); p; p = plugins_next(g->o.plugins, p))
        if (p->state == PLUGIN_STARTING || p->state == PLUGIN_DOWN) fr_buf_addf(&missing, "%s\"worker:%s\"", count++ ? "," : "", p->package->manifest->id);
    fr_buf_addf(&out, "{\"ready\":%s,\"missing\":[%s]}", count ? "false" : "true", missing.data ? missing.data : "");
    net_respond(req, count ? 503 : 200, "application/json", HEALTH_HEADERS, out.data, out.len);
}
