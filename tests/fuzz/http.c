// http: a client's bytes through the whole of host/net, upgrades included. What the owner is told does not depend on how the bytes
// are cut, every request has one answer in its order, and what leaves is HTTP.
#include <ctype.h>
#include <strings.h>
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "fake_uv.h"
#include "net/ws.h"
#include "fuzz.h"

#define HELD_MAX 64
static struct net_server *server;
static bool streams;                                   // something was answered in pieces
static bool later, upgrades;                           // answers come later; WebSocket upgrades are taken up
static struct fr_buf seen;                             // what the owner was told
static struct { bool head; int status; } answers[4096];
static int answer_count;
static struct net_request *held[HELD_MAX];
static int held_count;
static int sockets;

static void note(const char *what, struct net_text t)
{
    fr_buf_addf(&seen, "%s:%zu:", what, t.len);
    fr_buf_add_bytes(&seen, t.at, t.len);
    fr_buf_add_char(&seen, '\n');
}

static void expect_answer(bool head, int status)
{
    HOLDS(answer_count < (int)(sizeof answers / sizeof *answers));
    answers[answer_count].head = head;
    answers[answer_count++].status = status;
}

static void path_holds(struct net_text path, struct net_text method)
{
    if (path.len == 1 && path.at[0] == '*') {
        HOLDS(net_text_is(method, "OPTIONS"));
        return;
    }
    HOLDS(path.len >= 1 && path.at[0] == '/' && fr_utf8_valid(path.at, path.len));
    HOLDS(!memmem(path.at, path.len, "//", 2) && !memchr(path.at, '\\', path.len));
    for (size_t i = 0; i < path.len; i++) HOLDS((uint8_t)path.at[i] >= 0x20 && path.at[i] != 0x7f);
    for (size_t i = 0; i < path.len; i++) {
        if (path.at[i] != '/') continue;
        size_t len = 0;
        while (i + 1 + len < path.len && path.at[i + 1 + len] != '/') len++;
        HOLDS(!(len == 1 && path.at[i + 1] == '.') && !(len == 2 && memcmp(path.at + i + 1, "..", 2) == 0));
    }
}

static void header_holds(struct net_text value)
{
    for (size_t i = 0; i < value.len; i++) HOLDS(value.at[i] != '\r' && value.at[i] != '\n' && value.at[i] != 0);
}

// "/b.." has a body larger than a read, "/n.." none, "/s.." is answered in pieces and watched.
static bool is_stream(const struct net_request *req) { return net_path(req).len > 1 && net_path(req).at[1] == 's'; }
static int status_of(const struct net_request *req)
{
    return net_path(req).len > 1 && net_path(req).at[1] == 'n' ? 204 : 200;
}

static void on_gone(void *arg) { (void)arg; }
static void on_drained(void *arg) { HOLDS(!net_request_left(arg)); }

static void answer_in_pieces(struct net_request *req)
{
    static char piece[9000];
    memset(piece, 'p', sizeof piece);
    net_stream_begin(req, 200, "text/plain", NULL);
    for (size_t i = 0; i < net_path(req).len && i < 12; i++) FR_IGNORE(net_stream_write(req, piece, i % 3 ? sizeof piece : i) ? FR_OK : FR_E_LIMIT);    // a bounded answer
    net_stream_end(req);
}

static void answer(struct net_request *req)
{
    struct net_text path = net_path(req);
    if (is_stream(req)) {
        answer_in_pieces(req);
        return;
    }
    static char body[40000];
    size_t len = path.len > 1 && path.at[1] == 'b' ? sizeof body : path.len;
    memset(body, 'x', len);
    net_respond(req, status_of(req), "text/plain", net_text_is(net_method(req), "PUT") ? "X: 1\r\n" : NULL, body, len);
}

static void on_message(void *arg, struct net_ws *ws, const char *text, size_t len, bool binary)
{
    (void)arg;
    HOLDS(text[len] == 0 && (binary || fr_utf8_valid(text, len)));
    note(binary ? "binary" : "text", (struct net_text){ text, len });
    net_ws_send(ws, text, binary ? 0 : len);
}

static void on_close(void *arg, struct net_ws *ws, int code)
{
    (void)arg;
    (void)ws;
    sockets--;
    fr_buf_addf(&seen, "closed:%d\n", code);
}

