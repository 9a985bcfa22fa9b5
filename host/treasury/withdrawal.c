// withdrawal.c — the rounds: which block is final, what was paid up to it, what is due, what the chain says of it, what follows. The functions stand in that order.
#include "treasury/withdrawal.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "treasury/withdrawal_inside.h"

#define RETRY_MS 1000
#define LOG_BLOCKS_FIRST 2000

static int64_t now_of(const struct withdrawals *w) { return w->part.now_ms ? w->part.now_ms(w->part.arg) : fr_now_ms(); }

int withdrawal_asset_no(const struct withdrawals *w, const char *asset)
{
    for (int i = 0; i < w->asset_count; i++) if (strcmp(w->assets[i].rules.asset, asset) == 0) return i;
    return -1;
}

const struct withdrawal_rules *withdrawal_rules_of(const struct withdrawals *w, const char *asset)
{
    int no = withdrawal_asset_no(w, asset);
    return no < 0 ? NULL : &w->assets[no].rules;
}

const struct withdrawal_rules *withdrawal_rules_at(const struct withdrawals *w, int no) { return no < w->asset_count ? &w->assets[no].rules : NULL; }
int64_t withdrawal_cooldown_ms(const struct withdrawals *w) { return w->o.cooldown_ms; }

// ---- a round's life. Whoever was asked last calls back once, also after withdrawal_free, but for endpoints: those forget what waits when they are freed.

static void maybe_free(struct withdrawals *w)
{
    if (w->closed && !w->round) fr_free(w);
}

static void round_drop(struct withdrawal_round *r)
{
    struct withdrawals *w = r->w;
    w->round = NULL;
    fr_free(r->paid);
    fr_free(r);
    maybe_free(w);
}

static void round_end(struct withdrawal_round *r, int64_t wait_ms)
{
    struct withdrawals *w = r->w;
    w->next_ms = now_of(w) + wait_ms;
    round_drop(r);
}

static void round_failed(struct withdrawal_round *r, const char *what, const struct fr_err *err)
{
    struct withdrawals *w = r->w;
    w->failures++;
    snprintf(w->last_error, sizeof w->last_error, "%s: %.150s", what, err->text);
    round_end(r, w->o.look_ms > RETRY_MS ? RETRY_MS : w->o.look_ms);
}

// False: it could not even be asked, and the round is over.
static bool round_store(struct withdrawal_round *r, const char *what, store_job_fn *job, store_done_fn *done)
{
    struct fr_err err;
    r->now_ms = now_of(r->w);
    r->store_has_it = store_run(r->w->part.store, job, r, done, &err) == FR_OK;
    if (!r->store_has_it) round_failed(r, what, &err);
    return r->store_has_it;
}

// What came back from the store: false when nobody is there any more, or it failed.
static bool round_stored(struct withdrawal_round *r, const char *what, enum fr_status st, const struct fr_err *err)
{
    r->store_has_it = false;
    if (r->w->closed) round_drop(r);
    else if (st != FR_OK) round_failed(r, what, err);
    else return true;
    return false;
}

static void round_ask(struct withdrawal_round *r, const char *what, const struct rpc_call *calls, int count, enum rpc_kind kind, endpoints_done_fn *done)
{
    struct fr_err err;
    int quorum = r->w->part.final.quorum;
    struct endpoints_ask ask = { .calls = calls, .count = count, .kind = kind, .quorum = quorum > 1 ? quorum : 0, .done = done, .arg = r };
    if (endpoints_ask(r->w->part.endpoints, &ask, &err) != FR_OK) round_failed(r, what, &err);
}

static enum fr_status no_fault(const struct rpc_answers *answers, struct fr_err *err)
{
    for (int i = 0; i < answers->count; i++)
        if (answers->at[i].fault) return FR_FAIL_CODE(err, FR_E_BUSY, rpc_fault_name(answers->at[i].fault), "%s: %s", rpc_fault_name(answers->at[i].fault), answers->at[i].text);
    return FR_OK;
}

// ---- 5: what follows from what the chain said

