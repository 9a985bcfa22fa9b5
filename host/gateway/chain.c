// chain.c — what pages may know of the chain, and the development page's buttons for it.
#include <string.h>
#include "gateway/internal.h"

// ---- GET /v1/chain

void gw_chain(struct gw_req *r)
{
    fr_buf_init(&r->out, GW_ANSWER_BYTES_MAX);
    treasury_print_page(r->g->o.treasury, &r->out);
    gw_answer(r, 200, r->out.data, r->out.len);
}

// ---- POST /v1/dev/chain/mine|reorg|kill

static void chain_pressed(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct gw_req *r = arg;
    if (st == FR_OK) gw_answer(r, 200, "{}", 2);
    else gw_refuse(r, err, NULL);
}

void gw_dev_chain(struct gw_req *r)
{
    static const struct { const char *name; enum devchain_button button; } buttons[] = { { "mine", DEVCHAIN_MINE }, { "reorg", DEVCHAIN_REORG }, { "kill", DEVCHAIN_KILL } };
    static const char *const keys[] = { NULL };
    struct fr_err err;
    enum fr_status st = gw_body(r, keys, &err);
    for (size_t i = 0; st == FR_OK && i < sizeof buttons / sizeof buttons[0]; i++) {
        if (strcmp(r->part[0], buttons[i].name) != 0) continue;
        st = treasury_press(r->g->o.treasury, buttons[i].button, chain_pressed, r, &err);
        if (st == FR_OK) return;
    }
    if (st == FR_OK) FR_IGNORE(FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "not_found", "the chain has buttons mine, reorg and kill"));      // it fills err
    gw_refuse(r, &err, NULL);
}
