// endpoints: nodes that answer anything, in any order, late or never, while calls are made and the clock goes on. Each call that was accepted is answered
// once, before or at its deadline, with as many answers as it has calls; after endpoints_free nothing is called.
#include "chain/endpoints.h"
#include "fuzz.h"

#define ENDPOINTS 3
#define ASKS_MAX 32
#define POSTS_MAX 256
#define H32(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define KEY "k3y0123456789"
void __wrap_fr_random_bytes(void *out, size_t len);              // the same noise each time
void __wrap_fr_random_bytes(void *out, size_t len) { memset(out, 0x5A, len); }

struct post { char *body; size_t len; int node; int64_t due; transport_done_fn *done; void *arg; };
struct one { int done, count, kind; int64_t deadline_at; };
static struct post posts[POSTS_MAX];
static int post_count;
static struct one asks[ASKS_MAX];
static int ask_count;
static int64_t now;
static bool freed, asking;

static int64_t clock_now(void *arg) { (void)arg; return now; }

static enum fr_status post(void *arg, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    (void)arg;
    HOLDS(!freed && timeout_ms > 0 && answer_max == RPC_ANSWER_BYTES_MAX);
    if (post_count == POSTS_MAX) return FR_FAIL(err, FR_E_BUSY, "too many");
    struct fr_err why;
    HOLDS(fr_json_check(body, len, &why) == FR_OK);              // what we send is JSON
    posts[post_count++] = (struct post){ .body = strndup(body, len), .len = len, .node = url[strlen(url) - 1] - '0', .due = now + timeout_ms, .done = done, .arg = done_arg };
    return FR_OK;
}

static void on_event(void *arg, const char *name, enum endpoint_event event, const char *text)
{
    (void)arg;
    (void)event;
    HOLDS(!freed && name[0] == 'n' && text[0] && !strstr(text, KEY));
}

static void on_done(void *arg, enum fr_status st, const struct rpc_answers *a, const char *who, const struct fr_err *err)
{
    struct one *o = arg;
    HOLDS(!freed && !asking && o->done == 0 && (st == FR_OK) == (a != NULL) && (a != NULL) == (who[0] == 'n'));
    o->done++;
    if (err) HOLDS(!strstr(err->text, KEY) && err->code[0]);
    for (int i = 0; a && i < a->count; i++) HOLDS((a->at[i].result != NULL) == (a->at[i].fault == RPC_FINE) && !strstr(a->at[i].text, KEY));
    if (a) HOLDS(a->count == o->count);
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 8 * RPC_ANSWER_BYTES_MAX);
    struct fr_err why;
    for (int i = 0; a && i < a->count; i++) HOLDS(a->at[i].fault || rpc_canonical(a->at[i].result, (enum rpc_kind)o->kind, &out, &why) == FR_OK);
}

// What an honest node says, but for one thing now and then.
static void honest(const struct fr_json *q, struct fuzz_in *in, uint8_t odd, struct fr_buf *out)
{
    const char *method = fr_json_text(fr_json_get(q, "method"));
    fr_buf_addf(out, "{\"jsonrpc\":\"2.0\",\"id\":%lld,", (long long)fr_json_number(fr_json_get(q, "id")) + (odd == 1));
    if (odd == 2) fr_buf_addf(out, "\"error\":{\"code\":%d,\"message\":\"limit exceeded " KEY "\"}}", -32000 - fuzz_byte(in));
    else if (odd == 3) fr_buf_addf(out, "\"error\":{\"code\":-32601,\"message\":\"\"}}");
    else if (strcmp(method, "eth_chainId") == 0) fr_buf_add(out, odd == 4 ? "\"result\":\"0x2\"}" : "\"result\":\"0x1\"}");
    else if (strcmp(method, "eth_getBlockByNumber") == 0) fr_buf_add(out, odd == 5 ? "\"result\":null}" : "\"result\":{\"number\":\"0x0\",\"timestamp\":\"0x0\",\"hash\":\"0x" H32("ab") "\",\"parentHash\":\"0x" H32("00") "\"}}");
    else fr_buf_addf(out, "\"result\":\"0x%x\"}", 1 + (odd & 1));
}

