// rehearse.c — matches without players, sockets or waiting: time is a number here, so a turn clock of 20 s costs nothing.
//
// Each match is opened, played and recorded as a host would do it, hashes included, and then replayed alone and beside copies of
// itself. What a game does must depend on its log only; a counter in a module's variable shows here, not among players.
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "cli/check.h"
#include "play/matchlog.h"
#include "play/replay.h"
#include "play/turn.h"
#include "base/schema.h"

#define STEPS_MAX 400                      // a match that goes on longer is given up, as players would
#define TURN_WAIT_MS 20000
#define REPLAY_WAIT_MS 120000
#define REPLAY_TIMES 3
#define REPLAY_BESIDE 2
#define START_MS 1767225600000LL           // 2026-01-01: the same in each rehearsal, so that a finding is found again
#define EXPORT_BYTES_MAX (900 * 1024)      // a rehearsal need not be longer

// How the seats behave in one match.
enum habit { HABIT_BOT, HABIT_BOT_AND_RANDOM, HABIT_RANDOM, HABIT_AWAY };
struct mtimer { char name[65]; char *data; int64_t due_ms; };

struct stage {
    struct check *check;
    const struct manifest_mode *mode;
    struct match_row *row;                 // large: its fairness holds 64 seats
    uint32_t slot;
    uint8_t key[SHA256_BYTES];
    struct fr_buf setup, records, export;
    int64_t count, now_ms, tick_no;
    char hash0[SHA256_HEX_BYTES];
    struct turn_hash hash;
    struct mtimer timers[MATCH_TIMERS_MAX]; int timer_count;
    struct { char tag[65]; } asks[16]; int ask_count;
    struct chance chance;
    bool has_bot, ended, broken;           // broken: a problem was found, nothing more is to be learned
    int refused, moves;
    // the turn under way
    const char *record;
    struct turn *turn;
    struct fr_json *bot;
    bool answered;
    struct fr_err err; enum fr_status status;
};

static const struct fr_json *game_of(const struct check *k) { return fr_json_get(k->definition, "game"); }
static bool handles(const struct stage *s, const char *name) { return fr_json_is_true(fr_json_get(game_of(s->check), name)); }

