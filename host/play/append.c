// append.c — a record on its way to the disk: chained, handed to the store, durable or lost.
#include <assert.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "play/internal.h"

static void log_last_hash(const struct match *m, struct turn_hash *ret)
{
    const char *hex = m->count > 0 ? m->records[m->count - 1].hash : m->hash0;
    if (!fr_unhex(hex, strlen(hex), ret->bytes, SHA256_BYTES)) memset(ret, 0, sizeof *ret);      // never opened
}

static enum fr_status log_job(struct store_txn *txn, void *arg, struct fr_err *err)      // store thread
{
    struct append *a = arg;
    struct matchlog_row row = { .at = a->at, .prev_at = a->prev_at, .n = a->n, .record = a->record, .hash = a->hash, .payload_sha = a->payload_sha, .outcome = a->outcome };
    FR_TRY(matchlog_append(txn, a->m->row.id, &row, err));
    if (a->chunk.records > 0) FR_TRY(matchlog_chunk_put(txn, a->m->row.id, &a->chunk, err));
    return a->end ? matchlog_end(txn, &a->m->row, a->end, a->n, a->hash, a->now_ms, err) : FR_OK;
}

// A match that was never opened has no hash that a record could be chained to: it ends without one.
static enum fr_status unopened_end_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct append *a = arg;
    return matchlog_end(txn, &a->m->row, a->end, 0, "", a->now_ms, err);
}

static void log_on_durable(void *arg, enum fr_status status, const struct fr_err *err);

static void append_begin(struct append *a)
{
    struct append **at = &a->m->appends;
    while (*at) at = &(*at)->next;
    *at = a;
    a->m->appending++;
    match_ref(a->m);
}

static void append_take_out(struct append *a)
{
    struct append **at = &a->m->appends;
    while (*at != a) at = &(*at)->next;
    *at = a->next;
    a->m->appending--;
}

static void append_free(struct append *a)
{
    turn_free(a->turn);
    pending_free(a->pending);
    fr_buf_free(&a->chunk.lines);
    fr_free(a->end);
    fr_free(a);
}

// ---- chunks and the tail. A chunk begins where the last durable one ended; one that is made before that is known begins at the same
// record, has more, and takes its place. So there is never a hole.

// Where the first record stands that is in no durable chunk; past the end when there is none.
static int64_t log_tail_first(const struct match *m)
{
    return m->chunked < m->count ? m->records[m->chunked].at : INT64_MAX;
}

static bool log_is_far_back(const struct match *m)
{
    return m->plays->tail_at - log_tail_first(m) >= MATCH_TAIL_RECORDS / 2;
}

static void log_chunk_make(struct match *m, int64_t until, struct matchlog_chunk *ret)
{
    struct fr_err err;
    if (matchlog_chunk_make(&m->records[m->chunked], m->chunked + 1, (int)(until - m->chunked), ret, &err) != FR_OK) fr_mem_out(0);
    m->chunking = true;
}

static void log_chunk_known(struct match *m, const struct matchlog_chunk *c, bool durable)
{
    int64_t end = c->n + c->records - 1;
    if (durable && end > m->chunked) m->chunked = end;
    m->chunking = false;                                            // should a longer one still be on its way, a third begins where both do
}

struct chunking { struct match *m; struct matchlog_chunk chunk; };

static enum fr_status chunk_job(struct store_txn *txn, void *arg, struct fr_err *err)      // store thread
{
    struct chunking *c = arg;
    return matchlog_chunk_put(txn, c->m->row.id, &c->chunk, err);
}

static void chunk_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct chunking *c = arg;
    (void)err;                                                      // its records stand in the tail: the next look tries again
    log_chunk_known(c->m, &c->chunk, status == FR_OK);
    fr_buf_free(&c->chunk.lines);
    match_unref(c->m);
    fr_free(c);
}

// What a match that has been still for long has in the tail: nothing before it could be deleted.
static void log_put_together(struct match *m)
{
    struct fr_err err;
    struct chunking *c = fr_must_alloc(sizeof *c);
    c->m = m;
    log_chunk_make(m, m->durable, &c->chunk);
    match_ref(m);
    if (store_run(m->plays->o.store, chunk_job, c, chunk_done, &err) != FR_OK) chunk_done(c, err.status, &err);
}

struct trim { struct plays *ps; int64_t before_at; bool left; };

static enum fr_status trim_job(struct store_txn *txn, void *arg, struct fr_err *err)       // store thread
{
    struct trim *t = arg;
    return matchlog_trim(txn, t->before_at, MATCH_TRIM_RECORDS, &t->left, err);
}

