// limit_test.c — where limits apply, and the bounded count of refusals.
#include "base/check.h"
#include "base/map.h"
#include "base/mem.h"
#include "gateway/internal.h"

static struct gateway *open_gateway(bool dev, struct gateway_rates rates)
{
    struct gateway *g = fr_must_alloc(sizeof *g);
    g->o.dev = dev;
    g->o.rates = rates;
    g->o.operator_token = "token";
    gw_limits_open(g);
    gw_metrics_open(g);
    return g;
}

static void close_gateway(struct gateway *g)
{
    gw_limits_close(g);
    fr_free(g);
}

static int taken(struct gateway *g, const char *player, int tries, struct fr_err *err)
{
    int n = 0;
    for (int i = 0; i < tries; i++) n += gw_limit_player(g, player, err) == FR_OK;
    return n;
}

static void test_a_player_has_a_burst_and_is_told_when_to_come_back(void)
{
    struct fr_err err = { 0 };
    struct gateway *g = open_gateway(false, (struct gateway_rates){ 0 });
    int n = taken(g, "7", PLAYER_REQUESTS_BURST + 30, &err);
    CHECK(n >= PLAYER_REQUESTS_BURST && n < PLAYER_REQUESTS_BURST + 30);
    CHECK_TEXT(err.code, "rate_limited");
    CHECK(err.status == FR_E_LIMIT && err.retry_s >= 1);
    CHECK_INT(taken(g, "8", 10, &err), 10);
    close_gateway(g);
}

static void test_a_developer_has_no_limit_unless_one_is_set(void)
{
    struct fr_err err;
    struct gateway *g = open_gateway(true, (struct gateway_rates){ 0 });
    CHECK_INT(taken(g, "7", 5000, &err), 5000);
    close_gateway(g);
    g = open_gateway(true, (struct gateway_rates){ .player_per_second = 1, .player_burst = 5 });
    CHECK(taken(g, "7", 50, &err) < 10);
    close_gateway(g);
    g = open_gateway(false, (struct gateway_rates){ .player_per_second = -1 });       // the operator switched it off
    CHECK_INT(taken(g, "7", 5000, &err), 5000);
    close_gateway(g);
}

static void test_refusals_are_counted_in_bounds(void)
{
    struct gateway *g = open_gateway(false, (struct gateway_rates){ 0 });
    struct fr_err err = { .status = FR_E_CONFLICT };
    int64_t sum = 0;
    for (int i = 0; i < 1000; i++) {                   // a plugin that makes up codes
        snprintf(err.code, sizeof err.code, "mine_%d", i);
        gw_count_refusal(g, &err);
    }
    CHECK(g->refusal_count < GATEWAY_REFUSALS_MAX);    // room is left for the host's own
    err = (struct fr_err){ .status = FR_E_LIMIT, .code = "rate_limited" };
    gw_count_refusal(g, &err);
    gw_count_refusal(g, &err);
    CHECK_TEXT(g->refusals[g->refusal_count - 1].code, "rate_limited");
    CHECK_INT(g->refusals[g->refusal_count - 1].count, 2);
    for (int i = 0; i < 1000; i++) {
        snprintf(err.code, sizeof err.code, "ours_%d", i);
        gw_count_refusal(g, &err);
    }
    CHECK_INT(g->refusal_count, GATEWAY_REFUSALS_MAX);
    for (int i = 0; i < g->refusal_count; i++) sum += g->refusals[i].count;
    CHECK_INT(sum, 2002);                              // none is lost, the late ones are "other"
    CHECK_TEXT(g->refusals[0].code, "other");
    close_gateway(g);
}

int main(void)
{
    TEST(test_a_player_has_a_burst_and_is_told_when_to_come_back);
    TEST(test_a_developer_has_no_limit_unless_one_is_set);
    TEST(test_refusals_are_counted_in_bounds);
    return TEST_END();
}
