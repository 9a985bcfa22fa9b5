// match_api.c — every argument is checked before anything is written; an effect that fails half-way is cut off again.
#include "worker/match_api.h"
#include <string.h>
#include <lauxlib.h>
#include "worker/bind.h"
#include "worker/luajson.h"

#define NAME_BYTES_MAX 64
#define REASON_BYTES_MAX 64
#define ASK_TIMEOUT_MS_MAX 60000
#define BPS_WHOLE 10000

static struct match *match_self(lua_State *L, const char *method)
{
    struct match *m = vm_of(L)->match;
    lua_rawgetp(L, LUA_REGISTRYINDEX, match_key_m);
    if (!lua_rawequal(L, 1, -1)) luaL_error(L, "call it with a colon: m:%s(...)", method);
    lua_pop(L, 1);
    return m;
}

static struct match *match_acting(lua_State *L, const char *method)
{
    struct match *m = match_self(L, method);
    if (m->phase != MATCH_ACTS)
        luaL_error(L, "m:%s changes the match; %s", method, m->phase == MATCH_THINKS ? "a bot only returns what it would do" : "view only looks");
    return m;
}

static struct match *match_drawing(lua_State *L, const char *method)
{
    struct match *m = match_self(L, method);
    if (m->phase != MATCH_ACTS && m->phase != MATCH_THINKS) luaL_error(L, "m:%s draws from the match's stream; view only looks", method);
    return m;
}

static int raise_arg(lua_State *L, const char *method, const char *name, const char *expected, int idx)
{
    return luaL_error(L, "bad argument '%s' to m:%s: expected %s, got %s", name, method, expected, luaL_typename(L, idx));
}

static lua_Integer need_integer(lua_State *L, const char *method, const char *name, int idx)
{
    if (!lua_isinteger(L, idx)) raise_arg(L, method, name, "an integer", idx);
    return lua_tointeger(L, idx);
}

static const char *need_text(lua_State *L, const char *method, const char *name, int idx, size_t most)
{
    size_t len = 0;
    const char *text = lua_type(L, idx) == LUA_TSTRING ? lua_tolstring(L, idx, &len) : NULL;
    if (!text) raise_arg(L, method, name, "a text", idx);
    if (memchr(text, 0, len)) luaL_error(L, "bad argument '%s' to m:%s: it holds a NUL byte", name, method);
    if (len == 0 || len > most) luaL_error(L, "bad argument '%s' to m:%s: expected 1 to %d bytes, got %d", name, method, (int)most, (int)len);
    return text;
}

// ---- randomness

static int match_int(lua_State *L)
{
    struct match *m = match_drawing(L, "int");
    lua_Integer lo = need_integer(L, "int", "lo", 2), hi = need_integer(L, "int", "hi", 3);
    if (lo > hi) return luaL_error(L, "m:int(%d, %d): lo is above hi", (int)lo, (int)hi);
    lua_pushinteger(L, stream_int(&m->stream, lo, hi));
    return 1;
}

static int match_chance(lua_State *L)
{
    struct match *m = match_drawing(L, "chance");
    lua_Integer bps = need_integer(L, "chance", "bps", 2);
    if (bps < 0 || bps > BPS_WHOLE) return luaL_error(L, "m:chance takes basis points from 0 to %d, got %d", BPS_WHOLE, (int)bps);
    lua_pushboolean(L, stream_int(&m->stream, 1, BPS_WHOLE) <= bps);
    return 1;
}

static int match_shuffle(lua_State *L)                    // in place; the list is returned as well
{
    struct match *m = match_drawing(L, "shuffle");
    if (!lua_istable(L, 2)) raise_arg(L, "shuffle", "list", "a list", 2);
    lua_settop(L, 2);
    for (lua_Integer i = luaL_len(L, 2); i > 1; i--) {
        lua_Integer j = stream_int(&m->stream, 1, i);
        lua_geti(L, 2, i);
        lua_geti(L, 2, j);
        lua_seti(L, 2, i);
        lua_seti(L, 2, j);
    }
    return 1;
}

// ---- effects

struct effect { lua_State *L; struct match *m; struct fr_buf *out; const char *method; size_t before; };

static struct effect effect_begin(lua_State *L, struct match *m, const char *method)
{
    struct fr_buf *out = &m->worker->effects;
    if (m->effect_count >= MATCH_EFFECTS_MAX) luaL_error(L, "more than %d effects in one turn", MATCH_EFFECTS_MAX);
    struct effect e = { L, m, out, method, out->len };
    if (m->effect_count) fr_buf_add_char(out, ',');
    fr_buf_addf(out, "{\"e\":\"%s\"", method);
    return e;
}

