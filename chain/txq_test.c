// txq_test.c — the transaction manager over a real store, real endpoints and a node in memory: rows that guard themselves, a signer that lies, a full disk, garbage, ends in the middle.
#include "store/test_disk.h"
#include <uv.h>
#include "base/clock.h"
#include "base/mem.h"
#include "chain/keccak.h"
#include "chain/test_hex.h"
#include "chain/txq_inside.h"
#include "store/migrate.h"
#include "store/test.h"

static const struct store_migration steps[] = { { "txqtest", 1, "CREATE TABLE test_end(payment INTEGER PRIMARY KEY, ended INTEGER NOT NULL) STRICT" } };
static uv_loop_t loop;
static struct fr_err why;
static struct store *s;

// ---- rows

static const struct address me = { { 1, 2 } }, you = { { 3, 4 } };
static struct txq_ask ask_of(const char *name)
{
    struct txq_ask ask = { .queue = 1, .to = you, .value = u256_of(5), .data = (const uint8_t *)"abc", .data_len = 3, .gas = 21000 };
    snprintf(ask.name, sizeof ask.name, "%s", name);
    return ask;
}
struct job { struct txq_ask ask; int64_t id; struct txq_save save; struct txq_payment_row row; int n; bool found; enum txq_cancel cancel; };
static enum fr_status put_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return txq_put(txn, &j->ask, 1000, &j->id, err); }
static enum fr_status cancel_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return txq_cancel(txn, j->id, j->cancel, err); }
static enum fr_status save_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return txq_save(txn, &j->save, &j->row, err); }
static enum fr_status hash_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return txq_find_hash(txn, (const uint8_t *)j->ask.name, &j->row, &j->found, err); }
static enum fr_status find_job(struct store_txn *txn, void *arg, struct fr_err *err) { struct job *j = arg; return txq_find(txn, j->ask.name, &j->row, &j->found, err); }
static enum fr_status many_job(struct store_txn *txn, void *arg, struct fr_err *err)
{
    struct job *j = arg;
    for (; j->n < TXQ_PAYMENTS_MAX; j->n++) {
        struct txq_ask ask = ask_of("");
        snprintf(ask.name, sizeof ask.name, "many:%d", j->n);
        FR_TRY(txq_put(txn, &ask, 1000, &j->id, err));
    }
    return FR_OK;
}
static enum fr_status put(struct txq_ask ask, int64_t *id)
{
    struct job j = { .ask = ask };
    enum fr_status st = store_now(s, put_job, &j, &why);
    if (id) *id = j.id;
    return st;
}

static void test_a_name_is_one_payment_and_everything_has_a_bound(void)
{
    static uint8_t big[TXQ_DATA_BYTES_MAX + 1];
    int64_t a = 0, b = 0;
    test_folder_new();
    disk_begin();
    s = test_open(NULL);
    CHECK(put(ask_of("burn:1"), &a) == FR_OK && put(ask_of("burn:1"), &b) == FR_OK && a == b && a > 0);
    struct txq_ask other = ask_of("burn:1");
    other.data_len = 2;
    CHECK(put(other, NULL) == FR_E_CONFLICT);
    CHECK_TEXT(why.code, "key_reused");
    other = ask_of("big");
    other.data = big;
    other.data_len = TXQ_DATA_BYTES_MAX;
    CHECK(put(other, NULL) == FR_OK);
    other.data_len++;
    CHECK(put(other, NULL) == FR_E_LIMIT);
    other = ask_of("gas");
    other.gas = TXQ_GAS_MAX + 1;
    CHECK(put(other, NULL) == FR_E_LIMIT);
    other = ask_of("zero");
    other.to = (struct address){ { 0 } };
    CHECK(put(other, NULL) == FR_E_INVALID && put(ask_of(""), NULL) == FR_E_INVALID);
    other = ask_of("queue");
    other.queue = 0;
    CHECK(put(other, NULL) == FR_E_INVALID);
    struct job many = { .n = 2 };
    CHECK(store_now(s, many_job, &many, &why) == FR_OK);
    CHECK(put(ask_of("one more"), NULL) == FR_E_BUSY);
    CHECK_TEXT(why.code, "txq_full");
    CHECK(put(ask_of("burn:1"), &b) == FR_OK && a == b);       // a retry is none more
    test_close(s, NULL);
}

