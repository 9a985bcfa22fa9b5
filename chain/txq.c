// txq.c — carries out what the machine decides: one struct per action, which comes back as an event unless the machine was loaded anew meanwhile.
#include "chain/txq.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "chain/abi.h"
#include "chain/keccak.h"
#include "chain/txq_inside.h"

struct op {
    struct txq *q;
    struct op *next, *before;              // of the queue's
    uint32_t generation;                   // of the machine that asked
    int asks;                              // questions to endpoints that have not come back; else the store or the signer has it
    bool outside;                          // the store or the signer has it
    struct txq_action action;
    struct txq_questions questions;
    uint8_t hashes[TXQ_HASHES_MAX][32];
    int hash_count;
    bool history;
    struct txq_sight sight;
    struct txq_proof proof;
    struct final_look look;
    struct txq_call call;
    struct tx tx;
    struct fr_buf raw;
    struct txq_save save;
    struct txq_payment_row row;
    struct txq_rows *rows;
    bool loads, wakes, late;               // late: it could not even begin
};

struct txq {
    struct txq_config config;
    struct txq_machine m;
    struct txq_actions out;
    struct op *ops;
    uint32_t generation;
    bool closed, loading, waking, wake_again, base_fee;
    int held_order;                        // 1 more than one that came while nothing was loaded; 0: none
    int64_t load_at_ms;
    unsigned send_turn, look_turn;
    struct fr_buf raw;                     // what was signed, on its way to the store
    char last_error[200];
};

static int64_t now_of(const struct txq *q) { return q->config.now_ms ? q->config.now_ms(q->config.arg) : fr_now_ms(); }

static void note(struct txq *q, const char *what, const struct fr_err *err) { snprintf(q->last_error, sizeof q->last_error, "%s: %.150s", what, err->text); }

// ---- operations

static struct op *op_new(struct txq *q, const struct txq_action *a)
{
    struct op *op = fr_must_alloc(sizeof *op);
    op->q = q;
    op->generation = q->generation;
    if (a) op->action = *a;
    txq_questions_init(&op->questions);
    op->next = q->ops;
    if (q->ops) q->ops->before = op;
    q->ops = op;
    return op;
}

static void rows_free(struct txq_rows *rows)
{
    if (rows) fr_free(rows->payments);
    fr_free(rows);
}

static void op_end(struct op *op)
{
    struct txq *q = op->q;
    if (op->before) op->before->next = op->next;
    else q->ops = op->next;
    if (op->next) op->next->before = op->before;
    txq_questions_free(&op->questions);
    fr_buf_free(&op->call.data);
    fr_buf_free(&op->raw);
    rows_free(op->rows);
    fr_free(op);
    if (!q->closed || q->ops) return;
    fr_buf_free(&q->raw);
    fr_free(q);
}

static bool op_is_stale(const struct op *op) { return op->q->closed || op->generation != op->q->generation; }

static void perform(struct txq *q);
static void happened(struct txq *q, struct txq_event e)
{
    e.now_ms = now_of(q);
    txq_machine_step(&q->m, &e, &q->out);
    perform(q);
}

// The end of an operation: what the machine hears of it, if it is still the one that asked.
static void op_event(struct op *op, struct txq_event e)
{
    struct txq *q = op->q;
    if (!op_is_stale(op)) happened(q, e);
    op_end(op);
}

static void op_failed(struct op *op)
{
    static const enum txq_event_kind kinds[] = { [TXQ_DO_LOOK] = TXQ_LOOKED, [TXQ_DO_PROVE] = TXQ_PROVED, [TXQ_DO_CHECK] = TXQ_CHECKED, [TXQ_DO_SIGN] = TXQ_SIGNED, [TXQ_DO_SAVE] = TXQ_SAVED, [TXQ_DO_SEND] = TXQ_SENT };
    op_event(op, (struct txq_event){ .kind = kinds[op->action.what], .hash = op->action.hash });
}

// From inside a step nothing may be told at once: the next tick does.
static void op_refused(struct op *op, const char *what, const struct fr_err *err)
{
    note(op->q, what, err);
    op->late = true;
}

