// meter.c — counting, and the arithmetic of the CPU budget.
#include "plugin/meter.h"
#include <assert.h>
#include "base/limits.h"

#define TURN_COST_US 200               // of a turn, until some were seen
#define COST_EVERY_US 100000LL
#define PLACES_AHEAD_US 5000000LL      // a turn never waits longer: past it the budget is what gives way

// Microseconds of CPU that one microsecond of time brings.
static double share(const struct meter *m)
{
    return m->percent / 100.0;
}

static double bucket_us(const struct meter *m)
{
    return share(m) * PLUGIN_CPU_WINDOW_MS * 1000;
}

void meter_init(struct meter *m, int percent, int64_t now_us)
{
    assert(percent > 0);
    m->percent = percent;
    m->left_us = bucket_us(m);
    m->left_at_us = now_us;
    m->cost_us = TURN_COST_US;
    m->slot_no = now_us / (METER_SLOT_MS * 1000LL);
}

void meter_free(struct meter *m)
{
    blocks_free(&m->blocks);
}

// ---- the last minute

static void roll(struct meter *m, int64_t now_us)
{
    int64_t slot_no = now_us / (METER_SLOT_MS * 1000LL);
    if (slot_no - m->slot_no > METER_SLOTS) m->slot_no = slot_no - METER_SLOTS;
    while (m->slot_no < slot_no) m->mark[++m->slot_no % METER_SLOTS] = m->now;
}

void meter_minute(struct meter *m, int64_t now_us, struct meter_counts *ret)
{
    roll(m, now_us);
    const struct meter_counts *now = &m->now, *then = &m->mark[(m->slot_no + 1) % METER_SLOTS];      // the oldest mark
    *ret = (struct meter_counts){
        .used = { .cpu_us = now->used.cpu_us - then->used.cpu_us, .bytes_in = now->used.bytes_in - then->used.bytes_in, .bytes_out = now->used.bytes_out - then->used.bytes_out,
                  .asks = now->used.asks - then->used.asks, .starts = now->used.starts - then->used.starts, .crashes = now->used.crashes - then->used.crashes,
                  .heap_peak_bytes = now->used.heap_peak_bytes },
        .calls = now->calls - then->calls, .turns = now->turns - then->turns, .ok = now->ok - then->ok, .refused = now->refused - then->refused,
        .raised = now->raised - then->raised, .tripped = now->tripped - then->tripped, .lost = now->lost - then->lost, .turned_away = now->turned_away - then->turned_away,
        .over_budget = now->over_budget - then->over_budget, .blocked = now->blocked - then->blocked, .delayed = now->delayed - then->delayed,
    };
    fr_hist_between(&now->latency, &then->latency, &ret->latency);
}

// ---- the budget

static void budget_update(struct meter *m, int64_t now_us)
{
    int64_t burned_us = m->now.used.cpu_us - m->seen_cpu_us, passed_us = now_us - m->left_at_us;
    double most = bucket_us(m);
    m->seen_cpu_us = m->now.used.cpu_us;
    if (passed_us > 0) m->left_at_us = now_us;
    m->left_us += (passed_us > 0 ? (double)passed_us * share(m) : 0) - (double)burned_us;
    if (m->left_us > most) m->left_us = most;
    if (m->left_us < -most) m->left_us = -most;        // a debt is paid back within one window
}

int64_t meter_wait_us(struct meter *m, int64_t now_us)
{
    roll(m, now_us);
    budget_update(m, now_us);
    return m->left_us > 0 ? 0 : (int64_t)(-m->left_us / share(m)) + 1;
}

// What a call or turn costs just now: old work says little about what comes.
static double turn_cost_us(struct meter *m, int64_t now_us)
{
    int64_t work = m->now.calls + m->now.turns, more = work - m->cost_work;
    if (now_us - m->cost_at_us < COST_EVERY_US || more == 0) return m->cost_us;
    double cost = (double)(m->now.used.cpu_us - m->cost_cpu_us) / (double)more;
    if (cost > TURN_HARD_MS * 1000.0) cost = TURN_HARD_MS * 1000.0;
    m->cost_us = m->cost_at_us ? (m->cost_us + cost) / 2 : cost;
    m->cost_at_us = now_us;
    m->cost_cpu_us = m->now.used.cpu_us;
    m->cost_work = work;
    return m->cost_us;
}

int64_t meter_turn_wait_us(struct meter *m, int64_t *place_us, int64_t now_us)
{
    int64_t wait_us = meter_wait_us(m, now_us);
    if (*place_us != 0) {                              // it had to wait once: its place is kept, and it goes when that has come
        if (now_us < *place_us) return *place_us - now_us;
        *place_us = 0;
        return 0;
    }
    if (wait_us == 0 && m->place_us <= now_us) return 0;       // else others wait in front of it
    int64_t place = m->place_us > now_us + wait_us ? m->place_us : now_us + wait_us;
    if (place > now_us + PLACES_AHEAD_US) place = now_us + PLACES_AHEAD_US;
    m->place_us = place + (int64_t)(turn_cost_us(m, now_us) / share(m)) + 1;
    m->now.delayed++;
    *place_us = place;
    return place - now_us;
}

// ---- how it ended

enum meter_end meter_end_of(const struct sandbox_result *r)
{
    if (r->status != FR_OK) return METER_LOST;
    switch (r->outcome) {
    case FRAME_OK: return METER_OK;
    case FRAME_REFUSED: return METER_REFUSED;
    case FRAME_TRIPPED_CPU: case FRAME_TRIPPED_MEMORY: return METER_TRIPPED;
    default: return METER_RAISED;
    }
}

void meter_ended(struct meter *m, enum meter_end end)
{
    int64_t *counters[] = { &m->now.ok, &m->now.refused, &m->now.raised, &m->now.tripped, &m->now.lost };
    (*counters[end])++;
}
