// mem.h — the one way to allocate. Tests make the Nth allocation fail; production counts bytes.
//
// fr_alloc returns NULL when memory is out (the caller answers FR_E_NOMEM); fr_must_alloc ends the process with a
// clear line instead and is for start-up and for small fixed-size objects on paths that cannot report.
// Thread-safe. Memory is zeroed. Ownership is the caller's until fr_free.
#pragma once
#include <stddef.h>
#include <stdint.h>

void *fr_alloc(size_t bytes);                    // zeroed; NULL when out of memory; bytes may be 0
void *fr_must_alloc(size_t bytes);
void *fr_realloc(void *p, size_t bytes);         // new bytes are NOT zeroed
void fr_free(void *p);
char *fr_strndup(const char *text, size_t len);  // NUL-terminated copy; NULL when out of memory
char *fr_must_strdup(const char *text);
_Noreturn void fr_mem_out(size_t bytes);         // the same end, for a caller who got NULL and cannot go on either; 0: size unknown

// Test hook: the nth allocation from now (1 = the next) and all later ones fail until reset with 0.
void fr_mem_fail_at(int64_t nth);
void fr_mem_fail_some(int64_t nth, int64_t count);   // only `count` of them, as when memory is short for a moment
int64_t fr_mem_count(void);                      // allocations since start
