// hex.c — bytes as text. Decoders accept exactly one spelling of each byte string (hex: two, by case).
#include "base/hex.h"

static const char hex_digits[] = "0123456789abcdef";
static const char url_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char std_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *fr_hex(const void *bytes, size_t len, char *out)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex_digits[b[i] >> 4];
        out[2 * i + 1] = hex_digits[b[i] & 15];
    }
    out[2 * len] = 0;
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool fr_unhex(const char *text, size_t text_len, uint8_t *out, size_t len)
{
    if (text_len % 2 != 0 || text_len / 2 != len) return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

// Writes the digits of all bytes and returns where the next one would go.
static char *base64_digits(const uint8_t *b, size_t len, const char *digits, char *out)
{
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | b[i];
        for (held += 8; held >= 6; held -= 6) *out++ = digits[bits >> (held - 6) & 63];
    }
    if (held) *out++ = digits[bits << (6 - held) & 63];
    return out;
}

char *fr_base64url(const void *bytes, size_t len, char *out)
{
    *base64_digits(bytes, len, url_digits, out) = 0;
    return out;
}

char *fr_base64(const void *bytes, size_t len, char *out)
{
    char *end = base64_digits(bytes, len, std_digits, out);
    while ((end - out) % 4) *end++ = '=';
    *end = 0;
    return out;
}

static int url_value(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

long fr_unbase64url(const char *text, size_t text_len, uint8_t *out, size_t cap)
{
    uint32_t bits = 0;
    int held = 0;
    size_t len = 0;
    if (text_len % 4 == 1) return -1;                    // six bits alone are no byte
    for (size_t i = 0; i < text_len; i++) {
        int value = url_value(text[i]);
        if (value < 0) return -1;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held < 8) continue;
        if (len == cap) return -1;
        held -= 8;
        out[len++] = (uint8_t)(bits >> held);
    }
    return bits & ((1u << held) - 1) ? -1 : (long)len;   // spare bits must be zero: one spelling per value
}
