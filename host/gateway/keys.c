// keys.c — API keys: proving one, who tries too many, and a player's own.
//
// A key that was proven is remembered for API_KEY_KNOWN_MS, so that a busy program does not wait for the store each time; a revocation in this process is known at once, by
// api_key_revocations. A key stands in Authorization (Bearer), or, for Google's clients, in x-goog-api-key or ?key=. It is never logged.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "gateway/internal.h"
#include "llm/record.h"

struct known { struct api_key key; int64_t until_ms; uint64_t revocations; };
struct failed { int count; };
struct gw_keys {
    struct fr_map *known;                  // struct known by hash
    struct fr_map *failed; int64_t failed_until_ms;        // struct failed by address, of the current minute
    struct { int64_t id, at_ms; } seen[API_KEYS_SEEN_MAX]; int seen_count;
};

static void map_clear(struct fr_map *m)
{
    size_t at = 0, len;
    const void *key;
    void *value;
    while (fr_map_walk(m, &at, &key, &len, &value)) {
        fr_map_remove(m, key, len);
        fr_free(value);
    }
}

void gw_keys_open(struct gateway *g)
{
    struct gw_keys *k = fr_must_alloc(sizeof *k);
    k->known = fr_map_new(API_KEYS_KNOWN_MAX);
    k->failed = fr_map_new(API_KEYS_KNOWN_MAX);
    g->keys_known = k;
}

void gw_keys_close(struct gateway *g)
{
    struct gw_keys *k = g->keys_known;
    if (!k) return;
    map_clear(k->known);
    map_clear(k->failed);
    fr_map_free(k->known);
    fr_map_free(k->failed);
    fr_free(k);
}

// ---- who tries too many

// Behind a proxy that nobody named everybody has the same address: see limit.c.
static bool address_of(const struct gateway *g, const struct net_request *req, struct net_address *ret)
{
    struct net_address from = net_request_from(req);
    if (net_address_is_loopback(&from) && g->o.rates.address_per_second <= 0) return false;
    *ret = net_address_client(&from);
    return true;
}

static enum fr_status failures_check(struct gateway *g, const struct net_request *req, struct fr_err *err)
{
    struct gw_keys *k = g->keys_known;
    struct net_address client;
    int64_t now_ms = fr_mono_ms();
    if (now_ms >= k->failed_until_ms) {
        map_clear(k->failed);
        k->failed_until_ms = now_ms + API_KEY_FAILURES_MS;
    }
    const struct failed *f = address_of(g, req, &client) ? fr_map_get(k->failed, &client, sizeof client) : NULL;
    if (!f || f->count < API_KEY_FAILURES_MAX) return FR_OK;
    enum fr_status st = FR_FAIL_CODE(err, FR_E_LIMIT, "rate_limited", "too many keys from your address that are none: wait a minute");
    err->retry_s = (int)((k->failed_until_ms - now_ms + 999) / 1000);
    return st;
}

static void failures_note(struct gateway *g, const struct net_request *req)
{
    struct gw_keys *k = g->keys_known;
    struct net_address client;
    if (!address_of(g, req, &client)) return;
    struct failed *f = fr_map_get(k->failed, &client, sizeof client);
    if (!f && (f = fr_alloc(sizeof *f)) && !fr_map_put(k->failed, &client, sizeof client, f)) {
        fr_free(f);                        // full: so many addresses at once are an attack that address_rate sees
        return;
    }
    if (f) f->count++;
}

// ---- proving

static void seen_note(struct gw_keys *k, struct api_key *key, int64_t now_ms)
{
    if (now_ms - key->seen_ms < API_KEY_SEEN_MS || k->seen_count == API_KEYS_SEEN_MAX) return;
    key->seen_ms = now_ms;
    k->seen[k->seen_count].id = key->id;
    k->seen[k->seen_count++].at_ms = now_ms;
}

static void key_proven(struct gw_req *r, const struct api_key *key)
{
    r->key = fr_alloc(sizeof *r->key);
    if (!r->key) {
        GW_FAIL(r, FR_E_NOMEM, "nomem", "no memory for a request");
        return;
    }
    *r->key = *key;
    gw_copy(r->who.player, sizeof r->who.player, key->player);
    r->route->handler(r);
}

static int64_t within(int64_t own, int64_t host)       // 0: no limit
{
    return own == 0 || (host > 0 && host < own) ? host : own;
}

// The core counts by name: it is told each time the key is looked up.
static void limits_tell(const struct gateway *g, const struct api_key *key)
{
    char name[LLM_WHO_BYTES];
    struct llm_limit limit = g->o.api_key_limits;
    if (!g->o.llm) return;
    snprintf(name, sizeof name, "key:%lld", (long long)key->id);
    limit.tokens_minute = within(key->limits.tokens_minute, limit.tokens_minute);
    limit.tokens_day = within(key->limits.tokens_day, limit.tokens_day);
    limit.requests_minute = within(key->limits.requests_minute, limit.requests_minute);
    llm_limit(g->o.llm, name, &limit);
}

struct proof { struct gw_req *r; uint8_t hash[SHA256_BYTES]; struct known found; };

