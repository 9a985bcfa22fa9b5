// settings.c — strict about addresses: what is sent there is the bot's token.
#include "telegram/settings.h"
#include <stdio.h>
#include <string.h>

#define API_DEFAULT "https://api.telegram.org"

bool telegram_url_read(const char *text, bool loopback_http, char out[TELEGRAM_URL_BYTES])
{
    static const char *const here[] = { "127.0.0.1", "localhost", "[::1]" };
    bool https = strncmp(text, "https://", 8) == 0, http = strncmp(text, "http://", 7) == 0, local = false;
    const char *host = text + (https ? 8 : 7);
    size_t len = strlen(text);
    if (len > 0 && text[len - 1] == '/') len--;
    if ((!https && !http) || len >= TELEGRAM_URL_BYTES || len <= (size_t)(host - text)) return false;
    size_t rest = len - (size_t)(host - text);
    if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") < rest || host[0] == ':') return false;
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++) {
        size_t n = strlen(here[i]);
        local = local || (rest >= n && strncmp(host, here[i], n) == 0 && (rest == n || host[n] == ':'));
    }
    if (http && !(loopback_http && local)) return false;
    snprintf(out, TELEGRAM_URL_BYTES, "%.*s", (int)len, text);
    return true;
}

static enum fr_status settings_read(const struct fr_json *config, struct telegram_settings *to, struct fr_err *err)
{
    static const char *const keys[] = { "api", "ca_file", "environment", "menu_text", "policy", "public_key", "public_url", NULL };
    const char *api, *url, *menu, *ca, *environment;
    const struct fr_json *t;
    FR_TRY(fr_json_need_object(config, "telegram", &t, err));
    FR_TRY(fr_json_only_keys(t, keys, "telegram", err));
    FR_TRY(fr_json_opt_text(config, "telegram.api", TELEGRAM_URL_BYTES - 1, API_DEFAULT, &api, err));
    FR_TRY(fr_json_opt_text(config, "telegram.public_url", TELEGRAM_URL_BYTES - 1, "", &url, err));
    FR_TRY(fr_json_opt_text(config, "telegram.menu_text", TELEGRAM_MENU_BYTES - 1, "Play", &menu, err));
    FR_TRY(fr_json_opt_text(config, "telegram.ca_file", TELEGRAM_URL_BYTES - 1, "", &ca, err));
    FR_TRY(fr_json_opt_text(config, "telegram.environment", 10, "production", &environment, err));      // bots_read says what it may be
    if (!telegram_url_read(api, true, to->api)) return FR_FAIL(err, FR_E_INVALID, "telegram.api: expected https://HOST (http only on this machine), since the bots' tokens are sent there");
    if (url[0] && !telegram_url_read(url, false, to->public_url)) return FR_FAIL(err, FR_E_INVALID, "telegram.public_url: expected https://HOST without a path: Telegram opens nothing else");
    if (!menu[0]) return FR_FAIL(err, FR_E_INVALID, "telegram.menu_text: a button needs a text");
    snprintf(to->menu_text, sizeof to->menu_text, "%s", menu);
    snprintf(to->ca_file, sizeof to->ca_file, "%s", ca);
    to->test_servers = strcmp(environment, "test") == 0;
    return FR_OK;
}

enum fr_status telegram_settings_read(const struct fr_json *config, struct telegram_settings *ret, struct fr_err *err)
{
    struct telegram_settings made = { .api = API_DEFAULT, .menu_text = "Play" };
    enum fr_status st = config && fr_json_get(config, "telegram") ? settings_read(config, &made, err) : FR_OK;
    if (st == FR_OK) *ret = made;
    else snprintf(err->code, sizeof err->code, "config");
    return st;
}
