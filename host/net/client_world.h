// client_world.h — the world of client_test.c: a little server that misbehaves in every way that its paths name, names that lie and hang, public
// addresses that lead to this machine, and calls that wait for their answer. getaddrinfo and connect are defined here: for one program only.
#pragma once
#include "net/client.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define SECRET "0123456789abcdefsecret"

// ---- names and connections ------------------------------------------------------------------------------------------
static atomic_int names_asked, public_connects;
static pthread_t loop_thread;
static atomic_bool asked_on_the_loop;

static struct addrinfo *address_info(const char *ip, struct addrinfo *next)
{
    struct addrinfo *a = calloc(1, sizeof *a + sizeof(struct sockaddr_in6));
    struct sockaddr_in *v4 = (struct sockaddr_in *)(a + 1);
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(a + 1);
    bool is_v6 = strchr(ip, ':') != NULL;
    a->ai_family = is_v6 ? AF_INET6 : AF_INET;
    a->ai_socktype = SOCK_STREAM;
    a->ai_addrlen = is_v6 ? sizeof *v6 : sizeof *v4;
    a->ai_addr = (struct sockaddr *)(a + 1);
    a->ai_addr->sa_family = (sa_family_t)a->ai_family;
    inet_pton(a->ai_family, ip, is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr);
    a->ai_next = next;
    return a;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    (void)service;
    (void)hints;
    int count = atomic_fetch_add(&names_asked, 1), dead;
    if (pthread_equal(pthread_self(), loop_thread)) asked_on_the_loop = true;
    if (strncmp(host, "slow", 4) == 0) usleep(400 * 1000);
    if (strcmp(host, "none.test") == 0) return EAI_NONAME;
    if (strcmp(host, "public.test") == 0) *ret = address_info("8.8.8.8", NULL);
    else if (strcmp(host, "several.test") == 0) *ret = address_info("127.0.0.2", address_info("127.0.0.3", address_info("127.0.0.1", NULL)));
    else if (sscanf(host, "behind%d.test", &dead) == 1) for (*ret = address_info("127.0.0.1", NULL); dead > 0; dead--) *ret = address_info("127.0.0.2", *ret);
    else if (strcmp(host, "six.test") == 0) *ret = address_info("::1", NULL);
    else if (strcmp(host, "mapped.test") == 0) *ret = address_info("::ffff:127.0.0.1", NULL);
    else if (strcmp(host, "mixed.test") == 0) *ret = address_info("127.0.0.1", address_info("8.8.8.8", NULL));
    else if (strcmp(host, "rebind.test") == 0) *ret = address_info(count % 2 ? "127.0.0.1" : "8.8.8.8", NULL);
    else if (strcmp(host, "dead.test") == 0) *ret = address_info("127.0.0.2", NULL);
    else *ret = address_info("127.0.0.1", NULL);
    return 0;
}

void freeaddrinfo(struct addrinfo *a)
{
    for (struct addrinfo *next; a; a = next) {
        next = a->ai_next;
        free(a);
    }
}

int connect(int fd, const struct sockaddr *to, socklen_t len)
{
    struct sockaddr_in v4;
    if (to->sa_family == AF_INET) {
        memcpy(&v4, to, sizeof v4);
        if (v4.sin_addr.s_addr == inet_addr("8.8.8.8")) {
            public_connects++;
            v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            return (int)syscall(SYS_connect, fd, &v4, sizeof v4);
        }
    }
    return (int)syscall(SYS_connect, fd, to, len);
}

// ---- the server: a thread per connection ----------------------------------------------------------------------------
static int listen_fd, listen_port, unix_fd;
static char unix_path[100];
static atomic_int peers, tries, accepted;

static bool say_bytes(int fd, const void *bytes, size_t len)
{
    for (const char *at = bytes; len > 0; ) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}
static bool say(int fd, const char *text) { return say_bytes(fd, text, strlen(text)); }

static bool answer(int fd, int status, const char *headers, const char *body)
{
    char text[4096];
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n%s", status, strlen(body), headers, body);
    return say(fd, text);
}

static bool answer_sized(int fd, size_t len, char chunked)
{
    char text[200], *bytes = calloc(1, len + 1);
    memset(bytes, 'x', len);
    snprintf(text, sizeof text, chunked ? "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n" : "HTTP/1.1 200 X\r\nContent-Length: %zu\r\n\r\n", len);
    bool ok = say(fd, text) && say_bytes(fd, bytes, len) && (!chunked || say(fd, "\r\n0\r\n\r\n"));
    free(bytes);
    return ok;
}

static bool still_there(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT | MSG_PEEK);
    return n > 0 || (n < 0 && errno == EAGAIN);
}

