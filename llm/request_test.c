// request_test.c — strangers' requests: what is taken, how each other is refused, and what is known of those that are taken.
#include "llm/request.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"

static struct llm_request r;
static struct fr_err err;

static enum fr_status parse(enum llm_kind kind, const char *body)
{
    llm_request_clear(&r);
    err = (struct fr_err){ 0 };
    char *exact = malloc(strlen(body));    // no NUL behind it
    memcpy(exact, body, strlen(body));
    enum fr_status st = llm_request_parse(kind, exact, strlen(body), &r, &err);
    free(exact);
    return st;
}

static const char *printed(const char *as, bool stream, int first, int count)
{
    static struct fr_buf out;
    fr_buf_free(&out);
    fr_buf_init(&out, 4 << 20);
    llm_request_print(&r, as, stream, first, count, &out);
    return out.data;
}

#define CHAT(more) "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]" more "}"
#define MESSAGE(m) "{\"messages\":[" m "]}"
#define PNG "iVBORw0KGgoAAAANSUhEUgAA"
#define JPEG "/9j/4AAQSkZJRgABAQAAAQAB"
#define GIF "R0lGODlhAQABAIAAAAAAAP//"
#define WEBP "UklGRiQAAABXRUJQVlA4IBgA"
#define WAV "UklGRiQAAABXQVZFZm10IBAA"
#define PICTURE(url) MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"what is it\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"" url "\"}}]}")
#define SOUND(data, format) MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"" data "\",\"format\":\"" format "\"}}]}")
#define TOOL "{\"type\":\"function\",\"function\":{\"name\":\"add\",\"description\":\"adds\",\"parameters\":{\"type\":\"object\"}}}"

static void test_a_chat_in_its_normal_form(void)
{
    CHECK_INT(parse(LLM_CHAT, CHAT(",\"model\":\"m\",\"user\":\"ann\",\"stream\":true,\"stream_options\":{\"include_usage\":true},\"temperature\":0.5,\"top_p\":null")), FR_OK);
    CHECK_TEXT(r.model, "m");
    CHECK(r.stream && r.stream_usage && r.need == LLM_CAN_CHAT && r.n == 1 && r.inputs == 1 && !r.repeatable);
    CHECK_INT(r.answer_tokens_max, LLM_ANSWER_TOKENS_DEFAULT);
    CHECK_INT(r.prompt_tokens, 8 + 1 + 8);
    CHECK_TEXT(printed("vendor/m", false, 0, 0), "{\"model\":\"vendor/m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5,\"max_tokens\":256}");
    CHECK_TEXT(printed("m", true, 0, 0), "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"temperature\":0.5,\"max_tokens\":256,\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    CHECK(parse(LLM_CHAT, CHAT(",\"n\":3,\"max_completion_tokens\":100")) == FR_OK && r.answer_tokens_max == 300 && r.n == 3 && strstr(printed("m", false, 0, 0), "\"max_completion_tokens\":100}"));
}

static void test_languages_are_named_and_go_to_no_backend(void)
{
    static const char *const bad[] = { "\"ko\"", "[]", "[\"k o\"]", "[\"\"]", "[7]", "[\"*\"]", "[\"ko,en\"]", "[\"ko\",\"en\",\"fr\",\"de\",\"sw\"]", "[\"aa-bbbbbbbb-cccccccc-dddddddd-eeeeeeee\"]", "{\"ko\":1}" };
    char body[400];
    CHECK_INT(parse(LLM_CHAT, CHAT(",\"languages\":[\"ko-KR\",\"EN\",\"iw\",\"tlh\"]")), FR_OK);
    CHECK_TEXT(r.languages, "ko-KR,en,he,tlh");
    CHECK(!strstr(printed("m", false, 0, 0), "languages"));
    CHECK(parse(LLM_TEXT, "{\"prompt\":\"x\",\"languages\":[\"ko\"]}") == FR_OK && strcmp(r.languages, "ko") == 0);
    CHECK(parse(LLM_EMBED, "{\"input\":\"x\",\"languages\":[\"ko\"]}") == FR_OK && strcmp(r.languages, "ko") == 0);
    CHECK(parse(LLM_CHAT, CHAT(",\"languages\":null")) == FR_OK && !r.languages[0]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(body, sizeof body, CHAT(",\"languages\":%s"), bad[i]);
        CHECK(parse(LLM_CHAT, body) == FR_E_INVALID && strcmp(err.code, "llm_request") == 0 && strncmp(err.text, "languages", 9) == 0);
    }
    parse(LLM_CHAT, CHAT(",\"languages\":[\"k o\"]"));
    CHECK_TEXT(err.text, "languages[0]: expected a language tag (\"ko\", \"pt-BR\")");
}

