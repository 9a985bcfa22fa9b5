// stream.c — see the header, which is the specification that players verify against.
#include "ipc/stream.h"
#include <assert.h>
#include <string.h>

#define DRAWS_PER_BLOCK 4

void stream_open(struct stream *s, const uint8_t key[SHA256_BYTES])
{
    *s = (struct stream){ .block_no = UINT64_MAX };
    memcpy(s->key, key, SHA256_BYTES);
}

static void stream_fill(struct stream *s, uint64_t block_no)
{
    uint8_t message[8];
    for (int i = 0; i < 8; i++) message[i] = (uint8_t)(block_no >> 8 * i);
    fr_hmac_sha256(s->key, SHA256_BYTES, message, sizeof message, s->block);
    s->block_no = block_no;
}

uint64_t stream_draw(struct stream *s)
{
    uint64_t n = s->next++, value = 0;
    if (s->block_no != n / DRAWS_PER_BLOCK) stream_fill(s, n / DRAWS_PER_BLOCK);
    const uint8_t *at = s->block + n % DRAWS_PER_BLOCK * 8;
    for (int i = 0; i < 8; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

int64_t stream_int(struct stream *s, int64_t lo, int64_t hi)
{
    assert(lo <= hi);
    if (lo == hi) return lo;
    uint64_t span = (uint64_t)hi - (uint64_t)lo + 1;
    if (span == 0) return (int64_t)stream_draw(s);
    uint64_t over = (UINT64_MAX % span + 1) % span, draw;      // 2^64 % span: how many of the highest draws are uneven
    do draw = stream_draw(s); while (over && draw > UINT64_MAX - over);
    return (int64_t)((uint64_t)lo + draw % span);
}
