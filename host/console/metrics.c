// metrics.c — one family after the other, each with its HELP and TYPE; the name of a plugin is the only label that others choose.
#include "console/metrics.h"
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include "base/clock.h"
#include "base/hist.h"
#include "base/mem.h"
#include "console/backup.h"
#include "ledger/ledger.h"
#include "plugin/use.h"
#include "treasury/treasury.h"

#define LOOP_SAMPLE_MS 100
#define LE_FIRST 7                                  // 2^7 us = 128 us, the first bucket told
#define LE_LAST 23                                  // 8.4 s
#define SECONDS(us) ((double)(us) / 1e6)

struct metrics {
    struct metrics_options o;
    uv_timer_t sample;
    struct fr_hist loop_delay;
    int64_t due_us, started_ms;
    int refs;                                      // the timer, and looks into the store
    bool stopped;
};

static void metrics_unref(struct metrics *m)
{
    if (--m->refs == 0) fr_free(m);
}

// How late the timer comes is how long somebody else held the loop.
static void on_sample(uv_timer_t *timer)
{
    struct metrics *m = timer->data;
    int64_t now_us = fr_mono_us();
    fr_hist_add(&m->loop_delay, now_us - m->due_us);
    m->due_us = now_us + LOOP_SAMPLE_MS * 1000;
    uv_timer_start(&m->sample, on_sample, LOOP_SAMPLE_MS, 0);
}

struct metrics *metrics_new(const struct metrics_options *o)
{
    struct metrics *m = fr_must_alloc(sizeof *m);
    m->o = *o;
    m->refs = 1;
    m->started_ms = fr_now_ms();
    m->due_us = fr_mono_us() + LOOP_SAMPLE_MS * 1000;
    uv_timer_init(o->loop, &m->sample);
    m->sample.data = m;
    uv_timer_start(&m->sample, on_sample, LOOP_SAMPLE_MS, 0);
    uv_unref((uv_handle_t *)&m->sample);           // it keeps no loop alive
    return m;
}

static void on_closed(uv_handle_t *handle)
{
    metrics_unref(handle->data);
}

void metrics_stop(struct metrics *m)
{
    if (!m) return;
    m->stopped = true;
    uv_close((uv_handle_t *)&m->sample, on_closed);
}

// ---- the text

