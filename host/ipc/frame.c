// frame.c — the envelope, byte by byte, so that it is the same on every machine. No state: what is kept is the caller's.
#include "ipc/frame.h"
#include <string.h>
#include "base/limits.h"

#define SECTION_LENGTH_BYTES 4

static void put_u32(char *at, uint32_t v)
{
    for (int i = 0; i < 4; i++) at[i] = (char)(v >> (8 * i));
}

static uint32_t get_u32(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void frame_header(char *at, const struct frame *f, uint32_t len)
{
    put_u32(at, len);
    at[4] = (char)f->kind;
    at[5] = (char)f->status;
    at[6] = (char)f->call;
    at[7] = (char)(f->call >> 8);
    put_u32(at + 8, f->id);
    put_u32(at + 12, f->ref);
}

void frame_put(struct fr_buf *out, const struct frame *f)
{
    char *at = fr_buf_reserve(out, FRAME_HEADER_BYTES + (size_t)f->len);
    if (!at) return;
    frame_header(at, f, f->len);
    if (f->len) memcpy(at + FRAME_HEADER_BYTES, f->payload, f->len);
    fr_buf_commit(out, FRAME_HEADER_BYTES + (size_t)f->len);
}

size_t frame_begin(struct fr_buf *out, const struct frame *f)
{
    size_t mark = out->len;
    char *at = fr_buf_reserve(out, FRAME_HEADER_BYTES);
    if (!at) return mark;
    frame_header(at, f, 0);
    fr_buf_commit(out, FRAME_HEADER_BYTES);
    return mark;
}

void frame_section(struct fr_buf *out, const void *bytes, size_t len)
{
    if (len > FRAME_BYTES_MAX) {
        out->failed = true;      // its length would not fit, and no frame could carry it
        return;
    }
    char *at = fr_buf_reserve(out, SECTION_LENGTH_BYTES + len);
    if (!at) return;
    put_u32(at, (uint32_t)len);
    if (len) memcpy(at + SECTION_LENGTH_BYTES, bytes, len);
    fr_buf_commit(out, SECTION_LENGTH_BYTES + len);
}

void frame_end(struct fr_buf *out, size_t mark)
{
    if (out->failed) return;
    size_t len = out->len - mark - FRAME_HEADER_BYTES;
    if (len > FRAME_BYTES_MAX) out->failed = true;
    else put_u32(out->data + mark, (uint32_t)len);
}

// What the header says is judged as soon as it is here: a liar is not given time to send the rest.
static int frame_check(const struct frame *f, int first, int last, uint32_t len_max, struct fr_err *err)
{
    if (f->len > len_max)
        FR_FAIL(err, FR_E_LIMIT, "a frame of %u bytes; at most %u", f->len, len_max);
    else if (f->kind < first || f->kind > last)
        FR_FAIL(err, FR_E_INVALID, "a frame of unknown kind %d", f->kind);
    else if (f->status >= FRAME_STATUS_COUNT)
        FR_FAIL(err, FR_E_INVALID, "a frame with unknown status %d", f->status);
    else
        return 1;
    return -1;
}

int frame_next_of(const char *bytes, size_t len, int first, int last, uint32_t len_max, struct frame *ret, struct fr_err *err)
{
    if (len < FRAME_HEADER_BYTES) return 0;
    const unsigned char *h = (const unsigned char *)bytes;
    struct frame f = {
        .len = get_u32(bytes), .kind = h[4], .status = h[5], .call = (uint16_t)(h[6] | h[7] << 8),
        .id = get_u32(bytes + 8), .ref = get_u32(bytes + 12), .payload = bytes + FRAME_HEADER_BYTES,
    };
    if (frame_check(&f, first, last, len_max, err) < 0) return -1;
    if (len - FRAME_HEADER_BYTES < f.len) return 0;
    *ret = f;
    return 1;
}

int frame_next(const char *bytes, size_t len, bool from_worker, struct frame *ret, struct fr_err *err)
{
    return frame_next_of(bytes, len, from_worker ? FRAME_READY : FRAME_LOAD, from_worker ? FRAME_STREAM : FRAME_MATCH_RESTORE, FRAME_BYTES_MAX, ret, err);
}

void frame_sections(const struct frame *f, struct frame_cursor *c)
{
    *c = (struct frame_cursor){ .at = f->payload, .left = f->len };
}

bool frame_take(struct frame_cursor *c, const char **bytes, size_t *len)
{
    if (c->bad || c->left == 0) return false;
    if (c->left < SECTION_LENGTH_BYTES || get_u32(c->at) > c->left - SECTION_LENGTH_BYTES) {
        c->bad = true;
        return false;
    }
    *len = get_u32(c->at);
    *bytes = c->at + SECTION_LENGTH_BYTES;
    c->at += SECTION_LENGTH_BYTES + *len;
    c->left -= SECTION_LENGTH_BYTES + *len;
    return true;
}
