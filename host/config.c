// config.c — reading and refusing. Each refusal is one sentence that says what to do.
#include "config.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"

#define LISTEN_DEFAULT "127.0.0.1:8080"
#define DEV_TOKEN "dev-bot-token"
#define TEST_SERVERS_MARK "telegram-test"
#define DEV_BOT_ID 1                           // Telegram's own ids are longer: nobody takes this token for a real one
#define DEV_BOT_ID_MAX 9999
#define CPU_PERCENT_MAX 6400                   // 64 cores

// ---- small things

static bool path_join(char out[CONFIG_PATH_BYTES], const char *folder, const char *name)
{
    return (size_t)snprintf(out, CONFIG_PATH_BYTES, "%s%s%s", folder, folder[0] ? "/" : "", name) < CONFIG_PATH_BYTES;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool exists(const char *folder, const char *name)
{
    char path[CONFIG_PATH_BYTES];
    struct stat st;
    return path_join(path, folder, name) && stat(path, &st) == 0;
}

static enum fr_status file_read(const char *path, size_t max, struct fr_buf *out, struct fr_err *err)
{
    FR_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return FR_FAIL_CODE(err, FR_E_IO, "config", "cannot read %s: %s", path, strerror(errno));
    fr_buf_init(out, max);
    for (;;) {
        char bytes[4096];
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0) return FR_FAIL_CODE(err, FR_E_IO, "config", "cannot read %s: %s", path, strerror(errno));
        if (n == 0) break;
        fr_buf_add_bytes(out, bytes, (size_t)n);
    }
    if (out->failed) return FR_FAIL_CODE(err, FR_E_LIMIT, "config", "%s is over %zu bytes", path, max);
    return FR_OK;
}

// ---- where to listen

// said: where it was said, for the sentence.
static enum fr_status listen_read(const char *text, const char *said, struct config *c, struct fr_err *err)
{
    const char *colon = strrchr(text, ':');
    struct in_addr v4;
    struct in6_addr v6;
    char *end = NULL;
    long port = colon ? strtol(colon + 1, &end, 10) : -1;
    size_t len = colon ? (size_t)(colon - text) : 0;
    bool brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (!colon || !end || end == colon + 1 || *end || port < 0 || port > 65535 || len == 0 || len >= sizeof c->host)
        return FR_FAIL_CODE(err, FR_E_INVALID, "listen", "%s wants HOST:PORT, like " LISTEN_DEFAULT ", not \"%.100s\"", said, text);
    snprintf(c->host, sizeof c->host, "%.*s", (int)(brackets ? len - 2 : len), brackets ? text + 1 : text);
    c->port = (int)port;
    if (strcmp(c->host, "localhost") == 0) snprintf(c->host, sizeof c->host, "127.0.0.1");
    bool is_v4 = inet_pton(AF_INET, c->host, &v4) == 1, is_v6 = !is_v4 && inet_pton(AF_INET6, c->host, &v6) == 1;
    if (!is_v4 && !is_v6) return FR_FAIL_CODE(err, FR_E_INVALID, "listen", "%s wants a numeric address (or localhost), not \"%s\"", said, c->host);
    bool loopback = is_v4 ? ntohl(v4.s_addr) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&v6);
    if (c->dev && !loopback)
        return FR_FAIL_CODE(err, FR_E_DENIED, "dev_address", "--dev listens on this machine only (127.0.0.1, [::1]), not on %s: everybody who reaches it may be anybody", c->host);
    return FR_OK;
}

static enum fr_status part_listen(const struct config_source *s, struct config *c, struct fr_err *err)
{
    const char *value = "";
    if (s->json && fr_json_opt_text(s->json, "listen", 127, "", &value, err) != FR_OK) return fr_err_note(err, "%s", s->path);
    if (s->o->listen && s->o->listen[0]) return listen_read(s->o->listen, "--listen", c, err);
    if (!value[0]) return listen_read(LISTEN_DEFAULT, "--listen", c, err);
    return listen_read(value, "listen", c, err) == FR_OK ? FR_OK : fr_err_note(err, "%s", s->path);
}

