// help.c — help from the table of verbs, and the version.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>
#include "base/mem.h"
#include "base/version.h"
#include "base/nearest.h"
#include "cli/internal.h"
#include "ipc/call.h"

void help_usage(const struct cli_verb *v, char *out, size_t cap)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, cap > 1 ? cap - 1 : 1);
    fr_buf_addf(&b, "frond %s", v->name);
    for (int i = 0; i < CLI_ARGS_MAX && v->args[i].name; i++)
        if (v->args[i].shown[0]) fr_buf_addf(&b, v->args[i].optional ? " [%s]" : " %s", v->args[i].shown);
    for (int i = 0; i < CLI_OPTIONS_MAX && v->options[i].name; i++)
        fr_buf_addf(&b, " [--%s%s%s]", v->options[i].name, v->options[i].value ? " " : "", v->options[i].value ? v->options[i].value : "");
    snprintf(out, cap, "%s", b.data ? b.data : "");
}

static void add_line(struct fr_buf *b, const char *left, const char *right)
{
    fr_buf_addf(b, "  %-22s %s\n", left, right);
}

static void add_options(struct fr_buf *b, const struct cli_option *list, int most)
{
    for (int i = 0; i < most && list[i].name; i++) {
        char left[60];
        snprintf(left, sizeof left, "--%s%s%s", list[i].name, list[i].value ? " " : "", list[i].value ? list[i].value : "");
        add_line(b, left, list[i].doc);
    }
}

static void add_wrapped(struct fr_buf *b, const char *text)       // at 100 columns, between words
{
    while (*text) {
        size_t len = strlen(text), cut = len;
        if (len > 100) for (cut = 100; cut > 0 && text[cut] != ' '; cut--) {}
        if (cut == 0) cut = len;
        fr_buf_add_bytes(b, text, cut);
        fr_buf_add_char(b, '\n');
        text += cut;
        while (*text == ' ') text++;
    }
}

static void add_verb(struct fr_buf *b, const struct cli_verb *v)
{
    char line[300];
    help_usage(v, line, sizeof line);
    fr_buf_addf(b, "%s\n\n%s.\n", line, v->does);
    if (v->more) add_wrapped(b, v->more);
    fr_buf_add_char(b, '\n');
    for (int i = 0; i < CLI_ARGS_MAX && v->args[i].name; i++)
        if (v->args[i].shown[0]) add_line(b, v->args[i].shown, v->args[i].doc);
    add_options(b, v->options, CLI_OPTIONS_MAX);
    add_options(b, cli_options_of_all, cli_options_of_all_count);
}

static void add_all(struct fr_buf *b)
{
    fr_buf_add(b, "frond: a host for games and plugins of strangers, next to money\n\n");
    for (int i = 0; i < cli_verb_count; i++) {
        char left[80];
        size_t len = (size_t)snprintf(left, sizeof left, "%s", cli_verbs[i].name);
        for (int a = 0; a < CLI_ARGS_MAX && cli_verbs[i].args[a].name && cli_verbs[i].args[a].shown[0] && len < sizeof left; a++)
            len += (size_t)snprintf(left + len, sizeof left - len, cli_verbs[i].args[a].optional ? " [%s]" : " %s", cli_verbs[i].args[a].shown);
        size_t group = strcspn(cli_verbs[i].name, " ");
        bool grouped = cli_verbs[i].name[group] == ' ', same = i > 0 && strncmp(cli_verbs[i].name, cli_verbs[i - 1].name, group + 1) == 0;
        bool after_group = i > 0 && strchr(cli_verbs[i - 1].name, ' ');
        if (i > 0 && !same && (grouped || after_group)) fr_buf_add_char(b, '\n');
        fr_buf_addf(b, "  %-33s %s\n", left, cli_verbs[i].does);
    }
    fr_buf_add(b, "\nEvery verb takes:\n");
    add_options(b, cli_options_of_all, cli_options_of_all_count);
    fr_buf_add(b, "\n`frond help VERB` says more. Exit codes: 0 done, 1 refused, 2 usage.\n");
}

// ---- as verbs

static const struct cli_verb *help_about(const struct cli *c, char name[100])
{
    const char *first = cli_arg(c, "verb"), *second = cli_arg(c, "word"), *third = cli_arg(c, "last");
    snprintf(name, 100, "%.32s%s%.32s%s%.32s", first, second ? " " : "", second ? second : "", third ? " " : "", third ? third : "");
    return cli_verb_find(name);
}

// `frond help plugin`: the verbs that begin so.
static bool add_group(struct fr_buf *b, const char *group)
{
    size_t len = strlen(group);
    bool any = false;
    for (int i = 0; i < cli_verb_count; i++) {
        char line[300];
        if (strncmp(cli_verbs[i].name, group, len) != 0 || cli_verbs[i].name[len] != ' ') continue;
        help_usage(&cli_verbs[i], line, sizeof line);
        fr_buf_addf(b, "%s\n    %s\n", line, cli_verbs[i].does);
        any = true;
    }
    return any;
}

enum fr_status run_help(struct cli *c, struct fr_err *err)
{
    char name[100];
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 64 * 1024);
    const struct cli_verb *v = cli_arg(c, "verb") ? help_about(c, name) : NULL;
    if (!cli_arg(c, "verb")) add_all(&text);
    else if (v) add_verb(&text, v);
    else if (!add_group(&text, name)) {
        const char *names[CLI_VERBS_MAX];
        assert(cli_verb_count <= CLI_VERBS_MAX);
        for (int i = 0; i < cli_verb_count; i++) names[i] = cli_verbs[i].name;
        const char *near = fr_nearest(name, names, cli_verb_count);
        return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "there is no verb \"%s\"; %s%s%s", name, near ? "did you mean \"" : "`frond help` lists them", near ? near : "", near ? "\"?" : "");
    }
    fr_buf_add(&c->out, "{\"text\":");
    fr_buf_add_json_text(&c->out, text.data);
    fr_buf_add(&c->out, "}");
    return FR_OK;
}

enum fr_status run_version(struct cli *c, struct fr_err *err)
{
    (void)err;
    fr_buf_addf(&c->out, "{\"frond\":\"" FROND_VERSION "\",\"engine\":\"" ENGINE_ID "\",\"libuv\":\"%s\",\"compiler\":\"%s\"}", uv_version_string(),
#ifdef __clang__
                "clang " __clang_version__
#else
                "gcc " __VERSION__
#endif
    );
    return FR_OK;
}