static struct txq_save save_of(enum txq_change_kind kind, int64_t payment, uint64_t nonce, uint64_t next, uint64_t final, uint8_t mark)
{
    struct txq_save v = { .queue = 1, .chain_id = 7, .address = me, .raw = (const uint8_t *)"raw", .raw_len = 3, .now_ms = 5 };
    v.change = (struct txq_change){ .kind = kind, .head = { .known = true, .next_nonce = next, .final_nonce = final }, .payment = payment, .nonce = nonce, .attempt = { .pays = true, .gas = 1 } };
    memset(v.change.attempt.hash, mark, 32);
    memset(v.change.hash, mark, 32);
    return v;
}
static enum fr_status save(struct txq_save v, struct txq_payment_row *row)
{
    struct job j = { .save = v };
    enum fr_status st = store_now(s, save_job, &j, &why);
    if (row) *row = j.row;
    return st;
}

static void test_rows_refuse_a_machine_that_is_wrong(void)
{
    int64_t a = 0, b = 0;
    struct txq_payment_row row = { 0 };
    test_folder_new();
    disk_begin();
    s = test_open(NULL);
    CHECK(put(ask_of("a"), &a) == FR_OK && put(ask_of("b"), &b) == FR_OK);
    CHECK(save(save_of(TXQ_SAVE_HEAD, 0, 0, 4, 4, 0), NULL) == FR_OK);
    CHECK(save(save_of(TXQ_SAVE_HEAD, 0, 0, 3, 3, 0), NULL) == FR_E_CONFLICT);                 // nonces never go back
    struct txq_save other = save_of(TXQ_SAVE_HEAD, 0, 0, 4, 4, 0);
    other.address = you;
    CHECK(save(other, NULL) == FR_E_CONFLICT);                                                 // another key
    CHECK(save(save_of(TXQ_SAVE_ATTEMPT, a, 4, 5, 4, 1), NULL) == FR_OK);
    CHECK(save(save_of(TXQ_SAVE_ATTEMPT, b, 4, 5, 4, 2), NULL) == FR_E_CONFLICT);              // the nonce is a's
    CHECK(save(save_of(TXQ_SAVE_ATTEMPT, a, 5, 6, 4, 3), NULL) == FR_E_CONFLICT);              // a has a nonce
    CHECK(save(save_of(TXQ_SAVE_ATTEMPT, a, 4, 5, 4, 1), NULL) == FR_E_CONFLICT);              // the same transaction twice
    CHECK(save(save_of(TXQ_SAVE_ATTEMPT, a, 4, 5, 4, 4), NULL) == FR_OK);                      // a replacement
    struct txq_save end = save_of(TXQ_SAVE_END, b, 4, 5, 5, 1);
    end.change.end = TXQ_PAID;
    CHECK(save(end, NULL) == FR_E_CONFLICT);
    end.change.payment = a;
    CHECK(save(end, &row) == FR_OK && row.id == a && row.end == TXQ_PAID && strcmp(row.name, "a") == 0 && row.has_nonce && row.nonce == 4);
    CHECK(save(end, NULL) == FR_E_CONFLICT);                                                   // it has ended
    CHECK(save(save_of(TXQ_SAVE_ATTEMPT, a, 6, 7, 5, 5), NULL) == FR_E_CONFLICT);
    struct job hash = { .found = true };
    memset(hash.ask.name, 2, 32);
    CHECK(store_now(s, hash_job, &hash, &why) == FR_OK && !hash.found);                        // b's, which was refused
    memset(hash.ask.name, 4, 32);
    CHECK(store_now(s, hash_job, &hash, &why) == FR_OK && hash.found && hash.row.id == a);      // the replacement, which was not mined
    struct job cancel = { .id = a, .cancel = TXQ_CANCEL };
    CHECK(store_now(s, cancel_job, &cancel, &why) == FR_E_CONFLICT);
    CHECK_TEXT(why.code, "txq_ended");
    struct txq_save drop = save_of(TXQ_SAVE_DROP, b, 0, 5, 5, 0);
    drop.change.end = TXQ_CANCELLED;
    CHECK(save(drop, &row) == FR_OK && row.id == b && row.end == TXQ_CANCELLED && !row.has_nonce);
    test_close(s, NULL);
}

