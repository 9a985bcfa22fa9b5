// base_lib.c — first what guards every state, then what makes a match replayable, then the list of what is there.
#include "worker/base_lib.h"
#include <math.h>
#include <string.h>
#include <lauxlib.h>
#include <lualib.h>
#include <lstate.h>
#include "worker/exact_math.h"
#include "worker/keys.h"
#include "worker/luajson.h"
#include "worker/state.h"
#include "worker/turn.h"

// ---- protected calls: after a trip nothing of the plugin runs on

static int pcall_done(lua_State *L, int status, lua_KContext skip)
{
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)skip;
    if (status == LUA_ERRMEM) turn_trip_memory();
    turn_rethrow(L);
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
}

static int base_pcall(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 1);
    int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, pcall_done);
    return pcall_done(L, status, 0);
}

// A plugin's message handler must not run for a trip: with hooks off inside it, a loop there would only end by the hard limit.
static int xpcall_handler(lua_State *L)
{
    if (turn_tripped()) return 1;
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int base_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    int args = lua_gettop(L) - 2;
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, xpcall_handler, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);                                  // f, handler, true, f, arguments
    int status = lua_pcallk(L, args, LUA_MULTRET, 2, 2, pcall_done);
    return pcall_done(L, status, 2);
}

// ---- coroutines: our own resume, because a hook and a waiting host call concern the whole chain

static int resume_failed(lua_State *L, lua_State *co, int status)
{
    if (status == LUA_ERRMEM) turn_trip_memory();
    lua_xmove(co, L, 1);                                  // the error
    turn_rethrow(L);
    return -1;
}

static int resume_later(lua_State *L, int status, lua_KContext wrapped);

// Resumes co with the top `args` values of L: the number of results now on L, or -1 with the error on top.
static int resume_step(lua_State *L, lua_State *co, int args, bool wrapped)
{
    if (!lua_checkstack(co, args)) luaL_error(L, "too many arguments to resume");
    if (!turn_push(co)) return luaL_error(L, "coroutines are nested too deep");
    int results, status;
    lua_xmove(L, co, args);
    status = lua_resume(co, L, args, &results);
    turn_pop();
    if (status != LUA_OK && status != LUA_YIELD) return resume_failed(L, co, status);
    if (status == LUA_YIELD && turn_is_waiting())
        return lua_yieldk(L, 0, wrapped, resume_later);   // a host call inside: the base must wait
    if (turn_tripped()) {
        lua_settop(co, 0);
        lua_pushnil(L);
        turn_rethrow(L);
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        luaL_error(L, "too many results to resume");
    }
    lua_xmove(co, L, results);
    return results;
}

static int resume_result(lua_State *L, int results)
{
    lua_pushboolean(L, results >= 0);
    if (results < 0) results = 1;
    lua_insert(L, -(results + 1));
    return results + 1;
}

static lua_State *coroutine_arg(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co, 1, "coroutine");
    return co;
}

enum co_state { CO_RUNNING, CO_DEAD, CO_SUSPENDED, CO_NORMAL };

static enum co_state coroutine_state(lua_State *L, lua_State *co)
{
    lua_Debug frame;
    if (L == co) return CO_RUNNING;
    if (lua_status(co) == LUA_YIELD) return CO_SUSPENDED;
    if (lua_status(co) != LUA_OK) return CO_DEAD;
    if (lua_getstack(co, 0, &frame)) return CO_NORMAL;
    return lua_gettop(co) == 0 ? CO_DEAD : CO_SUSPENDED;
}

static int base_resume(lua_State *L)
{
    lua_State *co = coroutine_arg(L);
    if (coroutine_state(L, co) != CO_SUSPENDED) {         // stock Lua leaves this to lua_resume; we must not count it as a turn
        lua_pushboolean(L, 0);
        lua_pushfstring(L, "cannot resume %s coroutine", coroutine_state(L, co) == CO_DEAD ? "dead" : "non-suspended");
        return 2;
    }
    return resume_result(L, resume_step(L, co, lua_gettop(L) - 1, false));
}

