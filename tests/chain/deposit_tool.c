// deposit_tool.c — deposits, sweeps and reconciliation over real nodes: treasury's parts with a transaction manager, a store and a ledger, driven by lines.
//
//     deposit-tool CHAIN_ID FOLDER OPTION=NUMBER... factory=0x.. vault=0x.. PALM=0x.. NFNT=0x.. GHUB=0x.. NAME=URL...
//     options: quorum final_blocks look start sweep sweep_age raise
// Lines in:  address PLAYER     balance PLAYER ASSET     show PLAYER     put NAME TO DATA(0x..)     spend PLAYER ASSET UNITS     accept     pending PLAYER ASSET     facts     forgive     quit
// Lines out: JSON, one for each line in; {"news"}, {"event"}, {"halt"} and {"wallet"} when they happen
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "treasury/over_net.h"
#include "treasury/deposit_inside.h"
#include "treasury/reconcile.h"

#define LINE_BYTES_MAX (1024 * 1024)
static struct store *store;
static struct endpoints *endpoints;
static struct net_client *client;
static struct txq *queue;
static struct deposit *deposit;
static struct reconcile *reconcile;
static struct treasury_part part;
static struct treasury_token tokens[] = { { .asset = "PALM", .ledger_decimals = 9, .chain_decimals = 9 }, { .asset = "NFNT", .ledger_decimals = 9, .chain_decimals = 18 }, { .asset = "GHUB", .ledger_decimals = 9, .chain_decimals = 18 } };
static uv_timer_t ticker;
static uv_poll_t input;
static struct fr_buf in;
static uint8_t secret[32];

static void say(struct fr_buf *line)
{
    printf("%s\n", line->data ? line->data : "{}");
    fflush(stdout);
    fr_buf_free(line);
}

static void complain(const struct fr_err *err)
{
    struct fr_buf line;
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"error\":\"%s\",\"text\":", err->code);
    fr_buf_add_json_text(&line, err->text);
    fr_buf_add(&line, "}");
    say(&line);
}

// ---- a signer that answers on the next tick, with the first key of anvil's well-known mnemonic: worth nothing anywhere

struct signing { struct signing *next; struct tx t; sign_done_fn *done; void *arg; };      // what the data points to stays with who asks
static struct signing *signings;

static enum fr_status sign(struct chain_signer *port, const struct sign_ask *ask, sign_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)port;
    (void)err;
    struct signing *s = fr_must_alloc(sizeof *s);
    *s = (struct signing){ signings, ask->tx, done, done_arg };
    signings = s;
    return FR_OK;
}

static struct chain_signer signer = { .sign = sign };

static void sign_all(void)
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
        s->done(s->arg, st, st == FR_OK ? &(struct sign_answer){ .sig = sig, .raw = raw, .raw_len = len } : NULL, &err);
        fr_free(s);
    }
}

// ---- what happens

static int64_t now(void *arg) { (void)arg; return fr_now_ms(); }
static void on_wake(void *arg) { (void)arg; txq_wake(queue); }
static void on_wallet(void *arg, const char *player, const char *asset)
{
    (void)arg;
    printf("{\"wallet\":\"%s\",\"asset\":\"%s\"}\n", player, asset);
    fflush(stdout);
}
static void on_halt(void *arg, const char *name, const char *code, const char *text)
{
    struct fr_buf line;
    (void)arg;
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"halt\":\"%s\",\"code\":\"%s\",\"text\":", name, code ? code : "");
    fr_buf_add_json_text(&line, code ? text : "");
    fr_buf_add(&line, "}");
    say(&line);
}
static enum fr_status on_end(struct store_txn *txn, void *arg, const struct txq_payment_row *row, struct fr_err *err)
{
    (void)arg;
    return strncmp(row->name, "sweep:", 6) == 0 ? deposit_on_end(txn, deposit, row, err) : FR_OK;
}
static void on_news(void *arg, const struct txq_action *a, const char *text)
{
    struct fr_buf line;
    (void)arg;
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"news\":%d,\"payment\":%lld,\"text\":", a->news, (long long)a->payment);
    fr_buf_add_json_text(&line, text);
    fr_buf_add(&line, "}");
    say(&line);
}
static void on_event(void *arg, const char *name, enum endpoint_event event, const char *text)
{
    static const char *const names[] = { "up", "down", "lied", "disagreed" };
    (void)arg;
    (void)text;
    printf("{\"event\":\"%s\",\"name\":\"%s\"}\n", names[event], name);
    fflush(stdout);
}

