// client_names.c — names to addresses: one lookup for all who ask, remembered for a while, in a bounded list.
//
// A name that is being looked up is never forgotten; libuv holds a pointer into it.
#include "net/client_inside.h"
#include <assert.h>
#include <netdb.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"

#define NAME_NONE_MS 1000                  // that a name has no address is remembered for less long

struct name {
    struct name *next;
    struct pool *pool;
    char *hostname;
    uv_getaddrinfo_t lookup;
    bool asked, looking;                   // wanted; under way
    int64_t until;                         // its addresses may be used; 0: there are none
    struct net_address addresses[CLIENT_ADDRESSES_MAX];
    int count;
};

static struct name *name_of(struct pool *p, const char *hostname)
{
    for (struct name *n = p->names; n; n = n->next) if (strcmp(n->hostname, hostname) == 0) return n;
    return NULL;
}

static void name_free(struct name *n)
{
    fr_free(n->hostname);
    fr_free(n);
}

// Makes room by forgetting the name that was added first and is not being looked up. False: they all are.
static bool names_make_room(struct pool *p)
{
    struct name **oldest = NULL;
    if (p->name_count < CLIENT_NAMES_MAX) return true;
    for (struct name **at = &p->names; *at; at = &(*at)->next) if (!(*at)->asked) oldest = at;
    if (!oldest) return false;
    struct name *n = *oldest;
    *oldest = n->next;
    p->name_count--;
    name_free(n);
    return true;
}

static struct name *name_new(struct pool *p, const char *hostname)
{
    if (!names_make_room(p)) return NULL;
    struct name *n = fr_alloc(sizeof *n);
    if (!n) return NULL;
    *n = (struct name){ .pool = p, .hostname = fr_strndup(hostname, strlen(hostname)), .next = p->names };
    if (!n->hostname) {
        fr_free(n);
        return NULL;
    }
    p->names = n;
    p->name_count++;
    return n;
}

static void name_keep(struct name *n, const struct addrinfo *found)
{
    n->count = 0;
    for (const struct addrinfo *a = found; a && n->count < CLIENT_ADDRESSES_MAX; a = a->ai_next)
        if (net_address_of_sockaddr(a->ai_addr, &n->addresses[n->count])) n->count++;
    n->until = fr_mono_ms() + (n->count ? CLIENT_NAME_MS : NAME_NONE_MS);
}

static void lookups_begin(struct pool *p);

static void on_lookup(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct name *n = lookup->data;
    struct pool *p = n->pool;
    name_keep(n, status == 0 ? found : NULL);
    uv_freeaddrinfo(found);
    n->asked = n->looking = false;
    p->lookups--;
    p->client->stats.lookups--;
    struct net_address addresses[CLIENT_ADDRESSES_MAX];        // a caller may push n out of the list
    int count = n->count;
    memcpy(addresses, n->addresses, sizeof addresses);
    for (struct net_call *c = p->first, *next; c; c = next) {
        next = c->next;                                        // only c can leave the list: others are given up by their timers
        if (c->step != CALL_RESOLVING || c->name != n) continue;
        c->name = NULL;
        call_on_addresses(c, addresses, count);
    }
    client_turn(p->client);
    lookups_begin(p);
}

// The oldest that waits, as long as one more may run. In our own pool libuv's two threads for lookups are the bound.
static void lookups_begin(struct pool *p)
{
    struct name *wanted;
    do {
        wanted = NULL;
        if (p->client->stopping || (p->is_public && p->lookups >= CLIENT_LOOKUPS_PUBLIC_MAX)) return;
        for (struct name *n = p->names; n; n = n->next) if (n->asked && !n->looking) wanted = n;
        if (!wanted) return;
        struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
        wanted->lookup.data = wanted;
        wanted->looking = uv_getaddrinfo(p->client->loop, &wanted->lookup, on_lookup, wanted->hostname, NULL, &hints) == 0;
        if (!wanted->looking) {                                // no memory: who waits finds out by its deadline
            wanted->asked = false;
            continue;
        }
        p->lookups++;
        p->client->stats.lookups++;
    } while (wanted);
}

void name_find(struct net_call *c)
{
    struct pool *p = c->pool;
    struct name *n = name_of(p, c->hostname);
    if (n && !n->asked && fr_mono_ms() < n->until) {
        call_on_addresses(c, n->addresses, n->count);
        return;
    }
    if (!n) n = name_new(p, c->hostname);
    if (!n) {
        call_on_addresses(c, NULL, 0);
        return;
    }
    c->name = n;
    n->asked = true;
    lookups_begin(p);
}

void names_forget(struct pool *p, const char *hostname)
{
    struct name *n = name_of(p, hostname);
    if (n) n->until = 0;
}

void names_give_up(struct pool *p)
{
    for (struct name *n = p->names; n; n = n->next) if (n->looking) uv_cancel((uv_req_t *)&n->lookup);     // fails when it runs already
}

void names_close(struct pool *p)
{
    for (struct name *n = p->names, *next; n; n = next) {
        assert(!n->looking);
        next = n->next;
        name_free(n);
    }
    p->names = NULL;
    p->name_count = 0;
}
