// plugins.c — `plugin install`, and a host's plugins for people.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/internal.h"

enum fr_status run_plugin_install(struct cli *c, struct fr_err *err)
{
    FR_AUTO_BUF(args);
    fr_buf_init(&args, CONSOLE_LINE_BYTES_MAX);
    char *path = realpath(cli_arg(c, "folder"), NULL);       // the host's own folder is another
    if (!path && errno == ENOENT) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "folder_missing", "there is no folder %.300s", cli_arg(c, "folder"));
    if (!path) return FR_FAIL_CODE(err, FR_E_NOT_FOUND, "folder_missing", "%.300s: %s", cli_arg(c, "folder"), strerror(errno));
    fr_buf_add(&args, "{\"folder\":");
    fr_buf_add_json_bytes(&args, path, strlen(path));
    fr_buf_add_char(&args, '}');
    free(path);
    FR_TRY(fr_buf_check(&args, "the arguments", err));
    return cli_ask(c, "plugin.install", args.data, &c->out, err);
}

static void print_rejected(FILE *out, const struct fr_json *plugin)
{
    const struct fr_json *rejected = fr_json_get(plugin, "rejected");
    if (!rejected || fr_json_kind(rejected) != JSON_OBJECT) return;
    fprintf(out, "\n%s %s was not taken: ", text_of(plugin, "id"), text_of(rejected, "version"));
    print_text(out, text_of(rejected, "text"));
    fputc('\n', out);
    for (const char *at = text_of(rejected, "frame"); *at; ) {
        size_t len = strcspn(at, "\n");
        char line[300];
        snprintf(line, sizeof line, "%.*s", (int)len, at);
        fputs("    ", out);
        print_text(out, line);
        fputc('\n', out);
        at += len + (at[len] == '\n');
    }
}

void print_plugin_list(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    print_value(out, v, "id version kind state workers up matches draining calls cpu_ms restarts blocked error");
    for (const struct fr_json *p = fr_json_child(v); p; p = fr_json_next(p)) print_rejected(out, p);
}

void print_plugin_changed(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    if (!fr_json_get(v, "id")) { fputs("done\n", out); return; }
    fprintf(out, "%s %s serves", text_of(v, "id"), text_of(v, "version"));
    double draining = fr_json_number(fr_json_get(v, "draining"));
    if (draining > 0) fprintf(out, "; %.0f match%s end on the version before", draining, draining == 1 ? "" : "es");
    fputc('\n', out);
}
