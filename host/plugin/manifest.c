// manifest.c — read from the outside in: each part first refuses keys it does not know, then takes its values, then asks
// whether they make sense together. Paths in errors are those of the file, so an author can go straight there.
#include "plugin/manifest.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/units.h"
#include "base/schema.h"
#include "llm/task.h"

#define PATH_BYTES 200
#define WHY_BYTES_MAX 200
#define DOC_BYTES_MAX 500
#define TURN_MS_MIN 1000
#define TURN_MS_MAX (24 * 60 * 60 * 1000)
#define BPS_ALL 10000
#define KEYS(...) (const char *const[]){ __VA_ARGS__, NULL }

static const char *const api_versions[] = { PLUGIN_API_VERSION, NULL };      // newest first; older ones that still work follow
static const char *const part_names[SPLIT_PART_COUNT] = { "plugin", "treasury", "burn", "author" };

static const char *path_of(char out[PATH_BYTES], const char *at, const char *key)
{
    snprintf(out, PATH_BYTES, "%s%s%s", at, *at ? "." : "", key);
    return out;
}

// ---- words

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// A name that is also a Lua identifier: [a-z][a-z0-9_]*
static bool name_valid(const char *text, size_t most)
{
    if (!is_lower(*text) || strlen(text) > most) return false;
    for (; *text; text++) if (!is_lower(*text) && !is_digit(*text) && *text != '_') return false;
    return true;
}

// A plugin id: [a-z][a-z0-9]*(-[a-z0-9]+)*
bool manifest_id_valid(const char *text)
{
    if (!is_lower(*text) || strlen(text) > PLUGIN_ID_BYTES_MAX) return false;
    for (const char *c = text; *c; c++) {
        if (*c == '-' ? c[1] == '-' || c[1] == 0 : !is_lower(*c) && !is_digit(*c)) return false;
    }
    return true;
}

static bool asset_valid(const char *text)
{
    if (!is_upper(*text) || strlen(text) >= ASSET_ID_BYTES) return false;
    for (; *text; text++) if (!is_upper(*text) && !is_digit(*text)) return false;
    return true;
}

// One number of a version: digits without a leading zero. Moves *at behind it.
static bool version_number(const char **at)
{
    const char *from = *at;
    while (is_digit(**at)) (*at)++;
    return *at > from && *at - from <= 9 && (*from != '0' || *at == from + 1);
}

static bool version_label(const char **at)
{
    const char *from = *at;
    bool digits = true;
    for (; is_digit(**at) || is_lower(**at) || is_upper(**at) || **at == '-'; (*at)++) digits = digits && is_digit(**at);
    return *at > from && !(digits && *from == '0' && *at > from + 1);
}

bool manifest_version_valid(const char *text)
{
    const char *at = text;
    if (strlen(text) > 32) return false;
    for (int i = 0; i < 3; i++) {
        if (i > 0 && *at++ != '.') return false;
        if (!version_number(&at)) return false;
    }
    if (*at == '-') do { at++; if (!version_label(&at)) return false; } while (*at == '.');
    return *at == 0;
}

// ---- small takers: a value at `at`.`key` of the whole document, copied or pointed to

static enum fr_status take_copy(const struct fr_json *doc, const char *at, const char *key, size_t least, char *out, size_t out_bytes, struct fr_err *err)
{
    char path[PATH_BYTES];
    const char *text;
    FR_TRY(fr_json_need_text(doc, path_of(path, at, key), least, out_bytes - 1, &text, err));
    snprintf(out, out_bytes, "%s", text);
    return FR_OK;
}

static enum fr_status take_why(const struct fr_json *doc, const char *at, struct fr_err *err)
{
    char path[PATH_BYTES];
    const char *why;
    return fr_json_need_text(doc, path_of(path, at, "why"), 1, WHY_BYTES_MAX, &why, err);
}

// The object at `path`, or NULL when it is absent.
static enum fr_status opt_object(const struct fr_json *doc, const char *path, const struct fr_json **ret, struct fr_err *err)
{
    const struct fr_json *v = fr_json_get(doc, path);        // only used for keys of the top level
    *ret = NULL;
    if (!v || fr_json_kind(v) == JSON_NULL) return FR_OK;
    return fr_json_need_object(doc, path, ret, err);
}

static enum fr_status opt_schema(const struct fr_json *owner, const char *at, const char *key, const struct fr_json **ret, struct fr_err *err)
{
    char path[PATH_BYTES];
    const struct fr_json *v = fr_json_get(owner, key);
    *ret = NULL;
    if (!v || fr_json_kind(v) == JSON_NULL) return FR_OK;
    FR_TRY(schema_check(v, path_of(path, at, key), err));
    *ret = v;
    return FR_OK;
}

