// internal.h — what the files of gateway/ share. Loop thread only, but for the functions named `..._job`.
//
// One HTTP request is a struct gw_req: made by gateway.c when its route is known and its player proven, ended by exactly one of
// gw_answer and gw_refuse. One socket is a struct gw_socket, one message of it a struct gw_op (socket.c). Both may outlive their
// connection: what they asked for still answers, into nothing. The gateway itself lives until the last of them is gone.
#pragma once
#include "base/buf.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/json.h"
#include "base/limits.h"
#include "gateway/gateway.h"
#include "ledger/ledger.h"
#include "net/files.h"
#include "net/rate.h"
#include "net/server.h"
#include "net/ws.h"
#include "player/apikey.h"
#include "player/wallet.h"

#define GW_REQUEST_ID_BYTES 32
#define GW_ANSWER_BYTES_MAX (512 * 1024)
#define GW_PARTS_MAX 2
#define HOSTILE_ID "dev-hostile"           // the package of `Run hostile plugin`: nobody plays it
#define GW_PART_BYTES 80

struct gw_player {                         // a player with sockets, or whose wallet changed
    char id[PLAYER_ID_BYTES];
    struct gw_socket *sockets; int count;
};

struct gateway {
    struct gateway_options o;
    char host[64];
    struct net_server *server;
    int refs;                              // the running server, and operations in flight
    bool stopping;
    void (*stopped)(void *arg); void *stopped_arg;
    struct session_cache *sessions; uint64_t revocations;      // grows with each: a session read before it is not cached after it
    struct { int64_t id, at_ms; } seen[SESSIONS_SEEN_MAX]; int seen_count;      // sessions used since the last tick
    struct gw_recent *recent;              // of sessions just proven, so that a busy client's token is not hashed each time
    struct fr_map *players;                // struct gw_player by id
    struct gw_socket *unproven;
    struct fr_map *keys;                   // idempotency keys whose first request is still running
    struct fr_map *wallets;                // struct gw_wallet by player and asset: events not yet sent
    struct gw_keys *keys_known;            // API keys: keys.c
    struct gw_model *models; int models_kept;          // calls to models that are under way, and streams kept for who comes back
    struct net_files *pages;
    struct net_rate *player_rate, *address_rate;       // NULL: no limit
    struct gateway_refusal refusals[GATEWAY_REFUSALS_MAX]; int refusal_count, plugins_refusals;
    uint8_t operator_sha[SHA256_BYTES];    // of the operator's token
    uv_timer_t tick, wallet_timer, stream_timer;
    struct gw_stream *streams;             // those with text that waits for the timer
    int64_t started_ms;
    uint64_t next_request; char boot[9];
    struct { char body[160]; size_t len; uint64_t made_ms; } health;
};
void gw_ref(struct gateway *g);
void gw_unref(struct gateway *g);
void gw_request_id(struct gateway *g, char out[GW_REQUEST_ID_BYTES]);
static inline void gw_copy(char *out, size_t cap, const char *text)     // cut to fit; snprintf costs ten times as much
{
    size_t len = __builtin_strlen(text);
    if (len >= cap) len = cap - 1;
    __builtin_memcpy(out, text, len);
    out[len] = 0;
}

