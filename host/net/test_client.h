// test_client.h — for the tests of this folder: a server on a loop and raw sockets beside it, all on one thread, so that a
// test decides what happens between any two bytes. `pump` runs the loop; nothing here waits for a clock longer than it must.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/check.h"
#include "base/mem.h"
#include "net/server.h"

#define PUMP_MS_MAX 10000                  // a test that waits longer than this has failed

static uv_loop_t test_loop;
static struct net_server *test_server;
static bool test_stopped;

static inline void pump(void) { uv_run(&test_loop, UV_RUN_NOWAIT); }
static inline void pump_some(void) { for (int i = 0; i < 6; i++) pump(); }

static inline void test_on_stopped(void *arg) { (void)arg; test_stopped = true; }

static inline void server_begin(struct net_server_options options)
{
    struct fr_err err;
    uv_loop_init(&test_loop);
    options.loop = &test_loop;
    if (!options.host) options.host = "127.0.0.1";
    if (net_server_start(&options, &test_server, &err) != FR_OK) {
        printf("  %s\n", err.text);
        exit(1);
    }
    test_stopped = false;
}

static inline void server_wait_stopped(void)
{
    while (!test_stopped) uv_run(&test_loop, UV_RUN_ONCE);
    uv_run(&test_loop, UV_RUN_DEFAULT);
    int busy = uv_loop_close(&test_loop);
    CHECK_INT(busy, 0);
}

static inline void server_end(void)
{
    net_server_stop(test_server, 0, test_on_stopped, NULL);
    server_wait_stopped();
}

struct client { int fd; struct fr_buf in; bool eof; };

static inline struct client client_open_small(int receive_bytes)
{
    struct client c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)net_server_port(test_server)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (receive_bytes) setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    if (connect(c.fd, (struct sockaddr *)&addr, sizeof addr) != 0) {
        perror("connect");
        exit(1);
    }
    int on = 1;                                  // or the second half of a cut message waits 40 ms for an acknowledgement
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fr_buf_init(&c.in, 64 * 1024 * 1024);
    return c;
}
static inline struct client client_open(void) { return client_open_small(0); }

static inline void client_close(struct client *c)
{
    if (c->fd >= 0) close(c->fd);
    c->fd = -1;
    fr_buf_free(&c->in);
}

// What the server will not read yet is not sent: a test that writes more than the kernel holds pumps in between.
static inline void client_send(struct client *c, const void *bytes, size_t len)
{
    const char *at = bytes;
    for (int tries = 0; len > 0 && tries < 10000; tries++) {
        ssize_t n = send(c->fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) at += n, len -= (size_t)n;
        else if (errno != EAGAIN) return;         // the server closed; the answer tells why
        if (len > 0) pump();
    }
}
static inline void client_say(struct client *c, const char *text) { client_send(c, text, strlen(text)); }

static inline void client_receive(struct client *c)
{
    char bytes[65536];
    while (!c->eof) {
        ssize_t n = recv(c->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n > 0) fr_buf_add_bytes(&c->in, bytes, (size_t)n);
        else if (n == 0 || errno != EAGAIN) c->eof = true;
        else return;
    }
}

// Runs the loop until `done` or the time is over; false then.
static inline void pump_or_wait(void) { pump(); poll(NULL, 0, 0); }
#define PUMP_UNTIL(done) ({ bool ok_ = false; uint64_t end_ = uv_hrtime() + PUMP_MS_MAX * 1000000ull; \
    while (!(ok_ = (done)) && uv_hrtime() < end_) { pump_or_wait(); } \
    ok_; })

#define CLIENT_UNTIL(c, done) PUMP_UNTIL((client_receive(c), (done)))

// The length of the first whole answer in the buffer, or 0. Answers to HEAD are asked for with is_head.
static inline size_t answer_len(const struct client *c, bool is_head)
{
    const char *end = c->in.data ? strstr(c->in.data, "\r\n\r\n") : NULL;
    if (!end) return 0;
    size_t head = (size_t)(end - c->in.data) + 4;
    const char *length = strcasestr(c->in.data, "\r\nContent-Length: ");
    size_t body = !is_head && length && length < end ? (size_t)atol(length + 18) : 0;
    return c->in.len >= head + body ? head + body : 0;
}

// Waits for one answer, copies it out and takes it off; "" when the connection ended instead.
static inline char *client_answer_to(struct client *c, bool is_head)
{
    static char text[400000];
    text[0] = 0;
    CLIENT_UNTIL(c, answer_len(c, is_head) > 0 || c->eof);
    size_t len = answer_len(c, is_head);
    if (len == 0 || len >= sizeof text) return text;
    memcpy(text, c->in.data, len);
    text[len] = 0;
    fr_buf_consume(&c->in, len);
    return text;
}
static inline char *client_answer(struct client *c) { return client_answer_to(c, false); }
static inline int answer_status(const char *answer) { return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0; }
static inline const char *answer_body(const char *answer) { const char *at = strstr(answer, "\r\n\r\n"); return at ? at + 4 : ""; }
static inline bool client_sees_end(struct client *c) { return CLIENT_UNTIL(c, c->eof); }
