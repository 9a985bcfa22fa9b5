// palm_api_test.c — each method there and back, each bound and one step past it.
#include "llm/palm_api.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/check.h"
#include "base/mem.h"

static struct palm_request request;
static struct fr_err why;

static const char *ours(enum palm_method m, const char *model, const char *body)
{
    palm_request_clear(&request);
    if (palm_request_read(m, model, body, strlen(body), &request, &why) != FR_OK) return why.text;
    return request.body.data;
}

static const char *theirs(const char *json)
{
    static char text[4000];
    FR_AUTO_BUF(out);
    fr_buf_init(&out, sizeof text);
    if (palm_answer_print(&request, json, strlen(json), &out, &why) != FR_OK) return why.text;
    snprintf(text, sizeof text, "%s", out.data);
    return text;
}

static void test_generate_text(void)
{
    CHECK_TEXT(ours(PALM_GENERATE_TEXT, "m", "{\"prompt\":{\"text\":\"Hi \\\"x\\\"\"}}"), "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi \\\"x\\\"\"}],\"max_tokens\":64}");
    CHECK_INT(request.kind, LLM_CHAT);
    CHECK_TEXT(ours(PALM_GENERATE_TEXT, "text-bison-001",
                    "{\"model\":\"models/text-bison-001\",\"prompt\":{\"text\":\"a\"},\"temperature\":0.5,\"candidateCount\":8,\"maxOutputTokens\":5,\"topP\":0.9,\"topK\":40,\"stopSequences\":[\"END\",\"b\",\"c\",\"d\",\"e\"]}"),
               "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"n\":8,\"temperature\":0.5,\"top_p\":0.9,\"max_tokens\":5,\"stop\":[\"END\",\"b\",\"c\",\"d\",\"e\"]}");
    CHECK_TEXT(request.model, "");
    CHECK_TEXT(ours(PALM_GENERATE_TEXT, "m", "{\"prompt\":{\"text\":\"a\"},\"candidate_count\":2,\"max_output_tokens\":7,\"top_p\":1,\"top_k\":1,\"temperature\":1}"),
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"n\":2,\"temperature\":0,\"top_p\":1,\"max_tokens\":7}");
    CHECK_TEXT(theirs("{\"choices\":[{\"message\":{\"content\":\"one\"},\"finish_reason\":\"stop\"},{\"message\":{\"content\":\"\"},\"finish_reason\":\"length\"}]}"), "{\"candidates\":[{\"output\":\"one\"},{\"output\":\"\"}]}");
}

static void test_stop_text_is_never_part_of_it(void)
{
    ours(PALM_GENERATE_TEXT, "m", "{\"prompt\":{\"text\":\"a\"},\"stopSequences\":[\"###\",\"END\"]}");
    CHECK_TEXT(theirs("{\"choices\":[{\"message\":{\"content\":\"one END two ### three\"}},{\"message\":{\"content\":\"###\"}},{\"message\":{\"content\":\"EN\"}}]}"), "{\"candidates\":[{\"output\":\"one \"},{\"output\":\"\"},{\"output\":\"EN\"}]}");
}

