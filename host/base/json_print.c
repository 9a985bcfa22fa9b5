// json_print.c — a tree as text, and the difference of two trees as a merge patch.
#include "base/json.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/json_inside.h"
#include "base/mem.h"

#define INTEGER_MOST 1e21       // as in ECMAScript: integers below it are written without exponent

// The shortest of 15, 16 or 17 digits that reads back as the same double.
static void print_number(double number, struct fr_buf *out)
{
    char text[40];
    if (number == 0) number = 0;                         // -0 equals 0, so it prints like 0
    if (number == trunc(number) && fabs(number) < INTEGER_MOST) {
        fr_buf_addf(out, "%.0f", number);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    fr_buf_add(out, text);
}

typedef void print_fn(const struct fr_json *v, struct fr_buf *out);

static void print_scalar(const struct fr_json *v, struct fr_buf *out)
{
    switch (fr_json_kind(v)) {
    case JSON_BOOL:   fr_buf_add(out, fr_json_is_true(v) ? "true" : "false"); break;
    case JSON_NUMBER: print_number(fr_json_number(v), out); break;
    case JSON_STRING: fr_buf_add_json_text(out, fr_json_text(v)); break;
    default:          fr_buf_add(out, "null");
    }
}

static void print_array(const struct fr_json *v, print_fn *print, struct fr_buf *out)
{
    fr_buf_add_char(out, '[');
    for (const struct fr_json *e = fr_json_child(v); e && !out->failed; e = fr_json_next(e)) {
        print(e, out);
        if (fr_json_next(e)) fr_buf_add_char(out, ',');
    }
    fr_buf_add_char(out, ']');
}

static void print_member(const struct fr_json *m, print_fn *print, bool first, struct fr_buf *out)
{
    if (!first) fr_buf_add_char(out, ',');
    fr_buf_add_json_text(out, fr_json_key(m));
    fr_buf_add_char(out, ':');
    print(m, out);
}

static void print_object(const struct fr_json *v, struct fr_buf *out)
{
    fr_buf_add_char(out, '{');
    for (const struct fr_json *m = fr_json_child(v); m && !out->failed; m = fr_json_next(m))
        print_member(m, fr_json_print, m == fr_json_child(v), out);
    fr_buf_add_char(out, '}');
}

static void print_object_sorted(const struct fr_json *v, struct fr_buf *out)
{
    size_t count;
    FR_AUTO_MEM const struct fr_json **members = json_sorted(v, &count);
    if (!members) out->failed = out->no_memory = true;
    fr_buf_add_char(out, '{');
    for (size_t i = 0; i < count && !out->failed; i++) print_member(members[i], fr_json_print_canonical, i == 0, out);
    fr_buf_add_char(out, '}');
}

void fr_json_print(const struct fr_json *v, struct fr_buf *out)
{
    switch (fr_json_kind(v)) {
    case JSON_ARRAY:  print_array(v, fr_json_print, out); break;
    case JSON_OBJECT: print_object(v, out); break;
    default:          print_scalar(v, out);
    }
}

void fr_json_print_canonical(const struct fr_json *v, struct fr_buf *out)
{
    switch (fr_json_kind(v)) {
    case JSON_ARRAY:  print_array(v, fr_json_print_canonical, out); break;
    case JSON_OBJECT: print_object_sorted(v, out); break;
    default:          print_scalar(v, out);
    }
}

// ---- merge patch

static void diff_key(const char *key, bool *first, struct fr_buf *out)
{
    if (!*first) fr_buf_add_char(out, ',');
    *first = false;
    fr_buf_add_json_text(out, key);
    fr_buf_add_char(out, ':');
}

// Members that are gone are patched to null.
static void diff_removed(const struct fr_json *from, const struct fr_json *to, bool *first, struct fr_buf *out)
{
    struct json_finder in_to;
    json_finder_open(&in_to, to);
    for (const struct fr_json *m = fr_json_child(from); m && !out->failed; m = fr_json_next(m)) {
        if (json_finder_get(&in_to, fr_json_key(m))) continue;
        diff_key(fr_json_key(m), first, out);
        fr_buf_add(out, "null");
    }
    json_finder_close(&in_to);
}

static void diff_write(const struct fr_json *from, const struct fr_json *to, struct fr_buf *out);

static void diff_changed(const struct fr_json *from, const struct fr_json *to, bool *first, struct fr_buf *out)
{
    struct json_finder in_from;
    json_finder_open(&in_from, from);
    for (const struct fr_json *m = fr_json_child(to); m && !out->failed; m = fr_json_next(m)) {
        const struct fr_json *old = json_finder_get(&in_from, fr_json_key(m));
        if (old && fr_json_equal(old, m)) continue;
        diff_key(fr_json_key(m), first, out);
        if (old) diff_write(old, m, out);
        else fr_json_print(m, out);
    }
    json_finder_close(&in_from);
}

// Two values that differ. Only objects can be patched in place; anything else is replaced.
static void diff_write(const struct fr_json *from, const struct fr_json *to, struct fr_buf *out)
{
    if (fr_json_kind(from) != JSON_OBJECT || fr_json_kind(to) != JSON_OBJECT) {
        fr_json_print(to, out);
        return;
    }
    bool first = true;
    fr_buf_add_char(out, '{');
    diff_removed(from, to, &first, out);
    diff_changed(from, to, &first, out);
    fr_buf_add_char(out, '}');
}

bool fr_json_merge_diff(const struct fr_json *from, const struct fr_json *to, struct fr_buf *out)
{
    if (fr_json_equal(from, to)) return false;
    diff_write(from, to, out);
    return true;
}
