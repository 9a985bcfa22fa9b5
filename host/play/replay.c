// replay.c — an export, a fresh worker, the log played `times` over, beside copies of itself.
#include "play/replay.h"
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "play/fairness.h"
#include "play/feed.h"
#include "play/matchlog.h"
#include "plugin/package.h"

#define BESIDE_MAX 64

struct replay {
    struct sandbox_worker *worker;
    struct package *package;
    struct fr_json *json;
    struct feed_log log;
    const char *match, *hash0;
    const struct fr_json **records;
    struct replay_options o;
    struct feed_snapshot *snapshots; int snapshot_count;
    int first, last;                          // the starts that are played: 0 is the beginning, i snapshot i
    int started, running, total;
    struct replay_result result;
    struct fr_err err; enum fr_status status;
    bool finished, snapshot_differs;
    void (*done)(void *, enum fr_status, const struct replay_result *, const struct fr_err *); void *arg;
};

static void replay_free(struct replay *r)
{
    fr_json_free(r->json);
    package_free(r->package);
    for (int i = 0; i < r->snapshot_count; i++) {
        fr_free(r->snapshots[i].head);
        fr_free(r->snapshots[i].state);
    }
    fr_free(r->snapshots);
    fr_free(r->records);
    fr_free(r);
}

static void replay_finish(struct replay *r)
{
    if (r->finished || r->running > 0) return;
    r->finished = true;
    sandbox_worker_stop(r->worker);
    r->done(r->arg, r->status, &r->result, &r->err);
    replay_free(r);
}

static const char *replay_record(void *arg, int64_t n)
{
    struct replay *r = arg;
    return fr_json_text(fr_json_get(r->records[n - 1], "record"));
}

static const char *replay_hash(void *arg, int64_t n)
{
    struct replay *r = arg;
    if (n == 0) return r->hash0[0] ? r->hash0 : NULL;
    return fr_json_text(fr_json_get(r->records[n - 1], "hash"));
}

static void replay_next(struct replay *r);

static void replay_on_done(void *arg, enum fr_status status, const struct feed_result *f, const struct fr_err *err)
{
    struct replay *r = arg;
    r->running--;
    r->result.runs++;
    if (status != FR_OK && r->status == FR_OK) { r->status = status; r->err = *err; }
    fr_hex(f->hash.bytes, SHA256_BYTES, r->result.got);
    if (status == FR_OK && f->first_different < 0 && strcmp(r->result.got, r->result.want) == 0 && !r->snapshot_differs) r->result.equal++;
    else if (r->result.first_different < 0) r->result.first_different = f->first_different;
    replay_next(r);
}

static void replay_on_turn(void *arg, int64_t n, const char *record, struct turn *t)
{
    struct replay *r = arg;
    (void)record;
    if (r->o.turn) r->o.turn(r->o.turn_arg, n, t);
}

static void replay_on_snapshot(void *arg, const struct feed_snapshot *s)
{
    struct replay *r = arg;
    for (int i = 0; i < r->snapshot_count; i++) {
        const struct feed_snapshot *want = &r->snapshots[i];
        if (want->n != s->n) continue;
        r->result.snapshots++;
        bool same = strcmp(want->head, s->head) == 0 && strcmp(want->state_sha, s->state_sha) == 0 && want->state_len == s->state_len && memcmp(want->state, s->state, s->state_len) == 0;
        if (!same && r->result.first_different < 0) r->result.first_different = s->n;
        if (!same) r->snapshot_differs = true;
        return;
    }
}

static void replay_next(struct replay *r)
{
    while (r->status == FR_OK && r->started < r->total && r->running < 1 + r->o.beside) {
        struct feed *feed;
        struct feed_hooks hooks = { .arg = r, .turn = replay_on_turn, .snapshot = replay_on_snapshot, .done = replay_on_done };
        struct feed_log log = r->log;
        int start = r->first + r->started % (r->last - r->first + 1);      // different starts beside one another
        if (start > 0) log.from = &r->snapshots[start - 1];
        r->started++;
        enum fr_status st = feed_start(r->worker, (uint32_t)(1 + r->started % (MATCHES_PER_WORKER_MAX - 1)), &log, &hooks, &feed, &r->err);
        if (st != FR_OK) { r->status = st; break; }
        r->running++;
    }
    replay_finish(r);
}

static void replay_on_up(void *arg, struct sandbox_worker *w, const char *definition)
{
    struct replay *r = arg;
    (void)definition;
    r->worker = w;
    if (r->started == 0) replay_next(r);
}