// ---- HTTP
struct gw_req;
typedef void gw_handler(struct gw_req *r);
// Whose sessions reach a route. GW_BEARER: the shell's and games'; GW_EVERY: also scope "wallet"; GW_OWNER: the shell's and "wallet". GW_WALLET: what has to do with chains
// (wallets, deposits, withdrawals): "wallet", and the shell's where telegram.policy allows it.
enum gw_who { GW_ANYBODY, GW_BEARER, GW_EVERY, GW_SHELL, GW_OWNER, GW_WALLET, GW_KEY, GW_PALM };
struct gw_route {
    const char *method, *path;             // "{}" stands for one segment
    enum gw_who who;
    bool dev;                              // only with --dev, and never for another site's page
    gw_handler *handler;
};
// GW_KEY and GW_PALM: an API key, or (GW_KEY) the shell's session. Their errors are told in OpenAI's language, and in Google's.
enum gw_wire { WIRE_FROND, WIRE_OPENAI, WIRE_PALM };
static inline enum gw_wire gw_wire_of(const struct gw_route *route) { return route->who == GW_KEY ? WIRE_OPENAI : route->who == GW_PALM ? WIRE_PALM : WIRE_FROND; }
struct gw_req {
    struct gateway *g; struct net_request *http; const struct gw_route *route;
    char id[GW_REQUEST_ID_BYTES];
    struct session who;                    // unless the route is for anybody; with an API key only who.player
    struct api_key *key;                   // of GW_KEY; NULL: it is a session
    char part[GW_PARTS_MAX][GW_PART_BYTES];
    int64_t now_ms;
    struct fr_json *body;                  // once gw_body was called
    struct fr_buf out;                     // the answer, filled by a job
    int http_status;                       // of a job that went well; 200 unless set
    void (*after)(struct gw_req *r);       // on the loop, when a job went well, before the answer leaves
    void *own; void (*own_free)(void *own);
};
// Parses the body as an object, once, refusing other keys. `keys` NULL-terminated.
FR_MUST_USE enum fr_status gw_body(struct gw_req *r, const char *const *keys, struct fr_err *err);
void gw_read(struct gw_req *r, store_job_fn *job);       // the job gets r and fills r->out; then 200 with it
void gw_write(struct gw_req *r, store_job_fn *job);
void gw_answer(struct gw_req *r, int http_status, const char *json, size_t len);       // frees r
void gw_refuse(struct gw_req *r, const struct fr_err *err, const char *more);          // a problem document; `more`: further members, ",\"a\":1", or NULL
void gw_let_go(struct gw_req *r);                        // frees r, whose request is answered otherwise (a stream)
// The text after "Bearer " (or another scheme) in Authorization; false when it is not there or too long.
bool gw_authorization(const struct net_request *req, const char *scheme, char *out, size_t cap);
// Proves a token: from memory, or from the store. done(arg, ..) comes at once or later; `s` is valid during it.
typedef void gw_proved_fn(void *arg, const struct session *s, const struct fr_err *err);
void gw_prove(struct gateway *g, const char *token, gw_proved_fn *done, void *arg);
// Sessions that ended: forgotten here, their sockets told why and closed.
enum gw_end { GW_ENDED_SIGN_OUT, GW_ENDED_REPLACED, GW_ENDED_BY_PLAYER, GW_ENDED_BY_OPERATOR };
void gw_sessions_ended(struct gateway *g, const char *player, const struct session_ended *ended, enum gw_end why);
// A game's token may touch its own plugin only. NULL session scope "shell" passes.
bool gw_scope_allows(const struct session *s, const char *plugin);
enum fr_status gw_scope_check(const struct session *s, const char *plugin, struct fr_err *err);

// ---- policy.c: the gate
FR_MUST_USE enum fr_status policy_allows(const struct gateway *g, const struct session *s, enum gw_who who, struct fr_err *err);       // "wrong_scope", "policy_telegram"
FR_MUST_USE enum fr_status policy_socket(const struct session *s, struct fr_err *err);
uint64_t gw_chain_id(const struct gateway *g);              // 0: no chain, or it is not up
bool policy_shell_has_wallet(const struct gateway *g);     // whether /app/ may show anything of it

// ---- limit.c: how often
void gw_limits_open(struct gateway *g);
void gw_limits_close(struct gateway *g);
FR_MUST_USE enum fr_status gw_limit_player(struct gateway *g, const char *player, struct fr_err *err);                 // FR_E_LIMIT "rate_limited"
FR_MUST_USE enum fr_status gw_limit_address(struct gateway *g, const struct net_request *req, struct fr_err *err);

// ---- problem.c
// What outsiders may read of an error: the failures of the host itself become a general sentence.
const char *gw_public_text(const struct gateway *g, const struct fr_err *err);
void gw_problem_print(const struct gateway *g, int http_status, const struct fr_err *err, const char *request_id, const char *more, struct fr_buf *out);
void gw_error_print(const struct gateway *g, const struct fr_err *err, const char *more, struct fr_buf *out);     // {"code":..,"detail":..} for sockets
void gw_problem_send(struct gw_req *r, const struct fr_err *err, const char *more);       // only gw_refuse calls it
void gw_refuse_raw(struct gateway *g, struct net_request *req, int http_status, const struct fr_err *err, const char *headers);   // before a gw_req exists
void gw_on_refusal(void *arg, int http_status, const char *code, const char *text, struct fr_buf *body, const char **content_type);
#define GW_FAIL_RAW(g, req, http, status, code, ...) do { struct fr_err raw_; FR_IGNORE(FR_FAIL_CODE(&raw_, status, code, __VA_ARGS__)); \
    gw_refuse_raw((g), (req), (http), &raw_, NULL); } while (0)
