// server_test.c — HTTP from outside: bytes in, status out, cut at every byte; then order, deadlines, bounds and endings.
#include "net/test_client.h"
#include "base/limits.h"

// ---- the owner: echoes, or keeps requests until the test answers them

static struct net_request *kept[64];
static int kept_count, freed_count, requests_seen;

static void on_free_count(void *data) { (void)data; freed_count++; }

static void answer_echo(struct net_request *req)
{
    struct net_text m = net_method(req), p = net_path(req), q = net_query(req), b = net_body(req);
    FR_AUTO_BUF(body);
    fr_buf_init(&body, 1024 * 1024);
    fr_buf_addf(&body, "%.*s %.*s?%.*s ", (int)m.len, m.at, (int)p.len, p.at, (int)q.len, q.at);
    fr_buf_add_bytes(&body, b.at, b.len);
    CHECK(b.at[b.len] == 0);
    net_respond(req, 200, "text/plain", "X-Test: yes\r\n", body.data, body.len);
}

static char big_body[300000];

static void on_request(void *arg, struct net_request *req)
{
    (void)arg;
    requests_seen++;
    if (net_text_is(net_path(req), "/later")) {
        net_request_set(req, req, on_free_count);
        kept[kept_count++] = req;
    } else if (net_text_is(net_path(req), "/big")) {
        net_respond(req, 200, "text/plain", NULL, big_body, sizeof big_body);
    } else if (net_text_is(net_path(req), "/none")) {
        net_respond(req, 204, NULL, NULL, "", 0);
    } else {
        answer_echo(req);
    }
}

static void on_refusal(void *arg, int http_status, const char *code, const char *text, struct fr_buf *body, const char **content_type)
{
    (void)arg;
    fr_buf_addf(body, "%d %s: %s", http_status, code, text);
    *content_type = "text/plain";
}

static struct net_server_options plain(void)
{
    kept_count = freed_count = requests_seen = 0;
    return (struct net_server_options){ .on_request = on_request, .on_refusal = on_refusal };
}

// ---- the table

