#include "chain/siwe.h"
#include <string.h>
#include "base/clock.h"

#define SKEW_MS 60000

static bool only(const char *text, const char *allowed)
{
    return text && *text && text[strspn(text, allowed)] == 0;
}

#define LETTERS_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define URI_CHARS LETTERS_DIGITS "-._~:/?#[]@!$&'()*+,;=%"            // RFC 3986: unreserved, reserved, percent

static bool is_line(const char *text)
{
    for (const char *c = text; *c; c++) if (*c < 0x20 || *c > 0x7e) return false;
    return *text != 0;
}

static bool is_uri(const char *text)
{
    const char *colon = text ? strchr(text, ':') : NULL;
    return colon && colon != text && only(text, URI_CHARS);
}

static void add_time(struct fr_buf *out, int64_t ms)                 // RFC 3339, seconds
{
    char text[25];
    fr_buf_addf(out, "%.19sZ", fr_time_text(ms, text));              // not strftime: it looks for the time zone's file each time, which the signer may not
}

static enum fr_status siwe_allowed(const struct siwe *s, struct fr_err *err)
{
    if (!only(s->domain, LETTERS_DIGITS "-._:[]")) return FR_FAIL(err, FR_E_INVALID, "domain is a host name, with a port where it needs one");
    if (address_is_zero(&s->address)) return FR_FAIL(err, FR_E_INVALID, "address is nobody's");
    if (s->statement && !is_line(s->statement)) return FR_FAIL(err, FR_E_INVALID, "statement is one line of printable ASCII");
    if (!is_uri(s->uri)) return FR_FAIL(err, FR_E_INVALID, "uri is no URI");
    if (s->chain_id == 0) return FR_FAIL(err, FR_E_INVALID, "chain_id is missing");
    if (!only(s->nonce, LETTERS_DIGITS) || strlen(s->nonce) < 8) return FR_FAIL(err, FR_E_INVALID, "nonce is 8 or more letters and digits");
    if (s->issued_ms <= 0 || s->expires_ms <= s->issued_ms || s->expires_ms - s->issued_ms > SIWE_LIFE_MS_MAX) return FR_FAIL(err, FR_E_INVALID, "a sign-in message lives for at most %lld s", SIWE_LIFE_MS_MAX / 1000);
    if (s->resource && !is_uri(s->resource)) return FR_FAIL(err, FR_E_INVALID, "resource is no URI");
    return FR_OK;
}

enum fr_status siwe_print(const struct siwe *s, struct fr_buf *out, struct fr_err *err)
{
    char address[ADDRESS_TEXT_BYTES];
    FR_TRY(siwe_allowed(s, err));
    fr_buf_addf(out, "%s wants you to sign in with your Ethereum account:\n%s\n\n", s->domain, address_text(&s->address, address));
    if (s->statement) fr_buf_addf(out, "%s\n", s->statement);
    fr_buf_addf(out, "\nURI: %s\nVersion: 1\nChain ID: %llu\nNonce: %s\nIssued At: ", s->uri, (unsigned long long)s->chain_id, s->nonce);
    add_time(out, s->issued_ms);
    fr_buf_add(out, "\nExpiration Time: ");
    add_time(out, s->expires_ms);
    if (s->resource) fr_buf_addf(out, "\nResources:\n- %s", s->resource);
    return fr_buf_check(out, "a sign-in message", err);
}

enum fr_status siwe_check(const struct siwe *s, const uint8_t signature[SIGNATURE_BYTES], int64_t now_ms, struct fr_err *err)
{
    FR_AUTO_BUF(message);
    struct signature sig;
    struct address signer;
    uint8_t hash[32];
    char text[ADDRESS_TEXT_BYTES];
    fr_buf_init(&message, SIWE_BYTES_MAX);
    FR_TRY(siwe_print(s, &message, err));
    if (now_ms >= s->expires_ms) return FR_FAIL_CODE(err, FR_E_DENIED, "siwe_expired", "the sign-in message is too old; ask for a new one");
    if (s->issued_ms > now_ms + SKEW_MS) return FR_FAIL_CODE(err, FR_E_DENIED, "siwe_not_yet", "the sign-in message is from the future");
    personal_message_hash(message.data, message.len, hash);
    FR_TRY(signature_read(signature, &sig, err));
    FR_TRY(signature_signer(&sig, hash, &signer, err));
    if (!address_equal(&signer, &s->address)) return FR_FAIL_CODE(err, FR_E_DENIED, "siwe_wrong_wallet", "it was signed by another wallet than %s", address_text(&s->address, text));
    return FR_OK;
}
