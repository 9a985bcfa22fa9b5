// plays.c — the manager: start-up, plugins coming and going, the calls that the gateway makes.
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "ipc/call.h"
#include "play/internal.h"
#include "base/schema.h"

#define ENDED_KEPT_MS 60000                // so that a page that was away can still hear the end from its ring
#define EACH_MATCH(ps, m) \
    for (size_t at_ = 0, len_; (m = plays_walk((ps), &at_, &len_));)

static struct match *plays_walk(struct plays *ps, size_t *at, size_t *key_len)
{
    const void *key;
    void *value;
    return fr_map_walk(ps->matches, at, &key, key_len, &value) ? value : NULL;
}

static struct match *plays_get(struct plays *ps, const char *id)
{
    return fr_map_get_text(ps->matches, id);
}

// ---- start and stop

// A game with ticks that nobody looks at any more.
static bool match_is_abandoned(struct match *m, int64_t after_ms)
{
    bool there = m->row.tick_hz == 0 || m->state != MATCH_RUNNING;
    for (int i = 0; i < m->row.seats; i++) there = there || m->seat[i].there;
    if (there) m->alone_ms = 0;
    else if (m->alone_ms == 0) m->alone_ms = fr_mono_ms();
    return m->alone_ms > 0 && fr_mono_ms() - m->alone_ms >= after_ms;
}

static void plays_sweep(uv_timer_t *timer)
{
    struct plays *ps = timer->data;
    struct match *m;
    EACH_MATCH(ps, m) {
        bool waits = (m->state == MATCH_WAITING || m->state == MATCH_FEEDING) && m->waiting_ms > 0;
        if (waits && fr_mono_ms() - m->waiting_ms > ps->wait_ms) match_undo(m, "game_unavailable");
        if (match_is_abandoned(m, ps->abandoned_ms)) match_undo(m, "abandoned");
        if (m->state != MATCH_ENDED || fr_mono_ms() - m->ended_ms < ENDED_KEPT_MS) continue;
        fr_map_remove_text(ps->matches, m->row.id);
        match_unref(m);
    }
    queue_lonely(ps);
    log_trim(ps);
    plays_prune(ps);
}

// The version it was begun with, as it runs now or from the code in the store.
static struct plugin_version *plays_find_code(struct plays *ps, struct store_txn *txn, const struct match_row *row)
{
    struct plugin_version *v = NULL;
    struct fr_err err;
    if (strcmp(row->engine, ENGINE_ID) != 0) return NULL;
    if (plugins_older_version(ps->o.plugins, txn, row->game, row->package_sha, &v, &err) != FR_OK) fr_log_err(LOG_WARN, "match.code_gone", &err, "match", row->id, NULL);
    return v;
}

// Takes what it needs out of the log, and the snapshot (may be NULL).
static void plays_adopt(struct plays *ps, struct plugin_version *v, struct matchlog *l, struct snapshot *snap)
{
    struct match *m = match_new(ps, v, &l->row);
    m->setup = FR_TAKE(l->setup);
    m->asks_due = true;
    for (int i = 0; i < m->row.seats; i++) m->seat[i].there = false;
    m->records = FR_TAKE(l->records);
    m->cap = l->cap;
    m->count = m->durable = m->chunked = l->count;
    memcpy(m->hash0, l->hash0, sizeof m->hash0);
    memcpy(m->payload0, l->payload0, sizeof m->payload0);
    m->snap = snap;
    for (int64_t i = 0; i < m->count; i++) m->bytes += (int64_t)strlen(m->records[i].record);
    l->count = 0;
    if (m->row.state == ROW_SEEDING) {
        m->state = MATCH_SEEDING;
        match_undo(m, "host_restarted");     // the seeds were never complete: nothing has happened in it
    } else {
        m->state = MATCH_WAITING;
        match_start(m);
    }
}

