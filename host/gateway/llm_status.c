// llm_status.c — GET /v1/llm: whether there is a model to ask, which, and, while the host's own is still being built, how far that is.
#include "base/auto.h"
#include "gateway/internal.h"

void gw_llm(struct gw_req *r)
{
    struct gateway *g = r->g;
    FR_AUTO_BUF out;
    fr_buf_init(&out, GW_ANSWER_BYTES_MAX);
    fr_buf_addf(&out, "{\"ready\":%s,\"models\":", g->o.llm && llm_is_ready(g->o.llm) ? "true" : "false");
    if (g->o.llm) llm_models(g->o.llm, &out);
    else fr_buf_add(&out, "[]");
    fr_buf_add(&out, ",\"engine\":");
    if (g->o.print_engine) g->o.print_engine(g->o.arg, &out);
    else fr_buf_add(&out, "null");
    fr_buf_add_char(&out, '}');
    if (out.failed) GW_FAIL(r, FR_E_NOMEM, "nomem", "no memory for the answer");
    else gw_answer(r, 200, out.data, out.len);
}