static void test_what_a_request_needs(void)
{
    CHECK(parse(LLM_CHAT, CHAT(",\"tools\":[" TOOL "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"add\"}},\"parallel_tool_calls\":false")) == FR_OK && r.need == (LLM_CAN_CHAT | LLM_CAN_TOOLS));
    CHECK(parse(LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"1+2\"},{\"role\":\"assistant\",\"content\":null,\"refusal\":null,\"annotations\":[],\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"3\"}")) == FR_OK && r.need == (LLM_CAN_CHAT | LLM_CAN_TOOLS));
    CHECK(parse(LLM_CHAT, CHAT(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":{\"type\":\"object\"},\"strict\":true}}")) == FR_OK && r.need == (LLM_CAN_CHAT | LLM_CAN_JSON));
    CHECK(parse(LLM_CHAT, CHAT(",\"response_format\":{\"type\":\"json_object\"}")) == FR_OK && r.need == (LLM_CAN_CHAT | LLM_CAN_JSON));
    CHECK(parse(LLM_CHAT, CHAT(",\"response_format\":{\"type\":\"text\"}")) == FR_OK && r.need == LLM_CAN_CHAT);
    CHECK(parse(LLM_CHAT, CHAT(",\"logprobs\":true,\"top_logprobs\":3")) == FR_OK && r.need == (LLM_CAN_CHAT | LLM_CAN_LOGPROBS));
    CHECK(parse(LLM_TEXT, "{\"prompt\":\"x\",\"logprobs\":0}") == FR_OK && r.need == (LLM_CAN_TEXT | LLM_CAN_LOGPROBS));
    CHECK(parse(LLM_CHAT, SOUND(WAV, "wav")) == FR_OK && r.need == (LLM_CAN_CHAT | LLM_CAN_AUDIO) && r.prompt_tokens > 1024);
}