// The members of `object` are named by the author: each name is checked before it becomes part of a path.
static enum fr_status check_name(const char *at, const char *name, size_t most, struct fr_err *err)
{
    if (name_valid(name, most)) return FR_OK;
    return FR_FAIL(err, FR_E_INVALID, "%s: a name is lower-case letters, digits and _, begins with a letter and has at most %zu bytes; got \"%.70s\"", at, most, name);
}

static enum fr_status check_count(const char *at, const struct fr_json *object, int most, struct fr_err *err)
{
    if (fr_json_size(object) <= most) return FR_OK;
    return FR_FAIL(err, FR_E_LIMIT, "%s: %d entries, and %d are the most", at, fr_json_size(object), most);
}

// ---- head: who it is

static enum fr_status take_api(struct manifest *m, struct fr_err *err)
{
    FR_TRY(take_copy(m->json, "", "api", 10, m->api, 11, err));
    for (const char *const *known = api_versions; *known; known++) if (strcmp(m->api, *known) == 0) return FR_OK;
    const char *form = "dddd-dd-dd", *c = m->api;
    while (*form && (*form == 'd' ? is_digit(*c) : *c == *form)) { form++; c++; }
    if (*form) return FR_FAIL(err, FR_E_INVALID, "api: expected a date such as \"%s\", got \"%s\"", PLUGIN_API_VERSION, m->api);
    if (strcmp(m->api, PLUGIN_API_VERSION) > 0)
        return FR_FAIL_CODE(err, FR_E_INVALID, "api_too_new", "api: this host speaks %s and the plugin wants %s: update the host", PLUGIN_API_VERSION, m->api);
    return FR_FAIL_CODE(err, FR_E_INVALID, "api_unknown", "api: there is no version %s; this host speaks %s", m->api, PLUGIN_API_VERSION);
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words && strcmp(*words, text) != 0) words++;
    return *words != NULL;
}

bool manifest_id_taken(const char *id)
{
    return is_one_of(id, KEYS("frond", "plugin", "host"));      // require "frond" and the scope "plugin" mean something else
}

static enum fr_status take_head(struct manifest *m, struct fr_err *err)
{
    FR_TRY(take_copy(m->json, "", "id", 1, m->id, sizeof m->id, err));
    if (!manifest_id_valid(m->id))
        return FR_FAIL(err, FR_E_INVALID, "id: expected lower-case letters, digits and single hyphens, beginning with a letter, got \"%s\"", m->id);
    if (manifest_id_taken(m->id))
        return FR_FAIL(err, FR_E_INVALID, "id: \"%s\" is taken by the host itself", m->id);
    FR_TRY(take_copy(m->json, "", "name", 1, m->name, sizeof m->name, err));
    FR_TRY(take_copy(m->json, "", "version", 1, m->version, sizeof m->version, err));
    if (!manifest_version_valid(m->version))
        return FR_FAIL(err, FR_E_INVALID, "version: expected a semantic version such as \"1.0.0\" or \"1.1.0-beta.2\", got \"%s\"", m->version);
    FR_TRY(take_api(m, err));
    const char *kind;
    FR_TRY(fr_json_need_text(m->json, "kind", 1, 32, &kind, err));
    if (!is_one_of(kind, KEYS("game", "bot", "tool", "fund", "studio")))
        return FR_FAIL(err, FR_E_INVALID, "kind: expected game, bot, tool, fund or studio, got \"%s\"", kind);
    snprintf(m->kind, sizeof m->kind, "%s", kind);
    FR_TRY(fr_json_opt_text(m->json, "description", 1000, "", &m->description, err));
    return fr_json_opt_text(m->json, "author", 100, "", &m->author, err);
}

static enum fr_status take_limits(struct manifest *m, struct fr_err *err)
{
    const int64_t mib = 1024 * 1024;
    const struct fr_json *limits;
    int64_t heap_mib = WORKER_HEAP_BYTES_DEFAULT / mib, store_mib = KV_QUOTA_BYTES_DEFAULT / mib, workers = 1, cpu_percent = 0;
    FR_TRY(opt_object(m->json, "limits", &limits, err));
    if (limits) {
        FR_TRY(fr_json_only_keys(limits, KEYS("heap_mib", "store_mib", "workers", "cpu_percent"), "limits", err));
        FR_TRY(fr_json_opt_int(m->json, "limits.heap_mib", 4, WORKER_HEAP_BYTES_MAX / mib, heap_mib, &heap_mib, err));
        FR_TRY(fr_json_opt_int(m->json, "limits.store_mib", 1, KV_QUOTA_BYTES_MAX / mib, store_mib, &store_mib, err));
        FR_TRY(fr_json_opt_int(m->json, "limits.workers", 1, WORKERS_PER_PLUGIN_MAX, workers, &workers, err));
        FR_TRY(fr_json_opt_int(m->json, "limits.cpu_percent", 1, 100, 0, &cpu_percent, err));
    }
    m->heap_bytes = heap_mib * mib;
    m->store_bytes = store_mib * mib;
    m->workers = (int)workers;
    m->cpu_percent = (int)cpu_percent;
    return FR_OK;
}