static void trim_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct trim *t = arg;
    struct plays *ps = t->ps;
    struct fr_err again;
    if (status != FR_OK) fr_log_err(LOG_WARN, "match.trim_failed", err, NULL);
    if (status == FR_OK && t->left && !ps->closing && store_run(ps->o.store, trim_job, t, trim_done, &again) == FR_OK) return;
    if (status == FR_OK && !t->left) ps->trimmed_at = t->before_at;
    ps->trimming = false;
    plays_unref(ps);
    fr_free(t);
}

void log_trim(struct plays *ps)
{
    struct fr_err err;
    int64_t first_at = ps->tail_at + 1;
    size_t at = 0, len;
    const void *key;
    void *value;
    ps->trim_looked_at = ps->tail_at;
    while (!ps->closing && fr_map_walk(ps->matches, &at, &key, &len, &value)) {
        struct match *m = value;
        if (log_tail_first(m) < first_at) first_at = log_tail_first(m);
        if (log_is_far_back(m) && !m->chunking && m->durable > m->chunked) log_put_together(m);
    }
    if (ps->closing || ps->trimming || first_at <= ps->trimmed_at) return;
    struct trim *t = fr_alloc(sizeof *t);
    if (!t) return;
    *t = (struct trim){ .ps = ps, .before_at = first_at };
    ps->trimming = true;
    ps->refs++;
    if (store_run(ps->o.store, trim_job, t, trim_done, &err) != FR_OK) trim_done(t, err.status, &err);
}

// ---- a record

void log_append(struct match *m, char *record, const struct append *proto, const void *payload, size_t len)
{
    struct plays *ps = m->plays;               // a store that refuses at once may end the match
    struct append *a = fr_must_alloc(sizeof *a);
    *a = *proto;
    if (m->count == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 64;
        m->records = fr_realloc(m->records, (size_t)m->cap * sizeof *m->records);
        if (!m->records) fr_mem_out((size_t)m->cap * sizeof *m->records);
    }
    struct turn_hash hash;
    log_last_hash(m, &hash);
    turn_hash_next(&hash, record, (uint8_t)a->outcome, payload, len, a->payload_sha);
    fr_hex(hash.bytes, SHA256_BYTES, a->hash);
    struct matchlog_record *r = &m->records[m->count++];
    *r = (struct matchlog_record){ .record = record, .outcome = a->outcome, .at = ++ps->tail_at };
    memcpy(r->hash, a->hash, sizeof r->hash);
    memcpy(r->payload_sha, a->payload_sha, sizeof r->payload_sha);
    m->bytes += (int64_t)strlen(record);
    if (a->pending) match_count_record(m, a->pending->doer, strlen(record));
    a->m = m;
    a->n = m->count;
    a->record = record;
    a->at = r->at;
    a->prev_at = m->durable < m->count - 1 ? r[-1].at : 0;
    if (a->end || (!m->chunking && (m->count - m->chunked >= MATCH_CHUNK_RECORDS || log_is_far_back(m)))) log_chunk_make(m, m->count, &a->chunk);
    struct fr_err err;
    append_begin(a);
    bool patient = a->pending && a->pending->tick && !a->end;
    if ((patient ? store_run_patient : store_run)(ps->o.store, log_job, a, log_on_durable, &err) != FR_OK) log_on_durable(a, err.status, &err);
    if (ps->tail_at - ps->trim_looked_at >= MATCH_TRIM_RECORDS) log_trim(ps);
}

void log_end_unopened(struct match *m, const struct match_result *end, struct waiter waiter)
{
    struct append *a = fr_must_alloc(sizeof *a);
    struct fr_err err;
    *a = (struct append){ .m = m, .now_ms = match_now(m), .end = fr_must_alloc(sizeof *end), .waiter = waiter };
    *a->end = *end;
    append_begin(a);
    if (store_run(m->plays->o.store, unopened_end_job, a, log_on_durable, &err) != FR_OK) log_on_durable(a, err.status, &err);
}

// The record as text: the body with its number and clock, and the idle ticks that ran before it.
char *log_record_text(struct match *m, const char *body, int64_t now_ms)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, RECORD_BYTES_MAX + 512);
    fr_buf_addf(&out, "{\"n\":%lld,%s,\"now_ms\":%lld", (long long)m->count + 1, body, (long long)now_ms);
    if (m->idle_count > 0)
        fr_buf_addf(&out, ",\"idle\":%lld,\"tick\":%lld,\"tick_ms\":%lld", (long long)m->idle_count, (long long)m->idle_from, (long long)m->idle_ms);
    fr_buf_add(&out, "}");
    return out.failed ? NULL : fr_strndup(out.data, out.len);
}

