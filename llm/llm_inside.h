// llm_inside.h — what llm.c (who asks), flight.c (what is asked for) and recorder.c (what is written down) share. For this folder only.
//
// A `call` is somebody who asks; a `flight` is what is under way for him, and for everybody who asked for the same thing meanwhile. A flight lives while anybody wants it or a pod works for it, and holds
// the answer until all have been told.
#pragma once
#include "base/map.h"
#include "llm/budget.h"
#include "llm/cache.h"
#include "llm/filter.h"
#include "llm/pool.h"
#include "llm/queue.h"
#include "llm/recorder.h"
#include "llm/request.h"
#include "llm/screen.h"

enum flight_step { FLIGHT_ASKED = 1, FLIGHT_QUEUED, FLIGHT_SENT, FLIGHT_READ, FLIGHT_OVER };
struct llm_flight {
    struct llm *llm; struct llm_flight *next, **link;
    enum flight_step step;
    struct llm_queued queued;                           // while it waits for a pod
    struct llm_from from; struct llm_request request; unsigned need; int priority;
    char model[LLM_NAME_BYTES], pod[LLM_NAME_BYTES + 8], finish[24];
    struct llm_price price; struct llm_share *share; int64_t estimated_prompt, estimated_answer;
    struct llm_sent *sent; struct llm_screen *screen;
    bool has_key, keep, keep_whole, replayed, stream, streamed, paused, refused;
    uint8_t key[SHA256_BYTES], flight_key[SHA256_BYTES];
    int64_t started_ms, sent_ms, ends_ms, down_ms;      // down_ms: since when no pod of its model is up
    struct llm_call *calls; int wanted;                 // those who wait for it, the first who asked last; how many still want it
    int refs;                                           // calls that were not told yet
    struct fr_buf events; int event_count;              // for the record
    // the end
    enum fr_status status; struct fr_err err;
    struct fr_buf json, text;
    int64_t prompt_tokens, answer_tokens, cost_units, first_ms, retry_after_ms;
    char record[40];
};
struct llm_call {
    struct llm *llm; struct llm_call *next, **link;     // in the list of all
    struct llm_flight *flight; struct llm_call *beside; // on the same flight
    struct llm_call *ending_next;
    int64_t started_ms, ends_ms;
    llm_delta_fn *on_delta; llm_done_fn *done; void *arg;
    bool over, live, streamed, paused, cached, first, own;      // live: gets deltas as they come; own: what follows is its own and not the flight's
    enum fr_status status; struct fr_err err;
};
struct llm {
    struct llm_options o;
    struct llm_pool *pool; struct llm_queue *queue; struct llm_budgets *budgets; struct llm_cache *cache; struct llm_filter_rules *rules; struct llm_recorder *recorder;
    struct fr_map *same;                                // flights that others may join, by flight_key
    struct llm_call *first; int calls;
    struct llm_flight *flights; int flight_count;
    struct llm_call *ending, **ending_last;             // told with the next turn of the loop
    uv_timer_t soon, tick; bool soon_set, pump_again, pumping; int handles, ticks;
    bool stopping, pool_stopped, rest_stopping; void (*stopped)(void *arg); void *stopped_arg;
    int64_t configured_ms;                              // when its pods were named
    int64_t started, failed, joined, cached, cancelled;
};

// ---- llm.c
void call_end(struct llm_call *c, enum fr_status st, const struct fr_err *err);      // the only way out; told with the next turn
void llm_maybe_stopped(struct llm *l);
void llm_wake(struct llm *l);                           // on_soon comes
// ---- flight.c
FR_MUST_USE enum fr_status flight_start(struct llm_flight *f, int64_t *retry_after_ms, struct fr_err *err);      // budget, then queue; a refusal leaves nothing behind
void flight_unwanted(struct llm_flight *f);             // nobody wants it any more
void flight_pause(struct llm_flight *f);                // somebody's wish changed
void flight_unref(struct llm_flight *f);
void flight_pump(struct llm *l);                        // sends what can go
void flight_tick(struct llm *l, int64_t now_ms);
void flight_tell(struct llm_flight *f, const struct llm_delta *d);
void flight_end(struct llm_flight *f, enum fr_status st, const struct fr_err *err);
// ---- replay.c
FR_MUST_USE enum fr_status flight_replay(struct llm_flight *f, const char *record, struct fr_err *err);      // "": the newest of the same request
void flight_answer(struct llm_flight *f, const char *json, size_t json_len, const char *text, size_t text_len, const char *finish);