// ---- plugins: what the file names, or games/ and plugins/ of the folder that the program was built in, or of the current one

static bool home_of_program(char out[CONFIG_PATH_BYTES])
{
    ssize_t len = readlink("/proc/self/exe", out, CONFIG_PATH_BYTES - 1);
    if (len <= 0) return false;
    out[len] = 0;
    for (int up = 0; up < 4; up++) {
        char *slash = strrchr(out, '/');
        if (!slash || slash == out) return false;
        *slash = 0;
        if (exists(out, "games") && exists(out, "host")) return true;
    }
    return false;
}

static enum fr_status part_folders_usual(const struct config_source *s, struct config *c, struct fr_err *err)
{
    if (s->json && fr_json_get(s->json, "plugins")) return FR_OK;
    static const char *const names[] = { "games", "plugins" };
    char home[CONFIG_PATH_BYTES];
    if (!home_of_program(home)) snprintf(home, sizeof home, ".");
    for (size_t i = 0; i < 2; i++)
        if (path_join(c->folders[c->folder_count], home, names[i]) && is_folder(c->folders[c->folder_count])) c->folder_count++;
    if (c->folder_count == 0)
        return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugins_missing", "no folder games/ was found beside the program or here: name folders under \"plugins\" in the config file");
    if (c->dev && (!path_join(c->hostile, home, "host/gateway/dev-hostile") || !is_folder(c->hostile))) c->hostile[0] = 0;
    return FR_OK;
}

static enum fr_status part_folders(const struct config_source *s, struct config *c, struct fr_err *err)
{
    const char *file = s->path, *slash = strrchr(file, '/');
    const struct fr_json *list;
    int at = 0;
    if (!fr_json_get(s->json, "plugins")) return FR_OK;
    FR_TRY(fr_json_need_array(s->json, "plugins", 1, CONFIG_FOLDERS_MAX, &list, err));
    for (const struct fr_json *v = fr_json_child(list); v; v = fr_json_next(v), at++) {
        const char *name = fr_json_text(v);
        char *out = c->folders[c->folder_count];
        if (!name || !name[0]) return FR_FAIL_CODE(err, FR_E_INVALID, "config", "plugins[%d]: expected a folder's name, got %s", at, fr_json_kind_name(fr_json_kind(v)));
        int n = name[0] == '/' || !slash ? snprintf(out, CONFIG_PATH_BYTES, "%s", name) : snprintf(out, CONFIG_PATH_BYTES, "%.*s/%s", (int)(slash - file), file, name);
        if (n >= CONFIG_PATH_BYTES || !is_folder(out)) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "plugins_missing", "plugins[%d]: there is no folder %.300s", at, out);
        c->folder_count++;
    }
    return FR_OK;
}

// ---- the file

// "limits": {"cpu_percent":20, "plugin_cpu_percent":{"duel":50}, "player_requests_per_second":30, "address_requests_per_second":200,
//            "connections_per_address":256}: a rate of 0 is no limit. "trusted_proxies": ["127.0.0.1"].
static enum fr_status rate_read(const struct fr_json *json, const char *key, int most, int *ret, struct fr_err *err)
{
    int64_t value;
    FR_TRY(fr_json_opt_int(json, key, 0, most, -1, &value, err));
    *ret = value < 0 ? 0 : value == 0 ? -1 : (int)value;
    return FR_OK;
}

