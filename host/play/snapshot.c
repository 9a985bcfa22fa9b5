// snapshot.c — functions stand in the order they run: due, taken from the worker, completed when its record went out, stored; then back.
#include "play/snapshot.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "play/internal.h"

void snapshot_free(struct snapshot *s)
{
    if (!s) return;
    fr_free(s->at.head);
    fr_free(s->at.state);
    fr_free(s->ran);
    fr_free(s->told);
    fr_free(s);
}

bool snapshot_due(const struct match *m)
{
    return feed_snapshot_due(m->count) && m->renewed != m->count;
}

// ---- what ran

static char *snapshot_print_ran(const struct match *m)
{
    char hex[SHA256_HEX_BYTES];
    FR_AUTO_BUF(out);
    fr_buf_init(&out, MATCH_SNAPSHOT_BYTES_MAX);
    fr_buf_addf(&out, "{\"now_ms\":%lld,\"tick_no\":%lld,\"views\":\"%s\",\"voids\":%d,\"timers\":[", (long long)m->last_now_ms, (long long)m->tick_no,
                fr_hex(m->views_sha, SHA256_BYTES, hex), m->voids_nobody);
    for (int i = 0; i < m->timer_count; i++) {
        fr_buf_add(&out, i ? ",{\"name\":" : "{\"name\":");
        fr_buf_add_json_text(&out, m->timers[i].name);
        fr_buf_addf(&out, ",\"due_ms\":%lld,\"data\":", (long long)m->timers[i].due_ms);
        fr_buf_add(&out, m->timers[i].data);
        fr_buf_add(&out, "}");
    }
    fr_buf_add(&out, "],\"asks\":[");
    for (int i = 0; i < m->ask_count; i++) {
        if (i) fr_buf_add(&out, ",");
        fr_buf_add(&out, m->asks[i]);
    }
    fr_buf_add(&out, "]}");
    return out.failed ? NULL : fr_strndup(out.data, out.len);
}

// ---- what was told

static void print_ring(const struct seat *s, size_t room, struct fr_buf *out)      // the newest events that fit
{
    int from = s->ring_count;
    for (size_t bytes = 0; from > 0; from--) {
        const struct event *e = &s->ring[(s->ring_at + from - 1) % MATCH_EVENTS_KEPT];
        bytes += e->len;
        if (!e->json || bytes > room) break;
    }
    fr_buf_add(out, "[");
    for (int i = from; i < s->ring_count; i++) {
        const struct event *e = &s->ring[(s->ring_at + i) % MATCH_EVENTS_KEPT];
        fr_buf_addf(out, "%s[%lld,", i > from ? "," : "", (long long)e->seq);
        fr_buf_add_json_bytes(out, e->json, e->len);
        fr_buf_add(out, "]");
    }
    fr_buf_add(out, "]");
}

static char *snapshot_print_told(const struct match *m)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, MATCH_SNAPSHOT_BYTES_MAX);
    fr_buf_add(&out, "[");
    for (int i = 0; i < m->row.seats; i++) {
        const struct seat *s = &m->seat[i];
        fr_buf_addf(&out, "%s{\"left\":%s,\"voids\":%d,\"refusals\":%d,\"records\":%lld,\"bytes\":%lld,\"n\":%lld,\"seq\":%lld,\"status\":%d,\"code\":", i ? "," : "", s->left ? "true" : "false",
                    s->voids, s->refusals, (long long)s->records, (long long)s->bytes, (long long)s->answered_n, (long long)s->seq, (int)s->last_status);
        fr_buf_add_json_text(&out, s->last_err.code);
        fr_buf_add(&out, ",\"text\":");
        fr_buf_add_json_text(&out, s->last_err.text);
        fr_buf_add(&out, ",\"answer\":");
        fr_buf_add_json_text(&out, s->last_answer ? s->last_answer : "");
        fr_buf_add(&out, ",\"view\":");
        if (s->view) fr_json_print(s->view, &out);
        else fr_buf_add(&out, "null");
        fr_buf_add(&out, ",\"events\":");
        print_ring(s, (size_t)(MATCH_SNAPSHOT_RING_BYTES / m->row.seats), &out);
        fr_buf_add(&out, "}");
    }
    if (m->row.spectated) {
        fr_buf_add(&out, ",");
        spectate_print(m, &out);
    }
    fr_buf_add(&out, "]");
    return out.failed ? NULL : fr_strndup(out.data, out.len);
}

// ---- stored

struct storing { struct match *m; struct snapshot *copy; };

static enum fr_status storing_job(struct store_txn *txn, void *arg, struct fr_err *err)      // store thread
{
    struct storing *s = arg;
    return snaplog_put(txn, s->m->row.id, s->copy, err);
}

static void storing_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct storing *s = arg;
    if (status != FR_OK) fr_log_err(LOG_WARN, "match.snapshot_lost", err, "match", s->m->row.id, NULL);      // the log has it all
    snapshot_free(s->copy);
    match_unref(s->m);
    fr_free(s);
}