static bool op_ask(struct op *op, const char *what, enum rpc_kind kind, int quorum, const char *only, endpoints_done_fn *done)
{
    struct fr_err err;
    struct endpoints_ask ask = { .calls = op->questions.at, .count = op->questions.count, .kind = kind, .quorum = quorum > 1 ? quorum : 0, .only = only, .done = done, .arg = op };
    enum fr_status st = txq_questions_end(&op->questions, &err);
    if (st == FR_OK) st = endpoints_ask(op->q->config.endpoints, &ask, &err);
    if (st == FR_OK) {
        op->asks++;
        return true;
    }
    op_refused(op, what, &err);
    return false;
}

static void op_store(struct op *op, const char *what, bool reads, store_job_fn *job, store_done_fn *done)
{
    struct fr_err err;
    enum fr_status st = reads ? store_read(op->q->config.store, job, op, done, &err) : store_run(op->q->config.store, job, op, done, &err);
    op->outside = st == FR_OK;
    if (st != FR_OK) op_refused(op, what, &err);
}

// ---- loading, and payments that are new

static enum fr_status load_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct op *op = arg;
    const struct txq_config *c = &op->q->config;
    op->rows = fr_alloc(sizeof *op->rows);
    if (!op->rows) return FR_FAIL(err, FR_E_NOMEM, "no memory for what is open");
    return txq_load(txn, c->queue, &c->address, c->chain_id, op->wakes, op->rows, err);
}

static void load_failed(struct txq *q, const char *what, const struct fr_err *err)
{
    note(q, what, err);
    q->loading = q->waking = false;
    q->load_at_ms = now_of(q) + q->config.rules.retry_ms;
    q->m.step = TXQ_UNLOADED;
    q->generation++;
}

static bool load_rows(struct txq *q, const struct txq_rows *rows, bool all)
{
    if (all) txq_machine_begin(&q->m, &q->config.rules, &rows->head);
    for (int i = 0; i < rows->payment_count; i++)
        if (!txq_machine_load_payment(&q->m, &rows->payments[i])) return false;
    for (int i = 0; i < rows->attempt_count; i++)
        if (!txq_machine_load_attempt(&q->m, rows->attempts[i].nonce, rows->attempts[i].payment, &rows->attempts[i].attempt)) return false;
    return true;
}

// Jobs and their ends come in order: what the store held when this job ran is what the machine was told of until now.
static void load_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct op *op = arg;
    struct txq *q = op->q;
    struct fr_err odd;
    if (q->closed || (op->wakes && op_is_stale(op))) {
        if (!q->closed) q->waking = false;
        op_end(op);
        return;
    }
    bool loads = op->loads;
    if (loads) q->loading = false;
    else q->waking = false;
    if (st != FR_OK) load_failed(q, "loading", err);
    else if (!load_rows(q, op->rows, loads)) {
        FR_IGNORE(FR_FAIL(&odd, FR_E_CORRUPT, "what is stored does not fit together"));      // only to be shown
        load_failed(q, "loading", &odd);
    } else happened(q, (struct txq_event){ .kind = TXQ_TICK });
    op_end(op);
    if (q->m.step != TXQ_UNLOADED && q->held_order) {
        enum txq_order order = (enum txq_order)(q->held_order - 1);
        q->held_order = 0;
        txq_order(q, order);
    }
    if (q->wake_again && !q->waking && q->m.step != TXQ_UNLOADED) txq_wake(q);
}

static void load_start(struct txq *q)
{
    q->loading = true;
    q->generation++;
    struct op *op = op_new(q, NULL);
    op->loads = true;
    op_store(op, "loading", false, load_job, load_done);
    if (!op->late) return;
    q->loading = false;
    q->load_at_ms = now_of(q) + q->config.rules.retry_ms;
    op_end(op);
}

void txq_wake(struct txq *q)
{
    q->wake_again = q->waking || q->m.step == TXQ_UNLOADED;    // what is under way may have looked before
    if (q->wake_again) return;
    struct op *op = op_new(q, NULL);
    op->wakes = q->waking = true;
    op_store(op, "new payments", false, load_job, load_done);
    if (!op->late) return;
    q->waking = false;
    q->wake_again = true;                  // the next tick
    op_end(op);
}

