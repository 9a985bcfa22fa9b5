// request_media.c — pictures and sounds in requests: they are here, as base64, and are what their first bytes say. Nothing is fetched.
#include <string.h>
#include "llm/request_inside.h"

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Whole groups of the standard alphabet, padded: other spellings are read by each decoder in its own way.
static bool is_base64(const char *text, size_t len)
{
    size_t padding = 0;
    if (len == 0 || len % 4 != 0) return false;
    while (padding < 2 && text[len - 1 - padding] == '=') padding++;
    for (size_t i = 0; i < len - padding; i++) if (value_of(text[i]) < 0) return false;
    return true;
}

#define HEAD_BYTES 18                      // as much as a name of a format takes; a multiple of three
static size_t decode_head(const char *text, size_t len, uint8_t head[HEAD_BYTES])
{
    size_t n = 0;
    for (size_t i = 0; i + 4 <= len && n < HEAD_BYTES; i += 4) {
        uint32_t group = 0;
        int count = text[i + 2] == '=' ? 1 : text[i + 3] == '=' ? 2 : 3;
        for (int k = 0; k < 4; k++) group = group << 6 | (text[i + (size_t)k] == '=' ? 0 : (uint32_t)value_of(text[i + (size_t)k]));
        for (int k = 0; k < count; k++) head[n++] = (uint8_t)(group >> (16 - 8 * k));
    }
    return n;
}

const char *llm_media_sniff(const char *base64, size_t len, enum media kind)
{
    static const struct { enum media kind; size_t at; const char *bytes; size_t len; const char *name; } known[] = {
        { MEDIA_PICTURE, 0, "\x89PNG\r\n\x1a\n", 8, "png" }, { MEDIA_PICTURE, 0, "\xff\xd8\xff", 3, "jpeg" }, { MEDIA_PICTURE, 0, "GIF87a", 6, "gif" }, { MEDIA_PICTURE, 0, "GIF89a", 6, "gif" }, { MEDIA_PICTURE, 8, "WEBP", 4, "webp" },
        { MEDIA_SOUND, 8, "WAVE", 4, "wav" }, { MEDIA_SOUND, 0, "ID3", 3, "mp3" }, { MEDIA_SOUND, 0, "fLaC", 4, "flac" }, { MEDIA_SOUND, 0, "OggS", 4, "ogg" },
    };
    uint8_t head[HEAD_BYTES];
    if (!is_base64(base64, len)) return "";
    size_t n = decode_head(base64, len, head);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].kind != kind || n < known[i].at + known[i].len || memcmp(head + known[i].at, known[i].bytes, known[i].len) != 0) continue;
        return known[i].at == 8 && memcmp(head, "RIFF", 4) != 0 ? "" : known[i].name;
    }
    // A frame of MPEG audio, layer III: eleven bits set, no reserved version, rate or bit rate.
    if (kind == MEDIA_SOUND && n >= 3 && head[0] == 0xff && (head[1] & 0xe6) == 0xe2 && (head[1] & 0x18) != 0x08 && (head[2] & 0xf0) != 0xf0 && (head[2] & 0x0c) != 0x0c) return "mp3";
    return "";
}
