// json_order.c — a sorted list of members, made only when it pays.
#include "base/json_inside.h"
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"

#define SEARCH_SIZE_MAX 16       // up to here looking at each member is as fast as sorting

static int member_compare(const void *a, const void *b)
{
    const struct fr_json *const *x = a, *const *y = b;
    return strcmp(fr_json_key(*x), fr_json_key(*y));
}

static int key_compare(const void *key, const void *member)
{
    const struct fr_json *const *m = member;
    return strcmp(key, fr_json_key(*m));
}

const struct fr_json **json_sorted(const struct fr_json *object, size_t *count)
{
    *count = (size_t)fr_json_size(object);
    const struct fr_json **sorted = fr_alloc(*count * sizeof *sorted);
    if (!sorted) return NULL;
    size_t at = 0;
    for (const struct fr_json *m = fr_json_child(object); m; m = fr_json_next(m)) sorted[at++] = m;
    qsort(sorted, *count, sizeof *sorted, member_compare);
    return sorted;
}

void json_finder_open(struct json_finder *f, const struct fr_json *object)
{
    *f = (struct json_finder){ .object = object, .expected = fr_json_child(object), .count = (size_t)fr_json_size(object) };
}

void json_finder_close(struct json_finder *f)
{
    fr_free(f->sorted);
}

static const struct fr_json *finder_search(struct json_finder *f, const char *key)
{
    if (!f->sorted && f->count > SEARCH_SIZE_MAX) f->sorted = json_sorted(f->object, &f->count);
    if (!f->sorted) return fr_json_get(f->object, key);
    const struct fr_json **found = bsearch(key, f->sorted, f->count, sizeof *f->sorted, key_compare);
    return found ? *found : NULL;
}

const struct fr_json *json_finder_get(struct json_finder *f, const char *key)
{
    bool as_expected = f->expected && strcmp(fr_json_key(f->expected), key) == 0;
    const struct fr_json *found = as_expected ? f->expected : finder_search(f, key);
    if (found) f->expected = fr_json_next(found);
    return found;
}
