// check.c — `plugin check`: read the folder, load the code in the real sandbox, compare it with plugin.json, rehearse its game.
#include "cli/check.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/mem.h"
#include "plugin/definition.h"

#define LOAD_MS 10000
#define FINDINGS_BYTES_MAX (256 * 1024)

// ---- what was found

static void add_element(struct fr_buf *list)
{
    if (list->len > 0) fr_buf_add_char(list, ',');
}

void check_done(struct check *k, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    add_element(&k->done);
    fr_buf_add_json_text(&k->done, text);
}

void check_problem(struct check *k, const char *frame, const char *fmt, ...)
{
    FR_AUTO_BUF(text);
    va_list args;
    fr_buf_init(&text, 8192);
    va_start(args, fmt);
    fr_buf_vaddf(&text, fmt, args);
    va_end(args);
    k->problem_count++;
    add_element(&k->problems);
    fr_buf_add(&k->problems, "{\"text\":");
    fr_buf_add_json_text(&k->problems, text.data ? text.data : "");
    fr_buf_add(&k->problems, ",\"frame\":");
    fr_buf_add_json_text(&k->problems, frame);
    fr_buf_add_char(&k->problems, '}');
}

void check_raised(struct check *k, const char *where, const struct fr_json *error)
{
    const char *file = fr_json_text(fr_json_get(error, "file")), *detail = fr_json_text(fr_json_get(error, "detail"));
    const char *colon = where[0] ? ": " : "";
    if (!detail) detail = "it failed and did not say why";
    if (file) check_problem(k, fr_json_text(fr_json_get(error, "frame")), "%s%s%s:%.0f: %s", where, colon, file, fr_json_number(fr_json_get(error, "line")), detail);
    else check_problem(k, NULL, "%s%s%s", where, colon, detail);
}

// ---- loading

static void on_up(void *arg, struct sandbox_worker *w, const char *definition)
{
    struct check *k = arg;
    struct fr_err bad;
    k->worker = w;
    if (k->answered) return;                           // started again after its death: the rehearsal is over anyway
    k->answered = true;
    k->loaded = fr_json_parse(definition, strlen(definition), &k->definition, &bad) == FR_OK;
    if (!k->loaded) check_problem(k, NULL, "what main.lua defines cannot be read: %s", bad.text);
}

static void on_load_failed(void *arg, struct sandbox_worker *w, const char *error_json)
{
    struct check *k = arg;
    FR_AUTO(fr_json) error = NULL;
    struct fr_err bad;
    (void)w;
    k->answered = true;
    if (fr_json_parse(error_json, strlen(error_json), &error, &bad) == FR_OK) check_raised(k, "", error);
    else check_problem(k, NULL, "it does not load");
}

static void on_down(void *arg, struct sandbox_worker *w, const struct sandbox_death *death)
{
    struct check *k = arg;
    (void)w;
    if (!k->answered) check_problem(k, NULL, "its worker ended while loading: %s: %s", death->code, death->text);
    k->answered = k->down = true;
}

static void on_ask(void *arg, struct sandbox_worker *w, const struct sandbox_ask *ask)
{
    (void)arg; (void)w; (void)ask;                     // logs of a rehearsal are nobody's
}

static enum fr_status load(struct check *k, struct fr_err *err)
{
    const struct package *p = k->package;
    FR_AUTO_BUF(options);
    fr_buf_init(&options, 4096);
    package_options(p, &options);
    FR_TRY(fr_buf_check(&options, "the worker's options", err));
    struct sandbox_spec spec = { .name = p->manifest->id, .version = p->manifest->version, .options_json = options.data, .files = p->files, .file_count = p->file_count,
                                 .heap_bytes = p->manifest->heap_bytes, .arg = k, .on_up = on_up, .on_down = on_down, .on_load_failed = on_load_failed, .on_ask = on_ask };
    FR_TRY(sandbox_worker_start(k->box.sandbox, &spec, &k->worker, err));
    return box_wait(&k->box, &k->answered, LOAD_MS, err);
}

static enum fr_status examine(struct check *k, const char *folder, int matches, struct fr_err *err)
{
    const struct manifest *m = k->package->manifest;
    struct fr_err wrong;
    FR_TRY(load(k, err));
    if (!k->loaded) return FR_OK;
    if (definition_check(m, k->definition, &wrong) != FR_OK) {
        check_problem(k, NULL, "%s", wrong.text);
        return FR_OK;
    }
    check_done(k, "main.lua loads in the sandbox and defines what plugin.json declares: %d calls, %d modes, %d inputs", m->call_count, m->mode_count, m->input_count);
    for (int i = 0; i < m->mode_count && !k->down; i++) FR_TRY(rehearse_mode(k, &m->modes[i], matches, err));
    return m->call_count > 0 ? rehearse_calls(k, folder, err) : FR_OK;
}

// ---- the verb

enum fr_status check_folder(struct check *k, const char *folder, int matches, struct fr_err *err)
{
    struct stat st;
    struct fr_err wrong;
    *k = (struct check){ 0 };
    fr_buf_init(&k->done, FINDINGS_BYTES_MAX);
    fr_buf_init(&k->problems, FINDINGS_BYTES_MAX);
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "folder_missing", "there is no folder %.300s", folder);
    enum fr_status read = package_load(folder, &k->package, &wrong);
    if (read == FR_E_NOMEM) { *err = wrong; return read; }
    if (read != FR_OK) {
        check_problem(k, NULL, "%s", wrong.text);
        return FR_OK;
    }
    check_done(k, "plugin.json is right: %s %s, %s", k->package->manifest->id, k->package->manifest->version, k->package->manifest->kind);
    FR_TRY(box_open(&k->box, err));
    enum fr_status st2 = examine(k, folder, matches, err);
    if (k->worker) sandbox_worker_stop(k->worker);
    box_close(&k->box);
    return st2;
}

enum fr_status check_end(struct check *k, const char *folder, struct fr_buf *out, struct fr_err *err)
{
    const struct manifest *m = k->package ? k->package->manifest : NULL;
    fr_buf_add(out, "{\"plugin\":");
    fr_buf_add_json_text(out, m ? m->id : NULL);
    fr_buf_add(out, ",\"version\":");
    fr_buf_add_json_text(out, m ? m->version : NULL);
    fr_buf_add(out, ",\"kind\":");
    fr_buf_add_json_text(out, m ? m->kind : NULL);
    fr_buf_addf(out, ",\"done\":[%s],\"problems\":[%s]}", k->done.data ? k->done.data : "", k->problems.data ? k->problems.data : "");
    int problems = k->problem_count;
    fr_buf_free(&k->done);
    fr_buf_free(&k->problems);
    package_free(k->package);
    fr_json_free(k->definition);
    if (problems == 0) return FR_OK;
    return FR_FAIL_CODE(err, FR_E_INVALID, "check_failed", "%.300s has %d problem%s", folder, problems, problems == 1 ? "" : "s");
}

enum fr_status run_plugin_check(struct cli *c, struct fr_err *err)
{
    struct check k;
    int64_t matches;
    struct fr_err ignored;
    FR_TRY(cli_option_int(c, "matches", 1, 1000, CHECK_MATCHES_DEFAULT, &matches, err));
    enum fr_status st = check_folder(&k, cli_arg(c, "dir"), (int)matches, err);
    if (st == FR_OK) return check_end(&k, cli_arg(c, "dir"), &c->out, err);
    FR_IGNORE(check_end(&k, cli_arg(c, "dir"), &c->out, &ignored));      // frees; the error says what kept us from checking
    fr_buf_clear(&c->out);
    return st;
}
