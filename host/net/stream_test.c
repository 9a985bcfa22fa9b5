// stream_test.c — answers in pieces, seen from outside: framing, order, readers that are slow or stop or leave, endings.
#include "net/test_client.h"
#include "base/limits.h"

struct held { struct net_request *req; int gone, drained; bool streaming; };
static struct held held[64];
static int held_count;
static bool end_when_gone;

static void on_gone(void *arg)
{
    struct held *h = arg;
    h->gone++;
    CHECK(net_request_left(h->req));
    if (!end_when_gone) return;
    if (h->streaming) net_stream_end(h->req);
    else net_respond(h->req, 200, NULL, NULL, "", 0);
    h->req = NULL;
}
static void on_drained(void *arg) { ((struct held *)arg)->drained++; }

static void on_request(void *arg, struct net_request *req)
{
    (void)arg;
    if (net_text_is(net_path(req), "/now")) {
        net_respond(req, 200, "text/plain", NULL, "now", 3);
        return;
    }
    struct held *h = &held[held_count++];
    *h = (struct held){ .req = req };
    if (net_text_is(net_path(req), "/unwatched")) return;
    net_request_watch(req, &(struct net_watch){ on_gone, on_drained, h });
}

static struct net_server_options plain(void)
{
    held_count = 0;
    end_when_gone = true;
    return (struct net_server_options){ .on_request = on_request };
}

static struct held *hold(struct client *c, const char *bytes)
{
    int before = held_count;
    client_say(c, bytes);
    CHECK(PUMP_UNTIL(held_count > before));
    return &held[before];
}

static void begin(struct held *h)
{
    h->streaming = true;
    net_stream_begin(h->req, 200, "text/event-stream", "X-Test: yes\r\n");
}

static void say(struct held *h, const char *text) { CHECK(net_stream_write(h->req, text, strlen(text))); }
static void end(struct held *h) { net_stream_end(h->req); h->req = NULL; }

static bool has(struct client *c, const char *text) { return CLIENT_UNTIL(c, c->in.data && memmem(c->in.data, c->in.len, text, strlen(text)) != NULL); }

// What came, without what changes; and takes it off.
static const char *all(struct client *c)
{
    static char text[4000];
    pump_some();
    client_receive(c);
    size_t len = c->in.len < sizeof text ? c->in.len : sizeof text - 1;
    memcpy(text, c->in.data ? c->in.data : "", len);
    text[len] = 0;
    for (char *date = strstr(text, "\r\nDate: "); date; date = strstr(date + 8, "\r\nDate: ")) memset(date + 8, 'd', 29);
    fr_buf_consume(&c->in, c->in.len);
    return text;
}

#define H "Host: x\r\n"
#define HEAD_OF(lines) "HTTP/1.1 200 OK\r\nDate: ddddddddddddddddddddddddddddd" lines "\r\nContent-Type: text/event-stream"

// ---- framing

static void test_pieces_leave_as_chunks_when_they_are_written(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\n");
    begin(h);
    CHECK_TEXT(all(&c), HEAD_OF("") "\r\nTransfer-Encoding: chunked\r\nX-Test: yes\r\n\r\n");
    say(h, "hello");
    CHECK_TEXT(all(&c), "5\r\nhello\r\n");
    CHECK(net_stream_write(h->req, "", 0));              // an empty chunk would be the end
    say(h, "0123456789abcdef!");
    CHECK_TEXT(all(&c), "11\r\n0123456789abcdef!\r\n");
    end(h);
    CHECK_TEXT(all(&c), "0\r\n\r\n");
    client_say(&c, "GET /now HTTP/1.1\r\n" H "\r\n");
    CHECK_INT(answer_status(client_answer(&c)), 200);    // the connection goes on
    client_close(&c);
    server_end();
}

static void test_the_old_version_reads_until_the_end(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *h = hold(&c, "GET /s HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /now HTTP/1.0\r\n\r\n");
    begin(h);
    say(h, "one");
    say(h, "two");
    end(h);
    CHECK(client_sees_end(&c));
    CHECK_TEXT(all(&c), HEAD_OF("\r\nConnection: close") "\r\nX-Test: yes\r\n\r\nonetwo");
    client_close(&c);
    server_end();
}