// Refuses r with a fresh error; the status says which HTTP status.
#define GW_FAIL(r, status, code, ...) do { struct fr_err fail_; FR_IGNORE(FR_FAIL_CODE(&fail_, status, code, __VA_ARGS__)); gw_refuse((r), &fail_, NULL); } while (0)

// In the language of the route; before a gw_req exists.
void gw_refuse_wire(struct gateway *g, struct net_request *req, enum gw_wire wire, int http_status, const struct fr_err *err);

// ---- keys.c: API keys, and who tries too many
void gw_keys_open(struct gateway *g);
void gw_keys_close(struct gateway *g);
void gw_keys_tick(struct gateway *g);
void gw_key_start(struct gw_req *r);                     // proves r's key, or session, and calls its route's handler, or refuses

// ---- models.c, models_kept.c: the wires
struct gw_model;
size_t gw_body_most(void *arg, struct net_text method, struct net_text target);
void gw_models_stop(struct gateway *g);
void gw_models_tick(struct gateway *g);

// ---- metrics.c
void gw_metrics_open(struct gateway *g);
void gw_metrics(struct gateway *g, struct net_request *req);
void gw_count_refusal(struct gateway *g, const struct fr_err *err);

// ---- burns.c
void gw_burns(struct gw_req *r), gw_burn(struct gw_req *r), gw_supply(struct gw_req *r);

// ---- health.c, pages.c: answered without a gw_req
void gw_healthz(struct gateway *g, struct net_request *req);
void gw_readyz(struct gateway *g, struct net_request *req);
void gw_pages_open(struct gateway *g);
void gw_page(struct gateway *g, struct net_request *req, const char *path);      // every GET or HEAD that is no route

// ---- idempotency.c
struct gw_key {                            // one use of an Idempotency-Key
    char player[PLAYER_ID_BYTES], route[120], key[KEY_BYTES_MAX + 1], body_sha[SHA256_HEX_BYTES];
    bool claimed;
    bool found;                            // this request was made before:
    int64_t status;                        //   enum fr_status of its answer
    char *answer;                          //   JSON, the caller's to free
};
// Reads the header. `key` is "" when there is none.
FR_MUST_USE enum fr_status gw_key_header(const struct net_request *req, char key[KEY_BYTES_MAX + 1], struct fr_err *err);
void gw_key_set(struct gw_key *k, const char *player, const char *route, const char *key, const void *body, size_t len);
FR_MUST_USE enum fr_status gw_key_claim(struct gateway *g, struct gw_key *k, struct fr_err *err);       // FR_E_CONFLICT "in_progress"
void gw_key_release(struct gateway *g, struct gw_key *k);                                            
FR_MUST_USE enum fr_status gw_key_find(struct store_txn *txn, struct gw_key *k, int64_t now_ms, struct fr_err *err);   // "key_reused", "answer_not_kept", "outcome_unknown"
// The same, and a key that is new is noted as begun: on disk before its request runs.
FR_MUST_USE enum fr_status gw_key_begin(struct store_txn *txn, struct gw_key *k, int64_t now_ms, struct fr_err *err);
FR_MUST_USE enum fr_status gw_key_forget(struct store_txn *txn, const struct gw_key *k, struct fr_err *err);     // begun, and did nothing: it may be tried again
FR_MUST_USE enum fr_status gw_key_keep(struct store_txn *txn, const struct gw_key *k, enum fr_status status, const char *answer, size_t len, int64_t now_ms, struct fr_err *err);

// ---- need.c: what an approval sheet must say
struct gw_need {
    struct gateway *g;
    char player[PLAYER_ID_BYTES], plugin[PLUGIN_ID_BYTES_MAX + 1], asset[ASSET_ID_BYTES], reason[201], terms[SHA256_HEX_BYTES], intent[40];
    int64_t units, expires_ms;
    struct fr_err err;                     // the refusal that goes with it
    struct fr_buf terms_json;
    void (*done)(void *arg); void *arg;
};
// mode NULL: the plugin's splits. Makes the intent unless `intent` names one, then calls done, never from inside.
void gw_need_start(struct gw_need *n, const struct plugin *p, const struct manifest_mode *mode);
void gw_need_print(const struct gw_need *n, struct fr_buf *out);       // ,"intent":..,"plugin":.. : the `more` of an error
void gw_need_free(struct gw_need *n);                                  // takes NULL
void gw_terms_print(const struct manifest *m, const struct manifest_mode *mode, struct fr_buf *out);

