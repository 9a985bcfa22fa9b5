// merkle.h — Merkle trees as OpenZeppelin's MerkleProof.sol checks them: sorted pairs, keccak, and leaves hashed twice. Pure.
//
// Leaves are hashed twice (keccak256(keccak256(bytes))) so that no inner node can be passed off as a leaf; they are sorted, and the tree is the
// complete binary one of OpenZeppelin's merkle-tree library ("StandardMerkleTree"), so its proofs and ours are the same.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/auto.h"
#include "base/err.h"

#define MERKLE_HASH_BYTES 32
#define MERKLE_LEAVES_MAX 65536
#define MERKLE_PROOF_MAX 17              // of 65,536 leaves

struct merkle_hash { uint8_t bytes[MERKLE_HASH_BYTES]; };
struct merkle_proof { struct merkle_hash step[MERKLE_PROOF_MAX]; int count; };
struct merkle;
struct merkle_hash merkle_leaf(const void *bytes, size_t len);
// Copies and sorts the leaves; equal leaves are allowed. FR_E_INVALID: none; FR_E_LIMIT: over MERKLE_LEAVES_MAX; FR_E_NOMEM.
FR_MUST_USE enum fr_status merkle_new(const struct merkle_hash *leaves, size_t count, struct merkle **ret, struct fr_err *err);
void merkle_free(struct merkle *m);        // takes NULL
FR_AUTO_DEFINE(merkle)
struct merkle_hash merkle_root(const struct merkle *m);
bool merkle_prove(const struct merkle *m, const struct merkle_hash *leaf, struct merkle_proof *ret);       // false: no such leaf
bool merkle_check(const struct merkle_hash *root, const struct merkle_hash *leaf, const struct merkle_proof *proof);