static void test_head_gets_the_head(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *h = hold(&c, "HEAD /s HTTP/1.1\r\n" H "\r\nGET /now HTTP/1.1\r\n" H "\r\n");
    begin(h);
    say(h, "nobody reads this");
    end(h);
    CHECK(strstr(client_answer_to(&c, true), "Transfer-Encoding: chunked\r\n") != NULL);
    CHECK_TEXT(answer_body(client_answer(&c)), "now");
    client_close(&c);
    server_end();
}

static void test_a_client_that_closes_is_told_so(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "Connection: close\r\n\r\n");
    begin(h);
    CHECK_TEXT(all(&c), HEAD_OF("\r\nConnection: close") "\r\nTransfer-Encoding: chunked\r\nX-Test: yes\r\n\r\n");
    end(h);
    CHECK(client_sees_end(&c));
    CHECK_TEXT(all(&c), "0\r\n\r\n");
    client_close(&c);
    server_end();
}

static void test_a_stream_that_breaks_off_has_no_end(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\nGET /now HTTP/1.1\r\n" H "\r\n");
    begin(h);
    all(&c);
    say(h, "half");
    net_stream_break(h->req);
    CHECK(client_sees_end(&c));
    CHECK_TEXT(all(&c), "4\r\nhalf\r\n");                // neither an end nor the answer behind it
    client_close(&c);
    server_end();
}

// ---- order

static void test_a_stream_keeps_its_place_in_the_line(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *first = hold(&c, "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\nGET /now HTTP/1.1\r\n" H "\r\nGET /3 HTTP/1.1\r\n" H "\r\n");
    CHECK(PUMP_UNTIL(held_count == 3));
    struct held *second = first + 1, *third = first + 2;
    begin(second);
    say(second, "two");
    begin(third);
    say(third, "three");
    end(third);
    CHECK_TEXT(all(&c), "");
    begin(first);
    say(first, "one");
    CHECK_TEXT(all(&c), HEAD_OF("") "\r\nTransfer-Encoding: chunked\r\nX-Test: yes\r\n\r\n3\r\none\r\n");
    end(first);
    CHECK_TEXT(all(&c), "0\r\n\r\n" HEAD_OF("") "\r\nTransfer-Encoding: chunked\r\nX-Test: yes\r\n\r\n3\r\ntwo\r\n");
    say(second, "too");
    CHECK_TEXT(all(&c), "3\r\ntoo\r\n");
    end(second);
    CHECK(has(&c, "5\r\nthree\r\n0\r\n\r\n"));
    CHECK(memmem(c.in.data, c.in.len, "\r\n\r\nnow", 7) != NULL);
    client_close(&c);
    server_end();
}

// ---- readers

static char piece[8 * 1024];

// Writes until it is told to pause; the bytes written.
static size_t fill(struct held *h, int most)
{
    size_t total = 0;
    for (int i = 0; i < most; i++) {
        total += sizeof piece;
        if (!net_stream_write(h->req, piece, sizeof piece)) return total;
        pump();
    }
    return 0;
}

static void test_a_slow_reader_pauses_its_stream(void)
{
    server_begin(plain());
    struct client c = client_open_small(4096);
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\n");
    begin(h);
    size_t total = fill(h, 4000);
    CHECK(total > HTTP_STREAM_QUEUE_BYTES_MAX);          // else 32 MB went into the kernel
    for (int i = 0; i < 50; i++) pump();
    CHECK_INT(h->drained, 0);
    CHECK_INT(h->gone, 0);
    CHECK(CLIENT_UNTIL(&c, h->drained == 1));
    pump_some();
    CHECK_INT(h->drained, 1);                            // once
    total += fill(h, 4000);
    CHECK(CLIENT_UNTIL(&c, h->drained == 2));
    end(h);
    CHECK(has(&c, "\r\n0\r\n\r\n"));
    CHECK(c.in.len > total);
    client_close(&c);
    server_end();
}

// It waits behind another answer: what it may hold meanwhile is bounded too.
static void test_a_stream_in_waiting_is_paused(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *first = hold(&c, "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\n"), *second = first + 1;
    CHECK(PUMP_UNTIL(held_count == 2));
    begin(second);
    size_t total = fill(second, 100);
    CHECK_INT(total, HTTP_STREAM_QUEUE_BYTES_MAX);       // with the head and the framing it is over
    CHECK_INT(second->drained, 0);
    net_respond(first->req, 200, NULL, NULL, "", 0);
    CHECK(CLIENT_UNTIL(&c, second->drained == 1));
    end(second);
    CHECK(has(&c, "\r\n0\r\n\r\n"));
    client_close(&c);
    server_end();
}

