// gateway.c — the list of routes, the way of a request from the server to its handler, and who is asking.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "gateway/internal.h"

#define TICK_MS 500
#define PLAYERS_ONLINE_MAX 40000

static const struct gw_route routes[] = {
    { "POST",   "/v1/call/{}/{}",         GW_BEARER,  false, gw_call_http },
    { "POST",   "/v1/session",            GW_ANYBODY, false, gw_session_open },
    { "DELETE", "/v1/session",            GW_EVERY,   false, gw_sign_out },
    { "POST",   "/v1/session/game",       GW_SHELL,   false, gw_session_game },
    { "GET",    "/v1/sessions",           GW_SHELL,   false, gw_sessions },
    { "DELETE", "/v1/sessions",           GW_SHELL,   false, gw_sessions_end_others },
    { "DELETE", "/v1/sessions/{}",        GW_SHELL,   false, gw_session_end },
    { "GET",    "/v1/me",                 GW_EVERY,   false, gw_me },
    { "GET",    "/v1/games",              GW_BEARER,  false, gw_games },
    { "GET",    "/v1/llm",                GW_SHELL,   false, gw_llm },
    { "GET",    "/v1/wallet",             GW_OWNER,   false, gw_wallet },
    { "GET",    "/v1/wallet/info",        GW_ANYBODY, false, gw_wallet_info },
    { "POST",   "/v1/wallet/session",     GW_ANYBODY, false, gw_wallet_session },
    { "POST",   "/v1/wallet/link/begin",  GW_WALLET,  false, gw_wallet_begin },
    { "GET",    "/v1/wallet/links",       GW_WALLET,  false, gw_wallet_links },
    { "POST",   "/v1/wallet/links/message", GW_WALLET, false, gw_wallet_message },
    { "POST",   "/v1/wallet/links",       GW_WALLET,  false, gw_wallet_link },
    { "DELETE", "/v1/wallet/links/{}",    GW_WALLET,  false, gw_wallet_unlink },
    { "GET",    "/v1/wallet/withdrawals", GW_WALLET,  false, gw_withdrawals },
    { "POST",   "/v1/wallet/withdrawals", GW_WALLET,  false, gw_withdrawal_ask },
    { "GET",    "/v1/wallet/withdrawals/{}", GW_WALLET, false, gw_withdrawal_show },
    { "DELETE", "/v1/wallet/withdrawals/{}", GW_WALLET, false, gw_withdrawal_cancel },
    { "GET",    "/v1/wallet/journal",     GW_SHELL,   false, gw_journal },
    { "GET",    "/v1/wallet/deposit",     GW_WALLET,  false, gw_deposit },
    { "GET",    "/v1/consents",           GW_SHELL,   false, gw_consents },
    { "POST",   "/v1/consents",           GW_SHELL,   false, gw_consent_give },
    { "DELETE", "/v1/consents/{}",        GW_SHELL,   false, gw_consent_revoke },
    { "GET",    "/v1/matches",            GW_SHELL,   false, gw_match_list },
    { "GET",    "/v1/matches/{}",         GW_BEARER,  false, gw_match_show },
    { "GET",    "/v1/burns",              GW_BEARER,  false, gw_burns },
    { "GET",    "/v1/burns/{}",           GW_BEARER,  false, gw_burn },
    { "GET",    "/v1/supply",             GW_ANYBODY, false, gw_supply },
    { "POST",   "/v1/dev/launch",         GW_ANYBODY, true,  gw_dev_launch },
    { "GET",    "/v1/dev/status",         GW_ANYBODY, true,  gw_dev_status },
    { "POST",   "/v1/dev/kill",           GW_ANYBODY, true,  gw_dev_kill },
    { "POST",   "/v1/dev/hostile",        GW_ANYBODY, true,  gw_dev_hostile },
    { "POST",   "/v1/dev/chain/{}",       GW_ANYBODY, true,  gw_dev_chain },
    { "GET",    "/v1/chain",              GW_ANYBODY, false, gw_chain },
    { "GET",    "/v1/keys",               GW_SHELL,   false, gw_keys_list },
    { "POST",   "/v1/keys",               GW_SHELL,   false, gw_keys_new },
    { "DELETE", "/v1/keys/{}",            GW_SHELL,   false, gw_keys_revoke },
    { "GET",    "/v1/streams/{}",         GW_SHELL,   false, gw_stream_resume },
    { "DELETE", "/v1/streams/{}",         GW_SHELL,   false, gw_stream_stop },
    { "POST",   "/v1/chat/completions",   GW_KEY,     false, gw_chat },
    { "POST",   "/v1/completions",        GW_KEY,     false, gw_completion },
    { "POST",   "/v1/embeddings",         GW_KEY,     false, gw_embedding },
    { "GET",    "/v1/models",             GW_KEY,     false, gw_models },
    { "GET",    "/v1/models/{}",          GW_KEY,     false, gw_model },
    { "GET",    "/v1/models/{}/{}",       GW_KEY,     false, gw_model_of_owner },
    { "GET",    "/v1beta2/models",        GW_PALM,    false, gw_palm_models },
    { "GET",    "/v1beta2/models/{}",     GW_PALM,    false, gw_palm_model },
    { "POST",   "/v1beta2/models/{}:{}",  GW_PALM,    false, gw_palm },
    { "GET",    "/v1beta3/models",        GW_PALM,    false, gw_palm_models },      // where Google's newer clients look for batchEmbedText and countTextTokens
    { "GET",    "/v1beta3/models/{}",     GW_PALM,    false, gw_palm_model },
    { "POST",   "/v1beta3/models/{}:{}",  GW_PALM,    false, gw_palm },
};
#define ROUTE_COUNT (sizeof routes / sizeof routes[0])

