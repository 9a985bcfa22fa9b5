// keys.h — the signer of this host: started, watched, started again. One port that stays, whatever becomes of what stands behind it. Loop thread.
//
// Local (chain/signer_local): frond-signer dies with us, and is started again after a growing pause when its passphrase is in a file; one that was typed is
// gone with it. Remote (chain/signer_remote): over net/client. While it is not ready, asks are refused with FR_E_BUSY "signer_busy": they wait in the
// transaction manager, and everything else of the host goes on.
#pragma once
#include <uv.h>
#include "net/client.h"
#include "treasury/settings.h"

#define KEYS_AGAIN_MS_MIN 1000             // before it is started again, doubled ...
#define KEYS_AGAIN_MS_MAX 60000            // ... up to this: a wrong passphrase costs a whole scrypt each time
struct keys;
struct keys_options {
    uv_loop_t *loop;
    struct net_client *client;
    const char *program;                   // frond-signer, as an absolute path
    const struct signer_settings *settings;                // must stay
    struct address key;                    // the one that has to be there ...
    uint64_t chain_id;                     // ... and the chain that its policy has to be for
    const void *typed; size_t typed_len;   // the passphrase where settings name no file; the caller's to wipe
};
enum keys_state { KEYS_STARTING, KEYS_UP, KEYS_DOWN };
struct keys_facts { enum keys_state state; const char *kind, *code; char text[200]; pid_t pid; int64_t starts; bool memory_all; };      // kind: local, remote; code: of KEYS_DOWN, stable; starts: since we began
void keys_new(const struct keys_options *o, struct keys **ret);        // must-alloc; what goes wrong shows in keys_facts
struct chain_signer *keys_port(struct keys *k);
void keys_tick(struct keys *k, int64_t now_ms);            // monotonic
void keys_facts(const struct keys *k, struct keys_facts *ret);
// Ends it, then calls done once, perhaps from inside. keys_free: when the client has stopped too. Both take NULL; stop then calls done at once.
void keys_stop(struct keys *k, void (*done)(void *arg), void *arg);
void keys_free(struct keys *k);