static enum fr_status proof_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct proof *p = arg;
    return api_key_find(txn, p->hash, fr_now_ms(), &p->found.key, err);
}

static void remember(struct gw_keys *k, const uint8_t hash[SHA256_BYTES], const struct known *found)
{
    struct known *mine = fr_map_get(k->known, hash, SHA256_BYTES);
    if (!mine) {
        if (fr_map_size(k->known) == API_KEYS_KNOWN_MAX) map_clear(k->known);
        mine = fr_alloc(sizeof *mine);
        if (mine && !fr_map_put(k->known, hash, SHA256_BYTES, mine)) {
            fr_free(mine);
            mine = NULL;
        }
    }
    if (mine) *mine = *found;
}

static void proof_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct proof *p = arg;
    struct gw_req *r = p->r;
    if (st == FR_OK) {
        seen_note(r->g->keys_known, &p->found.key, fr_now_ms());
        remember(r->g->keys_known, p->hash, &p->found);
        limits_tell(r->g, &p->found.key);
        key_proven(r, &p->found.key);
    } else {
        if (st == FR_E_AUTH) failures_note(r->g, r->http);
        gw_refuse(r, err, NULL);
    }
    fr_free(p);
}

static void key_prove(struct gw_req *r, const char *text)
{
    struct gw_keys *k = r->g->keys_known;
    uint8_t hash[SHA256_BYTES];
    struct fr_err err;
    api_key_hash(text, hash);
    struct known *known = fr_map_get(k->known, hash, sizeof hash);
    if (known && known->until_ms > fr_mono_ms() && known->revocations == api_key_revocations()) {
        seen_note(k, &known->key, r->now_ms);
        key_proven(r, &known->key);
        return;
    }
    struct proof *p = fr_alloc(sizeof *p);
    if (!p) {
        GW_FAIL(r, FR_E_NOMEM, "nomem", "no memory for a request");
        return;
    }
    *p = (struct proof){ .r = r, .found = { .until_ms = fr_mono_ms() + API_KEY_KNOWN_MS, .revocations = api_key_revocations() } };
    memcpy(p->hash, hash, sizeof hash);
    if (store_read(r->g->o.store, proof_job, p, proof_done, &err) != FR_OK) proof_done(p, err.status, &err);
}

static void on_session(void *arg, const struct session *s, const struct fr_err *err)
{
    struct gw_req *r = arg;
    struct fr_err mine;
    if (!s) {
        gw_refuse(r, err, NULL);
        return;
    }
    r->who = *s;
    if (gw_limit_player(r->g, s->player, &mine) != FR_OK || policy_allows(r->g, s, GW_SHELL, &mine) != FR_OK) gw_refuse(r, &mine, NULL);
    else r->route->handler(r);
}

static bool key_text(const struct gw_req *r, char *out, size_t cap)
{
    if (gw_authorization(r->http, "bearer", out, cap)) return true;
    if (gw_wire_of(r->route) != WIRE_PALM) return false;
    struct net_text h = net_header(r->http, "x-goog-api-key");
    if (h.len > 0 && h.len < cap) {
        memcpy(out, h.at, h.len);
        out[h.len] = 0;
        return true;
    }
    return net_query_value(r->http, "key", out, cap) && out[0];
}

void gw_key_start(struct gw_req *r)
{
    char text[SESSION_TOKEN_BYTES + API_KEY_TEXT_BYTES] = "";
    struct fr_err err;
    bool there = key_text(r, text, sizeof text);
    if (failures_check(r->g, r->http, &err) != FR_OK) {
        gw_refuse(r, &err, NULL);
    } else if (there && api_key_looks_like(text)) {
        key_prove(r, text);
    } else if (there && gw_wire_of(r->route) == WIRE_OPENAI && strlen(text) == SESSION_TOKEN_BYTES - 1) {
        gw_prove(r->g, text, on_session, r);
    } else {
        bool sent = there || net_header(r->http, "authorization").len > 0;
        if (sent) failures_note(r->g, r->http);
        if (sent) GW_FAIL(r, FR_E_AUTH, "key_unknown", "Incorrect API key provided: this host does not know it");
        else GW_FAIL(r, FR_E_AUTH, "key_missing", "this needs an API key of this host: Authorization: Bearer frond-...");
    }
}

// ---- when they were used

struct noting { int count; struct { int64_t id, at_ms; } seen[]; };

static enum fr_status noting_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    const struct noting *n = arg;
    for (int i = 0; i < n->count; i++) FR_TRY(api_key_seen(txn, n->seen[i].id, n->seen[i].at_ms, err));
    return FR_OK;
}

static void noting_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    if (status != FR_OK) fr_log_err(LOG_WARN, "keys.seen_lost", err, NULL);        // a time in a list, nothing else depends on it
    fr_free(arg);
}

