// chain.c — verbs about the chain. They need the running host: what is true stands on the chain, not in the data folder.
#include "console/internal.h"

static struct treasury *treasury_of(const struct console_op *op) { return console_options_of(op->console)->treasury; }

void live_chain_status(struct console_op *op)
{
    treasury_print_status(treasury_of(op), &op->out);
    console_answer(op, FR_OK, NULL);
}

static void pause_or_not(struct console_op *op, bool pause)
{
    struct fr_err err;
    enum fr_status st = treasury_pause(treasury_of(op), pause, &err);
    if (st == FR_OK) fr_buf_addf(&op->out, "{\"paused\":%s}", pause ? "true" : "false");
    console_answer(op, st, &err);
}

void live_chain_pause(struct console_op *op) { pause_or_not(op, true); }
void live_chain_resume(struct console_op *op) { pause_or_not(op, false); }

void live_chain_forgive(struct console_op *op)
{
    const char *node;
    struct fr_err err;
    enum fr_status st = fr_json_opt_text(op->args, "node", ENDPOINT_NAME_BYTES - 1, NULL, &node, &err);
    if (st == FR_OK) st = treasury_forgive(treasury_of(op), node, &err);
    if (st == FR_OK) fr_buf_add(&op->out, "{}");
    console_answer(op, st, &err);
}
