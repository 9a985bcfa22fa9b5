// base_lib.h — the libraries that a plugin gets, chosen function by function, with ours in place of those that could hurt.
//
// Ours: pcall, xpcall, coroutine.resume/wrap/close (a tripped turn runs no further plugin code, and host calls wait through
// nested coroutines), setmetatable (no __gc, no __mode), load (text only), string.format (no %p), and in matches pairs, next,
// tostring and the mathematics of exact_math.h. Globals can be written only until vm->frozen.
#pragma once
#include <stdbool.h>
#include <lua.h>
void base_lib_open(lua_State *L, bool replay);     // may raise