#define H "Host: x\r\n"
static const struct { const char *name, *bytes, *want; } cases[] = {
    { "plain", "GET / HTTP/1.1\r\n" H "\r\n", "200" },
    { "path, query, header", "GET /a/b%20c?d=e HTTP/1.1\r\n" H "Accept: */*\r\nX-Empty:\r\nX-Y: z\r\n\r\n", "200" },
    { "old version", "GET / HTTP/1.0\r\n\r\n", "200 end" },
    { "old version kept alive", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "two in one go", "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "close", "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", "200 end" },
    { "nothing after close", "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 end" },
    { "body by length", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "length zero", "POST / HTTP/1.1\r\n" H "Content-Length: 0\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "body in chunks", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "chunks with extensions and trailers", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n3;a=b\r\nabc\r\n0;q\r\nHost: y\r\nX: y\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "a trailer that looks like Connection", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "a trailer that asks for an upgrade", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "line ends before a request", "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200" },
    { "whole address", "GET http://x/a?b HTTP/1.1\r\n" H "\r\n", "200" },
    { "whole address, no path", "GET http://X HTTP/1.1\r\n" H "\r\n", "200" },
    { "whole address, query only", "GET http://x?q HTTP/1.1\r\n" H "\r\n", "200" },
    { "asterisk", "OPTIONS * HTTP/1.1\r\n" H "\r\n", "200" },
    { "no content", "GET /none HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n" H "\r\n", "204 200" },
    { "an upgrade we do not know", "GET / HTTP/1.1\r\n" H "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "an upgrade nobody takes up", "GET / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "an upgrade with a body", "POST / HTTP/1.1\r\n" H "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nhiGET / HTTP/1.1\r\n" H "\r\n", "200 200" },
    { "tabs and spaces around a value", "GET / HTTP/1.1\r\nHost: \t x \t\r\n\r\n", "200" },
    { "two spaces: the parser is generous here", "GET  / HTTP/1.1\r\n" H "\r\n", "200" },
    { "bytes over 127 in a value", "GET / HTTP/1.1\r\n" H "X: \xc3\xa9\r\n\r\n", "200" },

    { "no host", "GET / HTTP/1.1\r\n\r\n", "400 end" },
    { "two hosts", "GET / HTTP/1.1\r\n" H H "\r\n", "400 end" },
    { "two hosts, old version", "GET / HTTP/1.0\r\n" H H "\r\n", "400 end" },
    { "empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 end" },
    { "host with user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", "400 end" },
    { "host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 end" },
    { "host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "400 end" },
    { "length then coding", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding then length", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "400 end" },
    { "length twice, equal", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400 end" },
    { "length twice, different", "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400 end" },
    { "length list", "POST / HTTP/1.1\r\n" H "Content-Length: 5, 5\r\n\r\nhello", "400 end" },
    { "length with plus", "POST / HTTP/1.1\r\n" H "Content-Length: +5\r\n\r\nhello", "400 end" },
    { "length negative", "POST / HTTP/1.1\r\n" H "Content-Length: -5\r\n\r\nhello", "400 end" },
    { "length hex", "POST / HTTP/1.1\r\n" H "Content-Length: 0x5\r\n\r\nhello", "400 end" },
    { "length with space", "POST / HTTP/1.1\r\n" H "Content-Length: 1 5\r\n\r\nhello", "400 end" },
    { "length empty", "POST / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", "400 end" },
    { "length past 64 bits", "POST / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\n", "400 end" },
    { "length past the bound", "POST / HTTP/1.1\r\n" H "Content-Length: 262145\r\n\r\n", "413 end" },
    { "coding gzip", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip\r\n\r\n", "400 end" },
    { "coding gzip, chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding chunked, gzip", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding chunked, chunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding twice", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding twice, identity", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding xchunked", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding empty", "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding after a vertical tab", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "coding in the old version", "POST / HTTP/1.0\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "space before colon", "POST / HTTP/1.1\r\n" H "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "space before the first header", "GET / HTTP/1.1\r\n " H "\r\n", "400 end" },
    { "folded header", "GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n", "400 end" },
    { "folded header, tab", "GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n", "400 end" },
    { "folded empty header", "POST / HTTP/1.1\r\n" H "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "400 end" },
    { "header without colon", "GET / HTTP/1.1\r\n" H "nonsense\r\n\r\n", "400 end" },
    { "header without name", "GET / HTTP/1.1\r\n" H ": x\r\n\r\n", "400 end" },
    { "bare line feeds", "GET / HTTP/1.1\nHost: x\n\n", "400 end" },
    { "bare line feed after a header", "GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", "400 end" },
    { "bare line feed at the end", "GET / HTTP/1.1\r\n" H "\n", "400 end" },
    { "bare return in a value", "GET / HTTP/1.1\r\n" H "X: a\rb\r\n\r\n", "400 end" },
    { "bare return before a line end", "GET / HTTP/1.1\r\n" H "X: a\r\r\n\r\n", "400 end" },
    { "bare return instead of the last line", "GET / HTTP/1.1\r\n" H "\rX", "400 end" },
    { "control byte in a value", "GET / HTTP/1.1\r\n" H "X: a\x01" "b\r\n\r\n", "400 end" },
    { "control byte in a name", "GET / HTTP/1.1\r\n" H "X\x01: a\r\n\r\n", "400 end" },
    { "chunk size with line feed", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", "400 end" },
    { "chunk extension with line feed", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3;a\nabc\r\n0\r\n\r\n", "400 end" },
    { "chunk data too long", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", "400 end" },
    { "chunk data ended by line feed", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n", "400 end" },
    { "chunk size negative", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", "400 end" },
    { "chunk size with 0x", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", "400 end" },
    { "chunk size with space", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", "400 end" },
    { "chunk size past 64 bits", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n", "400 end" },
    { "chunk size empty", "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", "400 end" },

    { "path up", "GET /a/../b HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path up at the end", "GET /a/.. HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path up, encoded", "GET /a/%2e%2E/b HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path here", "GET /a/./b HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path of two slashes", "GET //a HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path ending in two slashes", "GET /a// HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with NUL", "GET /a%00b HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with line end", "GET /a%0d%0ab HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with encoded slash", "GET /a%2fb HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with backslash", "GET /a\\b HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with encoded backslash", "GET /a%5Cb HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with half an escape", "GET /a%2 HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with no escape", "GET /a%zz HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path that is not UTF-8", "GET /%ff HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with bytes over 127", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "path with fragment", "GET /a#b HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "target without slash", "GET a HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "target asterisk for GET", "GET * HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "address with user", "GET http://u@x/ HTTP/1.1\r\nHost: u@x\r\n\r\n", "400 end" },
    { "address of another host", "GET http://y/ HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "address of another scheme", "GET ftp://x/ HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "connect", "CONNECT x:80 HTTP/1.1\r\n" H "\r\n", "501 end" },
    { "trace", "TRACE / HTTP/1.1\r\n" H "\r\n", "501 end" },
    { "no such method", "FROB / HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "method in small letters", "get / HTTP/1.1\r\n" H "\r\n", "400 end" },
    { "version 2.0", "GET / HTTP/2.0\r\n" H "\r\n", "505 end" },
    { "version 0.9", "GET / HTTP/0.9\r\n" H "\r\n", "505 end" },
    { "version 1.2", "GET / HTTP/1.2\r\n" H "\r\n", "505 end" },
    { "no version", "GET /\r\n" H "\r\n", "505 end" },
    { "the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 end" },
    { "a TLS hello", "\x16\x03\x01\x02\x01\x01", "400 end" },
    { "unknown expectation", "POST / HTTP/1.1\r\n" H "Content-Length: 1\r\nExpect: 200-maybe\r\n\r\n", "417 end" },
    { "a bad one behind a good one", "GET / HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n\r\n", "200 400 end" },
};

// "200 400 end": the statuses that came, and "end" when the server ended the connection.
static const char *outcome(struct client *c, const char *want)
{
    static char got[100];
    got[0] = 0;
    size_t wanted = strlen(want);
    bool want_end = wanted > 3 && strcmp(want + wanted - 3, "end") == 0;
    while (strlen(got) + 5 < sizeof got) {
        if (!want_end && strlen(got) >= wanted) break;
        const char *answer = client_answer(c);
        if (!answer[0]) break;
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%d", got[0] ? " " : "", answer_status(answer));
    }
    pump_some();                                 // more than was wanted would come now
    client_receive(c);
    if (c->in.len > 0) strcat(got, " more");
    if (c->eof) strcat(got, " end");
    return got;
}

static void test_every_case_whole(void)
{
    server_begin(plain());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c = client_open();
        client_say(&c, cases[i].bytes);
        const char *got = outcome(&c, cases[i].want);
        if (strcmp(got, cases[i].want) != 0) printf("  case: %s\n", cases[i].name);
        CHECK_TEXT(got, cases[i].want);
        client_close(&c);
    }
    server_end();
}

static void test_every_case_cut_at_every_byte(void)
{
    server_begin(plain());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].bytes);
        for (size_t cut = 1; cut < len; cut++) {
            struct client c = client_open();
            client_send(&c, cases[i].bytes, cut);
            pump_some();
            client_send(&c, cases[i].bytes + cut, len - cut);
            const char *got = outcome(&c, cases[i].want);
            if (strcmp(got, cases[i].want) != 0) printf("  case: %s, cut at %zu\n", cases[i].name, cut);
            CHECK_TEXT(got, cases[i].want);
            client_close(&c);
        }
    }
    server_end();
}

static void test_every_case_byte_by_byte(void)
{
    server_begin(plain());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client c = client_open();
        for (const char *at = cases[i].bytes; *at; at++) {
            client_send(&c, at, 1);
            pump();
            pump();
        }
        const char *got = outcome(&c, cases[i].want);
        if (strcmp(got, cases[i].want) != 0) printf("  case: %s\n", cases[i].name);
        CHECK_TEXT(got, cases[i].want);
        client_close(&c);
    }
    server_end();
}

// ---- what the owner sees and what the client gets

static void test_the_answer_is_exact(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "POST /a%20b/%C3%A9?x=1&y HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    char *got = client_answer(&c), *date = strstr(got, "\r\nDate: ");
    CHECK(date != NULL);
    if (date) memset(date + 8, 'd', 29);
    CHECK_TEXT(got, "HTTP/1.1 200 OK\r\nDate: ddddddddddddddddddddddddddddd\r\nContent-Type: text/plain\r\n"
                    "Content-Length: 24\r\nX-Test: yes\r\n\r\nPOST /a b/\xc3\xa9?x=1&y abcde");
    client_close(&c);
    server_end();
}

static void test_head_gets_the_length_and_no_body(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "HEAD /x HTTP/1.1\r\n" H "\r\nGET /y HTTP/1.1\r\n" H "\r\n");
    CHECK(strstr(client_answer_to(&c, true), "Content-Length: 9\r\n") != NULL);
    CHECK_TEXT(answer_body(client_answer(&c)), "GET /y? ");
    client_say(&c, "GET /none HTTP/1.1\r\n" H "\r\n");
    CHECK(strstr(client_answer(&c), "Content-Length") == NULL);
    client_close(&c);
    server_end();
}

static void test_headers_and_query_are_found(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "GET /later?a=1&b=x%2By+z&c&d=%00&e=%g0&a=2 HTTP/1.1\r\n" H "X-One: 1\r\nX-Many: a\r\nX-Two: 2\r\nx-many: b\r\nX-MANY: c\r\n\r\n");
    CHECK(PUMP_UNTIL(kept_count == 1));
    struct net_request *req = kept[0];
    CHECK(net_text_is(net_header(req, "x-many"), "a, b, c"));
    CHECK(net_text_is(net_header(req, "X-Many"), "a, b, c"));
    CHECK(net_text_is(net_header(req, "x-two"), "2"));
    CHECK(net_text_is(net_header(req, "x-one"), "1"));
    CHECK_INT(net_header(req, "x-on").len, 0);
    CHECK_TEXT(net_peer(req), "127.0.0.1");
    CHECK(net_request_data(req) == req);
    char v[6];
    CHECK(net_query_value(req, "a", v, sizeof v) && strcmp(v, "1") == 0);
    CHECK(net_query_value(req, "b", v, sizeof v) && strcmp(v, "x+y z") == 0);
    CHECK(!net_query_value(req, "b", v, 5));     // one short
    CHECK(net_query_value(req, "c", v, sizeof v) && v[0] == 0);
    CHECK(!net_query_value(req, "d", v, sizeof v));
    CHECK(!net_query_value(req, "e", v, sizeof v));
    CHECK(!net_query_value(req, "f", v, sizeof v));
    net_respond(req, 200, NULL, NULL, "", 0);
    CHECK_INT(freed_count, 1);
    CHECK_INT(answer_status(client_answer(&c)), 200);
    client_close(&c);
    server_end();
}

static void test_continue_is_said_when_waited_for(void)
{
    server_begin(plain());
    struct client c = client_open();
    const char *head = "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    client_say(&c, head);
    CHECK_TEXT(client_answer(&c), "HTTP/1.1 100 Continue\r\n\r\n");
    client_say(&c, "hi");
    CHECK_TEXT(answer_body(client_answer(&c)), "POST /? hi");

    client_say(&c, "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nhi");
    CHECK_INT(answer_status(client_answer(&c)), 200);        // it did not wait

    client_say(&c, "GET /later HTTP/1.1\r\n" H "\r\n");
    client_say(&c, head);
    CHECK(PUMP_UNTIL(kept_count == 1));
    pump_some();
    client_receive(&c);
    CHECK_INT(c.in.len, 0);                      // an interim answer now would be taken for the first request's
    net_respond(kept[0], 202, NULL, NULL, "", 0);
    CHECK_INT(answer_status(client_answer(&c)), 202);
    CHECK_INT(answer_status(client_answer(&c)), 100);
    client_say(&c, "hi");
    CHECK_INT(answer_status(client_answer(&c)), 200);
    client_close(&c);
    server_end();
}

// ---- order

static void test_answers_leave_in_the_order_of_requests(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "GET /later HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H "\r\nGET /now HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H "\r\n");
    CHECK(PUMP_UNTIL(kept_count == 3));
    net_respond(kept[2], 403, NULL, NULL, "", 0);
    net_respond(kept[1], 402, NULL, NULL, "", 0);
    pump_some();
    client_receive(&c);
    CHECK_INT(c.in.len, 0);
    net_respond(kept[0], 401, NULL, NULL, "", 0);
    static const int want[] = { 401, 402, 200, 403 };
    for (int i = 0; i < 4; i++) CHECK_INT(answer_status(client_answer(&c)), want[i]);
    client_close(&c);
    server_end();
}

static void test_a_refusal_waits_for_earlier_answers(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "GET /later HTTP/1.1\r\n" H "\r\nGARBAGE\r\n\r\n");
    CHECK(PUMP_UNTIL(kept_count == 1));
    pump_some();
    client_receive(&c);
    CHECK_INT(c.in.len, 0);
    net_respond(kept[0], 200, NULL, NULL, "", 0);
    CHECK_TEXT(outcome(&c, "200 400 end"), "200 400 end");
    client_close(&c);
    server_end();
}

static void test_pipelining_is_bounded(void)
{
    server_begin(plain());
    struct client c = client_open();
    for (int i = 0; i < HTTP_PIPELINE_MAX + 4; i++) client_say(&c, "GET /later HTTP/1.1\r\n" H "\r\n");
    for (int i = 0; i < 50; i++) pump();
    CHECK_INT(kept_count, HTTP_PIPELINE_MAX);
    net_respond(kept[0], 200, NULL, NULL, "", 0);
    CHECK(PUMP_UNTIL(kept_count == HTTP_PIPELINE_MAX + 1));
    for (int i = 1; i < HTTP_PIPELINE_MAX + 4; i++) {
        CHECK(PUMP_UNTIL(kept_count > i));
        net_respond(kept[i], 200, NULL, NULL, "", 0);
    }
    for (int i = 0; i < HTTP_PIPELINE_MAX + 4; i++) CHECK_INT(answer_status(client_answer(&c)), 200);
    client_close(&c);
    server_end();
}

static void test_a_client_that_leaves_is_forgotten(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "GET /later HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H "\r\n");
    CHECK(PUMP_UNTIL(kept_count == 2));
    net_respond(kept[1], 200, NULL, NULL, "unread", 6);
    struct linger reset = { .l_onoff = 1 };
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
    CHECK_TEXT(net_peer(kept[0]), "127.0.0.1");
    net_respond(kept[0], 200, "text/plain", NULL, "nobody reads this", 17);
    CHECK_INT(freed_count, 2);
    server_end();
}

static void test_a_half_closed_client_gets_its_answer(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "GET /later HTTP/1.1\r\n" H "\r\n");
    shutdown(c.fd, SHUT_WR);
    CHECK(PUMP_UNTIL(kept_count == 1));
    pump_some();
    net_respond(kept[0], 200, NULL, NULL, "", 0);
    CHECK_TEXT(outcome(&c, "200 end"), "200 end");
    client_close(&c);

    c = client_open();
    client_say(&c, "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\nhel");
    shutdown(c.fd, SHUT_WR);
    CHECK_TEXT(outcome(&c, "end"), " end");      // half a request is no request
    client_close(&c);
    server_end();
}

// ---- bounds, each at its number and one step past it

static void say_repeated(struct client *c, char byte, size_t count)
{
    static char bytes[HTTP_BODY_BYTES_MAX + 1];
    memset(bytes, byte, count);
    client_send(c, bytes, count);
}

static const char *with_url(size_t len)
{
    struct client c = client_open();
    client_say(&c, "GET /");
    say_repeated(&c, 'u', len - 1);
    client_say(&c, " HTTP/1.1\r\n" H "\r\n");
    const char *got = outcome(&c, len > HTTP_URL_BYTES_MAX ? "414 end" : "200");
    client_close(&c);
    return got;
}

static const char *with_headers(int count)
{
    struct client c = client_open();
    client_say(&c, "GET / HTTP/1.1\r\n" H);
    for (int i = 1; i < count; i++) client_say(&c, "X: y\r\n");
    client_say(&c, "\r\n");
    const char *got = outcome(&c, count > HTTP_HEADERS_MAX ? "431 end" : "200");
    client_close(&c);
    return got;
}

static const char *with_head_bytes(size_t total, bool spaces)
{
    struct client c = client_open();
    client_say(&c, "GET / HTTP/1.1\r\n" H "X:");
    say_repeated(&c, spaces ? ' ' : 'v', total - strlen("GET / HTTP/1.1\r\n" H "X:"));
    pump_some();
    client_say(&c, "\r\n\r\n");
    const char *got = outcome(&c, total > HTTP_HEADER_BYTES_MAX ? "431 end" : "200");
    client_close(&c);
    return got;
}

static const char *with_body(size_t len, bool chunked)
{
    struct client c = client_open();
    char line[100];
    if (chunked) snprintf(line, sizeof line, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", len);
    else snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", len);
    client_say(&c, "POST / HTTP/1.1\r\n" H);
    client_say(&c, line);
    say_repeated(&c, 'b', len);
    if (chunked) client_say(&c, "\r\n0\r\n\r\n");
    const char *got = outcome(&c, len > HTTP_BODY_BYTES_MAX ? "413 end" : "200");
    client_close(&c);
    return got;
}

static void test_bounds_of_a_request(void)
{
    server_begin(plain());
    CHECK_TEXT(with_url(HTTP_URL_BYTES_MAX), "200");
    CHECK_TEXT(with_url(HTTP_URL_BYTES_MAX + 1), "414 end");
    CHECK_TEXT(with_headers(HTTP_HEADERS_MAX), "200");
    CHECK_TEXT(with_headers(HTTP_HEADERS_MAX + 1), "431 end");
    CHECK_TEXT(with_head_bytes(HTTP_HEADER_BYTES_MAX, false), "200");
    CHECK_TEXT(with_head_bytes(HTTP_HEADER_BYTES_MAX + 1, false), "431 end");
    CHECK_TEXT(with_head_bytes(HTTP_HEADER_BYTES_MAX - 4, true), "200");     // an empty value is reported after its line
    CHECK_TEXT(with_head_bytes(HTTP_HEADER_BYTES_MAX + 1, true), "431 end");
    CHECK_TEXT(with_body(HTTP_BODY_BYTES_MAX, false), "200");
    CHECK_TEXT(with_body(HTTP_BODY_BYTES_MAX + 1, false), "413 end");
    CHECK_TEXT(with_body(HTTP_BODY_BYTES_MAX, true), "200");
    CHECK_TEXT(with_body(HTTP_BODY_BYTES_MAX + 1, true), "413 end");
    server_end();
}

static size_t body_most(void *arg, struct net_text method, struct net_text target)
{
    CHECK(arg == big_body && net_text_is(method, "POST"));
    return target.len >= 6 && memcmp(target.at, "/large", 6) == 0 ? HTTP_BODY_BYTES_MAX + 1000 : 10;
}

static const char *with_body_at(const char *target, size_t len, bool chunked, const char *want)
{
    struct client c = client_open();
    char line[200];
    if (chunked) snprintf(line, sizeof line, "POST %s HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", target, len);
    else snprintf(line, sizeof line, "POST %s HTTP/1.1\r\n" H "Content-Length: %zu\r\n\r\n", target, len);
    client_say(&c, line);
    for (size_t sent = 0; sent < len; sent += 1000) say_repeated(&c, 'b', len - sent < 1000 ? len - sent : 1000);
    if (chunked) client_say(&c, "\r\n0\r\n\r\n");
    const char *got = outcome(&c, want);
    client_close(&c);
    return got;
}

static void test_a_route_may_have_its_own_bound_of_bodies(void)
{
    struct net_server_options o = plain();
    o.arg = big_body;
    o.body_most = body_most;
    server_begin(o);
    for (int chunked = 0; chunked < 2; chunked++) {
        CHECK_TEXT(with_body_at("/large?x", HTTP_BODY_BYTES_MAX + 1000, chunked, "200"), "200");
        CHECK_TEXT(with_body_at("/large?x", HTTP_BODY_BYTES_MAX + 1001, chunked, "413 end"), "413 end");
        CHECK_TEXT(with_body_at("/small", 10, chunked, "200"), "200");
        CHECK_TEXT(with_body_at("/small", 11, chunked, "413 end"), "413 end");
    }
    server_end();
}

static void test_chunk_extensions_and_trailers_are_bounded(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n1;");
    say_repeated(&c, 'e', HTTP_CHUNK_EXTENSION_BYTES_MAX + 1);
    CHECK_TEXT(outcome(&c, "400 end"), "400 end");
    client_close(&c);
    c = client_open();
    client_say(&c, "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n0\r\nT: ");
    say_repeated(&c, 't', HTTP_HEADER_BYTES_MAX);
    CHECK_TEXT(outcome(&c, "431 end"), "431 end");
    client_close(&c);
    server_end();
}

static void test_connections_are_bounded(void)
{
    struct net_server_options o = plain();
    o.connections_max = 2;
    server_begin(o);
    struct client a = client_open(), b = client_open();
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 2));
    struct client c = client_open();
    CHECK_TEXT(outcome(&c, "503 end"), "503 end");
    client_close(&a);
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 1));
    struct client d = client_open();
    client_say(&d, "GET / HTTP/1.1\r\n" H "\r\n");
    CHECK_INT(answer_status(client_answer(&d)), 200);
    client_close(&b), client_close(&c), client_close(&d);
    server_end();
}

static void test_connections_of_one_address_are_bounded(void)
{
    struct net_server_options o = plain();
    struct net_address us;
    o.connections_per_address = 2;
    server_begin(o);
    struct client a = client_open(), b = client_open();
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 2));
    struct client c = client_open();
    CHECK_TEXT(outcome(&c, "429 end"), "429 end");
    CHECK_INT(net_server_stats(test_server).refused_address, 1);
    client_close(&a);
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 1));
    struct client d = client_open();
    client_say(&d, "GET / HTTP/1.1\r\n" H "\r\n");
    CHECK_INT(answer_status(client_answer(&d)), 200);
    client_close(&b), client_close(&c), client_close(&d);
    server_end();

    CHECK(net_address_read("127.0.0.1", 9, false, &us));
    o.proxies = (struct net_proxies){ { us }, 1 };       // many people stand behind it
    server_begin(o);
    struct client many[5];
    for (int i = 0; i < 5; i++) many[i] = client_open();
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 5));
    for (int i = 0; i < 5; i++) client_close(&many[i]);
    server_end();
}

