// schema.c — one walk over a schema when its manifest is read, one walk over schema and value for each call. Both recurse no
// deeper than the documents do, and documents stop at JSON_DEPTH_MAX.
#include "base/schema.h"
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/units.h"
#include "base/utf8.h"

#define SAFE_INTEGER_MOST 9007199254740991.0     // 2^53 - 1: past it a double may stand for a neighbour
#define PATH_BYTES 160
#define SHOWN_BYTES 100                          // of what was expected, or of a value, in an error

// ---- where we are: a chain of stack frames, printed only when something is wrong

struct spot { const struct spot *up; const char *name; int index; };      // name NULL: an element of an array

static size_t spot_add(const struct spot *s, char out[PATH_BYTES])
{
    size_t used = s->up ? spot_add(s->up, out) : 0;
    int n = s->name ? snprintf(out + used, PATH_BYTES - used, "%s%s", used ? "." : "", s->name)
                    : snprintf(out + used, PATH_BYTES - used, "[%d]", s->index);
    used += (size_t)n;
    return used < PATH_BYTES ? used : PATH_BYTES - 1;
}

static const char *spot_text(const struct spot *s, char out[PATH_BYTES])
{
    size_t len = spot_add(s, out);
    out[fr_utf8_cut(out, len)] = 0;              // names come from strangers and may have been cut in the middle
    return out;
}

// ---- types

enum type { TYPE_OBJECT = 1, TYPE_ARRAY = 2, TYPE_STRING = 4, TYPE_INTEGER = 8, TYPE_NUMBER = 16, TYPE_BOOLEAN = 32, TYPE_NULL = 64 };
static const struct { const char *name; enum type type; const char *said; } types[] = {
    { "object", TYPE_OBJECT, "an object" }, { "array", TYPE_ARRAY, "an array" }, { "string", TYPE_STRING, "a string" },
    { "integer", TYPE_INTEGER, "an integer" }, { "number", TYPE_NUMBER, "a number" },
    { "boolean", TYPE_BOOLEAN, "true or false" }, { "null", TYPE_NULL, "null" },
};
#define TYPE_COUNT (sizeof types / sizeof types[0])

static int type_named(const char *name)
{
    for (size_t i = 0; name && i < TYPE_COUNT; i++)
        if (types[i].name[0] == name[0] && strcmp(types[i].name, name) == 0) return types[i].type;
    return 0;
}

// All types a schema allows, as bits; 0 when it does not say.
static int types_of(const struct fr_json *schema)
{
    const struct fr_json *type = fr_json_get(schema, "type");
    if (!type) return 0;
    if (fr_json_kind(type) == JSON_STRING) return type_named(fr_json_text(type));
    int all = 0;
    for (const struct fr_json *t = fr_json_child(type); t; t = fr_json_next(t)) all |= type_named(fr_json_text(t));
    return all;
}

static bool is_integer(double d)
{
    return d == floor(d) && fabs(d) <= SAFE_INTEGER_MOST;
}

static int types_of_value(const struct fr_json *v)
{
    switch (fr_json_kind(v)) {
    case JSON_NULL: return TYPE_NULL;
    case JSON_BOOL: return TYPE_BOOLEAN;
    case JSON_NUMBER: return is_integer(fr_json_number(v)) ? TYPE_INTEGER | TYPE_NUMBER : TYPE_NUMBER;
    case JSON_STRING: return TYPE_STRING;
    case JSON_ARRAY: return TYPE_ARRAY;
    case JSON_OBJECT: return TYPE_OBJECT;
    }
    return 0;
}

// ---- is this a schema?

