// gen.c — frond-api-gen stubs | reference: what authors read, printed from the tables that the code runs by. `make stubs` calls it.
#include <stdio.h>
#include <string.h>
#include "api/game_table.h"
#include "api/table.h"

static const char *const type_names[] = {
    [API_TEXT] = "string", [API_INT] = "integer", [API_UNITS] = "integer", [API_BOOL] = "boolean", [API_ANY] = "any", [API_TABLE] = "table",
    [API_KEY] = "string", [API_PLAYER] = "string", [API_ASSET] = "string", [API_SCOPE] = "string",
};

#define EACH_ARG(a, call) (const struct api_arg *a = (call)->args; a < (call)->args + API_ARGS_MAX && a->type != API_END; a++)

static void describe(const struct api_arg *a, char *out, size_t room)
{
    switch (a->type) {
    case API_TEXT:   snprintf(out, room, "%lld to %lld bytes", (long long)a->least, (long long)a->most); break;
    case API_KEY:    snprintf(out, room, "idempotency key: the same key with the same arguments finds the first result"); break;
    case API_PLAYER: snprintf(out, room, "a player id, as ctx.player.id gives it"); break;
    case API_ASSET:  snprintf(out, room, "an asset id such as \"PALM\""); break;
    case API_SCOPE:  snprintf(out, room, "\"plugin\" or a player id"); break;
    case API_ANY:    snprintf(out, room, "plain data"); break;
    case API_INT: case API_UNITS: {
        const char *what = a->type == API_UNITS ? "base units, " : "";
        if (a->least == INT64_MIN && a->most == INT64_MAX) snprintf(out, room, "any integer");
        else if (a->most >= UNITS_MAX) snprintf(out, room, "%s%lld or more", what, (long long)a->least);
        else snprintf(out, room, "%s%lld to %lld", what, (long long)a->least, (long long)a->most);
        break;
    }
    default: out[0] = 0;
    }
}

static bool all_optional(const struct api_call *call)
{
    for EACH_ARG(a, call) if (a->in_table && !a->optional) return false;
    return true;
}

static int count_args(const struct api_call *call, bool in_table)
{
    int count = 0;
    for EACH_ARG(a, call) count += a->in_table == in_table;
    return count;
}

static const char *table_name(const struct api_call *call) { return count_args(call, false) ? "options" : "args"; }

// ---- stubs

static void print_doc(const char *prefix, const char *doc)
{
    if (*doc) printf("%s%s\n", prefix, doc);
}

static void stub_table(const struct api_call *call)
{
    if (!count_args(call, true)) return;
    printf("---@class frond.%s.%s.%s\n", call->family, call->name, table_name(call));
    for EACH_ARG(a, call) {
        char what[160];
        if (!a->in_table) continue;
        describe(a, what, sizeof what);
        printf("---@field %s%s %s%s%s\n", a->name, a->optional ? "?" : "", type_names[a->type], *what ? " " : "", what);
    }
    printf("\n");
}

// Splits "any, {a:integer, b:string}[]" at its outer commas.
static const char *next_type(const char *at, char *out, size_t room)
{
    int depth = 0;
    size_t len = 0;
    while (*at == ' ') at++;
    for (; *at && (depth || *at != ','); at++) {
        if (*at == '{' || *at == '(') depth++;
        if (*at == '}' || *at == ')') depth--;
        if (len + 1 < room) out[len++] = *at;
    }
    out[len] = 0;
    return *at == ',' ? at + 1 : at;
}

static void stub_returns(const struct api_call *call)
{
    char type[200];
    const char *at = call->returns;
    if (call->flags & API_NO_WAIT) return;
    for (int i = 0; *at || i < 3; i++) {
        type[0] = 0;
        if (*at) at = next_type(at, type, sizeof type);
        bool any = strcmp(type, "any") == 0 || i == 2;
        if (any) printf("---@return any%s\n", i == 0 ? " result" : i == 2 && !*type ? " detail" : "");
        else if (!*type) printf("---@return string? code\n");
        else if (i == 0 && !strpbrk(type, "{[ ")) printf("---@return %s?\n", type);
        else if (i == 0) printf("---@return (%s)?\n", type);
        else printf("---@return (%s|string)?\n", type);
    }
}