// ---- a node in memory: a block every 300 ms, final after three

enum { TXS = 64 };
struct sent_tx { uint8_t hash[32]; uint64_t nonce, block; struct u256 fee; };
static struct sent_tx txs[TXS];
static int tx_count, raws_seen, garbage_permille;
static uint64_t height;
static int64_t clock_ms, next_block_ms;
static unsigned noise = 1;
static struct endpoints *e;
static struct txq *q;
static enum { HONEST, LIES, SILENT, REFUSES } signer_mode;
static bool book_fails;
static int ends_seen, halts;

static bool node_lies, one_lies, no_blocks;        // the node that answers now; the last of three
static int nodes = 1;
struct pending { struct pending *next; bool lies; char *body; size_t len; transport_done_fn *done; void *arg; };
static struct pending *pending;
static int64_t test_now(void *arg) { (void)arg; return clock_ms; }
static enum fr_status test_post(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)arg, (void)timeout_ms, (void)answer_max, (void)err;
    struct pending *p = calloc(1, sizeof *p), **at = &pending;
    *p = (struct pending){ .lies = one_lies && strstr(url, "n2"), .body = strndup(body, len), .len = len, .done = done, .arg = done_arg };
    while (*at) at = &(*at)->next;
    *at = p;
    return FR_OK;
}

static uint64_t count_at(uint64_t block)
{
    uint64_t n = 0;
    for (int i = 0; i < tx_count; i++) n += txs[i].block && txs[i].block <= block;
    return n;
}
static void mine(void)
{
    height++;
    for (int i = 0; i < tx_count; i++)
        if (!txs[i].block && txs[i].nonce == count_at(height)) txs[i].block = height, i = -1;
}

static void send_raw(const char *hex, struct fr_buf *out)
{
    static uint8_t raw[TX_BYTES_MAX];
    size_t len = strlen(hex) / 2 - 1;
    uint8_t hash[32];
    char text[65];
    struct tx t;
    struct signature sig;
    struct address from;
    raws_seen++;
    CHECK(fr_unhex(hex + 2, 2 * len, raw, len) && tx_read(raw, len, &t, &sig, &from, &why) == FR_OK && t.chain_id == 7);
    keccak256(raw, len, hash);
    struct sent_tx *have = NULL;
    for (int i = 0; i < tx_count; i++)
        if (txs[i].nonce == t.nonce && (!txs[i].block || memcmp(txs[i].hash, hash, 32) == 0)) have = &txs[i];
    if (t.nonce < count_at(height) || (have && memcmp(have->hash, hash, 32) == 0)) {
        fr_buf_addf(out, "\"error\":{\"code\":-32000,\"message\":\"%s\"}}", have && memcmp(have->hash, hash, 32) == 0 ? "already known" : "nonce too low");
        return;
    }
    if (!have) have = &txs[tx_count++];
    assert(tx_count < TXS);
    *have = (struct sent_tx){ .nonce = t.nonce, .fee = t.max_fee };
    memcpy(have->hash, hash, 32);
    fr_buf_addf(out, "\"result\":\"0x%s\"}", fr_hex(hash, 32, text));
}

static void receipt(const char *hex, struct fr_buf *out)
{
    uint8_t hash[32];
    CHECK(fr_unhex(hex + 2, 64, hash, 32));
    for (int i = 0; i < tx_count; i++)
        if ((txs[i].block || node_lies) && memcmp(txs[i].hash, hash, 32) == 0) {
            fr_buf_addf(out, "\"result\":{\"transactionHash\":\"%s\",\"blockHash\":\"0x%064llx\",\"blockNumber\":\"0x%llx\",\"transactionIndex\":\"0x0\",\"gasUsed\":\"0x5208\",\"effectiveGasPrice\":\"0x1\",\"status\":\"0x1\",\"from\":\"0x%040d\",\"to\":\"0x%040d\",\"logs\":[]}}", hex,
                        (unsigned long long)txs[i].block, (unsigned long long)txs[i].block, 0, 0);
            return;
        }
    fr_buf_add(out, "\"result\":null}");
}

