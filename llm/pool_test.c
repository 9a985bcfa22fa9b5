// pool_test.c — what pool.h promises, against pods that die, refuse, hang and come back.
#include "llm/pool.h"
#include "llm/test_pod.h"

#define PODS 3
#define CALLS 400
static struct fake_pod pods[PODS];
static struct llm_pool *pool;
static struct llm_settings settings;
static int rooms;
static bool in_call;

struct one {
    struct llm_request request; struct llm_sent *sent; int done, no; enum fr_status st; struct fr_err err; char text[300], pod[80], finish[24]; char *json; int tries; bool streamed; int64_t prompt, answer, seen, retry_after_ms, at_ms;
    struct fr_buf deltas; int cancel_at, count;
};
static struct one calls[CALLS];
static int order[CALLS], ended;

static void on_room(void *arg) { (void)arg; CHECK(!in_call); rooms++; }

static void on_delta(void *arg, const struct llm_delta *d)
{
    struct one *c = arg;
    CHECK(!c->done && !in_call);
    fr_buf_add_bytes(&c->deltas, d->text, d->text_len);
    if (++c->count == c->cancel_at) llm_pool_cancel(c->sent);
}

static void on_done(void *arg, enum fr_status st, const struct llm_result *r, const struct fr_err *err)
{
    struct one *c = arg;
    CHECK(!in_call && c->done == 0 && (st == FR_OK) == (err == NULL) && (st == FR_OK) == (r->json != NULL));
    c->done++;
    c->st = st;
    if (err) c->err = *err;
    snprintf(c->text, sizeof c->text, "%.*s", (int)r->text_len, r->text);
    snprintf(c->pod, sizeof c->pod, "%s", r->pod);
    snprintf(c->finish, sizeof c->finish, "%s", r->finish);
    if (r->json) c->json = fr_strndup(r->json, r->json_len);
    c->tries = r->tries;
    c->streamed = r->streamed;
    c->prompt = r->prompt_tokens;
    c->answer = r->answer_tokens;
    c->seen = r->seen_tokens;
    c->retry_after_ms = r->retry_after_ms;
    c->at_ms = fr_mono_ms();
    order[ended++] = c->no;
    llm_request_clear(&c->request);
}

static struct one *fresh(enum llm_kind kind, const char *body)
{
    static int next;
    struct fr_err err;
    struct one *c = NULL;
    for (int i = 0; i < CALLS && !c; i++) if (!calls[(next + i) % CALLS].request.json && !calls[(next + i) % CALLS].json) c = &calls[(next + i) % CALLS];
    CHECK(c != NULL);
    fr_buf_free(&c->deltas);
    *c = (struct one){ .no = (int)(c - calls) };
    next = c->no + 1;
    fr_buf_init(&c->deltas, 1 << 20);
    CHECK(llm_request_parse(kind, body, strlen(body), &c->request, &err) == FR_OK);
    return c;
}

static enum fr_status send_one(struct one *c, const char *model, bool stream, int deadline_ms)
{
    struct llm_pool_ask ask = { .request = &c->request, .model = model, .deadline_ms = deadline_ms, .on_delta = stream ? on_delta : NULL, .done = on_done, .arg = c };
    in_call = true;
    enum fr_status st = llm_pool_send(pool, &ask, &c->sent, &c->err);
    in_call = false;
    if (st != FR_OK) llm_request_clear(&c->request);
    return st;
}

#define CHAT(text) "{\"messages\":[{\"role\":\"user\",\"content\":\"" text "\"}]}"
static struct one *call(const char *body, bool stream)
{
    struct one *c = fresh(LLM_CHAT, body);
    c->st = send_one(c, "m", stream, 10000);
    if (c->st != FR_OK) { c->done = -1; return c; }
    RUN_UNTIL(c->done);
    return c;
}

static void forget_all(void)
{
    for (int i = 0; i < CALLS; i++) {
        CHECK(!calls[i].request.json);
        fr_free(calls[i].json);
        fr_buf_free(&calls[i].deltas);
        calls[i] = (struct one){ 0 };
    }
    ended = 0;
}

// `count` pods of one backend "b" with the model "m".
static void settle_on(int count, int concurrency)
{
    memset(&settings, 0, sizeof settings);
    settings.backend_count = 1;
    snprintf(settings.default_model, sizeof settings.default_model, "m");
    struct llm_backend_settings *b = &settings.backends[0];
    snprintf(b->name, sizeof b->name, "b");
    snprintf(b->key, sizeof b->key, "sk-key-of-b");
    b->pod_count = count;
    for (int i = 0; i < count; i++) {
        snprintf(b->pods[i].url, sizeof b->pods[i].url, "http://127.0.0.1:%d/v1", pods[i].port);
        b->pods[i].concurrency = concurrency;
    }
    b->model_count = 1;
    b->models[0] = (struct llm_model_settings){ .can = LLM_CAN_CHAT | LLM_CAN_TEXT | LLM_CAN_EMBED, .context_tokens = 2048 };
    snprintf(b->models[0].name, sizeof b->models[0].name, "m");
    snprintf(b->models[0].as, sizeof b->models[0].as, "vendor/m");
}

