// recorder.c — what ended is put aside here, and written each second in one job.
#include "llm/recorder.h"
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/id.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "llm/filter.h"
#include "llm/llm_inside.h"

#define WRITE_MS 1000
#define SWEEP_ROWS 500
#define USAGES_MAX 4096                    // payer, tenant and model of one second

struct kept { struct kept *next; struct llm_record_row row; char tenant[LLM_WHO_BYTES], payer[LLM_WHO_BYTES], player[24], model[LLM_NAME_BYTES], pod[LLM_NAME_BYTES + 8], code[FR_ERR_CODE_BYTES]; struct fr_buf request, answer, events; };
struct batch { struct llm_recorder *recorder; struct kept *rows; struct fr_map *usage; int64_t now_ms; };
struct llm_recorder {
    struct llm_recorder_options o;
    struct kept *first, **last; int waiting; int64_t bytes;
    struct fr_map *usage;                  // struct llm_usage by payer, tenant and model
    struct batch *writing;
    uv_timer_t timer; bool started, stopping, closed;
    void (*stopped)(void *arg); void *stopped_arg;
    int64_t written, lost;
};

static void rows_free(struct kept *rows)
{
    while (rows) {
        struct kept *k = rows;
        rows = k->next;
        fr_buf_free(&k->request);
        fr_buf_free(&k->answer);
        fr_buf_free(&k->events);
        fr_free(k);
    }
}

static void usage_free(struct fr_map *usage)
{
    size_t at = 0;
    void *value;
    while (usage && fr_map_walk(usage, &at, NULL, NULL, &value)) fr_free(value);
    fr_map_free(usage);
}

// ---- taking

static void usage_of(struct llm_recorder *r, const struct llm_usage *u)
{
    char key[2 * LLM_WHO_BYTES + LLM_NAME_BYTES + 24];
    snprintf(key, sizeof key, "%lld\n%s\n%s\n%s", (long long)(u->at_ms / 86400000), u->payer, u->tenant, u->model);
    struct llm_usage *sum = fr_map_get_text(r->usage, key);
    if (!sum) {
        sum = fr_alloc(sizeof *sum);
        if (!sum || !fr_map_put_text(r->usage, key, sum)) { fr_free(sum); r->lost++; return; }
        *sum = *u;
        return;
    }
    sum->calls += u->calls;
    sum->failed += u->failed;
    sum->prompt_tokens += u->prompt_tokens;
    sum->answer_tokens += u->answer_tokens;
    sum->cost_units += u->cost_units;
    sum->total_ms += u->total_ms;
}

static void text_of(struct fr_buf *out, const struct fr_buf *from, bool whole)
{
    fr_buf_init(out, from->len * 2 + 64);
    if (whole) fr_buf_add_bytes(out, from->data, from->len);
    else llm_filter_redact(from->data ? from->data : "", from->len, out);
}

static void keep(struct llm_recorder *r, struct llm_flight *f, int64_t total_ms, bool whole)
{
    FR_AUTO_BUF(request);
    struct kept *k;
    if (r->waiting >= LLM_RECORDS_WAITING_MAX || r->bytes > LLM_RECORDS_BYTES_MAX || !(k = fr_alloc(sizeof *k))) { r->lost++; return; }
    fr_id_new(f->record);
    fr_buf_init(&request, 2 * LLM_BODY_BYTES_MAX);
    llm_request_print(&f->request, f->model, f->stream, 0, 0, &request);
    if (f->event_count) fr_buf_add(&f->events, "]");
    text_of(&k->request, &request, whole);
    text_of(&k->answer, &f->json, whole);
    text_of(&k->events, &f->events, whole);
    snprintf(k->tenant, sizeof k->tenant, "%s", f->from.tenant);
    snprintf(k->payer, sizeof k->payer, "%s", f->from.payer);
    snprintf(k->player, sizeof k->player, "%s", f->from.player);
    snprintf(k->model, sizeof k->model, "%s", f->model);
    snprintf(k->pod, sizeof k->pod, "%s", f->pod);
    snprintf(k->code, sizeof k->code, "%s", f->status == FR_OK ? "" : f->err.code);
    k->row = (struct llm_record_row){ .at_ms = fr_now_ms(), .tenant = k->tenant, .payer = k->payer, .player = k->player, .model = k->model, .pod = k->pod, .kind = f->request.kind, .request = k->request.data,
                                      .answer = f->status == FR_OK ? k->answer.data : NULL, .events = f->event_count && !f->events.failed ? k->events.data : NULL, .prompt_tokens = f->prompt_tokens,
                                      .answer_tokens = f->answer_tokens, .cost_units = f->cost_units, .total_ms = total_ms, .code = k->code };
    memcpy(k->row.id, f->record, sizeof k->row.id);
    fr_hex(f->request.sha, SHA256_BYTES, k->row.sha_hex);
    *r->last = k;
    r->last = &k->next;
    r->waiting++;
    r->bytes += (int64_t)(k->request.len + k->answer.len + k->events.len);
}

