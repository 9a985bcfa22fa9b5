// state.c — opening the libraries is the one place where something dangerous could slip in, so they are named one by one.
#include "worker/state.h"
#include <assert.h>
#include <string.h>
#include <unistd.h>
#include <lauxlib.h>
#include <lualib.h>
#include "base/mem.h"
#include "worker/base_lib.h"
#include "worker/turn.h"

#define VM_GARBAGE_BYTES (32 * 1024)          // a match may gather this much before it collects

static unsigned int vm_seed;                     // read by luai_makeseed inside lua_newstate
unsigned int frond_lua_seed(void) { return vm_seed; }

static void heap_count(struct vm *vm, size_t freed, size_t taken)
{
    vm->used = vm->used - freed + taken;
    vm->heap->used = vm->heap->used - freed + taken;
    if (taken <= freed) return;
    struct worker_page *page = vm->heap->page;
    if (vm->heap->used > page->heap_peak_bytes) page->heap_peak_bytes = vm->heap->used;
}

static void *vm_alloc(void *arg, void *old, size_t old_bytes, size_t bytes)
{
    struct vm *vm = arg;
    if (!old) old_bytes = 0;                     // Lua passes a type tag there
    if (bytes == 0) {
        fr_free(old);
        heap_count(vm, old_bytes, 0);
        return NULL;
    }
    if (bytes > old_bytes) {
        size_t more = bytes - old_bytes;
        if (vm->used + more > vm->cap || vm->heap->used + more > vm->heap->cap) return NULL;   // Lua collects and asks once more
    }
    void *p = fr_realloc(old, bytes);
    if (!p && bytes <= old_bytes) p = old;       // Lua takes it for granted that shrinking works
    if (!p) return NULL;
    heap_count(vm, old_bytes, bytes);
    return p;
}

static int vm_panic(lua_State *L)
{
    (void)L;
    _exit(WORKER_EXIT_MEMORY);                   // everything that raises runs protected; only memory can get here
}

static int vm_open_libraries(lua_State *L)
{
    base_lib_open(L, vm_of(L)->replay);
    return 0;
}

enum fr_status vm_open(struct vm *vm, struct heap *heap, size_t cap, bool replay, uint32_t seed, struct fr_err *err)
{
    *vm = (struct vm){ .heap = heap, .cap = cap, .replay = replay, .collect_at = VM_GARBAGE_BYTES };
    vm_seed = seed;
    vm->L = lua_newstate(vm_alloc, vm);
    if (!vm->L) return FR_FAIL(err, FR_E_NOMEM, "no memory for a Lua state (%zu of %zu bytes are in use)", heap->used, heap->cap);
    lua_atpanic(vm->L, vm_panic);
    *(struct vm **)lua_getextraspace(vm->L) = vm;
    if (vm_protect(vm, vm_open_libraries, NULL) != LUA_OK) {
        enum fr_status st = FR_FAIL(err, FR_E_NOMEM, "opening the libraries: %s", lua_tostring(vm->L, -1));
        vm_close(vm);
        return st;
    }
    return FR_OK;
}

void vm_close(struct vm *vm)
{
    if (vm->L) lua_close(vm->L);
    vm->L = NULL;
}

int vm_protect(struct vm *vm, lua_CFunction fn, void *arg)
{
    lua_pushcfunction(vm->L, fn);                // light: needs no memory
    lua_pushlightuserdata(vm->L, arg);
    return lua_pcall(vm->L, 1, 0, 0);
}

void vm_freeze(struct vm *vm)
{
    vm->frozen = true;
    if (!vm->replay) return;
    lua_gc(vm->L, LUA_GCCOLLECT);
    lua_gc(vm->L, LUA_GCSTOP);                   // when a collection comes must never be visible in a match
    vm->collect_at = vm->used * 2 + VM_GARBAGE_BYTES;
}

void vm_rest(struct vm *vm)
{
    if (vm->used < vm->collect_at) return;
    lua_gc(vm->L, LUA_GCCOLLECT);
    vm->collect_at = vm->used * 2 + VM_GARBAGE_BYTES;
}
