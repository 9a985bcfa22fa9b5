// rpc_tool.c — chain/endpoints over net/client on a loop, driven by lines, for tests against real nodes.
//
//     rpc-tool CHAIN_ID NAME=URL...        the first genesis seen is pinned
// Lines in:  ask ID KIND QUORUM METHOD PARAMS     sign NONCE TO VALUE GAS MAX_FEE TIP     facts     quit
// Lines out: JSON: {"id","ok","who","results":[..]} | {"id","code","text"} | {"event","name","text"} | {"raw"} | {"facts":[..]}
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "base/hex.h"
#include "chain/tx.h"
#include "treasury/over_net.h"

#define LINE_BYTES_MAX (256 * 1024)
static struct endpoints *endpoints;
static struct net_client *client;
static uv_timer_t ticker;
static uv_poll_t input;
static struct fr_buf in;
static uint64_t chain_id;

static void say(struct fr_buf *line)
{
    printf("%s\n", line->data);
    fflush(stdout);
    fr_buf_free(line);
}

static void on_event(void *arg, const char *name, enum endpoint_event event, const char *text)
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

static void on_answers(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct fr_buf line;
    fr_buf_init(&line, 8 * RPC_ANSWER_BYTES_MAX);
    fr_buf_addf(&line, "{\"id\":%d,", (int)(intptr_t)arg);
    if (st == FR_OK) {
        fr_buf_addf(&line, "\"ok\":true,\"who\":\"%s\",\"results\":[", who);
        for (int i = 0; i < a->count; i++) {
            if (i) fr_buf_add(&line, ",");
            if (a->at[i].fault) fr_buf_addf(&line, "{\"fault\":\"%s\",\"code\":%lld,\"text\":", rpc_fault_name(a->at[i].fault), (long long)a->at[i].code), fr_buf_add_json_text(&line, a->at[i].text), fr_buf_add(&line, "}");
            else fr_json_print(a->at[i].result, &line);
        }
        fr_buf_add(&line, "]}");
    } else {
        fr_buf_addf(&line, "\"ok\":false,\"code\":\"%s\",\"text\":", err->code);
        fr_buf_add_json_text(&line, err->text);
        fr_buf_add(&line, "}");
    }
    say(&line);
}

static void ask(const char *text)
{
    int id, kind, quorum, at = 0;
    char method[64];
    struct fr_err err;
    if (sscanf(text, "ask %d %d %d %63s %n", &id, &kind, &quorum, method, &at) < 4 || !at) exit(2);
    struct rpc_call call = { method, text + at };
    struct endpoints_ask a = { .calls = &call, .count = 1, .kind = (enum rpc_kind)kind, .quorum = quorum, .done = on_answers, .arg = (void *)(intptr_t)id };
    enum fr_status st = endpoints_ask(endpoints, &a, &err);
    if (st != FR_OK) on_answers((void *)(intptr_t)id, st, NULL, "", &err);
}

// With the first key of anvil's well-known mnemonic: worth nothing anywhere.
static void sign(const char *text)
{
    uint8_t secret[32], hash[32], raw[1024];
    char to[64], value[80], fee[80], tip[80], hex[2100];
    unsigned long long nonce, gas;
    size_t len;
    struct fr_err err;
    struct signature sig;
    struct tx t = { .kind = TX_FEE_MARKET, .chain_id = chain_id, .data = (const uint8_t *)"" };
    if (sscanf(text, "sign %llu %63s %79s %llu %79s %79s", &nonce, to, value, &gas, fee, tip) != 6) exit(2);
    t.nonce = nonce;
    t.gas_limit = gas;
    fr_unhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", 64, secret, 32);
    if (address_parse(to, &t.to, &err) != FR_OK || u256_parse(value, &t.value, &err) != FR_OK || u256_parse(fee, &t.max_fee, &err) != FR_OK || u256_parse(tip, &t.max_tip, &err) != FR_OK
        || tx_signing_hash(&t, hash, &err) != FR_OK || signature_make(secret, hash, &sig, &err) != FR_OK || tx_raw(&t, &sig, raw, sizeof raw, &len, hash, &err) != FR_OK) exit(2);
    printf("{\"raw\":\"0x%s\"}\n", fr_hex(raw, len, hex));
    fflush(stdout);
}

