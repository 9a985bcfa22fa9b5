// mem.c — calloc, realloc and free, counted. Counting by allocation and not by byte keeps this to one atomic add.
#include "base/mem.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/auto.h"

static atomic_int_fast64_t allocations;     // since start
static atomic_int_fast64_t fail_from;       // the allocation with this number and all later ones fail; 0: none
static atomic_int_fast64_t fail_until;      // but not this one and those after it; 0: no end

static bool mem_may_allocate(void)
{
    int64_t number = atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed) + 1;
    int64_t from = atomic_load_explicit(&fail_from, memory_order_relaxed);
    if (from == 0 || number < from) return true;
    int64_t until = atomic_load_explicit(&fail_until, memory_order_relaxed);
    return until != 0 && number >= until;
}

_Noreturn void fr_mem_out(size_t bytes)
{
    fprintf(stderr, "frond: out of memory (%zu bytes wanted)\n", bytes);
    abort();
}

// glibc's calloc passes by its per-thread cache of small blocks, malloc does not: half the time for what most calls ask.
#define SMALL_BYTES 1032
void *fr_alloc(size_t bytes)
{
    if (!mem_may_allocate()) return NULL;
    if (bytes > SMALL_BYTES) return calloc(1, bytes);
    void *p = malloc(bytes ? bytes : 1);
    return p ? memset(p, 0, bytes) : NULL;
}

void *fr_must_alloc(size_t bytes)
{
    void *p = fr_alloc(bytes);
    if (!p) fr_mem_out(bytes);
    return p;
}

void *fr_realloc(void *p, size_t bytes)
{
    return mem_may_allocate() ? realloc(p, bytes ? bytes : 1) : NULL;
}

void fr_free(void *p)
{
    free(p);
}

void fr_mem_drop(void *pointer_to_pointer)
{
    void *p;
    memcpy(&p, pointer_to_pointer, sizeof p);    // it may be a char ** or any other: copying bytes breaks no aliasing rule
    fr_free(p);
}

char *fr_strndup(const char *text, size_t len)
{
    char *copy = fr_alloc(len + 1);
    if (copy) memcpy(copy, text, len);
    return copy;
}

char *fr_must_strdup(const char *text)
{
    size_t len = strlen(text);
    char *copy = fr_must_alloc(len + 1);
    memcpy(copy, text, len);
    return copy;
}

void fr_mem_fail_at(int64_t nth)
{
    atomic_store(&fail_until, 0);
    atomic_store(&fail_from, nth == 0 ? 0 : atomic_load(&allocations) + nth);
}

void fr_mem_fail_some(int64_t nth, int64_t count)
{
    int64_t first = atomic_load(&allocations) + nth;
    atomic_store(&fail_until, first + count);
    atomic_store(&fail_from, first);
}

int64_t fr_mem_count(void)
{
    return atomic_load(&allocations);
}
