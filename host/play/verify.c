// verify.c — functions stand in the order of the steps. What needs no game is checked first, then the replay runs, then the payout.
#include "play/verify.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "ipc/stream.h"
#include "play/fairness.h"
#include "play/replay.h"
#include "play/settle.h"
#include "play/turn.h"
#include "plugin/package.h"

struct verify {
    struct fr_json *json;
    struct package *package;
    const struct manifest_mode *mode;
    struct fairness fairness;
    const char *match;
    int seats;
    int64_t stake_units, records;
    struct fr_json *ended;                     // the game's finish or void effect, from the replay
    struct verify_report report;
    void (*done)(void *, enum fr_status, const struct verify_report *, const struct fr_err *); void *arg;
};

static void verify_free(struct verify *v)
{
    fr_json_free(v->json);
    fr_json_free(v->ended);
    package_free(v->package);
    fr_free(v);
}

static void step_add(struct verify *v, const char *what, enum fr_status st, const struct fr_err *err, const char *text)
{
    struct verify_step *s = &v->report.step[v->report.count++];
    snprintf(s->what, sizeof s->what, "%s", what);
    s->ok = st == FR_OK;
    snprintf(s->text, sizeof s->text, "%s", st == FR_OK ? text : err->text);
}

#define WRONG(err, ...) FR_FAIL_CODE((err), FR_E_CONFLICT, "verify_failed", __VA_ARGS__)
// Runs one step; a failed one ends the report.
typedef enum fr_status verify_fn(struct verify *v, char *text, size_t len, struct fr_err *err);

static const char *text_at(const struct fr_json *o, const char *key)
{
    const char *text = fr_json_text(fr_json_get(o, key));
    return text ? text : "";
}

static bool read_sha(const char *hex, uint8_t out[SHA256_BYTES])
{
    return strlen(hex) == 2 * SHA256_BYTES && fr_unhex(hex, 2 * SHA256_BYTES, out, SHA256_BYTES);
}

// ---- 1. what it is

static enum fr_status verify_head(struct verify *v, char *text, size_t len, struct fr_err *err)
{
    int64_t seats;
    const struct fr_json *list;
    const char *engine;
    FR_TRY(fr_json_need_text(v->json, "match", 36, 36, &v->match, err));
    FR_TRY(fr_json_need_text(v->json, "engine", 1, 40, &engine, err));
    FR_TRY(fr_json_need_int(v->json, "seats", 1, SEATS_MAX, &seats, err));
    FR_TRY(fr_json_need_units(v->json, "stake", 0, UNITS_MAX, &v->stake_units, err));
    FR_TRY(fr_json_need_array(v->json, "records", 0, MATCH_LOG_RECORDS_MAX, &list, err));
    v->seats = (int)seats;
    v->records = fr_json_size(list);
    snprintf(text, len, "match %s of %s, %d seats, %lld records, recorded by engine %s", v->match, text_at(v->json, "game"), v->seats, (long long)v->records, engine);
    return FR_OK;
}

// ---- 2. the code

static enum fr_status verify_package(struct verify *v, char *text, size_t len, struct fr_err *err)
{
    const struct fr_json *package, *rake;
    int64_t tick_hz;
    FR_TRY(fr_json_need_object(v->json, "package", &package, err));
    FR_AUTO_BUF(code);
    fr_buf_init(&code, FRAME_BYTES_MAX);
    fr_json_print(package, &code);
    FR_TRY(fr_buf_check(&code, "the package", err));
    FR_TRY(package_import(code.data, code.len, &v->package, err));
    const struct manifest *m = v->package->manifest;
    if (strcmp(v->package->sha256, text_at(v->json, "package_sha")) != 0)
        return WRONG(err, "the code's SHA-256 is %s, the match was begun with %.64s", v->package->sha256, text_at(v->json, "package_sha"));
    if (strcmp(m->id, text_at(v->json, "game")) != 0 || strcmp(m->version, text_at(v->json, "version")) != 0)
        return WRONG(err, "the code is %s %s, the match says %.32s %.32s", m->id, m->version, text_at(v->json, "game"), text_at(v->json, "version"));
    v->mode = manifest_mode(m, text_at(v->json, "mode"));
    if (!v->mode) return WRONG(err, "%s has no mode \"%.32s\"", m->id, text_at(v->json, "mode"));
    FR_TRY(fr_json_need_int(v->json, "tick_hz", 0, MATCH_TICK_HZ_MAX, &tick_hz, err));
    FR_TRY(fr_json_need_array(v->json, "rake", SPLIT_PART_COUNT, SPLIT_PART_COUNT, &rake, err));
    int i = 0;
    for (const struct fr_json *at = fr_json_child(rake); at; at = fr_json_next(at), i++)
        if (fr_json_number(at) != v->mode->rake_bps[i]) return WRONG(err, "the rake of the match is not that of its code's mode %s", v->mode->id);
    if (v->mode->seats != v->seats || v->mode->tick_hz != tick_hz || strcmp(v->mode->asset, text_at(v->json, "asset")) != 0)
        return WRONG(err, "seats, ticks or asset are not those of mode %s", v->mode->id);
    snprintf(text, len, "the game's code is %s %s, SHA-256 %s", m->id, m->version, v->package->sha256);
    return FR_OK;
}

