// schema_test.c — what may stand in a manifest's schema, and which values fit it, as tables.
#include "base/schema.h"
#include <stdlib.h>
#include "base/check.h"

static struct fr_json *parsed(const char *text)
{
    struct fr_json *doc = NULL;
    struct fr_err err = { 0 };
    if (fr_json_parse(text, strlen(text), &doc, &err) != FR_OK) { printf("  %s: %s\n", text, err.text); abort(); }
    return doc;
}

// `want` is the error's text, or "" when it must be accepted.
static void checked(const char *schema, const char *want)
{
    struct fr_err err = { 0 };
    FR_AUTO(fr_json) doc = parsed(schema);
    enum fr_status st = schema_check(doc, "calls.greet.args", &err);
    CHECK_TEXT(st == FR_OK ? "" : err.text, want);
}

static void fits(const char *schema, const char *value, const char *want)
{
    struct fr_err err = { 0 };
    FR_AUTO(fr_json) s = schema ? parsed(schema) : NULL;
    FR_AUTO(fr_json) v = value ? parsed(value) : NULL;
    if (s) CHECK(schema_check(s, "s", &err) == FR_OK);
    enum fr_status st = schema_fit(s, v, "args", &err);
    if (v && fr_json_kind(v) == JSON_OBJECT && schema_takes_any_object(s)) CHECK_INT(st, FR_OK);
    CHECK_TEXT(st == FR_OK ? "" : err.text, want);
    if (st != FR_OK) { CHECK_INT(st, FR_E_INVALID); CHECK_TEXT(err.code, "bad_arguments"); }
}

#define AT "calls.greet.args"
static void test_schemas_that_are_understood(void)
{
    checked("{}", "");
    checked("{\"description\":\"anything\"}", "");
    checked("{\"type\":\"object\"}", "");
    checked("{\"type\":[\"string\",\"null\"],\"maxLength\":3}", "");
    checked("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"default\":1}},\"required\":[\"a\"],\"additionalProperties\":true}", "");
    checked("{\"type\":\"array\",\"items\":{\"enum\":[\"a\",\"b\"]},\"minItems\":1,\"maxItems\":2}", "");
    checked("{\"type\":\"string\",\"format\":\"units\",\"title\":\"stake\"}", "");
    checked("{\"const\":7}", "");
}

static void test_schemas_that_are_refused(void)
{
    checked("[]", AT ": expected a schema (an object), got array");
    checked("{\"typ\":\"object\"}", AT ": unknown key \"typ\", did you mean \"type\"?");
    checked("{\"type\":\"int\"}", AT ".type: expected one of object, array, string, integer, number, boolean, null, or a list of them, got \"int\"");
    checked("{\"type\":7}", AT ".type: expected one of object, array, string, integer, number, boolean, null, or a list of them, got number");
    checked("{\"type\":[]}", AT ".type: expected at least one type, got an empty list");
    checked("{\"type\":[\"null\",\"null\"]}", AT ".type: \"null\" stands there twice");
    checked("{\"type\":[\"null\",3]}", AT ".type: expected one of object, array, string, integer, number, boolean, null, or a list of them, got number");
    checked("{\"type\":\"object\",\"properties\":[]}", AT ".properties: expected an object of schemas by name, got array");
    checked("{\"type\":\"object\",\"properties\":{\"\":{}}}", AT ".properties: a property without a name");
    checked("{\"type\":\"object\",\"properties\":{\"a\":3}}", AT ".properties.a: expected a schema (an object), got number");
    checked("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"minimum\":1}}}}",
            AT ".properties.a.items: minimum needs \"type\" to be number or integer");
    checked("{\"type\":\"object\",\"required\":\"a\"}", AT ".required: expected a list of property names, got string");
    checked("{\"type\":\"object\",\"required\":[1]}", AT ".required[0]: expected a property name, got number");
    checked("{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\",\"b\"]}", AT ".required[1]: \"b\" is not among the properties");
    checked("{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\",\"a\"]}", AT ".required[1]: \"a\" stands there twice");
    checked("{\"type\":\"object\",\"additionalProperties\":{}}", AT ".additionalProperties: expected true or false, got object");
    checked("{\"type\":\"string\",\"minLength\":-1}", AT ".minLength: expected an integer from 0 up, got number");
    checked("{\"type\":\"string\",\"maxLength\":1.5}", AT ".maxLength: expected an integer from 0 up, got number");
    checked("{\"type\":\"string\",\"minLength\":3,\"maxLength\":2}", AT ": minLength is over maxLength: nothing would fit");
    checked("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}", AT ": minimum is over maximum: nothing would fit");
    checked("{\"type\":\"integer\",\"minimum\":\"3\"}", AT ".minimum: expected a number, got string");
    checked("{\"type\":\"integer\",\"minLength\":3}", AT ": minLength needs \"type\" to be string");
    checked("{\"properties\":{}}", AT ": properties needs \"type\" to be object");
    checked("{\"type\":\"string\",\"format\":\"email\"}", AT ".format: \"units\" is the only format known here");
    checked("{\"enum\":[]}", AT ".enum: expected 1 to 64 values, got 0");
    checked("{\"enum\":[1,2,1.0]}", AT ".enum: the same value stands there twice");
    checked("{\"title\":3}", AT ".title: expected a string, got number");
    checked("{\"type\":\"string\",\"pattern\":\"^a\"}",
            AT ": unknown key \"pattern\"; known are: type, properties, required, additionalProperties, items, minItems, maxItems, enum, const, minimum, maximum, "
               "minLength, maxLength, format, description, title, default");
}

