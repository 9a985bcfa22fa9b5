// batch.h — many calls as one: spread over the pods as there is room, told in order. Each is an ordinary call (budget, fairness, cache); one that fails is an answer too. Loop thread only.
//
// `each` hears 0, 1, 2, ..: in order, each once, never from inside llm_batch_start; then `done`, once, and the batch is gone. What ended before its turn is kept: at most LLM_BATCH_AHEAD times at_once. A full queue
// is no failure: the call waits until one of the batch has ended, or a moment.
#pragma once
#include "llm/llm.h"

struct llm_batch;
typedef void llm_batch_each_fn(void *arg, int no, enum fr_status st, const struct llm_end *end, const struct fr_err *err);
struct llm_batch_ask {
    const struct llm_ask *common;          // all of it but body, on_delta, done and arg
    int count, at_once;                    // at_once 0: 16
    void (*body)(void *arg, int no, struct fr_buf *out);
    llm_batch_each_fn *each; void (*done)(void *arg); void *arg;
};
FR_MUST_USE enum fr_status llm_batch_start(struct llm *l, const struct llm_batch_ask *ask, struct llm_batch **ret, struct fr_err *err);
void llm_batch_cancel(struct llm_batch *b);            // no further `each`; done comes soon