int64_t match_now(struct match *m)
{
    int64_t now_ms = fr_now_ms();
    if (now_ms > m->last_now_ms) m->last_now_ms = now_ms;       // the log's clock never runs backwards
    return m->last_now_ms;
}

// What the game must still hear of although its record was lost: answers of asks, drops, leaves. Moves are sent again by their clients,
// clocks follow from the log, bots are asked again.
static bool pending_outlives(const struct match *m, const struct pending *p)
{
    bool bots = p->seat > 0 && m->seat[p->seat - 1].player[0] == '\0';
    return p->client_n == 0 && !p->tick && !p->timer[0] && !bots;
}

// A full disk does not empty itself in a millisecond, and what the ledger refuses it may refuse for ever: less and less often.
static int64_t log_retry_ms(struct match *m)
{
    int64_t ms = 1000;
    for (int i = 0; i < m->append_failures && ms < MATCH_RETRY_MS_MAX; i++) ms *= 2;
    m->append_failures++;
    return ms < MATCH_RETRY_MS_MAX ? ms : MATCH_RETRY_MS_MAX;
}

// The operator hears of it, in the plugin's log too: the first time, and then each time it takes twice as long.
static void log_refused(struct match *m, bool ends, const struct fr_err *err)
{
    char text[FR_ERR_TEXT_BYTES + 120], tries[24];
    snprintf(tries, sizeof tries, "%d", m->append_failures + 1);
    fr_log_err(LOG_ERROR, ends ? "match.settle_refused" : "match.append_failed", err, "match", m->row.id, "#tries", tries, NULL);
    if (!ends) return;
    snprintf(text, sizeof text, "match %s has ended, but its end cannot be stored (%s): %s; its stakes stay held and it is tried again", m->row.id, err->code, err->text);
    plugin_log_add(m->plugin, "error", text, NULL);
}

// A commit failed (disk full, say). Nobody was told anything about the records after the durable ones: forget them and play again.
static void log_roll_back(struct match *m)
{
    assert(m->appending == 0 && m->append_failed);
    m->append_failed = false;
    while (m->count > m->durable) {
        m->count--;
        m->bytes -= (int64_t)strlen(m->records[m->count].record);       // the seats' share is not given back: it bounds what they try
        fr_free(m->records[m->count].record);
    }
    snapshot_free(FR_TAKE(m->snap_new));
    pending_drop_moves(m);
    for (int i = 0; i < m->row.seats; i++) m->seat[i].queued_n = m->seat[i].answered_n;
    if (m->row.state == ROW_SEEDING) {
        m->state = MATCH_SEEDING;
        m->seed_due_ms = fr_now_ms() + log_retry_ms(m);
        clock_set(m);
        return;
    }
    m->state = MATCH_WAITING;
    m->retry_due_ms = fr_now_ms() + log_retry_ms(m);
    clock_set(m);
}

static void log_on_durable(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct append *a = arg;
    struct match *m = a->m;
    append_take_out(a);
    if (a->chunk.records > 0) log_chunk_known(m, &a->chunk, status == FR_OK);
    if (m->plays->closing) {                                        // the next start reads it from the log
        if (a->pending) match_error_waiter(&a->pending->waiter, FR_E_BUSY, "stopping", "the host is stopping");
        match_error_waiter(&a->waiter, FR_E_BUSY, "stopping", "the host is stopping");
    } else if (status != FR_OK) {
        if (!m->append_failed) log_refused(m, a->end != NULL, err);
        if (m->state == MATCH_RUNNING || m->state == MATCH_ENDING) { m->state = MATCH_WAITING; match_close_slot(m); }
        m->append_failed = true;
        if (a->pending && pending_outlives(m, a->pending)) pending_push_back(m, FR_TAKE(a->pending));
        if (a->pending) match_error_waiter(&a->pending->waiter, status, err->code, err->text);
        match_error_waiter(&a->waiter, FR_E_IO, "io", "the match's end could not be stored");
    } else {                                                        // also when a later one was lost: the store took them in order
        if (a->n > 0) m->durable = m->released = a->n;
        m->append_failures = 0;
        out_turn(a);
        snapshot_complete(m);
        if (a->end) {
            match_ended(m, a->end);
            if (a->waiter.done) a->waiter.done(a->waiter.arg, FR_OK, "{}", NULL);
        } else if (m->append_failed) {
            // played again below, once the last one is known
        } else if (m->state == MATCH_WAITING) {
            match_start(m);                                       // it waited for the log to be whole
        } else {
            match_pump(m);
        }
    }
    if (m->append_failed && m->appending == 0 && !m->plays->closing) log_roll_back(m);
    append_free(a);
    match_unref(m);
}