static bool repeat(int fd, const char *text, int ms)
{
    while (say(fd, text) && still_there(fd)) if (ms) usleep((useconds_t)ms * 1000);
    return false;
}

static bool serve_one(int fd, const char *path, const char *request)
{
    char text[1024];
    int n = 0;
    if (strncmp(path, "/ok", 3) == 0) return answer(fd, 200, "X-One: first \r\nX-One: second\r\n", "hello");
    if (strncmp(path, "/echo", 5) == 0) return answer(fd, 200, "", request);
    if (sscanf(path, "/status/%d", &n) == 1) return answer(fd, n, "", "status");
    if (strcmp(path, "/silent") == 0) { while (still_there(fd)) usleep(5000); return false; }
    if (strcmp(path, "/slow-line") == 0) return say(fd, "HTTP/1.1 200 X\r\nX-Slow: ") && repeat(fd, "x", 10);
    if (strcmp(path, "/slow-headers") == 0) return say(fd, "HTTP/1.1 200 X\r\n") && repeat(fd, "X-Slow: x\r\n", 10);
    if (sscanf(path, "/drip/%d", &n) == 1) {
        snprintf(text, sizeof text, "HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n", n);
        bool ok = say(fd, text);
        for (int i = 0; ok && i < n; i++) ok = usleep(20 * 1000) == 0 && say(fd, "d");
        return ok;
    }
    if (strcmp(path, "/short") == 0) return say(fd, "HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n0123456789") && false;
    if (strcmp(path, "/short-chunk") == 0) return say(fd, "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel") && false;
    if (strcmp(path, "/two-answers") == 0) return say(fd, "HTTP/1.1 200 X\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 X\r\nContent-Length: 4\r\n\r\nEVIL");
    if (strcmp(path, "/two-lengths") == 0) return say(fd, "HTTP/1.1 200 X\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\nhello") && false;
    if (strcmp(path, "/endless") == 0) return say(fd, "HTTP/1.1 200 X\r\n\r\n") && repeat(fd, "endless endless endless endless endless endless endless endless ", 0);
    if (strcmp(path, "/endless-500") == 0) return tries++ ? answer(fd, 200, "", "hello") : say(fd, "HTTP/1.1 503 X\r\n\r\n") && repeat(fd, "endless endless endless endless endless endless endless endless ", 0);
    if (strcmp(path, "/endless-chunk-extension") == 0) return say(fd, "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n5;") && repeat(fd, "xxxxxxxxxxxx", 5);
    if (strcmp(path, "/endless-headers") == 0) return say(fd, "HTTP/1.1 200 X\r\n") && repeat(fd, "X-More: more\r\n", 0);
    if (strcmp(path, "/endless-line") == 0) return say(fd, "HTTP/1.1 200 X\r\nX-Long: ") && repeat(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0);
    if (strcmp(path, "/endless-100") == 0) return repeat(fd, "HTTP/1.1 100 Continue\r\n\r\n", 0);
    if (strcmp(path, "/endless-trailers") == 0) return say(fd, "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n") && repeat(fd, "X-More: more\r\n", 0);
    if (strcmp(path, "/interim") == 0) return say(fd, "HTTP/1.1 100 Continue\r\nX-One: interim\r\n\r\nHTTP/1.1 103 Early\r\n\r\n") && answer(fd, 200, "X-Two: last\r\n", "hello");
    if (strcmp(path, "/switch") == 0) return say(fd, "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nnot http") && false;
    if (strcmp(path, "/garbage") == 0) return say_bytes(fd, "\0\1\2\3garbage\r\n\r\n", 15) && false;
    if (strcmp(path, "/http09") == 0) return say(fd, "hello") && false;
    if (strcmp(path, "/nul-header") == 0) return say_bytes(fd, "HTTP/1.1 200 X\r\nX-Nul: a\0b\r\n\r\n", 31) && false;
    if (strcmp(path, "/close") == 0) return false;
    if (strcmp(path, "/close-once") == 0) return tries++ ? answer(fd, 200, "", "hello") : false;
    if (sscanf(path, "/fail/%d/%*d", &n) == 1) return tries++ < n ? answer(fd, atoi(strchr(path + 6, '/') + 1), "", "not yet") : answer(fd, 200, "", "hello");
    if (sscanf(path, "/after/%d", &n) == 1) {
        snprintf(text, sizeof text, "Retry-After: %d\r\n", n);
        return tries++ ? answer(fd, 200, "", "hello") : answer(fd, 429, text, "slower");
    }
    if (strcmp(path, "/after-date") == 0) return answer(fd, 503, "Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n", "later");
    if (strcmp(path, "/after-junk") == 0) return tries++ ? answer(fd, 200, "", "hello") : answer(fd, 429, "Retry-After: 99999999999999999999999999\r\n", "never");
    if (sscanf(path, "/hop/%d", &n) == 1) {
        snprintf(text, sizeof text, "Location: /hop/%d\r\n", n - 1);
        return n ? answer(fd, 302, text, "elsewhere") : answer(fd, 200, "", request);
    }
    if (strcmp(path, "/away") == 0) {
        snprintf(text, sizeof text, "Location: http://other.test:%d/echo\r\n", listen_port);
        return answer(fd, 307, text, "elsewhere");
    }
    if (strcmp(path, "/to-file") == 0) return answer(fd, 302, "Location: file:///etc/passwd\r\n", "elsewhere");
    if (strcmp(path, "/to-nowhere") == 0) return answer(fd, 302, "", "elsewhere");
    if (sscanf(path, "/body/%d", &n) == 1) return answer_sized(fd, (size_t)n, false);
    if (sscanf(path, "/chunked/%d", &n) == 1) return answer_sized(fd, (size_t)n, true);
    if (sscanf(path, "/headers/%d", &n) == 1) {             // so many bytes of headers in all, in lines of 1000
        size_t left = (size_t)n - (size_t)snprintf(text, sizeof text, "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "HTTP/1.1 200 X\r\nContent-Length: 0\r\n");
        bool ok = say(fd, text);
        for (char line[1002]; ok && left > 0; ) {
            size_t len = left > 2000 ? 1000 : left > 1000 ? left / 2 : left;
            memset(line, 'x', len);
            memcpy(line, "X:", 2);
            memcpy(line + len - 2, "\r\n", 2);
            ok = say_bytes(fd, line, len);
            left -= len;
        }
        return ok && say(fd, "\r\n");
    }
    return answer(fd, 404, "", "no such path");
}

static void *serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    struct fr_buf in;
    char bytes[65536];
    fr_buf_init(&in, 64 << 20);
    for (bool on = true; on; ) {
        char *end, path[512] = "";
        size_t body_len = 0;
        while (!(end = in.data ? strstr(in.data, "\r\n\r\n") : NULL)) {
            ssize_t n = recv(fd, bytes, sizeof bytes, 0);
            if (n <= 0) goto out;
            fr_buf_add_bytes(&in, bytes, (size_t)n);
        }
        size_t head = (size_t)(end - in.data) + 4;
        char *length = strcasestr(in.data, "\r\nContent-Length: ");
        if (length && length < end) body_len = (size_t)atol(length + 18);
        while (in.len < head + body_len) {
            ssize_t n = recv(fd, bytes, sizeof bytes, 0);
            if (n <= 0) goto out;
            fr_buf_add_bytes(&in, bytes, (size_t)n);
        }
        sscanf(in.data, "%*s %511s", path);
        char *request = strndup(in.data, head + body_len);
        on = serve_one(fd, path, request);
        free(request);
        fr_buf_consume(&in, head + body_len);
    }
out:
    fr_buf_free(&in);
    close(fd);
    peers--;
    return NULL;
}

