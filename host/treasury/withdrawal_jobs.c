// withdrawal_jobs.c — the store jobs of a round: what was read of the chain becomes rows and journal entries, each in one commit.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/id.h"
#include "treasury/withdrawal_inside.h"

// ---- what was known

enum fr_status withdrawal_load_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    const struct withdrawals *w = r->w;
    bool found = false;
    for (int i = 0; i < w->asset_count; i++) {
        FR_SQL_ROW(row);
        FR_TRY(sql_begin(txn, "SELECT scanned FROM withdrawal_module WHERE address = ?1", &row, err));
        sql_bind_bytes(row, 1, w->assets[i].rules.module.bytes, ADDRESS_BYTES);
        FR_TRY(sql_step(row, &found, err));
        uint64_t from = w->assets[i].rules.from_block, before = from ? from - 1 : 0;
        r->scanned[i] = found ? (uint64_t)sql_int(row, 0) : before;
    }
    FR_SQL_ROW(head);
    FR_TRY(sql_begin(txn, "SELECT block FROM withdrawal_head", &head, err));
    FR_TRY(sql_step(head, &found, err));
    r->known_block = found ? (uint64_t)sql_int(head, 0) : 0;
    return FR_OK;
}

// ---- Paid events up to round->to

static enum fr_status sighted(struct store_txn *txn, const struct withdrawal_row *r, const struct withdrawal_paid *p, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE withdrawal SET sighted = 1, hash = ?2 WHERE id = ?1", &row, err));
    sql_bind_text(row, 1, r->id);
    sql_bind_bytes(row, 2, p->hash, 32);
    return sql_do(row, NULL, err);
}

// A hint to ask about it at once; what it was is payment(mark)'s to say. Of an unknown or a returned one there is nothing to ask.
static enum fr_status scan_one(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_paid *p, struct fr_err *err)
{
    struct withdrawal_row row;
    bool found = false;
    FR_TRY(withdrawal_find_mark(txn, p->mark, &row, &found, err));
    if (!found) return withdrawal_unknown_add(txn, r->w, p, "payout_unknown", r->now_ms, err);
    if (row.state == WITHDRAWAL_RETURNED) return withdrawal_unknown_add(txn, r->w, p, "payout_returned", r->now_ms, err);
    return sighted(txn, &row, p, err);
}

enum fr_status withdrawal_scan_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    struct store_row *row = NULL;
    for (int i = 0; i < r->paid_count; i++) FR_TRY(scan_one(txn, r, &r->paid[i], err));
    FR_TRY(sql_begin(txn, "INSERT INTO withdrawal_module(address, scanned) VALUES(?1, ?2) ON CONFLICT(address) DO UPDATE SET scanned = max(scanned, excluded.scanned)", &row, err));
    sql_bind_bytes(row, 1, r->w->assets[r->asset].rules.module.bytes, ADDRESS_BYTES);
    sql_bind_int(row, 2, (int64_t)r->to);
    return sql_do(row, NULL, err);
}

// ---- what to ask about

static enum fr_status promote(struct store_txn *txn, struct withdrawal_round *r, struct fr_err *err)
{
    struct store_row *row = NULL;
    int64_t changed = 0;
    FR_TRY(sql_begin(txn, "UPDATE withdrawal SET state = 2 WHERE state = 1 AND wish = '' AND ready_ms <= ?1 AND approvals >= needs", &row, err));
    sql_bind_int(row, 1, r->now_ms);
    FR_TRY(sql_do(row, &changed, err));
    return FR_OK;
}

static enum fr_status question_of(const struct withdrawals *w, const struct withdrawal_row *row, bool for_batch, struct withdrawal_question *q, struct fr_err *err)
{
    int no = withdrawal_asset_no(w, row->asset);
    *q = (struct withdrawal_question){ .module = row->module, .to = row->to, .for_batch = for_batch };
    snprintf(q->id, sizeof q->id, "%s", row->id);
    memcpy(q->mark, row->mark, sizeof q->mark);
    if (no < 0) return FR_FAIL(err, FR_E_INVALID, "withdrawal %s is of %s, which is not configured any more", row->id, row->asset);
    const struct treasury_token *t = w->assets[no].token;
    return u256_from_units(row->units, t->ledger_decimals, t->chain_decimals, &q->amount, err);
}

static enum fr_status ask_rows(struct withdrawal_round *r, struct store_row *rows, bool for_batch, struct fr_err *err)
{
    struct withdrawal_row row;
    bool found = true;
    struct fr_err why;
    while (r->question_count < PAYOUT_BATCH_MAX) {
        FR_TRY(sql_step(rows, &found, err));
        if (!found) break;
        withdrawal_read(rows, &row);
        if (question_of(r->w, &row, for_batch, &r->questions[r->question_count], &why) != FR_OK) snprintf(r->odd, sizeof r->odd, "%.150s", why.text);
        else r->question_count++;
    }
    return FR_OK;
}

