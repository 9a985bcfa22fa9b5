// id.c — UUIDv7: 48 bits of time, a 12-bit counter that keeps ids of one millisecond in order, 62 random bits.
#include "base/id.h"
#include <pthread.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"

#define COUNTER_MOST 0xFFF

static pthread_mutex_t id_lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t id_ms;          // of the newest id; it may run ahead of the clock, never back
static uint32_t id_counter;

// The counter starts low in a fresh millisecond, so that it has room; when it is full the id borrows the next millisecond.
static void id_tick(uint32_t random, int64_t *ms, uint32_t *counter)
{
    int64_t now = fr_now_ms();
    pthread_mutex_lock(&id_lock);
    if (now > id_ms) {
        id_ms = now;
        id_counter = random & 0xFF;
    } else if (id_counter++ == COUNTER_MOST) {
        id_ms++;
        id_counter = random & 0xFF;
    }
    *ms = id_ms;
    *counter = id_counter;
    pthread_mutex_unlock(&id_lock);
}

char *fr_id_new(char out[FR_ID_BYTES])
{
    uint8_t random[9], b[16];
    int64_t ms;
    uint32_t counter;
    fr_random_bytes(random, sizeof random);
    id_tick(random[8], &ms, &counter);

    for (int i = 0; i < 6; i++) b[i] = (uint8_t)(ms >> (40 - 8 * i));
    b[6] = (uint8_t)(0x70 | counter >> 8);               // version 7
    b[7] = (uint8_t)counter;
    for (int i = 0; i < 8; i++) b[8 + i] = random[i];
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3F));              // the variant of RFC 9562

    static const uint8_t groups[5] = { 4, 2, 2, 2, 6 };
    char *at = out;
    for (int g = 0, from = 0; g < 5; from += groups[g++]) {
        if (g) *at++ = '-';
        fr_hex(b + from, groups[g], at);
        at += 2 * groups[g];
    }
    return out;
}

bool fr_id_valid(const char *text)
{
    for (int i = 0; i < FR_ID_BYTES - 1; i++) {
        char c = text[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return text[FR_ID_BYTES - 1] == 0;
}
