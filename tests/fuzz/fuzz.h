// fuzz.h — what the targets share. A target reads bytes, calls one parser the way the host does, and checks what must hold.
//
// A target keeps no state between inputs that could change an outcome, takes neither time nor randomness from outside, and
// leaves nothing allocated: the same bytes give the same run on any machine.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A promise. Unlike assert it is a sentence about the tested code, not about the target.
#define HOLDS(x) do { if (!(x)) { fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #x); abort(); } } while (0)

// The input, eaten from the front.
struct fuzz_in { const uint8_t *at; size_t left; };

static inline uint8_t fuzz_byte(struct fuzz_in *in)              // 0 at the end
{
    if (in->left == 0) return 0;
    in->left--;
    return *in->at++;
}

static inline uint64_t fuzz_u64(struct fuzz_in *in)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++) v = v << 8 | fuzz_byte(in);
    return v;
}

// Everything up to the next NUL (which is eaten) or to the end, in memory of exactly its size and a NUL behind: reading past it is seen.
static inline char *fuzz_part(struct fuzz_in *in, size_t *len)
{
    const uint8_t *nul = in->left ? memchr(in->at, 0, in->left) : NULL;
    *len = nul ? (size_t)(nul - in->at) : in->left;
    char *part = malloc(*len + 1);
    if (*len) memcpy(part, in->at, *len);
    part[*len] = 0;
    in->at += *len + (nul != NULL);
    in->left -= *len + (nul != NULL);
    return part;
}

// A few numbers from a seed of the input's own (xorshift).
static inline uint32_t fuzz_draw(uint32_t *state)
{
    uint32_t x = *state ? *state : 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}
