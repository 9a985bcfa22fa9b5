// screen_test.c — filters on calls of tools: escapes hide nothing, JSON stays JSON, and a stream in pieces of any size says what the whole says.
#include "llm/screen.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"

static struct llm_settings *settings;
static struct llm_filter_rules *rules;

static void rules_of(const char *words, bool secrets, bool personal)
{
    llm_filter_rules_drop(rules);
    snprintf(settings->refused_words, sizeof settings->refused_words, "%s", words);
    settings->hide_secrets = secrets;
    settings->hide_personal = personal;
    rules = llm_filter_rules_new(settings);
}

// ---- JSON text

static char filtered[4096];
static int64_t hidden;
static const char *json_of(const char *text)
{
    FR_AUTO_BUF(out);
    char *exact = malloc(strlen(text) + 1);      // nothing behind it
    memcpy(exact, text, strlen(text));
    exact = realloc(exact, strlen(text) ? strlen(text) : 1);
    fr_buf_init(&out, 1 << 20);
    hidden = 0;
    bool whole = llm_filter_json(rules, exact, strlen(text), &out, &hidden);
    free(exact);
    CHECK(!out.failed && (whole || out.len == 0));
    snprintf(filtered, sizeof filtered, "%s", whole ? (out.data ? out.data : "") : "|refused");
    return filtered;
}

#define KEY "sk-abcdefghijklmnopqrstuvwx"
#define LONG43 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQ"

static void test_what_json_says_is_hidden_and_it_stays_json(void)
{
    static const struct { const char *text, *want; } cases[] = {
        { "{\"key\":\"" KEY "\",\"n\":1}", "{\"key\":\"[hidden]\",\"n\":1}" },
        { "{ \"key\" : \"my " KEY ", keep\" , \"big\" : 12345678901234567890 }", "{ \"key\" : \"my [hidden], keep\" , \"big\" : 12345678901234567890 }" },      // the rest stays as it was written
        { "{\"key\":\"\\u0073k-abcdefghijklmnopqrstuvwx\"}", "{\"key\":\"[hidden]\"}" },
        { "{\"key\":\"s\\u006B-abcdefghij\\u006blmnopqrstuvwx\"}", "{\"key\":\"[hidden]\"}" },
        { "{\"a\":[[\"x\",{\"b\":\"a \\\"" KEY "\\\" \\\\ \\n \\u20ac \\ud83d\\ude00\"}]]}", "{\"a\":[[\"x\",{\"b\":\"a \\\"[hidden]\\\" \\\\ \\n \xe2\x82\xac \xf0\x9f\x98\x80\"}]]}" },
        { "\"" KEY "\"", "\"[hidden]\"" },
        { "{\"" KEY "\":1,\"\\u0041KIAIOSFODNN7EXAMPLE\":2,\"c\":3}", "{\"[hidden]\":1,\"[hidden] 2\":2,\"c\":3}" },
        { "{\"token\":\"" LONG43 "\",\"hash\":\"x\"}", "{\"token\":\"[hidden]\",\"hash\":\"x\"}" },
        { "{\"hash\":\"" LONG43 "\"}", "{\"hash\":\"" LONG43 "\"}" },
        { "{\"Authorization\":\"Bearer abcdefghijklmnop1234\"}", "{\"Authorization\":\"Bearer [hidden]\"}" },
        { "{\"pem\":\"-----BEGIN PRIVATE KEY-----\\nMHQCAQEEIBkg\\n-----END PRIVATE KEY-----\\nok\"}", "{\"pem\":\"[hidden]\\nok\"}" },
        { "{\"lines\":[\"-----BEGIN PRIVATE KEY-----\",\"MHQCAQEEIBkg\",\"-----END PRIVATE KEY-----\",\"ok\"],\"b\":\"c\"}", "{\"lines\":[\"[hidden]\",\"\",\"\",\"ok\"],\"b\":\"c\"}" },
        { "{\"pem\":\"-----BEGIN PRIVATE KEY-----\\nMHQ\",\"b\":\"c\"}", "{\"pem\":\"[hidden]\",\"b\":\"c\"}" },
        { "{\"to\":\"a\\u0040example.com\",\"card\":4111111111111111,\"list\":[1,4111111111111111,true],\"n\":4111111111111112}", "{\"to\":\"[hidden]\",\"card\":\"[hidden]\",\"list\":[1,\"[hidden]\",true],\"n\":4111111111111112}" },
        { "{}", "{}" }, { "", "" }, { "null", "null" }, { "{\"a\":\"\\u0041\\/\"}", "{\"a\":\"\\u0041\\/\"}" },
        { "call me", "call me" }, { "{\"a\":", "{\"a\":" }, { "{\"a\":\"x", "{\"a\":\"x" }, { "\"\\", "\"\\" }, { "\"\\u12", "\"\\u12" },
        { "{\"a\":\"" KEY, "\"[hidden]\"" }, { "use " KEY " now", "\"[hidden]\"" }, { "{\"a\":1,\"a\":\"\\u0073k-abcdefghijklmnopqrstuvwx\"}", "\"[hidden]\"" }, { "{\"a\":\"\\u0073k-abcdefghijklmnopqrstuvwx\\u0000\"}", "\"[hidden]\"" },
    };
    rules_of("", true, true);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fr_err none;
        CHECK_TEXT(json_of(cases[i].text), cases[i].want);
        CHECK((hidden > 0) == (strcmp(cases[i].text, cases[i].want) != 0));
        CHECK(hidden == 0 || fr_json_check(filtered, strlen(filtered), &none) == FR_OK);
    }
}