static void *listen_on(void *arg)
{
    int fd = *(int *)arg;
    for (int peer; (peer = accept(fd, NULL, NULL)) >= 0; ) {
        pthread_t thread;
        accepted++;
        peers++;
        pthread_create(&thread, NULL, serve, (void *)(intptr_t)peer);
        pthread_detach(thread);
    }
    return NULL;
}

static pthread_t listeners[2];

static void server_begin(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_un path = { .sun_family = AF_UNIX };
    socklen_t len = sizeof at;
    listen_fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listen_fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(listen_fd, 128) != 0) exit(1);
    getsockname(listen_fd, (struct sockaddr *)&at, &len);
    listen_port = ntohs(at.sin_port);
    snprintf(unix_path, sizeof unix_path, "/tmp/frond-client-test-%d", getpid());
    snprintf(path.sun_path, sizeof path.sun_path, "%s", unix_path);
    unix_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(unix_fd, (struct sockaddr *)&path, sizeof path) != 0 || listen(unix_fd, 8) != 0) exit(1);
    pthread_create(&listeners[0], NULL, listen_on, &listen_fd);
    pthread_create(&listeners[1], NULL, listen_on, &unix_fd);
}

static void server_end(void)
{
    shutdown(listen_fd, SHUT_RDWR);
    shutdown(unix_fd, SHUT_RDWR);
    pthread_join(listeners[0], NULL);
    pthread_join(listeners[1], NULL);
    close(listen_fd);
    close(unix_fd);
    unlink(unix_path);
    for (int i = 0; i < 500 && peers > 0; i++) usleep(10000);
    CHECK_INT(peers, 0);
}

