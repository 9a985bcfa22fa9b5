// canon.c — written once per turn, so it goes straight from Lua's tables to bytes.
#include "worker/canon.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <lauxlib.h>
#include "worker/keys.h"

struct step { const struct step *up; struct key key; };
struct canon { lua_State *L; struct fr_buf *out; struct luajson_error *e; const struct step *at; int depth; };

static bool canon_value(struct canon *c, int idx);

static size_t step_text(const struct step *s, char *path)
{
    if (!s) return 0;
    size_t at = step_text(s->up, path), room = LUAJSON_PATH_BYTES - at;
    int len = s->key.text ? snprintf(path + at, room, ".%.40s", s->key.text) : snprintf(path + at, room, "[%lld]", (long long)s->key.number);
    return at + ((size_t)len < room ? (size_t)len : room - 1);
}

static bool canon_fail(struct canon *c, const char *fmt, const char *word)
{
    step_text(c->at, c->e->path);
    snprintf(c->e->text, sizeof c->e->text, fmt, word);
    return false;
}

static void put_u32(struct fr_buf *out, size_t value)
{
    uint8_t b[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24) };
    fr_buf_add_bytes(out, b, sizeof b);
}

static void put_u64(struct fr_buf *out, char tag, uint64_t value)
{
    uint8_t b[9] = { (uint8_t)tag };
    for (int i = 0; i < 8; i++) b[1 + i] = (uint8_t)(value >> 8 * i);
    fr_buf_add_bytes(out, b, sizeof b);
}

static void put_text(struct fr_buf *out, const char *text, size_t len)
{
    fr_buf_add_char(out, 's');
    put_u32(out, len);
    fr_buf_add_bytes(out, text, len);
}

static void put_float(struct fr_buf *out, double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_u64(out, 'd', bits);
}

static bool canon_table(struct canon *c, int idx)
{
    if (++c->depth > JSON_DEPTH_MAX) return canon_fail(c, "nested too deep%s (or a cycle)", "");
    if (!lua_checkstack(c->L, 8)) return canon_fail(c, "out of memory%s", "");
    size_t first, count;
    const char *bad = NULL;
    enum luajson_meta meta = luajson_meta(c->L, idx);
    if (meta == LUAJSON_OTHER) return canon_fail(c, "a table with a metatable cannot be kept in a match's state, which is plain data%s", "");
    if (meta == LUAJSON_FROZEN) {
        bool inner = canon_table(c, lua_gettop(c->L));
        lua_pop(c->L, 1);
        c->depth--;
        return inner;
    }
    if (!keys_gather(c->L, idx, &first, &count, &bad)) return canon_fail(c, "a %s cannot be a key in a match's state", bad);
    fr_buf_add_char(c->out, meta == LUAJSON_LIST ? '[' : '{');
    put_u32(c->out, count);
    for (size_t i = 0; i < count; i++) {
        struct step here = { c->at, keys_at(first + i) };
        c->at = &here;
        if (here.key.text) put_text(c->out, here.key.text, here.key.len);
        else put_u64(c->out, 'i', (uint64_t)here.key.number);
        keys_push(c->L, &here.key);
        lua_rawget(c->L, idx);
        bool ok = canon_value(c, lua_gettop(c->L));
        lua_pop(c->L, 1);
        c->at = here.up;
        if (!ok) return false;
    }
    keys_drop(first);
    c->depth--;
    return true;
}

