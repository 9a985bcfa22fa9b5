// endpoints_test.c — nodes in memory that hang, lie, disagree and talk nonsense, under a clock of the test's own.
#include "chain/endpoints.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/mem.h"
#include "chain/test_hex.h"

#define H32(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define GENESIS "0x" H32("ab")
#define OTHER "0x" H32("cd")
#define KEY "k3y0123456789abcdef"
#define NODES 3

enum mode { FINE, DEAD, HANGS, GARBAGE, HTTP_500, HTTP_429, RATE, NO_SUCH_METHOD, SYNCING, WRONG_ID, REFUSES, LEAKS };
struct node {
    enum mode mode;
    int chain_id, latency_ms, requests, calls, biggest;
    const char *genesis, *result;          // result: what "x_get" answers
    unsigned height;
    bool no_batches, no_extras, posts_fail;
    uint64_t range_max;
};
static struct node nodes[ENDPOINTS_MAX];

struct pending { struct pending *next; int node; int64_t due; char *body; size_t len; int timeout_ms; transport_done_fn *done; void *arg; };
static struct pending *pending;
static int64_t clock_ms;
static int in_flight, most_in_flight;
static char events[4096], last_event[512];
static struct endpoints *e;
static struct fr_err why;

static int64_t test_now(void *arg) { (void)arg; return clock_ms; }

static enum fr_status test_post(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    int no = atoi(strstr(url, "node") + 4);
    (void)arg;
    CHECK(timeout_ms > 0 && timeout_ms <= ENDPOINT_EXCHANGE_MS && answer_max == RPC_ANSWER_BYTES_MAX && len <= RPC_REQUEST_BYTES_MAX && strstr(url, KEY));
    if (nodes[no].posts_fail) return FR_FAIL_CODE(err, FR_E_BUSY, "client_busy", "too many calls");
    struct pending *p = calloc(1, sizeof *p);
    *p = (struct pending){ .node = no, .due = clock_ms + (nodes[no].mode == HANGS ? timeout_ms : nodes[no].latency_ms), .body = strndup(body, len), .len = len, .timeout_ms = timeout_ms, .done = done, .arg = done_arg };
    struct pending **at = &pending;
    while (*at) at = &(*at)->next;
    *at = p;
    if (++in_flight > most_in_flight) most_in_flight = in_flight;
    return FR_OK;
}

static void answer_call(struct node *n, const struct fr_json *q, struct fr_buf *out)
{
    const char *method = fr_json_text(fr_json_get(q, "method"));
    const struct fr_json *params = fr_json_get(q, "params");
    const char *tag = fr_json_text(fr_json_child(params)), *error = NULL;
    int id = (int)fr_json_number(fr_json_get(q, "id")), code = -32000;
    n->calls++;
    if (n->mode == WRONG_ID) id++;
    fr_buf_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":%d,", id);
    if (n->mode == RATE) code = -32005, error = "limit exceeded";
    else if (n->mode == NO_SUCH_METHOD && strncmp(method, "x_", 2) == 0) code = -32601, error = "Method not found";
    else if (n->mode == LEAKS && strncmp(method, "x_", 2) == 0) code = -32603, error = "internal error: project " KEY " of node0.example/v3/" KEY " is over, the key " KEY;
    else if (n->mode == REFUSES && strncmp(method, "x_", 2) == 0) error = "nonce too low";
    else if (strcmp(method, "eth_chainId") == 0) fr_buf_addf(out, "\"result\":\"0x%x\"}", n->chain_id);
    else if (strcmp(method, "eth_blockNumber") == 0) fr_buf_addf(out, "\"result\":\"0x%x\"}", n->height);
    else if (strcmp(method, "eth_getBlockByNumber") == 0 && tag && strcmp(tag, "0x0") == 0) {
        if (n->mode == SYNCING) fr_buf_add(out, "\"result\":null}");
        else fr_buf_addf(out, "\"result\":{\"number\":\"0x0\",\"timestamp\":\"0x0\",\"hash\":\"%s\",\"parentHash\":\"0x%s\"}}", n->genesis, H32("00"));
    } else if (n->no_extras) code = -32601, error = "the method does not exist/is not available";
    else if (strcmp(method, "web3_clientVersion") == 0) fr_buf_add(out, "\"result\":\"Geth/v1.16.7\\u0007<b>\"}");
    else if (strcmp(method, "eth_getBlockByNumber") == 0) fr_buf_add(out, "\"result\":{}}");
    else if (strcmp(method, "eth_feeHistory") == 0) fr_buf_add(out, "\"result\":{\"oldestBlock\":\"0x1\"}}");
    else if (strcmp(method, "debug_traceTransaction") == 0) error = "transaction not found";
    else if (strcmp(method, "eth_getLogs") == 0) {
        uint64_t from = strtoull(fr_json_text(fr_json_get(fr_json_child(params), "fromBlock")) + 2, NULL, 16), to = strtoull(fr_json_text(fr_json_get(fr_json_child(params), "toBlock")) + 2, NULL, 16);
        if (to - from + 1 > n->range_max) error = "query exceeds max block range";
        else fr_buf_add(out, "\"result\":[]}");
    } else fr_buf_addf(out, "\"result\":%s}", n->result);
    if (error) fr_buf_addf(out, "\"error\":{\"code\":%d,\"message\":\"%s\"}}", code, error);
}

