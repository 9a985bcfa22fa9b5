// fits.h — JSON that a model wrote, for the loop of tools in prelude/tools.lua.
#pragma once
#include <lua.h>
int fits_decode(lua_State *L);             // fits(schema, json text) -> the value, or nil and what is wrong with it
int fits_encode(lua_State *L);             // encode(value) -> its JSON text; raises for what is no plain data
