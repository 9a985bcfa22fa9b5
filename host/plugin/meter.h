// meter.h — what one plugin uses, all its versions and workers together: calls and how they ended, how long they took, CPU, bytes, host calls;
// since the host started and in the last minute. And the CPU budget that follows from it. Plain data in memory; loop thread only.
//
// The budget is a bucket of CPU time: it fills with `percent` of one core and holds what PLUGIN_CPU_WINDOW_MS fill. What the workers burn is
// taken out, at most 20 ms late. While it is empty calls are refused (429 "cpu_budget" with the seconds until it is not), and matches' turns
// get places in time, in the order they asked: none is lost and none waits twice, as many run as the budget pays for.
#pragma once
#include "base/hist.h"
#include "base/limits.h"
#include "plugin/block.h"
#include "sandbox/sandbox.h"

#define METER_SLOT_MS 10000
#define METER_SLOTS 7                          // the last minute: six whole slots and the one that runs

// What came in and how it ended. calls = ok + refused + raised + tripped + lost, turns the same of matches.
struct meter_counts {
    struct sandbox_account used;
    int64_t calls, turns, ok, refused, raised, tripped, lost;
    int64_t turned_away;                       // by the host, before it ran: switched off, no such function, wrong arguments, too busy
    int64_t over_budget, blocked, delayed;     // calls past the CPU budget; of blocked players; turns that waited for the budget
    struct fr_hist latency;                    // of calls, from taken to answered
};
struct meter {
    struct meter_counts now;                   // now.used is what the sandbox adds to
    struct meter_counts mark[METER_SLOTS]; int64_t slot_no;      // as it stood when the slot began
    struct blocks blocks;
    int percent;
    double left_us; int64_t left_at_us, seen_cpu_us;
    int64_t place_us;                          // of the next turn that must wait
    double cost_us; int64_t cost_at_us, cost_cpu_us, cost_work;      // of a turn, of late
};
void meter_init(struct meter *m, int percent, int64_t now_us);
void meter_free(struct meter *m);              // what it points at
// The last 60 to 70 seconds.
void meter_minute(struct meter *m, int64_t now_us, struct meter_counts *ret);
// How long until there is CPU again; 0: there is.
int64_t meter_wait_us(struct meter *m, int64_t now_us);
// The same for a match's turn, which keeps its place in *place_us (0: it has none yet) and asks again then.
int64_t meter_turn_wait_us(struct meter *m, int64_t *place_us, int64_t now_us);

enum meter_end { METER_OK, METER_REFUSED, METER_RAISED, METER_TRIPPED, METER_LOST };
enum meter_end meter_end_of(const struct sandbox_result *r);
void meter_ended(struct meter *m, enum meter_end end);