// ---- a look

// One endpoint after the other: all pools come to have what is sent, and one that lies about the newest block is soon contradicted.
static const char *turn_of(struct txq *q, unsigned *turns, struct endpoint_facts facts[ENDPOINTS_MAX])
{
    int count = endpoints_facts(q->config.endpoints, facts), good = 0;
    for (int i = 0; i < count; i++) good += facts[i].state == ENDPOINT_GOOD;
    if (good == 0) return NULL;
    int turn = (int)((*turns)++ % (unsigned)good);
    for (int i = 0; i < count; i++)
        if (facts[i].state == ENDPOINT_GOOD && turn-- == 0) return facts[i].name;
    return NULL;
}

// Unless every endpoint is known to lack it: then the gas price has to do.
static bool has_history(const struct txq *q)
{
    struct endpoint_facts facts[ENDPOINTS_MAX];
    int count = endpoints_facts(q->config.endpoints, facts), lack = 0;
    for (int i = 0; i < count; i++) lack += facts[i].probed && !facts[i].fee_history;
    return lack < count && !q->config.rules.legacy_only;
}

static void look_ask(struct op *op);
static void look_done(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct op *op = arg;
    struct txq *q = op->q;
    struct fr_err odd;
    bool base_fee = false;
    (void)who;
    op->asks--;
    if (st == FR_OK) st = txq_read_sight(answers, op->history, q->config.rules.legacy_only, op->hashes, op->hash_count, &op->sight, &base_fee, &odd), err = &odd;
    if (st != FR_OK) {
        note(q, "looking at the chain", err);
        op_failed(op);
        return;
    }
    bool first = base_fee && !q->base_fee;
    q->base_fee = base_fee;
    if (first && has_history(q)) {         // now we know what to ask for
        look_ask(op);
        if (op->late) op->late = false, op_failed(op);
        return;
    }
    op_event(op, (struct txq_event){ .kind = TXQ_LOOKED, .ok = true, .sight = &op->sight });
}

static void look_ask(struct op *op)
{
    struct txq *q = op->q;
    struct endpoint_facts facts[ENDPOINTS_MAX];
    txq_questions_free(&op->questions);
    txq_questions_init(&op->questions);
    op->history = q->base_fee && has_history(q);
    op->hash_count = txq_machine_hashes(&q->m, UINT64_MAX, op->hashes);
    txq_ask_sight(&op->questions, &q->config.address, op->history, q->config.fee_percentile, op->hashes, op->hash_count);
    op_ask(op, "looking at the chain", RPC_ANY, 1, turn_of(q, &q->look_turn, facts), look_done);
}

// ---- a proof: which block is final, by as many endpoints as the quorum; the nonce there; the receipts of all that were signed below it

static void prove_failed(struct op *op, const struct fr_err *err)
{
    note(op->q, "looking at what is final", err);
    op_failed(op);
}

static void prove_receipts(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct op *op = arg;
    struct fr_err odd;
    (void)who;
    op->asks--;
    if (st == FR_OK) st = txq_read_receipts(answers, 0, op->hashes, op->hash_count, op->proof.at, &odd), err = &odd;
    if (st != FR_OK) {
        prove_failed(op, err);
        return;
    }
    op->proof.seen = op->hash_count;
    op_event(op, (struct txq_event){ .kind = TXQ_PROVED, .ok = true, .proof = &op->proof });
}

