// limit.c — how often a player and an address may ask over HTTP. Sockets have a bound of their own (socket.c).
#include <string.h>
#include "base/clock.h"
#include "gateway/internal.h"

// `set`: what the operator said, 0: nothing.
static struct net_rate *rate_open(bool off_by_default, int set, int usual, int set_burst, int usual_burst)
{
    if (set < 0 || (set == 0 && off_by_default)) return NULL;
    int per_second = set > 0 ? set : usual;
    int burst = set_burst > 0 ? set_burst : set > 0 ? 4 * set : usual_burst;
    return net_rate_new(per_second, burst, RATE_KEYS_MAX);
}

void gw_limits_open(struct gateway *g)
{
    const struct gateway_rates *r = &g->o.rates;
    g->player_rate = rate_open(g->o.dev, r->player_per_second, PLAYER_REQUESTS_PER_SECOND, r->player_burst, PLAYER_REQUESTS_BURST);
    g->address_rate = rate_open(g->o.dev, r->address_per_second, ADDRESS_REQUESTS_PER_SECOND, r->address_burst, ADDRESS_REQUESTS_BURST);
}

void gw_limits_close(struct gateway *g)
{
    net_rate_free(g->player_rate);
    net_rate_free(g->address_rate);
}

static enum fr_status too_often(int64_t wait_ms, const char *who, struct fr_err *err)
{
    enum fr_status st = FR_FAIL_CODE(err, FR_E_LIMIT, "rate_limited", "too many requests from %s: ask again in %lld ms", who, (long long)wait_ms);
    if (err) err->retry_s = (int)((wait_ms + 999) / 1000);
    return st;
}

enum fr_status gw_limit_player(struct gateway *g, const char *player, struct fr_err *err)
{
    int64_t wait_ms = g->player_rate ? net_rate_take(g->player_rate, player, strlen(player), fr_mono_ms()) : 0;
    return wait_ms == 0 ? FR_OK : too_often(wait_ms, "this player", err);
}

// A proxy that the operator did not name sits on loopback and brings everybody: its address says nothing.
enum fr_status gw_limit_address(struct gateway *g, const struct net_request *req, struct fr_err *err)
{
    if (!g->address_rate) return FR_OK;
    struct net_address from = net_request_from(req), client = net_address_client(&from);
    if (net_address_is_loopback(&from) && g->o.rates.address_per_second == 0) return FR_OK;
    int64_t wait_ms = net_rate_take(g->address_rate, &client, sizeof client, fr_mono_ms());
    return wait_ms == 0 ? FR_OK : too_often(wait_ms, "your address", err);
}
