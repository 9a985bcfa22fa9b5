// backup.c — `backup`: by the running host, or by us on a folder that no host holds. Progress goes to a terminal, never into a pipe.
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "cli/internal.h"

#define LOOK_MS 100

static void sleep_ms(int ms)
{
    nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L }, NULL);
}

static void progress(const struct cli *c, int64_t done, int64_t all)
{
    if (c->json || !isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r%3d%%", all > 0 ? (int)(100 * done / all) : 0);
}

static void progress_end(const struct cli *c)
{
    if (!c->json && isatty(STDERR_FILENO)) fputs("\r    \r", stderr);
}

// A host has another current folder, so it is told the whole path.
static enum fr_status whole_path(const char *name, char out[BACKUP_PATH_BYTES], struct fr_err *err)
{
    char here[BACKUP_PATH_BYTES];
    size_t len = strlen(name);
    while (len > 1 && name[len - 1] == '/') len--;
    if (name[0] != '/' && !getcwd(here, sizeof here)) return FR_FAIL(err, FR_E_IO, "where are we? %s", strerror(errno));
    int n = name[0] == '/' ? snprintf(out, BACKUP_PATH_BYTES, "%.*s", (int)len, name) : snprintf(out, BACKUP_PATH_BYTES, "%s/%.*s", here, (int)len, name);
    return len > 0 && n < BACKUP_PATH_BYTES - 100 ? FR_OK : FR_FAIL_CODE(err, FR_E_INVALID, "backup_path", "the backup's name is empty or too long");
}

// ---- by the host

static enum fr_status status_ask(struct cli *c, struct fr_json **ret, const char **state, struct fr_err *err)
{
    FR_AUTO_BUF(text);
    fr_buf_init(&text, CLI_RESULT_BYTES_MAX);
    FR_TRY(cli_ask(c, "backup.status", "{}", &text, err));
    FR_TRY(fr_json_parse(text.data, text.len, ret, err));
    return fr_json_need_text(*ret, "state", 1, 20, state, err);
}

// Until it ends. A host that goes away leaves nothing under the final name.
static enum fr_status host_wait(struct cli *c, struct backup *made, const char *to, struct fr_err *err)
{
    for (;;) {
        FR_AUTO(fr_json) json = NULL;
        const char *state;
        sleep_ms(LOOK_MS);
        FR_TRY(status_ask(c, &json, &state, err));
        progress(c, (int64_t)fr_json_number(fr_json_get(json, "pages_done")), (int64_t)fr_json_number(fr_json_get(json, "pages")));
        if (strcmp(state, "running") == 0) continue;
        progress_end(c);
        if (strcmp(state, "done") == 0) return backup_read(to, made, err);
        const char *code = fr_json_text(fr_json_get(json, "code")), *detail = fr_json_text(fr_json_get(json, "detail"));
        return FR_FAIL_CODE(err, FR_E_IO, code ? code : "io", "%s", detail ? detail : "the host knows nothing of this backup: was it started again?");
    }
}

static enum fr_status by_host(struct cli *c, const char *to, bool force, struct backup *made, struct fr_err *err)
{
    FR_AUTO_BUF(args); FR_AUTO_BUF(answer);
    fr_buf_init(&args, CONSOLE_LINE_BYTES_MAX);
    fr_buf_init(&answer, 4096);
    fr_buf_add(&args, "{\"to\":");
    fr_buf_add_json_bytes(&args, to, strlen(to));
    fr_buf_addf(&args, ",\"force\":%s}", force ? "true" : "false");
    FR_TRY(cli_ask(c, "backup.start", args.data, &answer, err));
    return host_wait(c, made, to, err);
}

// ---- by us

struct alone { struct store *store; const char *data, *to; bool force; struct store_copy_watch watch; struct backup *made; enum fr_status st; struct fr_err *err; _Atomic bool done; };

static void *alone_main(void *arg)
{
    struct alone *a = arg;
    a->st = backup_make(a->store, a->data, a->to, a->force, &a->watch, a->made, a->err);
    a->done = true;
    return NULL;
}

static enum fr_status by_us(struct cli *c, const char *to, bool force, struct backup *made, struct fr_err *err)
{
    struct alone a = { .data = c->data, .to = to, .force = force, .made = made, .err = err };
    pthread_t thread;
    FR_TRY(store_open(&(struct store_options){ .folder = c->data, .read_only = true, .older_too = true }, &a.store, err));
    int rc = pthread_create(&thread, NULL, alone_main, &a);
    if (rc != 0) a.st = FR_FAIL(err, FR_E_BUSY, "no thread for a backup: %s", strerror(rc));
    while (rc == 0 && !a.done) {
        sleep_ms(20);
        progress(c, a.watch.pages_done, a.watch.pages);
    }
    if (rc == 0) pthread_join(thread, NULL);
    progress_end(c);
    store_close(a.store);
    return a.st;
}

enum fr_status run_backup(struct cli *c, struct fr_err *err)
{
    char to[BACKUP_PATH_BYTES];
    struct backup made;
    bool force = cli_option(c, "force") != NULL, verify = cli_option(c, "verify") != NULL;
    host_register_modules();
    FR_TRY(cli_data_exists(c, err));
    FR_TRY(whole_path(cli_arg(c, "dir"), to, err));
    FR_TRY(cli_host_answers(c) ? by_host(c, to, force, &made, err) : by_us(c, to, force, &made, err));
    backup_print(&made, to, &c->out);
    enum fr_status st = verify ? backup_check(to, &made, err) : FR_OK;
    fr_buf_addf(&c->out, ",\"verified\":%s}", verify && st == FR_OK ? "true" : "false");
    return st;
}
