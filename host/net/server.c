// server.c — connections: accepting, reading, writing, waiting, ending. What the bytes mean is http.c's and ws.c's business.
#include "net/server.h"
#include <errno.h>
#include <linux/sockios.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/internal.h"

#define OUT_BYTES_MAX (HTTP_WRITE_QUEUE_BYTES_MAX + HTTP_HEADER_BYTES_MAX)
#define OUT_KEPT_BYTES (16 * 1024)         // a spare write buffer is no larger
#define TICK_MS_MAX 250
#define TICK_MS_MIN 5
#define BACKLOG 1024

_Static_assert(WS_SEND_QUEUE_BYTES_MAX < OUT_BYTES_MAX && HTTP_PIPELINE_BYTES_MAX < HTTP_WRITE_QUEUE_BYTES_MAX, "queues are ordered");

// One write that the kernel did not take whole. It owns what it still has to send.
struct net_send {
    uv_write_t write;
    struct net_conn *conn;
    struct fr_buf bytes;
    void (*shared_done)(void *owner);
    void *shared_owner;
};

// ---- time

static void server_take_date(struct net_server *s)
{
    int64_t unix_ms = fr_now_ms();
    if (s->date[0] && unix_ms / 1000 == s->date_ms / 1000) return;
    s->date_ms = unix_ms;
    time_t t = (time_t)(unix_ms / 1000);
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);    // the C locale: nobody calls setlocale
}

static enum net_wait conn_wait(const struct net_conn *conn)
{
    if (conn->lingering) return WAIT_LINGER;
    if (conn->ws && !conn->finishing) return net_ws_wait(conn->ws);
    if (conn->in_headers) return WAIT_HEADER;
    if (conn->in_body) return WAIT_BODY;
    if (net_conn_queued(conn) > 0) return WAIT_WRITE;
    if (conn->in_flight > 0) return WAIT_NOTHING;       // the owner's answer has the owner's deadline
    return WAIT_IDLE;
}

// What the client has taken: not what the kernel has. It holds megabytes, and makes room for more in steps that a slow phone needs half a minute for.
static uint64_t conn_taken(const struct net_conn *conn)
{
    int fd, held = 0;
    if (uv_fileno((const uv_handle_t *)&conn->tcp, &fd) != 0 || ioctl(fd, SIOCOUTQ, &held) != 0) held = 0;
    return conn->sent_bytes - uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp) - (uint64_t)held;
}

static void conn_wait_for(struct net_conn *conn, enum net_wait wait)
{
    struct net_server *s = conn->server;
    net_list_remove(&conn->wait);
    conn->waiting = (uint8_t)wait;
    if (wait == WAIT_NOTHING) return;
    conn->deadline_ms = s->now_ms + s->wait_ms[wait];
    if (wait == WAIT_WRITE) conn->stalled_at = conn_taken(conn);
    net_list_add(&s->waits[wait], &conn->wait);
}

// Idle time counts from the last answer, so every settling starts it anew, unless only skipped bytes came in.
static void conn_set_deadline(struct net_conn *conn)
{
    enum net_wait wait = conn_wait(conn);
    if (wait != conn->waiting || conn->restarted) conn_wait_for(conn, wait);
    conn->restarted = false;
}

static void conn_on_deadline(struct net_conn *conn)
{
    switch (conn->waiting) {
    case WAIT_HEADER:
        net_http_refuse(conn, 408, "request_timeout", "the headers did not arrive in time");
        break;
    case WAIT_BODY:
        net_http_refuse(conn, 408, "request_timeout", "the body did not arrive in time");
        break;
    case WAIT_WRITE:
        if (conn_taken(conn) == conn->stalled_at) net_conn_close(conn);
        break;
    case WAIT_PING:
        net_ws_on_ping_time(conn->ws);
        break;
    default:
        net_conn_close(conn);
    }
    if (conn->closed) return;
    conn->restarted = true;
    net_conn_settle(conn);
}

static void server_finish_if_done(struct net_server *s);
static void server_on_connection(uv_stream_t *listener, int status);

