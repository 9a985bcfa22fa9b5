// ws_test.c — RFC 6455 from outside: the handshake, then frames in every shape and cut, then time and endings.
#include "net/test_client.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "net/ws.h"

// ---- the owner: echoes, or does what the message says

static struct net_ws *sockets[8];
static int socket_count, closed_count, closed_code, messages;
static bool last_binary;
static struct net_request *held;

static void on_message(void *arg, struct net_ws *ws, const char *text, size_t len, bool binary)
{
    (void)arg;
    CHECK(text[len] == 0);
    CHECK(binary || fr_utf8_valid(text, len));
    messages++;
    last_binary = binary;
    if (len == 5 && memcmp(text, "close", 5) == 0) {
        net_ws_close(ws, 4001, "as you wish");
        net_ws_close(ws, 4002, "only the first counts");
        net_ws_send(ws, "too late", 8);
    } else if (len == 5 && memcmp(text, "three", 5) == 0) {
        for (int i = 0; i < 3; i++) net_ws_send(ws, "3", 1);
    } else {
        net_ws_send(ws, text, len);
    }
}

static void on_close(void *arg, struct net_ws *ws, int code)
{
    (void)arg, (void)ws;
    closed_count++;
    closed_code = code;
}

static const struct net_ws_hooks hooks = { on_message, on_close };

static void accept_or_refuse(struct net_request *req)
{
    char offered[64];
    struct fr_err err;
    bool has = net_ws_offered(req, "bearer.", offered, sizeof offered);
    if (net_ws_accept(req, has ? "frond.v1" : NULL, &hooks, NULL, &sockets[socket_count], &err) == FR_OK) socket_count++;
    else net_respond(req, 400, "text/plain", NULL, err.text, strlen(err.text));
}

static void on_request(void *arg, struct net_request *req)
{
    (void)arg;
    if (net_text_is(net_path(req), "/later")) held = req;
    else if (net_text_is(net_path(req), "/http")) net_respond(req, 200, NULL, NULL, "", 0);
    else accept_or_refuse(req);
}

static struct net_server_options plain(void)
{
    socket_count = closed_count = closed_code = messages = 0;
    held = NULL;
    return (struct net_server_options){ .on_request = on_request };
}

// ---- frames of a client

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define HELLO "GET /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE KEY "Sec-WebSocket-Version: 13\r\n\r\n"

static struct client ws_open_small(int receive_bytes)
{
    struct client c = client_open_small(receive_bytes);
    client_say(&c, HELLO);
    CHECK_INT(answer_status(client_answer(&c)), 101);
    return c;
}
static struct client ws_open(void) { return ws_open_small(0); }

static void put_frame(struct fr_buf *b, int first, const void *payload, size_t len)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t head[14] = { (uint8_t)first };
    size_t n = 2;
    if (len < 126) {
        head[1] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        head[1] = 0x80 | 126;
        head[2] = (uint8_t)(len >> 8);
        head[3] = (uint8_t)len;
        n = 4;
    } else {
        head[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++) head[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
        n = 10;
    }
    memcpy(head + n, mask, 4);
    fr_buf_add_bytes(b, head, n + 4);
    for (size_t i = 0; i < len; i++) fr_buf_add_char(b, (char)(((const uint8_t *)payload)[i] ^ mask[i & 3]));
}

static void say_frame(struct client *c, int first, const void *payload, size_t len)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1024 * 1024);
    put_frame(&b, first, payload, len);
    client_send(c, b.data, b.len);
}

