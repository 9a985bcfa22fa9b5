// extract_test.c — how models write what they mean.
#include "llm/extract.h"
#include "base/check.h"

static void check_final(const char *text, const char *want)
{
    char out[LLM_ANSWER_WORD_BYTES] = "";
    CHECK(llm_extract_final(text, out) == (want != NULL));
    if (want) CHECK_TEXT(out, want);
}

static void test_the_final_answer_is_the_last_one_named(void)
{
    check_final("First, answer: 3. No.\nANSWER: 42\nThank you", "42");
    check_final("So **Answer:** **Paris**", "Paris");
    check_final("\xec\xa0\x95\xeb\x8b\xb5: \xec\x84\x9c\xec\x9a\xb8\n", "\xec\x84\x9c\xec\x9a\xb8");
    check_final("I do not know", NULL);
    check_final("ANSWER:   \n", NULL);
}

static void check_same(const char *a, const char *b, bool same)
{
    char x[LLM_ANSWER_WORD_BYTES], y[LLM_ANSWER_WORD_BYTES];
    llm_extract_normal(a, x);
    llm_extract_normal(b, y);
    CHECK((strcmp(x, y) == 0) == same);
}

static void test_equal_answers_are_equal(void)
{
    check_same("1,000.50", "1000.5", true);
    check_same(" \"The Hague.\" ", "the hague", true);
    check_same("(B)", "b.", true);
    check_same("$12", "12", true);
    check_same("12", "12 apples", false);
    check_same("1,00", "100", false);
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    check_same(long_text, "x", false);
}

static void test_numbers(void)
{
    double x;
    CHECK(llm_extract_number("of 12 there are 1,234.5 left.", &x) && x == 1234.5);
    CHECK(llm_extract_number("-3", &x) && x == -3);
    CHECK(llm_extract_number("7-3", &x) && x == 3);
    CHECK(llm_extract_number("x2 is no number", &x) == false);
    CHECK(llm_extract_number("15:25", &x) && x == 25);
}

static void test_choices(void)
{
    CHECK_INT(llm_extract_choice("B"), 'B');
    CHECK_INT(llm_extract_choice("(c) because"), 'C');
    CHECK_INT(llm_extract_choice("The answer is D."), 'D');
    CHECK_INT(llm_extract_choice("A is wrong, B too.\nAnswer: C. Mars"), 'C');
    CHECK_INT(llm_extract_choice("A man walks"), 0);
    CHECK_INT(llm_extract_choice("I think so"), 0);
    CHECK_INT(llm_extract_choice(""), 0);
}

static void test_scores(void)
{
    bool known;
    CHECK(llm_score("exact", "Paris.", "paris", &known) && known);
    CHECK(!llm_score("exact", "Paris, France", "paris", &known));
    CHECK(llm_score("contains", "It is PARIS!", "paris", &known));
    CHECK(llm_score("numeric", "3 and 4 make 7\nANSWER: 7 apples", "7", &known));
    CHECK(!llm_score("numeric", "seven", "7", &known));
    CHECK(llm_score("choice", "(B) Mercury", "B", &known));
    CHECK(!llm_score("choice", "nothing", "nothing", &known));       // no letter is no hit
    llm_score("vibes", "a", "a", &known);
    CHECK(!known);
}

int main(void)
{
    TEST(test_the_final_answer_is_the_last_one_named);
    TEST(test_equal_answers_are_equal);
    TEST(test_numbers);
    TEST(test_choices);
    TEST(test_scores);
    return TEST_END();
}
