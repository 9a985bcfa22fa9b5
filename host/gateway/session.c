// session.c — signing in with Telegram's launch data, game sessions, signing out.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "gateway/internal.h"
#include "player/initdata.h"
#include "player/login.h"

struct opening {
    struct initdata launch; char scope[SESSION_SCOPE_BYTES];
    char token[SESSION_TOKEN_BYTES]; struct session session;
    char device[DEVICE_BYTES];
    struct session_ended ended;
    char code[64]; struct login login;     // of a session outside Telegram: how it was proven
};

void gw_player_print(const struct session *s, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"id\":\"%s\",\"name\":", s->player);
    fr_buf_add_json_text(out, s->name);
    fr_buf_add(out, ",\"lang\":");
    fr_buf_add_json_text(out, s->lang);
    fr_buf_add(out, "}");
}

static void opening_print(const struct opening *o, struct fr_buf *out)
{
    char at[25];
    fr_buf_addf(out, "{\"token\":\"%s\",\"player\":", o->token);
    gw_player_print(&o->session, out);
    fr_buf_addf(out, ",\"scope\":\"%s\",\"expires_at\":\"%s\"", o->session.scope, fr_time_text(o->session.expires_ms, at));
    if (o->launch.bot && o->launch.bot->username[0]) fr_buf_addf(out, ",\"bot_username\":\"%s\"", o->launch.bot->username);
    fr_buf_add(out, "}");
}

static void opening_after(struct gw_req *r)
{
    struct opening *o = r->own;
    gw_sessions_ended(r->g, o->session.player, &o->ended, GW_ENDED_REPLACED);
    session_cache_put(r->g->sessions, o->token, &o->session);
}

static struct opening *opening_new(struct gw_req *r, const char *scope)
{
    struct opening *o = fr_must_alloc(sizeof *o);
    struct net_text agent = net_header(r->http, "user-agent");
    snprintf(o->scope, sizeof o->scope, "%s", scope);
    device_name(agent.at, agent.len, o->device);
    r->own = o;
    r->own_free = fr_free;
    r->after = opening_after;
    return o;
}

static enum fr_status launch_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct opening *o = r->own;
    const struct gateway_options *host = &r->g->o;
    struct player player;
    bool is_new;
    char name[sizeof o->launch.first_name + sizeof o->launch.last_name + 1];
    snprintf(name, sizeof name, "%s%s%s", o->launch.first_name, o->launch.last_name[0] ? " " : "", o->launch.last_name);
    FR_TRY(player_enter(txn, o->launch.bot->name, o->launch.user_id, name, o->launch.language, r->now_ms, &player, &is_new, err));
    if (is_new && host->on_new_player) FR_TRY(host->on_new_player(host->arg, txn, player.id, r->now_ms, err));
    struct session_ask ask = { .player = player.id, .scope = o->scope, .launch_hash = o->launch.hash, .bot = o->launch.bot->name, .device = o->device, .now_ms = r->now_ms, .life_ms = SESSION_MS };
    FR_TRY(session_open(txn, &ask, o->token, &o->session, &o->ended, err));
    opening_print(o, &r->out);
    return FR_OK;
}

void gw_session_open(struct gw_req *r)
{
    char text[INITDATA_BYTES_MAX + 2];
    struct fr_err err;
    if (!gw_authorization(r->http, "tma", text, sizeof text)) {
        bool there = net_header(r->http, "authorization").len > 0;
        if (there && net_header(r->http, "authorization").len > INITDATA_BYTES_MAX) GW_FAIL(r, FR_E_AUTH, "launch_too_long", "launch data may have %d bytes", INITDATA_BYTES_MAX);
        else GW_FAIL(r, FR_E_AUTH, there ? "launch_malformed" : "unauthorized", "signing in needs Authorization: tma and Telegram's launch data");
        return;
    }
    struct opening *o = opening_new(r, "shell");
    struct initdata_rules rules = { .bots = r->g->o.bots, .now_ms = r->now_ms, .max_age_s = r->g->o.initdata_max_age_s, .future_s = INITDATA_FUTURE_S };
    if (initdata_verify(text, strlen(text), &rules, &o->launch, &err) != FR_OK) gw_refuse(r, &err, NULL);
    else gw_write(r, launch_job);
}

// ---- a game's own token, for front ends that must not hold the shell's

