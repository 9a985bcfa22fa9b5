// sse_test.c — events on the wire, heartbeats, and the log that lets a client go on where its line broke.
#include "net/test_client.h"
#include "base/limits.h"
#include "net/sse.h"

static struct net_request *last_request;
static struct net_sse *stream;
static int gone;
static uint64_t from;
static bool from_ok;

static void on_gone(void *arg)
{
    (void)arg;
    gone++;
    net_sse_end(stream, false);
    stream = NULL;
}

static void on_request(void *arg, struct net_request *req)
{
    (void)arg;
    last_request = req;
    from = 99;
    from_ok = net_events_from(req, 7, &from);
    stream = net_sse_begin(req, &test_loop, "X-Test: yes\r\n", &(struct net_watch){ .gone = on_gone });
}

static struct net_server_options plain(void)
{
    gone = 0;
    stream = NULL;
    return (struct net_server_options){ .on_request = on_request };
}

#define GET "GET /s HTTP/1.1\r\nHost: x\r\n"
static struct client ask(const char *bytes)
{
    struct client c = client_open();
    stream = NULL;
    client_say(&c, bytes);
    CHECK(CLIENT_UNTIL(&c, stream && c.in.data && strstr(c.in.data, "\r\n\r\n")));
    return c;
}

// The body, chunks taken apart.
static const char *body(struct client *c)
{
    static char text[4000];
    size_t to = 0;
    pump_some();
    client_receive(c);
    const char *at = strstr(c->in.data, "\r\n\r\n") + 4, *end = c->in.data + c->in.len;
    while (at < end) {
        char *stop;
        size_t len = strtoul(at, &stop, 16);
        if (len == 0 || to + len >= sizeof text) break;
        memcpy(text + to, stop + 2, len);
        to += len;
        at = stop + 2 + len + 2;
    }
    text[to] = 0;
    return text;
}

static void test_events_are_written_as_the_standard_says(void)
{
    server_begin(plain());
    struct client c = ask(GET "\r\n");
    CHECK(strstr(c.in.data, "\r\nContent-Type: text/event-stream; charset=utf-8\r\n") != NULL);
    CHECK(strstr(c.in.data, "\r\nCache-Control: no-store\r\n") != NULL);
    CHECK(strstr(c.in.data, "\r\nX-Test: yes\r\n") != NULL);
    CHECK(net_sse_send(stream, NULL, NULL, "[DONE]", 6));
    CHECK(net_sse_send(stream, "7", "delta", "{}", 2));
    CHECK(net_sse_send(stream, "", "", "a\nb\r\nc\rd\n", 9));
    CHECK(net_sse_send(stream, NULL, NULL, "", 0));
    CHECK(net_sse_comment(stream, "x"));
    CHECK_TEXT(body(&c), "data: [DONE]\n\nid: 7\nevent: delta\ndata: {}\n\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\ndata: \n\n:x\n\n");
    net_sse_end(stream, false);
    CHECK(CLIENT_UNTIL(&c, strstr(c.in.data, "\r\n0\r\n\r\n") != NULL));
    client_close(&c);
    server_end();
}

static void test_a_silent_stream_has_a_pulse(void)
{
    server_begin(plain());
    struct client c = ask(GET "\r\n");
    CHECK_TEXT(body(&c), "");                            // time is libuv's: what would take half a minute is done by hand
    net_sse_pulse_for_test(stream);
    net_sse_pulse_for_test(stream);
    CHECK_TEXT(body(&c), ":\n\n");
    net_sse_send(stream, NULL, NULL, "x", 1);
    net_sse_pulse_for_test(stream);
    CHECK_TEXT(body(&c), ":\n\ndata: x\n\n");
    client_close(&c);
    CHECK(PUMP_UNTIL(gone == 1));
    server_end();
}

static void test_no_memory_breaks_the_line_and_not_the_event(void)
{
    server_begin(plain());
    struct client c = ask(GET "\r\n");
    fr_mem_fail_at(1);
    net_sse_send(stream, NULL, NULL, "lost", 4);
    fr_mem_fail_at(0);
    CHECK(PUMP_UNTIL(gone == 1));
    client_close(&c);
    server_end();
}

