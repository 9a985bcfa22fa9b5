// socket.c — a player's open line: requests in any order, answers by their id, events as they come.
//
// A socket belongs to a player once its token is proven. It is freed when it is closed and its last operation has answered; an answer
// to a closed socket goes nowhere.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/units.h"
#include "gateway/internal.h"
#include "plugin/use.h"

#define SUBPROTOCOL "frond.v1"
#define CLOSE_POLICY 1008
#define CLOSE_SESSION 4001                 // ended, expired or replaced: sign in again
#define OP_ID_BYTES_MAX 200                // of the client's id, as JSON

struct gw_socket {
    struct gateway *g;
    struct net_ws *ws;                     // NULL once closed
    int refs;                              // the open connection, and operations in flight
    int ops;
    bool proving;
    struct session who; bool proven;
    struct gw_player *player;
    struct gw_socket *next, **link;        // in the player's list, or among the unproven
    int64_t opened_ms, budget_ms; double budget;
    int watches;                           // matches it watches
    char own_match[FR_ID_BYTES];           // a game's token: the last match found to be of its game
};

struct gw_op {                             // one request of a socket
    struct gw_socket *s;
    char id[OP_ID_BYTES_MAX + 1], request_id[GW_REQUEST_ID_BYTES];
    struct fr_json *json;
    struct fr_buf args;
    struct gw_call call;
    struct gw_stream stream;               // what the call says before its answer
    struct gw_need *need;
    char mode[33]; int64_t stake_units;    // of match.find
};

// ---- life

static void socket_unref(struct gw_socket *s)
{
    assert(s->refs > 0);
    if (--s->refs > 0) return;
    struct gateway *g = s->g;
    fr_free(s);
    gw_unref(g);
}

static void socket_unlink(struct gw_socket *s)
{
    if (!s->link) return;
    *s->link = s->next;
    if (s->next) s->next->link = s->link;
    s->link = NULL;
    s->next = NULL;
}

static void socket_link(struct gw_socket *s, struct gw_socket **head)
{
    s->next = *head;
    s->link = head;
    if (s->next) s->next->link = &s->next;
    *head = s;
}

static void socket_send(struct gw_socket *s, const char *text, size_t len)
{
    if (s->ws) net_ws_send(s->ws, text, len);
}

static void socket_close(struct gw_socket *s, int code, const char *reason)
{
    if (s->ws) net_ws_close(s->ws, code, reason);
}

// ---- a player's sockets

static enum fr_status socket_enter(struct gw_socket *s, const struct session *who, struct fr_err *err)
{
    struct gateway *g = s->g;
    struct gw_player *p = fr_map_get_text(g->players, who->player);
    if (p && p->count >= SOCKETS_PER_PLAYER_MAX)
        return FR_FAIL_CODE(err, FR_E_LIMIT, "too_many_sockets", "a player may have %d sockets open", SOCKETS_PER_PLAYER_MAX);
    if (!p) {
        p = fr_alloc(sizeof *p);
        if (p) snprintf(p->id, sizeof p->id, "%s", who->player);
        if (!p || !fr_map_put_text(g->players, p->id, p)) {
            fr_free(p);
            return FR_FAIL(err, FR_E_BUSY, "too many players are here");
        }
    }
    s->who = *who;
    s->proven = true;
    s->player = p;
    socket_unlink(s);
    socket_link(s, &p->sockets);
    if (++p->count == 1) play_presence(g->o.plays, who->player, true);
    return FR_OK;
}

static void socket_leave(struct gw_socket *s)
{
    struct gateway *g = s->g;
    struct gw_player *p = s->player;
    socket_unlink(s);
    if (!p) return;
    gw_session_seen(g, &s->who, fr_now_ms());
    s->player = NULL;
    if (--p->count > 0) return;
    fr_map_remove_text(g->players, p->id);
    if (!g->stopping) play_presence(g->o.plays, p->id, false);      // a host that stops tells nobody that the players left
    fr_free(p);
}