static void answer(struct pending *p)
{
    struct node *n = &nodes[p->node];
    struct fr_err err;
    FR_AUTO_BUF(out);
    FR_AUTO(fr_json) q = NULL;
    fr_buf_init(&out, 1 << 20);
    in_flight--;
    n->requests++;
    if (n->mode == DEAD || n->mode == HANGS) {
        enum fr_status st = FR_FAIL_CODE(&err, n->mode == DEAD ? FR_E_BUSY : FR_E_TIMEOUT, "client_x", "%s", n->mode == DEAD ? "no connection" : "no whole answer in time");
        p->done(p->arg, st, 0, NULL, 0, 0, &err);
        return;
    }
    CHECK(fr_json_parse(p->body, p->len, &q, &err) == FR_OK);
    bool batch = fr_json_kind(q) == JSON_ARRAY;
    if (batch && fr_json_size(q) > n->biggest) n->biggest = fr_json_size(q);
    if (n->mode == GARBAGE) fr_buf_add(&out, "<html>" KEY "</html>");
    else if (batch && n->no_batches) fr_buf_add(&out, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"batches are not served\"}}");
    else if (!batch) answer_call(n, q, &out);
    else {
        int i = 0;
        for (const struct fr_json *one = fr_json_child(q); one; one = fr_json_next(one)) {
            fr_buf_add(&out, i++ ? "," : "[");
            answer_call(n, one, &out);
        }
        fr_buf_add(&out, "]");
    }
    p->done(p->arg, FR_OK, n->mode == HTTP_500 ? 500 : n->mode == HTTP_429 ? 429 : 200, out.data, out.len, n->mode == HTTP_429 ? 3 : 0, NULL);
}

static void run(int ms)                    // the clock goes in steps of 10 ms
{
    for (int64_t end = clock_ms + ms; clock_ms < end; clock_ms += 10) {
        for (struct pending **at = &pending, *p; (p = *at); ) {
            if (p->due > clock_ms) {
                at = &p->next;
                continue;
            }
            *at = p->next;
            answer(p);
            free(p->body);
            free(p);
            at = &pending;                 // answers may have made new ones
        }
        if (e) endpoints_tick(e);
    }
}

static void on_event(void *arg, const char *name, enum endpoint_event event, const char *text)
{
    static const char *const names[] = { "up", "down", "LIED", "disagreed" };
    size_t len = strlen(events);
    (void)arg;
    snprintf(events + len, sizeof events - len, "%s:%s ", name, names[event]);
    snprintf(last_event, sizeof last_event, "%s", text);
    CHECK(!strstr(text, KEY) && !strstr(text, "k3y012"));
}

