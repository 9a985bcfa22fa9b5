// ops: a player's messages to host/gateway's socket.c. What lies around it - the line, sessions, calls, matches - is played here, with
// answers that come at once or later. Each message has exactly one answer, as JSON with its id; nothing is reached before the
// sign-in, a game's token reaches no other game, and what arrives behind is in range.
#include "base/clock.h"
#include "base/map.h"
#include "base/utf8.h"
#include "gateway/internal.h"
#include "play/play.h"
#include "plugin/use.h"
#include "fuzz.h"

#define LATER_MAX 128
#define MATCH "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"
struct later { play_done_fn *played; struct gw_call *call; gw_proved_fn *proved; struct gw_need *need; void *arg; bool ok; };

static struct gateway gateway;
static struct net_ws_hooks hooks;
static struct gw_socket *line_arg;
static bool open_line, closing, signed_in, put_off;
static const char *scope;
static int64_t mono_ms;
static int asked, told, refs;
static struct fr_buf sent_id;                          // of the message being handled, as the answer should show it
static bool id_given;
static struct later waiting[LATER_MAX];
static int waiting_count;

int64_t __wrap_fr_mono_ms(void);
int64_t __wrap_fr_mono_ms(void) { return mono_ms; }

// ---- the line

#define THE_REQUEST ((struct net_request *)&open_line)
#define THE_LINE ((struct net_ws *)&open_line)
struct net_text net_header(const struct net_request *req, const char *name)
{
    HOLDS(req == THE_REQUEST);
    return strcmp(name, "upgrade") == 0 ? (struct net_text){ "websocket", 9 } : (struct net_text){ "", 0 };
}
bool net_ws_offered(const struct net_request *req, const char *prefix, char *out, size_t cap) { (void)req; (void)prefix; (void)out; (void)cap; return false; }
void net_respond(struct net_request *req, int status, const char *type, const char *headers, const void *body, size_t len)
{
    (void)req; (void)status; (void)type; (void)headers; (void)body; (void)len;
    HOLDS(!"an opening was refused");
}

enum fr_status net_ws_accept(struct net_request *req, const char *subprotocol, const struct net_ws_hooks *h, void *arg, struct net_ws **ret, struct fr_err *err)
{
    (void)subprotocol;
    (void)err;
    HOLDS(req == THE_REQUEST);
    hooks = *h;
    line_arg = arg;
    open_line = true;
    closing = false;
    *ret = THE_LINE;
    return FR_OK;
}

void net_ws_close(struct net_ws *ws, int code, const char *reason)
{
    HOLDS(ws == THE_LINE && open_line && reason && (code == 1008 || code == 4001));
    closing = true;
}

void net_ws_send(struct net_ws *ws, const char *text, size_t len)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    HOLDS(ws == THE_LINE && open_line);
    if (fr_json_parse(text, len, &json, &err) != FR_OK) {
        fprintf(stderr, "sent: %.*s\n", (int)len, text);
        HOLDS(!"what is sent is JSON");
    }
    if (fr_json_get(json, "ev")) return;
    const struct fr_json *id = fr_json_get(json, "id"), *ok = fr_json_get(json, "ok"), *error = fr_json_get(json, "error");
    HOLDS(id && (fr_json_kind(id) == JSON_NULL || fr_json_kind(id) == JSON_STRING || fr_json_kind(id) == JSON_NUMBER));
    HOLDS(ok && fr_json_kind(ok) == JSON_BOOL && fr_json_is_true(ok) == !error && !error == (fr_json_get(json, "result") != NULL));
    if (error) HOLDS(fr_json_text(fr_json_get(error, "code")) && fr_json_text(fr_json_get(error, "detail")));
    if (sent_id.len > 0 && !put_off) {                 // its own message is being handled: the answer is to that one
        FR_AUTO_BUF(shown);
        fr_buf_init(&shown, 4096);
        fr_json_print(id, &shown);
        HOLDS(strcmp(shown.data, sent_id.data) == 0);
    }
    told++;
}

// ---- what lies behind