static int close_chained(lua_State *L, lua_State *co)     // __close handlers are plugin code too
{
    if (!turn_push(co)) return luaL_error(L, "coroutines are nested too deep");
    int status = lua_closethread(co, L);
    turn_pop();
    if (status == LUA_ERRMEM) turn_trip_memory();
    return status;
}

static int wrap_result(lua_State *L, lua_State *co, int results)
{
    if (results >= 0) return results;
    if (lua_status(co) != LUA_OK && lua_status(co) != LUA_YIELD) {
        int status = close_chained(L, co);
        lua_pop(L, 1);
        if (status == LUA_OK) lua_pushliteral(L, "coroutine failed");
        else lua_xmove(co, L, 1);
        turn_rethrow(L);
    }
    return lua_error(L);
}

static int wrap_call(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    if (coroutine_state(L, co) != CO_SUSPENDED)
        return luaL_error(L, "cannot resume %s coroutine", coroutine_state(L, co) == CO_DEAD ? "dead" : "non-suspended");
    return wrap_result(L, co, resume_step(L, co, lua_gettop(L), true));
}

static int resume_later(lua_State *L, int status, lua_KContext wrapped)
{
    (void)status;
    lua_State *co = wrapped ? lua_tothread(L, lua_upvalueindex(1)) : lua_tothread(L, 1);
    int results = resume_step(L, co, 0, wrapped);
    return wrapped ? wrap_result(L, co, results) : resume_result(L, results);
}

static int base_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, wrap_call, 1);
    return 1;
}

static int base_close(lua_State *L)
{
    lua_State *co = coroutine_arg(L);
    enum co_state state = coroutine_state(L, co);
    if (state != CO_DEAD && state != CO_SUSPENDED)
        return luaL_error(L, "cannot close a %s coroutine", state == CO_RUNNING ? "running" : "normal");
    int status = close_chained(L, co);
    turn_rethrow(L);
    lua_pushboolean(L, status == LUA_OK);
    if (status == LUA_OK) return 1;
    lua_xmove(co, L, 1);
    return 2;
}

static int base_yield(lua_State *L)
{
    if (L == turn_base()) return luaL_error(L, "attempt to yield from outside a coroutine");   // only a host call waits there
    return lua_yield(L, lua_gettop(L));
}

// ---- metatables, load, format

static void refuse_field(lua_State *L, const char *name, const char *why)
{
    lua_pushstring(L, name);
    if (lua_rawget(L, 2) != LUA_TNIL) luaL_error(L, "a metatable must not have %s: %s", name, why);
    lua_pop(L, 1);
}

static int base_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_istable(L, 2), 2, "nil or table");
    if (lua_istable(L, 2)) {
        refuse_field(L, "__gc", "finalizers run at moments that nobody chose");
        refuse_field(L, "__mode", "weak tables show when the collector ran");
    }
    if (!luajson_is_list(L, 1) && luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int base_load(lua_State *L)                        // upvalue 1: Lua's own
{
    if (lua_gettop(L) < 3) lua_settop(L, 3);
    lua_pushliteral(L, "t");                              // bytecode can break the interpreter
    lua_replace(L, 3);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static void refuse_addresses(lua_State *L, int from)
{
    for (int i = from; i <= lua_gettop(L); i++) {
        int type = lua_type(L, i);
        if (type == LUA_TNUMBER && isnan(lua_tonumber(L, i))) {      // its sign differs between builds
            lua_pushnumber(L, copysign(NAN, 1));
            lua_replace(L, i);
        }
        if (type != LUA_TTABLE && type != LUA_TFUNCTION && type != LUA_TTHREAD && type != LUA_TUSERDATA) continue;
        if (luaL_getmetafield(L, i, "__tostring") != LUA_TNIL) lua_pop(L, 1);
        else luaL_error(L, "a %s has no text in a match: addresses differ from run to run", lua_typename(L, type));
    }
}

static int base_format(lua_State *L)                      // upvalue 1: Lua's own
{
    const char *at = luaL_checkstring(L, 1);
    while ((at = strchr(at, '%'))) {
        at += 1 + strspn(at + 1, "-+#0 123456789.");
        if (*at == 'p') return luaL_error(L, "%%p is not here: addresses differ from run to run");
        if (*at) at++;
    }
    if (vm_of(L)->replay) refuse_addresses(L, 2);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// ---- replayable: order, text, mathematics

static int replay_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    lua_settop(L, 1);
    refuse_addresses(L, 1);
    luaL_tolstring(L, 1, NULL);
    return 1;
}

static int replay_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2)) return luaL_error(L, "in a match next(t) only tells whether t is empty; walk it with pairs");
    lua_settop(L, 1);
    if (luajson_meta(L, 1) == LUAJSON_FROZEN) lua_replace(L, 1);
    lua_pushnil(L);
    if (!lua_next(L, 1)) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushboolean(L, 1);                                // which key comes first has no answer
    return 1;
}

