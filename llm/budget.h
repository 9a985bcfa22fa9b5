// budget.h — what may be spent: tokens and requests by the minute and the day, and coins out of slabs. Kept in memory, settled behind; never overspent. Loop thread only.
//
// llm_budget_take sets tokens (prompt estimate and the most that may be answered) and their price aside before a call is sent; llm_budget_give ends that with what was used, clamped to what was set aside.
// A payer's first call waits for its slab (a hold in the ledger through llm_meter); while a slab has room no call waits; the next is fetched before the last is empty.
// Day counts survive a restart (written with each settlement).
#pragma once
#include "llm/meter.h"
#include "llm/settings.h"

struct llm_budgets;
struct llm_share;                          // what is set aside for one call
typedef void llm_share_fn(void *arg, enum fr_status st, struct llm_share *share, int64_t retry_after_ms, const struct fr_err *err);
struct llm_budgets_options { uv_loop_t *loop; struct store *store; const struct llm_settings *settings; const struct llm_meter *meter; };
void llm_budgets_tables(void);             // migrations
FR_MUST_USE enum fr_status llm_budgets_open(const struct llm_budgets_options *o, struct llm_budgets **ret, struct fr_err *err);
void llm_budgets_configure(struct llm_budgets *b, const struct llm_settings *settings);
void llm_budgets_stop(struct llm_budgets *b, void (*done)(void *arg), void *arg);      // settles all
void llm_budgets_free(struct llm_budgets *b);
// A limit of its own for a payer or tenant (a plugin's grant "llm", an API key), in place of the settings'. NULL: the settings' again.
void llm_budgets_limit(struct llm_budgets *b, const char *who, const struct llm_limit *limit);
// *now: the share, where done is not needed (the usual case: then done is not called). Else *now is NULL and done comes later. Refusals at once: llm_rate, llm_budget, llm_funds; *retry_after_ms.
FR_MUST_USE enum fr_status llm_budget_take(struct llm_budgets *b, const struct llm_from *from, const struct llm_price *price, int64_t prompt_tokens, int64_t answer_tokens,
                                           llm_share_fn *done, void *arg, struct llm_share **now, int64_t *retry_after_ms, struct fr_err *err);
// Ends it: cost in units. Negative tokens: nothing was done, all goes back. Safe after llm_budgets_stop began.
int64_t llm_budget_give(struct llm_budgets *b, struct llm_share *share, int64_t prompt_tokens, int64_t answer_tokens);
void llm_budget_forget(struct llm_budgets *b, void *arg);        // the waiting llm_budget_take with this arg: its done will not be called
struct llm_budget_view { int64_t tokens_left_day, reset_ms, units_left; };       // -1: no limit
void llm_budget_view(const struct llm_budgets *b, const char *who, struct llm_budget_view *ret);
void llm_budgets_facts(const struct llm_budgets *b, struct fr_buf *out);
