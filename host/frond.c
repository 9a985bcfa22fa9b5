// frond.c — the host: makes every part, joins them through their ports, and takes them apart again.
//
// Order of making: configuration, migrations, the sandbox's proof, store, sandbox, treasury, models, plugins, api, matches, gateway, console. The end is the
// other way round: nobody new comes in, what is in flight is answered, workers go, the store commits and closes.
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include "api/api.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/version.h"
#include "cli/cli.h"
#include "config.h"
#include "console/backup.h"
#include "console/console.h"
#include "console/metrics.h"
#include "gateway/gateway.h"
#include "ledger/ledger.h"
#include "models.h"
#include "play/play.h"
#include "player/identity.h"
#include "player/session.h"
#include "plugin/runtime.h"
#include "sandbox/sandbox.h"
#include "store/store.h"
#include "treasury/burn.h"
#include "treasury/treasury.h"

#define SWEEP_MS 5000
#define SWEEP_ROWS 200
#define STOP_GRACE_MS 3000
#define FILES_OURS (WORKERS_MAX + 344)                  // descriptors that are not connections: workers, spares, the store, files being read
#define DEV_COINS_UNITS (1000LL * 1000000000)          // 1,000 PALM for each new player under --dev

struct host {
    uv_loop_t loop;
    struct serve_options serve;
    struct config config;
    char worker_path[CONFIG_PATH_BYTES], programs[CONFIG_PATH_BYTES];
    struct store *store;
    struct sandbox *sandbox;
    struct treasury *treasury;
    struct models *models;
    struct plugins *plugins;
    struct api *api;
    struct plays *plays;
    struct gateway *gateway;
    struct backups *backups;
    struct console *console;
    struct metrics *metrics;
    char operator_token[OPERATOR_TOKEN_BYTES];
    uv_signal_t term, interrupt, hangup;
    uv_timer_t sweep; bool sweeping, handles_open;
    struct api_swept swept;                            // by the sweep that runs; its players are told when it is durable
    bool stopping, damage_told;
    int connections_max;                               // 0: as many as the program is made for
};

// ---- ports: what a lower part asks of a higher one

static void on_event(void *arg, const char *player, const char *game, const char *json, size_t len)
{
    struct host *h = arg;
    if (h->gateway) gateway_event(h->gateway, player, game, json, len);
}

static void on_wallet(void *arg, const char *player, const char *asset)
{
    struct host *h = arg;
    if (h->gateway) gateway_wallet(h->gateway, player, asset);
}

static void on_match_ask(void *arg, struct plugin_version *version, const char *fn, const char *args_json, int timeout_ms,
                         void (*done)(void *done_arg, bool ok, const char *json_or_code), void *done_arg)
{
    struct host *h = arg;
    api_ask(h->api, version, fn, args_json, timeout_ms, done, done_arg);
}

static void on_plugin_ask(void *arg, struct plugin_worker *w, const struct sandbox_ask *ask)
{
    struct host *h = arg;
    api_on_ask(h->api, w, ask);
}

static void on_plugin_up(void *arg, struct plugin_worker *w)
{
    struct host *h = arg;
    if (h->plays) plays_worker_up(h->plays, w);
}

static void on_plugin_down(void *arg, struct plugin_worker *w, const struct sandbox_death *death)
{
    struct host *h = arg;
    (void)death;
    if (h->plays) plays_worker_down(h->plays, w);
}

static void on_door(void *arg, struct metrics_door *ret)
{
    struct host *h = arg;
    struct gateway_stats s = { 0 };
    if (h->gateway) s = gateway_stats(h->gateway);
    ret->net = s.net;
    ret->players = s.players;
    ret->sessions = s.sessions;
    for (int i = 0; i < s.refusal_count && i < METRICS_REFUSALS_MAX; i++, ret->refusals.count++) {
        snprintf(ret->refusals.by[i].code, sizeof ret->refusals.by[i].code, "%s", s.refusals[i].code);
        ret->refusals.by[i].count = s.refusals[i].count;
    }
}

