// turn.h — what a worker says about one turn, read with suspicion, and the hash chain over it. Pure.
//
// H(0) = SHA-256("frond.match.2" || SHA-256(setup) || SHA-256(payload of the opening turn))
// H(n) = SHA-256(H(n-1) || SHA-256(record n) || outcome byte || SHA-256(payload of its turn))
// The payload holds the outcome, the effects, the state's own SHA-256 and every seat's view: the state and everything sent, seat by
// seat, and what who only watches sees. Records that no worker ran (void, end) have outcome 255 and an empty payload. The payloads'
// hashes stand in the log, so that anyone can follow the chain without running the game and without reading the other seats' records.
#pragma once
#include "base/hash.h"
#include "base/json.h"
#include "base/limits.h"
#include "ipc/frame.h"

#define TURN_NOT_RUN 255
struct turn {
    enum frame_status outcome;                 // OK, REFUSED or RAISED
    char code[40], detail[FR_ERR_TEXT_BYTES];  // of a refusal or a raise
    struct fr_json *answer;                    // section 0
    struct fr_json *effects;                   // array, NULL unless OK
    char state_sha[SHA256_HEX_BYTES];
    int seats;
    struct fr_json *view[SEATS_MAX + 1];       // NULLs unless OK; behind the seats': of who only watches
    uint8_t views_sha[SHA256_BYTES];           // over the views' bytes: did anybody see a change?
    bool ends;                                 // a finish or void effect is among the effects
};
// FR_E_INVALID "worker_nonsense" when sections are missing, too many, or not what call.h says.
FR_MUST_USE enum fr_status turn_read(const struct frame *f, int seats, bool spectated, struct turn **ret, struct fr_err *err);
void turn_free(struct turn *t);
enum fr_status turn_status(const struct turn *t);      // what the player is told
#define TURN_VOID_TEXT "this move broke the game's limits and was undone"      // beside the code of a void record
FR_AUTO_DEFINE(turn)
struct turn_hash { uint8_t bytes[SHA256_BYTES]; };
// payload_sha: of the turn's payload.
void turn_hash_open(const char *setup, const void *payload, size_t len, struct turn_hash *ret, uint8_t payload_sha[SHA256_BYTES]);
void turn_hash_next(struct turn_hash *hash, const char *record, uint8_t outcome, const void *payload, size_t len, uint8_t payload_sha[SHA256_BYTES]);
// The same from the payloads' hashes alone.
void turn_hash_open_sha(const char *setup, const uint8_t payload_sha[SHA256_BYTES], struct turn_hash *ret);
void turn_hash_next_sha(struct turn_hash *hash, const char *record, uint8_t outcome, const uint8_t payload_sha[SHA256_BYTES]);
