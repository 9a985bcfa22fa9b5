// settings_test.c — which addresses may be given a token, and which ones Telegram opens.
#include "telegram/settings.h"
#include <stdio.h>
#include "base/check.h"

static void test_addresses(void)
{
    static const char *const good[] = { "https://play.example.org", "https://play.example.org:8443", "https://127.0.0.1:8080", "https://[::1]:8080" };
    static const char *const bad[] = { "", "https://", "http://", "http://play.example.org", "https://play.example.org/app", "https://a@b.example", "https://b.example?x", "https://b.example#x", "https://:443",
                                       "HTTPS://b.example", "https://b.exa mple", "https://b.example\r\nX: y", "https://b.example\\evil", "//b.example", "https://b%2eexample" };
    char out[TELEGRAM_URL_BYTES], longest[TELEGRAM_URL_BYTES + 1] = "https://";
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        char slash[TELEGRAM_URL_BYTES];
        CHECK(telegram_url_read(good[i], false, out));
        CHECK_TEXT(out, good[i]);
        snprintf(slash, sizeof slash, "%s/", good[i]);
        CHECK(telegram_url_read(slash, false, out));
        CHECK_TEXT(out, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(!telegram_url_read(bad[i], true, out));
    memset(longest + 8, 'a', TELEGRAM_URL_BYTES - 1 - 8);
    CHECK(telegram_url_read(longest, false, out));
    longest[TELEGRAM_URL_BYTES - 1] = 'a';
    CHECK(!telegram_url_read(longest, false, out));
}

static void test_plain_http_on_this_machine_only(void)
{
    char out[TELEGRAM_URL_BYTES];
    CHECK(telegram_url_read("http://127.0.0.1:8081", true, out) && telegram_url_read("http://localhost", true, out) && telegram_url_read("http://[::1]:1", true, out));
    CHECK(!telegram_url_read("http://127.0.0.1:8081", false, out));
    CHECK(!telegram_url_read("http://127.0.0.1.evil.example", true, out) && !telegram_url_read("http://localhost.evil.example:80", true, out) && !telegram_url_read("http://127.0.0.1@evil.example", true, out));
}

static void test_the_file(void)
{
    struct telegram_settings s;
    struct fr_err err;
    struct fr_json *json;
    static const char text[] = "{\"telegram\":{\"public_url\":\"https://play.example.org/\",\"environment\":\"test\",\"ca_file\":\"/ca.pem\"}}";
    CHECK(telegram_settings_read(NULL, &s, &err) == FR_OK);
    CHECK_TEXT(s.api, "https://api.telegram.org");
    CHECK_TEXT(s.menu_text, "Play");
    CHECK(fr_json_parse(text, sizeof text - 1, &json, &err) == FR_OK && telegram_settings_read(json, &s, &err) == FR_OK);
    CHECK_TEXT(s.public_url, "https://play.example.org");
    CHECK_TEXT(s.ca_file, "/ca.pem");
    CHECK(s.test_servers);
    fr_json_free(json);
    static const char *const bad[] = { "{\"telegram\":1}", "{\"telegram\":{\"menu_text\":\"\"}}", "{\"telegram\":{\"api\":\"http://x.example\"}}", "{\"telegram\":{\"public_uri\":\"https://x.example\"}}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(fr_json_parse(bad[i], strlen(bad[i]), &json, &err) == FR_OK && telegram_settings_read(json, &s, &err) != FR_OK);
        CHECK_TEXT(err.code, "config");
        fr_json_free(json);
    }
}

int main(void)
{
    TEST(test_addresses);
    TEST(test_plain_http_on_this_machine_only);
    TEST(test_the_file);
    return TEST_END();
}