static enum fr_status game_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct opening *o = r->own;
    struct session_ask ask = { .player = r->who.player, .scope = o->scope, .device = o->device, .parent = r->who.id, .now_ms = r->now_ms, .life_ms = SESSION_MS };
    FR_TRY(session_open(txn, &ask, o->token, &o->session, &o->ended, err));
    opening_print(o, &r->out);
    return FR_OK;
}

void gw_session_game(struct gw_req *r)
{
    static const char *const keys[] = { "plugin", NULL };
    char scope[SESSION_SCOPE_BYTES];
    const char *plugin;
    struct fr_err err;
    if (gw_body(r, keys, &err) != FR_OK || fr_json_need_text(r->body, "plugin", 1, PLUGIN_ID_BYTES_MAX, &plugin, &err) != FR_OK) {
        gw_refuse(r, &err, NULL);
        return;
    }
    if (!plugins_find(r->g->o.plugins, plugin)) {
        GW_FAIL(r, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%s\"", plugin);
        return;
    }
    snprintf(scope, sizeof scope, "game:%s", plugin);
    opening_new(r, scope);
    gw_write(r, game_job);
}

// ---- outside Telegram, for wallets: by a one-time code of the shell's, or by Telegram's login for web pages

static enum fr_status wallet_player(struct store_txn *txn, const struct gw_req *r, struct opening *o, char player[PLAYER_ID_BYTES], struct fr_err *err)
{
    struct player who;
    bool found = false;
    if (o->code[0]) return wallet_code_use(txn, o->code, r->now_ms, player, err);
    FR_TRY(player_find(txn, o->login.user_id, &who, &found, err));
    if (!found) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "player_unknown", "you have not played here yet: open the app in Telegram first");
    snprintf(player, PLAYER_ID_BYTES, "%s", who.id);
    return FR_OK;
}

static enum fr_status wallet_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct gw_req *r = arg;
    struct opening *o = r->own;
    char player[PLAYER_ID_BYTES];
    FR_TRY(wallet_player(txn, r, o, player, err));
    struct session_ask ask = { .player = player, .scope = o->scope, .launch_hash = o->login.bot ? o->login.hash : NULL, .bot = o->login.bot ? o->login.bot->name : NULL, .device = o->device, .now_ms = r->now_ms, .life_ms = WALLET_SESSION_MS };
    FR_TRY(session_open(txn, &ask, o->token, &o->session, &o->ended, err));
    opening_print(o, &r->out);
    return FR_OK;
}

static enum fr_status wallet_read(struct gw_req *r, struct opening *o, struct fr_err *err)
{
    static const char *const keys[] = { "code", "login", NULL };
    const char *code;
    FR_TRY(gw_body(r, keys, err));
    if (!fr_json_get(r->body, "login")) {
        FR_TRY(fr_json_need_text(r->body, "code", 1, sizeof o->code - 1, &code, err));
        snprintf(o->code, sizeof o->code, "%s", code);
        return FR_OK;
    }
    if (fr_json_get(r->body, "code")) return FR_FAIL(err, FR_E_INVALID, "code or login, not both");
    return login_verify(fr_json_get(r->body, "login"), r->g->o.bots, r->now_ms, &o->login, err);
}

void gw_wallet_session(struct gw_req *r)
{
    struct opening *o = opening_new(r, "wallet");
    struct fr_err err;
    if (wallet_read(r, o, &err) != FR_OK) gw_refuse(r, &err, NULL);
    else gw_write(r, wallet_job);
}

// ---- who am I

void gw_me(struct gw_req *r)
{
    fr_buf_init(&r->out, GW_ANSWER_BYTES_MAX);
    fr_buf_add(&r->out, "{\"player\":");
    gw_player_print(&r->who, &r->out);
    fr_buf_addf(&r->out, ",\"scope\":\"%s\",\"wallet\":%s,\"matches\":", r->who.scope, strcmp(r->who.scope, "wallet") == 0 || (strcmp(r->who.scope, "shell") == 0 && policy_shell_has_wallet(r->g)) ? "true" : "false");
    if (strcmp(r->who.scope, "wallet") == 0) fr_buf_add(&r->out, "[]");
    else gw_matches_of(r->g, &r->who, &r->out);
    fr_buf_add(&r->out, "}");
    gw_answer(r, 200, r->out.data, r->out.len);
}
