// resume.c — playing the log into a worker: after a start, a void turn, a dead worker, a failed commit.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "play/internal.h"

static const char *feed_record(void *arg, int64_t n) { struct match *m = arg; return m->records[n - 1].record; }
static const char *feed_hash(void *arg, int64_t n)
{
    struct match *m = arg;
    return n > 0 ? m->records[n - 1].hash : m->hash0[0] ? m->hash0 : NULL;
}

// What a record means for the client's counters and the seats, when it was not this process that took it.
static void feed_apply_counters(struct match *m, const struct fr_json *record, size_t len, const struct turn *t)
{
    double seat = fr_json_number(fr_json_get(record, "seat"));
    bool is_void = !t && strcmp(fr_json_text(fr_json_get(record, "kind")), "void") == 0;
    if (is_void && seat == 0) m->voids_nobody++;
    if (seat < 1 || seat > m->row.seats) return;
    struct seat *s = &m->seat[(int)seat - 1];
    match_count_record(m, (int)seat, len);
    int64_t in = (int64_t)fr_json_number(fr_json_get(record, "in"));
    if (in > 0) {
        s->queued_n = s->answered_n = in;
        s->last_status = !t ? FR_E_INTERNAL : turn_status(t);
        const char *code = t ? t->code : fr_json_text(fr_json_get(record, "code"));
        char answer[64];
        snprintf(answer, sizeof answer, "{\"seq\":%lld}", (long long)s->seq);
        fr_free(s->last_answer);
        s->last_answer = fr_strndup(answer, strlen(answer));
        if (s->last_status != FR_OK) FR_IGNORE(FR_FAIL_CODE(&s->last_err, s->last_status, code, "%s", t ? t->detail : TURN_VOID_TEXT));   // kept for a repeated n
    }
    s->voids += is_void;
    if (strcmp(fr_json_text(fr_json_get(record, "kind")), "leave") == 0) s->left = t && t->outcome == FRAME_OK;
    if (t && t->outcome != FRAME_OK) s->refusals++;
}

static bool feed_on_restored(void *arg)
{
    struct match *m = arg;
    snapshot_restore(m);
    return !m->unreadable;
}

static void feed_on_turn(void *arg, int64_t n, const char *text, struct turn *t)
{
    struct match *m = arg;
    bool fresh = n > m->feed_trusted && n > (m->snap ? m->snap->at.n : -1);
    int64_t now_ms = m->row.open_ms;
    FR_AUTO(fr_json) record = NULL;
    struct fr_err err;
    if (text) {
        if (fr_json_parse(text, strlen(text), &record, &err) != FR_OK) return;
        now_ms = (int64_t)fr_json_number(fr_json_get(record, "now_ms"));
        const char *kind = fr_json_text(fr_json_get(record, "kind"));
        const char *timer = fr_json_text(fr_json_get(record, strcmp(kind, "timer") == 0 ? "name" : "timer"));
        if (timer) clock_timer_remove(m, timer);
        if (strcmp(kind, "answer") == 0) apply_asks(m, NULL, record);
        int64_t tick = (int64_t)fr_json_number(fr_json_get(record, "tick_no"));
        int64_t idle_end = (int64_t)(fr_json_number(fr_json_get(record, "tick")) + fr_json_number(fr_json_get(record, "idle"))) - 1;
        if (tick > m->tick_no) m->tick_no = tick;
        if (idle_end > m->tick_no) m->tick_no = idle_end;
    }
    if (now_ms > m->last_now_ms) m->last_now_ms = now_ms;
    apply_effects(m, t, now_ms);
    if (t && t->outcome == FRAME_OK) memcpy(m->views_sha, t->views_sha, SHA256_BYTES);
    if (!fresh) return;
    m->released = n;
    if (n == 0) {
        spectate_view(m, t->view[m->row.seats], now_ms);
        for (int i = 0; i < m->row.seats; i++) m->seat[i].view = FR_TAKE(t->view[i]);
        for (int seat = 1; seat <= m->row.seats; seat++) events_start(m, seat, m->fresh);
    }
    for (const struct fr_json *e = t ? fr_json_child(t->effects) : NULL; e; e = fr_json_next(e))
        if (strcmp(fr_json_text(fr_json_get(e, "e")), "emit") == 0) events_emit(m, e, n == 0 && m->fresh);
    if (n > 0 && t) events_views(m, t, now_ms, false);
    if (record) feed_apply_counters(m, record, strlen(text), t);
}

static enum fr_status opened_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct match *m = arg;                                         // id and hash0 no longer change
    return matchlog_opened(txn, m->row.id, m->hash0, m->payload0, err);
}

static void opened_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct match *m = arg;
    if (status != FR_OK) fr_log_err(LOG_ERROR, "match.hash0_lost", err, "match", m->row.id, NULL);     // compared with nothing next time
    match_unref(m);
}