static void server_on_tick(uv_timer_t *timer)
{
    struct net_server *s = timer->data;
    s->now_ms = (int64_t)uv_now(s->options.loop);
    server_take_date(s);
    for (int kind = WAIT_NOTHING + 1; kind < WAIT_COUNT; kind++) {
        struct net_link *list = &s->waits[kind];
        while (!net_list_empty(list)) {
            struct net_conn *conn = NET_OF(list->next, struct net_conn, wait);
            if (conn->deadline_ms > s->now_ms) break;
            conn_on_deadline(conn);
        }
    }
    if (s->starved) server_on_connection((uv_stream_t *)&s->listener, 0);
    if (!s->stopping || s->now_ms < s->stop_deadline_ms) return;
    for (struct net_link *l = s->conns.next, *next; l != &s->conns; l = next) {
        next = l->next;
        net_conn_close(NET_OF(l, struct net_conn, link));
    }
}

// ---- writing

size_t net_conn_queued(const struct net_conn *conn)
{
    return conn->out.len + uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp);
}

static void send_free(struct net_send *send)
{
    if (send->shared_done) send->shared_done(send->shared_owner);
    fr_buf_free(&send->bytes);
    fr_free(send);
}

static void send_on_written(uv_write_t *write, int status)
{
    struct net_send *send = write->data;
    struct net_conn *conn = send->conn;
    send_free(send);
    if (conn->closed) return;
    if (status < 0) net_conn_close(conn);
    else net_conn_settle(conn);
}

// Nothing of ours may be kept twice: what the kernel took is counted, the rest moves into one queued write.
static void conn_send(struct net_conn *conn, struct net_request *shared)
{
    struct net_server *s = conn->server;
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
    uv_buf_t bufs[2];
    unsigned count = 0;
    if (conn->out.len > 0) bufs[count++] = uv_buf_init(conn->out.data, (unsigned)conn->out.len);
    if (shared) bufs[count++] = uv_buf_init((char *)shared->shared, (unsigned)shared->shared_len);
    size_t total = conn->out.len + (shared ? shared->shared_len : 0);

    int wrote = uv_try_write(stream, bufs, count);
    if (wrote == UV_EAGAIN) wrote = 0;           // the kernel's buffer is full, or an earlier write is still queued
    if (wrote < 0) {
        conn->out.failed = true;                 // settling closes it
        return;
    }
    s->stats.bytes_out += (int64_t)total;
    conn->sent_bytes += total;
    if ((size_t)wrote == total) {
        fr_buf_clear(&conn->out);
        return;
    }
    struct net_send *send = fr_alloc(sizeof *send);
    if (!send) {
        conn->out.failed = true;
        return;
    }
    *send = (struct net_send){ .conn = conn, .bytes = conn->out };
    send->write.data = send;
    fr_buf_init(&conn->out, OUT_BYTES_MAX);
    if (shared) {                                // from here on the write answers for the shared body
        send->shared_done = shared->shared_done;
        send->shared_owner = shared->shared_owner;
        shared->shared_done = NULL;
    }
    size_t skip = (size_t)wrote;
    unsigned first = 0;
    while (skip >= bufs[first].len) skip -= bufs[first++].len;
    bufs[first] = uv_buf_init(bufs[first].base + skip, (unsigned)(bufs[first].len - skip));
    if (uv_write(&send->write, stream, bufs + first, count - first, send_on_written) != 0) {
        conn->out.failed = true;
        send_free(send);
    }
}

void net_conn_send_shared(struct net_conn *conn, struct net_request *req)
{
    if (!conn->out.failed) conn_send(conn, req);
}

struct fr_buf *net_conn_out(struct net_conn *conn)
{
    struct net_server *s = conn->server;
    if (!conn->out.data && s->spare_out_count > 0 && !conn->closed) conn->out = s->spare_outs[--s->spare_out_count];
    return &conn->out;
}

static void conn_give_out(struct net_conn *conn)
{
    struct net_server *s = conn->server;
    if (!conn->out.data || conn->out.len > 0) return;
    if (conn->out.cap <= OUT_KEPT_BYTES && s->spare_out_count < NET_SPARE_OUTS) {
        s->spare_outs[s->spare_out_count++] = conn->out;
        fr_buf_init(&conn->out, OUT_BYTES_MAX);
    } else {
        fr_buf_free(&conn->out);
    }
}

// ---- settling: after anything happened to a connection

static bool conn_may_parse(const struct net_conn *conn)
{
    if (conn->closed || conn->finishing || conn->held || conn->out.failed) return false;
    if (conn->ws) return true;
    return conn->in_flight < HTTP_PIPELINE_MAX && net_conn_queued(conn) < HTTP_PIPELINE_BYTES_MAX;
}