void gw_request_id(struct gateway *g, char out[GW_REQUEST_ID_BYTES])
{
    char digits[16], *at = digits + sizeof digits;
    uint64_t n = ++g->next_request;
    do *--at = "0123456789abcdef"[n & 15]; while (n >>= 4);
    size_t len = (size_t)(digits + sizeof digits - at);
    memcpy(out, g->boot, 8);
    out[8] = '-';
    memcpy(out + 9, at, len);
    out[9 + len] = 0;
}

// ---- the gateway's life: its server and each operation hold it

void gw_ref(struct gateway *g)
{
    g->refs++;
}

void gw_unref(struct gateway *g)
{
    assert(g->refs > 0);
    if (--g->refs > 0) return;
    session_cache_free(g->sessions);
    fr_free(g->recent);
    fr_map_free(g->players);
    fr_map_free(g->keys);
    fr_map_free(g->wallets);
    net_files_free(g->pages);
    gw_limits_close(g);
    gw_keys_close(g);
    fr_free(g);
}

// ---- one request

void gw_let_go(struct gw_req *r)
{
    struct gateway *g = r->g;
    if (r->own && r->own_free) r->own_free(r->own);
    fr_json_free(r->body);
    fr_buf_free(&r->out);
    fr_free(r->key);
    fr_free(r);
    gw_unref(g);
}

void gw_answer(struct gw_req *r, int http_status, const char *json, size_t len)
{
    static const char begin[] = "X-Request-Id: ", rest[] = "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
    char headers[sizeof begin + GW_REQUEST_ID_BYTES + sizeof rest];
    size_t id_len = strlen(r->id);
    memcpy(headers, begin, sizeof begin - 1);
    memcpy(headers + sizeof begin - 1, r->id, id_len);
    memcpy(headers + sizeof begin - 1 + id_len, rest, sizeof rest);
    net_respond(r->http, http_status, http_status == 204 ? NULL : "application/json", headers, json, http_status == 204 ? 0 : len);
    gw_let_go(r);
}

void gw_refuse(struct gw_req *r, const struct fr_err *err, const char *more)
{
    gw_problem_send(r, err, more);
    gw_let_go(r);
}

static void req_on_job(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct gw_req *r = arg;
    struct fr_err large;
    if (status == FR_OK && r->out.failed) {
        status = fr_buf_check(&r->out, "the answer", &large);
        err = &large;
    }
    if (status != FR_OK) {
        gw_refuse(r, err, NULL);
        return;
    }
    if (r->after) r->after(r);
    gw_answer(r, r->http_status ? r->http_status : 200, r->out.data ? r->out.data : "{}", r->out.data ? r->out.len : 2);
}

static void req_job(struct gw_req *r, store_job_fn *job, bool write)
{
    struct fr_err err;
    fr_buf_init(&r->out, GW_ANSWER_BYTES_MAX);
    enum fr_status st = write ? store_run(r->g->o.store, job, r, req_on_job, &err) : store_read(r->g->o.store, job, r, req_on_job, &err);
    if (st != FR_OK) gw_refuse(r, &err, NULL);
}
void gw_read(struct gw_req *r, store_job_fn *job) { req_job(r, job, false); }
void gw_write(struct gw_req *r, store_job_fn *job) { req_job(r, job, true); }

