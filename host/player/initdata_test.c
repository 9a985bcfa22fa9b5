// initdata_test.c — launch data signed here, by hand, with the check string spelled out; tests/flow has two other libraries as witnesses.
#include "player/initdata.h"
#include <sodium.h>
#include <stdlib.h>
#include "base/check.h"
#include "base/hash.h"
#include "base/hex.h"

#define TOKEN "1234567:FAKE-token-for-tests-only-aaaaaaaaaaaa"
#define DATE 1700000000LL
#define USER "%7B%22id%22%3A42%2C%22first_name%22%3A%22Ann%22%7D"                       // {"id":42,"first_name":"Ann"}
#define USER_PLAIN "{\"id\":42,\"first_name\":\"Ann\"}"
#define PLAIN "auth_date=1700000000\nuser=" USER_PLAIN
#define QUERY "user=" USER "&auth_date=1700000000"
#define FROZEN_HASH "f3c6f25e6ba80500f99fee0e427b319dca378968f3ac8b16e6a838ed34c4b24e"

static struct bots bots = { .list = { { .name = "main", .id = 1234567, .token = TOKEN } }, .count = 1 };
static const struct initdata_rules rules = { &bots, DATE * 1000 + 5000, INITDATA_AGE_S_DEFAULT, INITDATA_FUTURE_S };

// The hash of a check string, as Telegram would make it.
static const char *hash_of(const char *token, const char *check)
{
    static char text[65];
    uint8_t secret[32], hash[32];
    fr_hmac_sha256("WebAppData", 10, token, strlen(token), secret);
    fr_hmac_sha256(secret, 32, check, strlen(check), hash);
    return fr_hex(hash, 32, text);
}

static const char *query(const char *fields, const char *check)
{
    static char out[20000];
    snprintf(out, sizeof out, "%s&hash=%s", fields, hash_of(TOKEN, check));
    return out;
}

static struct initdata accepted_with(const struct initdata_rules *r, const char *text)
{
    struct initdata d = { 0 };
    struct fr_err err = { 0 };
    enum fr_status st = initdata_verify(text, strlen(text), r, &d, &err);
    CHECK_TEXT(st == FR_OK ? "" : err.text, "");
    return d;
}

static struct initdata accepted(const char *text) { return accepted_with(&rules, text); }

static void refused_with(const struct initdata_rules *r, const char *text, size_t len, const char *code)
{
    struct initdata d = { .user_id = 7 };
    struct fr_err err = { 0 };
    CHECK_INT(initdata_verify(text, len, r, &d, &err), FR_E_AUTH);
    CHECK_TEXT(err.code, code);
    CHECK(err.text[0] && d.user_id == 7);                  // says why, and hands out nothing
    CHECK(strstr(err.text, "FAKE") == NULL);
}

static void refused(const char *text, const char *code) { refused_with(&rules, text, strlen(text), code); }

static void test_what_telegram_signed_is_accepted(void)
{
    struct initdata d = accepted(query(QUERY, PLAIN));
    CHECK_INT(d.user_id, 42);
    CHECK_TEXT(d.first_name, "Ann");
    CHECK_TEXT(d.last_name, "");
    CHECK_INT(d.auth_date_s, DATE);
    CHECK_TEXT(d.hash, hash_of(TOKEN, PLAIN));
    d = accepted(query("start_param=ref_7&query_id=AAx&auth_date=1700000000&user=" USER, "auth_date=1700000000\nquery_id=AAx\nstart_param=ref_7\nuser=" USER_PLAIN));
    CHECK_TEXT(d.start_param, "ref_7");
    CHECK_TEXT(d.query_id, "AAx");
}

// A frozen answer, computed with Python's hmac: it would change if both our sides were wrong together.
static void test_a_frozen_vector(void)
{
    CHECK_TEXT(hash_of(TOKEN, PLAIN), FROZEN_HASH);
    accepted(QUERY "&hash=" FROZEN_HASH);
}