static struct fr_json *facts(void)
{
    struct fr_json *json = NULL;
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1 << 20);
    llm_pool_facts(pool, &b);
    CHECK(fr_json_parse(b.data, b.len, &json, NULL) == FR_OK && !strstr(b.data, "sk-key"));
    return json;
}
static const struct fr_json *fact_of(const struct fr_json *f, const char *pod)
{
    for (const struct fr_json *p = fr_json_child(fr_json_get(f, "pods")); p; p = fr_json_next(p)) if (strcmp(fr_json_text(fr_json_get(p, "name")), pod) == 0) return p;
    return NULL;
}
static bool is_state(const char *pod, const char *state)
{
    FR_AUTO(fr_json) f = facts();
    const struct fr_json *p = fact_of(f, pod);
    return p && strcmp(fr_json_text(fr_json_get(p, "state")), state) == 0;
}
static double number_of(const char *pod, const char *key)
{
    FR_AUTO(fr_json) f = facts();
    return fr_json_number(fr_json_get(pod ? fact_of(f, pod) : f, key));
}

static int all_up(int count)
{
    char name[8];
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "b/%d", i);
        if (!is_state(name, "up")) return false;
    }
    return true;
}

static void begin(int count, int concurrency)
{
    static const char *const names[] = { "p0", "p1", "p2" };
    world_begin();
    for (int i = 0; i < PODS; i++) fake_listen(&pods[i], names[i], NULL);
    settle_on(count, concurrency);
    struct llm_pool_options o = { .loop = &loop, .client = client, .settings = &settings, .on_room = on_room, .seed = 7 };
    llm_pool_new(&o, &pool);
    RUN_UNTIL(all_up(count));
}

static bool stopped;
static void on_stopped(void *arg) { (void)arg; stopped = true; }
static void end(void)
{
    stopped = false;
    llm_pool_stop(pool, on_stopped, NULL);
    CHECK(!stopped);
    RUN_UNTIL(stopped);
    llm_pool_free(pool);
    for (int i = 0; i < PODS; i++) fake_kill(&pods[i]);
    forget_all();
    world_end();
}

// ---- scripts ------------------------------------------------------------------------------------------------------

static int say_status;
static const char *say_headers = "";
static void script_status(struct fake_conn *c, const char *path, const struct fr_json *ask) { (void)path; (void)ask; fake_answer(c, say_status, say_headers, "application/json", "{\"error\":{\"message\":\"told so\"}}"); }
static void script_silent(struct fake_conn *c, const char *path, const struct fr_json *ask) { (void)c; (void)path; (void)ask; }
static void script_close(struct fake_conn *c, const char *path, const struct fr_json *ask) { (void)path; (void)ask; fake_close(c); }
static void script_die_streaming(struct fake_conn *c, const char *path, const struct fr_json *ask)
{
    (void)path;
    (void)ask;
    fake_say(c, "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"half\"}}]}\n\n");
    fake_later(c, 20, fake_close);
}
static int fail_first;
static void script_fail_first(struct fake_conn *c, const char *path, const struct fr_json *ask)
{
    if (fail_first-- > 0) script_status(c, path, ask);
    else fake_fine(c, path, ask);
}

// ---- the way of one -----------------------------------------------------------------------------------------------

static void test_a_call_goes_to_a_pod_and_comes_back(void)
{
    begin(1, 4);
    CHECK(llm_pool_ready(pool));
    struct one *c = call(CHAT("hi"), false);
    CHECK(c->st == FR_OK && c->tries == 1 && c->prompt == 5 && c->answer == 3 && !c->streamed);
    CHECK_TEXT(c->text, "p0: hi");
    CHECK_TEXT(c->pod, "b/0");
    CHECK_TEXT(c->finish, "stop");
    CHECK(strstr(c->json, "\"model\":\"m\"") && strstr(pods[0].last, "\"model\":\"vendor/m\"") && strcmp(pods[0].key, "sk-key-of-b") == 0);
    c = call(CHAT("ho"), true);
    CHECK(c->st == FR_OK && c->streamed && c->seen == 3);
    CHECK_TEXT(c->deltas.data, "p0: ho");
    CHECK(number_of(NULL, "answered") == 2 && number_of("b/0", "answered") == 2 && rooms > 0);
    end();
}