bool gw_player_listens(struct gateway *g, const char *player)
{
    const struct gw_player *p = fr_map_get_text(g->players, player);
    for (const struct gw_socket *s = p ? p->sockets : NULL; s; s = s->next)
        if (strcmp(s->who.scope, "shell") == 0) return true;
    return false;
}

void gw_sockets_send(struct gateway *g, const char *player, const char *game, const char *json, size_t len)
{
    struct gw_player *p = fr_map_get_text(g->players, player);
    int64_t now_ms = p ? fr_now_ms() : 0;
    for (struct gw_socket *s = p ? p->sockets : NULL; s; s = s->next) {
        if (strcmp(s->who.scope, "shell") != 0 && !(game && gw_scope_allows(&s->who, game))) continue;
        if (s->who.expires_ms <= now_ms) socket_close(s, CLOSE_SESSION, "session expired");      // it only listened, so nobody had looked
        else socket_send(s, json, len);
    }
}

void gw_sockets_close(struct gateway *g, const char *player, const struct session_ended *ended, enum gw_end why)
{
    static const struct { const char *event, *reason; } say[] = {
        [GW_ENDED_SIGN_OUT]    = { "{\"ev\":\"session.ended\",\"by\":\"sign_out\"}", "session ended" },
        [GW_ENDED_REPLACED]    = { "{\"ev\":\"session.replaced\"}", "session replaced" },
        [GW_ENDED_BY_PLAYER]   = { "{\"ev\":\"session.ended\",\"by\":\"player\"}", "session ended" },
        [GW_ENDED_BY_OPERATOR] = { "{\"ev\":\"session.ended\",\"by\":\"operator\"}", "session ended" },
    };
    struct gw_player *p = fr_map_get_text(g->players, player);
    for (struct gw_socket *s = p ? p->sockets : NULL; s; s = s->next) {
        bool over = false;
        for (int i = 0; i < ended->count; i++) over = over || s->who.id == ended->ids[i];
        if (!over) continue;
        socket_send(s, say[why].event, strlen(say[why].event));
        socket_close(s, CLOSE_SESSION, say[why].reason);
    }
}

bool gw_session_online(struct gateway *g, const char *player, int64_t session)
{
    const struct gw_player *p = fr_map_get_text(g->players, player);
    for (const struct gw_socket *s = p ? p->sockets : NULL; s; s = s->next)
        if (s->ws && s->who.id == session) return true;
    return false;
}

void gw_sockets_tick(struct gateway *g)
{
    int64_t now_ms = fr_mono_ms();
    for (struct gw_socket *s = g->unproven, *next; s; s = next) {
        next = s->next;
        if (now_ms - s->opened_ms >= WS_AUTH_MS && !s->proving) socket_close(s, CLOSE_POLICY, "no token came in time");
    }
}

// ---- answering

static void op_free(struct gw_op *op)
{
    struct gw_socket *s = op->s;
    fr_json_free(op->json);
    fr_buf_free(&op->args);
    gw_need_free(op->need);
    fr_free(op);
    s->ops--;
    socket_unref(s);
}

static void op_answer(struct gw_op *op, const char *json, size_t len)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, CALL_RESULT_BYTES_MAX + 1024);
    fr_buf_addf(&out, "{\"id\":%s,\"ok\":true,\"result\":", op->id);
    fr_buf_add_bytes(&out, json, len);
    fr_buf_add(&out, "}");
    if (!out.failed) socket_send(op->s, out.data, out.len);
    op_free(op);
}
#define OP_ANSWER(op, text) op_answer((op), (text), strlen(text))

static void error_send(struct gw_socket *s, const char *id, const struct fr_err *err, const char *more)
{
    FR_AUTO_BUF(out);
    gw_count_refusal(s->g, err);
    fr_buf_init(&out, 64 * 1024);
    fr_buf_addf(&out, "{\"id\":%s,\"ok\":false,\"error\":", id);
    gw_error_print(s->g, err, more, &out);
    fr_buf_add(&out, "}");
    if (!out.failed) socket_send(s, out.data, out.len);
}

