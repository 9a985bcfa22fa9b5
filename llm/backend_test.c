// backend_test.c — one exchange with a pod: what is asked, what is understood, and what every wrong answer is called.
#include "llm/backend.h"
#include "llm/test_pod.h"

#define KEY "sk-0123456789secret"

static struct fake_pod pod;
static struct got {
    int done; enum fr_status st; enum llm_fate fate; struct fr_err err; struct fr_buf json; bool streamed, silent; int64_t retry_after_ms, prompt, answer; int deltas; struct fr_buf events, text; int cancel_at, pause_at; bool in_call;
} got;
static struct llm_exchange *exchange;
static struct llm_request request;

static void on_delta(void *arg, const struct llm_delta *d)
{
    struct fr_err err;
    (void)arg;
    CHECK(!got.done && !got.in_call && fr_json_check(d->json, d->json_len, &err) == FR_OK && (got.cancel_at == 0 || got.deltas < got.cancel_at));
    got.deltas++;
    fr_buf_add_bytes(&got.events, d->json, d->json_len);
    fr_buf_add(&got.events, "\n");
    fr_buf_add_bytes(&got.text, d->text, d->text_len);
    if (got.deltas == got.cancel_at) llm_exchange_cancel(exchange);
    if (got.deltas == got.pause_at) llm_exchange_pause(exchange, true);
}

static void on_done(void *arg, enum fr_status st, const struct llm_exchange_end *end, const struct fr_err *err)
{
    (void)arg;
    CHECK(!got.in_call && (st == FR_OK) == (end->fate == LLM_FATE_FINE) && (st == FR_OK) == (err == NULL) && (st == FR_OK) == (end->answer != NULL));
    got.done++;
    got.st = st;
    got.fate = end->fate;
    got.streamed = end->streamed;
    got.silent = end->silent;
    got.retry_after_ms = end->retry_after_ms;
    if (err) {
        got.err = *err;
        CHECK(!strstr(err->text, KEY) && !strstr(err->text, "secret"));
    }
    if (end->answer) {
        llm_answer_print(end->answer, &got.json);
        got.prompt = end->answer->prompt_claim;
        got.answer = end->answer->answer_claim;
    }
    llm_answer_free(end->answer);
}

static void ask(enum llm_kind kind, const char *body, bool stream, int idle_ms, int total_ms)
{
    char url[64];
    struct fr_err err;
    int cancel_at = got.cancel_at, pause_at = got.pause_at;
    fr_buf_free(&got.json);
    fr_buf_free(&got.events);
    fr_buf_free(&got.text);
    got = (struct got){ .cancel_at = cancel_at, .pause_at = pause_at };
    fr_buf_init(&got.json, 8 << 20);
    fr_buf_init(&got.events, 8 << 20);
    fr_buf_init(&got.text, 8 << 20);
    llm_request_clear(&request);
    CHECK(llm_request_parse(kind, body, strlen(body), &request, &err) == FR_OK);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", pod.port);
    struct llm_exchange_ask a = { .client = client, .url = url, .key = KEY, .request = &request, .model = "m", .as = "vendor/m", .idle_ms = idle_ms, .total_ms = total_ms, .on_delta = stream ? on_delta : NULL, .done = on_done };
    got.in_call = true;
    CHECK(llm_exchange_start(&a, &exchange, &err) == FR_OK);
    got.in_call = false;
}

static void ask_and_wait(enum llm_kind kind, const char *body, bool stream)
{
    ask(kind, body, stream, 5000, 20000);
    RUN_UNTIL(got.done);
}

#define CHAT(more) "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]" more "}"

static void begin(void)
{
    world_begin();
    fake_listen(&pod, "p", NULL);
    got.cancel_at = got.pause_at = 0;
}

static void end(void)
{
    fake_kill(&pod);
    world_end();
    fr_buf_free(&got.json);
    fr_buf_free(&got.events);
    fr_buf_free(&got.text);
    llm_request_clear(&request);
}

