// burn_tool.c — treasury/burn over chain/txq, net/client and a store, driven by lines, for tests against a real node with the real contracts. It dies where it is told to.
//
//     burn-tool CHAIN_ID FOLDER MODULE TOKEN OPTION=NUMBER... NAME=URL...       options: quorum final_blocks threshold age_ms hard_age_ms gas_cap look from_block
// Lines in:  credit PLUGIN UNITS COUNT    load PER_SECOND    run|return|adopt|pause|resume [ID]    show ID    list    supply    verify ID    books    facts    metrics    forgive    bench COUNT    die KIND    quit
// Lines out: JSON: what was asked for, in order; {"ack":n}: n credits are durable; {"news":..}
// KIND: where SIGKILL comes: planned, sign, signed, end (in the commit that ends a payment), ended, commit, ask:METHOD, heard:METHOD, with batch(id) and burn() for the two calls.
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "base/id.h"
#include "base/log.h"
#include "chain/abi.h"
#include "treasury/burn.h"

static char die[40];
static void at(const char *kind)
{
    if (die[0] && strcmp(die, kind) == 0) kill(getpid(), SIGKILL);
}
#define TOOL_AT at
#include "tool.h"


static uv_loop_t *loop;
static struct burn *burn;
static uv_timer_t loader;
static char halted[40];
static int64_t acks, groups;

// ---- a transport that dies before a question, or before its answer is heard

struct heard { char kind[64]; transport_done_fn *done; void *arg; };
static struct chain_transport net;

static void kind_of(const char *body, char out[64])
{
    static const char *const methods[] = { "eth_sendRawTransaction", "eth_getTransactionReceipt", "eth_getTransactionCount", "eth_getLogs", "eth_gasPrice", "eth_blockNumber", "eth_call" };
    uint8_t selector[4];
    char hex[9];
    abi_selector("batch(bytes32)", selector);
    bool batch = strstr(body, fr_hex(selector, 4, hex)) != NULL;
    abi_selector("burn(bytes32,uint256,bytes32)", selector);
    bool burns = strstr(body, fr_hex(selector, 4, hex)) && strstr(body, "eth_call");
    snprintf(out, 64, "%s", batch ? "batch(id)" : burns ? "burn()" : "other");
    for (size_t i = 0; i < sizeof methods / sizeof methods[0] && !batch && !burns; i++)
        if (strstr(body, methods[i])) {
            snprintf(out, 64, "%s", methods[i]);
            return;
        }
}
static void at_kind(const char *when, const char *kind)
{
    char name[80];
    snprintf(name, sizeof name, "%s:%s", when, kind);
    at(name);
}
static void on_heard(void *arg, enum fr_status st, int http, const char *body, size_t len, int64_t retry_after_s, const struct fr_err *err)
{
    struct heard h = *(struct heard *)arg;
    fr_free(arg);
    at_kind("heard", h.kind);
    h.done(h.arg, st, http, body, len, retry_after_s, err);
}
static enum fr_status post(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_bytes_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    struct heard *h = fr_must_alloc(sizeof *h);
    char *text = fr_strndup(body, len);
    *h = (struct heard){ .done = done, .arg = done_arg };
    kind_of(text, h->kind);
    fr_free(text);
    at_kind("ask", h->kind);
    enum fr_status st = net.post(arg, url, body, len, timeout_ms, answer_bytes_max, on_heard, h, err);
    if (st != FR_OK) fr_free(h);
    return st;
}

// ---- what happens

