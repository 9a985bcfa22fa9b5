// block.h — players whose turns break a plugin: blocked from it before the plugin itself is quarantined. Plain data in memory, of one
// plugin; a restart of the host forgets it. Loop thread only; knows no worker and no store.
//
// A strike is a call or a move of a player that tripped a limit (CPU, memory) or that was running when the worker died by its own fault.
// BLOCK_STRIKES of them within BLOCK_WINDOW_MS block the player from this plugin for BLOCK_MS_MIN; a strike after that blocks at once and
// twice as long, up to BLOCK_MS_MAX. Who stays quiet for BLOCK_MS_MAX after a block starts afresh.
// When three players or more have strikes within the window it is the plugin that is broken: nobody is blocked for it.
// Deaths that one player alone is to blame for do not count for quarantine; when nobody is to blame, or two players are, they do.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/limits.h"

#define BLOCK_PLAYER_BYTES 24
#define BLOCK_CRASHES_KEPT 16
struct block_entry {
    char player[BLOCK_PLAYER_BYTES];
    int64_t strike_ms[BLOCK_STRIKES]; int64_t strikes;       // a ring; ever
    int64_t until_ms;                                        // 0: never blocked
    int level;                                               // how often it was doubled
};
struct blocks {
    struct block_entry *entries; int count;                  // made with the first strike, BLOCKS_PER_PLUGIN_MAX of them
    struct { const void *of; int64_t at_ms; char player[BLOCK_PLAYER_BYTES]; } crashes[BLOCK_CRASHES_KEPT];      // a ring of deaths
    unsigned crash_next;
    char blamed[BLOCK_PLAYER_BYTES];                         // for the death that is about to be told
};
void blocks_free(struct blocks *b);

// All times are monotonic milliseconds. `player` "" is nobody: no strike, and a death without a name.
// Returns true when this strike blocked the player.
bool blocks_strike(struct blocks *b, const char *player, int64_t now_ms);
// How long the player is still blocked; 0: not.
int64_t blocks_left_ms(const struct blocks *b, const char *player, int64_t now_ms);
// The worker is about to be told dead, and this player's turn was running.
void blocks_blame(struct blocks *b, const char *player);
// A worker of `of` (a version; only compared) died by its own fault: how many deaths of it within the last minute count against it, this one included.
int blocks_died(struct blocks *b, const void *of, int64_t now_ms);
bool blocks_lift(struct blocks *b, const char *player);      // false: it had no strike
int blocks_blocked(const struct blocks *b, int64_t now_ms);  // how many players are blocked now
