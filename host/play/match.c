// match.c — the turn machine. In the order things happen:
//
//   match_push -> match_pump -> worker -> match_on_turn -> log_append (store job) -> log_on_durable -> out
//
// The next turn runs while the last one is being written, but outputs wait for their record, in order (the store calls back in
// order). Whatever goes wrong with a worker or a commit, the answer is the same: play the log again (match_start, resume.c).
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "play/internal.h"
#include "plugin/use.h"

#define UNRELEASED_MAX 32                 // turns that may run ahead of the disk
#define WORKER_BUSY_RETRY_MS 20           // all its calls are open: every match of it asks again after this

struct match *match_new(struct plays *ps, struct plugin_version *v, const struct match_row *row)
{
    struct match *m = fr_must_alloc(sizeof *m);
    m->plays = ps;
    ps->refs++;
    m->plugin = v->plugin;
    m->version = v;
    plugin_version_ref(v);
    m->worker = plugin_pin(v);
    m->pinned = true;
    m->row = *row;
    m->released = -1;
    m->queue_end = &m->queue;
    m->seat = fr_must_alloc((size_t)row->seats * sizeof *m->seat);
    for (int i = 0; i < row->seats; i++) {
        memcpy(m->seat[i].player, row->seat[i].player, sizeof m->seat[i].player);
        memcpy(m->seat[i].name, row->seat[i].name, sizeof m->seat[i].name);
        m->seat[i].online = m->seat[i].there = true;        // who plays was just there; after a restart nobody is told that everybody left
    }
    match_ref(m);                        // the map's
    if (!fr_map_put_text(ps->matches, m->row.id, m)) {
        assert(fr_map_size(ps->matches) < MATCHES_MAX);          // the caller checked
        fr_mem_out(0);
    }
    clock_open(m);
    return m;
}

void match_count_record(struct match *m, int seat, size_t bytes)
{
    if (seat < 1 || seat > m->row.seats) return;
    m->seat[seat - 1].records++;
    m->seat[seat - 1].bytes += (int64_t)bytes;
}

bool match_seat_full(const struct match *m, int seat)
{
    const struct seat *s = &m->seat[seat - 1];
    return s->records >= SEAT_RECORDS_MAX(m->row.seats) || s->bytes >= SEAT_BYTES_MAX(m->row.seats);
}

bool match_seat_gone(const struct match *m, int seat)
{
    return m->seat[seat - 1].left || m->seat[seat - 1].leaving;
}

void match_ref(struct match *m)
{
    m->refs++;
}

void match_unref(struct match *m)
{
    assert(m->refs > 0);
    if (--m->refs > 0) return;
    pending_refuse_all(m, "match_ended", "the match is over");
    for (int64_t i = 0; i < m->count; i++) fr_free(m->records[i].record);
    for (int i = 0; i < m->row.seats; i++) events_free(&m->seat[i]);
    for (int i = 0; i < m->ask_count; i++) fr_free(m->asks[i]);
    clock_timers_clear(m);
    fr_free(m->records);
    fr_free(m->seat);
    fr_free(m->setup);
    for (int i = 0; i < m->row.seats; i++) fr_free(m->options[i]);
    fr_free(m->running_record);
    spectate_free(m);
    snapshot_free(m->snap);
    snapshot_free(m->snap_new);
    match_unpin(m);
    plugin_version_unref(m->version);
    plays_unref(m->plays);
    fr_free(m);
}

const char *match_state_name(const struct match *m)
{
    static const char *const names[] = { "forming", "seeding", "waiting", "resuming", "running", "ending", "ended" };
    return names[m->state];
}

void match_hash_text(const struct match *m, char out[SHA256_HEX_BYTES])
{
    snprintf(out, SHA256_HEX_BYTES, "%s", m->durable > 0 ? m->records[m->durable - 1].hash : m->hash0);
}

int match_seat_of(const struct match *m, const char *player)
{
    for (int i = 0; i < m->row.seats; i++)
        if (m->seat[i].player[0] && strcmp(m->seat[i].player, player) == 0) return i + 1;
    return 0;
}

static const struct fr_json *turn_end_effect(const struct turn *t)
{
    for (const struct fr_json *e = t->ends ? fr_json_child(t->effects) : NULL; e; e = fr_json_next(e)) {
        const char *kind = fr_json_text(fr_json_get(e, "e"));
        if (strcmp(kind, "finish") == 0 || strcmp(kind, "void") == 0) return e;
    }
    return NULL;
}

// ---- a turn

// A game that breaks on a leave must not keep the player, and the coins, in the match: then it is as if it had no handler for it.
static struct waiter match_take_leaver(struct pending *p)
{
    struct waiter w = { 0 };
    if (!p->leaves) return w;
    w = p->waiter;
    p->waiter.done = NULL;
    return w;
}

