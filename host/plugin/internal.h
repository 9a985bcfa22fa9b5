// internal.h — what the files of the runtime share. For this folder only.
//
//   runtime.c  the plugins of this host: scanned, opened, found, stopped
//   version.c  versions and their workers: started, up, down, drained, let go
//   change.c   another version takes the place of the current one: from a folder or from the store
//   enable.c   on and off
//   watch.c    --dev: a saved file is a change
//   registry.c, page.c   what the store keeps: rows, code, history; page files
#pragma once
#include "plugin/definition.h"
#include "plugin/runtime.h"

#define CALL_BUCKETS 512                       // a power of two; ids of open calls differ in their low bits
#define MARK_BYTES 132

struct open_call {                             // one call on its way through a worker
    struct plugin_call call;                   // first: what others see
    char function[65];
    uint32_t id;
    int64_t from_us;                           // monotonic
    struct open_call *next;                    // in its bucket
};
struct change;                                 // see change.c
struct watch;                                  // see watch.c
struct slot {                                  // one plugin of this host, from plugins_open to plugins_close
    struct plugin plugin;                      // first: what others see
    bool for_this_run;                         // from plugins_add_folder: not in the registry
    char home[512];                            // the folder it was found in; "": it was installed from elsewhere and lives from the store
    struct plugin_version *versions;           // newest first; the current one among them
    struct change *change;                     // the one under way, or NULL
    bool again;                                // its folder changed while a change was under way
    char noted_sha[65], noted_page[65];        // what the registry says is current
    char folder_mark[MARK_BYTES];              // what lay in the folder when the current version was chosen: it alone is no news
    struct watch *watch;
};
struct switching;                              // an enable or disable on its way through the store
struct tidy { uv_timer_t timer; struct plugins *ps; };        // in memory of its own: libuv lets go of it after us
struct plugins {
    struct plugins_options o;
    struct slot *slots[PLUGINS_MAX]; int count;
    char (*folders)[512]; int folder_count;    // o.folders, copied
    struct switching *switching, *coming;      // not yet stored; stored, and their plugin is starting
    struct change *changes;
    struct tidy *tidy;
    struct watch *watch;                       // of the folders that hold packages
    int workers;                               // running, of all versions
    bool stopped;
};
static inline struct slot *slot_of(struct plugin *p) { return (struct slot *)p; }
static inline const char *slot_id(const struct slot *s) { return s->plugin.package->manifest->id; }

// ---- runtime.c
void plugin_set_state(struct slot *s, enum plugin_state state);
void plugin_fail(struct slot *s, enum plugin_state state, const struct fr_err *why);      // `why` may be s->plugin.error itself
void plugin_start(struct slot *s);                                                        // the current version's workers
FR_MUST_USE enum fr_status slot_add(struct plugins *ps, struct package *fresh, struct slot **ret, struct fr_err *err);      // takes `fresh` over when it succeeds
FR_MUST_USE enum fr_status plugins_open_folder(struct plugins *ps, const char *folder, struct fr_err *err);
FR_MUST_USE enum fr_status plugins_scan(struct plugins *ps, const char *folder, struct fr_err *err);
void package_mark(const struct package *p, char out[MARK_BYTES]);

// ---- version.c
FR_MUST_USE enum fr_status version_new(struct slot *s, struct package *fresh, struct plugin_version **ret, struct fr_err *err);     // takes `fresh` over when it succeeds
FR_MUST_USE enum fr_status version_start(struct plugin_version *v, struct fr_err *err);
bool version_runs(const struct plugin_version *v);
void version_stop(struct plugin_version *v);                                              // its state is the caller's to set, before
void version_stop_and_tell(struct plugin_version *v, bool only_up, const char *text);      // what plays on it lets go as if it had died
void version_serve(struct slot *s, struct plugin_version *v);                             // from now on the current one; the one before drains
void version_retire(struct plugin_version *v, const char *why);
void version_forget(struct plugin_version *v);                                            // a tried one that was refused
void version_free(struct plugin_version *v);
void tidy_soon(struct plugins *ps);
FR_MUST_USE enum fr_status tidy_open(struct plugins *ps, struct fr_err *err);
void tidy_close(struct plugins *ps);

