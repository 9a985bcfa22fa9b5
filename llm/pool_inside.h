// pool_inside.h — what the pool's files share; nobody else includes it.
//
// A `pod` has its own address and learns what it can bear; `kept` is a copy of its backend's settings, shared by its pods and by what is under way when the settings change. A `part` is what one pod is
// asked for at once: the whole request, or some inputs of an embedding request.
#pragma once
#include "base/limits.h"
#include "llm/backend.h"
#include "llm/pool.h"

#define PREFIXES 64                        // that a pod is known to have had lately
#define PARTS_MAX ((LLM_INPUTS_MAX + LLM_SHARD_INPUTS - 1) / LLM_SHARD_INPUTS)

struct kept { int refs; struct llm_backend_settings s; };

enum pod_state { POD_NEW, POD_UP, POD_TRIAL, POD_DOWN };         // TRIAL: it looks well again; one call will show
struct pod {
    struct pod *next;
    struct llm_pool *pool;
    struct kept *backend;
    char name[LLM_NAME_BYTES + 8];         // "big/0"
    struct llm_pod_settings at;            // "" for its socket: the engine that is not there yet
    enum pod_state state;
    bool is_engine, gone;                  // gone: not in the settings any more; it ends its calls
    struct net_call *probe;
    int running, failures, openings, fulls;        // failures in a row; how often in a row it was left alone, or had no room
    double window;                         // how many at once
    int64_t pace_us, best_pace_us;         // for each token or so: a moving average, and the best of late
    int64_t check_at, answered_at, open_at, halved_at;           // open_at: not before, for it asked for that
    uint64_t prefixes[PREFIXES]; unsigned prefix_next;
    int64_t asked, answered, failed, full, late, probed;
    char why[160];                         // the last failure
};

enum part_step { PART_WAITING, PART_RUNNING, PART_DONE };
struct part {
    struct llm_sent *sent;
    enum part_step step;
    int first, count, tries;
    struct pod *pod;
    struct llm_exchange *x;
    struct pod *failed_at[LLM_TRIES_MAX];  // only compared: not asked again for this part
    int64_t wait_until;
};

struct llm_sent {
    struct llm_sent *prev, *next;
    struct llm_pool *pool;
    const struct llm_request *request;
    char model[LLM_NAME_BYTES], pod[LLM_NAME_BYTES + 8];
    unsigned need;
    int64_t started_at, deadline_at, first_ms, retry_after_ms;
    void (*on_delta)(void *arg, const struct llm_delta *d);
    llm_result_fn *done;
    void *arg;
    struct part *parts; int part_count, parts_done, running, tries;
    struct llm_answer *answer;
    bool streamed, cancelled, ended, paused;
    struct fr_err err;                     // ended without an answer
};

struct llm_pool {
    struct llm_pool_options o;
    struct llm_settings *settings;         // our copy: the caller's may go
    struct pod *pods;
    struct llm_sent *first, *last;
    int waiting;                           // parts that wait for a pod
    char engine_path[108], engine_key[LLM_SECRET_BYTES];
    uv_timer_t timer;
    uint64_t draw;
    bool stopping, closing, soon;           // soon: something has ended that nobody was told of yet
    void (*stopped)(void *arg); void *stopped_arg;
    int64_t sent, answered, failed, cancelled, retried, shards, prefix_hits;
};

// pool_pod.c
void pods_configure(struct llm_pool *p);
void pod_engine(struct llm_pool *p, struct pod *pod);
void pod_release(struct pod *pod);                     // frees it when it is gone and nothing of it is under way
void pod_probe(struct pod *pod);
void pod_answered(struct pod *pod, int64_t ms, int64_t tokens);
void pod_failed(struct pod *pod, const char *why, bool slow);
void pod_is_full(struct pod *pod, int64_t retry_after_ms);
bool pod_is_open(const struct pod *pod, int64_t now);  // up, and did not ask to be left alone
bool pod_has_room(const struct pod *pod, int64_t now);
const struct llm_model_settings *pod_model(const struct pod *pod, const char *model);
// pool_route.c
struct pod *route(struct llm_pool *p, const struct llm_sent *s, const struct part *part);      // NULL: none has room now
int64_t route_open_at(const struct llm_pool *p, const struct llm_sent *s, const struct part *part);        // when some pod may take it at the soonest, busy or not; INT64_MAX: none will
void route_remember(struct pod *pod, const struct llm_request *r);
int64_t route_standing(const struct llm_model_settings *m, const char *languages);     // less is taken first: languages that it does not declare, then its price
enum fr_status route_room(const struct llm_pool *p, const struct llm_pool_ask *ask, struct fr_err *err);
// pool_part.c
bool sent_advance(struct llm_sent *s, struct fr_err *err);       // starts what can be started; false: nothing was, and err says why
void sent_fail(struct llm_sent *s, const struct fr_err *err);
void sent_settle(struct llm_sent *s);                  // tells and frees it when nothing of it is under way any more. Never from inside a call of our owner
// pool.c
void pool_arm(struct llm_pool *p);
void pool_room(struct llm_pool *p);                    // something was freed, or came up
void pool_maybe_stopped(struct llm_pool *p);