static void test_pictures_are_sniffed_and_nothing_is_fetched(void)
{
    CHECK(parse(LLM_CHAT, PICTURE("data:image/png;base64," PNG)) == FR_OK && r.need == (LLM_CAN_CHAT | LLM_CAN_VISION) && r.prompt_tokens > 1024);
    CHECK(parse(LLM_CHAT, PICTURE("data:image/jpeg;base64," JPEG)) == FR_OK && parse(LLM_CHAT, PICTURE("data:image/jpg;base64," JPEG)) == FR_OK && parse(LLM_CHAT, PICTURE("data:image/gif;base64," GIF)) == FR_OK && parse(LLM_CHAT, PICTURE("data:image/webp;base64," WEBP)) == FR_OK);
    static const char *const bad[] = { "https://example.org/x.png", "http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "data:text/html;base64," PNG, "data:image/png," PNG, "data:image/png;base64,", "data:image/png;base64",
        "data:image/jpeg;base64," PNG, "data:image/png;base64,PHN2ZyB4bWxucz0i", "data:image/svg+xml;base64,PHN2ZyB4bWxucz0i", "data:image/png;base64,iVBORw0KGgo", "data:image/png;base64,iVBO\\nRw0KGgoAAAAN", "data:image/png;base64,iVBORw0K====", "data:image/;base64," PNG,
        "data:image/webp;base64," WAV, "data:image/0123456789abcdef;base64," PNG, "data:image/png;base64,=VBORw0KGgoAAAAN", "data:image/png;base64," PNG "A" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        static char body[1000];
        snprintf(body, sizeof body, PICTURE("%s"), bad[i]);
        CHECK(parse(LLM_CHAT, body) == FR_E_INVALID && strncmp(err.text, "messages[0].content[1].image_url.url: ", 38) == 0);
        if (strncmp(err.text, "messages[0].content[1].image_url.url: ", 38) != 0) printf("  %s: %s\n", bad[i], err.text);
    }
    CHECK(parse(LLM_CHAT, SOUND(PNG, "wav")) == FR_E_INVALID && parse(LLM_CHAT, SOUND(WAV, "mp3")) == FR_E_INVALID && parse(LLM_CHAT, SOUND(WEBP, "wav")) == FR_E_INVALID);
    CHECK(parse(LLM_CHAT, SOUND("//uQxAAAAAAAAAAA", "mp3")) == FR_OK && parse(LLM_CHAT, SOUND("SUQzBAAAAAAAAAAA", "mp3")) == FR_OK && parse(LLM_CHAT, SOUND("//////////////8A", "mp3")) == FR_E_INVALID);
    CHECK(parse(LLM_CHAT, SOUND("ZkxhQwAAACIAAAAA", "flac")) == FR_OK && parse(LLM_CHAT, SOUND("T2dnUwACAAAAAAAA", "ogg")) == FR_OK);
}