static void test_nobody_can_or_nobody_is_there(void)
{
    static char big[20000];
    begin(1, 4);
    struct one *c = fresh(LLM_CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_object\"}}");
    CHECK(send_one(c, "m", false, 0) == FR_E_INVALID && strcmp(c->err.code, "llm_request") == 0 && strstr(c->err.text, "\"json\""));
    memset(big, 'x', 10000);
    char *body = malloc(11000);
    snprintf(body, 11000, CHAT("%s"), big);
    c = fresh(LLM_CHAT, body);
    CHECK(send_one(c, "m", false, 0) == FR_E_INVALID && strstr(c->err.text, "takes 2048"));
    free(body);
    c = fresh(LLM_CHAT, CHAT("x"));
    CHECK(send_one(c, "nobody", false, 0) == FR_E_NOT_FOUND && strcmp(c->err.code, "model_unknown") == 0);
    CHECK(llm_pool_model(pool, LLM_CHAT, "", "") == llm_pool_model(pool, LLM_CHAT, "m", "") && !llm_pool_model(pool, LLM_CHAT, "nobody", ""));
    fake_kill(&pods[0]);
    while (call(CHAT("x"), false)->done > 0) forget_all();       // each fails, until the pod is left alone
    RUN_UNTIL(is_state("b/0", "down"));
    c = call(CHAT("x"), false);
    CHECK(c->st == FR_E_BUSY && strcmp(c->err.code, "llm_down") == 0 && !llm_pool_ready(pool) && pods[0].requests == 0);
    end();
}

static void test_full_pods_are_waited_for(void)
{
    begin(1, 2);
    pods[0].wait_ms = 60000;
    struct one *a = fresh(LLM_CHAT, CHAT("a")), *b = fresh(LLM_CHAT, CHAT("b")), *c = fresh(LLM_CHAT, CHAT("c"));
    CHECK(send_one(a, "m", false, 0) == FR_OK && send_one(b, "m", false, 0) == FR_OK);
    CHECK(send_one(c, "m", false, 0) == FR_E_BUSY && strcmp(c->err.code, "llm_busy") == 0);
    int before = rooms;
    RUN_UNTIL(pods[0].running == 2);
    fake_go(&pods[0]);
    RUN_UNTIL(a->done && b->done);
    CHECK(rooms >= before + 2 && pods[0].most == 2);
    end();
}

// ---- elsewhere ----------------------------------------------------------------------------------------------------

static void test_what_failed_is_tried_elsewhere_and_counted(void)
{
    begin(3, 8);
    say_status = 500;
    pods[0].script = pods[1].script = script_status;
    pods[0].health = pods[1].health = 500;
    int n = 0;
    for (; n < 300 && !(is_state("b/0", "down") && is_state("b/1", "down")); n++) {
        struct one *c = call(CHAT("x"), n % 2);
        CHECK(c->st == FR_OK && c->tries <= 3 && strcmp(c->text, "p2: x") == 0);
    }
    CHECK(is_state("b/0", "down") && is_state("b/1", "down") && pods[2].requests == n && number_of(NULL, "retried") == 2 * LLM_FAILURES_MAX);
    CHECK(pods[0].requests == LLM_FAILURES_MAX && pods[1].requests == LLM_FAILURES_MAX);
    for (int i = 0; i < 10; i++) CHECK_INT(call(CHAT("x"), false)->tries, 1);     // they are left alone
    end();
}

static void test_three_tries_at_most(void)
{
    begin(3, 8);
    say_status = 502;
    for (int i = 0; i < 3; i++) pods[i].script = script_status;
    struct one *c = call(CHAT("x"), false);
    CHECK(c->st == FR_E_IO && strcmp(c->err.code, "llm_backend") == 0 && c->tries == LLM_TRIES_MAX && pods[0].requests == 1 && pods[1].requests == 1 && pods[2].requests == 1 && strstr(c->err.text, "it answered 502: told so") && strncmp(c->err.text, "b/", 2) == 0);
    end();
}

static void test_what_was_streamed_is_not_tried_again(void)
{
    begin(2, 8);
    pods[0].script = pods[1].script = script_die_streaming;
    struct one *c = call(CHAT("x"), true);
    CHECK(c->st == FR_E_IO && c->streamed && c->tries == 1 && pods[0].requests + pods[1].requests == 1);
    CHECK_TEXT(c->deltas.data, "half");
    pods[0].script = pods[1].script = script_close;                        // dies before anything was streamed
    c = call(CHAT("x"), true);
    CHECK(c->st == FR_E_IO && !c->streamed && c->tries == 2);
    end();
}

