// feed.c — one struct per run; each answer starts the next turn.
#include "play/feed.h"
#include <assert.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"

struct feed {
    struct sandbox_worker *worker;
    uint32_t slot;
    struct feed_log log;
    struct feed_hooks hooks;
    struct feed_result result;
    int64_t at;                      // the record being played; 0 is the opening
    int64_t idle_left, idle_done, idle_tick, idle_ms;     // ticks to run before record `at`
    bool idle_read;                  // the idle count of record `at` was taken into account
    bool forgotten;
};

int64_t feed_tick_ms(int64_t base_ms, int tick_hz, int64_t ticks)
{
    return base_ms + ticks * 1000 / tick_hz;
}

void feed_tick_record(struct fr_buf *out, int64_t tick_no, int64_t now_ms)
{
    fr_buf_addf(out, "{\"kind\":\"tick\",\"tick_no\":%lld,\"now_ms\":%lld}", (long long)tick_no, (long long)now_ms);
}

int64_t feed_snapshot_step(int64_t n)
{
    return n > MATCH_SNAPSHOT_RECORDS_LONG ? MATCH_SNAPSHOT_RECORDS_LONG : MATCH_SNAPSHOT_RECORDS;
}

bool feed_snapshot_due(int64_t n)
{
    return n > 0 && n % feed_snapshot_step(n) == 0;
}

static void feed_next(struct feed *f);

static void feed_finish(struct feed *f, enum fr_status status, const struct fr_err *err)
{
    if (!f->forgotten) f->hooks.done(f->hooks.arg, status, &f->result, err);
    fr_free(f);
}

static void feed_compare(struct feed *f, int64_t n)
{
    const char *want = f->log.hash ? f->log.hash(f->log.arg, n) : NULL;
    char got[SHA256_HEX_BYTES];
    fr_hex(f->result.hash.bytes, SHA256_BYTES, got);
    if (want && f->result.first_different < 0 && strcmp(want, got) != 0) f->result.first_different = n;
}

// False when the feed has ended because of this answer.
static bool feed_may_go_on(struct feed *f, const struct sandbox_result *r)
{
    struct fr_err err = r->err;
    if (f->forgotten || r->status != FR_OK) {
        f->result.blamed = r->blamed;
        feed_finish(f, r->status != FR_OK ? r->status : FR_E_INTERNAL, &err);
        return false;
    }
    if (r->outcome == FRAME_TRIPPED_CPU || r->outcome == FRAME_TRIPPED_MEMORY) {
        f->result.blamed = true;
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_INTERNAL, "turn_tripped", "record %lld ran over its limits", (long long)f->at));   // handed on below
        feed_finish(f, err.status, &err);
        return false;
    }
    return true;
}

// The common part of every turn: NULL when the feed has ended because of it.
static struct turn *feed_read(struct feed *f, const struct sandbox_result *r)
{
    struct fr_err err;
    struct turn *t = NULL;
    if (!feed_may_go_on(f, r)) return NULL;
    if (turn_read(r->frame, f->log.seats, f->log.spectated, &t, &err) != FR_OK) {
        f->result.blamed = true;
        feed_finish(f, err.status, &err);
        return NULL;
    }
    return t;
}

static void feed_on_open(void *arg, const struct sandbox_result *r)
{
    struct feed *f = arg;
    FR_AUTO(turn) t = feed_read(f, r);
    if (!t) return;
    if (t->outcome != FRAME_OK) {
        struct fr_err err;
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_CONFLICT, t->code, "the match could not be opened: %s", t->detail));   // handed on below
        feed_finish(f, err.status, &err);
        return;
    }
    turn_hash_open(f->log.setup, r->frame->payload, r->frame->len, &f->result.hash, f->result.payload0);
    feed_compare(f, 0);
    if (f->hooks.turn) f->hooks.turn(f->hooks.arg, 0, NULL, t);
    f->at = 1;
    feed_next(f);
}

