// block.c — strikes, blocks and the blame for deaths.
#include "plugin/block.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

#define BROKEN_FOR_PLAYERS 3           // so many with strikes at a time: the plugin is to blame
#define DEATHS_MS 60000

void blocks_free(struct blocks *b)
{
    fr_free(b->entries);
    b->entries = NULL;
    b->count = 0;
}

static struct block_entry *entry_of(const struct blocks *b, const char *player)
{
    for (int i = 0; i < b->count; i++) if (strcmp(b->entries[i].player, player) == 0) return &b->entries[i];
    return NULL;
}

static int64_t last_strike_ms(const struct block_entry *e)
{
    return e->strikes ? e->strike_ms[(e->strikes - 1) % BLOCK_STRIKES] : 0;
}

static bool over(const struct block_entry *e, int64_t now_ms)      // nothing of it matters any more
{
    int64_t end_ms = e->until_ms > last_strike_ms(e) ? e->until_ms : last_strike_ms(e);
    return now_ms - end_ms > BLOCK_MS_MAX;
}

// The one that matters least: over, else not blocked with the oldest strike, else the one whose block ends first.
static struct block_entry *entry_to_forget(struct blocks *b, int64_t now_ms)
{
    struct block_entry *least = &b->entries[0];
    for (int i = 0; i < b->count; i++) {
        struct block_entry *e = &b->entries[i];
        if (over(e, now_ms)) return e;
        bool blocked = e->until_ms > now_ms, least_blocked = least->until_ms > now_ms;
        if (blocked != least_blocked ? !blocked : blocked ? e->until_ms < least->until_ms : last_strike_ms(e) < last_strike_ms(least)) least = e;
    }
    return least;
}

static struct block_entry *entry_make(struct blocks *b, const char *player, int64_t now_ms)
{
    struct block_entry *e = entry_of(b, player);
    if (e && over(e, now_ms)) *e = (struct block_entry){ .strikes = 0 };
    if (!b->entries) b->entries = fr_alloc(BLOCKS_PER_PLUGIN_MAX * sizeof *b->entries);
    if (!b->entries) return NULL;              // without memory nobody is blocked, and the quarantine stands behind us
    if (e && e->player[0]) return e;
    if (!e) e = b->count < BLOCKS_PER_PLUGIN_MAX ? &b->entries[b->count++] : entry_to_forget(b, now_ms);
    *e = (struct block_entry){ .strikes = 0 };
    snprintf(e->player, sizeof e->player, "%s", player);
    return e;
}

static int players_with_strikes(const struct blocks *b, int64_t now_ms)
{
    int n = 0;
    for (int i = 0; i < b->count; i++) n += b->entries[i].strikes > 0 && now_ms - last_strike_ms(&b->entries[i]) < BLOCK_WINDOW_MS;
    return n;
}

bool blocks_strike(struct blocks *b, const char *player, int64_t now_ms)
{
    struct block_entry *e = player[0] ? entry_make(b, player, now_ms) : NULL;
    if (!e) return false;
    e->strike_ms[e->strikes++ % BLOCK_STRIKES] = now_ms;
    bool often = e->level > 0 || (e->strikes >= BLOCK_STRIKES && now_ms - e->strike_ms[e->strikes % BLOCK_STRIKES] < BLOCK_WINDOW_MS);
    if (!often || players_with_strikes(b, now_ms) >= BROKEN_FOR_PLAYERS) return false;
    int64_t ms = e->level < 30 ? BLOCK_MS_MIN << e->level : BLOCK_MS_MAX;
    if (ms > BLOCK_MS_MAX) ms = BLOCK_MS_MAX;
    if (ms < BLOCK_MS_MAX) e->level++;
    if (now_ms + ms > e->until_ms) e->until_ms = now_ms + ms;
    return true;
}

int64_t blocks_left_ms(const struct blocks *b, const char *player, int64_t now_ms)
{
    const struct block_entry *e = b->count ? entry_of(b, player) : NULL;
    return e && e->until_ms > now_ms ? e->until_ms - now_ms : 0;
}

void blocks_blame(struct blocks *b, const char *player)
{
    snprintf(b->blamed, sizeof b->blamed, "%s", player);
}

int blocks_died(struct blocks *b, const void *of, int64_t now_ms)
{
    const char *first = NULL;
    int named = 0, nameless = 0;
    bool several = false;
    b->crashes[b->crash_next % BLOCK_CRASHES_KEPT].of = of;
    b->crashes[b->crash_next % BLOCK_CRASHES_KEPT].at_ms = now_ms ? now_ms : 1;
    memcpy(b->crashes[b->crash_next++ % BLOCK_CRASHES_KEPT].player, b->blamed, sizeof b->blamed);
    b->blamed[0] = 0;
    for (int i = 0; i < BLOCK_CRASHES_KEPT; i++) {
        if (b->crashes[i].of != of || b->crashes[i].at_ms == 0 || now_ms - b->crashes[i].at_ms >= DEATHS_MS) continue;
        const char *player = b->crashes[i].player;
        if (!player[0]) { nameless++; continue; }
        named++;
        if (!first) first = player;
        else if (strcmp(first, player) != 0) several = true;
    }
    return several ? named + nameless : nameless;
}

bool blocks_lift(struct blocks *b, const char *player)
{
    struct block_entry *e = entry_of(b, player);
    if (!e) return false;
    *e = b->entries[--b->count];
    return true;
}

int blocks_blocked(const struct blocks *b, int64_t now_ms)
{
    int n = 0;
    for (int i = 0; i < b->count; i++) n += b->entries[i].until_ms > now_ms;
    return n;
}