static void answer(struct fuzz_in *in, int no, bool late)
{
    struct post p = posts[no];
    struct fr_err err;
    FR_AUTO_BUF(out);
    FR_AUTO(fr_json) q = NULL;
    memmove(&posts[no], &posts[no + 1], (size_t)(--post_count - no) * sizeof posts[0]);
    fr_buf_init(&out, 1 << 20);
    uint8_t how = late ? 255 : fuzz_byte(in), odd = how % 16;
    if (how >= 224) p.done(p.arg, FR_FAIL(&err, how % 2 ? FR_E_TIMEOUT : FR_E_IO, "https://x/" KEY), 0, NULL, 0, how % 8, &err);
    else if (how >= 192) {
        size_t len;
        char *raw = fuzz_part(in, &len);
        p.done(p.arg, FR_OK, how % 2 ? 200 : 429, raw, len, how % 8, NULL);
        free(raw);
    } else {
        HOLDS(fr_json_parse(p.body, p.len, &q, &err) == FR_OK);
        if (fr_json_kind(q) == JSON_ARRAY && odd != 6) {
            int i = 0;
            for (const struct fr_json *one = fr_json_child(q); one; one = fr_json_next(one)) {
                fr_buf_add(&out, i++ ? "," : "[");
                honest(one, in, odd == 7 && i == 2 ? 1 : odd, &out);
            }
            fr_buf_add(&out, "]");
        } else if (odd == 6) fr_buf_add(&out, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"no batches\"}}");
        else honest(q, in, odd, &out);
        p.done(p.arg, FR_OK, how >= 176 ? 500 : 200, out.data, out.len, 0, NULL);
    }
    free(p.body);
}

static void ask(struct endpoints *e, uint8_t how)
{
    if (ask_count == ASKS_MAX) return;
    struct one *o = &asks[ask_count];
    struct rpc_call calls[4] = { { "x_get", "[1]" }, { "x_get", NULL }, { "x_get", "[]" }, { "x_get", NULL } };
    struct endpoints_ask a = { .calls = calls, .count = 1 + how % 4, .quorum = how / 4 % 4, .kind = how / 16 % 6, .deadline_ms = 1 + how * 50, .only = how >= 240 ? "n1" : NULL, .done = on_done, .arg = o };
    struct fr_err err;
    *o = (struct one){ .count = a.count, .kind = (int)a.kind, .deadline_at = now + a.deadline_ms };
    asking = true;
    if (endpoints_ask(e, &a, &err) == FR_OK) ask_count++;
    asking = false;
}

static void go_on(struct endpoints *e, struct fuzz_in *in, int ms)
{
    now += ms;
    for (int i = 0; i < post_count; ) if (posts[i].due <= now) answer(in, i, true), i = 0; else i++;
    endpoints_tick(e);
    for (int i = 0; i < ask_count; i++) HOLDS(asks[i].done == 1 || asks[i].deadline_at > now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // steps
{
    struct fuzz_in in = { data, size };
    struct endpoint_config at[ENDPOINTS] = { { .name = "n0", .url = "https://a.example/" KEY "/0" }, { .name = "n1", .url = "https://b.example/" KEY "/1", .per_second = 5, .burst = 10 }, { .name = "n2", .url = "https://c.example/" KEY "/2" } };
    struct endpoints_config config = { .chain_id = 1, .at = at, .count = ENDPOINTS, .transport = { .post = post, .now_ms = clock_now }, .on_event = on_event };
    struct endpoints *e = NULL;
    struct fr_err err;
    now = 1000;
    freed = asking = false;
    post_count = ask_count = 0;
    HOLDS(endpoints_new(&config, &e, &err) == FR_OK);
    endpoints_tick(e);
    while (in.left > 0) {
        uint8_t step = fuzz_byte(&in);
        if (step < 128 && post_count) answer(&in, step % post_count, false);
        else if (step < 192) ask(e, fuzz_byte(&in));
        else if (step < 250) go_on(e, &in, step < 240 ? step - 180 : 10000);
        else endpoints_forgive(e, at[step % ENDPOINTS].name);
    }
    bool early = size % 4 == 1;
    if (!early) go_on(e, &in, ENDPOINT_READ_MS_MAX);
    for (int i = 0; !early && i < ask_count; i++) HOLDS(asks[i].done == 1);
    endpoints_free(e);
    freed = true;
    while (post_count) answer(&in, 0, true);
    return 0;
}