// Feeds as much as may be parsed now; returns the bytes used.
static size_t conn_parse(struct net_conn *conn, char *bytes, size_t len)
{
    size_t used = 0;
    conn->busy = true;
    while (used < len && conn_may_parse(conn))
        used += conn->ws ? net_ws_feed(conn->ws, bytes + used, len - used) : net_http_feed(conn, bytes + used, len - used);
    conn->busy = false;
    return used;
}

static bool conn_parse_rest(struct net_conn *conn)
{
    if (!conn->rest || !conn_may_parse(conn)) return false;
    conn->rest_at += conn_parse(conn, conn->rest + conn->rest_at, conn->rest_len - conn->rest_at);
    if (conn->rest_at == conn->rest_len || conn->finishing || conn->closed) {
        fr_free(conn->rest);
        conn->rest = NULL;
    }
    return true;
}

static void conn_on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct net_conn *conn = handle->data;
    *buf = uv_buf_init(conn->server->read_buffer, NET_READ_BYTES);
}

static void conn_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void conn_set_reading(struct net_conn *conn)
{
    // Who watches a request wants to know when its client leaves: then we read on, and drop what comes behind the last request.
    bool watched = conn->watched > 0 && conn->finishing;
    bool want = !conn->eof && (conn->lingering || (!conn->rest && (watched || conn_may_parse(conn))));
    if (want == conn->reading) return;
    conn->reading = want;
    if (!want) uv_read_stop((uv_stream_t *)&conn->tcp);
    else if (uv_read_start((uv_stream_t *)&conn->tcp, conn_on_alloc, conn_on_read) != 0) net_conn_close(conn);
}

// Our last byte is with the kernel: say so, and let the client be the one to close. Closing over bytes that we did not read
// would send a reset, which can destroy the answer before it is read.
static void conn_end(struct net_conn *conn)
{
    int fd;
    bool open = uv_fileno((const uv_handle_t *)&conn->tcp, &fd) == 0;
    if (conn->eof || !open || shutdown(fd, SHUT_WR) != 0) {
        net_conn_close(conn);
        return;
    }
    conn->lingering = true;
    conn->restarted = true;
}

void net_conn_settle(struct net_conn *conn)
{
    if (conn->closed || conn->busy) return;
    net_list_remove(&conn->dirty);
    do {
        if (conn->out.failed || (conn->eof && conn->watched > 0)) {
            net_conn_close(conn);
            return;
        }
        if (conn->out.len > 0 && uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp) == 0) conn_send(conn, NULL);
    } while (conn->out.failed || conn_parse_rest(conn));
    if (conn->closed) return;
    conn_give_out(conn);
    bool idle = conn->in_flight == 0 && net_conn_queued(conn) == 0;
    if (conn->finishing && idle && !conn->lingering) conn_end(conn);
    if (!conn->closed) conn_set_reading(conn);
    if (!conn->closed) conn_set_deadline(conn);
    if (!conn->closed) net_stream_look(conn);
}

void net_conn_dirty(struct net_conn *conn)
{
    if (!conn->closed && !conn->dirty.prev) net_list_add(&conn->server->dirty, &conn->dirty);
}

static void server_on_prepare(uv_prepare_t *prepare)
{
    struct net_server *s = prepare->data;
    s->now_ms = (int64_t)uv_now(s->options.loop);
    while (!net_list_empty(&s->dirty)) net_conn_settle(NET_OF(s->dirty.next, struct net_conn, dirty));
}

// ---- reading

static bool conn_keep_rest(struct net_conn *conn, const char *bytes, size_t len)
{
    assert(!conn->rest);
    conn->rest = fr_alloc(len + 1);              // one more: ws.c ends a message with NUL in place
    if (!conn->rest) return false;
    memcpy(conn->rest, bytes, len);
    conn->rest_at = 0;
    conn->rest_len = len;
    return true;
}

// The client will send no more. Half a message is dropped; whole ones are answered, for many clients close their half early. Where somebody
// watches, it is taken for leaving: a process that ended looks just so, and what it asked for costs.
static void conn_on_eof(struct net_conn *conn)
{
    conn->eof = true;
    conn->reading = false;
    if (conn->ws || conn->lingering || conn->watched > 0) {
        net_conn_close(conn);
        return;
    }
    assert(!conn->rest);                         // we do not read while something is left to parse
    net_http_abandon_message(conn);
    conn->finishing = true;
    net_conn_settle(conn);
}