static void test_what_is_refused_names_the_member(void)
{
    static const struct { enum palm_method m; const char *body, *says; } cases[] = {
        { PALM_GENERATE_TEXT, "[]", "the body must be an object" },
        { PALM_GENERATE_TEXT, "{", "" },
        { PALM_GENERATE_TEXT, "{}", "prompt" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{}}", "prompt.text" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"\"}}", "prompt.text" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":7}}", "prompt.text" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"temprature\":1}", "temperature" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"temperature\":1.01}", "temperature" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"temperature\":-0.1}", "temperature" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"temperature\":\"1\"}", "temperature" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"candidateCount\":0}", "candidateCount" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"candidateCount\":9}", "candidateCount" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"candidateCount\":1.5}", "candidateCount" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"topP\":1.1}", "topP" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"topK\":0}", "topK" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"maxOutputTokens\":0}", "maxOutputTokens" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"stopSequences\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]}", "stopSequences" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"stopSequences\":[\"\"]}", "stopSequences" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"stopSequences\":\"x\"}", "stopSequences" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"model\":\"models/other\"}", "model" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"safetySettings\":{}}", "safetySettings" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"safetySettings\":[{\"category\":7,\"threshold\":1}]}", "safetySettings" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"safetySettings\":[{\"category\":\"HARM\",\"threshold\":1}]}", "safetySettings" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"safetySettings\":[{\"category\":1,\"threshold\":5}]}", "safetySettings" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"safetySettings\":[{\"threshold\":1}]}", "safetySettings" },
        { PALM_GENERATE_TEXT, "{\"prompt\":{\"text\":\"a\"},\"safetySettings\":[{\"category\":1,\"threshold\":1},{\"category\":\"HARM_CATEGORY_DEROGATORY\",\"threshold\":2}]}", "twice" },
        { PALM_GENERATE_MESSAGE, "{\"prompt\":{\"messages\":[]}}", "prompt.messages" },
        { PALM_GENERATE_MESSAGE, "{\"prompt\":{\"messages\":[{\"author\":\"a\"}]}}", "prompt.messages.content" },
        { PALM_GENERATE_MESSAGE, "{\"prompt\":{\"messages\":[7]}}", "prompt.messages" },
        { PALM_GENERATE_MESSAGE, "{\"prompt\":{\"examples\":[{\"input\":{\"content\":\"a\"}}],\"messages\":[{\"content\":\"a\"}]}}", "prompt.examples.output" },
        { PALM_GENERATE_MESSAGE, "{\"prompt\":{\"messages\":[{\"content\":\"a\"}]},\"maxOutputTokens\":5}", "maxOutputTokens" },
        { PALM_EMBED_TEXT, "{}", "text" },
        { PALM_EMBED_TEXT, "{\"text\":\"\"}", "text" },
        { PALM_BATCH_EMBED_TEXT, "{\"texts\":[]}", "texts" },
        { PALM_BATCH_EMBED_TEXT, "{\"texts\":[\"a\",7]}", "texts" },
        { PALM_COUNT_TEXT_TOKENS, "{\"prompt\":{\"messages\":[]}}", "prompt" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        palm_request_clear(&request);
        CHECK_INT(palm_request_read(cases[i].m, "m", cases[i].body, strlen(cases[i].body), &request, &why), FR_E_INVALID);
        CHECK_TEXT(why.code, "llm_request");
        if (!strstr(why.text, cases[i].says)) CHECK_TEXT(why.text, cases[i].says);
        CHECK_INT(palm_error_status(&why), 400);
    }
    char model[100];
    memset(model, 'm', sizeof model);
    model[LLM_NAME_BYTES] = 0;
    palm_request_clear(&request);
    CHECK_INT(palm_request_read(PALM_EMBED_TEXT, model, "{\"text\":\"a\"}", 12, &request, &why), FR_E_NOT_FOUND);
    CHECK_TEXT(why.code, "model_unknown");
}

static void test_a_conversation_keeps_who_is_who(void)
{
    CHECK_TEXT(ours(PALM_GENERATE_MESSAGE, "m",
                    "{\"prompt\":{\"context\":\"Be brief.\",\"examples\":[{\"input\":{\"content\":\"1+1\"},\"output\":{\"content\":\"2\"}}],"
                    "\"messages\":[{\"author\":\"Ann\",\"content\":\"hi\"},{\"author\":\"Bot\",\"content\":\"hello\"},{\"author\":\"Ann\",\"content\":\"2+2\"}]},\"candidateCount\":2,\"temperature\":0}"),
               "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"1+1\"},{\"role\":\"assistant\",\"content\":\"2\"},"
               "{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":\"hello\"},{\"role\":\"user\",\"content\":\"2+2\"}],\"n\":2,\"temperature\":0}");
    CHECK_TEXT(theirs("{\"choices\":[{\"message\":{\"content\":\"4\"}},{\"message\":{\"content\":\"four\"}}]}"),
               "{\"candidates\":[{\"author\":\"Bot\",\"content\":\"4\"},{\"author\":\"Bot\",\"content\":\"four\"}],"
               "\"messages\":[{\"author\":\"Ann\",\"content\":\"hi\"},{\"author\":\"Bot\",\"content\":\"hello\"},{\"author\":\"Ann\",\"content\":\"2+2\"}]}");
    CHECK_TEXT(ours(PALM_GENERATE_MESSAGE, "m", "{\"prompt\":{\"messages\":[{\"content\":\"a\"},{\"content\":\"b\"},{\"content\":\"c\"}]}}"),
               "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"},{\"role\":\"user\",\"content\":\"c\"}]}");
    CHECK_TEXT(theirs("{\"choices\":[{\"message\":{\"content\":\"d\"}}]}"),
               "{\"candidates\":[{\"author\":\"1\",\"content\":\"d\"}],\"messages\":[{\"author\":\"0\",\"content\":\"a\"},{\"author\":\"1\",\"content\":\"b\"},{\"author\":\"0\",\"content\":\"c\"}]}");
    ours(PALM_GENERATE_MESSAGE, "m", "{\"prompt\":{\"messages\":[{\"author\":\"1\",\"content\":\"a\"}]}}");
    CHECK_TEXT(theirs("{\"choices\":[{\"message\":{\"content\":\"d\"}}]}"), "{\"candidates\":[{\"author\":\"0\",\"content\":\"d\"}],\"messages\":[{\"author\":\"1\",\"content\":\"a\"}]}");
}