// A client that asks and does not read may make us hold little more than one answer; it is served on once it reads.
static void test_a_slow_reader_is_not_served_ahead(void)
{
    server_begin(plain());
    struct client c = client_open_small(4096);
    for (int i = 0; i < 200; i++) client_say(&c, "GET /big HTTP/1.1\r\n" H "\r\n");
    for (int i = 0; i < 200; i++) pump();
    int seen = requests_seen;
    CHECK(seen > 0 && seen < 60);                // the kernel's own buffers hold some
    for (int i = 0; i < 200; i++) {
        const char *answer = client_answer(&c);
        if (answer_status(answer) != 200 || strlen(answer_body(answer)) != sizeof big_body) CHECK(!"a whole answer");
    }
    CHECK_INT(requests_seen, 200);
    client_close(&c);
    server_end();
}

// ---- deadlines

static void test_slow_headers_are_refused(void)
{
    struct net_server_options o = plain();
    o.header_ms = 60;
    server_begin(o);
    struct client c = client_open();
    client_say(&c, "GET / HTTP/1.1\r\nX: ");
    uint64_t begun = uv_hrtime();
    while (!c.eof && c.in.len == 0 && uv_hrtime() - begun < PUMP_MS_MAX * 1000000ull) {      // a byte now and then does not help
        client_send(&c, "x", 1);
        poll(NULL, 0, 5);
        pump();
        client_receive(&c);
    }
    CHECK_TEXT(outcome(&c, "408 end"), "408 end");
    client_close(&c);
    server_end();
}

