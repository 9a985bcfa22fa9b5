// internal.h — what server.c, http.c, ws.c and files.c share. Nothing outside host/net includes it.
//
// A connection is one struct net_conn. Whoever touched one outside its own read callback marks it dirty; before the loop
// sleeps every dirty connection is settled: what waits is written, parsing goes on if it was paused, the deadline is set.
// net_conn_settle is the only place that writes, so all that one turn produced leaves in one write.
#pragma once
#include <assert.h>
#include <netinet/in.h>
#include "base/buf.h"
#include "base/limits.h"
#include "llhttp.h"
#include "net/server.h"
#include "net/ws.h"

#define NET_READ_BYTES (64 * 1024)          // one buffer for the whole server: an idle connection holds none

#define NET_SPARE_OUTS 64

struct net_link { struct net_link *prev, *next; };      // prev is NULL while it is on no list
static inline void net_list_init(struct net_link *head) { head->prev = head->next = head; }
static inline bool net_list_empty(const struct net_link *head) { return head->next == head; }
static inline void net_list_add(struct net_link *head, struct net_link *l)
{
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}
static inline void net_list_remove(struct net_link *l)
{
    if (!l->prev) return;
    l->prev->next = l->next;
    l->next->prev = l->prev;
    l->prev = l->next = NULL;
}
#define NET_OF(link, type, member) ((type *)(void *)((char *)(link) - offsetof(type, member)))

// What a connection is waiting for. Each has one duration, so a list per kind is in order of expiry by itself.
enum net_wait { WAIT_NOTHING, WAIT_IDLE, WAIT_HEADER, WAIT_BODY, WAIT_WRITE, WAIT_LINGER, WAIT_PING, WAIT_WS_CLOSE, WAIT_COUNT };

struct net_server {
    struct net_server_options options;
    uv_tcp_t listener;
    uv_prepare_t prepare;
    uv_timer_t tick;
    uv_idle_t idle;                         // runs while somebody is to be told something
    int open_handles;                       // of the four above
    int wait_ms[WAIT_COUNT];
    struct net_link waits[WAIT_COUNT];
    struct net_link conns, dirty;
    struct net_link drained, left;          // requests whose owner may go on writing, or whose client left: told on the next turn
    struct net_request *spare;              // requests to use again
    int spares;
    struct fr_buf spare_outs[NET_SPARE_OUTS];   // write buffers to use again
    int spare_out_count;
    int orphans;                            // requests whose client left before the answer
    int64_t now_ms, date_ms;
    char date[30];
    bool stopping, finished;                // finished: done was called
    bool starved;                           // a connection could not be taken for want of memory: the tick tries again
    int64_t stop_deadline_ms;
    void (*stop_done)(void *arg);
    void *stop_arg;
    struct net_server_stats stats;
    struct fr_map *addresses;               // struct net_from by client: how many connections it has
    int port;
    char *read_buffer;                      // NET_READ_BYTES and one more, so that a message can be ended with NUL in place
};

struct net_from { struct net_address client; int connections; };

struct net_refusal { int http_status; const char *code, *text; };

struct net_conn {
    uv_tcp_t tcp;
    struct net_server *server;
    struct net_link link, dirty, wait;
    int64_t deadline_ms;
    uint64_t sent_bytes, stalled_at;        // given to libuv; of those, taken by the client when WAIT_WRITE began: progress means more
    llhttp_t parser;
    struct net_request *building;           // the message being received
    struct net_request *first, *last;       // handed out, in order, answered or not
    int in_flight, watched;                 // watched: of those, not answered, whose owner wants to know when the client leaves
    struct fr_buf out;                      // not yet given to libuv
    char *rest;                             // read, but parsing is paused
    size_t rest_at, rest_len;
    struct net_ws *ws;
    struct net_refusal refusal;             // set by a parser callback that stops the parser
    const char *feed;                       // what the parser is reading now
    size_t head_bytes, trailer_bytes, chunk_bytes;     // of this message: head in earlier reads, trailers, chunk extensions
    uint8_t waiting;                        // enum net_wait
    uint16_t head_flags;                    // what the message's own Connection header said
    bool in_headers, in_body, restarted;    // of the message being received; restarted: its deadline begins anew
    bool complete;                          // the parser reached a message's end
    bool wants_continue;                    // the client waits for "100 Continue"
    bool held;                              // an upgrade was asked for: nothing is parsed until it is answered
    bool reading, busy, finishing, lingering, eof, closed;
    struct net_from *from;                  // NULL: not counted
    char peer[INET6_ADDRSTRLEN];
};

