// endpoints.h — several nodes of one chain as one: which is asked, which is believed, and which is never asked again. Loop thread only.
//
// Identity: each endpoint must have the pinned chain id and genesis block, looked at before its first call, every ENDPOINT_CHECK_MS and after each failure.
// One that answers with another is halted: never asked again until endpoints_forgive, and the owner is told. Failover: a call goes to the best endpoint that
// is good (latency, failures, how far behind) and to the next when that one does not answer, answers nonsense, or has a fault of its own (rate, missing
// method, pruned state). Quorum: a call that names how many must agree goes to all; results agree when their canonical text (rpc.h) is the same byte for
// byte, and an endpoint that differs from an agreed result is told of. All calls may be repeated: reads, and raw transactions, which have their nonce.
//
// Bounds: calls waiting, requests per endpoint, calls a second per endpoint, bytes and members of answers, a deadline for every call. `done` is called
// exactly once, never from inside endpoints_ask, and never after endpoints_free.
//
// The network and the clock are a port: chain knows JSON-RPC, and no sockets (see the layers). One function that posts bytes is all that it needs, so who
// puts the parts together joins it to net/client in some lines, tests answer from memory with a clock of their own, and a recorded session can be replayed. There
// is no "cancel" in it: a request that nobody waits for any more ends by its own deadline, and its answer still says how its endpoint fares.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "chain/rpc.h"

struct endpoints;

// A node's HTTP answer: st FR_OK with any http_status, or why there was none (the text is shown: no URL in it). retry_after_s: 0 when not said.
typedef void transport_done_fn(void *done_arg, enum fr_status st, int http_status, const char *body, size_t len, int64_t retry_after_s, const struct fr_err *err);
struct chain_transport {
    void *arg;
    // POSTs a JSON body; it is copied. FR_OK: done will be called exactly once, within about timeout_ms, never from inside; also after endpoints_free. An answer over
    // answer_bytes_max is refused. Otherwise: why not, and done will not be called.
    enum fr_status (*post)(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_bytes_max, transport_done_fn *done, void *done_arg, struct fr_err *err);
    int64_t (*now_ms)(void *arg);          // monotonic
};

#define ENDPOINT_NAME_BYTES 32
#define ENDPOINT_URL_BYTES 512
struct endpoint_config {
    char name[ENDPOINT_NAME_BYTES];        // what logs and errors call it
    char url[ENDPOINT_URL_BYTES];          // a secret: it stands nowhere, and is taken out of what the node says
    int per_second, burst;                 // calls, each of a batch counted; per_second 0: no limit
};
enum endpoint_event { ENDPOINT_UP, ENDPOINT_DOWN, ENDPOINT_LIED, ENDPOINT_DISAGREED };
struct endpoints_config {
    uint64_t chain_id;
    uint8_t genesis[32];                   // hash of block 0; zero: the first one seen is kept (development chains, which are made anew)
    const struct endpoint_config *at; int count;           // 1..ENDPOINTS_MAX, names differ
    struct chain_transport transport;
    // To be logged and, for ENDPOINT_LIED, shown until someone acts. text: one sentence without secrets.
    void (*on_event)(void *arg, const char *name, enum endpoint_event event, const char *text);
    void *arg;
};
// FR_E_INVALID: a count, a name or a URL that makes no sense.
FR_MUST_USE enum fr_status endpoints_new(const struct endpoints_config *config, struct endpoints **ret, struct fr_err *err);
void endpoints_free(struct endpoints *e);                  // takes NULL; calls that wait are forgotten. Not from inside done or on_event
// Deadlines, checks and waiting calls: to be called every 50 ms or so.
void endpoints_tick(struct endpoints *e);

// answers: as many as calls, in their order, with faults where the node refused; NULL unless FR_OK; gone after done. who: the endpoint's name (of a quorum: the first of those that agreed).
// FR_E_BUSY "rpc_unavailable": no endpoint answered; the text has the last reason. FR_E_TIMEOUT "rpc_timeout". FR_E_CONFLICT "rpc_disagree": too few agree.
typedef void endpoints_done_fn(void *arg, enum fr_status st, const struct rpc_answers *answers, const char *who, const struct fr_err *err);
struct endpoints_ask {
    const struct rpc_call *calls; int count;               // 1..RPC_BATCH_MAX; copied
    enum rpc_kind kind;                    // of every result: one that is none makes the next endpoint be asked
    int quorum;                            // 0, 1: one answer is enough. Else so many must agree: more than half of all, so that two results cannot both
    int deadline_ms;                       // 0: ENDPOINT_READ_MS
    const char *only;                      // ask this endpoint alone; NULL: any
    endpoints_done_fn *done;
    void *arg;
};
// FR_E_INVALID "rpc_request": a number that makes no sense, a name that is none. FR_E_LIMIT "rpc_request_too_large". FR_E_BUSY "rpc_busy": ENDPOINTS_READS_MAX wait.
FR_MUST_USE enum fr_status endpoints_ask(struct endpoints *e, const struct endpoints_ask *ask, struct fr_err *err);

// ---- what is known of each
enum endpoint_state { ENDPOINT_UNCHECKED, ENDPOINT_GOOD, ENDPOINT_FAILING, ENDPOINT_HALTED };
enum endpoint_client { CLIENT_UNKNOWN, CLIENT_GETH, CLIENT_ANVIL, CLIENT_NETHERMIND, CLIENT_BESU, CLIENT_ERIGON, CLIENT_RETH, CLIENT_SKALED, CLIENT_OTHER };
struct endpoint_facts {
    char name[ENDPOINT_NAME_BYTES];
    enum endpoint_state state;
    bool probed;                           // what follows up to logs_range is known
    enum endpoint_client client;
    char version[64];                      // what web3_clientVersion says, printable
    bool finalized, fee_history, debug, batches;           // the finalized tag; eth_feeHistory; debug_traceTransaction; several calls in one request
    uint64_t logs_range;                   // most blocks that an eth_getLogs was seen to take; 0: not even the fewest that were tried
    uint64_t height;                       // when last checked
    int64_t latency_ms, failing_permille;  // moving averages
    int64_t asked, answered, failed, rate_limited, malformed, disagreed;       // exchanges; since the start
};
int endpoints_facts(const struct endpoints *e, struct endpoint_facts out[ENDPOINTS_MAX]);      // how many
bool endpoints_forgive(struct endpoints *e, const char *name);         // a halted one is checked again; false: no such
int endpoints_good(const struct endpoints *e);
uint64_t endpoints_height(const struct endpoints *e);      // highest of the good ones
const uint8_t *endpoints_genesis(const struct endpoints *e);           // zero until one is pinned
