// backend.h — one exchange with one pod: a request goes, an answer comes, whole or as a stream. Loop thread only.
//
// done is called exactly once, never from inside llm_exchange_start, _cancel or _pause; with the end of the stream ([DONE]), not with that of the connection, which a pod may keep open.
// A pod's bytes are hostile: status, content type, framing, JSON, shapes, sizes and counts are checked (answer.h, sse.h). Its key and address stand in no error.
#pragma once
#include "llm/answer.h"

struct llm_exchange;                       // valid until its done
// What an end says of the pod and of trying elsewhere.
enum llm_fate {
    LLM_FATE_FINE,
    LLM_FATE_FULL,                         // 429, 503: it is well, and has no room. Elsewhere, or later
    LLM_FATE_FAILED,                       // it is not well, or talks nonsense. Elsewhere
    LLM_FATE_REFUSED,                      // it blames the request (400, 413, 422): nobody else will like it better
    LLM_FATE_LARGE,                        // it answers more than was asked for, or than we take
    LLM_FATE_LATE,                         // total_ms
    LLM_FATE_OURS,                         // our own shortage: says nothing of the pod
    LLM_FATE_CANCELLED                     // by us, or because the client stops
};
struct llm_exchange_end {
    enum llm_fate fate;
    struct llm_answer *answer;             // LLM_FATE_FINE: to be taken (llm_answer_free); else NULL
    bool streamed;                         // some delta was given
    bool silent;                           // it failed by saying nothing for too long
    int http_status;                       // 0: none came
    int64_t retry_after_ms, first_ms, ms;  // first_ms: to the first event that says something, or to the answer
};
typedef void llm_exchange_done_fn(void *arg, enum fr_status st, const struct llm_exchange_end *end, const struct fr_err *err);
struct llm_exchange_ask {                  // copied, but for the request
    struct net_client *client;
    const char *url, *unix_path, *key, *ca_file;       // url: with /v1; the others may be "" or NULL
    const struct llm_request *request;     // must stay until done
    const char *model, *as;                // as it was asked for; as this pod calls it
    int first, count;                      // of an embedding request's inputs; 0, 0: all
    int idle_ms, total_ms;
    void (*on_delta)(void *arg, const struct llm_delta *d);    // NULL: the answer comes whole
    llm_exchange_done_fn *done;
    void *arg;
};
// Refusals: FR_E_BUSY (the client has no room), FR_E_INVALID, FR_E_LIMIT, FR_E_NOMEM; then done is not called.
FR_MUST_USE enum fr_status llm_exchange_start(const struct llm_exchange_ask *ask, struct llm_exchange **ret, struct fr_err *err);
void llm_exchange_cancel(struct llm_exchange *x);      // from on_delta too; no further delta, done comes soon
void llm_exchange_pause(struct llm_exchange *x, bool paused);
// Its owner will not be there any more: done is not called, on_delta neither.
void llm_exchange_forget(struct llm_exchange *x);
