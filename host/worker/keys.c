// keys.c — most tables are lists or small records, so the walk itself notices when nothing needs sorting.
#include "worker/keys.h"
#include <stdlib.h>
#include <string.h>
#include <lauxlib.h>
#include "base/mem.h"

static struct { struct key *at; size_t count, cap; } keys;

void keys_reset(void) { keys.count = 0; }
struct key keys_at(size_t index) { return keys.at[index]; }
void keys_drop(size_t first) { keys.count = first; }

static bool keys_add(struct key k)
{
    if (keys.count == keys.cap) {
        size_t cap = keys.cap ? keys.cap * 2 : 256;
        struct key *at = fr_realloc(keys.at, cap * sizeof *at);
        if (!at) return false;
        keys.at = at;
        keys.cap = cap;
    }
    keys.at[keys.count++] = k;
    return true;
}

static int keys_compare(const void *left, const void *right)
{
    const struct key *a = left, *b = right;
    if (!a->text || !b->text) {
        if (a->text || b->text) return a->text ? 1 : -1;
        return a->number < b->number ? -1 : a->number > b->number;
    }
    int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return order ? order : a->len < b->len ? -1 : a->len > b->len;
}

static bool key_of(lua_State *L, int idx, struct key *k, const char **bad)
{
    *k = (struct key){ 0 };
    if (lua_type(L, idx) == LUA_TSTRING) {
        k->text = lua_tolstring(L, idx, &k->len);
        return true;
    }
    if (lua_isinteger(L, idx)) {
        k->number = lua_tointeger(L, idx);
        return true;
    }
    *bad = lua_type(L, idx) == LUA_TNUMBER ? "float" : luaL_typename(L, idx);
    return false;
}

bool keys_gather(lua_State *L, int idx, size_t *first, size_t *count, const char **bad)
{
    idx = lua_absindex(L, idx);
    *first = keys.count;
    bool sorted = true;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        struct key k;
        bool fits = key_of(L, -2, &k, bad);
        if (fits && !keys_add(k)) {
            *bad = "memory";
            fits = false;
        }
        if (!fits) {
            lua_pop(L, 2);
            keys_drop(*first);
            return false;
        }
        if (sorted && keys.count > *first + 1)
            sorted = keys_compare(&keys.at[keys.count - 2], &keys.at[keys.count - 1]) < 0;
    }
    *count = keys.count - *first;
    if (!sorted) qsort(keys.at + *first, *count, sizeof *keys.at, keys_compare);
    return true;
}

void keys_push(lua_State *L, const struct key *k)
{
    if (k->text) lua_pushlstring(L, k->text, k->len);
    else lua_pushinteger(L, k->number);
}

enum keys_shape keys_shape(lua_State *L, int idx, size_t *count, const char **bad)
{
    idx = lua_absindex(L, idx);
    size_t numbers = 0, texts = 0;
    lua_Integer least = 1, most = 0;
    for (lua_pushnil(L); lua_next(L, idx); lua_pop(L, 1)) {
        struct key k;
        if (!key_of(L, -2, &k, bad)) {
            lua_pop(L, 2);
            return KEYS_BAD;
        }
        if (k.text) {
            texts++;
            continue;
        }
        numbers++;
        if (k.number < least) least = k.number;
        if (k.number > most) most = k.number;
    }
    *count = numbers + texts;
    if (*count == 0) return KEYS_EMPTY;
    if (numbers && texts) return KEYS_MIXED;
    if (texts) return KEYS_TEXT;
    return least == 1 && (size_t)most == numbers ? KEYS_LIST : KEYS_SPARSE;
}