static void test_a_refused_word_is_found_in_json_however_it_is_written(void)
{
    static const char *const bad[] = { "{\"a\":\"a forbidden thing\"}", "{\"forbidden\":1}", "{\"a\":\"\\u0066orbi\\u0064den\"}", "[1,\"x\",[\"Forbidden\"]]", "forbidden", "{\"a\":\"forbidden", "{\"a\":1,\"a\":\"\\u0066orbidden\"}", "{\"a\":\"\\uae08지어\"}" };
    rules_of("forbidden\n금지어", true, false);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK_TEXT(json_of(bad[i]), "|refused");
    CHECK_TEXT(json_of("{\"a\":\"forbiddenness\"}"), "{\"a\":\"forbiddenness\"}");
}

// Whatever is escaped, the same is said; what was JSON is JSON, and nothing is left to hide.
static void test_random_json_says_the_same_however_it_is_escaped(void)
{
    static const char *const bits[] = { "sk-", "abcdefghij", "0123456789", " ", "\n", "Bearer ", "eyJ", ".", "-----BEGIN ", "PRIVATE KEY-----", "-----END ", "@example.com", "abandon ", "able ", "+82 ", "4111 1111 1111 1111", ":", "AKIA",
                                        "private ", "가나다", "\"", "\\", "x", "token ", "0x", "deadbeefdeadbeefdeadbeefdeadbeef", "\xf0\x9f\x98\x80", "/" };
    unsigned seed = 11;
    int different = 0, changed = 0;
    rules_of("", true, true);
    for (int round = 0; round < 4000; round++) {
        FR_AUTO_BUF(plain); FR_AUTO_BUF(escaped);
        fr_buf_init(&plain, 1 << 16);
        fr_buf_init(&escaped, 1 << 16);
        fr_buf_add_char(&plain, '{');
        fr_buf_add_char(&escaped, '{');
        for (int m = 0, members = 1 + rand_r(&seed) % 3; m < members; m++) {
            char text[1024] = "";
            for (int n = rand_r(&seed) % 12; n >= 0; n--) strcat(text, bits[(size_t)rand_r(&seed) % (sizeof bits / sizeof bits[0])]);
            fr_buf_addf(&plain, "%s\"k%d\":", m ? "," : "", m);
            fr_buf_add_json_text(&plain, text);
            fr_buf_addf(&escaped, "%s\"\\u006b%d\" : \"", m ? " , " : "", m);
            for (const char *c = text; *c; c++) {
                if ((unsigned char)*c >= 0x80 || (rand_r(&seed) % 3 && *c != '"' && *c != '\\' && *c != '\n')) fr_buf_add_char(&escaped, *c);
                else fr_buf_addf(&escaped, "\\u%04x", (unsigned char)*c);
            }
            fr_buf_add_char(&escaped, '"');
        }
        fr_buf_add_char(&plain, '}');
        fr_buf_add_char(&escaped, '}');
        FR_AUTO(fr_json) a = NULL;
        FR_AUTO(fr_json) b = NULL;
        struct fr_err err;
        char first[4096];
        snprintf(first, sizeof first, "%s", json_of(plain.data));
        CHECK(fr_json_parse(first, strlen(first), &a, &err) == FR_OK);
        changed += hidden > 0;
        json_of(escaped.data);
        bool same = fr_json_parse(filtered, strlen(filtered), &b, &err) == FR_OK && fr_json_equal(a, b);
        if (!same && different++ < 3) printf("  %s\n  plain   %s\n  escaped %s\n", escaped.data, first, filtered);
    }
    CHECK_INT(different, 0);
    CHECK(changed > 500);
    printf("# %d of 4000 had something to hide\n", changed);
}

