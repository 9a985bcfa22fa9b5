#include "chain/eip712.h"
#include <string.h>

void eip712_add_word(struct eip712 *e, const uint8_t word[32])
{
    keccak_add(&e->hash, word, 32);
}

void eip712_begin(struct eip712 *e, const char *type)
{
    keccak_init(&e->hash);
    eip712_add_bytes(e, type, strlen(type));
}

void eip712_add_u256(struct eip712 *e, struct u256 value)
{
    uint8_t word[U256_BYTES];
    u256_to_bytes(value, word);
    eip712_add_word(e, word);
}

void eip712_add_address(struct eip712 *e, const struct address *a)
{
    uint8_t word[32] = { 0 };
    memcpy(word + 32 - ADDRESS_BYTES, a->bytes, ADDRESS_BYTES);
    eip712_add_word(e, word);
}

void eip712_add_bool(struct eip712 *e, bool value)
{
    eip712_add_u256(e, u256_of(value));
}

void eip712_add_bytes(struct eip712 *e, const void *bytes, size_t len)
{
    uint8_t hash[KECCAK_BYTES];
    keccak256(bytes, len, hash);
    eip712_add_word(e, hash);
}

void eip712_end(struct eip712 *e, uint8_t out[32])
{
    keccak_end(&e->hash, out);
}

void eip712_domain(const char *name, const char *version, uint64_t chain_id, const struct address *contract, uint8_t out[32])
{
    struct eip712 e;
    eip712_begin(&e, "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    eip712_add_bytes(&e, name, strlen(name));
    eip712_add_bytes(&e, version, strlen(version));
    eip712_add_u256(&e, u256_of(chain_id));
    eip712_add_address(&e, contract);
    eip712_end(&e, out);
}

void eip712_digest(const uint8_t domain_hash[32], const uint8_t struct_hash[32], uint8_t out[32])
{
    static const uint8_t prefix[2] = { 0x19, 0x01 };
    struct keccak k;
    keccak_init(&k);
    keccak_add(&k, prefix, sizeof prefix);
    keccak_add(&k, domain_hash, 32);
    keccak_add(&k, struct_hash, 32);
    keccak_end(&k, out);
}
