// test_pod.h — pods for unit tests: a little HTTP server on the loop of the test, which says what a script says and is as bad as that wants. For one program each.
#pragma once
#include <stdlib.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "llm/pool.h"

struct fake_conn;
struct fake_pod {
    uv_tcp_t tcp; uv_pipe_t pipe;
    int port; char path[64];               // where it listens
    const char *name;
    void (*script)(struct fake_conn *c, const char *path, const struct fr_json *ask);   // of POST; NULL: fake_fine
    int health;                            // status of GET .../models and /health; 0: 200
    int wait_ms;                           // before it answers
    int requests, healths, gone_away, running, most;       // gone_away: who asked left before the answer
    bool refuses;                          // closes each connection at once
    char last[4096], key[64];              // the last body; the last bearer
    struct fake_conn *conns;
};
struct fake_conn {
    struct fake_conn *prev, *next;
    struct fake_pod *pod;
    union { uv_handle_t handle; uv_stream_t stream; uv_tcp_t tcp; uv_pipe_t pipe; } at;
    uv_timer_t timer; int handles;
    struct fr_buf in;
    bool busy, closed; int step; void (*later)(struct fake_conn *c);
    struct fr_json *ask; char path[200];
};

static uv_loop_t loop;
static struct net_client *client;

static void fake_freed(uv_handle_t *h)
{
    struct fake_conn *c = h->data;
    if (--c->handles) return;
    fr_buf_free(&c->in);
    fr_json_free(c->ask);
    free(c);
}

static void fake_close(struct fake_conn *c)
{
    if (c->closed) return;
    c->closed = true;
    if (c->busy) c->pod->running--;
    c->busy = false;
    *(c->prev ? &c->prev->next : &c->pod->conns) = c->next;
    if (c->next) c->next->prev = c->prev;
    uv_close(&c->at.handle, fake_freed);
    uv_close((uv_handle_t *)&c->timer, fake_freed);
}

static void fake_written(uv_write_t *w, int status) { (void)status; free(w->data); free(w); }

static void fake_say_bytes(struct fake_conn *c, const char *bytes, size_t len)
{
    if (c->closed) return;
    uv_write_t *w = malloc(sizeof *w);
    w->data = malloc(len + 1);
    memcpy(w->data, bytes, len);
    uv_buf_t b = uv_buf_init(w->data, (unsigned)len);
    if (uv_write(w, &c->at.stream, &b, 1, fake_written) != 0) { free(w->data); free(w); }
}
static void fake_say(struct fake_conn *c, const char *text) { fake_say_bytes(c, text, strlen(text)); }

static void fake_next(struct fake_conn *c);
static void fake_done(struct fake_conn *c)
{
    if (!c->busy) return;
    c->busy = false;
    c->pod->running--;
    fake_next(c);
}

static void fake_answer(struct fake_conn *c, int status, const char *headers, const char *type, const char *body)
{
    char head[600];
    snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n", status, type, strlen(body), headers);
    fake_say(c, head);
    fake_say(c, body);
    fake_done(c);
}

static void fake_on_later(uv_timer_t *t) { struct fake_conn *c = t->data; void (*later)(struct fake_conn *) = c->later; if (!c->closed) later(c); }
static void fake_later(struct fake_conn *c, int ms, void (*fn)(struct fake_conn *c)) { c->later = fn; uv_timer_start(&c->timer, fake_on_later, (uint64_t)ms, 0); }

// Who waits for wait_ms has waited long enough.
static inline void fake_go(struct fake_pod *pod)
{
    pod->wait_ms = 0;
    for (struct fake_conn *c = pod->conns; c; c = c->next)
        if (uv_is_active((uv_handle_t *)&c->timer)) uv_timer_start(&c->timer, fake_on_later, 0, 0);
}

static const char *fake_question(const struct fr_json *ask)
{
    const struct fr_json *m = fr_json_child(fr_json_get(ask, "messages")), *last = m;
    while (m) { last = m; m = fr_json_next(m); }
    const char *text = fr_json_text(fr_json_get(last, "content"));
    return text ? text : fr_json_text(fr_json_get(ask, "prompt")) ? fr_json_text(fr_json_get(ask, "prompt")) : "";
}