// The next frame from the server as "OPCODE payload" ("1 hello", "8 1002"), or "end".
static const char *next_frame(struct client *c)
{
    static char text[WS_MESSAGE_BYTES_MAX + 100];
    CLIENT_UNTIL(c, c->eof || (c->in.len >= 2 && ({
        const uint8_t *h = (const uint8_t *)c->in.data;
        size_t head = (h[1] & 127) == 126 ? 4 : (h[1] & 127) == 127 ? 10 : 2, len = h[1] & 127;
        if (head == 4 && c->in.len >= 4) len = (size_t)h[2] << 8 | h[3];
        if (head == 10 && c->in.len >= 10) len = (size_t)h[6] << 24 | (size_t)h[7] << 16 | (size_t)h[8] << 8 | h[9];
        c->in.len >= head && c->in.len >= head + len;
    })));
    if (c->in.len < 2) return c->eof ? "end" : "nothing";
    const uint8_t *h = (const uint8_t *)c->in.data;
    size_t head = (h[1] & 127) == 126 ? 4 : (h[1] & 127) == 127 ? 10 : 2, len = h[1] & 127;
    if (head == 4) len = (size_t)h[2] << 8 | h[3];
    if (head == 10) len = (size_t)h[6] << 24 | (size_t)h[7] << 16 | (size_t)h[8] << 8 | h[9];
    if (c->in.len < head + len || len >= sizeof text - 20 || (h[0] & 0x70) || (h[1] & 0x80) || !(h[0] & 0x80)) return "broken";
    int n = snprintf(text, sizeof text, "%d", h[0] & 15);
    if ((h[0] & 15) == 8 && len >= 2) snprintf(text + n, sizeof text - (size_t)n, " %d", h[head] << 8 | h[head + 1]);
    else if (len > 0) {
        text[n] = ' ';
        memcpy(text + n + 1, h + head, len);
        text[(size_t)n + 1 + len] = 0;
    }
    fr_buf_consume(&c->in, head + len);
    return text;
}

// ---- the handshake

static void test_handshake_of_the_rfc(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, HELLO);
    CHECK_TEXT(client_answer(&c), "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    CHECK_INT(net_server_stats(test_server).websockets, 1);
    client_close(&c);
    CHECK(PUMP_UNTIL(closed_count == 1));
    CHECK_INT(closed_code, 1006);
    CHECK_INT(net_server_stats(test_server).websockets, 0);
    server_end();
}

static void test_what_is_no_upgrade_is_refused(void)
{
    static const char *const refused[] = {
        "GET /ws HTTP/1.1\r\nHost: x\r\n" KEY "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n" KEY "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" KEY "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n" KEY "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE KEY KEY "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!Q==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE KEY "\r\n",
        "GET /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n",
        "POST /ws HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" UPGRADE KEY "Sec-WebSocket-Version: 13\r\n\r\n",
        "GET /ws HTTP/1.0\r\nHost: x\r\n" UPGRADE KEY "Sec-WebSocket-Version: 13\r\n\r\n",
    };
    server_begin(plain());
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct client c = client_open();
        client_say(&c, refused[i]);
        CHECK_INT(answer_status(client_answer(&c)), 400);
        client_say(&c, "GET /http HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i + 1 < sizeof refused / sizeof *refused) CHECK_INT(answer_status(client_answer(&c)), 200);   // the connection goes on
        client_close(&c);
    }
    CHECK_INT(socket_count, 0);
    server_end();
}

static void test_subprotocol_is_offered_and_chosen(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "GET /ws HTTP/1.1\r\nHost: x\r\n" UPGRADE KEY "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: frond.v1 ,bearer.abc\r\n\r\n");
    CHECK(strstr(client_answer(&c), "\r\nSec-WebSocket-Protocol: frond.v1\r\n") != NULL);
    client_close(&c);
    c = client_open();
    client_say(&c, "GET /later HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Protocol: frond.v1\r\nSec-WebSocket-Protocol:  bearer.abc , x\r\n\r\n");
    CHECK(PUMP_UNTIL(held != NULL));
    char out[11];
    CHECK(net_ws_offered(held, "bearer.", out, sizeof out) && strcmp(out, "bearer.abc") == 0);
    CHECK(!net_ws_offered(held, "bearer.", out, 10));        // one byte short
    CHECK(!net_ws_offered(held, "other.", out, sizeof out));
    net_respond(held, 200, NULL, NULL, "", 0);
    client_close(&c);
    server_end();
}

static void test_frames_may_follow_the_request_at_once(void)
{
    server_begin(plain());
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 10000);
    fr_buf_add(&b, "GET /http HTTP/1.1\r\nHost: x\r\n\r\n" HELLO);
    put_frame(&b, 0x81, "early", 5);
    for (size_t cut = 1; cut < b.len; cut++) {
        struct client c = client_open();
        client_send(&c, b.data, cut);
        pump_some();
        client_send(&c, b.data + cut, b.len - cut);
        CHECK_INT(answer_status(client_answer(&c)), 200);
        CHECK_INT(answer_status(client_answer(&c)), 101);
        CHECK_TEXT(next_frame(&c), "1 early");
        client_close(&c);
        socket_count = 0;
    }
    server_end();
}

