// queue.c — one turn for each tenant: a counter of what it was served, and its waiting calls in order.
#include "llm/queue.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

#define PROMPT_WEIGHT 1
#define ANSWER_WEIGHT 2                    // a token of an answer costs a step of the model, one of a prompt a share of a step

struct llm_turn {
    char tenant[LLM_WHO_BYTES];
    int64_t counter;                       // weighted tokens served
    struct llm_queued *first;              // lowest priority number first, then in order
    int waiting, taken;                    // taken: under way, so the truth about them is still to come
    struct llm_turn *next, **link;         // among those that wait; NULL link: not one of them
};
struct llm_queue {
    int most, most_per_tenant, waiting;
    uint64_t no;
    struct fr_map *turns;
    struct llm_turn *active; int active_count;
    int64_t left;                          // the counter of the last that stopped waiting
    struct llm_turn **order; int order_cap;
};

struct llm_queue *llm_queue_new(int most, int most_per_tenant)
{
    struct llm_queue *q = fr_must_alloc(sizeof *q);
    q->most = most;
    q->most_per_tenant = most_per_tenant;
    q->turns = fr_map_new(LLM_TENANTS_MAX);
    return q;
}

void llm_queue_free(struct llm_queue *q)
{
    void *turn;
    size_t at = 0;
    if (!q) return;
    while (fr_map_walk(q->turns, &at, NULL, NULL, &turn)) fr_free(turn);
    fr_map_free(q->turns);
    fr_free(q->order);
    fr_free(q);
}

void llm_queue_bounds(struct llm_queue *q, int most, int most_per_tenant)
{
    q->most = most;
    q->most_per_tenant = most_per_tenant;
}

static int64_t weight(int64_t prompt_tokens, int64_t answer_tokens) { return PROMPT_WEIGHT * prompt_tokens + ANSWER_WEIGHT * answer_tokens; }

// Where somebody who comes back begins: with the lowest of those that wait, or where the last one stopped.
static int64_t floor_of(const struct llm_queue *q)
{
    if (!q->active) return q->left;
    int64_t least = INT64_MAX;
    for (const struct llm_turn *t = q->active; t; t = t->next) if (t->counter < least) least = t->counter;
    return least;
}

// Those who neither wait nor have calls under way, and would begin at the floor anyway.
static void forget_idle(struct llm_queue *q)
{
    int64_t least = floor_of(q);
    size_t at = 0;
    void *value;
    while (fr_map_walk(q->turns, &at, NULL, NULL, &value)) {
        struct llm_turn *t = value;
        if (t->waiting || t->taken || t->counter > least) continue;
        fr_map_remove_text(q->turns, t->tenant);
        fr_free(t);
    }
}

static struct llm_turn *turn_of(struct llm_queue *q, const char *tenant)
{
    struct llm_turn *t = fr_map_get_text(q->turns, tenant);
    if (t) return t;
    if (fr_map_size(q->turns) >= LLM_TENANTS_MAX / 2) forget_idle(q);
    t = fr_alloc(sizeof *t);
    if (!t) return NULL;
    snprintf(t->tenant, sizeof t->tenant, "%s", tenant);
    if (fr_map_put_text(q->turns, t->tenant, t)) return t;
    fr_free(t);
    return NULL;
}

static void activate(struct llm_queue *q, struct llm_turn *t)
{
    int64_t least = floor_of(q);
    if (t->counter < least) t->counter = least;
    t->next = q->active;
    t->link = &q->active;
    if (t->next) t->next->link = &t->next;
    q->active = t;
    q->active_count++;
}

static void deactivate(struct llm_queue *q, struct llm_turn *t)
{
    *t->link = t->next;
    if (t->next) t->next->link = t->link;
    t->next = NULL;
    t->link = NULL;
    q->active_count--;
    q->left = t->counter;
}