enum keyword_form { FORM_TYPE, FORM_PROPERTIES, FORM_REQUIRED, FORM_BOOL, FORM_SCHEMA, FORM_COUNT, FORM_ENUM, FORM_NUMBER, FORM_FORMAT, FORM_TEXT, FORM_ANY };
static const struct { const char *name; enum keyword_form form; int for_types; } keywords[] = {
    { "type", FORM_TYPE, 0 }, { "properties", FORM_PROPERTIES, TYPE_OBJECT }, { "required", FORM_REQUIRED, TYPE_OBJECT },
    { "additionalProperties", FORM_BOOL, TYPE_OBJECT }, { "items", FORM_SCHEMA, TYPE_ARRAY },
    { "minItems", FORM_COUNT, TYPE_ARRAY }, { "maxItems", FORM_COUNT, TYPE_ARRAY }, { "enum", FORM_ENUM, 0 }, { "const", FORM_ANY, 0 },
    { "minimum", FORM_NUMBER, TYPE_INTEGER | TYPE_NUMBER }, { "maximum", FORM_NUMBER, TYPE_INTEGER | TYPE_NUMBER },
    { "minLength", FORM_COUNT, TYPE_STRING }, { "maxLength", FORM_COUNT, TYPE_STRING }, { "format", FORM_FORMAT, TYPE_STRING },
    { "description", FORM_TEXT, 0 }, { "title", FORM_TEXT, 0 }, { "default", FORM_ANY, 0 },
};
#define KEYWORD_COUNT (sizeof keywords / sizeof keywords[0])

static enum fr_status check_schema(const struct fr_json *schema, const struct spot *at, struct fr_err *err);

static enum fr_status wrong(const struct spot *at, const char *expected, const struct fr_json *v, struct fr_err *err)
{
    char path[PATH_BYTES];
    return FR_FAIL(err, FR_E_INVALID, "%s: expected %s, got %s", spot_text(at, path), expected, v ? fr_json_kind_name(fr_json_kind(v)) : "nothing");
}

#define TYPES_SAID "one of object, array, string, integer, number, boolean, null, or a list of them"
static enum fr_status check_type(const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    if (fr_json_kind(v) != JSON_ARRAY) {
        if (fr_json_kind(v) != JSON_STRING) return wrong(at, TYPES_SAID, v, err);
        if (!type_named(fr_json_text(v)))
            return FR_FAIL(err, FR_E_INVALID, "%s: expected " TYPES_SAID ", got \"%.40s\"", spot_text(at, path), fr_json_text(v));
        return FR_OK;
    }
    if (fr_json_size(v) == 0) return FR_FAIL(err, FR_E_INVALID, "%s: expected at least one type, got an empty list", spot_text(at, path));
    int seen = 0;
    for (const struct fr_json *t = fr_json_child(v); t; t = fr_json_next(t)) {
        int type = type_named(fr_json_text(t));
        if (!type) return wrong(at, TYPES_SAID, t, err);
        if (seen & type) return FR_FAIL(err, FR_E_INVALID, "%s: \"%s\" stands there twice", spot_text(at, path), fr_json_text(t));
        seen |= type;
    }
    return FR_OK;
}

static enum fr_status check_properties(const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    if (fr_json_kind(v) != JSON_OBJECT) return wrong(at, "an object of schemas by name", v, err);
    if (fr_json_size(v) > SCHEMA_PROPERTIES_MAX)
        return FR_FAIL(err, FR_E_LIMIT, "%s: %d properties, and %d are the most", spot_text(at, path), fr_json_size(v), SCHEMA_PROPERTIES_MAX);
    for (const struct fr_json *p = fr_json_child(v); p; p = fr_json_next(p)) {
        struct spot below = { at, fr_json_key(p), 0 };
        if (!*fr_json_key(p)) return FR_FAIL(err, FR_E_INVALID, "%s: a property without a name", spot_text(at, path));
        FR_TRY(check_schema(p, &below, err));
    }
    return FR_OK;
}

