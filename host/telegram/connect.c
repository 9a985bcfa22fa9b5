// connect.c — the steps, in the order in which each needs the one before.
#include "telegram/connect.h"
#include <stdio.h>
#include <string.h>
#include "net/fetch.h"
#include "telegram/botapi.h"

#define HEALTHZ_BYTES_MAX (16 * 1024)

const char *connect_state_name(enum connect_state state)
{
    static const char *const names[] = { "ok", "done", "would", "warn", "fail", "skipped" };
    return names[state];
}

struct connecting { struct botapi api; bool dry_run; struct connect *to; };

// The next step; texts are filled in by printf.
#define STEP(c, name_, state_, fix_, ...) do { \
    struct connect_step *s_ = &(c)->to->steps[(c)->to->count++]; \
    s_->name = (name_); s_->state = (state_); \
    snprintf(s_->text, sizeof s_->text, __VA_ARGS__); \
    snprintf(s_->fix, sizeof s_->fix, "%s", (fix_)); \
    (c)->to->failed += (state_) == CONNECT_FAIL; } while (0)

static bool step_token(struct connecting *c)
{
    const struct bot *bot = c->api.bot;
    if (!bot->token[0]) STEP(c, "token", CONNECT_FAIL, "ask whoever owns the bot to run this, or give the bot a \"token\" or \"token_env\" in place of \"id\"", "bot \"%s\" has no token here, only its id %lld", bot->name, (long long)bot->id);
    else STEP(c, "token", CONNECT_OK, "", "bot \"%s\" has a token of the right form, number %lld", bot->name, (long long)bot->id);
    return bot->token[0] != 0;
}

// What to do about a call that failed, whatever it asked.
static const char *fix_of(const struct fr_err *err)
{
    static const struct { const char *code, *fix; } fixes[] = {
        { "telegram_token", "ask @BotFather for the token again (/token, or /revoke for a new one) and put it into FROND_BOT_TOKEN or the config file" },
        { "telegram_rate", "wait that long and run this again" },
        { "telegram_tls", "check this machine's clock and certificates (ca-certificates), or telegram.ca_file when a proxy stands between" },
        { "telegram_unreachable", "check that this machine reaches telegram.api (default https://api.telegram.org): DNS, firewall, https_proxy" },
        { "telegram_timeout", "check that this machine reaches telegram.api (default https://api.telegram.org): DNS, firewall, https_proxy" },
        { "telegram_nonsense", "check telegram.api in the config file: the address of a Bot API server, without a path" },
    };
    for (size_t i = 0; i < sizeof fixes / sizeof fixes[0]; i++) if (strcmp(err->code, fixes[i].code) == 0) return fixes[i].fix;
    return "run this again; if it stays, Telegram's words above say what it does not like";
}

static bool step_bot(struct connecting *c)
{
    FR_AUTO(fr_json) answer = NULL;
    struct fr_err err;
    const char *username;
    int64_t id;
    if (botapi_call(&c->api, "getMe", NULL, &answer, &err) != FR_OK) {
        STEP(c, "bot", CONNECT_FAIL, fix_of(&err), "%s", err.text);
        return false;
    }
    if (fr_json_need_int(answer, "result.id", 1, (1LL << 53) - 1, &id, &err) != FR_OK || fr_json_need_text(answer, "result.username", 1, sizeof c->to->username - 1, &username, &err) != FR_OK ||
        !fr_json_is_true(fr_json_get(fr_json_get(answer, "result"), "is_bot"))) {
        STEP(c, "bot", CONNECT_FAIL, "check telegram.api in the config file", "getMe: the answer is not of a Bot API");
        return false;
    }
    if (id != c->api.bot->id) {
        STEP(c, "bot", CONNECT_FAIL, "check telegram.api in the config file: what answers there is not Telegram", "getMe says the bot is %lld, its token says %lld", (long long)id, (long long)c->api.bot->id);
        return false;
    }
    snprintf(c->to->username, sizeof c->to->username, "%s", username);
    STEP(c, "bot", CONNECT_OK, "", "Telegram knows it as @%s", username);
    return true;
}

static bool step_address(struct connecting *c)
{
    const char *url = c->api.settings->public_url;
    if (url[0]) STEP(c, "address", CONNECT_OK, "", "players reach this host at %s/app/", url);
    else STEP(c, "address", CONNECT_FAIL, "put \"telegram\": {\"public_url\": \"https://your.domain\"} into the config file, or name it with --url; Telegram opens HTTPS addresses only", "no public address is known");
    return url[0] != 0;
}