static void prove_count(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct op *op = arg;
    struct txq *q = op->q;
    struct fr_err odd;
    (void)who;
    op->asks--;
    if (st == FR_OK && answers->at[0].fault) st = FR_FAIL(&odd, FR_E_BUSY, "%s: %s", rpc_fault_name(answers->at[0].fault), answers->at[0].text), err = &odd;
    if (st == FR_OK) st = rpc_need_u64(answers->at[0].result, "", &op->proof.count, &odd), err = &odd;
    if (st == FR_OK && op->proof.count > INT64_MAX) st = FR_FAIL(&odd, FR_E_INVALID, "a nonce past 63 bits"), err = &odd;
    if (st != FR_OK) {
        prove_failed(op, err);
        return;
    }
    if (op_is_stale(op)) {
        op_failed(op);
        return;
    }
    op->hash_count = txq_machine_hashes(&q->m, op->proof.count, op->hashes);
    if (op->hash_count == 0) {
        op_event(op, (struct txq_event){ .kind = TXQ_PROVED, .ok = true, .proof = &op->proof });
        return;
    }
    txq_questions_free(&op->questions);
    txq_questions_init(&op->questions);
    txq_ask_receipts(&op->questions, op->hashes, op->hash_count);
    if (!op_ask(op, "receipts", RPC_RECEIPT, q->config.final.quorum, NULL, prove_receipts)) op->late = false, op_failed(op);
}

static void prove_final(void *arg, enum fr_status st, uint64_t block, const struct fr_err *err)
{
    struct op *op = arg;
    struct txq *q = op->q;
    char text[ADDRESS_TEXT_BYTES];
    op->asks--;
    if (st != FR_OK) {
        prove_failed(op, err);
        return;
    }
    op->proof.block = block;
    txq_ask_for(&op->questions, "eth_getTransactionCount", "[\"%s\",\"0x%llx\"]", address_text(&q->config.address, text), (unsigned long long)block);
    if (!op_ask(op, "the final nonce", RPC_QUANTITY, q->config.final.quorum, NULL, prove_count)) op->late = false, op_failed(op);
}

static void prove_start(struct op *op)
{
    struct fr_err err;
    op->look = (struct final_look){ .endpoints = op->q->config.endpoints, .rules = op->q->config.final, .done = prove_final, .arg = op };
    if (final_look_start(&op->look, &err) == FR_OK) op->asks++;
    else op_refused(op, "looking at what is final", &err);
}

// ---- would it revert?

static void check_done(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct op *op = arg;
    struct txq *q = op->q;
    struct txq_event e = { .kind = TXQ_CHECKED, .ok = st == FR_OK };
    struct fr_err odd;
    (void)who;
    op->asks--;
    if (st != FR_OK) note(q, "trying a payment", err);
    for (int i = 0; e.ok && i < answers->count; i++) {
        const struct rpc_answer *a = &answers->at[i];
        char why[160];
        uint8_t data[1024];
        size_t digits = a->data ? strlen(a->data) : 0;
        if (!a->fault) continue;
        if (a->fault == RPC_FUNDS || rpc_fault_is_the_endpoints(a->fault)) e.ok = false;
        else e.reverts = true;
        snprintf(why, sizeof why, "%s", a->text);
        if (digits > 2 && digits % 2 == 0 && digits / 2 - 1 <= sizeof data && fr_unhex(a->data + 2, digits - 2, data, digits / 2 - 1)) abi_revert_text(data, digits / 2 - 1, why, sizeof why);
        snprintf(q->last_error, sizeof q->last_error, "payment %lld would fail: %s", (long long)op->action.payment, why);
        break;
    }
    if (e.ok && !e.reverts && answers->count > 1 && rpc_need_u64(answers->at[1].result, "", &e.gas, &odd) != FR_OK) {
        note(q, "the gas of a payment", &odd);
        e.ok = false;
    }
    op_event(op, e);
}

static enum fr_status call_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct op *op = arg;
    return txq_load_call(txn, op->action.payment, &op->call, err);
}