static enum fr_status check_required(const struct fr_json *schema, const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    if (fr_json_kind(v) != JSON_ARRAY) return wrong(at, "a list of property names", v, err);
    if (fr_json_size(v) > SCHEMA_PROPERTIES_MAX)
        return FR_FAIL(err, FR_E_LIMIT, "%s: %d names, and %d are the most", spot_text(at, path), fr_json_size(v), SCHEMA_PROPERTIES_MAX);
    const struct fr_json *properties = fr_json_get(schema, "properties");
    int index = 0;
    for (const struct fr_json *name = fr_json_child(v); name; name = fr_json_next(name), index++) {
        struct spot element = { at, NULL, index };
        if (fr_json_kind(name) != JSON_STRING) return wrong(&element, "a property name", name, err);
        if (!fr_json_get(properties, fr_json_text(name)))
            return FR_FAIL(err, FR_E_INVALID, "%s: \"%.40s\" is not among the properties", spot_text(&element, path), fr_json_text(name));
        for (const struct fr_json *other = fr_json_child(v); other != name; other = fr_json_next(other))
            if (fr_json_equal(other, name)) return FR_FAIL(err, FR_E_INVALID, "%s: \"%.40s\" stands there twice", spot_text(&element, path), fr_json_text(name));
    }
    return FR_OK;
}

static enum fr_status check_enum(const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    if (fr_json_kind(v) != JSON_ARRAY) return wrong(at, "a list of values", v, err);
    if (fr_json_size(v) == 0 || fr_json_size(v) > SCHEMA_ENUM_MAX)
        return FR_FAIL(err, FR_E_LIMIT, "%s: expected 1 to %d values, got %d", spot_text(at, path), SCHEMA_ENUM_MAX, fr_json_size(v));
    for (const struct fr_json *a = fr_json_child(v); a; a = fr_json_next(a))
        for (const struct fr_json *b = fr_json_next(a); b; b = fr_json_next(b))
            if (fr_json_equal(a, b)) return FR_FAIL(err, FR_E_INVALID, "%s: the same value stands there twice", spot_text(at, path));
    return FR_OK;
}

static enum fr_status check_keyword(const struct fr_json *schema, const struct fr_json *v, enum keyword_form form, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    switch (form) {
    case FORM_TYPE: return check_type(v, at, err);
    case FORM_PROPERTIES: return check_properties(v, at, err);
    case FORM_REQUIRED: return check_required(schema, v, at, err);
    case FORM_SCHEMA: return check_schema(v, at, err);
    case FORM_ENUM: return check_enum(v, at, err);
    case FORM_BOOL: return fr_json_kind(v) == JSON_BOOL ? FR_OK : wrong(at, "true or false", v, err);
    case FORM_TEXT: return fr_json_kind(v) == JSON_STRING ? FR_OK : wrong(at, "a string", v, err);
    case FORM_NUMBER: return fr_json_kind(v) == JSON_NUMBER ? FR_OK : wrong(at, "a number", v, err);
    case FORM_COUNT:
        if (fr_json_kind(v) != JSON_NUMBER || !is_integer(fr_json_number(v)) || fr_json_number(v) < 0) return wrong(at, "an integer from 0 up", v, err);
        return FR_OK;
    case FORM_FORMAT:
        if (fr_json_kind(v) != JSON_STRING || strcmp(fr_json_text(v), "units") != 0)
            return FR_FAIL(err, FR_E_INVALID, "%s: \"units\" is the only format known here", spot_text(at, path));
        return FR_OK;
    case FORM_ANY: return FR_OK;
    }
    return FR_OK;
}

static enum fr_status check_pair(const struct fr_json *schema, const char *least, const char *most, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    const struct fr_json *lo = fr_json_get(schema, least), *hi = fr_json_get(schema, most);
    if (!lo || !hi || fr_json_number(lo) <= fr_json_number(hi)) return FR_OK;
    return FR_FAIL(err, FR_E_INVALID, "%s: %s is over %s: nothing would fit", spot_text(at, path), least, most);
}