static void broken(struct stage *s, const char *frame, const char *fmt, ...) FR_PRINTF(3, 4);
static void broken(struct stage *s, const char *frame, const char *fmt, ...)
{
    char text[2000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (!s->broken) check_problem(s->check, frame, "mode %s: %s", s->mode->id, text);
    s->broken = true;
}

// ---- effects

static void timer_drop(struct stage *s, int at)
{
    fr_free(s->timers[at].data);
    s->timers[at] = s->timers[--s->timer_count];
}

static void timer_cancel(struct stage *s, const char *name)
{
    for (int i = 0; i < s->timer_count; i++)
        if (strcmp(s->timers[i].name, name) == 0) { timer_drop(s, i); return; }
}

static void timer_set(struct stage *s, const char *name, const struct fr_json *e)
{
    timer_cancel(s, name);
    if (s->timer_count == MATCH_TIMERS_MAX) return;
    struct mtimer *t = &s->timers[s->timer_count];
    FR_AUTO_BUF(data);
    fr_buf_init(&data, KV_VALUE_BYTES_MAX);
    if (fr_json_get(e, "data")) fr_json_print(fr_json_get(e, "data"), &data);
    else fr_buf_add(&data, "null");
    t->data = data.failed ? NULL : fr_strndup(data.data, data.len);
    if (!t->data) return;
    snprintf(t->name, sizeof t->name, "%s", name);
    t->due_ms = s->now_ms + (int64_t)fr_json_number(fr_json_get(e, "ms"));
    s->timer_count++;
}

static void take_end(struct stage *s, const struct fr_json *e)
{
    struct match_result *r = fr_must_alloc(sizeof *r);
    struct fr_err wrong;
    const struct fr_json *shares = fr_json_get(e, "places") ? NULL : fr_json_get(e, "shares_bps");
    s->ended = true;
    if (settle_read(e, s->mode->seats, r, &wrong) != FR_OK || settle_amounts(r, s->mode->seats, 1000, s->mode->rake_bps, shares, &wrong) != FR_OK)
        broken(s, NULL, "the match ends with a result that cannot be paid: %s", wrong.text);
    fr_free(r);
}

static void take_effects(struct stage *s, const struct fr_json *effects)
{
    for (const struct fr_json *e = fr_json_child(effects); e; e = fr_json_next(e)) {
        const char *kind = fr_json_text(fr_json_get(e, "e")), *name = fr_json_text(fr_json_get(e, "name")), *tag = fr_json_text(fr_json_get(e, "tag"));
        if (!kind) continue;
        if (strcmp(kind, "timer") == 0 && name) timer_set(s, name, e);
        else if (strcmp(kind, "cancel") == 0 && name) timer_cancel(s, name);
        else if (strcmp(kind, "ask") == 0 && tag && s->ask_count < 16) snprintf(s->asks[s->ask_count++].tag, sizeof s->asks[0].tag, "%s", tag);
        else if (strcmp(kind, "finish") == 0 || strcmp(kind, "void") == 0) take_end(s, e);
    }
}

// ---- one turn

static void on_turn(void *arg, const struct sandbox_result *r)
{
    struct stage *s = arg;
    s->answered = true;
    s->status = r->status;
    s->err = r->err;
    if (r->status != FR_OK) return;
    if (r->outcome == FRAME_TRIPPED_CPU || r->outcome == FRAME_TRIPPED_MEMORY) {
        s->status = FR_FAIL_CODE(&s->err, FR_E_LIMIT, r->outcome == FRAME_TRIPPED_CPU ? "cpu_limit" : "memory_limit", "%s",
                                 r->outcome == FRAME_TRIPPED_CPU ? "the turn used more than its CPU time and was stopped" : "the turn used more memory than the match may have");
        return;
    }
    s->status = turn_read(r->frame, s->mode->seats, s->mode->spectated, &s->turn, &s->err);
    if (s->status != FR_OK) return;
    uint8_t sha[SHA256_BYTES];
    if (s->record) turn_hash_next(&s->hash, s->record, (uint8_t)s->turn->outcome, r->frame->payload, r->frame->len, sha);
    else turn_hash_open(s->setup.data, r->frame->payload, r->frame->len, &s->hash, sha);
}

static void on_bot(void *arg, const struct sandbox_result *r)
{
    struct stage *s = arg;
    struct frame_cursor c;
    const char *bytes;
    size_t len;
    s->answered = true;
    s->status = r->status;
    s->err = r->err;
    if (r->status != FR_OK) return;
    frame_sections(r->frame, &c);
    if (!frame_take(&c, &bytes, &len) || fr_json_parse(bytes, len, &s->bot, &s->err) != FR_OK)
        s->status = FR_FAIL_CODE(&s->err, FR_E_LIMIT, "bot_failed", "the bot's turn was stopped");
    else if (r->outcome != FRAME_OK)
        s->status = FR_E_INVALID;                      // s->bot says why
}

static enum fr_status invoke(struct stage *s, enum frame_kind kind, const struct sandbox_section *sections, int count, sandbox_done_fn *done, struct fr_err *err)
{
    uint32_t id;
    s->answered = false;
    turn_free(s->turn);
    s->turn = NULL;
    if (s->check->down) { broken(s, NULL, "its worker ended"); return FR_OK; }
    FR_TRY(sandbox_invoke(s->check->worker, kind, s->slot, sections, count, 0, done, s, &id, err));
    return box_wait(&s->check->box, &s->answered, TURN_WAIT_MS, err);
}

static void add_record(struct stage *s, const char *record)
{
    char hex[SHA256_HEX_BYTES];
    fr_hex(s->hash.bytes, SHA256_BYTES, hex);
    if (s->count++ > 0) fr_buf_add_char(&s->records, ',');
    fr_buf_add(&s->records, "{\"record\":");
    fr_buf_add_json_text(&s->records, record);
    fr_buf_addf(&s->records, ",\"hash\":\"%s\"}", hex);
}

// body: `"kind":"input","seat":1,..`
static enum fr_status play(struct stage *s, const char *body, struct fr_err *err)
{
    FR_AUTO_BUF(record);
    fr_buf_init(&record, FRAME_BYTES_MAX / 2);
    fr_buf_addf(&record, "{\"n\":%lld,%s,\"now_ms\":%lld}", (long long)s->count + 1, body, (long long)s->now_ms);
    FR_TRY(fr_buf_check(&record, "a record", err));
    struct sandbox_section section = { record.data, record.len };
    s->record = record.data;
    enum fr_status st = invoke(s, FRAME_MATCH_TURN, &section, 1, on_turn, err);
    s->record = NULL;
    if (st != FR_OK || s->broken) return st;
    if (s->status != FR_OK) { broken(s, NULL, "at {%.300s}: %s (%s)", body, s->err.text, s->err.code); return FR_OK; }
    add_record(s, record.data);
    if (s->turn->outcome == FRAME_RAISED) {
        char where[500];
        snprintf(where, sizeof where, "mode %s: at {%.300s}", s->mode->id, body);
        check_raised(s->check, where, s->turn->answer);
        s->broken = true;
    } else if (s->turn->outcome == FRAME_REFUSED) {
        s->refused++;
    } else {
        take_effects(s, s->turn->effects);
    }
    return FR_OK;
}

static enum fr_status playf(struct stage *s, struct fr_err *err, const char *fmt, ...) FR_PRINTF(3, 4);
static enum fr_status playf(struct stage *s, struct fr_err *err, const char *fmt, ...)
{
    FR_AUTO_BUF(body);
    va_list args;
    fr_buf_init(&body, FRAME_BYTES_MAX / 2);
    va_start(args, fmt);
    fr_buf_vaddf(&body, fmt, args);
    va_end(args);
    FR_TRY(fr_buf_check(&body, "a record", err));
    return play(s, body.data, err);
}

// ---- moves

static enum fr_status move_random(struct stage *s, int seat, bool *moved, struct fr_err *err)
{
    const struct manifest *m = s->check->package->manifest;
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CALL_ARGS_BYTES_MAX);
    *moved = m->input_count > 0;
    if (!*moved) return FR_OK;
    int at = (int)chance_int(&s->chance, 0, m->input_count - 1);
    value_for_schema(&s->chance, m->inputs[at].args, &args);
    if (args.failed) return FR_OK;
    s->moves++;
    return playf(s, err, "\"kind\":\"input\",\"seat\":%d,\"name\":\"%s\",\"args\":%s", seat, m->inputs[at].name, args.data);
}

