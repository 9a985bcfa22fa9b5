// settings.h — the "telegram" part of the config file, for the verbs that speak to the Bot API. Plain values.
//
//     "telegram": {"public_url":"https://play.example.org",     where players reach this host: HTTPS, no path
//                  "menu_text":"Play",                          the bot's button
//                  "api":"https://api.telegram.org",            another Bot API server: HTTPS, or HTTP on this machine
//                  "ca_file":"/etc/ssl/own-ca.pem",             certificates to trust instead of the system's: a proxy's, a private CA's
//                  "environment":"production",                  with "public_key": player/bots.h
//                  "policy":"strict"}                           what /app/ may show of wallets: config.c, gateway/policy.c
#pragma once
#include "base/json.h"

#define TELEGRAM_URL_BYTES 256
#define TELEGRAM_MENU_BYTES 64
struct telegram_settings { char api[TELEGRAM_URL_BYTES], public_url[TELEGRAM_URL_BYTES], menu_text[TELEGRAM_MENU_BYTES], ca_file[TELEGRAM_URL_BYTES]; bool test_servers; };
// config: the whole file, or NULL. Code: config.
FR_MUST_USE enum fr_status telegram_settings_read(const struct fr_json *config, struct telegram_settings *ret, struct fr_err *err);
// "https://HOST[:PORT]", without path, user or query; a slash at the end is cut. http only when `loopback_http` and the host is 127.0.0.1, localhost or [::1].
bool telegram_url_read(const char *text, bool loopback_http, char out[TELEGRAM_URL_BYTES]);
