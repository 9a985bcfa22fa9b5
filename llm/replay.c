// replay.c — a call answered from its record: the same bytes, the same events, no pod, no cost, and nothing that has to be up.
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"
#include "llm/llm_inside.h"

struct reading { struct llm_flight *flight; char id[40], sha[SHA256_HEX_BYTES]; struct fr_buf answer, events; char found_sha[SHA256_HEX_BYTES], model[LLM_NAME_BYTES], pod[LLM_NAME_BYTES + 8], found[40], code[FR_ERR_CODE_BYTES]; int64_t prompt_tokens, answer_tokens; bool any; };

static void on_row(void *arg, const struct llm_record_row *r)
{
    struct reading *x = arg;
    x->any = r->answer != NULL;
    snprintf(x->found, sizeof x->found, "%s", r->id);
    snprintf(x->found_sha, sizeof x->found_sha, "%s", r->sha_hex);
    snprintf(x->model, sizeof x->model, "%s", r->model);
    snprintf(x->pod, sizeof x->pod, "%s", r->pod);
    x->prompt_tokens = r->prompt_tokens;
    x->answer_tokens = r->answer_tokens;
    if (r->answer) fr_buf_add(&x->answer, r->answer);
    if (r->events) fr_buf_add(&x->events, r->events);
}

static enum fr_status job_read(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct reading *x = arg;
    bool found = true;
    if (x->id[0]) FR_TRY(llm_record_get(txn, x->id, on_row, x, err));
    else FR_TRY(llm_record_by_sha(txn, x->sha, x->flight->model, on_row, x, &found, err));
    if (!found || !x->any) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "record_unknown", "there is no record with an answer to this");
    if (strcmp(x->sha, x->found_sha) != 0) return FR_FAIL_CODE(err, FR_E_CONFLICT, "record_other", "record %s is of another request", x->found);
    return fr_buf_check(&x->answer, "a record", err);
}

static const char *piece_of(const struct fr_json *event)
{
    const struct fr_json *choice = fr_json_child(fr_json_get(event, "choices"));
    const char *text = fr_json_text(fr_json_get(fr_json_get(choice, "delta"), "content"));
    if (!text) text = fr_json_text(fr_json_get(choice, "text"));
    return text && fr_json_number(fr_json_get(choice, "index")) == 0 ? text : "";
}

static void tell_events(struct llm_flight *f, const struct fr_buf *events)
{
    FR_AUTO(fr_json) list = NULL;
    FR_AUTO_BUF(json);
    struct fr_err err;
    if (!f->stream || events->len == 0 || fr_json_parse_long(events->data, events->len, 8 * LLM_ANSWER_BYTES_MAX, &list, &err) != FR_OK) return;      // then all of it comes at the end
    fr_buf_init(&json, 2 * LLM_ANSWER_BYTES_MAX);
    for (const struct fr_json *e = fr_json_child(list); e && f->wanted > 0; e = fr_json_next(e)) {
        const struct fr_json *event = fr_json_next(fr_json_child(e));
        const char *text = piece_of(event);
        fr_buf_clear(&json);
        fr_json_print(event, &json);
        flight_tell(f, &(struct llm_delta){ text, strlen(text), json.data, json.len });
    }
}

static void on_read(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct reading *x = arg;
    struct llm_flight *f = x->flight;
    FR_AUTO(fr_json) answer = NULL;
    struct fr_err mine;
    if (st == FR_OK && (st = fr_json_parse_long(x->answer.data, x->answer.len, 8 * LLM_ANSWER_BYTES_MAX, &answer, &mine)) != FR_OK) err = &mine;
    if (st == FR_OK) {
        const struct fr_json *choice = fr_json_child(fr_json_get(answer, "choices"));
        const char *text = fr_json_text(fr_json_get(fr_json_get(choice, "message"), "content")), *finish = fr_json_text(fr_json_get(choice, "finish_reason"));
        if (!text) text = fr_json_text(fr_json_get(choice, "text"));
        snprintf(f->model, sizeof f->model, "%s", x->model);
        snprintf(f->pod, sizeof f->pod, "%s", x->pod);
        snprintf(f->record, sizeof f->record, "%s", x->found);
        f->prompt_tokens = x->prompt_tokens;
        f->answer_tokens = x->answer_tokens;
        tell_events(f, &x->events);
        flight_answer(f, x->answer.data, x->answer.len, text ? text : "", text ? strlen(text) : 0, finish);
    }
    fr_buf_free(&x->answer);
    fr_buf_free(&x->events);
    fr_free(x);
    flight_end(f, st, err);
}

enum fr_status flight_replay(struct llm_flight *f, const char *record, struct fr_err *err)
{
    if (!f->llm->o.store) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "record_unknown", "nothing is recorded here");
    struct reading *x = fr_alloc(sizeof *x);
    if (!x) return FR_FAIL(err, FR_E_NOMEM, "no memory for a record");
    x->flight = f;
    snprintf(x->id, sizeof x->id, "%s", record);
    fr_hex(f->request.sha, SHA256_BYTES, x->sha);
    fr_buf_init(&x->answer, 4 * LLM_ANSWER_BYTES_MAX);
    fr_buf_init(&x->events, 8 * LLM_ANSWER_BYTES_MAX);
    f->step = FLIGHT_READ;
    enum fr_status st = store_read(f->llm->o.store, job_read, x, on_read, err);
    if (st != FR_OK) fr_free(x);
    return st;
}
