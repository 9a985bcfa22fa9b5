// queue_test.c — who is next: a flood against a trickle, in figures; weights, priorities, comers and goers, bounds.
#include "llm/queue.h"
#include <stdlib.h>
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"

struct job { struct llm_queued at; const char *tenant; int64_t prompt, answer; };
static struct job *taken;
static bool take_any(void *arg, struct llm_queued *x) { (void)arg; taken = (struct job *)x; return true; }
static bool take_none(void *arg, struct llm_queued *x) { (void)x; ++*(int *)arg; return false; }

static struct job *put(struct llm_queue *q, const char *tenant, int priority, int64_t prompt, int64_t answer)
{
    struct job *j = fr_must_alloc(sizeof *j);
    struct fr_err err;
    *j = (struct job){ .tenant = tenant, .prompt = prompt, .answer = answer };
    if (llm_queue_put(q, &j->at, tenant, priority, prompt, answer, 0, &err) == FR_OK) return j;
    fr_free(j);
    return NULL;
}

// Takes one, and ends it with what it really used.
static const char *serve(struct llm_queue *q, int64_t prompt, int64_t answer)
{
    if (!llm_queue_take(q, take_any, NULL)) return "nobody";
    const char *tenant = taken->tenant;
    llm_queue_served(q, tenant, taken->prompt, taken->answer, prompt < 0 ? taken->prompt : prompt, answer < 0 ? taken->answer : answer);
    fr_free(taken);
    return tenant;
}

static void test_a_flood_of_1000_costs_a_trickle_one_call(void)
{
    struct llm_queue *q = llm_queue_new(4096, 4096);
    int worst = 0, flood = 0, trickle = 0;
    for (int i = 0; i < 1000; i++) put(q, "flood", 0, 100, 100);
    for (int round = 0; round < 100; round++) {                    // the trickle asks for one after each five that were served
        for (int i = 0; i < 5; i++) flood += strcmp(serve(q, -1, -1), "flood") == 0;
        put(q, "trickle", 0, 100, 100);
        int waited = 0;
        while (strcmp(serve(q, -1, -1), "trickle") != 0) waited++, flood++;
        trickle++;
        if (waited > worst) worst = waited;
    }
    printf("# flood of 1000 against a trickle of 100: the trickle waited for at most %d call of the flood; served meanwhile: flood %d, trickle %d\n", worst, flood, trickle);
    CHECK(worst <= 1);
    CHECK_INT(trickle, 100);
    CHECK(flood >= 500);
    while (strcmp(serve(q, -1, -1), "nobody") != 0) {}
    llm_queue_free(q);
}

static void test_shares_are_of_tokens_and_answers_count_twice(void)
{
    struct llm_queue *q = llm_queue_new(4096, 4096);
    int64_t served[2] = { 0 };
    for (int i = 0; i < 1000; i++) put(q, "long", 0, 100, 450), put(q, "short", 0, 50, 25);      // 1000 and 100 weighted
    for (int i = 0; i < 1000; i++) {
        const char *who = serve(q, -1, -1);
        served[who[0] == 's'] += who[0] == 's' ? 100 : 1000;
    }
    printf("# weighted tokens served while both waited: long %lld, short %lld\n", (long long)served[0], (long long)served[1]);
    CHECK(llabs(served[0] - served[1]) <= 1000);                   // apart by one call at most
    while (strcmp(serve(q, -1, -1), "nobody") != 0) {}
    llm_queue_free(q);
}

static void test_the_truth_counts_not_the_estimate(void)
{
    struct llm_queue *q = llm_queue_new(4096, 4096);
    int many = 0, few = 0;
    for (int i = 0; i < 1000; i++) put(q, "boasts", 0, 100, 1000), put(q, "plain", 0, 100, 10);
    for (int i = 0; i < 500; i++) {                                // who estimates 1000 uses 10, as the other does
        const char *who = serve(q, 100, 10);
        *(who[0] == 'b' ? &many : &few) += 1;
    }
    CHECK(abs(many - few) <= 1);
    while (strcmp(serve(q, -1, -1), "nobody") != 0) {}
    llm_queue_free(q);
}