// ---- grants: each with a reason, because an operator reads them

static enum fr_status take_ledger_grant(struct manifest *m, const struct fr_json *grant, struct fr_err *err)
{
    const struct fr_json *assets;
    FR_TRY(fr_json_only_keys(grant, KEYS("why", "assets"), "grants.ledger", err));
    FR_TRY(take_why(m->json, "grants.ledger", err));
    FR_TRY(fr_json_need_array(m->json, "grants.ledger.assets", 1, (int)(sizeof m->ledger_assets / sizeof m->ledger_assets[0]), &assets, err));
    for (int i = 0; i < fr_json_size(assets); i++) {
        char path[PATH_BYTES], *to = m->ledger_assets[i];
        snprintf(path, sizeof path, "grants.ledger.assets[%d]", i);
        FR_TRY(take_copy(m->json, "", path, 1, to, ASSET_ID_BYTES, err));
        if (!asset_valid(to)) return FR_FAIL(err, FR_E_INVALID, "%s: an asset is capital letters and digits, such as \"PALM\"; got \"%s\"", path, to);
        for (int j = 0; j < i; j++)
            if (strcmp(m->ledger_assets[j], to) == 0) return FR_FAIL(err, FR_E_INVALID, "%s: \"%s\" stands there twice", path, to);
        m->ledger_asset_count++;
    }
    m->grant_ledger = true;
    return FR_OK;
}

static enum fr_status take_call_grant(struct manifest *m, const struct fr_json *grant, struct fr_err *err)
{
    const struct fr_json *plugins;
    FR_TRY(fr_json_only_keys(grant, KEYS("why", "plugins"), "grants.call", err));
    FR_TRY(take_why(m->json, "grants.call", err));
    FR_TRY(fr_json_need_array(m->json, "grants.call.plugins", 1, (int)(sizeof m->call_plugins / sizeof m->call_plugins[0]), &plugins, err));
    for (int i = 0; i < fr_json_size(plugins); i++) {
        char path[PATH_BYTES], *to = m->call_plugins[i];
        snprintf(path, sizeof path, "grants.call.plugins[%d]", i);
        FR_TRY(take_copy(m->json, "", path, 1, to, PLUGIN_ID_BYTES_MAX + 1, err));
        if (!manifest_id_valid(to)) return FR_FAIL(err, FR_E_INVALID, "%s: expected a plugin's id, got \"%s\"", path, to);
        if (strcmp(to, m->id) == 0) return FR_FAIL(err, FR_E_INVALID, "%s: \"%s\" is this plugin itself: call its functions in Lua", path, to);
        for (int j = 0; j < i; j++)
            if (strcmp(m->call_plugins[j], to) == 0) return FR_FAIL(err, FR_E_INVALID, "%s: \"%s\" stands there twice", path, to);
        m->call_plugin_count++;
    }
    m->grant_call = true;
    return FR_OK;
}

static enum fr_status take_llm_grant(struct manifest *m, const struct fr_json *grant, struct fr_err *err)
{
    const struct fr_json *models = fr_json_get(grant, "models");
    FR_TRY(fr_json_only_keys(grant, KEYS("why", "models", "tokens_day"), "grants.llm", err));
    FR_TRY(take_why(m->json, "grants.llm", err));
    FR_TRY(fr_json_opt_int(m->json, "grants.llm.tokens_day", 1, 1000000000000LL, 0, &m->llm_tokens_day, err));
    if (models) FR_TRY(fr_json_need_array(m->json, "grants.llm.models", 1, (int)(sizeof m->llm_models / sizeof m->llm_models[0]), &models, err));
    for (int i = 0; i < fr_json_size(models); i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "grants.llm.models[%d]", i);
        FR_TRY(take_copy(m->json, "", path, 1, m->llm_models[m->llm_model_count++], sizeof m->llm_models[0], err));
    }
    m->grant_llm = true;
    return FR_OK;
}