static void on_models_metrics(void *arg, struct fr_buf *out) { models_metrics(((struct host *)arg)->models, out); }

// "models" of the config file, as it is now. A mistake in it changes nothing.
static enum fr_status reload_models(void *arg, struct fr_err *err)
{
    struct host *h = arg;
    FR_AUTO(fr_json) json = NULL;
    struct config *c = fr_must_alloc(sizeof *c);
    enum fr_status st = h->serve.config ? config_source_read(h->serve.config, &json, err) : FR_OK;
    struct config_source s = { &h->serve, json, h->serve.config };
    for (int i = 0; i < config_part_count && st == FR_OK; i++)
        if (strcmp(config_parts[i].name, "models") == 0) st = config_part_read(&config_parts[i], &s, c, err);
    if (st == FR_OK) st = models_configure(h->models, &c->models, err);
    if (st == FR_OK) fr_log(LOG_INFO, "models.reloaded", NULL);
    fr_wipe(c, sizeof *c);
    fr_free(c);
    return st;
}

static void on_metrics(void *arg, void (*done)(void *done_arg, const char *text, size_t len), void *done_arg)
{
    struct host *h = arg;
    metrics_print(h->metrics, done, done_arg);
}

// The development faucet. The key makes it once per player, whatever happens.
static enum fr_status give_test_coins(void *arg, struct store_txn *txn, const char *player, int64_t now_ms, struct fr_err *err)
{
    struct ledger_account from, to;
    char key[64];
    int64_t id;
    (void)arg;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "PALM", &from, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, player, "PALM", &to, err));
    snprintf(key, sizeof key, "dev:coins:%s", player);
    struct ledger_leg legs[] = { { from.id, -DEV_COINS_UNITS }, { to.id, DEV_COINS_UNITS } };
    struct ledger_transfer t = { .key = key, .reason = "test_coins", .note = "", .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, now_ms, &id, err);
}

static void on_sessions_ended(void *arg, const char *player, const struct session_ended *ended)
{
    struct host *h = arg;
    if (h->gateway) gateway_sessions_ended(h->gateway, player, ended);
}

static void kill_host(void *arg)
{
    (void)arg;
    kill(getpid(), SIGKILL);                           // as a power cut would: no clean-up, that is the point of the button
}

// ---- what comes to an end by time

static enum fr_status sweep_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct host *h = arg;
    int64_t now_ms = fr_now_ms();
    int swept;
    bool more = true;
    FR_TRY(api_holds_sweep(txn, now_ms, &h->swept, err));
    FR_TRY(burn_collect(txn, &more, err));             // without a chain nobody else does, and pending burns are shown all the same
    FR_TRY(session_sweep(txn, now_ms, SWEEP_ROWS, &swept, err));
    return gateway_sweep(txn, now_ms, SWEEP_ROWS, err);
}

static void sweep_done(void *arg, enum fr_status status, const struct fr_err *err);
static void sweep_start(struct host *h)
{
    struct fr_err err;
    if (store_stats(h->store).damaged && !h->damage_told) {
        h->damage_told = true;
        fr_log(LOG_ERROR, "store.damaged", "text", "SQLite found bytes that it did not write: nothing is written any more. Stop the host; `frond doctor` says more, `frond restore` puts back a backup", NULL);
    }
    if (h->sweeping || h->damage_told) return;
    h->sweeping = store_run(h->store, sweep_job, h, sweep_done, &err) == FR_OK;
}

static void sweep_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct host *h = arg;
    h->sweeping = false;
    if (status != FR_OK) { fr_log_err(LOG_ERROR, "sweep.failed", err, NULL); return; }
    for (int i = 0; i < h->swept.count; i++) if (h->swept.of[i].player[0]) on_wallet(h, h->swept.of[i].player, h->swept.of[i].asset);
    if (h->swept.count == API_SWEPT_MAX && !h->stopping) sweep_start(h);      // what a day of standing still left ends at once, not 200 at a time
}