static void test_a_request_that_is_at_fault_is_not_tried_again(void)
{
    begin(2, 8);
    say_status = 400;
    pods[0].script = pods[1].script = script_status;
    struct one *c = call(CHAT("x"), false);
    CHECK(c->st == FR_E_INVALID && strcmp(c->err.code, "llm_backend") == 0 && c->tries == 1);
    CHECK(all_up(2) && number_of("b/0", "failed") + number_of("b/1", "failed") == 0);
    end();
}

static void test_no_room_there_is_room_elsewhere_or_later(void)
{
    begin(2, 8);
    say_status = 429;
    say_headers = "Retry-After: 1\r\n";
    pods[0].script = script_status;
    for (int i = 0; i < 6; i++) CHECK_INT(call(CHAT("x"), false)->st, FR_OK);
    CHECK(pods[0].requests == 1 && pods[1].requests == 6);       // it said when, and was not asked before
    CHECK(number_of("b/0", "room") == 4 && is_state("b/0", "up"));
    forget_all();
    fake_kill(&pods[1]);
    pods[0].script = script_fail_first;
    fail_first = 1;
    RUN_UNTIL(number_of("b/0", "open_in_ms") == 0);
    struct one *c = fresh(LLM_CHAT, CHAT("later"));
    int64_t began = fr_mono_ms();
    while (send_one(c, "m", false, 20000) != FR_OK) c = fresh(LLM_CHAT, CHAT("later"));
    RUN_UNTIL(c->done);
    CHECK(c->st == FR_OK && c->at_ms - began >= 900);            // there is no other: it waited as long as it was told
    CHECK_TEXT(c->text, "p0: later");
    settle_on(1, 8);
    llm_pool_configure(pool, &settings);
    say_headers = "Retry-After: 30\r\n";
    fail_first = 1;
    c = fresh(LLM_CHAT, CHAT("x"));
    CHECK_INT(send_one(c, "m", false, 500), FR_OK);
    RUN_UNTIL(c->done);
    CHECK(c->st == FR_E_BUSY && c->retry_after_ms == 30000);     // later than it may wait: told at once
    say_headers = "";
    end();
}

// ---- health -------------------------------------------------------------------------------------------------------

static void test_a_pod_that_comes_back_is_tried_by_one_call(void)
{
    begin(1, 8);
    say_status = 500;
    pods[0].script = script_status;
    for (int i = 0; i < LLM_FAILURES_MAX; i++) CHECK_INT(call(CHAT("x"), false)->st, FR_E_IO);
    CHECK(is_state("b/0", "down"));
    pods[0].script = NULL;
    pods[0].wait_ms = 50;
    int before = rooms;
    RUN_UNTIL(is_state("b/0", "trial"));
    CHECK(rooms > before);
    struct one *a = fresh(LLM_CHAT, CHAT("a")), *b = fresh(LLM_CHAT, CHAT("b"));
    CHECK(send_one(a, "m", false, 0) == FR_OK && send_one(b, "m", false, 0) == FR_E_BUSY);
    RUN_UNTIL(a->done);
    CHECK(a->st == FR_OK && is_state("b/0", "up"));
    end();
}

static void test_a_probe_that_fails_keeps_it_away_and_is_made_less_often(void)
{
    begin(1, 8);
    say_status = 500;
    pods[0].script = script_status;
    pods[0].health = 500;
    for (int i = 0; i < LLM_FAILURES_MAX; i++) call(CHAT("x"), false);
    int probes = pods[0].healths, requests = pods[0].requests;
    int64_t began = fr_mono_ms();
    RUN_UNTIL(pods[0].healths == probes + 2);
    CHECK(fr_mono_ms() - began >= (250 + 500) * 3 / 4 - 50 && is_state("b/0", "down") && pods[0].requests == requests);
    pods[0].health = 401;
    RUN_UNTIL(pods[0].healths == probes + 3);
    run_for(20);
    FR_AUTO(fr_json) f = facts();
    CHECK(strstr(fr_json_text(fr_json_get(fact_of(f, "b/0"), "why")), "our key"));
    end();
}