// Those that a payment's end, an event, a player or an operator made due: they are asked about whether or not anything may be paid.
static enum fr_status ask_due(struct store_txn *txn, struct withdrawal_round *r, struct fr_err *err)
{
    FR_SQL_ROW(rows);
    FR_TRY(sql_begin(txn, "SELECT " WITHDRAWAL_COLUMNS " FROM withdrawal w WHERE state < 5 AND ((state = 3 AND EXISTS (SELECT 1 FROM withdrawal_batch b WHERE b.id = w.batch AND b.ended <> 0 AND b.final_block <= ?1))"
                          " OR sighted = 1 OR (wish <> '' AND state <> 3 AND (?2 OR wish = 'operator'))) ORDER BY id LIMIT ?3", &rows, err));
    sql_bind_int(rows, 1, (int64_t)r->block);
    sql_bind_int(rows, 2, r->may_pay);
    sql_bind_int(rows, 3, PAYOUT_BATCH_MAX);
    return ask_rows(r, rows, false, err);
}

static enum fr_status ask_waiting(struct store_txn *txn, struct withdrawal_round *r, struct withdrawal_asset *a, struct fr_err *err)
{
    const struct withdrawal_options *o = &r->w->o;
    FR_SQL_ROW(count);
    bool found = false;
    if (r->question_count > 0) return FR_OK;             // first things first; one asset in a round
    FR_TRY(sql_begin(txn, "SELECT count(*), coalesce(min(max(asked_ms, ready_ms)), 0) FROM withdrawal WHERE state = 2 AND wish = '' AND asset = ?1 AND module = ?2", &count, err));
    sql_bind_text(count, 1, a->rules.asset);
    sql_bind_bytes(count, 2, a->rules.module.bytes, ADDRESS_BYTES);
    FR_TRY(sql_step(count, &found, err));
    if (sql_int(count, 0) == 0 || (sql_int(count, 0) < o->batch_count && sql_int(count, 1) + o->batch_age_ms > r->now_ms)) return FR_OK;
    FR_SQL_ROW(rows);
    FR_TRY(sql_begin(txn, "SELECT " WITHDRAWAL_COLUMNS " FROM withdrawal WHERE state = 2 AND wish = '' AND asset = ?1 AND module = ?2 ORDER BY id LIMIT ?3", &rows, err));
    sql_bind_text(rows, 1, a->rules.asset);
    sql_bind_bytes(rows, 2, a->rules.module.bytes, ADDRESS_BYTES);
    sql_bind_int(rows, 3, PAYOUT_BATCH_MAX);
    return ask_rows(r, rows, true, err);
}

static enum fr_status count_all(struct store_txn *txn, struct withdrawal_round *r, struct fr_err *err)
{
    struct withdrawal_figures *f = &r->figures;
    char by[OPERATOR_NAME_BYTES_MAX + 1];
    bool found = true;
    FR_SQL_ROW(row);
    *f = (struct withdrawal_figures){ 0 };
    FR_TRY(sql_begin(txn, "SELECT state, count(*), coalesce(min(asked_ms), 0) FROM withdrawal WHERE state < 5 GROUP BY state", &row, err));
    for (;;) {
        FR_TRY(sql_step(row, &found, err));
        if (!found) break;
        f->count[sql_int(row, 0)] = sql_int(row, 1);
        if (sql_int(row, 0) != WITHDRAWAL_ASKED && (!f->oldest_ms || sql_int(row, 2) < f->oldest_ms)) f->oldest_ms = sql_int(row, 2);
    }
    FR_SQL_ROW(more);
    FR_TRY(sql_begin(txn, "SELECT (SELECT count(*) FROM withdrawal_batch WHERE ended = 0), EXISTS (SELECT 1 FROM withdrawal w JOIN withdrawal_batch b ON b.id = w.batch WHERE w.state = 3 AND w.wish <> '' AND b.ended = 0)", &more, err));
    FR_TRY(sql_step(more, &found, err));
    f->batches_open = sql_int(more, 0);
    r->cancels = sql_int(more, 1) != 0;
    FR_TRY(withdrawal_unknown_count(txn, &f->unknown, err));
    return withdrawal_is_paused(txn, &f->paused, by, err);
}