static enum fr_status on_end(struct store_txn *txn, void *arg, const struct txq_payment_row *row, struct fr_err *err)
{
    FR_TRY(burn_on_end(txn, arg, row, err));
    at("end");
    return FR_OK;
}
static void on_news(void *arg, const struct txq_action *a, const char *text)
{
    struct fr_buf line;
    (void)arg;
    if (a->news == TXQ_NEWS_ENDED) at("ended");
    if (a->news == TXQ_NEWS_WAIT) return;
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_add(&line, "{\"news\":");
    fr_buf_add_json_text(&line, text);
    fr_buf_add(&line, "}");
    say(&line);
}
static int64_t now_ms(void *arg) { (void)arg; return fr_now_ms(); }
static void on_wake(void *arg)
{
    (void)arg;
    at("planned");
    if (queue) txq_wake(queue);
}
static void on_halt(void *arg, const char *part, const char *code, const char *text)
{
    (void)arg, (void)part, (void)text;
    snprintf(halted, sizeof halted, "%s", code ? code : "");
}
static bool is_halted(void *arg) { (void)arg; return halted[0] != 0; }

// ---- lines

struct order { char what[16], word[80]; long long units, count; struct fr_buf out; };

static enum fr_status credit_one(struct store_txn *txn, const char *plugin, int64_t units, struct fr_err *err)
{
    struct ledger_account from, to;
    char id[FR_ID_BYTES], key[60];
    int64_t entry;
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "dev", "PALM", &from, err));
    FR_TRY(ledger_account(txn, OWNER_BURN, plugin, "PALM", &to, err));
    struct ledger_leg legs[] = { { from.id, -units }, { to.id, units } };
    snprintf(key, sizeof key, "credit:%s", fr_id_new(id));
    struct ledger_transfer t = { .key = key, .reason = "match", .note = id, .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, fr_now_ms(), &entry, err);
}

static enum fr_status books_job(struct store_txn *txn, struct fr_buf *out, struct fr_err *err)
{
    static const struct { const char *name, *sql; } figures[] = {
        { "accruals", "SELECT count(*) FROM burn_accrual" }, { "units", "SELECT coalesce(sum(units), 0) FROM burn_accrual" }, { "open", "SELECT count(*) FROM burn_batch WHERE state IN (1, 2, 3, 6)" },
        { "batches", "SELECT count(*) FROM burn_batch WHERE state = 4" }, { "in_burned", "SELECT coalesce(sum(units), 0) FROM burn_accrual WHERE batch IN (SELECT n FROM burn_batch WHERE state = 4)" },
        { "totals", "SELECT coalesce(sum(units), 0) FROM burn_total" },
    };
    int64_t free_units, held_units, burned, lost, held, worst;
    struct ledger_audit audit;
    FR_TRY(ledger_kind_sum(txn, OWNER_BURN, "PALM", &free_units, &held_units, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "burned", "PALM", &burned, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "lost", "PALM", &lost, &held, err));
    FR_TRY(ledger_sums(txn, &worst, err));
    FR_TRY(ledger_audit_run(txn, burn_owner_alive, &audit, err));
    bool good = audit.chain_ok && audit.balances_ok && audit.holds_ok && audit.sums_ok && audit.holds_orphaned == 0;
    fr_buf_addf(out, "{\"pending\":%" PRId64 ",\"held\":%" PRId64 ",\"burned\":%" PRId64 ",\"lost\":%" PRId64 ",\"sum\":%" PRId64 ",\"audit\":%s,\"halted\":\"%s\"", free_units, held_units, burned, lost, worst, good ? "true" : "false", halted);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        struct store_row *row = NULL;
        bool found = false;
        FR_TRY(sql_begin(txn, figures[i].sql, &row, err));
        FR_TRY(sql_step(row, &found, err));
        fr_buf_addf(out, ",\"%s\":%" PRId64, figures[i].name, sql_int(row, 0));
        sql_end(row);
    }
    fr_buf_add(out, "}");
    return FR_OK;
}

