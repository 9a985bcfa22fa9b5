// endpoints_inside.h — what endpoints.c and endpoint_check.c share; nobody else includes it.
#pragma once
#include "base/auto.h"
#include "chain/endpoints.h"

struct exchange {                          // one HTTP request
    struct exchange *prev, *next;
    struct endpoints *owner;               // NULL: endpoints_free was called
    struct endpoint *endpoint;
    struct side *side;                     // NULL: nobody waits for it any more
    int count;
    uint64_t first_id;
    int64_t sent_at;
};

struct side {                              // of a read towards endpoint number (this - read->sides)
    struct read *read;
    enum { SIDE_FRESH, SIDE_WAITING, SIDE_SENT, SIDE_FINE, SIDE_FAILED } state;
    struct exchange *exchange;
    int from;                              // calls that are answered
    struct rpc_answers *answers;
    struct fr_buf canonical;               // of them
};

struct read {
    struct read *prev, *next;
    struct endpoints *owner;
    struct rpc_call calls[RPC_BATCH_MAX];
    int count, quorum, only;               // only: -1: any
    enum rpc_kind kind;
    bool probe;                            // a check: also of an endpoint that is not good, and every fault is an answer
    int64_t deadline_at;
    struct side sides[ENDPOINTS_MAX];
    char last_failure[256];
    bool ended;
    enum fr_status st;
    struct side *with;
    struct fr_err err;
    endpoints_done_fn *done;
    void *arg;
};

struct endpoint {
    struct endpoints *owner;
    char url[ENDPOINT_URL_BYTES];
    int per_second, burst, batch_max, exchanges, failures;       // failures in a row
    int64_t tokens_milli, tokens_at, rate_until, check_at, probe_at;
    bool checking;
    struct endpoint_facts facts;
};

struct endpoints {
    struct chain_transport transport;
    void (*on_event)(void *arg, const char *name, enum endpoint_event event, const char *text);
    void *arg;
    uint64_t chain_id, next_id;
    uint8_t genesis[32];
    struct endpoint at[ENDPOINTS_MAX];
    int count, reads;
    struct read *first, *last;
    struct exchange *exchanges;
    bool settling, changed;                // changed: reads or endpoints, while settling
};
FR_AUTO_DEFINE(endpoints)

void endpoint_failed(struct endpoint *p, const char *why);
void endpoint_forsake(struct endpoint *p);
void endpoint_tell(struct endpoint *p, enum endpoint_event event, const char *text);
void endpoints_settle(struct endpoints *e);
enum fr_status endpoints_read(struct endpoints *e, const struct endpoints_ask *ask, int only, bool probe, struct fr_err *err);
void endpoint_check_when_due(struct endpoint *p);
