// fault.h — a Lua error as the JSON that an author reads: what, in which file and line, the lines around it, and how it came there.
//
// {"code":"plugin_error","detail":"..","file":"main.lua","line":12,"frame":"..","trace":".."}; file, line and frame are absent when the
// error has no place in the plugin's files. Walks a stack without touching it and needs no Lua memory, so it works when memory is out.
#pragma once
#include <lua.h>
#include "base/buf.h"
#include "worker/source.h"

// The message is at idx of L (any value); `stack` is the state whose frames tell where (NULL: none). `detail`, if not NULL, is said
// in place of the message, which then only tells where.
void fault_write(struct fr_buf *out, const struct sources *s, lua_State *L, int idx, lua_State *stack, const char *code, const char *detail);
void fault_write_text(struct fr_buf *out, const char *code, const char *detail);
