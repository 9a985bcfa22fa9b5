// runtime.h — the plugins of this host: which are installed and enabled (persisted), their versions, workers, calls and logs.
// Loop thread only.
//
// plugins_open scans the given folders (games/, plugins/), registers new packages (enabled when `trust_new`, as under --dev and for
// the host's own folders), and starts workers. A plugin that does not load keeps its error for `plugin list` and answers calls with
// 503 "plugin_failed". Package code is kept in the store by SHA-256, so that matches can be replayed after it changed.
//
// A `plugin` has one current version and perhaps older ones that drain; a `plugin_version` is one package with its workers; a
// `plugin_worker` is one supervised process. Calls go to the least busy worker of the current version. A match is pinned to one worker
// and stays with its version: a new version gets new workers, is switched to only when all of them are up, and the old one's workers
// stop when its last match and call ended, or drain_ms later. So while versions change there is never a moment without a worker.
#pragma once
#include "plugin/package.h"
#include "store/store.h"

struct plugins;
enum plugin_state { PLUGIN_STARTING, PLUGIN_UP, PLUGIN_DOWN, PLUGIN_FAILED, PLUGIN_DISABLED, PLUGIN_QUARANTINED };
enum version_state {
    VERSION_TRIED,                            // its workers load; nobody is sent to it
    VERSION_CURRENT,                          // calls and new matches go to it
    VERSION_DRAINING,                         // it only ends what it began
    VERSION_OVER,                             // it has no workers and gets none again by itself
};
struct plugin_version;
struct plugin_worker {
    struct plugin_version *version;
    struct sandbox_worker *sandbox;           // NULL while its version is stopped
    int no;                                   // 1..version->worker_count
    bool up;
    int matches, calls;                       // pinned to it; open in it
    uint64_t slots[MATCHES_PER_WORKER_MAX / 64];      // numbers of matches that its program holds; 0 is no match's
    struct open_call **open;
};
struct plugin_version {
    struct plugin *plugin;
    struct package *package;
    struct fr_json *definition;               // what LOADED said; NULL before
    char terms[65];                           // SHA-256 of the splits a `charge` or `hold` may use: what consent binds outside matches
    enum version_state state;
    const char *over_why;                     // VERSION_OVER: why its matches cannot go on: "version_retired", "version_failed"
    int64_t drain_due_ms;                     // monotonic; of a draining one
    struct plugin_worker *workers; int worker_count;
    int refs;                                 // who points at it: it stays in memory until the last of them let go
    struct plugin_version *next;
};
struct plugin {
    struct plugin_version *current;           // never NULL
    struct package *package;                  // of the current version, as the next two
    struct fr_json *definition;
    const char *terms;
    enum plugin_state state;                  // of the current version: UP while any worker of it is
    struct fr_err error;                      // why FAILED or QUARANTINED
    struct fr_err rejected;                   // why a newer version was not taken; status FR_OK: none was
    char rejected_version[33]; char *rejected_frame;     // the code around the mistake, or NULL
    struct plugins *all;
    void *play;                               // a slot for play/
    int64_t calls, refused, raised;
    struct plugin_log *log;
    struct meter *meter;                      // use.h
};
const char *plugin_state_name(enum plugin_state s);
const char *version_state_name(enum version_state s);

struct plugins_options {
    uv_loop_t *loop; struct store *store; struct sandbox *sandbox;
    const char *const *folders; int folder_count;         // each holds package folders
    bool trust_new;
    int cpu_percent;                                      // of a core, for each plugin; 0: PLUGIN_CPU_PERCENT_DEFAULT
    const struct plugin_budget *budgets; int budget_count;      // other numbers for some; they outlive us
    bool watch;                                           // --dev: a saved file is a new version, and a new folder a new plugin
    int64_t drain_ms;                                     // 0: VERSION_DRAIN_MS
    void *arg;
    void (*on_ask)(void *arg, struct plugin_worker *w, const struct sandbox_ask *ask);      // api/ answers
    void (*on_up)(void *arg, struct plugin_worker *w);                                      // play/ rebuilds the matches of this worker
    // Also "stopped": switched off, replaced or drained; p->state and version->state say which.
    void (*on_down)(void *arg, struct plugin_worker *w, const struct sandbox_death *death);
};
void plugins_register(void);                              // migrations; before store_open
FR_MUST_USE enum fr_status plugins_open(const struct plugins_options *o, struct plugins **ret, struct fr_err *err);
// Stops the workers, answers their open calls, starts none again; every struct plugin stays. Store jobs and callbacks that still point
// into plugins (api/, play/) may end now: call plugins_close when they have, that is after store_close.
void plugins_stop(struct plugins *ps);
void plugins_close(struct plugins *ps);                   // plugins_stop, then frees everything; takes NULL
struct plugin *plugins_find(struct plugins *ps, const char *id);          // NULL when unknown
struct plugin *plugins_next(struct plugins *ps, struct plugin *after);    // walk; NULL starts
typedef void plugins_done_fn(void *arg, enum fr_status status, const struct fr_err *err);
// FR_E_NOT_FOUND "plugin_unknown". Persisted before done is called; enabling starts the workers and is done when one is up, or with why none will be (it stays
// enabled: a mended plugin comes up by itself); disabling stops them (matches of it are voided by play/).
FR_MUST_USE enum fr_status plugins_enable(struct plugins *ps, const char *id, bool enable, plugins_done_fn *done, void *arg, struct fr_err *err);
// Loads a folder outside the given ones for this run only (the development page's hostile plugin). Replaces one of the same id.
FR_MUST_USE enum fr_status plugins_add_folder(struct plugins *ps, const char *folder, struct plugin **ret, struct fr_err *err);