static int pairs_step(lua_State *L)                       // upvalues: keys or false, position, count
{
    lua_Integer i = lua_tointeger(L, lua_upvalueindex(2)), count = lua_tointeger(L, lua_upvalueindex(3));
    bool list = !lua_toboolean(L, lua_upvalueindex(1));
    while (i < count) {
        i++;
        if (list) lua_pushinteger(L, i);
        else lua_rawgeti(L, lua_upvalueindex(1), i);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) == LUA_TNIL) {               // removed while we walk
            lua_pop(L, 2);
            continue;
        }
        lua_pushinteger(L, i);
        lua_replace(L, lua_upvalueindex(2));
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

static int replay_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 3);
        return 3;
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t first, count;
    const char *bad = NULL;
    keys_reset();
    if (!keys_gather(L, 1, &first, &count, &bad))
        return luaL_error(L, "pairs met a %s key: in a match only integers and texts have an order", bad);
    bool list = true;
    for (size_t i = 0; i < count && list; i++) {
        struct key k = keys_at(first + i);
        list = !k.text && k.number == (lua_Integer)i + 1;
    }
    if (list) {
        lua_pushboolean(L, 0);
    } else {
        lua_createtable(L, (int)count, 0);
        for (size_t i = 0; i < count; i++) {
            struct key k = keys_at(first + i);
            keys_push(L, &k);
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
    }
    lua_pushinteger(L, 0);
    lua_pushinteger(L, (lua_Integer)count);
    lua_pushcclosure(L, pairs_step, 3);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

static int push_number(lua_State *L, double x) { lua_pushnumber(L, x); return 1; }
static int replay_sin(lua_State *L) { return push_number(L, exact_sin(luaL_checknumber(L, 1))); }
static int replay_cos(lua_State *L) { return push_number(L, exact_cos(luaL_checknumber(L, 1))); }
static int replay_exp(lua_State *L) { return push_number(L, exact_exp(luaL_checknumber(L, 1))); }
static int replay_atan(lua_State *L) { return push_number(L, exact_atan2(luaL_checknumber(L, 1), luaL_optnumber(L, 2, 1))); }

static int replay_tan(lua_State *L)
{
    double x = luaL_checknumber(L, 1);
    return push_number(L, exact_sin(x) / exact_cos(x));
}

static int replay_asin(lua_State *L)
{
    double x = luaL_checknumber(L, 1);
    return push_number(L, exact_atan2(x, sqrt((1 - x) * (1 + x))));
}

static int replay_acos(lua_State *L)
{
    double x = luaL_checknumber(L, 1);
    return push_number(L, exact_atan2(sqrt((1 - x) * (1 + x)), x));
}

static int replay_log(lua_State *L)
{
    double x = luaL_checknumber(L, 1), base = luaL_optnumber(L, 2, 0);
    if (lua_isnoneornil(L, 2)) return push_number(L, exact_log(x));
    double q = exact_log(x) / exact_log(base), whole = floor(q + 0.5);
    return push_number(L, exact_pow(base, whole) == x ? whole : q);    // log(1000, 10) is 3
}

static int base_no_random(lua_State *L)
{
    return luaL_error(L, vm_of(L)->replay ? "math.random is not here: use m:int(lo, hi), which can be replayed"
                                          : "math.random is not here: use random.int(lo, hi)");
}

// ---- globals

static int env_write(lua_State *L)                        // __newindex of the environment; upvalue 1: the real globals
{
    if (vm_of(L)->frozen) {
        const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
        return luaL_error(L, "global '%s' cannot be written after loading: write 'local %s', or keep data in %s", name, name,
                          vm_of(L)->replay ? "the match's state" : "store");
    }
    lua_settop(L, 3);
    lua_rawset(L, lua_upvalueindex(1));
    return 0;
}

static const luaL_Reg base_ours[] = {
    { "pcall", base_pcall }, { "xpcall", base_xpcall }, { "setmetatable", base_setmetatable },
    { "dofile", NULL }, { "loadfile", NULL }, { "print", NULL }, { "collectgarbage", NULL }, { "warn", NULL }, { NULL, NULL }
};
static const luaL_Reg coroutine_ours[] = {
    { "resume", base_resume }, { "wrap", base_wrap }, { "close", base_close }, { "yield", base_yield }, { NULL, NULL }
};
static const luaL_Reg string_ours[] = { { "dump", NULL }, { NULL, NULL } };
static const luaL_Reg math_ours[] = { { "random", base_no_random }, { "randomseed", base_no_random }, { NULL, NULL } };
static const luaL_Reg base_replay[] = { { "pairs", replay_pairs }, { "next", replay_next }, { "tostring", replay_tostring }, { NULL, NULL } };
static const luaL_Reg math_replay[] = {
    { "sin", replay_sin }, { "cos", replay_cos }, { "tan", replay_tan }, { "asin", replay_asin }, { "acos", replay_acos },
    { "atan", replay_atan }, { "exp", replay_exp }, { "log", replay_log }, { NULL, NULL }
};

static void set_functions(lua_State *L, const luaL_Reg *list)    // NULL takes the name away
{
    for (; list->name; list++) {
        if (list->func) lua_pushcfunction(L, list->func);
        else lua_pushnil(L);
        lua_setfield(L, -2, list->name);
    }
}

static void wrap_function(lua_State *L, const char *name, lua_CFunction ours)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, ours, 1);
    lua_setfield(L, -2, name);
}

