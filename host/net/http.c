// http.c — what a message is: the parser's callbacks, the checks it leaves to us, reading a request.
//
// Every piece the parser reports is copied into the request's own bytes, so a message may arrive in any number of reads,
// chunked bodies come out whole, and what the owner reads stays where it is while later messages arrive.
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "base/mem.h"
#include "base/utf8.h"
#include "net/internal.h"

#define REQUEST_FIRST_BYTES 1024
#define REQUEST_KEPT_BYTES 4096         // a spare request keeps no more than this
#define REQUEST_SPARES_MAX 64
#define CONNECTION_FLAGS (F_CONNECTION_KEEP_ALIVE | F_CONNECTION_CLOSE | F_CONNECTION_UPGRADE | F_UPGRADE)

// ---- requests

static struct net_request *request_new(struct net_conn *conn)
{
    struct net_server *s = conn->server;
    struct net_request *req = s->spare;
    if (req) {
        s->spare = req->next;
        s->spares--;
    } else {
        req = fr_alloc(sizeof *req);
        if (!req) return NULL;
        fr_buf_init(&req->answer, HTTP_WRITE_QUEUE_BYTES_MAX);
    }
    req->server = s;
    req->conn = conn;
    req->next = NULL;
    req->len = req->target_len = req->body_at = 0;
    req->method = req->path = req->query = (struct net_text){ "", 0 };
    req->field_count = 0;
    req->fields[0] = (struct net_field){ 0 };
    req->keep_alive = req->is_http10 = req->is_head = req->upgrade = req->answered = false;
    req->streaming = req->behind = req->broken = false;
    return req;
}

static void request_destroy(struct net_request *req)
{
    fr_free(req->bytes);
    fr_buf_free(&req->answer);
    fr_free(req);
}

void net_request_free(struct net_request *req)
{
    if (!req) return;
    struct net_server *s = req->server;
    net_watch_drop(req);
    if (req->on_free) req->on_free(req->data);
    req->on_free = NULL;
    req->data = NULL;
    for (struct net_extra *e = req->extras, *next; e; e = next) {
        next = e->next;
        fr_free(e);
    }
    req->extras = NULL;
    if (req->shared_done) req->shared_done(req->shared_owner);
    req->shared = NULL;
    req->shared_done = NULL;
    fr_buf_free(&req->answer);
    if (s->spares >= REQUEST_SPARES_MAX) {
        request_destroy(req);
        return;
    }
    if (req->cap > REQUEST_KEPT_BYTES) {
        fr_free(req->bytes);
        req->bytes = NULL;
        req->cap = 0;
    }
    req->next = s->spare;
    s->spare = req;
    s->spares++;
}

void net_http_free_spares(struct net_server *s)
{
    while (s->spare) {
        struct net_request *req = s->spare;
        s->spare = req->next;
        request_destroy(req);
    }
    s->spares = 0;
}

static bool request_keep(struct net_request *req, const char *at, size_t len)
{
    size_t needed = req->len + len + 1;          // one more, so that the body can be ended with NUL
    if (needed > req->cap) {
        size_t cap = req->cap ? req->cap * 2 : REQUEST_FIRST_BYTES;
        if (cap < needed) cap = needed;
        char *bytes = fr_realloc(req->bytes, cap);
        if (!bytes) return false;
        req->bytes = bytes;
        req->cap = cap;
    }
    memcpy(req->bytes + req->len, at, len);
    req->len += len;
    return true;
}

static struct net_text field_name(const struct net_request *req, const struct net_field *f)
{
    return (struct net_text){ req->bytes + f->name_at, f->name_len };
}

static struct net_text field_value(const struct net_request *req, const struct net_field *f)
{
    return (struct net_text){ f->joined ? f->joined : req->bytes + f->value_at, f->value_len };
}

static bool text_is_nocase(struct net_text t, const char *s)
{
    return t.len == strlen(s) && strncasecmp(t.at, s, t.len) == 0;
}

// ---- what the parser tells us. A refusal is noted on the connection and stops the parser.

static int stop_parser(struct net_conn *conn, int http_status, const char *code, const char *text)
{
    conn->refusal = (struct net_refusal){ http_status, code, text };
    return -1;
}