static bool take_up(struct net_request *req)
{
    static const struct net_ws_hooks hooks = { on_message, on_close };
    char offered[32];
    struct net_ws *ws;
    struct fr_err err;
    bool offers = net_ws_offered(req, "frond.", offered, sizeof offered);
    if (offers) HOLDS(strncmp(offered, "frond.", 6) == 0);
    for (char *c = offered; offers && *c; c++) if (!isalnum((uint8_t)*c) && *c != '.') offers = false;
    if (net_ws_accept(req, offers ? offered : NULL, &hooks, NULL, &ws, &err) != FR_OK) return false;
    expect_answer(false, 101);
    sockets++;
    return true;
}

static void on_request(void *arg, struct net_request *req)
{
    (void)arg;
    static const char *const names[] = { "host", "x", "cookie", "authorization", "content-length", "upgrade" };
    char value[40];
    path_holds(net_path(req), net_method(req));
    note("method", net_method(req));
    note("path", net_path(req));
    note("query", net_query(req));
    note("body", net_body(req));
    HOLDS(net_body(req).at[net_body(req).len] == 0 && net_body(req).len <= HTTP_BODY_BYTES_MAX);
    HOLDS(strcmp(net_peer(req), "127.0.0.1") == 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct net_text first = net_header(req, names[i]), second = net_header(req, names[i]);
        HOLDS(first.len == second.len && memcmp(first.at, second.at, first.len) == 0);
        header_holds(first);
        note(names[i], first);
    }
    if (net_query_value(req, "a", value, sizeof value)) note("a", (struct net_text){ value, strlen(value) });
    if (upgrades && net_header(req, "upgrade").len > 0 && take_up(req)) return;
    expect_answer(net_text_is(net_method(req), "HEAD"), status_of(req));
    streams = streams || is_stream(req);
    if (is_stream(req) && later) net_request_watch(req, &(struct net_watch){ on_gone, on_drained, req });
    if (later && held_count < HELD_MAX) held[held_count++] = req;
    else answer(req);
}

static void on_refusal(void *arg, int http_status, const char *code, const char *text, struct fr_buf *body, const char **content_type)
{
    (void)arg;
    HOLDS(http_status >= 400 && http_status <= 505 && text[0]);
    // A head that is malformed and too long as well is refused for what is seen first, which is the one thing that cuts may change.
    bool head = http_status == 400 || http_status == 414 || http_status == 431;
    fr_buf_addf(&seen, "refused:%s\n", head ? "head" : code);
    fr_buf_add(body, code);
    *content_type = "text/plain";
    expect_answer(false, http_status);
}

// ---- what the client got must be the answers that were given, in order

static size_t content_length(const char *head, const char *end)
{
    const char *at = memmem(head, (size_t)(end - head), "\r\nContent-Length: ", 18);
    return at ? strtoul(at + 18, NULL, 10) : 0;
}

// Past a body in chunks; NULL when it is not all there.
static const char *past_chunks(const char *at, const char *end)
{
    for (;;) {
        char *stop;
        const char *line = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (!line) return NULL;
        size_t len = strtoul(at, &stop, 16);
        HOLDS(stop == line);
        if ((size_t)(end - line) < len + 4) return NULL;
        HOLDS(memcmp(line + 2 + len, "\r\n", 2) == 0);
        at = line + 4 + len;
        if (len == 0) return at;
    }
}

static void sent_is_http(bool whole)
{
    const char *at = fake_sent.data ? fake_sent.data : "", *end = at + fake_sent.len;
    int n = 0;
    while (at < end) {
        const char *stop = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
        if (!stop && !whole) return;
        HOLDS(stop && strncmp(at, "HTTP/1.1 ", 9) == 0);
        int status = atoi(at + 9);
        if (status == 100) {
            at = stop + 4;
            continue;
        }
        if (!whole && n >= answer_count) return;
        HOLDS(n < answer_count);
        if (status == 101) return;                     // from here on it is frames: ws's business
        HOLDS(status == answers[n].status);
        size_t len = content_length(at, stop + 2);
        bool chunked = memmem(at, (size_t)(stop - at), "\r\nTransfer-Encoding: chunked", 28) != NULL;
        bool until_end = !chunked && !memmem(at, (size_t)(stop + 2 - at), "\r\nContent-Length: ", 18) && status == 200;
        bool body = status != 204 && !answers[n].head;
        n++;
        at = stop + 4;
        if (!body) continue;
        if (until_end) {                               // what was asked behind it has no answer
            answer_count = n;
            return;
        }
        if (chunked) {
            at = past_chunks(at, end);
            HOLDS(at || !whole);
            if (!at) return;
            continue;
        }
        if (!whole && (size_t)(end - at) < len) return;
        if (at == end && status >= 400) break;         // the refusal of a HEAD request has no body either; it is the last answer
        HOLDS((size_t)(end - at) >= len);
        at += len;
    }
    HOLDS(!whole || n == answer_count);
}

