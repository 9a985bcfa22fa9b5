// txq_tool.c — chain/txq over chain/endpoints over net/client on a loop with a store, driven by lines, for tests against real nodes.
//
//     txq-tool CHAIN_ID FOLDER OPTION=NUMBER... NAME=URL...        options: quorum final_blocks final_tag raise resend look retry cap_gwei tip_gwei legacy day_gwei
// Lines in:  put NAME TO VALUE GAS DATA(0x..)     cancel NAME HOW     pause  resume  forgive  lock  unlock     find NAME     facts     metrics     quit
// Lines out: JSON: {"put":id} | {"row":{..}} | {"facts":{..}} | {"news","text","payment","nonce"} | {"event","name"} | {"error"}
// Every end is also counted in a table of its own, in the commit that ends the payment.
#include "store/migrate.h"
#include "tool.h"


static const struct store_migration steps[] = { { "tool", 1, "CREATE TABLE tool_end(payment INTEGER PRIMARY KEY, ended INTEGER NOT NULL) STRICT" } };

// ---- what happens

static enum fr_status on_end(struct store_txn *txn, void *arg, const struct txq_payment_row *row, struct fr_err *err)
{
    struct store_row *insert = NULL;
    (void)arg;
    FR_TRY(sql_begin(txn, "INSERT INTO tool_end(payment, ended) VALUES(?1, ?2)", &insert, err));
    sql_bind_int(insert, 1, row->id);
    sql_bind_int(insert, 2, row->end);
    return sql_do(insert, NULL, err);
}

static void on_news(void *arg, const struct txq_action *a, const char *text)
{
    static const char *const names[] = { "wait", "halted", "reorg", "moved", "replaced", "filler", "refused", "ended" };
    struct fr_buf line;
    (void)arg;
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"news\":\"%s\",\"payment\":%lld,\"nonce\":%llu,\"wait\":\"%s\",\"fault\":\"%s\",\"text\":", names[a->news], (long long)a->payment, (unsigned long long)a->nonce, txq_wait_name(a->wait), rpc_fault_name(a->fault));
    fr_buf_add_json_text(&line, text);
    fr_buf_add(&line, "}");
    say(&line);
}

// ---- lines

struct order { struct txq_ask ask; uint8_t data[TXQ_DATA_BYTES_MAX]; int64_t id; struct txq_payment_row row; int64_t ends; bool found; int how; };

static enum fr_status put_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct order *o = arg;
    return txq_put(txn, &o->ask, fr_now_ms(), &o->id, err);
}

static void put_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct order *o = arg;
    if (st != FR_OK) complain(err);
    else {
        printf("{\"put\":%lld}\n", (long long)o->id);
        fflush(stdout);
        if (queue) txq_wake(queue);
    }
    fr_free(o);
}

_Static_assert(2 * TXQ_DATA_BYTES_MAX + 2 == 16386, "the width below");
static void put(const char *line)
{
    char to[64], value[80], hex[2 * TXQ_DATA_BYTES_MAX + 3] = "0x";
    unsigned long long gas;
    struct fr_err err;
    struct order *o = fr_must_alloc(sizeof *o);
    o->ask.queue = 1;
    o->ask.data = o->data;
    if (sscanf(line, "put %63s %63s %79s %llu %16386s", o->ask.name, to, value, &gas, hex) < 4 || address_parse(to, &o->ask.to, &err) != FR_OK || u256_parse(value, &o->ask.value, &err) != FR_OK) exit(2);
    o->ask.gas = gas;
    o->ask.data_len = strlen(hex) / 2 - 1;
    if (!fr_unhex(hex + 2, strlen(hex) - 2, o->data, o->ask.data_len) || store_run(store, put_job, o, put_done, &err) != FR_OK) exit(2);
}

static enum fr_status find_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct order *o = arg;
    FR_SQL_ROW(row);
    bool any = false;
    FR_TRY(txq_find(txn, o->ask.name, &o->row, &o->found, err));
    FR_TRY(sql_begin(txn, "SELECT count(*) FROM tool_end WHERE payment = ?1", &row, err));
    sql_bind_int(row, 1, o->row.id);
    FR_TRY(sql_step(row, &any, err));
    o->ends = sql_int(row, 0);
    return FR_OK;
}

static void find_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct order *o = arg;
    char hex[65];
    if (st != FR_OK) complain(err);
    else printf("{\"row\":{\"id\":%lld,\"found\":%s,\"end\":%d,\"has_nonce\":%s,\"nonce\":%llu,\"hash\":\"0x%s\",\"block\":%llu,\"ends\":%lld}}\n", (long long)o->row.id, o->found ? "true" : "false", o->row.end, o->row.has_nonce ? "true" : "false",
                (unsigned long long)o->row.nonce, fr_hex(o->row.hash, 32, hex), (unsigned long long)o->row.block, (long long)o->ends);
    fflush(stdout);
    fr_free(o);
}

static enum fr_status cancel_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct order *o = arg;
    FR_TRY(txq_find(txn, o->ask.name, &o->row, &o->found, err));
    return txq_cancel(txn, o->row.id, (enum txq_cancel)o->how, err);
}

