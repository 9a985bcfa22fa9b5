// top.c — `frond top`: what each plugin uses, as a table that refreshes, in 80 columns.
//
// Rates are those between two looks; at the first look, and with --once, those of the last minute. Names come from manifests: plain text.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/mem.h"
#include "cli/internal.h"

#define ROWS_USUAL 24
#define EVERY_S_MAX 3600

struct row { const char *id, *state; double calls, turns, cpu, sort; int64_t budget, heap, peak, p50_us, p99_us, limited, blocked, crashes; };

static double number(const struct fr_json *v, const char *key)
{
    const struct fr_json *n = fr_json_get(v, key);
    return n ? fr_json_number(n) : 0;
}

static const struct fr_json *plugin_named(const struct fr_json *top, const char *id)
{
    for (const struct fr_json *p = fr_json_child(fr_json_get(top, "plugins")); p; p = fr_json_next(p))
        if (strcmp(fr_json_text(fr_json_get(p, "id")), id) == 0) return p;
    return NULL;
}

// Per second, between the two looks or over the last minute (less when the host is younger).
static double rate(const struct fr_json *now, const struct fr_json *before, double seconds, double up_s, const char *key)
{
    const struct fr_json *total = fr_json_get(now, "total"), *minute = fr_json_get(now, "minute");
    if (before && seconds > 0) return (number(total, key) - number(fr_json_get(before, "total"), key)) / seconds;
    double over_s = up_s < 65 ? up_s : 65;                 // the last minute is 60 to 70 seconds
    return over_s > 0 ? number(minute, key) / over_s : 0;
}

static void row_fill(struct row *r, const struct fr_json *p, const struct fr_json *before, double seconds, double up_s, const char *sort)
{
    const struct fr_json *minute = fr_json_get(p, "minute"), *total = fr_json_get(p, "total");
    *r = (struct row){ .id = fr_json_text(fr_json_get(p, "id")), .state = fr_json_text(fr_json_get(p, "state")), .calls = rate(p, before, seconds, up_s, "calls"),
                       .turns = rate(p, before, seconds, up_s, "turns"), .cpu = rate(p, before, seconds, up_s, "cpu_ms") / 10, .budget = (int64_t)number(p, "cpu_budget_percent"),
                       .heap = (int64_t)number(p, "heap_bytes"), .peak = (int64_t)number(p, "heap_peak_bytes"), .p50_us = (int64_t)number(minute, "p50_us"), .p99_us = (int64_t)number(minute, "p99_us"),
                       .limited = (int64_t)(number(total, "cpu_budget") + number(total, "player_blocked")), .blocked = fr_json_size(fr_json_get(p, "blocked")), .crashes = (int64_t)number(total, "crashes") };
    r->sort = strcmp(sort, "cpu") == 0 ? r->cpu : strcmp(sort, "calls") == 0 ? r->calls + r->turns : strcmp(sort, "memory") == 0 ? (double)r->heap : strcmp(sort, "p99") == 0 ? (double)r->p99_us : 0;
}

static int by_sort(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->sort != y->sort) return x->sort < y->sort ? 1 : -1;
    return strcmp(x->id, y->id);
}

// Four or five characters: 12K, 3.4M; 850u, 12m, 1.2s.
static const char *bytes_text(int64_t bytes, char out[16])
{
    if (bytes < 1000 * 1024) snprintf(out, 16, "%lldK", (long long)bytes / 1024);
    else if (bytes < 100LL * 1024 * 1024) snprintf(out, 16, "%.1fM", (double)bytes / 1048576);
    else snprintf(out, 16, "%lldM", (long long)bytes / 1048576);
    return out;
}

static const char *time_text(int64_t us, char out[16])
{
    if (us == 0) snprintf(out, 16, "-");
    else if (us < 1000) snprintf(out, 16, "%lldus", (long long)us);
    else if (us < 10000) snprintf(out, 16, "%.1fms", (double)us / 1000);
    else if (us < 1000000) snprintf(out, 16, "%lldms", (long long)us / 1000);
    else snprintf(out, 16, "%.1fs", (double)us / 1e6);
    return out;
}

static const char *count_text(double n, char out[16])
{
    if (n > 0 && n < 9.95) snprintf(out, 16, "%.1f", n);
    else if (n < 99999.5) snprintf(out, 16, "%.0f", n);
    else snprintf(out, 16, "%.0fk", n / 1000);
    return out;
}

static void print_row(FILE *out, const struct row *r)
{
    char calls[16], turns[16], cpu[16], heap[16], peak[16], p50[16], p99[16], limited[16];
    snprintf(cpu, sizeof cpu, "%.0f/%lld", r->cpu < 0 ? 0 : r->cpu, (long long)r->budget);
    fprintf(out, "%-16.16s %-5.5s %6s %6s %7s %5s %5s %5s %5s %5s %2lld %2lld\n", r->id, r->state, count_text(r->calls, calls), count_text(r->turns, turns), cpu,
            bytes_text(r->heap, heap), bytes_text(r->peak, peak), time_text(r->p50_us, p50), time_text(r->p99_us, p99), count_text((double)r->limited, limited),
            (long long)(r->blocked > 99 ? 99 : r->blocked), (long long)(r->crashes > 99 ? 99 : r->crashes));
}