static void conn_on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct net_conn *conn = stream->data;
    if (n == 0) return;
    if (n == UV_EOF) {
        conn_on_eof(conn);
        return;
    }
    if (n < 0) {
        net_conn_close(conn);
        return;
    }
    struct net_server *s = conn->server;
    s->stats.bytes_in += n;
    s->now_ms = (int64_t)uv_now(s->options.loop);
    if (conn->lingering) return;                 // read only so that the client can read
    size_t used = conn_parse(conn, buf->base, (size_t)n);
    if (conn->closed) return;
    bool kept = used == (size_t)n || conn->finishing || conn_keep_rest(conn, buf->base + used, (size_t)n - used);
    if (!kept) net_conn_close(conn);
    else if (!conn->ws || conn->rest) net_conn_settle(conn);     // a WebSocket waits until the loop sleeps: others may still send to it
}

// ---- beginning and end of a connection

static void conn_uncount_from(struct net_conn *conn);

static void conn_on_closed(uv_handle_t *handle)
{
    struct net_conn *conn = handle->data;
    struct net_server *s = conn->server;
    if (conn->ws) {
        s->stats.websockets--;
        net_ws_gone(conn->ws);
    }
    conn_uncount_from(conn);
    fr_buf_free(&conn->out);                     // on_message may have sent into a socket that had just closed
    fr_free(conn);
    s->stats.connections--;
    server_finish_if_done(s);
}

void net_conn_close(struct net_conn *conn)
{
    if (conn->closed) return;
    conn->closed = true;
    net_list_remove(&conn->link);
    net_list_remove(&conn->dirty);
    net_list_remove(&conn->wait);
    net_http_abandon(conn);
    if (!conn->busy) {                           // else conn_parse_rest still reads from it, and frees it
        fr_free(conn->rest);
        conn->rest = NULL;
    }
    fr_buf_free(&conn->out);
    uv_close((uv_handle_t *)&conn->tcp, conn_on_closed);
}

static bool conn_take_peer(struct net_conn *conn)
{
    struct sockaddr_storage addr;
    int len = sizeof addr;
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&addr, &len) != 0) return false;
    if (addr.ss_family == AF_INET6) return uv_ip6_name((struct sockaddr_in6 *)&addr, conn->peer, sizeof conn->peer) == 0;
    return uv_ip4_name((struct sockaddr_in *)&addr, conn->peer, sizeof conn->peer) == 0;
}

static void conn_turn_away(struct net_conn *conn, const struct net_refusal *why)
{
    char text[1024];
    size_t len = net_http_refusal_text(conn->server, why, text, sizeof text);
    uv_buf_t buf = uv_buf_init(text, (unsigned)len);
    (void)uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);      // a courtesy: it may not arrive
    net_conn_close(conn);
}

// ---- connections of one address

// False: it has as many as it may. The table holds only addresses with connections, so it is bounded by theirs.
static bool conn_count_from(struct net_conn *conn)
{
    struct net_server *s = conn->server;
    struct net_address peer, client;
    int most = s->options.connections_per_address;
    if (!net_address_read(conn->peer, strlen(conn->peer), false, &peer) || net_proxies_have(&s->options.proxies, &peer)) return true;
    if (most == 0 && net_address_is_loopback(&peer)) return true;
    client = net_address_client(&peer);
    struct net_from *from = fr_map_get(s->addresses, &client, sizeof client);
    if (from && from->connections >= (most ? most : CONNECTIONS_PER_ADDRESS_MAX)) return false;
    if (!from) {
        from = fr_alloc(sizeof *from);
        if (from) *from = (struct net_from){ .client = client };
        if (!from || !fr_map_put(s->addresses, &client, sizeof client, from)) {
            fr_free(from);
            return true;                         // without memory the bound of all connections must do
        }
    }
    from->connections++;
    conn->from = from;
    return true;
}

static void conn_uncount_from(struct net_conn *conn)
{
    struct net_from *from = FR_TAKE(conn->from);
    if (!from || --from->connections > 0) return;
    fr_map_remove(conn->server->addresses, &from->client, sizeof from->client);
    fr_free(from);
}

