// values_test.c — values made for a schema fit that schema, and the same state makes the same value.
#include <string.h>
#include "base/check.h"
#include "cli/check.h"
#include "base/schema.h"

static const char *const schemas[] = {
    "{\"type\":\"object\",\"required\":[\"card\"],\"properties\":{\"card\":{\"type\":\"string\",\"minLength\":2,\"maxLength\":2},\"charge\":{\"enum\":[\"double\",\"shield\"]}}}",
    "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\",\"minimum\":-5,\"maximum\":-1},\"m\":{\"type\":\"integer\",\"minimum\":100},\"l\":{\"type\":\"integer\",\"maximum\":-100}}}",
    "{\"type\":\"array\",\"items\":{\"type\":\"boolean\"},\"minItems\":2,\"maxItems\":3}",
    "{\"type\":[\"string\",\"null\"],\"maxLength\":0}",
    "{\"type\":\"string\",\"format\":\"units\"}",
    "{\"type\":\"number\",\"minimum\":0,\"maximum\":1}",
    "{\"const\":{\"a\":[1,null]}}",
    "{\"type\":\"object\"}",
    "{\"enum\":[1,\"two\",null]}",
    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"x\"],\"properties\":{\"x\":{\"type\":\"integer\"}}}}",
};

static void test_values_fit_their_schema(void)
{
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        FR_AUTO(fr_json) schema = NULL;
        struct fr_err err;
        CHECK(fr_json_parse(schemas[i], strlen(schemas[i]), &schema, &err) == FR_OK);
        CHECK(schema_check(schema, "args", &err) == FR_OK);
        struct chance c = { i };
        for (int n = 0; n < 200; n++) {
            FR_AUTO_BUF(text);
            FR_AUTO(fr_json) value = NULL;
            fr_buf_init(&text, 65536);
            value_for_schema(&c, schema, &text);
            bool fits = fr_json_parse(text.data, text.len, &value, &err) == FR_OK && schema_fit(schema, value, "args", &err) == FR_OK;
            if (!fits) printf("  %s does not fit %s: %s\n", text.data, schemas[i], err.text);
            CHECK(fits);
        }
    }
}

static void test_no_schema_gives_an_empty_object(void)
{
    struct chance c = { 1 };
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 64);
    value_for_schema(&c, NULL, &text);
    CHECK_TEXT(text.data, "{}");
}

static void test_the_same_state_makes_the_same_numbers_and_all_of_them_come(void)
{
    struct chance a = { 42 }, b = { 42 };
    int seen[6] = { 0 };
    for (int i = 0; i < 600; i++) {
        int64_t n = chance_int(&a, 1, 6);
        CHECK(n >= 1 && n <= 6 && n == chance_int(&b, 1, 6));
        if (n >= 1 && n <= 6) seen[n - 1]++;
    }
    for (int i = 0; i < 6; i++) CHECK(seen[i] > 50);
}

int main(void)
{
    TEST(test_values_fit_their_schema);
    TEST(test_no_schema_gives_an_empty_object);
    TEST(test_the_same_state_makes_the_same_numbers_and_all_of_them_come);
    return TEST_END();
}
