// keys.h — the keys of a table in canonical order: integers ascending, then strings bytewise. No other key has an order.
//
// JSON, state hashes and a match's pairs all need it. Keys lie on one scratch stack of the process, so that a Lua error in the
// middle leaks nothing: whoever starts a walk from the top calls keys_reset. Entries move when more are gathered: look by index.
// The texts belong to the table: they stay while its keys stay and no collection runs over a changed table.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <lua.h>

struct key { const char *text; size_t len; lua_Integer number; };     // text NULL: the key is `number`

void keys_reset(void);
// Gathers the keys of the table at idx. False with *bad: the type of a key that has no order, or "memory".
bool keys_gather(lua_State *L, int idx, size_t *first, size_t *count, const char **bad);
struct key keys_at(size_t index);
void keys_drop(size_t first);
void keys_push(lua_State *L, const struct key *k);
// How the table reads as plain data: a list is 1..n without holes; an empty table is KEYS_EMPTY.
enum keys_shape { KEYS_EMPTY, KEYS_LIST, KEYS_TEXT, KEYS_MIXED, KEYS_SPARSE, KEYS_BAD };
// Decides without gathering; *count is the number of keys; *bad as above for KEYS_BAD.
enum keys_shape keys_shape(lua_State *L, int idx, size_t *count, const char **bad);