static void test_plus_and_percent_20_are_spaces(void)
{
    const char *check = "auth_date=1700000000\nnote=a b\nuser=" USER_PLAIN;
    accepted(query(QUERY "&note=a+b", check));
    accepted(query(QUERY "&note=a%20b", check));
    accepted(query(QUERY "&note=a%2Bb", "auth_date=1700000000\nnote=a+b\nuser=" USER_PLAIN));
    refused(query(QUERY "&note=a%2Bb", check), "launch_bad_hash");
}

// PHP and JSON escape slashes: "https:\/\/t.me\/i.jpg". The backslashes are part of what was signed.
static void test_backslashes_survive(void)
{
    struct initdata d = accepted(query("auth_date=1700000000&user=%7B%22id%22%3A42%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi.jpg%22%7D",
                                       "auth_date=1700000000\nuser={\"id\":42,\"photo_url\":\"https:\\/\\/t.me\\/i.jpg\"}"));
    CHECK_INT(d.user_id, 42);
}

static void test_unknown_fields_stay_in_the_check_string(void)
{
    accepted(query(QUERY "&signature=abc_-&chat_type=private", "auth_date=1700000000\nchat_type=private\nsignature=abc_-\nuser=" USER_PLAIN));
    accepted(query(QUERY "&signature=", "auth_date=1700000000\nsignature=\nuser=" USER_PLAIN));
    refused(query(QUERY "&signature=abc_-", PLAIN), "launch_bad_hash");                  // left out of the check string
    refused(query(QUERY "&extra=1", PLAIN), "launch_bad_hash");
}

static void test_repeated_fields(void)
{
    char twice[400];
    snprintf(twice, sizeof twice, "%s&hash=%s", query(QUERY, PLAIN), hash_of(TOKEN, PLAIN));
    refused(twice, "launch_duplicate_key");
    refused(query(QUERY "&auth_date=1700000000", PLAIN), "launch_duplicate_key");
    refused(query(QUERY "&%61uth_date=1700000000", PLAIN), "launch_duplicate_key");      // the same name, spelled otherwise
    refused(query(QUERY "&user=" USER, PLAIN), "launch_duplicate_key");
}

static void test_malformed(void)
{
    refused("", "launch_malformed");
    refused("abc", "launch_malformed");
    refused(query(QUERY "&", PLAIN), "launch_malformed");
    refused(query("&" QUERY, PLAIN), "launch_malformed");
    refused(query(QUERY "&&x=1", PLAIN), "launch_malformed");
    refused(query(QUERY "&x", PLAIN), "launch_malformed");
    refused(query(QUERY "&=x", PLAIN), "launch_malformed");
    refused(query(QUERY "&x=%", PLAIN), "launch_malformed");
    refused(query(QUERY "&x=%4", PLAIN), "launch_malformed");
    refused(query(QUERY "&x=%4g", PLAIN), "launch_malformed");
    refused(query(QUERY "&x=%g4", PLAIN), "launch_malformed");
    refused(query(QUERY "&%zz=1", PLAIN), "launch_malformed");
    refused(query(QUERY "&x=%00", PLAIN), "launch_malformed");
    refused(query(QUERY "&x=%ff", PLAIN), "launch_malformed");
    refused(query(QUERY "&x=\xff", PLAIN), "launch_malformed");
    refused_with(&rules, "user=1\0&hash=2", 14, "launch_malformed");
    refused_with(&rules, "user=1&hash=%", 13, "launch_malformed");
}

// Two sets of fields must never share a check string: here the date is smuggled into another field's value or name.
static void test_fields_cannot_hide_in_others(void)
{
    refused(query("a=1%0Aauth_date%3D1700000000&user=" USER, "a=1\nauth_date=1700000000\nuser=" USER_PLAIN), "launch_malformed");
    refused(query("auth_date=1700000000%0Auser%3D" USER, PLAIN), "launch_malformed");
    refused(query("auth_date%3D1700000000%0Auser=" USER, PLAIN), "launch_malformed");
    refused(query(QUERY "&a%3Db=c", "a=b=c\n" PLAIN), "launch_malformed");
}

