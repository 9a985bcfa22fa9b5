// play.h — matches: queue, stakes, turns, the log, resumption, results. Loop thread only.
//
// A match is a function of its log. A turn runs in the worker first and its record is written while the next turn may already
// run, but nothing derived from it (answer, patch, event, reveal) leaves before the record is durable, in order. Stakes are holds
// owned by the match; the last record, the settlement and the match's end are one store job. A turn that trips its deadline, its
// memory or kills the worker is logged as void and the match is rebuilt without it. A killed worker or host resumes every match.
// Who may call is the gateway's business: `player` here is already proven.
#pragma once
#include "player/identity.h"
#include "plugin/runtime.h"
#include "store/store.h"

struct plays;
struct play_effects {                     // filled in by frond.c
    void *arg;
    // An event object (see the gateway's protocol) for all of the player's sockets. Called after the record is durable.
    void (*event)(void *arg, const char *player, const char *game, const char *json, size_t len);
    // This player's balance of this asset changed.
    void (*wallet)(void *arg, const char *player, const char *asset);
    // m:ask: run api call `fn` for this version of a plugin without a player, then call done exactly once (never from inside).
    void (*ask)(void *arg, struct plugin_version *version, const char *fn, const char *args_json, int timeout_ms,
                void (*done)(void *done_arg, bool ok, const char *json_or_code), void *done_arg);
};
struct plays_options { uv_loop_t *loop; struct store *store; struct plugins *plugins; struct play_effects effects; int64_t wait_ms, log_keep_ms, abandoned_ms; };     // wait_ms 0: MATCH_WAIT_MS; log_keep_ms 0: MATCH_LOG_KEEP_MS; abandoned_ms 0: MATCH_ABANDONED_MS; tests shorten them

void play_register(void);                                                    // migrations; before store_open
// Reads unfinished matches (blocking: start-up) and resumes each when its plugin comes up.
FR_MUST_USE enum fr_status plays_open(const struct plays_options *o, struct plays **ret, struct fr_err *err);
void plays_close(struct plays *ps);                                          // stops timers; nothing is settled or lost
void plays_worker_up(struct plays *ps, struct plugin_worker *w);              // from plugins_options.on_up
void plays_worker_down(struct plays *ps, struct plugin_worker *w);            // from on_down
void plays_plugin_disabled(struct plays *ps, struct plugin *p);              // voids its matches, gives stakes back

// Results arrive through `done`, exactly once; a refusal may come from inside the call: result_json (an object) when status is FR_OK.
typedef void play_done_fn(void *arg, enum fr_status status, const char *result_json, const struct fr_err *err);

struct play_find {
    const char *player, *name, *game, *mode;
    int64_t stake_units;
    const char *options_json;             // NULL: none
    const char *seed_commit;              // 64 hex or NULL
    const char *with;                     // rematch: the earlier match's id, or NULL
    bool bot;
};
// Refusals: game_unknown, mode_unknown, stake_not_offered, bot_needs_no_stake, bad_arguments, consent_required, funds, too_many_matches,
// too_many_tickets, already_matched, plugin_starting/_failed/_disabled, not_your_match.
void play_find(struct plays *ps, const struct play_find *ask, play_done_fn *done, void *arg);
int play_leave_queue(struct plays *ps, const char *player, const char *ticket);           // ticket NULL: all. Returns how many left
void play_seed(struct plays *ps, const char *player, const char *match, const char *seed_hex, play_done_fn *done, void *arg);
void play_input(struct plays *ps, const char *player, const char *match, int64_t n, const char *name, const char *args_json, play_done_fn *done, void *arg);
// `match.relay` to the other seats: not a move, nothing of it is kept. Refusals: match_unknown, match_not_started, match_ended, left,
// relay_unknown, bad_arguments, too_large.
FR_MUST_USE enum fr_status play_relay(struct plays *ps, const char *player, const char *match, const char *name, const struct fr_json *data, struct fr_err *err);
void play_leave(struct plays *ps, const char *player, const char *match, play_done_fn *done, void *arg);
// Missed events (or a fresh match.start) go through `event` to the one socket that asked, before done.
void play_resume(struct plays *ps, const char *player, const char *match, int64_t from,
                 void (*event)(void *arg, const char *json, size_t len), play_done_fn *done, void *arg);
// Watching, where the mode has "spectators": what seat 0 may see, late by the mode's delay. `game`: only if it is of that game, or NULL. `event` may come
// from inside; `who` stands for one socket and must unwatch (match NULL: all) before it goes. Codes: match_unknown, no_spectators, match_ended, too_many_spectators.
typedef void play_watch_fn(void *who, const char *json, size_t len);
void play_watch(struct plays *ps, const char *match, const char *game, void *who, play_watch_fn *event, play_done_fn *done, void *arg);
int play_unwatch(struct plays *ps, const char *match, const void *who);
int play_watches_of(struct plays *ps, const void *who);
void play_presence(struct plays *ps, const char *player, bool online);                    // first socket came, last one left
void play_matches_of(struct plays *ps, const char *player, struct fr_buf *out);           // JSON array [{id,game,mode,seat}] of running ones
bool play_is_of(struct plays *ps, const char *player, const char *match, const char *game);   // this player's match of this game, running or ended a moment ago
void play_running(struct plays *ps, struct fr_buf *out);                                  // JSON array [{id,game,state,hash,records}] for the dev page, at most 50
int play_count(const struct plays *ps);

// ---- from the store (jobs)
// GET /v1/matches/{id}, `frond match show`: JSON object; player NULL: the operator sees everything. FR_E_NOT_FOUND "match_unknown".
FR_MUST_USE enum fr_status play_show(struct store_txn *txn, const char *match, const char *player, struct fr_buf *out, struct fr_err *err);
FR_MUST_USE enum fr_status play_list(struct store_txn *txn, const char *state, const char *before, int limit, struct fr_buf *out, struct fr_err *err);  // JSON array
// GET /v1/matches: {matches:[..], cursor} of one player, newest first, those before match `before` ("": from the newest).
FR_MUST_USE enum fr_status play_list_of(struct store_txn *txn, const char *player, const char *before, int limit, struct fr_buf *out, struct fr_err *err);
// Everything a replay needs: {match, engine, setup, fairness, hash, records:[..], package:{..}}.
FR_MUST_USE enum fr_status play_export(struct store_txn *txn, const char *match, struct fr_buf *out, struct fr_err *err);
// Did this player have a seat in it? A match that is unknown had none.
FR_MUST_USE enum fr_status play_seated(struct store_txn *txn, const char *match, const char *player, bool *yes, struct fr_err *err);
bool play_owner_alive(struct store_txn *txn, const char *owner);              // for ledger_audit_run: is "match:<id>" still running?
