// llm_test.c — the whole core over pods that lie, die and dawdle: none lost, none answered twice, no budget over by one token, fair between a flood and a trickle, one flight for identical calls, nothing seen
// by others. CALLS=100000 ROUNDS=.. make the long run by hand.
#include "llm/test_pod.h"
#include "llm/batch.h"
#include "llm/budget.h"
#include "llm/record.h"
#include <stdio.h>
#include <unistd.h>

static struct fake_pod pods[2];
static struct llm_settings *settings;
static struct llm *llm;
static struct store *store;
static char folder[64];

// ---- a meter in memory: everybody has enough
static int64_t slab_units, slab_spent[200000], earned; static int slab_count, slabs_open;
struct granted { uv_timer_t timer; llm_slab_fn *done; void *arg; int64_t slab, units; };
static void granted_free(uv_handle_t *h) { free(h->data); }
static void on_granted(uv_timer_t *t) { struct granted *g = t->data; g->done(g->arg, FR_OK, g->slab, g->units, NULL); uv_close((uv_handle_t *)t, granted_free); }
static enum fr_status meter_reserve(void *arg, const char *payer, const char *tenant, int64_t least, int64_t wish, llm_slab_fn *done, void *done_arg, struct fr_err *err)
{
    struct granted *g = calloc(1, sizeof *g);
    (void)arg, (void)payer, (void)tenant, (void)least, (void)err;
    *g = (struct granted){ .done = done, .arg = done_arg, .slab = ++slab_count, .units = wish };
    slab_units += wish;
    slabs_open++;
    slab_spent[g->slab] = 0;
    uv_timer_init(&loop, &g->timer);
    g->timer.data = g;
    uv_timer_start(&g->timer, on_granted, 0, 0);
    return FR_OK;
}
static void meter_settle(void *arg, int64_t slab, int64_t spent, bool end)
{
    (void)arg;
    CHECK(spent >= slab_spent[slab]);
    slab_spent[slab] = spent;
    if (end) earned += spent, slabs_open--;
}
static const struct llm_meter meter = { .reserve = meter_reserve, .settle = meter_settle };

// ---- the world

static void backend(int no, const struct fake_pod *pod, int concurrency)
{
    struct llm_backend_settings *b = &settings->backends[no];
    *b = (struct llm_backend_settings){ .pod_count = 1, .model_count = 1 };
    snprintf(b->name, sizeof b->name, "b%d", no);
    snprintf(b->pods[0].url, sizeof b->pods[0].url, "http://127.0.0.1:%d/v1", pod->port);
    b->pods[0].concurrency = concurrency;
    struct llm_model_settings *m = &b->models[0];
    snprintf(m->name, sizeof m->name, "m");
    snprintf(m->languages, sizeof m->languages, "*");
    m->can = LLM_CAN_CHAT | LLM_CAN_TEXT | LLM_CAN_EMBED | LLM_CAN_JSON | LLM_CAN_LOGPROBS;
    m->context_tokens = 100000;
    settings->backend_count = no + 1;
}