static void test_hash_refusals(void)
{
    char text[300];
    refused(QUERY, "launch_no_hash");
    refused(QUERY "&hash=", "launch_bad_hash");
    refused(QUERY "&hash=abcd", "launch_bad_hash");
    snprintf(text, sizeof text, "%s&hash=%s0", QUERY, hash_of(TOKEN, PLAIN));
    refused(text, "launch_bad_hash");
    snprintf(text, sizeof text, "%s&hash=%s", QUERY, hash_of(TOKEN, PLAIN));
    for (char *c = strstr(text, "&hash=") + 6; *c; c++) if (*c >= 'a') *c -= 32;
    refused(text, "launch_bad_hash");                                                    // upper case is not what Telegram sends
    snprintf(text, sizeof text, "%s&hash=%s", QUERY, hash_of("1234568:FAKE-token-for-tests-only-aaaaaaaaaaaa", PLAIN));
    refused(text, "launch_bad_hash");                                                    // another bot's
    snprintf(text, sizeof text, "user=%s&auth_date=1700000001&hash=%s", USER, hash_of(TOKEN, PLAIN));
    refused(text, "launch_bad_hash");                                                    // made fresh by hand
    uint8_t secret[32], hash[32];                                                        // key and message swapped, a known mistake
    fr_hmac_sha256(TOKEN, strlen(TOKEN), "WebAppData", 10, secret);
    fr_hmac_sha256(secret, 32, PLAIN, strlen(PLAIN), hash);
    char hex[65];
    snprintf(text, sizeof text, "%s&hash=%s", QUERY, fr_hex(hash, 32, hex));
    refused(text, "launch_bad_hash");
}

// Any single changed byte of the whole text is noticed (or cannot be read at all).
static void test_every_byte_counts(void)
{
    char good[300];
    int changed = 0;
    snprintf(good, sizeof good, "%s", query(QUERY, PLAIN));
    for (size_t i = 0; i < strlen(good); i++) {
        char text[300];
        struct initdata d;
        snprintf(text, sizeof text, "%s", good);
        text[i] = text[i] == 'x' ? 'y' : 'x';
        if (initdata_verify(text, strlen(text), &rules, &d, NULL) == FR_OK) printf("  byte %zu of %s\n", i, good);
        else changed++;
    }
    CHECK_INT(changed, strlen(good));
}

static void test_dates(void)
{
    const char *text = query(QUERY, PLAIN);
    struct initdata_rules r = rules;
    r.now_ms = (DATE + INITDATA_AGE_S_DEFAULT) * 1000;             accepted_with(&r, text);
    r.now_ms = (DATE + INITDATA_AGE_S_DEFAULT) * 1000 + 1;         refused_with(&r, text, strlen(text), "launch_stale");
    r.now_ms = (DATE - INITDATA_FUTURE_S) * 1000;                  accepted_with(&r, text);
    r.now_ms = (DATE - INITDATA_FUTURE_S) * 1000 - 1;              refused_with(&r, text, strlen(text), "launch_future");
    r.now_ms = DATE * 1000; r.max_age_s = 0;                       accepted_with(&r, text);
    r.now_ms = DATE * 1000 + 1;                                    refused_with(&r, text, strlen(text), "launch_stale");
    refused(query("user=" USER, "user=" USER_PLAIN), "launch_no_date");
    refused(query("auth_date=&user=" USER, "auth_date=\nuser=" USER_PLAIN), "launch_no_date");
    refused(query("auth_date=-5&user=" USER, "auth_date=-5\nuser=" USER_PLAIN), "launch_no_date");
    refused(query("auth_date=1e9&user=" USER, "auth_date=1e9\nuser=" USER_PLAIN), "launch_no_date");
    refused(query("auth_date=9999999999999&user=" USER, "auth_date=9999999999999\nuser=" USER_PLAIN), "launch_no_date");
    refused(query("auth_date=999999999999&user=" USER, "auth_date=999999999999\nuser=" USER_PLAIN), "launch_future");
    refused(query("auth_date=0&user=" USER, "auth_date=0\nuser=" USER_PLAIN), "launch_stale");
}