enum fr_status withdrawal_collect_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    struct store_row *head = NULL;
    r->question_count = 0;
    FR_TRY(sql_begin(txn, "UPDATE withdrawal_head SET block = ?1 WHERE block < ?1", &head, err));
    sql_bind_int(head, 1, (int64_t)r->block);
    FR_TRY(sql_do(head, NULL, err));
    FR_TRY(promote(txn, r, err));
    FR_TRY(count_all(txn, r, err));
    if (r->figures.unknown) r->may_pay = false;
    FR_TRY(ask_due(txn, r, err));
    if (!r->may_pay || r->figures.paused || r->figures.batches_open >= PAYOUT_BATCHES_OPEN_MAX) return FR_OK;
    for (int i = 0; i < r->w->asset_count; i++) FR_TRY(ask_waiting(txn, r, &r->w->assets[i], err));
    return FR_OK;
}

// ---- what the chain said

static void notice(struct withdrawal_round *r, const struct withdrawal_row *row)
{
    struct withdrawal_notice *n = &r->notices[r->notice_count++];
    snprintf(n->player, sizeof n->player, "%s", row->player);
    snprintf(n->asset, sizeof n->asset, "%s", row->asset);
    r->did = true;
}

static enum fr_status end_row(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_row *row, enum withdrawal_state to, uint64_t block, struct fr_err *err)
{
    struct store_row *update = NULL;
    int64_t changed = 0;
    FR_TRY(sql_begin(txn, "UPDATE withdrawal SET state = ?3, ended_ms = ?4, block = ?5, note = CASE WHEN ?3 = 5 THEN '' ELSE note END,"
                          " hash = CASE WHEN ?3 = 5 THEN coalesce(hash, (SELECT b.hash FROM withdrawal_batch b WHERE b.id = withdrawal.batch AND b.ended = 1)) ELSE hash END WHERE id = ?1 AND state = ?2", &update, err));
    sql_bind_text(update, 1, row->id);
    sql_bind_int(update, 2, row->state);
    sql_bind_int(update, 3, to);
    sql_bind_int(update, 4, r->now_ms);
    sql_bind_int(update, 5, (int64_t)block);
    FR_TRY(sql_do(update, &changed, err));
    if (changed != 1) return FR_FAIL(err, FR_E_CONFLICT, "withdrawal %s is not as it was", row->id);
    notice(r, row);
    return FR_OK;
}

static enum fr_status settle(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_row *row, uint64_t block, struct fr_err *err)
{
    struct ledger_account world;
    char key[KEY_BYTES_MAX + 1], note[80];
    int64_t id;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "world", row->asset, &world, err));
    struct ledger_leg leg = { world.id, row->units };
    snprintf(key, sizeof key, WITHDRAWAL_PAYMENTS "%s:settle", row->id);
    snprintf(note, sizeof note, "block %llu", (unsigned long long)block);
    FR_TRY(ledger_hold_settle(txn, row->hold, &leg, 1, key, "withdrawal", note, r->now_ms, &id, err));
    return end_row(txn, r, row, WITHDRAWAL_PAID, block, err);
}

static enum fr_status give_back(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_row *row, struct fr_err *err)
{
    char key[KEY_BYTES_MAX + 1];
    int64_t id;
    snprintf(key, sizeof key, WITHDRAWAL_PAYMENTS "%s:return", row->id);
    FR_TRY(ledger_hold_release(txn, row->hold, key, "withdrawal_returned", r->now_ms, &id, err));
    return end_row(txn, r, row, WITHDRAWAL_RETURNED, 0, err);
}

// Of all the payments that ever carried it: is one still open, up to which block are the others' ends proven, and how did the last one end?
struct carried { bool open; uint64_t proven; enum txq_end last; };
static enum fr_status carried_by(struct store_txn *txn, const struct withdrawal_row *row, struct carried *ret, struct fr_err *err)
{
    FR_SQL_ROW(all);
    bool found = false;
    FR_TRY(sql_begin(txn, "SELECT coalesce(sum(b.ended = 0), 0), coalesce(max(b.final_block), 0), coalesce(max(CASE WHEN b.id = ?2 THEN b.ended END), 0) FROM withdrawal_member m JOIN withdrawal_batch b ON b.id = m.batch"
                          " WHERE m.withdrawal = ?1", &all, err));
    sql_bind_text(all, 1, row->id);
    sql_bind_text(all, 2, row->batch);
    FR_TRY(sql_step(all, &found, err));
    *ret = (struct carried){ sql_int(all, 0) != 0, (uint64_t)sql_int(all, 1), (enum txq_end)sql_int(all, 2) };
    return FR_OK;
}