static void begin_with(int count, bool pinned, int per_second, int burst)
{
    static struct endpoint_config at[ENDPOINTS_MAX];
    struct endpoints_config config = { .chain_id = 1, .at = at, .count = count, .transport = { .post = test_post, .now_ms = test_now }, .on_event = on_event };
    for (int i = 0; i < count; i++) {
        at[i] = (struct endpoint_config){ .per_second = per_second, .burst = burst };
        snprintf(at[i].name, sizeof at[i].name, "n%d", i);
        snprintf(at[i].url, sizeof at[i].url, "https://node%d.example/v3/%s?x=%s", i, KEY, KEY);
        nodes[i] = (struct node){ .chain_id = 1, .latency_ms = 20 + 20 * i, .genesis = GENESIS, .result = "\"0x1\"", .height = 100000, .range_max = 10000 };
    }
    if (pinned) memset(config.genesis, 0xab, 32);
    clock_ms = 1000000;
    events[0] = last_event[0] = 0;
    most_in_flight = 0;
    CHECK(endpoints_new(&config, &e, &why) == FR_OK);
}
static void begin(int count) { begin_with(count, true, 0, 0); }

static void end(void)
{
    endpoints_free(e);
    e = NULL;
    run(ENDPOINT_EXCHANGE_MS + 100);       // what was under way ends, and touches nothing
    CHECK_INT(in_flight, 0);
}

struct got { int done; enum fr_status st; char code[40], text[FR_ERR_TEXT_BYTES], who[ENDPOINT_NAME_BYTES], first[64], last[64]; int count, faults; bool inside, is_inside; int again; };

static struct got *ask_for(struct endpoints_ask ask, struct got *g);
static void on_done(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct got *g = arg;
    g->done++;
    g->inside = g->is_inside;
    g->st = st;
    CHECK((st == FR_OK) == (a != NULL) && (st == FR_OK) == (err == NULL));
    snprintf(g->who, sizeof g->who, "%s", who);
    if (err) {
        snprintf(g->code, sizeof g->code, "%s", err->code);
        snprintf(g->text, sizeof g->text, "%s", err->text);
        CHECK(!strstr(err->text, KEY) && !strstr(err->text, "k3y012"));
        return;
    }
    g->count = a->count;
    for (int i = 0; i < a->count; i++) {
        g->faults += a->at[i].fault != RPC_FINE;
        const char *text = a->at[i].result ? fr_json_text(a->at[i].result) : a->at[i].text;
        if (i == 0) snprintf(g->first, sizeof g->first, "%s", text ? text : "?");
        snprintf(g->last, sizeof g->last, "%s", text ? text : "?");
        CHECK(!strstr(a->at[i].text, KEY) && !strstr(a->at[i].text, "k3y012"));
    }
    if (g->again > 0) {
        g->again--;
        struct endpoints_ask more = { .calls = &(struct rpc_call){ "x_get", NULL }, .count = 1, .done = on_done, .arg = g };
        CHECK(endpoints_ask(e, &more, &why) == FR_OK);
    }
}

static struct got *ask_for(struct endpoints_ask ask, struct got *g)
{
    int again = g->again;
    *g = (struct got){ .is_inside = true, .again = again };
    static const struct rpc_call get = { "x_get", NULL };
    if (!ask.calls) ask.calls = &get;
    if (!ask.count) ask.count = 1;
    ask.done = on_done;
    ask.arg = g;
    g->st = endpoints_ask(e, &ask, &why);
    g->is_inside = false;
    return g;
}

static struct got *ask(struct endpoints_ask a, int ms)
{
    static struct got g;
    g.again = 0;
    ask_for(a, &g);
    run(ms);
    CHECK(!g.inside && g.done <= 1);
    return &g;
}
#define PLAIN ((struct endpoints_ask){ 0 })