// ---- well ---------------------------------------------------------------------------------------------------------

static void test_an_answer_that_comes_whole(void)
{
    begin();
    ask_and_wait(LLM_CHAT, CHAT(",\"user\":\"ann\""), false);
    CHECK_TEXT(got.json.data, "{\"id\":\"w1\",\"object\":\"chat.completion\",\"created\":1700000000,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"p: hi\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                              "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8}}");
    CHECK_TEXT(pod.last, "{\"model\":\"vendor/m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"max_tokens\":256}");
    CHECK_TEXT(pod.key, KEY);
    CHECK(got.prompt == 5 && got.answer == 3 && !got.streamed);
    ask_and_wait(LLM_TEXT, "{\"prompt\":\"once\"}", false);
    CHECK(strstr(got.json.data, "\"object\":\"text_completion\"") && strstr(got.json.data, "\"text\":\"p: once\""));
    ask_and_wait(LLM_EMBED, "{\"input\":[\"7x\",\"8xx\"]}", false);
    CHECK_TEXT(got.json.data, "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[7,2]},{\"object\":\"embedding\",\"index\":1,\"embedding\":[8,3]}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":2,\"total_tokens\":2}}");
    end();
}

static void test_a_stream_adds_up_to_the_same(void)
{
    begin();
    ask_and_wait(LLM_CHAT, CHAT(",\"stream\":true"), true);
    CHECK(got.streamed && got.deltas == 6 && strstr(pod.last, "\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
    CHECK_TEXT(got.text.data, "p: hi");
    CHECK(strstr(got.json.data, "\"content\":\"p: hi\"") && strstr(got.json.data, "\"finish_reason\":\"stop\"") && strstr(got.json.data, "\"completion_tokens\":3"));
    CHECK(strstr(got.events.data, "\"object\":\"chat.completion.chunk\"") && strstr(got.events.data, "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},") && strstr(got.events.data, "\"usage\":{\"prompt_tokens\":5,"));
    end();
}

// ---- whatever else ------------------------------------------------------------------------------------------------

static const char *raw_type, *raw_body;
static int raw_status;
static const char *raw_headers;
static void raw(struct fake_conn *c, const char *path, const struct fr_json *asked)
{
    (void)path;
    (void)asked;
    fake_answer(c, raw_status, raw_headers, raw_type, raw_body);
}

struct odd { bool stream; enum llm_kind kind; const char *ask, *type, *body; enum llm_fate fate; const char *code, *told; };
#define JSON "application/json"
#define SSE "text/event-stream"
#define WHOLE(choices, more) "{\"choices\":[" choices "]" more "}"
#define SAY(text) "{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"" text "\"},\"finish_reason\":\"stop\"}"
#define EVENT(choices, more) "data: {\"choices\":[" choices "]" more "}\n\n"
#define DELTA(text) "{\"index\":0,\"delta\":{\"content\":\"" text "\"}}"
#define STOP "{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}"
#define DONE "data: [DONE]\n\n"
#define EMBED(data) "{\"data\":[" data "]}"

static void check_odd(const struct odd *odds, size_t count)
{
    begin();
    pod.script = raw;
    raw_status = 200;
    raw_headers = "";
    for (size_t i = 0; i < count; i++) {
        raw_type = odds[i].type;
        raw_body = odds[i].body;
        ask_and_wait(odds[i].kind, odds[i].ask, odds[i].stream);
        const char *told = odds[i].fate == LLM_FATE_FINE ? got.json.data : got.err.text;
        bool as_wanted = got.fate == odds[i].fate && (odds[i].fate == LLM_FATE_FINE || strcmp(got.err.code, odds[i].code) == 0) && told && strstr(told, odds[i].told);
        if (!as_wanted) printf("  case %zu: %.200s\n  fate %d, code %s, told: %s\n  want %d, %s, %s\n", i, odds[i].body, got.fate, got.err.code, told ? told : "", odds[i].fate, odds[i].code, odds[i].told);
        CHECK(as_wanted && got.done == 1);
    }
    end();
}

static void test_what_is_no_answer(void)
{
    static const struct odd odds[] = {
        { false, LLM_CHAT, CHAT(""), JSON, "", LLM_FATE_FAILED, "llm_nonsense", "empty" },
        { false, LLM_CHAT, CHAT(""), JSON, "{", LLM_FATE_FAILED, "llm_nonsense", "no JSON" },
        { false, LLM_CHAT, CHAT(""), JSON, "[]", LLM_FATE_FAILED, "llm_nonsense", "without choices" },
        { false, LLM_CHAT, CHAT(""), JSON, "{}", LLM_FATE_FAILED, "llm_nonsense", "without choices" },
        { false, LLM_CHAT, CHAT(""), "text/html", WHOLE(SAY("x"), ""), LLM_FATE_FAILED, "llm_nonsense", "type \"text/html\"" },
        { false, LLM_CHAT, CHAT(""), SSE, EVENT(DELTA("x"), "") DONE, LLM_FATE_FAILED, "llm_nonsense", "type \"text/event-stream\"" },
        { false, LLM_CHAT, CHAT(""), JSON, "{\"choices\":[],\"choices\":[]}", LLM_FATE_FAILED, "llm_nonsense", "no JSON" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("", ""), LLM_FATE_FAILED, "llm_nonsense", "0 choices instead of 1" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE(SAY("x") "," SAY("y"), ""), LLM_FATE_FAILED, "llm_nonsense", "2 choices instead of 1" },
        { false, LLM_CHAT, CHAT(",\"n\":2"), JSON, WHOLE(SAY("x") "," SAY("y"), ""), LLM_FATE_FAILED, "llm_nonsense", "the same choice twice" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":1,\"message\":{\"content\":\"x\"}}", ""), LLM_FATE_FAILED, "llm_nonsense", "nobody asked for" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":0.5,\"message\":{\"content\":\"x\"}}", ""), LLM_FATE_FAILED, "llm_nonsense", "nobody asked for" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":\"0\",\"message\":{\"content\":\"x\"}}", ""), LLM_FATE_FAILED, "llm_nonsense", "nobody asked for" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":0}", ""), LLM_FATE_FAILED, "llm_nonsense", "without a message" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":0,\"message\":{\"content\":7}}", ""), LLM_FATE_FAILED, "llm_nonsense", "\"content\" is no text but number" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":0,\"message\":{\"content\":\"x\"},\"finish_reason\":\"<b>\"}", ""), LLM_FATE_FAILED, "llm_nonsense", "finish_reason" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":0,\"message\":{\"tool_calls\":[{\"id\":\"c\",\"function\":{\"arguments\":\"\"}}]}}", ""), LLM_FATE_FAILED, "llm_nonsense", "without a name" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":0,\"message\":{\"tool_calls\":[{\"id\":\"a b\",\"function\":{\"name\":\"f\"}}]}}", ""), LLM_FATE_FAILED, "llm_nonsense", "whose id is none" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"index\":0,\"message\":{\"content\":\"x\"},\"logprobs\":[]}", ""), LLM_FATE_FAILED, "llm_nonsense", "logprobs" },
        { false, LLM_CHAT, CHAT(""), JSON, "{\"error\":{\"message\":\"out of " KEY " memory\\n\"}}", LLM_FATE_FAILED, "llm_backend", "it failed: out of ******************* memory" },
        { true, LLM_CHAT, CHAT(""), SSE, "", LLM_FATE_FAILED, "llm_nonsense", "empty" },
        { true, LLM_CHAT, CHAT(""), SSE, DONE, LLM_FATE_FAILED, "llm_nonsense", "without choice 1" },
        { true, LLM_CHAT, CHAT(""), SSE, "<html>hello</html>\n\n", LLM_FATE_FAILED, "llm_nonsense", "without choice 1" },
        { true, LLM_CHAT, CHAT(""), "text/plain", EVENT(DELTA("x"), "") DONE, LLM_FATE_FAILED, "llm_nonsense", "type \"text/plain\"" },
        { true, LLM_CHAT, CHAT(""), SSE, EVENT(DELTA("x"), ""), LLM_FATE_FAILED, "llm_nonsense", "ends in the middle" },
        { true, LLM_CHAT, CHAT(""), SSE, "data: {\n\n", LLM_FATE_FAILED, "llm_nonsense", "no JSON" },
        { true, LLM_CHAT, CHAT(""), SSE, "data: 1\n\n", LLM_FATE_FAILED, "llm_nonsense", "no object" },
        { true, LLM_CHAT, CHAT(""), SSE, "data: {}\n\n", LLM_FATE_FAILED, "llm_nonsense", "without choices" },
        { true, LLM_CHAT, CHAT(""), SSE, EVENT("{\"index\":0}", ""), LLM_FATE_FAILED, "llm_nonsense", "without a delta" },
        { true, LLM_CHAT, CHAT(""), SSE, EVENT("{\"index\":1,\"delta\":{\"content\":\"x\"}}", ""), LLM_FATE_FAILED, "llm_nonsense", "nobody asked for" },
        { true, LLM_CHAT, CHAT(""), SSE, EVENT("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":3,\"function\":{\"name\":\"f\"}}]}}", ""), LLM_FATE_FAILED, "llm_nonsense", "out of order" },
        { true, LLM_CHAT, CHAT(""), SSE, EVENT(DELTA("x"), "") "data: {\"error\":{\"message\":\"slot lost\"}}\n\n", LLM_FATE_FAILED, "llm_backend", "it failed: slot lost" },
        { true, LLM_CHAT, CHAT(",\"n\":2"), SSE, EVENT(DELTA("x"), "") EVENT(STOP, "") DONE, LLM_FATE_FAILED, "llm_nonsense", "without choice 2 of 2" },
        { false, LLM_EMBED, "{\"input\":[\"a\",\"b\"]}", JSON, EMBED("{\"index\":0,\"embedding\":[1]}"), LLM_FATE_FAILED, "llm_nonsense", "1 embeddings instead of 2" },
        { false, LLM_EMBED, "{\"input\":[\"a\",\"b\"]}", JSON, EMBED("{\"index\":0,\"embedding\":[1]},{\"index\":0,\"embedding\":[2]}"), LLM_FATE_FAILED, "llm_nonsense", "the same embedding twice" },
        { false, LLM_EMBED, "{\"input\":[\"a\",\"b\"]}", JSON, EMBED("{\"index\":0,\"embedding\":[1]},{\"index\":1,\"embedding\":[2,3]}"), LLM_FATE_FAILED, "llm_nonsense", "different widths" },
        { false, LLM_EMBED, "{\"input\":\"a\"}", JSON, EMBED("{\"index\":0,\"embedding\":[]}"), LLM_FATE_FAILED, "llm_nonsense", "an embedding that is none" },
        { false, LLM_EMBED, "{\"input\":\"a\"}", JSON, EMBED("{\"index\":0,\"embedding\":[1,\"2\"]}"), LLM_FATE_FAILED, "llm_nonsense", "something else than numbers" },
        { false, LLM_EMBED, "{\"input\":\"a\"}", JSON, EMBED("{\"index\":0,\"embedding\":\"no base64\"}"), LLM_FATE_FAILED, "llm_nonsense", "an embedding that is none" },
        { false, LLM_EMBED, "{\"input\":\"a\"}", JSON, EMBED("{\"index\":1,\"embedding\":[1]}"), LLM_FATE_FAILED, "llm_nonsense", "nobody asked for" },
        { true, LLM_CHAT, CHAT(",\"max_tokens\":1"), SSE, EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "")
          EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), "") EVENT(DELTA("a"), ""), LLM_FATE_LARGE, "llm_too_large", "more than the 1 tokens" },
    };
    check_odd(odds, sizeof odds / sizeof odds[0]);
}

