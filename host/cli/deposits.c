// deposits.c — `chain reconcile`: the console's answer, and a failure where money-out is halted.
#include <string.h>
#include "cli/internal.h"

enum fr_status run_chain_reconcile(struct cli *c, struct fr_err *err)
{
    FR_AUTO(fr_json) found = NULL;
    FR_TRY(cli_ask(c, "chain.reconcile", cli_option(c, "accept") ? "{\"accept\":true}" : "{}", &c->out, err));
    FR_TRY(fr_json_parse(c->out.data, c->out.len, &found, err));
    const char *halted = fr_json_text(fr_json_get(found, "halted")), *why = fr_json_text(fr_json_get(found, "why"));
    if (!halted || cli_option(c, "accept")) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_CONFLICT, halted, "money-out is halted: %.300s", why ? why : halted);
}