static struct endpoint_facts facts(int no)
{
    struct endpoint_facts all[ENDPOINTS_MAX];
    CHECK(endpoints_facts(e, all) > no);
    return all[no];
}

// ---- the tests ------------------------------------------------------------------------------------------------------
static void test_identity_then_abilities_then_calls(void)
{
    begin(2);
    nodes[1].no_extras = true;
    struct got *g = ask(PLAIN, 0);         // asked before anything is known: it waits
    run(200);
    CHECK(g->done == 1 && g->st == FR_OK);
    CHECK_TEXT(g->first, "0x1");
    CHECK_TEXT(events, "n0:up n1:up ");
    struct endpoint_facts a = facts(0), b = facts(1);
    CHECK(a.state == ENDPOINT_GOOD && a.probed && a.client == CLIENT_GETH && a.finalized && a.fee_history && a.debug && a.batches && a.logs_range == 10000 && a.height == 100000);
    CHECK_TEXT(a.version, "Geth/v1.16.7<b>");
    CHECK(b.state == ENDPOINT_GOOD && b.probed && b.client == CLIENT_UNKNOWN && !b.finalized && !b.fee_history && !b.debug && b.logs_range == 0);
    CHECK(endpoints_good(e) == 2 && endpoints_height(e) == 100000);
    int before = nodes[0].requests;
    run(ENDPOINT_CHECK_MS);
    CHECK_INT(nodes[0].requests, before + 1);                   // the identity again, the abilities not yet
    end();
}

static void test_a_liar_is_halted_for_good(void)
{
    begin(2);
    nodes[0].chain_id = 5;
    nodes[1].genesis = OTHER;
    run(200);
    CHECK(endpoints_good(e) == 0 && facts(0).state == ENDPOINT_HALTED && facts(1).state == ENDPOINT_HALTED);
    CHECK_TEXT(events, "n0:LIED n1:LIED ");
    CHECK_INT(ask(PLAIN, 100)->done, 1);
    CHECK_TEXT(ask(PLAIN, 100)->code, "rpc_unavailable");
    nodes[0].chain_id = 1;
    int before = nodes[0].requests;
    run(10 * ENDPOINT_CHECK_MS);
    CHECK(nodes[0].requests == before && facts(0).state == ENDPOINT_HALTED);
    CHECK(!endpoints_forgive(e, "nobody") && endpoints_forgive(e, "n0") && !endpoints_forgive(e, "n0"));
    run(200);
    CHECK(facts(0).state == ENDPOINT_GOOD && endpoints_good(e) == 1);
    end();
}

static void test_a_lie_that_begins_later(void)
{
    begin(2);
    run(200);
    nodes[0].chain_id = 5;
    run(ENDPOINT_CHECK_MS + 200);
    CHECK(facts(0).state == ENDPOINT_HALTED && facts(1).state == ENDPOINT_GOOD);
    CHECK_TEXT(ask(PLAIN, 200)->who, "n1");
    // After a failure too, before the next call.
    nodes[1].mode = DEAD;
    CHECK_TEXT(ask(PLAIN, 60)->code, "rpc_unavailable");
    nodes[1].mode = FINE;
    nodes[1].genesis = OTHER;
    struct got *g = ask(PLAIN, 2000);
    CHECK(g->done == 1 && g->st == FR_E_BUSY && facts(1).state == ENDPOINT_HALTED);
    end();
}

static void test_the_first_genesis_is_kept_where_none_is_pinned(void)
{
    begin_with(2, false, 0, 0);
    nodes[1].genesis = OTHER;
    run(300);
    CHECK(facts(0).state == ENDPOINT_GOOD && facts(1).state == ENDPOINT_HALTED && endpoints_genesis(e)[0] == 0xab);
    end();
}