static void op_refuse(struct gw_op *op, const struct fr_err *err, const char *more)
{
    if (err->status == FR_E_INTERNAL || err->status == FR_E_CORRUPT || err->status == FR_E_IO || err->status == FR_E_NOMEM)
        fr_log_err(LOG_ERROR, "request.failed", err, "request_id", op->request_id, "route", "socket", NULL);
    error_send(op->s, op->id, err, more);
    op_free(op);
}
#define OP_FAIL(op, status, code, ...) do { struct fr_err fail_; FR_IGNORE(FR_FAIL_CODE(&fail_, status, code, __VA_ARGS__)); op_refuse((op), &fail_, NULL); } while (0)

// ---- auth

static void op_auth_answer(struct gw_op *op)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, GW_ANSWER_BYTES_MAX);
    fr_buf_add(&out, "{\"player\":");
    gw_player_print(&op->s->who, &out);
    fr_buf_addf(&out, ",\"scope\":\"%s\",\"matches\":", op->s->who.scope);
    gw_matches_of(op->s->g, &op->s->who, &out);
    fr_buf_add(&out, "}");
    op_answer(op, out.data, out.len);
}

static void op_on_proved(void *arg, const struct session *who, const struct fr_err *err)
{
    struct gw_op *op = arg;
    struct gw_socket *s = op->s;
    struct fr_err full;
    s->proving = false;
    if (!s->ws) {
        op_free(op);
    } else if (!who || policy_socket(who, &full) != FR_OK || socket_enter(s, who, &full) != FR_OK) {
        op_refuse(op, who ? &full : err, NULL);
        socket_close(s, CLOSE_POLICY, "not signed in");      // a connection has one try
    } else op_auth_answer(op);
}

static void op_auth(struct gw_op *op)
{
    const char *token;
    struct fr_err err;
    struct gw_socket *s = op->s;
    if (s->proven || s->proving) {
        OP_FAIL(op, FR_E_CONFLICT, "signed_in", "this socket is signed in already");
        return;
    }
    if (fr_json_need_text(op->json, "token", 1, SESSION_TOKEN_BYTES - 1, &token, &err) != FR_OK) {
        op_refuse(op, &err, NULL);
        return;
    }
    s->proving = true;
    gw_prove(s->g, token, op_on_proved, op);
}

// ---- call and the match operations

static void op_ping(struct gw_op *op)
{
    char out[48];
    snprintf(out, sizeof out, "{\"now_ms\":%lld}", (long long)fr_now_ms());
    OP_ANSWER(op, out);
}

static void op_on_stream(struct gw_call *c, const char *text, size_t len)
{
    struct gw_op *op = c->arg;
    if (op->s->ws) gw_stream_add(&op->stream, text, len);
}

static void op_on_event(void *arg, const char *json, size_t len)
{
    socket_send(((struct gw_op *)arg)->s, json, len);
}

static void op_on_called(struct gw_call *c, enum fr_status status, const struct fr_err *err, const char *json, size_t len, const char *more)
{
    struct gw_op *op = c->arg;
    gw_stream_end(&op->stream, status == FR_OK ? NULL : err, c->stream_cut);
    if (status == FR_OK) op_answer(op, json ? json : "null", json ? len : 4);
    else op_refuse(op, err, more);
}

// The arguments as bytes of their own, "{}" when there are none.
static enum fr_status op_args(struct gw_op *op, struct fr_err *err)
{
    const struct fr_json *args = fr_json_get(op->json, "args");
    fr_buf_init(&op->args, CALL_ARGS_BYTES_MAX);
    if (args) fr_json_print(args, &op->args);
    else fr_buf_add(&op->args, "{}");
    if (op->args.failed) return FR_FAIL_CODE(err, FR_E_LIMIT, "too_large", "args may have %d bytes", CALL_ARGS_BYTES_MAX);
    return FR_OK;
}

