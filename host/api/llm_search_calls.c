// llm_search_calls.c — index, search, forget: first the vector, if the host has a model for that, then a job in the store.
#include <stdio.h>
#include <string.h>
#include "api/llm_docs.h"
#include "base/mem.h"
#include "llm/search.h"

#define EMBED_BYTES_MAX 8192               // of a text, looked at for its meaning

struct docs {                              // one call's work; owned by the model call
    struct api_model *m;
    char *text;                            // of the query
    int n;
    float *vector; int dims; char model[LLM_NAME_BYTES];
    struct llm_hit hits[LLM_HITS_MAX]; int count;
    struct fr_buf out;
    bool same, was;
    void (*next)(struct docs *d);
    void (*then)(struct api_model *m, enum fr_status st, const char *json, size_t len, const struct fr_err *err);
};

static struct docs *docs_new(struct api_model *m)
{
    struct docs *d = fr_must_alloc(sizeof *d);
    d->m = m;
    fr_buf_init(&d->out, CALL_RESULT_BYTES_MAX);
    return d;
}

static void docs_free(struct docs *d)
{
    fr_free(d->vector);
    fr_free(d->text);
    fr_buf_free(&d->out);
    fr_free(d);
}

// ---- the vector

static void take_vector(struct docs *d, const struct llm_end *end)
{
    FR_AUTO(fr_json) answer = NULL;
    struct fr_err none;
    int dims = 0;
    if (!end->json || fr_json_parse(end->json, end->json_len, &answer, &none) != FR_OK) return;
    const struct fr_json *v = fr_json_get(fr_json_child(fr_json_get(answer, "data")), "embedding");
    if (!v || fr_json_kind(v) != JSON_ARRAY || fr_json_size(v) == 0 || fr_json_size(v) > LLM_VECTOR_MAX) return;
    d->vector = fr_alloc((size_t)fr_json_size(v) * sizeof *d->vector);
    if (!d->vector) return;
    for (const struct fr_json *x = fr_json_child(v); x; x = fr_json_next(x)) d->vector[dims++] = (float)fr_json_number(x);
    d->dims = dims;
    snprintf(d->model, sizeof d->model, "%s", end->model);
}

static void vector_on_answer(void *arg, enum fr_status st, const struct llm_end *end, const struct fr_err *err)
{
    struct docs *d = arg;
    (void)err;
    if (st == FR_OK) take_vector(d, end);  // without one it is found by its words
    d->next(d);
}

static void docs_embed(struct docs *d, const char *text, void (*next)(struct docs *d))
{
    struct fr_err none;
    struct api_model *m = d->m;
    FR_AUTO_BUF(body);
    size_t len = strlen(text);
    fr_buf_init(&body, LLM_BODY_BYTES_MAX);
    d->next = next;
    fr_buf_add(&body, "{\"input\":[");
    fr_buf_add_json_bytes(&body, text, len > EMBED_BYTES_MAX ? EMBED_BYTES_MAX : len);
    fr_buf_add(&body, "]}");
    struct llm_ask ask = { .kind = LLM_EMBED, .from = m->by.from, .body = body.data, .body_len = body.len, .priority = 1, .deadline_ms = m->by.deadline_ms, .done = vector_on_answer, .arg = d };
    if (body.failed || m->by.door.start(m->by.door.arg, &ask, NULL, &none) != FR_OK) next(d);
}

// ---- search

static enum fr_status job_search(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct docs *d = arg;
    struct llm_vector v = { d->vector, d->dims, d->model };
    FR_TRY(llm_doc_search(txn, d->m->by.from.tenant, d->text, &v, d->n, d->hits, &d->count, err));
    FR_TRY(llm_hits_print(txn, d->hits, d->count, &d->out, err));
    return fr_buf_check(&d->out, "the hits", err);
}

static void search_on_job(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct docs *d = arg;
    d->then(d->m, st, d->out.data, d->out.len, err);
    docs_free(d);
}

static void search_read(struct docs *d)
{
    struct fr_err err;
    enum fr_status st = store_read(d->m->op->api->o.store, job_search, d, search_on_job, &err);
    if (st != FR_OK) search_on_job(d, st, &err);
}

void api_docs_search(struct api_model *m, const char *query, int n, void (*then)(struct api_model *m, enum fr_status st, const char *json, size_t len, const struct fr_err *err))
{
    struct docs *d = docs_new(m);
    d->text = fr_must_strdup(query);
    d->n = n;
    d->then = then;
    docs_embed(d, query, search_read);
}

static void search_end(struct api_model *m, enum fr_status st, const char *json, size_t len, const struct fr_err *err)
{
    if (st == FR_OK) fr_buf_add_bytes(&m->op->out, json, len);
    api_model_end(m, st, err);
}

static void go_search(struct api_model *m)
{
    api_docs_search(m, api_text(m->op, "query"), (int)api_int(m->op, "n", 5), search_end);
}

// ---- index

static enum fr_status job_put(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct docs *d = arg;
    struct llm_vector v = { d->vector, d->dims, d->model };
    return llm_doc_put(txn, d->m->by.from.tenant, api_text(d->m->op, "id"), api_text(d->m->op, "text"), &v, d->m->now_ms, err);
}

static void index_end(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct docs *d = arg;
    struct api_model *m = d->m;
    docs_free(d);
    if (st == FR_OK) fr_buf_add(&m->op->out, "true");
    api_model_end(m, st, err);
}

static void index_put(struct docs *d)
{
    struct fr_err err;
    enum fr_status st = store_run(d->m->op->api->o.store, job_put, d, index_end, &err);
    if (st != FR_OK) index_end(d, st, &err);
}

static enum fr_status job_known(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct docs *d = arg;
    return llm_doc_known(txn, d->m->by.from.tenant, api_text(d->m->op, "id"), api_text(d->m->op, "text"), true, &d->same, err);
}

static void index_on_known(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct docs *d = arg;
    if (st != FR_OK || d->same) index_end(d, st, err);         // the same text again costs nothing
    else docs_embed(d, api_text(d->m->op, "text"), index_put);
}

static void go_index(struct api_model *m)
{
    struct fr_err err;
    struct docs *d = docs_new(m);
    enum fr_status st = store_read(m->op->api->o.store, job_known, d, index_on_known, &err);
    if (st != FR_OK) index_end(d, st, &err);
}

// ---- forget

static enum fr_status job_forget(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct api_op *op = arg;
    char tenant[LLM_WHO_BYTES];
    bool was;
    snprintf(tenant, sizeof tenant, "plugin:%s", op->version->package->manifest->id);
    FR_TRY(llm_doc_drop(txn, tenant, api_text(op, "id"), &was, err));
    fr_buf_add(&op->out, was ? "true" : "false");
    return FR_OK;
}

static enum fr_status own_index(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_index, err); }
static enum fr_status own_search(struct api_op *op, struct fr_err *err) { return api_model_start(op, go_search, err); }

const struct api_handler api_llm_search_handlers[] = { { 33, API_OWN, own_index, NULL }, { 34, API_OWN, own_search, NULL }, { 35, API_WRITE, NULL, job_forget } };
const int api_llm_search_handler_count = sizeof api_llm_search_handlers / sizeof api_llm_search_handlers[0];