static void test_upgrade_may_be_answered_later(void)
{
    server_begin(plain());
    struct client c = client_open();
    client_say(&c, "GET /later HTTP/1.1\r\nHost: x\r\n" UPGRADE KEY "Sec-WebSocket-Version: 13\r\n\r\n");
    say_frame(&c, 0x81, "early", 5);
    CHECK(PUMP_UNTIL(held != NULL));
    pump_some();
    CHECK_INT(messages, 0);
    accept_or_refuse(held);
    CHECK_INT(answer_status(client_answer(&c)), 101);
    CHECK_TEXT(next_frame(&c), "1 early");
    client_close(&c);

    c = client_open();                           // a client that left meanwhile
    held = NULL;
    client_say(&c, "GET /later HTTP/1.1\r\nHost: x\r\n" UPGRADE KEY "Sec-WebSocket-Version: 13\r\n\r\n");
    CHECK(PUMP_UNTIL(held != NULL));
    net_server_stop(test_server, 0, test_on_stopped, NULL);
    while (!test_stopped) uv_run(&test_loop, UV_RUN_ONCE);
    accept_or_refuse(held);
    CHECK_INT(socket_count, 1);
    client_close(&c);
    server_wait_stopped();
}

// ---- frames: each case is what the client sends, and what comes back, "," between frames

