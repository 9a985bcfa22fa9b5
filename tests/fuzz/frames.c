// frames: bytes of a worker as frames, sections and a turn; what was read can be written again, byte for byte.
#include "base/limits.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "ipc/frame.h"
#include "play/turn.h"
#include "fuzz.h"

static void sections(const struct frame *f)
{
    struct frame head = *f;
    struct frame_cursor c;
    const char *bytes;
    size_t len, used = 0;
    FR_AUTO_BUF(again);
    fr_buf_init(&again, 2 * FRAME_BYTES_MAX);
    size_t mark = frame_begin(&again, &head);
    for (frame_sections(f, &c); frame_take(&c, &bytes, &len); used += 4 + len) {
        HOLDS(bytes >= f->payload && bytes + len <= f->payload + f->len);
        frame_section(&again, bytes, len);
    }
    frame_end(&again, mark);
    HOLDS(c.bad || used == f->len);
    HOLDS(!again.failed && again.len == FRAME_HEADER_BYTES + used);
    HOLDS(used == 0 || memcmp(again.data + FRAME_HEADER_BYTES, f->payload, used) == 0);
}

static void turn(const struct frame *f, int seats)
{
    FR_AUTO(turn) t = NULL;
    struct fr_err err;
    struct turn_hash hash, other;
    uint8_t sha[SHA256_BYTES];
    enum fr_status st = turn_read(f, seats, false, &t, &err);
    HOLDS(st == FR_OK || st == FR_E_INVALID || st == FR_E_LIMIT);
    turn_hash_open("{}", f->payload, f->len, &hash, sha);
    other = hash;
    turn_hash_next(&hash, "{\"n\":1}", f->status, f->payload, f->len, sha);
    HOLDS(memcmp(&hash, &other, sizeof hash) != 0);
    if (st != FR_OK) return;
    HOLDS(t->outcome == f->status && t->seats == seats && t->answer);
    if (t->outcome != FRAME_OK) {
        HOLDS(fr_utf8_valid(t->detail, strlen(t->detail)));
        HOLDS(t->code[0] && strlen(t->detail) < sizeof t->detail && !t->effects && !t->ends);
        return;
    }
    HOLDS(t->effects && fr_json_kind(t->effects) == JSON_ARRAY && fr_json_size(t->effects) <= MATCH_EFFECTS_MAX);
    HOLDS(strlen(t->state_sha) == 64);
    struct frame_cursor c;
    const char *bytes;
    size_t len;
    int count = 0;
    for (frame_sections(f, &c); frame_take(&c, &bytes, &len);) count++;
    HOLDS(!c.bad && count == 3 + seats);                         // outcome, effects, hash, views: no more and no less
    for (int i = 0; i < seats; i++) HOLDS(t->view[i]);
}

// Bytes as they come, for both directions: a frame is inside what came and is written again as it was.
static void stream(const char *bytes, size_t len, bool from_worker, int seats)
{
    struct frame f;
    struct fr_err err;
    int found;
    while ((found = frame_next(bytes, len, from_worker, &f, &err)) == 1) {
        size_t whole = FRAME_HEADER_BYTES + f.len;
        HOLDS(whole <= len && f.payload == bytes + FRAME_HEADER_BYTES);
        FR_AUTO_BUF(again);
        fr_buf_init(&again, 2 * FRAME_BYTES_MAX);
        frame_put(&again, &f);
        HOLDS(again.len == whole && memcmp(again.data, bytes, whole) == 0);
        sections(&f);
        if (f.kind == FRAME_TURN) turn(&f, seats);
        bytes += whole;
        len -= whole;
    }
    struct frame sooner;                                         // a refusal does not change with more bytes, nor does waiting with fewer
    if (len > 0) HOLDS(frame_next(bytes, len - 1, from_worker, &sooner, &err) <= 0 || found == 1);
}

// The input split at NULs, put into the sections of a turn: gets past the lengths to what is inside.
static void made_turn(struct fuzz_in *in, int seats)
{
    static const char hash[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    struct frame head = { .kind = FRAME_TURN, .status = fuzz_byte(in) % FRAME_STATUS_COUNT, .id = 1 }, f;
    struct fr_err err;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2 * FRAME_BYTES_MAX);
    size_t mark = frame_begin(&out, &head);
    for (int i = 0; in->left > 0 && i < SEATS_MAX + 8; i++) {
        size_t len;
        char *part = fuzz_part(in, &len);
        if (i == 2 && len == 1 && *part == 'h') frame_section(&out, hash, sizeof hash - 1);
        else frame_section(&out, part, len);
        free(part);
    }
    frame_end(&out, mark);
    char *exact = malloc(out.len);                               // so that reading past the end is seen
    memcpy(exact, out.data, out.len);
    HOLDS(frame_next(exact, out.len, true, &f, &err) == 1);
    turn(&f, seats);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // mode and seats (1 byte), then bytes
{
    struct fuzz_in in = { data, size };
    uint8_t mode = fuzz_byte(&in);
    int seats = 1 + mode % 4;
    if (mode & 0x80) {
        made_turn(&in, seats);
        return 0;
    }
    char *bytes = malloc(in.left ? in.left : 1);
    size_t len = in.left;
    if (len) memcpy(bytes, in.at, len);
    stream(bytes, len, mode & 0x40, seats);
    free(bytes);
    return 0;
}
