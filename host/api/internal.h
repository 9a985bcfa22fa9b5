// internal.h — what the files of api/ share: one struct per host call, and the list of handlers.
#pragma once
#include "api/api.h"
#include "api/table.h"
#include "base/buf.h"
#include "base/json.h"

struct api { struct api_options o; struct fr_map *budgets, *model_keys; };      // model_keys: of llm_ask.c, those at work

struct api_op {
    struct api *api;
    struct plugin *plugin; struct plugin_version *version;     // held: jobs read its manifest on other threads
    const struct api_call *call;
    const struct api_handler *handler;
    struct fr_json *args;                 // checked against the table
    struct plugin_caller caller;          // who the Lua call works for; player "" when nobody
    int64_t now_ms;
    struct fr_buf out;                    // the answer: JSON
    // where the answer goes: a Lua call ...
    struct plugin_worker *from; struct sandbox_worker *worker; uint32_t generation, call_id, ask_no;
    // ... or a match's ask
    void (*asked)(void *arg, bool ok, const char *json_or_code); void *asked_arg; int asked_ms;      // how long the match waits
    // for after the commit: whose balance changed, and what approval was missing
    struct api_touched touched[LINKED_MAX]; int touched_count;
    char need_asset[16]; int64_t need_units;
};

enum api_how { API_NOW, API_READ, API_WRITE, API_OWN };
struct api_handler {
    int no;
    enum api_how how;
    enum fr_status (*now)(struct api_op *op, struct fr_err *err);     // loop thread; fills op->out. API_OWN: FR_OK means that it answers by itself, with api_finish
    store_job_fn *job;                                                 // store or reader thread; arg is the op; fills op->out
};
extern const struct api_handler api_store_handlers[], api_ledger_handlers[], api_consent_handlers[], api_small_handlers[], api_burn_handlers[], api_llm_handlers[], api_llm_ability_handlers[], api_llm_search_handlers[];
extern const int api_store_handler_count, api_ledger_handler_count, api_consent_handler_count, api_small_handler_count, api_burn_handler_count, api_llm_handler_count, api_llm_ability_handler_count, api_llm_search_handler_count;

// ---- arguments: already checked by api_check_args, so these cannot fail on a checked op
const char *api_text(const struct api_op *op, const char *name);                       // NULL when absent
int64_t api_int(const struct api_op *op, const char *name, int64_t def);               // INT and UNITS
enum fr_status api_check_args(const struct api_call *call, const struct fr_json *args, struct fr_err *err);

// frond.call starts another plugin's function; it answers the op by itself.
void api_call_plugin(struct api_op *op);
void api_finish(struct api_op *op, enum fr_status status, const struct fr_err *err);    // answers and frees
FR_MUST_USE enum fr_status api_asset_granted(const struct api_op *op, const char *asset, struct fr_err *err);      // by the grant "ledger"
// ---- ledger_calls.c, for burns
#define API_LEDGER_KEY_BYTES (KEY_BYTES_MAX + 1)
struct ledger_hold;
struct ledger_account;
FR_MUST_USE enum fr_status api_ledger_key(const struct api_op *op, const char *suffix, char out[API_LEDGER_KEY_BYTES], struct fr_err *err);     // the argument `key`, prefixed with the plugin's id
FR_MUST_USE enum fr_status api_own_hold(struct store_txn *txn, const struct api_op *op, const char *id, struct ledger_hold *hold, struct ledger_account *account, struct fr_err *err);      // FR_E_NOT_FOUND "hold_unknown"
FR_MUST_USE enum fr_status api_return_approval(struct store_txn *txn, const struct ledger_hold *hold, const struct ledger_account *account, int64_t units, int64_t now_ms, struct fr_err *err);
void api_log(struct api_op *op);
void api_touch(struct api_op *op, const char *player, const char *asset);