static void test_the_next_endpoint_is_asked(void)
{
    static const enum mode bad[] = { DEAD, GARBAGE, HTTP_500, HTTP_429, RATE, NO_SUCH_METHOD, WRONG_ID, LEAKS };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin(2);
        run(200);
        nodes[0].mode = bad[i];
        struct got *g = ask(PLAIN, 200);
        CHECK(g->done == 1 && g->st == FR_OK);
        CHECK_TEXT(g->who, "n1");
        nodes[1].mode = bad[i];
        if (bad[i] != HTTP_429 && bad[i] != RATE) CHECK_TEXT(ask((struct endpoints_ask){ .only = "n1" }, 200)->code, "rpc_unavailable");
        end();
    }
    begin(2);
    run(200);
    nodes[0].mode = HANGS;
    struct got *g = ask(PLAIN, ENDPOINT_EXCHANGE_MS - 100);
    CHECK_INT(g->done, 0);
    run(300);
    CHECK(g->done == 1 && g->st == FR_OK && facts(0).state == ENDPOINT_FAILING);
    nodes[0].mode = FINE;
    run(ENDPOINT_EXCHANGE_MS + 2000);      // a look that began while it hung has to end
    CHECK_INT(facts(0).state, ENDPOINT_GOOD);                   // it comes back by itself
    end();
}

static void test_a_refusal_is_an_answer(void)
{
    begin(2);
    run(200);
    nodes[0].mode = REFUSES;
    struct got *g = ask(PLAIN, 200);
    CHECK(g->st == FR_OK && g->faults == 1);
    CHECK_TEXT(g->who, "n0");
    CHECK_TEXT(g->first, "nonce too low");
    end();
}

static void test_results_must_be_of_their_kind(void)
{
    static const char *const bad[] = { "\"0x01\"", "\"0x\"", "\"1\"", "1", "null", "[]", "{}", "\"0x1" H32("00") "\"" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        begin(2);
        run(200);
        nodes[0].result = bad[i];
        struct got *g = ask((struct endpoints_ask){ .kind = RPC_QUANTITY }, 200);
        CHECK(g->st == FR_OK);
        CHECK_TEXT(g->who, "n1");
        CHECK(facts(0).malformed == 1 && strstr(events, "n0:down"));
        end();
    }
}

static void test_so_many_must_agree(void)
{
    begin(3);
    run(200);
    struct got *g = ask((struct endpoints_ask){ .quorum = 2 }, 200);
    CHECK(g->st == FR_OK);
    nodes[0].result = "\"0x2\"";           // the fastest one is alone with it
    g = ask((struct endpoints_ask){ .quorum = 2 }, 200);
    CHECK(g->st == FR_OK && strcmp(g->first, "0x1") == 0 && strcmp(g->who, "n1") == 0);
    CHECK(facts(0).disagreed == 1 && strstr(events, "n0:disagreed"));
    nodes[1].result = "\"0x3\"";
    g = ask((struct endpoints_ask){ .quorum = 2 }, 200);
    CHECK_INT(g->st, FR_E_CONFLICT);
    CHECK_TEXT(g->code, "rpc_disagree");
    nodes[1].result = "\"0x1\"";
    nodes[0].mode = DEAD;
    g = ask((struct endpoints_ask){ .quorum = 2 }, 200);
    CHECK_INT(g->st, FR_OK);
    g = ask((struct endpoints_ask){ .quorum = 3, .deadline_ms = 3000 }, 2900);
    CHECK_INT(g->done, 0);                 // the third one may come back
    run(200);
    CHECK_TEXT(g->code, "rpc_timeout");
    nodes[0].mode = FINE;
    nodes[0].result = "\"0x1\"";
    run(ENDPOINT_DOWN_MS_MAX + 1000);
    // Two say the same in other words.
    nodes[0].result = "{\"b\":1,\"a\":2}";
    nodes[1].result = "{\"a\":2,\"b\":1}";
    nodes[2].result = "{ \"a\" : 2 , \"b\" : 1 }";
    g = ask((struct endpoints_ask){ .quorum = 3 }, 200);
    CHECK_INT(g->st, FR_OK);
    // One that refuses and two that answer.
    nodes[0].mode = REFUSES;
    g = ask((struct endpoints_ask){ .quorum = 2 }, 200);
    CHECK(g->st == FR_OK && g->faults == 0);
    g = ask((struct endpoints_ask){ .quorum = 3 }, 200);
    CHECK_TEXT(g->code, "rpc_disagree");
    end();
}