static void test_slow_bodies_are_refused(void)
{
    struct net_server_options o = plain();
    o.body_ms = 60;
    server_begin(o);
    struct client c = client_open();
    client_say(&c, "POST / HTTP/1.1\r\n" H "Content-Length: 10\r\n\r\nabc");
    CHECK_TEXT(outcome(&c, "408 end"), "408 end");
    client_close(&c);
    server_end();
}

static void test_idle_connections_end_silently(void)
{
    struct net_server_options o = plain();
    o.idle_ms = 60;
    server_begin(o);
    struct client fresh = client_open(), used = client_open(), waiting = client_open();
    client_say(&used, "GET / HTTP/1.1\r\n" H "\r\n");
    CHECK_INT(answer_status(client_answer(&used)), 200);
    client_say(&waiting, "GET /later HTTP/1.1\r\n" H "\r\n");
    CHECK(client_sees_end(&fresh) && fresh.in.len == 0);
    CHECK(client_sees_end(&used) && used.in.len == 0);
    CHECK_INT(kept_count, 1);
    net_respond(kept[0], 200, NULL, NULL, "", 0);            // what the owner is busy with is not idle
    CHECK_INT(answer_status(client_answer(&waiting)), 200);
    client_close(&fresh), client_close(&used), client_close(&waiting);
    server_end();
}