static void verdict_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    struct withdrawals *w = r->w;
    if (!round_stored(r, "booking what the chain said", st, err)) return;
    for (int i = 0; i < r->notice_count; i++) if (w->part.wallet) w->part.wallet(w->part.arg, r->notices[i].player, r->notices[i].asset);
    if (r->put && w->part.wake) w->part.wake(w->part.arg);
    round_end(r, r->did ? 0 : w->o.look_ms);
}

// ---- 4: what the chain says of those that are due

static enum fr_status read_payment(const struct rpc_answer *a, struct withdrawal_question *q, struct fr_err *err)
{
    FR_AUTO_BUF(bytes);
    struct address to;
    struct u256 amount;
    fr_buf_init(&bytes, 3 * ABI_WORD_BYTES);
    FR_TRY(rpc_need_data(a->result, "", 3 * ABI_WORD_BYTES, &bytes, err));
    struct abi_in in = { (const uint8_t *)bytes.data, bytes.len };
    if (bytes.len != 3 * ABI_WORD_BYTES) return FR_FAIL(err, FR_E_INVALID, "payment() answers %zu bytes", bytes.len);
    FR_TRY(abi_get_address(&in, 0, &to, err));
    FR_TRY(abi_get_u256(&in, 1, &amount, err));
    FR_TRY(abi_get_u64(&in, 2, &q->block, err));
    if (q->block > INT64_MAX) return FR_FAIL(err, FR_E_INVALID, "payment() answers a block past 63 bits");
    q->paid = !u256_is_zero(amount);
    q->same = q->paid && address_equal(&to, &q->to) && u256_compare(amount, q->amount) == 0;
    if (q->paid && !q->same) q->to = to, q->amount = amount;         // to be shown
    return FR_OK;
}

static void questions_done(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    struct fr_err odd;
    (void)who;
    if (st == FR_OK) st = no_fault(answers, &odd), err = &odd;
    for (int i = 0; i < r->question_count && st == FR_OK; i++) st = read_payment(&answers->at[i], &r->questions[i], &odd), err = &odd;
    if (st != FR_OK) round_failed(r, "asking what was paid", err);
    else round_store(r, "booking what the chain said", withdrawal_verdict_job, verdict_done);
}

static void questions_ask(struct withdrawal_round *r)
{
    struct rpc_call calls[PAYOUT_BATCH_MAX];
    uint8_t selector[ABI_SELECTOR_BYTES];
    char at[ADDRESS_TEXT_BYTES], head[9], hex[65];
    abi_selector("payment(bytes32)", selector);
    fr_hex(selector, sizeof selector, head);
    for (int i = 0; i < r->question_count; i++) {
        const struct withdrawal_question *q = &r->questions[i];
        snprintf(r->params[i], sizeof r->params[i], "[{\"to\":\"%s\",\"data\":\"0x%s%s\"},\"0x%llx\"]", address_text(&q->module, at), head, fr_hex(q->mark, 32, hex), (unsigned long long)r->block);
        calls[i] = (struct rpc_call){ "eth_call", r->params[i] };
    }
    round_ask(r, "asking what was paid", calls, r->question_count, RPC_ANY, questions_done);
}

// ---- 3: what is due

static void tell_halts(struct withdrawals *w)
{
    char text[200];
    bool unknown = w->figures.unknown > 0;
    if (!w->part.halt || unknown == w->said_unknown) return;
    w->said_unknown = unknown;
    snprintf(text, sizeof text, "the payout contract paid %lld withdrawals that this data does not know or returned: `frond withdrawal unknown` shows them, `frond withdrawal adopt` books them", (long long)w->figures.unknown);
    w->part.halt(w->part.arg, "withdrawal", unknown ? "payout_unknown" : NULL, unknown ? text : "");
}

static void collect_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    struct withdrawals *w = r->w;
    if (!round_stored(r, "what is due", st, err)) return;
    w->figures = r->figures;
    if (r->odd[0]) snprintf(w->last_error, sizeof w->last_error, "%s", r->odd);
    w->rounds++;
    tell_halts(w);
    if (r->cancels && w->part.wake) w->part.wake(w->part.arg);
    if (r->question_count) questions_ask(r);
    else round_end(r, w->o.look_ms);
}