static void test_what_a_liar_said_before_it_was_found_out_does_not_count(void)
{
    begin(3);
    run(200);
    nodes[2].mode = HANGS;
    nodes[1].latency_ms = 3000;
    struct got g = { 0 };
    ask_for((struct endpoints_ask){ .quorum = 2 }, &g);
    run(100);                              // n0 has answered
    nodes[0].chain_id = 5;
    run(2000);
    CHECK_INT(g.done, 0);
    run(ENDPOINT_EXCHANGE_MS);             // n1 too: they agree, and nobody knew better
    CHECK(g.done == 1 && g.st == FR_OK);
    end();
    begin(2);
    run(200);
    run(ENDPOINT_CHECK_MS - 500);
    nodes[1].mode = HANGS;
    ask_for((struct endpoints_ask){ .quorum = 2 }, &g);
    run(100);
    nodes[0].chain_id = 5;
    run(1000);                             // the regular look finds it
    CHECK(facts(0).state == ENDPOINT_HALTED && g.done == 1);
    CHECK_TEXT(g.code, "rpc_unavailable");
    end();
}

static void test_batches(void)
{
    struct rpc_call calls[RPC_BATCH_MAX + 1];
    for (int i = 0; i <= RPC_BATCH_MAX; i++) calls[i] = (struct rpc_call){ "x_get", "[1]" };
    begin(1);
    run(200);
    struct got *g = ask((struct endpoints_ask){ .calls = calls, .count = RPC_BATCH_MAX }, 200);
    CHECK(g->st == FR_OK && g->count == RPC_BATCH_MAX && nodes[0].biggest == RPC_BATCH_MAX);
    CHECK_INT(ask((struct endpoints_ask){ .calls = calls, .count = RPC_BATCH_MAX + 1 }, 10)->st, FR_E_INVALID);
    nodes[0].no_batches = true;            // from now on one by one
    g = ask((struct endpoints_ask){ .calls = calls, .count = 5 }, 1000);
    CHECK(g->st == FR_OK && g->count == 5 && !facts(0).batches && facts(0).state == ENDPOINT_GOOD);
    CHECK_TEXT(g->last, "0x1");
    end();
    begin(1);
    nodes[0].no_batches = true;            // from the start
    run(2000);
    CHECK(facts(0).state == ENDPOINT_GOOD && facts(0).probed && facts(0).logs_range == 10000 && !facts(0).batches);
    end();
}

static void test_bounds_of_a_request(void)
{
    static char params[RPC_PARAMS_BYTES_MAX + 2];
    memset(params, ' ', RPC_PARAMS_BYTES_MAX + 1);
    params[0] = '[';
    params[1] = ']';
    begin(3);
    run(200);
    struct rpc_call call = { "x_get", params };
    CHECK_INT(ask((struct endpoints_ask){ .calls = &call }, 10)->st, FR_E_LIMIT);
    CHECK_TEXT(why.code, "rpc_request_too_large");
    params[RPC_PARAMS_BYTES_MAX] = 0;
    CHECK_INT(ask((struct endpoints_ask){ .calls = &call }, 200)->st, FR_OK);
    struct rpc_call many[6];
    for (int i = 0; i < 6; i++) many[i] = call;
    CHECK(ask((struct endpoints_ask){ .calls = many, .count = 6 }, 1000)->st == FR_OK && nodes[0].biggest < 14 + 1);       // more than one request
    static const struct endpoints_ask nonsense[] = { { .count = -1 }, { .quorum = 4 }, { .quorum = -1 }, { .only = "n7" }, { .only = "n1", .quorum = 2 }, { .deadline_ms = -1 }, { .deadline_ms = ENDPOINT_READ_MS_MAX + 1 } };
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        CHECK_INT(ask(nonsense[i], 10)->st, FR_E_INVALID);
        CHECK_TEXT(why.code, "rpc_request");
    }
    end();
    begin(4);
    CHECK_INT(ask((struct endpoints_ask){ .quorum = 2 }, 10)->st, FR_E_INVALID);       // two of four are no majority
    end();
}

