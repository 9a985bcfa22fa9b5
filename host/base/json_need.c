// json_need.c — taking values out of a document that a stranger wrote. Each refusal names the path, what was expected
// and what stood there, so that an author can mend it without reading this.
#include "base/json_inside.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/nearest.h"
#include "base/units.h"

#define SAFE_INTEGER_MOST 9007199254740991.0     // 2^53 - 1: past it a double may stand for a neighbour

// ---- finding

static const struct fr_json *object_get(const struct fr_json *o, const char *key, size_t len)
{
    for (const struct fr_json *m = fr_json_child(o); m; m = fr_json_next(m))
        if (strncmp(fr_json_key(m), key, len) == 0 && fr_json_key(m)[len] == 0) return m;
    return NULL;
}

static const struct fr_json *array_get(const struct fr_json *array, long index)
{
    const struct fr_json *e = fr_json_child(array);
    while (e && index-- > 0) e = fr_json_next(e);
    return e;
}

// What the path walks through must be an object (or an array, before "[3]").
static enum fr_status expect_kind(const struct fr_json *v, enum fr_json_kind kind, const char *path, size_t len, struct fr_err *err)
{
    if (fr_json_kind(v) == kind) return FR_OK;
    return FR_FAIL(err, FR_E_INVALID, "%.*s%sexpected an %s, got %s", (int)len, path, len ? ": " : "",
                   fr_json_kind_name(kind), fr_json_kind_name(fr_json_kind(v)));
}

// A path is `name`, `.name` or `[3]`, repeated; "" is the value itself. *ret is NULL when something on the way is absent or null.
static enum fr_status path_find(const struct fr_json *v, const char *path, const struct fr_json **ret, struct fr_err *err)
{
    const char *at = path;
    while (*at) {
        size_t walked = (size_t)(at - path);
        if (*at == '[') {
            char *end;
            long index = strtol(at + 1, &end, 10);
            assert(*end == ']');                         // paths are ours, documents are theirs
            FR_TRY(expect_kind(v, JSON_ARRAY, path, walked, err));
            v = array_get(v, index);
            at = end + 1;
        } else {
            FR_TRY(expect_kind(v, JSON_OBJECT, path, walked, err));
            if (*at == '.') at++;
            size_t len = strcspn(at, ".[");
            v = object_get(v, at, len);
            at += len;
        }
        if (!v || (*at && fr_json_kind(v) == JSON_NULL)) break;
    }
    *ret = v && (*at == 0) ? v : NULL;
    return FR_OK;
}

// ---- refusing

// "nothing", the value when it is short, its kind otherwise.
static const char *show_value(const struct fr_json *v, char out[JSON_SHOWN_BYTES])
{
    if (!v) return "nothing";
    if (fr_json_kind(v) == JSON_STRING) json_show(out, fr_json_text(v), strlen(fr_json_text(v)));
    else if (fr_json_kind(v) == JSON_NUMBER) snprintf(out, JSON_SHOWN_BYTES, "%.15g", fr_json_number(v));
    else snprintf(out, JSON_SHOWN_BYTES, "%s", fr_json_kind_name(fr_json_kind(v)));
    return out;
}

// "stake: expected a decimal string, got number". FR_FAIL stands here, so err->line is this line for all of them.
static enum fr_status refuse(const char *path, const char *expected, const char *got, struct fr_err *err)
{
    return FR_FAIL(err, FR_E_INVALID, "%s%sexpected %s, got %s", path, *path ? ": " : "", expected, got);
}

// The kind alone: for values that are of the wrong kind, where showing them would help nobody.
static enum fr_status refuse_kind(const char *path, const char *expected, const struct fr_json *v, struct fr_err *err)
{
    return refuse(path, expected, v ? fr_json_kind_name(fr_json_kind(v)) : "nothing", err);
}

// ---- text

static enum fr_status take_text(const struct fr_json *v, const char *path, size_t least, size_t most, const char **ret, struct fr_err *err)
{
    char expected[80], got[40];
    if (!v || fr_json_kind(v) != JSON_STRING) return refuse_kind(path, "a string", v, err);
    size_t len = strlen(fr_json_text(v));
    if (len < least || len > most) {
        if (least) snprintf(expected, sizeof expected, "a string of %zu to %zu bytes", least, most);
        else snprintf(expected, sizeof expected, "a string of at most %zu bytes", most);
        snprintf(got, sizeof got, "%zu", len);
        return refuse(path, expected, got, err);
    }
    *ret = fr_json_text(v);
    return FR_OK;
}

static bool is_absent(const struct fr_json *v)
{
    return !v || fr_json_kind(v) == JSON_NULL;
}

enum fr_status fr_json_need_text(const struct fr_json *o, const char *key, size_t len_min, size_t len_max, const char **ret, struct fr_err *err)
{
    const struct fr_json *v;
    FR_TRY(path_find(o, key, &v, err));
    return take_text(v, key, len_min, len_max, ret, err);
}

enum fr_status fr_json_opt_text(const struct fr_json *o, const char *key, size_t len_max, const char *def, const char **ret, struct fr_err *err)
{
    const struct fr_json *v;
    FR_TRY(path_find(o, key, &v, err));
    if (!is_absent(v)) return take_text(v, key, 0, len_max, ret, err);
    *ret = def;
    return FR_OK;
}

// ---- integers

