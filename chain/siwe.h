// siwe.h — "Sign-In with Ethereum" messages (ERC-4361): the text a wallet shows and signs to prove that it is the player's. Pure.
//
// The host writes the message, the wallet signs it (EIP-191), the host reads back exactly what it wrote: siwe_check compares whole
// messages, so that there is nothing to parse and nothing to smuggle in. The nonce is single-use; its owner keeps that promise.
#pragma once
#include "base/buf.h"
#include "chain/address.h"
#include "chain/signature.h"

#define SIWE_BYTES_MAX 2048
#define SIWE_LIFE_MS_MAX (15 * 60 * 1000LL)
struct siwe {
    const char *domain;              // host and port of the page, RFC 3986 authority; what the wallet compares with its address bar
    struct address address;
    const char *statement;           // one line of printable ASCII, or NULL
    const char *uri;                 // of the page
    uint64_t chain_id;
    const char *nonce;               // 8 or more letters and digits
    int64_t issued_ms, expires_ms;   // unix time; expires_ms at most SIWE_LIFE_MS_MAX later
    const char *resource;            // one URI, or NULL: what the link is for ("urn:frond:player:17")
};
// FR_E_INVALID names the field that ERC-4361 does not allow.
FR_MUST_USE enum fr_status siwe_print(const struct siwe *s, struct fr_buf *out, struct fr_err *err);
// `signature` is of exactly this message by s->address. FR_E_DENIED "siwe_expired", "siwe_not_yet" (issued in the future by over a minute),
// FR_E_DENIED "siwe_wrong_wallet", FR_E_INVALID "signature_invalid".
FR_MUST_USE enum fr_status siwe_check(const struct siwe *s, const uint8_t signature[SIGNATURE_BYTES], int64_t now_ms, struct fr_err *err);
