// merkle_test.c — every leaf of trees of every shape is proven, nothing else is.
#include "chain/merkle.h"
#include "base/check.h"
#include "base/mem.h"

static void test_every_leaf_is_proven_and_nothing_else(void)
{
    static struct merkle_hash leaf[300];
    for (int i = 0; i < 300; i++) leaf[i] = merkle_leaf(&i, sizeof i);
    for (size_t count = 1; count <= 300; count += count < 40 ? 1 : 37) {
        struct merkle *m;
        struct merkle_proof proof;
        CHECK(merkle_new(leaf, count, &m, NULL) == FR_OK);
        struct merkle_hash root = merkle_root(m), other = merkle_leaf("x", 1);
        for (size_t i = 0; i < count; i++) {
            CHECK(merkle_prove(m, &leaf[i], &proof));
            CHECK(merkle_check(&root, &leaf[i], &proof));
            CHECK(!merkle_check(&root, &other, &proof));
            if (proof.count == 0) continue;
            proof.step[proof.count - 1].bytes[31] ^= 1;
            CHECK(!merkle_check(&root, &leaf[i], &proof));
            proof.step[proof.count - 1].bytes[31] ^= 1;
            proof.count--;
            CHECK(!merkle_check(&root, &leaf[i], &proof));
        }
        CHECK(!merkle_prove(m, &other, &proof));
        merkle_free(m);
    }
}

static void test_the_order_of_leaves_does_not_matter(void)
{
    struct merkle_hash a[3] = { merkle_leaf("a", 1), merkle_leaf("b", 1), merkle_leaf("c", 1) }, b[3] = { a[2], a[0], a[1] };
    struct merkle *m, *n;
    CHECK(merkle_new(a, 3, &m, NULL) == FR_OK);
    CHECK(merkle_new(b, 3, &n, NULL) == FR_OK);
    struct merkle_hash left = merkle_root(m), right = merkle_root(n);
    CHECK(memcmp(&left, &right, sizeof left) == 0);
    merkle_free(m);
    merkle_free(n);
}

static void test_bounds(void)
{
    struct merkle *m = NULL;
    struct merkle_hash leaf = merkle_leaf("a", 1);
    struct merkle_proof proof = { .count = MERKLE_PROOF_MAX + 1 };
    CHECK_INT(merkle_new(&leaf, 0, &m, NULL), FR_E_INVALID);
    CHECK_INT(merkle_new(&leaf, MERKLE_LEAVES_MAX + 1, &m, NULL), FR_E_LIMIT);
    fr_mem_fail_at(1);
    CHECK_INT(merkle_new(&leaf, 1, &m, NULL), FR_E_NOMEM);
    fr_mem_fail_at(0);
    CHECK(!merkle_check(&leaf, &leaf, &proof));          // a stranger's count
    proof.count = -1;
    CHECK(!merkle_check(&leaf, &leaf, &proof));
    CHECK(m == NULL);
}

int main(void)
{
    TEST(test_every_leaf_is_proven_and_nothing_else);
    TEST(test_the_order_of_leaves_does_not_matter);
    TEST(test_bounds);
    return TEST_END();
}