static void test_concurrency_is_learned(void)
{
    begin(1, 0);
    CHECK_INT(number_of("b/0", "room"), 4);
    pods[0].wait_ms = 5;
    for (int i = 0; i < 300; i++) {
        struct one *c = fresh(LLM_CHAT, CHAT("x"));
        while (send_one(c, "m", false, 20000) != FR_OK) {
            uv_run(&loop, UV_RUN_ONCE);
            c = fresh(LLM_CHAT, CHAT("x"));
        }
    }
    RUN_UNTIL(ended == 300);
    int grown = (int)number_of("b/0", "room");
    CHECK(grown > 8 && pods[0].most > 8);
    say_status = 429;
    pods[0].script = script_status;
    forget_all();
    struct one *c = fresh(LLM_CHAT, CHAT("x"));
    CHECK_INT(send_one(c, "m", false, 100), FR_OK);
    RUN_UNTIL(c->done);
    CHECK_INT(number_of("b/0", "room"), grown / 2);
    end();
}

static void test_a_silent_pod_is_given_up_and_gets_less(void)
{
    begin(2, 8);
    settings.backends[0].timeout_ms = 100;
    llm_pool_configure(pool, &settings);
    pods[0].script = script_silent;
    for (int i = 0; i < 8; i++) {
        struct one *c = call(CHAT("x"), false);
        CHECK(c->st == FR_OK && strcmp(c->text, "p1: x") == 0);
    }
    CHECK(number_of("b/0", "late") >= 1 && number_of("b/0", "room") <= 4);
    end();
}

// ---- which ----------------------------------------------------------------------------------------------------------

static void test_the_same_beginning_goes_to_the_same_pod(void)
{
    char body[600], first[80] = "";
    begin(3, 8);
    for (int k = 0; k < 8; k++) {
        first[0] = 0;
        for (int i = 0; i < 6; i++) {
            snprintf(body, sizeof body, "{\"messages\":[{\"role\":\"system\",\"content\":\"%d You are a patient teacher of arithmetic for children, and you never give the answer away.\"},{\"role\":\"user\",\"content\":\"%d\"}]}", k, i);
            struct one *c = call(body, false);
            if (!first[0]) snprintf(first, sizeof first, "%s", c->pod);
            CHECK_TEXT(c->pod, first);
        }
    }
    CHECK(number_of(NULL, "prefix_hits") >= 8 * 5 && pods[0].requests && pods[1].requests && pods[2].requests);
    // ... unless it is much busier than another.
    forget_all();
    for (int i = 0; i < PODS; i++) { pods[i].wait_ms = 100; pods[i].requests = 0; }
    for (int i = 0; i < 12; i++) CHECK_INT(send_one(fresh(LLM_CHAT, body), "m", false, 0), FR_OK);
    RUN_UNTIL(ended == 12);
    CHECK((pods[0].requests > 0) + (pods[1].requests > 0) + (pods[2].requests > 0) >= 2);
    end();
}

static void test_load_is_spread(void)
{
    begin(3, 8);
    for (int i = 0; i < PODS; i++) pods[i].wait_ms = 20;
    for (int i = 0; i < 18; i++) CHECK_INT(send_one(fresh(LLM_CHAT, CHAT("x")), "m", false, 0), FR_OK);
    RUN_UNTIL(ended == 18);
    for (int i = 0; i < PODS; i++) CHECK(pods[i].requests >= 3 && pods[i].most <= 8);
    end();
}

static void test_cheaper_ones_first(void)
{
    begin(1, 1);
    struct llm_backend_settings *b = &settings.backends[settings.backend_count++];
    *b = settings.backends[0];
    snprintf(b->name, sizeof b->name, "dear");
    snprintf(b->pods[0].url, sizeof b->pods[0].url, "http://127.0.0.1:%d/v1", pods[1].port);
    b->models[0].price = (struct llm_price){ 20, 60 };
    llm_pool_configure(pool, &settings);
    RUN_UNTIL(is_state("dear/0", "up"));
    for (int i = 0; i < 5; i++) CHECK_TEXT(call(CHAT("x"), false)->text, "p0: x");
    pods[0].wait_ms = 50;
    struct one *a = fresh(LLM_CHAT, CHAT("a")), *c = fresh(LLM_CHAT, CHAT("b"));
    CHECK(send_one(a, "m", false, 0) == FR_OK && send_one(c, "m", false, 0) == FR_E_BUSY);      // busy is no reason to pay more
    RUN_UNTIL(a->done);
    CHECK(llm_pool_model(pool, LLM_CHAT, "m", "")->price.answer_units == 0);
    fake_kill(&pods[0]);
    for (int i = 0; i < 6; i++) CHECK_TEXT(call(CHAT("x"), false)->text, "p1: x");
    CHECK_INT(llm_pool_model(pool, LLM_CHAT, "m", "")->price.answer_units, 60);
    end();
}

