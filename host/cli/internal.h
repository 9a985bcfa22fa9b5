// internal.h — what the files of the CLI share. For this folder only.
//
// A verb is a row in verbs.c: name, words for help, arguments, options, function. Parser, help and usage errors are made from it.
// A verb's function leaves its result in c->out as JSON; cli.c prints it, as the one document of --json or for people. A verb may
// leave a result and fail as well: then both are printed (what `plugin check` found, and that it found something).
#pragma once
#include <stdio.h>
#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"
#include "cli/cli.h"
#include "console/console.h"

#define CLI_ARGS_MAX 3
#define CLI_VERBS_MAX 128                  // looked through for a word that was meant
#define CLI_OPTIONS_MAX 6
#define CLI_RESULT_BYTES_MAX CONSOLE_RESULT_BYTES_MAX
#define CLI_ASK_MS 10000                   // for a host's answer
#define CLI_ASK_LONG_MS (6 * 60 * 1000)    // an audit of years reads for minutes (STORE_LONG_READ_MS_MAX)
#define CLI_PATH_BYTES 1024

struct cli;
typedef enum fr_status cli_run_fn(struct cli *c, struct fr_err *err);
struct cli_arg { const char *name, *shown, *doc; bool optional; };       // name: also the key in the console's arguments
struct cli_option { const char *name, *value, *doc; };                  // value: what stands behind it, NULL for a switch
struct cli_verb {
    const char *name, *does, *more;        // "plugin new"; one line; a paragraph or NULL
    struct cli_arg args[CLI_ARGS_MAX];
    struct cli_option options[CLI_OPTIONS_MAX];
    cli_run_fn *run;
    const char *console;                   // the console's verb, for those that only ask it
    const char *columns;                   // of a table for people: "id state version"; NULL: all
    void (*print)(FILE *out, const struct fr_json *result, const struct cli *c);   // NULL: print_value
};
extern const struct cli_verb cli_verbs[];
extern const int cli_verb_count;
extern const struct cli_option cli_options_of_all[];     // --data, --json, --help
extern const int cli_options_of_all_count;

struct cli {
    const struct cli_verb *verb;           // NULL: none was named (help)
    const char *arg[CLI_ARGS_MAX], *option[CLI_OPTIONS_MAX];     // NULL: not given; a switch that was given: ""
    const char *data;
    bool json, help;
    const struct cli_host *host;
    struct fr_buf out;                     // the result
    int exit;                              // of serve
};

// ---- args.c: what was typed. FR_E_INVALID, code "usage", with a suggestion for a word that is nearly right. Pure.
FR_MUST_USE enum fr_status args_parse(int argc, char **argv, struct cli *c, struct fr_err *err);
const char *cli_option(const struct cli *c, const char *name);           // NULL: not given. A name the verb lacks is our mistake.
const char *cli_arg(const struct cli *c, const char *name);
FR_MUST_USE enum fr_status cli_option_int(const struct cli *c, const char *name, int64_t least, int64_t most, int64_t def, int64_t *ret, struct fr_err *err);
const struct cli_verb *cli_verb_find(const char *name);

// ---- help.c
void help_usage(const struct cli_verb *v, char *out, size_t cap);        // "frond plugin new NAME [DIR] [--kind KIND]"
cli_run_fn run_help, run_version;

// ---- print.c: JSON for people. Text of others is printed with control characters made harmless.
void print_value(FILE *out, const struct fr_json *v, const char *columns);
void print_text(FILE *out, const char *text);
const char *text_of(const struct fr_json *v, const char *key);           // "" when there is none
void print_match_show(FILE *out, const struct fr_json *v, const struct cli *c);
void print_doctor(FILE *out, const struct fr_json *v, const struct cli *c);
void print_check(FILE *out, const struct fr_json *v, const struct cli *c);
void print_replay(FILE *out, const struct fr_json *v, const struct cli *c);
void print_plugin_list(FILE *out, const struct fr_json *v, const struct cli *c), print_plugin_changed(FILE *out, const struct fr_json *v, const struct cli *c);      // plugins.c
void print_verify(FILE *out, const struct fr_json *v, const struct cli *c);
void print_log(FILE *out, const struct fr_json *v, const struct cli *c);
void print_top(FILE *out, const struct fr_json *v, const struct cli *c);
void print_connect(FILE *out, const struct fr_json *v, const struct cli *c);
void print_chain_status(FILE *out, const struct fr_json *v, const struct cli *c);      // chain.c
void print_llm_key_new(FILE *out, const struct fr_json *v, const struct cli *c);       // llm_keys.c
void print_text_of(FILE *out, const struct fr_json *v, const struct cli *c);         // result.text, as it is

