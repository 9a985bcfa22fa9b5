// top.c — verbs about what plugins use and who is kept from them.
#include "base/clock.h"
#include "console/internal.h"
#include "console/metrics.h"
#include "plugin/use.h"

void live_top(struct console_op *op)
{
    metrics_print_top(console_options_of(op->console)->metrics, &op->out);
    console_answer(op, FR_OK, NULL);
}

void live_plugin_unblock(struct console_op *op)
{
    const char *id, *player;
    struct fr_err err;
    enum fr_status st = fr_json_need_text(op->args, "plugin", 1, PLUGIN_ID_BYTES_MAX, &id, &err);
    if (st == FR_OK) st = fr_json_need_text(op->args, "player", 1, PLAYER_ID_BYTES - 1, &player, &err);
    struct plugin *p = st == FR_OK ? plugins_find(console_options_of(op->console)->plugins, id) : NULL;
    if (st == FR_OK && !p) st = FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "plugin_unknown", "there is no plugin \"%s\"", id);
    if (st == FR_OK && !blocks_lift(&p->meter->blocks, player))
        st = FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "player_not_blocked", "player %s has nothing against them at %s", player, id);
    if (st == FR_OK) fr_buf_add(&op->out, "{}");
    console_answer(op, st, &err);
}