static void collect(struct withdrawal_round *r)
{
    r->may_pay = !(r->w->part.halted && r->w->part.halted(r->w->part.arg));
    round_store(r, "what is due", withdrawal_collect_job, collect_done);
}

// ---- 2: Paid events up to the final block, module by module

static void scan(struct withdrawal_round *r);
static void scan_saved(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    if (!round_stored(r, "noting what was paid", st, err)) return;
    struct withdrawal_asset *a = &r->w->assets[r->asset];
    a->scanned = r->to;
    if (a->range < PAYOUT_LOG_BLOCKS_MAX / 2) a->range *= 2;
    scan(r);
}

static enum fr_status read_paid(const struct withdrawal_round *r, const struct rpc_logs *logs, const struct rpc_log *l, struct withdrawal_paid *p, struct fr_err *err)
{
    uint8_t topic[32];
    abi_event_topic("Paid(bytes32,address,uint256)", topic);
    struct abi_in to = { l->topics[2], 32 }, data = { (const uint8_t *)logs->data.data + l->data_at, l->data_len };
    if (!address_equal(&l->address, &r->w->assets[r->asset].rules.module) || l->topic_count != 3 || memcmp(l->topics[0], topic, 32) != 0 || l->data_len != 32 || l->block_number < r->from || l->block_number > r->to)
        return FR_FAIL(err, FR_E_INVALID, "a log that was not asked for");
    *p = (struct withdrawal_paid){ .asset = r->asset, .block = l->block_number, .log = l->log_index };
    memcpy(p->mark, l->topics[1], 32);
    memcpy(p->hash, l->tx_hash, 32);
    FR_TRY(abi_get_address(&to, 0, &p->to, err));
    return abi_get_u256(&data, 0, &p->amount, err);
}

static enum fr_status read_scan(struct withdrawal_round *r, const struct rpc_answers *answers, struct fr_err *err)
{
    struct rpc_logs logs = { 0 };
    FR_TRY(no_fault(answers, err));
    FR_TRY(rpc_read_logs(answers->at[0].result, &logs, err));
    fr_free(r->paid);
    r->paid_count = 0;
    r->paid = logs.count ? fr_alloc((size_t)logs.count * sizeof *r->paid) : NULL;
    enum fr_status st = logs.count && !r->paid ? FR_FAIL(err, FR_E_NOMEM, "no memory for what was paid") : FR_OK;
    for (int i = 0; i < logs.count && st == FR_OK; i++) st = read_paid(r, &logs, &logs.at[i], &r->paid[i], err);
    if (st == FR_OK) r->paid_count = logs.count;
    rpc_logs_free(&logs);
    return st;
}

static void scan_done(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    struct withdrawal_asset *a = &r->w->assets[r->asset];
    struct fr_err odd;
    (void)who;
    if (st == FR_OK) st = read_scan(r, answers, &odd), err = &odd;
    if (st != FR_OK && a->range > 1) a->range /= 2;      // the node takes fewer blocks, or the answer was too long
    if (st != FR_OK) round_failed(r, "reading what was paid", err);
    else round_store(r, "noting what was paid", withdrawal_scan_job, scan_saved);
}

static void scan(struct withdrawal_round *r)
{
    struct withdrawals *w = r->w;
    char at[ADDRESS_TEXT_BYTES], hex[65];
    uint8_t topic[32];
    while (r->asset < w->asset_count && w->assets[r->asset].scanned >= r->block) r->asset++;
    if (r->asset == w->asset_count) {
        collect(r);
        return;
    }
    struct withdrawal_asset *a = &w->assets[r->asset];
    r->from = a->scanned + 1;
    r->to = r->block - a->scanned > a->range ? a->scanned + a->range : r->block;
    abi_event_topic("Paid(bytes32,address,uint256)", topic);
    char params[320];
    snprintf(params, sizeof params, "[{\"address\":\"%s\",\"topics\":[\"0x%s\"],\"fromBlock\":\"0x%llx\",\"toBlock\":\"0x%llx\"}]", address_text(&a->rules.module, at), fr_hex(topic, 32, hex),
             (unsigned long long)r->from, (unsigned long long)r->to);
    struct rpc_call call = { "eth_getLogs", params };
    round_ask(r, "reading what was paid", &call, 1, RPC_LOGS, scan_done);
}