static enum fr_status take_tasks(struct manifest *m, struct fr_err *err)
{
    FR_TRY(opt_object(m->json, "tasks", &m->tasks, err));
    if (!m->tasks) return FR_OK;
    FR_TRY(check_count("tasks", m->tasks, PLUGIN_TASKS_MAX, err));
    for (const struct fr_json *t = fr_json_child(m->tasks); t; t = fr_json_next(t)) {
        char path[PATH_BYTES];
        FR_TRY(check_name("tasks", fr_json_key(t), 32, err));
        FR_TRY(llm_task_check(t, path_of(path, "tasks", fr_json_key(t)), err));
    }
    return FR_OK;
}

static enum fr_status take_grants(struct manifest *m, struct fr_err *err)
{
    const struct fr_json *grants, *one;
    FR_TRY(opt_object(m->json, "grants", &grants, err));
    if (!grants) return FR_OK;
    FR_TRY(fr_json_only_keys(grants, KEYS("store", "ledger", "call", "burn", "llm"), "grants", err));
    if (fr_json_get(grants, "store")) {
        FR_TRY(fr_json_need_object(m->json, "grants.store", &one, err));
        FR_TRY(fr_json_only_keys(one, KEYS("why"), "grants.store", err));
        FR_TRY(take_why(m->json, "grants.store", err));
        m->grant_store = true;
    }
    if (fr_json_get(grants, "burn")) {
        FR_TRY(fr_json_need_object(m->json, "grants.burn", &one, err));
        FR_TRY(fr_json_only_keys(one, KEYS("why"), "grants.burn", err));
        FR_TRY(take_why(m->json, "grants.burn", err));
        m->grant_burn = true;
    }
    if (fr_json_get(grants, "ledger")) {
        FR_TRY(fr_json_need_object(m->json, "grants.ledger", &one, err));
        FR_TRY(take_ledger_grant(m, one, err));
    }
    if (fr_json_get(grants, "call")) {
        FR_TRY(fr_json_need_object(m->json, "grants.call", &one, err));
        FR_TRY(take_call_grant(m, one, err));
    }
    if (fr_json_get(grants, "llm")) {
        FR_TRY(fr_json_need_object(m->json, "grants.llm", &one, err));
        FR_TRY(take_llm_grant(m, one, err));
    }
    return FR_OK;
}

// ---- calls and inputs

static enum fr_status take_call(struct manifest *m, const struct fr_json *call, struct fr_err *err)
{
    struct manifest_call *to = &m->calls[m->call_count];
    char at[PATH_BYTES], path[PATH_BYTES];
    const struct fr_json *object;
    FR_TRY(check_name("calls", fr_json_key(call), sizeof to->name - 1, err));
    path_of(at, "calls", fr_json_key(call));
    FR_TRY(fr_json_need_object(m->json, at, &object, err));
    FR_TRY(fr_json_only_keys(object, KEYS("args", "doc", "player"), at, err));
    snprintf(to->name, sizeof to->name, "%s", fr_json_key(call));
    FR_TRY(opt_schema(object, at, "args", &to->args, err));
    to->any_object = schema_takes_any_object(to->args);
    FR_TRY(fr_json_opt_text(m->json, path_of(path, at, "doc"), DOC_BYTES_MAX, "", &to->doc, err));
    FR_TRY(fr_json_opt_bool(m->json, path_of(path, at, "player"), true, &to->player, err));
    m->call_count++;
    return FR_OK;
}

static enum fr_status take_calls(struct manifest *m, struct fr_err *err)
{
    const struct fr_json *calls;
    FR_TRY(opt_object(m->json, "calls", &calls, err));
    if (!calls) return FR_OK;
    FR_TRY(check_count("calls", calls, PLUGIN_FUNCTIONS_MAX, err));
    for (const struct fr_json *c = fr_json_child(calls); c; c = fr_json_next(c)) FR_TRY(take_call(m, c, err));
    return FR_OK;
}

static enum fr_status take_inputs(struct manifest *m, struct fr_err *err)
{
    const struct fr_json *inputs;
    FR_TRY(opt_object(m->json, "inputs", &inputs, err));
    if (!inputs) return FR_OK;
    FR_TRY(check_count("inputs", inputs, PLUGIN_FUNCTIONS_MAX, err));
    for (const struct fr_json *i = fr_json_child(inputs); i; i = fr_json_next(i)) {
        FR_TRY(check_name("inputs", fr_json_key(i), sizeof m->inputs[0].name - 1, err));
        snprintf(m->inputs[m->input_count].name, sizeof m->inputs[0].name, "%s", fr_json_key(i));
        FR_TRY(opt_schema(inputs, "inputs", fr_json_key(i), &m->inputs[m->input_count].args, err));
        m->input_count++;
    }
    return FR_OK;
}

