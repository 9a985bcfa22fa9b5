// canon.h — a match's state as canonical bytes: equal states give equal bytes, on every machine, and the bytes give the state back.
//
// Between turns a match *is* these bytes: each turn reads the state from them, and a refused or failed turn simply leaves them alone.
// So a table's history, its holes or two names for one table can never make a live match differ from a replayed one.
// Format, little-endian: 'T' 'F' booleans; 'N' frond.null; 'i' int64; 'd' IEEE double; 's' u32 length, bytes; '{' u32 count, then pairs of a key
// ('i' or 's') and a value, integers ascending, then strings bytewise; '[' the same for a table with the mark of frond.array.
#pragma once
#include <stdbool.h>
#include <lua.h>
#include "base/buf.h"
#include "worker/luajson.h"

// Appends the value at idx; false with *e for functions, NaN, other keys, cycles (by depth), or too many bytes. Raises for lack of memory only.
bool canon_write(lua_State *L, int idx, struct fr_buf *out, struct luajson_error *e);
// Pushes the value. Raises for lack of memory and for bytes that canon_write did not make (a snapshot from a damaged disk).
void canon_read(lua_State *L, const char *bytes, size_t len);