static int stop_malformed(struct net_conn *conn, const char *text)
{
    return stop_parser(conn, 400, "http_malformed", text);
}

static int stop_headers_too_large(struct net_conn *conn)
{
    return stop_parser(conn, 431, "headers_too_large", "the headers are too many or too long");
}

static int stop_no_memory(struct net_conn *conn)
{
    return stop_parser(conn, 503, "busy", "no memory for this request");
}

static int on_message_begin(llhttp_t *p)
{
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    assert(!conn->building);
    conn->building = request_new(conn);
    if (!conn->building) return stop_no_memory(conn);
    conn->in_headers = conn->restarted = true;
    conn->head_bytes = conn->trailer_bytes = conn->chunk_bytes = 0;
    return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t len)
{
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    struct net_request *req = conn->building;
    if (req->target_len + len > HTTP_URL_BYTES_MAX)
        return stop_parser(conn, 414, "target_too_long", "the request's target is too long");
    if (!request_keep(req, at, len)) return stop_no_memory(conn);
    req->target_len += len;
    return 0;
}

// A head is measured from its first byte, so what the parser skips counts too.
static bool head_has_room(struct net_conn *conn, const char *end)
{
    return conn->head_bytes + (size_t)(end - conn->feed) <= HTTP_HEADER_BYTES_MAX;
}

// Trailers: nobody reads those.
static int trailer_skip(struct net_conn *conn, size_t len)
{
    conn->trailer_bytes += len + 4;              // ": " and the line's end
    return conn->trailer_bytes > HTTP_HEADER_BYTES_MAX ? stop_headers_too_large(conn) : 0;
}

static int on_header_field(llhttp_t *p, const char *at, size_t len)
{
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    struct net_request *req = conn->building;
    if (!conn->in_headers) return trailer_skip(conn, len);
    if (!head_has_room(conn, at + len)) return stop_headers_too_large(conn);
    if (req->field_count == HTTP_HEADERS_MAX) return stop_headers_too_large(conn);
    struct net_field *f = &req->fields[req->field_count];
    if (f->name_len == 0) f->name_at = (uint32_t)req->len;
    if (!request_keep(req, at, len)) return stop_no_memory(conn);
    f->name_len += (uint32_t)len;
    return 0;
}

