// queue.h — who is next: fair between tenants by what they were served (virtual token counter, arXiv 2401.00588), by priority within a tenant, in order within that. Pure; loop thread only.
//
// Each tenant has a counter of weighted tokens served (prompt 1, answer 2). The waiting tenant with the lowest one is next. A tenant that comes back after a while begins at the lowest counter of those
// that wait: idleness is no credit. Estimates are charged when a call is sent, the truth when it ends. A flood thus costs a trickle at most one call's time.
#pragma once
#include "llm/llm.h"

struct llm_queue;
struct llm_queued {                        // a member of what waits
    struct llm_queued *next, **link; struct llm_turn *turn; int priority; uint64_t no; int64_t since_ms, tokens;
};
struct llm_queue *llm_queue_new(int most, int most_per_tenant);       // must-alloc
void llm_queue_free(struct llm_queue *q);
void llm_queue_bounds(struct llm_queue *q, int most, int most_per_tenant);       // of what comes; what waits stays
// FR_E_LIMIT "llm_queue_full": too many in all, or of this tenant. tokens: estimated, weighted by the queue.
FR_MUST_USE enum fr_status llm_queue_put(struct llm_queue *q, struct llm_queued *x, const char *tenant, int priority, int64_t prompt_tokens, int64_t answer_tokens, int64_t now_ms, struct fr_err *err);
void llm_queue_drop(struct llm_queue *q, struct llm_queued *x);       // cancelled or too late; not one that was taken
// Offers waiting calls in fair order (`take` must not touch the queue) until `take` says true for one (sent: it is out of the queue and its estimate charged) or all tenants' first were offered. True when one was taken.
bool llm_queue_take(struct llm_queue *q, bool (*take)(void *arg, struct llm_queued *x), void *arg);
// Once for each that was taken: the truth. Zeros when nothing was done for it.
void llm_queue_served(struct llm_queue *q, const char *tenant, int64_t estimated_prompt, int64_t estimated_answer, int64_t prompt_tokens, int64_t answer_tokens);
int llm_queue_length(const struct llm_queue *q, const char *tenant);      // tenant NULL: all
void llm_queue_facts(const struct llm_queue *q, struct fr_buf *out);