static void user_refused(const char *encoded, const char *plain, const char *code)
{
    char fields[600], check[600];
    snprintf(fields, sizeof fields, "auth_date=1700000000&user=%s", encoded);
    snprintf(check, sizeof check, "auth_date=1700000000\nuser=%s", plain);
    refused(query(fields, check), code);
}

static void test_users(void)
{
    refused(query("auth_date=1700000000", "auth_date=1700000000"), "launch_no_user");
    user_refused("", "", "launch_no_user");
    user_refused("%7B", "{", "launch_bad_user");
    user_refused("%5B%5D", "[]", "launch_bad_user");
    user_refused("%7B%7D", "{}", "launch_bad_user");
    user_refused("%7B%22id%22%3A0%7D", "{\"id\":0}", "launch_bad_user");
    user_refused("%7B%22id%22%3A-1%7D", "{\"id\":-1}", "launch_bad_user");
    user_refused("%7B%22id%22%3A1.5%7D", "{\"id\":1.5}", "launch_bad_user");
    user_refused("%7B%22id%22%3A%2242%22%7D", "{\"id\":\"42\"}", "launch_bad_user");
    user_refused("%7B%22id%22%3A9007199254740993%7D", "{\"id\":9007199254740993}", "launch_bad_user");
    user_refused("%7B%22id%22%3A1%2C%22id%22%3A2%7D", "{\"id\":1,\"id\":2}", "launch_bad_user");
    user_refused("%7B%22id%22%3A1%2C%22first_name%22%3A7%7D", "{\"id\":1,\"first_name\":7}", "launch_bad_user");
}

static void test_long_names_are_cut_at_a_character(void)
{
    char fields[2000] = "auth_date=1700000000&user=%7B%22id%22%3A42%2C%22first_name%22%3A%22", check[2000] = "auth_date=1700000000\nuser={\"id\":42,\"first_name\":\"";
    for (int i = 0; i < 64; i++) { strcat(fields, "%E2%82%AC"); strcat(check, "\xe2\x82\xac"); }
    strcat(fields, "%22%7D");
    strcat(check, "\"}");
    struct initdata d = accepted(query(fields, check));
    CHECK_INT(strlen(d.first_name), 63);                                     // 21 signs of three bytes; 64 would end inside the next
    char long_param[700], plain[700];
    snprintf(long_param, sizeof long_param, "%s&start_param=%0513d", QUERY, 0);
    snprintf(plain, sizeof plain, "auth_date=1700000000\nstart_param=%0513d\nuser=" USER_PLAIN, 0);
    d = accepted(query(long_param, plain));
    CHECK_TEXT(d.start_param, "");                                           // an id is kept whole or not at all
}

static void test_bounds_and_one_step_past_them(void)
{
    static char fields[INITDATA_BYTES_MAX + 200], check[INITDATA_BYTES_MAX + 200];
    for (int extra = 0; extra < 2; extra++) {
        int fill = INITDATA_BYTES_MAX - (int)strlen(QUERY "&z=&hash=") - 64 + extra;
        snprintf(fields, sizeof fields, "%s&z=%0*d", QUERY, fill, 0);
        snprintf(check, sizeof check, "%s\nz=%0*d", PLAIN, fill, 0);
        CHECK_INT(strlen(query(fields, check)), INITDATA_BYTES_MAX + extra);
        if (extra) refused(query(fields, check), "launch_too_long");
        else accepted(query(fields, check));
    }
    for (int extra = 0; extra < 2; extra++) {                                 // user, auth_date and hash are three of them
        snprintf(fields, sizeof fields, "%s", QUERY);
        snprintf(check, sizeof check, "%s", PLAIN);
        for (int i = 0; i < INITDATA_FIELDS_MAX - 3 + extra; i++) {
            char part[16];
            snprintf(part, sizeof part, "&z%02d=", i); strcat(fields, part);
            snprintf(part, sizeof part, "\nz%02d=", i); strcat(check, part);
        }
        if (extra) refused(query(fields, check), "launch_malformed");
        else accepted(query(fields, check));
    }
}

