// load.h — FRAME_LOAD: compile all files, run main.lua in the call state, say what the plugin defines.
#pragma once
#include "worker/worker.h"

bool load_plugin(struct worker *w, const struct frame *f);      // false: its sections are broken; everything else is in the LOADED frame
// Runs the plugin's main.lua in a state that has just been opened: libraries, frond, then the plugin. Leaves the definition in the
// registry under load_game and task_handlers and pushes its description. Raises; called under lua_pcall.
void load_into(lua_State *L, struct sources *s);
int load_array(lua_State *L);                                   // frond.array
extern const char load_game;                                    // its address: registry key of the game's handlers
