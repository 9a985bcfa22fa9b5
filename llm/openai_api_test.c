// openai_api_test.c — errors as OpenAI's clients read them, and what surrounds a stream.
#include "llm/openai_api.h"
#include <string.h>
#include "base/check.h"

static void test_errors_have_openais_shape(void)
{
    static const struct { enum fr_status st; const char *code, *text; int http_status; const char *want; } cases[] = {
        { FR_E_AUTH, "key_unknown", "no", 401, "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"invalid_api_key\"}}" },
        { FR_E_NOT_FOUND, "model_unknown", "no", 404, "{\"error\":{\"message\":\"no\",\"type\":\"invalid_request_error\",\"param\":\"model\",\"code\":\"model_not_found\"}}" },
        { FR_E_INVALID, "llm_request", "messages[0].content: expected a string", 400, "{\"error\":{\"message\":\"messages[0].content: expected a string\",\"type\":\"invalid_request_error\",\"param\":\"messages[0].content\",\"code\":\"llm_request\"}}" },
        { FR_E_INVALID, "llm_request", "not like: this", 400, "{\"error\":{\"message\":\"not like: this\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"llm_request\"}}" },
        { FR_E_LIMIT, "llm_prompt_too_large", "x", 400, "{\"error\":{\"message\":\"x\",\"type\":\"invalid_request_error\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}" },
        { FR_E_LIMIT, "llm_rate", "x", 429, "{\"error\":{\"message\":\"x\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"rate_limit_exceeded\"}}" },
        { FR_E_FUNDS, "llm_funds", "x", 429, "{\"error\":{\"message\":\"x\",\"type\":\"insufficient_quota\",\"param\":null,\"code\":\"insufficient_quota\"}}" },
        { FR_E_DENIED, "key_scope", "x", 403, "{\"error\":{\"message\":\"x\",\"type\":\"permission_error\",\"param\":null,\"code\":\"key_scope\"}}" },
        { FR_E_BUSY, "llm_down", "no pod at 10.0.0.7:8000", 503, "{\"error\":{\"message\":\"no server with this model is up just now: try again later\",\"type\":\"server_error\",\"param\":null,\"code\":\"llm_down\"}}" },
        { FR_E_LIMIT, "something", "x", 429, "{\"error\":{\"message\":\"x\",\"type\":\"rate_limit_error\",\"param\":null,\"code\":\"something\"}}" },
        { FR_E_IO, "llm_backend", "10.0.0.7:8000 said 500", 502, "{\"error\":{\"message\":\"the model's server failed at this: try again\",\"type\":\"server_error\",\"param\":null,\"code\":\"llm_backend\"}}" },
        { FR_E_IO, "disk", "/secret", 503, "{\"error\":{\"message\":\"the host cannot do this just now: try again\",\"type\":\"server_error\",\"param\":null,\"code\":\"disk\"}}" },
        { FR_E_INTERNAL, "internal", "secret", 500, "{\"error\":{\"message\":\"the host failed at this; the operator's log has the reason\",\"type\":\"server_error\",\"param\":null,\"code\":\"internal\"}}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fr_err err;
        FR_AUTO_BUF(out);
        fr_buf_init(&out, 2000);
        FR_IGNORE(FR_FAIL_CODE(&err, cases[i].st, cases[i].code, "%s", cases[i].text));     // what is printed
        openai_error_print(&err, llm_public_text(&err), &out);
        CHECK_INT(openai_error_status(&err), cases[i].http_status);
        CHECK_TEXT(out.data, cases[i].want);
    }
}

static bool asks(const char *body, bool *usage)
{
    bool stream;
    openai_stream_asked(body, strlen(body), &stream, usage);
    return stream;
}

static void test_what_was_asked_of_a_stream(void)
{
    bool usage;
    CHECK(asks("{\"stream\":true}", &usage) && !usage);
    CHECK(asks("{\"stream\":true,\"stream_options\":{\"include_usage\":true}}", &usage) && usage);
    CHECK(!asks("{\"stream\":false}", &usage) && !usage);
    CHECK(!asks("{\"stream\":\"true\"}", &usage));
    CHECK(!asks("[]", &usage) && !asks("{", &usage) && !asks("", &usage));
}

static bool is_usage(const char *json) { return openai_event_is_usage(json, strlen(json)); }

static void test_usage_is_told_once_and_by_us(void)
{
    struct llm_end end = { .json = "{\"id\":\"x\",\"created\":7,\"model\":\"m\"}", .json_len = 34, .prompt_tokens = 3, .answer_tokens = 4 };
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2000);
    openai_usage_event(LLM_CHAT, &end, &out);
    CHECK_TEXT(out.data, "{\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}");
    CHECK(is_usage(out.data));
    end = (struct llm_end){ 0 };
    fr_buf_clear(&out);
    openai_usage_event(LLM_TEXT, &end, &out);
    CHECK_TEXT(out.data, "{\"id\":\"\",\"object\":\"text_completion\",\"created\":0,\"model\":\"\",\"choices\":[],\"usage\":{\"prompt_tokens\":0,\"completion_tokens\":0,\"total_tokens\":0}}");
    CHECK(!is_usage("{\"choices\":[{}],\"usage\":{}}"));
    CHECK(!is_usage("{\"choices\":[],\"usage\":null}"));
    CHECK(is_usage("{\"usage\":{}}"));
    CHECK(!is_usage("{\"choices\":[{\"usage\":{}}]}"));
    CHECK(!is_usage("[\"usage\"]"));
    CHECK(!is_usage("{\"choices\":[{\"delta\":{\"content\":\"\\\"usage\\\"\"}}]}"));
}

