// llm.h — the shared model core: one call to a model, from whoever asks to the last token. Loop thread only; never blocks it.
//
// What a call goes through, in this order: request (llm/request: is it one, and what does it ask for), cache (the same call, answered before or on
// its way: who asks for the same at the same time waits with the first; only where the request repeats, so temperature 0 or a seed), budget (tokens and coins set aside in memory, never more than there are), queue (fair between tenants), pool (which pod of which
// backend), backend (HTTP), and back: the answer is checked, the budget settled with what was used, the call recorded if somebody asked for that.
//
// Promises: `done` of a call that was accepted is called exactly once, never from inside llm_start or llm_cancel. Every call has a deadline. What is
// cancelled is cancelled at the backend too. No budget is overspent under any concurrency. No call waits for the disk, but the first of a payer
// whose slab is not there yet. Nothing of one tenant is seen by another: caches are by tenant, and by player where one asks.
//
// The language inside is OpenAI's: a request is the JSON object of /v1/chat/completions, /v1/completions or /v1/embeddings, an answer the JSON object
// that those give. Other wires (PaLM) are translated at the edge.
//
// Codes of refusals, beside those of net/client.h: llm_request (invalid; the text names the member), llm_prompt_too_large, model_unknown (not_found),
// llm_down (busy: no pod of that model is up), llm_queue_full, llm_rate, llm_budget (limit), llm_funds (funds), llm_refused (denied: the filter), llm_deadline (timeout),
// llm_cancelled (conflict), llm_nonsense (io: the backend's answer is none), llm_backend (io: it refused or failed; the text says how), llm_too_large (limit: its answer).
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/buf.h"
#include "base/err.h"
#include "net/client.h"
#include "store/store.h"

struct llm;
struct llm_call;                           // valid until its done was called
struct llm_settings;                       // settings.h: pools, models, prices, limits
struct llm_meter;                          // meter.h: coins, by whoever knows a ledger

enum llm_kind { LLM_CHAT, LLM_TEXT, LLM_EMBED };
#define LLM_NAME_BYTES 64                  // of a model, a pod, a task
#define LLM_WHO_BYTES 48

// Who asks. Fair shares go by tenant, budgets by payer, caches by tenant and player.
struct llm_from {
    char tenant[LLM_WHO_BYTES];            // "plugin:quiz", "key:12", "operator"
    char payer[LLM_WHO_BYTES];             // "plugin:quiz", "player:7", "operator"
    char player[24];                       // "" when nobody is signed in
};

// What a stream brings. Both are valid during the call only.
struct llm_delta {
    const char *text; size_t text_len;     // what was added to the first choice's content; may be empty
    const char *json; size_t json_len;     // the whole event, as the backend sent it and we checked it: an object of a known shape
};
typedef void llm_delta_fn(void *arg, struct llm_call *call, const struct llm_delta *d);

// How a call ended. Valid during done.
struct llm_end {
    const char *json; size_t json_len;     // the answer, an object; of a stream put together from its events. NULL when status is not FR_OK
    const char *text; size_t text_len;     // content of the first choice; "" when there is none (embeddings, a call of tools)
    const char *finish;                    // "stop", "length", "tool_calls", "content_filter"; "" when unknown
    const char *model, *pod;               // which did it; "" when none did
    int64_t prompt_tokens, answer_tokens;  // counted by the backend, never more than were set aside; our estimate where it says nothing
    int64_t cost_units;                    // of the meter's asset
    bool cached;                           // an earlier or parallel call's answer: costs nothing
    bool streamed;                         // some delta was given
    int64_t retry_after_ms;                // of refusals that end by themselves; 0 otherwise
    int64_t queued_ms, first_ms, total_ms; // waiting in the queue; to the first delta or the answer; all of it
    char record[40];                       // its number when it was recorded, else ""
};
typedef void llm_done_fn(void *arg, enum fr_status st, const struct llm_end *end, const struct fr_err *err);

struct llm_ask {                           // everything is copied
    enum llm_kind kind;
    struct llm_from from;
    const char *body; size_t body_len;     // the request, JSON. "model" and "stream" in it are read; "model" may be left out: the default one
    const char *need;                      // capabilities the pod has to have beside those the request shows: "vision", "audio"; comma-separated; NULL: none
    int priority;                          // 0 (a page waits) .. 2 (nobody does); not above 1 for strangers
    int deadline_ms;                       // from now; 0: LLM_DEADLINE_MS
    bool fresh;                            // no cache
    bool keep;                             // record prompt and answer whole, whatever the settings say: a match's log needs them
    const char *replay;                    // not NULL: answered from this record (its id), or with "" from the newest of the same request; the same bytes and events, no pod, no cost. "record_unknown" (not_found), "record_other" (conflict)
    llm_delta_fn *on_delta;                // NULL: not streamed to the asker, whatever "stream" says
    llm_done_fn *done;
    void *arg;
};

struct llm_options {
    uv_loop_t *loop; struct net_client *client; struct store *store;
    const struct llm_settings *settings;   // must stay until the next llm_configure or the end
    const struct llm_meter *meter;         // NULL: nothing costs coins
};
void llm_register(void);                   // migrations; before store_open
FR_MUST_USE enum fr_status llm_open(const struct llm_options *o, struct llm **ret, struct fr_err *err);
// New settings for calls to come; those under way end as they began.
FR_MUST_USE enum fr_status llm_configure(struct llm *l, const struct llm_settings *settings, struct fr_err *err);
// Ends every call (client_stopped), settles every slab, then calls done once. llm_free after the store has closed. Both take NULL; stop then calls done at once.
void llm_stop(struct llm *l, void (*done)(void *arg), void *arg);
void llm_free(struct llm *l);
// The built-in engine came up (its socket, and the key it wants or NULL), or went (NULL).
void llm_engine(struct llm *l, const char *unix_path, const char *key);
// A limit of its own for a payer or tenant ("plugin:quiz", "key:12"), in place of the settings'; NULL: the settings' again. And what is left (budget.h).
struct llm_limit; struct llm_budget_view;
void llm_limit(struct llm *l, const char *who, const struct llm_limit *limit);
void llm_left(const struct llm *l, const char *who, struct llm_budget_view *ret);

// FR_OK: accepted, and done will be called. *ret (may be NULL) is for llm_cancel. A refusal at once says in err->retry_s when it may be over. Who asks for deltas gets all of the text by them before done, if need be
// as one event at the end (from the cache, or where a filter has to see the whole); embeddings have none.
FR_MUST_USE enum fr_status llm_start(struct llm *l, const struct llm_ask *ask, struct llm_call **ret, struct fr_err *err);
void llm_cancel(struct llm_call *call);    // at any time before done, also from on_delta: no further delta; done comes soon, llm_cancelled
// A reader that is behind: no further deltas until resumed; the backend is held by TCP.
void llm_pause(struct llm_call *call);
void llm_resume(struct llm_call *call);

// What it knows of models, as the data of /v1/models: [{"id":..,"object":"model","owned_by":..,..},..]
void llm_models(const struct llm *l, struct fr_buf *out);
// For operators: pools, pods, queue, cache: one JSON object; budgets: an array of who used what. And Prometheus text.
void llm_budget_facts(const struct llm *l, struct fr_buf *out);
void llm_facts(const struct llm *l, struct fr_buf *out);
void llm_metrics(const struct llm *l, struct fr_buf *out);
bool llm_is_ready(const struct llm *l);    // some pod that chats is up
