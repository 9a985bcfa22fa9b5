// prelude.h — the Lua text that runs in each state before the plugin: prelude/*.lua, embedded as it is.
#pragma once
extern const char prelude_frond[], prelude_frond_end[];     // frond.lua
extern const char prelude_match[], prelude_match_end[];     // match.lua
extern const char prelude_tools[], prelude_tools_end[];     // tools.lua
