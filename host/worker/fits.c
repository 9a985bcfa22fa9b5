// fits.c — checked in plain C, pushed afterwards: nothing is held while Lua may raise.
#include "worker/fits.h"
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "base/schema.h"
#include "worker/luajson.h"
#include "worker/worker.h"

static bool fits_check(const struct fr_buf *schema, const char *json, size_t len, char *why, size_t room)
{
    FR_AUTO(fr_json) s = NULL;
    FR_AUTO(fr_json) value = NULL;
    struct fr_err err;
    enum fr_status st = fr_json_parse(schema->data, schema->len, &s, &err);
    if (st == FR_OK) st = schema_check(s, "schema", &err);
    if (st == FR_OK) st = fr_json_parse(json, len, &value, &err);
    if (st == FR_OK) st = schema_fit(s, value, "arguments", &err);
    if (st != FR_OK) snprintf(why, room, "%s", err.text);
    return st == FR_OK;
}

static const struct fr_buf *fits_write(lua_State *L, int idx, const char *what)
{
    struct worker *w = worker_of(L);
    struct luajson_error e;
    fr_buf_clear(&w->ask);
    if (!luajson_write(L, idx, true, &w->ask, &e)) luaL_error(L, "%s%s: %s", what, e.path, e.text);
    return &w->ask;
}

int fits_decode(lua_State *L)
{
    size_t len;
    char why[FR_ERR_TEXT_BYTES];
    luaL_checktype(L, 1, LUA_TTABLE);
    const char *json = luaL_checklstring(L, 2, &len);
    if (!fits_check(fits_write(L, 1, "schema"), json, len, why, sizeof why)) {
        lua_pushnil(L);
        lua_pushstring(L, why);
        return 2;
    }
    luajson_read_or_raise(L, json, len, "a tool's arguments");
    return 1;
}

int fits_encode(lua_State *L)
{
    lua_settop(L, 1);
    const struct fr_buf *out = fits_write(L, 1, "a tool's result");
    lua_pushlstring(L, out->data, out->len);
    return 1;
}