static void check_loaded(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct op *op = arg;
    struct txq *q = op->q;
    char from[ADDRESS_TEXT_BYTES], to[ADDRESS_TEXT_BYTES], value[U256_HEX_BYTES], gas[40] = "";
    FR_AUTO_MEM char *data = NULL;
    op->outside = false;
    if (st == FR_OK && !op_is_stale(op)) data = fr_alloc(2 * op->call.data.len + 1);
    if (!data) {
        if (st != FR_OK) note(q, "reading a payment", err);
        op_failed(op);
        return;
    }
    fr_hex(op->call.data.len ? op->call.data.data : "", op->call.data.len, data);
    if (op->call.gas) snprintf(gas, sizeof gas, ",\"gas\":\"0x%llx\"", (unsigned long long)op->call.gas);
    address_text(&q->config.address, from);
    address_text(&op->call.to, to);
    u256_quantity(op->call.value, value);
    txq_ask_for(&op->questions, "eth_call", "[{\"from\":\"%s\",\"to\":\"%s\",\"value\":\"%s\",\"data\":\"0x%s\"%s},\"latest\"]", from, to, value, data, gas);
    if (!op->call.gas) txq_ask_for(&op->questions, "eth_estimateGas", "[{\"from\":\"%s\",\"to\":\"%s\",\"value\":\"%s\",\"data\":\"0x%s\"}]", from, to, value, data);
    if (!op_ask(op, "trying a payment", RPC_ANY, 1, NULL, check_done)) op->late = false, op_failed(op);
}

// ---- signing

_Static_assert(TXQ_DATA_BYTES_MAX <= SIGN_DATA_BYTES_MAX, "what is accepted can be signed");

static bool same_tx(const struct tx *a, const struct tx *b)
{
    return a->kind == b->kind && a->chain_id == b->chain_id && a->nonce == b->nonce && a->gas_limit == b->gas_limit && u256_compare(a->max_fee, b->max_fee) == 0 && u256_compare(a->max_tip, b->max_tip) == 0
           && a->creates == b->creates && address_equal(&a->to, &b->to) && u256_compare(a->value, b->value) == 0 && a->data_len == b->data_len && (a->data_len == 0 || memcmp(a->data, b->data, a->data_len) == 0);
}

// What comes back is looked at as closely as anything from outside: it is what will be sent.
static void sign_done(void *arg, enum fr_status st, const struct sign_answer *answer, const struct fr_err *err)
{
    struct op *op = arg;
    const uint8_t *raw = answer ? answer->raw : NULL;
    size_t len = answer ? answer->raw_len : 0;
    struct txq *q = op->q;
    struct tx got;
    struct signature sig;
    struct address from;
    struct fr_err odd;
    uint8_t hash[32];
    op->outside = false;
    if (st == FR_OK) st = tx_read(raw, len, &got, &sig, &from, &odd), err = &odd;
    if (st == FR_OK && (!same_tx(&got, &op->tx) || !address_equal(&from, &q->config.address))) st = FR_FAIL(&odd, FR_E_INVALID, "the signer signed something else"), err = &odd;
    if (st == FR_OK && !op_is_stale(op)) {
        fr_buf_clear(&q->raw);
        fr_buf_add_bytes(&q->raw, raw, len);
        st = fr_buf_check(&q->raw, "a transaction", &odd), err = &odd;
    }
    if (st != FR_OK || op_is_stale(op)) {
        if (st != FR_OK && !q->closed) note(q, "signing", err);
        op_failed(op);
        return;
    }
    keccak256(raw, len, hash);
    op_event(op, (struct txq_event){ .kind = TXQ_SIGNED, .ok = true, .hash = hash });
}

static void sign_start(struct op *op)
{
    struct txq *q = op->q;
    const struct txq_action *a = &op->action;
    struct fr_err err;
    op->tx = (struct tx){ .kind = a->legacy ? TX_LEGACY : TX_FEE_MARKET, .chain_id = q->config.chain_id, .nonce = a->nonce, .gas_limit = a->gas, .max_fee = a->fees.max_fee, .max_tip = a->fees.tip, .to = q->config.address,
                          .data = (const uint8_t *)"" };
    if (a->pays) {
        op->tx.to = op->call.to;
        op->tx.value = op->call.value;
        op->tx.data = op->call.data.len ? (const uint8_t *)op->call.data.data : (const uint8_t *)"";
        op->tx.data_len = op->call.data.len;
    }
    struct sign_ask ask = { .kind = SIGN_A_TX, .from = q->config.address, .tx = op->tx };
    enum fr_status st = q->config.signer->sign(q->config.signer, &ask, sign_done, op, &err);
    op->outside = st == FR_OK;
    if (st != FR_OK) op_refused(op, "signing", &err);
}