static void replay_on_down(void *arg, struct sandbox_worker *w, const struct sandbox_death *death)
{
    struct replay *r = arg;
    (void)w;
    if (r->status == FR_OK) r->status = FR_FAIL_CODE(&r->err, FR_E_INTERNAL, death->code, "the worker ended during the replay: %s", death->text);
    replay_finish(r);
}

static void replay_on_load_failed(void *arg, struct sandbox_worker *w, const char *error_json)
{
    struct replay *r = arg;
    (void)w;
    r->status = FR_FAIL_CODE(&r->err, FR_E_CORRUPT, "plugin_failed", "the recorded plugin does not load: %.200s", error_json);
    replay_finish(r);
}

static void replay_on_ask(void *arg, struct sandbox_worker *w, const struct sandbox_ask *ask)
{
    (void)arg; (void)w; (void)ask;             // logs of a replay are nobody's; answers stand in the log
}

static enum fr_status replay_read_snapshot(const struct fr_json *at, int64_t records, struct feed_snapshot *ret, struct fr_err *err)
{
    const char *hash, *state_sha, *head, *state;
    FR_TRY(fr_json_need_int(at, "n", 1, records, &ret->n, err));
    FR_TRY(fr_json_need_text(at, "hash", 64, 64, &hash, err));
    FR_TRY(fr_json_need_text(at, "state_sha", 64, 64, &state_sha, err));
    FR_TRY(fr_json_need_text(at, "head", 2, 200, &head, err));
    FR_TRY(fr_json_need_text(at, "state", 2, 2 * MATCH_STATE_BYTES_MAX, &state, err));
    snprintf(ret->hash, sizeof ret->hash, "%s", hash);
    snprintf(ret->state_sha, sizeof ret->state_sha, "%s", state_sha);
    ret->state_len = strlen(state) / 2;
    ret->head = fr_strndup(head, strlen(head));
    ret->state = fr_alloc(ret->state_len);
    if (!ret->head || !ret->state) return FR_FAIL(err, FR_E_NOMEM, "no memory for a snapshot");
    return fr_unhex(state, strlen(state), (uint8_t *)ret->state, ret->state_len) ? FR_OK : FR_FAIL(err, FR_E_CORRUPT, "the snapshot after record %lld is not hex", (long long)ret->n);
}

static enum fr_status replay_read_snapshots(struct replay *r, struct fr_err *err)
{
    const struct fr_json *list = fr_json_get(r->json, "snapshots");
    if (!list) return FR_OK;                             // a rehearsal keeps none
    FR_TRY(fr_json_need_array(r->json, "snapshots", 0, MATCH_LOG_RECORDS_MAX / MATCH_SNAPSHOT_RECORDS, &list, err));
    r->snapshots = fr_alloc((size_t)(fr_json_size(list) + 1) * sizeof *r->snapshots);
    if (!r->snapshots) return FR_FAIL(err, FR_E_NOMEM, "no memory for the snapshots");
    for (const struct fr_json *at = fr_json_child(list); at; at = fr_json_next(at))
        FR_TRY(replay_read_snapshot(at, r->log.records, &r->snapshots[r->snapshot_count++], err));
    return FR_OK;
}

// Which starts are played.
static enum fr_status replay_choose(struct replay *r, struct fr_err *err)
{
    r->first = r->last = 0;
    if (r->o.from == REPLAY_FROM_ALL) r->last = r->snapshot_count;
    for (int i = 0; i < r->snapshot_count && r->o.from > 0; i++)
        if (r->snapshots[i].n == r->o.from) r->first = r->last = i + 1;
    if (r->o.from > 0 && r->first == 0)
        return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "snapshot_unknown", "match %s has no snapshot after record %lld; it has %d, every %d records up to %d and every %d after", r->match, (long long)r->o.from, r->snapshot_count,
                            MATCH_SNAPSHOT_RECORDS, MATCH_SNAPSHOT_RECORDS_LONG, MATCH_SNAPSHOT_RECORDS_LONG);
    r->result.starts = r->last - r->first + 1;
    r->total = r->o.times * r->result.starts;
    return FR_OK;
}