static void test_what_is_one_though_it_looks_odd(void)
{
    static const struct odd odds[] = {
        { false, LLM_CHAT, CHAT(""), "application/json; charset=utf-8", WHOLE(SAY("x"), ",\"extra\":{\"evil\":1}"), LLM_FATE_FINE, "", "\"content\":\"x\"" },
        { false, LLM_CHAT, CHAT(",\"n\":2"), JSON, WHOLE("{\"index\":1,\"message\":{\"content\":\"second\"}},{\"index\":0,\"message\":{\"content\":\"first\"}}", ""), LLM_FATE_FINE, "", "\"content\":\"first\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"},{\"index\":1,\"message\":{\"role\":\"assistant\",\"content\":\"second\"" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}}]},\"finish_reason\":\"tool_calls\"}", ""), LLM_FATE_FINE, "",
          "\"content\":null,\"refusal\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"{\\\"a\\\":1}\"}}]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE("{\"message\":{\"content\":\"x\",\"reasoning_content\":\"hm\"},\"logprobs\":{\"content\":[{\"token\":\"x\",\"logprob\":-0.5}]}}", ""), LLM_FATE_FINE, "", "\"reasoning_content\":\"hm\"},\"logprobs\":{\"content\":[{\"token\":\"x\",\"logprob\":-0.5}]}" },
        { true, LLM_CHAT, CHAT(""), JSON, WHOLE(SAY("no stream here"), ""), LLM_FATE_FINE, "", "no stream here" },
        { true, LLM_CHAT, CHAT(""), SSE, ": hello\r\n\r\n" EVENT(DELTA("x"), "") EVENT(STOP, ""), LLM_FATE_FINE, "", "\"content\":\"x\"" },                    // no [DONE], but the choice has ended
        { true, LLM_CHAT, CHAT(""), SSE, EVENT(DELTA("x"), "") DONE, LLM_FATE_FINE, "", "\"finish_reason\":\"stop\"" },
        { true, LLM_CHAT, CHAT(",\"n\":2"), SSE, EVENT("{\"index\":1,\"delta\":{\"content\":\"b\"}}", "") EVENT("{\"index\":0,\"delta\":{\"content\":\"a\"}},{\"index\":1,\"delta\":{\"content\":\"B\"},\"finish_reason\":\"length\"}", "") EVENT(STOP, "") DONE, LLM_FATE_FINE, "",
          "\"content\":\"a\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"},{\"index\":1,\"message\":{\"role\":\"assistant\",\"content\":\"bB\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"length\"" },
        { true, LLM_CHAT, CHAT(""), SSE, EVENT("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}", "") EVENT("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\"\"}}]}}", "")
          EVENT("{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}},{\"index\":1,\"function\":{\"name\":\"g\"}}]}}", "") DONE, LLM_FATE_FINE, "",
          "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]" },
        { true, LLM_TEXT, "{\"prompt\":\"x\",\"logprobs\":1}", SSE, EVENT("{\"index\":0,\"text\":\"a\",\"logprobs\":{\"tokens\":[\"a\"],\"token_logprobs\":[-1]}}", "") EVENT("{\"index\":0,\"text\":\"b\",\"logprobs\":{\"tokens\":[\"b\"],\"token_logprobs\":[-2]},\"finish_reason\":\"length\"}", "") DONE, LLM_FATE_FINE, "",
          "\"text\":\"ab\",\"logprobs\":{\"tokens\":[\"a\",\"b\"],\"token_logprobs\":[-1,-2]},\"finish_reason\":\"length\"" },
        { false, LLM_EMBED, "{\"input\":[\"a\",\"b\"]}", JSON, EMBED("{\"index\":1,\"embedding\":[2,0.1]},{\"index\":0,\"embedding\":[1,1e-7]}"), LLM_FATE_FINE, "", "\"index\":0,\"embedding\":[1,1e-07]},{\"object\":\"embedding\",\"index\":1,\"embedding\":[2,0.1]}" },
        { false, LLM_EMBED, "{\"input\":\"a\",\"encoding_format\":\"base64\"}", JSON, EMBED("{\"index\":0,\"embedding\":\"AACAPw==\"}"), LLM_FATE_FINE, "", "\"embedding\":\"AACAPw==\"" },
    };
    check_odd(odds, sizeof odds / sizeof odds[0]);
}