static void begin(int count, int concurrency)
{
    struct net_client_options o = { .loop = &loop, .connections = { 600 }, .connections_per_host = { 300 }, .calls = { 4096 } };
    uv_loop_init(&loop);
    CHECK(net_client_start(&o, &client, NULL) == FR_OK);
    *settings = (struct llm_settings){ .cache_bytes = 1 << 20, .cache_ttl_ms = 60000, .queue_most = 2048 };
    snprintf(settings->default_model, sizeof settings->default_model, "m");
    snprintf(settings->asset, sizeof settings->asset, "PALM");
    for (int i = 0; i < count; i++) fake_listen(&pods[i], i ? "two" : "one", NULL), backend(i, &pods[i], concurrency);
    slab_units = earned = slab_count = slabs_open = 0;
    snprintf(folder, sizeof folder, "/tmp/frond-llm-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    struct store_options so = { .folder = folder, .loop = &loop };
    struct fr_err err;
    CHECK(store_open(&so, &store, &err) == FR_OK);
}

static void start(const struct llm_meter *m)
{
    struct llm_options o = { .loop = &loop, .client = client, .store = store, .settings = settings, .meter = m };
    struct fr_err err;
    CHECK(llm_open(&o, &llm, &err) == FR_OK);
    RUN_UNTIL(llm_is_ready(llm));
}

static void on_stopped(void *arg) { *(bool *)arg = true; }
static void stop(void)
{
    bool stopped = false;
    llm_stop(llm, on_stopped, &stopped);
    RUN_UNTIL(stopped);
}

static void end(void)
{
    char command[100];
    for (int i = 0; i < 2; i++) if (pods[i].port) fake_kill(&pods[i]), pods[i].port = 0;
    net_client_stop(client, NULL, NULL);
    store_close(store);
    uv_run(&loop, UV_RUN_DEFAULT);
    llm_free(llm);
    llm = NULL;
    CHECK_INT(uv_loop_close(&loop), 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    CHECK(system(command) == 0);
}

// ---- one call

struct call { struct llm_call *c; int done, deltas, no; enum fr_status st; char code[40], json[1024], text[512], streamed_text[512], finish[24], record[40]; bool cached, streamed, in_call; int64_t prompt, answer, cost, total_ms; };

static void on_delta(void *arg, struct llm_call *call, const struct llm_delta *d)
{
    struct call *c = arg;
    struct fr_err err;
    (void)call;
    CHECK(!c->done && !c->in_call && fr_json_check(d->json, d->json_len, &err) == FR_OK);
    c->deltas++;
    size_t len = strlen(c->streamed_text);
    snprintf(c->streamed_text + len, sizeof c->streamed_text - len, "%.*s", (int)d->text_len, d->text);
}

static void on_done(void *arg, enum fr_status st, const struct llm_end *e, const struct fr_err *err)
{
    struct call *c = arg;
    c->done++;
    c->c = NULL;
    c->st = st;
    CHECK(!c->in_call && (st == FR_OK) == (err == NULL) && (st == FR_OK) == (e->json != NULL));
    snprintf(c->code, sizeof c->code, "%s", err ? err->code : "");
    snprintf(c->json, sizeof c->json, "%s", e->json ? e->json : "");
    snprintf(c->text, sizeof c->text, "%s", e->text);
    snprintf(c->finish, sizeof c->finish, "%s", e->finish);
    snprintf(c->record, sizeof c->record, "%s", e->record);
    c->cached = e->cached, c->streamed = e->streamed, c->prompt = e->prompt_tokens, c->answer = e->answer_tokens, c->cost = e->cost_units, c->total_ms = e->total_ms;
}

static const struct llm_from quiz = { "plugin:quiz", "plugin:quiz", "" };
static enum fr_status ask(struct call *c, const struct llm_from *from, const char *question, const char *more, bool stream, struct fr_err *err)
{
    char body[700];
    snprintf(body, sizeof body, "{\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]%s}", question, more);
    *c = (struct call){ .in_call = true, .no = c->no };
    struct llm_ask a = { .kind = LLM_CHAT, .from = *from, .body = body, .body_len = strlen(body), .deadline_ms = 20000, .on_delta = stream ? on_delta : NULL, .done = on_done, .arg = c };
    enum fr_status st = llm_start(llm, &a, &c->c, err);
    c->in_call = false;
    return st;
}
static void must_ask(struct call *c, const struct llm_from *from, const char *question, const char *more, bool stream)
{
    struct fr_err err;
    CHECK(ask(c, from, question, more, stream, &err) == FR_OK);
}

static void test_an_answer_comes_whole_and_streamed(void)
{
    struct call a = { 0 }, b = { 0 }, x = { 0 };
    struct fr_err err;
    begin(1, 0);
    start(NULL);
    must_ask(&a, &quiz, "hi", "", false);
    must_ask(&b, &quiz, "hi", "", true);
    RUN_UNTIL(a.done && b.done);
    CHECK_TEXT(a.text, "one: hi");
    CHECK_TEXT(b.text, "one: hi");
    CHECK_TEXT(b.streamed_text, "one: hi");
    CHECK(a.prompt == 5 && a.answer == 3 && a.cost == 0 && !a.cached && !a.streamed && b.streamed && b.deltas > 1);
    CHECK(ask(&x, &quiz, "hi", ",\"model\":\"nobody\"", false, &err) == FR_E_NOT_FOUND && strcmp(err.code, "model_unknown") == 0);
    CHECK(ask(&x, &quiz, "hi", ",\"modell\":1", false, &err) == FR_E_INVALID && strcmp(err.code, "llm_request") == 0);
    stop();
    end();
}

// ---- one flight for identical calls

static void test_identical_calls_share_a_flight_and_the_cache_and_others_do_not(void)
{
    static const struct llm_from player7 = { "plugin:quiz", "plugin:quiz", "7" }, other_plugin = { "plugin:b", "plugin:b", "" };
    struct call same[12] = { 0 }, p7 = { 0 }, b = { 0 }, warm = { 0 }, late = { 0 };
    begin(1, 0);
    pods[0].wait_ms = 60000;
    start(NULL);
    for (int i = 0; i < 12; i++) must_ask(&same[i], &quiz, "q", ",\"temperature\":0", i % 2);
    must_ask(&p7, &player7, "q", ",\"temperature\":0", false);
    must_ask(&b, &other_plugin, "q", ",\"temperature\":0", false);
    must_ask(&warm, &quiz, "q", ",\"temperature\":0.7", false);
    RUN_UNTIL(pods[0].requests == 4);
    llm_cancel(same[0].c);                                         // who asked first leaves; the others go on
    fake_go(&pods[0]);
    for (int i = 0; i < 12; i++) RUN_UNTIL(same[i].done);
    RUN_UNTIL(p7.done && b.done && warm.done);
    CHECK_INT(pods[0].requests, 4);
    CHECK_TEXT(same[0].code, "llm_cancelled");
    for (int i = 1; i < 12; i++) {
        CHECK_TEXT(same[i].text, "one: q");
        CHECK(same[i].done == 1 && same[i].cached && same[i].streamed == (i % 2));
        if (i % 2) CHECK_TEXT(same[i].streamed_text, "one: q");
    }
    CHECK(!p7.cached && !b.cached && !warm.cached);
    must_ask(&late, &quiz, "q", ",\"temperature\":0", true);
    RUN_UNTIL(late.done);
    CHECK(late.cached && late.streamed && late.deltas == 1 && late.cost == 0 && pods[0].requests == 4);
    CHECK_TEXT(late.streamed_text, "one: q");
    must_ask(&late, &player7, "other", ",\"temperature\":0", true);
    RUN_UNTIL(late.done);
    CHECK_INT(pods[0].requests, 5);
    stop();
    end();
}

// ---- cancelling

static void test_cancelling_and_deadlines_reach_the_backend(void)
{
    struct call a = { 0 }, b = { 0 }, queued[3] = { 0 };
    struct llm_ask q = { .kind = LLM_CHAT, .from = quiz, .body = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", .body_len = 47, .deadline_ms = 150, .done = on_done, .arg = &b };
    struct fr_err err;
    q.body_len = strlen(q.body);
    begin(1, 1);
    pods[0].wait_ms = 60000;
    start(NULL);
    must_ask(&a, &quiz, "slow", "", true);
    for (int i = 0; i < 3; i++) must_ask(&queued[i], &quiz, "waits", "", false);
    RUN_UNTIL(pods[0].requests == 1);
    llm_cancel(queued[1].c);
    RUN_UNTIL(queued[1].done);
    CHECK_TEXT(queued[1].code, "llm_cancelled");
    llm_cancel(a.c);
    llm_cancel(a.c ? a.c : NULL);
    RUN_UNTIL(a.done && pods[0].gone_away == 1);
    CHECK_TEXT(a.code, "llm_cancelled");
    pods[0].wait_ms = 0;
    RUN_UNTIL(pods[0].requests >= 2);                              // its place is given to the next
    for (int i = 0; i < 3; i++) if (queued[i].c) llm_cancel(queued[i].c);
    for (int i = 0; i < 3; i++) RUN_UNTIL(queued[i].done == 1);
    pods[0].wait_ms = 60000;
    CHECK(llm_start(llm, &q, &b.c, &err) == FR_OK);
    RUN_UNTIL(b.done);
    CHECK_TEXT(b.code, "llm_deadline");
    must_ask(&a, &quiz, "slow", "", false);
    must_ask(&b, &quiz, "slow", "", false);
    stop();
    CHECK(a.done == 1 && b.done == 1);
    CHECK_TEXT(a.code, "client_stopped");
    end();
}

// ---- filters

static void leaky_event(struct fake_conn *c)
{
    static const char *const pieces[] = { "the key is sk-abc", "defghijklmnopqrstuv", "wxyz ok", " and then forb", "idden things", " go on", NULL };
    if (c->step == 0) fake_say(c, "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
    const char *piece = pieces[c->step++];
    char event[300], chunk[400];
    if (piece) snprintf(event, sizeof event, "data: {\"id\":\"s\",\"created\":5,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}\n\n", piece);
    else snprintf(event, sizeof event, "data: {\"id\":\"s\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    snprintf(chunk, sizeof chunk, "%zx\r\n%s\r\n%s", strlen(event), event, piece ? "" : "0\r\n\r\n");
    fake_say(c, chunk);
    if (piece) fake_later(c, c->step == 6 ? 500 : 5, leaky_event);      // whoever was refused is gone before it goes on
    else fake_done(c);
}

static void leaky(struct fake_conn *c, const char *path, const struct fr_json *question)
{
    (void)path;
    if (fr_json_is_true(fr_json_get(question, "stream"))) { leaky_event(c); return; }
    fake_answer(c, 200, "", "application/json", "{\"id\":\"w\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"the key is sk-abcdefghijklmnopqrstuvwxyz ok and then forbidden things go on\"},\"finish_reason\":\"stop\"}]}");
}

static void test_filters_work_on_streams_and_wholes_alike(void)
{
    struct call s = { 0 }, w = { 0 }, x = { 0 };
    struct fr_err err;
    for (int refuse = 0; refuse < 2; refuse++) {
        const char *want = refuse ? "the key is [hidden] ok and then " : "the key is [hidden] ok and then forbidden things go on";
        begin(1, 0);
        pods[0].script = leaky;
        settings->hide_secrets = true;
        snprintf(settings->refused_words, sizeof settings->refused_words, "%s", refuse ? "forbidden" : "");
        start(NULL);
        must_ask(&s, &quiz, "a", "", true);
        must_ask(&w, &quiz, "a", "", false);
        RUN_UNTIL(s.done && w.done);
        CHECK(s.st == FR_OK && w.st == FR_OK);
        CHECK_TEXT(s.streamed_text, want);
        CHECK_TEXT(s.text, want);
        CHECK_TEXT(w.text, want);
        CHECK_TEXT(s.finish, refuse ? "content_filter" : "stop");
        CHECK_TEXT(w.finish, refuse ? "content_filter" : "stop");
        if (refuse) {
            CHECK(ask(&x, &quiz, "say Forbidden", "", false, &err) == FR_E_DENIED && strcmp(err.code, "llm_refused") == 0);
            RUN_UNTIL(pods[0].gone_away == 1);                     // the rest of that stream is nobody's
        }
        stop();
        end();
    }
}

// ---- thousands, 256 at once

// A usage that lies: nothing, nonsense, too much, too little.
static void lying(struct fake_conn *c, const char *path, const struct fr_json *question)
{
    static const char *const usages[] = { "", ",\"usage\":{\"prompt_tokens\":999999999,\"completion_tokens\":999999999}", ",\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}", ",\"usage\":{\"prompt_tokens\":-5,\"completion_tokens\":1e300}",
                                          ",\"usage\":\"none\"", ",\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":6}" };
    char body[600];
    (void)path;
    snprintf(body, sizeof body, "{\"id\":\"w\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s: %s\"},\"finish_reason\":\"stop\"}]%s}", c->pod->name, fake_question(question), usages[c->pod->requests % 6]);
    fake_answer(c, 200, "", "application/json", body);
}

static int crowd_next, crowd_total, crowd_running, crowd_good, crowd_limited, crowd_wrong, crowd_failed;
static int64_t crowd_tokens, crowd_cost;
static unsigned char *crowd_done;
struct member { int no; };
static void crowd_ask(void);

static void crowd_answered(void *arg, enum fr_status st, const struct llm_end *e, const struct fr_err *err)
{
    int no = (int)(intptr_t)arg;
    char want[40];
    snprintf(want, sizeof want, ": number %d.", no);
    crowd_running--;
    crowd_wrong += crowd_done[no]++ != 0;
    if (st == FR_OK) {
        crowd_good++;
        crowd_wrong += !strstr(e->text, want);
        crowd_tokens += e->prompt_tokens + e->answer_tokens;
        crowd_cost += e->cost_units;
    } else {
        crowd_failed++;
        if (crowd_failed < 4) printf("  %d: %s: %s\n", no, err->code, err->text);
    }
    crowd_ask();
}

static void crowd_ask(void)
{
    while (crowd_running < 256 && crowd_next < crowd_total) {
        char body[200];
        struct fr_err err;
        int no = crowd_next++;
        snprintf(body, sizeof body, "{\"messages\":[{\"role\":\"user\",\"content\":\"number %d.\"}],\"max_tokens\":%d}", no, 10 + no % 40);
        struct llm_ask a = { .kind = LLM_CHAT, .from = { "plugin:crowd", "player:3", "3" }, .body = body, .body_len = strlen(body), .done = crowd_answered, .arg = (void *)(intptr_t)no };
        enum fr_status st = llm_start(llm, &a, NULL, &err);
        if (st == FR_OK) { crowd_running++; continue; }
        crowd_done[no]++;
        if (strcmp(err.code, "llm_budget") == 0) crowd_limited++;
        else crowd_failed++;
    }
}

static void crowd(int total)
{
    crowd_next = crowd_running = crowd_good = crowd_limited = crowd_wrong = crowd_failed = 0;
    crowd_tokens = crowd_cost = 0;
    crowd_total = total;
    crowd_done = calloc((size_t)total, 1);
    crowd_ask();
}

static void test_10000_calls_256_at_once_over_liars_one_of_which_dies(void)
{
    struct llm_budget_view view;
    int total = getenv("CALLS") ? atoi(getenv("CALLS")) : 10000;
    begin(2, 64);
    pods[0].script = pods[1].script = lying;
    for (int i = 0; i < 2; i++) settings->backends[i].models[0].price = (struct llm_price){ 1000, 2000 };
    settings->plugin.tokens_day = 40LL * total / 2;                // enough for about half of what they may say, more of what they do
    start(&meter);
    crowd(total);
    RUN_UNTIL(crowd_next > total / 4 || crowd_running == 0);
    fake_kill(&pods[1]);
    int64_t until = fr_mono_ms() + 300000;
    while (crowd_running > 0 && fr_mono_ms() < until) uv_run(&loop, UV_RUN_ONCE);
    int answered_twice = 0, lost = 0;
    for (int i = 0; i < total; i++) answered_twice += crowd_done[i] > 1, lost += crowd_done[i] == 0;
    llm_left(llm, "plugin:crowd", &view);
    printf("# %d calls: %d answered, %d over the day's budget, %d failed; tokens %lld of %lld, left %lld; %d slabs\n", total, crowd_good, crowd_limited, crowd_failed, (long long)crowd_tokens, (long long)settings->plugin.tokens_day,
           (long long)view.tokens_left_day, slab_count);
    CHECK_INT(answered_twice, 0);
    CHECK_INT(lost, 0);
    CHECK_INT(crowd_wrong, 0);
    CHECK_INT(crowd_failed, 0);
    CHECK(crowd_good > 0 && crowd_tokens <= settings->plugin.tokens_day);
    CHECK_INT(view.tokens_left_day, settings->plugin.tokens_day - crowd_tokens);       // to the token
    stop();
    CHECK_INT(slabs_open, 0);
    CHECK_INT(earned, crowd_cost);                                                      // to the unit
    free(crowd_done);
    end();
}

// ---- fair

static int flood_done, flood_at_trickle[200], trickle_done;
static void flood_answered(void *arg, enum fr_status st, const struct llm_end *e, const struct fr_err *err) { (void)arg, (void)e, (void)err; CHECK(st == FR_OK); flood_done++; }
static void trickle_answered(void *arg, enum fr_status st, const struct llm_end *e, const struct fr_err *err) { (void)arg, (void)e, (void)err; CHECK(st == FR_OK); flood_at_trickle[trickle_done++] = flood_done; }

static void test_a_flood_of_1000_does_not_drown_a_trickle(void)
{
    char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"max_tokens\":20}";
    struct llm_ask flood = { .kind = LLM_CHAT, .from = { "plugin:flood", "plugin:flood", "" }, .body = body, .body_len = strlen(body), .done = flood_answered }, trickle = flood;
    struct fr_err err;
    begin(1, 4);
    pods[0].wait_ms = 2;
    start(NULL);
    snprintf(trickle.from.tenant, sizeof trickle.from.tenant, "plugin:trickle");
    trickle.done = trickle_answered;
    flood_done = trickle_done = 0;
    int asked = 0, worst = 0, refused = 0;
    for (int i = 0; i < 20; i++) {
        int before = flood_done;
        while (asked < 1000 && llm_start(llm, &flood, NULL, &err) == FR_OK) asked++;
        refused += asked < 1000 && strcmp(err.code, "llm_queue_full") == 0;
        CHECK(llm_start(llm, &trickle, NULL, &err) == FR_OK);
        RUN_UNTIL(trickle_done == i + 1);
        if (flood_at_trickle[i] - before > worst) worst = flood_at_trickle[i] - before;
        for (int until = flood_done + 10; flood_done < until && flood_done < asked;) uv_run(&loop, UV_RUN_ONCE);
    }
    while (asked < 1000) { if (llm_start(llm, &flood, NULL, &err) == FR_OK) asked++; else uv_run(&loop, UV_RUN_ONCE); }
    RUN_UNTIL(flood_done == 1000);
    printf("# a pod of 4 places, a flood of 1000 (never more than %d waiting): each of 20 calls of the trickle was passed by at most %d of the flood's\n", LLM_QUEUE_TENANT_MAX, worst);
    CHECK(refused > 0);
    CHECK(worst <= 16);                                            // the four that were being answered, and what the other places did meanwhile; in order of arrival it would be 256
    stop();
    end();
}

// ---- batches

static int told, told_good, told_wrong, batches_done;
static void batch_body(void *arg, int no, struct fr_buf *out) { (void)arg; fr_buf_addf(out, no == 37 ? "{\"nonsense\":%d}" : "{\"messages\":[{\"role\":\"user\",\"content\":\"n%d.\"}]}", no); }
static void batch_each(void *arg, int no, enum fr_status st, const struct llm_end *e, const struct fr_err *err)
{
    char want[20];
    snprintf(want, sizeof want, ": n%d.", no);
    told_wrong += no != told++ || (st == FR_OK ? !strstr(e->text, want) : no != 37 || strcmp(err->code, "llm_request") != 0);
    told_good += st == FR_OK;
    if (arg && told == 40) llm_batch_cancel(*(struct llm_batch **)arg);
}
static void batch_done(void *arg) { (void)arg; batches_done++; }

static void test_a_batch_over_two_pods_is_told_in_order_though_one_dies(void)
{
    struct llm_ask common = { .kind = LLM_CHAT, .from = quiz, .priority = 2 };
    struct llm_batch_ask ask = { .common = &common, .count = 600, .at_once = 300, .body = batch_body, .each = batch_each, .done = batch_done };
    struct llm_batch *b = NULL;
    struct fr_err err;
    begin(2, 4);
    pods[0].wait_ms = 3, pods[1].wait_ms = 1;
    start(NULL);
    told = told_good = told_wrong = batches_done = 0;
    CHECK(llm_batch_start(llm, &ask, &b, &err) == FR_OK && told == 0);         // 300 at once, though a tenant may have 256 waiting
    RUN_UNTIL(told > 100);
    fake_kill(&pods[1]);
    RUN_UNTIL(batches_done == 1);
    CHECK(told == 600 && told_good == 599 && told_wrong == 0);
    told = told_good = 0;
    ask.arg = &b;
    CHECK(llm_batch_start(llm, &ask, &b, &err) == FR_OK);
    RUN_UNTIL(batches_done == 2);
    CHECK(told == 40 && told_wrong == 0);
    stop();
    end();
}

// ---- records

static int records_seen; static char seen_text[4000];
static void on_record(void *arg, const struct llm_record_row *r)
{
    (void)arg;
    records_seen++;
    snprintf(seen_text, sizeof seen_text, "%s|%s|%s|%s", r->tenant, r->request ? r->request : "-", r->answer ? r->answer : "-", r->events ? r->events : "-");
}
static enum fr_status look_job(struct store_txn *txn, void *arg, struct fr_err *err) { return llm_record_get(txn, arg, on_record, NULL, err); }
static enum fr_status list_job(struct store_txn *txn, void *arg, struct fr_err *err) { (void)arg; return llm_record_list(txn, "plugin:quiz", "", 10, on_record, NULL, err); }
static enum fr_status usage_job(struct store_txn *txn, void *arg, struct fr_err *err) { return llm_usage_list(txn, 0, "plugin:quiz", arg, err); }

static int over_done, over_kept;
static void over_answered(void *arg, enum fr_status st, const struct llm_end *e, const struct fr_err *err) { (void)arg, (void)err; CHECK(st == FR_OK); over_done++; over_kept += e->record[0] != 0; }
static uv_sem_t stuck;
static enum fr_status job_stuck(struct store_txn *txn, void *arg, struct fr_err *err) { (void)txn, (void)arg, (void)err; uv_sem_wait(&stuck); return FR_OK; }

// A store that stands still: one batch is on its way to it, one more is kept in memory; what is past that is answered all the same, and lost as a record.
static void test_records_past_their_bound_are_lost_and_calls_are_not(void)
{
    char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}";
    struct llm_ask a = { .kind = LLM_CHAT, .from = quiz, .body = body, .body_len = strlen(body), .keep = true, .done = over_answered };
    struct fr_err err;
    begin(1, 64);
    start(NULL);
    uv_sem_init(&stuck, 0);
    CHECK(store_run(store, job_stuck, NULL, NULL, &err) == FR_OK);
    over_done = over_kept = 0;
    for (int i = 0; i < 3 * LLM_RECORDS_WAITING_MAX; i++) while (llm_start(llm, &a, NULL, &err) != FR_OK) uv_run(&loop, UV_RUN_ONCE);
    RUN_UNTIL(over_done == 3 * LLM_RECORDS_WAITING_MAX);
    uv_sem_post(&stuck);
    CHECK(over_kept >= LLM_RECORDS_WAITING_MAX && over_kept <= 2 * LLM_RECORDS_WAITING_MAX);
    stop();
    uv_sem_destroy(&stuck);
    end();
}

static void test_a_record_answers_again_byte_for_byte_without_a_pod(void)
{
    struct call first = { 0 }, again = { 0 }, by_request = { 0 }, other = { 0 };
    char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", another[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"ho\"}]}";
    struct llm_ask a = { .kind = LLM_CHAT, .from = quiz, .body = body, .body_len = strlen(body), .keep = true, .on_delta = on_delta, .done = on_done, .arg = &first };
    struct fr_err err;
    begin(1, 0);
    start(NULL);
    CHECK(llm_start(llm, &a, NULL, &err) == FR_OK);
    RUN_UNTIL(first.done);
    stop();
    llm_free(llm);
    fake_kill(&pods[0]);                                           // no pod is needed
    struct llm_options o = { .loop = &loop, .client = client, .store = store, .settings = settings };
    CHECK(llm_open(&o, &llm, &err) == FR_OK);
    a.keep = false, a.replay = first.record, a.arg = &again;
    CHECK(llm_start(llm, &a, NULL, &err) == FR_OK && again.done == 0);
    a.replay = "", a.arg = &by_request, a.on_delta = NULL;
    CHECK(llm_start(llm, &a, NULL, &err) == FR_OK);
    RUN_UNTIL(again.done && by_request.done);
    CHECK(again.st == FR_OK && again.deltas == first.deltas && again.cached && again.cost == 0);
    CHECK_TEXT(again.streamed_text, first.streamed_text);
    CHECK_TEXT(again.text, first.text);
    CHECK_TEXT(again.json, first.json);
    CHECK_TEXT(by_request.json, first.json);
    a.body = another, a.replay = first.record, a.arg = &other;
    CHECK(llm_start(llm, &a, NULL, &err) == FR_OK);
    RUN_UNTIL(other.done);
    CHECK_TEXT(other.code, "record_other");
    a.replay = "";
    CHECK(llm_start(llm, &a, NULL, &err) == FR_OK);
    RUN_UNTIL(other.done == 2);
    CHECK_TEXT(other.code, "record_unknown");
    stop();
    end();
}

static void test_records_are_kept_by_consent_and_redacted(void)
{
    struct call plain = { 0 }, kept = { 0 }, all = { 0 };
    char body[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"mail a@example.com\"}]}";
    struct llm_ask a = { .kind = LLM_CHAT, .from = quiz, .body = body, .body_len = strlen(body), .keep = true, .on_delta = on_delta, .done = on_done, .arg = &kept };
    struct fr_err err;
    FR_AUTO_BUF(usage);
    fr_buf_init(&usage, 10000);
    begin(1, 0);
    start(NULL);
    must_ask(&plain, &quiz, "hi", "", false);
    CHECK(llm_start(llm, &a, NULL, &err) == FR_OK);
    RUN_UNTIL(plain.done && kept.done);
    CHECK(!plain.record[0] && kept.record[0]);
    settings->record = LLM_RECORD_ALL;
    must_ask(&all, &quiz, "mail a@example.com", "", false);
    RUN_UNTIL(all.done);
    stop();
    records_seen = 0;
    CHECK(store_now(store, list_job, NULL, &err) == FR_OK && records_seen == 2);
    CHECK(store_now(store, look_job, kept.record, &err) == FR_OK && strstr(seen_text, "plugin:quiz") && strstr(seen_text, "a@example.com") && strstr(seen_text, "one: mail") && strstr(seen_text, "|[["));
    CHECK(store_now(store, look_job, all.record, &err) == FR_OK && !strstr(seen_text, "a@example.com") && strstr(seen_text, "one: mail [hidden]"));
    CHECK(store_now(store, look_job, "nobody", &err) == FR_E_NOT_FOUND && strcmp(err.code, "record_unknown") == 0);
    CHECK(store_now(store, usage_job, &usage, &err) == FR_OK && strstr(usage.data, "\"calls\":3,\"failed\":0,\"prompt_tokens\":15,\"answer_tokens\":9"));
    end();
}

// ---- memory

static long resident_kib(void)
{
    long pages = 0, size;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%ld %ld", &size, &pages) != 2) pages = 0;
    if (f) fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

// By hand: ROUNDS=20 CALLS=5000 with a release build; what is allocated and not freed is found by the sanitizers in a short one.
static void test_memory_stays_as_it_was(void)
{
    int rounds = getenv("ROUNDS") ? atoi(getenv("ROUNDS")) : 3, calls = getenv("ROUNDS") ? 5000 : 300;
    long first = 0, last = 0;
    begin(2, 64);
    pods[0].script = pods[1].script = lying;
    start(NULL);
    for (int i = 0; i < rounds; i++) {
        crowd(calls);
        while (crowd_running > 0) uv_run(&loop, UV_RUN_ONCE);
        CHECK_INT(crowd_good, calls);
        free(crowd_done);
        last = resident_kib();
        if (i == 1) first = last;
    }
    printf("# %d calls: resident %ld KiB after the second round, %ld KiB after the last\n", rounds * calls, first, last);
    stop();
    end();
}

int main(void)
{
    settings = fr_must_alloc(sizeof *settings);
    llm_register();
    TEST(test_an_answer_comes_whole_and_streamed);
    TEST(test_identical_calls_share_a_flight_and_the_cache_and_others_do_not);
    TEST(test_cancelling_and_deadlines_reach_the_backend);
    TEST(test_filters_work_on_streams_and_wholes_alike);
    TEST(test_10000_calls_256_at_once_over_liars_one_of_which_dies);
    TEST(test_a_flood_of_1000_does_not_drown_a_trickle);
    TEST(test_a_batch_over_two_pods_is_told_in_order_though_one_dies);
    TEST(test_records_past_their_bound_are_lost_and_calls_are_not);
    TEST(test_a_record_answers_again_byte_for_byte_without_a_pod);
    TEST(test_records_are_kept_by_consent_and_redacted);
    TEST(test_memory_stays_as_it_was);
    fr_free(settings);
    return TEST_END();
}