static enum fr_status take_relays(struct manifest *m, struct fr_err *err)
{
    const struct fr_json *relays;
    FR_TRY(opt_object(m->json, "relays", &relays, err));
    if (!relays) return FR_OK;
    FR_TRY(check_count("relays", relays, PLUGIN_FUNCTIONS_MAX, err));
    for (const struct fr_json *r = fr_json_child(relays); r; r = fr_json_next(r)) {
        FR_TRY(check_name("relays", fr_json_key(r), sizeof m->relays[0].name - 1, err));
        snprintf(m->relays[m->relay_count].name, sizeof m->relays[0].name, "%s", fr_json_key(r));
        FR_TRY(opt_schema(relays, "relays", fr_json_key(r), &m->relays[m->relay_count].args, err));
        m->relay_count++;
    }
    return FR_OK;
}

// ---- splits and rakes: basis points by part

static enum fr_status take_bps(const struct fr_json *doc, const char *at, int bps[SPLIT_PART_COUNT], int *sum, struct fr_err *err)
{
    const struct fr_json *object;
    FR_TRY(fr_json_need_object(doc, at, &object, err));
    FR_TRY(fr_json_only_keys(object, KEYS(part_names[SPLIT_PLUGIN], part_names[SPLIT_TREASURY], part_names[SPLIT_BURN], part_names[SPLIT_AUTHOR]), at, err));
    *sum = 0;
    for (int part = 0; part < SPLIT_PART_COUNT; part++) {
        char path[PATH_BYTES];
        int64_t taken;
        FR_TRY(fr_json_opt_int(doc, path_of(path, at, part_names[part]), 0, BPS_ALL, 0, &taken, err));
        bps[part] = (int)taken;
        *sum += bps[part];
    }
    return FR_OK;
}

static enum fr_status take_splits(struct manifest *m, struct fr_err *err)
{
    const struct fr_json *splits;
    FR_TRY(opt_object(m->json, "splits", &splits, err));
    if (!splits) return FR_OK;
    FR_TRY(check_count("splits", splits, (int)(sizeof m->splits / sizeof m->splits[0]), err));
    if (fr_json_size(splits) > 0 && !m->grant_ledger)
        return FR_FAIL(err, FR_E_INVALID, "splits: sharing coins needs the grant \"ledger\", which grants does not ask for");
    for (const struct fr_json *s = fr_json_child(splits); s; s = fr_json_next(s)) {
        struct manifest_split *to = &m->splits[m->split_count];
        char at[PATH_BYTES];
        int sum;
        FR_TRY(check_name("splits", fr_json_key(s), sizeof to->name - 1, err));
        snprintf(to->name, sizeof to->name, "%s", fr_json_key(s));
        FR_TRY(take_bps(m->json, path_of(at, "splits", to->name), to->bps, &sum, err));
        if (sum != BPS_ALL) return FR_FAIL(err, FR_E_INVALID, "%s: the parts must sum to %d basis points, and they sum to %d", at, BPS_ALL, sum);
        m->split_count++;
    }
    return FR_OK;
}

// ---- modes

static bool has_asset(const struct manifest *m, const char *asset)
{
    for (int i = 0; i < m->ledger_asset_count; i++) if (strcmp(m->ledger_assets[i], asset) == 0) return true;
    return false;
}

static enum fr_status take_stakes(struct manifest *m, struct manifest_mode *mode, const char *at, struct fr_err *err)
{
    char list[PATH_BYTES], path[PATH_BYTES + 16];
    const struct fr_json *stakes;
    path_of(list, at, "stakes");
    mode->stake_count = 1;                               // "0" alone: no stake
    if (!fr_json_get(fr_json_get(fr_json_get(m->json, "modes"), mode->id), "stakes")) return FR_OK;
    FR_TRY(fr_json_need_array(m->json, list, 1, MODE_STAKES_MAX, &stakes, err));
    mode->stake_count = 0;
    for (int i = 0; i < fr_json_size(stakes); i++) {
        int64_t *stake = &mode->stakes[i];
        snprintf(path, sizeof path, "%s[%d]", list, i);
        FR_TRY(fr_json_need_units(m->json, path, 0, UNITS_MAX / SEATS_MAX, stake, err));     // a full table's pot stays an amount
        if (i > 0 && stake[0] == stake[-1]) return FR_FAIL(err, FR_E_INVALID, "%s: \"%lld\" stands there twice", path, (long long)*stake);
        if (i > 0 && stake[0] < stake[-1])
            return FR_FAIL(err, FR_E_INVALID, "%s: stakes go up, and %lld comes after %lld", path, (long long)stake[0], (long long)stake[-1]);
        mode->stake_count++;
    }
    return FR_OK;
}

