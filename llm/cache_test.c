// cache_test.c — what was answered is found by who asked it, until its time or its room is over; and by nobody else.
#include "llm/cache.h"
#include <stdio.h>
#include "base/check.h"

static const uint8_t request[SHA256_BYTES] = { 1, 2, 3 }, other[SHA256_BYTES] = { 1, 2, 4 };

static void put(struct llm_cache *c, const uint8_t *key, int64_t now_ms, const char *json)
{
    struct llm_cached what = { .json = json, .json_len = strlen(json), .text = "text", .finish = "stop", .prompt_tokens = 3, .answer_tokens = 4 };
    llm_cache_put(c, key, now_ms, &what);
}

static void test_nothing_of_one_is_seen_by_another(void)
{
    struct { struct llm_from from; const char *model; const uint8_t *request; } asks[] = {
        { { "plugin:a", "plugin:a", "7" }, "m", request }, { { "plugin:b", "plugin:a", "7" }, "m", request }, { { "plugin:a", "plugin:a", "8" }, "m", request }, { { "plugin:a", "plugin:a", "" }, "m", request },
        { { "plugin:a", "plugin:a", "7" }, "n", request }, { { "plugin:a", "plugin:a", "7" }, "m", other }, { { "plugin:a7", "plugin:a", "" }, "m", request }, { { "plugin:", "x", "a7" }, "m", request },
    };
    uint8_t keys[8][SHA256_BYTES];
    for (int i = 0; i < 8; i++) {
        llm_cache_key(&asks[i].from, asks[i].model, asks[i].request, keys[i]);
        for (int j = 0; j < i; j++) CHECK(memcmp(keys[i], keys[j], SHA256_BYTES) != 0);
    }
    asks[0].from.payer[0] = 'X';                                   // who pays does not decide what is answered
    uint8_t again[SHA256_BYTES];
    llm_cache_key(&asks[0].from, "m", request, again);
    CHECK(memcmp(again, keys[0], SHA256_BYTES) == 0);
}

static void test_time_and_room_end(void)
{
    struct llm_cache *c = llm_cache_new(4096, 1000);
    struct llm_cached got;
    uint8_t key[SHA256_BYTES] = { 0 };
    char json[512];
    put(c, key, 0, "{\"a\":1}");
    CHECK(llm_cache_get(c, key, 999, &got) && got.json_len == 7 && got.prompt_tokens == 3 && got.answer_tokens == 4);
    CHECK_TEXT(got.json, "{\"a\":1}");
    CHECK_TEXT(got.text, "text");
    CHECK_TEXT(got.finish, "stop");
    CHECK(!llm_cache_get(c, key, 1000, &got) && !llm_cache_get(c, key, 0, &got));
    memset(json, ' ', sizeof json - 1);
    json[sizeof json - 1] = 0;
    for (int i = 0; i < 20; i++) {
        key[0] = (uint8_t)i;
        put(c, key, 0, json);
        key[0] = 0;
        CHECK(llm_cache_get(c, key, 1, &got));                     // what is used stays
    }
    key[0] = 1;
    CHECK(!llm_cache_get(c, key, 1, &got));                        // what is not goes first
    key[0] = 19;
    CHECK(llm_cache_get(c, key, 1, &got));
    FR_AUTO_BUF(facts);
    fr_buf_init(&facts, 1000);
    llm_cache_facts(c, &facts);
    long long bytes = 0;
    CHECK(sscanf(strstr(facts.data, "\"bytes\":"), "\"bytes\":%lld", &bytes) == 1 && bytes > 2000 && bytes <= 4096);
    llm_cache_bounds(c, 0, 1000);
    CHECK(!llm_cache_get(c, key, 1, &got));
    put(c, key, 0, "{}");
    CHECK(!llm_cache_get(c, key, 1, &got));                        // no room at all: no cache
    llm_cache_free(c);
}

int main(void)
{
    TEST(test_nothing_of_one_is_seen_by_another);
    TEST(test_time_and_room_end);
    return TEST_END();
}