static enum fr_status part_limits(const struct config_source *s, struct config *c, struct fr_err *err)
{
    static const char *const keys[] = { "cpu_percent", "plugin_cpu_percent", "player_requests_per_second", "player_requests_burst", "address_requests_per_second",
                                        "address_requests_burst", "connections_per_address", NULL };
    const struct fr_json *json = s->json, *limits;
    int64_t percent;
    if (!fr_json_get(json, "limits")) return FR_OK;
    FR_TRY(fr_json_need_object(json, "limits", &limits, err));
    const struct fr_json *of = fr_json_get(limits, "plugin_cpu_percent");
    FR_TRY(fr_json_only_keys(limits, keys, "limits", err));
    FR_TRY(fr_json_opt_int(json, "limits.cpu_percent", 1, CPU_PERCENT_MAX, 0, &percent, err));
    c->cpu_percent = (int)percent;
    FR_TRY(rate_read(json, "limits.player_requests_per_second", 1000000, &c->rates.player_per_second, err));
    FR_TRY(rate_read(json, "limits.player_requests_burst", 1000000, &c->rates.player_burst, err));
    FR_TRY(rate_read(json, "limits.address_requests_per_second", 1000000, &c->rates.address_per_second, err));
    FR_TRY(rate_read(json, "limits.address_requests_burst", 1000000, &c->rates.address_burst, err));
    FR_TRY(rate_read(json, "limits.connections_per_address", HTTP_CONNECTIONS_MAX, &c->rates.connections_per_address, err));
    if (c->rates.connections_per_address < 0) c->rates.connections_per_address = HTTP_CONNECTIONS_MAX;
    if (of && fr_json_kind(of) != JSON_OBJECT) return FR_FAIL(err, FR_E_INVALID, "limits.plugin_cpu_percent: expected an object of plugin ids, got %s", fr_json_kind_name(fr_json_kind(of)));
    for (const struct fr_json *v = fr_json_child(of); v; v = fr_json_next(v)) {
        const char *id = fr_json_key(v);
        double value = fr_json_kind(v) == JSON_NUMBER ? fr_json_number(v) : 0;
        if (!manifest_id_valid(id)) return FR_FAIL(err, FR_E_INVALID, "limits.plugin_cpu_percent: \"%.40s\" is no plugin's id", id);
        if (!(value >= 1 && value <= CPU_PERCENT_MAX) || value != (int)value) return FR_FAIL(err, FR_E_INVALID, "limits.plugin_cpu_percent.%s: expected an integer from 1 to %d", id, CPU_PERCENT_MAX);
        if (c->cpu_count == CONFIG_CPU_MAX) return FR_FAIL(err, FR_E_LIMIT, "limits.plugin_cpu_percent: over %d plugins", CONFIG_CPU_MAX);
        snprintf(c->cpu_of[c->cpu_count].plugin, sizeof c->cpu_of[0].plugin, "%s", id);
        c->cpu_of[c->cpu_count++].percent = (int)value;
    }
    return FR_OK;
}

static enum fr_status part_proxies(const struct config_source *s, struct config *c, struct fr_err *err)
{
    const struct fr_json *list;
    int at = 0;
    if (!fr_json_get(s->json, "trusted_proxies")) return FR_OK;
    FR_TRY(fr_json_need_array(s->json, "trusted_proxies", 1, NET_PROXIES_MAX, &list, err));
    for (const struct fr_json *v = fr_json_child(list); v; v = fr_json_next(v), at++) {
        const char *text = fr_json_text(v);
        if (!text || !net_address_read(text, strlen(text), false, &c->rates.proxies.at[at]))
            return FR_FAIL(err, FR_E_INVALID, "trusted_proxies[%d]: expected an address without a port, like \"127.0.0.1\"", at);
        c->rates.proxies.count = at + 1;
    }
    return FR_OK;
}

static enum fr_status part_keys(const struct config_source *s, struct config *c, struct fr_err *err)
{
    static const char *const keys[] = { "api_keys", "backup", "bot_token", "bots", "chain", "dev_chain", "initdata_max_age_s", "drain_s", "limits", "listen", "match_log_days", "models", "plugins", "signer", "telegram", "trusted_proxies", NULL };
    (void)c;
    return fr_json_only_keys(s->json, keys, "", err);
}

// `frond telegram` uses them; a slip in them is told at once.
static enum fr_status part_telegram(const struct config_source *s, struct config *c, struct fr_err *err)
{
    struct telegram_settings telegram;
    FR_TRY(telegram_settings_read(s->json, &telegram, err));
    snprintf(c->public_url, sizeof c->public_url, "%s", telegram.public_url);
    return FR_OK;
}