static struct snapshot *snapshot_copy(const struct snapshot *from)
{
    FR_AUTO(snapshot) s = fr_alloc(sizeof *s);
    if (!s) return NULL;
    s->at = from->at;
    s->at.head = fr_strndup(from->at.head, strlen(from->at.head));
    s->at.state = fr_strndup(from->at.state, from->at.state_len);
    s->ran = fr_strndup(from->ran, strlen(from->ran));
    s->told = fr_strndup(from->told, strlen(from->told));
    return s->at.head && s->at.state && s->ran && s->told ? FR_TAKE(s) : NULL;
}

void snapshot_complete(struct match *m)
{
    struct fr_err err;
    if (!m->snap_new || m->released < m->snap_new->at.n) return;
    FR_AUTO(snapshot) s = FR_TAKE(m->snap_new);
    if (m->released > s->at.n || m->state >= MATCH_ENDING) return;           // only an end can have passed it by
    s->told = snapshot_print_told(m);
    if (!s->told) return;
    struct storing *job = fr_alloc(sizeof *job);
    struct snapshot *copy = job ? snapshot_copy(s) : NULL;
    fr_free(FR_TAKE(s->told));                           // in memory it stands in the seats
    snapshot_free(m->snap);
    m->snap = FR_TAKE(s);
    if (!copy) { fr_free(job); return; }
    *job = (struct storing){ m, copy };
    match_ref(m);
    if (store_run(m->plays->o.store, storing_job, job, storing_done, &err) != FR_OK) storing_done(job, err.status, &err);
}

// ---- taken

static void snapshot_failed(struct match *m, const struct sandbox_result *r, const struct fr_err *err)
{
    fr_log_err(LOG_WARN, "match.snapshot_failed", err, "match", m->row.id, "plugin", m->row.game, NULL);
    match_close_slot(m);
    m->state = MATCH_WAITING;
    if (r->status == FR_OK || r->blamed) m->snapshot_failures++;
    if (m->snapshot_failures >= FEED_FAILURES_MAX) match_undo(m, "cannot_resume");
    else match_start(m);
}

static void snapshot_on_taken(void *arg, const struct sandbox_result *r)
{
    struct match *m = arg;
    struct fr_err err = r->err;
    m->snapping = false;
    if (m->state == MATCH_RUNNING) {
        FR_AUTO(snapshot) s = fr_alloc(sizeof *s);
        enum fr_status st = !s ? FR_FAIL(&err, FR_E_NOMEM, "no memory for a snapshot") : r->status != FR_OK ? r->status : feed_read_snapshot(r->frame, &s->at, &err);
        if (st == FR_OK) {
            m->snapshot_failures = 0;
            m->renewed = m->count;
            s->at.n = m->count;
            memcpy(s->at.hash, m->records[m->count - 1].hash, sizeof s->at.hash);
            s->ran = snapshot_print_ran(m);
            snapshot_free(m->snap_new);
            m->snap_new = s->ran ? FR_TAKE(s) : NULL;
            snapshot_complete(m);
            match_pump(m);
        } else if (st == FR_E_NOMEM && r->status == FR_OK) {
            match_close_slot(m);                         // ours, not the game's: rebuilt a little later
            m->state = MATCH_WAITING;
            match_try_later(m);
        } else if (match_worker_up(m) || r->blamed) {
            snapshot_failed(m, r, &err);
        } else {
            m->state = MATCH_WAITING;
            match_start(m);
        }
    } else if (m->state == MATCH_WAITING && m->retry_due_ms == 0) {
        match_start(m);                                  // it waited for this
    }
    match_unref(m);
}

void snapshot_take(struct match *m)
{
    struct fr_err err;
    uint32_t id;
    struct sandbox_section setup = { m->setup, strlen(m->setup) };
    assert(!m->snapping && !m->running);
    if (sandbox_invoke(match_worker(m), FRAME_MATCH_SNAPSHOT, m->slot, &setup, 1, 0, snapshot_on_taken, m, &id, &err) != FR_OK) {
        if (match_worker_up(m)) match_try_later(m);
        return;
    }
    m->snapping = true;
    match_ref(m);
}

// ---- and back

static void seats_forget(struct match *m)
{
    for (int i = 0; i < m->row.seats; i++) {
        struct seat *s = &m->seat[i];
        events_free(s);
        s->view = NULL;
        s->last_answer = NULL;
        s->seq = s->queued_n = s->answered_n = 0;
        s->left = false;
        s->voids = s->refusals = 0;
        s->records = s->bytes = 0;
        s->last_status = FR_OK;
    }
    m->voids_nobody = 0;
    m->released = -1;
}

void snapshot_refuse(struct match *m, const char *why)
{
    char n[24];
    snprintf(n, sizeof n, "%lld", (long long)m->snap->at.n);
    fr_log(LOG_ERROR, "match.snapshot_refused", "match", m->row.id, "#record", n, "why", why, NULL);
    snapshot_free(FR_TAKE(m->snap));
    if (m->unproven) seats_forget(m);
    m->unproven = false;
}