// ---- one client, and calls that wait --------------------------------------------------------------------------------
static uv_loop_t loop;
static struct net_client *client;
static bool client_gone;

struct wait {
    struct net_call *call;
    int done, http_status, attempts;
    enum fr_status st;
    struct fr_err err;
    struct fr_buf body;
    char one[32];
    int64_t retry_after_s, ms;
    bool in_start, was_inside;
    int chunks, pause_at, cancel_at;
    bool resume_now;
};

static void on_done(void *arg, enum fr_status st, const struct net_answer *a, const struct fr_err *err)
{
    struct wait *w = arg;
    w->done++;
    w->st = st;
    if (w->in_start) w->was_inside = true;
    CHECK((st == FR_OK) == (a != NULL) && (st == FR_OK) == (err == NULL));
    if (a) {
        w->http_status = a->http_status;
        w->attempts = a->attempts;
        w->retry_after_s = a->retry_after_s;
        w->ms = a->ms;
        fr_buf_add_bytes(&w->body, a->body, a->body_len);
        CHECK(a->body[a->body_len] == 0);
        if (!net_answer_header(a, "x-one", w->one, sizeof w->one)) w->one[0] = 0;
    } else {
        w->err = *err;
        CHECK(strstr(err->text, SECRET) == NULL);
    }
}

static void on_bytes(void *arg, struct net_call *call, int http_status, const char *bytes, size_t len)
{
    struct wait *w = arg;
    CHECK(http_status >= 200 && w->done == 0);
    CHECK(w->chunks < w->cancel_at || w->cancel_at == 0);
    w->chunks++;
    fr_buf_add_bytes(&w->body, bytes, len);
    if (w->chunks == w->pause_at) net_call_pause(call);
    if (w->chunks == w->pause_at && w->resume_now) net_call_resume(call);
    if (w->chunks == w->cancel_at) net_call_cancel(call);
}

static void client_begin(struct net_client_options o)
{
    uv_loop_init(&loop);
    o.loop = &loop;
    o.retry_ms_min = o.retry_ms_min ? o.retry_ms_min : 4;
    client_gone = false;
    tries = accepted = 0;
    CHECK(net_client_start(&o, &client, NULL) == FR_OK);
}

static void on_stopped(void *arg) { (void)arg; client_gone = true; }

static void client_end(void)
{
    net_client_stop(client, on_stopped, NULL);
    CHECK(!client_gone);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK(client_gone);
    CHECK_INT(uv_loop_close(&loop), 0);
}

static void url_on(const char *host, const char *path, char out[512]) { snprintf(out, 512, "http://%s:%d%s", host, listen_port, path); }

static struct wait *call_start(struct net_ask ask, const char *host, const char *path, struct wait *w)
{
    char url[512];
    url_on(host, path, url);
    *w = (struct wait){ .pause_at = w->pause_at, .cancel_at = w->cancel_at, .resume_now = w->resume_now };
    fr_buf_init(&w->body, 64 << 20);
    if (!ask.url) ask.url = url;
    ask.done = on_done;
    ask.arg = w;
    w->in_start = true;
    enum fr_status st = net_call_start(client, &ask, &w->call, &w->err);
    w->in_start = false;
    if (st != FR_OK) {
        w->done = -1;
        w->st = st;
    }
    return w;
}

static void run_until_done(struct wait *w)
{
    int64_t end = fr_mono_ms() + 20000;
    while (!w->done && fr_mono_ms() < end) uv_run(&loop, UV_RUN_ONCE);
    CHECK(w->done != 0 && !w->was_inside);
}

static void run_for(int ms)
{
    for (int64_t end = fr_mono_ms() + ms; fr_mono_ms() < end; usleep(500)) uv_run(&loop, UV_RUN_NOWAIT);
}

static struct wait got;
static struct wait *call(struct net_ask ask, const char *path)
{
    fr_buf_free(&got.body);
    got.pause_at = got.cancel_at = 0;
    call_start(ask, "127.0.0.1", path, &got);
    run_until_done(&got);
    return &got;
}
#define EXPECT_FAIL(w, status, name) do { struct wait *call_ = (w); CHECK_INT(call_->st, status); CHECK_TEXT(call_->err.code, name); } while (0)
#define EXPECT_BODY(w, status, text) do { struct wait *call_ = (w); CHECK_INT(call_->st, FR_OK); CHECK_INT(call_->http_status, status); CHECK_TEXT(call_->body.data, text); } while (0)
