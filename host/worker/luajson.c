// luajson.c — a recursive reader and writer, both bounded by JSON_DEPTH_MAX.
#include "worker/luajson.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "base/utf8.h"
#include "worker/keys.h"

static const char mark_key = 0, null_value = 0;      // their addresses are the names

void luajson_open(lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");              // getmetatable(list) is false, and nobody can change the mark
    lua_pushliteral(L, "list");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &mark_key);
}

void luajson_push_mark(lua_State *L) { lua_rawgetp(L, LUA_REGISTRYINDEX, &mark_key); }
void luajson_push_null(lua_State *L) { lua_pushlightuserdata(L, (void *)&null_value); }
bool luajson_is_null(lua_State *L, int idx) { return lua_touserdata(L, idx) == &null_value; }

enum luajson_meta luajson_meta(lua_State *L, int idx)
{
    if (!lua_getmetatable(L, idx)) return LUAJSON_PLAIN;
    luajson_push_mark(L);
    bool marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    if (marked) {
        lua_pop(L, 1);
        return LUAJSON_LIST;
    }
    lua_pushliteral(L, "__name");
    bool frozen = lua_rawget(L, -2) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "frozen") == 0;
    lua_pop(L, 1);
    if (frozen) {
        lua_pushliteral(L, "__index");
        frozen = lua_rawget(L, -2) == LUA_TTABLE;
        if (frozen) {
            lua_remove(L, -2);
            return LUAJSON_FROZEN;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return LUAJSON_OTHER;
}

bool luajson_is_list(lua_State *L, int idx)
{
    enum luajson_meta meta = luajson_meta(L, idx);
    if (meta == LUAJSON_FROZEN) lua_pop(L, 1);
    return meta == LUAJSON_LIST;
}

// ---- reading

#define LIST_HELD 16
struct reader { lua_State *L; const char *at, *end; const char *why; int depth; };

static bool read_value(struct reader *r, bool in_object);

static bool read_fail(struct reader *r, const char *why)
{
    if (!r->why) r->why = why;
    return false;
}

static void read_space(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')) r->at++;
}

static bool read_is(struct reader *r, char c)
{
    if (r->at >= r->end || *r->at != c) return false;
    r->at++;
    return true;
}

static bool read_word(struct reader *r, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0) return read_fail(r, "unknown word");
    r->at += len;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static bool read_hex4(struct reader *r, uint32_t *ret)
{
    if (r->end - r->at < 4) return read_fail(r, "cut \\u escape");
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(*r->at++);
        if (digit < 0) return read_fail(r, "bad \\u escape");
        value = value * 16 + (uint32_t)digit;
    }
    *ret = value;
    return true;
}

static bool read_unicode(struct reader *r, luaL_Buffer *text)
{
    uint32_t code, low;
    if (!read_hex4(r, &code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
        if (!read_is(r, '\\') || !read_is(r, 'u') || !read_hex4(r, &low) || low < 0xDC00 || low > 0xDFFF) return read_fail(r, "half a surrogate pair");
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
        return read_fail(r, "half a surrogate pair");
    }
    if (code == 0) return read_fail(r, "NUL in a text");
    char utf8[4];
    luaL_addlstring(text, utf8, fr_utf8_put(code, utf8));
    return true;
}

static bool read_escape(struct reader *r, luaL_Buffer *text)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->at >= r->end) return read_fail(r, "cut escape");
    char c = *r->at++;
    if (c == 'u') return read_unicode(r, text);
    const char *found = c ? strchr(from, c) : NULL;
    if (!found) return read_fail(r, "unknown escape");
    luaL_addchar(text, to[found - from]);
    return true;
}

// The length of the run of plain characters at the front; *high says whether some are not ASCII.
static size_t read_run(const struct reader *r, bool *high)
{
    const char *at = r->at;
    unsigned char all = 0;
    while (at < r->end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20) all |= (unsigned char)*at++;
    *high = all >= 0x80;
    return (size_t)(at - r->at);
}

static bool read_text(struct reader *r)              // after the opening quote; pushes the string
{
    bool high;
    size_t run = read_run(r, &high);
    if (high && !fr_utf8_valid(r->at, run)) return read_fail(r, "text that is not UTF-8");
    if (r->at + run < r->end && r->at[run] == '"') {  // no escapes: straight from the input
        lua_pushlstring(r->L, r->at, run);
        r->at += run + 1;
        return true;
    }
    luaL_Buffer text;
    luaL_buffinit(r->L, &text);
    for (;;) {
        luaL_addlstring(&text, r->at, run);
        r->at += run;
        if (read_is(r, '"')) break;
        if (!read_is(r, '\\')) return read_fail(r, "text that does not end");
        if (!read_escape(r, &text)) return false;
        run = read_run(r, &high);
        if (high && !fr_utf8_valid(r->at, run)) return read_fail(r, "text that is not UTF-8");
    }
    luaL_pushresult(&text);
    return true;
}

