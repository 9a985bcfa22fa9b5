// eip712.h — typed structured data (EIP-712): what a wallet signs for a permit or an order. Pure.
//
//     struct eip712 e;
//     eip712_begin(&e, "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
//     eip712_add_address(&e, &owner); ...              // one for each member, in the type's order
//     eip712_end(&e, struct_hash);
//     eip712_digest(domain_hash, struct_hash, digest); // this is signed
#pragma once
#include "chain/address.h"
#include "chain/keccak.h"
#include "chain/u256.h"

struct eip712 { struct keccak hash; };
// `type`: encodeType of the struct, with the types it refers to behind it, sorted by name.
void eip712_begin(struct eip712 *e, const char *type);
void eip712_add_word(struct eip712 *e, const uint8_t word[32]);                  // bytes32, or the hash of a nested struct
void eip712_add_u256(struct eip712 *e, struct u256 value);
void eip712_add_address(struct eip712 *e, const struct address *a);
void eip712_add_bool(struct eip712 *e, bool value);
void eip712_add_bytes(struct eip712 *e, const void *bytes, size_t len);          // bytes and string: their hash goes in
void eip712_end(struct eip712 *e, uint8_t out[32]);
// EIP712Domain(string name,string version,uint256 chainId,address verifyingContract): the form that OpenZeppelin's contracts use.
void eip712_domain(const char *name, const char *version, uint64_t chain_id, const struct address *contract, uint8_t out[32]);
void eip712_digest(const uint8_t domain_hash[32], const uint8_t struct_hash[32], uint8_t out[32]);
