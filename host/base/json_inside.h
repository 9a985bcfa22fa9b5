// json_inside.h — what the json files share; nobody else includes it.
#pragma once
#include "base/json.h"

// A stranger's text for an error message: in quotes, short, without control characters, cut between characters.
#define JSON_SHOWN_BYTES 64
void json_show(char out[JSON_SHOWN_BYTES], const char *text, size_t len);

// The check of fr_json_check, and what a tree of this text will be made of (json_scan.c).
struct json_measure { size_t values, spellings; };       // spellings: strings, keys and numbers, all of which cJSON copies
FR_MUST_USE enum fr_status json_scan(const char *text, size_t len, size_t bytes_max, struct json_measure *measure, struct fr_err *err);

// ---- members of an object by key, in less than quadratic time (json_order.c): for comparing, printing and diffing hostile
// objects of many thousand keys

// All members sorted bytewise by key, to be freed with fr_free; NULL when out of memory. *count is set either way.
const struct fr_json **json_sorted(const struct fr_json *object, size_t *count);

// Looks keys up one after the other. Keys asked in the object's own order are found at once; the first that is out of
// order has the members sorted. Without memory it searches one by one: slower, never wrong.
struct json_finder {
    const struct fr_json *object, *expected;     // expected: the member after the one found last
    const struct fr_json **sorted;
    size_t count;
};
void json_finder_open(struct json_finder *f, const struct fr_json *object);
const struct fr_json *json_finder_get(struct json_finder *f, const char *key);     // NULL when absent
void json_finder_close(struct json_finder *f);
