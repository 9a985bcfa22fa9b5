// device_test.c — what people carry, and what strangers send.
#include "player/device.h"
#include <string.h>
#include "base/check.h"

static const char *named(const char *agent)
{
    static char out[DEVICE_BYTES];
    device_name(agent, strlen(agent), out);
    return out;
}

static void test_what_people_carry(void)
{
    CHECK_TEXT(named("Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0.6723.86 Mobile Safari/537.36 Telegram-Android/11.3.3 (Samsung SM-S911B; Android 14; SDK 34; HIGH)"), "Android, Telegram");
    CHECK_TEXT(named("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"), "iPhone");
    CHECK_TEXT(named("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15"), "macOS, Safari");
    CHECK_TEXT(named("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0"), "Windows, Edge");
    CHECK_TEXT(named("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), "Linux, Firefox");
}

static void test_what_strangers_send(void)
{
    char out[DEVICE_BYTES];
    CHECK_TEXT(named(""), "");
    CHECK_TEXT(named("curl/8.5.0"), "");
    CHECK_TEXT(named("<script>alert(1)</script> Windows"), "Windows");
    device_name(NULL, 0, out);
    CHECK_TEXT(out, "");
    device_name("Andro", 5, out);                        // not NUL-terminated in the header
    CHECK_TEXT(out, "");
}

int main(void)
{
    TEST(test_what_people_carry);
    TEST(test_what_strangers_send);
    return TEST_END();
}