enum fr_status gw_body(struct gw_req *r, const char *const *keys, struct fr_err *err)
{
    struct net_text text = net_body(r->http);
    if (text.len == 0) return FR_FAIL(err, FR_E_INVALID, "this request needs a JSON body");
    FR_TRY(fr_json_parse(text.at, text.len, &r->body, err));
    if (fr_json_kind(r->body) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "the body must be an object, not %s", fr_json_kind_name(fr_json_kind(r->body)));
    return fr_json_only_keys(r->body, keys, "", err);
}

// ---- who is asking

bool gw_authorization(const struct net_request *req, const char *scheme, char *out, size_t cap)
{
    struct net_text h = net_header(req, "authorization");
    size_t n = strlen(scheme);
    if (h.len <= n + 1 || strncasecmp(h.at, scheme, n) != 0 || h.at[n] != ' ') return false;
    const char *at = h.at + n;
    while (at < h.at + h.len && *at == ' ') at++;
    size_t len = (size_t)(h.at + h.len - at);
    if (len == 0 || len >= cap) return false;
    memcpy(out, at, len);
    out[len] = 0;
    return true;
}

#define RECENT_COUNT 256                   // a power of two
struct gw_recent { char token[SESSION_TOKEN_BYTES]; uint64_t revocations; struct session session; };

// Where this token would stand: tokens are random, so two of their characters spread well enough.
static struct gw_recent *recent_at(struct gateway *g, const char *token)
{
    return &g->recent[((unsigned char)token[0] * 5 + (unsigned char)token[1]) & (RECENT_COUNT - 1)];
}

static const struct session *recent_get(struct gateway *g, const char *token, size_t len, int64_t now_ms)
{
    if (len != SESSION_TOKEN_BYTES - 1) return NULL;
    const struct gw_recent *e = recent_at(g, token);
    bool good = fr_equal_const_time(e->token, token, len) && e->revocations == g->revocations && e->session.expires_ms > now_ms;
    return good ? &e->session : NULL;
}

static void recent_put(struct gateway *g, const char *token, const struct session *s)
{
    struct gw_recent *e = recent_at(g, token);
    gw_copy(e->token, sizeof e->token, token);
    e->revocations = g->revocations;
    e->session = *s;
}

#define PROVE_READS_MAX 8
struct prove { struct gateway *g; char token[SESSION_TOKEN_BYTES]; struct session session; uint64_t revocations; int reads; gw_proved_fn *done; void *arg; };

static enum fr_status prove_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct prove *p = arg;
    return session_find(txn, p->token, fr_now_ms(), &p->session, err);
}

static void prove_on_job(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct prove *p = arg;
    struct gateway *g = p->g;
    struct fr_err again;
    // Sessions were revoked while we read: perhaps this one. A socket opened on it would never be closed, so read until nothing was.
    if (status == FR_OK && p->revocations != g->revocations) {
        p->revocations = g->revocations;
        status = p->reads++ < PROVE_READS_MAX ? store_read(g->o.store, prove_job, p, prove_on_job, &again)
                                              : FR_FAIL(&again, FR_E_BUSY, "too many sessions are ending just now");
        if (status == FR_OK) return;
        err = &again;
    }
    if (status == FR_OK) {
        gw_session_seen(g, &p->session, fr_now_ms());
        session_cache_put(g->sessions, p->token, &p->session);
    }
    p->done(p->arg, status == FR_OK ? &p->session : NULL, err);
    fr_free(p);
    gw_unref(g);
}

