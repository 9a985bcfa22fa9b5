// address.c — reading addresses. Text from a header is hostile: bounded, copied, never trusted further than its proxy.
#include "net/address.h"
#include <arpa/inet.h>
#include <string.h>

static bool address_text(const char *text, struct net_address *ret)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        memset(ret->bytes, 0, 10);
        memset(ret->bytes + 10, 0xff, 2);
        memcpy(ret->bytes + 12, &v4, 4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &v6) != 1) return false;
    memcpy(ret->bytes, &v6, 16);
    return true;
}

// ":1234"
static bool port_valid(const char *text, size_t len)
{
    if (len < 2 || len > 6 || text[0] != ':') return false;
    for (size_t i = 1; i < len; i++) if (text[i] < '0' || text[i] > '9') return false;
    return true;
}

bool net_address_read(const char *text, size_t len, bool port_allowed, struct net_address *ret)
{
    char copy[INET6_ADDRSTRLEN];
    const char *end = text + len, *bracket = len > 0 && text[0] == '[' ? memchr(text, ']', len) : NULL, *port = end;
    const char *colon = memchr(text, ':', len);
    if (len > 0 && text[0] == '[' && !bracket) return false;
    if (bracket) port = bracket + 1;
    else if (colon && !memchr(colon + 1, ':', (size_t)(end - colon - 1))) port = colon;      // a single colon: IPv4 and its port
    if (port != end && !(port_allowed && port_valid(port, (size_t)(end - port)))) return false;
    const char *from = bracket ? text + 1 : text, *to = bracket ? bracket : port;
    if (to <= from || (size_t)(to - from) >= sizeof copy) return false;
    memcpy(copy, from, (size_t)(to - from));
    copy[to - from] = 0;
    return !(bracket && !strchr(copy, ':')) && address_text(copy, ret);
}

static bool is_v4(const struct net_address *a)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    return memcmp(a->bytes, mapped, sizeof mapped) == 0;
}

bool net_address_is_loopback(const struct net_address *a)
{
    static const uint8_t one[16] = { [15] = 1 };
    return is_v4(a) ? a->bytes[12] == 127 : memcmp(a->bytes, one, sizeof one) == 0;
}

bool net_proxies_have(const struct net_proxies *p, const struct net_address *a)
{
    for (int i = 0; i < p->count; i++) if (memcmp(p->at[i].bytes, a->bytes, sizeof a->bytes) == 0) return true;
    return false;
}

struct net_address net_address_client(const struct net_address *a)
{
    struct net_address client = *a;
    if (!is_v4(a)) memset(client.bytes + 8, 0, 8);
    return client;
}

struct net_address net_address_forwarded(const struct net_address *peer, const struct net_proxies *trusted, const char *header, size_t len)
{
    struct net_address client = *peer;
    for (int hop = 0; hop < NET_FORWARDED_HOPS_MAX && len > 0 && net_proxies_have(trusted, &client); hop++) {
        size_t from = len;
        while (from > 0 && header[from - 1] != ',') from--;
        const char *at = header + from, *end = header + len;
        while (at < end && (*at == ' ' || *at == '\t')) at++;
        while (end > at && (end[-1] == ' ' || end[-1] == '\t')) end--;
        if (!net_address_read(at, (size_t)(end - at), true, &client)) break;
        len = from > 0 ? from - 1 : 0;
    }
    return client;
}
