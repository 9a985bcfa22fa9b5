// llm_keys.c — API keys for the models, for the operator: everybody's, and ones of the operator's own.
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "console/internal.h"
#include "player/apikey.h"

#define LIST_MAX 500

// "17" or "player:17"; NULL when it is not there.
static enum fr_status opt_player(const struct console_op *op, const char **player, struct fr_err *err)
{
    FR_TRY(fr_json_opt_text(op->args, "player", 30, NULL, player, err));
    if (*player && strncmp(*player, "player:", 7) == 0) *player += 7;
    return FR_OK;
}

static void put_key(struct fr_buf *out, const struct api_key *k)
{
    api_key_print(k, out);
    fr_buf_add(out, ",\"player\":");
    fr_buf_add_json_text(out, k->player[0] ? k->player : NULL);
}

enum fr_status job_llm_key_list(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct api_key list[LIST_MAX];
    const char *player;
    int64_t before;
    int limit, count = 0;
    FR_TRY(opt_player(op, &player, err));
    FR_TRY(fr_json_opt_units(op->args, "before", 1, INT64_MAX, 0, &before, err));
    FR_TRY(console_limit(op, LIST_MAX, 50, &limit, err));
    FR_TRY(api_key_list(txn, player, before, fr_now_ms(), list, limit, &count, err));
    fr_buf_add(&op->out, "[");
    for (int i = 0; i < count; i++) {
        if (i) fr_buf_add(&op->out, ",");
        put_key(&op->out, &list[i]);
        fr_buf_add(&op->out, "}");
    }
    fr_buf_add(&op->out, "]");
    return FR_OK;
}

// The operator decides who gets one: nobody's balance is looked at.
enum fr_status job_llm_key_new(struct store_txn *txn, void *arg, struct fr_err *err)
{
    static const struct api_key_rules anybody = { .per_player = API_KEYS_PER_PLAYER_MAX };
    struct console_op *op = arg;
    struct api_key_ask ask = { .scopes = API_SCOPES_ALL };
    struct api_key k;
    char text[API_KEY_TEXT_BYTES];
    const char *scopes;
    FR_TRY(opt_player(op, &ask.player, err));
    FR_TRY(fr_json_need_text(op->args, "name", 1, API_KEY_NAME_BYTES_MAX, &ask.name, err));
    FR_TRY(fr_json_opt_text(op->args, "scopes", 60, "models,chat,embed", &scopes, err));
    if (!api_scopes_parse(scopes, &ask.scopes)) return FR_FAIL(err, FR_E_INVALID, "scopes: expected some of models,chat,embed");
    FR_TRY(fr_json_opt_units(op->args, "tokens-minute", 0, UNITS_MAX, 0, &ask.limits.tokens_minute, err));
    FR_TRY(fr_json_opt_units(op->args, "tokens-day", 0, UNITS_MAX, 0, &ask.limits.tokens_day, err));
    FR_TRY(fr_json_opt_units(op->args, "requests-minute", 0, UNITS_MAX, 0, &ask.limits.requests_minute, err));
    FR_TRY(fr_json_opt_units(op->args, "coins-day", 0, UNITS_MAX, 0, &ask.limits.coins_day, err));
    FR_TRY(api_key_new(txn, &anybody, &ask, fr_now_ms(), text, &k, err));
    put_key(&op->out, &k);
    fr_buf_addf(&op->out, ",\"key\":\"%s\"}", text);
    return FR_OK;
}

enum fr_status job_llm_key_revoke(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    int64_t id;
    FR_TRY(fr_json_need_units(op->args, "key", 1, INT64_MAX, &id, err));
    FR_TRY(api_key_revoke(txn, NULL, id, fr_now_ms(), err));
    fr_buf_addf(&op->out, "{\"revoked\":\"%lld\"}", (long long)id);
    return FR_OK;
}