static void settle(struct later l)
{
    struct fr_err err;
    struct session who = { .id = 1, .player = "7", .name = "Ann", .lang = "ko", .expires_ms = fr_now_ms() + 1000 };
    snprintf(who.scope, sizeof who.scope, "%s", scope);
    FR_IGNORE(FR_FAIL_CODE(&err, FR_E_DENIED, l.ok ? "denied" : "consent_required", "no \"%s\"", "reason"));
    if (l.proved) {
        signed_in = signed_in || (l.ok && open_line);
        l.proved(l.arg, l.ok ? &who : NULL, l.ok ? NULL : &err);
    } else if (l.call) l.call->done(l.call, l.ok ? FR_OK : FR_E_DENIED, l.ok ? NULL : &err, l.ok ? "{\"a\":1}" : NULL, l.ok ? 7 : 0, l.ok ? NULL : ",\"intent\":\"x\"");
    else if (l.need) l.need->done(l.need->arg);
    else l.played(l.arg, l.ok ? FR_OK : FR_E_DENIED, l.ok ? "{\"ticket\":\"x\"}" : NULL, l.ok ? NULL : &err);
}

static void answer(struct later l, bool from_inside)
{
    if (!from_inside || put_off) {
        HOLDS(waiting_count < LATER_MAX);
        waiting[waiting_count++] = l;
    } else settle(l);
}

static void settle_one(uint8_t which)
{
    if (waiting_count == 0) return;
    int i = which % waiting_count;
    struct later l = waiting[i];
    waiting[i] = waiting[--waiting_count];
    bool inside = put_off;
    put_off = true;                                    // not the answer to the message at hand
    settle(l);
    put_off = inside;
}

static bool says_yes(const char *text) { return (uint8_t)text[0] % 2 == 0; }

static void match_holds(const char *match)
{
    HOLDS(signed_in && fr_id_valid(match));
    HOLDS(strcmp(scope, "shell") == 0 || strcmp(match, MATCH) == 0);
}

void gw_ref(struct gateway *g) { refs += g == &gateway; }
void gw_unref(struct gateway *g) { refs -= g == &gateway; }
void gw_request_id(struct gateway *g, char out[GW_REQUEST_ID_BYTES]) { (void)g; snprintf(out, GW_REQUEST_ID_BYTES, "r"); }
bool gw_scope_allows(const struct session *s, const char *plugin) { return strcmp(s->scope, "shell") == 0 || strcmp(s->scope + 5, plugin) == 0; }
const struct treasury_settings *treasury_settings_of(const struct treasury *t)       // of the gate, which asks about chains for pages alone
{
    (void)t;
    HOLDS(!"a socket asked about a chain");
    return NULL;
}

enum fr_status gw_scope_check(const struct session *s, const char *plugin, struct fr_err *err)
{
    return gw_scope_allows(s, plugin) ? FR_OK : FR_FAIL_CODE(err, FR_E_DENIED, "wrong_scope", "this token is for %s only", s->scope);
}
void gw_prove(struct gateway *g, const char *token, gw_proved_fn *done, void *arg)
{
    (void)g;
    HOLDS(token[0] && strlen(token) < SESSION_TOKEN_BYTES);
    answer((struct later){ .proved = done, .arg = arg, .ok = says_yes(token) }, true);
}
void gw_call_start(struct gw_call *c, const struct session *who, const char *request_id, const char *source, const char *key)
{
    FR_AUTO(fr_json) args = NULL;
    struct fr_err err;
    HOLDS(signed_in && strcmp(who->player, "7") == 0 && request_id[0] && strcmp(source, "socket") == 0);
    HOLDS(strlen(key) <= KEY_BYTES_MAX && c->plugin[0] && c->function[0] && c->args_len <= CALL_ARGS_BYTES_MAX);
    HOLDS(fr_utf8_valid(c->plugin, strlen(c->plugin)) && fr_utf8_valid(c->function, strlen(c->function)));
    for (const char *k = key; *k; k++) HOLDS(*k > 0x20 && *k < 0x7f);
    HOLDS(fr_json_parse(c->args, c->args_len, &args, &err) == FR_OK);
    answer((struct later){ .call = c, .ok = says_yes(c->function) }, true);
}
void gw_need_start(struct gw_need *n, const struct plugin *p, const struct manifest_mode *mode)
{
    HOLDS(p && mode && n->units >= 0);
    answer((struct later){ .need = n }, false);
}
void gw_need_print(const struct gw_need *n, struct fr_buf *out) { (void)n; fr_buf_add(out, ",\"intent\":\"i\""); }
void gw_need_free(struct gw_need *n) { fr_free(n); }
void gw_count_refusal(struct gateway *g, const struct fr_err *err) { HOLDS(g == &gateway && err->code[0]); }
bool gw_session_seen(struct gateway *g, struct session *s, int64_t now_ms) { (void)now_ms; HOLDS(g == &gateway && s->player[0]); return true; }
void gw_player_print(const struct session *s, struct fr_buf *out) { (void)s; fr_buf_add(out, "{\"id\":\"7\"}"); }
void gw_matches_of(struct gateway *g, const struct session *s, struct fr_buf *out) { (void)g; (void)s; fr_buf_add(out, "[]"); }
bool play_is_of(struct plays *ps, const char *player, const char *match, const char *game)
{
    (void)ps;
    HOLDS(strcmp(player, "7") == 0 && strcmp(game, "duel") == 0);
    return strcmp(match, MATCH) == 0;
}