static enum fr_status adopt_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct plays *ps = arg;
    FR_AUTO_MEM char (*ids)[FR_ID_BYTES] = fr_alloc((size_t)MATCHES_MAX * FR_ID_BYTES);
    if (!ids) return FR_FAIL(err, FR_E_NOMEM, "no memory for the unfinished matches");
    int count;
    FR_TRY(matchlog_settle(txn, err));
    FR_TRY(matchlog_unfinished(txn, ids, MATCHES_MAX, &count, err));
    for (int i = 0; i < count; i++) {
        FR_AUTO(matchlog) l = NULL;
        FR_TRY(matchlog_read(txn, ids[i], &l, err));
        struct plugin_version *v = plays_find_code(ps, txn, &l->row);
        if (v) {
            struct snapshot *snap;
            FR_TRY(snaplog_latest(txn, l, &snap, err));
            plays_adopt(ps, v, l, snap);
            continue;
        }
        struct match_result gone;
        settle_void(&gone, "version_gone");
        FR_TRY(settle_amounts(&gone, l->row.seats, l->row.stake_units, l->row.rake_bps, NULL, err));
        FR_TRY(matchlog_end(txn, &l->row, &gone, l->recorded, l->hash, fr_now_ms(), err));
        fr_log(LOG_WARN, "match.void", "match", l->row.id, "plugin", l->row.game, "reason", "version_gone", NULL);
    }
    return FR_OK;
}

enum fr_status plays_open(const struct plays_options *o, struct plays **ret, struct fr_err *err)
{
    struct plays *ps = fr_must_alloc(sizeof *ps);
    ps->o = *o;
    ps->matches = fr_map_new(MATCHES_MAX);
    uv_timer_init(o->loop, &ps->lonely);
    ps->lonely.data = ps;
    ps->refs = 1;
    ps->wait_ms = o->wait_ms ? o->wait_ms : MATCH_WAIT_MS;
    ps->abandoned_ms = o->abandoned_ms ? o->abandoned_ms : MATCH_ABANDONED_MS;
    ps->log_keep_ms = o->log_keep_ms ? o->log_keep_ms : MATCH_LOG_KEEP_MS;
    FR_TRY(store_now(o->store, adopt_job, ps, err));
    uv_timer_start(&ps->lonely, plays_sweep, 1000, 1000);
    *ret = ps;
    return FR_OK;
}

void plays_unref(struct plays *ps)
{
    if (--ps->refs > 0) return;
    fr_map_free(ps->matches);
    fr_free(ps);
}

static void plays_on_closed(uv_handle_t *handle)
{
    plays_unref(handle->data);
}

void plays_close(struct plays *ps)
{
    if (!ps) return;
    ps->closing = true;
    queue_free(ps);
    struct match *m;
    EACH_MATCH(ps, m) {
        if (m->feed) {
            feed_forget(FR_TAKE(m->feed));
            match_unref(m);
        }
        clock_close(m);
        if (m->state != MATCH_ENDED) m->state = MATCH_ENDING;      // nothing new; its log tells the next start how to go on
        fr_map_remove_text(ps->matches, m->row.id);
        match_unref(m);
    }
    uv_close((uv_handle_t *)&ps->lonely, plays_on_closed);
}

// ---- plugins come and go

void plays_worker_up(struct plays *ps, struct plugin_worker *w)
{
    struct match *m;
    EACH_MATCH(ps, m)
        if (m->worker == w && m->state == MATCH_WAITING) match_start(m);
}

void plays_worker_down(struct plays *ps, struct plugin_worker *w)
{
    struct plugin *p = w->version->plugin;
    struct match *m;
    EACH_MATCH(ps, m)
        if (m->worker == w && m->pinned) {
            match_worker_down(m);
            if (m->state == MATCH_WAITING) match_start(m);       // not now, but perhaps never again: then its stakes go home
        }
    if (p->state == PLUGIN_DISABLED) plays_plugin_disabled(ps, p);
}

void plays_plugin_disabled(struct plays *ps, struct plugin *p)
{
    queue_drop_plugin(ps, p, "plugin_disabled");
    struct match *m;
    EACH_MATCH(ps, m)
        if (m->plugin == p) match_undo(m, "game_switched_off");
}

// ---- what players do

struct absent { char player[PLAYER_ID_BYTES], match[FR_ID_BYTES]; play_done_fn *done; void *arg; };

static enum fr_status absent_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct absent *a = arg;
    FR_AUTO_BUF(shown);
    fr_buf_init(&shown, FRAME_BYTES_MAX);
    FR_TRY(play_show(txn, a->match, a->player, &shown, err));
    return FR_FAIL_CODE(err, FR_E_CONFLICT, "match_ended", "the match is over");
}

