// modules.c — which modules own tables. The host and the verbs that open the data folder themselves must agree on it.
#include "chain/txq.h"
#include "cli/cli.h"
#include "console/console.h"
#include "gateway/gateway.h"
#include "ledger/ledger.h"
#include "llm/ability.h"
#include "play/play.h"
#include "player/identity.h"
#include "plugin/runtime.h"
#include "store/kv.h"
#include "treasury/model_charge.h"
#include "treasury/treasury.h"

void host_register_modules(void)
{
    static bool done;
    if (done) return;
    done = true;
    kv_register();
    ledger_register();
    treasury_register();
    player_register();
    plugins_register();
    play_register();
    txq_register();
    withdrawal_register();
    llm_register();
    llm_abilities_register();
    model_charge_register();
    gateway_register();
    console_count_keys = gateway_keys;
}
