// utf8.c — checks by the table of well-formed byte sequences in the Unicode standard (3-7).
#include "base/utf8.h"
#include <assert.h>

static bool within(uint8_t byte, uint8_t least, uint8_t most)
{
    return byte >= least && byte <= most;
}

size_t fr_utf8_char(const char *text, size_t len)
{
    const uint8_t *b = (const uint8_t *)text;
    if (len == 0) return 0;
    if (b[0] < 0x80) return 1;
    if (within(b[0], 0xC2, 0xDF)) return len >= 2 && within(b[1], 0x80, 0xBF) ? 2 : 0;
    if (within(b[0], 0xE0, 0xEF)) {
        uint8_t least = b[0] == 0xE0 ? 0xA0 : 0x80;      // overlong
        uint8_t most = b[0] == 0xED ? 0x9F : 0xBF;       // surrogates
        return len >= 3 && within(b[1], least, most) && within(b[2], 0x80, 0xBF) ? 3 : 0;
    }
    if (within(b[0], 0xF0, 0xF4)) {
        uint8_t least = b[0] == 0xF0 ? 0x90 : 0x80;      // overlong
        uint8_t most = b[0] == 0xF4 ? 0x8F : 0xBF;       // past U+10FFFF
        return len >= 4 && within(b[1], least, most) && within(b[2], 0x80, 0xBF) && within(b[3], 0x80, 0xBF) ? 4 : 0;
    }
    return 0;
}

bool fr_utf8_valid(const char *text, size_t len)
{
    while (len > 0) {
        size_t step = fr_utf8_char(text, len);
        if (step == 0) return false;
        text += step;
        len -= step;
    }
    return true;
}

size_t fr_utf8_cut(const char *text, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        uint8_t byte = (uint8_t)text[len - back];
        if (within(byte, 0x80, 0xBF)) continue;          // a later byte of a character: look further left
        size_t wants = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return wants > back ? len - back : len;
    }
    return len;
}

size_t fr_utf8_put(uint32_t c, char out[4])
{
    assert(c <= 0x10FFFF);
    assert(c < 0xD800 || c > 0xDFFF);
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[5] = { 0, 0, 0xC0, 0xE0, 0xF0 };
    for (size_t i = len - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(lead[len] | c);
    return len;
}
