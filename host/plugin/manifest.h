// manifest.h — plugin.json, checked with messages its author can act on. Pure.
//
// {
//   "id": "duel", "name": "Card Duel", "version": "1.0.0", "api": "2026-11-01", "kind": "game" | "bot" | "tool" | "fund" | "studio",
//   "description": "..", "author": "..",
//   "limits": {"heap_mib": 32, "store_mib": 16, "workers": 1, "cpu_percent": 10},     // cpu_percent: less than the host would give
//   "grants": {"store": {"why": ".."}, "ledger": {"why": "..", "assets": ["PALM"]}, "call": {"why": "..", "plugins": ["hello"]}, "burn": {"why": ".."},
//              "llm": {"why": "..", "models": ["smollm2-135m-instruct"], "tokens_day": 200000}},       // models: only these, the first by default; without: any. tokens_day: less than the operator would give
//   "calls": {"greet": {"args": <schema>, "doc": "..", "player": true}},        // player: needs a signed-in player (default true)
//   "splits": {"shop": {"plugin": 9000, "treasury": 500, "burn": 500}},          // for ledger.charge: basis points, sum 10000
//   "modes": {"classic": {"name": "Classic", "seats": 2, "bot": true, "turn_ms": 20000,
//                         "asset": "PALM", "stakes": ["0","10000000000"],          // base units; "0" alone: no stake
//                         "rake": {"plugin": 200, "treasury": 100, "burn": 200},   // basis points of the pot, taken from a decided match
//                         "options": <schema>, "tick_hz": 0, "spectators": false, "spectator_delay_ms": 3000}},
//   "inputs": {"play": <schema>},                                                  // of match.input, by name
//   "relays": {"aim": <schema>},                                                   // of match.relay: passed between seats, the game never sees them
//   "tasks": {"riddle": <task of llm/task.h>},                                     // for llm.task, by name
//   "page": {"title": "Card Duel", "icon": "icon.svg"},                            // web/index.html must exist when present
//   "translations": {"ko": {"name": "..", "description": ".."}}                    // what the shell shows to players of that language
// }
// Unknown keys are refused with the nearest known one. Every error names the path, what was found and what was expected.
// Names of calls, modes, inputs, relays and splits are Lua identifiers in lower case. Defaults: heap_mib 32, store_mib 16, workers 1, player true, a
// mode's name its id, bot false, turn_ms 0 (no turn clock), tick_hz 0, asset "PALM", stakes ["0"], no rake, the page's title the
// plugin's name, spectators false (true: anyone may watch what view says to seat 0, spectator_delay_ms late). A rake or split part that is not named is 0.
#pragma once
#include "base/auto.h"
#include "base/json.h"
#include "base/limits.h"

#define PLUGIN_API_VERSION "2026-11-01"    // api/table.h's API_VERSION; it stands above us, so api/ tests that the two agree
#define ASSET_ID_BYTES 16
#define MODE_STAKES_MAX 12
#define MANIFEST_LANGUAGES_MAX 16
struct manifest_split { char name[33]; int bps[4]; };               // by enum split_part
enum split_part { SPLIT_PLUGIN, SPLIT_TREASURY, SPLIT_BURN, SPLIT_AUTHOR, SPLIT_PART_COUNT };   // author's and plugin's accounts are one until partners come
struct manifest_mode {
    char id[33], name[65]; int seats; bool bot, spectated; int turn_ms, tick_hz, spectator_delay_ms;
    char asset[ASSET_ID_BYTES]; int64_t stakes[MODE_STAKES_MAX]; int stake_count;
    int rake_bps[SPLIT_PART_COUNT];                                 // sum 0..10000
    const struct fr_json *options;                                  // schema or NULL
    char terms[65];                                                 // SHA-256 of what a player agrees to: asset, seats, rake (canonical)
};
struct manifest_call { char name[65]; const struct fr_json *args; bool any_object, player; const char *doc; };     // any_object: as an argument
struct manifest {
    char id[PLUGIN_ID_BYTES_MAX + 1], name[65], version[33], api[16], kind[8]; const char *description, *author;
    int64_t heap_bytes, store_bytes; int workers, cpu_percent;     // cpu_percent 0: what the host gives
    bool grant_store, grant_ledger, grant_call, grant_burn, grant_llm, has_page;
    char ledger_assets[8][ASSET_ID_BYTES]; int ledger_asset_count;
    char call_plugins[16][PLUGIN_ID_BYTES_MAX + 1]; int call_plugin_count;
    char llm_models[8][64]; int llm_model_count; int64_t llm_tokens_day;        // none: any; 0: what the operator gives
    const struct fr_json *tasks;                                    // checked, or NULL
    struct manifest_call calls[PLUGIN_FUNCTIONS_MAX]; int call_count;
    struct manifest_split splits[8]; int split_count;
    struct manifest_mode modes[PLUGIN_MODES_MAX]; int mode_count;
    struct { char name[65]; const struct fr_json *args; } inputs[PLUGIN_FUNCTIONS_MAX], relays[PLUGIN_FUNCTIONS_MAX]; int input_count, relay_count;
    char page_title[65], page_icon[65];
    const struct fr_json *translations;                             // by language, or NULL
    struct fr_json *json;                                           // owns what the pointers above point into
};
FR_MUST_USE enum fr_status manifest_parse(const char *text, size_t len, struct manifest **ret, struct fr_err *err);
void manifest_free(struct manifest *m);
FR_AUTO_DEFINE(manifest)
const struct manifest_mode *manifest_mode(const struct manifest *m, const char *id);
const struct manifest_call *manifest_call(const struct manifest *m, const char *name);
const struct fr_json *manifest_input(const struct manifest *m, const char *name, bool *known);
const struct fr_json *manifest_relay(const struct manifest *m, const char *name, bool *known);
bool manifest_granted(const struct manifest *m, const char *grant);      // "store", "ledger", "call", "burn", "llm"; NULL: true
bool manifest_id_taken(const char *id);                                  // by the host itself: "frond", ...
bool manifest_id_valid(const char *text);                                // [a-z][a-z0-9]*(-[a-z0-9]+)*, at most PLUGIN_ID_BYTES_MAX
bool manifest_version_valid(const char *text);                           // semver 2.0 core: 1.2.3 with optional -pre