static enum fr_status key_text_check(const char *key, struct fr_err *err)
{
    for (; *key; key++)
        if (*key < 0x21 || *key > 0x7e) return FR_FAIL(err, FR_E_INVALID, "key: expected visible ASCII characters");
    return FR_OK;
}

static void op_call(struct gw_op *op)
{
    const char *plugin, *fn, *key;
    struct fr_err err;
    if (fr_json_need_text(op->json, "plugin", 1, PLUGIN_ID_BYTES_MAX, &plugin, &err) != FR_OK || fr_json_need_text(op->json, "fn", 1, 64, &fn, &err) != FR_OK ||
        fr_json_opt_text(op->json, "key", KEY_BYTES_MAX, "", &key, &err) != FR_OK || key_text_check(key, &err) != FR_OK || op_args(op, &err) != FR_OK) {
        op_refuse(op, &err, NULL);
        return;
    }
    struct gw_call *c = &op->call;
    c->g = op->s->g;
    c->arg = op;
    c->done = op_on_called;
    c->stream = op_on_stream;
    op->stream = (struct gw_stream){ .g = c->g, .id = op->id, .send = op_on_event, .arg = op };
    c->args = op->args.data;
    c->args_len = op->args.len;
    gw_copy(c->plugin, sizeof c->plugin, plugin);
    gw_copy(c->function, sizeof c->function, fn);
    gw_call_start(c, &op->s->who, op->request_id, "socket", key);
}

static void op_on_need(void *arg)
{
    struct gw_op *op = arg;
    FR_AUTO_BUF(more);
    fr_buf_init(&more, 16 * 1024);
    gw_need_print(op->need, &more);
    op_refuse(op, &op->need->err, more.failed ? NULL : more.data);
}

// A stake that was not approved: the same fields as over HTTP, from the mode the player chose.
static void op_on_found(void *arg, enum fr_status status, const char *result, const struct fr_err *err)
{
    struct gw_op *op = arg;
    struct gw_socket *s = op->s;
    const char *game = fr_json_text(fr_json_get(op->json, "game"));
    struct plugin *p = status == FR_OK ? NULL : plugins_find(s->g->o.plugins, game);
    const struct manifest_mode *mode = p ? manifest_mode(p->package->manifest, op->mode) : NULL;
    if (status == FR_OK) {
        OP_ANSWER(op, result);
    } else if (mode && strcmp(err->code, "consent_required") == 0) {
        struct gw_need *n = op->need = fr_must_alloc(sizeof *n);
        n->err = *err;
        n->g = s->g;
        n->done = op_on_need;
        n->arg = op;
        n->units = op->stake_units;
        gw_copy(n->player, sizeof n->player, s->who.player);
        gw_copy(n->asset, sizeof n->asset, mode->asset);
        snprintf(n->reason, sizeof n->reason, "Your stake in %s", p->package->manifest->name);
        gw_need_start(n, p, mode);
    } else op_refuse(op, err, NULL);
}

static enum fr_status find_read(struct gw_op *op, struct play_find *f, struct fr_err *err)
{
    const struct session *who = &op->s->who;
    const struct fr_json *options = fr_json_get(op->json, "options");
    FR_TRY(fr_json_need_text(op->json, "game", 1, PLUGIN_ID_BYTES_MAX, &f->game, err));
    FR_TRY(fr_json_need_text(op->json, "mode", 1, sizeof op->mode - 1, &f->mode, err));
    FR_TRY(fr_json_need_units(op->json, "stake", 0, UNITS_MAX, &f->stake_units, err));
    FR_TRY(fr_json_opt_text(op->json, "seed_commit", 64, NULL, &f->seed_commit, err));
    FR_TRY(fr_json_opt_text(op->json, "with", FR_ID_BYTES - 1, NULL, &f->with, err));
    FR_TRY(fr_json_opt_bool(op->json, "bot", false, &f->bot, err));
    FR_TRY(gw_scope_check(who, f->game, err));
    struct plugin *p = plugins_find(op->s->g->o.plugins, f->game);
    if (p) FR_TRY(plugin_admit_player(p, who->player, err));
    fr_buf_init(&op->args, CALL_ARGS_BYTES_MAX);
    if (options && fr_json_kind(options) != JSON_NULL) {
        fr_json_print(options, &op->args);
        FR_TRY(fr_buf_check(&op->args, "options", err));
        f->options_json = op->args.data;
    }
    f->player = who->player;
    f->name = who->name;
    snprintf(op->mode, sizeof op->mode, "%s", f->mode);
    op->stake_units = f->stake_units;
    return FR_OK;
}