static void test_minted_data_is_accepted_and_each_launch_has_its_own_hash(void)
{
    FR_AUTO_BUF(a); FR_AUTO_BUF(b);
    struct fr_err err = { 0 };
    fr_buf_init(&a, 8192);
    fr_buf_init(&b, 8192);
    const char *user = "{\"id\":7,\"first_name\":\"A & B = 100% + \xc3\xa9\",\"language_code\":\"en\",\"photo_url\":\"https:\\/\\/t.me\\/x\"}";
    CHECK(initdata_mint(TOKEN, user, DATE, "ref_1", &a, &err) == FR_OK);
    CHECK(initdata_mint(TOKEN, user, DATE, "ref_1", &b, &err) == FR_OK);
    struct initdata one = accepted(a.data), two = accepted(b.data);
    CHECK_TEXT(one.first_name, "A & B = 100% + \xc3\xa9");
    CHECK_TEXT(one.language, "en");
    CHECK_TEXT(one.start_param, "ref_1");
    CHECK(strcmp(one.hash, two.hash) != 0);
    char big[INITDATA_BYTES_MAX];
    snprintf(big, sizeof big, "{\"id\":7,\"x\":\"%0*d\"}", INITDATA_BYTES_MAX - 100, 0);
    fr_buf_clear(&a);
    CHECK_INT(initdata_mint(TOKEN, big, DATE, NULL, &a, &err), FR_E_LIMIT);
    CHECK_INT(a.len, 0);
}

// ---- without a secret: Telegram's own signature

// Published as the example of validate3rd at docs.telegram-mini-apps.com/packages/tma-js-init-data-node/validating: signed by Telegram itself.
#define THIRD_BOT 7342037359LL
#define THIRD_DATE 1733584787LL
#define THIRD_FIELDS "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C" \
    "%22language_code%22%3A%22ru%22%2C%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F" \
    "4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private&auth_date=1733584787"
#define THIRD_HASH "&hash=2174df5b000556d044f3f020384e879c8efcab55ddea2ced4eb752e93e7080d6"
#define THIRD_SIGNATURE "&signature=zL-ucjNyREiHDE8aihFwpfR9aggP2xiAo3NSpfe-p7IbCisNlDKlo7Kb6G4D0Ao2mBrSgEk4maLSdv6MLIlADQ"

static struct bots third_bots(int64_t id)
{
    struct bots b;
    struct fr_err err;
    bots_init(&b);
    CHECK(bots_add(&b, "partner", NULL, id, &err) == FR_OK);
    return b;
}