static void cancel_done(void *arg, enum fr_status st, const struct fr_err *err)
{
    struct order *o = arg;
    if (st != FR_OK) complain(err);
    else {
        printf("{\"put\":%lld}\n", (long long)o->row.id);
        fflush(stdout);
        if (queue) txq_wake(queue);
    }
    fr_free(o);
}

static void facts(void)
{
    struct txq_facts f;
    struct fr_buf line;
    char balance[U256_TEXT_BYTES], spend[U256_TEXT_BYTES];
    txq_facts(queue, &f);
    fr_buf_init(&line, LINE_BYTES_MAX);
    fr_buf_addf(&line, "{\"facts\":{\"loaded\":%s,\"paused\":%s,\"halted\":%s,\"suspect\":%s,\"wait\":\"%s\",\"payments\":%d,\"open\":%d,\"next_nonce\":%llu,\"final_nonce\":%llu,\"balance\":\"%s\",\"spend\":\"%s\",\"signed\":%lld,"
                "\"replaced\":%lld,\"cancels\":%lld,\"fillers\":%lld,\"sends\":%lld,\"reorgs\":%lld,\"moved\":%lld,\"why\":", f.loaded ? "true" : "false", f.paused ? "true" : "false", f.halted ? "true" : "false", f.suspect ? "true" : "false",
                txq_wait_name(f.wait), f.payments, f.open, (unsigned long long)f.next_nonce, (unsigned long long)f.final_nonce, u256_text(f.balance, balance), u256_text(f.spend_today, spend), (long long)f.figures.signed_count,
                (long long)f.figures.replaced, (long long)f.figures.cancels, (long long)f.figures.fillers, (long long)f.figures.sends, (long long)f.figures.reorgs, (long long)f.figures.moved);
    fr_buf_add_json_text(&line, f.why);
    fr_buf_add(&line, ",\"error\":");
    fr_buf_add_json_text(&line, f.last_error);
    fr_buf_add(&line, "}}");
    say(&line);
}

static void metrics(void)
{
    struct fr_buf text, line;
    fr_buf_init(&text, LINE_BYTES_MAX);
    fr_buf_init(&line, LINE_BYTES_MAX);
    txq_metrics(queue, &text);
    fr_buf_add(&line, "{\"metrics\":");
    fr_buf_add_json_text(&line, text.data);
    fr_buf_add(&line, "}");
    say(&line);
    fr_buf_free(&text);
}

static void quit(void)
{
    endpoints_free(endpoints);
    endpoints = NULL;
    txq_free(queue);
    queue = NULL;
    tool_quit();
}

static void obey(char *line)
{
    struct fr_err err;
    if (strncmp(line, "put ", 4) == 0) put(line);
    else if (strncmp(line, "find ", 5) == 0 || strncmp(line, "cancel ", 7) == 0) {
        struct order *o = fr_must_alloc(sizeof *o);
        bool finds = line[0] == 'f';
        if (sscanf(line, finds ? "find %63s" : "cancel %63s %d", o->ask.name, &o->how) < 1) exit(2);
        if (store_run(store, finds ? find_job : cancel_job, o, finds ? find_done : cancel_done, &err) != FR_OK) exit(2);
    } else if (strcmp(line, "facts") == 0) facts();
    else if (strcmp(line, "metrics") == 0) metrics();
    else if (strcmp(line, "pause") == 0) txq_order(queue, TXQ_PAUSE);
    else if (strcmp(line, "resume") == 0) txq_order(queue, TXQ_RESUME);
    else if (strcmp(line, "forgive") == 0) txq_order(queue, TXQ_FORGIVE);
    else if (strcmp(line, "lock") == 0) locked = true;
    else if (strcmp(line, "unlock") == 0) locked = false;
    else quit();
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    sign_all();
    endpoints_tick(endpoints);
    txq_tick(queue);
}

struct tool_option options[] = {
    { "quorum", 1 }, { "final_blocks", 3 }, { "final_tag", 0 }, { "raise", 1500 }, { "resend", 1000 }, { "look", 100 }, { "retry", 100 }, { "cap_gwei", 500 }, { "tip_gwei", 50 }, { "legacy", 0 }, { "day_gwei", 1000000000000ULL }, { 0 },
};

int main(int argc, char **argv)
{
    struct fr_err err;
    uv_loop_t *loop = uv_default_loop();
    struct endpoints_config config = tool_words(argc, argv, 3);
    struct final_rules final = tool_final();
    final.tag = option("final_tag");
    txq_register();
    store_register(steps, 1);
    tool_open(loop, argv[2], &config);
    struct txq_config txq = txq_usual(config.chain_id, &final, (int64_t)option("raise"));
    txq.on_end = on_end;
    txq.on_news = on_news;
    txq.rules = (struct txq_rules){ .legacy_only = option("legacy"), .fees = { .max_fee_cap = gwei(option("cap_gwei")), .tip_cap = gwei(option("tip_gwei")), .tip_least = u256_of(1000000) }, .day_most = gwei(option("day_gwei")),
                                    .look_ms = (int64_t)option("look"), .resend_ms = (int64_t)option("resend"), .raise_ms = (int64_t)option("raise"), .retry_ms = (int64_t)option("retry") };
    return tool_run(loop, txq_new(&txq, &queue, &err), &err);
}