// What a player agrees to, as one hash: an approval given for it does not survive other terms.
static enum fr_status hash_terms(struct manifest_mode *mode, struct fr_err *err)
{
    uint8_t hash[SHA256_BYTES];
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 1024);
    fr_buf_addf(&text, "{\"asset\":");
    fr_buf_add_json_text(&text, mode->asset);
    fr_buf_addf(&text, ",\"rake\":{\"author\":%d,\"burn\":%d,\"plugin\":%d,\"treasury\":%d},\"seats\":%d}", mode->rake_bps[SPLIT_AUTHOR],
                mode->rake_bps[SPLIT_BURN], mode->rake_bps[SPLIT_PLUGIN], mode->rake_bps[SPLIT_TREASURY], mode->seats);
    FR_TRY(fr_buf_check(&text, "a mode's terms", err));
    fr_sha256(text.data, text.len, hash);
    fr_hex(hash, sizeof hash, mode->terms);
    return FR_OK;
}

static enum fr_status check_mode(const struct manifest *m, const struct manifest_mode *mode, const char *at, struct fr_err *err)
{
    bool staked = mode->stakes[mode->stake_count - 1] > 0;
    if (mode->bot && mode->seats == 1) return FR_FAIL(err, FR_E_INVALID, "%s.bot: a bot takes an empty seat, and this mode has one seat", at);
    if (mode->bot && mode->stakes[0] != 0)
        return FR_FAIL(err, FR_E_INVALID, "%s.bot: a bot has no coins and plays only at stake \"0\", which is not among the stakes", at);
    if (staked && !m->grant_ledger) return FR_FAIL(err, FR_E_INVALID, "%s.stakes: stakes over 0 need the grant \"ledger\", which grants does not ask for", at);
    if (staked && !has_asset(m, mode->asset))
        return FR_FAIL(err, FR_E_INVALID, "%s.asset: \"%s\" is not among grants.ledger.assets", at, mode->asset);
    if (staked && mode->seats == 1) return FR_FAIL(err, FR_E_INVALID, "%s.stakes: one seat plays against nobody, so there is no pot to win", at);
    if (staked && mode->turn_ms == 0 && mode->tick_hz == 0)
        return FR_FAIL(err, FR_E_INVALID, "%s.turn_ms: a staked match needs a clock (turn_ms or tick_hz), or its loser would never move", at);
    return FR_OK;
}

static enum fr_status take_mode(struct manifest *m, const struct fr_json *member, struct fr_err *err)
{
    struct manifest_mode *to = &m->modes[m->mode_count];
    char at[PATH_BYTES], path[PATH_BYTES];
    const struct fr_json *object;
    const char *text;
    int64_t n;
    int rake;
    FR_TRY(check_name("modes", fr_json_key(member), sizeof to->id - 1, err));
    snprintf(to->id, sizeof to->id, "%s", fr_json_key(member));
    path_of(at, "modes", to->id);
    FR_TRY(fr_json_need_object(m->json, at, &object, err));
    FR_TRY(fr_json_only_keys(object, KEYS("name", "seats", "bot", "turn_ms", "asset", "stakes", "rake", "options", "tick_hz", "spectators", "spectator_delay_ms"), at, err));

