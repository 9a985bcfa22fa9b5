// client.h — HTTP/1.1 calls to other servers, on the loop: libcurl's multi interface driven by libuv. Loop thread only; never blocks it.
//
// Promises: `done` of a call that was accepted is called exactly once, never from inside net_call_start, net_call_cancel or net_client_stop. Every
// call has a deadline. Requests, answers and their headers are bounded, connections too, in all and per host. Certificates are checked, always.
// Proxies, cookies, .netrc and content codings are not used, whatever the environment says. HTTP/1.1 only: one call per connection, so that
// holding back a stream holds back that call alone. Error texts hold the origin of a URL and nothing behind it, and none of libcurl's texts.
//
// Names are looked up by libuv's pool, once, and the call is connected to that address ("pinned"): libcurl is only ever given numeric addresses.
// (Debian's libcurl resolves with a thread per lookup, without a bound, and joins that thread, on the loop, when a call is given up.) A lookup
// that hangs keeps its thread, not the call. Addresses of a name are tried one after the other within connect_ms.
//
// Calls that plugins cause say public_only: the address that a socket is about to connect to is checked (guard.h), whatever name led there, and
// those calls have connections of their own, so none is reused that an inner call opened.
//
// Tried again (`retries`, exponential back-off with full jitter, Retry-After honoured within bounds) is only what may be repeated: GET, HEAD,
// OPTIONS, PUT, DELETE, or what the caller calls retry_safe; after failures to connect, broken connections, silence, and 408, 429, 500, 502, 503,
// 504. Another call that fails after it may have been sent is FR_E_UNKNOWN: it may have happened.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/err.h"

struct net_client;
struct net_call;                           // valid until its done is called

struct net_pair { const char *name, *value; };
struct net_answer {                        // valid during done
    int http_status;                       // whatever it is: judging it is the caller's
    const char *body; size_t body_len;     // followed by a NUL that is not counted; empty when the bytes went to on_bytes
    const char *head; size_t head_len;     // the header lines; see net_answer_header
    int attempts;                          // 1: the first did it
    int64_t retry_after_s;                 // what the server asked for; 0: nothing
    int64_t ms;                            // from start to end, waiting included
};
// answer is NULL unless st is FR_OK. err is set otherwise; codes below.
typedef void net_call_done_fn(void *arg, enum fr_status st, const struct net_answer *answer, const struct fr_err *err);
// Bytes of the answer as they come. Taken always; net_call_pause stops further ones (what is on its way, 16 KiB, is kept; the peer is held by TCP).
typedef void net_call_bytes_fn(void *arg, struct net_call *call, int http_status, const char *bytes, size_t len);

struct net_ask {                           // everything is copied
    const char *method;                    // GET HEAD OPTIONS PUT DELETE POST PATCH; NULL: GET
    const char *url;                       // http:// or https://, ASCII, no user in it; a fragment is not sent
    const char *unix_path;                 // a socket to connect to instead of the URL's host; NULL: none. Never with public_only
    const struct net_pair *headers;        // names are tokens, values printable; those of the connection (Host, lengths, codings, ...) are refused
    int header_count;
    const void *body; size_t body_len;     // POST, PUT and PATCH only; say its Content-Type
    const char *ca_file;                   // PEM; NULL or "": the system's
    bool public_only;
    bool retry_safe;                       // doing it twice is as good as once
    int retries;                           // 0..CLIENT_RETRIES_MAX
    int redirects;                         // 0: a redirect is an answer. Else GET and HEAD follow so many: never from https to http, with
                                           // the caller's headers only inside one origin
    int connect_ms, idle_ms, total_ms;     // 0: CLIENT_CONNECT_MS, CLIENT_IDLE_MS, CLIENT_MS; at most CLIENT_MS_MAX. A paused call is not idle; headers
                                           // count as bytes by whole lines
    int64_t answer_bytes_max;              // 0: CLIENT_ANSWER_BYTES_DEFAULT; at most CLIENT_ANSWER_BYTES_MAX, with on_bytes CLIENT_STREAM_BYTES_MAX
    net_call_bytes_fn *on_bytes;           // NULL: the body waits for done
    net_call_done_fn *done;
    void *arg;
};