static void answer_call(const struct fr_json *c, struct fr_buf *out)
{
    const char *method = fr_json_text(fr_json_get(c, "method"));
    const struct fr_json *params = fr_json_get(c, "params"), *second = fr_json_child(params) ? fr_json_next(fr_json_child(params)) : NULL;
    const char *first = fr_json_child(params) ? fr_json_text(fr_json_child(params)) : NULL, *tag = second ? fr_json_text(second) : NULL;
    fr_buf_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":%d,", (int)fr_json_number(fr_json_get(c, "id")));
    if (strcmp(method, "eth_chainId") == 0) fr_buf_add(out, "\"result\":\"0x7\"}");
    else if (strcmp(method, "eth_blockNumber") == 0) fr_buf_addf(out, "\"result\":\"0x%llx\"}", (unsigned long long)height + 100 * node_lies);
    else if (strcmp(method, "eth_getBlockByNumber") == 0) {
        uint64_t n = strcmp(first, "0x0") == 0 ? 0 : height + 100 * node_lies;
        fr_buf_addf(out, "\"result\":{\"number\":\"0x%llx\",\"timestamp\":\"0x1\",\"hash\":\"0x%064llx\",\"parentHash\":\"0x%064llx\",\"baseFeePerGas\":\"0x3b9aca00\"}}", (unsigned long long)n, (unsigned long long)n + 1000, (unsigned long long)n + 999);
    } else if (strcmp(method, "eth_getTransactionCount") == 0) {
        uint64_t at = strcmp(tag, "latest") == 0 || strcmp(tag, "pending") == 0 ? height : strtoull(tag + 2, NULL, 16), n = count_at(at);
        for (int i = 0; strcmp(tag, "pending") == 0 && i < tx_count; i++)
            if (!txs[i].block && txs[i].nonce == n) n++, i = -1;
        fr_buf_addf(out, "\"result\":\"0x%llx\"}", (unsigned long long)n + 3 * node_lies);
    } else if (strcmp(method, "eth_getBalance") == 0) fr_buf_add(out, "\"result\":\"0xffffffffffffffffffff\"}");
    else if (strcmp(method, "eth_gasPrice") == 0) fr_buf_add(out, "\"result\":\"0x77359400\"}");
    else if (strcmp(method, "eth_feeHistory") == 0) fr_buf_add(out, "\"result\":{\"oldestBlock\":\"0x1\",\"baseFeePerGas\":[\"0x1\",\"0x3b9aca00\"],\"gasUsedRatio\":[0.5],\"reward\":[[\"0x3b9aca00\"]]}}");
    else if (strcmp(method, "eth_call") == 0) fr_buf_add(out, "\"result\":\"0x\"}");
    else if (strcmp(method, "eth_estimateGas") == 0) fr_buf_add(out, "\"result\":\"0x5208\"}");
    else if (strcmp(method, "eth_sendRawTransaction") == 0) send_raw(first, out);
    else if (strcmp(method, "eth_getTransactionReceipt") == 0) receipt(first, out);
    else fr_buf_add(out, "\"error\":{\"code\":-32601,\"message\":\"the method does not exist\"}}");
}

static void answer(struct pending *p)
{
    static const char *const rubbish[] = { "", "<html>", "[]", "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "{\"jsonrpc\":\"2.0\"", "null" };
    FR_AUTO(fr_json) c = NULL;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1 << 20);
    CHECK(fr_json_parse(p->body, p->len, &c, &why) == FR_OK);
    node_lies = p->lies;
    noise = noise * 1103515245u + 12345;
    if ((int)(noise >> 16) % 1000 < garbage_permille) fr_buf_add(&out, rubbish[(noise >> 8) % 6]);
    else if (fr_json_kind(c) == JSON_ARRAY) {
        const char *comma = "[";
        for (const struct fr_json *one = fr_json_child(c); one; one = fr_json_next(one), comma = ",") {
            fr_buf_add(&out, comma);
            answer_call(one, &out);
        }
        fr_buf_add(&out, "]");
    } else answer_call(c, &out);
    p->done(p->arg, FR_OK, 200, out.data ? out.data : "", out.len, 0, NULL);
}

// ---- a signer

