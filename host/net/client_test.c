// client_test.c — what client.h promises, against a server that lies, drips, hangs and ends early (client_world.h).
#include "net/client_world.h"

static void test_a_call_and_its_answer(void)
{
    client_begin((struct net_client_options){ 0 });
    EXPECT_BODY(call((struct net_ask){ 0 }, "/ok"), 200, "hello");
    CHECK_TEXT(got.one, "first");
    CHECK_INT(got.attempts, 1);
    EXPECT_BODY(call((struct net_ask){ 0 }, "/interim"), 200, "hello");
    CHECK_TEXT(got.one, "");                    // the interim answer's headers are not the answer's
    EXPECT_BODY(call((struct net_ask){ 0 }, "/status/404"), 404, "status");
    struct net_pair headers[] = { { "X-A", "one" }, { "x-empty", "" }, { "Authorization", "Bearer " SECRET } };
    call((struct net_ask){ .method = "POST", .headers = headers, .header_count = 3, .body = "{\"a\":1}", .body_len = 7 }, "/echo?key=" SECRET "#fragment");
    CHECK(got.http_status == 200 && strncmp(got.body.data, "POST /echo?key=" SECRET " HTTP/1.1\r\nHost: 127.0.0.1:", 50) == 0);
    CHECK(strstr(got.body.data, "\r\nX-A: one\r\n") && strstr(got.body.data, "\r\nx-empty:\r\n") && strstr(got.body.data, "\r\n\r\n{\"a\":1}"));
    CHECK(strstr(got.body.data, "\r\nUser-Agent: frond/") && !strcasestr(got.body.data, "Expect:") && !strcasestr(got.body.data, "Content-Type:") && !strcasestr(got.body.data, "Accept-Encoding"));
    call((struct net_ask){ .method = "PATCH" }, "/echo");
    CHECK(got.http_status == 200 && strncmp(got.body.data, "PATCH /echo ", 12) == 0 && strstr(got.body.data, "Content-Length: 0"));
    call((struct net_ask){ .method = "DELETE" }, "/echo");
    CHECK(got.http_status == 200 && strncmp(got.body.data, "DELETE /echo ", 13) == 0);
    struct net_client_stats s = net_client_stats(client);
    CHECK(s.started == 6 && s.succeeded == 6 && s.connections == 2 && accepted == 2 && s.bytes_out == 7 && s.running == 0 && s.waiting == 0);     // PATCH without a body: a new one
    client_end();
}

static void test_what_is_refused_before_anything_is_sent(void)
{
    static char long_url[CLIENT_URL_BYTES_MAX + 2], big[CLIENT_BODY_BYTES_MAX + 1], long_value[CLIENT_HEADER_BYTES_MAX];
    client_begin((struct net_client_options){ 0 });
    static const char *const urls[] = { "", "x", "127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http:///x", "http://u:p@127.0.0.1/", "http://127.0.0.1:0/", "http://127.0.0.1:65536/",
                                        "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y", "http://\xc3\xbc.test/", "http://[fe80::1%25lo]/", "http://[::1/", "gopher://127.0.0.1/", "HTTP//x" };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        call((struct net_ask){ .url = urls[i] }, "");
        if (got.done != -1) printf("  %s\n", urls[i]);
        EXPECT_FAIL(&got, FR_E_INVALID, "client_url");
    }
    memset(long_url, 'a', sizeof long_url - 1);
    memcpy(long_url, "http://127.0.0.1:1/", 19);
    EXPECT_FAIL(call((struct net_ask){ .url = long_url }, ""), FR_E_INVALID, "client_url");
    long_url[CLIENT_URL_BYTES_MAX] = 0;
    EXPECT_FAIL(call((struct net_ask){ .url = long_url }, ""), FR_E_BUSY, "client_unreachable");
    static const struct net_pair bad[] = { { "", "x" }, { "a b", "x" }, { "a:", "x" }, { "a\r\nb", "x" }, { "X", "a\r\nB: c" }, { "X", "a\nb" }, { "X", "\x7f" }, { "Host", "x" }, { "content-LENGTH", "1" },
                                           { "Transfer-Encoding", "chunked" }, { "Connection", "close" }, { "Proxy-Authorization", "x" }, { "Expect", "100-continue" } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) EXPECT_FAIL(call((struct net_ask){ .headers = &bad[i], .header_count = 1 }, "/ok"), FR_E_INVALID, "client_header");
    struct net_pair many[CLIENT_HEADERS_MAX + 1];
    for (int i = 0; i <= CLIENT_HEADERS_MAX; i++) many[i] = (struct net_pair){ "X", "y" };
    EXPECT_FAIL(call((struct net_ask){ .headers = many, .header_count = CLIENT_HEADERS_MAX + 1 }, "/ok"), FR_E_LIMIT, "client_request_too_large");
    EXPECT_BODY(call((struct net_ask){ .headers = many, .header_count = CLIENT_HEADERS_MAX }, "/ok"), 200, "hello");
    memset(long_value, 'v', sizeof long_value - 1);
    many[0].value = long_value + 4;             // name, ": ", value and the line's end
    EXPECT_BODY(call((struct net_ask){ .headers = many, .header_count = 1 }, "/ok"), 200, "hello");
    many[0].value = long_value + 3;
    EXPECT_FAIL(call((struct net_ask){ .headers = many, .header_count = 1 }, "/ok"), FR_E_LIMIT, "client_request_too_large");
    EXPECT_FAIL(call((struct net_ask){ .method = "POST", .body = big, .body_len = sizeof big }, "/ok"), FR_E_LIMIT, "client_request_too_large");
    EXPECT_BODY(call((struct net_ask){ .method = "POST", .body = big, .body_len = sizeof big - 1 }, "/ok"), 200, "hello");
    static const struct net_ask nonsense[] = { { .method = "get" }, { .method = "CONNECT" }, { .method = "TRACE" }, { .method = "G ET" }, { .body = "x", .body_len = 1 }, { .retries = CLIENT_RETRIES_MAX + 1 }, { .retries = -1 },
        { .redirects = CLIENT_REDIRECTS_MAX + 1 }, { .total_ms = CLIENT_MS_MAX + 1 }, { .idle_ms = -1 }, { .connect_ms = -1 }, { .answer_bytes_max = CLIENT_ANSWER_BYTES_MAX + 1 },
        { .answer_bytes_max = CLIENT_STREAM_BYTES_MAX + 1, .on_bytes = on_bytes }, { .unix_path = "relative" }, { .unix_path = "/run/x", .public_only = true } };
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) EXPECT_FAIL(call(nonsense[i], "/ok"), FR_E_INVALID, "client_request");
    client_end();
}