    FR_TRY(fr_json_opt_text(m->json, path_of(path, at, "name"), sizeof to->name - 1, to->id, &text, err));
    snprintf(to->name, sizeof to->name, "%s", *text ? text : to->id);
    FR_TRY(fr_json_need_int(m->json, path_of(path, at, "seats"), 1, SEATS_MAX, &n, err));
    to->seats = (int)n;
    FR_TRY(fr_json_opt_bool(m->json, path_of(path, at, "bot"), false, &to->bot, err));
    FR_TRY(fr_json_opt_int(m->json, path_of(path, at, "turn_ms"), 0, TURN_MS_MAX, 0, &n, err));
    if (n > 0 && n < TURN_MS_MIN) return FR_FAIL(err, FR_E_INVALID, "%s: expected 0 (no turn clock) or %d to %d, got %d", path, TURN_MS_MIN, TURN_MS_MAX, (int)n);
    to->turn_ms = (int)n;
    FR_TRY(fr_json_opt_int(m->json, path_of(path, at, "tick_hz"), 0, MATCH_TICK_HZ_MAX, 0, &n, err));
    to->tick_hz = (int)n;
    FR_TRY(fr_json_opt_bool(m->json, path_of(path, at, "spectators"), false, &to->spectated, err));
    FR_TRY(fr_json_opt_int(m->json, path_of(path, at, "spectator_delay_ms"), 0, SPECTATOR_DELAY_MS_MAX, SPECTATOR_DELAY_MS_DEFAULT, &n, err));
    to->spectator_delay_ms = (int)n;
    FR_TRY(fr_json_opt_text(m->json, path_of(path, at, "asset"), ASSET_ID_BYTES - 1, "PALM", &text, err));
    if (!asset_valid(text)) return FR_FAIL(err, FR_E_INVALID, "%s: an asset is capital letters and digits, such as \"PALM\"; got \"%s\"", path, text);
    snprintf(to->asset, sizeof to->asset, "%s", text);
    FR_TRY(take_stakes(m, to, at, err));
    if (fr_json_get(object, "rake")) {
        FR_TRY(take_bps(m->json, path_of(path, at, "rake"), to->rake_bps, &rake, err));
        if (rake > BPS_ALL) return FR_FAIL(err, FR_E_INVALID, "%s: the parts sum to %d basis points, and the whole pot is %d", path, rake, BPS_ALL);
    }
    FR_TRY(opt_schema(object, at, "options", &to->options, err));
    FR_TRY(check_mode(m, to, at, err));
    FR_TRY(hash_terms(to, err));
    m->mode_count++;
    return FR_OK;
}

static enum fr_status take_modes(struct manifest *m, struct fr_err *err)
{
    const struct fr_json *modes;
    bool game = strcmp(m->kind, "game") == 0;
    FR_TRY(opt_object(m->json, "modes", &modes, err));
    int count = modes ? fr_json_size(modes) : 0;
    if (game && count == 0) return FR_FAIL(err, FR_E_INVALID, "modes: a game needs at least one mode; a plugin without matches has kind \"tool\"");
    if (!game && count > 0) return FR_FAIL(err, FR_E_INVALID, "modes: only a plugin of kind \"game\" has modes, and this one is a \"%s\"", m->kind);
    if (!game && m->input_count > 0) return FR_FAIL(err, FR_E_INVALID, "inputs: only a plugin of kind \"game\" has inputs, and this one is a \"%s\"", m->kind);
    if (!game && m->relay_count > 0) return FR_FAIL(err, FR_E_INVALID, "relays: only a plugin of kind \"game\" has relays, and this one is a \"%s\"", m->kind);
    if (!modes) return FR_OK;
    FR_TRY(check_count("modes", modes, PLUGIN_MODES_MAX, err));
    for (const struct fr_json *mode = fr_json_child(modes); mode; mode = fr_json_next(mode)) FR_TRY(take_mode(m, mode, err));
    return FR_OK;
}

// ---- page

// A plain relative path below web/: no "..", no dot-files, no surprises for a URL.
static bool page_path_valid(const char *path)
{
    bool start = true;
    for (; *path; path++) {
        if (start && (*path == '.' || *path == '/')) return false;
        if (!is_lower(*path) && !is_upper(*path) && !is_digit(*path) && !strchr("._-/", *path)) return false;
        start = *path == '/';
    }
    return !start;
}

static enum fr_status take_page(struct manifest *m, struct fr_err *err)
{
    const struct fr_json *page;
    const char *text;
    FR_TRY(opt_object(m->json, "page", &page, err));
    if (!page) return FR_OK;
    FR_TRY(fr_json_only_keys(page, KEYS("title", "icon"), "page", err));
    FR_TRY(fr_json_opt_text(m->json, "page.title", sizeof m->page_title - 1, m->name, &text, err));
    snprintf(m->page_title, sizeof m->page_title, "%s", *text ? text : m->name);
    FR_TRY(fr_json_opt_text(m->json, "page.icon", sizeof m->page_icon - 1, "", &text, err));
    if (*text && !page_path_valid(text)) return FR_FAIL(err, FR_E_INVALID, "page.icon: expected a file below web/, such as \"icon.svg\", got \"%s\"", text);
    snprintf(m->page_icon, sizeof m->page_icon, "%s", text);
    m->has_page = true;
    return FR_OK;
}

// ---- translations: the two texts of a manifest that players read, in further languages

static bool language_valid(const char *tag)
{
    size_t len = strlen(tag);
    for (const char *c = tag; *c; c++) if (!is_lower(*c)) return false;
    return len == 2 || len == 3;
}