// ---- lines: a job each, and its answer

struct order { char verb[16], a[64], b[64], c[80]; uint8_t *data; size_t data_len; struct deposit_address at; struct fr_buf out; };

static enum fr_status spend(struct store_txn *txn, struct order *o, struct fr_err *err)
{
    struct ledger_account from, to;
    char key[40];
    int64_t id, n = atoll(o->c);
    FR_TRY(ledger_account(txn, OWNER_PLAYER, o->a, o->b, &from, err));
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "world", o->b, &to, err));
    struct ledger_leg legs[] = { { from.id, -n }, { to.id, n } };
    snprintf(key, sizeof key, "spend:%lld", (long long)fr_mono_us());
    struct ledger_transfer t = { .key = key, .reason = "withdrawal", .note = "", .legs = legs, .leg_count = 2 };
    FR_TRY(ledger_post(txn, &t, fr_now_ms(), &id, err));
    fr_buf_addf(&o->out, "{\"spent\":%lld}", (long long)n);
    return FR_OK;
}

static enum fr_status balance(struct store_txn *txn, struct order *o, struct fr_err *err)
{
    FR_SQL_ROW(row);
    FR_SQL_ROW(logs);
    struct u256 dust = { { 0 } };
    char text[U256_TEXT_BYTES];
    int64_t free_units, held_units, worst;
    bool found = false;
    FR_TRY(ledger_balance(txn, OWNER_PLAYER, o->a, o->b, &free_units, &held_units, err));
    FR_TRY(ledger_sums(txn, &worst, err));
    FR_TRY(sql_begin(txn, "SELECT amount FROM deposit_dust WHERE player = ?1 AND asset = ?2", &row, err));
    sql_bind_text(row, 1, o->a);
    sql_bind_text(row, 2, o->b);
    FR_TRY(sql_step(row, &found, err));
    if (found) FR_TRY(deposit_amount(row, 0, &dust, err));
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM deposit_log l JOIN deposit_address a ON a.number = l.address WHERE a.player = ?1 AND l.asset = ?2", &logs, err));
    sql_bind_text(logs, 1, o->a);
    sql_bind_text(logs, 2, o->b);
    FR_TRY(sql_step(logs, &found, err));
    fr_buf_addf(&o->out, "{\"units\":\"%lld\",\"dust\":\"%s\",\"logs\":%lld,\"worst\":\"%lld\"}", (long long)free_units, u256_text(dust, text), (long long)sql_int(logs, 0), (long long)worst);
    return FR_OK;
}

static enum fr_status order_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct order *o = arg;
    char subject[80], text[ADDRESS_TEXT_BYTES], hex[65];
    int64_t id, count;
    if (strcmp(o->verb, "address") == 0) {
        snprintf(subject, sizeof subject, "test:%s", o->a);
        FR_TRY(deposit_issue(txn, deposit, o->a, subject, fr_now_ms(), &o->at, err));
        fr_buf_addf(&o->out, "{\"address\":\"%s\",\"salt\":\"0x%s\",\"number\":%lld}", address_text(&o->at.at, text), fr_hex(o->at.salt, 32, hex), (long long)o->at.number);
        return FR_OK;
    }
    if (strcmp(o->verb, "balance") == 0) return balance(txn, o, err);
    if (strcmp(o->verb, "spend") == 0) return spend(txn, o, err);
    if (strcmp(o->verb, "show") == 0) return deposit_print_one(txn, o->a, &o->out, err);
    if (strcmp(o->verb, "pending") == 0) {
        snprintf(subject, sizeof subject, "test:%s", o->a);
        return deposit_issue(txn, deposit, o->a, subject, fr_now_ms(), &o->at, err);
    }
    if (strcmp(o->verb, "accept") == 0) {
        fr_buf_add(&o->out, "{\"outflows\":");
        FR_TRY(reconcile_print_outflows(txn, 20, &o->out, err));
        FR_TRY(reconcile_accept(txn, &count, err));
        fr_buf_addf(&o->out, ",\"accepted\":%lld}", (long long)count);
        return FR_OK;
    }
    struct txq_ask ask = { .queue = TREASURY_QUEUE, .data = o->data, .data_len = o->data_len };
    snprintf(ask.name, sizeof ask.name, "%s", o->a);
    FR_TRY(address_parse(o->b, &ask.to, err));
    FR_TRY(txq_put(txn, &ask, fr_now_ms(), &id, err));
    fr_buf_addf(&o->out, "{\"put\":%lld}", (long long)id);
    return FR_OK;
}

