// address.h — where a client is: addresses as bytes, as keys for bounds, and through proxies that are trusted by name. Pure.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_PROXIES_MAX 16
#define NET_FORWARDED_HOPS_MAX 8           // of X-Forwarded-For, from the right: nobody stands behind more proxies of ours
struct net_address { uint8_t bytes[16]; };                    // IPv4 as ::ffff:a.b.c.d
struct net_proxies { struct net_address at[NET_PROXIES_MAX]; int count; };

// "192.0.2.7", "2001:db8::1", "[2001:db8::1]"; with a port too when `port_allowed`. False: it is none.
bool net_address_read(const char *text, size_t len, bool port_allowed, struct net_address *ret);
bool net_address_is_loopback(const struct net_address *a);
bool net_proxies_have(const struct net_proxies *p, const struct net_address *a);
// What is counted as one client: an IPv4 address, or the /64 of an IPv6 address, which one household or server has whole.
struct net_address net_address_client(const struct net_address *a);
// Who asks: `peer`, unless that is a trusted proxy. Then the last address in X-Forwarded-For that is none of the trusted ones. What stands
// left of it anybody may have written. An unreadable address ends the search: the proxy nearest to it is the client then.
struct net_address net_address_forwarded(const struct net_address *peer, const struct net_proxies *trusted, const char *header, size_t len);