static void test_each_slip_is_named(void)
{
    static const struct { enum llm_kind kind; const char *body, *told; } cases[] = {
        { LLM_CHAT, "", "" }, { LLM_CHAT, "[]", "expected an object, got array" }, { LLM_CHAT, "{", "" }, { LLM_CHAT, "{}", "messages: " }, { LLM_CHAT, "{\"messages\":[],\"messages\":[]}", "" },
        { LLM_CHAT, CHAT(",\"temprature\":1"), "did you mean \"temperature\"?" }, { LLM_CHAT, CHAT(",\"prompt\":\"x\""), "unknown key" }, { LLM_EMBED, "{\"input\":\"x\",\"stream\":true}", "unknown key" },
        { LLM_CHAT, "{\"messages\":[]}", "messages: " }, { LLM_CHAT, MESSAGE("1"), "messages[0]: expected an object, got number" }, { LLM_CHAT, MESSAGE("{\"content\":\"x\"}"), "messages[0].role: " },
        { LLM_CHAT, MESSAGE("{\"role\":\"root\",\"content\":\"x\"}"), "messages[0].role: expected system" }, { LLM_CHAT, MESSAGE("{\"role\":\"user\"}"), "messages[0].content: expected a string" },
        { LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":1}"), "messages[0].content: " }, { LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":[]}"), "messages[0].content: " }, { LLM_CHAT, MESSAGE("{\"role\":\"assistant\",\"content\":null}"), "messages[0].content: " },
        { LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}"), "messages[0].content[0].text: " }, { LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"x\"},{\"type\":\"file\"}]}"), "messages[0].content[1].type: " },
        { LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"x\",\"contnt\":1}"), "messages[0]: unknown key" }, { LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"x\",\"refusal\":\"no\"}"), "messages[0].refusal: only null" },
        { LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"x\",\"tool_calls\":[{}]}"), "messages[0].tool_calls: only an assistant calls" }, { LLM_CHAT, MESSAGE("{\"role\":\"tool\",\"content\":\"x\"}"), "messages[0].tool_call_id: " },
        { LLM_CHAT, MESSAGE("{\"role\":\"user\",\"content\":\"x\",\"tool_call_id\":\"c\"}"), "messages[0].tool_call_id: " },
        { LLM_CHAT, MESSAGE("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"a b\",\"arguments\":\"\"}}]}"), "messages[0].tool_calls[0].function.name: " },
        { LLM_CHAT, MESSAGE("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"a\",\"arguments\":{}}}]}"), "messages[0].tool_calls[0].function.arguments: " },
        { LLM_CHAT, PICTURE("data:image/png;base64," PNG "\",\"x\":\"y"), "messages[0].content[1].image_url: unknown key" },
        { LLM_CHAT, CHAT(",\"temperature\":2.1"), "temperature: expected a number from 0 to 2" }, { LLM_CHAT, CHAT(",\"temperature\":\"1\""), "temperature: " }, { LLM_CHAT, CHAT(",\"temperature\":-1e999"), "" }, { LLM_CHAT, CHAT(",\"top_p\":1.01"), "top_p: " },
        { LLM_CHAT, CHAT(",\"presence_penalty\":-2.5"), "presence_penalty: " }, { LLM_CHAT, CHAT(",\"n\":0"), "n: " }, { LLM_CHAT, CHAT(",\"n\":9"), "n: " }, { LLM_CHAT, CHAT(",\"n\":1.5"), "n: " }, { LLM_CHAT, CHAT(",\"max_tokens\":0"), "max_tokens: " },
        { LLM_CHAT, CHAT(",\"max_tokens\":32769"), "max_tokens: " }, { LLM_CHAT, CHAT(",\"max_tokens\":1,\"max_completion_tokens\":1"), "max_tokens: " }, { LLM_CHAT, CHAT(",\"seed\":9007199254740993"), "seed: " }, { LLM_CHAT, CHAT(",\"stop\":\"\""), "stop: " },
        { LLM_CHAT, CHAT(",\"stop\":[]"), "stop: " }, { LLM_CHAT, CHAT(",\"stop\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]"), "stop: " }, { LLM_CHAT, CHAT(",\"stop\":[1]"), "stop: expected" },
        { LLM_CHAT, CHAT(",\"logit_bias\":{\"x\":1}"), "logit_bias: " }, { LLM_CHAT, CHAT(",\"logit_bias\":{\"1\":101}"), "logit_bias: " }, { LLM_CHAT, CHAT(",\"logprobs\":1"), "logprobs: " }, { LLM_CHAT, CHAT(",\"top_logprobs\":2"), "top_logprobs: only with" },
        { LLM_CHAT, CHAT(",\"stream\":1"), "stream: " }, { LLM_CHAT, CHAT(",\"stream_options\":{}"), "stream_options: only with" }, { LLM_CHAT, CHAT(",\"stream\":true,\"stream_options\":{\"x\":1}"), "stream_options: unknown key" },
        { LLM_CHAT, CHAT(",\"tools\":[]"), "tools: " }, { LLM_CHAT, CHAT(",\"tools\":[{\"type\":\"web\"}]"), "tools[0].type: " }, { LLM_CHAT, CHAT(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a.b\"}}]"), "tools[0].function.name: " },
        { LLM_CHAT, CHAT(",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\",\"parameters\":[]}}]"), "tools[0].function.parameters: " }, { LLM_CHAT, CHAT(",\"tool_choice\":\"auto\""), "tool_choice: there are no tools" },
        { LLM_CHAT, CHAT(",\"tools\":[" TOOL "],\"tool_choice\":\"any\""), "tool_choice: " }, { LLM_CHAT, CHAT(",\"tools\":[" TOOL "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"sub\"}}"), "tool_choice.function.name: no such function" },
        { LLM_CHAT, CHAT(",\"response_format\":{\"type\":\"xml\"}"), "response_format.type: " }, { LLM_CHAT, CHAT(",\"response_format\":{\"type\":\"json_schema\"}"), "response_format.json_schema: " },
        { LLM_CHAT, CHAT(",\"response_format\":{\"type\":\"text\",\"json_schema\":{}}"), "response_format.json_schema: only with" }, { LLM_CHAT, CHAT(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"schema\":1}}"), "response_format.json_schema.schema: " },
        { LLM_TEXT, "{}", "prompt: " }, { LLM_TEXT, "{\"prompt\":[\"a\",\"b\"]}", "prompt: " }, { LLM_TEXT, "{\"prompt\":[1,2]}", "prompt" }, { LLM_TEXT, "{\"prompt\":\"\"}", "prompt: " }, { LLM_TEXT, "{\"prompt\":\"x\",\"logprobs\":6}", "logprobs: " }, { LLM_TEXT, "{\"prompt\":\"x\",\"best_of\":2}", "unknown key" },
        { LLM_EMBED, "{}", "input: " }, { LLM_EMBED, "{\"input\":[]}", "input: " }, { LLM_EMBED, "{\"input\":[\"a\",\"\"]}", "input[1]: expected" }, { LLM_EMBED, "{\"input\":[1,2]}", "input[0]: expected" }, { LLM_EMBED, "{\"input\":\"a\",\"dimensions\":0}", "dimensions: " },
        { LLM_EMBED, "{\"input\":\"a\",\"encoding_format\":\"hex\"}", "encoding_format: " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum fr_status st = parse(cases[i].kind, cases[i].body);
        if (st != FR_E_INVALID || !strstr(err.text, cases[i].told)) printf("  %s\n  told: %s\n  want: %s\n", cases[i].body, err.text, cases[i].told);
        CHECK(st == FR_E_INVALID && strstr(err.text, cases[i].told) && err.text[0] && r.json == NULL);
        CHECK_TEXT(err.code, "llm_request");
    }
}