// Telegram lets Mini Apps deal in tokens on TON alone. `open` is for development, with bots that no customer can reach: under --dev, and on Telegram's test servers. No key of this
// file makes it lawful elsewhere, so none is taken for it.
static enum fr_status part_policy(const struct config_source *s, struct config *c, struct fr_err *err)
{
    const char *policy = "";
    if (s->json && fr_json_get(s->json, "telegram")) FR_TRY(fr_json_opt_text(s->json, "telegram.policy", 6, "", &policy, err));
    if (policy[0] && strcmp(policy, "strict") != 0 && strcmp(policy, "open") != 0) return FR_FAIL(err, FR_E_INVALID, "telegram.policy: expected \"strict\" or \"open\", got \"%.20s\"", policy);
    c->wallet_open = policy[0] ? strcmp(policy, "open") == 0 : c->dev;
    if (c->wallet_open && !c->dev && !c->bots.test_servers)
        return FR_FAIL_CODE(err, FR_E_DENIED, "policy_open", "telegram.policy \"open\" shows EVM wallets inside Telegram, which its rules for Mini Apps forbid: it is for --dev and for Telegram's test servers; leave it \"strict\"");
    return FR_OK;
}

static enum fr_status part_times(const struct config_source *s, struct config *c, struct fr_err *err)
{
    int64_t drain_s;
    FR_TRY(fr_json_opt_int(s->json, "initdata_max_age_s", 1, 365LL * 86400, INITDATA_AGE_S_DEFAULT, &c->initdata_max_age_s, err));
    FR_TRY(fr_json_opt_int(s->json, "match_log_days", 1, 36500, MATCH_LOG_KEEP_MS / 86400000, &c->match_log_days, err));
    FR_TRY(fr_json_opt_int(s->json, "drain_s", 1, 30LL * 86400, VERSION_DRAIN_MS / 1000, &drain_s, err));
    c->drain_ms = drain_s * 1000;
    return FR_OK;
}

static enum fr_status part_backup(const struct config_source *s, struct config *c, struct fr_err *err)
{
    return fr_json_get(s->json, "backup") ? config_backup(s->json, s->path, c, err) : FR_OK;
}

static enum fr_status part_chain(const struct config_source *s, struct config *c, struct fr_err *err)
{
    return treasury_settings_read(s->json, s->path, c->dev, &c->treasury, err);
}

// Key files stand beside the file.
static enum fr_status part_models(const struct config_source *s, struct config *c, struct fr_err *err)
{
    char folder[CONFIG_PATH_BYTES] = ".";
    const char *slash = s->path ? strrchr(s->path, '/') : NULL;
    if (slash) snprintf(folder, sizeof folder, "%.*s", (int)(slash == s->path ? 1 : slash - s->path), s->path);
    return llm_settings_read(s->json ? fr_json_get(s->json, "models") : NULL, folder, &c->models, err);
}

static enum fr_status part_bots(const struct config_source *s, struct config *c, struct fr_err *err)
{
    return bots_read(s->json, &c->bots, err);
}

static enum fr_status part_bot_rules(const struct config_source *s, struct config *c, struct fr_err *err)
{
    (void)s;
    if (c->bots.own_key && !c->dev)
        return FR_FAIL_CODE(err, FR_E_DENIED, "dev_only", "telegram.public_key is for --dev: with another key than Telegram's, whoever holds it may sign in as anybody");
    for (int i = 0; i < c->bots.count && c->dev; i++)
        if (c->bots.list[i].id > DEV_BOT_ID_MAX)
            return FR_FAIL_CODE(err, FR_E_DENIED, "dev_bot_token", "--dev lets anybody sign in as anybody, so it refuses a real bot (\"%s\"): unset FROND_BOT_TOKEN, \"bot_token\" and \"bots\"", c->bots.list[i].name);
    if (c->bots.count == 0 && !c->dev)
        return FR_FAIL_CODE(err, FR_E_INVALID, "bot_token_missing", "there is no bot token: set FROND_BOT_TOKEN or \"bot_token\" in the config file, or use --dev to try it without Telegram");
    return FR_OK;
}

