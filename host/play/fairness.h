// fairness.h — commit-reveal randomness: nobody, the host included, can choose a match's cards. Pure.
//
// 1. Each player may commit to a 32-byte seed: SHA-256 of it, sent with match.find.
// 2. When the match forms the host draws its own 32 bytes and publishes their SHA-256 beside the players' commitments.
// 3. Players reveal; a seed that does not match its commitment is refused, a missing one voids the match.
// 4. stream key = HMAC-SHA256(key = host seed, message = match id || 0x00 || for each seat: one length byte (32 or 0), the seed).
// 5. The host's seed is published when the match has ended, so that everyone can recompute the stream (ipc/stream.h).
// A host that colludes with a player cannot grind: both were committed before the other players' seeds were known.
#pragma once
#include <stdbool.h>
#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"

#define SEED_BYTES 32
#define SEED_HEX_BYTES 65
struct fairness {
    int seats;
    uint8_t host_seed[SEED_BYTES];
    char commit[SEED_HEX_BYTES];                       // of the host's seed
    struct { char commit[SEED_HEX_BYTES]; char seed[SEED_HEX_BYTES]; } seat[SEATS_MAX];   // hex; "" when none; index 0 is seat 1
};
void fairness_draw(struct fairness *f, int seats);     // the host's seed and its commitment; seats without commitments
FR_MUST_USE enum fr_status fairness_commit(struct fairness *f, int seat, const char *commit_hex, struct fr_err *err);
FR_MUST_USE enum fr_status fairness_reveal(struct fairness *f, int seat, const char *seed_hex, struct fr_err *err);    // "seed_wrong", "seed_not_asked"
bool fairness_complete(const struct fairness *f);      // every commitment is revealed
void fairness_key(const struct fairness *f, const char *match_id, uint8_t key[SHA256_BYTES]);
// {"commit":..,"seeds":[{"seat":1,"commit":..,"seed":..},..]} and, when with_secret, "server_seed".
void fairness_print(const struct fairness *f, bool with_secret, struct fr_buf *out);
FR_MUST_USE enum fr_status fairness_read(const struct fr_json *json, int seats, struct fairness *ret, struct fr_err *err);   // of a secret print