static void feed_on_turn(void *arg, const struct sandbox_result *r)
{
    struct feed *f = arg;
    FR_AUTO(turn) t = feed_read(f, r);
    if (!t) return;
    uint8_t sha[SHA256_BYTES];
    const char *record = f->log.record(f->log.arg, f->at);
    turn_hash_next(&f->result.hash, record, (uint8_t)t->outcome, r->frame->payload, r->frame->len, sha);
    feed_compare(f, f->at);
    f->result.fed = f->at;
    if (f->hooks.turn) f->hooks.turn(f->hooks.arg, f->at, record, t);
    f->at++;
    f->idle_read = false;
    feed_next(f);
}

static void feed_on_idle(void *arg, const struct sandbox_result *r)
{
    struct feed *f = arg;
    FR_AUTO(turn) t = feed_read(f, r);
    if (!t) return;
    f->idle_left--;
    f->idle_done++;
    feed_next(f);
}

// ---- snapshots

enum fr_status feed_read_snapshot(const struct frame *f, struct feed_snapshot *ret, struct fr_err *err)
{
    struct frame_cursor c;
    const char *head, *state, *hash;
    size_t head_len, state_len, hash_len;
    uint8_t digest[SHA256_BYTES];
    frame_sections(f, &c);
    if (f->status != FRAME_OK || !frame_take(&c, &head, &head_len) || !frame_take(&c, &state, &state_len) || !frame_take(&c, &hash, &hash_len) ||
        head_len == 0 || head_len > 200 || memchr(head, 0, head_len) || state_len == 0 || state_len > MATCH_STATE_BYTES_MAX || !fr_unhex(hash, hash_len, digest, sizeof digest))
        return FR_FAIL_CODE(err, FR_E_INVALID, "worker_nonsense", "the worker's snapshot is none");
    ret->head = fr_strndup(head, head_len);
    ret->state = fr_strndup(state, state_len);
    if (!ret->head || !ret->state) {
        fr_free(FR_TAKE(ret->head));
        fr_free(FR_TAKE(ret->state));
        return FR_FAIL(err, FR_E_NOMEM, "no memory for a snapshot");
    }
    ret->state_len = state_len;
    fr_hex(digest, sizeof digest, ret->state_sha);
    return FR_OK;
}

static void feed_on_snapshot(void *arg, const struct sandbox_result *r)
{
    struct feed *f = arg;
    struct fr_err err;
    struct feed_snapshot s = { .n = f->at - 1 };
    if (!feed_may_go_on(f, r)) return;
    if (feed_read_snapshot(r->frame, &s, &err) != FR_OK) {
        f->result.blamed = err.status != FR_E_NOMEM;
        feed_finish(f, err.status == FR_E_NOMEM ? FR_E_BUSY : err.status, &err);
        return;
    }
    f->result.renewed = f->at - 1;
    fr_hex(f->result.hash.bytes, SHA256_BYTES, s.hash);
    if (f->hooks.snapshot) f->hooks.snapshot(f->hooks.arg, &s);
    fr_free(s.head);
    fr_free(s.state);
    feed_next(f);
}

static void feed_on_restored(void *arg, const struct sandbox_result *r)
{
    struct feed *f = arg;
    struct fr_err err;
    struct frame_cursor c;
    const char *bytes;
    size_t len;
    if (!feed_may_go_on(f, r)) return;
    frame_sections(r->frame, &c);
    bool as_said = r->frame->status == FRAME_OK && frame_take(&c, &bytes, &len) && frame_take(&c, &bytes, &len) &&
                   len == SHA256_HEX_BYTES - 1 && memcmp(bytes, f->log.from->state_sha, len) == 0;
    if (!as_said || (f->hooks.restored && !f->hooks.restored(f->hooks.arg))) {
        FR_IGNORE(FR_FAIL_CODE(&err, FR_E_CONFLICT, "snapshot_refused", "the snapshot after record %lld is not what its hash says", (long long)f->log.from->n));      // handed on
        feed_finish(f, err.status, &err);
        return;
    }
    f->at = f->log.from->n + 1;
    f->result.fed = f->result.renewed = f->log.from->n;
    if (!fr_unhex(f->log.from->hash, SHA256_HEX_BYTES - 1, f->result.hash.bytes, SHA256_BYTES)) memset(&f->result.hash, 0, sizeof f->result.hash);
    feed_compare(f, f->log.from->n);
    feed_next(f);
}