// ---- 1: is a module what the configuration says? Once for each.

static void check(struct withdrawal_round *r);
static enum fr_status read_address(const struct rpc_answer *a, struct address *ret, struct fr_err *err)
{
    FR_AUTO_BUF(bytes);
    fr_buf_init(&bytes, ABI_WORD_BYTES);
    FR_TRY(rpc_need_data(a->result, "", ABI_WORD_BYTES, &bytes, err));
    struct abi_in in = { (const uint8_t *)bytes.data, bytes.len };
    return abi_get_address(&in, 0, ret, err);
}

static void check_wrong(struct withdrawal_round *r, const char *asset, const char *why)
{
    struct withdrawals *w = r->w;
    char text[160];
    struct fr_err err;
    snprintf(text, sizeof text, "the payout module of %s %s", asset, why);
    if (w->part.halt && !w->said_module) w->part.halt(w->part.arg, "withdrawal_module", "payout_module", text);
    w->said_module = true;
    FR_IGNORE(FR_FAIL(&err, FR_E_INVALID, "%s", text));      // to be shown
    round_failed(r, "looking at the contracts", &err);
}

static void check_done(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    struct withdrawals *w = r->w;
    struct withdrawal_asset *a = &w->assets[r->asset];
    struct address token, vault;
    struct fr_err odd;
    (void)who;
    if (st == FR_OK) st = no_fault(answers, &odd), err = &odd;
    if (st != FR_OK) round_failed(r, "looking at the contracts", err);
    else if (read_address(&answers->at[0], &token, &odd) != FR_OK || read_address(&answers->at[1], &vault, &odd) != FR_OK) check_wrong(r, a->rules.asset, "is no payout module, or is not deployed yet");
    else if (!address_equal(&token, &a->token->at)) check_wrong(r, a->rules.asset, "pays another token");
    else if (!address_equal(&vault, &w->part.vault)) check_wrong(r, a->rules.asset, "pays from another treasury");
    else {
        a->checked = true;
        check(r);
    }
}

static void check(struct withdrawal_round *r)
{
    struct withdrawals *w = r->w;
    uint8_t selector[2][ABI_SELECTOR_BYTES];
    char at[ADDRESS_TEXT_BYTES], hex[9];
    struct rpc_call calls[2];
    for (r->asset = 0; r->asset < w->asset_count && w->assets[r->asset].checked; r->asset++);
    if (r->asset == w->asset_count) {
        if (w->said_module && w->part.halt) w->part.halt(w->part.arg, "withdrawal_module", NULL, "");
        w->said_module = false;
        r->asset = 0;
        scan(r);
        return;
    }
    abi_selector("token()", selector[0]);
    abi_selector("treasury()", selector[1]);
    for (int i = 0; i < 2; i++) {
        snprintf(r->params[i], sizeof r->params[i], "[{\"to\":\"%s\",\"data\":\"0x%s\"},\"0x%llx\"]", address_text(&w->assets[r->asset].rules.module, at), fr_hex(selector[i], ABI_SELECTOR_BYTES, hex), (unsigned long long)r->block);
        calls[i] = (struct rpc_call){ "eth_call", r->params[i] };
    }
    round_ask(r, "looking at the contracts", calls, 2, RPC_ANY, check_done);
}

// ---- 0: which block

static void on_final(void *arg, enum fr_status st, uint64_t block, const struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    struct withdrawals *w = r->w;
    if (st != FR_OK) round_failed(r, "which block is final", err);
    else if (block < w->block) round_end(r, w->o.look_ms);         // nodes that are behind: what was seen later stands
    else {
        w->block = r->block = block;
        check(r);
    }
}

static void look(struct withdrawal_round *r)
{
    struct withdrawals *w = r->w;
    struct fr_err err;
    r->look = (struct final_look){ .endpoints = w->part.endpoints, .rules = w->part.final, .done = on_final, .arg = r };
    if (final_look_start(&r->look, &err) != FR_OK) round_failed(r, "which block is final", &err);
}