// A keyword that says nothing about the type given is a mistake its author should hear about now, not a check that never runs.
static enum fr_status check_applies(size_t k, int allowed, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    if (keywords[k].for_types == 0 || (keywords[k].for_types & allowed)) return FR_OK;
    const char *wanted = keywords[k].for_types == TYPE_OBJECT ? "object" : keywords[k].for_types == TYPE_ARRAY ? "array"
                       : keywords[k].for_types == TYPE_STRING ? "string" : "number or integer";
    return FR_FAIL(err, FR_E_INVALID, "%s: %s needs \"type\" to be %s", spot_text(at, path), keywords[k].name, wanted);
}

static enum fr_status check_schema(const struct fr_json *schema, const struct spot *at, struct fr_err *err)
{
    if (fr_json_kind(schema) != JSON_OBJECT) return wrong(at, "a schema (an object)", schema, err);
    const char *names[KEYWORD_COUNT + 1];
    for (size_t k = 0; k < KEYWORD_COUNT; k++) names[k] = keywords[k].name;
    names[KEYWORD_COUNT] = NULL;
    char path[PATH_BYTES];
    FR_TRY(fr_json_only_keys(schema, names, spot_text(at, path), err));

    for (size_t k = 0; k < KEYWORD_COUNT; k++) {
        const struct fr_json *v = fr_json_get(schema, keywords[k].name);
        struct spot below = { at, keywords[k].name, 0 };
        if (!v) continue;
        FR_TRY(check_keyword(schema, v, keywords[k].form, &below, err));     // "type" comes first, so types_of may be trusted
        FR_TRY(check_applies(k, types_of(schema), at, err));
    }
    FR_TRY(check_pair(schema, "minItems", "maxItems", at, err));
    FR_TRY(check_pair(schema, "minLength", "maxLength", at, err));
    return check_pair(schema, "minimum", "maximum", at, err);
}

enum fr_status schema_check(const struct fr_json *schema, const char *where, struct fr_err *err)
{
    struct spot root = { NULL, where, 0 };
    return check_schema(schema, &root, err);
}

// ---- what a schema expects, in words

static void say(char out[SHOWN_BYTES], size_t *used, const char *text)
{
    int n = snprintf(out + *used, SHOWN_BYTES - *used, "%s", text);
    *used += (size_t)n;
    if (*used < SHOWN_BYTES) return;
    memcpy(out + fr_utf8_cut(out, SHOWN_BYTES - 4), "...", 4);
    *used = SHOWN_BYTES - 1;                             // full: what follows is not said
}

static void say_json(char out[SHOWN_BYTES], size_t *used, const struct fr_json *v)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    fr_json_print(v, &text);
    say(out, used, text.failed || !text.data ? fr_json_kind_name(fr_json_kind(v)) : text.data);
}

static void say_range(char out[SHOWN_BYTES], size_t *used, const struct fr_json *schema, const char *least, const char *most, const char *of, const char *what)
{
    const struct fr_json *lo = fr_json_get(schema, least), *hi = fr_json_get(schema, most);
    char text[80];
    if (lo && hi && fr_json_number(lo) == fr_json_number(hi)) snprintf(text, sizeof text, " of %.15g%s", fr_json_number(lo), what);
    else if (lo && hi) snprintf(text, sizeof text, "%s%.15g to %.15g%s", of, fr_json_number(lo), fr_json_number(hi), what);
    else if (lo) snprintf(text, sizeof text, " of at least %.15g%s", fr_json_number(lo), what);
    else if (hi) snprintf(text, sizeof text, " of at most %.15g%s", fr_json_number(hi), what);
    else return;
    say(out, used, text);
}

