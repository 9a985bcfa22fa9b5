// final.h — which block is final, by as many nodes as must agree. Loop thread only.
//
// Every good endpoint is asked for its own final block: by the "finalized" tag where it has one and `tag` says so, else so many blocks behind its newest.
// The answer is the highest block that as many as the quorum call final, this one or a later one. What is then read at that block (eth_call,
// eth_getBalance, eth_getLogs with its number, by endpoints_ask with the same quorum) is a fact; what one node says of "latest" is a sight.
#pragma once
#include "chain/endpoints.h"

struct final_rules {
    int quorum;                            // nodes that must agree; 0, 1: one is believed
    bool tag;                              // "finalized", where an endpoint has it ...
    int blocks;                            // ... and so many blocks behind the newest where it does not (0: such endpoints say nothing)
};
// FR_E_INVALID: numbers that make no sense.
FR_MUST_USE enum fr_status final_rules_check(const struct final_rules *r, struct fr_err *err);

// FR_E_BUSY: too few endpoints say.
typedef void final_done_fn(void *arg, enum fr_status st, uint64_t block, const struct fr_err *err);
struct final_look {                        // the caller's memory: it must stay until done, or until endpoints_free
    struct endpoints *endpoints;
    struct final_rules rules;
    final_done_fn *done;
    void *arg;
    // its own
    int asked;
    uint64_t said[ENDPOINTS_MAX]; int said_count;
};
// done comes once, never from inside, unless the endpoints are freed before. FR_E_BUSY: nobody can be asked now; then it does not come.
FR_MUST_USE enum fr_status final_look_start(struct final_look *l, struct fr_err *err);
