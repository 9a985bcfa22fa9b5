// settings.c — reading "models" of the config file. Functions stand from the parts to the whole; each path is spelled from "models" on, so that errors name it.
#include "llm/settings.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "base/auto.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/secret.h"
#include "llm/languages.h"

#define ENGINE_NAME "engine"
#define ENGINE_MODEL "smollm2-135m-instruct"
#define ENGINE_CONTEXT 2048
#define ENGINE_SLOTS 4
#define CONTEXT_DEFAULT 8192
#define CONTEXT_MAX (16 * 1024 * 1024)
#define LANGUAGES_MAX 64
#define WORDS_MAX 256
#define LIMIT_MAX 1000000000000000LL       // of a day: more is no limit

struct reading { const struct fr_json *root; const char *folder; struct llm_settings *s; struct fr_err *err; };
struct path { char text[160]; };

static const char *const can_names[] = { "chat", "text", "embed", "json", "tools", "vision", "audio", "logprobs", NULL };      // in the order of enum llm_can

// What fr_json_need_* says of the rest of a path becomes a refusal of the whole.
static enum fr_status refused(const struct reading *r)
{
    char text[FR_ERR_TEXT_BYTES];
    snprintf(text, sizeof text, "%s", r->err ? r->err->text : "");
    return FR_FAIL_CODE(r->err, FR_E_INVALID, "models", "models.%s", text);
}
#define READ(r, call) do { if ((call) != FR_OK) return refused(r); } while (0)
#define REFUSE(r, fmt, ...) FR_FAIL_CODE((r)->err, FR_E_INVALID, "models", "models." fmt, __VA_ARGS__)

static struct path path_of(const char *fmt, ...) FR_PRINTF(1, 2);
static struct path path_of(const char *fmt, ...)
{
    struct path p;
    va_list args;
    va_start(args, fmt);
    vsnprintf(p.text, sizeof p.text, fmt, args);
    va_end(args);
    return p;
}

static enum fr_status read_object(const struct reading *r, const char *path, const char *const *keys, const struct fr_json **ret)
{
    READ(r, fr_json_need_object(r->root, path, ret, r->err));
    READ(r, fr_json_only_keys(*ret, keys, path, r->err));
    return FR_OK;
}

// Absent or null: *ret is NULL.
static enum fr_status read_object_if_there(const struct reading *r, const char *key, const char *const *keys, const struct fr_json **ret)
{
    const struct fr_json *there = fr_json_get(r->root, key);
    *ret = NULL;
    return there && fr_json_kind(there) != JSON_NULL ? read_object(r, key, keys, ret) : FR_OK;
}

static bool is_name(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || strchr("._:/@+-", *c))) return false;
    return text[0] != 0;
}

static enum fr_status read_name(const struct reading *r, const char *path, char out[LLM_NAME_BYTES])
{
    const char *text;
    READ(r, fr_json_need_text(r->root, path, 1, LLM_NAME_BYTES - 1, &text, r->err));
    if (!is_name(text)) return REFUSE(r, "%s: expected letters, digits and . _ : / @ + -", path);
    snprintf(out, LLM_NAME_BYTES, "%s", text);
    return FR_OK;
}

static bool is_printable(const char *text)
{
    for (; *text; text++) if ((unsigned char)*text < 0x20 || *text == 0x7f) return false;
    return true;
}

// ---- files --------------------------------------------------------------------------------------------------------

static enum fr_status file_path(const struct reading *r, const char *path, const char *name, char *out, size_t cap)
{
    int len = name[0] == '/' ? snprintf(out, cap, "%s", name) : snprintf(out, cap, "%s/%s", r->folder ? r->folder : ".", name);
    if (len < 0 || (size_t)len >= cap) return REFUSE(r, "%s: a path over %zu bytes", path, cap - 1);
    return FR_OK;
}