struct frame { int first; const char *payload; size_t len; };
#define F(first, text) { first, text, sizeof(text) - 1 }
static char long_text[WS_MESSAGE_BYTES_MAX + 1];
static const struct { const char *name; struct frame frames[6]; const char *want; } cases[] = {
    { "text", { F(0x81, "hello") }, "1 hello" },
    { "empty text", { F(0x81, "") , F(0x81, "x") }, "1,1 x" },
    { "binary", { F(0x82, "\xff\xfe") }, "1 \xff\xfe" },
    { "125 bytes", { { 0x81, long_text, 125 } }, "=125" },
    { "126 bytes", { { 0x81, long_text, 126 } }, "=126" },
    { "the longest message", { { 0x81, long_text, WS_MESSAGE_BYTES_MAX } }, "=65536" },
    { "one byte longer", { { 0x81, long_text, WS_MESSAGE_BYTES_MAX + 1 } }, "8 1009,end" },
    { "the longest in two", { { 0x01, long_text, WS_MESSAGE_BYTES_MAX - 1 }, { 0x80, long_text, 1 } }, "=65536" },
    { "one byte longer in two", { { 0x01, long_text, WS_MESSAGE_BYTES_MAX }, { 0x80, long_text, 1 } }, "8 1009,end" },
    { "two fragments", { F(0x01, "hel"), F(0x80, "lo") }, "1 hello" },
    { "empty fragments", { F(0x01, ""), F(0x00, ""), F(0x00, "a"), F(0x80, "") }, "1 a" },
    { "only empty fragments", { F(0x01, ""), F(0x80, ""), F(0x81, "b") }, "1,1 b" },
    { "ping within a message", { F(0x01, "hel"), F(0x89, "p"), F(0x80, "lo") }, "10 p,1 hello" },
    { "ping", { F(0x89, "") }, "10" },
    { "long ping", { { 0x89, long_text, 125 } }, "=pong" },
    { "pong unasked", { F(0x8a, "x"), F(0x81, "a") }, "1 a" },
    { "ping too long", { { 0x89, long_text, 126 } }, "8 1002,end" },
    { "ping in fragments", { F(0x09, "a"), F(0x80, "b") }, "8 1002,end" },
    { "close in fragments", { F(0x08, "") }, "8 1002,end" },
    { "continuation of nothing", { F(0x80, "a") }, "8 1002,end" },
    { "a new message within one", { F(0x01, "a"), F(0x81, "b") }, "8 1002,end" },
    { "continuation after the end", { F(0x01, "a"), F(0x80, "b"), F(0x80, "c") }, "1 ab,8 1002,end" },
    { "reserved bit 1", { F(0xc1, "a") }, "8 1002,end" },
    { "reserved bit 2", { F(0xa1, "a") }, "8 1002,end" },
    { "reserved bit 3", { F(0x91, "a") }, "8 1002,end" },
    { "opcode 3", { F(0x83, "a") }, "8 1002,end" },
    { "opcode 7", { F(0x87, "a") }, "8 1002,end" },
    { "opcode 11", { F(0x8b, "a") }, "8 1002,end" },
    { "opcode 15", { F(0x8f, "a") }, "8 1002,end" },

    { "close", { F(0x88, "") }, "8,end" },
    { "close 1000", { F(0x88, "\x03\xe8") }, "8 1000,end" },
    { "close with reason", { F(0x88, "\x03\xe8" "bye \xc3\xa9") }, "8 1000,end" },
    { "close 1001", { F(0x88, "\x03\xe9") }, "8 1001,end" },
    { "close 1003", { F(0x88, "\x03\xeb") }, "8 1003,end" },
    { "close 1007", { F(0x88, "\x03\xef") }, "8 1007,end" },
    { "close 1014", { F(0x88, "\x03\xf6") }, "8 1014,end" },
    { "close 3000", { F(0x88, "\x0b\xb8") }, "8 3000,end" },
    { "close 4999", { F(0x88, "\x13\x87") }, "8 4999,end" },
    { "close one byte", { F(0x88, "\x03") }, "8 1002,end" },
    { "close 0", { F(0x88, "\x00\x00") }, "8 1002,end" },
    { "close 999", { F(0x88, "\x03\xe7") }, "8 1002,end" },
    { "close 1004", { F(0x88, "\x03\xec") }, "8 1002,end" },
    { "close 1005", { F(0x88, "\x03\xed") }, "8 1002,end" },
    { "close 1006", { F(0x88, "\x03\xee") }, "8 1002,end" },
    { "close 1015", { F(0x88, "\x03\xf7") }, "8 1002,end" },
    { "close 2999", { F(0x88, "\x0b\xb7") }, "8 1002,end" },
    { "close 5000", { F(0x88, "\x13\x88") }, "8 1002,end" },
    { "close 65535", { F(0x88, "\xff\xff") }, "8 1002,end" },
    { "close with a reason that is not UTF-8", { F(0x88, "\x03\xe8\xff") }, "8 1007,end" },
    { "close too long", { { 0x88, long_text, 126 } }, "8 1002,end" },
    { "nothing after close", { F(0x88, "\x03\xe8"), F(0x81, "a") }, "8 1000,end" },

    { "characters of 2, 3 and 4 bytes", { F(0x81, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80") }, "1 \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
    { "a character in fragments", { F(0x01, "\xf0"), F(0x00, "\x9f"), F(0x00, "\x98"), F(0x80, "\x80") }, "1 \xf0\x9f\x98\x80" },
    { "a character around a ping", { F(0x01, "a\xe2\x82"), F(0x89, ""), F(0x80, "\xac") }, "10,1 a\xe2\x82\xac" },
    { "the last code point", { F(0x81, "\xf4\x8f\xbf\xbf") }, "1 \xf4\x8f\xbf\xbf" },
    { "one past the last", { F(0x81, "\xf4\x90\x80\x80") }, "8 1007,end" },
    { "a surrogate", { F(0x81, "\xed\xa0\x80") }, "8 1007,end" },
    { "overlong slash", { F(0x81, "\xc0\xaf") }, "8 1007,end" },
    { "overlong, 3 bytes", { F(0x81, "\xe0\x80\xaf") }, "8 1007,end" },
    { "a lone continuation", { F(0x81, "a\x80") }, "8 1007,end" },
    { "a lead at the end", { F(0x81, "a\xc3") }, "8 1007,end" },
    { "a lead before a letter", { F(0x81, "\xc3" "a") }, "8 1007,end" },
    { "cut character, then a letter", { F(0x01, "\xe2\x82"), F(0x80, "a") }, "8 1007,end" },
    { "cut character, then the end", { F(0x01, "\xe2\x82"), F(0x80, "") }, "8 1007,end" },
    { "bytes that never are UTF-8", { F(0x81, "\xfe\xff") }, "8 1007,end" },
    { "not UTF-8, found before the end", { F(0x01, "\xff"), }, "8 1007,end" },
    { "overlong, found within the character", { F(0x01, "a\xe0\x80") }, "8 1007,end" },
    { "past the last, found within the character", { F(0x01, "\xf4\x90") }, "8 1007,end" },
    { "a surrogate, found in the next fragment", { F(0x01, "\xed"), F(0x00, "\xa0") }, "8 1007,end" },
};

static const char *frames_back(struct client *c, const char *want)
{
    static char got[2000];
    got[0] = 0;
    for (const char *at = want; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        const char *frame = next_frame(c);
        size_t len = strlen(frame);
        if (len > 100) snprintf(got + strlen(got), sizeof got - strlen(got), frame[1] == '0' ? "=pong" : "=%zu", len - 2);
        else snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", got[0] ? "," : "", frame);
    }
    pump_some();
    client_receive(c);
    if (c->in.len > 0) strcat(got, " and more");
    return got;
}

static void put_case(struct fr_buf *b, size_t i)
{
    for (size_t f = 0; f < sizeof cases[i].frames / sizeof cases[i].frames[0] && cases[i].frames[f].payload; f++)
        put_frame(b, cases[i].frames[f].first, cases[i].frames[f].payload, cases[i].frames[f].len);
}

static void test_every_case_whole(void)
{
    server_begin(plain());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FR_AUTO_BUF(b);
        fr_buf_init(&b, 1024 * 1024);
        put_case(&b, i);
        struct client c = ws_open();
        client_send(&c, b.data, b.len);
        const char *got = frames_back(&c, cases[i].want);
        if (strcmp(got, cases[i].want) != 0) printf("  case: %s\n", cases[i].name);
        CHECK_TEXT(got, cases[i].want);
        client_close(&c);
        socket_count = 0;
    }
    CHECK(PUMP_UNTIL(closed_count == (int)(sizeof cases / sizeof *cases)));      // each socket was closed, and once
    server_end();
}

static void test_every_short_case_cut_at_every_byte(void)
{
    server_begin(plain());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FR_AUTO_BUF(b);
        fr_buf_init(&b, 1024 * 1024);
        put_case(&b, i);
        for (size_t cut = 0; cut < b.len && b.len < 200; cut++) {
            struct client c = ws_open();
            client_send(&c, b.data, cut);
            pump_some();
            client_send(&c, b.data + cut, b.len - cut);
            const char *got = frames_back(&c, cases[i].want);
            if (strcmp(got, cases[i].want) != 0) printf("  case: %s, cut at %zu\n", cases[i].name, cut);
            CHECK_TEXT(got, cases[i].want);
            client_close(&c);
            socket_count = 0;
        }
    }
    server_end();
}

static void test_every_short_case_byte_by_byte(void)
{
    server_begin(plain());
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FR_AUTO_BUF(b);
        fr_buf_init(&b, 1024 * 1024);
        put_case(&b, i);
        if (b.len > 200) continue;
        struct client c = ws_open();
        for (size_t at = 0; at < b.len; at++) {
            client_send(&c, b.data + at, 1);
            pump();
            pump();
        }
        CHECK_TEXT(frames_back(&c, cases[i].want), cases[i].want);
        client_close(&c);
        socket_count = 0;
    }
    server_end();
}