static int on_header_value(llhttp_t *p, const char *at, size_t len)
{
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    struct net_request *req = conn->building;
    if (!conn->in_headers) return trailer_skip(conn, len);
    if (!head_has_room(conn, at + len)) return stop_headers_too_large(conn);
    if (len == 0) return 0;
    struct net_field *f = &req->fields[req->field_count];
    if (f->value_len == 0) f->value_at = (uint32_t)req->len;
    if (!request_keep(req, at, len)) return stop_no_memory(conn);
    f->value_len += (uint32_t)len;
    return 0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static int on_header_value_complete(llhttp_t *p)
{
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    struct net_request *req = conn->building;
    if (!conn->in_headers) return 0;
    struct net_field *f = &req->fields[req->field_count++];
    while (f->value_len > 0 && is_blank(req->bytes[f->value_at + f->value_len - 1])) f->value_len--;
    if (req->field_count < HTTP_HEADERS_MAX) req->fields[req->field_count] = (struct net_field){ 0 };
    return 0;
}

static int on_chunk_extension(llhttp_t *p, const char *at, size_t len)
{
    (void)at;
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    conn->chunk_bytes += len;
    if (conn->chunk_bytes > HTTP_CHUNK_EXTENSION_BYTES_MAX) return stop_malformed(conn, "chunk extensions are too long");
    return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t len)
{
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    struct net_request *req = conn->building;
    conn->wants_continue = false;                // it did not wait
    if (req->len - req->body_at + len > req->body_most)
        return stop_parser(conn, 413, "body_too_large", "the body is too large");
    return request_keep(req, at, len) ? 0 : stop_no_memory(conn);
}

static int on_message_complete(llhttp_t *p)
{
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    p->flags = (uint16_t)((p->flags & ~CONNECTION_FLAGS) | conn->head_flags);      // the parser reads a trailer named Connection like a header
    conn->complete = true;
    conn->in_body = conn->wants_continue = false;
    return p->upgrade ? 0 : HPE_PAUSED;          // after an upgrade the parser pauses by itself
}

// ---- framing, checked again: a proxy in front may read an unclear message differently than we do.

struct head_facts { int hosts, lengths, codings; struct net_text host, length, coding, expect, upgrade; };

static void head_look(const struct net_request *req, struct head_facts *h)
{
    for (int i = 0; i < req->field_count; i++) {
        struct net_text name = field_name(req, &req->fields[i]), value = field_value(req, &req->fields[i]);
        switch (name.len) {
        case 4:  if (text_is_nocase(name, "host")) { h->hosts++; h->host = value; } break;
        case 6:  if (text_is_nocase(name, "expect")) h->expect = value; break;
        case 7:  if (text_is_nocase(name, "upgrade")) h->upgrade = value; break;
        case 14: if (text_is_nocase(name, "content-length")) { h->lengths++; h->length = value; } break;
        case 17: if (text_is_nocase(name, "transfer-encoding")) { h->codings++; h->coding = value; } break;
        }
    }
}

static bool host_is_clean(struct net_text host)
{
    static const bool unclean[256] = { [0 ... ' '] = true, [0x7f ... 0xff] = true, ['@'] = true, ['/'] = true, ['\\'] = true, ['?'] = true,
                                       ['#'] = true, [','] = true, [';'] = true, ['"'] = true, ['<'] = true, ['>'] = true };
    for (size_t i = 0; i < host.len; i++)
        if (unclean[(unsigned char)host.at[i]]) return false;
    return host.len > 0;
}

static bool method_is_known(llhttp_method_t method)
{
    switch (method) {
    case HTTP_GET: case HTTP_HEAD: case HTTP_POST: case HTTP_PUT: case HTTP_PATCH: case HTTP_DELETE: case HTTP_OPTIONS: return true;
    default: return false;
    }
}

static bool length_is_number(struct net_text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.at[i] < '0' || t.at[i] > '9') return false;
    return t.len > 0;
}

static int check_framing(struct net_conn *conn, const llhttp_t *p, const struct head_facts *h)
{
    bool http10 = p->http_minor == 0;
    if (h->hosts > 1 || (h->hosts == 0 && !http10)) return stop_malformed(conn, "exactly one Host header is needed");
    if (h->hosts == 1 && !host_is_clean(h->host)) return stop_malformed(conn, "the Host header is no host");
    if (h->lengths > 1) return stop_malformed(conn, "Content-Length is there more than once");
    if (h->lengths == 1 && !length_is_number(h->length)) return stop_malformed(conn, "Content-Length is no number");
    if (h->codings > 0 && h->lengths > 0) return stop_malformed(conn, "Content-Length and Transfer-Encoding exclude each other");
    if (h->codings > 0 && http10) return stop_malformed(conn, "HTTP/1.0 has no Transfer-Encoding");
    if (h->codings > 1 || (h->codings == 1 && !text_is_nocase(h->coding, "chunked")))
        return stop_malformed(conn, "the only Transfer-Encoding is chunked");
    return 0;
}

static void request_bound(struct net_request *req, const char *method)
{
    const struct net_server_options *o = &req->server->options;
    struct net_text m = { method, strlen(method) }, target = { req->bytes, req->target_len };
    req->body_most = o->body_most ? o->body_most(o->arg, m, target) : HTTP_BODY_BYTES_MAX;
}

static int check_head(struct net_conn *conn, llhttp_t *p)
{
    struct head_facts h = { 0 };
    if (p->http_major != 1 || p->http_minor > 1)
        return stop_parser(conn, 505, "version_unknown", "HTTP/1.1 and HTTP/1.0 are spoken here");
    if (!method_is_known((llhttp_method_t)p->method))
        return stop_parser(conn, 501, "method_unknown", "this method is not implemented");
    head_look(conn->building, &h);
    if (check_framing(conn, p, &h) != 0) return -1;
    request_bound(conn->building, llhttp_method_name((llhttp_method_t)p->method));
    if (p->content_length > conn->building->body_most) return stop_parser(conn, 413, "body_too_large", "the body is too large");

    bool has_body = h.codings > 0 || p->content_length > 0;
    if (h.expect.len > 0) {
        if (!text_is_nocase(h.expect, "100-continue"))
            return stop_parser(conn, 417, "expectation_unknown", "the only expectation is 100-continue");
        conn->wants_continue = has_body && p->http_minor == 1;
    }
    // Any other upgrade (h2c, say) is an offer that we may ignore.
    p->upgrade = p->upgrade && p->method == HTTP_GET && p->http_minor == 1 && !has_body && text_is_nocase(h.upgrade, "websocket");
    return 0;
}

