// ws.h — WebSocket (RFC 6455), server side. Loop thread only.
//
// Promises: masks are required, reserved bits and opcodes refused (1002), text is valid UTF-8 (1007) checked across
// fragments, messages bounded (1009), pings answered, our own pings keep the line alive and find dead peers, a peer that
// does not read is closed with 1013 once WS_SEND_QUEUE_BYTES_MAX wait, on_close is called exactly once. All messages sent
// in one loop turn leave in one write.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "net/server.h"

struct net_ws_hooks {
    void (*on_message)(void *arg, struct net_ws *ws, const char *text, size_t len, bool binary);   // text is NUL-terminated too
    // The socket is gone: code is that of whoever closed first, 1005 when the peer gave none, 1006 when the line broke.
    // `ws` must not be used afterwards. May be NULL.
    void (*on_close)(void *arg, struct net_ws *ws, int code);
};

// Answers the upgrade request with 101 and takes the connection over; consumes `req`. `subprotocol` (NULL for none) is echoed.
// FR_E_INVALID when the request is no proper upgrade or its connection is ending (the caller then answers 400/426 itself; req is
// untouched). May be called from on_request or later; frames that came meanwhile are delivered afterwards, on a later turn or
// after on_request returned.
FR_MUST_USE enum fr_status net_ws_accept(struct net_request *req, const char *subprotocol, const struct net_ws_hooks *hooks, void *arg,
                                         struct net_ws **ret, struct fr_err *err);
// Offered subprotocols: finds the one that starts with `prefix` ("bearer.") and copies it whole; false when absent or too long.
bool net_ws_offered(const struct net_request *req, const char *prefix, char *out, size_t cap);
void net_ws_send(struct net_ws *ws, const char *text, size_t len);          // one text message; copies; a no-op once closing
void net_ws_send_binary(struct net_ws *ws, const char *bytes, size_t len);
void net_ws_close(struct net_ws *ws, int code, const char *reason);         // idempotent; on_close follows later, never from inside
size_t net_ws_queued(const struct net_ws *ws);                              // bytes not yet taken by the kernel
void *net_ws_arg(const struct net_ws *ws);
