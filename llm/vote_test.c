// vote_test.c — plurality against the closed form, and abstention: what a threshold costs and what it buys.
#include "llm/vote.h"
#include <math.h>
#include "base/check.h"

static uint64_t state = 88172645463325252ull;
static double lot(void) { state ^= state << 13; state ^= state >> 7; state ^= state << 17; return (double)(state >> 11) / 9007199254740992.0; }

static void test_a_plurality_is_the_most_and_the_earliest_of_equals(void)
{
    struct llm_votes v = { .kinds = 0 };
    CHECK(llm_vote_plurality(&v) == NULL);
    llm_vote_add(&v, "41");
    llm_vote_add(&v, "42.");
    llm_vote_add(&v, NULL);
    llm_vote_add(&v, " \"42\"");
    CHECK_TEXT(llm_vote_plurality(&v)->normal, "42");
    CHECK(llm_vote_agreement(&v) == 0.5);
    llm_vote_add(&v, "41");
    CHECK_TEXT(llm_vote_plurality(&v)->normal, "41");
    for (int i = 0; i < 40; i++) { char text[8]; snprintf(text, sizeof text, "x%d", i); llm_vote_add(&v, text); }      // past the bound: counted, not kept
    CHECK_INT(v.kinds, LLM_SAMPLES_MAX);
    CHECK_INT(v.samples, 45);
}

// By hand: of 3 samples, right with 0.6, one way to be wrong: 0.6^3 + 3 * 0.6^2 * 0.4.
static void test_the_closed_form_is_right_where_it_can_be_checked(void)
{
    CHECK(fabs(llm_vote_expected(3, 0.6, 1) - 0.648) < 1e-12);
    CHECK(fabs(llm_vote_expected(2, 0.6, 1) - 0.6) < 1e-12);                      // a tie is a coin
    CHECK(fabs(llm_vote_expected(1, 0.3, 3) - 0.3) < 1e-12);
    CHECK(fabs(llm_vote_expected(3, 0.5, 2) - (0.125 + 3 * 0.125 + 3 * 0.5 * 2 * 0.0625 / 3)) < 1e-12);
    CHECK(llm_vote_expected(33, 0.4, 3) > 0.8);
}

static bool sample_once(int samples, double p, int wrongs, double *agreement)
{
    struct llm_votes v = { .kinds = 0 };
    for (int i = 0; i < samples; i++) {
        char text[16];
        if (lot() < p) llm_vote_add(&v, "right");
        else { snprintf(text, sizeof text, "wrong%d", (int)(lot() * wrongs)); llm_vote_add(&v, text); }
    }
    *agreement = llm_vote_agreement(&v);
    return strcmp(llm_vote_plurality(&v)->normal, "right") == 0;
}

static void test_plurality_meets_the_closed_form(void)
{
    static const struct { int samples; double p; int wrongs; } cases[] = { { 5, 0.6, 3 }, { 11, 0.6, 3 }, { 11, 0.4, 3 }, { 33, 0.4, 3 }, { 11, 0.55, 1 }, { 7, 0.35, 3 }, { 5, 0.3, 9 } };
    const int rounds = 20000;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double expected = llm_vote_expected(cases[i].samples, cases[i].p, cases[i].wrongs), agreement;
        int right = 0;
        for (int r = 0; r < rounds; r++) right += sample_once(cases[i].samples, cases[i].p, cases[i].wrongs, &agreement);
        double got = (double)right / rounds, sigma = sqrt(expected * (1 - expected) / rounds);
        printf("# n=%d p=%.2f of %d wrong ways: closed form %.4f, seen %.4f (%.1f sigma)\n", cases[i].samples, cases[i].p, cases[i].wrongs, expected, got, (got - expected) / sigma);
        CHECK(fabs(got - expected) < 4 * sigma);
        CHECK(fabs(got - cases[i].p) > 4 * sigma);          // the check can tell a vote from a single sample
    }
}

// Questions of mixed difficulty: agreement tells the easy from the hard, so abstaining makes what is still said better.
static void test_abstaining_buys_accuracy(void)
{
    enum { QUESTIONS = 4000 };
    static struct llm_vote_point points[QUESTIONS];
    for (int q = 0; q < QUESTIONS; q++) points[q].right = sample_once(11, 0.2 + 0.7 * lot(), 3, &points[q].agreement);
    double last = 0, first = 0;
    for (int t = 0; t <= 10; t++) {
        int said = 0, right = 0;
        for (int q = 0; q < QUESTIONS; q++) if (points[q].agreement >= t / 10.0 - 1e-9) { said++; right += points[q].right; }
        double accuracy = said ? (double)right / said : 1;
        printf("# threshold %.1f: answers %5.1f %%, of them right %5.1f %%\n", t / 10.0, 100.0 * said / QUESTIONS, 100 * accuracy);
        if (t == 0) first = accuracy;
        CHECK(accuracy >= last - 0.005);
        last = accuracy;
    }
    CHECK(last > first + 0.05);
    double threshold = llm_vote_calibrate(points, QUESTIONS, 0.95);
    int said = 0, right = 0;
    for (int q = 0; q < QUESTIONS; q++) if (points[q].agreement >= threshold) { said++; right += points[q].right; }
    printf("# for 95 %%: threshold %.3f, answers %.1f %%\n", threshold, 100.0 * said / QUESTIONS);
    CHECK(said > 0 && right >= 0.95 * said);
    CHECK(threshold > 0.3);
    struct llm_vote_point wrong = { 1, false };
    CHECK(llm_vote_calibrate(&wrong, 1, 0.9) > 1);          // never good enough: nothing is said
}

static void test_questions_of_health_are_seen(void)
{
    CHECK(llm_is_medical("What dose of ibuprofen may I take?"));
    CHECK(llm_is_medical("My symptoms are getting worse"));
    CHECK(llm_is_medical("\xeb\x91\x90\xed\x86\xb5\xec\x9d\xb4 \xec\x8b\xac\xed\x95\xb4\xec\x9a\x94"));      // 두통이 심해요
    CHECK(!llm_is_medical("What is the capital of France?"));
    CHECK(!llm_is_medical("Paint the painting"));
    CHECK(!llm_is_medical("\xec\x98\xa4\xeb\x8a\x98 \xea\xb2\x8c\xec\x9e\x84"));
}

int main(void)
{
    TEST(test_a_plurality_is_the_most_and_the_earliest_of_equals);
    TEST(test_the_closed_form_is_right_where_it_can_be_checked);
    TEST(test_plurality_meets_the_closed_form);
    TEST(test_abstaining_buys_accuracy);
    TEST(test_questions_of_health_are_seen);
    return TEST_END();
}
