// http_answer.c — one write for an answer: its head and body, in the order in which the requests came; and the requests whose connection has gone.
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "net/internal.h"

#define SHARED_BODY_BYTES 4096          // under it copying is cheaper than a second buffer

static const char *reason_of(int http_status)
{
    switch (http_status) {
    case 200: return "200 OK";
    case 201: return "201 Created";
    case 202: return "202 Accepted";
    case 204: return "204 No Content";
    case 206: return "206 Partial Content";
    case 301: return "301 Moved Permanently";
    case 302: return "302 Found";
    case 303: return "303 See Other";
    case 304: return "304 Not Modified";
    case 307: return "307 Temporary Redirect";
    case 308: return "308 Permanent Redirect";
    case 400: return "400 Bad Request";
    case 401: return "401 Unauthorized";
    case 402: return "402 Payment Required";
    case 403: return "403 Forbidden";
    case 404: return "404 Not Found";
    case 405: return "405 Method Not Allowed";
    case 406: return "406 Not Acceptable";
    case 408: return "408 Request Timeout";
    case 409: return "409 Conflict";
    case 410: return "410 Gone";
    case 411: return "411 Length Required";
    case 412: return "412 Precondition Failed";
    case 413: return "413 Content Too Large";
    case 414: return "414 URI Too Long";
    case 415: return "415 Unsupported Media Type";
    case 416: return "416 Range Not Satisfiable";
    case 417: return "417 Expectation Failed";
    case 421: return "421 Misdirected Request";
    case 422: return "422 Unprocessable Content";
    case 426: return "426 Upgrade Required";
    case 428: return "428 Precondition Required";
    case 429: return "429 Too Many Requests";
    case 431: return "431 Request Header Fields Too Large";
    case 500: return "500 Internal Server Error";
    case 501: return "501 Not Implemented";
    case 502: return "502 Bad Gateway";
    case 503: return "503 Service Unavailable";
    case 504: return "504 Gateway Timeout";
    case 505: return "505 HTTP Version Not Supported";
    default:  return NULL;
    }
}

struct put { char *at; };                        // writing into room that was reserved
static inline void put_bytes(struct put *p, const char *bytes, size_t len)
{
    memcpy(p->at, bytes, len);
    p->at += len;
}
#define put_literal(p, s) put_bytes((p), (s), sizeof(s) - 1)

static void put_number(struct put *p, size_t n)
{
    char digits[20], *end = digits + sizeof digits, *at = end;
    do *--at = (char)('0' + n % 10); while (n /= 10);
    put_bytes(p, at, (size_t)(end - at));
}

struct answer {
    int http_status;
    const char *content_type, *headers;
    const char *body;
    size_t body_len;
    enum net_framing framing;
    bool close;
};

#define ANSWER_HEAD_BYTES 256                    // everything but type, headers and body; the longest is under 200

static void answer_put_status(struct put *p, int http_status)
{
    const char *reason = reason_of(http_status);
    put_literal(p, "HTTP/1.1 ");
    if (reason) {
        put_bytes(p, reason, strlen(reason));
    } else {
        put_number(p, (size_t)http_status);
        put_literal(p, " ");
    }
}

static void answer_put(struct fr_buf *out, const struct net_request *req, const struct answer *a, bool with_body)
{
    size_t type_len = a->content_type ? strlen(a->content_type) : 0, headers_len = a->headers ? strlen(a->headers) : 0;
    assert(headers_len == 0 || (headers_len > 2 && a->headers[headers_len - 1] == '\n'));    // whole lines
    char *room = fr_buf_reserve(out, ANSWER_HEAD_BYTES + type_len + headers_len + (with_body ? a->body_len : 0));
    if (!room) return;
    struct put p = { room };
    answer_put_status(&p, a->http_status);
    put_literal(&p, "\r\nDate: ");
    put_bytes(&p, req->server->date, 29);
    if (a->close) put_literal(&p, "\r\nConnection: close");
    else if (req->is_http10) put_literal(&p, "\r\nConnection: keep-alive");
    if (type_len > 0) {
        put_literal(&p, "\r\nContent-Type: ");
        put_bytes(&p, a->content_type, type_len);
    }
    if (a->framing == FRAMED_BY_CHUNKS) {
        put_literal(&p, "\r\nTransfer-Encoding: chunked");
    } else if (a->framing == FRAMED_BY_LENGTH && a->http_status != 204 && a->http_status != 304) {
        put_literal(&p, "\r\nContent-Length: ");
        put_number(&p, a->body_len);
    }
    put_literal(&p, "\r\n");
    put_bytes(&p, a->headers ? a->headers : "", headers_len);
    put_literal(&p, "\r\n");
    if (with_body && a->body_len > 0) put_bytes(&p, a->body, a->body_len);
    fr_buf_commit(out, (size_t)(p.at - room));
}

static void request_orphan(struct net_request *req)
{
    memcpy(req->peer, req->conn->peer, sizeof req->peer);
    if (req->watch.gone) req->conn->watched--;
    req->conn = NULL;
    req->next = NULL;
    req->server->orphans++;
}

// Nobody will read its answer.
static void request_let_go(struct net_request *req)
{
    struct net_server *s = req->server;
    if (req->answered) {
        net_request_free(req);
        return;
    }
    request_orphan(req);
    net_list_remove(&req->told);
    if (!req->watch.gone) return;
    net_list_add(&s->left, &req->told);
    net_stream_soon(s);
}