static void print_table_of(FILE *out, const struct fr_json *top, const struct fr_json *before, const char *sort, int rows_max)
{
    const struct fr_json *host = fr_json_get(top, "host");
    struct row *rows = fr_must_alloc(PLUGINS_MAX * sizeof *rows);
    double seconds = before ? (number(top, "at_ms") - number(before, "at_ms")) / 1000 : 0, up_s = number(top, "up_ms") / 1000;
    char loop[16], commit[16];
    int count = 0;
    for (const struct fr_json *p = fr_json_child(fr_json_get(top, "plugins")); p && count < PLUGINS_MAX; p = fr_json_next(p))
        row_fill(&rows[count++], p, plugin_named(before, fr_json_text(fr_json_get(p, "id"))), seconds, up_s, sort);
    qsort(rows, (size_t)count, sizeof *rows, by_sort);
    fprintf(out, "frond %s  up %.0fs  players %.0f  sockets %.0f  matches %.0f  spares %.0f/%.0f\n", fr_json_text(fr_json_get(host, "version")), up_s, number(host, "players"), number(host, "sockets"),
            number(host, "matches"), number(host, "spares"), number(host, "spares_wanted"));
    fprintf(out, "connections %.0f  loop p99 %s  commit p99 %s  store queue %.0f\n\n", number(host, "connections"), time_text((int64_t)number(host, "loop_us_p99"), loop),
            time_text((int64_t)number(host, "commit_us_p99"), commit), number(host, "store_queue"));
    fprintf(out, "%-16s %-5s %6s %6s %7s %5s %5s %5s %5s %5s %2s %2s\n", "PLUGIN", "STATE", "CALL/S", "TURN/S", "CPU%", "MEM", "PEAK", "P50", "P99", "429", "BL", "CR");
    for (int i = 0; i < count && i < rows_max; i++) print_row(out, &rows[i]);
    if (count > rows_max) fprintf(out, "... and %d more\n", count - rows_max);
    fr_free(rows);
}

static const char *sort_of(const struct cli *c)
{
    const char *sort = cli_option(c, "sort");
    return sort ? sort : "cpu";
}

void print_top(FILE *out, const struct fr_json *v, const struct cli *c)
{
    if (fr_json_get(v, "plugins")) print_table_of(out, v, NULL, sort_of(c), PLUGINS_MAX);
}

static int terminal_rows(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 8 ? size.ws_row : ROWS_USUAL;
}

// Until the host is gone or somebody presses ^C.
static enum fr_status refresh(struct cli *c, int64_t every_s, struct fr_err *err)
{
    struct fr_json *before = NULL;
    enum fr_status st = FR_OK;
    for (;;) {
        struct fr_json *now = NULL;
        FR_AUTO_BUF(text);
        fr_buf_init(&text, CLI_RESULT_BYTES_MAX);
        st = cli_ask(c, "top", "{}", &text, err);
        if (st == FR_OK) st = fr_json_parse(text.data, text.len, &now, err);
        if (st != FR_OK) break;
        fputs("\033[H\033[2J", stdout);                    // the cursor to the top, the screen empty
        print_table_of(stdout, now, before, sort_of(c), terminal_rows() - 7);
        printf("\nevery %llds, ^C ends; MEM and PEAK are Lua's; 429: refused for CPU or blocked; BL: players\nblocked now; CR: crashes of its workers. Sorted by %s.", (long long)every_s, sort_of(c));
        if (fflush(stdout) != 0) { st = FR_FAIL(err, FR_E_IO, "cannot write to the terminal: %s", strerror(errno)); fr_json_free(now); break; }
        fr_json_free(before);
        before = now;
        nanosleep(&(struct timespec){ .tv_sec = every_s }, NULL);
    }
    fr_json_free(before);
    return st;
}

enum fr_status run_top(struct cli *c, struct fr_err *err)
{
    static const char *const sorts[] = { "cpu", "calls", "memory", "p99", "name" };
    int64_t every_s;
    bool known = false;
    FR_TRY(cli_option_int(c, "every", 1, EVERY_S_MAX, 2, &every_s, err));
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) known = known || strcmp(sorts[i], sort_of(c)) == 0;
    if (!known) return FR_FAIL_CODE(err, FR_E_INVALID, "usage", "--sort is cpu, calls, memory, p99 or name, not \"%.40s\"", sort_of(c));
    if (!c->json && !cli_option(c, "once") && isatty(STDOUT_FILENO)) return refresh(c, every_s, err);
    return cli_ask(c, "top", "{}", &c->out, err);
}