static void absent_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct absent *a = arg;
    a->done(a->arg, status, NULL, err);
    fr_free(a);
}

// The match is not (or no longer) here: the store knows whether it is over or was never this player's.
static void answer_absent(struct plays *ps, const char *player, const char *match, play_done_fn *done, void *arg)
{
    struct absent *a = fr_must_alloc(sizeof *a);
    struct fr_err err;
    *a = (struct absent){ .done = done, .arg = arg };
    snprintf(a->player, sizeof a->player, "%s", player);
    snprintf(a->match, sizeof a->match, "%s", match);
    if (store_read(ps->o.store, absent_job, a, absent_done, &err) != FR_OK) absent_done(a, err.status, &err);
}

// The player's running match; NULL when there is none, and then `done` was or will be told.
static struct match *player_match(struct plays *ps, const char *player, const char *id, int *seat, play_done_fn *done, void *arg)
{
    struct match *m = plays_get(ps, id);
    *seat = m ? match_seat_of(m, player) : 0;
    if (*seat > 0 && m->state < MATCH_ENDING) return m;
    if (*seat > 0 && m->state == MATCH_ENDING) {               // nobody knows that it has ended before that is durable
        struct fr_err err;
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_BUSY, "match_resuming", "the match's last turn is being stored; ask again in a moment"));      // handed on
        done(arg, err.status, NULL, &err);
        return NULL;
    }
    answer_absent(ps, player, id, done, arg);
    return NULL;
}

int play_leave_queue(struct plays *ps, const char *player, const char *ticket)
{
    return queue_leave(ps, player, ticket);
}

void play_seed(struct plays *ps, const char *player, const char *match, const char *seed_hex, play_done_fn *done, void *arg)
{
    struct fr_err err;
    int seat;
    struct match *m = player_match(ps, player, match, &seat, done, arg);
    if (!m) return;
    bool waiting = m->state == MATCH_SEEDING;
    if (!waiting) FR_IGNORE(FR_FAIL_CODE(&err, FR_E_CONFLICT, "seed_not_asked", "this match is not waiting for seeds"));        // handed on
    if (!waiting || fairness_reveal(&m->row.fairness, seat, seed_hex, &err) != FR_OK) { done(arg, err.status, NULL, &err); return; }
    done(arg, FR_OK, "{}", NULL);
    if (fairness_complete(&m->row.fairness)) queue_seeded(m);
}

// After a restart of the host: has its log been played far enough to know what its players have done and seen?
static bool match_is_known(const struct match *m)
{
    return m->fresh || m->state < MATCH_WAITING || m->state == MATCH_ENDED || m->released >= m->durable;
}

// A client that was cut off sends the same n again: it hears the same answer, and the move is made once.
static bool input_is_repeated(struct match *m, struct seat *s, int64_t n, play_done_fn *done, void *arg)
{
    if (n > s->queued_n) return false;
    int seat = (int)(s - m->seat) + 1;
    struct fr_err err = s->last_err;
    if (n == s->answered_n && s->last_status == FR_OK) { done(arg, FR_OK, s->last_answer ? s->last_answer : "{}", NULL); return true; }
    if (n == s->answered_n) { done(arg, s->last_status, NULL, &err); return true; }
    struct pending *p = pending_find_move(m, seat, n);
    if (p) {
        match_error_waiter(&p->waiter, FR_E_CONFLICT, "superseded", "the same move was sent again");
        p->waiter = (struct waiter){ done, arg };
        return true;
    }
    if (n < s->answered_n) FR_IGNORE(FR_FAIL_CODE(&err, FR_E_CONFLICT, "n_passed", "move %lld was made; the last one answered is %lld", (long long)n, (long long)s->answered_n));
    else if (m->state == MATCH_ENDED) FR_IGNORE(FR_FAIL_CODE(&err, FR_E_CONFLICT, "match_ended", "the match is over"));        // it was still waiting then
    else FR_IGNORE(FR_FAIL_CODE(&err, FR_E_BUSY, "match_resuming", "move %lld could not be stored; send it again in a moment", (long long)n));      // until what was stored is known
    done(arg, err.status, NULL, &err);
    return true;
}

