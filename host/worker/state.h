// state.h — one sandboxed Lua state: capped memory, chosen libraries, and globals that freeze after loading.
//
// A worker has one call state (calls, hooks, jobs) and one state per match. Both get the same libraries; a match state is
// replayable as well: pairs and next are canonical, nothing shows an address, nothing comes from libm, no collection happens
// during a turn. `struct vm` is found from any lua_State of it by vm_of. Lua errors never leave vm_open and vm_protect.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <lua.h>
#include "base/err.h"
#include "ipc/call.h"

struct heap { size_t cap, used; struct worker_page *page; };      // of all states of a worker together

struct vm {
    lua_State *L;
    struct heap *heap;
    size_t cap, used;
    bool replay;              // a match state
    bool frozen;              // globals may no longer be written
    size_t collect_at;        // bytes at which vm_rest collects
    struct worker *worker;
    struct match *match;      // NULL in the call state
};

static inline struct vm *vm_of(lua_State *L) { return *(struct vm **)lua_getextraspace(L); }

// seed: of Lua's string hash; the same for every replay of a match. FR_E_NOMEM when the caps are too small.
FR_MUST_USE enum fr_status vm_open(struct vm *vm, struct heap *heap, size_t cap, bool replay, uint32_t seed, struct fr_err *err);
void vm_close(struct vm *vm);                    // takes one that never opened
// Runs fn(arg) on the main state inside lua_pcall; on failure the message is left on the stack.
int vm_protect(struct vm *vm, lua_CFunction fn, void *arg);
void vm_freeze(struct vm *vm);
void vm_rest(struct vm *vm);                     // between turns of a match: collect when enough garbage has gathered
