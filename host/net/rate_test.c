#include "net/rate.h"
#include "base/check.h"
#include "net/address.h"

static void test_a_bucket_empties_and_fills(void)
{
    struct net_rate *r = net_rate_new(10, 5, 100);
    for (int i = 0; i < 5; i++) CHECK_INT(net_rate_take(r, "a", 1, 1000), 0);
    int64_t wait_ms = net_rate_take(r, "a", 1, 1000);
    CHECK(wait_ms >= 100 && wait_ms <= 101);
    CHECK_INT(net_rate_take(r, "b", 1, 1000), 0);                      // another's is another
    CHECK_INT(net_rate_take(r, "a", 1, 1000 + wait_ms), 0);            // what was told is true
    CHECK(net_rate_take(r, "a", 1, 1000 + wait_ms) > 0);
    CHECK(net_rate_take(r, "a", 1, 500) > 0);                          // a clock that goes back gives nothing
    for (int i = 0; i < 5; i++) CHECK_INT(net_rate_take(r, "a", 1, 100000), 0);
    CHECK(net_rate_take(r, "a", 1, 100000) > 0);                       // never more than the burst
    CHECK_INT(net_rate_take(NULL, "a", 1, 0), 0);
    net_rate_free(r);
    net_rate_free(NULL);
}

static void test_the_table_is_bounded_and_strangers_share(void)
{
    struct net_rate *r = net_rate_new(1, 2, 10);
    int taken = 0;
    for (int i = 0; i < 10; i++) CHECK_INT(net_rate_take(r, &i, sizeof i, 1000), 0);
    for (int i = 10; i < 1000; i++) taken += net_rate_take(r, &i, sizeof i, 1000) == 0;
    CHECK_INT(net_rate_size(r), 10);
    CHECK_INT(taken, 2);                                               // one bucket for all of them
    for (int i = 0; i < 10; i++) CHECK_INT(net_rate_take(r, &i, sizeof i, 1000), 0);       // who is known is not harmed
    for (int i = 1000; i < 1010; i++) CHECK_INT(net_rate_take(r, &i, sizeof i, 10000), 0); // the quiet ones were forgotten
    CHECK_INT(net_rate_size(r), 10);
    net_rate_free(r);
}

static struct net_address read_address(const char *text)
{
    struct net_address a = { { 0 } };
    CHECK(net_address_read(text, strlen(text), true, &a));
    return a;
}

static bool same(struct net_address a, const char *text)
{
    struct net_address b = read_address(text);
    return memcmp(&a, &b, sizeof a) == 0;
}

static void test_addresses_are_read_strictly(void)
{
    static const char *const bad[] = { "", "1.2.3", "1.2.3.4.5", "a", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:123456", "[1.2.3.4]", "[::1", "[::1]x", "::1]", "unknown", "_hidden", " 1.2.3.4",
                                       "1:2:3:4:5:6:7:8:9", "[::1]:80:90", "0x7f.1", "fe80::1%eth0" };
    struct net_address a;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) if (net_address_read(bad[i], strlen(bad[i]), true, &a)) CHECK_TEXT(bad[i], "refused");
    CHECK(same(read_address("1.2.3.4:80"), "1.2.3.4") && same(read_address("[2001:db8::1]:443"), "2001:db8::1") && same(read_address("::ffff:1.2.3.4"), "1.2.3.4"));
    CHECK(!net_address_read("1.2.3.4:80", 10, false, &a));
    a = read_address("127.9.9.9");
    CHECK(net_address_is_loopback(&a));
    a = read_address("::1");
    CHECK(net_address_is_loopback(&a));
    a = read_address("10.0.0.1");
    CHECK(!net_address_is_loopback(&a));
    struct net_address six = read_address("2001:db8:1:2:3:4:5:6"), six_client = net_address_client(&six), four = read_address("9.8.7.6"), four_client = net_address_client(&four);
    CHECK(same(six_client, "2001:db8:1:2::") && same(four_client, "9.8.7.6"));
}

static struct net_address forwarded(const char *peer, const char *header)
{
    struct net_proxies trusted = { .count = 2 };
    struct net_address from = read_address(peer);
    trusted.at[0] = read_address("127.0.0.1");
    trusted.at[1] = read_address("10.0.0.9");
    return net_address_forwarded(&from, &trusted, header, strlen(header));
}

static void test_only_what_a_trusted_proxy_wrote_counts(void)
{
    CHECK(same(forwarded("127.0.0.1", "203.0.113.5"), "203.0.113.5"));
    CHECK(same(forwarded("127.0.0.1", ""), "127.0.0.1"));
    CHECK(same(forwarded("192.0.2.1", "203.0.113.5"), "192.0.2.1"));                        // nobody trusts this peer
    CHECK(same(forwarded("127.0.0.1", "6.6.6.6, 203.0.113.5"), "203.0.113.5"));             // the client wrote the rest
    CHECK(same(forwarded("127.0.0.1", "6.6.6.6, 203.0.113.5 ,\t10.0.0.9"), "203.0.113.5")); // two proxies of ours
    CHECK(same(forwarded("127.0.0.1", "203.0.113.5, junk"), "127.0.0.1"));
    CHECK(same(forwarded("127.0.0.1", "203.0.113.5,"), "127.0.0.1"));
    CHECK(same(forwarded("127.0.0.1", "203.0.113.5:1234"), "203.0.113.5"));
    CHECK(same(forwarded("127.0.0.1", "10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,203.0.113.5,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9,10.0.0.9"), "10.0.0.9"));
}

int main(void)
{
    TEST(test_a_bucket_empties_and_fills);
    TEST(test_the_table_is_bounded_and_strangers_share);
    TEST(test_addresses_are_read_strictly);
    TEST(test_only_what_a_trusted_proxy_wrote_counts);
    return TEST_END();
}
