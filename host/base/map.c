// map.c — open addressing with linear probing. A removed entry leaves a marker, so that nothing moves during a walk; markers
// go when the table is rebuilt.
#include "base/map.h"
#include <pthread.h>
#include <string.h>
#include "base/hash.h"
#include "base/mem.h"

#define MAP_FIRST_SLOTS 16

struct map_entry {
    uint64_t hash;
    void *value;
    size_t key_len;
    char key[];
};
struct fr_map {
    struct map_entry **slots;           // NULL: never used; &removed: was used
    size_t slot_count;                  // a power of two, or 0
    size_t used, size, max_entries;     // used counts markers too
};

static struct map_entry removed;
static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void hash_key_make(void)
{
    fr_random_bytes(hash_key, sizeof hash_key);
}

struct fr_map *fr_map_new(size_t max_entries)
{
    pthread_once(&hash_key_once, hash_key_make);
    struct fr_map *m = fr_must_alloc(sizeof *m);
    m->max_entries = max_entries;
    return m;
}

void fr_map_free(struct fr_map *m)
{
    if (!m) return;
    for (size_t i = 0; i < m->slot_count; i++)
        if (m->slots[i] != &removed) fr_free(m->slots[i]);
    fr_free(m->slots);
    fr_free(m);
}

static bool entry_is(const struct map_entry *e, uint64_t hash, const void *key, size_t key_len)
{
    return e != &removed && e->hash == hash && e->key_len == key_len && (key_len == 0 || memcmp(e->key, key, key_len) == 0);
}

// The slot that holds the key, or NULL. Ends because a quarter of the slots is always NULL.
static struct map_entry **map_find(const struct fr_map *m, uint64_t hash, const void *key, size_t key_len)
{
    if (m->slot_count == 0) return NULL;
    for (size_t i = hash & (m->slot_count - 1); m->slots[i]; i = (i + 1) & (m->slot_count - 1))
        if (entry_is(m->slots[i], hash, key, key_len)) return &m->slots[i];
    return NULL;
}

static struct map_entry **slot_free(struct map_entry **slots, size_t count, uint64_t hash)
{
    size_t i = hash & (count - 1);
    while (slots[i]) i = (i + 1) & (count - 1);
    return &slots[i];
}

// Makes room for one more entry: three quarters of the slots may be used, markers included.
static bool map_grow(struct fr_map *m)
{
    if ((m->used + 1) * 4 <= m->slot_count * 3) return true;
    size_t count = MAP_FIRST_SLOTS;
    while ((m->size + 1) * 2 > count) count *= 2;
    struct map_entry **slots = fr_alloc(count * sizeof(struct map_entry *));
    if (!slots) return false;
    for (size_t i = 0; i < m->slot_count; i++)
        if (m->slots[i] && m->slots[i] != &removed) *slot_free(slots, count, m->slots[i]->hash) = m->slots[i];
    fr_free(m->slots);
    m->slots = slots;
    m->slot_count = count;
    m->used = m->size;
    return true;
}

void *fr_map_get(const struct fr_map *m, const void *key, size_t key_len)
{
    struct map_entry **slot = map_find(m, fr_siphash13(hash_key, key, key_len), key, key_len);
    return slot ? (*slot)->value : NULL;
}

bool fr_map_put(struct fr_map *m, const void *key, size_t key_len, void *value)
{
    uint64_t hash = fr_siphash13(hash_key, key, key_len);
    struct map_entry **slot = map_find(m, hash, key, key_len);
    if (slot) {
        (*slot)->value = value;
        return true;
    }
    if (m->size >= m->max_entries || !map_grow(m)) return false;
    struct map_entry *e = fr_alloc(sizeof *e + key_len);
    if (!e) return false;
    e->hash = hash;
    e->value = value;
    e->key_len = key_len;
    if (key_len) memcpy(e->key, key, key_len);
    *slot_free(m->slots, m->slot_count, hash) = e;
    m->used++;
    m->size++;
    return true;
}

void *fr_map_remove(struct fr_map *m, const void *key, size_t key_len)
{
    struct map_entry **slot = map_find(m, fr_siphash13(hash_key, key, key_len), key, key_len);
    if (!slot) return NULL;
    void *value = (*slot)->value;
    fr_free(*slot);
    *slot = &removed;
    m->size--;
    return value;
}

size_t fr_map_size(const struct fr_map *m)
{
    return m->size;
}

bool fr_map_walk(const struct fr_map *m, size_t *at, const void **key, size_t *key_len, void **value)
{
    while (*at < m->slot_count) {
        const struct map_entry *e = m->slots[(*at)++];
        if (!e || e == &removed) continue;
        if (key) *key = e->key;
        if (key_len) *key_len = e->key_len;
        if (value) *value = e->value;
        return true;
    }
    return false;
}