static void test_embeddings(void)
{
    CHECK_TEXT(ours(PALM_EMBED_TEXT, "embedding-gecko-001", "{\"text\":\"a\"}"), "{\"input\":\"a\"}");
    CHECK_INT(request.kind, LLM_EMBED);
    CHECK_TEXT(theirs("{\"data\":[{\"embedding\":[0.25,-1]}]}"), "{\"embedding\":{\"value\":[0.25,-1]}}");
    CHECK_TEXT(ours(PALM_BATCH_EMBED_TEXT, "m", "{\"texts\":[\"a\",\"b\"]}"), "{\"model\":\"m\",\"input\":[\"a\",\"b\"]}");
    CHECK_TEXT(theirs("{\"data\":[{\"embedding\":[1]},{\"embedding\":[2,3]}]}"), "{\"embeddings\":[{\"value\":[1]},{\"value\":[2,3]}]}");
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 10000);
    for (int i = 0; i <= PALM_BATCH_MAX; i++) fr_buf_addf(&b, "%s\"x\"", i ? "," : "{\"texts\":[");
    fr_buf_add(&b, "]}");
    CHECK(strstr(ours(PALM_BATCH_EMBED_TEXT, "m", b.data), "1 to 100") != NULL);
}

static void test_nonsense_from_a_backend_is_known(void)
{
    static const char *const bad[] = { "", "{", "[]", "{}", "{\"choices\":7}", "{\"choices\":[]}", "null" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FR_AUTO_BUF(out);
        fr_buf_init(&out, 1000);
        ours(PALM_GENERATE_TEXT, "m", "{\"prompt\":{\"text\":\"a\"}}");
        CHECK_INT(palm_answer_print(&request, bad[i], strlen(bad[i]), &out, &why), FR_E_IO);
        CHECK_TEXT(why.code, "llm_nonsense");
    }
    ours(PALM_EMBED_TEXT, "m", "{\"text\":\"a\"}");
    CHECK(strstr(theirs("{\"data\":[{\"embedding\":\"AAAA\"}]}"), "embedding") != NULL);
    ours(PALM_GENERATE_TEXT, "m", "{\"prompt\":{\"text\":\"a\"}}");
    CHECK_TEXT(theirs("{\"choices\":[{\"message\":{\"content\":null}}]}"), "{\"candidates\":[{\"output\":\"\"}]}");
}

static void test_what_the_filter_refused_has_no_candidates(void)
{
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4000);
    ours(PALM_GENERATE_TEXT, "m", "{\"prompt\":{\"text\":\"a\"},\"safety_settings\":[{\"category\":\"HARM_CATEGORY_MEDICAL\",\"threshold\":3},{\"category\":1,\"threshold\":\"BLOCK_LOW_AND_ABOVE\"}]}");
    palm_refused_print(&request, "no", &out);
    CHECK_TEXT(out.data, "{\"candidates\":[],\"filters\":[{\"reason\":\"OTHER\",\"message\":\"no\"}],\"safetyFeedback\":["
                         "{\"rating\":{\"category\":\"HARM_CATEGORY_MEDICAL\",\"probability\":\"HIGH\"},\"setting\":{\"category\":\"HARM_CATEGORY_MEDICAL\",\"threshold\":\"BLOCK_ONLY_HIGH\"}},"
                         "{\"rating\":{\"category\":\"HARM_CATEGORY_DEROGATORY\",\"probability\":\"HIGH\"},\"setting\":{\"category\":\"HARM_CATEGORY_DEROGATORY\",\"threshold\":\"BLOCK_LOW_AND_ABOVE\"}}]}");
    const char *some = theirs("{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":\"content_filter\"},{\"message\":{\"content\":\"y\"},\"finish_reason\":\"stop\"}]}");
    CHECK(strstr(some, "{\"candidates\":[{\"output\":\"y\"}],\"filters\":[") == some);
}

