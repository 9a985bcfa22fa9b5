// console.h — the operator's door: a unix socket in the data folder (0600), one JSON request and one JSON answer a line.
//
// {"verb":"ledger.balance","args":{..}} -> {"ok":true,"result":..} | {"ok":false,"status":n,"code":"..","detail":".."}.
// The CLI speaks to a running host only through it; without a host it opens the data folder itself and runs the same verbs (those
// marked offline). So a verb is written once. Loop thread; the work in store jobs.
#pragma once
#include "console/backup.h"
#include "llm/llm.h"
#include "play/play.h"
#include "player/session.h"
#include "plugin/runtime.h"
#include "store/store.h"
#include "treasury/treasury.h"

#define CONSOLE_SOCKET_NAME "frond.sock"
struct console;
struct console_options { uv_loop_t *loop; struct store *store; struct plugins *plugins; struct plays *plays; struct backups *backups; struct metrics *metrics; struct treasury *treasury; struct llm *llm; const char *folder; bool dev;
                         void *arg; void (*sessions_ended)(void *arg, const char *player, const struct session_ended *ended);      // their sockets must close
                         void (*wallet)(void *arg, const char *player, const char *asset);                                      // a balance changed
                         enum fr_status (*reload_models)(void *arg, struct fr_err *err); };                                                  // the config file's "models", read again; NULL: there are none
FR_MUST_USE enum fr_status console_start(const struct console_options *o, struct console **ret, struct fr_err *err);
void console_stop(struct console *c);                          // takes NULL
struct console_options *console_options_of(struct console *c);
#define CONSOLE_RESULT_BYTES_MAX MATCH_EXPORT_BYTES_MAX        // the longest answer is a match's export with its package

// One verb, as data: what `frond help`, the CLI's parser and the socket share.
struct console_op;
struct console_verb {
    const char *name;                      // "ledger.balance"
    bool offline;                          // works on the data folder without a host (then only `job` is used)
    bool write;
    store_job_fn *job;                     // runs in a store job with a struct console_op *; prints its result into op->out
    void (*live)(struct console_op *op);   // needs the running host: plugins, plays; ends with console_answer. NULL: use job
    bool slow;                             // may read for minutes: a reader of its own, a longer deadline
};
struct console_op {
    const struct console_verb *verb; const struct fr_json *args; struct fr_buf out; bool dev;
    struct console *console;               // NULL offline
    void *client;
    struct session_ended ended;            // of session.revoke: what it ended
};
void console_answer(struct console_op *op, enum fr_status status, const struct fr_err *err);      // for `live` verbs: exactly once
extern const struct console_verb console_verbs[];
extern const int console_verb_count;
const struct console_verb *console_verb_find(const char *name);
// For the ledger's audit: does whoever a hold is kept for still go on? Matches, burns, withdrawals, models.
bool console_owner_alive(struct store_txn *txn, const char *owner);
// The gateway's kept answers, which this folder cannot see: set once, beside the modules' tables (cli/modules.c). For store.facts.
extern enum fr_status (*console_count_keys)(struct store_txn *txn, int64_t now_ms, int64_t *rows, int64_t *overdue, struct fr_err *err);