static void test_one_step_past_each_bound(void)
{
    static struct fr_buf b;
    static const struct { enum llm_kind kind; int most; const char *head, *one, *tail; } lists[] = {
        { LLM_CHAT, LLM_MESSAGES_MAX, "{\"messages\":[", "{\"role\":\"user\",\"content\":\"x\"}", "]}" },
        { LLM_EMBED, LLM_INPUTS_MAX, "{\"input\":[", "\"x\"", "]}" },
        { LLM_CHAT, LLM_TOOLS_MAX, "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[", TOOL, "]}" },
        { LLM_CHAT, LLM_PICTURES_MAX, "{\"messages\":[{\"role\":\"user\",\"content\":[", "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64," PNG "\"}}", "]}]}" },
        { LLM_CHAT, LLM_TOOL_CALLS_MAX, "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[", "{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"a\",\"arguments\":\"\"}}", "]}]}" },
    };
    fr_buf_init(&b, 4 << 20);
    for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
        for (int over = 0; over < 2; over++) {
            fr_buf_clear(&b);
            fr_buf_add(&b, lists[k].head);
            for (int i = 0; i < lists[k].most + over; i++) fr_buf_addf(&b, "%s%s", i ? "," : "", lists[k].one);
            fr_buf_add(&b, lists[k].tail);
            CHECK_INT(parse(lists[k].kind, b.data), over ? FR_E_INVALID : FR_OK);
        }
    for (int over = 0; over < 2; over++) {
        fr_buf_clear(&b);
        fr_buf_add(&b, "{\"max_tokens\":1,\"prompt\":\"");
        while (b.len < LLM_BODY_BYTES_MAX - 2 + (size_t)over) fr_buf_add_char(&b, 'x');
        fr_buf_add(&b, "\"}");
        CHECK_INT(parse(LLM_TEXT, b.data), over ? FR_E_LIMIT : FR_OK);
        CHECK(!over || strcmp(err.code, "llm_prompt_too_large") == 0);
    }
    fr_buf_free(&b);
}

