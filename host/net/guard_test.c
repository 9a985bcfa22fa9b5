// guard_test.c — the first and last address of each refused range and its neighbours outside; URLs with secrets.
#include "net/guard.h"
#include <arpa/inet.h>
#include "base/check.h"

static bool open_to_strangers(const char *text)
{
    struct net_address a;
    CHECK(net_address_read(text, strlen(text), false, &a));
    return net_address_is_public(&a);
}

static void test_every_refused_range_from_its_first_to_its_last_address(void)
{
    static const char *const closed[] = {
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "100.100.100.200", "127.0.0.0", "127.0.0.1", "127.255.255.255",
        "169.254.0.0", "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.192", "192.0.0.255", "192.0.2.0", "192.0.2.255",
        "192.88.99.0", "192.88.99.255", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255",
        "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255", "168.63.129.16",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1", "100::1",
        "fc00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "2001::1", "2001:0:1::1", "2001:1ff:ffff::1",
        "2001:db8::1", "2001:db8:ffff::1", "2002:7f00:1::1", "2002::", "2002:ffff::1", "3fff::1", "3fff:fff::1", "1fff:ffff::1", "4000::1", "5f00::1",
    };
    static const char *const open[] = {
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8", "168.63.129.15", "168.63.129.17",
        "2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2003::1", "2606:4700::1111", "3ffe::1", "3fff:1000::1",
    };
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        if (open_to_strangers(closed[i])) printf("  %s\n", closed[i]);
        CHECK(!open_to_strangers(closed[i]));
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        if (!open_to_strangers(open[i])) printf("  %s\n", open[i]);
        CHECK(open_to_strangers(open[i]));
    }
}

static void test_what_a_socket_would_connect_to(void)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    struct sockaddr other = { .sa_family = AF_UNIX };
    inet_pton(AF_INET, "8.8.8.8", &v4.sin_addr);
    CHECK(net_sockaddr_is_public((struct sockaddr *)&v4, sizeof v4));
    CHECK(!net_sockaddr_is_public((struct sockaddr *)&v4, sizeof v4 - 1));
    inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr);
    CHECK(!net_sockaddr_is_public((struct sockaddr *)&v4, sizeof v4));
    inet_pton(AF_INET6, "2606:4700::1111", &v6.sin6_addr);
    CHECK(net_sockaddr_is_public((struct sockaddr *)&v6, sizeof v6));
    CHECK(!net_sockaddr_is_public((struct sockaddr *)&v6, sizeof v6 - 1));
    inet_pton(AF_INET6, "::ffff:8.8.8.8", &v6.sin6_addr);
    CHECK(!net_sockaddr_is_public((struct sockaddr *)&v6, sizeof v6));
    CHECK(!net_sockaddr_is_public(&other, sizeof other));
}

static void test_of_a_url_only_its_origin_is_shown(void)
{
    static const char *const cases[][2] = {
        { "https://mainnet.example/v3/0123456789abcdef", "https://mainnet.example" },
        { "https://api.telegram.org/bot12:secret/getMe", "https://api.telegram.org" },
        { "http://127.0.0.1:8545", "http://127.0.0.1:8545" },
        { "http://[::1]:8545/?key=secret", "http://[::1]:8545" },
        { "https://node.example?apikey=secret", "https://node.example" },
        { "https://node.example#secret", "https://node.example" },
        { "https://user:secret@node.example/", "(url)" },
        { "https://secret@node.example", "(url)" },
        { "https://node.example\\@secret", "https://node.example" },
        { "https://node example/secret", "(url)" },
        { "https:///secret", "(url)" },
        { "secret", "(url)" },
        { "secretsecret://x", "(url)" },
        { "", "(url)" },
    };
    char out[NET_ORIGIN_BYTES], long_url[2 * NET_ORIGIN_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) CHECK_TEXT(net_url_shown(cases[i][0], out), cases[i][1]);
    memset(long_url, 'a', sizeof long_url);
    memcpy(long_url, "http://", 7);
    long_url[NET_ORIGIN_BYTES] = 0;
    CHECK_TEXT(net_url_shown(long_url, out), "(url)");
    long_url[NET_ORIGIN_BYTES - 1] = 0;
    CHECK_TEXT(net_url_shown(long_url, out), long_url);
}

int main(void)
{
    TEST(test_every_refused_range_from_its_first_to_its_last_address);
    TEST(test_what_a_socket_would_connect_to);
    TEST(test_of_a_url_only_its_origin_is_shown);
    return TEST_END();
}