static void load_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct withdrawal_round *r = arg;
    if (!round_stored(r, "loading", st, err)) return;
    for (int i = 0; i < r->w->asset_count; i++) r->w->assets[i].scanned = r->scanned[i];
    r->w->block = r->known_block;
    r->w->loaded = true;
    look(r);
}

void withdrawal_tick(struct withdrawals *w)
{
    if (w->round || now_of(w) < w->next_ms) return;
    struct withdrawal_round *r = fr_must_alloc(sizeof *r);
    r->w = w;
    w->round = r;
    if (w->loaded) look(r);
    else round_store(r, "loading", withdrawal_load_job, load_done);
}

void withdrawal_look(struct withdrawals *w) { w->next_ms = 0; }

// ---- making and ending

static enum fr_status rules_check(const struct treasury_part *part, const struct withdrawal_rules *r, const struct treasury_token **token, struct fr_err *err)
{
    struct u256 most, bound;
    *token = NULL;
    for (int i = 0; i < part->token_count; i++) if (strcmp(part->tokens[i].asset, r->asset) == 0) *token = &part->tokens[i];
    if (!*token) return FR_FAIL(err, FR_E_INVALID, "withdrawals: %.15s is no token of this host", r->asset);
    if (address_is_zero(&r->module)) return FR_FAIL(err, FR_E_INVALID, "withdrawals of %s: the payout module's address is missing", r->asset);
    if (r->least < 1 || r->most < r->least || r->most > UNITS_MAX) return FR_FAIL(err, FR_E_INVALID, "withdrawals of %s: least and most make no sense", r->asset);
    if (r->player_day < 0 || r->all_day < 0 || r->two_from < 0 || r->batch_most < 0) return FR_FAIL(err, FR_E_INVALID, "withdrawals of %s: a limit below zero", r->asset);
    if (r->batch_most && r->batch_most < r->most) return FR_FAIL(err, FR_E_INVALID, "withdrawals of %s: one of %lld units would fit no batch", r->asset, (long long)r->most);
    FR_TRY(u256_from_units(r->most, (*token)->ledger_decimals, (*token)->chain_decimals, &most, err));
    bound = (struct u256){ { UINT64_MAX, UINT32_MAX } };           // uint96: what the contract remembers
    return u256_compare(most, bound) <= 0 ? FR_OK : FR_FAIL(err, FR_E_INVALID, "withdrawals of %s: the most is over what the contract can pay", r->asset);
}

static enum fr_status options_check(const struct withdrawal_options *o, struct fr_err *err)
{
    if (o->rule_count < 1 || o->rule_count > TREASURY_TOKENS_MAX) return FR_FAIL(err, FR_E_INVALID, "withdrawals: of 1 to %d assets", TREASURY_TOKENS_MAX);
    if (o->batch_count < 1 || o->batch_count > PAYOUT_BATCH_MAX) return FR_FAIL(err, FR_E_INVALID, "withdrawals: a batch has 1 to %d payments", PAYOUT_BATCH_MAX);
    if (o->cooldown_ms < 0 || o->batch_age_ms < 0 || o->look_ms < 1) return FR_FAIL(err, FR_E_INVALID, "withdrawals: times that make no sense");
    return FR_OK;
}

enum fr_status withdrawal_new(const struct treasury_part *part, const struct withdrawal_options *o, struct withdrawals **ret, struct fr_err *err)
{
    struct withdrawals made = { .part = *part, .o = *o };
    FR_TRY(options_check(o, err));
    for (int i = 0; i < o->rule_count; i++) {
        struct withdrawal_asset *a = &made.assets[made.asset_count];
        if (withdrawal_asset_no(&made, o->rules[i].asset) >= 0) return FR_FAIL(err, FR_E_INVALID, "withdrawals: %s stands there twice", o->rules[i].asset);
        for (int j = 0; j < made.asset_count; j++) if (address_equal(&made.assets[j].rules.module, &o->rules[i].module)) return FR_FAIL(err, FR_E_INVALID, "withdrawals: two assets have one payout module");
        FR_TRY(rules_check(part, &o->rules[i], &a->token, err));
        a->rules = o->rules[i];
        a->range = LOG_BLOCKS_FIRST;
        made.asset_count++;
    }
    made.o.rules = NULL;
    struct withdrawals *w = fr_must_alloc(sizeof *w);
    *w = made;
    *ret = w;
    return FR_OK;
}