void llm_recorder_add(struct llm_recorder *r, struct llm_flight *f)
{
    struct llm_usage u = { .at_ms = fr_now_ms(), .calls = 1, .failed = f->status != FR_OK, .prompt_tokens = f->prompt_tokens, .answer_tokens = f->answer_tokens, .cost_units = f->cost_units, .total_ms = fr_mono_ms() - f->started_ms };
    if (!r->o.store) return;
    memcpy(u.payer, f->from.payer, sizeof u.payer);
    memcpy(u.tenant, f->from.tenant, sizeof u.tenant);
    memcpy(u.model, f->model, sizeof u.model);
    usage_of(r, &u);
    if (f->keep) keep(r, f, u.total_ms, f->keep_whole);
}

// ---- writing

static enum fr_status write_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct batch *b = arg;
    size_t at = 0;
    void *value;
    while (fr_map_walk(b->usage, &at, NULL, NULL, &value)) FR_TRY(llm_usage_add(txn, value, err));
    for (const struct kept *k = b->rows; k; k = k->next) FR_TRY(llm_record_put(txn, &k->row, err));
    return llm_record_sweep(txn, b->now_ms, SWEEP_ROWS, err);
}

static void maybe_stopped(struct llm_recorder *r);
static void on_written(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct batch *b = arg;
    struct llm_recorder *r = b->recorder;
    (void)err;
    for (const struct kept *k = b->rows; k; k = k->next) *(st == FR_OK ? &r->written : &r->lost) += 1;
    size_t at = 0;
    void *value;
    while (st != FR_OK && fr_map_walk(b->usage, &at, NULL, NULL, &value)) usage_of(r, value);      // sums are tried again; what was said is not: it may be large
    rows_free(b->rows);
    usage_free(b->usage);
    fr_free(b);
    r->writing = NULL;
    maybe_stopped(r);
}

static void write_all(struct llm_recorder *r)
{
    struct fr_err err;
    if (r->writing || (!r->first && fr_map_size(r->usage) == 0)) return;
    struct batch *b = fr_alloc(sizeof *b);
    if (!b) return;
    *b = (struct batch){ r, r->first, r->usage, fr_now_ms() };
    if (store_run(r->o.store, write_job, b, on_written, &err) != FR_OK) { fr_free(b); return; }
    r->writing = b;
    r->first = NULL;
    r->last = &r->first;
    r->waiting = 0;
    r->bytes = 0;
    r->usage = fr_map_new(USAGES_MAX);
}

static void on_timer(uv_timer_t *timer) { write_all(timer->data); }

// ---- all of it

void llm_recorder_new(const struct llm_recorder_options *o, struct llm_recorder **ret)
{
    struct llm_recorder *r = fr_must_alloc(sizeof *r);
    r->o = *o;
    r->last = &r->first;
    r->usage = fr_map_new(USAGES_MAX);
    uv_timer_init(o->loop, &r->timer);
    r->timer.data = r;
    if (o->store) uv_timer_start(&r->timer, on_timer, WRITE_MS, WRITE_MS);
    *ret = r;
}

void llm_recorder_configure(struct llm_recorder *r, const struct llm_settings *settings) { r->o.settings = settings; }
bool llm_recorder_wants(const struct llm_recorder *r) { return r->o.settings->record == LLM_RECORD_ALL; }

static void on_closed(uv_handle_t *handle)
{
    struct llm_recorder *r = handle->data;
    r->stopped(r->stopped_arg);
}

static void maybe_stopped(struct llm_recorder *r)
{
    if (!r->stopping || r->writing || r->closed) return;
    if (r->o.store && !r->started) {                       // once more: what came since the last
        r->started = true;
        write_all(r);
        if (r->writing) return;
    }
    r->closed = true;
    uv_close((uv_handle_t *)&r->timer, on_closed);
}

void llm_recorder_stop(struct llm_recorder *r, void (*done)(void *arg), void *arg)
{
    r->stopping = true;
    r->stopped = done;
    r->stopped_arg = arg;
    maybe_stopped(r);
}

void llm_recorder_free(struct llm_recorder *r)
{
    if (!r) return;
    rows_free(r->first);
    usage_free(r->usage);
    fr_free(r);
}

void llm_recorder_facts(const struct llm_recorder *r, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"record\":\"%s\",\"waiting\":%d,\"written\":%lld,\"lost\":%lld}", llm_recorder_wants(r) ? "all" : "usage", r->waiting, (long long)r->written, (long long)r->lost);
}