static void on_sweep(uv_timer_t *timer) { sweep_start(timer->data); }

// ---- stopping

static void on_sandbox_stopped(void *arg)
{
    struct host *h = arg;
    h->sandbox = NULL;
    uv_stop(&h->loop);
}

static void close_handles(struct host *h)
{
    if (!h->handles_open) return;
    h->handles_open = false;
    uv_close((uv_handle_t *)&h->term, NULL);
    uv_close((uv_handle_t *)&h->interrupt, NULL);
    uv_close((uv_handle_t *)&h->hangup, NULL);
    uv_close((uv_handle_t *)&h->sweep, NULL);
}

static void stop_sandbox(void *arg)
{
    struct host *h = arg;
    if (h->sandbox) sandbox_stop(h->sandbox, on_sandbox_stopped, h);
    else uv_stop(&h->loop);
}

static void stop_treasury(void *arg)
{
    struct host *h = arg;
    treasury_stop(h->treasury, stop_sandbox, h);
}

// From here on nothing comes in from outside.
static void take_apart(void *arg)
{
    struct host *h = arg;
    h->gateway = NULL;
    console_stop(h->console);
    metrics_stop(h->metrics);
    plays_close(h->plays);
    h->plays = NULL;
    plugins_stop(h->plugins);                          // not freed yet: store jobs still read them
    close_handles(h);
    models_stop(h->models, stop_treasury, h);
}

static void on_signal(uv_signal_t *handle, int sig)
{
    struct host *h = handle->data;
    if (sig == SIGHUP) {                               // also a closed terminal, which is no reason to end matches
        struct fr_err err;
        if (!h->stopping && h->serve.config && reload_models(h, &err) != FR_OK) fr_log_err(LOG_ERROR, "models.refused", &err, NULL);
        return;
    }
    if (h->stopping) _exit(1);
    h->stopping = true;
    fr_log(LOG_INFO, "host.stopping", "signal", sig == SIGTERM ? "SIGTERM" : "SIGINT", NULL);
    gateway_stop(h->gateway, STOP_GRACE_MS, take_apart, h);
}

static void open_handles(struct host *h)
{
    struct { uv_signal_t *handle; int sig; } signals[] = { { &h->term, SIGTERM }, { &h->interrupt, SIGINT }, { &h->hangup, SIGHUP } };
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        uv_signal_init(&h->loop, signals[i].handle);
        signals[i].handle->data = h;
        uv_signal_start(signals[i].handle, on_signal, signals[i].sig);
    }
    uv_timer_init(&h->loop, &h->sweep);
    h->sweep.data = h;
    uv_timer_start(&h->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    h->handles_open = true;
}

// ---- making

static enum fr_status open_plugins(struct host *h, struct fr_err *err)
{
    const char *folders[CONFIG_FOLDERS_MAX];
    for (int i = 0; i < h->config.folder_count; i++) folders[i] = h->config.folders[i];
    struct plugins_options o = { .loop = &h->loop, .store = h->store, .sandbox = h->sandbox, .folders = folders, .folder_count = h->config.folder_count, .trust_new = true, .watch = h->config.dev, .drain_ms = h->config.drain_ms,
                                 .cpu_percent = h->config.cpu_percent, .budgets = h->config.cpu_of, .budget_count = h->config.cpu_count,
                                 .arg = h, .on_ask = on_plugin_ask, .on_up = on_plugin_up, .on_down = on_plugin_down };
    return plugins_open(&o, &h->plugins, err);
}

