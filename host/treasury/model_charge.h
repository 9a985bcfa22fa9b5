// model_charge.h — what models cost, in coins: fills in the port of llm/meter.h. A slab is one hold in the ledger, spent in memory by the core, and ended here.
//
// Who pays: "player:7" within what he approved (of a plugin: his approval of that plugin, as ledger.charge asks for it; of an API key: what the key may spend), "plugin:quiz" out of its own account. Who is
// asked for an approval is told through model_approval, so that nothing here knows players.
//
// A slab is made in one job: the approval spent, the hold (owner "llm:<n>", which no clock ends), the row. The core says each second how much of it was used; that is a row's column, no journal entry.
// At its end one settlement pays for what was used: burn_bps of it to burn:<plugin>, or burn:llm where no plugin asked, the rest to the treasury; what was not used goes back, to the balance and to the approval.
//
// A crash: slabs that are open at the next start are ended with what was last said to be used. So the payer never pays for what was not used, and what was used in the last second and not said yet is the
// operator's loss: at most what the open slabs held (one of each payer and tenant, or two while the next is fetched before the first is empty). A slab whose making was not told to the core before the crash ends with nothing used. Coins are never gone: until then they are in the hold.
//
// Loop thread, but for what takes a struct store_txn.
#pragma once
#include "llm/meter.h"
#include "ledger/ledger.h"

struct model_charge;
struct model_approval {
    void *arg;
    // On the loop, before the job: the payees that the player saw (a plugin's terms), for the tenant. May be NULL; terms "" then. A refusal ends the call.
    enum fr_status (*terms)(void *arg, const char *tenant, char terms[SHA256_HEX_BYTES], struct fr_err *err);
    // In the job: takes between least and wish units of what `player` approved for `tenant`: *got. FR_E_DENIED, FR_E_FUNDS when less is left.
    enum fr_status (*spend)(struct store_txn *txn, void *arg, const char *player, const char *tenant, const char *asset, const char *terms, int64_t least, int64_t wish, int64_t now_ms, int64_t *got, struct fr_err *err);
    enum fr_status (*give_back)(struct store_txn *txn, void *arg, const char *player, const char *tenant, const char *asset, int64_t units, int64_t spent_ms, int64_t now_ms, struct fr_err *err);
};
struct model_charge_options {
    uv_loop_t *loop; struct store *store;
    const char *asset; int burn_bps;       // copied
    struct model_approval approval;
    void *arg; void (*wallet)(void *arg, const char *player, const char *asset);      // a balance changed, and it is durable
};
void model_charge_register(void);          // migrations; before store_open, after ledger_register
// Ends the slabs of an earlier run, now. FR_E_NOT_FOUND "asset_unknown".
FR_MUST_USE enum fr_status model_charge_open(const struct model_charge_options *o, struct model_charge **ret, struct fr_err *err);
void model_charge_configure(struct model_charge *m, const char *asset, int burn_bps);      // of slabs to come
const struct llm_meter *model_charge_meter(const struct model_charge *m);
// After the core has stopped (llm_stop settles all). The store may still have jobs of it: free after store_close.
void model_charge_stop(struct model_charge *m);
void model_charge_free(struct model_charge *m);          // takes NULL
void model_charge_facts(const struct model_charge *m, struct fr_buf *out);
void model_charge_metrics(const struct model_charge *m, struct fr_buf *out);
// For the ledger's audit: is "llm:<n>" a slab that has not ended?
bool model_charge_owner_alive(struct store_txn *txn, const char *owner);