static void op_find(struct gw_op *op)
{
    struct play_find f = { 0 };
    struct fr_err err;
    if (find_read(op, &f, &err) != FR_OK) op_refuse(op, &err, NULL);
    else play_find(op->s->g->o.plays, &f, op_on_found, op);
}

static void op_leave_queue(struct gw_op *op)
{
    const char *ticket;
    char out[32];
    struct fr_err err;
    bool shell = strcmp(op->s->who.scope, "shell") == 0;
    enum fr_status st = shell ? fr_json_opt_text(op->json, "ticket", FR_ID_BYTES - 1, NULL, &ticket, &err)
                              : fr_json_need_text(op->json, "ticket", 1, FR_ID_BYTES - 1, &ticket, &err);     // a game may not empty another's queue
    if (st != FR_OK) {
        op_refuse(op, &err, NULL);
        return;
    }
    snprintf(out, sizeof out, "{\"left\":%d}", play_leave_queue(op->s->g->o.plays, op->s->who.player, ticket));
    OP_ANSWER(op, out);
}

static void op_on_played(void *arg, enum fr_status status, const char *result, const struct fr_err *err)
{
    if (status == FR_OK) OP_ANSWER((struct gw_op *)arg, result ? result : "{}");
    else op_refuse(arg, err, NULL);
}

// The match that is meant, if this token may touch it.
static enum fr_status op_match(struct gw_op *op, const char **match, struct fr_err *err)
{
    struct gw_socket *s = op->s;
    FR_TRY(fr_json_need_text(op->json, "match", 1, FR_ID_BYTES - 1, match, err));
    if (!fr_id_valid(*match)) return FR_FAIL(err, FR_E_INVALID, "match: expected a match's id");
    if (strcmp(s->who.scope, "shell") == 0 || strcmp(s->own_match, *match) == 0) return FR_OK;
    if (!play_is_of(s->g->o.plays, s->who.player, *match, s->who.scope + 5)) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "match_unknown", "you play no match %s", *match);
    snprintf(s->own_match, sizeof s->own_match, "%s", *match);
    return FR_OK;
}

static void op_seed(struct gw_op *op)
{
    const char *match, *seed;
    struct fr_err err;
    if (op_match(op, &match, &err) != FR_OK || fr_json_need_text(op->json, "seed", 64, 64, &seed, &err) != FR_OK) op_refuse(op, &err, NULL);
    else play_seed(op->s->g->o.plays, op->s->who.player, match, seed, op_on_played, op);
}

static void op_input(struct gw_op *op)
{
    const char *match, *name;
    int64_t n;
    struct fr_err err;
    if (op_match(op, &match, &err) != FR_OK || fr_json_need_int(op->json, "n", 1, 1 << 30, &n, &err) != FR_OK ||
        fr_json_need_text(op->json, "name", 1, 64, &name, &err) != FR_OK || op_args(op, &err) != FR_OK) op_refuse(op, &err, NULL);
    else play_input(op->s->g->o.plays, op->s->who.player, match, n, name, op->args.data, op_on_played, op);
}