static void test_the_published_third_party_vector(void)
{
    struct bots b = third_bots(THIRD_BOT), other = third_bots(THIRD_BOT + 1), keyless = b;
    struct initdata_rules r = { &b, THIRD_DATE * 1000, 60, 60 };
    struct initdata d = accepted_with(&r, THIRD_FIELDS THIRD_SIGNATURE THIRD_HASH), again = accepted_with(&r, THIRD_FIELDS THIRD_HASH THIRD_SIGNATURE);
    CHECK_INT(d.user_id, 279058397);
    CHECK_TEXT(d.first_name, "Vladislav + - ? /");
    CHECK(d.by_signature && d.bot == &b.list[0]);
    CHECK_TEXT(d.hash, again.hash);

    // `hash` is not signed: whatever stands there, the launch keeps its one name.
    CHECK_TEXT(accepted_with(&r, THIRD_FIELDS THIRD_SIGNATURE "&hash=00").hash, d.hash);
    CHECK_TEXT(accepted_with(&r, THIRD_FIELDS THIRD_SIGNATURE).hash, d.hash);

#define NO(rules_, text, code) refused_with(&(rules_), text, strlen(text), code)
    NO(r, THIRD_FIELDS THIRD_HASH, "launch_no_signature");
    NO(r, THIRD_FIELDS THIRD_HASH "&signature=", "launch_bad_signature");
    NO(r, THIRD_FIELDS THIRD_HASH THIRD_SIGNATURE "%3D%3D", "launch_bad_signature");
    NO(r, THIRD_FIELDS THIRD_HASH THIRD_SIGNATURE THIRD_SIGNATURE, "launch_duplicate_key");
    NO(r, THIRD_FIELDS "&start_param=x" THIRD_SIGNATURE THIRD_HASH, "launch_bad_signature");
    struct initdata_rules late = { &b, THIRD_DATE * 1000 + 60001, 60, 60 }, early = { &b, THIRD_DATE * 1000 - 60001, 60, 60 };
    NO(late, THIRD_FIELDS THIRD_SIGNATURE THIRD_HASH, "launch_stale");
    NO(early, THIRD_FIELDS THIRD_SIGNATURE THIRD_HASH, "launch_future");
    struct initdata_rules elsewhere = { &other, THIRD_DATE * 1000, 60, 60 };
    NO(elsewhere, THIRD_FIELDS THIRD_SIGNATURE THIRD_HASH, "launch_bad_signature");
    keyless.telegram_key[0] ^= 1;
    struct initdata_rules wrong_key = { &keyless, THIRD_DATE * 1000, 60, 60 };
    NO(wrong_key, THIRD_FIELDS THIRD_SIGNATURE THIRD_HASH, "launch_bad_signature");
}

static void test_every_byte_of_a_signed_launch_counts(void)
{
    static const char good[] = THIRD_FIELDS THIRD_SIGNATURE;
    struct bots b = third_bots(THIRD_BOT);
    struct initdata_rules r = { &b, THIRD_DATE * 1000, 60, 60 };
    struct initdata d;
    int taken = 0;
    for (size_t i = 0; i < sizeof good - 1; i++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        text[i] ^= 1;                                    // never another spelling of the same byte
        if (initdata_verify(text, sizeof good - 1, &r, &d, NULL) == FR_OK) printf("  byte %zu\n", i), taken++;
    }
    CHECK_INT(taken, 0);
}

static void test_a_bot_with_a_token_is_proven_by_nothing_less(void)
{
    struct bots b;
    struct fr_err err;
    bots_init(&b);
    CHECK(bots_add(&b, "main", "7342037359:FAKE-token-for-tests-only-aaaaaaaaaaaa", 0, &err) == FR_OK);
    struct initdata_rules r = { &b, THIRD_DATE * 1000, 60, 60 };
    NO(r, THIRD_FIELDS THIRD_SIGNATURE THIRD_HASH, "launch_bad_hash");
    NO(r, THIRD_FIELDS THIRD_SIGNATURE, "launch_no_hash");
}

// ---- several bots

