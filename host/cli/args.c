// args.c — words of the command line against the table of verbs.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "base/nearest.h"
#include "cli/internal.h"

const struct cli_verb *cli_verb_find(const char *name)
{
    for (int i = 0; i < cli_verb_count; i++)
        if (strcmp(cli_verbs[i].name, name) == 0) return &cli_verbs[i];
    return NULL;
}

// ---- one line of words

struct words { int count, at; char **word; bool plain; };      // plain: "--" was there, no more options

static enum fr_status usage(struct fr_err *err, const char *text)
{
    return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "%s", text);
}

static int options_of(const struct cli_verb *v, struct cli_option list[CLI_OPTIONS_MAX + 8])
{
    int count = 0;
    for (int i = 0; v && i < CLI_OPTIONS_MAX && v->options[i].name; i++) list[count++] = v->options[i];
    for (int i = 0; i < cli_options_of_all_count; i++) list[count++] = cli_options_of_all[i];
    return count;
}

static enum fr_status unknown_option(const struct cli_verb *v, const char *name, struct fr_err *err)
{
    struct cli_option list[CLI_OPTIONS_MAX + 8];
    const char *names[CLI_OPTIONS_MAX + 8];
    int count = options_of(v, list);
    for (int i = 0; i < count; i++) names[i] = list[i].name;
    const char *near = fr_nearest(name, names, count);
    char who[60];
    snprintf(who, sizeof who, "frond%s%s", v ? " " : "", v ? v->name : "");
    if (near) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "%s has no option --%.60s; did you mean --%s?", who, name, near);
    return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "%s has no option --%.60s; `frond help%s%s` lists them", who, name, v ? " " : "", v ? v->name : "");
}

static void option_keep(struct cli *c, const char *name, const char *value)
{
    if (strcmp(name, "data") == 0) c->data = value;
    else if (strcmp(name, "json") == 0) c->json = true;
    else if (strcmp(name, "help") == 0) c->help = true;
    for (int i = 0; c->verb && i < CLI_OPTIONS_MAX && c->verb->options[i].name; i++)
        if (strcmp(c->verb->options[i].name, name) == 0) c->option[i] = value;
}

// word: "--name", "--name=value"; its value may be the next word.
static enum fr_status option_take(struct words *w, const char *word, struct cli *c, struct fr_err *err)
{
    struct cli_option list[CLI_OPTIONS_MAX + 8];
    char name[NEAREST_BYTES_MAX + 1];
    const char *equals = strchr(word, '='), *value = equals ? equals + 1 : NULL;
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    int count = options_of(c->verb, list);
    snprintf(name, sizeof name, "%.*s", (int)(len < NEAREST_BYTES_MAX ? len : NEAREST_BYTES_MAX), word);
    for (int i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) != 0) continue;
        if (!list[i].value && value) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--%s takes no value", name);
        if (list[i].value && !value && w->at < w->count) value = w->word[w->at++];
        if (list[i].value && (!value || !value[0])) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--%s needs a value: --%s %s", name, name, list[i].value);
        if (list[i].value && strcmp(list[i].value, "N") == 0 && strspn(value, "0123456789") != strlen(value))
            return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--%s wants a whole number, not \"%.40s\"", name, value);
        option_keep(c, list[i].name, list[i].value ? value : "");
        return FR_OK;
    }
    return unknown_option(c->verb, name, err);
}

// The next word that is no option; NULL at the end.
static enum fr_status word_next(struct words *w, struct cli *c, const char **ret, struct fr_err *err)
{
    *ret = NULL;
    while (w->at < w->count) {
        const char *word = w->word[w->at++];
        if (!w->plain && strcmp(word, "--") == 0) { w->plain = true; continue; }
        if (!w->plain && strcmp(word, "-h") == 0) word = "--help";
        if (w->plain || word[0] != '-' || word[1] == '\0') { *ret = word; return FR_OK; }
        if (word[1] != '-') return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "options are written --name: there is no option %.60s", word);
        if (strcmp(word, "--version") == 0 && !c->verb) { *ret = "version"; return FR_OK; }
        FR_TRY(option_take(w, word + 2, c, err));
    }
    return FR_OK;
}

// ---- verbs of one word ("doctor"), of two ("plugin new") and of three ("llm key new")

static bool is_group(const char *word)
{
    size_t len = strlen(word);
    for (int i = 0; i < cli_verb_count; i++)
        if (strncmp(cli_verbs[i].name, word, len) == 0 && cli_verbs[i].name[len] == ' ') return true;
    return false;
}