static void sign_loaded(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct op *op = arg;
    op->outside = false;
    if (st != FR_OK || op_is_stale(op)) {
        if (st != FR_OK && !op->q->closed) note(op->q, "reading a payment", err);
        op_failed(op);
        return;
    }
    sign_start(op);
    if (op->late) op->late = false, op_failed(op);
}

// ---- saving

static enum fr_status save_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct op *op = arg;
    const struct txq_config *c = &op->q->config;
    FR_TRY(txq_save(txn, &op->save, &op->row, err));
    return op->row.id && c->on_end ? c->on_end(txn, c->arg, &op->row, err) : FR_OK;
}

static void save_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct op *op = arg;
    op->outside = false;
    if (st != FR_OK) note(op->q, "saving", err);
    op_event(op, (struct txq_event){ .kind = TXQ_SAVED, .ok = st == FR_OK });
}

static void save_start(struct op *op)
{
    struct txq *q = op->q;
    op->save = (struct txq_save){ .queue = q->config.queue, .chain_id = q->config.chain_id, .address = q->config.address, .change = op->action.change, .now_ms = now_of(q) };
    if (op->action.change.kind == TXQ_SAVE_ATTEMPT) {
        op->raw = q->raw;
        fr_buf_init(&q->raw, TX_BYTES_MAX);
        op->save.raw = (const uint8_t *)op->raw.data;
        op->save.raw_len = op->raw.len;
    }
    op_store(op, "saving", false, save_job, save_done);
}

// ---- sending: the stored bytes

static void send_done(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct op *op = arg;
    struct txq_event e = { .kind = TXQ_SENT, .hash = op->action.hash };
    (void)who;
    op->asks--;
    if (st != FR_OK) note(op->q, "sending", err);
    else if (answers->at[0].fault) {
        e.fault = answers->at[0].fault;
        if (e.fault != RPC_ALREADY_KNOWN) snprintf(op->q->last_error, sizeof op->q->last_error, "sending: %s: %.120s", rpc_fault_name(e.fault), answers->at[0].text);
    } else e.ok = true;
    op_event(op, e);
}

static enum fr_status raw_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct op *op = arg;
    return txq_load_raw(txn, op->action.hash, &op->raw, err);
}

static void send_loaded(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct op *op = arg;
    struct txq *q = op->q;
    struct endpoint_facts facts[ENDPOINTS_MAX];
    FR_AUTO_MEM char *hex = NULL;
    op->outside = false;
    if (st == FR_OK && !op_is_stale(op)) hex = fr_alloc(2 * op->raw.len + 1);
    if (!hex) {
        if (st != FR_OK && !q->closed) note(q, "reading what is to be sent", err);
        op_failed(op);
        return;
    }
    txq_ask_for(&op->questions, "eth_sendRawTransaction", "[\"0x%s\"]", fr_hex(op->raw.data, op->raw.len, hex));
    if (!op_ask(op, "sending", RPC_ANY, 1, turn_of(q, &q->send_turn, facts), send_done)) op->late = false, op_failed(op);
}

// ---- telling

static const char *const end_names[] = { "goes on with another nonce", "is paid", "reverted, and is not tried again: an operator has to look", "is cancelled, and was not paid", "lost its nonce to a transaction that is not ours" };

