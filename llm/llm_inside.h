// llm_inside.h — the struct of a call and of the core, for the files that share them. For this folder only.
#pragma once
#include "llm/pool.h"
#include "llm/request.h"

enum llm_step { CALL_SENT = 1, CALL_ENDING };
struct llm_call {
    struct llm *llm; struct llm_call *next, **link;     // in the list of all
    struct llm_call *ending_next;
    enum llm_step step;
    struct llm_from from;
    struct llm_request request; unsigned need;
    char model[LLM_NAME_BYTES], pod[LLM_NAME_BYTES], finish[24];
    int64_t started_ms, sent_ms, ends_ms;               // monotonic; sent_ms 0: not yet
    llm_delta_fn *on_delta; llm_done_fn *done; void *arg;
    struct llm_sent *sent;                              // NULL: nothing under way at a backend
    bool cancelled, timed_out, streamed;
    // how it ended, until done is told
    enum fr_status status; struct fr_err err;
    char *json, *text; size_t json_len, text_len;
    int64_t prompt_tokens, answer_tokens, first_ms, retry_after_ms;
};
struct llm {
    struct llm_options o;
    struct llm_pool *pool;
    struct llm_call *first; int calls;
    struct llm_call *ending, **ending_last;             // told with the next turn of the loop
    uv_timer_t soon, tick; bool soon_set; int handles;
    bool stopping; void (*stopped)(void *arg); void *stopped_arg;
    int64_t started, failed;
};