static void test_idleness_is_no_credit(void)
{
    struct llm_queue *q = llm_queue_new(4096, 4096);
    put(q, "late", 0, 10, 10);
    CHECK_TEXT(serve(q, -1, -1), "late");
    for (int i = 0; i < 100; i++) put(q, "busy", 0, 100, 100);
    for (int i = 0; i < 50; i++) CHECK_TEXT(serve(q, -1, -1), "busy");
    for (int i = 0; i < 50; i++) put(q, "late", 0, 100, 100);      // it does not catch up on the fifty that it did not ask for
    int late = 0;
    for (int i = 0; i < 20; i++) late += serve(q, -1, -1)[0] == 'l';
    CHECK(late >= 9 && late <= 11);
    while (strcmp(serve(q, -1, -1), "nobody") != 0) {}
    for (int i = 0; i < 10; i++) put(q, "third", 0, 100, 100);     // also when nobody waits: it begins where the last one stopped
    put(q, "busy", 0, 100, 100);
    int until = 0;
    while (serve(q, -1, -1)[0] != 'b') until++;
    CHECK(until <= 2);
    while (strcmp(serve(q, -1, -1), "nobody") != 0) {}
    llm_queue_free(q);
}

static void test_priority_is_within_a_tenant(void)
{
    struct llm_queue *q = llm_queue_new(16, 16);
    struct job *slow = put(q, "a", 2, 1, 1), *first = put(q, "a", 0, 1, 1), *second = put(q, "a", 0, 1, 1), *middle = put(q, "a", 1, 1, 1);
    struct job *want[] = { first, second, middle, slow };
    for (int i = 0; i < 4; i++) {
        CHECK(llm_queue_take(q, take_any, NULL) && taken == want[i]);
        fr_free(taken);
    }
    llm_queue_free(q);
}

static void test_who_cannot_go_lets_others_by(void)
{
    struct llm_queue *q = llm_queue_new(16, 16);
    int asked = 0;
    struct job *a = put(q, "a", 0, 1, 1), *b = put(q, "b", 0, 1, 1), *c = put(q, "c", 0, 1, 1);
    CHECK(!llm_queue_take(q, take_none, &asked));
    CHECK_INT(asked, 3);                                           // each tenant's first, once
    CHECK_INT(llm_queue_length(q, NULL), 3);
    llm_queue_drop(q, &b->at);
    CHECK_INT(llm_queue_length(q, "b"), 0);
    CHECK_TEXT(serve(q, -1, -1), "a");
    CHECK_TEXT(serve(q, -1, -1), "c");
    CHECK_TEXT(serve(q, -1, -1), "nobody");
    (void)a, (void)c;
    fr_free(b);
    llm_queue_free(q);
}

static void test_bounds(void)
{
    struct llm_queue *q = llm_queue_new(5, 3);
    struct llm_queued extra;
    struct fr_err err;
    for (int i = 0; i < 3; i++) CHECK(put(q, "a", 0, 1, 1) != NULL);
    CHECK(llm_queue_put(q, &extra, "a", 0, 1, 1, 0, &err) == FR_E_LIMIT);
    CHECK_TEXT(err.code, "llm_queue_full");
    CHECK(put(q, "b", 0, 1, 1) && put(q, "b", 0, 1, 1));
    CHECK(llm_queue_put(q, &extra, "c", 0, 1, 1, 0, &err) == FR_E_LIMIT);
    while (strcmp(serve(q, -1, -1), "nobody") != 0) {}
    llm_queue_free(q);
}

static void test_a_crowd_of_tenants_is_forgotten_when_idle(void)
{
    struct llm_queue *q = llm_queue_new(64, 64);
    char name[LLM_WHO_BYTES];
    bool all = true;
    for (int i = 0; i < 3 * LLM_TENANTS_MAX; i++) {
        snprintf(name, sizeof name, "key:%d", i);
        struct job *j = put(q, name, 0, 1, 1);
        all = all && j;
        if (j) serve(q, -1, -1);
    }
    CHECK(all);
    llm_queue_free(q);
}

int main(void)
{
    TEST(test_a_flood_of_1000_costs_a_trickle_one_call);
    TEST(test_shares_are_of_tokens_and_answers_count_twice);
    TEST(test_the_truth_counts_not_the_estimate);
    TEST(test_idleness_is_no_credit);
    TEST(test_priority_is_within_a_tenant);
    TEST(test_who_cannot_go_lets_others_by);
    TEST(test_bounds);
    TEST(test_a_crowd_of_tenants_is_forgotten_when_idle);
    return TEST_END();
}