static enum fr_status take_translations(struct manifest *m, struct fr_err *err)
{
    FR_TRY(opt_object(m->json, "translations", &m->translations, err));
    if (!m->translations) return FR_OK;
    FR_TRY(check_count("translations", m->translations, MANIFEST_LANGUAGES_MAX, err));
    for (const struct fr_json *one = fr_json_child(m->translations); one; one = fr_json_next(one)) {
        char at[PATH_BYTES], path[PATH_BYTES];
        const char *text;
        const struct fr_json *object;
        if (!language_valid(fr_json_key(one))) return FR_FAIL(err, FR_E_INVALID, "translations: expected a language such as \"ko\", got \"%.20s\"", fr_json_key(one));
        path_of(at, "translations", fr_json_key(one));
        FR_TRY(fr_json_need_object(m->json, at, &object, err));
        FR_TRY(fr_json_only_keys(object, KEYS("name", "description"), at, err));
        FR_TRY(fr_json_opt_text(m->json, path_of(path, at, "name"), sizeof m->name - 1, m->name, &text, err));
        if (!*text) return FR_FAIL(err, FR_E_INVALID, "%s: a name has at least 1 byte", path);
        FR_TRY(fr_json_opt_text(m->json, path_of(path, at, "description"), 1000, "", &text, err));
    }
    return FR_OK;
}

// ---- the whole

static enum fr_status take_all(struct manifest *m, struct fr_err *err)
{
    if (fr_json_kind(m->json) != JSON_OBJECT)
        return FR_FAIL(err, FR_E_INVALID, "expected an object, got %s", fr_json_kind_name(fr_json_kind(m->json)));
    FR_TRY(fr_json_only_keys(m->json, KEYS("id", "name", "version", "api", "kind", "description", "author", "limits", "grants", "calls", "splits",
                                           "modes", "inputs", "relays", "page", "tasks", "translations"), "", err));
    FR_TRY(take_head(m, err));
    FR_TRY(take_limits(m, err));
    FR_TRY(take_grants(m, err));
    FR_TRY(take_calls(m, err));
    FR_TRY(take_splits(m, err));
    FR_TRY(take_tasks(m, err));
    FR_TRY(take_inputs(m, err));
    FR_TRY(take_relays(m, err));
    FR_TRY(take_modes(m, err));
    FR_TRY(take_page(m, err));
    return take_translations(m, err);
}

enum fr_status manifest_parse(const char *text, size_t len, struct manifest **ret, struct fr_err *err)
{
    if (len > PLUGIN_MANIFEST_BYTES_MAX) return FR_FAIL(err, FR_E_LIMIT, "plugin.json: %zu bytes, and %d are the most", len, PLUGIN_MANIFEST_BYTES_MAX);
    FR_AUTO(manifest) m = fr_alloc(sizeof *m);
    if (!m) return FR_FAIL(err, FR_E_NOMEM, "no memory for a manifest");
    enum fr_status st = fr_json_parse(text, len, &m->json, err);
    if (st == FR_OK) st = take_all(m, err);
    if (st != FR_OK) return fr_err_note(err, "plugin.json");
    *ret = FR_TAKE(m);
    return FR_OK;
}

void manifest_free(struct manifest *m)
{
    if (!m) return;
    fr_json_free(m->json);
    fr_free(m);
}

// ---- looking things up

const struct manifest_mode *manifest_mode(const struct manifest *m, const char *id)
{
    for (int i = 0; i < m->mode_count; i++) if (strcmp(m->modes[i].id, id) == 0) return &m->modes[i];
    return NULL;
}

const struct manifest_call *manifest_call(const struct manifest *m, const char *name)
{
    for (int i = 0; i < m->call_count; i++) if (strcmp(m->calls[i].name, name) == 0) return &m->calls[i];
    return NULL;
}

const struct fr_json *manifest_input(const struct manifest *m, const char *name, bool *known)
{
    for (int i = 0; i < m->input_count; i++) {
        if (strcmp(m->inputs[i].name, name) != 0) continue;
        *known = true;
        return m->inputs[i].args;
    }
    *known = false;
    return NULL;
}

const struct fr_json *manifest_relay(const struct manifest *m, const char *name, bool *known)
{
    for (int i = 0; i < m->relay_count; i++) {
        if (strcmp(m->relays[i].name, name) != 0) continue;
        *known = true;
        return m->relays[i].args;
    }
    *known = false;
    return NULL;
}

bool manifest_granted(const struct manifest *m, const char *grant)
{
    if (!grant) return true;
    if (strcmp(grant, "store") == 0) return m->grant_store;
    if (strcmp(grant, "burn") == 0) return m->grant_burn;
    if (strcmp(grant, "ledger") == 0) return m->grant_ledger;
    if (strcmp(grant, "llm") == 0) return m->grant_llm;
    return strcmp(grant, "call") == 0 && m->grant_call;
}
