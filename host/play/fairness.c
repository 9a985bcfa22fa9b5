// fairness.c — see fairness.h for the protocol; nothing here keeps state of its own.
#include "play/fairness.h"
#include <assert.h>
#include <string.h>
#include "base/hex.h"

void fairness_draw(struct fairness *f, int seats)
{
    assert(seats >= 1 && seats <= SEATS_MAX);
    memset(f, 0, sizeof *f);
    f->seats = seats;
    fr_random_bytes(f->host_seed, sizeof f->host_seed);
    uint8_t digest[SHA256_BYTES];
    fr_sha256(f->host_seed, sizeof f->host_seed, digest);
    fr_hex(digest, sizeof digest, f->commit);
}

// Copies 64 hex digits in lower case; false when `hex` is anything else.
static bool seed_copy(const char *hex, char out[SEED_HEX_BYTES])
{
    uint8_t bytes[SEED_BYTES];
    if (!fr_unhex(hex, strlen(hex), bytes, sizeof bytes)) return false;
    fr_hex(bytes, sizeof bytes, out);
    return true;
}

enum fr_status fairness_commit(struct fairness *f, int seat, const char *commit_hex, struct fr_err *err)
{
    assert(seat >= 1 && seat <= f->seats);
    if (!seed_copy(commit_hex, f->seat[seat - 1].commit))
        return FR_FAIL_CODE(err, FR_E_INVALID, "seed_malformed", "seed_commit must be 64 hex digits: the SHA-256 of a 32-byte seed");
    return FR_OK;
}

enum fr_status fairness_reveal(struct fairness *f, int seat, const char *seed_hex, struct fr_err *err)
{
    assert(seat >= 1 && seat <= f->seats);
    if (f->seat[seat - 1].commit[0] == '\0')
        return FR_FAIL_CODE(err, FR_E_CONFLICT, "seed_not_asked", "seat %d gave no commitment, so no seed is expected", seat);
    char seed[SEED_HEX_BYTES], commit[SEED_HEX_BYTES];
    if (!seed_copy(seed_hex, seed))
        return FR_FAIL_CODE(err, FR_E_INVALID, "seed_malformed", "seed must be 64 hex digits");
    uint8_t bytes[SEED_BYTES], digest[SHA256_BYTES];
    fr_unhex(seed, SEED_BYTES * 2, bytes, sizeof bytes);
    fr_sha256(bytes, sizeof bytes, digest);
    fr_hex(digest, sizeof digest, commit);
    if (strcmp(commit, f->seat[seat - 1].commit) != 0)
        return FR_FAIL_CODE(err, FR_E_INVALID, "seed_wrong", "the seed of seat %d does not match its commitment", seat);
    memcpy(f->seat[seat - 1].seed, seed, sizeof seed);
    return FR_OK;
}

bool fairness_complete(const struct fairness *f)
{
    for (int i = 0; i < f->seats; i++)
        if (f->seat[i].commit[0] != '\0' && f->seat[i].seed[0] == '\0') return false;
    return true;
}

void fairness_key(const struct fairness *f, const char *match_id, uint8_t key[SHA256_BYTES])
{
    uint8_t message[64 + SEATS_MAX * (SEED_BYTES + 1)];
    size_t len = strlen(match_id);
    assert(len < 64);
    memcpy(message, match_id, len);
    message[len++] = 0;
    for (int i = 0; i < f->seats; i++) {
        bool seeded = f->seat[i].seed[0] != '\0';
        message[len++] = seeded ? SEED_BYTES : 0;
        if (!seeded) continue;
        fr_unhex(f->seat[i].seed, SEED_BYTES * 2, message + len, SEED_BYTES);
        len += SEED_BYTES;
    }
    fr_hmac_sha256(f->host_seed, sizeof f->host_seed, message, len, key);
}

void fairness_print(const struct fairness *f, bool with_secret, struct fr_buf *out)
{
    char hex[SEED_HEX_BYTES];
    fr_buf_addf(out, "{\"commit\":\"%s\",\"seeds\":[", f->commit);
    for (int i = 0; i < f->seats; i++)
        fr_buf_addf(out, "%s{\"seat\":%d,\"commit\":\"%s\",\"seed\":\"%s\"}", i ? "," : "", i + 1, f->seat[i].commit, f->seat[i].seed);
    fr_buf_add(out, "]");
    if (with_secret) fr_buf_addf(out, ",\"server_seed\":\"%s\"", fr_hex(f->host_seed, sizeof f->host_seed, hex));
    fr_buf_add(out, "}");
}

enum fr_status fairness_read(const struct fr_json *json, int seats, struct fairness *ret, struct fr_err *err)
{
    struct fairness f = { .seats = seats };
    const char *secret, *commit, *seed;
    const struct fr_json *list;
    FR_TRY(fr_json_need_text(json, "server_seed", SEED_BYTES * 2, SEED_BYTES * 2, &secret, err));
    if (!fr_unhex(secret, strlen(secret), f.host_seed, SEED_BYTES)) return FR_FAIL(err, FR_E_CORRUPT, "fairness: server_seed is not hex");
    uint8_t digest[SHA256_BYTES];
    fr_sha256(f.host_seed, SEED_BYTES, digest);
    fr_hex(digest, sizeof digest, f.commit);
    FR_TRY(fr_json_need_text(json, "commit", 64, 64, &commit, err));
    if (strcmp(commit, f.commit) != 0) return FR_FAIL(err, FR_E_CORRUPT, "fairness: the host's seed does not match its commitment");
    FR_TRY(fr_json_need_array(json, "seeds", seats, seats, &list, err));
    int seat = 0;
    for (const struct fr_json *at = fr_json_child(list); at; at = fr_json_next(at)) {
        seat++;
        FR_TRY(fr_json_opt_text(at, "commit", 64, "", &commit, err));
        FR_TRY(fr_json_opt_text(at, "seed", 64, "", &seed, err));
        if (commit[0]) FR_TRY(fairness_commit(&f, seat, commit, err));
        if (seed[0]) FR_TRY(fairness_reveal(&f, seat, seed, err));
    }
    *ret = f;
    return FR_OK;
}