static void test_deadlines(void)
{
    client_begin((struct net_client_options){ 0 });
    EXPECT_FAIL(call((struct net_ask){ .idle_ms = 80 }, "/silent"), FR_E_TIMEOUT, "client_idle");
    EXPECT_FAIL(call((struct net_ask){ .idle_ms = 80 }, "/slow-line"), FR_E_TIMEOUT, "client_idle");
    EXPECT_FAIL(call((struct net_ask){ .total_ms = 600, .idle_ms = 400 }, "/slow-headers"), FR_E_TIMEOUT, "client_timeout");
    EXPECT_FAIL(call((struct net_ask){ .total_ms = 600, .idle_ms = 400 }, "/drip/1000"), FR_E_TIMEOUT, "client_timeout");
    EXPECT_FAIL(call((struct net_ask){ .idle_ms = 80 }, "/endless-chunk-extension"), FR_E_TIMEOUT, "client_idle");
    EXPECT_FAIL(call((struct net_ask){ .method = "POST", .idle_ms = 50 }, "/silent"), FR_E_UNKNOWN, "client_idle");          // it may have happened
    EXPECT_FAIL(call((struct net_ask){ .method = "POST", .total_ms = 50 }, "/silent"), FR_E_UNKNOWN, "client_timeout");
    EXPECT_FAIL(call((struct net_ask){ .method = "POST", .idle_ms = 50, .retry_safe = true }, "/silent"), FR_E_TIMEOUT, "client_idle");
    EXPECT_BODY(call((struct net_ask){ .idle_ms = 5000 }, "/drip/10"), 200, "dddddddddd");
    client_end();
}

static void test_a_listener_that_never_accepts_and_one_that_is_not_there(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    char url[100];
    client_begin((struct net_client_options){ 0 });
    int fd = socket(AF_INET, SOCK_STREAM, 0), fill[8];
    CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 0) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    for (int i = 0; i < 8; i++) {               // the queue of the kernel is full: further SYNs are dropped
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fill[i], (struct sockaddr *)&at, sizeof at);
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    EXPECT_FAIL(call((struct net_ask){ .url = url, .connect_ms = 100 }, ""), FR_E_BUSY, "client_unreachable");
    EXPECT_FAIL(call((struct net_ask){ .url = url, .connect_ms = 100, .method = "POST" }, ""), FR_E_BUSY, "client_unreachable");       // nothing was sent
    for (int i = 0; i < 8; i++) close(fill[i]);
    close(fd);
    EXPECT_FAIL(call((struct net_ask){ .url = url }, ""), FR_E_BUSY, "client_unreachable");
    EXPECT_FAIL(call((struct net_ask){ .url = "http://localhost/", .unix_path = "/nonexistent/socket" }, ""), FR_E_BUSY, "client_unreachable");
    client_end();
}

static void test_answers_that_lie_or_end_early(void)
{
    client_begin((struct net_client_options){ 0 });
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/short"), FR_E_IO, "client_closed");
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/short-chunk"), FR_E_IO, "client_closed");
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/close"), FR_E_IO, "client_closed");
    EXPECT_FAIL(call((struct net_ask){ .method = "POST", .body = "x", .body_len = 1 }, "/close"), FR_E_UNKNOWN, "client_closed");
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/garbage"), FR_E_IO, "client_nonsense");
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/http09"), FR_E_IO, "client_nonsense");
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/nul-header"), FR_E_IO, "client_nonsense");
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/switch"), FR_E_IO, "client_nonsense");
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/two-lengths"), FR_E_IO, "client_closed");
    EXPECT_BODY(call((struct net_ask){ 0 }, "/two-answers"), 200, "hello");
    EXPECT_BODY(call((struct net_ask){ 0 }, "/status/201"), 201, "status");     // what came behind the answer is not the next one's
    struct net_client_stats s = net_client_stats(client);
    CHECK(s.failed[NET_FAIL_CLOSED] == 5 && s.failed[NET_FAIL_NONSENSE] == 4);
    client_end();
}