// Without an id only a refusal is answered: half the frames of a page that sends its cursor.
static void op_relay(struct gw_op *op)
{
    const char *match, *name;
    struct fr_err err;
    if (op_match(op, &match, &err) != FR_OK || fr_json_need_text(op->json, "name", 1, 64, &name, &err) != FR_OK ||
        play_relay(op->s->g->o.plays, op->s->who.player, match, name, fr_json_get(op->json, "data"), &err) != FR_OK) op_refuse(op, &err, NULL);
    else if (fr_json_get(op->json, "id")) OP_ANSWER(op, "{}");
    else op_free(op);
}

static void op_resume(struct gw_op *op)
{
    const char *match;
    int64_t from;
    struct fr_err err;
    if (op_match(op, &match, &err) != FR_OK || fr_json_opt_int(op->json, "from", 0, 1LL << 40, 0, &from, &err) != FR_OK) op_refuse(op, &err, NULL);
    else play_resume(op->s->g->o.plays, op->s->who.player, match, from, op_on_event, op_on_played, op);
}

// ---- watching: the socket itself is told, not the player, who may have others

static void socket_on_watched(void *who, const char *json, size_t len)
{
    struct gw_socket *s = who;
    socket_send(s, json, len);
}

static void op_on_watching(void *arg, enum fr_status status, const char *result, const struct fr_err *err)
{
    struct gw_op *op = arg;
    if (status == FR_OK) op->s->watches++;
    op_on_played(op, status, result, err);
}

static void op_watch(struct gw_op *op)
{
    const char *match, *scope = op->s->who.scope;
    struct fr_err err;
    if (fr_json_need_text(op->json, "match", 1, FR_ID_BYTES - 1, &match, &err) != FR_OK) { op_refuse(op, &err, NULL); return; }
    op->s->watches -= play_unwatch(op->s->g->o.plays, match, op->s);                // asked again: a fresh start
    if (op->s->watches >= SOCKET_WATCHES_MAX) op->s->watches = play_watches_of(op->s->g->o.plays, op->s);        // some have ended meanwhile
    if (op->s->watches >= SOCKET_WATCHES_MAX) {
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_LIMIT, "too_many_watches", "a socket may watch %d matches", SOCKET_WATCHES_MAX));     // handed on
        op_refuse(op, &err, NULL);
        return;
    }
    play_watch(op->s->g->o.plays, match, strncmp(scope, "game:", 5) == 0 ? scope + 5 : NULL, op->s, socket_on_watched, op_on_watching, op);
}

static void op_unwatch(struct gw_op *op)
{
    const char *match;
    struct fr_err err;
    char result[40];
    if (fr_json_opt_text(op->json, "match", FR_ID_BYTES - 1, "", &match, &err) != FR_OK) { op_refuse(op, &err, NULL); return; }
    int left = op->s->watches > 0 ? play_unwatch(op->s->g->o.plays, match[0] ? match : NULL, op->s) : 0;
    op->s->watches -= left;
    op_answer(op, result, (size_t)snprintf(result, sizeof result, "{\"left\":%d}", left));
}

static void op_leave(struct gw_op *op)
{
    const char *match;
    struct fr_err err;
    if (op_match(op, &match, &err) != FR_OK) op_refuse(op, &err, NULL);
    else play_leave(op->s->g->o.plays, op->s->who.player, match, op_on_played, op);
}

static const struct { const char *name; void (*run)(struct gw_op *op); const char *keys[12]; } ops[] = {
    { "auth",              op_auth,        { "id", "op", "token" } },
    { "ping",              op_ping,        { "id", "op" } },
    { "call",              op_call,        { "id", "op", "plugin", "fn", "args", "key" } },
    { "match.find",        op_find,        { "id", "op", "game", "mode", "stake", "options", "seed_commit", "bot", "with" } },
    { "match.leave_queue", op_leave_queue, { "id", "op", "ticket" } },
    { "match.seed",        op_seed,        { "id", "op", "match", "seed" } },
    { "match.input",       op_input,       { "id", "op", "match", "n", "name", "args" } },
    { "match.relay",       op_relay,       { "id", "op", "match", "name", "data" } },
    { "match.resume",      op_resume,      { "id", "op", "match", "from" } },
    { "match.leave",       op_leave,       { "id", "op", "match" } },
    { "match.watch",       op_watch,       { "id", "op", "match" } },
    { "match.unwatch",     op_unwatch,     { "id", "op", "match" } },
};