// "NAME: QUESTION", whole or as three events; embeddings [number of the text's first letter, its length].
static void fake_fine_now(struct fake_conn *c)
{
    FR_AUTO_BUF(b);
    fr_buf_init(&b, 1 << 20);
    const struct fr_json *input = fr_json_get(c->ask, "input"), *one;
    if (input) {
        int no = 0;
        fr_buf_add(&b, "{\"object\":\"list\",\"data\":[");
        for (one = fr_json_kind(input) == JSON_ARRAY ? fr_json_child(input) : input; one; one = fr_json_kind(input) == JSON_ARRAY ? fr_json_next(one) : NULL, no++)
            fr_buf_addf(&b, "%s{\"index\":%d,\"embedding\":[%d,%zu]}", no ? "," : "", no, atoi(fr_json_text(one)), strlen(fr_json_text(one)));
        fr_buf_addf(&b, "],\"usage\":{\"prompt_tokens\":%d,\"total_tokens\":%d}}", no, no);
        fake_answer(c, 200, "", "application/json", b.data);
        return;
    }
    if (fr_json_is_true(fr_json_get(c->ask, "stream"))) {
        const char *parts[] = { c->pod->name, ": ", fake_question(c->ask) };
        fr_buf_add(&b, "data: {\"id\":\"s1\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n");
        for (int i = 0; i < 3; i++) fr_buf_addf(&b, "data: {\"id\":\"s1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}\n\n", parts[i]);
        fr_buf_add(&b, "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n");
        fake_answer(c, 200, "", "text/event-stream", b.data);
        return;
    }
    fr_buf_addf(&b, "{\"id\":\"w1\",\"created\":1700000000,\"model\":\"whatever\",\"choices\":[{\"index\":0,\"%s\":%s%s: %s%s,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}", fr_json_get(c->ask, "prompt") ? "text" : "message",
                fr_json_get(c->ask, "prompt") ? "\"" : "{\"role\":\"assistant\",\"content\":\"", c->pod->name, fake_question(c->ask), fr_json_get(c->ask, "prompt") ? "\"" : "\"}");
    fake_answer(c, 200, "", "application/json", b.data);
}

static void fake_fine(struct fake_conn *c, const char *path, const struct fr_json *ask)
{
    (void)path;
    (void)ask;
    if (c->pod->wait_ms) fake_later(c, c->pod->wait_ms, fake_fine_now);
    else fake_fine_now(c);
}

// The next whole request of a connection, if one is there.
static void fake_next(struct fake_conn *c)
{
    char method[8] = "", *end = c->in.len ? strstr(c->in.data, "\r\n\r\n") : NULL, *length, *key;
    struct fr_err err;
    struct fake_pod *pod = c->pod;
    if (c->busy || c->closed || !end) return;
    *end = 0;
    length = strcasestr(c->in.data, "\r\nContent-Length: ");
    key = strcasestr(c->in.data, "\r\nAuthorization: Bearer ");
    size_t head = (size_t)(end - c->in.data) + 4, body = length ? (size_t)atol(length + 18) : 0;
    sscanf(c->in.data, "%7s %199s", method, c->path);
    pod->key[0] = 0;
    if (key) sscanf(key + 24, "%63s", pod->key);
    *end = '\r';
    if (c->in.len < head + body) return;
    fr_json_free(c->ask);
    c->ask = NULL;
    if (body) FR_IGNORE(fr_json_parse(c->in.data + head, body, &c->ask, &err));      // ours: JSON
    if (body) snprintf(pod->last, sizeof pod->last, "%.*s", (int)body, c->in.data + head);
    fr_buf_consume(&c->in, head + body);
    c->busy = true;
    c->step = 0;
    if (++pod->running > pod->most) pod->most = pod->running;
    if (strcmp(method, "GET") == 0) {
        pod->healths++;
        fake_answer(c, pod->health ? pod->health : 200, "", "application/json", "{\"object\":\"list\",\"data\":[]}");
        return;
    }
    pod->requests++;
    (pod->script ? pod->script : fake_fine)(c, c->path, c->ask);
}

