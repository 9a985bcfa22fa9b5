// initdata.c — launch data from first byte to last check, in the order things can be trusted: form, then proof, then time, then who.
#include "player/initdata.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/ed25519.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/utf8.h"

#define FIELD_NAME_BYTES_MAX 64
#define AUTH_DATE_DIGITS_MAX 12
#define USER_ID_MOST ((1LL << 53) - 1)         // Telegram promises 52 bits; a JSON number carries 53
#define REFUSE(err, code, ...) FR_FAIL_CODE(err, FR_E_AUTH, code, __VA_ARGS__)

struct field { const char *name, *value; };
struct fields { struct field at[INITDATA_FIELDS_MAX]; int count; char text[INITDATA_BYTES_MAX + 1]; };

// ---- form

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Decodes in place: the result is never longer. False for a bad escape.
static bool percent_decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (*from != '%') { *to++ = *from == '+' ? ' ' : *from; continue; }
        int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
        if (low < 0 || (high == 0 && low == 0)) return false;     // a NUL would end the text early
        *to++ = (char)(high * 16 + low);
        from += 2;
    }
    *to = 0;
    return true;
}

// Names are what Telegram uses: a name with '=' or a line break would let other fields spell the same check string.
static bool name_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len > FIELD_NAME_BYTES_MAX) return false;
    for (; *name; name++)
        if (!(*name >= 'a' && *name <= 'z') && !(*name >= 'A' && *name <= 'Z') && !(*name >= '0' && *name <= '9') && !strchr("_-.", *name)) return false;
    return true;
}

static bool value_valid(const char *value)
{
    for (const char *c = value; *c; c++) if ((uint8_t)*c < 0x20 || *c == 0x7f) return false;
    return fr_utf8_valid(value, strlen(value));
}

static const char *field_get(const struct fields *f, const char *name)
{
    for (int i = 0; i < f->count; i++) if (strcmp(f->at[i].name, name) == 0) return f->at[i].value;
    return NULL;
}

// `pair` is one "name=value", still encoded and NUL-terminated.
static enum fr_status field_add(struct fields *f, char *pair, struct fr_err *err)
{
    char *equals = strchr(pair, '=');
    if (!equals) return REFUSE(err, "launch_malformed", "launch data: field %d has no \"=\"", f->count + 1);
    if (f->count == INITDATA_FIELDS_MAX) return REFUSE(err, "launch_malformed", "launch data: over %d fields", INITDATA_FIELDS_MAX);
    *equals = 0;
    if (!percent_decode(pair) || !percent_decode(equals + 1)) return REFUSE(err, "launch_malformed", "launch data: field %d has a bad percent escape", f->count + 1);
    if (!name_valid(pair)) return REFUSE(err, "launch_malformed", "launch data: field %d has a name that Telegram does not use", f->count + 1);
    if (!value_valid(equals + 1)) return REFUSE(err, "launch_malformed", "launch data: %s holds control characters or is not UTF-8", pair);
    if (field_get(f, pair)) return REFUSE(err, "launch_duplicate_key", "launch data: %s stands there twice", pair);
    f->at[f->count++] = (struct field){ pair, equals + 1 };
    return FR_OK;
}

static enum fr_status fields_read(struct fields *f, const char *text, size_t len, struct fr_err *err)
{
    if (len == 0) return REFUSE(err, "launch_malformed", "launch data: there is none");
    if (len > INITDATA_BYTES_MAX) return REFUSE(err, "launch_too_long", "launch data: %zu bytes, and %d are the most", len, INITDATA_BYTES_MAX);
    if (memchr(text, 0, len)) return REFUSE(err, "launch_malformed", "launch data: holds a NUL byte");
    memcpy(f->text, text, len);
    f->text[len] = 0;
    f->count = 0;
    for (char *at = f->text, *next; at; at = next) {
        next = strchr(at, '&');
        if (next) *next++ = 0;
        FR_TRY(field_add(f, at, err));
    }
    return FR_OK;
}

// ---- proof

