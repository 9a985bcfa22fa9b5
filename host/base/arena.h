// arena.h — memory that lives exactly as long as one operation: many allocations, one free.
//
// Not thread-safe. Blocks double from ARENA_FIRST_BYTES; the whole never exceeds `max_bytes` given at creation. Sizes are
// rounded up to 16 bytes, and a block's unused end counts: give `max_bytes` some air.
#pragma once
#include <stdarg.h>
#include "base/auto.h"
#include "base/err.h"

#define ARENA_FIRST_BYTES 1024

struct fr_arena;
struct fr_arena *fr_arena_new(size_t max_bytes);             // NULL when out of memory
void fr_arena_free(struct fr_arena *a);                      // takes NULL
void *fr_arena_alloc(struct fr_arena *a, size_t bytes);      // zeroed, 16-byte aligned; NULL past max_bytes
char *fr_arena_strndup(struct fr_arena *a, const char *text, size_t len);
char *fr_arena_printf(struct fr_arena *a, const char *fmt, ...) FR_PRINTF(2, 3);
FR_AUTO_DEFINE(fr_arena)
