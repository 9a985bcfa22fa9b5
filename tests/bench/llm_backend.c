// llm_backend.c — a model server that always has the same answer, so that what stands before it is what is measured. It reads requests as whole as it must
// (head, Content-Length, "stream"), looks at nothing else, and waits for nothing.
//
//   llm_backend PORT
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define REQUEST_BYTES_MAX 65536
#define WORDS 16                           // of the answer; each is an event of a stream

struct conn { uv_tcp_t tcp; size_t len; char in[REQUEST_BYTES_MAX + 1]; };
static char whole[4096], stream[16384], models[1024];

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "llm_backend: %s\n", what);
    exit(1);
}

static void put(char *to, size_t cap, const char *type, const char *body)
{
    if ((size_t)snprintf(to, cap, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type, strlen(body), body) >= cap) die("an answer is too long");
}

#define HEAD(object) "{\"id\":\"chatcmpl-1\",\"object\":\"" object "\",\"created\":1700000000,\"model\":\"bench\",\"choices\":[{\"index\":0,"
#define USAGE "\"usage\":{\"prompt_tokens\":24,\"completion_tokens\":16,\"total_tokens\":40}}"
static void answers_make(void)
{
    char text[1024] = "", events[12000] = "data: " HEAD("chat.completion.chunk") "\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n", body[2048];
    for (int i = 0; i < WORDS; i++) {
        char word[24];
        snprintf(word, sizeof word, i ? " word%d" : "word%d", i);
        strcat(text, word);
        snprintf(body, sizeof body, "data: " HEAD("chat.completion.chunk") "\"delta\":{\"content\":\"%s\"},\"finish_reason\":null}]}\n\n", word);
        strcat(events, body);
    }
    strcat(events, "data: " HEAD("chat.completion.chunk") "\"delta\":{},\"finish_reason\":\"stop\"}]," USAGE "\n\ndata: [DONE]\n\n");
    put(stream, sizeof stream, "text/event-stream", events);
    snprintf(body, sizeof body, HEAD("chat.completion") "\"message\":{\"role\":\"assistant\",\"content\":\"%s\"},\"logprobs\":null,\"finish_reason\":\"stop\"}]," USAGE, text);
    put(whole, sizeof whole, "application/json", body);
    put(models, sizeof models, "application/json", "{\"object\":\"list\",\"data\":[{\"id\":\"bench\",\"object\":\"model\",\"created\":1700000000,\"owned_by\":\"bench\"}]}");
}

static void on_closed(uv_handle_t *h) { free(h->data); }
static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct conn *c = h->data;
    (void)suggested;
    *buf = uv_buf_init(c->in + c->len, (unsigned)(REQUEST_BYTES_MAX - c->len));
}

static bool answer(struct conn *c, const char *body)
{
    const char *text = memcmp(c->in, "GET", 3) == 0 ? models : strstr(body, "\"stream\":true") || strstr(body, "\"stream\": true") ? stream : whole;
    uv_buf_t buf = uv_buf_init((char *)text, (unsigned)strlen(text));
    return uv_try_write((uv_stream_t *)&c->tcp, &buf, 1) == (int)buf.len;      // they fit any socket's buffer
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
    struct conn *c = s->data;
    (void)buf;
    bool fine = n >= 0;
    c->len += n > 0 ? (size_t)n : 0;
    c->in[c->len] = 0;
    for (char *end; fine && (end = strstr(c->in, "\r\n\r\n"));) {
        *end = 0;
        const char *length = strcasestr(c->in, "\r\ncontent-length:");
        char *body = end + 4;
        size_t body_len = length ? strtoul(length + 17, NULL, 10) : 0, used = (size_t)(body - c->in) + body_len;
        if (c->len < used) { *end = '\r'; break; }
        char next = c->in[used];
        c->in[used] = 0;
        fine = answer(c, body);
        c->in[used] = next;
        memmove(c->in, c->in + used, c->len - used + 1);
        c->len -= used;
    }
    if ((!fine || c->len == REQUEST_BYTES_MAX) && !uv_is_closing((uv_handle_t *)s)) uv_close((uv_handle_t *)s, on_closed);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct conn *c = calloc(1, sizeof *c);
    if (status < 0 || !c) die("no connection");
    c->tcp.data = c;
    uv_tcp_init(listener->loop, &c->tcp);
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0) die("accept");
    uv_tcp_nodelay(&c->tcp, 1);
    uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

int main(int argc, char **argv)
{
    uv_tcp_t listener;
    struct sockaddr_in addr;
    if (argc != 2) return 2;
    answers_make();
    signal(SIGPIPE, SIG_IGN);
    uv_tcp_init(uv_default_loop(), &listener);
    uv_ip4_addr("127.0.0.1", atoi(argv[1]), &addr);
    if (uv_tcp_bind(&listener, (struct sockaddr *)&addr, 0) != 0 || uv_listen((uv_stream_t *)&listener, 1024, on_connection) != 0) die("the port is taken");
    printf("ready\n");
    fflush(stdout);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
