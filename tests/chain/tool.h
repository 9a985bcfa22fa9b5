// tool.h — what the drivers of this folder share: one loop with a client, nodes and a store, lines in, JSON out. A driver has an `obey`, a `quit`, a table of `options`, and says what ticks.
#pragma once
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "chain/txq.h"
#include "treasury/over_net.h"

#define LINE_BYTES_MAX (2 * 1024 * 1024)
#define SHARED __attribute__((unused)) static
SHARED struct store *store;
SHARED struct endpoints *endpoints;                    // NULL: it is ending
SHARED struct net_client *client;
SHARED struct txq *queue;
SHARED uv_timer_t ticker;
SHARED uv_poll_t input;
SHARED struct fr_buf in;

static void obey(char *line);
static void quit(void);                                // once; frees its own, then tool_quit
static void on_tick(uv_timer_t *timer);

// ---- lines

SHARED void say(struct fr_buf *line)
{
    printf("%s\n", line->data ? line->data : "null");
    fflush(stdout);
    fr_buf_free(line);
}

SHARED void complain(const struct fr_err *err)
{
    struct fr_buf line;
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"error\":\"%s\",\"text\":", err->code);
    fr_buf_add_json_text(&line, err->text);
    fr_buf_add(&line, "}");
    say(&line);
}

SHARED void on_event(void *arg, const char *name, enum endpoint_event event, const char *text)
{
    static const char *const names[] = { "up", "down", "lied", "disagreed" };
    struct fr_buf line;
    (void)arg;
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"event\":\"%s\",\"name\":\"%s\",\"text\":", names[event], name);
    fr_buf_add_json_text(&line, text);
    fr_buf_add(&line, "}");
    say(&line);
}

SHARED void on_input(uv_poll_t *poll, int status, int what)
{
    char bytes[65536];
    (void)poll, (void)status, (void)what;
    ssize_t n = read(0, bytes, sizeof bytes);
    if (n <= 0) {
        if (endpoints) quit();
        return;
    }
    fr_buf_add_bytes(&in, bytes, (size_t)n);
    for (char *end; endpoints && in.len && (end = memchr(in.data, '\n', in.len)); fr_buf_consume(&in, (size_t)(end - in.data) + 1)) {
        *end = 0;
        obey(in.data);
    }
}

// ---- a signer that answers on the next tick, with the first key of anvil's well-known mnemonic: worth nothing anywhere

#ifndef TOOL_AT
#define TOOL_AT(kind) ((void)0)                        // a driver that dies where it is told to defines it
#endif
#define ANVIL_KEY "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
struct signing { struct signing *next; struct tx t; sign_done_fn *done; void *arg; };      // what the data points to stays with who asks
SHARED struct signing *signings;
SHARED bool locked;                                    // it refuses
SHARED uint8_t secret[32];

SHARED enum fr_status sign(struct chain_signer *port, const struct sign_ask *ask, sign_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)port;
    if (locked) return FR_FAIL(err, FR_E_DENIED, "the key is locked");
    struct signing *s = fr_must_alloc(sizeof *s);
    TOOL_AT("sign");
    *s = (struct signing){ signings, ask->tx, done, done_arg };
    signings = s;
    return FR_OK;
}
SHARED struct chain_signer signer = { .sign = sign };

SHARED void sign_all(void)
{
    for (struct signing *s; (s = signings); ) {
        uint8_t hash[32];
        static uint8_t raw[TX_BYTES_MAX];
        size_t len = 0;
        struct signature sig;
        struct fr_err err;
        signings = s->next;
        enum fr_status st = tx_signing_hash(&s->t, hash, &err);
        if (st == FR_OK) st = signature_make(secret, hash, &sig, &err);
        if (st == FR_OK) st = tx_raw(&s->t, &sig, raw, sizeof raw, &len, hash, &err);
        TOOL_AT("signed");
        s->done(s->arg, st, st == FR_OK ? &(struct sign_answer){ .sig = sig, .raw = raw, .raw_len = len } : NULL, &err);
        fr_free(s);
    }
}

// ---- OPTION=NUMBER and NAME=URL

struct tool_option { const char *name; unsigned long long value; };
extern struct tool_option options[];                   // the driver's; ended by one without a name

SHARED struct tool_option *option_of(const char *name, size_t len)
{
    struct tool_option *o = options;
    while (o->name && (strlen(o->name) != len || strncmp(o->name, name, len) != 0)) o++;
    return o->name ? o : NULL;
}

