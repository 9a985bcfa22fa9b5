// load.c — the same steps make the call state and each match's state, so that both run the same plugin.
#include "worker/load.h"
#include <string.h>
#include <lauxlib.h>
#include "worker/bind.h"
#include "worker/fault.h"
#include "worker/fits.h"
#include "worker/luajson.h"
#include "worker/task.h"
#include "worker/turn.h"

const char load_game = 0;

static int load_each(lua_State *L)                              // plain next, for the prelude only
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (lua_next(L, 1)) return 2;
    lua_pushnil(L);
    return 1;
}

int load_array(lua_State *L)                             // frond.array(t): t is a list, even when it is empty
{
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) lua_newtable(L), lua_replace(L, 1);
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!luajson_is_list(L, 1) && lua_getmetatable(L, 1)) return luaL_error(L, "frond.array: this table has a metatable of its own");
    luajson_push_mark(L);
    lua_setmetatable(L, 1);
    return 1;
}

static void load_prelude(lua_State *L, const struct sources *s)                          // pushes frond and the function that checks definitions
{
    source_push_prelude(&s->prelude_frond, L);
    lua_createtable(L, 0, 7);
    lua_pushcfunction(L, load_array);
    lua_setfield(L, -2, "array");
    luajson_push_null(L);
    lua_setfield(L, -2, "null");
    lua_pushcfunction(L, task_all);
    lua_setfield(L, -2, "all");
    lua_pushcfunction(L, load_each);
    lua_setfield(L, -2, "each");
    bind_push_families(L);
    lua_setfield(L, -2, "families");
    lua_pushcfunction(L, fits_decode);
    lua_setfield(L, -2, "fits");
    lua_pushcfunction(L, fits_encode);
    lua_setfield(L, -2, "encode");
    source_push_prelude(&s->prelude_tools, L);
    lua_pushvalue(L, -2);
    lua_call(L, 1, 0);
    lua_call(L, 1, 2);
}

void load_into(lua_State *L, struct sources *s)
{
    load_prelude(L, s);
    lua_insert(L, -2);
    source_open_require(L, s);                                  // takes frond; leaves the checker
    const struct source *main_file = source_find_file(s, "main.lua", strlen("main.lua"));
    if (!main_file) luaL_error(L, "the plugin has no main.lua");
    source_push(main_file, L);
    lua_call(L, 0, 1);
    lua_call(L, 1, 3);                                          // define(what main.lua returned)
    lua_insert(L, -3);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &load_game);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &task_handlers);
}

static int load_compile(lua_State *L)
{
    struct worker *w = worker_of(L);
    if (!source_compile(&w->sources, L)) return lua_error(L);
    return 0;
}

static int load_run(lua_State *L)
{
    struct worker *w = worker_of(L);
    struct luajson_error e;
    load_into(L, &w->sources);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &load_game);
    w->has_game = lua_istable(L, -1);
    lua_pop(L, 1);
    fr_buf_clear(&w->fault);                                    // borrowed for the description
    if (!luajson_write(L, -1, true, &w->fault, &e)) return luaL_error(L, "the definition cannot be described%s: %s", e.path, e.text);
    return 0;
}

// The message handler runs while the stack still shows where: the error becomes JSON here.
static int load_on_error(lua_State *L)
{
    struct worker *w = worker_of(L);
    if (!turn_tripped()) worker_fault(w, TRIP_NONE, LUA_ERRRUN, L, L);
    return 1;
}

static int load_step(struct worker *w, lua_CFunction step)
{
    lua_State *L = w->vm.L;
    lua_settop(L, 0);
    lua_pushcfunction(L, load_on_error);
    lua_pushcfunction(L, step);
    return lua_pcall(L, 0, 0, 1);
}

static bool load_text(const char *json, const char *key, char *out, size_t room)     // "key":"value" of our host's own options
{
    const char *at = strstr(json, key);
    if (!at || !(at = strchr(at + strlen(key), ':')) || !(at = strchr(at, '"'))) return false;
    const char *end = strchr(++at, '"');
    if (!end || (size_t)(end - at) >= room) return false;
    memcpy(out, at, (size_t)(end - at));
    out[end - at] = 0;
    return true;
}

static bool load_sections(struct worker *w, const struct frame *f)
{
    struct frame_cursor c;
    const char *options, *name, *text;
    size_t options_len, name_len, text_len;
    char json[1024] = { 0 };
    frame_sections(f, &c);
    if (!frame_take(&c, &options, &options_len) || options_len >= sizeof json) return false;
    memcpy(json, options, options_len);
    if (!load_text(json, "\"plugin\"", w->sources.plugin, sizeof w->sources.plugin)) return false;
    while (frame_take(&c, &name, &name_len))
        if (!frame_take(&c, &text, &text_len) || !source_add(&w->sources, name, name_len, text, text_len)) return false;
    return !c.bad;
}

static void load_failed(struct worker *w, uint32_t id, enum turn_trip trip, int status)
{
    if (trip || status == LUA_ERRMEM || w->fault.len == 0) {
        enum frame_status outcome = worker_fault(w, trip, status, w->vm.L, NULL);
        worker_reply(w, FRAME_LOADED, id, 0, outcome, &w->fault);
        return;
    }
    worker_reply(w, FRAME_LOADED, id, 0, FRAME_RAISED, &w->fault);
}

bool load_plugin(struct worker *w, const struct frame *f)
{
    struct fr_err err;
    if (w->sources.count || !load_sections(w, f)) return false;      // a worker is loaded once
    if (vm_open(&w->vm, &w->heap, w->heap.cap, false, (uint32_t)(uintptr_t)&err ^ f->id, &err) != FR_OK) {
        fr_buf_clear(&w->fault);
        fault_write_text(&w->fault, "memory_limit", err.text);
        worker_reply(w, FRAME_LOADED, f->id, 0, FRAME_TRIPPED_MEMORY, &w->fault);
        return true;
    }
    w->vm.worker = w;
    fr_buf_clear(&w->fault);
    turn_begin(w->vm.L, f->id ? f->id : 1);
    int status = load_step(w, load_compile);
    if (status == LUA_OK) status = load_step(w, load_run);
    enum turn_trip trip = turn_end();
    if (status == LUA_OK && !trip) {
        lua_settop(w->vm.L, 0);
        vm_freeze(&w->vm);
        w->loaded = true;
        worker_reply(w, FRAME_LOADED, f->id, 0, FRAME_OK, &w->fault);
    } else {
        load_failed(w, f->id, trip, status);
    }
    return true;
}