static void sha_of(enum llm_kind kind, const char *body, uint8_t out[SHA256_BYTES])
{
    CHECK_INT(parse(kind, body), FR_OK);
    memcpy(out, r.sha, SHA256_BYTES);
}

static void test_the_digest_is_of_what_decides_the_answer(void)
{
    uint8_t a[SHA256_BYTES], b[SHA256_BYTES];
    sha_of(LLM_CHAT, CHAT(",\"temperature\":0,\"seed\":1"), a);
    sha_of(LLM_CHAT, "{\"user\":\"x\",\"seed\":1,\"stream\":true,\"model\":\"m\",\"temperature\":0.0,\"max_tokens\":256,\"top_p\":null,\"messages\":[{\"content\":\"hi\",\"role\":\"user\"}]}", b);
    CHECK(memcmp(a, b, SHA256_BYTES) == 0);
    static const char *const others[] = { CHAT(",\"temperature\":0,\"seed\":2"), CHAT(",\"temperature\":0,\"seed\":1,\"max_tokens\":255"), CHAT(",\"temperature\":0,\"seed\":1,\"stop\":\"x\""), MESSAGE("{\"role\":\"system\",\"content\":\"hi\"}"), CHAT(",\"temperature\":0,\"seed\":1,\"languages\":[\"ko\"]") };
    for (int i = 0; i < 5; i++) {
        sha_of(LLM_CHAT, others[i], b);
        CHECK(memcmp(a, b, SHA256_BYTES) != 0);
    }
    sha_of(LLM_TEXT, "{\"prompt\":\"x\"}", a);
    sha_of(LLM_TEXT, "{\"prompt\":[\"x\"]}", b);
    CHECK(memcmp(a, b, SHA256_BYTES) == 0);
    CHECK(parse(LLM_CHAT, CHAT(",\"temperature\":0")) == FR_OK && r.repeatable && parse(LLM_CHAT, CHAT(",\"seed\":7")) == FR_OK && r.repeatable && parse(LLM_CHAT, CHAT("")) == FR_OK && !r.repeatable);
    CHECK(parse(LLM_CHAT, CHAT(",\"temperature\":0,\"n\":2")) == FR_OK && !r.repeatable && parse(LLM_EMBED, "{\"input\":\"x\"}") == FR_OK && r.repeatable);
}

#define LONG "You are a patient teacher of arithmetic for children of eight years, and you never give the answer away."
static void test_calls_that_begin_alike_have_the_same_prefix(void)
{
    CHECK(parse(LLM_CHAT, MESSAGE("{\"role\":\"system\",\"content\":\"" LONG "\"},{\"role\":\"user\",\"content\":\"one\"}")) == FR_OK && r.prefix && r.talk);
    uint64_t prefix = r.prefix, talk = r.talk;
    CHECK(parse(LLM_CHAT, MESSAGE("{\"role\":\"system\",\"content\":\"" LONG "\"},{\"role\":\"user\",\"content\":\"two\"}")) == FR_OK && r.prefix == prefix && r.talk != talk);
    CHECK(parse(LLM_CHAT, MESSAGE("{\"role\":\"system\",\"content\":\"" LONG "\"},{\"role\":\"user\",\"content\":\"one\"},{\"role\":\"assistant\",\"content\":\"1\"},{\"role\":\"user\",\"content\":\"more\"}")) == FR_OK && r.prefix == prefix && r.talk == talk);
    CHECK(parse(LLM_CHAT, MESSAGE("{\"role\":\"system\",\"content\":\"" LONG "!\"},{\"role\":\"user\",\"content\":\"one\"}")) == FR_OK && r.prefix != prefix);
    CHECK(parse(LLM_CHAT, CHAT("")) == FR_OK && r.prefix == 0 && r.talk == 0);
    CHECK(parse(LLM_TEXT, "{\"prompt\":\"" LONG "\"}") == FR_OK && r.prefix && !r.talk);
}

