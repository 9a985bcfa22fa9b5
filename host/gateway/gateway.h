// gateway.h — HTTP routes, sockets and pages: PROTOCOL.md in C. Loop thread only.
//
// Everything from outside is hostile here: bodies are parsed strictly, players are proven by their session, errors leave as
// problem documents with stable codes, texts of internal errors stay in the log. One file per group of routes.
#pragma once
#include <uv.h>
#include "llm/llm.h"
#include "llm/settings.h"
#include "net/server.h"
#include "play/play.h"
#include "player/apikey.h"
#include "player/bots.h"
#include "player/session.h"
#include "plugin/runtime.h"
#include "store/store.h"
#include "treasury/treasury.h"

struct gateway;
// How often somebody may ask over HTTP. 0: the bounds of limits.h, and none where they would only stop a developer (under --dev; for addresses
// also on loopback without trusted proxies). -1: no limit. `proxies`: whose X-Forwarded-For is believed.
struct gateway_rates { int player_per_second, player_burst, address_per_second, address_burst, connections_per_address; struct net_proxies proxies; };
struct gateway_options {
    uv_loop_t *loop; struct store *store; struct plugins *plugins; struct plays *plays;
    const char *host; int port;                    // numeric; port 0 picks one
    int connections_max;                           // 0: HTTP_CONNECTIONS_MAX
    struct gateway_rates rates;
    const char *version;                           // for /healthz
    const struct bots *bots;                       // at least one; they stay where they are
    int64_t initdata_max_age_s;
    struct llm *llm;                               // NULL: no models
    void (*print_engine)(void *arg, struct fr_buf *out);       // how far the host's own model is, as JSON: {"state":"building","done":120,"of":206,"detail":".."}; states: off, waiting, fetching, building, starting, up, failed. NULL: there is none
    struct api_key_rules api_keys;                 // who may have a key for them ...
    struct llm_limit api_key_limits;               // ... and the most that any key may: its own limits are within these
    struct treasury *treasury;                     // NULL: no chain; burns are shown as pending, and nothing comes in or leaves
    bool dev;                                      // mints launch data, serves /app/dev/, checks Host headers; loopback only
    const char *hostile_folder;                    // dev: the package that `Run hostile plugin` runs, or NULL
    bool wallet_open;                              // telegram.policy: false is strict, see policy.c
    const char *public_url;                        // "https://play.example.org", where players reach this host; NULL or "": not told
    void *arg;
    void (*kill_host)(void *arg);                  // dev: the page's button
    const char *operator_token;                    // copied (its hash); what `Authorization: Bearer` must be for /metrics
    void (*metrics)(void *arg, void (*done)(void *done_arg, const char *text, size_t len), void *done_arg);      // done once; text NULL: too much to say
    // dev: test coins; runs inside the job that made the player, which fails with it. NULL: none.
    enum fr_status (*on_new_player)(void *arg, struct store_txn *txn, const char *player, int64_t now_ms, struct fr_err *err);
};
// What the doors know of themselves. Refusals by code; those that plugins invent are bounded apart, so that they cannot crowd out the host's.
#define GATEWAY_REFUSALS_MAX 96
struct gateway_refusal { char code[FR_ERR_CODE_BYTES]; int64_t count; };
struct gateway_stats { struct net_server_stats net; int players, sessions; const struct gateway_refusal *refusals; int refusal_count; };
struct gateway_stats gateway_stats(const struct gateway *g);
void gateway_register(void);                       // migrations; before store_open
FR_MUST_USE enum fr_status gateway_start(const struct gateway_options *o, struct gateway **ret, struct fr_err *err);    // FR_E_IO "port_in_use"
int gateway_port(const struct gateway *g);
// Answers what is in flight for at most grace_ms, closes sockets, then calls done once. Frees g when the last operation let go of it.
void gateway_stop(struct gateway *g, int grace_ms, void (*done)(void *arg), void *arg);
// Idempotency keys past IDEMPOTENCY_MS. Inside a store job; at most `limit` rows.
FR_MUST_USE enum fr_status gateway_sweep(struct store_txn *txn, int64_t now_ms, int limit, struct fr_err *err);
// How many answers are kept, and how many past their time. For the doctor.
FR_MUST_USE enum fr_status gateway_keys(struct store_txn *txn, int64_t now_ms, int64_t *rows, int64_t *overdue, struct fr_err *err);
// For play_effects and api_options:
void gateway_event(void *gateway, const char *player, const char *game, const char *json, size_t len);
void gateway_wallet(void *gateway, const char *player, const char *asset);
// For the console: sessions that the operator ended.
void gateway_sessions_ended(void *gateway, const char *player, const struct session_ended *ended);
