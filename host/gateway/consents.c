// consents.c — approvals: given, listed, revoked by the shell only. The payees an approval binds come from the host's own record: an intent's
// terms, or the only terms that the plugin has for this asset.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/units.h"
#include "gateway/internal.h"
#include "player/consent.h"

#define CONSENTS_LISTED_MAX 200
#define CONSENT_MS_DEFAULT (10LL * 60 * 1000)

static enum fr_status consent_print(struct store_txn *txn, const struct consent *c, int64_t now_ms, struct fr_buf *out, struct fr_err *err)
{
    int64_t left, expires_ms;
    char at[25];
    FR_TRY(consent_left(txn, c->player, c->plugin, c->asset, c->terms, now_ms, &left, &expires_ms, err));
    fr_buf_addf(out, "{\"id\":\"%lld\",\"plugin\":\"%s\",\"asset\":\"%s\",\"kind\":\"%s\",\"max\":\"%lld\",\"spent\":\"%lld\",\"left\":\"%lld\",\"expires_at\":\"%s\"}", (long long)c->id,
                c->plugin, c->asset, c->kind, (long long)c->max_units, (long long)c->spent_units, (long long)left, fr_time_text(c->expires_ms, at));
    return FR_OK;
}

static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    int count;
    FR_AUTO_MEM struct consent *list = fr_alloc(CONSENTS_LISTED_MAX * sizeof *list);
    if (!list) return FR_FAIL(err, FR_E_NOMEM, "no memory for the list of approvals");
    FR_TRY(consent_list(txn, r->who.player, list, CONSENTS_LISTED_MAX, &count, err));
    fr_buf_add(&r->out, "{\"consents\":[");
    for (int i = 0; i < count; i++) {
        if (i) fr_buf_add(&r->out, ",");
        FR_TRY(consent_print(txn, &list[i], r->now_ms, &r->out, err));
    }
    fr_buf_add(&r->out, "]}");
    return FR_OK;
}

void gw_consents(struct gw_req *r)
{
    gw_read(r, list_job);
}

// ---- POST

struct giving { struct consent ask; struct gw_key key; };

static enum fr_status give_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct giving *v = r->own;
    struct consent made;
    if (v->key.key[0]) {
        FR_TRY(gw_key_find(txn, &v->key, r->now_ms, err));
        if (v->key.found) {
            fr_buf_add(&r->out, v->key.answer);
            return FR_OK;
        }
    }
    if (v->ask.intent[0]) {
        struct consent_intent intent;
        FR_TRY(consent_intent_get(txn, r->who.player, v->ask.intent, r->now_ms, &intent, err));
        if (strcmp(intent.plugin, v->ask.plugin) != 0 || strcmp(intent.asset, v->ask.asset) != 0)
            return FR_FAIL_CODE(err, FR_E_CONFLICT, "intent_differs", "the intent asks for %s of %s", intent.asset, intent.plugin);
        snprintf(v->ask.terms, sizeof v->ask.terms, "%s", intent.terms);
    }
    FR_TRY(consent_give(txn, &v->ask, r->now_ms, &made, err));
    FR_TRY(consent_print(txn, &made, r->now_ms, &r->out, err));
    return v->key.key[0] ? gw_key_keep(txn, &v->key, FR_OK, r->out.data, r->out.len, r->now_ms, err) : FR_OK;
}

// What the player agrees to when no intent says it: unambiguous only if the plugin has one set of payees for the asset.
static enum fr_status terms_of_plugin(const struct plugin *p, const char *asset, char terms[SHA256_HEX_BYTES], struct fr_err *err)
{
    const struct manifest *m = p->package->manifest;
    int found = 0;
    for (int i = 0; i < m->mode_count; i++) {
        const struct manifest_mode *mode = &m->modes[i];
        if (strcmp(mode->asset, asset) != 0 || mode->stakes[mode->stake_count - 1] == 0 || (found && strcmp(terms, mode->terms) == 0)) continue;
        snprintf(terms, SHA256_HEX_BYTES, "%s", mode->terms);
        found++;
    }
    if (!found) snprintf(terms, SHA256_HEX_BYTES, "%s", p->terms);
    if (found <= 1) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INVALID, "intent_required", "%s has several modes with different payees: the approval needs the intent of a refused request", m->id);
}

