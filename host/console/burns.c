// burns.c — the operator's burns: what is pending, on its way, burned; orders to the part that burns. Reading needs no chain, nor does pausing.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "console/internal.h"
#include "treasury/burn.h"
#include "treasury/treasury.h"

static const struct burn_reader operator_reads = { .operator = true };

static enum fr_status id_arg(const struct console_op *op, const char **id, struct fr_err *err) { return fr_json_need_text(op->args, "id", 1, 80, id, err); }

static struct burn *burn_of(const struct console_op *op) { return treasury_part_of(console_options_of(op->console)->treasury, "burn"); }      // NULL: no chain, or it is not up

static enum fr_status chain_off(struct fr_err *err)
{
    return FR_FAIL_CODE(err, FR_E_CONFLICT, "chain_off", "this host has no chain: burns stay pending. `chain` in the config file names one, --dev makes one");
}

// ---- reading

static enum fr_status list_accruals(struct store_txn *txn, struct console_op *op, struct fr_err *err)
{
    struct burn_filter f = { 0 };
    FR_TRY(fr_json_opt_text(op->args, "plugin", PLUGIN_ID_BYTES_MAX, "", &f.plugin, err));
    FR_TRY(fr_json_opt_text(op->args, "match", 40, "", &f.match, err));
    FR_TRY(fr_json_opt_units(op->args, "before", 0, INT64_MAX, 0, &f.before, err));
    FR_TRY(console_limit(op, BURN_LIST_MAX, 20, &f.limit, err));
    return burn_list(txn, &f, &operator_reads, &op->out, err);
}

enum fr_status job_burn_list(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    int64_t before;
    int limit;
    bool more;
    if (fr_json_get(op->args, "accruals")) return list_accruals(txn, op, err);
    if (!op->console) FR_TRY(burn_collect(txn, &more, err));               // nobody else does
    FR_TRY(fr_json_opt_units(op->args, "before", 0, INT64_MAX, 0, &before, err));
    FR_TRY(console_limit(op, BURN_LIST_MAX, 20, &limit, err));
    return burn_batches(txn, before, limit, &op->out, err);
}

static void listed(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct console_op *op = arg;
    struct burn *burn = burn_of(op);
    if (status == FR_OK && op->out.len && !op->out.failed && !fr_json_get(op->args, "accruals")) {
        op->out.len--;                                         // the closing brace
        fr_buf_add(&op->out, ",\"facts\":");
        if (burn) burn_facts(burn, &op->out);
        else fr_buf_add(&op->out, "null");
        fr_buf_add(&op->out, "}");
    }
    console_answer(op, status, err);
}

void live_burn_list(struct console_op *op)
{
    struct fr_err err;
    if (store_read(console_options_of(op->console)->store, job_burn_list, op, listed, &err) != FR_OK) console_answer(op, err.status, &err);
}

enum fr_status job_burn_show(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *id;
    FR_TRY(id_arg(op, &id, err));
    return burn_show(txn, id, &operator_reads, &op->out, err);
}

struct supply_ask { struct console_op *op; struct burn_chain_supply chain; char later_from[80]; };

static enum fr_status supply_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct supply_ask *a = arg;
    const char *asset;
    FR_TRY(fr_json_opt_text(a->op->args, "asset", 15, "PALM", &asset, err));
    return burn_supply(txn, asset, a->later_from, &a->chain, &a->op->out, err);
}

enum fr_status job_burn_supply(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct supply_ask a = { .op = arg };
    return supply_job(txn, &a, err);
}

static void supplied(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct supply_ask *a = arg;
    console_answer(a->op, status, err);
    fr_free(a);
}

void live_burn_supply(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    struct supply_ask *a = fr_must_alloc(sizeof *a);
    struct fr_err err;
    *a = (struct supply_ask){ .op = op, .chain = burn_chain_supply(burn_of(op)) };
    if (burn_of(op)) snprintf(a->later_from, sizeof a->later_from, "%s", burn_options_of(burn_of(op))->later_from);
    if (store_read(o->store, supply_job, a, supplied, &err) != FR_OK) supplied(a, err.status, &err);
}

// ---- orders

enum fr_status job_burn_pause(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    fr_buf_add(&op->out, "{\"paused\":true}");
    return burn_pause(txn, true, err);
}

enum fr_status job_burn_resume(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    fr_buf_add(&op->out, "{\"paused\":false}");
    return burn_pause(txn, false, err);
}

enum fr_status job_burn_run(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *id;
    FR_TRY(fr_json_opt_text(op->args, "id", 80, "", &id, err));
    fr_buf_add(&op->out, id[0] ? "{\"run\":" : "{\"run\":\"pending\"");
    if (id[0]) fr_buf_add_json_text(&op->out, id);
    fr_buf_add(&op->out, "}");
    return burn_run(txn, id, fr_now_ms(), err);
}

enum fr_status job_burn_return(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *id;
    FR_TRY(id_arg(op, &id, err));
    fr_buf_add(&op->out, "{\"returning\":");
    fr_buf_add_json_text(&op->out, id);
    fr_buf_add(&op->out, "}");
    return burn_return(txn, id, err);
}

enum fr_status job_burn_adopt(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct console_op *op = arg;
    const char *id;
    FR_TRY(id_arg(op, &id, err));
    return burn_adopt(txn, id, fr_now_ms(), &op->out, err);
}

static void ordered(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct console_op *op = arg;
    if (status == FR_OK) burn_wake(burn_of(op));
    console_answer(op, status, err);
}

void live_burn_order(struct console_op *op)
{
    struct console_options *o = console_options_of(op->console);
    struct fr_err err;
    bool needs_chain = strcmp(op->verb->name, "burn.pause") != 0 && strcmp(op->verb->name, "burn.resume") != 0;
    enum fr_status st = needs_chain && !burn_of(op) ? chain_off(&err) : store_run(o->store, op->verb->job, op, ordered, &err);
    if (st != FR_OK) console_answer(op, st, &err);
}

// ---- the chain is asked

static void verified(void *arg, enum fr_status st, const char *json, size_t len, const struct fr_err *err)
{
    struct console_op *op = arg;
    if (st == FR_OK) fr_buf_add_bytes(&op->out, json, len);
    console_answer(op, st, err);
}

void live_burn_verify(struct console_op *op)
{
    struct burn *burn = burn_of(op);
    struct fr_err err;
    const char *id;
    enum fr_status st = id_arg(op, &id, &err);
    if (st == FR_OK && !burn) st = chain_off(&err);
    if (st != FR_OK) console_answer(op, st, &err);
    else burn_verify(burn, id, verified, op);
}
