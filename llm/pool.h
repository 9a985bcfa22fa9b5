// pool.h — backends, their pods, and the way of one request to one of them (Pathways: a pod is one model-parallel group with its own address and capacity,
// pods of a backend, and backends with the same model, are data-parallel replicas). Loop thread only.
//
// Router: of all pods that have the model (or, where none is named, the default) and every capability the request needs, that are up and have room: those that declare the languages it names, then cheaper ones,
// and of those the one that had the same prefix lately, unless it is much busier than another; else the better of two drawn at random, by calls in flight and EWMA of latency.
// Concurrency is learned for each pod (AIMD: up while answers come well, halved at 429, 503 and time-outs), within its bound. Health: GET /health or /v1/models with jitter; a breaker opens
// after failures in a row, and one probe at a time closes it. A call is tried again elsewhere only while nothing of it was streamed, at most LLM_TRIES_MAX times,
// Retry-After honoured. An embedding request with many inputs is sharded over the pods that have room and put together in order; a shard whose pod dies goes elsewhere.
//
// A backend's bytes are hostile: status, content type, SSE framing, JSON, sizes, counts and order of choices are checked; "usage" is taken as a claim, clamped by who pays.
#pragma once
#include "llm/request.h"

struct llm_pool;
struct llm_sent;                           // one request under way; valid until its done
struct llm_result {                        // valid during done
    const char *json; size_t json_len;     // as llm_end
    const char *text; size_t text_len;
    const char *finish, *model, *pod;
    int64_t prompt_tokens, answer_tokens;  // -1: the backend said nothing
    int64_t seen_tokens;                   // at least so many came (events of a stream; estimated of text otherwise): what a lying usage is held against
    bool streamed;
    int64_t retry_after_ms, first_ms;
    int tries;
};
typedef void llm_result_fn(void *arg, enum fr_status st, const struct llm_result *r, const struct fr_err *err);
struct llm_pool_ask {
    const struct llm_request *request;     // must stay until done
    const char *model;                     // a name that llm_pool_model found
    unsigned need;                         // beside request->need
    int deadline_ms;
    void (*on_delta)(void *arg, const struct llm_delta *d);        // NULL: not streamed
    llm_result_fn *done;
    void *arg;
};
struct llm_pool_options {
    uv_loop_t *loop; struct net_client *client; const struct llm_settings *settings;
    void (*on_room)(void *arg); void *arg;         // some pod has room again, or came up: the queue looks again. Never from inside llm_pool_send
    uint64_t seed;                                 // of what is drawn; 0: random
};
void llm_pool_new(const struct llm_pool_options *o, struct llm_pool **ret);        // must-alloc
void llm_pool_configure(struct llm_pool *p, const struct llm_settings *settings);  // pods that stay keep what was learned; those that go finish their calls
// The built-in engine came up (its socket), or went (NULL).
void llm_pool_engine(struct llm_pool *p, const char *unix_path, const char *key);
void llm_pool_stop(struct llm_pool *p, void (*done)(void *arg), void *arg);       // ends every call
void llm_pool_free(struct llm_pool *p);
// The model that a name ("" : the default for that kind and those languages) stands for, or NULL. Its price: of its pods' that are up, else of all, those' that declare most of the languages, and of those the cheapest.
const struct llm_model_settings *llm_pool_model(const struct llm_pool *p, enum llm_kind kind, const char *name, const char *languages);      // languages: as a request's
// Whether one more could be sent now. FR_OK; FR_E_BUSY "llm_busy" (up, but full: wait for on_room), FR_E_BUSY "llm_down"; FR_E_INVALID "llm_request" (no pod of that model can do it, or its context is too small).
FR_MUST_USE enum fr_status llm_pool_room(const struct llm_pool *p, const struct llm_pool_ask *ask, struct fr_err *err);
FR_MUST_USE enum fr_status llm_pool_send(struct llm_pool *p, const struct llm_pool_ask *ask, struct llm_sent **ret, struct fr_err *err);      // refusals of llm_pool_room; then done is not called
void llm_pool_cancel(struct llm_sent *s);              // done comes soon, llm_cancelled
void llm_pool_pause(struct llm_sent *s, bool paused);
void llm_pool_models(const struct llm_pool *p, struct fr_buf *out);
void llm_pool_facts(const struct llm_pool *p, struct fr_buf *out);
void llm_pool_metrics(const struct llm_pool *p, struct fr_buf *out);
bool llm_pool_ready(const struct llm_pool *p);