static int field_order(const void *a, const void *b)
{
    return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

#define CHECK_STRING_BYTES (INITDATA_BYTES_MAX + 48)

// Every field but `hash` (and `signature`, when that is what was signed), sorted, "name=value" joined by line breaks, behind what
// stands there already. It fits: decoding only shortens.
static size_t check_string(struct fields *f, bool third_party, char out[CHECK_STRING_BYTES], size_t len)
{
    bool first = true;
    qsort(f->at, (size_t)f->count, sizeof f->at[0], field_order);
    for (int i = 0; i < f->count; i++) {
        if (strcmp(f->at[i].name, "hash") == 0 || (third_party && strcmp(f->at[i].name, "signature") == 0)) continue;
        len += (size_t)snprintf(out + len, CHECK_STRING_BYTES - len, "%s%s=%s", first ? "" : "\n", f->at[i].name, f->at[i].value);
        first = false;
        assert(len < CHECK_STRING_BYTES);
    }
    return len;
}

static void sign(const char *bot_token, const char *text, size_t len, uint8_t out[SHA256_BYTES])
{
    uint8_t secret[SHA256_BYTES];
    fr_hmac_sha256("WebAppData", 10, bot_token, strlen(bot_token), secret);
    fr_hmac_sha256(secret, sizeof secret, text, len, out);
}

static enum fr_status check_hash(struct fields *f, const struct bots *bots, struct initdata *to, struct fr_err *err)
{
    const char *hash = field_get(f, "hash");
    uint8_t want[SHA256_BYTES], got[SHA256_BYTES];
    char text[CHECK_STRING_BYTES] = "";
    if (!hash) return REFUSE(err, "launch_no_hash", "launch data: hash is missing");
    // Telegram writes lower case; taking both would give one launch two names.
    if (strlen(hash) != 64 || strspn(hash, "0123456789abcdef") != 64 || !fr_unhex(hash, 64, got, sizeof got))
        return REFUSE(err, "launch_bad_hash", "launch data: hash is not 64 lower-case hex digits");
    size_t len = check_string(f, false, text, 0);
    for (int i = 0; i < bots->count; i++) {              // all of them: how long it takes does not tell which one it was
        if (!bots->list[i].token[0]) continue;
        sign(bots->list[i].token, text, len, want);
        if (fr_equal_const_time(want, got, sizeof want)) to->bot = &bots->list[i];
    }
    if (!to->bot) return REFUSE(err, "launch_bad_hash", "launch data: hash does not match: another bot's, or changed on the way");
    memcpy(to->hash, hash, 65);
    return FR_OK;
}

static enum fr_status check_signature(struct fields *f, const struct bots *bots, struct initdata *to, struct fr_err *err)
{
    const char *signature = field_get(f, "signature");
    uint8_t bytes[ED25519_SIGNATURE_BYTES], name[SHA256_BYTES];
    char text[CHECK_STRING_BYTES];
    if (!signature) return REFUSE(err, "launch_no_signature", "launch data: signature is missing: a Telegram app older than December 2024 does not send it");
    if (fr_unbase64url(signature, strlen(signature), bytes, sizeof bytes) != (long)sizeof bytes)
        return REFUSE(err, "launch_bad_signature", "launch data: signature is not %d bytes as base64url", ED25519_SIGNATURE_BYTES);
    for (int i = 0; i < bots->count && !to->bot; i++) {
        if (bots->list[i].token[0]) continue;            // its token proves it: nothing less will do
        int head = snprintf(text, sizeof text, "%lld:WebAppData\n", (long long)bots->list[i].id);
        size_t len = check_string(f, true, text, (size_t)head);
        if (!fr_ed25519_verify(bytes, text, len, bots->telegram_key)) continue;
        to->bot = &bots->list[i];
        fr_sha256(text, len, name);                      // `hash` is not among what was signed: anybody may change it
        fr_hex(name, sizeof name, to->hash);
    }
    if (!to->bot) return REFUSE(err, "launch_bad_signature", "launch data: signature does not match: another bot's, or changed on the way");
    to->by_signature = true;
    return FR_OK;
}

static enum fr_status check_proof(struct fields *f, const struct bots *bots, struct initdata *to, struct fr_err *err)
{
    struct fr_err by_signature;
    int tokens = 0;
    for (int i = 0; i < bots->count; i++) tokens += bots->list[i].token[0] != 0;
    enum fr_status st = tokens > 0 ? check_hash(f, bots, to, err) : FR_E_AUTH;
    if (st == FR_OK || tokens == bots->count) return st;
    st = check_signature(f, bots, to, tokens > 0 ? &by_signature : err);
    return st;
}

// ---- time and person

static enum fr_status check_date(const struct fields *f, const struct initdata_rules *rules, int64_t *auth_date_s, struct fr_err *err)
{
    const char *text = field_get(f, "auth_date");
    size_t len = text ? strlen(text) : 0;
    if (!text) return REFUSE(err, "launch_no_date", "launch data: auth_date is missing");
    if (len == 0 || len > AUTH_DATE_DIGITS_MAX || strspn(text, "0123456789") != len)
        return REFUSE(err, "launch_no_date", "launch data: auth_date is not a number of seconds");
    int64_t date_s = strtoll(text, NULL, 10), age_ms = rules->now_ms - date_s * 1000;
    if (age_ms > rules->max_age_s * 1000)
        return REFUSE(err, "launch_stale", "launch data: made %lld s ago, and %lld are the most: open the app again", (long long)(age_ms / 1000), (long long)rules->max_age_s);
    if (-age_ms > rules->future_s * 1000)
        return REFUSE(err, "launch_future", "launch data: made %lld s in the future, and %lld are the most: a clock is wrong", (long long)(-age_ms / 1000), (long long)rules->future_s);
    *auth_date_s = date_s;
    return FR_OK;
}

// Copies what fits, never half a character: Telegram counts characters, we keep bytes.
static void copy_cut(char *out, size_t cap, const char *text)
{
    size_t len = strlen(text);
    if (len >= cap) len = fr_utf8_cut(text, cap - 1);
    memcpy(out, text, len);
    out[len] = 0;
}

static enum fr_status take_name(const struct fr_json *user, const char *key, char *out, size_t cap, struct fr_err *err)
{
    const struct fr_json *v = fr_json_get(user, key);
    out[0] = 0;
    if (!v || fr_json_kind(v) == JSON_NULL) return FR_OK;
    if (!fr_json_text(v)) return REFUSE(err, "launch_bad_user", "launch data: user.%s is not a string", key);
    copy_cut(out, cap, fr_json_text(v));
    return FR_OK;
}

static enum fr_status check_user(const struct fields *f, struct initdata *to, struct fr_err *err)
{
    FR_AUTO(fr_json) user = NULL;
    const char *text = field_get(f, "user");
    struct fr_err why = { 0 };
    if (!text || !*text) return REFUSE(err, "launch_no_user", "launch data: user is missing: the app was opened where Telegram names nobody");
    if (fr_json_parse(text, strlen(text), &user, &why) != FR_OK || fr_json_kind(user) != JSON_OBJECT)
        return REFUSE(err, "launch_bad_user", "launch data: user is not a JSON object");
    if (fr_json_need_int(user, "id", 1, USER_ID_MOST, &to->user_id, &why) != FR_OK) return REFUSE(err, "launch_bad_user", "launch data: user.%s", why.text);
    FR_TRY(take_name(user, "first_name", to->first_name, sizeof to->first_name, err));
    FR_TRY(take_name(user, "last_name", to->last_name, sizeof to->last_name, err));
    FR_TRY(take_name(user, "username", to->username, sizeof to->username, err));
    return take_name(user, "language_code", to->language, sizeof to->language, err);
}

// Ids are kept whole or not at all.
static void copy_whole(char *out, size_t cap, const char *text)
{
    if (text && strlen(text) < cap) memcpy(out, text, strlen(text) + 1);
    else out[0] = 0;
}

enum fr_status initdata_verify(const char *text, size_t len, const struct initdata_rules *rules, struct initdata *ret, struct fr_err *err)
{
    struct fields fields;
    struct initdata made = { 0 };
    assert(rules->bots->count > 0 && rules->max_age_s >= 0 && rules->future_s >= 0);
    FR_TRY(fields_read(&fields, text, len, err));
    FR_TRY(check_proof(&fields, rules->bots, &made, err));
    FR_TRY(check_date(&fields, rules, &made.auth_date_s, err));
    FR_TRY(check_user(&fields, &made, err));
    copy_whole(made.start_param, sizeof made.start_param, field_get(&fields, "start_param"));
    copy_whole(made.query_id, sizeof made.query_id, field_get(&fields, "query_id"));
    *ret = made;
    return FR_OK;
}

// ---- minting

static void add_encoded(struct fr_buf *out, const char *name, const char *value)
{
    fr_buf_addf(out, "%s%s=", out->len ? "&" : "", name);
    for (const char *c = value; *c; c++) {
        if ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("-_.~", *c)) fr_buf_add_char(out, *c);
        else fr_buf_addf(out, "%%%02X", (uint8_t)*c);
    }
}

