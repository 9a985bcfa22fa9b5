// payout_tool.c — withdrawals over chain/txq over chain/endpoints over net/client, with a store and a ledger: driven by lines, for tests against real nodes.
//
//     payout-tool CHAIN_ID FOLDER TOKEN MODULE VAULT OPTION=NUMBER... NAME=URL...      options: quorum final_blocks cooldown_ms two_from batch age_ms from_block raise
// Lines in:  fund PLAYER UNITS    ask PLAYER UNITS TO    show ID    cancel PLAYER ID    approve|return|again ID OPERATOR    adopt OPERATOR    pause  resume  books  list  facts  forgive  quit
// Lines out: JSON: {"row":{..}} | {"rows":[..]} | {"books":{..}} | {"facts":{..}} | {"halt","code"} | {"done"} | {"error","text"}
#include "cli/cli.h"
#include "treasury/withdrawal.h"
#include "tool.h"

static struct withdrawals *withdrawals;
static char halts[2][40];
static struct treasury_token token = { "PALM", { { 0 } }, 9, 9 };
static struct withdrawal_rules rules = { .asset = "PALM", .least = 1, .most = 1000000000000, .player_day = 1000000000000000, .all_day = 1000000000000000 };

// ---- the program around the part

static enum fr_status on_end(struct store_txn *txn, void *arg, const struct txq_payment_row *row, struct fr_err *err) { (void)arg; return withdrawal_on_end(txn, withdrawals, row, err); }
static void on_wake(void *arg) { (void)arg; if (queue) txq_wake(queue); }
static void on_wallet(void *arg, const char *player, const char *asset) { (void)arg, (void)player, (void)asset; }
static void on_halt(void *arg, const char *part, const char *code, const char *text)
{
    (void)arg, (void)text;
    snprintf(halts[strcmp(part, "withdrawal") != 0], sizeof halts[0], "%s", code ? code : "");
    printf("{\"halt\":\"%s\",\"code\":\"%s\"}\n", part, code ? code : "");
    fflush(stdout);
}
static bool is_halted(void *arg)
{
    struct txq_facts f = { 0 };
    (void)arg;
    if (queue) txq_facts(queue, &f);
    return halts[0][0] || halts[1][0] || f.halted;
}

// ---- lines

struct order { char word[4][80]; struct fr_buf out; };

static enum fr_status fund(struct store_txn *txn, const char *player, int64_t units, struct fr_err *err)
{
    struct ledger_account from, to;
    int64_t id;
    char key[64];
    FR_TRY(ledger_account(txn, OWNER_CHAIN, "world", "PALM", &from, err));
    FR_TRY(ledger_account(txn, OWNER_PLAYER, player, "PALM", &to, err));
    snprintf(key, sizeof key, "deposit:%s:%lld", player, (long long)to.free_units + to.held_units);
    struct ledger_leg legs[] = { { from.id, -units }, { to.id, units } };
    struct ledger_transfer t = { .key = key, .reason = "deposit", .note = "", .legs = legs, .leg_count = 2 };
    return ledger_post(txn, &t, fr_now_ms(), &id, err);
}

static enum fr_status books(struct store_txn *txn, struct fr_buf *out, struct fr_err *err)
{
    struct ledger_audit audit;
    int64_t world, lost, held;
    FR_SQL_ROW(row);
    bool found = false;
    FR_TRY(ledger_audit_run(txn, withdrawal_owner_alive, &audit, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "world", "PALM", &world, &held, err));
    FR_TRY(ledger_balance(txn, OWNER_CHAIN, "lost", "PALM", &lost, &held, err));
    FR_TRY(sql_begin(txn, "SELECT coalesce(sum(units) FILTER (WHERE state = 5), 0), count(*) FILTER (WHERE state < 5), count(*) FILTER (WHERE state = 5), count(*) FILTER (WHERE state = 6), count(*) FROM withdrawal", &row, err));
    FR_TRY(sql_step(row, &found, err));
    fr_buf_addf(out, "{\"books\":{\"good\":%s,\"world\":\"%lld\",\"lost\":\"%lld\",\"paid_units\":\"%lld\",\"open\":%lld,\"paid\":%lld,\"returned\":%lld,\"all\":%lld}}",
                audit.chain_ok && audit.balances_ok && audit.holds_ok && audit.sums_ok && audit.holds_orphaned == 0 ? "true" : "false", (long long)world, (long long)lost, (long long)sql_int(row, 0), (long long)sql_int(row, 1),
                (long long)sql_int(row, 2), (long long)sql_int(row, 3), (long long)sql_int(row, 4));
    return FR_OK;
}

static void list_each(void *arg, const struct withdrawal_row *row)
{
    struct fr_buf *out = arg;
    fr_buf_add(out, out->len > 10 ? "," : "");
    withdrawal_print(row, true, out);
}

static enum fr_status list(struct store_txn *txn, struct fr_buf *out, struct fr_err *err)
{
    fr_buf_add(out, "{\"rows\": [");
    FR_TRY(withdrawal_list(txn, NULL, 0, "", 5000, list_each, out, err));
    fr_buf_add(out, "]}");
    return FR_OK;
}