SHARED unsigned long long option(const char *name)
{
    struct tool_option *o = option_of(name, strlen(name));
    if (!o) exit(2);
    return o->value;
}

// False: no `=` in it, or an endpoint too many.
SHARED bool take_word(const char *word, struct endpoint_config *at, int *count)
{
    const char *value = strchr(word, '=');
    struct tool_option *o = value ? option_of(word, (size_t)(value - word)) : NULL;
    if (o) o->value = strtoull(value + 1, NULL, 10);
    if (o || !value || *count == ENDPOINTS_MAX) return o != NULL;
    snprintf(at[*count].name, sizeof at[0].name, "%.*s", (int)(value - word), word);
    snprintf(at[(*count)++].url, sizeof at[0].url, "%s", value + 1);
    return true;
}

// The words from argv[first] on; CHAIN_ID and FOLDER are the first two.
SHARED struct endpoints_config tool_words(int argc, char **argv, int first)
{
    static struct endpoint_config at[ENDPOINTS_MAX];
    struct endpoints_config config = { .chain_id = argc > first ? strtoull(argv[1], NULL, 10) : 0, .at = at, .on_event = on_event };
    for (int i = first; i < argc; i++) if (!take_word(argv[i], at, &config.count)) exit(2);
    if (config.count == 0) exit(2);
    return config;
}

SHARED struct final_rules tool_final(void) { return (struct final_rules){ .quorum = (int)option("quorum"), .blocks = (int)option("final_blocks") }; }

SHARED struct u256 gwei(unsigned long long n)
{
    struct u256 wei = u256_of(0);
    if (!u256_mul(u256_of(n), u256_of(1000000000), &wei)) exit(2);
    return wei;
}

// What all transaction managers here begin with, after tool_open.
SHARED struct txq_config txq_usual(uint64_t chain_id, const struct final_rules *final, int64_t raise_ms)
{
    struct txq_config c = { .queue = 1, .chain_id = chain_id, .fee_percentile = 50, .final = *final, .signer = &signer, .store = store, .endpoints = endpoints,
        .rules = { .fees = { .max_fee_cap = gwei(500), .tip_cap = gwei(50), .tip_least = u256_of(1000000) }, .day_most = gwei(1000000000000ULL), .look_ms = 100, .resend_ms = 1000, .raise_ms = raise_ms, .retry_ms = 100 } };
    if (secret_key_address(secret, &c.address, NULL) != FR_OK) exit(2);
    return c;
}

// ---- beginning and end

// Store (all is registered), client, and the nodes on it; config->transport.post where it is set stands in front of the client's. Says what failed, and exits.
SHARED void tool_open(uv_loop_t *loop, const char *folder, struct endpoints_config *config)
{
    struct fr_err err;
    struct net_client_options net = { .loop = loop };
    struct store_options o = { .folder = folder, .loop = loop };
    bool own_post = config->transport.post != NULL;
    enum fr_status st = folder ? store_open(&o, &store, &err) : FR_OK;
    if (st == FR_OK) st = net_client_start(&net, &client, &err);
    if (st == FR_OK) {
        struct chain_transport over = chain_over_net(client);
        config->transport = (struct chain_transport){ .arg = over.arg, .now_ms = over.now_ms, .post = own_post ? config->transport.post : over.post };
        st = endpoints_new(config, &endpoints, &err);
    }
    if (st == FR_OK && fr_unhex(ANVIL_KEY, 64, secret, 32)) return;
    fprintf(stderr, "%s\n", err.text);
    exit(2);
}

SHARED void tool_quit(void)
{
    sign_all();
    uv_close((uv_handle_t *)&ticker, NULL);
    uv_close((uv_handle_t *)&input, NULL);
    net_client_stop(client, NULL, NULL);
}

// Runs until `quit`. st: whether all was made. The exit code: 3 when something was left open.
SHARED int tool_run(uv_loop_t *loop, enum fr_status st, const struct fr_err *err)
{
    if (st != FR_OK) {
        fprintf(stderr, "%s\n", err->text);
        return 2;
    }
    fr_buf_init(&in, LINE_BYTES_MAX);
    uv_timer_init(loop, &ticker);
    uv_timer_start(&ticker, on_tick, 0, 10);
    uv_poll_init(loop, &input, 0);
    uv_poll_start(&input, UV_READABLE, on_input);
    uv_run(loop, UV_RUN_DEFAULT);
    if (store) store_close(store);
    uv_run(loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(loop);
    fr_buf_free(&in);
    return busy ? 3 : 0;
}
