// llm_status.c — GET /v1/llm: whether there is a model to ask, which, how much of it is left for who asks, and, while the host's own is still being built, how far that is.
#include <inttypes.h>
#include <stdio.h>
#include "base/auto.h"
#include "gateway/internal.h"
#include "llm/budget.h"

// What this player may still use today; null where the host has set no limit.
static void budget_print(const struct gw_req *r, struct fr_buf *out)
{
    struct llm_budget_view left = { .tokens_left_day = -1 };
    char payer[LLM_WHO_BYTES];
    snprintf(payer, sizeof payer, "player:%s", r->who.player);       // as models.c has them pay
    if (r->g->o.llm) llm_left(r->g->o.llm, payer, &left);
    if (left.tokens_left_day < 0) fr_buf_add(out, "null");
    else fr_buf_addf(out, "{\"tokens_left\":%" PRId64 ",\"reset_ms\":%" PRId64 "}", left.tokens_left_day, left.reset_ms);
}

void gw_llm(struct gw_req *r)
{
    struct gateway *g = r->g;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, GW_ANSWER_BYTES_MAX);
    fr_buf_addf(&out, "{\"ready\":%s,\"models\":", g->o.llm && llm_is_ready(g->o.llm) ? "true" : "false");
    if (g->o.llm) llm_models(g->o.llm, &out);
    else fr_buf_add(&out, "[]");
    fr_buf_add(&out, ",\"budget\":");
    budget_print(r, &out);
    fr_buf_add(&out, ",\"engine\":");
    if (g->o.print_engine) g->o.print_engine(g->o.arg, &out);
    else fr_buf_add(&out, "null");
    fr_buf_add_char(&out, '}');
    if (out.failed) GW_FAIL(r, FR_E_NOMEM, "nomem", "no memory for the answer");
    else gw_answer(r, 200, out.data, out.len);
}