// The first request of the connection is done; those behind it that were answered meanwhile leave with it.
static void conn_pop(struct net_conn *conn)
{
    for (;;) {
        struct net_request *req = conn->first;
        conn->first = req->next;
        if (!conn->first) conn->last = NULL;
        conn->in_flight--;
        if (req->upgrade) {                      // it was not taken up: the connection goes on speaking HTTP
            conn->held = false;
            net_http_init(conn);
        }
        net_request_free(req);
        req = conn->first;
        if (!req || !(req->answered || req->streaming)) break;
        if (req->answer.len > 0) fr_buf_add_bytes(net_conn_out(conn), req->answer.data, req->answer.len);
        if (req->answer.failed) conn->out.failed = true;
        fr_buf_free(&req->answer);
        if (!req->answered) break;               // more of it will come
        if (req->shared) net_conn_send_shared(conn, req);
    }
    if (conn->wants_continue && !conn->first) net_http_continue(conn);
    if (!conn->busy) net_conn_dirty(conn);
}

// The answers behind one that ends with its connection go nowhere.
static void conn_end_with(struct net_request *req)
{
    struct net_conn *conn = req->conn;
    conn->finishing = true;
    for (struct net_request *r = req->next, *next; r; r = next) {
        next = r->next;
        conn->in_flight--;
        request_let_go(r);
    }
    req->next = NULL;
    conn->last = req;
}

void net_answer_end(struct net_request *req)
{
    struct net_conn *conn = req->conn;
    assert(!req->answered);                      // exactly once
    req->answered = true;
    net_watch_drop(req);
    if (!conn) {
        struct net_server *s = req->server;
        net_request_free(req);
        s->orphans--;
        if (s->orphans == 0) net_server_orphans_gone(s);
        return;
    }
    if (req->broken || (req->streaming && req->is_http10)) conn_end_with(req);
    if (conn->first == req) conn_pop(conn);
}

struct fr_buf *net_answer_head(struct net_request *req, int http_status, const char *content_type, const char *headers, enum net_framing framing)
{
    struct net_conn *conn = req->conn;
    struct answer a = { .http_status = http_status, .content_type = content_type, .headers = headers, .framing = framing };
    a.close = framing == FRAMED_BY_CLOSE || (conn->finishing && !req->next && !conn->building);
    struct fr_buf *out = conn->first == req ? net_conn_out(conn) : &req->answer;
    answer_put(out, req, &a, false);
    if (!conn->busy) net_conn_dirty(conn);
    return out;
}

static void respond(struct net_request *req, struct answer *a, void (*done)(void *owner), void *owner)
{
    struct net_conn *conn = req->conn;
    assert(!req->answered && !req->streaming);   // exactly once
    assert(a->http_status >= 200 && a->http_status < 600);
    bool has_body = !req->is_head && a->http_status != 204 && a->http_status != 304;
    bool shared = conn && done && has_body && a->body_len > SHARED_BODY_BYTES;
    if (shared) {
        req->shared = a->body;
        req->shared_len = a->body_len;
        req->shared_done = done;
        req->shared_owner = owner;
    }
    if (conn) {
        bool is_first = conn->first == req;
        a->close = conn->finishing && !req->next && !conn->building;
        answer_put(is_first ? net_conn_out(conn) : &req->answer, req, a, has_body && !shared);
        if (is_first && shared) net_conn_send_shared(conn, req);
    }
    net_answer_end(req);
    if (done && !shared) done(owner);
}

void net_respond(struct net_request *req, int http_status, const char *content_type, const char *headers,
                 const void *body, size_t body_len)
{
    struct answer a = { .http_status = http_status, .content_type = content_type, .headers = headers, .body = body, .body_len = body_len };
    respond(req, &a, NULL, NULL);
}

void net_respond_shared(struct net_request *req, int http_status, const char *content_type, const char *headers,
                        const void *body, size_t body_len, void (*done)(void *owner), void *owner)
{
    struct answer a = { .http_status = http_status, .content_type = content_type, .headers = headers, .body = body, .body_len = body_len };
    respond(req, &a, done, owner);
}

// What a connection that is not taken in gets: bytes to send, without a request.
size_t net_http_refusal_text(struct net_server *s, const struct net_refusal *r, char *out, size_t cap)
{
    FR_AUTO_BUF(body);
    fr_buf_init(&body, cap / 2);
    const char *type = NULL;
    if (s->options.on_refusal) s->options.on_refusal(s->options.arg, r->http_status, r->code, r->text, &body, &type);
    int n = snprintf(out, cap, "HTTP/1.1 %s\r\nDate: %s\r\nConnection: close\r\n%s%s%sContent-Length: %zu\r\n\r\n%s", reason_of(r->http_status),
                     s->date, type ? "Content-Type: " : "", type ? type : "", type ? "\r\n" : "", body.len, body.data ? body.data : "");
    assert(n > 0);
    return (size_t)n < cap ? (size_t)n : 0;
}

void net_http_abandon(struct net_conn *conn)
{
    net_http_abandon_message(conn);
    for (struct net_request *req = conn->first, *next; req; req = next) {
        next = req->next;
        request_let_go(req);
    }
    conn->first = conn->last = NULL;
    conn->in_flight = 0;
}

void net_request_detach(struct net_request *req)
{
    struct net_conn *conn = req->conn;
    assert(conn->first == req && !req->next);
    conn->first = conn->last = NULL;
    conn->in_flight = 0;
    conn->held = false;
    net_request_free(req);
}