enum fr_status llm_queue_put(struct llm_queue *q, struct llm_queued *x, const char *tenant, int priority, int64_t prompt_tokens, int64_t answer_tokens, int64_t now_ms, struct fr_err *err)
{
    if (q->waiting >= q->most) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_queue_full", "%d calls wait for a model", q->waiting);
    struct llm_turn *t = turn_of(q, tenant);
    if (!t) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_queue_full", "too many ask for models at once");
    if (t->waiting >= q->most_per_tenant) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_queue_full", "%d calls of %s wait for a model", t->waiting, tenant);
    if (t->waiting == 0) activate(q, t);
    struct llm_queued **link = &t->first;
    while (*link && (*link)->priority <= priority) link = &(*link)->next;
    *x = (struct llm_queued){ .next = *link, .link = link, .turn = t, .priority = priority, .no = ++q->no, .since_ms = now_ms, .tokens = weight(prompt_tokens, answer_tokens) };
    if (x->next) x->next->link = &x->next;
    *link = x;
    t->waiting++;
    q->waiting++;
    return FR_OK;
}

static void take_out(struct llm_queue *q, struct llm_queued *x)
{
    struct llm_turn *t = x->turn;
    *x->link = x->next;
    if (x->next) x->next->link = x->link;
    x->next = NULL;
    x->link = NULL;
    q->waiting--;
    if (--t->waiting == 0) deactivate(q, t);
}

void llm_queue_drop(struct llm_queue *q, struct llm_queued *x)
{
    assert(x->link);
    take_out(q, x);
    x->turn = NULL;
}

// The caller's take may not touch the queue.
static bool offer(struct llm_queue *q, struct llm_turn *t, bool (*take)(void *arg, struct llm_queued *x), void *arg)
{
    struct llm_queued *x = t->first;
    if (!take(arg, x)) return false;
    t->counter += x->tokens;
    t->taken++;
    take_out(q, x);
    x->turn = NULL;
    return true;
}

static bool before(const struct llm_turn *a, const struct llm_turn *b) { return a->counter != b->counter ? a->counter < b->counter : a->first->no < b->first->no; }

static int by_counter(const void *a, const void *b)
{
    const struct llm_turn *x = *(struct llm_turn *const *)a, *y = *(struct llm_turn *const *)b;
    return before(x, y) ? -1 : 1;
}

// The lowest is tried before the others are put in order: usually it goes.
bool llm_queue_take(struct llm_queue *q, bool (*take)(void *arg, struct llm_queued *x), void *arg)
{
    struct llm_turn *best = q->active;
    if (!best) return false;
    for (struct llm_turn *t = best->next; t; t = t->next) if (before(t, best)) best = t;
    if (offer(q, best, take, arg)) return true;
    if (q->active_count == 1) return false;
    if (q->order_cap < q->active_count) {
        struct llm_turn **more = fr_realloc(q->order, (size_t)q->active_count * 2 * sizeof *more);
        if (!more) return false;
        q->order = more;
        q->order_cap = q->active_count * 2;
    }
    int n = 0;
    for (struct llm_turn *t = q->active; t; t = t->next) if (t != best) q->order[n++] = t;
    qsort(q->order, (size_t)n, sizeof q->order[0], by_counter);
    for (int i = 0; i < n; i++) if (offer(q, q->order[i], take, arg)) return true;
    return false;
}

void llm_queue_served(struct llm_queue *q, const char *tenant, int64_t estimated_prompt, int64_t estimated_answer, int64_t prompt_tokens, int64_t answer_tokens)
{
    struct llm_turn *t = fr_map_get_text(q->turns, tenant);
    if (!t) return;
    assert(t->taken > 0);
    t->taken--;
    t->counter += weight(prompt_tokens, answer_tokens) - weight(estimated_prompt, estimated_answer);
}

int llm_queue_length(const struct llm_queue *q, const char *tenant)
{
    if (!tenant) return q->waiting;
    const struct llm_turn *t = fr_map_get_text(q->turns, tenant);
    return t ? t->waiting : 0;
}

void llm_queue_facts(const struct llm_queue *q, struct fr_buf *out)
{
    const char *comma = "";
    fr_buf_addf(out, "{\"waiting\":%d,\"most\":%d,\"tenants\":[", q->waiting, q->most);
    int said = 0;
    for (const struct llm_turn *t = q->active; t && said < LLM_FACTS_MAX; t = t->next, said++, comma = ",") {
        fr_buf_addf(out, "%s{\"tenant\":", comma);
        fr_buf_add_json_text(out, t->tenant);
        fr_buf_addf(out, ",\"waiting\":%d,\"under_way\":%d,\"served\":%lld}", t->waiting, t->taken, (long long)t->counter);
    }
    fr_buf_add(out, "]}");
}