static enum fr_status input_check(struct match *m, struct seat *s, int64_t n, const char *name, const char *args_json, struct fr_err *err)
{
    if (n != s->queued_n + 1) return FR_FAIL_CODE(err, FR_E_CONFLICT, "n_gap", "the next move is number %lld, not %lld", (long long)s->queued_n + 1, (long long)n);
    if (m->state < MATCH_WAITING) return FR_FAIL_CODE(err, FR_E_CONFLICT, "match_not_started", "the match has not started");
    if (match_seat_gone(m, (int)(s - m->seat) + 1)) return FR_FAIL_CODE(err, FR_E_CONFLICT, "left", "you left this match");
    if (match_seat_full(m, (int)(s - m->seat) + 1))
        return FR_FAIL_CODE(err, FR_E_LIMIT, "too_many_moves", "you made %lld moves in this match, its log has no room for more of yours", (long long)s->records);
    if (s->refusals >= SEAT_REFUSALS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "too_many_refusals", "%d of your moves were refused; no more are taken", SEAT_REFUSALS_MAX);
    bool known;
    const struct fr_json *schema = manifest_input(match_manifest(m), name, &known);
    if (!known) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "input_unknown", "%s takes no input \"%.40s\"", m->row.game, name);
    FR_AUTO(fr_json) args = NULL;
    FR_TRY(fr_json_parse(args_json, strlen(args_json), &args, err));
    return schema_fit(schema, args, "args", err);
}

void play_input(struct plays *ps, const char *player, const char *match, int64_t n, const char *name, const char *args_json, play_done_fn *done, void *arg)
{
    struct fr_err err;
    int seat;
    struct match *m = plays_get(ps, match);
    if (m && !match_is_known(m)) {                             // its log may hold this very move
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_BUSY, "match_resuming", "the match is being resumed; send the move again in a moment"));
        done(arg, err.status, NULL, &err);
        return;
    }
    if (m && match_seat_of(m, player)) m->seat[match_seat_of(m, player) - 1].there = true;
    struct seat *own = m && match_seat_of(m, player) ? &m->seat[match_seat_of(m, player) - 1] : NULL;
    if (own && input_is_repeated(m, own, n, done, arg)) return;               // also when the match ended by that very move
    m = own && m->state == MATCH_ENDING ? m : player_match(ps, player, match, &seat, done, arg);       // it waits until the end is known
    if (!m) return;
    seat = match_seat_of(m, player);
    if (input_check(m, &m->seat[seat - 1], n, name, args_json, &err) != FR_OK) { done(arg, err.status, NULL, &err); return; }
    FR_AUTO_BUF(quoted);
    fr_buf_init(&quoted, 512);
    fr_buf_add_json_text(&quoted, name);
    if (quoted.failed) { done(arg, FR_FAIL(&err, FR_E_NOMEM, "no memory for a move"), NULL, &err); return; }
    struct pending *p = pending_new(seat, "\"kind\":\"input\",\"seat\":%d,\"in\":%lld,\"name\":%s,\"args\":%s", seat, (long long)n, quoted.data, args_json);
    if (!p) {
        FR_IGNORE(FR_FAIL(&err, FR_E_LIMIT, "a move may have %d bytes", CALL_ARGS_BYTES_MAX));      // handed on
        done(arg, err.status, NULL, &err);
        return;
    }
    p->client_n = n;
    p->waiter = (struct waiter){ done, arg };
    m->seat[seat - 1].queued_n = n;
    if (!match_push(m, p)) m->seat[seat - 1].queued_n = n - 1;
}

