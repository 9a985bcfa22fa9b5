// sessions.c — a player's own sessions: where they are signed in, ending one, ending all others, signing out; and when each was last used.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"
#include "gateway/internal.h"

// ---- when a session was last used: noted at most once a minute, written together with the next tick

bool gw_session_seen(struct gateway *g, struct session *s, int64_t now_ms)
{
    if (now_ms - s->seen_ms < SESSION_SEEN_MS || g->seen_count == SESSIONS_SEEN_MAX) return false;
    s->seen_ms = now_ms;
    g->seen[g->seen_count].id = s->id;
    g->seen[g->seen_count++].at_ms = now_ms;
    return true;
}

struct noting { int count; struct { int64_t id, at_ms; } seen[]; };

static enum fr_status noting_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    const struct noting *n = arg;
    for (int i = 0; i < n->count; i++) FR_TRY(session_seen(txn, n->seen[i].id, n->seen[i].at_ms, err));
    return FR_OK;
}

static void noting_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    if (status != FR_OK) fr_log_err(LOG_WARN, "sessions.seen_lost", err, NULL);      // a time in a list, nothing else depends on it
    fr_free(arg);
}

void gw_sessions_tick(struct gateway *g)
{
    struct fr_err err;
    if (g->seen_count == 0 || g->stopping) return;
    struct noting *n = fr_alloc(sizeof *n + (size_t)g->seen_count * sizeof n->seen[0]);
    if (!n) return;                                    // the next tick may have memory
    n->count = g->seen_count;
    memcpy(n->seen, g->seen, (size_t)n->count * sizeof n->seen[0]);
    g->seen_count = 0;
    if (store_run(g->o.store, noting_job, n, noting_done, &err) != FR_OK) noting_done(n, err.status, &err);
}

// ---- GET /v1/sessions

struct listing { struct session_info list[SESSIONS_PER_PLAYER_MAX]; int count; };

static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct listing *l = r->own;
    return session_list(txn, r->who.player, r->now_ms, l->list, SESSIONS_PER_PLAYER_MAX, &l->count, err);
}

static void info_print(struct gw_req *r, const struct session_info *i)
{
    char created[25], seen[25], expires[25];
    bool online = gw_session_online(r->g, r->who.player, i->session.id), current = i->session.id == r->who.id;
    int64_t seen_ms = online || current ? r->now_ms : i->session.seen_ms;
    fr_buf_addf(&r->out, "{\"id\":\"%lld\",\"scope\":\"%s\",\"bot\":\"%s\",\"device\":\"%s\",\"created_at\":\"%s\",\"seen_at\":\"%s\",\"expires_at\":\"%s\",\"online\":%s,\"current\":%s,\"opened_by\":",
                (long long)i->session.id, i->session.scope, i->bot, i->device, fr_time_text(i->session.created_ms, created), fr_time_text(seen_ms, seen),
                fr_time_text(i->session.expires_ms, expires), online ? "true" : "false", current ? "true" : "false");
    if (i->parent) fr_buf_addf(&r->out, "\"%lld\"}", (long long)i->parent);
    else fr_buf_add(&r->out, "null}");
}

// On the loop: only it knows which sessions have a socket open.
static void list_after(struct gw_req *r)
{
    const struct listing *l = r->own;
    fr_buf_add(&r->out, "{\"sessions\":[");
    for (int i = 0; i < l->count; i++) {
        if (i) fr_buf_add(&r->out, ",");
        info_print(r, &l->list[i]);
    }
    fr_buf_add(&r->out, "]}");
}

void gw_sessions(struct gw_req *r)
{
    r->own = fr_must_alloc(sizeof(struct listing));
    r->own_free = fr_free;
    r->after = list_after;
    gw_read(r, list_job);
}

// ---- ending

struct ending { int64_t id, except; bool must_exist; enum gw_end why; struct session_ended ended; };

static enum fr_status end_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct ending *e = r->own;
    FR_TRY(session_end(txn, r->who.player, e->id, e->except, r->now_ms, &e->ended, err));
    if (e->must_exist && e->ended.count == 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "session_not_found", "you have no such session: it may have ended");
    fr_buf_addf(&r->out, "{\"ended\":%d}", e->ended.count);
    return FR_OK;
}

static void end_after(struct gw_req *r)
{
    const struct ending *e = r->own;
    gw_sessions_ended(r->g, r->who.player, &e->ended, e->why);
}

static void end_start(struct gw_req *r, struct ending how)
{
    struct ending *e = fr_must_alloc(sizeof *e);
    *e = how;
    r->own = e;
    r->own_free = fr_free;
    r->after = end_after;
    gw_write(r, end_job);
}

void gw_sign_out(struct gw_req *r)
{
    r->http_status = 204;
    end_start(r, (struct ending){ .id = r->who.id, .why = GW_ENDED_SIGN_OUT });
}

void gw_session_end(struct gw_req *r)
{
    struct fr_err err;
    int64_t id;
    if (fr_units_parse(r->part[0], &id, &err) != FR_OK || id <= 0) {
        GW_FAIL(r, FR_E_NOT_FOUND, "session_not_found", "you have no such session: it may have ended");
        return;
    }
    r->http_status = 204;
    end_start(r, (struct ending){ .id = id, .must_exist = true, .why = id == r->who.id ? GW_ENDED_SIGN_OUT : GW_ENDED_BY_PLAYER });
}

void gw_sessions_end_others(struct gw_req *r)
{
    end_start(r, (struct ending){ .except = r->who.id, .why = GW_ENDED_BY_PLAYER });
}
