// withdrawals.c — what operators see of coins that leave, and what they may do about them. Every deed has a name on it; the running host's next look acts on it.
#include <string.h>
#include "base/clock.h"
#include "console/internal.h"
#include "treasury/withdrawal.h"

#define LIST_MAX 200

static enum fr_status state_arg(const struct console_op *op, enum withdrawal_state *ret, struct fr_err *err)
{
    const char *text;
    *ret = 0;
    FR_TRY(fr_json_opt_text(op->args, "state", 20, "", &text, err));
    if (!text[0]) return FR_OK;
    for (enum withdrawal_state s = WITHDRAWAL_ASKED; s <= WITHDRAWAL_RETURNED; s++) if (strcmp(withdrawal_state_name(s), text) == 0) *ret = s;
    return *ret ? FR_OK : FR_FAIL(err, FR_E_INVALID, "state: expected asked, waiting, batched, review, paid or returned, not \"%.20s\"", text);
}

struct listing { struct fr_buf *out; int count; };

static void list_each(void *arg, const struct withdrawal_row *row)
{
    struct listing *l = arg;
    if (l->count++) fr_buf_add(l->out, ",");
    withdrawal_print(row, true, l->out);
}

enum fr_status job_withdrawal_list(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct listing l = { &op->out, 0 };
    const char *player, *before;
    enum withdrawal_state state;
    int limit;
    FR_TRY(fr_json_opt_text(op->args, "player", 30, "", &player, err));
    FR_TRY(fr_json_opt_text(op->args, "before", 40, "", &before, err));
    FR_TRY(state_arg(op, &state, err));
    FR_TRY(console_limit(op, LIST_MAX, 20, &limit, err));
    if (strncmp(player, "player:", 7) == 0) player += 7;
    fr_buf_add(&op->out, "[");
    FR_TRY(withdrawal_list(txn, player[0] ? player : NULL, state, before, limit, list_each, &l, err));
    fr_buf_add(&op->out, "]");
    return FR_OK;
}

enum fr_status job_withdrawal_unknown(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    return withdrawal_unknown_print(txn, &op->out, err);
}

enum fr_status job_withdrawal_show(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct withdrawal_row row;
    const char *id;
    FR_TRY(fr_json_need_text(op->args, "withdrawal", 1, 40, &id, err));
    FR_TRY(withdrawal_get(txn, id, &row, err));
    withdrawal_print(&row, true, &op->out);
    return FR_OK;
}

static enum fr_status deed_args(const struct console_op *op, const char **id, const char **operator, struct fr_err *err)
{
    if (id) FR_TRY(fr_json_need_text(op->args, "withdrawal", 1, 40, id, err));
    return fr_json_need_text(op->args, "operator", 1, 64, operator, err);
}

enum fr_status job_withdrawal_approve(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct withdrawal_row row;
    const char *id, *operator;
    FR_TRY(deed_args(op, &id, &operator, err));
    FR_TRY(withdrawal_approve(txn, id, operator, fr_now_ms(), &row, err));
    withdrawal_print(&row, true, &op->out);
    return FR_OK;
}

enum fr_status job_withdrawal_return(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct withdrawal_row row;
    const char *id, *operator;
    FR_TRY(deed_args(op, &id, &operator, err));
    FR_TRY(withdrawal_return(txn, id, operator, &row, err));
    withdrawal_print(&row, true, &op->out);
    return FR_OK;
}

// What nobody has put into a batch yet; for the rest there is `return`, which takes a whole batch back.
enum fr_status job_withdrawal_refuse(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct withdrawal_row row;
    const char *id, *operator;
    FR_TRY(deed_args(op, &id, &operator, err));
    FR_TRY(withdrawal_get(txn, id, &row, err));
    if (row.state == WITHDRAWAL_BATCHED || row.state == WITHDRAWAL_REVIEW) return FR_FAIL_CODE(err, FR_E_CONFLICT, "withdrawal_under_way", "it is %s: `frond withdrawal return` gives it back", withdrawal_state_name(row.state));
    return job_withdrawal_return(txn, arg, err);
}

enum fr_status job_withdrawal_again(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    struct withdrawal_row row;
    const char *id, *operator;
    FR_TRY(deed_args(op, &id, &operator, err));
    FR_TRY(withdrawal_again(txn, id, operator, &row, err));
    withdrawal_print(&row, true, &op->out);
    return FR_OK;
}

static enum fr_status pause_set(struct store_txn *txn, struct console_op *op, bool pause, struct fr_err *err)
{
    const char *operator;
    FR_TRY(deed_args(op, NULL, &operator, err));
    FR_TRY(withdrawal_pause(txn, pause, operator, err));
    fr_buf_addf(&op->out, "{\"paused\":%s,\"operator\":\"%s\"}", pause ? "true" : "false", operator);
    return FR_OK;
}
enum fr_status job_withdrawal_pause(struct store_txn *txn, void *arg, struct fr_err *err) { return pause_set(txn, arg, true, err); }
enum fr_status job_withdrawal_resume(struct store_txn *txn, void *arg, struct fr_err *err) { return pause_set(txn, arg, false, err); }

enum fr_status job_withdrawal_adopt(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *operator;
    int count;
    FR_TRY(deed_args(op, NULL, &operator, err));
    FR_TRY(withdrawal_adopt(txn, operator, fr_now_ms(), &count, err));
    fr_buf_addf(&op->out, "{\"adopted\":%d,\"operator\":\"%s\"}", count, operator);
    return FR_OK;
}