static void test_capabilities_decide(void)
{
    begin(1, 8);
    struct llm_backend_settings *b = &settings.backends[settings.backend_count++];
    *b = settings.backends[0];
    snprintf(b->name, sizeof b->name, "able");
    snprintf(b->pods[0].url, sizeof b->pods[0].url, "http://127.0.0.1:%d/v1", pods[1].port);
    b->models[0].can |= LLM_CAN_JSON;
    b->models[0].context_tokens = 100000;
    b->models[0].price = (struct llm_price){ 1, 1 };
    llm_pool_configure(pool, &settings);
    RUN_UNTIL(is_state("able/0", "up"));
    CHECK_TEXT(call("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_object\"}}", false)->text, "p1: x");
    CHECK_TEXT(call(CHAT("x"), false)->text, "p0: x");
    FR_AUTO_BUF(models);
    fr_buf_init(&models, 1 << 20);
    llm_pool_models(pool, &models);
    CHECK_TEXT(models.data, "[{\"id\":\"m\",\"object\":\"model\",\"created\":0,\"owned_by\":\"b\",\"can\":[\"chat\",\"text\",\"embed\",\"json\"],\"languages\":[],\"context\":100000,\"price\":{\"prompt\":\"0\",\"answer\":\"0\"},\"up\":true}]");
    end();
}

// ---- shards -------------------------------------------------------------------------------------------------------

static const char *inputs(int count)
{
    static struct fr_buf b;
    fr_buf_free(&b);
    fr_buf_init(&b, 1 << 20);
    fr_buf_add(&b, "{\"input\":[");
    for (int i = 0; i < count; i++) fr_buf_addf(&b, "%s\"%d %.*s\"", i ? "," : "", i, i % 9, "xxxxxxxxx");
    fr_buf_add(&b, "]}");
    return b.data;
}

static void check_embeddings(const struct one *c, int count)
{
    FR_AUTO(fr_json) json = NULL;
    CHECK(c->st == FR_OK && c->json && fr_json_parse(c->json, strlen(c->json), &json, NULL) == FR_OK);
    int no = 0;
    for (const struct fr_json *e = fr_json_child(fr_json_get(json, "data")); e; e = fr_json_next(e), no++) {
        const struct fr_json *v = fr_json_child(fr_json_get(e, "embedding"));
        CHECK(fr_json_number(fr_json_get(e, "index")) == no && fr_json_number(v) == no);
    }
    CHECK_INT(no, count);
    CHECK_INT(c->prompt, count);
}

static void test_embeddings_are_sharded_and_merged_in_order(void)
{
    begin(3, 8);
    for (int k = 0; k < 3; k++) pods[k].wait_ms = 5 * (3 - k);
    static const int counts[] = { 1, LLM_SHARD_INPUTS, LLM_SHARD_INPUTS + 1, 100, LLM_INPUTS_MAX };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct one *c = fresh(LLM_EMBED, inputs(counts[i]));
        CHECK_INT(send_one(c, "m", false, 0), FR_OK);
        RUN_UNTIL(c->done);
        check_embeddings(c, counts[i]);
        CHECK_INT(c->tries, (counts[i] + LLM_SHARD_INPUTS - 1) / LLM_SHARD_INPUTS);
    }
    for (int k = 0; k < 3; k++) CHECK(pods[k].requests > 1 && pods[k].most == 1);      // each had some, and one at a time
    end();
}

static void test_a_shard_whose_pod_dies_goes_elsewhere(void)
{
    begin(3, 8);
    for (int k = 0; k < 3; k++) pods[k].wait_ms = 30;
    struct one *c = fresh(LLM_EMBED, inputs(100));
    CHECK_INT(send_one(c, "m", false, 0), FR_OK);
    RUN_UNTIL(pods[1].running == 1);
    fake_kill(&pods[1]);
    RUN_UNTIL(c->done);
    check_embeddings(c, 100);
    int asked = pods[0].requests + pods[1].requests + pods[2].requests;
    CHECK(asked >= 8 && asked <= 7 + LLM_FAILURES_MAX);
    say_status = 400;
    pods[2].script = script_status;
    c = fresh(LLM_EMBED, inputs(100));
    CHECK_INT(send_one(c, "m", false, 0), FR_OK);
    RUN_UNTIL(c->done);
    CHECK(c->st == FR_E_INVALID && c->done == 1);                // one part is refused: all is
    end();
}

// ---- leaving, changing, ending ------------------------------------------------------------------------------------