// ---- change.c
void change_on_up(struct slot *s, struct plugin_version *v);                              // every worker of a tried version is up
void change_on_failed(struct slot *s, struct plugin_version *v, const struct fr_err *why, const char *frame);
void change_expire(struct plugins *ps, int64_t now_ms, int64_t *next_ms);
void change_reload(struct slot *s);                                                       // its folder changed
void change_fall_back(struct slot *s);                                                    // the registry knows an earlier version than the one that failed
void change_note_rejected(struct slot *s, const struct fr_err *why, const char *version, const char *frame);
void change_abort(struct slot *s, const struct fr_err *why);                              // it is switched off in the middle of it
void changes_orphan(struct plugins *ps);

// ---- enable.c
void switchings_orphan(struct plugins *ps);
void switchings_tell(struct slot *s);          // its state changed

// ---- watch.c
void watch_slot(struct slot *s);                                                          // also again, after folders came and went
void watch_folders(struct plugins *ps);
void watch_end(struct watch **w);

// ---- registry.c: the tables, inside store jobs
void registry_register(void);
struct registry_entry {
    char id[PLUGIN_ID_BYTES_MAX + 1], folder[512], version[33], sha256[65], page[65], mark[MARK_BYTES];
    char *text; size_t text_len;               // package_export's form, or NULL: only `enabled` is written
    struct net_files *web; char *page_index;   // the page's files; NULL: they are not kept
    bool enabled, installed;
    int64_t now_ms;
};
struct registry_row { bool found, enabled, installed; char id[PLUGIN_ID_BYTES_MAX + 1], folder[512], sha256[65], page[65], mark[MARK_BYTES]; };
FR_MUST_USE enum fr_status registry_fill(struct registry_entry *e, const struct package *p, struct fr_err *err);     // allocates text
FR_MUST_USE enum fr_status registry_fill_page(struct registry_entry *e, const struct package *p, struct fr_err *err);
void registry_clear(struct registry_entry *e);
FR_MUST_USE enum fr_status registry_read(struct store_txn *txn, const char *id, const char *folder, struct registry_row *ret, struct fr_err *err);      // id NULL: by folder
FR_MUST_USE enum fr_status registry_enable(struct store_txn *txn, const struct registry_entry *e, struct fr_err *err);
FR_MUST_USE enum fr_status registry_keep_code(struct store_txn *txn, const struct registry_entry *e, struct fr_err *err);      // and its page
// The row says from now on that this is current; `why` goes into the history. A known row keeps its `enabled`.
FR_MUST_USE enum fr_status registry_switch(struct store_txn *txn, const struct registry_entry *e, const char *why, struct fr_err *err);
// What a rollback means by `version` (NULL: the one before): its SHA-256s.
FR_MUST_USE enum fr_status registry_find_version(struct store_txn *txn, const char *id, const char *version, char sha256[65], char page[65], struct fr_err *err);
FR_MUST_USE enum fr_status registry_package(struct store_txn *txn, const char *sha256, const char *page, struct package **ret, struct fr_err *err);
FR_MUST_USE enum fr_status registry_installed(struct store_txn *txn, char (*ids)[PLUGIN_ID_BYTES_MAX + 1], int max, int *count, struct fr_err *err);

// ---- page.c: a page's files in the store, each once
FR_MUST_USE enum fr_status page_keep(struct store_txn *txn, const struct registry_entry *e, struct fr_err *err);
FR_MUST_USE enum fr_status page_read(struct store_txn *txn, const char *page, struct net_files **ret, struct fr_err *err);
FR_MUST_USE enum fr_status page_prune(struct store_txn *txn, struct fr_err *err);

// ---- call.c
FR_MUST_USE enum fr_status plugin_terms(const struct manifest *m, char out[65], struct fr_err *err);

// ---- log.c
FR_MUST_USE enum fr_status plugin_log_new(struct plugin_log **ret, struct fr_err *err);
void plugin_log_free(struct plugin_log *log);