static enum fr_status order_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    static const struct burn_reader reader = { .operator = true };
    struct order *o = arg;
    const char *w = o->what;
    struct burn_chain_supply chain = burn_chain_supply(burn);
    for (long long i = 0; strcmp(w, "credit") == 0 && i < o->count; i++) FR_TRY(credit_one(txn, o->word, o->units + i, err));
    if (strcmp(w, "show") == 0) return burn_show(txn, o->word, &reader, &o->out, err);
    if (strcmp(w, "list") == 0) return burn_batches(txn, 0, BURN_LIST_MAX, &o->out, err);
    if (strcmp(w, "supply") == 0) return burn_supply(txn, "PALM", "", &chain, &o->out, err);
    if (strcmp(w, "books") == 0) return books_job(txn, &o->out, err);
    if (strcmp(w, "adopt") == 0) return burn_adopt(txn, o->word, fr_now_ms(), &o->out, err);
    if (strcmp(w, "run") == 0) FR_TRY(burn_run(txn, o->word, fr_now_ms(), err));
    if (strcmp(w, "return") == 0) FR_TRY(burn_return(txn, o->word, err));
    if (strcmp(w, "pause") == 0 || strcmp(w, "resume") == 0) FR_TRY(burn_pause(txn, w[0] == 'p', err));
    fr_buf_add(&o->out, "{\"ok\":true}");
    return FR_OK;
}

static void order_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct order *o = arg;
    if (st != FR_OK) {
        complain(err);
        fr_buf_free(&o->out);
    } else say(&o->out);
    if (burn) burn_wake(burn);
    fr_free(o);
}

static void on_verified(void *arg, enum fr_status st, const char *json, size_t len, const struct fr_err *err)
{
    (void)arg;
    if (st != FR_OK) complain(err);
    else {
        printf("%.*s\n", (int)len, json);
        fflush(stdout);
    }
}

static enum fr_status load_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    (void)arg;
    return credit_one(txn, acks % 3 ? "duel" : "hello", 1000 + acks % 100, err);
}
static void load_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    (void)arg;
    if (st != FR_OK) complain(err);
    else printf("{\"ack\":%" PRId64 "}\n", ++acks);
    fflush(stdout);
}
static void on_load(uv_timer_t *timer)
{
    struct fr_err err;
    (void)timer;
    if (store_run(store, load_job, NULL, load_done, &err) != FR_OK) complain(&err);
}

// ---- accruals a second, through the ledger into batches

static struct { long long left, flying, count; uint64_t began_ns, credited_ns; } bench;
static void bench_done(void *arg, enum fr_status st, const struct fr_err *err);
static void bench_fill(void)
{
    struct fr_err err;
    for (; bench.left > 0 && bench.flying < 64; bench.left--, bench.flying++)
        if (store_run(store, load_job, NULL, bench_done, &err) != FR_OK) exit(2);
}
static void bench_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    (void)arg;
    if (st != FR_OK) complain(err), exit(2);
    bench.flying--;
    acks++;
    bench_fill();
    if (bench.left == 0 && bench.flying == 0) bench.credited_ns = uv_hrtime();
}
static enum fr_status bench_left_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    int64_t *left = arg, held;
    return ledger_kind_sum(txn, OWNER_BURN, "PALM", left, &held, err);
}
static void bench_look(void)
{
    int64_t left = 0;
    struct fr_err err;
    if (!bench.credited_ns || !bench.count) return;
    if (store_now(store, bench_left_job, &left, &err) != FR_OK || left) return;
    printf("{\"count\":%lld,\"credited_ms\":%.0f,\"batched_ms\":%.0f}\n", bench.count, (double)(bench.credited_ns - bench.began_ns) / 1e6, (double)(uv_hrtime() - bench.began_ns) / 1e6);
    fflush(stdout);
    bench.count = 0;
}

static void quit(void)
{
    endpoints_free(endpoints);
    endpoints = NULL;
    txq_free(queue);
    queue = NULL;
    burn_free(burn);
    burn = NULL;
    sign_all();
    uv_close((uv_handle_t *)&ticker, NULL);
    uv_close((uv_handle_t *)&loader, NULL);
    uv_close((uv_handle_t *)&input, NULL);
    net_client_stop(client, NULL, NULL);
}

