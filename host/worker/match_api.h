// match_api.h — what a game calls on `m`: randomness from the match's stream, and effects, which are written down and done by the host.
#pragma once
#include <lua.h>
#include "ipc/stream.h"
#include "worker/worker.h"

// When each method may be used: handlers act, views only look, a bot thinks (it may draw, from a stream of its own).
enum match_phase { MATCH_RESTS, MATCH_ACTS, MATCH_LOOKS, MATCH_THINKS };

struct match {
    struct vm vm;
    struct worker *worker;
    uint32_t slot;
    int seats;
    bool spectated;                        // the mode may be watched: views have one more, of seat 0
    bool ended;
    int64_t tick_no;
    struct stream stream;
    struct fr_buf state;                   // canonical: the match between turns
    size_t state_counted;                  // bytes of it that the heap counts
    // of the running turn
    enum match_phase phase;
    bool ending;
    int effect_count;
    size_t view_end[SEATS_MAX + 1];        // where each seat's view ends in worker->views
};

extern const char *const match_key_m;      // registry key of m
void match_push_methods(lua_State *L);