// ---- versions. `done` comes when the new version serves and that is on disk, or when it was refused and the old one stayed: then
// with the refusal (its file, line and code frame stand in the plugin's log and in p->rejected). One change of a plugin at a time:
// FR_E_BUSY "plugin_changing".
// Takes the package that lies in `folder`; NULL: in the plugin's own. `id` NULL: whatever id it has, also a new one.
FR_MUST_USE enum fr_status plugins_update(struct plugins *ps, const char *id, const char *folder, plugins_done_fn *done, void *arg, struct fr_err *err);
// Back to the version that served before (`version` NULL), to one by its number, or by the beginning of its SHA-256; from the code and
// the page files in the store. FR_E_NOT_FOUND "version_unknown".
FR_MUST_USE enum fr_status plugins_rollback(struct plugins *ps, const char *id, const char *version, plugins_done_fn *done, void *arg, struct fr_err *err);
// The version with this package: one that runs, or from the store, started to drain. For play/ at start-up, inside a store job on the
// loop thread. FR_E_NOT_FOUND "version_gone": neither the plugin nor its code is here.
FR_MUST_USE enum fr_status plugins_older_version(struct plugins *ps, struct store_txn *txn, const char *id, const char *sha256, struct plugin_version **ret, struct fr_err *err);
// JSON array of what served here, newest first: {sha256, version, why, since, current, page}. Inside a store job.
FR_MUST_USE enum fr_status plugins_history(struct store_txn *txn, const char *id, struct fr_buf *out, struct fr_err *err);
struct plugin_version *plugin_version_next(const struct plugin *p, const struct plugin_version *after);      // walk, newest first; NULL starts
void plugin_version_ref(struct plugin_version *v);
void plugin_version_unref(struct plugin_version *v);      // takes NULL
int plugin_version_matches(const struct plugin_version *v);
int plugin_workers_up(const struct plugin_version *v);
// A worker for a new match of this version: the one with the fewest. The pin holds the version in memory and its workers running.
struct plugin_worker *plugin_pin(struct plugin_version *v);
void plugin_unpin(struct plugin_worker *w);
bool plugin_has_room(const struct plugin_version *v);     // some worker of it can hold one more
// The number by which the worker's program knows a match, from 1, lower than MATCHES_PER_WORKER_MAX. 0: it holds as many as it can.
FR_MUST_USE uint32_t plugin_slot_take(struct plugin_worker *w);
void plugin_slot_give(struct plugin_worker *w, uint32_t slot);    // takes 0

// ---- calls
struct plugin_caller {                         // who is asking; copied
    char player[24], name[65], lang[16];       // player "" when nobody is signed in
    char source[48]; char request_id[40]; char key[KEY_BYTES_MAX + 1];
    int depth;                                 // of plugin-to-plugin calls; bounded by 4
    void (*stream)(void *arg, const char *text, size_t len);       // what the call says before its answer, with the arg of plugin_call_start; NULL: nobody listens
};
struct plugin_answer;
struct plugin_call {                           // what on_ask finds as sandbox_ask.call_arg: lives until done returned
    struct plugin *plugin; struct plugin_worker *worker; struct plugin_caller caller;
    char need_asset[16]; int64_t need_units; char need_intent[40];   // the last "consent_required" it ran into, set by api/
    size_t streamed; bool stream_cut;          // bytes handed on so far; more came than STREAM_CALL_BYTES_MAX
    void (*done)(void *arg, const struct plugin_answer *a); void *arg;
};
// call: the call itself, for its need_* (the gateway shows the approval sheet).
struct plugin_answer { enum fr_status status; const char *json; size_t len; const char *detail; struct fr_err err; const struct plugin_call *call; };   // status FR_OK: json is the value; else err.code, err.text (plugin's refusal: FR_E_CONFLICT with its code)
// Checks that the function is declared, that a player is there when it needs one, that args fit the schema; then runs it.
// Refusals before that: function_unknown (404), bad_arguments (400), plugin_disabled/plugin_failed/plugin_starting (503).
FR_MUST_USE enum fr_status plugin_call_start(struct plugin *p, const char *function, const char *args, size_t args_len, const struct plugin_caller *caller,
                                             void (*done)(void *arg, const struct plugin_answer *a), void *arg, struct fr_err *err);
// The call with this frame id in the worker's present generation, or NULL when it has ended.
struct plugin_call *plugin_call_find(struct plugin_worker *w, uint32_t generation, uint32_t call_id);
// Hands text to whoever called, before the answer: what ctx:stream does, and host calls that stream for it (llm.chat with stream=true; find the call with plugin_call_find
// each time, it may have ended). UTF-8, any length; what is no UTF-8 is left out. False: nobody listens, or that was more than STREAM_CALL_BYTES_MAX in all; the answer is not touched by it.
bool plugin_call_stream(struct plugin_call *c, const char *text, size_t len);
// ---- logs: the last PLUGIN_LOG_LINES_MAX lines, JSON each
void plugin_log_add(struct plugin *p, const char *level, const char *text, const char *fields_json);
void plugin_log_print(const struct plugin *p, int limit, struct fr_buf *out);      // a JSON array, oldest first
// The package a match was played with. FR_E_NOT_FOUND. Inside a store job. *text is fr_alloc'ed (package_export's form).
FR_MUST_USE enum fr_status plugin_package_stored(struct store_txn *txn, const char *sha256, char **text, struct fr_err *err);