void play_leave(struct plays *ps, const char *player, const char *match, play_done_fn *done, void *arg)
{
    struct fr_err err;
    int seat;
    struct match *m = player_match(ps, player, match, &seat, done, arg);
    if (!m) return;
    struct waiter waiter = { done, arg };
    if (m->state < MATCH_WAITING) { match_leave_seeding(m, waiter); return; }
    if (match_seat_gone(m, seat)) { match_error_waiter(&waiter, FR_E_CONFLICT, "left", "you left this match"); return; }
    if (!match_definition(m)) { match_error_waiter(&waiter, FR_E_BUSY, "match_resuming", "the game is starting; ask again in a moment"); return; }
    if (!match_handles(m, "leave")) { match_surrender(m, seat, waiter); return; }
    struct pending *p = pending_new(seat, "\"kind\":\"leave\",\"seat\":%d,\"why\":\"surrender\"", seat);
    if (p) { p->waiter = waiter; p->leaves = true; }
    if (!p) { FR_IGNORE(FR_FAIL(&err, FR_E_NOMEM, "no memory")); done(arg, err.status, NULL, &err); return; }
    m->seat[seat - 1].leaving = true;
    if (!match_push(m, p)) m->seat[seat - 1].leaving = false;                     // the refusal went to the waiter
}

void play_presence(struct plays *ps, const char *player, bool online)
{
    if (!online) queue_leave(ps, player, NULL);
    struct match *m;
    EACH_MATCH(ps, m) {
        int seat = match_seat_of(m, player);
        if (seat == 0 || m->state < MATCH_WAITING || m->state >= MATCH_ENDING) continue;
        struct seat *s = &m->seat[seat - 1];
        s->there = online;
        if (s->online == online || match_seat_gone(m, seat)) continue;
        s->online = online;
        if (match_seat_full(m, seat)) continue;
        if (!match_handles(m, online ? "back" : "drop")) continue;
        struct pending *p = pending_new(0, "\"kind\":\"%s\",\"seat\":%d", online ? "back" : "drop", seat);
        if (p) p->doer = seat;
        FR_IGNORE(match_push(m, p) ? FR_OK : FR_E_BUSY);                       // a full queue: the game hears of the next change
    }
}

// ---- resumption

struct resuming { struct plays *ps; char player[PLAYER_ID_BYTES], match[FR_ID_BYTES]; int64_t from; void (*event)(void *, const char *, size_t); play_done_fn *done; void *arg; struct fr_buf out; };

static enum fr_status resume_ended_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct resuming *r = arg;
    FR_AUTO_BUF(shown);
    fr_buf_init(&shown, FRAME_BYTES_MAX);
    FR_TRY(play_show(txn, r->match, r->player, &shown, err));
    FR_AUTO(fr_json) json = NULL;
    FR_TRY(fr_json_parse(shown.data, shown.len, &json, err));
    fr_buf_init(&r->out, FRAME_BYTES_MAX);
    fr_buf_addf(&r->out, "{\"ev\":\"match.end\",\"match\":\"%s\",\"seq\":%lld", r->match, (long long)r->from + 1);
    static const char *const keys[] = { "game", "stake", "asset", "hash", "place", "payout", "net", "reason", "places", "result", "fairness" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct fr_json *v = fr_json_get(json, keys[i]);
        if (!v) continue;
        fr_buf_addf(&r->out, ",\"%s\":", keys[i]);
        fr_json_print(v, &r->out);
    }
    fr_buf_add(&r->out, "}");
    return fr_buf_check(&r->out, "a match's end", err);
}

static void resume_ended_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct resuming *r = arg;
    if (status != FR_OK) {
        r->done(r->arg, status, NULL, err);
    } else {
        char answer[80];
        r->event(r->arg, r->out.data, r->out.len);
        snprintf(answer, sizeof answer, "{\"seq\":%lld,\"complete\":false,\"ended\":true}", (long long)r->from + 1);
        r->done(r->arg, FR_OK, answer, NULL);
    }
    fr_buf_free(&r->out);
    fr_free(r);
}

static void resume_ended(struct plays *ps, const char *player, const char *match, int64_t from, void (*event)(void *, const char *, size_t), play_done_fn *done, void *arg)
{
    struct resuming *r = fr_must_alloc(sizeof *r);
    *r = (struct resuming){ .ps = ps, .from = from, .event = event, .done = done, .arg = arg };
    snprintf(r->player, sizeof r->player, "%s", player);
    snprintf(r->match, sizeof r->match, "%s", match);
    struct fr_err err;
    if (store_read(ps->o.store, resume_ended_job, r, resume_ended_done, &err) != FR_OK) resume_ended_done(r, err.status, &err);
}