static void add_family(struct fr_buf *out, const char *name, const char *type, const char *help)
{
    fr_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

// A label's value: backslash, quote and line feed are escaped, as the format wants.
static void add_label(struct fr_buf *out, const char *value)
{
    for (; *value; value++) {
        if (*value == '\\' || *value == '"') fr_buf_add_char(out, '\\');
        if (*value == '\n') fr_buf_add(out, "\\n");
        else fr_buf_add_char(out, *value);
    }
}

static void add_one(struct fr_buf *out, const char *name, const char *type, const char *help, double value)
{
    add_family(out, name, type, help);
    fr_buf_addf(out, "%s %.17g\n", name, value);
}

static void add_labelled(struct fr_buf *out, const char *name, const char *label, const char *is, double value)
{
    fr_buf_addf(out, "%s{%s=\"", name, label);
    add_label(out, is);
    fr_buf_addf(out, "\"} %.17g\n", value);
}

static void add_hist(struct fr_buf *out, const char *name, const char *plugin, const struct fr_hist *h)
{
    char labels[80] = "";
    if (plugin) snprintf(labels, sizeof labels, "plugin=\"%s\",", plugin);      // an id needs no escapes
    for (int power = LE_FIRST; power <= LE_LAST; power++)
        fr_buf_addf(out, "%s_bucket{%sle=\"%.6f\"} %llu\n", name, labels, SECONDS(1LL << power), (unsigned long long)fr_hist_below(h, power));
    fr_buf_addf(out, "%s_bucket{%sle=\"+Inf\"} %llu\n", name, labels, (unsigned long long)h->count);
    if (plugin) snprintf(labels, sizeof labels, "{plugin=\"%s\"}", plugin);
    fr_buf_addf(out, "%s_sum%s %.6f\n%s_count%s %llu\n", name, labels, SECONDS(h->sum_us), name, labels, (unsigned long long)h->count);
}

struct plugin_family { const char *name, *type, *help; const char *label; struct { const char *is; size_t at; bool is_us; } of[9]; };
#define OF(field) offsetof(struct meter_counts, field)
static const struct plugin_family plugin_families[] = {
    { "frond_plugin_calls_total", "counter", "Calls of the plugin's functions that were let in and have ended.", NULL, { { "", OF(calls), false } } },
    { "frond_plugin_turns_total", "counter", "Turns of the plugin's matches that have ended.", NULL, { { "", OF(turns), false } } },
    { "frond_plugin_outcomes_total", "counter", "How calls and turns ended: tripped a limit, or lost with their worker.", "outcome",
      { { "ok", OF(ok), false }, { "refused", OF(refused), false }, { "raised", OF(raised), false }, { "tripped", OF(tripped), false }, { "lost", OF(lost), false } } },
    { "frond_plugin_turned_away_total", "counter", "Calls and moves that the host refused before the plugin saw them.", "reason",
      { { "invalid", OF(turned_away), false }, { "cpu_budget", OF(over_budget), false }, { "player_blocked", OF(blocked), false } } },
    { "frond_plugin_turns_delayed_total", "counter", "Turns that waited because the plugin had used up its CPU budget.", NULL, { { "", OF(delayed), false } } },
    { "frond_plugin_cpu_seconds_total", "counter", "CPU of the plugin's workers.", NULL, { { "", OF(used.cpu_us), true } } },
    { "frond_plugin_bytes_total", "counter", "Bytes between the host and the plugin's workers.", "direction", { { "to", OF(used.bytes_out), false }, { "from", OF(used.bytes_in), false } } },
    { "frond_plugin_host_calls_total", "counter", "Calls the plugin made to the host.", NULL, { { "", OF(used.asks), false } } },
    { "frond_plugin_worker_starts_total", "counter", "Workers started for the plugin.", NULL, { { "", OF(used.starts), false } } },
    { "frond_plugin_worker_crashes_total", "counter", "Workers that ended by their own fault.", NULL, { { "", OF(used.crashes), false } } },
};

static void add_counts(struct fr_buf *out, const struct plugin_family *f, struct plugins *plugins)
{
    add_family(out, f->name, f->type, f->help);
    for (struct plugin *p = plugins_next(plugins, NULL); p; p = plugins_next(plugins, p))
        for (int i = 0; i < 9 && f->of[i].is; i++) {
            int64_t value = *(const int64_t *)(const void *)((const char *)&p->meter->now + f->of[i].at);
            fr_buf_addf(out, "%s{plugin=\"%s\"", f->name, p->package->manifest->id);
            if (f->label) fr_buf_addf(out, ",%s=\"%s\"", f->label, f->of[i].is);
            if (f->of[i].is_us) fr_buf_addf(out, "} %.6f\n", SECONDS(value));
            else fr_buf_addf(out, "} %lld\n", (long long)value);
        }
}

static void add_plugin_gauges(struct fr_buf *out, struct metrics *m)
{
    static const struct { const char *name, *help; } gauges[] = {
        { "frond_plugin_workers", "Running workers." }, { "frond_plugin_heap_bytes", "Lua memory in use, all workers together." },
        { "frond_plugin_heap_peak_bytes", "The most Lua memory one worker used." }, { "frond_plugin_resident_bytes", "Resident memory of the workers, as the kernel counts it." },
        { "frond_plugin_players_blocked", "Players who are blocked from the plugin now." }, { "frond_plugin_cpu_budget_cores", "The CPU budget, in cores." },
    };
    struct { const char *id; double value[6]; } *rows = fr_must_alloc(PLUGINS_MAX * sizeof *rows);
    int count = 0;
    for (struct plugin *p = plugins_next(m->o.plugins, NULL); p && count < PLUGINS_MAX; p = plugins_next(m->o.plugins, p), count++) {
        struct sandbox_memory memory = sandbox_account_memory(m->o.sandbox, &p->meter->now.used);
        rows[count].id = p->package->manifest->id;
        double values[6] = { memory.workers, (double)memory.heap_bytes, (double)memory.heap_peak_bytes, (double)memory.rss_bytes, blocks_blocked(&p->meter->blocks, fr_mono_ms()), p->meter->percent / 100.0 };
        memcpy(rows[count].value, values, sizeof values);
    }
    for (int g = 0; g < 6; g++) {
        add_family(out, gauges[g].name, "gauge", gauges[g].help);
        for (int i = 0; i < count; i++) add_labelled(out, gauges[g].name, "plugin", rows[i].id, rows[i].value[g]);
    }
    fr_free(rows);
}

static void add_plugins(struct fr_buf *out, struct metrics *m)
{
    for (size_t i = 0; i < sizeof plugin_families / sizeof *plugin_families; i++) add_counts(out, &plugin_families[i], m->o.plugins);
    add_plugin_gauges(out, m);
    add_family(out, "frond_plugin_state", "gauge", "1 for the state the plugin is in.");
    for (struct plugin *p = plugins_next(m->o.plugins, NULL); p; p = plugins_next(m->o.plugins, p))
        fr_buf_addf(out, "frond_plugin_state{plugin=\"%s\",state=\"%s\"} 1\n", p->package->manifest->id, plugin_state_name(p->state));
    add_family(out, "frond_plugin_call_duration_seconds", "histogram", "From a call taken to its answer.");
    for (struct plugin *p = plugins_next(m->o.plugins, NULL); p; p = plugins_next(m->o.plugins, p))
        add_hist(out, "frond_plugin_call_duration_seconds", p->package->manifest->id, &p->meter->now.latency);
}

static void add_process(struct fr_buf *out, const struct metrics *m)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    size_t rss = 0;
    uv_resident_set_memory(&rss);
    add_family(out, "frond_build_info", "gauge", "The version that runs.");
    add_labelled(out, "frond_build_info", "version", m->o.version, 1);
    add_one(out, "process_start_time_seconds", "gauge", "When the host started, in Unix time.", (double)m->started_ms / 1000);
    add_one(out, "process_cpu_seconds_total", "counter", "CPU of the host itself, without its workers.",
            (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + SECONDS(use.ru_utime.tv_usec + use.ru_stime.tv_usec));
    add_one(out, "process_resident_memory_bytes", "gauge", "Resident memory of the host itself.", (double)rss);
    add_family(out, "frond_loop_delay_seconds", "histogram", "How late a timer of the event loop came, sampled ten times a second.");
    add_hist(out, "frond_loop_delay_seconds", NULL, &m->loop_delay);
}

static void add_store(struct fr_buf *out, const struct metrics *m, int64_t entries)
{
    struct store_stats s = store_stats(m->o.store);
    add_one(out, "frond_store_jobs_total", "counter", "Write jobs.", (double)s.jobs);
    add_one(out, "frond_store_commits_total", "counter", "Commits: each makes a group of jobs durable.", (double)s.groups);
    add_one(out, "frond_store_jobs_failed_total", "counter", "Write jobs that were rolled back.", (double)s.failed);
    add_one(out, "frond_store_queue_jobs", "gauge", "Write jobs that wait.", (double)s.queued);
    add_one(out, "frond_store_file_bytes", "gauge", "Size of the database file.", (double)s.file_bytes);
    add_one(out, "frond_store_log_bytes", "gauge", "Size of the write-ahead log.", (double)s.log_bytes);
    add_one(out, "frond_store_damaged", "gauge", "1 after damage was found: nothing is written any more.", s.damaged);
    if (m->o.backups && backups_newest_ms(m->o.backups)) add_one(out, "frond_backup_newest_timestamp_seconds", "gauge", "When the newest known backup was made, as Unix time.", (double)backups_newest_ms(m->o.backups) / 1000);
    add_family(out, "frond_store_commit_seconds", "gauge", "How long the last commits took.");
    add_labelled(out, "frond_store_commit_seconds", "quantile", "0.5", SECONDS(s.commit_us_p50));
    add_labelled(out, "frond_store_commit_seconds", "quantile", "0.99", SECONDS(s.commit_us_p99));
    if (entries >= 0) add_one(out, "frond_ledger_entries_total", "counter", "Rows of the ledger's journal: transfers, holds, settlements, releases.", (double)entries);
}

static void add_rest(struct fr_buf *out, const struct metrics *m)
{
    struct metrics_door *d = fr_must_alloc(sizeof *d);
    struct sandbox_pool pool = sandbox_pool(m->o.sandbox);
    m->o.door(m->o.arg, d);
    add_one(out, "frond_connections", "gauge", "Open connections, sockets included.", (double)d->net.connections);
    add_one(out, "frond_sockets", "gauge", "Open WebSockets.", (double)d->net.websockets);
    add_one(out, "frond_http_requests_total", "counter", "HTTP requests.", (double)d->net.requests);
    add_family(out, "frond_http_bytes_total", "counter", "Bytes over the network.");
    add_labelled(out, "frond_http_bytes_total", "direction", "in", (double)d->net.bytes_in);
    add_labelled(out, "frond_http_bytes_total", "direction", "out", (double)d->net.bytes_out);
    add_family(out, "frond_connections_refused_total", "counter", "Connections over a bound.");
    add_labelled(out, "frond_connections_refused_total", "reason", "all", (double)d->net.refused);
    add_labelled(out, "frond_connections_refused_total", "reason", "address", (double)d->net.refused_address);
    add_one(out, "frond_players_online", "gauge", "Players with an open socket.", d->players);
    add_one(out, "frond_sessions", "gauge", "Sessions used of late, kept in memory.", d->sessions);
    add_one(out, "frond_matches", "gauge", "Matches that are played now.", play_count(m->o.plays));
    add_family(out, "frond_spares", "gauge", "Workers that wait for a plugin.");
    add_labelled(out, "frond_spares", "state", "ready", pool.ready);
    add_labelled(out, "frond_spares", "state", "booting", pool.booting);
    add_labelled(out, "frond_spares", "state", "wanted", pool.wanted);
    add_one(out, "frond_worker_starts_total", "counter", "Workers started, of all plugins.", (double)pool.starts);
    add_one(out, "frond_worker_starts_from_spare_total", "counter", "Those that a spare was ready for.", (double)pool.from_spares);
    add_family(out, "frond_refusals_total", "counter", "Refusals that players were told, by code.");
    for (int i = 0; i < d->refusals.count; i++) add_labelled(out, "frond_refusals_total", "code", d->refusals.by[i].code, (double)d->refusals.by[i].count);
    fr_free(d);
}

struct look { struct metrics *m; int64_t entries; void (*done)(void *arg, const char *text, size_t len); void *arg; };

static void look_each(void *arg, const struct ledger_entry *e)
{
    ((struct look *)arg)->entries = e->id;         // rows are numbered without gaps
}

static enum fr_status look_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    ((struct look *)arg)->entries = 0;
    return ledger_journal(txn, 0, 0, 1, look_each, arg, err);
}