static void test_a_reader_that_stopped_is_dropped(void)
{
    struct net_server_options o = plain();
    o.write_stall_ms = 60;
    server_begin(o);
    struct client c = client_open_small(4096);
    for (int i = 0; i < 64; i++) client_say(&c, "GET /big HTTP/1.1\r\n" H "\r\n");
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
    client_close(&c);
    server_end();
}

// ---- beginning and end

static void test_a_taken_port_is_named(void)
{
    server_begin(plain());
    struct net_server_options o = plain();
    struct net_server *other;
    struct fr_err err;
    o.loop = &test_loop;
    o.host = "127.0.0.1";
    o.port = net_server_port(test_server);
    CHECK(net_server_start(&o, &other, &err) == FR_E_IO);
    CHECK_TEXT(err.code, "port_in_use");
    char where[32];
    snprintf(where, sizeof where, "127.0.0.1:%d", o.port);
    CHECK(strstr(err.text, where) != NULL);
    o.host = "localhost";
    CHECK(net_server_start(&o, &other, &err) == FR_E_INVALID);
    server_end();
}

static void test_stopping_lets_answers_finish(void)
{
    server_begin(plain());
    struct client idle = client_open(), busy = client_open(), half = client_open();
    client_say(&busy, "GET /later HTTP/1.1\r\n" H "\r\n");
    client_say(&half, "POST / HTTP/1.1\r\n" H "Content-Length: 2\r\n\r\n");
    CHECK(PUMP_UNTIL(kept_count == 1));
    pump_some();
    net_server_stop(test_server, 60000, test_on_stopped, NULL);
    CHECK(client_sees_end(&idle));
    client_say(&half, "hi");
    char *got = client_answer(&half);
    CHECK(answer_status(got) == 200 && strstr(got, "Connection: close") != NULL);
    net_respond(kept[0], 200, NULL, NULL, "", 0);
    got = client_answer(&busy);
    CHECK(answer_status(got) == 200 && strstr(got, "Connection: close") != NULL);
    CHECK(!test_stopped);
    client_close(&idle), client_close(&busy), client_close(&half);
    server_wait_stopped();
}

