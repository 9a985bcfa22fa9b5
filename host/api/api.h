// api.h — THE trust boundary: every call from Lua comes through here, is looked up in table.h, checked against the plugin's
// grants, its arguments and its rate, and only then done. Loop thread; the work itself in store jobs.
//
// One file per family. A handler never sees an argument of the wrong type or outside its range: the worker's own checks are for
// good error messages, these are for hostile workers.
#pragma once
#include "llm/llm.h"
#include "plugin/runtime.h"
#include "store/store.h"

struct api;
struct api_options {
    uv_loop_t *loop; struct store *store; struct plugins *plugins;
    struct llm *llm;                                                          // NULL: no models
    void *arg;
    void (*wallet)(void *arg, const char *player, const char *asset);        // a balance changed
};
struct api *api_new(const struct api_options *o);
void api_free(struct api *a);
void api_on_ask(void *api, struct plugin_worker *w, const struct sandbox_ask *ask);  // for plugins_options.on_ask
// m:ask from a match: no player, only calls marked API_ASKABLE.
void api_ask(struct api *a, struct plugin_version *v, const char *fn, const char *args_json, int timeout_ms,
             void (*done)(void *done_arg, bool ok, const char *json_or_code), void *done_arg);
// Ends the holds whose time is over, at most API_SWEPT_MAX at once, and gives what they took back to the approval it came from, as a
// release does. Inside a store job; *ret says whose they were, for whoever tells the players after the commit.
#define API_SWEPT_MAX 200
struct api_touched { char player[24], asset[ASSET_ID_BYTES]; };      // player "": a plugin's or the house's
struct api_swept { int count; struct api_touched of[API_SWEPT_MAX]; };
FR_MUST_USE enum fr_status api_holds_sweep(struct store_txn *txn, int64_t now_ms, struct api_swept *ret, struct fr_err *err);