void gw_prove(struct gateway *g, const char *token, gw_proved_fn *done, void *arg)
{
    struct session found;
    struct fr_err err;
    int64_t now_ms = fr_now_ms();
    size_t len = strlen(token);
    const struct session *recent = recent_get(g, token, len, now_ms);
    if (recent || session_cache_get(g->sessions, token, now_ms, &found)) {
        if (recent) found = *recent;                   // a copy: what `done` does may change the list
        bool moved = gw_session_seen(g, &found, now_ms);
        if (moved) session_cache_put(g->sessions, token, &found);
        if (moved || !recent) recent_put(g, token, &found);
        done(arg, &found, NULL);
        return;
    }
    struct prove *p = len == SESSION_TOKEN_BYTES - 1 ? fr_alloc(sizeof *p) : NULL;
    if (!p) {
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_AUTH, "session_unknown", "this session is not known here: sign in again"));     // handed on
        done(arg, NULL, &err);
        return;
    }
    *p = (struct prove){ .g = g, .revocations = g->revocations, .done = done, .arg = arg };
    memcpy(p->token, token, SESSION_TOKEN_BYTES);
    gw_ref(g);
    if (store_read(g->o.store, prove_job, p, prove_on_job, &err) != FR_OK) prove_on_job(p, err.status, &err);
}

bool gw_scope_allows(const struct session *s, const char *plugin)
{
    return strcmp(s->scope, "shell") == 0 || (strncmp(s->scope, "game:", 5) == 0 && strcmp(s->scope + 5, plugin) == 0);
}

enum fr_status gw_scope_check(const struct session *s, const char *plugin, struct fr_err *err)
{
    if (gw_scope_allows(s, plugin)) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_DENIED, "wrong_scope", "this token is for %s only", s->scope);
}

void gw_sessions_ended(struct gateway *g, const char *player, const struct session_ended *ended, enum gw_end why)
{
    if (ended->count == 0) return;
    g->revocations++;
    for (int i = 0; i < ended->count; i++) session_cache_drop(g->sessions, ended->ids[i]);
    gw_sockets_close(g, player, ended, why);
}

// ---- dispatch

// 1 when `path` is this route; the segments that stand for {} go to `part`.
static bool route_fits(const struct gw_route *route, const char *path, char part[GW_PARTS_MAX][GW_PART_BYTES])
{
    const char *want = route->path, *got = path;
    int parts = 0;
    while (*want) {
        if (want[0] == '{' && want[1] == '}') {
            size_t len = strcspn(got, "/");
            if (want[2] == ':') {                      // "models/{}:{}": at the last colon, for a model's name may have some
                const char *colon = memrchr(got, ':', len);
                if (!colon) return false;
                len = (size_t)(colon - got);
            }
            if (len == 0 || len >= GW_PART_BYTES) return false;
            memcpy(part[parts], got, len);
            part[parts++][len] = 0;
            want += 2;
            got += len;
        } else if (*want++ != *got++) return false;
    }
    return *got == 0;
}

static bool text_is(struct net_text t, const char *s) { return net_text_is(t, s); }

// A page of another site, or another name for this machine, has no business with a development host: DNS rebinding ends here.
static bool host_is_ours(const struct net_request *req)
{
    static const char *const names[] = { "127.0.0.1", "localhost", "[::1]" };
    struct net_text h = net_header(req, "host");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i]);
        if (h.len >= n && strncasecmp(h.at, names[i], n) == 0 && (h.len == n || h.at[n] == ':')) return true;
    }
    return false;
}

static bool origin_is_ours(const struct net_request *req)
{
    struct net_text origin = net_header(req, "origin"), host = net_header(req, "host");
    return origin.len == 0 || (origin.len == host.len + 7 && memcmp(origin.at, "http://", 7) == 0 && memcmp(origin.at + 7, host.at, host.len) == 0);
}

static bool body_is_json(const struct net_request *req, bool must)
{
    struct net_text type = net_header(req, "content-type");
    static const char json[] = "application/json";
    if (type.len == 0) return !must || net_body(req).len == 0;
    return type.len >= sizeof json - 1 && strncasecmp(type.at, json, sizeof json - 1) == 0 && (type.len == sizeof json - 1 || strchr("; \t", type.at[sizeof json - 1]));
}

static void req_on_proved(void *arg, const struct session *s, const struct fr_err *err)
{
    struct gw_req *r = arg;
    if (!s) {
        gw_refuse(r, err, NULL);
        return;
    }
    r->who = *s;
    struct fr_err often;
    if (gw_limit_player(r->g, s->player, &often) != FR_OK) gw_refuse(r, &often, NULL);
    else if (policy_allows(r->g, s, r->route->who, &often) != FR_OK) gw_refuse(r, &often, NULL);
    else r->route->handler(r);
}

