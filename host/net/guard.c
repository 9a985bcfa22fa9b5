// guard.c — tables of ranges: IPv4's refused ones, IPv6's one allowed one and what is refused within.
#include "net/guard.h"
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

struct range { uint8_t bytes[8]; int bits; };

static const struct range v4_refused[] = {
    { { 0 }, 8 }, { { 10 }, 8 }, { { 100, 64 }, 10 }, { { 127 }, 8 }, { { 169, 254 }, 16 }, { { 172, 16 }, 12 },
    { { 192, 0, 0 }, 24 }, { { 192, 0, 2 }, 24 }, { { 192, 88, 99 }, 24 }, { { 192, 168 }, 16 }, { { 198, 18 }, 15 },
    { { 198, 51, 100 }, 24 }, { { 203, 0, 113 }, 24 }, { { 224 }, 4 }, { { 240 }, 4 },
    { { 168, 63, 129, 16 }, 32 },              // Azure's metadata service: an address that looks public
};
static const struct range v6_allowed = { { 0x20 }, 3 };
static const struct range v6_refused[] = {
    { { 0x20, 0x01, 0x00 }, 23 },              // Teredo, ORCHID, benchmarking, ...
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },        // documentation
    { { 0x20, 0x02 }, 16 },                    // 6to4
    { { 0x3f, 0xff, 0x00 }, 20 },              // documentation (RFC 9637)
};

static bool in_range(const uint8_t *at, const struct range *r)
{
    int whole = r->bits / 8, rest = r->bits % 8;
    if (memcmp(at, r->bytes, (size_t)whole) != 0) return false;
    return rest == 0 || ((at[whole] ^ r->bytes[whole]) >> (8 - rest)) == 0;
}

static bool v4_mapped(const uint8_t bytes[16])
{
    static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
    return memcmp(bytes, prefix, sizeof prefix) == 0;
}

bool net_address_is_public(const struct net_address *a)
{
    if (v4_mapped(a->bytes)) {
        for (size_t i = 0; i < sizeof v4_refused / sizeof v4_refused[0]; i++) if (in_range(a->bytes + 12, &v4_refused[i])) return false;
        return true;
    }
    if (!in_range(a->bytes, &v6_allowed)) return false;
    for (size_t i = 0; i < sizeof v6_refused / sizeof v6_refused[0]; i++) if (in_range(a->bytes, &v6_refused[i])) return false;
    return true;
}

bool net_address_of_sockaddr(const struct sockaddr *sa, struct net_address *ret)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (sa->sa_family == AF_INET) {
        memcpy(&v4, sa, sizeof v4);
        *ret = (struct net_address){ .bytes = { [10] = 0xff, [11] = 0xff } };
        memcpy(ret->bytes + 12, &v4.sin_addr, 4);
        return true;
    }
    if (sa->sa_family != AF_INET6) return false;
    memcpy(&v6, sa, sizeof v6);
    memcpy(ret->bytes, &v6.sin6_addr, 16);
    return true;
}

bool net_sockaddr_is_public(const struct sockaddr *sa, socklen_t len)
{
    struct net_address a;
    if (len < (sa->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6))) return false;
    if (!net_address_of_sockaddr(sa, &a)) return false;
    if (sa->sa_family == AF_INET6 && v4_mapped(a.bytes)) return false;
    return net_address_is_public(&a);
}

char *net_url_shown(const char *url, char out[NET_ORIGIN_BYTES])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]";
    const char *host = strstr(url, "://");
    size_t scheme = host ? (size_t)(host - url) : 0;
    snprintf(out, NET_ORIGIN_BYTES, "(url)");
    if (!host || scheme == 0 || scheme > 8 || strspn(url, "abcdefghijklmnopqrstuvwxyz") < scheme) return out;
    size_t authority = strcspn(host += 3, "/?#\\");
    for (size_t i = 0; i < authority; i++) if (host[i] == '@') return out;       // a name and a password: nothing of it is shown
    size_t len = strspn(host, allowed);
    if (len != authority || len == 0 || scheme + 3 + len >= NET_ORIGIN_BYTES) return out;
    snprintf(out, NET_ORIGIN_BYTES, "%.*s", (int)(scheme + 3 + len), url);
    return out;
}