static struct manifest manifest = { .id = "duel", .name = "Duel", .modes = { { .id = "classic", .asset = "PALM" } }, .mode_count = 1 };
static struct package package = { .manifest = &manifest };
static struct plugin duel = { .package = &package };
struct plugin *plugins_find(struct plugins *ps, const char *id)
{
    (void)ps;
    return strcmp(id, "duel") == 0 ? &duel : NULL;
}

enum fr_status plugin_admit_player(struct plugin *p, const char *player, struct fr_err *err)
{
    (void)err;
    HOLDS(p == &duel && strcmp(player, "7") == 0);
    return FR_OK;
}

void play_presence(struct plays *ps, const char *player, bool online) { (void)ps; (void)online; HOLDS(strcmp(player, "7") == 0); }
void play_find(struct plays *ps, const struct play_find *f, play_done_fn *done, void *arg)
{
    FR_AUTO(fr_json) options = NULL;
    struct fr_err err;
    (void)ps;
    HOLDS(signed_in && f->stake_units >= 0 && f->stake_units <= UNITS_MAX && f->game[0] && f->mode[0]);
    HOLDS(strcmp(scope, "shell") == 0 || strcmp(f->game, "duel") == 0);
    if (f->options_json) HOLDS(fr_json_parse(f->options_json, strlen(f->options_json), &options, &err) == FR_OK);
    answer((struct later){ .played = done, .arg = arg, .ok = f->bot }, true);
}
int play_leave_queue(struct plays *ps, const char *player, const char *ticket)
{
    (void)ps;
    (void)player;
    HOLDS(signed_in && (ticket || strcmp(scope, "shell") == 0));
    return 1;
}
void play_seed(struct plays *ps, const char *player, const char *match, const char *seed, play_done_fn *done, void *arg)
{
    (void)ps; (void)player;
    match_holds(match);
    HOLDS(strlen(seed) == 64);
    answer((struct later){ .played = done, .arg = arg, .ok = says_yes(seed) }, true);
}
void play_input(struct plays *ps, const char *player, const char *match, int64_t n, const char *name, const char *args, play_done_fn *done, void *arg)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    (void)ps; (void)player;
    match_holds(match);
    HOLDS(n >= 1 && n <= 1 << 30 && name[0] && strlen(name) <= 64 && fr_json_parse(args, strlen(args), &json, &err) == FR_OK);
    answer((struct later){ .played = done, .arg = arg, .ok = n % 2 }, true);
}
enum fr_status play_relay(struct plays *ps, const char *player, const char *match, const char *name, const struct fr_json *data, struct fr_err *err)
{
    (void)ps; (void)player; (void)data;
    match_holds(match);
    HOLDS(name[0] && strlen(name) <= 64);
    if (!says_yes(name)) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "relay_unknown", "no relay \"%s\"", name);
    asked -= !id_given;                                // without an id only a refusal is answered
    return FR_OK;
}
void play_leave(struct plays *ps, const char *player, const char *match, play_done_fn *done, void *arg)
{
    (void)ps; (void)player;
    match_holds(match);
    answer((struct later){ .played = done, .arg = arg, .ok = true }, true);
}
void play_resume(struct plays *ps, const char *player, const char *match, int64_t from, void (*event)(void *arg, const char *json, size_t len), play_done_fn *done, void *arg)
{
    (void)ps; (void)player;
    match_holds(match);
    HOLDS(from >= 0);
    event(arg, "{\"ev\":\"match.start\"}", 20);
    answer((struct later){ .played = done, .arg = arg, .ok = true }, true);
}