static void test_grace_ends_and_late_answers_are_harmless(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "GET /later HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H "\r\n");
    CHECK(PUMP_UNTIL(kept_count == 2));
    net_server_stop(test_server, 20, test_on_stopped, NULL);
    server_wait_stopped();
    CHECK(client_sees_end(&c));
    CHECK_INT(freed_count, 0);
    net_respond(kept[1], 200, NULL, NULL, "", 0);            // the server is gone; its memory waits for these two
    net_respond(kept[0], 200, NULL, NULL, "", 0);
    CHECK_INT(freed_count, 2);
    client_close(&c);
}

// ---- cost and shortage

static void test_a_request_allocates_nothing(void)
{
    server_begin(plain());
    struct client c = client_open();
    for (int i = 0; i < 4; i++) {
        client_say(&c, "GET /none HTTP/1.1\r\n" H "\r\n");
        client_answer(&c);
    }
    int64_t before = fr_mem_count();
    for (int i = 0; i < 100; i++) {
        client_say(&c, "GET /none HTTP/1.1\r\n" H "\r\n");
        CHECK(PUMP_UNTIL(requests_seen == 5 + i));
    }
    CHECK_INT(fr_mem_count() - before, 0);
    client_close(&c);
    server_end();
}

static void shortage_exchange(struct client *c)
{
    client_say(c, "POST /big HTTP/1.1\r\n" H "A: 1\r\nA: 2\r\nContent-Length: 3\r\n\r\nabcGET /big HTTP/1.1\r\n" H "\r\nGET /big HTTP/1.1\r\n" H "\r\nGET / HTTP/1.1\r\n\r\n");
    for (int i = 0; i < 60; i++) {
        pump();
        if (i == 30) client_receive(c);
    }
}