static void test_usage_is_a_claim(void)
{
    static const struct odd odds[] = {     // the estimate of the prompt is 17, 256 tokens were asked for
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE(SAY("x"), ",\"usage\":{\"prompt_tokens\":9007199254740991,\"completion_tokens\":9007199254740991}"), LLM_FATE_FINE, "", "\"usage\":{\"prompt_tokens\":17,\"completion_tokens\":256,\"total_tokens\":273}" },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE(SAY("x"), ",\"usage\":{\"prompt_tokens\":-1000000,\"completion_tokens\":-1000000}"), LLM_FATE_FINE, "", "\"usage\":{\"prompt_tokens\":17,\"completion_tokens\":1," },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE(SAY("x"), ",\"usage\":{\"prompt_tokens\":\"5\",\"completion_tokens\":0.5}"), LLM_FATE_FINE, "", "\"usage\":{\"prompt_tokens\":17,\"completion_tokens\":1," },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE(SAY("x"), ",\"usage\":null"), LLM_FATE_FINE, "", "\"usage\":{\"prompt_tokens\":17,\"completion_tokens\":1," },
        { false, LLM_CHAT, CHAT(""), JSON, WHOLE(SAY("x"), ",\"usage\":[]"), LLM_FATE_FINE, "", "\"usage\":{\"prompt_tokens\":17,\"completion_tokens\":1," },
        { true, LLM_CHAT, CHAT(""), SSE, EVENT(DELTA("a"), "") EVENT(DELTA("b"), "") EVENT(DELTA("c"), "") EVENT(STOP, ",\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0}") DONE, LLM_FATE_FINE, "", "\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":3," },
        { true, LLM_CHAT, CHAT(""), SSE, EVENT(DELTA("a"), ",\"usage\":{\"prompt_tokens\":1e300,\"completion_tokens\":1e300}") DONE, LLM_FATE_FINE, "", "\"usage\":{\"prompt_tokens\":17,\"completion_tokens\":1," },
    };
    check_odd(odds, sizeof odds / sizeof odds[0]);
}

