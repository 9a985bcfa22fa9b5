// deposits.c — deposits and reconciliation, for the operator.
#include <string.h>
#include "console/internal.h"
#include "treasury/deposit.h"
#include "treasury/reconcile.h"
#include "treasury/treasury.h"

#define LIST_MAX 200
#define OUTFLOWS_SHOWN 20

static struct reconcile *reconcile_of(const struct console_op *op) { return treasury_part_of(console_options_of(op->console)->treasury, "reconcile"); }     // NULL: no chain, or it is not up

enum fr_status job_deposit_list(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    int64_t after;
    int limit;
    FR_TRY(fr_json_opt_units(op->args, "after", 0, INT64_MAX, 0, &after, err));
    FR_TRY(console_limit(op, LIST_MAX, 50, &limit, err));
    return deposit_print_list(txn, after, limit, &op->out, err);
}

enum fr_status job_deposit_show(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *who;
    FR_TRY(fr_json_need_text(op->args, "who", 1, 60, &who, err));
    if (strncmp(who, "player:", 7) == 0) who += 7;
    return deposit_print_one(txn, who, &op->out, err);
}

// ---- chain.reconcile: what was seen last, and who took what out of the vault; with `accept` an operator has looked at that

static bool accepts(const struct console_op *op)
{
    const struct fr_json *accept = fr_json_get(op->args, "accept");
    return accept && fr_json_kind(accept) != JSON_NULL && !(fr_json_kind(accept) == JSON_BOOL && !fr_json_is_true(accept));
}

static enum fr_status job_outflows(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    int64_t count = 0;
    FR_TRY(reconcile_print_outflows(txn, OUTFLOWS_SHOWN, &op->out, err));
    if (accepts(op)) FR_TRY(reconcile_accept(txn, &count, err));
    fr_buf_addf(&op->out, ",\"accepted\":%lld", (long long)count);
    return FR_OK;
}

static void outflows_read(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct console_op *op = arg;
    struct reconcile *r = reconcile_of(op);
    FR_AUTO_BUF(whole);
    fr_buf_init(&whole, CONSOLE_RESULT_BYTES_MAX);
    if (status == FR_OK) {
        if (accepts(op)) reconcile_again(r);
        reconcile_print(r, &whole);
        if (whole.len) whole.len--;        // the brace that ends it
        fr_buf_add(&whole, ",\"outflows\":");
        fr_buf_add_bytes(&whole, op->out.data, op->out.len);
        fr_buf_add(&whole, "}");
        fr_buf_clear(&op->out);
        fr_buf_add_bytes(&op->out, whole.data, whole.len);
    }
    console_answer(op, status, err);
}

void live_chain_reconcile(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    struct fr_err err;
    enum fr_status st;
    if (!reconcile_of(op)) {
        st = FR_FAIL_CODE(&err, FR_E_CONFLICT, "chain_off", "this host has no chain: its configuration names none");
        console_answer(op, st, &err);
        return;
    }
    if (store_run(o->store, job_outflows, op, outflows_read, &err) != FR_OK) console_answer(op, err.status, &err);
}