static int on_headers_complete(llhttp_t *p)
{
    struct net_conn *conn = NET_OF(p, struct net_conn, parser);
    struct net_request *req = conn->building;
    conn->in_headers = false;
    conn->in_body = conn->restarted = true;
    conn->head_flags = p->flags & CONNECTION_FLAGS;
    req->body_at = req->len;
    if (check_head(conn, p) != 0) return -1;
    const char *method = llhttp_method_name((llhttp_method_t)p->method);
    req->method = (struct net_text){ method, strlen(method) };
    req->is_head = p->method == HTTP_HEAD;
    req->is_http10 = p->http_minor == 0;
    req->keep_alive = llhttp_should_keep_alive(p);
    req->upgrade = p->upgrade;
    return 0;
}

const llhttp_settings_t net_http_settings = {
    .on_message_begin = on_message_begin, .on_url = on_url,
    .on_header_field = on_header_field, .on_header_value = on_header_value, .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete, .on_body = on_body,
    .on_chunk_extension_name = on_chunk_extension, .on_chunk_extension_value = on_chunk_extension,
    .on_message_complete = on_message_complete,
};

void net_http_init(struct net_conn *conn)
{
    llhttp_init(&conn->parser, HTTP_REQUEST, &net_http_settings);
}

// ---- a whole message: its target is read, then the owner gets it

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// The byte written as %xy at `at`, or -1.
static int percent_byte(const char *at, size_t len)
{
    if (len < 3) return -1;
    int high = hex_digit(at[1]), low = hex_digit(at[2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

static bool segment_is_plain(const char *at, size_t len)
{
    return !(len == 0 || (len == 1 && at[0] == '.') || (len == 2 && at[0] == '.' && at[1] == '.'));
}

// No empty, "." or ".." segment; only the last may be empty ("/app/").
static bool path_is_plain(const char *path, size_t len)
{
    size_t start = 1;
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/') continue;
        if (!segment_is_plain(path + start, i - start)) return false;
        start = i + 1;
    }
    return start == len || segment_is_plain(path + start, len - start);
}

// Decodes in place. An encoded slash is refused too: routes are split at slashes, and this one would have been data.
static bool path_decode(char *path, size_t *len)
{
    size_t to = 0;
    for (size_t from = 0; from < *len; from++) {
        int c = (unsigned char)path[from];
        if (c == '%') {
            c = percent_byte(path + from, *len - from);
            if (c < 0 || c == '/') return false;
            from += 2;
        }
        if (c < 0x20 || c == 0x7f || c == '\\') return false;
        path[to++] = (char)c;
    }
    *len = to;
    return fr_utf8_valid(path, to) && path_is_plain(path, to);
}

static bool target_is_clean(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)at[i] <= 0x20 || (unsigned char)at[i] >= 0x7f || at[i] == '#') return false;
    return len > 0;
}

// "http://host/path" must name the host that the Host header names; bytes of scheme and authority, or 0.
static size_t absolute_prefix(const struct net_request *req, const char *at, size_t len)
{
    size_t scheme = len > 7 && strncasecmp(at, "http://", 7) == 0 ? 7 : len > 8 && strncasecmp(at, "https://", 8) == 0 ? 8 : 0;
    if (scheme == 0) return 0;
    size_t end = scheme;
    while (end < len && at[end] != '/' && at[end] != '?') end++;
    struct net_text host = net_header(req, "host"), authority = { at + scheme, end - scheme };
    if (!host_is_clean(authority) || authority.len != host.len || strncasecmp(authority.at, host.at, host.len) != 0) return 0;
    return end;
}

