// hist.c — which bucket a value falls into, and back.
#include "base/hist.h"
#include <assert.h>
#include <string.h>

#define HIST_US_MAX ((1LL << 36) - 1)

static int bucket_of(int64_t us)
{
    if (us < 8) return us < 0 ? 0 : (int)us;       // a clock that was set back took no time
    if (us > HIST_US_MAX) us = HIST_US_MAX;
    int power = 63 - __builtin_clzll((uint64_t)us);
    return (power - 2) * 8 + (int)((us >> (power - 3)) & 7);
}

// The highest value that falls into it.
static int64_t bucket_top(int bucket)
{
    if (bucket < 8) return bucket;
    int power = bucket / 8 + 2;
    return ((int64_t)(8 + bucket % 8 + 1) << (power - 3)) - 1;
}

void fr_hist_add(struct fr_hist *h, int64_t us)
{
    h->bucket[bucket_of(us)]++;
    h->count++;
    if (us <= 0) return;
    h->sum_us += us;
    if (us > h->max_us) h->max_us = us;
}

int64_t fr_hist_quantile(const struct fr_hist *h, double q)
{
    assert(q >= 0 && q <= 1);
    if (h->count == 0) return 0;
    uint64_t want = (uint64_t)(q * (double)h->count + 0.9999999), seen = 0;
    if (want == 0) want = 1;
    int at = 0;
    while (at < HIST_BUCKETS - 1 && (seen += h->bucket[at]) < want) at++;
    int64_t top = bucket_top(at);
    return h->max_us < top ? h->max_us : top;
}

uint64_t fr_hist_below(const struct fr_hist *h, int power)
{
    assert(power >= 3 && power <= 36);
    uint64_t seen = 0;
    for (int at = 0; at < (power - 2) * 8 && at < HIST_BUCKETS; at++) seen += h->bucket[at];
    return seen;
}

void fr_hist_between(const struct fr_hist *now, const struct fr_hist *before, struct fr_hist *ret)
{
    struct fr_hist out = { .count = now->count - before->count, .sum_us = now->sum_us - before->sum_us };
    for (int at = 0; at < HIST_BUCKETS; at++) {
        out.bucket[at] = now->bucket[at] - before->bucket[at];
        if (out.bucket[at] > 0) out.max_us = bucket_top(at);
    }
    if (out.max_us > now->max_us) out.max_us = now->max_us;
    *ret = out;
}