static void effect_text(struct effect *e, const char *name, const char *text)
{
    fr_buf_addf(e->out, ",\"%s\":", name);
    fr_buf_add_json_text(e->out, text);
}

static void effect_integer(struct effect *e, const char *name, lua_Integer value)
{
    fr_buf_addf(e->out, ",\"%s\":%lld", name, (long long)value);
}

static void effect_cut(struct effect *e)
{
    e->out->len = e->before;
    e->out->failed = false;
}

static void effect_value(struct effect *e, const char *name, int idx)     // nothing when nil
{
    struct luajson_error error;
    if (lua_isnoneornil(e->L, idx)) return;
    fr_buf_addf(e->out, ",\"%s\":", name);
    if (luajson_write(e->L, idx, true, e->out, &error)) return;
    effect_cut(e);
    luaL_error(e->L, "bad argument '%s%s' to m:%s: %s", name, error.path, e->method, error.text);
}

static int effect_end(struct effect *e)
{
    fr_buf_add_char(e->out, '}');
    if (e->out->failed) {
        effect_cut(e);
        return luaL_error(e->L, "the effects of one turn are too long");
    }
    e->m->effect_count++;
    return 0;
}

static int match_timer(lua_State *L)
{
    struct match *m = match_acting(L, "timer");
    const char *name = need_text(L, "timer", "name", 2, NAME_BYTES_MAX);
    lua_Integer ms = need_integer(L, "timer", "ms", 3);
    if (ms < 0 || ms > HOLD_MS_MAX) return luaL_error(L, "bad argument 'ms' to m:timer: expected 0 to %I, got %I", (LUAI_UACINT)HOLD_MS_MAX, (LUAI_UACINT)ms);
    struct effect e = effect_begin(L, m, "timer");
    effect_text(&e, "name", name);
    effect_integer(&e, "ms", ms);
    effect_value(&e, "data", 4);
    return effect_end(&e);
}

static int match_cancel(lua_State *L)
{
    struct match *m = match_acting(L, "cancel");
    const char *name = need_text(L, "cancel", "name", 2, NAME_BYTES_MAX);
    struct effect e = effect_begin(L, m, "cancel");
    effect_text(&e, "name", name);
    return effect_end(&e);
}

static int match_emit(lua_State *L)
{
    struct match *m = match_acting(L, "emit");
    bool seat = lua_isinteger(L, 2) && lua_tointeger(L, 2) >= 1 && lua_tointeger(L, 2) <= m->seats;
    const char *to = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
    if (!seat && strcmp(to, "all") != 0 && strcmp(to, "spectators") != 0)
        return luaL_error(L, "bad argument 'to' to m:emit: expected a seat from 1 to %d, \"all\" or \"spectators\"", m->seats);
    const char *name = need_text(L, "emit", "name", 3, NAME_BYTES_MAX);
    struct effect e = effect_begin(L, m, "emit");
    if (seat) effect_integer(&e, "to", lua_tointeger(L, 2));
    else effect_text(&e, "to", to);
    effect_text(&e, "name", name);
    effect_value(&e, "data", 4);
    return effect_end(&e);
}

static int match_ask(lua_State *L)
{
    struct match *m = match_acting(L, "ask");
    const char *tag = need_text(L, "ask", "tag", 2, NAME_BYTES_MAX), *fn = need_text(L, "ask", "fn", 3, NAME_BYTES_MAX);
    lua_Integer timeout_ms = 0;
    lua_settop(L, 5);
    if (lua_istable(L, 5) && lua_getfield(L, 5, "timeout_ms") != LUA_TNIL) {
        timeout_ms = need_integer(L, "ask", "timeout_ms", -1);
        if (timeout_ms < 1 || timeout_ms > ASK_TIMEOUT_MS_MAX) return luaL_error(L, "bad argument 'timeout_ms' to m:ask: expected 1 to %d", ASK_TIMEOUT_MS_MAX);
    }
    bind_write_named(L, fn, 4, &m->worker->ask);
    struct effect e = effect_begin(L, m, "ask");
    effect_text(&e, "tag", tag);
    effect_text(&e, "fn", fn);
    fr_buf_add(e.out, ",\"args\":");
    fr_buf_add_bytes(e.out, m->worker->ask.data, m->worker->ask.len);
    if (timeout_ms) effect_integer(&e, "timeout_ms", timeout_ms);
    return effect_end(&e);
}

// ---- the end

