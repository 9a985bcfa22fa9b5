// signer_remote.h — chain_signer by somebody else's machine: Web3Signer's JSON-RPC, method eth_signTransaction. Only transactions.
//
// Nothing that comes back is believed: the raw transaction is decoded, compared with what was asked field by field, and its sender recovered.
// A remote signer has its own policy; ours (host/signer) does not stand in front of it.
// How a request gets there is a port, filled in with host/net's client: this module is pure but for it. Loop thread.
#pragma once
#include "base/buf.h"
#include "chain/signer.h"

#define REMOTE_ASK_BYTES_MAX (2 * SIGN_DATA_BYTES_MAX + 2048)
#define REMOTE_ANSWER_BYTES_MAX (2 * SIGN_DATA_BYTES_MAX + 4096)       // the transport refuses a longer body
#define REMOTE_OPEN_MAX 64                                             // asks not yet answered

// One POST of JSON, answered exactly once and never from inside post: FR_OK and the body, whatever its HTTP status; else FR_E_TIMEOUT or FR_E_IO. It has a deadline.
typedef void remote_done_fn(void *arg, enum fr_status status, const char *body, size_t len, const struct fr_err *err);
struct remote_transport { FR_MUST_USE enum fr_status (*post)(struct remote_transport *t, const char *json, size_t len, remote_done_fn *done, void *arg, struct fr_err *err); };

struct signer_remote;
struct signer_remote *signer_remote_new(struct remote_transport *transport);       // must-alloc; the transport is the caller's and outlives it
void signer_remote_free(struct signer_remote *s);                                  // no ask may be open; NULL is fine
struct chain_signer *signer_remote_port(struct signer_remote *s);                  // besides chain/signer.h's: FR_E_INVALID "signer_kind" for permits and sign-ins

// ---- its parts, for tests and fuzzers
FR_MUST_USE enum fr_status remote_ask_put(const struct sign_ask *ask, uint64_t id, struct fr_buf *out, struct fr_err *err);
// *raw_len bytes into raw (TX_BYTES_MAX), which answer->raw points to. FR_E_DENIED "signer_refused": an error of JSON-RPC; FR_E_INTERNAL "signer_answer": anything but
// this very transaction, signed by ask->from with the lower s.
FR_MUST_USE enum fr_status remote_answer_read(const struct sign_ask *ask, uint64_t id, const char *body, size_t len, uint8_t *raw, struct sign_answer *ret, struct fr_err *err);