static void stub_call(const struct api_call *call)
{
    bool first = true;
    stub_table(call);
    print_doc("---", call->doc);
    if (call->grant) printf("---Needs the grant `%s`.\n", call->grant);
    if (call->flags & API_ASKABLE) printf("---From a match: m:ask(tag, \"%s.%s\", {...}).\n", call->family, call->name);
    for EACH_ARG(a, call) {
        char what[160];
        if (a->in_table) continue;
        describe(a, what, sizeof what);
        printf("---@param %s%s %s%s%s\n", a->name, a->optional ? "?" : "", type_names[a->type], *what ? " " : "", what);
    }
    if (count_args(call, true))
        printf("---@param %s%s frond.%s.%s.%s\n", table_name(call), all_optional(call) ? "?" : "", call->family, call->name, table_name(call));
    stub_returns(call);
    printf("function %s.%s(", call->family, call->name);
    for EACH_ARG(a, call) {
        if (a->in_table) continue;
        printf("%s%s", first ? "" : ", ", a->name);
        first = false;
    }
    if (count_args(call, true)) printf("%s%s", first ? "" : ", ", table_name(call));
    printf(") end\n\n");
}

// "lo:integer, hi:integer?" -> one @param each, then the names.
static void stub_game_fn(const struct game_fn *fn)
{
    char part[200], names[200] = "";
    const char *at = fn->params;
    print_doc("---", fn->doc);
    while (*at) {
        at = next_type(at, part, sizeof part);
        char *type = strchr(part, ':');
        *type++ = 0;
        printf("---@param %s %s\n", part, type);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "", part);
    }
    if (*fn->returns) printf("---@return %s\n", fn->returns);
    printf("function %s%s%s(%s) end\n\n", strcmp(fn->owner, "m") == 0 ? "Match" : fn->owner, strcmp(fn->owner, "m") == 0 ? ":" : ".", fn->name, names);
}

static bool first_of_family(int i)
{
    for (int j = 0; j < i; j++) if (strcmp(api_calls[j].family, api_calls[i].family) == 0) return false;
    return true;
}

static void print_stubs(void)
{
    printf("---@meta\n-- What a Frond plugin can call, for the Lua language server. Generated by `make stubs` from host/api/table.h and\n"
           "-- host/api/game_table.h; do not edit. API %s. A refusal of the world is `nil, code, detail`; mistakes raise.\n\n", API_VERSION);
    for (int i = 0; i < GAME_FIELDS; i++) {
        const struct game_field *f = &game_fields[i];
        if (i == 0 || strcmp(game_fields[i - 1].owner, f->owner) != 0) {
            if (strcmp(f->owner, "frond.Match") == 0) printf("\n---Read-only. Its methods are below.\n---@class frond.Match\n");
            else printf("%s---@class %s\n", i ? "\n" : "", f->owner);
        }
        printf("---@field %s %s%s%s\n", f->name, f->type, *f->doc ? " " : "", f->doc);
    }
    printf("local Match = {}\n\n---@class frond\n---@field null any JSON's null inside a list; a null member of an object is simply absent\nlocal frond = {}\n\n");
    for (int i = 0; i < API_COUNT; i++)
        if (first_of_family(i) && strcmp(api_calls[i].family, "frond") != 0)
            printf("---@class frond.%s\n%s = {}\nfrond.%s = %s\n\n", api_calls[i].family, api_calls[i].family, api_calls[i].family, api_calls[i].family);
    for (int i = 0; i < GAME_FNS; i++) stub_game_fn(&game_fns[i]);
    for (int i = 0; i < API_COUNT; i++) stub_call(&api_calls[i]);
    printf("return frond\n");
}

// ---- reference

static void print_escaped(const char *text)                    // inside a table cell
{
    for (; *text; text++) {
        if (*text == '|') putchar('\\');
        putchar(*text);
    }
}

