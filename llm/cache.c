// cache.c — one block of memory for each answer, in a list by last use.
#include "llm/cache.h"
#include <string.h>
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"

struct entry {
    struct entry *newer, *older;
    uint8_t key[SHA256_BYTES];
    int64_t until_ms, prompt_tokens, answer_tokens;
    size_t json_len, text_len, size;
    const char *text, *finish;             // behind json
    char json[];
};
struct llm_cache {
    struct fr_map *by_key;
    struct entry *newest, *oldest;
    int64_t bytes_max, ttl_ms, bytes, hits, misses, dropped;
};

struct llm_cache *llm_cache_new(int64_t bytes, int64_t ttl_ms)
{
    struct llm_cache *c = fr_must_alloc(sizeof *c);
    c->bytes_max = bytes;
    c->ttl_ms = ttl_ms;
    c->by_key = fr_map_new(LLM_CACHE_ENTRIES_MAX);
    return c;
}

static void unlink_entry(struct llm_cache *c, struct entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void link_newest(struct llm_cache *c, struct entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    *(c->newest ? &c->newest->newer : &c->oldest) = e;
    c->newest = e;
}

static void drop(struct llm_cache *c, struct entry *e)
{
    unlink_entry(c, e);
    fr_map_remove(c->by_key, e->key, sizeof e->key);
    c->bytes -= (int64_t)e->size;
    fr_free(e);
}

void llm_cache_free(struct llm_cache *c)
{
    if (!c) return;
    while (c->oldest) drop(c, c->oldest);
    fr_map_free(c->by_key);
    fr_free(c);
}

void llm_cache_bounds(struct llm_cache *c, int64_t bytes, int64_t ttl_ms)
{
    c->bytes_max = bytes;
    c->ttl_ms = ttl_ms;
    while (c->oldest && c->bytes > bytes) drop(c, c->oldest);
}

// Each part with its end, so that no two askers' parts run together into the same bytes.
void llm_cache_key(const struct llm_from *from, const char *model, const uint8_t request[SHA256_BYTES], uint8_t key[SHA256_BYTES])
{
    struct fr_sha256 s;
    fr_sha256_init(&s);
    fr_sha256_add(&s, from->tenant, strlen(from->tenant) + 1);
    fr_sha256_add(&s, from->player, strlen(from->player) + 1);
    fr_sha256_add(&s, model, strlen(model) + 1);
    fr_sha256_add(&s, request, SHA256_BYTES);
    fr_sha256_end(&s, key);
}

bool llm_cache_get(struct llm_cache *c, const uint8_t key[SHA256_BYTES], int64_t now_ms, struct llm_cached *ret)
{
    struct entry *e = fr_map_get(c->by_key, key, SHA256_BYTES);
    if (e && e->until_ms <= now_ms) {
        drop(c, e);
        e = NULL;
    }
    if (!e) { c->misses++; return false; }
    c->hits++;
    unlink_entry(c, e);
    link_newest(c, e);
    *ret = (struct llm_cached){ e->json, e->json_len, e->text, e->finish, e->prompt_tokens, e->answer_tokens };
    return true;
}

void llm_cache_put(struct llm_cache *c, const uint8_t key[SHA256_BYTES], int64_t now_ms, const struct llm_cached *what)
{
    size_t text_len = strlen(what->text), finish_len = strlen(what->finish), size = sizeof(struct entry) + what->json_len + text_len + finish_len + 3;
    struct entry *e = fr_map_get(c->by_key, key, SHA256_BYTES);
    if (e) drop(c, e);
    if ((int64_t)size > c->bytes_max / 4) return;          // one answer does not push out all others
    while (c->oldest && (c->bytes + (int64_t)size > c->bytes_max || fr_map_size(c->by_key) >= LLM_CACHE_ENTRIES_MAX)) drop(c, c->oldest), c->dropped++;
    e = fr_alloc(size);
    if (!e) return;
    memcpy(e->key, key, SHA256_BYTES);
    memcpy(e->json, what->json, what->json_len);
    memcpy(e->json + what->json_len + 1, what->text, text_len);
    memcpy(e->json + what->json_len + 1 + text_len + 1, what->finish, finish_len);
    e->text = e->json + what->json_len + 1;
    e->finish = e->text + text_len + 1;
    e->json_len = what->json_len;
    e->until_ms = now_ms + c->ttl_ms;
    e->prompt_tokens = what->prompt_tokens;
    e->answer_tokens = what->answer_tokens;
    e->size = size;
    if (!fr_map_put(c->by_key, key, SHA256_BYTES, e)) { fr_free(e); return; }
    c->bytes += (int64_t)size;
    link_newest(c, e);
}

void llm_cache_facts(const struct llm_cache *c, struct fr_buf *out)
{
    fr_buf_addf(out, "{\"entries\":%zu,\"bytes\":%lld,\"most\":%lld,\"hits\":%lld,\"misses\":%lld,\"dropped\":%lld}", fr_map_size(c->by_key), (long long)c->bytes, (long long)c->bytes_max,
                (long long)c->hits, (long long)c->misses, (long long)c->dropped);
}
