// login_test.c — a login is proven by the bot's token over exactly these fields, and is young. The known answer was made with Python's hmac and hashlib.
#include "player/login.h"
#include <string.h>
#include "base/check.h"
#include "base/hash.h"
#include "base/hex.h"

#define TOKEN "7342037359:AAHI25ES9xCOMPokpYoz-p8XVrZUdygo2J4"
#define NOW 1767225700000LL
#define KNOWN_HASH "838ececde716b6a6629e38b228b0029ae908587fcca45eb2669c9b6878286217"
static struct bots bots;

static enum fr_status verify(const char *json, struct login *l, struct fr_err *err)
{
    FR_AUTO(fr_json) o = NULL;
    struct fr_err why;
    if (fr_json_parse(json, strlen(json), &o, &why) != FR_OK) return FR_FAIL(err, FR_E_INVALID, "%s", why.text);
    return login_verify(o, &bots, NOW, l, err);
}

static void refused(const char *json, const char *code)
{
    struct login l;
    struct fr_err err = { 0 };
    CHECK(verify(json, &l, &err) != FR_OK);
    CHECK_TEXT(err.code, code);
}

// check: sorted fields joined by \n; out: the JSON text of `fields` with the hash behind them.
static const char *with_hash(const char *fields, const char *check)
{
    static char out[1024];
    uint8_t secret[32], mac[32];
    char hex[65];
    fr_sha256(TOKEN, strlen(TOKEN), secret);
    fr_hmac_sha256(secret, 32, check, strlen(check), mac);
    snprintf(out, sizeof out, "{%s,\"hash\":\"%s\"}", fields, fr_hex(mac, 32, hex));
    return out;
}

static void test_a_known_answer(void)
{
    struct login l;
    struct fr_err err = { 0 };
    if (verify("{\"id\":4242,\"first_name\":\"Ann\",\"username\":\"ann\",\"auth_date\":1767225600,\"hash\":\"" KNOWN_HASH "\"}", &l, &err) != FR_OK) CHECK_TEXT(err.text, "");
    CHECK(l.user_id == 4242 && l.auth_date_s == 1767225600 && l.bot == &bots.list[1]);
    CHECK(verify("{\"auth_date\":\"1767225600\",\"username\":\"ann\",\"id\":\"4242\",\"first_name\":\"Ann\",\"hash\":\"" KNOWN_HASH "\"}", &l, &err) == FR_OK);       // as a query's texts, in any order
}

static void test_what_was_changed_is_refused(void)
{
    refused("{\"id\":4243,\"first_name\":\"Ann\",\"username\":\"ann\",\"auth_date\":1767225600,\"hash\":\"" KNOWN_HASH "\"}", "login_bad_hash");
    refused("{\"id\":4242,\"first_name\":\"Ann\",\"username\":\"ann\",\"auth_date\":1767225600,\"more\":\"1\",\"hash\":\"" KNOWN_HASH "\"}", "login_bad_hash");
    refused("{\"id\":4242,\"first_name\":\"Ann\",\"auth_date\":1767225600,\"hash\":\"" KNOWN_HASH "\"}", "login_bad_hash");
    refused("{\"id\":4242,\"first_name\":\"Ann\\nusername=ann\",\"auth_date\":1767225600,\"hash\":\"" KNOWN_HASH "\"}", "login_malformed");          // one check string for two sets of fields
    refused("{\"id\":4242,\"auth_date\":1767225600}", "login_malformed");
    refused("{\"id\":4242,\"auth_date\":1767225600,\"hash\":\"00\"}", "login_malformed");
    refused("{\"id\":4242.5,\"auth_date\":1767225600,\"hash\":\"" KNOWN_HASH "\"}", "login_malformed");
    refused("{\"id\":-4242,\"auth_date\":1767225600,\"hash\":\"" KNOWN_HASH "\"}", "login_malformed");
    refused("{\"id\":[1],\"auth_date\":1767225600,\"hash\":\"" KNOWN_HASH "\"}", "login_malformed");
    refused("{\"Id\":4242,\"auth_date\":1767225600,\"hash\":\"" KNOWN_HASH "\"}", "login_malformed");
    refused("{}", "login_malformed");
    refused("[]", "login_malformed");
    char many[2048] = "{\"hash\":\"" KNOWN_HASH "\"";
    for (int i = 0; i < 16; i++) snprintf(many + strlen(many), sizeof many - strlen(many), ",\"f%d\":\"x\"", i);
    snprintf(many + strlen(many), sizeof many - strlen(many), "}");
    refused(many, "login_malformed");
    refused(with_hash("\"first_name\":\"Ann\",\"auth_date\":1767225600", "auth_date=1767225600\nfirst_name=Ann"), "login_malformed");     // whose?
}

static void test_its_age(void)
{
    struct login l;
    struct fr_err err;
    char fields[64], check[64];
    static const struct { int64_t age_s; const char *code; } ages[] = { { LOGIN_AGE_S, "" }, { LOGIN_AGE_S + 1, "login_stale" }, { -INITDATA_FUTURE_S, "" }, { -INITDATA_FUTURE_S - 1, "login_future" } };
    for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++) {
        long long at = NOW / 1000 - ages[i].age_s;
        snprintf(fields, sizeof fields, "\"id\":7,\"auth_date\":%lld", at);
        snprintf(check, sizeof check, "auth_date=%lld\nid=7", at);
        enum fr_status st = verify(with_hash(fields, check), &l, &err);
        CHECK_TEXT(st == FR_OK ? "" : err.code, ages[i].code);
    }
}

int main(void)
{
    struct fr_err err;
    bots_init(&bots);
    CHECK(bots_add(&bots, "partner", NULL, 99, &err) == FR_OK && bots_add(&bots, "main", TOKEN, 0, &err) == FR_OK);
    TEST(test_a_known_answer);
    TEST(test_what_was_changed_is_refused);
    TEST(test_its_age);
    return TEST_END();
}