static void look_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct look *l = arg;
    struct metrics *m = l->m;
    (void)err;
    if (m->stopped) {
        l->done(l->arg, NULL, 0);                      // what the figures are read from is being taken apart
    } else {
        FR_AUTO_BUF(out);
        fr_buf_init(&out, METRICS_BYTES_MAX);
        add_process(&out, m);
        add_store(&out, m, status == FR_OK ? l->entries : -1);      // a busy store is no reason to say nothing
        add_rest(&out, m);
        add_plugins(&out, m);
        if (m->o.treasury) treasury_metrics(m->o.treasury, &out);
        if (m->o.models) m->o.models(m->o.arg, &out);
        l->done(l->arg, out.failed ? NULL : out.data, out.failed ? 0 : out.len);
    }
    metrics_unref(m);
    fr_free(l);
}

void metrics_print(struct metrics *m, void (*done)(void *arg, const char *text, size_t len), void *arg)
{
    struct fr_err err;
    struct look *l = fr_must_alloc(sizeof *l);
    *l = (struct look){ .m = m, .entries = -1, .done = done, .arg = arg };
    m->refs++;
    if (store_read(m->o.store, look_job, l, look_done, &err) != FR_OK) look_done(l, err.status, &err);
}

// ---- for `frond top`

static void add_plugin_top(struct fr_buf *out, const struct metrics *m, struct plugin *p)
{
    int64_t now_ms = fr_mono_ms();
    struct meter_counts *minute = fr_must_alloc(sizeof *minute);
    const struct meter_counts *all = &p->meter->now;
    struct sandbox_memory memory = sandbox_account_memory(m->o.sandbox, &all->used);
    int64_t wait_us = meter_wait_us(p->meter, fr_mono_us());
    const struct blocks *b = &p->meter->blocks;
    int blocked = 0;
    meter_minute(p->meter, fr_mono_us(), minute);
    fr_buf_addf(out, "{\"id\":\"%s\",\"version\":\"%s\",\"state\":\"%s\",\"workers\":%d,\"heap_bytes\":%lld,\"heap_peak_bytes\":%lld,\"resident_bytes\":%lld,\"cpu_budget_percent\":%d,\"cpu_wait_ms\":%lld",
                p->package->manifest->id, p->package->manifest->version, plugin_state_name(p->state), memory.workers, (long long)memory.heap_bytes, (long long)memory.heap_peak_bytes,
                (long long)memory.rss_bytes, p->meter->percent, (long long)(wait_us + 999) / 1000);
    for (int i = 0; i < 2; i++) {
        const struct meter_counts *c = i == 0 ? minute : all;
        fr_buf_addf(out, ",\"%s\":{\"calls\":%lld,\"turns\":%lld,\"ok\":%lld,\"refused\":%lld,\"raised\":%lld,\"tripped\":%lld,\"lost\":%lld,\"turned_away\":%lld,\"cpu_budget\":%lld,\"player_blocked\":%lld,\"turns_delayed\":%lld",
                    i == 0 ? "minute" : "total", (long long)c->calls, (long long)c->turns, (long long)c->ok, (long long)c->refused, (long long)c->raised, (long long)c->tripped, (long long)c->lost,
                    (long long)c->turned_away, (long long)c->over_budget, (long long)c->blocked, (long long)c->delayed);
        fr_buf_addf(out, ",\"cpu_ms\":%lld,\"bytes_to\":%lld,\"bytes_from\":%lld,\"host_calls\":%lld,\"starts\":%lld,\"crashes\":%lld,\"p50_us\":%lld,\"p99_us\":%lld}", (long long)c->used.cpu_us / 1000,
                    (long long)c->used.bytes_out, (long long)c->used.bytes_in, (long long)c->used.asks, (long long)c->used.starts, (long long)c->used.crashes,
                    (long long)fr_hist_quantile(&c->latency, 0.5), (long long)fr_hist_quantile(&c->latency, 0.99));
    }
    fr_buf_add(out, ",\"blocked\":[");
    for (int i = 0; i < b->count; i++) {
        if (b->entries[i].until_ms <= now_ms) continue;
        fr_buf_add(out, blocked++ ? ",{\"player\":" : "{\"player\":");
        fr_buf_add_json_text(out, b->entries[i].player);
        fr_buf_addf(out, ",\"seconds\":%lld,\"strikes\":%lld}", (long long)(b->entries[i].until_ms - now_ms + 999) / 1000, (long long)b->entries[i].strikes);
    }
    fr_buf_add(out, "]}");
    fr_free(minute);
}

