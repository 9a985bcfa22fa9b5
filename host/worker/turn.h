// turn.h — one turn at a time: whose it is, how long it has run, and how it is stopped.
//
// A turn is one resume of plugin code: a call, the answer to a host call, a match's input. Its bound is CPU time of the process,
// because a wall clock would punish plugins for the machine's other work. The timer (ITIMER_PROF) runs whenever the process burns
// CPU and costs nothing while it waits, so a turn arms and disarms nothing. At each tick the handler asks the CPU clock how long
// the running turn has been seen; a turn is therefore never stopped before its limit, and at most one tick after it.
//
// TURN_SOFT_MS: a count hook on every coroutine of the running resume chain (a hook acts on one coroutine only), which raises
// at each further instruction: pcall returns into plugin code, and its next instruction raises again, down to the base.
// TURN_HARD_MS: the process ends with WORKER_EXIT_CPU; loops inside C code never reach a hook.
// After a trip the coroutine or match is dropped: what pcall might have caught half-way is never resumed.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <lua.h>
#include "ipc/call.h"

enum turn_trip { TRIP_NONE = 0, TRIP_CPU, TRIP_MEMORY };

#define TURN_TICK_MS 10
#define TURN_CHAIN_MAX 220          // Lua itself stops at 200 nested C calls, and each resume is one

void turn_prepare(struct worker_page *page);      // signal handler and timer; before the lockdown
// Both bounds times this, for unit tests: code under a sanitizer needs several times the CPU of the code that serves.
void turn_expect_slow(int times);
void turn_begin(lua_State *base, uint32_t frame_id);
enum turn_trip turn_end(void);                    // takes the hooks away again
enum turn_trip turn_tripped(void);                // of the running turn
void turn_trip_memory(void);                      // out of memory after a full collection: nothing more may run
bool turn_push(lua_State *co);                    // co is about to be resumed; false: too deep
void turn_pop(void);
lua_State *turn_base(void);                       // NULL between turns
uint32_t turn_frame_id(void);                     // 0 between turns
// False when some state of the chain stands inside C code that cannot wait (table.sort, string.gsub, a metamethod of C).
bool turn_can_wait(void);
// A host call sets it before it yields; every resume on the way passes the yield on to the base, which clears it.
void turn_set_waiting(bool waiting);
bool turn_is_waiting(void);
// Raises if the turn tripped: our pcall, resume and close call it before plugin code would run on.
void turn_rethrow(lua_State *L);
