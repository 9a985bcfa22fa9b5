// bind.c — arguments are checked first, all of them; then they are written; then the call yields.
#include "worker/bind.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "api/table.h"
#include "worker/luajson.h"
#include "worker/task.h"
#include "worker/turn.h"
#include "worker/worker.h"

#define PLAYER_TEXT_BYTES_MAX 20
#define ASSET_TEXT_BYTES_MAX 16
#define EXPECTED_BYTES 96

// ---- what an argument must be, in words

static void expected_number(const struct api_arg *a, char *out)
{
    const char *what = a->type == API_UNITS ? "an integer amount in base units" : "an integer";
    if (a->least == INT64_MIN && a->most == INT64_MAX) snprintf(out, EXPECTED_BYTES, "%s", what);
    else if (a->most >= UNITS_MAX) snprintf(out, EXPECTED_BYTES, "%s of %" PRId64 " or more", what, a->least);
    else snprintf(out, EXPECTED_BYTES, "%s from %" PRId64 " to %" PRId64, what, a->least, a->most);
}

static void expected_text(const struct api_arg *a, char *out)
{
    switch (a->type) {
    case API_TEXT:   snprintf(out, EXPECTED_BYTES, "a text of %" PRId64 " to %" PRId64 " bytes", a->least, a->most); break;
    case API_KEY:    snprintf(out, EXPECTED_BYTES, "a key of 1 to %d bytes", KEY_BYTES_MAX); break;
    case API_BOOL:   snprintf(out, EXPECTED_BYTES, "true or false"); break;
    case API_TABLE:  snprintf(out, EXPECTED_BYTES, "a table"); break;
    case API_PLAYER: snprintf(out, EXPECTED_BYTES, "a player id such as ctx.player.id"); break;
    case API_ASSET:  snprintf(out, EXPECTED_BYTES, "an asset id such as \"PALM\""); break;
    case API_SCOPE:  snprintf(out, EXPECTED_BYTES, "\"plugin\" or a player id"); break;
    case API_INT: case API_UNITS: expected_number(a, out); break;
    default:         snprintf(out, EXPECTED_BYTES, "a value"); break;
    }
}

static int raise_argument(lua_State *L, const struct api_call *call, const struct api_arg *a, int idx)
{
    char expected[EXPECTED_BYTES], got[64];
    expected_text(a, expected);
    int type = lua_type(L, idx);
    if (type == LUA_TNONE || type == LUA_TNIL) snprintf(got, sizeof got, "nothing");
    else if (lua_isinteger(L, idx)) snprintf(got, sizeof got, "%lld", (long long)lua_tointeger(L, idx));
    else if (type == LUA_TNUMBER) snprintf(got, sizeof got, "the float %g", lua_tonumber(L, idx));
    else if (type == LUA_TSTRING && (a->type == API_TEXT || a->type == API_KEY))
        snprintf(got, sizeof got, "one of %zu bytes", (size_t)lua_rawlen(L, idx));
    else snprintf(got, sizeof got, "%s", lua_typename(L, type));
    return luaL_error(L, "bad argument '%s' to %s.%s: expected %s, got %s", a->name, call->family, call->name, expected, got);
}

// ---- checking

static bool text_fits(lua_State *L, int idx, int64_t least, int64_t most)
{
    return lua_type(L, idx) == LUA_TSTRING && (int64_t)lua_rawlen(L, idx) >= least && (int64_t)lua_rawlen(L, idx) <= most;
}

static bool argument_fits(lua_State *L, const struct api_arg *a, int idx)
{
    switch (a->type) {
    case API_TEXT:   return text_fits(L, idx, a->least, a->most);
    case API_KEY:    return text_fits(L, idx, 1, KEY_BYTES_MAX);
    case API_PLAYER: return text_fits(L, idx, 1, PLAYER_TEXT_BYTES_MAX);
    case API_SCOPE:  return text_fits(L, idx, 1, PLAYER_TEXT_BYTES_MAX);
    case API_ASSET:  return text_fits(L, idx, 1, ASSET_TEXT_BYTES_MAX);
    case API_BOOL:   return lua_isboolean(L, idx);
    case API_TABLE:  return lua_istable(L, idx);
    case API_INT: case API_UNITS:
        return lua_isinteger(L, idx) && lua_tointeger(L, idx) >= a->least && lua_tointeger(L, idx) <= a->most;
    default:         return !lua_isnoneornil(L, idx);
    }
}

static void check_argument(lua_State *L, const struct api_call *call, const struct api_arg *a, int idx)
{
    if (a->optional && lua_isnoneornil(L, idx)) return;
    if (!argument_fits(L, a, idx)) raise_argument(L, call, a, idx);
}

static const struct api_arg *find_argument(const struct api_call *call, const char *name, bool in_table_only)
{
    for (const struct api_arg *a = call->args; a < call->args + API_ARGS_MAX && a->type != API_END; a++)
        if ((a->in_table || !in_table_only) && strcmp(a->name, name) == 0) return a;
    return NULL;
}