static void test_one_step_past_each_bound_of_an_answer(void)
{
    char path[64];
    client_begin((struct net_client_options){ 0 });
    EXPECT_FAIL(call((struct net_ask){ 0 }, "/endless"), FR_E_LIMIT, "client_too_large");
    CHECK(call((struct net_ask){ .answer_bytes_max = 1000 }, "/body/1000")->st == FR_OK && got.body.len == 1000);
    EXPECT_FAIL(call((struct net_ask){ .answer_bytes_max = 1000 }, "/body/1001"), FR_E_LIMIT, "client_too_large");
    CHECK(call((struct net_ask){ .answer_bytes_max = 1000 }, "/chunked/1000")->st == FR_OK && got.body.len == 1000);
    EXPECT_FAIL(call((struct net_ask){ .answer_bytes_max = 1000 }, "/chunked/1001"), FR_E_LIMIT, "client_too_large");
    snprintf(path, sizeof path, "/body/%d", CLIENT_ANSWER_BYTES_DEFAULT + 1);
    EXPECT_FAIL(call((struct net_ask){ 0 }, path), FR_E_LIMIT, "client_too_large");
    snprintf(path, sizeof path, "/headers/%d", CLIENT_ANSWER_HEADER_BYTES_MAX);
    CHECK_INT(call((struct net_ask){ 0 }, path)->st, FR_OK);
    snprintf(path, sizeof path, "/headers/%d", CLIENT_ANSWER_HEADER_BYTES_MAX + 1);
    EXPECT_FAIL(call((struct net_ask){ 0 }, path), FR_E_LIMIT, "client_headers");
    static const char *const endless[] = { "/endless-headers", "/endless-line", "/endless-100", "/endless-trailers" };
    for (int i = 0; i < 4; i++) EXPECT_FAIL(call((struct net_ask){ 0 }, endless[i]), FR_E_LIMIT, "client_headers");
    client_end();
}

static void test_tried_again_where_that_is_safe(void)
{
    struct net_ask get = { .retries = 3 }, post = { .method = "POST", .body = "x", .body_len = 1, .retries = 3 };
    client_begin((struct net_client_options){ 0 });
    static const int again[] = { 408, 429, 500, 502, 503, 504 }, never[] = { 200, 301, 400, 401, 403, 404, 409, 501, 505 };
    char path[64];
    for (int i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "/fail/3/%d", again[i]);
        tries = 0;
        EXPECT_BODY(call(get, path), 200, "hello");
        CHECK_INT(got.attempts, 4);
    }
    for (int i = 0; i < 9; i++) {
        snprintf(path, sizeof path, "/fail/1/%d", never[i]);
        tries = 0;
        EXPECT_BODY(call(get, path), never[i], "not yet");
        CHECK_INT(tries, 1);
    }
    tries = 0;
    EXPECT_BODY(call(get, "/fail/4/503"), 503, "not yet");     // the last answer is the call's
    CHECK_INT(tries, 4);
    tries = 0;
    EXPECT_BODY(call(post, "/fail/1/503"), 503, "not yet");
    CHECK_INT(tries, 1);
    tries = 0;
    EXPECT_FAIL(call(post, "/close-once"), FR_E_UNKNOWN, "client_closed");
    CHECK_INT(tries, 1);
    post.retry_safe = true;
    tries = 0;
    EXPECT_BODY(call(post, "/close-once"), 200, "hello");
    tries = 0;
    EXPECT_BODY(call(post, "/fail/2/502"), 200, "hello");
    tries = 0;
    EXPECT_BODY(call(get, "/endless-500"), 200, "hello");      // an answer that nobody will see is not waited for
    EXPECT_FAIL(call((struct net_ask){ .retries = 2, .idle_ms = 30 }, "/silent"), FR_E_TIMEOUT, "client_idle");
    client_end();
}

static void test_retry_after_within_bounds(void)
{
    client_begin((struct net_client_options){ 0 });
    EXPECT_BODY(call((struct net_ask){ .retries = 1 }, "/after/1"), 200, "hello");
    CHECK(got.ms >= 1000 && got.attempts == 2);
    tries = 0;
    EXPECT_BODY(call((struct net_ask){ .retries = 1 }, "/after/11"), 429, "slower");
    CHECK(got.retry_after_s == 11 && tries == 1);
    tries = 0;
    EXPECT_BODY(call((struct net_ask){ .retries = 1, .total_ms = 900 }, "/after/1"), 429, "slower");      // it would be too late
    EXPECT_BODY(call((struct net_ask){ .retries = 1 }, "/after-date"), 503, "later");
    CHECK(got.retry_after_s > 1000000);
    tries = 0;
    EXPECT_BODY(call((struct net_ask){ .retries = 1 }, "/after-junk"), 429, "never");
    client_end();
}