// ---- all of it

const struct config_part config_parts[] = {
    { "keys", CONFIG_OF_FILE, part_keys }, { "telegram", CONFIG_OF_FILE, part_telegram }, { "times", CONFIG_OF_FILE, part_times }, { "limits", CONFIG_OF_FILE, part_limits },
    { "trusted_proxies", CONFIG_OF_FILE, part_proxies }, { "plugins", CONFIG_OF_FILE, part_folders }, { "backup", CONFIG_OF_FILE, part_backup }, { "chain", CONFIG_OF_FILE, part_chain },
    { "models", CONFIG_OF_FILE_AND_ENVIRONMENT, part_models }, { "api_keys", CONFIG_OF_FILE_AND_ENVIRONMENT, config_api_keys },
    { "bots", CONFIG_OF_FILE_AND_ENVIRONMENT, part_bots }, { "bots", CONFIG_OF_ALL, part_bot_rules }, { "policy", CONFIG_OF_ALL, part_policy }, { "listen", CONFIG_OF_ALL, part_listen },
    { "plugins", CONFIG_OF_ALL, part_folders_usual },
};
const int config_part_count = sizeof config_parts / sizeof config_parts[0];

enum fr_status config_source_read(const char *path, struct fr_json **ret, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    FR_AUTO(fr_json) json = NULL;
    fr_buf_init(&text, CONFIG_FILE_BYTES_MAX);
    FR_TRY(file_read(path, CONFIG_FILE_BYTES_MAX, &text, err));
    enum fr_status st = fr_json_parse(text.data ? text.data : "", text.len, &json, err);
    if (st == FR_OK && fr_json_kind(json) != JSON_OBJECT) st = FR_FAIL(err, FR_E_INVALID, "expected an object");
    if (st == FR_OK) *ret = FR_TAKE(json);
    else snprintf(err->code, sizeof err->code, "config");
    return st == FR_OK ? FR_OK : fr_err_note(err, "%s", path);
}

enum fr_status config_part_read(const struct config_part *part, const struct config_source *s, struct config *c, struct fr_err *err)
{
    if (!s->json && part->of == CONFIG_OF_FILE) return FR_OK;
    enum fr_status st = part->read(s, c, err);
    if (st == FR_OK) return FR_OK;
    if (strcmp(err->code, fr_status_code(st)) == 0) snprintf(err->code, sizeof err->code, "config");      // a wrong type, a missing key
    return s->json && part->of != CONFIG_OF_ALL ? fr_err_note(err, "%s", s->path) : st;
}

enum fr_status config_begin(const struct serve_options *o, struct config *c, struct fr_err *err)
{
    *c = (struct config){ .dev = o->dev, .no_chain = o->no_chain, .no_models = o->no_models, .initdata_max_age_s = INITDATA_AGE_S_DEFAULT, .drain_ms = VERSION_DRAIN_MS, .match_log_days = MATCH_LOG_KEEP_MS / 86400000 };
    if (!o->data || !o->data[0]) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "serve needs --data DIR, the folder that keeps everything");
    if (strlen(o->data) > CONFIG_PATH_BYTES - 64) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--data: the folder's name is too long: %d bytes at most", CONFIG_PATH_BYTES - 64);
    snprintf(c->data, sizeof c->data, "%s", o->data);
    return FR_OK;
}

enum fr_status config_read(const struct serve_options *o, struct config *ret, struct fr_err *err)
{
    FR_AUTO(fr_json) json = NULL;
    struct config *c = fr_must_alloc(sizeof *c);
    enum fr_status st = config_begin(o, c, err);
    if (st == FR_OK && o->config) st = config_source_read(o->config, &json, err);
    struct config_source s = { o, json, o->config };
    for (int i = 0; i < config_part_count && st == FR_OK; i++) st = config_part_read(&config_parts[i], &s, c, err);
    if (st == FR_OK) *ret = *c;
    fr_free(c);
    return st;
}