static enum fr_status verb_unknown(const char *typed, struct fr_err *err)
{
    const char *names[CLI_VERBS_MAX], *groups[CLI_VERBS_MAX];
    char first[CLI_VERBS_MAX][NEAREST_BYTES_MAX + 1];
    int count = 0;
    assert(cli_verb_count <= CLI_VERBS_MAX);
    for (; count < cli_verb_count; count++) {
        names[count] = cli_verbs[count].name;
        snprintf(first[count], sizeof first[count], "%.*s", (int)strcspn(names[count], " "), names[count]);
        groups[count] = first[count];
    }
    const char *near = fr_nearest(typed, names, count);
    if (!near && !strchr(typed, ' ')) near = fr_nearest(typed, groups, count);
    for (int i = 0; !near && i < count; i++) {             // `frond replay ID`: the second word alone
        const char *space = strchr(names[i], ' ');
        if (space && strcmp(space + 1, typed) == 0) near = names[i];
    }
    if (near) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "there is no verb \"%.60s\"; did you mean \"frond %s\"?", typed, near);
    return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "there is no verb \"%.60s\"; `frond help` lists them", typed);
}

static enum fr_status group_alone(const char *group, struct fr_err *err)
{
    char list[200] = "";
    size_t len = strlen(group), at = 0;
    for (int i = 0; i < cli_verb_count; i++)
        if (strncmp(cli_verbs[i].name, group, len) == 0 && cli_verbs[i].name[len] == ' ' && at < sizeof list)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", cli_verbs[i].name + len + 1);
    return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "frond %s what? One of: %s", group, list);
}

static enum fr_status verb_take(struct words *w, struct cli *c, struct fr_err *err)
{
    const char *first, *second, *third;
    char both[2 * NEAREST_BYTES_MAX + 2], all[3 * NEAREST_BYTES_MAX + 3];
    FR_TRY(word_next(w, c, &first, err));
    if (!first) {
        if (c->help) return FR_OK;
        return usage(err, "what shall it do? `frond help` lists the verbs");
    }
    c->verb = cli_verb_find(first);
    if (c->verb) return FR_OK;
    if (!is_group(first)) return verb_unknown(first, err);
    FR_TRY(word_next(w, c, &second, err));
    if (!second) return group_alone(first, err);
    snprintf(both, sizeof both, "%.*s %.*s", NEAREST_BYTES_MAX, first, NEAREST_BYTES_MAX, second);
    c->verb = cli_verb_find(both);
    if (c->verb) return FR_OK;
    if (!is_group(both)) return verb_unknown(both, err);
    FR_TRY(word_next(w, c, &third, err));
    if (!third) return group_alone(both, err);
    snprintf(all, sizeof all, "%s %.*s", both, NEAREST_BYTES_MAX, third);
    c->verb = cli_verb_find(all);
    return c->verb ? FR_OK : verb_unknown(all, err);
}

static enum fr_status args_take(struct words *w, struct cli *c, struct fr_err *err)
{
    char line[200];
    int count = 0;
    for (const char *word;;) {
        FR_TRY(word_next(w, c, &word, err));
        if (!word) break;
        if (count == CLI_ARGS_MAX || !c->verb->args[count].name) {
            help_usage(c->verb, line, sizeof line);
            return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "\"%.60s\" is one argument too many: %s", word, line);
        }
        if (!word[0]) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "%s is empty", c->verb->args[count].shown);      // a variable of a script that was not set
        c->arg[count++] = word;
    }
    if (c->help || count == CLI_ARGS_MAX || !c->verb->args[count].name || c->verb->args[count].optional) return FR_OK;
    help_usage(c->verb, line, sizeof line);
    return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "%s is missing: %s", c->verb->args[count].shown, line);
}

// --json counts also behind the word that is wrong: whoever reads the answer asked for JSON.
static void look_for_json(const struct words *w, struct cli *c)
{
    for (int i = w->at; i < w->count && strcmp(w->word[i], "--") != 0; i++) if (strcmp(w->word[i], "--json") == 0) c->json = true;
}

enum fr_status args_parse(int argc, char **argv, struct cli *c, struct fr_err *err)
{
    struct words w = { .count = argc, .at = 1, .word = argv };
    look_for_json(&w, c);
    FR_TRY(verb_take(&w, c, err));
    return c->verb ? args_take(&w, c, err) : FR_OK;
}

// ---- what was given

const char *cli_option(const struct cli *c, const char *name)
{
    for (int i = 0; i < CLI_OPTIONS_MAX && c->verb->options[i].name; i++)
        if (strcmp(c->verb->options[i].name, name) == 0) return c->option[i];
    assert(!"the verb has no such option");
    return NULL;
}

const char *cli_arg(const struct cli *c, const char *name)
{
    for (int i = 0; i < CLI_ARGS_MAX && c->verb->args[i].name; i++)
        if (strcmp(c->verb->args[i].name, name) == 0) return c->arg[i];
    assert(!"the verb has no such argument");
    return NULL;
}

enum fr_status cli_option_int(const struct cli *c, const char *name, int64_t least, int64_t most, int64_t def, int64_t *ret, struct fr_err *err)
{
    const char *text = cli_option(c, name);
    char *end;
    if (!text) { *ret = def; return FR_OK; }
    long long value = strtoll(text, &end, 10);
    if (*end || end == text || value < least || value > most)
        return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--%s wants a whole number from %lld to %lld, not \"%.40s\"", name, (long long)least, (long long)most, text);
    *ret = value;
    return FR_OK;
}