// A kept connection dies just as a request goes out on it: libcurl would send that again on its own.
static void test_a_dead_kept_connection_repeats_only_what_is_safe(void)
{
    client_begin((struct net_client_options){ 0 });
    struct net_ask post = { .method = "POST", .body = "x", .body_len = 1 }, safe = post, empty = { .method = "POST" };
    safe.retry_safe = true;
    EXPECT_BODY(call((struct net_ask){ 0 }, "/ok"), 200, "hello");
    tries = 0;
    EXPECT_FAIL(call(post, "/close-once"), FR_E_UNKNOWN, "client_closed");
    CHECK_INT(tries, 1);
    EXPECT_BODY(call((struct net_ask){ 0 }, "/ok"), 200, "hello");
    tries = 0;
    EXPECT_FAIL(call(empty, "/close-once"), FR_E_UNKNOWN, "client_closed");
    CHECK_INT(tries, 1);
    EXPECT_BODY(call((struct net_ask){ 0 }, "/ok"), 200, "hello");
    tries = 0;
    EXPECT_BODY(call(safe, "/close-once"), 200, "hello");
    CHECK_INT(tries, 2);
    client_end();
}

static void test_redirects_are_answers_unless_asked_for(void)
{
    struct net_pair key = { "Authorization", SECRET };
    client_begin((struct net_client_options){ 0 });
    EXPECT_BODY(call((struct net_ask){ 0 }, "/hop/1"), 302, "elsewhere");
    CHECK(call((struct net_ask){ .redirects = 2, .headers = &key, .header_count = 1 }, "/hop/2")->http_status == 200 && strstr(got.body.data, "GET /hop/0 ") && strstr(got.body.data, SECRET));
    EXPECT_FAIL(call((struct net_ask){ .redirects = 2 }, "/hop/3"), FR_E_DENIED, "client_redirect");
    CHECK(call((struct net_ask){ .redirects = 2, .headers = &key, .header_count = 1 }, "/away")->http_status == 200 && strstr(got.body.data, "Host: other.test") && !strstr(got.body.data, SECRET));
    EXPECT_FAIL(call((struct net_ask){ .redirects = 2 }, "/to-file"), FR_E_DENIED, "client_redirect");
    EXPECT_BODY(call((struct net_ask){ .redirects = 2 }, "/to-nowhere"), 302, "elsewhere");
    EXPECT_BODY(call((struct net_ask){ .redirects = 2, .method = "POST", .body = "x", .body_len = 1 }, "/hop/1"), 302, "elsewhere");
    CHECK_INT(net_client_stats(client).redirected, 5);
    client_end();
}

static struct wait *call_name(struct net_ask ask, const char *host)
{
    fr_buf_free(&got.body);
    call_start(ask, host, "/ok", &got);
    run_until_done(&got);
    return &got;
}

static void test_names_are_looked_up_once_and_off_the_loop(void)
{
    client_begin((struct net_client_options){ 0 });
    names_asked = 0;
    for (int i = 0; i < 3; i++) EXPECT_BODY(call_name((struct net_ask){ 0 }, "one.test"), 200, "hello");
    CHECK(names_asked == 1 && accepted == 1);
    EXPECT_BODY(call_name((struct net_ask){ 0 }, "several.test"), 200, "hello");        // the third address answers
    EXPECT_FAIL(call_name((struct net_ask){ 0 }, "none.test"), FR_E_BUSY, "client_name");
    EXPECT_FAIL(call_name((struct net_ask){ 0 }, "dead.test"), FR_E_BUSY, "client_unreachable");
    names_asked = 0;
    EXPECT_FAIL(call_name((struct net_ask){ 0 }, "dead.test"), FR_E_BUSY, "client_unreachable");
    CHECK_INT(names_asked, 1);                  // an address that took no connection is asked for anew
    struct wait many[10] = { 0 };
    names_asked = 0;
    for (int i = 0; i < 10; i++) call_start((struct net_ask){ 0 }, "slow.test", "/ok", &many[i]);
    for (int i = 0; i < 10; i++) {
        run_until_done(&many[i]);
        EXPECT_BODY(&many[i], 200, "hello");
        fr_buf_free(&many[i].body);
    }
    CHECK(names_asked == 1 && !asked_on_the_loop);
    client_end();
}

static void test_a_lookup_that_hangs_keeps_no_call(void)
{
    struct wait w = { 0 };
    client_begin((struct net_client_options){ 0 });
    EXPECT_FAIL(call_name((struct net_ask){ .connect_ms = 50 }, "slow.test"), FR_E_BUSY, "client_name");
    CHECK_INT(net_client_stats(client).lookups, 1);            // it is still on its way
    call_start((struct net_ask){ 0 }, "slow.test", "/ok", &w);
    uv_run(&loop, UV_RUN_NOWAIT);
    net_call_cancel(w.call);
    CHECK(!w.done);
    run_until_done(&w);
    EXPECT_FAIL(&w, FR_E_CONFLICT, "client_cancelled");
    CHECK_INT(net_client_stats(client).lookups, 1);
    client_end();                               // waits for it
}

