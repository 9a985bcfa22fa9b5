// config.h — what `frond serve` was told: the command line first, then FROND_BOT_TOKEN, then a JSON file, then what is usual.
//
// {"bot_token":"1234567:AA..","initdata_max_age_s":86400,"listen":"127.0.0.1:8080","drain_s":86400,"match_log_days":90,"plugins":["games","plugins"]}
// "backup":{"folder":"/var/backups/frond","every_hours":24,"keep":14}
// "chain", "signer", "dev_chain": treasury/settings.h. "models": llm/settings.h.
// Several bots, and bots without a secret: player/bots.h. "telegram": telegram/settings.h.
// Unknown keys are refused with the nearest known one. Folders are relative to the file. Pure but for reading the files.
#pragma once
#include <stdbool.h>
#include "base/err.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "gateway/gateway.h"
#include "llm/settings.h"
#include "player/apikey.h"
#include "player/bots.h"
#include "plugin/use.h"
#include "telegram/settings.h"
#include "treasury/settings.h"

#define CONFIG_FOLDERS_MAX 16
#define CONFIG_CPU_MAX 64
#define CONFIG_PATH_BYTES 1024
#define CONFIG_FILE_BYTES_MAX (64 * 1024)
struct config {
    bool dev;
    char data[CONFIG_PATH_BYTES];
    char host[64]; int port;                   // host is numeric; port 0 picks one
    struct bots bots;                          // under --dev one with a token is made with the data folder
    int64_t initdata_max_age_s, drain_ms, match_log_days;
    struct gateway_rates rates;
    int cpu_percent;                           // a plugin's budget; 0: PLUGIN_CPU_PERCENT_DEFAULT
    struct plugin_budget cpu_of[CONFIG_CPU_MAX]; int cpu_count;
    char folders[CONFIG_FOLDERS_MAX][CONFIG_PATH_BYTES]; int folder_count;
    char backup_folder[CONFIG_PATH_BYTES];     // "": only when asked for
    int64_t backup_every_ms; int backup_keep;
    struct treasury_settings treasury; bool no_chain;
    struct llm_settings models; bool no_models;
    struct api_key_rules api_keys;             // who may have a key for them: {"api_keys":{"asset":"PALM","least":"1000000000","most":8}}
    bool wallet_open;                          // telegram.policy is "open"
    char public_url[TELEGRAM_URL_BYTES];       // telegram.public_url; "": not told
    char hostile[CONFIG_PATH_BYTES];           // --dev: the package of `Run hostile plugin`; "" when it is not there
};
// Stops at the first mistake. Codes: usage, config, listen, bots, bot_name, bot_token, bot_token_missing, dev_address, dev_bot_token, dev_only, plugins_missing, policy_open.
FR_MUST_USE enum fr_status config_read(const struct serve_options *o, struct config *ret, struct fr_err *err);
// Before the store opens. Makes the data folder, and under --dev its mark and its bot token (0600); refuses data of the other kind.
// The servers of Telegram that its people come from are marked too. Codes: dev_data, production_data, telegram_environment.
FR_MUST_USE enum fr_status config_claim_data(struct config *c, struct fr_err *err);
// The refusals of config_claim_data; changes nothing.
FR_MUST_USE enum fr_status config_data_fits(const struct config *c, struct fr_err *err);
// For `frond doctor`: the same file through the same code, but told about each part and not only to the first mistake; and what no host
// refuses but an operator would want to know: a secret that others may read, an address that no phone reaches.
void config_look(const struct serve_options *o, cli_told_fn *told, void *arg);

// ---- its parts, in the order they are read
struct fr_json;
struct config_source { const struct serve_options *o; const struct fr_json *json; const char *path; };      // json NULL: there is no file
enum config_of { CONFIG_OF_FILE, CONFIG_OF_FILE_AND_ENVIRONMENT, CONFIG_OF_ALL };                            // which are read without a file; whose mistakes are the file's
struct config_part { const char *name; enum config_of of; enum fr_status (*read)(const struct config_source *s, struct config *c, struct fr_err *err); };
extern const struct config_part config_parts[];
extern const int config_part_count;
FR_MUST_USE enum fr_status config_begin(const struct serve_options *o, struct config *c, struct fr_err *err);
FR_MUST_USE enum fr_status config_source_read(const char *path, struct fr_json **ret, struct fr_err *err);
FR_MUST_USE enum fr_status config_part_read(const struct config_part *part, const struct config_source *s, struct config *c, struct fr_err *err);
FR_MUST_USE enum fr_status config_backup(const struct fr_json *json, const char *file, struct config *c, struct fr_err *err);      // of the file: json.backup
FR_MUST_USE enum fr_status config_api_keys(const struct config_source *s, struct config *c, struct fr_err *err);       // json.api_keys, or what is usual
