// match.c — `match show`, `match replay` and `match verify`. The last two need only an export: they run in a sandbox of their own.
#include <stdlib.h>
#include <string.h>
#include "cli/box.h"
#include "cli/internal.h"
#include "play/replay.h"
#include "play/verify.h"

#define REPLAY_TIMES_MAX 100000
#define REPLAY_BESIDE_MAX 64

static enum fr_status ask_match(struct cli *c, const char *console_verb, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CONSOLE_LINE_BYTES_MAX);
    fr_buf_add(&args, "{\"match\":");
    fr_buf_add_json_bytes(&args, cli_arg(c, "match"), strlen(cli_arg(c, "match")));
    fr_buf_add_char(&args, '}');
    FR_TRY(fr_buf_check(&args, "the match's id", err));
    return cli_ask(c, console_verb, args.data, out, err);
}

enum fr_status run_match_show(struct cli *c, struct fr_err *err)
{
    const char *path = cli_option(c, "export");
    FR_TRY(ask_match(c, "match.show", &c->out, err));
    if (!path) return FR_OK;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, CLI_RESULT_BYTES_MAX);
    FR_TRY(ask_match(c, "match.export", &text, err));
    FR_TRY(file_write_new(path, text.data, text.len, err));
    c->out.len--;                                      // the object's last brace
    fr_buf_add(&c->out, ",\"exported\":");
    fr_buf_add_json_bytes(&c->out, path, strlen(path));
    fr_buf_add_char(&c->out, '}');
    return FR_OK;
}

// ---- replay

struct run { struct box box; bool done; enum fr_status status; struct replay_result result; struct fr_err err; };

static void run_on_done(void *arg, enum fr_status status, const struct replay_result *r, const struct fr_err *err)
{
    struct run *run = arg;
    run->status = status;
    run->result = *r;
    if (status != FR_OK) run->err = *err;
    run->done = true;
}

static enum fr_status run_box(struct run *r, const struct fr_buf *text, const struct replay_options *options, struct fr_err *err)
{
    FR_TRY(box_open(&r->box, err));
    replay_run(r->box.sandbox, text->data, text->len, options, run_on_done, r);
    enum fr_status st = box_wait(&r->box, &r->done, 0, err);
    box_close(&r->box);
    if (st == FR_OK && r->status != FR_OK) { *err = r->err; st = r->status; }
    return st;
}

// The record that came out differently, for whoever looks for the reason.
static void add_record(struct fr_buf *out, const struct fr_buf *text, int64_t n)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err bad;
    if (n < 1 || fr_json_parse(text->data, text->len, &json, &bad) != FR_OK) return;
    const struct fr_json *records = fr_json_get(json, "records"), *r = fr_json_child(records);
    while (r && n-- > 1) r = fr_json_next(r);
    if (!r || !fr_json_text(fr_json_get(r, "record"))) return;
    fr_buf_add(out, ",\"record\":");
    fr_buf_add_json_text(out, fr_json_text(fr_json_get(r, "record")));
}

static enum fr_status export_get(struct cli *c, struct fr_buf *text, struct fr_err *err)
{
    const char *path = cli_option(c, "file"), *match = cli_arg(c, "match");
    if (!path && !match) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "which match? frond %s MATCH, or --file FILE", c->verb->name);
    if (path && match) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "either a match's id or --file FILE, not both");
    return path ? file_read_all(path, CLI_RESULT_BYTES_MAX, text, err) : ask_match(c, "match.export", text, err);
}

// What is no export at all is said of the file it stands in.
static enum fr_status note_file(const struct cli *c, enum fr_status st, struct fr_err *err)
{
    const char *path = cli_option(c, "file");
    if (st == FR_OK || !path || strcmp(err->code, fr_status_code(FR_E_INVALID)) != 0) return st;
    snprintf(err->code, sizeof err->code, "export");
    return fr_err_note(err, "%.200s is no export of a match", path);
}

