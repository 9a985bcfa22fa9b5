// guard.h — which addresses a call that a stranger caused may reach, and how a URL may be shown. Pure.
//
// Public is what the IANA special-purpose registries (RFC 6890 and its updates) leave over: not private, loopback, link-local, shared (CGNAT),
// documentation, benchmarking, multicast, reserved or unspecified; of IPv6 only 2000::/3, without 6to4 (2002::/16), Teredo and the rest of 2001::/23,
// so that no address carries an IPv4 address inside; NAT64 (64:ff9b::/96) and v4-mapped lie outside of 2000::/3. Cloud metadata services lie in the
// link-local, shared and unique-local ranges, but for one that is named.
#pragma once
#include <stdbool.h>
#include <sys/socket.h>
#include "net/address.h"

// IPv4 as ::ffff:a.b.c.d, which is how net_address keeps it.
bool net_address_is_public(const struct net_address *a);
// False for any family but IPv4 and IPv6, and for v4-mapped addresses in IPv6: nobody means them well.
bool net_sockaddr_is_public(const struct sockaddr *sa, socklen_t len);
bool net_address_of_sockaddr(const struct sockaddr *sa, struct net_address *ret);

#define NET_ORIGIN_BYTES 288
// "https://host:port" of a URL: nothing of its path, query or user may be told, because keys stand there. "(url)" when it has no such form.
char *net_url_shown(const char *url, char out[NET_ORIGIN_BYTES]);