static void test_no_more_wait_than_the_bound_says(void)
{
    static struct got g[ENDPOINTS_READS_MAX + 1];
    begin(1);
    run(200);
    nodes[0].latency_ms = 200;
    most_in_flight = 0;
    for (int i = 0; i < ENDPOINTS_READS_MAX; i++) CHECK_INT(ask_for(PLAIN, &g[i])->st, FR_OK);
    CHECK_INT(ask_for(PLAIN, &g[ENDPOINTS_READS_MAX])->st, FR_E_BUSY);
    CHECK_TEXT(why.code, "rpc_busy");
    run(10000);
    CHECK_INT(most_in_flight, ENDPOINT_EXCHANGES_MAX);
    for (int i = 0; i < ENDPOINTS_READS_MAX; i++) CHECK(g[i].done == 1 && g[i].st == FR_OK);
    end();
}

static void test_a_rate_per_endpoint(void)
{
    struct got g[60] = { 0 };
    begin_with(1, true, 20, 20);
    run(3000);                             // the first looks took their share
    int before = nodes[0].calls;
    for (int i = 0; i < 60; i++) ask_for(PLAIN, &g[i]);
    run(1000);
    CHECK(nodes[0].calls - before >= 38 && nodes[0].calls - before <= 42);     // a full bucket, and a second's worth
    run(1500);
    CHECK_INT(nodes[0].calls - before, 60);
    // The node's own limit: nothing until it said so.
    nodes[0].mode = HTTP_429;
    struct got *one = ask((struct endpoints_ask){ .deadline_ms = 60000 }, 100);
    CHECK_TEXT(one->code, "rpc_unavailable");
    nodes[0].mode = FINE;
    before = nodes[0].requests;
    one = ask(PLAIN, 2500);
    CHECK(one->done == 0 && nodes[0].requests == before);
    run(1000);
    CHECK(one->done == 1 && one->st == FR_OK && facts(0).rate_limited == 1 && facts(0).state == ENDPOINT_GOOD);
    end();
    begin_with(2, true, 20, 20);           // another one need not wait
    run(3000);
    for (int i = 0; i < 40; i++) ask_for(PLAIN, &g[i]);
    run(200);
    for (int i = 0; i < 40; i++) CHECK(g[i].done == 1 && g[i].st == FR_OK);
    end();
}

static void test_the_better_one_is_asked(void)
{
    begin(3);
    nodes[0].latency_ms = 400;
    run(1000);
    CHECK_TEXT(ask(PLAIN, 500)->who, "n1");
    nodes[1].height = 100000 - ENDPOINT_LAG_BLOCKS_MAX - 1;      // it stopped
    run(ENDPOINT_CHECK_MS + 500);
    CHECK_TEXT(ask(PLAIN, 500)->who, "n2");
    nodes[2].mode = nodes[0].mode = DEAD;
    CHECK_TEXT(ask(PLAIN, 1000)->who, "n1");                     // better than none
    end();
}

static void test_a_node_without_blocks_is_no_liar(void)
{
    begin(1);
    nodes[0].mode = SYNCING;
    run(1000);
    CHECK(facts(0).state == ENDPOINT_FAILING && strstr(events, "n0:down") && !strstr(events, "LIED"));
    nodes[0].mode = FINE;
    run(ENDPOINT_DOWN_MS_MAX);
    CHECK_INT(facts(0).state, ENDPOINT_GOOD);
    end();
    begin(1);
    nodes[0].mode = GARBAGE;
    run(120000);
    CHECK(nodes[0].requests > 4 && nodes[0].requests < 30);      // tried less and less often
    CHECK_TEXT(events, "n0:down ");        // told of once
    end();
}

