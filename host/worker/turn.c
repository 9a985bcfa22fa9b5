// turn.c — the state here is static because a signal handler has no argument; a worker is one thread.
#include "worker/turn.h"
#include <assert.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <lauxlib.h>
#include "base/limits.h"

static struct {
    struct worker_page *page;
    volatile sig_atomic_t depth;                  // 0: no plugin code is running
    lua_State *volatile chain[TURN_CHAIN_MAX];    // [0] is the base; the last one is running
    volatile sig_atomic_t trip;
    volatile uint32_t number, seen;               // this turn, and the last one a tick found running
    volatile int64_t seen_us;                     // CPU clock at that first sight
    uint32_t frame_id;
    bool waiting;
} turn;
static int turn_slowness = 1;                     // outlives turn_prepare

static int64_t turn_cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void turn_hook(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    luaL_where(L, 0);                             // inside a hook, level 0 is the function that was interrupted
    lua_pushfstring(L, "the turn ran for more than %d ms of CPU", TURN_SOFT_MS);
    lua_concat(L, 2);
    lua_error(L);
}

static void turn_hook_chain(void)
{
    for (int i = 0; i < turn.depth; i++)
        lua_sethook(turn.chain[i], turn_hook, LUA_MASKCOUNT, 1);   // safe from a signal: it only sets fields
}

static void turn_on_tick(int signal_no)
{
    (void)signal_no;
    if (turn.depth == 0) return;
    int64_t now_us = turn_cpu_us();
    if (turn.seen != turn.number) {
        turn.seen = turn.number;
        turn.seen_us = now_us;
        return;
    }
    int64_t ran_ms = (now_us - turn.seen_us) / 1000;
    if (ran_ms >= TURN_HARD_MS * turn_slowness) _exit(WORKER_EXIT_CPU);
    if (ran_ms < TURN_SOFT_MS * turn_slowness) return;
    turn.trip = TRIP_CPU;
    turn_hook_chain();                            // again at each tick: a coroutine may have joined the chain
}

void turn_prepare(struct worker_page *page)
{
    memset(&turn, 0, sizeof turn);
    turn.page = page;
    struct sigaction on_tick = { .sa_handler = turn_on_tick, .sa_flags = SA_RESTART };
    sigemptyset(&on_tick.sa_mask);
    sigaction(SIGPROF, &on_tick, NULL);
    struct itimerval every = { { 0, TURN_TICK_MS * 1000 }, { 0, TURN_TICK_MS * 1000 } };
    setitimer(ITIMER_PROF, &every, NULL);
}

void turn_expect_slow(int times)
{
    turn_slowness = times;
}

void turn_begin(lua_State *base, uint32_t frame_id)
{
    assert(turn.depth == 0);
    turn.trip = TRIP_NONE;
    turn.frame_id = frame_id;
    turn.waiting = false;
    turn.number++;
    turn.page->running_id = frame_id;
    turn.page->turns++;
    turn.chain[0] = base;
    turn.depth = 1;                               // last: from here on a tick counts
}

enum turn_trip turn_end(void)
{
    assert(turn.depth == 1);
    lua_State *base = turn.chain[0];
    turn.depth = 0;
    turn.page->running_id = 0;
    turn.frame_id = 0;
    if (turn.trip) lua_sethook(base, NULL, 0, 0);
    return (enum turn_trip)turn.trip;
}

enum turn_trip turn_tripped(void)
{
    return turn.depth ? (enum turn_trip)turn.trip : TRIP_NONE;
}

void turn_trip_memory(void)
{
    if (turn.depth && !turn.trip) turn.trip = TRIP_MEMORY;
    turn_hook_chain();
}

bool turn_push(lua_State *co)
{
    if (turn.depth >= TURN_CHAIN_MAX) return false;
    turn.chain[turn.depth] = co;
    turn.depth++;
    if (turn.trip) turn_hook_chain();             // the tick may have come between the caller's check and here
    return true;
}

void turn_pop(void)
{
    assert(turn.depth > 1);
    turn.depth--;
}

void turn_set_waiting(bool waiting) { turn.waiting = waiting; }
bool turn_is_waiting(void) { return turn.waiting; }
lua_State *turn_base(void) { return turn.depth ? turn.chain[0] : NULL; }
uint32_t turn_frame_id(void) { return turn.frame_id; }

bool turn_can_wait(void)
{
    for (int i = 0; i < turn.depth; i++)
        if (!lua_isyieldable(turn.chain[i])) return false;
    return turn.depth > 0;
}

void turn_rethrow(lua_State *L)
{
    if (turn.trip == TRIP_NONE) return;
    if (turn.trip == TRIP_MEMORY) luaL_error(L, "out of memory");
    if (lua_type(L, -1) != LUA_TSTRING) lua_pushfstring(L, "the turn ran for more than %d ms of CPU", TURN_SOFT_MS);
    lua_error(L);                                 // the hook's own message, which knows the line
}
