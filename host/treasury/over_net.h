// over_net.h — the transport of chain (chain/endpoints.h) over net/client.
#pragma once
#include "base/clock.h"
#include "base/mem.h"
#include "chain/endpoints.h"
#include "net/client.h"

struct over_net_post { transport_done_fn *done; void *arg; };

static inline void over_net_on_done(void *arg, enum fr_status st, const struct net_answer *a, const struct fr_err *err)
{
    struct over_net_post p = *(struct over_net_post *)arg;
    fr_free(arg);
    if (a) p.done(p.arg, FR_OK, a->http_status, a->body, a->body_len, a->retry_after_s, NULL);
    else p.done(p.arg, st, 0, NULL, 0, err->retry_s, err);
}

// retry_safe: a call that was sent may be sent again (endpoints.h says why). No retries here: the next endpoint is asked instead.
static inline enum fr_status over_net_send(void *client, const char *url, const char *body, size_t len, int timeout_ms, size_t answer_bytes_max, transport_done_fn *done, void *done_arg, struct fr_err *err)
{
    static const struct net_pair json = { "Content-Type", "application/json" };
    struct over_net_post *p = fr_alloc(sizeof *p);
    if (!p) return FR_FAIL(err, FR_E_NOMEM, "no memory for a call");
    *p = (struct over_net_post){ done, done_arg };
    struct net_ask ask = { .method = "POST", .url = url, .headers = &json, .header_count = 1, .body = body, .body_len = len, .retry_safe = true, .connect_ms = timeout_ms, .idle_ms = timeout_ms, .total_ms = timeout_ms,
                           .answer_bytes_max = (int64_t)answer_bytes_max, .done = over_net_on_done, .arg = p };
    enum fr_status st = net_call_start(client, &ask, NULL, err);
    if (st != FR_OK) fr_free(p);
    return st;
}

static inline int64_t over_net_now(void *client) { (void)client; return fr_mono_ms(); }

static inline struct chain_transport chain_over_net(struct net_client *client)
{
    return (struct chain_transport){ .arg = client, .post = over_net_send, .now_ms = over_net_now };
}
