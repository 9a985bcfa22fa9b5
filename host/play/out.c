// out.c — what a durable record may now show: events, answers, asks.
#include <stdio.h>
#include <string.h>
#include "base/log.h"
#include "base/mem.h"
#include "play/internal.h"

static void out_answer(struct append *a)
{
    struct match *m = a->m;
    struct pending *p = a->pending;
    if (!p || p->seat == 0) return;
    struct seat *s = &m->seat[p->seat - 1];
    if (p->leaves) {
        s->leaving = false;
        s->left = a->turn->outcome == FRAME_OK;
    }
    struct fr_err err = { 0 };
    char answer[64] = "";
    enum fr_status status = FR_OK;
    if (a->turn->outcome == FRAME_OK) snprintf(answer, sizeof answer, "{\"seq\":%lld}", (long long)s->seq);
    else status = fr_err_set(&err, turn_status(a->turn), a->turn->code, __FILE__, __LINE__, "%s", a->turn->detail);
    if (p->client_n > 0) {
        s->answered_n = p->client_n;
        fr_free(s->last_answer);
        s->last_answer = fr_strndup(answer, strlen(answer));
        s->last_status = status;
        s->last_err = err;
    }
    if (p->waiter.done) p->waiter.done(p->waiter.arg, status, status == FR_OK ? answer : NULL, &err);
    p->waiter.done = NULL;
}

struct asked { struct match *m; char tag[65]; };

static void out_on_asked(void *arg, bool ok, const char *json_or_code)
{
    struct asked *q = arg;
    if (q->m->state >= MATCH_WAITING && q->m->state < MATCH_ENDED && !q->m->plays->closing) {      // an end that is being stored may yet be refused
        FR_AUTO_BUF(tag); FR_AUTO_BUF(code);
        fr_buf_init(&tag, 512);
        fr_buf_init(&code, 512);
        fr_buf_add_json_text(&tag, q->tag);
        fr_buf_add_json_text(&code, ok ? NULL : json_or_code);
        if (tag.failed || code.failed) fr_mem_out(0);           // an answer that never came would leave the game waiting
        struct pending *p = pending_new(0, "\"kind\":\"answer\",\"tag\":%s,\"value\":%s,\"code\":%s", tag.data, ok ? json_or_code : "null", code.data);
        if (!p) p = pending_new(0, "\"kind\":\"answer\",\"tag\":%s,\"value\":null,\"code\":\"too_large\"", tag.data);
        if (p) p->must = true;
        if (p && !match_push(q->m, p)) fr_log(LOG_WARN, "match.answer_lost", "match", q->m->row.id, "tag", q->tag, NULL);
    }
    match_unref(q->m);
    fr_free(q);
}

void out_ask(struct match *m, const struct fr_json *effect)
{
    const char *tag = fr_json_text(fr_json_get(effect, "tag")), *fn = fr_json_text(fr_json_get(effect, "fn"));
    double timeout_ms = fr_json_number(fr_json_get(effect, "timeout_ms"));
    if (!tag || !fn || strlen(tag) > 64) return;
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CALL_ARGS_BYTES_MAX);
    if (fr_json_get(effect, "args")) fr_json_print(fr_json_get(effect, "args"), &args);
    else fr_buf_add(&args, "{}");
    struct asked *q = fr_must_alloc(sizeof *q);
    q->m = m;
    snprintf(q->tag, sizeof q->tag, "%s", tag);
    match_ref(m);
    m->plays->o.effects.ask(m->plays->o.effects.arg, m->version, fn, args.failed ? "{}" : args.data,
                            timeout_ms >= 1 && timeout_ms <= 60000 ? (int)timeout_ms : 10000, out_on_asked, q);
}

void out_turn(struct append *a)
{
    struct match *m = a->m;
    if (a->turn && a->turn->effects) {
        for (const struct fr_json *e = fr_json_child(a->turn->effects); e; e = fr_json_next(e)) {
            const char *kind = fr_json_text(fr_json_get(e, "e"));
            if (strcmp(kind, "emit") == 0) events_emit(m, e, true);
            if (strcmp(kind, "ask") == 0 && !a->end) out_ask(m, e);
        }
        events_views(m, a->turn, a->now_ms, true);
    }
    if (a->turn) out_answer(a);
}
