// batch.h — many calls as one: spread over the pods as there is room, answered in order. Each is an ordinary call (budget, fairness, cache); one that fails is an answer too. Loop thread only.
#pragma once
#include "llm/llm.h"

struct llm_batch;
typedef void llm_batch_each_fn(void *arg, int no, enum fr_status st, const struct llm_end *end, const struct fr_err *err);      // 0, 1, 2, ..: in order, each once
struct llm_batch_ask { const struct llm_ask *common; int count; int at_once; void (*body)(void *arg, int no, struct fr_buf *out); llm_batch_each_fn *each; void (*done)(void *arg); void *arg; };
FR_MUST_USE enum fr_status llm_batch_start(struct llm *l, const struct llm_batch_ask *ask, struct llm_batch **ret, struct fr_err *err);
void llm_batch_cancel(struct llm_batch *b);