static const char *expected(const struct fr_json *schema, char out[SHOWN_BYTES])
{
    size_t used = 0;
    const struct fr_json *values = fr_json_get(schema, "enum"), *only = fr_json_get(schema, "const");
    out[0] = 0;
    if (only) { say_json(out, &used, only); return out; }
    if (values) {
        say(out, &used, "one of ");
        for (const struct fr_json *v = fr_json_child(values); v; v = fr_json_next(v)) {
            say_json(out, &used, v);
            if (fr_json_next(v)) say(out, &used, ", ");
        }
        return out;
    }
    int allowed = types_of(schema);
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (!(allowed & types[i].type)) continue;
        if (used) say(out, &used, " or ");
        bool units = types[i].type == TYPE_STRING && fr_json_get(schema, "format");
        say(out, &used, units ? "a decimal string of base units" : types[i].said);
        if (types[i].type == TYPE_ARRAY) say_range(out, &used, schema, "minItems", "maxItems", " of ", " elements");
        if (types[i].type == TYPE_STRING) say_range(out, &used, schema, "minLength", "maxLength", " of ", " characters");
        if (types[i].type & (TYPE_INTEGER | TYPE_NUMBER)) say_range(out, &used, schema, "minimum", "maximum", " from ", "");
    }
    if (!used) say(out, &used, "a value");
    return out;
}

// What came, shown when it is short.
static const char *got(const struct fr_json *v, char out[SHOWN_BYTES])
{
    size_t used = 0;
    if (!v) return "nothing";
    switch (fr_json_kind(v)) {
    case JSON_OBJECT: case JSON_ARRAY: return fr_json_kind(v) == JSON_OBJECT ? "an object" : fr_json_size(v) ? "an array" : "an empty array";
    default: say_json(out, &used, v);
    }
    return out;
}

static enum fr_status misfit(const struct fr_json *schema, const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES], want[SHOWN_BYTES], have[SHOWN_BYTES];
    return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s: expected %s, got %s", spot_text(at, path), expected(schema, want), got(v, have));
}

// ---- does it fit?

static enum fr_status fit(const struct fr_json *schema, const struct fr_json *v, const struct spot *at, struct fr_err *err);

static size_t code_points(const char *text)
{
    size_t n = 0;
    for (; *text; text++) if (((uint8_t)*text & 0xc0) != 0x80) n++;
    return n;
}

static bool within(const struct fr_json *schema, const char *least, const char *most, double n)
{
    const struct fr_json *lo = fr_json_get(schema, least), *hi = fr_json_get(schema, most);
    return (!lo || n >= fr_json_number(lo)) && (!hi || n <= fr_json_number(hi));
}

static bool text_fits(const struct fr_json *schema, const char *text)
{
    int64_t units;
    if (!within(schema, "minLength", "maxLength", (double)code_points(text))) return false;
    if (!fr_json_get(schema, "format")) return true;
    return fr_units_parse(text, &units, NULL) == FR_OK && units >= 0 && units <= UNITS_MAX;
}

static enum fr_status fit_array(const struct fr_json *schema, const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    const struct fr_json *items = fr_json_get(schema, "items");
    int index = 0;
    if (!within(schema, "minItems", "maxItems", fr_json_size(v))) {
        char path[PATH_BYTES], want[SHOWN_BYTES];
        return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s: expected %s, got %d", spot_text(at, path), expected(schema, want), fr_json_size(v));
    }
    for (const struct fr_json *e = fr_json_child(v); items && e; e = fr_json_next(e)) {
        struct spot below = { at, NULL, index++ };
        FR_TRY(fit(items, e, &below, err));
    }
    return FR_OK;
}

// Some member of v is none of the properties: says which.
static enum fr_status stranger(const struct fr_json *properties, const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    const char *names[SCHEMA_PROPERTIES_MAX + 1];
    int count = 0;
    for (const struct fr_json *p = fr_json_child(properties); p; p = fr_json_next(p)) {
        assert(count < SCHEMA_PROPERTIES_MAX);           // check_properties counted them
        names[count++] = fr_json_key(p);
    }
    names[count] = NULL;
    enum fr_status st = fr_json_only_keys(v, names, spot_text(at, path), err);
    assert(st != FR_OK);
    if (err) snprintf(err->code, sizeof err->code, "bad_arguments");
    return st;
}