static void test_who_leaves_leaves_the_pod_too(void)
{
    begin(1, 8);
    pods[0].script = script_silent;
    struct one *c = fresh(LLM_CHAT, CHAT("x"));
    CHECK_INT(send_one(c, "m", false, 0), FR_OK);
    RUN_UNTIL(pods[0].running == 1);
    in_call = true;
    llm_pool_cancel(c->sent);
    in_call = false;
    RUN_UNTIL(c->done && pods[0].gone_away == 1);
    CHECK(c->st == FR_E_CONFLICT && strcmp(c->err.code, "llm_cancelled") == 0 && is_state("b/0", "up"));
    pods[0].script = NULL;
    c = fresh(LLM_CHAT, CHAT("x"));
    c->cancel_at = 2;
    CHECK_INT(send_one(c, "m", true, 0), FR_OK);
    RUN_UNTIL(c->done);
    CHECK(c->st == FR_E_CONFLICT && c->count == 2 && c->streamed);
    // One that waits for its pod's "later".
    say_status = 429;
    say_headers = "Retry-After: 9\r\n";
    pods[0].script = script_status;
    c = fresh(LLM_CHAT, CHAT("x"));
    CHECK_INT(send_one(c, "m", false, 20000), FR_OK);
    RUN_UNTIL(number_of(NULL, "waiting") == 1);
    in_call = true;
    llm_pool_cancel(c->sent);
    in_call = false;
    CHECK(!c->done);
    RUN_UNTIL(c->done);
    CHECK(c->st == FR_E_CONFLICT && number_of(NULL, "waiting") == 0 && number_of(NULL, "cancelled") == 3);
    say_headers = "";
    end();
}

static void test_a_deadline_is_kept(void)
{
    begin(1, 8);
    pods[0].script = script_silent;
    struct one *c = fresh(LLM_CHAT, CHAT("x"));
    CHECK_INT(send_one(c, "m", false, 120), FR_OK);
    RUN_UNTIL(c->done);
    CHECK(c->st == FR_E_TIMEOUT && strcmp(c->err.code, "llm_deadline") == 0);
    end();
}

static void test_settings_change_under_way(void)
{
    begin(2, 8);
    for (int k = 0; k < 2; k++) pods[k].wait_ms = 60000;
    for (int i = 0; i < 8; i++) CHECK_INT(send_one(fresh(LLM_CHAT, CHAT("x")), "m", false, 0), FR_OK);
    RUN_UNTIL(pods[0].running + pods[1].running == 8);
    int asked = (int)number_of("b/0", "asked");
    settle_on(1, 8);
    snprintf(settings.backends[0].models[0].as, 10, "new");
    llm_pool_configure(pool, &settings);
    CHECK_INT(number_of("b/0", "asked"), asked);                 // who stays keeps what was learned
    FR_AUTO(fr_json) f = facts();
    CHECK(fact_of(f, "b/1") == NULL);
    memset(&settings, 0x5a, sizeof settings);                    // they may go
    for (int k = 0; k < 2; k++) fake_go(&pods[k]);
    RUN_UNTIL(ended == 8);
    for (int i = 0; i < 8; i++) CHECK_INT(calls[order[i]].st, FR_OK);          // those under way end as they began
    int before = pods[1].requests;
    for (int i = 0; i < 4; i++) CHECK_TEXT(call(CHAT("y"), false)->text, "p0: y");
    CHECK(pods[1].requests == before && strstr(pods[0].last, "\"model\":\"new\""));
    end();
}

static void test_the_engine_comes_and_goes(void)
{
    struct fake_pod engine;
    char path[64];
    begin(0, 0);
    snprintf(path, sizeof path, "/tmp/frond-pool-test-%d", getpid());
    fake_listen(&engine, "e", path);
    llm_settings_default(&settings);
    llm_pool_configure(pool, &settings);
    struct one *c = fresh(LLM_CHAT, CHAT("x"));
    CHECK(send_one(c, "smollm2-135m-instruct", false, 0) == FR_E_BUSY && strcmp(c->err.code, "llm_down") == 0 && strstr(c->err.text, "not there yet"));
    engine.health = 503;                                         // it loads its model
    llm_pool_engine(pool, path, "sk-key-engine");
    RUN_UNTIL(engine.healths >= 2);
    c = fresh(LLM_CHAT, CHAT("x"));
    CHECK(!llm_pool_ready(pool) && send_one(c, "smollm2-135m-instruct", false, 0) == FR_E_BUSY && strcmp(c->err.code, "llm_busy") == 0);
    engine.health = 200;
    RUN_UNTIL(llm_pool_ready(pool));
    c = fresh(LLM_CHAT, CHAT("x"));
    CHECK_INT(send_one(c, "smollm2-135m-instruct", true, 0), FR_OK);
    RUN_UNTIL(c->done);
    CHECK(c->st == FR_OK && strcmp(c->deltas.data, "e: x") == 0 && strcmp(engine.key, "sk-key-engine") == 0 && strcmp(c->pod, "engine/0") == 0);
    llm_pool_configure(pool, &settings);
    CHECK(llm_pool_ready(pool));                                 // new settings do not take it away
    llm_pool_engine(pool, NULL, NULL);
    CHECK(!llm_pool_ready(pool));
    fake_kill(&engine);
    end();
    unlink(path);
}