static void fake_alloc(uv_handle_t *h, size_t size, uv_buf_t *b) { (void)h; *b = uv_buf_init(malloc(size), (unsigned)size); }

static void fake_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct fake_conn *c = s->data;
    if (n > 0) fr_buf_add_bytes(&c->in, b->base, (size_t)n);
    free(b->base);
    if (n >= 0) { fake_next(c); return; }
    c->pod->gone_away += c->busy;
    fake_close(c);
}

static void fake_connected(uv_stream_t *s, int status)
{
    struct fake_pod *pod = s->data;
    struct fake_conn *c = calloc(1, sizeof *c);
    CHECK(status == 0);
    c->pod = pod;
    if (pod->path[0]) uv_pipe_init(&loop, &c->at.pipe, 0);
    else uv_tcp_init(&loop, &c->at.tcp);
    uv_timer_init(&loop, &c->timer);
    c->at.handle.data = c->timer.data = c;
    c->handles = 2;
    fr_buf_init(&c->in, 8 << 20);
    c->next = pod->conns;
    if (c->next) c->next->prev = c;
    pod->conns = c;
    bool fine = uv_accept(s, &c->at.stream) == 0 && !pod->refuses;
    if (!pod->path[0]) uv_tcp_nodelay(&c->at.tcp, 1);
    if (!fine) fake_close(c);
    else uv_read_start(&c->at.stream, fake_alloc, fake_read);
}

static void fake_listen(struct fake_pod *pod, const char *name, const char *socket_path)
{
    struct sockaddr_in at;
    int len = sizeof at;
    *pod = (struct fake_pod){ .name = name };
    if (socket_path) {
        snprintf(pod->path, sizeof pod->path, "%s", socket_path);
        unlink(socket_path);
        uv_pipe_init(&loop, &pod->pipe, 0);
        pod->pipe.data = pod;
        CHECK(uv_pipe_bind(&pod->pipe, socket_path) == 0 && uv_listen((uv_stream_t *)&pod->pipe, 128, fake_connected) == 0);
        return;
    }
    uv_tcp_init(&loop, &pod->tcp);
    pod->tcp.data = pod;
    uv_ip4_addr("127.0.0.1", 0, &at);
    CHECK(uv_tcp_bind(&pod->tcp, (struct sockaddr *)&at, 0) == 0 && uv_listen((uv_stream_t *)&pod->tcp, 128, fake_connected) == 0);
    uv_tcp_getsockname(&pod->tcp, (struct sockaddr *)&at, &len);
    pod->port = ntohs(at.sin_port);
}

// As a kill would: its connections break, nobody listens.
static void fake_kill(struct fake_pod *pod)
{
    uv_handle_t *h = pod->path[0] ? (uv_handle_t *)&pod->pipe : (uv_handle_t *)&pod->tcp;
    if (!uv_is_closing(h)) uv_close(h, NULL);
    while (pod->conns) fake_close(pod->conns);
}

__attribute__((unused)) static void world_begin(void)
{
    struct net_client_options o = { .loop = &loop };
    uv_loop_init(&loop);
    CHECK(net_client_start(&o, &client, NULL) == FR_OK);
}

__attribute__((unused)) static void world_end(void)
{
    net_client_stop(client, NULL, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    CHECK_INT(uv_loop_close(&loop), 0);
}

// Until it holds, or long enough to call it never.
#define RUN_UNTIL(x) do { int64_t until_ = fr_mono_ms() + 20000; while (!(x) && fr_mono_ms() < until_) { uv_run(&loop, UV_RUN_NOWAIT); usleep(100); } CHECK(x); } while (0)
__attribute__((unused)) static void run_for(int ms) { for (int64_t end = fr_mono_ms() + ms; fr_mono_ms() < end; usleep(500)) uv_run(&loop, UV_RUN_NOWAIT); }
