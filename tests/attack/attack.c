// attack.c — every hostile plugin in lua/, and every lie a worker that was taken over can tell, against the sandbox as the host uses it.
//
//   attack WORKER FOLDER [NAME]      one "ok attack NAME contained (code, ms)" each; meanwhile a neighbour answers calls
//
// Contained means: the call came to an end (refused, raised, tripped, or its worker died), nothing it should not reach was
// there, and the neighbour, in the same host, got the right answer every time. Attacks of one class (the first word of the name; lies are one
// class) run together, classes one after the other, after a while of quiet: so the neighbour's latency under each can be told apart. Latencies
// are printed, not judged.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "base/hist.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sandbox/fake_worker.h"
#include "sandbox/sandbox.h"

#define ATTACKS_MAX 256
#define AT_ONCE 3
#define ATTACK_MS 15000              // longer than any deadline of the host: past it the attack has won
#define CALL_WALL_MS CALL_DEADLINE_MS
#define CLASSES_MAX 32
#define QUIET_MS 1500
#define PING_EVERY_MS 10
#define TIME_NOW_MS 6                // its number in api/table.h

struct attack {
    char name[64], path[512];
    char *text;
    size_t len;
    int class;
    bool lie;                        // played by this program, see fake_worker.h
    struct sandbox_worker *w;
    uint64_t from_ns;
    bool done;
};

static struct {
    uv_loop_t loop;
    struct sandbox *real, *fake;
    struct attack attacks[ATTACKS_MAX];
    int count, next, running, failed;
    struct { char name[32]; struct fr_hist pings; int attacks; } classes[CLASSES_MAX];      // 0: quiet
    int class_count, class;
    long tried; int escaped;
    uv_timer_t patience, ping, quiet;
    struct sandbox_worker *neighbour;
    bool neighbour_up, over;
    int pings_open, pings, pings_wrong, neighbour_deaths;
} all;

static void attack_next(void);

static void attack_finish(struct attack *a, bool contained, const char *code, const char *detail)
{
    if (a->done) return;
    a->done = true;
    all.failed += !contained;
    all.running--;
    printf("%s attack %s %s (%s, %.0f ms)%s%.100s\n", contained ? "ok" : "not ok", a->name, contained ? "contained" : "WAS NOT CONTAINED", code,
           (double)(uv_hrtime() - a->from_ns) / 1e6, detail[0] ? " # " : "", detail);
    fflush(stdout);
    sandbox_worker_stop(a->w);
    fr_free(a->text);
    attack_next();
}

static const char *outcome_code(enum frame_status outcome)
{
    static const char *const codes[] = { "answered", "refused", "raised", "tripped: cpu", "tripped: memory" };
    return outcome < FRAME_STATUS_COUNT ? codes[outcome] : "?";
}

// The first line of an answer, without what a terminal would obey.
static void text_cut(char *out, size_t size, const char *bytes, size_t len)
{
    size_t n = 0;
    for (; n < len && n + 1 < size; n++) out[n] = bytes[n] >= ' ' && bytes[n] < 127 && bytes[n] != '#' ? bytes[n] : '.';
    out[n] = 0;
}

static void attack_on_done(void *arg, const struct sandbox_result *r)
{
    struct attack *a = arg;
    char said[101] = "";
    if (r->status != FR_OK) {
        all.tried++;
        if (strcmp(r->err.code, "worker_stopped") != 0) attack_finish(a, true, r->err.code, r->err.text);
        return;
    }
    text_cut(said, sizeof said, r->frame->payload, r->frame->len);
    bool escaped = memmem(r->frame->payload, r->frame->len, "escaped", 7) != NULL;
    const char *tried = memmem(r->frame->payload, r->frame->len, "harmless: ", 10);
    all.tried += tried ? strtol(tried + 10, NULL, 10) : 1;          // an attack that does not count its tries is one
    all.escaped += escaped;
    attack_finish(a, !escaped, outcome_code(r->outcome), said);
}