static enum fr_status give_read(struct gw_req *r, struct giving *v, struct fr_err *err)
{
    static const char *const keys[] = { "plugin", "asset", "max", "kind", "expires_s", "intent", NULL };
    const char *plugin, *asset, *kind, *intent;
    char key[KEY_BYTES_MAX + 1];
    int64_t expires_s;
    FR_TRY(gw_body(r, keys, err));
    FR_TRY(fr_json_need_text(r->body, "plugin", 1, PLUGIN_ID_BYTES_MAX, &plugin, err));
    FR_TRY(fr_json_need_text(r->body, "asset", 1, ASSET_ID_BYTES - 1, &asset, err));
    FR_TRY(fr_json_need_units(r->body, "max", 1, UNITS_MAX, &v->ask.max_units, err));
    FR_TRY(fr_json_need_text(r->body, "kind", 1, 7, &kind, err));
    FR_TRY(fr_json_opt_int(r->body, "expires_s", 1, CONSENT_MS_MAX / 1000, CONSENT_MS_DEFAULT / 1000, &expires_s, err));
    FR_TRY(fr_json_opt_text(r->body, "intent", FR_ID_BYTES, "", &intent, err));
    if (strcmp(kind, "once") != 0 && strcmp(kind, "daily") != 0) return FR_FAIL(err, FR_E_INVALID, "kind: expected \"once\" or \"daily\", got \"%s\"", kind);
    struct plugin *p = plugins_find(r->g->o.plugins, plugin);
    if (!p) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%s\"", plugin);
    if (!intent[0]) FR_TRY(terms_of_plugin(p, asset, v->ask.terms, err));
    snprintf(v->ask.player, sizeof v->ask.player, "%s", r->who.player);
    snprintf(v->ask.plugin, sizeof v->ask.plugin, "%s", plugin);
    snprintf(v->ask.asset, sizeof v->ask.asset, "%s", asset);
    snprintf(v->ask.kind, sizeof v->ask.kind, "%s", kind);
    snprintf(v->ask.intent, sizeof v->ask.intent, "%s", intent);
    v->ask.expires_ms = r->now_ms + expires_s * 1000;
    FR_TRY(gw_key_header(r->http, key, err));
    struct net_text body = net_body(r->http);
    if (key[0]) gw_key_set(&v->key, r->who.player, "consents", key, body.at, body.len);
    return FR_OK;
}

static void giving_free(void *own)
{
    struct giving *v = own;
    fr_free(v->key.answer);
    fr_free(v);
}

void gw_consent_give(struct gw_req *r)
{
    struct giving *v = fr_must_alloc(sizeof *v);
    struct fr_err err;
    r->own = v;
    r->own_free = giving_free;
    if (give_read(r, v, &err) != FR_OK) {
        gw_refuse(r, &err, NULL);
        return;
    }
    r->http_status = 201;
    gw_write(r, give_job);
}

// ---- DELETE

static enum fr_status revoke_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    return consent_revoke(txn, r->who.player, *(const int64_t *)r->own, r->now_ms, err);
}

void gw_consent_revoke(struct gw_req *r)
{
    struct fr_err err;
    int64_t *id = fr_must_alloc(sizeof *id);
    r->own = id;
    r->own_free = fr_free;
    if (fr_units_parse(r->part[0], id, &err) != FR_OK) {
        GW_FAIL(r, FR_E_NOT_FOUND, "consent_unknown", "there is no such approval");
        return;
    }
    r->http_status = 204;
    gw_write(r, revoke_job);
}
