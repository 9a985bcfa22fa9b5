// values.c — values that fit a schema, for rehearsals: small ones, and often the bounds.
#include <string.h>
#include "cli/check.h"

#define TEXT_CHARS_MAX 40
#define ITEMS_MAX 8

int64_t chance_int(struct chance *c, int64_t lo, int64_t hi)
{
    c->state += 0x9e3779b97f4a7c15ULL;                 // splitmix64: any state is a good one
    uint64_t x = c->state;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    x ^= x >> 31;
    return lo + (int64_t)(x % ((uint64_t)(hi - lo) + 1));
}

static int64_t bound(const struct fr_json *schema, const char *key, int64_t def)
{
    const struct fr_json *v = fr_json_get(schema, key);
    return v && fr_json_kind(v) == JSON_NUMBER ? (int64_t)fr_json_number(v) : def;
}

static int64_t pick_between(struct chance *c, int64_t lo, int64_t hi)     // the bounds more often than chance would
{
    int64_t luck = chance_int(c, 0, 9);
    return luck == 0 ? lo : luck == 1 ? hi : chance_int(c, lo, hi);
}

static void add_integer(struct chance *c, const struct fr_json *schema, struct fr_buf *out)
{
    int64_t lo = bound(schema, "minimum", -3), hi = bound(schema, "maximum", lo > 20 ? lo + 20 : 20);
    if (!fr_json_get(schema, "minimum") && hi < lo) lo = hi - 20;
    fr_buf_add_i64(out, pick_between(c, lo, hi < lo ? lo : hi));
}

static void add_string(struct chance *c, const struct fr_json *schema, struct fr_buf *out)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789 ";
    const char *format = fr_json_text(fr_json_get(schema, "format"));
    if (format && strcmp(format, "units") == 0) {
        fr_buf_addf(out, "\"%lld\"", (long long)chance_int(c, 0, 1000000));
        return;
    }
    int64_t lo = bound(schema, "minLength", 0), hi = bound(schema, "maxLength", lo + 10);
    if (hi > lo + TEXT_CHARS_MAX) hi = lo + TEXT_CHARS_MAX;
    fr_buf_add_char(out, '"');
    for (int64_t i = pick_between(c, lo, hi); i > 0; i--) fr_buf_add_char(out, letters[chance_int(c, 0, (int64_t)sizeof letters - 2)]);
    fr_buf_add_char(out, '"');
}

static bool is_listed(const struct fr_json *names, const char *name)
{
    for (const struct fr_json *n = fr_json_child(names); n; n = fr_json_next(n))
        if (fr_json_text(n) && strcmp(fr_json_text(n), name) == 0) return true;
    return false;
}

static void add_object(struct chance *c, const struct fr_json *schema, struct fr_buf *out)
{
    const struct fr_json *properties = fr_json_get(schema, "properties"), *required = fr_json_get(schema, "required");
    bool any = false;
    fr_buf_add_char(out, '{');
    for (const struct fr_json *p = fr_json_child(properties); p; p = fr_json_next(p)) {
        if (!(required && is_listed(required, fr_json_key(p))) && chance_int(c, 0, 1) == 0) continue;
        if (any) fr_buf_add_char(out, ',');
        any = true;
        fr_buf_add_json_text(out, fr_json_key(p));
        fr_buf_add_char(out, ':');
        value_for_schema(c, p, out);
    }
    fr_buf_add_char(out, '}');
}

static void add_array(struct chance *c, const struct fr_json *schema, struct fr_buf *out)
{
    int64_t lo = bound(schema, "minItems", 0), hi = bound(schema, "maxItems", lo + 3), count;
    if (hi > lo + ITEMS_MAX) hi = lo + ITEMS_MAX;
    count = pick_between(c, lo, hi);
    fr_buf_add_char(out, '[');
    for (int64_t i = 0; i < count; i++) {
        if (i > 0) fr_buf_add_char(out, ',');
        value_for_schema(c, fr_json_get(schema, "items"), out);
    }
    fr_buf_add_char(out, ']');
}

static const struct fr_json *pick_child(struct chance *c, const struct fr_json *list)
{
    const struct fr_json *v = fr_json_child(list);
    for (int64_t i = chance_int(c, 0, fr_json_size(list) - 1); i > 0; i--) v = fr_json_next(v);
    return v;
}

void value_for_schema(struct chance *c, const struct fr_json *schema, struct fr_buf *out)
{
    const struct fr_json *fixed = schema ? fr_json_get(schema, "const") : NULL, *list = schema ? fr_json_get(schema, "enum") : NULL;
    const struct fr_json *types = schema ? fr_json_get(schema, "type") : NULL;
    if (!fixed && list && fr_json_size(list) > 0) fixed = pick_child(c, list);
    if (fixed) { fr_json_print(fixed, out); return; }
    if (types && fr_json_kind(types) == JSON_ARRAY && fr_json_size(types) > 0) types = pick_child(c, types);
    const char *type = types ? fr_json_text(types) : NULL;
    if (!type || strcmp(type, "object") == 0) add_object(c, schema, out);
    else if (strcmp(type, "array") == 0) add_array(c, schema, out);
    else if (strcmp(type, "string") == 0) add_string(c, schema, out);
    else if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) add_integer(c, schema, out);
    else if (strcmp(type, "boolean") == 0) fr_buf_add(out, chance_int(c, 0, 1) ? "true" : "false");
    else fr_buf_add(out, "null");
}
