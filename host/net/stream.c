// stream.c — answers in pieces: framing, who is behind, who has left.
//
// A stream is its request: while it is first in line what is written goes to the connection's buffer, before that to its own. What the owner is
// told (it may go on, its client left) waits for the next turn of the loop, so that a call of the owner never leads back into the owner.
#include <stdio.h>
#include <string.h>
#include "net/internal.h"

#define GO_ON_BYTES (HTTP_STREAM_QUEUE_BYTES_MAX / 2)

static void server_on_idle(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    net_stream_tell(idle->data);
}

void net_stream_soon(struct net_server *s)
{
    uv_idle_start(&s->idle, server_on_idle);
}

// Each list is taken whole first: who is told may write, and be behind again.
void net_stream_tell(struct net_server *s)
{
    struct net_link now;
    net_list_init(&now);
    while (!net_list_empty(&s->drained)) {
        struct net_link *l = s->drained.next;
        net_list_remove(l);
        net_list_add(&now, l);
    }
    while (!net_list_empty(&now)) {
        struct net_request *req = NET_OF(now.next, struct net_request, told);
        net_list_remove(&req->told);
        if (req->watch.drained) req->watch.drained(req->watch.arg);
    }
    while (!net_list_empty(&s->left)) {
        struct net_request *req = NET_OF(s->left.next, struct net_request, told);
        struct net_watch watch = req->watch;
        net_list_remove(&req->told);
        req->watch = (struct net_watch){ 0 };
        watch.gone(watch.arg);
    }
}

void net_stream_look(struct net_conn *conn)
{
    struct net_request *req = conn->first;
    if (!req || !req->behind || net_conn_queued(conn) > GO_ON_BYTES) return;
    req->behind = false;
    if (!req->watch.drained || req->told.prev) return;
    net_list_add(&conn->server->drained, &req->told);
    net_stream_soon(conn->server);
}

void net_request_watch(struct net_request *req, const struct net_watch *watch)
{
    assert(watch->gone && !req->watch.gone && !req->answered);
    req->watch = *watch;
    if (req->conn) {
        req->conn->watched++;
        if (!req->conn->busy) net_conn_dirty(req->conn);
        return;
    }
    net_list_add(&req->server->left, &req->told);        // it left while its owner was busy with it
    if (!uv_is_closing((uv_handle_t *)&req->server->idle)) net_stream_soon(req->server);
}

void net_watch_drop(struct net_request *req)
{
    if (req->watch.gone && req->conn) req->conn->watched--;
    req->watch = (struct net_watch){ 0 };
    net_list_remove(&req->told);
}

bool net_request_left(const struct net_request *req)
{
    return !req->conn;
}

void net_request_drop(struct net_request *req)
{
    if (!req->conn) return;
    req->conn->out.failed = true;                        // settling closes it
    if (!req->conn->busy) net_conn_dirty(req->conn);
}

void net_stream_begin(struct net_request *req, int http_status, const char *content_type, const char *headers)
{
    assert(!req->answered && !req->streaming && !req->upgrade);
    assert(http_status >= 200 && http_status < 600 && http_status != 204 && http_status != 304);
    req->streaming = true;
    if (!req->conn) return;
    if (req->is_http10) req->conn->finishing = true;     // nothing can follow it
    net_answer_head(req, http_status, content_type, headers, req->is_http10 ? FRAMED_BY_CLOSE : FRAMED_BY_CHUNKS);
}

static void chunk_put(struct fr_buf *out, const void *bytes, size_t len)
{
    char line[24];
    int n = snprintf(line, sizeof line, "%zx\r\n", len);
    char *room = fr_buf_reserve(out, (size_t)n + len + 2);
    if (!room) return;
    memcpy(room, line, (size_t)n);
    memcpy(room + n, bytes, len);
    memcpy(room + n + len, "\r\n", 2);
    fr_buf_commit(out, (size_t)n + len + 2);
}

bool net_stream_write(struct net_request *req, const void *bytes, size_t len)
{
    struct net_conn *conn = req->conn;
    assert(req->streaming && !req->answered);
    if (!conn || req->is_head || len == 0) return true;
    bool is_first = conn->first == req;
    struct fr_buf *out = is_first ? net_conn_out(conn) : &req->answer;
    if (req->is_http10) fr_buf_add_bytes(out, bytes, len);
    else chunk_put(out, bytes, len);
    if (out->failed) conn->out.failed = true;            // over its bound: the connection breaks
    if (!conn->busy) net_conn_dirty(conn);
    req->behind = req->behind || (is_first ? net_conn_queued(conn) : req->answer.len) > HTTP_STREAM_QUEUE_BYTES_MAX;
    return !req->behind;
}

void net_stream_end(struct net_request *req)
{
    struct net_conn *conn = req->conn;
    assert(req->streaming);
    if (conn && !req->is_head && !req->is_http10) fr_buf_add(conn->first == req ? net_conn_out(conn) : &req->answer, "0\r\n\r\n");
    net_answer_end(req);
}

void net_stream_break(struct net_request *req)
{
    assert(req->streaming);
    req->broken = true;
    net_answer_end(req);
}