static enum fr_status fit_object(const struct fr_json *schema, const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    const struct fr_json *properties = fr_json_get(schema, "properties"), *required = fr_json_get(schema, "required");
    bool takes_more = fr_json_is_true(fr_json_get(schema, "additionalProperties"));
    for (const struct fr_json *m = fr_json_child(v); m && !takes_more; m = fr_json_next(m))
        if (!fr_json_get(properties, fr_json_key(m))) return stranger(properties, v, at, err);
    for (const struct fr_json *name = fr_json_child(required); name; name = fr_json_next(name)) {
        struct spot below = { at, fr_json_text(name), 0 };
        if (!fr_json_get(v, fr_json_text(name))) return misfit(fr_json_get(properties, fr_json_text(name)), NULL, &below, err);
    }
    for (const struct fr_json *p = fr_json_child(properties); p; p = fr_json_next(p)) {
        const struct fr_json *member = fr_json_get(v, fr_json_key(p));
        struct spot below = { at, fr_json_key(p), 0 };
        if (member) FR_TRY(fit(p, member, &below, err));
    }
    return FR_OK;
}

static bool is_among(const struct fr_json *values, const struct fr_json *v)
{
    for (const struct fr_json *e = fr_json_child(values); e; e = fr_json_next(e)) if (fr_json_equal(e, v)) return true;
    return false;
}

static enum fr_status fit(const struct fr_json *schema, const struct fr_json *v, const struct spot *at, struct fr_err *err)
{
    const struct fr_json *only = fr_json_get(schema, "const"), *values = fr_json_get(schema, "enum");
    int allowed = types_of(schema);
    if (only && !fr_json_equal(only, v)) return misfit(schema, v, at, err);
    if (values && !is_among(values, v)) return misfit(schema, v, at, err);
    if (allowed && !(allowed & types_of_value(v))) return misfit(schema, v, at, err);

    switch (fr_json_kind(v)) {
    case JSON_NUMBER: return within(schema, "minimum", "maximum", fr_json_number(v)) ? FR_OK : misfit(schema, v, at, err);
    case JSON_STRING: return text_fits(schema, fr_json_text(v)) ? FR_OK : misfit(schema, v, at, err);
    case JSON_ARRAY: return allowed ? fit_array(schema, v, at, err) : FR_OK;
    case JSON_OBJECT: return allowed ? fit_object(schema, v, at, err) : FR_OK;     // a schema without a type takes anything
    default: return FR_OK;
    }
}

enum fr_status schema_fit(const struct fr_json *schema, const struct fr_json *value, const char *where, struct fr_err *err)
{
    struct spot root = { NULL, where, 0 };
    if (schema) {
        if (value) return fit(schema, value, &root, err);
        return types_of(schema) == 0 && !fr_json_get(schema, "const") && !fr_json_get(schema, "enum") ? FR_OK : misfit(schema, NULL, &root, err);
    }
    if (!value || fr_json_kind(value) == JSON_NULL) return FR_OK;
    if (fr_json_kind(value) == JSON_OBJECT && fr_json_size(value) == 0) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INVALID, "bad_arguments", "%s: expected no arguments, got %s%s", where,
                        fr_json_kind_name(fr_json_kind(value)), fr_json_kind(value) == JSON_OBJECT ? " with members" : "");
}

bool schema_takes_any_object(const struct fr_json *schema)
{
    static const char *const blind[] = { "type", "additionalProperties", "description", "title", "default", NULL };
    struct fr_err err;
    if (!schema || fr_json_only_keys(schema, blind, "", &err) != FR_OK) return false;
    int allowed = types_of(schema);
    return allowed == 0 || ((allowed & TYPE_OBJECT) && fr_json_is_true(fr_json_get(schema, "additionalProperties")));
}
