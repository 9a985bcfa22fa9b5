// stream_test.c — against values computed with Python's hmac module from the words of the header alone.
#include "base/check.h"
#include "ipc/stream.h"

static void test_draws_are_what_the_header_says(void)
{
    uint8_t key[SHA256_BYTES];
    struct stream s;
    for (int i = 0; i < SHA256_BYTES; i++) key[i] = (uint8_t)i;
    stream_open(&s, key);
    static const uint64_t want[] = { 0x49fe9740b9d90c9fu, 0x44b342892b8d9129u, 0x01c55da361425739u,
        0x9988e4d4676cf063u, 0x22997a3f4e5d343bu, 0xa3469c4f7c2f94d8u,
        0xf9021ceb4b680763u, 0x17168ebe2793ba8du, 0xd634037f673a56beu };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) CHECK(stream_draw(&s) == want[i]);
    CHECK(s.next == sizeof want / sizeof *want);
    s.next = 1;                                    // a position is all there is to put back
    CHECK(stream_draw(&s) == want[1]);
}

static void test_integers_are_uniform_and_inside(void)
{
    uint8_t key[SHA256_BYTES] = { 7 };
    struct stream s;
    stream_open(&s, key);
    int seen[6] = { 0 };
    for (int i = 0; i < 6000; i++) {
        int64_t x = stream_int(&s, -2, 3);
        CHECK(x >= -2 && x <= 3);
        seen[x + 2]++;
    }
    for (int i = 0; i < 6; i++) CHECK(seen[i] > 850 && seen[i] < 1150);
    uint64_t before = s.next;
    CHECK(stream_int(&s, 5, 5) == 5 && s.next == before);      // nothing to choose, nothing drawn
    CHECK(stream_int(&s, INT64_MIN, INT64_MAX) != stream_int(&s, INT64_MIN, INT64_MAX));
    int64_t wide = stream_int(&s, INT64_MIN, INT64_MAX - 1);
    CHECK(wide <= INT64_MAX - 1);
}

int main(void)
{
    TEST(test_draws_are_what_the_header_says);
    TEST(test_integers_are_uniform_and_inside);
    return TEST_END();
}