// ---- the data folder

// Under its name there is all of it or nothing: half a token, left by a full disk or a kill, would refuse every start from then on.
static enum fr_status dev_write(const char *folder, const char *name, const char *text, struct fr_err *err)
{
    char path[CONFIG_PATH_BYTES], part[CONFIG_PATH_BYTES + 8];
    if (!path_join(path, folder, name)) return FR_FAIL(err, FR_E_INVALID, "the data folder's name is too long");
    snprintf(part, sizeof part, "%s.part", path);
    FR_AUTO_FD int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fsync(fd) == 0 && rename(part, path) == 0) return FR_OK;
    int why = errno;
    unlink(part);
    return FR_FAIL_CODE(err, FR_E_IO, why == ENOSPC || why == EDQUOT ? "disk_full" : fr_status_code(FR_E_IO), "cannot write %s: %s", path, strerror(why));
}

static enum fr_status dev_token(struct config *c, struct fr_err *err)
{
    char path[CONFIG_PATH_BYTES], token[BOT_TOKEN_BYTES], secret[FR_BASE64URL_BYTES(26)];
    uint8_t bytes[26];
    FR_AUTO_BUF(text);
    fr_buf_init(&text, sizeof token - 1);
    if (!exists(c->data, DEV_TOKEN)) {
        fr_random_bytes(bytes, sizeof bytes);
        snprintf(token, sizeof token, "%d:%s", DEV_BOT_ID, fr_base64url(bytes, sizeof bytes, secret));
        FR_TRY(dev_write(c->data, DEV_TOKEN, token, err));
    } else {
        path_join(path, c->data, DEV_TOKEN);
        FR_TRY(file_read(path, sizeof token - 1, &text, err));
        snprintf(token, sizeof token, "%.*s", (int)strcspn(text.data ? text.data : "", "\r\n"), text.data ? text.data : "");
    }
    return bots_add(&c->bots, "dev", token, 0, err);
}

// Somebody's number on the test servers is somebody else's in production.
enum fr_status config_data_fits(const struct config *c, struct fr_err *err)
{
    bool marked = exists(c->data, HOST_DEV_MARK), used = exists(c->data, "frond.db"), tests = exists(c->data, TEST_SERVERS_MARK);
    if (!c->dev && marked) return FR_FAIL_CODE(err, FR_E_DENIED, "dev_data", "%s was made with --dev, where anybody may be anybody: serve it with --dev, or name another folder", c->data);
    if (c->dev && used && !marked) return FR_FAIL_CODE(err, FR_E_DENIED, "production_data", "%s was not made with --dev, so its players are real: --dev refuses it", c->data);
    if (used && tests != c->bots.test_servers)
        return FR_FAIL_CODE(err, FR_E_DENIED, "telegram_environment", "the people of %s come from Telegram's %s servers, and this configuration says %s: their numbers would be mixed up; name another folder", c->data,
                            tests ? "test" : "production", c->bots.test_servers ? "test" : "production");
    return FR_OK;
}

enum fr_status config_claim_data(struct config *c, struct fr_err *err)
{
    FR_TRY(config_data_fits(c, err));
    if (!c->dev && !c->bots.test_servers) return FR_OK;     // the store makes the folder
    if (mkdir(c->data, 0700) != 0 && errno == ENOENT) return FR_FAIL(err, FR_E_IO, "cannot make the data folder %s: the folder above it is missing", c->data);
    if (!is_folder(c->data)) return FR_OK;                 // the store says it better
    if (c->bots.test_servers && !exists(c->data, TEST_SERVERS_MARK)) FR_TRY(dev_write(c->data, TEST_SERVERS_MARK, "its people come from Telegram's test servers\n", err));
    if (!c->dev) return FR_OK;
    if (!exists(c->data, HOST_DEV_MARK)) FR_TRY(dev_write(c->data, HOST_DEV_MARK, "made with --dev: test coins, and anybody may sign in as anybody\n", err));
    return bots_with_token(&c->bots) ? FR_OK : dev_token(c, err);
}