static void test_a_stop_ends_every_call(void)
{
    begin(2, 8);
    pods[0].script = pods[1].script = script_silent;
    for (int i = 0; i < 10; i++) CHECK_INT(send_one(fresh(LLM_CHAT, CHAT("x")), "m", false, 0), FR_OK);
    stopped = false;
    llm_pool_stop(pool, on_stopped, NULL);
    CHECK(ended == 0 && !stopped);
    RUN_UNTIL(stopped);
    CHECK_INT(ended, 10);
    for (int i = 0; i < 10; i++) CHECK_TEXT(calls[order[i]].err.code, "client_stopped");
    llm_pool_free(pool);
    for (int i = 0; i < PODS; i++) fake_kill(&pods[i]);
    forget_all();
    world_end();
}

// ---- many ---------------------------------------------------------------------------------------------------------

static void test_one_pod_is_killed_under_many_calls_and_none_is_lost_or_answered_twice(void)
{
    char body[100], want[20];
    int sent = 0;
    begin(2, 16);
    pods[0].wait_ms = pods[1].wait_ms = 2;
    while (sent < CALLS - 1) {
        snprintf(body, sizeof body, CHAT("%d"), sent);
        struct one *c = fresh(LLM_CHAT, body);
        if (send_one(c, "m", sent % 3 == 0, 20000) == FR_OK) sent++;
        else uv_run(&loop, UV_RUN_ONCE);
        if (sent == CALLS / 2 && pods[1].port) {
            fake_kill(&pods[1]);
            pods[1].port = 0;
        }
    }
    RUN_UNTIL(ended == sent);
    int fine = 0, cut = 0, retried = (int)number_of(NULL, "retried");
    for (int i = 0; i < CALLS; i++) {
        if (!calls[i].done) continue;
        CHECK_INT(calls[i].done, 1);
        if (calls[i].st == FR_OK) fine++;
        else cut += calls[i].streamed;     // a stream that was cut is told so: it cannot be taken back
        if (calls[i].st != FR_OK) CHECK(calls[i].streamed);
        else {
            snprintf(want, sizeof want, "%s", strchr(calls[i].text, ' ') + 1);
            CHECK(strtol(want, NULL, 10) >= 0 && strlen(want) > 0);
        }
    }
    CHECK_INT(fine + cut, sent);
    CHECK(retried > 0 && retried < 40 && is_state("b/1", "down"));
    end();
}

static void test_metrics_are_told(void)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1 << 20);
    begin(2, 8);
    call(CHAT("x"), false);
    llm_pool_metrics(pool, &b);
    CHECK(strstr(b.data, "frond_llm_pod_up{pod=\"b/0\"} 1\n") && strstr(b.data, "# TYPE frond_llm_pod_asked_total counter\n") && strstr(b.data, "frond_llm_retried_total 0\n"));
    end();
}

int main(void)
{
    TEST(test_a_call_goes_to_a_pod_and_comes_back);
    TEST(test_nobody_can_or_nobody_is_there);
    TEST(test_full_pods_are_waited_for);
    TEST(test_what_failed_is_tried_elsewhere_and_counted);
    TEST(test_three_tries_at_most);
    TEST(test_what_was_streamed_is_not_tried_again);
    TEST(test_a_request_that_is_at_fault_is_not_tried_again);
    TEST(test_no_room_there_is_room_elsewhere_or_later);
    TEST(test_a_pod_that_comes_back_is_tried_by_one_call);
    TEST(test_a_probe_that_fails_keeps_it_away_and_is_made_less_often);
    TEST(test_concurrency_is_learned);
    TEST(test_a_silent_pod_is_given_up_and_gets_less);
    TEST(test_the_same_beginning_goes_to_the_same_pod);
    TEST(test_load_is_spread);
    TEST(test_cheaper_ones_first);
    TEST(test_capabilities_decide);
    TEST(test_embeddings_are_sharded_and_merged_in_order);
    TEST(test_a_shard_whose_pod_dies_goes_elsewhere);
    TEST(test_who_leaves_leaves_the_pod_too);
    TEST(test_a_deadline_is_kept);
    TEST(test_settings_change_under_way);
    TEST(test_the_engine_comes_and_goes);
    TEST(test_a_stop_ends_every_call);
    TEST(test_one_pod_is_killed_under_many_calls_and_none_is_lost_or_answered_twice);
    TEST(test_metrics_are_told);
    return TEST_END();
}
