// budget_inside.h — what budget.c (who may spend how much) and purse.c (coins in slabs) share. For this folder only.
#pragma once
#include "llm/budget.h"
#include "base/map.h"

struct who {                               // somebody with limits: a tenant, a payer, a player
    char name[LLM_WHO_BYTES];
    struct llm_limit own; bool has_own;
    int64_t minute, minute_tokens, minute_requests;        // the minute and what it saw, set aside included
    int64_t day, day_tokens, day_requests;
    int open;                              // shares
    bool dirty;                            // its day count is not written yet
};
struct slab { struct slab *next; int64_t id, units, spent, reserved, settled, opened_ms, used_ms; bool closing; };
struct purse {                             // one payer for one tenant
    char payer[LLM_WHO_BYTES], tenant[LLM_WHO_BYTES], key[2 * LLM_WHO_BYTES];
    struct llm_budgets *budgets;
    struct slab *slabs;                    // newest first
    struct llm_share *waiting, **waiting_last;
    int in_flight;                         // shares with a slab
    bool asking, blocked;                  // blocked: there was too little; asked again when nothing is in flight
    int64_t asked_least, dry_until_ms;
    int64_t slab_ms;                       // when the last one came
    int calls_ahead;                       // how many calls a slab is made for
};
struct llm_share {
    struct llm_budgets *budgets;
    struct who *whos[3]; int who_count;
    int64_t minute, day, prompt_tokens, answer_tokens;     // set aside
    struct llm_price price; int64_t cost_units;            // of that
    struct purse *purse; struct slab *slab;                // NULL: it costs nothing
    struct llm_share *next; llm_share_fn *done; void *arg; // while it waits
};
struct llm_budgets {
    struct llm_budgets_options o;
    struct fr_map *whos, *purses;
    uv_timer_t timer;
    int64_t forgot_minute;
    int asks_open;                         // slabs that were asked for
    bool writing, stopping, closed;
    void (*stopped)(void *arg); void *stopped_arg;
};
#define SLAB_CALLS_MIN 16                  // a slab is made for so many calls like the one that asks; more when it did not last
#define SLAB_CALLS_MAX 1024
#define SLAB_SHORT_MS 1000
#define SLAB_IDLE_MS 10000                 // unused for so long its rest goes back
#define SLAB_AGE_MS 60000                  // older ones end, so that burns and shares are booked

int64_t price_of(const struct llm_price *price, int64_t prompt_tokens, int64_t answer_tokens);      // -1: more than there can be
void share_drop(struct llm_share *s);      // what it set aside goes back, and it is freed

// ---- purse.c
FR_MUST_USE enum fr_status purse_take(struct llm_budgets *b, const struct llm_from *from, struct llm_share *s, bool *now, struct fr_err *err);
void purse_give(struct llm_share *s, int64_t cost_units);
bool purse_forget(struct llm_budgets *b, void *arg);
void purses_tick(struct llm_budgets *b, int64_t now_ms);
void purses_stop(struct llm_budgets *b);
void purses_free(struct llm_budgets *b);
int64_t purse_room(const struct llm_budgets *b, const char *payer);
void budgets_maybe_stopped(struct llm_budgets *b);