static void test_the_bounds_of_names(void)
{
    char host[32];
    struct wait w[4] = { 0 };
    client_begin((struct net_client_options){ .connections = { 8 } });
    names_asked = 0;
    for (int i = 0; i <= CLIENT_NAMES_MAX; i++) {
        snprintf(host, sizeof host, "n%d.test", i);
        EXPECT_BODY(call_name((struct net_ask){ 0 }, host), 200, "hello");
    }
    CHECK_INT(names_asked, CLIENT_NAMES_MAX + 1);
    EXPECT_BODY(call_name((struct net_ask){ 0 }, "n1.test"), 200, "hello");
    CHECK_INT(names_asked, CLIENT_NAMES_MAX + 1);
    EXPECT_BODY(call_name((struct net_ask){ 0 }, "n0.test"), 200, "hello");    // the first one had to go
    CHECK_INT(names_asked, CLIENT_NAMES_MAX + 2);
    snprintf(host, sizeof host, "behind%d.test", CLIENT_ADDRESSES_MAX - 1);
    EXPECT_BODY(call_name((struct net_ask){ 0 }, host), 200, "hello");
    snprintf(host, sizeof host, "behind%d.test", CLIENT_ADDRESSES_MAX);
    EXPECT_FAIL(call_name((struct net_ask){ 0 }, host), FR_E_BUSY, "client_unreachable");
    for (int i = 0; i < 4; i++) {               // strangers' names hang: ours have a thread left
        snprintf(host, sizeof host, "slow%d.test", i);
        call_start((struct net_ask){ .public_only = true }, host, "/ok", &w[i]);
    }
    for (int i = 0; i < 100; i++) uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_INT(net_client_stats(client).lookups, CLIENT_LOOKUPS_PUBLIC_MAX);
    EXPECT_BODY(call_name((struct net_ask){ 0 }, "fresh.test"), 200, "hello");
    CHECK(!w[3].done);
    for (int i = 0; i < 4; i++) {
        run_until_done(&w[i]);
        EXPECT_FAIL(&w[i], FR_E_DENIED, "client_private");
        fr_buf_free(&w[i].body);
    }
    client_end();
}

static void test_strangers_reach_public_addresses_only(void)
{
    struct net_ask ask = { .public_only = true };
    char url[100];
    client_begin((struct net_client_options){ 0 });
    accepted = public_connects = 0;
    static const char *const closed[] = { "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:8.8.8.8]x", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[fe80::1]",
                                          "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "255.255.255.255", "localhost", "one.test", "mapped.test", "several.test" };
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        snprintf(url, sizeof url, "http://%s:%d/ok", closed[i], listen_port);
        ask.url = url;
        call(ask, "");
        if (got.st == FR_OK || (strcmp(got.err.code, "client_private") != 0 && strcmp(got.err.code, "client_url") != 0)) printf("  %s: %s\n", closed[i], got.err.code);
        CHECK(got.st != FR_OK && (strcmp(got.err.code, "client_private") == 0 || strcmp(got.err.code, "client_url") == 0));
    }
    CHECK(accepted == 0 && public_connects == 0);
    ask.url = NULL;
    EXPECT_BODY(call_name(ask, "8.8.8.8"), 200, "hello");
    EXPECT_BODY(call_name(ask, "public.test"), 200, "hello");
    EXPECT_BODY(call_name(ask, "mixed.test"), 200, "hello");   // its private address is passed over
    // A name that changes its mind: connected to what was looked up, checked when connecting.
    for (int i = 0; i < 6; i++) {
        call_name(ask, "rebind.test");
        CHECK(got.st == FR_OK || strcmp(got.err.code, "client_private") == 0);
    }
    CHECK_INT(accepted, public_connects);
    // Our own call keeps a connection open that a stranger's call does not get.
    EXPECT_BODY(call_name((struct net_ask){ 0 }, "one.test"), 200, "hello");
    EXPECT_FAIL(call_name(ask, "one.test"), FR_E_DENIED, "client_private");
    // And a redirect leads nowhere either.
    snprintf(url, sizeof url, "http://public.test:%d/away", listen_port);
    EXPECT_FAIL(call((struct net_ask){ .url = url, .public_only = true, .redirects = 3 }, ""), FR_E_DENIED, "client_private");
    client_end();
}

static void test_a_socket_of_this_machine(void)
{
    client_begin((struct net_client_options){ 0 });
    names_asked = 0;
    call((struct net_ask){ .url = "http://llama/echo", .unix_path = unix_path }, "");
    CHECK(got.http_status == 200 && strstr(got.body.data, "Host: llama\r\n") && names_asked == 0);
    client_end();
}