// ---- one message

static bool socket_afford(struct gw_socket *s)
{
    int64_t now_ms = fr_mono_ms();
    s->budget += (double)(now_ms - s->budget_ms) * WS_MESSAGES_PER_SECOND_MAX / 1000.0;
    if (s->budget > WS_MESSAGES_PER_SECOND_MAX) s->budget = WS_MESSAGES_PER_SECOND_MAX;
    s->budget_ms = now_ms;
    if (s->budget < 1) return false;
    s->budget -= 1;
    return true;
}

// The client's id as JSON, to be sent back; "null" when it is none.
static void id_print(const struct fr_json *json, char out[OP_ID_BYTES_MAX + 1])
{
    const struct fr_json *id = fr_json_get(json, "id");
    FR_AUTO_BUF(text);
    fr_buf_init(&text, OP_ID_BYTES_MAX);
    if (id && (fr_json_kind(id) == JSON_STRING || fr_json_kind(id) == JSON_NUMBER)) fr_json_print(id, &text);
    snprintf(out, OP_ID_BYTES_MAX + 1, "%s", text.data && !text.failed ? text.data : "null");
}

static void op_run(struct gw_op *op)
{
    struct gw_socket *s = op->s;
    const char *name = fr_json_text(fr_json_get(op->json, "op"));
    struct fr_err err;
    for (size_t i = 0; name && i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(ops[i].name, name) != 0) continue;
        if (!s->proven && ops[i].run != op_auth) OP_FAIL(op, FR_E_AUTH, "unauthorized", "the first message must be {\"op\":\"auth\",\"token\":..}");
        else if (fr_json_only_keys(op->json, ops[i].keys, "", &err) != FR_OK) op_refuse(op, &err, NULL);
        else ops[i].run(op);
        return;
    }
    if (name) OP_FAIL(op, FR_E_NOT_FOUND, "op_unknown", "there is no operation \"%.40s\"", name);
    else OP_FAIL(op, FR_E_INVALID, "invalid", "op: expected a text");
}

static void socket_on_message(void *arg, struct net_ws *ws, const char *text, size_t len, bool binary)
{
    struct gw_socket *s = arg;
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    (void)ws;
    if (!socket_afford(s)) {
        socket_close(s, CLOSE_POLICY, "too many messages");
        return;
    }
    if (s->proven && s->who.expires_ms <= fr_now_ms()) {
        socket_close(s, CLOSE_SESSION, "session expired");
        return;
    }
    enum fr_status st = binary ? FR_FAIL(&err, FR_E_INVALID, "messages are JSON text, not binary") : fr_json_parse(text, len, &json, &err);
    if (st == FR_OK && fr_json_kind(json) != JSON_OBJECT) st = FR_FAIL(&err, FR_E_INVALID, "a message must be an object, not %s", fr_json_kind_name(fr_json_kind(json)));
    if (st == FR_OK && s->ops >= SOCKET_OPS_MAX) st = FR_FAIL_CODE(&err, FR_E_LIMIT, "too_many_requests", "%d requests of this socket are not answered yet", SOCKET_OPS_MAX);
    struct gw_op *op = st == FR_OK ? fr_alloc(sizeof *op) : NULL;
    if (!op) {
        char id[OP_ID_BYTES_MAX + 1] = "null";
        if (json) id_print(json, id);
        if (st == FR_OK) FR_IGNORE(FR_FAIL(&err, FR_E_NOMEM, "no memory for a request"));      // sent below
        error_send(s, id, &err, NULL);
        return;
    }
    id_print(json, op->id);
    gw_request_id(s->g, op->request_id);
    op->json = FR_TAKE(json);
    op->s = s;
    s->refs++;
    s->ops++;
    op_run(op);
}