static void test_heads_that_lie(void)
{
    static const struct { const char *name, *bytes; size_t len; const char *want; } heads[] = {
        { "no mask", "\x81\x01" "a", 3, "8 1002,end" },
        { "no mask, control", "\x89\x00", 2, "8 1002,end" },
        { "16 bits for 125", "\x81\xfe\x00\x7d\x00\x00\x00\x00", 8, "8 1002,end" },
        { "64 bits for 65535", "\x81\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00", 14, "8 1002,end" },
        { "the highest bit of the length", "\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00", 14, "8 1002,end" },
        { "a length of many gigabytes", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 14, "8 1009,end" },
        { "a long ping's head", "\x89\xfe\x00\x7e\x00\x00\x00\x00", 8, "8 1002,end" },
    };
    server_begin(plain());
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct client c = ws_open();
        client_send(&c, heads[i].bytes, heads[i].len);
        const char *got = frames_back(&c, heads[i].want);
        if (strcmp(got, heads[i].want) != 0) printf("  case: %s\n", heads[i].name);
        CHECK_TEXT(got, heads[i].want);
        client_close(&c);
        socket_count = 0;
    }
    server_end();
}

static void test_every_length_survives_unmasking(void)
{
    server_begin(plain());
    struct client c = ws_open();
    for (size_t len = 0; len < 300; len++) {
        say_frame(&c, 0x81, long_text, len);
        const char *got = next_frame(&c);
        CHECK(got[0] == '1' && strlen(got) == (len ? len + 2 : 1) && memcmp(got + 2, long_text, len) == 0);
    }
    client_close(&c);
    server_end();
}

// ---- many messages