struct signing { struct signing *next; struct tx t; sign_done_fn *done; void *arg; };      // what the data points to stays with who asks
static struct signing *signings;
static uint8_t secret[32] = { 1, 2, 3 };
static enum fr_status sign(struct chain_signer *port, const struct sign_ask *ask, sign_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)port;
    if (signer_mode == REFUSES) return FR_FAIL(err, FR_E_DENIED, "the key is locked");
    struct signing *n = calloc(1, sizeof *n);
    *n = (struct signing){ signings, ask->tx, done, done_arg };
    signings = n;
    return FR_OK;
}
static struct chain_signer signer = { .sign = sign };

static void sign_all(void)
{
    for (struct signing *n; signer_mode != SILENT && (n = signings); free(n)) {
        static uint8_t raw[TX_BYTES_MAX];
        struct tx t = n->t;
        uint8_t hash[32];
        size_t len = 0;
        struct signature sig;
        signings = n->next;
        if (signer_mode == LIES) t.value = u256_of(1000000);
        CHECK(tx_signing_hash(&t, hash, &why) == FR_OK);
        CHECK(signature_make(secret, hash, &sig, &why) == FR_OK);
        CHECK(tx_raw(&t, &sig, raw, sizeof raw, &len, hash, &why) == FR_OK);
        n->done(n->arg, FR_OK, &(struct sign_answer){ .sig = sig, .raw = raw, .raw_len = len }, NULL);
    }
}

static enum fr_status on_end(struct store_txn *txn, void *arg, const struct txq_payment_row *row, struct fr_err *err)
{
    (void)arg;
    if (book_fails) return FR_FAIL(err, FR_E_FUNDS, "the ledger says no");
    struct store_row *insert = NULL;
    FR_TRY(sql_begin(txn, "INSERT INTO test_end(payment, ended) VALUES(?1, ?2)", &insert, err));
    sql_bind_int(insert, 1, row->id);
    sql_bind_int(insert, 2, row->end);
    return sql_do(insert, NULL, err);
}
static void on_news(void *arg, const struct txq_action *a, const char *text)
{
    (void)arg;
    ends_seen += a->news == TXQ_NEWS_ENDED;
    halts += a->news == TXQ_NEWS_HALTED;
    CHECK(text[0]);
}

static void start(void)
{
    static const struct endpoint_config at[] = { { .name = "n0", .url = "http://n0/" }, { .name = "n1", .url = "http://n1/" }, { .name = "n2", .url = "http://n2/" } };
    struct endpoints_config ec = { .chain_id = 7, .at = at, .count = nodes, .transport = { .post = test_post, .now_ms = test_now } };
    struct txq_config tc = { .queue = 1, .chain_id = 7, .fee_percentile = 50, .final = { .quorum = nodes / 2 + 1, .blocks = 3 }, .store = s, .signer = &signer, .now_ms = test_now, .on_end = on_end, .on_news = on_news,
                             .rules = { .fees = { .max_fee_cap = u256_of(100000000000), .tip_cap = u256_of(5000000000), .tip_least = u256_of(1) }, .day_most = { { 0, 1 } }, .look_ms = 100, .resend_ms = 30000, .raise_ms = 200000, .retry_ms = 100 } };        // the disk takes real time, the clock here does not
    CHECK(secret_key_address(secret, &tc.address, &why) == FR_OK);
    CHECK(endpoints_new(&ec, &e, &why) == FR_OK);
    tc.endpoints = e;
    CHECK(txq_new(&tc, &q, &why) == FR_OK);
}
static void stop(void)
{
    endpoints_free(e);
    txq_free(q);
    e = NULL;
    q = NULL;
}
static void begin(void)
{
    test_folder_new();
    disk_begin();
    s = test_open(&loop);
    tx_count = raws_seen = garbage_permille = ends_seen = halts = 0;
    signer_mode = HONEST;
    book_fails = false;
    height = 10;
    clock_ms = next_block_ms = 1800000000000LL;
    start();
}
static void end(void)
{
    if (q) stop();
    if (signer_mode == SILENT) signer_mode = HONEST;
    for (struct pending *p; (p = pending); free(p->body), free(p)) {
        pending = p->next;
        answer(p);                         // endpoints are gone and have to bear it
    }
    sign_all();
    test_close(s, &loop);
    test_folder_drop();
}
static void run(int ms)
{
    for (int64_t until = clock_ms + ms; clock_ms < until; clock_ms += 10) {
        if (clock_ms >= next_block_ms && !no_blocks) mine(), next_block_ms = clock_ms + 300;
        for (struct pending *p; (p = pending); free(p->body), free(p)) {
            pending = p->next;
            answer(p);
        }
        sign_all();
        if (e) endpoints_tick(e), txq_tick(q);
        for (int i = 0; i < 3; i++) uv_run(&loop, UV_RUN_NOWAIT);
        test_store_step(s, &loop);
    }
}
static struct txq_payment_row row_of(const char *name)
{
    struct job j = { .ask = ask_of(name) };
    CHECK(store_now(s, find_job, &j, &why) == FR_OK && j.found);
    return j.row;
}
static int64_t failures(void)
{
    struct txq_facts f;
    txq_facts(q, &f);
    return f.figures.sign_failed;
}
static bool ended(const char *name, int ms)
{
    for (; ms > 0 && !row_of(name).end; ms -= 100) run(100);
    return row_of(name).end == TXQ_PAID;
}

