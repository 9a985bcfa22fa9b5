// rpc_tool.c — chain/endpoints over net/client on a loop, driven by lines, for tests against real nodes.
//
//     rpc-tool CHAIN_ID NAME=URL...        the first genesis seen is pinned
// Lines in:  ask ID KIND QUORUM METHOD PARAMS     sign NONCE TO VALUE GAS MAX_FEE TIP     facts     quit
// Lines out: JSON: {"id","ok","who","results":[..]} | {"id","code","text"} | {"event","name","text"} | {"raw"} | {"facts":[..]}
#include "chain/tx.h"
#include "tool.h"

static uint64_t chain_id;

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

static void sign_line(const char *text)
{
    uint8_t hash[32], raw[1024];
    char to[64], value[80], fee[80], tip[80], hex[2100];
    unsigned long long nonce, gas;
    size_t len;
    struct fr_err err;
    struct signature sig;
    struct tx t = { .kind = TX_FEE_MARKET, .chain_id = chain_id, .data = (const uint8_t *)"" };
    if (sscanf(text, "sign %llu %63s %79s %llu %79s %79s", &nonce, to, value, &gas, fee, tip) != 6) exit(2);
    t.nonce = nonce;
    t.gas_limit = gas;
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
    tool_quit();
}

static void obey(char *line)
{
    if (strncmp(line, "ask ", 4) == 0) ask(line);
    else if (strncmp(line, "sign ", 5) == 0) sign_line(line);
    else if (strcmp(line, "facts") == 0) facts();
    else quit();
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    endpoints_tick(endpoints);
}

struct tool_option options[] = { { 0 } };

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct endpoints_config config = tool_words(argc, argv, 2);
    chain_id = config.chain_id;
    tool_open(loop, NULL, &config);
    return tool_run(loop, FR_OK, NULL);
}