static void test_whoever_does_not_pause_loses_the_connection(void)
{
    server_begin(plain());
    struct client c = client_open_small(4096);
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\n");
    begin(h);
    for (int i = 0; i < 4000 && !h->gone; i++) {
        FR_IGNORE(net_stream_write(h->req, piece, sizeof piece) ? FR_OK : FR_E_LIMIT);     // on purpose
        pump();
    }
    CHECK(PUMP_UNTIL(h->gone == 1));
    CHECK_INT(net_server_stats(test_server).connections, 0);
    client_close(&c);
    server_end();
}

static void test_a_reader_that_stopped_is_dropped_and_a_slow_one_is_not(void)
{
    struct net_server_options o = plain();
    o.write_stall_ms = 200;
    server_begin(o);
    struct client c = client_open_small(4096);
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\n");
    begin(h);
    CHECK(fill(h, 4000) > 0);
    uint64_t begun = uv_hrtime();
    while (uv_hrtime() - begun < 800000000ull) {         // takes a little now and then; its queue is filled up each time, so it never looks shorter
        static char some[64 * 1024];                     // slower than it is written to: its queue is never empty
        if (recv(c.fd, some, sizeof some, MSG_DONTWAIT) < 0 || h->drained == 0) poll(NULL, 0, 1);
        pump();
        if (h->drained > 0) h->drained = 0, fill(h, 4000);
    }
    CHECK_INT(h->gone, 0);
    CHECK(PUMP_UNTIL(h->gone == 1));                     // and now takes nothing
    client_close(&c);
    server_end();
}

static void leaves(const char *request, bool streams, bool only_half)
{
    struct client c = client_open();
    struct held *h = hold(&c, request);
    if (streams) begin(h), say(h, "begun");
    pump_some();
    CHECK_INT(h->gone, 0);
    if (only_half) shutdown(c.fd, SHUT_WR);
    else client_close(&c);
    CHECK(PUMP_UNTIL(h->gone == 1));
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
    client_close(&c);
}

static void test_who_leaves_is_noticed_at_once(void)
{
    server_begin(plain());
    leaves("GET /s HTTP/1.1\r\n" H "\r\n", true, false);
    leaves("GET /s HTTP/1.1\r\n" H "\r\n", false, false);
    leaves("GET /s HTTP/1.1\r\n" H "Connection: close\r\n\r\n", true, false);
    leaves("GET /s HTTP/1.1\r\n" H "Connection: close\r\n\r\n", false, false);
    leaves("GET /s HTTP/1.0\r\n\r\n", true, false);
    leaves("POST /s HTTP/1.1\r\n" H "Connection: close\r\nContent-Length: 2\r\n\r\nhi and more that nobody asked for", false, false);
    leaves("GET /s HTTP/1.1\r\n" H "\r\n", true, true);
    leaves("GET /s HTTP/1.1\r\n" H "\r\n", false, true);
    server_end();
}

static void test_who_is_not_watched_may_close_its_half(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *h = hold(&c, "GET /unwatched HTTP/1.1\r\n" H "\r\n");
    shutdown(c.fd, SHUT_WR);
    pump_some();
    begin(h);
    say(h, "still");
    end(h);
    CHECK(client_sees_end(&c));
    CHECK(strstr(all(&c), "5\r\nstill\r\n0\r\n\r\n") != NULL);
    client_close(&c);
    server_end();
}

static void test_everybody_in_the_line_hears_of_it(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *first = hold(&c, "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\nGET /3 HTTP/1.1\r\n" H "\r\n");
    CHECK(PUMP_UNTIL(held_count == 3));
    begin(first);
    begin(first + 1);
    client_close(&c);
    CHECK(PUMP_UNTIL(first[0].gone + first[1].gone + first[2].gone == 3));
    server_end();
}