static void settle(void)                   // the store knows of an end before the loop does
{
    struct txq_facts f = { .payments = 1 };
    for (int i = 0; i < 400 && (f.payments || !f.loaded); i++) run(20), txq_facts(q, &f);
}

static void test_a_payment_goes_all_the_way(void)
{
    begin();
    CHECK(put(ask_of("a"), NULL) == FR_OK);
    txq_wake(q);
    CHECK(ended("a", 60000));
    settle();
    CHECK_INT(raws_seen, 1);
    CHECK_INT(tx_count, 1);
    CHECK(txs[0].fee.limb[0] == 3000000000ULL);                // twice the base fee, and the tip of the history
    struct txq_facts f;
    txq_facts(q, &f);
    CHECK(f.loaded && f.next_nonce == 1 && f.final_nonce == 1 && f.payments == 0 && f.figures.ended[TXQ_PAID] == 1);
    CHECK(f.spend_today.limb[0] == 21000 + 5);                 // what it cost and what it paid
    end();
}

static void test_a_signer_that_signs_something_else_is_not_believed(void)
{
    struct txq_facts f;
    begin();
    signer_mode = LIES;
    CHECK(put(ask_of("a"), NULL) == FR_OK);
    txq_wake(q);
    for (int i = 0; i < 200 && failures() < 2; i++) run(50);
    txq_facts(q, &f);
    CHECK(raws_seen == 0 && f.next_nonce == 0 && f.figures.sign_failed > 1);
    CHECK(strstr(f.last_error, "something else"));
    signer_mode = REFUSES;
    for (int i = 0; i < 200 && !strstr(f.last_error, "locked"); i++) run(50), txq_facts(q, &f);
    CHECK(strstr(f.last_error, "locked"));
    signer_mode = HONEST;
    CHECK(ended("a", 60000));
    end();
}

static void test_a_full_disk_at_the_moment_of_signing_sends_nothing(void)
{
    struct txq_facts f = { 0 };
    begin();
    run(1500);
    signer_mode = SILENT;
    CHECK(put(ask_of("a"), NULL) == FR_OK);
    txq_wake(q);
    for (int i = 0; i < 200 && !signings; i++) run(50);
    CHECK(signings != NULL);
    pthread_mutex_lock(&disk.mutex);
    disk.fail_code = SQLITE_FULL;
    disk.fail_on = true;
    disk.fail_at = disk.operations + 1;
    pthread_mutex_unlock(&disk.mutex);
    signer_mode = HONEST;
    for (int i = 0; i < 200 && !strstr(f.last_error, "saving") && !strstr(f.last_error, "loading"); i++) run(50), txq_facts(q, &f);
    run(500);
    CHECK(raws_seen == 0);
    CHECK(strstr(f.last_error, "saving") || strstr(f.last_error, "loading"));
    pthread_mutex_lock(&disk.mutex);
    disk.fail_at = 0;
    disk.fail_on = false;
    pthread_mutex_unlock(&disk.mutex);
    CHECK(ended("a", 60000));
    CHECK_INT(count_at(height), 1);
    end();
}

