// treasury.h — everything of the host that reaches a chain, as one: the HTTP client, the nodes, the signer, the transaction manager, the parts. Loop thread only.
//
// Promises: nothing of it runs without a "chain" in the configuration, or --dev (then devchain.h); what is missing or broken (nodes, signer, ether, anvil) is said in
// status, metrics and logs, one line for each change, and the rest of the host serves all the same. One tick drives all. Money-out halts while any part, or the
// transaction manager, says so.
#pragma once
#include <uv.h>
#include "base/buf.h"
#include "store/store.h"
#include "treasury/devchain.h"
#include "treasury/parts.h"
#include "treasury/settings.h"

#define TREASURY_TICK_MS 50
struct treasury;
struct treasury_options {
    uv_loop_t *loop;
    struct store *store;
    const char *data, *programs;           // the data folder; the folder of frond and frond-signer. Must stay
    const struct treasury_settings *settings;              // must stay
    bool dev, none;                        // none: nothing of it runs, whatever the settings say
    const void *typed; size_t typed_len;   // the signer's passphrase, when its settings name no file: needed during treasury_open only
    const struct treasury_kind *kinds;     // NULL: those of parts.c
    void *arg;
    void (*wallet)(void *arg, const char *player, const char *asset);      // a balance changed, and it is durable
};
void treasury_register(void);              // migrations of the transaction manager and of all parts; before store_open
// FR_E_INVALID: settings that a part, or the transaction manager, does not take; then too *ret is there, to be stopped and freed. Never waits for the network.
FR_MUST_USE enum fr_status treasury_open(const struct treasury_options *o, struct treasury **ret, struct fr_err *err);
// In this order: nothing is asked of nodes any more, the parts go, then signer, node and client; done once, perhaps from inside. Then the store may close.
void treasury_stop(struct treasury *t, void (*done)(void *arg), void *arg);
void treasury_free(struct treasury *t);    // after store_close: jobs that were under way have used it until then. Takes NULL

// The part of that name (parts.h): "burn" -> a struct burn *. NULL while there is none: no chain, or it is not up yet.
void *treasury_part_of(struct treasury *t, const char *name);
const struct treasury_settings *treasury_settings_of(const struct treasury *t);        // what runs: configured, or the development chain's. NULL while nothing does
bool treasury_halted(const struct treasury *t);

// ---- for operators and pages
enum treasury_state { TREASURY_OFF, TREASURY_STARTING, TREASURY_READY, TREASURY_DOWN };
enum treasury_state treasury_state(const struct treasury *t);
const char *treasury_state_name(enum treasury_state s);
void treasury_print_status(const struct treasury *t, struct fr_buf *out);      // a JSON object: all there is
void treasury_print_page(const struct treasury *t, struct fr_buf *out);        // a JSON object: what anybody may know. {state, text, chain_id, block, final, dev, contracts}
void treasury_metrics(const struct treasury *t, struct fr_buf *out);           // Prometheus text
// FR_E_CONFLICT "chain_off", "chain_not_ready". node: a node that was found lying is looked at again; NULL: the transaction manager's halt is understood. FR_E_NOT_FOUND "node_unknown".
FR_MUST_USE enum fr_status treasury_pause(struct treasury *t, bool pause, struct fr_err *err);
FR_MUST_USE enum fr_status treasury_forgive(struct treasury *t, const char *node, struct fr_err *err);
// Buttons of the development chain: devchain_press. FR_E_CONFLICT "chain_off": there is none.
FR_MUST_USE enum fr_status treasury_press(struct treasury *t, enum devchain_button button, devchain_done_fn *done, void *arg, struct fr_err *err);