static void test_ipv6(void)
{
    struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t len = sizeof at;
    pthread_t listener;
    char url[64];
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool there = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 8) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0;
    CHECK(there || errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);       // a machine without IPv6
    client_begin((struct net_client_options){ 0 });
    if (there) {
        pthread_create(&listener, NULL, listen_on, &fd);
        snprintf(url, sizeof url, "http://[::1]:%d/ok", ntohs(at.sin6_port));
        EXPECT_BODY(call((struct net_ask){ .url = url }, ""), 200, "hello");
        snprintf(url, sizeof url, "http://six.test:%d/ok", ntohs(at.sin6_port));
        EXPECT_BODY(call((struct net_ask){ .url = url }, ""), 200, "hello");
        EXPECT_FAIL(call((struct net_ask){ .url = url, .public_only = true }, ""), FR_E_DENIED, "client_private");
        shutdown(fd, SHUT_RDWR);
        pthread_join(listener, NULL);
    }
    if (fd >= 0) close(fd);
    client_end();
}

static void test_proxies_of_the_environment_are_not_used(void)
{
    static const char *const names[] = { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
    for (int i = 0; i < 5; i++) setenv(names[i], "http://127.0.0.1:1", 1);
    client_begin((struct net_client_options){ 0 });
    EXPECT_BODY(call((struct net_ask){ 0 }, "/ok"), 200, "hello");
    client_end();
    for (int i = 0; i < 5; i++) unsetenv(names[i]);
}

static void test_no_more_at_once_than_the_bounds_say(void)
{
    struct wait w[12] = { 0 };
    client_begin((struct net_client_options){ .connections = { 4 }, .connections_per_host = { 3 }, .calls = { 11 } });
    for (int i = 0; i < 11; i++) call_start((struct net_ask){ 0 }, i % 2 ? "one.test" : "two.test", "/drip/4", &w[i]);
    EXPECT_FAIL(call_start((struct net_ask){ 0 }, "one.test", "/ok", &w[11]), FR_E_BUSY, "client_busy");
    int64_t most = 0;
    for (bool all = false; !all; ) {
        uv_run(&loop, UV_RUN_ONCE);
        struct net_client_stats s = net_client_stats(client);
        if (s.running > most) most = s.running;
        CHECK(s.running <= 4 && s.connections <= 4 && s.running + s.waiting <= 11);
        all = s.succeeded == 11;
    }
    CHECK_INT(most, 4);
    for (int i = 0; i < 11; i++) EXPECT_BODY(&w[i], 200, "dddd");
    for (int i = 0; i < 12; i++) fr_buf_free(&w[i].body);
    for (int i = 0; i < 5; i++) call_start((struct net_ask){ 0 }, "one.test", "/drip/4", &w[i]);
    for (int64_t peak = 0, done = 0; done < 16; done = net_client_stats(client).succeeded) {
        uv_run(&loop, UV_RUN_ONCE);
        struct net_client_stats s = net_client_stats(client);
        peak = s.running > peak ? s.running : peak;
        CHECK(peak <= 3);
    }
    for (int i = 0; i < 5; i++) fr_buf_free(&w[i].body);
    client_end();
}

static void test_a_call_that_waits_for_its_turn_has_a_deadline_too(void)
{
    struct wait first = { 0 }, second = { 0 };
    client_begin((struct net_client_options){ .connections = { 1 } });
    call_start((struct net_ask){ 0 }, "127.0.0.1", "/silent", &first);
    call_start((struct net_ask){ .method = "POST", .total_ms = 100 }, "127.0.0.1", "/ok", &second);
    run_until_done(&second);
    CHECK(!first.done);
    EXPECT_FAIL(&second, FR_E_TIMEOUT, "client_timeout");      // it was never sent
    net_call_cancel(first.call);
    call_start((struct net_ask){ 0 }, "127.0.0.1", "/ok", &second);
    run_until_done(&second);
    EXPECT_BODY(&second, 200, "hello");                        // the slot came back
    CHECK_INT(first.done, 1);
    fr_buf_free(&first.body);
    fr_buf_free(&second.body);
    client_end();
}

static void test_a_stream_is_held_back_and_goes_on(void)
{
    static const char *const paths[] = { "/body/3000000", "/chunked/3000000" };
    for (int i = 0; i < 2; i++) {
        struct wait w = { .pause_at = 3 };
        client_begin((struct net_client_options){ 0 });
        call_start((struct net_ask){ .on_bytes = on_bytes, .answer_bytes_max = 3000000, .idle_ms = 60 }, "127.0.0.1", paths[i], &w);
        run_for(200);                           // longer than idle_ms: a paused call is not idle
        CHECK(w.chunks == 3 && !w.done && w.body.len < 200000);
        net_call_resume(w.call);
        CHECK(w.chunks == 3);                   // not from inside
        run_until_done(&w);
        CHECK(w.st == FR_OK && w.body.len == 3000000 && w.body.data[2999999] == 'x');
        fr_buf_free(&w.body);
        w = (struct wait){ .pause_at = 2, .resume_now = true };
        call_start((struct net_ask){ .on_bytes = on_bytes, .answer_bytes_max = 3000000 }, "127.0.0.1", paths[i], &w);
        run_until_done(&w);
        CHECK(w.st == FR_OK && w.body.len == 3000000);
        fr_buf_free(&w.body);
        w = (struct wait){ .pause_at = 2 };
        call_start((struct net_ask){ .on_bytes = on_bytes, .answer_bytes_max = 3000000, .total_ms = 150 }, "127.0.0.1", paths[i], &w);
        run_until_done(&w);
        EXPECT_FAIL(&w, FR_E_TIMEOUT, "client_timeout");
        fr_buf_free(&w.body);
        w = (struct wait){ 0 };
        call_start((struct net_ask){ .on_bytes = on_bytes, .answer_bytes_max = 2999999 }, "127.0.0.1", paths[i], &w);
        run_until_done(&w);
        EXPECT_FAIL(&w, FR_E_LIMIT, "client_too_large");
        CHECK(w.body.len <= 2999999);
        fr_buf_free(&w.body);
        client_end();
    }
    // Held back with its last bytes: it ends when it goes on.
    struct wait w = { .pause_at = 1 };
    client_begin((struct net_client_options){ 0 });
    call_start((struct net_ask){ .on_bytes = on_bytes }, "127.0.0.1", "/ok", &w);
    run_for(50);
    CHECK(w.chunks == 1 && !w.done);
    net_call_resume(w.call);
    run_until_done(&w);
    EXPECT_BODY(&w, 200, "hello");
    fr_buf_free(&w.body);
    // What was passed on is not begun again.
    w = (struct wait){ 0 };
    call_start((struct net_ask){ .on_bytes = on_bytes, .retries = 3 }, "127.0.0.1", "/short", &w);
    run_until_done(&w);
    EXPECT_FAIL(&w, FR_E_IO, "client_closed");
    CHECK_INT(w.body.len, 10);
    fr_buf_free(&w.body);
    client_end();
}

static void test_given_up_at_every_moment(void)
{
    static const char *const paths[] = { "/ok", "/drip/20", "/silent", "/slow-headers", "/endless", "/fail/100/503", "/hop/5", "/after/9" };
    client_begin((struct net_client_options){ .retry_ms_min = 20 });
    for (int p = 0; p < 8; p++) {
        for (int turns = 0; turns < 12; turns++) {
            struct wait w = { 0 };
            tries = 0;
            call_start((struct net_ask){ .retries = 5, .redirects = 5, .answer_bytes_max = CLIENT_ANSWER_BYTES_MAX }, turns % 3 == 2 ? "one.test" : "127.0.0.1", paths[p], &w);
            for (int i = 0; i < turns && !w.done; i++) { uv_run(&loop, UV_RUN_NOWAIT); usleep((useconds_t)turns * 200); }
            if (!w.done) {
                net_call_cancel(w.call);
                net_call_cancel(w.call);        // once more changes nothing
                CHECK(!w.done);
                run_until_done(&w);
                EXPECT_FAIL(&w, FR_E_CONFLICT, "client_cancelled");
            }
            CHECK_INT(w.done, 1);
            fr_buf_free(&w.body);
        }
    }
    struct wait w = { .cancel_at = 2 };
    call_start((struct net_ask){ .on_bytes = on_bytes, .answer_bytes_max = 3000000 }, "127.0.0.1", "/body/3000000", &w);
    run_until_done(&w);
    EXPECT_FAIL(&w, FR_E_CONFLICT, "client_cancelled");
    CHECK_INT(w.chunks, 2);
    fr_buf_free(&w.body);
    w = (struct wait){ .pause_at = 1 };
    call_start((struct net_ask){ .on_bytes = on_bytes, .answer_bytes_max = 3000000 }, "127.0.0.1", "/body/3000000", &w);
    run_for(50);
    net_call_cancel(w.call);
    run_until_done(&w);
    EXPECT_FAIL(&w, FR_E_CONFLICT, "client_cancelled");
    fr_buf_free(&w.body);
    client_end();
}

static void test_stopped_at_every_moment(void)
{
    static const char *const paths[] = { "/ok", "/drip/20", "/silent", "/slow-headers", "/endless", "/fail/100/503", "/hop/5", "/after/9" };
    for (int turns = 0; turns < 24; turns++) {
        struct wait w[24] = { 0 };
        client_begin((struct net_client_options){ .retry_ms_min = 20, .connections = { 16 } });
        for (int i = 0; i < 24; i++)
            call_start((struct net_ask){ .retries = 5, .redirects = 5, .on_bytes = i % 2 ? on_bytes : NULL }, i % 5 == 4 && turns % 8 == 3 ? "slow.test" : i % 3 == 2 ? "one.test" : "127.0.0.1", paths[i % 8], &w[i]);
        for (int i = 0; i < turns; i++) { uv_run(&loop, UV_RUN_NOWAIT); usleep(300); }
        client_end();
        for (int i = 0; i < 24; i++) {
            CHECK_INT(w[i].done, 1);
            fr_buf_free(&w[i].body);
        }
    }
}

static pid_t run_openssl(char *const args[])
{
    pid_t pid = fork();
    if (pid != 0) return pid;
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++) dup2(null, fd);
    execvp("openssl", args);
    _exit(127);
}