static void test_what_the_caller_cannot_book_does_not_end(void)
{
    begin();
    book_fails = true;
    CHECK(put(ask_of("a"), NULL) == FR_OK);
    txq_wake(q);
    struct txq_facts f = { 0 };
    for (int i = 0; i < 400 && !strstr(f.last_error, "the ledger says no"); i++) run(50), txq_facts(q, &f);
    CHECK(count_at(height) == 1 && row_of("a").end == TXQ_NOT_ENDED && ends_seen == 0 && strstr(f.last_error, "the ledger says no"));
    book_fails = false;
    CHECK(ended("a", 60000));
    settle();
    CHECK_INT(ends_seen, 1);
    CHECK_INT(count_at(height), 1);
    end();
}

static void test_a_node_that_talks_garbage_half_the_time(void)
{
    begin();
    garbage_permille = 400;
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        CHECK(put(ask_of(name), NULL) == FR_OK);
    }
    txq_wake(q);
    run(4000);
    garbage_permille = 0;
    CHECK(ended("p7", 60000));
    CHECK_INT(count_at(height), 8);
    CHECK_INT(halts, 0);
    end();
}

static void test_stopped_anywhere_and_begun_again_pays_once(void)
{
    begin();
    for (int i = 0; i < 25; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        CHECK(put(ask_of(name), NULL) == FR_OK);
        txq_wake(q);
        run(20 + 10 * (i * 7 % 60));
        stop();                            // whatever is under way comes back to nobody
        start();
    }
    for (int i = 0; i < 25; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", i);
        CHECK(ended(name, 60000));
    }
    CHECK_INT(count_at(height), 25);
    end();
}

static void test_a_liar_among_three_ends_nothing_and_holds_up_nothing(void)
{
    nodes = 3;
    one_lies = true;
    begin();
    run(1500);
    no_blocks = true;
    CHECK(put(ask_of("a"), NULL) == FR_OK);
    txq_wake(q);
    for (int i = 0; i < 200 && raws_seen == 0; i++) run(50);
    CHECK(raws_seen > 0);
    run(3000);                             // one says it is mined, and final
    CHECK(row_of("a").end == TXQ_NOT_ENDED && count_at(height) == 0);
    CHECK_INT(halts, 0);
    no_blocks = false;
    CHECK(ended("a", 60000));
    CHECK_INT(count_at(height), 1);
    CHECK(put(ask_of("b"), NULL) == FR_OK);
    txq_wake(q);
    CHECK(ended("b", 60000));
    CHECK_INT(count_at(height), 2);
    CHECK_INT(halts, 0);
    end();
    one_lies = false;
    nodes = 1;
}

static void test_another_key_s_rows_are_refused(void)
{
    struct txq_facts f = { 0 };
    begin();
    CHECK(put(ask_of("a"), NULL) == FR_OK);
    txq_wake(q);
    CHECK(ended("a", 60000));
    stop();
    secret[0]++;
    start();
    for (int i = 0; i < 200 && !strstr(f.last_error, "on chain 7"); i++) run(50), txq_facts(q, &f);
    CHECK(!f.loaded && f.wait == TXQ_WAIT_LOAD && strstr(f.last_error, "on chain 7"));
    secret[0]--;
    end();
}

int main(void)
{
    uv_loop_init(&loop);
    disk_install(1);
    txq_register();
    store_register(steps, 1);
    TEST(test_a_name_is_one_payment_and_everything_has_a_bound);
    TEST(test_rows_refuse_a_machine_that_is_wrong);
    TEST(test_a_payment_goes_all_the_way);
    TEST(test_a_signer_that_signs_something_else_is_not_believed);
    TEST(test_a_full_disk_at_the_moment_of_signing_sends_nothing);
    TEST(test_what_the_caller_cannot_book_does_not_end);
    TEST(test_a_node_that_talks_garbage_half_the_time);
    TEST(test_stopped_anywhere_and_begun_again_pays_once);
    TEST(test_a_liar_among_three_ends_nothing_and_holds_up_nothing);
    TEST(test_another_key_s_rows_are_refused);
    uv_loop_close(&loop);
    return TEST_END();
}