static enum fr_status paid_otherwise(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_row *row, const struct withdrawal_question *q, struct fr_err *err)
{
    struct withdrawal_paid p = { .asset = withdrawal_asset_no(r->w, row->asset), .to = q->to, .amount = q->amount, .block = q->block };
    memcpy(p.mark, q->mark, 32);
    FR_TRY(withdrawal_unknown_add(txn, r->w, &p, "payout_differs", r->now_ms, err));
    r->did = true;
    return withdrawal_move(txn, row, WITHDRAWAL_REVIEW, "the chain shows another receiver or amount under its mark", err);
}

static enum fr_status not_paid(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_row *row, bool *candidate, struct fr_err *err)
{
    struct carried c;
    FR_TRY(carried_by(txn, row, &c, err));
    if (c.open || c.proven > r->block) return FR_OK;     // it may still be paid, or this block is too early to know
    if (row->wish[0]) return r->may_pay || strcmp(row->wish, "operator") == 0 ? give_back(txn, r, row, err) : FR_OK;
    *candidate = row->state == WITHDRAWAL_WAITING;
    if (row->state != WITHDRAWAL_BATCHED) return FR_OK;
    r->did = true;
    if (c.last == TXQ_REVERTED) return withdrawal_move(txn, row, WITHDRAWAL_REVIEW, "its transaction reverted", err);
    if (c.last == TXQ_PAID) return withdrawal_move(txn, row, WITHDRAWAL_REVIEW, "its transaction is final, but the contract does not show the payment", err);
    return withdrawal_move(txn, row, WITHDRAWAL_WAITING, c.last == TXQ_LOST ? "its nonce was lost; the chain shows no payment" : "its batch was taken back", err);
}

static enum fr_status unsight(struct store_txn *txn, const char *id, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "UPDATE withdrawal SET sighted = 0 WHERE id = ?1", &row, err));
    sql_bind_text(row, 1, id);
    return sql_do(row, NULL, err);
}

static enum fr_status verdict(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_question *q, struct withdrawal_row *row, bool *candidate, struct fr_err *err)
{
    bool found = false;
    *candidate = false;
    FR_TRY(withdrawal_find(txn, q->id, row, &found, err));
    if (!found || row->state >= WITHDRAWAL_PAID) return FR_OK;
    FR_TRY(unsight(txn, q->id, err));
    if (!q->paid) return not_paid(txn, r, row, candidate, err);
    return q->same ? settle(txn, r, row, q->block, err) : paid_otherwise(txn, r, row, q, err);
}

// ---- a batch

static enum fr_status batch_call(const struct withdrawal_question *const *q, int count, struct fr_buf *to, struct fr_err *err)
{
    uint8_t ids[PAYOUT_BATCH_MAX][ABI_WORD_BYTES], payees[PAYOUT_BATCH_MAX][ABI_WORD_BYTES] = { { 0 } }, amounts[PAYOUT_BATCH_MAX][ABI_WORD_BYTES];
    struct abi_out out;
    for (int i = 0; i < count; i++) {
        memcpy(ids[i], q[i]->mark, 32);
        memcpy(payees[i] + 12, q[i]->to.bytes, ADDRESS_BYTES);
        u256_to_bytes(q[i]->amount, amounts[i]);
    }
    abi_begin(&out, to, "pay(bytes32[],address[],uint256[])", 3);
    abi_put_words(&out, ids, (size_t)count);
    abi_put_words(&out, payees, (size_t)count);
    abi_put_words(&out, amounts, (size_t)count);
    return abi_end(&out, err);
}

static enum fr_status batch_row(struct store_txn *txn, const char *batch, const char *asset, int64_t payment, int count, int64_t units, int64_t now_ms, struct fr_err *err)
{
    struct store_row *row = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO withdrawal_batch(id, asset, payment, count, units, made_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)", &row, err));
    sql_bind_text(row, 1, batch);
    sql_bind_text(row, 2, asset);
    sql_bind_int(row, 3, payment);
    sql_bind_int(row, 4, count);
    sql_bind_int(row, 5, units);
    sql_bind_int(row, 6, now_ms);
    return sql_do(row, NULL, err);
}

static enum fr_status batch_member(struct store_txn *txn, const char *batch, const char *id, struct fr_err *err)
{
    struct store_row *row = NULL;
    int64_t changed = 0;
    FR_TRY(sql_begin(txn, "UPDATE withdrawal SET state = 3, batch = ?2, note = '' WHERE id = ?1 AND state = 2 AND wish = ''", &row, err));
    sql_bind_text(row, 1, id);
    sql_bind_text(row, 2, batch);
    FR_TRY(sql_do(row, &changed, err));
    if (changed != 1) return FR_FAIL(err, FR_E_CONFLICT, "withdrawal %s does not wait any more", id);
    FR_TRY(sql_begin(txn, "INSERT INTO withdrawal_member(withdrawal, batch) VALUES(?1, ?2)", &row, err));
    sql_bind_text(row, 1, id);
    sql_bind_text(row, 2, batch);
    return sql_do(row, NULL, err);
}

