// bench_ledger.c — durable transfers a second: SECONDS of transfers among 32 players, IN_FLIGHT at a time, through ledger and
// store, with a reader that asks for histories and sums without pause. Prints one JSON line.
//
//     bench_ledger FOLDER SECONDS IN_FLIGHT [ACCOUNTS [hot]]      hot: one account is a side of every transfer
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "base/clock.h"
#include "base/hash.h"
#include "ledger/ledger.h"

#define ACCOUNTS_MAX 20000
#define SAMPLES_MAX 4000000

struct move { int64_t from, to, units, id, start_us; char key[40]; };

static struct store *store;
static int64_t accounts[ACCOUNTS_MAX], started_us, end_us, done_count, failed_count, reads;
static int account_count = 32;
static bool hot;
static uint32_t *samples_us;
static uint64_t seed[2];

static uint64_t pick(uint64_t below)              // xorshift128+: the bench must not wait for the kernel's randomness
{
    uint64_t a = seed[0], b = seed[1];
    seed[0] = b;
    a ^= a << 23;
    seed[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
    return (seed[1] + b) % below;
}

static enum fr_status setup_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    struct ledger_account world, a;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "TEST", &world, err));
    for (int i = 0; i < account_count; i++) {
        char name[20], key[30];
        snprintf(name, sizeof name, "p%d", i);
        snprintf(key, sizeof key, "fund:%d", i);
        FR_TRY(ledger_account(txn, OWNER_PLAYER, name, "TEST", &a, err));
        accounts[i] = a.id;
        struct ledger_leg legs[] = { { world.id, -1000000000 }, { a.id, 1000000000 } };
        struct ledger_transfer t = { .key = key, .reason = "mint", .note = "", .legs = legs, .leg_count = 2 };
        int64_t id = 0;
        FR_TRY(ledger_post(txn, &t, fr_now_ms(), &id, err));
    }
    return FR_OK;
}

// ---- writing

static enum fr_status move_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct move *m = arg;
    struct ledger_leg legs[] = { { m->from, -m->units }, { m->to, m->units } };
    struct ledger_transfer t = { .key = m->key, .reason = "bench", .note = "", .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, fr_now_ms(), &m->id, err);
}

static void move_done(void *arg, enum fr_status status, const struct fr_err *err);
static void move_start(struct move *m)
{
    struct fr_err err;
    int from = hot ? 0 : (int)pick((uint64_t)account_count), to = (from + 1 + (int)pick((uint64_t)account_count - 1)) % account_count;
    if (hot && pick(2)) { from = to; to = 0; }
    m->from = accounts[from];
    m->to = accounts[to];
    m->units = 1 + (int64_t)pick(9);
    snprintf(m->key, sizeof m->key, "bench:%" PRIu64, pick(1000000000000000000ULL));
    m->start_us = fr_mono_us();
    if (store_run(store, move_job, m, move_done, &err) != FR_OK) abort();
}

static void move_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    struct move *m = arg;
    int64_t now_us = fr_mono_us();
    if (status != FR_OK && failed_count++ == 0) fprintf(stderr, "bench: %s\n", err->text);
    if (done_count < SAMPLES_MAX) samples_us[done_count] = (uint32_t)(now_us - m->start_us);
    done_count++;
    if (now_us < end_us) move_start(m);
}

// ---- reading beside it

static void on_entry(void *arg, const struct ledger_entry *e) { *(int64_t *)arg += e->id; }

static enum fr_status read_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    int64_t worst_units = 0;
    FR_TRY(ledger_sums(txn, &worst_units, err));
    if (worst_units != 0) {
        fprintf(stderr, "bench: the sum is %lld\n", (long long)worst_units);
        abort();
    }
    return ledger_journal(txn, accounts[0], 0, 20, on_entry, arg, err);
}

static void read_done(void *arg, enum fr_status status, const struct fr_err *err);
static void read_start(int64_t *sink)
{
    struct fr_err err;
    if (store_read(store, read_job, sink, read_done, &err) != FR_OK) abort();
}
static void read_done(void *arg, enum fr_status status, const struct fr_err *err)
{
    if (status != FR_OK) fprintf(stderr, "bench: read: %s\n", err->text);
    reads++;
    if (fr_mono_us() < end_us) read_start(arg);
}

// ---- report

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static enum fr_status audit_job(struct store_txn *txn, void *arg, struct fr_err *err) { return ledger_audit_run(txn, NULL, arg, err); }

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: bench_ledger FOLDER SECONDS IN_FLIGHT [ACCOUNTS [hot]]\n");
        return 2;
    }
    int in_flight = atoi(argv[3]);
    if (argc > 4) account_count = atoi(argv[4]);
    hot = argc > 5 && strcmp(argv[5], "hot") == 0;
    if (in_flight < 1 || in_flight > STORE_QUEUE_MAX || account_count < 2 || account_count > ACCOUNTS_MAX) return 2;
    struct fr_err err;
    uv_loop_t loop;
    uv_loop_init(&loop);
    ledger_register();
    fr_random_bytes(seed, sizeof seed);
    samples_us = calloc(SAMPLES_MAX, sizeof *samples_us);
    struct move *moves = calloc((size_t)in_flight, sizeof *moves);
    struct store_options options = { .folder = argv[1], .loop = &loop };
    if (store_open(&options, &store, &err) != FR_OK || store_now(store, setup_job, NULL, &err) != FR_OK) {
        fprintf(stderr, "bench: %s\n", err.text);
        return 1;
    }

    double cpu = cpu_seconds();
    started_us = fr_mono_us();
    end_us = started_us + atoll(argv[2]) * 1000000;
    int64_t sink = 0;
    for (int i = 0; i < in_flight; i++) move_start(&moves[i]);
    if (!getenv("BENCH_NO_READER")) read_start(&sink);
    uv_run(&loop, UV_RUN_DEFAULT);
    double seconds = (double)(fr_mono_us() - started_us) / 1e6;
    cpu = cpu_seconds() - cpu;

    struct ledger_audit audit;
    if (store_now(store, audit_job, &audit, &err) != FR_OK || audit.first_fault[0] || failed_count) {
        fprintf(stderr, "bench: the ledger is wrong afterwards: %s\n", audit.first_fault);
        return 1;
    }
    struct store_stats stats = store_stats(store);
    int64_t kept = done_count < SAMPLES_MAX ? done_count : SAMPLES_MAX;
    qsort(samples_us, (size_t)kept, sizeof *samples_us, by_value);
    printf("{\"rate\":%.0f,\"cpu_us\":%.2f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"group_mean\":%.1f,\"commit_us_p50\":%lld,\"commit_us_p99\":%lld,\"reads\":%lld}\n",
           (double)done_count / seconds, cpu * 1e6 / (double)done_count, samples_us[kept / 2] / 1e3, samples_us[kept * 99 / 100] / 1e3,
           (double)stats.jobs / (double)stats.groups, (long long)stats.commit_us_p50, (long long)stats.commit_us_p99, (long long)reads);
    store_close(store);
    uv_run(&loop, UV_RUN_DEFAULT);
    free(samples_us);
    free(moves);
    return uv_loop_close(&loop) != 0;
}
