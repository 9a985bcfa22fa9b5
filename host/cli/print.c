// print.c — JSON for people: objects as aligned lines, lists of objects as tables. What others wrote may hold terminal commands; none
// of its control characters reaches the terminal.
#include <stdio.h>
#include <string.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/internal.h"

#define COLUMNS_MAX 16
#define CELL_CHARS_MAX 100                 // of one cell in a table; ids and hashes are shorter

// ---- text of others

static bool is_harmful(const unsigned char *at, size_t bytes)
{
    if (bytes == 1) return *at < 0x20 || *at == 0x7f;
    if (bytes == 2) return at[0] == 0xc2 && at[1] < 0xa0;                                            // C1 controls
    if (bytes != 3 || at[0] != 0xe2) return false;
    return (at[1] == 0x80 && ((at[2] >= 0xaa && at[2] <= 0xae) || at[2] == 0xa8 || at[2] == 0xa9)) ||   // overriding the direction, line separators
           (at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9);
}

// Appends at most `most` characters; returns how many. Lines are kept only where `lines` says so.
static int add_harmless(struct fr_buf *out, const char *text, int most, bool lines)
{
    size_t left = strlen(text);
    int count = 0;
    while (left > 0) {
        size_t bytes = fr_utf8_char(text, left);
        if (count == most - 1 && left > bytes) {
            fr_buf_add(out, "\u2026");
            return count + 1;
        }
        if (bytes == 0) { bytes = 1; fr_buf_add_char(out, '?'); }
        else if (lines && *text == '\n') fr_buf_add_char(out, '\n');
        else if (bytes == 1 && (*text == '\n' || *text == '\t')) fr_buf_add_char(out, ' ');
        else if (is_harmful((const unsigned char *)text, bytes)) fr_buf_add_char(out, '?');
        else fr_buf_add_bytes(out, text, bytes);
        text += bytes;
        left -= bytes;
        count++;
    }
    return count;
}

static void print_harmless(FILE *out, const char *text, bool lines)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 4 * CLI_RESULT_BYTES_MAX);
    add_harmless(&b, text, INT32_MAX, lines);
    if (b.len > 0) fwrite(b.data, 1, b.len, out);
}

void print_text(FILE *out, const char *text) { print_harmless(out, text, false); }

static void print_indented(FILE *out, const char *text, const char *indent)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        FR_AUTO_BUF(line);
        fr_buf_init(&line, CLI_RESULT_BYTES_MAX);
        fr_buf_add_bytes(&line, text, len);
        fputs(indent, out);
        print_text(out, line.data ? line.data : "");
        fputc('\n', out);
        text += len + (text[len] == '\n');
    }
}

// ---- one value on one line

static bool is_table(const struct fr_json *v)
{
    return fr_json_kind(v) == JSON_ARRAY && fr_json_child(v) && fr_json_kind(fr_json_child(v)) == JSON_OBJECT;
}

static int add_cell(struct fr_buf *out, const struct fr_json *v, int most)
{
    const char *text = v ? fr_json_text(v) : NULL;
    if (!v || fr_json_kind(v) == JSON_NULL) return add_harmless(out, "-", most, false);
    if (text) return add_harmless(out, text[0] ? text : "-", most, false);
    if (fr_json_kind(v) == JSON_BOOL) return add_harmless(out, fr_json_is_true(v) ? "yes" : "no", most, false);
    FR_AUTO_BUF(json);
    fr_buf_init(&json, CLI_RESULT_BYTES_MAX);
    fr_json_print(v, &json);
    return add_harmless(out, json.data ? json.data : "", most, false);
}

static void pad(FILE *out, int count)
{
    fprintf(out, "%*s", count, "");
}

// ---- tables

struct column { char name[40]; int width; bool number; };

static int columns_read(const char *names, const struct fr_json *first, struct column list[COLUMNS_MAX])
{
    int count = 0;
    if (!names) {
        for (const struct fr_json *m = fr_json_child(first); m && count < COLUMNS_MAX; m = fr_json_next(m))
            snprintf(list[count++].name, sizeof list[0].name, "%s", fr_json_key(m));
        return count;
    }
    while (*names && count < COLUMNS_MAX) {
        size_t len = strcspn(names, " ");
        snprintf(list[count++].name, sizeof list[0].name, "%.*s", (int)len, names);
        names += len + (names[len] == ' ');
    }
    return count;
}