static void facts(void)
{
    struct endpoint_facts all[ENDPOINTS_MAX];
    struct fr_buf line;
    int count = endpoints_facts(endpoints, all);
    fr_buf_init(&line, LINE_BYTES_MAX);
    for (int i = 0; i < count; i++) {
        const struct endpoint_facts *f = &all[i];
        fr_buf_addf(&line, "%s{\"name\":\"%s\",\"state\":%d,\"client\":%d,\"version\":", i ? "," : "{\"facts\":[", f->name, f->state, f->client);
        fr_buf_add_json_text(&line, f->version);
        fr_buf_addf(&line, ",\"probed\":%s,\"finalized\":%s,\"fee_history\":%s,\"debug\":%s,\"batches\":%s,\"logs_range\":%llu,\"height\":%llu,\"failed\":%lld,\"disagreed\":%lld}", f->probed ? "true" : "false", f->finalized ? "true" : "false",
                    f->fee_history ? "true" : "false", f->debug ? "true" : "false", f->batches ? "true" : "false", (unsigned long long)f->logs_range, (unsigned long long)f->height, (long long)f->failed, (long long)f->disagreed);
    }
    fr_buf_add(&line, "]}");
    say(&line);
}

static void quit(void)
{
    endpoints_free(endpoints);
    endpoints = NULL;
    uv_close((uv_handle_t *)&ticker, NULL);
    uv_close((uv_handle_t *)&input, NULL);
    net_client_stop(client, NULL, NULL);
}

static void on_input(uv_poll_t *poll, int status, int what)
{
    char bytes[65536];
    (void)poll;
    (void)status;
    (void)what;
    ssize_t n = read(0, bytes, sizeof bytes);
    if (n <= 0) {
        quit();
        return;
    }
    fr_buf_add_bytes(&in, bytes, (size_t)n);
    for (char *end; endpoints && in.len && (end = memchr(in.data, '\n', in.len)); fr_buf_consume(&in, (size_t)(end - in.data) + 1)) {
        *end = 0;
        if (strncmp(in.data, "ask ", 4) == 0) ask(in.data);
        else if (strncmp(in.data, "sign ", 5) == 0) sign(in.data);
        else if (strcmp(in.data, "facts") == 0) facts();
        else quit();
    }
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    endpoints_tick(endpoints);
}

int main(int argc, char **argv)
{
    static struct endpoint_config at[ENDPOINTS_MAX];
    struct fr_err err;
    uv_loop_t *loop = uv_default_loop();
    struct net_client_options options = { .loop = loop };
    if (argc < 3 || argc - 2 > ENDPOINTS_MAX) return 2;
    chain_id = strtoull(argv[1], NULL, 10);
    for (int i = 2; i < argc; i++) {
        const char *url = strchr(argv[i], '=');
        if (!url) return 2;
        snprintf(at[i - 2].name, sizeof at[0].name, "%.*s", (int)(url - argv[i]), argv[i]);
        snprintf(at[i - 2].url, sizeof at[0].url, "%s", url + 1);
    }
    if (net_client_start(&options, &client, &err) != FR_OK) return 1;
    struct endpoints_config config = { .chain_id = chain_id, .at = at, .count = argc - 2, .transport = chain_over_net(client), .on_event = on_event };
    if (endpoints_new(&config, &endpoints, &err) != FR_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    fr_buf_init(&in, LINE_BYTES_MAX);
    uv_timer_init(loop, &ticker);
    uv_timer_start(&ticker, on_tick, 0, 20);
    uv_poll_init(loop, &input, 0);
    uv_poll_start(&input, UV_READABLE, on_input);
    uv_run(loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(loop);
    fr_buf_free(&in);
    return busy ? 3 : 0;
}