static void server_on_connection(uv_stream_t *listener, int status)
{
    struct net_server *s = listener->data;
    if (status < 0 || s->stopping) return;       // out of descriptors, say: libuv tries again
    struct net_conn *conn = fr_alloc(sizeof *conn);
    s->starved = !conn;
    if (!conn) return;                           // it stays in the backlog, and libuv calls no more until it is taken
    conn->server = s;
    fr_buf_init(&conn->out, OUT_BYTES_MAX);
    uv_tcp_init(s->options.loop, &conn->tcp);
    conn->tcp.data = conn;
    net_list_add(&s->conns, &conn->link);
    s->stats.connections++;
    s->now_ms = (int64_t)uv_now(s->options.loop);
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0 || !conn_take_peer(conn)) {
        net_conn_close(conn);
        return;
    }
    if (s->stats.connections > s->options.connections_max) {
        s->stats.refused++;
        conn_turn_away(conn, &(struct net_refusal){ 503, "too_many_connections", "too many connections: try again later" });
        return;
    }
    if (!conn_count_from(conn)) {
        s->stats.refused_address++;
        conn_turn_away(conn, &(struct net_refusal){ 429, "too_many_connections", "too many connections from your address: close some" });
        return;
    }
    uv_tcp_nodelay(&conn->tcp, 1);               // without it answers wait for the client's delayed acknowledgement: 40 ms
    net_http_init(conn);
    net_conn_settle(conn);
}

// ---- the server

static int or_default(int value, int def)
{
    return value > 0 ? value : def;
}

static void server_take_limits(struct net_server *s)
{
    struct net_server_options *o = &s->options;
    o->connections_max = or_default(o->connections_max, HTTP_CONNECTIONS_MAX);
    s->wait_ms[WAIT_IDLE] = or_default(o->idle_ms, HTTP_IDLE_MS);
    s->wait_ms[WAIT_HEADER] = or_default(o->header_ms, HTTP_HEADER_MS);
    s->wait_ms[WAIT_BODY] = or_default(o->body_ms, HTTP_BODY_MS);
    s->wait_ms[WAIT_WRITE] = or_default(o->write_stall_ms, HTTP_WRITE_STALL_MS);
    s->wait_ms[WAIT_LINGER] = or_default(o->linger_ms, HTTP_LINGER_MS);
    s->wait_ms[WAIT_PING] = or_default(o->ws_ping_ms, WS_PING_MS);
    s->wait_ms[WAIT_WS_CLOSE] = or_default(o->ws_close_ms, WS_CLOSE_MS);
}

static uint64_t server_tick_ms(const struct net_server *s)
{
    int least = TICK_MS_MAX * 4;
    for (int kind = WAIT_NOTHING + 1; kind < WAIT_COUNT; kind++)
        if (s->wait_ms[kind] < least) least = s->wait_ms[kind];
    return least / 4 > TICK_MS_MIN ? (uint64_t)least / 4 : TICK_MS_MIN;
}

static bool address_read(const char *host, int port, struct sockaddr_storage *ret)
{
    return uv_ip4_addr(host, port, (struct sockaddr_in *)ret) == 0 || uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret) == 0;
}

static int listener_port(const uv_tcp_t *listener)
{
    struct sockaddr_storage addr;
    int len = sizeof addr;
    if (uv_tcp_getsockname(listener, (struct sockaddr *)&addr, &len) != 0) return 0;
    return ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port : ((struct sockaddr_in *)&addr)->sin_port);
}

static void server_free(struct net_server *s)
{
    net_http_free_spares(s);
    fr_map_free(s->addresses);
    for (int i = 0; i < s->spare_out_count; i++) fr_buf_free(&s->spare_outs[i]);
    fr_free(s->read_buffer);
    fr_free(s);
}

static void server_on_closed(uv_handle_t *handle)
{
    struct net_server *s = handle->data;
    s->open_handles--;
    server_finish_if_done(s);
}

static void server_close_handles(struct net_server *s)
{
    uv_handle_t *handles[] = { (uv_handle_t *)&s->listener, (uv_handle_t *)&s->prepare, (uv_handle_t *)&s->tick, (uv_handle_t *)&s->idle };
    for (size_t i = 0; i < sizeof handles / sizeof *handles; i++)
        if (!uv_is_closing(handles[i])) uv_close(handles[i], server_on_closed);
}

// The last connection, then the handles, then the owner's callback; requests still with their owner keep only the memory.
static void server_finish_if_done(struct net_server *s)
{
    if (!s->stopping || s->stats.connections > 0) return;
    net_stream_tell(s);                          // whose clients left with the last connection: no turn of ours will come
    server_close_handles(s);
    if (s->open_handles > 0 || s->finished) return;
    s->finished = true;
    if (s->stop_done) s->stop_done(s->stop_arg);
    if (s->orphans == 0) server_free(s);
}

