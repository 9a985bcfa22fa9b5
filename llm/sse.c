// sse.c — a line at a time. A comment is skipped byte by byte, so that it costs nothing however long it is.
#include "llm/sse.h"
#include <string.h>

void llm_sse_init(struct llm_sse *s, size_t event_bytes_max)
{
    *s = (struct llm_sse){ .event_bytes_max = event_bytes_max };
    fr_buf_init(&s->line, event_bytes_max + 16);                 // the field's name stands in front
    fr_buf_init(&s->data, event_bytes_max);
}

void llm_sse_free(struct llm_sse *s)
{
    fr_buf_free(&s->line);
    fr_buf_free(&s->data);
}

static void line_is_data(struct llm_sse *s)
{
    size_t at = 4;
    if (s->line.len > at && s->line.data[at] == ':') at++;
    if (s->line.len > at && s->line.data[at] == ' ') at++;
    if (s->has_data) fr_buf_add_char(&s->data, '\n');
    fr_buf_add_bytes(&s->data, s->line.data + at, s->line.len - at);
    s->has_data = true;
}

// False: whoever takes the events has enough.
static bool line_over(struct llm_sse *s, llm_sse_fn *each, void *arg)
{
    bool more = true;
    if (s->skip_line) {
        s->skip_line = false;
        return true;
    }
    if (s->line.len == 0) {                // an empty line: the event is whole
        if (s->has_data) more = each(arg, s->data.data ? s->data.data : "", s->data.len);
        s->has_data = false;
        fr_buf_clear(&s->data);
        return more;
    }
    if (s->line.len >= 4 && memcmp(s->line.data, "data", 4) == 0 && (s->line.len == 4 || s->line.data[4] == ':')) line_is_data(s);
    fr_buf_clear(&s->line);
    return true;
}

// The mark in front, EF BB BF, in whatever pieces; a part of one that goes on otherwise was text.
static bool is_mark(struct llm_sse *s, char c)
{
    static const char mark[3] = { (char)0xef, (char)0xbb, (char)0xbf };
    if (s->begun) return false;
    if (c == mark[s->marks]) {
        s->begun = ++s->marks == 3;
        return true;
    }
    s->begun = true;
    if (s->marks) fr_buf_add_bytes(&s->line, mark, (size_t)s->marks);
    return false;
}

static enum fr_status check(struct llm_sse *s, struct fr_err *err)
{
    if (s->line.no_memory || s->data.no_memory) return FR_FAIL(err, FR_E_NOMEM, "no memory for an event of a stream");
    if (s->line.failed || s->data.failed) return FR_FAIL_CODE(err, FR_E_LIMIT, "llm_too_large", "an event of a stream over %zu bytes", s->event_bytes_max);
    return FR_OK;
}

enum fr_status llm_sse_feed(struct llm_sse *s, const char *bytes, size_t len, llm_sse_fn *each, void *arg, struct fr_err *err)
{
    for (size_t i = 0; i < len; ) {
        char c = bytes[i];
        if (is_mark(s, c)) {
            i++;
            continue;
        }
        if (c == '\n' && s->after_cr) {    // the second half of CRLF
            s->after_cr = false;
            i++;
            continue;
        }
        s->after_cr = c == '\r';
        if (c == '\r' || c == '\n') {
            i++;
            FR_TRY(check(s, err));
            if (!line_over(s, each, arg)) return FR_OK;
            FR_TRY(check(s, err));
            continue;
        }
        size_t run = i;                    // the rest of this line that is here
        while (run < len && bytes[run] != '\r' && bytes[run] != '\n') run++;
        if (s->line.len == 0 && c == ':') s->skip_line = true;
        if (!s->skip_line) fr_buf_add_bytes(&s->line, bytes + i, run - i);
        FR_TRY(check(s, err));
        i = run;
    }
    return FR_OK;
}
