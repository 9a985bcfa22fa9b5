// keccak.c — the sponge around nettle's permutation; its own sha3_256 pads differently.
#include "chain/keccak.h"
#include <string.h>
#include <nettle/sha3.h>

_Static_assert(sizeof(struct sha3_state) == sizeof ((struct keccak *)0)->lane, "the permutation works in place on our lanes");

static void keccak_permute(struct keccak *k)
{
    struct sha3_state state;
    memcpy(state.a, k->lane, sizeof state.a);
    sha3_permute(&state);
    memcpy(k->lane, state.a, sizeof state.a);
}

static void keccak_put(struct keccak *k, size_t at, uint8_t byte)      // lanes are little-endian, whatever the machine
{
    k->lane[at / 8] ^= (uint64_t)byte << (8 * (at % 8));
}

void keccak_init(struct keccak *k)
{
    memset(k, 0, sizeof *k);
}

void keccak_add(struct keccak *k, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        keccak_put(k, k->fill++, at[i]);
        if (k->fill < KECCAK_RATE_BYTES) continue;
        keccak_permute(k);
        k->fill = 0;
    }
}

void keccak_end(struct keccak *k, uint8_t out[KECCAK_BYTES])
{
    keccak_put(k, k->fill, 0x01);
    keccak_put(k, KECCAK_RATE_BYTES - 1, 0x80);
    keccak_permute(k);
    for (size_t i = 0; i < KECCAK_BYTES; i++) out[i] = (uint8_t)(k->lane[i / 8] >> (8 * (i % 8)));
}

void keccak256(const void *bytes, size_t len, uint8_t out[KECCAK_BYTES])
{
    struct keccak k;
    keccak_init(&k);
    keccak_add(&k, bytes, len);
    keccak_end(&k, out);
}

void keccak256_text(const char *text, uint8_t out[KECCAK_BYTES])
{
    keccak256(text, strlen(text), out);
}