// What the bot wants is an input like any other: declared, and of the declared shape.
static enum fr_status bot_plays(struct stage *s, int seat, const struct fr_json *bot, struct fr_err *err)
{
    const char *name = fr_json_text(fr_json_get(bot, "name"));
    const struct fr_json *args = fr_json_get(bot, "args");
    bool known = false;
    struct fr_err wrong;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, CALL_ARGS_BYTES_MAX);
    const struct fr_json *schema = name ? manifest_input(s->check->package->manifest, name, &known) : NULL;
    if (!known) { broken(s, NULL, "the bot of seat %d plays \"%.64s\", which plugin.json does not declare under inputs", seat, name ? name : "nothing"); return FR_OK; }
    if (schema_fit(schema, args, "args", &wrong) != FR_OK) { broken(s, NULL, "the bot of seat %d plays %.64s with arguments that plugin.json does not allow: %s", seat, name, wrong.text); return FR_OK; }
    if (args) fr_json_print(args, &text);
    else fr_buf_add(&text, "{}");
    int refused = s->refused;
    s->moves++;
    FR_TRY(playf(s, err, "\"kind\":\"input\",\"seat\":%d,\"name\":\"%s\",\"args\":%s", seat, name, text.data));
    if (s->refused > refused && !s->broken) broken(s, NULL, "the game refuses what its own bot plays: %.64s with %.200s: %s", name, text.data, s->turn->code);
    return FR_OK;
}