static void test_asked_from_done_and_freed_at_any_time(void)
{
    begin(2);
    run(200);
    struct got g = { .again = 5 };
    ask_for(PLAIN, &g);
    run(20 * 6 + 20);                      // each at once, not with a tick in between
    CHECK_INT(g.done, 6);
    nodes[0].posts_fail = true;
    struct got *one = ask(PLAIN, 100);
    CHECK(one->st == FR_OK && strcmp(one->who, "n1") == 0 && facts(0).state == ENDPOINT_GOOD);
    end();
    for (int ms = 0; ms < 200; ms += 10) {
        struct got w[4] = { 0 };
        begin(3);
        nodes[2].mode = HANGS;
        for (int i = 0; i < 4; i++) ask_for((struct endpoints_ask){ .quorum = i }, &w[i]);
        run(ms);
        end();
        for (int i = 0; i < 4; i++) CHECK(w[i].done <= 1);
    }
}

static void test_what_makes_no_sense_is_refused(void)
{
    struct endpoint_config at[2] = { { .name = "a", .url = "https://node0" }, { .name = "b", .url = "http://node1" } };
    struct endpoints_config config = { .chain_id = 1, .at = at, .count = 0, .transport = { .post = test_post, .now_ms = test_now } };
    struct endpoints *none = NULL;
    CHECK_INT(endpoints_new(&config, &none, &why), FR_E_INVALID);
    config.count = ENDPOINTS_MAX + 1;
    CHECK_INT(endpoints_new(&config, &none, &why), FR_E_INVALID);
    config.count = 2;
    static const struct { const char *name, *url; int per_second; } bad[] = { { "", "http://x", 0 }, { "a", "http://x", 0 }, { "b", "ftp://x", 0 }, { "b", "", 0 }, { "b", "http://x", -1 } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        at[1] = (struct endpoint_config){ .per_second = bad[i].per_second };
        snprintf(at[1].name, sizeof at[1].name, "%s", bad[i].name);
        snprintf(at[1].url, sizeof at[1].url, "%s", bad[i].url);
        CHECK_INT(endpoints_new(&config, &none, &why), FR_E_INVALID);
    }
    for (int nth = 1; nth < 3; nth++) {
        fr_mem_fail_some(nth, 1);
        enum fr_status st = endpoints_new(&config, &none, &why);
        fr_mem_fail_at(0);
        CHECK(st != FR_OK && !none);
    }
    begin(2);
    run(200);
    for (int nth = 1; nth < 8; nth++) {
        struct got g = { 0 };
        fr_mem_fail_some(nth, 1);
        ask_for(PLAIN, &g);
        fr_mem_fail_at(0);
        CHECK(g.st == FR_OK || g.st == FR_E_NOMEM);
        bool taken = g.st == FR_OK;
        run(200);
        CHECK_INT(g.done, taken);
    }
    end();
}

int main(void)
{
    TEST(test_identity_then_abilities_then_calls);
    TEST(test_a_liar_is_halted_for_good);
    TEST(test_a_lie_that_begins_later);
    TEST(test_the_first_genesis_is_kept_where_none_is_pinned);
    TEST(test_the_next_endpoint_is_asked);
    TEST(test_a_refusal_is_an_answer);
    TEST(test_results_must_be_of_their_kind);
    TEST(test_so_many_must_agree);
    TEST(test_what_a_liar_said_before_it_was_found_out_does_not_count);
    TEST(test_batches);
    TEST(test_bounds_of_a_request);
    TEST(test_no_more_wait_than_the_bound_says);
    TEST(test_a_rate_per_endpoint);
    TEST(test_the_better_one_is_asked);
    TEST(test_a_node_without_blocks_is_no_liar);
    TEST(test_asked_from_done_and_freed_at_any_time);
    TEST(test_what_makes_no_sense_is_refused);
    return TEST_END();
}