enum fr_status initdata_mint(const char *bot_token, const char *user_json, int64_t auth_date_s, const char *start_param, struct fr_buf *out, struct fr_err *err)
{
    char date[24], query_id[28], signature[FR_BASE64URL_BYTES(64)], hash_text[SHA256_HEX_BYTES], text[CHECK_STRING_BYTES];
    uint8_t random[18], noise[64], hash[SHA256_BYTES];
    struct fields fields;
    FR_AUTO_BUF(made);
    fr_buf_init(&made, INITDATA_BYTES_MAX + 1);
    fr_random_bytes(random, sizeof random);              // two launches in one second are two launches, with two hashes
    snprintf(date, sizeof date, "%lld", (long long)auth_date_s);
    snprintf(query_id, sizeof query_id, "AA%s", fr_base64url(random, sizeof random, text));
    add_encoded(&made, "query_id", query_id);
    add_encoded(&made, "user", user_json);
    add_encoded(&made, "auth_date", date);
    fr_random_bytes(noise, sizeof noise);                // only Telegram can sign for third parties; page libraries want to see the field
    add_encoded(&made, "signature", fr_base64url(noise, sizeof noise, signature));
    if (start_param && *start_param) add_encoded(&made, "start_param", start_param);
    FR_TRY(fr_buf_check(&made, "launch data", err));

    FR_TRY(fields_read(&fields, made.data, made.len, err));          // what we sign is what a reader will see
    sign(bot_token, text, check_string(&fields, false, text, 0), hash);
    add_encoded(&made, "hash", fr_hex(hash, sizeof hash, hash_text));
    if (made.len > INITDATA_BYTES_MAX || made.failed) return FR_FAIL(err, FR_E_LIMIT, "launch data is over %d bytes", INITDATA_BYTES_MAX);
    fr_buf_add_bytes(out, made.data, made.len);
    return fr_buf_check(out, "launch data", err);
}
