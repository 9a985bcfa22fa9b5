// print_test.c — JSON for people: columns line up, and nothing that strangers wrote commands the terminal.
#include <stdlib.h>
#include <string.h>
#include "base/check.h"
#include "cli/internal.h"

static char *printed;
static size_t printed_len;

static const char *shown(const char *json, const char *columns)
{
    FR_AUTO(fr_json) v = NULL;
    struct fr_err err;
    free(printed);
    printed = NULL;
    if (fr_json_parse(json, strlen(json), &v, &err) != FR_OK) return "no JSON";
    FILE *out = open_memstream(&printed, &printed_len);
    print_value(out, v, columns);
    fclose(out);
    return printed;
}

static void test_objects_are_aligned_lines(void)
{
    CHECK_TEXT(shown("{\"id\":\"7\",\"a long key\":12.5,\"on\":true,\"none\":null,\"list\":[1,2],\"empty\":{}}", NULL),
               "id          7\na long key  12.5\non          yes\nnone        -\nlist        [1,2]\nempty       {}\n");
    CHECK_TEXT(shown("{\"in\":{\"deep\":1,\"d\":2}}", NULL), "in\n    deep  1\n    d     2\n");
    CHECK_TEXT(shown("{\"rows\":[{\"a\":1}]}", NULL), "rows\n    a\n    1\n");
}

static void test_lists_are_tables_with_the_columns_asked_for(void)
{
    CHECK_TEXT(shown("[{\"id\":\"a\",\"n\":5,\"x\":0},{\"id\":\"long\",\"n\":123,\"x\":0}]", "id n"), "id      n\na       5\nlong  123\n");
    CHECK_TEXT(shown("[{\"id\":\"a\"},{\"id\":\"b\",\"n\":1}]", NULL), "id\na\nb\n");
    CHECK_TEXT(shown("[{\"id\":\"a\"},{\"id\":\"b\",\"n\":1}]", "id n"), "id  n\na   -\nb   1\n");
}

static void test_widths_count_characters_not_bytes(void)
{
    CHECK_TEXT(shown("[{\"n\":\"\xc3\x84nn\",\"b\":\"x\"},{\"n\":\"Anna\",\"b\":\"y\"}]", "n b"), "n     b\n\xc3\x84nn   x\nAnna  y\n");
}

static void test_nothing_and_done(void)
{
    CHECK_TEXT(shown("[]", "id"), "nothing\n");
    CHECK_TEXT(shown("{}", NULL), "done\n");
    CHECK_TEXT(shown("\"text\"", NULL), "text\n");
    CHECK_TEXT(shown("[1,2]", NULL), "[1,2]\n");
}

static void test_strangers_text_is_harmless(void)
{
    CHECK_TEXT(shown("{\"n\":\"a\\u001b[2Jb\\u0007\\u007f\\u009bc\"}", NULL), "n  a?[2Jb???c\n");
    CHECK_TEXT(shown("{\"n\":\"a\\nb\\tc\\rd\"}", NULL), "n  a b c?d\n");
    CHECK_TEXT(shown("{\"n\":\"a\\u202eb\\u2066c\\u2028d\"}", NULL), "n  a?b?c?d\n");
    CHECK_TEXT(shown("{\"k\\u001by\":1}", NULL), "k?y  1\n");
    CHECK_TEXT(shown("[{\"n\":\"\\u001b\"}]", "n"), "n\n?\n");
    CHECK_TEXT(shown("{\"n\":\"\xf0\x9f\x83\x8f \xe2\x80\xa6\"}", NULL), "n  \xf0\x9f\x83\x8f \xe2\x80\xa6\n");      // a joker is no danger
}

static void test_a_cell_has_a_bound_an_object_has_not(void)
{
    char json[400], want[400];
    memset(json, 0, sizeof json);
    snprintf(json, sizeof json, "[{\"n\":\"%0*d\"}]", 150, 0);
    snprintf(want, sizeof want, "%*s\n%0*d\xe2\x80\xa6\n", 0, "n", 99, 0);
    const char *got = shown(json, "n");
    CHECK(strstr(got, "\xe2\x80\xa6\n") != NULL);
    CHECK_INT(strlen(got) - strlen("\xe2\x80\xa6") - strcspn(got, "\n") - 2, 99);
    snprintf(json, sizeof json, "{\"n\":\"%0*d\"}", 150, 0);
    CHECK_INT(strlen(shown(json, NULL)), 150 + 4);
}

static void test_every_printer_survives_any_json(void)
{
    static const char *const any[] = { "null", "true", "1", "\"x\"", "[]", "{}", "[1]", "[[1]]", "[{}]", "[{\"a\":{\"b\":[]}}]", "{\"players\":1,\"result\":[],\"log\":{}}",
        "{\"log\":[1,{\"kind\":2}],\"players\":[{}],\"result\":{\"places\":[[1]]}}", "{\"checks\":[1,{}],\"done\":[1],\"problems\":[1,{}],\"equal\":\"x\",\"first_different\":1}", "{\"text\":1}" };
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
        for (int v = 0; v < cli_verb_count; v++) {
            FR_AUTO(fr_json) json = NULL;
            struct fr_err err;
            free(printed);
            printed = NULL;
            CHECK(fr_json_parse(any[i], strlen(any[i]), &json, &err) == FR_OK);
            FILE *out = open_memstream(&printed, &printed_len);
            struct cli c = { .verb = &cli_verbs[v] };
            if (cli_verbs[v].print) cli_verbs[v].print(out, json, &c);
            else print_value(out, json, cli_verbs[v].columns);
            fclose(out);
        }
    }
}

int main(void)
{
    TEST(test_objects_are_aligned_lines);
    TEST(test_lists_are_tables_with_the_columns_asked_for);
    TEST(test_widths_count_characters_not_bytes);
    TEST(test_nothing_and_done);
    TEST(test_strangers_text_is_harmless);
    TEST(test_a_cell_has_a_bound_an_object_has_not);
    TEST(test_every_printer_survives_any_json);
    free(printed);
    return TEST_END();
}