static bool is_digit(const struct reader *r) { return r->at < r->end && *r->at >= '0' && *r->at <= '9'; }

static bool read_digits(struct reader *r)
{
    if (!is_digit(r)) return read_fail(r, "bad number");
    while (is_digit(r)) r->at++;
    return true;
}

static bool read_float(struct reader *r, const char *start)
{
    char text[400];                                  // strtod wants a NUL; longer numbers are nonsense
    size_t len = (size_t)(r->at - start);
    if (len >= sizeof text) return read_fail(r, "number too long");
    memcpy(text, start, len);
    text[len] = 0;
    double x = strtod(text, NULL);
    if (isinf(x)) return read_fail(r, "number too large");
    lua_pushnumber(r->L, x);
    return true;
}

static bool read_number(struct reader *r)
{
    const char *start = r->at;
    bool negative = read_is(r, '-'), whole = true;
    const char *digits = r->at;
    if (!read_is(r, '0') && !read_digits(r)) return false;
    size_t digit_count = (size_t)(r->at - digits);
    if (read_is(r, '.')) {
        whole = false;
        if (!read_digits(r)) return false;
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        whole = false;
        r->at++;
        if (!read_is(r, '+')) read_is(r, '-');
        if (!read_digits(r)) return false;
    }
    if (!whole || digit_count > 19) return read_float(r, start);
    uint64_t value = 0;                              // 19 digits fit
    for (const char *d = digits; d < r->at; d++) value = value * 10 + (uint64_t)(*d - '0');
    if (value > (uint64_t)INT64_MAX + negative || (negative && value == 0)) return read_float(r, start);   // -0 is a float
    lua_pushinteger(r->L, (lua_Integer)(negative ? 0 - value : value));
    return true;
}

// Values wait on the stack until LIST_HELD of them are there, so that a short list gets a table of its size and is never resized.
static bool read_items(struct reader *r, int *held, bool *more)
{
    *more = true;
    for (*held = 0; *held < LIST_HELD && *more; ++*held) {
        if (!read_value(r, false)) return false;
        read_space(r);
        *more = !read_is(r, ']');
        if (*more && !read_is(r, ',')) return read_fail(r, "expected , or ] in a list");
    }
    return true;
}

static bool read_list(struct reader *r)
{
    lua_State *L = r->L;
    int held = 0, table = lua_gettop(L) + 1;
    bool more = false;
    read_space(r);
    if (!read_is(r, ']') && !read_items(r, &held, &more)) return false;
    lua_createtable(L, held, 0);
    lua_insert(L, table);
    lua_Integer count = 0;
    for (;;) {
        for (int i = held; i > 0; i--) lua_rawseti(L, table, count + i);
        if (!more) break;
        count += held;
        if (!read_items(r, &held, &more)) return false;
    }
    luajson_push_mark(L);
    lua_setmetatable(L, table);
    return true;
}

static bool read_object(struct reader *r)
{
    lua_State *L = r->L;
    lua_createtable(L, 0, r->depth == 1 ? 8 : 4);
    read_space(r);
    if (read_is(r, '}')) return true;
    for (;;) {
        read_space(r);
        if (!read_is(r, '"')) return read_fail(r, "expected a member name");
        if (!read_text(r)) return false;
        read_space(r);
        if (!read_is(r, ':')) return read_fail(r, "expected : after a member name");
        if (!read_value(r, true)) return false;
        lua_rawset(L, -3);                           // nil, from null, leaves the member absent
        read_space(r);
        if (read_is(r, '}')) return true;
        if (!read_is(r, ',')) return read_fail(r, "expected , or } in an object");
    }
}

static bool read_nested(struct reader *r, bool (*read)(struct reader *))
{
    if (++r->depth > JSON_DEPTH_MAX) return read_fail(r, "nested too deep");
    luaL_checkstack(r->L, LIST_HELD + 8, "nested too deep");
    r->at++;
    bool ok = read(r);
    r->depth--;
    return ok;
}

static bool read_value(struct reader *r, bool in_object)
{
    read_space(r);
    if (r->at >= r->end) return read_fail(r, "it ends too early");
    switch (*r->at) {
    case '{': return read_nested(r, read_object);
    case '[': return read_nested(r, read_list);
    case '"': r->at++; return read_text(r);
    case 't': lua_pushboolean(r->L, 1); return read_word(r, "true");
    case 'f': lua_pushboolean(r->L, 0); return read_word(r, "false");
    case 'n':
        if (in_object) lua_pushnil(r->L);
        else luajson_push_null(r->L);
        return read_word(r, "null");
    default:  return read_number(r);
    }
}

