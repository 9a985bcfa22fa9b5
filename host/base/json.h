// json.h — reading and writing JSON (RFC 8259), strictly, with errors an author can act on. The only user of cJSON.
//
// Parsing refuses: bytes that are not UTF-8, NUL, raw control characters, numbers outside the grammar, trailing bytes,
// nesting past JSON_DEPTH_MAX, duplicate keys. Numbers are doubles, so money and ids travel as decimal strings:
// see fr_json_need_units. Error texts carry the path: `modes.ranked.stakes[2]: expected a decimal string, got number`.
// `struct fr_json` is opaque (it is a cJSON node); a tree is one block of memory, freed by its root. Not thread-safe per document.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"

struct fr_json;
enum fr_json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

// ---- parse and free
FR_MUST_USE enum fr_status fr_json_parse(const char *text, size_t len, struct fr_json **ret, struct fr_err *err);
// The same for the few documents of our own that are longer than JSON_TEXT_BYTES_MAX (a match's export).
FR_MUST_USE enum fr_status fr_json_parse_long(const char *text, size_t len, size_t bytes_max, struct fr_json **ret, struct fr_err *err);
void fr_json_free(struct fr_json *root);
FR_AUTO_DEFINE(fr_json)
// The same checks without building a tree (for bytes that are only passed on).
FR_MUST_USE enum fr_status fr_json_check(const char *text, size_t len, struct fr_err *err);

// ---- look
enum fr_json_kind fr_json_kind(const struct fr_json *v);
const char *fr_json_kind_name(enum fr_json_kind kind);                       // "object", ...
const struct fr_json *fr_json_get(const struct fr_json *object, const char *key);   // NULL when absent or not an object
const struct fr_json *fr_json_child(const struct fr_json *v);               // first member or element, or NULL; NULL has none
const struct fr_json *fr_json_next(const struct fr_json *v);                // next sibling, or NULL
const char *fr_json_key(const struct fr_json *member);                      // NULL for array elements
const char *fr_json_text(const struct fr_json *v);                          // NULL unless a string (no NULs inside: refused)
double fr_json_number(const struct fr_json *v);                             // 0 unless a number
bool fr_json_is_true(const struct fr_json *v);
int fr_json_size(const struct fr_json *v);                                  // members or elements
bool fr_json_equal(const struct fr_json *a, const struct fr_json *b);       // deep; order of members does not matter

// ---- need: the key must be there and fit. opt: absent or null gives the default.
//      Keys may be paths: "limits.turn_ms", "stakes[2]", "[0].name"; "" is the value itself.
FR_MUST_USE enum fr_status fr_json_need_text(const struct fr_json *o, const char *key, size_t len_min, size_t len_max, const char **ret, struct fr_err *err);
FR_MUST_USE enum fr_status fr_json_opt_text(const struct fr_json *o, const char *key, size_t len_max, const char *def, const char **ret, struct fr_err *err);
FR_MUST_USE enum fr_status fr_json_need_int(const struct fr_json *o, const char *key, int64_t least, int64_t most, int64_t *ret, struct fr_err *err);
FR_MUST_USE enum fr_status fr_json_opt_int(const struct fr_json *o, const char *key, int64_t least, int64_t most, int64_t def, int64_t *ret, struct fr_err *err);
FR_MUST_USE enum fr_status fr_json_opt_bool(const struct fr_json *o, const char *key, bool def, bool *ret, struct fr_err *err);
FR_MUST_USE enum fr_status fr_json_need_units(const struct fr_json *o, const char *key, int64_t least, int64_t most, int64_t *ret, struct fr_err *err);  // "125": base units as a decimal string
FR_MUST_USE enum fr_status fr_json_opt_units(const struct fr_json *o, const char *key, int64_t least, int64_t most, int64_t def, int64_t *ret, struct fr_err *err);
FR_MUST_USE enum fr_status fr_json_need_object(const struct fr_json *o, const char *key, const struct fr_json **ret, struct fr_err *err);
FR_MUST_USE enum fr_status fr_json_need_array(const struct fr_json *o, const char *key, int least, int most, const struct fr_json **ret, struct fr_err *err);
// Refuses members whose key is not in the NULL-terminated list; the error suggests the nearest known key.
FR_MUST_USE enum fr_status fr_json_only_keys(const struct fr_json *o, const char *const *keys, const char *where, struct fr_err *err);

// ---- write
void fr_json_print(const struct fr_json *v, struct fr_buf *out);            // compact; integers without exponent
void fr_json_print_canonical(const struct fr_json *v, struct fr_buf *out);  // keys sorted bytewise: equal values, equal bytes

// ---- merge patch (RFC 7396): writes the patch that turns `from` into `to`; returns false when they are equal (nothing written).
// A null inside `to` cannot be told from a removal by the RFC; views are documented not to hold nulls in objects.
bool fr_json_merge_diff(const struct fr_json *from, const struct fr_json *to, struct fr_buf *out);