void net_server_orphans_gone(struct net_server *s)
{
    if (s->finished) server_free(s);
}

static enum fr_status server_listen(struct net_server *s, struct fr_err *err)
{
    const struct net_server_options *o = &s->options;
    struct sockaddr_storage addr = { 0 };
    if (o->port < 0 || o->port > 65535 || !address_read(o->host, o->port, &addr))
        return FR_FAIL(err, FR_E_INVALID, "%s:%d is no address to listen on", o->host, o->port);
    int e = uv_tcp_bind(&s->listener, (struct sockaddr *)&addr, 0);
    if (e == 0) e = uv_listen((uv_stream_t *)&s->listener, BACKLOG, server_on_connection);
    if (e == UV_EADDRINUSE)
        return FR_FAIL_CODE(err, FR_E_IO, "port_in_use", "%s:%d is in use by another program", o->host, o->port);
    if (e != 0) return FR_FAIL(err, FR_E_IO, "cannot listen on %s:%d: %s", o->host, o->port, uv_strerror(e));
    s->port = listener_port(&s->listener);
    return FR_OK;
}

static void server_on_abandoned(void *arg) { (void)arg; }

enum fr_status net_server_start(const struct net_server_options *options, struct net_server **ret, struct fr_err *err)
{
    assert(options->loop && options->host && options->on_request);
    struct net_server *s = fr_alloc(sizeof *s);
    char *read_buffer = fr_alloc(NET_READ_BYTES + 1);
    if (!s || !read_buffer) {
        fr_free(s);
        fr_free(read_buffer);
        return FR_FAIL(err, FR_E_NOMEM, "no memory for the server");
    }
    s->options = *options;
    s->read_buffer = read_buffer;
    s->addresses = fr_map_new(HTTP_CONNECTIONS_MAX);
    net_list_init(&s->conns);
    net_list_init(&s->dirty);
    net_list_init(&s->drained);
    net_list_init(&s->left);
    for (int kind = 0; kind < WAIT_COUNT; kind++) net_list_init(&s->waits[kind]);
    server_take_limits(s);
    server_take_date(s);
    signal(SIGPIPE, SIG_IGN);                    // a client that left must not end the host

    uv_tcp_init(options->loop, &s->listener);
    uv_prepare_init(options->loop, &s->prepare);
    uv_timer_init(options->loop, &s->tick);
    uv_idle_init(options->loop, &s->idle);
    s->listener.data = s->prepare.data = s->tick.data = s->idle.data = s;
    s->open_handles = 4;
    enum fr_status st = server_listen(s, err);
    if (st != FR_OK) {
        net_server_stop(s, 0, server_on_abandoned, NULL);
        return st;
    }
    uv_prepare_start(&s->prepare, server_on_prepare);
    uv_timer_start(&s->tick, server_on_tick, server_tick_ms(s), server_tick_ms(s));
    uv_unref((uv_handle_t *)&s->prepare);
    uv_unref((uv_handle_t *)&s->tick);
    s->now_ms = (int64_t)uv_now(options->loop);
    *ret = s;
    return FR_OK;
}

int net_server_port(const struct net_server *s)
{
    return s->port;
}

struct net_server_stats net_server_stats(const struct net_server *s)
{
    return s->stats;
}

static void conn_stop(struct net_conn *conn)
{
    if (conn->ws) {
        net_ws_close(conn->ws, 1001, "the server is stopping");
        return;
    }
    // A message that is arriving may still end, within the grace; nothing new is begun.
    if (!conn->in_headers && !conn->in_body) conn->finishing = true;
    net_conn_dirty(conn);
}

void net_server_stop(struct net_server *s, int grace_ms, void (*done)(void *arg), void *arg)
{
    assert(!s->stopping);
    s->stopping = true;
    s->stop_done = done;
    s->stop_arg = arg;
    s->stop_deadline_ms = (int64_t)uv_now(s->options.loop) + grace_ms;
    uv_close((uv_handle_t *)&s->listener, server_on_closed);
    uv_ref((uv_handle_t *)&s->tick);             // the grace must end even when no socket is being read
    for (struct net_link *l = s->conns.next, *next; l != &s->conns; l = next) {
        next = l->next;
        conn_stop(NET_OF(l, struct net_conn, link));
    }
    if (s->stats.connections == 0) server_close_handles(s);
}
