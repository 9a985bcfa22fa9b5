// server.h — an HTTP/1.1 server (RFC 9112) on libuv and llhttp, with WebSocket upgrade. Loop thread only.
//
// Promises: every bound of limits.h holds (headers, body, deadlines, pipelining, connections, what a slow reader may
// make us keep); one write per response; answers leave in the order of the requests; a request handed to `on_request`
// gets exactly one answer, and when the client leaves first the answer is dropped silently. Ambiguous framing (both
// Content-Length and Transfer-Encoding, bare LF, obs-fold, duplicate lengths) is refused with 400 and the connection closed.
// It knows no JSON, no players and no routes.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/buf.h"
#include "base/err.h"
#include "net/address.h"

struct net_server;
struct net_request;      // lives from on_request until net_respond* was called and the bytes were handed to libuv
struct net_ws;           // see ws.h

struct net_text { const char *at; size_t len; };            // not NUL-terminated; valid as long as the request

struct net_server_options {
    uv_loop_t *loop;
    const char *host;                 // "127.0.0.1"; numeric IPv4 or IPv6
    int port;                         // 0 picks one: net_server_port tells
    void *arg;
    // A whole request, body included. Answer now or later with net_respond. May also upgrade: ws.h's net_ws_accept.
    void (*on_request)(void *arg, struct net_request *req);
    // The refusal of a request that never reached on_request (400, 408, 413, 414, 417, 431, 501, 503, 505): lets the owner write the
    // body (a problem document). NULL: an empty body.
    void (*on_refusal)(void *arg, int http_status, const char *code, const char *text, struct fr_buf *body, const char **content_type);
    // How large the body of a request may be, asked once its head is there; target: as it came, with the query. NULL: HTTP_BODY_BYTES_MAX.
    size_t (*body_most)(void *arg, struct net_text method, struct net_text target);
    // 0 means the bound of limits.h. Tests shorten them; nothing else should.
    int header_ms, body_ms, idle_ms, write_stall_ms, linger_ms, ws_ping_ms, ws_close_ms, connections_max;
    // Open at once from one address (net_address_client). 0: CONNECTIONS_PER_ADDRESS_MAX, and none for loopback, where a proxy or a developer
    // sits. Another number counts for every address. Trusted proxies are never counted: many people stand behind them.
    int connections_per_address;
    struct net_proxies proxies;
};

// FR_E_IO code "port_in_use" names host and port. Sets SIGPIPE to ignore.
FR_MUST_USE enum fr_status net_server_start(const struct net_server_options *options, struct net_server **ret, struct fr_err *err);
int net_server_port(const struct net_server *s);
// Stops accepting, lets answers in flight finish for at most grace_ms, closes sockets (WebSockets with 1001), then calls done once.
// Requests that are still with the owner then may be answered afterwards; the answers go nowhere. The loop must run until done.
void net_server_stop(struct net_server *s, int grace_ms, void (*done)(void *arg), void *arg);   // frees s
struct net_server_stats { int64_t connections, websockets, requests, refused, refused_address, bytes_in, bytes_out; };      // refused: connections over the bound, over the address's
struct net_server_stats net_server_stats(const struct net_server *s);

// ---- reading a request
struct net_text net_method(const struct net_request *req);
// Without the query; percent-decoded; UTF-8; begins with '/' ("*" for OPTIONS); never holds control bytes, a backslash, "//", an
// encoded slash, or a "." or ".." segment: such requests are refused with 400 and never reach the owner.
struct net_text net_path(const struct net_request *req);
struct net_text net_query(const struct net_request *req);         // raw, without '?'
struct net_text net_header(const struct net_request *req, const char *name);   // case-insensitive; len 0 when absent; a repeated one is joined with ", "
struct net_text net_body(const struct net_request *req);          // followed by a NUL that is not counted
bool net_query_value(const struct net_request *req, const char *name, char *out, size_t cap);   // percent-decoded; false when absent or too long
const char *net_peer(const struct net_request *req);              // "127.0.0.1"
// Who asks, behind the trusted proxies of the options: address.h.
struct net_address net_request_from(const struct net_request *req);
static inline bool net_text_is(struct net_text t, const char *s) { size_t n = __builtin_strlen(s); return t.len == n && __builtin_memcmp(t.at, s, n) == 0; }
// A slot for the owner's own data, and a cleanup run when the request dies: at its answer, whether or not the client still waits.
void net_request_set(struct net_request *req, void *data, void (*on_free)(void *data));
void *net_request_data(const struct net_request *req);

// ---- answering: exactly once per request. `headers` is zero or more complete "Name: value\r\n" lines or NULL.
// Content-Length, Date and Connection are added. Bytes are copied (or sent before return). A body over
// HTTP_WRITE_QUEUE_BYTES_MAX breaks the connection; files.h serves larger ones without copying.
void net_respond(struct net_request *req, int http_status, const char *content_type, const char *headers,
                 const void *body, size_t body_len);

// ---- an answer in pieces: net_stream_begin instead of net_respond, then writes, then net_stream_end exactly once, whatever happened meanwhile.
// HTTP/1.1 gets it in chunks, HTTP/1.0 until the connection closes; to HEAD only the head goes out. Its place in the line of answers is kept.
void net_stream_begin(struct net_request *req, int http_status, const char *content_type, const char *headers);
// Bytes are copied. False: the client is behind by more than HTTP_STREAM_QUEUE_BYTES_MAX, and it is time to pause until `drained`. Whoever goes on all the
// same breaks the connection at HTTP_WRITE_QUEUE_BYTES_MAX. A client that takes no byte for HTTP_WRITE_STALL_MS is dropped. To one that left nothing is written.
bool net_stream_write(struct net_request *req, const void *bytes, size_t len);
void net_stream_end(struct net_request *req);
// Breaks it off instead: what was written so far leaves, but the end is not said, so that nobody takes the half for the whole.
void net_stream_break(struct net_request *req);
// Who wants to know how the client fares; `drained` may be NULL. gone: it left before the answer, or closed its half (which, for a request that is watched, is
// leaving): once, and the request must still be answered or ended, into nothing. drained: after net_stream_write said false; once for each time.
// Neither is called from inside a call of the owner, and neither after the answer's end.
struct net_watch { void (*gone)(void *arg); void (*drained)(void *arg); void *arg; };
void net_request_watch(struct net_request *req, const struct net_watch *watch);
bool net_request_left(const struct net_request *req);             // the client has left
void net_request_drop(struct net_request *req);                   // breaks the connection, soon: what waits for it is lost, and it counts as left
