// ask.h — several questions to the nodes in one, for the parts of the treasury: built, sent (they are copied), freed.
#pragma once
#include "chain/endpoints.h"

struct ask { struct rpc_call at[RPC_BATCH_MAX]; size_t params_at[RPC_BATCH_MAX]; int count; struct fr_buf params; };
void ask_init(struct ask *a);
void ask_free(struct ask *a);
void ask_add(struct ask *a, const char *method, const char *params_format, ...) FR_PRINTF(3, 4);       // up to RPC_BATCH_MAX
void ask_add_balance(struct ask *a, const struct address *token, const struct address *of, uint64_t block);     // balanceOf: a word
FR_MUST_USE enum fr_status ask_go(struct ask *a, struct endpoints *e, enum rpc_kind kind, int quorum, endpoints_done_fn *done, void *arg, struct fr_err *err);      // as endpoints_ask