static enum fr_status batch_make(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_question *const *q, int count, const char *asset, int64_t units, struct fr_err *err)
{
    FR_AUTO_BUF(call);
    struct txq_ask ask = { .queue = TREASURY_QUEUE, .to = q[0]->module };
    char batch[FR_ID_BYTES];
    int64_t payment;
    fr_buf_init(&call, TXQ_DATA_BYTES_MAX);
    FR_TRY(batch_call(q, count, &call, err));
    fr_id_new(batch);
    snprintf(ask.name, sizeof ask.name, WITHDRAWAL_PAYMENTS "%s", batch);
    ask.data = (const uint8_t *)call.data;
    ask.data_len = call.len;
    FR_TRY(txq_put(txn, &ask, r->now_ms, &payment, err));
    FR_TRY(batch_row(txn, batch, asset, payment, count, units, r->now_ms, err));
    for (int i = 0; i < count; i++) FR_TRY(batch_member(txn, batch, q[i]->id, err));
    r->did = r->put = true;
    return FR_OK;
}

// Those of one asset that fit one batch, oldest first; it was looked beforehand that all are of one module.
static enum fr_status batch_of(struct store_txn *txn, struct withdrawal_round *r, const struct withdrawal_question *const *q, const int64_t *units, int count, const char *asset, struct fr_err *err)
{
    char by[OPERATOR_NAME_BYTES_MAX + 1];
    int64_t unknown = 0, sum = 0;
    bool paused = false;
    int fits = 0, no = withdrawal_asset_no(r->w, asset);
    FR_TRY(withdrawal_is_paused(txn, &paused, by, err));
    FR_TRY(withdrawal_unknown_count(txn, &unknown, err));
    if (count == 0 || no < 0 || paused || unknown || !r->may_pay) return FR_OK;
    int64_t most = r->w->assets[no].rules.batch_most;
    while (fits < count && (most == 0 || units[fits] <= most - sum) && units[fits] <= UNITS_MAX - sum) sum += units[fits++];
    return fits ? batch_make(txn, r, q, fits, asset, sum, err) : FR_OK;
}

enum fr_status withdrawal_verdict_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    const struct withdrawal_question *ready[PAYOUT_BATCH_MAX];
    int64_t units[PAYOUT_BATCH_MAX];
    char asset[16] = "";
    int count = 0;
    r->notice_count = 0;
    r->did = r->put = false;
    for (int i = 0; i < r->question_count; i++) {
        struct withdrawal_row row;
        bool candidate;
        FR_TRY(verdict(txn, r, &r->questions[i], &row, &candidate, err));
        if (!candidate || !r->questions[i].for_batch) continue;
        snprintf(asset, sizeof asset, "%s", row.asset);
        units[count] = row.units;
        ready[count++] = &r->questions[i];
    }
    return batch_of(txn, r, ready, units, count, asset, err);
}

// ---- the end of a payment: its withdrawals are asked about in the next round

enum fr_status withdrawal_on_end(struct store_txn *txn, void *withdrawals, const struct txq_payment_row *p, struct fr_err *err)
{
    struct store_row *row = NULL;
    int64_t changed = 0;
    (void)withdrawals;
    if (strncmp(p->name, WITHDRAWAL_PAYMENTS, sizeof WITHDRAWAL_PAYMENTS - 1) != 0) return FR_FAIL(err, FR_E_INVALID, "payment %s is none of withdrawals", p->name);
    FR_TRY(sql_begin(txn, "UPDATE withdrawal_batch SET ended = ?2, hash = ?3, block = ?4, final_block = ?5 WHERE id = ?1 AND payment = ?6 AND ended = 0", &row, err));
    sql_bind_text(row, 1, p->name + sizeof WITHDRAWAL_PAYMENTS - 1);
    sql_bind_int(row, 2, p->end);
    sql_bind_bytes(row, 3, p->hash, 32);
    sql_bind_int(row, 4, (int64_t)p->block);
    sql_bind_int(row, 5, (int64_t)p->final_block);
    sql_bind_int(row, 6, p->id);
    FR_TRY(sql_do(row, &changed, err));
    return changed == 1 ? FR_OK : FR_FAIL(err, FR_E_CORRUPT, "payment %s is of no batch that is open", p->name);
}