// ---- ask.c: the running host through its socket, or the data folder itself
FR_MUST_USE enum fr_status cli_ask(struct cli *c, const char *console_verb, const char *args_json, struct fr_buf *out, struct fr_err *err);
bool cli_host_answers(const struct cli *c);
bool cli_data_is_dev(const struct cli *c);                // `serve --dev` made it
FR_MUST_USE enum fr_status cli_data_exists(const struct cli *c, struct fr_err *err);      // FR_E_NOT_FOUND "data_missing"
cli_run_fn run_console;                    // c->verb->console with the arguments and options as they are

// ---- the verbs that do more than ask
cli_run_fn run_top, run_serve, run_plugin_new, run_plugin_install, run_plugin_check, run_plugin_test, run_match_show, run_match_replay, run_match_verify, run_doctor, run_ledger_mint, run_ledger_audit;
cli_run_fn run_telegram_connect, run_chain_reconcile;
cli_run_fn run_key_new, run_key_import, run_key_list, run_key_check;

// ---- burns.c
cli_run_fn run_burn_verify;
void print_burn_list(FILE *out, const struct fr_json *v, const struct cli *c), print_burn_verify(FILE *out, const struct fr_json *v, const struct cli *c), print_burn_supply(FILE *out, const struct fr_json *v, const struct cli *c);

// ---- models.c
cli_run_fn run_llm_replay;
void print_llm_ask(FILE *out, const struct fr_json *v, const struct cli *c);
void print_llm_pools(FILE *out, const struct fr_json *v, const struct cli *c);
// ---- llm_eval.c
cli_run_fn run_llm_tasks, run_llm_task, run_llm_eval;
void print_llm_eval(FILE *out, const struct fr_json *v, const struct cli *c);

// ---- backup.c, restore.c, print_backup.c
cli_run_fn run_backup, run_restore;
void print_backup(FILE *out, const struct fr_json *v, const struct cli *c), print_restore(FILE *out, const struct fr_json *v, const struct cli *c);

// ---- secrets.c
#define SECRET_TEXT_BYTES_MAX 1024
#define SECRET_TEXT_BYTES (SECRET_TEXT_BYTES_MAX + 3)            // and a line's end, and one byte more, which is refused
struct secret_text { struct fr_secret *memory; size_t len; };   // memory is the caller's, SECRET_TEXT_BYTES of it
static inline const char *secret_chars(const struct secret_text *t) { return (const char *)fr_secret_bytes(t->memory); }
// Asks at the terminal, without echo. FR_E_INVALID "passphrase_missing": there is none.
FR_MUST_USE enum fr_status secret_ask(const char *prompt, const char *what, struct secret_text *ret, struct fr_err *err);
// From the option named `file`, the one named `fd`, or the terminal; sets ret->memory, also on failure. Codes: file, file_open_to_others, usage, passphrase_missing.
FR_MUST_USE enum fr_status secret_get(const struct cli *c, const char *file, const char *fd, const char *prompt, const char *what, struct secret_text *ret, struct fr_err *err);

// ---- files.c
FR_MUST_USE enum fr_status file_read_all(const char *path, size_t max, struct fr_buf *out, struct fr_err *err);
FR_MUST_USE enum fr_status file_write_new(const char *path, const char *bytes, size_t len, struct fr_err *err);   // refuses to overwrite
FR_MUST_USE enum fr_status folder_temporary(char out[CLI_PATH_BYTES], struct fr_err *err);       // in $TMPDIR or /tmp; "" when it fails
void folder_remove(const char *path);                            // with all that is in it
bool path_program_folder(char out[CLI_PATH_BYTES]);              // the folder of the running program
