// signer_local.h — chain_signer by frond-signer: a locked child of this process that holds the keys (host/signer), over a socketpair.
//
// Loop thread. All asks of one loop turn leave in one write, and come back in as few; answers come in the order asked. What it answers becomes a transaction
// of the fields that were asked for: the signer sends a signature, never bytes to be sent. It is not recovered here (36 us each): the program is ours,
// and one that lied would only make transactions that no node takes.
//
// It is not started again by itself: a passphrase that was typed is gone. Its owner hears on_gone and decides.
#pragma once
#include <uv.h>
#include "base/limits.h"
#include "chain/signer.h"

struct signer_local;
struct signer_facts { int key_count; struct address addresses[SIGNER_KEYS_MAX]; uint64_t chain_id; bool memory_all; };     // memory_all: the whole process is locked, not only the keys' pages
struct signer_local_options {
    uv_loop_t *loop;
    const char *program;                 // frond-signer, as an absolute path: it starts in /
    // Open descriptors; the caller's, who may close them when start has returned. The tally must have been opened for reading and writing.
    int policy_fd, tally_fd, passphrase_fd, keystore_fds[SIGNER_KEYS_MAX], key_count;
    int64_t ask_ms;                      // from an ask to its answer; 0: SIGNER_MS
    void (*on_ready)(void *arg, const struct signer_facts *facts);
    // Once, whether it was ready or not, unless it was stopped: FR_E_AUTH "passphrase_wrong", FR_E_DENIED with another code of its READY (host/signer/README.md),
    // FR_E_BUSY "signer_lost" (it died), FR_E_TIMEOUT (no READY), FR_E_INTERNAL "signer_protocol". Open asks have been answered then.
    void (*on_gone)(void *arg, const struct fr_err *why);
    void *arg;
};
// FR_E_IO, FR_E_NOMEM. on_ready and on_gone come later, never from inside.
FR_MUST_USE enum fr_status signer_local_start(const struct signer_local_options *o, struct signer_local **ret, struct fr_err *err);
struct chain_signer *signer_local_port(struct signer_local *s);
pid_t signer_local_pid(const struct signer_local *s);
// Ends the child; open asks are answered "signer_lost"; frees everything, then calls done (NULL is fine). Once, also after on_gone.
void signer_local_stop(struct signer_local *s, void (*done)(void *arg), void *arg);
