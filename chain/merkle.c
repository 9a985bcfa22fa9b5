// merkle.c — the tree is an array: node i has the children 2i+1 and 2i+2, the root is node 0, and the sorted leaves fill it from its end.
#include "chain/merkle.h"
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "chain/keccak.h"

struct merkle { size_t leaves, nodes; struct merkle_hash node[]; };

struct merkle_hash merkle_leaf(const void *bytes, size_t len)
{
    struct merkle_hash once, twice;
    keccak256(bytes, len, once.bytes);
    keccak256(once.bytes, sizeof once.bytes, twice.bytes);
    return twice;
}

static int hash_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct merkle_hash));
}

static struct merkle_hash pair(const struct merkle_hash *a, const struct merkle_hash *b)
{
    struct merkle_hash both[2], out;
    bool swap = hash_order(a, b) > 0;
    both[0] = swap ? *b : *a;
    both[1] = swap ? *a : *b;
    keccak256(both, sizeof both, out.bytes);
    return out;
}

enum fr_status merkle_new(const struct merkle_hash *leaves, size_t count, struct merkle **ret, struct fr_err *err)
{
    if (count == 0) return FR_FAIL(err, FR_E_INVALID, "a Merkle tree needs a leaf");
    if (count > MERKLE_LEAVES_MAX) return FR_FAIL(err, FR_E_LIMIT, "a Merkle tree of over %d leaves", MERKLE_LEAVES_MAX);
    size_t nodes = 2 * count - 1;
    struct merkle *m = fr_alloc(sizeof *m + nodes * sizeof *m->node);
    if (!m) return FR_FAIL(err, FR_E_NOMEM, "no memory for a Merkle tree of %zu leaves", count);
    m->leaves = count;
    m->nodes = nodes;
    for (size_t i = 0; i < count; i++) m->node[count - 1 + i] = leaves[i];
    qsort(m->node + count - 1, count, sizeof *m->node, hash_order);
    for (size_t i = 0; i < count / 2; i++) {             // the smallest leaf stands last
        struct merkle_hash swap = m->node[count - 1 + i];
        m->node[count - 1 + i] = m->node[nodes - 1 - i];
        m->node[nodes - 1 - i] = swap;
    }
    for (size_t i = count - 1; i-- > 0;) m->node[i] = pair(&m->node[2 * i + 1], &m->node[2 * i + 2]);
    *ret = m;
    return FR_OK;
}

void merkle_free(struct merkle *m)
{
    fr_free(m);
}

struct merkle_hash merkle_root(const struct merkle *m)
{
    return m->node[0];
}

bool merkle_prove(const struct merkle *m, const struct merkle_hash *leaf, struct merkle_proof *ret)
{
    size_t at = m->leaves - 1;
    while (at < m->nodes && hash_order(&m->node[at], leaf) != 0) at++;
    if (at == m->nodes) return false;
    ret->count = 0;
    for (; at > 0; at = (at - 1) / 2) ret->step[ret->count++] = m->node[at % 2 ? at + 1 : at - 1];
    return true;
}

bool merkle_check(const struct merkle_hash *root, const struct merkle_hash *leaf, const struct merkle_proof *proof)
{
    struct merkle_hash at = *leaf;
    if (proof->count < 0 || proof->count > MERKLE_PROOF_MAX) return false;
    for (int i = 0; i < proof->count; i++) at = pair(&at, &proof->step[i]);
    return hash_order(&at, root) == 0;
}