enum fr_status run_match_replay(struct cli *c, struct fr_err *err)
{
    struct run run = { 0 };
    int64_t times, beside, from;
    FR_AUTO_BUF(text);
    fr_buf_init(&text, CLI_RESULT_BYTES_MAX);
    FR_TRY(cli_option_int(c, "times", 1, REPLAY_TIMES_MAX, 1, &times, err));
    FR_TRY(cli_option_int(c, "beside", 0, REPLAY_BESIDE_MAX, 0, &beside, err));
    bool all = cli_option(c, "from") && strcmp(cli_option(c, "from"), "all") == 0;
    if (all) from = REPLAY_FROM_ALL;
    else FR_TRY(cli_option_int(c, "from", 0, MATCH_LOG_RECORDS_MAX, REPLAY_FROM_START, &from, err));
    FR_TRY(export_get(c, &text, err));
    FR_TRY(note_file(c, run_box(&run, &text, &(struct replay_options){ .times = (int)times, .beside = (int)beside, .from = from }, err), err));
    const struct replay_result *r = &run.result;
    fr_buf_addf(&c->out, "{\"runs\":%d,\"equal\":%d,\"starts\":%d,\"snapshots\":%d,\"records\":%lld,\"hash\":\"%s\",\"beside\":%lld", r->runs, r->equal, r->starts, r->snapshots, (long long)r->records, r->want, (long long)beside);
    bool same = r->equal == r->runs && r->runs == times * r->starts;
    if (!same) {
        fr_buf_addf(&c->out, ",\"got\":\"%s\",\"first_different\":%lld", r->got, (long long)r->first_different);
        add_record(&c->out, &text, r->first_different);
    }
    fr_buf_add_char(&c->out, '}');
    return same ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "replay_differs", "%d of %lld replays came to another hash", (int)times * r->starts - r->equal, (long long)times * r->starts);
}

// ---- verify

struct verifying { struct box box; bool done; enum fr_status status; struct verify_report report; struct fr_err err; };

static void verify_on_done(void *arg, enum fr_status status, const struct verify_report *r, const struct fr_err *err)
{
    struct verifying *v = arg;
    v->status = status;
    v->report = *r;
    if (status != FR_OK) v->err = *err;
    v->done = true;
}

enum fr_status run_match_verify(struct cli *c, struct fr_err *err)
{
    struct verifying v = { 0 };
    FR_AUTO_BUF(text);
    fr_buf_init(&text, CLI_RESULT_BYTES_MAX);
    FR_TRY(export_get(c, &text, err));
    FR_TRY(box_open(&v.box, err));
    verify_run(v.box.sandbox, text.data, text.len, cli_option(c, "hash"), verify_on_done, &v);
    enum fr_status st = box_wait(&v.box, &v.done, 0, err);
    box_close(&v.box);
    if (st == FR_OK && v.status != FR_OK) { *err = v.err; st = v.status; }
    FR_TRY(note_file(c, st, err));
    const struct verify_report *r = &v.report;
    fr_buf_addf(&c->out, "{\"ok\":%s,\"hash\":", r->ok ? "true" : "false");
    fr_buf_add_json_text(&c->out, r->hash);
    fr_buf_add(&c->out, ",\"steps\":[");
    for (int i = 0; i < r->count; i++) {
        fr_buf_addf(&c->out, "%s{\"step\":\"%s\",\"ok\":%s,\"text\":", i ? "," : "", r->step[i].what, r->step[i].ok ? "true" : "false");
        fr_buf_add_json_text(&c->out, r->step[i].text);
        fr_buf_add_char(&c->out, '}');
    }
    fr_buf_add(&c->out, "]}");
    return r->ok ? FR_OK : FR_FAIL_CODE(err, FR_E_CONFLICT, "verify_failed", "%s: %s", r->step[r->count - 1].what, r->step[r->count - 1].text);
}