static void match_void_turn(struct match *m, struct pending *p, const char *code)
{
    FR_AUTO_BUF(body);
    fr_buf_init(&body, 4096);
    fr_buf_addf(&body, "\"kind\":\"void\",\"seat\":%d,\"in\":%lld,\"code\":", p->seat, (long long)p->client_n);
    fr_buf_add_json_text(&body, code);
    if (p->timer[0]) { fr_buf_add(&body, ",\"timer\":"); fr_buf_add_json_text(&body, p->timer); }
    fr_log(LOG_WARN, "match.turn_void", "match", m->row.id, "plugin", m->row.game, "code", code, NULL);
    if (p->timer[0]) clock_timer_remove(m, p->timer);
    int64_t now_ms = match_now(m);
    m->idle_count = 0;
    char *record = body.failed ? NULL : log_record_text(m, body.data, now_ms);
    if (!record) fr_mem_out(0);
    int voids = p->seat ? ++m->seat[p->seat - 1].voids : ++m->voids_nobody;
    int seat = p->seat;
    struct waiter leaving = match_take_leaver(p);
    struct turn *told = fr_must_alloc(sizeof *told);            // what the player hears once the record is durable
    told->outcome = FRAME_RAISED;
    snprintf(told->code, sizeof told->code, "%s", code);
    snprintf(told->detail, sizeof told->detail, TURN_VOID_TEXT);
    log_append(m, record, &(struct append){ .now_ms = now_ms, .outcome = TURN_NOT_RUN, .pending = p, .turn = told }, NULL, 0);
    if (leaving.done) { match_surrender(m, seat, leaving); return; }
    if (voids < MATCH_VOIDS_PER_SEAT_MAX) return;
    if (seat) match_forfeit(m, seat, "forfeit");
    else match_undo(m, "game_failed");
}

static void match_refuse_seat(struct match *m, const struct turn *t, int seat)
{
    if (t->outcome == FRAME_OK || seat == 0) return;
    m->seat[seat - 1].refusals++;
}

void match_try_later(struct match *m)
{
    m->retry_due_ms = fr_now_ms() + WORKER_BUSY_RETRY_MS + (int64_t)fr_map_size(m->plays->matches) / 50;      // a crowd asks less often
    clock_set(m);
}

static void match_on_result(struct match *m, struct pending *p, const struct sandbox_result *r)
{
    char *record = FR_TAKE(m->running_record);
    FR_AUTO(turn) t = NULL;
    struct fr_err err = r->err;
    bool tripped = r->status == FR_OK && (r->outcome == FRAME_TRIPPED_CPU || r->outcome == FRAME_TRIPPED_MEMORY);
    if (m->state != MATCH_RUNNING || (r->status != FR_OK && !r->blamed)) {        // not this turn's fault: it will run again
        fr_free(record);
        if (m->state == MATCH_ENDED) { match_error_waiter(&p->waiter, FR_E_CONFLICT, "match_ended", "the match is over"); pending_free(p); return; }
        if (p->stale) match_error_waiter(&p->waiter, FR_E_IO, "io", "an earlier move could not be stored");
        if (p->tick || p->stale) pending_free(p);
        else pending_push_front(m, p);
        if (m->state == MATCH_RUNNING) m->state = MATCH_WAITING;
        if (m->state == MATCH_WAITING && m->retry_due_ms == 0) match_start(m);      // it may have waited for this turn to end
        return;
    }
    if (r->status == FR_OK && !tripped && turn_read(r->frame, m->row.seats, m->row.spectated, &t, &err) != FR_OK)
        fr_log_err(LOG_ERROR, err.status == FR_E_NOMEM ? "match.no_memory" : "match.nonsense", &err, "match", m->row.id, "plugin", m->row.game, NULL);
    if (!t && r->status == FR_OK && !tripped && err.status == FR_E_NOMEM) {       // our shortage must not be blamed on a seat: the match is rebuilt and it runs again
        fr_free(record);
        if (p->tick) pending_free(p);
        else pending_push_front(m, p);
        match_close_slot(m);
        m->state = MATCH_WAITING;
        match_try_later(m);
        return;
    }
    if (!t) {
        fr_free(record);
        match_close_slot(m);
        m->state = MATCH_WAITING;
        match_void_turn(m, p, r->status != FR_OK ? err.code : tripped ? (r->outcome == FRAME_TRIPPED_CPU ? "cpu_limit" : "memory_limit") : "worker_nonsense");
        if (m->state == MATCH_WAITING) match_start(m);
        return;
    }
    bool unseen = t->outcome == FRAME_OK && fr_json_size(t->effects) == 0 && memcmp(t->views_sha, m->views_sha, SHA256_BYTES) == 0;
    if (p->tick && unseen && m->running_may_idle) {
        if (m->idle_count++ == 0) { m->idle_from = p->tick_no; m->idle_ms = m->running_now_ms; }
        fr_free(record);
        pending_free(p);
        match_pump(m);
        return;
    }
    if (t->outcome == FRAME_OK) memcpy(m->views_sha, t->views_sha, SHA256_BYTES);
    m->idle_count = 0;                                            // they stand in this record now
    if (p->timer[0]) clock_timer_remove(m, p->timer);
    if (strncmp(p->body, "\"kind\":\"answer\"", 15) == 0) {
        FR_AUTO(fr_json) parsed = NULL;
        if (fr_json_parse(record, strlen(record), &parsed, &err) == FR_OK) apply_asks(m, NULL, parsed);
    }
    apply_effects(m, t, m->running_now_ms);
    match_refuse_seat(m, t, p->seat);
    if (t->outcome == FRAME_RAISED) plugin_log_add(m->plugin, "error", t->detail, NULL);
    struct match_result *end = t->ends ? match_result_new(m, turn_end_effect(t), &err) : NULL;
    if (end) m->state = MATCH_ENDING;
    else if (t->outcome == FRAME_OK && clock_bot_seat(m) && match_handles(m, "bot")) m->bot_due_ms = fr_now_ms() + MATCH_BOT_THINK_MS;
    int outcome = t->outcome, seat = p->seat;
    struct waiter leaving = { 0 };
    if (outcome == FRAME_RAISED) leaving = match_take_leaver(p);
    log_append(m, record, &(struct append){ .now_ms = m->running_now_ms, .outcome = outcome, .turn = FR_TAKE(t), .pending = p, .end = end }, r->frame->payload, r->frame->len);
    if (leaving.done) match_surrender(m, seat, leaving);
    clock_set(m);
    match_pump(m);
}