bool luajson_read(lua_State *L, const char *text, size_t len, const char **why)
{
    struct reader r = { .L = L, .at = text, .end = text + len };
    int top = lua_gettop(L);
    luaL_checkstack(L, 8, "too much data");
    bool ok = read_value(&r, true);                  // a null on top is nil
    read_space(&r);
    if (ok && r.at != r.end) ok = read_fail(&r, "bytes after the value");
    if (ok) return true;
    lua_settop(L, top);
    *why = r.why;
    return false;
}

void luajson_read_or_raise(lua_State *L, const char *text, size_t len, const char *what)
{
    const char *why = NULL;
    if (!luajson_read(L, text, len, &why)) luaL_error(L, "%s is not JSON: %s", what, why);
}

// ---- writing

// Where the writer stands; turned into text only when something is wrong there.
struct step { const struct step *up; const char *name; lua_Integer index; };      // name NULL: [index]
struct writer { lua_State *L; struct fr_buf *out; struct luajson_error *e; const struct step *at; bool sorted; int depth; };

static bool write_value(struct writer *w, int idx);

static size_t step_text(const struct step *s, char *path)
{
    if (!s) return 0;
    size_t at = step_text(s->up, path), room = LUAJSON_PATH_BYTES - at;
    int len = s->name ? snprintf(path + at, room, ".%.40s", s->name) : snprintf(path + at, room, "[%lld]", (long long)s->index);
    return at + ((size_t)len < room ? (size_t)len : room - 1);
}

static bool write_fail(struct writer *w, const char *fmt, const char *word)
{
    step_text(w->at, w->e->path);
    snprintf(w->e->text, sizeof w->e->text, fmt, word);
    return false;
}

static bool write_text(struct writer *w, const char *text, size_t len)
{
    unsigned char all = 0;
    bool plain = true;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        all |= c;
        if (c < 0x20 || c == '"' || c == '\\') plain = false;
        if (c == 0) return write_fail(w, "a text must not hold a NUL byte%s", "");
    }
    if (all >= 0x80 && !fr_utf8_valid(text, len)) return write_fail(w, "a text must be UTF-8%s", "");
    if (!plain) {
        fr_buf_add_json_bytes(w->out, text, len);
        return true;
    }
    char *at = fr_buf_reserve(w->out, len + 2);
    if (!at) return true;                            // out->failed is looked at on top
    at[0] = at[len + 1] = '"';
    memcpy(at + 1, text, len);
    fr_buf_commit(w->out, len + 2);
    return true;
}

void luajson_write_float(struct fr_buf *out, double x)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    fr_buf_add(out, text);
    if (!strpbrk(text, ".e")) fr_buf_add(out, ".0");
}

static bool write_number(struct writer *w, int idx)
{
    if (lua_isinteger(w->L, idx)) {
        fr_buf_add_i64(w->out, lua_tointeger(w->L, idx));
        return true;
    }
    double x = lua_tonumber(w->L, idx);
    if (isnan(x) || isinf(x)) return write_fail(w, "%s is no number that JSON knows", isnan(x) ? "nan" : "inf");
    luajson_write_float(w->out, x);
    return true;
}

static bool write_list(struct writer *w, int idx, size_t count)
{
    fr_buf_add_char(w->out, '[');
    for (size_t i = 1; i <= count; i++) {
        if (i > 1) fr_buf_add_char(w->out, ',');
        struct step here = { .up = w->at, .index = (lua_Integer)i };
        w->at = &here;
        lua_rawgeti(w->L, idx, (lua_Integer)i);
        bool ok = write_value(w, lua_gettop(w->L));
        w->at = here.up;
        if (!ok) return false;
        lua_pop(w->L, 1);
    }
    fr_buf_add_char(w->out, ']');
    return true;
}

static bool write_member(struct writer *w, const char *name, size_t len, bool first)   // the value is on top
{
    struct step here = { .up = w->at, .name = name };
    w->at = &here;
    if (!first) fr_buf_add_char(w->out, ',');
    bool ok = write_text(w, name, len);
    fr_buf_add_char(w->out, ':');
    ok = ok && write_value(w, lua_gettop(w->L));
    w->at = here.up;
    return ok;
}

static bool write_object_sorted(struct writer *w, int idx)
{
    size_t first, count;
    const char *bad = NULL;
    if (!keys_gather(w->L, idx, &first, &count, &bad)) return write_fail(w, "a %s key", bad);
    fr_buf_add_char(w->out, '{');
    for (size_t i = 0; i < count; i++) {
        struct key k = keys_at(first + i);
        lua_pushlstring(w->L, k.text, k.len);
        lua_rawget(w->L, idx);
        if (!write_member(w, k.text, k.len, i == 0)) return false;
        lua_pop(w->L, 1);
    }
    keys_drop(first);
    fr_buf_add_char(w->out, '}');
    return true;
}

