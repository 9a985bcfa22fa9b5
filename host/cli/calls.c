// calls.c — each function of a plugin, called a few times with arguments that fit its schema, on a host of its own: a store in a temporary
// folder, one player with coins and no approvals. A refusal is an answer; a function that raises is a finding.
#include <string.h>
#include "api/api.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/check.h"
#include "ledger/ledger.h"
#include "player/identity.h"

#define TRIES 6                            // the first call finds an empty store, the later ones what the earlier left
#define START_WAIT_MS 10000
#define COINS_UNITS 1000000000000LL

struct stage {
    struct check *check;
    char folder[CLI_PATH_BYTES];
    struct store *store;
    struct plugins *plugins;
    struct plugin *plugin;
    struct api *api;
    bool up, answered;
    char player[PLAYER_ID_BYTES];
    struct fr_err err; enum fr_status status;
};

// ---- a small host

static void on_ask(void *arg, struct plugin_worker *w, const struct sandbox_ask *ask)
{
    struct stage *s = arg;
    api_on_ask(s->api, w, ask);
}
static void on_up(void *arg, struct plugin_worker *w) { struct stage *s = arg; s->plugin = w->version->plugin; s->up = true; }
static void on_down(void *arg, struct plugin_worker *w, const struct sandbox_death *death) { struct stage *s = arg; (void)w; (void)death; s->up = true; }
static void on_wallet(void *arg, const char *player, const char *asset) { (void)arg; (void)player; (void)asset; }

static enum fr_status player_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct stage *s = arg;
    struct player made;
    struct ledger_account from, to;
    bool is_new;
    int64_t id;
    FR_TRY(player_enter(txn, "test", 1000, "Player 1", "en", fr_now_ms(), &made, &is_new, err));
    snprintf(s->player, sizeof s->player, "%s", made.id);
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "PALM", &from, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, made.id, "PALM", &to, err));
    struct ledger_leg legs[] = { { from.id, -COINS_UNITS }, { to.id, COINS_UNITS } };
    return ledger_post(txn, &(struct ledger_transfer){ .key = "rehearsal", .reason = "mint", .note = "", .legs = legs, .leg_count = 2 }, fr_now_ms(), &id, err);
}

static enum fr_status stage_open(struct stage *s, const char *folder, struct fr_err *err)
{
    struct box *b = &s->check->box;
    FR_TRY(folder_temporary(s->folder, err));
    host_register_modules();
    FR_TRY(store_open(&(struct store_options){ .folder = s->folder, .loop = &b->loop }, &s->store, err));
    FR_TRY(store_now(s->store, player_job, s, err));
    FR_TRY(plugins_open(&(struct plugins_options){ .loop = &b->loop, .store = s->store, .sandbox = b->sandbox, .arg = s, .on_ask = on_ask, .on_up = on_up, .on_down = on_down }, &s->plugins, err));
    s->api = api_new(&(struct api_options){ .loop = &b->loop, .store = s->store, .plugins = s->plugins, .wallet = on_wallet });
    FR_TRY(plugins_add_folder(s->plugins, folder, &s->plugin, err));
    return box_wait(b, &s->up, START_WAIT_MS, err);
}

static void stage_close(struct stage *s)
{
    if (s->plugins) plugins_close(s->plugins);
    if (s->store) store_close(s->store);
    uv_run(&s->check->box.loop, UV_RUN_NOWAIT);
    api_free(s->api);
    if (s->folder[0]) folder_remove(s->folder);
}

// ---- a call

static void on_answer(void *arg, const struct plugin_answer *a)
{
    struct stage *s = arg;
    s->answered = true;
    s->status = a->status;
    s->err = a->err;
}

// The lines around the mistake stand in the plugin's own log, under the last error.
static char *last_frame(const struct stage *s)
{
    FR_AUTO_BUF(text);
    FR_AUTO(fr_json) lines = NULL;
    struct fr_err bad;
    char *frame = NULL;
    fr_buf_init(&text, JSON_TEXT_BYTES_MAX);
    plugin_log_print(s->plugin, 8, &text);
    if (text.failed || fr_json_parse(text.data, text.len, &lines, &bad) != FR_OK) return NULL;
    for (const struct fr_json *line = fr_json_child(lines); line; line = fr_json_next(line)) {
        const char *found = fr_json_text(fr_json_get(fr_json_get(line, "fields"), "frame"));
        if (!found) continue;
        fr_free(frame);
        frame = fr_strndup(found, strlen(found));
    }
    return frame;
}

static bool is_finding(const struct stage *s)
{
    static const char *const codes[] = { "plugin_error", "cpu_limit", "memory_limit", "result_too_large", "call_timeout", "worker_lost", "crashed", "stalled", "protocol" };
    if (s->status == FR_OK) return false;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(s->err.code, codes[i]) == 0) return true;
    return false;
}

static enum fr_status call_once(struct stage *s, const struct manifest_call *call, int number, bool *found, struct fr_err *err)
{
    struct chance chance = { (uint64_t)number };
    struct plugin_caller who = { .name = "Player 1", .lang = "en", .source = "console" };
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CALL_ARGS_BYTES_MAX);
    if (call->args) value_for_schema(&chance, call->args, &args);
    else fr_buf_add(&args, "{}");
    if (args.failed) return FR_OK;                     // its schema asks for more than a call may bring
    snprintf(who.player, sizeof who.player, "%s", s->player);
    snprintf(who.request_id, sizeof who.request_id, "rehearsal-%d", number);
    s->answered = false;
    if (plugin_call_start(s->plugin, call->name, args.data, args.len, &who, on_answer, s, &s->err) != FR_OK) {
        check_problem(s->check, NULL, "call %s cannot be made: %s (%s)", call->name, s->err.text, s->err.code);
        *found = true;
        return FR_OK;
    }
    FR_TRY(box_wait(&s->check->box, &s->answered, 2 * CALL_DEADLINE_MS, err));
    *found = is_finding(s);
    if (!*found) return FR_OK;
    char *frame = strcmp(s->err.code, "plugin_error") == 0 ? last_frame(s) : NULL;
    check_problem(s->check, frame, "call %s with %.300s: %s%s%s%s", call->name, args.data, s->err.text, frame ? "" : " (", frame ? "" : s->err.code, frame ? "" : ")");
    fr_free(frame);
    return FR_OK;
}

static enum fr_status call_all(struct stage *s, struct fr_err *err)
{
    const struct manifest *m = s->check->package->manifest;
    int made = 0, refused = 0, before = s->check->problem_count;
    for (int i = 0; i < m->call_count; i++) {
        bool found = false;
        for (int n = 0; n < TRIES && !found; n++, made++) {
            FR_TRY(call_once(s, &m->calls[i], n, &found, err));
            refused += !found && s->status != FR_OK;
        }
    }
    if (s->check->problem_count == before) check_done(s->check, "its functions answer: %d calls of %d functions, %d refused", made, m->call_count, refused);
    return FR_OK;
}

enum fr_status rehearse_calls(struct check *k, const char *folder, struct fr_err *err)
{
    struct stage *s = fr_must_alloc(sizeof *s);
    s->check = k;
    enum fr_status st = stage_open(s, folder, err);
    if (st == FR_OK && s->plugin->state != PLUGIN_UP) check_problem(k, NULL, "it does not start on a host: %s", s->plugin->error.text);
    else if (st == FR_OK) st = call_all(s, err);
    stage_close(s);
    fr_free(s);
    return st;
}