static void test_where_to_go_on_is_a_number_that_was_given(void)
{
    server_begin(plain());
    static const struct { const char *header; bool ok; uint64_t from; } cases[] = {
        { "", true, 0 }, { "Last-Event-ID: 7\r\n", true, 7 }, { "Last-Event-ID: 0\r\n", true, 0 }, { "Last-Event-ID: 8\r\n", false, 99 }, { "Last-Event-ID: x\r\n", false, 99 },
        { "Last-Event-ID: -1\r\n", false, 99 }, { "Last-Event-ID: 18446744073709551616\r\n", false, 99 }, { "Last-Event-ID: 1\r\nLast-Event-ID: 2\r\n", false, 99 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[200];
        snprintf(bytes, sizeof bytes, GET "%s\r\n", cases[i].header);
        struct client c = ask(bytes);
        CHECK_INT(from_ok, cases[i].ok);
        CHECK_INT(from, cases[i].from);
        net_sse_end(stream, false);
        client_close(&c);
    }
    server_end();
}

// ---- the log

static void test_the_log_gives_back_what_was_put_in(void)
{
    struct net_events *e = net_events_new(10000);
    const char *event, *data;
    size_t len;
    CHECK_INT(net_events_last(e), 0);
    CHECK(net_events_has(e, 0) && !net_events_has(e, 1));
    CHECK(!net_events_next(e, 0, &event, &data, &len));
    CHECK_INT(net_events_add(e, NULL, "one", 3), 1);
    CHECK_INT(net_events_add(e, "end", "", 0), 2);
    CHECK(net_events_next(e, 0, &event, &data, &len) && strcmp(event, "") == 0 && len == 3 && memcmp(data, "one", 3) == 0);
    CHECK(net_events_next(e, 1, &event, &data, &len) && strcmp(event, "end") == 0 && len == 0);
    CHECK(!net_events_next(e, 2, &event, &data, &len));
    net_events_free(e);
    net_events_free(NULL);
}

static void test_the_log_forgets_the_oldest(void)
{
    struct net_events *e = net_events_new(1000);
    char data[100];
    memset(data, 'd', sizeof data);
    for (int i = 0; i < 50; i++) net_events_add(e, "x", data, sizeof data);
    CHECK_INT(net_events_last(e), 50);
    CHECK(!net_events_has(e, 0) && net_events_has(e, 50) && !net_events_has(e, 51));
    int kept = 0;
    for (uint64_t at = 0; at <= 50; at++) kept += net_events_has(e, at);
    CHECK(kept > 2 && kept < 12);
    const char *event, *got;
    size_t len;
    uint64_t oldest = 50;
    while (net_events_has(e, oldest - 1)) oldest--;
    CHECK(net_events_next(e, oldest, &event, &got, &len) && len == sizeof data);
    char large[2000] = { 0 };
    net_events_add(e, NULL, large, sizeof large);        // one step past the bound: nothing is kept, and that is known
    CHECK(!net_events_has(e, 50) && net_events_has(e, 51));
    CHECK_INT(net_events_add(e, NULL, "x", 1), 52);
    CHECK(net_events_has(e, 51) && net_events_next(e, 51, &event, &got, &len) && len == 1);
    fr_mem_fail_at(1);
    CHECK_INT(net_events_add(e, NULL, "x", 1), 53);
    fr_mem_fail_at(0);
    CHECK(!net_events_has(e, 52) && net_events_has(e, 53));
    net_events_free(e);
}

int main(void)
{
    TEST(test_events_are_written_as_the_standard_says);
    TEST(test_a_silent_stream_has_a_pulse);
    TEST(test_no_memory_breaks_the_line_and_not_the_event);
    TEST(test_where_to_go_on_is_a_number_that_was_given);
    TEST(test_the_log_gives_back_what_was_put_in);
    TEST(test_the_log_forgets_the_oldest);
    return TEST_END();
}