static void feed_ask_snapshot(struct feed *f)
{
    struct sandbox_section setup = { f->log.setup, strlen(f->log.setup) };
    uint32_t id;
    struct fr_err err;
    if (sandbox_invoke(f->worker, FRAME_MATCH_SNAPSHOT, f->slot, &setup, 1, 0, feed_on_snapshot, f, &id, &err) != FR_OK)
        feed_finish(f, err.status, &err);
}

static void feed_send(struct feed *f, const char *record, size_t len, sandbox_done_fn *done)
{
    struct sandbox_section section = { record, len };
    uint32_t id;
    struct fr_err err;
    if (sandbox_invoke(f->worker, FRAME_MATCH_TURN, f->slot, &section, 1, 0, done, f, &id, &err) != FR_OK)
        feed_finish(f, err.status, &err);
}

static void feed_next(struct feed *f)
{
    struct fr_err err;
    for (; f->at <= f->log.records; f->at++, f->idle_read = false) {
        if (feed_snapshot_due(f->at - 1) && f->result.renewed != f->at - 1) { feed_ask_snapshot(f); return; }
        const char *record = f->log.record(f->log.arg, f->at);
        FR_AUTO(fr_json) json = NULL;
        if (fr_json_parse(record, strlen(record), &json, &err) != FR_OK) { feed_finish(f, FR_E_CORRUPT, &err); return; }
        const char *kind = fr_json_text(fr_json_get(json, "kind"));
        if (!f->idle_read) {
            f->idle_read = true;
            f->idle_left = (int64_t)fr_json_number(fr_json_get(json, "idle"));
            f->idle_tick = (int64_t)fr_json_number(fr_json_get(json, "tick"));
            f->idle_ms = (int64_t)fr_json_number(fr_json_get(json, "tick_ms"));
            f->idle_done = 0;
        }
        if (f->idle_left > 0 && f->log.tick_hz > 0) {
            FR_AUTO_BUF(tick);
            fr_buf_init(&tick, 256);
            feed_tick_record(&tick, f->idle_tick + f->idle_done, feed_tick_ms(f->idle_ms, f->log.tick_hz, f->idle_done));
            feed_send(f, tick.data, tick.len, feed_on_idle);
            return;
        }
        if (kind && strcmp(kind, "void") != 0 && strcmp(kind, "end") != 0) {
            feed_send(f, record, strlen(record), feed_on_turn);
            return;
        }
        uint8_t sha[SHA256_BYTES];
        turn_hash_next(&f->result.hash, record, TURN_NOT_RUN, NULL, 0, sha);      // no worker ran it
        feed_compare(f, f->at);
        f->result.fed = f->at;
        if (f->hooks.turn) f->hooks.turn(f->hooks.arg, f->at, record, NULL);
    }
    memset(&err, 0, sizeof err);
    feed_finish(f, FR_OK, &err);
}

enum fr_status feed_start(struct sandbox_worker *w, uint32_t slot, const struct feed_log *log, const struct feed_hooks *hooks, struct feed **ret, struct fr_err *err)
{
    struct feed *f = fr_alloc(sizeof *f);
    if (!f) return FR_FAIL(err, FR_E_NOMEM, "no memory to play a log");
    *f = (struct feed){ .worker = w, .slot = slot, .log = *log, .hooks = *hooks, .result = { .first_different = -1 } };
    struct sandbox_section sections[4] = { { log->setup, strlen(log->setup) }, { f->log.key, SHA256_BYTES } };
    uint32_t id;
    enum fr_status st;
    if (log->from) {
        sections[2] = (struct sandbox_section){ log->from->head, strlen(log->from->head) };
        sections[3] = (struct sandbox_section){ log->from->state, log->from->state_len };
        st = sandbox_invoke(w, FRAME_MATCH_RESTORE, slot, sections, 4, 0, feed_on_restored, f, &id, err);
    } else {
        st = sandbox_invoke(w, FRAME_MATCH_OPEN, slot, sections, 2, 0, feed_on_open, f, &id, err);
    }
    if (st != FR_OK) { fr_free(f); return st; }
    *ret = f;
    return FR_OK;
}

void feed_forget(struct feed *f)
{
    if (f) f->forgotten = true;
}
