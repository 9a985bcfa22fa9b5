// sessions.c — a player's sessions, for the operator: where they are signed in, and ending that.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "console/internal.h"

// "17" or "player:17"
static enum fr_status player_arg(const struct console_op *op, const char **player, struct fr_err *err)
{
    FR_TRY(fr_json_need_text(op->args, "player", 1, 30, player, err));
    if (strncmp(*player, "player:", 7) == 0) *player += 7;
    return FR_OK;
}

enum fr_status job_session_list(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct session_info list[SESSIONS_PER_PLAYER_MAX];
    struct player who;
    const char *player;
    int count;
    FR_TRY(player_arg(op, &player, err));
    FR_TRY(player_get(txn, player, &who, err));
    FR_TRY(session_list(txn, player, fr_now_ms(), list, SESSIONS_PER_PLAYER_MAX, &count, err));
    fr_buf_add(&op->out, "[");
    for (int i = 0; i < count; i++) {
        char created[25], seen[25], expires[25];
        const struct session_info *s = &list[i];
        fr_buf_addf(&op->out, "%s{\"id\":\"%lld\",\"scope\":\"%s\",\"bot\":\"%s\",\"device\":\"%s\",\"created_at\":\"%s\",\"seen_at\":\"%s\",\"expires_at\":\"%s\",\"opened_by\":", i ? "," : "", (long long)s->session.id,
                    s->session.scope, s->bot, s->device, fr_time_text(s->session.created_ms, created), fr_time_text(s->session.seen_ms, seen), fr_time_text(s->session.expires_ms, expires));
        if (s->parent) fr_buf_addf(&op->out, "\"%lld\"}", (long long)s->parent);
        else fr_buf_add(&op->out, "null}");
    }
    fr_buf_add(&op->out, "]");
    return FR_OK;
}

enum fr_status job_session_revoke(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct player who;
    const char *player;
    int64_t id;
    FR_TRY(player_arg(op, &player, err));
    FR_TRY(fr_json_opt_units(op->args, "session", 1, INT64_MAX, 0, &id, err));
    FR_TRY(player_get(txn, player, &who, err));
    FR_TRY(session_end(txn, player, id, 0, fr_now_ms(), &op->ended, err));
    if (id && op->ended.count == 0) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "session_not_found", "player %s has no session %lld: `frond session list %s` shows those alive", player, (long long)id, player);
    fr_buf_addf(&op->out, "{\"player\":\"%s\",\"ended\":%d}", player, op->ended.count);
    return FR_OK;
}

// With a host running, its memory of the sessions and their sockets go too, before the operator hears of it.
static void revoked(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct console_op *op = arg;
    const struct console_options *o = console_options_of(op->console);
    const char *player;
    struct fr_err none;
    if (status == FR_OK && player_arg(op, &player, &none) == FR_OK) o->sessions_ended(o->arg, player, &op->ended);
    console_answer(op, status, err);
}

void live_session_revoke(struct console_op *op)
{
    struct fr_err err;
    if (store_run(console_options_of(op->console)->store, job_session_revoke, op, revoked, &err) != FR_OK) console_answer(op, err.status, &err);
}
