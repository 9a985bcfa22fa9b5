// schema_json_test.c — good answers, chatty ones, wrong ones, and a backend that knows no schemas.
#include "llm/schema_json.h"
#include "llm/canned.h"

static const char *said_by[8];
static bool no_format;
static int formats;
static char last_told[600];

static void answer(int no, const struct fr_json *body, struct canned_said *said)
{
    if (fr_json_get(body, "response_format")) formats++;
    if (no_format && fr_json_get(body, "response_format")) {
        said->st = FR_E_INVALID;
        snprintf(said->code, sizeof said->code, "llm_request");
        return;
    }
    snprintf(last_told, sizeof last_told, "%s", canned_message(body, -1));
    fr_buf_add(&said->text, said_by[no]);
}

static enum fr_status not_seven(void *arg, const struct fr_json *value, struct fr_err *err)
{
    (void)arg;
    if (fr_json_number(fr_json_get(value, "n")) == 7) return FR_FAIL(err, FR_E_INVALID, "seven was asked before");
    return FR_OK;
}

static const char schema_text[] = "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"required\":[\"n\"]}";

static void ask(bool check)
{
    struct fr_err err;
    FR_AUTO(fr_json) schema = NULL;
    FR_AUTO_BUF(messages);
    struct llm_by by = canned_by();
    fr_buf_init(&messages, 10000);
    canned_forget();
    formats = 0;
    llm_message_add(&messages, "user", "a number");
    CHECK_INT(fr_json_parse(schema_text, strlen(schema_text), &schema, &err), FR_OK);
    struct llm_json_ask a = { .messages = &messages, .schema = schema, .name = "number", .max_tokens = 50, .check = check ? not_seven : NULL, .done = canned_done };
    CHECK_INT(llm_json_start(&by, &a, &err), FR_OK);
    CHECK_INT(ended.times, 0);
    canned_run(answer);
    CHECK_INT(ended.times, 1);
}

static void test_a_chatty_answer_is_understood(void)
{
    said_by[0] = "Sure! Here [it] is:\n```json\n{\"n\": 4}\n```\nAnything {else}?";
    ask(false);
    CHECK_TEXT(ended.json, "{\"n\":4}");
    CHECK_INT(ended.spent.calls, 1);
    CHECK_INT(formats, 1);
}

static void test_a_wrong_answer_is_repaired_and_told_why(void)
{
    said_by[0] = "{\"n\": 40}";
    said_by[1] = "{\"n\": 4}";
    ask(false);
    CHECK_TEXT(ended.json, "{\"n\":4}");
    CHECK_INT(ended.spent.calls, 2);
    CHECK(strstr(last_told, "answer.n: expected an integer from 1 to 9, got 40"));
}

static void test_a_check_of_the_callers_is_told_too(void)
{
    said_by[0] = "{\"n\": 7}";
    said_by[1] = "{\"n\": 7}";
    said_by[2] = "{\"n\": 8}";
    ask(true);
    CHECK_TEXT(ended.json, "{\"n\":8}");
    CHECK(strstr(last_told, "seven was asked before"));
}

static void test_what_never_fits_is_refused(void)
{
    said_by[0] = "I am sorry, I cannot do that.";
    said_by[1] = "{\"n\": 4";
    said_by[2] = "{\"n\": 4, \"also\": true}";
    said_by[3] = "{\"n\": 4}";
    ask(false);
    CHECK_TEXT(ended.code, "llm_invalid");
    CHECK(ended.json == NULL);
    CHECK_INT(ended.spent.calls, 1 + LLM_REPAIRS_MAX);
    CHECK(strstr(ended.text, "also"));
}

static void test_a_backend_without_schemas_is_asked_without(void)
{
    no_format = true;
    said_by[1] = "{\"n\": 2}";
    ask(false);
    no_format = false;
    CHECK_TEXT(ended.json, "{\"n\":2}");
    CHECK_INT(formats, 1);
}

static void test_a_failed_call_is_its_own_refusal(void)
{
    struct fr_err err;
    FR_AUTO_BUF(messages);
    struct llm_by by = canned_by();
    fr_buf_init(&messages, 20);
    llm_message_add(&messages, "user", "far too long for this");
    struct llm_json_ask a = { .messages = &messages, .done = canned_done };
    CHECK_INT(llm_json_start(&by, &a, &err), FR_E_LIMIT);
}

static bool first(const char *text, const char *want)
{
    FR_AUTO(fr_json) v = NULL;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 1000);
    if (!llm_json_first(text, &v)) return !want;
    fr_json_print(v, &out);
    return want && strcmp(out.data, want) == 0;
}

static void test_the_first_value_is_found(void)
{
    CHECK(first(" 12 ", "12"));
    CHECK(first("\"text\"", "\"text\""));
    CHECK(first("x { y } {\"a\":\"}\"} z", "{\"a\":\"}\"}"));
    CHECK(first("he said \" and then {\"a\":[1,2,{\"b\":\"\\\"]\"}]}", "{\"a\":[1,2,{\"b\":\"\\\"]\"}]}"));
    CHECK(first("[[[[", NULL));
    CHECK(first("nothing", NULL));
    CHECK(first("", NULL));
}

static void test_a_schema_is_spelled_out_for_backends(void)
{
    struct fr_err err;
    FR_AUTO(fr_json) s = NULL;
    FR_AUTO_BUF(out);
    fr_buf_init(&out, 4000);
    const char *text = "{\"type\":\"object\",\"properties\":{\"format\":{\"type\":\"string\",\"format\":\"units\"},\"l\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{}}}}}";
    CHECK_INT(fr_json_parse(text, strlen(text), &s, &err), FR_OK);
    llm_json_format(s, "x", &out);
    CHECK_TEXT(out.data, "{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"strict\":true,\"schema\":{\"type\":\"object\",\"properties\":{\"format\":{\"type\":\"string\",\"pattern\":\"^[0-9]{1,19}$\"},"
                         "\"l\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}}},\"additionalProperties\":false}}}");
}

int main(void)
{
    TEST(test_a_chatty_answer_is_understood);
    TEST(test_a_wrong_answer_is_repaired_and_told_why);
    TEST(test_a_check_of_the_callers_is_told_too);
    TEST(test_what_never_fits_is_refused);
    TEST(test_a_backend_without_schemas_is_asked_without);
    TEST(test_a_failed_call_is_its_own_refusal);
    TEST(test_the_first_value_is_found);
    TEST(test_a_schema_is_spelled_out_for_backends);
    canned_forget();
    return TEST_END();
}
