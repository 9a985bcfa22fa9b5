// stream.h — the random stream of a match: everyone who knows the key draws the same numbers. Pure; used by worker, host and verifier.
//
// Block i (i from 0) is HMAC-SHA256(key, i as 8 bytes little-endian): 32 bytes, read as four draws of 8 bytes little-endian.
// Draw n is part n % 4 of block n / 4. A uniform integer in lo..hi with span = hi - lo + 1 (modulo 2^64): when span is 0 (all 2^64
// values) one draw is the answer; otherwise draws d are taken until d < floor(2^64 / span) * span, and the answer is lo + d % span.
// When lo == hi nothing is drawn. chance(bps) is int(1, 10000) <= bps. shuffle(list) is Fisher-Yates from the end: for i = n down
// to 2, j = int(1, i), then items i and j change places.
#pragma once
#include <stdint.h>
#include "base/hash.h"

struct stream {
    uint8_t key[SHA256_BYTES];
    uint64_t next;                     // number of the next draw: the whole position
    uint64_t block_no;                 // of `block`, which is a cache; UINT64_MAX: none
    uint8_t block[SHA256_BYTES];
};

void stream_open(struct stream *s, const uint8_t key[SHA256_BYTES]);
uint64_t stream_draw(struct stream *s);
int64_t stream_int(struct stream *s, int64_t lo, int64_t hi);      // lo <= hi