// ---- events and answers

static struct { struct fr_buf text; int events, call_events; struct fr_json *calls; char finish[24]; bool refused; } seen;

static void forget(void)
{
    fr_buf_free(&seen.text);
    fr_json_free(seen.calls);
    memset(&seen, 0, sizeof seen);
    fr_buf_init(&seen.text, 1 << 20);
}

static void look(const struct fr_buf *json, const struct fr_buf *text, const char *inside)
{
    FR_AUTO(fr_json) event = NULL;
    struct fr_err err;
    CHECK(fr_json_parse(json->data, json->len, &event, &err) == FR_OK);
    const struct fr_json *choice = fr_json_child(fr_json_get(event, "choices")), *calls = fr_json_get(fr_json_get(choice, inside), "tool_calls");
    const char *finish = fr_json_text(fr_json_get(choice, "finish_reason"));
    fr_buf_add_bytes(&seen.text, text->data, text->len);
    seen.events++;
    if (finish) snprintf(seen.finish, sizeof seen.finish, "%s", finish);
    if (!calls) return;
    FR_AUTO_BUF(list);
    fr_buf_init(&list, 1 << 20);
    fr_json_print(calls, &list);
    seen.call_events++;
    fr_json_free(seen.calls);
    CHECK(fr_json_parse(list.data, list.len, &seen.calls, &err) == FR_OK);
}

static void event_of(struct llm_screen *s, const char *json)
{
    FR_AUTO_BUF(out); FR_AUTO_BUF(text);
    fr_buf_init(&out, 1 << 20);
    fr_buf_init(&text, 1 << 20);
    if (llm_screen_event(s, json, strlen(json), &out, &text)) look(&out, &text, "delta");
}

struct said { const char *id, *name, *arguments; };