static enum fr_status move_bot(struct stage *s, int seat, bool *moved, struct fr_err *err)
{
    char text[96];
    int len = snprintf(text, sizeof text, "{\"seat\":%d,\"now_ms\":%lld}", seat, (long long)s->now_ms);
    struct sandbox_section section = { text, (size_t)len };
    *moved = false;
    FR_TRY(invoke(s, FRAME_MATCH_BOT, &section, 1, on_bot, err));
    FR_AUTO(fr_json) bot = FR_TAKE(s->bot);
    if (s->broken) return FR_OK;
    if (s->status != FR_OK) {
        char where[100];
        snprintf(where, sizeof where, "mode %s: the bot of seat %d", s->mode->id, seat);
        if (bot) check_raised(s->check, where, bot);
        else broken(s, NULL, "the bot of seat %d: %s", seat, s->err.text);
        s->broken = true;
        return FR_OK;
    }
    if (!fr_json_is_true(fr_json_get(bot, "ok"))) return FR_OK;          // it waits
    *moved = true;
    return bot_plays(s, seat, bot, err);
}

// ---- time

static int timer_first(const struct stage *s)
{
    int first = -1;
    for (int i = 0; i < s->timer_count; i++)
        if (first < 0 || s->timers[i].due_ms < s->timers[first].due_ms) first = i;
    return first;
}

static enum fr_status fire_timer(struct stage *s, int at, struct fr_err *err)
{
    struct mtimer t = s->timers[at];
    FR_AUTO_BUF(name);
    fr_buf_init(&name, 512);
    fr_buf_add_json_text(&name, t.name);
    if (t.due_ms > s->now_ms) s->now_ms = t.due_ms;
    s->timers[at] = s->timers[--s->timer_count];
    enum fr_status st = playf(s, err, "\"kind\":\"timer\",\"name\":%s,\"data\":%s", name.data, t.data);
    fr_free(t.data);
    return st;
}

static enum fr_status pass_time(struct stage *s, bool *passed, struct fr_err *err)
{
    int at = timer_first(s);
    int64_t tick_ms = s->mode->tick_hz > 0 ? s->now_ms + 1000 / s->mode->tick_hz : INT64_MAX;
    *passed = true;
    if (s->ask_count > 0) {                            // what it asked for has no answer here: the refusal must be bearable too
        FR_AUTO_BUF(tag);
        fr_buf_init(&tag, 512);
        fr_buf_add_json_text(&tag, s->asks[--s->ask_count].tag);
        return playf(s, err, "\"kind\":\"answer\",\"tag\":%s,\"value\":null,\"code\":\"not_found\"", tag.data);
    }
    if (at >= 0 && s->timers[at].due_ms <= tick_ms) return fire_timer(s, at, err);
    if (tick_ms != INT64_MAX) {
        s->now_ms = tick_ms;
        s->tick_no++;
        return playf(s, err, "\"kind\":\"tick\",\"tick_no\":%lld", (long long)s->tick_no);
    }
    *passed = false;
    return FR_OK;
}

// ---- a match

