// bench_sign.c SIGNER FOLDER ROUNDS SECONDS IN_FLIGHT: signed transactions a second through frond-signer, over libsecp256k1 alone, in turns.
//
// Ours: chain/signer_local with so many asks open, transfers of a token, each with another nonce: encoded twice, judged, counted in a file of FOLDER that is synced before
// an answer leaves, signed, and made into raw bytes here. Alone: secp256k1_ecdsa_sign_recoverable over 32 bytes, again and again. Prints a line for each round:
// ours a second, alone a second, us of CPU for each of ours in the signer, in this process, us of CPU of one alone, answers in one turn.
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include "base/clock.h"
#include "chain/abi.h"
#include "chain/keystore.h"
#include "chain/signer_local.h"

#define TOKEN "0x1111111111111111111111111111111111111111"
static const char policy[] = "{\"chain_id\":\"1\",\"gas\":{\"limit\":\"100000\",\"max_fee\":\"100000000000\",\"max_tip\":\"1000000000\",\"day\":\"115792089237316195423570985008687907853269984665640564039457584007913129639935\"},"
    "\"tokens\":[{\"address\":\"" TOKEN "\",\"to\":\"any\",\"each\":\"1000\",\"day\":\"115792089237316195423570985008687907853269984665640564039457584007913129639935\"}]}";
static const uint8_t secret[SECRET_KEY_BYTES] = { 0x42, [31] = 7 };

struct bench { uv_loop_t loop; struct signer_local *s; struct sign_ask ask; int in_flight, open, ready; int64_t done, turns, until_us; bool stopped; };

static int64_t cpu_us(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void must(enum fr_status status, const struct fr_err *err)
{
    if (status == FR_OK) return;
    fprintf(stderr, "bench_sign: %s\n", err->text);
    exit(1);
}

static void on_signed(void *arg, enum fr_status status, const struct sign_answer *answer, const struct fr_err *err)
{
    struct bench *b = arg;
    must(status, err);
    assert(answer->raw_len > 100);
    b->open--;
    b->done++;
}

static void fill(struct bench *b)
{
    struct chain_signer *port = signer_local_port(b->s);
    struct fr_err err;
    for (; b->open < b->in_flight; b->open++) {
        b->ask.tx.nonce++;
        must(port->sign(port, &b->ask, on_signed, b, &err), &err);
    }
}

static void on_ready(void *arg, const struct signer_facts *facts) { struct bench *b = arg; b->ask.from = facts->addresses[0]; b->ready = 1; }
static void on_gone(void *arg, const struct fr_err *why) { (void)arg; must(why->status, why); }
static void on_stopped(void *arg) { struct bench *b = arg; b->stopped = true; }

static int file_of(const char *folder, const char *name, const void *bytes, size_t len)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void start(struct bench *b, const char *program, const char *folder)
{
    static const struct keystore light = { .n = 4096, .r = 8, .p = 1 };
    static uint8_t data[68];
    struct fr_buf text;
    struct fr_err err;
    fr_buf_init(&text, KEYSTORE_BYTES_MAX);
    must(keystore_make(secret, "bench", 5, &light, &text, &err), &err);
    uv_loop_init(&b->loop);
    struct signer_local_options o = { .loop = &b->loop, .program = program, .policy_fd = file_of(folder, "policy", policy, sizeof policy - 1), .tally_fd = file_of(folder, "tally", "", 0),
                                      .passphrase_fd = file_of(folder, "passphrase", "bench", 5), .keystore_fds = { file_of(folder, "key", text.data, text.len) }, .key_count = 1, .on_ready = on_ready, .on_gone = on_gone, .arg = b };
    must(signer_local_start(&o, &b->s, &err), &err);
    fr_buf_free(&text);
    while (!b->ready) uv_run(&b->loop, UV_RUN_ONCE);
    b->ask.kind = SIGN_A_TX;
    b->ask.tx = (struct tx){ .kind = TX_FEE_MARKET, .chain_id = 1, .gas_limit = 60000, .max_fee = u256_of(30000000000), .max_tip = u256_of(1000000000), .data = data, .data_len = sizeof data };
    must(address_parse(TOKEN, &b->ask.tx.to, &err), &err);
    abi_selector("transfer(address,uint256)", data);
    memset(data + 16, 0x77, 20);
    data[67] = 9;
}

static double ours(struct bench *b, int64_t us, int64_t *signer_cpu, int64_t *host_cpu)
{
    clockid_t clock;
    int got = clock_getcpuclockid(signer_local_pid(b->s), &clock);
    assert(got == 0);
    int64_t from_us = fr_mono_us(), until_us = from_us + us, signer_from = cpu_us(clock), host_from = cpu_us(CLOCK_PROCESS_CPUTIME_ID);
    b->done = b->turns = 0;
    while (fr_mono_us() < until_us) {
        fill(b);
        int64_t before = b->done;
        uv_run(&b->loop, UV_RUN_ONCE);
        b->turns += b->done > before;
    }
    double rate = (double)b->done * 1e6 / (double)(fr_mono_us() - from_us);
    *signer_cpu = cpu_us(clock) - signer_from;
    *host_cpu = cpu_us(CLOCK_PROCESS_CPUTIME_ID) - host_from;
    while (b->open > 0) uv_run(&b->loop, UV_RUN_ONCE);       // the other side has the machine for itself
    return rate;
}

static double alone(int64_t us, double *cpu_each)
{
    static secp256k1_context *context;
    secp256k1_ecdsa_recoverable_signature sig;
    uint8_t hash[32] = { 1 };
    if (!context) context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
    int64_t from_us = fr_mono_us(), until_us = from_us + us, cpu_from = cpu_us(CLOCK_PROCESS_CPUTIME_ID), done = 0;
    while (fr_mono_us() < until_us) {
        for (int i = 0; i < 64; i++, done++) {
            memcpy(hash, &done, sizeof done);
            int made = secp256k1_ecdsa_sign_recoverable(context, &sig, hash, secret, NULL, NULL);
            assert(made);
        }
    }
    *cpu_each = (double)(cpu_us(CLOCK_PROCESS_CPUTIME_ID) - cpu_from) / (double)done;
    return (double)done * 1e6 / (double)(fr_mono_us() - from_us);
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (argc != 6) return fprintf(stderr, "bench_sign SIGNER FOLDER ROUNDS SECONDS IN_FLIGHT\n"), 64;
    int rounds = atoi(argv[3]);
    int64_t us = (int64_t)(atof(argv[4]) * 1e6), signer_cpu, host_cpu;
    b.in_flight = atoi(argv[5]);
    start(&b, argv[1], argv[2]);
    for (int i = 0; i < rounds; i++) {
        double cpu_alone, a = ours(&b, us, &signer_cpu, &host_cpu);
        int64_t done = b.done, turns = b.turns;
        double bare = alone(us, &cpu_alone);
        printf("%.0f %.0f %.2f %.2f %.2f %.0f\n", a, bare, (double)signer_cpu / (double)done, (double)host_cpu / (double)done, cpu_alone, (double)done / (double)(turns ? turns : 1));
        fflush(stdout);
    }
    signer_local_stop(b.s, on_stopped, &b);
    uv_run(&b.loop, UV_RUN_DEFAULT);
    return !b.stopped;
}
