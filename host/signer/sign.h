// sign.h — one ask to one signature: key, policy, tally, digest, ECDSA. Pure but for the clock it is given and the tally in memory.
#pragma once
#include "base/secret.h"
#include "signer/policy.h"
#include "signer/tally.h"

struct signer {
    struct policy policy;
    struct tally *tally;
    int key_count;
    struct address addresses[SIGNER_KEYS_MAX];
    struct fr_secret *secrets;           // SIGNER_KEYS_MAX * SECRET_KEY_BYTES
    bool all_locked;                     // mlockall: the whole process, not only the keys
};
// The signature may leave only after tally_save. FR_E_DENIED "sign_key": no such key here; the policy's and the tally's codes; FR_E_INVALID: no message
// of ERC-4361, or no transaction.
FR_MUST_USE enum fr_status sign_ask(struct signer *s, const struct sign_ask *ask, int64_t now_ms, struct signature *ret, struct fr_err *err);
