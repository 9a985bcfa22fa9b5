// bots.c — reading the list, and refusing what would be ambiguous: two bots of one name, or one bot twice.
#include "player/bots.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/hex.h"

#define MAIN_ENV "FROND_BOT_TOKEN"
// core.telegram.org/bots/webapps#validating-data-for-third-party-use
#define TELEGRAM_KEY "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d"
#define TELEGRAM_TEST_KEY "40055058a4ee38156a06562e52eece92a771bcd8346a8c4615cb7376eddf72ec"

static bool key_read(const char *hex, uint8_t out[ED25519_KEY_BYTES])
{
    return fr_unhex(hex, strlen(hex), out, ED25519_KEY_BYTES);
}

void bots_init(struct bots *b)
{
    *b = (struct bots){ .count = 0 };
    key_read(TELEGRAM_KEY, b->telegram_key);
}

// ---- one bot

enum fr_status bot_token_check(const char *token, int64_t *bot_id, struct fr_err *err)
{
    size_t digits = strspn(token, "0123456789"), rest = token[digits] == ':' ? strlen(token + digits + 1) : 0;
    bool plain = rest > 0 && strspn(token + digits + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == rest;
    if (digits == 0 || digits > 18 || *token == '0' || rest < 30 || rest > 50 || !plain)      // never show it: it is a secret
        return FR_FAIL_CODE(err, FR_E_INVALID, "bot_token", "the bot token is not of the form 123456:AAbb..., a number and 30 to 50 letters, digits, _ or -");
    *bot_id = strtoll(token, NULL, 10);
    return FR_OK;
}

static bool name_valid(const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len >= BOT_NAME_BYTES || name[0] == '-' || name[len - 1] == '-' || strstr(name, "--")) return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

enum fr_status bots_add(struct bots *b, const char *name, const char *token, int64_t id, struct fr_err *err)
{
    struct bot made = { .id = id };
    if (!name_valid(name)) return FR_FAIL_CODE(err, FR_E_INVALID, "bot_name", "a bot's name is made of 1 to %d lower-case letters, digits and single hyphens, not \"%.60s\"", BOT_NAME_BYTES - 1, name);
    if (token) FR_TRY(bot_token_check(token, &made.id, err));
    for (int i = 0; i < b->count; i++) {
        if (strcmp(b->list[i].name, name) == 0) return FR_FAIL_CODE(err, FR_E_INVALID, "bots", "two bots are named \"%s\"", name);
        if (b->list[i].id == made.id) return FR_FAIL_CODE(err, FR_E_INVALID, "bots", "\"%s\" and \"%s\" are the same bot, %lld", b->list[i].name, name, (long long)made.id);
    }
    if (b->count == BOTS_MAX) return FR_FAIL_CODE(err, FR_E_LIMIT, "bots", "a host takes at most %d bots", BOTS_MAX);
    snprintf(made.name, sizeof made.name, "%s", name);
    if (token) snprintf(made.token, sizeof made.token, "%s", token);      // bot_token_check has bounded it
    b->list[b->count++] = made;
    return FR_OK;
}

const struct bot *bots_find(const struct bots *b, const char *name)
{
    for (int i = 0; i < b->count; i++) if (strcmp(b->list[i].name, name) == 0) return &b->list[i];
    return NULL;
}

const struct bot *bots_with_token(const struct bots *b)
{
    for (int i = 0; i < b->count; i++) if (b->list[i].token[0]) return &b->list[i];
    return NULL;
}

// ---- the config file

static enum fr_status token_of_env(const char *name, const char **token, struct fr_err *err)
{
    size_t len = strlen(name);
    if (len == 0 || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != len) return FR_FAIL_CODE(err, FR_E_INVALID, "config", "token_env: expected the name of an environment variable, like DUEL_BOT_TOKEN");
    *token = getenv(name);
    if (!*token || !(*token)[0]) return FR_FAIL_CODE(err, FR_E_INVALID, "bot_token_missing", "the environment has no %.100s, which should hold the token", name);
    return FR_OK;
}

static enum fr_status bot_read(const struct fr_json *o, struct bots *b, struct fr_err *err)
{
    static const char *const keys[] = { "name", "token", "token_env", "id", "username", NULL };
    const char *name, *token, *env, *username;
    int64_t id;
    FR_TRY(fr_json_only_keys(o, keys, "", err));
    FR_TRY(fr_json_need_text(o, "name", 1, 100, &name, err));
    FR_TRY(fr_json_opt_text(o, "token", BOT_TOKEN_BYTES - 1, NULL, &token, err));
    FR_TRY(fr_json_opt_text(o, "token_env", 100, NULL, &env, err));
    FR_TRY(fr_json_opt_units(o, "id", 1, INT64_MAX, 0, &id, err));
    if ((token != NULL) + (env != NULL) + (id != 0) != 1) return FR_FAIL_CODE(err, FR_E_INVALID, "config", "a bot has a \"token\", a \"token_env\" or an \"id\", and one of them");
    FR_TRY(fr_json_opt_text(o, "username", BOT_USERNAME_BYTES - 1, "", &username, err));
    if (strspn(username, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != strlen(username))
        return FR_FAIL_CODE(err, FR_E_INVALID, "config", "username: expected a bot's name at Telegram without the @, letters, digits and _");
    if (env) FR_TRY(token_of_env(env, &token, err));
    FR_TRY(bots_add(b, name, token, id, err));
    snprintf(b->list[b->count - 1].username, BOT_USERNAME_BYTES, "%s", username);
    return FR_OK;
}

static enum fr_status list_read(const struct fr_json *config, struct bots *b, struct fr_err *err)
{
    const struct fr_json *list;
    int at = 0;
    if (!fr_json_get(config, "bots")) return FR_OK;
    FR_TRY(fr_json_need_array(config, "bots", 1, BOTS_MAX, &list, err));
    for (const struct fr_json *v = fr_json_child(list); v; v = fr_json_next(v), at++) {
        if (fr_json_kind(v) != JSON_OBJECT) return FR_FAIL_CODE(err, FR_E_INVALID, "config", "bots[%d]: expected an object, got %s", at, fr_json_kind_name(fr_json_kind(v)));
        if (bot_read(v, b, err) != FR_OK) return fr_err_note(err, "bots[%d]", at);
    }
    return FR_OK;
}

static enum fr_status servers_read(const struct fr_json *config, struct bots *b, struct fr_err *err)
{
    const char *environment, *key;
    FR_TRY(fr_json_opt_text(config, "telegram.environment", 10, "production", &environment, err));
    FR_TRY(fr_json_opt_text(config, "telegram.public_key", 2 * ED25519_KEY_BYTES, NULL, &key, err));
    if (strcmp(environment, "production") != 0 && strcmp(environment, "test") != 0)
        return FR_FAIL_CODE(err, FR_E_INVALID, "config", "telegram.environment: expected \"production\" or \"test\", got \"%.20s\"", environment);
    b->test_servers = environment[0] == 't';
    if (b->test_servers) key_read(TELEGRAM_TEST_KEY, b->telegram_key);
    b->own_key = key != NULL;
    if (key && !key_read(key, b->telegram_key)) return FR_FAIL_CODE(err, FR_E_INVALID, "config", "telegram.public_key: expected %d hex digits", 2 * ED25519_KEY_BYTES);
    return FR_OK;
}

static enum fr_status all_read(const struct fr_json *config, struct bots *b, struct fr_err *err)
{
    const char *env = getenv(MAIN_ENV), *token = NULL;
    if (config) FR_TRY(fr_json_opt_text(config, "bot_token", BOT_TOKEN_BYTES - 1, NULL, &token, err));
    if (env && env[0]) token = env;
    if (token && token[0]) FR_TRY(bots_add(b, "main", token, 0, err));
    if (!config) return FR_OK;
    FR_TRY(list_read(config, b, err));
    return servers_read(config, b, err);
}

enum fr_status bots_read(const struct fr_json *config, struct bots *ret, struct fr_err *err)
{
    struct bots made;
    bots_init(&made);
    enum fr_status st = all_read(config, &made, err);
    if (st != FR_OK && strcmp(err->code, fr_status_code(st)) == 0) snprintf(err->code, sizeof err->code, "config");      // a wrong type, a missing key
    if (st == FR_OK) *ret = made;
    return st;
}