static void test_what_a_status_means(void)
{
    static const struct { int status; const char *headers; enum llm_fate fate; enum fr_status st; int64_t retry_after_ms; } cases[] = {
        { 429, "Retry-After: 7\r\n", LLM_FATE_FULL, FR_E_BUSY, 7000 }, { 429, "", LLM_FATE_FULL, FR_E_BUSY, 0 }, { 503, "", LLM_FATE_FULL, FR_E_BUSY, 0 }, { 500, "", LLM_FATE_FAILED, FR_E_IO, 0 }, { 502, "", LLM_FATE_FAILED, FR_E_IO, 0 },
        { 400, "", LLM_FATE_REFUSED, FR_E_INVALID, 0 }, { 413, "", LLM_FATE_REFUSED, FR_E_INVALID, 0 }, { 422, "", LLM_FATE_REFUSED, FR_E_INVALID, 0 }, { 401, "", LLM_FATE_FAILED, FR_E_IO, 0 }, { 404, "", LLM_FATE_FAILED, FR_E_IO, 0 },
        { 302, "Location: http://127.0.0.1:1/\r\n", LLM_FATE_FAILED, FR_E_IO, 0 }, { 204, "", LLM_FATE_FAILED, FR_E_IO, 0 }, { 206, "", LLM_FATE_FAILED, FR_E_IO, 0 },
    };
    begin();
    pod.script = raw;
    raw_type = "application/json";
    raw_body = "{\"error\":{\"message\":\"because\"}}";
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int stream = 0; stream < 2; stream++) {
            raw_status = cases[i].status;
            raw_headers = cases[i].headers;
            if (raw_status == 204) continue;           // it has no body: see above
            ask_and_wait(LLM_CHAT, CHAT(""), stream);
            CHECK_TEXT(got.err.code, "llm_backend");
            CHECK(got.fate == cases[i].fate && got.st == cases[i].st && got.retry_after_ms == cases[i].retry_after_ms && strstr(got.err.text, "because"));
        }
    CHECK_INT(pod.requests, 24);                       // none was tried again here, none followed
    end();
}

