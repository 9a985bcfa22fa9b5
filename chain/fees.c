// fees.c — saturating arithmetic: what does not fit is over any cap.
#include "chain/fees.h"
#include <stdlib.h>

static const struct u256 most = { { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX } };

static struct u256 plus(struct u256 a, struct u256 b)
{
    struct u256 sum = most;
    return u256_add(a, b, &sum) ? sum : most;
}

static struct u256 percent(struct u256 a, int parts)      // rounded up
{
    struct u256 product = most;
    return u256_mul_div(a, u256_of((uint64_t)parts), u256_of(100), true, &product) ? product : most;
}

static struct u256 larger(struct u256 a, struct u256 b) { return u256_compare(a, b) > 0 ? a : b; }
static struct u256 smaller(struct u256 a, struct u256 b) { return u256_compare(a, b) < 0 ? a : b; }

static bool bid(const struct fees_rules *rules, const struct fees_seen *seen, bool legacy, struct fees *ret)
{
    if (legacy) {
        struct u256 price = seen->legacy ? seen->gas_price : plus(seen->base, larger(seen->tip, rules->tip_least));
        if (u256_compare(price, rules->max_fee_cap) > 0) return false;
        *ret = (struct fees){ .max_fee = larger(price, smaller(rules->tip_least, rules->max_fee_cap)) };
        return true;
    }
    struct u256 tip = smaller(larger(seen->tip, rules->tip_least), rules->tip_cap);
    struct u256 base = seen->legacy ? seen->gas_price : seen->base;
    if (u256_compare(plus(base, smaller(rules->tip_least, rules->tip_cap)), rules->max_fee_cap) > 0) return false;
    struct u256 fee = smaller(plus(plus(base, base), tip), rules->max_fee_cap);
    *ret = (struct fees){ .max_fee = fee, .tip = smaller(tip, fee) };
    return true;
}

bool fees_first(const struct fees_rules *rules, const struct fees_seen *seen, struct fees *ret)
{
    return seen->known && bid(rules, seen, seen->legacy, ret);
}

static struct u256 raised(struct u256 old) { return larger(percent(old, 100 + FEES_RAISE_PERCENT), plus(old, u256_of(1))); }

bool fees_raise(const struct fees_rules *rules, const struct fees_seen *seen, bool legacy, const struct fees *old, int caps_percent, struct fees *ret)
{
    struct fees_rules wide = *rules;
    struct fees want = { 0 };
    wide.max_fee_cap = percent(rules->max_fee_cap, caps_percent);
    wide.tip_cap = percent(rules->tip_cap, caps_percent);
    struct fees next = { .max_fee = raised(old->max_fee) };
    if (!legacy) next.tip = raised(old->tip);
    if (seen->known && !bid(&wide, seen, legacy, &want)) return false;         // no block would take the raise either: it would only use up an attempt
    next.max_fee = larger(next.max_fee, want.max_fee);
    next.tip = larger(next.tip, want.tip);
    next.max_fee = larger(next.max_fee, next.tip);
    if (u256_compare(next.max_fee, wide.max_fee_cap) > 0 || u256_compare(next.tip, wide.tip_cap) > 0) return false;
    *ret = next;
    return true;
}

static int order(const void *a, const void *b) { return u256_compare(*(const struct u256 *)a, *(const struct u256 *)b); }

struct u256 fees_median(struct u256 *tips, int count)
{
    if (count <= 0) return u256_of(0);
    qsort(tips, (size_t)count, sizeof *tips, order);
    return tips[count / 2];
}
