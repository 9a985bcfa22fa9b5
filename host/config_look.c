// config_look.c — the config file for `frond doctor`: what `serve` would refuse, each part of it, by the parts of config.c; and what it would
// take, but an operator should know. Asks nothing of the network.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "config.h"
#include "telegram/settings.h"

#define MEND "mend it: `frond serve` refuses it"
#define CA_FILE_BYTES_MAX (1024 * 1024)

struct looking { const struct serve_options *o; struct config *c; struct config_source source; cli_told_fn *told; void *arg; };

static void tell(const struct looking *l, const char *name, const char *help, const char *fmt, ...) FR_PRINTF(4, 5);
static void tell(const struct looking *l, const char *name, const char *help, const char *fmt, ...)
{
    char text[900];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    l->told(l->arg, name, text, help, NULL);
}

static const char *help_of(const struct fr_err *err)
{
    static const struct { const char *code, *help; } helps[] = {
        { "bot_token_missing", "give the bot its token; one in the environment must be there for the host too, where it is started" },
        { "bot_token", "copy the token from @BotFather again, whole" },
        { "dev_bot_token", "the data folder was made with --dev, or --dev was given: name the folder of this file with --data, or take the token out" },
        { "dev_data", "look at it with --dev, or name another folder with --data" },
        { "production_data", "look at it without --dev, or name another folder with --data" },
        { "telegram_environment", "name the folder of these people with --data, or mend telegram.environment" },
        { "plugins_missing", "make the folder or mend its name: names are relative to the file" },
    };
    for (size_t i = 0; i < sizeof helps / sizeof helps[0]; i++) if (strcmp(err->code, helps[i].code) == 0) return helps[i].help;
    return MEND;
}

// ---- what would be refused

static bool look_at_parts(const struct looking *l)
{
    bool good = true;
    const char *failed = "";
    for (int i = 0; i < config_part_count; i++) {
        struct fr_err err;
        if (strcmp(config_parts[i].name, failed) == 0) continue;         // a rule about what could not be read
        if (config_part_read(&config_parts[i], &l->source, l->c, &err) == FR_OK) continue;
        l->told(l->arg, "config", err.text, help_of(&err), &err);
        failed = config_parts[i].name;
        good = false;
    }
    return good;
}

static bool look_at_data_fit(const struct looking *l)
{
    struct fr_err err;
    if (config_data_fits(l->c, &err) == FR_OK) return true;
    l->told(l->arg, "config", err.text, help_of(&err), &err);
    return false;
}

// ---- what is well, and what is not quite

static bool holds_secret(const struct fr_json *json)
{
    bool found = fr_json_get(json, "bot_token") != NULL;
    for (const struct fr_json *b = fr_json_child(fr_json_get(json, "bots")); b; b = fr_json_next(b)) found = found || fr_json_get(b, "token");
    return found;
}

// A provider's URL has its key behind the host, or in front of it.
static bool url_is_secret(const char *url)
{
    const char *host = strstr(url, "://");
    return host && (strchr(host, '@') || host[3 + strcspn(host + 3, "/?")] == '?' || strlen(host + 3) > strcspn(host + 3, "/?") + 1);
}

static bool holds_url(const struct treasury_settings *t)
{
    bool found = t->signer.where == SIGNER_REMOTE && url_is_secret(t->signer.url);
    for (int i = 0; i < t->endpoint_count; i++) found = found || url_is_secret(t->endpoints[i].url);
    return found;
}

static void look_at_file(const struct looking *l)
{
    const struct config *c = l->c;
    struct stat st;
    char backups[CONFIG_PATH_BYTES + 60] = "no backups by the clock";
    if (holds_secret(l->source.json) && stat(l->source.path, &st) == 0 && st.st_mode & 077)
        tell(l, "config", "chmod 600 the file: whoever reads it can act as the bot", "%s holds a bot's token and is open to others (mode %03o)", l->source.path, st.st_mode & 0777);
    if (holds_url(&c->treasury) && stat(l->source.path, &st) == 0 && st.st_mode & 077)
        tell(l, "config", "chmod 600 the file: whoever reads it can use up what the provider allows", "%s holds a provider's URL with its key and is open to others (mode %03o)", l->source.path, st.st_mode & 0777);
    if (c->backup_folder[0]) snprintf(backups, sizeof backups, "backups every %lld h to %.400s", (long long)c->backup_every_ms / 3600000, c->backup_folder);
    tell(l, "config", NULL, "%s%s: listens on %s port %d, plugins from %d folder%s, %s", l->source.path, c->dev ? " with --dev" : "", c->host, c->port, c->folder_count, c->folder_count == 1 ? "" : "s", backups);
}