static bool request_read_target(struct net_request *req)
{
    char *at = req->bytes;
    size_t len = req->target_len;
    if (!target_is_clean(at, len)) return false;
    if (len == 1 && at[0] == '*' && net_text_is(req->method, "OPTIONS")) {
        req->path = (struct net_text){ at, 1 };
        return true;
    }
    if (at[0] != '/') {
        size_t skip = absolute_prefix(req, at, len);
        if (skip == 0) return false;
        at += skip;
        len -= skip;
    }
    char *mark = memchr(at, '?', len);
    size_t path_len = mark ? (size_t)(mark - at) : len;
    if (mark) req->query = (struct net_text){ mark + 1, len - path_len - 1 };
    if (path_len == 0) {                         // "http://host" and "http://host?query"
        req->path = (struct net_text){ "/", 1 };
        return true;
    }
    if (!path_decode(at, &path_len)) return false;
    req->path = (struct net_text){ at, path_len };
    return true;
}

static void conn_push(struct net_conn *conn, struct net_request *req)
{
    if (conn->last) conn->last->next = req;
    else conn->first = req;
    conn->last = req;
    conn->in_flight++;
}

static void http_dispatch(struct net_conn *conn)
{
    struct net_server *s = conn->server;
    struct net_request *req = conn->building;
    req->bytes[req->len] = 0;                    // request_keep left room
    if (!request_read_target(req)) {
        net_http_refuse(conn, 400, "http_malformed", "the request's target is not a plain path");
        return;
    }
    conn->building = NULL;
    conn_push(conn, req);
    if (!req->keep_alive || s->stopping) conn->finishing = true;
    conn->held = req->upgrade;
    s->stats.requests++;
    s->options.on_request(s->options.arg, req);
}

size_t net_http_feed(struct net_conn *conn, const char *bytes, size_t len)
{
    llhttp_t *p = &conn->parser;
    conn->complete = false;
    conn->feed = bytes;
    llhttp_errno_t e = llhttp_execute(p, bytes, len);
    size_t used = len;
    if (e == HPE_PAUSED || e == HPE_PAUSED_UPGRADE) used = (size_t)(llhttp_get_error_pos(p) - bytes);
    if (conn->complete) {
        if (e == HPE_PAUSED) llhttp_resume(p);
        http_dispatch(conn);
    } else if (e == HPE_INVALID_VERSION && (p->http_major != 1 || p->http_minor > 1)) {
        net_http_refuse(conn, 505, "version_unknown", "HTTP/1.1 and HTTP/1.0 are spoken here");
    } else if (e != HPE_OK) {
        if (conn->refusal.http_status == 0) stop_malformed(conn, llhttp_get_error_reason(p));
        net_http_refuse(conn, conn->refusal.http_status, conn->refusal.code, conn->refusal.text);
    } else if (conn->in_headers && (conn->head_bytes += len) > HTTP_HEADER_BYTES_MAX) {
        net_http_refuse(conn, 431, "headers_too_large", "the headers are too many or too long");
    } else if (conn->wants_continue && !conn->first) {
        net_http_continue(conn);
    }
    return used;
}

// ---- reading a request

struct net_text net_method(const struct net_request *req) { return req->method; }
struct net_text net_path(const struct net_request *req) { return req->path; }
struct net_text net_query(const struct net_request *req) { return req->query; }
const char *net_peer(const struct net_request *req) { return req->conn ? req->conn->peer : req->peer; }

struct net_address net_request_from(const struct net_request *req)
{
    struct net_address peer = { { 0 } };
    const struct net_proxies *proxies = &req->server->options.proxies;
    if (!net_address_read(net_peer(req), strlen(net_peer(req)), false, &peer) || proxies->count == 0) return peer;
    struct net_text header = net_header(req, "x-forwarded-for");
    return net_address_forwarded(&peer, proxies, header.at, header.len);
}
void *net_request_data(const struct net_request *req) { return req->data; }

struct net_text net_body(const struct net_request *req)
{
    return (struct net_text){ req->bytes + req->body_at, req->len - req->body_at };
}

void net_request_set(struct net_request *req, void *data, void (*on_free)(void *data))
{
    req->data = data;
    req->on_free = on_free;
}