static void match_on_turn(void *arg, const struct sandbox_result *r)
{
    struct match *m = arg;
    struct pending *p = FR_TAKE(m->running);
    assert(p);
    plugin_turn_used(m->plugin, p->seat > 0 ? m->seat[p->seat - 1].player : "", r);
    match_on_result(m, p, r);
    match_unref(m);
}

// A tick's clock: exactly one period after the last idle one, so that the run can be written as a count.
static int64_t match_tick_now(struct match *m, const struct pending *p, bool *may_idle)
{
    *may_idle = true;
    int64_t now_ms = fr_now_ms();
    if (m->idle_count == 0) return match_now(m);
    int64_t regular = feed_tick_ms(m->idle_ms, m->row.tick_hz, m->idle_count);
    bool fits = m->idle_count < MATCH_IDLE_TICKS_MAX && p->tick_no == m->idle_from + m->idle_count && regular >= m->last_now_ms && now_ms - regular < 500 && regular - now_ms < 500;
    if (!fits) { *may_idle = false; return match_now(m); }
    m->last_now_ms = regular;
    return regular;
}

void match_pump(struct match *m)
{
    if (m->state != MATCH_RUNNING || m->running || m->snapping || !m->queue || m->append_failed || m->count - m->durable >= UNRELEASED_MAX) return;
    if (m->count >= MATCH_LOG_RECORDS_MAX || m->bytes >= MATCH_LOG_BYTES_MAX) { match_undo(m, "too_long"); return; }
    if (snapshot_due(m)) { snapshot_take(m); return; }
    int64_t wait_ms = plugin_turn_wait_ms(m->plugin, &m->place_us);
    if (wait_ms > 0) {                                             // the plugin used up its CPU: later, not void
        m->retry_due_ms = fr_now_ms() + wait_ms;
        clock_set(m);
        return;
    }
    struct pending *p = pending_pop(m);
    char tick[64];
    if (p->tick) {
        snprintf(tick, sizeof tick, "\"kind\":\"tick\",\"tick_no\":%lld", (long long)p->tick_no);
        m->running_now_ms = match_tick_now(m, p, &m->running_may_idle);
    } else {
        m->running_now_ms = match_now(m);
    }
    m->running_record = log_record_text(m, p->tick ? tick : p->body, m->running_now_ms);
    struct fr_err err;
    uint32_t id;
    struct sandbox_section section = { m->running_record, m->running_record ? strlen(m->running_record) : 0 };
    if (!m->running_record || sandbox_invoke(match_worker(m), FRAME_MATCH_TURN, m->slot, &section, 1, 0, match_on_turn, m, &id, &err) != FR_OK) {
        fr_free(FR_TAKE(m->running_record));
        if (p->tick) pending_free(p);
        else pending_push_front(m, p);
        if (match_worker_up(m)) match_try_later(m);                // it has too much to do; if it is down, match_start will pump
        return;
    }
    m->running = p;
    match_ref(m);
}

static bool queue_is_full(const struct match *m, const struct pending *p)
{
    int same = 0;
    for (const struct pending *at = m->queue; at; at = at->next) same += at->doer == p->doer;
    return same >= (p->doer ? SEAT_QUEUE_MAX(m->row.seats) : MATCH_INPUT_QUEUE_MAX);
}

bool match_push(struct match *m, struct pending *p)
{
    if (!p) return false;
    bool over = m->state == MATCH_ENDED || m->plays->closing;
    if (over || (!p->must && queue_is_full(m, p))) {
        if (over) match_error_waiter(&p->waiter, FR_E_CONFLICT, "match_ended", "the match is over");
        else match_error_waiter(&p->waiter, FR_E_BUSY, "match_busy", "too many moves are waiting in this match");
        pending_free(p);
        return false;
    }
    pending_push_back(m, p);
    match_pump(m);
    return true;
}