static void attack_on_up(void *arg, struct sandbox_worker *w, const char *definition)
{
    struct attack *a = arg;
    struct fr_err err;
    (void)definition;
    static const char context[] = "{\"source\":\"http\",\"request_id\":\"attack\",\"deadline_ms\":0}";
    struct sandbox_section parts[] = { { "call:go", 7 }, { context, sizeof context - 1 }, { "{}", 2 } };
    if (a->done) return;
    if (sandbox_invoke(w, FRAME_CALL, 0, parts, 3, CALL_WALL_MS, attack_on_done, a, NULL, &err) != FR_OK) attack_finish(a, false, err.code, err.text);
}

static void attack_on_down(void *arg, struct sandbox_worker *w, const struct sandbox_death *death)
{
    (void)w;
    attack_finish(arg, true, death->code, death->text);      // it died while it was loaded, or its call was answered before
}

static void attack_on_load_failed(void *arg, struct sandbox_worker *w, const char *error)
{
    char said[101];
    (void)w;
    text_cut(said, sizeof said, error, strlen(error));
    attack_finish(arg, true, "not loaded", said);
}

static void attack_on_ask(void *arg, struct sandbox_worker *w, const struct sandbox_ask *ask)
{
    static const char no[] = "{\"code\":\"denied\",\"detail\":\"not here\"}";
    (void)arg;
    if (ask->ask_no == 0) return;
    if (ask->api == TIME_NOW_MS) sandbox_answer(w, sandbox_generation(w), ask->call_id, ask->ask_no, FRAME_OK, "1700000000000", 13);
    else sandbox_answer(w, sandbox_generation(w), ask->call_id, ask->ask_no, FRAME_REFUSED, no, sizeof no - 1);
}

static void attack_start(struct attack *a)
{
    struct fr_err err;
    char options[200];
    snprintf(options, sizeof options, "{\"plugin\":\"%s\",\"version\":\"1.0.0\",\"heap_bytes\":%d,\"kind\":\"tool\"}", a->name, WORKER_HEAP_BYTES_DEFAULT);
    struct sandbox_file file = { "main.lua", a->lie ? "" : a->text, a->lie ? 0 : a->len };
    struct sandbox_spec spec = { .name = a->name, .version = "1.0.0", .options_json = options, .files = &file, .file_count = 1, .heap_bytes = WORKER_HEAP_BYTES_DEFAULT, .arg = a,
                                 .on_up = attack_on_up, .on_down = attack_on_down, .on_load_failed = attack_on_load_failed, .on_ask = attack_on_ask };
    a->from_ns = uv_hrtime();
    if (sandbox_worker_start(a->lie ? all.fake : all.real, &spec, &a->w, &err) == FR_OK) return;
    fprintf(stderr, "attack %s: %s\n", a->name, err.text);
    exit(2);
}

// ---- the neighbour
static void ping_on_done(void *arg, const struct sandbox_result *r)
{
    uint64_t from_ns = (uint64_t)(uintptr_t)arg;
    all.pings_open--;
    bool right = r->status == FR_OK && r->outcome == FRAME_OK && r->frame->len == 6 && memcmp(r->frame->payload, "\"pong\"", 6) == 0;
    if (!right && !all.over) {
        all.pings_wrong++;
        printf("  neighbour: %s %s\n", r->status == FR_OK ? outcome_code(r->outcome) : r->err.code, r->status == FR_OK ? "" : r->err.text);
    }
    all.pings++;
    fr_hist_add(&all.classes[all.class].pings, (int64_t)((uv_hrtime() - from_ns) / 1000));
}

static void ping_on_time(uv_timer_t *timer)
{
    struct fr_err err;
    struct sandbox_section parts[] = { { "call:ping", 9 }, { "{\"source\":\"http\",\"request_id\":\"ping\",\"deadline_ms\":0}", 53 }, { "{}", 2 } };
    parts[1].len = strlen(parts[1].bytes);
    (void)timer;
    if (all.over) return;
    if (sandbox_invoke(all.neighbour, FRAME_CALL, 0, parts, 3, CALL_WALL_MS, ping_on_done, (void *)(uintptr_t)uv_hrtime(), NULL, &err) == FR_OK) all.pings_open++;
    else all.pings_wrong++;
}

static void quiet_on_time(uv_timer_t *timer)
{
    (void)timer;
    for (int i = 0; i < AT_ONCE; i++) attack_next();
}

