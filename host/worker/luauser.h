// luauser.h — what Frond changes in Lua 5.4.8 from outside (LUA_USER_H): lua.h includes it, so every Lua file sees it.
//
// A match must come out the same on every machine and in every build, so nothing may depend on the clock, on addresses or
// on libm. Nothing of Lua's own text is copied; these are the switches that its headers offer.
#pragma once

double frond_lua_pow(double base, double exponent);   // exact_math.c: no libm, so every machine agrees
unsigned int frond_lua_seed(void);                    // state.c: chosen by whoever makes the next state

#define luai_makeseed(L) ((void)(L), frond_lua_seed())
#define l_randomizePivot() 0u                         // stock Lua asks the clock for table.sort's pivot
#define luai_numpow(L, a, b) ((void)(L), frond_lua_pow((a), (b)))

// The sign of a nan differs between compilers, so it is never shown.
#undef lua_number2str
#define lua_number2str(s, sz, n) ((n) == (n) ? l_sprintf((s), sz, LUA_NUMBER_FMT, (LUAI_UACNUMBER)(n)) : l_sprintf((s), sz, "%s", "nan"))

// Addresses are never text: they differ from run to run, and they would tell a plugin where things lie.
#undef lua_pointer2str
#define lua_pointer2str(buff, sz, p) ((void)(p), l_sprintf(buff, sz, "%s", "0x0"))

// Endless recursion should end as "stack overflow", not by eating a match's whole heap: 100,000 slots are 1.6 MB.
#undef LUAI_MAXSTACK
#define LUAI_MAXSTACK 100000