static void tell(struct txq *q, const struct txq_action *a)
{
    char text[400], fee[U256_TEXT_BYTES];
    const long long payment = (long long)a->payment, nonce = (long long)a->nonce;
    if (!q->config.on_news) return;
    switch (a->news) {
    case TXQ_NEWS_WAIT: snprintf(text, sizeof text, "the next payment waits for: %s%s%.200s", txq_wait_name(a->wait), q->last_error[0] ? "; last error: " : "", q->last_error); break;
    case TXQ_NEWS_HALTED: snprintf(text, sizeof text, "halted: %s", q->m.head.why); break;
    case TXQ_NEWS_REORG: snprintf(text, sizeof text, "a reorg took nonce %lld of payment %lld out of its block: it is sent again", nonce, payment); break;
    case TXQ_NEWS_MOVED: snprintf(text, sizeof text, "nonce %lld of payment %lld is in another block now", nonce, payment); break;
    case TXQ_NEWS_REPLACED: snprintf(text, sizeof text, "nonce %lld of payment %lld is %s, with at most %s wei for a unit of gas", nonce, payment, a->pays ? "bid for anew" : "to be taken back", u256_text(a->fees.max_fee, fee)); break;
    case TXQ_NEWS_FILLER: snprintf(text, sizeof text, "nonce %lld was missing and is filled", nonce); break;
    case TXQ_NEWS_REFUSED: snprintf(text, sizeof text, "a node refused nonce %lld of payment %lld: %s", nonce, payment, rpc_fault_name(a->fault)); break;
    case TXQ_NEWS_ENDED:
        if (payment) snprintf(text, sizeof text, "payment %lld %s", payment, end_names[a->end]);
        else snprintf(text, sizeof text, "nonce %lld, which paid nobody, is over", nonce);
        break;
    }
    q->config.on_news(q->config.arg, a, text);
}

// ---- the queue

static void perform(struct txq *q)
{
    for (int i = 0; i < q->out.count; i++) {
        const struct txq_action *a = &q->out.at[i];
        if (a->what == TXQ_DO_TELL) tell(q, a);
        else if (a->what == TXQ_DO_LOAD) {
            q->generation++;
            q->waking = false;
            q->load_at_ms = now_of(q) + q->config.rules.retry_ms;
        } else {
            struct op *op = op_new(q, a);
            switch (a->what) {
            case TXQ_DO_LOOK: look_ask(op); break;
            case TXQ_DO_PROVE: prove_start(op); break;
            case TXQ_DO_CHECK: op_store(op, "reading a payment", true, call_job, check_loaded); break;
            case TXQ_DO_SIGN:
                if (a->pays) op_store(op, "reading a payment", true, call_job, sign_loaded);
                else sign_start(op);
                break;
            case TXQ_DO_SAVE: save_start(op); break;
            case TXQ_DO_SEND: op_store(op, "reading what is to be sent", true, raw_job, send_loaded); break;
            case TXQ_DO_LOAD: case TXQ_DO_TELL: break;
            }
        }
    }
    q->out.count = 0;
}

static bool late_one(struct txq *q)
{
    for (struct op *op = q->ops; op; op = op->next)
        if (op->late && !op->asks && !op->outside) {
            op->late = false;
            op_failed(op);
            return true;
        }
    return false;
}

void txq_tick(struct txq *q)
{
    int64_t now = now_of(q);
    for (int i = 0; i < 16 && late_one(q); i++) {}
    if (q->m.step == TXQ_UNLOADED) {
        if (!q->loading && (now >= q->load_at_ms || q->load_at_ms - now > q->config.rules.retry_ms)) load_start(q);
        return;
    }
    if (q->wake_again && !q->waking) txq_wake(q);
    happened(q, (struct txq_event){ .kind = TXQ_TICK });
}

void txq_order(struct txq *q, enum txq_order order)
{
    if (q->m.step == TXQ_UNLOADED) q->held_order = (int)order + 1;
    else happened(q, (struct txq_event){ .kind = TXQ_ORDERED, .order = order });
}

enum fr_status txq_new(const struct txq_config *c, struct txq **ret, struct fr_err *err)
{
    const struct txq_rules *r = &c->rules;
    if (c->queue < 1 || c->queue > TXQ_QUEUES_MAX) return FR_FAIL(err, FR_E_INVALID, "queue %d", c->queue);
    if (c->fee_percentile < 1 || c->fee_percentile > 99) return FR_FAIL(err, FR_E_INVALID, "the percentile of tips is 1 to 99, not %d", c->fee_percentile);
    FR_TRY(final_rules_check(&c->final, err));
    if (c->chain_id == 0 || c->chain_id > INT64_MAX) return FR_FAIL(err, FR_E_INVALID, "a chain without an id");
    if (r->look_ms < 1 || r->resend_ms < 1 || r->raise_ms < 1 || r->retry_ms < 1) return FR_FAIL(err, FR_E_INVALID, "waits are longer than nothing");
    struct txq *q = fr_alloc(sizeof *q);
    if (!q) return FR_FAIL(err, FR_E_NOMEM, "no memory for transactions");
    q->config = *c;
    q->m.step = TXQ_UNLOADED;
    fr_buf_init(&q->raw, TX_BYTES_MAX);
    load_start(q);
    *ret = q;
    return FR_OK;
}

