#include "signer/sign.h"
#include <string.h>
#include "base/hash.h"
#include "chain/eip712.h"

static int key_of(const struct signer *s, const struct address *a)
{
    for (int i = 0; i < s->key_count; i++) if (address_equal(&s->addresses[i], a)) return i;
    return -1;
}

// What of a transaction never changes when it is signed again with other fees.
static void tx_digest(const struct sign_ask *ask, uint8_t out[32])
{
    struct fr_sha256 h;
    uint8_t value[U256_BYTES];
    u256_to_bytes(ask->tx.value, value);
    fr_sha256_init(&h);
    fr_sha256_add(&h, "tx", 2);
    fr_sha256_add(&h, ask->from.bytes, ADDRESS_BYTES);
    fr_sha256_add(&h, &ask->tx.chain_id, sizeof ask->tx.chain_id);
    fr_sha256_add(&h, &ask->tx.nonce, sizeof ask->tx.nonce);
    fr_sha256_add(&h, ask->tx.to.bytes, ADDRESS_BYTES);
    fr_sha256_add(&h, value, sizeof value);
    fr_sha256_add(&h, ask->tx.data, ask->tx.data_len);
    fr_sha256_end(&h, out);
}

static void permit_hash(const struct signer *s, const struct sign_ask *ask, uint8_t out[32])
{
    const struct policy_token *token = policy_token(&s->policy, &ask->permit.token);
    struct eip712 e;
    uint8_t domain[32], hash[32];
    eip712_domain(token->name, token->version, ask->permit.chain_id, &token->at, domain);
    eip712_begin(&e, "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    eip712_add_address(&e, &ask->from);
    eip712_add_address(&e, &ask->permit.spender);
    eip712_add_u256(&e, ask->permit.value);
    eip712_add_u256(&e, ask->permit.nonce);
    eip712_add_u256(&e, u256_of(ask->permit.deadline_s));
    eip712_end(&e, hash);
    eip712_digest(domain, hash, out);
}

static enum fr_status siwe_hash(const struct siwe *m, uint8_t out[32], struct fr_err *err)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, SIWE_BYTES_MAX);
    FR_TRY(siwe_print(m, &text, err));
    personal_message_hash(text.data, text.len, out);
    return FR_OK;
}

static enum fr_status hash_of(const struct signer *s, const struct sign_ask *ask, uint8_t hash[32], uint8_t digest[32], struct fr_err *err)
{
    if (ask->kind == SIGN_A_TX) {
        tx_digest(ask, digest);
        return tx_signing_hash(&ask->tx, hash, err);
    }
    if (ask->kind == SIGN_A_PERMIT) permit_hash(s, ask, hash);
    else FR_TRY(siwe_hash(&ask->siwe, hash, err));
    memcpy(digest, hash, 32);
    return FR_OK;
}

enum fr_status sign_ask(struct signer *s, const struct sign_ask *ask, int64_t now_ms, struct signature *ret, struct fr_err *err)
{
    struct spends spends;
    uint8_t hash[32], digest[32];
    char text[ADDRESS_TEXT_BYTES];
    int key = key_of(s, &ask->from);
    if (key < 0) return FR_FAIL_CODE(err, FR_E_DENIED, "sign_key", "the signer has no key of %s", address_text(&ask->from, text));
    FR_TRY(policy_judge(&s->policy, ask, s->addresses, s->key_count, now_ms, &spends, err));
    FR_TRY(hash_of(s, ask, hash, digest, err));
    FR_TRY(tally_take(s->tally, &spends, digest, now_ms, err));
    return signature_make(fr_secret_bytes(s->secrets) + key * SECRET_KEY_BYTES, hash, ret, err);
}
