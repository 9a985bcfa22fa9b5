#include "signer/serve.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include "base/clock.h"
#include "chain/sign_wire.h"
#include "ipc/frame.h"
#include "ipc/sign.h"

#define OUT_BYTES_MAX (8 * 1024 * 1024)       // answers to one turn: at worst 16,384 empty requests, each refused at length
_Static_assert(SIGNER_READ_BYTES / FRAME_HEADER_BYTES * (FRAME_HEADER_BYTES + 8 + FR_ERR_CODE_BYTES + FR_ERR_TEXT_BYTES) <= OUT_BYTES_MAX, "a turn's answers fit");

static void answer_refused(uint32_t id, const struct fr_err *why, struct fr_buf *out)
{
    size_t mark = frame_begin(out, &(struct frame){ .kind = SIGN_DONE, .status = FRAME_REFUSED, .id = id });
    frame_section(out, why->code, strlen(why->code));
    frame_section(out, why->text, strlen(why->text));
    frame_end(out, mark);
}

static void answer_signed(uint32_t id, const struct signature *sig, struct fr_buf *out)
{
    uint8_t bytes[SIGNATURE_BYTES];
    signature_print(sig, bytes);
    frame_put(out, &(struct frame){ .kind = SIGN_DONE, .status = FRAME_OK, .id = id, .len = sizeof bytes, .payload = (const char *)bytes });
}

static void answer_list(const struct signer *s, uint32_t id, struct fr_buf *out)
{
    frame_put(out, &(struct frame){ .kind = SIGN_KEYS, .status = FRAME_OK, .id = id, .len = (uint32_t)s->key_count * ADDRESS_BYTES, .payload = (const char *)s->addresses });
}

// why_not: refuses every ask to sign.
static void answer_one(struct signer *s, const struct frame *f, int64_t now_ms, const struct fr_err *why_not, struct fr_buf *out)
{
    struct sign_texts texts;
    struct sign_ask ask;
    struct signature sig;
    struct fr_err err;
    if (f->kind == SIGN_LIST) {
        answer_list(s, f->id, out);
    } else if (why_not) {
        answer_refused(f->id, why_not, out);
    } else if (sign_wire_get(f->kind == SIGN_TX ? SIGN_A_TX : f->kind == SIGN_PERMIT ? SIGN_A_PERMIT : SIGN_A_SIWE, f->payload, f->len, &texts, &ask, &err) != FR_OK ||
               sign_ask(s, &ask, now_ms, &sig, &err) != FR_OK) {
        answer_refused(f->id, &err, out);
    } else {
        answer_signed(f->id, &sig, out);
    }
}

static enum fr_status walk(struct signer *s, const char *bytes, size_t len, int64_t now_ms, const struct fr_err *why_not, size_t *used, struct fr_buf *out, struct fr_err *err)
{
    struct frame f;
    int found;
    size_t at = 0;
    while ((found = frame_next_of(bytes + at, len - at, SIGN_ASK_FIRST, SIGN_ASK_LAST, SIGNER_FRAME_BYTES_MAX, &f, err)) == 1) {
        if (f.id == 0 || f.status != FRAME_OK || f.call != 0 || f.ref != 0 || (f.kind == SIGN_LIST && f.len > 0))
            return FR_FAIL(err, FR_E_INVALID, "a frame of kind %d that no host sends", f.kind);
        answer_one(s, &f, now_ms, why_not, out);
        at += FRAME_HEADER_BYTES + f.len;
    }
    *used = at;
    return found < 0 ? err->status : FR_OK;
}

enum fr_status serve_turn(struct signer *s, const char *bytes, size_t len, int64_t now_ms, size_t *used, struct fr_buf *out, struct fr_err *err)
{
    size_t before = out->len;
    struct fr_err unwritten;
    FR_TRY(walk(s, bytes, len, now_ms, NULL, used, out, err));
    if (tally_save(s->tally, &unwritten) == FR_OK) return FR_OK;
    if (out->len > before) fr_wipe(out->data + before, out->len - before);       // signatures that nobody may see
    out->len = before;
    return walk(s, bytes, len, now_ms, &unwritten, used, out, err);
}

bool serve_send(int fd, const struct fr_buf *out)
{
    const char *bytes = out->data;
    for (size_t left = out->len; left > 0;) {
        ssize_t n = write(fd, bytes, left);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes += n;
        left -= (size_t)n;
    }
    return true;
}

void serve_ready(const struct signer *s, struct fr_buf *out)
{
    FR_AUTO_BUF(text);
    char address[ADDRESS_TEXT_BYTES];
    fr_buf_init(&text, 4096);
    fr_buf_add(&text, "{\"addresses\":[");
    for (int i = 0; i < s->key_count; i++) fr_buf_addf(&text, "%s\"%s\"", i ? "," : "", address_text(&s->addresses[i], address));
    fr_buf_addf(&text, "],\"chain_id\":\"%llu\",\"memory\":\"%s\"}", (unsigned long long)s->policy.chain_id, s->all_locked ? "all" : "keys");
    frame_put(out, &(struct frame){ .kind = SIGN_READY, .status = FRAME_OK, .len = (uint32_t)text.len, .payload = text.data });
}

void serve_refusal(const struct fr_err *why, struct fr_buf *out)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 4096);
    fr_buf_addf(&text, "{\"code\":\"%s\",\"detail\":", why->code);
    fr_buf_add_json_text(&text, why->text);
    fr_buf_add(&text, "}");
    frame_put(out, &(struct frame){ .kind = SIGN_READY, .status = FRAME_REFUSED, .len = (uint32_t)text.len, .payload = text.data });
}

enum fr_status serve_prepare(int fd, struct fr_err *err)
{
    struct timeval most = { .tv_sec = FRAME_PARTIAL_MS / 1000, .tv_usec = FRAME_PARTIAL_MS % 1000 * 1000 };
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most) == 0 ? FR_OK : FR_FAIL(err, FR_E_IO, "the channel is no socket: %s", strerror(errno));
}

int serve(struct signer *s, int fd)
{
    static char in[SIGNER_READ_BYTES];
    FR_AUTO_BUF(out);
    size_t len = 0, used;
    struct fr_err err;
    fr_buf_init(&out, OUT_BYTES_MAX);
    for (;;) {
        ssize_t n = read(fd, in + len, sizeof in - len);
        if (n < 0 && (errno == EINTR || (errno == EAGAIN && len == 0))) continue;      // EAGAIN: FRAME_PARTIAL_MS passed, which only half a frame minds
        if (n <= 0) return len > 0 ? SIGNER_EXIT_FRAMES : SIGNER_EXIT_DONE;
        len += (size_t)n;
        fr_buf_clear(&out);
        if (serve_turn(s, in, len, fr_now_ms(), &used, &out, &err) != FR_OK) return SIGNER_EXIT_FRAMES;
        if (out.failed) return SIGNER_EXIT_MEMORY;
        if (!serve_send(fd, &out)) return SIGNER_EXIT_DONE;
        memmove(in, in + used, len - used);
        len -= used;
    }
}