// Joins the fields that carry this name into the first one, so that the next look finds a single field.
static struct net_text fields_join(struct net_request *req, int first, const char *name)
{
    size_t len = 0;
    for (int i = first; i < req->field_count; i++)
        if (text_is_nocase(field_name(req, &req->fields[i]), name)) len += req->fields[i].value_len + 2;
    struct net_extra *extra = fr_alloc(sizeof *extra + len + 1);
    if (!extra) return field_value(req, &req->fields[first]);
    char *to = extra->text;
    int kept = first;
    for (int i = first; i < req->field_count; i++) {
        struct net_field *f = &req->fields[i];
        if (!text_is_nocase(field_name(req, f), name)) {
            req->fields[kept++] = *f;
            continue;
        }
        struct net_text value = field_value(req, f);
        if (i == first) kept++;
        else to = memcpy(to, ", ", 2), to += 2;
        memcpy(to, value.at, value.len);
        to += value.len;
    }
    extra->next = req->extras;
    req->extras = extra;
    req->field_count = kept;
    req->fields[first].joined = extra->text;
    req->fields[first].value_len = (uint32_t)(to - extra->text);
    return field_value(req, &req->fields[first]);
}

struct net_text net_header(const struct net_request *req, const char *name)
{
    int first = -1;
    for (int i = 0; i < req->field_count; i++) {
        if (!text_is_nocase(field_name(req, &req->fields[i]), name)) continue;
        if (first >= 0) return fields_join((struct net_request *)req, first, name);
        first = i;
    }
    return first < 0 ? (struct net_text){ "", 0 } : field_value(req, &req->fields[first]);
}

// Decodes a form value into out; the decoded length, or -1.
static long form_decode(const char *at, size_t len, char *out, size_t cap)
{
    size_t to = 0;
    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)at[i];
        if (c == '+') c = ' ';
        else if (c == '%') {
            c = percent_byte(at + i, len - i);
            i += 2;
        }
        if (c <= 0 || to + 1 >= cap) return -1;
        out[to++] = (char)c;
    }
    out[to] = 0;
    return (long)to;
}

bool net_query_value(const struct net_request *req, const char *name, char *out, size_t cap)
{
    const char *at = req->query.at, *end = at + req->query.len;
    size_t name_len = strlen(name);
    while (at < end) {
        const char *stop = memchr(at, '&', (size_t)(end - at));
        if (!stop) stop = end;
        const char *eq = memchr(at, '=', (size_t)(stop - at));
        size_t key_len = (size_t)((eq ? eq : stop) - at);
        if (key_len == name_len && memcmp(at, name, name_len) == 0) {
            const char *value = eq ? eq + 1 : stop;
            return cap > 0 && form_decode(value, (size_t)(stop - value), out, cap) >= 0;
        }
        at = stop + 1;
    }
    return false;
}

// ---- refusing, and what is only half there

// A refusal takes its place in the line like any request, so that earlier answers leave first; then the connection ends.
void net_http_refuse(struct net_conn *conn, int http_status, const char *code, const char *text)
{
    struct net_server *s = conn->server;
    struct net_request *req = conn->building ? conn->building : request_new(conn);
    conn->building = NULL;
    conn->in_headers = conn->in_body = conn->wants_continue = false;
    conn->finishing = true;
    s->stats.refused++;
    if (!req) {
        net_conn_close(conn);
        return;
    }
    req->keep_alive = req->upgrade = false;
    conn_push(conn, req);
    FR_AUTO_BUF(body);
    fr_buf_init(&body, HTTP_HEADER_BYTES_MAX);
    const char *content_type = NULL;
    if (s->options.on_refusal) s->options.on_refusal(s->options.arg, http_status, code, text, &body, &content_type);
    net_respond(req, http_status, content_type, NULL, body.data ? body.data : "", body.len);
}

void net_http_continue(struct net_conn *conn)
{
    conn->wants_continue = false;
    fr_buf_add(net_conn_out(conn), "HTTP/1.1 100 Continue\r\n\r\n");
    if (!conn->busy) net_conn_dirty(conn);
}

void net_http_abandon_message(struct net_conn *conn)
{
    net_request_free(conn->building);
    conn->building = NULL;
    conn->in_headers = conn->in_body = conn->wants_continue = false;
}