static void req_start(struct gateway *g, struct net_request *http, const struct gw_route *route, char part[GW_PARTS_MAX][GW_PART_BYTES])
{
    char token[SESSION_TOKEN_BYTES];
    struct gw_req *r = fr_alloc(sizeof *r);
    if (!r) {
        GW_FAIL_RAW(g, http, 503, FR_E_NOMEM, "nomem", "no memory for a request");
        return;
    }
    r->g = g;
    r->http = http;
    r->route = route;
    r->now_ms = fr_now_ms();
    memcpy(r->part, part, sizeof r->part);
    gw_request_id(g, r->id);
    gw_ref(g);
    if (route->who == GW_ANYBODY) route->handler(r);
    else if (gw_wire_of(route) != WIRE_FROND) gw_key_start(r);
    else if (gw_authorization(http, "bearer", token, sizeof token)) gw_prove(g, token, req_on_proved, r);
    else if (net_header(http, "authorization").len > 0) GW_FAIL(r, FR_E_AUTH, "session_unknown", "Authorization must be \"Bearer\" and a session token of this host");
    else GW_FAIL(r, FR_E_AUTH, "unauthorized", "this needs Authorization: Bearer and a session token");
}

// The methods of a path, for 405 and OPTIONS; "" when no route has it.
static void methods_of(const struct gateway *g, const char *path, char out[80])
{
    char part[GW_PARTS_MAX][GW_PART_BYTES];
    size_t len = 0;
    out[0] = 0;
    for (size_t i = 0; i < ROUTE_COUNT; i++)
        if ((!routes[i].dev || g->o.dev) && route_fits(&routes[i], path, part))
            len += (size_t)snprintf(out + len, 80 - len, "%s%s", len ? ", " : "", strcmp(routes[i].method, "GET") == 0 ? "GET, HEAD" : routes[i].method);
    if (len) snprintf(out + len, 80 - len, ", OPTIONS");
}

static void answer_without_route(struct gateway *g, struct net_request *req, const char *path, bool is_get)
{
    char methods[80], headers[120];
    methods_of(g, path, methods);
    bool page = methods[0] == 0 && strncmp(path, "/v1/", 4) != 0;
    if (page && is_get) {
        gw_page(g, req, path);
        return;
    }
    if (methods[0] == 0 && !page) {
        GW_FAIL_RAW(g, req, 404, FR_E_NOT_FOUND, "route_unknown", "there is nothing at %.200s", path);
        return;
    }
    snprintf(headers, sizeof headers, "Allow: %s\r\n", methods[0] ? methods : "GET, HEAD, OPTIONS");
    if (text_is(net_method(req), "OPTIONS")) {
        net_respond(req, 204, NULL, headers, "", 0);
        return;
    }
    struct fr_err err;
    FR_IGNORE(FR_FAIL_CODE(&err, FR_E_INVALID, "method_not_allowed", "%.200s takes %s", path, methods[0] ? methods : "GET, HEAD"));      // handed on
    gw_refuse_raw(g, req, 405, &err, headers);
}

static void on_request(void *arg, struct net_request *req)
{
    struct gateway *g = arg;
    struct net_text at = net_path(req), method = net_method(req);
    char path[HTTP_URL_BYTES_MAX + 1], part[GW_PARTS_MAX][GW_PART_BYTES];
    bool is_get = text_is(method, "GET") || text_is(method, "HEAD");
    if (g->o.dev && !host_is_ours(req)) {
        GW_FAIL_RAW(g, req, 421, FR_E_DENIED, "host_refused", "a development host answers to 127.0.0.1, [::1] and localhost only");
        return;
    }
    if (is_get && text_is(at, "/healthz")) {
        gw_healthz(g, req);
        return;
    }
    struct fr_err often;
    if (gw_limit_address(g, req, &often) != FR_OK) {
        gw_refuse_raw(g, req, 429, &often, NULL);
        return;
    }
    size_t len = at.len < sizeof path ? at.len : sizeof path - 1;
    memcpy(path, at.at, len);
    path[len] = 0;
    if (is_get && strcmp(path, "/readyz") == 0) { gw_readyz(g, req); return; }
    if (is_get && strcmp(path, "/metrics") == 0) { gw_metrics(g, req); return; }
    if (is_get && strcmp(path, "/v1/socket") == 0) { gw_socket_open(g, req); return; }
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        const struct gw_route *route = &routes[i];
        if (!(text_is(method, route->method) || (is_get && route->method[0] == 'G')) || (route->dev && !g->o.dev) || !route_fits(route, path, part)) continue;
        if (!body_is_json(req, route->dev)) {
            FR_IGNORE(FR_FAIL_CODE(&often, FR_E_INVALID, "unsupported_media_type", "the body must be application/json"));      // handed on
            gw_refuse_wire(g, req, gw_wire_of(route), 415, &often);
        }
        else if (route->dev && !origin_is_ours(req)) GW_FAIL_RAW(g, req, 403, FR_E_DENIED, "origin_refused", "another site's page may not do this");
        else req_start(g, req, route, part);
        return;
    }
    answer_without_route(g, req, path, is_get);
}

