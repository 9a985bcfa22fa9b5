// client_inside.h — what client.c (calls), client_loop.c (libcurl on libuv) and client_names.c (lookups) share; nobody else includes it.
#pragma once
#include <curl/curl.h>
#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "net/client.h"
#include "net/guard.h"

struct host { int calls, running; };       // by origin, or by a socket's path
struct name;

struct opened { int fd; uint64_t inode; }; // the inode tells whether the descriptor is still that socket

struct pool {                              // [0] our own, [1] what plugins cause: no connection, name or bound is shared
    struct net_client *client;
    CURLM *multi;
    uv_timer_t timer;                      // libcurl's one timer
    bool is_public;
    int calls_max, connections_max, per_host_max;
    int calls, running;
    bool serving, serve_again;
    struct opened *opened;                 // 2 * connections_max
    int opened_count;
    struct net_call *first, *last;         // all calls, in the order in which they came
    struct fr_map *hosts;
    struct name *names;                    // newest first
    int name_count, lookups;
};

struct net_client {
    uv_loop_t *loop;
    struct pool pools[2];
    uv_timer_t turn;                       // what must not happen inside a caller's call: the end
    int handles;                           // of libuv's, not yet closed
    int retry_ms_min;
    bool stopping, closing;
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct net_client_stats stats;
};

// One call, from net_call_start to done. Functions stand in the order they run.
struct net_call {
    enum { CALL_QUEUED, CALL_RESOLVING, CALL_RUNNING, CALL_WAITING, CALL_DONE } step;
    struct pool *pool;
    struct net_call *prev, *next;
    struct host *host;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    char *method, *url, *unix_path, *ca_file, *body;
    char hostname[256], host_key[288];     // without brackets; scheme://host:port, or unix:path
    char shown[NET_ORIGIN_BYTES];
    size_t body_len, body_at;
    bool idempotent, retry_safe, follows, has_slot, in_multi;
    bool connected, sent;                  // of this attempt; of any
    bool paused, resuming, refused_private;
    int retries, redirects, attempts, connect_ms, idle_ms;
    int64_t answer_max, started_at, total_at, connect_at, wait_until, moved_at;        // fr_mono_ms
    struct name *name;                     // while RESOLVING
    struct net_address addresses[CLIENT_ADDRESSES_MAX];
    int address_count, address_no;
    struct fr_buf head, answer;
    size_t header_bytes;
    int64_t body_bytes, passed_on;
    int http_status;
    int64_t retry_after_s;
    bool head_whole, discard;              // discard: this answer will be followed by another attempt
    enum net_failure refused;              // found inside libcurl's callbacks: why it was told to stop
    enum net_failure ending;               // cancelled or stopped: acted upon by the timer
    uv_timer_t timer;                      // libuv keeps a pointer to it, so the call is freed in its close callback
    net_call_bytes_fn *on_bytes;
    net_call_done_fn *done;
    void *arg;
};

// ---- client.c
void call_on_addresses(struct net_call *c, const struct net_address *at, int count);     // count 0: none
void call_on_curl_done(struct net_call *c, CURLcode code);
void client_turn(struct net_client *client);                   // something ended: is all of it at an end?
// ---- client_loop.c
enum fr_status pool_open(struct pool *p, struct net_client *client, bool is_public, struct fr_err *err);
void pool_close(struct pool *p);           // no call is left
void client_handle_closed(struct net_client *client);
CURLMcode pool_add(struct pool *p, CURL *easy);
// Sockets that are open now: libcurl 7.88 does not tell of those that it closes while they connect, so we look.
int pool_connections(struct pool *p);
// Called before a socket connects; arg is the call.
curl_socket_t pool_on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address);
// ---- client_names.c
// Answers by call_on_addresses, at once when it knows. c->name is set while it waits.
void name_find(struct net_call *c);
void names_forget(struct pool *p, const char *hostname);       // its addresses took no connection
void names_give_up(struct pool *p);          // lookups end as soon as they can
void names_close(struct pool *p);