static void look_at_bots(const struct looking *l)
{
    const struct bots *b = &l->c->bots;
    const char *env = getenv("FROND_BOT_TOKEN");
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 900);
    for (int i = 0; i < b->count; i++) fr_buf_addf(&text, "%s%s (%lld, %s)", i ? ", " : "", b->list[i].name, (long long)b->list[i].id, b->list[i].token[0] ? "by its token" : "by Telegram's signature");
    if (b->count == 0) tell(l, "bots", NULL, "none: under --dev launch data is signed by a token of this host's own");
    else tell(l, "bots", NULL, "%s; of Telegram's %s servers%s", text.data ? text.data : "", b->test_servers ? "test" : "production", b->own_key ? ", with another key than Telegram's" : "");
    if (env && env[0] && fr_json_get(l->source.json, "bot_token"))
        tell(l, "bots", "take one of the two away, so that it is clear which bot this is", "FROND_BOT_TOKEN in the environment takes the place of bot_token in %s", l->source.path);
}

// An address that only this machine or this network knows.
static bool url_is_private(const char *url)
{
    char host[TELEGRAM_URL_BYTES];
    struct in_addr v4;
    const char *at = strstr(url, "://") + 3;
    if (*at == '[') return strncmp(at, "[::1]", 5) == 0 || strncmp(at, "[f", 2) == 0 || strncmp(at, "[F", 2) == 0;
    snprintf(host, sizeof host, "%.*s", (int)strcspn(at, ":/?"), at);
    if (inet_pton(AF_INET, host, &v4) != 1) {
        const char *dot = strrchr(host, '.');
        return !dot || strcmp(dot, ".local") == 0 || strcmp(dot, ".internal") == 0 || strcmp(dot, ".localhost") == 0;
    }
    uint32_t n = ntohl(v4.s_addr);
    return n >> 24 == 127 || n >> 24 == 10 || n >> 24 == 0 || n >> 20 == 0xac1 || n >> 16 == 0xc0a8 || n >> 16 == 0xa9fe;
}

static bool certificates_read(const char *path)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, CA_FILE_BYTES_MAX);
    FILE *f = fopen(path, "re");
    char *room = f ? fr_buf_reserve(&text, CA_FILE_BYTES_MAX - 1) : NULL;
    size_t len = room ? fread(room, 1, CA_FILE_BYTES_MAX - 1, f) : 0;
    if (f) fclose(f);
    return len > 0 && memmem(room, len, "-----BEGIN CERTIFICATE-----", 27) != NULL;
}

static void look_at_telegram(const struct looking *l)
{
    struct telegram_settings t;
    struct fr_err err;
    if (telegram_settings_read(l->source.json, &t, &err) != FR_OK) return;       // told before
    if (!t.public_url[0]) tell(l, "telegram", NULL, "no public_url: `frond telegram connect` wants --url then");
    else if (url_is_private(t.public_url)) tell(l, "telegram", "name the address under which the world knows this host", "telegram.public_url: no phone outside reaches %s", t.public_url);
    else tell(l, "telegram", NULL, "players reach it at %s/app/, by the button \"%s\"", t.public_url, t.menu_text);
    if (t.ca_file[0] && !certificates_read(t.ca_file)) tell(l, "telegram", "name a file of PEM certificates that this user may read, or leave it out: `frond telegram connect` refuses it", "telegram.ca_file: %s is not there, or holds no certificate", t.ca_file);
}

// ---- the chain

static void look_at_signer_file(const struct looking *l, const char *what, const char *path, mode_t forbidden)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) tell(l, "signer", "put it there, or mend its name: names are relative to the file; until then nothing is signed", "signer.%s: %s is not there", what, path);
    else if (st.st_mode & forbidden)
        tell(l, "signer", forbidden & 0044 ? "chmod 600 it: frond-signer is not started with it" : "chmod go-w it: frond-signer is not started with it", "signer.%s: %s is open to others (mode %03o)", what, path, st.st_mode & 0777);
}

static void look_at_signer(const struct looking *l)
{
    const struct signer_settings *s = &l->c->treasury.signer;
    struct stat st;
    if (s->where == SIGNER_REMOTE) tell(l, "signer", NULL, "on another machine, by Web3Signer's JSON-RPC: what it may sign is for its own policy to say");
    if (s->where != SIGNER_LOCAL) return;
    look_at_signer_file(l, "policy", s->policy, 0022);
    if (stat(s->tally, &st) == 0) look_at_signer_file(l, "tally", s->tally, 0022);
    for (int i = 0; i < s->keystore_count; i++) look_at_signer_file(l, "keystores", s->keystores[i], 0077);
    if (s->passphrase[0]) look_at_signer_file(l, "passphrase", s->passphrase, 0077);
    else tell(l, "signer", "name a file under signer.passphrase, which only its owner may read, where nobody is there to type", "the passphrase is asked for at each start, and frond-signer is not started again by itself");
}