static enum fr_status open_match(struct stage *s, int number, struct fr_err *err)
{
    const char *none[SEATS_MAX] = { NULL };
    struct match_row *m = s->row;
    uint8_t digest[SHA256_BYTES];
    m->seats = m->fairness.seats = s->mode->seats;
    snprintf(m->id, sizeof m->id, "00000000-0000-7000-8000-%012d", number);
    snprintf(m->mode, sizeof m->mode, "%s", s->mode->id);
    snprintf(m->asset, sizeof m->asset, "%s", s->mode->asset);
    m->open_ms = START_MS;
    m->turn_ms = s->mode->turn_ms;
    m->spectated = s->mode->spectated;
    for (int i = 0; i < m->seats; i++) {
        snprintf(m->seat[i].player, sizeof m->seat[i].player, "%d", i + 1);
        snprintf(m->seat[i].name, sizeof m->seat[i].name, "Player %d", i + 1);
    }
    fr_sha256(m->id, strlen(m->id), m->fairness.host_seed);            // no secret here; the same cards each time
    fr_sha256(m->fairness.host_seed, SEED_BYTES, digest);
    fr_hex(digest, SHA256_BYTES, m->fairness.commit);
    fairness_key(&m->fairness, m->id, s->key);
    matchlog_print_setup(m, none, &s->setup);
    FR_TRY(fr_buf_check(&s->setup, "the match's setup", err));
    struct sandbox_section sections[2] = { { s->setup.data, s->setup.len }, { s->key, SHA256_BYTES } };
    FR_TRY(invoke(s, FRAME_MATCH_OPEN, sections, 2, on_turn, err));
    if (s->broken) return FR_OK;
    if (s->status != FR_OK) { broken(s, NULL, "opening a match: %s (%s)", s->err.text, s->err.code); return FR_OK; }
    if (s->turn->outcome == FRAME_OK) {
        fr_hex(s->hash.bytes, SHA256_BYTES, s->hash0);
        take_effects(s, s->turn->effects);
    } else if (s->turn->outcome == FRAME_RAISED) {
        char where[100];
        snprintf(where, sizeof where, "mode %s: opening a match", s->mode->id);
        check_raised(s->check, where, s->turn->answer);
        s->broken = true;
    } else {
        broken(s, NULL, "new refuses to open a match: %s", s->turn->code);
    }
    return FR_OK;
}

static enum fr_status step(struct stage *s, int number, enum habit habit, int n, bool *moved, struct fr_err *err)
{
    int seats = s->mode->seats, seat = 1 + (n + number) % seats;
    *moved = false;
    s->now_ms += 50;
    if (habit == HABIT_AWAY) return pass_time(s, moved, err);
    if (n == 3 && handles(s, "drop")) FR_TRY(playf(s, err, "\"kind\":\"drop\",\"seat\":%d", seat));
    if (n == 6 && handles(s, "back") && !s->ended && !s->broken) FR_TRY(playf(s, err, "\"kind\":\"back\",\"seat\":%d", seat));
    bool bot = s->has_bot && (habit == HABIT_BOT || (habit == HABIT_BOT_AND_RANDOM && seat != 1));
    if (bot && !s->ended && !s->broken) FR_TRY(move_bot(s, seat, moved, err));
    else if (!s->ended && !s->broken) FR_TRY(move_random(s, seat, moved, err));
    // Bots may all be waiting for the clock; random players may have tried everything in vain.
    bool idle = !*moved || n % (3 * seats) == 3 * seats - 1;
    if (idle && !s->ended && !s->broken && (!bot || n % seats == seats - 1)) return pass_time(s, moved, err);
    *moved = true;
    return FR_OK;
}

static enum fr_status run_match(struct stage *s, int number, enum habit habit, struct fr_err *err)
{
    bool moved = true;
    FR_TRY(open_match(s, number, err));
    if (habit == HABIT_AWAY && handles(s, "drop"))
        for (int i = 1; i <= s->mode->seats && !s->broken && !s->ended; i++) FR_TRY(playf(s, err, "\"kind\":\"drop\",\"seat\":%d", i));
    for (int n = 0; n < STEPS_MAX && moved && !s->ended && !s->broken && s->records.len + s->setup.len < EXPORT_BYTES_MAX / 2; n++) FR_TRY(step(s, number, habit, n, &moved, err));
    if (!s->ended && !s->broken && handles(s, "leave")) FR_TRY(playf(s, err, "\"kind\":\"leave\",\"seat\":1,\"why\":\"surrender\""));
    return FR_OK;
}

// ---- and again

struct again { bool done; enum fr_status status; struct replay_result r; struct fr_err err; };

static void on_replayed(void *arg, enum fr_status status, const struct replay_result *r, const struct fr_err *err)
{
    struct again *a = arg;
    a->status = status;
    a->r = *r;
    if (status != FR_OK) a->err = *err;
    a->done = true;
}

