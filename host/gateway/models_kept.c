// models_kept.c — streams of our own page: their last events are kept for a minute from their beginning, so that a page whose line broke goes on where it was.
//
// GET /v1/streams/{id} with Last-Event-ID: what was missed, then what comes. One reader at a time: the newest. While nobody reads, the call goes on; when the minute
// is over and nobody came back, it is cancelled.
#include "gateway/models.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"

bool gw_model_may_stay(const struct gw_model *m)
{
    return m->events && !m->g->stopping && fr_mono_ms() < m->began_ms + SSE_KEPT_MS;
}

static int kept_of(const struct gateway *g, const char *player)
{
    int n = 0;
    for (const struct gw_model *m = g->models; m; m = m->next) n += m->events && strcmp(m->player, player) == 0;
    return n;
}

void gw_model_keep(struct gw_model *m, const char *player)
{
    if (m->g->models_kept >= STREAMS_KEPT_MAX || kept_of(m->g, player) >= STREAMS_KEPT_PER_PLAYER_MAX) return;
    m->events = net_events_new(SSE_KEPT_BYTES_MAX);
    if (!m->events) return;                // then it is a stream like others
    m->g->models_kept++;
    gw_copy(m->player, sizeof m->player, player);
    fr_id_new(m->id);
}

static struct gw_model *kept_find(const struct gateway *g, const char *player, const char *id)
{
    struct gw_model *m = g->models;
    while (m && !(m->events && strcmp(m->id, id) == 0 && strcmp(m->player, player) == 0)) m = m->next;
    return m;
}

static void replay(struct gw_model *m, uint64_t after)
{
    const char *event, *data;
    size_t len;
    char id[24];
    for (; net_events_next(m->events, after, &event, &data, &len); after++) {
        snprintf(id, sizeof id, "%llu", (unsigned long long)(after + 1));
        if (!net_sse_send(m->sse, id, event, data, len) && m->call) llm_pause(m->call);
    }
}

void gw_stream_resume(struct gw_req *r)
{
    struct gw_model *m = kept_find(r->g, r->who.player, r->part[0]);
    char headers[100];
    uint64_t after = 0;
    if (!m || !gw_model_may_stay(m)) {
        GW_FAIL(r, FR_E_NOT_FOUND, "stream_unknown", "there is no such stream: it is kept for %lld s from its beginning", (long long)(SSE_KEPT_MS / 1000));
        return;
    }
    if (!net_events_from(r->http, net_events_last(m->events), &after)) {
        GW_FAIL(r, FR_E_INVALID, "invalid", "Last-Event-ID must be an id that the stream gave");
        return;
    }
    if (!net_events_has(m->events, after)) {
        GW_FAIL(r, FR_E_NOT_FOUND, "stream_gone", "what follows event %llu is no longer kept", (unsigned long long)after);
        return;
    }
    gw_model_leave(m, true);
    m->r = r;
    snprintf(headers, sizeof headers, "X-Request-Id: %s\r\nX-Stream-Id: %s\r\n", r->id, m->id);
    gw_model_watch(m);
    m->sse = net_sse_begin(r->http, r->g->o.loop, headers, NULL);
    if (!m->sse) {
        gw_let_go(r);
        m->r = NULL;
        return;
    }
    replay(m, after);
    if (m->ended) gw_model_leave(m, false);
}

// DELETE /v1/streams/{id}: nobody wants to hear the rest. The model is let go of at once, not when the minute is over.
void gw_stream_stop(struct gw_req *r)
{
    struct gw_model *m = kept_find(r->g, r->who.player, r->part[0]);
    if (!m || !gw_model_may_stay(m)) {
        GW_FAIL(r, FR_E_NOT_FOUND, "stream_unknown", "there is no such stream: it is kept for %lld s from its beginning", (long long)(SSE_KEPT_MS / 1000));
        return;
    }
    m->began_ms = -SSE_KEPT_MS;            // its minute is over
    if (m->call) llm_cancel(m->call);      // on_done tells who still reads, and frees it
    else if (!m->r) gw_model_free(m);
    gw_answer(r, 204, "", 0);
}

// Those whose minute is over.
void gw_models_tick(struct gateway *g)
{
    for (struct gw_model *m = g->models, *next; m; m = next) {
        next = m->next;
        if (!m->events || gw_model_may_stay(m) || m->r) continue;
        if (m->call) llm_cancel(m->call);  // on_done frees it
        else gw_model_free(m);
    }
}

// The host is stopping: each call ends, and says so to who reads it.
void gw_models_stop(struct gateway *g)
{
    for (struct gw_model *m = g->models, *next; m; m = next) {
        next = m->next;
        if (m->call) llm_cancel(m->call);
        else if (!m->r) gw_model_free(m);
    }
}