// The key is the file's first line. What stands in it appears in no error.
static enum fr_status read_key(const struct reading *r, const char *path, char key[LLM_SECRET_BYTES])
{
    const char *name;
    char at[1024], text[LLM_SECRET_BYTES + 2] = "";
    READ(r, fr_json_opt_text(r->root, path, 1000, "", &name, r->err));
    if (!name[0]) return FR_OK;
    FR_TRY(file_path(r, path, name, at, sizeof at));
    FR_AUTO_FD int fd = open(at, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return REFUSE(r, "%s: %s cannot be read (%s)", path, name, strerror(errno));
    ssize_t len = read(fd, text, sizeof text - 1);
    size_t end = strcspn(text, "\r\n");
    bool good = len > 0 && end > 0 && end < LLM_SECRET_BYTES && strlen(text) == (size_t)len;
    for (size_t i = 0; good && i < end; i++) good = text[i] > 0x20 && text[i] < 0x7f;
    if (good) snprintf(key, LLM_SECRET_BYTES, "%.*s", (int)end, text);
    fr_wipe(text, sizeof text);
    return good ? FR_OK : REFUSE(r, "%s: %s does not hold a key: one line of at most %d printable characters", path, name, LLM_SECRET_BYTES - 1);
}

static enum fr_status read_ca_file(const struct reading *r, const char *path, char *out, size_t cap)
{
    const char *name;
    READ(r, fr_json_opt_text(r->root, path, cap - 1, "", &name, r->err));
    if (!name[0]) return FR_OK;
    FR_TRY(file_path(r, path, name, out, cap));
    if (access(out, R_OK) != 0) return REFUSE(r, "%s: %s cannot be read (%s)", path, name, strerror(errno));
    return FR_OK;
}

// ---- pods ---------------------------------------------------------------------------------------------------------

// "http://host:8000/v1": kept without a slash at its end; one without a path is meant to have /v1.
static enum fr_status read_url(const struct reading *r, const char *path, char out[LLM_URL_BYTES])
{
    const char *url, *host;
    READ(r, fr_json_need_text(r->root, path, 8, LLM_URL_BYTES - 4, &url, r->err));
    host = strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;
    if (!host || !host[0] || host[0] == '/') return REFUSE(r, "%s: expected http:// or https:// and a host", path);
    for (const char *c = url; *c; c++)
        if (*c <= 0x20 || *c >= 0x7f || strchr("?#@\"\\<>", *c)) return REFUSE(r, "%s: expected a plain URL, without user, query or fragment", path);
    size_t len = strlen(url);
    while (url[len - 1] == '/') len--;
    snprintf(out, LLM_URL_BYTES, "%.*s%s", (int)len, url, memchr(host, '/', (size_t)(url + len - host)) ? "" : "/v1");
    return FR_OK;
}

static enum fr_status read_pod(const struct reading *r, const char *path, int concurrency, struct llm_pod_settings *pod)
{
    static const char *const keys[] = { "url", "unix", "concurrency", NULL };
    const struct fr_json *o;
    const char *unix_path;
    int64_t n;
    FR_TRY(read_object(r, path, keys, &o));
    READ(r, fr_json_opt_text(r->root, path_of("%s.unix", path).text, sizeof pod->unix_path - 1, "", &unix_path, r->err));
    if (unix_path[0]) FR_TRY(file_path(r, path_of("%s.unix", path).text, unix_path, pod->unix_path, sizeof pod->unix_path));
    if (fr_json_get(o, "url") || !unix_path[0]) FR_TRY(read_url(r, path_of("%s.url", path).text, pod->url));
    else snprintf(pod->url, sizeof pod->url, "http://localhost/v1");
    READ(r, fr_json_opt_int(r->root, path_of("%s.concurrency", path).text, 1, LLM_POD_CALLS_MAX, concurrency, &n, r->err));
    pod->concurrency = (int)n;
    return FR_OK;
}

static enum fr_status read_pods(const struct reading *r, const char *path, const struct fr_json *backend, struct llm_backend_settings *b)
{
    const struct fr_json *pods = fr_json_get(backend, "pods");
    int64_t concurrency;
    READ(r, fr_json_opt_int(r->root, path_of("%s.concurrency", path).text, 1, LLM_POD_CALLS_MAX, 0, &concurrency, r->err));
    if (!pods) {
        b->pod_count = 1;
        b->pods[0].concurrency = (int)concurrency;
        return read_url(r, path_of("%s.url", path).text, b->pods[0].url);
    }
    if (fr_json_get(backend, "url")) return REFUSE(r, "%s.url: each of its pods has one already", path);
    READ(r, fr_json_need_array(r->root, path_of("%s.pods", path).text, 1, LLM_PODS_MAX, &pods, r->err));
    for (int n = fr_json_size(pods); b->pod_count < n; b->pod_count++) {
        struct llm_pod_settings *pod = &b->pods[b->pod_count];
        FR_TRY(read_pod(r, path_of("%s.pods[%d]", path, b->pod_count).text, (int)concurrency, pod));
        for (int i = 0; i < b->pod_count; i++)
            if (strcmp(b->pods[i].url, pod->url) == 0 && strcmp(b->pods[i].unix_path, pod->unix_path) == 0) return REFUSE(r, "%s.pods[%d]: the same address as pods[%d]", path, b->pod_count, i);
    }
    return FR_OK;
}

// ---- models -------------------------------------------------------------------------------------------------------

static enum fr_status read_can(const struct reading *r, const char *path, unsigned *can)
{
    const struct fr_json *list = NULL;
    READ(r, fr_json_need_array(r->root, path, 1, 8, &list, r->err));
    *can = 0;
    for (int i = 0, n = fr_json_size(list); i < n; i++) {
        const char *word;
        int bit = 0;
        READ(r, fr_json_need_text(r->root, path_of("%s[%d]", path, i).text, 1, 32, &word, r->err));
        while (can_names[bit] && strcmp(can_names[bit], word) != 0) bit++;
        const char *near = fr_nearest(word, can_names, -1);
        if (!can_names[bit]) return REFUSE(r, "%s[%d]: no model can \"%s\"%s%s%s", path, i, is_printable(word) ? word : "?", near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
        *can |= 1u << bit;
    }
    return FR_OK;
}

static enum fr_status read_languages(const struct reading *r, const char *path, char *out, size_t cap)
{
    const struct fr_json *list = NULL;
    size_t len = 0;
    READ(r, fr_json_need_array(r->root, path, 1, LANGUAGES_MAX, &list, r->err));
    for (int i = 0, n = fr_json_size(list); i < n; i++) {
        const char *tag;
        char normal[LLM_TAG_BYTES];
        READ(r, fr_json_need_text(r->root, path_of("%s[%d]", path, i).text, 1, LLM_TAG_BYTES - 1, &tag, r->err));
        if (!llm_language_is_tag(tag) && strcmp(tag, "*") != 0) return REFUSE(r, "%s[%d]: expected a language tag (\"ko\", \"pt-BR\") or \"*\"", path, i);
        llm_language_normal(tag, normal, sizeof normal);
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? "," : "", normal);
        if (len >= cap) return REFUSE(r, "%s: over %zu bytes together", path, cap - 1);
    }
    return FR_OK;
}

static enum fr_status read_price(const struct reading *r, const char *path, struct llm_price *price)
{
    static const char *const keys[] = { "prompt", "answer", NULL };
    const struct fr_json *o;
    FR_TRY(read_object(r, path, keys, &o));
    READ(r, fr_json_opt_units(r->root, path_of("%s.prompt", path).text, 0, UNITS_MAX / LLM_CALL_TOKENS_MAX, 0, &price->prompt_units, r->err));
    READ(r, fr_json_opt_units(r->root, path_of("%s.answer", path).text, 0, UNITS_MAX / LLM_CALL_TOKENS_MAX, 0, &price->answer_units, r->err));
    return FR_OK;
}

static enum fr_status read_model(const struct reading *r, const char *path, struct llm_model_settings *m)
{
    static const char *const keys[] = { "name", "as", "can", "languages", "only_languages", "context", "price", NULL };
    const struct fr_json *o;
    const char *as;
    FR_TRY(read_object(r, path, keys, &o));
    FR_TRY(read_name(r, path_of("%s.name", path).text, m->name));
    READ(r, fr_json_opt_text(r->root, path_of("%s.as", path).text, sizeof m->as - 1, "", &as, r->err));
    if (!is_printable(as)) return REFUSE(r, "%s.as: expected printable characters", path);
    snprintf(m->as, sizeof m->as, "%s", as);
    m->can = LLM_CAN_CHAT | LLM_CAN_TEXT;
    if (fr_json_get(o, "can")) FR_TRY(read_can(r, path_of("%s.can", path).text, &m->can));
    snprintf(m->languages, sizeof m->languages, "*");
    if (fr_json_get(o, "languages")) FR_TRY(read_languages(r, path_of("%s.languages", path).text, m->languages, sizeof m->languages));
    READ(r, fr_json_opt_bool(r->root, path_of("%s.only_languages", path).text, false, &m->only_languages, r->err));
    if (m->only_languages && llm_language_in(m->languages, "*")) return REFUSE(r, "%s.only_languages: without languages there are no others", path);
    READ(r, fr_json_opt_int(r->root, path_of("%s.context", path).text, 128, CONTEXT_MAX, CONTEXT_DEFAULT, &m->context_tokens, r->err));
    if (fr_json_get(o, "price")) FR_TRY(read_price(r, path_of("%s.price", path).text, &m->price));
    return FR_OK;
}

// ---- a backend ----------------------------------------------------------------------------------------------------

static enum fr_status read_backend(const struct reading *r, const char *path, struct llm_backend_settings *b)
{
    static const char *const keys[] = { "name", "url", "key_file", "ca_file", "pods", "models", "concurrency", "timeout_ms", NULL };
    const struct fr_json *o, *models;
    int64_t timeout;
    FR_TRY(read_object(r, path, keys, &o));
    FR_TRY(read_name(r, path_of("%s.name", path).text, b->name));
    if (strcmp(b->name, ENGINE_NAME) == 0) return REFUSE(r, "%s.name: \"%s\" is the one that is built in", path, ENGINE_NAME);
    for (int i = 0; i < r->s->backend_count; i++)
        if (strcmp(r->s->backends[i].name, b->name) == 0) return REFUSE(r, "%s.name: \"%s\" is another's name already", path, b->name);
    FR_TRY(read_key(r, path_of("%s.key_file", path).text, b->key));
    FR_TRY(read_ca_file(r, path_of("%s.ca_file", path).text, b->ca_file, sizeof b->ca_file));
    FR_TRY(read_pods(r, path, o, b));
    READ(r, fr_json_opt_int(r->root, path_of("%s.timeout_ms", path).text, 100, LLM_DEADLINE_MS_MAX, 0, &timeout, r->err));
    b->timeout_ms = (int)timeout;
    READ(r, fr_json_need_array(r->root, path_of("%s.models", path).text, 1, LLM_MODELS_MAX, &models, r->err));
    for (int n = fr_json_size(models); b->model_count < n; b->model_count++) {
        struct llm_model_settings *m = &b->models[b->model_count];
        FR_TRY(read_model(r, path_of("%s.models[%d]", path, b->model_count).text, m));
        for (int i = 0; i < b->model_count; i++) if (strcmp(b->models[i].name, m->name) == 0) return REFUSE(r, "%s.models[%d].name: \"%s\" stands there twice", path, b->model_count, m->name);
    }
    return FR_OK;
}

static enum fr_status read_backends(const struct reading *r)
{
    const struct fr_json *list = fr_json_get(r->root, "backends");
    if (!list || fr_json_kind(list) == JSON_NULL) return FR_OK;
    READ(r, fr_json_need_array(r->root, "backends", 0, LLM_BACKENDS_MAX - r->s->backend_count, &list, r->err));
    for (int i = 0, n = fr_json_size(list); i < n; i++) {
        FR_TRY(read_backend(r, path_of("backends[%d]", i).text, &r->s->backends[r->s->backend_count]));
        r->s->backend_count++;
    }
    return FR_OK;
}

// ---- the rest -----------------------------------------------------------------------------------------------------

// Named: it has to be there and to do that. Not named: the first that does it, "" when none does.
static enum fr_status find_model(const struct reading *r, const char *key, const char *said, unsigned can, char out[LLM_NAME_BYTES])
{
    const char *names[LLM_BACKENDS_MAX * LLM_MODELS_MAX];
    int count = 0;
    out[0] = 0;
    for (int b = 0; b < r->s->backend_count; b++)
        for (int i = 0; i < r->s->backends[b].model_count; i++) {
            const struct llm_model_settings *m = &r->s->backends[b].models[i];
            if (!(m->can & can)) continue;
            names[count++] = m->name;
            if (!out[0] && (!said[0] || strcmp(said, m->name) == 0)) snprintf(out, LLM_NAME_BYTES, "%s", m->name);
        }
    if (out[0] || !said[0]) return FR_OK;
    const char *near = fr_nearest(said, names, count);
    return REFUSE(r, "%s: no backend has a model \"%s\" for that%s%s%s", key, is_printable(said) ? said : "?", near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static enum fr_status read_default(const struct reading *r, const char *key, unsigned can, char out[LLM_NAME_BYTES])
{
    const char *said;
    READ(r, fr_json_opt_text(r->root, key, LLM_NAME_BYTES - 1, "", &said, r->err));
    return find_model(r, key, said, can, out);
}

static enum fr_status read_by_language(const struct reading *r)
{
    struct llm_settings *s = r->s;
    const struct fr_json *o = fr_json_get(r->root, "by_language");
    if (!o || fr_json_kind(o) == JSON_NULL) return FR_OK;
    READ(r, fr_json_need_object(r->root, "by_language", &o, r->err));
    if (fr_json_size(o) > LLM_BY_LANGUAGE_MAX) return REFUSE(r, "by_language: over %d languages", LLM_BY_LANGUAGE_MAX);
    for (const struct fr_json *m = fr_json_child(o); m; m = fr_json_next(m), s->by_language_count++) {
        struct llm_language_model *one = &s->by_language[s->by_language_count];
        const char *key = fr_json_key(m), *said = fr_json_text(m);
        if (!llm_language_is_tag(key)) return REFUSE(r, "by_language: \"%.40s\" is no language tag (\"ko\", \"pt-BR\")", is_printable(key) ? key : "?");
        struct path path = path_of("by_language.%s", key);
        if (!said || !said[0]) return REFUSE(r, "%s: expected a model's name", path.text);
        llm_language_normal(key, one->tag, sizeof one->tag);
        for (int i = 0; i < s->by_language_count; i++) if (strcasecmp(s->by_language[i].tag, one->tag) == 0) return REFUSE(r, "%s: the same language as another", path.text);
        FR_TRY(find_model(r, path.text, said, LLM_CAN_CHAT | LLM_CAN_TEXT, one->model));
    }
    return FR_OK;
}

static enum fr_status read_limit(const struct reading *r, const char *path, const struct fr_json *limits, const char *key, struct llm_limit *limit)
{
    static const char *const keys[] = { "tokens_minute", "tokens_day", "requests_minute", "requests_day", "concurrent", NULL };
    int64_t *const at[] = { &limit->tokens_minute, &limit->tokens_day, &limit->requests_minute, &limit->requests_day, &limit->concurrent };
    const struct fr_json *o;
    if (!fr_json_get(limits, key)) return FR_OK;
    FR_TRY(read_object(r, path, keys, &o));
    for (int i = 0; keys[i]; i++) READ(r, fr_json_opt_int(r->root, path_of("%s.%s", path, keys[i]).text, 1, LIMIT_MAX, 0, at[i], r->err));
    return FR_OK;
}

static enum fr_status read_limits(const struct reading *r)
{
    static const char *const keys[] = { "plugin", "player", "key", NULL };
    const struct fr_json *o;
    FR_TRY(read_object_if_there(r, "limits", keys, &o));
    if (!o) return FR_OK;
    FR_TRY(read_limit(r, "limits.plugin", o, "plugin", &r->s->plugin));
    FR_TRY(read_limit(r, "limits.player", o, "player", &r->s->player));
    return read_limit(r, "limits.key", o, "key", &r->s->key);
}

static enum fr_status read_charge(const struct reading *r)
{
    static const char *const keys[] = { "asset", "burn_bps", NULL };
    const struct fr_json *o;
    const char *asset;
    int64_t bps;
    FR_TRY(read_object_if_there(r, "price", keys, &o));
    if (!o) return FR_OK;
    READ(r, fr_json_opt_text(r->root, "price.asset", sizeof r->s->asset - 1, r->s->asset, &asset, r->err));
    if (!is_name(asset)) return REFUSE(r, "price.asset: %s", "expected an asset's name");
    snprintf(r->s->asset, sizeof r->s->asset, "%s", asset);
    READ(r, fr_json_opt_int(r->root, "price.burn_bps", 0, 10000, r->s->burn_bps, &bps, r->err));
    r->s->burn_bps = (int)bps;
    return FR_OK;
}

static enum fr_status read_filters(const struct reading *r)
{
    static const char *const keys[] = { "refuse", "hide_secrets", "hide_personal", NULL };
    const struct fr_json *o, *words;
    size_t len = 0;
    FR_TRY(read_object_if_there(r, "filters", keys, &o));
    if (!o) return FR_OK;
    READ(r, fr_json_opt_bool(r->root, "filters.hide_secrets", r->s->hide_secrets, &r->s->hide_secrets, r->err));
    READ(r, fr_json_opt_bool(r->root, "filters.hide_personal", r->s->hide_personal, &r->s->hide_personal, r->err));
    if (!fr_json_get(o, "refuse")) return FR_OK;
    READ(r, fr_json_need_array(r->root, "filters.refuse", 0, WORDS_MAX, &words, r->err));
    for (int i = 0, n = fr_json_size(words); i < n; i++) {
        const char *word;
        READ(r, fr_json_need_text(r->root, path_of("filters.refuse[%d]", i).text, 1, 200, &word, r->err));
        if (!is_printable(word)) return REFUSE(r, "filters.refuse[%d]: expected printable characters", i);
        len += (size_t)snprintf(r->s->refused_words + len, sizeof r->s->refused_words - len, "%s%s", i ? "\n" : "", word);
        if (len >= sizeof r->s->refused_words) return REFUSE(r, "filters.refuse: over %zu bytes together", sizeof r->s->refused_words - 1);
    }
    return FR_OK;
}

static enum fr_status read_bounds(const struct reading *r)
{
    static const char *const cache_keys[] = { "bytes", "ttl_s", NULL }, *const queue_keys[] = { "most", NULL };
    const struct fr_json *o;
    const char *record;
    int64_t n;
    FR_TRY(read_object_if_there(r, "cache", cache_keys, &o));
    if (o) {
        READ(r, fr_json_opt_int(r->root, "cache.bytes", 0, LLM_CACHE_BYTES_MAX, r->s->cache_bytes, &r->s->cache_bytes, r->err));
        READ(r, fr_json_opt_int(r->root, "cache.ttl_s", 0, 7 * 24 * 3600, r->s->cache_ttl_ms / 1000, &n, r->err));
        r->s->cache_ttl_ms = n * 1000;
    }
    FR_TRY(read_object_if_there(r, "queue", queue_keys, &o));
    if (o) {
        READ(r, fr_json_opt_int(r->root, "queue.most", 1, LLM_CALLS_MAX, r->s->queue_most, &n, r->err));
        r->s->queue_most = (int)n;
    }
    READ(r, fr_json_opt_text(r->root, "record", 16, "usage", &record, r->err));
    if (strcmp(record, "usage") != 0 && strcmp(record, "all") != 0) return REFUSE(r, "record: %s", "expected \"usage\" or \"all\"");
    r->s->record = strcmp(record, "all") == 0 ? LLM_RECORD_ALL : LLM_RECORD_USAGE;
    return FR_OK;
}

// ---- the whole ----------------------------------------------------------------------------------------------------

static void add_engine(struct llm_settings *s)
{
    struct llm_backend_settings *b = &s->backends[s->backend_count++];
    s->engine = true;
    snprintf(b->name, sizeof b->name, ENGINE_NAME);
    b->pod_count = 1;
    b->pods[0].concurrency = ENGINE_SLOTS;
    snprintf(b->pods[0].url, sizeof b->pods[0].url, "http://localhost/v1");
    b->model_count = 1;
    b->models[0] = (struct llm_model_settings){ .can = LLM_CAN_CHAT | LLM_CAN_TEXT | LLM_CAN_EMBED | LLM_CAN_JSON | LLM_CAN_LOGPROBS, .context_tokens = ENGINE_CONTEXT };
    snprintf(b->models[0].name, sizeof b->models[0].name, ENGINE_MODEL);
    snprintf(b->models[0].languages, sizeof b->models[0].languages, "en");
}

static void plain(struct llm_settings *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->asset, sizeof s->asset, "PALM");
    s->burn_bps = 1000;
    s->cache_bytes = 16 * 1024 * 1024;
    s->cache_ttl_ms = 600 * 1000;
    s->queue_most = LLM_QUEUE_MAX;
    s->hide_secrets = true;
}

void llm_settings_default(struct llm_settings *s)
{
    plain(s);
    add_engine(s);
    snprintf(s->default_model, sizeof s->default_model, ENGINE_MODEL);
    snprintf(s->default_embed, sizeof s->default_embed, ENGINE_MODEL);
}

static enum fr_status settings_fill(const struct reading *r)
{
    static const char *const keys[] = { "engine", "default", "default_embed", "by_language", "backends", "price", "limits", "cache", "record", "filters", "queue", NULL };
    bool engine;
    if (fr_json_kind(r->root) != JSON_OBJECT) return FR_FAIL_CODE(r->err, FR_E_INVALID, "models", "models: expected an object, got %s", fr_json_kind_name(fr_json_kind(r->root)));
    if (fr_json_only_keys(r->root, keys, "models", r->err) != FR_OK) {
        char text[FR_ERR_TEXT_BYTES];
        snprintf(text, sizeof text, "%s", r->err ? r->err->text : "");
        return FR_FAIL_CODE(r->err, FR_E_INVALID, "models", "%s", text);
    }
    READ(r, fr_json_opt_bool(r->root, "engine", true, &engine, r->err));
    if (engine) add_engine(r->s);
    FR_TRY(read_backends(r));
    FR_TRY(read_default(r, "default", LLM_CAN_CHAT | LLM_CAN_TEXT, r->s->default_model));
    FR_TRY(read_default(r, "default_embed", LLM_CAN_EMBED, r->s->default_embed));
    FR_TRY(read_by_language(r));
    FR_TRY(read_charge(r));
    FR_TRY(read_limits(r));
    FR_TRY(read_filters(r));
    return read_bounds(r);
}

enum fr_status llm_settings_read(const struct fr_json *models, const char *folder, struct llm_settings *s, struct fr_err *err)
{
    struct fr_err own;
    if (!models || fr_json_kind(models) == JSON_NULL) {
        llm_settings_default(s);
        return FR_OK;
    }
    struct llm_settings *made = fr_alloc(sizeof *made);          // aside, so that a failure leaves *s alone
    if (!made) return FR_FAIL(err, FR_E_NOMEM, "no memory for the settings of models");
    plain(made);
    struct reading r = { .root = models, .folder = folder, .s = made, .err = err ? err : &own };
    enum fr_status st = settings_fill(&r);
    if (st == FR_OK) *s = *made;
    fr_wipe(made, sizeof *made);                                 // keys are in it
    fr_free(made);
    return st;
}

const char *llm_can_name(unsigned bit)
{
    for (int i = 0; can_names[i]; i++) if (bit == 1u << i) return can_names[i];
    return "";
}

unsigned llm_can_named(const char *name)
{
    for (int i = 0; can_names[i]; i++) if (strcmp(can_names[i], name) == 0) return 1u << i;
    return 0;
}

const char *llm_settings_model_for(const struct llm_settings *s, const char *languages)
{
    char tag[LLM_TAG_BYTES];
    while (llm_language_next(&languages, tag)) {
        for (int i = 0; i < s->by_language_count; i++) if (strcasecmp(s->by_language[i].tag, tag) == 0) return s->by_language[i].model;
        for (int i = 0; i < s->by_language_count; i++) if (llm_language_in(s->by_language[i].tag, tag)) return s->by_language[i].model;
    }
    return s->default_model;
}