static void print_export(struct stage *s)
{
    struct fr_buf *out = &s->export;
    fr_buf_addf(out, "{\"match\":\"%s\",\"game\":\"%s\",\"engine\":\"" ENGINE_ID "\",\"seats\":%d,\"tick_hz\":%d,\"setup\":", s->row->id, s->check->package->manifest->id, s->mode->seats, s->mode->tick_hz);
    fr_buf_add_json_text(out, s->setup.data);
    fr_buf_add(out, ",\"fairness\":");
    fairness_print(&s->row->fairness, true, out);
    fr_buf_addf(out, ",\"hash0\":\"%s\",\"records\":[%s],\"package\":", s->hash0, s->records.data ? s->records.data : "");
    package_export(s->check->package, out);
    fr_buf_add_char(out, '}');
}

static enum fr_status replay_match(struct stage *s, int *equal, struct fr_err *err)
{
    struct again a = { 0 };
    print_export(s);
    if (s->export.failed) return FR_OK;                // too long to be read as one document: what was played stands
    replay_run(s->check->box.sandbox, s->export.data, s->export.len, &(struct replay_options){ .times = REPLAY_TIMES, .beside = REPLAY_BESIDE }, on_replayed, &a);
    FR_TRY(box_wait(&s->check->box, &a.done, REPLAY_WAIT_MS, err));
    *equal += a.r.equal;
    if (a.status != FR_OK) broken(s, NULL, "the recorded match cannot be replayed: %s (%s)", a.err.text, a.err.code);
    else if (a.r.equal < REPLAY_TIMES)
        broken(s, NULL, "a replay of the same log came out differently, first at record %lld of %lld: something outside the match's state decides there (a variable of the module?)",
               (long long)a.r.first_different, (long long)a.r.records);
    return FR_OK;
}

// ---- a mode

struct tally { int matches, ended, equal, moves, refused; int64_t records; };

static void stage_free(struct stage *s)
{
    while (s->timer_count > 0) timer_drop(s, 0);
    turn_free(s->turn);
    fr_json_free(s->bot);
    fr_buf_free(&s->setup);
    fr_buf_free(&s->records);
    fr_buf_free(&s->export);
    fr_free(s->row);
    fr_free(s);
}

static enum fr_status rehearse_one(struct check *k, const struct manifest_mode *mode, int number, struct tally *t, bool *go_on, struct fr_err *err)
{
    struct stage *s = fr_must_alloc(sizeof *s);
    s->check = k;
    s->mode = mode;
    s->row = fr_must_alloc(sizeof *s->row);
    s->now_ms = START_MS;
    s->chance.state = (uint64_t)number;
    fr_buf_init(&s->setup, FRAME_BYTES_MAX / 2);
    fr_buf_init(&s->records, EXPORT_BYTES_MAX);
    fr_buf_init(&s->export, EXPORT_BYTES_MAX);
    s->has_bot = handles(s, "bot");
    enum habit habit = number % 4 == 0 ? (s->has_bot ? HABIT_BOT : HABIT_RANDOM) : number % 4 == 1 ? HABIT_BOT_AND_RANDOM : number % 4 == 2 ? HABIT_RANDOM : HABIT_AWAY;
    enum fr_status st = run_match(s, number, habit, err);
    if (st == FR_OK && !k->down) sandbox_post(k->worker, FRAME_MATCH_CLOSE, s->slot);
    if (st == FR_OK && !s->broken) st = replay_match(s, &t->equal, err);
    t->matches++;
    t->ended += s->ended;
    t->records += s->count;
    t->moves += s->moves;
    t->refused += s->refused;
    *go_on = !s->broken;
    stage_free(s);
    return st;
}

enum fr_status rehearse_mode(struct check *k, const struct manifest_mode *mode, int matches, struct fr_err *err)
{
    struct tally t = { 0 };
    bool go_on = true;
    for (int i = 0; i < matches && go_on; i++) FR_TRY(rehearse_one(k, mode, i, &t, &go_on, err));
    if (go_on)
        check_done(k, "mode %s plays: %d matches (%d came to an end), %d moves, %d refused, %lld records; %d of %d replays equal", mode->id, t.matches, t.ended, t.moves, t.refused,
                   (long long)t.records, t.equal, t.matches * REPLAY_TIMES);
    return FR_OK;
}