struct net_field { uint32_t name_at, name_len, value_at, value_len; const char *joined; };
struct net_extra { struct net_extra *next; char text[]; };

struct net_request {
    struct net_server *server;
    struct net_conn *conn;                  // NULL: the client left
    struct net_request *next;
    char *bytes;                            // target, header names and values, body: everything we keep, in this order
    size_t len, cap;
    size_t target_len, body_at, body_most;
    struct net_text method, path, query;
    struct net_field fields[HTTP_HEADERS_MAX];
    int field_count;
    bool keep_alive, is_http10, is_head, upgrade, answered;
    bool streaming, behind, broken;         // answered in pieces; its owner was told to pause; its end is not to be said
    struct net_watch watch;                 // gone NULL: nobody watches
    struct net_link told;                   // on one of the server's lists `drained` and `left`
    struct net_extra *extras;               // joined headers
    void *data;
    void (*on_free)(void *data);
    char peer[INET6_ADDRSTRLEN];            // filled when the client leaves
    struct fr_buf answer;                   // while earlier requests of the connection wait for theirs
    const char *shared;                     // a body that is sent from where it stands
    size_t shared_len;
    void (*shared_done)(void *owner);
    void *shared_owner;
};

// server.c
struct fr_buf *net_conn_out(struct net_conn *conn);       // where to append what is to be sent
void net_conn_dirty(struct net_conn *conn);               // settle it before the loop sleeps
void net_conn_settle(struct net_conn *conn);
void net_conn_close(struct net_conn *conn);               // at once; frees it in libuv's close callback
size_t net_conn_queued(const struct net_conn *conn);      // bytes not yet taken by the kernel
void net_conn_send_shared(struct net_conn *conn, struct net_request *req);   // conn->out and the shared body, now
void net_server_orphans_gone(struct net_server *s);
// http.c
extern const llhttp_settings_t net_http_settings;
void net_http_init(struct net_conn *conn);
size_t net_http_feed(struct net_conn *conn, const char *bytes, size_t len);  // at most one message; returns bytes used
void net_http_refuse(struct net_conn *conn, int http_status, const char *code, const char *text);
void net_http_continue(struct net_conn *conn);
void net_http_abandon_message(struct net_conn *conn);     // half a message will stay half
void net_http_free_spares(struct net_server *s);
void net_request_free(struct net_request *req);            // or kept as a spare

// http_answer.c
void net_http_abandon(struct net_conn *conn);             // the connection is closing: its requests become orphans
size_t net_http_refusal_text(struct net_server *s, const struct net_refusal *r, char *out, size_t cap);
// Like net_respond; the body is not copied: done(owner) is called once it may go.
void net_respond_shared(struct net_request *req, int http_status, const char *content_type, const char *headers,
                        const void *body, size_t body_len, void (*done)(void *owner), void *owner);
void net_request_detach(struct net_request *req);         // ws.c took the connection over; frees the request
enum net_framing { FRAMED_BY_LENGTH, FRAMED_BY_CHUNKS, FRAMED_BY_CLOSE };
struct fr_buf *net_answer_head(struct net_request *req, int http_status, const char *content_type, const char *headers, enum net_framing framing);   // begins it; where the body goes
void net_answer_end(struct net_request *req);             // the answer is whole: it leaves when it is its turn, and the request ends
// stream.c
void net_stream_look(struct net_conn *conn);              // settled: whether its first answer, in pieces, may go on
void net_stream_soon(struct net_server *s);
void net_stream_tell(struct net_server *s);               // who waits on s->drained and s->left
void net_watch_drop(struct net_request *req);
// ws.c
size_t net_ws_feed(struct net_ws *ws, char *bytes, size_t len);   // bytes[len] is writable; unmasks in place
enum net_wait net_ws_wait(const struct net_ws *ws);
void net_ws_on_ping_time(struct net_ws *ws);
void net_ws_gone(struct net_ws *ws);                      // the connection is closed: on_close, free