static void socket_on_close(void *arg, struct net_ws *ws, int code)
{
    struct gw_socket *s = arg;
    (void)ws;
    (void)code;
    s->ws = NULL;
    if (s->watches > 0) play_unwatch(s->g->o.plays, NULL, s);
    socket_leave(s);
    socket_unref(s);
}

// ---- opening: the token in the offered subprotocols, or the first message

struct opening { struct gateway *g; struct net_request *req; bool speaks; };

static void refuse_opening(struct gateway *g, struct net_request *req, const struct fr_err *err)
{
    bool upgrade = strcmp(err->code, "upgrade_required") == 0;
    gw_refuse_raw(g, req, upgrade ? 426 : err->status == FR_E_LIMIT ? 429 : fr_status_http(err->status), err, upgrade ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : NULL);
}

static void socket_accept(struct gateway *g, struct net_request *req, bool speaks, const struct session *who)
{
    static const struct net_ws_hooks hooks = { .on_message = socket_on_message, .on_close = socket_on_close };
    struct gw_socket *s = fr_alloc(sizeof *s);
    struct gw_player *p = who ? fr_map_get_text(g->players, who->player) : NULL;
    struct fr_err err;
    enum fr_status st = s ? FR_OK : FR_FAIL(&err, FR_E_NOMEM, "no memory for a socket");
    if (st == FR_OK && p && p->count >= SOCKETS_PER_PLAYER_MAX) st = FR_FAIL_CODE(&err, FR_E_LIMIT, "too_many_sockets", "a player may have %d sockets open", SOCKETS_PER_PLAYER_MAX);
    if (st == FR_OK && net_ws_accept(req, speaks ? SUBPROTOCOL : NULL, &hooks, s, &s->ws, &err) != FR_OK)
        st = FR_FAIL_CODE(&err, FR_E_INVALID, "upgrade_required", "%s", "this address speaks WebSocket only");
    if (st != FR_OK) {
        fr_free(s);
        refuse_opening(g, req, &err);
        return;
    }
    s->g = g;
    s->refs = 1;
    s->opened_ms = s->budget_ms = fr_mono_ms();
    s->budget = WS_MESSAGES_PER_SECOND_MAX;
    gw_ref(g);
    socket_link(s, &g->unproven);
    if (who && socket_enter(s, who, &err) != FR_OK) socket_close(s, CLOSE_POLICY, err.code);
}

static void opening_on_proved(void *arg, const struct session *who, const struct fr_err *err)
{
    struct opening *o = arg;
    struct fr_err scope;
    if (who && policy_socket(who, &scope) != FR_OK) refuse_opening(o->g, o->req, &scope);
    else if (who) socket_accept(o->g, o->req, o->speaks, who);
    else refuse_opening(o->g, o->req, err);
    fr_free(o);
}

void gw_socket_open(struct gateway *g, struct net_request *req)
{
    char offered[16], bearer[SESSION_TOKEN_BYTES + 16];
    bool speaks = net_ws_offered(req, SUBPROTOCOL, offered, sizeof offered) && strcmp(offered, SUBPROTOCOL) == 0;
    struct net_text upgrade = net_header(req, "upgrade");
    struct fr_err err;
    if (upgrade.len == 0) {
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_INVALID, "upgrade_required", "this address speaks WebSocket only"));     // handed on
        refuse_opening(g, req, &err);
        return;
    }
    bool offers = memmem(net_header(req, "sec-websocket-protocol").at, net_header(req, "sec-websocket-protocol").len, "bearer.", 7) != NULL;
    if (!offers) {
        socket_accept(g, req, speaks, NULL);
        return;
    }
    struct opening *o = fr_must_alloc(sizeof *o);
    *o = (struct opening){ .g = g, .req = req, .speaks = speaks };
    gw_prove(g, net_ws_offered(req, "bearer.", bearer, sizeof bearer) ? bearer + 7 : "", opening_on_proved, o);
}