static bool write_refused(struct writer *w, enum keys_shape shape, const char *bad)
{
    switch (shape) {
    case KEYS_SPARSE: return write_fail(w, "integer keys that are not 1..n make no list; use text keys: t[tostring(id)]%s", "");
    case KEYS_BAD:    return write_fail(w, "a %s cannot be a key here", bad);
    default:          return write_fail(w, "a table with both list items and named members is neither a list nor an object%s", "");
    }
}

static bool write_object(struct writer *w, int idx)
{
    bool first = true;
    fr_buf_add_char(w->out, '{');
    for (lua_pushnil(w->L); lua_next(w->L, idx); lua_pop(w->L, 1)) {
        if (lua_type(w->L, -2) != LUA_TSTRING) {
            size_t count;
            const char *bad = NULL;
            enum keys_shape shape = keys_shape(w->L, idx, &count, &bad);
            return write_refused(w, shape, bad);
        }
        size_t len;
        const char *name = lua_tolstring(w->L, -2, &len);
        if (!write_member(w, name, len, first)) return false;
        first = false;
    }
    fr_buf_add_char(w->out, '}');
    return true;
}

static bool write_shaped(struct writer *w, int idx, bool marked)
{
    size_t count = 0;
    const char *bad = NULL;
    enum keys_shape shape = keys_shape(w->L, idx, &count, &bad);
    switch (shape) {
    case KEYS_EMPTY:  fr_buf_add(w->out, marked ? "[]" : "{}"); return true;
    case KEYS_LIST:   return write_list(w, idx, count);
    case KEYS_TEXT:   if (marked) return write_fail(w, "a list must not have named members%s", "");
                      return w->sorted ? write_object_sorted(w, idx) : write_object(w, idx);
    default:          return write_refused(w, shape, bad);
    }
}

static bool first_key_is_text(lua_State *L, int idx)
{
    lua_pushnil(L);
    if (!lua_next(L, idx)) return false;
    bool text = lua_type(L, -2) == LUA_TSTRING;
    lua_pop(L, 2);
    return text;
}

static bool write_table(struct writer *w, int idx)
{
    if (++w->depth > JSON_DEPTH_MAX) return write_fail(w, "nested too deep%s (or a cycle)", "");
    if (!lua_checkstack(w->L, 8)) return write_fail(w, "out of memory%s", "");
    enum luajson_meta meta = luajson_meta(w->L, idx);
    bool ok;
    if (meta == LUAJSON_FROZEN) {
        ok = write_table(w, lua_gettop(w->L));
        lua_pop(w->L, 1);
    } else if (meta != LUAJSON_LIST && !w->sorted && first_key_is_text(w->L, idx)) {
        ok = write_object(w, idx);                       // nearly always right, and one walk instead of two
    } else {
        ok = write_shaped(w, idx, meta == LUAJSON_LIST);
    }
    w->depth--;
    return ok;
}

static bool write_value(struct writer *w, int idx)
{
    if (w->out->failed) return write_fail(w, "too long%s", "");
    switch (lua_type(w->L, idx)) {
    case LUA_TNIL:     fr_buf_add(w->out, "null"); return true;
    case LUA_TBOOLEAN: fr_buf_add(w->out, lua_toboolean(w->L, idx) ? "true" : "false"); return true;
    case LUA_TNUMBER:  return write_number(w, idx);
    case LUA_TSTRING: {
        size_t len;
        const char *text = lua_tolstring(w->L, idx, &len);
        return write_text(w, text, len);
    }
    case LUA_TTABLE:   return write_table(w, idx);
    default:
        if (luajson_is_null(w->L, idx)) {
            fr_buf_add(w->out, "null");
            return true;
        }
        return write_fail(w, "a %s is not plain data", luaL_typename(w->L, idx));
    }
}

bool luajson_write(lua_State *L, int idx, bool sorted, struct fr_buf *out, struct luajson_error *e)
{
    struct writer w = { .L = L, .out = out, .e = e, .sorted = sorted };
    int top = lua_gettop(L);
    e->path[0] = e->text[0] = 0;
    keys_reset();
    bool ok = lua_checkstack(L, 8) && write_value(&w, lua_absindex(L, idx));
    lua_settop(L, top);
    if (ok && out->failed) ok = write_fail(&w, "too long%s", "");
    if (!ok && !e->text[0]) write_fail(&w, "out of memory%s", "");
    return ok;
}