static enum fr_status replay_read(struct replay *r, const char *text, size_t len, struct fr_err *err)
{
    const char *engine;
    const struct fr_json *list, *fairness_json, *package;
    int64_t seats, tick_hz;
    FR_TRY(fr_json_parse_long(text, len, MATCH_EXPORT_BYTES_MAX, &r->json, err));
    FR_TRY(fr_json_need_text(r->json, "engine", 1, 40, &engine, err));
    if (strcmp(engine, ENGINE_ID) != 0) return FR_FAIL_CODE(err, FR_E_INVALID, "engine_differs", "the match was played by engine %s, this is %s", engine, ENGINE_ID);
    FR_TRY(fr_json_need_text(r->json, "match", 36, 36, &r->match, err));
    FR_TRY(fr_json_need_int(r->json, "seats", 1, SEATS_MAX, &seats, err));
    FR_TRY(fr_json_need_int(r->json, "tick_hz", 0, MATCH_TICK_HZ_MAX, &tick_hz, err));
    FR_TRY(fr_json_need_text(r->json, "setup", 2, FRAME_BYTES_MAX, &r->log.setup, err));
    FR_TRY(fr_json_opt_text(r->json, "hash0", 64, "", &r->hash0, err));
    FR_TRY(fr_json_need_array(r->json, "records", 0, MATCH_LOG_RECORDS_MAX, &list, err));
    FR_TRY(fr_json_need_object(r->json, "fairness", &fairness_json, err));
    FR_TRY(fr_json_need_object(r->json, "package", &package, err));
    FR_AUTO_MEM struct fairness *fairness = fr_must_alloc(sizeof *fairness);
    FR_TRY(fairness_read(fairness_json, (int)seats, fairness, err));
    fairness_key(fairness, r->match, r->log.key);
    r->log.seats = (int)seats;
    r->log.tick_hz = (int)tick_hz;
    r->log.records = fr_json_size(list);
    r->records = fr_alloc((size_t)(r->log.records + 1) * sizeof *r->records);
    if (!r->records) return FR_FAIL(err, FR_E_NOMEM, "no memory for the records");
    int64_t n = 0;
    for (const struct fr_json *at = fr_json_child(list); at; at = fr_json_next(at)) {
        r->records[n++] = at;
        if (!fr_json_text(fr_json_get(at, "record")) || !fr_json_text(fr_json_get(at, "hash"))) return FR_FAIL(err, FR_E_CORRUPT, "record %lld has no text or hash", (long long)n);
    }
    snprintf(r->result.want, sizeof r->result.want, "%s", n > 0 ? fr_json_text(fr_json_get(r->records[n - 1], "hash")) : r->hash0);
    if (!r->result.want[0]) return FR_FAIL_CODE(err, FR_E_CONFLICT, "never_opened", "match %s ended before it began: there is nothing to replay", r->match);
    r->log.spectated = setup_is_spectated(r->log.setup);
    FR_TRY(replay_read_snapshots(r, err));
    FR_TRY(replay_choose(r, err));
    FR_AUTO_BUF(code);
    fr_buf_init(&code, FRAME_BYTES_MAX);
    fr_json_print(package, &code);
    FR_TRY(fr_buf_check(&code, "the package", err));
    return package_import(code.data, code.len, &r->package, err);
}

void replay_run(struct sandbox *sb, const char *export_json, size_t len, const struct replay_options *options,
                void (*done)(void *arg, enum fr_status status, const struct replay_result *r, const struct fr_err *err), void *arg)
{
    struct replay *r = fr_must_alloc(sizeof *r);
    *r = (struct replay){ .o = *options, .done = done, .arg = arg, .result.first_different = -1 };
    if (r->o.beside > BESIDE_MAX) r->o.beside = BESIDE_MAX;
    r->log.arg = r;
    r->log.record = replay_record;
    r->log.hash = replay_hash;
    r->status = replay_read(r, export_json, len, &r->err);
    FR_AUTO_BUF(spec_options);
    fr_buf_init(&spec_options, 4096);
    if (r->status == FR_OK) {
        r->result.records = r->log.records;
        package_options(r->package, &spec_options);
        struct sandbox_spec spec = { .name = r->package->manifest->id, .version = r->package->manifest->version, .options_json = spec_options.data,
                                     .files = r->package->files, .file_count = r->package->file_count, .heap_bytes = r->package->manifest->heap_bytes,
                                     .arg = r, .on_up = replay_on_up, .on_down = replay_on_down, .on_load_failed = replay_on_load_failed, .on_ask = replay_on_ask };
        r->status = sandbox_worker_start(sb, &spec, &r->worker, &r->err);
    }
    if (r->status == FR_OK) return;
    done(arg, r->status, &r->result, &r->err);
    replay_free(r);
}