static void columns_measure(const struct fr_json *rows, struct column *list, int count)
{
    for (int i = 0; i < count; i++) {
        list[i].width = (int)strlen(list[i].name);
        list[i].number = true;
        for (const struct fr_json *row = fr_json_child(rows); row; row = fr_json_next(row)) {
            FR_AUTO_BUF(cell);
            fr_buf_init(&cell, 4 * CELL_CHARS_MAX + 8);
            int chars = add_cell(&cell, fr_json_get(row, list[i].name), CELL_CHARS_MAX);
            if (chars > list[i].width) list[i].width = chars;
            if (cell.len == 0 || strspn(cell.data, "-0123456789.") != cell.len) list[i].number = false;
        }
    }
}

static void print_row(FILE *out, const struct fr_json *row, const struct column *list, int count, const char *indent)     // row NULL: the head
{
    fputs(indent, out);
    for (int i = 0; i < count; i++) {
        FR_AUTO_BUF(cell);
        fr_buf_init(&cell, 4 * CELL_CHARS_MAX + 8);
        int chars = row ? add_cell(&cell, fr_json_get(row, list[i].name), CELL_CHARS_MAX) : add_harmless(&cell, list[i].name, CELL_CHARS_MAX, false);
        if (list[i].number) pad(out, list[i].width - chars);
        if (cell.len > 0) fwrite(cell.data, 1, cell.len, out);
        if (i + 1 < count) pad(out, 2 + (list[i].number ? 0 : list[i].width - chars));
    }
    fputc('\n', out);
}

static void print_table(FILE *out, const struct fr_json *rows, const char *columns, const char *indent)
{
    struct column list[COLUMNS_MAX] = { 0 };
    int count = columns_read(columns, fr_json_child(rows), list);
    columns_measure(rows, list, count);
    print_row(out, NULL, list, count, indent);
    for (const struct fr_json *row = fr_json_child(rows); row; row = fr_json_next(row)) print_row(out, row, list, count, indent);
}

// ---- objects

static void print_object(FILE *out, const struct fr_json *v, const char *indent)
{
    int width = 0;
    for (const struct fr_json *m = fr_json_child(v); m; m = fr_json_next(m))
        if ((int)strlen(fr_json_key(m)) > width) width = (int)strlen(fr_json_key(m));
    for (const struct fr_json *m = fr_json_child(v); m; m = fr_json_next(m)) {
        char deeper[40];
        snprintf(deeper, sizeof deeper, "%.30s    ", indent);
        fputs(indent, out);
        print_text(out, fr_json_key(m));
        if (is_table(m) || (fr_json_kind(m) == JSON_OBJECT && fr_json_size(m) > 0)) {
            fputc('\n', out);
            if (is_table(m)) print_table(out, m, NULL, deeper);
            else print_object(out, m, deeper);
            continue;
        }
        FR_AUTO_BUF(cell);
        fr_buf_init(&cell, CLI_RESULT_BYTES_MAX);
        add_cell(&cell, m, INT32_MAX);
        pad(out, width - (int)strlen(fr_json_key(m)) + 2);
        fwrite(cell.data, 1, cell.len, out);
        fputc('\n', out);
    }
}

const char *text_of(const struct fr_json *v, const char *key)
{
    const char *text = fr_json_text(fr_json_get(v, key));
    return text ? text : "";
}

void print_value(FILE *out, const struct fr_json *v, const char *columns)
{
    if (!v) return;                                    // a part that the answer does not have
    if (is_table(v)) { print_table(out, v, columns, ""); return; }
    if (fr_json_kind(v) == JSON_ARRAY && fr_json_size(v) == 0) { fputs("nothing\n", out); return; }
    if (fr_json_kind(v) == JSON_OBJECT && fr_json_size(v) == 0) { fputs("done\n", out); return; }
    if (fr_json_kind(v) == JSON_OBJECT) { print_object(out, v, ""); return; }
    FR_AUTO_BUF(cell);
    fr_buf_init(&cell, CLI_RESULT_BYTES_MAX);
    add_cell(&cell, v, INT32_MAX);
    fwrite(cell.data, 1, cell.len, out);
    fputc('\n', out);
}

// ---- verbs with a face of their own

static const struct fr_json *first_of(const struct fr_json *v, const char *key) { return fr_json_child(fr_json_get(v, key)); }

void print_text_of(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    print_harmless(out, text_of(v, "text"), true);
}

// Every kind of record and how often, in the order they first came.
static void print_log_summary(FILE *out, const struct fr_json *log)
{
    struct { const char *kind; int count; } kinds[16];
    int count = 0;
    for (const struct fr_json *r = fr_json_child(log); r; r = fr_json_next(r)) {
        const char *kind = text_of(r, "kind");
        int at = 0;
        while (at < count && strcmp(kinds[at].kind, kind) != 0) at++;
        if (at == 16) continue;
        if (at == count) { kinds[count].kind = kind; kinds[count++].count = 0; }
        kinds[at].count++;
    }
    fprintf(out, "log         %d records", fr_json_size(log));
    for (int i = 0; i < count; i++) {
        fprintf(out, "%s%d ", i ? ", " : ": ", kinds[i].count);
        print_text(out, kinds[i].kind);
    }
    fputc('\n', out);
}

