// nearest_test.c — what is near, and what is not.
#include "base/nearest.h"
#include "base/check.h"

static const char *const words[] = { "ledger", "match", "plugin", "go", NULL };

static void test_a_mistyped_word_is_found(void)
{
    CHECK_TEXT(fr_nearest("leger", words, -1), "ledger");
    CHECK_TEXT(fr_nearest("mtach", words, -1), "match");
    CHECK_TEXT(fr_nearest("plugins", words, -1), "plugin");
    CHECK_TEXT(fr_nearest("og", words, -1) ? "near" : "nothing", "nothing");      // two edits in two letters
    CHECK_TEXT(fr_nearest("got", words, -1), "go");
}

static void test_far_and_long_words_find_nothing(void)
{
    char long_word[200];
    memset(long_word, 'm', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    CHECK(fr_nearest("treasury", words, -1) == NULL);
    CHECK(fr_nearest(long_word, words, -1) == NULL);
    CHECK(fr_nearest("match", words, 1) == NULL);                                 // only the first `count` are looked at
    CHECK_TEXT(fr_nearest("match", words, 2), "match");
}

int main(void)
{
    TEST(test_a_mistyped_word_is_found);
    TEST(test_far_and_long_words_find_nothing);
    return TEST_END();
}
