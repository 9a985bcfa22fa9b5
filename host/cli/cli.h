// cli.h — the `frond` verbs. Every verb takes --json; exit codes: 0 done, 1 refused, 2 usage.
#pragma once
#include "base/err.h"
struct serve_options { const char *data, *listen, *config; bool dev, no_chain, no_models, json; };
// One thing of the config file that was looked at. err: why `serve` would refuse it, text being the sentence. Without err it is well, or, where
// help says what to do, worth a warning.
typedef void cli_told_fn(void *arg, const char *name, const char *text, const char *help, const struct fr_err *err);
// What frond.c, which owns the host and its config, hands in.
struct cli_host {
    int (*serve)(const struct serve_options *o);                                                // the exit code; it says itself why not, by cli_refuse
    void (*config_look)(const struct serve_options *o, cli_told_fn *told, void *arg);          // NULL: there is no config to look at
};
int cli_main(int argc, char **argv, const struct cli_host *host);
// A refusal of `serve`, as every verb prints it: the sentence on stderr, or with json one document on stdout. Returns the exit code.
int cli_refuse(bool json, const struct fr_err *err);
// Where frond-worker lies: beside the running program. Returns out.
const char *cli_worker_path(char *out, size_t cap);
// The folder that it, frond-signer and the running program lie in. Returns out; "." when it cannot be known.
const char *cli_program_folder(char *out, size_t cap);
// The migrations of every module that owns tables, in the one order there is. Whoever opens a data folder calls this first: the host, and
// the verbs that work without one. Once per process.
void host_register_modules(void);
// A passphrase, asked for at the terminal without echo: for a host that unlocks its signer (chain/signer_files.h). Blocks: before the loop serves. *len bytes at the
// beginning of *ret, which is the caller's. FR_E_INVALID "passphrase_missing": there is no terminal. FR_E_NOMEM: no memory can be locked.
struct fr_secret;
FR_MUST_USE enum fr_status cli_ask_passphrase(const char *prompt, struct fr_secret **ret, size_t *len, struct fr_err *err);
// A folder that `serve --dev` made carries this file: its coins are test coins.
#define HOST_DEV_MARK "dev"