static void test_errors_have_googles_shape(void)
{
    static const struct { enum fr_status st; const char *code; int http_status; const char *name; } cases[] = {
        { FR_E_INVALID, "llm_request", 400, "INVALID_ARGUMENT" }, { FR_E_AUTH, "key_unknown", 400, "INVALID_ARGUMENT" }, { FR_E_AUTH, "key_missing", 403, "PERMISSION_DENIED" }, { FR_E_DENIED, "player_blocked", 403, "PERMISSION_DENIED" },
        { FR_E_NOT_FOUND, "model_unknown", 404, "NOT_FOUND" }, { FR_E_LIMIT, "llm_rate", 429, "RESOURCE_EXHAUSTED" }, { FR_E_FUNDS, "llm_funds", 429, "RESOURCE_EXHAUSTED" },
        { FR_E_BUSY, "llm_down", 503, "UNAVAILABLE" }, { FR_E_TIMEOUT, "llm_deadline", 504, "DEADLINE_EXCEEDED" }, { FR_E_LIMIT, "too_large", 400, "INVALID_ARGUMENT" },
        { FR_E_INTERNAL, "internal", 500, "INTERNAL" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fr_err err;
        char want[200];
        FR_AUTO_BUF(out);
        fr_buf_init(&out, 1000);
        FR_IGNORE(FR_FAIL_CODE(&err, cases[i].st, cases[i].code, "why"));     // what is printed
        CHECK_INT(palm_error_status(&err), cases[i].http_status);
        palm_error_print(&err, "a \"text\"", &out);
        snprintf(want, sizeof want, "{\"error\":{\"code\":%d,\"message\":\"a \\\"text\\\"\",\"status\":\"%s\"}}", cases[i].http_status, cases[i].name);
        CHECK_TEXT(out.data, want);
    }
}

static void test_models(void)
{
    static const char list[] = "[{\"id\":\"a\",\"can\":[\"chat\",\"json\"],\"context\":2048},{\"id\":\"b\",\"can\":[\"embed\"]},{\"id\":\"c\"}]";
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4000);
    CHECK(palm_models_print(list, sizeof list - 1, 2, "", &out, &why) == FR_OK);
    CHECK_TEXT(out.data, "{\"models\":[{\"name\":\"models/a\",\"baseModelId\":\"a\",\"version\":\"001\",\"displayName\":\"a\",\"inputTokenLimit\":2048,\"outputTokenLimit\":2048,"
                         "\"supportedGenerationMethods\":[\"generateText\",\"generateMessage\",\"countTextTokens\",\"countMessageTokens\"]},"
                         "{\"name\":\"models/b\",\"baseModelId\":\"b\",\"version\":\"001\",\"displayName\":\"b\",\"supportedGenerationMethods\":[\"embedText\",\"batchEmbedText\"]}],\"nextPageToken\":\"2\"}");
    fr_buf_clear(&out);
    CHECK(palm_models_print(list, sizeof list - 1, 0, "2", &out, &why) == FR_OK);
    CHECK_TEXT(out.data, "{\"models\":[{\"name\":\"models/c\",\"baseModelId\":\"c\",\"version\":\"001\",\"displayName\":\"c\",\"supportedGenerationMethods\":[]}]}");
    CHECK(palm_models_print(list, sizeof list - 1, 0, "4", &out, &why) == FR_E_INVALID);
    CHECK(palm_models_print(list, sizeof list - 1, 0, "-1", &out, &why) == FR_E_INVALID);
    CHECK(palm_models_print(list, sizeof list - 1, 0, "x", &out, &why) == FR_E_INVALID);
    fr_buf_clear(&out);
    CHECK(palm_model_print(list, sizeof list - 1, "b", &out, &why) == FR_OK && strstr(out.data, "models/b"));
    CHECK(palm_model_print(list, sizeof list - 1, "z", &out, &why) == FR_E_NOT_FOUND);
}

static void test_methods_by_name(void)
{
    enum palm_method m;
    CHECK(palm_method_parse("countMessageTokens", &m) && m == PALM_COUNT_MESSAGE_TOKENS);
    CHECK(!palm_method_parse("generatetext", &m) && !palm_method_parse("", &m));
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 100);
    palm_count_print(17, &out);
    CHECK_TEXT(out.data, "{\"tokenCount\":17}");
}

static void test_no_memory_is_told(void)
{
    static const char body[] = "{\"prompt\":{\"text\":\"a\"},\"stopSequences\":[\"x\",\"y\"]}";
    for (int nth = 1; nth < 8; nth++) {
        palm_request_clear(&request);
        fr_mem_fail_at(nth);
        enum fr_status st = palm_request_read(PALM_GENERATE_TEXT, "m", body, sizeof body - 1, &request, &why);
        fr_mem_fail_at(0);
        CHECK(st == FR_OK || st == FR_E_NOMEM || st == FR_E_LIMIT);
    }
}

int main(void)
{
    TEST(test_generate_text);
    TEST(test_stop_text_is_never_part_of_it);
    TEST(test_what_is_refused_names_the_member);
    TEST(test_a_conversation_keeps_who_is_who);
    TEST(test_embeddings);
    TEST(test_nonsense_from_a_backend_is_known);
    TEST(test_what_the_filter_refused_has_no_candidates);
    TEST(test_errors_have_googles_shape);
    TEST(test_models);
    TEST(test_methods_by_name);
    TEST(test_no_memory_is_told);
    palm_request_clear(&request);
    return TEST_END();
}