// ---- stream.c: what a call says before its answer, as events of a socket
struct gw_stream {
    struct gateway *g; const char *id;     // the request's id, as JSON
    void (*send)(void *arg, const char *json, size_t len); void *arg;
    struct gw_stream *next, **link;        // among g->streams, or link is NULL
    struct fr_buf text;                    // not sent yet
    int64_t sent_ms; bool began;
};
// The first piece leaves at once, what follows within STREAM_EVERY_MS goes out together.
void gw_stream_add(struct gw_stream *s, const char *text, size_t len);
// All of it was said: what waits is sent, then stream.end. Nothing when nothing was streamed. err: how the call failed, or NULL. Forgets s.
void gw_stream_end(struct gw_stream *s, const struct fr_err *err, bool cut);
void gw_stream_on_timer(uv_timer_t *timer);

// ---- calls.c: one call of a plugin's function, from HTTP or from a socket
struct gw_call_keyed { struct gw_key key; bool begun; enum fr_status status; struct fr_err err; char *answer; };
struct gw_call {                           // small, because most calls need nothing else
    struct gateway *g;
    struct plugin_caller caller;
    char plugin[PLUGIN_ID_BYTES_MAX + 1], function[65];
    const char *args; size_t args_len;     // valid until done
    struct gw_call_keyed *keyed;           // with an idempotency key
    struct gw_need *need;                  // when an approval is missing
    void *arg;
    void (*stream)(struct gw_call *c, const char *text, size_t len);        // before done; NULL: what it streams is dropped
    bool stream_cut;                       // it streamed more than STREAM_CALL_BYTES_MAX
    // json is the value when status is FR_OK; `more` further members of the error or NULL. Exactly once, perhaps from inside.
    void (*done)(struct gw_call *c, enum fr_status status, const struct fr_err *err, const char *json, size_t len, const char *more);
};
void gw_call_start(struct gw_call *c, const struct session *who, const char *request_id, const char *source, const char *key);

// ---- matches
void gw_matches_of(struct gateway *g, const struct session *s, struct fr_buf *out);    // a JSON array; a game's token sees its own
void gw_player_print(const struct session *s, struct fr_buf *out);                     // {"id":..,"name":..,"lang":..}

// ---- socket.c
void gw_sockets_close(struct gateway *g, const char *player, const struct session_ended *ended, enum gw_end why);
bool gw_session_online(struct gateway *g, const char *player, int64_t session);        // has a socket open
void gw_sockets_tick(struct gateway *g);
void gw_sockets_send(struct gateway *g, const char *player, const char *game, const char *json, size_t len);     // game NULL: shells only
bool gw_player_listens(struct gateway *g, const char *player);

// ---- sessions.c
// Notes that a session was used; writes follow with the next tick. True when s->seen_ms moved.
bool gw_session_seen(struct gateway *g, struct session *s, int64_t now_ms);
void gw_sessions_tick(struct gateway *g);

// ---- wallets.c
// Where /wallet/ is for this request: from public_url, or, under --dev, from the Host header, which was looked at. FR_E_BUSY "wallet_url_missing".
FR_MUST_USE enum fr_status gw_wallet_base(const struct gw_req *r, char out[WALLET_PAGE_BYTES], struct fr_err *err);

// ---- wallet.c
void gw_wallet_changed(struct gateway *g, const char *player, const char *asset);
void gw_wallet_on_timer(uv_timer_t *timer);

// ---- handlers, by file
gw_handler gw_session_open, gw_session_game, gw_me;
gw_handler gw_sign_out, gw_sessions, gw_session_end, gw_sessions_end_others;
gw_handler gw_games;
gw_handler gw_llm;
gw_handler gw_wallet, gw_journal, gw_deposit;
gw_handler gw_wallet_info, gw_wallet_begin, gw_wallet_session, gw_wallet_message, gw_wallet_links, gw_wallet_link, gw_wallet_unlink;
gw_handler gw_withdrawals, gw_withdrawal_ask, gw_withdrawal_show, gw_withdrawal_cancel;
gw_handler gw_consents, gw_consent_give, gw_consent_revoke;
gw_handler gw_call_http;
gw_handler gw_keys_list, gw_keys_new, gw_keys_revoke;
gw_handler gw_chat, gw_completion, gw_embedding, gw_models, gw_model, gw_model_of_owner, gw_stream_resume, gw_stream_stop;
gw_handler gw_palm, gw_palm_models, gw_palm_model;
gw_handler gw_match_show, gw_match_list;
gw_handler gw_dev_launch, gw_dev_status, gw_dev_kill, gw_dev_hostile;
gw_handler gw_chain, gw_dev_chain;
void gw_socket_open(struct gateway *g, struct net_request *req);
