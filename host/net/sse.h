// sse.h — a stream of events to a page or program (Server-Sent Events, WHATWG HTML 9.2), on top of an answer in pieces. Loop thread only.
//
// A log of events can be kept beside it, so that a client whose line broke goes on with Last-Event-ID: net_events. What is in the events is the owner's business.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include "base/auto.h"
#include "net/server.h"

#define SSE_TYPE "text/event-stream; charset=utf-8"

struct net_sse;
// Takes the request over: begins its answer (200, SSE_TYPE; `headers` as in net_respond; Cache-Control and X-Accel-Buffering are added, so that proxies pass it on as it
// comes) and ends it in net_sse_end. Every SSE_HEARTBEAT_MS without an event a comment is sent: proxies and phones drop silent lines, and a client that is gone is found.
// watch: as in net_request_watch; the request must not be watched already. NULL and a 503 when there is no memory: then the request is answered.
struct net_sse *net_sse_begin(struct net_request *req, uv_loop_t *loop, const char *headers, const struct net_watch *watch);
// `event` and `id` may be NULL or "": left out; neither holds line ends. data: each of its lines becomes a "data:" line. False: behind, as net_stream_write.
bool net_sse_send(struct net_sse *s, const char *id, const char *event, const char *data, size_t len);
bool net_sse_comment(struct net_sse *s, const char *text);
// Once; s is gone then. `broken`: the end is not said (net_stream_break).
void net_sse_end(struct net_sse *s, bool broken);
void net_sse_pulse_for_test(struct net_sse *s);           // as if half a heartbeat had passed

// The last events of one stream, numbered from 1, at most SSE_KEPT_BYTES_MAX of them: the oldest go first.
struct net_events;
struct net_events *net_events_new(size_t bytes_max);      // NULL: no memory
void net_events_free(struct net_events *e);               // takes NULL
uint64_t net_events_add(struct net_events *e, const char *event, const char *data, size_t len);   // its number; without memory the log begins anew behind it
uint64_t net_events_last(const struct net_events *e);     // 0: none yet
bool net_events_has(const struct net_events *e, uint64_t after);      // everything behind `after` is still there
// The next event behind `after`; false: none. Valid until the next net_events_add.
bool net_events_next(const struct net_events *e, uint64_t after, const char **event, const char **data, size_t *len);
// What Last-Event-ID says, as a number up to `last`: 0 when it is not there; false when it is no such number.
bool net_events_from(const struct net_request *req, uint64_t last, uint64_t *after);