// The passphrase of a signer's keys, where it is in no file: asked for before anything serves, and forgotten here.
static enum fr_status open_treasury(struct host *h, struct fr_err *err)
{
    const struct config *c = &h->config;
    FR_AUTO(fr_secret) typed = NULL;
    struct treasury_options o = { .loop = &h->loop, .store = h->store, .data = c->data, .programs = h->programs, .settings = &c->treasury, .dev = c->dev, .none = c->no_chain, .arg = h, .wallet = on_wallet };
    if (!o.none && c->treasury.signer.where == SIGNER_LOCAL && !c->treasury.signer.passphrase[0]) {
        FR_TRY(cli_ask_passphrase("passphrase of the signer's keys: ", &typed, &o.typed_len, err));
        o.typed = fr_secret_bytes(typed);
    }
    return treasury_open(&o, &h->treasury, err);
}

static struct plugins *on_plugins(void *arg) { return ((struct host *)arg)->plugins; }

static enum fr_status open_models(struct host *h, struct fr_err *err)
{
    struct models_options o = { .loop = &h->loop, .store = h->store, .settings = &h->config.models, .arg = h, .plugins = on_plugins, .wallet = on_wallet };
    return models_open(&o, &h->models, err);
}

static enum fr_status open_parts(struct host *h, struct fr_err *err)
{
    struct store_options store = { .folder = h->config.data, .loop = &h->loop, .check = ledger_look };
    FR_TRY(store_open(&store, &h->store, err));
    FR_TRY(sandbox_new(&h->loop, h->worker_path, WORKER_SPARES, &h->sandbox, err));
    FR_TRY(open_treasury(h, err));
    FR_TRY(open_models(h, err));
    FR_TRY(open_plugins(h, err));
    struct api_options api = { .loop = &h->loop, .store = h->store, .plugins = h->plugins, .llm = models_llm(h->models), .arg = h, .wallet = on_wallet };
    h->api = api_new(&api);
    struct plays_options plays = { .loop = &h->loop, .store = h->store, .plugins = h->plugins, .effects = { h, on_event, on_wallet, on_match_ask },
                                   .log_keep_ms = h->config.match_log_days * 86400000LL };
    FR_TRY(plays_open(&plays, &h->plays, err));
    struct backups_options backups = { .loop = &h->loop, .store = h->store, .data = h->config.data, .folder = h->config.backup_folder[0] ? h->config.backup_folder : NULL,
                                       .every_ms = h->config.backup_every_ms, .keep = h->config.backup_keep };
    h->backups = backups_new(&backups);
    struct metrics_options metrics = { .loop = &h->loop, .store = h->store, .sandbox = h->sandbox, .plugins = h->plugins, .plays = h->plays, .backups = h->backups, .treasury = h->treasury, .version = FROND_VERSION, .models = on_models_metrics, .arg = h, .door = on_door };
    h->metrics = metrics_new(&metrics);
    FR_TRY(operator_token_open(h->config.data, h->operator_token, err));
    struct console_options console = { .loop = &h->loop, .store = h->store, .plugins = h->plugins, .plays = h->plays, .backups = h->backups, .metrics = h->metrics, .treasury = h->treasury, .llm = models_llm(h->models), .folder = h->config.data, .dev = h->config.dev,
                                       .arg = h, .sessions_ended = on_sessions_ended, .wallet = on_wallet, .reload_models = reload_models };
    FR_TRY(console_start(&console, &h->console, err));
    struct gateway_options gateway = { .loop = &h->loop, .store = h->store, .plugins = h->plugins, .plays = h->plays, .treasury = h->treasury, .llm = models_llm(h->models), .api_keys = h->config.api_keys, .api_key_limits = h->config.models.key, .host = h->config.host, .port = h->config.port, .connections_max = h->connections_max, .rates = h->config.rates,
                                       .version = FROND_VERSION, .bots = &h->config.bots, .initdata_max_age_s = h->config.initdata_max_age_s,
                                       .dev = h->config.dev, .hostile_folder = h->config.hostile[0] ? h->config.hostile : NULL, .arg = h, .kill_host = kill_host,
                                       .operator_token = h->operator_token, .metrics = on_metrics, .wallet_open = h->config.wallet_open, .public_url = h->config.public_url,
                                       .on_new_player = h->config.dev ? give_test_coins : NULL };
    return gateway_start(&gateway, &h->gateway, err);
}