static enum fr_status order_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct order *o = arg;
    struct withdrawal_row row = { 0 };
    const char *verb = o->word[0], *a = o->word[1], *b = o->word[2];
    int count = 0;
    if (strcmp(verb, "fund") == 0) FR_TRY(fund(txn, a, strtoll(b, NULL, 10), err));
    else if (strcmp(verb, "books") == 0) return books(txn, &o->out, err);
    else if (strcmp(verb, "list") == 0) return list(txn, &o->out, err);
    else if (strcmp(verb, "ask") == 0) FR_TRY(withdrawal_ask(txn, withdrawals, &(struct withdrawal_ask){ .player = a, .asset = "PALM", .to = o->word[3], .units = strtoll(b, NULL, 10) }, fr_now_ms(), &row, err));
    else if (strcmp(verb, "show") == 0) FR_TRY(withdrawal_get(txn, a, &row, err));
    else if (strcmp(verb, "cancel") == 0) FR_TRY(withdrawal_cancel(txn, a, b, &row, err));
    else if (strcmp(verb, "approve") == 0) FR_TRY(withdrawal_approve(txn, a, b, fr_now_ms(), &row, err));
    else if (strcmp(verb, "return") == 0) FR_TRY(withdrawal_return(txn, a, b, &row, err));
    else if (strcmp(verb, "again") == 0) FR_TRY(withdrawal_again(txn, a, b, &row, err));
    else if (strcmp(verb, "adopt") == 0) FR_TRY(withdrawal_adopt(txn, a, fr_now_ms(), &count, err));
    else FR_TRY(withdrawal_pause(txn, strcmp(verb, "pause") == 0, "test", err));
    if (!row.id[0]) {
        fr_buf_addf(&o->out, "{\"done\":%d}", count);
        return FR_OK;
    }
    fr_buf_add(&o->out, "{\"row\":");
    withdrawal_print(&row, true, &o->out);
    fr_buf_add(&o->out, "}");
    return FR_OK;
}

static void order_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct order *o = arg;
    if (st != FR_OK) complain(err);
    else say(&o->out);
    fr_buf_free(&o->out);
    fr_free(o);
}

static void facts(void)
{
    struct txq_facts f;
    struct fr_buf line;
    txq_facts(queue, &f);
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"facts\":{\"loaded\":%s,\"halted\":%s,\"wait\":\"%s\",\"payments\":%d,\"why\":", f.loaded ? "true" : "false", f.halted ? "true" : "false", txq_wait_name(f.wait), f.payments);
    fr_buf_add_json_text(&line, f.why);
    fr_buf_add(&line, ",\"error\":");
    fr_buf_add_json_text(&line, f.last_error);
    fr_buf_add(&line, ",\"withdrawals\":");
    withdrawal_facts(withdrawals, &line);
    fr_buf_add(&line, "}}");
    say(&line);
}

static void quit(void)
{
    if (!endpoints) return;
    endpoints_free(endpoints);
    endpoints = NULL;
    withdrawal_free(withdrawals);
    txq_free(queue);
    queue = NULL;
    tool_quit();
}

static void obey(char *line)
{
    struct fr_err err;
    if (strcmp(line, "facts") == 0) { facts(); return; }
    if (strcmp(line, "forgive") == 0) { txq_order(queue, TXQ_FORGIVE); return; }
    if (strcmp(line, "quit") == 0) { quit(); return; }
    struct order *o = fr_must_alloc(sizeof *o);
    fr_buf_init(&o->out, 4 << 20);
    if (sscanf(line, "%79s %79s %79s %79s", o->word[0], o->word[1], o->word[2], o->word[3]) < 1 || store_run(store, order_job, o, order_done, &err) != FR_OK) exit(2);
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    sign_all();
    if (!endpoints) return;
    endpoints_tick(endpoints);
    txq_tick(queue);
    withdrawal_tick(withdrawals);
}

// ---- starting

struct tool_option options[] = {
    { "quorum", 1 }, { "final_blocks", 3 }, { "cooldown_ms", 0 }, { "two_from", 0 }, { "batch", 20 }, { "age_ms", 300 }, { "from_block", 0 }, { "raise", 60000 }, { 0 },
};

int main(int argc, char **argv)
{
    struct address vault;
    struct fr_err err;
    uv_loop_t *loop = uv_default_loop();
    if (argc < 7 || address_parse(argv[3], &token.at, &err) != FR_OK || address_parse(argv[4], &rules.module, &err) != FR_OK || address_parse(argv[5], &vault, &err) != FR_OK) return 2;
    struct endpoints_config config = tool_words(argc, argv, 6);
    struct final_rules final = tool_final();
    host_register_modules();
    config.on_event = NULL;
    tool_open(loop, argv[2], &config);
    struct txq_config txq = txq_usual(config.chain_id, &final, (int64_t)option("raise"));
    txq.on_end = on_end;
    struct treasury_part part = { .store = store, .endpoints = endpoints, .final = final, .chain_id = config.chain_id, .vault = vault, .tokens = &token, .token_count = 1, .wake = on_wake, .halt = on_halt, .halted = is_halted, .wallet = on_wallet };
    struct withdrawal_options o = { .rules = &rules, .rule_count = 1, .cooldown_ms = (int64_t)option("cooldown_ms"), .batch_count = (int)option("batch"), .batch_age_ms = (int64_t)option("age_ms"), .look_ms = 100 };
    rules.two_from = (int64_t)option("two_from");
    rules.from_block = option("from_block");
    enum fr_status st = txq_new(&txq, &queue, &err);
    if (st == FR_OK) st = withdrawal_new(&part, &o, &withdrawals, &err);
    return tool_run(loop, st, &err);
}
