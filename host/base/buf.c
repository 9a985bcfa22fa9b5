// buf.c — every add goes through buf_room, the only place that can fail.
#include "base/buf.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/utf8.h"

#define BUF_FIRST_BYTES 128

void fr_buf_init(struct fr_buf *b, size_t max_bytes)
{
    assert(max_bytes < SIZE_MAX / 2);
    *b = (struct fr_buf){ .max = max_bytes };
}

void fr_buf_free(struct fr_buf *b)
{
    if (!b) return;
    fr_free(b->data);
    *b = (struct fr_buf){ .max = b->max };
}

void fr_buf_clear(struct fr_buf *b)
{
    b->len = 0;
    b->failed = b->no_memory = false;
    if (b->data) b->data[0] = 0;
}

static size_t buf_grown(const struct fr_buf *b, size_t needed)
{
    size_t cap = b->cap * 2 > BUF_FIRST_BYTES ? b->cap * 2 : BUF_FIRST_BYTES;
    if (cap < needed) cap = needed;
    return cap < b->max + 1 ? cap : b->max + 1;
}

// Room for len more bytes and the NUL; false once, and the buffer stays failed.
static bool buf_room(struct fr_buf *b, size_t len)
{
    if (b->failed) return false;
    if (len > b->max - b->len) {
        b->failed = true;
        return false;
    }
    size_t needed = b->len + len + 1;
    if (needed <= b->cap) return true;
    size_t cap = buf_grown(b, needed);
    char *data = fr_realloc(b->data, cap);
    if (!data) {
        b->failed = b->no_memory = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

char *fr_buf_reserve(struct fr_buf *b, size_t len)
{
    return buf_room(b, len) ? b->data + b->len : NULL;
}

void fr_buf_commit(struct fr_buf *b, size_t len)
{
    assert(len < b->cap - b->len);      // no more than what was reserved
    b->len += len;
    b->data[b->len] = 0;
}

void fr_buf_add_bytes(struct fr_buf *b, const void *bytes, size_t len)
{
    if (!buf_room(b, len)) return;
    if (len) memcpy(b->data + b->len, bytes, len);
    fr_buf_commit(b, len);
}

void fr_buf_add(struct fr_buf *b, const char *text)
{
    fr_buf_add_bytes(b, text, strlen(text));
}

void fr_buf_add_char(struct fr_buf *b, char c)
{
    if (!buf_room(b, 1)) return;
    b->data[b->len] = c;
    fr_buf_commit(b, 1);
}

void fr_buf_addf(struct fr_buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fr_buf_vaddf(b, fmt, args);
    va_end(args);
}

void fr_buf_vaddf(struct fr_buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    size_t end = b->cap < b->max + 1 ? b->cap : b->max + 1;
    size_t room = b->failed || end < b->len ? 0 : end - b->len;      // most fits: one pass then
    int len = vsnprintf(room ? b->data + b->len : NULL, room, fmt, args);
    assert(len >= 0);                   // only a broken format can do this
    bool fits = (size_t)len < room;
    if (!fits && room) b->data[b->len] = 0;
    if (fits) {
        b->len += (size_t)len;
    } else if (buf_room(b, (size_t)len)) {
        vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void fr_buf_add_i64(struct fr_buf *b, int64_t value)
{
    char digits[20], *end = digits + sizeof digits, *at = end;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do *--at = (char)('0' + rest % 10); while (rest /= 10);
    if (value < 0) *--at = '-';
    fr_buf_add_bytes(b, at, (size_t)(end - at));
}

static void buf_add_escape(struct fr_buf *b, char c)
{
    switch (c) {
    case '"':  fr_buf_add_bytes(b, "\\\"", 2); break;
    case '\\': fr_buf_add_bytes(b, "\\\\", 2); break;
    case '\n': fr_buf_add_bytes(b, "\\n", 2); break;
    case '\r': fr_buf_add_bytes(b, "\\r", 2); break;
    case '\t': fr_buf_add_bytes(b, "\\t", 2); break;
    default:   fr_buf_addf(b, "\\u%04x", (unsigned char)c);
    }
}

// Eight bytes, none of them a control, a quote, a backslash or part of a longer character.
static bool buf_is_plain(const char *text)
{
    const uint64_t ones = 0x0101010101010101ULL, highs = ones << 7;
    uint64_t w;
    memcpy(&w, text, 8);
    uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';
    return ((w | (w - ones * 0x20) | (quote - ones) | (slash - ones)) & highs) == 0;      // a borrow only ever refuses too much
}

// How many bytes from the front can be copied as they are.
static size_t buf_plain_run(const char *text, size_t len)
{
    size_t at = 0;
    while (at < len) {
        while (len - at >= 8 && buf_is_plain(text + at)) at += 8;       // texts are mostly that
        if (at == len) break;
        unsigned char c = (unsigned char)text[at];
        if (c < 0x20 || c == '"' || c == '\\') break;
        size_t step = c < 0x80 ? 1 : fr_utf8_char(text + at, len - at);
        if (step == 0) break;
        at += step;
    }
    return at;
}

static void buf_add_json_inside(struct fr_buf *b, const char *text, size_t len)
{
    while (len > 0) {
        size_t run = buf_plain_run(text, len);
        fr_buf_add_bytes(b, text, run);
        if (run == len || b->failed) return;
        if ((unsigned char)text[run] < 0x80) buf_add_escape(b, text[run]);
        else fr_buf_add_bytes(b, "\xEF\xBF\xBD", 3);     // U+FFFD for one byte that is not UTF-8
        text += run + 1;
        len -= run + 1;
    }
}

void fr_buf_add_json_bytes(struct fr_buf *b, const char *text, size_t len)
{
    if (buf_plain_run(text, len) == len && buf_room(b, len + 2)) {       // nearly every text: one step
        char *at = b->data + b->len;
        at[0] = at[len + 1] = '"';
        if (len) memcpy(at + 1, text, len);
        fr_buf_commit(b, len + 2);
        return;
    }
    fr_buf_add_char(b, '"');
    buf_add_json_inside(b, text, len);
    fr_buf_add_char(b, '"');
}

void fr_buf_add_json_text(struct fr_buf *b, const char *text)
{
    if (text) fr_buf_add_json_bytes(b, text, strlen(text));
    else fr_buf_add(b, "null");
}

void fr_buf_consume(struct fr_buf *b, size_t len)
{
    assert(len <= b->len);
    if (len == 0) return;
    memmove(b->data, b->data + len, b->len - len + 1);   // the NUL moves along
    b->len -= len;
}

enum fr_status fr_buf_check(const struct fr_buf *b, const char *what, struct fr_err *err)
{
    if (b->no_memory) return FR_FAIL(err, FR_E_NOMEM, "no memory for %s", what);
    if (b->failed) return FR_FAIL(err, FR_E_LIMIT, "%s is over %zu bytes", what, b->max);
    return FR_OK;
}