static void test_counts_one_step_past_their_bounds(void)
{
    for (int extra = 0; extra < 2; extra++) {
        FR_AUTO_BUF(text);
        fr_buf_init(&text, 64 * 1024);
        fr_buf_add(&text, "{\"type\":\"object\",\"properties\":{");
        for (int i = 0; i < SCHEMA_PROPERTIES_MAX + extra; i++) fr_buf_addf(&text, "%s\"p%d\":{}", i ? "," : "", i);
        fr_buf_add(&text, "}}");
        checked(text.data, extra ? AT ".properties: 65 properties, and 64 are the most" : "");
        fr_buf_clear(&text);
        fr_buf_add(&text, "{\"enum\":[");
        for (int i = 0; i < SCHEMA_ENUM_MAX + extra; i++) fr_buf_addf(&text, "%s%d", i ? "," : "", i);
        fr_buf_add(&text, "]}");
        checked(text.data, extra ? AT ".enum: expected 1 to 64 values, got 65" : "");
    }
}

#define CARD "{\"type\":\"object\",\"properties\":{\"card\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9},\"note\":{\"type\":\"string\",\"maxLength\":3}},\"required\":[\"card\"]}"
static void test_arguments_by_name(void)
{
    fits(CARD, "{\"card\":1}", "");
    fits(CARD, "{\"card\":9,\"note\":\"abc\"}", "");
    fits(CARD, "{\"card\":9.0}", "");
    fits(CARD, "{\"card\":0}", "args.card: expected an integer from 1 to 9, got 0");
    fits(CARD, "{\"card\":10}", "args.card: expected an integer from 1 to 9, got 10");
    fits(CARD, "{\"card\":1.5}", "args.card: expected an integer from 1 to 9, got 1.5");
    fits(CARD, "{\"card\":\"x\"}", "args.card: expected an integer from 1 to 9, got \"x\"");
    fits(CARD, "{\"card\":null}", "args.card: expected an integer from 1 to 9, got null");
    fits(CARD, "{\"card\":[1]}", "args.card: expected an integer from 1 to 9, got an array");
    fits(CARD, "{}", "args.card: expected an integer from 1 to 9, got nothing");
    fits(CARD, "{\"card\":1,\"note\":\"abcd\"}", "args.note: expected a string of at most 3 characters, got \"abcd\"");
    fits(CARD, "{\"card\":1,\"note\":\"\xc3\xa9\xc3\xa9\xc3\xa9\"}", "");
    fits(CARD, "{\"card\":1,\"cord\":1}", "args: unknown key \"cord\", did you mean \"card\"?");
    fits(CARD, "[]", "args: expected an object, got an empty array");
    fits(CARD, NULL, "args: expected an object, got nothing");
    fits(CARD, "7", "args: expected an object, got 7");
}

