// engine_said.c — the engine's output: the last of it is kept, for whoever asks why it is down.
#include <string.h>
#include "llm/engine_inside.h"

void engine_said_add(struct llm_engine *e, const char *bytes, size_t len)
{
    e->said_bytes += (int64_t)len;
    if (len > sizeof e->said) {
        bytes += len - sizeof e->said;
        len = sizeof e->said;
    }
    size_t drop = e->said_len + len > sizeof e->said ? e->said_len + len - sizeof e->said : 0;
    memmove(e->said, e->said + drop, e->said_len - drop);
    e->said_len -= drop;
    memcpy(e->said + e->said_len, bytes, len);
    e->said_len += len;
}

void llm_engine_said(const struct llm_engine *e, struct fr_buf *out)
{
    for (size_t i = 0; i < e->said_len; i++) {
        unsigned char c = (unsigned char)e->said[i];
        if (c == '\n' || (c >= 0x20 && c != 0x7f)) fr_buf_add_char(out, (char)c);
    }
}

// For a sentence: plain letters only, whoever wrote them.
void engine_last_line(const struct llm_engine *e, char *out, size_t cap)
{
    size_t end = e->said_len, len = 0;
    while (end > 0 && (e->said[end - 1] == '\n' || e->said[end - 1] == '\r')) end--;
    size_t from = end;
    while (from > 0 && e->said[from - 1] != '\n') from--;
    for (; from < end && len + 1 < cap; from++) out[len++] = e->said[from] >= 0x20 && e->said[from] < 0x7f ? e->said[from] : '?';
    out[len] = 0;
}