static void test_tokens_are_estimated_from_above(void)
{
    CHECK_INT(llm_tokens_estimate(""), 0);
    CHECK_INT(llm_tokens_estimate("abc"), 1);
    CHECK_INT(llm_tokens_estimate("abcd"), 2);
    CHECK_INT(llm_tokens_estimate("12345"), 5);                            // small models spell numbers digit by digit
    CHECK_INT(llm_tokens_estimate("\xec\x95\x88\xeb\x85\x95"), 3);
}

static void test_shards_have_their_inputs(void)
{
    CHECK_INT(parse(LLM_EMBED, "{\"input\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"dimensions\":8,\"encoding_format\":\"base64\"}"), FR_OK);
    CHECK(r.inputs == 5 && r.answer_tokens_max == 0 && r.need == LLM_CAN_EMBED);
    CHECK_TEXT(printed("m", false, 0, 0), "{\"model\":\"m\",\"input\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"dimensions\":8,\"encoding_format\":\"base64\"}");
    CHECK_TEXT(printed("m", false, 0, 2), "{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"dimensions\":8,\"encoding_format\":\"base64\"}");
    CHECK_TEXT(printed("m", false, 4, 1), "{\"model\":\"m\",\"input\":[\"e\"],\"dimensions\":8,\"encoding_format\":\"base64\"}");
    CHECK(parse(LLM_EMBED, "{\"input\":\"a\"}") == FR_OK && r.inputs == 1);
    CHECK_TEXT(printed("m", false, 0, 0), "{\"model\":\"m\",\"input\":\"a\"}");
}

static char seen[200];
static void see(void *arg, const char *text) { (void)arg; snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s|", text); }

static void test_all_text_of_the_prompt(void)
{
    seen[0] = 0;
    CHECK_INT(parse(LLM_CHAT, MESSAGE("{\"role\":\"system\",\"content\":\"a\"},{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"b\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64," PNG "\"}},{\"type\":\"text\",\"text\":\"c\"}]},{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"d\"}}]}")), FR_OK);
    llm_request_texts(&r, see, NULL);
    CHECK_TEXT(seen, "a|b|c|d|");
    seen[0] = 0;
    CHECK_INT(parse(LLM_TEXT, "{\"prompt\":\"a\",\"suffix\":\"z\"}"), FR_OK);
    llm_request_texts(&r, see, NULL);
    CHECK_INT(parse(LLM_EMBED, "{\"input\":[\"e\",\"f\"]}"), FR_OK);
    llm_request_texts(&r, see, NULL);
    CHECK_INT(parse(LLM_EMBED, "{\"input\":\"g\"}"), FR_OK);
    llm_request_texts(&r, see, NULL);
    CHECK_TEXT(seen, "a|z|e|f|g|");
}

static void test_without_memory_it_says_so(void)
{
    for (int nth = 1; nth < 40; nth++) {
        fr_mem_fail_at(nth);
        enum fr_status st = parse(LLM_CHAT, CHAT(",\"tools\":[" TOOL "]"));
        fr_mem_fail_at(0);
        CHECK(st == FR_OK || (st == FR_E_NOMEM && r.json == NULL));
    }
}

int main(void)
{
    TEST(test_a_chat_in_its_normal_form);
    TEST(test_languages_are_named_and_go_to_no_backend);
    TEST(test_what_a_request_needs);
    TEST(test_pictures_are_sniffed_and_nothing_is_fetched);
    TEST(test_each_slip_is_named);
    TEST(test_one_step_past_each_bound);
    TEST(test_the_digest_is_of_what_decides_the_answer);
    TEST(test_calls_that_begin_alike_have_the_same_prefix);
    TEST(test_tokens_are_estimated_from_above);
    TEST(test_shards_have_their_inputs);
    TEST(test_all_text_of_the_prompt);
    TEST(test_without_memory_it_says_so);
    llm_request_clear(&r);
    printed("", false, 0, 0);
    return TEST_END();
}