// Each allocation fails in turn, and all after it: the connection may end, the server stays and serves the next one.
static void test_no_memory_ends_connections_only(void)
{
    server_begin(plain());
    for (int nth = 1; nth < 16; nth++) {
        struct client c = client_open_small(4096);
        fr_mem_fail_at(nth);
        for (int i = 0; i < 60; i++) pump();
        fr_buf_init(&c.in, 1);                   // the client's own buffer must not take part
        client_say(&c, "POST /none HTTP/1.1\r\n" H "A: 1\r\nA: 2\r\nContent-Length: 3\r\n\r\nabcGET /big HTTP/1.1\r\n" H "\r\nGET /big HTTP/1.1\r\n" H "\r\nGET /big HTTP/1.1\r\n" H "\r\n");
        for (int i = 0; i < 60; i++) pump();
        fr_mem_fail_at(0);
        shortage_exchange(&c);
        client_close(&c);
        CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
        struct client next = client_open();
        client_say(&next, "GET / HTTP/1.1\r\n" H "\r\n");
        CHECK_INT(answer_status(client_answer(&next)), 200);
        client_close(&next);
        CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
    }
    server_end();
}

// Cases with bytes changed, dropped and doubled: whatever comes of it, the sanitizers are content and the next client is served.
static uint32_t mangle_seed = 1;
static uint32_t mangle_next(uint32_t below)
{
    mangle_seed = mangle_seed * 1664525u + 1013904223u;
    return (mangle_seed >> 8) % below;
}