// ---- one connection

struct way { uint32_t cuts; bool one_by_one, slow, time; size_t room; };

static void answer_held(uint32_t *draw)
{
    while (held_count > 0) {
        int i = (int)(fuzz_draw(draw) % (uint32_t)held_count);
        struct net_request *req = held[i];
        held[i] = held[--held_count];
        answer(req);
        if (fuzz_draw(draw) % 4 == 0) break;
    }
}

static void connection(const uint8_t *bytes, size_t len, const struct way *way)
{
    uint32_t draw = way->cuts;
    fr_buf_clear(&seen);
    answer_count = held_count = 0;
    streams = false;
    fake_room(way->room);
    fake_connect();
    fake_turn();
    int idle = 0;
    for (size_t at = 0, sent = 0; at < len && fake_open() && idle < 8;) {
        size_t piece = len - at;
        if (way->one_by_one) piece = 1;
        else if (way->cuts) piece = 1 + fuzz_draw(&draw) % (fuzz_draw(&draw) % 4 ? 16 : 200);
        if (piece > len - at) piece = len - at;
        size_t took = fake_read(bytes + at, piece);
        at += took;
        idle = took || fake_sent.len > sent || held_count > 0 ? 0 : idle + 1;      // the server may read again once it could write
        sent = fake_sent.len;
        if (way->cuts == 0 || fuzz_draw(&draw) % 2 == 0 || took == 0) {
            if (later) answer_held(&draw);
            fake_turn();
        }
        if (way->time) fake_tick((int)(fuzz_draw(&draw) % 4000));
    }
    fake_turn();
    if (way->time && way->cuts & 1) fake_tick(100000);
    fake_eof();
    for (int i = 0; i < 64 && held_count > 0; i++) {
        answer_held(&draw);
        fake_turn();
    }
    fake_room(SIZE_MAX);
    fake_turn();
    fake_eof();                                        // reading may have been paused
    fake_turn();
    for (int i = 0; i < 8 && net_server_stats(server).connections > 0; i++) {
        fake_tick(100000);                             // every wait ends
        fake_turn();
    }
    HOLDS(net_server_stats(server).connections == 0 && net_server_stats(server).websockets == 0);
    HOLDS(sockets == 0 && !fake_open());
    sent_is_http(!way->time && way->room == SIZE_MAX && !(later && streams));      // who watches takes a half that closes for leaving
}

static void start(void)
{
    struct net_server_options options = { .loop = (uv_loop_t *)&server, .host = "127.0.0.1", .port = 4321, .on_request = on_request, .on_refusal = on_refusal };
    struct fr_err err;
    fr_clock_set_for_test(1700000000000);
    fr_buf_init(&seen, 64 << 20);
    HOLDS(net_server_start(&options, &server, &err) == FR_OK);
}

static void same_told(const struct fr_buf *first)
{
    if (seen.len == first->len && (seen.len == 0 || memcmp(seen.data, first->data, seen.len) == 0)) return;
    fprintf(stderr, "at first:\n%.*s\nnow:\n%.*s\n", (int)first->len, first->data, (int)seen.len, seen.data);
    HOLDS(!"the same is told, however the bytes are cut and whenever answers come");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)     // how (2 bytes), then what the client sends
{
    struct fuzz_in in = { data, size };
    uint8_t how = fuzz_byte(&in), cuts = fuzz_byte(&in);
    if (!server) start();
    upgrades = how & 1;
    later = false;
    connection(in.at, in.left, &(struct way){ .room = SIZE_MAX });
    FR_AUTO_BUF(first);
    fr_buf_init(&first, 64 << 20);
    fr_buf_add_bytes(&first, seen.data ? seen.data : "", seen.len);

    connection(in.at, in.left, &(struct way){ .cuts = cuts + 1u, .one_by_one = how & 2, .room = SIZE_MAX });
    same_told(&first);

    if (!(how & 0x1c)) return 0;                       // the rest: slow answers, a full kernel, time
    later = how & 4;
    connection(in.at, in.left, &(struct way){ .cuts = cuts + 1u, .time = how & 8, .room = how & 16 ? 1 + (how >> 5) * 100u : SIZE_MAX });
    if (!upgrades && !streams && !(how & 8)) same_told(&first);      // an upgrade is taken up only when nothing before it waits; a stream to HTTP/1.0 ends what is read, but not before it begins
    return 0;
}