static void test_what_is_written_to_nobody_goes_nowhere(void)
{
    server_begin(plain());
    end_when_gone = false;
    struct client c = client_open();
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\n");
    begin(h);
    client_close(&c);
    CHECK(PUMP_UNTIL(h->gone == 1));
    for (int i = 0; i < 100; i++) CHECK(net_stream_write(h->req, piece, sizeof piece));
    pump_some();
    CHECK_INT(h->gone, 1);
    end(h);

    c = client_open();
    h = hold(&c, "GET /unwatched HTTP/1.1\r\n" H "\r\n");        // it leaves before its owner comes to it
    client_close(&c);
    pump_some();
    net_request_watch(h->req, &(struct net_watch){ on_gone, on_drained, h });
    CHECK_INT(h->gone, 0);
    CHECK(PUMP_UNTIL(h->gone == 1));
    begin(h);
    say(h, "x");
    end(h);

    c = client_open();
    h = hold(&c, "GET /unwatched HTTP/1.1\r\n" H "\r\n");
    struct linger reset = { .l_onoff = 1 };
    setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    client_close(&c);
    CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
    net_request_watch(h->req, &(struct net_watch){ on_gone, on_drained, h });
    CHECK_INT(h->gone, 0);
    CHECK(PUMP_UNTIL(h->gone == 1));
    net_respond(h->req, 200, NULL, NULL, "", 0);
    server_end();
}

// ---- the server's end

static void test_stopping_lets_streams_end(void)
{
    server_begin(plain());
    struct client c = client_open();
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\n");
    begin(h);
    net_server_stop(test_server, 60000, test_on_stopped, NULL);
    pump_some();
    say(h, "last");
    CHECK_INT(h->gone, 0);
    end(h);
    CHECK(client_sees_end(&c));
    CHECK(strstr(all(&c), "4\r\nlast\r\n0\r\n\r\n") != NULL);
    client_close(&c);
    server_wait_stopped();
}

static void test_grace_ends_for_streams_too(void)
{
    server_begin(plain());
    end_when_gone = false;
    struct client c = client_open();
    struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\nGET /later HTTP/1.1\r\n" H "\r\n");
    CHECK(PUMP_UNTIL(held_count == 2));
    begin(h);
    net_server_stop(test_server, 20, test_on_stopped, NULL);
    server_wait_stopped();
    CHECK_INT(h[0].gone, 1);
    CHECK_INT(h[1].gone, 1);
    CHECK(net_stream_write(h->req, "x", 1));             // the server is gone; its memory waits for these two
    end(h);
    net_respond(h[1].req, 200, NULL, NULL, "", 0);
    client_close(&c);
}

// ---- shortage

static void test_no_memory_ends_the_connection_only(void)
{
    server_begin(plain());
    for (int nth = 1; nth < 8; nth++) {
        struct client c = client_open_small(4096);
        struct held *h = hold(&c, "GET /s HTTP/1.1\r\n" H "\r\n");
        fr_mem_fail_at(nth);
        begin(h);
        for (int i = 0; i < 200 && h->req; i++) {
            FR_IGNORE(net_stream_write(h->req, piece, sizeof piece) ? FR_OK : FR_E_LIMIT);     // until it breaks
            pump();
        }
        fr_mem_fail_at(0);
        if (h->req) end(h);
        client_close(&c);
        CHECK(PUMP_UNTIL(net_server_stats(test_server).connections == 0));
    }
    server_end();
}

int main(void)
{
    memset(piece, 'p', sizeof piece);
    TEST(test_pieces_leave_as_chunks_when_they_are_written);
    TEST(test_the_old_version_reads_until_the_end);
    TEST(test_head_gets_the_head);
    TEST(test_a_client_that_closes_is_told_so);
    TEST(test_a_stream_that_breaks_off_has_no_end);
    TEST(test_a_stream_keeps_its_place_in_the_line);
    TEST(test_a_slow_reader_pauses_its_stream);
    TEST(test_a_stream_in_waiting_is_paused);
    TEST(test_whoever_does_not_pause_loses_the_connection);
    TEST(test_a_reader_that_stopped_is_dropped_and_a_slow_one_is_not);
    TEST(test_who_leaves_is_noticed_at_once);
    TEST(test_who_is_not_watched_may_close_its_half);
    TEST(test_everybody_in_the_line_hears_of_it);
    TEST(test_what_is_written_to_nobody_goes_nowhere);
    TEST(test_stopping_lets_streams_end);
    TEST(test_grace_ends_for_streams_too);
    TEST(test_no_memory_ends_the_connection_only);
    return TEST_END();
}
