// connect.h — `frond telegram connect`: is everything in place between a bot and this host, and what to do where it is not.
//
// Step by step: the token's form, who Telegram says it is, the public address, what answers there, the button that opens the app. A step
// that cannot be tried because of an earlier one is "skipped". Waits for the network: for the CLI.
#pragma once
#include "player/bots.h"
#include "telegram/settings.h"

#define CONNECT_STEPS 5
enum connect_state { CONNECT_OK, CONNECT_DONE, CONNECT_WOULD, CONNECT_WARN, CONNECT_FAIL, CONNECT_SKIPPED };      // WOULD: a dry run changes nothing
struct connect_step { const char *name; enum connect_state state; char text[400], fix[400]; };       // fix "": nothing to do
struct connect { struct connect_step steps[CONNECT_STEPS]; int count, failed; char username[65]; };

void telegram_connect(const struct bot *bot, const struct telegram_settings *settings, bool dry_run, struct connect *ret);
const char *connect_state_name(enum connect_state state);