// False when players would see nothing there. A machine need not reach itself by its public name, so silence is no proof.
static bool step_healthz(struct connecting *c)
{
    const struct telegram_settings *s = c->api.settings;
    char url[TELEGRAM_URL_BYTES + 16];
    FR_AUTO_BUF(body);
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err, none;
    int http_status;
    snprintf(url, sizeof url, "%s/healthz", s->public_url);
    struct net_fetch ask = { .url = url, .ca_file = s->ca_file, .timeout_ms = FETCH_MS, .bytes_max = HEALTHZ_BYTES_MAX };
    fr_buf_init(&body, HEALTHZ_BYTES_MAX);
    if (net_fetch(&ask, &http_status, &body, &err) != FR_OK) {
        bool silent = strcmp(err.code, "fetch_unreachable") == 0 || strcmp(err.code, "fetch_timeout") == 0;
        if (silent) STEP(c, "healthz", CONNECT_WARN, "open the address on a phone that is not in this network; if nothing answers, check DNS, the firewall and the proxy in front", "%s does not answer from here: %s", url, err.text);
        else if (strcmp(err.code, "fetch_tls") == 0) STEP(c, "healthz", CONNECT_FAIL, "get a certificate that phones trust for this name, with its whole chain (Let's Encrypt, or the proxy's own)", "%s has no valid certificate: %s", url, err.text);
        else STEP(c, "healthz", CONNECT_FAIL, "check what answers at this address", "%s: %s", url, err.text);
        return silent;
    }
    bool frond = http_status == 200 && fr_json_parse(body.data ? body.data : "", body.len, &json, &none) == FR_OK && fr_json_is_true(fr_json_get(json, "ok")) && fr_json_text(fr_json_get(json, "version"));
    if (frond) STEP(c, "healthz", CONNECT_OK, "", "%s answers, with a valid certificate", url);
    else STEP(c, "healthz", CONNECT_FAIL, "start the host (`frond serve`), and let the proxy in front hand on everything to it", "%s answers HTTP %d, which is not this host", url, http_status);
    return frond;
}

// ---- the button

static bool menu_is(const struct fr_json *answer, const char *text, const char *url)
{
    const struct fr_json *result = fr_json_get(answer, "result");
    const char *type = fr_json_text(fr_json_get(result, "type")), *is_text = fr_json_text(fr_json_get(result, "text")), *is_url = fr_json_text(fr_json_get(fr_json_get(result, "web_app"), "url"));
    return type && is_text && is_url && strcmp(type, "web_app") == 0 && strcmp(is_text, text) == 0 && strcmp(is_url, url) == 0;
}

static bool menu_read(struct connecting *c, const char *url, bool *same, struct fr_err *err)
{
    FR_AUTO(fr_json) answer = NULL;
    if (botapi_call(&c->api, "getChatMenuButton", NULL, &answer, err) != FR_OK) return false;
    *same = menu_is(answer, c->api.settings->menu_text, url);
    return true;
}

static bool menu_set(struct connecting *c, const char *url, struct fr_err *err)
{
    FR_AUTO(fr_json) answer = NULL;
    FR_AUTO_BUF(params);
    fr_buf_init(&params, 2048);
    fr_buf_add(&params, "{\"menu_button\":{\"type\":\"web_app\",\"text\":");
    fr_buf_add_json_text(&params, c->api.settings->menu_text);
    fr_buf_add(&params, ",\"web_app\":{\"url\":");
    fr_buf_add_json_text(&params, url);
    fr_buf_add(&params, "}}}");
    return fr_buf_check(&params, "the button", err) == FR_OK && botapi_call(&c->api, "setChatMenuButton", params.data, &answer, err) == FR_OK;
}

static void step_menu(struct connecting *c)
{
    const char *text = c->api.settings->menu_text;
    char url[TELEGRAM_URL_BYTES + 16];
    struct fr_err err;
    bool same = false;
    snprintf(url, sizeof url, "%s/app/", c->api.settings->public_url);
    if (!menu_read(c, url, &same, &err)) STEP(c, "menu", CONNECT_FAIL, fix_of(&err), "%s", err.text);
    else if (same) STEP(c, "menu", CONNECT_OK, "", "the button \"%s\" opens %s already", text, url);
    else if (c->dry_run) STEP(c, "menu", CONNECT_WOULD, "run this without --dry-run", "the button \"%s\" would be set to open %s", text, url);
    else if (!menu_set(c, url, &err) || !menu_read(c, url, &same, &err)) STEP(c, "menu", CONNECT_FAIL, fix_of(&err), "%s", err.text);
    else if (!same) STEP(c, "menu", CONNECT_FAIL, "look at the bot's menu button in @BotFather (/mybots, Bot Settings) and run this again", "Telegram took the button, but shows another");
    else STEP(c, "menu", CONNECT_DONE, "", "the button \"%s\" opens %s now", text, url);
}

void telegram_connect(const struct bot *bot, const struct telegram_settings *settings, bool dry_run, struct connect *ret)
{
    struct connecting c = { .api = { bot, settings }, .dry_run = dry_run, .to = ret };
    *ret = (struct connect){ .count = 0 };
    bool token = step_token(&c), known = false;
    if (token) known = step_bot(&c);
    else STEP(&c, "bot", CONNECT_SKIPPED, "", "needs the token");
    bool address = step_address(&c), there = false;
    if (address) there = step_healthz(&c);
    else STEP(&c, "healthz", CONNECT_SKIPPED, "", "needs the address");
    if (known && there) step_menu(&c);
    else STEP(&c, "menu", CONNECT_SKIPPED, "", "needs %s", known ? "an address where the app opens" : "a bot that Telegram knows");
}
