// source.c — see the header.
#include "worker/source.h"
#include <string.h>
#include <lauxlib.h>
#include "base/mem.h"
#include "worker/prelude.h"

#define SOURCE_CODE_BYTES_MAX (8 * PLUGIN_LUA_BYTES_MAX)
#define QUOTE_LINES 3

bool source_add(struct sources *s, const char *name, size_t name_len, const char *text, size_t len)
{
    if (s->count == PLUGIN_FILES_MAX || name_len + 1 > sizeof s->files->name || memchr(name, 0, name_len)) return false;
    if (!s->files && !(s->files = fr_alloc(PLUGIN_FILES_MAX * sizeof *s->files))) return false;
    struct source *file = &s->files[s->count];
    *file = (struct source){ .len = len };
    if (!(file->text = fr_strndup(text, len))) return false;
    memcpy(file->name, name, name_len);
    file->chunk[0] = '@';
    memcpy(file->chunk + 1, name, name_len);
    fr_buf_init(&file->code, SOURCE_CODE_BYTES_MAX);
    s->count++;
    return true;
}

void source_free(struct sources *s)
{
    for (int i = 0; i < s->count; i++) {
        fr_free(s->files[i].text);
        fr_buf_free(&s->files[i].code);
    }
    fr_free(s->files);
    fr_buf_free(&s->prelude_frond);
    fr_buf_free(&s->prelude_match);
    fr_buf_free(&s->prelude_tools);
    *s = (struct sources){ .files = NULL };
}

static int source_dump(lua_State *L, const void *bytes, size_t len, void *arg)
{
    (void)L;
    struct fr_buf *code = arg;
    fr_buf_add_bytes(code, bytes, len);
    return code->failed;
}

static bool prelude_compile(lua_State *L, const char *name, const char *text, const char *end, struct fr_buf *code)
{
    fr_buf_init(code, SOURCE_CODE_BYTES_MAX);
    if (luaL_loadbufferx(L, text, (size_t)(end - text), name, "t") != LUA_OK) return false;
    if (lua_dump(L, source_dump, code, 1) != 0) return false;      // stripped: nobody debugs it in a match
    lua_pop(L, 1);
    return true;
}

bool source_compile(struct sources *s, lua_State *L)
{
    if (!prelude_compile(L, "=frond", prelude_frond, prelude_frond_end, &s->prelude_frond)) return false;
    if (!prelude_compile(L, "=match", prelude_match, prelude_match_end, &s->prelude_match)) return false;
    if (!prelude_compile(L, "=tools", prelude_tools, prelude_tools_end, &s->prelude_tools)) return false;
    for (int i = 0; i < s->count; i++) {
        struct source *file = &s->files[i];
        if (luaL_loadbufferx(L, file->text, file->len, file->chunk, "t") != LUA_OK) return false;
        fr_buf_clear(&file->code);
        if (lua_dump(L, source_dump, &file->code, 0) != 0) {
            lua_pushfstring(L, "%s: its code is too large", file->name);
            return false;
        }
        lua_pop(L, 1);
    }
    return true;
}

// "lib/deck.lua" is the module "lib.deck".
static bool file_is_module(const struct source *file, const char *module)
{
    const char *f = file->name;
    for (; *module; f++, module++)
        if (*f != *module && !(*f == '/' && *module == '.')) return false;
    return strcmp(f, ".lua") == 0;
}

const struct source *source_find_module(const struct sources *s, const char *module)
{
    size_t len = strlen(s->plugin);
    const char *inner = strncmp(module, s->plugin, len) == 0 && module[len] == '.' ? module + len + 1 : NULL;
    for (int i = 0; i < s->count; i++)
        if (file_is_module(&s->files[i], module)) return &s->files[i];
    for (int i = 0; i < s->count && inner; i++)
        if (file_is_module(&s->files[i], inner)) return &s->files[i];
    return NULL;
}

const struct source *source_find_file(const struct sources *s, const char *name, size_t len)
{
    for (int i = 0; i < s->count; i++)
        if (strlen(s->files[i].name) == len && memcmp(s->files[i].name, name, len) == 0) return &s->files[i];
    return NULL;
}

void source_push(const struct source *file, lua_State *L)
{
    if (luaL_loadbufferx(L, file->code.data, file->code.len, file->chunk, "b") != LUA_OK) lua_error(L);
}

void source_push_prelude(const struct fr_buf *code, lua_State *L)
{
    if (luaL_loadbufferx(L, code->data, code->len, "=frond", "b") != LUA_OK) lua_error(L);
}

// upvalues: 1 the sources, 2 loaded modules by file name, 3 the names being loaded, outermost first
static int source_require(lua_State *L)
{
    const struct sources *s = lua_touserdata(L, lua_upvalueindex(1));
    const char *module = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    if (lua_getfield(L, lua_upvalueindex(2), module) != LUA_TNIL) return 1;         // "frond", and what was asked for before
    const struct source *file = source_find_module(s, module);
    if (!file) return luaL_error(L, "there is no module '%s': this plugin has no such file", module);
    if (lua_getfield(L, lua_upvalueindex(2), file->name) != LUA_TNIL) return 1;     // the same file under its other name
    lua_Integer depth = luaL_len(L, lua_upvalueindex(3));
    for (lua_Integer i = 1; i <= depth; i++) {
        lua_rawgeti(L, lua_upvalueindex(3), i);
        if (strcmp(lua_tostring(L, -1), file->name) == 0) {
            lua_rawgeti(L, lua_upvalueindex(3), depth);
            return luaL_error(L, "modules require each other in a circle: %s needs %s, which is still loading", lua_tostring(L, -1), file->name);
        }
        lua_pop(L, 1);
    }
    lua_pushstring(L, file->name);
    lua_rawseti(L, lua_upvalueindex(3), depth + 1);
    source_push(file, L);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    lua_pushnil(L);
    lua_rawseti(L, lua_upvalueindex(3), depth + 1);
    if (lua_isnil(L, -1)) {
        lua_pushboolean(L, 1);
        lua_replace(L, -2);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(2), file->name);
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(2), module);
    return 1;
}

void source_open_require(lua_State *L, const struct sources *s)
{
    lua_pushlightuserdata(L, (void *)s);
    lua_newtable(L);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "frond");
    lua_newtable(L);
    lua_pushliteral(L, "main.lua");
    lua_rawseti(L, -2, 1);
    lua_pushcclosure(L, source_require, 3);
    lua_setglobal(L, "require");
    lua_pop(L, 1);
}

static const char *line_start(const struct source *file, int line)
{
    const char *at = file->text, *end = file->text + file->len;
    while (--line > 0) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at) return NULL;
        at++;
    }
    return at < end ? at : NULL;
}

void source_quote(const struct source *file, int line, struct fr_buf *out)
{
    int from = line > QUOTE_LINES ? line - QUOTE_LINES : 1, width = 1;
    for (int n = line + QUOTE_LINES; n >= 10; n /= 10) width++;
    for (int n = from; n <= line + QUOTE_LINES; n++) {
        const char *start = line_start(file, n);
        if (!start) return;
        size_t left = (size_t)(file->text + file->len - start);
        const char *end = memchr(start, '\n', left);
        size_t len = end ? (size_t)(end - start) : left;
        if (len && start[len - 1] == '\r') len--;
        fr_buf_addf(out, "%s %*d | ", n == line ? ">" : " ", width, n);
        fr_buf_add_bytes(out, start, len < 200 ? len : 200);
        fr_buf_add_char(out, '\n');
    }
}