static void order_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct order *o = arg;
    if (st == FR_OK && deposit && strcmp(o->verb, "pending") == 0) {
        deposit_wanted(deposit, &o->at);
        fr_buf_add(&o->out, "{\"pending\":");
        deposit_print_pending(deposit, &o->at, o->b, &o->out);
        fr_buf_add(&o->out, "}");
    }
    if (st != FR_OK) {
        complain(err);
        fr_buf_free(&o->out);
    } else say(&o->out);
    if (queue && strcmp(o->verb, "put") == 0) txq_wake(queue);
    if (reconcile && strcmp(o->verb, "accept") == 0) reconcile_again(reconcile);
    fr_free(o->data);
    fr_free(o);
}

static void facts(void)
{
    struct fr_buf line;
    struct txq_facts f;
    txq_facts(queue, &f);
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_add(&line, "{\"deposit\":");
    deposit_print_facts(deposit, &line);
    fr_buf_add(&line, ",\"reconcile\":");
    reconcile_print(reconcile, &line);
    fr_buf_addf(&line, ",\"txq\":{\"loaded\":%s,\"halted\":%s,\"payments\":%d,\"signed\":%lld,\"error\":", f.loaded ? "true" : "false", f.halted ? "true" : "false", f.payments, (long long)f.figures.signed_count);
    fr_buf_add_json_text(&line, f.last_error);
    fr_buf_add(&line, "}}");
    say(&line);
}

static void quit(void)
{
    endpoints_free(endpoints);
    endpoints = NULL;
    txq_free(queue);
    queue = NULL;
    deposit_free(deposit);
    deposit = NULL;
    reconcile_free(reconcile);
    reconcile = NULL;
    sign_all();
    uv_close((uv_handle_t *)&ticker, NULL);
    uv_close((uv_handle_t *)&input, NULL);
    net_client_stop(client, NULL, NULL);
}

static void obey(char *line)
{
    static const char *const verbs[] = { "address", "balance", "show", "put", "spend", "accept", "pending" };
    struct fr_err err;
    char verb[16] = "";
    if (sscanf(line, "%15s", verb) != 1 || strcmp(verb, "quit") == 0) {
        quit();
        return;
    }
    if (strcmp(verb, "facts") == 0) facts();
    if (strcmp(verb, "forgive") == 0) txq_order(queue, TXQ_FORGIVE);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i], verb) != 0) continue;
        struct order *o = fr_must_alloc(sizeof *o);
        fr_buf_init(&o->out, LINE_BYTES_MAX);
        snprintf(o->verb, sizeof o->verb, "%s", verb);
        int at = 0;
        sscanf(line, "%*s %63s %63s %n", o->a, o->b, &at);
        if (strcmp(verb, "put") == 0 && at) {
            const char *hex = line + at + 2;
            o->data_len = strlen(hex) / 2;
            o->data = fr_must_alloc(o->data_len + 1);
            if (!fr_unhex(hex, 2 * o->data_len, o->data, o->data_len)) exit(2);
        } else if (at) snprintf(o->c, sizeof o->c, "%s", line + at);
        if (store_run(store, order_job, o, order_done, &err) != FR_OK) exit(2);
    }
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
        obey(in.data);
    }
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    sign_all();
    endpoints_tick(endpoints);
    txq_tick(queue);
    deposit_tick(deposit);
    reconcile_tick(reconcile);
}

static struct u256 gwei(unsigned long long n)
{
    struct u256 wei = u256_of(0);
    if (!u256_mul(u256_of(n), u256_of(1000000000), &wei)) exit(2);
    return wei;
}

static struct { const char *name; unsigned long long value; } options[] = { { "quorum", 1 }, { "final_blocks", 3 }, { "look", 100 }, { "start", 0 }, { "sweep", 0 }, { "sweep_age", 1ULL << 40 }, { "raise", 600000 } };
static unsigned long long option(const char *name)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(options[i].name, name) == 0) return options[i].value;
    exit(2);
}