static void neighbour_on_up(void *arg, struct sandbox_worker *w, const char *definition)
{
    (void)arg, (void)w, (void)definition;
    all.neighbour_up = true;
    uv_timer_start(&all.ping, ping_on_time, PING_EVERY_MS, PING_EVERY_MS);
    uv_timer_start(&all.quiet, quiet_on_time, QUIET_MS, 0);
}

static void neighbour_on_down(void *arg, struct sandbox_worker *w, const struct sandbox_death *death)
{
    (void)arg, (void)w;
    all.neighbour_deaths++;
    printf("  neighbour died: %s: %s\n", death->code, death->text);
}

static void neighbour_on_load_failed(void *arg, struct sandbox_worker *w, const char *error)
{
    (void)arg, (void)w;
    printf("not ok neighbour: %s\n", error);
    exit(2);
}

static void neighbour_start(void)
{
    static const char text[] = "local frond = require \"frond\"\nreturn frond.plugin { calls = { ping = function() return \"pong\" end } }\n";
    static const struct sandbox_file file = { "main.lua", text, sizeof text - 1 };
    struct fr_err err;
    struct sandbox_spec spec = { .name = "neighbour", .version = "1.0.0", .options_json = "{\"plugin\":\"neighbour\",\"version\":\"1.0.0\",\"heap_bytes\":33554432,\"kind\":\"tool\"}",
                                 .files = &file, .file_count = 1, .heap_bytes = WORKER_HEAP_BYTES_DEFAULT,
                                 .on_up = neighbour_on_up, .on_down = neighbour_on_down, .on_load_failed = neighbour_on_load_failed, .on_ask = attack_on_ask };
    if (sandbox_worker_start(all.real, &spec, &all.neighbour, &err) == FR_OK) return;
    fprintf(stderr, "neighbour: %s\n", err.text);
    exit(2);
}

// ---- all together
static double ms(const struct fr_hist *h, double q)
{
    return (double)fr_hist_quantile(h, q) / 1000;
}

static void neighbour_report(void)
{
    const struct fr_hist *quiet = &all.classes[0].pings;
    int worst = 0;
    bool well = all.pings > 0 && all.pings_wrong == 0 && all.neighbour_deaths == 0;
    printf("%s neighbour answered every call beside %d attacks, %d at once\n", well ? "ok" : "not ok", all.count, AT_ONCE);
    printf("%s sandbox escapes: %ld tried, %d succeeded\n", all.escaped == 0 ? "ok" : "not ok", all.tried, all.escaped);
    printf("# neighbour's latency: class (attacks), calls, p50, p99, worst in ms\n");
    for (int i = 0; i < all.class_count; i++) {
        const struct fr_hist *h = &all.classes[i].pings;
        printf("#   %-12s (%2d) %6llu %8.2f %8.2f %8.2f\n", all.classes[i].name, all.classes[i].attacks, (unsigned long long)h->count, ms(h, 0.5), ms(h, 0.99), ms(h, 1));
        if (i > 0 && (worst == 0 || ms(h, 0.99) > ms(&all.classes[worst].pings, 0.99))) worst = i;
    }
    printf("# quiet p99 %.2f ms; the worst class is %s with %.2f ms\n", ms(quiet, 0.99), all.classes[worst].name, ms(&all.classes[worst].pings, 0.99));
    all.failed += !well;
}

static void all_stop(void)
{
    all.over = true;
    neighbour_report();
    sandbox_stop(all.real, NULL, NULL);
    sandbox_stop(all.fake, NULL, NULL);
    uv_close((uv_handle_t *)&all.patience, NULL);
    uv_close((uv_handle_t *)&all.ping, NULL);
    uv_close((uv_handle_t *)&all.quiet, NULL);
}

static void attack_next(void)
{
    bool more = all.next < all.count;
    if (more && all.running > 0 && all.attacks[all.next].class != all.class) return;       // the last ones of a class are waited for
    if (!more) {
        if (all.running == 0 && !all.over) all_stop();
        return;
    }
    all.class = all.attacks[all.next].class;
    for (int limit = AT_ONCE; all.running < limit && all.next < all.count && all.attacks[all.next].class == all.class;) {
        all.running++;
        attack_start(&all.attacks[all.next++]);
    }
}