static void test_values_of_every_kind(void)
{
    fits("{}", "{\"a\":[1,null]}", "");
    fits("{}", NULL, "");
    fits("{\"const\":1}", NULL, "args: expected 1, got nothing");
    fits("{\"const\":1}", "2", "args: expected 1, got 2");
    fits("{\"enum\":[\"rock\",\"paper\"]}", "\"paper\"", "");
    fits("{\"enum\":[\"rock\",\"paper\"]}", "\"lizard\"", "args: expected one of \"rock\", \"paper\", got \"lizard\"");
    fits("{\"type\":[\"integer\",\"null\"]}", "null", "");
    fits("{\"type\":[\"integer\",\"null\"]}", "true", "args: expected an integer or null, got true");
    fits("{\"type\":\"boolean\"}", "1", "args: expected true or false, got 1");
    fits("{\"type\":\"number\",\"minimum\":0.5}", "0.5", "");
    fits("{\"type\":\"number\",\"minimum\":0.5}", "0.25", "args: expected a number of at least 0.5, got 0.25");
    fits("{\"type\":\"integer\"}", "9007199254740991", "");
    fits("{\"type\":\"integer\"}", "9007199254740993", "args: expected an integer, got 9007199254740992");
    fits("{\"type\":\"string\",\"minLength\":2,\"maxLength\":2}", "\"abc\"", "args: expected a string of 2 characters, got \"abc\"");
    fits("{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1,\"maxItems\":2}", "[1,2]", "");
    fits("{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1,\"maxItems\":2}", "[]", "args: expected an array of 1 to 2 elements, got 0");
    fits("{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1,\"maxItems\":2}", "[1,2,3]", "args: expected an array of 1 to 2 elements, got 3");
    fits("{\"type\":\"array\",\"items\":{\"type\":\"integer\"}}", "[1,\"a\"]", "args[1]: expected an integer, got \"a\"");
    fits("{\"type\":\"object\",\"additionalProperties\":true}", "{\"x\":{}}", "");
    fits("{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"null\"}}}}}}",
         "{\"a\":[{},{\"b\":1}]}", "args.a[1].b: expected null, got 1");
}

static void test_units_are_decimal_strings(void)
{
    const char *units = "{\"type\":\"string\",\"format\":\"units\"}";
    fits(units, "\"0\"", "");
    fits(units, "\"1000000000000000000\"", "");
    fits(units, "\"1000000000000000001\"", "args: expected a decimal string of base units, got \"1000000000000000001\"");
    fits(units, "\"-1\"", "args: expected a decimal string of base units, got \"-1\"");
    fits(units, "\"01\"", "args: expected a decimal string of base units, got \"01\"");
    fits(units, "\"1.5\"", "args: expected a decimal string of base units, got \"1.5\"");
    fits(units, "125", "args: expected a decimal string of base units, got 125");
}

static void test_without_a_schema_nothing_may_come(void)
{
    fits(NULL, NULL, "");
    fits(NULL, "null", "");
    fits(NULL, "{}", "");
    fits(NULL, "{\"a\":1}", "args: expected no arguments, got object with members");
    fits(NULL, "[]", "args: expected no arguments, got array");
}

// A stranger's long text must not push the error past its own bounds, nor be cut inside a character.
static void test_which_schemas_take_any_object(void)
{
    static const struct { const char *schema; bool any; } cases[] = {
        { "{}", true }, { "{\"description\":\"d\",\"title\":\"t\",\"default\":1}", true },
        { "{\"type\":\"object\",\"additionalProperties\":true}", true }, { "{\"type\":[\"null\",\"object\"],\"additionalProperties\":true}", true },
        { "{\"type\":\"object\"}", false }, { "{\"type\":\"object\",\"additionalProperties\":false}", false },
        { "{\"type\":\"object\",\"additionalProperties\":true,\"required\":[]}", false },
        { "{\"type\":\"object\",\"additionalProperties\":true,\"properties\":{\"a\":{\"type\":\"null\"}}}", false },
        { "{\"type\":\"array\"}", false }, { "{\"type\":[\"string\",\"null\"]}", false }, { "{\"const\":{}}", false }, { "{\"enum\":[{}]}", false },
    };
    CHECK(!schema_takes_any_object(NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FR_AUTO(fr_json) s = parsed(cases[i].schema);
        CHECK_INT(schema_takes_any_object(s), cases[i].any);
    }
}

static void test_long_values_are_shown_short(void)
{
    struct fr_err err = { 0 };
    FR_AUTO_BUF(text);
    fr_buf_init(&text, 64 * 1024);
    fr_buf_add(&text, "\"");
    for (int i = 0; i < 3000; i++) fr_buf_add(&text, "\xe2\x82\xac");
    fr_buf_add(&text, "\"");
    FR_AUTO(fr_json) schema = parsed("{\"type\":\"integer\"}");
    FR_AUTO(fr_json) value = parsed(text.data);
    CHECK_INT(schema_fit(schema, value, "args", &err), FR_E_INVALID);
    CHECK(strlen(err.text) < 200);
    fr_buf_clear(&text);
    fr_buf_add_json_bytes(&text, err.text, strlen(err.text));
    CHECK(strstr(text.data, "\xef\xbf\xbd") == NULL);
}

int main(void)
{
    TEST(test_schemas_that_are_understood);
    TEST(test_schemas_that_are_refused);
    TEST(test_counts_one_step_past_their_bounds);
    TEST(test_arguments_by_name);
    TEST(test_values_of_every_kind);
    TEST(test_units_are_decimal_strings);
    TEST(test_without_a_schema_nothing_may_come);
    TEST(test_which_schemas_take_any_object);
    TEST(test_long_values_are_shown_short);
    return TEST_END();
}