void gw_keys_tick(struct gateway *g)
{
    struct gw_keys *k = g->keys_known;
    struct fr_err err;
    if (k->seen_count == 0 || g->stopping) return;
    struct noting *n = fr_alloc(sizeof *n + (size_t)k->seen_count * sizeof n->seen[0]);
    if (!n) return;
    n->count = k->seen_count;
    memcpy(n->seen, k->seen, (size_t)n->count * sizeof n->seen[0]);
    k->seen_count = 0;
    if (store_run(g->o.store, noting_job, n, noting_done, &err) != FR_OK) noting_done(n, err.status, &err);
}

// ---- a player's own keys

#define USAGE_MS (31LL * 24 * 60 * 60 * 1000)
static enum fr_status usage_print(struct store_txn *txn, struct gw_req *r, struct fr_err *err)
{
    char payer[LLM_WHO_BYTES];
    snprintf(payer, sizeof payer, "player:%s", r->who.player);
    return llm_usage_list(txn, r->now_ms - USAGE_MS, payer, &r->out, err);
}

static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct api_key list[API_KEYS_PER_PLAYER_MAX * 4];
    int count = 0, most = r->g->o.api_keys.per_player ? r->g->o.api_keys.per_player : API_KEYS_PER_PLAYER_MAX;
    FR_TRY(api_key_list(txn, r->who.player, 0, r->now_ms, list, (int)(sizeof list / sizeof list[0]), &count, err));
    fr_buf_add(&r->out, "{\"keys\":[");
    for (int i = 0; i < count; i++) {
        if (i) fr_buf_add(&r->out, ",");
        api_key_print(&list[i], &r->out);
        fr_buf_add(&r->out, "}");
    }
    fr_buf_addf(&r->out, "],\"most\":%d,\"asset\":\"%s\",\"least\":\"%lld\",\"usage\":", most, r->g->o.api_keys.asset, (long long)r->g->o.api_keys.least_units);
    FR_TRY(usage_print(txn, r, err));
    fr_buf_add(&r->out, "}");
    return FR_OK;
}
void gw_keys_list(struct gw_req *r) { gw_read(r, list_job); }

struct making { struct api_key_ask ask; };

static enum fr_status new_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    const struct making *m = r->own;
    struct api_key k;
    char text[API_KEY_TEXT_BYTES];
    FR_TRY(api_key_new(txn, &r->g->o.api_keys, &m->ask, r->now_ms, text, &k, err));
    api_key_print(&k, &r->out);
    fr_buf_addf(&r->out, ",\"key\":\"%s\"}", text);
    return FR_OK;
}

static enum fr_status scopes_read(const struct fr_json *body, unsigned *ret, struct fr_err *err)
{
    const struct fr_json *list;
    unsigned one;
    *ret = API_SCOPES_ALL;
    if (!fr_json_get(body, "scopes")) return FR_OK;
    FR_TRY(fr_json_need_array(body, "scopes", 1, 8, &list, err));
    *ret = 0;
    for (const struct fr_json *s = fr_json_child(list); s; s = fr_json_next(s)) {
        if (!fr_json_text(s) || !api_scopes_parse(fr_json_text(s), &one)) return FR_FAIL(err, FR_E_INVALID, "scopes: expected \"models\", \"chat\" or \"embed\"");
        *ret |= one;
    }
    return FR_OK;
}

static enum fr_status ask_read(struct gw_req *r, struct making *m, struct fr_err *err)
{
    static const char *const keys[] = { "name", "scopes", "tokens_minute", "tokens_day", "requests_minute", "coins_day", NULL };
    const int64_t most = 1000000000000LL;
    FR_TRY(gw_body(r, keys, err));
    m->ask.player = r->who.player;
    FR_TRY(fr_json_need_text(r->body, "name", 1, API_KEY_NAME_BYTES_MAX, &m->ask.name, err));
    FR_TRY(scopes_read(r->body, &m->ask.scopes, err));
    FR_TRY(fr_json_opt_int(r->body, "tokens_minute", 0, most, 0, &m->ask.limits.tokens_minute, err));
    FR_TRY(fr_json_opt_int(r->body, "tokens_day", 0, most, 0, &m->ask.limits.tokens_day, err));
    FR_TRY(fr_json_opt_int(r->body, "requests_minute", 0, most, 0, &m->ask.limits.requests_minute, err));
    return fr_json_opt_units(r->body, "coins_day", 0, UNITS_MAX, 0, &m->ask.limits.coins_day, err);
}

void gw_keys_new(struct gw_req *r)
{
    struct making *m = fr_must_alloc(sizeof *m);
    struct fr_err err;
    r->own = m;
    r->own_free = fr_free;
    if (ask_read(r, m, &err) != FR_OK) {
        gw_refuse(r, &err, NULL);
        return;
    }
    r->http_status = 201;
    gw_write(r, new_job);
}

static enum fr_status revoke_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    char *end;
    long long id = strtoll(r->part[0], &end, 10);
    if (*end || id <= 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "key_not_found", "there is no such key");
    return api_key_revoke(txn, r->who.player, id, r->now_ms, err);
}

static void revoked(struct gw_req *r)
{
    map_clear(r->g->keys_known->known);        // also what was read while the revocation was being written
}

void gw_keys_revoke(struct gw_req *r)
{
    r->http_status = 204;
    r->after = revoked;
    gw_write(r, revoke_job);
}