static void patience_on_time(uv_timer_t *timer)
{
    (void)timer;
    for (int i = 0; i < all.next; i++) {
        struct attack *a = &all.attacks[i];
        if (!a->done && uv_hrtime() - a->from_ns > ATTACK_MS * 1000000ULL) attack_finish(a, false, "no end", "still running");
    }
}

// Files come sorted by name, so a class stands together.
static int class_of(const char *name)
{
    int len = (int)strcspn(name, "_");
    for (int i = 0; i < all.class_count; i++)
        if ((int)strlen(all.classes[i].name) == len && strncmp(all.classes[i].name, name, (size_t)len) == 0) return i;
    if (all.class_count == CLASSES_MAX) {
        fprintf(stderr, "attack: over %d classes\n", CLASSES_MAX);
        exit(2);
    }
    snprintf(all.classes[all.class_count].name, sizeof all.classes[0].name, "%.*s", len, name);
    return all.class_count++;
}

static void attack_add(const char *name, const char *path, const char *only)
{
    struct attack *a = &all.attacks[all.count];
    if (all.count == ATTACKS_MAX || (only && strcmp(only, name) != 0)) return;
    *a = (struct attack){ .lie = !path, .class = class_of(path ? name : "lie") };
    all.classes[a->class].attacks++;
    snprintf(a->name, sizeof a->name, "%s", name);
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (path && !file) {
        perror(path);
        exit(2);
    }
    if (file) {
        a->text = fr_must_alloc(PLUGIN_LUA_BYTES_MAX);
        a->len = fread(a->text, 1, PLUGIN_LUA_BYTES_MAX, file);
        fclose(file);
    }
    all.count++;
}

static void attacks_find(const char *folder, const char *only)
{
    static const char *const lies[] = { "forged_result", "id_zero", "forged_ask", "wrong_kind", "twice", "ready_twice", "loaded_twice", "plays_host", "bad_status", "half_header", "half_payload",
                                        "huge", "flood_forever", "many_asks", "close", "silent", "stopped", "segv", "spin_turns", "spin_logs",
                                        "bad_kind", "kind_zero", "status_of_ready", "api_unknown", "ref_highest", "same_ask_twice", "asks_after_answer", "cancelled_id", "garbage", "deep_json", "nul_bytes", "length_lies",
                                        "drip", "drip_logs", "page_lies", "shut_write", "answers_then_spins", "ask_forever", "exit" };
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[800], name[64];
        size_t len = strlen(entries[i]->d_name);
        if (len > 4 && len < sizeof name && strcmp(entries[i]->d_name + len - 4, ".lua") == 0) {
            snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
            snprintf(name, sizeof name, "%.*s", (int)len - 4, entries[i]->d_name);
            attack_add(name, path, only);
        }
        free(entries[i]);
    }
    free(entries);
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) attack_add(lies[i], NULL, only);
}

int main(int argc, char **argv)
{
    struct fr_err err;
    fake_worker(argc, argv);
    if (argc < 3) {
        fprintf(stderr, "usage: attack WORKER FOLDER [NAME]\n");
        return 2;
    }
    FR_IGNORE(class_of("quiet") == 0 ? FR_OK : FR_E_INTERNAL);
    attacks_find(argv[2], argc > 3 ? argv[3] : NULL);
    if (all.count == 0) {
        fprintf(stderr, "attack: nothing to run in %s\n", argv[2]);
        return 2;
    }
    uv_loop_init(&all.loop);
    uv_timer_init(&all.loop, &all.patience);
    uv_timer_init(&all.loop, &all.ping);
    uv_timer_init(&all.loop, &all.quiet);
    uv_timer_start(&all.patience, patience_on_time, 500, 500);
    if (sandbox_new(&all.loop, argv[1], WORKER_SPARES, &all.real, &err) != FR_OK || sandbox_new(&all.loop, "/proc/self/exe", 0, &all.fake, &err) != FR_OK) {
        fprintf(stderr, "attack: %s\n", err.text);
        return 2;
    }
    neighbour_start();
    uv_run(&all.loop, UV_RUN_DEFAULT);
    return all.failed != 0;
}