static void obey(char *text)
{
    struct fr_err err;
    struct fr_buf line;
    struct order *o = fr_must_alloc(sizeof *o);
    fr_buf_init(&o->out, LINE_BYTES_MAX);
    if (sscanf(text, "%15s %79s %lld %lld", o->what, o->word, &o->units, &o->count) < 1) exit(2);
    const char *w = o->what;
    if (strcmp(w, "facts") == 0 || strcmp(w, "metrics") == 0) {
        FR_AUTO_BUF(metrics);
        fr_buf_init(&line, LINE_BYTES_MAX);
        fr_buf_init(&metrics, LINE_BYTES_MAX);
        if (w[0] == 'f') burn_facts(burn, &line);
        else {
            burn_metrics(burn, &metrics);
            fr_buf_add(&line, "{\"metrics\":");
            fr_buf_add_json_text(&line, metrics.data);
            fr_buf_add(&line, "}");
        }
        say(&line);
    } else if (strcmp(w, "verify") == 0) burn_verify(burn, o->word, on_verified, NULL);
    else if (strcmp(w, "forgive") == 0) txq_order(queue, TXQ_FORGIVE);
    else if (strcmp(w, "die") == 0) snprintf(die, sizeof die, "%s", o->word);
    else if (strcmp(w, "load") == 0) uv_timer_start(&loader, on_load, 0, 1000 / (uint64_t)atoi(o->word));
    else if (strcmp(w, "unload") == 0) uv_timer_stop(&loader);
    else if (strcmp(w, "bench") == 0) {
        bench.count = bench.left = atoll(o->word);
        bench.credited_ns = 0;
        bench.began_ns = uv_hrtime();
        bench_fill();
    } else if (strcmp(w, "quit") == 0) quit();
    else {
        if (store_run(store, order_job, o, order_done, &err) != FR_OK) exit(2);
        return;
    }
    fr_buf_free(&o->out);
    fr_free(o);
}

static void on_tick(uv_timer_t *timer)
{
    int64_t now_groups = store_stats(store).groups;
    (void)timer;
    if (now_groups != groups && groups) at("commit");
    groups = now_groups;
    sign_all();
    endpoints_tick(endpoints);
    txq_tick(queue);
    burn_tick(burn);
    bench_look();
}

struct tool_option options[] = {
    { "quorum", 1 }, { "final_blocks", 3 }, { "threshold", 20000 }, { "age_ms", 1000 }, { "hard_age_ms", 600000 }, { "gas_cap", 0 }, { "look", 100 }, { "from_block", 0 }, { 0 },
};

int main(int argc, char **argv)
{
    static struct treasury_token token = { .asset = "PALM", .ledger_decimals = 9, .chain_decimals = 9 };
    struct burn_options bo = { .asset = "PALM" };
    struct fr_err err;
    loop = uv_default_loop();
    if (argc < 6 || address_parse(argv[3], &bo.module, &err) != FR_OK || address_parse(argv[4], &token.at, &err) != FR_OK) return 2;
    struct endpoints_config config = tool_words(argc, argv, 5);
    struct final_rules final = tool_final();
    fr_log_level_set(LOG_ERROR + 1);
    ledger_register();
    txq_register();
    burn_register();
    config.transport.post = post;
    config.on_event = NULL;
    tool_open(loop, argv[2], &config);
    net = chain_over_net(client);
    struct txq_config txq = txq_usual(config.chain_id, &final, 5000);
    txq.on_end = on_end;
    txq.on_news = on_news;
    bo.threshold_units = (int64_t)option("threshold");
    bo.age_ms = (int64_t)option("age_ms");
    bo.hard_age_ms = (int64_t)option("hard_age_ms");
    bo.gas_price_cap = gwei(option("gas_cap"));
    bo.look_ms = (int)option("look");
    bo.from_block = option("from_block");
    struct treasury_part part = { .store = store, .endpoints = endpoints, .final = final, .chain_id = config.chain_id, .tokens = &token, .token_count = 1, .now_ms = now_ms, .wake = on_wake, .halt = on_halt, .halted = is_halted };
    enum fr_status st = txq_new(&txq, &queue, &err);
    if (st == FR_OK) st = burn_new(&part, &bo, &burn, &err);
    uv_timer_init(loop, &loader);
    return tool_run(loop, st, &err);
}
