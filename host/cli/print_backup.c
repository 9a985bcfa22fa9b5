// print_backup.c — what `backup` and `restore` tell people: what, from when, and what is not in it.
#include <stdlib.h>
#include "cli/internal.h"

static const char *text_at(const struct fr_json *v, const char *key)
{
    const char *text = fr_json_text(fr_json_get(v, key));
    return text ? text : "";
}

static void print_what(FILE *out, const struct fr_json *v)
{
    const struct fr_json *journal = fr_json_get(v, "journal"), *files = fr_json_get(v, "files");
    double bytes = 0;
    for (const struct fr_json *f = fr_json_child(files); f; f = fr_json_next(f)) bytes += strtod(text_at(f, "bytes"), NULL);
    fprintf(out, "made     %s by frond %s (%s)%s\n", text_at(v, "created_at"), text_at(v, "frond"), text_at(v, "engine"), fr_json_is_true(fr_json_get(v, "dev")) ? ", test coins" : "");
    fprintf(out, "journal  %s entries, ends in %.12s%s%s\n", text_at(journal, "entries"), text_at(journal, "head"), text_at(journal, "last_at")[0] ? ", the last from " : "", text_at(journal, "last_at"));
    fprintf(out, "size     %d files, %.1f MiB\n", files ? fr_json_size(files) : 0, bytes / (1024 * 1024));
}

void print_backup(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    fputs("backup   ", out);
    print_text(out, text_at(v, "path"));
    fputc('\n', out);
    print_what(out, v);
    fputs(fr_json_is_true(fr_json_get(v, "verified")) ? "verified: hashes, every page, the ledger from its first row\n" : "not verified: --verify reads it again\n", out);
}

static void print_lost(FILE *out, const struct fr_json *v)
{
    const struct fr_json *lost = fr_json_get(v, "lost");
    if (!text_at(v, "moved")[0]) { fputs("lost     what happened after it was made is not in it\n", out); return; }
    fputs("moved    what was there is now ", out);
    print_text(out, text_at(v, "moved"));
    fputc('\n', out);
    if (!fr_json_is_true(fr_json_get(lost, "known"))) fputs("lost     what the old data had after that cannot be read\n", out);
    else if (!fr_json_is_true(fr_json_get(lost, "same_history"))) fprintf(out, "lost     the old data is another history: %s entries until %s\n", text_at(lost, "entries"), text_at(lost, "until"));
    else fprintf(out, "lost     %s journal entries that came after it, until %s\n", text_at(lost, "entries"), text_at(lost, "until"));
}

void print_restore(FILE *out, const struct fr_json *v, const struct cli *c)
{
    (void)c;
    const char *data = text_at(v, "data");
    fputs(data[0] ? "restored " : "sound    ", out);
    print_text(out, data[0] ? data : text_at(v, "path"));
    fputc('\n', out);
    print_what(out, v);
    if (data[0]) print_lost(out, v);
}