static void look_at_chain(const struct looking *l)
{
    const struct treasury_settings *t = &l->c->treasury;
    static const uint8_t none[32];
    char key[ADDRESS_TEXT_BYTES], vault[ADDRESS_TEXT_BYTES], fee[U256_TEXT_BYTES + 2], day[U256_TEXT_BYTES + 2], final[40] = "by the \"finalized\" tag";
    if (!t->configured) return;
    if (!t->final.tag) snprintf(final, sizeof final, "%d blocks behind the newest", t->final.blocks);
    tell(l, "chain", NULL, "%llu by %d node%s, final %s; key %s, vault %s, %d token%s; at most %s gwei and %s ether a day", (unsigned long long)t->chain_id, t->endpoint_count, t->endpoint_count == 1 ? "" : "s", final, address_text(&t->key, key),
         address_text(&t->vault, vault), t->contracts.token_count, t->contracts.token_count == 1 ? "" : "s", treasury_decimal_text(t->max_fee, 9, fee), treasury_decimal_text(t->day_most, 18, day));
    if (t->final.quorum < 2) tell(l, "chain", "name three nodes of different providers, and a quorum of 2", "chain.quorum: one node is believed: what it makes up is credited and taken for burned");
    if (memcmp(t->genesis, none, 32) == 0) tell(l, "chain", "pin chain.genesis: the hash of block 0", "chain.genesis: whatever chain of that id a node has first is taken for the right one");
    for (int i = 0; i < t->endpoint_count; i++)
        if (strncmp(t->endpoints[i].url, "http://", 7) == 0 && !url_is_private(t->endpoints[i].url)) tell(l, "chain", "use https://", "chain.endpoints: %s is reached without TLS: whoever is in between can answer in its place", t->endpoints[i].name);
    look_at_signer(l);
}

// ---- models

static void look_at_models(const struct looking *l)
{
    const struct llm_settings *s = &l->c->models;
    int pods = 0, models = 0;
    bool free_of_charge = true, limits = s->plugin.tokens_day || s->plugin.tokens_minute || s->player.tokens_day || s->player.tokens_minute;
    for (int i = 0; i < s->backend_count; i++) {
        const struct llm_backend_settings *b = &s->backends[i];
        pods += b->pod_count;
        models += b->model_count;
        for (int m = 0; m < b->model_count; m++) free_of_charge = free_of_charge && b->models[m].price.prompt_units == 0 && b->models[m].price.answer_units == 0;
        for (int p = 0; p < b->pod_count; p++)
            if (b->key[0] && strncmp(b->pods[p].url, "http://", 7) == 0 && !b->pods[p].unix_path[0] && !url_is_private(b->pods[p].url))
                tell(l, "models", "use https://", "models.backends: the key of %s goes to a server of the world without TLS: whoever is in between reads it, and every prompt", b->name);
    }
    if (!fr_json_get(l->source.json, "models")) return;                     // the model that comes with Frond, and nothing else
    tell(l, "models", NULL, "%d at %d pod%s%s; the default is %s%s%s", models, pods, pods == 1 ? "" : "s", s->engine ? ", the built-in one among them" : "", s->default_model[0] ? s->default_model : "none", free_of_charge ? "; free of charge" : "; paid in ",
         free_of_charge ? "" : s->asset);
    if (free_of_charge && !limits && models > (int)s->engine) tell(l, "models", "set models.limits for plugins and players, or prices", "models.limits: nothing bounds what a plugin may use of servers that you pay for");
}

void config_look(const struct serve_options *o, cli_told_fn *told, void *arg)
{
    FR_AUTO(fr_json) json = NULL;
    struct fr_err err;
    struct looking l = { .o = o, .c = fr_must_alloc(sizeof *l.c), .told = told, .arg = arg };
    if (config_begin(o, l.c, &err) != FR_OK || config_source_read(o->config, &json, &err) != FR_OK) {
        told(arg, "config", err.text, help_of(&err), &err);
    } else {
        l.source = (struct config_source){ o, json, o->config };
        if (look_at_parts(&l) && look_at_data_fit(&l)) {
            look_at_file(&l);
            look_at_bots(&l);
            look_at_telegram(&l);
            look_at_chain(&l);
            look_at_models(&l);
        }
    }
    fr_free(l.c);
}