void print_match_show(FILE *out, const struct fr_json *v, const struct cli *c)
{
    static const char *const shown[] = { "id", "game", "version", "mode", "state", "asset", "stake", "created_at", "ended_at", "hash", "engine", "exported", NULL };
    const struct fr_json *players = fr_json_get(v, "players"), *result = fr_json_get(v, "result");
    (void)c;
    for (int i = 0; shown[i]; i++) {
        const struct fr_json *m = fr_json_get(v, shown[i]);
        FR_AUTO_BUF(cell);
        fr_buf_init(&cell, CLI_RESULT_BYTES_MAX);
        if (!m) continue;
        add_cell(&cell, m, INT32_MAX);
        fprintf(out, "%-10s  %s\n", shown[i], cell.data);
    }
    if (fr_json_get(v, "log")) print_log_summary(out, fr_json_get(v, "log"));
    if (players && is_table(players)) {
        fputs("players\n", out);
        print_table(out, players, "seat name id bot", "    ");
    }
    if (result && fr_json_kind(result) == JSON_OBJECT) {
        fputs("result\n", out);
        print_object(out, result, "    ");
    }
}

void print_log(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    if (fr_json_size(v) == 0) fputs("nothing\n", out);
    for (const struct fr_json *line = fr_json_child(v); line; line = fr_json_next(line)) {
        const char *text = text_of(line, "text");
        bool several = strchr(text, '\n') != NULL;
        fprintf(out, "%s  %-5s  ", text_of(line, "t"), text_of(line, "level"));
        if (!several) print_text(out, text);
        if (fr_json_get(line, "fields")) {
            FR_AUTO_BUF(fields);
            fr_buf_init(&fields, CLI_RESULT_BYTES_MAX);
            add_cell(&fields, fr_json_get(line, "fields"), INT32_MAX);
            fprintf(out, "  %s", fields.data);
        }
        fputc('\n', out);
        if (several) print_indented(out, text, "    ");
    }
}

void print_doctor(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    for (const struct fr_json *line = first_of(v, "checks"); line; line = fr_json_next(line)) {
        fprintf(out, "%-4s  %-12s  ", text_of(line, "state"), text_of(line, "name"));
        print_text(out, text_of(line, "text"));
        fputc('\n', out);
        if (text_of(line, "help")[0]) {
            pad(out, 20);
            print_text(out, text_of(line, "help"));
            fputc('\n', out);
        }
    }
}

void print_check(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    for (const struct fr_json *line = first_of(v, "done"); line; line = fr_json_next(line)) {
        fputs("ok    ", out);
        print_text(out, fr_json_text(line) ? fr_json_text(line) : "");
        fputc('\n', out);
    }
    for (const struct fr_json *p = first_of(v, "problems"); p; p = fr_json_next(p)) {
        fputs("fail  ", out);
        print_text(out, text_of(p, "text"));
        fputc('\n', out);
        print_indented(out, text_of(p, "frame"), "      ");
    }
}

void print_verify(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    for (const struct fr_json *s = fr_json_child(fr_json_get(v, "steps")); s; s = fr_json_next(s))
        fprintf(out, "%-5s  %-7s  %s\n", fr_json_is_true(fr_json_get(s, "ok")) ? "ok" : "WRONG", text_of(s, "step"), text_of(s, "text"));
    if (fr_json_is_true(fr_json_get(v, "ok"))) fprintf(out, "all agrees; hash %s\n", text_of(v, "hash"));
}

void print_replay(FILE *out, const struct fr_json *v, const struct cli *c)
{
    const struct fr_json *different = fr_json_get(v, "first_different");
    (void)c;
    fprintf(out, "%.0f of %.0f equal, %.0f records, hash %s\n", fr_json_number(fr_json_get(v, "equal")), fr_json_number(fr_json_get(v, "runs")), fr_json_number(fr_json_get(v, "records")), text_of(v, "hash"));
    if (different && fr_json_kind(different) == JSON_NUMBER) {
        fprintf(out, "the first difference is at record %.0f; this engine came to %s\n", fr_json_number(different), text_of(v, "got"));
        if (text_of(v, "record")[0]) print_indented(out, text_of(v, "record"), "    ");
    }
}
