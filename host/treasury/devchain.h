// devchain.h — under --dev: a node of our own (anvil) with every contract on it, seeded as PALM was published, that survives whatever is killed. Loop thread.
//
// The host prints `ready` without it; it comes up behind: starting (what it needs may still be compiled), deploying, ready. It listens on 127.0.0.1 on a port
// of its own choice; who asks through devchain_transport needs not know it, and meets it only when it holds the whole chain.
//
// What survives, and why. anvil keeps nothing by itself that a kill leaves whole (its own --state-interval writes the file in place), so the host saves: after
// each block it asks for the state and puts it into DATA/chain/state, under its name only when it is on disk. anvil mines nothing by itself (--no-mining): a block is mined by the
// host, about one a second while a transaction waits (in the pool, or for cheaper gas) or a block with transactions is not final yet, and only when the block before is saved. So a
// kill -9 loses one block at most, with the transactions in it and those in the pool; blocks that are final (DEVCHAIN_FINAL_BLOCKS behind) are never lost, which is
// what the treasury's truths rest on. An idle chain mines nothing and saves nothing. anvil dies with the host (PR_SET_PDEATHSIG, SIGKILL), however the host dies.
//
// In DATA/chain: state, deployment.json (addresses; written when all is deployed and saved), key.json and passphrase (0600: the host's key, made at random), policy.json and tally (of
// frond-signer). What a deployment lacks, because a contract is new, is deployed at the next start. The accounts are those of anvil's well-known mnemonic: worth nothing anywhere.
#pragma once
#include <uv.h>
#include "net/client.h"
#include "treasury/settings.h"

#define DEVCHAIN_ID 31337
#define DEVCHAIN_FINAL_BLOCKS 3
#define DEVCHAIN_REORG_BLOCKS 2            // by the button: never a block that was final
#define DEVCHAIN_BLOCK_MS 1000             // between blocks; more when saving takes long
struct devchain;
struct devchain_options {
    uv_loop_t *loop;
    struct net_client *client;
    const char *data, *programs;           // the data folder; that of frond, near which anvil and the contracts are looked for. Must stay
    const struct treasury_settings *settings;              // anvil, artifacts, later_burn_of_reserve; must stay
    void *arg;
    void (*on_made)(void *arg, const struct treasury_settings *made);      // once: all is deployed, and this is what to be configured with
};
void devchain_new(const struct devchain_options *o, struct devchain **ret);      // must-alloc; what goes wrong shows in devchain_facts
void devchain_tick(struct devchain *d, int64_t now_ms);    // monotonic; every 50 ms or so

void devchain_want(struct devchain *d, bool blocks);       // somebody waits for blocks although nothing is pending: for gas to become cheaper, which here only new blocks bring

enum devchain_state { DEVCHAIN_STARTING, DEVCHAIN_DEPLOYING, DEVCHAIN_READY, DEVCHAIN_DOWN };
const char *devchain_state_name(enum devchain_state s);
struct devchain_facts {
    enum devchain_state state;
    char text[300];                        // "waiting for the contracts: ..; type: make contracts"; "" when there is nothing to say
    char rpc[40];                          // where it listens now; "" while it does not
    int pid;                               // 0: none
    uint64_t block, saved;                 // the newest; the newest on disk
    int64_t starts, save_ms;               // of anvil, since the host began; how long the last saving took
};
void devchain_facts(const struct devchain *d, struct devchain_facts *ret);
// For endpoints: their URL is not looked at. Refuses while there is nothing to ask.
struct chain_transport devchain_transport(struct devchain *d);

// What the page's buttons do. One at a time: FR_E_CONFLICT "in_progress"; FR_E_BUSY "chain_not_ready". done is called once, never from inside.
enum devchain_button { DEVCHAIN_MINE, DEVCHAIN_REORG, DEVCHAIN_KILL };
typedef void devchain_done_fn(void *arg, enum fr_status st, const struct fr_err *err);
FR_MUST_USE enum fr_status devchain_press(struct devchain *d, enum devchain_button button, devchain_done_fn *done, void *arg, struct fr_err *err);

void devchain_stop(struct devchain *d, void (*done)(void *arg), void *arg);      // ends anvil; done once, perhaps from inside. Takes NULL
void devchain_free(struct devchain *d);                    // when the client has stopped too. Takes NULL

// `frond DEVCHAIN_VERB ...`: what the host starts, and nobody types: becomes anvil, which ends with its parent. Returns only when it cannot.
#define DEVCHAIN_VERB "dev-chain-node"
int devchain_exec(int argc, char **argv);