// ---- 3. and 4. who promised what, and what came of it

static enum fr_status verify_seeds(struct verify *v, char *text, size_t len, struct fr_err *err)
{
    const struct fr_json *fairness;
    int seeded = 0, seat = 0;
    FR_TRY(fr_json_need_object(v->json, "fairness", &fairness, err));
    FR_TRY(fairness_read(fairness, v->seats, &v->fairness, err));
    for (const struct fr_json *at = fr_json_child(fr_json_get(fairness, "seeds")); at; at = fr_json_next(at), seat++) {
        if (fr_json_number(fr_json_get(at, "seat")) != seat + 1) return WRONG(err, "fairness.seeds: seat %d is missing", seat + 1);
        seeded += v->fairness.seat[seat].seed[0] != '\0';
    }
    if (!fairness_complete(&v->fairness) && v->records > 0) return WRONG(err, "a seed that was committed to was never revealed, and the match was played");
    snprintf(text, len, "the host's seed is the one it committed to, and so are the seeds of %d players", seeded);
    return FR_OK;
}

static enum fr_status verify_stream(struct verify *v, char *text, size_t len, struct fr_err *err)
{
    uint8_t key[SHA256_BYTES], digest[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    struct stream s;
    (void)err;
    fairness_key(&v->fairness, v->match, key);
    fr_sha256(key, sizeof key, digest);
    stream_open(&s, key);
    unsigned long long first = stream_draw(&s), second = stream_draw(&s);
    snprintf(text, len, "the stream's key follows from these seeds (its SHA-256 begins %.16s); its first draws are %llu, %llu", fr_hex(digest, sizeof digest, hex), first, second);
    return FR_OK;
}

// ---- 5. what the game was told at the start

static enum fr_status verify_setup(struct verify *v, char *text, size_t len, struct fr_err *err)
{
    FR_AUTO(fr_json) setup = NULL;
    const char *raw;
    const struct fr_json *players, *told;
    int64_t stake, turn_ms;
    FR_TRY(fr_json_need_text(v->json, "setup", 2, FRAME_BYTES_MAX, &raw, err));
    FR_TRY(fr_json_parse(raw, strlen(raw), &setup, err));
    FR_TRY(fr_json_need_array(v->json, "players", v->seats, v->seats, &players, err));
    FR_TRY(fr_json_need_array(setup, "players", v->seats, v->seats, &told, err));
    FR_TRY(fr_json_need_units(setup, "stake", 0, UNITS_MAX, &stake, err));
    FR_TRY(fr_json_need_int(setup, "turn_ms", 0, INT32_MAX, &turn_ms, err));
    if (strcmp(text_at(setup, "id"), v->match) != 0) return WRONG(err, "the setup is of match %.36s", text_at(setup, "id"));
    if (stake != v->stake_units) return WRONG(err, "the game was told a stake of %lld, the match says %lld", (long long)stake, (long long)v->stake_units);
    if (strcmp(text_at(setup, "mode"), v->mode->id) != 0 || strcmp(text_at(setup, "asset"), v->mode->asset) != 0 || turn_ms != v->mode->turn_ms)
        return WRONG(err, "the game was told another mode, asset or turn time than the match has");
    if (strcmp(text_at(setup, "package"), v->package->sha256) != 0) return WRONG(err, "the setup names other code than the match was played with");
    int seat = 0;
    for (const struct fr_json *p = fr_json_child(players), *t = fr_json_child(told); p && t; p = fr_json_next(p), t = fr_json_next(t)) {
        seat++;
        if (fr_json_number(fr_json_get(p, "seat")) != seat || strcmp(text_at(p, "id"), text_at(t, "id")) != 0 || strcmp(text_at(p, "name"), text_at(t, "name")) != 0 || fr_json_is_true(fr_json_get(p, "bot")) != fr_json_is_true(fr_json_get(t, "bot")))
            return WRONG(err, "seat %d: the match says player %.24s, the game was told %.24s", seat, text_at(p, "id"), text_at(t, "id"));
    }
    snprintf(text, len, "the game was told these players, stake %lld %s and this code", (long long)stake, v->mode->asset);
    return FR_OK;
}

// ---- 6. the chain

static enum fr_status verify_chain(struct verify *v, char *text, size_t len, struct fr_err *err)
{
    struct turn_hash hash;
    uint8_t sha[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    int64_t n = 0, now_ms = 0;
    if (!read_sha(text_at(v->json, "payload0"), sha)) return WRONG(err, "the opening's hash is missing");
    turn_hash_open_sha(text_at(v->json, "setup"), sha, &hash);
    if (strcmp(fr_hex(hash.bytes, SHA256_BYTES, hex), text_at(v->json, "hash0")) != 0) return WRONG(err, "the chain's beginning does not follow from the setup and the opening turn");
    for (const struct fr_json *at = fr_json_child(fr_json_get(v->json, "records")); at; at = fr_json_next(at)) {
        FR_AUTO(fr_json) record = NULL;
        int64_t number, outcome, at_ms;
        n++;
        const char *raw = text_at(at, "record");
        FR_TRY(fr_json_parse(raw, strlen(raw), &record, err));
        FR_TRY(fr_json_need_int(record, "n", 1, MATCH_LOG_RECORDS_MAX, &number, err));
        FR_TRY(fr_json_need_int(record, "now_ms", 0, INT64_C(1) << 53, &at_ms, err));
        FR_TRY(fr_json_need_int(at, "outcome", 0, 255, &outcome, err));
        if (number != n) return WRONG(err, "record %lld calls itself %lld", (long long)n, (long long)number);
        if (at_ms < now_ms) return WRONG(err, "record %lld is older than the one before it", (long long)n);
        now_ms = at_ms;
        if (!read_sha(text_at(at, "payload"), sha)) return WRONG(err, "record %lld: the hash of what its turn gave is missing", (long long)n);
        turn_hash_next_sha(&hash, raw, (uint8_t)outcome, sha);
        if (strcmp(fr_hex(hash.bytes, SHA256_BYTES, hex), text_at(at, "hash")) != 0) return WRONG(err, "the chain breaks at record %lld: the record, its outcome or its hash was changed", (long long)n);
    }
    if (strcmp(hex, text_at(v->json, "hash")) != 0) return WRONG(err, "the chain ends in %s, the match says %.64s", hex, text_at(v->json, "hash"));
    snprintf(text, len, "each of %lld records is chained to the one before; the last hash is %s", (long long)n, hex);
    return FR_OK;
}

// ---- 7. the game played again

static void verify_on_turn(void *arg, int64_t n, const struct turn *t)
{
    struct verify *v = arg;
    struct fr_err err;
    (void)n;
    for (const struct fr_json *e = t && t->ends ? fr_json_child(t->effects) : NULL; e; e = fr_json_next(e)) {
        const char *kind = fr_json_text(fr_json_get(e, "e"));
        if (strcmp(kind, "finish") != 0 && strcmp(kind, "void") != 0) continue;
        FR_AUTO_BUF(text);
        fr_buf_init(&text, FRAME_BYTES_MAX);
        fr_json_print(e, &text);
        fr_json_free(FR_TAKE(v->ended));
        if (!text.failed) FR_IGNORE(fr_json_parse(text.data, text.len, &v->ended, &err));      // then the payout cannot be checked, which is said
    }
}

// ---- 8. the payout

static void verify_host_end(const struct verify *v, const struct fr_json *record, struct match_result *r)
{
    int seat = (int)fr_json_number(fr_json_get(record, "seat"));
    if (seat >= 1 && seat <= v->seats) settle_forfeit(r, v->seats, seat, text_at(record, "why"));
    else settle_void(r, text_at(record, "why"));
}

static enum fr_status verify_payout(struct verify *v, char *text, size_t len, struct fr_err *err)
{
    const struct fr_json *said = fr_json_get(v->json, "result"), *last = NULL;
    FR_AUTO(fr_json) record = NULL;
    for (const struct fr_json *at = fr_json_child(fr_json_get(v->json, "records")); at; at = fr_json_next(at)) last = at;
    if (last) FR_TRY(fr_json_parse(text_at(last, "record"), strlen(text_at(last, "record")), &record, err));
    bool by_host = record && strcmp(text_at(record, "kind"), "end") == 0;
    bool said_none = !said || fr_json_kind(said) == JSON_NULL;
    if (!by_host && !v->ended) {
        if (!said_none) return WRONG(err, "the match says it has ended, its log does not");
        snprintf(text, len, "the match has not ended, so nobody was paid");
        return FR_OK;
    }
    if (said_none) return WRONG(err, "the log ends the match, which says it has no result");
    FR_AUTO_MEM struct match_result *r = fr_must_alloc(sizeof *r);
    const struct fr_json *shares = v->ended && !fr_json_get(v->ended, "places") ? fr_json_get(v->ended, "shares_bps") : NULL;
    enum fr_status st = FR_OK;
    if (by_host) verify_host_end(v, record, r);
    else st = settle_read(v->ended, v->seats, r, err);
    if (st == FR_OK) st = settle_amounts(r, v->seats, v->stake_units, v->mode->rake_bps, by_host ? NULL : shares, err);
    if (st != FR_OK) {                                   // as the host does: the game's mistake costs nobody a coin
        settle_void(r, "finish_malformed");
        FR_TRY(settle_amounts(r, v->seats, v->stake_units, v->mode->rake_bps, NULL, err));
    }
    FR_AUTO_BUF(mine); FR_AUTO_BUF(theirs);
    FR_AUTO(fr_json) parsed = NULL;
    fr_buf_init(&mine, 64 * 1024);
    fr_buf_init(&theirs, 64 * 1024);
    settle_print(r, v->seats, &mine);
    FR_TRY(fr_buf_check(&mine, "a result", err));
    FR_TRY(fr_json_parse(mine.data, mine.len, &parsed, err));
    fr_buf_clear(&mine);
    fr_json_print(parsed, &mine);
    fr_json_print(said, &theirs);
    FR_TRY(fr_buf_check(&theirs, "a result", err));
    if (mine.len != theirs.len || memcmp(mine.data, theirs.data, mine.len) != 0) return WRONG(err, "the log says the result is %.200s, the match says %.200s", mine.data, theirs.data);
    snprintf(text, len, r->undone ? "the stakes went back to all %d seats (%s)" : "the pot was divided among %d seats as the log says (%s)", v->seats, r->reason);
    return FR_OK;
}

// ---- in order

static bool verify_step(struct verify *v, const char *what, verify_fn *fn)
{
    struct fr_err err;
    char text[FR_ERR_TEXT_BYTES] = "";
    enum fr_status st = fn(v, text, sizeof text, &err);
    step_add(v, what, st, &err, text);
    return st == FR_OK;
}

static void verify_done(struct verify *v, bool ok)
{
    struct fr_err none = { 0 };
    v->report.ok = ok;
    snprintf(v->report.hash, sizeof v->report.hash, "%s", text_at(v->json, "hash"));
    v->done(v->arg, FR_OK, &v->report, &none);
    verify_free(v);
}

static void verify_on_replayed(void *arg, enum fr_status status, const struct replay_result *r, const struct fr_err *err)
{
    struct verify *v = arg;
    struct fr_err wrong = *err;
    char text[FR_ERR_TEXT_BYTES];
    snprintf(text, sizeof text, "played again from the start and from %d snapshots: every hash is the recorded one", r->starts - 1);
    if (status == FR_OK && r->equal != r->runs)
        status = WRONG(&wrong, r->first_different >= 0 ? "played again the game does something else at record %lld" : "played again the game comes to another end (%lld records)",
                       (long long)(r->first_different >= 0 ? r->first_different : r->records));
    step_add(v, "replay", status, &wrong, text);
    verify_done(v, status == FR_OK && verify_step(v, "payout", verify_payout));
}

void verify_run(struct sandbox *sb, const char *export_json, size_t len, const char *want_hash,
                void (*done)(void *arg, enum fr_status status, const struct verify_report *r, const struct fr_err *err), void *arg)
{
    static const struct { const char *what; verify_fn *fn; } steps[] = {
        { "match", verify_head }, { "code", verify_package }, { "seeds", verify_seeds }, { "stream", verify_stream }, { "setup", verify_setup }, { "chain", verify_chain },
    };
    struct verify *v = fr_must_alloc(sizeof *v);
    struct fr_err err;
    *v = (struct verify){ .done = done, .arg = arg };
    enum fr_status st = fr_json_parse_long(export_json, len, MATCH_EXPORT_BYTES_MAX, &v->json, &err);
    if (st != FR_OK) {
        done(arg, st, &v->report, &err);
        verify_free(v);
        return;
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (!verify_step(v, steps[i].what, steps[i].fn)) { verify_done(v, false); return; }
    if (want_hash) {
        bool same = strcmp(want_hash, text_at(v->json, "hash")) == 0;
        if (!same) FR_IGNORE(WRONG(&err, "you were told %.64s, this match ends in %.64s: another match, or its log was rewritten", want_hash, text_at(v->json, "hash")));     // handed on
        step_add(v, "hash", same ? FR_OK : err.status, &err, "the last hash is the one you were told");
        if (!same) { verify_done(v, false); return; }
    }
    replay_run(sb, export_json, len, &(struct replay_options){ .times = 1, .from = REPLAY_FROM_ALL, .turn = verify_on_turn, .turn_arg = v }, verify_on_replayed, v);
}