// Watching, as in play: at once, and the socket is told from inside. OTHER is of another game; names that begin with x are of no match. Any
// other name is taken, so that the gateway's bound is met. Nobody who has gone may still stand here.
#define OTHER "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c"
static char watched[SOCKET_WATCHES_MAX + 1][FR_ID_BYTES];
static int watched_count;
int play_unwatch(struct plays *ps, const char *match, const void *who)
{
    int before = watched_count;
    (void)ps;
    HOLDS(who == line_arg);
    for (int i = watched_count - 1; i >= 0; i--)
        if (!match || strcmp(watched[i], match) == 0) memmove(watched[i], watched[--watched_count], FR_ID_BYTES);
    return before - watched_count;
}
int play_watches_of(struct plays *ps, const void *who)
{
    (void)ps;
    HOLDS(who == line_arg);
    return watched_count;
}
void play_watch(struct plays *ps, const char *match, const char *game, void *who, play_watch_fn *event, play_done_fn *done, void *arg)
{
    struct fr_err err;
    (void)ps;
    HOLDS(signed_in && who == line_arg && strlen(match) < FR_ID_BYTES && !game == (strcmp(scope, "shell") == 0));
    HOLDS(watched_count < SOCKET_WATCHES_MAX);
    for (int i = 0; i < watched_count; i++) HOLDS(strcmp(watched[i], match) != 0);      // asked again: a fresh start
    if (match[0] == 'x' || (game && strcmp(match, OTHER) == 0)) {
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "match_unknown", "there is no match \"%s\"", match));
        done(arg, FR_E_NOT_FOUND, NULL, &err);
        return;
    }
    snprintf(watched[watched_count++], FR_ID_BYTES, "%s", match);
    event(who, "{\"ev\":\"watch.start\"}", 20);
    done(arg, FR_OK, "{\"seq\":0}", NULL);
}

// ---- one socket

// The id that the answer must carry.
static void expect_id(const char *text, size_t len)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    fr_buf_clear(&sent_id);
    const struct fr_json *id = fr_json_parse(text, len, &json, &err) == FR_OK ? fr_json_get(json, "id") : NULL;
    id_given = id != NULL;
    bool shown = id && (fr_json_kind(id) == JSON_STRING || fr_json_kind(id) == JSON_NUMBER);
    if (shown) fr_json_print(id, &sent_id);
    if (!shown || sent_id.len > 200) {
        fr_buf_clear(&sent_id);
        fr_buf_add(&sent_id, "null");
    }
}

static void message(const char *text, size_t len, bool binary)
{
    if (!open_line || closing) return;                 // as net_ws does
    expect_id(binary ? "" : text, binary ? 0 : len);
    asked++;
    hooks.on_message(line_arg, THE_LINE, text, len, binary);
    fr_buf_clear(&sent_id);
}

static void line_ends(void)
{
    if (!open_line) return;
    open_line = false;
    hooks.on_close(line_arg, THE_LINE, 1006);
    HOLDS(watched_count == 0);
}

// Messages split at NULs. One that begins with a control byte below 8 is not sent: 1 settles an answer, 2 ends the line, 3 lets
// time pass, 4 answers later from here on, 5 at once again, 6 is binary, 7 the host's tick.
static void play_part(const char *part, size_t len)
{
    switch (len ? part[0] : 0) {
    case 1: settle_one((uint8_t)part[len - 1]); break;
    case 2: line_ends(); break;
    case 3: mono_ms += 200 * (uint8_t)part[len - 1]; break;
    case 4: put_off = true; break;
    case 5: put_off = false; break;
    case 6: message(part, len, true); break;
    case 7: gw_sockets_tick(&gateway); break;
    default: message(part, len, false);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // scope (1 byte), then messages
{
    struct fuzz_in in = { data, size };
    if (!gateway.players) {
        gateway.players = fr_map_new(16);
        fr_buf_init(&sent_id, 1 << 21);
        fr_clock_set_for_test(1700000000000);
    }
    scope = fuzz_byte(&in) & 1 ? "game:duel" : "shell";
    asked = told = waiting_count = watched_count = 0;
    mono_ms = 1000;
    signed_in = put_off = false;
    gw_socket_open(&gateway, THE_REQUEST);
    HOLDS(open_line && refs == 1);
    for (int parts = 0; in.left > 0 && parts < 60; parts++) {
        size_t len;
        char *part = fuzz_part(&in, &len);
        play_part(part, len);
        free(part);
    }
    bool whole = open_line && !closing;
    put_off = true;
    while (waiting_count > 0) settle_one(0);
    if (whole && !closing) HOLDS(asked == told);       // exactly one each
    HOLDS(told <= asked);
    line_ends();
    HOLDS(refs == 0 && fr_map_size(gateway.players) == 0 && !gateway.unproven);
    return 0;
}
