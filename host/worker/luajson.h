// luajson.h — JSON to Lua values and back, without a tree in between and without losing an integer's bits.
//
// Reading is strict (RFC 8259, UTF-8, no duplicate keys checked here: the host has refused them already), bounded by JSON_DEPTH_MAX.
// Integers that fit int64 become Lua integers, other numbers floats. A null member of an object is absent, a null in a list is
// frond.null, a null on top is nil. Lists carry the frond.array mark, so that an emptied one prints as [] again.
// Writing: a marked table, or one whose keys are exactly 1..n with n > 0, is a list; one with string keys only is an object; anything
// else is refused with its path. Integers print as integers; floats as the shortest of %.15g, %.16g, %.17g that reads back the same,
// always with a point or an exponent ("3.0"); inf and nan are refused; text must be UTF-8 without NUL bytes.
// Sorted output (keys bytewise) is canonical: equal values give equal bytes.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <lua.h>
#include "base/buf.h"
#include "base/limits.h"

#define LUAJSON_PATH_BYTES 160
struct luajson_error { char path[LUAJSON_PATH_BYTES]; char text[120]; };

// Pushes the value. False when the text is not JSON (nothing is pushed then; *why is a literal). May raise for lack of memory only.
bool luajson_read(lua_State *L, const char *text, size_t len, const char **why);
// The same, raising "WHAT: why" as an error of Lua.
void luajson_read_or_raise(lua_State *L, const char *text, size_t len, const char *what);
// Appends the value at idx. False with *e when it is not plain data, or when out failed (then e->text says that it is too long).
// What was appended before the failure stays: the caller cuts it off. May raise for lack of memory only.
bool luajson_write(lua_State *L, int idx, bool sorted, struct fr_buf *out, struct luajson_error *e);
void luajson_write_float(struct fr_buf *out, double x);

// The mark of frond.array, and frond.null.
void luajson_open(lua_State *L);                 // makes the mark of this state
void luajson_push_mark(lua_State *L);            // pushes the metatable
bool luajson_is_list(lua_State *L, int idx);     // marked
// What a table's metatable makes of it as data. For LUAJSON_FROZEN (m.options and the like) the table behind it is pushed.
enum luajson_meta { LUAJSON_PLAIN, LUAJSON_LIST, LUAJSON_FROZEN, LUAJSON_OTHER };
enum luajson_meta luajson_meta(lua_State *L, int idx);
void luajson_push_null(lua_State *L);
bool luajson_is_null(lua_State *L, int idx);