static void mangle(struct fr_buf *b)
{
    static const char spice[] = "\r\n \t:;,/%?#\0\xff\x80" "0159aF";
    for (uint32_t n = 1 + mangle_next(3); n > 0 && b->len > 1; n--) {
        uint32_t at = mangle_next((uint32_t)b->len);
        switch (mangle_next(4)) {
        case 0: b->data[at] = spice[mangle_next(sizeof spice)]; break;
        case 1: b->data[at] = (char)mangle_next(256); break;
        case 2: memmove(b->data + at, b->data + at + 1, b->len - at - 1), b->len--; break;
        default: fr_buf_add_bytes(b, (char[]){ b->data[at] }, 1), memmove(b->data + at + 1, b->data + at, b->len - at - 1);
        }
    }
}

static void test_mangled_requests_do_no_harm(void)
{
    server_begin(plain());
    for (int round = 0; round < 4000; round++) {
        FR_AUTO_BUF(b);
        fr_buf_init(&b, 10000);
        fr_buf_add(&b, cases[mangle_next(sizeof cases / sizeof *cases)].bytes);
        fr_buf_add(&b, cases[mangle_next(sizeof cases / sizeof *cases)].bytes);
        mangle(&b);
        struct client c = client_open();
        size_t cut = mangle_next((uint32_t)b.len);
        client_send(&c, b.data, cut);
        pump();
        client_send(&c, b.data + cut, b.len - cut);
        pump_some();
        client_receive(&c);
        client_close(&c);
        while (kept_count > 0) net_respond(kept[--kept_count], 200, NULL, NULL, "", 0);
    }
    struct client c = client_open();
    client_say(&c, "GET / HTTP/1.1\r\n" H "\r\n");
    CHECK_INT(answer_status(client_answer(&c)), 200);
    client_close(&c);
    server_end();
}

int main(void)
{
    memset(big_body, 'b', sizeof big_body);
    TEST(test_every_case_whole);
    TEST(test_every_case_cut_at_every_byte);
    TEST(test_every_case_byte_by_byte);
    TEST(test_the_answer_is_exact);
    TEST(test_head_gets_the_length_and_no_body);
    TEST(test_headers_and_query_are_found);
    TEST(test_continue_is_said_when_waited_for);
    TEST(test_answers_leave_in_the_order_of_requests);
    TEST(test_a_refusal_waits_for_earlier_answers);
    TEST(test_pipelining_is_bounded);
    TEST(test_a_client_that_leaves_is_forgotten);
    TEST(test_a_half_closed_client_gets_its_answer);
    TEST(test_bounds_of_a_request);
    TEST(test_a_route_may_have_its_own_bound_of_bodies);
    TEST(test_chunk_extensions_and_trailers_are_bounded);
    TEST(test_connections_are_bounded);
    TEST(test_connections_of_one_address_are_bounded);
    TEST(test_a_slow_reader_is_not_served_ahead);
    TEST(test_slow_headers_are_refused);
    TEST(test_slow_bodies_are_refused);
    TEST(test_idle_connections_end_silently);
    TEST(test_a_reader_that_stopped_is_dropped);
    TEST(test_a_taken_port_is_named);
    TEST(test_stopping_lets_answers_finish);
    TEST(test_grace_ends_and_late_answers_are_harmless);
    TEST(test_a_request_allocates_nothing);
    TEST(test_no_memory_ends_connections_only);
    TEST(test_mangled_requests_do_no_harm);
    return TEST_END();
}