// Why a call failed, with its stable code. (FR_E_UNKNOWN takes the place of the status: see above.)
enum net_failure {
    NET_FAIL_NONE,
    NET_FAIL_CANCELLED,        // client_cancelled     conflict  net_call_cancel
    NET_FAIL_STOPPED,          // client_stopped       busy      net_client_stop
    NET_FAIL_NAME,             // client_name          busy      no address for this name, in time
    NET_FAIL_CONNECT,          // client_unreachable   busy      no address took the connection, in time
    NET_FAIL_PRIVATE,          // client_private       denied    public_only, and every address is none
    NET_FAIL_TLS,              // client_tls           denied    no valid certificate, or no safe connection
    NET_FAIL_CA_FILE,          // client_ca_file       invalid   the file of certificates cannot be read
    NET_FAIL_TIMEOUT,          // client_timeout       timeout   total_ms
    NET_FAIL_IDLE,             // client_idle          timeout   idle_ms
    NET_FAIL_CLOSED,           // client_closed        io        the connection ended before the answer did
    NET_FAIL_NONSENSE,         // client_nonsense      io        no HTTP
    NET_FAIL_HEADERS,          // client_headers       limit     the answer's headers are too large
    NET_FAIL_TOO_LARGE,        // client_too_large     limit     the answer's body is
    NET_FAIL_REDIRECT,         // client_redirect      denied    too many, or to where we do not go
    NET_FAIL_NOMEM,            // nomem                nomem
    NET_FAIL_OTHER,            // client_failed        io
    NET_FAILURES
};
const char *net_failure_code(enum net_failure f);

struct net_client_options {
    uv_loop_t *loop;
    // 0: the bounds of limits.h. [0] is our own pool, [1] the public one.
    int connections[2], connections_per_host[2], calls[2];
    int retry_ms_min;                      // for tests
};
// FR_E_NOMEM. Sets SIGPIPE to ignore, RES_OPTIONS when it is not set, and takes SSLKEYLOGFILE out of the environment: before other threads start.
FR_MUST_USE enum fr_status net_client_start(const struct net_client_options *options, struct net_client **ret, struct fr_err *err);
// Ends every call (client_stopped), closes connections, then calls done once and frees c. The loop must run until then; it waits for lookups that
// are under way, which the system's resolver bounds.
void net_client_stop(struct net_client *c, void (*done)(void *arg), void *arg);

// FR_OK: accepted, and done will be called. *ret (may be NULL) is for net_call_cancel and the like. Refusals: FR_E_INVALID "client_url", "client_header",
// "client_request" (method, body or a bound that makes no sense); FR_E_LIMIT "client_request_too_large"; FR_E_BUSY "client_busy"; FR_E_NOMEM.
FR_MUST_USE enum fr_status net_call_start(struct net_client *c, const struct net_ask *ask, struct net_call **ret, struct fr_err *err);
void net_call_cancel(struct net_call *call);           // at any time before done, also from on_bytes: no further bytes, done comes soon
void net_call_pause(struct net_call *call);
void net_call_resume(struct net_call *call);           // bytes come again with a later turn of the loop
// Of the last answer's header lines, the first of that name: false when absent or over cap. Case does not matter.
bool net_answer_header(const struct net_answer *answer, const char *name, char *out, size_t cap);
bool net_call_header(const struct net_call *call, const char *name, char *out, size_t cap);     // the same from on_bytes

struct net_client_stats {
    int64_t started, succeeded, failed[NET_FAILURES], retried, redirected, bytes_in, bytes_out;   // bytes of bodies
    int64_t connections, connections_made, waiting, running, lookups;     // now; made since the start
};
struct net_client_stats net_client_stats(struct net_client *c);       // one fstat per open connection: for metrics, not for each call