static void match_running(struct match *m, const struct feed_result *r)
{
    struct fr_err err;
    m->state = MATCH_RUNNING;
    m->feed_failures = 0;
    m->waiting_ms = 0;
    m->renewed = r->renewed;
    m->unproven = false;
    if (m->hash0[0] == '\0' && m->count == 0) {
        fr_hex(r->hash.bytes, SHA256_BYTES, m->hash0);
        memcpy(m->payload0, r->payload0, SHA256_BYTES);
        match_ref(m);
        if (store_run(m->plays->o.store, opened_job, m, opened_done, &err) != FR_OK) opened_done(m, err.status, &err);
    }
    int64_t grace_ms = m->fresh ? 0 : fr_now_ms() + MATCH_RESUME_GRACE_MS;       // no clock runs out while players reconnect
    for (int i = 0; i < m->timer_count; i++)
        if (m->timers[i].due_ms < grace_ms) m->timers[i].due_ms = grace_ms;
    m->tick_due_ms = fr_now_ms();
    if (m->asks_due || m->fresh) {                                  // answers that were on their way when the host died, and what `new` asks
        int count = m->ask_count;
        m->asks_due = false;
        for (int i = 0; i < count; i++) {
            FR_AUTO(fr_json) ask = NULL;
            if (fr_json_parse(m->asks[i], strlen(m->asks[i]), &ask, &err) == FR_OK) out_ask(m, ask);
        }
    }
    m->fresh = false;
    m->bot_asked = false;
    if (clock_bot_seat(m) && match_handles(m, "bot")) m->bot_due_ms = fr_now_ms() + MATCH_BOT_THINK_MS;
    clock_set(m);
    match_pump(m);
}

static void feed_on_done(void *arg, enum fr_status status, const struct feed_result *r, const struct fr_err *err)
{
    struct match *m = arg;
    m->feed = NULL;
    if (m->state == MATCH_FEEDING) {
        m->state = MATCH_WAITING;
        bool refused = m->snap && (status == FR_OK ? r->first_different >= 0 : strcmp(err->code, "snapshot_refused") == 0);
        if (refused) {
            snapshot_refuse(m, status == FR_OK ? "hash_differs" : m->unreadable ? "unreadable" : "state_differs");
            match_start(m);
        } else if (status == FR_OK && r->first_different < 0) {
            match_running(m, r);
        } else if (status == FR_OK) {
            char n[24];
            snprintf(n, sizeof n, "%lld", (long long)r->first_different);
            fr_log(LOG_ERROR, "match.hash_differs", "match", m->row.id, "plugin", m->row.game, "#record", n, NULL);
            match_undo(m, "not_replayable");
        } else {
            fr_log_err(LOG_WARN, "match.resume_failed", err, "match", m->row.id, NULL);
            bool hopeless = status == FR_E_CONFLICT || (r->blamed && ++m->feed_failures >= FEED_FAILURES_MAX);
            if (hopeless) match_undo(m, "cannot_resume");
            else if (status == FR_E_BUSY && match_worker_up(m)) match_try_later(m);
            else match_start(m);                                    // at once when the worker is up, else when it comes back
        }
    }
    match_unref(m);
}

void match_start(struct match *m)
{
    assert(m->state < MATCH_ENDED);
    m->state = MATCH_WAITING;
    m->retry_due_ms = 0;
    if (m->waiting_ms == 0) m->waiting_ms = fr_mono_ms();
    if (m->append_failed || m->appending > 0 || m->running || m->snapping) return;      // whoever ends that calls again
    if (match_code_gone(m)) { match_undo(m, match_code_gone(m)); return; }
    if (!match_worker_up(m)) return;                                     // so does on_up
    match_close_slot(m);
    clock_timers_clear(m);
    pending_drop_clock(m);
    while (m->ask_count > 0) fr_free(m->asks[--m->ask_count]);
    m->idle_count = 0;
    m->feed_trusted = m->released;       // moved on when a snapshot tells what was released before it
    if (!match_take_slot(m)) { match_try_later(m); return; }
    struct feed_log log = { .setup = m->setup, .seats = m->row.seats, .tick_hz = m->row.tick_hz, .spectated = m->row.spectated, .from = m->snap ? &m->snap->at : NULL, .records = m->count, .arg = m, .record = feed_record, .hash = feed_hash };
    fairness_key(&m->row.fairness, m->row.id, log.key);
    struct feed_hooks hooks = { .arg = m, .turn = feed_on_turn, .restored = feed_on_restored, .done = feed_on_done };
    struct fr_err err;
    if (feed_start(match_worker(m), m->slot, &log, &hooks, &m->feed, &err) != FR_OK) {
        match_forget_slot(m);
        if (match_worker_up(m)) match_try_later(m);                // else on_up calls again
        return;
    }
    m->state = MATCH_FEEDING;
    match_ref(m);
}

void match_worker_down(struct match *m)
{
    match_forget_slot(m);
    m->bot_asked = false;
    if (m->state == MATCH_RUNNING) m->state = MATCH_WAITING;
    if (m->waiting_ms == 0) m->waiting_ms = fr_mono_ms();
}