static void open_library(lua_State *L, const char *name, lua_CFunction open, const luaL_Reg *ours, const luaL_Reg *more)
{
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
    if (ours) set_functions(L, ours);
    if (more) set_functions(L, more);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);                            // -3: the globals
}

static void lock_strings(lua_State *L)
{
    wrap_function(L, "format", base_format);
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

// setmetatable looks once, and a plugin may write __mode into its metatable afterwards. So the collector asks for weakness under a
// name that no key can equal: a long text, which Lua compares by identity where it looks for short ones.
static void forget_weakness(lua_State *L)
{
    static const char name[LUAI_MAXSHORTLEN + 2] = "__mode";
    lua_pushlstring(L, name, sizeof name);
    G(L)->tmname[TM_MODE] = tsvalue(s2v(L->top.p - 1));
    lua_rawsetp(L, LUA_REGISTRYINDEX, &name);             // keeps it alive
}

// The environment of plugin code is an empty table in front of the globals, so that every write to a global is seen.
static void open_environment(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, env_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, 1, "_G");
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

void base_lib_open(lua_State *L, bool replay)
{
    lua_settop(L, 0);
    lua_pushglobaltable(L);                               // index 1 from here on
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 0);
    set_functions(L, base_ours);
    if (replay) set_functions(L, base_replay);
    wrap_function(L, "load", base_load);
    open_library(L, "coroutine", luaopen_coroutine, coroutine_ours, NULL);
    lua_pop(L, 1);
    open_library(L, "table", luaopen_table, NULL, NULL);
    lua_pop(L, 1);
    open_library(L, "string", luaopen_string, string_ours, NULL);
    lock_strings(L);
    lua_pop(L, 1);
    open_library(L, "math", luaopen_math, math_ours, replay ? math_replay : NULL);
    lua_pop(L, 1);
    open_library(L, "utf8", luaopen_utf8, NULL, NULL);
    lua_settop(L, 1);
    luajson_open(L);
    forget_weakness(L);
    open_environment(L);
}