// ---- time, and leaving --------------------------------------------------------------------------------------------

static void begin_stream(struct fake_conn *c) { fake_say(c, "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"); }
static void chunk(struct fake_conn *c, const char *text)
{
    char head[20];
    snprintf(head, sizeof head, "%zx\r\n", strlen(text));
    fake_say(c, head);
    fake_say(c, text);
    fake_say(c, "\r\n");
}
static void drip(struct fake_conn *c)
{
    chunk(c, EVENT(DELTA("a"), ""));
    c->step++;
    fake_later(c, 5, drip);
}
static void script_drip(struct fake_conn *c, const char *path, const struct fr_json *asked) { (void)path; (void)asked; begin_stream(c); drip(c); }
static void script_die(struct fake_conn *c, const char *path, const struct fr_json *asked) { (void)path; (void)asked; begin_stream(c); chunk(c, EVENT(DELTA("a"), "")); fake_later(c, 20, fake_close); }
static void script_silent(struct fake_conn *c, const char *path, const struct fr_json *asked) { (void)c; (void)path; (void)asked; }
static void script_never_closes(struct fake_conn *c, const char *path, const struct fr_json *asked) { (void)path; (void)asked; begin_stream(c); chunk(c, EVENT(DELTA("a"), "") EVENT(STOP, "") DONE); }