void txq_free(struct txq *q)
{
    if (!q) return;
    q->generation++;
    for (struct op *op = q->ops, *next; op; op = next) {       // endpoints are gone: what they had never comes back
        next = op->next;
        if (!op->outside) op_end(op);
    }
    q->closed = true;
    if (q->ops) return;                    // the last that comes back frees it
    fr_buf_free(&q->raw);
    fr_free(q);
}

// ---- figures

void txq_facts(const struct txq *q, struct txq_facts *ret)
{
    const struct txq_machine *m = &q->m;
    *ret = (struct txq_facts){ .loaded = m->step != TXQ_UNLOADED, .paused = m->head.paused, .halted = m->head.halted, .suspect = m->suspect, .wait = m->step == TXQ_UNLOADED ? TXQ_WAIT_LOAD : m->wait, .payments = m->payment_count,
                               .open = m->slot_count, .next_nonce = m->head.next_nonce, .final_nonce = m->head.final_nonce, .block = m->sight_block, .balance = m->balance, .spend_today = m->head.spend, .base_fee = m->fees.base, .figures = m->figures };
    memcpy(ret->why, m->head.why, sizeof ret->why);
    if (m->slot_count) ret->oldest_ms = m->slots[0].at[0].saved_ms;
    memcpy(ret->last_error, q->last_error, sizeof ret->last_error);
}

static double as_double(struct u256 a) { return (((double)a.limb[3] * 0x1p64 + (double)a.limb[2]) * 0x1p64 + (double)a.limb[1]) * 0x1p64 + (double)a.limb[0]; }

void txq_metrics(const struct txq *q, struct fr_buf *out)
{
    struct txq_facts f;
    txq_facts(q, &f);
    const struct txq_figures *g = &f.figures;
    const struct { const char *name; double value; } gauges[] = {
        { "loaded", f.loaded }, { "paused", f.paused }, { "halted", f.halted }, { "suspect", f.suspect }, { "waiting", f.wait != TXQ_WAIT_NOTHING }, { "payments", f.payments }, { "open_nonces", f.open }, { "next_nonce", (double)f.next_nonce },
        { "final_nonce", (double)f.final_nonce }, { "block", (double)f.block }, { "balance_wei", as_double(f.balance) }, { "spend_today_wei", as_double(f.spend_today) }, { "base_fee_wei", as_double(f.base_fee) },
        { "oldest_seconds", f.oldest_ms ? (double)(now_of(q) - f.oldest_ms) / 1000 : 0 },
    };
    const struct { const char *name; int64_t value; } counters[] = {
        { "signed_total", g->signed_count }, { "replaced_total", g->replaced }, { "cancels_total", g->cancels }, { "fillers_total", g->fillers }, { "sends_total", g->sends }, { "refused_total", g->refused }, { "reorgs_total", g->reorgs },
        { "moved_total", g->moved }, { "paid_total", g->ended[TXQ_PAID] }, { "reverted_total", g->ended[TXQ_REVERTED] }, { "cancelled_total", g->ended[TXQ_CANCELLED] }, { "lost_total", g->ended[TXQ_LOST] },
        { "checks_reverted_total", g->checks_reverted }, { "sign_failed_total", g->sign_failed },
    };
    for (size_t i = 0; i < sizeof gauges / sizeof gauges[0]; i++) fr_buf_addf(out, "# TYPE frond_txq_%s gauge\nfrond_txq_%s{queue=\"%d\"} %.17g\n", gauges[i].name, gauges[i].name, q->config.queue, gauges[i].value);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        fr_buf_addf(out, "# TYPE frond_txq_%s counter\nfrond_txq_%s{queue=\"%d\"} %lld\n", counters[i].name, counters[i].name, q->config.queue, (long long)counters[i].value);
}