// Without these the kernel's bound on open files decides who is refused, not ours.
static void raise_limits(struct host *h)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    rlim_t before = files.rlim_cur;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) files.rlim_cur = before;
    if (files.rlim_cur >= HTTP_CONNECTIONS_MAX + FILES_OURS) return;
    h->connections_max = files.rlim_cur < FILES_OURS + 64 ? 64 : (int)files.rlim_cur - FILES_OURS;    // a crowd leaves descriptors for workers and the store
}

static enum fr_status host_open(struct host *h, const struct serve_options *o, struct fr_err *err)
{
    umask(077);
    h->serve = *o;
    FR_TRY(config_read(o, &h->config, err));
    raise_limits(h);
    cli_worker_path(h->worker_path, sizeof h->worker_path);
    cli_program_folder(h->programs, sizeof h->programs);
    FR_TRY(sandbox_check(h->worker_path, NULL, err));
    FR_TRY(config_claim_data(&h->config, err));
    host_register_modules();
    uv_loop_init(&h->loop);
    return open_parts(h, err);
}

static void host_close(struct host *h)
{
    backups_close(h->backups);                         // one that is being made leaves nothing under its name
    store_close(h->store);
    uv_run(&h->loop, UV_RUN_DEFAULT);                  // libuv lets go of the handles; answers that came too late go nowhere
    plugins_close(h->plugins);
    api_free(h->api);
    models_free(h->models);
    treasury_free(h->treasury);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    uv_loop_close(&h->loop);
}

// Where help is: room, when the disk is full; the newest backup, when the data cannot be trusted.
static void say_help(const struct host *h, const struct fr_err *err, char *out, size_t cap)
{
    char path[BACKUP_PATH_BYTES], at[25];
    int64_t created_ms;
    struct backup newest;
    struct fr_err none;
    out[0] = '\0';
    if (strcmp(err->code, "disk_full") == 0) snprintf(out, cap, "; make room where %.200s lies: nothing of what it holds was lost", h->config.data);
    if (err->status != FR_E_CORRUPT) return;
    bool found = backup_noted(h->config.data, path, &created_ms);
    if (!found && h->config.backup_folder[0]) {
        found = backup_newest(h->config.backup_folder, path, &newest, NULL, &none) == FR_OK;
        created_ms = newest.created_ms;
    }
    if (found) snprintf(out, cap, "; the newest backup is %s, from %s", path, fr_time_text(created_ms, at));
    else snprintf(out, cap, "; no backup of it is known");
}

static int serve(const struct serve_options *o)
{
    struct host *h = fr_must_alloc(sizeof *h);
    struct fr_err err;
    if (host_open(h, o, &err) != FR_OK) {
        char help[BACKUP_PATH_BYTES + 300];
        say_help(h, &err, help, sizeof help);
        size_t len = strlen(err.text);
        snprintf(err.text + len, sizeof err.text - len, "%s", help);
        _exit(cli_refuse(o->json, &err));              // children end with us; nothing was promised to anybody yet
    }
    open_handles(h);
    const char *bracket = strchr(h->config.host, ':') ? "[" : "", *end = bracket[0] ? "]" : "";
    printf(o->json ? "{\"ok\":true,\"result\":{\"ready\":\"http://%s%s%s:%d\"}}\n" : "ready http://%s%s%s:%d\n", bracket, h->config.host, end, gateway_port(h->gateway));
    fflush(stdout);
    uv_run(&h->loop, UV_RUN_DEFAULT);
    host_close(h);
    fr_log(LOG_INFO, "host.stopped", NULL);
    fr_free(h);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], DEVCHAIN_VERB) == 0) return devchain_exec(argc, argv);      // a child of this program
    return cli_main(argc, argv, &(struct cli_host){ .serve = serve, .config_look = config_look });
}