static void script_big_event(struct fake_conn *c, const char *path, const struct fr_json *asked)
{
    static char big[LLM_EVENT_BYTES_MAX + 100];
    (void)path;
    (void)asked;
    memset(big, 'x', sizeof big - 1);
    begin_stream(c);
    chunk(c, "data: ");
    chunk(c, big);
}

static void script_bytewise(struct fake_conn *c, const char *path, const struct fr_json *asked)
{
    const char *text = ": x\r\n\r\n" EVENT(DELTA("\xec\x95\x88"), "") "data: {\"choices\":\rdata: [" DELTA("b") "]}\r\r" EVENT(STOP, "") DONE;
    (void)path;
    (void)asked;
    begin_stream(c);
    for (; *text; text++) chunk(c, (char[]){ *text, 0 });
    fake_say(c, "0\r\n\r\n");
    fake_done(c);
}

static void test_a_pod_that_dies_is_silent_or_never_ends(void)
{
    begin();
    pod.script = script_die;
    ask_and_wait(LLM_CHAT, CHAT(""), true);
    CHECK(got.fate == LLM_FATE_FAILED && got.streamed && got.deltas == 1 && strcmp(got.err.code, "llm_backend") == 0);
    pod.script = script_silent;
    ask(LLM_CHAT, CHAT(""), false, 60, 20000);
    RUN_UNTIL(got.done);
    CHECK(got.fate == LLM_FATE_FAILED && got.silent && strcmp(got.err.code, "llm_backend") == 0);
    ask(LLM_CHAT, CHAT(""), true, 60, 20000);
    RUN_UNTIL(got.done);
    CHECK(got.fate == LLM_FATE_FAILED && !got.streamed);
    pod.script = script_drip;
    ask(LLM_CHAT, CHAT(",\"max_tokens\":30000"), true, 1000, 150);
    RUN_UNTIL(got.done);
    CHECK(got.fate == LLM_FATE_LATE && got.st == FR_E_TIMEOUT && strcmp(got.err.code, "llm_deadline") == 0 && got.streamed);
    ask(LLM_CHAT, CHAT(",\"max_tokens\":5"), true, 1000, 20000);
    RUN_UNTIL(got.done);
    CHECK(got.fate == LLM_FATE_LARGE && got.deltas == 5 + 16);
    pod.script = script_big_event;
    ask_and_wait(LLM_CHAT, CHAT(""), true);
    CHECK(got.fate == LLM_FATE_LARGE && strcmp(got.err.code, "llm_too_large") == 0);
    RUN_UNTIL(pod.running == 0);                       // each of them was let go of
    end();
}

