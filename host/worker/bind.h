// bind.h — the one binder: makes Lua functions of api/table.h, checks their arguments, and sends them to the host.
//
// Wrong arguments raise: "bad argument 'amount' to ledger.charge: expected an integer of 1 or more, got string". A call that waits
// yields up to the base of the turn (through the plugin's own coroutines too) and resumes with the answer; a refusal of the
// world is nil, code, detail. Inside a match only API_IN_MATCH calls work; the others raise and point to m:ask.
#pragma once
#include <stdbool.h>
#include <lua.h>
#include "base/buf.h"

struct worker;
void bind_push_families(lua_State *L);     // pushes {store = {get = f, ..}, ..}, and sets each but "frond" as a global
// Checks a table of named arguments against the call "family.name" and writes it as the JSON object of an ask. Raises on mistakes,
// also for calls that are not API_ASKABLE. The table is at idx (or nil).
void bind_write_named(lua_State *L, const char *fn, int idx, struct fr_buf *out);