void withdrawal_free(struct withdrawals *w)
{
    if (!w) return;
    w->closed = true;
    if (w->round && !w->round->store_has_it) round_drop(w->round);       // endpoints are gone: they call nobody
    else maybe_free(w);
}

// ---- being asked

enum fr_status withdrawal_open(const struct withdrawals *w, struct fr_err *err)
{
    if (w->part.halted && w->part.halted(w->part.arg)) return FR_FAIL_CODE(err, FR_E_BUSY, "money_out_halted", "nothing can be withdrawn now: the operator has been told why");
    return FR_OK;
}

void withdrawal_facts(const struct withdrawals *w, struct fr_buf *out)
{
    const struct withdrawal_figures *f = &w->figures;
    char at[25];
    fr_buf_addf(out, "{\"asked\":%lld,\"waiting\":%lld,\"batched\":%lld,\"review\":%lld,\"batches_open\":%lld,\"unknown\":%lld,\"paused\":%s,\"block\":\"%llu\"", (long long)f->count[WITHDRAWAL_ASKED], (long long)f->count[WITHDRAWAL_WAITING],
                (long long)f->count[WITHDRAWAL_BATCHED], (long long)f->count[WITHDRAWAL_REVIEW], (long long)f->batches_open, (long long)f->unknown, f->paused ? "true" : "false", (unsigned long long)w->block);
    if (f->oldest_ms) fr_buf_addf(out, ",\"oldest_at\":\"%s\"", fr_time_text(f->oldest_ms, at));
    fr_buf_addf(out, ",\"rounds\":%lld,\"failures\":%lld,\"error\":", (long long)w->rounds, (long long)w->failures);
    fr_buf_add_json_text(out, w->last_error);
    fr_buf_add(out, "}");
}

void withdrawal_metrics(const struct withdrawals *w, struct fr_buf *out)
{
    const struct withdrawal_figures *f = &w->figures;
    fr_buf_add(out, "# HELP frond_withdrawals Withdrawals that have not ended, by state.\n# TYPE frond_withdrawals gauge\n");
    for (enum withdrawal_state s = WITHDRAWAL_ASKED; s <= WITHDRAWAL_REVIEW; s++) fr_buf_addf(out, "frond_withdrawals{state=\"%s\"} %lld\n", withdrawal_state_name(s), (long long)f->count[s]);
    fr_buf_addf(out, "# HELP frond_withdrawal_batches_open Batches under way.\n# TYPE frond_withdrawal_batches_open gauge\nfrond_withdrawal_batches_open %lld\n", (long long)f->batches_open);
    fr_buf_addf(out, "# HELP frond_withdrawals_unknown Payments on chain that this data does not know: money-out stands still.\n# TYPE frond_withdrawals_unknown gauge\nfrond_withdrawals_unknown %lld\n", (long long)f->unknown);
    fr_buf_addf(out, "# HELP frond_withdrawals_paused 1 while an operator has paused them.\n# TYPE frond_withdrawals_paused gauge\nfrond_withdrawals_paused %d\n", f->paused);
    fr_buf_addf(out, "# HELP frond_withdrawal_oldest_seconds Age of the oldest that is on its way.\n# TYPE frond_withdrawal_oldest_seconds gauge\nfrond_withdrawal_oldest_seconds %lld\n", f->oldest_ms ? (long long)((now_of(w) - f->oldest_ms) / 1000) : 0LL);
    fr_buf_addf(out, "# HELP frond_withdrawal_look_failures_total Looks at the chain that failed.\n# TYPE frond_withdrawal_look_failures_total counter\nfrond_withdrawal_look_failures_total %lld\n", (long long)w->failures);
}