static void check_seat_once(lua_State *L, const struct match *m, uint64_t *seen)      // a seat is on top; popped
{
    lua_Integer seat = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    if (seat < 1 || seat > m->seats) luaL_error(L, "m:finish: places hold seats from 1 to %d", m->seats);
    if (*seen >> (seat - 1) & 1) luaL_error(L, "m:finish: seat %d stands in places twice", (int)seat);
    *seen |= 1ull << (seat - 1);
    lua_pop(L, 1);
}

static void check_places(lua_State *L, const struct match *m, int idx)
{
    uint64_t seen = 0;
    if (!lua_istable(L, idx)) luaL_error(L, "m:finish: places must be a list of lists of seats, such as {{1}, {2}}");
    for (lua_Integer i = 1, n = luaL_len(L, idx); i <= n; i++) {
        if (lua_geti(L, idx, i) != LUA_TTABLE) luaL_error(L, "m:finish: places must be a list of lists of seats, such as {{1}, {2}}");
        int place = lua_gettop(L);
        lua_Integer count = luaL_len(L, place);
        if (count == 0) luaL_error(L, "m:finish: place %d is empty", (int)i);
        for (lua_Integer j = 1; j <= count; j++) {
            lua_geti(L, place, j);
            check_seat_once(L, m, &seen);
        }
        lua_settop(L, place - 1);
    }
    for (int seat = 1; seat <= m->seats; seat++)
        if (!(seen >> (seat - 1) & 1)) luaL_error(L, "m:finish: seat %d stands in no place", seat);
}

static void check_shares(lua_State *L, const struct match *m, int idx)
{
    lua_Integer sum = 0;
    if (!lua_istable(L, idx) || luaL_len(L, idx) != m->seats) luaL_error(L, "m:finish: shares_bps must be a list of %d numbers, one for each seat", m->seats);
    for (int seat = 1; seat <= m->seats; seat++) {
        lua_geti(L, idx, seat);
        lua_Integer share = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : -1;
        if (share < 0 || share > BPS_WHOLE) luaL_error(L, "m:finish: shares_bps[%d] must be an integer from 0 to %d", seat, BPS_WHOLE);
        sum += share;
        lua_pop(L, 1);
    }
    if (sum != BPS_WHOLE) luaL_error(L, "m:finish: shares_bps must add up to %d, not %d", BPS_WHOLE, (int)sum);
}

static void check_not_ending(lua_State *L, const struct match *m)
{
    if (m->ending) luaL_error(L, "the match has already been ended");
}

static void check_finish_keys(lua_State *L)
{
    static const char *const known[] = { "places", "shares_bps", "reason", "stats" };
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        bool found = false;
        for (int i = 0; i < 4 && !found; i++) found = strcmp(known[i], key) == 0;
        if (!found) luaL_error(L, "m:finish knows no '%s' (there are: places, shares_bps, reason, stats)", key);
    }
}

static int match_finish(lua_State *L)
{
    struct match *m = match_acting(L, "finish");
    if (!lua_istable(L, 2)) raise_arg(L, "finish", "result", "a table", 2);
    check_not_ending(L, m);
    check_finish_keys(L);
    lua_settop(L, 2);
    bool places = lua_getfield(L, 2, "places") != LUA_TNIL, shares = lua_getfield(L, 2, "shares_bps") != LUA_TNIL;     // 3, 4
    bool reason = lua_getfield(L, 2, "reason") != LUA_TNIL;                                                            // 5
    lua_getfield(L, 2, "stats");                                                                                       // 6
    if (places == shares) return luaL_error(L, "m:finish takes either places or shares_bps");
    if (places) check_places(L, m, 3);
    else check_shares(L, m, 4);
    const char *why = reason ? need_text(L, "finish", "reason", 5, REASON_BYTES_MAX) : NULL;
    struct effect e = effect_begin(L, m, "finish");
    effect_value(&e, "places", 3);
    effect_value(&e, "shares_bps", 4);
    if (why) effect_text(&e, "reason", why);
    effect_value(&e, "stats", 6);
    effect_end(&e);
    m->ending = true;
    return 0;
}

static int match_void(lua_State *L)
{
    struct match *m = match_acting(L, "void");
    const char *reason = need_text(L, "void", "reason", 2, REASON_BYTES_MAX);
    check_not_ending(L, m);
    struct effect e = effect_begin(L, m, "void");
    effect_text(&e, "reason", reason);
    effect_end(&e);
    m->ending = true;
    return 0;
}

void match_push_methods(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "int", match_int }, { "chance", match_chance }, { "shuffle", match_shuffle }, { "timer", match_timer }, { "cancel", match_cancel },
        { "emit", match_emit }, { "ask", match_ask }, { "finish", match_finish }, { "void", match_void }, { NULL, NULL }
    };
    luaL_newlib(L, methods);
}