// An option, an address by name, or an endpoint.
static bool set(const char *name, const char *value, struct address *factory, struct address *vault)
{
    struct fr_err err;
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (strcmp(options[i].name, name) != 0) continue;
        options[i].value = strtoull(value, NULL, 10);
        return true;
    }
    struct address *at = strcmp(name, "factory") == 0 ? factory : strcmp(name, "vault") == 0 ? vault : NULL;
    for (int i = 0; i < 3; i++)
        if (strcmp(tokens[i].asset, name) == 0) at = &tokens[i].at;
    if (at && address_parse(value, at, &err) != FR_OK) exit(2);
    return at != NULL;
}

int main(int argc, char **argv)
{
    static struct endpoint_config at[ENDPOINTS_MAX];
    struct fr_err err;
    uv_loop_t *loop = uv_default_loop();
    struct net_client_options net = { .loop = loop };
    struct deposit_options d = { 0 };
    int count = 0;
    if (argc < 4) return 2;
    for (int i = 3; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value) return 2;
        *value++ = 0;
        if (set(argv[i], value, &d.factory, &part.vault) || count == ENDPOINTS_MAX) continue;
        snprintf(at[count].name, sizeof at[0].name, "%s", argv[i]);
        snprintf(at[count++].url, sizeof at[0].url, "%s", value);
    }
    fr_unhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80", 64, secret, 32);
    ledger_register();
    txq_register();
    deposit_register();
    struct store_options store_options = { .folder = argv[2], .loop = loop, .check = ledger_look };
    struct endpoints_config config = { .chain_id = strtoull(argv[1], NULL, 10), .at = at, .count = count, .on_event = on_event };
    struct txq_config txq = {
        .queue = TREASURY_QUEUE, .chain_id = config.chain_id, .fee_percentile = 50, .final = { .quorum = (int)option("quorum"), .blocks = (int)option("final_blocks") }, .signer = &signer, .on_end = on_end, .on_news = on_news,
        .rules = { .fees = { .max_fee_cap = gwei(500), .tip_cap = gwei(50), .tip_least = u256_of(1000000) }, .day_most = gwei(1000000000000ULL), .look_ms = 100, .resend_ms = 1000, .raise_ms = (int64_t)option("raise"), .retry_ms = 100 },
    };
    enum fr_status st = secret_key_address(secret, &txq.address, &err);
    if (st == FR_OK) st = store_open(&store_options, &store, &err);
    if (st == FR_OK) st = net_client_start(&net, &client, &err);
    if (st == FR_OK) {
        config.transport = chain_over_net(client);
        st = endpoints_new(&config, &endpoints, &err);
    }
    txq.store = store;
    txq.endpoints = endpoints;
    struct address vault = part.vault;
    part = (struct treasury_part){ .store = store, .endpoints = endpoints, .final = txq.final, .chain_id = config.chain_id, .vault = vault, .tokens = tokens, .token_count = 3, .now_ms = now, .wake = on_wake, .halt = on_halt, .wallet = on_wallet };
    d.from_block = option("start");
    d.look_ms = (int64_t)option("look");
    d.sweep_age_ms = (int64_t)option("sweep_age");
    for (int i = 0; i < 3; i++) d.sweep_units[i] = (int64_t)option("sweep");
    struct reconcile_options ro = { .look_ms = (int64_t)option("look") };
    if (st == FR_OK) st = deposit_new(&part, &d, &deposit, &err);
    if (st == FR_OK) st = reconcile_new(&part, &ro, &reconcile, &err);
    if (st == FR_OK) st = txq_new(&txq, &queue, &err);
    if (st != FR_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    fr_buf_init(&in, LINE_BYTES_MAX);
    uv_timer_init(loop, &ticker);
    uv_timer_start(&ticker, on_tick, 0, 10);
    uv_poll_init(loop, &input, 0);
    uv_poll_start(&input, UV_READABLE, on_input);
    uv_run(loop, UV_RUN_DEFAULT);
    store_close(store);
    uv_run(loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(loop);
    fr_buf_free(&in);
    return busy ? 3 : 0;
}