static bool canon_value(struct canon *c, int idx)
{
    if (c->out->failed) return canon_fail(c, "more than a state may hold%s", "");
    size_t len;
    const char *text;
    switch (lua_type(c->L, idx)) {
    case LUA_TBOOLEAN:
        fr_buf_add_char(c->out, lua_toboolean(c->L, idx) ? 'T' : 'F');
        return true;
    case LUA_TNUMBER:
        if (lua_isinteger(c->L, idx)) put_u64(c->out, 'i', (uint64_t)lua_tointeger(c->L, idx));
        else if (isnan(lua_tonumber(c->L, idx))) return canon_fail(c, "nan has no one form, so it cannot be kept in a match's state%s", "");
        else put_float(c->out, lua_tonumber(c->L, idx));
        return true;
    case LUA_TSTRING:
        text = lua_tolstring(c->L, idx, &len);
        put_text(c->out, text, len);
        return true;
    case LUA_TTABLE:
        return canon_table(c, idx);
    default:
        if (luajson_is_null(c->L, idx)) {
            fr_buf_add_char(c->out, 'N');
            return true;
        }
        return canon_fail(c, "a %s cannot be kept in a match's state, which is plain data", luaL_typename(c->L, idx));
    }
}

bool canon_write(lua_State *L, int idx, struct fr_buf *out, struct luajson_error *e)
{
    struct canon c = { .L = L, .out = out, .e = e };
    int top = lua_gettop(L);
    e->path[0] = e->text[0] = 0;
    keys_reset();
    bool ok = lua_checkstack(L, 8) && canon_value(&c, lua_absindex(L, idx));
    lua_settop(L, top);
    if (ok && out->failed) ok = canon_fail(&c, "more than a state may hold%s", "");
    if (!ok && !e->text[0]) canon_fail(&c, "out of memory%s", "");
    return ok;
}

// The bytes of a snapshot come from the host's disk: what is wrong in them raises.
struct decode { lua_State *L; const uint8_t *at, *end; int depth; };

static void need_bytes(struct decode *d, size_t bytes)
{
    if ((size_t)(d->end - d->at) < bytes) luaL_error(d->L, "a match's state is cut short");
}

static uint64_t take_number(struct decode *d, int bytes)
{
    need_bytes(d, (size_t)bytes);
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)d->at[i] << 8 * i;
    d->at += bytes;
    return value;
}

static void decode_value(struct decode *d);

static void decode_table(struct decode *d, bool marked)
{
    if (++d->depth > JSON_DEPTH_MAX) luaL_error(d->L, "a match's state is nested too deep");
    size_t count = take_number(d, 4);
    need_bytes(d, count);
    bool list = count > 0 && *d->at == 'i';
    luaL_checkstack(d->L, 8, "match state");
    lua_createtable(d->L, list ? (int)count : 0, list ? 0 : (int)count);
    if (marked) {
        luajson_push_mark(d->L);
        lua_setmetatable(d->L, -2);
    }
    for (size_t i = 0; i < count; i++) {
        need_bytes(d, 1);
        if (*d->at != 'i' && *d->at != 's') luaL_error(d->L, "a key of a match's state is of no known kind");
        decode_value(d);
        decode_value(d);
        lua_rawset(d->L, -3);
    }
    d->depth--;
}

static void decode_value(struct decode *d)
{
    need_bytes(d, 1);
    uint8_t tag = *d->at++;
    uint64_t bits;
    double x;
    switch (tag) {
    case 'T': case 'F': lua_pushboolean(d->L, tag == 'T'); break;
    case 'N': luajson_push_null(d->L); break;
    case 'i': lua_pushinteger(d->L, (lua_Integer)take_number(d, 8)); break;
    case 'd':
        bits = take_number(d, 8);
        memcpy(&x, &bits, sizeof x);
        lua_pushnumber(d->L, x);
        break;
    case 's': {
        size_t len = take_number(d, 4);
        need_bytes(d, len);
        lua_pushlstring(d->L, (const char *)d->at, len);
        d->at += len;
        break;
    }
    case '{': case '[':
        decode_table(d, tag == '[');
        break;
    default:
        luaL_error(d->L, "a match's state holds a value of no known kind");
    }
}

void canon_read(lua_State *L, const char *bytes, size_t len)
{
    struct decode d = { L, (const uint8_t *)bytes, (const uint8_t *)bytes + len, 0 };
    decode_value(&d);
    if (d.at != d.end) luaL_error(L, "there is more behind a match's state");
}