static void test_the_bot_that_signed_is_named(void)
{
    struct bots b;
    struct fr_err err;
    uint8_t key[32], secret[64], signature[64];
    char sig_text[FR_BASE64URL_BYTES(64)], text[1000], name[8], token[64];
    bots_init(&b);
    crypto_sign_keypair(key, secret);
    memcpy(b.telegram_key, key, sizeof key);
    for (int i = 0; i < BOTS_MAX; i++) {
        snprintf(name, sizeof name, "bot-%d", i);
        snprintf(token, sizeof token, "%d:FAKE-token-for-tests-only-aaaaaaaaaaa%d", 1000 + i, i);
        CHECK(bots_add(&b, name, i % 2 ? NULL : token, 1000 + i, &err) == FR_OK);
    }
    struct initdata_rules r = { &b, DATE * 1000, 60, 60 };
    for (int i = 0; i < BOTS_MAX; i++) {
        if (i % 2) {
            int n = snprintf(text, sizeof text, "%d:WebAppData\n" PLAIN, 1000 + i);
            crypto_sign_detached(signature, NULL, (uint8_t *)text, (unsigned long long)n, secret);
            snprintf(text, sizeof text, "%s&signature=%s", QUERY, fr_base64url(signature, 64, sig_text));
        } else snprintf(text, sizeof text, "%s&hash=%s", QUERY, hash_of(b.list[i].token, PLAIN));
        struct initdata d = accepted_with(&r, text);
        CHECK(d.bot == &b.list[i]);
        CHECK_INT(d.by_signature, i % 2);
    }
    NO(r, QUERY "&hash=" FROZEN_HASH, "launch_bad_hash");                // a ninth bot's
    NO(r, QUERY, "launch_no_hash");
}

static void test_the_list_of_bots(void)
{
    static const struct { const char *json, *code; } no[] = {
        { "{\"bots\":[]}", "config" }, { "{\"bots\":[1]}", "config" }, { "{\"bots\":[{\"name\":\"a\"}]}", "config" }, { "{\"bots\":[{\"name\":\"A\",\"id\":\"5\"}]}", "bot_name" },
        { "{\"bots\":[{\"name\":\"a\",\"id\":\"5\"},{\"name\":\"a\",\"id\":\"6\"}]}", "bots" }, { "{\"bots\":[{\"name\":\"a\",\"id\":\"5\"},{\"name\":\"b\",\"id\":\"5\"}]}", "bots" },
        { "{\"bots\":[{\"name\":\"a\",\"id\":\"1234567\",\"token\":\"" TOKEN "\"}]}", "config" }, { "{\"bots\":[{\"name\":\"a\",\"token\":\"FAKE\"}]}", "bot_token" },
        { "{\"bots\":[{\"name\":\"a\",\"token_env\":\"BOTS_TEST_NONE\"}]}", "bot_token_missing" }, { "{\"bots\":[{\"name\":\"a\",\"token_env\":\"a b\"}]}", "config" },
        { "{\"bot_token\":\"" TOKEN "\",\"bots\":[{\"name\":\"main\",\"id\":\"5\"}]}", "bots" }, { "{\"bots\":[{\"name\":\"a\",\"id\":\"5\",\"username\":\"@a\"}]}", "config" }, { "{\"bots\":[{\"name\":\"a\",\"id\":\"5\",\"username\":\"a23456789012345678901234567890123\"}]}", "config" },
        { "{\"telegram\":{\"environment\":\"staging\"}}", "config" }, { "{\"telegram\":{\"public_key\":\"00\"}}", "config" },
    };
    struct bots b;
    struct fr_err err;
    struct fr_json *json;
    unsetenv("FROND_BOT_TOKEN");
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        CHECK(fr_json_parse(no[i].json, strlen(no[i].json), &json, &err) == FR_OK);
        CHECK(bots_read(json, &b, &err) != FR_OK);
        CHECK_TEXT(err.code, no[i].code);
        CHECK(strstr(err.text, "FAKE") == NULL);
        fr_json_free(json);
    }
    static const char good[] = "{\"bot_token\":\"" TOKEN "\",\"bots\":[{\"name\":\"quiz\",\"token_env\":\"BOTS_TEST_TOKEN\",\"username\":\"quiz_bot\"},{\"name\":\"partner\",\"id\":\"9007199254740993\"}],\"telegram\":{\"environment\":\"test\"}}";
    setenv("BOTS_TEST_TOKEN", "55:FAKE-token-for-tests-only-aaaaaaaaaaaa", 1);
    CHECK(fr_json_parse(good, sizeof good - 1, &json, &err) == FR_OK);
    CHECK(bots_read(json, &b, &err) == FR_OK);
    CHECK(b.count == 3 && b.test_servers && !b.own_key && b.telegram_key[0] == 0x40);
    CHECK(bots_find(&b, "main")->id == 1234567 && bots_find(&b, "quiz")->id == 55 && bots_find(&b, "partner")->id == 9007199254740993 && !bots_find(&b, "none"));
    CHECK_TEXT(bots_with_token(&b)->name, "main");
    CHECK_TEXT(bots_find(&b, "quiz")->username, "quiz_bot");
    CHECK_TEXT(bots_find(&b, "main")->username, "");
    setenv("FROND_BOT_TOKEN", "77:FAKE-token-for-tests-only-aaaaaaaaaaaa", 1);       // in place of the file's
    CHECK(bots_read(json, &b, &err) == FR_OK && b.count == 3 && bots_find(&b, "main")->id == 77);
    CHECK(bots_read(NULL, &b, &err) == FR_OK && b.count == 1 && b.telegram_key[0] == 0xe7);
    unsetenv("FROND_BOT_TOKEN");
    CHECK(bots_read(NULL, &b, &err) == FR_OK && b.count == 0 && !bots_with_token(&b));
    fr_json_free(json);
}