static enum fr_status take_int(const struct fr_json *v, const char *path, int64_t least, int64_t most, int64_t *ret, struct fr_err *err)
{
    char expected[96], got[JSON_SHOWN_BYTES];
    snprintf(expected, sizeof expected, "an integer from %lld to %lld", (long long)least, (long long)most);
    if (!v || fr_json_kind(v) != JSON_NUMBER) return refuse_kind(path, expected, v, err);
    double number = fr_json_number(v);
    if (number != trunc(number) || fabs(number) > SAFE_INTEGER_MOST || (int64_t)number < least || (int64_t)number > most)
        return refuse(path, expected, show_value(v, got), err);
    *ret = (int64_t)number;
    return FR_OK;
}

enum fr_status fr_json_need_int(const struct fr_json *o, const char *key, int64_t least, int64_t most, int64_t *ret, struct fr_err *err)
{
    const struct fr_json *v;
    FR_TRY(path_find(o, key, &v, err));
    return take_int(v, key, least, most, ret, err);
}

enum fr_status fr_json_opt_int(const struct fr_json *o, const char *key, int64_t least, int64_t most, int64_t def, int64_t *ret, struct fr_err *err)
{
    const struct fr_json *v;
    FR_TRY(path_find(o, key, &v, err));
    if (!is_absent(v)) return take_int(v, key, least, most, ret, err);
    *ret = def;
    return FR_OK;
}

// ---- money

static enum fr_status take_units(const struct fr_json *v, const char *path, int64_t least, int64_t most, int64_t *ret, struct fr_err *err)
{
    char expected[112], got[JSON_SHOWN_BYTES];
    int64_t units;
    if (!v || fr_json_kind(v) != JSON_STRING) return refuse_kind(path, "a decimal string", v, err);
    if (fr_units_parse(fr_json_text(v), &units, NULL) != FR_OK) return refuse(path, "a decimal string", show_value(v, got), err);
    if (units < least || units > most) {
        snprintf(expected, sizeof expected, "an amount from \"%lld\" to \"%lld\"", (long long)least, (long long)most);
        return refuse(path, expected, show_value(v, got), err);
    }
    *ret = units;
    return FR_OK;
}

enum fr_status fr_json_need_units(const struct fr_json *o, const char *key, int64_t least, int64_t most, int64_t *ret, struct fr_err *err)
{
    const struct fr_json *v;
    FR_TRY(path_find(o, key, &v, err));
    return take_units(v, key, least, most, ret, err);
}

enum fr_status fr_json_opt_units(const struct fr_json *o, const char *key, int64_t least, int64_t most, int64_t def, int64_t *ret, struct fr_err *err)
{
    const struct fr_json *v;
    FR_TRY(path_find(o, key, &v, err));
    if (!is_absent(v)) return take_units(v, key, least, most, ret, err);
    *ret = def;
    return FR_OK;
}

// ---- the rest

enum fr_status fr_json_opt_bool(const struct fr_json *o, const char *key, bool def, bool *ret, struct fr_err *err)
{
    const struct fr_json *v;
    FR_TRY(path_find(o, key, &v, err));
    if (!is_absent(v) && fr_json_kind(v) != JSON_BOOL) return refuse_kind(key, "true or false", v, err);
    *ret = is_absent(v) ? def : fr_json_is_true(v);
    return FR_OK;
}

enum fr_status fr_json_need_object(const struct fr_json *o, const char *key, const struct fr_json **ret, struct fr_err *err)
{
    const struct fr_json *v;
    FR_TRY(path_find(o, key, &v, err));
    if (!v || fr_json_kind(v) != JSON_OBJECT) return refuse_kind(key, "an object", v, err);
    *ret = v;
    return FR_OK;
}

enum fr_status fr_json_need_array(const struct fr_json *o, const char *key, int least, int most, const struct fr_json **ret, struct fr_err *err)
{
    const struct fr_json *v;
    char expected[80], got[16];
    FR_TRY(path_find(o, key, &v, err));
    if (!v || fr_json_kind(v) != JSON_ARRAY) return refuse_kind(key, "an array", v, err);
    if (fr_json_size(v) < least || fr_json_size(v) > most) {
        snprintf(expected, sizeof expected, "an array of %d to %d elements", least, most);
        snprintf(got, sizeof got, "%d", fr_json_size(v));
        return refuse(key, expected, got, err);
    }
    *ret = v;
    return FR_OK;
}

// ---- unknown keys

static void list_keys(char *out, size_t room, const char *const *keys)
{
    size_t len = 0;
    for (size_t i = 0; keys[i] && len < room; i++)
        len += (size_t)snprintf(out + len, room - len, "%s%s", i ? ", " : "", keys[i]);
}

static enum fr_status refuse_key(const char *key, const char *const *keys, const char *where, struct fr_err *err)
{
    char shown[JSON_SHOWN_BYTES], known[FR_ERR_TEXT_BYTES] = "";
    const char *nearest = fr_nearest(key, keys, -1), *colon = where && *where ? ": " : "";
    json_show(shown, key, strlen(key));
    if (!where) where = "";
    if (nearest) return FR_FAIL(err, FR_E_INVALID, "%s%sunknown key %s, did you mean \"%s\"?", where, colon, shown, nearest);
    list_keys(known, sizeof known, keys);
    return FR_FAIL(err, FR_E_INVALID, "%s%sunknown key %s; known are: %s", where, colon, shown, known);
}

static bool is_known(const char *key, const char *const *keys)
{
    while (*keys && strcmp(*keys, key) != 0) keys++;
    return *keys != NULL;
}

enum fr_status fr_json_only_keys(const struct fr_json *o, const char *const *keys, const char *where, struct fr_err *err)
{
    for (const struct fr_json *m = fr_json_child(o); m; m = fr_json_next(m))
        if (!is_known(fr_json_key(m), keys)) return refuse_key(fr_json_key(m), keys, where, err);
    return FR_OK;
}