static void check_member_names(lua_State *L, const struct api_call *call, int idx, bool in_table_only)
{
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "%s.%s takes named arguments, got a %s key", call->family, call->name, luaL_typename(L, -2));
        if (find_argument(call, lua_tostring(L, -2), in_table_only)) continue;
        luaL_Buffer names;
        luaL_buffinit(L, &names);
        for (const struct api_arg *a = call->args; a < call->args + API_ARGS_MAX && a->type != API_END; a++) {
            if (in_table_only && !a->in_table) continue;
            if (luaL_bufflen(&names)) luaL_addstring(&names, ", ");
            luaL_addstring(&names, a->name);
        }
        luaL_pushresult(&names);
        const char *list = lua_tostring(L, -1);
        luaL_error(L, "%s.%s knows no argument '%s' (there are: %s)", call->family, call->name, lua_tostring(L, -3), list);
    }
}

// ---- writing

static void write_argument(lua_State *L, const struct api_call *call, const struct api_arg *a, int idx, struct fr_buf *out)
{
    if (lua_isnoneornil(L, idx)) return;
    if (out->len > 1) fr_buf_add_char(out, ',');
    fr_buf_add_char(out, '"');
    fr_buf_add(out, a->name);
    fr_buf_add(out, "\":");
    if (a->type == API_UNITS) {
        fr_buf_add_char(out, '"');
        fr_buf_add_i64(out, lua_tointeger(L, idx));
        fr_buf_add_char(out, '"');
        return;
    }
    struct luajson_error e;
    if (!luajson_write(L, idx, vm_of(L)->replay, out, &e))
        luaL_error(L, "bad argument '%s%s' to %s.%s: %s", a->name, e.path, call->family, call->name, e.text);
}

static int count_positional(const struct api_call *call, bool *table)
{
    int count = 0;
    *table = false;
    for (const struct api_arg *a = call->args; a < call->args + API_ARGS_MAX && a->type != API_END; a++) {
        if (a->in_table) *table = true;
        else count++;
    }
    return count;
}

// The arguments as Lua passed them: positional ones first, then perhaps a table of named ones.
static void write_arguments(lua_State *L, const struct api_call *call, struct fr_buf *out)
{
    bool has_table;
    int positional = count_positional(call, &has_table), table = positional + 1, given = lua_gettop(L);
    if (given > positional + has_table) luaL_error(L, "%s.%s takes %d arguments, got %d", call->family, call->name, positional + has_table, given);
    lua_settop(L, table);
    bool named = has_table && !lua_isnil(L, table);
    if (named && !lua_istable(L, table)) luaL_error(L, "%s.%s takes a table of named arguments, got %s", call->family, call->name, luaL_typename(L, table));
    if (named) check_member_names(L, call, table, true);
    luaL_checkstack(L, API_ARGS_MAX + 8, "too many arguments");
    int first = lua_gettop(L) + 1, i = 0;
    for (const struct api_arg *a = call->args; a < call->args + API_ARGS_MAX && a->type != API_END; a++) {
        if (!a->in_table) lua_pushvalue(L, ++i);
        else if (named) lua_getfield(L, table, a->name);
        else lua_pushnil(L);
        check_argument(L, call, a, -1);
    }
    fr_buf_clear(out);
    fr_buf_add_char(out, '{');
    i = first;
    for (const struct api_arg *a = call->args; a < call->args + API_ARGS_MAX && a->type != API_END; a++)
        write_argument(L, call, a, i++, out);
    fr_buf_add_char(out, '}');
    if (out->failed) luaL_error(L, "the arguments of %s.%s are too long", call->family, call->name);
}

static const struct api_call *find_call(const char *fn)
{
    const char *dot = strchr(fn, '.');
    if (!dot) return NULL;
    for (int i = 0; i < API_COUNT; i++) {
        const struct api_call *call = &api_calls[i];
        if (strlen(call->family) == (size_t)(dot - fn) && memcmp(call->family, fn, (size_t)(dot - fn)) == 0 && strcmp(call->name, dot + 1) == 0) return call;
    }
    return NULL;
}

