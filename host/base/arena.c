// arena.c — a chain of blocks, newest first; allocation moves a mark in the newest.
#include "base/arena.h"
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

#define ARENA_ALIGN 16

struct arena_block {
    struct arena_block *older;
    size_t size, used;
    _Alignas(ARENA_ALIGN) char bytes[];
};
struct fr_arena {
    struct arena_block *newest;
    size_t max_bytes, total_bytes;      // total: the sum of all block sizes
};

struct fr_arena *fr_arena_new(size_t max_bytes)
{
    struct fr_arena *a = fr_alloc(sizeof *a);
    if (a) a->max_bytes = max_bytes;
    return a;
}

void fr_arena_free(struct fr_arena *a)
{
    if (!a) return;
    for (struct arena_block *b = a->newest, *older; b; b = older) {
        older = b->older;
        fr_free(b);
    }
    fr_free(a);
}

// Twice the last block, or what is needed, or (near the bound) what is left.
static size_t arena_block_size(const struct fr_arena *a, size_t needed)
{
    size_t left = a->max_bytes - a->total_bytes;
    size_t size = a->newest ? a->newest->size * 2 : ARENA_FIRST_BYTES;
    if (size < needed) size = needed;
    return size < left ? size : left;
}

static struct arena_block *arena_grow(struct fr_arena *a, size_t needed)
{
    size_t size = arena_block_size(a, needed);
    if (size < needed) return NULL;
    struct arena_block *b = fr_alloc(sizeof *b + size);
    if (!b) return NULL;
    b->size = size;
    b->older = a->newest;
    a->newest = b;
    a->total_bytes += size;
    return b;
}

void *fr_arena_alloc(struct fr_arena *a, size_t bytes)
{
    if (bytes > a->max_bytes) return NULL;                 // also keeps the rounding below from overflowing
    size_t needed = (bytes + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    struct arena_block *b = a->newest;
    if (!b || needed > b->size - b->used) b = arena_grow(a, needed);
    if (!b) return NULL;
    void *p = b->bytes + b->used;                          // still zero: blocks come zeroed and are never reused
    b->used += needed;
    return p;
}

char *fr_arena_strndup(struct fr_arena *a, const char *text, size_t len)
{
    if (len >= a->max_bytes) return NULL;
    char *copy = fr_arena_alloc(a, len + 1);
    if (copy) memcpy(copy, text, len);
    return copy;
}

char *fr_arena_printf(struct fr_arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    char *out = len < 0 ? NULL : fr_arena_alloc(a, (size_t)len + 1);
    if (out) vsnprintf(out, (size_t)len + 1, fmt, again);
    va_end(again);
    va_end(args);
    return out;
}