// ---- start and stop

static void on_tick(uv_timer_t *timer)
{
    gw_sockets_tick(timer->data);
    gw_sessions_tick(timer->data);
    gw_keys_tick(timer->data);
    gw_models_tick(timer->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
    gw_unref(handle->data);
}

static void timer_open(struct gateway *g, uv_timer_t *timer)
{
    uv_timer_init(g->o.loop, timer);
    timer->data = g;
    gw_ref(g);
}

enum fr_status gateway_start(const struct gateway_options *o, struct gateway **ret, struct fr_err *err)
{
    struct gateway *g = fr_must_alloc(sizeof *g);
    uint8_t boot[4];
    g->o = *o;
    g->refs = 1;
    snprintf(g->host, sizeof g->host, "%s", o->host);
    g->o.host = g->host;
    g->started_ms = (int64_t)uv_now(o->loop);
    fr_random_bytes(boot, sizeof boot);
    fr_hex(boot, sizeof boot, g->boot);
    g->sessions = session_cache_new(PLAYERS_ONLINE_MAX);
    g->recent = fr_must_alloc(RECENT_COUNT * sizeof *g->recent);
    g->players = fr_map_new(PLAYERS_ONLINE_MAX);
    g->keys = fr_map_new(HTTP_CONNECTIONS_MAX);
    g->wallets = fr_map_new(WALLET_EVENTS_MAX);
    gw_pages_open(g);
    gw_limits_open(g);
    gw_keys_open(g);
    gw_metrics_open(g);
    struct net_server_options server = { .loop = o->loop, .host = g->host, .port = o->port, .connections_max = o->connections_max,
                                         .connections_per_address = o->rates.connections_per_address, .proxies = o->rates.proxies, .arg = g, .on_request = on_request, .on_refusal = gw_on_refusal,
                                         .body_most = gw_body_most };
    enum fr_status st = net_server_start(&server, &g->server, err);
    if (st != FR_OK) {
        gw_unref(g);
        return st;
    }
    timer_open(g, &g->tick);
    timer_open(g, &g->wallet_timer);
    timer_open(g, &g->stream_timer);
    uv_timer_start(&g->tick, on_tick, TICK_MS, TICK_MS);
    *ret = g;
    return FR_OK;
}

int gateway_port(const struct gateway *g)
{
    return net_server_port(g->server);
}

static void on_server_stopped(void *arg)
{
    struct gateway *g = arg;
    void (*done)(void *) = g->stopped;
    void *done_arg = g->stopped_arg;
    uv_close((uv_handle_t *)&g->tick, on_timer_closed);
    uv_close((uv_handle_t *)&g->wallet_timer, on_timer_closed);
    uv_close((uv_handle_t *)&g->stream_timer, on_timer_closed);
    size_t at = 0, key_len;
    const void *key;
    void *wallet;
    while (fr_map_walk(g->wallets, &at, &key, &key_len, &wallet)) fr_free(wallet);
    gw_unref(g);
    done(done_arg);
}

void gateway_stop(struct gateway *g, int grace_ms, void (*done)(void *arg), void *arg)
{
    assert(!g->stopping);
    g->stopping = true;
    g->stopped = done;
    g->stopped_arg = arg;
    gw_models_stop(g);
    net_server_stop(g->server, grace_ms, on_server_stopped, g);
}

void gateway_event(void *gateway, const char *player, const char *game, const char *json, size_t len)
{
    gw_sockets_send(gateway, player, game, json, len);
}

void gateway_sessions_ended(void *gateway, const char *player, const struct session_ended *ended)
{
    gw_sessions_ended(gateway, player, ended, GW_ENDED_BY_OPERATOR);
}

void gateway_wallet(void *gateway, const char *player, const char *asset)
{
    gw_wallet_changed(gateway, player, asset);
}
