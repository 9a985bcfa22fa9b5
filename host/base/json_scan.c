// json_scan.c — is this JSON? One pass over the bytes, before any tree is built: UTF-8, grammar, depth, duplicate keys,
// and an error that says where, what was expected and what stood there.
//
// Keys are kept until their object ends, then sorted: a hostile object of many thousand keys costs n log n, not n squared.
#include "base/json.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arena.h"
#include "base/json_inside.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

#define KEYS_FIRST 32            // on the stack; real messages rarely have more open keys
#define KEYS_COMPARED_MAX 12     // up to here every pair is compared: faster than sorting

struct scan_key {
    const char *text;            // in the input, or in the arena when it was written with escapes
    uint32_t len, at;            // at: where it stands in the input
};

struct scan {
    const char *start, *at, *end;
    int depth;
    struct scan_key first_keys[KEYS_FIRST], *keys;      // of all objects that are open, outermost first
    size_t key_count, key_room;
    struct fr_arena *spelled_out;                        // keys without their escapes; rare, so made when needed
    struct fr_err *err;
    struct json_measure measure;
};

// ---- errors

// Lines and columns count from 1; columns count characters, as an editor does.
static void scan_place(const struct scan *s, const char *where, int *line, int *column)
{
    *line = *column = 1;
    for (const char *c = s->start; c < where; c++) {
        if (*c == '\n') {
            ++*line;
            *column = 1;
        } else if (((uint8_t)*c & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

FR_PRINTF(4, 5)
static enum fr_status scan_fail(struct scan *s, enum fr_status status, const char *where, const char *fmt, ...)
{
    char what[FR_ERR_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    int line, column;
    scan_place(s, where, &line, &column);
    // "limit" alone would say "too often", and the same text would come again.
    if (status == FR_E_LIMIT) return FR_FAIL_CODE(s->err, status, "too_large", "line %d, column %d: %s", line, column, what);
    return FR_FAIL(s->err, status, "line %d, column %d: %s", line, column, what);
}

static enum fr_status scan_expected(struct scan *s, const char *what)
{
    if (s->at == s->end) return scan_fail(s, FR_E_INVALID, s->at, "expected %s, got the end of the text", what);
    uint8_t c = (uint8_t)*s->at;
    if (c > 0x20 && c < 0x7F) return scan_fail(s, FR_E_INVALID, s->at, "expected %s, got '%c'", what, c);
    return scan_fail(s, FR_E_INVALID, s->at, "expected %s, got byte 0x%02x", what, c);
}

void json_show(char out[JSON_SHOWN_BYTES], const char *text, size_t len)
{
    size_t most = JSON_SHOWN_BYTES - sizeof "\"...\"", kept = len <= most ? len : fr_utf8_cut(text, most);
    snprintf(out, JSON_SHOWN_BYTES, "\"%.*s%s\"", (int)kept, text, kept < len ? "..." : "");
    for (char *c = out; *c; c++) if ((uint8_t)*c < 0x20 || *c == 0x7F) *c = '?';
}

// ---- small steps

static int scan_peek(const struct scan *s)               // -1 at the end
{
    return s->at < s->end ? (uint8_t)*s->at : -1;
}

static bool scan_take(struct scan *s, char c)
{
    if (scan_peek(s) != c) return false;
    s->at++;
    return true;
}

static void scan_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r')) s->at++;
}

// ---- strings

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The four digits of a \u escape; -1 when they are not there.
static int32_t hex_unit(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

// s->at stands behind "\u". Gives the code point, of two escapes when they are a surrogate pair.
static enum fr_status scan_unicode(struct scan *s, uint32_t *ret)
{
    const char *escape = s->at - 2;
    int32_t high = hex_unit(s->at, s->end);
    if (high < 0) return scan_fail(s, FR_E_INVALID, escape, "\\u needs four hex digits");
    if (high == 0) return scan_fail(s, FR_E_INVALID, escape, "\\u0000 is not allowed in a string");
    s->at += 4;
    *ret = (uint32_t)high;
    if (high < 0xD800 || high > 0xDFFF) return FR_OK;

    bool paired = high < 0xDC00 && s->end - s->at >= 6 && s->at[0] == '\\' && s->at[1] == 'u';
    int32_t low = paired ? hex_unit(s->at + 2, s->end) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return scan_fail(s, FR_E_INVALID, escape, "\\u%04x is half of a surrogate pair", high);
    s->at += 6;
    *ret = 0x10000 + (((uint32_t)high - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
    return FR_OK;
}

static const char escape_letters[] = "\"\\/bfnrt", escape_meanings[] = "\"\\/\b\f\n\r\t";

// s->at stands on the backslash.
static enum fr_status scan_escape(struct scan *s, uint32_t *ret)
{
    const char *escape = s->at++;
    if (scan_take(s, 'u')) return scan_unicode(s, ret);
    int c = scan_peek(s);
    if (c < 0) return scan_expected(s, "an escape");
    const char *letter = c ? strchr(escape_letters, c) : NULL;
    if (!letter && c > 0x20 && c < 0x7F) return scan_fail(s, FR_E_INVALID, escape, "'\\%c' is not an escape", c);
    if (!letter) return scan_fail(s, FR_E_INVALID, escape, "a lone backslash in a string (write \\\\)");
    s->at++;
    *ret = (uint8_t)escape_meanings[letter - escape_letters];
    return FR_OK;
}

static enum fr_status scan_odd_byte(struct scan *s, uint8_t c)
{
    if (c < 0x20) return scan_fail(s, FR_E_INVALID, s->at, "control character 0x%02x in a string (write \\u%04x)", c, c);
    size_t step = fr_utf8_char(s->at, (size_t)(s->end - s->at));
    if (step == 0) return scan_fail(s, FR_E_INVALID, s->at, "byte 0x%02x is not UTF-8", c);
    s->at += step;
    return FR_OK;
}

// ASCII but for control characters, the quote and the backslash: what a string is mostly made of.
static const bool is_plain[256] = { [0x20 ... 0x21] = true, [0x23 ... 0x5B] = true, [0x5D ... 0x7F] = true };

// A string with its quotes. *escaped says whether its bytes differ from its meaning.
static enum fr_status scan_string(struct scan *s, bool *escaped)
{
    const char *open = s->at++;
    *escaped = false;
    s->measure.spellings++;
    while (s->at < s->end) {
        while (is_plain[(uint8_t)*s->at] && ++s->at < s->end) {}
        if (s->at == s->end) break;
        uint8_t c = (uint8_t)*s->at;
        if (c == '"') {
            s->at++;
            return FR_OK;
        }
        if (c == '\\') {
            uint32_t ignored;
            *escaped = true;
            FR_TRY(scan_escape(s, &ignored));
        } else {
            FR_TRY(scan_odd_byte(s, c));
        }
    }
    return scan_fail(s, FR_E_INVALID, open, "this string has no end");
}

// ---- numbers

static bool scan_digits(struct scan *s)
{
    const char *first = s->at;
    while (s->at < s->end && *s->at >= '0' && *s->at <= '9') s->at++;
    return s->at > first;
}

// Only a number with an exponent can leave the range of a double: without one it has too few digits.
static enum fr_status scan_number_range(struct scan *s, const char *first)
{
    char text[JSON_NUMBER_BYTES_MAX + 1];
    size_t len = (size_t)(s->at - first);
    memcpy(text, first, len);
    text[len] = 0;
    if (isfinite(strtod(text, NULL))) return FR_OK;
    return scan_fail(s, FR_E_INVALID, first, "%s is too large for a number", text);
}

static enum fr_status scan_number(struct scan *s)
{
    const char *first = s->at;
    bool exponent = false;
    s->measure.spellings++;
    scan_take(s, '-');
    const char *zero = s->at;
    if (!scan_digits(s)) return scan_expected(s, "a digit");
    if (*zero == '0' && s->at - zero > 1) return scan_fail(s, FR_E_INVALID, first, "a number may not begin with 0");
    if (scan_take(s, '.') && !scan_digits(s)) return scan_expected(s, "a digit after the point");
    if (scan_take(s, 'e') || scan_take(s, 'E')) {
        exponent = true;
        if (!scan_take(s, '-')) scan_take(s, '+');
        if (!scan_digits(s)) return scan_expected(s, "a digit in the exponent");
    }
    if (s->at - first > JSON_NUMBER_BYTES_MAX)
        return scan_fail(s, FR_E_LIMIT, first, "a number of over %d characters", JSON_NUMBER_BYTES_MAX);
    return exponent ? scan_number_range(s, first) : FR_OK;
}

// ---- keys

static enum fr_status key_no_memory(struct scan *s)
{
    return FR_FAIL(s->err, FR_E_NOMEM, "no memory for the keys of a JSON text");
}

static bool keys_grow(struct scan *s)
{
    size_t bytes = s->key_room * sizeof *s->keys;
    struct scan_key *more = fr_realloc(s->keys == s->first_keys ? NULL : s->keys, 2 * bytes);
    if (!more) return false;
    if (s->keys == s->first_keys) memcpy(more, s->first_keys, bytes);
    s->keys = more;
    s->key_room *= 2;
    return true;
}

// What the key means: a copy without escapes. The scan has already accepted it, so nothing in here can be refused.
static enum fr_status key_spell_out(struct scan *s, struct scan_key *key)
{
    if (!s->spelled_out) s->spelled_out = fr_arena_new(JSON_KEYS_BYTES_MAX);
    char *out = s->spelled_out ? fr_arena_alloc(s->spelled_out, key->len) : NULL;   // meaning is never longer than spelling
    if (!out) return key_no_memory(s);
    struct scan inside = { .at = key->text, .end = key->text + key->len };
    size_t len = 0;
    while (inside.at < inside.end) {
        uint32_t c = 0;
        if (*inside.at != '\\') {
            out[len++] = *inside.at++;
            continue;
        }
        FR_TRY(scan_escape(&inside, &c));
        len += fr_utf8_put(c, out + len);
    }
    key->text = out;
    key->len = (uint32_t)len;
    return FR_OK;
}

static enum fr_status scan_key(struct scan *s)
{
    if (scan_peek(s) != '"') return scan_expected(s, "a key in quotes");
    const char *open = s->at;
    bool escaped;
    FR_TRY(scan_string(s, &escaped));
    struct scan_key key = { .text = open + 1, .len = (uint32_t)(s->at - open - 2), .at = (uint32_t)(open - s->start) };
    if (escaped) FR_TRY(key_spell_out(s, &key));
    if (s->key_count == s->key_room && !keys_grow(s)) return key_no_memory(s);
    s->keys[s->key_count++] = key;
    return FR_OK;
}

// By length first: it decides most comparisons without looking at the text.
static int key_compare(const void *a, const void *b)
{
    const struct scan_key *x = a, *y = b;
    if (x->len != y->len) return x->len < y->len ? -1 : 1;
    return memcmp(x->text, y->text, x->len);
}

static enum fr_status keys_same(struct scan *s, const struct scan_key *a, const struct scan_key *b)
{
    const struct scan_key *later = a->at > b->at ? a : b;
    char shown[JSON_SHOWN_BYTES];
    json_show(shown, later->text, later->len);
    return scan_fail(s, FR_E_INVALID, s->start + later->at, "duplicate key %s", shown);
}

// The keys of the object that just ended are the newest ones, from `from` on; they are dropped here.
static enum fr_status keys_check(struct scan *s, size_t from)
{
    struct scan_key *keys = s->keys + from;
    size_t count = s->key_count - from;
    bool sorted = count > KEYS_COMPARED_MAX;
    if (sorted) qsort(keys, count, sizeof *keys, key_compare);
    for (size_t i = 1; i < count; i++)
        for (size_t j = sorted ? i - 1 : 0; j < i; j++)
            if (key_compare(&keys[i], &keys[j]) == 0) return keys_same(s, &keys[i], &keys[j]);
    s->key_count = from;
    return FR_OK;
}

// ---- values

static enum fr_status scan_value(struct scan *s);

static enum fr_status scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0) return scan_expected(s, "a value");
    s->at += len;
    return FR_OK;
}

static enum fr_status scan_array(struct scan *s)
{
    s->at++;
    scan_space(s);
    if (scan_take(s, ']')) return FR_OK;
    do FR_TRY(scan_value(s)); while (scan_take(s, ','));
    return scan_take(s, ']') ? FR_OK : scan_expected(s, "',' or ']'");
}

static enum fr_status scan_member(struct scan *s)
{
    scan_space(s);
    FR_TRY(scan_key(s));
    scan_space(s);
    if (!scan_take(s, ':')) return scan_expected(s, "':'");
    return scan_value(s);
}

static enum fr_status scan_object(struct scan *s)
{
    size_t keys_before = s->key_count;
    s->at++;
    scan_space(s);
    if (scan_take(s, '}')) return FR_OK;
    do FR_TRY(scan_member(s)); while (scan_take(s, ','));
    if (!scan_take(s, '}')) return scan_expected(s, "',' or '}'");
    return keys_check(s, keys_before);
}

static enum fr_status scan_nested(struct scan *s)
{
    if (s->depth == JSON_DEPTH_MAX) return scan_fail(s, FR_E_LIMIT, s->at, "nested deeper than %d", JSON_DEPTH_MAX);
    s->depth++;
    FR_TRY(*s->at == '{' ? scan_object(s) : scan_array(s));
    s->depth--;
    return FR_OK;
}

static enum fr_status scan_bare(struct scan *s)
{
    bool escaped;
    switch (scan_peek(s)) {
    case '{':
    case '[': return scan_nested(s);
    case '"': return scan_string(s, &escaped);
    case 't': return scan_word(s, "true");
    case 'f': return scan_word(s, "false");
    case 'n': return scan_word(s, "null");
    case '-': case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9': return scan_number(s);
    }
    return scan_expected(s, "a value");
}

static enum fr_status scan_value(struct scan *s)
{
    s->measure.values++;
    scan_space(s);
    FR_TRY(scan_bare(s));
    scan_space(s);
    return FR_OK;
}

static enum fr_status scan_text(struct scan *s)
{
    FR_TRY(scan_value(s));
    return s->at == s->end ? FR_OK : scan_expected(s, "the end of the text");
}

enum fr_status json_scan(const char *text, size_t len, size_t bytes_max, struct json_measure *measure, struct fr_err *err)
{
    if (len > bytes_max)
        return FR_FAIL(err, FR_E_LIMIT, "a JSON text of %zu bytes is over %zu bytes", len, bytes_max);
    struct scan s;                                       // not zeroed as a whole: most of it is room for keys
    if (len == 0) text = "";                            // an empty buffer may have no memory at all
    s.start = s.at = text;
    s.end = text + len;
    s.depth = 0;
    s.keys = s.first_keys;
    s.key_count = 0;
    s.key_room = KEYS_FIRST;
    s.spelled_out = NULL;
    s.err = err;
    s.measure = (struct json_measure){ 0 };
    enum fr_status status = scan_text(&s);
    if (s.keys != s.first_keys) fr_free(s.keys);
    fr_arena_free(s.spelled_out);
    *measure = s.measure;
    return status;
}

enum fr_status fr_json_check(const char *text, size_t len, struct fr_err *err)
{
    struct json_measure nobody_asked;
    return json_scan(text, len, JSON_TEXT_BYTES_MAX, &nobody_asked, err);
}
