// use.h — where calls, turns and deaths meet the meter: a line each in call.c, runtime.c and play/. Loop thread only.
#pragma once
#include "plugin/meter.h"
#include "plugin/runtime.h"

// What the operator allows: `percent` of a core for each plugin, other numbers for some. A manifest may ask for less, never for more.
struct plugin_budget { char plugin[PLUGIN_ID_BYTES_MAX + 1]; int percent; };
int plugin_cpu_percent(const struct plugins_options *o, const struct manifest *m);
// FR_E_LIMIT with err->retry_s: "player_blocked", "cpu_budget".
FR_MUST_USE enum fr_status plugin_admit(struct plugin *p, const char *player, struct fr_err *err);
FR_MUST_USE enum fr_status plugin_admit_player(struct plugin *p, const char *player, struct fr_err *err);      // "player_blocked" only: for new matches. Moves in matches that run are not stopped: the other players wait for them, and three void turns forfeit
void plugin_turned_away(struct plugin *p);
// A call that was let in has ended.
void plugin_call_used(struct plugin *p, const char *player, const struct sandbox_result *r, int64_t from_us);
// A match's turn: before it, how long it must wait (0: go; *place_us keeps its place), and after it. player "": nobody's.
int64_t plugin_turn_wait_ms(struct plugin *p, int64_t *place_us);
int64_t plugin_cpu_wait_ms(struct plugin *p);              // until there is CPU for anything
void plugin_turn_used(struct plugin *p, const char *player, const struct sandbox_result *r);
// A worker died by its own fault, after the turn that was running was told: how many deaths of the last minute count against this version.
int plugin_died(struct plugin *p, const struct plugin_version *v);