static void reference_signature(const struct api_call *call)
{
    bool first = true;
    printf("### `%s.%s(", call->family, call->name);
    for EACH_ARG(a, call) {
        if (a->in_table) continue;
        printf("%s%s%s", first ? "" : ", ", a->name, a->optional ? "?" : "");
        first = false;
    }
    if (count_args(call, true)) {
        printf("%s{", first ? "" : ", ");
        bool inner = true;
        for EACH_ARG(a, call) {
            if (!a->in_table) continue;
            printf("%s%s%s", inner ? "" : ", ", a->name, a->optional ? "?" : "");
            inner = false;
        }
        printf("}");
    }
    printf(")`%s%s%s\n\n", *call->returns ? " -> `" : "", call->returns, *call->returns ? "`" : "");
}

static void reference_call(const struct api_call *call)
{
    reference_signature(call);
    printf("%s\n\n", call->doc);
    printf("Number %d. Grant: %s. Cost: %d.", call->no, call->grant ? call->grant : "none", call->cost);
    if (call->deadline_ms) printf(" Deadline: %d ms.", call->deadline_ms);
    if (call->flags & API_NO_WAIT) printf(" Does not wait.");
    if (call->flags & API_IN_MATCH) printf(" Works inside matches.");
    if (call->flags & API_ASKABLE) printf(" May be asked with `m:ask`.");
    printf("\n\n");
    if (call->args[0].type == API_END) return;
    printf("| argument | type | |\n|---|---|---|\n");
    for EACH_ARG(a, call) {
        char what[160];
        describe(a, what, sizeof what);
        printf("| `%s`%s | %s | ", a->name, a->optional ? " (optional)" : "", type_names[a->type]);
        print_escaped(what);
        printf(" |\n");
    }
    printf("\n");
}

static void reference_fields(void)
{
    for (int i = 0; i < GAME_FIELDS; i++) {
        const struct game_field *f = &game_fields[i];
        if (i == 0 || strcmp(game_fields[i - 1].owner, f->owner) != 0) printf("%s### %s\n\n| field | type | |\n|---|---|---|\n", i ? "\n" : "", f->owner);
        printf("| `%s` | `", f->name);
        print_escaped(f->type);
        printf("` | ");
        print_escaped(f->doc);
        printf(" |\n");
    }
}

static void print_reference(void)
{
    printf("# What a plugin can call\n\nGenerated by `make stubs` from `table.h` and `game_table.h`; do not edit. API version %s.\n\n"
           "`local frond = require \"frond\"` gives everything: `frond.store.get(..)`; each family is also a global (`store.get(..)`).\n"
           "A refusal of the world is `nil, code, detail`. A mistake of the plugin raises, with file, line and the lines around it.\n"
           "Coins are integers in base units. Host calls wait without holding anyone up; they work inside your own coroutines and `pcall`,\n"
           "but not inside `table.sort` or `string.gsub` callbacks, while the plugin loads, or in matches (see `m:ask`).\n\n## Root\n\n", API_VERSION);
    for (int i = 0; i < GAME_FNS; i++) {
        const struct game_fn *fn = &game_fns[i];
        if (i && strcmp(game_fns[i - 1].owner, fn->owner) != 0)
            printf("\n## In a match\n\nHandlers never wait: they change the state and emit effects. Methods of `m`:\n\n");
        printf("- `%s%s%s(%s)`%s%s%s: %s\n", fn->owner, strcmp(fn->owner, "m") == 0 ? ":" : ".", fn->name, fn->params, *fn->returns ? " -> `" : "", fn->returns,
               *fn->returns ? "`" : "", fn->doc);
    }
    printf("\nReplayable code: `pairs` visits integers ascending, then texts bytewise, and raises for other keys; `next(t)` only tells whether t is\n"
           "empty; tables and functions have no text; `math.sin`, `exp`, `log`, `^` and their like give the same bits everywhere. The state is\n"
           "read from its bytes at each turn, so one table under two names becomes two; keep nothing in module variables.\n\n## Tables\n\n");
    reference_fields();
    for (int i = 0; i < API_COUNT; i++) {
        if (first_of_family(i)) printf("\n## %s\n\n", api_calls[i].family);
        reference_call(&api_calls[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "stubs") == 0) print_stubs();
    else if (argc == 2 && strcmp(argv[1], "reference") == 0) print_reference();
    else {
        fprintf(stderr, "usage: frond-api-gen stubs | reference\n");
        return 2;
    }
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