static void test_bytes_come_in_any_pieces(void)
{
    begin();
    pod.script = script_bytewise;
    ask_and_wait(LLM_CHAT, CHAT(""), true);
    CHECK(got.fate == LLM_FATE_FINE);
    CHECK_TEXT(got.text.data, "\xec\x95\x88" "b");
    end();
}

static void test_done_comes_with_the_end_of_the_stream_not_of_the_connection(void)
{
    begin();
    pod.script = script_never_closes;
    ask(LLM_CHAT, CHAT(""), true, 600, 1000);
    RUN_UNTIL(got.done);
    CHECK(got.fate == LLM_FATE_FINE && pod.running == 1);
    RUN_UNTIL(pod.running == 0);                       // it is not waited for longer than for any silence
    CHECK_INT(got.done, 1);
    end();
}

static void test_who_leaves_leaves_the_pod_too(void)
{
    begin();
    pod.script = script_drip;
    got.cancel_at = 3;
    ask_and_wait(LLM_CHAT, CHAT(",\"max_tokens\":30000"), true);
    CHECK(got.fate == LLM_FATE_CANCELLED && got.deltas == 3 && strcmp(got.err.code, "llm_cancelled") == 0);
    RUN_UNTIL(pod.gone_away == 1);
    got.cancel_at = 0;
    pod.script = script_silent;
    ask(LLM_CHAT, CHAT(""), false, 5000, 20000);
    RUN_UNTIL(pod.running == 1);
    got.in_call = true;
    llm_exchange_cancel(exchange);
    got.in_call = false;
    RUN_UNTIL(got.done && pod.gone_away == 2);
    CHECK(got.fate == LLM_FATE_CANCELLED);
    ask(LLM_CHAT, CHAT(""), false, 5000, 20000);
    RUN_UNTIL(pod.running == 1);
    llm_exchange_forget(exchange);
    RUN_UNTIL(pod.gone_away == 3);
    CHECK_INT(got.done, 0);
    end();
}

static void test_a_reader_that_is_behind_holds_the_stream(void)
{
    begin();
    pod.script = script_drip;
    got.pause_at = 2;
    ask(LLM_CHAT, CHAT(",\"max_tokens\":30000"), true, 5000, 20000);
    RUN_UNTIL(got.deltas == 2);
    run_for(100);
    CHECK_INT(got.deltas, 2);
    got.pause_at = 0;
    llm_exchange_pause(exchange, false);
    RUN_UNTIL(got.deltas > 5);
    llm_exchange_cancel(exchange);
    RUN_UNTIL(got.done);
    end();
}

int main(void)
{
    TEST(test_an_answer_that_comes_whole);
    TEST(test_a_stream_adds_up_to_the_same);
    TEST(test_what_is_no_answer);
    TEST(test_what_is_one_though_it_looks_odd);
    TEST(test_usage_is_a_claim);
    TEST(test_what_a_status_means);
    TEST(test_a_pod_that_dies_is_silent_or_never_ends);
    TEST(test_bytes_come_in_any_pieces);
    TEST(test_done_comes_with_the_end_of_the_stream_not_of_the_connection);
    TEST(test_who_leaves_leaves_the_pod_too);
    TEST(test_a_reader_that_is_behind_holds_the_stream);
    return TEST_END();
}