// The calls one after the other, arguments in pieces of `step` bytes; finish NULL: the stream only ends.
static void stream(const char *content, const struct said *calls, int count, size_t step, const char *finish)
{
    struct llm_request r = { .kind = LLM_CHAT };
    struct llm_screen *s = llm_screen_new(rules, &r);
    FR_AUTO_BUF(e); FR_AUTO_BUF(rest); FR_AUTO_BUF(text);
    fr_buf_init(&e, 1 << 20);
    fr_buf_init(&rest, 1 << 20);
    fr_buf_init(&text, 1 << 20);
    forget();
    fr_buf_add(&e, "{\"id\":\"s\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":");
    fr_buf_add_json_text(&e, content);
    fr_buf_add(&e, "},\"logprobs\":null,\"finish_reason\":null}]}");
    event_of(s, e.data);
    for (int i = 0; i < count; i++) {
        fr_buf_clear(&e);
        fr_buf_addf(&e, "{\"id\":\"s\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":%d,%s%s%s\"type\":\"function\",\"function\":{\"name\":\"%s\",\"arguments\":\"\"}}]},\"finish_reason\":null}]}", i, calls[i].id ? "\"id\":\"" : "",
                    calls[i].id ? calls[i].id : "", calls[i].id ? "\"," : "", calls[i].name);
        event_of(s, e.data);
        for (size_t at = 0, len = strlen(calls[i].arguments), n; at < len; at += n) {
            n = step < len - at ? step : len - at;
            while (at + n < len && ((unsigned char)calls[i].arguments[at + n] & 0xc0) == 0x80) n++;        // events are UTF-8
            fr_buf_clear(&e);
            fr_buf_addf(&e, "{\"id\":\"s\",\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":%d,\"function\":{\"arguments\":", i);
            fr_buf_add_json_bytes(&e, calls[i].arguments + at, n);
            fr_buf_add(&e, "}}]},\"finish_reason\":null}]}");
            event_of(s, e.data);
        }
    }
    CHECK_INT(seen.call_events, 0);        // half an argument is told to nobody
    if (finish) {
        fr_buf_clear(&e);
        fr_buf_addf(&e, "{\"id\":\"s\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}", finish);
        event_of(s, e.data);
    }
    if (!llm_screen_refused(s) && llm_screen_rest(s, &rest, &text)) look(&rest, &text, "delta");
    seen.refused = llm_screen_refused(s);
    llm_screen_free(s);
}

static void whole(const char *content, const struct said *calls, int count, bool *refused)
{
    struct fr_err err;
    FR_AUTO_BUF(e); FR_AUTO_BUF(out); FR_AUTO_BUF(text);
    fr_buf_init(&e, 1 << 20);
    fr_buf_init(&out, 1 << 20);
    fr_buf_init(&text, 1 << 20);
    forget();
    fr_buf_add(&e, "{\"id\":\"w\",\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
    fr_buf_add_json_text(&e, content);
    fr_buf_add(&e, ",\"tool_calls\":[");
    for (int i = 0; i < count; i++) {
        fr_buf_addf(&e, "%s{\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":\"%s\",\"arguments\":", i ? "," : "", calls[i].id ? calls[i].id : i ? "call_1" : "call_0", calls[i].name);
        fr_buf_add_json_text(&e, calls[i].arguments);
        fr_buf_add(&e, "}}");
    }
    fr_buf_add(&e, "]},\"logprobs\":{\"content\":[{\"token\":\"x\"}]},\"finish_reason\":\"tool_calls\"}]}");
    CHECK(llm_screen_answer(rules, e.data, e.len, &out, &text, refused, &err) == FR_OK);
    look(&out, &text, "message");
    CHECK(strstr(out.data, hidden || *refused ? "\"logprobs\":null" : "\"logprobs\":{"));
}

// What both told of call `no`.
static void check_call(int no, const char *id, const char *name, const char *arguments, bool index)
{
    const struct fr_json *c = fr_json_child(seen.calls);
    for (int i = 0; i < no; i++) c = fr_json_next(c);
    CHECK_TEXT(fr_json_text(fr_json_get(c, "id")), id);
    CHECK_TEXT(fr_json_text(fr_json_get(c, "type")), "function");
    CHECK_TEXT(fr_json_text(fr_json_get(fr_json_get(c, "function"), "name")), name);
    CHECK_TEXT(fr_json_text(fr_json_get(fr_json_get(c, "function"), "arguments")), arguments);
    CHECK((fr_json_get(c, "index") != NULL) == index && (!index || (int)fr_json_number(fr_json_get(c, "index")) == no));
}

static void test_calls_are_filtered_in_pieces_of_every_size_and_as_a_whole(void)
{
    static const struct said calls[] = { { "c1", "send", "{\"to\":\"ann\",\"key\":\"\\u0073k-abcdefghijklmnopqrstuvwx\",\"\\ud55c\":\"\\ud83d\\ude00 글\"}" }, { NULL, "add", "{\"a\":1, \"b\":[2]}" } };
    static const char want[] = "{\"to\":\"ann\",\"key\":\"[hidden]\",\"\\ud55c\":\"\\ud83d\\ude00 글\"}";
    bool refused = true;
    rules_of("forbidden", true, true);
    for (size_t step = 1; step <= strlen(calls[0].arguments); step++)
        for (int finish = 0; finish < 2; finish++) {
            stream("hi", calls, 2, step, finish ? "tool_calls" : NULL);
            CHECK(seen.call_events == 1 && !seen.refused && fr_json_size(seen.calls) == 2);
            check_call(0, "c1", "send", want, true);
            check_call(1, "call_1", "add", calls[1].arguments, true);
            CHECK_TEXT(seen.text.data, "hi");
            CHECK_TEXT(seen.finish, finish ? "tool_calls" : "");
        }
    hidden = 1;
    whole("hi", calls, 2, &refused);
    CHECK(seen.call_events == 1 && !refused);
    check_call(0, "c1", "send", want, false);
    check_call(1, "call_1", "add", calls[1].arguments, false);
    CHECK_TEXT(seen.finish, "tool_calls");
    hidden = 0;
    whole("hi", calls + 1, 1, &refused);
    check_call(0, "call_0", "add", calls[1].arguments, false);
}

static void test_names_and_ids_stay_words(void)
{
    static const struct said calls[] = { { "AKIAIOSFODNN7EXAMPLE", KEY, "{}" }, { "chatcmpl-tool-0123456789abcdef0123456789abcdef", "a_rather_long_name_of_some_function_with_many_words_in_it", "" } };
    bool refused;
    rules_of("", true, true);
    stream("", calls, 2, 1, "tool_calls");
    check_call(0, "call_0", "hidden", "{}", true);
    check_call(1, calls[1].id, calls[1].name, "", true);
    hidden = 1;
    whole("", calls, 2, &refused);
    check_call(0, "call_0", "hidden", "{}", false);
}

// The answer ends there, as with a text: who was cut calls nobody.
static void test_a_refused_word_in_a_call_ends_the_answer_without_calls(void)
{
    static const struct said bad[3][2] = { { { "c1", "add", "{\"a\":1}" }, { "c2", "say", "{\"what\":\"\\u0066orbidden\"}" } }, { { "c1", "forbidden", "{}" }, { "c2", "add", "{}" } }, { { "c1", "add", "{}" }, { "c2", "add", "{}" } } };
    bool refused;
    rules_of("forbidden", true, false);
    for (int i = 0; i < 3; i++) {
        const char *content = i == 2 ? "a forbidden thing" : "ok", *want = i == 2 ? "a " : "ok";
        stream(content, bad[i], 2, 3, "tool_calls");
        CHECK(seen.refused && seen.call_events == 0);
        CHECK_TEXT(seen.text.data, want);
        CHECK_TEXT(seen.finish, "content_filter");
        whole(content, bad[i], 2, &refused);
        CHECK(refused && seen.call_events == 0);
        CHECK_TEXT(seen.text.data, want);
        CHECK_TEXT(seen.finish, "content_filter");
    }
    stream("ok", bad[0], 2, 3, NULL);      // no finish at all
    CHECK(seen.refused && seen.call_events == 0);
    CHECK_TEXT(seen.finish, "content_filter");
}

// What a model thinks, and why it refuses, is text as well.
static void test_thoughts_and_refusals_are_filtered(void)
{
    struct fr_err err;
    bool refused;
    FR_AUTO_BUF(out); FR_AUTO_BUF(text);
    fr_buf_init(&out, 1 << 20);
    fr_buf_init(&text, 1 << 20);
    rules_of("", true, false);
    const char *json = "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"use " KEY "\",\"refusal\":\"no " KEY "\"},\"logprobs\":{},\"finish_reason\":\"stop\"}]}";
    CHECK(llm_screen_answer(rules, json, strlen(json), &out, &text, &refused, &err) == FR_OK && !refused);
    CHECK_TEXT(out.data, "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"use [hidden]\",\"refusal\":\"no [hidden]\"},\"logprobs\":null,\"finish_reason\":\"stop\"}]}");
}

int main(void)
{
    settings = fr_must_alloc(sizeof *settings);
    TEST(test_what_json_says_is_hidden_and_it_stays_json);
    TEST(test_a_refused_word_is_found_in_json_however_it_is_written);
    TEST(test_random_json_says_the_same_however_it_is_escaped);
    TEST(test_calls_are_filtered_in_pieces_of_every_size_and_as_a_whole);
    TEST(test_thoughts_and_refusals_are_filtered);
    TEST(test_names_and_ids_stay_words);
    TEST(test_a_refused_word_in_a_call_ends_the_answer_without_calls);
    forget();
    llm_filter_rules_drop(rules);
    fr_free(settings);
    return TEST_END();
}
