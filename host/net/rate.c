// rate.c — the table of buckets.
#include "net/rate.h"
#include <assert.h>
#include "base/map.h"
#include "base/mem.h"

#define SWEEP_MS 1000

struct bucket { double tokens; int64_t at_ms; };
struct net_rate { double per_ms, burst; struct fr_map *buckets; struct bucket others; int64_t swept_ms; size_t most; };

struct net_rate *net_rate_new(int per_second, int burst, size_t keys_max)
{
    assert(per_second > 0 && burst > 0 && keys_max > 0);
    struct net_rate *r = fr_must_alloc(sizeof *r);
    *r = (struct net_rate){ .per_ms = per_second / 1000.0, .burst = burst, .buckets = fr_map_new(keys_max), .others = { burst, 0 }, .most = keys_max };
    return r;
}

void net_rate_free(struct net_rate *r)
{
    if (!r) return;
    size_t at = 0, len;
    const void *key;
    void *bucket;
    while (fr_map_walk(r->buckets, &at, &key, &len, &bucket)) fr_free(bucket);
    fr_map_free(r->buckets);
    fr_free(r);
}

static double tokens_now(const struct net_rate *r, const struct bucket *b, int64_t now_ms)
{
    double tokens = b->tokens + (double)(now_ms > b->at_ms ? now_ms - b->at_ms : 0) * r->per_ms;
    return tokens < r->burst ? tokens : r->burst;
}

static void sweep(struct net_rate *r, int64_t now_ms)
{
    size_t at = 0, len;
    const void *key;
    void *value;
    if (r->swept_ms != 0 && now_ms - r->swept_ms < SWEEP_MS) return;      // walking costs; it is not done for every stranger
    r->swept_ms = now_ms;
    while (fr_map_walk(r->buckets, &at, &key, &len, &value)) {
        if (tokens_now(r, value, now_ms) < r->burst) continue;
        fr_map_remove(r->buckets, key, len);
        fr_free(value);
    }
}

static struct bucket *bucket_of(struct net_rate *r, const void *key, size_t len, int64_t now_ms)
{
    struct bucket *b = fr_map_get(r->buckets, key, len);
    if (b) return b;
    if (fr_map_size(r->buckets) >= r->most) sweep(r, now_ms);
    if (fr_map_size(r->buckets) >= r->most) return &r->others;
    b = fr_alloc(sizeof *b);
    if (!b) return &r->others;
    *b = (struct bucket){ r->burst, now_ms };
    if (fr_map_put(r->buckets, key, len, b)) return b;
    fr_free(b);
    return &r->others;
}

int64_t net_rate_take(struct net_rate *r, const void *key, size_t len, int64_t now_ms)
{
    if (!r) return 0;
    struct bucket *b = bucket_of(r, key, len, now_ms);
    b->tokens = tokens_now(r, b, now_ms);
    if (now_ms > b->at_ms) b->at_ms = now_ms;
    if (b->tokens < 1) return (int64_t)((1 - b->tokens) / r->per_ms) + 1;
    b->tokens -= 1;
    return 0;
}

size_t net_rate_size(const struct net_rate *r)
{
    return fr_map_size(r->buckets);
}