static void test_a_whole_answer_as_one_event(void)
{
    static const char chat[] = "{\"id\":\"x\",\"created\":7,\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\"}},{\"id\":\"b\"}]},\"finish_reason\":\"stop\"},"
                               "{\"message\":{\"content\":null},\"finish_reason\":null,\"logprobs\":{\"content\":[]}}]}";
    struct llm_end end = { .json = chat, .json_len = sizeof chat - 1 };
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 2000);
    openai_answer_event(LLM_CHAT, &end, &out);
    CHECK_TEXT(out.data, "{\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"hi\",\"tool_calls\":["
                         "{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\"}},{\"index\":1,\"id\":\"b\"}]},\"logprobs\":null,\"finish_reason\":\"stop\"},"
                         "{\"index\":1,\"delta\":{\"content\":null},\"logprobs\":{\"content\":[]},\"finish_reason\":null}]}");
    static const char text[] = "{\"id\":\"x\",\"choices\":[{\"text\":\"a\",\"finish_reason\":\"length\"}]}";
    end = (struct llm_end){ .json = text, .json_len = sizeof text - 1 };
    fr_buf_clear(&out);
    openai_answer_event(LLM_TEXT, &end, &out);
    CHECK_TEXT(out.data, "{\"id\":\"x\",\"object\":\"text_completion\",\"created\":0,\"model\":\"\",\"choices\":[{\"index\":0,\"text\":\"a\",\"logprobs\":null,\"finish_reason\":\"length\"}]}");
}

static void test_one_model_of_the_list(void)
{
    static const char list[] = "[{\"id\":\"a\",\"object\":\"model\"},{\"id\":\"b/c\",\"object\":\"model\"},7]";
    FR_AUTO_BUF(out);
    struct fr_err err;
    fr_buf_init(&out, 2000);
    CHECK(openai_model_print(list, sizeof list - 1, "b/c", &out, &err) == FR_OK);
    CHECK_TEXT(out.data, "{\"id\":\"b/c\",\"object\":\"model\"}");
    CHECK(openai_model_print(list, sizeof list - 1, "z", &out, &err) == FR_E_NOT_FOUND);
    CHECK_TEXT(err.code, "model_unknown");
}

int main(void)
{
    TEST(test_errors_have_openais_shape);
    TEST(test_what_was_asked_of_a_stream);
    TEST(test_usage_is_told_once_and_by_us);
    TEST(test_a_whole_answer_as_one_event);
    TEST(test_one_model_of_the_list);
    return TEST_END();
}