static void test_certificates_are_checked(void)
{
    char dir[] = "/tmp/frond-client-XXXXXX", key[64], cert[64], at[32], url[2][64];
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM, 0), status;
    CHECK(mkdtemp(dir) && bind(fd, (struct sockaddr *)&here, sizeof here) == 0 && getsockname(fd, (struct sockaddr *)&here, &len) == 0);
    close(fd);
    snprintf(key, sizeof key, "%s/key.pem", dir);
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(at, sizeof at, "127.0.0.1:%d", ntohs(here.sin_port));
    snprintf(url[0], sizeof url[0], "https://one.test:%d/", ntohs(here.sin_port));
    snprintf(url[1], sizeof url[1], "https://two.test:%d/", ntohs(here.sin_port));
    pid_t made = run_openssl((char *[]){ "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=one.test", "-addext", "subjectAltName=DNS:one.test", "-keyout", key, "-out", cert, NULL });
    CHECK(waitpid(made, &status, 0) == made && status == 0);
    pid_t server = run_openssl((char *[]){ "openssl", "s_server", "-accept", at, "-key", key, "-cert", cert, "-www", "-quiet", NULL });
    client_begin((struct net_client_options){ 0 });
    for (int i = 0; i < 100; i++) {
        call((struct net_ask){ .url = url[0], .ca_file = cert }, "");
        if (got.st == FR_OK || strcmp(got.err.code, "client_unreachable") != 0) break;
        run_for(50);
    }
    CHECK(got.st == FR_OK && got.http_status == 200 && got.body.len > 0);
    EXPECT_FAIL(call((struct net_ask){ .url = url[1], .ca_file = cert }, ""), FR_E_DENIED, "client_tls");      // another name
    EXPECT_FAIL(call((struct net_ask){ .url = url[0] }, ""), FR_E_DENIED, "client_tls");                      // nobody we know signed it
    EXPECT_FAIL(call((struct net_ask){ .url = url[0], .ca_file = "/nonexistent" }, ""), FR_E_INVALID, "client_ca_file");
    snprintf(url[0], sizeof url[0], "https://one.test:%d/ok", listen_port);
    EXPECT_FAIL(call((struct net_ask){ .url = url[0], .ca_file = cert, .total_ms = 2000, .connect_ms = 500 }, ""), FR_E_BUSY, "client_unreachable");     // it waits for a request
    client_end();
    kill(server, SIGTERM);
    waitpid(server, &status, 0);
    unlink(key);
    unlink(cert);
    rmdir(dir);
}