static enum fr_status restore_ran(struct match *m, const struct fr_json *ran, struct fr_err *err)
{
    const struct fr_json *timers, *asks;
    const char *views;
    int64_t voids;
    FR_TRY(fr_json_need_int(ran, "now_ms", 0, INT64_C(1) << 53, &m->last_now_ms, err));
    FR_TRY(fr_json_need_int(ran, "tick_no", 0, INT64_C(1) << 53, &m->tick_no, err));
    FR_TRY(fr_json_need_int(ran, "voids", 0, 1000, &voids, err));
    FR_TRY(fr_json_need_text(ran, "views", 64, 64, &views, err));
    FR_TRY(fr_json_need_array(ran, "timers", 0, MATCH_TIMERS_MAX, &timers, err));
    FR_TRY(fr_json_need_array(ran, "asks", 0, ASKS_OPEN_MAX, &asks, err));
    if (!fr_unhex(views, 64, m->views_sha, SHA256_BYTES)) return FR_FAIL(err, FR_E_CORRUPT, "a snapshot's views have no hash");
    m->voids_nobody = (int)voids;
    for (const struct fr_json *t = fr_json_child(timers); t; t = fr_json_next(t)) {
        const char *name;
        int64_t due_ms;
        FR_TRY(fr_json_need_text(t, "name", 1, 64, &name, err));
        FR_TRY(fr_json_need_int(t, "due_ms", 0, INT64_C(1) << 53, &due_ms, err));
        clock_timer_put(m, name, fr_json_get(t, "data"), due_ms);
    }
    for (const struct fr_json *a = fr_json_child(asks); a; a = fr_json_next(a)) apply_asks(m, a, NULL);
    return FR_OK;
}

static enum fr_status restore_seat(struct match *m, struct seat *s, const struct fr_json *told, struct fr_err *err)
{
    int64_t voids, refusals, status;
    const char *code, *text, *answer;
    const struct fr_json *events;
    FR_TRY(fr_json_opt_bool(told, "left", false, &s->left, err));
    FR_TRY(fr_json_need_int(told, "voids", 0, 1000000, &voids, err));
    FR_TRY(fr_json_need_int(told, "refusals", 0, 1000000, &refusals, err));
    FR_TRY(fr_json_need_int(told, "records", 0, MATCH_LOG_RECORDS_MAX, &s->records, err));
    FR_TRY(fr_json_need_int(told, "bytes", 0, 2 * MATCH_LOG_BYTES_MAX, &s->bytes, err));
    FR_TRY(fr_json_need_int(told, "n", 0, INT64_C(1) << 53, &s->answered_n, err));
    FR_TRY(fr_json_need_int(told, "seq", 0, INT64_C(1) << 53, &s->seq, err));
    FR_TRY(fr_json_need_int(told, "status", 0, 1000, &status, err));
    FR_TRY(fr_json_opt_text(told, "code", 100, "", &code, err));
    FR_TRY(fr_json_opt_text(told, "text", FR_ERR_TEXT_BYTES, "", &text, err));
    FR_TRY(fr_json_opt_text(told, "answer", 200, "", &answer, err));
    FR_TRY(fr_json_need_array(told, "events", 0, MATCH_EVENTS_KEPT, &events, err));
    s->voids = (int)voids;
    s->refusals = (int)refusals;
    s->queued_n = s->answered_n;
    s->last_status = (enum fr_status)status;
    if (status != FR_OK) FR_IGNORE(fr_err_set(&s->last_err, s->last_status, code, __FILE__, __LINE__, "%s", text));      // kept for a repeated n
    fr_free(s->last_answer);
    s->last_answer = fr_strndup(answer, strlen(answer));
    return events_restore(m, s, fr_json_get(told, "view"), events, err);
}

void snapshot_restore(struct match *m)
{
    FR_AUTO(fr_json) ran = NULL;
    FR_AUTO(fr_json) told = NULL;
    struct fr_err err;
    enum fr_status st = fr_json_parse_long(m->snap->ran, strlen(m->snap->ran), MATCH_SNAPSHOT_BYTES_MAX, &ran, &err);
    if (st == FR_OK) st = restore_ran(m, ran, &err);
    if (st == FR_OK && m->released < m->snap->at.n) {                // this process never saw it: a restart
        const struct fr_json *list = NULL;
        m->unproven = true;
        st = fr_json_parse_long(m->snap->told, strlen(m->snap->told), MATCH_SNAPSHOT_BYTES_MAX, &told, &err);
        int seat = 0;
        if (st == FR_OK) list = fr_json_child(told);
        for (; st == FR_OK && list && seat < m->row.seats; list = fr_json_next(list)) st = restore_seat(m, &m->seat[seat++], list, &err);
        if (st == FR_OK && list) spectate_view(m, list, m->last_now_ms);      // behind the seats: what who only watches last saw
        if (st == FR_OK && seat != m->row.seats) st = FR_FAIL(&err, FR_E_CORRUPT, "a snapshot tells of %d seats, the match has %d", seat, m->row.seats);
        m->released = m->snap->at.n;
    }
    m->unreadable = st != FR_OK;                                    // the feed is stopped: resume.c drops the snapshot
    if (st != FR_OK) fr_log_err(LOG_ERROR, "match.snapshot_unreadable", &err, "match", m->row.id, NULL);
}