static void test_messages_of_one_turn_leave_in_one_write(void)
{
    server_begin(plain());
    struct client c = ws_open();
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 100000);
    for (int i = 0; i < 100; i++) put_frame(&b, 0x81, "three", 5);
    client_send(&c, b.data, b.len);
    char bytes[2000];
    ssize_t n = 0;
    CHECK(PUMP_UNTIL((n = recv(c.fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0));
    CHECK_INT(n, 300 * 3);                       // whole at the first look
    client_close(&c);
    server_end();
}

static void test_a_peer_that_does_not_read_is_closed(void)
{
    struct net_server_options o = plain();
    o.ws_close_ms = 60;
    server_begin(o);
    struct client c = ws_open_small(4096);
    size_t sent = 0;
    while (net_ws_queued(sockets[0]) + sizeof long_text <= WS_SEND_QUEUE_BYTES_MAX && sent < 100u * 1024 * 1024) {
        net_ws_send(sockets[0], long_text, sizeof long_text - 1);
        sent += sizeof long_text;
        pump();
    }
    CHECK(net_ws_queued(sockets[0]) > WS_SEND_QUEUE_BYTES_MAX / 2);
    CHECK_INT(closed_count, 0);
    for (int i = 0; i < 4; i++) net_ws_send(sockets[0], long_text, sizeof long_text - 1);
    CHECK(net_ws_queued(sockets[0]) <= WS_SEND_QUEUE_BYTES_MAX);
    CHECK(PUMP_UNTIL(closed_count == 1));
    CHECK_INT(closed_code, 1013);
    client_close(&c);
    server_end();
}

static void test_a_burst_within_the_bound_arrives_whole(void)
{
    server_begin(plain());
    struct client c = ws_open_small(4096);
    for (int i = 0; i < 15; i++) net_ws_send(sockets[0], long_text, sizeof long_text - 1);
    for (int i = 0; i < 15; i++) CHECK_INT(strlen(next_frame(&c)), sizeof long_text - 1 + 2);
    client_close(&c);
    server_end();
}

// ---- time and endings

static void test_the_owner_closes(void)
{
    server_begin(plain());
    struct client c = ws_open();
    say_frame(&c, 0x81, "close", 5);
    CHECK_TEXT(next_frame(&c), "8 4001");
    say_frame(&c, 0x81, "ignored", 7);
    CHECK_INT(closed_count, 0);                  // their close frame is awaited
    say_frame(&c, 0x88, "\x0f\xa1", 2);
    CHECK_TEXT(next_frame(&c), "end");
    client_close(&c);
    CHECK(PUMP_UNTIL(closed_count == 1));
    CHECK_INT(closed_code, 4001);
    CHECK_INT(messages, 1);
    server_end();
}

static void test_a_close_that_is_not_answered_ends(void)
{
    struct net_server_options o = plain();
    o.ws_close_ms = 40;
    server_begin(o);
    struct client c = ws_open();
    net_ws_close(sockets[0], 1000, NULL);
    CHECK_TEXT(next_frame(&c), "8 1000");
    CHECK_TEXT(next_frame(&c), "end");
    CHECK(PUMP_UNTIL(closed_count == 1));
    CHECK_INT(closed_code, 1000);
    client_close(&c);
    server_end();
}

static void test_the_peers_code_is_reported(void)
{
    server_begin(plain());
    struct client c = ws_open();
    say_frame(&c, 0x88, "\x0f\xa5" "why", 5);
    CHECK_TEXT(next_frame(&c), "8 4005");
    client_close(&c);
    CHECK(PUMP_UNTIL(closed_count == 1));
    CHECK_INT(closed_code, 4005);
    c = ws_open();
    say_frame(&c, 0x88, "", 0);
    CHECK_TEXT(next_frame(&c), "8");
    client_close(&c);
    CHECK(PUMP_UNTIL(closed_count == 2));
    CHECK_INT(closed_code, 1005);
    server_end();
}

static void test_dead_peers_are_found(void)
{
    struct net_server_options o = plain();
    o.ws_ping_ms = 40;
    server_begin(o);
    struct client alive = ws_open(), dead = ws_open();
    for (int i = 0; i < 4; i++) {
        CHECK_TEXT(next_frame(&alive), "9");
        say_frame(&alive, 0x8a, "", 0);
    }
    CHECK(PUMP_UNTIL(closed_count == 1));
    CHECK_INT(closed_code, 1006);
    CHECK(client_sees_end(&dead));
    CHECK(!alive.eof);
    client_close(&alive), client_close(&dead);
    server_end();
}

static void test_stopping_says_1001(void)
{
    server_begin(plain());
    struct client polite = ws_open(), deaf = ws_open();
    net_server_stop(test_server, 50, test_on_stopped, NULL);
    CHECK_TEXT(next_frame(&polite), "8 1001");
    say_frame(&polite, 0x88, "\x03\xe9", 2);
    CHECK_TEXT(next_frame(&polite), "end");
    client_close(&polite);
    server_wait_stopped();
    CHECK_INT(closed_count, 2);
    CHECK_INT(closed_code, 1001);
    client_close(&deaf);
}

static void test_idle_sockets_are_small(void)
{
    server_begin(plain());
    struct client c = ws_open();
    int64_t before = fr_mem_count();
    say_frame(&c, 0x81, "hello", 5);
    CHECK_TEXT(next_frame(&c), "1 hello");
    int64_t first = fr_mem_count() - before;
    before = fr_mem_count();
    for (int i = 0; i < 20; i++) {
        say_frame(&c, 0x81, "hello", 5);
        CHECK_TEXT(next_frame(&c), "1 hello");
    }
    CHECK_INT(fr_mem_count() - before, 20 * first);          // the client's frame is all that is allocated
    client_close(&c);
    server_end();
}

static void test_no_memory_ends_sockets_only(void)
{
    server_begin(plain());
    for (int nth = 1; nth < 12; nth++) {
        FR_AUTO_BUF(b);
        fr_buf_init(&b, 200000);
        put_frame(&b, 0x01, long_text, 30000);
        put_frame(&b, 0x80, long_text, 30000);
        struct client c = client_open();
        fr_mem_fail_at(nth);
        client_say(&c, HELLO);
        pump_some();
        client_send(&c, b.data, b.len);
        pump_some();
        fr_mem_fail_at(0);
        client_close(&c);
        CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
        c = ws_open();
        say_frame(&c, 0x81, "hello", 5);
        CHECK_TEXT(next_frame(&c), "1 hello");
        client_close(&c);
        CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
        socket_count = 0;
    }
    server_end();
}

static void test_random_frames_do_no_harm(void)
{
    server_begin(plain());
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        FR_AUTO_BUF(b);
        fr_buf_init(&b, 1024 * 1024);
        for (int i = 0; i < 3; i++) put_case(&b, (seed = seed * 1664525u + 1013904223u, (seed >> 8) % (sizeof cases / sizeof *cases)));
        for (int i = 0; i < 2; i++) {
            seed = seed * 1664525u + 1013904223u;
            b.data[(seed >> 8) % (b.len < 64 ? b.len : 64)] ^= (char)(1 << (seed >> 29));
        }
        struct client c = ws_open();
        client_send(&c, b.data, b.len);
        pump_some();
        client_receive(&c);
        client_close(&c);
        pump_some();
        socket_count = 0;
    }
    CHECK(PUMP_UNTIL(closed_count == 2000));
    server_end();
}

int main(void)
{
    memset(long_text, 'l', sizeof long_text - 1);
    TEST(test_handshake_of_the_rfc);
    TEST(test_what_is_no_upgrade_is_refused);
    TEST(test_subprotocol_is_offered_and_chosen);
    TEST(test_frames_may_follow_the_request_at_once);
    TEST(test_upgrade_may_be_answered_later);
    TEST(test_every_case_whole);
    TEST(test_every_short_case_cut_at_every_byte);
    TEST(test_every_short_case_byte_by_byte);
    TEST(test_heads_that_lie);
    TEST(test_every_length_survives_unmasking);
    TEST(test_messages_of_one_turn_leave_in_one_write);
    TEST(test_a_peer_that_does_not_read_is_closed);
    TEST(test_a_burst_within_the_bound_arrives_whole);
    TEST(test_the_owner_closes);
    TEST(test_a_close_that_is_not_answered_ends);
    TEST(test_the_peers_code_is_reported);
    TEST(test_dead_peers_are_found);
    TEST(test_stopping_says_1001);
    TEST(test_idle_sockets_are_small);
    TEST(test_no_memory_ends_sockets_only);
    TEST(test_random_frames_do_no_harm);
    return TEST_END();
}