static void test_memory_runs_out_anywhere(void)
{
    client_begin((struct net_client_options){ 0 });
    for (int nth = 1; nth < 20; nth++) {
        struct wait w = { 0 };
        struct fr_err err;
        char url[512];
        url_on(nth % 2 ? "127.0.0.1" : "one.test", "/ok", url);
        fr_buf_init(&w.body, 1000);
        struct net_ask ask = { .url = url, .method = "POST", .body = "x", .body_len = 1, .ca_file = "/x", .done = on_done, .arg = &w };
        fr_mem_fail_some(nth, 1);
        enum fr_status st = net_call_start(client, &ask, NULL, &err);
        fr_mem_fail_at(0);
        CHECK(st == FR_OK || st == FR_E_NOMEM);
        if (st == FR_OK) run_until_done(&w);
        CHECK(st != FR_OK || w.st == FR_OK);
        fr_buf_free(&w.body);
    }
    client_end();
}

int main(void)
{
    loop_thread = pthread_self();
    server_begin();
    TEST(test_a_call_and_its_answer);
    TEST(test_what_is_refused_before_anything_is_sent);
    TEST(test_deadlines);
    TEST(test_a_listener_that_never_accepts_and_one_that_is_not_there);
    TEST(test_answers_that_lie_or_end_early);
    TEST(test_one_step_past_each_bound_of_an_answer);
    TEST(test_tried_again_where_that_is_safe);
    TEST(test_retry_after_within_bounds);
    TEST(test_a_dead_kept_connection_repeats_only_what_is_safe);
    TEST(test_redirects_are_answers_unless_asked_for);
    TEST(test_names_are_looked_up_once_and_off_the_loop);
    TEST(test_a_lookup_that_hangs_keeps_no_call);
    TEST(test_the_bounds_of_names);
    TEST(test_strangers_reach_public_addresses_only);
    TEST(test_a_socket_of_this_machine);
    TEST(test_ipv6);
    TEST(test_proxies_of_the_environment_are_not_used);
    TEST(test_no_more_at_once_than_the_bounds_say);
    TEST(test_a_call_that_waits_for_its_turn_has_a_deadline_too);
    TEST(test_a_stream_is_held_back_and_goes_on);
    TEST(test_given_up_at_every_moment);
    TEST(test_stopped_at_every_moment);
    TEST(test_certificates_are_checked);
    TEST(test_memory_runs_out_anywhere);
    fr_buf_free(&got.body);
    TEST(server_end);
    return TEST_END();
}
