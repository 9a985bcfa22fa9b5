// map.h — a hash map from byte-string keys to pointers, with a bound. Keys are copied; values are the caller's.
// SipHash-1-3 with a per-process random key, so outsiders cannot choose collisions. Not thread-safe.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/auto.h"
struct fr_map;
struct fr_map *fr_map_new(size_t max_entries);           // must-alloc
void fr_map_free(struct fr_map *m);                      // frees keys, not values; takes NULL
FR_AUTO_DEFINE(fr_map)
void *fr_map_get(const struct fr_map *m, const void *key, size_t key_len);
bool fr_map_put(struct fr_map *m, const void *key, size_t key_len, void *value);   // replaces; false when full or no memory
void *fr_map_remove(struct fr_map *m, const void *key, size_t key_len);            // the old value or NULL
size_t fr_map_size(const struct fr_map *m);
// Walk: start with *at = 0; false at the end. Removing the entry just returned is allowed while walking.
bool fr_map_walk(const struct fr_map *m, size_t *at, const void **key, size_t *key_len, void **value);
#define fr_map_get_text(m, key) fr_map_get((m), (key), strlen(key))
#define fr_map_put_text(m, key, value) fr_map_put((m), (key), strlen(key), (value))
#define fr_map_remove_text(m, key) fr_map_remove((m), (key), strlen(key))
static inline void *fr_map_get_u64(const struct fr_map *m, uint64_t key) { return fr_map_get(m, &key, sizeof key); }
static inline bool fr_map_put_u64(struct fr_map *m, uint64_t key, void *value) { return fr_map_put(m, &key, sizeof key, value); }
static inline void *fr_map_remove_u64(struct fr_map *m, uint64_t key) { return fr_map_remove(m, &key, sizeof key); }