void bind_write_named(lua_State *L, const char *fn, int idx, struct fr_buf *out)
{
    const struct api_call *call = find_call(fn);
    if (!call) luaL_error(L, "m:ask: there is no host call '%s'", fn);
    if (!(call->flags & API_ASKABLE)) luaL_error(L, "m:ask: '%s' cannot be asked from a match", fn);
    idx = lua_absindex(L, idx);
    bool named = lua_istable(L, idx);
    if (!named && !lua_isnoneornil(L, idx)) luaL_error(L, "m:ask: the arguments of %s are a table of named arguments, got %s", fn, luaL_typename(L, idx));
    if (named) check_member_names(L, call, idx, false);
    luaL_checkstack(L, API_ARGS_MAX + 8, "too many arguments");
    int first = lua_gettop(L) + 1, i = first;
    for (const struct api_arg *a = call->args; a < call->args + API_ARGS_MAX && a->type != API_END; a++) {
        if (named) lua_getfield(L, idx, a->name);
        else lua_pushnil(L);
        check_argument(L, call, a, -1);
    }
    fr_buf_clear(out);
    fr_buf_add_char(out, '{');
    for (const struct api_arg *a = call->args; a < call->args + API_ARGS_MAX && a->type != API_END; a++)
        write_argument(L, call, a, i++, out);
    fr_buf_add_char(out, '}');
    lua_settop(L, first - 1);
}

// ---- the call itself

static void send_ask(struct worker *w, const struct api_call *call, uint32_t id, uint32_t ask_no)
{
    struct frame f = { .kind = FRAME_ASK, .call = (uint16_t)call->no, .id = id, .ref = ask_no, .payload = w->ask.data, .len = (uint32_t)w->ask.len };
    frame_put(&w->out, &f);
    if (w->out.len > OUT_FLUSH_BYTES) worker_flush(w);
}

static int push_refusal(lua_State *L, const char *json, size_t len)
{
    luajson_read_or_raise(L, json, len, "the host's refusal");
    lua_pushnil(L);
    for (int i = 0; i < 2; i++) {
        static const char *const names[] = { "code", "detail" };
        if (lua_istable(L, -2 - i)) lua_getfield(L, -2 - i, names[i]);
        else lua_pushnil(L);
    }
    return 3;
}

static int push_results(lua_State *L)                    // the array on top becomes the results
{
    int list = lua_gettop(L), count = lua_istable(L, list) ? (int)luaL_len(L, list) : 0;
    luaL_checkstack(L, count + 1, "too many results");
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        if (luajson_is_null(L, -1)) {
            lua_pop(L, 1);
            lua_pushnil(L);
        }
    }
    return count;
}

static int bind_resume(lua_State *L, int status, lua_KContext ask_no)
{
    (void)status;
    struct worker *w = worker_of(L);
    struct answer answer = w->answer;
    if (answer.ask_no != (uint32_t)ask_no) return luaL_error(L, "this coroutine waits for the host and cannot be resumed by others");
    w->answer.ask_no = 0;
    const struct api_call *call = lua_touserdata(L, lua_upvalueindex(1));
    if (answer.status != FRAME_OK) return push_refusal(L, answer.json, answer.len);
    luajson_read_or_raise(L, answer.json, answer.len, "the host's answer");
    return call->flags & API_MULTI ? push_results(L) : 1;
}

static int bind_call(lua_State *L)
{
    const struct api_call *call = lua_touserdata(L, lua_upvalueindex(1));
    struct vm *vm = vm_of(L);
    struct worker *w = vm->worker;
    turn_rethrow(L);
    if (vm->replay && !(call->flags & API_IN_MATCH))
        return luaL_error(L, "a match never waits: %s.%s cannot be called in it%s", call->family, call->name,
                          call->flags & API_ASKABLE ? "; m:ask(tag, name, args) brings the answer as an input" : "");
    write_arguments(L, call, &w->ask);
    if (call->flags & API_NO_WAIT) {
        send_ask(w, call, turn_frame_id(), 0);
        if (w->out.failed) return luaL_error(L, "too much output in one turn");
        return 0;
    }
    if (!w->current) return luaL_error(L, "%s.%s waits for the host: call it inside a handler, not while the plugin loads", call->family, call->name);
    if (!turn_can_wait())
        return luaL_error(L, "%s.%s waits for the host, and nothing can wait inside table.sort, string.gsub or the like: call it before", call->family, call->name);
    uint32_t ask_no = task_next_ask(w);
    send_ask(w, call, turn_frame_id(), ask_no);
    if (w->out.failed) return luaL_error(L, "too much output in one turn");
    turn_set_waiting(true);
    return lua_yieldk(L, 0, (lua_KContext)ask_no, bind_resume);   // nothing below this line runs
}

void bind_push_families(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; i < API_COUNT; i++) {
        const struct api_call *call = &api_calls[i];
        if (call->flags & API_LOCAL) continue;
        if (lua_getfield(L, -1, call->family) == LUA_TNIL) {
            lua_pop(L, 1);
            lua_newtable(L);
            lua_pushvalue(L, -1);
            lua_setfield(L, -3, call->family);
            if (strcmp(call->family, "frond") != 0) {
                lua_pushvalue(L, -1);
                lua_setglobal(L, call->family);
            }
        }
        lua_pushlightuserdata(L, (void *)call);
        lua_pushcclosure(L, bind_call, 1);
        lua_setfield(L, -2, call->name);
        lua_pop(L, 1);
    }
}
