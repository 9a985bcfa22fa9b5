// money.c — `ledger mint` and `ledger audit`: the console's verbs with what people leave out filled in.
#include <string.h>
#include "base/id.h"
#include "cli/internal.h"

enum fr_status run_ledger_mint(struct cli *c, struct fr_err *err)
{
    FR_AUTO_BUF(args);
    char key[FR_ID_BYTES];
    const char *player = cli_arg(c, "player");
    if (strncmp(player, "player:", 7) == 0) player += 7;
    struct { const char *key, *value; } pairs[] = { { "player", player }, { "amount", cli_arg(c, "amount") },
                                                    { "asset", cli_option(c, "asset") ? cli_option(c, "asset") : "PALM" },
                                                    { "key", cli_option(c, "key") ? cli_option(c, "key") : fr_id_new(key) } };
    fr_buf_init(&args, CONSOLE_LINE_BYTES_MAX);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        fr_buf_addf(&args, "%c\"%s\":", i ? ',' : '{', pairs[i].key);
        fr_buf_add_json_bytes(&args, pairs[i].value, strlen(pairs[i].value));
    }
    fr_buf_add_char(&args, '}');
    FR_TRY(fr_buf_check(&args, "the arguments", err));
    return cli_ask(c, "ledger.mint", args.data, &c->out, err);
}

enum fr_status run_ledger_audit(struct cli *c, struct fr_err *err)
{
    FR_AUTO(fr_json) found = NULL;
    FR_TRY(cli_ask(c, "ledger.audit", "{}", &c->out, err));
    FR_TRY(fr_json_parse(c->out.data, c->out.len, &found, err));
    if (fr_json_is_true(fr_json_get(found, "good"))) return FR_OK;
    const char *fault = fr_json_text(fr_json_get(found, "first_fault"));
    return FR_FAIL_CODE(err, FR_E_CORRUPT, "ledger_wrong", "the ledger is not right: %.300s", fault ? fault : "a hold belongs to a match that is over");
}