// True when every event after `from` is still in the ring.
static bool ring_covers(const struct seat *s, int64_t from)
{
    if (from < 1 || from > s->seq) return false;
    for (int i = 0; i < s->ring_count; i++) {
        const struct event *e = &s->ring[(s->ring_at + i) % MATCH_EVENTS_KEPT];
        if (e->seq > from && !e->json) return false;
    }
    return s->ring_count > 0 && s->ring[s->ring_at].seq <= from + 1;
}

void play_resume(struct plays *ps, const char *player, const char *match, int64_t from,
                 void (*event)(void *arg, const char *json, size_t len), play_done_fn *done, void *arg)
{
    struct fr_err err;
    struct match *m = plays_get(ps, match);
    int seat = m ? match_seat_of(m, player) : 0;
    if (!m || (seat > 0 && m->state == MATCH_ENDED && !m->seat[seat - 1].view)) { resume_ended(ps, player, match, from, event, done, arg); return; }
    if (seat == 0) {
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_NOT_FOUND, "match_unknown", "you play no match %.40s", match));     // handed on
        done(arg, err.status, NULL, &err);
        return;
    }
    struct seat *s = &m->seat[seat - 1];
    s->there = true;
    if (m->state == MATCH_SEEDING) events_seed(m);
    if (s->seq == 0 || !match_is_known(m)) {
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_BUSY, "match_resuming", "the match is being resumed; ask again in a moment"));
        done(arg, err.status, NULL, &err);
        return;
    }
    bool complete = ring_covers(s, from);
    if (complete) {
        for (int i = 0; i < s->ring_count; i++) {
            const struct event *e = &s->ring[(s->ring_at + i) % MATCH_EVENTS_KEPT];
            if (e->seq > from) event(arg, e->json, e->len);
        }
    } else {
        FR_AUTO_BUF(start);
        events_print_start(m, seat, &start);
        if (!start.failed) event(arg, start.data, start.len);
        const struct event *last = s->ring_count ? &s->ring[(s->ring_at + s->ring_count - 1) % MATCH_EVENTS_KEPT] : NULL;
        if (m->state == MATCH_ENDED && last && last->json) event(arg, last->json, last->len);
    }
    char answer[96];                                // the events say what the clock was then; the answer says what it is now
    snprintf(answer, sizeof answer, "{\"seq\":%lld,\"complete\":%s,\"now_ms\":%lld}", (long long)s->seq, complete ? "true" : "false", (long long)fr_now_ms());
    done(arg, FR_OK, answer, NULL);
}

// ---- lists

void play_matches_of(struct plays *ps, const char *player, struct fr_buf *out)
{
    int written = 0;
    struct match *m;
    fr_buf_add(out, "[");
    EACH_MATCH(ps, m) {
        int seat = match_seat_of(m, player);
        if (seat == 0 || m->state == MATCH_ENDED || m->state == MATCH_FORMING) continue;
        fr_buf_addf(out, "%s{\"id\":\"%s\",\"game\":\"%s\",\"mode\":\"%s\",\"seat\":%d}", written++ ? "," : "", m->row.id, m->row.game, m->row.mode, seat);
    }
    fr_buf_add(out, "]");
}

bool play_is_of(struct plays *ps, const char *player, const char *match, const char *game)
{
    const struct match *m = plays_get(ps, match);
    return m && match_seat_of(m, player) > 0 && strcmp(m->row.game, game) == 0;
}

void play_running(struct plays *ps, struct fr_buf *out)
{
    int written = 0;
    struct match *m;
    fr_buf_add(out, "[");
    EACH_MATCH(ps, m) {
        if (m->state == MATCH_FORMING || written == 50) continue;
        char hash[SHA256_HEX_BYTES];
        match_hash_text(m, hash);
        fr_buf_addf(out, "%s{\"id\":\"%s\",\"game\":\"%s\",\"state\":\"%s\",\"hash\":\"%s\",\"records\":%lld}", written++ ? "," : "", m->row.id, m->row.game,
                    match_state_name(m), hash, (long long)m->durable);
    }
    fr_buf_add(out, "]");
}

int play_count(const struct plays *ps)
{
    int count = 0;
    struct match *m;
    EACH_MATCH((struct plays *)ps, m) count += m->state < MATCH_ENDED;
    return count;
}
