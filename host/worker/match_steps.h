// match_steps.h — what match.c and match_snapshot.c share: one protected step on a match's Lua state, and its answers.
#pragma once
#include "worker/match.h"
#include "worker/match_api.h"

// What one protected step works on; lives in the caller's frame.
struct match_step {
    struct match *m;
    const char *json;                                 // setup, record or the bot's question
    size_t json_len;
    enum { STEP_DONE, STEP_REFUSED, STEP_NOTHING } outcome;
    int64_t tick_no;
};
enum frame_status match_run_step(struct match *m, struct match_step *s, lua_CFunction body, uint32_t id);

struct match *match_new(struct worker *w, uint32_t slot, const uint8_t *key, struct fr_err *err);
void match_free(struct match *m);
// A Lua state without history for m, whose old one is gone.
FR_MUST_USE enum fr_status match_vm_open(struct match *m, struct fr_err *err);
// Inside the step, whose `json` is the setup: everything that stands before `new` runs. Leaves the setup at 2, `new` at 3, the options at 4.
void match_load(lua_State *L, struct match_step *s);
void match_state_swap(struct match *m);               // w->state becomes the match's bytes, counted in the heap
void match_hash_text(const struct match *m, char hex[SHA256_HEX_BYTES]);
void match_reply_one(struct worker *w, uint32_t id, uint32_t slot, enum frame_status status, const char *json, size_t len);
void match_reply_text(struct worker *w, const struct frame *f, enum frame_status status, const char *code, const char *detail);
