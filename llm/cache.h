// cache.h — answers that are known already. (Identical calls in flight are joined by llm.c, under the same key.) Exact: keyed by tenant, player, model and the request's digest. Bounded in bytes, least recently used goes first; one answer takes a quarter at most. Pure; loop thread only.
#pragma once
#include "llm/llm.h"
#include "base/hash.h"

struct llm_cache;
struct llm_cached { const char *json; size_t json_len; const char *text, *finish; int64_t prompt_tokens, answer_tokens; };
struct llm_cache *llm_cache_new(int64_t bytes, int64_t ttl_ms);
void llm_cache_free(struct llm_cache *c);
void llm_cache_bounds(struct llm_cache *c, int64_t bytes, int64_t ttl_ms);           // 0 bytes: no cache
void llm_cache_key(const struct llm_from *from, const char *model, const uint8_t request[SHA256_BYTES], uint8_t key[SHA256_BYTES]);
bool llm_cache_get(struct llm_cache *c, const uint8_t key[SHA256_BYTES], int64_t now_ms, struct llm_cached *ret);     // valid until the next call
void llm_cache_put(struct llm_cache *c, const uint8_t key[SHA256_BYTES], int64_t now_ms, const struct llm_cached *what);
void llm_cache_facts(const struct llm_cache *c, struct fr_buf *out);