void metrics_print_top(struct metrics *m, struct fr_buf *out)
{
    struct metrics_door *d = fr_must_alloc(sizeof *d);
    struct store_stats s = store_stats(m->o.store);
    struct sandbox_pool pool = sandbox_pool(m->o.sandbox);
    struct rusage use;
    int written = 0;
    getrusage(RUSAGE_SELF, &use);
    m->o.door(m->o.arg, d);
    fr_buf_addf(out, "{\"at_ms\":%lld,\"up_ms\":%lld,\"host\":{\"version\":\"%s\",\"cpu_ms\":%lld,\"connections\":%lld,\"sockets\":%lld,\"requests\":%lld,\"players\":%d,\"matches\":%d", (long long)fr_mono_ms(),
                (long long)(fr_now_ms() - m->started_ms), m->o.version, (long long)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000 + (use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1000,
                (long long)d->net.connections, (long long)d->net.websockets, (long long)d->net.requests, d->players, play_count(m->o.plays));
    fr_buf_addf(out, ",\"loop_us_p99\":%lld,\"store_queue\":%lld,\"commit_us_p99\":%lld,\"spares\":%d,\"spares_wanted\":%d},\"plugins\":[", (long long)fr_hist_quantile(&m->loop_delay, 0.99), (long long)s.queued,
                (long long)s.commit_us_p99, pool.ready, pool.wanted);
    for (struct plugin *p = plugins_next(m->o.plugins, NULL); p; p = plugins_next(m->o.plugins, p)) {
        if (written++) fr_buf_add_char(out, ',');
        add_plugin_top(out, m, p);
    }
    fr_buf_add(out, "]}");
    fr_free(d);
}
