// turn.c — every byte here came from a stranger's program: sections are counted, sizes checked, JSON parsed strictly.
#include "play/turn.h"
#include <stdio.h>
#include <string.h>
#include "base/hex.h"
#include "base/mem.h"
#include "base/utf8.h"

#define NONSENSE(err, what) FR_FAIL_CODE((err), FR_E_INVALID, "worker_nonsense", "the worker's turn: %s", (what))

void turn_free(struct turn *t)
{
    if (!t) return;
    fr_json_free(t->answer);
    fr_json_free(t->effects);
    for (int i = 0; i <= t->seats; i++) fr_json_free(t->view[i]);
    fr_free(t);
}

enum fr_status turn_status(const struct turn *t)
{
    return t->outcome == FRAME_OK ? FR_OK : t->outcome == FRAME_RAISED ? FR_E_INTERNAL : FR_E_CONFLICT;
}

static bool code_is_plain(const char *code)
{
    size_t len = strlen(code);
    return len >= 1 && len < 40 && strspn(code, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

// Section 0 of a turn that was not applied: a code for programs, a sentence for people.
static void turn_read_refusal(struct turn *t)
{
    const char *code = fr_json_text(fr_json_get(t->answer, "code")), *detail = fr_json_text(fr_json_get(t->answer, "detail"));
    const char *fallback = t->outcome == FRAME_RAISED ? "plugin_error" : "refused";
    snprintf(t->code, sizeof t->code, "%s", t->outcome == FRAME_REFUSED && code && code_is_plain(code) ? code : fallback);
    if (!detail) detail = t->code;
    size_t len = strnlen(detail, sizeof t->detail - 1);
    if (detail[len]) len = fr_utf8_cut(detail, len);     // players read it: no half character
    memcpy(t->detail, detail, len);                      // the rest is zero already
}

static enum fr_status turn_read_effects(struct turn *t, const char *bytes, size_t len, struct fr_err *err)
{
    FR_TRY(fr_json_parse(bytes, len, &t->effects, err));
    if (fr_json_kind(t->effects) != JSON_ARRAY) return NONSENSE(err, "effects are no list");
    if (fr_json_size(t->effects) > MATCH_EFFECTS_MAX) return NONSENSE(err, "too many effects");
    for (const struct fr_json *e = fr_json_child(t->effects); e; e = fr_json_next(e)) {
        const char *kind = fr_json_text(fr_json_get(e, "e"));
        if (!kind) return NONSENSE(err, "an effect without a kind");
        if (strcmp(kind, "finish") != 0 && strcmp(kind, "void") != 0) continue;
        if (t->ends) return NONSENSE(err, "the match ends twice");
        t->ends = true;
    }
    return FR_OK;
}

enum fr_status turn_read(const struct frame *f, int seats, bool spectated, struct turn **ret, struct fr_err *err)
{
    FR_AUTO(turn) t = fr_alloc(sizeof *t);
    if (!t) return FR_FAIL(err, FR_E_NOMEM, "no memory for a turn");
    t->outcome = f->status;
    t->seats = seats;
    struct frame_cursor c;
    const char *bytes;
    size_t len;
    frame_sections(f, &c);
    if (!frame_take(&c, &bytes, &len)) return NONSENSE(err, "no outcome");
    FR_TRY(fr_json_parse(bytes, len, &t->answer, err));
    if (fr_json_kind(t->answer) != JSON_OBJECT) return NONSENSE(err, "the outcome is no object");
    if (t->outcome != FRAME_OK) {
        turn_read_refusal(t);
        *ret = FR_TAKE(t);
        return FR_OK;
    }
    if (!frame_take(&c, &bytes, &len)) return NONSENSE(err, "no effects");
    FR_TRY(turn_read_effects(t, bytes, len, err));
    uint8_t digest[SHA256_BYTES];
    if (!frame_take(&c, &bytes, &len) || !fr_unhex(bytes, len, digest, sizeof digest)) return NONSENSE(err, "no state hash");
    fr_hex(digest, sizeof digest, t->state_sha);
    struct fr_sha256 seen;
    fr_sha256_init(&seen);
    for (int i = 0; i < seats + spectated; i++) {
        if (!frame_take(&c, &bytes, &len)) return NONSENSE(err, "a seat's view is missing");
        fr_sha256_add(&seen, bytes, len);
        FR_TRY(fr_json_parse(bytes, len, &t->view[i], err));
    }
    fr_sha256_end(&seen, t->views_sha);
    if (frame_take(&c, &bytes, &len) || c.bad) return NONSENSE(err, "more sections than seats");
    *ret = FR_TAKE(t);
    return FR_OK;
}

void turn_hash_open_sha(const char *setup, const uint8_t payload_sha[SHA256_BYTES], struct turn_hash *ret)
{
    struct fr_sha256 s;
    uint8_t setup_sha[SHA256_BYTES];
    fr_sha256(setup, strlen(setup), setup_sha);
    fr_sha256_init(&s);
    fr_sha256_add(&s, "frond.match.2", 13);
    fr_sha256_add(&s, setup_sha, SHA256_BYTES);
    fr_sha256_add(&s, payload_sha, SHA256_BYTES);
    fr_sha256_end(&s, ret->bytes);
}

void turn_hash_next_sha(struct turn_hash *hash, const char *record, uint8_t outcome, const uint8_t payload_sha[SHA256_BYTES])
{
    struct fr_sha256 s;
    uint8_t record_sha[SHA256_BYTES];
    fr_sha256(record, strlen(record), record_sha);
    fr_sha256_init(&s);
    fr_sha256_add(&s, hash->bytes, sizeof hash->bytes);
    fr_sha256_add(&s, record_sha, SHA256_BYTES);
    fr_sha256_add(&s, &outcome, 1);
    fr_sha256_add(&s, payload_sha, SHA256_BYTES);
    fr_sha256_end(&s, hash->bytes);
}

void turn_hash_open(const char *setup, const void *payload, size_t len, struct turn_hash *ret, uint8_t payload_sha[SHA256_BYTES])
{
    fr_sha256(payload, len, payload_sha);
    turn_hash_open_sha(setup, payload_sha, ret);
}

void turn_hash_next(struct turn_hash *hash, const char *record, uint8_t outcome, const void *payload, size_t len, uint8_t payload_sha[SHA256_BYTES])
{
    fr_sha256(len ? payload : "", len, payload_sha);
    turn_hash_next_sha(hash, record, outcome, payload_sha);
}
