// deposit_tool.c — deposits, sweeps and reconciliation over real nodes: treasury's parts with a transaction manager, a store and a ledger, driven by lines.
//
//     deposit-tool CHAIN_ID FOLDER OPTION=NUMBER... factory=0x.. vault=0x.. PALM=0x.. NFNT=0x.. GHUB=0x.. NAME=URL...
//     options: quorum final_blocks look start sweep sweep_age raise
// Lines in:  address PLAYER     balance PLAYER ASSET     show PLAYER     put NAME TO DATA(0x..)     spend PLAYER ASSET UNITS     accept     pending PLAYER ASSET     facts     forgive     quit
// Lines out: JSON, one for each line in; {"news"}, {"event"}, {"halt"} and {"wallet"} when they happen
#include "treasury/deposit_inside.h"
#include "treasury/reconcile.h"
#include "tool.h"

static struct deposit *deposit;
static struct reconcile *reconcile;
static struct treasury_part part;
static struct treasury_token tokens[] = { { .asset = "PALM", .ledger_decimals = 9, .chain_decimals = 9 }, { .asset = "NFNT", .ledger_decimals = 9, .chain_decimals = 18 }, { .asset = "GHUB", .ledger_decimals = 9, .chain_decimals = 18 } };

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
    tool_quit();
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

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    sign_all();
    endpoints_tick(endpoints);
    txq_tick(queue);
    deposit_tick(deposit);
    reconcile_tick(reconcile);
}

struct tool_option options[] = { { "quorum", 1 }, { "final_blocks", 3 }, { "look", 100 }, { "start", 0 }, { "sweep", 0 }, { "sweep_age", 1ULL << 40 }, { "raise", 600000 }, { 0 } };

static bool take_address(const char *word, struct address *factory, struct address *vault)
{
    struct fr_err err;
    const char *value = strchr(word, '=');
    size_t len = value ? (size_t)(value - word) : 0;
    struct address *at = len == 7 && strncmp(word, "factory", len) == 0 ? factory : len == 5 && strncmp(word, "vault", len) == 0 ? vault : NULL;
    for (int i = 0; i < 3; i++)
        if (strlen(tokens[i].asset) == len && strncmp(tokens[i].asset, word, len) == 0) at = &tokens[i].at;
    if (at && address_parse(value + 1, at, &err) != FR_OK) exit(2);
    return at != NULL;
}

int main(int argc, char **argv)
{
    struct fr_err err;
    uv_loop_t *loop = uv_default_loop();
    struct deposit_options d = { 0 };
    int words = 3;
    for (int i = 3; i < argc; i++)                     // addresses by name go first into their places
        if (!take_address(argv[i], &d.factory, &part.vault)) argv[words++] = argv[i];
    struct endpoints_config config = tool_words(words, argv, 3);
    struct final_rules final = tool_final();
    ledger_register();
    txq_register();
    deposit_register();
    tool_open(loop, argv[2], &config);
    struct txq_config txq = txq_usual(config.chain_id, &final, (int64_t)option("raise"));
    txq.on_end = on_end;
    txq.on_news = on_news;
    part = (struct treasury_part){ .store = store, .endpoints = endpoints, .final = final, .chain_id = config.chain_id, .vault = part.vault, .tokens = tokens, .token_count = 3, .now_ms = now, .wake = on_wake, .halt = on_halt, .wallet = on_wallet };
    d.from_block = option("start");
    d.look_ms = (int64_t)option("look");
    d.sweep_age_ms = (int64_t)option("sweep_age");
    for (int i = 0; i < 3; i++) d.sweep_units[i] = (int64_t)option("sweep");
    struct reconcile_options ro = { .look_ms = (int64_t)option("look") };
    enum fr_status st = deposit_new(&part, &d, &deposit, &err);
    if (st == FR_OK) st = reconcile_new(&part, &ro, &reconcile, &err);
    if (st == FR_OK) st = txq_new(&txq, &queue, &err);
    return tool_run(loop, st, &err);
}