static void test_one_bot_too_many(void)
{
    struct bots b;
    struct fr_err err;
    char name[8];
    bots_init(&b);
    for (int i = 0; i <= BOTS_MAX; i++) {
        snprintf(name, sizeof name, "b%d", i);
        CHECK_INT(bots_add(&b, name, NULL, 10 + i, &err), i < BOTS_MAX ? FR_OK : FR_E_LIMIT);
    }
    CHECK_TEXT(err.code, "bots");
    CHECK_INT(b.count, BOTS_MAX);
}

static void test_bot_tokens(void)
{
    static const char *const no[] = { "", "1234567", ":FAKE-token-for-tests-only-aaaaaaaaaaaa", "0123:FAKE-token-for-tests-only-aaaaaaaaaaaa", "123:short",
                                      "12a:FAKE-token-for-tests-only-aaaaaaaaaaaa", "123:FAKE-token-for-tests-only-aaaaaaaaaaa!", "123:FAKE-token-for-tests-only-aaaaaaaaaaaa\n",
                                      "1234567890123456789:FAKE-token-for-tests-only-aaaaaaaaaaaa", "123:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    int64_t bot = 0;
    struct fr_err err = { 0 };
    CHECK(bot_token_check(TOKEN, &bot, &err) == FR_OK);
    CHECK_INT(bot, 1234567);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
        CHECK_INT(bot_token_check(no[i], &bot, &err), FR_E_INVALID);
        CHECK_TEXT(err.code, "bot_token");
        CHECK(strstr(err.text, "FAKE") == NULL);
    }
    CHECK_INT(bot, 1234567);
}

int main(void)
{
    TEST(test_what_telegram_signed_is_accepted);
    TEST(test_a_frozen_vector);
    TEST(test_plus_and_percent_20_are_spaces);
    TEST(test_backslashes_survive);
    TEST(test_unknown_fields_stay_in_the_check_string);
    TEST(test_repeated_fields);
    TEST(test_malformed);
    TEST(test_fields_cannot_hide_in_others);
    TEST(test_hash_refusals);
    TEST(test_every_byte_counts);
    TEST(test_dates);
    TEST(test_users);
    TEST(test_long_names_are_cut_at_a_character);
    TEST(test_bounds_and_one_step_past_them);
    TEST(test_minted_data_is_accepted_and_each_launch_has_its_own_hash);
    TEST(test_the_published_third_party_vector);
    TEST(test_every_byte_of_a_signed_launch_counts);
    TEST(test_a_bot_with_a_token_is_proven_by_nothing_less);
    TEST(test_the_bot_that_signed_is_named);
    TEST(test_the_list_of_bots);
    TEST(test_one_bot_too_many);
    TEST(test_bot_tokens);
    return TEST_END();
}
